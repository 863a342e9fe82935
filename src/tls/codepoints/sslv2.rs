//! Cipher kinds of SSL 2.0: three bytes, in the CLIENT-HELLO that a TLS client may also send (RFC 5246 appendix E.2).

small_registry! {
    /// A cipher kind of an SSL 2.0 hello, 24 bits; one whose first byte is zero is the TLS suite in the other two.
    SslV2CipherSpec(u32, "0x{:06X}") {
        0x010080 RC4_128_WITH_MD5 "SSL_CK_RC4_128_WITH_MD5";
        0x020080 RC4_128_EXPORT40_WITH_MD5 "SSL_CK_RC4_128_EXPORT40_WITH_MD5";
        0x030080 RC2_128_CBC_WITH_MD5 "SSL_CK_RC2_128_CBC_WITH_MD5";
        0x040080 RC2_128_CBC_EXPORT40_WITH_MD5 "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5";
        0x050080 IDEA_128_CBC_WITH_MD5 "SSL_CK_IDEA_128_CBC_WITH_MD5";
        0x060040 DES_64_CBC_WITH_MD5 "SSL_CK_DES_64_CBC_WITH_MD5";
        0x060140 DES_64_CBC_WITH_SHA "SSL_CK_DES_64_CBC_WITH_SHA";
        0x0700c0 DES_192_EDE3_CBC_WITH_MD5 "SSL_CK_DES_192_EDE3_CBC_WITH_MD5";
        0x0701c0 DES_192_EDE3_CBC_WITH_SHA "SSL_CK_DES_192_EDE3_CBC_WITH_SHA";
        0x080080 RC4_64_WITH_MD5 "SSL_CK_RC4_64_WITH_MD5";
        0xff0800 DES_64_CFB64_WITH_MD5_1 "SSL_CK_DES_64_CFB64_WITH_MD5_1";
        0xff0810 NULL "SSL_CK_NULL";
    }
}

impl SslV2CipherSpec {
    /// The TLS suite, where the first byte is zero (RFC 5246 appendix E.2).
    #[must_use]
    pub fn tls_suite(self) -> Option<super::CipherSuite> {
        u16::try_from(self.0).ok().map(super::CipherSuite)
    }

    /// Whether the key is cut to 40 bits for export.
    #[must_use]
    pub const fn is_export(self) -> bool {
        matches!(self, Self::RC4_128_EXPORT40_WITH_MD5 | Self::RC2_128_CBC_EXPORT40_WITH_MD5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::codepoints::CipherSuite;

    #[test]
    fn a_cipher_kind_with_a_zero_byte_is_a_tls_suite() {
        assert_eq!(SslV2CipherSpec(0x00_c02f).tls_suite(), Some(CipherSuite(0xc02f)));
        assert_eq!(SslV2CipherSpec(0x01_0080).tls_suite(), None);
        assert_eq!(SslV2CipherSpec(0x01_0080).to_string(), "SSL_CK_RC4_128_WITH_MD5");
        assert!(SslV2CipherSpec(0x04_0080).is_export() && !SslV2CipherSpec(0x03_0080).is_export());
        assert!(SslV2CipherSpec::all().is_sorted());
    }
}
