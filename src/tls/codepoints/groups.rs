//! Groups and curves (IANA "TLS Supported Groups").

use super::{Status, column, write_code_point};

code_point! {
    /// A key exchange group or curve.
    NamedGroup
}

/// The kind of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupKind {
    /// A curve over a prime field.
    Prime,
    /// A curve over a binary field.
    Binary,
    /// X25519 and X448.
    Montgomery,
    /// The curves of GOST R 34.10-2012.
    Gost,
    /// The curve of SM2.
    Sm2,
    /// A finite field (RFC 7919).
    FiniteField,
    /// A curve over a prime field, written out by the peer.
    ExplicitPrime,
    /// A curve over a binary field, written out by the peer.
    ExplicitChar2,
    /// ML-KEM (FIPS 203) alone.
    MlKem,
    /// ML-KEM together with a curve.
    Hybrid,
    /// Kyber, as it was before it became ML-KEM, alone or together with a curve.
    Kyber,
    /// Another post-quantum experiment together with a curve: CECPQ2.
    Cecpq2,
}

struct Entry {
    code: u16,
    name: &'static str,
    status: Status,
    kind: GroupKind,
    /// Bits of the field or the prime; of a KEM the parameter set; 0 where the peer decides.
    size: u16,
}

macro_rules! groups {
    ($($code:literal $constant:ident $name:literal $status:ident $kind:ident $size:literal;)*) => {
        impl NamedGroup {
            $(
                #[doc = concat!("`", $name, "`, ", stringify!($code), ".")]
                pub const $constant: Self = Self($code);
            )*
        }

        /// One line a group, in order of value.
        const TABLE: &[Entry] = &[
            $(Entry { code: $code, name: $name, status: column::$status, kind: GroupKind::$kind, size: $size },)*
        ];
    };
}

