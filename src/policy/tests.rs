#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use smallvec::smallvec;

use super::form::Registry as _;
use super::*;
use crate::findings::testing::{
    NOW, change_offer, change_selection, offer, offer_tls12, selected, set_extensions, set_server_extensions,
    set_suites, tls12, tls13, unanswered,
};
use crate::flow::Outcome;
use crate::flow::facts::{Facts, KeyExchangeFacts, KeyExchangeParameters, Side};
use crate::tls::certificate::{Certificate, PublicKey};
use crate::tls::codepoints::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme, SuiteClasses};

const NAMED: usize = 22;
const ATOMS: usize = 15;

#[test]
fn every_shipped_policy_is_sound_and_says_where_it_is_from() {
    let mut catalogue = Catalogue { policies: Vec::new() };
    for (name, text) in FILES {
        let policy = catalogue.add(name, text).unwrap();
        let file = name.trim_end_matches(".toml");
        let atom = file.strip_prefix("atoms/");
        assert_eq!(policy.id(), atom.unwrap_or(file));
        assert_eq!(policy.kind() == Kind::Atom, atom.is_some(), "{name}");
        for text in [policy.title(), policy.version(), policy.source()] {
            assert!(!text.is_empty() && text != policy.id(), "{name}: {text:?}");
        }
        assert!(policy.date().is_some() && policy.verification() != Verification::Own, "{name}");
    }
    let atoms = catalogue.iter().filter(|policy| policy.kind() == Kind::Atom).count();
    assert_eq!((catalogue.iter().count() - atoms, atoms), (NAMED, ATOMS));
    assert_eq!(Catalogue::shipped().iter().count(), NAMED + ATOMS);
}

#[test]
fn what_a_policy_writes_reads_back_as_it() {
    for policy in Catalogue::shipped().iter() {
        let text = policy.to_toml();
        let form = Form::parse(policy.id(), &text).unwrap();
        assert_eq!(form.to_toml(), text, "{policy:?}");
        assert_eq!(serde_json::to_value(&form).unwrap(), policy.to_json());
    }
    let joined = resolve("nist-800-52r2+pq+no-3des+require-ems");
    assert_eq!(Form::parse("joined", &joined.to_toml()).unwrap().to_toml(), joined.to_toml());
}

#[test]
fn atoms_forbid_what_their_class_has() {
    for (atom, class) in [
        ("no-rc4", SuiteClasses::RC4),
        ("no-3des", SuiteClasses::TRIPLE_DES),
        ("no-cbc", SuiteClasses::CBC),
        ("no-rsa-kex", SuiteClasses::STATIC_RSA),
    ] {
        let policy = resolve(atom);
        let allowed = policy.limits.suites.as_ref().unwrap();
        for suite in CipherSuite::all().filter(|suite| !suite.is_scsv()) {
            assert_eq!(!allowed.contains(suite.0), suite.classes().contains(class), "{atom}: {suite}");
        }
        assert!(allowed.contains(0xabcd), "{atom} says nothing of what is not known");
    }
    let policy = resolve("no-dhe");
    for suite in CipherSuite::all().filter(|suite| suite.parts().is_some()) {
        use crate::tls::codepoints::KeyExchange as K;
        let finite = matches!(suite.parts().unwrap().key_exchange, K::Dhe | K::Dh | K::DhAnon | K::DhePsk);
        assert_eq!(!policy.limits.suites.as_ref().unwrap().contains(suite.0), finite, "{suite}");
    }
    assert!(resolve("no-sha1-sig").limits.schemes.as_ref().is_some_and(|schemes| {
        SignatureScheme::all().all(|scheme| schemes.contains(scheme.0) != (scheme.is_sha1() || scheme.is_md5()))
    }));
}

