//! Handshakes for the tests of rules: healthy ones, to be spoiled in one point.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;

use super::{Check, Evidence, Identity, Rule, Settings, TrustStore, find};
use crate::fingerprint::HelloFingerprints;
use crate::flow::facts::{
    Carrier, Facts, HelloFacts, KeyExchangeFacts, KeyExchangeParameters, Offer, Outcome, Progress, SeenExtension,
    SeenKeyShare, Selection, Side,
};
use crate::labels::{Labels, parse};
use crate::time::Timestamp;
use crate::tls::certificate::Certificate;
use crate::tls::codepoints::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme, SuiteClasses};

/// 2026-11-21T10:00:00Z, the time of every handshake here.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_255_200);

/// A current client's offer: TLS 1.3 and 1.2, AEAD with ECDHE, X25519MLKEM768.
pub(crate) fn offer() -> Offer {
    let mut offer = Offer {
        legacy_version: ProtocolVersion::TLS12,
        versions: Some(vec![ProtocolVersion::TLS13, ProtocolVersion::TLS12]),
        compression_methods: vec![0],
        groups: Some([0x11ec, 0x001d, 0x0017].map(NamedGroup).to_vec()),
        key_shares: Some(vec![
            SeenKeyShare { group: NamedGroup(0x11ec), length: 1216 },
            SeenKeyShare { group: NamedGroup(0x001d), length: 32 },
        ]),
        point_formats: Some(vec![0]),
        signature_schemes: Some([0x0403, 0x0804, 0x0401, 0x0503].map(SignatureScheme).to_vec()),
        alpn: Some(vec![b"h2"[..].into(), b"http/1.1"[..].into()]),
        psk_modes: Some(vec![1]),
        session_ticket: Some(false),
        ..Offer::default()
    };
    set_suites(&mut offer, &[0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0x00ff]);
    set_extensions(&mut offer, &[0, 23, 0xff01, 10, 11, 35, 16, 13, 51, 45, 43]);
    offer
}

/// A TLS 1.2 client's offer, without extension 43.
pub(crate) fn offer_tls12() -> Offer {
    let mut offer = Offer { versions: None, key_shares: None, psk_modes: None, ..offer() };
    offer.groups = Some([0x001d, 0x0017].map(NamedGroup).to_vec());
    set_suites(&mut offer, &[0xc02b, 0xc02f, 0xc02c, 0xc030, 0x00ff]);
    set_extensions(&mut offer, &[0, 23, 0xff01, 10, 11, 35, 16, 13]);
    offer
}

/// Replaces the suites, and their classes with them.
pub(crate) fn set_suites(offer: &mut Offer, suites: &[u16]) {
    offer.cipher_suites = suites.iter().copied().map(CipherSuite).collect();
    offer.suite_classes =
        offer.real_suites().fold(SuiteClasses::default(), |classes, suite| classes.union(suite.classes()));
}

/// Replaces the extension list (lengths are zero). Parsed members are left as they are.
pub(crate) fn set_extensions(offer: &mut Offer, types: &[u16]) {
    offer.extensions =
        Some(types.iter().map(|number| SeenExtension { extension_type: ExtensionType(*number), length: 0 }).collect());
}

/// Replaces the server's extension list.
pub(crate) fn set_server_extensions(selection: &mut Selection, types: &[u16]) {
    selection.extensions =
        Some(types.iter().map(|number| SeenExtension { extension_type: ExtensionType(*number), length: 0 }).collect());
}

/// An established TLS 1.3 handshake of [`offer`] with X25519MLKEM768.
pub(crate) fn tls13() -> Facts {
    let mut facts = established(offer());
    let mut selection = Selection {
        legacy_version: ProtocolVersion::TLS12,
        version: ProtocolVersion::TLS13,
        cipher_suite: Some(CipherSuite(0x1301)),
        key_share_group: Some(NamedGroup(0x11ec)),
        session_id_length: 32,
        session_id_echoed: true,
        ..Selection::default()
    };
    set_server_extensions(&mut selection, &[43, 51]);
    facts.selection = Some(selection);
    facts
}

/// An established full TLS 1.2 handshake of [`offer_tls12`]: ECDHE, AES-GCM, no certificate recorded (tests of
/// certificate rules add theirs).
pub(crate) fn tls12() -> Facts {
    let mut facts = established(offer_tls12());
    let mut selection = Selection {
        legacy_version: ProtocolVersion::TLS12,
        version: ProtocolVersion::TLS12,
        cipher_suite: Some(CipherSuite(0xc02f)),
        alpn: Some(b"h2"[..].into()),
        session_id_length: 32,
        ..Selection::default()
    };
    set_server_extensions(&mut selection, &[0xff01, 23, 16]);
    facts.selection = Some(selection);
    facts.key_exchange = Some(KeyExchangeFacts {
        parameters: KeyExchangeParameters::Ecdh(NamedGroup(0x001d)),
        signature_scheme: Some(SignatureScheme(0x0804)),
    });
    facts.progress.server_hello_done = true;
    facts.progress.client_key_exchange = true;
    facts
}

