//! CertificateStatus (RFC 6066 section 8, RFC 6961): the server staples its certificate's OCSP response.

use super::bounded;
use super::handshake::{Message, message_type};
use crate::cursor::{Cursor, ParseError};

/// A stapled status, unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateStatus<'a> {
    /// 1 one OCSP response, 2 one a certificate.
    pub status_type: u8,
    /// The response, or for type 2 the list of responses; of an unknown type whatever follows.
    pub response: &'a [u8],
}

impl<'a> CertificateStatus<'a> {
    /// Reads exactly one handshake message: header and body.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the message goes on past `message`; [`ParseError::Invalid`] when it is of
    /// another type, is followed by more bytes, or contradicts itself.
    pub fn parse(message: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_body(Message::body_of(message, message_type::CERTIFICATE_STATUS, STRUCTURE)?)
    }

    /// Reads the body of a whole message.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the body contradicts itself.
    pub fn parse_body(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(body);
        let status_type = bounded(cursor.u8(STRUCTURE))?;
        let response = match status_type {
            1 | 2 => bounded(cursor.vec24(STRUCTURE))?,
            _ => cursor.rest(),
        };
        cursor.finish(STRUCTURE)?;
        Ok(Self { status_type, response })
    }
}

const STRUCTURE: &str = "CertificateStatus";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_stapled_response_and_rejects_a_cut_one() {
        let body = [1, 0, 0, 2, 0x30, 0];
        assert_eq!(
            CertificateStatus::parse_body(&body),
            Ok(CertificateStatus { status_type: 1, response: &[0x30, 0] })
        );
        for length in 0..body.len() {
            assert!(CertificateStatus::parse_body(body.get(..length).unwrap_or_default()).is_err());
        }
    }
}
