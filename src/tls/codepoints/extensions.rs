//! Extension types (IANA "TLS ExtensionType Values").

use super::{Status, column, write_code_point};

code_point! {
    /// An extension type.
    ExtensionType
}

// The two reserved values were key_share and ticket_early_data_info in drafts of TLS 1.3, and are seen as such.
registry! { ExtensionType {
    // table begins
    0x0000 SERVER_NAME "server_name" Y;
    0x0001 MAX_FRAGMENT_LENGTH "max_fragment_length" N;
    0x0002 CLIENT_CERTIFICATE_URL "client_certificate_url" Y;
    0x0003 TRUSTED_CA_KEYS "trusted_ca_keys" Y;
    0x0004 TRUNCATED_HMAC "truncated_hmac" D;
    0x0005 STATUS_REQUEST "status_request" Y;
    0x0006 USER_MAPPING "user_mapping" Y;
    0x0007 CLIENT_AUTHZ "client_authz" N;
    0x0008 SERVER_AUTHZ "server_authz" N;
    0x0009 CERT_TYPE "cert_type" N;
    0x000a SUPPORTED_GROUPS "supported_groups" Y;
    0x000b EC_POINT_FORMATS "ec_point_formats" Y;
    0x000c SRP "srp" N;
    0x000d SIGNATURE_ALGORITHMS "signature_algorithms" Y;
    0x000e USE_SRTP "use_srtp" Y;
    0x000f HEARTBEAT "heartbeat" Y;
    0x0010 APPLICATION_LAYER_PROTOCOL_NEGOTIATION "application_layer_protocol_negotiation" Y;
    0x0011 STATUS_REQUEST_V2 "status_request_v2" Y;
    0x0012 SIGNED_CERTIFICATE_TIMESTAMP "signed_certificate_timestamp" N;
    0x0013 CLIENT_CERTIFICATE_TYPE "client_certificate_type" Y;
    0x0014 SERVER_CERTIFICATE_TYPE "server_certificate_type" Y;
    0x0015 PADDING "padding" Y;
    0x0016 ENCRYPT_THEN_MAC "encrypt_then_mac" Y;
    0x0017 EXTENDED_MAIN_SECRET "extended_main_secret" Y;
    0x0018 TOKEN_BINDING "token_binding" Y;
    0x0019 CACHED_INFO "cached_info" Y;
    0x001a TLS_LTS "tls_lts" N;
    0x001b COMPRESS_CERTIFICATE "compress_certificate" Y;
    0x001c RECORD_SIZE_LIMIT "record_size_limit" Y;
    0x001d PWD_PROTECT "pwd_protect" N;
    0x001e PWD_CLEAR "pwd_clear" N;
    0x001f PASSWORD_SALT "password_salt" N;
    0x0020 TICKET_PINNING "ticket_pinning" N;
    0x0021 TLS_CERT_WITH_EXTERN_PSK "tls_cert_with_extern_psk" N;
    0x0022 DELEGATED_CREDENTIAL "delegated_credential" Y;
    0x0023 SESSION_TICKET "session_ticket" Y;
    0x0024 TLMSP "TLMSP" N;
    0x0025 TLMSP_PROXYING "TLMSP_proxying" N;
    0x0026 TLMSP_DELEGATE "TLMSP_delegate" N;
    0x0027 SUPPORTED_EKT_CIPHERS "supported_ekt_ciphers" Y;
    0x0028 RESERVED_KEY_SHARE "reserved_key_share" D;
    0x0029 PRE_SHARED_KEY "pre_shared_key" Y;
    0x002a EARLY_DATA "early_data" Y;
    0x002b SUPPORTED_VERSIONS "supported_versions" Y;
    0x002c COOKIE "cookie" Y;
    0x002d PSK_KEY_EXCHANGE_MODES "psk_key_exchange_modes" Y;
    0x002e RESERVED_TICKET_EARLY_DATA_INFO "reserved_ticket_early_data_info" D;
    0x002f CERTIFICATE_AUTHORITIES "certificate_authorities" Y;
    0x0030 OID_FILTERS "oid_filters" Y;
    0x0031 POST_HANDSHAKE_AUTH "post_handshake_auth" Y;
    0x0032 SIGNATURE_ALGORITHMS_CERT "signature_algorithms_cert" Y;
    0x0033 KEY_SHARE "key_share" Y;
    0x0034 TRANSPARENCY_INFO "transparency_info" Y;
    0x0035 CONNECTION_ID_DEPRECATED "connection_id (deprecated)" D;
    0x0036 CONNECTION_ID "connection_id" N;
    0x0037 EXTERNAL_ID_HASH "external_id_hash" Y;
    0x0038 EXTERNAL_SESSION_ID "external_session_id" Y;
    0x0039 QUIC_TRANSPORT_PARAMETERS "quic_transport_parameters" Y;
    0x003a TICKET_REQUEST "ticket_request" Y;
    0x003b DNSSEC_CHAIN "dnssec_chain" N;
    0x003c SEQUENCE_NUMBER_ENCRYPTION_ALGORITHMS "sequence_number_encryption_algorithms" N;
    0x003d RRC "rrc" N;
    0x003e TLS_FLAGS "tls_flags" Y;
    0x3374 NEXT_PROTOCOL_NEGOTIATION "next_protocol_negotiation" U;
    0x3377 ORIGIN_BOUND_CERTIFICATES "origin_bound_certificates" U;
    0x337c ENCRYPTED_CLIENT_CERTIFICATES "encrypted_client_certificates" U;
    0x4469 APPLICATION_SETTINGS_OLD "application_settings_old" U;
    0x44cd APPLICATION_SETTINGS "application_settings" U;
    0x754f CHANNEL_ID_OLD "channel_id_old" U;
    0x7550 CHANNEL_ID "channel_id" U;
    0x8a3b PAKE "pake" U;
    0x8b47 PADDING_OLD "padding_old" U;
    0xca34 TRUST_ANCHORS "trust_anchors" U;
    0xfd00 ECH_OUTER_EXTENSIONS "ech_outer_extensions" Y;
    0xfe08 ENCRYPTED_CLIENT_HELLO_DRAFT08 "encrypted_client_hello_draft08" U;
    0xfe09 ENCRYPTED_CLIENT_HELLO_DRAFT09 "encrypted_client_hello_draft09" U;
    0xfe0a ENCRYPTED_CLIENT_HELLO_DRAFT10 "encrypted_client_hello_draft10" U;
    0xfe0d ENCRYPTED_CLIENT_HELLO "encrypted_client_hello" Y;
    0xff01 RENEGOTIATION_INFO "renegotiation_info" Y;
    0xff02 ENCRYPTED_CLIENT_HELLO_DRAFT07 "encrypted_client_hello_draft07" P;
    0xffa5 QUIC_TRANSPORT_PARAMETERS_DRAFT "quic_transport_parameters_draft" P;
    0xffce ENCRYPTED_SERVER_NAME "encrypted_server_name" P;
    // table ends
} }

