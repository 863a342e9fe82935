//! NewSessionTicket of TLS 1.2 and below (RFC 5077 section 3.3). That of TLS 1.3 is encrypted.

use super::bounded;
use super::handshake::{Message, message_type};
use crate::cursor::{Cursor, ParseError};

/// A ticket by which the client may resume the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSessionTicket<'a> {
    /// How long the server will take the ticket, in seconds; 0 says nothing.
    pub lifetime_hint: u32,
    /// The ticket; empty where the server announced one and then sent none.
    pub ticket: &'a [u8],
}

impl<'a> NewSessionTicket<'a> {
    /// Reads exactly one handshake message: header and body.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the message goes on past `message`; [`ParseError::Invalid`] when it is of
    /// another type, is followed by more bytes, or contradicts itself.
    pub fn parse(message: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_body(Message::body_of(message, message_type::NEW_SESSION_TICKET, STRUCTURE)?)
    }

    /// Reads the body of a whole message.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the body contradicts itself.
    pub fn parse_body(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(body);
        let lifetime_hint = bounded(cursor.u32(STRUCTURE))?;
        let ticket = bounded(cursor.vec16(STRUCTURE))?;
        cursor.finish(STRUCTURE)?;
        Ok(Self { lifetime_hint, ticket })
    }
}

const STRUCTURE: &str = "NewSessionTicket";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_ticket_and_rejects_a_cut_one() {
        let body = [0, 0, 0x1c, 0x20, 0, 2, 9, 9];
        assert_eq!(NewSessionTicket::parse_body(&body), Ok(NewSessionTicket { lifetime_hint: 7200, ticket: &[9, 9] }));
        for length in 0..body.len() {
            assert!(NewSessionTicket::parse_body(body.get(..length).unwrap_or_default()).is_err());
        }
    }
}
