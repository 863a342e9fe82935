//! One frame to one transport payload: link layers, tunnels, IP, fragments, TCP and UDP.
//!
//! [`Decoder::decode`] walks a frame layer by layer until it stands before a TCP segment or a UDP datagram, and lends
//! its payload from the frame itself, or from the decoder where fragments had to be put together. What it cannot hand
//! on it names by a [`DropReason`].
//!
//! Invariants: nothing is copied or allocated but for fragments, whose memory is bounded by [`FragmentLimits`]; a
//! frame is walked in at most [`MAX_STEPS`] steps; lengths are believed only as far as the bytes reach. Checksums are
//! not verified, since offloading leaves them unset in captures made on the sending host.
//!
//! `link` reads what a link type puts before the network layer, `ip` both versions of IP, `tunnel` what carries a
//! packet in a packet, `transport` TCP and UDP, `fragments` holds what is not whole yet.

mod encapsulation;
mod flow_key;
mod fragments;
mod ip;
mod link;
#[cfg(test)]
mod tests;
mod transport;
mod tunnel;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

pub use self::encapsulation::{Encapsulation, EncapsulationKind, Encapsulations};
pub use self::flow_key::FlowKey;
pub use self::fragments::FragmentLimits;
use self::fragments::FragmentTable;
pub use self::transport::{Datagram, Segment, TcpFlags};
use crate::capture::{Frame, LinkType};
use crate::stats::{DropReason, Drops};
use crate::time::Timestamp;

/// Layers walked in one frame before it is given up as [`DropReason::TooDeep`]: tags, shims, tunnels, IP headers.
pub const MAX_STEPS: usize = 32;

/// Reassembled datagrams that may lie in one another before a frame is given up as [`DropReason::TooDeep`].
const MAX_NESTED_REASSEMBLIES: usize = 3;

/// Decodes frames, and keeps the IP fragments that wait for the rest of their datagram. One an engine.
#[derive(Debug)]
pub struct Decoder {
    fragments: FragmentTable,
    /// Datagrams made whole by the current frame: the outermost first.
    whole: [Vec<u8>; MAX_NESTED_REASSEMBLIES],
}

impl Decoder {
    /// A decoder without any fragments yet.
    #[must_use]
    pub fn new(limits: FragmentLimits) -> Self {
        Self { fragments: FragmentTable::new(limits), whole: Default::default() }
    }

    /// Decodes one frame to one transport payload.
    ///
    /// `drops` counts what happens beside the frame itself: datagrams given up for want of fragments, and conflicting
    /// overlaps.
    ///
    /// # Errors
    /// The reason why there is nothing to hand on; the caller counts it. [`DropReason::FragmentPending`] says that the
    /// frame was a fragment, and is kept.
    #[inline]
    pub fn decode<'a>(&'a mut self, frame: &Frame<'a>, drops: &mut Drops) -> Result<Packet<'a>, DropReason> {
        let captured = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
        let mut walk = Walk {
            timestamp: frame.timestamp,
            missing: frame.original_length.saturating_sub(captured),
            encapsulations: Encapsulations::default(),
            fragments: &mut self.fragments,
            whole: &mut self.whole,
            drops,
        };
        walk.run(Layer::Link(frame.link_type), frame.bytes)
    }

    /// Gives up every datagram that is not whole yet, counting each as [`DropReason::FragmentIncomplete`]: for the end
    /// of the input.
    pub fn finish(&mut self, drops: &mut Drops) {
        self.fragments.clear(drops);
    }

    /// Bytes of memory held for fragments now; never more than [`FragmentLimits::bytes`].
    #[must_use]
    pub const fn fragment_bytes(&self) -> usize {
        self.fragments.bytes()
    }
}

/// The transport protocol of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IpProtocol {
    /// TCP, protocol number 6.
    Tcp,
    /// UDP, protocol number 17.
    Udp,
}

impl IpProtocol {
    /// The protocol's name in records: `tcp` or `udp`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl fmt::Display for IpProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Source and destination of one packet: directional.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FiveTuple {
    /// Who sent the packet.
    pub source: SocketAddr,
    /// Whom it was sent to.
    pub destination: SocketAddr,
    /// TCP or UDP.
    pub protocol: IpProtocol,
}

impl FiveTuple {
    /// The tuple of a packet in the other direction.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { source: self.destination, destination: self.source, protocol: self.protocol }
    }
}

