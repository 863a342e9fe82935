//! Every record handprint writes is what `flow.schema.json` says, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use handprint::capture;
use handprint::config::Config;
use handprint::output::FLOW_SCHEMA;
use handprint::output::ndjson::Ndjson;
use handprint::pipeline::{self, Consumer, Options, Problem, Rendered};
use handprint::policy::Catalogue;
use serde_json::Value;

#[test]
fn every_capture_here_gives_what_the_schema_says() {
    let records = validate(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps"));
    assert!(records > 100, "{records} records");
}

#[test]
fn verdicts_on_policies_and_allowed_findings_are_what_the_schema_says() {
    let mut options = Options::default();
    options.engine.policies = Catalogue::shipped().iter().cloned().collect();
    let known = "[[allow]]\nrules = ['VER', 'CIP']\nreason = 'known'\nuntil = 2099-12-31\n";
    options.engine.allowed = Config::parse("test", known, Path::new("")).unwrap().allowed;
    let (schemas, index) = compiled();
    let (mut verdicts, mut allowed) = (0, 0);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/tls");
    each_record_with(&options, &path, &mut |capture, record| {
        if let Err(error) = schemas.validate(&record, index) {
            panic!("{}: {error:#}\n{record}", capture.display());
        }
        verdicts += record["policies"].as_array().unwrap().len();
        allowed += record["allowed"].as_array().map_or(0, Vec::len);
        for finding in record["findings"].as_array().unwrap() {
            assert!(!["VER", "CIP"].contains(&&finding["id"].as_str().unwrap()[..3]), "{finding}");
        }
    });
    assert!(verdicts > 37 * 200 && allowed > 500, "{verdicts} verdicts, {allowed} allowed findings");
}

#[test]
fn the_corpus_gives_what_the_schema_says() {
    let corpus = std::env::var_os("HANDPRINT_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    let corpus = corpus.join("pcaps");
    if !corpus.is_dir() {
        // Test output is where a person looks for it.
        #[expect(clippy::print_stderr, reason = "says what was skipped")]
        {
            eprintln!("skipped: {} is not there", corpus.display());
        }
        return;
    }
    assert!(validate(&corpus) > 100);
}

#[test]
fn no_object_takes_members_it_does_not_know() {
    let schema: Value = serde_json::from_str(FLOW_SCHEMA).unwrap();
    let mut objects = 0;
    visit(&schema, &mut |node| {
        if node.get("type") == Some(&Value::from("object")) {
            objects += 1;
            let additional = node.get("additionalProperties");
            let is_evidence = node.get("properties").is_none();
            assert!(is_evidence || additional == Some(&Value::Bool(false)), "{node:#}");
            for (name, member) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let described = member.get("description").is_some() || member.get("$ref").is_some();
                assert!(described, "{name} is not described");
            }
        }
    });
    assert!(objects > 10);
}

#[test]
fn rejects_unknown_and_missing_members() {
    let (schemas, index) = compiled();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/tls/clients");
    let mut good = None;
    each_record(&path, &mut |_, record| good = Some(record));
    let good = good.expect("a record");
    assert!(schemas.validate(&good, index).is_ok());
    let mut unknown = good.clone();
    unknown.pointer_mut("/fingerprints").unwrap().as_object_mut().unwrap().insert("ja5".to_owned(), "x".into());
    assert!(schemas.validate(&unknown, index).is_err());
    let mut missing = good;
    missing.as_object_mut().unwrap().remove("outcome");
    assert!(schemas.validate(&missing, index).is_err());
}

fn validate(path: &Path) -> usize {
    let (schemas, index) = compiled();
    let mut records = 0;
    each_record(path, &mut |capture, record| {
        records += 1;
        if let Err(error) = schemas.validate(&record, index) {
            panic!("{}: {error:#}\n{record}", capture.display());
        }
    });
    records
}

fn compiled() -> (Schemas, SchemaIndex) {
    let mut compiler = Compiler::new();
    let schema: Value = serde_json::from_str(FLOW_SCHEMA).unwrap();
    compiler.add_resource("urn:handprint:flow:1", schema).unwrap();
    let mut schemas = Schemas::new();
    let index = compiler.compile("urn:handprint:flow:1", &mut schemas).unwrap();
    (schemas, index)
}

fn visit(node: &Value, look: &mut dyn FnMut(&Value)) {
    look(node);
    match node {
        Value::Array(items) => items.iter().for_each(|item| visit(item, look)),
        Value::Object(members) => members.values().for_each(|member| visit(member, look)),
        _ => {}
    }
}

fn each_record(path: &Path, act: &mut dyn FnMut(&Path, Value)) {
    each_record_with(&Options::default(), path, act);
}

fn each_record_with(options: &Options, path: &Path, act: &mut dyn FnMut(&Path, Value)) {
    struct Act<'a>(&'a mut dyn FnMut(&Path, Value));
    impl Consumer for Act<'_> {
        fn records(&mut self, capture: &Path, records: &[Rendered]) -> ControlFlow<()> {
            for Rendered { text, .. } in records {
                assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1);
                (self.0)(capture, serde_json::from_slice(text).unwrap());
            }
            ControlFlow::Continue(())
        }
        fn problem(&mut self, _: Problem) {}
        fn progress(&mut self, _: u64) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }
    let paths = [PathBuf::from(path)];
    pipeline::read(capture::inputs(&paths), options, &|| Ndjson, &mut Act(act));
}
