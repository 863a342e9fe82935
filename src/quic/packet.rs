//! Packet headers (RFC 9000 section 17, RFC 8999 section 5) and the walk through coalesced packets.

use super::Version;
use super::varint::read_length;
use crate::cursor::{Cursor, ParseError};

/// Longest connection id of the versions read here, in bytes (RFC 9000 section 17.2).
pub const MAX_CONNECTION_ID: usize = 20;

/// Length of the integrity tag that ends a Retry packet, in bytes.
const RETRY_TAG: usize = 16;

/// What a long header packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketType {
    /// Initial: hellos, readable by whoever saw the first one.
    Initial,
    /// 0-RTT: early data.
    ZeroRtt,
    /// Handshake: from EncryptedExtensions on.
    Handshake,
    /// Retry: the server wants a token.
    Retry,
}

/// One packet of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A long header packet with a length: Initial, 0-RTT or Handshake.
    Long(LongPacket<'a>),
    /// Retry.
    Retry(Retry<'a>),
    /// Version Negotiation.
    VersionNegotiation(VersionNegotiation<'a>),
    /// A long header of a version whose packet types are not known: what RFC 8999 says of every version.
    Unknown {
        /// The version.
        version: Version,
        /// Destination connection id.
        destination: &'a [u8],
        /// Source connection id.
        source: &'a [u8],
    },
    /// A short header packet: 1-RTT.
    Short(ShortPacket<'a>),
}

/// Initial, 0-RTT or Handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongPacket<'a> {
    /// Its type.
    pub packet_type: PacketType,
    /// Its version.
    pub version: Version,
    /// Destination connection id, at most 20 bytes.
    pub destination: &'a [u8],
    /// Source connection id, at most 20 bytes.
    pub source: &'a [u8],
    /// The token of an Initial; empty for others.
    pub token: &'a [u8],
    /// The whole packet, from its first byte on, as far as captured.
    pub bytes: &'a [u8],
    /// Where in `bytes` the packet number begins, still protected.
    pub number_offset: usize,
    /// Bytes of the packet that were not captured.
    pub cut: usize,
}

/// A Retry packet (RFC 9000 section 17.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry<'a> {
    /// Its version.
    pub version: Version,
    /// Destination connection id: the client's.
    pub destination: &'a [u8],
    /// Source connection id: what the client shall use from now on, and make its keys from.
    pub source: &'a [u8],
    /// The token, without the integrity tag.
    pub token: &'a [u8],
}

/// A Version Negotiation packet (RFC 8999 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionNegotiation<'a> {
    /// Destination connection id: the source id of the packet it answers.
    pub destination: &'a [u8],
    /// Source connection id: the destination id of the packet it answers.
    pub source: &'a [u8],
    versions: &'a [u8],
}

impl<'a> VersionNegotiation<'a> {
    /// The versions the server speaks, in its order.
    pub fn versions(&self) -> impl ExactSizeIterator<Item = Version> + Clone + use<'a> {
        self.versions.as_chunks::<4>().0.iter().map(|bytes| Version(u32::from_be_bytes(*bytes)))
    }
}

/// A 1-RTT packet. All but the first bits is protected, and only its receiver knows how long its connection id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortPacket<'a> {
    /// What follows the first byte: connection id, packet number, payload.
    pub rest: &'a [u8],
}

/// Reads the first packet of `datagram` and yields what follows it.
///
/// `cut` is how many bytes of the datagram were not captured: a packet that ends in them is read as far as it goes.
///
/// # Errors
/// [`ParseError`] when the bytes are no QUIC packet, or end inside its header.
pub fn first_packet(datagram: &[u8], cut: usize) -> Result<(Packet<'_>, &[u8]), ParseError> {
    const STRUCTURE: &str = "QUIC header";
    let mut cursor = Cursor::new(datagram);
    let first = cursor.u8(STRUCTURE)?;
    if first & 0x80 == 0 {
        // The fixed bit may be unset on purpose (RFC 9287).
        return Ok((Packet::Short(ShortPacket { rest: cursor.rest() }), &[]));
    }
    let version = Version(cursor.u32(STRUCTURE)?);
    let destination = cursor.vec8("QUIC destination connection id")?;
    let source = cursor.vec8("QUIC source connection id")?;
    if version == Version::NEGOTIATION {
        let versions = cursor.rest();
        if versions.is_empty() || !versions.len().is_multiple_of(4) {
            return Err(ParseError::Invalid { structure: "Version Negotiation packet", reason: "no list of versions" });
        }
        return Ok((Packet::VersionNegotiation(VersionNegotiation { destination, source, versions }), &[]));
    }
    if !version.is_readable() {
        return Ok((Packet::Unknown { version, destination, source }, &[]));
    }
    if destination.len() > MAX_CONNECTION_ID || source.len() > MAX_CONNECTION_ID {
        return Err(ParseError::Invalid { structure: STRUCTURE, reason: "connection id longer than 20 bytes" });
    }
    let packet_type = version.packet_type(first);
    if packet_type == PacketType::Retry {
        let rest = cursor.rest();
        let token =
            rest.len().checked_sub(RETRY_TAG).and_then(|length| rest.get(..length)).ok_or(ParseError::Incomplete {
                structure: "Retry packet",
                needed: RETRY_TAG.saturating_sub(rest.len()),
            })?;
        return Ok((Packet::Retry(Retry { version, destination, source, token }), &[]));
    }
    let token = if packet_type == PacketType::Initial {
        let length = read_length(&mut cursor, "QUIC token length")?;
        cursor.take(length, "QUIC token")?
    } else {
        &[]
    };
    let length = read_length(&mut cursor, "QUIC length")?;
    let number_offset = datagram.len().saturating_sub(cursor.remaining());
    let missing = length.saturating_sub(cursor.remaining());
    if missing > cut {
        return Err(ParseError::Invalid { structure: "QUIC length", reason: "longer than the datagram" });
    }
    let end = number_offset.saturating_add(length).min(datagram.len());
    let (bytes, rest) = datagram.split_at_checked(end).unwrap_or((datagram, &[]));
    let packet = LongPacket { packet_type, version, destination, source, token, bytes, number_offset, cut: missing };
    Ok((Packet::Long(packet), rest))
}
