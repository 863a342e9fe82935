//! The command from outside: arguments in; standard output, standard error and exit status out.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const CURL: &str = "pcaps/tls/clients/curl.pcap";
const RC4: &str = "pcaps/tls/suites/tls12-rc4-sha-negotiated.pcap";
const SSL3: &str = "pcaps/tls/suites/ssl3-rsa-export-rc4-40.pcap";
const CUT: &str = "pcaps/segments/cut-in-the-middle-of-packet.pcap";

fn handprint(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handprint"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null());
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    handprint(arguments).output().unwrap()
}

/// What a run that must succeed in silence prints.
#[track_caller]
fn stdout(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(stderr_of(&output), "");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

fn stderr_of(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn records(text: &[u8]) -> Vec<Value> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// Pipes a file in, and gives back what comes out.
fn with_stdin(arguments: &[&str], input: Vec<u8>) -> Output {
    let mut child =
        handprint(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("handprint-cli-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The bytes with every `from` made `to`, of the same length.
fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut found = 0;
    for start in 0..bytes.len().saturating_sub(from.len()) {
        if bytes[start..].starts_with(from) {
            bytes[start..start + to.len()].copy_from_slice(to);
            found += 1;
        }
    }
    assert!(found > 0);
    bytes
}

#[test]
fn writes_one_json_object_a_line_where_nobody_looks_on() {
    let text = stdout(&["read", CURL]);
    let records = records(text.as_bytes());
    assert_eq!(text.lines().count(), records.len());
    assert_eq!(records[0]["type"], "flow");
    assert_eq!(records[0]["capture"], CURL);
    assert_eq!(records[0]["sni"], "www.example.org");
}

#[test]
fn writes_a_table_within_a_hundred_columns() {
    let text = stdout(&["read", "--format", "table", "pcaps/tls/suites", "pcaps/tls/clients"]);
    for line in text.lines() {
        let columns = line.chars().count();
        assert!(columns <= 100, "{columns}: {line}");
        assert_eq!(line.trim_end(), line);
    }
    for shown in [
        "CLIENT → SERVER",
        "www.example.org",
        "TLSv1.2",
        "ECDHE_RSA_RC4_128_SHA",
        "rc4-negotiated",
        CURL,
        "handshakes in",
        "Negotiated",
        "Weak suites",
        "Findings",
    ] {
        assert!(text.contains(shown), "{shown} is not shown");
    }
    let hash = records(stdout(&["read", CURL]).as_bytes())[0]["fingerprints"]["ja4"].as_str().unwrap().to_owned();
    assert!(text.contains(&hash));
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn leaves_the_summary_out_on_demand() {
    for option in ["--no-summary", "--quiet"] {
        assert!(!stdout(&["read", "-f", "table", option, CURL]).contains("handshakes in"));
    }
}

#[test]
fn names_what_is_no_capture_and_reads_the_others() {
    let output = run(&["read", "Cargo.toml", CURL]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(records(&output.stdout).len(), records(stdout(&["read", CURL]).as_bytes()).len());
    assert!(stderr_of(&output).contains("Cargo.toml: not a capture file (plain text"), "{}", stderr_of(&output));
}

#[test]
fn walks_directories_past_what_is_no_capture() {
    let scratch = Scratch::new("walk");
    fs::create_dir(scratch.path("below")).unwrap();
    scratch.file("below/b.dump", &file(CURL));
    scratch.file("a.txt", b"hello");
    let output = run(&["read", &scratch.path("")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("a.txt: not a capture file"));
    let records = records(&output.stdout);
    assert!(!records.is_empty());
    assert!(records[0]["capture"].as_str().unwrap().ends_with("below/b.dump"));
}

#[test]
fn fails_on_what_is_not_there() {
    let output = run(&["read", "no/such/file", CURL]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("no/such/file: "));
    assert!(!output.stdout.is_empty());
}

#[test]
fn warns_of_a_cut_file_and_succeeds() {
    let output = run(&["read", CUT]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr_of(&output).contains("warning"), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("ends in the middle of a packet"));
    let output = run(&["read", "--quiet", CUT]);
    assert_eq!((output.status.code(), stderr_of(&output)), (Some(0), ""));
}

#[test]
fn reads_standard_input_and_compressed_captures_by_their_content() {
    let strip = |output: &[u8]| {
        let mut records = records(output);
        records.iter_mut().for_each(|record| {
            record.as_object_mut().unwrap().remove("capture");
        });
        records
    };
    let plain = strip(stdout(&["read", "pcaps/formats/pcap-microseconds-little-endian.pcap"]).as_bytes());
    assert!(!plain.is_empty());
    for name in ["pcap-gzip.pcap.gz", "pcap-zstd.pcap.zst", "pcapng.pcapng", "pcap-microseconds-little-endian.pcap"] {
        let bytes = file(&format!("pcaps/formats/{name}"));
        for threads in ["1", "3"] {
            let output = with_stdin(&["read", "-j", threads, "-"], bytes.clone());
            assert_eq!((output.status.code(), stderr_of(&output)), (Some(0), ""));
            assert_eq!(records(&output.stdout)[0]["capture"], "-");
            assert_eq!(strip(&output.stdout).len(), plain.len(), "{name}");
        }
    }
    let output = with_stdin(&["read", "-"], b"no capture at all".to_vec());
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn gives_the_same_bytes_with_any_number_of_threads() {
    let alone = run(&["read", "--threads", "1", "pcaps"]);
    for threads in ["2", "4"] {
        let output = run(&["read", "--threads", threads, "pcaps"]);
        assert!(output.stdout == alone.stdout);
        assert_eq!(stderr_of(&output), stderr_of(&alone));
        let table = |threads| run(&["read", "--threads", threads, "--format", "table", "pcaps"]).stdout;
        assert!(table(threads) == table("1"));
    }
    let output = run(&["read", "--threads", "0", CURL]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn ends_cleanly_when_nobody_reads_on() {
    for format in ["ndjson", "table"] {
        let mut child = handprint(&["read", "--format", format, "pcaps", "pcaps", "pcaps"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 100];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        assert!(!stderr_of(&output).contains("panic") && !stderr_of(&output).contains("error"));
    }
}

#[test]
fn exits_with_one_only_where_fail_on_asks_for_it() {
    let code = |arguments: &[&str]| run(arguments).status.code();
    assert_eq!(code(&["read", SSL3]), Some(0));
    assert_eq!(code(&["read", "--fail-on", "critical", SSL3]), Some(1));
    assert_eq!(code(&["read", "--fail-on", "critical", CURL]), Some(0));
    assert_eq!(code(&["read", "--fail-on", "low", "--select", "VER005", CURL]), Some(0));
    assert_eq!(
        code(&["read", "--fail-on", "high", "--ignore", "VER,CIP", "--select", "VER,CIP,ver005", SSL3]),
        Some(0)
    );
    assert_eq!(code(&["read", "--fail-on", "critical", SSL3, "no/such/file"]), Some(2));
    assert_eq!(code(&["read", "--fail-on", "dire", SSL3]), Some(2));
}

#[test]
fn reports_the_findings_that_were_selected() {
    let ids = |arguments: &[&str]| -> Vec<String> {
        let text = stdout(&[&["read", RC4], arguments].concat());
        let findings = records(text.as_bytes())[0]["findings"].as_array().unwrap().clone();
        findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = ids(&[]);
    assert!(all.contains(&"CIP007".to_owned()) && all.len() > 2, "{all:?}");
    assert_eq!(ids(&["--select", "rc4-negotiated"]), ["CIP007"]);
    assert_eq!(ids(&["--select", "CIP007", "--select", "ver"]).first().map(String::as_str), Some("CIP007"));
    assert!(ids(&["--select", "CIP"]).iter().all(|id| id.starts_with("CIP")));
    assert!(!ids(&["--ignore", "cip007,VER"]).iter().any(|id| id == "CIP007" || id.starts_with("VER")));
    let text = stdout(&["read", RC4, "--min-severity", "high"]);
    for finding in records(text.as_bytes())[0]["findings"].as_array().unwrap() {
        assert!(["high", "critical"].contains(&finding["severity"].as_str().unwrap()));
    }
    for option in ["--select", "--ignore"] {
        let output = run(&["read", RC4, option, "CIP007,no-such-rule"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr_of(&output).contains("no-such-rule"));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn writes_to_the_file_it_is_told() {
    let scratch = Scratch::new("output");
    let path = scratch.path("flows.ndjson");
    assert_eq!(stdout(&["read", CURL, "-o", &path]), "");
    assert_eq!(fs::read_to_string(&path).unwrap(), stdout(&["read", CURL]));
    let output = run(&["read", CURL, "-o", &scratch.path("no/such/directory")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("no/such/directory"), "{}", stderr_of(&output));
}

#[test]
fn reports_an_output_that_takes_no_more() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let output = run(&["read", CURL, "-o", "/dev/full"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("cannot write /dev/full"), "{}", stderr_of(&output));
}

#[test]
fn never_overwrites_what_it_reads() {
    let scratch = Scratch::new("overwrite");
    let path = scratch.file("a.pcap", &file(CURL));
    let output = run(&["read", &scratch.path(""), "-o", &path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(fs::read(&path).unwrap() == file(CURL));
}

#[test]
fn colours_only_where_that_is_wanted() {
    let table = |arguments: &[&str], variable: &str| {
        let mut command = handprint(&[&["read", "-f", "table", SSL3], arguments].concat());
        if !variable.is_empty() {
            command.env(variable, "1");
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(!table(&[], "").contains('\u{1b}'));
    assert!(table(&[], "CLICOLOR_FORCE").contains('\u{1b}'));
    assert!(!table(&[], "NO_COLOR").contains('\u{1b}'));
    assert!(table(&["--color", "always"], "NO_COLOR").contains('\u{1b}'));
    assert!(!table(&["--color", "never"], "CLICOLOR_FORCE").contains('\u{1b}'));
    let ndjson = handprint(&["read", SSL3]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(!ndjson.stdout.contains(&0x1b));
}

#[test]
fn lets_nothing_from_the_wire_reach_the_terminal_as_it_is() {
    let scratch = Scratch::new("hostile");
    for (number, name) in
        ["\u{1b}[31mevil\nline\u{7}", "a\u{202e}gro.live\u{9b}m", "\r\u{2028}e\u{200b}xample."].into_iter().enumerate()
    {
        assert_eq!(name.len(), "www.example.org".len());
        let bytes = replaced(file(CURL), b"www.example.org", name.as_bytes());
        let path = scratch.file(&format!("{number}\u{1b}[2J\n.pcap"), &bytes);
        let table = stdout(&["read", "-f", "table", &path]);
        let kept = |character: &char| {
            *character != '\n' && (character.is_control() || "\u{202e}\u{2028}\u{200b}".contains(*character))
        };
        assert_eq!(table.chars().find(kept), None, "{table}");
        let ndjson = stdout(&["read", &path]);
        assert_eq!(ndjson.lines().count(), records(ndjson.as_bytes()).len());
        assert!(!ndjson.trim_end_matches('\n').chars().any(char::is_control));
    }
    let output = run(&["read", &scratch.path("no\u{1b}[31m")]);
    assert!(!stderr_of(&output).contains('\u{1b}'));
}

#[test]
fn lists_rules_in_every_format() {
    let list: Value = serde_json::from_str(&stdout(&["rules", "--format", "json"])).unwrap();
    let rules = list.as_array().unwrap();
    assert!(rules.len() > 50);
    let (table, markdown) = (stdout(&["rules"]), stdout(&["rules", "--format", "markdown"]));
    for rule in rules {
        let (id, name) = (rule["id"].as_str().unwrap(), rule["name"].as_str().unwrap());
        assert!(table.lines().any(|line| line.trim_start().starts_with(id) && line.ends_with(name)), "{id}");
        assert!(markdown.contains(&format!("### {id} {name}")));
        for member in ["family", "severity", "reports", "why", "evidence", "action"] {
            assert!(!rule[member].as_str().unwrap().is_empty(), "{id} {member}");
        }
    }
}

#[test]
fn explains_rules_by_id_name_and_family() {
    let text = stdout(&["explain", "CIP007"]);
    for shown in ["CIP007 rc4-negotiated", "What it reports", "Why it matters", "Evidence", "What to do", "References"]
    {
        assert!(text.contains(shown), "{shown}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100));
    assert_eq!(stdout(&["explain", "RC4-negotiated"]), text);
    assert!(stdout(&["explain", "cip"]).contains(&text));
    let output = run(&["explain", "rc4"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("rc4-negotiated"), "{}", stderr_of(&output));
    assert_eq!(run(&["explain", "CIP999"]).status.code(), Some(2));
}

#[test]
fn prints_schema_completions_manual_and_version() {
    assert_eq!(stdout(&["schema"]), handprint::output::FLOW_SCHEMA);
    assert_eq!(stdout(&["schema", "flow"]), handprint::output::FLOW_SCHEMA);
    assert_eq!(stdout(&["schema", "hello"]), handprint::output::HELLO_SCHEMA);
    assert_eq!(stdout(&["schema", "stats"]), handprint::output::STATS_SCHEMA);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(stdout(&["completions", shell]).contains("min-severity"), "{shell}");
    }
    assert!(stdout(&["man"]).starts_with(".ie") || stdout(&["man"]).contains(".TH handprint 1"));
    assert!(stdout(&["man"]).contains("fail\\-on"));
    assert!(stdout(&["--version"]).contains(handprint::tls::codepoints::REGISTRY_DATE));
}

#[test]
fn refuses_arguments_that_make_no_sense() {
    for arguments in [&["read"][..], &["read", CURL, "--format", "xml"], &["write"], &[]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        assert!(!output.stderr.is_empty());
    }
}
