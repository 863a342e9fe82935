//! The extension block of a hello (RFC 8446 section 4.2), and what several messages' extensions share.

use hashbrown::HashSet;

use super::bounded;
use super::codepoints::ExtensionType;
use crate::cursor::{Cursor, ParseError};

/// Extension types this crate reads the inside of, and where each is specified.
pub mod extension_type {
    use super::ExtensionType;

    macro_rules! extension_types {
        ($($(#[$documentation:meta])* $name:ident = $value:ident;)*) => {
            $($(#[$documentation])* pub const $name: ExtensionType = ExtensionType::$value;)*
        };
    }

    extension_types! {
        /// RFC 6066 section 3.
        SERVER_NAME = SERVER_NAME;
        /// RFC 6066 section 4.
        MAX_FRAGMENT_LENGTH = MAX_FRAGMENT_LENGTH;
        /// RFC 6066 section 8.
        STATUS_REQUEST = STATUS_REQUEST;
        /// RFC 8422, RFC 7919.
        SUPPORTED_GROUPS = SUPPORTED_GROUPS;
        /// RFC 8422 section 5.1.2.
        EC_POINT_FORMATS = EC_POINT_FORMATS;
        /// RFC 5246 section 7.4.1.4.1, RFC 8446 section 4.2.3.
        SIGNATURE_ALGORITHMS = SIGNATURE_ALGORITHMS;
        /// RFC 5764 section 4.1.
        USE_SRTP = USE_SRTP;
        /// RFC 6520.
        HEARTBEAT = HEARTBEAT;
        /// RFC 7301.
        ALPN = APPLICATION_LAYER_PROTOCOL_NEGOTIATION;
        /// RFC 6961.
        STATUS_REQUEST_V2 = STATUS_REQUEST_V2;
        /// RFC 6962 section 3.3.1.
        SIGNED_CERTIFICATE_TIMESTAMP = SIGNED_CERTIFICATE_TIMESTAMP;
        /// RFC 7250.
        CLIENT_CERTIFICATE_TYPE = CLIENT_CERTIFICATE_TYPE;
        /// RFC 7250.
        SERVER_CERTIFICATE_TYPE = SERVER_CERTIFICATE_TYPE;
        /// RFC 7685.
        PADDING = PADDING;
        /// RFC 7366.
        ENCRYPT_THEN_MAC = ENCRYPT_THEN_MAC;
        /// RFC 7627.
        EXTENDED_MASTER_SECRET = EXTENDED_MAIN_SECRET;
        /// RFC 8472.
        TOKEN_BINDING = TOKEN_BINDING;
        /// RFC 8879.
        COMPRESS_CERTIFICATE = COMPRESS_CERTIFICATE;
        /// RFC 8449.
        RECORD_SIZE_LIMIT = RECORD_SIZE_LIMIT;
        /// RFC 9345.
        DELEGATED_CREDENTIAL = DELEGATED_CREDENTIAL;
        /// RFC 5077.
        SESSION_TICKET = SESSION_TICKET;
        /// The key shares of drafts of TLS 1.3 before 23; before that, extended_random of another draft.
        KEY_SHARE_DRAFT = RESERVED_KEY_SHARE;
        /// RFC 8446 section 4.2.11.
        PRE_SHARED_KEY = PRE_SHARED_KEY;
        /// RFC 8446 section 4.2.10.
        EARLY_DATA = EARLY_DATA;
        /// RFC 8446 section 4.2.1.
        SUPPORTED_VERSIONS = SUPPORTED_VERSIONS;
        /// RFC 8446 section 4.2.2.
        COOKIE = COOKIE;
        /// RFC 8446 section 4.2.9.
        PSK_KEY_EXCHANGE_MODES = PSK_KEY_EXCHANGE_MODES;
        /// RFC 8446 section 4.2.4.
        CERTIFICATE_AUTHORITIES = CERTIFICATE_AUTHORITIES;
        /// RFC 8446 section 4.2.6.
        POST_HANDSHAKE_AUTH = POST_HANDSHAKE_AUTH;
        /// RFC 8446 section 4.2.3.
        SIGNATURE_ALGORITHMS_CERT = SIGNATURE_ALGORITHMS_CERT;
        /// RFC 8446 section 4.2.8.
        KEY_SHARE = KEY_SHARE;
        /// RFC 9146.
        CONNECTION_ID = CONNECTION_ID;
        /// RFC 9001 section 8.2.
        QUIC_TRANSPORT_PARAMETERS = QUIC_TRANSPORT_PARAMETERS;
        /// draft-agl-tls-nextprotoneg.
        NEXT_PROTOCOL_NEGOTIATION = NEXT_PROTOCOL_NEGOTIATION;
        /// draft-vvv-tls-alps, the first code point.
        APPLICATION_SETTINGS_OLD = APPLICATION_SETTINGS_OLD;
        /// draft-vvv-tls-alps, the second code point.
        APPLICATION_SETTINGS = APPLICATION_SETTINGS;
        /// draft-balfanz-tls-channelid, before its last revision.
        CHANNEL_ID_OLD = CHANNEL_ID_OLD;
        /// draft-balfanz-tls-channelid.
        CHANNEL_ID = CHANNEL_ID;
        /// RFC 9849, encrypted ClientHello.
        ENCRYPTED_CLIENT_HELLO = ENCRYPTED_CLIENT_HELLO;
        /// RFC 5746.
        RENEGOTIATION_INFO = RENEGOTIATION_INFO;
        /// draft-ietf-quic-tls before version 33.
        QUIC_TRANSPORT_PARAMETERS_DRAFT = QUIC_TRANSPORT_PARAMETERS_DRAFT;
        /// draft-ietf-tls-esni before ECH.
        ENCRYPTED_SERVER_NAME = ENCRYPTED_SERVER_NAME;
    }
}

/// One extension: its type and its body, unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// The type; any value is possible.
    pub extension_type: ExtensionType,
    /// The body, without its length.
    pub data: &'a [u8],
}

/// The extension block of a message, in wire order.
///
/// The framing of the whole block was checked when the message was parsed: going through it cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extensions<'a> {
    /// `None` where the message ends before the block, as hellos of SSL 3.0 do.
    block: Option<&'a [u8]>,
}

impl<'a> Extensions<'a> {
    /// A message without a block.
    #[must_use]
    pub const fn absent() -> Self {
        Self { block: None }
    }

    /// Reads a block with its 16-bit length, or its absence, from the end of a message.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the block is shorter or longer than what remains, or one extension goes past it.
    pub fn parse_rest(mut cursor: Cursor<'a>) -> Result<Self, ParseError> {
        if cursor.is_empty() {
            return Ok(Self::absent());
        }
        let block = bounded(cursor.vec16(STRUCTURE))?;
        cursor.finish(STRUCTURE)?;
        Self::new(block)
    }

    /// A view of the inside of a block, its length prefix taken off.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when an extension goes past the end of the block.
    #[inline]
    pub fn new(block: &'a [u8]) -> Result<Self, ParseError> {
        let mut rest = block;
        while !rest.is_empty() {
            match next_extension(rest) {
                Some((_, after)) => rest = after,
                None => {
                    return Err(ParseError::Invalid { structure: STRUCTURE, reason: "an extension goes past its end" });
                }
            }
        }
        Ok(Self { block: Some(block) })
    }

    /// Whether the message has a block at all, be it an empty one.
    #[must_use]
    pub const fn is_present(&self) -> bool {
        self.block.is_some()
    }

    /// Whether there is no extension.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// How many extensions, duplicates counted each.
    #[must_use]
    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// The extensions in wire order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Extension<'a>> + Clone + use<'a> {
        let mut rest = self.as_bytes();
        std::iter::from_fn(move || {
            let (extension, after) = next_extension(rest)?;
            rest = after;
            Some(extension)
        })
    }

    /// The type of each extension in wire order, with the block from that extension on.
    pub(super) fn tails(&self) -> impl Iterator<Item = (ExtensionType, Self)> + use<'a> {
        let mut rest = self.as_bytes();
        std::iter::from_fn(move || {
            let from_here = Self { block: Some(rest) };
            let (extension, after) = next_extension(rest)?;
            rest = after;
            Some((extension.extension_type, from_here))
        })
    }

