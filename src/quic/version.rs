//! QUIC versions: their names, packet types and what protects their Initial packets.

use std::fmt;

use super::packet::PacketType;

/// A version as the long header carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u32);

/// What Initial keys of a version are made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Protection {
    pub(super) salt: &'static [u8; 20],
    pub(super) labels: &'static Labels,
}

/// The HKDF labels of packet keys, each a whole HkdfLabel structure (RFC 8446 section 7.1).
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) key: &'static [u8],
    pub(super) iv: &'static [u8],
    pub(super) header_protection: &'static [u8],
}

impl Version {
    /// Version Negotiation (RFC 8999 section 6).
    pub const NEGOTIATION: Self = Self(0);
    /// Version 1 (RFC 9000).
    pub const V1: Self = Self(0x0000_0001);
    /// Version 2 (RFC 9369).
    pub const V2: Self = Self(0x6b33_43cf);
    /// Version 2 before it was published (draft-ietf-quic-v2-01 to -09).
    pub const V2_DRAFT: Self = Self(0x709a_50c4);

    /// `1`, `draft-29`, `mvfst-2`, `Q043`; `None` for a version without a name.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x0000_0000 => "negotiation",
            0x0000_0001 => "1",
            0x6b33_43cf => "2",
            0x709a_50c4 => "2-draft",
            0xff00_0016 => "draft-22",
            0xff00_0017 => "draft-23",
            0xff00_0018 => "draft-24",
            0xff00_0019 => "draft-25",
            0xff00_001a => "draft-26",
            0xff00_001b => "draft-27",
            0xff00_001c => "draft-28",
            0xff00_001d => "draft-29",
            0xff00_001e => "draft-30",
            0xff00_001f => "draft-31",
            0xff00_0020 => "draft-32",
            0xff00_0021 => "draft-33",
            0xff00_0022 => "draft-34",
            0xface_b001 => "mvfst-1",
            0xface_b002 => "mvfst-2",
            0xface_b00e => "mvfst-experimental",
            _ => return None,
        })
    }

    /// The number of the IETF draft this version is: `0xff0000NN`.
    #[must_use]
    pub const fn draft(self) -> Option<u8> {
        match self.0.to_be_bytes() {
            [0xff, 0, 0, number] => Some(number),
            _ => None,
        }
    }

    /// Whether the version is reserved to exercise version negotiation: `0x?a?a?a?a` (RFC 9000 section 15).
    #[must_use]
    pub const fn is_grease(self) -> bool {
        self.0 & 0x0f0f_0f0f == 0x0a0a_0a0a
    }

    /// Whether this is Google's QUIC: `Q0NN` with its own handshake, `T0NN` with TLS.
    #[must_use]
    pub const fn is_google(self) -> bool {
        matches!(self.0.to_be_bytes(), [b'Q' | b'T', b'0', b'0'..=b'9', b'0'..=b'9'])
    }

    /// Whether this is Google's QUIC with a handshake that is not TLS.
    #[must_use]
    pub const fn is_google_crypto(self) -> bool {
        matches!(self.0.to_be_bytes(), [b'Q', b'0', b'0'..=b'9', b'0'..=b'9'])
    }

    /// Whether this is Google's QUIC with TLS inside (`T050`, `T051`), whose CRYPTO frames have a number of their own.
    #[must_use]
    pub const fn is_google_tls(self) -> bool {
        matches!(self.0.to_be_bytes(), [b'T', b'0', b'0'..=b'9', b'0'..=b'9'])
    }

    /// Whether it is a version of Facebook's mvfst (`0xfaceb0NN`).
    #[must_use]
    pub const fn is_mvfst(self) -> bool {
        matches!(self.0.to_be_bytes(), [0xfa, 0xce, 0xb0, _])
    }

    /// Whether packets of this version can be found on any port: its Initial packets can be opened.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        self.protection().is_some()
    }

    /// Whether this is a version that somebody is known to use, or one reserved for nobody.
    #[must_use]
    pub const fn is_plausible(self) -> bool {
        self.is_readable() || self.is_grease() || self.is_google() || self.is_mvfst() || self.draft().is_some()
    }

    /// What protects Initial packets of this version; `None` where it is not known.
    pub(super) const fn protection(self) -> Option<Protection> {
        let (salt, labels) = match self.0 {
            0x0000_0001 | 0xff00_0021 | 0xff00_0022 => (&SALT_V1, &LABELS_V1),
            0x6b33_43cf => (&SALT_V2, &LABELS_V2),
            0x709a_50c4 => (&SALT_V2_DRAFT, &LABELS_V2),
            0xff00_001d..=0xff00_0020 => (&SALT_DRAFT_29, &LABELS_V1),
            0xff00_0017..=0xff00_001c | 0xface_b002..=0xface_b0ff => (&SALT_DRAFT_23, &LABELS_V1),
            0xff00_0016 | 0xface_b001 => (&SALT_DRAFT_22, &LABELS_V1),
            // "Q050", "T050", "T051"
            0x5130_3530 => (&SALT_Q050, &LABELS_V1),
            0x5430_3530 => (&SALT_T050, &LABELS_V1),
            0x5430_3531 => (&SALT_T051, &LABELS_V1),
            _ => return None,
        };
        Some(Protection { salt, labels })
    }

    /// The type of a long header packet by the two type bits of its first byte (RFC 9000 section 17.2, RFC 9369
    /// section 3.2).
    #[must_use]
    pub const fn packet_type(self, first: u8) -> PacketType {
        let number = first >> 4 & 3;
        let rotated = matches!(self, Self::V2 | Self::V2_DRAFT);
        match (number, rotated) {
            (0, false) | (1, true) => PacketType::Initial,
            (1, false) | (2, true) => PacketType::ZeroRtt,
            (2, false) | (3, true) => PacketType::Handshake,
            _ => PacketType::Retry,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name() {
            return f.write_str(name);
        }
        if self.is_grease() {
            return write!(f, "GREASE(0x{:08x})", self.0);
        }
        if self.is_google() {
            return self.0.to_be_bytes().into_iter().try_for_each(|byte| fmt::Write::write_char(f, char::from(byte)));
        }
        match self.0.to_be_bytes() {
            [0xff, 0, 0, number] => write!(f, "draft-{number}"),
            [0xfa, 0xce, 0xb0, number] => write!(f, "mvfst-0x{number:02x}"),
            _ => write!(f, "0x{:08x}", self.0),
        }
    }
}

impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

static LABELS_V1: Labels = Labels {
    key: b"\x00\x10\x0etls13 quic key\x00",
    iv: b"\x00\x0c\x0dtls13 quic iv\x00",
    header_protection: b"\x00\x10\x0dtls13 quic hp\x00",
};

static LABELS_V2: Labels = Labels {
    key: b"\x00\x10\x10tls13 quicv2 key\x00",
    iv: b"\x00\x0c\x0ftls13 quicv2 iv\x00",
    header_protection: b"\x00\x10\x0ftls13 quicv2 hp\x00",
};

/// RFC 9001 section 5.2; the same from draft 33 on.
static SALT_V1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f,
    0x0a,
];

/// RFC 9369 section 3.3.1.
static SALT_V2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e,
    0xd9,
];

/// draft-ietf-quic-v2-01 section 3.3.1.
static SALT_V2_DRAFT: [u8; 20] = [
    0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d, 0x62, 0xca, 0x57, 0x04, 0x06, 0xea, 0x7a, 0xe3, 0xe5,
    0xd3,
];

/// draft-ietf-quic-tls-29 to -32 section 5.2.
static SALT_DRAFT_29: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8,
    0x99,
];

/// draft-ietf-quic-tls-23 to -28 section 5.2.
static SALT_DRAFT_23: [u8; 20] = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5,
    0x02,
];

/// draft-ietf-quic-tls-21 and -22 section 5.2.
static SALT_DRAFT_22: [u8; 20] = [
    0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64,
    0x4a,
];

static SALT_Q050: [u8; 20] = [
    0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94, 0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b,
    0x45,
];

static SALT_T050: [u8; 20] = [
    0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83,
    0x10,
];

static SALT_T051: [u8; 20] = [
    0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03,
    0x3d,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_and_told_apart() {
        for (value, text) in [
            (1, "1"),
            (0x6b33_43cf, "2"),
            (0xff00_001d, "draft-29"),
            (0xff00_0007, "draft-7"),
            (0xface_b00f, "mvfst-0x0f"),
            (0x5130_3433, "Q043"),
            (0x1a2a_3a4a, "GREASE(0x1a2a3a4a)"),
            (0x1234_5678, "0x12345678"),
        ] {
            assert_eq!(Version(value).to_string(), text);
        }
        assert!(Version(0x5430_3531).is_google_tls() && !Version(0x5430_3531).is_google_crypto());
        assert!(!Version(0x1234_5678).is_plausible());
        assert!((0x17..=0x22).all(|draft| Version(0xff00_0000 | draft).is_readable()));
    }

    #[test]
    fn packet_types_are_rotated_in_version_2() {
        let types = |version: Version| [0xc0, 0xd0, 0xe0, 0xf0].map(|first| version.packet_type(first));
        use PacketType::{Handshake, Initial, Retry, ZeroRtt};
        assert_eq!(types(Version::V1), [Initial, ZeroRtt, Handshake, Retry]);
        assert_eq!(types(Version::V2), [Retry, Initial, ZeroRtt, Handshake]);
    }
}
