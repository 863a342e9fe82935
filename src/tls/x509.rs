//! X.509 certificates (RFC 5280): what findings and records ask of one.
//!
//! A certificate is read once and kept. Reading is tolerant: a part that contradicts itself is left empty and named in
//! [`Certificate::problems`], and the rest is read all the same. Nothing is verified. Memory is linear in the DER.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::der::{Element, Reader, dotted, hex, tag, time, unsigned, whole_bits};
use super::key_exchange::bit_length;
use super::{oids, roca};
use crate::cursor::ParseError;
use crate::time::Timestamp;

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The subject as RFC 4514 writes it, most specific attribute first: `CN=example.org, O=Example, C=DE`.
    pub subject: String,
    /// The issuer, in the same way.
    pub issuer: String,
    /// The subject's DER, to compare exactly.
    pub subject_der: Box<[u8]>,
    /// The issuer's DER, to compare exactly.
    pub issuer_der: Box<[u8]>,
    /// The serial number in lower-case hexadecimal, leading zeros left out.
    pub serial: String,
    /// The version: 1 to 3 in a sound certificate, 0 where it could not be read.
    pub version: u8,
    /// The DNS names and addresses of subjectAltName as text, in their order.
    pub names: Vec<String>,
    /// All of subjectAltName; `None` without the extension.
    pub alternative_names: Option<Vec<AlternativeName>>,
    /// The subject's common name, the most specific where it has several.
    pub common_name: Option<String>,
    /// notBefore, seconds exact; 1970 where it is earlier.
    pub not_before: Timestamp,
    /// notAfter, seconds exact; the end of time, 2554, where it is later.
    pub not_after: Timestamp,
    /// The subject's public key.
    pub key: PublicKey,
    /// Whether the modulus has the form of the RSA keys of CVE-2017-15361 (ROCA), which can be factored.
    pub is_roca: bool,
    /// The signature algorithm's name, `sha256WithRSAEncryption`, or its object identifier.
    pub signature: String,
    /// The hash the signature is made over.
    pub signature_hash: SignatureHash,
    /// Whether the issuer's algorithm in the signed part differs from the one beside the signature.
    pub signature_mismatch: bool,
    /// SHA-256 of the certificate in lower-case hexadecimal.
    pub sha256: String,
    /// SHA-1 of the certificate in lower-case hexadecimal.
    pub sha1: String,
    /// SHA-256 of the subjectPublicKeyInfo in lower-case hexadecimal.
    pub spki_sha256: String,
    /// basicConstraints; `None` without the extension.
    pub basic_constraints: Option<BasicConstraints>,
    /// keyUsage; `None` without the extension.
    pub key_usage: Option<KeyUsage>,
    /// extendedKeyUsage by name (`serverAuth`) or object identifier; `None` without the extension.
    pub extended_key_usage: Option<Vec<String>>,
    /// Whether the TLS feature extension demands a stapled status (RFC 7633).
    pub must_staple: bool,
    /// Whether signed certificate timestamps are embedded (RFC 6962).
    pub has_embedded_timestamps: bool,
    /// subjectKeyIdentifier in lower-case hexadecimal.
    pub subject_key_id: Option<String>,
    /// The key id of authorityKeyIdentifier in lower-case hexadecimal.
    pub authority_key_id: Option<String>,
    /// Length of the DER in bytes.
    pub length: usize,
    /// Every part that could not be read.
    pub problems: Vec<ParseError>,
}

impl Certificate {
    /// Reads a certificate. What cannot be read stays as it is in [`Certificate::default`].
    #[must_use]
    pub fn from_der(der: &[u8]) -> Self {
        let mut certificate = Self {
            sha256: hex(&Sha256::digest(der)),
            sha1: hex(&Sha1::digest(der)),
            length: der.len(),
            ..Self::default()
        };
        if let Err(problem) = certificate.read(der) {
            certificate.problems.push(problem);
        }
        certificate
    }

