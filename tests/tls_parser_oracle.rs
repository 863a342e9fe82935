//! Holds our ClientHello against that of `tls-parser`: every field that both read must be the same, over real hellos
//! and every one of their single-byte changes. Where the two disagree on purpose, [`KnownDifference`] says so: the one
//! place for it.
#![expect(
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::Path;

use handprint::tls::ClientHello;
use handprint::tls::codepoints::is_grease;
use tls_parser::{TlsClientHelloContents, TlsExtension, TlsExtensionType, TlsMessage, TlsMessageHandshake};

/// Where `tls-parser` 0.12 and we part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum KnownDifference {
    /// It takes what follows the compression methods and is no whole extension block for no extensions at all: a hello
    /// with other fingerprints. We reject the hello.
    BrokenBlockIsNoBlock,
    /// It leaves bytes after the extension block unread. We reject the hello.
    BytesAfterTheBlock,
    /// It stops at the first extension whose body it cannot read, and drops it and all that follow. We keep every
    /// extension by type and body, and say which body is broken when asked for it.
    StopsAtABrokenExtension,
    /// It takes any type of the form `0x?a?a` for GREASE. RFC 8701 has both bytes equal.
    GreaseByMask,
    /// It rejects a session id above 32 bytes. We keep it: the framing holds.
    LongSessionId,
    /// It accepts bytes after a list inside an extension's body. We call that body broken.
    BytesAfterAList,
}

#[test]
fn agrees_with_tls_parser_but_for_known_differences() {
    let mut met = BTreeSet::new();
    let mut compared = 0;
    for (name, message) in hellos() {
        assert_eq!(difference(&message), Ok(None), "{name}");
        // The header's length stays as it is: it is not what is compared.
        for position in 4..message.len() {
            for change in [0x01, 0x10, 0x80, 0xff] {
                let mut changed = message.clone();
                changed[position] ^= change;
                match difference(&changed) {
                    Ok(known) => met.extend(known),
                    Err(what) => panic!("{name}, byte {position} changed by {change:#04x}: {what}"),
                }
                compared += 1;
            }
        }
    }
    assert!(compared > 5_000, "{compared}");
    // What a change of one byte does not reach.
    for message in [crafted(&[5; 33], &[]), crafted(&[], &[0, 4, 0x0a, 0x1a, 0, 0])] {
        met.extend(difference(&message).expect("a known difference"));
    }
    let all = [
        KnownDifference::BrokenBlockIsNoBlock,
        KnownDifference::BytesAfterTheBlock,
        KnownDifference::StopsAtABrokenExtension,
        KnownDifference::GreaseByMask,
        KnownDifference::LongSessionId,
        KnownDifference::BytesAfterAList,
    ];
    assert_eq!(met, BTreeSet::from(all), "a difference that no longer occurs is to be taken off the list");
}

/// `Ok(None)` where both agree, `Ok(Some)` where they disagree as known, `Err` with what differs otherwise.
fn difference(message: &[u8]) -> Result<Option<KnownDifference>, String> {
    let ours = ClientHello::parse(message);
    let theirs = parse_with_oracle(message);
    let (ours, theirs) = match (ours, theirs) {
        (Err(_), None) => return Ok(None),
        (Ok(ours), None) if ours.session_id.len() > 32 => return Ok(Some(KnownDifference::LongSessionId)),
        (Ok(_), None) => return Err("only we accept it".to_owned()),
        (Err(_), Some((theirs, []))) if theirs.ext.is_none() => return Ok(Some(KnownDifference::BrokenBlockIsNoBlock)),
        (Err(_), Some((theirs, []))) if !is_framed(theirs.ext.unwrap()) => {
            return Ok(Some(KnownDifference::StopsAtABrokenExtension));
        }
        (Err(error), Some((theirs, []))) => return Err(format!("only they accept it: {error}, {theirs:?}")),
        (Err(_), Some((theirs, _))) if theirs.ext.is_none() => return Ok(Some(KnownDifference::BrokenBlockIsNoBlock)),
        (Err(_), Some(_)) => return Ok(Some(KnownDifference::BytesAfterTheBlock)),
        (Ok(_), Some((_, [_, ..]))) => return Err("bytes are left that we read".to_owned()),
        (Ok(ours), Some((theirs, []))) => (ours, theirs),
    };
    same("version", ours.legacy_version.0, theirs.version.0)?;
    same("random", &ours.random[..], theirs.random)?;
    same("session id", ours.session_id, theirs.session_id.unwrap_or_default())?;
    same("suites", ours.cipher_suites.iter().map(|suite| suite.0).collect(), list(&theirs.ciphers, |suite| suite.0))?;
    same("compression", ours.compression_methods.to_vec(), list(&theirs.comp, |method| method.0))?;
    same("block", ours.extensions.is_present().then(|| ours.extensions.as_bytes()), theirs.ext)?;
    compare_extensions(&ours, theirs.ext.unwrap_or_default())
}

