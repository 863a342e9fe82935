//! What an engine holds stays within its limits, whatever comes. Live memory is counted by the allocator.
//!
//! Without optimisation the floods and the limits are smaller; `cargo test --release --test limits` has them full:
//! default limits, a million flows.
#![allow(unsafe_code, reason = "a global allocator that counts")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::print_stderr, reason = "tests")]

#[path = "../benches/workload/mod.rs"]
mod workload;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use handprint::capture::{Frame, LinkType};
use handprint::engine::{Engine, EngineConfig};
use handprint::flow::Limits;
use handprint::packet::FragmentLimits;
use handprint::record::FlowRecord;
use handprint::stats::DropReason;
use handprint::time::Timestamp;
use workload::{client_hello, noise, records, tcp_frame};

struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    let live = LIVE.get() + change;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches no memory it manages.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old and the new may be there together for a while.
        count(size as isize);
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How much smaller everything is without optimisation.
const SCALE: usize = if cfg!(debug_assertions) { 64 } else { 1 };
/// What an engine may take up: its limits, and caches that do not depend on them.
const MOST: isize = if cfg!(debug_assertions) { 256 << 20 } else { 1 << 30 };
const MILLION: u32 = (1_000_000 / SCALE) as u32;

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.flows /= SCALE;
    limits.handshakes /= SCALE;
    limits.buffer_bytes /= SCALE;
    limits
}

/// An engine under a flood.
struct Flood {
    engine: Engine,
    limits: Limits,
    time: u64,
    /// Live bytes before the engine was.
    before: isize,
    frames: u64,
    records: u64,
}