#[test]
fn expressions_join_and_names_without_a_version_mean_todays() {
    for (expression, id) in [
        ("mozilla-modern", "mozilla-6.0-modern"),
        ("mozilla-old", "mozilla-5.8-old"),
        ("nist-800-52r2+pq", "nist-800-52r2+pq"),
        ("nist-800-52r2+pq+no-cbc", "nist-800-52r2+pq+no-cbc"),
        ("mozilla-intermediate+require-pq+no-dhe", "mozilla-6.0-intermediate+require-pq+no-dhe"),
    ] {
        assert_eq!(resolve(expression).id(), id);
    }
    for (expression, words) in [
        ("", "a policy has no name"),
        ("mozilla-9", "no policy is called \"mozilla-9\"; `handprint policies` lists them"),
        ("tls12", "no policy is called \"tls12\"; there is o365-tls12-only, tls12-min"),
        ("no-rc4+", "no policy is called \"no-rc4\""),
        ("no-rc4++no-3des", "no policy is called \"\""),
        ("no-rc4+nothing", "no policy is called \"nothing\""),
        ("cnsa2+o365-tls12-only", "cnsa2 and o365-tls12-only have no version in common: nothing complies"),
        ("cnsa2+mozilla-modern", "cnsa2 and mozilla-6.0-modern have no group in common: nothing complies"),
    ] {
        let error = Catalogue::shipped().resolve(expression).unwrap_err().to_string();
        assert!(error.starts_with(words), "{expression}: {error}");
    }
}

#[test]
fn joined_policies_ask_for_what_each_asks_for() {
    let joined = resolve("mozilla-5.8-old+no-3des+tls12-min+rsa-2048+cnsa1");
    let limits = &joined.limits;
    assert!(limits.allows(ProtocolVersion::TLS12) && !limits.allows(ProtocolVersion::TLS11));
    let suites: Vec<u32> = form::Suites::all()
        .into_iter()
        .map(|(value, _)| value)
        .filter(|value| limits.suites.as_ref().unwrap().contains((*value).try_into().unwrap_or(0)))
        .collect();
    assert_eq!(suites, [0x009d, 0x1302, 0xc02c, 0xc030]);
    assert_eq!(joined.form.certificate.rsa_min_bits, Some(3072));
    assert_eq!(limits.dh_min_bits, Some(3072));
    assert_eq!(joined.verification(), Verification::AuthorKnowledge, "the least certain of them");
    assert_eq!(joined.kind(), Kind::Policy);
    assert_eq!(resolve("no-rc4+no-3des").kind(), Kind::Atom);
}

#[test]
fn own_policies_extend_named_ones_and_errors_point_at_the_line() {
    let mut catalogue = Catalogue::shipped().clone();
    let own =
        "id = 'ours'\nextends = 'mozilla-intermediate'\n[allow]\ngroups = ['secp*r1']\n[certificate]\nmax_days = 47\n";
    let policy = catalogue.add("ours.toml", own).unwrap();
    assert!(!policy.limits.groups.as_ref().unwrap().contains(0x001d), "the list is replaced");
    assert_eq!(policy.form.certificate.rsa_min_bits, Some(2048), "the rest is taken over");
    assert_eq!(policy.verification(), Verification::Own);
    assert_eq!(catalogue.resolve("ours+no-cbc").unwrap().id(), "ours+no-cbc");
    for (text, words) in [
        ("id = 'ours'\n", "x.toml: there is a policy called \"ours\" already"),
        ("id = 'a'\naliases = ['cnsa1']\n", "x.toml: there is a policy called \"cnsa1\" already"),
        ("id = 'A b'\n", "x.toml:1:6: \"A b\" is no name for a policy"),
        ("title = 'a'\n", "x.toml:1:1: missing field `id`"),
        ("id = 'a'\ngroup = []\n", "x.toml:2:1: unknown field `group`"),
        ("id = 'a'\n[allow]\ngroups = []\n", "x.toml:3:10: an empty list: leave it out to say nothing"),
        ("id = 'a'\n[allow]\ngroups = [\n  'x25519',\n  'x448x',\n]\n", "x.toml:5:3: no group is called \"x448x\""),
        ("id = 'a'\n[allow]\nversions = ['TLSv1.4']\n", "x.toml:3:13: no version is called \"TLSv1.4\""),
        ("id = 'a'\n[forbid]\ncipher_suites = ['*RC5*']\n", "x.toml:3:18: no cipher suite is called \"*RC5*\""),
        ("id = 'a'\n[certificate]\nrsa_min_bits = -1\n", "x.toml:3:16: invalid value"),
        ("id = 'a'\n[certificate]\nforbid_hashes = ['SHA']\n", "x.toml:3:18: unknown variant `SHA`"),
        ("id = 'a'\nextends = 'b'\n", "x.toml:2:11: no policy is called \"b\""),
        ("id = 'a'\ndate = 'now'\n", "x.toml:2:8: \"now\" is no date like 2026-07-31 or 2026-07"),
        ("id = 'a\n", "x.toml:1:8: invalid literal string"),
    ] {
        let error = catalogue.add("x.toml", text).unwrap_err().to_string();
        assert!(error.starts_with(words), "{text:?}: {error}");
    }
}

