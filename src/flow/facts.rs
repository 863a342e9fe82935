//! What is kept of a handshake once its packets are gone.
//!
//! Three things are kept apart, because they are different facts: what the client [`Offer`]s, what the server's
//! [`Selection`] was, and the [`Outcome`]. What the wire did not show is `None`, never a default that looks like an
//! answer.

use std::net::SocketAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::packet::Encapsulations;
use crate::quic::Version;
use crate::starttls::{CleartextReason, StarttlsFacts};
use crate::time::Timestamp;
use crate::tls::certificate::Certificate;
use crate::tls::codepoints::{
    AlertDescription, CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme, SuiteClasses,
};
pub use crate::tls::server_hello::DowngradeSentinel;

/// What carried the handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// TLS records on a TCP stream.
    #[default]
    Tcp,
    /// QUIC CRYPTO frames (RFC 9001).
    Quic,
    /// DTLS records in datagrams.
    Dtls,
}

/// Who sent something. The client is whoever sent the ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The sender of the ClientHello.
    Client,
    /// Its peer.
    Server,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// An extension as it stood in a hello: its type and the length of its body in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeenExtension {
    /// The extension's type.
    pub extension_type: ExtensionType,
    /// Length of its body in bytes.
    pub length: u16,
}

/// A key share the client sent (RFC 9846 section 4.3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeenKeyShare {
    /// The group.
    pub group: NamedGroup,
    /// Length of the public value in bytes.
    pub length: u16,
}

/// Everything in a ClientHello that depends on its shape alone: two hellos of one client differ in random, session
/// id, server name, key shares and tickets, and share one `Offer`.
///
/// Lists are in wire order, with GREASE values and duplicates, exactly as sent. A list is `None` where its extension
/// is absent, and empty where it was sent empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The carrier the hello came on.
    pub carrier: Carrier,
    /// Set when the hello came as an SSLv2 CLIENT-HELLO: its cipher specs (24-bit kinds), SSLv2-only ones included.
    pub sslv2_cipher_specs: Option<Vec<u32>>,
    /// `legacy_version`: the highest version where extension 43 is absent.
    pub legacy_version: ProtocolVersion,
    /// supported_versions (43).
    pub versions: Option<Vec<ProtocolVersion>>,
    /// Cipher suites. For an SSLv2-format hello, the kinds whose first byte is zero.
    pub cipher_suites: Vec<CipherSuite>,
    /// Union of the classes of all suites that are neither GREASE nor a signalling value.
    pub suite_classes: SuiteClasses,
    /// Compression methods; 0 is none, 1 DEFLATE.
    pub compression_methods: Vec<u8>,
    /// All extensions; `None` where the hello has no extension block at all.
    pub extensions: Option<Vec<SeenExtension>>,
    /// supported_groups (10).
    pub groups: Option<Vec<NamedGroup>>,
    /// key_share (51).
    pub key_shares: Option<Vec<SeenKeyShare>>,
    /// ec_point_formats (11).
    pub point_formats: Option<Vec<u8>>,
    /// signature_algorithms (13).
    pub signature_schemes: Option<Vec<SignatureScheme>>,
    /// signature_algorithms_cert (50).
    pub signature_schemes_cert: Option<Vec<SignatureScheme>>,
    /// application_layer_protocol_negotiation (16): the protocol names as sent.
    pub alpn: Option<Vec<Box<[u8]>>>,
    /// psk_key_exchange_modes (45): 0 is psk_ke, 1 psk_dhe_ke.
    pub psk_modes: Option<Vec<u8>>,
    /// pre_shared_key (41): number of identities.
    pub psk_identities: Option<u16>,
    /// compress_certificate (27): algorithm numbers.
    pub certificate_compression: Option<Vec<u16>>,
    /// record_size_limit (28), in bytes.
    pub record_size_limit: Option<u16>,
    /// delegated_credential (34).
    pub delegated_credentials: Option<Vec<SignatureScheme>>,
    /// use_srtp (14): profile numbers.
    pub srtp_profiles: Option<Vec<u16>>,
    /// max_fragment_length (1): the code, 1 is 512 bytes … 4 is 4096.
    pub max_fragment_length: Option<u8>,
    /// heartbeat (15): 1 the peer may send requests, 2 it may not.
    pub heartbeat_mode: Option<u8>,
    /// application_settings (17513 and 17613): protocol names.
    pub application_settings: Option<Vec<Box<[u8]>>>,
    /// token_binding (24): key parameter numbers.
    pub token_binding: Option<Vec<u8>>,
    /// encrypted_client_hello (0xfe0d), the outer form.
    pub encrypted_client_hello: Option<SeenEch>,
    /// Whether session_ticket (35) is present, and then whether it holds a ticket.
    pub session_ticket: Option<bool>,
}

