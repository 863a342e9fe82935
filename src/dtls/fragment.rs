//! Fragments of handshake messages (RFC 6347 section 4.2.2, RFC 9147 section 5.5).

use crate::cursor::{Cursor, ParseError};
use crate::tls::codepoints::ProtocolVersion;

/// A piece of a handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// The type of the message.
    pub message_type: u8,
    /// Bytes of the whole message's body, below 2^24.
    pub length: usize,
    /// The message's number in its sender's handshake.
    pub sequence: u16,
    /// Where in the body this piece begins.
    pub offset: usize,
    /// The piece, as far as captured.
    pub data: &'a [u8],
    /// Bytes of the piece that were not captured.
    pub cut: usize,
}

impl<'a> Fragment<'a> {
    /// Bytes of the header itself.
    pub const SIZE: usize = 12;

    /// Reads the first fragment in a record's body and what comes after it. `cut` bytes of the body were not captured.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the header is cut, [`ParseError::Invalid`] when the piece does not fit into its
    /// message or its record.
    pub fn first(body: &'a [u8], cut: usize) -> Result<(Self, &'a [u8]), ParseError> {
        const STRUCTURE: &str = "DTLS handshake header";
        let mut cursor = Cursor::new(body);
        let message_type = cursor.u8(STRUCTURE)?;
        let length = cursor.u24(STRUCTURE)?;
        let sequence = cursor.u16(STRUCTURE)?;
        let offset = cursor.u24(STRUCTURE)?;
        let size = cursor.u24(STRUCTURE)?;
        if offset.saturating_add(size) > length {
            return Err(ParseError::Invalid { structure: STRUCTURE, reason: "fragment beyond its message" });
        }
        let usize_of = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
        let missing = usize_of(size).saturating_sub(cursor.remaining());
        if missing > cut {
            return Err(ParseError::Invalid { structure: STRUCTURE, reason: "fragment beyond its record" });
        }
        let data = cursor.take(usize_of(size).saturating_sub(missing), STRUCTURE)?;
        let (length, offset) = (usize_of(length), usize_of(offset));
        Ok((Self { message_type, length, sequence, offset, data, cut: missing }, cursor.rest()))
    }

    /// Whether the piece is the whole message.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.offset == 0 && self.data.len() == self.length
    }
}

/// HelloVerifyRequest (RFC 6347 section 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelloVerifyRequest<'a> {
    /// A version, which says nothing of the one to be negotiated.
    pub server_version: ProtocolVersion,
    /// What the client shall repeat in its next hello.
    pub cookie: &'a [u8],
}

impl<'a> HelloVerifyRequest<'a> {
    /// Reads the body of a whole message.
    ///
    /// # Errors
    /// [`ParseError`] when the body contradicts itself.
    pub fn parse_body(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(body);
        let server_version = ProtocolVersion(cursor.u16("HelloVerifyRequest.server_version")?);
        let cookie = cursor.vec8("HelloVerifyRequest.cookie")?;
        cursor.finish("HelloVerifyRequest")?;
        Ok(Self { server_version, cookie })
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const PIECE: [u8; 16] = [11, 0, 1, 0, 0, 3, 0, 0, 16, 0, 0, 3, 7, 8, 9, 1];

    #[test]
    fn reads_a_piece_and_what_follows() {
        let (piece, rest) = Fragment::first(&PIECE, 0).unwrap();
        let expected = Fragment { message_type: 11, length: 256, sequence: 3, offset: 16, data: &[7, 8, 9], cut: 0 };
        assert_eq!((piece, rest), (expected, &[1][..]));
        assert!(!piece.is_whole());
        for length in 0..15 {
            assert!(Fragment::first(&PIECE[..length], 0).is_err());
        }
        assert_eq!(Fragment::first(&PIECE[..14], 1).unwrap().0, Fragment { data: &[7, 8], cut: 1, ..expected });
    }

    #[test]
    fn rejects_a_piece_beyond_its_message() {
        let mut piece = PIECE;
        piece[7] = 0xff;
        assert!(matches!(Fragment::first(&piece, 0), Err(ParseError::Invalid { .. })));
    }

    #[test]
    fn reads_a_hello_verify_request() {
        let request = HelloVerifyRequest::parse_body(&[0xfe, 0xff, 2, 5, 6]).unwrap();
        assert_eq!((request.server_version, request.cookie), (ProtocolVersion::DTLS10, &[5, 6][..]));
        assert!(HelloVerifyRequest::parse_body(&[0xfe, 0xff, 2, 5]).is_err());
        assert!(HelloVerifyRequest::parse_body(&[0xfe, 0xff, 1, 5, 6]).is_err());
    }
}
