//! Policies from end to end: captures, the command, and the configuration.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// An Exchange-like server as the advice of July 2015 had it passes that advice, and fails what Office 365 asks for in
/// the points a person would name: the version, and suites without 3DES.
#[test]
fn an_exchange_server_of_2015_passes_its_time_and_fails_office_365() {
    const SERVER: [&str; 3] = ["selection", "key_exchange", "certificate"];
    for (name, wrong) in [
        ("exchange-2015-tls12", &[][..]),
        ("exchange-2015-tls10", &[("selection", "version", "TLSv1.0")]),
        (
            "exchange-2015-tls10-3des",
            &[("selection", "version", "TLSv1.0"), ("selection", "cipher_suite", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")],
        ),
    ] {
        let capture = format!("pcaps/tls/policies/{name}.pcap");
        let records = records(&[&capture, "--policy", "exchange-2015", "--policy", "o365-tls12-only"]);
        let [record] = records.as_slice() else { panic!("{name}: {} records", records.len()) };
        let [then, now] = record["policies"].as_array().unwrap().as_slice() else { panic!("{name}: two verdicts") };
        assert_eq!((&then["policy"], &now["policy"]), (&"exchange-2015".into(), &"o365-tls12-only".into()));
        for part in SERVER {
            assert_eq!(then[part]["verdict"], "complies", "{name}: {part}");
        }
        let mut named = Vec::new();
        for part in SERVER {
            for violation in now[part]["violations"].as_array().into_iter().flatten() {
                let seen = violation["seen"].as_array().unwrap();
                assert_eq!(seen.len(), 1);
                named.push((part, violation["rule"].as_str().unwrap(), seen[0].as_str().unwrap()));
            }
        }
        assert_eq!(named, wrong, "{name}");
    }
}

#[test]
fn what_that_server_refuses_is_unknown_and_the_offer_says_why() {
    for (name, rule, seen) in [
        ("exchange-2015-ssl3-refused", "version", "SSLv3"),
        ("exchange-2015-rc4-refused", "cipher_suite", "TLS_RSA_WITH_RC4_128_SHA"),
    ] {
        let records = records(&[&format!("pcaps/tls/policies/{name}.pcap"), "--policy", "exchange-2015"]);
        let verdict = &records[0]["policies"][0];
        let violations = verdict["offer"]["violations"].as_array().unwrap();
        assert_eq!(violations.len(), 1, "{name}");
        assert_eq!((&violations[0]["rule"], &violations[0]["seen"][0]), (&rule.into(), &seen.into()), "{name}");
        for part in ["selection", "key_exchange", "certificate"] {
            assert_eq!(verdict[part]["verdict"], "unknown", "{name}: {part}");
            assert_eq!(verdict[part]["unknown"][0]["reason"], "the handshake was refused before a ServerHello");
        }
    }
}

#[test]
fn lists_policies_and_prints_all_that_one_allows() {
    let list = handprint(&["policies"]);
    for name in ["mozilla-6.0-intermediate", "nist-800-52r2+pq", "exchange-2015", "tls13-min", "require-pq"] {
        assert!(stdout(&list).contains(name), "{name}");
    }
    let page = handprint(&["policies", "mozilla-modern+require-pq"]);
    for words in [
        "mozilla-6.0-modern+require-pq",
        "TLS_AES_128_GCM_SHA256",
        "X25519MLKEM768",
        "post quantum: yes",
        "max days: 90",
    ] {
        assert!(stdout(&page).contains(words), "{words}: {}", stdout(&page));
    }
    let all: Value = serde_json::from_str(&stdout(&handprint(&["policies", "--format", "json"]))).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 37);
    // What is printed is a policy file again, but its name is taken.
    let folder = Folder::new("printed");
    let toml = stdout(&handprint(&["policies", "cnsa2", "--format", "toml"]));
    let file = folder.write("own.toml", &toml.replace("id = \"cnsa2\"", "id = \"own\""));
    assert_eq!(stdout(&handprint(&["policies", &file, "--format", "toml"])).replace("\"own\"", "\"cnsa2\""), toml);
    let file = folder.write("same.toml", &toml);
    let refused = handprint(&["policies", &file]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("there is a policy called \"cnsa2\" already"));
}

#[test]
fn own_policies_join_and_mistakes_point_at_their_line() {
    let folder = Folder::new("own");
    let own =
        folder.write("ours.toml", "id = 'ours'\nextends = 'exchange-2015'\n[forbid]\ncipher_suites = ['*_3DES_*']\n");
    let capture = "pcaps/tls/policies/exchange-2015-tls10-3des.pcap";
    let records = records(&[capture, "--policy", &own, "--policy", &format!("{own}+no-tls1.0")]);
    let verdicts = records[0]["policies"].as_array().unwrap();
    assert_eq!((&verdicts[0]["policy"], &verdicts[1]["policy"]), (&"ours".into(), &"ours+no-tls1.0".into()));
    let rules = |verdict: &Value| -> Vec<String> {
        let violations = verdict["selection"]["violations"].as_array().unwrap();
        violations.iter().map(|violation| violation["rule"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(rules(&verdicts[0]), ["cipher_suite"]);
    assert_eq!(rules(&verdicts[1]), ["version", "cipher_suite"]);
    let wrong = folder.write("wrong.toml", "id = 'wrong'\n[allow]\ngroups = ['x25519',\n  'p-256']\n");
    let refused = handprint(&["read", capture, "--policy", &wrong]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("wrong.toml:4:3: no group is called \"p-256\""), "{}", stderr(&refused));
    let refused = handprint(&["read", capture, "--policy", "mozilla"]);
    assert!(stderr(&refused).contains("there is mozilla-5.7-modern"), "{}", stderr(&refused));
}

#[test]
fn a_configuration_sets_severities_allows_findings_and_names_policies() {
    let folder = Folder::new("config");
    let text = "policies = ['tls12-min']\n[rules]\ndisable = ['PQ']\n[rules.severity]\nVER007 = 'critical'\n\
                [[allow]]\nrules = ['CIP009']\nsni = ['*.example.ORG']\nclients = ['192.0.2.0/24']\n\
                until = 2090-01-31\nreason = 'an old printer'\n";
    let config = folder.write("config.toml", text);
    let capture = "pcaps/tls/policies/exchange-2015-tls10-3des.pcap";
    let with = records(&[capture, "--config", &config]);
    let without = records(&[capture, "--no-config"]);
    let ids = |record: &Value, member: &str| -> Vec<String> {
        let findings = record[member].as_array().into_iter().flatten();
        findings.map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    };
    let (before, after) = (ids(&without[0], "findings"), ids(&with[0], "findings"));
    assert!(before.contains(&"CIP009".to_owned()) && before.iter().any(|id| id.starts_with("PQ")), "{before:?}");
    let expected: Vec<String> = before.into_iter().filter(|id| id != "CIP009" && !id.starts_with("PQ")).collect();
    assert_eq!(after.iter().collect::<std::collections::BTreeSet<_>>(), expected.iter().collect());
    assert_eq!(with[0]["findings"][0]["id"], "VER007", "it is the gravest now");
    assert_eq!(with[0]["findings"][0]["severity"], "critical");
    assert_eq!(ids(&with[0], "allowed"), ["CIP009"]);
    assert_eq!(with[0]["allowed"][0]["reason"], "an old printer");
    assert_eq!(with[0]["allowed"][0]["until"], "2090-02-01T00:00:00.000000000Z");
    assert_eq!(with[0]["policies"][0]["policy"], "tls12-min");
    assert!(without[0].get("policies").is_none() && without[0].get("allowed").is_none());
    let other = records(&[capture, "--config", &config, "--policy", "no-3des"]);
    assert_eq!(other[0]["policies"].as_array().unwrap().len(), 1);
    assert_eq!(other[0]["policies"][0]["policy"], "no-3des", "the command line before the file");
    let checked = handprint(&["config", "check", &config]);
    assert!(checked.status.success() && stdout(&checked).contains("1 allow entry"), "{}", stdout(&checked));
}

#[test]
fn the_default_configuration_is_read_and_its_mistakes_are_told() {
    let folder = Folder::new("default");
    fs::create_dir_all(folder.0.join("handprint")).unwrap();
    folder.write("handprint/config.toml", "[rules]\ndisabled = ['PQ']\n");
    let capture = "pcaps/tls/policies/exchange-2015-tls12.pcap";
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("XDG_CONFIG_HOME", &folder.0).output().unwrap()
    };
    for arguments in [&["read", capture][..], &["config", "check"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("config.toml:2:1: unknown field `disabled`"), "{}", stderr(&output));
    }
    assert!(run(&["read", capture, "--no-config"]).status.success());
    folder.write("handprint/config.toml", "policies = ['no-rc4']\n");
    assert!(stdout(&run(&["read", capture, "-f", "ndjson"])).contains("\"policy\":\"no-rc4\""));
}

#[test]
fn the_summary_counts_by_policy() {
    let output =
        handprint(&["read", "pcaps/tls/policies", "-f", "table", "--no-config", "--policy", "o365-tls12-only"]);
    let text = stdout(&output);
    let summary = text.split("Policy o365-tls12-only").nth(1).unwrap();
    let numbers = |row: &str| -> Vec<u64> {
        let line = summary.lines().find(|line| line.trim_start().starts_with(row)).unwrap();
        line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    assert_eq!(numbers("offer"), [0, 5, 0]);
    assert_eq!(numbers("selection"), [1, 2, 2]);
    assert_eq!(numbers("key exchange"), [3, 0, 2]);
    assert_eq!(numbers("certificate"), [3, 0, 2]);
    assert!(summary.contains("2  selection: version"), "{summary}");
}

#[test]
fn trusted_roots_are_read_from_pem() {
    let folder = Folder::new("trust");
    let capture = "pcaps/tls/policies/exchange-2015-tls12.pcap";
    let path = folder.write("none.pem", "no certificate\n");
    let refused = handprint(&["read", capture, "--no-config", "--trust", &path]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("none.pem: no certificate in it"), "{}", stderr(&refused));
    let ids = |arguments: &[&str]| -> Vec<String> {
        let records = records(arguments);
        let findings = records[0]["findings"].as_array().unwrap().clone();
        findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    };
    // A root that signed nothing here: the chain leads to none that is trusted.
    let stranger = folder.write("stranger.pem", STRANGER);
    let trusting = ids(&[capture, "--trust", &stranger]);
    assert!(
        !ids(&[capture]).contains(&"CERT022".to_owned()) && trusting.contains(&"CERT022".to_owned()),
        "{trusting:?}"
    );
}

/// A self-signed certificate made for this test: `openssl req -x509 -newkey ed25519 -subj /CN=Stranger -nodes`.
const STRANGER: &str = "-----BEGIN CERTIFICATE-----\n\
MIIBPDCB76ADAgECAhRnhDWdxIBme/HeaFPvBuCpjs51UDAFBgMrZXAwEzERMA8G\n\
A1UEAwwIU3RyYW5nZXIwIBcNMjYxMTIyMDMwNzUzWhgPMjEyNjEwMjkwMzA3NTNa\n\
MBMxETAPBgNVBAMMCFN0cmFuZ2VyMCowBQYDK2VwAyEAVXzrzYfLD//nFh+jYf1w\n\
PQhuz6TAxJjejBcZ+IXoyKajUzBRMB0GA1UdDgQWBBSP6sbzS58y210aBJoC6D5w\n\
ztFHyzAfBgNVHSMEGDAWgBSP6sbzS58y210aBJoC6D5wztFHyzAPBgNVHRMBAf8E\n\
BTADAQH/MAUGAytlcANBAOVq60CEPGClqjm7I5Gac9lWqcR07K6EE976GiMlvu+z\n\
iHg/ADtyTtySaiFR7iFhRO7PvhVbLhkORcKGo8dcrAg=\n\
-----END CERTIFICATE-----\n";

fn records(arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["read", "--format", "ndjson"];
    if !arguments.contains(&"--config") && !arguments.contains(&"--no-config") {
        all.push("--no-config");
    }
    all.extend(arguments);
    let output = handprint(&all);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn handprint(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handprint"));
    // No configuration of whoever runs the test.
    command.args(arguments).env("XDG_CONFIG_HOME", Path::new("/nonexistent")).current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder of its own for each test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("handprint-policies-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
