//! `KEX`: key exchange, groups and signatures.
//!
//! A key exchange is what the final ServerHello and ServerKeyExchange show; GREASE values never count as offered.

use super::list;
use crate::findings::{Check, Documentation, Evidence, Family, Rule, Settings, Severity};
use crate::flow::facts::{KeyExchangeFacts, KeyExchangeParameters as Parameters};
use crate::flow::{Facts, Offer};
use crate::tls::codepoints::{
    Authentication, KeyExchange, NamedGroup, ProtocolVersion as Version, PskKeyExchangeMode, SignatureScheme,
    SuiteClasses as C,
};
use crate::tls::x509::PublicKey;

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "KEX001",
        name: "static-rsa-kex-negotiated",
        family: Family::KeyExchange,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server selected a suite in which the client encrypts the secret to the server's RSA key (RSA or \
                      RSA_PSK).",
            why: "There is no forward secrecy: whoever gets the server's private key later, by theft, by a court or by a \
                  quantum computer, reads every recording of such connections. A server that decrypts RSA for anyone \
                  also has to do so without leaking by time or by errors, and many have failed (Bleichenbacher, ROBOT).",
            evidence: SELECTED,
            action: "Enable ECDHE suites and put them first; switch RSA key exchange off when no client needs it any \
                     more. Devices that decrypt traffic passively with the server's key stop working then.",
            references: &["RFC 10015", "RFC 9325 section 4.1", "CVE-2017-13099"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, C::STATIC_RSA)),
    },
    Rule {
        id: "KEX002",
        name: "static-dh-ecdh-negotiated",
        family: Family::KeyExchange,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server selected a suite with static Diffie-Hellman: the server's half is the key in its \
                      certificate (DH_* or ECDH_*).",
            why: "As with RSA key exchange there is no forward secrecy, and faults that show a bit of a secret at a time \
                  (invalid curve points, the Raccoon attack) reach a secret that never changes.",
            evidence: SELECTED,
            action: "Use ECDHE suites. The certificate needs a key for signing then.",
            references: &["RFC 10015", "CVE-2015-7940", "CVE-2020-1968"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, C::STATIC_DH)),
    },
    Rule {
        id: "KEX003",
        name: "ffdhe-negotiated-tls12",
        family: Family::KeyExchange,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "Up to TLS 1.2, the server selected a suite with ephemeral Diffie-Hellman over a finite field (DHE).",
            why: "Before TLS 1.3 the server dictates the group, and the client can neither choose it nor see whether it \
                  is sound. The exchange is also slow, and servers that use their half again are open to the Raccoon \
                  attack. It is deprecated for (D)TLS 1.2.",
            evidence: "`cipher_suite` and `version`: as selected. `prime_bits`: length of the prime, where the \
                       ServerKeyExchange was seen. By hand: tls.handshake.ciphersuite of the ServerHello, \
                       tls.handshake.p_len (in bytes).",
            action: "Prefer ECDHE suites, and remove DHE where no client depends on it.",
            references: &["RFC 10015", "CVE-2020-1968", "CVE-2015-4000"],
        },
        check: Check::Negotiation(|facts, _| {
            let evidence = negotiated(facts, C::DHE)?;
            Some(evidence.with_some("prime_bits", prime(facts).map(|prime| prime.bits)))
        }),
    },
    Rule {
        id: "KEX004",
        name: "dh-below-1024",
        family: Family::KeyExchange,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The server's Diffie-Hellman prime has fewer than 1024 bits.",
            why: "Discrete logarithms of 512 bits take minutes after a precomputation that was done in public in 2015; 768 \
                  bits are within an academic team's reach. Everything sent can be read, and an attacker who is fast \
                  enough can alter the handshake (Logjam).",
            evidence: PRIME,
            action: "Use ECDHE, or the groups of RFC 7919 from ffdhe2048 up. Remove DHE_EXPORT suites.",
            references: &["CVE-2015-4000", "RFC 9325 section 4.5"],
        },
        check: Check::Negotiation(|facts, _| prime_within(facts, 0..1024)),
    },
    Rule {
        id: "KEX005",
        name: "dh-1024",
        family: Family::KeyExchange,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server's Diffie-Hellman prime has at least 1024 and fewer than 2048 bits.",
            why: "1024 bits are believed within reach of a state, once for a prime and then for every connection that \
                  uses it. Current clients refuse such a server, or use another suite with it.",
            evidence: PRIME,
            action: "Use ECDHE, or ffdhe2048 and above. Java 6 and 7 accept no DHE prime above 1024 bits: they need ECDHE \
                     (Java 7) or an update. See who offers DHE without ECDHE before the change.",
            references: &["RFC 9325 section 4.5", "CVE-2015-4000"],
        },
        check: Check::Negotiation(|facts, _| prime_within(facts, 1024..2048)),
    },
    Rule {
        id: "KEX006",
        name: "dh-shorter-than-cert-key",
        family: Family::KeyExchange,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The Diffie-Hellman prime is shorter than the RSA or DSA key of the server's certificate.",
            why: "A prime and an RSA modulus of the same length are about equally hard. The long key of the certificate \
                  then promises a strength that the secrecy of the connection does not have.",
            evidence: "`prime_bits`: length of the prime. `key_bits`: length of the certificate's key. By hand: \
                       tls.handshake.p_len, and the modulus in the server's certificate.",
            action: "Choose a group at least as long as the key, or ECDHE.",
            references: &["SP 800-57 part 1 revision 5 section 5.6.1", "RFC 9325 section 4.5"],
        },
        check: Check::Flow(|facts, _| {
            let prime = prime(facts)?;
            let (PublicKey::Rsa { bits, .. } | PublicKey::Dsa { bits }) = facts.leaf()?.key else { return None };
            (prime.bits < bits).then(|| Evidence::of("prime_bits", prime.bits).with("key_bits", bits))
        }),
    },
    Rule {
        id: "KEX007",
        name: "dh-common-prime",
        family: Family::KeyExchange,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The Diffie-Hellman prime is one of the published primes of at most 1024 bits that very many servers \
                      share.",
            why: "The costly part of a discrete logarithm depends on the prime alone. Done once, it opens the connections \
                  of all servers that share it: in 2015 one prime was that of 18 % of the top million HTTPS sites.",
            evidence: "`prime`: where the prime comes from. `prime_bits` and `prime_sha256`: its length, and the SHA-256 \
                       of its bytes without leading zeros, to compare with tls.handshake.p.",
            action: "Use ECDHE, or the groups of RFC 7919 from ffdhe2048 up, which are shared too but long enough.",
            references: &["https://weakdh.org/imperfect-forward-secrecy-ccs15.pdf", "CVE-2015-4000", "RFC 7919"],
        },
        check: Check::Negotiation(|facts, _| {
            prime(facts).filter(|prime| prime.is_common).map(|prime| prime.evidence())
        }),
    },
    Rule {
        id: "KEX008",
        name: "dh-custom-group",
        family: Family::KeyExchange,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The Diffie-Hellman prime is in no RFC (2409, 3526, 5114, 7919), nor one of those that KEX007 \
                      reports.",
            why: "Nobody can tell from the wire whether the prime is a safe one, or a prime at all; a bad one has been a \
                  back door before (CVE-2016-0701 needs one that is not safe). A prime of one's own is no protection \
                  either, from 2048 bits up.",
            evidence: PRIME,
            action: "Use a group of RFC 7919, or ECDHE. Check what is in use with openssl dhparam -check.",
            references: &["RFC 7919 section 1", "RFC 9325 section 4.5", "CVE-2016-0701"],
        },
        check: Check::Negotiation(|facts, _| {
            let prime = prime(facts)?;
            let is_standard = prime.name.is_some_and(|name| name.starts_with("RFC "));
            (!is_standard && !prime.is_common).then(|| prime.evidence())
        }),
    },
    Rule {
        id: "KEX010",
        name: "weak-curve-negotiated",
        family: Family::KeyExchange,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server selected a named curve over a field of fewer than 224 bits.",
            why: "Such a curve gives less than 112 bits of strength, 80 or 96 as a rule. No current guideline allows it.",
            evidence: CURVE,
            action: "Enable x25519 or secp256r1 on the side that lacks both, and remove the small curves.",
            references: &["RFC 9325 section 4.5", "RFC 8422 section 5.1.1"],
        },
        check: Check::Negotiation(|facts, _| facts.group().filter(|group| group.is_weak()).map(of_curve)),
    },
    Rule {
        id: "KEX011",
        name: "explicit-curve",
        family: Family::KeyExchange,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server wrote its curve out in the ServerKeyExchange, or selected the code point that stands for \
                      such a curve (0xff01, 0xff02).",
            why: "The client would have to judge the curve, which no client can in the time of a handshake: a curve made \
                  to be weak is accepted like a sound one. RFC 8422 forbids it.",
            evidence: "`curve`: the code point, or `explicit` where the parameters themselves were sent \
                       (tls.handshake.server_curve_type 1 or 2).",
            action: "Set the server to named curves. Only very old or hand-made software does otherwise.",
            references: &["RFC 8422 sections 5.1.1 and 5.4", "CVE-2020-0601"],
        },
        check: Check::Negotiation(|facts, _| match facts.key_exchange.as_ref()?.parameters {
            Parameters::EcdhExplicit => Some(Evidence::of("curve", "explicit")),
            Parameters::Ecdh(group) if group.is_explicit() => Some(Evidence::of("curve", group)),
            _ => None,
        }),
    },
    Rule {
        id: "KEX012",
        name: "binary-or-deprecated-curve",
        family: Family::KeyExchange,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server selected a curve over a binary field, secp256k1 or another named curve that is no longer \
                      recommended by anyone; or the client offers no other curves.",
            why: "These curves are deprecated, their code is seldom tested, and libraries remove it: the connection \
                  breaks with an update of either side. Only the smallest of them are weak (KEX010).",
            evidence: "`selected`: the curve the server selected. `offered`: the client's curves, where all are such. By \
                       hand: tls.handshake.server_named_curve, tls.handshake.extensions_supported_group.",
            action: "Enable x25519 and secp256r1.",
            references: &["RFC 8422 section 5.1.1", "RFC 9847 section 6"],
        },
        check: Check::Negotiation(outdated_curve),
    },
    Rule {
        id: "KEX013",
        name: "group-not-offered",
        family: Family::KeyExchange,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server selected a group, or asked for one with a HelloRetryRequest, that is not in the client's \
                      supported_groups. Not judged without that extension, nor in TLS 1.3 where the hello has \
                      encrypted_client_hello, since the server may have answered the encrypted hello.",
            why: "A server may only select what was offered. Either its software is wrong, or one of the hellos was \
                  changed on the way.",
            evidence: "`group`: the group. `in`: the message that names it. `offered`: the client's groups. By hand: \
                       tls.handshake.extensions_supported_group of the ClientHello against \
                       tls.handshake.extensions_key_share_group of the ServerHello or tls.handshake.server_named_curve.",
            action: "Update the server. If it is current, capture on both sides of what lies between and compare.",
            references: &["RFC 9846 section 4.3.8", "RFC 8446 section 4.2.8", "RFC 8422 section 5.1"],
        },
        check: Check::Negotiation(group_not_offered),
    },
    Rule {
        id: "KEX014",
        name: "psk-ke-only-negotiated",
        family: Family::KeyExchange,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "In TLS 1.3 the server selected a pre-shared key and no key share (psk_ke).",
            why: "The keys then come from the pre-shared key or ticket alone. There is no forward secrecy: whoever gets \
                  the key, or the key that tickets are encrypted with, reads what was recorded.",
            evidence: "`pre_shared_key`: the extension is in the ServerHello; `key_share` is not. By hand: \
                       tls.handshake.extension.type of the ServerHello has 41 and lacks 51.",
            action: "Let the server require psk_dhe_ke. Constrained devices may have reasons of their own.",
            references: &["RFC 9846 section 4.3.9", "RFC 8446 sections 2.2 and 4.2.9", "RFC 9257 section 4"],
        },
        check: Check::Negotiation(|facts, _| {
            let selection = facts.selection.as_ref().filter(|_| facts.is_tls13())?;
            let alone = selection.pre_shared_key && selection.key_share_group.is_none() && !selection.is_partial;
            alone.then(|| Evidence::of("pre_shared_key", true).with("key_share", false))
        }),
    },
    Rule {
        id: "KEX015",
        name: "psk-ke-offered",
        family: Family::KeyExchange,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The client's psk_key_exchange_modes has psk_ke: it accepts resumption without a new key exchange.",
            why: "A server that takes it up gives connections without forward secrecy (KEX014). Few do.",
            evidence: "`modes`: the modes offered, in order. By hand: tls.extension.psk_ke_mode, 0 is psk_ke.",
            action: "Offer psk_dhe_ke alone.",
            references: &["RFC 9846 section 4.3.9", "RFC 8446 section 4.2.9"],
        },
        check: Check::Offer(|offer| {
            const PSK_KE: u8 = 0;
            let modes = offer.psk_modes.as_deref()?;
            let names = modes.iter().map(|mode| PskKeyExchangeMode(*mode).to_string());
            modes.contains(&PSK_KE).then(|| Evidence::of("modes", list(names)))
        }),
    },
    Rule {
        id: "KEX016",
        name: "ske-signature-md5",
        family: Family::KeyExchange,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "In (D)TLS 1.2 the server signed its ServerKeyExchange over MD5.",
            why: "Collisions of MD5 take seconds. With one, an attacker can make the signature fit parameters of his own \
                  and impersonate the server (SLOTH). No software of the last ten years does this by default.",
            evidence: SIGNATURE,
            action: "Update the server, and see why it was allowed MD5. The client offered it: update that too.",
            references: &["RFC 9155 section 4", "CVE-2015-7575"],
        },
        check: Check::Negotiation(|facts, _| signed(facts, SignatureScheme::is_md5)),
    },
    Rule {
        id: "KEX017",
        name: "ske-signature-sha1",
        family: Family::KeyExchange,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "In (D)TLS 1.2 the server signed its ServerKeyExchange over SHA-1.",
            why: "Collisions of SHA-1 have been computed with a freedom that suits this attack, for some 45,000 dollars \
                  in 2020. RFC 9155 forbids such signatures, and current clients refuse them: this connection breaks \
                  with the client's next update.",
            evidence: SIGNATURE,
            action: "If `offered` has SHA-256 or better, the server is at fault: update it, or its key's device. If the \
                     client offers SHA-1 alone or sends no signature_algorithms, it is the client.",
            references: &["RFC 9155 section 4", "RFC 5246 section 7.4.1.4.1"],
        },
        check: Check::Negotiation(|facts, _| signed(facts, SignatureScheme::is_sha1)),
    },
    Rule {
        id: "KEX018",
        name: "client-offers-sha1-md5-sigalgs",
        family: Family::KeyExchange,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client's signature_algorithms has pairs with MD5 or SHA-1. Info where its supported_versions \
                      lists TLS 1.1 or below too, since that client has to be renewed for other reasons first.",
            why: "A server may then sign with a broken hash, and an attacker may pretend to be one. RFC 9155 forbids the \
                  offer. Some clients keep SHA-1 for old certificate chains.",
            evidence: "`weak`: the pairs with MD5 or SHA-1. `offered`: how many there are in all. By hand: \
                       tls.handshake.sig_hash_alg of the ClientHello, values 0x01xx and 0x02xx.",
            action: "Remove them from the client's configuration; a current library has none by default.",
            references: &["RFC 9155 section 2", "RFC 8446 section 4.2.3"],
        },
        check: Check::Offer(weak_schemes_offered),
    },
    Rule {
        id: "KEX019",
        name: "client-sigalgs-absent",
        family: Family::KeyExchange,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client's highest version is (D)TLS 1.2, it offers suites with a certificate, and it sends no \
                      signature_algorithms.",
            why: "The server then has to sign with SHA-1, which RFC 9155 forbids: it breaks off, or does what is \
                  forbidden.",
            evidence: "`maximum_version`: the client's highest version. By hand: extension 13 is not in the ClientHello.",
            action: "Update the client.",
            references: &["RFC 9155 section 2", "RFC 5246 section 7.4.1.4.1"],
        },
        check: Check::Offer(|offer| {
            let certified = |authentication| {
                matches!(authentication, Authentication::Rsa | Authentication::Dss | Authentication::Ecdsa)
            };
            let mut parts = offer.real_suites().filter_map(|suite| suite.parts());
            let maximum = offer.maximum_version();
            (maximum.tls_equivalent() == Version::TLS12
                && offer.signature_schemes.is_none()
                && parts.any(|parts| certified(parts.authentication)))
            .then(|| Evidence::of("maximum_version", maximum))
        }),
    },
    Rule {
        id: "KEX020",
        name: "export-rsa-ephemeral",
        family: Family::KeyExchange,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The server sent a temporary RSA key in a ServerKeyExchange. Critical up to 512 bits, high above \
                      (EXPORT1024).",
            why: "A modulus of 512 bits is factored in hours for less than a hundred dollars, and servers use the \
                  temporary key for as long as they run. Where the suite is not an EXPORT one, the client should \
                  refuse the message; one that accepts it is open to FREAK.",
            evidence: "`bits`: length of the modulus. `cipher_suite`: as selected. `export_suite`: whether it calls for a \
                       temporary key at all; `false` is FREAK. By hand: tls.handshake.type 12 with RSA parameters.",
            action: "Remove EXPORT suites from the server. Where `export_suite` is false, look for an attacker on the \
                     path, and patch the client if the handshake went on.",
            references: &["CVE-2015-0204", "RFC 2246 section 7.4.3", "RFC 9325 section 4.1"],
        },
        check: Check::Negotiation(|facts, _| {
            let Parameters::RsaExport(bits) = facts.key_exchange.as_ref()?.parameters else { return None };
            let evidence = Evidence::of("bits", bits)
                .with_some("cipher_suite", facts.cipher_suite())
                .with_some("export_suite", facts.cipher_suite().map(|suite| suite.is_export()));
            Some(if bits > 512 { evidence.at(Severity::High) } else { evidence })
        }),
    },
    Rule {
        id: "KEX021",
        name: "hello-retry-request",
        family: Family::KeyExchange,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server answered the first ClientHello with a HelloRetryRequest.",
            why: "The handshake takes one more round trip, each time. It means that the client guesses a group the server \
                  does not prefer or have, or that the server wants its cookie back before it works for the client.",
            evidence: "`group`: the group asked for. `cookie`: whether a cookie was sent. `key_shares`: the groups the \
                       client had sent shares of. By hand: the ServerHello whose random is cf21ad74e59a6111….",
            action: "If many handshakes show it, let clients send a share of the server's group first, or enable on the \
                     server the group that clients guess (X25519MLKEM768 or x25519, as a rule).",
            references: &["RFC 9846 section 4.2.4", "RFC 8446 section 4.1.4"],
        },
        check: Check::Negotiation(|facts, _| {
            let retry = facts.hello_retry?;
            let shares = facts.offer.iter().filter_map(|offer| offer.key_shares.as_deref()).flatten();
            let groups = shares.map(|share| share.group).filter(|group| !group.is_grease());
            Some(
                Evidence::new()
                    .with_some("group", retry.group)
                    .with("cookie", retry.cookie)
                    .with("key_shares", list(groups)),
            )
        }),
    },
    Rule {
        id: "KEX022",
        name: "group-list-missing",
        family: Family::KeyExchange,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The client offers suites with elliptic curves and no supported_groups. Hellos in SSLv2 format, which \
                      have no extensions, are not counted.",
            why: "The server may then choose any curve, or none: some select no ECDHE suite, some one that the client \
                  does not have, and the connection fails.",
            evidence: "`suites`: the suites with elliptic curves. By hand: extension 10 is not in the ClientHello.",
            action: "Update the client.",
            references: &["RFC 8422 section 4", "RFC 8422 section 5.1"],
        },
        check: Check::Offer(|offer| {
            let suites =
                || offer.real_suites().filter(|suite| suite.parts().is_some_and(|parts| is_ec(parts.key_exchange)));
            (offer.groups.is_none() && !offer.is_sslv2_format() && suites().next().is_some())
                .then(|| Evidence::of("suites", list(suites())))
        }),
    },
];