    /// The body of the first extension of a type.
    #[inline]
    #[must_use]
    pub fn find(&self, extension_type: ExtensionType) -> Option<&'a [u8]> {
        self.iter().find(|each| each.extension_type == extension_type).map(|each| each.data)
    }

    /// Whether an extension of a type is there.
    #[must_use]
    pub fn contains(&self, extension_type: ExtensionType) -> bool {
        self.find(extension_type).is_some()
    }

    /// The first extension type that comes a second time, which no version allows.
    #[must_use]
    pub fn duplicate(&self) -> Option<ExtensionType> {
        let mut seen = HashSet::with_capacity_and_hasher(32, foldhash::fast::FixedState::default());
        self.iter().map(|each| each.extension_type).find(|extension_type| !seen.insert(extension_type.0))
    }

    /// The inside of the block as it is on the wire; empty when there is none.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        match self.block {
            Some(block) => block,
            None => &[],
        }
    }

    /// Reads the whole body of the first extension of a type.
    pub(super) fn read<T>(
        &self,
        extension_type: ExtensionType,
        structure: &'static str,
        read: impl FnOnce(&mut Cursor<'a>) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ParseError> {
        self.find(extension_type).map(|data| read_body(data, structure, read)).transpose()
    }
}

/// Reads a whole extension body, to its last byte.
pub(super) fn read_body<'a, T>(
    data: &'a [u8],
    structure: &'static str,
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T, ParseError>,
) -> Result<T, ParseError> {
    let mut cursor = Cursor::new(data);
    let value = bounded(read(&mut cursor))?;
    cursor.finish(structure)?;
    Ok(value)
}