#[test]
fn healthy_handshakes_comply_with_what_asks_for_no_more() {
    // TLS 1.3 hides what the policies ask of the certificate.
    let hidden = ["certificate ? certificate"];
    assert_eq!(judged("mozilla-6.0-intermediate", &modern(tls13())), hidden);
    assert_eq!(judged("mozilla-6.0-modern+require-pq", &modern(tls13())), hidden);
    assert_eq!(judged("bcp195-rfc9325", &modern(tls13())), hidden);
    assert_eq!(judged("tls13-min+require-pq+require-ems+require-secure-reneg", &modern(tls13())), NOTHING);
    assert_eq!(
        judged("no-ssl3+no-rc4+no-3des+no-rsa-kex+no-dhe+rsa-2048", &with_certificate(tls12())),
        ["offer ? version"]
    );
}

#[test]
fn each_named_policy_names_exactly_what_is_wrong() {
    let tls12 = || with_certificate(tls12());
    let rc4 = || with_certificate(selected(ProtocolVersion::TLS10, 0x0005));
    // A client of TLS 1.2 and 1.3 with what these tests always offer: no version is hidden, and nothing is offered
    // that a current policy forbids.
    for (id, facts, expected) in [
        (
            "mozilla-5.7-modern",
            tls12(),
            &[
                "offer version TLSv1.2",
                "selection version TLSv1.2",
                "certificate certificate_key_type RSA 2048",
                "certificate certificate_signature sha256WithRSAEncryption",
                "certificate certificate_days 398",
            ][..],
        ),
        ("mozilla-5.7-intermediate", tls12(), &["offer ? version", "certificate certificate_days 398"]),
        ("mozilla-5.7-old", tls12(), &["offer ? version", "certificate certificate_days 398"]),
        ("mozilla-5.8-modern", modern(tls13()), &["certificate ? certificate"]),
        (
            "mozilla-5.8-intermediate",
            rc4(),
            &[
                "offer ? version",
                "selection version TLSv1.0",
                "selection cipher_suite TLS_RSA_WITH_RC4_128_SHA",
                "certificate certificate_days 398",
            ],
        ),
        (
            "mozilla-5.8-old",
            rc4(),
            &["offer ? version", "selection cipher_suite TLS_RSA_WITH_RC4_128_SHA", "certificate certificate_days 398"],
        ),
        (
            "mozilla-6.0-modern",
            tls12(),
            &[
                "offer version TLSv1.2",
                "selection version TLSv1.2",
                "certificate certificate_key_type RSA 2048",
                "certificate certificate_signature sha256WithRSAEncryption",
                "certificate certificate_days 398",
            ],
        ),
        ("mozilla-6.0-intermediate", tls12(), &["offer ? version", "certificate certificate_days 398"]),
        ("nist-800-52r2", tls12(), &["offer ? version", "offer group x25519", "key_exchange group x25519"]),
        (
            "nist-800-52r2-appendix-d",
            with_certificate(selected(ProtocolVersion::TLS12, 0x009d)),
            &["offer ? version", "offer group x25519", "key_exchange group x25519"],
        ),
        (
            "nist-800-52r2+pq",
            modern(tls13()),
            &["offer cipher_suite TLS_CHACHA20_POLY1305_SHA256", "offer group x25519", "certificate ? certificate"],
        ),
        (
            "bsi-tr-02102-2-2025",
            tls12(),
            &[
                "offer ? version",
                "offer group x25519",
                "key_exchange group x25519",
                "certificate certificate_key_bits RSA 2048 < 3000",
            ],
        ),
        (
            "bsi-tr-02102-2-2026",
            tls12(),
            &[
                "offer ? version",
                "offer group x25519",
                "offer signature_scheme rsa_pkcs1_sha256",
                "key_exchange group x25519",
                "certificate certificate_key_bits RSA 2048 < 3000",
            ],
        ),
        (
            "bcp195-rfc9325",
            with_certificate(selected(ProtocolVersion::TLS11, 0xc013)),
            &[
                "offer ? version",
                "selection version TLSv1.1",
                "selection cipher_suite TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
            ],
        ),
        (
            "pci-dss-4.0.1",
            expired(with_certificate(selected(ProtocolVersion::TLS12, 0x000a))),
            &[
                "offer ? version",
                "selection cipher_suite TLS_RSA_WITH_3DES_EDE_CBC_SHA",
                "certificate certificate_not_after 2026-11-21T09:00:00.000000000Z",
            ],
        ),
        (
            "cnsa1-rfc9151",
            tls12(),
            &[
                "offer ? version",
                "offer cipher_suite TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                "offer group x25519, secp256r1",
                "selection cipher_suite TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                "key_exchange group x25519",
                "certificate certificate_key_bits RSA 2048 < 3072",
                "certificate certificate_hash sha256WithRSAEncryption < 384",
            ],
        ),
        (
            "cnsa2",
            modern(tls13()),
            &[
                "offer cipher_suite TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256",
                "offer group X25519MLKEM768, x25519, secp256r1",
                "selection cipher_suite TLS_AES_128_GCM_SHA256",
                "key_exchange group X25519MLKEM768",
                "certificate ? certificate",
            ],
        ),
        (
            "o365-tls12-only",
            modern(tls13()),
            &[
                "offer version TLSv1.3",
                "offer cipher_suite TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "selection version TLSv1.3",
                "certificate ? certificate",
            ],
        ),
        (
            "o365-current",
            with_certificate(selected(ProtocolVersion::TLS12, 0xc02b)),
            &[
                "offer ? version",
                "offer cipher_suite TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "selection cipher_suite TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            ],
        ),
        (
            "exchange-2015",
            with_certificate(selected(ProtocolVersion::SSL3, 0x0005)),
            &[
                "offer ? version",
                "offer group x25519",
                "selection version SSLv3",
                "selection cipher_suite TLS_RSA_WITH_RC4_128_SHA",
                "key_exchange group x25519",
            ],
        ),
        (
            "tls12-min",
            with_certificate(selected(ProtocolVersion::TLS11, 0x0005)),
            &["offer ? version", "selection version TLSv1.1"],
        ),
        ("tls13-min", tls12(), &["offer version TLSv1.2", "selection version TLSv1.2"]),
    ] {
        assert_eq!(judged(id, &facts), expected, "{id}");
    }
}

