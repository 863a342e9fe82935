//! The interfaces there are, and what capturing on them is good for.

#[cfg(target_os = "linux")]
use std::fs;
use std::net::IpAddr;
#[cfg(target_os = "linux")]
use std::path::Path;

use crate::capture::LinkType;

/// An interface of this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interface {
    /// Its name, as [`super::open`] takes it.
    pub name: String,
    /// What it is, where the system has words for it.
    pub description: Option<String>,
    /// Its number; 0 where the system gives none.
    pub index: u32,
    /// Its hardware address, as `00:53:00:00:00:01`.
    pub hardware_address: Option<String>,
    /// Its addresses, with the length of their network's prefix.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Whether it is up.
    pub up: bool,
    /// Whether it is up and connected.
    pub running: bool,
    /// What its frames begin with; `None` where that is not known, or they are read from their network layer on.
    pub link_type: Option<LinkType>,
    /// What kind of interface it is.
    pub kind: InterfaceKind,
    /// Megabits a second, where the driver tells.
    pub megabits: Option<u32>,
    /// Bytes a packet may have.
    pub mtu: Option<u32>,
    /// The driver of the device.
    pub driver: Option<String>,
    /// What it is a part of: a bridge, a bond.
    pub part_of: Option<String>,
    /// Whether the device merges segments before anything sees them (large receive offload).
    pub merges_segments: bool,
}

/// What kind of interface it is, as far as it matters for capturing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InterfaceKind {
    /// A network card, or something that behaves like one.
    #[default]
    Network,
    /// This host's traffic to itself.
    Loopback,
    /// A wireless interface that shows the frames of its own network as Ethernet's.
    Wireless,
    /// A wireless interface in monitor mode.
    Monitor,
    /// A bridge.
    Bridge,
    /// Several interfaces bound to one.
    Bond,
    /// The inside of a tunnel, without a link layer.
    Tunnel,
    /// What only libpcap knows.
    Other,
}

impl Interface {
    /// What capturing on it is good for, in words.
    #[must_use]
    pub fn suitability(&self) -> String {
        let mut text = match self.kind {
            InterfaceKind::Loopback => "what this host says to itself".to_owned(),
            InterfaceKind::Wireless => "this host's own traffic; that of others needs monitor mode".to_owned(),
            InterfaceKind::Monitor => "whatever is on the air; what is encrypted there stays so".to_owned(),
            InterfaceKind::Bridge => "what passes the bridge".to_owned(),
            InterfaceKind::Bond => "what passes any of the interfaces bound to it".to_owned(),
            InterfaceKind::Tunnel => "what is inside the tunnel".to_owned(),
            InterfaceKind::Other => "captured by libpcap".to_owned(),
            InterfaceKind::Network if self.addresses.iter().any(|(address, _)| !is_link_local(address)) => {
                "this host's own traffic, and what a span port or tap sends here".to_owned()
            }
            InterfaceKind::Network => "suits a span port or tap: it has no address of its own".to_owned(),
        };
        if let Some(whole) = &self.part_of {
            text.push_str("; a part of ");
            text.push_str(whole);
        }
        if self.merges_segments {
            text.push_str("; it merges segments: `ethtool -K ");
            text.push_str(&self.name);
            text.push_str(" lro off` before capturing");
        }
        match (self.up, self.running) {
            (false, _) => text.push_str("; down: it has to be brought up first"),
            (true, false) => text.push_str("; not connected"),
            (true, true) => {}
        }
        text
    }
}

