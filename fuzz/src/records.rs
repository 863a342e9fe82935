//! What every record must be, whatever came before it.

use std::sync::LazyLock;

use boon::{Compiler, SchemaIndex, Schemas};
use handprint::engine::{Engine, EngineConfig, Stats};
use handprint::findings;
use handprint::flow::Limits;
use handprint::output::ndjson::Ndjson;
use handprint::output::summary::Tally;
use handprint::output::table::Table;
use handprint::output::{FLOW_SCHEMA, text};
use handprint::packet::FragmentLimits;
use handprint::pipeline::Report as _;
use handprint::record::FlowRecord;
use handprint::time::Timestamp;
use md5::{Digest, Md5};
use serde_json::Value;

use crate::client_hello::hex;
use crate::program::OwnedFrame;

/// What an engine made of some frames.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The records, one line of JSON each.
    pub json: Vec<u8>,
    /// Whether the opening of each one's connection was seen.
    pub opened: Vec<bool>,
    pub stats: Stats,
}

impl Outcome {
    pub fn records(&self) -> Vec<Value> {
        let lines = self.json.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).expect("a record is JSON")).collect()
    }
}

/// The limits that a byte asks for: each bit makes one so small that it is met.
pub fn config(small: u8) -> EngineConfig {
    let mut limits = Limits::default();
    let mut fragments = FragmentLimits::default();
    if small & 1 != 0 {
        limits.flows = 3;
    }
    if small & 2 != 0 {
        limits.handshakes = 2;
    }
    if small & 4 != 0 {
        limits.buffer_bytes = 8 << 10;
    }
    if small & 8 != 0 {
        (limits.early_bytes, limits.early_segments) = (2 << 10, 4);
    }
    if small & 16 != 0 {
        limits.message_bytes = 1 << 10;
    }
    if small & 32 != 0 {
        limits.history_bytes = 64;
    }
    if small & 64 != 0 {
        (fragments.datagrams, fragments.bytes) = (2, 4 << 10);
    }
    let mut config = EngineConfig::for_capture("fuzz");
    (config.limits, config.fragments) = (limits, fragments);
    config
}

/// Takes frames through an engine, and checks the engine after each and every record.
pub fn read(frames: &[OwnedFrame], config: EngineConfig) -> Outcome {
    let (limits, fragments) = (config.limits.clone(), config.fragments);
    let mut engine = Engine::new(config);
    let mut checker = Checker::default();
    let mut last = 0;
    let mut in_order = true;
    for frame in frames {
        in_order &= frame.microseconds >= last;
        last = frame.microseconds;
        if !in_order {
            checker.settled = Timestamp::ZERO;
        }
        engine.push(&frame.lend(), &mut |record: &FlowRecord<'_>| checker.record(record));
        let stats = engine.stats();
        assert!(stats.open_flows <= limits.flows, "{} flows are open", stats.open_flows);
        let most = limits.buffer_bytes + fragments.bytes;
        assert!(stats.buffered_bytes <= most, "{} bytes are buffered, {most} at most", stats.buffered_bytes);
        checker.settled = if in_order { engine.settled() } else { Timestamp::ZERO };
    }
    engine.finish(&mut |record: &FlowRecord<'_>| checker.record(record));
    let stats = engine.stats();
    assert_eq!((stats.open_flows, stats.buffered_bytes), (0, 0), "something is left at the end");
    assert_eq!(stats.packets, frames.len() as u64);
    assert_eq!(stats.flows, checker.records);
    Outcome { json: checker.json, opened: checker.opened, stats }
}

#[derive(Default)]
struct Checker {
    json: Vec<u8>,
    opened: Vec<bool>,
    records: u64,
    settled: Timestamp,
    tally: Tally,
}

impl Checker {
    fn record(&mut self, record: &FlowRecord<'_>) {
        self.records += 1;
        self.opened.push(record.facts.coverage.syn_seen == Some(true));
        self.tally.add(record);
        let start = self.json.len();
        Ndjson.flow(record, &mut self.json);
        let line = &self.json[start..];
        assert!(line.ends_with(b"\n") && line.iter().filter(|byte| **byte == b'\n').count() == 1);
        let json: Value = serde_json::from_slice(line).expect("a record is JSON");
        check_schema(&json);
        check_members(&json);
        check_findings(record);
        check_table(record);
        assert!(record.facts.ended >= record.facts.started || self.settled == Timestamp::ZERO, "ended before it began");
        assert!(
            record.facts.started >= self.settled,
            "a record of {:?} after {:?} was settled",
            record.facts.started,
            self.settled
        );
    }
}

/// The record is what the schema that ships with handprint says.
fn check_schema(json: &Value) {
    static SCHEMA: LazyLock<(Schemas, SchemaIndex)> = LazyLock::new(|| {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let schema: Value = serde_json::from_str(FLOW_SCHEMA).expect("the schema is JSON");
        compiler.add_resource("flow.schema.json", schema).expect("the schema is a schema");
        let index = compiler.compile("flow.schema.json", &mut schemas).expect("the schema compiles");
        (schemas, index)
    });
    if let Err(error) = SCHEMA.0.validate(json, SCHEMA.1) {
        panic!("{error}\n{json:#}");
    }
}

fn check_members(json: &Value) {
    let prints = &json["fingerprints"];
    if json["client_hello"].is_null() {
        assert!(prints["ja3"].is_null() && prints["ja4"].is_null(), "fingerprints without a hello");
    }
    if let (Some(hash), Some(text)) = (prints["ja3"].as_str(), prints["ja3_string"].as_str()) {
        assert_eq!(hash, hex(&Md5::digest(text)));
    }
    if json["server_hello"].is_null() && json["hello_retry_request"].is_null() {
        assert!(json["cipher_suite"].is_null(), "a suite that nobody selected");
    }
}

fn check_findings(record: &FlowRecord<'_>) {
    for pair in record.findings.windows(2) {
        assert!(pair[0].severity >= pair[1].severity, "findings are out of order");
    }
    for finding in record.findings {
        let documented = finding.rule.documentation.evidence;
        assert!(findings::find(finding.rule.id).is_some(), "{} is not in the registry", finding.rule.id);
        let mut members = 0;
        for (name, value) in finding.evidence.iter() {
            // Some rules apply another to somebody else, and say so.
            let is_named = documented.contains(&format!("`{name}`")) || documented.contains("the evidence of");
            assert!(is_named, "{}: {name} is not documented", finding.rule.id);
            let json = serde_json::to_value(value).expect("evidence is JSON");
            assert!(!json.is_null(), "{}: {name} is null", finding.rule.id);
            members += 1;
        }
        // What the wire may not tell is documented as `there where …`.
        let promised = documented.starts_with('`') && !documented.contains("where");
        assert!(members > 0 || !promised, "{} has no evidence", finding.rule.id);
    }
}

/// Nothing that steers a terminal gets into the table, and its lines keep to their width.
fn check_table(record: &FlowRecord<'_>) {
    for width in [60, 100, 200] {
        let mut rows = Vec::new();
        Table::new(width, false).flow(record, &mut rows);
        let rows = String::from_utf8(rows).expect("a table is text");
        for line in rows.lines() {
            assert!(!line.chars().any(char::is_control), "{line:?}");
            assert!(text::width(line) <= width, "{} columns of {width}: {line:?}", text::width(line));
        }
    }
}
