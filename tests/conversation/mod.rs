//! Two ends of a TCP connection, their frames, and what an engine makes of these.

use handprint::capture::{Frame, LinkType};
use handprint::engine::{Engine, EngineConfig};
use handprint::record::FlowRecord;
use handprint::time::Timestamp;
use serde_json::Value;

/// Who says something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Client,
    Server,
}

/// A segment in an Ethernet frame. Ports are those of no protocol: bytes must tell.
pub(crate) fn tcp_frame(who: Who, sequence: u32, acknowledgment: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    frame.extend(((40 + payload.len()) as u16).to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    let ends = [([192, 0, 2, 1], 50_000_u16), ([192, 0, 2, 2], 9_999)];
    let (from, to) = if who == Who::Client { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
    frame.extend(from.0);
    frame.extend(to.0);
    frame.extend(from.1.to_be_bytes());
    frame.extend(to.1.to_be_bytes());
    frame.extend(sequence.to_be_bytes());
    frame.extend(acknowledgment.to_be_bytes());
    frame.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    frame.extend(payload);
    frame
}

/// The records of these frames.
pub(crate) fn records(frames: &[Vec<u8>]) -> Vec<Value> {
    let mut engine = Engine::new(EngineConfig::default());
    let mut records = Vec::new();
    let mut sink = |record: &FlowRecord<'_>| records.push(serde_json::to_value(record).unwrap());
    for bytes in frames {
        let frame = Frame {
            timestamp: Timestamp::from_seconds(1_795_255_200),
            link_type: LinkType::ETHERNET,
            bytes,
            original_length: bytes.len() as u32,
        };
        engine.push(&frame, &mut sink);
    }
    engine.finish(&mut sink);
    assert_eq!(engine.stats().buffered_bytes, 0, "every buffer is given back");
    records
}

/// A record without what tells how the hello was cut.
pub(crate) fn comparable(mut record: Value) -> Value {
    if !record["hello_transport"].is_null() {
        record["hello_transport"]["packets"] = Value::Null;
    }
    record["findings"].as_array_mut().unwrap().retain(|finding| finding["id"] != "ANOM006");
    record
}
