//! One hello: parsed, fingerprinted, judged; and certificates, and what opens a QUIC hello.
#![allow(missing_docs, reason = "criterion's macros")]
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of a benchmark")]

mod workload;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use handprint::engine::{Engine, EngineConfig};
use handprint::findings::RuleSet;
use handprint::fingerprint::{Ja3, Ja3n, Ja3s, Ja4, Protocol};
use handprint::flow::Facts;
use handprint::packet::{Decoder, Transport};
use handprint::quic::{self, InitialSecret};
use handprint::record::FlowRecord;
use handprint::stats::Drops;
use handprint::tls::certificate::Certificate;
use handprint::tls::{CertificateList, ClientHello, ServerHello};

/// A current browser, with a post-quantum key share, and an old client.
const HELLOS: [(&str, &str); 2] =
    [("chromium", "tls/clients/chromium-1.pcap"), ("tls12", "tls/versions/tls12-negotiated.pcap")];

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hello");
    for (name, capture) in HELLOS {
        let message = workload::first_message(capture, 1);
        let run = || {
            let hello = ClientHello::parse(black_box(&message)).unwrap();
            hello.check_extensions().unwrap();
            let suites = hello.cipher_suites.iter().filter(|suite| suite.is_grease()).count();
            let extensions = hello.extensions.iter().filter(|each| each.data.is_empty()).count();
            (suites + extensions, hello.server_name().unwrap().is_some())
        };
        assert!(run().1, "{name} has a server name");
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(format!("parse_and_iterate/{name}"), |bencher| bencher.iter(run));
    }
    group.finish();
}

fn fingerprints(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fingerprint");
    group.throughput(Throughput::Elements(1));
    for (name, capture) in HELLOS {
        let message = workload::first_message(capture, 1);
        let hello = ClientHello::parse(&message).unwrap();
        assert_eq!(Ja3::of(&hello).unwrap().hash().len(), 32);
        group.bench_function(format!("ja3/{name}"), |bencher| bencher.iter(|| Ja3::of(black_box(&hello))));
        assert_ne!(Ja3n::of(&hello).unwrap().text(), "");
        group.bench_function(format!("ja3n/{name}"), |bencher| bencher.iter(|| Ja3n::of(black_box(&hello))));
        assert_eq!(Ja4::of(&hello, Protocol::Tcp).unwrap().hash().len(), 36);
        group.bench_function(format!("ja4/{name}"), |bencher| {
            bencher.iter(|| Ja4::of(black_box(&hello), Protocol::Tcp));
        });
    }
    let message = workload::first_message("tls/versions/tls12-negotiated.pcap", 2);
    let hello = ServerHello::parse(&message).unwrap();
    assert_eq!(Ja3s::of(&hello).hash().len(), 32);
    group.bench_function("ja3s", |bencher| bencher.iter(|| Ja3s::of(black_box(&hello))));
    group.finish();
}

/// The facts of a capture's flow.
fn facts(capture: &str) -> Facts {
    let mut engine = Engine::new(EngineConfig::default());
    let mut found = None;
    let mut sink = |record: &FlowRecord<'_>| found = Some(record.facts.clone());
    for frame in workload::frames(&workload::capture(capture)) {
        engine.push(&frame.borrow(), &mut sink);
    }
    engine.finish(&mut sink);
    found.unwrap()
}

fn rules(criterion: &mut Criterion) {
    let rules = RuleSet::default();
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(1));
    for (name, capture, expected) in [
        ("chromium", "tls/clients/chromium-1.pcap", "PRV002"),
        ("tls10", "tls/versions/tls10-negotiated.pcap", "VER007"),
    ] {
        let facts = facts(capture);
        let offer = facts.offer.as_deref().unwrap();
        let mut findings = rules.check_offer(offer, None);
        rules.check_flow(&facts, &mut findings);
        assert!(findings.iter().any(|finding| finding.rule.id == expected), "{name} has {expected}");
        // Once a distinct hello.
        group.bench_function(format!("offer/{name}"), |bencher| {
            bencher.iter(|| rules.check_offer(black_box(offer), None))
        });
        // Once a flow.
        group.bench_function(format!("flow/{name}"), |bencher| {
            bencher.iter(|| {
                findings.clear();
                rules.check_flow(black_box(&facts), &mut findings);
                findings.len()
            });
        });
    }
    group.finish();
}

fn certificates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("certificate");
    for (name, capture) in
        [("rsa-2048", "tls/certificates/rsa-2048.pcap"), ("ec-p256", "tls/certificates/ec-p256.pcap")]
    {
        let message = workload::handshake_messages(capture, false).into_iter().find(|each| each[0] == 11).unwrap();
        let list = CertificateList::parse(&message).unwrap();
        let der = list.iter().next().unwrap();
        assert!(Certificate::from_der(der).problems.is_empty());
        group.throughput(Throughput::Bytes(der.len() as u64));
        group.bench_function(format!("parse/{name}"), |bencher| bencher.iter(|| Certificate::from_der(black_box(der))));
    }
    group.finish();
}

fn quic_initial(criterion: &mut Criterion) {
    let frames = workload::frames(&workload::capture("quic/draft-29-aioquic.pcap"));
    let mut decoder = Decoder::new(Default::default());
    let frame = frames.first().unwrap().borrow();
    let packet = decoder.decode(&frame, &mut Drops::default()).unwrap();
    let Transport::Udp(datagram) = packet.transport else { panic!("QUIC is carried by UDP") };
    let mut scratch = Vec::new();
    let mut run = || {
        let Ok((quic::Packet::Long(long), _)) = quic::first_packet(black_box(datagram.payload), 0) else {
            panic!("the first packet is an Initial")
        };
        let keys = InitialSecret::new(long.version, long.destination).unwrap().client();
        keys.open(&long, None, &mut scratch).unwrap().payload(&scratch).len()
    };
    assert!(run() > 1_000, "the client's first Initial is padded");
    let mut group = criterion.benchmark_group("quic");
    group.throughput(Throughput::Bytes(datagram.payload.len() as u64));
    group.bench_function("initial_keys_and_open", |bencher| bencher.iter(&mut run));
    group.finish();
}

criterion_group!(benches, parse, fingerprints, rules, certificates, quic_initial);
criterion_main!(benches);
