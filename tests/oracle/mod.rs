//! Holds our hellos against those of `tls-parser`: every field that both read must be the same. Where the two disagree
//! on purpose, [`KnownDifference`] says so: the one place for it. Used by `tests/tls_parser_oracle.rs` and by the fuzz
//! target `oracle`.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "shared by a test and a fuzz target")]

use handprint::tls::codepoints::is_grease;
use handprint::tls::{ClientHello, ServerHello};
use tls_parser::{TlsClientHelloContents, TlsExtension, TlsExtensionType, TlsMessage, TlsMessageHandshake};

/// Where `tls-parser` 0.12 and we part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownDifference {
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
    /// It calls extension 21 of a ServerHello, padding, by the number of encrypt_then_mac, 22.
    PaddingOfAServer,
}

/// `Ok(None)` where both agree, `Ok(Some)` where they disagree as known, `Err` with what differs otherwise.
pub fn client_difference(message: &[u8]) -> Result<Option<KnownDifference>, String> {
    if message.first() != Some(&1) {
        return Ok(None);
    }
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

/// As [`client_difference`], for a ServerHello of TLS 1.0 to 1.3: of SSL 3.0 it reads no extensions, drafts it knows one.
pub fn server_difference(message: &[u8]) -> Result<Option<KnownDifference>, String> {
    let [2, _, _, _, body @ ..] = message else { return Ok(None) };
    if !matches!(body, [3, 1..=3, ..]) {
        return Ok(None);
    }
    let theirs = tls_parser::parse_tls_handshake_server_hello(body);
    let (ours, theirs) = match (ServerHello::parse_body(body), theirs) {
        (Err(_), Err(_)) => return Ok(None),
        (Ok(ours), Err(_)) if ours.session_id.len() > 32 => return Ok(Some(KnownDifference::LongSessionId)),
        (Ok(_), Err(_)) => return Err("only we accept it".to_owned()),
        (Err(_), Ok((_, theirs))) if theirs.ext.is_none() => return Ok(Some(KnownDifference::BrokenBlockIsNoBlock)),
        (Err(_), Ok((_, theirs))) if !is_framed(theirs.ext.unwrap_or_default()) => {
            return Ok(Some(KnownDifference::StopsAtABrokenExtension));
        }
        (Err(_), Ok(([_, ..], _))) => return Ok(Some(KnownDifference::BytesAfterTheBlock)),
        (Err(error), Ok((_, theirs))) => return Err(format!("only they accept it: {error}, {theirs:?}")),
        (Ok(_), Ok(([_, ..], _))) => return Err("bytes are left that we read".to_owned()),
        (Ok(ours), Ok(([], theirs))) => (ours, theirs),
    };
    same("version", ours.legacy_version.0, theirs.version.0)?;
    same("random", &ours.random[..], theirs.random)?;
    same("session id", ours.session_id, theirs.session_id.unwrap_or_default())?;
    same("suite", ours.cipher_suite.0, theirs.cipher.0)?;
    same("compression", ours.compression_method, theirs.compression.0)?;
    same("block", ours.extensions.is_present().then(|| ours.extensions.as_bytes()), theirs.ext)?;
    let block = theirs.ext.unwrap_or_default();
    let (rest, theirs) = tls_parser::parse_tls_server_hello_extensions(block).map_err(|error| error.to_string())?;
    let mut known = (!rest.is_empty()).then_some(KnownDifference::StopsAtABrokenExtension);
    for (extension, theirs) in ours.extensions.iter().zip(&theirs) {
        let (value, their_value) = (extension.extension_type.0, TlsExtensionType::from(theirs).0);
        match theirs {
            TlsExtension::Grease(type_, _) => {
                same("GREASE", value, *type_)?;
                if !is_grease(value) {
                    known = Some(KnownDifference::GreaseByMask);
                }
            }
            _ if value == 21 && their_value == 22 => known = Some(KnownDifference::PaddingOfAServer),
            _ => same("extension type", value, their_value)?,
        }
    }
    if rest.is_empty() && ours.extensions.count() != theirs.len() {
        return Err("another number of extensions".to_owned());
    }
    Ok(known)
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
    if !after.is_empty() {
        return None;
    }
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