// Kyber in 0x0200 and 0x2f00 is oqs-provider's; 0xfe30 to 0xfe32 are Cloudflare's first experiments.
groups! {
    // table begins
    0x0001 SECT163K1 "sect163k1" D Binary 163;
    0x0002 SECT163R1 "sect163r1" D Binary 163;
    0x0003 SECT163R2 "sect163r2" D Binary 163;
    0x0004 SECT193R1 "sect193r1" D Binary 193;
    0x0005 SECT193R2 "sect193r2" D Binary 193;
    0x0006 SECT233K1 "sect233k1" D Binary 233;
    0x0007 SECT233R1 "sect233r1" D Binary 233;
    0x0008 SECT239K1 "sect239k1" D Binary 239;
    0x0009 SECT283K1 "sect283k1" N Binary 283;
    0x000a SECT283R1 "sect283r1" N Binary 283;
    0x000b SECT409K1 "sect409k1" N Binary 409;
    0x000c SECT409R1 "sect409r1" N Binary 409;
    0x000d SECT571K1 "sect571k1" N Binary 571;
    0x000e SECT571R1 "sect571r1" N Binary 571;
    0x000f SECP160K1 "secp160k1" D Prime 160;
    0x0010 SECP160R1 "secp160r1" D Prime 160;
    0x0011 SECP160R2 "secp160r2" D Prime 160;
    0x0012 SECP192K1 "secp192k1" D Prime 192;
    0x0013 SECP192R1 "secp192r1" D Prime 192;
    0x0014 SECP224K1 "secp224k1" D Prime 224;
    0x0015 SECP224R1 "secp224r1" D Prime 224;
    0x0016 SECP256K1 "secp256k1" N Prime 256;
    0x0017 SECP256R1 "secp256r1" Y Prime 256;
    0x0018 SECP384R1 "secp384r1" Y Prime 384;
    0x0019 SECP521R1 "secp521r1" N Prime 521;
    0x001a BRAINPOOLP256R1 "brainpoolP256r1" N Prime 256;
    0x001b BRAINPOOLP384R1 "brainpoolP384r1" N Prime 384;
    0x001c BRAINPOOLP512R1 "brainpoolP512r1" N Prime 512;
    0x001d X25519 "x25519" Y Montgomery 255;
    0x001e X448 "x448" Y Montgomery 448;
    0x001f BRAINPOOLP256R1TLS13 "brainpoolP256r1tls13" N Prime 256;
    0x0020 BRAINPOOLP384R1TLS13 "brainpoolP384r1tls13" N Prime 384;
    0x0021 BRAINPOOLP512R1TLS13 "brainpoolP512r1tls13" N Prime 512;
    0x0022 GC256A "GC256A" N Gost 256;
    0x0023 GC256B "GC256B" N Gost 256;
    0x0024 GC256C "GC256C" N Gost 256;
    0x0025 GC256D "GC256D" N Gost 256;
    0x0026 GC512A "GC512A" N Gost 512;
    0x0027 GC512B "GC512B" N Gost 512;
    0x0028 GC512C "GC512C" N Gost 512;
    0x0029 CURVESM2 "curveSM2" N Sm2 256;
    0x0100 FFDHE2048 "ffdhe2048" N FiniteField 2048;
    0x0101 FFDHE3072 "ffdhe3072" N FiniteField 3072;
    0x0102 FFDHE4096 "ffdhe4096" N FiniteField 4096;
    0x0103 FFDHE6144 "ffdhe6144" N FiniteField 6144;
    0x0104 FFDHE8192 "ffdhe8192" N FiniteField 8192;
    0x0200 MLKEM512 "MLKEM512" N MlKem 512;
    0x0201 MLKEM768 "MLKEM768" N MlKem 768;
    0x0202 MLKEM1024 "MLKEM1024" N MlKem 1024;
    0x020f KYBER512_R2 "kyber512_r2" U Kyber 512;
    0x0210 KYBER768_R2 "kyber768_r2" U Kyber 768;
    0x0211 KYBER1024_R2 "kyber1024_r2" U Kyber 1024;
    0x023a KYBER512 "kyber512" U Kyber 512;
    0x023c KYBER768 "kyber768" U Kyber 768;
    0x023d KYBER1024 "kyber1024" U Kyber 1024;
    0x11e9 SECP256R1MLKEM512 "SecP256r1MLKEM512" N Hybrid 512;
    0x11ea MLKEM512X25519 "MLKEM512X25519" N Hybrid 512;
    0x11eb SECP256R1MLKEM768 "SecP256r1MLKEM768" N Hybrid 768;
    0x11ec X25519MLKEM768 "X25519MLKEM768" Y Hybrid 768;
    0x11ed SECP384R1MLKEM1024 "SecP384r1MLKEM1024" N Hybrid 1024;
    0x11ee CURVESM2MLKEM768 "curveSM2MLKEM768" N Hybrid 768;
    0x2f0f P256_KYBER512_R2 "p256_kyber512_r2" U Kyber 512;
    0x2f10 P384_KYBER768_R2 "p384_kyber768_r2" U Kyber 768;
    0x2f11 P521_KYBER1024_R2 "p521_kyber1024_r2" U Kyber 1024;
    0x2f26 X25519_KYBER512_R2 "x25519_kyber512_r2" U Kyber 512;
    0x2f39 X25519_KYBER512 "x25519_kyber512" U Kyber 512;
    0x2f3a P256_KYBER512 "p256_kyber512" U Kyber 512;
    0x2f3c P384_KYBER768 "p384_kyber768" U Kyber 768;
    0x2f3d P521_KYBER1024 "p521_kyber1024" U Kyber 1024;
    0x2f4b P256_MLKEM512 "p256_mlkem512" U Hybrid 512;
    0x2f4c P384_MLKEM768 "p384_mlkem768" U Hybrid 768;
    0x2f4d P521_MLKEM1024 "p521_mlkem1024" U Hybrid 1024;
    0x2f90 X448_KYBER768 "x448_kyber768" U Kyber 768;
    0x2fb6 X25519_MLKEM512 "x25519_mlkem512" U Hybrid 512;
    0x2fb7 X448_MLKEM768 "x448_mlkem768" U Hybrid 768;
    0x4138 CECPQ2 "CECPQ2" U Cecpq2 0;
    0x4139 CECPQ2B "CECPQ2b" U Cecpq2 0;
    0x6399 X25519KYBER768DRAFT00 "X25519Kyber768Draft00" D Kyber 768;
    0x639a SECP256R1KYBER768DRAFT00 "SecP256r1Kyber768Draft00" D Kyber 768;
    0xfe30 X25519KYBER512DRAFT00 "X25519Kyber512Draft00" P Kyber 512;
    0xfe31 X25519KYBER768DRAFT00_OLD "X25519Kyber768Draft00_OLD" P Kyber 768;
    0xfe32 P256KYBER768DRAFT00 "P256Kyber768Draft00" P Kyber 768;
    0xff01 ARBITRARY_EXPLICIT_PRIME_CURVES "arbitrary_explicit_prime_curves" N ExplicitPrime 0;
    0xff02 ARBITRARY_EXPLICIT_CHAR2_CURVES "arbitrary_explicit_char2_curves" N ExplicitChar2 0;
    // table ends
}

