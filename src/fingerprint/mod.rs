//! Fingerprints of hellos: which software spoke, told from what it offered.
//!
//! Each method is one file and one line in [`METHODS`]. A method reads [`HelloLists`], the lists a hello holds, so
//! that a fingerprint can be computed from a parsed [`ClientHello`] or from lists kept elsewhere. A hello that is
//! incomplete or contradicts itself has no fingerprint: a wrong one is worse than none. A hello in SSL 2.0 format
//! has none either.
//!
//! After a HelloRetryRequest the fingerprint of a flow is that of its first ClientHello; the second has its own.

mod ja3;
mod ja3s;
mod ja4;

use smallvec::SmallVec;

pub use ja3::{Ja3, Ja3n};
pub use ja3s::Ja3s;
pub use ja4::Ja4;

use crate::cursor::ParseError;
use crate::flow::facts::{Carrier, Offer};
use crate::tls::codepoints::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::tls::{ClientHello, ServerHello};

/// What carried the hello. JA4 begins with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// TLS over TCP: `t`.
    Tcp,
    /// QUIC: `q`.
    Quic,
    /// DTLS: `d`.
    Dtls,
}

/// What of a ClientHello the methods read, in wire order and with GREASE, owned.
///
/// Lists of ordinary length are held without a heap allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelloLists {
    /// The version field.
    pub legacy_version: ProtocolVersion,
    /// supported_versions; `None` without the extension.
    pub supported_versions: Option<SmallVec<[ProtocolVersion; 8]>>,
    /// The suites.
    pub cipher_suites: SmallVec<[CipherSuite; 64]>,
    /// The types of all extensions, duplicates included.
    pub extensions: SmallVec<[ExtensionType; 32]>,
    /// supported_groups.
    pub groups: SmallVec<[NamedGroup; 16]>,
    /// ec_point_formats.
    pub point_formats: SmallVec<[u8; 8]>,
    /// signature_algorithms.
    pub signature_schemes: SmallVec<[SignatureScheme; 32]>,
    /// The first protocol of ALPN; empty without one.
    pub first_alpn: SmallVec<[u8; 16]>,
}

impl HelloLists {
    /// Collects the lists of a hello. Of an extension that comes twice the first is read.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when an extension that a method reads contradicts itself: such a hello has no
    /// fingerprint.
    pub fn of(hello: &ClientHello<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            legacy_version: hello.legacy_version,
            supported_versions: hello.supported_versions()?.map(|list| list.iter().collect()),
            cipher_suites: hello.cipher_suites.iter().collect(),
            extensions: hello.extensions.iter().map(|each| each.extension_type).collect(),
            groups: hello.supported_groups()?.map(|list| list.iter().collect()).unwrap_or_default(),
            point_formats: hello.ec_point_formats()?.map(SmallVec::from_slice).unwrap_or_default(),
            signature_schemes: hello.signature_algorithms()?.map(|list| list.iter().collect()).unwrap_or_default(),
            first_alpn: hello.alpn()?.and_then(|list| list.first()).map(SmallVec::from_slice).unwrap_or_default(),
        })
    }
}

/// The fingerprints of one ClientHello shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelloFingerprints {
    /// JA3.
    pub ja3: Ja3,
    /// JA3 with sorted extensions.
    pub ja3n: Ja3n,
    /// JA4 in all its forms.
    pub ja4: Ja4,
}

impl HelloFingerprints {
    /// The fingerprints of `offer`; `None` for a hello in SSLv2 format, for which none is defined.
    #[must_use]
    pub fn of(offer: &Offer) -> Option<Self> {
        if offer.is_sslv2_format() {
            return None;
        }
        let lists = HelloLists {
            legacy_version: offer.legacy_version,
            supported_versions: offer.versions.as_deref().map(|list| list.iter().copied().collect()),
            cipher_suites: offer.cipher_suites.iter().copied().collect(),
            extensions: offer.extensions.iter().flatten().map(|seen| seen.extension_type).collect(),
            groups: offer.groups.iter().flatten().copied().collect(),
            point_formats: offer.point_formats.iter().flatten().copied().collect(),
            signature_schemes: offer.signature_schemes.iter().flatten().copied().collect(),
            first_alpn: offer
                .alpn
                .iter()
                .flatten()
                .next()
                .map(|name| name.iter().copied().collect())
                .unwrap_or_default(),
        };
        let protocol = match offer.carrier {
            Carrier::Tcp => Protocol::Tcp,
            Carrier::Quic => Protocol::Quic,
            Carrier::Dtls => Protocol::Dtls,
        };
        Some(Self {
            ja3: Ja3::from_lists(&lists),
            ja3n: Ja3n::from_lists(&lists),
            ja4: Ja4::from_lists(&lists, protocol),
        })
    }
}

/// One method, as the output and the documentation name it.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// The member of the flow record: `ja4_r`.
    pub name: &'static str,
    /// What it is, in a line.
    pub title: &'static str,
    /// Where it is specified.
    pub reference: &'static str,
    /// How it is computed.
    pub compute: Compute,
}

