//! `CERT`: certificates.
//!
//! Certificates are visible in full handshakes up to TLS 1.2 only; CERT050 says so wherever they are not, and then
//! nothing here is known. Dates are compared with the packet's time. No signature is verified: chains are followed by
//! names and key identifiers. What a root signs itself with is not judged, since nobody relies on it.

use std::net::IpAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{LISTED, list};
use crate::findings::{Check, Documentation, Evidence, Family, Rule, Settings, Severity, TrustStore, Value};
use crate::flow::Facts;
use crate::flow::facts::{Carrier, KeyExchangeParameters, Side};
use crate::time::Timestamp;
use crate::tls::codepoints::{
    AlertDescription, Authentication, ClientCertificateType, ExtensionType, KeyExchange, ProtocolVersion as Version,
    SignatureScheme,
};
use crate::tls::x509::{Certificate, KeyUsage, PublicKey, SignatureHash};

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "CERT001",
        name: "chain-md2-md4-signature",
        family: Family::Certificate,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The server's certificate or one above it is signed over MD2 or MD4. Self-issued certificates are \
                      passed over: nobody relies on a root's own signature.",
            why: "Both hashes are broken: who finds a second text with the same hash has a certificate that its issuer \
                  never saw. No current client accepts one.",
            evidence: SIGNED,
            action: "Have the certificate, and the intermediates where they are at fault, issued anew with SHA-256.",
            references: &["RFC 6149 section 6", "RFC 6150 section 6"],
        },
        check: Check::Chain(|facts, settings| md2_md4(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT002",
        name: "chain-md5-signature",
        family: Family::Certificate,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The server's certificate or one above it is signed over MD5. Self-issued certificates are passed \
                      over: nobody relies on a root's own signature.",
            why: "Collisions of MD5 have been used to forge a certification authority (2008) and in malware (Flame, \
                  2012). Current clients refuse the chain, mail servers that verify among them.",
            evidence: SIGNED,
            action: "Have the certificate, and the intermediates where they are at fault, issued anew with SHA-256.",
            references: &["RFC 6151 section 2", "CVE-2004-2761"],
        },
        check: Check::Chain(|facts, settings| md5(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT003",
        name: "chain-sha1-signature",
        family: Family::Certificate,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server's certificate or one above it is signed over SHA-1. Self-issued certificates are passed \
                      over. Medium where roots were given to trust and the chain does not lead to one of them.",
            why: "Collisions of SHA-1 are affordable since 2020. Browsers have refused such chains since 2017 and large \
                  mail services since 2016; only old clients and devices with a private authority still take them.",
            evidence: "`depth`: place in the chain, 0 is the server's own. `subject`: whose certificate. `signature`: the \
                       algorithm. `not_after`: when it ends by itself. `others`: how many more in the chain. By hand: \
                       openssl x509 -text of tls.handshake.certificate.",
            action: "Have it issued anew with SHA-256. If a private authority did it, change the authority's setting \
                     first, and its intermediates.",
            references: &["CA/Browser Forum Baseline Requirements section 7.1.3.2", "RFC 9155", "RFC 6194"],
        },
        check: Check::Chain(|facts, settings| sha1(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT004",
        name: "rsa-below-1024",
        family: Family::Certificate,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "A certificate of the server's chain has an RSA key of fewer than 1024 bits.",
            why: "512 bits are factored in hours, 768 were in 2009. The private key has to be taken for public.",
            evidence: KEY,
            action: "Issue a new key of 2048 bits or more, or ECDSA with P-256. Replace what cannot have one.",
            references: &["RFC 9325 section 4.5", "SP 800-131A revision 2"],
        },
        check: Check::Chain(|facts, settings| rsa_below_1024(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT005",
        name: "rsa-below-2048",
        family: Family::Certificate,
        severity: Severity::High,
        documentation: Documentation {
            reports: "A certificate of the server's chain has an RSA key of at least 1024 and fewer than 2048 bits.",
            why: "1024 bits have been disallowed by every authority and guideline since 2014. Current software refuses \
                  the connection, at OpenSSL's default level since 2016.",
            evidence: KEY,
            action: "Issue a new key of 2048 bits or more, or ECDSA with P-256.",
            references: &[
                "RFC 9325 section 4.5",
                "SP 800-131A revision 2",
                "CA/Browser Forum Baseline Requirements section 6.1.5",
            ],
        },
        check: Check::Chain(|facts, settings| rsa_below_2048(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT006",
        name: "rsa-below-3000",
        family: Family::Certificate,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "A certificate of the server's chain has an RSA key of fewer than 3000 bits. Off unless the policy \
                      asks for it, as that of the German BSI does.",
            why: "The BSI recommends RSA keys of 3000 bits and more for what it calls a security level of 120 bits. \
                  Elsewhere 2048 bits are accepted until 2030.",
            evidence: KEY,
            action: "Plan RSA keys of 3072 bits, or ECDSA.",
            references: &["BSI TR-02102-2", "SP 800-57 part 1 revision 5 section 5.6.3"],
        },
        check: Check::Chain(|facts, settings| rsa_below_3000(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT007",
        name: "ec-key-weak",
        family: Family::Certificate,
        severity: Severity::High,
        documentation: Documentation {
            reports: "A certificate of the server's chain has a key on a curve over a field of fewer than 224 bits, or on \
                      a curve that is written out instead of named.",
            why: "Small curves give less than 112 bits of strength. A curve written out can be made to fit any public \
                  key (CVE-2020-0601), and clients refuse it or should.",
            evidence: "`depth` and `subject`: whose key. `key`: the curve. `others`: how many more in the chain. By hand: \
                       openssl x509 -text of tls.handshake.certificate.",
            action: "Issue a new key on P-256 or above.",
            references: &["RFC 5480 section 2.1.1", "SP 800-52 revision 2 section 3.2.1", "CVE-2020-0601"],
        },
        check: Check::Chain(|facts, settings| ec_weak(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT008",
        name: "dsa-key",
        family: Family::Certificate,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "A certificate of the server's chain has a DSA key.",
            why: "Browsers and TLS 1.3 do not support DSA at all, and FIPS 186-5 no longer has it for signing. One bad \
                  random number shows the private key.",
            evidence: KEY,
            action: "Issue an ECDSA or RSA key.",
            references: &["FIPS 186-5 section 4", "RFC 8446 section 4.2.3"],
        },
        check: Check::Chain(|facts, settings| dsa(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT009",
        name: "rsa-exponent-bad",
        family: Family::Certificate,
        severity: Severity::High,
        documentation: Documentation {
            reports: "An RSA key of the server's chain has a public exponent that is 1 (critical), even (high), or odd \
                      and below 65537 (low; not of a root that the server sends besides, since clients use their own).",
            why: "With exponent 1 the signature is the message: anyone can sign. An even one cannot work. A small one, \
                  3 as a rule, is sound by itself but has let careless verifiers accept forged signatures \
                  (Bleichenbacher 2006).",
            evidence: "`depth` and `subject`: whose key. `exponent`: the public exponent. `others`: how many more in the \
                       chain. By hand: openssl x509 -text of tls.handshake.certificate.",
            action: "Issue a new key with exponent 65537.",
            references: &["CA/Browser Forum Baseline Requirements section 6.1.6", "CVE-2006-4339"],
        },
        check: Check::Chain(|facts, settings| bad_exponent(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT010",
        name: "known-weak-key",
        family: Family::Certificate,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "An RSA key of the server's chain has the form of CVE-2017-15361 (ROCA): the modulus is a power of \
                      65537 modulo each of the first 39 primes, with one exponent. Keys of Debian's broken generator \
                      (CVE-2008-0166) are not recognised, since their lists are too long to have here; nor are keys that \
                      share a factor.",
            why: "Chips with Infineon's library made such keys until 2017. Those of 1024 bits are factored for less than \
                  a hundred dollars, those of 2048 bits for some ten thousand.",
            evidence: "`depth` and `subject`: whose key. `test`: which test it failed. `key`: its kind and length. By \
                       hand: the detection tool of the finders, https://github.com/crocs-muni/roca.",
            action: "Make a new key in software or on a repaired chip, and have the old certificate revoked.",
            references: &["CVE-2017-15361", "https://crocs.fi.muni.cz/public/papers/rsa_ccs17"],
        },
        check: Check::Chain(|facts, settings| known_weak(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT011",
        name: "expired",
        family: Family::Certificate,
        severity: Severity::High,
        documentation: Documentation {
            reports: "At the time of the packets the server's certificate had ended. Medium where it is an intermediate \
                      that had, since a client may know another way to a root. Roots are not judged.",
            why: "A client that verifies refuses the connection. One that goes on does not verify, and would take an \
                  attacker's certificate as well.",
            evidence: "`depth` and `subject`: whose certificate. `not_after`: its end, which still belongs to it. \
                       `days`: how many whole days that was before the packets. By hand: openssl x509 -enddate of \
                       tls.handshake.certificate against frame.time.",
            action: "Renew it, and see to it that renewal is automatic. See whether the clients that connected \
                     nevertheless verify at all. If every server seems expired, check the clock of the capture.",
            references: &["RFC 5280 section 4.1.2.5"],
        },
        check: Check::Flow(|facts, settings| expired(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT012",
        name: "not-yet-valid",
        family: Family::Certificate,
        severity: Severity::High,
        documentation: Documentation {
            reports: "At the time of the packets the server's certificate had not begun. Medium where it is an \
                      intermediate. Roots are not judged.",
            why: "A client that verifies refuses the connection. As a rule the clock of the server or of the authority \
                  is wrong, or the certificate was put in place too early.",
            evidence: "`depth` and `subject`: whose certificate. `not_before`: its beginning. `days`: how many whole days \
                       that was after the packets. By hand: openssl x509 -startdate of tls.handshake.certificate against \
                       frame.time.",
            action: "Set the clock, or put the certificate in place when its time has come. If every server seems too \
                     new, check the clock of the capture.",
            references: &["RFC 5280 section 4.1.2.5"],
        },
        check: Check::Flow(|facts, settings| not_yet_valid(server(facts)?, facts, settings)),
    },
    Rule {
        id: "CERT013",
        name: "expiring-soon",
        family: Family::Certificate,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server's certificate ends within 30 days (or the time set) after the packets, and two thirds \
                      of its life are over: certificates of a few weeks would otherwise always be reported.",
            why: "Automatic renewal is done at two thirds of a certificate's life as a rule. What is older than that is \
                  renewed by hand, or its renewal fails.",
            evidence: "`subject`: whose certificate. `not_after`: its end. `days`: how many whole days are left. By hand: \
                       openssl x509 -dates of tls.handshake.certificate against frame.time.",
            action: "Renew it now, and see to it that renewal is automatic.",
            references: &["RFC 5280 section 4.1.2.5"],
        },
        check: Check::Flow(expiring_soon),
    },
    Rule {
        id: "CERT014",
        name: "validity-too-long",
        family: Family::Certificate,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server's certificate is valid for longer than public authorities were allowed when it began: \
                      825 days from March 2018, 398 from September 2020, 200 from 15 March 2026, 100 from 15 March 2027, \
                      47 from 15 March 2029. Info where the issuer is not known to be public: neither are certificate \
                      timestamps embedded, nor does the chain lead to a root given to trust.",
            why: "What is found wrong with a certificate stays wrong for as long as it lives; renewal by hand every few \
                  years is what goes wrong. Clients refuse public certificates beyond the limit, Apple's private ones \
                  beyond 825 days as well.",
            evidence: "`days`: days from notBefore to notAfter, both included, begun days counted. `limit`: days allowed \
                       at `not_before`. `public`: whether the issuer is known to be public. By hand: openssl x509 -dates \
                       of tls.handshake.certificate.",
            action: "Automate renewal (ACME), then shorten the life.",
            references: &["CA/Browser Forum Baseline Requirements section 6.3.2", "CA/Browser Forum ballot SC-081v3"],
        },
        check: Check::Chain(validity_too_long),
    },
    Rule {
        id: "CERT015",
        name: "name-mismatch-sni",
        family: Family::Certificate,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The client sent a server name that no name of the certificate's subjectAltName matches. A wildcard \
                      stands for the whole left-most label and nothing else. The common name does not count. A server \
                      name that is an IP address is compared with iPAddress names.",
            why: "A client that verifies refuses the connection. One that goes on does not verify names, and would take \
                  any certificate for any host. Mail servers that deliver to others may do so by intention.",
            evidence: "`server_name`: what the client asked for. `names`: the certificate's names, the first 32 of them. \
                       `common_name`: where it has no names. By hand: tls.handshake.extensions_server_name against \
                       x509ce.dNSName.",
            action: "Add the name to the certificate, or correct the virtual host, or the name that clients use.",
            references: &["RFC 9525 sections 6.1 to 6.4", "RFC 6066 section 3"],
        },
        check: Check::Flow(name_mismatch),
    },
    Rule {
        id: "CERT016",
        name: "cn-only",
        family: Family::Certificate,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server's certificate has no subjectAltName.",
            why: "Only the common name can say whose it is, and clients have not looked at that since about 2017.",
            evidence: "`common_name`: the subject's common name, where there is one. By hand: openssl x509 -ext \
                       subjectAltName of tls.handshake.certificate.",
            action: "Have it issued anew with its names in subjectAltName.",
            references: &["RFC 9525 section 2", "RFC 9110 section 4.3.4"],
        },
        check: Check::Chain(|facts, _| {
            let leaf = facts.leaf().filter(|leaf| leaf.problems.is_empty() && leaf.alternative_names.is_none())?;
            Some(Evidence::new().with_some("common_name", leaf.common_name.as_deref().map(clip)))
        }),
    },
    Rule {
        id: "CERT017",
        name: "wildcard",
        family: Family::Certificate,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server's certificate has a wildcard name.",
            why: "One key is good for every host of the domain, and as a rule lies on many of them: the weakest of them \
                  guards all. A server of another protocol under the same domain can be used against this one (ALPACA).",
            evidence: "`names`: the wildcard names. By hand: x509ce.dNSName.",
            action: "Weigh names one by one, now that issuance is automatic. Where the wildcard stays, know every place \
                     the key lies in.",
            references: &["RFC 9525 section 7.1", "https://alpaca-attack.com"],
        },
        check: Check::Chain(|facts, _| {
            let names =
                || facts.leaf().into_iter().flat_map(Certificate::dns_names).filter(|name| name.starts_with("*."));
            names().next()?;
            Some(Evidence::of("names", list(names().map(clip))))
        }),
    },
    Rule {
        id: "CERT018",
        name: "self-signed-leaf",
        family: Family::Certificate,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server sends one certificate, issued by itself: subject and issuer are the same, and its key \
                      identifiers do not say otherwise. The signature is not verified. Low towards port 25; info where \
                      use_srtp was agreed, as in WebRTC, whose peers compare fingerprints by other means. Not reported \
                      where it is itself among the roots given to trust.",
            why: "Unless clients were given this very certificate, they cannot tell it from an attacker's. It cannot be \
                  revoked either. Devices and mail servers have one from the factory; between mail servers it is common.",
            evidence: "`subject`: its subject, and issuer. `not_after`: its end. `sha256`: its fingerprint, to compare \
                       with what clients were given. By hand: openssl x509 -subject -issuer of tls.handshake.certificate.",
            action: "Use a certificate of a public or of your own authority.",
            references: &["RFC 5280 section 3.2", "RFC 5763 section 5"],
        },
        check: Check::Flow(self_signed),
    },
    Rule {
        id: "CERT019",
        name: "chain-incomplete",
        family: Family::Certificate,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "No certificate that the server sends has the name of its own certificate's issuer. Where roots were \
                      given to trust, none of them issued it. Low where no roots were given and no certificate timestamps \
                      are embedded: the issuer may be a private root that clients have. Public roots issue no server \
                      certificates themselves.",
            why: "A client has to find the missing intermediate by itself: browsers often do, programs, mail servers and \
                  devices do not and fail.",
            evidence: "`missing`: the name of the issuer that is missing. `certificates`: how many were sent. By hand: \
                       the issuer of the first tls.handshake.certificate against the subjects of the others.",
            action: "Let the server send the intermediates; authorities hand them out with the certificate.",
            references: &["RFC 5246 section 7.4.2"],
        },
        check: Check::Chain(chain_incomplete),
    },
    Rule {
        id: "CERT020",
        name: "chain-misordered",
        family: Family::Certificate,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "A certificate in the server's chain is not followed by its issuer's: copies, certificates that do \
                      not belong there, or the wrong order.",
            why: "Up to TLS 1.2 each certificate must certify the one before. Most clients sort them, some old and small \
                  ones fail.",
            evidence: "`depth`: the first certificate followed by the wrong one. `issuer`: its issuer. `next`: the \
                       subject of the one that follows. By hand: subjects and issuers of all tls.handshake.certificate.",
            action: "Put the server's own certificate first, then each issuer in turn; leave the root out.",
            references: &["RFC 5246 section 7.4.2"],
        },
        check: Check::Chain(|facts, _| {
            let chain = server(facts)?;
            let (depth, (one, next)) =
                chain.iter().zip(chain.iter().skip(1)).enumerate().find(|(_, (one, next))| {
                    !one.issuer_der.is_empty() && !next.subject_der.is_empty() && one.issuer_der != next.subject_der
                })?;
            Some(Evidence::of("depth", depth).with("issuer", clip(&one.issuer)).with("next", clip(&next.subject)))
        }),
    },
    Rule {
        id: "CERT021",
        name: "root-included",
        family: Family::Certificate,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server sends a self-issued certificate besides its own: a root.",
            why: "A client has its roots already and trusts none that a server sends. It costs its length in every full \
                  handshake.",
            evidence: "`depth` and `subject`: which certificate. `bytes`: its length. By hand: subject and issuer of all \
                       tls.handshake.certificate.",
            action: "Leave the root out of the server's file, unless clients pin it by DANE.",
            references: &["RFC 5246 section 7.4.2", "RFC 7671 section 5.2.2"],
        },
        check: Check::Chain(|facts, _| {
            let leaf = facts.leaf()?;
            let is_root = |depth, certificate: &Certificate| {
                depth > 0 && certificate.is_self_issued() && certificate.sha256 != leaf.sha256
            };
            flagged(server(facts)?, is_root, |evidence, certificate| evidence.with("bytes", certificate.length))
        }),
    },
    Rule {
        id: "CERT022",
        name: "untrusted-issuer",
        family: Family::Certificate,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The chain leads to none of the roots given to trust, by names and key identifiers. Off where none \
                      were given. Left to CERT019 where the server's own certificate lacks its issuer.",
            why: "A client with these roots refuses the connection, or does not verify. The chain may also lack a further \
                  intermediate, or come from something that intercepts connections.",
            evidence: "`issuer`: the name at which the chain ends. `depth`: the certificate it issued. By hand: openssl \
                       verify with the same roots.",
            action: "Give clients the root if it is yours; else have the certificate issued by an authority they know.",
            references: &["RFC 5280 section 6.1"],
        },
        check: Check::Chain(untrusted_issuer),
    },
    Rule {
        id: "CERT023",
        name: "x509-v1-leaf",
        family: Family::Certificate,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server's certificate is of X.509 version 1 or 2.",
            why: "Such a certificate has no extensions: no names, no limits on what its key is for. Current clients \
                  refuse it. Devices of the 1990s and certificates made by hand are of this kind.",
            evidence: "`version`: the version, as people count it: 1 or 2. `subject`: whose. By hand: openssl x509 -text \
                       of tls.handshake.certificate.",
            action: "Have it issued anew as version 3, with subjectAltName.",
            references: &["RFC 5280 section 4.1.2.1", "SP 800-52 revision 2 section 3.2.1"],
        },
        check: Check::Chain(|facts, _| {
            let leaf = facts.leaf().filter(|leaf| matches!(leaf.version, 1 | 2))?;
            Some(Evidence::of("version", leaf.version).with("subject", clip(&leaf.subject)))
        }),
    },
    Rule {
        id: "CERT024",
        name: "ca-cert-as-leaf",
        family: Family::Certificate,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server's own certificate may sign others (basicConstraints cA), though it was issued by another \
                      or others follow it. A self-signed one alone is CERT018's.",
            why: "The key of an authority lies on a server that everyone reaches: who takes it can issue certificates \
                  for any name below that authority.",
            evidence: "`subject` and `issuer`: of the certificate. `certificates`: how many were sent. By hand: openssl \
                       x509 -ext basicConstraints of tls.handshake.certificate.",
            action: "Issue the server a certificate of its own, and take the authority's key off it.",
            references: &["RFC 5280 section 4.2.1.9", "CA/Browser Forum Baseline Requirements section 7.1.2"],
        },
        check: Check::Chain(|facts, _| {
            let chain = server(facts)?;
            let leaf = chain.first().filter(|leaf| leaf.is_ca() && !(leaf.is_self_issued() && is_alone(chain)))?;
            Some(
                Evidence::of("subject", clip(&leaf.subject))
                    .with("issuer", clip(&leaf.issuer))
                    .with("certificates", chain.len()),
            )
        }),
    },
    Rule {
        id: "CERT025",
        name: "eku-missing-serverauth",
        family: Family::Certificate,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The certificate's extendedKeyUsage has neither serverAuth nor anyExtendedKeyUsage; for a client's \
                      certificate, neither clientAuth nor that. Without the extension every use is allowed.",
            why: "A peer that verifies refuses it. As a rule a certificate was taken that was made for another purpose.",
            evidence: "`side`: whose certificate. `subject`: its subject. `purposes`: what it is for. By hand: openssl \
                       x509 -ext extendedKeyUsage of tls.handshake.certificate.",
            action: "Have a certificate issued for the purpose.",
            references: &["RFC 5280 section 4.2.1.12", "SP 800-52 revision 2 section 3.2.1"],
        },
        check: Check::Flow(|facts, _| {
            let client = facts.client_certificates.as_ref().and_then(|chain| chain.first());
            let sides =
                [(Side::Server, facts.leaf(), "serverAuth"), (Side::Client, client.map(AsRef::as_ref), "clientAuth")];
            sides.into_iter().find_map(|(side, certificate, needed)| {
                let certificate = certificate?;
                let purposes = certificate.extended_key_usage.as_deref()?;
                let allowed = purposes.iter().any(|purpose| purpose == needed || purpose == "anyExtendedKeyUsage");
                (!allowed).then(|| {
                    let purposes = list(purposes.iter().map(|purpose| clip(purpose)));
                    Evidence::of("side", side).with("subject", clip(&certificate.subject)).with("purposes", purposes)
                })
            })
        }),
    },
    Rule {
        id: "CERT026",
        name: "keyusage-kex-mismatch",
        family: Family::Certificate,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server certificate's keyUsage does not allow what the selected suite does with the key: \
                      keyEncipherment for RSA key exchange, digitalSignature for (EC)DHE and temporary RSA keys, \
                      keyAgreement for static (EC)DH. Without the extension every use is allowed.",
            why: "Strict clients refuse the connection. A certificate with keyEncipherment alone keeps a server from \
                  (EC)DHE and TLS 1.3, both of which sign.",
            evidence: "`key_usage`: what the certificate allows. `needed`: what the suite needs. `cipher_suite`: as \
                       selected. By hand: openssl x509 -ext keyUsage of tls.handshake.certificate.",
            action: "Have the certificate issued with digitalSignature, and with keyEncipherment only while RSA key \
                     exchange is in use.",
            references: &["RFC 5280 section 4.2.1.3", "RFC 5246 section 7.4.2"],
        },
        check: Check::Flow(key_usage_mismatch),
    },
    Rule {
        id: "CERT029",
        name: "cert-sigalg-not-in-client-list",
        family: Family::Certificate,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "In (D)TLS 1.2, a certificate of the server's chain is signed with an algorithm that the client's \
                      signature_algorithms_cert does not have, or its signature_algorithms where it sent no such list. \
                      Self-issued certificates are passed over, and algorithms that TLS has no number for unless it \
                      never had one (MD2, MD4).",
            why: "The client said that it cannot, or will not, verify this signature. It refuses the chain, unless it \
                  knows another way to a root or does not verify.",
            evidence: "`depth` and `subject`: whose certificate. `signature`: its algorithm. `others`: how many more in \
                       the chain. `offered`: the client's list. By hand: tls.handshake.sig_hash_alg of the ClientHello \
                       against the signatureAlgorithm of tls.handshake.certificate.",
            action: "Have the chain issued with SHA-256, or update the client where it is the one behind.",
            references: &["RFC 5246 section 7.4.2", "RFC 8446 section 4.2.3"],
        },
        check: Check::Flow(signature_not_offered),
    },
    Rule {
        id: "CERT030",
        name: "client-cert-requested",
        family: Family::Certificate,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "Up to TLS 1.2, the server asked the client for a certificate.",
            why: "The connection is authenticated from both sides, or may be: a partner's interface, a VPN, management. \
                  Such connections depend on the client's certificate, and an intercepting proxy breaks them.",
            evidence: "`types`: the kinds of certificate asked for. `authorities`: how many authorities are named. By \
                       hand: tls.handshake.type 13.",
            action: "None. Keep the list of such interfaces, with who renews which certificate.",
            references: &["RFC 5246 section 7.4.4"],
        },
        check: Check::Flow(|facts, _| {
            let request = facts.certificate_request.as_ref()?;
            let types = request.certificate_types.iter().map(|kind| ClientCertificateType(*kind).to_string());
            Some(Evidence::of("types", list(types)).with("authorities", request.authorities))
        }),
    },
    Rule {
        id: "CERT031",
        name: "client-cert-weak",
        family: Family::Certificate,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The client's certificate, or one above it, is as CERT001 to CERT012 report of a server's. Less than \
                      high where that rule is.",
            why: "Who can forge the certificate, or find its key, is taken for this client. An expired one shows that the \
                  server does not check.",
            evidence: "`rule` and `name`: what was found, the gravest. `also`: ids of further rules. Then the evidence of \
                       the first.",
            action: "Issue the client a new certificate. If the server accepted an expired or forged one, mend the server.",
            references: &["RFC 5280 section 6.1", "RFC 9325 section 4.5"],
        },
        check: Check::Flow(client_weak),
    },
    Rule {
        id: "CERT032",
        name: "client-cert-empty",
        family: Family::Certificate,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server asked for a certificate, and the client answered that it has none: by an empty list, in \
                      SSL 3.0 by the alert no_certificate.",
            why: "Where the server insists, the connection ends here. Where it goes on, the client is not authenticated \
                  by TLS.",
            evidence: "`answer`: an empty list or the alert. `outcome`: how the handshake ended. By hand: \
                       tls.handshake.type 11 from the client, with length 3.",
            action: "If it should have had one, give the client a certificate of an authority that the server names.",
            references: &["RFC 5246 section 7.4.6", "RFC 6101 section 5.6.6"],
        },
        check: Check::Flow(|facts, _| {
            const NO_CERTIFICATE: AlertDescription = AlertDescription(41);
            let alert = |from, description| from == Side::Client && description == NO_CERTIFICATE;
            let answer = match facts.client_certificates.as_deref() {
                Some([]) => "empty list",
                None if facts.alerts.iter().any(|seen| alert(seen.from, seen.description)) => "no_certificate alert",
                _ => return None,
            };
            facts.certificate_request.as_ref()?;
            Some(Evidence::of("answer", answer).with("outcome", facts.outcome.name()))
        }),
    },
    Rule {
        id: "CERT033",
        name: "client-cert-in-clear",
        family: Family::Certificate,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client's certificate can be read, as always up to TLS 1.2.",
            why: "It names a person or a device, and everyone on the path learns who connects, every time. TLS 1.3 \
                  encrypts it.",
            evidence: "`subject`: whose certificate. `issuer`: who issued it. By hand: tls.handshake.type 11 from the \
                       client.",
            action: "Use TLS 1.3 for what authenticates clients.",
            references: &["RFC 8446 appendix E.1", "RFC 9325 section 3.1.1"],
        },
        check: Check::Flow(|facts, _| {
            let certificate = facts.client_certificates.as_ref()?.first()?;
            Some(Evidence::of("subject", clip(&certificate.subject)).with("issuer", clip(&certificate.issuer)))
        }),
    },
    Rule {
        id: "CERT034",
        name: "must-staple-not-stapled",
        family: Family::Certificate,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server's certificate demands a stapled OCSP response (TLS feature 5), the client asked for one, \
                      and the server's first flight is over without it.",
            why: "A client that heeds the demand refuses the connection. The certificate's owner wanted exactly this when \
                  the server cannot prove that it is not revoked.",
            evidence: "`must_staple`: the demand. `certificate_status`: no response was sent. By hand: openssl x509 -ext \
                       tlsfeature of tls.handshake.certificate; no tls.handshake.type 22.",
            action: "Enable OCSP stapling, and let the server reach its authority. Authorities are giving OCSP up: if \
                     yours has, have the certificate issued without the demand.",
            references: &["RFC 7633 section 4.2.3", "RFC 6066 section 8"],
        },
        check: Check::Flow(|facts, _| {
            let offer = facts.offer.as_ref()?;
            let asked = offer.has(ExtensionType::STATUS_REQUEST) || offer.has(ExtensionType::STATUS_REQUEST_V2);
            let is_over = facts.progress.server_hello_done && facts.coverage.missing_bytes == 0;
            (facts.leaf()?.must_staple && asked && is_over && !facts.certificate_status)
                .then(|| Evidence::of("must_staple", true).with("certificate_status", false))
        }),
    },
    Rule {
        id: "CERT035",
        name: "no-sct-public",
        family: Family::Certificate,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The chain leads to a root given to trust, the certificate began after April 2018, and no certificate \
                      timestamp came with it although the client asked: neither embedded, nor in a TLS extension, nor \
                      possibly in a stapled OCSP response. Off where no roots were given; give the public ones alone, \
                      since private authorities log nothing.",
            why: "Browsers refuse public certificates without timestamps. A public certificate that is in no log is also \
                  one that its domain's owner cannot find.",
            evidence: "`subject` and `issuer`: of the certificate. `not_before`: its beginning. By hand: extension \
                       1.3.6.1.4.1.11129.2.4.2 in the certificate, extension 18 in the ServerHello.",
            action: "Have it issued anew with timestamps embedded, as public authorities do by default.",
            references: &["RFC 6962 section 3.3", "RFC 9162 section 6"],
        },
        check: Check::Flow(no_timestamps),
    },
    Rule {
        id: "CERT036",
        name: "vendor-default-cert",
        family: Family::Certificate,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The subject or issuer of the server's certificate is one that a product or an example configuration \
                      makes by itself. Certificates with embedded timestamps are passed over.",
            why: "Nobody has set up the certificate, so probably nothing else either: such hosts are managed over this \
                  very connection. Some products have had one key for all devices. It also tells what the device is.",
            evidence: "`product`: what makes such certificates. `attribute`: the part of the name that tells. `subject`: \
                       the whole. By hand: openssl x509 -subject -issuer of tls.handshake.certificate.",
            action: "Give the device a certificate of your own authority, change its default passwords, and keep its \
                     management off the open network.",
            references: &["CWE-1188", "CWE-321"],
        },
        check: Check::Chain(vendor_default),
    },
    Rule {
        id: "CERT050",
        name: "certificate-not-visible",
        family: Family::Certificate,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server's certificate cannot be seen: it is encrypted (TLS 1.3, DTLS 1.3, QUIC), or was not sent \
                      since the session was resumed.",
            why: "All other CERT rules are unknown for this connection. That they are silent says nothing in the \
                  server's favour.",
            evidence: "`reason`: why it cannot be seen. `version`: as selected.",
            action: "Capture a full handshake of TLS 1.2 with the same server, or fetch its certificate actively.",
            references: &["RFC 9846 section 2", "RFC 8446 section 2"],
        },
        check: Check::Flow(|facts, _| {
            let version = facts.version().filter(|_| facts.certificates.is_none())?;
            let reason = match facts.carrier {
                Carrier::Quic => "QUIC encrypts it",
                Carrier::Tcp | Carrier::Dtls if facts.is_tls13() => "TLS 1.3 encrypts it",
                Carrier::Tcp | Carrier::Dtls if facts.resumed == Some(true) => "the session was resumed",
                Carrier::Tcp | Carrier::Dtls => return None,
            };
            Some(Evidence::of("reason", reason).with("version", version))
        }),
    },
];

