//! CertificateRequest of TLS 1.2 and below (RFC 5246 section 7.4.4). That of TLS 1.3 is encrypted.

use super::bounded;
use super::codepoints::{ProtocolVersion, SignatureScheme};
use super::handshake::{Message, message_type};
use super::key_exchange::has_signature_scheme;
use super::lists::CodePoints;
use crate::cursor::{Cursor, ParseError};

/// What a server asks of a client's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateRequest<'a> {
    /// The kinds of certificate (IANA "TLS ClientCertificateType Identifiers").
    pub certificate_types: &'a [u8],
    /// TLS 1.2 only: the signature schemes the server verifies.
    pub signature_algorithms: Option<CodePoints<'a, SignatureScheme>>,
    authorities: &'a [u8],
}

impl<'a> CertificateRequest<'a> {
    /// Reads exactly one handshake message, of a handshake of `version`.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the message goes on past `message`; [`ParseError::Invalid`] when it is of
    /// another type, is followed by more bytes, or contradicts itself.
    pub fn parse(message: &'a [u8], version: ProtocolVersion) -> Result<Self, ParseError> {
        Self::parse_body(Message::body_of(message, message_type::CERTIFICATE_REQUEST, STRUCTURE)?, version)
    }

    /// Reads the body of a whole message, of a handshake of `version`.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the body contradicts itself.
    pub fn parse_body(body: &'a [u8], version: ProtocolVersion) -> Result<Self, ParseError> {
        bounded(Self::read(body, version))
    }

    fn read(body: &'a [u8], version: ProtocolVersion) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(body);
        let certificate_types = cursor.vec8("CertificateRequest.certificate_types")?;
        let signature_algorithms = if has_signature_scheme(version) {
            const SCHEMES: &str = "CertificateRequest.supported_signature_algorithms";
            Some(CodePoints::new(cursor.vec16(SCHEMES)?, SCHEMES)?)
        } else {
            None
        };
        let authorities = cursor.vec16("CertificateRequest.certificate_authorities")?;
        cursor.finish(STRUCTURE)?;
        let mut names = Cursor::new(authorities);
        while !names.is_empty() {
            names.vec16("CertificateRequest.certificate_authorities")?;
        }
        Ok(Self { certificate_types, signature_algorithms, authorities })
    }

    /// The distinguished names of the authorities the server trusts, in DER.
    pub fn authorities(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let mut names = Cursor::new(self.authorities);
        std::iter::from_fn(move || names.vec16("CertificateRequest.certificate_authorities").ok())
    }
}

const STRUCTURE: &str = "CertificateRequest";

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        let tls12 = [2, 1, 64, 0, 2, 4, 3, 0, 8, 0, 2, 0x30, 0, 0, 2, 0x30, 0];
        let request = CertificateRequest::parse_body(&tls12, ProtocolVersion::TLS12).expect("sound");
        assert_eq!(request.certificate_types, [1, 64]);
        let schemes = request.signature_algorithms.expect("of TLS 1.2");
        assert_eq!(schemes.first(), Some(SignatureScheme(0x0403)));
        assert_eq!(request.authorities().count(), 2);
        let tls10 = [1, 1, 0, 0];
        let request = CertificateRequest::parse_body(&tls10, ProtocolVersion::TLS10).expect("sound");
        assert_eq!((request.signature_algorithms, request.authorities().count()), (None, 0));
        assert!(CertificateRequest::parse_body(&tls10, ProtocolVersion::TLS12).is_err());
        assert!(CertificateRequest::parse_body(&tls12, ProtocolVersion::DTLS12).is_ok());
    }

    #[test]
    fn rejects_every_prefix() {
        let body = [2, 1, 64, 0, 2, 4, 3, 0, 4, 0, 2, 0x30, 0];
        for length in 0..body.len() {
            let cut = body.get(..length).unwrap_or_default();
            let result = CertificateRequest::parse_body(cut, ProtocolVersion::TLS12);
            assert!(matches!(result, Err(ParseError::Invalid { .. })), "cut at {length}");
        }
    }
}