/// The outer form of encrypted_client_hello (RFC 9849 section 5). A GREASE one looks exactly the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenEch {
    /// HPKE key derivation function.
    pub kdf: u16,
    /// HPKE authenticated encryption.
    pub aead: u16,
}

impl Offer {
    /// Whether extension `extension_type` is present.
    #[must_use]
    pub fn has(&self, extension_type: ExtensionType) -> bool {
        self.extensions
            .as_deref()
            .is_some_and(|extensions| extensions.iter().any(|seen| seen.extension_type == extension_type))
    }

    /// Whether the hello came in SSLv2 format.
    #[must_use]
    pub const fn is_sslv2_format(&self) -> bool {
        self.sslv2_cipher_specs.is_some()
    }

    /// The highest version offered: from supported_versions where present (without GREASE), else `legacy_version`.
    #[must_use]
    pub fn maximum_version(&self) -> ProtocolVersion {
        self.versions
            .as_deref()
            .and_then(|versions| {
                versions.iter().copied().filter(|version| !version.is_grease()).max_by_key(|version| version.order())
            })
            .unwrap_or(self.legacy_version)
    }

    /// The exact set of versions offered, or `None` where only the maximum is on the wire (no extension 43).
    #[must_use]
    pub fn exact_versions(&self) -> Option<impl Iterator<Item = ProtocolVersion> + '_> {
        self.versions.as_deref().map(|versions| versions.iter().copied().filter(|version| !version.is_grease()))
    }

    /// Whether `version` is within what was offered; without extension 43 every version up to the maximum may be.
    #[must_use]
    pub fn may_accept(&self, version: ProtocolVersion) -> bool {
        match &self.versions {
            Some(versions) => versions.contains(&version),
            None => version.order() <= self.legacy_version.order(),
        }
    }

    /// The suites that are neither GREASE nor a signalling value.
    pub fn real_suites(&self) -> impl Iterator<Item = CipherSuite> + '_ {
        self.cipher_suites.iter().copied().filter(|suite| !suite.is_grease() && !suite.is_scsv())
    }

    /// About how many bytes of memory it takes up.
    pub(crate) fn weight(&self) -> usize {
        fn list<T>(list: Option<&Vec<T>>) -> usize {
            list.map_or(0, |list| list.capacity().saturating_mul(size_of::<T>()))
        }
        fn names(names: Option<&Vec<Box<[u8]>>>) -> usize {
            // The allocator gives out no less than 32 bytes.
            names.into_iter().flatten().map(|name| name.len().saturating_add(48)).sum()
        }
        size_of::<Self>()
            .saturating_add(list(self.sslv2_cipher_specs.as_ref()))
            .saturating_add(list(self.versions.as_ref()))
            .saturating_add(list(Some(&self.cipher_suites)))
            .saturating_add(list(Some(&self.compression_methods)))
            .saturating_add(list(self.extensions.as_ref()))
            .saturating_add(list(self.groups.as_ref()))
            .saturating_add(list(self.key_shares.as_ref()))
            .saturating_add(list(self.point_formats.as_ref()))
            .saturating_add(list(self.signature_schemes.as_ref()))
            .saturating_add(list(self.signature_schemes_cert.as_ref()))
            .saturating_add(names(self.alpn.as_ref()))
            .saturating_add(list(self.psk_modes.as_ref()))
            .saturating_add(list(self.certificate_compression.as_ref()))
            .saturating_add(list(self.delegated_credentials.as_ref()))
            .saturating_add(list(self.srtp_profiles.as_ref()))
            .saturating_add(names(self.application_settings.as_ref()))
            .saturating_add(list(self.token_binding.as_ref()))
    }

    /// Whether the client offered a version of the TLS 1.3 family.
    #[must_use]
    pub fn offers_tls13(&self) -> bool {
        self.versions.as_deref().is_some_and(|versions| versions.iter().any(|version| version.is_tls13_family()))
    }
}