const SIGNED: &str = "`depth`: place in the chain, 0 is the server's own. `subject`: whose certificate. `signature`: the \
                      algorithm. `others`: how many more in the chain. By hand: openssl x509 -text of \
                      tls.handshake.certificate.";

const KEY: &str = "`depth`: place in the chain, 0 is the server's own. `subject`: whose key. `key`: its kind and length in \
                   bits. `others`: how many more in the chain. By hand: openssl x509 -text of tls.handshake.certificate.";

/// What a rule says of a chain, whoever sent it.
type Judge = fn(&[Arc<Certificate>], &Facts, &Settings) -> Option<Evidence>;

/// What makes any certificate weak, with the rule's id, name and severity.
const WEAKNESSES: &[(&str, &str, Severity, Judge)] = &[
    ("CERT001", "chain-md2-md4-signature", Severity::Critical, md2_md4),
    ("CERT002", "chain-md5-signature", Severity::Critical, md5),
    ("CERT003", "chain-sha1-signature", Severity::High, sha1),
    ("CERT004", "rsa-below-1024", Severity::Critical, rsa_below_1024),
    ("CERT005", "rsa-below-2048", Severity::High, rsa_below_2048),
    ("CERT006", "rsa-below-3000", Severity::Info, rsa_below_3000),
    ("CERT007", "ec-key-weak", Severity::High, ec_weak),
    ("CERT008", "dsa-key", Severity::Medium, dsa),
    ("CERT009", "rsa-exponent-bad", Severity::High, bad_exponent),
    ("CERT010", "known-weak-key", Severity::Critical, known_weak),
    ("CERT011", "expired", Severity::High, expired),
    ("CERT012", "not-yet-valid", Severity::High, not_yet_valid),
];