    /// About how many bytes of memory it takes up.
    pub(crate) fn weight(&self) -> usize {
        // The allocator gives out no less than 32 bytes.
        let text = |text: &String| text.capacity().saturating_add(size_of::<String>() + 16);
        let texts = |list: &[String]| list.iter().map(text).sum::<usize>();
        let alternative = self.alternative_names.iter().flatten().map(|name| match name {
            AlternativeName::Dns(name) | AlternativeName::Email(name) | AlternativeName::Uri(name) => text(name),
            AlternativeName::Ip(_) | AlternativeName::Other(_) => size_of::<AlternativeName>(),
        });
        size_of::<Self>()
            .saturating_add([&self.subject, &self.issuer, &self.serial, &self.signature].into_iter().map(text).sum())
            .saturating_add([&self.sha256, &self.sha1, &self.spki_sha256].into_iter().map(text).sum())
            .saturating_add(self.subject_der.len())
            .saturating_add(self.issuer_der.len())
            .saturating_add(texts(&self.names))
            .saturating_add(alternative.sum())
            .saturating_add(self.common_name.iter().map(text).sum())
            .saturating_add(self.extended_key_usage.iter().map(|list| texts(list)).sum())
            .saturating_add(self.subject_key_id.iter().chain(&self.authority_key_id).map(text).sum())
            .saturating_add(self.problems.capacity().saturating_mul(size_of::<ParseError>()))
    }

