//! The Certificate message (RFC 5246 section 7.4.2, RFC 8446 section 4.4.2): a chain of certificates in DER.

use super::handshake::{Message, message_type};
pub use super::x509::{Certificate, PublicKey, SignatureHash};
use super::{Extensions, bounded};
use crate::cursor::{Cursor, ParseError};

/// The chain of a Certificate message, the sender's own certificate first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateList<'a> {
    /// TLS 1.3 only: what ties the message to a CertificateRequest; empty in the handshake.
    pub request_context: Option<&'a [u8]>,
    list: &'a [u8],
}

/// One certificate of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateEntry<'a> {
    /// The certificate in DER, unread.
    pub data: &'a [u8],
    /// TLS 1.3 only: the extensions of this entry.
    pub extensions: Extensions<'a>,
}

impl<'a> CertificateList<'a> {
    /// Reads exactly one handshake message of TLS 1.2 or below: header and body.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the message goes on past `message`; [`ParseError::Invalid`] when it is of
    /// another type, is followed by more bytes, or contradicts itself.
    pub fn parse(message: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_body(Message::body_of(message, message_type::CERTIFICATE, STRUCTURE)?)
    }

    /// Reads the body of a whole message of TLS 1.2 or below, of either side.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the body contradicts itself.
    pub fn parse_body(body: &'a [u8]) -> Result<Self, ParseError> {
        Self::read(body, false)
    }

    /// Reads the body of a whole message of TLS 1.3, once decrypted.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the body contradicts itself.
    pub fn parse_tls13_body(body: &'a [u8]) -> Result<Self, ParseError> {
        Self::read(body, true)
    }

    fn read(body: &'a [u8], is_tls13: bool) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(body);
        let request_context =
            if is_tls13 { Some(bounded(cursor.vec8("Certificate.certificate_request_context"))?) } else { None };
        let list = bounded(cursor.vec24("Certificate.certificate_list"))?;
        cursor.finish(STRUCTURE)?;
        let mut entries = Cursor::new(list);
        while !entries.is_empty() {
            bounded(read_entry(&mut entries, is_tls13))?;
        }
        Ok(Self { request_context, list })
    }

    /// The certificates in DER, in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        self.entries().map(|entry| entry.data)
    }

    /// The certificates with what TLS 1.3 says beside each.
    pub fn entries(&self) -> impl Iterator<Item = CertificateEntry<'a>> + Clone + use<'a> {
        let mut entries = Cursor::new(self.list);
        let is_tls13 = self.request_context.is_some();
        std::iter::from_fn(move || read_entry(&mut entries, is_tls13).ok())
    }

    /// The sender's own certificate in DER.
    #[must_use]
    pub fn leaf(&self) -> Option<&'a [u8]> {
        self.iter().next()
    }

    /// How many certificates.
    #[must_use]
    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none: a client that was asked and has none to show.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

const STRUCTURE: &str = "Certificate";

fn read_entry<'a>(cursor: &mut Cursor<'a>, is_tls13: bool) -> Result<CertificateEntry<'a>, ParseError> {
    let data = cursor.vec24("Certificate.cert_data")?;
    let extensions =
        if is_tls13 { Extensions::new(cursor.vec16("Certificate.extensions")?)? } else { Extensions::absent() };
    Ok(CertificateEntry { data, extensions })
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn reads_chains_of_both_forms() {
        let old = [0, 0, 9, 0, 0, 2, 1, 2, 0, 0, 1, 3];
        let chain = CertificateList::parse_body(&old).expect("sound");
        assert_eq!(chain.iter().collect::<Vec<_>>(), [&[1, 2][..], &[3]]);
        assert_eq!((chain.count(), chain.is_empty()), (2, false));
        let new = [0, 0, 0, 10, 0, 0, 1, 9, 0, 4, 0, 5, 0, 0];
        let chain = CertificateList::parse_tls13_body(&new).expect("sound");
        let leaf = chain.entries().next().expect("one");
        assert_eq!((leaf.data, leaf.extensions.count()), (&[9][..], 1));
    }

    #[test]
    fn accepts_an_empty_chain() {
        assert!(CertificateList::parse_body(&[0, 0, 0]).expect("sound").is_empty());
    }

    #[test]
    fn rejects_broken_chains() {
        for body in [&[][..], &[0, 0], &[0, 0, 1], &[0, 0, 0, 1], &[0, 0, 4, 0, 0, 2, 1], &[0, 0, 2, 0, 0]] {
            assert!(matches!(CertificateList::parse_body(body), Err(ParseError::Invalid { .. })), "{body:?}");
        }
    }
}