/// What of a ClientHello differs from one connection to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelloFacts {
    /// server_name (0) as sent, where it is printable; other bytes are written `\xNN`.
    pub server_name: Option<String>,
    /// Whether server_name is an IP address or not a host name by its syntax.
    pub server_name_is_odd: bool,
    /// Length of the session id in bytes.
    pub session_id_length: u8,
    /// The first four bytes of the random, seconds since the epoch where an old stack wrote its clock there.
    pub random_time: u32,
    /// The record layer's version in front of the hello; `None` where there is no record (QUIC, SSLv2).
    pub record_version: Option<ProtocolVersion>,
    /// TLS records (or DTLS fragments, or CRYPTO frames) the hello lay in.
    pub records: u16,
    /// Packets the hello lay in.
    pub packets: u16,
    /// Size of the smallest packet payload that carried a part of the hello that did not end it, in bytes.
    pub smallest_packet: u16,
    /// Length of the handshake message in bytes, with its 4-byte header.
    pub length: u32,
    /// encrypted_client_hello's config id.
    pub ech_config_id: Option<u8>,
}

/// A HelloRetryRequest (RFC 9846 section 4.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelloRetry {
    /// The version it selected.
    pub version: ProtocolVersion,
    /// The suite it selected.
    pub cipher_suite: CipherSuite,
    /// The group it asks for.
    pub group: Option<NamedGroup>,
    /// Whether it carries a cookie.
    pub cookie: bool,
}

/// What the server chose, from its final ServerHello.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// `legacy_version`.
    pub legacy_version: ProtocolVersion,
    /// The negotiated version: extension 43 where present, else `legacy_version`.
    pub version: ProtocolVersion,
    /// The suite. `None` for SSLv2, where the client chooses later.
    pub cipher_suite: Option<CipherSuite>,
    /// The compression method; 0 is none.
    pub compression_method: u8,
    /// All extensions in wire order; `None` where there is no extension block.
    pub extensions: Option<SmallVec<[SeenExtension; 8]>>,
    /// The group of the key share (TLS 1.3). For TLS 1.2 see [`KeyExchangeFacts`].
    pub key_share_group: Option<NamedGroup>,
    /// Whether pre_shared_key was selected (TLS 1.3).
    pub pre_shared_key: bool,
    /// The ALPN protocol, visible up to TLS 1.2.
    pub alpn: Option<Box<[u8]>>,
    /// Length of the session id in bytes.
    pub session_id_length: u8,
    /// Whether the session id is the client's own, not empty.
    pub session_id_echoed: bool,
    /// The downgrade sentinel.
    pub sentinel: Option<DowngradeSentinel>,
    /// The first four bytes of the random.
    pub random_time: u32,
    /// The SRTP profile chosen by use_srtp.
    pub srtp_profile: Option<u16>,
    /// The extension block contradicts itself: only what stands before it is known, and there is no fingerprint.
    pub is_partial: bool,
    /// SSLv2 SERVER-HELLO: the cipher specs the server offers.
    pub sslv2: Option<Vec<u32>>,
    /// SSLv2 CLIENT-MASTER-KEY: the cipher spec the client then chose.
    pub sslv2_chosen: Option<u32>,
}

