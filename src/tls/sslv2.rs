//! SSL 2.0 hellos (draft-hickman-netscape-ssl-00; RFC 5246 appendix E.2 for hellos of later versions in its format).
//!
//! A record is a length of 15 bits behind a set bit, or of 14 bits with padding, and then its body. A CLIENT-HELLO
//! in this format may offer any version: one of SSL 3.0 or above asks for that version's ServerHello.

use super::bounded;
use super::codepoints::ProtocolVersion;
use crate::cursor::{Cursor, ParseError};

/// Message types of SSL 2.0 that travel unencrypted.
pub mod message_type {
    /// ERROR.
    pub const ERROR: u8 = 0;
    /// CLIENT-HELLO.
    pub const CLIENT_HELLO: u8 = 1;
    /// CLIENT-MASTER-KEY.
    pub const CLIENT_MASTER_KEY: u8 = 2;
    /// SERVER-HELLO.
    pub const SERVER_HELLO: u8 = 4;
}

/// What stands before each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sslv2Header {
    /// Bytes of this header: 2, or 3 with a padding length.
    pub size: u8,
    /// Bytes of the body, padding included.
    pub length: u16,
    /// Bytes of padding at the body's end.
    pub padding: u8,
}

impl Sslv2Header {
    /// Reads the header at the start of `bytes`; what follows it is not looked at.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the header is cut, [`ParseError::Invalid`] when there is more padding than body.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        const STRUCTURE: &str = "SSL 2.0 record header";
        let mut cursor = Cursor::new(bytes);
        let word = cursor.u16(STRUCTURE)?;
        if word & 0x8000 != 0 {
            return Ok(Self { size: 2, length: word & 0x7fff, padding: 0 });
        }
        let padding = cursor.u8(STRUCTURE)?;
        let length = word & 0x3fff;
        if u16::from(padding) > length {
            return Err(ParseError::Invalid { structure: STRUCTURE, reason: "more padding than body" });
        }
        Ok(Self { size: 3, length, padding })
    }

    /// Bytes of the whole record, header included.
    #[must_use]
    pub fn record_length(&self) -> usize {
        usize::from(self.size) + usize::from(self.length)
    }
}

/// A CLIENT-HELLO in SSL 2.0 format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sslv2ClientHello<'a> {
    /// The highest version offered: `0x0002`, or `0x0300` and above for a later version in this format.
    pub version: ProtocolVersion,
    /// The cipher specs, those of later versions included.
    pub cipher_specs: CipherSpecs<'a>,
    /// The session to resume; empty for none.
    pub session_id: &'a [u8],
    /// The client's random value, 16 to 32 bytes.
    pub challenge: &'a [u8],
}

impl<'a> Sslv2ClientHello<'a> {
    /// Reads exactly one record: header and message.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the record goes on past `record` and what is there may be a CLIENT-HELLO;
    /// [`ParseError::Invalid`] as soon as a byte says that it is none.
    pub fn parse(record: &'a [u8]) -> Result<Self, ParseError> {
        let (hello, rest) = Self::first(record)?;
        Cursor::new(rest).finish(CLIENT_HELLO)?;
        Ok(hello)
    }

    /// Reads the record at the start of `bytes`, and yields what follows it.
    ///
    /// # Errors
    /// As [`Sslv2ClientHello::parse`], except for bytes that follow.
    pub fn first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), ParseError> {
        let header = Sslv2Header::parse(bytes)?;
        let mut cursor = Cursor::new(bytes);
        cursor.take(usize::from(header.size), CLIENT_HELLO)?;
        check_start(&header, cursor, message_type::CLIENT_HELLO, CLIENT_HELLO, 9)?;
        let body = take_body(&mut cursor, &header, CLIENT_HELLO)?;
        Ok((bounded(Self::read(body))?, cursor.rest()))
    }

    fn read(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(body);
        cursor.u8(CLIENT_HELLO)?;
        let version = ProtocolVersion(cursor.u16(CLIENT_HELLO)?);
        if !matches!(version.0, 0x0002 | 0x0300..=0x0304) {
            return Err(ParseError::Invalid {
                structure: CLIENT_HELLO,
                reason: "version is none of SSL 2.0 to TLS 1.3",
            });
        }
        let specs_length = cursor.u16(CLIENT_HELLO)?;
        let session_id_length = cursor.u16(CLIENT_HELLO)?;
        let challenge_length = cursor.u16(CLIENT_HELLO)?;
        let cipher_specs = CipherSpecs::new(cursor.take(usize::from(specs_length), CLIENT_HELLO)?, CLIENT_HELLO)?;
        let session_id = cursor.take(usize::from(session_id_length), CLIENT_HELLO)?;
        let challenge = cursor.take(usize::from(challenge_length), CLIENT_HELLO)?;
        cursor.finish(CLIENT_HELLO)?;
        if cipher_specs.is_empty() {
            return Err(ParseError::Invalid { structure: CLIENT_HELLO, reason: "no cipher specs" });
        }
        if !(16..=32).contains(&challenge.len()) || session_id.len() > 32 {
            return Err(ParseError::Invalid { structure: CLIENT_HELLO, reason: "impossible challenge or session id" });
        }
        Ok(Self { version, cipher_specs, session_id, challenge })
    }
}

