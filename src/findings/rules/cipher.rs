//! `CIP`: cipher suites and their order.
//!
//! Most weaknesses have two rules: the suite *negotiated*, by the final ServerHello, and *offered*, by the ClientHello,
//! where GREASE values and signalling suites do not count.

use super::list;
use crate::findings::{Check, Documentation, Evidence, Family, Rule, Severity};
use crate::flow::{Facts, Offer};
use crate::tls::codepoints::{
    Authentication, Cipher, CipherSuite, ExtensionType, ProtocolVersion as Version, REGISTRY_DATE, SslV2CipherSpec,
    Status, SuiteClasses as C, SuiteParts,
};

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "CIP001",
        name: "null-cipher-negotiated",
        family: Family::Cipher,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The server selected a suite that does not encrypt: NULL, or one of the integrity-only suites of \
                      TLS 1.3.",
            why: "Everything sent over this connection is readable on the path, passwords included. Nothing looks \
                  wrong to either side: the connection works and may even be authenticated.",
            evidence: SELECTED,
            action: "Remove NULL suites from the server. Where integrity without secrecy is meant, as in some \
                     industrial networks, write that down and ignore this rule for those servers.",
            references: &["RFC 9325 section 4.1", "RFC 9150"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, C::NULL)),
    },
    Rule {
        id: "CIP002",
        name: "null-cipher-offered",
        family: Family::Cipher,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The client offers a suite that does not encrypt: NULL, or one of the integrity-only suites of \
                      TLS 1.3.",
            why: "A server set up carelessly, or for testing, may select it, and neither side would notice.",
            evidence: OFFERED,
            action: "Remove NULL suites from the client. Nothing breaks except towards a server that has nothing else.",
            references: &["RFC 9325 section 4.1", "RFC 9150"],
        },
        check: Check::Offer(|offer| offered(offer, C::NULL)),
    },
    Rule {
        id: "CIP003",
        name: "anon-kex-negotiated",
        family: Family::Cipher,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The server selected a suite with anonymous Diffie-Hellman. Medium instead of critical towards \
                      port 25, where mail servers encrypt without authentication rather than not at all.",
            why: "Nobody proves who the server is, so whoever is on the path can be it and read or change everything. \
                  Only delivery between mail servers uses this on purpose, where the certificate would not be checked \
                  either.",
            evidence: SELECTED,
            action: "Remove the aNULL suites from the server, except for opportunistic SMTP where that is intended and \
                     written down.",
            references: &["RFC 5246 appendix A.5", "RFC 9325 section 5.2", "RFC 7435"],
        },
        check: Check::Flow(|facts, _| {
            let evidence = negotiated(facts, C::ANONYMOUS)?;
            Some(if facts.server.port() == SMTP { evidence.at(Severity::Medium) } else { evidence })
        }),
    },
    Rule {
        id: "CIP004",
        name: "anon-kex-offered",
        family: Family::Cipher,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client offers a suite with anonymous Diffie-Hellman.",
            why: "If such a suite is selected, nobody proves who the server is. An attacker on the path can select it \
                  himself: he needs no certificate then. Mail servers that deliver to others offer it on purpose.",
            evidence: OFFERED,
            action: "Remove the aNULL suites from the client unless it is a mail server that encrypts \
                     opportunistically.",
            references: &["RFC 5246 appendix A.5", "RFC 7435"],
        },
        check: Check::Offer(|offer| offered(offer, C::ANONYMOUS)),
    },
    Rule {
        id: "CIP005",
        name: "export-cipher-negotiated",
        family: Family::Cipher,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The server selected an EXPORT suite: keys of 40 or 56 bits, with RSA or Diffie-Hellman cut down \
                      to 512 or 1024 bits.",
            why: "Such keys are found by search in hours or less. A server that accepts EXPORT also lets an attacker \
                  push sounder clients down to it (FREAK, Logjam).",
            evidence: SELECTED,
            action: "Remove EXPORT suites from the server. Where this client offers nothing else, replace it.",
            references: &["RFC 9325 section 4.1", "CVE-2015-0204", "CVE-2015-4000"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, C::EXPORT)),
    },
    Rule {
        id: "CIP006",
        name: "export-cipher-offered",
        family: Family::Cipher,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The client offers an EXPORT suite.",
            why: "If a server still accepts EXPORT, an attacker on the path can make both use it: the keys are found \
                  by search. No server needs it any more.",
            evidence: OFFERED,
            action: "Remove EXPORT suites from the client.",
            references: &["RFC 9325 section 4.1", "CVE-2015-0204", "CVE-2015-4000"],
        },
        check: Check::Offer(|offer| offered(offer, C::EXPORT)),
    },
    Rule {
        id: "CIP007",
        name: "rc4-negotiated",
        family: Family::Cipher,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server selected a suite with RC4.",
            why: "RC4's output is biased: what is sent often, such as a cookie or a password, can be recovered from \
                  many connections. It is forbidden in every version of TLS. It was once preferred to escape attacks \
                  on CBC, which is why old settings still put it first.",
            evidence: SELECTED,
            action: "Remove RC4 from the server. CIP035 names the clients that have nothing else.",
            references: &["RFC 7465 section 2", "RFC 9325 section 4.1", "CVE-2013-2566", "CVE-2015-2808"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, C::RC4)),
    },
    Rule {
        id: "CIP008",
        name: "rc4-offered",
        family: Family::Cipher,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client offers a suite with RC4.",
            why: "A client must not offer RC4. It is harmless as long as no server selects it, and ends up in use \
                  where one prefers it.",
            evidence: OFFERED,
            action: "Remove RC4 from the client. Nothing breaks except towards a server that has nothing else.",
            references: &["RFC 7465 section 2"],
        },
        check: Check::Offer(|offer| offered(offer, C::RC4)),
    },
    Rule {
        id: "CIP009",
        name: "sweet32-negotiated",
        family: Family::Cipher,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server selected a suite with a block cipher of 64 bits: 3DES, IDEA, DES, RC2 or Skipjack. \
                      High where the version is TLS 1.1 (DTLS 1.0) or later: software of that age has AES.",
            why: "Blocks of 64 bits repeat after some 32 GB under one key, and repetitions give plaintext away to who \
                  can make a browser send that much (SWEET32). NIST disallows 3DES for encryption since 2024. Very old \
                  clients have nothing better.",
            evidence: SELECTED,
            action: "Put 3DES last on the server, see which clients still end up with it, then remove it.",
            references: &["CVE-2016-2183", "NIST SP 800-131A revision 2 section 2", "RFC 9325 section 4.1"],
        },
        check: Check::Negotiation(|facts, _| {
            let evidence = negotiated(facts, C::BLOCK_64)?;
            let recent = facts.version().is_some_and(|version| version.order() >= Version::TLS11.order());
            Some(if recent { evidence.at(Severity::High) } else { evidence })
        }),
    },
    Rule {
        id: "CIP010",
        name: "sweet32-offered",
        family: Family::Cipher,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client offers a suite with a block cipher of 64 bits: 3DES, IDEA, DES, RC2 or Skipjack.",
            why: "It gets used only where a server has or prefers nothing else. Clients keep 3DES at the end of their \
                  list for such servers.",
            evidence: OFFERED,
            action: "Remove these suites from the client once no server of yours needs them; CIP009 shows which do.",
            references: &["CVE-2016-2183", "NIST SP 800-131A revision 2 section 2"],
        },
        check: Check::Offer(|offer| offered(offer, C::BLOCK_64)),
    },
    Rule {
        id: "CIP011",
        name: "des-rc2-negotiated",
        family: Family::Cipher,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The server selected a suite with single DES or RC2.",
            why: "The keys have 40 or 56 bits and are found by search within a day on hired hardware.",
            evidence: SELECTED,
            action: "Remove DES and RC2 from the server. Where this client offers nothing else, replace it.",
            references: &["RFC 5469", "RFC 9325 section 4.1"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, DES_RC2)),
    },
    Rule {
        id: "CIP012",
        name: "des-rc2-offered",
        family: Family::Cipher,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The client offers a suite with single DES or RC2.",
            why: "The keys have 40 or 56 bits. No server needs these suites any more, and one that accepts them makes \
                  the connection worthless.",
            evidence: OFFERED,
            action: "Remove DES and RC2 from the client.",
            references: &["RFC 5469", "RFC 9325 section 4.1"],
        },
        check: Check::Offer(|offer| offered(offer, DES_RC2)),
    },
    Rule {
        id: "CIP013",
        name: "md5-mac-negotiated",
        family: Family::Cipher,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server selected a suite whose records are protected by HMAC-MD5.",
            why: "HMAC-MD5 itself has no practical break, but the suites that use it do: all of them have RC4, a block \
                  cipher of 64 bits, a key cut down for export or no encryption. Their use tells of a server that was \
                  last set up long ago.",
            evidence: SELECTED,
            action: "Remove the suites that end in _MD5 from the server.",
            references: &["RFC 6151 section 2.3", "RFC 9325 section 4.2"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, C::MD5_MAC)),
    },
    Rule {
        id: "CIP014",
        name: "md5-mac-offered",
        family: Family::Cipher,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client offers a suite whose records are protected by HMAC-MD5.",
            why: "Every such suite is weak by its cipher as well. No server needs them.",
            evidence: OFFERED,
            action: "Remove the suites that end in _MD5 from the client.",
            references: &["RFC 6151 section 2.3", "RFC 9325 section 4.2"],
        },
        check: Check::Offer(|offer| offered(offer, C::MD5_MAC)),
    },
    Rule {
        id: "CIP015",
        name: "national-cipher-negotiated",
        family: Family::Cipher,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server selected a suite with Camellia, ARIA, SEED, SM4 or a GOST cipher.",
            why: "These ciphers come from national standards. They are not weak for it, but few libraries have them, \
                  and fewer have them in hardware; a rule book may demand them or forbid them.",
            evidence: SELECTED,
            action: "Confirm that it is intended, by the rules that apply to this server.",
            references: &["RFC 5932", "RFC 6209", "RFC 4162", "RFC 8998", "RFC 9189"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, C::NATIONAL)),
    },
    Rule {
        id: "CIP016",
        name: "national-cipher-offered",
        family: Family::Cipher,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The client offers a suite with Camellia, ARIA, SEED, SM4 or a GOST cipher.",
            why: "It helps to tell the client's library, and matters where rules demand or forbid these ciphers.",
            evidence: OFFERED,
            action: "Nothing, unless the rules that apply to this client forbid them; then remove them from its list.",
            references: &["RFC 5932", "RFC 6209", "RFC 4162", "RFC 8998", "RFC 9189"],
        },
        check: Check::Offer(|offer| offered(offer, C::NATIONAL)),
    },
    Rule {
        id: "CIP020",
        name: "cbc-negotiated-tls12",
        family: Family::Cipher,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server selected TLS 1.2 or DTLS 1.2 with a suite in CBC mode.",
            why: "TLS computes the MAC before it encrypts, and doing that in constant time has gone wrong again and \
                  again (Lucky Thirteen and its successors). TLS 1.2 has authenticated encryption, which does not have \
                  the problem.",
            evidence: "`cipher_suite` and `version`: what the server selected. `encrypt_then_mac`: whether it agreed \
                       to the extension that mends the order. By hand: tshark -Y 'tls.handshake.type == 2' -T fields \
                       -e tls.handshake.ciphersuite -e tls.handshake.extension.type; the extension is 22.",
            action: "Put GCM and ChaCha20-Poly1305 suites first on the server, and enable them in the client.",
            references: &["RFC 9325 section 4.2", "CVE-2013-0169"],
        },
        check: Check::Negotiation(|facts, _| {
            let is_tls12 = facts.version()?.tls_equivalent() == Version::TLS12;
            let evidence = negotiated(facts, C::CBC).filter(|_| is_tls12)?;
            Some(evidence.with("encrypt_then_mac", encrypt_then_mac(facts)))
        }),
    },
    Rule {
        id: "CIP021",
        name: "cbc-without-etm",
        family: Family::Cipher,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server selected a suite in CBC mode and did not answer with encrypt_then_mac.",
            why: "The MAC is computed before encryption: the receiver has to treat every padding error alike to the \
                  nanosecond, or it leaks plaintext (Lucky Thirteen). Whether this implementation does cannot be seen. \
                  Most servers never agree to the extension.",
            evidence: "`cipher_suite` and `version`: what the server selected. `encrypt_then_mac_offered`: whether the \
                       client asked for the extension, absent where its hello was not seen. By hand: extension 22 in \
                       tls.handshake.extension.type of either hello.",
            action: "Prefer suites with authenticated encryption; where CBC has to stay, enable encrypt_then_mac on \
                     both sides.",
            references: &["RFC 7366", "CVE-2013-0169", "NIST SP 800-52 revision 2"],
        },
        check: Check::Negotiation(|facts, _| {
            let evidence = negotiated(facts, C::CBC).filter(|_| !encrypt_then_mac(facts))?;
            let asked = facts.offer.as_ref().map(|offer| offer.has(ExtensionType::ENCRYPT_THEN_MAC));
            Some(evidence.with_some("encrypt_then_mac_offered", asked))
        }),
    },
    Rule {
        id: "CIP022",
        name: "beast-surface",
        family: Family::Cipher,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server selected TLS 1.0 or SSL 3.0 with a suite in CBC mode.",
            why: "The last block of a record is the next one's initialisation vector, known before it is used (BEAST). \
                  Clients have split their records against it since 2012; that cannot be seen here. It adds little to \
                  the version's own finding.",
            evidence: SELECTED,
            action: "Move both sides to TLS 1.2 or later. Do not answer with RC4.",
            references: &["CVE-2011-3389", "RFC 4346 section 6.2.3.2"],
        },
        check: Check::Negotiation(|facts, _| {
            let old = (1..=Version::TLS10.order()).contains(&facts.version()?.order());
            negotiated(facts, C::CBC).filter(|_| old)
        }),
    },
    Rule {
        id: "CIP023",
        name: "short-tag-negotiated",
        family: Family::Cipher,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server selected a CCM_8 suite, whose authentication tag has 8 bytes instead of 16.",
            why: "A forged record passes with one chance in 2^64 a try. That is a bargain made for constrained \
                  devices, and has no place between ordinary computers.",
            evidence: SELECTED,
            action: "Use suites with tags of 16 bytes, except where a constrained device's profile asks for CCM_8.",
            references: &["RFC 6655", "RFC 7251", "RFC 9325 section 4.2"],
        },
        check: Check::Negotiation(|facts, _| negotiated(facts, C::CCM_8)),
    },
    Rule {
        id: "CIP024",
        name: "iana-discouraged-negotiated",
        family: Family::Cipher,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server selected a suite with \"D\" (discouraged) in the Recommended column of IANA's \
                      registry.",
            why: "The IETF has said of this suite that it should not or must not be used. Since 2026 that includes \
                  every suite with RSA key transport or finite-field Diffie-Hellman.",
            evidence: REGISTRY,
            action: "Remove the suite from the server; the rule on its particular weakness says how urgent that is.",
            references: &["RFC 9847 section 3", "RFC 10015"],
        },
        check: Check::Negotiation(|facts, _| registered(facts, C::DISCOURAGED)),
    },
    Rule {
        id: "CIP025",
        name: "iana-not-recommended-negotiated",
        family: Family::Cipher,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server selected a suite with \"N\" in the Recommended column of IANA's registry.",
            why: "The suite was not evaluated by the IETF, has a limited purpose, or has been overtaken; it is not \
                  necessarily flawed. Recommended ones exist for every ordinary use.",
            evidence: REGISTRY,
            action: "Prefer suites marked \"Y\", unless this one serves the limited purpose it was made for.",
            references: &["RFC 9847 section 3"],
        },
        check: Check::Negotiation(|facts, _| registered(facts, C::NOT_RECOMMENDED)),
    },
    Rule {
        id: "CIP026",
        name: "unassigned-suite-offered",
        family: Family::Cipher,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The client offers a suite whose number IANA has not assigned, and which is neither GREASE, nor \
                      reserved, nor in the private range. Only the sixteen values of RFC 8701 are GREASE: 0x0a1a is \
                      not.",
            why: "It identifies the client: an experiment, a draft implemented early, a fuzzer, or a program that \
                  imitates another and got a number wrong.",
            evidence: OFFERED,
            action: "Find out which software it is. Nothing breaks: servers skip what they do not know.",
            references: &["IANA TLS Cipher Suites", "RFC 8701 section 2"],
        },
        check: Check::Offer(|offer| {
            offered_where(offer, |suite| matches!(suite.status(), Status::Unassigned | Status::Unregistered))
        }),
    },
    Rule {
        id: "CIP030",
        name: "client-order-weak-first",
        family: Family::Cipher,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The client puts a suite with RC4, a 64-bit block cipher, EXPORT, NULL or no authentication \
                      before a sound one (AEAD, or AES in CBC mode) that could be used for the same version up to TLS \
                      1.2, and for the same kind of server key unless the weak suite needs none. Only versions the \
                      hello is known to offer are considered.",
            why: "A server that follows the client's order selects the weak suite although both sides have a better \
                  one.",
            evidence: PAIR,
            action: "Reorder the client's list, or better remove the weak suites. A server that insists on its own \
                     order is not affected.",
            references: &["RFC 9325 section 4.2.1", "RFC 7465 section 2"],
        },
        check: Check::Offer(|offer| {
            let sound = |suite: CipherSuite| {
                let aes_cbc = suite.is_cbc() && suite.parts().is_some_and(|parts| parts.cipher == Cipher::Aes);
                (suite.is_aead() || aes_cbc) && !suite.classes().intersects(WEAK)
            };
            inverted(
                offer,
                &UP_TO_TLS12,
                |suite| suite.classes().intersects(WEAK),
                sound,
                |weak, sound| {
                    weak.authentication == sound.authentication
                        || matches!(weak.authentication, Authentication::Anonymous | Authentication::Null)
                },
            )
        }),
    },
    Rule {
        id: "CIP031",
        name: "client-order-nonaead-first",
        family: Family::Cipher,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "For TLS 1.2 (DTLS 1.2) the client puts a suite in CBC mode before one with authenticated \
                      encryption that has the same key exchange and authentication.",
            why: "A server that follows the client's order selects CBC although both sides have AEAD.",
            evidence: PAIR,
            action: "Put the GCM, CCM and ChaCha20-Poly1305 suites first in the client's list.",
            references: &["RFC 9325 section 4.2.1"],
        },
        check: Check::Offer(|offer| {
            inverted(offer, &[Version::TLS12], CipherSuite::is_cbc, CipherSuite::is_aead, |cbc, aead| {
                cbc.key_exchange == aead.key_exchange && cbc.authentication == aead.authentication
            })
        }),
    },
    Rule {
        id: "CIP032",
        name: "client-order-nopfs-first",
        family: Family::Cipher,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client puts a suite with RSA key transport or static Diffie-Hellman before one with DHE or \
                      ECDHE for the same kind of server key and the same version up to TLS 1.2.",
            why: "A server that follows the client's order agrees keys without forward secrecy: who gets its private \
                  key later reads everything recorded.",
            evidence: PAIR,
            action: "Put the ECDHE suites first in the client's list, and remove RSA key transport when no server \
                     needs it.",
            references: &["RFC 9325 section 4.1", "RFC 10015"],
        },
        check: Check::Offer(|offer| {
            let fixed = |suite: CipherSuite| suite.classes().intersects(C::STATIC_RSA.union(C::STATIC_DH));
            let ephemeral = |suite: CipherSuite| suite.classes().intersects(C::DHE.union(C::ECDHE));
            inverted(offer, &UP_TO_TLS12, fixed, ephemeral, |fixed, ephemeral| {
                fixed.authentication == ephemeral.authentication
            })
        }),
    },
    Rule {
        id: "CIP033",
        name: "client-no-aead",
        family: Family::Cipher,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The client offers no suite with authenticated encryption (GCM, CCM, ChaCha20-Poly1305).",
            why: "A server that follows current recommendations accepts nothing else, and neither does HTTP/2. This \
                  client fails there.",
            evidence: SUITES,
            action: "Update the client or extend its list before CBC suites are removed from its servers.",
            references: &["RFC 9325 section 4.2", "RFC 9113 section 9.2.2"],
        },
        check: Check::Offer(|offer| (!offer.suite_classes.intersects(C::AEAD)).then(|| suites(offer))),
    },
    Rule {
        id: "CIP034",
        name: "client-no-pfs",
        family: Family::Cipher,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The client offers no suite with an ephemeral key exchange: no DHE or ECDHE, signed or anonymous, \
                      no exchange by password (SRP, TLS-PWD), and none of TLS 1.3.",
            why: "Every connection of this client can be read by who gets the server's private key later. It fails \
                  where RSA key transport is switched off, which TLS 1.2's own rules ask for since 2026.",
            evidence: SUITES,
            action: "Update the client or extend its list before RSA key transport is removed from its servers.",
            references: &["RFC 9325 section 4.1", "RFC 10015"],
        },
        check: Check::Offer(|offer| {
            (!offer.suite_classes.intersects(C::FORWARD_SECRET.union(C::ANONYMOUS))).then(|| suites(offer))
        }),
    },
    Rule {
        id: "CIP035",
        name: "client-only-weak",
        family: Family::Cipher,
        severity: Severity::High,
        documentation: Documentation {
            reports: "Every suite the client offers has RC4, a 64-bit block cipher, EXPORT, NULL or no authentication.",
            why: "This client breaks the moment those suites are removed from its servers: it has nothing else. It is \
                  the reason to keep them that has to go first.",
            evidence: SUITES,
            action: "Update or replace the client, then remove the suites from its servers.",
            references: &["RFC 7465 section 2", "CVE-2016-2183", "RFC 9325 section 4.1"],
        },
        check: Check::Offer(|offer| {
            let mut real = offer.real_suites().peekable();
            real.peek()?;
            real.all(|suite| suite.classes().intersects(WEAK)).then(|| suites(offer))
        }),
    },
    Rule {
        id: "CIP036",
        name: "client-list-oversized",
        family: Family::Cipher,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The client offers more than 100 suites, GREASE and signalling values not counted.",
            why: "Such lists come from \"ALL\" in a setting, from scanners and from fuzzers. Some old servers stop at \
                  a hello or a list above 255 bytes and close the connection.",
            evidence: "`count`: the number of suites. `bytes`: the length of the list, GREASE and signalling values \
                       included. By hand: tls.handshake.cipher_suites_length of the ClientHello.",
            action: "Where it is no scanner, cut the client's list down to what it needs.",
            references: &["RFC 7685 section 1", "RFC 9325 section 4.2"],
        },
        check: Check::Offer(|offer| {
            let count = offer.real_suites().count();
            (count > 100).then(|| Evidence::of("count", count).with("bytes", offer.cipher_suites.len() * 2))
        }),
    },
];