/// One packet's way through the layers to its transport payload. The innermost packet, where it was tunnelled.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When the frame was captured; for a reassembled datagram, the frame that made it whole.
    pub timestamp: Timestamp,
    /// Addresses and ports.
    pub tuple: FiveTuple,
    /// The tags and tunnels around the packet, outermost first.
    pub encapsulations: Encapsulations,
    /// Time to live (IPv4) or hop limit (IPv6); for a reassembled datagram, that of its first fragment.
    pub ttl: u8,
    /// The TCP segment or UDP datagram.
    pub transport: Transport<'a>,
}

/// What the transport layer carries.
#[derive(Clone, Copy, Debug)]
pub enum Transport<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
}

/// What the bytes at hand are to be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    /// The first byte of a frame of this link type.
    Link(LinkType),
    /// An Ethernet header without preamble.
    Ethernet,
    /// The payload of an EtherType, as Ethernet, SLL, GRE and others name it.
    EtherType(u16),
    /// An IEEE 802.2 logical link control header.
    LogicalLink,
    /// An IEEE 802.11 header.
    Wlan,
    /// A PPP frame, with or without address and control (RFC 1661, RFC 1662).
    Ppp,
    /// IPv4 or IPv6, by the version in the first four bits.
    Ip,
}

/// A frame on its way through the layers.
struct Walk<'a, 'd> {
    timestamp: Timestamp,
    /// Bytes of the frame that the snap length cut off.
    missing: u32,
    encapsulations: Encapsulations,
    fragments: &'a mut FragmentTable,
    whole: &'a mut [Vec<u8>],
    drops: &'d mut Drops,
}

/// Where a step leads.
enum Step<'a> {
    /// To another layer.
    Next(Layer, &'a [u8]),
    /// To the end: what the innermost packet carries.
    Done(Packet<'a>),
}

impl<'a> Walk<'a, '_> {
    fn run(&mut self, mut layer: Layer, mut bytes: &'a [u8]) -> Result<Packet<'a>, DropReason> {
        for _ in 0..MAX_STEPS {
            let step = match layer {
                Layer::Link(LinkType::ETHERNET) | Layer::Ethernet => link::ethernet(bytes)?,
                Layer::EtherType(link::IPV4) => self.ipv4(bytes)?,
                Layer::EtherType(link::IPV6) => self.ipv6(bytes)?,
                Layer::EtherType(ether_type) => self.ether_type(ether_type, bytes)?,
                Layer::Link(link_type) => link::link(link_type, bytes)?,
                Layer::LogicalLink => link::logical_link(bytes)?,
                Layer::Wlan => link::wlan(bytes)?,
                Layer::Ppp => link::ppp(bytes)?,
                Layer::Ip => match bytes.first().ok_or(DropReason::TruncatedHeader)? >> 4 {
                    4 => self.ipv4(bytes)?,
                    6 => self.ipv6(bytes)?,
                    _ => return Err(DropReason::NotIp),
                },
            };
            match step {
                Step::Next(next, rest) => (layer, bytes) = (next, rest),
                Step::Done(packet) => return Ok(packet),
            }
        }
        Err(DropReason::TooDeep)
    }

    /// Bytes of an IP payload that the snap length cut off. What is short beyond that was not on the wire either: the
    /// length is a lie, or a layer below ended before.
    fn cut(&self, network: &Network<'_>) -> u32 {
        network.short.min(self.missing)
    }

    /// Notes a layer of encapsulation.
    fn encapsulated(&mut self, kind: EncapsulationKind, id: Option<u32>) -> Result<(), DropReason> {
        if self.encapsulations.push(Encapsulation { kind, id }) { Ok(()) } else { Err(DropReason::TooDeep) }
    }
}

/// What an IP header says of its payload.
#[derive(Clone, Copy)]
struct Network<'a> {
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    payload: &'a [u8],
    /// Bytes that should follow `payload` by the header's length and do not.
    short: u32,
}

/// Takes `N` bytes off the front.
#[inline]
fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Result<&'a [u8; N], DropReason> {
    let (taken, rest) = bytes.split_first_chunk::<N>().ok_or(DropReason::TruncatedHeader)?;
    *bytes = rest;
    Ok(taken)
}

/// Takes a big-endian 16-bit integer off the front.
#[inline]
fn take_u16(bytes: &mut &[u8]) -> Result<u16, DropReason> {
    take::<2>(bytes).map(|taken| u16::from_be_bytes(*taken))
}

/// Takes a big-endian 32-bit integer off the front.
#[inline]
fn take_u32(bytes: &mut &[u8]) -> Result<u32, DropReason> {
    take::<4>(bytes).map(|taken| u32::from_be_bytes(*taken))
}

/// What follows `count` bytes.
#[inline]
fn skip(bytes: &[u8], count: usize) -> Result<&[u8], DropReason> {
    bytes.get(count..).ok_or(DropReason::TruncatedHeader)
}