impl Selection {
    /// Appends bytes that only equal selections share, whatever their randoms.
    pub(crate) fn write_key(&self, key: &mut Vec<u8>) {
        let mut pair = |number: u16| key.extend_from_slice(&number.to_be_bytes());
        pair(self.legacy_version.0);
        pair(self.version.0);
        pair(self.cipher_suite.unwrap_or_default().0);
        pair(self.key_share_group.unwrap_or_default().0);
        pair(self.srtp_profile.unwrap_or_default());
        key.extend_from_slice(&self.sslv2_chosen.unwrap_or_default().to_be_bytes());
        key.extend_from_slice(&[
            self.compression_method,
            self.session_id_length,
            self.sentinel.map_or(0, |sentinel| sentinel as u8 + 1),
            u8::from(self.pre_shared_key)
                | u8::from(self.is_partial) << 1
                | u8::from(self.cipher_suite.is_some()) << 2
                | u8::from(self.key_share_group.is_some()) << 3
                | u8::from(self.srtp_profile.is_some()) << 4
                | u8::from(self.sslv2_chosen.is_some()) << 5
                | u8::from(self.extensions.is_some()) << 6
                | u8::from(self.sslv2.is_some()) << 7,
            u8::from(self.session_id_echoed) | u8::from(self.alpn.is_some()) << 1,
        ]);
        // Each list behind its length, so that none can pass for the next.
        let count = |key: &mut Vec<u8>, length: usize| key.extend_from_slice(&length.to_ne_bytes());
        let extensions = self.extensions.as_deref().unwrap_or_default();
        count(key, extensions.len());
        for seen in extensions {
            key.extend_from_slice(&seen.extension_type.0.to_be_bytes());
            key.extend_from_slice(&seen.length.to_be_bytes());
        }
        let alpn = self.alpn.as_deref().unwrap_or_default();
        count(key, alpn.len());
        key.extend_from_slice(alpn);
        for spec in self.sslv2.iter().flatten() {
            key.extend_from_slice(&spec.to_be_bytes());
        }
    }

    /// Whether extension `extension_type` is present.
    #[must_use]
    pub fn has(&self, extension_type: ExtensionType) -> bool {
        self.extensions
            .as_deref()
            .is_some_and(|extensions| extensions.iter().any(|seen| seen.extension_type == extension_type))
    }
}

/// The server's key exchange up to TLS 1.2, from its ServerKeyExchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyExchangeFacts {
    /// What was exchanged.
    pub parameters: KeyExchangeParameters,
    /// The signature scheme over them: TLS 1.2 only.
    pub signature_scheme: Option<SignatureScheme>,
}

/// What a ServerKeyExchange carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyExchangeParameters {
    /// Finite-field Diffie-Hellman.
    Dh {
        /// Length of the prime in bits.
        prime_bits: u32,
        /// The name of a published prime, `None` for any other.
        well_known: Option<&'static str>,
        /// Whether the published prime is one of the 1024-bit-or-less ones shared by very many servers.
        common: bool,
        /// SHA-256 of the prime.
        prime_sha256: [u8; 32],
    },
    /// Elliptic curve Diffie-Hellman over a named group.
    Ecdh(NamedGroup),
    /// Elliptic curve Diffie-Hellman over parameters spelled out.
    EcdhExplicit,
    /// A temporary RSA key (RSA_EXPORT): its modulus in bits.
    RsaExport(u32),
    /// A pre-shared key hint alone, SRP, or something else without a weakness of its own to see.
    Other,
}

/// An alert that travelled in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenAlert {
    /// Who sent it.
    pub from: Side,
    /// 1 warning, 2 fatal.
    pub level: u8,
    /// What it says.
    pub description: AlertDescription,
    /// Whether it came before any ServerHello.
    pub before_server_hello: bool,
    /// Whether the other side had closed the connection before: then it answers the closing, and refuses nothing.
    pub after_close: bool,
}

/// A CertificateRequest up to TLS 1.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRequestFacts {
    /// Certificate types: 1 rsa_sign, 2 dss_sign, 64 ecdsa_sign …
    pub certificate_types: Vec<u8>,
    /// Number of acceptable certificate authorities.
    pub authorities: u16,
}

/// A heartbeat request in clear whose claimed payload exceeds its record (CVE-2014-0160).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartbeatProbe {
    /// Who sent it.
    pub from: Side,
    /// The payload length it claims.
    pub claimed: u16,
    /// The length of its record.
    pub record: u16,
    /// The largest heartbeat record the peer sent after it.
    pub answered: u16,
}

/// A hello (or another message) that contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Who sent it.
    pub from: Side,
    /// The structure that does not hold, in the RFC's words.
    pub structure: &'static str,
    /// What does not fit.
    pub reason: &'static str,
    /// How many bytes of it there were.
    pub length: u32,
}

