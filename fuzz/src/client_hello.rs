//! A ClientHello message: header and body. The same bytes are also read as a body, as a DTLS body and as an SSL 2.0
//! record.

use handprint::cursor::ParseError;
use handprint::fingerprint::{HelloLists, Ja3, Ja3n, Ja4, Protocol};
use handprint::tls::ClientHello;
use handprint::tls::sslv2::{Sslv2ClientHello, Sslv2Header};
use md5::{Digest, Md5};
use sha2::Sha256;

/// Checks what [`ClientHello`] and its fingerprints promise.
pub fn check(data: &[u8]) {
    if let Ok(hello) = ClientHello::parse(data) {
        check_prefixes(data);
        check_hello(&hello);
        check_fingerprints(data, &hello);
    }
    for hello in [ClientHello::parse_body(data), ClientHello::parse_dtls_body(data)].into_iter() {
        match hello {
            Ok(hello) => check_hello(&hello),
            Err(error) => assert!(matches!(error, ParseError::Invalid { .. }), "a body is never incomplete: {error}"),
        }
    }
    check_sslv2(data);
}

/// A message cut anywhere is incomplete, and so has no fingerprint.
fn check_prefixes(message: &[u8]) {
    for length in cuts(message.len()) {
        let cut = ClientHello::parse(&message[..length]);
        assert!(matches!(cut, Err(ParseError::Incomplete { .. })), "{length} of {}: {cut:?}", message.len());
    }
}

/// All lengths below `length`, or of many a sample.
pub(crate) fn cuts(length: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(length / 256 + 1)
}

/// Goes through all that a hello holds.
fn check_hello(hello: &ClientHello<'_>) {
    let checked = hello.check_extensions();
    assert_eq!(hello.extensions.iter().count(), hello.extensions.count());
    assert_eq!(hello.cipher_suites.iter().count(), hello.cipher_suites.len());
    let length: usize = hello.extensions.iter().map(|extension| 4 + extension.data.len()).sum();
    assert_eq!(length, hello.extensions.as_bytes().len(), "the extensions are the block");
    for extension in hello.extensions.iter() {
        assert!(hello.extensions.contains(extension.extension_type));
    }
    let read = [
        hello.server_name().map(drop),
        hello.alpn().map(|names| assert!(names.iter().flat_map(|names| names.iter()).all(|name| name.len() < 256))),
        hello.supported_versions().map(|list| assert!(list.iter().all(|list| list.iter().count() == list.len()))),
        hello.supported_groups().map(|list| assert!(list.iter().all(|list| list.iter().count() == list.len()))),
        hello.key_shares().map(|list| assert!(list.iter().flat_map(|list| list.iter()).count() < 1 << 14)),
        hello.signature_algorithms().map(drop),
        hello.ec_point_formats().map(drop),
        hello.encrypted_client_hello().map(drop),
        hello.pre_shared_key().map(drop),
    ];
    // check_extensions reads every extension; what it finds sound, the single methods do too.
    assert!(checked.is_err() || read.iter().all(Result::is_ok), "{checked:?}, {read:?}");
    if let Ok(Some(name)) = hello.server_name() {
        assert!(!(name.is_host_name() && name.ip_literal().is_some()), "a host name is no address");
    }
}

/// Recomputes the hashes from the texts, and holds the fingerprints against those of hellos that must not differ.
fn check_fingerprints(message: &[u8], hello: &ClientHello<'_>) {
    let Ok(lists) = HelloLists::of(hello) else {
        assert!(Ja3::of(hello).is_err() && Ja4::of(hello, Protocol::Tcp).is_err(), "a wrong fingerprint");
        return;
    };
    let ja3 = Ja3::from_lists(&lists);
    assert_eq!(ja3.hash(), hex(&Md5::digest(ja3.text())));
    let fields: Vec<&str> = ja3.text().split(',').collect();
    assert_eq!(fields.len(), 5, "{}", ja3.text());
    assert_eq!(fields[0], lists.legacy_version.0.to_string());
    let ja3n = Ja3n::from_lists(&lists);
    assert_eq!(ja3n.hash(), hex(&Md5::digest(ja3n.text())));
    for protocol in [Protocol::Tcp, Protocol::Quic, Protocol::Dtls] {
        let ja4 = Ja4::from_lists(&lists, protocol);
        check_ja4(ja4.hash(), ja4.raw());
        check_ja4(ja4.original(), ja4.original_raw());
        assert_eq!(ja4.hash().get(..10), ja4.original().get(..10));
    }
    if hello.extensions.duplicate().is_none() {
        check_relatives(message, &lists);
    }
}

