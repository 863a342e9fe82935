//! [`Engine`]: packets in, one [`FlowRecord`] a handshake out.
//!
//! Sans-IO: it opens nothing, reads no clock and starts no thread; time is an argument. One engine a thread, nothing
//! shared. No packet is an error: what cannot be used is counted under a
//! [`DropReason`](crate::stats::DropReason).

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::RawValue;
use smallvec::SmallVec;

use crate::capture::Frame;
use crate::findings::{AllowList, Finding, RuleSet, Subject, sort};
use crate::fingerprint::Ja3s;
use crate::flow::cache::{Cache, Weigh};
use crate::flow::facts::{Facts, Offer, Selection};
use crate::flow::{FlowTable, Limits};
use crate::labels::{Label, Labels};
use crate::packet::{Decoder, FragmentLimits, Packet, Transport};
use crate::policy::{Policy, Verdict};
use crate::record::{
    FlowId, FlowRecord, HelloReading, Prepared, render_certificates, render_fingerprints, render_labels,
    render_server_hello,
};
use crate::stats::Drops;
use crate::time::Timestamp;
use crate::tls::certificate::Certificate;

/// Where records go.
pub trait Sink {
    /// Takes one record. It is lent: what is to be kept must be copied, or written.
    fn flow(&mut self, record: &FlowRecord<'_>);
}

impl<F: FnMut(&FlowRecord<'_>)> Sink for F {
    fn flow(&mut self, record: &FlowRecord<'_>) {
        self(record);
    }
}

/// What an engine is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineConfig {
    /// The name records carry in `capture`.
    pub capture: String,
    /// The rules evaluated.
    pub rules: RuleSet,
    /// The names of fingerprints; the built-in ones unless told otherwise.
    pub labels: Arc<Labels>,
    /// Findings that are set apart.
    pub allowed: AllowList,
    /// The policies handshakes are held against.
    pub policies: Vec<Arc<Policy>>,
    /// Bounds on flows and buffers.
    pub limits: Limits,
    /// Bounds on IP fragments.
    pub fragments: FragmentLimits,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            capture: String::new(),
            rules: RuleSet::default(),
            labels: Labels::builtin(),
            allowed: AllowList::default(),
            policies: Vec::new(),
            limits: Limits::default(),
            fragments: FragmentLimits::default(),
        }
    }
}

impl EngineConfig {
    /// The default configuration for a capture of this name.
    #[must_use]
    pub fn for_capture(name: impl Into<String>) -> Self {
        Self { capture: name.into(), ..Self::default() }
    }
}

/// What an engine has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Frames pushed.
    pub packets: u64,
    /// Bytes of those frames, as long as they were on the wire.
    pub bytes: u64,
    /// TCP segments among them.
    pub tcp_segments: u64,
    /// UDP datagrams among them.
    pub udp_datagrams: u64,
    /// Records written.
    pub flows: u64,
    /// What was given up, and why.
    pub drops: Drops,
    /// Flows in the table now.
    pub open_flows: usize,
    /// Bytes of buffers in use now.
    pub buffered_bytes: usize,
    /// Time of the first frame.
    pub first: Option<Timestamp>,
    /// Time of the last frame; the latest where they are out of order.
    pub last: Option<Timestamp>,
}

impl Stats {
    /// Adds what another engine has counted.
    pub fn merge(&mut self, other: &Self) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.tcp_segments = self.tcp_segments.saturating_add(other.tcp_segments);
        self.udp_datagrams = self.udp_datagrams.saturating_add(other.udp_datagrams);
        self.flows = self.flows.saturating_add(other.flows);
        self.drops.merge(&other.drops);
        self.open_flows = self.open_flows.saturating_add(other.open_flows);
        self.buffered_bytes = self.buffered_bytes.saturating_add(other.buffered_bytes);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
    }
}

