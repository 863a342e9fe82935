//! ClientHello (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2, RFC 6101 section 5.6.1.2).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::codepoints::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};
use super::extensions::{extension_type, read_body};
use super::handshake::{Message, message_type};
use super::lists::{CipherSuites, CodePoints, KeyShares, ProtocolNames};
use super::{Extensions, bounded, is_early_draft};
use crate::cursor::{Cursor, ParseError};

/// A ClientHello, borrowed from the bytes it was parsed from.
///
/// ```
/// use handprint::tls::ClientHello;
///
/// let mut message = vec![0x01, 0, 0, 43, 0x03, 0x01];
/// message.extend([0x5a; 32]); // random
/// message.extend([0, 0, 4, 0x00, 0x2f, 0x00, 0x35, 1, 0]);
/// let hello = ClientHello::parse(&message)?;
/// assert_eq!(hello.cipher_suites.len(), 2);
/// assert_eq!(hello.server_name()?, None);
/// # Ok::<(), handprint::cursor::ParseError>(())
/// ```
///
/// Parsing checks the framing of the message and of its extension block. The body of an extension is read by its
/// method, which tells "not there" (`Ok(None)`) from "there and broken" (`Err`). Of an extension that comes twice the
/// first is read. What a version forbids without making the message ambiguous passes: an empty suite list, a
/// session id over 32 bytes, an extension that comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientHello<'a> {
    /// The version field: the highest version offered up to TLS 1.2, fixed at `0x0303` from TLS 1.3.
    pub legacy_version: ProtocolVersion,
    /// The client's random value.
    pub random: &'a [u8; 32],
    /// The session to resume, or from TLS 1.3 any value; empty for none.
    pub session_id: &'a [u8],
    /// DTLS only: the cookie, empty in the first hello.
    pub cookie: Option<&'a [u8]>,
    /// The suites, most preferred first.
    pub cipher_suites: CipherSuites<'a>,
    /// Compression methods: 0 null, 1 DEFLATE.
    pub compression_methods: &'a [u8],
    /// The extension block.
    pub extensions: Extensions<'a>,
}

impl<'a> ClientHello<'a> {
    /// Reads exactly one handshake message: header and body.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the message goes on past `message`; [`ParseError::Invalid`] when it is of
    /// another type, is followed by more bytes, or contradicts itself.
    #[inline]
    pub fn parse(message: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_body(Message::body_of(message, message_type::CLIENT_HELLO, STRUCTURE)?)
    }

    /// Reads the body of a whole message.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the body contradicts itself. Never [`ParseError::Incomplete`]: the message's
    /// length bounds it.
    #[inline]
    pub fn parse_body(body: &'a [u8]) -> Result<Self, ParseError> {
        bounded(Self::read(body, false))
    }

    /// Reads the body of a whole, reassembled DTLS message, which has a cookie (RFC 6347 section 4.2.1).
    ///
    /// # Errors
    /// As [`ClientHello::parse_body`].
    pub fn parse_dtls_body(body: &'a [u8]) -> Result<Self, ParseError> {
        bounded(Self::read(body, true))
    }

    fn read(body: &'a [u8], has_cookie: bool) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(body);
        let legacy_version = ProtocolVersion(cursor.u16("ClientHello.legacy_version")?);
        let random = cursor.array::<32>("ClientHello.random")?;
        let session_id = cursor.vec8("ClientHello.legacy_session_id")?;
        let cookie = if has_cookie { Some(cursor.vec8("ClientHello.cookie")?) } else { None };
        let cipher_suites = CodePoints::new(cursor.vec16(CIPHER_SUITES)?, CIPHER_SUITES)?;
        let compression_methods = cursor.vec8("ClientHello.legacy_compression_methods")?;
        let extensions = Extensions::parse_rest(cursor)?;
        Ok(Self { legacy_version, random, session_id, cookie, cipher_suites, compression_methods, extensions })
    }