const SELECTED: &str = "`cipher_suite` and `version`: as selected. By hand: tshark -Y 'tls.handshake.type == 2' -T fields \
                        -e tls.handshake.ciphersuite (dtls.handshake for DTLS).";

const PRIME: &str = "`prime_bits`: length of the prime, leading zeros left out. `prime_sha256`: SHA-256 of its bytes \
                     without leading zeros. `prime`: where it was published, if it is known. By hand: tls.handshake.p of \
                     the ServerKeyExchange.";

const CURVE: &str = "`curve`: the curve. `field_bits`: the size of its field; the strength is half of it. By hand: \
                     tls.handshake.server_named_curve, in TLS 1.3 tls.handshake.extensions_key_share_group.";

const SIGNATURE: &str = "`signature`: the server's signature scheme. `offered`: the client's signature_algorithms, absent \
                         where it sent none or its hello was not seen. By hand: tls.handshake.sig_hash_alg of the \
                         ServerKeyExchange and of the ClientHello.";

/// A Diffie-Hellman prime as ServerKeyExchange had it.
struct Prime<'a> {
    bits: u32,
    sha256: &'a [u8; 32],
    name: Option<&'static str>,
    is_common: bool,
}

impl Prime<'_> {
    fn evidence(&self) -> Evidence {
        let digits = self.sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Evidence::of("prime_bits", self.bits).with("prime_sha256", digits).with_some("prime", self.name)
    }
}

