//! JA3S: version, suite and extensions of a ServerHello in decimal, hashed with MD5.

use std::fmt;

use super::ja3::{Md5Text, push_list};
use super::push_decimal;
use crate::tls::ServerHello;
use crate::tls::codepoints::{CipherSuite, ExtensionType, ProtocolVersion};

/// The JA3S of a ServerHello. Displays as its hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ja3s(Md5Text);

impl Ja3s {
    /// Computes it. GREASE, which no server should send, stays in.
    #[must_use]
    pub fn of(hello: &ServerHello<'_>) -> Self {
        let extensions = hello.extensions.iter().map(|each| each.extension_type);
        Self::from_parts(hello.legacy_version, hello.cipher_suite, extensions)
    }

    /// Computes it from its parts: `legacy_version`, the suite, and the extension types in wire order.
    #[must_use]
    pub fn from_parts(
        legacy_version: ProtocolVersion,
        suite: CipherSuite,
        extensions: impl Iterator<Item = ExtensionType>,
    ) -> Self {
        let mut text = Vec::with_capacity(64);
        push_decimal(&mut text, legacy_version.0);
        text.push(b',');
        push_decimal(&mut text, suite.0);
        text.push(b',');
        push_list(&mut text, extensions.map(|each| each.0));
        Self(Md5Text::new(text))
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
impl fmt::Display for Ja3s {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash())
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn ja3s(version: [u8; 2], tail: &[u8]) -> Ja3s {
        let body = [&version[..], &[7; 32], tail].concat();
        Ja3s::of(&ServerHello::parse_body(&body).expect("sound"))
    }

    #[test]
    fn matches_the_worked_values() {
        let old = ja3s([3, 1], &[0, 0, 47, 0]);
        assert_eq!((old.text(), old.hash()), ("769,47,", "18e962e106761869a61045bed0e81c2c"));
        let new = ja3s([3, 3], &[0, 0x13, 1, 0, 0, 14, 0, 51, 0, 4, 0, 29, 0, 0, 0, 43, 0, 2, 3, 4]);
        assert_eq!((new.text(), new.hash()), ("771,4865,51-43", "eb1d94daa7e0344597e756a1fb6e7054"));
    }

    #[test]
    fn keeps_grease() {
        assert_eq!(ja3s([3, 3], &[0, 0x13, 1, 0, 0, 4, 0x0a, 0x0a, 0, 0]).text(), "771,4865,2570");
    }
}
