//! NDJSON: one JSON object a line (RFC 8259), the contract that `flow.schema.json` describes.

use crate::pipeline::Report;
use crate::record::FlowRecord;

/// Writes each record as one line of JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ndjson;

impl Report for Ndjson {
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        // A Vec takes every byte, and no member of a record refuses to be serialised.
        if record.write_json(out).is_ok() {
            out.push(b'\n');
        } else {
            out.truncate(start);
        }
    }
}