/// A SERVER-HELLO of SSL 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sslv2ServerHello<'a> {
    /// Whether the session is resumed; then certificate and cipher specs are empty.
    pub session_id_hit: bool,
    /// The certificate's type: 1 X.509, 0 with a session hit.
    pub certificate_type: u8,
    /// The version selected.
    pub version: ProtocolVersion,
    /// The server's certificate in DER.
    pub certificate: &'a [u8],
    /// The cipher specs the server shares; the client selects from them.
    pub cipher_specs: CipherSpecs<'a>,
    /// The connection's id.
    pub connection_id: &'a [u8],
}

impl<'a> Sslv2ServerHello<'a> {
    /// Reads exactly one record: header and message.
    ///
    /// # Errors
    /// As [`Sslv2ClientHello::parse`].
    pub fn parse(record: &'a [u8]) -> Result<Self, ParseError> {
        let (hello, rest) = Self::first(record)?;
        Cursor::new(rest).finish(SERVER_HELLO)?;
        Ok(hello)
    }

    /// Reads the record at the start of `bytes`, and yields what follows it.
    ///
    /// # Errors
    /// As [`Sslv2ClientHello::first`].
    pub fn first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), ParseError> {
        let header = Sslv2Header::parse(bytes)?;
        let mut cursor = Cursor::new(bytes);
        cursor.take(usize::from(header.size), SERVER_HELLO)?;
        check_start(&header, cursor, message_type::SERVER_HELLO, SERVER_HELLO, 11)?;
        let body = take_body(&mut cursor, &header, SERVER_HELLO)?;
        Ok((bounded(Self::read(body))?, cursor.rest()))
    }

    fn read(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(body);
        cursor.u8(SERVER_HELLO)?;
        let session_id_hit = cursor.u8(SERVER_HELLO)? != 0;
        let certificate_type = cursor.u8(SERVER_HELLO)?;
        let version = ProtocolVersion(cursor.u16(SERVER_HELLO)?);
        if version != ProtocolVersion::SSL2 {
            return Err(ParseError::Invalid { structure: SERVER_HELLO, reason: "version is not SSL 2.0" });
        }
        let certificate_length = cursor.u16(SERVER_HELLO)?;
        let specs_length = cursor.u16(SERVER_HELLO)?;
        let connection_id_length = cursor.u16(SERVER_HELLO)?;
        let certificate = cursor.take(usize::from(certificate_length), SERVER_HELLO)?;
        let cipher_specs = CipherSpecs::new(cursor.take(usize::from(specs_length), SERVER_HELLO)?, SERVER_HELLO)?;
        let connection_id = cursor.take(usize::from(connection_id_length), SERVER_HELLO)?;
        cursor.finish(SERVER_HELLO)?;
        Ok(Self { session_id_hit, certificate_type, version, certificate, cipher_specs, connection_id })
    }
}

/// A list of cipher specs of three bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CipherSpecs<'a> {
    specs: &'a [[u8; 3]],
}

impl<'a> CipherSpecs<'a> {
    fn new(bytes: &'a [u8], structure: &'static str) -> Result<Self, ParseError> {
        match bytes.as_chunks::<3>() {
            (specs, []) => Ok(Self { specs }),
            _ => Err(ParseError::Invalid { structure, reason: "cipher specs are not three bytes each" }),
        }
    }

    /// The specs in wire order, below 2^24: see [`SslV2CipherSpec`](super::codepoints::SslV2CipherSpec). A value
    /// below 2^16 is a suite of SSL 3.0 or above.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u32> + Clone + use<'a> {
        self.specs.iter().map(|[a, b, c]| u32::from_be_bytes([0, *a, *b, *c]))
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.specs.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }
}

