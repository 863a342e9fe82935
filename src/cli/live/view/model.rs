//! What the view knows: rates, the last minutes, the newest handshakes, the gravest findings. All of it bounded.
//!
//! Counts and rates come from the threads' own counters and are exact. Lists come from [`Glimpse`]s, of which some may
//! be lost; how many is shown.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use handprint::findings::{Rule, Severity};
use handprint::output::metrics::{Gauges, Metrics};
use handprint::stats::DropReason;

use super::glimpse::{Glimpse, SEVERE};
use super::tops::{Host, MINUTES, Tops};

/// Handshakes kept, and bytes they may take.
const MOST_HANDSHAKES: usize = 2000;
const MOST_BYTES: usize = 16 << 20;

/// Groups of findings kept; beyond, the half that was not seen for longest goes.
const MOST_GROUPS: usize = 512;

/// Time between two samples of the counters, and how many are kept.
const SAMPLE: Duration = Duration::from_secs(1);
const MOST_SAMPLES: usize = 240;

/// Over which time a rate is told.
const RATE_OVER: Duration = Duration::from_secs(3);

/// Time between two states of the metrics that are kept for the last minutes.
const SNAPSHOT: Duration = Duration::from_secs(10);

/// What is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) gauges: Gauges,
    metrics: Metrics,
    samples: VecDeque<Sample>,
    snapshots: VecDeque<(Duration, Metrics)>,
    handshakes: VecDeque<Arc<Glimpse>>,
    bytes: usize,
    groups: HashMap<(&'static str, IpAddr, IpAddr), Group>,
    /// Glimpses taken so far.
    taken: u64,
    clients: Tops,
    servers: Tops,
    pub(super) lost_glimpses: u64,
}

/// A severe finding, as often as it was made of one client with one server.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) count: u64,
    /// The newest handshake with it, and when it came, as a number.
    pub(super) newest: Arc<Glimpse>,
    pub(super) order: u64,
}

/// Counters at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sample {
    at: Duration,
    counted: Counted,
}

/// Counters that rates are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) handshakes: u64,
    pub(super) findings: u64,
    pub(super) losses: Losses,
}

/// What was lost, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// By the kernel: the ring was full.
    pub(super) kernel: u64,
    /// By the interface.
    pub(super) interface: u64,
    /// By the engine: a limit on flows or buffers was hit.
    pub(super) limits: u64,
    /// Records that found the queue to the output full.
    pub(super) records: u64,
}

impl Losses {
    fn of(gauges: &Gauges) -> Self {
        let status = &gauges.status;
        let limits = [DropReason::FlowTableFull, DropReason::BufferFull];
        Self {
            kernel: status.kernel.dropped,
            interface: status.kernel.interface_dropped,
            limits: limits.map(|reason| status.stats.drops.get(reason)).iter().sum(),
            records: status.dropped,
        }
    }
}

/// How much a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) packets: f64,
    pub(super) bytes: f64,
    pub(super) handshakes: f64,
    pub(super) findings: f64,
    pub(super) losses: f64,
}

impl Model {
    /// Takes the counters as they are at `now`, a time since the view began.
    pub(super) fn look(&mut self, now: Duration, metrics: Metrics, gauges: Gauges) {
        let counted = Counted {
            packets: gauges.status.stats.packets,
            bytes: gauges.status.stats.bytes,
            handshakes: metrics.records(),
            findings: metrics.findings().iter().map(|(.., count)| count).sum(),
            losses: Losses::of(&gauges),
        };
        if self.snapshots.back().is_none_or(|(last, _)| *last + SNAPSHOT <= now) {
            self.snapshots.push_back((now, metrics.clone()));
            // The oldest one is the latest that is old enough.
            while self.snapshots.get(1).is_some_and(|(at, _)| *at + Duration::from_secs(60 * MINUTES) <= now) {
                self.snapshots.pop_front();
            }
        }
        (self.metrics, self.gauges) = (metrics, gauges);
        if self.samples.back().is_none_or(|last| last.at + SAMPLE <= now) {
            self.samples.push_back(Sample { at: now, counted });
            if self.samples.len() > MOST_SAMPLES {
                self.samples.pop_front();
            }
        }
    }