const DAY: u64 = 86_400;

/// `(attribute, whether the value may go on, product)`: what products write into certificates of their own making.
#[rustfmt::skip]
const VENDOR_DEFAULTS: &[(&str, bool, &str)] = &[
    ("CN=ASA Temporary Self Signed Certificate", false, "Cisco ASA"),
    ("CN=Cyberoam SSL CA", true, "Cyberoam appliance"),
    ("CN=Default Issuer (Do not trust)", false, "HP iLO"),
    ("CN=Elastic Certificate Tool Autogenerated CA", false, "Elasticsearch"),
    ("CN=IOS-Self-Signed-Certificate-", true, "Cisco IOS"),
    ("CN=Kubernetes Ingress Controller Fake Certificate", false, "Kubernetes ingress controller"),
    ("CN=MySQL_Server_", true, "MySQL"),
    ("CN=NewMedia-NET GmbH", false, "DD-WRT"),
    ("CN=OpenWrt", false, "OpenWrt"),
    ("CN=Parallels Panel", false, "Plesk"),
    ("CN=Plesk", false, "Plesk"),
    ("CN=SSL_Self_Signed_Fallback", false, "Microsoft SQL Server"),
    ("CN=SplunkServerDefaultCert", false, "Splunk"),
    ("CN=TRAEFIK DEFAULT CERT", false, "Traefik"),
    ("CN=UBNT", true, "Ubiquiti device"),
    ("CN=UniFi", false, "Ubiquiti UniFi"),
    ("CN=fritz.box", false, "AVM FRITZ!Box"),
    ("CN=iDRAC6 default certificate", false, "Dell iDRAC"),
    ("CN=iDRAC7 default certificate", false, "Dell iDRAC"),
    ("CN=iDRACdefault", true, "Dell iDRAC"),
    ("CN=iLO Default Issuer (Do not trust)", false, "HP iLO"),
    ("CN=imap.example.com", false, "Dovecot's example"),
    ("CN=router.asus.com", false, "ASUS router"),
    ("CN=tplinkwifi.net", false, "TP-Link router"),
    ("O=Acme Co", false, "Go's example"),
    ("O=Citrix ANG", false, "Citrix NetScaler"),
    ("O=Default Company Ltd", false, "OpenSSL's example, as Red Hat has it"),
    ("O=Fortinet", false, "Fortinet appliance"),
    ("O=Fortinet Ltd.", false, "Fortinet appliance"),
    ("O=HTTPS Management Certificate for SonicWALL (self-signed)", false, "SonicWall firewall"),
    ("O=Internet Widgits Pty Ltd", false, "OpenSSL's example"),
    ("O=MyCompany", false, "F5 BIG-IP, or an example"),
    ("O=PVE Cluster Manager CA", false, "Proxmox VE"),
    ("O=Proxmox Virtual Environment", false, "Proxmox VE"),
    ("O=QNAP Systems Inc.", false, "QNAP NAS"),
    ("O=Snake Oil\\, Ltd", false, "mod_ssl's example"),
    ("O=SomeOrganization", false, "mod_ssl's example, as Red Hat has it"),
    ("O=SplunkUser", false, "Splunk"),
    ("O=Super Micro Computer", true, "Supermicro IPMI"),
    ("O=Synology Inc.", false, "Synology NAS"),
    ("O=Ubiquiti Networks Inc.", false, "Ubiquiti device"),
    ("O=WatchGuard_Technologies", false, "WatchGuard Firebox"),
    ("O=Webmin Webserver on ", true, "Webmin"),
    ("O=iXsystems", false, "TrueNAS"),
    ("O=pfSense GUI default Self-Signed Certificate", false, "pfSense"),
    ("O=pfSense webConfigurator Self-Signed Certificate", false, "pfSense"),
    ("OU=Automatically-generated IMAP SSL key", false, "Courier"),
    ("OU=Automatically-generated POP3 SSL key", false, "Courier"),
    ("OU=HP-IPG", false, "HP printer"),
    ("OU=Remote Access Group", false, "Dell iDRAC"),
    ("OU=VMware ESX Server Default Certificate", false, "VMware ESX"),
    ("OU=Zimbra Collaboration Server", false, "Zimbra"),
    ("OU=Zimbra Collaboration Suite", false, "Zimbra"),
    ("OU=iDRAC Group", false, "Dell iDRAC"),
    // Last, since products above write it too.
    ("CN=localhost", false, "an example or a test (localhost)"),
    ("CN=localhost.localdomain", false, "an example or a test (localhost)"),
];

