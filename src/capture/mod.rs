//! Where frames come from: capture files, directories of them, standard input.
//!
//! Bytes enter handprint here and nowhere else. A source lends each [`Frame`] until the next is asked for.

use crate::time::Timestamp;

/// A frame's link layer, by its `LINKTYPE_` number (the registry of the pcap file format).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a 4-byte protocol family in the capturing host's byte order.
    pub const NULL: Self = Self(0);
    /// IEEE 802.3 Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Raw IPv4 or IPv6.
    pub const RAW: Self = Self(101);
}

/// One captured frame, borrowed from its source.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When it was captured.
    pub timestamp: Timestamp,
    /// How its first bytes are to be read.
    pub link_type: LinkType,
    /// The bytes captured.
    pub bytes: &'a [u8],
    /// Bytes the frame had on the wire; more than `bytes` holds where a snap length cut it.
    pub original_length: u32,
}