code_point_text!(NamedGroup, |f, value| write_code_point(f, value.0, value.name()));

impl NamedGroup {
    /// The name, as IANA has it where IANA has one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.entry().map(|entry| entry.name)
    }

    /// The value of a name, spelled as [`Self::name`] spells it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(|entry| Self(entry.code))
    }

    /// Every value that has a name, in order of value.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|entry| Self(entry.code))
    }

    /// What the registry says of it.
    #[must_use]
    pub fn status(self) -> Status {
        match (self.entry(), self.0) {
            (Some(entry), _) => entry.status,
            (None, 0x01fc..=0x01ff | 0xfe00..=0xfeff) => Status::PrivateUse,
            (None, 0x0000) => Status::Reserved,
            _ if self.is_grease() => Status::Reserved,
            _ => Status::Unassigned,
        }
    }

    /// The kind; `None` where the value is not known.
    #[must_use]
    pub fn kind(self) -> Option<GroupKind> {
        self.entry().map(|entry| entry.kind)
    }

    /// Bits of the curve's field or of the prime; `None` for KEMs and hybrids, for curves the peer writes out, and for
    /// unknown values.
    #[must_use]
    pub fn bits(self) -> Option<u16> {
        self.entry().filter(|entry| !entry.is_kem() && entry.size != 0).map(|entry| entry.size)
    }

    /// The security category of the KEM (FIPS 203 section 8): 1, 3 or 5; `None` for classical groups.
    #[must_use]
    pub fn security_category(self) -> Option<u8> {
        match self.entry() {
            Some(entry) if entry.is_kem() => match entry.size {
                512 => Some(1),
                768 => Some(3),
                1024 => Some(5),
                _ => None,
            },
            _ => None,
        }
    }

    /// Classical strength in bits, for groups that are no KEM: half the field of a curve (RFC 9846 appendix B.3.1.4 and
    /// SP 800-57), SP 800-56A revision 3 appendix D for finite fields.
    #[must_use]
    pub fn security_bits(self) -> Option<u16> {
        match (self.kind()?, self.bits()?) {
            (GroupKind::Montgomery, 255) => Some(128),
            (GroupKind::FiniteField, bits) => Some(match bits {
                0..2048 => 80,
                2048..3072 => 112,
                3072..4096 => 128,
                4096..6144 => 152,
                6144..8192 => 176,
                _ => 200,
            }),
            (_, 521) => Some(256),
            (_, bits) => Some(bits / 2),
        }
    }

    /// Whether it withstands a quantum computer: ML-KEM, alone or in a hybrid. Kyber is not in it: see
    /// [`Self::is_prestandard_kyber`].
    #[must_use]
    pub fn is_post_quantum(self) -> bool {
        matches!(self.kind(), Some(GroupKind::MlKem | GroupKind::Hybrid))
    }

    /// Whether it joins a classical and a post-quantum exchange, ML-KEM being the latter.
    #[must_use]
    pub fn is_hybrid(self) -> bool {
        self.kind() == Some(GroupKind::Hybrid)
    }

    /// Whether it is Kyber as it was before FIPS 203, alone or in a hybrid; it interoperates with nothing of today.
    #[must_use]
    pub fn is_prestandard_kyber(self) -> bool {
        self.kind() == Some(GroupKind::Kyber)
    }

    /// Whether it is a finite field (RFC 7919).
    #[must_use]
    pub fn is_ffdhe(self) -> bool {
        self.kind() == Some(GroupKind::FiniteField)
    }

    /// Whether it is a curve, named or written out, without a KEM.
    #[must_use]
    pub fn is_elliptic_curve(self) -> bool {
        use GroupKind as K;
        matches!(
            self.kind(),
            Some(K::Prime | K::Binary | K::Montgomery | K::Gost | K::Sm2 | K::ExplicitPrime | K::ExplicitChar2)
        )
    }

    /// Whether it is a curve over a binary field, named or written out.
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self.kind(), Some(GroupKind::Binary | GroupKind::ExplicitChar2))
    }

    /// Whether the peer writes its own curve out (deprecated by RFC 8422 section 5.1.1).
    #[must_use]
    pub fn is_explicit(self) -> bool {
        matches!(self.kind(), Some(GroupKind::ExplicitPrime | GroupKind::ExplicitChar2))
    }

    /// Whether no one should use it any more: discouraged by the registry (RFC 9847 section 6), or a curve over a
    /// binary field or written out, which RFC 8422 section 5.1.1 deprecates.
    #[must_use]
    pub fn is_deprecated(self) -> bool {
        self.status() == Status::Discouraged || self.is_binary() || self.is_explicit()
    }

    /// Whether it is a curve over a field of fewer than 224 bits (112 bits of strength).
    #[must_use]
    pub fn is_weak(self) -> bool {
        self.is_elliptic_curve() && self.bits().is_some_and(|bits| bits < 224)
    }

    fn entry(self) -> Option<&'static Entry> {
        TABLE.binary_search_by_key(&self.0, |entry| entry.code).ok().and_then(|index| TABLE.get(index))
    }
}

