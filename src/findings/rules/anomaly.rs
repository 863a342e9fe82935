//! `ANOM`: anomalies.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::super::{Check, Documentation, Evidence, Family, Identity, Rule, Settings, Severity, Value};
use super::list;
use crate::flow::facts::{Carrier, SeenExtension, Side};
use crate::flow::{Facts, Offer, Outcome};
use crate::labels::{self, Kind};
use crate::tls::codepoints::{
    CipherSuite, ExtensionType as Ext, ProtocolVersion as Version, SignatureScheme, Status, is_grease,
};

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "ANOM001",
        name: "sni-absent",
        family: Family::Anomaly,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "A client whose maximum is TLS 1.2 or above sends no server_name, over TCP or QUIC, to another \
                      port than 25.",
            why: "Every current client names the server it wants. One that does not is old, a scanner, a device that \
                  connects to a bare address (which must not be sent as a name), or software that hides. Servers with \
                  several names give it the default certificate, or refuse it.",
            evidence: "`maximum`: the client's highest version. Check that 0 is not among the extensions of the \
                       record's client_hello.",
            action: "Identify the client by its fingerprint. Configure it with the server's name instead of its \
                     address.",
            references: &["RFC 6066 section 3", "RFC 9325 section 3.7", "RFC 9846 section 9.2"],
        },
        check: Check::Flow(sni_absent),
    },
    Rule {
        id: "ANOM002",
        name: "sni-ip-literal",
        family: Family::Anomaly,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The name in server_name is an IP address, or no DNS host name by its syntax: 1 to 63 letters, \
                      digits, hyphens and underscores between dots, 253 bytes at most.",
            why: "Server names are DNS names only. A server cannot match such a name to a certificate and may refuse \
                  it. It is the mark of software that builds its hello by hand.",
            evidence: "`kind`: `ip_address` or `malformed`. The name as sent is the record's `sni`.",
            action: "Configure the client with the server's DNS name, or update it.",
            references: &["RFC 6066 section 3"],
        },
        check: Check::Flow(sni_ip_literal),
    },
    Rule {
        id: "ANOM003",
        name: "grease-in-server",
        family: Family::Anomaly,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server selects or sends a GREASE value: as version, suite, group, extension, signature \
                      scheme or application protocol, in its ServerHello, HelloRetryRequest or ServerKeyExchange.",
            why: "Clients send these values to make sure that servers ignore what they do not know. A server that \
                  takes one up copies from the hello without understanding it, and every client that sends GREASE must \
                  refuse it.",
            evidence: "`values`: what was taken up, each with the place it stands in.",
            action: "Update or replace the server, or the middlebox that answers in its place.",
            references: &["RFC 8701 section 3"],
        },
        check: Check::Negotiation(grease_in_server),
    },
    Rule {
        id: "ANOM004",
        name: "duplicate-extension",
        family: Family::Anomaly,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "A ClientHello or ServerHello carries the same extension type more than once.",
            why: "Forbidden in every version. Two readers may take two different ones for the real one, which is a way \
                  around inspection. No common library sends it; fuzzers and hand-made hellos do.",
            evidence: "`client`: the types that come twice in the ClientHello (or in the one after a \
                       HelloRetryRequest). `server`: those in the ServerHello.",
            action: "Identify the software by its fingerprint and its address.",
            references: &["RFC 9846 section 4.3", "RFC 8446 section 4.2", "RFC 5246 section 7.4.1.4"],
        },
        check: Check::Negotiation(duplicate_extension),
    },
    Rule {
        id: "ANOM005",
        name: "malformed-hello",
        family: Family::Anomaly,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "A hello, or another handshake message in clear, contradicts itself: a length that goes past what \
                      holds it, bytes left over, a list of half a value, a message that the suite does not have; or it \
                      is longer than is followed (128 KiB unless set). Bytes that the capture misses are not reported \
                      here.",
            why: "The peer must refuse it with decode_error. It comes from fuzzers, exploits and faulty stacks. No \
                  fingerprint is made of such a hello.",
            evidence: "`from`: who sent it. `structure`: what does not hold, in the RFC's words. `reason`: what does \
                       not fit. `length`: the bytes of the message. `count`: how many such messages the flow has; the \
                       first is shown.",
            action: "Identify the sender. See whether the peer refused.",
            references: &["RFC 9846 sections 3 and 6.2", "RFC 5246 section 7.2.2"],
        },
        check: Check::Flow(malformed_hello),
    },
    Rule {
        id: "ANOM006",
        name: "hello-split-records",
        family: Family::Anomaly,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "On TCP: the ClientHello is spread over more TLS records than its length needs (16384 bytes fit \
                      in one), or a packet that holds a part of it, and not its end, carries fewer than 64 bytes.",
            why: "Inspection that does not put records and segments together again does not see the server name. Tools \
                  that circumvent filters cut hellos for that reason; some stacks and tests do it without.",
            evidence: "`records`: TLS records the hello lay in. `packets`: packets it lay in. `smallest_packet`: the \
                       fewest bytes that a packet with a part of it, other than the last, carried; absent where it lay \
                       in one. `length`: bytes of the message.",
            action: "None by itself. Identify the client where filters are meant to hold.",
            references: &["RFC 9846 section 5.1"],
        },
        check: Check::Flow(hello_split_records),
    },
    Rule {
        id: "ANOM007",
        name: "tls-on-odd-port",
        family: Family::Anomaly,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "A server speaks TLS, over TCP or QUIC, on a port that is not in the configured list, nor one \
                      where plain text is customarily upgraded (STARTTLS). Where only the client's direction was \
                      captured, its hello is enough. Not reported where the TLS server opened the connection: its port \
                      is no service then.",
            why: "A service nobody inventoried: an administrative interface, a development server, a tunnel, malware. \
                  It is missed when versions are switched off by a list of services.",
            evidence: "`port`: the server's port. A tunnel through a proxy (CONNECT) shows the proxy's port.",
            action: "Find out which service it is; add the port to the list if it is meant to be there.",
            references: &["IANA Service Name and Transport Protocol Port Number Registry"],
        },
        check: Check::Flow(tls_on_odd_port),
    },
    Rule {
        id: "ANOM008",
        name: "non-tls-on-tls-port",
        family: Family::Anomaly,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "On a port of the configured list, where TLS is expected from the first byte: the server's answer \
                      to a ClientHello is not TLS. A client that itself speaks plain text on such a port begins no \
                      handshake and is not reported here.",
            why: "The service is not protected, or is another one than the port says: TLS was left out of its \
                  configuration, or the port was reused.",
            evidence: "`port`: the server's port. `answer`: the first bytes the server sent, at most 16, printable or \
                       escaped; absent where they were not kept. `protocol`: what they look like: `http`, `ssh`, \
                       `smtp_or_ftp`, `imap` or `pop3`; absent where they look like none.",
            action: "Switch TLS on for the service, or move it to the port its protocol has.",
            references: &["IANA Service Name and Transport Protocol Port Number Registry"],
        },
        check: Check::Flow(non_tls_on_tls_port),
    },
    Rule {
        id: "ANOM009",
        name: "tcp-overlap-conflict",
        family: Family::Anomaly,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "Segments (or CRYPTO frames, or fragments) that overlap carry different bytes, within the \
                      handshake's first bytes of a direction.",
            why: "A sound stack sends the same bytes again. Two readings of one stream are a way to show an inspector \
                  one hello and the server another, or the mark of an injected packet. The record follows the bytes \
                  that came first.",
            evidence: "`offset`: where the first differing byte stands, counted from the first byte followed in its \
                       direction.",
            action: "Look at both packets in the capture: their time, TTL and IP id tell which of them was injected.",
            references: &[
                "Ptacek and Newsham, Insertion, Evasion and Denial of Service (1998)",
                "RFC 9293 section 3.10.7.4",
            ],
        },
        check: Check::Flow(tcp_overlap_conflict),
    },
    Rule {
        id: "ANOM010",
        name: "ja4-alpn-mismatch",
        family: Family::Anomaly,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The ClientHello has the version, suites, extensions and signature schemes of a browser, by the \
                      labels known, but other protocols in ALPN than any capture of that browser shows, or GREASE \
                      where it sends none, or none where it does. Not reported where the hello may also be of other \
                      software than browsers, and where ALPN is http/1.1 alone, which browsers offer for WebSocket.",
            why: "A browser's hello is not configured by hand. One that is a browser's but for its ALPN or GREASE is \
                  most likely of a program that copies the browser to pass for it: a scraper, a bot, malware. Or the \
                  label is out of date, or names one use of the browser only: connections for other than web pages \
                  may go without ALPN.",
            evidence: "`ja4`: the hello's JA4. `label`: the browsers whose hello it resembles. `alpn` and \
                       `label_alpn`: the protocols offered and those of the label, `-` for none; where they differ. \
                       `grease` and `label_grease`: whether the hello has GREASE values and whether the label's have; \
                       where they differ. Compare ja4_r with that of a hello of the browser itself.",
            action: "Ask what runs on the client's address. Where it is the browser, add a label made from its \
                     capture (`handprint fingerprint --write-labels`).",
            references: &[
                "https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md",
                "RFC 7301 section 3.1",
                "RFC 8701 section 3.1",
            ],
        },
        check: Check::Identity(contradicts_label),
    },
    Rule {
        id: "ANOM015",
        name: "legacy-stack",
        family: Family::Anomaly,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The ClientHello has no extension at all, or its maximum is TLS 1.0 or below and every suite in \
                      it has static RSA key exchange, RC4, or a cipher of 64-bit blocks (3DES, DES, RC2, IDEA).",
            why: "That is the hello of Windows XP, Java 6, OpenSSL 0.9.8 or an embedded device of that age. Nothing \
                  that it speaks is left once RC4, 3DES and static RSA are switched off. A scanner's hand-made hello \
                  may look the same.",
            evidence: "`sign`: `no_extensions`, `legacy_suites` or `both`. `maximum`: its highest version.",
            action: "Update the device's firmware or operating system, or put a proxy in front of it, before the \
                     server changes.",
            references: &["RFC 8996", "RFC 7465", "RFC 10015"],
        },
        check: Check::Offer(legacy_stack),
    },
    Rule {
        id: "ANOM016",
        name: "extension-unknown",
        family: Family::Anomaly,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "A hello carries an extension type that IANA has not assigned, that is no GREASE, outside the \
                      private range, and that no software known here uses.",
            why: "A new draft, a private protocol, a fuzzer, or this program's data is old.",
            evidence: "`client`: such types in the ClientHello. `server`: those in the ServerHello. Their lengths are \
                       in the record.",
            action: "None. Identify the software.",
            references: &["IANA TLS ExtensionType Values", "RFC 8701"],
        },
        check: Check::Negotiation(extension_unknown),
    },
    Rule {
        id: "ANOM017",
        name: "record-version-odd",
        family: Family::Anomaly,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "On TCP: the version in the record in front of the ClientHello is neither 0x0301 nor 0x0303.",
            why: "The field says nothing of the versions offered. 0x0301 is what nearly every stack writes, for old \
                  servers. 0x0300 marks a stack of the time of SSL 3.0, 0x0302 a few of their own mind; above 0x0303 \
                  is forbidden, and the mark of hand-made hellos.",
            evidence: "`record_version`: the value.",
            action: "None. Identify the stack.",
            references: &["RFC 9846 section 5.1", "RFC 5246 appendix E.1"],
        },
        check: Check::Flow(record_version_odd),
    },
    Rule {
        id: "ANOM018",
        name: "direction-flipped",
        family: Family::Anomaly,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The side that opened the TCP connection is the TLS server: the ClientHello came from the side \
                      that accepted.",
            why: "Some protocols do this by design (FTP data connections, where the roles follow the control \
                  connection). Elsewhere it is a reverse connection, as remote administration and malware make. Tools \
                  that take the opener for the client confuse the two sides here; client and server in this record \
                  follow the ClientHello.",
            evidence: "`opened_by`: the side that sent the SYN.",
            action: "Check that the service is known to do this.",
            references: &["RFC 4217 section 7"],
        },
        check: Check::Flow(direction_flipped),
    },
];