    /// The first host name of server_name (RFC 6066 section 3). `None` too where the extension has no host name.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn server_name(&self) -> Result<Option<ServerName<'a>>, ParseError> {
        match self.extensions.find(extension_type::SERVER_NAME) {
            None | Some([]) => Ok(None),
            Some(data) => read_server_name(data),
        }
    }

    /// The protocols of ALPN, most preferred first (RFC 7301).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn alpn(&self) -> Result<Option<ProtocolNames<'a>>, ParseError> {
        self.extensions.read(extension_type::ALPN, ALPN, |cursor| ProtocolNames::new(cursor.vec16(ALPN)?, ALPN))
    }

    /// supported_versions (RFC 8446 section 4.2.1).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn supported_versions(&self) -> Result<Option<CodePoints<'a, ProtocolVersion>>, ParseError> {
        const STRUCTURE: &str = "supported_versions";
        self.extensions.read(extension_type::SUPPORTED_VERSIONS, STRUCTURE, |cursor| {
            CodePoints::new(cursor.vec8(STRUCTURE)?, STRUCTURE)
        })
    }

    /// supported_groups (RFC 8446 section 4.2.7), before TLS 1.3 elliptic_curves.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn supported_groups(&self) -> Result<Option<CodePoints<'a, NamedGroup>>, ParseError> {
        const STRUCTURE: &str = "supported_groups";
        self.extensions.read(extension_type::SUPPORTED_GROUPS, STRUCTURE, |cursor| {
            CodePoints::new(cursor.vec16(STRUCTURE)?, STRUCTURE)
        })
    }

    /// The key shares (RFC 8446 section 4.2.8), those of drafts before 23 included.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn key_shares(&self) -> Result<Option<KeyShares<'a>>, ParseError> {
        const STRUCTURE: &str = "key_share";
        let read = |cursor: &mut Cursor<'a>| KeyShares::new(cursor.vec16(STRUCTURE)?);
        let shares = self.extensions.read(extension_type::KEY_SHARE, STRUCTURE, read)?;
        // Extension 40 was once another draft's extended_random: only a hello that offers a draft means key shares.
        let offers_draft = || {
            self.legacy_version == ProtocolVersion::TLS13
                || matches!(self.supported_versions(), Ok(Some(list)) if list.iter().any(is_early_draft))
        };
        if shares.is_none() && offers_draft() {
            return self.extensions.read(extension_type::KEY_SHARE_DRAFT, STRUCTURE, read);
        }
        Ok(shares)
    }

    /// signature_algorithms (RFC 8446 section 4.2.3).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn signature_algorithms(&self) -> Result<Option<CodePoints<'a, SignatureScheme>>, ParseError> {
        const STRUCTURE: &str = "signature_algorithms";
        self.extensions.read(extension_type::SIGNATURE_ALGORITHMS, STRUCTURE, |cursor| {
            CodePoints::new(cursor.vec16(STRUCTURE)?, STRUCTURE)
        })
    }

    /// signature_algorithms_cert (RFC 8446 section 4.2.3).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn signature_algorithms_cert(&self) -> Result<Option<CodePoints<'a, SignatureScheme>>, ParseError> {
        const STRUCTURE: &str = "signature_algorithms_cert";
        self.extensions.read(extension_type::SIGNATURE_ALGORITHMS_CERT, STRUCTURE, |cursor| {
            CodePoints::new(cursor.vec16(STRUCTURE)?, STRUCTURE)
        })
    }

    /// The schemes for delegated credentials (RFC 9345 section 4.1.1).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn delegated_credentials(&self) -> Result<Option<CodePoints<'a, SignatureScheme>>, ParseError> {
        const STRUCTURE: &str = "delegated_credential";
        self.extensions.read(extension_type::DELEGATED_CREDENTIAL, STRUCTURE, |cursor| {
            CodePoints::new(cursor.vec16(STRUCTURE)?, STRUCTURE)
        })
    }

    /// ec_point_formats (RFC 8422 section 5.1.2): 0 uncompressed, 1 and 2 compressed.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn ec_point_formats(&self) -> Result<Option<&'a [u8]>, ParseError> {
        self.bytes8(extension_type::EC_POINT_FORMATS, "ec_point_formats")
    }

    /// psk_key_exchange_modes (RFC 8446 section 4.2.9): 0 PSK alone, 1 PSK with (EC)DHE.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn psk_key_exchange_modes(&self) -> Result<Option<&'a [u8]>, ParseError> {
        self.bytes8(extension_type::PSK_KEY_EXCHANGE_MODES, "psk_key_exchange_modes")
    }

    /// Whether pre_shared_key is there, sound or not.
    #[must_use]
    pub fn has_pre_shared_key(&self) -> bool {
        self.extensions.contains(extension_type::PRE_SHARED_KEY)
    }

    /// What pre_shared_key offers (RFC 8446 section 4.2.11).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself, as those of drafts before 15 do.
    pub fn pre_shared_key(&self) -> Result<Option<OfferedPsks>, ParseError> {
        self.extensions.read(extension_type::PRE_SHARED_KEY, "pre_shared_key", OfferedPsks::read)
    }

    /// The cookie of a second hello (RFC 8446 section 4.2.2); not that of DTLS.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn retry_cookie(&self) -> Result<Option<&'a [u8]>, ParseError> {
        self.extensions.read(extension_type::COOKIE, "cookie", |cursor| cursor.vec16("cookie"))
    }

    /// Whether early data follows (RFC 8446 section 4.2.10).
    #[must_use]
    pub fn has_early_data(&self) -> bool {
        self.extensions.contains(extension_type::EARLY_DATA)
    }

    /// Encrypted ClientHello (RFC 9849): an outer hello's parameters; real and GREASE look the same by design.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn encrypted_client_hello(&self) -> Result<Option<EncryptedClientHello>, ParseError> {
        self.extensions.read(
            extension_type::ENCRYPTED_CLIENT_HELLO,
            "encrypted_client_hello",
            EncryptedClientHello::read,
        )
    }

    /// Whether ESNI, the draft before ECH, is there.
    #[must_use]
    pub fn has_encrypted_server_name(&self) -> bool {
        self.extensions.contains(extension_type::ENCRYPTED_SERVER_NAME)
    }

    /// Certificate compression algorithms (RFC 8879): 1 zlib, 2 brotli, 3 zstd.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn compress_certificate(&self) -> Result<Option<CodePoints<'a, u16>>, ParseError> {
        const STRUCTURE: &str = "compress_certificate";
        self.extensions.read(extension_type::COMPRESS_CERTIFICATE, STRUCTURE, |cursor| {
            CodePoints::new(cursor.vec8(STRUCTURE)?, STRUCTURE)
        })
    }

    /// record_size_limit in bytes (RFC 8449).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn record_size_limit(&self) -> Result<Option<u16>, ParseError> {
        self.extensions
            .read(extension_type::RECORD_SIZE_LIMIT, "record_size_limit", |cursor| cursor.u16("record_size_limit"))
    }

    /// max_fragment_length (RFC 6066 section 4): 1 to 4 for 2^9 to 2^12 bytes.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn max_fragment_length(&self) -> Result<Option<u8>, ParseError> {
        self.extensions
            .read(extension_type::MAX_FRAGMENT_LENGTH, "max_fragment_length", |cursor| cursor.u8("max_fragment_length"))
    }

    /// The heartbeat mode (RFC 6520): 1 the peer may send requests, 2 it may not.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn heartbeat_mode(&self) -> Result<Option<u8>, ParseError> {
        self.extensions.read(extension_type::HEARTBEAT, "heartbeat", |cursor| cursor.u8("heartbeat"))
    }

    /// status_request (RFC 6066 section 8).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn status_request(&self) -> Result<Option<StatusRequest>, ParseError> {
        self.extensions.read(extension_type::STATUS_REQUEST, "status_request", StatusRequest::read)
    }

    /// Whether certificate status is asked for in either way (RFC 6066, RFC 6961).
    #[must_use]
    pub fn requests_status(&self) -> bool {
        self.extensions.contains(extension_type::STATUS_REQUEST)
            || self.extensions.contains(extension_type::STATUS_REQUEST_V2)
    }

    /// Whether signed certificate timestamps are asked for (RFC 6962).
    #[must_use]
    pub fn requests_certificate_timestamps(&self) -> bool {
        self.extensions.contains(extension_type::SIGNED_CERTIFICATE_TIMESTAMP)
    }

    /// Whether extended_master_secret is offered (RFC 7627).
    #[must_use]
    pub fn has_extended_master_secret(&self) -> bool {
        self.extensions.contains(extension_type::EXTENDED_MASTER_SECRET)
    }

    /// Whether encrypt_then_mac is offered (RFC 7366).
    #[must_use]
    pub fn has_encrypt_then_mac(&self) -> bool {
        self.extensions.contains(extension_type::ENCRYPT_THEN_MAC)
    }

    /// renegotiation_info (RFC 5746): empty in a first handshake.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn renegotiation_info(&self) -> Result<Option<&'a [u8]>, ParseError> {
        self.bytes8(extension_type::RENEGOTIATION_INFO, "renegotiation_info")
    }

    /// Whether secure renegotiation is signalled, by extension or by `TLS_EMPTY_RENEGOTIATION_INFO_SCSV` (RFC 5746).
    #[must_use]
    pub fn signals_secure_renegotiation(&self) -> bool {
        self.extensions.contains(extension_type::RENEGOTIATION_INFO) || self.cipher_suites.contains(CipherSuite(0x00ff))
    }

    /// Whether `TLS_FALLBACK_SCSV` is there (RFC 7507).
    #[must_use]
    pub fn signals_fallback(&self) -> bool {
        self.cipher_suites.contains(CipherSuite(0x5600))
    }

    /// The length in bytes of the session ticket (RFC 5077): 0 asks for one.
    #[must_use]
    pub fn session_ticket_length(&self) -> Option<usize> {
        self.extensions.find(extension_type::SESSION_TICKET).map(<[u8]>::len)
    }

    /// The length in bytes of the padding extension's body (RFC 7685).
    #[must_use]
    pub fn padding_length(&self) -> Option<usize> {
        self.extensions.find(extension_type::PADDING).map(<[u8]>::len)
    }

    /// Whether NPN is offered (draft-agl-tls-nextprotoneg).
    #[must_use]
    pub fn has_next_protocol_negotiation(&self) -> bool {
        self.extensions.contains(extension_type::NEXT_PROTOCOL_NEGOTIATION)
    }

    /// Whether Channel ID is offered (draft-balfanz-tls-channelid).
    #[must_use]
    pub fn has_channel_id(&self) -> bool {
        self.extensions.contains(extension_type::CHANNEL_ID) || self.extensions.contains(extension_type::CHANNEL_ID_OLD)
    }

    /// The protocols of application_settings (draft-vvv-tls-alps), under either code point.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn application_settings(&self) -> Result<Option<ProtocolNames<'a>>, ParseError> {
        const STRUCTURE: &str = "application_settings";
        let read = |cursor: &mut Cursor<'a>| ProtocolNames::new(cursor.vec16(STRUCTURE)?, STRUCTURE);
        match self.extensions.read(extension_type::APPLICATION_SETTINGS, STRUCTURE, read)? {
            None => self.extensions.read(extension_type::APPLICATION_SETTINGS_OLD, STRUCTURE, read),
            some => Ok(some),
        }
    }

    /// token_binding (RFC 8472).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn token_binding(&self) -> Result<Option<TokenBinding<'a>>, ParseError> {
        self.extensions.read(extension_type::TOKEN_BINDING, "token_binding", |cursor| {
            let major = cursor.u8("token_binding")?;
            let minor = cursor.u8("token_binding")?;
            Ok(TokenBinding { major, minor, key_parameters: cursor.vec8("token_binding")? })
        })
    }

    /// The QUIC transport parameters, unread (RFC 9001 section 8.2), under the final or the drafts' code point.
    #[must_use]
    pub fn quic_transport_parameters(&self) -> Option<&'a [u8]> {
        self.extensions
            .find(extension_type::QUIC_TRANSPORT_PARAMETERS)
            .or_else(|| self.extensions.find(extension_type::QUIC_TRANSPORT_PARAMETERS_DRAFT))
    }

    /// The profiles of use_srtp (RFC 5764 section 4.1.1).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn srtp_profiles(&self) -> Result<Option<CodePoints<'a, u16>>, ParseError> {
        self.extensions.read(extension_type::USE_SRTP, "use_srtp", read_use_srtp)
    }

    /// Whether post_handshake_auth is offered (RFC 8446 section 4.2.6).
    #[must_use]
    pub fn has_post_handshake_auth(&self) -> bool {
        self.extensions.contains(extension_type::POST_HANDSHAKE_AUTH)
    }

    /// connection_id (RFC 9146): the id the peer shall send, empty for none.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when the extension contradicts itself.
    pub fn connection_id(&self) -> Result<Option<&'a [u8]>, ParseError> {
        self.bytes8(extension_type::CONNECTION_ID, "connection_id")
    }

    /// Reads every extension this crate knows the inside of, and yields the first that contradicts ithello. The cost
    /// grows with the length of the block and no faster, whatever it holds.
    ///
    /// # Errors
    /// [`ParseError::Invalid`], naming the extension.
    pub fn check_extensions(&self) -> Result<(), ParseError> {
        let mut read = 0_u64;
        for (extension_type, from_here) in self.extensions.tails() {
            // Of an extension that comes twice the first is read.
            let bit = 1_u64 << read_number(extension_type);
            if read & bit != 0 {
                continue;
            }
            read |= bit & !1;
            let hello = Self { extensions: from_here, ..*self };
            match extension_type {
                extension_type::SERVER_NAME => hello.server_name().map(drop),
                extension_type::MAX_FRAGMENT_LENGTH => hello.max_fragment_length().map(drop),
                extension_type::STATUS_REQUEST => hello.status_request().map(drop),
                extension_type::SUPPORTED_GROUPS => hello.supported_groups().map(drop),
                extension_type::EC_POINT_FORMATS => hello.ec_point_formats().map(drop),
                extension_type::SIGNATURE_ALGORITHMS => hello.signature_algorithms().map(drop),
                extension_type::USE_SRTP => hello.srtp_profiles().map(drop),
                extension_type::HEARTBEAT => hello.heartbeat_mode().map(drop),
                extension_type::ALPN => hello.alpn().map(drop),
                extension_type::TOKEN_BINDING => hello.token_binding().map(drop),
                extension_type::COMPRESS_CERTIFICATE => hello.compress_certificate().map(drop),
                extension_type::RECORD_SIZE_LIMIT => hello.record_size_limit().map(drop),
                extension_type::DELEGATED_CREDENTIAL => hello.delegated_credentials().map(drop),
                extension_type::PRE_SHARED_KEY => hello.pre_shared_key().map(drop),
                extension_type::SUPPORTED_VERSIONS => hello.supported_versions().map(drop),
                extension_type::COOKIE => hello.retry_cookie().map(drop),
                extension_type::PSK_KEY_EXCHANGE_MODES => hello.psk_key_exchange_modes().map(drop),
                extension_type::SIGNATURE_ALGORITHMS_CERT => hello.signature_algorithms_cert().map(drop),
                extension_type::KEY_SHARE => hello.key_shares().map(drop),
                extension_type::CONNECTION_ID => hello.connection_id().map(drop),
                extension_type::APPLICATION_SETTINGS | extension_type::APPLICATION_SETTINGS_OLD => {
                    hello.application_settings().map(drop)
                }
                extension_type::ENCRYPTED_CLIENT_HELLO => hello.encrypted_client_hello().map(drop),
                extension_type::RENEGOTIATION_INFO => hello.renegotiation_info().map(drop),
                _ => Ok(()),
            }?;
        }
        Ok(())
    }

    /// An extension that is one vector of bytes behind an 8-bit length.
    fn bytes8(&self, extension_type: ExtensionType, structure: &'static str) -> Result<Option<&'a [u8]>, ParseError> {
        self.extensions.read(extension_type, structure, |cursor| cursor.vec8(structure))
    }
}