    /// Whether subject and issuer are the same: self-signed, unless someone else signed it under the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        !self.subject_der.is_empty() && self.subject_der == self.issuer_der
    }

    /// Whether basicConstraints makes it a certification authority.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|constraints| constraints.is_ca)
    }

    /// The DNS names of subjectAltName.
    pub fn dns_names(&self) -> impl Iterator<Item = &str> {
        self.alternative_names.iter().flatten().filter_map(|name| match name {
            AlternativeName::Dns(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The addresses of subjectAltName.
    pub fn ip_addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.alternative_names.iter().flatten().filter_map(|name| match name {
            AlternativeName::Ip(address) => Some(*address),
            _ => None,
        })
    }

    fn read(&mut self, der: &[u8]) -> Result<(), ParseError> {
        const STRUCTURE: &str = "Certificate";
        let mut outer = Reader::new(der);
        let certificate = outer.expect(tag::SEQUENCE, STRUCTURE)?;
        if !outer.is_empty() {
            self.problems.push(ParseError::Invalid { structure: STRUCTURE, reason: "trailing bytes" });
        }
        let mut parts = Reader::new(certificate.content);
        let signed = parts.expect(tag::SEQUENCE, "TBSCertificate")?;
        let inner_algorithm = self.read_signed_part(signed.content);
        let algorithm = parts.expect(tag::SEQUENCE, "signatureAlgorithm");
        if let Some(algorithm) = self.keep(algorithm) {
            if let Some((name, hash)) = self.keep(signature_algorithm(algorithm.content)) {
                self.signature = name;
                self.signature_hash = hash;
            }
            if let Ok(Some(inner)) = inner_algorithm {
                self.signature_mismatch = inner != algorithm.encoding;
            }
        }
        self.keep(parts.expect(tag::BIT_STRING, "signatureValue"));
        inner_algorithm.map(drop)
    }

    /// Reads the signed part, and yields its signature algorithm.
    fn read_signed_part<'a>(&mut self, content: &'a [u8]) -> Result<Option<&'a [u8]>, ParseError> {
        let mut parts = Reader::new(content);
        self.version = match parts.optional(tag::explicit(0), "version")? {
            None => 1,
            Some(version) => {
                let number = Reader::new(version.content).expect(tag::INTEGER, "version");
                self.keep(number)
                    .map_or(0, |number| u8::try_from(unsigned(number.content)).unwrap_or(u8::MAX).saturating_add(1))
            }
        };
        let serial = parts.expect(tag::INTEGER, "serialNumber")?.content;
        let zeros = serial.iter().take(serial.len().saturating_sub(1)).take_while(|byte| **byte == 0).count();
        self.serial = hex(serial.get(zeros..).unwrap_or_default());
        let algorithm = parts.expect(tag::SEQUENCE, "signature")?.encoding;

        let issuer = parts.expect(tag::SEQUENCE, "issuer")?;
        self.issuer_der = issuer.encoding.into();
        if let Some(name) = self.keep(read_name(issuer.content, "issuer")) {
            self.issuer = name.text;
        }
        let validity = parts.expect(tag::SEQUENCE, "validity")?;
        let mut times = Reader::new(validity.content);
        let not_before = times.any("notBefore").and_then(|element| time(&element, "notBefore"));
        self.not_before = self.keep(not_before).unwrap_or_default();
        let not_after = times.any("notAfter").and_then(|element| time(&element, "notAfter"));
        self.not_after = self.keep(not_after).unwrap_or_default();

        let subject = parts.expect(tag::SEQUENCE, "subject")?;
        self.subject_der = subject.encoding.into();
        if let Some(name) = self.keep(read_name(subject.content, "subject")) {
            self.subject = name.text;
            self.common_name = name.common_name;
        }
        let key = parts.expect(tag::SEQUENCE, KEY)?;
        self.spki_sha256 = hex(&Sha256::digest(key.encoding));
        if let Some((key, modulus)) = self.keep(read_key(key.content)) {
            self.key = key;
            self.is_roca = modulus.is_some_and(roca::is_fingerprinted);
        }

        for unique_id in [1, 2] {
            // IMPLICIT BIT STRING: primitive, though some encode it as constructed.
            for form in [tag::implicit(unique_id), tag::explicit(unique_id)] {
                parts.optional(form, "unique identifier")?;
            }
        }
        if let Some(extensions) = parts.optional(tag::explicit(3), EXTENSIONS)? {
            let list = Reader::new(extensions.content).expect(tag::SEQUENCE, EXTENSIONS)?;
            let mut list = Reader::new(list.content);
            while !list.is_empty() {
                let extension = list.expect(tag::SEQUENCE, EXTENSIONS)?;
                let read = self.read_extension(extension.content);
                self.keep(read);
            }
        }
        Ok(Some(algorithm))
    }

    fn read_extension(&mut self, content: &[u8]) -> Result<(), ParseError> {
        let mut parts = Reader::new(content);
        let identifier = parts.expect(tag::OBJECT_IDENTIFIER, EXTENSIONS)?.content;
        parts.optional(tag::BOOLEAN, EXTENSIONS)?;
        let value = parts.expect(tag::OCTET_STRING, EXTENSIONS)?.content;
        let mut value = Reader::new(value);
        match identifier {
            oids::extension::SUBJECT_ALT_NAME => {
                let list = value.expect(tag::SEQUENCE, "subjectAltName")?;
                self.read_alternative_names(list.content)?;
            }
            oids::extension::BASIC_CONSTRAINTS => {
                self.basic_constraints = Some(BasicConstraints::read(value)?);
            }
            oids::extension::KEY_USAGE => {
                let bits = value.expect(tag::BIT_STRING, "keyUsage")?.content;
                self.key_usage = Some(KeyUsage::read(bits));
            }
            oids::extension::EXTENDED_KEY_USAGE => {
                let mut purposes = Reader::new(value.expect(tag::SEQUENCE, "extKeyUsage")?.content);
                let mut names = Vec::new();
                while !purposes.is_empty() {
                    let purpose = purposes.expect(tag::OBJECT_IDENTIFIER, "extKeyUsage")?.content;
                    names.push(oids::purpose(purpose).map_or_else(|| dotted(purpose), str::to_owned));
                }
                self.extended_key_usage = Some(names);
            }
            oids::extension::SUBJECT_KEY_IDENTIFIER => {
                self.subject_key_id = Some(hex(value.expect(tag::OCTET_STRING, "subjectKeyIdentifier")?.content));
            }
            oids::extension::AUTHORITY_KEY_IDENTIFIER => {
                const STRUCTURE: &str = "authorityKeyIdentifier";
                let mut fields = Reader::new(value.expect(tag::SEQUENCE, STRUCTURE)?.content);
                self.authority_key_id =
                    fields.optional(tag::implicit(0), STRUCTURE)?.map(|identifier| hex(identifier.content));
            }
            oids::extension::TLS_FEATURE => {
                const STATUS_REQUEST: u64 = 5;
                let mut features = Reader::new(value.expect(tag::SEQUENCE, "TLS feature")?.content);
                while !features.is_empty() {
                    let feature = features.expect(tag::INTEGER, "TLS feature")?;
                    self.must_staple |= unsigned(feature.content) == STATUS_REQUEST;
                }
            }
            oids::extension::SIGNED_CERTIFICATE_TIMESTAMPS => self.has_embedded_timestamps = true,
            _ => {}
        }
        Ok(())
    }

    fn read_alternative_names(&mut self, content: &[u8]) -> Result<(), ParseError> {
        let mut list = Reader::new(content);
        let names = self.alternative_names.get_or_insert_default();
        while !list.is_empty() {
            let name = AlternativeName::read(&list.any("subjectAltName")?);
            match &name {
                AlternativeName::Dns(text) => self.names.push(text.clone()),
                AlternativeName::Ip(address) => self.names.push(address.to_string()),
                _ => {}
            }
            names.push(name);
        }
        Ok(())
    }

    /// Keeps a part that could be read, and the reason for one that could not.
    fn keep<T>(&mut self, part: Result<T, ParseError>) -> Option<T> {
        part.map_err(|problem| self.problems.push(problem)).ok()
    }
}

