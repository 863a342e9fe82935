//! What the view is told of a handshake: a [`Glimpse`], sent by the engine's thread through its [`Feed`].

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use handprint::findings::{Rule, Severity};
use handprint::flow::Outcome;
use handprint::output::metrics::version_label;
use handprint::output::ndjson::Ndjson;
use handprint::output::table::short_suite;
use handprint::pipeline::Report as _;
use handprint::record::{FlowId, FlowRecord};
use handprint::time::Timestamp;

/// Glimpses that may wait for the view.
const WAITING: usize = 8192;

/// Findings kept of a handshake.
const MOST_FINDINGS: usize = 32;

/// Characters kept of a server's name.
const MOST_NAME: usize = 256;

/// Bytes of a full record that is kept; none is a fifth as long unless somebody makes it so.
const MOST_RECORD: usize = 64 << 10;

/// Full records rendered between two refills, for handshakes with severe findings and for others: each costs as much as
/// writing it.
const RECORDS_A_REFILL: u32 = 40;

/// From which severity on a finding is severe.
pub(super) const SEVERE: Severity = Severity::High;

/// A compact copy of a handshake's record.
#[derive(Clone, Debug)]
pub(super) struct Glimpse {
    pub(super) id: FlowId,
    pub(super) started: Timestamp,
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    pub(super) server_name: Option<Box<str>>,
    pub(super) version: &'static str,
    pub(super) suite: Option<Box<str>>,
    pub(super) ja4: Option<Box<str>>,
    pub(super) software: Option<Arc<str>>,
    pub(super) outcome: Outcome,
    /// The gravest first.
    pub(super) findings: Vec<(&'static Rule, Severity)>,
    /// The record as JSON, where it was kept.
    pub(super) record: Option<Box<[u8]>>,
}

impl Glimpse {
    /// Copies what is kept of `record`, but not the record itself.
    fn of(record: &FlowRecord<'_>) -> Self {
        let facts = record.facts;
        let prints = record.hello.and_then(|hello| hello.fingerprints.as_ref());
        Self {
            id: record.id,
            started: facts.started,
            client: facts.client,
            server: facts.server,
            server_name: facts.hello.server_name.as_deref().map(|name| first_characters(name).into()),
            version: facts.version().map_or("-", |version| version_label(Some(version))),
            suite: facts.cipher_suite().map(|suite| short_suite(suite).into()),
            ja4: prints.map(|prints| prints.ja4.hash().into()),
            software: record.hello.and_then(|hello| hello.software.clone()),
            outcome: facts.outcome,
            findings: record
                .findings
                .iter()
                .take(MOST_FINDINGS)
                .map(|finding| (finding.rule, finding.severity))
                .collect(),
            record: None,
        }
    }

    /// The gravest finding.
    pub(super) fn worst(&self) -> Option<(&'static Rule, Severity)> {
        self.findings.first().copied()
    }

    /// About how many bytes of memory it takes up.
    pub(super) fn weight(&self) -> usize {
        let record = self.record.as_ref().map_or(0, |record| record.len());
        let name = self.server_name.as_ref().map_or(0, |name| name.len());
        size_of::<Self>() + record + name + self.findings.len() * size_of::<(&Rule, Severity)>() + 128
    }

    /// Writes what a filter looks at, in small letters.
    pub(super) fn write_text(&self, text: &mut String) {
        text.clear();
        let absent = "";
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{} {} {} {} {} {} {}",
            self.client,
            self.server,
            self.server_name.as_deref().unwrap_or(absent),
            self.version,
            self.suite.as_deref().unwrap_or(absent),
            self.ja4.as_deref().unwrap_or(absent),
            self.software.as_deref().unwrap_or(absent),
        );
        for (rule, severity) in &self.findings {
            let _ = write!(text, " {} {} {severity}", rule.id, rule.name);
        }
        text.make_ascii_lowercase();
    }
}

fn first_characters(name: &str) -> &str {
    name.char_indices().nth(MOST_NAME).and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}

/// Sends glimpses to the view, and drops them where it does not keep up: an engine's thread never waits.
#[derive(Debug)]
pub(in crate::cli) struct Feed {
    glimpses: SyncSender<Glimpse>,
    lost: Arc<AtomicU64>,
    rendered: Vec<u8>,
    /// Full records that may still be rendered: of severe handshakes, of others.
    left: (u32, u32),
}

impl Clone for Feed {
    /// Another thread's.
    fn clone(&self) -> Self {
        Self::new(self.glimpses.clone(), Arc::clone(&self.lost))
    }
}

/// The other end of feeds.
#[derive(Debug)]
pub(in crate::cli) struct Glimpses {
    pub(super) arriving: Receiver<Glimpse>,
    lost: Arc<AtomicU64>,
}

impl Glimpses {
    /// How many found no room.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// The feed of an engine's thread, to be cloned for others, and what they feed.
pub(in crate::cli) fn channel() -> (Feed, Glimpses) {
    let (glimpses, arriving) = sync_channel(WAITING);
    let lost = Arc::default();
    (Feed::new(glimpses, Arc::clone(&lost)), Glimpses { arriving, lost })
}

impl Feed {
    fn new(glimpses: SyncSender<Glimpse>, lost: Arc<AtomicU64>) -> Self {
        Self { glimpses, lost, rendered: Vec::new(), left: (RECORDS_A_REFILL, RECORDS_A_REFILL) }
    }