fn prime(facts: &Facts) -> Option<Prime<'_>> {
    match &facts.key_exchange.as_ref()?.parameters {
        Parameters::Dh { prime_bits, well_known, common, prime_sha256 } => {
            Some(Prime { bits: *prime_bits, sha256: prime_sha256, name: *well_known, is_common: *common })
        }
        _ => None,
    }
}

fn prime_within(facts: &Facts, bits: std::ops::Range<u32>) -> Option<Evidence> {
    prime(facts).filter(|prime| bits.contains(&prime.bits)).map(|prime| prime.evidence())
}

fn negotiated(facts: &Facts, class: C) -> Option<Evidence> {
    let suite = facts.cipher_suite().filter(|suite| suite.classes().contains(class))?;
    Some(Evidence::of("cipher_suite", suite).with_some("version", facts.version()))
}

fn of_curve(group: NamedGroup) -> Evidence {
    Evidence::of("curve", group).with_some("field_bits", group.bits())
}

fn outdated_curve(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let selected = facts.group().filter(|group| is_outdated(*group));
    let offered = || {
        let groups = facts.offer.iter().filter_map(|offer| offer.groups.as_deref()).flatten().copied();
        groups.filter(|group| group.is_elliptic_curve() || group.is_post_quantum() || group.is_prestandard_kyber())
    };
    let all_outdated = offered().next().is_some() && offered().all(is_outdated);
    if selected.is_none() && !all_outdated {
        return None;
    }
    Some(Evidence::new().with_some("selected", selected).with_some("offered", all_outdated.then(|| list(offered()))))
}