#[test]
fn offers_are_judged_by_what_they_name() {
    let offered = |policy: &str, change: fn(&mut crate::flow::Offer)| {
        let mut offer = offer();
        change(&mut offer);
        shown("", &resolve(policy).check_offer(&offer))
    };
    let unchanged = |_: &mut crate::flow::Offer| {};
    assert_eq!(offered("tls12-min", unchanged), NOTHING);
    assert_eq!(offered("tls13-min", unchanged), ["version TLSv1.2"]);
    assert_eq!(
        offered("no-rc4", |offer| set_suites(offer, &[0x1301, 0x0005, 0x0a0a, 0x0004])),
        ["cipher_suite TLS_RSA_WITH_RC4_128_SHA, TLS_RSA_WITH_RC4_128_MD5"]
    );
    assert_eq!(
        offered("no-rc4", |offer| offer.sslv2_cipher_specs = Some(vec![0x01_0080, 0x00_002f])),
        ["cipher_suite SSL_CK_RC4_128_WITH_MD5"]
    );
    assert_eq!(offered("no-ssl3", |offer| offer.sslv2_cipher_specs = Some(vec![0x07_00c0])), ["version SSLv2"]);
    assert_eq!(
        offered("require-pq", |offer| offer.groups = Some(vec![NamedGroup(0x001d)])),
        ["post_quantum not offered"]
    );
    assert_eq!(offered("require-pq", |offer| offer.groups = None), ["post_quantum not offered"]);
    assert_eq!(offered("require-ems+require-secure-reneg", unchanged), NOTHING);
    assert_eq!(
        offered("require-ems+require-secure-reneg", |offer| set_extensions(offer, &[43])),
        ["extended_master_secret not offered"]
    );
    assert_eq!(
        offered("require-ems+require-secure-reneg", |offer| {
            set_suites(offer, &[0xc02b]);
            set_extensions(offer, &[43]);
        }),
        ["extended_master_secret not offered", "secure_renegotiation not offered"]
    );
    assert_eq!(
        offered("require-ems", |offer| {
            offer.versions = Some(vec![ProtocolVersion::TLS13, ProtocolVersion(0x2a2a)]);
            set_extensions(offer, &[43]);
        }),
        NOTHING,
        "TLS 1.3 alone needs none"
    );
    assert_eq!(offered("bcp195-rfc9325", |offer| offer.compression_methods = vec![1, 0]), ["compression DEFLATE"]);
    assert_eq!(
        offered("no-sha1-sig", |offer| offer.signature_schemes = Some(vec![SignatureScheme(0x0201)])),
        ["signature_scheme rsa_pkcs1_sha1"]
    );
    assert_eq!(
        offered("bsi-tr-02102-2+no-rc4", |offer| set_extensions(offer, &[43, 15, 4])),
        [
            "cipher_suite TLS_CHACHA20_POLY1305_SHA256",
            "group X25519MLKEM768, x25519",
            "extension truncated_hmac, heartbeat",
        ]
    );
}

