//! `PQ`: post-quantum readiness.
//!
//! A post-quantum group is one with ML-KEM (FIPS 203), alone or in a hybrid. Kyber, as it was before that, is none.

use super::list;
use crate::findings::{Check, Documentation, Evidence, Family, Rule, Severity};
use crate::flow::{Facts, Offer};
use crate::tls::codepoints::{CipherSuite, NamedGroup, ProtocolVersion as Version, SignatureScheme};

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "PQ001",
        name: "pq-group-offered",
        family: Family::PostQuantum,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The client's supported_groups has a post-quantum group: ML-KEM, alone or with a curve.",
            why: "This client is ready: its connections are safe from being recorded now and decrypted by a quantum \
                  computer later as soon as the server supports the group too.",
            evidence: "`groups`: the post-quantum groups in the client's order. `position`: the place of the first of \
                       them in the list as sent, the first being 1, with GREASE counted. By hand: tshark -Y \
                       'tls.handshake.type == 1' -T fields -e tls.handshake.extensions_supported_group.",
            action: "None.",
            references: &["RFC 10024 section 4", "RFC 9954", "draft-ietf-tls-mlkem"],
        },
        check: Check::Offer(|offer| {
            let groups = offer.groups.as_deref()?;
            let position = groups.iter().position(|group| group.is_post_quantum())? + 1;
            Some(Evidence::of("groups", list(post_quantum(offer))).with("position", position))
        }),
    },
    Rule {
        id: "PQ002",
        name: "pq-keyshare-sent",
        family: Family::PostQuantum,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The client's first key_share has a share of a post-quantum group.",
            why: "The post-quantum exchange needs no extra round trip. The share makes the hello longer than one \
                  packet, which some old middleboxes do not survive; where such clients fail to connect, look there.",
            evidence: "`group`: the group of the first such share. `share_length`: its length in bytes. By hand: \
                       tshark -Y 'tls.handshake.type == 1' -T fields -e tls.handshake.extensions_key_share_group -e \
                       tls.handshake.extensions_key_share_key_exchange_length.",
            action: "None.",
            references: &["RFC 10024 section 4", "RFC 9846 section 4.3.8"],
        },
        check: Check::Offer(|offer| {
            let share = offer.key_shares.as_deref()?.iter().find(|share| share.group.is_post_quantum())?;
            Some(Evidence::of("group", share.group).with("share_length", share.length))
        }),
    },
    Rule {
        id: "PQ003",
        name: "pq-negotiated",
        family: Family::PostQuantum,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The key share in the final ServerHello is of a post-quantum group.",
            why: "What is sent over this connection stays secret even if it is recorded and quantum computers come. It \
                  says nothing of the signatures: see PQ013.",
            evidence: "`group`: the server's group. By hand: tshark -Y 'tls.handshake.type == 2' -T fields -e \
                       tls.handshake.extensions_key_share_group.",
            action: "None.",
            references: &["RFC 10024 section 4"],
        },
        check: Check::Negotiation(|facts, _| {
            let group = key_share_group(facts)?;
            group.is_post_quantum().then(|| Evidence::of("group", group))
        }),
    },
    Rule {
        id: "PQ004",
        name: "client-classical-only",
        family: Family::PostQuantum,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client offers TLS 1.3, and no post-quantum group is among its supported_groups, nor one of \
                      the experiments before ML-KEM.",
            why: "Everything this client sends can be recorded now and decrypted by a quantum computer later, whatever \
                  its servers support. That matters for secrets that have to last for ten years or more.",
            evidence: "`groups`: the first 32 of the client's groups, without GREASE. By hand: tshark -Y \
                       'tls.handshake.type == 1' -T fields -e tls.handshake.extensions_supported_group.",
            action: "Update the client's TLS library (OpenSSL 3.5, Go 1.24, a current browser) or allow X25519MLKEM768 \
                     in its settings.",
            references: &["RFC 10024", "BSI TR-02102-2", "NIST IR 8547"],
        },
        check: Check::Offer(|offer| {
            let groups = offer.groups.as_deref().filter(|_| offer.offers_tls13())?;
            let real = groups.iter().copied().filter(|group| !group.is_grease());
            (!groups.iter().any(|group| !is_classical(*group))).then(|| Evidence::of("groups", list(real)))
        }),
    },
    Rule {
        id: "PQ005",
        name: "server-classical-despite-pq-offer",
        family: Family::PostQuantum,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The client offered a post-quantum group, and the server selected TLS 1.3 with a classical one.",
            why: "The server has no post-quantum group enabled, or prefers a classical one; a server that would have \
                  had to ask for the share first may have avoided the round trip. The client did its part, the server \
                  is what leaves this traffic open to being decrypted later.",
            evidence: "`selected`: the server's group. `offered`: the client's post-quantum groups. `share_sent`: \
                       whether the hello already held a share of one of them. By hand: \
                       tls.handshake.extensions_key_share_group of the ServerHello against \
                       tls.handshake.extensions_supported_group of the ClientHello.",
            action: "Enable X25519MLKEM768 on the server, and put it first.",
            references: &["RFC 10024 section 4", "BSI TR-02102-2"],
        },
        check: Check::Negotiation(|facts, _| {
            let offer = facts.offer.as_ref()?;
            let selected = key_share_group(facts).filter(|group| is_classical(*group))?;
            post_quantum(offer).next()?;
            let share_sent = offer.key_shares.iter().flatten().any(|share| share.group.is_post_quantum());
            Some(
                Evidence::of("selected", selected)
                    .with("offered", list(post_quantum(offer)))
                    .with("share_sent", share_sent),
            )
        }),
    },
    Rule {
        id: "PQ006",
        name: "pq-blocked-by-tls12",
        family: Family::PostQuantum,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server selected TLS 1.2 (DTLS 1.2) or an earlier version.",
            why: "Post-quantum key exchange is defined for TLS 1.3 alone. However well TLS 1.2 is set up, this traffic \
                  can be recorded and decrypted later.",
            evidence: "`version`: what the server selected. `offered`: the post-quantum groups the client offered for \
                       TLS 1.3, absent where there are none; where there are, the server alone stands in the way. By \
                       hand: tshark -Y 'tls.handshake.type == 2' -T fields -e tls.handshake.version -e \
                       tls.handshake.extensions.supported_version.",
            action: "Enable TLS 1.3 on both sides.",
            references: &["RFC 10024", "RFC 9954"],
        },
        check: Check::Negotiation(|facts, _| {
            let version = facts.version()?;
            let older = (1..=Version::TLS12.order()).contains(&version.order());
            let offered = facts.offer.as_ref().filter(|offer| post_quantum(offer).next().is_some());
            older.then(|| {
                Evidence::of("version", version).with_some("offered", offered.map(|offer| list(post_quantum(offer))))
            })
        }),
    },
    Rule {
        id: "PQ007",
        name: "prestandard-kyber",
        family: Family::PostQuantum,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client offers, or the server selected, a group with Kyber as it was before it became ML-KEM: \
                      X25519Kyber768Draft00 and its relatives.",
            why: "These groups were experiments. Browsers and servers have dropped them for ML-KEM, which is not \
                  compatible: this side falls back to a classical group with every current peer.",
            evidence: "`offered`: the Kyber groups among the client's supported_groups, absent where its hello was not \
                       seen. `selected`: the server's group, where it is one. By hand: \
                       tls.handshake.extensions_supported_group and tls.handshake.extensions_key_share_group; 0x6399, \
                       0x639a, 0xfe30 and 0xfe31 are Kyber.",
            action: "Update to a version with X25519MLKEM768.",
            references: &["draft-tls-westerbaan-xyber768d00", "RFC 10024", "FIPS 203"],
        },
        check: Check::Negotiation(|facts, _| {
            let offered = || {
                let groups = facts.offer.iter().filter_map(|offer| offer.groups.as_deref()).flatten().copied();
                groups.filter(|group| group.is_prestandard_kyber())
            };
            let selected = key_share_group(facts).filter(|group| group.is_prestandard_kyber());
            selected.or_else(|| offered().next())?;
            let offered = facts.offer.as_ref().map(|_| list(offered()));
            Some(Evidence::new().with_some("offered", offered).with_some("selected", selected))
        }),
    },
    Rule {
        id: "PQ010",
        name: "cnsa2-noncompliant",
        family: Family::PostQuantum,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "What the server selected is not TLS 1.3 with TLS_AES_256_GCM_SHA384 and the group MLKEM1024. Off \
                      unless CNSA 2.0 is asked for.",
            why: "US national security systems have to move to this one combination. Everyone else need not: \
                  X25519MLKEM768 is the common choice.",
            evidence: "`version`, `cipher_suite` and `group`: what was selected, each absent where the wire does not \
                       show it. By hand: the ServerHello's tls.handshake.extensions.supported_version, \
                       tls.handshake.ciphersuite and tls.handshake.extensions_key_share_group.",
            action: "Where the profile applies, plan the change by its timeline; certificates with ML-DSA-87 are part \
                     of it and cannot be seen here.",
            references: &["draft-becker-cnsa2-tls-profile"],
        },
        check: Check::Negotiation(|facts, settings| {
            facts.selection.as_ref().filter(|_| settings.cnsa2)?;
            let complies = facts.version().is_some_and(|version| matches!(version, Version::TLS13 | Version::DTLS13))
                && facts.cipher_suite() == Some(CipherSuite(0x1302))
                && facts.group() == Some(NamedGroup::MLKEM1024);
            (!complies).then(|| {
                Evidence::new()
                    .with_some("version", facts.version())
                    .with_some("cipher_suite", facts.cipher_suite())
                    .with_some("group", facts.group())
            })
        }),
    },
    Rule {
        id: "PQ011",
        name: "pq-signature-offered",
        family: Family::PostQuantum,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The client accepts post-quantum signatures, ML-DSA or SLH-DSA, in signature_algorithms or \
                      signature_algorithms_cert.",
            why: "A server could prove itself to this client with a post-quantum certificate. Signatures are less \
                  urgent than key exchange: they cannot be forged after the fact.",
            evidence: "`schemes`: the post-quantum schemes in the client's order. By hand: tshark -Y \
                       'tls.handshake.type == 1' -T fields -e tls.handshake.sig_hash_alg; 0x0904 to 0x0906 are ML-DSA.",
            action: "None.",
            references: &["draft-ietf-tls-mldsa", "FIPS 204", "FIPS 205"],
        },
        check: Check::Offer(|offer| {
            signatures(offer).next()?;
            Some(Evidence::of("schemes", list(signatures(offer))))
        }),
    },
    Rule {
        id: "PQ013",
        name: "pq-authentication-unknown",
        family: Family::PostQuantum,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "TLS 1.3 was selected, which encrypts Certificate and CertificateVerify.",
            why: "Whether the server proves itself with a post-quantum signature cannot be seen from outside. It is \
                  unknown, which is neither good nor bad.",
            evidence: "`hidden`: the messages that would tell. `offered`: the post-quantum schemes the client accepts, \
                       absent where its hello was not seen; where the list is empty the server cannot have signed with \
                       one.",
            action: "Connect to the server actively, or look at its certificate, to know.",
            references: &["RFC 9846 sections 4.5.1 and 4.5.2"],
        },
        check: Check::Negotiation(|facts, _| {
            let offered = facts.offer.as_ref().map(|offer| list(signatures(offer)));
            let hidden = list(["Certificate", "CertificateVerify"]);
            facts.is_tls13().then(|| Evidence::of("hidden", hidden).with_some("offered", offered))
        }),
    },
];

