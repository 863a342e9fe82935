//! Names for fingerprints: the built-in table against the captures it is made of, and labels files from outside.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const CURL: &str = "pcaps/tls/clients/curl.pcap";
/// A hello of which no label knows.
const UNKNOWN: &str = "pcaps/tls/suites/tls12-rc4-sha-negotiated.pcap";

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handprint"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null());
    command.env_remove("CLICOLOR_FORCE").output().unwrap()
}

#[track_caller]
fn stdout(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

fn values(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("handprint-labels-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, content: &str) -> String {
        fs::write(self.0.join(name), content).unwrap();
        self.path(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_built_in_table_is_what_the_captures_give() {
    const MAP: &str = "tests/captures/labels.csv";
    let scratch = Scratch::new("builtin");
    let made = scratch.path("made.csv");
    stdout(&["fingerprint", "pcaps", "--quiet", "--map", MAP, "--write-labels", &made]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = fs::read_to_string(root.join("src/labels/builtin.csv")).unwrap();
    assert!(
        kept == fs::read_to_string(made).unwrap(),
        "src/labels/builtin.csv is not what the captures give; make it anew with\n  cargo run -- fingerprint pcaps \
         --quiet --map {MAP} --write-labels src/labels/builtin.csv > /dev/null"
    );
    // A line that names no capture is a slip of the pen.
    for line in fs::read_to_string(root.join(MAP)).unwrap().lines() {
        if let Some((capture, _)) = line.split_once(',').filter(|(first, _)| first.contains('/')) {
            assert!(root.join("pcaps").join(capture).is_file(), "{MAP} names {capture}, which is not there");
        }
    }
}

#[test]
fn servers_are_named_by_their_own_hellos() {
    let scratch = Scratch::new("servers");
    let made = scratch.path("servers.csv");
    let naming = ["--write-labels", &made, "--name", "Appliance", "--version", "7", "--side", "server"];
    stdout(&[&["fingerprint", CURL, "--quiet"], &naming[..]].concat());
    let labels = fs::read_to_string(&made).unwrap();
    assert!(labels.lines().skip(1).all(|line| line.starts_with("ja3s,")), "{labels}");
    let [record] = &*values(&stdout(&["read", "--labels", &made, CURL])) else { panic!("one record") };
    let named: Vec<_> =
        record["server_labels"].as_array().unwrap().iter().filter(|label| label["by"] == "ja3s").collect();
    assert!(named.iter().any(|label| label["name"] == "Appliance" && label["source"] == *made), "{named:?}");
    assert!(named.iter().any(|label| label["name"] == "Node" && label["source"] == "built-in"), "{named:?}");
    assert!(!record["labels"].to_string().contains("Appliance"));
}

#[test]
fn a_record_names_the_software() {
    let [record] = &*values(&stdout(&["read", CURL])) else { panic!("one record") };
    let label = &record["labels"][0];
    assert_eq!(label["name"], "curl");
    assert_eq!(label["version"], "7.88.1 (OpenSSL 3.0.22)");
    assert_eq!((&label["source"], &label["by"]), (&"built-in".into(), &"ja4".into()));
    assert!(label["captures"].as_u64().unwrap() > 1);
    let records = values(&stdout(&["read", "pcaps/tls/clients/openssl-s-client.pcap"]));
    let names: Vec<_> = records[0]["labels"].as_array().unwrap().iter().map(|label| &label["name"]).collect();
    assert!(names.len() > 1 && names[0] == "OpenSSL", "several send this hello: {names:?}");
    assert!(values(&stdout(&["read", UNKNOWN]))[0].get("labels").is_none());
}

#[test]
fn the_summary_counts_clients_by_software() {
    let text = stdout(&["read", "--format", "table", "pcaps/tls/clients"]);
    let line = text.lines().find(|line| line.starts_with("Clients ")).unwrap();
    assert!(line.contains("6 Chromium, "), "{line}");
}

#[test]
fn labels_written_from_a_capture_name_its_client_elsewhere() {
    let scratch = Scratch::new("written");
    let labels = scratch.path("mine.csv");
    let name = ["--name", "Old agent", "--version", "1.0", "--kind", "application", "--os", "QNX"];
    stdout(&[&["fingerprint", UNKNOWN, "-q", "--write-labels", &labels][..], &name].concat());
    let records = values(&stdout(&["read", "--labels", &labels, UNKNOWN, CURL]));
    let label = &records[0]["labels"][0];
    assert_eq!((&label["name"], &label["version"]), (&"Old agent".into(), &"1.0".into()));
    assert_eq!((&label["kind"], &label["os"]), (&"application".into(), &"QNX".into()));
    assert_eq!(label["source"], labels.as_str());
    assert_eq!(records[1]["labels"][0]["name"], "curl", "the built-in labels stay");
}

#[test]
fn an_offer_that_contradicts_its_label_is_reported() {
    let scratch = Scratch::new("contradicted");
    let [record] = &*values(&stdout(&["read", UNKNOWN])) else { panic!("one record") };
    let stable = record["fingerprints"]["ja4_stable"].as_str().unwrap();
    let found = |alpn: &str| {
        let header = "method,value,name,version,kind,alpn,grease";
        let labels = scratch.file("browser.csv", &format!("{header}\nja4_stable,{stable},Surfer,9,browser,{alpn},\n"));
        let records = values(&stdout(&["read", "--labels", &labels, UNKNOWN]));
        records[0]["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == "ANOM010").cloned()
    };
    let finding = found("h2 http/1.1").unwrap();
    assert_eq!(finding["name"], "ja4-alpn-mismatch");
    assert_eq!(finding["severity"], "low");
    let evidence = &finding["evidence"];
    assert_eq!((&evidence["alpn"], &evidence["label_alpn"]), (&"-".into(), &"h2 http/1.1".into()));
    assert_eq!(evidence["label"][0], "Surfer 9");
    assert_eq!(found("-"), None);
}

#[test]
fn no_client_captured_here_contradicts_its_label() {
    for record in values(&stdout(&["read", "pcaps/tls/clients", "pcaps/quic", "pcaps/dtls"])) {
        let is_found = record["findings"].as_array().unwrap().iter().any(|finding| finding["id"] == "ANOM010");
        assert!(!is_found, "{} {}", record["capture"], record["findings"]);
    }
}

#[test]
fn lists_distinct_hellos_the_most_frequent_first_with_any_number_of_threads() {
    let arguments = ["fingerprint", "pcaps/tls", "-q", "-j"];
    let text = stdout(&[&arguments[..], &["1"]].concat());
    assert_eq!(text, stdout(&[&arguments[..], &["3"]].concat()));
    let hellos = values(&text);
    let counts: Vec<_> = hellos.iter().map(|hello| hello["hellos"].as_u64().unwrap()).collect();
    assert!(counts.len() > 20 && counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
    let chromium = hellos.iter().find(|hello| hello["labels"][0]["name"] == "Chromium").unwrap();
    assert_eq!((&chromium["ja3"], &chromium["grease"]), (&Value::Null, &true.into()), "its extensions are shuffled");
    assert_eq!(chromium["servers"][0]["name"], "www.example.org");
}

#[test]
fn hellos_are_what_their_schema_says() {
    let mut compiler = boon::Compiler::new();
    let schema: Value = serde_json::from_str(handprint::output::HELLO_SCHEMA).unwrap();
    let flow: Value = serde_json::from_str(handprint::output::FLOW_SCHEMA).unwrap();
    assert_eq!(schema["$defs"]["label"], flow["$defs"]["label"], "a label is the same everywhere");
    compiler.add_resource("urn:handprint:hello:1", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("urn:handprint:hello:1", &mut schemas).unwrap();
    let hellos = values(&stdout(&["fingerprint", "pcaps", "-q", "--format", "ndjson"]));
    assert!(hellos.len() > 100, "{} hellos", hellos.len());
    for hello in &hellos {
        if let Err(error) = schemas.validate(hello, index) {
            panic!("{error:#}\n{hello}");
        }
    }
    let labelled = hellos.iter().find(|hello| hello["labels"].as_array().is_some_and(|labels| labels.len() > 1));
    for (pointer, member) in [("", "more"), ("/servers/0", "more"), ("/labels/0", "more")] {
        let mut bad = labelled.unwrap().clone();
        bad.pointer_mut(pointer).unwrap().as_object_mut().unwrap().insert(member.to_owned(), 1.into());
        assert!(schemas.validate(&bad, index).is_err(), "{pointer}");
    }
    let mut bad = labelled.unwrap().clone();
    bad.as_object_mut().unwrap().remove("ja3");
    assert!(schemas.validate(&bad, index).is_err());
}

#[test]
fn writes_hellos_as_table_and_csv() {
    let table = stdout(&["fingerprint", CURL, "-q", "--format", "table"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[2].starts_with("        1  t13d3112h2_e8f1e7e78f70_b26ce05bbdd6  "), "{table}");
    assert!(lines[3].contains("www.example.org") && lines[3].ends_with("curl 7.88.1 (OpenSSL 3.0.22)"), "{table}");
    assert!(lines.iter().all(|line| line.chars().count() <= 100));
    let csv = stdout(&["fingerprint", CURL, "-q", "--format", "csv"]);
    assert!(csv.starts_with("hellos,ja4,ja4_stable,ja3,ja3n,servers,labels\n1,t13d3112h2_e8f1e7e78f70_b26ce05bbdd6,"));
}

#[test]
fn rejects_labels_that_cannot_be_read_or_belong_to_nobody() {
    let scratch = Scratch::new("rejected");
    let labels = scratch.file("bad.csv", "method,value,name\nja4,short,Someone\n");
    let output = run(&["read", "--labels", &labels, CURL]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!("handprint: error: {labels}:2: \"short\" is no ja4\n")
    );
    let output = run(&["fingerprint", CURL, "--write-labels", &scratch.path("none.csv")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--name or --map"));
    assert!(!Path::new(&scratch.path("none.csv")).exists());
}