    /// Takes one handshake at `now`.
    pub(super) fn take(&mut self, now: Duration, glimpse: Glimpse) {
        let worst = glimpse.worst().map(|(rule, severity)| (severity, rule));
        let name = glimpse.software.as_deref().map(Box::from);
        let mut host = Host { handshakes: 1, worst, last: glimpse.started, name };
        self.clients.add(now, glimpse.client.ip(), &host);
        host.name.clone_from(&glimpse.server_name);
        self.servers.add(now, glimpse.server.ip(), &host);
        self.taken = self.taken.saturating_add(1);
        let glimpse = Arc::new(glimpse);
        for (rule, severity) in glimpse.findings.iter().filter(|(_, severity)| *severity >= SEVERE) {
            self.group(rule, *severity, &glimpse);
        }
        self.bytes += glimpse.weight();
        self.handshakes.push_back(glimpse);
        while self.handshakes.len() > MOST_HANDSHAKES || self.bytes > MOST_BYTES {
            let Some(oldest) = self.handshakes.pop_front() else { break };
            self.bytes -= oldest.weight();
        }
    }

    fn group(&mut self, rule: &'static Rule, severity: Severity, glimpse: &Arc<Glimpse>) {
        let key = (rule.id, glimpse.client.ip(), glimpse.server.ip());
        let order = self.taken;
        self.groups
            .entry(key)
            .and_modify(|group| {
                group.count = group.count.saturating_add(1);
                group.severity = severity;
                (group.newest, group.order) = (Arc::clone(glimpse), order);
            })
            .or_insert_with(|| Group { rule, severity, count: 1, newest: Arc::clone(glimpse), order });
        if self.groups.len() > MOST_GROUPS {
            let mut orders: Vec<_> = self.groups.values().map(|group| group.order).collect();
            orders.sort_unstable();
            let middle = orders.get(orders.len() / 2).copied().unwrap_or_default();
            self.groups.retain(|_, group| group.order >= middle);
        }
    }

    /// Rates over the last seconds.
    pub(super) fn rates(&self) -> Rates {
        let Some(last) = self.samples.back() else { return Rates::default() };
        let reference = self.samples.iter().rev().find(|sample| sample.at + RATE_OVER <= last.at);
        let first = reference.or(self.samples.front()).unwrap_or(last);
        rates_between(first, last)
    }

    /// What a counter grew by in each of the last seconds, the latest last.
    pub(super) fn history(&self, counter: impl Fn(&Counted) -> u64) -> Vec<u64> {
        let pairs = self.samples.iter().zip(self.samples.iter().skip(1));
        pairs.map(|(before, after)| counter(&after.counted).saturating_sub(counter(&before.counted))).collect()
    }

    /// What was lost since the start.
    pub(super) fn losses(&self) -> Losses {
        Losses::of(&self.gauges)
    }

    /// What was counted in the last minutes.
    pub(super) fn last_minutes(&self) -> Metrics {
        self.snapshots.front().map_or_else(|| self.metrics.clone(), |(_, before)| self.metrics.since(before))
    }

    /// The newest handshakes, the newest first.
    pub(super) fn handshakes(&self) -> impl Iterator<Item = &Arc<Glimpse>> {
        self.handshakes.iter().rev()
    }

    /// Severe findings, in no order.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// Clients of the last minutes at `now`.
    pub(super) fn clients(&self, now: Duration) -> HashMap<IpAddr, Host> {
        self.clients.sum(now)
    }

    /// Servers of the last minutes at `now`.
    pub(super) fn servers(&self, now: Duration) -> HashMap<IpAddr, Host> {
        self.servers.sum(now)
    }
}

