//! The vectors inside hello messages, as views whose framing was checked when they were made.

use std::marker::PhantomData;

use super::codepoints::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::cursor::{Cursor, ParseError};

/// A list of 16-bit code points, in wire order.
#[derive(Debug)]
pub struct CodePoints<'a, T> {
    pairs: &'a [[u8; 2]],
    kind: PhantomData<T>,
}

/// The cipher suites a client offers, most preferred first.
pub type CipherSuites<'a> = CodePoints<'a, CipherSuite>;

impl<'a, T: CodePoint> CodePoints<'a, T> {
    /// A view of the inside of a vector, its length prefix taken off.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the number of bytes is odd.
    #[inline]
    pub fn new(bytes: &'a [u8], structure: &'static str) -> Result<Self, ParseError> {
        match bytes.as_chunks::<2>() {
            (pairs, []) => Ok(Self { pairs, kind: PhantomData }),
            _ => Err(ParseError::Invalid { structure, reason: "odd number of bytes in a list of 16-bit values" }),
        }
    }

    /// A list of nothing.
    #[must_use]
    pub const fn empty() -> Self {
        Self { pairs: &[], kind: PhantomData }
    }

    /// How many values.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The values in wire order.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> + DoubleEndedIterator + Clone + use<'a, T> {
        self.pairs.iter().map(|pair| T::from_wire(u16::from_be_bytes(*pair)))
    }

    /// The first value.
    #[must_use]
    pub fn first(&self) -> Option<T> {
        self.iter().next()
    }

    /// Whether `value` is in the list.
    #[must_use]
    pub fn contains(&self, value: T) -> bool {
        self.iter().any(|each| each == value)
    }

    /// The list as it is on the wire, without its length.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.pairs.as_flattened()
    }
}

impl<T> Clone for CodePoints<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for CodePoints<'_, T> {}

impl<T> PartialEq for CodePoints<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.pairs == other.pairs
    }
}

impl<T> Eq for CodePoints<'_, T> {}

/// A code point that a [`CodePoints`] list can hold.
pub trait CodePoint: Copy + PartialEq {
    /// The code point of a wire value.
    fn from_wire(value: u16) -> Self;
}

macro_rules! code_points {
    ($($name:ident),*) => {
        $(impl CodePoint for $name {
            #[inline]
            fn from_wire(value: u16) -> Self {
                Self(value)
            }
        })*
    };
}

code_points!(CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme);

/// The bare number: certificate compression algorithms, SRTP profiles.
impl CodePoint for u16 {
    #[inline]
    fn from_wire(value: u16) -> Self {
        value
    }
}

/// A list of byte strings, each behind an 8-bit length: the protocols of ALPN (RFC 7301 section 3.1) and NPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolNames<'a> {
    bytes: &'a [u8],
}

impl<'a> ProtocolNames<'a> {
    /// A view of the inside of a vector, its own length prefix taken off. An empty list and empty names pass:
    /// clients send them, and what follows from that is not for a parser to say.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when a name goes past the end.
    pub fn new(bytes: &'a [u8], structure: &'static str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            super::bounded(cursor.vec8(structure))?;
        }
        Ok(Self { bytes })
    }

    /// The names in wire order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let mut cursor = Cursor::new(self.bytes);
        std::iter::from_fn(move || cursor.vec8("protocol name").ok())
    }

    /// The first name.
    #[must_use]
    pub fn first(&self) -> Option<&'a [u8]> {
        self.iter().next()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// One key share (RFC 8446 section 4.2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyShare<'a> {
    /// The group the key belongs to.
    pub group: NamedGroup,
    /// The public key; empty in a HelloRetryRequest, which names a group alone.
    pub key_exchange: &'a [u8],
}

impl<'a> KeyShare<'a> {
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let group = NamedGroup(cursor.u16("key share group")?);
        Ok(Self { group, key_exchange: cursor.vec16("key share")? })
    }
}

/// The key shares a client sends, most preferred first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyShares<'a> {
    bytes: &'a [u8],
}

impl<'a> KeyShares<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            super::bounded(KeyShare::read(&mut cursor))?;
        }
        Ok(Self { bytes })
    }

    /// The shares in wire order.
    pub fn iter(&self) -> impl Iterator<Item = KeyShare<'a>> + Clone + use<'a> {
        let mut cursor = Cursor::new(self.bytes);
        std::iter::from_fn(move || KeyShare::read(&mut cursor).ok())
    }

    /// Whether there is none: the client asks for a HelloRetryRequest.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn lists_code_points_in_wire_order() {
        let list = CodePoints::<CipherSuite>::new(&[0x13, 0x01, 0x0a, 0x0a], "suites").expect("even");
        assert_eq!(list.iter().collect::<Vec<_>>(), [CipherSuite(0x1301), CipherSuite(0x0a0a)]);
        assert_eq!((list.len(), list.first()), (2, Some(CipherSuite(0x1301))));
        assert!(list.contains(CipherSuite(0x0a0a)) && !list.contains(CipherSuite(0x010a)));
    }

    #[test]
    fn rejects_odd_lists_and_names_past_the_end() {
        assert!(matches!(
            CodePoints::<CipherSuite>::new(&[1, 2, 3], "x"),
            Err(ParseError::Invalid { structure: "x", .. })
        ));
        assert!(ProtocolNames::new(&[2, b'h', b'2', 3, b'x'], "ALPN").is_err());
        assert!(KeyShares::new(&[0, 29, 0, 2, 1]).is_err());
    }

    #[test]
    fn accepts_empty_names() {
        let names = ProtocolNames::new(&[0, 1, b'x', 0], "ALPN").expect("framing holds");
        assert_eq!(names.iter().collect::<Vec<_>>(), [&b""[..], b"x", b""]);
    }
}