/// Which hello a method reads, and the function that prints its fingerprint.
#[derive(Clone, Copy, Debug)]
pub enum Compute {
    /// From a ClientHello's lists.
    Client(fn(&HelloLists, Protocol) -> String),
    /// From a ServerHello.
    Server(fn(&ServerHello<'_>) -> String),
}

const JA3_REFERENCE: &str = "https://github.com/salesforce/ja3";
const JA4_REFERENCE: &str = "https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md";

/// Every method, in the order of the output.
pub const METHODS: &[Method] = &[
    Method {
        name: "ja3",
        title: "MD5 over the ClientHello's lists in wire order",
        reference: JA3_REFERENCE,
        compute: Compute::Client(|lists, _| Ja3::from_lists(lists).to_string()),
    },
    Method {
        name: "ja3n",
        title: "JA3 with the extensions sorted: stable where a client shuffles them",
        reference: JA3_REFERENCE,
        compute: Compute::Client(|lists, _| Ja3n::from_lists(lists).to_string()),
    },
    Method {
        name: "ja3s",
        title: "MD5 over the ServerHello's version, suite and extensions",
        reference: JA3_REFERENCE,
        compute: Compute::Server(|hello| Ja3s::of(hello).to_string()),
    },
    Method {
        name: "ja4",
        title: "readable counts and two SHA-256 over sorted lists of the ClientHello",
        reference: JA4_REFERENCE,
        compute: Compute::Client(|lists, protocol| Ja4::from_lists(lists, protocol).to_string()),
    },
    Method {
        name: "ja4_r",
        title: "JA4 unhashed",
        reference: JA4_REFERENCE,
        compute: Compute::Client(|lists, protocol| Ja4::from_lists(lists, protocol).raw().to_owned()),
    },
    Method {
        name: "ja4_o",
        title: "JA4 in wire order, SNI and ALPN included",
        reference: JA4_REFERENCE,
        compute: Compute::Client(|lists, protocol| Ja4::from_lists(lists, protocol).original().to_owned()),
    },
    Method {
        name: "ja4_ro",
        title: "JA4 in wire order, unhashed",
        reference: JA4_REFERENCE,
        compute: Compute::Client(|lists, protocol| Ja4::from_lists(lists, protocol).original_raw().to_owned()),
    },
    Method {
        name: "ja4_stable",
        title: "this project's variant of JA4: without padding, session_ticket, pre_shared_key and early_data, so the \
                same for a first and a resumed session",
        reference: JA4_REFERENCE,
        compute: Compute::Client(|lists, protocol| Ja4::from_lists(lists, protocol).stable().to_owned()),
    },
];

/// A hexadecimal digit in lower case; `nibble` is below 16.
const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

/// Two hexadecimal digits in lower case.
const fn hex_byte(byte: u8) -> [u8; 2] {
    [hex_digit(byte >> 4), hex_digit(byte & 0x0f)]
}

/// Appends a number in decimal.
fn push_decimal(text: &mut Vec<u8>, value: u16) {
    let digits = [10_000, 1_000, 100, 10, 1].map(|unit| {
        let [digit, _] = (value / unit % 10).to_le_bytes();
        b'0' + digit
    });
    let zeros = match value {
        10_000.. => 0,
        1_000.. => 1,
        100.. => 2,
        10.. => 3,
        _ => 4,
    };
    text.extend_from_slice(digits.get(zeros..).unwrap_or_default());
}

/// Text that was built from ASCII alone.
fn ascii(text: Vec<u8>) -> String {
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::tls::test_data::{CLIENT_HELLOS, client_hello, hex};

    #[test]
    fn prints_decimals() {
        for value in [0, 7, 9, 10, 99, 100, 771, 999, 1_000, 9_999, 10_000, 65_535] {
            let mut text = Vec::new();
            push_decimal(&mut text, value);
            assert_eq!(ascii(text), value.to_string());
        }
    }

    #[test]
    fn names_every_method_once() {
        let names: HashSet<_> = METHODS.iter().map(|method| method.name).collect();
        assert_eq!(names.len(), METHODS.len());
    }

    #[test]
    fn computes_every_client_method_of_every_real_hello() {
        for (name, digits) in CLIENT_HELLOS {
            let message = hex(digits);
            let lists = HelloLists::of(&ClientHello::parse(&message).expect(name)).expect(name);
            for method in METHODS {
                if let Compute::Client(compute) = method.compute {
                    assert!(!compute(&lists, Protocol::Tcp).is_empty(), "{name} {}", method.name);
                }
            }
        }
    }

    #[test]
    fn gives_no_fingerprint_to_any_prefix() {
        for (name, digits) in CLIENT_HELLOS {
            let message = hex(digits);
            for length in 0..message.len() {
                let cut = message.get(..length).unwrap_or_default();
                assert!(ClientHello::parse(cut).and_then(|hello| Ja4::of(&hello, Protocol::Tcp)).is_err(), "{name}");
            }
        }
    }

    #[test]
    fn gives_no_fingerprint_to_a_hello_whose_lists_contradict_themselves() {
        let message = client_hello("go");
        let groups = [0, 10, 0, 10, 0, 8];
        let at = message.windows(groups.len()).position(|window| window == groups).expect("supported_groups") + 5;
        for length in [7, 9, 6] {
            let mut broken = message.clone();
            *broken.get_mut(at).expect("in range") = length;
            let hello = ClientHello::parse(&broken).expect("framing holds");
            assert!(matches!(Ja3::of(&hello), Err(ParseError::Invalid { structure: "supported_groups", .. })));
            assert!(Ja4::of(&hello, Protocol::Tcp).is_err());
        }
    }
}
