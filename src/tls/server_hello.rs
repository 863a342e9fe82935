//! ServerHello and HelloRetryRequest (RFC 8446 sections 4.1.3 and 4.1.4, RFC 5246 section 7.4.1.3).

use super::codepoints::{CipherSuite, NamedGroup, ProtocolVersion};
use super::extensions::extension_type;
use super::handshake::{Message, message_type};
use super::lists::{CodePoints, KeyShare, ProtocolNames};
use super::{Extensions, bounded, is_early_draft};
use crate::cursor::{Cursor, ParseError};

/// The random value that makes a ServerHello a HelloRetryRequest: SHA-256 of "HelloRetryRequest".
pub const HELLO_RETRY_REQUEST_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A ServerHello, borrowed from the bytes it was parsed from.
///
/// The ServerHello of drafts of TLS 1.3 before 22 (`legacy_version` `0x7f00` to `0x7f15`, and `0x0304` where only that
/// reading agrees with the lengths) has neither session id nor compression method: they read as empty and 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHello<'a> {
    /// The version field: the version selected up to TLS 1.2; see [`ServerHello::selected_version`].
    pub legacy_version: ProtocolVersion,
    /// The server's random value.
    pub random: &'a [u8; 32],
    /// Up to TLS 1.2 the session's id, equal to the client's when it is resumed; from TLS 1.3 the client's echoed.
    pub session_id: &'a [u8],
    /// The suite selected.
    pub cipher_suite: CipherSuite,
    /// The compression method selected: 0 null, 1 DEFLATE.
    pub compression_method: u8,
    /// The extension block.
    pub extensions: Extensions<'a>,
}

impl<'a> ServerHello<'a> {
    /// Reads exactly one handshake message: header and body.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the message goes on past `message`; [`ParseError::Invalid`] when it is of
    /// another type, is followed by more bytes, or contradicts itself.
    pub fn parse(message: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_body(Message::body_of(message, message_type::SERVER_HELLO, STRUCTURE)?)
    }

    /// Reads the body of a whole message, of TLS or DTLS.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the body contradicts itself. Never [`ParseError::Incomplete`]: the message's
    /// length bounds it.
    pub fn parse_body(body: &'a [u8]) -> Result<Self, ParseError> {
        bounded(Self::read(body))
    }

    fn read(body: &'a [u8]) -> Result<Self, ParseError> {
        let legacy_version = ProtocolVersion(Cursor::new(body).u16("ServerHello.legacy_version")?);
        match legacy_version.0 {
            0x7f00..=LAST_DRAFT_WITHOUT_SESSION_ID => Self::read_draft(body),
            // The final TLS 1.3 never writes 0x0304 here. Early implementations of drafts did.
            0x0304 => Self::read_final(body).or_else(|_| Self::read_draft(body)),
            _ => Self::read_final(body),
        }
    }

    /// Reads what stands before the extensions, for a hello whose extension block contradicts itself: what the server
    /// selected is known all the same, unless an extension that cannot be read says otherwise. `extensions` is absent.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when not even this part holds.
    pub fn parse_fixed_part(body: &'a [u8]) -> Result<Self, ParseError> {
        let extensions = bounded(Self::extension_block(body))?;
        Self::parse_body(body.get(..body.len().saturating_sub(extensions)).unwrap_or(body))
    }

    /// How many bytes follow compression_method.
    fn extension_block(body: &'a [u8]) -> Result<usize, ParseError> {
        let mut cursor = Cursor::new(body);
        cursor.take(2 + 32, "ServerHello.random")?;
        cursor.vec8("ServerHello.legacy_session_id_echo")?;
        cursor.take(2 + 1, "ServerHello.legacy_compression_method")?;
        Ok(cursor.remaining())
    }

    fn read_final(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(body);
        let legacy_version = ProtocolVersion(cursor.u16("ServerHello.legacy_version")?);
        let random = cursor.array::<32>("ServerHello.random")?;
        let session_id = cursor.vec8("ServerHello.legacy_session_id_echo")?;
        let cipher_suite = CipherSuite(cursor.u16("ServerHello.cipher_suite")?);
        let compression_method = cursor.u8("ServerHello.legacy_compression_method")?;
        let extensions = Extensions::parse_rest(cursor)?;
        Ok(Self { legacy_version, random, session_id, cipher_suite, compression_method, extensions })
    }

    fn read_draft(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(body);
        let legacy_version = ProtocolVersion(cursor.u16("ServerHello.version")?);
        let random = cursor.array::<32>("ServerHello.random")?;
        let cipher_suite = CipherSuite(cursor.u16("ServerHello.cipher_suite")?);
        let extensions = Extensions::parse_rest(cursor)?;
        Ok(Self { legacy_version, random, session_id: &[], cipher_suite, compression_method: 0, extensions })
    }