#[test]
fn versions_below_the_maximum_are_unknown_without_extension_43() {
    let judge = |policy: &str, version: u16| {
        let mut offer = offer_tls12();
        offer.legacy_version = ProtocolVersion(version);
        shown("", &resolve(policy).check_offer(&offer))
    };
    assert_eq!(judge("tls12-min", 0x0303), ["? version"]);
    assert_eq!(judge("tls12-min", 0x0302), ["version TLSv1.1"]);
    assert_eq!(judge("no-tls1.1", 0x0301), NOTHING, "TLS 1.1 cannot be meant");
    assert_eq!(judge("no-ssl3", 0x0300), ["version SSLv3"]);
    assert_eq!(judge("no-tls1.0+no-tls1.1", 0x0399), ["? version"], "no more than TLS 1.2 can be meant");
    assert_eq!(judge("tls12-min", 0xfefd), ["? version"], "DTLS 1.2 as TLS 1.2");
    let mut dtls = offer_tls12();
    dtls.legacy_version = ProtocolVersion::DTLS12;
    dtls.carrier = crate::flow::Carrier::Dtls;
    assert_eq!(shown("", &resolve("no-tls1.0").check_offer(&dtls)), NOTHING, "there is no DTLS below TLS 1.1");
    assert_eq!(shown("", &resolve("no-tls1.1").check_offer(&dtls)), ["? version"]);
}