/// What QUIC says around the handshake it carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuicFacts {
    /// The version of the Initial the ClientHello came in.
    pub version: Version,
    /// The version the server answered in.
    pub negotiated: Option<Version>,
    /// The version of an earlier Initial that was answered with Version Negotiation.
    pub refused: Option<Version>,
    /// The list of the server's Version Negotiation packet, in its order, at most 32.
    pub offered_by_server: Option<Vec<Version>>,
    /// version_information of the client: the versions it would change to, at most 32.
    pub available: Option<Vec<Version>>,
    /// Length of the destination connection id the client began with, in bytes.
    pub destination_id_length: u8,
    /// Length of the client's own connection id, in bytes.
    pub client_id_length: u8,
    /// Length of the server's own connection id, in bytes.
    pub server_id_length: Option<u8>,
    /// The server sent a Retry.
    pub retry: bool,
    /// Length of the token in the client's last Initial, in bytes.
    pub token_length: u16,
    /// The client's transport parameters in wire order, the first of each number, at most 64.
    pub transport_parameters: Vec<SeenTransportParameter>,
    /// The transport parameters contradict themselves, or the extension is missing.
    pub transport_parameters_sound: bool,
    /// user_agent, where the client sends one.
    pub user_agent: Option<String>,
    /// Length of the client's first Initial datagram, in bytes.
    pub first_datagram: u16,
    /// Initial packets from the client that were read.
    pub client_initials: u16,
    /// Initial packets from the server that were read.
    pub server_initials: u16,
    /// Initial packets that no key opened.
    pub undecryptable: u16,
    /// CRYPTO frames from the client.
    pub crypto_frames: u16,
    /// A CRYPTO frame from the client came before the bytes in front of it.
    pub reordered: bool,
    /// 0-RTT packets from the client.
    pub early_data_packets: u16,
    /// CONNECTION_CLOSE in an Initial.
    pub close: Option<QuicClose>,
    /// The handshake is Google's own, not TLS.
    pub google_crypto: bool,
}

/// A transport parameter as it stood in the client's hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenTransportParameter {
    /// Its number.
    pub id: u64,
    /// Length of its value in bytes.
    pub length: u16,
    /// Its value, where it is a number by its definition.
    pub integer: Option<u64>,
}

/// A CONNECTION_CLOSE that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuicClose {
    /// Who sent it.
    pub from: Side,
    /// The error code (RFC 9000 section 20.1); `0x0100` to `0x01ff` carry an alert.
    pub error_code: u64,
    /// Why in words, at most 128 bytes.
    pub reason: String,
}

/// How a flow ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// The capture does not tell: it ends, starts or has a hole before the handshake does.
    #[default]
    Incomplete,
    /// Both sides finished the handshake.
    Established,
    /// One side refused. The alert is `None` where it was encrypted.
    Refused {
        /// Who refused.
        by: Side,
        /// The alert.
        alert: Option<AlertDescription>,
    },
    /// A TCP reset, or its like, ended the handshake.
    Reset {
        /// Who sent it.
        by: Side,
    },
    /// The connection was closed in order before the handshake was complete.
    Closed {
        /// Who closed first.
        by: Side,
    },
    /// The hello was received and never answered.
    Silent,
    /// Only one direction of the flow is in the capture.
    OneWay {
        /// The side that was seen.
        seen: Side,
    },
    /// The server's answer to the hello was not TLS.
    NotTls,
    /// A session of a protocol that knows TLS went on in clear.
    Cleartext {
        /// Why.
        reason: CleartextReason,
    },
}

impl Outcome {
    /// The `status` of the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Established => "established",
            Self::Refused { .. } => "refused",
            Self::Reset { .. } => "reset",
            Self::Closed { .. } => "closed",
            Self::Silent => "silent",
            Self::OneWay { .. } => "one_way",
            Self::NotTls => "not_tls",
            Self::Cleartext { .. } => "cleartext",
        }
    }
}

/// What the capture shows of the flow itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Packets from the client were seen.
    pub client_seen: bool,
    /// Packets from the server were seen.
    pub server_seen: bool,
    /// The TCP handshake was seen; `None` for other transports.
    pub syn_seen: Option<bool>,
    /// The side that opened the TCP connection is the TLS server.
    pub flipped: bool,
    /// Bytes known to be missing inside the handshake: never captured, or beyond a snap length.
    pub missing_bytes: u32,
    /// How many of these were cut off by a snap length.
    pub cut_bytes: u32,
    /// The flow was first seen after its handshake.
    pub midstream: bool,
    /// Overlapping TCP segments (or CRYPTO frames, fragments) carried different bytes: offset into the stream.
    pub overlap_conflict: Option<u32>,
    /// Packets of the flow seen while its handshake was followed.
    pub packets: u32,
}

