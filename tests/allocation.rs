//! The hot path allocates nothing: a whole ClientHello in one packet, and packets that are no handshake.
#![allow(unsafe_code, reason = "a global allocator that counts")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use handprint::capture::{Frame, LinkType, Source};
use handprint::engine::{Engine, EngineConfig};
use handprint::record::FlowRecord;
use handprint::time::Timestamp;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches no memory it manages.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

fn frames(name: &str) -> Vec<(LinkType, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(name);
    let mut source = Source::open(&path).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = source.next_frame().unwrap() {
        frames.push((frame.link_type, frame.bytes.to_vec()));
    }
    frames
}

fn frame(bytes: &[u8], time: u64) -> Frame<'_> {
    Frame {
        timestamp: Timestamp::from_nanos(1_795_255_200_000_000_000 + time),
        link_type: LinkType::ETHERNET,
        bytes,
        original_length: u32::try_from(bytes.len()).unwrap(),
    }
}

/// The TCP payload of an Ethernet and IPv4 frame without options in the IP header.
fn payload(bytes: &[u8]) -> &[u8] {
    let header = 34 + usize::from(bytes[46] >> 4) * 4;
    let end = 14 + usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    &bytes[header..end]
}

/// The same packet of a later connection between the same ports.
fn later_connection(bytes: &[u8], round: u32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in [38, 42] {
        let number = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        bytes[at..at + 4].copy_from_slice(&number.wrapping_add(round.wrapping_mul(100_000_000)).to_be_bytes());
    }
    bytes
}

#[test]
fn a_whole_hello_of_a_known_shape_allocates_nothing() {
    for name in ["tls/versions/tls13-negotiated.pcap", "tls/versions/tls12-negotiated.pcap"] {
        let flow = frames(name);
        let hello = flow.iter().position(|(_, bytes)| payload(bytes).starts_with(&[22, 3])).unwrap();
        let mut engine = Engine::new(EngineConfig::default());
        let mut records = 0;
        let mut sink = |record: &FlowRecord<'_>| records += usize::from(record.hello.is_some());
        let mut time = 0;
        // Flows before this one have left their memory behind.
        for round in 101..=150 {
            for (_, bytes) in &flow {
                time += 1_000;
                engine.push(&frame(&later_connection(bytes, round), time), &mut sink);
            }
        }
        for round in 1..=100 {
            for (_, bytes) in &flow[..hello] {
                time += 1_000;
                engine.push(&frame(&later_connection(bytes, round), time), &mut sink);
            }
            time += 1_000;
            let bytes = later_connection(&flow[hello].1, round);
            let count = allocations(|| engine.push(&frame(&bytes, time), &mut sink));
            assert_eq!(count, 0, "{name}, round {round}");
        }
        engine.finish(&mut sink);
        assert_eq!(records, 150, "every hello was understood");
    }
}

#[test]
fn packets_that_are_no_handshake_allocate_nothing() {
    let flow = frames("tls/versions/tls12-negotiated.pcap");
    let mut engine = Engine::new(EngineConfig::default());
    let mut sink = |_: &FlowRecord<'_>| {};
    let mut time = 0;
    for (_, bytes) in &flow {
        time += 1_000;
        engine.push(&frame(bytes, time), &mut sink);
    }
    let mut data = flow[3].1.clone();
    data.truncate(54);
    data[46] = 0x50;
    data[47] = 0x18;
    data.extend(std::iter::repeat_n(0x5a, 1_400));
    data[16..18].copy_from_slice(&1_440_u16.to_be_bytes());
    let mut datagram = data.clone();
    datagram[23] = 17;
    datagram[38..40].copy_from_slice(&1_420_u16.to_be_bytes());
    let mut not_ip = data.clone();
    not_ip[12..14].copy_from_slice(&[8, 6]);
    for (what, bytes) in [("TCP data", &data), ("a datagram", &datagram), ("ARP", &not_ip)] {
        for number in 0..1_000_u32 {
            let mut bytes = bytes.clone();
            bytes[26..30].copy_from_slice(&(0x0a00_0000 + number).to_be_bytes());
            time += 1_000;
            let count = allocations(|| engine.push(&frame(&bytes, time), &mut sink));
            assert_eq!(count, 0, "{what}");
        }
    }
    assert_eq!(engine.stats().packets, u64::try_from(flow.len()).unwrap() + 3_000);
    assert!(engine.stats().tcp_segments >= 1_000 && engine.stats().udp_datagrams == 1_000);
}
