//! What hostile traffic costs: the worst a packet or a byte of each kind can do. None may grow faster than its input.
#![allow(missing_docs, reason = "criterion's macros")]
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of a benchmark")]

mod workload;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use handprint::capture::{Frame, LinkType};
use handprint::engine::{Engine, EngineConfig, Stats};
use handprint::record::FlowRecord;
use handprint::stats::DropReason;
use handprint::time::Timestamp;
use handprint::tls::ClientHello;
use workload::{client_hello, message, noise, records, tcp_frame};

/// Frames through a new engine, a microsecond apart; its counts, and how many records there were.
fn run(config: &EngineConfig, frames: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Stats {
    let mut engine = Engine::new(config.clone());
    let mut time = 1_795_255_200_000_000_000;
    frames(&mut |bytes| {
        time += 1_000;
        let frame = Frame {
            timestamp: Timestamp::from_nanos(time),
            link_type: LinkType::ETHERNET,
            bytes: black_box(bytes),
            original_length: bytes.len() as u32,
        };
        engine.push(&frame, &mut |_: &FlowRecord<'_>| {});
    });
    engine.finish(&mut |_: &FlowRecord<'_>| {});
    engine.stats()
}

/// A million SYNs, each of another connection.
fn syn_flood(criterion: &mut Criterion) {
    const FLOWS: u32 = 1_000_000;
    let mut group = criterion.benchmark_group("syn_flood");
    group.sample_size(10).throughput(Throughput::Elements(FLOWS.into()));
    let template = tcp_frame(0, true, 1, 0x02, &[]);
    let flood = |push: &mut dyn FnMut(&[u8])| {
        let mut frame = template.clone();
        for number in 0..FLOWS {
            frame[26..30].copy_from_slice(&(0x0a00_0000 | number).to_be_bytes());
            push(&frame);
        }
    };
    let mut small = EngineConfig::default();
    small.limits.flows = 1_000;
    for (name, config) in [("room_for_all", EngineConfig::default()), ("table_full", small)] {
        let given_up = u64::from(FLOWS).saturating_sub(config.limits.flows as u64);
        let stats = run(&config, flood);
        assert_eq!((stats.packets, stats.drops.get(DropReason::FlowTableFull)), (FLOWS.into(), given_up), "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| run(&config, flood)));
    }
    group.finish();
}

/// Hellos of connections that go no further, where the table holds few of them.
fn table_full(criterion: &mut Criterion) {
    const FLOWS: u32 = 20_000;
    let mut group = criterion.benchmark_group("table_full");
    group.sample_size(20).throughput(Throughput::Elements(FLOWS.into()));
    let hello = records(&workload::first_message("tls/versions/tls13-negotiated.pcap", 1), 1 << 14);
    let mut frame = tcp_frame(0, true, 1, 0x18, &hello);
    let mut config = EngineConfig::default();
    config.limits.handshakes = 100;
    let mut flood = |push: &mut dyn FnMut(&[u8])| {
        for number in 0..FLOWS {
            frame[26..30].copy_from_slice(&(0x0a00_0000 | number).to_be_bytes());
            push(&frame);
        }
    };
    let stats = run(&config, &mut flood);
    assert_eq!((stats.flows, stats.drops.get(DropReason::FlowTableFull)), (FLOWS.into(), u64::from(FLOWS) - 100));
    group.bench_function("hellos", |bencher| bencher.iter(|| run(&config, &mut flood)));
    group.finish();
}

/// The frames of one flow: the client's stream in segments of `size` bytes, in the order of `order`.
fn segments(stream: &[u8], size: usize, order: impl Fn(&mut Vec<Vec<u8>>)) -> Vec<Vec<u8>> {
    let mut sequence = 1;
    let mut frames = vec![];
    for part in stream.chunks(size) {
        frames.push(tcp_frame(1, true, sequence, 0x18, part));
        sequence += part.len() as u32;
    }
    order(&mut frames);
    frames.insert(0, tcp_frame(1, true, 0, 0x02, &[]));
    frames
}

/// One stream cut and ordered in the most expensive ways, in two sizes: the cost of a packet must not grow.
fn streams(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stream");
    for length in [8_000_usize, 64_000] {
        let filler = vec![0; length - 600];
        let hello_message = client_hello(&[0x1301, 0xc02f], &[(21, &filler), (43, &[2, 3, 4])]);
        let hello = records(&hello_message, 1 << 14);
        let reverse_in_windows = |frames: &mut Vec<Vec<u8>>| frames.chunks_mut(60).for_each(<[Vec<u8>]>::reverse);
        let overlapping = |frames: &mut Vec<Vec<u8>>| {
            // Every byte but the first comes many times before the first does.
            let whole: Vec<u8> = frames.iter().flat_map(|frame| workload::tcp_payload(frame).to_vec()).collect();
            frames.clear();
            for start in 0..whole.len() / 20 {
                let at = 1 + start % 1_000;
                let part = &whole[at..(at + 1_400).min(whole.len())];
                frames.push(tcp_frame(1, true, 1 + at as u32, 0x18, part));
            }
            frames.extend(whole.chunks(1_400).scan(1, |sequence, part| {
                let frame = tcp_frame(1, true, *sequence, 0x18, part);
                *sequence += part.len() as u32;
                Some(frame)
            }));
        };
        let kinds: [(&str, Vec<Vec<u8>>); 4] = [
            ("one_byte_segments", segments(&hello, 1, |_| {})),
            ("one_byte_records", segments(&records(&hello_message, 1), 1_400, |_| {})),
            ("out_of_order", segments(&hello, 20, reverse_in_windows)),
            ("overlapping", segments(&hello, 1_400, overlapping)),
        ];
        for (name, frames) in kinds {
            let config = EngineConfig::default();
            let flood = |push: &mut dyn FnMut(&[u8])| frames.iter().for_each(|frame| push(frame));
            assert_eq!(run(&config, flood).flows, 1, "{name}");
            group.throughput(Throughput::Elements(frames.len() as u64));
            group.bench_function(BenchmarkId::new(name, length), |bencher| bencher.iter(|| run(&config, flood)));
        }
    }
    group.finish();
}

/// Hellos as large as they can be: parsed and checked alone, and through an engine to a record.
fn hellos(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hello");
    for count in [1_000_usize, 8_000] {
        let unknown: Vec<(u16, &[u8])> = (0..count).map(|kind| (20_000 + kind as u16, &[][..])).collect();
        // Every extension of a known type, far behind others, again and again.
        let groups: (u16, &[u8]) = (10, &[0, 2, 0, 29]);
        let mut repeated = unknown[..count / 3].to_vec();
        repeated.extend(std::iter::repeat_n(groups, count / 3));
        let suites: Vec<u16> = (0..count as u16 * 2).map(|suite| suite * 3).collect();
        let shares = [0, 29, 0, 0].repeat(count);
        let mut key_share = u16::try_from(shares.len()).unwrap().to_be_bytes().to_vec();
        key_share.extend_from_slice(&shares);
        let cases = [
            ("many_extensions", client_hello(&[0x1301], &unknown)),
            ("repeated_extensions", client_hello(&[0x1301], &repeated)),
            ("many_suites", client_hello(&suites, &[(43, &[2, 3, 4])])),
            ("many_key_shares", client_hello(&[0x1301], &[(51, &key_share), (10, &[0, 2, 0, 29])])),
        ];
        for (name, bytes) in cases {
            let check = || ClientHello::parse(black_box(&bytes)).and_then(|hello| hello.check_extensions());
            assert_eq!(check(), Ok(()), "{name}");
            group.throughput(Throughput::Bytes(bytes.len() as u64));
            group.bench_function(BenchmarkId::new(format!("{name}/check"), count), |bencher| bencher.iter(check));
            let frames = segments(&records(&bytes, 1 << 14), 1_400, |_| {});
            let flood = |push: &mut dyn FnMut(&[u8])| frames.iter().for_each(|frame| push(frame));
            let config = EngineConfig::default();
            assert_eq!(run(&config, flood).flows, 1, "{name}");
            group.bench_function(BenchmarkId::new(format!("{name}/record"), count), |bencher| {
                bencher.iter(|| run(&config, flood));
            });
        }
        // Both sides with long lists that have nothing in common.
        let mut body = vec![3, 3];
        body.extend_from_slice(&[0; 33]);
        body.extend_from_slice(&[0xc0, 0x2f, 0]);
        let block: Vec<u8> = (0..count as u16).flat_map(|kind| [40_000 + kind, 0]).flat_map(u16::to_be_bytes).collect();
        body.extend_from_slice(&u16::try_from(block.len()).unwrap().to_be_bytes());
        body.extend_from_slice(&block);
        let mut frames = segments(&records(&client_hello(&[0xc02f], &unknown), 1 << 14), 1_400, |_| {});
        let mut sequence = 1;
        let answer = records(&message(2, &body), 1 << 14);
        for part in answer.chunks(1_400) {
            frames.push(tcp_frame(1, false, sequence, 0x18, part));
            sequence += part.len() as u32;
        }
        let flood = |push: &mut dyn FnMut(&[u8])| frames.iter().for_each(|frame| push(frame));
        let config = EngineConfig::default();
        assert_eq!(run(&config, flood).flows, 1);
        group.throughput(Throughput::Bytes(answer.len() as u64 * 2));
        group.bench_function(BenchmarkId::new("answered_with_many_extensions/record", count), |bencher| {
            bencher.iter(|| run(&config, flood));
        });
    }
    group.finish();
}

/// Fragments of eight bytes, the last first, that make no datagram; and first fragments of which none is continued.
fn fragments(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fragments");
    let fragment = |number: u32, offset: u16, more: bool, payload: &[u8]| {
        let mut frame = tcp_frame(number, true, 0, 0, &[]);
        frame.truncate(34);
        frame.extend_from_slice(payload);
        frame[16..18].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
        frame[20..22].copy_from_slice(&(offset | u16::from(more) << 13).to_be_bytes());
        frame
    };
    for length in [1_000_u16, 8_000] {
        let frames: Vec<_> = (1..length).rev().map(|offset| fragment(1, offset, true, &[7; 8])).collect();
        let flood = |push: &mut dyn FnMut(&[u8])| frames.iter().for_each(|frame| push(frame));
        let config = EngineConfig::default();
        let drops = run(&config, flood).drops;
        let refused = drops.get(DropReason::MalformedHeader);
        assert_eq!(drops.get(DropReason::FragmentPending) + refused, frames.len() as u64);
        group.throughput(Throughput::Elements(frames.len() as u64));
        group.bench_function(BenchmarkId::new("reversed", length), |bencher| bencher.iter(|| run(&config, flood)));
    }
    let payload = noise(1_400, 1);
    let frames: Vec<_> = (0..20_000).map(|number| fragment(number, 0, true, &payload)).collect();
    let flood = |push: &mut dyn FnMut(&[u8])| frames.iter().for_each(|frame| push(frame));
    let config = EngineConfig::default();
    assert_eq!(run(&config, flood).drops.get(DropReason::FragmentIncomplete), frames.len() as u64);
    group.throughput(Throughput::Elements(frames.len() as u64));
    group.bench_function("never_continued", |bencher| bencher.iter(|| run(&config, flood)));
    group.finish();
}

criterion_group!(benches, syn_flood, table_full, streams, hellos, fragments);
criterion_main!(benches);