const STRUCTURE: &str = "extension block";

#[inline]
fn next_extension(bytes: &[u8]) -> Option<(Extension<'_>, &[u8])> {
    let ([a, b, c, d], rest) = bytes.split_first_chunk::<4>()?;
    let (data, after) = rest.split_at_checked(usize::from(u16::from_be_bytes([*c, *d])))?;
    Some((Extension { extension_type: ExtensionType(u16::from_be_bytes([*a, *b])), data }, after))
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn tells_no_block_from_an_empty_one() {
        let absent = Extensions::parse_rest(Cursor::new(&[])).expect("nothing is no block");
        let empty = Extensions::parse_rest(Cursor::new(&[0, 0])).expect("an empty block");
        assert!(!absent.is_present() && absent.is_empty());
        assert!(empty.is_present() && empty.is_empty());
    }

    #[test]
    fn lists_extensions_with_duplicates() {
        let block = [0, 12, 0, 23, 0, 0, 0xab, 0xcd, 0, 0, 0, 23, 0, 0];
        let extensions = Extensions::parse_rest(Cursor::new(&block)).expect("framing holds");
        assert_eq!(extensions.count(), 3);
        assert_eq!(extensions.duplicate(), Some(extension_type::EXTENDED_MASTER_SECRET));
        assert_eq!(extensions.find(ExtensionType(0xabcd)), Some(&[][..]));
        assert_eq!(extensions.find(ExtensionType(0xabce)), None);
    }

    #[test]
    fn rejects_a_broken_block() {
        for block in [&[0][..], &[0, 1], &[0, 0, 0], &[0, 3, 0, 0, 0], &[0, 4, 0, 0, 0, 1], &[0, 5, 0, 0, 0, 2, 9]] {
            assert!(matches!(Extensions::parse_rest(Cursor::new(block)), Err(ParseError::Invalid { .. })), "{block:?}");
        }
    }
}
