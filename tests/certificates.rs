//! Every capture of a certificate yields the findings its name promises, and of the server's side no others.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use handprint::capture::Source;
use handprint::engine::{Engine, EngineConfig};
use handprint::findings::{RuleSet, Settings, Severity, TrustStore};
use handprint::record::FlowRecord;
use handprint::tls::x509::Certificate;

/// The certificate rules that report each capture, without those that report nearly all of them: the test authority
/// issues for longer than a public one may (CERT014), and gives nobody its root (CERT021 where it is sent).
const EXPECTED: &[(&str, &[&str])] = &[
    ("ca-as-leaf", &["CERT015", "CERT016", "CERT024", "CERT026"]),
    ("certificates-tls13-encrypted", &["CERT050"]),
    ("client-certificate-empty", &["CERT030", "CERT032"]),
    ("client-certificate-expired", &["CERT030", "CERT031", "CERT033"]),
    ("client-certificate-given", &["CERT030", "CERT033"]),
    ("client-certificate-ssl3-none", &["CERT030", "CERT032"]),
    ("client-certificate-tls10", &["CERT030", "CERT031", "CERT033"]),
    ("client-certificate-tls13", &["CERT050"]),
    ("client-certificate-weak", &["CERT030", "CERT031", "CERT033"]),
    ("dsa-1024", &["CERT008"]),
    ("duplicate", &["CERT020"]),
    ("ec-p192", &["CERT007"]),
    ("ec-p256", &[]),
    ("ec-p256-sha1-signed", &["CERT003"]),
    ("ec-p384", &[]),
    ("ec-p521", &[]),
    ("ec-secp256k1", &[]),
    ("ed25519", &[]),
    ("eku-client-only", &["CERT025"]),
    ("expired", &["CERT011"]),
    ("expired-intermediate", &["CERT011"]),
    ("incomplete", &["CERT019"]),
    ("ku-no-encipherment-rsa-kex", &["CERT026"]),
    ("long-validity", &[]),
    ("many-names", &[]),
    ("md2-signed", &["CERT001", "CERT029"]),
    ("md5-signed", &["CERT002", "CERT029"]),
    ("misordered", &["CERT020"]),
    ("must-staple-without-staple", &["CERT034"]),
    ("no-san", &["CERT015", "CERT016"]),
    ("not-yet", &["CERT012"]),
    ("ocsp-stapled", &[]),
    ("ocsp-stapled-tls13", &["CERT050"]),
    ("rsa-1024", &["CERT005"]),
    ("rsa-1024-tls10-rsa-kex", &["CERT005", "CERT018"]),
    ("rsa-2048", &[]),
    ("rsa-4096", &[]),
    ("rsa-512", &["CERT004"]),
    ("rsa-768", &["CERT004"]),
    ("rsa-exponent-3", &["CERT009"]),
    ("rsa-pss-key", &[]),
    ("rsa-pss-signed", &[]),
    ("self-signed", &["CERT018"]),
    ("self-signed-1024", &["CERT005", "CERT018"]),
    ("sha1-signed", &["CERT003"]),
    ("v1", &["CERT015", "CERT016", "CERT023"]),
    ("validity-2050", &[]),
    ("weak-intermediate", &["CERT002", "CERT029"]),
    ("wildcard", &["CERT017"]),
    ("with-root", &[]),
    ("wrong-name", &["CERT015"]),
];

/// Reported everywhere or nearly: see [`EXPECTED`].
const EVERYWHERE: [&str; 2] = ["CERT014", "CERT021"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/tls/certificates")
}

/// Reads one capture under `settings`, with what each of its flows is.
fn read(name: &str, settings: Settings, mut each: impl FnMut(&FlowRecord<'_>)) {
    let mut config = EngineConfig::for_capture(name);
    config.rules = RuleSet::select(&["CERT".to_owned()], &[], Severity::Info, settings).unwrap();
    let mut source = Source::open(&folder().join(name).with_extension("pcap")).unwrap();
    let mut engine = Engine::new(config);
    let mut sink = |record: &FlowRecord<'_>| each(record);
    while let Some(frame) = source.next_frame().unwrap() {
        engine.push(&frame, &mut sink);
    }
    engine.finish(&mut sink);
}

fn findings(name: &str, settings: Settings) -> Vec<&'static str> {
    let mut ids = Vec::new();
    read(name, settings, |record| ids.extend(record.findings.iter().map(|finding| finding.rule.id)));
    ids.sort_unstable();
    ids
}

/// The root of the test authority, as one capture has it.
fn root() -> Certificate {
    let mut root = None;
    read("with-root", Settings::default(), |record| {
        let last = record.facts.certificates.as_ref().and_then(|chain| chain.last());
        root = last.map(|certificate| Certificate::clone(certificate));
    });
    root.unwrap()
}

fn trusting() -> Settings {
    let mut settings = Settings::default();
    settings.trust = Some(TrustStore::new([&root()]));
    settings
}

#[test]
fn every_capture_yields_what_its_name_says() {
    for (name, expected) in EXPECTED {
        let mut found = findings(name, Settings::default());
        found.retain(|id| !EVERYWHERE.contains(id));
        assert_eq!(found, *expected, "{name}");
    }
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let is_listed = EXPECTED.iter().any(|(name, _)| path.file_stem() == Some(name.as_ref()));
        assert!(is_listed, "{}: say what it yields", path.display());
    }
}

#[test]
fn long_lives_and_roots_are_reported_where_they_are() {
    for name in ["long-validity", "validity-2050", "self-signed-1024"] {
        assert!(findings(name, Settings::default()).contains(&"CERT014"), "{name}");
    }
    assert_eq!(findings("expired", Settings::default()), ["CERT011"]);
    for (name, is_sent) in [("with-root", true), ("misordered", true), ("rsa-2048", false)] {
        assert_eq!(findings(name, Settings::default()).contains(&"CERT021"), is_sent, "{name}");
    }
}

#[test]
fn chains_lead_to_the_root_that_is_trusted_or_nowhere() {
    for (name, expected) in [
        ("rsa-2048", None),
        ("with-root", None),
        ("misordered", None),
        ("duplicate", None),
        ("incomplete", Some("CERT019")),
        ("self-signed", Some("CERT022")),
    ] {
        let mut found = findings(name, trusting());
        found.retain(|id| matches!(*id, "CERT019" | "CERT022"));
        assert_eq!(found, Vec::from_iter(expected), "{name}");
        let mut other = Settings::default();
        other.trust = Some(TrustStore::default());
        let id = if name == "incomplete" { "CERT019" } else { "CERT022" };
        assert!(findings(name, other).contains(&id), "{name} without the root");
    }
}

#[test]
fn bits_below_3000_are_reported_on_demand() {
    let mut settings = Settings::default();
    assert!(!findings("rsa-2048", settings.clone()).contains(&"CERT006"));
    settings.rsa_3000 = true;
    assert!(findings("rsa-2048", settings.clone()).contains(&"CERT006"));
    assert!(!findings("ec-p256", settings).contains(&"CERT006"));
}
