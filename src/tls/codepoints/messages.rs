//! The small registries: content, message and certificate types, point formats, modes.

small_registry! {
    /// The type of a record (IANA "TLS ContentType").
    ContentType(u8, "0x{:02X}") {
        20 CHANGE_CIPHER_SPEC "change_cipher_spec";
        21 ALERT "alert";
        22 HANDSHAKE "handshake";
        23 APPLICATION_DATA "application_data";
        24 HEARTBEAT "heartbeat";
        25 TLS12_CID "tls12_cid";
        26 ACK "ACK";
        27 RETURN_ROUTABILITY_CHECK "return_routability_check";
    }
}

small_registry! {
    /// The type of a handshake message (IANA "TLS HandshakeType").
    HandshakeType(u8, "0x{:02X}") {
        0 HELLO_REQUEST "hello_request";
        1 CLIENT_HELLO "client_hello";
        2 SERVER_HELLO "server_hello";
        3 HELLO_VERIFY_REQUEST "hello_verify_request";
        4 NEW_SESSION_TICKET "new_session_ticket";
        5 END_OF_EARLY_DATA "end_of_early_data";
        6 HELLO_RETRY_REQUEST "hello_retry_request";
        8 ENCRYPTED_EXTENSIONS "encrypted_extensions";
        9 REQUEST_CONNECTION_ID "request_connection_id";
        10 NEW_CONNECTION_ID "new_connection_id";
        11 CERTIFICATE "certificate";
        12 SERVER_KEY_EXCHANGE "server_key_exchange";
        13 CERTIFICATE_REQUEST "certificate_request";
        14 SERVER_HELLO_DONE "server_hello_done";
        15 CERTIFICATE_VERIFY "certificate_verify";
        16 CLIENT_KEY_EXCHANGE "client_key_exchange";
        17 CLIENT_CERTIFICATE_REQUEST "client_certificate_request";
        20 FINISHED "finished";
        21 CERTIFICATE_URL "certificate_url";
        22 CERTIFICATE_STATUS "certificate_status";
        23 SUPPLEMENTAL_DATA "supplemental_data";
        24 KEY_UPDATE "key_update";
        25 COMPRESSED_CERTIFICATE "compressed_certificate";
        26 EKT_KEY "ekt_key";
        67 NEXT_PROTOCOL "next_protocol";
        203 CHANNEL_ID "channel_id";
        254 MESSAGE_HASH "message_hash";
    }
}

small_registry! {
    /// A compression method of a hello (IANA "TLS Compression Method Identifiers", RFC 3749).
    CompressionMethod(u8, "0x{:02X}") {
        0 NULL "null";
        1 DEFLATE "DEFLATE";
        64 LZS "LZS";
    }
}

small_registry! {
    /// A kind of certificate (IANA "TLS Certificate Types", RFC 7250).
    CertificateType(u8, "0x{:02X}") {
        0 X509 "X509";
        1 OPENPGP "OpenPGP_RESERVED";
        2 RAW_PUBLIC_KEY "Raw Public Key";
        3 IEEE_1609_DOT2 "1609Dot2";
    }
}

small_registry! {
    /// A kind of certificate status (IANA "TLS Certificate Status Types", RFC 6066 section 8).
    CertificateStatusType(u8, "0x{:02X}") {
        1 OCSP "ocsp";
        2 OCSP_MULTI "ocsp_multi";
    }
}

small_registry! {
    /// A kind of certificate a TLS 1.2 server asks for (IANA "TLS ClientCertificateType Identifiers").
    ClientCertificateType(u8, "0x{:02X}") {
        1 RSA_SIGN "rsa_sign";
        2 DSS_SIGN "dss_sign";
        3 RSA_FIXED_DH "rsa_fixed_dh";
        4 DSS_FIXED_DH "dss_fixed_dh";
        5 RSA_EPHEMERAL_DH "rsa_ephemeral_dh_RESERVED";
        6 DSS_EPHEMERAL_DH "dss_ephemeral_dh_RESERVED";
        20 FORTEZZA_DMS "fortezza_dms_RESERVED";
        64 ECDSA_SIGN "ecdsa_sign";
        65 RSA_FIXED_ECDH "rsa_fixed_ecdh";
        66 ECDSA_FIXED_ECDH "ecdsa_fixed_ecdh";
        67 GOST_SIGN256 "gost_sign256";
        68 GOST_SIGN512 "gost_sign512";
    }
}

small_registry! {
    /// A way of writing a point on a curve (IANA "TLS EC Point Formats").
    EcPointFormat(u8, "0x{:02X}") {
        0 UNCOMPRESSED "uncompressed";
        1 ANSIX962_COMPRESSED_PRIME "ansiX962_compressed_prime";
        2 ANSIX962_COMPRESSED_CHAR2 "ansiX962_compressed_char2";
    }
}

small_registry! {
    /// How a ServerKeyExchange gives its curve (IANA "TLS EC Curve Types").
    EcCurveType(u8, "0x{:02X}") {
        1 EXPLICIT_PRIME "explicit_prime";
        2 EXPLICIT_CHAR2 "explicit_char2";
        3 NAMED_CURVE "named_curve";
    }
}

small_registry! {
    /// Who may send heartbeats (IANA "TLS Heartbeat Modes", RFC 6520).
    HeartbeatMode(u8, "0x{:02X}") {
        1 PEER_ALLOWED_TO_SEND "peer_allowed_to_send";
        2 PEER_NOT_ALLOWED_TO_SEND "peer_not_allowed_to_send";
    }
}