    /// The version selected: supported_versions where it is there, else `legacy_version`.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when supported_versions is not two bytes.
    pub fn selected_version(&self) -> Result<ProtocolVersion, ParseError> {
        Ok(selected_version(&self.extensions)?.unwrap_or(self.legacy_version))
    }

    /// Whether this is a HelloRetryRequest, and so selects nothing for good.
    #[must_use]
    pub fn is_hello_retry_request(&self) -> bool {
        *self.random == HELLO_RETRY_REQUEST_RANDOM
    }

    /// The server's key share; of a HelloRetryRequest the group it asks for, with an empty key.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn key_share(&self) -> Result<Option<KeyShare<'a>>, ParseError> {
        match read_key_share(&self.extensions, extension_type::KEY_SHARE)? {
            None if self.selected_version().is_ok_and(is_early_draft)
                || self.legacy_version == ProtocolVersion::TLS13 =>
            {
                read_key_share(&self.extensions, extension_type::KEY_SHARE_DRAFT)
            }
            share => Ok(share),
        }
    }

    /// The index of the pre-shared key selected (RFC 8446 section 4.2.11): the session is resumed.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension is not two bytes.
    pub fn pre_shared_key(&self) -> Result<Option<u16>, ParseError> {
        self.extensions.read(extension_type::PRE_SHARED_KEY, "pre_shared_key", |cursor| cursor.u16("pre_shared_key"))
    }

    /// The protocol of ALPN, visible up to TLS 1.2 (RFC 7301).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn alpn(&self) -> Result<Option<&'a [u8]>, ParseError> {
        let names =
            self.extensions.read(extension_type::ALPN, ALPN, |cursor| ProtocolNames::new(cursor.vec16(ALPN)?, ALPN))?;
        Ok(names.and_then(|names| names.first()))
    }

    /// The protocols a server offers by NPN (draft-agl-tls-nextprotoneg), which the client then selects out of sight.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn next_protocols(&self) -> Result<Option<ProtocolNames<'a>>, ParseError> {
        const STRUCTURE: &str = "next_protocol_negotiation";
        self.extensions.read(extension_type::NEXT_PROTOCOL_NEGOTIATION, STRUCTURE, |cursor| {
            ProtocolNames::new(cursor.rest(), STRUCTURE)
        })
    }

    /// ec_point_formats (RFC 8422 section 5.2).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn ec_point_formats(&self) -> Result<Option<&'a [u8]>, ParseError> {
        const STRUCTURE: &str = "ec_point_formats";
        self.extensions.read(extension_type::EC_POINT_FORMATS, STRUCTURE, |cursor| cursor.vec8(STRUCTURE))
    }

    /// renegotiation_info (RFC 5746): empty in a first handshake.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn renegotiation_info(&self) -> Result<Option<&'a [u8]>, ParseError> {
        const STRUCTURE: &str = "renegotiation_info";
        self.extensions.read(extension_type::RENEGOTIATION_INFO, STRUCTURE, |cursor| cursor.vec8(STRUCTURE))
    }

    /// The heartbeat mode (RFC 6520): 1 the peer may send requests, 2 it may not.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn heartbeat_mode(&self) -> Result<Option<u8>, ParseError> {
        self.extensions.read(extension_type::HEARTBEAT, "heartbeat", |cursor| cursor.u8("heartbeat"))
    }

    /// max_fragment_length (RFC 6066 section 4): 1 to 4 for 2^9 to 2^12 bytes.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn max_fragment_length(&self) -> Result<Option<u8>, ParseError> {
        const STRUCTURE: &str = "max_fragment_length";
        self.extensions.read(extension_type::MAX_FRAGMENT_LENGTH, STRUCTURE, |cursor| cursor.u8(STRUCTURE))
    }

    /// The profile of use_srtp (RFC 5764 section 4.1.1), a list of one.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn srtp_profiles(&self) -> Result<Option<CodePoints<'a, u16>>, ParseError> {
        self.extensions.read(extension_type::USE_SRTP, "use_srtp", super::client_hello::read_use_srtp)
    }

    /// Whether the server will send a NewSessionTicket (RFC 5077).
    #[must_use]
    pub fn has_session_ticket(&self) -> bool {
        self.extensions.contains(extension_type::SESSION_TICKET)
    }

    /// Whether extended_master_secret was agreed (RFC 7627).
    #[must_use]
    pub fn has_extended_master_secret(&self) -> bool {
        self.extensions.contains(extension_type::EXTENDED_MASTER_SECRET)
    }

    /// Whether encrypt_then_mac was agreed (RFC 7366).
    #[must_use]
    pub fn has_encrypt_then_mac(&self) -> bool {
        self.extensions.contains(extension_type::ENCRYPT_THEN_MAC)
    }

    /// Whether the server will send its certificate's status (RFC 6066 section 8).
    #[must_use]
    pub fn has_status_request(&self) -> bool {
        self.extensions.contains(extension_type::STATUS_REQUEST)
            || self.extensions.contains(extension_type::STATUS_REQUEST_V2)
    }

    /// Whether signed certificate timestamps came in the hello (RFC 6962 section 3.3.1).
    #[must_use]
    pub fn has_certificate_timestamps(&self) -> bool {
        self.extensions.contains(extension_type::SIGNED_CERTIFICATE_TIMESTAMP)
    }

    /// What the random value says of a version above the one selected (RFC 8446 section 4.1.3).
    #[must_use]
    pub fn downgrade_sentinel(&self) -> Option<DowngradeSentinel> {
        match self.random.last_chunk::<8>() {
            Some(b"DOWNGRD\x01") => Some(DowngradeSentinel::Tls12),
            Some(b"DOWNGRD\x00") => Some(DowngradeSentinel::Tls11OrBelow),
            _ => None,
        }
    }
}