/// The post-quantum groups offered, in the client's order.
fn post_quantum(offer: &Offer) -> impl Iterator<Item = NamedGroup> + '_ {
    offer.groups.iter().flatten().copied().filter(|group| group.is_post_quantum())
}

/// The post-quantum signature schemes offered, in the client's order.
fn signatures(offer: &Offer) -> impl Iterator<Item = SignatureScheme> + '_ {
    let schemes = offer.signature_schemes.iter().chain(&offer.signature_schemes_cert).flatten().copied();
    schemes.filter(|scheme| scheme.is_post_quantum())
}

fn key_share_group(facts: &Facts) -> Option<NamedGroup> {
    facts.selection.as_ref().and_then(|selection| selection.key_share_group)
}

/// Whether a group is neither post-quantum nor one of the experiments on the way there. What is unknown counts as
/// classical: it is none of the post-quantum groups that peers agree on.
fn is_classical(group: NamedGroup) -> bool {
    use crate::tls::codepoints::GroupKind as Kind;
    !matches!(group.kind(), Some(Kind::MlKem | Kind::Hybrid | Kind::Kyber | Kind::Cecpq2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Value;
    use crate::findings::testing::{
        Case, change_offer, change_selection, check, hold, offer, offer_tls12, selected, tls12, tls13, unanswered,
    };

    /// An unanswered TLS 1.3 hello with these groups.
    fn offering(groups: &[u16]) -> Facts {
        unanswered(Offer { groups: Some(groups.iter().copied().map(NamedGroup).collect()), ..offer() })
    }

    fn choosing(group: u16) -> Facts {
        let mut facts = tls13();
        change_selection(&mut facts, |selection| selection.key_share_group = Some(NamedGroup(group)));
        facts
    }

    fn accepting(schemes: &[u16]) -> Facts {
        let mut facts = tls13();
        change_offer(&mut facts, |offer| {
            offer.signature_schemes = Some(schemes.iter().copied().map(SignatureScheme).collect());
        });
        facts
    }

    fn cnsa2() -> Facts {
        let mut facts = choosing(0x0202);
        change_selection(&mut facts, |selection| selection.cipher_suite = Some(CipherSuite(0x1302)));
        facts
    }

    #[test]
    fn every_rule_reports_what_it_says_and_nothing_near_it() {
        hold(
            RULES,
            &[
                Case { rule: "PQ001", fires: || offering(&[0x001d, 0x0202]), silent: || offering(&[0x001d, 0x6399]) },
                Case {
                    rule: "PQ002",
                    fires: tls13,
                    silent: || unanswered(Offer { key_shares: Some(vec![]), ..offer() }),
                },
                Case { rule: "PQ003", fires: || choosing(0x11ec), silent: || choosing(0x001d) },
                Case { rule: "PQ004", fires: || offering(&[0x001d, 0x0017]), silent: || unanswered(offer_tls12()) },
                Case { rule: "PQ005", fires: || choosing(0x001d), silent: || choosing(0x11eb) },
                Case { rule: "PQ006", fires: tls12, silent: tls13 },
                Case { rule: "PQ007", fires: || offering(&[0x6399, 0x001d]), silent: || offering(&[0x11ec, 0x001d]) },
                Case { rule: "PQ010", fires: || choosing(0x0202), silent: cnsa2 },
                Case { rule: "PQ011", fires: || accepting(&[0x0403, 0x0905]), silent: || accepting(&[0x0403, 0x0a0a]) },
                Case { rule: "PQ013", fires: tls13, silent: tls12 },
            ],
        );
    }

    #[test]
    fn cnsa2_is_silent_unless_asked_for() {
        assert_eq!(check("PQ010", &tls12()), None);
        assert_eq!(check("PQ010", &tls13()), None);
    }

    #[test]
    fn a_client_without_groups_is_not_called_classical() {
        let facts = unanswered(Offer { groups: None, ..offer() });
        assert_eq!(check("PQ004", &facts), None, "it may use pre-shared keys alone");
        assert_eq!(check("PQ004", &offering(&[0x6399, 0x001d])), None, "PQ007 says what it has");
        assert!(check("PQ004", &offering(&[0x0a0a, 0x001d])).is_some(), "GREASE is no group");
    }

    #[test]
    fn a_server_is_blamed_only_for_its_own_choice() {
        let mut facts = choosing(0x001d);
        change_offer(&mut facts, |offer| offer.groups = Some(vec![NamedGroup::X25519]));
        assert_eq!(check("PQ005", &facts), None, "nothing post-quantum was offered");
        facts.offer = None;
        assert_eq!(check("PQ005", &facts), None, "what was offered is unknown");
        let mut facts = choosing(0x001d);
        change_selection(&mut facts, |selection| selection.key_share_group = None);
        assert_eq!(check("PQ005", &facts), None, "a pre-shared key alone exchanges nothing");
        let mut facts = choosing(0x001d);
        change_offer(&mut facts, |offer| offer.key_shares.iter_mut().for_each(|shares| shares.truncate(0)));
        let evidence = check("PQ005", &facts).unwrap_or_default();
        assert_eq!(evidence.value("share_sent"), Some(&Value::Flag(false)));
    }

    #[test]
    fn every_version_before_tls13_blocks_and_its_drafts_do_not() {
        for version in [Version::SSL3, Version::TLS10, Version::TLS11, Version::TLS12, Version::DTLS10, Version::DTLS12]
        {
            assert!(check("PQ006", &selected(version, 0xc02f)).is_some(), "{version}");
        }
        for version in [Version::DTLS13, Version(0x7f1c), Version(0x0a0a)] {
            assert_eq!(check("PQ006", &selected(version, 0x1301)), None, "{version}");
        }
    }

    #[test]
    fn kyber_is_reported_when_only_the_server_was_seen() {
        let mut facts = choosing(0x6399);
        facts.offer = None;
        assert!(check("PQ007", &facts).is_some_and(|evidence| evidence.value("selected").is_some()));
        assert_eq!(check("PQ003", &facts), None, "Kyber is not ML-KEM");
    }
}