small_registry! {
    /// A heartbeat message (IANA "TLS Heartbeat Message Types", RFC 6520).
    HeartbeatMessageType(u8, "0x{:02X}") {
        1 HEARTBEAT_REQUEST "heartbeat_request";
        2 HEARTBEAT_RESPONSE "heartbeat_response";
    }
}

small_registry! {
    /// An SRTP protection profile of `use_srtp` (IANA "DTLS-SRTP Protection Profiles", RFC 5764).
    SrtpProfile(u16, "0x{:04X}") {
        0x0001 AES128_CM_HMAC_SHA1_80 "SRTP_AES128_CM_HMAC_SHA1_80";
        0x0002 AES128_CM_HMAC_SHA1_32 "SRTP_AES128_CM_HMAC_SHA1_32";
        0x0005 NULL_HMAC_SHA1_80 "SRTP_NULL_HMAC_SHA1_80";
        0x0006 NULL_HMAC_SHA1_32 "SRTP_NULL_HMAC_SHA1_32";
        0x0007 AEAD_AES_128_GCM "SRTP_AEAD_AES_128_GCM";
        0x0008 AEAD_AES_256_GCM "SRTP_AEAD_AES_256_GCM";
        0x0009 DOUBLE_AEAD_AES_128_GCM "DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM";
        0x000a DOUBLE_AEAD_AES_256_GCM "DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM";
        0x000b ARIA_128_CTR_HMAC_SHA1_80 "SRTP_ARIA_128_CTR_HMAC_SHA1_80";
        0x000c ARIA_128_CTR_HMAC_SHA1_32 "SRTP_ARIA_128_CTR_HMAC_SHA1_32";
        0x000d ARIA_256_CTR_HMAC_SHA1_80 "SRTP_ARIA_256_CTR_HMAC_SHA1_80";
        0x000e ARIA_256_CTR_HMAC_SHA1_32 "SRTP_ARIA_256_CTR_HMAC_SHA1_32";
        0x000f AEAD_ARIA_128_GCM "SRTP_AEAD_ARIA_128_GCM";
        0x0010 AEAD_ARIA_256_GCM "SRTP_AEAD_ARIA_256_GCM";
    }
}

small_registry! {
    /// How a certificate may be compressed (IANA "TLS Certificate Compression Algorithm IDs", RFC 8879).
    CertificateCompressionAlgorithm(u16, "0x{:04X}") {
        1 ZLIB "zlib";
        2 BROTLI "brotli";
        3 ZSTD "zstd";
    }
}

/// How a pre-shared key may be used (IANA "TLS PskKeyExchangeMode").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PskKeyExchangeMode(pub u8);

impl PskKeyExchangeMode {
    /// The key alone, without forward secrecy.
    pub const PSK_KE: Self = Self(0);
    /// The key together with (EC)DHE.
    pub const PSK_DHE_KE: Self = Self(1);

    /// The IANA name.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::PSK_KE => Some("psk_ke"),
            Self::PSK_DHE_KE => Some("psk_dhe_ke"),
            _ => None,
        }
    }

    /// Whether this is one of the eight reserved values of RFC 8701 section 2: `0x0b`, `0x2a`, `0x49` … `0xe4`.
    #[must_use]
    pub const fn is_grease(self) -> bool {
        self.0 % 0x1f == 0x0b
    }
}

code_point_text!(PskKeyExchangeMode, |f, mode| match mode.name() {
    Some(name) => f.write_str(name),
    None if mode.is_grease() => write!(f, "GREASE(0x{:02x})", mode.0),
    None => write!(f, "0x{:02X}", mode.0),
});

impl ClientCertificateType {
    /// What the registry says of it: RFC 9847 section 11, and RFC 10015 appendix E for the fixed Diffie-Hellman types.
    #[must_use]
    pub const fn status(self) -> super::Status {
        match self.0 {
            1 | 64 => super::Status::Recommended,
            2 | 67 | 68 => super::Status::NotRecommended,
            3..=6 | 20 | 65 | 66 => super::Status::Discouraged,
            224..=255 => super::Status::PrivateUse,
            _ => super::Status::Unassigned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::codepoints::Status;

    #[test]
    fn psk_modes_know_the_eight_grease_values() {
        let grease: Vec<u8> = (0..=u8::MAX).filter(|&value| PskKeyExchangeMode(value).is_grease()).collect();
        assert_eq!(grease, [0x0b, 0x2a, 0x49, 0x68, 0x87, 0xa6, 0xc5, 0xe4]);
    }

    #[test]
    fn every_client_certificate_type_with_a_name_has_a_status() {
        for kind in ClientCertificateType::all() {
            assert_ne!(kind.status(), Status::Unassigned, "{kind}");
        }
        assert_eq!(ClientCertificateType(65).status(), Status::Discouraged);
        assert_eq!(ClientCertificateType(7).status(), Status::Unassigned);
    }

    #[test]
    fn values_are_those_of_the_rfcs() {
        assert_eq!(ContentType::HANDSHAKE, ContentType(0x16));
        assert_eq!(HandshakeType(25).to_string(), "compressed_certificate");
        assert_eq!(SrtpProfile(7).to_string(), "SRTP_AEAD_AES_128_GCM");
        assert_eq!(CertificateCompressionAlgorithm(2).to_string(), "brotli");
        assert!(HandshakeType::all().is_sorted() && ContentType::all().is_sorted() && SrtpProfile::all().is_sorted());
    }
}
