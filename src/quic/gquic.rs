//! Google's QUIC before TLS: its public header and the tags of its client hello (CHLO).
//!
//! Only recognised: versions Q0NN have a handshake of their own, which is not TLS.

use super::Version;
use crate::cursor::{Cursor, ParseError};

/// A packet of Google's QUIC that names its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoogleQuic<'a> {
    /// The version: `Q0NN`.
    pub version: Version,
    /// The client hello in the packet, where there is one.
    pub chlo: Option<Chlo<'a>>,
}

/// A client hello: a map of four-letter tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chlo<'a> {
    index: &'a [u8],
    values: &'a [u8],
}

impl<'a> GoogleQuic<'a> {
    /// Reads a datagram from a client that names its version.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when it is no such datagram.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, ParseError> {
        const STRUCTURE: &str = "Google QUIC header";
        const OTHER: ParseError = ParseError::Invalid { structure: STRUCTURE, reason: "not a version of Google QUIC" };
        let mut cursor = Cursor::new(datagram);
        let first = cursor.u8(STRUCTURE)?;
        let version = if first & 0x80 != 0 {
            Version(cursor.u32(STRUCTURE)?)
        } else if first & 0x09 == 0x09 && first & 0xc0 == 0 {
            // Version flag, an eight byte connection id, no reset and nothing reserved.
            cursor.take(8, STRUCTURE)?;
            Version(cursor.u32(STRUCTURE)?)
        } else {
            return Err(OTHER);
        };
        if !version.is_google_crypto() {
            return Err(OTHER);
        }
        Ok(Self { version, chlo: Chlo::find(cursor.rest()) })
    }
}

impl<'a> Chlo<'a> {
    /// Finds a client hello in the bytes of a packet.
    #[must_use]
    pub fn find(bytes: &'a [u8]) -> Option<Self> {
        let at = memchr::memmem::find(bytes, b"CHLO")?;
        let mut cursor = Cursor::new(bytes.get(at..)?);
        cursor.u32("CHLO").ok()?;
        let [low, high, 0, 0] = cursor.array::<4>("CHLO").ok()? else { return None };
        let count = usize::from(u16::from_le_bytes([*low, *high]));
        let index = cursor.take(count.checked_mul(8)?, "CHLO").ok()?;
        (count > 0).then_some(Self { index, values: cursor.rest() })
    }

    /// The value of a tag, as far as it is in the packet.
    #[must_use]
    pub fn get(&self, tag: &[u8; 4]) -> Option<&'a [u8]> {
        let mut start = 0;
        for entry in self.index.as_chunks::<8>().0 {
            let [a, b, c, d, end @ ..] = entry;
            let end = usize::try_from(u32::from_le_bytes(*end)).ok()?;
            if [*a, *b, *c, *d] == *tag {
                return self.values.get(start..end);
            }
            start = end;
        }
        None
    }

    /// The server name (`SNI`).
    #[must_use]
    pub fn server_name(&self) -> Option<&'a [u8]> {
        self.get(b"SNI\0")
    }

    /// The user agent (`UAID`).
    #[must_use]
    pub fn user_agent(&self) -> Option<&'a [u8]> {
        self.get(b"UAID")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_version_name_and_agent() {
        let mut datagram = vec![0x0d, 1, 2, 3, 4, 5, 6, 7, 8];
        datagram.extend_from_slice(
            b"Q043\x01hashhashhash\xa0\x01\x04CHLO\x02\x00\x00\x00SNI\x00\x03\x00\x00\x00UAID\x06\x00\x00\x00a.bxyz",
        );
        let found = GoogleQuic::parse(&datagram);
        assert_eq!(found.map(|found| found.version.to_string()), Ok("Q043".to_owned()));
        let chlo = found.ok().and_then(|found| found.chlo);
        assert_eq!(chlo.and_then(|chlo| chlo.server_name()), Some(&b"a.b"[..]));
        assert_eq!(chlo.and_then(|chlo| chlo.user_agent()), Some(&b"xyz"[..]));
        for length in 0..datagram.len() {
            let _ = GoogleQuic::parse(datagram.get(..length).unwrap_or_default());
        }
        assert!(GoogleQuic::parse(b"\x0d12345678T051").is_err());
        assert!(GoogleQuic::parse(b"\x4d12345678Q043").is_err());
    }
}