/// Reads packets and reports handshakes.
///
/// ```
/// use handprint::capture::{Frame, LinkType};
/// use handprint::engine::{Engine, EngineConfig};
/// use handprint::record::FlowRecord;
/// use handprint::time::Timestamp;
///
/// let mut engine = Engine::new(EngineConfig::for_capture("memory"));
/// let mut versions = Vec::new();
/// let mut sink = |record: &FlowRecord<'_>| versions.push(record.facts.version());
/// let frame = Frame {
///     timestamp: Timestamp::from_seconds(1_795_255_200),
///     link_type: LinkType::ETHERNET,
///     bytes: &[0; 60],
///     original_length: 60,
/// };
/// engine.push(&frame, &mut sink);
/// engine.finish(&mut sink);
/// assert!(versions.is_empty());
/// assert_eq!(engine.stats().packets, 1);
/// ```
pub struct Engine {
    decoder: Decoder,
    table: FlowTable,
    reporter: Reporter,
    stats: Stats,
    /// The latest time known.
    now: Timestamp,
    /// The time at which timeouts were last looked at.
    clock: Timestamp,
}

/// Turns facts into records.
struct Reporter {
    capture: String,
    rules: RuleSet,
    labels: Arc<Labels>,
    allowed: AllowList,
    policies: Vec<Arc<Policy>>,
    readings: Cache<Arc<HelloReading>>,
    server_readings: Cache<Arc<ServerReading>>,
    negotiations: Cache<Arc<NegotiationReading>>,
    chains: Cache<Arc<ChainReading>>,
    /// Of findings, by what they say.
    texts: Cache<Option<Arc<RawValue>>>,
    key: Vec<u8>,
    findings: Vec<Finding>,
    flows: u64,
}

/// What follows from a ServerHello's shape alone.
struct ServerReading {
    ja3s: Option<String>,
    labels: Vec<Arc<Label>>,
    /// Its `server_labels` member.
    rendered_labels: Option<Box<RawValue>>,
    /// Its `server_hello` member.
    rendered: Option<Box<RawValue>>,
}

/// What follows from what both sides agreed on. Holds what it was made from, so that the addresses stay theirs.
struct NegotiationReading {
    hello: Option<Arc<HelloReading>>,
    second_hello: Option<Arc<HelloReading>>,
    server: Option<Arc<ServerReading>>,
    findings: Vec<Finding>,
    /// Its `fingerprints` member.
    fingerprints: Option<Box<RawValue>>,
}

/// What follows from the server's certificates. Holds them, so that their addresses stay theirs.
struct ChainReading {
    chain: Vec<Arc<Certificate>>,
    findings: Vec<Finding>,
    /// Its `certificates` member.
    rendered: Option<Box<RawValue>>,
}

impl Weigh for Arc<HelloReading> {
    fn weight(&self) -> usize {
        HelloReading::weight(self)
    }
}

impl Weigh for Arc<ServerReading> {
    fn weight(&self) -> usize {
        weight_of(self.rendered.as_deref())
            .saturating_add(weight_of(self.rendered_labels.as_deref()))
            .saturating_add(self.labels.len() * size_of::<Arc<Label>>())
            .saturating_add(size_of::<ServerReading>() + 32)
    }
}

/// What it holds may be held by it alone.
impl Weigh for Arc<NegotiationReading> {
    fn weight(&self) -> usize {
        let hellos = [&self.hello, &self.second_hello].into_iter().flatten().map(Weigh::weight).sum::<usize>();
        let server = self.server.as_ref().map_or(0, Weigh::weight);
        let findings = self.findings.iter().map(Finding::weight).sum::<usize>();
        let own = weight_of(self.fingerprints.as_deref()).saturating_add(size_of::<NegotiationReading>());
        own.saturating_add(hellos).saturating_add(server).saturating_add(findings)
    }
}

impl Weigh for Arc<ChainReading> {
    fn weight(&self) -> usize {
        let held = self.chain.iter().map(|certificate| certificate.weight()).sum::<usize>();
        let findings = self.findings.iter().map(Finding::weight).sum::<usize>();
        let own = weight_of(self.rendered.as_deref()).saturating_add(size_of::<ChainReading>());
        own.saturating_add(held).saturating_add(findings)
    }
}

impl Weigh for Option<Arc<RawValue>> {
    fn weight(&self) -> usize {
        weight_of(self.as_deref())
    }
}

fn weight_of(text: Option<&RawValue>) -> usize {
    text.map_or(0, |text| text.get().len())
}

