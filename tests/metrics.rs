//! Metrics say what the records said, in text a Prometheus server takes and lines that `stats.schema.json` describes.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use boon::{Compiler, Schemas};
use handprint::capture;
use handprint::capture::live::KernelCounts;
use handprint::output::STATS_SCHEMA;
use handprint::output::metrics::{Gauges, Metrics, StatsLines, prometheus};
use handprint::output::ndjson::Ndjson;
use handprint::pipeline::live::LiveStatus;
use handprint::pipeline::{self, Consumer, Options, Problem, Rendered, Report};
use handprint::record::FlowRecord;
use handprint::time::Timestamp;
use serde_json::Value;

#[test]
fn counts_what_the_records_say() {
    let (metrics, stats, records) = read("pcaps");
    let page = prometheus(&metrics, &gauges(stats));
    let samples = parse(&page);
    let sum = |name: &str, wanted: &[(&str, &str)]| -> f64 {
        let of_name = samples.iter().filter(|sample| sample.name == name);
        of_name
            .filter(|sample| wanted.iter().all(|(label, value)| sample.labels[*label] == *value))
            .map(|s| s.value)
            .sum()
    };
    let count = |matches: &dyn Fn(&Value) -> bool| records.iter().filter(|record| matches(record)).count() as f64;
    assert!(records.len() > 100);
    assert_eq!(sum("handprint_records_total", &[]), records.len() as f64);
    assert_eq!(sum("handprint_handshakes_total", &[]), records.len() as f64);
    for outcome in ["established", "refused", "silent", "one_way", "cleartext"] {
        let expected = count(&|record| record["outcome"]["status"] == outcome);
        assert!(expected > 0.0, "{outcome}");
        assert_eq!(sum("handprint_records_total", &[("outcome", outcome)]), expected, "{outcome}");
    }
    for (transport, version) in [("tcp", "TLSv1.2"), ("tcp", "SSLv3"), ("quic", "TLSv1.3"), ("dtls", "DTLSv1.2")] {
        let expected = count(&|record| record["transport"] == transport && record["version"] == version);
        assert!(expected > 0.0, "{transport} {version}");
        let labels = [("transport", transport), ("version", version)];
        assert_eq!(sum("handprint_handshakes_total", &labels), expected, "{transport} {version}");
    }
    let mut findings = BTreeMap::<(String, String), f64>::new();
    for finding in records.iter().flat_map(|record| record["findings"].as_array().unwrap()) {
        let key = [&finding["id"], &finding["severity"]].map(|member| member.as_str().unwrap().to_owned());
        *findings.entry(key.into()).or_default() += 1.0;
    }
    assert!(findings.len() > 30);
    for ((id, severity), expected) in &findings {
        let labels = [("id", id.as_str()), ("severity", severity.as_str())];
        assert_eq!(sum("handprint_findings_total", &labels), *expected, "{id} {severity}");
    }
    assert_eq!(sum("handprint_findings_total", &[]), findings.values().sum::<f64>());
    let rc4 = count(&|record| record["cipher_suite"].as_str().is_some_and(|suite| suite.contains("RC4")));
    assert!(rc4 > 0.0);
    assert_eq!(sum("handprint_weak_suites_negotiated_total", &[("weakness", "rc4")]), rc4);
    let resumed = count(&|record| record["resumed"] == true);
    assert_eq!(sum("handprint_resumptions_total", &[]), resumed);
    assert_eq!(sum("handprint_kernel_drops_total", &[]), 7.0);
}

#[test]
fn the_parts_come_to_the_whole() {
    let (whole, stats, _) = read("pcaps/tls");
    let (mut parts, ..) = read("pcaps/tls/suites");
    for part in ["certificates", "clients", "versions"] {
        parts.merge(&read(&format!("pcaps/tls/{part}")).0);
    }
    let rest = whole.since(&parts);
    assert!(rest.records() + parts.records() == whole.records() && parts.records() > 0);
    parts.merge(&rest);
    let gauges = gauges(stats);
    assert_eq!(prometheus(&parts, &gauges), prometheus(&whole, &gauges));
    let nothing = prometheus(&Metrics::default(), &gauges);
    assert_eq!(prometheus(&whole.since(&whole), &gauges), nothing);
}

#[test]
fn has_every_series_that_alerts_rest_on_from_the_start() {
    let samples = parse(&prometheus(&Metrics::default(), &Gauges::default()));
    let rules = samples.iter().filter(|sample| sample.name == "handprint_findings_total").count();
    assert_eq!(rules, handprint::findings::all().count());
    for name in ["handprint_kernel_drops_total", "handprint_records_dropped_total", "handprint_ring_fill_ratio"] {
        assert!(samples.iter().any(|sample| sample.name == name && sample.value == 0.0), "{name}");
    }
    assert!(samples.len() < 500, "{} series", samples.len());
}