/// What a server capable of more writes at the end of its random value (RFC 8446 section 4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DowngradeSentinel {
    /// `DOWNGRD` 01: a server capable of TLS 1.3 selected TLS 1.2.
    Tls12,
    /// `DOWNGRD` 00: a server capable of TLS 1.2 or above selected TLS 1.1 or below.
    Tls11OrBelow,
}

/// The HelloRetryRequest that drafts of TLS 1.3 before 22 had as a message of its own (type 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DraftHelloRetryRequest<'a> {
    /// The version selected.
    pub server_version: ProtocolVersion,
    /// The suite selected; drafts before 19 did not say.
    pub cipher_suite: Option<CipherSuite>,
    /// The extension block.
    pub extensions: Extensions<'a>,
}

impl<'a> DraftHelloRetryRequest<'a> {
    /// Reads exactly one handshake message: header and body.
    ///
    /// # Errors
    /// As [`ServerHello::parse`].
    pub fn parse(message: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_body(Message::body_of(message, message_type::HELLO_RETRY_REQUEST, RETRY)?)
    }

    /// Reads the body of a whole message. Whether it names a suite is told by what makes its lengths agree.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the body contradicts itself.
    pub fn parse_body(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(body);
        let server_version = ProtocolVersion(bounded(cursor.u16(RETRY))?);
        if let (Ok(extensions), false) = (Extensions::parse_rest(cursor), cursor.is_empty()) {
            return Ok(Self { server_version, cipher_suite: None, extensions });
        }
        let cipher_suite = Some(CipherSuite(bounded(cursor.u16(RETRY))?));
        Ok(Self { server_version, cipher_suite, extensions: Extensions::parse_rest(cursor)? })
    }

    /// The group asked for.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn selected_group(&self) -> Result<Option<NamedGroup>, ParseError> {
        let share = match read_key_share(&self.extensions, extension_type::KEY_SHARE_DRAFT)? {
            None => read_key_share(&self.extensions, extension_type::KEY_SHARE)?,
            share => share,
        };
        Ok(share.map(|share| share.group))
    }
}

const STRUCTURE: &str = "ServerHello";
const RETRY: &str = "HelloRetryRequest";
const ALPN: &str = "application_layer_protocol_negotiation";

/// Draft 22 gave the ServerHello the form of TLS 1.2 back.
const LAST_DRAFT_WITHOUT_SESSION_ID: u16 = 0x7f15;

fn selected_version(extensions: &Extensions<'_>) -> Result<Option<ProtocolVersion>, ParseError> {
    const STRUCTURE: &str = "supported_versions";
    extensions.read(extension_type::SUPPORTED_VERSIONS, STRUCTURE, |cursor| Ok(ProtocolVersion(cursor.u16(STRUCTURE)?)))
}

/// A server's key share, or the bare group of a HelloRetryRequest.
fn read_key_share<'a>(
    extensions: &Extensions<'a>,
    extension_type: super::codepoints::ExtensionType,
) -> Result<Option<KeyShare<'a>>, ParseError> {
    extensions.read(extension_type, "key_share", |cursor| {
        if cursor.remaining() == 2 {
            return Ok(KeyShare { group: NamedGroup(cursor.u16("key_share")?), key_exchange: &[] });
        }
        KeyShare::read(cursor)
    })
}

