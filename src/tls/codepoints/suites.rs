//! Cipher suites (IANA "TLS Cipher Suites"): names, status, parts, and the classes findings ask for.

mod table;

use std::fmt;

use super::{Status, write_code_point};

code_point! {
    /// A cipher suite, or one of the two signals that travel as suites (RFC 5746, RFC 7507).
    CipherSuite
}

code_point_text!(CipherSuite, |f, value| write_code_point(f, value.0, value.name()));

/// What a suite is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SuiteParts {
    /// How the keys are agreed.
    pub key_exchange: KeyExchange,
    /// How the server proves itself.
    pub authentication: Authentication,
    /// What encrypts.
    pub cipher: Cipher,
    /// How it is applied.
    pub mode: CipherMode,
    /// Bits of the encryption key as the suite has it: 168 for 3DES, 40 or 56 for EXPORT, 0 for NULL.
    pub key_bits: u16,
    /// What protects the records' integrity.
    pub mac: MacAlgorithm,
    /// The hash of the key derivation.
    pub prf: PrfAlgorithm,
    /// Whether the suite was cut down for export (RFC 4346 appendix A.5).
    pub export: bool,
}

/// How the keys are agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyExchange {
    /// Nothing is agreed: TLS_NULL_WITH_NULL_NULL.
    Null,
    /// The client encrypts to the server's RSA key.
    Rsa,
    /// Diffie-Hellman with the key in the server's certificate.
    Dh,
    /// Ephemeral Diffie-Hellman, signed.
    Dhe,
    /// Ephemeral Diffie-Hellman, not signed.
    DhAnon,
    /// Elliptic-curve Diffie-Hellman with the key in the server's certificate.
    Ecdh,
    /// Ephemeral elliptic-curve Diffie-Hellman, signed.
    Ecdhe,
    /// Ephemeral elliptic-curve Diffie-Hellman, not signed.
    EcdhAnon,
    /// A pre-shared key.
    Psk,
    /// A pre-shared key and ephemeral Diffie-Hellman.
    DhePsk,
    /// A pre-shared key and ephemeral elliptic-curve Diffie-Hellman.
    EcdhePsk,
    /// A pre-shared key and RSA encryption.
    RsaPsk,
    /// Kerberos (RFC 2712).
    Krb5,
    /// Secure Remote Password (RFC 5054).
    Srp,
    /// TLS-PWD (RFC 8492).
    Eccpwd,
    /// GOST key transport (RFC 9189).
    Gost,
    /// SM2 encryption to the server's key (GB/T 38636, TLCP).
    Sm2,
    /// Fortezza's key exchange algorithm (SSL 3.0).
    Fortezza,
    /// X25519 and New Hope, an experiment of 2016.
    Cecpq1,
    /// The suite does not say: TLS 1.3.
    Tls13,
}

/// How the server proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authentication {
    /// TLS_NULL_WITH_NULL_NULL.
    Null,
    /// Not at all.
    Anonymous,
    /// An RSA key.
    Rsa,
    /// A DSA key.
    Dss,
    /// An ECDSA or EdDSA key.
    Ecdsa,
    /// A pre-shared key.
    Psk,
    /// A Kerberos ticket.
    Krb5,
    /// A password, by SRP.
    Srp,
    /// A password, by TLS-PWD.
    Eccpwd,
    /// A GOST key.
    Gost,
    /// An SM2 key.
    Sm2,
    /// A Fortezza token.
    Fortezza,
    /// The suite does not say: TLS 1.3.
    Tls13,
}

/// What encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the ciphers' names")]
pub enum Cipher {
    Null,
    Rc2,
    Rc4,
    Des,
    TripleDes,
    Idea,
    /// Skipjack.
    Fortezza,
    Seed,
    Aes,
    Camellia,
    Aria,
    ChaCha20,
    Sm4,
    Aegis,
    Ascon,
    /// GOST 28147-89.
    Gost28147,
    Kuznyechik,
    Magma,
}

/// How the cipher is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CipherMode {
    /// No encryption.
    None,
    /// A stream cipher.
    Stream,
    /// Cipher block chaining.
    Cbc,
    /// Counter mode, with a separate MAC.
    Ctr,
    /// The counter mode of GOST 28147-89, with a separate MAC.
    Cnt,
    /// Galois/counter mode.
    Gcm,
    /// Counter with CBC-MAC, tags of 16 bytes.
    Ccm,
    /// Counter with CBC-MAC, tags of 8 bytes.
    Ccm8,
    /// ChaCha20 with Poly1305.
    Poly1305,
    /// Multilinear Galois mode (RFC 9058).
    Mgm,
    /// The cipher is an AEAD by itself.
    Aead,
}

/// What protects the records' integrity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacAlgorithm {
    /// Nothing.
    None,
    /// HMAC-MD5 (in SSL 3.0 its forerunner).
    Md5,
    /// HMAC-SHA-1 (in SSL 3.0 its forerunner).
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-384.
    Sha384,
    /// HMAC-SM3.
    Sm3,
    /// HMAC with GOST R 34.11-94 or 34.11-2012.
    GostR3411,
    /// The imitovstavka of GOST 28147-89.
    Imit,
    /// OMAC with the suite's cipher (RFC 9189).
    Omac,
    /// The cipher's own tag.
    Aead,
}

