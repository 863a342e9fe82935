//! How records are written: one file a format. A format writes [`FlowRecord`]s, it decides nothing.

pub mod ndjson;
pub mod summary;
pub mod table;
pub mod text;

use crate::record::FlowRecord;

/// Writes records of one format.
pub trait Format: Send {
    /// Appends `record` to `out`: whole lines, each with its line feed.
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>);
}