#[cfg(test)]
#[expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn hello(version: u16, tail: &[u8]) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.extend(tail);
        body
    }

    #[test]
    fn reads_tls13_and_its_key_share() {
        let body = hello(0x0303, &[0, 0x13, 1, 0, 0, 16, 0, 43, 0, 2, 3, 4, 0, 51, 0, 6, 0, 29, 0, 2, 1, 2]);
        let hello = ServerHello::parse_body(&body).expect("sound");
        assert_eq!(hello.selected_version(), Ok(ProtocolVersion::TLS13));
        assert_eq!(hello.cipher_suite, CipherSuite(0x1301));
        let share = KeyShare { group: NamedGroup(29), key_exchange: &[1, 2] };
        assert_eq!(hello.key_share(), Ok(Some(share)));
        assert_eq!((hello.pre_shared_key(), hello.alpn()), (Ok(None), Ok(None)));
        assert!(!hello.is_hello_retry_request());
    }

    #[test]
    fn reads_a_hello_retry_request() {
        let mut body = hello(0x0303, &[0, 0x13, 1, 0, 0, 12, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 23]);
        body[2..34].copy_from_slice(&HELLO_RETRY_REQUEST_RANDOM);
        let hello = ServerHello::parse_body(&body).expect("sound");
        assert!(hello.is_hello_retry_request());
        assert_eq!(hello.key_share(), Ok(Some(KeyShare { group: NamedGroup(23), key_exchange: &[] })));
    }

    #[test]
    fn reads_tls12_with_alpn_and_sslv3_without_extensions() {
        let body = hello(0x0303, &[1, 9, 0xc0, 0x2f, 1, 0, 9, 0, 16, 0, 5, 0, 3, 2, b'h', b'2']);
        let tls12 = ServerHello::parse_body(&body).expect("sound");
        assert_eq!((tls12.session_id, tls12.compression_method), (&[9][..], 1));
        assert_eq!(tls12.alpn(), Ok(Some(&b"h2"[..])));
        let body = hello(0x0300, &[0, 0, 5, 0]);
        let ssl3 = ServerHello::parse_body(&body).expect("sound");
        assert!(!ssl3.extensions.is_present());
        assert_eq!(ssl3.selected_version(), Ok(ProtocolVersion::SSL3));
    }

    #[test]
    fn reads_drafts_without_session_id() {
        let body = hello(0x7f12, &[0x13, 1, 0, 10, 0, 40, 0, 6, 0, 29, 0, 2, 1, 2]);
        let draft = ServerHello::parse_body(&body).expect("sound");
        assert_eq!(draft.cipher_suite, CipherSuite(0x1301));
        assert_eq!(draft.key_share().expect("sound").expect("there").group, NamedGroup(29));
        let mut early = body.clone();
        early[..2].copy_from_slice(&[3, 4]);
        let early = ServerHello::parse_body(&early).expect("sound");
        assert_eq!(early.cipher_suite, CipherSuite(0x1301));
        assert_eq!(early.key_share().expect("sound").expect("there").group, NamedGroup(29));
    }

    #[test]
    fn reads_retry_requests_of_drafts_with_and_without_a_suite() {
        let group = [0, 6, 0, 40, 0, 2, 0, 23];
        let without = [&[0x7f, 0x12][..], &group].concat();
        let with = [&[0x7f, 0x13, 0x13, 0x01][..], &group].concat();
        let without = DraftHelloRetryRequest::parse_body(&without).expect("sound");
        let with = DraftHelloRetryRequest::parse_body(&with).expect("sound");
        assert_eq!((without.cipher_suite, with.cipher_suite), (None, Some(CipherSuite(0x1301))));
        assert_eq!(without.selected_group(), Ok(Some(NamedGroup(23))));
        assert_eq!(with.selected_group(), Ok(Some(NamedGroup(23))));
        assert!(DraftHelloRetryRequest::parse_body(&[0x7f]).is_err());
    }

    #[test]
    fn tells_the_sentinels() {
        let mut body = hello(0x0303, &[0, 0, 5, 0]);
        assert_eq!(ServerHello::parse_body(&body).expect("sound").downgrade_sentinel(), None);
        body[26..34].copy_from_slice(b"DOWNGRD\x01");
        assert_eq!(ServerHello::parse_body(&body).expect("sound").downgrade_sentinel(), Some(DowngradeSentinel::Tls12));
        body[33] = 0;
        let sentinel = ServerHello::parse_body(&body).expect("sound").downgrade_sentinel();
        assert_eq!(sentinel, Some(DowngradeSentinel::Tls11OrBelow));
    }

    #[test]
    fn rejects_every_prefix() {
        let body = hello(0x0303, &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
        let message = [&[2, 0, 0, 46][..], &body].concat();
        assert!(ServerHello::parse(&message).is_ok());
        for length in 0..message.len() {
            let result = ServerHello::parse(&message[..length]);
            assert!(matches!(result, Err(ParseError::Incomplete { .. })), "cut at {length}: {result:?}");
        }
        for length in (0..body.len()).filter(|length| *length != 38) {
            let result = ServerHello::parse_body(&body[..length]);
            assert!(matches!(result, Err(ParseError::Invalid { .. })), "cut at {length}: {result:?}");
        }
    }
}
