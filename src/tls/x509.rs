//! X.509 certificates (placeholder of the contract; the DER walk lands next).

use std::fmt;

use crate::time::Timestamp;

/// A hash function in a signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureHash {
    /// MD2.
    Md2,
    /// MD4.
    Md4,
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-224 and above, or one built into the scheme.
    Strong,
    /// Not known.
    Unknown,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA: modulus in bits, public exponent (saturating).
    Rsa {
        /// Modulus in bits.
        bits: u32,
        /// Public exponent; `u64::MAX` where larger.
        exponent: u64,
    },
    /// Elliptic curve.
    Ec {
        /// Its name, or its object identifier; `None` for explicit parameters.
        curve: Option<String>,
        /// Field size in bits; 0 where unknown.
        bits: u32,
    },
    /// DSA: prime in bits.
    Dsa {
        /// Prime in bits.
        bits: u32,
    },
    /// Anything else by name or object identifier (Ed25519, ML-DSA-44 …).
    Other(String),
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Subject, RFC 4514.
    pub subject: String,
    /// Issuer, RFC 4514.
    pub issuer: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// X.509 version, 1 to 3.
    pub version: u8,
    /// subjectAltName: DNS names and addresses.
    pub names: Vec<String>,
    /// Common name.
    pub common_name: Option<String>,
    /// Validity.
    pub not_before: Timestamp,
    /// Validity.
    pub not_after: Timestamp,
    /// The key.
    pub key: PublicKey,
    /// Signature algorithm's name.
    pub signature: String,
    /// Its hash.
    pub signature_hash: SignatureHash,
    /// SHA-256 of the DER, hexadecimal.
    pub sha256: String,
}

impl Certificate {
    /// Reads a certificate.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Self {
        Self {
            subject: String::new(),
            issuer: String::new(),
            serial: String::new(),
            version: 3,
            names: Vec::new(),
            common_name: None,
            not_before: Timestamp::ZERO,
            not_after: Timestamp::ZERO,
            key: PublicKey::Other(der.len().to_string()),
            signature: String::new(),
            signature_hash: SignatureHash::Unknown,
            sha256: String::new(),
        }
    }
}
