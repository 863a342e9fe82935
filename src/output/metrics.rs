//! Metrics: counts of what a running capture has seen, in constant memory, as Prometheus text and as NDJSON.
//!
//! Counts are cumulative since the start and never reset. No label has a value from the wire that is not one of a
//! fixed set: a version without a name counts as `other`. Text exposition format 0.0.4; the form of
//! [`StatsLines`] is `stats.schema.json`.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::counts::{FindingCounts, WeakCounts, suite_classes};
use crate::capture::live::KernelCounts;
use crate::engine::Stats;
use crate::findings::{self, Severity};
use crate::flow::Outcome;
use crate::flow::facts::Carrier;
use crate::pipeline::live::LiveStatus;
use crate::record::FlowRecord;
use crate::stats::DropReason;
use crate::time::Timestamp;
use crate::tls::codepoints::ProtocolVersion;

/// The media type of [`prometheus`].
pub const PROMETHEUS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The version of the form of [`StatsLines`]. It grows when a member changes its meaning.
pub const STATS_SCHEMA_VERSION: u32 = 1;

/// What carried handshakes, by the value of the label.
const TRANSPORTS: [&str; 3] = ["tcp", "quic", "dtls"];

/// Negotiated versions, by the value of the label. `none` is a handshake that got no ServerHello, `other` a value
/// without a name.
const VERSIONS: [&str; 12] = [
    "SSLv2",
    "SSLv3",
    "TLSv1.0",
    "TLSv1.1",
    "TLSv1.2",
    "TLSv1.3",
    "TLSv1.3-draft",
    "DTLSv1.0",
    "DTLSv1.2",
    "DTLSv1.3",
    "other",
    "none",
];

/// How handshakes ended, by the value of the label.
const OUTCOMES: [&str; 9] =
    ["incomplete", "established", "refused", "reset", "closed", "silent", "one_way", "not_tls", "cleartext"];

/// Where `version` stands in [`VERSIONS`].
const fn version_place(version: Option<ProtocolVersion>) -> usize {
    match version {
        Some(ProtocolVersion::SSL2) => 0,
        Some(ProtocolVersion::SSL3) => 1,
        Some(ProtocolVersion::TLS10) => 2,
        Some(ProtocolVersion::TLS11) => 3,
        Some(ProtocolVersion::TLS12) => 4,
        Some(ProtocolVersion::TLS13) => 5,
        Some(version) if version.is_draft() => 6,
        Some(ProtocolVersion::DTLS10 | ProtocolVersion::DTLS10_BAD) => 7,
        Some(ProtocolVersion::DTLS12) => 8,
        Some(ProtocolVersion::DTLS13) => 9,
        Some(_) => 10,
        None => 11,
    }
}

/// Where `outcome` stands in [`OUTCOMES`].
const fn outcome_place(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Incomplete => 0,
        Outcome::Established => 1,
        Outcome::Refused { .. } => 2,
        Outcome::Reset { .. } => 3,
        Outcome::Closed { .. } => 4,
        Outcome::Silent => 5,
        Outcome::OneWay { .. } => 6,
        Outcome::NotTls => 7,
        Outcome::Cleartext { .. } => 8,
    }
}

/// Where `carrier` stands in [`TRANSPORTS`].
const fn transport_place(carrier: Carrier) -> usize {
    match carrier {
        Carrier::Tcp => 0,
        Carrier::Quic => 1,
        Carrier::Dtls => 2,
    }
}

/// Whether handshakes of a transport can have a version, so that its count stands there from the start.
fn is_expected(transport: &str, version: &str) -> bool {
    matches!(version, "other" | "none")
        || match transport {
            "quic" => version.starts_with("TLSv1.3"),
            "dtls" => version.starts_with("DTLS"),
            _ => !version.starts_with("DTLS"),
        }
}

/// The name of a version where versions are counted: one of a dozen, `none` where there is no ServerHello and `other`
/// for a value without a name.
#[must_use]
pub fn version_label(version: Option<ProtocolVersion>) -> &'static str {
    VERSIONS.get(version_place(version)).copied().unwrap_or("other")
}

