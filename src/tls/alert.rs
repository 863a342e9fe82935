//! Alerts (RFC 8446 section 6, RFC 5246 section 7.2).

use super::bounded;
use super::codepoints::AlertDescription;
use crate::cursor::{Cursor, ParseError};

/// A plain alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// 1 warning, 2 fatal; no other value is parsed.
    pub level: u8,
    /// What it says; any value is possible.
    pub description: AlertDescription,
}

impl Alert {
    /// Reads the whole body of a record of content type 21.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the body is not two bytes that begin with a level: so looks an encrypted alert.
    pub fn parse(record_body: &[u8]) -> Result<Self, ParseError> {
        const STRUCTURE: &str = "alert";
        let mut cursor = Cursor::new(record_body);
        let level = bounded(cursor.u8(STRUCTURE))?;
        let description = AlertDescription(bounded(cursor.u8(STRUCTURE))?);
        cursor.finish(STRUCTURE)?;
        if !matches!(level, 1 | 2) {
            return Err(ParseError::Invalid { structure: STRUCTURE, reason: "neither warning nor fatal" });
        }
        Ok(Self { level, description })
    }

    /// Whether it ends the connection by its level.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        self.level == 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_alerts_and_rejects_encrypted_ones() {
        let refused = Alert { level: 2, description: AlertDescription::HANDSHAKE_FAILURE };
        assert_eq!(Alert::parse(&[2, 40]), Ok(refused));
        assert!(Alert::parse(&[1, 0]).is_ok_and(|alert| !alert.is_fatal()));
        for body in [&[][..], &[2], &[2, 40, 0], &[7, 40], &[0x5a; 26]] {
            assert!(matches!(Alert::parse(body), Err(ParseError::Invalid { .. })), "{body:?}");
        }
    }
}
