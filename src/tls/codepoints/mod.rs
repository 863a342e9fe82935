//! Code points: newtypes over the wire integer, with the names the IANA registries give them.
//!
//! An unknown value is always representable, compares, and prints as hex (`0xABCD`); a reserved GREASE value
//! (RFC 8701) prints as `GREASE(0x0a0a)`. `Display` and `Serialize` write the same text and allocate nothing.
//!
//! # Where the data is from
//! Names and the "Recommended" column are the IANA registries "TLS Parameters" (last updated 2026-08-10) and "TLS
//! ExtensionType Values" (2026-08-11) as of [`REGISTRY_DATE`], put together where IANA could not be reached:
//! - names and values of suites, groups, signature schemes and extensions follow a public list generated from the
//!   registries on that date, and are as many (356 suites, 59 groups, 49 schemes, 64 extensions and the two reserved
//!   ones that carry a "D");
//! - the column of suites is the registry's of 2023, changed by RFC 9847 section 5 (26 suites to "D") and RFC 10015
//!   appendices A to D (every suite with RSA, RSA_PSK, finite-field DH, DHE or static ECDH key exchange to "D", ten of
//!   which were "Y");
//! - the column of groups is the registry's, with RFC 9847 section 6 (the curves under 256 bits that it lists to "D")
//!   and RFC 10024 (X25519MLKEM768 to "Y", the two Kyber hybrids to "D"); that of signature schemes the registry's of
//!   2025 with SLH-DSA as "N"; that of client certificate types RFC 9847 section 11 with RFC 10015 appendix E;
//! - the column of extensions was compiled from RFC 8447 and the defining RFCs without a copy to compare with. Checked
//!   at the source are 4, 40, 46 and 53 ("D", RFC 9847 section 4), 54, 61, 64768 and 65037; least certain are 9, 33, 52
//!   and 62. Refresh before anything depends on it.
//!
//! Values in common use that IANA never registered stand in the same tables with a status of their own; their names
//! are those of the software or draft that uses them, with a suffix where IANA later gave the name to another value.
//!
//! `refresh.py` beside this file rewrites the registered lines from IANA's CSV files and says how to get them.

use std::fmt;

/// The date the registry data stands for: year, month, day.
pub const REGISTRY_DATE: &str = "2026-09-29";

/// Where the registry data is from.
pub const REGISTRY_SOURCE: &str =
    "IANA TLS Parameters and TLS ExtensionType Values, with RFC 9847, RFC 10015 and RFC 10024 applied";

/// What the IANA registry says of a value, in its "Recommended" column (RFC 9847 section 3) or by its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// "Y": the IETF recommends it for the purpose it was made for.
    Recommended,
    /// "N": not evaluated, of limited use, or without consensus; not necessarily flawed.
    NotRecommended,
    /// "D": discouraged; it should not or must not be used, see its reference.
    Discouraged,
    /// Reserved by the registry: GREASE, values kept back because deployed software uses them, old assignments.
    Reserved,
    /// In the registry's private-use range.
    PrivateUse,
    /// Known from deployed software or a draft, but taken from the unassigned range.
    Unregistered,
    /// Nothing is known of it.
    Unassigned,
}

impl Status {
    /// `discouraged`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::NotRecommended => "not_recommended",
            Self::Discouraged => "discouraged",
            Self::Reserved => "reserved",
            Self::PrivateUse => "private_use",
            Self::Unregistered => "unregistered",
            Self::Unassigned => "unassigned",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The status column of the tables, one letter each.
mod column {
    use super::Status;

    pub(super) const Y: Status = Status::Recommended;
    pub(super) const N: Status = Status::NotRecommended;
    pub(super) const D: Status = Status::Discouraged;
    pub(super) const R: Status = Status::Reserved;
    pub(super) const P: Status = Status::PrivateUse;
    pub(super) const U: Status = Status::Unregistered;
}

/// Whether a 16-bit code point is one of the sixteen of RFC 8701: `0x0a0a`, `0x1a1a` … `0xfafa`.
#[must_use]
pub const fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// Writes a code point by its name, as GREASE, or as hex.
fn write_code_point(f: &mut fmt::Formatter<'_>, value: u16, name: Option<&str>) -> fmt::Result {
    match name {
        Some(name) => f.write_str(name),
        None if is_grease(value) => write!(f, "GREASE(0x{value:04x})"),
        None => write!(f, "0x{value:04X}"),
    }
}

/// The text of a newtype that has `name()`: `Display` through the given function, and `Serialize` the same.
macro_rules! code_point_text {
    ($name:ident, $write:expr) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let write: fn(&mut std::fmt::Formatter<'_>, Self) -> std::fmt::Result = $write;
                write(f, *self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.name() {
                    Some(name) => serializer.serialize_str(name),
                    None => serializer.collect_str(self),
                }
            }
        }
    };
}