const SELECTED: &str = "`cipher_suite` and `version`: what the server selected. By hand: tshark -Y 'tls.handshake.type \
                        == 2' -T fields -e tls.handshake.ciphersuite (dtls.handshake for DTLS).";

const REGISTRY: &str = "`cipher_suite` and `version`: what the server selected. `registry_date`: the date of the copy \
                        of the registry it was looked up in. By hand: the suite's line in IANA's TLS Cipher Suites.";

const OFFERED: &str = "`offered`: the first 32 such suites in the client's order. `positions`: their places in the \
                       list as sent, the first being 1, with GREASE, signalling values and SSL 2.0 kinds counted. \
                       `count`: how many there are. By hand: tshark -Y 'tls.handshake.type == 1' -T fields -e \
                       tls.handshake.ciphersuite (dtls.handshake for DTLS).";

const SUITES: &str = "`cipher_suites`: the first 32 suites in the client's order, without GREASE and signalling \
                      values. `count`: how many there are. `maximum_version`: the highest version the client offers. \
                      By hand: tshark -Y 'tls.handshake.type == 1' -T fields -e tls.handshake.ciphersuite \
                      (dtls.handshake for DTLS).";

const PAIR: &str = "`earlier` and `earlier_position`: the first suite out of place. `later` and `later_position`: the \
                    first better one behind it. Positions are those of the list as sent, the first being 1, with \
                    GREASE and signalling values counted. `version`: the highest version for which both could be \
                    selected. By hand: tshark -Y 'tls.handshake.type == 1' -T fields -e tls.handshake.ciphersuite.";