/// A curve nobody recommends any more. One written out is left to KEX011.
fn is_outdated(group: NamedGroup) -> bool {
    group.is_elliptic_curve() && !group.is_explicit() && (group.is_deprecated() || group == NamedGroup::SECP256K1)
}

fn group_not_offered(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let offer = facts.offer.as_deref()?;
    let groups = offer.groups.as_deref()?;
    let hidden = offer.encrypted_client_hello.is_some();
    let retried = facts.hello_retry.filter(|_| !hidden).and_then(|retry| retry.group);
    let selection = facts.selection.as_ref();
    let shared = selection.filter(|_| !(hidden && facts.is_tls13())).and_then(|selection| selection.key_share_group);
    let exchanged = match facts.key_exchange {
        Some(KeyExchangeFacts { parameters: Parameters::Ecdh(group), .. }) => Some(group),
        _ => None,
    };
    let named = [("HelloRetryRequest", retried), ("ServerHello", shared), ("ServerKeyExchange", exchanged)];
    let (message, group) = named.into_iter().find_map(|(message, group)| {
        let group = group.filter(|group| group.is_grease() || !groups.contains(group))?;
        Some((message, group))
    })?;
    let offered = groups.iter().copied().filter(|group| !group.is_grease());
    Some(Evidence::of("group", group).with("in", message).with("offered", list(offered)))
}