/// The interfaces of this host, by name. Needs no rights.
#[must_use]
pub fn interfaces() -> Vec<Interface> {
    let mut found = system_interfaces();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

#[cfg(unix)]
fn system_interfaces() -> Vec<Interface> {
    pnet::datalink::interfaces().into_iter().map(of_system).collect()
}

/// Without libpcap there is no way to capture, and nothing to list.
#[cfg(not(any(unix, feature = "libpcap")))]
fn system_interfaces() -> Vec<Interface> {
    Vec::new()
}

#[cfg(all(not(unix), feature = "libpcap"))]
fn system_interfaces() -> Vec<Interface> {
    super::libpcap::interfaces()
}

#[cfg(unix)]
fn of_system(found: pnet::datalink::NetworkInterface) -> Interface {
    let (up, running) = (found.is_up(), found.is_up() && found.is_running());
    let kind = if found.is_loopback() { InterfaceKind::Loopback } else { InterfaceKind::Network };
    let interface = Interface {
        index: found.index,
        hardware_address: found.mac.map(|address| address.to_string()),
        addresses: found.ips.iter().map(|network| (network.ip(), network.prefix())).collect(),
        up,
        running,
        kind,
        description: Some(found.description).filter(|text| !text.is_empty()),
        name: found.name,
        ..Interface::default()
    };
    #[cfg(target_os = "linux")]
    return with_linux(interface);
    #[cfg(not(target_os = "linux"))]
    interface
}

/// Adds what /sys and the driver say.
#[cfg(target_os = "linux")]
fn with_linux(mut interface: Interface) -> Interface {
    let folder = Path::new("/sys/class/net").join(&interface.name);
    let read = |file: &str| Some(fs::read_to_string(folder.join(file)).ok()?.trim().to_owned());
    let link_name = |file: &str| {
        let target = fs::read_link(folder.join(file)).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    };
    if let Some(hardware) = read("type").and_then(|text| text.parse().ok()) {
        interface.link_type = super::source::link_type(hardware);
    }
    interface.kind = match interface.link_type {
        _ if interface.kind == InterfaceKind::Loopback => InterfaceKind::Loopback,
        Some(LinkType::IEEE802_11 | LinkType::IEEE802_11_PRISM | LinkType::IEEE802_11_RADIOTAP) => {
            InterfaceKind::Monitor
        }
        Some(LinkType::ETHERNET) if folder.join("bridge").exists() => InterfaceKind::Bridge,
        Some(LinkType::ETHERNET) if folder.join("bonding").exists() => InterfaceKind::Bond,
        Some(LinkType::ETHERNET) if folder.join("phy80211").exists() => InterfaceKind::Wireless,
        Some(LinkType::ETHERNET) => InterfaceKind::Network,
        _ => InterfaceKind::Tunnel,
    };
    // -1 where there is none, and no answer at all while it is down.
    interface.megabits = read("speed").and_then(|text| text.parse().ok()).filter(|speed| *speed > 0);
    interface.mtu = read("mtu").and_then(|text| text.parse().ok());
    interface.driver = link_name("device/driver");
    interface.part_of = link_name("master");
    interface.merges_segments = super::socket::merges_segments(&interface.name).unwrap_or(false);
    interface
}

const fn is_link_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_an_interface_is_good_for() {
        let plain = Interface { name: "eth1".to_owned(), up: true, running: true, ..Interface::default() };
        assert_eq!(plain.suitability(), "suits a span port or tap: it has no address of its own");
        let link_local = Interface { addresses: vec![([169, 254, 0, 1].into(), 16)], ..plain.clone() };
        assert_eq!(link_local.suitability(), plain.suitability());
        let own = Interface { addresses: vec![([192, 0, 2, 1].into(), 24)], ..plain.clone() };
        assert!(own.suitability().starts_with("this host's own traffic"));
        let down = Interface { up: false, running: false, merges_segments: true, ..plain.clone() };
        assert!(down.suitability().contains("ethtool -K eth1 lro off"));
        assert!(down.suitability().ends_with("down: it has to be brought up first"));
        let unplugged = Interface { running: false, part_of: Some("br0".to_owned()), ..plain };
        assert!(unplugged.suitability().ends_with("; a part of br0; not connected"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn lists_the_loopback_interface() {
        let all = interfaces();
        assert!(all.is_sorted_by_key(|interface| interface.name.clone()));
        let loopback = all.iter().find(|interface| interface.kind == InterfaceKind::Loopback);
        assert!(
            loopback.is_some_and(|found| found.index > 0 && found.link_type == Some(LinkType::ETHERNET)),
            "{all:?}"
        );
    }
}