/// What followed the hellos, as far as its frame could be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The client sent ChangeCipherSpec.
    pub client_ccs: bool,
    /// The server sent ChangeCipherSpec.
    pub server_ccs: bool,
    /// A ChangeCipherSpec came before the protocol allows one (CVE-2014-0224): who sent it.
    pub early_ccs: Option<Side>,
    /// The server sent ServerHelloDone (up to TLS 1.2).
    pub server_hello_done: bool,
    /// The client sent ClientKeyExchange (up to TLS 1.2).
    pub client_key_exchange: bool,
    /// The client sent CertificateVerify (up to TLS 1.2).
    pub certificate_verify: bool,
    /// Encrypted records seen from the client after its keys changed.
    pub client_encrypted: u16,
    /// Encrypted records seen from the server after its keys changed.
    pub server_encrypted: u16,
    /// Length of the first encrypted record from the client, in bytes.
    pub first_client_record: u16,
    /// The client sent an encrypted record long enough to be its Finished (TLS 1.3).
    pub client_finished: bool,
    /// Encrypted records from the server after that which are too long to be alerts (TLS 1.3).
    pub server_encrypted_after_finish: u16,
    /// After the client's Finished, and before anything else after it, a record as short as an alert came (TLS 1.3):
    /// who sent it.
    pub alert_after_finish: Option<Side>,
    /// Bytes in those records from the client, saturating.
    pub client_encrypted_bytes: u32,
    /// Bytes in those records from the server, saturating.
    pub server_encrypted_bytes: u32,
    /// Who began a handshake inside the encrypted connection (up to TLS 1.2).
    pub renegotiation: Option<Side>,
    /// Every byte of the ClientHello was acknowledged by the server's TCP.
    pub hello_acknowledged: bool,
    /// Time of the last packet of the ClientHello.
    pub hello_at: Timestamp,
    /// A RST came, and from whom.
    pub reset: Option<Side>,
    /// A FIN came, and from whom first.
    pub fin: Option<Side>,
    /// IP time to live (hop limit) of the packet that reset the flow.
    pub reset_ttl: Option<u8>,
    /// IP time to live of the server's SYN-ACK, or of its first packet.
    pub server_ttl: Option<u8>,
    /// When the flow ended or was given up.
    pub ended_at: Timestamp,
    /// Whether the flow ended by a timeout, not by FIN, RST or the end of the capture.
    pub timed_out: bool,
}

/// All that is known of one handshake: what rules, fingerprints and records are made from.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What carried it.
    pub carrier: Carrier,
    /// The client's address and port.
    pub client: SocketAddr,
    /// The server's address and port.
    pub server: SocketAddr,
    /// The layers around the IP packets that carried it.
    pub encapsulations: Encapsulations,
    /// Time of the first packet of the ClientHello; of the first handshake message seen where that is missing.
    pub started: Timestamp,
    /// Time of the last packet that changed anything here.
    pub ended: Timestamp,
    /// The ClientHello's shape: `None` where it was not seen or is malformed.
    pub offer: Option<Arc<Offer>>,
    /// The rest of the ClientHello. Meaningless where `offer` is `None`.
    pub hello: HelloFacts,
    /// HelloRetryRequest.
    pub hello_retry: Option<HelloRetry>,
    /// The same as the ServerHello it is by its form, as long as no other comes: for its fingerprint. Drafts before 22
    /// had a form of its own.
    pub retry_hello: Option<Box<Selection>>,
    /// The second ClientHello, after a HelloRetryRequest.
    pub second_offer: Option<Arc<Offer>>,
    /// The final ServerHello.
    pub selection: Option<Selection>,
    /// Whether the session was resumed: `None` where the wire does not tell.
    pub resumed: Option<bool>,
    /// The server's certificates in wire order (up to TLS 1.2); `None` where no Certificate was visible.
    pub certificates: Option<SmallVec<[Arc<Certificate>; 4]>>,
    /// The client's certificates (up to TLS 1.2); empty where it answered a request with none.
    pub client_certificates: Option<SmallVec<[Arc<Certificate>; 2]>>,
    /// Whether a CertificateStatus (a stapled OCSP response) was sent.
    pub certificate_status: bool,
    /// ServerKeyExchange.
    pub key_exchange: Option<KeyExchangeFacts>,
    /// CertificateRequest.
    pub certificate_request: Option<CertificateRequestFacts>,
    /// NewSessionTicket's lifetime hint in seconds (up to TLS 1.2).
    pub ticket_lifetime: Option<u32>,
    /// Alerts in clear, at most eight.
    pub alerts: SmallVec<[SeenAlert; 2]>,
    /// A heartbeat request that asks for more than it sent.
    pub heartbeat_probe: Option<HeartbeatProbe>,
    /// The first bytes of the server's answer, at most 16, where the outcome is [`Outcome::NotTls`].
    pub foreign_answer: SmallVec<[u8; 16]>,
    /// Messages that contradict themselves, at most four.
    pub problems: SmallVec<[Problem; 1]>,
    /// What QUIC says around the handshake; `None` for other carriers.
    pub quic: Option<Box<QuicFacts>>,
    /// The server asked for a cookie with a HelloVerifyRequest (DTLS up to 1.2): it was seen, or the client's cookie.
    pub hello_verify: bool,
    /// What followed.
    pub progress: Progress,
    /// What the capture shows.
    pub coverage: Coverage,
    /// How it ended.
    pub outcome: Outcome,
    /// What was said in clear before it, or instead of it.
    pub starttls: Option<Box<StarttlsFacts>>,
}

