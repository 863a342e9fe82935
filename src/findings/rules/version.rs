//! `VER`: protocol versions.

use super::list;
use crate::findings::{Check, Documentation, Evidence, Family, Rule, Severity, Value};
use crate::flow::{Facts, Offer};
use crate::tls::codepoints::{CipherSuite, ProtocolVersion as Version, SslV2CipherSpec};

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "VER001",
        name: "sslv2-client-hello",
        family: Family::Version,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The client sent its hello in the format of SSL 2.0 although it offers SSL 3.0 or a later \
                      version.",
            why: "The old format has no room for extensions: no server name, no list of groups or signature \
                  algorithms. TLS 1.2 servers may refuse it and current ones do, so this client fails as soon as its \
                  server is updated. The versions it does support may well be enough once the format is switched off.",
            evidence: "`inner_version`: the version the hello asks for. `cipher_specs`: the first 32 cipher kinds in \
                       the client's order; `count`: how many there are. By hand: the first bytes are a length with the \
                       top bit set, then 0x01 and the version; tshark shows tls.handshake.cipherspec.",
            action: "Switch off the SSL 2.0 compatible hello in the client (in OpenSSL: SSL_OP_NO_SSLv2, or any \
                     version from 1.1.0 on), or replace the client's TLS library.",
            references: &["RFC 6176 section 3", "RFC 5246 appendix E.2"],
        },
        check: Check::Offer(|offer| {
            let specs = offer.sslv2_cipher_specs.as_deref()?;
            (offer.legacy_version != Version::SSL2)
                .then(|| cipher_specs(Evidence::of("inner_version", offer.legacy_version), specs))
        }),
    },
    Rule {
        id: "VER002",
        name: "sslv2-only-client",
        family: Family::Version,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The client sent an SSL 2.0 CLIENT-HELLO that asks for SSL 2.0 itself.",
            why: "SSL 2.0 protects nothing against an active attacker: the handshake is not authenticated and both \
                  sides can be pushed to 40-bit keys. No supported server speaks it, so this client has no connection \
                  to lose except to a server that must not be left as it is.",
            evidence: "`cipher_specs`: the first 32 cipher kinds in the client's order; `count`: how many there are. \
                       By hand: tshark -Y tls.handshake.cipherspec -T fields -e tls.handshake.version -e \
                       tls.handshake.cipherspec; the version is 0x0002.",
            action: "Find the device or program behind the address and retire it, or keep it on a network of its own \
                     behind a proxy that speaks current TLS for it.",
            references: &["RFC 6176 section 3"],
        },
        check: Check::Offer(|offer| {
            let specs = offer.sslv2_cipher_specs.as_deref()?;
            (offer.legacy_version == Version::SSL2).then(|| cipher_specs(Evidence::new(), specs))
        }),
    },
    Rule {
        id: "VER003",
        name: "sslv2-negotiated",
        family: Family::Version,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The server answered with an SSL 2.0 SERVER-HELLO.",
            why: "A server that still speaks SSL 2.0 endangers more than this connection: whoever can talk to it can \
                  use it to decrypt recorded TLS connections of every server with the same RSA key (DROWN).",
            evidence: "`cipher_specs`: the first 32 cipher kinds the server answered with; `count`: how many there \
                       are, where none does not mean that SSL 2.0 is off. By hand: the server's first record holds \
                       message type 0x04 and version 0x0002.",
            action: "Switch SSL 2.0 off on this server and on every other that holds the same private key, mail \
                     servers included, and replace the key.",
            references: &["RFC 6176 section 3", "CVE-2016-0800", "CVE-2015-3197"],
        },
        check: Check::Negotiation(|facts, _| {
            let selection = facts.selection.as_ref().filter(|selection| selection.version == Version::SSL2)?;
            Some(cipher_specs(Evidence::new(), selection.sslv2.as_deref().unwrap_or_default()))
        }),
    },
    Rule {
        id: "VER004",
        name: "sslv3-max-offered",
        family: Family::Version,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The highest version the client offers is SSL 3.0.",
            why: "SSL 3.0 must not be used in any connection. This client has nothing better: it stops working the \
                  moment its servers switch SSL 3.0 off, and until then it is what keeps SSL 3.0 on.",
            evidence: MAXIMUM,
            action: "Enable TLS 1.2 or later in the client, or replace it, before SSL 3.0 is switched off on its \
                     servers.",
            references: &["RFC 7568 section 3"],
        },
        check: Check::Offer(|offer| highest_is(offer, Version::SSL3)),
    },
    Rule {
        id: "VER005",
        name: "sslv3-negotiated",
        family: Family::Version,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The server selected SSL 3.0.",
            why: "SSL 3.0 has no sound cipher left: its CBC mode is open to POODLE and its only stream cipher is RC4. \
                  It must not be negotiated, not even where both sides could do better and were pushed down.",
            evidence: SELECTED,
            action: "Switch SSL 3.0 off on the server. Where `offered_maximum` is TLS 1.2 or later the client loses \
                     nothing; where it is SSLv3 the client has to be replaced first.",
            references: &["RFC 7568 section 3", "CVE-2014-3566"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, Version::SSL3)),
    },
    Rule {
        id: "VER006",
        name: "poodle-exposed-session",
        family: Family::Version,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The server selected SSL 3.0 together with a suite in CBC mode. TLS 1.0 is never reported here: \
                      its padding is checked.",
            why: "SSL 3.0 does not check the padding of CBC records, so an attacker on the path who can make the \
                  client repeat a request reads a secret such as a cookie byte by byte (POODLE). No setting other than \
                  switching SSL 3.0 off closes it.",
            evidence: SELECTED,
            action: "Switch SSL 3.0 off on the server and in the client.",
            references: &["CVE-2014-3566", "RFC 7568 section 4.1"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, Version::SSL3).filter(|_| selects_cbc(facts))),
    },
    Rule {
        id: "VER007",
        name: "tls10-negotiated",
        family: Family::Version,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server selected TLS 1.0.",
            why: "TLS 1.0 must not be negotiated: it rests on MD5 and SHA-1, has no authenticated encryption and no \
                  choice of better hashes, and compliance regimes forbid it. This connection breaks when it is \
                  switched off unless both sides can do better.",
            evidence: SELECTED,
            action: "Where `offered_maximum` is TLSv1.2 or later, the server is the limit: enable TLS 1.2 and 1.3 \
                     there. Where it is TLSv1.0 or TLSv1.1, update the client first.",
            references: &["RFC 8996 section 4", "RFC 9325 section 3.1.1"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, Version::TLS10)),
    },
    Rule {
        id: "VER008",
        name: "tls11-negotiated",
        family: Family::Version,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server selected TLS 1.1.",
            why: "TLS 1.1 must not be negotiated: like TLS 1.0 it rests on MD5 and SHA-1 and has no authenticated \
                  encryption. Software that stops at TLS 1.1 is rare, so that one side is often only configured to \
                  stop there.",
            evidence: SELECTED,
            action: "Where `offered_maximum` is TLSv1.2 or later, the server is the limit: enable TLS 1.2 and 1.3 \
                     there. Where it is TLSv1.1, update the client first.",
            references: &["RFC 8996 section 5", "RFC 9325 section 3.1.1"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, Version::TLS11)),
    },
    Rule {
        id: "VER009",
        name: "client-max-tls10",
        family: Family::Version,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The highest version the client offers is TLS 1.0.",
            why: "This client cannot connect once its servers switch TLS 1.0 off. It is either old (Windows before its \
                  TLS 1.2 updates, Java 6 and 7, OpenSSL before 1.0.1, embedded devices) or held back by its settings.",
            evidence: MAXIMUM,
            action: "Update the client or enable TLS 1.2 in its settings, before any of its servers drops TLS 1.0.",
            references: &["RFC 8996 section 4"],
        },
        check: Check::Offer(|offer| highest_is(offer, Version::TLS10)),
    },
    Rule {
        id: "VER010",
        name: "client-max-tls11",
        family: Family::Version,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The highest version the client offers is TLS 1.1.",
            why: "This client cannot connect once its servers switch TLS 1.1 off. Hardly any software ends at TLS 1.1 \
                  by itself; look for a setting that forbids TLS 1.2.",
            evidence: MAXIMUM,
            action: "Enable TLS 1.2 in the client, or update it, before any of its servers drops TLS 1.1.",
            references: &["RFC 8996 section 5"],
        },
        check: Check::Offer(|offer| highest_is(offer, Version::TLS11)),
    },
    Rule {
        id: "VER011",
        name: "client-max-tls12",
        family: Family::Version,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The highest version the client offers is TLS 1.2 or DTLS 1.2.",
            why: "TLS 1.2 is sound where its suites are. It has no post-quantum key exchange and will get none, and it \
                  shows certificates to everyone on the path. A server cannot become TLS 1.3 only while this client \
                  uses it.",
            evidence: MAXIMUM,
            action: "Nothing at once. Plan for TLS 1.3 with the client's next update.",
            references: &["RFC 9325 section 3.1.1", "RFC 9846"],
        },
        check: Check::Offer(|offer| {
            (offer.maximum_version().tls_equivalent() == Version::TLS12).then(|| maximum(offer))
        }),
    },
    Rule {
        id: "VER012",
        name: "legacy-versions-listed",
        family: Family::Version,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client sent supported_versions, and versions below TLS 1.2 (DTLS 1.2) are in it.",
            why: "A client that knows supported_versions speaks TLS 1.3 or could. That it lists SSL 3.0, TLS 1.0 or \
                  TLS 1.1 as well is a matter of its settings, and lets an old server hold the connection down.",
            evidence: "`legacy_versions`: the versions below TLS 1.2. `supported_versions`: the first 32 of the whole \
                       list in the client's order, without GREASE. By hand: tshark -Y 'tls.handshake.type == 1' -T \
                       fields -e tls.handshake.extensions.supported_version.",
            action: "Set the client's minimum version to TLS 1.2. Check with the rules on what was negotiated which of \
                     its servers would be lost.",
            references: &["RFC 8996 sections 4 and 5", "RFC 9846 section 4.3.1"],
        },
        check: Check::Offer(|offer| {
            let legacy = || offer.exact_versions().into_iter().flatten().filter(|version| is_legacy(*version));
            legacy().next()?;
            let all = offer.exact_versions().into_iter().flatten();
            Some(Evidence::of("legacy_versions", list(legacy())).with("supported_versions", list(all)))
        }),
    },
    Rule {
        id: "VER013",
        name: "client-min-version-unknown",
        family: Family::Version,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The client sent no supported_versions: only the highest version it offers is on the wire.",
            why: "Whether this client would still accept SSL 3.0 or TLS 1.0 cannot be seen in its hello. Taking the \
                  range down to SSL 3.0 for granted would be a guess; so would be calling the client safe.",
            evidence: MAXIMUM,
            action: "None. The lower limit shows in the client's settings, or where it accepts a lower version from a \
                     server.",
            references: &["RFC 5246 appendix E.1", "RFC 9846 section 4.3.1"],
        },
        check: Check::Offer(|offer| {
            (offer.versions.is_none() && offer.legacy_version != Version::SSL2).then(|| maximum(offer))
        }),
    },
    Rule {
        id: "VER015",
        name: "server-max-below-client",
        family: Family::Version,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "In a handshake known not to be a resumption, the server selected a lower version than the \
                      highest the client offers, without the downgrade sentinel in its random. Drafts of TLS 1.3 are \
                      not counted among what the client offers.",
            why: "A server selects the highest version both sides support. So the version selected is the highest this \
                  server had enabled at that time: it is the server, not the client, that holds the connection down.",
            evidence: "`selected`: the server's version. `offered_maximum`: the client's highest. By hand: compare \
                       tls.handshake.extensions.supported_version (else tls.handshake.version) of both hellos, and see \
                       that tls.handshake.random of the ServerHello does not end in 444f574e47524401 or \
                       444f574e47524400.",
            action: "Enable the higher versions on the server, or on the load balancer that ends TLS for it.",
            references: &["RFC 9846 sections 4.2.3 and 4.3.1", "RFC 5246 appendix E.1"],
        },
        check: Check::Negotiation(|facts, _| {
            let offered = highest_final(facts.offer.as_ref()?)?;
            let selection = facts.selection.as_ref().filter(|_| facts.is_full())?;
            let lower = (1..offered.order()).contains(&selection.version.order());
            (lower && selection.sentinel.is_none())
                .then(|| Evidence::of("selected", selection.version).with("offered_maximum", offered))
        }),
    },
    Rule {
        id: "VER016",
        name: "tls13-draft-version",
        family: Family::Version,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client offers, or the server selected, a draft of TLS 1.3 or an experiment with it (0x7fXX, \
                      0xfbXX, 0x7eXX).",
            why: "Drafts were meant for tests between builds of 2016 to 2018. What still speaks one has not been \
                  updated since, and loses TLS 1.3 with every peer that knows the final version only.",
            evidence: "`offered`: the drafts among the client's versions, absent where its hello was not seen. \
                       `selected`: the draft the server selected. By hand: tls.handshake.extensions.supported_version \
                       of either hello.",
            action: "Update the software to the final TLS 1.3.",
            references: &["RFC 9846 section 4.3.1", "draft-ietf-tls-tls13-28 section 4.2.1.1"],
        },
        check: Check::Negotiation(|facts, _| {
            let offered = || {
                let versions = facts.offer.iter().filter_map(|offer| offer.exact_versions()).flatten();
                versions.filter(|version| version.is_draft())
            };
            let selected = facts.version().filter(|version| version.is_draft());
            selected.or_else(|| offered().next())?;
            let offered = facts.offer.as_ref().map(|_| list(offered()));
            Some(Evidence::new().with_some("offered", offered).with_some("selected", selected))
        }),
    },
    Rule {
        id: "VER018",
        name: "dtls10-negotiated",
        family: Family::Version,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server selected DTLS 1.0, or the pre-standard form of it that old VPN software speaks.",
            why: "DTLS 1.0 is TLS 1.1 over datagrams and deprecated with it: it rests on MD5 and SHA-1 and has no \
                  authenticated encryption. It is met in VPNs, telephony and embedded devices, which are easily \
                  forgotten when TLS 1.0 and 1.1 are switched off.",
            evidence: SELECTED,
            action: "Enable DTLS 1.2 on the side that lacks it (see `offered_maximum`), then switch DTLS 1.0 off.",
            references: &["RFC 8996", "RFC 9325 section 3.1.2"],
        },
        check: Check::Negotiation(|facts, _| {
            facts.version().filter(|version| is_dtls10(*version)).map(|_| selected(facts))
        }),
    },
    Rule {
        id: "VER019",
        name: "dtls10-max-offered",
        family: Family::Version,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The highest version the client offers is DTLS 1.0, or its pre-standard form.",
            why: "This client cannot connect once its servers switch DTLS 1.0 off, and until then keeps it on.",
            evidence: MAXIMUM,
            action: "Update the client or enable DTLS 1.2 in it before any of its servers drops DTLS 1.0.",
            references: &["RFC 8996", "RFC 9325 section 3.1.2"],
        },
        check: Check::Offer(|offer| is_dtls10(offer.maximum_version()).then(|| maximum(offer))),
    },
];

