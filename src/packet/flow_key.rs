//! [`FlowKey`]: what both directions of a flow share.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use super::{FiveTuple, IpProtocol};

/// The symmetric key of a flow: equal for both directions, exact (no two flows share one by collision of addresses,
/// ports or protocol). Made once a packet; hashing it feeds two words for IPv4 and five for IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowKey {
    low: [u64; 2],
    high: [u64; 2],
    /// The low endpoint's port in the upper half.
    ports: u32,
    encapsulation: u32,
    /// Protocol and address families.
    class: u32,
}

impl FlowKey {
    /// The key of a packet's flow, and whether its source is the low endpoint: the direction within the flow.
    ///
    /// `encapsulation` is [`super::Encapsulations::flow_key`] of the packet. Where both endpoints are the same the
    /// source counts as the low one.
    #[must_use]
    #[inline]
    pub fn new(tuple: &FiveTuple, encapsulation: u32) -> (Self, bool) {
        let source = Endpoint::of(tuple.source);
        let destination = Endpoint::of(tuple.destination);
        let source_is_low = source <= destination;
        let (low, high) = if source_is_low { (source, destination) } else { (destination, source) };
        let protocol = match tuple.protocol {
            IpProtocol::Tcp => 0,
            IpProtocol::Udp => 1,
        };
        let key = Self {
            low: low.address,
            high: high.address,
            ports: u32::from(low.port) << 16 | u32::from(high.port),
            encapsulation,
            class: protocol | u32::from(low.is_v6) << 1 | u32::from(high.is_v6) << 2,
        };
        (key, source_is_low)
    }
}

impl Hash for FlowKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [low_first, low] = self.low;
        let [high_first, high] = self.high;
        if self.class > 1 {
            state.write_u64(low_first);
            state.write_u64(low);
            state.write_u64(high_first);
            state.write_u64(high);
        } else {
            state.write_u64(low << 32 | high);
        }
        state.write_u64(u64::from(self.ports) << 32 | u64::from(self.encapsulation ^ self.class << 29));
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Endpoint {
    is_v6: bool,
    address: [u64; 2],
    port: u16,
}

impl Endpoint {
    #[inline]
    fn of(address: SocketAddr) -> Self {
        match address.ip() {
            IpAddr::V4(v4) => Self { is_v6: false, address: [0, u64::from(u32::from(v4))], port: address.port() },
            IpAddr::V6(v6) => {
                let [a, b, c, d, e, f, g, h] = v6.segments().map(u64::from);
                let words = [a << 48 | b << 32 | c << 16 | d, e << 48 | f << 32 | g << 16 | h];
                Self { is_v6: true, address: words, port: address.port() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "test code")]

    use super::*;

    fn tuple(source: &str, destination: &str, protocol: IpProtocol) -> FiveTuple {
        FiveTuple {
            source: source.parse().expect("an address"),
            destination: destination.parse().expect("an address"),
            protocol,
        }
    }

    #[test]
    fn is_equal_for_both_directions() {
        for (a, b) in [
            ("10.0.0.1:443", "10.0.0.2:5000"),
            ("10.0.0.1:5000", "10.0.0.1:443"),
            ("[2001:db8::1]:443", "[2001:db8::2]:5000"),
            ("[2001:db8:1::1]:443", "[2001:db8::2]:443"),
        ] {
            let there = tuple(a, b, IpProtocol::Tcp);
            let (key, low) = FlowKey::new(&there, 7);
            let (reverse_key, reverse_low) = FlowKey::new(&there.reversed(), 7);
            assert_eq!(key, reverse_key);
            assert_ne!(low, reverse_low);
        }
    }

    #[test]
    fn tells_what_differs() {
        let keys = [
            FlowKey::new(&tuple("10.0.0.1:1", "10.0.0.2:2", IpProtocol::Tcp), 0),
            FlowKey::new(&tuple("10.0.0.1:1", "10.0.0.2:2", IpProtocol::Udp), 0),
            FlowKey::new(&tuple("10.0.0.1:1", "10.0.0.2:2", IpProtocol::Tcp), 1),
            FlowKey::new(&tuple("10.0.0.1:2", "10.0.0.2:1", IpProtocol::Tcp), 0),
            FlowKey::new(&tuple("10.0.0.1:1", "10.0.0.3:2", IpProtocol::Tcp), 0),
            FlowKey::new(&tuple("[::10.0.0.1]:1", "[::10.0.0.2]:2", IpProtocol::Tcp), 0),
            FlowKey::new(&tuple("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.2]:2", IpProtocol::Tcp), 0),
        ]
        .map(|(key, _)| key);
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys.iter().skip(index + 1).any(|other| other == key), "{index}");
        }
    }
}