impl Flood {
    fn new() -> Self {
        // What all engines share is made with the first of them, and stays.
        let mut config = EngineConfig::default();
        let before = LIVE.get();
        PEAK.set(before);
        let limits = limits();
        config.limits = limits.clone();
        Self { engine: Engine::new(config), limits, time: 0, before, frames: 0, records: 0 }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.time += 1_000;
        let frame = Frame {
            timestamp: Timestamp::from_nanos(1_795_255_200_000_000_000 + self.time),
            link_type: LinkType::ETHERNET,
            bytes,
            original_length: bytes.len() as u32,
        };
        let records = &mut self.records;
        self.engine.push(&frame, &mut |_: &FlowRecord<'_>| *records += 1);
        self.frames += 1;
        if self.frames.is_multiple_of(1024) {
            self.check();
        }
    }

    /// Bytes of one direction of flow `number` in segments of at most `size`, from its first.
    fn send(&mut self, number: u32, from_client: bool, bytes: &[u8], size: usize) {
        let mut sequence = 1;
        for part in bytes.chunks(size) {
            self.push(&tcp_frame(number, from_client, sequence, 0x10, part));
            sequence += part.len() as u32;
        }
    }

    fn check(&self) {
        let stats = self.engine.stats();
        assert!(stats.open_flows <= self.limits.flows, "{} flows", stats.open_flows);
        let bytes = self.limits.buffer_bytes + FragmentLimits::default().bytes;
        assert!(stats.buffered_bytes <= bytes, "{} bytes", stats.buffered_bytes);
    }

    fn dropped(&self, reason: DropReason) -> u64 {
        self.engine.stats().drops.get(reason)
    }

    /// Ends the flood: what it took at its peak, and that everything is given back.
    fn end(mut self, what: &str) -> isize {
        self.check();
        let peak = PEAK.get() - self.before;
        eprintln!("{what}: {} frames, {} MiB at most", self.frames, peak >> 20);
        assert!(peak < MOST, "{what}: {} MiB", peak >> 20);
        let records = &mut self.records;
        self.engine.finish(&mut |_: &FlowRecord<'_>| *records += 1);
        assert_eq!(self.engine.stats().open_flows, 0);
        drop(self.engine);
        assert!(LIVE.get() - self.before < 64 << 10, "{what}: everything is given back");
        peak
    }
}

fn hello(number: u32) -> Vec<u8> {
    let name = format!("host-{number}.example.org");
    let mut data = vec![0, name.len() as u8 + 3, 0, 0, name.len() as u8];
    data.extend_from_slice(name.as_bytes());
    client_hello(&[0x1301, 0x1302, 0xc02f], &[(0, &data), (10, &[0, 4, 0, 29, 0, 23]), (43, &[4, 3, 4, 3, 3])])
}

#[test]
fn a_million_half_open_flows_stay_under_a_gibibyte() {
    let mut flood = Flood::new();
    for number in 0..MILLION {
        flood.push(&tcp_frame(number, true, number, 0x02, &[]));
    }
    assert_eq!(flood.engine.stats().open_flows, MILLION as usize);
    let peak = flood.end("half-open flows");
    assert!(peak < (512 << 20) / SCALE as isize + (4 << 20), "about 200 bytes each");
}

#[test]
fn a_million_hellos_without_an_answer_are_bounded_and_counted() {
    let mut flood = Flood::new();
    for number in 0..MILLION {
        flood.push(&tcp_frame(number, true, 0, 0x02, &[]));
        flood.send(number, true, &records(&hello(number), 1 << 14), 1 << 14);
    }
    let given_up = flood.dropped(DropReason::FlowTableFull);
    assert_eq!(given_up, u64::from(MILLION) - flood.limits.handshakes as u64);
    assert_eq!(flood.records, given_up, "what is given up is still reported");
    flood.end("hellos without an answer");
}

#[test]
fn distinct_large_hellos_are_bounded_and_counted() {
    let mut flood = Flood::new();
    // Each is 48 kB of extensions to put into words: some are enough to reach the smaller limit.
    let hellos = if cfg!(debug_assertions) { 150 } else { 20_000 };
    for number in 0..hellos {
        // Nearly as many unknown extensions as fit, no two hellos alike.
        let mut extensions: Vec<(u16, &[u8])> = vec![(20_000 + (number % 1_000) as u16, &[])];
        extensions.extend((20_000..32_000).map(|kind| (kind ^ (number / 1_000) as u16, &[][..])));
        flood.send(number, true, &records(&client_hello(&[0x1301], &extensions), 1 << 14), 15_000);
    }
    assert!(flood.dropped(DropReason::BufferFull) > 0);
    flood.end("large hellos");
}

#[test]
fn distinct_large_certificates_are_bounded_and_counted() {
    let mut flood = Flood::new();
    let template = workload::first_message("tls/versions/tls12-negotiated.pcap", 2);
    for number in 0..(20_000 / SCALE) as u32 {
        let mut der = certificate_of_many_names(number);
        der.extend_from_slice(&number.to_be_bytes());
        let mut flight = records(&template, 1 << 14);
        flight.extend(records(&workload::certificate_message(&[&der]), 1 << 14));
        flood.send(number, true, &records(&hello(1), 1 << 14), 1 << 14);
        flood.send(number, false, &flight, 15_000);
    }
    assert!(flood.dropped(DropReason::BufferFull) > 0);
    flood.end("large certificates");
}

/// A certificate in form, with 10,000 alternative names of one byte.
fn certificate_of_many_names(number: u32) -> Vec<u8> {
    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut element = vec![tag, 0x82];
        element.extend_from_slice(&(content.len() as u16).to_be_bytes());
        element.extend_from_slice(content);
        element
    }
    let name = element(0x30, &[]);
    let algorithm = element(0x30, &element(6, &[42, 134, 72, 134, 247, 13, 1, 1, 11]));
    let names: Vec<u8> = [0x82, 1, b'a'].repeat(10_000);
    let extension = element(0x30, &[element(6, &[85, 29, 17]), element(4, &element(0x30, &names))].concat());
    let validity = element(0x30, &[element(23, b"260101000000Z"), element(23, b"270101000000Z")].concat());
    let key = element(0x30, &[algorithm.clone(), element(3, &[0; 9])].concat());
    let signed = [
        element(0xa0, &element(2, &[2])),
        element(2, &number.to_be_bytes()),
        algorithm.clone(),
        name.clone(),
        validity,
        name,
        key,
        element(0xa3, &element(0x30, &extension)),
    ];
    element(0x30, &[element(0x30, &signed.concat()), algorithm, element(3, &[0; 9])].concat())
}

#[test]
fn segments_that_come_early_are_bounded_and_counted() {
    let mut flood = Flood::new();
    let payload = noise(1_400, 3);
    let start = records(&hello(1), 1 << 14);
    for number in 0..(10_000 / SCALE) as u32 {
        flood.push(&tcp_frame(number, true, 1, 0x10, &start[..20]));
        for place in 0..70 {
            flood.push(&tcp_frame(number, true, 5_000 + 3_000 * place, 0x10, &payload));
        }
    }
    assert!(flood.dropped(DropReason::BufferFull) > 0 && flood.dropped(DropReason::StreamGap) > 0);
    flood.end("early segments");
}

#[test]
fn hellos_that_never_end_are_bounded_and_counted() {
    let mut flood = Flood::new();
    let mut start = vec![22, 3, 1, 0x40, 0, 1, 0, 0xf0, 0, 3, 3];
    start.extend(noise(12_000, 5));
    for number in 0..(50_000 / SCALE) as u32 {
        flood.send(number, true, &start, 6_000);
    }
    assert!(flood.engine.stats().buffered_bytes > flood.limits.buffer_bytes / 2, "they are held");
    flood.end("hellos that never end");
}

#[test]
fn datagrams_and_fragments_are_bounded_and_counted() {
    let mut flood = Flood::new();
    for number in 0..MILLION / 4 {
        let mut datagram = tcp_frame(number, true, 0, 0, &noise(60, u64::from(number)));
        datagram[23] = 17;
        flood.push(&datagram);
    }
    assert_eq!(flood.engine.stats().open_flows, 0, "nothing is remembered of noise");
    // More than are kept, whatever the scale.
    for number in 0..(MILLION / 4).max(10_000) {
        // A first fragment, and no other.
        let mut fragment = tcp_frame(number, true, 0, 0, &noise(1_388, 1));
        fragment[20] = 0x20;
        flood.push(&fragment);
    }
    assert!(flood.dropped(DropReason::FragmentIncomplete) > 0);
    flood.end("datagrams and fragments");
}