/// Ports where plain text is customarily upgraded to TLS: FTP, SMTP, POP3, NNTP, IMAP, LDAP, submission, ACAP, TDS,
/// MySQL, sieve, XMPP, PostgreSQL, VNC, IRC and others.
const UPGRADE_PORTS: [u16; 20] =
    [21, 25, 110, 119, 143, 389, 433, 587, 674, 1433, 2525, 3268, 3306, 4190, 5222, 5269, 5432, 5900, 6666, 6667];

/// What browsers offer for WebSocket (RFC 6455), whatever they offer for pages.
const WEBSOCKET_ALPN: &str = "http/1.1";

/// A packet with fewer bytes of a hello than this is tiny.
const TINY: u16 = 64;
/// Bytes of a handshake message that one record can hold.
const RECORD: u32 = 1 << 14;

fn sni_absent(facts: &Facts, _: &Settings) -> Option<Evidence> {
    const SMTP: u16 = 25;
    let offer = facts.offer.as_deref()?;
    let expected = matches!(facts.carrier, Carrier::Tcp | Carrier::Quic)
        && facts.server.port() != SMTP
        && offer.maximum_version().order() >= Version::TLS12.order();
    (expected && !offer.has(Ext::SERVER_NAME)).then(|| Evidence::of("maximum", offer.maximum_version()))
}