/// A number below 64 for the extensions that [`ClientHello::check_extensions`] reads, one for both code points of one
/// extension; 0 for all others.
const fn read_number(extension_type: ExtensionType) -> u32 {
    match extension_type {
        extension_type::SERVER_NAME => 63,
        extension_type::APPLICATION_SETTINGS | extension_type::APPLICATION_SETTINGS_OLD => 62,
        extension_type::ENCRYPTED_CLIENT_HELLO => 61,
        extension_type::RENEGOTIATION_INFO => 60,
        ExtensionType(number @ 1..60) => number as u32,
        _ => 0,
    }
}

/// A host name as server_name carries it: bytes that should be an ASCII DNS name and may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerName<'a>(pub &'a [u8]);

impl<'a> ServerName<'a> {
    /// The bytes on the wire.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The name, when it is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        std::str::from_utf8(self.0).ok()
    }

    /// The address, when the name is an IP literal, which RFC 6066 forbids; brackets round an IPv6 literal pass.
    #[must_use]
    pub fn ip_literal(&self) -> Option<IpAddr> {
        let name = self.as_str()?;
        let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
        let v4 = Ipv4Addr::from_str(bare).map(IpAddr::V4);
        v4.or_else(|_| Ipv6Addr::from_str(bare).map(IpAddr::V6)).ok()
    }

    /// Whether the name is a DNS host name in ASCII: labels of 1 to 63 letters, digits, hyphens and underscores,
    /// 253 bytes at most, a final dot allowed; and no IP literal.
    #[must_use]
    pub fn is_host_name(&self) -> bool {
        let name = self.0.strip_suffix(b".").unwrap_or(self.0);
        (1..=253).contains(&name.len())
            && name.split(|byte| *byte == b'.').all(|label| {
                (1..=63).contains(&label.len())
                    && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            })
            && self.ip_literal().is_none()
    }
}

