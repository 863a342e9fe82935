//! ServerKeyExchange of TLS 1.2 and below (RFC 5246 section 7.4.3, RFC 8422, RFC 4279, RFC 5489, RFC 5054).
//!
//! The message does not say its own form: the suite selected and the version do.

use sha2::{Digest, Sha256};

use super::bounded;
use super::codepoints::{Authentication, CipherSuite, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme};
use super::dh_groups::{self, KnownDhGroup};
use super::handshake::{Message, message_type};
use crate::cursor::{Cursor, ParseError};

/// What a server sends for an ephemeral or pre-shared key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerKeyExchange<'a> {
    /// PSK suites only: the hint by which the client picks its key, often empty.
    pub psk_identity_hint: Option<&'a [u8]>,
    /// The server's ephemeral key; `None` for PSK alone and PSK with RSA.
    pub parameters: Option<Parameters<'a>>,
    /// The signature over the parameters; `None` for anonymous and PSK suites.
    pub signature: Option<Signature<'a>>,
}

impl<'a> ServerKeyExchange<'a> {
    /// Reads exactly one handshake message, after a ServerHello that selected `suite` and `version`.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the message goes on past `message`; [`ParseError::Invalid`] when it is of
    /// another type, is followed by more bytes, contradicts itself, or the suite has no such message or is unknown.
    pub fn parse(message: &'a [u8], suite: CipherSuite, version: ProtocolVersion) -> Result<Self, ParseError> {
        Self::parse_body(Message::body_of(message, message_type::SERVER_KEY_EXCHANGE, STRUCTURE)?, suite, version)
    }

    /// Reads the body of a whole message, of TLS or DTLS.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the body contradicts itself, or the suite has no such message or is unknown.
    pub fn parse_body(body: &'a [u8], suite: CipherSuite, version: ProtocolVersion) -> Result<Self, ParseError> {
        let Some(form) = Form::of(suite) else {
            return Err(ParseError::Invalid { structure: STRUCTURE, reason: "the suite selected has none" });
        };
        let mut cursor = Cursor::new(body);
        let read = bounded(Self::read(&mut cursor, form, version))?;
        cursor.finish(STRUCTURE)?;
        Ok(read)
    }

    fn read(cursor: &mut Cursor<'a>, form: Form, version: ProtocolVersion) -> Result<Self, ParseError> {
        let psk_identity_hint =
            if form.has_hint { Some(cursor.vec16("ServerKeyExchange.psk_identity_hint")?) } else { None };
        let parameters = match form.key {
            None => None,
            Some(Key::Dh) => Some(Parameters::Dh(DhParameters::read(cursor)?)),
            Some(Key::Ecdh) => Some(Parameters::Ecdh(EcdhParameters::read(cursor)?)),
            Some(Key::Rsa) => Some(Parameters::Rsa(RsaParameters::read(cursor)?)),
            Some(Key::Srp) => Some(Parameters::Srp(SrpParameters::read(cursor)?)),
        };
        let signature = if form.is_signed { Some(Signature::read(cursor, version)?) } else { None };
        Ok(Self { psk_identity_hint, parameters, signature })
    }
}

