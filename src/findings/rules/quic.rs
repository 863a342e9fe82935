//! `QUIC`: QUIC.

use super::super::{Check, Documentation, Evidence, Family, Rule, Settings, Severity};
use super::list;
use crate::flow::facts::{Carrier, QuicFacts};
use crate::flow::{Facts, Offer};
use crate::quic::Version;
use crate::tls::extensions::extension_type;

/// The least a client's Initial datagram must have, in bytes (RFC 9000 section 14.1).
const SMALLEST_DATAGRAM: u16 = 1200;
/// Packets a hello may be scattered over out of order before that is worth a word. Chromium uses three.
const SCATTERED: u16 = 4;

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "QUIC001",
        name: "quic-draft-version",
        family: Family::Quic,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The connection uses a draft of QUIC from before RFC 9000.",
            why: "Drafts were experiments with an end. Implementations that still speak one have not been updated since \
                  2021, and miss what was mended in QUIC and in their TLS since then.",
            evidence: "`version`: the version of the client's Initial. By hand: the four bytes after the first byte of \
                       the packet are 0xff0000 and the number of the draft.",
            action: "Update the client; where the server answered in this version, update the server and switch drafts \
                     off.",
            references: &["RFC 9000 section 15"],
        },
        check: Check::Flow(|facts, _| {
            let quic = quic(facts)?;
            quic.version.draft().map(|_| Evidence::of("version", quic.version.to_string()))
        }),
    },
    Rule {
        id: "QUIC002",
        name: "gquic",
        family: Family::Quic,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The connection is Google's QUIC with its own handshake, which is not TLS.",
            why: "Google's QUIC was given up for the QUIC of the IETF. What speaks it is old, its cryptography was never \
                  standardised, and no rule about TLS says anything of it.",
            evidence: "`version`: the version, Q and three digits. `user_agent`: what the client calls itself, where it \
                       does. By hand: the client's first packet holds the letters CHLO.",
            action: "Update the client.",
            references: &["draft-tsvwg-quic-protocol-02"],
        },
        check: Check::Flow(|facts, _| {
            let quic = quic(facts).filter(|quic| quic.google_crypto)?;
            let evidence = Evidence::of("version", quic.version.to_string());
            Some(match &quic.user_agent {
                Some(agent) => evidence.with("user_agent", agent.clone()),
                None => evidence,
            })
        }),
    },
    Rule {
        id: "QUIC003",
        name: "quic-version-info",
        family: Family::Quic,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The connection uses a published version of QUIC.",
            why: "Nothing is wrong. Inventories of protocols want to know, and a firewall that knows version 1 alone \
                  breaks version 2.",
            evidence: "`version`: the version of the client's Initial. `negotiated`: the one the server answered in, \
                       where it was seen.",
            action: "Nothing.",
            references: &["RFC 9000", "RFC 9369"],
        },
        check: Check::Flow(|facts, _| {
            let quic = quic(facts).filter(|quic| matches!(quic.version, Version::V1 | Version::V2))?;
            let evidence = Evidence::of("version", quic.version.to_string());
            Some(match quic.negotiated {
                Some(negotiated) => evidence.with("negotiated", negotiated.to_string()),
                None => evidence,
            })
        }),
    },
    Rule {
        id: "QUIC004",
        name: "quic-version-negotiation",
        family: Family::Quic,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server answered the client's version with a list of those it speaks.",
            why: "The client loses a round trip on every connection, and gives up where the list holds nothing it \
                  speaks. Some clients provoke it on purpose with a reserved version.",
            evidence: "`tried`: the version that was refused. `server_versions`: the server's list. `version`: what the \
                       client went on with. By hand: the server's packet has version 0.",
            action: "Update whichever side lacks the other's version.",
            references: &["RFC 8999 section 6", "RFC 9000 section 6"],
        },
        check: Check::Flow(|facts, _| {
            let quic = quic(facts)?;
            let versions = quic.offered_by_server.as_deref()?;
            let evidence = Evidence::of("tried", quic.refused.unwrap_or(quic.version).to_string())
                .with("server_versions", list(versions.iter().map(Version::to_string)));
            Some(match quic.refused {
                Some(_) => evidence.with("version", quic.version.to_string()),
                None => evidence,
            })
        }),
    },
    Rule {
        id: "QUIC005",
        name: "quic-initial-undecryptable",
        family: Family::Quic,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "Initial packets of this connection could not be opened with its keys. Connections none of whose \
                      Initials opened have no record; they are in the counters.",
            why: "What they held is not known: a part of the hello, the server's answer or an alert may be missing. \
                  Loss in the capture explains it, so does somebody who sends forged packets into the connection.",
            evidence: "`undecryptable`: how many could not be opened. `opened`: how many could. `version`: the version.",
            action: "Capture from before the connection begins and without loss; where the capture is whole, look at who \
                     sends the packets.",
            references: &["RFC 9001 section 5.2"],
        },
        check: Check::Flow(|facts, _| {
            let quic = quic(facts).filter(|quic| quic.undecryptable > 0)?;
            let opened = u32::from(quic.client_initials).saturating_add(quic.server_initials.into());
            let evidence = Evidence::of("undecryptable", quic.undecryptable);
            Some(evidence.with("opened", opened).with("version", quic.version.to_string()))
        }),
    },
    Rule {
        id: "QUIC007",
        name: "quic-short-initial",
        family: Family::Quic,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client's first Initial came in a datagram of less than 1200 bytes.",
            why: "Servers must drop such a datagram, since they could be made to send more than they were sent. The \
                  client is broken, or no client: a scanner, or an attempt to get past a filter.",
            evidence: "`bytes`: the length of the datagram's payload.",
            action: "Update the client; look at what it is.",
            references: &["RFC 9000 section 14.1"],
        },
        check: Check::Flow(|facts, _| {
            let quic = quic(facts).filter(|quic| !quic.google_crypto && quic.client_initials > 0)?;
            (quic.first_datagram < SMALLEST_DATAGRAM).then(|| Evidence::of("bytes", quic.first_datagram))
        }),
    },
    Rule {
        id: "QUIC008",
        name: "quic-crypto-overlap",
        family: Family::Quic,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "CRYPTO frames repeat bytes of the handshake with other bytes, or the hello is scattered out of \
                      order over more than four packets.",
            why: "Receivers differ in which bytes they keep, so that a filter may see another server name than the \
                  server does. No sound client sends conflicting bytes. Frames out of order alone are normal: browsers \
                  scatter their hello over two or three packets on purpose.",
            evidence: "`conflict_at`: the offset of the first byte that was sent twice and differs; the first was kept. \
                       `packets`: packets the hello lay in, and `frames`: CRYPTO frames from the client.",
            action: "Look at the client: this is how evasion of filters looks.",
            references: &["RFC 9000 section 19.6", "RFC 9000 section 2.2"],
        },
        check: Check::Flow(crypto_overlap),
    },
    Rule {
        id: "QUIC009",
        name: "quic-crypto-error",
        family: Family::Quic,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "One side closed the connection in its first packets with an alert of TLS.",
            why: "The two sides could not agree, and the connection failed. The alert says on what, as it does over TCP.",
            evidence: "`from`: who closed. `alert`: the alert. `reason`: why in words, where the sender said so. By \
                       hand: CONNECTION_CLOSE with error code 0x0100 and the number of the alert.",
            action: "As for the same alert over TCP: compare what the client offers with what the server accepts; for \
                     no_application_protocol, the ALPN lists.",
            references: &["RFC 9001 section 4.8", "RFC 9000 section 19.19"],
        },
        check: Check::Flow(|facts, _| {
            let close = quic(facts)?.close.as_ref()?;
            let alert = facts.alerts.iter().find(|alert| alert.from == close.from)?;
            let evidence = Evidence::of("from", close.from).with("alert", alert.description);
            let is_alert = (0x0100..=0x01ff).contains(&close.error_code);
            is_alert.then(|| match close.reason.is_empty() {
                true => evidence,
                false => evidence.with("reason", close.reason.clone()),
            })
        }),
    },
    Rule {
        id: "QUIC010",
        name: "quic-no-alpn",
        family: Family::Quic,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "A ClientHello over QUIC lacks ALPN or the transport parameters.",
            why: "QUIC requires both: without transport parameters a server must refuse, without ALPN it has no protocol \
                  to speak. The client is broken, or a probe.",
            evidence: "`missing`: the extensions that are not there.",
            action: "Update the client; look at what it is.",
            references: &["RFC 9001 section 8.1", "RFC 9001 section 8.2"],
        },
        check: Check::Offer(no_alpn),
    },
    Rule {
        id: "QUIC011",
        name: "quic-grease-version",
        family: Family::Quic,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The client tried a reserved version of QUIC, which no server speaks.",
            why: "Nothing is wrong: clients do so to see that servers and the network between still let unknown versions \
                  through to Version Negotiation.",
            evidence: "`version`: the reserved version, of the form 0x?a?a?a?a.",
            action: "Nothing.",
            references: &["RFC 9000 section 6.3", "RFC 9000 section 15"],
        },
        check: Check::Flow(|facts, _| {
            let refused = quic(facts)?.refused.filter(|version| version.is_grease())?;
            Some(Evidence::of("version", refused.to_string()))
        }),
    },
];