const MAXIMUM: &str = "`maximum_version`: the highest version offered. `source`: where it stands, in \
                       supported_versions or, where the client sent none, in legacy_version, which says nothing of \
                       lower versions. By hand: tshark -Y 'tls.handshake.type == 1' -T fields -e tls.handshake.version \
                       -e tls.handshake.extensions.supported_version (dtls.handshake for DTLS); not the record's \
                       version.";

const SELECTED: &str = "`version` and `cipher_suite`: what the ServerHello selected. `offered_maximum`: the highest \
                        version of the ClientHello, absent where that was not seen. By hand: tshark -Y \
                        'tls.handshake.type == 2' -T fields -e tls.handshake.version -e tls.handshake.ciphersuite \
                        (dtls.handshake for DTLS); not the record's version.";

fn highest_is(offer: &Offer, version: Version) -> Option<Evidence> {
    (offer.maximum_version() == version).then(|| maximum(offer))
}

fn maximum(offer: &Offer) -> Evidence {
    let source = if offer.versions.is_some() { "supported_versions" } else { "legacy_version" };
    Evidence::of("maximum_version", offer.maximum_version()).with("source", source)
}

/// The highest published version offered: a server need not know a draft, nor a version of the future.
fn highest_final(offer: &Offer) -> Option<Version> {
    let known = |version: &Version| !version.is_draft() && (1..=Version::TLS13.order()).contains(&version.order());
    match offer.exact_versions() {
        Some(versions) => versions.filter(known).max_by_key(|version| version.order()),
        None => Some(offer.legacy_version).filter(known),
    }
}