/// A hash is that of its own text.
fn check_ja4(hashed: &str, raw: &str) {
    let hashed: Vec<&str> = hashed.split('_').collect();
    let raw: Vec<&str> = raw.splitn(3, '_').collect();
    let ([a, b, c], [raw_a, suites, rest]) = (&hashed[..], &raw[..]) else { panic!("{hashed:?} {raw:?}") };
    assert_eq!((a.len(), b.len(), c.len()), (10, 12, 12), "{hashed:?}");
    assert_eq!(a, raw_a);
    for (hash, text) in [(b, suites), (c, rest)] {
        let expected =
            if text.is_empty() { "000000000000".to_owned() } else { hex(&Sha256::digest(text))[..12].to_owned() };
        assert_eq!(**hash, expected, "{text}");
    }
}

/// JA4 and JA3N do not see the order of extensions, none sees GREASE.
fn check_relatives(message: &[u8], lists: &HelloLists) {
    let protocol = Protocol::Tcp;
    let mut reversed = lists.clone();
    reversed.extensions.reverse();
    assert_eq!(Ja3n::from_lists(lists).hash(), Ja3n::from_lists(&reversed).hash());
    assert_eq!(Ja4::from_lists(lists, protocol).hash(), Ja4::from_lists(&reversed, protocol).hash());

    let Some(greased) = with_grease(message) else { return };
    let greased = ClientHello::parse(&greased).expect("GREASE breaks nothing");
    let greased = HelloLists::of(&greased).expect("GREASE breaks nothing");
    assert_eq!(Ja3::from_lists(lists).text(), Ja3::from_lists(&greased).text());
    assert_eq!(Ja3n::from_lists(lists).text(), Ja3n::from_lists(&greased).text());
    let (plain, greased) = (Ja4::from_lists(lists, protocol), Ja4::from_lists(&greased, protocol));
    assert_eq!(plain.raw(), greased.raw());
    assert_eq!(plain.original_raw(), greased.original_raw());
    assert_eq!(plain.stable(), greased.stable());
}

/// The message with a GREASE suite in front of the suites and a GREASE extension in front of the extensions.
fn with_grease(message: &[u8]) -> Option<Vec<u8>> {
    let grease = [0x5a, 0x5a];
    let body = message.get(4..)?;
    let session_id = usize::from(*body.get(34)?);
    let (before, rest) = body.split_at_checked(35 + session_id)?;
    let (suites, rest) = vector16(rest)?;
    let methods = usize::from(*rest.first()?);
    let (methods, rest) = rest.split_at_checked(1 + methods)?;
    let mut changed = before.to_vec();
    changed.extend(u16::try_from(suites.len() + 2).ok()?.to_be_bytes());
    changed.extend(grease);
    changed.extend(suites);
    changed.extend(methods);
    if !rest.is_empty() {
        let (extensions, _) = vector16(rest)?;
        changed.extend(u16::try_from(extensions.len() + 5).ok()?.to_be_bytes());
        changed.extend([0x5a, 0x5a, 0, 1, 0]);
        changed.extend(extensions);
    }
    let length = u32::try_from(changed.len()).ok().filter(|length| *length < 1 << 24)?.to_be_bytes();
    Some([&[1][..], &length[1..], &changed].concat())
}

fn vector16(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn check_sslv2(data: &[u8]) {
    if let Ok(header) = Sslv2Header::parse(data) {
        assert!(header.record_length() >= 2);
    }
    if let Ok((hello, rest)) = Sslv2ClientHello::first(data) {
        let record = &data[..data.len() - rest.len()];
        assert_eq!(Sslv2ClientHello::parse(record).as_ref(), Ok(&hello));
        assert_eq!(hello.cipher_specs.iter().count(), hello.cipher_specs.len());
        for length in cuts(record.len()) {
            assert!(Sslv2ClientHello::parse(&record[..length]).is_err(), "{length} of {}", record.len());
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