/// A certificate of which nothing could be read.
impl Default for Certificate {
    fn default() -> Self {
        Self {
            subject: String::new(),
            issuer: String::new(),
            subject_der: Box::default(),
            issuer_der: Box::default(),
            serial: String::new(),
            version: 0,
            names: Vec::new(),
            alternative_names: None,
            common_name: None,
            not_before: Timestamp::ZERO,
            not_after: Timestamp::ZERO,
            key: PublicKey::Unreadable,
            is_roca: false,
            signature: String::new(),
            signature_hash: SignatureHash::Unknown,
            signature_mismatch: false,
            sha256: String::new(),
            sha1: String::new(),
            spki_sha256: String::new(),
            basic_constraints: None,
            key_usage: None,
            extended_key_usage: None,
            must_staple: false,
            has_embedded_timestamps: false,
            subject_key_id: None,
            authority_key_id: None,
            length: 0,
            problems: Vec::new(),
        }
    }
}

/// The hash a signature is made over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// A public key. Displays as `RSA 2048`, `EC P-256`, `Ed25519`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA.
    Rsa {
        /// Length of the modulus in bits.
        bits: u32,
        /// Public exponent; `u64::MAX` where it is larger.
        exponent: u64,
    },
    /// A point on an elliptic curve, for ECDSA or ECDH.
    Ec {
        /// The curve's name, or its object identifier; `None` where its parameters are written out.
        curve: Option<String>,
        /// Size of the field in bits; 0 where unknown.
        bits: u32,
    },
    /// DSA.
    Dsa {
        /// Length of the prime in bits; 0 where it is inherited from the issuer.
        bits: u32,
    },
    /// Anything else by name or object identifier (`Ed25519`, `ML-DSA-44`, …).
    Other(String),
    /// The key could not be read: see [`Certificate::problems`].
    Unreadable,
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits, .. } => write!(f, "RSA {bits}"),
            Self::Ec { curve: Some(curve), .. } => write!(f, "EC {curve}"),
            Self::Ec { curve: None, bits } => write!(f, "EC explicit {bits}"),
            Self::Dsa { bits } => write!(f, "DSA {bits}"),
            Self::Other(name) => f.write_str(name),
            Self::Unreadable => f.write_str("unreadable"),
        }
    }
}

/// One name of subjectAltName (RFC 5280 section 4.2.1.6). Bytes outside printable ASCII are escaped, `\xNN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlternativeName {
    /// dNSName.
    Dns(String),
    /// iPAddress.
    Ip(IpAddr),
    /// rfc822Name.
    Email(String),
    /// uniformResourceIdentifier.
    Uri(String),
    /// Another kind, by its tag's number: 0 otherName, 4 directoryName, 8 registeredID.
    Other(u8),
}

impl AlternativeName {
    fn read(element: &Element<'_>) -> Self {
        let text = || element.content.escape_ascii().to_string();
        let number = element.tag & 0x1f;
        match number {
            1 => Self::Email(text()),
            2 => Self::Dns(text()),
            6 => Self::Uri(text()),
            7 => {
                let v4 = <[u8; 4]>::try_from(element.content).map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
                let v6 = || <[u8; 16]>::try_from(element.content).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)));
                v4.or_else(|_| v6()).map_or(Self::Other(number), Self::Ip)
            }
            _ => Self::Other(number),
        }
    }
}

/// basicConstraints (RFC 5280 section 4.2.1.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the key may sign certificates.
    pub is_ca: bool,
    /// How many intermediate certificates may follow; `None` without a limit, saturating.
    pub path_length: Option<u32>,
}

impl BasicConstraints {
    fn read(mut value: Reader<'_>) -> Result<Self, ParseError> {
        const STRUCTURE: &str = "basicConstraints";
        let mut fields = Reader::new(value.expect(tag::SEQUENCE, STRUCTURE)?.content);
        let is_ca = fields.optional(tag::BOOLEAN, STRUCTURE)?.is_some_and(|element| element.content != [0]);
        let path_length = fields.optional(tag::INTEGER, STRUCTURE)?;
        Ok(Self {
            is_ca,
            path_length: path_length.map(|length| u32::try_from(unsigned(length.content)).unwrap_or(u32::MAX)),
        })
    }
}