#[test]
fn extensions_have_to_be_acknowledged() {
    let mut facts = tls12();
    change_selection(&mut facts, |selection| set_server_extensions(selection, &[16]));
    assert_eq!(
        judged("require-ems+require-secure-reneg", &facts),
        [
            "selection extended_master_secret offered and not acknowledged",
            "selection secure_renegotiation offered and not acknowledged",
        ]
    );
    change_offer(&mut facts, |offer| {
        set_extensions(offer, &[16]);
        set_suites(offer, &[0xc02f]);
    });
    assert_eq!(
        judged("require-ems", &facts),
        ["offer extended_master_secret not offered", "selection extended_master_secret not offered",]
    );
    facts.offer = None;
    assert_eq!(judged("require-ems", &facts), ["offer ? offer", "selection ? extended_master_secret"]);
    let mut facts = selected(ProtocolVersion::TLS12, 0xc027);
    change_offer(&mut facts, |offer| set_extensions(offer, &[22, 23, 0xff01, 10]));
    let encrypt_then_mac = "selection encrypt_then_mac offered and not acknowledged";
    assert!(judged("nist-800-52r2", &facts).contains(&encrypt_then_mac.to_owned()));
    change_selection(&mut facts, |selection| selection.cipher_suite = Some(CipherSuite(0xc02f)));
    assert!(!judged("nist-800-52r2", &facts).contains(&encrypt_then_mac.to_owned()), "only where CBC is used");
}

#[test]
fn key_exchanges_are_judged_by_group_prime_and_signature() {
    let exchange = |facts: &mut Facts, parameters| {
        facts.key_exchange = Some(KeyExchangeFacts { parameters, signature_scheme: Some(SignatureScheme(0x0201)) });
    };
    let prime =
        |prime_bits| KeyExchangeParameters::Dh { prime_bits, well_known: None, common: false, prime_sha256: [0; 32] };
    let mut facts = selected(ProtocolVersion::TLS12, 0x009f);
    exchange(&mut facts, prime(1024));
    let of = |facts: &Facts, policy: &str| shown("", &resolve(policy).check(facts).key_exchange);
    assert_eq!(of(&facts, "mozilla-5.7-intermediate"), ["dh_bits 1024 < 2048"]);
    assert_eq!(of(&facts, "mozilla-5.7-old"), NOTHING);
    assert_eq!(of(&facts, "no-sha1-sig"), ["signature_scheme rsa_pkcs1_sha1"]);
    assert_eq!(of(&facts, "require-pq"), ["post_quantum DHE"]);
    facts.key_exchange = None;
    assert_eq!(of(&facts, "mozilla-5.7-intermediate"), ["? group"]);
    let mut facts = tls12();
    exchange(&mut facts, KeyExchangeParameters::EcdhExplicit);
    assert_eq!(of(&facts, "mozilla-5.7-intermediate"), ["group a curve written out"]);
    let mut facts = selected(ProtocolVersion::TLS12, 0x009c);
    facts.key_exchange = None;
    assert_eq!(of(&facts, "mozilla-5.7-intermediate"), NOTHING, "RSA has no group");
    assert_eq!(of(&facts, "require-pq"), ["post_quantum RSA"]);
    let mut facts = tls13();
    assert_eq!(of(&facts, "require-pq+no-sha1-sig"), ["? signature_scheme"]);
    change_selection(&mut facts, |selection| selection.key_share_group = Some(NamedGroup::FFDHE2048));
    assert_eq!(
        of(&facts, "require-pq+bsi-tr-02102-2-2025"),
        ["group ffdhe2048", "post_quantum ffdhe2048", "dh_bits 2048 < 3000", "? signature_scheme"]
    );
    change_selection(&mut facts, |selection| {
        selection.key_share_group = None;
        selection.pre_shared_key = true;
    });
    assert_eq!(of(&facts, "require-pq+no-sha1-sig"), ["? post_quantum"]);
}

