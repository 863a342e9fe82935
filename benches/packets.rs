//! Frames to packets, and the traffic that is no handshake.
#![allow(missing_docs, reason = "criterion's macros")]
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of a benchmark")]

mod workload;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use handprint::engine::{Engine, EngineConfig};
use handprint::packet::Decoder;
use handprint::record::FlowRecord;
use handprint::stats::Drops;
use workload::OwnedFrame;

/// One capture's frames to packets: headers only, so the rate is in packets.
fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (name, capture) in [
        ("plain", "tls/versions/tls12-negotiated.pcap"),
        ("vlan", "formats/link-ethernet-vlan.pcap"),
        ("vxlan", "tunnels/vxlan-linux.pcap"),
    ] {
        let mut decoder = Decoder::new(Default::default());
        let mut frames = workload::frames(&workload::capture(capture));
        // The tunnel carries ARP and ICMP too.
        frames.retain(|frame| decoder.decode(&frame.borrow(), &mut Drops::default()).is_ok());
        assert!(frames.len() >= 15, "{name}: nearly every frame is a packet");
        let mut run = || {
            let mut drops = Drops::default();
            frames.iter().filter(|frame| decoder.decode(black_box(&frame.borrow()), &mut drops).is_ok()).count()
        };
        assert_eq!(run(), frames.len(), "{name}");
        group.throughput(Throughput::Elements(frames.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(&mut run));
    }
    group.finish();
}

/// Bulk traffic through an engine: each packet costs its headers and one look-up.
fn skip(criterion: &mut Criterion) {
    let mut frames: Vec<OwnedFrame> = Vec::new();
    workload::bulk(20_000_000, |frame| frames.push(frame.clone()));
    let mut group = criterion.benchmark_group("skip");
    group.throughput(Throughput::Bytes(frames.iter().map(|frame| frame.bytes.len() as u64).sum()));
    let run = || {
        let mut engine = Engine::new(EngineConfig::default());
        let mut sink = |_: &FlowRecord<'_>| panic!("bulk traffic has no handshakes");
        for frame in &frames {
            engine.push(black_box(&frame.borrow()), &mut sink);
        }
        engine.finish(&mut sink);
        engine.stats()
    };
    let stats = run();
    assert_eq!((stats.tcp_segments, stats.flows), (frames.len() as u64, 0));
    group.bench_function("bulk", |bencher| bencher.iter(run));
    group.finish();
}

criterion_group!(benches, decode, skip);
criterion_main!(benches);