fn sni_ip_literal(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let name = facts.hello.server_name.as_deref().filter(|_| facts.hello.server_name_is_odd)?;
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    let kind = if bare.parse::<IpAddr>().is_ok() { "ip_address" } else { "malformed" };
    Some(Evidence::of("kind", kind))
}

fn grease_in_server(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let mut values: Vec<Value> = Vec::new();
    let mut note = |place: &'static str, value: u16| {
        if is_grease(value) {
            values.push(format!("{place} 0x{value:04x}").into());
        }
    };
    if let Some(retry) = &facts.hello_retry {
        note("retry version", retry.version.0);
        note("retry cipher_suite", retry.cipher_suite.0);
        note("retry group", retry.group.map_or(0, |group| group.0));
    }
    if let Some(selection) = &facts.selection {
        note("version", selection.version.0);
        note("cipher_suite", selection.cipher_suite.unwrap_or_default().0);
        for seen in selection.extensions.iter().flatten() {
            note("extension", seen.extension_type.0);
        }
        if let Some([a, b]) = selection.alpn.as_deref() {
            note("protocol", u16::from_be_bytes([*a, *b]));
        }
    }
    note("group", facts.group().map_or(0, |group| group.0));
    let scheme = facts.key_exchange.as_ref().and_then(|exchange| exchange.signature_scheme);
    note("signature_scheme", scheme.unwrap_or(SignatureScheme(0)).0);
    (!values.is_empty()).then(|| Evidence::of("values", Value::List(values)))
}