#[test]
fn certificates_are_judged_along_the_chain() {
    let mut facts = with_certificate(tls12());
    let root = Certificate {
        subject_der: b"r"[..].into(),
        issuer_der: b"r"[..].into(),
        signature: "md5WithRSAEncryption".to_owned(),
        key: PublicKey::Rsa { bits: 1024, exponent: 65537 },
        ..certificate()
    };
    let intermediate = Certificate { signature: "sha1WithRSAEncryption".to_owned(), ..certificate() };
    facts.certificates.as_mut().unwrap().extend([Arc::new(intermediate), Arc::new(root)]);
    let verdict = resolve("no-md5-cert+no-sha1-cert+rsa-2048");
    let part = verdict.check(&facts).certificate;
    assert_eq!(shown("", &part), ["certificate_hash sha1WithRSAEncryption", "certificate_key_bits RSA 1024 < 2048"]);
    let places: Vec<_> = part.violations.iter().map(|violation| violation.certificate).collect();
    assert_eq!(places, [Some(1), Some(2)], "a root's own signature is not judged");

    let with = |change: fn(&mut Certificate)| {
        let mut certificate = certificate();
        change(&mut certificate);
        let facts = Facts { certificates: Some(smallvec![Arc::new(certificate)]), ..tls12() };
        shown("", &resolve("mozilla-6.0-intermediate+nist-800-52r2").check(&facts).certificate)
    };
    let short_lived = Duration::from_secs(90 * 86_400);
    assert_eq!(with(|_| ()), ["certificate_days 398 < 366"].map(|text| text.replace(" < 366", "")));
    assert_eq!(
        with(|certificate| {
            certificate.key = PublicKey::Ec { curve: Some("P-521".to_owned()), bits: 521 };
            certificate.version = 1;
        }),
        ["certificate_curve EC P-521", "certificate_version 1 < 3", "certificate_days 398"]
    );
    assert_eq!(
        with(|certificate| *certificate = Certificate::default()),
        [
            "? certificate_key_bits",
            "? certificate_key_type",
            "? certificate_signature",
            "? certificate_version",
            "? certificate_hash"
        ]
    );
    let mut facts = with_certificate(tls12());
    Arc::make_mut(&mut facts.certificates.as_mut().unwrap()[0]).not_after = NOW.plus(short_lived);
    assert_eq!(shown("", &resolve("mozilla-6.0-intermediate").check(&facts).certificate), NOTHING);
    assert_eq!(shown("", &resolve("cnsa2").check(&facts).certificate), ["certificate_key_type RSA 2048"]);
}

#[test]
fn what_the_wire_hid_is_unknown_with_the_reason() {
    let reason = |facts: &Facts, part: usize| {
        let policy = resolve("mozilla-6.0-intermediate");
        let verdict = policy.check(facts);
        let (_, part) = verdict.parts()[part];
        assert_eq!(part.judgement(), Judgement::Unknown);
        part.unknown[0].reason
    };
    let mut facts = with_certificate(tls12());
    facts.resumed = Some(true);
    assert!(reason(&facts, 2).contains("resumed") && reason(&facts, 3).contains("resumed"));
    assert!(reason(&tls13(), 3).contains("TLS 1.3"));
    facts.resumed = Some(false);
    facts.certificates = None;
    assert_eq!(reason(&facts, 3), "no Certificate in the capture");
    change_selection(&mut facts, |selection| selection.cipher_suite = Some(CipherSuite(0x0034)));
    assert_eq!(reason(&facts, 3), "the suite has no certificate");
    let mut facts = unanswered(offer());
    for (outcome, words) in [
        (Outcome::Silent, "the server never answered"),
        (Outcome::Refused { by: Side::Server, alert: None }, "the handshake was refused before a ServerHello"),
        (Outcome::Incomplete, "no ServerHello in the capture"),
    ] {
        facts.outcome = outcome;
        assert_eq!([1, 2, 3].map(|part| reason(&facts, part)), [words; 3]);
    }
    facts.offer = None;
    assert_eq!(reason(&facts, 0), "no ClientHello in the capture");
    let verdict = resolve("rsa-2048");
    let judgements = verdict.check(&facts).parts().map(|(_, part)| part.judgement());
    use Judgement::{Complies, Unknown};
    assert_eq!(judgements, [Complies, Complies, Complies, Unknown], "nothing is asked of the rest");
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let mut offer = offer();
    set_suites(&mut offer, &(0..200).map(|number| 0xe000 + number).collect::<Vec<u16>>());
    let part = resolve("mozilla-modern").check_offer(&offer);
    assert!(part.violations.iter().all(|violation| violation.rule != "cipher_suite"), "TLS 1.2 is not allowed anyway");
    let part = resolve("mozilla-intermediate").check_offer(&offer);
    let violation = part.violations.iter().find(|violation| violation.rule == "cipher_suite").unwrap();
    assert_eq!((violation.seen.len(), violation.omitted), (64, 136));
}

