//! JA3: version, suites, extensions, groups and point formats in decimal, in wire order, hashed with MD5.

use std::fmt;

use md5::{Digest, Md5};
use smallvec::SmallVec;

use super::{HelloLists, ascii, hex_byte, push_decimal};
use crate::cursor::ParseError;
use crate::tls::ClientHello;
use crate::tls::codepoints::is_grease;

/// The JA3 of a ClientHello. Displays as its hash.
///
/// ```
/// use handprint::fingerprint::{HelloLists, Ja3};
///
/// let lists = HelloLists::default();
/// assert_eq!(Ja3::from_lists(&lists).text(), "0,,,,");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ja3(Md5Text);

impl Ja3 {
    /// Computes it from a parsed hello.
    ///
    /// # Errors
    /// As [`HelloLists::of`].
    pub fn of(hello: &ClientHello<'_>) -> Result<Self, ParseError> {
        Ok(Self::from_lists(&HelloLists::of(hello)?))
    }

    /// Computes it from a hello's lists.
    #[must_use]
    pub fn from_lists(lists: &HelloLists) -> Self {
        Self(Md5Text::new(text(lists, lists.extensions.iter().map(|each| each.0))))
    }

    /// The hash: 32 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        self.0.hash()
    }

    /// What was hashed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }
}

/// Writes the hash.
impl fmt::Display for Ja3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash())
    }
}

/// JA3 with the extension types sorted, the same for a client that shuffles them. Displays as its hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ja3n(Md5Text);

impl Ja3n {
    /// Computes it from a parsed hello.
    ///
    /// # Errors
    /// As [`HelloLists::of`].
    pub fn of(hello: &ClientHello<'_>) -> Result<Self, ParseError> {
        Ok(Self::from_lists(&HelloLists::of(hello)?))
    }

    /// Computes it from a hello's lists.
    #[must_use]
    pub fn from_lists(lists: &HelloLists) -> Self {
        let mut sorted: SmallVec<[u16; 32]> = lists.extensions.iter().map(|each| each.0).collect();
        sorted.sort_unstable();
        Self(Md5Text::new(text(lists, sorted.iter().copied())))
    }

    /// The hash: 32 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        self.0.hash()
    }

    /// What was hashed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }
}

/// Writes the hash.
impl fmt::Display for Ja3n {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash())
    }
}

/// A text and its MD5 in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Md5Text {
    pub(super) text: String,
    digits: [u8; 32],
}

impl Md5Text {
    pub(super) fn new(text: Vec<u8>) -> Self {
        let mut digits = [0; 32];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(Md5::digest(&text)) {
            *pair = hex_byte(byte);
        }
        Self { text: ascii(text), digits }
    }

    pub(super) fn hash(&self) -> &str {
        std::str::from_utf8(&self.digits).unwrap_or_default()
    }
}

/// Appends numbers in decimal with `-` between them.
pub(super) fn push_list(text: &mut Vec<u8>, values: impl Iterator<Item = u16>) {
    for (index, value) in values.enumerate() {
        if index > 0 {
            text.push(b'-');
        }
        push_decimal(text, value);
    }
}

fn text(lists: &HelloLists, extensions: impl Iterator<Item = u16>) -> Vec<u8> {
    let values = lists.cipher_suites.len() + lists.extensions.len() + lists.groups.len() + lists.point_formats.len();
    let mut text = Vec::with_capacity(16 + 6 * values);
    let without_grease = |value: &u16| !is_grease(*value);
    push_decimal(&mut text, lists.legacy_version.0);
    text.push(b',');
    push_list(&mut text, lists.cipher_suites.iter().map(|each| each.0).filter(without_grease));
    text.push(b',');
    push_list(&mut text, extensions.filter(without_grease));
    text.push(b',');
    push_list(&mut text, lists.groups.iter().map(|each| each.0).filter(without_grease));
    text.push(b',');
    push_list(&mut text, lists.point_formats.iter().map(|each| u16::from(*each)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::codepoints::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion};

    fn lists(version: u16, suites: &[u16], extensions: &[u16], groups: &[u16], formats: &[u8]) -> HelloLists {
        HelloLists {
            legacy_version: ProtocolVersion(version),
            cipher_suites: suites.iter().map(|each| CipherSuite(*each)).collect(),
            extensions: extensions.iter().map(|each| ExtensionType(*each)).collect(),
            groups: groups.iter().map(|each| NamedGroup(*each)).collect(),
            point_formats: formats.iter().copied().collect(),
            ..HelloLists::default()
        }
    }

    #[test]
    fn matches_the_worked_values() {
        let suites = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4];
        let ja3 = Ja3::from_lists(&lists(769, &suites, &[0, 10, 11], &[23, 24, 25], &[0]));
        assert_eq!(ja3.text(), "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
        assert_eq!(ja3.hash(), "ada70206e40642a3e4461f35503241d5");

        let ja3 = Ja3::from_lists(&lists(769, &[4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], &[], &[], &[]));
        assert_eq!(ja3.text(), "769,4-5-10-9-100-98-3-6-19-18-99,,,");
        assert_eq!(ja3.to_string(), "de350869b8c85de67a350c8d186f11e6");
    }

    #[test]
    fn leaves_grease_out_and_nothing_like_it() {
        let ja3 = Ja3::from_lists(&lists(771, &[0x0a0a, 4865, 0x0a1a], &[0xfafa, 0, 21, 16], &[0x5a5a, 29], &[0]));
        assert_eq!(ja3.text(), "771,4865-2586,0-21-16,29,0");
    }

    #[test]
    fn sorts_extensions_alone_for_ja3n() {
        let hello = lists(771, &[4866, 4865], &[51, 0x1a1a, 0, 43], &[29, 23], &[1, 0]);
        assert_eq!(Ja3n::from_lists(&hello).text(), "771,4866-4865,0-43-51,29-23,1-0");
        let shuffled = lists(771, &[4866, 4865], &[43, 51, 0x2a2a, 0], &[29, 23], &[1, 0]);
        assert_eq!(Ja3n::from_lists(&hello), Ja3n::from_lists(&shuffled));
        assert_ne!(Ja3::from_lists(&hello), Ja3::from_lists(&shuffled));
    }
}
