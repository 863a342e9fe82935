//! How records are written: one file a format, each a [`Report`](crate::pipeline::Report). A format writes
//! [`FlowRecord`](crate::record::FlowRecord)s, it decides nothing.

pub mod hellos;
pub mod ndjson;
pub mod summary;
pub mod table;
pub mod text;

/// The JSON Schema (draft 2020-12) of a flow record, the contract of [`ndjson`].
pub const FLOW_SCHEMA: &str = include_str!("flow.schema.json");