/// A 16-bit code point with GREASE values; `name()` is the caller's.
macro_rules! code_point {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $name {
            /// Whether this is a reserved GREASE value (RFC 8701).
            #[must_use]
            pub const fn is_grease(self) -> bool {
                crate::tls::codepoints::is_grease(self.0)
            }
        }
    };
}

/// A registry of named constants with a status: the type's constants, its table, and the table's lookups.
macro_rules! registry {
    ($name:ident { $($code:literal $constant:ident $text:literal $status:ident;)* }) => {
        impl $name {
            $(
                #[doc = concat!("`", $text, "`, ", stringify!($code), ".")]
                pub const $constant: Self = Self($code);
            )*
        }

        /// One line a value, in order of value.
        const TABLE: &[(u16, &str, Status)] = &[
            $(($code, $text, column::$status),)*
        ];

        impl $name {
            /// The name, as IANA has it where IANA has one.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                Self::entry(self).map(|&(_, name, _)| name)
            }

            /// The value of a name, spelled as [`Self::name`] spells it.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                TABLE.iter().find(|entry| entry.1 == name).map(|entry| Self(entry.0))
            }

            /// Every value that has a name, in order of value.
            pub fn all() -> impl Iterator<Item = Self> {
                TABLE.iter().map(|entry| Self(entry.0))
            }

            fn entry(self) -> Option<&'static (u16, &'static str, Status)> {
                TABLE.binary_search_by_key(&self.0, |entry| entry.0).ok().and_then(|index| TABLE.get(index))
            }
        }
    };
}

/// A small registry: the newtype, its constants, `name()` and its text; unknown values print as hex of their width.
macro_rules! small_registry {
    (
        $(#[$documentation:meta])*
        $name:ident($integer:ident, $hex:literal) {
            $($code:literal $constant:ident $text:literal;)*
        }
    ) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $integer);

        impl $name {
            $(
                #[doc = concat!("`", $text, "`, ", stringify!($code), ".")]
                pub const $constant: Self = Self($code);
            )*

            /// The name, as IANA has it where IANA has one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }

            /// Every value that has a name, in order of value.
            pub fn all() -> impl Iterator<Item = Self> {
                [$(Self($code),)*].into_iter()
            }
        }

        code_point_text!($name, |f, value| match value.name() {
            Some(name) => f.write_str(name),
            None => write!(f, $hex, value.0),
        });
    };
}

mod alerts;
mod extensions;
mod groups;
mod messages;
mod signature_schemes;
mod sslv2;
mod suites;
mod versions;

