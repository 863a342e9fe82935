//! The records of every capture under `pcaps/`, as they were when somebody last looked at them.
//!
//! A new capture is a test by itself. `INSTA_UPDATE=always cargo test --test snapshots` writes the snapshots anew; the
//! difference to the last commit is then what is to be looked at.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use handprint::capture::{self, Input};
use handprint::output::ndjson::Ndjson;
use handprint::pipeline::{self, Consumer, Options, Problem, Rendered};
use serde_json::Value;

#[test]
fn captures_give_the_records_they_gave() {
    let mut changed = Vec::new();
    let mut names = BTreeSet::new();
    for input in capture::inputs(&[PathBuf::from("pcaps")]) {
        let input = input.unwrap();
        let name = name(&input.path);
        let text = snapshot(&input);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let same = settings.bind(|| std::panic::catch_unwind(|| insta::assert_snapshot!(name.clone(), text)));
        if same.is_err() {
            changed.push(name.clone());
        }
        assert!(names.insert(format!("{name}.snap")), "two captures called {name}");
    }
    assert!(names.len() > 100, "{} captures", names.len());
    assert!(changed.is_empty(), "{} captures give other records than before: {changed:#?}", changed.len());
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let kept = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let orphans: Vec<_> = kept.filter(|kept| kept.ends_with(".snap") && !names.contains(kept)).collect();
    assert!(orphans.is_empty(), "snapshots of captures that are no more: {orphans:#?}");
}

/// `pcaps/tls/clients/curl.pcap` becomes `tls__clients__curl.pcap`.
fn name(path: &Path) -> String {
    let parts = path.strip_prefix("pcaps").unwrap().components();
    parts.map(|part| part.as_os_str().to_str().unwrap()).collect::<Vec<_>>().join("__")
}

fn snapshot(input: &Input) -> String {
    let mut consumer = Text::default();
    let (stats, _) = pipeline::read(vec![Ok(input.clone())], &Options::default(), &|| Ndjson, &mut consumer);
    let mut text = consumer.0;
    let drops: Vec<_> = stats.drops.iter().map(|(reason, count)| format!("{count} {}", reason.name())).collect();
    let drops = if drops.is_empty() { "nothing".to_owned() } else { drops.join(", ") };
    writeln!(text, "{} packets, {} bytes; not used: {drops}", stats.packets, stats.bytes).unwrap();
    text
}

#[derive(Default)]
struct Text(String);

impl Consumer for Text {
    fn records(&mut self, _: &Path, records: &[Rendered]) -> ControlFlow<()> {
        for record in records {
            lay_out(std::str::from_utf8(&record.text).unwrap().trim_end(), &mut self.0);
            self.0.push('\n');
        }
        ControlFlow::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        match problem {
            Problem::Unreadable(error) => writeln!(self.0, "unreadable: {error}").unwrap(),
            Problem::Damaged { damage, .. } => writeln!(self.0, "damaged: {damage}").unwrap(),
            Problem::OutOfOrder { records, .. } => writeln!(self.0, "out of order: {records}").unwrap(),
        }
    }

    fn progress(&mut self, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A member a line; those of the members whose parts one looks at one by one, a part a line.
fn lay_out(record: &str, text: &mut String) {
    const OPENED: [&str; 9] = [
        "fingerprints",
        "second_fingerprints",
        "client_hello",
        "second_client_hello",
        "server_hello",
        "certificates",
        "client_certificates",
        "alerts",
        "findings",
    ];
    let value: Value = serde_json::from_str(record).unwrap();
    for (name, member) in value.as_object().unwrap() {
        match member {
            Value::Object(parts) if OPENED.contains(&name.as_str()) && !parts.is_empty() => {
                writeln!(text, "{name}:").unwrap();
                for (part, value) in parts {
                    writeln!(text, "  {part}: {value}").unwrap();
                }
            }
            Value::Array(parts) if OPENED.contains(&name.as_str()) && !parts.is_empty() => {
                writeln!(text, "{name}:").unwrap();
                for part in parts {
                    writeln!(text, "  - {part}").unwrap();
                }
            }
            member => writeln!(text, "{name}: {member}").unwrap(),
        }
    }
}