fn duplicate_extension(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let of_offer = |offer: &Offer| duplicates(offer.extensions.as_deref().unwrap_or_default());
    let client = facts.offer.as_deref().and_then(of_offer).or_else(|| facts.second_offer.as_deref().and_then(of_offer));
    let server = facts.selection.as_ref().and_then(|selection| duplicates(selection.extensions.as_deref()?));
    of_sides(client, server)
}

/// The types that come more than once, each once.
fn duplicates(extensions: &[SeenExtension]) -> Option<Value> {
    let mut types: SmallVec<[Ext; 64]> = extensions.iter().map(|seen| seen.extension_type).collect();
    types.sort_unstable();
    let mut twice: Vec<Ext> =
        types.iter().zip(types.iter().skip(1)).filter(|(one, next)| one == next).map(|(one, _)| *one).collect();
    twice.dedup();
    (!twice.is_empty()).then(|| Value::list(twice))
}

fn contradicts_label(offer: &Offer, identity: &Identity<'_>) -> Option<Evidence> {
    let alpn = labels::alpn_of(offer).filter(|alpn| alpn != WEBSOCKET_ALPN);
    let grease = labels::has_grease(offer);
    let mut titles: Vec<String> = Vec::new();
    let mut evidence = Evidence::of("ja4", identity.fingerprints.ja4.hash().to_owned());
    for label in identity.labels.kin(identity.fingerprints) {
        let other_alpn = label.alpn.as_ref().zip(alpn.as_ref()).filter(|(labelled, offered)| labelled != offered);
        let other_grease = label.grease.filter(|labelled| *labelled != grease);
        if label.kind != Kind::Browser || (other_alpn.is_none() && other_grease.is_none()) {
            return None;
        }
        if titles.is_empty() {
            if let Some((labelled, offered)) = other_alpn {
                evidence = evidence.with("alpn", offered.clone()).with("label_alpn", labelled.clone());
            }
            if let Some(labelled) = other_grease {
                evidence = evidence.with("grease", grease).with("label_grease", labelled);
            }
        }
        let title = label.title();
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    (!titles.is_empty()).then(|| evidence.with("label", list(titles)))
}

fn malformed_hello(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let problem = facts.problems.first()?;
    Some(
        Evidence::of("from", problem.from)
            .with("structure", problem.structure)
            .with("reason", problem.reason)
            .with("length", problem.length)
            .with("count", facts.problems.len()),
    )
}

fn hello_split_records(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let hello = &facts.hello;
    if facts.offer.is_none() || facts.carrier != Carrier::Tcp {
        return None;
    }
    let smallest = (hello.smallest_packet > 0).then_some(hello.smallest_packet);
    let spread = hello.records > 1 && u32::from(hello.records) > hello.length.div_ceil(RECORD);
    (spread || smallest.is_some_and(|bytes| bytes < TINY)).then(|| {
        Evidence::of("records", hello.records)
            .with("packets", hello.packets)
            .with_some("smallest_packet", smallest)
            .with("length", hello.length)
    })
}

fn tls_on_odd_port(facts: &Facts, settings: &Settings) -> Option<Evidence> {
    let port = facts.server.port();
    let expected = settings.tls_ports.contains(&port) || UPGRADE_PORTS.contains(&port);
    // DTLS ports are agreed upon by the applications; a server that answers nothing, or no TLS, does not speak it.
    let speaks_tls = matches!(facts.carrier, Carrier::Tcp | Carrier::Quic)
        && (facts.selection.is_some()
            || facts.hello_retry.is_some()
            || facts.alerts.iter().any(|alert| alert.from == Side::Server)
            || (facts.offer.is_some() && !facts.coverage.server_seen));
    (speaks_tls && !expected && !facts.coverage.flipped && !facts.coverage.midstream)
        .then(|| Evidence::of("port", port))
}

fn non_tls_on_tls_port(facts: &Facts, settings: &Settings) -> Option<Evidence> {
    let port = facts.server.port();
    if facts.outcome != Outcome::NotTls || !settings.tls_ports.contains(&port) {
        return None;
    }
    let answer = facts.foreign_answer.as_slice();
    let text = (!answer.is_empty()).then(|| answer.escape_ascii().to_string());
    Some(Evidence::of("port", port).with_some("answer", text).with_some("protocol", guess(answer)))
}

/// The protocol that `answer` begins a reply of.
fn guess(answer: &[u8]) -> Option<&'static str> {
    match answer {
        [b'H', b'T', b'T', b'P', b'/', ..] => Some("http"),
        [b'S', b'S', b'H', b'-', ..] => Some("ssh"),
        [b'+', b'O', b'K', ..] | [b'-', b'E', b'R', b'R', ..] => Some("pop3"),
        [b'*', b' ', b'O' | b'B' | b'P', ..] => Some("imap"),
        [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..] => Some("smtp_or_ftp"),
        _ => None,
    }
}