impl Entry {
    const fn is_kem(&self) -> bool {
        matches!(self.kind, GroupKind::MlKem | GroupKind::Hybrid | GroupKind::Kyber | GroupKind::Cecpq2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_those_of_the_registry() {
        for (value, name, status) in [
            (23, "secp256r1", Status::Recommended),
            (24, "secp384r1", Status::Recommended),
            (25, "secp521r1", Status::NotRecommended),
            (29, "x25519", Status::Recommended),
            (30, "x448", Status::Recommended),
            (19, "secp192r1", Status::Discouraged),
            (21, "secp224r1", Status::Discouraged),
            (256, "ffdhe2048", Status::NotRecommended),
            (0x0201, "MLKEM768", Status::NotRecommended),
            (0x11eb, "SecP256r1MLKEM768", Status::NotRecommended),
            (0x11ec, "X25519MLKEM768", Status::Recommended),
            (0x11ed, "SecP384r1MLKEM1024", Status::NotRecommended),
            (0x6399, "X25519Kyber768Draft00", Status::Discouraged),
            (0xff01, "arbitrary_explicit_prime_curves", Status::NotRecommended),
        ] {
            assert_eq!(NamedGroup(value).name(), Some(name));
            assert_eq!(NamedGroup(value).status(), status, "{name}");
        }
        assert_eq!(NamedGroup(0xfe99).status(), Status::PrivateUse);
        assert_eq!(NamedGroup(0x0fff).status(), Status::Unassigned);
    }

    #[test]
    fn sizes_match_the_names() {
        for group in NamedGroup::all() {
            let name = group.name().unwrap_or_default();
            if let (Some(bits), true) = (group.bits(), name.starts_with("sec") || name.starts_with("ffdhe")) {
                assert!(name.contains(&bits.to_string()), "{name}: {bits}");
            }
            assert_eq!(group.is_ffdhe(), name.starts_with("ffdhe"), "{name}");
            assert_eq!(group.is_post_quantum(), name.to_uppercase().contains("MLKEM"), "{name}");
            assert_eq!(group.is_prestandard_kyber(), name.to_lowercase().contains("kyber"), "{name}");
            assert_eq!(group.is_binary(), name.starts_with("sect") || name.contains("char2"), "{name}");
        }
        assert_eq!(NamedGroup::X25519.bits(), Some(255));
        assert_eq!(NamedGroup::X25519.security_bits(), Some(128));
        assert_eq!(NamedGroup::SECP521R1.security_bits(), Some(256));
        assert_eq!(NamedGroup::FFDHE2048.security_bits(), Some(112));
        assert_eq!(NamedGroup::X25519MLKEM768.bits(), None);
        assert_eq!(NamedGroup::SECP384R1MLKEM1024.security_category(), Some(5));
        assert_eq!(NamedGroup::CURVESM2.bits(), Some(256));
    }

    #[test]
    fn weak_and_deprecated_curves_are_told() {
        assert!(NamedGroup::SECP192R1.is_weak() && NamedGroup::SECT163K1.is_weak());
        assert!(!NamedGroup::SECP224R1.is_weak() && NamedGroup::SECP224R1.is_deprecated());
        assert!(NamedGroup::SECT571R1.is_deprecated() && !NamedGroup::SECT571R1.is_weak());
        assert!(NamedGroup::ARBITRARY_EXPLICIT_PRIME_CURVES.is_deprecated());
        for good in [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::X25519MLKEM768, NamedGroup::FFDHE2048] {
            assert!(!good.is_weak() && !good.is_deprecated(), "{good}");
        }
        assert!(!NamedGroup(0x0a0a).is_weak() && !NamedGroup(0x9999).is_deprecated());
    }
}