const SMTP: u16 = 25;

const DES_RC2: C = C::DES.union(C::RC2);

/// What no sound list has in front. DES and RC2 are among the ciphers with blocks of 64 bits.
const WEAK: C = C::RC4.union(C::BLOCK_64).union(C::EXPORT).union(C::NULL).union(C::ANONYMOUS);

const UP_TO_TLS12: [Version; 4] = [Version::TLS12, Version::TLS11, Version::TLS10, Version::SSL3];

/// The suite selected, where it is in any of `classes`.
fn negotiated(facts: &Facts, classes: C) -> Option<Evidence> {
    let suite = facts.cipher_suite().filter(|suite| suite.classes().intersects(classes))?;
    Some(Evidence::of("cipher_suite", suite).with_some("version", facts.version()))
}

fn registered(facts: &Facts, status: C) -> Option<Evidence> {
    Some(negotiated(facts, status)?.with("registry_date", REGISTRY_DATE))
}

fn encrypt_then_mac(facts: &Facts) -> bool {
    facts.selection.as_ref().is_some_and(|selection| selection.has(ExtensionType::ENCRYPT_THEN_MAC))
}

/// The suites offered that are in any of `classes`.
fn offered(offer: &Offer, classes: C) -> Option<Evidence> {
    let any = offer.suite_classes.intersects(classes);
    any.then(|| offered_where(offer, |suite| suite.classes().intersects(classes)))?
}