/// The hash of the key derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrfAlgorithm {
    /// The version's own: MD5 and SHA-1 before TLS 1.2, SHA-256 in it.
    Default,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SM3.
    Sm3,
    /// GOST R 34.11-94.
    GostR3411,
    /// GOST R 34.11-2012 with 256 bits.
    Streebog256,
    /// Ascon-Hash256.
    AsconHash256,
}

/// `name()`, `Display` and `Serialize` of an enum of parts.
macro_rules! part_names {
    ($type:ident { $($variant:ident $name:literal,)* }) => {
        impl $type {
            /// The field's usual name for it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

part_names! { KeyExchange {
    Null "NULL", Rsa "RSA", Dh "DH", Dhe "DHE", DhAnon "DH_anon", Ecdh "ECDH", Ecdhe "ECDHE", EcdhAnon "ECDH_anon",
    Psk "PSK", DhePsk "DHE_PSK", EcdhePsk "ECDHE_PSK", RsaPsk "RSA_PSK", Krb5 "KRB5", Srp "SRP", Eccpwd "ECCPWD",
    Gost "GOST", Sm2 "SM2", Fortezza "FORTEZZA_KEA", Cecpq1 "CECPQ1", Tls13 "TLS13",
} }

part_names! { Authentication {
    Null "NULL", Anonymous "anon", Rsa "RSA", Dss "DSS", Ecdsa "ECDSA", Psk "PSK", Krb5 "KRB5", Srp "SRP",
    Eccpwd "ECCPWD", Gost "GOST", Sm2 "SM2", Fortezza "FORTEZZA", Tls13 "TLS13",
} }

part_names! { Cipher {
    Null "NULL", Rc2 "RC2", Rc4 "RC4", Des "DES", TripleDes "3DES", Idea "IDEA", Fortezza "FORTEZZA", Seed "SEED",
    Aes "AES", Camellia "CAMELLIA", Aria "ARIA", ChaCha20 "CHACHA20", Sm4 "SM4", Aegis "AEGIS", Ascon "ASCON",
    Gost28147 "28147", Kuznyechik "KUZNYECHIK", Magma "MAGMA",
} }

/// A set of classes of suites, one bit each: of one suite, or united over all that are offered.
///
/// `contains` asks for all bits of a set, `intersects` for any.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SuiteClasses(u32);

macro_rules! classes {
    ($($(#[$documentation:meta])* $bit:literal $constant:ident;)*) => {
        impl SuiteClasses {
            $(
                $(#[$documentation])*
                pub const $constant: Self = Self(1 << $bit);
            )*
        }

        const CLASS_NAMES: &[(SuiteClasses, &str)] = &[$((SuiteClasses::$constant, stringify!($constant)),)*];
    };
}

classes! {
    /// A signal, no suite: the renegotiation and fallback SCSVs. Signals are in no other class but their status.
    0 SIGNAL;
    /// NULL encryption, the integrity-only suites of TLS 1.3 (RFC 9150) included.
    1 NULL;
    /// DH_anon and ECDH_anon.
    2 ANONYMOUS;
    /// EXPORT and EXPORT1024.
    3 EXPORT;
    /// RC4 with any key.
    4 RC4;
    /// Single DES, the 40-bit one of EXPORT included.
    5 DES;
    /// RC2.
    6 RC2;
    /// Triple DES.
    7 TRIPLE_DES;
    /// A block cipher of 64 bits without rekeying: DES, 3DES, RC2, IDEA, Skipjack (CVE-2016-2183). The GOST ciphers of
    /// 64 bits change their keys on the way and are not in it.
    8 BLOCK_64;
    /// HMAC-MD5.
    9 MD5_MAC;
    /// HMAC-SHA-1.
    10 SHA1_MAC;
    /// Cipher block chaining.
    11 CBC;
    /// Authenticated encryption.
    12 AEAD;
    /// CCM with tags of 8 bytes.
    13 CCM_8;
    /// Camellia, ARIA, SEED, GOST, SM4: a national standard's cipher.
    14 NATIONAL;
    /// RSA and RSA_PSK key exchange.
    15 STATIC_RSA;
    /// DH and ECDH with the key in the certificate; anonymous Diffie-Hellman is not in it.
    16 STATIC_DH;
    /// DHE and DHE_PSK; anonymous Diffie-Hellman is not in it.
    17 DHE;
    /// ECDHE and ECDHE_PSK; anonymous Diffie-Hellman is not in it.
    18 ECDHE;
    /// A key exchange that outlives the theft of long-term keys and proves the peer: DHE, ECDHE, SRP, TLS-PWD, CECPQ1,
    /// and the suites of TLS 1.3 (whose psk_ke mode is the exception the suite cannot show).
    19 FORWARD_SECRET;
    /// A suite of TLS 1.3.
    20 TLS13;
    /// Any of PSK, DHE_PSK, ECDHE_PSK, RSA_PSK.
    21 PSK;
    /// A suite that only TLS 1.2 can use: AEAD, or a MAC with SHA-256, SHA-384 or of RFC 9189.
    22 TLS12_ONLY;
    /// On the list of RFC 9113 appendix A.
    23 HTTP2_FORBIDDEN;
    /// "Y" in the registry.
    24 RECOMMENDED;
    /// "N" in the registry.
    25 NOT_RECOMMENDED;
    /// "D" in the registry.
    26 DISCOURAGED;
    /// GREASE (RFC 8701).
    27 GREASE;
    /// A value in the private-use range, known or not.
    28 PRIVATE_USE;
    /// A value nothing is known of: unassigned, or reserved without a name.
    29 UNKNOWN;
}

impl SuiteClasses {
    /// No class.
    pub const EMPTY: Self = Self(0);

    /// Whether every class of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any class of `other` is in this set.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The classes of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is no class in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as bits, in the order of the constants.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    const fn and_if(self, condition: bool, class: Self) -> Self {
        if condition { self.union(class) } else { self }
    }
}

impl std::ops::BitOr for SuiteClasses {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl std::ops::BitOrAssign for SuiteClasses {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.union(other);
    }
}

impl FromIterator<SuiteClasses> for SuiteClasses {
    fn from_iter<I: IntoIterator<Item = SuiteClasses>>(classes: I) -> Self {
        classes.into_iter().fold(Self::EMPTY, Self::union)
    }
}

impl fmt::Debug for SuiteClasses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = CLASS_NAMES.iter().filter(|(class, _)| self.contains(*class)).map(|(_, name)| name);
        f.debug_set().entries(names).finish()
    }
}

/// A line of the table, with what is derived from it.
struct Entry {
    code: u16,
    name: &'static str,
    status: Status,
    /// `None` for signals.
    parts: Option<SuiteParts>,
    classes: SuiteClasses,
}

impl CipherSuite {
    /// The renegotiation signal (RFC 5746 section 3.3).
    pub const TLS_EMPTY_RENEGOTIATION_INFO_SCSV: Self = Self(0x00ff);
    /// The fallback signal (RFC 7507).
    pub const TLS_FALLBACK_SCSV: Self = Self(0x5600);

    /// The name, as IANA has it where IANA has one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.entry().map(|entry| entry.name)
    }

    /// The value of a name, spelled as [`Self::name`] spells it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        table::TABLE.iter().find(|entry| entry.name == name).map(|entry| Self(entry.code))
    }

    /// Every value that has a name, in order of value.
    pub fn all() -> impl Iterator<Item = Self> {
        table::TABLE.iter().map(|entry| Self(entry.code))
    }

    /// What the registry says of it.
    #[must_use]
    pub fn status(self) -> Status {
        match (self.entry(), self.0) {
            (Some(entry), _) => entry.status,
            (None, 0xff00..=0xffff) => Status::PrivateUse,
            (None, 0x001c..=0x001d | 0x0047..=0x005c | 0x0060..=0x0066) => Status::Reserved,
            _ if self.is_grease() => Status::Reserved,
            _ => Status::Unassigned,
        }
    }

    /// What it is made of; `None` for signals, GREASE and unknown values.
    #[must_use]
    pub fn parts(self) -> Option<SuiteParts> {
        self.entry().and_then(|entry| entry.parts)
    }

    /// Every class it is in, precomputed: for an offer, unite them.
    #[must_use]
    pub fn classes(self) -> SuiteClasses {
        match self.entry() {
            Some(entry) => entry.classes,
            None if self.is_grease() => SuiteClasses::GREASE,
            None if self.0 >= 0xff00 => SuiteClasses::PRIVATE_USE,
            None => SuiteClasses::UNKNOWN,
        }
    }

    /// The work an attacker needs to break the encryption, in bits: the key's, but 112 for 3DES; 0 for NULL and for
    /// what has no parts.
    #[must_use]
    pub fn strength_bits(self) -> u16 {
        match self.parts() {
            Some(SuiteParts { cipher: Cipher::TripleDes, .. }) => 112,
            Some(parts) => parts.key_bits,
            None => 0,
        }
    }

    /// Two steps into tables built at compile time: the page of the high byte, the entry of the low byte.
    fn entry(self) -> Option<&'static Entry> {
        let [high, low] = self.0.to_be_bytes();
        let page = INDEX.page_of.get(usize::from(high))?;
        let index = INDEX.pages.get(usize::from(*page))?.get(usize::from(low))?;
        table::TABLE.get(usize::from(*index))
    }
}

