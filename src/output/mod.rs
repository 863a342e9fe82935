//! How records are written: one file a format. A format writes [`FlowRecord`]s, it decides nothing.

pub mod ndjson;
pub mod summary;
pub mod table;
pub mod text;

use crate::record::FlowRecord;

/// The JSON Schema (draft 2020-12) of a flow record, the contract of [`ndjson`].
pub const FLOW_SCHEMA: &str = include_str!("flow.schema.json");

/// Writes records of one format.
pub trait Format: Send {
    /// Appends `record` to `out`: whole lines, each with its line feed.
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>);
}