fn server(facts: &Facts) -> Option<&[Arc<Certificate>]> {
    facts.certificates.as_deref()
}

/// Evidence of the first certificate in the chain that `is` so, and how many more are.
fn flagged(
    chain: &[Arc<Certificate>],
    is: impl Fn(usize, &Certificate) -> bool,
    describe: impl FnOnce(Evidence, &Certificate) -> Evidence,
) -> Option<Evidence> {
    let mut found = chain.iter().enumerate().filter(|(depth, certificate)| is(*depth, certificate));
    let (depth, certificate) = found.next()?;
    let others = Some(found.count()).filter(|others| *others > 0);
    let evidence = Evidence::of("depth", depth).with("subject", clip(&certificate.subject));
    Some(describe(evidence, certificate).with_some("others", others))
}

fn signed(chain: &[Arc<Certificate>], hashes: &[SignatureHash]) -> Option<Evidence> {
    flagged(
        chain,
        |_, certificate| !certificate.is_self_issued() && hashes.contains(&certificate.signature_hash),
        |evidence, certificate| evidence.with("signature", clip(&certificate.signature)),
    )
}

fn md2_md4(chain: &[Arc<Certificate>], _: &Facts, _: &Settings) -> Option<Evidence> {
    signed(chain, &[SignatureHash::Md2, SignatureHash::Md4])
}

fn md5(chain: &[Arc<Certificate>], _: &Facts, _: &Settings) -> Option<Evidence> {
    signed(chain, &[SignatureHash::Md5])
}

fn sha1(chain: &[Arc<Certificate>], _: &Facts, settings: &Settings) -> Option<Evidence> {
    let evidence = flagged(
        chain,
        |_, certificate| !certificate.is_self_issued() && certificate.signature_hash == SignatureHash::Sha1,
        |evidence, certificate| {
            evidence.with("signature", clip(&certificate.signature)).with("not_after", certificate.not_after)
        },
    )?;
    let is_private = settings.trust.as_ref().is_some_and(|trust| !is_anchored(chain, trust));
    Some(if is_private { evidence.at(Severity::Medium) } else { evidence })
}

fn keyed(chain: &[Arc<Certificate>], is: impl Fn(&PublicKey) -> bool) -> Option<Evidence> {
    flagged(
        chain,
        |_, certificate| is(&certificate.key),
        |evidence, certificate| evidence.with("key", clip(&certificate.key.to_string())),
    )
}

fn rsa_within(chain: &[Arc<Certificate>], range: std::ops::Range<u32>) -> Option<Evidence> {
    keyed(chain, |key| matches!(key, PublicKey::Rsa { bits, .. } if range.contains(bits)))
}

fn rsa_below_1024(chain: &[Arc<Certificate>], _: &Facts, _: &Settings) -> Option<Evidence> {
    rsa_within(chain, 0..1024)
}

fn rsa_below_2048(chain: &[Arc<Certificate>], _: &Facts, _: &Settings) -> Option<Evidence> {
    rsa_within(chain, 1024..2048)
}

fn rsa_below_3000(chain: &[Arc<Certificate>], _: &Facts, settings: &Settings) -> Option<Evidence> {
    rsa_within(chain, 0..if settings.rsa_3000 { 3000 } else { 0 })
}

fn ec_weak(chain: &[Arc<Certificate>], _: &Facts, _: &Settings) -> Option<Evidence> {
    keyed(chain, |key| match key {
        PublicKey::Ec { curve: None, .. } => true,
        PublicKey::Ec { bits, .. } => (1..224).contains(bits),
        _ => false,
    })
}

fn dsa(chain: &[Arc<Certificate>], _: &Facts, _: &Settings) -> Option<Evidence> {
    keyed(chain, |key| matches!(key, PublicKey::Dsa { .. }))
}

fn bad_exponent(chain: &[Arc<Certificate>], _: &Facts, _: &Settings) -> Option<Evidence> {
    let exponent = |certificate: &Certificate| match certificate.key {
        PublicKey::Rsa { exponent, .. } => Some(exponent),
        _ => None,
    };
    let of = |severity: Severity, is: &dyn Fn(usize, &Certificate, u64) -> bool| {
        let evidence = flagged(
            chain,
            |depth, certificate| exponent(certificate).is_some_and(|exponent| is(depth, certificate, exponent)),
            |evidence, certificate| {
                evidence.with_some("exponent", exponent(certificate).map(|exponent| exponent.to_string()))
            },
        )?;
        Some(evidence.at(severity))
    };
    // Exponents beyond 64 bits stand as u64::MAX, which is odd: what is known of them is that they are large.
    of(Severity::Critical, &|_, _, exponent| exponent == 1)
        .or_else(|| of(Severity::High, &|_, _, exponent| exponent % 2 == 0))
        .or_else(|| {
            of(Severity::Low, &|depth, certificate, exponent| {
                exponent < 65_537 && !(depth > 0 && certificate.is_self_issued())
            })
        })
}

fn known_weak(chain: &[Arc<Certificate>], _: &Facts, _: &Settings) -> Option<Evidence> {
    flagged(
        chain,
        |_, certificate| certificate.is_roca,
        |evidence, certificate| {
            evidence.with("test", "ROCA fingerprint").with("key", clip(&certificate.key.to_string()))
        },
    )
}

fn expired(chain: &[Arc<Certificate>], facts: &Facts, _: &Settings) -> Option<Evidence> {
    let now = clock(facts)?;
    dated(
        chain,
        |certificate| end(certificate).is_some_and(|end| now > end),
        |evidence, certificate| {
            evidence
                .with("not_after", certificate.not_after)
                .with("days", days(now.saturating_sub(certificate.not_after.as_seconds())))
        },
    )
}

fn not_yet_valid(chain: &[Arc<Certificate>], facts: &Facts, _: &Settings) -> Option<Evidence> {
    let now = clock(facts)?;
    dated(
        chain,
        |certificate| now < certificate.not_before.as_seconds(),
        |evidence, certificate| {
            evidence
                .with("not_before", certificate.not_before)
                .with("days", days(certificate.not_before.as_seconds().saturating_sub(now)))
        },
    )
}

/// The server's own certificate where it `is` so, else, at medium, an intermediate.
fn dated(
    chain: &[Arc<Certificate>],
    is: impl Fn(&Certificate) -> bool,
    describe: impl Fn(Evidence, &Certificate) -> Evidence,
) -> Option<Evidence> {
    let own = flagged(chain, |depth, certificate| depth == 0 && is(certificate), &describe);
    own.or_else(|| {
        let is_intermediate = |_, certificate: &Certificate| !certificate.is_self_issued() && is(certificate);
        flagged(chain, is_intermediate, &describe).map(|evidence| evidence.at(Severity::Medium))
    })
}

fn expiring_soon(facts: &Facts, settings: &Settings) -> Option<Evidence> {
    let leaf = facts.leaf()?;
    let (now, end) = (clock(facts)?, end(leaf)?);
    let left = end.checked_sub(now)?;
    let life = end.saturating_sub(leaf.not_before.as_seconds());
    (left < settings.expiring_within.as_secs() && left < life / 3).then(|| {
        Evidence::of("subject", clip(&leaf.subject)).with("not_after", leaf.not_after).with("days", days(left))
    })
}