macro_rules! is_class {
    ($($(#[$documentation:meta])* $method:ident $class:ident;)*) => {
        impl CipherSuite {
            $(
                $(#[$documentation])*
                #[must_use]
                pub fn $method(self) -> bool {
                    self.classes().contains(SuiteClasses::$class)
                }
            )*
        }
    };
}

is_class! {
    /// See [`SuiteClasses::SIGNAL`].
    is_scsv SIGNAL;
    /// See [`SuiteClasses::NULL`].
    is_null NULL;
    /// See [`SuiteClasses::ANONYMOUS`].
    is_anonymous ANONYMOUS;
    /// See [`SuiteClasses::EXPORT`].
    is_export EXPORT;
    /// See [`SuiteClasses::RC4`].
    is_rc4 RC4;
    /// See [`SuiteClasses::DES`].
    is_des DES;
    /// See [`SuiteClasses::RC2`].
    is_rc2 RC2;
    /// See [`SuiteClasses::TRIPLE_DES`].
    is_3des TRIPLE_DES;
    /// See [`SuiteClasses::BLOCK_64`].
    is_64_bit_block BLOCK_64;
    /// See [`SuiteClasses::MD5_MAC`].
    is_md5_mac MD5_MAC;
    /// See [`SuiteClasses::SHA1_MAC`].
    is_sha1_mac SHA1_MAC;
    /// See [`SuiteClasses::CBC`].
    is_cbc CBC;
    /// See [`SuiteClasses::AEAD`].
    is_aead AEAD;
    /// See [`SuiteClasses::CCM_8`].
    is_ccm8 CCM_8;
    /// See [`SuiteClasses::NATIONAL`].
    is_national NATIONAL;
    /// See [`SuiteClasses::STATIC_RSA`].
    is_static_rsa STATIC_RSA;
    /// See [`SuiteClasses::STATIC_DH`].
    is_static_dh STATIC_DH;
    /// See [`SuiteClasses::DHE`].
    is_dhe DHE;
    /// See [`SuiteClasses::ECDHE`].
    is_ecdhe ECDHE;
    /// See [`SuiteClasses::FORWARD_SECRET`].
    is_forward_secret FORWARD_SECRET;
    /// See [`SuiteClasses::TLS13`].
    is_tls13 TLS13;
    /// See [`SuiteClasses::PSK`].
    is_psk PSK;
    /// See [`SuiteClasses::TLS12_ONLY`].
    is_tls12_only TLS12_ONLY;
    /// See [`SuiteClasses::HTTP2_FORBIDDEN`].
    is_http2_forbidden HTTP2_FORBIDDEN;
}

/// Where each value is in the table. Page 0 is of high bytes without any suite; an entry of no suite is `u16::MAX`.
struct Index {
    page_of: [u8; 256],
    pages: [[u16; 256]; PAGES],
}

/// One more than the high bytes in use.
const PAGES: usize = 12;

static INDEX: Index = index(table::TABLE);

#[expect(clippy::indexing_slicing, reason = "runs at compile time: an index out of bounds does not build")]
#[expect(clippy::cast_possible_truncation, reason = "runs at compile time, with fewer than 2^16 suites")]
const fn index(table: &[Entry]) -> Index {
    let mut index = Index { page_of: [0; 256], pages: [[u16::MAX; 256]; PAGES] };
    let mut used = 0;
    let mut at = 0;
    while at < table.len() {
        let [high, low] = table[at].code.to_be_bytes();
        if index.page_of[high as usize] == 0 {
            used += 1;
            index.page_of[high as usize] = used;
        }
        index.pages[index.page_of[high as usize] as usize][low as usize] = at as u16;
        at += 1;
    }
    assert!(used as usize + 1 == PAGES, "PAGES is one more than the high bytes in use");
    index
}

impl Entry {
    const fn signal(code: u16, name: &'static str, status: Status) -> Self {
        let http2 = SuiteClasses::EMPTY.and_if(code == 0x00ff, SuiteClasses::HTTP2_FORBIDDEN);
        let classes = status_class(code, status).union(SuiteClasses::SIGNAL).union(http2);
        Self { code, name, status, parts: None, classes }
    }

    const fn suite(code: u16, name: &'static str, status: Status, parts: SuiteParts) -> Self {
        Self { code, name, status, parts: Some(parts), classes: classes(code, status, &parts) }
    }
}

const fn status_class(code: u16, status: Status) -> SuiteClasses {
    match status {
        Status::Recommended => SuiteClasses::RECOMMENDED,
        Status::NotRecommended => SuiteClasses::NOT_RECOMMENDED,
        Status::Discouraged => SuiteClasses::DISCOURAGED,
        _ if code >= 0xff00 => SuiteClasses::PRIVATE_USE,
        _ => SuiteClasses::EMPTY,
    }
}

const fn classes(code: u16, status: Status, parts: &SuiteParts) -> SuiteClasses {
    use {CipherMode as Mode, KeyExchange as Kx, MacAlgorithm as Mac, SuiteClasses as C};
    let tls13 = matches!(parts.key_exchange, Kx::Tls13);
    let anonymous = matches!(parts.key_exchange, Kx::DhAnon | Kx::EcdhAnon);
    let aead = matches!(parts.mac, Mac::Aead);
    let ephemeral = matches!(
        parts.key_exchange,
        Kx::Dhe | Kx::DhePsk | Kx::Ecdhe | Kx::EcdhePsk | Kx::Srp | Kx::Eccpwd | Kx::Cecpq1
    );
    let dhe = matches!(parts.key_exchange, Kx::Dhe | Kx::DhePsk);
    let ecdhe = matches!(parts.key_exchange, Kx::Ecdhe | Kx::EcdhePsk);
    let tls12_mac = aead || matches!(parts.mac, Mac::Sha256 | Mac::Sha384 | Mac::Omac) || code == 0xc102;
    status_class(code, status)
        .and_if(matches!(parts.cipher, Cipher::Null), C::NULL)
        .and_if(anonymous, C::ANONYMOUS)
        .and_if(parts.export, C::EXPORT)
        .and_if(matches!(parts.cipher, Cipher::Rc4), C::RC4)
        .and_if(matches!(parts.cipher, Cipher::Des), C::DES)
        .and_if(matches!(parts.cipher, Cipher::Rc2), C::RC2)
        .and_if(matches!(parts.cipher, Cipher::TripleDes), C::TRIPLE_DES)
        .and_if(
            matches!(parts.cipher, Cipher::Des | Cipher::TripleDes | Cipher::Rc2 | Cipher::Idea | Cipher::Fortezza),
            C::BLOCK_64,
        )
        .and_if(matches!(parts.mac, Mac::Md5), C::MD5_MAC)
        .and_if(matches!(parts.mac, Mac::Sha1), C::SHA1_MAC)
        .and_if(matches!(parts.mode, Mode::Cbc), C::CBC)
        .and_if(aead, C::AEAD)
        .and_if(matches!(parts.mode, Mode::Ccm8), C::CCM_8)
        .and_if(
            matches!(
                parts.cipher,
                Cipher::Camellia
                    | Cipher::Aria
                    | Cipher::Seed
                    | Cipher::Sm4
                    | Cipher::Gost28147
                    | Cipher::Kuznyechik
                    | Cipher::Magma
            ) || matches!(parts.key_exchange, Kx::Gost | Kx::Sm2),
            C::NATIONAL,
        )
        .and_if(matches!(parts.key_exchange, Kx::Rsa | Kx::RsaPsk), C::STATIC_RSA)
        .and_if(matches!(parts.key_exchange, Kx::Dh | Kx::Ecdh), C::STATIC_DH)
        .and_if(dhe, C::DHE)
        .and_if(ecdhe, C::ECDHE)
        .and_if(ephemeral || tls13, C::FORWARD_SECRET)
        .and_if(tls13, C::TLS13)
        .and_if(matches!(parts.key_exchange, Kx::Psk | Kx::DhePsk | Kx::EcdhePsk | Kx::RsaPsk), C::PSK)
        .and_if(tls12_mac && !tls13, C::TLS12_ONLY)
        .and_if(!tls13 && !((dhe || ecdhe) && aead) && listed_by_rfc9113(code, status), C::HTTP2_FORBIDDEN)
}

/// Whether the suite was registered when the list of RFC 9113 appendix A was drawn up for RFC 7540, which names every
/// such suite without an ephemeral key exchange or without an AEAD. What came later is not on it.
const fn listed_by_rfc9113(code: u16, status: Status) -> bool {
    matches!(status, Status::Recommended | Status::NotRecommended | Status::Discouraged) && code <= 0xc0af
}

#[cfg(test)]
mod tests {
    use tls_parser::{TlsCipherAu, TlsCipherEnc, TlsCipherEncMode, TlsCipherKx, TlsCipherMac, TlsPRF};

    use super::*;

    fn suite(name: &str) -> CipherSuite {
        let suite = CipherSuite::from_name(name);
        assert!(suite.is_some(), "{name} is not in the table");
        suite.unwrap_or_default()
    }

    fn count(is: fn(CipherSuite) -> bool) -> usize {
        (0..=u16::MAX).filter(|&value| is(CipherSuite(value))).count()
    }

    #[test]
    fn every_entry_is_found_by_its_value_and_nothing_else_is() {
        let found: Vec<u16> = (0..=u16::MAX).filter(|&value| CipherSuite(value).name().is_some()).collect();
        let table: Vec<u16> = table::TABLE.iter().map(|entry| entry.code).collect();
        assert_eq!(found, table);
        for entry in table::TABLE {
            assert_eq!(CipherSuite(entry.code).name(), Some(entry.name));
            assert_eq!(entry.parts.is_none(), entry.name.ends_with("_SCSV"), "{}", entry.name);
        }
    }

    #[test]
    fn parts_agree_with_tls_parser() {
        // Each difference is named where it is allowed, here and in the functions below.
        let mut compared = 0;
        for value in 0..=u16::MAX {
            let Some(theirs) = tls_parser::TlsCipherSuite::from_id(value) else { continue };
            let ours = CipherSuite(value);
            assert_eq!(ours.name(), Some(theirs.name), "0x{value:04x}");
            compared += 1;
            let Some(parts) = ours.parts() else {
                assert!(ours.is_scsv(), "{ours} has no parts");
                continue;
            };
            assert!(same_key_exchange(parts.key_exchange, theirs.kx, value), "{ours}: {:?}", theirs.kx);
            assert!(same_authentication(&parts, theirs.au), "{ours}: {:?}", theirs.au);
            assert!(same_cipher(&parts, theirs.enc, theirs.enc_mode), "{ours}: {:?} {:?}", theirs.enc, theirs.enc_mode);
            assert!(same_mac(&parts, theirs.mac), "{ours}: {:?}", theirs.mac);
            assert!(same_prf(&parts, theirs.prf), "{ours}: {:?} {:?}", parts.prf, theirs.prf);
            // It lists ChaCha20 with 128 bits at 0x1303; the key has 256 (RFC 8439 section 2.3).
            let wrong_bits = parts.cipher == Cipher::ChaCha20 && theirs.enc_size == 128;
            assert!(parts.key_bits == theirs.enc_size || wrong_bits, "{ours}: {} bits", theirs.enc_size);
        }
        assert_eq!(compared, 352);
    }

    fn same_key_exchange(ours: KeyExchange, theirs: TlsCipherKx, value: u16) -> bool {
        use {KeyExchange as K, TlsCipherKx as T};
        // The null-cipher suites of RFC 9150 are TLS 1.3's.
        if matches!(value, 0xc0b4 | 0xc0b5) {
            return ours == K::Tls13;
        }
        match theirs {
            T::Null => ours == K::Null,
            // It reads TLS_PSK_DHE_WITH_…_CCM_8 the wrong way round; RFC 6655 section 5 means DHE_PSK.
            T::Psk if matches!(value, 0xc0aa | 0xc0ab) => ours == K::DhePsk,
            T::Psk => ours == K::Psk,
            T::Krb5 => ours == K::Krb5,
            T::Srp => ours == K::Srp,
            T::Rsa => matches!(ours, K::Rsa | K::RsaPsk),
            T::Dh => matches!(ours, K::Dh | K::DhAnon),
            T::Dhe => matches!(ours, K::Dhe | K::DhePsk),
            T::Ecdh => matches!(ours, K::Ecdh | K::EcdhAnon),
            T::Ecdhe => matches!(ours, K::Ecdhe | K::EcdhePsk),
            T::Aecdh => ours == K::EcdhAnon,
            T::Eccpwd => ours == K::Eccpwd,
            T::Tls13 => ours == K::Tls13,
        }
    }

    fn same_authentication(ours: &SuiteParts, theirs: TlsCipherAu) -> bool {
        use {Authentication as A, TlsCipherAu as T};
        match theirs {
            T::Null => matches!(ours.authentication, A::Null | A::Anonymous),
            T::Psk => ours.authentication == A::Psk,
            T::Krb5 => ours.authentication == A::Krb5,
            T::Srp => ours.authentication == A::Srp,
            T::Srp_Dss => ours.key_exchange == KeyExchange::Srp && ours.authentication == A::Dss,
            T::Srp_Rsa => ours.key_exchange == KeyExchange::Srp && ours.authentication == A::Rsa,
            T::Dss => ours.authentication == A::Dss,
            T::Rsa => ours.authentication == A::Rsa,
            // The other half of TLS_PSK_DHE_WITH_…_CCM_8.
            T::Dhe => ours.key_exchange == KeyExchange::DhePsk,
            T::Ecdsa => ours.authentication == A::Ecdsa,
            T::Eccpwd => ours.authentication == A::Eccpwd,
            T::Tls13 => ours.authentication == A::Tls13,
        }
    }

    fn same_cipher(ours: &SuiteParts, cipher: TlsCipherEnc, mode: TlsCipherEncMode) -> bool {
        use {Cipher as C, CipherMode as M, TlsCipherEnc as T, TlsCipherEncMode as TM};
        let same_cipher = match cipher {
            T::Null => ours.cipher == C::Null,
            T::Des => ours.cipher == C::Des,
            T::TripleDes => ours.cipher == C::TripleDes,
            T::Rc2 => ours.cipher == C::Rc2,
            T::Rc4 => ours.cipher == C::Rc4,
            T::Aria => ours.cipher == C::Aria,
            T::Idea => ours.cipher == C::Idea,
            T::Seed => ours.cipher == C::Seed,
            T::Aes => ours.cipher == C::Aes,
            T::Camellia => ours.cipher == C::Camellia,
            T::Chacha20_Poly1305 => ours.cipher == C::ChaCha20,
            T::Sm4 => ours.cipher == C::Sm4,
            T::Aegis => ours.cipher == C::Aegis,
        };
        same_cipher
            && match mode {
                TM::Null => matches!(ours.mode, M::None | M::Stream | M::Poly1305 | M::Aead),
                TM::Cbc => ours.mode == M::Cbc,
                TM::Ccm => matches!(ours.mode, M::Ccm | M::Ccm8),
                TM::Gcm => ours.mode == M::Gcm,
            }
    }

    fn same_mac(ours: &SuiteParts, theirs: TlsCipherMac) -> bool {
        use {MacAlgorithm as M, TlsCipherMac as T};
        // It gives AEGIS an HMAC.
        if ours.cipher == Cipher::Aegis {
            return ours.mac == M::Aead;
        }
        match theirs {
            T::Null => ours.mac == M::None,
            T::HmacMd5 => ours.mac == M::Md5,
            T::HmacSha1 => ours.mac == M::Sha1,
            T::HmacSha256 => ours.mac == M::Sha256,
            T::HmacSha384 => ours.mac == M::Sha384,
            T::HmacSha512 => false,
            T::Aead => ours.mac == M::Aead,
        }
    }

    fn same_prf(ours: &SuiteParts, theirs: TlsPRF) -> bool {
        use {PrfAlgorithm as P, TlsPRF as T};
        match theirs {
            // RFC 6655 section 3 and RFC 7251 section 2 name SHA-256, which is also what TLS 1.2 falls back to.
            T::Default if matches!(ours.mode, CipherMode::Ccm | CipherMode::Ccm8) => ours.prf == P::Sha256,
            T::Default | T::Null | T::Md5AndSha1 | T::Sha1 => ours.prf == P::Default,
            T::Sha256 => ours.prf == P::Sha256,
            T::Sha384 => ours.prf == P::Sha384,
            T::Sha512 => ours.prf == P::Sha512,
            T::Sm3 => ours.prf == P::Sm3,
        }
    }

    #[test]
    fn classes_agree_with_the_names() {
        for suite in CipherSuite::all().filter(|suite| !suite.is_scsv()) {
            let name = suite.name().unwrap_or_default();
            let has = |part: &str| name.contains(part);
            if let Some(parts) = suite.parts() {
                assert!(has(parts.cipher.name()) || suite.is_null(), "{name}: {}", parts.cipher);
                let unsaid = suite.is_tls13() || matches!(name.split('_').next(), Some("ECC" | "ECDHE" | "RSA"));
                let exchange = parts.key_exchange.name();
                assert!(has(exchange) || has("PSK_DHE") || unsaid, "{name}: {exchange}");
            }
            assert_eq!(suite.is_rc4(), has("RC4"), "{name}");
            assert_eq!(suite.is_3des(), has("3DES"), "{name}");
            assert_eq!(suite.is_des(), has("_DES_") || has("DES40"), "{name}");
            assert_eq!(suite.is_rc2(), has("RC2"), "{name}");
            assert_eq!(suite.is_export(), has("EXPORT"), "{name}");
            assert_eq!(suite.is_anonymous(), has("anon"), "{name}");
            assert_eq!(suite.is_cbc(), has("CBC"), "{name}");
            assert_eq!(suite.is_psk(), has("PSK"), "{name}");
            assert_eq!(suite.is_ccm8(), has("CCM_8"), "{name}");
            assert_eq!(suite.is_md5_mac(), name.ends_with("_MD5"), "{name}");
            assert_eq!(suite.is_sha1_mac(), name.ends_with("_SHA"), "{name}");
            assert_eq!(suite.is_null(), has("NULL") || has("SHA256_SHA256") || has("SHA384_SHA384"), "{name}");
            let null = suite.0 == 0;
            let with = null || has("_WITH_") || suite.0 & 0xff00 == 0xe000;
            assert_eq!(suite.is_tls13(), !with || has("_MGM_"), "{name}");
            let ecdhe = has("_ECDHE_") || name.starts_with("ECDHE_");
            assert_eq!(suite.is_ecdhe(), ecdhe, "{name}");
            assert_eq!(suite.is_dhe(), !ecdhe && has("DHE_"), "{name}");
            assert_eq!(
                suite.is_static_rsa(),
                name.starts_with("TLS_RSA_") || name.starts_with("SSL_RSA_") || name.starts_with("RSA_SM4"),
                "{name}"
            );
            assert_eq!(suite.is_static_dh(), (has("_DH_") || has("_ECDH_")) && !has("anon"), "{name}");
        }
    }

    #[test]
    fn counts_are_the_registry_s() {
        assert_eq!(count(CipherSuite::is_scsv), 2);
        assert_eq!(count(|suite| suite.status() == Status::Recommended), 14);
        assert_eq!(count(|suite| suite.status() == Status::Discouraged), 248);
        assert_eq!(count(|suite| suite.status() == Status::NotRecommended), 94);
        assert_eq!(count(|suite| suite.classes().contains(SuiteClasses::GREASE)), 16);
    }

    #[test]
    fn http2_forbids_what_rfc_9113_lists() {
        let ranges: [(u16, u16); 24] = [
            (0x0000, 0x001b),
            (0x001e, 0x0046),
            (0x0067, 0x006d),
            (0x0084, 0x009d),
            (0x00a0, 0x00a1),
            (0x00a4, 0x00a9),
            (0x00ac, 0x00c5),
            (0x00ff, 0x00ff),
            (0xc001, 0xc02a),
            (0xc02d, 0xc02e),
            (0xc031, 0xc051),
            (0xc054, 0xc055),
            (0xc058, 0xc05b),
            (0xc05e, 0xc05f),
            (0xc062, 0xc06b),
            (0xc06e, 0xc07b),
            (0xc07e, 0xc07f),
            (0xc082, 0xc085),
            (0xc088, 0xc089),
            (0xc08c, 0xc08f),
            (0xc092, 0xc09d),
            (0xc0a0, 0xc0a1),
            (0xc0a4, 0xc0a5),
            (0xc0a8, 0xc0a9),
        ];
        let listed: Vec<u16> = ranges.iter().flat_map(|&(first, last)| first..=last).collect();
        let forbidden: Vec<u16> = (0..=u16::MAX).filter(|&value| CipherSuite(value).is_http2_forbidden()).collect();
        assert_eq!(forbidden, listed);
        assert_eq!(forbidden.len(), 276);
    }

    #[test]
    fn spot_checks_hold() {
        let rsa_gcm = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(rsa_gcm, CipherSuite(0xc02f));
        assert!(rsa_gcm.is_aead() && rsa_gcm.is_ecdhe() && rsa_gcm.is_forward_secret() && rsa_gcm.is_tls12_only());
        assert!(!rsa_gcm.is_cbc() && !rsa_gcm.is_sha1_mac() && !rsa_gcm.is_http2_forbidden() && !rsa_gcm.is_tls13());
        assert_eq!(rsa_gcm.status(), Status::Recommended);

        let tls13 = CipherSuite(0x1303);
        assert_eq!(tls13.strength_bits(), 256);
        assert!(tls13.is_tls13() && tls13.is_forward_secret() && !tls13.is_tls12_only() && !tls13.is_ecdhe());

        let integrity_only = CipherSuite(0xc0b4);
        assert!(integrity_only.is_null() && integrity_only.is_tls13() && !integrity_only.is_aead());
        assert_eq!((integrity_only.strength_bits(), integrity_only.status()), (0, Status::Discouraged));

        let triple = suite("TLS_RSA_WITH_3DES_EDE_CBC_SHA");
        assert!(triple.is_3des() && triple.is_64_bit_block() && triple.is_static_rsa() && !triple.is_des());
        assert_eq!((triple.strength_bits(), triple.status()), (112, Status::Discouraged));

        assert!(suite("TLS_KRB5_WITH_IDEA_CBC_MD5").is_64_bit_block());
        assert_eq!(suite("TLS_KRB5_WITH_3DES_EDE_CBC_SHA").status(), Status::NotRecommended);
        assert_eq!(suite("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384").status(), Status::Discouraged);
        assert_eq!(suite("TLS_ECDH_anon_WITH_AES_128_CBC_SHA").status(), Status::Discouraged);
        assert_eq!(suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA").status(), Status::NotRecommended);
        assert!(suite("TLS_RSA_PSK_WITH_AES_128_GCM_SHA256").is_static_rsa());
        assert!(!suite("TLS_DH_anon_WITH_AES_128_CBC_SHA").is_forward_secret());
        assert!(suite("TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC").is_tls12_only());
        assert!(suite("TLS_GOSTR341112_256_WITH_28147_CNT_IMIT").is_tls12_only());
        assert!(suite("TLS_GOSTR341112_256_WITH_MAGMA_MGM_S").is_national());
        assert!(suite("TLS_SM4_GCM_SM3").is_national() && suite("TLS_SM4_GCM_SM3").is_tls13());
        assert!(suite("TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA").is_export());
        assert_eq!(suite("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA").strength_bits(), 40);
    }

    #[test]
    fn signals_and_strangers_have_no_parts() {
        for value in [0x00ff, 0x5600, 0x0a0a, 0x9999, 0xff99] {
            assert_eq!(CipherSuite(value).parts(), None, "0x{value:04x}");
            assert_eq!(CipherSuite(value).strength_bits(), 0, "0x{value:04x}");
        }
        assert!(CipherSuite::TLS_FALLBACK_SCSV.is_scsv() && CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV.is_scsv());
        assert!(!CipherSuite::TLS_FALLBACK_SCSV.is_null());
        assert_eq!(CipherSuite(0x0a0a).classes(), SuiteClasses::GREASE);
        assert_eq!(CipherSuite(0x0a1a).classes(), SuiteClasses::UNKNOWN);
        assert_eq!(CipherSuite(0xff99).status(), Status::PrivateUse);
        assert_eq!(CipherSuite(0x0048).status(), Status::Reserved);
        assert_eq!(CipherSuite(0x9999).status(), Status::Unassigned);
    }

    #[test]
    fn classes_unite_over_an_offer() {
        let offer = [CipherSuite(0x0a0a), CipherSuite(0xc02f), CipherSuite(0x0005)];
        let classes: SuiteClasses = offer.into_iter().map(CipherSuite::classes).collect();
        assert!(classes.contains(SuiteClasses::RC4 | SuiteClasses::AEAD | SuiteClasses::GREASE));
        assert!(!classes.contains(SuiteClasses::RC4 | SuiteClasses::CBC));
        assert!(classes.intersects(SuiteClasses::RC4 | SuiteClasses::CBC));
        assert!(!classes.intersects(SuiteClasses::EXPORT) && !classes.is_empty());
        assert_eq!(format!("{:?}", SuiteClasses::RC4 | SuiteClasses::CBC), r#"{"RC4", "CBC"}"#);
    }
}
