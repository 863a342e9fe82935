//! Handshakes behind words in clear: one transcript a protocol, and every capture of real software cut and ordered anew.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod conversation;

use std::path::{Path, PathBuf};

use handprint::capture::{LinkType, Source, inputs};
use serde_json::{Value, json};

use conversation::Who::{Client as C, Server as S};
use conversation::{Who, comparable, records, tcp_frame};

/// What is said, in order.
type Talk = Vec<(Who, Vec<u8>)>;

/// How a transcript is put into segments.
#[derive(Clone, Copy)]
enum Cut {
    /// One segment a turn.
    Turns,
    /// One segment a byte.
    Bytes,
    /// Segments of this many bytes, each two neighbours swapped.
    Swapped(usize),
}

/// A TCP connection that says `talk`, from its SYN to its FINs, as Ethernet frames.
fn frames(talk: &[(Who, Vec<u8>)], cut: Cut) -> Vec<Vec<u8>> {
    let mut next = [0xffff_ff00_u32, 0x0100_0000];
    let mut frames = vec![tcp_frame(C, next[0], 0, 0x02, &[])];
    next[0] = next[0].wrapping_add(1);
    frames.push(tcp_frame(S, next[1], next[0], 0x12, &[]));
    next[1] = next[1].wrapping_add(1);
    let mut data = Vec::new();
    for (who, bytes) in talk {
        let size = match cut {
            Cut::Turns => bytes.len(),
            Cut::Bytes => 1,
            Cut::Swapped(size) => size,
        };
        let me = usize::from(*who == S);
        for chunk in bytes.chunks(size.max(1)) {
            data.push(tcp_frame(*who, next[me], next[1 - me], 0x18, chunk));
            next[me] = next[me].wrapping_add(chunk.len() as u32);
        }
    }
    if let Cut::Swapped(_) = cut {
        for pair in data.chunks_mut(2) {
            pair.reverse();
        }
    }
    frames.extend(data);
    frames.push(tcp_frame(C, next[0], next[1], 0x11, &[]));
    frames.push(tcp_frame(S, next[1], next[0].wrapping_add(1), 0x11, &[]));
    frames
}

fn text(who: Who, lines: &str) -> (Who, Vec<u8>) {
    (who, lines.replace('\n', "\r\n").into_bytes())
}

/// A real ClientHello in a record.
fn client_hello() -> Vec<u8> {
    let hex = include_str!("data/hello/openssl_tls12.hex");
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect();
    if bytes[0] == 22 { bytes } else { record_of(&bytes) }
}

/// A ServerHello of TLS 1.2 in a record.
fn server_hello() -> Vec<u8> {
    let mut hello = vec![2, 0, 0, 38, 3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0xc0, 0x2f, 0]);
    record_of(&hello)
}