fn tcp_overlap_conflict(facts: &Facts, _: &Settings) -> Option<Evidence> {
    facts.coverage.overlap_conflict.map(|offset| Evidence::of("offset", offset))
}

fn legacy_stack(offer: &Offer) -> Option<Evidence> {
    let maximum = offer.maximum_version();
    let bare = offer.extensions.as_deref().is_none_or(<[SeenExtension]>::is_empty);
    let old = |suite: CipherSuite| suite.is_static_rsa() || suite.is_rc4() || suite.is_64_bit_block();
    let legacy_suites = maximum.order() <= Version::TLS10.order()
        && offer.real_suites().next().is_some()
        && offer.real_suites().all(old);
    let sign = match (bare, legacy_suites) {
        (true, true) => "both",
        (true, false) => "no_extensions",
        (false, true) => "legacy_suites",
        (false, false) => return None,
    };
    Some(Evidence::of("sign", sign).with("maximum", maximum))
}

fn extension_unknown(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let client = facts.offer.as_ref().and_then(|offer| unassigned(offer.extensions.as_deref()?));
    let server = facts.selection.as_ref().and_then(|selection| unassigned(selection.extensions.as_deref()?));
    of_sides(client, server)
}

fn unassigned(extensions: &[SeenExtension]) -> Option<Value> {
    let unknown: Vec<Ext> = extensions
        .iter()
        .map(|seen| seen.extension_type)
        .filter(|extension| extension.status() == Status::Unassigned)
        .collect();
    (!unknown.is_empty()).then(|| Value::list(unknown))
}

