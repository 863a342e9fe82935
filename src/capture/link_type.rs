//! [`LinkType`]: the number a capture file gives a frame's link layer.
//!
//! The registry is the `LINKTYPE_` list that the pcap and pcapng formats share
//! (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcaplinktype-06.html>).

use std::fmt;

/// A frame's link layer, by its `LINKTYPE_` number (the registry of the pcap file format).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

/// Declares the known link types once, as constants and as names.
macro_rules! link_types {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal;)+) => {
        impl LinkType {
            $($(#[doc = $doc])+ pub const $name: Self = Self($number);)+

            /// The registry's name without its `LINKTYPE_` prefix, where handprint knows the number.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)+
                    _ => None,
                }
            }
        }
    };
}

link_types! {
    /// BSD loopback: a 4-byte protocol family in the capturing host's byte order.
    NULL = 0;
    /// IEEE 802.3 Ethernet.
    ETHERNET = 1;
    /// IEEE 802.5 Token Ring.
    IEEE802_5 = 6;
    /// SLIP with a header that gives the direction.
    SLIP = 8;
    /// PPP, with or without HDLC framing.
    PPP = 9;
    /// FDDI.
    FDDI = 10;
    /// PPP in HDLC-like framing (RFC 1662).
    PPP_HDLC = 50;
    /// PPPoE session frames (RFC 2516).
    PPP_ETHER = 51;
    /// LLC/SNAP-encapsulated ATM (RFC 2684).
    ATM_RFC1483 = 100;
    /// Raw IPv4 or IPv6.
    RAW = 101;
    /// Cisco HDLC.
    C_HDLC = 104;
    /// IEEE 802.11 without a pseudo-header.
    IEEE802_11 = 105;
    /// Frame Relay.
    FRELAY = 107;
    /// OpenBSD loopback: a 4-byte protocol family in network byte order.
    LOOP = 108;
    /// Linux cooked capture, version 1.
    LINUX_SLL = 113;
    /// OpenBSD pf log.
    PFLOG = 117;
    /// RFC 2625 IP over Fibre Channel.
    IP_OVER_FC = 122;
    /// ATM as SunATM devices give it.
    SUNATM = 123;
    /// IEEE 802.11 behind a Prism header.
    IEEE802_11_PRISM = 119;
    /// IEEE 802.11 behind a radiotap header.
    IEEE802_11_RADIOTAP = 127;
    /// Apple's IP over IEEE 1394.
    APPLE_IP_OVER_IEEE1394 = 138;
    /// IEEE 802.11 behind an AVS header.
    IEEE802_11_AVS = 163;
    /// PPP behind a byte that gives the direction (pppd).
    PPP_PPPD = 166;
    /// Juniper Ethernet behind a Juniper pseudo-header.
    JUNIPER_ETHERNET = 178;
    /// Bluetooth HCI, UART transport.
    BLUETOOTH_HCI_H4 = 187;
    /// USB as Linux records it, 48-byte header.
    USB_LINUX = 189;
    /// Per-Packet Information, in front of another link type.
    PPI = 192;
    /// IEEE 802.15.4 with its frame check sequence.
    IEEE802_15_4_WITHFCS = 195;
    /// Endace ERF records.
    ERF = 197;
    /// Bluetooth HCI with a direction header.
    BLUETOOTH_HCI_H4_WITH_PHDR = 201;
    /// PPP behind a direction byte.
    PPP_WITH_DIR = 204;
    /// Cisco HDLC behind a direction byte.
    C_HDLC_WITH_DIR = 205;
    /// Frame Relay behind a direction byte.
    FRELAY_WITH_DIR = 206;
    /// USB as Linux records it, 64-byte header.
    USB_LINUX_MMAPPED = 220;
    /// Solaris `ipnet`: a header, then raw IP.
    IPNET = 226;
    /// CAN behind a SocketCAN header.
    CAN_SOCKETCAN = 227;
    /// Raw IPv4.
    IPV4 = 228;
    /// Raw IPv6.
    IPV6 = 229;
    /// IEEE 802.15.4 without a frame check sequence.
    IEEE802_15_4_NOFCS = 230;
    /// D-Bus messages.
    DBUS = 231;
    /// Linux netfilter log.
    NFLOG = 239;
    /// Ethernet behind a Hilscher netANALYZER header.
    NETANALYZER = 240;
    /// IP over InfiniBand.
    IPOIB = 242;
    /// USB as USBPcap records it.
    USBPCAP = 249;
    /// Wireshark's exported upper-layer payloads.
    WIRESHARK_UPPER_PDU = 252;
    /// Linux netlink messages.
    NETLINK = 253;
    /// Apple's `PKTAP`, in front of another link type.
    PKTAP = 258;
    /// Linux vsock monitor frames.
    VSOCK = 271;
    /// IEEE 802.3 mPackets.
    ETHERNET_MPACKET = 274;
    /// Linux cooked capture, version 2.
    LINUX_SLL2 = 276;
    /// Ethernet with a Broadcom switch's tag behind the addresses.
    DSA_TAG_BRCM = 281;
    /// Ethernet with a Broadcom switch's tag before it.
    DSA_TAG_BRCM_PREPEND = 282;
    /// Ethernet with a Marvell switch's tag.
    DSA_TAG_DSA = 284;
    /// Ethernet with a Marvell switch's tag behind a type of its own.
    DSA_TAG_EDSA = 285;
}

impl LinkType {
    /// The link type a file's number stands for.
    ///
    /// Some systems wrote their own `DLT_RAW` (12, OpenBSD's 14) into files, where [`LinkType::RAW`] belongs.
    #[must_use]
    pub const fn from_file(number: u16) -> Self {
        match number {
            12 | 14 => Self::RAW,
            other => Self(other),
        }
    }
}

/// The registry's name, or the number where handprint does not know it.
impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "link type {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_known_types_and_numbers_the_rest() {
        assert_eq!(LinkType(1).name(), Some("ETHERNET"));
        assert_eq!(LinkType::LINUX_SLL2.to_string(), "LINUX_SLL2");
        assert_eq!(LinkType(0xfff0).name(), None);
        assert_eq!(LinkType(0xfff0).to_string(), "link type 65520");
    }

    #[test]
    fn reads_the_raw_numbers_of_other_systems() {
        assert_eq!(LinkType::from_file(12), LinkType::RAW);
        assert_eq!(LinkType::from_file(14), LinkType::RAW);
        assert_eq!(LinkType::from_file(113), LinkType::LINUX_SLL);
    }
}