/// A hello that nobody has answered yet.
pub(crate) fn unanswered(offer: Offer) -> Facts {
    let client: SocketAddr = "192.0.2.10:50000".parse().unwrap();
    let server: SocketAddr = "192.0.2.20:443".parse().unwrap();
    let mut facts = Facts::new(Carrier::Tcp, client, server, NOW);
    facts.offer = Some(Arc::new(offer));
    facts.hello = HelloFacts {
        server_name: Some("example.org".to_owned()),
        record_version: Some(ProtocolVersion::TLS10),
        records: 1,
        packets: 1,
        length: 512,
        random_time: 0x9e37_79b9,
        ..HelloFacts::default()
    };
    facts.coverage.client_seen = true;
    facts.coverage.server_seen = true;
    facts.coverage.syn_seen = Some(true);
    facts.progress = Progress { hello_acknowledged: true, hello_at: NOW, ended_at: NOW, ..Progress::default() };
    facts
}

fn established(offer: Offer) -> Facts {
    let mut facts = unanswered(offer);
    facts.resumed = Some(false);
    facts.outcome = Outcome::Established;
    facts.progress.client_ccs = true;
    facts.progress.server_ccs = true;
    facts.progress.client_encrypted = 3;
    facts.progress.server_encrypted = 3;
    facts.progress.client_encrypted_bytes = 600;
    facts.progress.server_encrypted_bytes = 4000;
    facts
}

/// Changes the offer of `facts`.
pub(crate) fn change_offer(facts: &mut Facts, change: impl FnOnce(&mut Offer)) {
    change(Arc::make_mut(facts.offer.as_mut().unwrap()));
}

/// Changes the selection of `facts`.
pub(crate) fn change_selection(facts: &mut Facts, change: impl FnOnce(&mut Selection)) {
    change(facts.selection.as_mut().unwrap());
}

/// `tls12` with another version and suite selected.
pub(crate) fn selected(version: ProtocolVersion, suite: u16) -> Facts {
    let mut facts = tls12();
    change_selection(&mut facts, |selection| {
        selection.version = version;
        selection.legacy_version = version;
        selection.cipher_suite = Some(CipherSuite(suite));
    });
    facts
}

/// The one root that is trusted in [`hold`].
pub(crate) fn root() -> Certificate {
    let name = &b"Root"[..];
    Certificate {
        subject: "CN=Root".to_owned(),
        issuer: "CN=Root".to_owned(),
        subject_der: name.into(),
        issuer_der: name.into(),
        spki_sha256: "root's key".to_owned(),
        sha256: "root".to_owned(),
        ..Certificate::default()
    }
}

/// What rule `id` says of `facts`.
pub(crate) fn check(id: &str, facts: &Facts) -> Option<Evidence> {
    check_with(id, facts, &Settings::default())
}

/// One label: [`offer`] is Example Browser's.
fn labels() -> Labels {
    let mut labels = Labels::new();
    let ja4 = HelloFingerprints::of(&offer()).unwrap().ja4;
    let text = format!(
        "method,value,name,version,kind,alpn,grease\nja4_stable,{},Example Browser,1,browser,h2 http/1.1,false\n",
        ja4.stable()
    );
    labels.extend(parse(&text, "tests").unwrap());
    labels
}

/// What rule `id` says of `facts` under `settings`.
pub(crate) fn check_with(id: &str, facts: &Facts, settings: &Settings) -> Option<Evidence> {
    let rule: &Rule = find(id).unwrap_or_else(|| panic!("no rule {id}"));
    match rule.check {
        Check::Offer(check) => check(facts.offer.as_ref()?),
        Check::Identity(check) => {
            let offer = facts.offer.as_ref()?;
            let fingerprints = HelloFingerprints::of(offer)?;
            check(offer, &Identity { fingerprints: &fingerprints, labels: &labels() })
        }
        Check::Negotiation(check) => with_less(check(facts, settings), check(&facts.negotiation(), settings)),
        Check::Chain(check) => with_less(check(facts, settings), check(&facts.chain(), settings)),
        Check::Flow(check) => check(facts, settings),
    }
}

/// What a rule says that is shown a part of the facts: what it would say of all.
fn with_less(of_all: Option<Evidence>, of_part: Option<Evidence>) -> Option<Evidence> {
    assert_eq!(of_part, of_all, "the rule looks at more than its kind is shown");
    of_part
}

/// A rule with a handshake it must report and one it must not. The second is as close to the first as can be.
pub(crate) struct Case {
    /// The rule's id.
    pub(crate) rule: &'static str,
    /// Reported.
    pub(crate) fires: fn() -> Facts,
    /// Not reported.
    pub(crate) silent: fn() -> Facts,
}

/// Holds every case of a family, and that every rule of it has one, with the rules on that are off by default.
pub(crate) fn hold(rules: &[Rule], cases: &[Case]) {
    let settings =
        Settings { cnsa2: true, rsa_3000: true, trust: Some(TrustStore::new([&root()])), ..Settings::default() };
    for rule in rules {
        assert!(cases.iter().any(|case| case.rule == rule.id), "{} has no case", rule.id);
    }
    for case in cases {
        assert!(rules.iter().any(|rule| rule.id == case.rule), "{} is no rule of this family", case.rule);
        assert!(check_with(case.rule, &(case.fires)(), &settings).is_some(), "{} must fire", case.rule);
        assert!(check_with(case.rule, &(case.silent)(), &settings).is_none(), "{} must be silent", case.rule);
    }
}

/// An alert from `from`.
pub(crate) fn alert(from: Side, description: u8) -> crate::flow::facts::SeenAlert {
    crate::flow::facts::SeenAlert {
        from,
        level: 2,
        description: crate::tls::codepoints::AlertDescription(description),
        before_server_hello: true,
        after_close: false,
    }
}