const CLIENT_HELLO: &str = "SSL 2.0 CLIENT-HELLO";
const SERVER_HELLO: &str = "SSL 2.0 SERVER-HELLO";

/// Tells by length and type that a record cannot be the message looked for, before the whole record is there.
fn check_start(
    header: &Sslv2Header,
    body: Cursor<'_>,
    message_type: u8,
    structure: &'static str,
    least: u16,
) -> Result<(), ParseError> {
    if header.length - u16::from(header.padding) < least {
        return Err(ParseError::Invalid { structure, reason: "record too short" });
    }
    match body.peek().first() {
        Some(found) if *found != message_type => Err(ParseError::Invalid { structure, reason: "another message type" }),
        _ => Ok(()),
    }
}

fn take_body<'a>(
    cursor: &mut Cursor<'a>,
    header: &Sslv2Header,
    structure: &'static str,
) -> Result<&'a [u8], ParseError> {
    let padded = cursor.take(usize::from(header.length), structure)?;
    bounded(Cursor::new(padded).take(padded.len().saturating_sub(usize::from(header.padding)), structure))
}

#[cfg(test)]
#[expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn client_hello(version: [u8; 2]) -> Vec<u8> {
        let mut record = vec![0x80, 9 + 6 + 16, 1, version[0], version[1], 0, 6, 0, 0, 0, 16];
        record.extend([0x07, 0x00, 0xc0, 0x00, 0x00, 0x2f]);
        record.extend([5; 16]);
        record
    }

    #[test]
    fn reads_a_client_hello_of_any_version() {
        for version in [[0, 2], [3, 0], [3, 1], [3, 3]] {
            let record = client_hello(version);
            let hello = Sslv2ClientHello::parse(&record).expect("sound");
            assert_eq!(hello.version, ProtocolVersion(u16::from_be_bytes(version)));
            assert_eq!(hello.cipher_specs.iter().collect::<Vec<_>>(), [0x0007_00c0, 0x2f]);
            assert_eq!((hello.session_id, hello.challenge), (&[][..], &[5; 16][..]));
        }
    }

    #[test]
    fn reads_a_header_with_padding() {
        let two = client_hello([0, 2]);
        let mut three = vec![0x00, two[1] + 3, 3];
        three.extend(&two[2..]);
        three.extend([0xff; 3]);
        assert_eq!(Sslv2ClientHello::parse(&three), Sslv2ClientHello::parse(&two));
        assert!(Sslv2Header::parse(&[0, 2, 3]).is_err());
    }

    #[test]
    fn reads_a_server_hello() {
        let mut record = vec![0x80, 11 + 2 + 3 + 16, 4, 0, 1, 0, 2, 0, 2, 0, 3, 0, 16, 0x30, 0x00, 1, 0, 0x80];
        record.extend([9; 16]);
        let hello = Sslv2ServerHello::parse(&record).expect("sound");
        assert!(!hello.session_id_hit);
        assert_eq!((hello.certificate_type, hello.certificate), (1, &[0x30, 0][..]));
        assert_eq!((hello.cipher_specs.iter().next(), hello.connection_id.len()), (Some(0x01_0080), 16));
        for length in 0..record.len() {
            assert!(
                matches!(Sslv2ServerHello::parse(&record[..length]), Err(ParseError::Incomplete { .. })),
                "{length}"
            );
        }
    }

    #[test]
    fn rejects_every_prefix_as_incomplete() {
        let record = client_hello([0, 2]);
        for length in 0..record.len() {
            let result = Sslv2ClientHello::parse(&record[..length]);
            assert!(matches!(result, Err(ParseError::Incomplete { .. })), "cut at {length}: {result:?}");
        }
    }

    #[test]
    fn rejects_what_only_looks_like_a_client_hello() {
        let change = |at: usize, value: u8| {
            let mut record = client_hello([0, 2]);
            record[at] = value;
            Sslv2ClientHello::first(&record).map(|_| ())
        };
        for (at, value) in [(1, 8), (1, 30), (2, 4), (3, 9), (6, 5), (6, 0), (10, 15), (8, 1)] {
            assert!(matches!(change(at, value), Err(ParseError::Invalid { .. })), "byte {at} as {value}");
        }
        let trailing = [client_hello([0, 2]), vec![0]].concat();
        assert!(Sslv2ClientHello::parse(&trailing).is_err() && Sslv2ClientHello::first(&trailing).is_ok());
    }
}