fn negotiated(facts: &Facts, version: Version) -> Option<Evidence> {
    (facts.version()? == version).then(|| selected(facts))
}

fn selected(facts: &Facts) -> Evidence {
    Evidence::new()
        .with_some("version", facts.version())
        .with_some("cipher_suite", facts.cipher_suite())
        .with_some("offered_maximum", facts.offer.as_ref().map(|offer| offer.maximum_version()))
}

fn selects_cbc(facts: &Facts) -> bool {
    facts.cipher_suite().is_some_and(|suite| suite.is_cbc())
}

fn is_legacy(version: Version) -> bool {
    (1..Version::TLS12.order()).contains(&version.order())
}

fn is_dtls10(version: Version) -> bool {
    matches!(version, Version::DTLS10 | Version::DTLS10_BAD)
}

fn cipher_specs(evidence: Evidence, specs: &[u32]) -> Evidence {
    let names = specs.iter().map(|spec| match u16::try_from(*spec) {
        Ok(suite) => Value::Suite(CipherSuite(suite)),
        Err(_) => SslV2CipherSpec(*spec).to_string().into(),
    });
    evidence.with("cipher_specs", list(names)).with("count", specs.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing::{
        Case, change_offer, change_selection, check, hold, offer, offer_tls12, selected, tls12, tls13, unanswered,
    };
    use crate::flow::facts::DowngradeSentinel;

    /// An unanswered hello without extension 43 that offers up to `version`.
    fn up_to(version: Version) -> Facts {
        unanswered(Offer { legacy_version: version, ..offer_tls12() })
    }

    /// An unanswered hello with these supported_versions.
    fn listing(versions: &[u16]) -> Facts {
        unanswered(Offer { versions: Some(versions.iter().copied().map(Version).collect()), ..offer() })
    }

    fn sslv2_hello(version: Version) -> Facts {
        let specs = Some(vec![0x01_0080, 0x00_002f]);
        unanswered(Offer { sslv2_cipher_specs: specs, legacy_version: version, ..Offer::default() })
    }

    #[test]
    fn every_rule_reports_what_it_says_and_nothing_near_it() {
        use Version as V;
        hold(
            RULES,
            &[
                Case { rule: "VER001", fires: || sslv2_hello(V::TLS10), silent: || sslv2_hello(V::SSL2) },
                Case { rule: "VER002", fires: || sslv2_hello(V::SSL2), silent: || sslv2_hello(V::SSL3) },
                Case { rule: "VER003", fires: || selected(V::SSL2, 0x0004), silent: || selected(V::SSL3, 0x0004) },
                Case { rule: "VER004", fires: || up_to(V::SSL3), silent: || up_to(V::TLS10) },
                Case { rule: "VER005", fires: || selected(V::SSL3, 0x0005), silent: || selected(V::TLS10, 0x0005) },
                Case { rule: "VER006", fires: || selected(V::SSL3, 0x002f), silent: || selected(V::SSL3, 0x0005) },
                Case { rule: "VER007", fires: || selected(V::TLS10, 0x002f), silent: || selected(V::TLS11, 0x002f) },
                Case { rule: "VER008", fires: || selected(V::TLS11, 0x002f), silent: || selected(V::TLS12, 0x002f) },
                Case { rule: "VER009", fires: || up_to(V::TLS10), silent: || up_to(V::TLS11) },
                Case { rule: "VER010", fires: || up_to(V::TLS11), silent: || up_to(V::TLS12) },
                Case { rule: "VER011", fires: || up_to(V::TLS12), silent: tls13 },
                Case {
                    rule: "VER012",
                    fires: || listing(&[0x0304, 0x0303, 0x0302]),
                    silent: || listing(&[0x0304, 0x0303]),
                },
                Case { rule: "VER013", fires: || up_to(V::TLS12), silent: tls13 },
                Case { rule: "VER015", fires: tls13_client_at_tls12, silent: tls12 },
                Case {
                    rule: "VER016",
                    fires: || listing(&[0x7f1c, 0x0303]),
                    silent: || listing(&[0x7a7a, 0x0304, 0x0303]),
                },
                Case { rule: "VER018", fires: || selected(V::DTLS10, 0x002f), silent: || selected(V::DTLS12, 0x002f) },
                Case { rule: "VER019", fires: || up_to(V::DTLS10), silent: || up_to(V::DTLS12) },
            ],
        );
    }

    fn tls13_client_at_tls12() -> Facts {
        let mut facts = tls12();
        facts.offer = Some(std::sync::Arc::new(offer()));
        facts
    }

    #[test]
    fn tls10_is_not_poodle() {
        for version in [Version::TLS10, Version::TLS11, Version::TLS12] {
            assert_eq!(check("VER006", &selected(version, 0x002f)), None, "{version}");
        }
    }

    #[test]
    fn an_offer_alone_negotiates_nothing() {
        for id in ["VER003", "VER005", "VER006", "VER007", "VER008", "VER015", "VER018"] {
            for version in [Version::SSL2, Version::SSL3, Version::TLS10, Version::TLS11, Version::DTLS10] {
                assert_eq!(check(id, &up_to(version)), None, "{id} on a client up to {version}");
            }
        }
    }

    #[test]
    fn supported_versions_outranks_legacy_version() {
        assert_eq!(check("VER011", &tls13()), None);
        let evidence = check("VER009", &listing(&[0x0301])).unwrap_or_default();
        assert_eq!(evidence.value("source"), Some(&Value::from("supported_versions")));
        let evidence = check("VER009", &up_to(Version::TLS10)).unwrap_or_default();
        assert_eq!(evidence.value("source"), Some(&Value::from("legacy_version")));
    }

    #[test]
    fn the_minimum_of_a_client_without_supported_versions_stays_unknown() {
        for version in [Version::SSL3, Version::TLS10, Version::TLS12] {
            assert!(check("VER013", &up_to(version)).is_some());
            assert_eq!(check("VER012", &up_to(version)), None, "{version}");
        }
        assert_eq!(check("VER013", &sslv2_hello(Version::SSL2)), None, "nothing is below SSL 2.0");
    }

    #[test]
    fn grease_is_no_version_and_0x0a1a_is_no_draft() {
        for rule in ["VER012", "VER016"] {
            assert_eq!(check(rule, &listing(&[0x0a0a, 0xfafa, 0x0a1a, 0x0304])), None, "{rule}");
        }
    }

    #[test]
    fn drafts_are_reported_when_selected_too() {
        for version in [0x7f12, 0xfb1a, 0x7e01] {
            let mut facts = selected(Version(version), 0x1301);
            assert!(check("VER016", &facts).is_some_and(|evidence| evidence.value("selected").is_some()));
            facts.offer = None;
            assert!(check("VER016", &facts).is_some(), "the server's half alone");
        }
    }

    #[test]
    fn a_server_is_blamed_for_its_version_only_where_the_wire_proves_it() {
        let changed = |change: fn(&mut Facts)| {
            let mut facts = tls13_client_at_tls12();
            change(&mut facts);
            check("VER015", &facts)
        };
        assert!(changed(|_| ()).is_some());
        assert_eq!(changed(|facts| facts.resumed = Some(true)), None, "a resumption keeps its session's version");
        assert_eq!(changed(|facts| facts.resumed = None), None, "it may be a resumption");
        assert_eq!(
            changed(|facts| change_selection(facts, |selection| selection.sentinel = Some(DowngradeSentinel::Tls12))),
            None,
            "the sentinel says that the server can do more"
        );
        assert_eq!(
            changed(|facts| change_offer(facts, |offer| {
                offer.versions = Some(vec![Version(0x7f1c), Version(0x0305), Version(0x0a0a), Version::TLS12]);
            })),
            None,
            "nobody need know a draft"
        );
        assert_eq!(changed(|facts| facts.offer = None), None);
    }

    #[test]
    fn dtls_is_measured_by_its_own_order() {
        assert_eq!(check("VER010", &up_to(Version::DTLS10)), None, "VER019 says it");
        assert!(check("VER011", &up_to(Version::DTLS12)).is_some());
        assert!(check("VER012", &listing(&[0xfefc, 0xfefd, 0xfeff])).is_some());
        assert_eq!(check("VER012", &listing(&[0xfefc, 0xfefd])), None);
        let mut facts = selected(Version::DTLS10, 0x002f);
        change_offer(&mut facts, |offer| offer.legacy_version = Version::DTLS12);
        assert!(check("VER015", &facts).is_some());
    }
}