/// keyUsage (RFC 5280 section 4.2.1.3): what the key may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// The key signs: (EC)DHE, TLS 1.3, client authentication.
    pub const DIGITAL_SIGNATURE: Self = Self(1 << 15);
    /// The key signs what shall not be denied.
    pub const CONTENT_COMMITMENT: Self = Self(1 << 14);
    /// Secrets are encrypted to the key: RSA key exchange.
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 13);
    /// Data is encrypted to the key.
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 12);
    /// The key agrees secrets: static DH and ECDH.
    pub const KEY_AGREEMENT: Self = Self(1 << 11);
    /// The key signs certificates.
    pub const KEY_CERT_SIGN: Self = Self(1 << 10);
    /// The key signs revocation lists.
    pub const CRL_SIGN: Self = Self(1 << 9);

    /// A set from several.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is allowed.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// A BIT STRING's first bit is the highest.
    fn read(bits: &[u8]) -> Self {
        match bits {
            [_, first] => Self(u16::from_be_bytes([*first, 0])),
            [_, first, second, ..] => Self(u16::from_be_bytes([*first, *second])),
            _ => Self::default(),
        }
    }
}

/// The text of a distinguished name in DER, as RFC 4514 writes it.
///
/// # Errors
/// [`ParseError::Invalid`] when it contradicts itself.
pub fn distinguished_name(der: &[u8]) -> Result<String, ParseError> {
    const STRUCTURE: &str = "distinguished name";
    let name = Reader::new(der).expect(tag::SEQUENCE, STRUCTURE)?;
    Ok(read_name(name.content, STRUCTURE)?.text)
}

const KEY: &str = "subjectPublicKeyInfo";
const EXTENSIONS: &str = "certificate extensions";

struct Name {
    text: String,
    common_name: Option<String>,
}

fn read_name(content: &[u8], structure: &'static str) -> Result<Name, ParseError> {
    let mut sets = Reader::new(content);
    let mut relative_names = Vec::new();
    let mut common_name = None;
    while !sets.is_empty() {
        let mut attributes = Reader::new(sets.expect(tag::SET, structure)?.content);
        let mut relative_name = String::new();
        while !attributes.is_empty() {
            let mut attribute = Reader::new(attributes.expect(tag::SEQUENCE, structure)?.content);
            let kind = attribute.expect(tag::OBJECT_IDENTIFIER, structure)?.content;
            let value = attribute.any(structure)?;
            let text = string(&value);
            if !relative_name.is_empty() {
                relative_name.push('+');
            }
            match oids::attribute(kind) {
                Some(name) => relative_name.push_str(name),
                None => relative_name.push_str(&dotted(kind)),
            }
            relative_name.push('=');
            match &text {
                Some(text) => push_escaped(&mut relative_name, text),
                None => {
                    relative_name.push('#');
                    relative_name.push_str(&hex(value.encoding));
                }
            }
            if kind == oids::COMMON_NAME && text.is_some() {
                common_name = text;
            }
        }
        relative_names.push(relative_name);
    }
    relative_names.reverse();
    Ok(Name { text: relative_names.join(", "), common_name })
}

/// The text of a string of any kind; `None` for what is no string. Bytes that are no text become U+FFFD.
fn string(element: &Element<'_>) -> Option<String> {
    let content = element.content;
    Some(match element.tag {
        tag::UTF8_STRING | tag::NUMERIC_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING | tag::VISIBLE_STRING => {
            String::from_utf8_lossy(content).into_owned()
        }
        // In practice Latin-1, whatever T.61 says.
        tag::TELETEX_STRING => content.iter().map(|byte| char::from(*byte)).collect(),
        tag::BMP_STRING => {
            let units = content.as_chunks::<2>().0.iter().map(|unit| u16::from_be_bytes(*unit));
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        tag::UNIVERSAL_STRING => {
            let units = content.as_chunks::<4>().0.iter().map(|unit| u32::from_be_bytes(*unit));
            units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => return None,
    })
}

/// Appends a value with what RFC 4514 section 2.4 has escaped, and control characters, escaped.
fn push_escaped(text: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (index, character) in value.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => text.extend(['\\', character]),
            '#' | ' ' if index == 0 => text.extend(['\\', character]),
            ' ' if index == last => text.push_str("\\ "),
            control if control.is_control() => {
                let mut bytes = [0; 4];
                for byte in control.encode_utf8(&mut bytes).bytes() {
                    text.push('\\');
                    text.push_str(&hex(&[byte]));
                }
            }
            plain => text.push(plain),
        }
    }
}