#[test]
fn writes_totals_and_what_an_interval_added() {
    let (first, stats, _) = read("pcaps/tls/clients");
    let mut lines = StatsLines::default();
    let early = gauges(stats);
    let one: Value = serde_json::from_str(&lines.line(Timestamp::from_seconds(1000), &first, &early)).unwrap();
    assert_eq!(one["total"], one["interval"]);
    assert_eq!(one["total"]["records"], first.records());
    assert_eq!(one["ts"], "1970-01-01T00:16:40.000000000Z");

    let (more, more_stats, records) = read("pcaps/tls/suites");
    let mut both = first;
    both.merge(&more);
    let mut late = early.clone();
    late.status.stats.merge(&more_stats);
    late.uptime += Duration::from_millis(10_250);
    late.status.kernel.dropped += 3;
    let two: Value = serde_json::from_str(&lines.line(Timestamp::from_seconds(1010), &both, &late)).unwrap();
    assert_eq!(two["interval_s"], 10.25);
    assert_eq!(two["interval"]["packets"], more_stats.packets);
    assert_eq!(two["interval"]["records"], records.len());
    assert_eq!(two["interval"]["kernel"]["dropped"], 3);
    assert_eq!(two["total"]["kernel"]["dropped"], 10);
    let mut alone = StatsLines::default();
    let alone: Value = serde_json::from_str(&alone.line(Timestamp::from_seconds(1010), &more, &late)).unwrap();
    for member in ["outcomes", "versions", "findings", "severities", "weak_suites", "resumed"] {
        assert_eq!(two["interval"][member], alone["total"][member], "{member}");
    }
    let three: Value = serde_json::from_str(&lines.line(Timestamp::from_seconds(1020), &both, &late)).unwrap();
    assert_eq!(three["interval"]["records"], 0);
    assert_eq!(three["interval"]["findings"], Value::Array(Vec::new()));
}

#[test]
fn lines_are_what_the_schema_says() {
    let mut compiler = Compiler::new();
    let schema: Value = serde_json::from_str(STATS_SCHEMA).unwrap();
    compiler.add_resource("urn:handprint:stats:1", schema).unwrap();
    let mut schemas = Schemas::new();
    let index = compiler.compile("urn:handprint:stats:1", &mut schemas).unwrap();
    let (metrics, stats, _) = read("pcaps");
    let mut lines = StatsLines::default();
    let mut good = None;
    for (metrics, gauges) in [(&Metrics::default(), Gauges::default()), (&metrics, gauges(stats))] {
        let line = lines.line(Timestamp::from_seconds(1), metrics, &gauges);
        assert_eq!(line.matches('\n').count(), 1);
        let line = serde_json::from_str(&line).unwrap();
        if let Err(error) = schemas.validate(&line, index) {
            panic!("{error:#}\n{line:#}");
        }
        good = Some(line);
    }
    let good = good.unwrap();
    assert!(good["total"]["drops"].as_object().is_some_and(|drops| drops.len() > 3), "{good:#}");
    for (pointer, member) in [("", "more"), ("/total", "more"), ("/total/drops", "more"), ("/total/outcomes", "more")] {
        let mut bad = good.clone();
        bad.pointer_mut(pointer).unwrap().as_object_mut().unwrap().insert(member.to_owned(), 1.into());
        assert!(schemas.validate(&bad, index).is_err(), "{pointer}");
    }
    for missing in ["total", "interval", "ts", "last_packet"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(missing);
        assert!(schemas.validate(&bad, index).is_err(), "{missing}");
    }
}

#[test]
fn the_schema_names_every_reason_and_version() {
    let schema: Value = serde_json::from_str(STATS_SCHEMA).unwrap();
    let named: BTreeSet<_> =
        schema["$defs"]["counts"]["properties"]["drops"]["properties"].as_object().unwrap().keys().collect();
    let reasons: Vec<String> =
        handprint::stats::DropReason::ALL.iter().map(|reason| reason.name().to_owned()).collect();
    assert_eq!(named, reasons.iter().collect());
}

