//! The record layer's five-byte header (RFC 8446 section 5.1, RFC 5246 section 6.2).

use super::codepoints::ProtocolVersion;
use crate::cursor::{Cursor, ParseError};

/// The longest record body any version allows: 2^14 bytes of content and 2048 of protection (RFC 5246 section 6.2.3).
pub const MAX_RECORD_LENGTH: u16 = 16_384 + 2_048;

/// Content types (IANA "TLS ContentType").
pub mod content_type {
    /// change_cipher_spec.
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    /// alert.
    pub const ALERT: u8 = 21;
    /// handshake.
    pub const HANDSHAKE: u8 = 22;
    /// application_data; in TLS 1.3 everything that is encrypted.
    pub const APPLICATION_DATA: u8 = 23;
    /// heartbeat (RFC 6520).
    pub const HEARTBEAT: u8 = 24;
    /// tls12_cid (RFC 9146), DTLS only.
    pub const TLS12_CID: u8 = 25;
    /// ACK (RFC 9147), DTLS only.
    pub const ACK: u8 = 26;
}

/// What stands before each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// One of [`content_type`].
    pub content_type: u8,
    /// The record layer's version. Says nothing of the version negotiated.
    pub version: ProtocolVersion,
    /// Bytes of the record after this header.
    pub length: u16,
}

impl RecordHeader {
    /// Bytes of the header itself.
    pub const SIZE: usize = 5;

    /// Reads the header at the start of `bytes`; what follows it is not looked at.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] as soon as one byte at hand cannot start a TLS record: a content type outside 20 to
    /// 26, a version outside `0x0300` to `0x0304` and `0x7fxx` (drafts of TLS 1.3), a length above
    /// [`MAX_RECORD_LENGTH`]. [`ParseError::Incomplete`] when fewer than five bytes are there and they may yet be one.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        const INVALID_TYPE: ParseError = invalid("unknown content type");
        const INVALID_VERSION: ParseError = invalid("version is none of SSL 3.0 to TLS 1.3");
        let mut cursor = Cursor::new(bytes);
        let missing = Self::SIZE.saturating_sub(bytes.len());
        let incomplete = |_| ParseError::Incomplete { structure: STRUCTURE, needed: missing };

        let content_type = cursor.u8(STRUCTURE).map_err(incomplete)?;
        if !(content_type::CHANGE_CIPHER_SPEC..=content_type::ACK).contains(&content_type) {
            return Err(INVALID_TYPE);
        }
        let major = cursor.u8(STRUCTURE).map_err(incomplete)?;
        if major != 0x03 && major != 0x7f {
            return Err(INVALID_VERSION);
        }
        let minor = cursor.u8(STRUCTURE).map_err(incomplete)?;
        if major == 0x03 && minor > 0x04 {
            return Err(INVALID_VERSION);
        }
        let length = cursor.u16(STRUCTURE).map_err(incomplete)?;
        if length > MAX_RECORD_LENGTH {
            return Err(invalid("longer than any version allows"));
        }
        Ok(Self { content_type, version: ProtocolVersion(u16::from_be_bytes([major, minor])), length })
    }
}

const STRUCTURE: &str = "record header";

const fn invalid(reason: &'static str) -> ParseError {
    ParseError::Invalid { structure: STRUCTURE, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_every_version_of_the_record_layer() {
        for version in [0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x7f12] {
            let [major, minor] = u16::to_be_bytes(version);
            let header = RecordHeader::parse(&[22, major, minor, 2, 0, 1]);
            let version = ProtocolVersion(version);
            assert_eq!(header, Ok(RecordHeader { content_type: 22, version, length: 0x200 }));
        }
    }

    #[test]
    fn rejects_what_cannot_be_a_record_at_the_first_byte_that_says_so() {
        for bytes in [&b"GET / HT"[..], &[22, 2], &[22, 3, 5], &[22, 3, 1, 0x48, 0x01], &[19], &[27], &[0x80, 0x2e]] {
            assert!(matches!(RecordHeader::parse(bytes), Err(ParseError::Invalid { .. })), "{bytes:?}");
        }
        assert!(RecordHeader::parse(&[22, 3, 1, 0x48, 0x00]).is_ok());
    }

    #[test]
    fn asks_for_the_rest_of_a_header() {
        let whole = [22, 3, 1, 0, 9];
        for length in 0..whole.len() {
            let error = RecordHeader::parse(whole.get(..length).unwrap_or_default());
            assert_eq!(error, Err(ParseError::Incomplete { structure: STRUCTURE, needed: 5 - length }));
        }
    }
}