pub use alerts::{AlertDescription, AlertLevel};
pub use extensions::ExtensionType;
pub use groups::{GroupKind, NamedGroup};
pub use messages::{
    CertificateCompressionAlgorithm, CertificateStatusType, CertificateType, ClientCertificateType, CompressionMethod,
    ContentType, EcCurveType, EcPointFormat, HandshakeType, HeartbeatMessageType, HeartbeatMode, PskKeyExchangeMode,
    SrtpProfile,
};
pub use signature_schemes::{HashAlgorithm, SignatureAlgorithm, SignatureScheme};
pub use sslv2::SslV2CipherSpec;
pub use suites::{
    Authentication, Cipher, CipherMode, CipherSuite, KeyExchange, MacAlgorithm, PrfAlgorithm, SuiteClasses, SuiteParts,
};
pub use versions::ProtocolVersion;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_exactly_the_sixteen_grease_values() {
        let found: Vec<u16> = (0..=u16::MAX).filter(|&value| is_grease(value)).collect();
        let expected: Vec<u16> = (0..16).map(|nibble: u16| (nibble << 12) | 0x0a00 | (nibble << 4) | 0x0a).collect();
        assert_eq!(found, expected);
        assert!(!is_grease(0x0a1a) && !is_grease(0x1a2a) && !is_grease(0x0b0b));
    }

    /// Text of a value through `Display` and through `Serialize`, which have to agree.
    fn text<T: fmt::Display + serde::Serialize>(value: T) -> String {
        let displayed = value.to_string();
        assert_eq!(serde_json::to_string(&value).ok(), serde_json::to_string(&displayed).ok());
        displayed
    }

    #[test]
    fn display_and_serialize_agree_for_every_value() {
        for value in 0..=u16::MAX {
            for written in [
                text(ProtocolVersion(value)),
                text(CipherSuite(value)),
                text(NamedGroup(value)),
                text(SignatureScheme(value)),
                text(ExtensionType(value)),
                text(SrtpProfile(value)),
                text(CertificateCompressionAlgorithm(value)),
            ] {
                assert!(!written.is_empty());
            }
        }
        for value in 0..=u8::MAX {
            text(AlertDescription(value));
            text(AlertLevel(value));
            text(ContentType(value));
            text(HandshakeType(value));
            text(CompressionMethod(value));
            text(CertificateType(value));
            text(PskKeyExchangeMode(value));
            text(EcPointFormat(value));
            text(ClientCertificateType(value));
            text(HeartbeatMode(value));
        }
    }

    #[test]
    fn unknown_values_print_as_hex_and_grease_as_grease() {
        assert_eq!(text(CipherSuite(0xabcd)), "0xABCD");
        assert_eq!(text(NamedGroup(0x0a0a)), "GREASE(0x0a0a)");
        assert_eq!(text(ExtensionType(0x1a2a)), "0x1A2A");
        assert_eq!(text(AlertDescription(0xc8)), "0xC8");
        assert_eq!(text(PskKeyExchangeMode(0x2a)), "GREASE(0x2a)");
        assert_eq!(text(PskKeyExchangeMode(0x2b)), "0x2B");
        assert_eq!(text(SslV2CipherSpec(0x0a_0b0c)), "0x0A0B0C");
        assert_eq!(text(ProtocolVersion(0x002c)), "0x002C");
    }

    #[test]
    fn names_lead_back_to_their_values() {
        let count = (0..=u16::MAX)
            .filter(|&value| {
                for (name, back) in [
                    (
                        CipherSuite(value).name(),
                        CipherSuite(value).name().and_then(CipherSuite::from_name).map(|v| v.0),
                    ),
                    (NamedGroup(value).name(), NamedGroup(value).name().and_then(NamedGroup::from_name).map(|v| v.0)),
                    (
                        SignatureScheme(value).name(),
                        SignatureScheme(value).name().and_then(SignatureScheme::from_name).map(|v| v.0),
                    ),
                    (
                        ExtensionType(value).name(),
                        ExtensionType(value).name().and_then(ExtensionType::from_name).map(|v| v.0),
                    ),
                ] {
                    assert_eq!(name.is_some(), back == Some(value), "the name {name:?} of 0x{value:04x} is not unique");
                }
                CipherSuite(value).name().is_some()
            })
            .count();
        assert_eq!(count, CipherSuite::all().count());
        assert_eq!(CipherSuite::from_name("TLS_NO_SUCH_SUITE"), None);
    }

    #[test]
    fn tables_are_sorted_and_of_the_registry_s_size() {
        fn check(registry: &str, values: impl Iterator<Item = (u16, Status)>, registered: usize) {
            let values: Vec<_> = values.collect();
            assert!(values.is_sorted_by(|before, after| before.0 < after.0), "{registry}: not in order");
            let named = [Status::Recommended, Status::NotRecommended, Status::Discouraged];
            assert_eq!(values.iter().filter(|value| named.contains(&value.1)).count(), registered, "{registry}");
            assert!(values.iter().all(|value| !is_grease(value.0)), "{registry}: names a GREASE value");
            assert!(values.iter().all(|value| value.1 != Status::Unassigned), "{registry}: an unassigned name");
        }
        check("cipher suites", CipherSuite::all().map(|value| (value.0, value.status())), 356);
        check("groups", NamedGroup::all().map(|value| (value.0, value.status())), 59);
        check("signature schemes", SignatureScheme::all().map(|value| (value.0, value.status())), 49);
        check("extensions", ExtensionType::all().map(|value| (value.0, value.status())), 66);
    }

    #[test]
    fn the_registry_date_is_a_date() {
        let parts: Vec<u32> = REGISTRY_DATE.split('-').filter_map(|part| part.parse().ok()).collect();
        assert!(matches!(parts.as_slice(), [2026..=2100, 1..=12, 1..=31]), "{REGISTRY_DATE}");
        assert!(REGISTRY_SOURCE.contains("IANA"));
    }
}