/// Prints the name, with what is not printable ASCII escaped.
impl fmt::Display for ServerName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.escape_ascii(), f)
    }
}

/// What a pre_shared_key extension offers (RFC 8446 section 4.2.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferedPsks {
    /// How many identities.
    pub identities: u16,
    /// How many binders; a sound hello has one an identity.
    pub binders: u16,
    /// Bytes of the first identity: long for a ticket, short for a key provisioned by hand.
    pub first_identity_length: u16,
}

impl OfferedPsks {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, ParseError> {
        let mut psks = Self { identities: 0, binders: 0, first_identity_length: 0 };
        let mut identities = Cursor::new(cursor.vec16("pre_shared_key identities")?);
        while !identities.is_empty() {
            let identity = identities.vec16("pre_shared_key identity")?;
            identities.u32("pre_shared_key obfuscated_ticket_age")?;
            if psks.identities == 0 {
                psks.first_identity_length = u16::try_from(identity.len()).unwrap_or(u16::MAX);
            }
            psks.identities = psks.identities.saturating_add(1);
        }
        let mut binders = Cursor::new(cursor.vec16("pre_shared_key binders")?);
        while !binders.is_empty() {
            binders.vec8("pre_shared_key binder")?;
            psks.binders = psks.binders.saturating_add(1);
        }
        Ok(psks)
    }
}

