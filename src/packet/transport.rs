//! TCP (RFC 9293) and UDP (RFC 768) headers.

use std::fmt;
use std::net::SocketAddr;

use super::{FiveTuple, IpProtocol, Network, Packet, Step, Transport, Walk};
use crate::stats::DropReason;

/// A TCP segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Sequence number of the first payload byte, or of the SYN.
    pub sequence: u32,
    /// The next byte the sender expects, where [`TcpFlags::ack`] is set.
    pub acknowledgment: u32,
    /// The control bits.
    pub flags: TcpFlags,
    /// The receive window, not scaled.
    pub window: u16,
    /// The bytes carried, as far as captured.
    pub payload: &'a [u8],
    /// Payload bytes on the wire that the snap length cut off.
    pub cut: u32,
}

/// A UDP datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// The bytes carried, as far as captured.
    pub payload: &'a [u8],
    /// Payload bytes on the wire that the snap length cut off.
    pub cut: u32,
}

/// The control bits of a TCP header (RFC 9293 section 3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    #[must_use]
    pub const fn fin(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// Synchronise sequence numbers.
    #[must_use]
    pub const fn syn(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// Reset the connection.
    #[must_use]
    pub const fn rst(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// Push.
    #[must_use]
    pub const fn psh(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// The acknowledgment number counts.
    #[must_use]
    pub const fn ack(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// The urgent pointer counts.
    #[must_use]
    pub const fn urg(self) -> bool {
        self.0 & 0x20 != 0
    }
}

/// The bits set, by name: `SYN|ACK`.
impl fmt::Debug for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
        let mut first = true;
        for (bit, name) in names.iter().enumerate() {
            if self.0 >> bit & 1 == 1 {
                write!(f, "{}{name}", if first { "" } else { "|" })?;
                first = false;
            }
        }
        if first { f.write_str("none") } else { Ok(()) }
    }
}

impl<'a> Walk<'a, '_> {
    /// A TCP header.
    #[inline]
    pub(super) fn tcp(&self, network: &Network<'a>) -> Result<Step<'a>, DropReason> {
        let header = network.payload.first_chunk::<20>().ok_or(DropReason::TruncatedHeader)?;
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, w0, w1, ..] = *header;
        let header_length = usize::from(offset >> 4) * 4;
        if header_length < header.len() {
            return Err(DropReason::MalformedHeader);
        }
        let cut = self.cut(network);
        let payload = match network.payload.get(header_length..) {
            Some(payload) => payload,
            None if cut > 0 => return Err(DropReason::TruncatedHeader),
            None => return Err(DropReason::MalformedHeader),
        };
        let segment = Segment {
            sequence: u32::from_be_bytes([q0, q1, q2, q3]),
            acknowledgment: u32::from_be_bytes([a0, a1, a2, a3]),
            flags: TcpFlags(flags),
            window: u16::from_be_bytes([w0, w1]),
            payload,
            cut,
        };
        let ports = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        Ok(Step::Done(self.packet(network, IpProtocol::Tcp, ports, Transport::Tcp(segment))))
    }

    /// A UDP header, and the tunnel behind it where the port and the bytes say that there is one.
    #[inline]
    pub(super) fn udp(&mut self, network: &Network<'a>) -> Result<Step<'a>, DropReason> {
        let (header, rest) = network.payload.split_first_chunk::<8>().ok_or(DropReason::TruncatedHeader)?;
        let [s0, s1, d0, d1, l0, l1, ..] = *header;
        let ports = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let datagram = match length {
            // A jumbogram (RFC 2675 section 4), or a length left to the network card: the rest of the packet.
            0 => Datagram { payload: rest, cut: self.cut(network) },
            1..8 => return Err(DropReason::MalformedHeader),
            _ => match rest.get(..length - header.len()) {
                Some(payload) => Datagram { payload, cut: 0 },
                // More than IP carries is a lie beyond what the snap length cut off.
                None => {
                    let claimed = u32::try_from(length - header.len() - rest.len()).unwrap_or(u32::MAX);
                    Datagram { payload: rest, cut: claimed.min(self.cut(network)) }
                }
            },
        };
        if let Some(step) = self.udp_tunnel(ports, &datagram, network)? {
            return Ok(step);
        }
        Ok(Step::Done(self.packet(network, IpProtocol::Udp, ports, Transport::Udp(datagram))))
    }

    #[inline]
    pub(super) fn packet(
        &self,
        network: &Network<'a>,
        protocol: IpProtocol,
        ports: (u16, u16),
        transport: Transport<'a>,
    ) -> Packet<'a> {
        Packet {
            timestamp: self.timestamp,
            tuple: FiveTuple {
                source: SocketAddr::new(network.source, ports.0),
                destination: SocketAddr::new(network.destination, ports.1),
                protocol,
            },
            encapsulations: self.encapsulations,
            ttl: network.ttl,
            transport,
        }
    }
}