/// The address of facts that are nobody's.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

impl Facts {
    /// Facts of a handshake of which nothing is known yet.
    #[must_use]
    pub fn new(carrier: Carrier, client: SocketAddr, server: SocketAddr, started: Timestamp) -> Self {
        Self {
            carrier,
            client,
            server,
            encapsulations: Encapsulations::default(),
            started,
            ended: started,
            offer: None,
            hello: HelloFacts::default(),
            hello_retry: None,
            retry_hello: None,
            second_offer: None,
            selection: None,
            resumed: None,
            certificates: None,
            client_certificates: None,
            certificate_status: false,
            key_exchange: None,
            certificate_request: None,
            ticket_lifetime: None,
            alerts: SmallVec::new(),
            heartbeat_probe: None,
            foreign_answer: SmallVec::new(),
            problems: SmallVec::new(),
            quic: None,
            hello_verify: false,
            progress: Progress::default(),
            coverage: Coverage::default(),
            outcome: Outcome::Incomplete,
            starttls: None,
        }
    }

    /// What both sides said of the parameters: what carried it, the hellos without their randoms, the HelloRetryRequest,
    /// the key exchange, and whether the session was resumed. All else is as in [`Facts::new`]: few distinct ones
    /// remain of very many flows.
    #[must_use]
    pub fn negotiation(&self) -> Self {
        Self {
            offer: self.offer.clone(),
            hello_retry: self.hello_retry,
            second_offer: self.second_offer.clone(),
            selection: self.selection.clone().map(|selection| Selection { random_time: 0, ..selection }),
            resumed: self.resumed,
            key_exchange: self.key_exchange.clone(),
            ..Self::new(self.carrier, NOWHERE, NOWHERE, Timestamp::ZERO)
        }
    }

    /// Appends bytes that only equal negotiations share, but for the hellos: those of the client are told apart by
    /// whoever remembers them, the server's by [`Selection::write_key`].
    pub(crate) fn write_negotiation_key(&self, key: &mut Vec<u8>) {
        key.extend_from_slice(&[self.carrier as u8, self.resumed.map_or(2, u8::from)]);
        if let Some(retry) = &self.hello_retry {
            key.extend_from_slice(&[1, u8::from(retry.cookie), u8::from(retry.group.is_some())]);
            for number in [retry.version.0, retry.cipher_suite.0, retry.group.unwrap_or_default().0] {
                key.extend_from_slice(&number.to_be_bytes());
            }
        }
        if let Some(KeyExchangeFacts { parameters, signature_scheme }) = &self.key_exchange {
            key.extend_from_slice(&[2, u8::from(signature_scheme.is_some())]);
            key.extend_from_slice(&signature_scheme.unwrap_or_default().0.to_be_bytes());
            match parameters {
                // What else is known of a prime follows from it.
                KeyExchangeParameters::Dh { prime_sha256, .. } => {
                    key.push(0);
                    key.extend_from_slice(prime_sha256);
                }
                KeyExchangeParameters::Ecdh(group) => {
                    key.push(1);
                    key.extend_from_slice(&group.0.to_be_bytes());
                }
                KeyExchangeParameters::EcdhExplicit => key.push(2),
                KeyExchangeParameters::RsaExport(bits) => {
                    key.push(3);
                    key.extend_from_slice(&bits.to_be_bytes());
                }
                KeyExchangeParameters::Other => key.push(4),
            }
        }
    }