/// The parameters of encrypted_client_hello (RFC 9849 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptedClientHello {
    /// An outer hello: the real one is inside, or there is none and this is GREASE.
    Outer {
        /// The HPKE key derivation function (IANA "HPKE KDF Identifiers").
        kdf: u16,
        /// The HPKE cipher (IANA "HPKE AEAD Identifiers").
        aead: u16,
        /// The configuration the client took, one byte chosen by the server.
        config_id: u8,
        /// Bytes of the encapsulated key; 0 after a HelloRetryRequest.
        encapsulated_key_length: u16,
        /// Bytes of the encrypted hello.
        payload_length: u16,
    },
    /// An inner hello, which no outside observer should meet.
    Inner,
}

impl EncryptedClientHello {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, ParseError> {
        const STRUCTURE: &str = "encrypted_client_hello";
        match cursor.u8(STRUCTURE)? {
            0 => {
                let kdf = cursor.u16(STRUCTURE)?;
                let aead = cursor.u16(STRUCTURE)?;
                let config_id = cursor.u8(STRUCTURE)?;
                let encapsulated_key_length = vector_length(cursor.vec16(STRUCTURE)?);
                let payload_length = vector_length(cursor.vec16(STRUCTURE)?);
                Ok(Self::Outer { kdf, aead, config_id, encapsulated_key_length, payload_length })
            }
            1 => Ok(Self::Inner),
            _ => Err(ParseError::Invalid { structure: STRUCTURE, reason: "neither outer nor inner" }),
        }
    }
}

/// What status_request asks (RFC 6066 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRequest {
    /// 1 for OCSP.
    pub status_type: u8,
    /// Bytes of the list of trusted responders.
    pub responder_ids_length: u16,
    /// Bytes of the request's own extensions.
    pub request_extensions_length: u16,
}

impl StatusRequest {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, ParseError> {
        const STRUCTURE: &str = "status_request";
        let status_type = cursor.u8(STRUCTURE)?;
        if status_type != 1 {
            cursor.rest();
            return Ok(Self { status_type, responder_ids_length: 0, request_extensions_length: 0 });
        }
        let responder_ids_length = vector_length(cursor.vec16(STRUCTURE)?);
        Ok(Self {
            status_type,
            responder_ids_length,
            request_extensions_length: vector_length(cursor.vec16(STRUCTURE)?),
        })
    }
}

