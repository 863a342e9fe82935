//! What a QUIC Initial costs: its keys, opening it, and all of it up to a record.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use handprint::capture::Source;
use handprint::engine::{Engine, EngineConfig};
use handprint::packet::{Datagram, Decoder, FiveTuple, FragmentLimits, IpProtocol, Packet, Transport};
use handprint::quic::{self, InitialSecret, LongPacket};
use handprint::record::FlowRecord;
use handprint::stats::Drops;
use handprint::time::Timestamp;

/// Connections an engine is given at once.
const CONNECTIONS: u16 = 1000;

/// The first datagram of a real client.
fn datagram() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/quic/v1-quinn-x25519.pcap");
    let mut source = Source::open(&path).expect("the capture is here");
    let frame = source.next_frame().expect("it can be read").expect("it has a frame");
    let mut decoder = Decoder::new(FragmentLimits::default());
    let packet = decoder.decode(&frame, &mut Drops::default()).expect("a datagram");
    match packet.transport {
        Transport::Udp(datagram) => datagram.payload.to_vec(),
        Transport::Tcp(_) => panic!("the first packet is a datagram"),
    }
}

fn initial(datagram: &[u8]) -> LongPacket<'_> {
    match quic::first_packet(datagram, 0) {
        Ok((quic::Packet::Long(packet), _)) => packet,
        other => panic!("an Initial, not {other:?}"),
    }
}

fn packet(datagram: &[u8], port: u16) -> Packet<'_> {
    Packet {
        timestamp: Timestamp::from_seconds(1_795_255_200),
        tuple: FiveTuple {
            source: ([192, 0, 2, 10], port).into(),
            destination: ([192, 0, 2, 20], 443).into(),
            protocol: IpProtocol::Udp,
        },
        encapsulations: handprint::packet::Encapsulations::default(),
        ttl: 64,
        transport: Transport::Udp(Datagram { payload: datagram, cut: 0 }),
    }
}

fn benches(criterion: &mut Criterion) {
    let datagram = datagram();
    let long = initial(&datagram);
    let mut group = criterion.benchmark_group("quic");
    group.throughput(Throughput::Elements(1));
    let keys = || InitialSecret::new(long.version, black_box(long.destination)).map(|secret| secret.client());
    group.bench_function("client keys", |bencher| bencher.iter(|| black_box(keys())));

    let client = keys().expect("version 1");
    let mut scratch = Vec::new();
    let opened = client.open(&long, None, &mut scratch).expect("the right keys");
    assert!(opened.authentic && opened.end > 1000, "a padded packet");
    group.bench_function("open", |bencher| bencher.iter(|| client.open(black_box(&long), None, &mut scratch)));

    group.throughput(Throughput::Elements(CONNECTIONS.into()));
    let run = |engine: &mut Engine| {
        let mut names = 0;
        let mut sink = |record: &FlowRecord<'_>| names += u16::from(record.facts.hello.server_name.is_some());
        for port in 0..CONNECTIONS {
            engine.push_packet(&packet(&datagram, 10_000 + port), &mut sink);
        }
        engine.finish(&mut sink);
        assert_eq!(names, CONNECTIONS);
    };
    let mut engine = Engine::new(EngineConfig::for_capture("bench"));
    group.bench_function("a connection to its record", |bencher| {
        bencher.iter_batched(|| (), |()| run(&mut engine), BatchSize::PerIteration);
    });

    let mut changed = datagram.clone();
    if let Some(byte) = changed.last_mut() {
        *byte ^= 1;
    }
    let mut engine = Engine::new(EngineConfig::for_capture("bench"));
    group.bench_function("a made-up Initial", |bencher| {
        bencher.iter(|| {
            let mut sink = |_: &FlowRecord<'_>| panic!("nothing opens");
            for port in 0..CONNECTIONS {
                engine.push_packet(&packet(&changed, 10_000 + port), &mut sink);
            }
        });
    });
    group.finish();
}

criterion_group!(quic_benches, benches);
criterion_main!(quic_benches);
