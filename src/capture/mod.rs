//! Where frames come from: capture files, directories of them, standard input, interfaces (`live`).
//!
//! Bytes enter handprint here and nowhere else. A [`Source`] lends each [`Frame`] until the next is asked for;
//! [`inputs`] walks paths to the files a source can be opened on. pcap and pcapng, bare or inside gzip or zstd, are
//! told by their content, never by a file's name.
//!
//! Memory is bounded whatever a file says: one buffer of [`BUFFER_LENGTH`] bytes for each layer, grown to at most
//! one frame of [`MAX_FRAME_LENGTH`] bytes, and a decompression window of at most [`MAX_ZSTD_WINDOW`] bytes.
//!
//! ```
//! use handprint::capture::{LinkType, Source, write::PcapWriter};
//! use handprint::time::Timestamp;
//!
//! let mut file = PcapWriter::new(Vec::new(), LinkType::ETHERNET)?;
//! file.write(Timestamp::from_seconds(1_700_000_000), &[0; 60])?;
//! let bytes = file.finish()?;
//!
//! let mut source = Source::from_reader("memory", std::io::Cursor::new(bytes))?;
//! let mut frames = 0;
//! while let Some(frame) = source.next_frame()? {
//!     assert_eq!((frame.link_type, frame.bytes.len()), (LinkType::ETHERNET, 60));
//!     frames += 1;
//! }
//! assert_eq!(frames, 1);
//! assert!(source.damage().is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.

mod buffer;
mod endian;
mod found;
mod gzip;
mod link_type;
#[cfg(feature = "live")]
pub mod live;
mod pcap;
mod pcapng;
mod source;
#[cfg(test)]
mod tests;
mod walk;
pub mod write;
mod zstd;

pub use link_type::LinkType;
pub use source::{Damage, DamageKind, Source};
pub use walk::{Input, inputs};

use crate::time::Timestamp;

/// Bytes a frame may hold. What libpcap ever captures (its `MAXIMUM_SNAPLEN`); a file that announces more is damaged.
pub const MAX_FRAME_LENGTH: usize = 262_144;

/// Bytes a pcapng block may hold, 16 MiB. A file that announces more is damaged.
pub const MAX_BLOCK_LENGTH: u32 = 16 << 20;

/// Interfaces a pcapng section may describe. A file that describes more is damaged.
pub const MAX_INTERFACES: usize = 65_536;

/// Layers of compression that are opened.
pub const MAX_COMPRESSION_LAYERS: usize = 2;

/// Bytes of window a zstd frame may ask for, 128 MiB: what the `zstd` command accepts by default.
pub const MAX_ZSTD_WINDOW: u64 = 128 << 20;

/// Bytes read at a time.
///
/// Small enough to stay in a core's second-level cache, so that what the kernel has just copied in is still there
/// when it is looked at; large enough that the system call costs nothing.
pub const BUFFER_LENGTH: usize = 256 << 10;

/// One captured frame, borrowed from its source.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When it was captured.
    pub timestamp: Timestamp,
    /// How its first bytes are to be read.
    pub link_type: LinkType,
    /// The bytes captured.
    pub bytes: &'a [u8],
    /// Bytes the frame had on the wire; more than `bytes` holds where a snap length cut it, and never less.
    pub original_length: u32,
}
