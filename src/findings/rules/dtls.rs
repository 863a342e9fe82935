//! `DTLS`: DTLS.

use super::super::{Check, Documentation, Evidence, Family, Rule, Settings, Severity};
use crate::flow::Facts;
use crate::flow::facts::Carrier;
use crate::tls::codepoints::{ProtocolVersion, SrtpProfile};
use crate::tls::extensions::extension_type;

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "DTLS001",
        name: "dtls-no-cookie",
        family: Family::Dtls,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server answered a hello with its whole flight without a cookie exchange. Not reported for a \
                      resumed session, nor where the client offers SRTP: there ICE has checked the address.",
            why: "The sender's address of a datagram is easily forged. A server that answers a small hello with its \
                  certificates at once sends a multiple of what it got to whoever is named as the sender, and keeps \
                  state for handshakes that never come.",
            evidence: "`version`: the version selected. `hello_bytes`: the length of the client's hello. By hand: there \
                       is no HelloVerifyRequest between ClientHello and ServerHello, and in DTLS 1.3 no \
                       HelloRetryRequest with a cookie.",
            action: "Switch the cookie exchange on (in OpenSSL: SSL_OP_COOKIE_EXCHANGE and DTLSv1_listen).",
            references: &["RFC 6347 section 4.2.1", "RFC 9147 section 5.1"],
        },
        check: Check::Flow(no_cookie),
    },
    Rule {
        id: "DTLS002",
        name: "dtls13-seen",
        family: Family::Dtls,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server selected DTLS 1.3.",
            why: "Nothing is wrong. Few implementations speak it yet, and what watches the network must know that its \
                  records have a header of their own.",
            evidence: "`version` and `cipher_suite`: what was selected.",
            action: "Nothing.",
            references: &["RFC 9147"],
        },
        check: Check::Flow(|facts, _| {
            let selection = facts.selection.as_ref().filter(|it| it.version == ProtocolVersion::DTLS13)?;
            let evidence = Evidence::of("version", selection.version);
            Some(match selection.cipher_suite {
                Some(suite) => evidence.with("cipher_suite", suite),
                None => evidence,
            })
        }),
    },
    Rule {
        id: "DTLS003",
        name: "srtp-weak-profile",
        family: Family::Dtls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server selected a profile of SRTP without encryption, or one whose tags have 32 bits. In DTLS \
                      1.3 the selection is encrypted and not seen.",
            why: "Without encryption everybody on the path hears the call. A tag of 32 bits lets a forged packet pass \
                  once in four thousand million, and the profile's SHA-1 is on its way out.",
            evidence: "`profile`: the profile selected. By hand: the use_srtp extension of the ServerHello.",
            action: "Put AEAD_AES_128_GCM or AEAD_AES_256_GCM first on both sides, and take these profiles out.",
            references: &["RFC 5764 section 4.1.2", "RFC 7714 section 14.2"],
        },
        check: Check::Flow(|facts, _| {
            let profile = facts.selection.as_ref()?.srtp_profile?;
            // SRTP_AES128_CM_HMAC_SHA1_32, and the two without encryption.
            matches!(profile, 0x0002 | 0x0005 | 0x0006)
                .then(|| Evidence::of("profile", SrtpProfile(profile).to_string()))
        }),
    },
];

fn no_cookie(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let offer = facts.offer.as_deref().filter(|_| facts.carrier == Carrier::Dtls)?;
    let selection = facts.selection.as_ref()?;
    let asked =
        facts.hello_verify || facts.hello_retry.is_some_and(|retry| retry.cookie) || offer.has(extension_type::COOKIE);
    let excused = facts.resumed == Some(true) || offer.srtp_profiles.is_some();
    (!asked && !excused).then(|| Evidence::of("version", selection.version).with("hello_bytes", facts.hello.length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing::{Case, change_offer, change_selection, check, hold, selected, set_extensions};
    use crate::flow::facts::HelloRetry;
    use crate::tls::codepoints::CipherSuite;

    #[test]
    fn every_rule_fires_and_keeps_silent() {
        hold(RULES, CASES);
    }

    const CASES: &[Case] = &[
        Case { rule: "DTLS001", fires: dtls12, silent: || Facts { hello_verify: true, ..dtls12() } },
        Case { rule: "DTLS002", fires: dtls13, silent: dtls12 },
        Case { rule: "DTLS003", fires: || srtp(0x0002), silent: || srtp(0x0007) },
    ];

    #[test]
    fn other_proofs_of_an_address_excuse_the_cookie() {
        let retry = HelloRetry {
            version: ProtocolVersion::DTLS13,
            cipher_suite: CipherSuite(0x1301),
            group: None,
            cookie: true,
        };
        assert!(check("DTLS001", &dtls13()).is_some());
        assert!(check("DTLS001", &Facts { hello_retry: Some(retry), ..dtls13() }).is_none());
        let without = HelloRetry { cookie: false, ..retry };
        assert!(check("DTLS001", &Facts { hello_retry: Some(without), ..dtls13() }).is_some());
        assert!(check("DTLS001", &Facts { resumed: Some(true), ..dtls12() }).is_none());
        assert!(check("DTLS001", &Facts { carrier: Carrier::Tcp, ..dtls12() }).is_none());
        let mut webrtc = dtls12();
        change_offer(&mut webrtc, |offer| offer.srtp_profiles = Some(vec![7]));
        assert!(check("DTLS001", &webrtc).is_none());
        let mut second = dtls13();
        change_offer(&mut second, |offer| set_extensions(offer, &[43, 44, 51]));
        assert!(check("DTLS001", &second).is_none());
    }

    #[test]
    fn profiles_without_encryption_are_weak() {
        for (profile, weak) in [(1, false), (2, true), (5, true), (6, true), (8, false)] {
            assert_eq!(check("DTLS003", &srtp(profile)).is_some(), weak, "{profile}");
        }
    }

    fn dtls12() -> Facts {
        Facts { carrier: Carrier::Dtls, ..selected(ProtocolVersion::DTLS12, 0xc02b) }
    }

    fn dtls13() -> Facts {
        Facts { carrier: Carrier::Dtls, ..selected(ProtocolVersion::DTLS13, 0x1301) }
    }

    fn srtp(profile: u16) -> Facts {
        let mut facts = dtls12();
        change_selection(&mut facts, |selection| selection.srtp_profile = Some(profile));
        facts
    }
}