impl Engine {
    /// An engine that has seen nothing yet.
    #[must_use]
    pub fn new(config: EngineConfig) -> Self {
        Self {
            decoder: Decoder::new(config.fragments),
            table: FlowTable::new(config.limits),
            reporter: Reporter {
                capture: config.capture,
                rules: config.rules,
                labels: config.labels,
                allowed: config.allowed,
                policies: config.policies,
                readings: Cache::new(4096, 16 << 20),
                server_readings: Cache::new(4096, 8 << 20),
                negotiations: Cache::new(4096, 32 << 20),
                chains: Cache::new(1024, 16 << 20),
                texts: Cache::new(4096, 4 << 20),
                key: Vec::with_capacity(128),
                findings: Vec::with_capacity(64),
                flows: 0,
            },
            stats: Stats::default(),
            now: Timestamp::ZERO,
            clock: Timestamp::ZERO,
        }
    }

    /// Takes one frame. Handshakes that end with it go to `sink`.
    #[inline]
    pub fn push(&mut self, frame: &Frame<'_>, sink: &mut dyn Sink) {
        self.stats.count_frame(frame);
        match self.decoder.decode(frame, &mut self.stats.drops) {
            Ok(packet) => {
                let reporter = &mut self.reporter;
                self.stats.count_packet(&packet);
                self.table.push(&packet, &mut self.stats.drops, &mut |facts| reporter.report(facts, sink));
            }
            Err(reason) => self.stats.drops.count(reason),
        }
        self.advance(frame.timestamp, sink);
    }

    /// Takes one packet that has been decoded elsewhere (by a thread that spreads flows over engines). Frames are
    /// that thread's to count, and the time of those that go to other engines is its to tell by [`Engine::advance`].
    pub fn push_packet(&mut self, packet: &Packet<'_>, sink: &mut dyn Sink) {
        let reporter = &mut self.reporter;
        self.table.push(packet, &mut self.stats.drops, &mut |facts| reporter.report(facts, sink));
        self.advance(packet.timestamp, sink);
    }

    /// Says that it is `now` by the capture's clock, so that handshakes that wait in vain end.
    ///
    /// They end at the first call in a new [`Engine::tick`]: engines that share a capture write the same records as
    /// one that has all of it where each is told of the first frame of each tick, between the packets before and
    /// after it.
    #[inline]
    pub fn advance(&mut self, now: Timestamp, sink: &mut dyn Sink) {
        if now <= self.now {
            return;
        }
        let same_tick = Self::tick(now) == Self::tick(self.now);
        self.now = now;
        if same_tick {
            return;
        }
        self.clock = now;
        let reporter = &mut self.reporter;
        self.table.advance(now, &mut self.stats.drops, &mut |facts| reporter.report(facts, sink));
    }

    /// The tick `now` lies in: 2^20 ns, about a millisecond, long.
    #[must_use]
    #[inline]
    pub const fn tick(now: Timestamp) -> u64 {
        now.as_nanos() >> 20
    }

    /// Ends every handshake still open: the capture is over. The engine can go on with another capture after it.
    pub fn finish(&mut self, sink: &mut dyn Sink) {
        let (now, reporter) = (self.now, &mut self.reporter);
        self.table.finish_all(now, &mut self.stats.drops, &mut |facts| reporter.report(facts, sink));
        self.decoder.finish(&mut self.stats.drops);
        (self.now, self.clock) = (Timestamp::ZERO, Timestamp::ZERO);
    }

    /// The time before which no handshake that is still open, or is yet to come, began: no record with an earlier
    /// `ts` follows, in a capture whose times do not run backwards.
    pub fn settled(&mut self) -> Timestamp {
        self.table.oldest_open().unwrap_or(self.clock)
    }

    /// What has been counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            open_flows: self.table.len(),
            buffered_bytes: self.table.buffered_bytes().saturating_add(self.decoder.fragment_bytes()),
            flows: self.reporter.flows,
            ..self.stats.clone()
        }
    }
}

impl Stats {
    /// Counts a frame that comes in.
    #[inline]
    pub(crate) fn count_frame(&mut self, frame: &Frame<'_>) {
        self.packets += 1;
        self.bytes += u64::from(frame.original_length);
        if self.first.is_none() {
            self.first = Some(frame.timestamp);
        }
        if self.last.is_none_or(|last| last < frame.timestamp) {
            self.last = Some(frame.timestamp);
        }
    }

