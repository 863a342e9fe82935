//! Packets that come twice, as from a span port that mirrors two ports, give the records they give when they come once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use handprint::capture::{Frame, LinkType, Source, inputs};
use handprint::engine::{Engine, EngineConfig};
use handprint::record::FlowRecord;
use handprint::time::Timestamp;
use serde_json::Value;

/// How late a copy is at most.
const LATEST: Duration = Duration::from_millis(1500);

/// Captures in which copies may change something, by the beginning of their name.
const EXCEPTIONS: [&str; 6] = [
    // Copies show the hello that came too early.
    "syn-missing-out-of-order",
    // Two connections of the same ports within milliseconds: copies of the first come during the second.
    "two-handshakes-same-ports",
    // The record is begun by an answer alone, what came before it being nothing that is followed: nothing tells copies.
    "damaged-",
    "plain-http-redirects-to-https",
    // The answer is no TLS, and comes before the hello: with a copy behind it, it counts as one to the hello.
    "ssh-server-on-443",
    // A segment of one old byte counts as often as it comes.
    "keep-alive",
];

#[derive(Clone)]
struct Packet {
    timestamp: Timestamp,
    link_type: LinkType,
    bytes: Vec<u8>,
    original_length: u32,
}

fn packets(path: &Path) -> Vec<Packet> {
    let mut source = Source::open(path).unwrap();
    let mut packets = Vec::new();
    while let Ok(Some(frame)) = source.next_frame() {
        packets.push(Packet {
            timestamp: frame.timestamp,
            link_type: frame.link_type,
            bytes: frame.bytes.to_vec(),
            original_length: frame.original_length,
        });
    }
    packets
}

fn records(packets: &[Packet]) -> Vec<Value> {
    let mut engine = Engine::new(EngineConfig::for_capture("memory"));
    let mut records = Vec::new();
    let mut sink = |record: &FlowRecord<'_>| {
        records.push(serde_json::to_value(record).unwrap());
    };
    for packet in packets {
        let frame = Frame {
            timestamp: packet.timestamp,
            link_type: packet.link_type,
            bytes: &packet.bytes,
            original_length: packet.original_length,
        };
        engine.push(&frame, &mut sink);
    }
    engine.finish(&mut sink);
    records.sort_by_key(|record| record.to_string());
    records
}

/// Every packet again, `behind` packets later but no later than copies are known as such, changed on its way.
fn again(packets: &[Packet], behind: usize, change: &dyn Fn(&mut Packet)) -> Vec<Packet> {
    let mut all: Vec<Packet> = Vec::with_capacity(packets.len() * 2);
    let mut waiting = std::collections::VecDeque::new();
    for packet in packets {
        while waiting.front().is_some_and(|first: &Packet| packet.timestamp.since(first.timestamp) > LATEST) {
            all.push(copy(waiting.pop_front(), &all, change));
        }
        all.push(packet.clone());
        waiting.push_back(packet.clone());
        if waiting.len() > behind {
            all.push(copy(waiting.pop_front(), &all, change));
        }
    }
    while !waiting.is_empty() {
        all.push(copy(waiting.pop_front(), &all, change));
    }
    all
}

fn copy(packet: Option<Packet>, before: &[Packet], change: &dyn Fn(&mut Packet)) -> Packet {
    let mut packet = packet.unwrap();
    packet.timestamp = before.iter().map(|packet| packet.timestamp).max().unwrap().max(packet.timestamp);
    change(&mut packet);
    packet
}

/// As a switch behind a router would mirror it: other addresses of stations, another VLAN, one hop more.
fn elsewhere(packet: &mut Packet) {
    if packet.link_type != LinkType::ETHERNET || packet.bytes.get(12..14) != Some(&[0x08, 0x00]) {
        return;
    }
    packet.bytes[..12].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
    // The checksum of the header is not looked at by anybody who sees what offloading has left of it.
    packet.bytes[22] = packet.bytes[22].saturating_sub(1);
    packet.bytes.splice(12..12, [0x81, 0x00, 0x00, 0x2a]);
    packet.original_length += 4;
}

fn captures() -> Vec<PathBuf> {
    let pcaps = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps");
    inputs(&[pcaps]).into_iter().map(|input| input.unwrap().path).collect()
}

/// What a record says, but for what copies may rightly change: how long the last packet was waited for, what records
/// of DTLS and packets of early data there were, and how many bytes of cut packets are missing.
fn said(record: &Value) -> Value {
    let mut record = record.clone();
    let dtls = record["transport"] == "dtls";
    let members = record.as_object_mut().unwrap();
    members.retain(|name, _| !(name == "duration_ms" || dtls && name == "hello_transport"));
    if let Some(quic) = members.get_mut("quic").and_then(Value::as_object_mut) {
        quic.remove("early_data_packets");
    }
    if let Some(findings) = members.get_mut("findings").and_then(Value::as_array_mut) {
        findings.retain(|finding| finding["id"] != "CAP002");
    }
    record
}

#[test]
fn copies_of_packets_add_no_record_and_change_none() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for path in captures() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let packets = packets(&path);
        let once = records(&packets);
        for (how, distances) in [("same", [0, 1, 3, 30]), ("elsewhere", [0, 2, 8, 1000])] {
            for behind in distances {
                let change: &dyn Fn(&mut Packet) = if how == "same" { &|_| {} } else { &elsewhere };
                let twice = records(&again(&packets, behind, change));
                let same = once.len() == twice.len() && once.iter().map(said).eq(twice.iter().map(said));
                compared += 1;
                if !same && !EXCEPTIONS.iter().any(|exception| name.starts_with(exception)) {
                    wrong.push(format!("{name}, {how}, {behind} behind: {} and {} records", once.len(), twice.len()));
                }
            }
        }
    }
    assert!(compared > 3000, "{compared}");
    assert!(wrong.is_empty(), "{}\n{wrong:#?}", wrong.len());
}

#[test]
fn a_new_connection_of_the_same_ports_gives_a_record_of_its_own() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/tls/versions/tls13-negotiated.pcap");
    let first = packets(&path);
    let mut second = first.clone();
    for packet in &mut second {
        packet.timestamp = packet.timestamp.plus(Duration::from_millis(50));
        // Other initial sequence numbers, in both directions and in what acknowledges them.
        for at in [38, 42] {
            let number = u32::from_be_bytes(packet.bytes[at..at + 4].try_into().unwrap());
            packet.bytes[at..at + 4].copy_from_slice(&number.wrapping_add(1 << 24).to_be_bytes());
        }
    }
    let both: Vec<Packet> = first.iter().chain(&second).cloned().collect();
    assert_eq!(records(&first).len(), 1);
    assert_eq!(records(&both).len(), 2);
    assert_eq!(records(&again(&first, 1000, &|_| {})).len(), 1);
    // What comes much later is no copy: a capture that is played again.
    for packet in &mut second {
        packet.timestamp = packet.timestamp.plus(Duration::from_secs(60));
    }
    let later = records(&first.iter().chain(&second).cloned().collect::<Vec<_>>());
    assert_eq!(later.len(), 2);
}