/// Counts over records, of which there are as many as there are rules, reasons and versions: never more.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    records: u64,
    outcomes: [u64; OUTCOMES.len()],
    /// By [`TRANSPORTS`], then [`VERSIONS`].
    handshakes: [[u64; VERSIONS.len()]; TRANSPORTS.len()],
    resumed: u64,
    weak: WeakCounts,
    findings: FindingCounts,
    allowed: u64,
}

fn increase(counter: Option<&mut u64>, by: u64) {
    if let Some(counter) = counter {
        *counter = counter.saturating_add(by);
    }
}

impl Metrics {
    /// Counts one record. Allocates nothing but for the first finding of a rule.
    pub fn add(&mut self, record: &FlowRecord<'_>) {
        let facts = record.facts;
        self.records = self.records.saturating_add(1);
        increase(self.outcomes.get_mut(outcome_place(facts.outcome)), 1);
        let transport = self.handshakes.get_mut(transport_place(facts.carrier));
        increase(transport.and_then(|versions| versions.get_mut(version_place(facts.version()))), 1);
        self.resumed = self.resumed.saturating_add(u64::from(facts.resumed == Some(true)));
        let (offered, negotiated) = suite_classes(facts);
        self.weak.add(offered, negotiated);
        self.findings.add(record);
        self.allowed = self.allowed.saturating_add(record.allowed.len().try_into().unwrap_or(u64::MAX));
    }

    /// Adds what another thread has counted.
    pub fn merge(&mut self, other: &Self) {
        self.combine(other, u64::saturating_add);
        self.weak.merge(&other.weak);
        self.findings.merge(&other.findings);
    }

    /// What was counted since `before`, an earlier state of these counts.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut more = self.clone();
        more.combine(before, u64::saturating_sub);
        more.weak = self.weak.since(&before.weak);
        more.findings = self.findings.since(&before.findings);
        more
    }

    /// All counters that are numbers.
    fn combine(&mut self, other: &Self, with: impl Fn(u64, u64) -> u64) {
        let lists = self.handshakes.as_flattened_mut().iter_mut().zip(other.handshakes.as_flattened());
        for (mine, theirs) in self.outcomes.iter_mut().zip(&other.outcomes).chain(lists) {
            *mine = with(*mine, *theirs);
        }
        self.records = with(self.records, other.records);
        self.resumed = with(self.resumed, other.resumed);
        self.allowed = with(self.allowed, other.allowed);
    }

    /// Records counted.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Findings counted.
    #[must_use]
    pub const fn findings(&self) -> &FindingCounts {
        &self.findings
    }

    /// Handshakes that offered and negotiated weak suites.
    #[must_use]
    pub const fn weak(&self) -> &WeakCounts {
        &self.weak
    }

    /// Handshakes by transport (`tcp`, `quic`, `dtls`) and the name of the negotiated version ([`version_label`]), the
    /// oldest versions of each transport first; zeros too.
    pub fn handshakes(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        TRANSPORTS.into_iter().zip(&self.handshakes).flat_map(|(transport, versions)| {
            VERSIONS.into_iter().zip(versions).map(move |(version, count)| (transport, version, *count))
        })
    }
}

/// What besides records tells how a capture does, all threads together.
#[derive(Clone, Debug, Default)]
pub struct Gauges {
    /// What the capture says of itself.
    pub status: LiveStatus,
    /// Time since it began.
    pub uptime: Duration,
}

/// All of it in the text exposition format 0.0.4, to be served as [`PROMETHEUS_CONTENT_TYPE`].
#[must_use]
pub fn prometheus(metrics: &Metrics, gauges: &Gauges) -> String {
    let mut page = Exposition(String::with_capacity(32 << 10));
    traffic(&mut page, metrics, gauges);
    handshakes(&mut page, metrics);
    state(&mut page, gauges);
    page.0
}