fn validity_too_long(facts: &Facts, settings: &Settings) -> Option<Evidence> {
    /// Days allowed for what began at the time or later, the newest first.
    const LIMITS: [(u64, u64); 5] = [
        (1_868_227_200, 47),  // 2029-03-15
        (1_805_068_800, 100), // 2027-03-15
        (1_773_532_800, 200), // 2026-03-15
        (1_598_918_400, 398), // 2020-09-01
        (1_519_862_400, 825), // 2018-03-01
    ];
    let chain = server(facts)?;
    let leaf = chain.first()?;
    let (start, end) = (leaf.not_before.as_seconds(), end(leaf)?);
    let (_, limit) = LIMITS.into_iter().find(|(since, _)| start >= *since)?;
    // Both ends belong to it, and a day begun counts as one.
    let validity = end.checked_sub(start)?.saturating_add(1).div_ceil(DAY);
    if validity <= limit {
        return None;
    }
    let is_public =
        leaf.has_embedded_timestamps || settings.trust.as_ref().is_some_and(|trust| is_anchored(chain, trust));
    let evidence = Evidence::of("days", days(validity.saturating_mul(DAY)))
        .with("limit", days(limit.saturating_mul(DAY)))
        .with("not_before", leaf.not_before)
        .with("public", is_public);
    Some(if is_public { evidence } else { evidence.at(Severity::Info) })
}

fn name_mismatch(facts: &Facts, _: &Settings) -> Option<Evidence> {
    facts.offer.as_ref()?;
    let leaf = facts.leaf().filter(|leaf| leaf.problems.is_empty())?;
    let name = facts.hello.server_name.as_deref()?;
    // No address but ends in a digit or has a colon.
    let address = Some(name).filter(|name| name.ends_with(|last: char| last.is_ascii_digit()) || name.contains(':'));
    let matches = if let Some(address) = address.and_then(|name| name.parse::<IpAddr>().ok()) {
        leaf.ip_addresses().any(|each| each == address)
    } else if name.contains('\\') {
        // Not ASCII, or no name: what the client compares is not known.
        return None;
    } else {
        leaf.dns_names().any(|pattern| covers(pattern, name))
    };
    let common_name = leaf.common_name.as_deref().filter(|_| leaf.names.is_empty()).map(clip);
    (!matches).then(|| {
        Evidence::of("server_name", clip(name))
            .with("names", list(leaf.names.iter().map(|name| clip(name))))
            .with_some("common_name", common_name)
    })
}

/// Whether a dNSName covers a host name (RFC 9525 section 6.3): label by label in any case, `*` alone as the whole
/// left-most label standing for exactly one. Both are in ASCII, internationalised labels as A-labels.
pub(super) fn covers(pattern: &str, name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        return false;
    }
    match pattern.strip_prefix("*.") {
        Some(parent) => name.split_once('.').is_some_and(|(label, rest)| {
            !label.is_empty() && !parent.contains('*') && rest.eq_ignore_ascii_case(parent)
        }),
        None => !pattern.contains('*') && pattern.eq_ignore_ascii_case(name),
    }
}

fn self_signed(facts: &Facts, settings: &Settings) -> Option<Evidence> {
    let chain = server(facts)?;
    let leaf = chain.first().filter(|leaf| is_self_signed(leaf) && is_alone(chain))?;
    if settings.trust.as_ref().is_some_and(|trust| trust.contains(leaf)) {
        return None;
    }
    let evidence = Evidence::of("subject", clip(&leaf.subject))
        .with("not_after", leaf.not_after)
        .with("sha256", leaf.sha256.clone());
    const SMTP: u16 = 25;
    let is_compared = facts.selection.as_ref().is_some_and(|selection| selection.srtp_profile.is_some());
    Some(match facts.server.port() {
        _ if is_compared => evidence.at(Severity::Info),
        SMTP => evidence.at(Severity::Low),
        _ => evidence,
    })
}

/// Whether a certificate is its own issuer by name, and its key identifiers do not say that another key signed it.
fn is_self_signed(certificate: &Certificate) -> bool {
    let contradicts = match (&certificate.subject_key_id, &certificate.authority_key_id) {
        (Some(subject), Some(authority)) => subject != authority,
        _ => false,
    };
    certificate.is_self_issued() && !contradicts
}

/// Whether nothing but the first certificate was sent, be it several times.
fn is_alone(chain: &[Arc<Certificate>]) -> bool {
    chain.iter().zip(chain.iter().skip(1)).all(|(one, next)| one.sha256 == next.sha256)
}

fn chain_incomplete(facts: &Facts, settings: &Settings) -> Option<Evidence> {
    let chain = server(facts)?;
    let leaf = chain.first().filter(|leaf| lacks_issuer(leaf, chain))?;
    let trust = settings.trust.as_ref();
    if trust.is_some_and(|trust| trust.issued(leaf) || trust.contains(leaf)) {
        return None;
    }
    let evidence = Evidence::of("missing", clip(&leaf.issuer)).with("certificates", chain.len());
    let is_certain = trust.is_some() || leaf.has_embedded_timestamps;
    Some(if is_certain { evidence } else { evidence.at(Severity::Low) })
}

fn lacks_issuer(leaf: &Certificate, chain: &[Arc<Certificate>]) -> bool {
    !leaf.issuer_der.is_empty()
        && !leaf.is_self_issued()
        && !chain.iter().any(|certificate| certificate.subject_der == leaf.issuer_der)
}

fn untrusted_issuer(facts: &Facts, settings: &Settings) -> Option<Evidence> {
    let trust = settings.trust.as_ref()?;
    let chain = server(facts)?;
    let leaf = chain.first()?;
    if leaf.issuer_der.is_empty() || lacks_issuer(leaf, chain) || is_anchored(chain, trust) {
        return None;
    }
    let (depth, last) = issuers(chain).into_iter().next_back()?;
    Some(Evidence::of("issuer", clip(&last.issuer)).with("depth", depth))
}

/// Whether the chain leads to a root of `trust`.
fn is_anchored(chain: &[Arc<Certificate>], trust: &TrustStore) -> bool {
    issuers(chain).into_iter().any(|(_, certificate)| trust.contains(certificate) || trust.issued(certificate))
}

/// The first certificate and all that issued it, directly or not, by names and key identifiers, in the order they are
/// found. At most as many as there are: a chain has a few certificates.
fn issuers(chain: &[Arc<Certificate>]) -> Vec<(usize, &Certificate)> {
    let mut found: Vec<(usize, &Certificate)> = chain.first().map(|leaf| (0, leaf.as_ref())).into_iter().collect();
    let mut next = 0;
    while let Some((_, certificate)) = found.get(next).copied() {
        for (depth, issuer) in chain.iter().enumerate() {
            let key_fits = match (&issuer.subject_key_id, &certificate.authority_key_id) {
                (Some(key), Some(authority)) => key == authority,
                _ => true,
            };
            let is_issuer = !issuer.subject_der.is_empty() && issuer.subject_der == certificate.issuer_der && key_fits;
            if is_issuer && !found.iter().any(|(other, _)| *other == depth) {
                found.push((depth, issuer));
            }
        }
        next += 1;
    }
    found
}

fn key_usage_mismatch(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let usage = facts.leaf()?.key_usage?;
    let suite = facts.cipher_suite()?;
    let parts = suite.parts()?;
    let has_temporary_key = || {
        facts.key_exchange.as_ref().map(|exchange| matches!(exchange.parameters, KeyExchangeParameters::RsaExport(_)))
    };
    let is_signed = matches!(parts.authentication, Authentication::Rsa | Authentication::Dss | Authentication::Ecdsa);
    let (needed, name) = match parts.key_exchange {
        // An EXPORT suite uses a short key of the certificate itself, and signs a temporary one otherwise.
        KeyExchange::Rsa if parts.export && has_temporary_key().is_none() => return None,
        KeyExchange::Rsa if has_temporary_key() == Some(true) => (KeyUsage::DIGITAL_SIGNATURE, "digitalSignature"),
        KeyExchange::Rsa | KeyExchange::RsaPsk => (KeyUsage::KEY_ENCIPHERMENT, "keyEncipherment"),
        KeyExchange::Dh | KeyExchange::Ecdh => (KeyUsage::KEY_AGREEMENT, "keyAgreement"),
        KeyExchange::Dhe | KeyExchange::Ecdhe | KeyExchange::Srp if is_signed => {
            (KeyUsage::DIGITAL_SIGNATURE, "digitalSignature")
        }
        _ => return None,
    };
    (!usage.contains(needed))
        .then(|| Evidence::of("key_usage", Value::list(usages(usage))).with("needed", name).with("cipher_suite", suite))
}

fn usages(usage: KeyUsage) -> impl Iterator<Item = &'static str> {
    [
        (KeyUsage::DIGITAL_SIGNATURE, "digitalSignature"),
        (KeyUsage::CONTENT_COMMITMENT, "contentCommitment"),
        (KeyUsage::KEY_ENCIPHERMENT, "keyEncipherment"),
        (KeyUsage::DATA_ENCIPHERMENT, "dataEncipherment"),
        (KeyUsage::KEY_AGREEMENT, "keyAgreement"),
        (KeyUsage::KEY_CERT_SIGN, "keyCertSign"),
        (KeyUsage::CRL_SIGN, "cRLSign"),
    ]
    .into_iter()
    .filter(move |(each, _)| usage.contains(*each))
    .map(|(_, name)| name)
}

fn signature_not_offered(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let offer = facts.offer.as_ref()?;
    let offered = offer.signature_schemes_cert.as_deref().or(offer.signature_schemes.as_deref())?;
    if facts.version()?.tls_equivalent() != Version::TLS12 {
        return None;
    }
    let is_missing = |_, certificate: &Certificate| {
        let schemes = schemes(certificate);
        !certificate.is_self_issued()
            && schemes.is_some_and(|schemes| !schemes.iter().any(|each| offered.contains(each)))
    };
    flagged(server(facts)?, is_missing, |evidence, certificate| {
        let real = offered.iter().copied().filter(|scheme| !scheme.is_grease());
        evidence.with("signature", clip(&certificate.signature)).with("offered", list(real))
    })
}

/// The schemes of TLS that stand for the algorithm a certificate is signed with: none where TLS never had one, `None`
/// where that is not known.
fn schemes(certificate: &Certificate) -> Option<&'static [SignatureScheme]> {
    use SignatureScheme as S;
    if matches!(certificate.signature_hash, SignatureHash::Md2 | SignatureHash::Md4) {
        return Some(&[]);
    }
    Some(match certificate.signature.as_str() {
        "md5WithRSAEncryption" | "md5WithRSA" => &[S::RSA_PKCS1_MD5],
        "sha1WithRSAEncryption" | "sha1WithRSA" => &[S::RSA_PKCS1_SHA1],
        "sha224WithRSAEncryption" => &[S::RSA_PKCS1_SHA224],
        "sha256WithRSAEncryption" => &[S::RSA_PKCS1_SHA256],
        "sha384WithRSAEncryption" => &[S::RSA_PKCS1_SHA384],
        "sha512WithRSAEncryption" => &[S::RSA_PKCS1_SHA512],
        "dsa-with-SHA1" | "dsaWithSHA1" => &[S::DSA_SHA1],
        "dsa-with-SHA224" => &[S::DSA_SHA224],
        "dsa-with-SHA256" => &[S::DSA_SHA256],
        "dsa-with-SHA384" => &[S::DSA_SHA384],
        "dsa-with-SHA512" => &[S::DSA_SHA512],
        "ecdsa-with-SHA1" => &[S::ECDSA_SHA1],
        "ecdsa-with-SHA224" => &[S::ECDSA_SHA224],
        "ecdsa-with-SHA256" => &[S::ECDSA_SECP256R1_SHA256],
        "ecdsa-with-SHA384" => &[S::ECDSA_SECP384R1_SHA384],
        "ecdsa-with-SHA512" => &[S::ECDSA_SECP521R1_SHA512],
        // Which of the two it is depends on the issuer's key.
        "RSASSA-PSS with SHA256" => &[S::RSA_PSS_RSAE_SHA256, S::RSA_PSS_PSS_SHA256],
        "RSASSA-PSS with SHA384" => &[S::RSA_PSS_RSAE_SHA384, S::RSA_PSS_PSS_SHA384],
        "RSASSA-PSS with SHA512" => &[S::RSA_PSS_RSAE_SHA512, S::RSA_PSS_PSS_SHA512],
        "Ed25519" => &[S::ED25519],
        "Ed448" => &[S::ED448],
        "ML-DSA-44" => &[S::MLDSA44],
        "ML-DSA-65" => &[S::MLDSA65],
        "ML-DSA-87" => &[S::MLDSA87],
        _ => return None,
    })
}