fn rates_between(first: &Sample, last: &Sample) -> Rates {
    let seconds = last.at.saturating_sub(first.at).as_secs_f64();
    if seconds <= 0.0 {
        return Rates::default();
    }
    let (now, then) = (&last.counted, &first.counted);
    let rate = |count: fn(&Counted) -> u64| count(now).saturating_sub(count(then)) as f64 / seconds;
    Rates {
        packets: rate(|counted| counted.packets),
        bytes: rate(|counted| counted.bytes),
        handshakes: rate(|counted| counted.handshakes),
        findings: rate(|counted| counted.findings),
        losses: rate(|counted| {
            let Losses { kernel, interface, limits, records } = counted.losses;
            kernel.saturating_add(interface).saturating_add(limits).saturating_add(records)
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

    use super::super::glimpse::tests::{glimpse, glimpses_of};
    use super::*;

    fn gauges(packets: u64, dropped: u64) -> Gauges {
        let mut gauges = Gauges::default();
        (gauges.status.stats.packets, gauges.status.stats.bytes) = (packets, packets * 100);
        gauges.status.kernel.dropped = dropped;
        gauges
    }

    #[test]
    fn tells_rates_of_the_last_seconds() {
        let mut model = Model::default();
        assert_eq!(model.rates(), Rates::default());
        for second in 0..1000 {
            let packets = if second < 900 { second * 10 } else { 9000 + (second - 900) * 50 };
            model.look(Duration::from_secs(second), Metrics::default(), gauges(packets, second / 999));
        }
        let rates = model.rates();
        assert_eq!((rates.packets, rates.bytes), (50.0, 5000.0));
        assert!((rates.losses - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(model.losses(), Losses { kernel: 1, ..Losses::default() });
        let history = model.history(|counted| counted.packets);
        assert_eq!((history.len(), history[0], history[238]), (MOST_SAMPLES - 1, 10, 50));
    }

    #[test]
    fn looks_back_at_the_last_minutes() {
        use handprint::engine::{Engine, EngineConfig};
        let (mut metrics, mut model) = (Metrics::default(), Model::default());
        let mut engine = Engine::new(EngineConfig::default());
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/tls/versions/tls13-negotiated.pcap");
        let mut one = Metrics::default();
        let mut source = handprint::capture::Source::open(&path).unwrap();
        let mut sink = |record: &handprint::record::FlowRecord<'_>| one.add(record);
        while let Some(frame) = source.next_frame().unwrap() {
            engine.push(&frame, &mut sink);
        }
        engine.finish(&mut sink);
        assert_eq!(one.records(), 1);
        for second in 0..3600 {
            model.look(Duration::from_secs(second), metrics.clone(), Gauges::default());
            metrics.merge(&one);
            assert!(model.snapshots.len() <= 32);
        }
        let last = model.last_minutes().records();
        assert!((300..=310).contains(&last), "{last}");
    }

    #[test]
    fn keeps_no_more_than_its_bounds() {
        let mut model = Model::default();
        for number in 0..20_000_u64 {
            let [low, high, ..] = number.to_le_bytes();
            let mut glimpse = glimpse(number, low, high, &["CIP007"]);
            glimpse.record = Some(vec![0; if number % 2 == 0 { 64 << 10 } else { 100 }].into());
            model.take(Duration::from_millis(number), glimpse);
            assert!(model.bytes <= MOST_BYTES && model.groups.len() <= MOST_GROUPS);
            assert!(model.handshakes.len() <= MOST_HANDSHAKES);
        }
        assert_eq!(model.bytes, model.handshakes().map(|glimpse| glimpse.weight()).sum::<usize>());
        assert_eq!(model.handshakes().next().map(|glimpse| glimpse.id.0), Some(19_999));
        assert!(model.groups().any(|group| group.newest.id.0 == 19_999));
        assert!(model.groups.len() >= MOST_GROUPS / 2);
    }

    #[test]
    fn groups_severe_findings_by_rule_and_ends() {
        let mut model = Model::default();
        let severe = handprint::findings::all().find(|rule| rule.severity == Severity::High).unwrap().id;
        let mild = handprint::findings::all().find(|rule| rule.severity == Severity::Low).unwrap().id;
        for number in 0..7 {
            model.take(Duration::ZERO, glimpse(number, 1, 1, &[severe, mild]));
        }
        model.take(Duration::ZERO, glimpse(7, 2, 1, &[severe]));
        model.take(Duration::ZERO, glimpse(8, 3, 1, &[mild]));
        let mut groups: Vec<_> = model.groups().map(|group| (group.rule.id, group.count, group.newest.id.0)).collect();
        groups.sort_unstable();
        assert_eq!(groups, [(severe, 1, 7), (severe, 7, 6)]);
        let clients = model.clients(Duration::ZERO);
        assert_eq!(clients.len(), 3);
        assert_eq!(clients[&IpAddr::from([10, 0, 0, 1])].handshakes, 7);
        assert_eq!(clients[&IpAddr::from([10, 0, 0, 3])].worst.unwrap().0, Severity::Low);
        let servers = model.servers(Duration::ZERO);
        assert_eq!(servers[&IpAddr::from([192, 0, 2, 1])].name.as_deref(), Some("www1.example.org"));
        assert_eq!(servers[&IpAddr::from([192, 0, 2, 1])].handshakes, 9);
    }

    #[test]
    fn takes_real_records() {
        let mut model = Model::default();
        for glimpse in glimpses_of("tls/suites/ssl3-rsa-export-rc4-40.pcap") {
            model.take(Duration::ZERO, glimpse);
        }
        assert_eq!(model.handshakes().count(), 1);
        assert!(model.groups().any(|group| group.severity == Severity::Critical));
    }
}