fn traffic(page: &mut Exposition, metrics: &Metrics, gauges: &Gauges) {
    let stats = &gauges.status.stats;
    page.counter("packets_total", "Packets taken from the kernel.", stats.packets);
    page.counter("bytes_total", "Bytes of those packets, as long as they were on the wire.", stats.bytes);
    page.counter("tcp_segments_total", "TCP segments among them.", stats.tcp_segments);
    page.counter("udp_datagrams_total", "UDP datagrams among them.", stats.udp_datagrams);
    page.family("drops_total", "counter", "Packets, or parts of flows, that were given up, by reason.");
    for reason in DropReason::ALL {
        page.sample("drops_total", &[("reason", reason.name())], stats.drops.get(reason));
    }
    let kernel = &gauges.status.kernel;
    page.counter("kernel_packets_total", "Packets that passed the filter, dropped ones included.", kernel.received);
    page.counter("kernel_drops_total", "Packets the kernel dropped because the ring was full.", kernel.dropped);
    page.counter("kernel_freezes_total", "Times the ring was full and the kernel stopped filling it.", kernel.freezes);
    page.counter(
        "interface_drops_total",
        "Packets the interface or its driver dropped before the kernel saw them.",
        kernel.interface_dropped,
    );
    let status = &gauges.status;
    page.counter("records_written_total", "Records that have been written.", status.written);
    page.counter("records_dropped_total", "Records given up because too many waited to be written.", status.dropped);
    page.family("records_total", "counter", "Records of handshakes, by how the handshake ended.");
    for (outcome, count) in OUTCOMES.iter().zip(metrics.outcomes) {
        page.sample("records_total", &[("outcome", outcome)], count);
    }
}

fn handshakes(page: &mut Exposition, metrics: &Metrics) {
    page.family(
        "handshakes_total",
        "counter",
        "Handshakes by transport and negotiated version; none where no ServerHello was seen.",
    );
    for (transport, version, count) in metrics.handshakes() {
        if count > 0 || is_expected(transport, version) {
            page.sample("handshakes_total", &[("transport", transport), ("version", version)], count);
        }
    }
    page.counter("resumptions_total", "Handshakes that resumed a session.", metrics.resumed);
    page.family("weak_suites_negotiated_total", "counter", "Handshakes that negotiated a weak suite, by weakness.");
    for (weakness, negotiated, _) in metrics.weak.iter() {
        page.sample("weak_suites_negotiated_total", &[("weakness", weakness.name)], negotiated);
    }
    page.family("weak_suites_offered_total", "counter", "Handshakes whose client offered a weak suite, by weakness.");
    for (weakness, _, offered) in metrics.weak.iter() {
        page.sample("weak_suites_offered_total", &[("weakness", weakness.name)], offered);
    }
    page.family("findings_total", "counter", "Findings by rule and severity; handprint explain ID says more.");
    for rule in findings::all() {
        for severity in Severity::ALL {
            let count = metrics.findings.of(rule, severity);
            // Where a first finding is to be noticed as an increase, its count must have been there before.
            if count > 0 || severity == rule.severity {
                page.sample("findings_total", &[("id", rule.id), ("severity", severity.name())], count);
            }
        }
    }
    page.counter("findings_allowed_total", "Findings that an entry of the allow list covers.", metrics.allowed);
}