fn quic(facts: &Facts) -> Option<&QuicFacts> {
    facts.quic.as_deref()
}

fn crypto_overlap(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let quic = quic(facts)?;
    let counts = |evidence: Evidence| evidence.with("packets", facts.hello.packets).with("frames", quic.crypto_frames);
    match facts.coverage.overlap_conflict {
        Some(at) => Some(counts(Evidence::of("conflict_at", at))),
        None if quic.reordered && facts.hello.packets > SCATTERED => Some(counts(Evidence::new())),
        None => None,
    }
}

fn no_alpn(offer: &Offer) -> Option<Evidence> {
    if offer.carrier != Carrier::Quic {
        return None;
    }
    let parameters = [extension_type::QUIC_TRANSPORT_PARAMETERS, extension_type::QUIC_TRANSPORT_PARAMETERS_DRAFT];
    let missing = [
        (!offer.has(extension_type::ALPN)).then_some(extension_type::ALPN),
        (!parameters.iter().any(|extension| offer.has(*extension)))
            .then_some(extension_type::QUIC_TRANSPORT_PARAMETERS),
    ];
    missing.iter().any(Option::is_some).then(|| Evidence::of("missing", list(missing.into_iter().flatten())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::findings::Value;
    use crate::findings::testing::{Case, alert, change_offer, check, hold, set_extensions, tls13};
    use crate::flow::facts::{QuicClose, Side};

    #[test]
    fn every_rule_fires_and_keeps_silent() {
        hold(RULES, CASES);
    }

    const CASES: &[Case] = &[
        Case { rule: "QUIC001", fires: || with(|quic| quic.version = Version(0xff00_001d)), silent: healthy },
        Case {
            rule: "QUIC002",
            fires: || {
                with(|quic| {
                    quic.version = Version(0x5130_3433);
                    quic.google_crypto = true;
                })
            },
            silent: || with(|quic| quic.version = Version(0x5430_3531)),
        },
        Case { rule: "QUIC003", fires: healthy, silent: || with(|quic| quic.version = Version(0xff00_001d)) },
        Case {
            rule: "QUIC004",
            fires: || with(|quic| quic.offered_by_server = Some(vec![Version::V1])),
            silent: healthy,
        },
        Case { rule: "QUIC005", fires: || with(|quic| quic.undecryptable = 1), silent: healthy },
        Case { rule: "QUIC007", fires: || with(|quic| quic.first_datagram = 1199), silent: healthy },
        Case {
            rule: "QUIC008",
            fires: || {
                let mut facts = healthy();
                facts.coverage.overlap_conflict = Some(70);
                facts
            },
            silent: || with(|quic| quic.reordered = true),
        },
        Case { rule: "QUIC009", fires: || closed(0x128), silent: || closed(0x0a) },
        Case {
            rule: "QUIC010",
            fires: || {
                let mut facts = healthy();
                change_offer(&mut facts, |offer| set_extensions(offer, &[0, 43, 57]));
                facts
            },
            silent: healthy,
        },
        Case {
            rule: "QUIC011",
            fires: || with(|quic| quic.refused = Some(Version(0x1a2a_3a4a))),
            silent: || with(|quic| quic.refused = Some(Version::V2)),
        },
    ];

    #[test]
    fn a_hello_scattered_over_many_packets_is_reported() {
        let mut facts = with(|quic| quic.reordered = true);
        facts.hello.packets = 5;
        assert!(check("QUIC008", &facts).is_some());
        facts.hello.packets = 3;
        assert!(check("QUIC008", &facts).is_none());
    }

    #[test]
    fn the_draft_number_of_the_parameters_will_do() {
        let mut facts = healthy();
        change_offer(&mut facts, |offer| set_extensions(offer, &[0, 16, 43, 0xffa5]));
        assert!(check("QUIC010", &facts).is_none());
        change_offer(&mut facts, |offer| offer.carrier = Carrier::Tcp);
        change_offer(&mut facts, |offer| set_extensions(offer, &[0, 43]));
        assert!(check("QUIC010", &facts).is_none());
    }

    #[test]
    fn a_refused_version_is_what_was_tried() {
        let facts = with(|quic| {
            quic.refused = Some(Version::V2);
            quic.offered_by_server = Some(vec![Version::V1]);
        });
        let evidence = check("QUIC004", &facts).unwrap();
        assert_eq!(evidence.value("tried"), Some(&Value::from("2".to_owned())));
        assert_eq!(evidence.value("version"), Some(&Value::from("1".to_owned())));
    }

    fn healthy() -> Facts {
        let mut facts = tls13();
        facts.carrier = Carrier::Quic;
        change_offer(&mut facts, |offer| {
            offer.carrier = Carrier::Quic;
            set_extensions(offer, &[0, 10, 13, 16, 43, 51, 57]);
        });
        facts.quic = Some(Box::new(QuicFacts {
            version: Version::V1,
            negotiated: Some(Version::V1),
            first_datagram: 1200,
            client_initials: 2,
            server_initials: 1,
            crypto_frames: 1,
            ..QuicFacts::default()
        }));
        facts
    }

    fn with(change: impl FnOnce(&mut QuicFacts)) -> Facts {
        let mut facts = healthy();
        change(facts.quic.as_deref_mut().unwrap());
        facts
    }

    fn closed(error_code: u64) -> Facts {
        let mut facts =
            with(|quic| quic.close = Some(QuicClose { from: Side::Server, error_code, reason: String::new() }));
        facts.alerts.push(alert(Side::Server, 40));
        facts
    }
}