code_point_text!(ExtensionType, |f, value| write_code_point(f, value.0, value.name()));

impl ExtensionType {
    /// What the registry says of it.
    #[must_use]
    pub fn status(self) -> Status {
        match (self.entry(), self.0) {
            (Some(entry), _) => entry.2,
            (None, 0xff00..=0xffff) => Status::PrivateUse,
            _ if self.is_grease() => Status::Reserved,
            _ => Status::Unassigned,
        }
    }

    /// Whether this is Encrypted Client Hello or one of its drafts, the encrypted server name included.
    #[must_use]
    pub const fn is_encrypted_client_hello(self) -> bool {
        matches!(
            self,
            Self::ENCRYPTED_CLIENT_HELLO
                | Self::ENCRYPTED_CLIENT_HELLO_DRAFT07
                | Self::ENCRYPTED_CLIENT_HELLO_DRAFT08
                | Self::ENCRYPTED_CLIENT_HELLO_DRAFT09
                | Self::ENCRYPTED_CLIENT_HELLO_DRAFT10
                | Self::ENCRYPTED_SERVER_NAME
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_those_of_the_registry() {
        for (value, name, status) in [
            (0, "server_name", Status::Recommended),
            (4, "truncated_hmac", Status::Discouraged),
            (16, "application_layer_protocol_negotiation", Status::Recommended),
            (23, "extended_main_secret", Status::Recommended),
            (51, "key_share", Status::Recommended),
            (53, "connection_id (deprecated)", Status::Discouraged),
            (57, "quic_transport_parameters", Status::Recommended),
            (13172, "next_protocol_negotiation", Status::Unregistered),
            (17513, "application_settings_old", Status::Unregistered),
            (17613, "application_settings", Status::Unregistered),
            (30031, "channel_id_old", Status::Unregistered),
            (30032, "channel_id", Status::Unregistered),
            (0xfe0d, "encrypted_client_hello", Status::Recommended),
            (0xffa5, "quic_transport_parameters_draft", Status::PrivateUse),
            (0xffce, "encrypted_server_name", Status::PrivateUse),
            (0xff01, "renegotiation_info", Status::Recommended),
        ] {
            assert_eq!(ExtensionType(value).name(), Some(name));
            assert_eq!(ExtensionType(value).status(), status, "{name}");
        }
        assert_eq!(ExtensionType::KEY_SHARE, ExtensionType(51));
    }

    #[test]
    fn what_has_no_name_is_told_by_its_range() {
        assert_eq!(ExtensionType(0x1234).status(), Status::Unassigned);
        assert_eq!(ExtensionType(0xff33).status(), Status::PrivateUse);
        assert_eq!(ExtensionType(0x5a5a).status(), Status::Reserved);
        assert_eq!(ExtensionType(0x5a6a).status(), Status::Unassigned);
    }
}