/// What token_binding offers (RFC 8472 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBinding<'a> {
    /// Protocol version, major part.
    pub major: u8,
    /// Protocol version, minor part.
    pub minor: u8,
    /// Key parameters: 0 and 1 RSA-2048, 2 ECDSA P-256.
    pub key_parameters: &'a [u8],
}

const STRUCTURE: &str = "ClientHello";
const CIPHER_SUITES: &str = "ClientHello.cipher_suites";
const ALPN: &str = "application_layer_protocol_negotiation";

fn read_server_name(data: &[u8]) -> Result<Option<ServerName<'_>>, ParseError> {
    const STRUCTURE: &str = "server_name";
    const HOST_NAME: u8 = 0;
    read_body(data, STRUCTURE, |cursor| {
        let mut names = Cursor::new(cursor.vec16(STRUCTURE)?);
        let mut found = None;
        while !names.is_empty() {
            let name_type = names.u8(STRUCTURE)?;
            let name = names.vec16(STRUCTURE)?;
            if name_type == HOST_NAME && found.is_none() {
                found = Some(ServerName(name));
            }
        }
        Ok(found)
    })
}

pub(super) fn read_use_srtp<'a>(cursor: &mut Cursor<'a>) -> Result<CodePoints<'a, u16>, ParseError> {
    let profiles = CodePoints::new(cursor.vec16("use_srtp")?, "use_srtp")?;
    cursor.vec8("use_srtp")?;
    Ok(profiles)
}

/// The length of a vector that a 16-bit length stood before.
fn vector_length(vector: &[u8]) -> u16 {
    u16::try_from(vector.len()).unwrap_or(u16::MAX)
}

