//! However TCP cuts and orders a handshake, the record is the same.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use std::path::Path;

use handprint::capture::{Frame, LinkType, Source};
use handprint::engine::{Engine, EngineConfig};
use handprint::record::FlowRecord;
use handprint::time::Timestamp;
use serde_json::Value;

/// A segment of a real connection: its headers, and the payload apart.
#[derive(Clone)]
struct Segment {
    header: Vec<u8>,
    payload: Vec<u8>,
}

impl Segment {
    /// The segment's frame with other payload, `ahead` bytes further in the stream.
    fn frame(&self, ahead: usize, payload: &[u8]) -> Vec<u8> {
        let mut frame = self.header.clone();
        let sequence = u32::from_be_bytes(frame[38..42].try_into().unwrap()).wrapping_add(ahead as u32);
        frame[38..42].copy_from_slice(&sequence.to_be_bytes());
        let length = (frame.len() - 14 + payload.len()) as u16;
        frame[16..18].copy_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(payload);
        frame
    }

    fn whole(&self) -> Vec<u8> {
        self.frame(0, &self.payload)
    }
}

fn segments(name: &str) -> Vec<Segment> {
    let mut source = Source::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(name)).unwrap();
    let mut segments = Vec::new();
    while let Some(frame) = source.next_frame().unwrap() {
        assert_eq!((frame.link_type, &frame.bytes[12..14]), (LinkType::ETHERNET, &[8, 0][..]));
        let header = 34 + usize::from(frame.bytes[46] >> 4) * 4;
        let end = 14 + usize::from(u16::from_be_bytes([frame.bytes[16], frame.bytes[17]]));
        segments.push(Segment { header: frame.bytes[..header].to_vec(), payload: frame.bytes[header..end].to_vec() });
    }
    segments
}

/// The one record of these frames, without what tells how the hello was cut.
fn record(frames: &[Vec<u8>]) -> Value {
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
    assert_eq!(records.len(), 1, "one connection, one record");
    let mut record = records.remove(0);
    record["hello_transport"]["packets"] = Value::Null;
    let findings = record["findings"].as_array_mut().unwrap();
    findings.retain(|finding| finding["id"] != "ANOM006");
    record
}

const FLOWS: [&str; 3] = [
    "tls/versions/tls12-negotiated.pcap",
    "tls/suites/tls13-x25519mlkem768.pcap",
    "tls/versions/ssl2-hello-to-tls12.pcap",
];

#[test]
fn every_size_of_segment_gives_the_same_record() {
    for name in FLOWS {
        let segments = segments(name);
        let whole = record(&segments.iter().map(Segment::whole).collect::<Vec<_>>());
        assert_eq!(whole["outcome"]["status"], "established", "{name}");
        for size in [1, 2, 3, 4, 5, 6, 7, 9, 43, 64, 100, 511, 1_000] {
            let mut frames = Vec::new();
            for segment in &segments {
                if segment.payload.is_empty() {
                    frames.push(segment.whole());
                }
                for (number, piece) in segment.payload.chunks(size).enumerate() {
                    frames.push(segment.frame(number * size, piece));
                }
            }
            assert_eq!(record(&frames), whole, "{name} in segments of {size}");
        }
    }
}

#[test]
fn every_cut_of_the_hello_in_two_in_either_order_gives_the_same_record() {
    for name in FLOWS {
        let segments = segments(name);
        let whole = record(&segments.iter().map(Segment::whole).collect::<Vec<_>>());
        let hello = segments.iter().position(|segment| !segment.payload.is_empty()).unwrap();
        for cut in 1..segments[hello].payload.len().min(700) {
            for reversed in [false, true] {
                let (first, second) = segments[hello].payload.split_at(cut);
                let mut pair = [segments[hello].frame(0, first), segments[hello].frame(cut, second)];
                if reversed {
                    pair.reverse();
                }
                let mut frames: Vec<_> = segments[..hello].iter().map(Segment::whole).collect();
                frames.extend(pair);
                frames.extend(segments[hello + 1..].iter().map(Segment::whole));
                assert_eq!(record(&frames), whole, "{name} cut at {cut}, reversed {reversed}");
            }
        }
    }
}

#[test]
fn every_order_of_four_pieces_with_repetitions_gives_the_same_record() {
    let segments = segments(FLOWS[1]);
    let whole = record(&segments.iter().map(Segment::whole).collect::<Vec<_>>());
    let hello = segments.iter().position(|segment| !segment.payload.is_empty()).unwrap();
    let size = segments[hello].payload.len().div_ceil(4);
    let pieces: Vec<_> = segments[hello]
        .payload
        .chunks(size)
        .enumerate()
        .map(|(number, piece)| segments[hello].frame(number * size, piece))
        .collect();
    for code in 0..256_usize {
        // Any four with repetition, then all of them: whatever was missing comes at last.
        let mut frames: Vec<_> = segments[..hello].iter().map(Segment::whole).collect();
        for place in [0, 2, 4, 6] {
            frames.push(pieces[code >> place & 3].clone());
        }
        frames.extend(pieces.iter().cloned());
        frames.extend(segments[hello + 1..].iter().map(Segment::whole));
        assert_eq!(record(&frames), whole, "order {code:#x}");
    }
}

#[test]
fn a_sequence_number_that_wraps_changes_nothing() {
    for name in FLOWS {
        let segments = segments(name);
        let whole = record(&segments.iter().map(Segment::whole).collect::<Vec<_>>());
        let first = |from_client: bool| {
            let client = &segments[0].header[26..30];
            let start = segments.iter().find(|segment| (segment.header[26..30] == *client) == from_client).unwrap();
            u32::from_be_bytes(start.header[38..42].try_into().unwrap())
        };
        let client = segments[0].header[26..30].to_vec();
        for before_wrap in [0, 1, 2, 5, 6, 100, 600] {
            let frames: Vec<_> = segments
                .iter()
                .map(|segment| {
                    let mut moved = segment.clone();
                    let from_client = segment.header[26..30] == client;
                    for (at, start) in [(38, first(from_client)), (42, first(!from_client))] {
                        let number = u32::from_be_bytes(moved.header[at..at + 4].try_into().unwrap());
                        let number = number.wrapping_sub(start).wrapping_sub(before_wrap);
                        moved.header[at..at + 4].copy_from_slice(&number.to_be_bytes());
                    }
                    moved.whole()
                })
                .collect();
            assert_eq!(record(&frames), whole, "{name}, {before_wrap} before the wrap");
        }
    }
}

#[test]
fn padding_behind_a_bare_acknowledgment_changes_nothing() {
    for name in FLOWS {
        let segments = segments(name);
        let whole = record(&segments.iter().map(Segment::whole).collect::<Vec<_>>());
        let hello = segments.iter().position(|segment| !segment.payload.is_empty()).unwrap();
        let client = segments[hello].header[26..30].to_vec();
        let answer = segments.iter().position(|s| !s.payload.is_empty() && s.header[26..30] != client[..]).unwrap();
        let mut frames = Vec::new();
        for (number, segment) in segments.iter().enumerate() {
            if number == hello || number == answer {
                let mut acknowledgment = segment.clone();
                acknowledgment.header[47] = 0x10;
                frames.push(acknowledgment.frame(0, &[0, 0]));
            }
            frames.push(segment.whole());
        }
        assert_eq!(record(&frames), whole, "{name}");
    }
}