fn state(page: &mut Exposition, gauges: &Gauges) {
    let Gauges { status, uptime } = gauges;
    let stats = &status.stats;
    page.gauge("open_flows", "Flows in the tables now.", stats.open_flows);
    page.gauge("buffered_bytes", "Bytes of reassembly buffers in use now.", stats.buffered_bytes);
    page.gauge("ring_fill_ratio", "How full the fullest ring is, 0 to 1.", ratio(status.kernel.ring_fill));
    page.gauge("queue_bytes", "Bytes of records that wait to be written.", status.queued_bytes);
    page.gauge("queue_capacity_bytes", "Bytes of records that may wait to be written.", status.queue_bytes);
    page.gauge("threads", "Threads that capture.", status.threads);
    page.gauge("threads_up", "Of these, how many watch an interface that is up.", status.up);
    page.gauge(
        "thread_silence_seconds",
        "The longest time a thread has given no sign of life; more than a second means that it is stuck.",
        status.silence.as_secs_f64(),
    );
    page.gauge("uptime_seconds", "Seconds since the capture began.", uptime.as_secs_f64());
    if let Some(last) = stats.last {
        let seconds = last.since(Timestamp::ZERO).as_secs_f64();
        page.gauge("last_packet_timestamp_seconds", "Time of the last packet, in seconds since the epoch.", seconds);
    }
    page.family("build_info", "gauge", "The version of handprint; always 1.");
    page.sample("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
}

/// A ratio as a number between 0 and 1, whatever was measured.
fn ratio(fill: f32) -> f64 {
    if fill.is_finite() { f64::from(fill.clamp(0.0, 1.0)) } else { 0.0 }
}

/// A page of the text exposition format. Names and labels are ours, and need no escaping.
struct Exposition(String);

impl Exposition {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail, here as below.
        let _ = write!(self.0, "# HELP handprint_{name} {help}\n# TYPE handprint_{name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.0, "handprint_{name}");
        for (place, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{text}\"", if place == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, &[], value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }
}

/// Writes the same as one line of JSON at a time, each with the totals and what was added since the line before.
#[derive(Clone, Debug, Default)]
pub struct StatsLines {
    before: Option<(Metrics, Gauges)>,
}

impl StatsLines {
    /// The line for `now`, the machine's time, with a line feed at its end. The first covers the time since the
    /// start.
    #[must_use]
    pub fn line(&mut self, now: Timestamp, metrics: &Metrics, gauges: &Gauges) -> String {
        let (metrics_before, gauges_before) = self.before.take().unwrap_or_default();
        let line = stats_line(now, (metrics, gauges), (&metrics_before, &gauges_before));
        self.before = Some((metrics.clone(), gauges.clone()));
        line
    }
}

/// One line of JSON: totals, and what was added since `before`.
#[must_use]
pub fn stats_line(now: Timestamp, current: (&Metrics, &Gauges), before: (&Metrics, &Gauges)) -> String {
    let (metrics, gauges) = current;
    let status = &gauges.status;
    let line = Line {
        kind: "stats",
        schema: STATS_SCHEMA_VERSION,
        ts: now,
        uptime_s: seconds(gauges.uptime),
        interval_s: seconds(gauges.uptime.saturating_sub(before.1.uptime)),
        threads: status.threads,
        threads_up: status.up,
        last_packet: status.stats.last,
        open_flows: status.stats.open_flows,
        buffered_bytes: status.stats.buffered_bytes,
        ring_fill: (ratio(status.kernel.ring_fill) * 1e4).round() / 1e4,
        queue: Queue { bytes: status.queued_bytes, capacity_bytes: status.queue_bytes },
        total: Counted::of(metrics, gauges, &Gauges::default()),
        interval: Counted::of(&metrics.since(before.0), gauges, before.1),
    };
    // No member refuses to be serialised.
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}

/// Seconds to the millisecond.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}

#[derive(Serialize)]
struct Line {
    #[serde(rename = "type")]
    kind: &'static str,
    schema: u32,
    ts: Timestamp,
    uptime_s: f64,
    interval_s: f64,
    threads: usize,
    threads_up: usize,
    last_packet: Option<Timestamp>,
    open_flows: usize,
    buffered_bytes: usize,
    ring_fill: f64,
    queue: Queue,
    total: Counted,
    interval: Counted,
}

#[derive(Serialize)]
struct Queue {
    bytes: usize,
    capacity_bytes: usize,
}

/// Counters since the start, or since the line before. Maps and lists hold what occurred, in a fixed order.
#[derive(Serialize)]
struct Counted {
    packets: u64,
    bytes: u64,
    tcp_segments: u64,
    udp_datagrams: u64,
    kernel: Kernel,
    drops: Named,
    records: u64,
    records_written: u64,
    records_dropped: u64,
    outcomes: Named,
    versions: Vec<Version>,
    resumed: u64,
    weak_suites: WeakSuites,
    severities: Named,
    findings: Vec<Found>,
    findings_allowed: u64,
}

#[derive(Serialize)]
struct Kernel {
    received: u64,
    dropped: u64,
    freezes: u64,
    interface_dropped: u64,
}

#[derive(Serialize)]
struct Version {
    transport: &'static str,
    version: &'static str,
    handshakes: u64,
}

#[derive(Serialize)]
struct WeakSuites {
    negotiated: Named,
    offered: Named,
}

#[derive(Serialize)]
struct Found {
    id: &'static str,
    severity: Severity,
    count: u64,
}

/// An object of counts, those that are not zero.
struct Named(Vec<(&'static str, u64)>);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, count) in self.0.iter().filter(|(_, count)| *count > 0) {
            map.serialize_entry(name, count)?;
        }
        map.end()
    }
}

impl Counted {
    /// `metrics` as they are, and what `gauges` has more than `before`.
    fn of(metrics: &Metrics, gauges: &Gauges, before: &Gauges) -> Self {
        let (status, earlier) = (&gauges.status, &before.status);
        let (now, then) = (&status.stats, &earlier.stats);
        let more = |count: fn(&Stats) -> u64| count(now).saturating_sub(count(then));
        let kernel = |count: fn(&KernelCounts) -> u64| count(&status.kernel).saturating_sub(count(&earlier.kernel));
        let drops = DropReason::ALL.map(|reason| {
            let count = now.drops.get(reason).saturating_sub(then.drops.get(reason));
            (reason.name(), count)
        });
        let versions = metrics.handshakes().filter(|(.., count)| *count > 0);
        let mut findings: Vec<_> = metrics.findings.iter().collect();
        findings.sort_by_key(|(rule, severity, _)| (std::cmp::Reverse(*severity), rule.id));
        let severities = Severity::ALL.map(|severity| {
            let counts = findings.iter().filter(|(_, found, _)| *found == severity).map(|(.., count)| *count);
            (severity.name(), counts.sum())
        });
        Self {
            packets: more(|stats| stats.packets),
            bytes: more(|stats| stats.bytes),
            tcp_segments: more(|stats| stats.tcp_segments),
            udp_datagrams: more(|stats| stats.udp_datagrams),
            kernel: Kernel {
                received: kernel(|counts| counts.received),
                dropped: kernel(|counts| counts.dropped),
                freezes: kernel(|counts| counts.freezes),
                interface_dropped: kernel(|counts| counts.interface_dropped),
            },
            drops: Named(drops.to_vec()),
            records: metrics.records,
            records_written: status.written.saturating_sub(earlier.written),
            records_dropped: status.dropped.saturating_sub(earlier.dropped),
            outcomes: Named(OUTCOMES.into_iter().zip(metrics.outcomes).collect()),
            versions: versions
                .map(|(transport, version, handshakes)| Version { transport, version, handshakes })
                .collect(),
            resumed: metrics.resumed,
            weak_suites: WeakSuites {
                negotiated: Named(metrics.weak.iter().map(|(weakness, count, _)| (weakness.name, count)).collect()),
                offered: Named(metrics.weak.iter().map(|(weakness, _, count)| (weakness.name, count)).collect()),
            },
            severities: Named(severities.to_vec()),
            findings: findings
                .into_iter()
                .map(|(rule, severity, count)| Found { id: rule.id, severity, count })
                .collect(),
            findings_allowed: metrics.allowed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::facts::Side;
    use crate::starttls::CleartextReason;

    #[test]
    fn counts_every_outcome_under_its_own_name() {
        let by = Side::Server;
        let all = [
            Outcome::Incomplete,
            Outcome::Established,
            Outcome::Refused { by, alert: None },
            Outcome::Reset { by },
            Outcome::Closed { by },
            Outcome::Silent,
            Outcome::OneWay { seen: by },
            Outcome::NotTls,
            Outcome::Cleartext { reason: CleartextReason::NotOffered },
        ];
        assert_eq!(all.map(|outcome| OUTCOMES.get(outcome_place(outcome)).copied()), OUTCOMES.map(Some));
        assert_eq!(all.map(Outcome::name), OUTCOMES);
    }

    #[test]
    fn every_version_counts_under_one_of_few_names() {
        for value in 0..=u16::MAX {
            let version = ProtocolVersion(value);
            let label = version_label(Some(version));
            assert!(VERSIONS.contains(&label) && label != "none");
            if let Some(name) = version.name().filter(|_| !version.is_draft() && version != ProtocolVersion::DTLS10_BAD)
            {
                assert_eq!(label, name);
            }
            assert_eq!(label == "TLSv1.3-draft", version.is_draft());
        }
        assert_eq!(version_label(Some(ProtocolVersion(0x0a0a))), "other");
        assert_eq!(version_label(None), "none");
    }

    #[test]
    fn keeps_a_ratio_between_0_and_1() {
        assert_eq!([0.0, 0.25, 1.0, 1.5, -1.0].map(ratio), [0.0, 0.25, 1.0, 1.0, 0.0]);
        assert_eq!([f32::NAN, f32::INFINITY].map(ratio), [0.0, 0.0]);
    }
}
