//! Where frames come from: capture files, directories of them, standard input.
//!
//! Bytes enter handprint here and nowhere else. A source lends each [`Frame`] until the next is asked for.

mod link_type;

pub use link_type::LinkType;

use crate::time::Timestamp;

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