fn offered_where(offer: &Offer, is: impl Fn(CipherSuite) -> bool) -> Option<Evidence> {
    let mut found = numbered(offer);
    found.retain(|(_, suite)| is(*suite));
    found.first()?;
    Some(
        Evidence::of("offered", list(found.iter().map(|(_, suite)| *suite)))
            .with("positions", list(found.iter().map(|(position, _)| *position)))
            .with("count", found.len()),
    )
}

fn suites(offer: &Offer) -> Evidence {
    Evidence::of("cipher_suites", list(offer.real_suites()))
        .with("count", offer.real_suites().count())
        .with("maximum_version", offer.maximum_version())
}

/// The suites with their places in the list as sent, from 1. GREASE, signals and the kinds of SSL 2.0 have a place and
/// are left out.
fn numbered(offer: &Offer) -> Vec<(usize, CipherSuite)> {
    fn number(sent: impl Iterator<Item = Option<CipherSuite>>) -> Vec<(usize, CipherSuite)> {
        let real = |suite: &CipherSuite| !suite.is_grease() && !suite.is_scsv();
        (1..).zip(sent).filter_map(|(position, suite)| Some((position, suite.filter(real)?))).collect()
    }
    match offer.sslv2_cipher_specs.as_deref() {
        Some(specs) => number(specs.iter().map(|spec| SslV2CipherSpec(*spec).tls_suite())),
        None => number(offer.cipher_suites.iter().copied().map(Some)),
    }
}