    /// Counts what a frame was found to carry.
    #[inline]
    pub(crate) const fn count_packet(&mut self, packet: &Packet<'_>) {
        match packet.transport {
            Transport::Tcp(_) => self.tcp_segments += 1,
            Transport::Udp(_) => self.udp_datagrams += 1,
        }
    }
}

impl Reporter {
    fn report(&mut self, facts: &Facts, sink: &mut dyn Sink) {
        let hello = facts.offer.as_ref().map(|offer| self.reading(offer));
        let second_hello = facts.second_offer.as_ref().map(|offer| self.reading(offer));
        // Alone, a HelloRetryRequest is the ServerHello that has a fingerprint.
        let answer = facts.selection.as_ref().or(facts.retry_hello.as_deref());
        let server = answer.map(|answer| self.server_reading(answer));
        let negotiation = self.negotiation(facts, hello.as_ref(), second_hello.as_ref(), server.as_ref());
        let chain = self.chain(facts);
        self.findings.clear();
        self.rules.check_flow(facts, &mut self.findings);
        self.render_findings();
        let of_hello = hello.iter().flat_map(|hello| &hello.findings);
        let of_chain = chain.iter().flat_map(|chain| &chain.findings);
        let mut findings: SmallVec<[&Finding; 32]> =
            of_hello.chain(&negotiation.findings).chain(of_chain).chain(&self.findings).collect();
        sort(&mut findings);
        let ja3s = server.as_ref().and_then(|server| server.ja3s.as_deref());
        let allowed = if self.allowed.is_empty() {
            Vec::new()
        } else {
            let prints = hello.as_ref().and_then(|hello| hello.fingerprints.as_ref());
            let [ja3, ja3n, ja4] = prints.map_or([None; 3], |prints| {
                [Some(prints.ja3.hash()), Some(prints.ja3n.hash()), Some(prints.ja4.hash())]
            });
            self.allowed.sift(&Subject { facts, fingerprints: [ja3, ja3n, ja4, ja3s] }, &mut findings)
        };
        let verdicts: Vec<Verdict<'_>> = self
            .policies
            .iter()
            .enumerate()
            .map(|(place, policy)| {
                let made = hello.as_ref().and_then(|hello| hello.policies.get(place));
                let offer = made.map_or_else(|| Cow::Owned(policy.no_offer()), Cow::Borrowed);
                policy.check_with(offer, facts)
            })
            .collect();
        self.flows += 1;
        sink.flow(&FlowRecord {
            id: FlowId::of(facts),
            capture: &self.capture,
            facts,
            hello: hello.as_deref(),
            second_hello: second_hello.as_deref(),
            ja3s,
            server_labels: server.as_ref().map_or(&[], |server| &server.labels),
            findings: &findings,
            allowed: &allowed,
            policies: &verdicts,
            prepared: Prepared {
                server_labels: server.as_ref().and_then(|server| server.rendered_labels.as_deref()),
                fingerprints: negotiation.fingerprints.as_deref(),
                server_hello: server
                    .as_ref()
                    .filter(|_| facts.selection.is_some())
                    .and_then(|server| server.rendered.as_deref()),
                certificates: chain.as_ref().and_then(|chain| chain.rendered.as_deref()),
            },
        });
    }

    /// Gives the flow's findings their text: most have been found in other flows, with the same evidence.
    fn render_findings(&mut self) {
        for finding in &mut self.findings {
            self.key.clear();
            if finding.write_key(&mut self.key) {
                let text = remembered(self.texts.get_or_make(&self.key, || {
                    finding.render();
                    Ok(finding.rendered().cloned())
                }));
                finding.set_rendered(text);
            }
        }
    }

    /// What follows from the hello alone. Remembered by the address of the shared offer, which the memory holds.
    fn reading(&mut self, offer: &Arc<Offer>) -> Arc<HelloReading> {
        let address = Arc::as_ptr(offer).addr().to_ne_bytes();
        let (rules, labels, policies) = (&self.rules, &self.labels, &self.policies);
        remembered(
            self.readings
                .get_or_make(&address, || Ok(Arc::new(HelloReading::new(Arc::clone(offer), rules, labels, policies)))),
        )
    }

