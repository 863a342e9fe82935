//! A ServerHello message, and the messages that follow it: the first two bytes are a cipher suite for the key exchange,
//! the rest is read as each of them.

use handprint::cursor::ParseError;
use handprint::fingerprint::Ja3s;
use handprint::tls::codepoints::{CipherSuite, ProtocolVersion};
use handprint::tls::handshake::Heartbeat;
use handprint::tls::server_hello::DraftHelloRetryRequest;
use handprint::tls::sslv2::Sslv2ServerHello;
use handprint::tls::{
    Alert, CertificateList, CertificateRequest, CertificateStatus, HandshakeHeader, Message, NewSessionTicket,
    RecordHeader, ServerHello, ServerKeyExchange,
};
use md5::{Digest, Md5};

use crate::client_hello::{cuts, hex};

/// Checks what the server's messages promise.
pub fn check(data: &[u8]) {
    let Some((suite, message)) = data.split_first_chunk::<2>() else { return };
    check_server_hello(message);
    check_framing(message);
    check_others(CipherSuite(u16::from_be_bytes(*suite)), message);
}

fn check_server_hello(message: &[u8]) {
    if let Ok(hello) = ServerHello::parse(message) {
        for length in cuts(message.len()) {
            let cut = ServerHello::parse(&message[..length]);
            assert!(matches!(cut, Err(ParseError::Incomplete { .. })), "{length} of {}: {cut:?}", message.len());
        }
        let print = Ja3s::of(&hello);
        assert_eq!(print.hash(), hex(&Md5::digest(print.text())));
        let expected = format!(
            "{},{},{}",
            hello.legacy_version.0,
            hello.cipher_suite.0,
            hello.extensions.iter().map(|each| each.extension_type.0.to_string()).collect::<Vec<_>>().join("-")
        );
        assert_eq!(print.text(), expected);
        let _ = (hello.selected_version(), hello.key_share(), hello.pre_shared_key(), hello.alpn());
        let _ = (hello.next_protocols().map(|names| names.map(|names| names.iter().count())), hello.srtp_profiles());
        let _ = (hello.downgrade_sentinel(), hello.is_hello_retry_request(), hello.max_fragment_length());
        // What stands before the extensions is the same with and without them. Drafts have another form, without a
        // session id.
        if !hello.session_id.is_empty() {
            let fixed = ServerHello::parse_fixed_part(&message[4..]).expect("it has been read whole");
            assert!(!fixed.extensions.is_present());
            assert_eq!((fixed.random, fixed.cipher_suite), (hello.random, hello.cipher_suite));
        }
    }
    for body in [ServerHello::parse_body(message), ServerHello::parse_fixed_part(message)] {
        if let Err(error) = body {
            assert!(matches!(error, ParseError::Invalid { .. }), "a body is never incomplete: {error}");
        }
    }
    if let Ok(retry) = DraftHelloRetryRequest::parse(message) {
        let _ = retry.selected_group();
    }
    if let Ok((hello, rest)) = Sslv2ServerHello::first(message) {
        let record = &message[..message.len() - rest.len()];
        assert_eq!(Sslv2ServerHello::parse(record).as_ref(), Ok(&hello));
    }
}

fn check_framing(bytes: &[u8]) {
    if let Ok((message, rest)) = Message::first(bytes) {
        let length = bytes.len() - rest.len();
        assert_eq!(HandshakeHeader::parse(bytes).map(|header| header.message_length()), Ok(length));
        assert!(Message::parse(&bytes[..length]).is_ok());
        assert_eq!(message.body.len() + 4, length);
    }
    let _ = RecordHeader::parse(bytes);
    if let Ok(heartbeat) = Heartbeat::parse(bytes) {
        let _ = heartbeat.overclaims();
    }
    let _ = Alert::parse(bytes);
}

fn check_others(suite: CipherSuite, message: &[u8]) {
    let versions = [ProtocolVersion::SSL3, ProtocolVersion::TLS10, ProtocolVersion::TLS12, ProtocolVersion::TLS13];
    for version in versions {
        for parsed in
            [ServerKeyExchange::parse(message, suite, version), ServerKeyExchange::parse_body(message, suite, version)]
                .into_iter()
                .flatten()
        {
            let text = format!("{parsed:?}");
            assert!(!text.is_empty());
        }
        let _ = CertificateRequest::parse_body(message, version);
        let _ = NewSessionTicket::parse_body(message);
    }
    for list in [CertificateList::parse_body(message), CertificateList::parse_tls13_body(message)].into_iter().flatten()
    {
        assert_eq!(list.iter().count(), list.count());
        assert_eq!(list.leaf(), list.iter().next());
        assert_eq!(list.is_empty(), list.count() == 0);
        let held: usize = list.iter().map(<[u8]>::len).sum();
        assert!(held <= message.len());
    }
    let _ = CertificateStatus::parse_body(message);
}
