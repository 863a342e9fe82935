//! How records are written: one file a format, each a [`Report`](crate::pipeline::Report). A format writes
//! [`FlowRecord`](crate::record::FlowRecord)s, it decides nothing.

pub mod counts;
pub mod hellos;
#[cfg(feature = "live")]
pub mod metrics;
pub mod ndjson;
pub mod summary;
pub mod table;
pub mod text;

/// The JSON Schema (draft 2020-12) of a flow record, the contract of [`ndjson`].
pub const FLOW_SCHEMA: &str = include_str!("flow.schema.json");

/// The JSON Schema of what a running capture has counted, the contract of `metrics::StatsLines`.
pub const STATS_SCHEMA: &str = include_str!("stats.schema.json");

/// The JSON Schema of a distinct hello, the contract of [`hellos::Hellos::ndjson`].
pub const HELLO_SCHEMA: &str = include_str!("hello.schema.json");