fn signature_algorithm(content: &[u8]) -> Result<(String, SignatureHash), ParseError> {
    const STRUCTURE: &str = "signatureAlgorithm";
    let mut parts = Reader::new(content);
    let identifier = parts.expect(tag::OBJECT_IDENTIFIER, STRUCTURE)?.content;
    if identifier != oids::RSASSA_PSS {
        return Ok(match oids::signature_algorithm(identifier) {
            Some((name, hash)) => (name.to_owned(), hash),
            None => (dotted(identifier), SignatureHash::Unknown),
        });
    }
    // RSASSA-PSS-params (RFC 4055 section 3.1): the hash is SHA-1 unless it says otherwise.
    let mut hash_identifier = None;
    if let Some(parameters) = parts.optional(tag::SEQUENCE, STRUCTURE)?
        && let Some(hash) = Reader::new(parameters.content).optional(tag::explicit(0), STRUCTURE)?
    {
        let algorithm = Reader::new(hash.content).expect(tag::SEQUENCE, STRUCTURE)?;
        hash_identifier = Some(Reader::new(algorithm.content).expect(tag::OBJECT_IDENTIFIER, STRUCTURE)?.content);
    }
    Ok(match hash_identifier {
        None => ("RSASSA-PSS with SHA1".to_owned(), SignatureHash::Sha1),
        Some(identifier) => match oids::hash(identifier) {
            Some((name, hash)) => (format!("RSASSA-PSS with {name}"), hash),
            None => (format!("RSASSA-PSS with {}", dotted(identifier)), SignatureHash::Unknown),
        },
    })
}

/// The key, and the modulus of an RSA key.
fn read_key(content: &[u8]) -> Result<(PublicKey, Option<&[u8]>), ParseError> {
    let mut parts = Reader::new(content);
    let mut algorithm = Reader::new(parts.expect(tag::SEQUENCE, KEY)?.content);
    let bits = parts.expect(tag::BIT_STRING, KEY)?.content;
    let identifier = algorithm.expect(tag::OBJECT_IDENTIFIER, KEY)?.content;
    let key = match identifier {
        oids::key::RSA | oids::key::RSA_OLD | oids::key::RSAES_OAEP | oids::RSASSA_PSS => {
            let numbers = Reader::new(whole_bits(bits, KEY)?).expect(tag::SEQUENCE, "RSAPublicKey")?;
            let mut numbers = Reader::new(numbers.content);
            let modulus = numbers.expect(tag::INTEGER, "RSAPublicKey")?.content;
            let exponent = numbers.expect(tag::INTEGER, "RSAPublicKey")?.content;
            let key = PublicKey::Rsa { bits: bit_length(modulus), exponent: unsigned(exponent) };
            return Ok((key, Some(modulus)));
        }
        oids::key::EC | oids::key::EC_DH => read_curve(algorithm.any("ECParameters")?)?,
        oids::key::DSA => {
            let prime = match algorithm.optional(tag::SEQUENCE, "Dss-Parms")? {
                Some(parameters) => Reader::new(parameters.content).expect(tag::INTEGER, "Dss-Parms")?.content,
                None => &[],
            };
            PublicKey::Dsa { bits: bit_length(prime) }
        }
        other => PublicKey::Other(oids::named_key(other).map_or_else(|| dotted(other), str::to_owned)),
    };
    Ok((key, None))
}