    /// The server's certificates. All else is as in [`Facts::new`].
    #[must_use]
    pub fn chain(&self) -> Self {
        let certificates = self.certificates.clone();
        Self { certificates, ..Self::new(Carrier::Tcp, NOWHERE, NOWHERE, Timestamp::ZERO) }
    }

    /// The negotiated version.
    #[must_use]
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.selection.as_ref().map(|selection| selection.version)
    }

    /// The negotiated suite.
    #[must_use]
    pub fn cipher_suite(&self) -> Option<CipherSuite> {
        self.selection.as_ref().and_then(|selection| selection.cipher_suite)
    }

    /// The version the server selected: the negotiated one, or that of a HelloRetryRequest no ServerHello came after,
    /// which one would have had to repeat (RFC 9846 section 4.2.4).
    #[must_use]
    pub fn selected_version(&self) -> Option<ProtocolVersion> {
        self.version().or(self.only_retry().map(|retry| retry.version))
    }

    /// The suite the server selected, as [`Self::selected_version`]. Early drafts of HelloRetryRequest name none.
    #[must_use]
    pub fn selected_cipher_suite(&self) -> Option<CipherSuite> {
        let retried = self.only_retry().map(|retry| retry.cipher_suite).filter(|suite| suite.0 != 0);
        self.cipher_suite().or(retried)
    }

    fn only_retry(&self) -> Option<&HelloRetry> {
        self.hello_retry.as_ref().filter(|_| self.selection.is_none())
    }

    /// The negotiated group: of the key share in TLS 1.3, of ServerKeyExchange before.
    #[must_use]
    pub fn group(&self) -> Option<NamedGroup> {
        self.selection.as_ref().and_then(|selection| selection.key_share_group).or(match &self.key_exchange {
            Some(KeyExchangeFacts { parameters: KeyExchangeParameters::Ecdh(group), .. }) => Some(*group),
            _ => None,
        })
    }

    /// Whether the negotiated version belongs to TLS 1.3, whose handshake is encrypted after the ServerHello.
    #[must_use]
    pub fn is_tls13(&self) -> bool {
        self.version().is_some_and(ProtocolVersion::is_tls13_family)
    }

    /// Whether this is known to be a full handshake: not resumed, with a ServerHello.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.selection.is_some() && self.resumed == Some(false)
    }

    /// The server's own certificate.
    #[must_use]
    pub fn leaf(&self) -> Option<&Certificate> {
        self.certificates.as_ref().and_then(|chain| chain.first()).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_retry_request_selects_until_a_server_hello_does() {
        let retry = HelloRetry {
            version: ProtocolVersion::TLS13,
            cipher_suite: CipherSuite(0x1302),
            group: None,
            cookie: false,
        };
        let mut facts = Facts::new(Carrier::Tcp, NOWHERE, NOWHERE, Timestamp::ZERO);
        assert_eq!((facts.selected_version(), facts.selected_cipher_suite()), (None, None));
        facts.hello_retry = Some(retry);
        assert_eq!(facts.selected_version(), Some(ProtocolVersion::TLS13));
        assert_eq!(facts.selected_cipher_suite(), Some(CipherSuite(0x1302)));
        assert_eq!((facts.version(), facts.cipher_suite()), (None, None), "nothing is negotiated yet");
        facts.hello_retry = Some(HelloRetry { cipher_suite: CipherSuite(0), ..retry });
        assert_eq!(facts.selected_cipher_suite(), None, "early drafts name no suite");
        facts.hello_retry = Some(retry);
        facts.selection = Some(Selection {
            version: ProtocolVersion::TLS12,
            cipher_suite: Some(CipherSuite(0xc02f)),
            ..Selection::default()
        });
        assert_eq!(facts.selected_version(), Some(ProtocolVersion::TLS12));
        assert_eq!(facts.selected_cipher_suite(), Some(CipherSuite(0xc02f)));
    }
}
