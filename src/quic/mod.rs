//! QUIC as far as a passive observer can read it: long headers, Initial packets and what is in them.
//!
//! Initial packets are protected with keys made from the client's first destination connection id, which is on the
//! wire (RFC 9001 section 5.2), so that whoever sees the first packet reads both hellos. Everything after them is
//! encrypted with keys no observer has; only the types of the packets can be told.
//!
//! [`first_packet`] takes a datagram apart, [`InitialSecret`] makes [`PacketKeys`] that open a packet, [`Frames`] walks what was in
//! it, [`TransportParameters`] what the client's hello says of its transport. Putting CRYPTO frames back together is
//! the flow's work.
//!
//! RFC 8999 (invariants), RFC 9000 (transport), RFC 9001 (keys), RFC 9369 (version 2), RFC 9368 (version
//! negotiation).

mod frame;
mod gquic;
mod keys;
mod packet;
#[cfg(test)]
mod tests;
mod transport_parameters;
mod varint;
mod version;

pub use self::frame::{Ack, ConnectionClose, Frame, Frames};
pub use self::gquic::{Chlo, GoogleQuic};
pub use self::keys::{InitialSecret, Opened, PacketKeys};
pub use self::packet::{
    LongPacket, MAX_CONNECTION_ID, Packet, PacketType, Retry, ShortPacket, VersionNegotiation, first_packet,
};
pub use self::transport_parameters::{TransportParameter, TransportParameters, VersionInformation, parameter};
pub use self::varint::read_varint;
pub use self::version::Version;