/// The server's ephemeral key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters<'a> {
    /// Diffie-Hellman over a prime field.
    Dh(DhParameters<'a>),
    /// Diffie-Hellman over an elliptic curve.
    Ecdh(EcdhParameters<'a>),
    /// A temporary RSA key, legal for RSA_EXPORT alone; any RSA suite is read so, as FREAK works by it (CVE-2015-0204).
    Rsa(RsaParameters<'a>),
    /// Secure Remote Password.
    Srp(SrpParameters<'a>),
}

/// ServerDHParams (RFC 5246 section 7.4.3). Numbers are unsigned and big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DhParameters<'a> {
    /// The prime, dh_p.
    pub prime: &'a [u8],
    /// The generator, dh_g.
    pub generator: &'a [u8],
    /// The server's public value, dh_Ys.
    pub public: &'a [u8],
}

impl<'a> DhParameters<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let prime = cursor.vec16("ServerDHParams.dh_p")?;
        let generator = cursor.vec16("ServerDHParams.dh_g")?;
        Ok(Self { prime, generator, public: cursor.vec16("ServerDHParams.dh_Ys")? })
    }

    /// Length of the prime in bits, leading zeros left out.
    #[must_use]
    pub fn prime_bits(&self) -> u32 {
        bit_length(self.prime)
    }

    /// Length of the server's public value in bits, leading zeros left out.
    #[must_use]
    pub fn public_bits(&self) -> u32 {
        bit_length(self.public)
    }

    /// SHA-256 of the prime without leading zeros.
    #[must_use]
    pub fn prime_sha256(&self) -> [u8; 32] {
        Sha256::digest(without_leading_zeros(self.prime)).into()
    }

    /// The published group with this prime. Hashes the prime: about a microsecond.
    #[must_use]
    pub fn known_group(&self) -> Option<&'static KnownDhGroup> {
        dh_groups::by_sha256(&self.prime_sha256())
    }
}

/// ServerECDHParams (RFC 8422 section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EcdhParameters<'a> {
    /// The curve.
    pub curve: Curve,
    /// The server's public point.
    pub public: &'a [u8],
}

impl<'a> EcdhParameters<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let curve = Curve::read(cursor)?;
        Ok(Self { curve, public: cursor.vec8("ServerECDHParams.public")? })
    }
}

/// The curve of a key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// By its number.
    Named(NamedGroup),
    /// Over a prime field, written out. RFC 8422 forbids it.
    ExplicitPrime {
        /// Length of the field in bits.
        field_bits: u32,
    },
    /// Over a binary field, written out. RFC 8422 forbids it.
    ExplicitChar2 {
        /// Length of the field in bits.
        field_bits: u32,
    },
}

impl Curve {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, ParseError> {
        const STRUCTURE: &str = "ECParameters";
        match cursor.u8(STRUCTURE)? {
            1 => {
                let field_bits = bit_length(cursor.vec8(STRUCTURE)?);
                Self::skip_curve(cursor)?;
                Ok(Self::ExplicitPrime { field_bits })
            }
            2 => {
                let field_bits = u32::from(cursor.u16(STRUCTURE)?);
                let terms = match cursor.u8(STRUCTURE)? {
                    1 => 1,
                    2 => 3,
                    _ => return Err(ParseError::Invalid { structure: STRUCTURE, reason: "unknown basis" }),
                };
                for _ in 0..terms {
                    cursor.vec8(STRUCTURE)?;
                }
                Self::skip_curve(cursor)?;
                Ok(Self::ExplicitChar2 { field_bits })
            }
            3 => Ok(Self::Named(NamedGroup(cursor.u16(STRUCTURE)?))),
            _ => Err(ParseError::Invalid { structure: STRUCTURE, reason: "unknown curve type" }),
        }
    }

    /// Passes over a, b, base, order and cofactor.
    fn skip_curve(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        for _ in 0..5 {
            cursor.vec8("ECParameters")?;
        }
        Ok(())
    }
}

/// ServerRSAParams (RFC 2246 section 7.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RsaParameters<'a> {
    /// The modulus, unsigned and big-endian.
    pub modulus: &'a [u8],
    /// The public exponent, unsigned and big-endian.
    pub exponent: &'a [u8],
}

impl<'a> RsaParameters<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let modulus = cursor.vec16("ServerRSAParams.rsa_modulus")?;
        Ok(Self { modulus, exponent: cursor.vec16("ServerRSAParams.rsa_exponent")? })
    }

    /// Length of the modulus in bits, leading zeros left out.
    #[must_use]
    pub fn modulus_bits(&self) -> u32 {
        bit_length(self.modulus)
    }
}

