//! The handshake layer's framing: a type, a 24-bit length, a body (RFC 8446 section 4, RFC 5246 section 7.4).
//!
//! Messages ignore record boundaries: one may span records, one record may hold several.

use super::bounded;
use crate::cursor::{Cursor, ParseError};

/// Handshake types (IANA "TLS HandshakeType").
pub mod message_type {
    use crate::tls::codepoints::HandshakeType;

    /// hello_request (TLS 1.2 and before).
    pub const HELLO_REQUEST: u8 = 0;
    /// client_hello.
    pub const CLIENT_HELLO: u8 = 1;
    /// server_hello.
    pub const SERVER_HELLO: u8 = 2;
    /// hello_verify_request (DTLS 1.2 and before).
    pub const HELLO_VERIFY_REQUEST: u8 = 3;
    /// new_session_ticket.
    pub const NEW_SESSION_TICKET: u8 = 4;
    /// end_of_early_data.
    pub const END_OF_EARLY_DATA: u8 = 5;
    /// hello_retry_request, a message of its own only in drafts of TLS 1.3 before 22.
    pub const HELLO_RETRY_REQUEST: u8 = 6;
    /// encrypted_extensions.
    pub const ENCRYPTED_EXTENSIONS: u8 = 8;
    /// certificate.
    pub const CERTIFICATE: u8 = 11;
    /// server_key_exchange (TLS 1.2 and before).
    pub const SERVER_KEY_EXCHANGE: u8 = 12;
    /// certificate_request.
    pub const CERTIFICATE_REQUEST: u8 = 13;
    /// server_hello_done (TLS 1.2 and before).
    pub const SERVER_HELLO_DONE: u8 = 14;
    /// certificate_verify.
    pub const CERTIFICATE_VERIFY: u8 = 15;
    /// client_key_exchange (TLS 1.2 and before).
    pub const CLIENT_KEY_EXCHANGE: u8 = 16;
    /// finished.
    pub const FINISHED: u8 = 20;
    /// certificate_url (RFC 6066).
    pub const CERTIFICATE_URL: u8 = 21;
    /// certificate_status (RFC 6066).
    pub const CERTIFICATE_STATUS: u8 = 22;
    /// supplemental_data (RFC 4680).
    pub const SUPPLEMENTAL_DATA: u8 = 23;
    /// key_update (TLS 1.3).
    pub const KEY_UPDATE: u8 = 24;
    /// compressed_certificate (RFC 8879).
    pub const COMPRESSED_CERTIFICATE: u8 = 25;
    /// next_protocol (draft-agl-tls-nextprotoneg).
    pub const NEXT_PROTOCOL: u8 = 67;
    /// channel_id / encrypted_extensions of draft-balfanz-tls-channelid.
    pub const CHANNEL_ID: u8 = 203;

    /// The IANA name, or `None` where the type is unassigned.
    #[must_use]
    pub const fn name(message_type: u8) -> Option<&'static str> {
        HandshakeType(message_type).name()
    }
}

/// What stands before each handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandshakeHeader {
    /// One of [`message_type`]; any other value is possible.
    pub message_type: u8,
    /// Bytes of the body, below 2^24.
    pub length: u32,
}

impl HandshakeHeader {
    /// Bytes of the header itself.
    pub const SIZE: usize = 4;

    /// Reads the header at the start of `bytes`; what follows it is not looked at.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when fewer than four bytes are there.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let [message_type, a, b, c] = Cursor::new(bytes).array::<4>("handshake header")?;
        Ok(Self { message_type: *message_type, length: u32::from_be_bytes([0, *a, *b, *c]) })
    }

    /// Bytes of the whole message, header included.
    #[must_use]
    pub fn message_length(&self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX).saturating_add(Self::SIZE)
    }
}

/// One whole handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// One of [`message_type`]; any other value is possible.
    pub message_type: u8,
    /// The body, exactly as long as the header says.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads exactly one message.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the message goes on past `bytes`, [`ParseError::Invalid`] when bytes follow it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (message, rest) = Self::first(bytes)?;
        Cursor::new(rest).finish("handshake message")?;
        Ok(message)
    }

    /// Reads the first message of several and what comes after it.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the message goes on past `bytes`.
    pub fn first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), ParseError> {
        let header = HandshakeHeader::parse(bytes)?;
        let mut cursor = Cursor::new(bytes);
        cursor.take(HandshakeHeader::SIZE, "handshake header")?;
        let body = cursor.take(usize::try_from(header.length).unwrap_or(usize::MAX), "handshake message")?;
        Ok((Self { message_type: header.message_type, body }, cursor.rest()))
    }

    /// Reads exactly one message of one given type and yields its body.
    pub(super) fn body_of(bytes: &'a [u8], expected: u8, structure: &'static str) -> Result<&'a [u8], ParseError> {
        match bytes.first() {
            Some(found) if *found != expected => {
                Err(ParseError::Invalid { structure, reason: "another handshake type" })
            }
            _ => Ok(Self::parse(bytes)?.body),
        }
    }
}

/// A plain heartbeat message (RFC 6520 section 4): the body of a record of content type 24 before encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// 1 request, 2 response.
    pub message_type: u8,
    /// The payload length the message claims.
    pub payload_length: u16,
    /// Bytes that really follow: payload and padding.
    pub available: usize,
}

impl Heartbeat {
    /// Reads the header of a heartbeat message from a whole record's body.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the body is shorter than three bytes or the type is neither request nor response
    /// (an encrypted heartbeat looks like this).
    pub fn parse(record_body: &[u8]) -> Result<Self, ParseError> {
        const STRUCTURE: &str = "heartbeat message";
        let mut cursor = Cursor::new(record_body);
        let message_type = bounded(cursor.u8(STRUCTURE))?;
        if !matches!(message_type, 1 | 2) {
            return Err(ParseError::Invalid { structure: STRUCTURE, reason: "neither request nor response" });
        }
        let payload_length = bounded(cursor.u16(STRUCTURE))?;
        Ok(Self { message_type, payload_length, available: cursor.remaining() })
    }

    /// Whether the message claims more payload than it has, as the Heartbleed attack does (CVE-2014-0160).
    ///
    /// A sound message carries at least 16 bytes of padding too, but only the payload is judged here.
    #[must_use]
    pub fn overclaims(&self) -> bool {
        usize::from(self.payload_length) > self.available
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn splits_messages_and_asks_for_what_is_missing() {
        let bytes = [14, 0, 0, 0, 1, 0, 0, 2, 7];
        let (first, rest) = Message::first(&bytes).expect("an empty body is whole");
        assert_eq!(first, Message { message_type: message_type::SERVER_HELLO_DONE, body: &[] });
        assert_eq!(Message::first(rest), Err(ParseError::Incomplete { structure: "handshake message", needed: 1 }));
        assert!(matches!(Message::parse(&bytes), Err(ParseError::Invalid { .. })));
    }

    #[test]
    fn tells_an_overclaiming_heartbeat() {
        let bleed = Heartbeat::parse(&[1, 0x40, 0x00]).expect("a header is enough");
        assert!(bleed.overclaims());
        assert!(!Heartbeat::parse(&[1, 0, 1, 9, 0, 0]).expect("whole").overclaims());
        assert!(Heartbeat::parse(&[9, 0, 1]).is_err());
        assert!(Heartbeat::parse(&[1, 0]).is_err());
    }
}