/// ECParameters (RFC 3279 section 2.3.5, RFC 5480 section 2.1.1).
fn read_curve(parameters: Element<'_>) -> Result<PublicKey, ParseError> {
    const STRUCTURE: &str = "ECParameters";
    match parameters.tag {
        tag::OBJECT_IDENTIFIER => {
            let (name, bits) = match oids::curve(parameters.content) {
                Some((name, bits)) => (name.to_owned(), bits),
                None => (dotted(parameters.content), 0),
            };
            Ok(PublicKey::Ec { curve: Some(name), bits })
        }
        tag::SEQUENCE => {
            let mut fields = Reader::new(parameters.content);
            fields.expect(tag::INTEGER, STRUCTURE)?;
            let mut field = Reader::new(fields.expect(tag::SEQUENCE, STRUCTURE)?.content);
            let kind = field.expect(tag::OBJECT_IDENTIFIER, STRUCTURE)?.content;
            let bits = if kind == oids::key::PRIME_FIELD {
                bit_length(field.expect(tag::INTEGER, STRUCTURE)?.content)
            } else {
                let binary = field.expect(tag::SEQUENCE, STRUCTURE)?;
                let degree = Reader::new(binary.content).expect(tag::INTEGER, STRUCTURE)?;
                u32::try_from(unsigned(degree.content)).unwrap_or(u32::MAX)
            };
            Ok(PublicKey::Ec { curve: None, bits })
        }
        // implicitCurve: inherited from the issuer.
        _ => Ok(PublicKey::Ec { curve: Some("inherited".to_owned()), bits: 0 }),
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::tls::test_data::{CERTIFICATES, certificate};

    fn read(name: &str) -> Certificate {
        let certificate = Certificate::from_der(&certificate(name));
        assert_eq!(certificate.problems, [], "{name}");
        certificate
    }

    #[test]
    fn reads_every_part() {
        let certificate = read("full");
        assert_eq!(certificate.subject, "CN=example.org, O=Exämple\\, Inc., ST=Sachsen, C=DE");
        assert_eq!(certificate.issuer, certificate.subject);
        assert!(certificate.is_self_issued() && !certificate.is_ca());
        assert_eq!((certificate.serial.as_str(), certificate.version), ("c0ffee", 3));
        assert_eq!(certificate.common_name.as_deref(), Some("example.org"));
        assert_eq!(certificate.names, ["example.org", "*.example.org", "192.0.2.1", "2001:db8::1"]);
        assert_eq!(certificate.dns_names().collect::<Vec<_>>(), ["example.org", "*.example.org"]);
        assert_eq!(certificate.ip_addresses().count(), 2);
        let others: Vec<_> = certificate.alternative_names.iter().flatten().skip(4).cloned().collect();
        assert_eq!(
            others,
            [
                AlternativeName::Email("a@example.org".to_owned()),
                AlternativeName::Uri("https://example.org/".to_owned()),
                AlternativeName::Other(4),
                AlternativeName::Other(0),
            ]
        );
        assert_eq!(certificate.not_before.to_string(), "2026-11-22T01:53:43.000000000Z");
        assert_eq!(certificate.not_after.to_string(), "2027-02-20T01:53:43.000000000Z");
        assert_eq!(certificate.key, PublicKey::Rsa { bits: 2048, exponent: 65_537 });
        assert_eq!(certificate.key.to_string(), "RSA 2048");
        assert_eq!(certificate.signature, "sha256WithRSAEncryption");
        assert_eq!((certificate.signature_hash, certificate.signature_mismatch), (SignatureHash::Strong, false));
        assert_eq!(certificate.sha256, "26192ffda70b2e7602b7eb3ac885d3b6f854fcc1cd3ce2d64737247f47de6912");
        assert_eq!(certificate.sha1, "788c069190ecba3d9a4b28533c762170dd05c8d8");
        assert_eq!(certificate.spki_sha256, "3db3dc5a47edeb70777d1450fb5ddbafe6ec3bd7e837fdca564756832b1009c4");
        let usage = KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::KEY_ENCIPHERMENT);
        assert_eq!(certificate.key_usage, Some(usage));
        assert!(!usage.contains(KeyUsage::KEY_CERT_SIGN));
        let purposes = certificate.extended_key_usage.clone().unwrap_or_default();
        assert_eq!(purposes, ["serverAuth", "clientAuth", "1.3.6.1.4.1.99999.1"]);
        assert!(certificate.must_staple && certificate.has_embedded_timestamps);
        assert_eq!(certificate.subject_key_id.as_deref(), Some("a8f154bc8e2ccaf03cfad79b5974ee75984e147a"));
        assert_eq!(certificate.authority_key_id, certificate.subject_key_id);
        assert_eq!(distinguished_name(&certificate.subject_der), Ok(certificate.subject));
    }

    #[test]
    fn reads_keys_and_signatures_of_every_kind() {
        for (name, key, signature, hash) in [
            ("ec", "EC P-256", "ecdsa-with-SHA384", SignatureHash::Strong),
            ("ed25519", "Ed25519", "Ed25519", SignatureHash::Strong),
            ("md5", "RSA 1024", "md5WithRSAEncryption", SignatureHash::Md5),
            ("pss", "RSA 2048", "RSASSA-PSS with SHA256", SignatureHash::Strong),
            ("dsa", "DSA 1024", "dsa-with-SHA1", SignatureHash::Sha1),
            ("explicit", "EC explicit 256", "ecdsa-with-SHA256", SignatureHash::Strong),
            ("v1", "RSA 1024", "sha1WithRSAEncryption", SignatureHash::Sha1),
        ] {
            let certificate = read(name);
            assert_eq!((certificate.key.to_string().as_str(), certificate.signature.as_str()), (key, signature));
            assert_eq!(certificate.signature_hash, hash, "{name}");
        }
    }

    #[test]
    fn tells_keys_that_can_be_factored_by_their_form() {
        for (name, _) in CERTIFICATES {
            assert_eq!(read(name).is_roca, *name == "roca", "{name}");
        }
    }

    #[test]
    fn reads_what_old_and_far_certificates_have() {
        let v1 = read("v1");
        assert_eq!((v1.version, v1.alternative_names, v1.subject.as_str()), (1, None, "CN=v1.example, C=DE"));
        let ec = read("ec");
        assert_eq!((ec.not_after.civil().0, ec.subject.as_str()), (2126, "OU=a+OU=b, CN=ec.example"));
        let authority = read("ed25519");
        assert_eq!(authority.basic_constraints, Some(BasicConstraints { is_ca: true, path_length: Some(1) }));
        assert!(authority.key_usage.is_some_and(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN)));
    }

    #[test]
    fn names_what_is_wrong_with_any_prefix() {
        for (name, _) in CERTIFICATES {
            let der = certificate(name);
            for length in 0..der.len() {
                assert!(!Certificate::from_der(&der[..length]).problems.is_empty(), "{name} cut at {length}");
            }
            let trailing = [&der[..], &[0]].concat();
            let trailing = Certificate::from_der(&trailing);
            assert_eq!(trailing.problems.len(), 1, "{name}");
            assert!(!trailing.subject.is_empty(), "{name}");
        }
    }

    #[test]
    fn survives_any_changed_byte() {
        for (name, _) in CERTIFICATES {
            let der = certificate(name);
            for position in 0..der.len() {
                for change in [0x01, 0x80] {
                    let mut changed = der.clone();
                    changed[position] ^= change;
                    let read = Certificate::from_der(&changed);
                    assert_eq!(read.sha256.len(), 64);
                }
            }
        }
    }

    #[test]
    fn keeps_what_can_be_read_of_a_damaged_certificate() {
        let der = certificate("full");
        let position = |text: &[u8]| der.windows(text.len()).position(|window| window == text).unwrap_or_default();

        let mut month = der.clone();
        month[position(b"261122") + 2] = b'9';
        let read = Certificate::from_der(&month);
        assert_eq!(read.problems.iter().map(ParseError::structure).collect::<Vec<_>>(), ["notBefore"]);
        assert_eq!(read.not_before, Timestamp::ZERO);
        assert_eq!((read.key.to_string(), read.names.len()), ("RSA 2048".to_owned(), 4));

        let mut names = der.clone();
        let at = position(b"\x55\x1d\x11\x04");
        names[at + 5] = 0x31;
        let read = Certificate::from_der(&names);
        assert_eq!(read.problems.iter().map(ParseError::structure).collect::<Vec<_>>(), ["subjectAltName"]);
        assert!(read.must_staple && read.alternative_names.is_none());
    }

    #[test]
    fn escapes_names_as_rfc_4514_does() {
        let mut text = String::new();
        push_escaped(&mut text, " #a,b+c\"d\\e<f>g;h\u{0}\n ");
        assert_eq!(text, "\\ #a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h\\00\\0a\\ ");
        let mut text = String::new();
        push_escaped(&mut text, "#x");
        assert_eq!(text, "\\#x");
    }

    #[test]
    fn reads_strings_of_every_kind_and_what_is_none() {
        let element = |tag, content| Element { tag, content, encoding: &[] };
        assert_eq!(string(&element(tag::TELETEX_STRING, b"M\xfcller")).as_deref(), Some("Müller"));
        assert_eq!(string(&element(tag::BMP_STRING, b"\x00M\x00\xfc")).as_deref(), Some("Mü"));
        assert_eq!(string(&element(tag::UNIVERSAL_STRING, b"\x00\x01\xf6\x00")).as_deref(), Some("😀"));
        assert_eq!(string(&element(tag::UTF8_STRING, b"a\xff")).as_deref(), Some("a\u{fffd}"));
        assert_eq!(string(&element(tag::INTEGER, b"\x01")), None);
    }

    #[test]
    fn takes_sha1_where_pss_says_nothing() {
        let pss = [&[0x06, 9][..], oids::RSASSA_PSS, &[0x30, 0]].concat();
        assert_eq!(signature_algorithm(&pss), Ok(("RSASSA-PSS with SHA1".to_owned(), SignatureHash::Sha1)));
        let unknown = [0x06, 3, 0x2a, 3, 4];
        assert_eq!(signature_algorithm(&unknown), Ok(("1.2.3.4".to_owned(), SignatureHash::Unknown)));
    }
}