fn signed(facts: &Facts, is_weak: fn(SignatureScheme) -> bool) -> Option<Evidence> {
    let scheme = facts.key_exchange.as_ref()?.signature_scheme.filter(|scheme| is_weak(*scheme))?;
    let offered = facts.offer.as_ref().and_then(|offer| offer.signature_schemes.as_deref());
    Some(Evidence::of("signature", scheme).with_some("offered", offered.map(|schemes| list(schemes.iter().copied()))))
}

fn weak_schemes_offered(offer: &Offer) -> Option<Evidence> {
    let schemes = offer.signature_schemes.as_deref()?;
    let weak = || schemes.iter().copied().filter(|scheme| scheme.is_md5() || scheme.is_sha1());
    weak().next()?;
    let real = schemes.iter().filter(|scheme| !scheme.is_grease()).count();
    let evidence = Evidence::of("weak", list(weak())).with("offered", real);
    let is_legacy = |version: Version| (1..Version::TLS12.order()).contains(&version.order());
    let lists_legacy = offer.exact_versions().is_some_and(|mut versions| versions.any(is_legacy));
    Some(if lists_legacy { evidence.at(Severity::Info) } else { evidence })
}

/// Whether the exchange needs a curve to be agreed.
fn is_ec(exchange: KeyExchange) -> bool {
    matches!(exchange, KeyExchange::Ecdh | KeyExchange::Ecdhe | KeyExchange::EcdhAnon | KeyExchange::EcdhePsk)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::findings::Value;
    use crate::findings::testing::{
        Case, change_offer, change_selection, check, hold, offer, offer_tls12, selected, set_suites, tls12, tls13,
        unanswered,
    };
    use crate::flow::facts::{HelloRetry, SeenEch};
    use crate::tls::codepoints::CipherSuite;
    use crate::tls::x509::Certificate;

    fn exchanged(parameters: Parameters) -> Facts {
        let mut facts = tls12();
        facts.key_exchange = Some(KeyExchangeFacts { parameters, signature_scheme: Some(SignatureScheme(0x0804)) });
        facts
    }

    fn dh_of(prime_bits: u32, well_known: Option<&'static str>, common: bool) -> Facts {
        let mut facts = exchanged(Parameters::Dh { prime_bits, well_known, common, prime_sha256: [0xab; 32] });
        change_selection(&mut facts, |selection| selection.cipher_suite = Some(CipherSuite(0x009e)));
        facts
    }

    fn dh(prime_bits: u32) -> Facts {
        dh_of(prime_bits, None, false)
    }

    fn dh_with_key(prime_bits: u32, key: PublicKey) -> Facts {
        let mut facts = dh(prime_bits);
        facts.certificates = Some([Arc::new(Certificate { key, ..Certificate::default() })].into_iter().collect());
        facts
    }

    /// A curve that the client offers too.
    fn curve(group: u16) -> Facts {
        let mut facts = exchanged(Parameters::Ecdh(NamedGroup(group)));
        change_offer(&mut facts, |offer| offer.groups = Some([0x001d, group].map(NamedGroup).to_vec()));
        facts
    }

    fn offering_groups(groups: &[u16]) -> Facts {
        let mut facts = unanswered(offer_tls12());
        change_offer(&mut facts, |offer| offer.groups = Some(groups.iter().copied().map(NamedGroup).collect()));
        facts
    }

    fn signed_with(scheme: u16) -> Facts {
        let mut facts = tls12();
        facts.key_exchange = facts
            .key_exchange
            .map(|exchange| KeyExchangeFacts { signature_scheme: Some(SignatureScheme(scheme)), ..exchange });
        facts
    }

    fn offering_schemes(schemes: Option<&[u16]>) -> Facts {
        let mut facts = unanswered(offer_tls12());
        change_offer(&mut facts, |offer| {
            offer.signature_schemes = schemes.map(|schemes| schemes.iter().copied().map(SignatureScheme).collect());
        });
        facts
    }

    fn offering_modes(modes: &[u8]) -> Facts {
        unanswered(Offer { psk_modes: Some(modes.to_vec()), ..offer() })
    }

    fn psk(key_share_group: Option<NamedGroup>) -> Facts {
        let mut facts = tls13();
        change_selection(&mut facts, |selection| {
            selection.pre_shared_key = true;
            selection.key_share_group = key_share_group;
        });
        facts
    }

    fn retried(group: u16) -> Facts {
        let mut facts = tls13();
        facts.hello_retry = Some(HelloRetry {
            version: Version::TLS13,
            cipher_suite: CipherSuite(0x1301),
            group: Some(NamedGroup(group)),
            cookie: false,
        });
        facts
    }

    fn export(bits: u32, suite: u16) -> Facts {
        let mut facts = selected(Version::TLS10, suite);
        facts.key_exchange = Some(KeyExchangeFacts { parameters: Parameters::RsaExport(bits), signature_scheme: None });
        facts
    }

    fn without_groups(suites: &[u16]) -> Facts {
        let mut facts = unanswered(Offer { groups: None, ..offer_tls12() });
        change_offer(&mut facts, |offer| set_suites(offer, suites));
        facts
    }

    #[test]
    fn every_rule_reports_what_it_says_and_nothing_near_it() {
        hold(
            RULES,
            &[
                Case {
                    rule: "KEX001",
                    fires: || selected(Version::TLS12, 0x009c),
                    silent: || selected(Version::TLS12, 0xc02f),
                },
                Case {
                    rule: "KEX002",
                    fires: || selected(Version::TLS12, 0xc004),
                    silent: || selected(Version::TLS12, 0xc009),
                },
                Case {
                    rule: "KEX003",
                    fires: || selected(Version::TLS12, 0x009e),
                    silent: || selected(Version::TLS12, 0xc02f),
                },
                Case { rule: "KEX004", fires: || dh(1023), silent: || dh(1024) },
                Case { rule: "KEX005", fires: || dh(1024), silent: || dh(2048) },
                Case {
                    rule: "KEX006",
                    fires: || dh_with_key(2047, PublicKey::Rsa { bits: 2048, exponent: 65_537 }),
                    silent: || dh_with_key(2048, PublicKey::Rsa { bits: 2048, exponent: 65_537 }),
                },
                Case {
                    rule: "KEX007",
                    fires: || dh_of(1024, Some("RFC 2409 Oakley group 2"), true),
                    silent: || dh_of(2048, Some("RFC 3526 group 14"), false),
                },
                Case { rule: "KEX008", fires: || dh(2048), silent: || dh_of(2048, Some("RFC 7919 ffdhe2048"), false) },
                Case { rule: "KEX010", fires: || curve(0x0013), silent: || curve(0x0015) },
                Case {
                    rule: "KEX011",
                    fires: || exchanged(Parameters::EcdhExplicit),
                    silent: || exchanged(Parameters::Ecdh(NamedGroup::SECP256R1)),
                },
                Case { rule: "KEX012", fires: || curve(0x0016), silent: || curve(0x0017) },
                Case {
                    rule: "KEX013",
                    fires: || exchanged(Parameters::Ecdh(NamedGroup::SECP384R1)),
                    silent: || exchanged(Parameters::Ecdh(NamedGroup::SECP256R1)),
                },
                Case { rule: "KEX014", fires: || psk(None), silent: || psk(Some(NamedGroup::X25519)) },
                Case { rule: "KEX015", fires: || offering_modes(&[1, 0]), silent: || offering_modes(&[1, 0x2a]) },
                Case { rule: "KEX016", fires: || signed_with(0x0101), silent: || signed_with(0x0201) },
                Case { rule: "KEX017", fires: || signed_with(0x0203), silent: || signed_with(0x0303) },
                Case {
                    rule: "KEX018",
                    fires: || offering_schemes(Some(&[0x0403, 0x0201])),
                    silent: || offering_schemes(Some(&[0x0403, 0x0301])),
                },
                Case {
                    rule: "KEX019",
                    fires: || offering_schemes(None),
                    silent: || {
                        unanswered(Offer { legacy_version: Version::TLS11, signature_schemes: None, ..offer_tls12() })
                    },
                },
                Case { rule: "KEX020", fires: || export(512, 0x0003), silent: || selected(Version::TLS10, 0x0003) },
                Case { rule: "KEX021", fires: || retried(0x0017), silent: tls13 },
                Case {
                    rule: "KEX022",
                    fires: || without_groups(&[0xc02f, 0x009c]),
                    silent: || without_groups(&[0x009c]),
                },
            ],
        );
    }

    #[test]
    fn anonymous_and_ephemeral_exchanges_are_not_static() {
        for suite in [0x00a6, 0xc018, 0xc02f, 0x009e, 0x1301, 0x00aa] {
            for rule in ["KEX001", "KEX002"] {
                assert_eq!(check(rule, &selected(Version::TLS12, suite)), None, "{rule} {suite:04x}");
            }
        }
        for suite in [0x0094, 0x00ac] {
            assert!(check("KEX001", &selected(Version::TLS12, suite)).is_some(), "RSA_PSK is static RSA");
        }
    }

    #[test]
    fn primes_are_told_by_length_and_origin() {
        for (facts, rules) in [
            (dh(512), &["KEX003", "KEX004", "KEX008"][..]),
            (dh_of(1024, Some("nginx, 1024 bits"), true), &["KEX003", "KEX005", "KEX007"]),
            (dh_of(1536, Some("RFC 3526 group 5"), false), &["KEX003", "KEX005"]),
            (dh_of(2048, Some("HAProxy 1.5, 2048 bits"), false), &["KEX003", "KEX008"]),
            (dh_of(2048, Some("RFC 3526 group 14"), false), &["KEX003"]),
        ] {
            let ids = ["KEX003", "KEX004", "KEX005", "KEX006", "KEX007", "KEX008"];
            let found: Vec<_> = ids.into_iter().filter(|id| check(id, &facts).is_some()).collect();
            assert_eq!(found, rules);
        }
        let evidence = check("KEX005", &dh_of(1024, Some("nginx, 1024 bits"), true)).unwrap_or_default();
        assert_eq!(evidence.value("prime"), Some(&Value::from("nginx, 1024 bits")));
        assert_eq!(evidence.value("prime_sha256"), Some(&Value::from("ab".repeat(32))));
    }

    #[test]
    fn a_prime_is_compared_with_rsa_and_dsa_keys_only() {
        assert!(check("KEX006", &dh_with_key(1024, PublicKey::Dsa { bits: 2048 })).is_some());
        let curve = PublicKey::Ec { curve: Some("P-521".to_owned()), bits: 521 };
        assert_eq!(check("KEX006", &dh_with_key(512, curve)), None);
        assert_eq!(check("KEX006", &dh(512)), None, "no certificate was seen");
    }

    #[test]
    fn curves_are_outdated_where_selected_or_where_nothing_else_is_offered() {
        for group in [0x0001, 0x0006, 0x000e, 0x0015, 0x0016] {
            assert!(check("KEX012", &curve(group)).is_some(), "{group:04x}");
            assert!(check("KEX012", &offering_groups(&[0x0a0a, group, 0x0100])).is_some(), "{group:04x} alone");
            assert_eq!(check("KEX012", &offering_groups(&[group, 0x0017])), None, "{group:04x} with another");
        }
        for group in [0x0017, 0x001d, 0x001a, 0x11ec, 0x0100, 0xff01] {
            assert_eq!(check("KEX012", &curve(group)), None, "{group:04x}");
        }
        assert_eq!(check("KEX012", &offering_groups(&[])), None);
        assert_eq!(check("KEX012", &offering_groups(&[0x0a0a, 0x0100])), None, "no curve at all");
        assert!(check("KEX011", &curve(0xff02)).is_some());
    }

    #[test]
    fn a_group_must_have_been_offered_in_every_message_that_names_one() {
        let mut shared = tls13();
        change_selection(&mut shared, |selection| selection.key_share_group = Some(NamedGroup::X448));
        let evidence = check("KEX013", &shared).unwrap_or_default();
        assert_eq!(evidence.value("in"), Some(&Value::from("ServerHello")));
        let evidence = check("KEX013", &retried(0x0018)).unwrap_or_default();
        assert_eq!(evidence.value("in"), Some(&Value::from("HelloRetryRequest")));
        assert_eq!(check("KEX013", &retried(0x0017)), None);

        let ech = |facts: &mut Facts| {
            change_offer(facts, |offer| offer.encrypted_client_hello = Some(SeenEch { kdf: 1, aead: 1 }));
        };
        ech(&mut shared);
        assert_eq!(check("KEX013", &shared), None, "the inner hello may have offered it");
        let mut old = exchanged(Parameters::Ecdh(NamedGroup::SECP384R1));
        ech(&mut old);
        assert!(check("KEX013", &old).is_some(), "TLS 1.2 answers the outer hello");
        change_offer(&mut old, |offer| offer.groups = None);
        assert_eq!(check("KEX013", &old), None, "without the extension any group may be selected");

        let mut grease = tls13();
        change_offer(&mut grease, |offer| offer.groups = Some(vec![NamedGroup(0x2a2a), NamedGroup::X25519]));
        change_selection(&mut grease, |selection| selection.key_share_group = Some(NamedGroup(0x2a2a)));
        assert!(check("KEX013", &grease).is_some(), "GREASE must not be selected");
    }

    #[test]
    fn a_server_hello_cut_short_proves_no_missing_key_share() {
        let mut facts = psk(None);
        change_selection(&mut facts, |selection| selection.is_partial = true);
        assert_eq!(check("KEX014", &facts), None);
        assert_eq!(check("KEX014", &tls12()), None);
    }

    #[test]
    fn severity_follows_the_circumstances() {
        let severity = |id, facts: &Facts| check(id, facts).and_then(|evidence| evidence.severity());
        assert_eq!(severity("KEX020", &export(512, 0x0003)), None);
        assert_eq!(severity("KEX020", &export(1024, 0x0064)), Some(Severity::High));
        let freak = check("KEX020", &export(512, 0x002f)).unwrap_or_default();
        assert_eq!(freak.value("export_suite"), Some(&Value::from(false)));
        let mut facts = offering_schemes(Some(&[0x0201]));
        assert_eq!(severity("KEX018", &facts), None);
        change_offer(&mut facts, |offer| offer.versions = Some(vec![Version::TLS12, Version::TLS11]));
        assert_eq!(severity("KEX018", &facts), Some(Severity::Info));
    }

    #[test]
    fn signatures_are_unknown_before_tls12_and_absent_without_certificates() {
        let mut facts = selected(Version::TLS11, 0xc013);
        facts.key_exchange = facts.key_exchange.map(|exchange| KeyExchangeFacts { signature_scheme: None, ..exchange });
        assert_eq!((check("KEX016", &facts), check("KEX017", &facts)), (None, None));
        let mut facts = offering_schemes(None);
        change_offer(&mut facts, |offer| set_suites(offer, &[0x008c, 0x00a8]));
        assert_eq!(check("KEX019", &facts), None, "PSK alone needs no signature");
    }
}