/// The first suite that is `worse` and stands before a `better` one, both usable for the first of `versions` that has
/// such a pair and that the client is known to offer.
fn inverted(
    offer: &Offer,
    versions: &[Version],
    worse: impl Fn(CipherSuite) -> bool,
    better: impl Fn(CipherSuite) -> bool,
    comparable: impl Fn(&SuiteParts, &SuiteParts) -> bool,
) -> Option<Evidence> {
    let suites = numbered(offer);
    versions.iter().filter(|version| is_known(offer, **version)).find_map(|version| {
        let mut pair = None;
        // From the back, so that one pass is enough: of the better suites behind, the first of each key exchange and
        // authentication is remembered, of which there are a few dozen however long the list is.
        let mut behind: Vec<(usize, CipherSuite, SuiteParts)> = Vec::new();
        for &(position, suite) in suites.iter().rev().filter(|(_, suite)| is_usable(*suite, *version)) {
            let Some(parts) = suite.parts() else { continue };
            if worse(suite) {
                let first = behind.iter().filter(|(_, _, other)| comparable(&parts, other)).min_by_key(|(at, ..)| *at);
                pair = first.map(|(at, other, _)| (position, suite, *at, *other)).or(pair);
            } else if better(suite) {
                behind.retain(|(_, _, other)| {
                    (other.key_exchange, other.authentication) != (parts.key_exchange, parts.authentication)
                });
                behind.push((position, suite, parts));
            }
        }
        let (earlier_position, earlier, later_position, later) = pair?;
        Some(
            Evidence::of("earlier", earlier)
                .with("earlier_position", earlier_position)
                .with("later", later)
                .with("later_position", later_position)
                .with("version", *version),
        )
    })
}