fn record_of(message: &[u8]) -> Vec<u8> {
    let mut record = vec![22, 3, 1];
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

/// What is said in clear, and then both hellos.
fn then_tls(talk: impl IntoIterator<Item = (Who, Vec<u8>)>) -> Talk {
    talk.into_iter().chain([(C, client_hello()), (S, server_hello())]).collect()
}

/// Every protocol that leads to TLS: its name, what is said, and members its session must have.
fn upgrades() -> Vec<(&'static str, Talk, Value)> {
    vec![
        (
            "smtp",
            then_tls([
                text(S, "220-mx.example.org ESMTP\n220 ready\n"),
                text(C, "EHLO client.example.org\n"),
                text(S, "250-mx.example.org\n250-PIPELINING\n250-AUTH PLAIN LOGIN\n250 STARTTLS\n"),
                text(C, "STARTTLS\n"),
                text(S, "220 2.0.0 go ahead\n"),
            ]),
            json!({"advertised": true, "accepted": true, "client_name": "client.example.org",
                "server_name": "mx.example.org", "auth_mechanisms": ["PLAIN", "LOGIN"], "reply": "220 2.0.0 go ahead"}),
        ),
        (
            "lmtp",
            then_tls([
                text(S, "220 mx.example.org LMTP\n"),
                text(C, "LHLO client.example.org\n"),
                text(S, "250-mx.example.org\n250 STARTTLS\n"),
                text(C, "STARTTLS\n"),
                text(S, "220 go\n"),
            ]),
            json!({"accepted": true}),
        ),
        (
            "imap",
            then_tls([
                text(S, "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\n"),
                text(C, "a1 STARTTLS\n"),
                text(S, "a1 OK begin\n"),
            ]),
            json!({"advertised": true, "required": "LOGINDISABLED", "plain_login_allowed": false}),
        ),
        (
            "pop3",
            then_tls([
                text(S, "+OK ready\n"),
                text(C, "CAPA\n"),
                text(S, "+OK list\nUSER\nSTLS\n.\n"),
                text(C, "STLS\n"),
                text(S, "+OK begin\n"),
            ]),
            json!({"asked": "STLS", "capabilities": ["USER", "STLS"]}),
        ),
        (
            "ftp",
            then_tls([
                text(S, "220 ready\n"),
                text(C, "FEAT\n"),
                text(S, "211-Features:\n AUTH TLS\n PROT\n211 End\n"),
                text(C, "AUTH TLS\n"),
                text(S, "234 go\n"),
            ]),
            json!({"asked": "AUTH TLS", "advertised": true}),
        ),
        (
            "nntp",
            then_tls([
                text(S, "200 news.example.org ready\n"),
                text(C, "CAPABILITIES\n"),
                text(S, "101 list\nVERSION 2\nSTARTTLS\n.\n"),
                text(C, "STARTTLS\n"),
                text(S, "382 go\n"),
            ]),
            json!({"advertised": true, "accepted": true}),
        ),
        (
            "sieve",
            then_tls([
                text(S, "\"IMPLEMENTATION\" \"Example\"\n\"SASL\" \"PLAIN\"\n\"STARTTLS\"\nOK \"ready\"\n"),
                text(C, "STARTTLS\n"),
                text(S, "OK \"go\"\n"),
            ]),
            json!({"greeting": "Example", "auth_mechanisms": ["PLAIN"]}),
        ),
        (
            "irc",
            then_tls([
                text(C, "CAP LS 302\nNICK somebody\n"),
                text(S, ":irc.example.org CAP * LS :multi-prefix tls\n"),
                text(C, "STARTTLS\n"),
                text(S, ":irc.example.org 670 * :STARTTLS successful\n"),
            ]),
            json!({"advertised": true, "accepted": true}),
        ),
        (
            "xmpp",
            then_tls([
                text(C, "<?xml version='1.0'?><stream:stream to='example.org' from='me@example.org' version='1.0'>"),
                text(
                    S,
                    "<?xml version='1.0'?><stream:stream from='example.org' id='1'><stream:features><starttls \
                     xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
                ),
                text(C, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
                text(S, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
            ]),
            json!({"required": "required", "server_name": "example.org", "client_name": "me@example.org"}),
        ),
        (
            "ldap",
            then_tls([
                (C, [&b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16"[..], b"1.3.6.1.4.1.1466.20037"].concat()),
                (S, b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00".to_vec()),
            ]),
            json!({"asked": "StartTLS", "accepted": true}),
        ),
        (
            "postgresql",
            then_tls([(C, vec![0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]), (S, b"S".to_vec())]),
            json!({"asked": "SSLRequest", "reply": "S"}),
        ),
        (
            "mysql",
            then_tls([
                (S, mysql_greeting(0x0800)),
                (C, [&[32, 0, 0, 1, 0x05, 0xae, 0x0f, 0, 0, 0, 0, 1, 45][..], &[0; 23]].concat()),
            ]),
            json!({"server_version": "8.0.36", "advertised": true}),
        ),
        (
            "rdp",
            then_tls([
                (C, vec![3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0]),
                (S, vec![3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 1, 0, 0, 0]),
            ]),
            json!({"rdp": {"requested": 3, "selected": 1}}),
        ),
        (
            "tds",
            vec![
                (C, tds(0x12, &prelogin(1))),
                (S, tds(0x04, &prelogin(1))),
                (C, tds(0x12, &client_hello())),
                (S, [tds(0x12, &server_hello()[..20]), tds(0x12, &server_hello()[20..])].concat()),
            ],
            json!({"tds": {"client": 1, "server": 1}}),
        ),
        (
            "openvpn",
            vec![
                (C, openvpn(7, 0, None, &[])),
                (S, openvpn(8, 0, Some(0), &[])),
                (
                    C,
                    [openvpn(4, 1, None, &client_hello()[..100]), openvpn(4, 2, None, &client_hello()[100..])].concat(),
                ),
                (S, openvpn(4, 1, Some(2), &server_hello())),
            ],
            json!({}),
        ),
        (
            "http-connect",
            then_tls([
                text(C, "CONNECT inner.example.org:8443 HTTP/1.1\nHost: inner.example.org\n\n"),
                text(S, "HTTP/1.1 407 who\nContent-Length: 3\n\nno!"),
                text(C, "CONNECT inner.example.org:8443 HTTP/1.1\nProxy-Authorization: Basic eDp5\n\n"),
                text(S, "HTTP/1.1 200 OK\nVia: x\n\n"),
            ]),
            json!({"proxies": [{"protocol": "http-connect", "host": "inner.example.org", "port": 8443, "status": 200,
                "authentication": "Basic"}]}),
        ),
        (
            "socks4",
            then_tls([
                (C, b"\x04\x01\x01\xbb\x00\x00\x00\x01me\x00inner.example.org\x00".to_vec()),
                (S, vec![0, 0x5a, 0, 0, 0, 0, 0, 0]),
            ]),
            json!({"proxies": [{"protocol": "socks4", "host": "inner.example.org", "port": 443, "status": 90}]}),
        ),
        (
            "socks5",
            then_tls([
                (C, vec![5, 2, 0, 2]),
                (S, vec![5, 2]),
                (C, b"\x01\x02me\x06secret".to_vec()),
                (S, vec![1, 0]),
                (C, b"\x05\x01\x00\x03\x11inner.example.org\x01\xbb".to_vec()),
                (S, vec![5, 0, 0, 1, 192, 0, 2, 9, 1, 2]),
            ]),
            json!({"proxies": [{"protocol": "socks5", "host": "inner.example.org", "port": 443, "status": 0,
                "authentication": "username/password"}]}),
        ),
        (
            "proxy-v1",
            then_tls([text(C, "PROXY TCP4 198.51.100.1 198.51.100.2 4711 443\n")]),
            json!({"proxies": [{"protocol": "proxy-v1", "source": "198.51.100.1:4711", "destination": "198.51.100.2:443"}]}),
        ),
        (
            "proxy-v2",
            then_tls([(
                C,
                [
                    &b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0f"[..],
                    &[198, 51, 100, 1, 198, 51, 100, 2, 0x12, 0x67, 0x01, 0xbb, 4, 0, 0],
                ]
                .concat(),
            )]),
            json!({"proxies": [{"protocol": "proxy-v2", "source": "198.51.100.1:4711", "destination": "198.51.100.2:443"}]}),
        ),
        (
            "smtp",
            then_tls([
                text(C, "PROXY TCP4 198.51.100.1 198.51.100.2 4711 25\n"),
                text(S, "220 mx.example.org ESMTP\n"),
                text(C, "EHLO a.example.org\n"),
                text(S, "250 STARTTLS\n"),
                text(C, "STARTTLS\n"),
                text(S, "220 go\n"),
            ]),
            json!({"proxies": [{"protocol": "proxy-v1", "source": "198.51.100.1:4711", "destination": "198.51.100.2:25"}],
                "accepted": true}),
        ),
    ]
}

/// Sessions that stay in clear: the protocol, the reason, what is said, and members the session must have.
fn clear() -> Vec<(&'static str, &'static str, Talk, Value)> {
    vec![
        (
            "smtp",
            "not_offered",
            vec![
                text(S, "220 mx.example.org ESMTP\n"),
                text(C, "EHLO a.example.org\n"),
                text(S, "250-mx.example.org\n250 AUTH LOGIN\n"),
                text(C, "AUTH LOGIN\n"),
                text(S, "334 VXNlcm5hbWU6\n"),
                text(C, "c29tZWJvZHk=\n"),
                text(S, "334 UGFzc3dvcmQ6\n"),
                text(C, "c2VjcmV0\n"),
                text(S, "235 fine\n"),
                text(C, "MAIL FROM:<a@example.org>\n"),
                text(S, "250 fine\n"),
                text(C, "RCPT TO:<b@example.org>\n"),
            ],
            json!({"advertised": false, "mail_in_clear": true,
                "credentials": {"mechanism": "LOGIN", "exposed": true, "user_hash": "729d7d63"}}),
        ),
        (
            "imap",
            "refused",
            vec![
                text(S, "* OK ready\n"),
                text(C, "a STARTTLS\n"),
                text(S, "a NO not today\n"),
                text(C, "b LOGIN {8}\n"),
                text(S, "+ go\n"),
                text(C, "somebody secret\n"),
                text(S, "b OK fine\n"),
            ],
            json!({"accepted": false, "reply": "a NO not today", "first_command": "LOGIN"}),
        ),
        (
            "pop3",
            "not_used",
            vec![
                text(S, "+OK ready\n"),
                text(C, "USER somebody\n"),
                text(S, "+OK\n"),
                text(C, "PASS secret\n"),
                text(S, "+OK\n"),
            ],
            json!({"credentials": {"mechanism": "USER/PASS", "exposed": true, "user_hash": "729d7d63"}}),
        ),
        (
            "ldap",
            "not_used",
            vec![
                (C, b"\x30\x19\x02\x01\x01\x60\x14\x02\x01\x03\x04\x07cn=some\x80\x06secret".to_vec()),
                (S, b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00".to_vec()),
            ],
            json!({"first_command": "bind"}),
        ),
        (
            "postgresql",
            "refused",
            vec![
                (C, vec![0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]),
                (S, b"N".to_vec()),
                (C, b"\x00\x00\x00\x17\x00\x03\x00\x00user\x00somebody\x00\x00".to_vec()),
                (S, b"R\x00\x00\x00\x08\x00\x00\x00\x03".to_vec()),
                (C, b"p\x00\x00\x00\x0bsecret\x00".to_vec()),
                (S, b"R\x00\x00\x00\x08\x00\x00\x00\x00".to_vec()),
            ],
            json!({"startup_in_clear": true,
                "credentials": {"mechanism": "password", "exposed": true, "user_hash": "729d7d63"}}),
        ),
        (
            "mysql",
            "not_used",
            vec![
                (S, mysql_greeting(0x0800)),
                (
                    C,
                    [&[43, 0, 0, 1, 0x05, 0xa6, 0x0f, 0, 0, 0, 0, 1, 45][..], &[0; 23], b"somebody\x00\x00\x00"]
                        .concat(),
                ),
                (S, vec![7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0]),
            ],
            json!({"advertised": true, "first_command": "HandshakeResponse"}),
        ),
        (
            "rdp",
            "refused",
            vec![
                (C, vec![3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 1, 0, 0, 0]),
                (S, vec![3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 0, 0, 0, 0]),
                (C, vec![3, 0, 0, 12, 2, 0xf0, 0x80, 0x7f, 0x65, 0, 0, 0]),
            ],
            json!({"rdp": {"requested": 1, "selected": 0}}),
        ),
    ]
}

fn mysql_greeting(capabilities: u16) -> Vec<u8> {
    let mut greeting = vec![10];
    greeting.extend(b"8.0.36\0");
    greeting.extend([9, 0, 0, 0]);
    greeting.extend(b"saltsalt\0");
    greeting.extend((capabilities | 0x0200).to_le_bytes());
    greeting.extend([45, 2, 0, 0, 0, 21]);
    greeting.extend([0; 10]);
    greeting.extend(b"moresaltmore\0");
    greeting.extend(b"caching_sha2_password\0");
    let mut packet = vec![greeting.len() as u8, 0, 0, 0];
    packet.extend(greeting);
    packet
}

fn tds(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind, 1];
    packet.extend((body.len() as u16 + 8).to_be_bytes());
    packet.extend([0, 0, 0, 0]);
    packet.extend(body);
    packet
}

fn prelogin(encryption: u8) -> Vec<u8> {
    vec![0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 0, 0, 0, 0, encryption]
}

fn openvpn(opcode: u8, id: u32, acknowledges: Option<u32>, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![opcode << 3];
    packet.extend([7; 8]);
    match acknowledges {
        Some(id) => {
            packet.push(1);
            packet.extend(id.to_be_bytes());
            packet.extend([8; 8]);
        }
        None => packet.push(0),
    }
    packet.extend(id.to_be_bytes());
    packet.extend(payload);
    let mut whole = (packet.len() as u16).to_be_bytes().to_vec();
    whole.extend(packet);
    whole
}

#[track_caller]
fn holds(session: &Value, members: &Value, name: &str) {
    for (member, value) in members.as_object().unwrap() {
        assert_eq!(&session[member], value, "{name}: {member} of {session:#}");
    }
}

const CUTS: [Cut; 5] = [Cut::Turns, Cut::Bytes, Cut::Swapped(3), Cut::Swapped(7), Cut::Swapped(1400)];

#[test]
fn every_protocol_leads_to_its_handshake_however_it_is_cut() {
    for (name, talk, members) in upgrades() {
        let mut whole = None;
        for (number, cut) in CUTS.into_iter().enumerate() {
            let mut records = records(&frames(&talk, cut));
            assert_eq!(records.len(), 1, "{name}, cut {number}: {records:#?}");
            let record = comparable(records.remove(0));
            assert_eq!(record["starttls"], name);
            assert_eq!(record["version"], "TLSv1.2", "{name}, cut {number}");
            assert_eq!(record["client"]["port"], 50_000, "{name}");
            assert!(record["client_hello"].is_object(), "{name}");
            holds(&record["starttls_session"], &members, name);
            assert_eq!(whole.get_or_insert_with(|| record.clone()), &record, "{name}, cut {number}");
        }
    }
}

#[test]
fn sessions_in_clear_say_why_however_they_are_cut() {
    for (name, reason, talk, members) in clear() {
        let mut whole = None;
        for (number, cut) in CUTS.into_iter().enumerate() {
            let mut records = records(&frames(&talk, cut));
            assert_eq!(records.len(), 1, "{name}, cut {number}: {records:#?}");
            let record = comparable(records.remove(0));
            assert_eq!(record["starttls"], name);
            assert_eq!(record["outcome"], json!({"status": "cleartext", "reason": reason}), "{name}");
            holds(&record["starttls_session"], &members, name);
            assert!(!record.to_string().contains("secret"), "{name} keeps a secret");
            assert_eq!(whole.get_or_insert_with(|| record.clone()), &record, "{name}, cut {number}");
        }
    }
}

#[test]
fn bytes_behind_the_words_that_end_it_are_evidence_and_the_handshake_is_found() {
    let start = [text(S, "220 mx ESMTP\n"), text(C, "EHLO a.example.org\n"), text(S, "250-mx\n250 STARTTLS\n")];
    let injected = [text(C, "STARTTLS\nRSET\n"), text(S, "220 go\n")];
    let mut found = records(&frames(&then_tls(start.clone().into_iter().chain(injected)), Cut::Turns));
    let record = found.remove(0);
    assert_eq!(record["starttls_session"]["injected"], json!({"from": "client", "bytes": 6}));
    assert_eq!(record["version"], "TLSv1.2");
    let injected = [text(C, "STARTTLS\n"), text(S, "220 go\n250 more\n")];
    let record = records(&frames(&then_tls(start.clone().into_iter().chain(injected)), Cut::Turns)).remove(0);
    assert_eq!(record["starttls_session"]["injected"], json!({"from": "server", "bytes": 10}));
    let refused = [text(C, "STARTTLS\nRSET\n"), text(S, "454 no\n"), text(C, "QUIT\n"), text(S, "221 bye\n")];
    let talk: Talk = start.into_iter().chain(refused).collect();
    let record = records(&frames(&talk, Cut::Turns)).remove(0);
    assert!(record["starttls_session"]["injected"].is_null(), "nothing was injected into TLS that never began");
}

#[test]
fn other_protocols_are_no_sessions() {
    let talks: [&[(Who, Vec<u8>)]; 9] = [
        &[text(C, "GET / HTTP/1.1\nHost: a\n\n"), text(S, "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi")],
        &[text(C, "GET / HTTP/1.1\nHost: a\n\n"), text(S, "HTTP/1.1 302 Found\nLocation: https://a/\n\n")],
        &[text(C, "GET / HTTP/1.1\nHost: a\n\n"), text(S, "HTTP/1.1 301 Moved\nLocation: http://a/\n\n")],
        &[text(S, "SSH-2.0-x\n"), text(C, "SSH-2.0-y\n")],
        &[text(S, "220 ready\n"), text(C, "GET / HTTP/1.0\n\n"), text(S, "500 what\n")],
        &[text(C, "*1\n$4\nPING\n"), text(S, "+PONG\n")],
        &[text(S, "220 only a greeting\n")],
        &[
            (C, vec![5, 1, 0]),
            (S, vec![5, 0]),
            (C, vec![5, 1, 0, 1, 1, 2, 3, 4, 0, 22]),
            (S, vec![5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
            text(S, "SSH-2.0-x\n"),
        ],
        &[
            (C, vec![3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2]),
            (S, vec![3, 0, 0, 7, 2, 0xf0, 0x80]),
        ],
    ];
    for talk in talks {
        for cut in [Cut::Turns, Cut::Bytes] {
            let records = records(&frames(talk, cut));
            assert!(records.is_empty(), "{records:#?}");
        }
    }
}

#[test]
fn no_prefix_and_no_changed_byte_breaks_it() {
    let talks: Vec<Talk> = upgrades()
        .into_iter()
        .map(|(_, talk, _)| talk)
        .chain(clear().into_iter().map(|(_, _, talk, _)| talk))
        .collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    for talk in &talks {
        for turn in 0..talk.len() {
            for length in (0..talk[turn].1.len()).take(64) {
                let mut cut = talk.clone();
                cut[turn].1.truncate(length);
                records(&frames(&cut, Cut::Turns));
            }
        }
        for round in 0..120 {
            let mut changed = talk.clone();
            for _ in 0..=next(4) {
                let turn = next(changed.len());
                let bytes = &mut changed[turn].1;
                let at = next(bytes.len());
                match next(4) {
                    0 => bytes[at] = next(256) as u8,
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, next(256) as u8),
                    _ => bytes[at] ^= 1 << next(8),
                }
                if bytes.is_empty() {
                    bytes.push(0);
                }
            }
            let cut = if round % 3 == 0 { Cut::Bytes } else { Cut::Swapped(1 + next(9)) };
            records(&frames(&changed, cut));
        }
    }
}

#[test]
fn endless_lines_and_floods_are_bounded() {
    let endless = [text(S, "220 ready\n"), (C, vec![b'a'; 200_000]), (S, vec![b'2'; 200_000])];
    records(&frames(&endless, Cut::Swapped(1400)));
    let flood = [text(S, "220 mx ESMTP\n"), (C, b"NOOP\r\n".repeat(20_000)), (S, b"250 fine\r\n".repeat(20_000))];
    records(&frames(&flood, Cut::Swapped(1400)));
    let newlines = [text(S, "* OK ready\n"), (C, b"\n".repeat(60_000)), (S, b"\n".repeat(60_000))];
    records(&frames(&newlines, Cut::Turns));
}

/// Real connections, each segment cut into single bytes, and each two neighbouring segments swapped.
#[test]
fn captures_of_real_software_give_the_same_records_cut_and_reordered() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths: Vec<PathBuf> = ["pcaps/starttls", "pcaps/proxy"].iter().map(|folder| root.join(folder)).collect();
    let mut captures = 0;
    for input in inputs(&paths) {
        let input = input.unwrap();
        let name = input.path.display().to_string();
        // Sessions alone: of plain HTTP no more is looked at than what lies whole in a segment.
        if name.contains("/plain-") {
            continue;
        }
        let Some(original) = ethernet_frames(&mut input.open().unwrap()) else { continue };
        captures += 1;
        let sorted = |frames: &[Vec<u8>]| {
            let mut list: Vec<String> = records(frames)
                .into_iter()
                .map(|record| {
                    let mut record = comparable(record);
                    for member in ["id", "alerts"] {
                        record[member].take();
                    }
                    record.to_string()
                })
                .collect();
            list.sort();
            list
        };
        let expected = sorted(&original);
        let bytes: Vec<Vec<u8>> = original.iter().flat_map(|frame| single_bytes(frame)).collect();
        assert_eq!(sorted(&bytes), expected, "{name} in single bytes");
        let mut swapped = original.clone();
        let mut at = 0;
        while at + 1 < swapped.len() {
            // What opens and closes a connection stays where it is.
            if [at, at + 1].iter().all(|at| swapped[*at][47] & 0x07 == 0) {
                swapped.swap(at, at + 1);
                at += 1;
            }
            at += 1;
        }
        assert_eq!(sorted(&swapped), expected, "{name}, neighbours swapped");
    }
    assert!(captures > 100, "{captures} captures");
}

/// The frames of a capture, where all are TCP over IPv4 over Ethernet.
fn ethernet_frames(source: &mut Source) -> Option<Vec<Vec<u8>>> {
    let mut frames = Vec::new();
    while let Some(frame) = source.next_frame().unwrap() {
        if frame.link_type != LinkType::ETHERNET || frame.bytes.get(12..15)? != [8, 0, 0x45] || frame.bytes[23] != 6 {
            return None;
        }
        let end = 14 + usize::from(u16::from_be_bytes([frame.bytes[16], frame.bytes[17]]));
        frames.push(frame.bytes.get(..end)?.to_vec());
    }
    Some(frames)
}

/// A segment as one frame a byte, what ends the direction with the last.
fn single_bytes(frame: &[u8]) -> Vec<Vec<u8>> {
    let header = 34 + usize::from(frame[46] >> 4) * 4;
    let payload = &frame[header..];
    if payload.len() < 2 || payload.len() > 4000 {
        return vec![frame.to_vec()];
    }
    let sequence = u32::from_be_bytes(frame[38..42].try_into().unwrap());
    let last = payload.len() - 1;
    let cut = payload.iter().enumerate().map(|(ahead, byte)| {
        let mut piece = frame[..header].to_vec();
        piece[38..42].copy_from_slice(&sequence.wrapping_add(ahead as u32).to_be_bytes());
        piece[16..18].copy_from_slice(&((header - 14 + 1) as u16).to_be_bytes());
        if ahead != last {
            piece[47] &= !0x01;
        }
        piece.push(*byte);
        piece
    });
    cut.collect()
}