#[test]
fn the_documentation_lists_every_metric() {
    let mut gauges = gauges(handprint::engine::Stats::default());
    gauges.status.stats.last = Some(Timestamp::from_seconds(1));
    let page = prometheus(&Metrics::default(), &gauges);
    let labels: BTreeMap<_, _> = parse(&page).into_iter().map(|sample| (sample.name, sample.labels)).collect();
    let mut lines = Vec::new();
    for (help, kind) in page.lines().zip(page.lines().skip(1)).filter(|(help, _)| help.starts_with("# HELP")) {
        let (name, help) = help.trim_start_matches("# HELP ").split_once(' ').unwrap();
        let kind = kind.rsplit_once(' ').unwrap().1;
        let labels: Vec<_> = labels[name].keys().map(|label| format!("`{label}`")).collect();
        lines.push(format!("| `{name}` | {kind} | {} | {help} |", labels.join(", ")));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documented = std::fs::read_to_string(root.join("docs/metrics.md")).unwrap();
    let documented: Vec<_> = documented.lines().filter(|line| line.starts_with("| `handprint_")).collect();
    assert!(lines.len() > 20);
    assert_eq!(documented, lines);

    let rules = std::fs::read_to_string(root.join("contrib/prometheus-rules.yml")).unwrap();
    let words = rules.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let used: BTreeSet<_> = words.filter(|word| word.starts_with("handprint_")).collect();
    assert!(used.len() > 5 && used.iter().all(|name| labels.contains_key(*name)), "{used:?}");
}

/// Prometheus' own checker, where it is installed (Debian: the package prometheus), or where PROMTOOL says.
#[test]
fn promtool_finds_nothing_to_say() {
    let promtool = std::env::var_os("PROMTOOL").unwrap_or_else(|| "promtool".into());
    let spawned = Command::new(&promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        #[expect(clippy::print_stderr, reason = "says what was skipped")]
        {
            eprintln!("skipped: there is no promtool");
        }
        return;
    };
    let (metrics, stats, _) = read("pcaps/tls");
    child.stdin.take().unwrap().write_all(prometheus(&metrics, &gauges(stats)).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Reads the text exposition format 0.0.4, and refuses what it does not allow or advise: a family is told once, with
/// HELP, TYPE and then its samples; names are snake case, those of counters end in `_total`, no others do.
fn parse(page: &str) -> Vec<Sample> {
    assert!(page.ends_with('\n'));
    let (mut samples, mut families, mut series) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, help) = line.strip_prefix("# HELP ").unwrap_or_else(|| panic!("{line}")).split_once(' ').unwrap();
        assert!(name.starts_with("handprint_") && is_name(name), "{name}");
        assert!(help.ends_with('.') && !help.contains('\\'), "{help}");
        assert!(families.insert(name), "{name} is told twice");
        let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap();
        assert!(matches!(kind, "counter" | "gauge"), "{kind}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        let before = samples.len();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            assert!(series.insert(line.rsplit_once(' ').unwrap().0), "{line} is told twice");
            let sample = parse_sample(line);
            assert_eq!(sample.name, name);
            assert!(sample.value.is_finite() && sample.value >= 0.0, "{line}");
            assert!(kind == "gauge" || sample.value.fract() == 0.0, "{line}");
            samples.push(sample);
        }
        assert!(samples.len() > before, "{name} has no samples");
    }
    samples
}

fn parse_sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, rest) = series.split_once('{').unwrap_or((series, "}"));
    assert!(is_name(name), "{line}");
    let inner = rest.strip_suffix('}').unwrap_or_else(|| panic!("{line}"));
    let mut labels = BTreeMap::new();
    for label in inner.split(',').filter(|label| !label.is_empty()) {
        let (label, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        let value = value.strip_suffix('"').unwrap_or_else(|| panic!("{line}"));
        assert!(is_name(label) && !label.contains(':') && !value.contains(['"', '\\']), "{line}");
        assert!(labels.insert(label.to_owned(), value.to_owned()).is_none(), "{line}");
    }
    Sample { name: name.to_owned(), labels, value: value.parse().unwrap_or_else(|_| panic!("{line}")) }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn gauges(stats: handprint::engine::Stats) -> Gauges {
    let mut kernel = KernelCounts::default();
    (kernel.received, kernel.dropped, kernel.ring_fill) = (1000, 7, 0.123_456);
    let mut status = LiveStatus::default();
    (status.stats, status.kernel, status.threads, status.up) = (stats, kernel, 2, 2);
    (status.queued_bytes, status.queue_bytes, status.written) = (300, 4096, 5);
    Gauges { status, uptime: Duration::from_millis(90_500) }
}

#[derive(Default)]
struct Counting(Metrics);

impl Report for Counting {
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>) {
        self.0.add(record);
        Ndjson.flow(record, out);
    }
}

fn read(path: &str) -> (Metrics, handprint::engine::Stats, Vec<Value>) {
    struct Gather(Vec<Value>);
    impl Consumer for Gather {
        fn records(&mut self, _: &Path, records: &[Rendered]) -> ControlFlow<()> {
            self.0.extend(records.iter().map(|record| serde_json::from_slice::<Value>(&record.text).unwrap()));
            ControlFlow::Continue(())
        }
        fn problem(&mut self, _: Problem) {}
        fn progress(&mut self, _: u64) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }
    let paths = [PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)];
    let mut gather = Gather(Vec::new());
    let (stats, reports) =
        pipeline::read(capture::inputs(&paths), &Options::default(), &Counting::default, &mut gather);
    let mut metrics = Metrics::default();
    for report in reports {
        metrics.merge(&report.0);
    }
    (metrics, stats, gather.0)
}