/// ServerSRPParams (RFC 5054 section 2.8.3). Numbers are unsigned and big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SrpParameters<'a> {
    /// The prime, N.
    pub prime: &'a [u8],
    /// The generator, g.
    pub generator: &'a [u8],
    /// The user's salt, s.
    pub salt: &'a [u8],
    /// The server's public value, B.
    pub public: &'a [u8],
}

impl<'a> SrpParameters<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let prime = cursor.vec16("ServerSRPParams.srp_N")?;
        let generator = cursor.vec16("ServerSRPParams.srp_g")?;
        let salt = cursor.vec8("ServerSRPParams.srp_s")?;
        Ok(Self { prime, generator, salt, public: cursor.vec16("ServerSRPParams.srp_B")? })
    }

    /// Length of the prime in bits, leading zeros left out.
    #[must_use]
    pub fn prime_bits(&self) -> u32 {
        bit_length(self.prime)
    }
}

/// A signature over the key exchange (RFC 5246 section 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    /// TLS 1.2 only. Before it, RSA signs MD5 and SHA-1 together, DSA and ECDSA sign SHA-1.
    pub scheme: Option<SignatureScheme>,
    /// The signature.
    pub bytes: &'a [u8],
}

impl<'a> Signature<'a> {
    fn read(cursor: &mut Cursor<'a>, version: ProtocolVersion) -> Result<Self, ParseError> {
        const STRUCTURE: &str = "ServerKeyExchange signature";
        let scheme = if has_signature_scheme(version) { Some(SignatureScheme(cursor.u16(STRUCTURE)?)) } else { None };
        Ok(Self { scheme, bytes: cursor.vec16(STRUCTURE)? })
    }
}

/// Length in bits of an unsigned big-endian number.
#[must_use]
pub fn bit_length(number: &[u8]) -> u32 {
    match without_leading_zeros(number) {
        [] => 0,
        [first, rest @ ..] => {
            let bits = u32::try_from(rest.len()).unwrap_or(u32::MAX).saturating_mul(8);
            bits.saturating_add(u8::BITS - first.leading_zeros())
        }
    }
}

/// Whether signatures of this version name their scheme: TLS 1.2 and DTLS 1.2.
pub(super) const fn has_signature_scheme(version: ProtocolVersion) -> bool {
    matches!(version, ProtocolVersion::TLS12 | ProtocolVersion::DTLS12)
}

const STRUCTURE: &str = "ServerKeyExchange";

/// What the message holds, in its order.
#[derive(Clone, Copy)]
struct Form {
    has_hint: bool,
    key: Option<Key>,
    is_signed: bool,
}

#[derive(Clone, Copy)]
enum Key {
    Dh,
    Ecdh,
    Rsa,
    Srp,
}