    /// Shows one record to the view, if it has room.
    pub(in crate::cli) fn offer(&mut self, record: &FlowRecord<'_>) {
        let mut glimpse = Glimpse::of(record);
        let left = if record.worst() >= Some(SEVERE) { &mut self.left.0 } else { &mut self.left.1 };
        if let Some(less) = left.checked_sub(1) {
            *left = less;
            self.rendered.clear();
            Ndjson.flow(record, &mut self.rendered);
            if self.rendered.len() <= MOST_RECORD {
                glimpse.record = Some(self.rendered.as_slice().into());
            }
        }
        self.send(glimpse);
    }

    pub(super) fn send(&self, glimpse: Glimpse) {
        if self.glimpses.try_send(glimpse).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lets more full records be kept. To be called a few times a second.
    pub(in crate::cli) fn refill(&mut self) {
        self.left = (RECORDS_A_REFILL, RECORDS_A_REFILL);
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

    use std::path::Path;

    use handprint::capture::Source;
    use handprint::engine::{Engine, EngineConfig};

    use super::*;

    /// A handshake from 10.0.0.`client` to 192.0.2.`server`, with these findings.
    pub(in crate::cli::live::view) fn glimpse(number: u64, client: u8, server: u8, findings: &[&str]) -> Glimpse {
        let rule = |id: &&str| handprint::findings::find(id).map(|rule| (rule, rule.severity)).unwrap();
        Glimpse {
            id: FlowId(number),
            started: Timestamp::from_nanos(1_795_255_200_000_000_000 + number * 1_000_000_000),
            client: SocketAddr::from(([10, 0, 0, client], 50_000)),
            server: SocketAddr::from(([192, 0, 2, server], 443)),
            server_name: Some(format!("www{server}.example.org").into()),
            version: "TLSv1.2",
            suite: Some("ECDHE_RSA_AES_128_GCM".into()),
            ja4: Some("t13d3112h2_e8f1e7e78f70_ce5650b735ce".into()),
            software: None,
            outcome: Outcome::Established,
            findings: findings.iter().map(rule).collect(),
            record: None,
        }
    }

    /// Every record of a capture, through a feed.
    pub(in crate::cli::live::view) fn glimpses_of(capture: &str) -> Vec<Glimpse> {
        let (mut feed, glimpses) = channel();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(capture);
        let mut source = Source::open(&path).unwrap();
        let mut engine = Engine::new(EngineConfig::for_capture(capture));
        let mut sink = |record: &FlowRecord<'_>| feed.offer(record);
        while let Some(frame) = source.next_frame().unwrap() {
            engine.push(&frame, &mut sink);
        }
        engine.finish(&mut sink);
        glimpses.arriving.try_iter().collect()
    }

    #[test]
    fn copies_what_the_view_shows_and_the_record() {
        let glimpses = glimpses_of("tls/suites/tls12-rc4-sha-negotiated.pcap");
        let [glimpse] = &*glimpses else { panic!("{glimpses:?}") };
        assert_eq!(glimpse.version, "TLSv1.2");
        assert!(glimpse.findings.iter().any(|(rule, _)| rule.name == "rc4-negotiated"));
        assert!(glimpse.findings.is_sorted_by(|one, other| one.1 >= other.1));
        let record: serde_json::Value = serde_json::from_slice(glimpse.record.as_ref().unwrap()).unwrap();
        assert_eq!(record["id"], glimpse.id.to_string());
        let mut text = String::new();
        glimpse.write_text(&mut text);
        for word in ["rc4-negotiated", "tlsv1.2", "rsa_rc4_128_sha", ":443"] {
            assert!(text.contains(word), "{text}");
        }
    }

    #[test]
    fn drops_and_counts_what_the_view_does_not_take() {
        let (feed, glimpses) = channel();
        let other = feed.clone();
        for number in 0..10_000 {
            if number % 2 == 0 { &feed } else { &other }.send(glimpse(number, 1, 1, &[]));
        }
        assert_eq!(glimpses.lost(), 10_000 - WAITING as u64);
        assert_eq!(glimpses.arriving.try_iter().count(), WAITING);
        drop(glimpses);
        feed.send(glimpse(0, 1, 1, &[]));
    }

    #[test]
    fn keeps_full_records_of_a_bounded_number_until_it_is_refilled() {
        let (mut feed, glimpses) = channel();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/tls/versions/tls13-negotiated.pcap");
        let mut source = Source::open(&path).unwrap();
        let mut engine = Engine::new(EngineConfig::default());
        let mut sink = |record: &FlowRecord<'_>| {
            for _ in 0..3 {
                (0..100).for_each(|_| feed.offer(record));
                feed.refill();
            }
        };
        while let Some(frame) = source.next_frame().unwrap() {
            engine.push(&frame, &mut sink);
        }
        engine.finish(&mut sink);
        let kept = glimpses.arriving.try_iter().filter(|glimpse| glimpse.record.is_some()).count();
        assert_eq!(kept, 3 * RECORDS_A_REFILL as usize);
    }

    #[test]
    fn cuts_a_name_between_characters() {
        assert_eq!(first_characters("example.org"), "example.org");
        assert_eq!(first_characters(&"ü".repeat(300)), "ü".repeat(MOST_NAME));
    }
}