fn record_version_odd(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let version = facts.hello.record_version.filter(|_| facts.offer.is_some() && facts.carrier == Carrier::Tcp)?;
    (!matches!(version, Version::TLS10 | Version::TLS12)).then(|| Evidence::of("record_version", version))
}

fn direction_flipped(facts: &Facts, _: &Settings) -> Option<Evidence> {
    facts.coverage.flipped.then(|| Evidence::of("opened_by", Side::Server))
}

fn of_sides(client: Option<Value>, server: Option<Value>) -> Option<Evidence> {
    (client.is_some() || server.is_some())
        .then(|| Evidence::new().with_some("client", client).with_some("server", server))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::findings::testing::{
        Case, alert, change_offer, change_selection, check, hold, offer, offer_tls12, selected, set_extensions,
        set_server_extensions, set_suites, tls12, tls13, unanswered,
    };
    use crate::flow::facts::{HelloRetry, KeyExchangeFacts, KeyExchangeParameters, Problem};
    use crate::tls::codepoints::NamedGroup;

    #[test]
    fn every_rule_fires_and_keeps_silent() {
        hold(RULES, CASES);
    }

    const CASES: &[Case] = &[
        Case { rule: "ANOM001", fires: || without_name(tls12()), silent: tls12 },
        Case { rule: "ANOM002", fires: || named("192.0.2.1", true), silent: || named("192.0.2.1.example.org", false) },
        Case {
            rule: "ANOM003",
            fires: || selected(Version::TLS12, 0x2a2a),
            silent: || selected(Version::TLS12, 0x2a3a),
        },
        Case { rule: "ANOM004", fires: || extended(&[0, 23, 0]), silent: || extended(&[0, 23, 16]) },
        Case {
            rule: "ANOM005",
            fires: || {
                let mut facts = unanswered(offer());
                let (structure, reason) = ("ClientHello.cipher_suites", "half a value is left over");
                facts.problems.push(Problem { from: Side::Client, structure, reason, length: 77 });
                facts.offer = None;
                facts
            },
            silent: || unanswered(offer()),
        },
        Case { rule: "ANOM006", fires: || cut(2, 512, 200), silent: || cut(1, 512, 200) },
        Case { rule: "ANOM007", fires: || on_port(tls13(), 10_444), silent: || on_port(tls13(), 8443) },
        Case {
            rule: "ANOM008",
            fires: || Facts { outcome: Outcome::NotTls, ..unanswered(offer()) },
            silent: || on_port(Facts { outcome: Outcome::NotTls, ..unanswered(offer()) }, 80),
        },
        Case {
            rule: "ANOM009",
            fires: || {
                let mut facts = tls12();
                facts.coverage.overlap_conflict = Some(0);
                facts
            },
            silent: tls12,
        },
        Case { rule: "ANOM010", fires: || unanswered(Offer { alpn: None, ..offer() }), silent: || unanswered(offer()) },
        Case {
            rule: "ANOM015",
            fires: || legacy(Version::TLS10, &[0x0005, 0x000a, 0x002f, 0x0013]),
            silent: || legacy(Version::TLS10, &[0x0005, 0x000a, 0x002f, 0xc013]),
        },
        Case { rule: "ANOM016", fires: || extended(&[0, 0x1a2a]), silent: || extended(&[0, 0x1a1a, 0x3374, 0xff44]) },
        Case { rule: "ANOM017", fires: || framed(0x0302), silent: || framed(0x0303) },
        Case {
            rule: "ANOM018",
            fires: || {
                let mut facts = tls12();
                facts.coverage.flipped = true;
                facts
            },
            silent: tls12,
        },
    ];

    #[test]
    fn mail_servers_datagrams_and_old_clients_need_no_name() {
        assert!(check("ANOM001", &on_port(without_name(tls12()), 25)).is_none());
        assert!(check("ANOM001", &on_port(without_name(tls12()), 465)).is_some());
        let mut facts = without_name(tls12());
        facts.carrier = Carrier::Dtls;
        assert!(check("ANOM001", &facts).is_none());
        let mut facts = without_name(tls12());
        change_offer(&mut facts, |offer| offer.legacy_version = Version::TLS11);
        assert!(check("ANOM001", &facts).is_none());
    }

    #[test]
    fn an_odd_name_has_a_kind() {
        let kind = |name: &str| check("ANOM002", &named(name, true)).unwrap().value("kind").unwrap().to_string();
        assert_eq!(kind("[2001:db8::1]"), "ip_address");
        assert_eq!(kind("a b"), "malformed");
        assert!(check("ANOM002", &named("192.0.2.1", false)).is_none(), "the parser decides");
    }

    #[test]
    fn grease_is_found_wherever_the_server_may_put_it() {
        let values = |facts: &Facts| check("ANOM003", facts).map(|found| found.value("values").unwrap().to_string());
        let mut facts = tls13();
        facts.hello_retry = Some(HelloRetry {
            version: Version::TLS13,
            cipher_suite: CipherSuite(0x1301),
            group: Some(NamedGroup(0x4a4a)),
            cookie: false,
        });
        assert_eq!(values(&facts).as_deref(), Some("retry group 0x4a4a"));
        let mut facts = tls12();
        change_selection(&mut facts, |selection| {
            set_server_extensions(selection, &[0xff01, 0xfafa]);
            selection.alpn = Some([0x0a, 0x0a].into());
        });
        facts.key_exchange = Some(KeyExchangeFacts {
            parameters: KeyExchangeParameters::Ecdh(NamedGroup(0x0a0a)),
            signature_scheme: Some(SignatureScheme(0x1a1a)),
        });
        let expected = "extension 0xfafa, protocol 0x0a0a, group 0x0a0a, signature_scheme 0x1a1a";
        assert_eq!(values(&facts).as_deref(), Some(expected));
        // What the client offers is its own affair.
        let mut facts = tls13();
        change_offer(&mut facts, |offer| set_suites(offer, &[0x0a0a, 0x1301]));
        assert_eq!(values(&facts), None);
    }

    #[test]
    fn duplicates_are_named_once_and_by_side() {
        let mut facts = extended(&[16, 0, 16, 16]);
        change_selection(&mut facts, |selection| set_server_extensions(selection, &[23, 23]));
        let evidence = check("ANOM004", &facts).unwrap();
        let protocol = Value::list([Ext(16)]);
        assert_eq!(
            (evidence.value("client"), evidence.value("server")),
            (Some(&protocol), Some(&Value::list([Ext(23)])))
        );
        let mut facts = tls13();
        let mut second = offer();
        set_extensions(&mut second, &[43, 43]);
        facts.second_offer = Some(Arc::new(second));
        assert_eq!(check("ANOM004", &facts).unwrap().value("client"), Some(&Value::list([Ext(43)])));
    }

    #[test]
    fn a_hello_too_long_for_one_record_may_have_two() {
        assert!(check("ANOM006", &cut(2, 16_385, 1400)).is_none());
        assert!(check("ANOM006", &cut(3, 16_385, 1400)).is_some());
        assert!(check("ANOM006", &cut(1, 512, 63)).is_some());
        assert!(check("ANOM006", &cut(1, 512, 0)).is_none());
        let mut facts = cut(3, 1200, 40);
        facts.carrier = Carrier::Quic;
        assert!(check("ANOM006", &facts).is_none(), "QUIC clients cut and shuffle on purpose");
    }

    #[test]
    fn a_port_is_odd_only_where_a_server_speaks_tls_on_it() {
        assert!(check("ANOM007", &on_port(unanswered(offer()), 10_444)).is_none());
        let mut refused = on_port(unanswered(offer()), 10_444);
        refused.alerts.push(alert(Side::Server, 40));
        assert!(check("ANOM007", &refused).is_some());
        let mut one_way = on_port(unanswered(offer()), 10_444);
        one_way.coverage.server_seen = false;
        assert!(check("ANOM007", &one_way).is_some());
        assert!(check("ANOM007", &on_port(tls12(), 587)).is_none());
        let mut flipped = on_port(tls12(), 50_123);
        flipped.coverage.flipped = true;
        assert!(check("ANOM007", &flipped).is_none());
    }

    #[test]
    fn what_answers_in_place_of_tls_is_guessed() {
        let mut facts = Facts { outcome: Outcome::NotTls, ..unanswered(offer()) };
        for (answer, protocol) in [
            (&b"HTTP/1.1 400 Bad"[..], Some("http")),
            (b"SSH-2.0-OpenSSH", Some("ssh")),
            (b"500 what?", Some("smtp_or_ftp")),
            (b"* BAD", Some("imap")),
            (b"-ERR", Some("pop3")),
            (b"\x00\x01", None),
            (b"200", None),
        ] {
            facts.foreign_answer = answer.iter().copied().collect();
            let evidence = check("ANOM008", &facts).unwrap();
            assert_eq!(evidence.value("protocol").map(ToString::to_string).as_deref(), protocol);
            assert_eq!(evidence.value("answer").unwrap().to_string(), answer.escape_ascii().to_string());
        }
    }

    #[test]
    fn an_offer_contradicts_its_label_by_what_differs() {
        let evidence = |change: &dyn Fn(&mut Offer)| {
            let mut offer = offer();
            change(&mut offer);
            let found = check("ANOM010", &unanswered(offer))?;
            Some(found.iter().skip(1).map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("; "))
        };
        let other: Box<[u8]> = b"spdy/3"[..].into();
        let web_socket: Box<[u8]> = b"http/1.1"[..].into();
        assert_eq!(
            evidence(&|offer| offer.alpn = Some(vec![other.clone()])).as_deref(),
            Some("alpn spdy/3; label_alpn h2 http/1.1; label Example Browser 1")
        );
        assert_eq!(
            evidence(&|offer| offer.groups = Some([0x2a2a, 0x11ec, 0x001d, 0x0017].map(NamedGroup).to_vec()))
                .as_deref(),
            Some("grease true; label_grease false; label Example Browser 1")
        );
        assert_eq!(evidence(&|offer| offer.alpn = Some(vec![web_socket.clone()])), None);
        assert_eq!(
            evidence(&|offer| {
                offer.alpn = None;
                set_suites(offer, &[0x1301, 0x1302]);
            }),
            None,
            "no browser known has these suites"
        );
    }

    #[test]
    fn a_legacy_stack_says_by_which_sign() {
        let sign = |facts: &Facts| check("ANOM015", facts).map(|found| found.value("sign").unwrap().to_string());
        assert_eq!(sign(&legacy(Version::TLS10, &[0x0005])).as_deref(), Some("legacy_suites"));
        assert_eq!(sign(&legacy(Version::TLS12, &[0x0005])), None);
        assert_eq!(sign(&legacy(Version::TLS10, &[0x00ff])), None, "a signal is no suite");
        let mut facts = legacy(Version::SSL3, &[0x000a, 0x00ff]);
        change_offer(&mut facts, |offer| offer.extensions = None);
        assert_eq!(sign(&facts).as_deref(), Some("both"));
        change_offer(&mut facts, |offer| offer.legacy_version = Version::TLS12);
        assert_eq!(sign(&facts).as_deref(), Some("no_extensions"));
    }

    #[test]
    fn datagrams_have_record_versions_of_their_own() {
        let mut facts = framed(0xfeff);
        facts.carrier = Carrier::Dtls;
        assert!(check("ANOM017", &facts).is_none());
        assert!(check("ANOM017", &framed(0x0300)).is_some() && check("ANOM017", &framed(0x0304)).is_some());
        assert!(check("ANOM017", &framed(0x0301)).is_none());
    }

    fn without_name(mut facts: Facts) -> Facts {
        change_offer(&mut facts, |offer| set_extensions(offer, &[10, 11, 13]));
        facts.hello.server_name = None;
        facts
    }

    fn named(name: &str, odd: bool) -> Facts {
        let mut facts = tls12();
        facts.hello.server_name = Some(name.to_owned());
        facts.hello.server_name_is_odd = odd;
        facts
    }

    fn extended(types: &[u16]) -> Facts {
        let mut facts = tls12();
        change_offer(&mut facts, |offer| set_extensions(offer, types));
        facts
    }

    fn cut(records: u16, length: u32, smallest_packet: u16) -> Facts {
        let mut facts = tls13();
        facts.hello.records = records;
        facts.hello.length = length;
        facts.hello.smallest_packet = smallest_packet;
        facts
    }

    fn on_port(mut facts: Facts, port: u16) -> Facts {
        facts.server.set_port(port);
        facts
    }

    fn legacy(version: Version, suites: &[u16]) -> Facts {
        let mut offer = Offer { legacy_version: version, ..offer_tls12() };
        set_suites(&mut offer, suites);
        unanswered(offer)
    }

    fn framed(version: u16) -> Facts {
        let mut facts = tls13();
        facts.hello.record_version = Some(Version(version));
        facts
    }
}
