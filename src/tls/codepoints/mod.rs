//! Code points: newtypes over the wire integer, with the names the IANA registries give them.
//!
//! An unknown value is always representable, compares, and prints as hex (`0xABCD`); a reserved GREASE value
//! (RFC 8701) prints as `GREASE(0x0a0a)`.

use std::fmt;

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

macro_rules! code_point {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $name {
            /// Whether this is a reserved GREASE value (RFC 8701).
            #[must_use]
            pub const fn is_grease(self) -> bool {
                is_grease(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_code_point(f, self.0, self.name())
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

code_point! {
    /// A protocol version as the wire carries it (`0x0303` is TLS 1.2, `0xfefd` DTLS 1.2).
    ProtocolVersion
}
code_point! {
    /// A cipher suite (IANA "TLS Cipher Suites").
    CipherSuite
}
code_point! {
    /// A key exchange group or curve (IANA "TLS Supported Groups").
    NamedGroup
}
code_point! {
    /// A signature scheme (IANA "TLS SignatureScheme"; before TLS 1.3 a hash and a signature algorithm).
    SignatureScheme
}
code_point! {
    /// An extension type (IANA "TLS ExtensionType Values").
    ExtensionType
}

impl ProtocolVersion {
    /// SSL 2.0.
    pub const SSL2: Self = Self(0x0002);
    /// SSL 3.0 (RFC 6101).
    pub const SSL3: Self = Self(0x0300);
    /// TLS 1.0 (RFC 2246).
    pub const TLS10: Self = Self(0x0301);
    /// TLS 1.1 (RFC 4346).
    pub const TLS11: Self = Self(0x0302);
    /// TLS 1.2 (RFC 5246).
    pub const TLS12: Self = Self(0x0303);
    /// TLS 1.3 (RFC 9846).
    pub const TLS13: Self = Self(0x0304);
    /// DTLS 1.0 (RFC 4347).
    pub const DTLS10: Self = Self(0xfeff);
    /// DTLS 1.2 (RFC 6347).
    pub const DTLS12: Self = Self(0xfefd);
    /// DTLS 1.3 (RFC 9147).
    pub const DTLS13: Self = Self(0xfefc);

    /// `TLSv1.2`; `None` where no name exists.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self.0 {
            0x0002 => Some("SSLv2"),
            0x0300 => Some("SSLv3"),
            0x0301 => Some("TLSv1.0"),
            0x0302 => Some("TLSv1.1"),
            0x0303 => Some("TLSv1.2"),
            0x0304 => Some("TLSv1.3"),
            0xfeff => Some("DTLSv1.0"),
            0xfefd => Some("DTLSv1.2"),
            0xfefc => Some("DTLSv1.3"),
            _ => None,
        }
    }
}

impl CipherSuite {
    /// The IANA name.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        None
    }
}

impl NamedGroup {
    /// The IANA name.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        None
    }
}

impl SignatureScheme {
    /// The IANA name.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        None
    }
}

impl ExtensionType {
    /// The IANA name.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        None
    }
}