#[test]
fn policies_switch_on_the_rules_they_need() {
    let settings = |expression: &str| {
        let mut settings = Settings::default();
        resolve(expression).adjust(&mut settings);
        settings
    };
    assert!(settings("cnsa2+no-rc4").cnsa2);
    assert!(settings("bsi-tr-02102-2-2026").rsa_3000, "taken over from the version before");
    assert_eq!(settings("mozilla-modern"), Settings::default());
}

const NOTHING: [&str; 0] = [];

fn resolve(expression: &str) -> Arc<Policy> {
    Catalogue::shipped().resolve(expression).unwrap()
}

/// Everything a policy has to say of `facts`: part, rule, what was seen and the limit; `?` for what is unknown.
fn judged(policy: &str, facts: &Facts) -> Vec<String> {
    let policy = resolve(policy);
    let verdict = policy.check(facts);
    verdict.parts().into_iter().flat_map(|(name, part)| shown(&format!("{name} "), part)).collect()
}

fn shown(prefix: &str, part: &Part) -> Vec<String> {
    let violations = part.violations.iter().map(|violation| {
        let seen: Vec<String> = violation.seen.iter().map(ToString::to_string).collect();
        let limit = violation.limit.filter(|_| !violation.rule.ends_with("days"));
        let limit = limit.map(|limit| format!(" < {limit}")).unwrap_or_default();
        format!("{prefix}{} {}{limit}", violation.rule, seen.join(", "))
    });
    let mut shown: Vec<String> = part.unknown.iter().map(|unknown| format!("{prefix}? {}", unknown.rule)).collect();
    if part.violations.is_empty() || shown.len() != 1 || !shown[0].ends_with("? version") {
        shown = violations.chain(shown).collect();
    } else {
        shown.extend(violations);
    }
    shown
}

/// A handshake whose client offers nothing that current policies forbid.
fn modern(mut facts: Facts) -> Facts {
    change_offer(&mut facts, |offer| offer.versions = Some(vec![ProtocolVersion::TLS13]));
    facts
}

fn certificate() -> Certificate {
    Certificate {
        version: 3,
        key: PublicKey::Rsa { bits: 2048, exponent: 65537 },
        signature: "sha256WithRSAEncryption".to_owned(),
        not_before: NOW,
        not_after: NOW.plus(Duration::from_secs(398 * 86_400)),
        subject_der: b"s"[..].into(),
        issuer_der: b"i"[..].into(),
        ..Certificate::default()
    }
}

fn with_certificate(mut facts: Facts) -> Facts {
    facts.certificates = Some(smallvec![Arc::new(certificate())]);
    facts
}

fn expired(mut facts: Facts) -> Facts {
    let leaf = Arc::make_mut(&mut facts.certificates.as_mut().unwrap()[0]);
    leaf.not_after = crate::time::Timestamp::from_seconds(NOW.as_seconds() - 3600);
    leaf.not_before = crate::time::Timestamp::from_seconds(NOW.as_seconds() - 7200);
    facts
}