fn client_weak(facts: &Facts, settings: &Settings) -> Option<Evidence> {
    let chain = facts.client_certificates.as_deref()?;
    let mut found: Vec<_> = WEAKNESSES
        .iter()
        .filter_map(|(id, name, severity, judge)| {
            let evidence = judge(chain, facts, settings)?;
            Some((evidence.severity().unwrap_or(*severity), *id, *name, evidence))
        })
        .collect();
    // The gravest first; the sort keeps the order of ids.
    found.sort_by_key(|(severity, ..)| std::cmp::Reverse(*severity));
    let also: Vec<&'static str> = found.iter().skip(1).map(|(_, id, ..)| *id).collect();
    let (severity, id, name, evidence) = found.into_iter().next()?;
    let mut made = Evidence::of("rule", id).with("name", name);
    if !also.is_empty() {
        made = made.with("also", Value::list(also));
    }
    for (name, value) in evidence.iter() {
        made = made.with(name, value.clone());
    }
    Some(made.at(severity.min(Severity::High)))
}

fn no_timestamps(facts: &Facts, settings: &Settings) -> Option<Evidence> {
    /// 2018-04-30: since then Chrome demands them.
    const DEMANDED: Timestamp = Timestamp::from_seconds(1_525_046_400);
    let extension = ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP;
    let trust = settings.trust.as_ref()?;
    let chain = server(facts)?;
    let leaf = chain.first().filter(|leaf| !leaf.has_embedded_timestamps && leaf.problems.is_empty())?;
    let came_apart = facts.selection.as_ref().is_none_or(|selection| selection.is_partial || selection.has(extension));
    let asked = facts.offer.as_ref()?.has(extension);
    let is_over = facts.progress.server_hello_done && facts.coverage.missing_bytes == 0;
    let is_judged = asked && is_over && !came_apart && !facts.certificate_status && leaf.not_before >= DEMANDED;
    (is_judged && is_anchored(chain, trust)).then(|| {
        Evidence::of("subject", clip(&leaf.subject))
            .with("issuer", clip(&leaf.issuer))
            .with("not_before", leaf.not_before)
    })
}

fn vendor_default(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let leaf = facts.leaf().filter(|leaf| !leaf.has_embedded_timestamps)?;
    let names = attributes(&leaf.subject).chain(attributes(&leaf.issuer));
    let attributes: SmallVec<[&str; 16]> = names.take(LISTED).collect();
    let (attribute, product) = VENDOR_DEFAULTS.iter().find_map(|(value, goes_on, product)| {
        let is_it = |attribute: &&&str| if *goes_on { attribute.starts_with(value) } else { **attribute == *value };
        Some((attributes.iter().find(is_it)?, *product))
    })?;
    Some(Evidence::of("product", product).with("attribute", clip(attribute)).with("subject", clip(&leaf.subject)))
}

/// The attributes of a name as RFC 4514 writes it, still escaped.
fn attributes(name: &str) -> impl Iterator<Item = &str> {
    let mut is_escaped = false;
    name.split(move |character| {
        let is_end = !is_escaped && matches!(character, ',' | '+');
        is_escaped = !is_escaped && character == '\\';
        is_end
    })
    .map(str::trim_start)
}

/// The packets' time in seconds, unless the capture's clock was never set.
fn clock(facts: &Facts) -> Option<u64> {
    Some(facts.started.as_seconds()).filter(|seconds| *seconds > DAY)
}

/// The last second of a certificate, unless it could not be read.
fn end(certificate: &Certificate) -> Option<u64> {
    (certificate.not_after > Timestamp::ZERO).then(|| certificate.not_after.as_seconds())
}

/// Whole days in so many seconds.
fn days(seconds: u64) -> i64 {
    i64::try_from(seconds / DAY).unwrap_or(i64::MAX)
}