#[cfg(test)]
#[expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::tls::codepoints::ExtensionType;
    use crate::tls::test_data::{CLIENT_HELLOS, client_hello, hex};

    #[test]
    fn reads_a_real_hello() {
        let message = client_hello("openssl_tls13");
        let hello = ClientHello::parse(&message).expect("a real hello");
        assert_eq!(hello.legacy_version, ProtocolVersion::TLS12);
        assert_eq!(hello.session_id.len(), 32);
        assert_eq!((hello.cipher_suites.len(), hello.cipher_suites.first()), (31, Some(CipherSuite(0x1302))));
        assert_eq!(hello.compression_methods, [0]);
        assert_eq!(hello.server_name(), Ok(Some(ServerName(b"example.org"))));
        let alpn = hello.alpn().expect("sound").expect("offered");
        assert_eq!(alpn.iter().collect::<Vec<_>>(), [&b"h2"[..], b"http/1.1"]);
        let versions = hello.supported_versions().expect("sound").expect("offered");
        assert_eq!(versions.first(), Some(ProtocolVersion::TLS13));
        let groups = hello.supported_groups().expect("sound").expect("offered");
        assert_eq!((groups.len(), groups.first()), (10, Some(NamedGroup(29))));
        let shares: Vec<_> = hello.key_shares().expect("sound").expect("offered").iter().collect();
        assert_eq!(
            shares.iter().map(|share| (share.group.0, share.key_exchange.len())).collect::<Vec<_>>(),
            [(29, 32)]
        );
        assert_eq!(
            hello.signature_algorithms().expect("sound").expect("offered").first(),
            Some(SignatureScheme(0x0403))
        );
        assert_eq!(hello.ec_point_formats(), Ok(Some(&[0, 1, 2][..])));
        assert_eq!(hello.psk_key_exchange_modes(), Ok(Some(&[1][..])));
        assert_eq!(hello.session_ticket_length(), Some(0));
        assert!(hello.has_encrypt_then_mac() && hello.has_extended_master_secret());
        assert!(hello.signals_secure_renegotiation() && !hello.signals_fallback());
        assert!(!hello.has_pre_shared_key() && !hello.has_early_data());
        assert_eq!(hello.check_extensions(), Ok(()));
    }

    #[test]
    fn reads_every_real_hello() {
        for (name, digits) in CLIENT_HELLOS {
            let message = hex(digits);
            let hello = ClientHello::parse(&message).expect(name);
            assert_eq!(hello.check_extensions(), Ok(()), "{name}");
            assert_eq!(hello.extensions.is_present(), *name != "gnutls_no_extensions");
        }
    }

    #[test]
    fn rejects_every_prefix_of_a_message_as_incomplete_and_of_a_body_as_invalid() {
        for (name, digits) in CLIENT_HELLOS {
            let message = hex(digits);
            for length in 0..message.len() {
                let error = ClientHello::parse(&message[..length]).expect_err(name);
                assert!(matches!(error, ParseError::Incomplete { .. }), "{name} cut at {length}: {error}");
            }
            let body = &message[4..];
            let whole = ClientHello::parse_body(body).expect(name);
            for length in 0..body.len() {
                match ClientHello::parse_body(&body[..length]) {
                    Err(ParseError::Invalid { .. }) => {}
                    // Cut before the extension block, what is left is a hello without one: only its length tells.
                    Ok(cut) => assert!(!cut.extensions.is_present() && whole.extensions.is_present(), "{name}"),
                    Err(error) => panic!("{name} cut at {length}: {error}"),
                }
            }
        }
    }

    #[test]
    fn survives_any_changed_byte() {
        for (name, digits) in CLIENT_HELLOS {
            let message = hex(digits);
            for position in 0..message.len() {
                for change in [0x01, 0x80, 0xff] {
                    let mut changed = message.clone();
                    changed[position] ^= change;
                    let Ok(hello) = ClientHello::parse(&changed) else { continue };
                    if let Err(error) = hello.check_extensions() {
                        assert!(matches!(error, ParseError::Invalid { .. }), "{name}, byte {position}: {error}");
                    }
                }
            }
        }
    }

    #[test]
    fn rejects_other_messages_and_what_follows_the_hello() {
        let mut message = client_hello("go");
        message.push(0);
        assert!(matches!(ClientHello::parse(&message), Err(ParseError::Invalid { .. })));
        message.pop();
        message[0] = 2;
        assert!(matches!(ClientHello::parse(&message), Err(ParseError::Invalid { structure: "ClientHello", .. })));
    }

    #[test]
    fn rejects_an_odd_suite_list() {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 3, 0, 0x2f, 0, 1, 0]);
        let error = ClientHello::parse_body(&body).expect_err("odd");
        assert_eq!(error.structure(), "ClientHello.cipher_suites");
    }

    #[test]
    fn reads_the_cookie_of_dtls() {
        let mut body = vec![0xfe, 0xfd];
        body.extend([7; 32]);
        body.extend([0, 2, 0xaa, 0xbb, 0, 2, 0xc0, 0x2b, 1, 0]);
        let hello = ClientHello::parse_dtls_body(&body).expect("sound");
        assert_eq!(hello.cookie, Some(&[0xaa, 0xbb][..]));
        assert!(ClientHello::parse_body(&body).is_err());
    }

    /// A hello whose extension block holds one extension.
    fn with_extension(extension_type: ExtensionType, data: &[u8]) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
        body.extend(u16::try_from(data.len() + 4).expect("short").to_be_bytes());
        body.extend(extension_type.0.to_be_bytes());
        body.extend(u16::try_from(data.len()).expect("short").to_be_bytes());
        body.extend(data);
        body
    }

    #[test]
    fn reads_each_extension() {
        macro_rules! reads {
            ($extension_type:ident, $data:expr, $hello:ident => $value:expr) => {
                let body = with_extension(extension_type::$extension_type, &$data);
                let $hello = ClientHello::parse_body(&body).expect("framing holds");
                assert_eq!($hello.check_extensions(), Ok(()), stringify!($extension_type));
                assert!($value, stringify!($extension_type));
            };
        }
        reads!(MAX_FRAGMENT_LENGTH, [2], hello => hello.max_fragment_length() == Ok(Some(2)));
        reads!(STATUS_REQUEST, [1, 0, 0, 0, 0], hello => hello.status_request()
            == Ok(Some(StatusRequest { status_type: 1, responder_ids_length: 0, request_extensions_length: 0 })));
        reads!(STATUS_REQUEST_V2, [0, 0], hello => hello.requests_status());
        reads!(USE_SRTP, [0, 4, 0, 7, 0, 1, 0], hello => hello.srtp_profiles().is_ok_and(|list|
            list.is_some_and(|list| list.iter().eq([7, 1]))));
        reads!(HEARTBEAT, [1], hello => hello.heartbeat_mode() == Ok(Some(1)));
        reads!(SIGNED_CERTIFICATE_TIMESTAMP, [], hello => hello.requests_certificate_timestamps());
        reads!(PADDING, [0; 9], hello => hello.padding_length() == Some(9));
        reads!(TOKEN_BINDING, [1, 0, 1, 2], hello => hello.token_binding()
            == Ok(Some(TokenBinding { major: 1, minor: 0, key_parameters: &[2] })));
        reads!(COMPRESS_CERTIFICATE, [2, 0, 2], hello => hello.compress_certificate().is_ok_and(|list|
            list.is_some_and(|list| list.iter().eq([2]))));
        reads!(RECORD_SIZE_LIMIT, [0x40, 1], hello => hello.record_size_limit() == Ok(Some(0x4001)));
        reads!(DELEGATED_CREDENTIAL, [0, 2, 4, 3], hello => hello.delegated_credentials().is_ok_and(|list|
            list.is_some_and(|list| list.first() == Some(SignatureScheme(0x0403)))));
        reads!(PRE_SHARED_KEY, [0, 8, 0, 2, 1, 2, 0, 0, 0, 0, 0, 3, 2, 9, 9], hello => hello.pre_shared_key()
            == Ok(Some(OfferedPsks { identities: 1, binders: 1, first_identity_length: 2 })));
        reads!(EARLY_DATA, [], hello => hello.has_early_data());
        reads!(COOKIE, [0, 2, 5, 6], hello => hello.retry_cookie() == Ok(Some(&[5, 6][..])));
        reads!(POST_HANDSHAKE_AUTH, [], hello => hello.has_post_handshake_auth());
        reads!(SIGNATURE_ALGORITHMS_CERT, [0, 2, 8, 4], hello => hello.signature_algorithms_cert().is_ok_and(|list|
            list.is_some_and(|list| list.first() == Some(SignatureScheme(0x0804)))));
        reads!(CONNECTION_ID, [1, 7], hello => hello.connection_id() == Ok(Some(&[7][..])));
        reads!(QUIC_TRANSPORT_PARAMETERS, [1, 2], hello => hello.quic_transport_parameters() == Some(&[1, 2][..]));
        reads!(QUIC_TRANSPORT_PARAMETERS_DRAFT, [3], hello => hello.quic_transport_parameters() == Some(&[3][..]));
        reads!(NEXT_PROTOCOL_NEGOTIATION, [], hello => hello.has_next_protocol_negotiation());
        reads!(APPLICATION_SETTINGS, [0, 3, 2, b'h', b'2'], hello => hello.application_settings().is_ok_and(|list|
            list.is_some_and(|list| list.first() == Some(b"h2"))));
        reads!(APPLICATION_SETTINGS_OLD, [0, 3, 2, b'h', b'2'], hello => hello.application_settings().is_ok_and(|list|
            list.is_some_and(|list| list.first() == Some(b"h2"))));
        reads!(CHANNEL_ID, [], hello => hello.has_channel_id());
        reads!(RENEGOTIATION_INFO, [0], hello => hello.renegotiation_info() == Ok(Some(&[][..]))
            && hello.signals_secure_renegotiation());
        reads!(ENCRYPTED_SERVER_NAME, [], hello => hello.has_encrypted_server_name());
        reads!(ENCRYPTED_CLIENT_HELLO, [0, 0, 1, 0, 3, 77, 0, 1, 9, 0, 2, 8, 8], hello => hello.encrypted_client_hello()
            == Ok(Some(EncryptedClientHello::Outer {
                kdf: 1, aead: 3, config_id: 77, encapsulated_key_length: 1, payload_length: 2 })));
        reads!(ENCRYPTED_CLIENT_HELLO, [1], hello => hello.encrypted_client_hello() == Ok(Some(EncryptedClientHello::Inner)));
        reads!(SERVER_NAME, [], hello => hello.server_name() == Ok(None));
    }

    #[test]
    fn rejects_bodies_that_contradict_themselves() {
        use extension_type as t;
        let broken: &[(ExtensionType, &[u8])] = &[
            (t::SERVER_NAME, &[0, 5, 0, 0, 3, b'a', b'b']),
            (t::SERVER_NAME, &[0]),
            (t::ALPN, &[0, 3, 3, b'h', b'2']),
            (t::SUPPORTED_GROUPS, &[0, 3, 0, 29, 0]),
            (t::SUPPORTED_GROUPS, &[0, 2, 0, 29, 0]),
            (t::SUPPORTED_GROUPS, &[0, 4, 0, 29]),
            (t::SIGNATURE_ALGORITHMS, &[0, 1, 4]),
            (t::SUPPORTED_VERSIONS, &[3, 3, 4, 3]),
            (t::EC_POINT_FORMATS, &[2, 0]),
            (t::KEY_SHARE, &[0, 5, 0, 29, 0, 2, 1]),
            (t::PRE_SHARED_KEY, &[0, 0]),
            (t::ENCRYPTED_CLIENT_HELLO, &[2]),
            (t::HEARTBEAT, &[]),
            (t::RECORD_SIZE_LIMIT, &[1, 2, 3]),
        ];
        for (extension_type, data) in broken {
            let body = with_extension(*extension_type, data);
            let hello = ClientHello::parse_body(&body).expect("framing holds");
            let result = hello.check_extensions();
            assert!(matches!(result, Err(ParseError::Invalid { .. })), "{extension_type:?} {data:?}: {result:?}");
        }
    }

    #[test]
    fn reads_key_shares_of_drafts_only_where_a_draft_is_offered() {
        let shares = [0, 6, 0, 29, 0, 2, 1, 2];
        let body = with_extension(extension_type::KEY_SHARE_DRAFT, &shares);
        assert_eq!(ClientHello::parse_body(&body).expect("framing holds").key_shares(), Ok(None));

        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0x13, 0x01, 1, 0, 0, 19, 0, 43, 0, 3, 2, 0x7f, 0x12, 0, 40, 0, 8]);
        body.extend(shares);
        let hello = ClientHello::parse_body(&body).expect("framing holds");
        let first = hello.key_shares().expect("sound").and_then(|shares| shares.iter().next()).expect("one share");
        assert_eq!(first.group, NamedGroup(29));
    }

    #[test]
    fn tells_host_names_from_addresses_and_rubbish() {
        for name in ["example.org", "a_b.example.org.", "xn--bcher-kva.example", "localhost"] {
            assert!(ServerName(name.as_bytes()).is_host_name(), "{name}");
        }
        for name in ["", ".", "a..b", "192.0.2.1", "2001:db8::1", "ex ample", "bücher.example", "a/b"] {
            assert!(!ServerName(name.as_bytes()).is_host_name(), "{name}");
        }
        assert_eq!(ServerName(b"[2001:db8::1]").ip_literal(), "2001:db8::1".parse().ok());
        assert_eq!(ServerName(b"a\x00\xff").to_string(), "a\\x00\\xff");
    }
}