impl Form {
    fn of(suite: CipherSuite) -> Option<Self> {
        let parts = suite.parts()?;
        let form = |has_hint, key, is_signed| Some(Self { has_hint, key, is_signed });
        match parts.key_exchange {
            KeyExchange::Dhe => form(false, Some(Key::Dh), true),
            KeyExchange::DhAnon => form(false, Some(Key::Dh), false),
            KeyExchange::Ecdhe => form(false, Some(Key::Ecdh), true),
            KeyExchange::EcdhAnon => form(false, Some(Key::Ecdh), false),
            KeyExchange::Rsa => form(false, Some(Key::Rsa), true),
            KeyExchange::Psk | KeyExchange::RsaPsk => form(true, None, false),
            KeyExchange::DhePsk => form(true, Some(Key::Dh), false),
            KeyExchange::EcdhePsk => form(true, Some(Key::Ecdh), false),
            KeyExchange::Srp => {
                let is_signed = matches!(parts.authentication, Authentication::Rsa | Authentication::Dss);
                form(false, Some(Key::Srp), is_signed)
            }
            _ => None,
        }
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const DHE_RSA: CipherSuite = CipherSuite(0x0033);
    const DH_ANON: CipherSuite = CipherSuite(0x0034);
    const ECDHE_RSA: CipherSuite = CipherSuite(0xc02f);
    const ECDH_ANON: CipherSuite = CipherSuite(0xc018);
    const RSA_EXPORT: CipherSuite = CipherSuite(0x0003);
    const RSA: CipherSuite = CipherSuite(0x002f);
    const PSK: CipherSuite = CipherSuite(0x008c);
    const DHE_PSK: CipherSuite = CipherSuite(0x0090);
    const ECDHE_PSK: CipherSuite = CipherSuite(0xc035);
    const SRP: CipherSuite = CipherSuite(0xc01d);
    const SRP_RSA: CipherSuite = CipherSuite(0xc01e);

    const DH: [u8; 10] = [0, 2, 0x00, 0x17, 0, 1, 2, 0, 1, 9];
    const EC: [u8; 7] = [3, 0, 29, 3, 4, 5, 6];
    const HINT: [u8; 3] = [0, 1, b'h'];
    const OLD_SIGNATURE: [u8; 4] = [0, 2, 8, 8];
    const NEW_SIGNATURE: [u8; 6] = [4, 1, 0, 2, 8, 8];

    fn read(
        parts: &[&[u8]],
        suite: CipherSuite,
        version: ProtocolVersion,
        check: impl FnOnce(Result<ServerKeyExchange<'_>, ParseError>),
    ) {
        let body = parts.concat();
        check(ServerKeyExchange::parse_body(&body, suite, version));
    }

    #[test]
    fn reads_dh_signed_in_both_ways_and_unsigned() {
        let expected = Parameters::Dh(DhParameters { prime: &[0x00, 0x17], generator: &[2], public: &[9] });
        for version in [ProtocolVersion::TLS12, ProtocolVersion::DTLS12] {
            read(&[&DH, &NEW_SIGNATURE], DHE_RSA, version, |result| {
                let exchange = result.expect("sound");
                assert_eq!(exchange.parameters, Some(expected));
                let signature = Signature { scheme: Some(SignatureScheme(0x0401)), bytes: &[8, 8] };
                assert_eq!(exchange.signature, Some(signature));
            });
        }
        for version in [ProtocolVersion::SSL3, ProtocolVersion::TLS10, ProtocolVersion::TLS11, ProtocolVersion::DTLS10]
        {
            read(&[&DH, &OLD_SIGNATURE], DHE_RSA, version, |result| {
                assert_eq!(result.expect("sound").signature, Some(Signature { scheme: None, bytes: &[8, 8] }));
            });
        }
        read(&[&DH], DH_ANON, ProtocolVersion::TLS12, |result| {
            assert_eq!(result.expect("sound").signature, None);
        });
    }

    #[test]
    fn reads_curves_named_and_written_out() {
        let named = Parameters::Ecdh(EcdhParameters { curve: Curve::Named(NamedGroup(29)), public: &[4, 5, 6] });
        read(&[&EC, &NEW_SIGNATURE], ECDHE_RSA, ProtocolVersion::TLS12, |result| {
            assert_eq!(result.expect("sound").parameters, Some(named));
        });
        let prime = [1, 2, 0x01, 0xff, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9];
        read(&[&prime], ECDH_ANON, ProtocolVersion::TLS10, |result| {
            let explicit = EcdhParameters { curve: Curve::ExplicitPrime { field_bits: 9 }, public: &[9] };
            assert_eq!(result.expect("sound").parameters, Some(Parameters::Ecdh(explicit)));
        });
        let pentanomial = [2, 0, 163, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9];
        read(&[&pentanomial], ECDH_ANON, ProtocolVersion::TLS10, |result| {
            let explicit = EcdhParameters { curve: Curve::ExplicitChar2 { field_bits: 163 }, public: &[9] };
            assert_eq!(result.expect("sound").parameters, Some(Parameters::Ecdh(explicit)));
        });
        read(&[&[4, 0, 29, 0]], ECDH_ANON, ProtocolVersion::TLS10, |result| assert!(result.is_err()));
    }

    #[test]
    fn reads_the_temporary_key_of_export_and_of_freak() {
        let rsa = [&[0, 64, 0x80][..], &[1; 63], &[0, 3, 1, 0, 1]].concat();
        for suite in [RSA_EXPORT, RSA] {
            read(&[&rsa, &OLD_SIGNATURE], suite, ProtocolVersion::TLS10, |result| {
                match result.expect("sound").parameters {
                    Some(Parameters::Rsa(rsa)) => {
                        assert_eq!((rsa.modulus_bits(), rsa.exponent), (512, &[1, 0, 1][..]));
                    }
                    other => assert_eq!(other, None, "not RSA"),
                }
            });
        }
    }

    #[test]
    fn reads_psk_hints_and_srp() {
        read(&[&HINT], PSK, ProtocolVersion::TLS12, |result| {
            let exchange = result.expect("sound");
            assert_eq!((exchange.psk_identity_hint, exchange.parameters), (Some(&b"h"[..]), None));
        });
        for (suite, parameters) in [(DHE_PSK, &DH[..]), (ECDHE_PSK, &EC)] {
            read(&[&HINT, parameters], suite, ProtocolVersion::TLS12, |result| {
                let exchange = result.expect("sound");
                assert!(exchange.psk_identity_hint.is_some() && exchange.parameters.is_some());
                assert_eq!(exchange.signature, None);
            });
        }
        let srp = [0, 2, 0x80, 1, 0, 1, 2, 1, 7, 0, 1, 9];
        read(&[&srp], SRP, ProtocolVersion::TLS10, |result| {
            assert!(matches!(result.expect("sound").parameters, Some(Parameters::Srp(srp)) if srp.prime_bits() == 16));
        });
        read(&[&srp, &OLD_SIGNATURE], SRP_RSA, ProtocolVersion::TLS10, |result| {
            assert!(result.expect("sound").signature.is_some());
        });
    }

    #[test]
    fn rejects_every_prefix_and_suites_without_the_message() {
        let body = [&DH[..], &NEW_SIGNATURE].concat();
        for length in 0..body.len() {
            let cut = body.get(..length).unwrap_or_default();
            let result = ServerKeyExchange::parse_body(cut, DHE_RSA, ProtocolVersion::TLS12);
            assert!(matches!(result, Err(ParseError::Invalid { .. })), "cut at {length}");
        }
        for suite in [CipherSuite(0x1301), CipherSuite(0x0a0a), CipherSuite(0xc004)] {
            assert!(ServerKeyExchange::parse_body(&body, suite, ProtocolVersion::TLS12).is_err(), "{suite}");
        }
    }

    #[test]
    fn measures_numbers_without_leading_zeros() {
        for (number, bits) in [(&[][..], 0), (&[0, 0], 0), (&[1], 1), (&[0, 0xff], 8), (&[1, 0], 9), (&[0x80, 0], 16)] {
            assert_eq!(bit_length(number), bits, "{number:?}");
        }
    }

    #[test]
    fn knows_a_published_group_by_its_prime() {
        // RFC 2409 section 6.2: 2^1024 - 2^960 - 1 + 2^64 * ( [2^894 pi] + 129093 ).
        let oakley = crate::tls::test_data::hex(
            "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd\
             ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
             ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff",
        );
        let with_sign = [&[0][..], &oakley].concat();
        for prime in [&oakley[..], &with_sign] {
            let parameters = DhParameters { prime, generator: &[2], public: &[1] };
            let group = parameters.known_group().expect("published");
            assert_eq!((group.name, group.bits), ("RFC 2409 Oakley group 2", 1024));
            assert_eq!(parameters.prime_bits(), 1024);
        }
        assert_eq!(DhParameters { prime: &[7], generator: &[2], public: &[1] }.known_group(), None);
    }
}