/// A text a peer wrote, cut where it is long.
pub(super) fn clip(text: &str) -> String {
    const LONGEST: usize = 256;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::findings::testing::{
        Case, NOW, alert, change_offer, change_selection, check, check_with, hold, root, selected, set_extensions,
        set_server_extensions, tls12, tls13,
    };
    use crate::findings::{RuleSet, find};
    use crate::flow::facts::{CertificateRequestFacts, KeyExchangeFacts};
    use crate::tls::codepoints::CipherSuite;
    use crate::tls::test_data;
    use crate::tls::x509::{AlternativeName, BasicConstraints};

    /// A server's certificate with nothing wrong, as of November 2026; its issuer is [`intermediate`].
    fn leaf() -> Certificate {
        Certificate {
            subject: "CN=example.org".to_owned(),
            subject_der: b"example.org"[..].into(),
            issuer: "CN=Intermediate".to_owned(),
            issuer_der: b"Intermediate"[..].into(),
            version: 3,
            names: vec!["example.org".to_owned()],
            alternative_names: Some(vec![AlternativeName::Dns("example.org".to_owned())]),
            common_name: Some("example.org".to_owned()),
            not_before: before(30),
            not_after: after(60),
            key: PublicKey::Rsa { bits: 3072, exponent: 65_537 },
            signature: "sha256WithRSAEncryption".to_owned(),
            signature_hash: SignatureHash::Strong,
            sha256: "leaf".to_owned(),
            spki_sha256: "leaf's key".to_owned(),
            key_usage: Some(KeyUsage::DIGITAL_SIGNATURE),
            extended_key_usage: Some(vec!["serverAuth".to_owned()]),
            has_embedded_timestamps: true,
            ..Certificate::default()
        }
    }

    /// Issued by the root that is trusted in [`hold`].
    fn intermediate() -> Certificate {
        Certificate {
            subject: "CN=Intermediate".to_owned(),
            subject_der: b"Intermediate"[..].into(),
            issuer: "CN=Root".to_owned(),
            issuer_der: b"Root"[..].into(),
            version: 3,
            not_before: before(365),
            not_after: after(3650),
            key: PublicKey::Ec { curve: Some("P-384".to_owned()), bits: 384 },
            signature: "ecdsa-with-SHA384".to_owned(),
            signature_hash: SignatureHash::Strong,
            sha256: "intermediate".to_owned(),
            basic_constraints: Some(BasicConstraints { is_ca: true, path_length: Some(0) }),
            key_usage: Some(KeyUsage::KEY_CERT_SIGN),
            ..Certificate::default()
        }
    }

    fn before(days: u64) -> Timestamp {
        Timestamp::from_seconds(NOW.as_seconds() - days * DAY)
    }

    fn after(days: u64) -> Timestamp {
        Timestamp::from_seconds(NOW.as_seconds() + days * DAY)
    }

    fn chain<const N: usize>(certificates: [Certificate; N]) -> Facts {
        let mut facts = tls12();
        facts.certificates = Some(certificates.into_iter().map(Arc::new).collect());
        facts
    }

    /// The sound chain, its first certificate changed.
    fn with_leaf(change: impl FnOnce(&mut Certificate)) -> Facts {
        let mut leaf = leaf();
        change(&mut leaf);
        chain([leaf, intermediate()])
    }

    /// The sound chain, its second certificate changed.
    fn with_intermediate(change: impl FnOnce(&mut Certificate)) -> Facts {
        let mut intermediate = intermediate();
        change(&mut intermediate);
        chain([leaf(), intermediate])
    }

    fn sound() -> Facts {
        chain([leaf(), intermediate()])
    }

    fn with_key(key: PublicKey) -> Facts {
        with_leaf(|leaf| leaf.key = key)
    }

    fn rsa(bits: u32) -> Facts {
        with_key(PublicKey::Rsa { bits, exponent: 65_537 })
    }

    fn exponent(exponent: u64) -> Facts {
        with_key(PublicKey::Rsa { bits: 3072, exponent })
    }

    fn ec(curve: &str, bits: u32) -> Facts {
        with_key(PublicKey::Ec { curve: Some(curve.to_owned()), bits })
    }

    fn signed_with(signature: &str, hash: SignatureHash) -> Facts {
        with_leaf(|leaf| {
            leaf.signature = signature.to_owned();
            leaf.signature_hash = hash;
        })
    }

    fn lasting(start: Timestamp, end: Timestamp) -> Facts {
        with_leaf(|leaf| {
            leaf.not_before = start;
            leaf.not_after = end;
        })
    }

    fn self_issued() -> Certificate {
        let leaf = leaf();
        Certificate { issuer: leaf.subject.clone(), issuer_der: leaf.subject_der.clone(), ..leaf }
    }

    fn named(names: &[&str]) -> Facts {
        with_leaf(|leaf| {
            leaf.names = names.iter().map(|name| (*name).to_owned()).collect();
            leaf.alternative_names = Some(leaf.names.iter().cloned().map(AlternativeName::Dns).collect());
        })
    }

    fn client(certificates: &[Certificate]) -> Facts {
        let mut facts = sound();
        facts.certificate_request = Some(CertificateRequestFacts { certificate_types: vec![1, 64], authorities: 2 });
        facts.client_certificates = Some(certificates.iter().cloned().map(Arc::new).collect());
        facts
    }

    fn must_staple(asked: bool) -> Facts {
        let mut facts = with_leaf(|leaf| leaf.must_staple = true);
        change_offer(&mut facts, |offer| set_extensions(offer, if asked { &[10, 5, 13] } else { &[10, 13] }));
        facts
    }

    fn unlogged(server_extensions: &[u16]) -> Facts {
        let mut facts = with_leaf(|leaf| leaf.has_embedded_timestamps = false);
        change_offer(&mut facts, |offer| set_extensions(offer, &[10, 18, 13]));
        change_selection(&mut facts, |selection| set_server_extensions(selection, server_extensions));
        facts
    }

    fn subject(subject: &str) -> Facts {
        with_leaf(|leaf| {
            leaf.subject = subject.to_owned();
            leaf.has_embedded_timestamps = false;
        })
    }

    /// What [`hold`] trusts, for tests beside it.
    fn trusting() -> Settings {
        Settings { trust: Some(TrustStore::new([&root()])), ..Settings::default() }
    }

    /// How bad rule `id` says it is, by itself or by its evidence.
    fn severity(id: &str, facts: &Facts) -> Option<Severity> {
        check(id, facts).map(|evidence| evidence.severity().unwrap_or(find(id).unwrap().severity))
    }

    #[test]
    fn every_rule_reports_what_it_says_and_nothing_near_it() {
        use SignatureHash as H;
        hold(
            RULES,
            &[
                Case {
                    rule: "CERT001",
                    fires: || signed_with("md2WithRSAEncryption", H::Md2),
                    silent: || signed_with("md5WithRSAEncryption", H::Md5),
                },
                Case {
                    rule: "CERT002",
                    fires: || with_intermediate(|certificate| certificate.signature_hash = H::Md5),
                    silent: || chain([leaf(), intermediate(), Certificate { signature_hash: H::Md5, ..root() }]),
                },
                Case {
                    rule: "CERT003",
                    fires: || signed_with("sha1WithRSAEncryption", H::Sha1),
                    silent: || chain([leaf(), intermediate(), Certificate { signature_hash: H::Sha1, ..root() }]),
                },
                Case { rule: "CERT004", fires: || rsa(1023), silent: || rsa(1024) },
                Case { rule: "CERT005", fires: || rsa(1024), silent: || rsa(2048) },
                Case { rule: "CERT006", fires: || rsa(2048), silent: || rsa(3000) },
                Case { rule: "CERT007", fires: || ec("P-192", 192), silent: || ec("P-224", 224) },
                Case { rule: "CERT008", fires: || with_key(PublicKey::Dsa { bits: 2048 }), silent: sound },
                Case { rule: "CERT009", fires: || exponent(3), silent: || exponent(65_537) },
                Case { rule: "CERT010", fires: || with_leaf(|leaf| leaf.is_roca = true), silent: sound },
                Case {
                    rule: "CERT011",
                    fires: || with_leaf(|leaf| leaf.not_after = Timestamp::from_seconds(NOW.as_seconds() - 1)),
                    silent: || with_leaf(|leaf| leaf.not_after = NOW),
                },
                Case {
                    rule: "CERT012",
                    fires: || with_leaf(|leaf| leaf.not_before = Timestamp::from_seconds(NOW.as_seconds() + 1)),
                    silent: || with_leaf(|leaf| leaf.not_before = NOW),
                },
                Case {
                    rule: "CERT013",
                    fires: || lasting(before(335), after(29)),
                    silent: || lasting(before(335), after(30)),
                },
                Case {
                    rule: "CERT014",
                    fires: || lasting(before(30), after(170)),
                    silent: || lasting(before(30), Timestamp::from_seconds(after(170).as_seconds() - 1)),
                },
                Case { rule: "CERT015", fires: || named(&["www.example.org"]), silent: || named(&["Example.ORG"]) },
                Case {
                    rule: "CERT016",
                    fires: || with_leaf(|leaf| leaf.alternative_names = None),
                    silent: || with_leaf(|leaf| leaf.alternative_names = Some(Vec::new())),
                },
                Case { rule: "CERT017", fires: || named(&["example.org", "*.example.org"]), silent: sound },
                Case {
                    rule: "CERT018",
                    fires: || chain([self_issued()]),
                    silent: || chain([self_issued(), intermediate()]),
                },
                Case {
                    rule: "CERT019",
                    fires: || chain([leaf(), root()]),
                    silent: || chain([leaf(), root(), intermediate()]),
                },
                Case { rule: "CERT020", fires: || chain([leaf(), root(), intermediate()]), silent: sound },
                Case { rule: "CERT021", fires: || chain([leaf(), intermediate(), root()]), silent: sound },
                Case {
                    rule: "CERT022",
                    fires: || with_intermediate(|certificate| certificate.issuer_der = b"Other"[..].into()),
                    silent: sound,
                },
                Case { rule: "CERT023", fires: || with_leaf(|leaf| leaf.version = 1), silent: sound },
                Case {
                    rule: "CERT024",
                    fires: || with_leaf(|leaf| leaf.basic_constraints = intermediate().basic_constraints),
                    silent: || {
                        chain([Certificate { basic_constraints: intermediate().basic_constraints, ..self_issued() }])
                    },
                },
                Case {
                    rule: "CERT025",
                    fires: || with_leaf(|leaf| leaf.extended_key_usage = Some(vec!["clientAuth".to_owned()])),
                    silent: || with_leaf(|leaf| leaf.extended_key_usage = Some(vec!["anyExtendedKeyUsage".to_owned()])),
                },
                Case {
                    rule: "CERT026",
                    fires: || with_leaf(|leaf| leaf.key_usage = Some(KeyUsage::KEY_ENCIPHERMENT)),
                    silent: || with_leaf(|leaf| leaf.key_usage = None),
                },
                Case {
                    rule: "CERT029",
                    fires: || signed_with("sha512WithRSAEncryption", H::Strong),
                    silent: || signed_with("ecdsa-with-SHA256", H::Strong),
                },
                Case { rule: "CERT030", fires: || client(&[]), silent: sound },
                Case {
                    rule: "CERT031",
                    fires: || client(&[Certificate { is_roca: true, ..leaf() }]),
                    silent: || client(&[leaf()]),
                },
                Case { rule: "CERT032", fires: || client(&[]), silent: || client(&[leaf()]) },
                Case { rule: "CERT033", fires: || client(&[leaf()]), silent: || client(&[]) },
                Case { rule: "CERT034", fires: || must_staple(true), silent: || must_staple(false) },
                Case { rule: "CERT035", fires: || unlogged(&[23]), silent: || unlogged(&[23, 18]) },
                Case {
                    rule: "CERT036",
                    fires: || subject("CN=192.0.2.1, OU=Remote Access Group, O=Dell Inc."),
                    silent: || subject("CN=192.0.2.1, OU=Remote Access Group 2, O=Dell Inc."),
                },
                Case { rule: "CERT050", fires: tls13, silent: tls12 },
            ],
        );
    }

    #[test]
    fn a_sound_chain_sets_off_nothing() {
        let rules = RuleSet::of(RULES, Severity::Info, trusting());
        assert_eq!(rules.check_facts(&sound()), []);
    }

    #[test]
    fn nothing_is_said_of_a_certificate_of_which_nothing_could_be_read() {
        let rules = RuleSet::of(RULES, Severity::Info, trusting());
        assert_eq!(rules.check_facts(&chain([Certificate::from_der(b"no certificate")])), []);
    }

    #[test]
    fn real_certificates_are_judged_as_read() {
        let real = |name| chain([Certificate::from_der(&test_data::certificate(name))]);
        for (name, id, expected) in [
            ("roca", "CERT010", true),
            ("roca", "CERT005", true),
            ("roca", "CERT016", false),
            ("md5", "CERT010", false),
            ("md5", "CERT002", false),
            ("v1", "CERT023", true),
            ("v1", "CERT016", true),
            ("explicit", "CERT007", true),
            ("ec", "CERT007", false),
            ("dsa", "CERT008", true),
            ("full", "CERT018", true),
            ("full", "CERT017", true),
        ] {
            assert_eq!(check(id, &real(name)).is_some(), expected, "{name} {id}");
        }
    }

    #[test]
    fn evidence_names_the_certificate_by_its_depth() {
        let facts = with_intermediate(|certificate| certificate.signature_hash = SignatureHash::Md5);
        let evidence = check("CERT002", &facts).unwrap();
        assert_eq!(evidence.value("depth"), Some(&Value::Number(1)));
        assert_eq!(evidence.value("subject"), Some(&Value::from("CN=Intermediate")));
        assert_eq!(evidence.value("others"), None);
        let both = chain([Certificate { is_roca: true, ..leaf() }, Certificate { is_roca: true, ..intermediate() }]);
        let evidence = check("CERT010", &both).unwrap();
        assert_eq!(evidence.value("others"), Some(&Value::Number(1)));
        let long = with_leaf(|leaf| {
            leaf.version = 1;
            leaf.subject = "ü".repeat(1000);
        });
        let cut = Value::from(format!("{}…", "ü".repeat(256)));
        assert_eq!(check("CERT023", &long).unwrap().value("subject"), Some(&cut));
    }

    #[test]
    fn sha1_is_milder_where_the_issuer_is_known_to_be_private() {
        let facts = signed_with("sha1WithRSAEncryption", SignatureHash::Sha1);
        assert_eq!(severity("CERT003", &facts), Some(Severity::High));
        let severity = |facts: &Facts| check_with("CERT003", facts, &trusting()).unwrap().severity();
        assert_eq!(severity(&facts), None, "it leads to the root");
        let private = chain([Certificate { signature_hash: SignatureHash::Sha1, ..leaf() }]);
        assert_eq!(severity(&private), Some(Severity::Medium));
    }

    #[test]
    fn exponents_are_weighed() {
        for (value, expected) in [
            (1, Some(Severity::Critical)),
            (0, Some(Severity::High)),
            (65_536, Some(Severity::High)),
            (3, Some(Severity::Low)),
            (65_535, Some(Severity::Low)),
            (65_539, None),
            (u64::MAX, None),
        ] {
            assert_eq!(severity("CERT009", &exponent(value)), expected, "{value}");
        }
        let with_root = |exponent| {
            chain([leaf(), intermediate(), Certificate { key: PublicKey::Rsa { bits: 2048, exponent }, ..root() }])
        };
        assert_eq!(severity("CERT009", &with_root(3)), None, "clients have it already");
        assert_eq!(severity("CERT009", &with_root(1)), Some(Severity::Critical));
    }

    #[test]
    fn dates_are_the_packets_and_roots_have_none() {
        let facts = with_leaf(|leaf| leaf.not_after = before(35));
        assert_eq!(check("CERT011", &facts).unwrap().value("days"), Some(&Value::Number(35)));
        let mut unset = facts;
        unset.started = Timestamp::from_seconds(3600);
        assert_eq!((check("CERT011", &unset), check("CERT012", &unset)), (None, None), "a clock that was never set");

        let old = with_intermediate(|certificate| certificate.not_after = before(1));
        assert_eq!(severity("CERT011", &old), Some(Severity::Medium));
        let old_root = chain([leaf(), intermediate(), Certificate { not_after: before(1), ..root() }]);
        assert_eq!(check("CERT011", &old_root), None, "a root's dates are the client's matter");
        assert_eq!(check("CERT013", &with_leaf(|leaf| leaf.not_after = before(1))), None, "CERT011 says it");
    }

    #[test]
    fn short_lived_certificates_are_not_always_about_to_expire() {
        for (past, left, expected) in [(1, 6, false), (5, 2, true), (70, 20, true), (50, 40, false)] {
            assert_eq!(check("CERT013", &lasting(before(past), after(left))).is_some(), expected, "{left} days left");
        }
        let sixty = Settings { expiring_within: std::time::Duration::from_secs(60 * DAY), ..Settings::default() };
        assert!(check_with("CERT013", &lasting(before(300), after(59)), &sixty).is_some());
    }

    #[test]
    fn validity_is_limited_by_the_day_it_begins() {
        let of_days = |start: u64, days: u64| {
            lasting(Timestamp::from_seconds(start), Timestamp::from_seconds(start + days * DAY - 1))
        };
        for (start, limit) in [
            (1_519_862_400, 825),
            (1_598_918_399, 825),
            (1_598_918_400, 398),
            (1_773_532_799, 398),
            (1_773_532_800, 200),
            (1_805_068_800, 100),
            (1_868_227_200, 47),
        ] {
            assert_eq!(check("CERT014", &of_days(start, limit)), None, "{start}");
            let evidence = check("CERT014", &of_days(start, limit + 1)).unwrap();
            assert_eq!(evidence.value("limit"), Some(&Value::Number(limit.try_into().unwrap())));
        }
        assert_eq!(check("CERT014", &of_days(1_519_862_399, 5000)), None, "no limit in days then");

        let private = Certificate { has_embedded_timestamps: false, not_after: after(3650), ..leaf() };
        let private = chain([private, intermediate()]);
        assert_eq!(severity("CERT014", &private), Some(Severity::Info));
        assert_eq!(check_with("CERT014", &private, &trusting()).unwrap().severity(), None);
    }

    #[test]
    fn names_match_as_rfc_9525_has_them_match() {
        for (pattern, name) in [
            ("example.org", "example.org"),
            ("EXAMPLE.org", "example.ORG"),
            ("example.org", "example.org."),
            ("*.example.org", "www.example.org"),
            ("*.Example.org", "WWW.example.org."),
            ("*.example.org", "xn--bcher-kva.example.org"),
            ("xn--bcher-kva.example", "XN--bcher-kva.example"),
        ] {
            assert!(covers(pattern, name), "{pattern} covers {name}");
        }
        for (pattern, name) in [
            ("example.org", "www.example.org"),
            ("www.example.org", "example.org"),
            ("*.example.org", "example.org"),
            ("*.example.org", "a.b.example.org"),
            ("*.example.org", ".example.org"),
            ("www*.example.org", "www1.example.org"),
            ("*w.example.org", "www.example.org"),
            ("www.*.org", "www.example.org"),
            ("*.*.org", "www.example.org"),
            ("*.*.org", "www.*.org"),
            ("*", "example"),
            ("xn--*.example", "xn--bcher-kva.example"),
            ("example.org.", "example.org"),
            ("example.org", ""),
            ("", ""),
            ("*.", "example."),
        ] {
            assert!(!covers(pattern, name), "{pattern} does not cover {name}");
        }
    }

    #[test]
    fn a_server_name_is_compared_with_names_of_its_kind_and_never_with_the_common_name() {
        let asked = |name: &str, mut facts: Facts| {
            facts.hello.server_name = Some(name.to_owned());
            check("CERT015", &facts)
        };
        let addresses = || {
            with_leaf(|leaf| {
                leaf.names = vec!["192.0.2.1".to_owned(), "2001:db8::1".to_owned()];
                leaf.alternative_names =
                    Some(leaf.names.iter().map(|name| AlternativeName::Ip(name.parse().unwrap())).collect());
            })
        };
        assert_eq!(asked("192.0.2.1", addresses()), None);
        assert_eq!(asked("2001:db8:0::1", addresses()), None);
        assert!(asked("192.0.2.2", addresses()).is_some());
        assert!(asked("192.0.2.1", named(&["192.0.2.1"])).is_some(), "an address as dNSName is no address");
        assert_eq!(asked(r"b\xc3\xbccher.example", sound()), None, "what it is compared as is not known");

        let nameless = with_leaf(|leaf| {
            leaf.names.clear();
            leaf.alternative_names = None;
        });
        let evidence = check("CERT015", &nameless).unwrap();
        assert_eq!(evidence.value("common_name"), Some(&Value::from("example.org")));
        let mut unasked = named(&["other.example"]);
        unasked.hello.server_name = None;
        assert_eq!(check("CERT015", &unasked), None);
    }

    #[test]
    fn self_signed_certificates_are_told_from_others_of_their_own_name() {
        let mut facts = chain([self_issued()]);
        assert_eq!(severity("CERT018", &facts), Some(Severity::Medium));
        facts.server.set_port(25);
        assert_eq!(severity("CERT018", &facts), Some(Severity::Low));
        change_selection(&mut facts, |selection| selection.srtp_profile = Some(7));
        assert_eq!(severity("CERT018", &facts), Some(Severity::Info), "WebRTC");
        assert!(check("CERT018", &chain([self_issued(), self_issued()])).is_some(), "a copy is no chain");
        let [old, new] = ["a", "b"].map(|key| Some(key.to_owned()));
        let rekeyed = Certificate { subject_key_id: old, authority_key_id: new, ..self_issued() };
        assert_eq!(check("CERT018", &chain([rekeyed])), None, "another key of this name signed it");
        assert!(check("CERT018", &chain([root()])).is_some());
        assert_eq!(check_with("CERT018", &chain([root()]), &trusting()), None, "clients were given it");
    }

    #[test]
    fn a_missing_issuer_is_certain_only_where_it_cannot_be_a_root_that_clients_have() {
        let alone = || chain([leaf()]);
        let private = || chain([Certificate { has_embedded_timestamps: false, ..leaf() }]);
        assert_eq!(severity("CERT019", &alone()), Some(Severity::Medium));
        assert_eq!(severity("CERT019", &private()), Some(Severity::Low));
        assert_eq!(check_with("CERT019", &private(), &trusting()).unwrap().severity(), None);
        let direct = chain([Certificate { issuer_der: root().subject_der, ..leaf() }]);
        assert_eq!(check_with("CERT019", &direct, &trusting()), None);
        assert_eq!(check("CERT019", &chain([self_issued()])), None);
        assert_eq!(check_with("CERT022", &alone(), &trusting()), None, "CERT019 says it");
    }

    #[test]
    fn trust_is_off_without_roots_and_follows_any_way_to_one() {
        let other = || with_intermediate(|certificate| certificate.issuer_der = b"Other"[..].into());
        assert_eq!(check("CERT022", &other()), None);
        assert_eq!(check("CERT035", &unlogged(&[23])), None);
        let evidence = check_with("CERT022", &other(), &trusting()).unwrap();
        assert_eq!(evidence.value("depth"), Some(&Value::Number(1)));
        assert!(check_with("CERT022", &chain([self_issued()]), &trusting()).is_some());
        let crossed = Certificate { issuer_der: b"Other"[..].into(), ..intermediate() };
        assert_eq!(check_with("CERT022", &chain([leaf(), crossed, intermediate()]), &trusting()), None);
        // Two that issue each other lead nowhere, and end.
        let a = Certificate { issuer_der: b"B"[..].into(), ..intermediate() };
        let b = Certificate { issuer_der: b"Intermediate"[..].into(), subject_der: b"B"[..].into(), ..intermediate() };
        assert!(check_with("CERT022", &chain([leaf(), a, b]), &trusting()).is_some());
    }

    #[test]
    fn key_usage_is_held_against_what_the_suite_does() {
        let with = |suite, usage| {
            let mut facts = with_leaf(|leaf| leaf.key_usage = Some(usage));
            change_selection(&mut facts, |selection| selection.cipher_suite = Some(CipherSuite(suite)));
            facts.key_exchange = None;
            facts
        };
        let needed = |suite| {
            let evidence = check("CERT026", &with(suite, KeyUsage::default()))?;
            evidence.value("needed").cloned()
        };
        for (suite, expected) in [
            (0x009c, Some("keyEncipherment")),
            (0x00ac, Some("keyEncipherment")),
            (0xc02f, Some("digitalSignature")),
            (0xc02b, Some("digitalSignature")),
            (0x009e, Some("digitalSignature")),
            (0xc004, Some("keyAgreement")),
            (0x00a6, None),
            (0x00a8, None),
            (0xc035, None),
            (0x0003, None),
        ] {
            assert_eq!(needed(suite), expected.map(Value::from), "{suite:04x}");
        }
        let mut export = with(0x0003, KeyUsage::KEY_ENCIPHERMENT);
        export.key_exchange =
            Some(KeyExchangeFacts { parameters: KeyExchangeParameters::RsaExport(512), signature_scheme: None });
        assert!(check("CERT026", &export).is_some(), "the temporary key is signed");
    }

    #[test]
    fn the_list_for_certificates_outranks_the_other_and_counts_in_tls12_only() {
        let facts = || signed_with("sha1WithRSAEncryption", SignatureHash::Sha1);
        assert!(check("CERT029", &facts()).is_some());
        let mut listed = facts();
        change_offer(&mut listed, |offer| {
            offer.signature_schemes_cert = Some([0x0201, 0x0503].map(SignatureScheme).to_vec());
        });
        assert_eq!(check("CERT029", &listed), None);
        let mut old = facts();
        change_selection(&mut old, |selection| selection.version = Version::TLS11);
        assert_eq!(check("CERT029", &old), None);
        assert!(check("CERT029", &signed_with("md2WithRSAEncryption", SignatureHash::Md2)).is_some());
        assert_eq!(check("CERT029", &signed_with("1.2.3.4", SignatureHash::Unknown)), None);
        let mut mute = facts();
        change_offer(&mut mute, |offer| offer.signature_schemes = None);
        assert_eq!(check("CERT029", &mute), None);
    }

    #[test]
    fn clients_certificates_are_judged_as_servers_are_and_no_graver_than_high() {
        let weak = Certificate { key: PublicKey::Rsa { bits: 512, exponent: 3 }, not_after: before(1), ..leaf() };
        let evidence = check("CERT031", &client(&[weak])).unwrap();
        assert_eq!(evidence.value("rule"), Some(&Value::from("CERT004")));
        assert_eq!(evidence.value("also"), Some(&Value::list(["CERT011", "CERT009"])));
        assert_eq!(evidence.value("key"), Some(&Value::from("RSA 512")));
        assert_eq!(evidence.severity(), Some(Severity::High));
        let small = Certificate { key: PublicKey::Rsa { bits: 3072, exponent: 3 }, ..leaf() };
        assert_eq!(severity("CERT031", &client(&[small])), Some(Severity::Low));
        let evidence = check("CERT025", &client(&[leaf()])).unwrap();
        assert_eq!(evidence.value("side"), Some(&Value::Side(Side::Client)));
    }

    #[test]
    fn ssl3_clients_say_by_alert_that_they_have_no_certificate() {
        let mut facts = client(&[]);
        facts.client_certificates = None;
        assert_eq!(check("CERT032", &facts), None);
        facts.alerts.push(alert(Side::Client, 41));
        assert!(check("CERT032", &facts).is_some());
        facts.certificate_request = None;
        assert_eq!(check("CERT032", &facts), None, "nobody asked");
    }

    #[test]
    fn what_is_missing_from_a_flight_needs_the_whole_flight() {
        let spoilers: [fn(&mut Facts); 3] = [
            |facts| facts.progress.server_hello_done = false,
            |facts| facts.coverage.missing_bytes = 1,
            |facts| facts.certificate_status = true,
        ];
        for spoil in spoilers {
            let (mut staple, mut timestamps) = (must_staple(true), unlogged(&[23]));
            spoil(&mut staple);
            spoil(&mut timestamps);
            assert_eq!(check("CERT034", &staple), None);
            assert_eq!(check_with("CERT035", &timestamps, &trusting()), None);
        }
    }

    #[test]
    fn vendors_are_told_by_whole_attributes() {
        for (name, product) in [
            ("CN=localhost, O=iXsystems, C=US", "TrueNAS"),
            ("CN=IOS-Self-Signed-Certificate-1234567890", "Cisco IOS"),
            (r"CN=www.example.com+OU=a\, b, O=Snake Oil\, Ltd, C=XY", "mod_ssl's example"),
            ("C=US, CN=localhost", "an example or a test (localhost)"),
        ] {
            let evidence = check("CERT036", &subject(name)).unwrap_or_default();
            assert_eq!(evidence.value("product"), Some(&Value::from(product)), "{name}");
        }
        for name in ["CN=localhost.example.org", "CN=O=Acme Co", r"O=Fortinet\, Inc.", r"CN=a\, CN=localhost", ""] {
            assert_eq!(check("CERT036", &subject(name)), None, "{name}");
        }
        let issued = with_leaf(|leaf| {
            leaf.issuer = "CN=Default Issuer (Do not trust), OU=ISS".to_owned();
            leaf.has_embedded_timestamps = false;
        });
        assert_eq!(check("CERT036", &issued).unwrap().value("product"), Some(&Value::from("HP iLO")));
    }

    #[test]
    fn what_cannot_be_seen_is_said_to_be_unknown() {
        let reason = |facts: &Facts| check("CERT050", facts).and_then(|evidence| evidence.value("reason").cloned());
        let mut resumed = tls12();
        resumed.resumed = Some(true);
        assert_eq!(reason(&resumed), Some(Value::from("the session was resumed")));
        let mut quic = tls13();
        quic.carrier = Carrier::Quic;
        assert_eq!(reason(&quic), Some(Value::from("QUIC encrypts it")));
        assert_eq!(reason(&sound()), None);
        assert_eq!(reason(&selected(Version::TLS12, 0x00a8)), None, "a pre-shared key needs none");
        quic.selection = None;
        assert_eq!(reason(&quic), None, "nothing was selected");
    }
}