/// Whether the hello says that the client accepts `version` (or its DTLS twin): without supported_versions only the
/// maximum is known.
fn is_known(offer: &Offer, version: Version) -> bool {
    match offer.exact_versions() {
        Some(mut versions) => versions.any(|listed| listed.tls_equivalent() == version),
        None => offer.legacy_version.tls_equivalent() == version,
    }
}

/// Whether a suite may be selected for `version`, SSL 3.0 to TLS 1.2.
fn is_usable(suite: CipherSuite, version: Version) -> bool {
    if suite.is_tls12_only() {
        version == Version::TLS12
    } else if suite.is_export() {
        version.order() <= Version::TLS10.order()
    } else {
        !suite.is_tls13()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing::{
        Case, change_offer, change_selection, check, hold, selected, set_server_extensions, set_suites, tls12, tls13,
    };
    use crate::findings::{Value, find};
    use crate::flow::facts::HelloRetry;

    /// A TLS 1.2 client, without extension 43, that offers `suites`.
    fn offering(suites: &[u16]) -> Facts {
        offering_up_to(Version::TLS12, suites)
    }

    fn offering_up_to(version: Version, suites: &[u16]) -> Facts {
        let mut facts = tls12();
        change_offer(&mut facts, |offer| {
            offer.legacy_version = version;
            set_suites(offer, suites);
        });
        facts
    }

    fn at_tls12(suite: u16) -> Facts {
        selected(Version::TLS12, suite)
    }

    fn with_encrypt_then_mac() -> Facts {
        let mut facts = at_tls12(0xc013);
        change_selection(&mut facts, |selection| set_server_extensions(selection, &[0xff01, 22, 23]));
        facts
    }

    fn many(count: u16) -> Facts {
        let suites: Vec<u16> = [0x0a0a, 0x00ff].into_iter().chain(0xc001..0xc001 + count).collect();
        offering(&suites)
    }

    #[test]
    fn every_rule_reports_what_it_says_and_nothing_near_it() {
        use Version as V;
        hold(
            RULES,
            &[
                Case { rule: "CIP001", fires: || at_tls12(0x003b), silent: || at_tls12(0x003c) },
                Case { rule: "CIP002", fires: || offering(&[0xc02f, 0xc010]), silent: || offering(&[0xc02f, 0xc011]) },
                Case { rule: "CIP003", fires: || at_tls12(0xc018), silent: || at_tls12(0xc013) },
                Case { rule: "CIP004", fires: || offering(&[0xc02f, 0x00a6]), silent: || offering(&[0xc02f, 0x00a4]) },
                Case { rule: "CIP005", fires: || selected(V::TLS10, 0x0003), silent: || selected(V::TLS10, 0x0004) },
                Case { rule: "CIP006", fires: || offering(&[0xc02f, 0x0008]), silent: || offering(&[0xc02f, 0x0009]) },
                Case { rule: "CIP007", fires: || at_tls12(0xc011), silent: || at_tls12(0xc012) },
                Case { rule: "CIP008", fires: || offering(&[0xc02f, 0x0005]), silent: || offering(&[0xc02f, 0x000a]) },
                Case { rule: "CIP009", fires: || at_tls12(0x000a), silent: || at_tls12(0x002f) },
                Case { rule: "CIP010", fires: || offering(&[0xc02f, 0x0007]), silent: || offering(&[0xc02f, 0xc100]) },
                Case { rule: "CIP011", fires: || at_tls12(0x0009), silent: || at_tls12(0x000a) },
                Case { rule: "CIP012", fires: || offering(&[0xc02f, 0x0006]), silent: || offering(&[0xc02f, 0x0007]) },
                Case { rule: "CIP013", fires: || at_tls12(0x0004), silent: || at_tls12(0x0005) },
                Case { rule: "CIP014", fires: || offering(&[0xc02f, 0x0004]), silent: || offering(&[0xc02f, 0x0005]) },
                Case { rule: "CIP015", fires: || at_tls12(0x0041), silent: || at_tls12(0x002f) },
                Case { rule: "CIP016", fires: || offering(&[0xc02f, 0xc050]), silent: || offering(&[0xc02f, 0x009c]) },
                Case { rule: "CIP020", fires: || at_tls12(0xc013), silent: || selected(V::TLS11, 0xc013) },
                Case { rule: "CIP021", fires: || at_tls12(0xc013), silent: with_encrypt_then_mac },
                Case { rule: "CIP022", fires: || selected(V::TLS10, 0xc013), silent: || selected(V::TLS11, 0xc013) },
                Case { rule: "CIP023", fires: || at_tls12(0xc0ae), silent: || at_tls12(0xc0ac) },
                Case { rule: "CIP024", fires: || at_tls12(0x009c), silent: || at_tls12(0xc02f) },
                Case { rule: "CIP025", fires: || at_tls12(0xc013), silent: || at_tls12(0x009c) },
                Case { rule: "CIP026", fires: || offering(&[0x0a1a, 0xc02f]), silent: || offering(&[0x0a0a, 0xc02f]) },
                Case { rule: "CIP030", fires: || offering(&[0x0005, 0x002f]), silent: || offering(&[0x002f, 0x0005]) },
                Case { rule: "CIP031", fires: || offering(&[0xc013, 0xc02f]), silent: || offering(&[0xc013, 0x009c]) },
                Case { rule: "CIP032", fires: || offering(&[0x002f, 0xc013]), silent: || offering(&[0x002f, 0xc009]) },
                Case { rule: "CIP033", fires: || offering(&[0xc013, 0x002f]), silent: || offering(&[0xc013, 0x009c]) },
                Case { rule: "CIP034", fires: || offering(&[0x009c, 0x002f]), silent: || offering(&[0x009c, 0x0033]) },
                Case { rule: "CIP035", fires: || offering(&[0x0005, 0x000a]), silent: || offering(&[0x0005, 0x002f]) },
                Case { rule: "CIP036", fires: || many(101), silent: || many(100) },
            ],
        );
    }

    #[test]
    fn grease_and_signals_are_no_suites() {
        let facts = offering(&[0x0a0a, 0x00ff, 0x5600, 0xfafa]);
        for rule in RULES {
            if matches!(rule.check, Check::Offer(_)) && !matches!(rule.id, "CIP033" | "CIP034") {
                assert_eq!(check(rule.id, &facts), None, "{rule:?}");
            }
        }
    }

    #[test]
    fn only_the_values_of_rfc_8701_are_grease() {
        let evidence = check("CIP026", &offering(&[0x0a0a, 0x0a1a, 0xc02f, 0x1a2a])).unwrap_or_default();
        assert_eq!(evidence.value("offered"), Some(&Value::list([CipherSuite(0x0a1a), CipherSuite(0x1a2a)])));
        assert_eq!(evidence.value("positions"), Some(&Value::list([2_u16, 4])));
        assert_eq!(check("CIP026", &offering(&[0xff85, 0x00ff, 0x5600, 0x0047])), None, "private, signals, reserved");
        assert!(check("CIP026", &offering(&[0xcc13])).is_some(), "known by use, and never assigned");
    }

    #[test]
    fn a_hello_retry_request_selects_nothing_yet() {
        let mut facts = tls13();
        facts.selection = None;
        facts.hello_retry =
            Some(HelloRetry { version: Version::TLS13, cipher_suite: CipherSuite(0xc0b4), group: None, cookie: false });
        assert_eq!(check("CIP001", &facts), None);
        assert!(check("CIP001", &selected(Version::TLS13, 0xc0b4)).is_some(), "integrity only");
    }

    #[test]
    fn severity_follows_the_circumstances() {
        let severity = |id: &str, facts: &Facts| {
            check(id, facts).map(|evidence| evidence.severity().or(find(id).map(|rule| rule.severity)))
        };
        let mut mail = at_tls12(0xc018);
        assert_eq!(severity("CIP003", &mail), Some(Some(Severity::Critical)));
        mail.server.set_port(SMTP);
        assert_eq!(severity("CIP003", &mail), Some(Some(Severity::Medium)));
        for (version, expected) in [
            (Version::SSL3, Severity::Medium),
            (Version::TLS10, Severity::Medium),
            (Version::TLS11, Severity::High),
            (Version::DTLS10, Severity::High),
            (Version::TLS12, Severity::High),
        ] {
            assert_eq!(severity("CIP009", &selected(version, 0x000a)), Some(Some(expected)), "{version}");
        }
    }

    #[test]
    fn dtls12_is_as_tls12_and_dtls10_is_no_beast() {
        assert!(check("CIP020", &selected(Version::DTLS12, 0xc013)).is_some());
        assert_eq!(check("CIP022", &selected(Version::DTLS10, 0xc013)), None);
        assert!(check("CIP031", &offering_up_to(Version::DTLS12, &[0xc013, 0xc02f])).is_some());
        assert_eq!(check("CIP031", &offering_up_to(Version::DTLS10, &[0xc013, 0xc02f])), None);
    }

    #[test]
    fn order_is_compared_only_within_one_version() {
        // AEAD is of TLS 1.2, EXPORT of TLS 1.0 and before: no version has both.
        assert_eq!(check("CIP030", &offering(&[0x0003, 0x009c])), None);
        // AES-CBC and EXPORT meet in TLS 1.0, which this client may accept or not: its minimum is unknown.
        assert_eq!(check("CIP030", &offering(&[0x0003, 0x002f])), None);
        let evidence = check("CIP030", &offering_up_to(Version::TLS10, &[0x0003, 0x002f])).unwrap_or_default();
        assert_eq!(evidence.value("version"), Some(&Value::from(Version::TLS10)));
        // A client that lists TLS 1.0 accepts it.
        let mut facts = offering(&[0x0003, 0x002f]);
        change_offer(&mut facts, |offer| offer.versions = Some(vec![Version::TLS12, Version::TLS10]));
        assert!(check("CIP030", &facts).is_some());
        // TLS 1.3's suites are compared with each other only.
        for (rule, suites) in [("CIP030", [0x0005, 0x1301]), ("CIP031", [0xc013, 0x1301]), ("CIP032", [0x0035, 0x1301])]
        {
            let mut facts = offering(&suites);
            change_offer(&mut facts, |offer| offer.versions = Some(vec![Version::TLS13, Version::TLS12]));
            assert_eq!(check(rule, &facts), None, "{rule}");
        }
        // A client of TLS 1.3 alone selects none of its older suites.
        let mut facts = offering(&[0x0005, 0x002f, 0xc013, 0xc02f]);
        assert!(check("CIP030", &facts).is_some());
        change_offer(&mut facts, |offer| offer.versions = Some(vec![Version::TLS13]));
        for rule in ["CIP030", "CIP031", "CIP032"] {
            assert_eq!(check(rule, &facts), None, "{rule}");
        }
    }

    #[test]
    fn order_is_compared_only_for_one_kind_of_server_key() {
        // ECDSA's RC4 before RSA's AES: a server's key decides, not the order.
        assert_eq!(check("CIP030", &offering(&[0xc007, 0x002f])), None);
        // Anonymous suites need no key, so that any server could follow the order.
        assert!(check("CIP030", &offering(&[0xc018, 0x002f])).is_some());
        // An anonymous suite is no better one, AEAD or not.
        assert_eq!(check("CIP030", &offering(&[0x0005, 0x00a6])), None);
    }

    #[test]
    fn a_browser_s_order_is_sound() {
        let chromium = [
            0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
            0x009d, 0x002f, 0x0035, 0x000a,
        ];
        for rule in ["CIP030", "CIP031", "CIP032", "CIP033", "CIP034", "CIP035"] {
            assert_eq!(check(rule, &offering(&chromium)), None, "{rule}");
        }
    }

    #[test]
    fn order_names_the_first_pair_by_its_places_as_sent() {
        let evidence =
            check("CIP030", &offering(&[0x0a0a, 0xc013, 0x0005, 0x000a, 0x009c, 0x002f])).unwrap_or_default();
        for (name, value) in [
            ("earlier", Value::from(CipherSuite(0x0005))),
            ("earlier_position", Value::from(3_u16)),
            ("later", Value::from(CipherSuite(0x009c))),
            ("later_position", Value::from(5_u16)),
            ("version", Value::from(Version::TLS12)),
        ] {
            assert_eq!(evidence.value(name), Some(&value), "{name}");
        }
    }

    #[test]
    fn a_list_of_any_length_is_ordered_in_one_pass_and_listed_in_part() {
        let mut suites = vec![0x0005; 32_766];
        suites.push(0x002f);
        let facts = offering(&suites);
        let evidence = check("CIP030", &facts).unwrap_or_default();
        assert_eq!(evidence.value("later_position"), Some(&Value::from(32_767_u16)));
        let evidence = check("CIP008", &facts).unwrap_or_default();
        assert_eq!(evidence.value("count"), Some(&Value::from(32_766_u16)));
        assert!(matches!(evidence.value("offered"), Some(Value::List(listed)) if listed.len() == 32));
    }

    #[test]
    fn anonymous_key_exchange_is_ephemeral() {
        assert_eq!(check("CIP034", &offering(&[0x0018, 0x001b])), None, "CIP004 says what is wrong with it");
        assert!(check("CIP034", &offering(&[0x00a8, 0xc003])).is_some(), "plain PSK and static ECDH");
    }

    #[test]
    fn places_in_an_sslv2_hello_are_those_of_its_cipher_kinds() {
        let mut facts = offering_up_to(Version::TLS10, &[0x0005, 0x002f]);
        change_offer(&mut facts, |offer| offer.sslv2_cipher_specs = Some(vec![0x01_0080, 0x05, 0x07_00c0, 0x2f]));
        let evidence = check("CIP008", &facts).unwrap_or_default();
        assert_eq!(evidence.value("positions"), Some(&Value::list([2_u16])));
        let evidence = check("CIP030", &facts).unwrap_or_default();
        assert_eq!(evidence.value("later_position"), Some(&Value::from(4_u16)));
    }

    #[test]
    fn an_sslv2_hello_without_suites_of_later_versions_is_left_to_its_own_rule() {
        let mut facts = offering(&[]);
        change_offer(&mut facts, |offer| offer.sslv2_cipher_specs = Some(vec![0x01_0080]));
        assert_eq!(check("CIP035", &facts), None);
    }
}
