//! Whole flows through an engine, to records and to text.
#![allow(missing_docs, reason = "criterion's macros")]
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of a benchmark")]

mod workload;

use std::collections::HashSet;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use handprint::engine::{Engine, EngineConfig};
use handprint::findings::{RuleSet, Settings, Severity};
use handprint::output::ndjson::Ndjson;
use handprint::pipeline::Report;
use handprint::record::FlowRecord;
use workload::{Multiplier, OwnedFrame};

const FLOWS: usize = 2_400;

fn frames_of(multiplier: &Multiplier) -> Vec<OwnedFrame> {
    let mut frames = Vec::new();
    multiplier.run(FLOWS, |frame| frames.push(frame.clone()));
    frames
}

/// All of `frames` through a new engine; how many records there were.
fn run(frames: &[OwnedFrame], config: &EngineConfig, take: &mut dyn FnMut(&FlowRecord<'_>)) -> u64 {
    let mut engine = Engine::new(config.clone());
    let mut sink = |record: &FlowRecord<'_>| take(record);
    for frame in frames {
        engine.push(black_box(&frame.borrow()), &mut sink);
    }
    engine.finish(&mut sink);
    engine.stats().flows
}

/// A capture in memory, many flows interleaved: without rules, with all, and to NDJSON in a buffer that is used again.
fn capture(criterion: &mut Criterion) {
    let frames = frames_of(&Multiplier::new(200));
    let all = EngineConfig::for_capture("memory");
    let mut none = all.clone();
    none.rules = RuleSet::of([], Severity::Info, Settings::default());
    let mut group = criterion.benchmark_group("capture");
    group.throughput(Throughput::Elements(FLOWS as u64));
    let mut findings = 0;
    assert_eq!(run(&frames, &all, &mut |record| findings += record.findings.len()), FLOWS as u64);
    assert!(findings > FLOWS, "the rules find something in most of these flows");
    group.bench_function("no_rules", |bencher| bencher.iter(|| run(&frames, &none, &mut |_| {})));
    group.bench_function("all_rules", |bencher| bencher.iter(|| run(&frames, &all, &mut |_| {})));
    let mut text = Vec::new();
    let mut lines = 0;
    let mut to_text = |count: &mut usize| {
        run(&frames, &all, &mut |record| {
            text.clear();
            Ndjson.flow(record, &mut text);
            *count += usize::from(text.ends_with(b"}\n"));
        })
    };
    to_text(&mut lines);
    assert_eq!(lines, FLOWS, "a line a flow");
    group.bench_function("ndjson", |bencher| bencher.iter(|| to_text(&mut lines)));
    group.finish();
}

/// Post-quantum hellos: each lies in two segments, as they come and the other way round.
fn reassembly(criterion: &mut Criterion) {
    const NAME: &str = "tls/suites/tls13-x25519mlkem768.pcap";
    let mut group = criterion.benchmark_group("reassembly");
    group.throughput(Throughput::Elements(FLOWS as u64));
    for (name, reversed) in [("two_segment_hello", false), ("two_segment_hello_reversed", true)] {
        let mut frames = Vec::new();
        let template = workload::frames(&workload::capture(NAME));
        let first =
            template.iter().position(|frame| workload::tcp_payload(&frame.bytes).starts_with(&[22, 3])).unwrap();
        let mut hello = template[..first + 2].to_vec();
        if reversed {
            hello.swap(first, first + 1);
        }
        Multiplier::of_frames(hello, 200).run(FLOWS, |frame| frames.push(frame.clone()));
        let config = EngineConfig::default();
        let mut hellos = 0;
        run(&frames, &config, &mut |record| {
            hellos += usize::from(record.hello.is_some() && record.facts.hello.packets == 2);
        });
        assert_eq!(hellos, FLOWS, "every hello lies in two packets");
        group.bench_function(name, |bencher| bencher.iter(|| run(&frames, &config, &mut |_| {})));
    }
    group.finish();
}

/// A chain of certificates that is the same in all flows, and one that is new in each.
fn certificates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("certificates");
    group.throughput(Throughput::Elements(FLOWS as u64));
    for (name, distinct) in [("the_same", false), ("distinct", true)] {
        let mut frames = frames_of(&Multiplier::of("tls/certificates/rsa-2048.pcap", 200));
        let mut changed = 0_u32;
        for frame in frames.iter_mut().filter(|_| distinct) {
            // The last bytes of the server's first flight are of the signature or of a later message: a certificate
            // changes where its serial number does.
            if let Some(at) = workload::find(&frame.bytes, &[0xa0, 3, 2, 1, 2, 2]) {
                changed += 1;
                frame.bytes[at + 8..at + 12].copy_from_slice(&changed.to_be_bytes());
            }
        }
        let config = EngineConfig::default();
        let mut chains = HashSet::new();
        run(&frames, &config, &mut |record| {
            chains.extend(record.facts.certificates.iter().flatten().map(|certificate| certificate.sha256.clone()));
        });
        assert_eq!(chains.len() > FLOWS / 2, distinct, "{name}: {} certificates", chains.len());
        group.bench_function(name, |bencher| bencher.iter(|| run(&frames, &config, &mut |_| {})));
    }
    group.finish();
}

criterion_group!(benches, capture, reassembly, certificates);
criterion_main!(benches);
