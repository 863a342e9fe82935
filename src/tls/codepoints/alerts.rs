//! Alerts (IANA "TLS Alerts"; SSL 3.0's own are in RFC 6101 section 5.4).

small_registry! {
    /// The level of an alert (RFC 9846 section 6): TLS 1.3 keeps the field and ignores it.
    AlertLevel(u8, "0x{:02X}") {
        1 WARNING "warning";
        2 FATAL "fatal";
    }
}

small_registry! {
    /// What an alert says (IANA "TLS Alerts").
    AlertDescription(u8, "0x{:02X}") {
        0 CLOSE_NOTIFY "close_notify";
        10 UNEXPECTED_MESSAGE "unexpected_message";
        20 BAD_RECORD_MAC "bad_record_mac";
        21 DECRYPTION_FAILED "decryption_failed";
        22 RECORD_OVERFLOW "record_overflow";
        30 DECOMPRESSION_FAILURE "decompression_failure";
        40 HANDSHAKE_FAILURE "handshake_failure";
        41 NO_CERTIFICATE "no_certificate";
        42 BAD_CERTIFICATE "bad_certificate";
        43 UNSUPPORTED_CERTIFICATE "unsupported_certificate";
        44 CERTIFICATE_REVOKED "certificate_revoked";
        45 CERTIFICATE_EXPIRED "certificate_expired";
        46 CERTIFICATE_UNKNOWN "certificate_unknown";
        47 ILLEGAL_PARAMETER "illegal_parameter";
        48 UNKNOWN_CA "unknown_ca";
        49 ACCESS_DENIED "access_denied";
        50 DECODE_ERROR "decode_error";
        51 DECRYPT_ERROR "decrypt_error";
        52 TOO_MANY_CIDS_REQUESTED "too_many_cids_requested";
        60 EXPORT_RESTRICTION "export_restriction";
        70 PROTOCOL_VERSION "protocol_version";
        71 INSUFFICIENT_SECURITY "insufficient_security";
        80 INTERNAL_ERROR "internal_error";
        86 INAPPROPRIATE_FALLBACK "inappropriate_fallback";
        90 USER_CANCELED "user_canceled";
        100 NO_RENEGOTIATION "no_renegotiation";
        109 MISSING_EXTENSION "missing_extension";
        110 UNSUPPORTED_EXTENSION "unsupported_extension";
        111 CERTIFICATE_UNOBTAINABLE "certificate_unobtainable";
        112 UNRECOGNIZED_NAME "unrecognized_name";
        113 BAD_CERTIFICATE_STATUS_RESPONSE "bad_certificate_status_response";
        114 BAD_CERTIFICATE_HASH_VALUE "bad_certificate_hash_value";
        115 UNKNOWN_PSK_IDENTITY "unknown_psk_identity";
        116 CERTIFICATE_REQUIRED "certificate_required";
        117 GENERAL_ERROR "general_error";
        120 NO_APPLICATION_PROTOCOL "no_application_protocol";
        121 ECH_REQUIRED "ech_required";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_snake_case() {
        let names: Vec<&str> = AlertDescription::all().filter_map(AlertDescription::name).collect();
        assert_eq!(names.len(), 37);
        for (index, name) in names.iter().enumerate() {
            assert!(!names.iter().skip(index + 1).any(|other| other == name), "{name} twice");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        }
        assert!(AlertDescription::all().is_sorted());
    }

    #[test]
    fn alerts_are_those_of_the_rfc() {
        assert_eq!(AlertDescription(40).to_string(), "handshake_failure");
        assert_eq!(AlertDescription(70), AlertDescription::PROTOCOL_VERSION);
        assert_eq!(AlertLevel(2).to_string(), "fatal");
        assert_eq!(AlertDescription(255).name(), None);
    }
}