fn compare_extensions(ours: &ClientHello<'_>, block: &[u8]) -> Result<Option<KnownDifference>, String> {
    let (rest, theirs) = tls_parser::parse_tls_client_hello_extensions(block).map_err(|error| error.to_string())?;
    let mut known = None;
    for (extension, theirs) in ours.extensions.iter().zip(&theirs) {
        let value = extension.extension_type.0;
        match theirs {
            TlsExtension::Grease(type_, data) => {
                same("GREASE", (value, extension.data), (*type_, data))?;
                if !is_grease(value) {
                    known = Some(KnownDifference::GreaseByMask);
                }
                continue;
            }
            _ => same("extension type", value, TlsExtensionType::from(theirs).0)?,
        }
        // A second extension of a type is not the one our accessor reads.
        if ours.extensions.find(extension.extension_type).map(<[u8]>::as_ptr) != Some(extension.data.as_ptr()) {
            continue;
        }
        if let Err(what) = compare_body(ours, theirs) {
            match what {
                Mismatch::OnlyTheyAccept => known = Some(KnownDifference::BytesAfterAList),
                Mismatch::Differs(what) => return Err(what),
            }
        }
    }
    if !rest.is_empty() {
        if ours.extensions.count() == theirs.len() {
            return Err(format!("{} bytes left of a block we read whole", rest.len()));
        }
        known = Some(KnownDifference::StopsAtABrokenExtension);
    } else if ours.extensions.count() != theirs.len() {
        return Err("another number of extensions".to_owned());
    }
    Ok(known)
}

enum Mismatch {
    OnlyTheyAccept,
    Differs(String),
}

impl From<String> for Mismatch {
    fn from(what: String) -> Self {
        Self::Differs(what)
    }
}

fn compare_body(ours: &ClientHello<'_>, theirs: &TlsExtension<'_>) -> Result<(), Mismatch> {
    fn read<T>(result: Result<Option<T>, handprint::cursor::ParseError>) -> Result<T, Mismatch> {
        result.map_err(|_| Mismatch::OnlyTheyAccept)?.ok_or(Mismatch::Differs("not found".to_owned()))
    }
    match theirs {
        TlsExtension::SNI(names) => {
            let name = ours.server_name().map_err(|_| Mismatch::OnlyTheyAccept)?;
            let first = names.iter().find(|(kind, _)| kind.0 == 0).map(|(_, name)| *name);
            same("server name", name.map(|name| name.0), first)?;
        }
        TlsExtension::EllipticCurves(groups) => {
            let found = read(ours.supported_groups())?.iter().map(|group| group.0).collect();
            same("groups", found, list(groups, |group| group.0))?;
        }
        TlsExtension::EcPointFormats(formats) => same("formats", read(ours.ec_point_formats())?, formats)?,
        TlsExtension::SignatureAlgorithms(schemes) => {
            let found = read(ours.signature_algorithms())?.iter().map(|scheme| scheme.0).collect();
            same("schemes", found, schemes.clone())?;
        }
        TlsExtension::SupportedVersions(versions) => {
            let found = read(ours.supported_versions())?.iter().map(|version| version.0).collect();
            same("versions", found, list(versions, |version| version.0))?;
        }
        TlsExtension::ALPN(names) => same("ALPN", read(ours.alpn())?.iter().collect(), names.clone())?,
        TlsExtension::PskExchangeModes(modes) => {
            same("modes", read(ours.psk_key_exchange_modes())?.to_vec(), modes.clone())?;
        }
        TlsExtension::RecordSizeLimit(limit) => same("limit", read(ours.record_size_limit())?, *limit)?,
        TlsExtension::MaxFragmentLength(code) => same("fragment", read(ours.max_fragment_length())?, *code)?,
        TlsExtension::Heartbeat(mode) => same("heartbeat", read(ours.heartbeat_mode())?, *mode)?,
        TlsExtension::RenegotiationInfo(info) => same("renegotiation", read(ours.renegotiation_info())?, info)?,
        TlsExtension::SessionTicket(ticket) => same("ticket", ours.session_ticket_length(), Some(ticket.len()))?,
        TlsExtension::Padding(padding) => same("padding", ours.padding_length(), Some(padding.len()))?,
        _ => {}
    }
    Ok(())
}

fn parse_with_oracle(message: &[u8]) -> Option<(TlsClientHelloContents<'_>, &[u8])> {
    let (after, parsed) = tls_parser::parse_tls_message_handshake(message).ok()?;
    assert!(after.is_empty());
    match parsed {
        TlsMessage::Handshake(TlsMessageHandshake::ClientHello(_)) => {
            // Parsed once more without the header, to see what it leaves unread.
            let (rest, hello) = tls_parser::parse_tls_handshake_client_hello(&message[4..]).ok()?;
            Some((hello, rest))
        }
        _ => None,
    }
}

/// Whether a block is a whole number of extensions.
fn is_framed(mut block: &[u8]) -> bool {
    while let [_, _, high, low, rest @ ..] = block {
        match rest.get(usize::from(u16::from_be_bytes([*high, *low]))..) {
            Some(after) => block = after,
            None => return false,
        }
    }
    block.is_empty()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: T, theirs: T) -> Result<(), String> {
    if ours == theirs { Ok(()) } else { Err(format!("{what}: {ours:?}, theirs {theirs:?}")) }
}

fn list<T, N>(values: &[T], number: impl Fn(&T) -> N) -> Vec<N> {
    values.iter().map(number).collect()
}

/// A hello of TLS 1.2 with one suite.
fn crafted(session_id: &[u8], extensions: &[u8]) -> Vec<u8> {
    let length = u8::try_from(session_id.len()).unwrap();
    let body = [&[3, 3][..], &[7; 32], &[length], session_id, &[0, 2, 0, 0x2f, 1, 0], extensions].concat();
    [&[1, 0, 0, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

fn hellos() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hello");
    let mut hellos = Vec::new();
    for entry in std::fs::read_dir(folder).expect("tests/data/hello") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "hex") {
            let text = std::fs::read_to_string(&path).expect("text");
            let digits: Vec<u8> =
                text.trim().bytes().map(|digit| (digit as char).to_digit(16).unwrap() as u8).collect();
            let bytes = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
            hellos.push((path.file_stem().unwrap().to_string_lossy().into_owned(), bytes));
        }
    }
    hellos.sort();
    assert!(!hellos.is_empty());
    hellos
}