    /// What follows from the server's hello alone.
    fn server_reading(&mut self, selection: &Selection) -> Arc<ServerReading> {
        let key = &mut self.key;
        key.clear();
        selection.write_key(key);
        let extensions = selection.extensions.iter().flatten().map(|seen| seen.extension_type);
        let labels = &self.labels;
        remembered(self.server_readings.get_or_make(key, || {
            let ja3s = selection
                .cipher_suite
                .filter(|_| !selection.is_partial)
                .map(|suite| Ja3s::from_parts(selection.legacy_version, suite, extensions).hash().to_owned());
            let labels = ja3s.as_deref().map(|ja3s| labels.servers(ja3s)).unwrap_or_default();
            let (rendered_labels, rendered) = (render_labels(&labels), render_server_hello(selection));
            Ok(Arc::new(ServerReading { ja3s, labels, rendered_labels, rendered }))
        }))
    }

    /// What follows from what both sides agreed on.
    fn negotiation(
        &mut self,
        facts: &Facts,
        hello: Option<&Arc<HelloReading>>,
        second_hello: Option<&Arc<HelloReading>>,
        server: Option<&Arc<ServerReading>>,
    ) -> Arc<NegotiationReading> {
        let key = &mut self.key;
        key.clear();
        key.extend_from_slice(&hello.map_or(0, |hello| Arc::as_ptr(hello).addr()).to_ne_bytes());
        key.extend_from_slice(&second_hello.map_or(0, |hello| Arc::as_ptr(hello).addr()).to_ne_bytes());
        key.extend_from_slice(&server.map_or(0, |server| Arc::as_ptr(server).addr()).to_ne_bytes());
        facts.write_negotiation_key(key);
        let rules = &self.rules;
        remembered(self.negotiations.get_or_make(key, || {
            let ja3s = server.and_then(|server| server.ja3s.as_deref());
            Ok(Arc::new(NegotiationReading {
                hello: hello.cloned(),
                second_hello: second_hello.cloned(),
                server: server.cloned(),
                findings: rules.check_negotiation(facts),
                fingerprints: render_fingerprints(hello.map(AsRef::as_ref), ja3s),
            }))
        }))
    }

    /// What follows from the server's certificates, where there are any.
    fn chain(&mut self, facts: &Facts) -> Option<Arc<ChainReading>> {
        let chain = facts.certificates.as_ref().filter(|chain| !chain.is_empty())?;
        self.key.clear();
        for certificate in chain {
            self.key.extend_from_slice(&Arc::as_ptr(certificate).addr().to_ne_bytes());
        }
        let rules = &self.rules;
        Some(remembered(self.chains.get_or_make(&self.key, || {
            Ok(Arc::new(ChainReading {
                chain: chain.to_vec(),
                findings: rules.check_chain(facts),
                rendered: render_certificates(chain),
            }))
        })))
    }
}

fn remembered<T>(made: Result<T, std::convert::Infallible>) -> T {
    match made {
        Ok(value) => value,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::capture::{Source, inputs};

    /// Text rendered once and copied into many records must be what each record would say by itself.
    #[test]
    fn prepared_text_is_the_text_the_facts_give() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/tls");
        let mut records = 0;
        for input in inputs(&[folder]) {
            let mut source: Source = input.unwrap().open().unwrap();
            let mut engine = Engine::new(EngineConfig::default());
            let mut sink = |record: &FlowRecord<'_>| {
                let plain: Vec<Finding> = record.findings.iter().map(|finding| finding.without_text()).collect();
                let plain: Vec<&Finding> = plain.iter().collect();
                let made = FlowRecord { prepared: Prepared::default(), findings: &plain, ..*record };
                let made = serde_json::to_string(&made).unwrap();
                assert_eq!(serde_json::to_string(record).unwrap(), made);
                let mut written = Vec::new();
                record.write_json(&mut written).unwrap();
                assert_eq!(String::from_utf8(written).unwrap(), made);
                records += 1;
            };
            while let Some(frame) = source.next_frame().unwrap() {
                engine.push(&frame, &mut sink);
            }
            engine.finish(&mut sink);
        }
        assert!(records > 200, "{records} records");
    }
}
