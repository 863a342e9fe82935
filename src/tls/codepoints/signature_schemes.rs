//! Signature schemes (IANA "TLS SignatureScheme"), with the pairs of TLS 1.2 that are no schemes of TLS 1.3.

use super::{Status, column, write_code_point};

code_point! {
    /// A signature scheme; before TLS 1.3 a hash in the first byte and a signature algorithm in the second.
    SignatureScheme
}

// Reserved lines are TLS 1.2 pairs (RFC 5246 section 7.4.1.4.1, RFC 9189 section 6), named in the schemes' manner.
registry! { SignatureScheme {
    // table begins
    0x0101 RSA_PKCS1_MD5 "rsa_pkcs1_md5" R;
    0x0102 DSA_MD5 "dsa_md5" R;
    0x0103 ECDSA_MD5 "ecdsa_md5" R;
    0x0201 RSA_PKCS1_SHA1 "rsa_pkcs1_sha1" N;
    0x0202 DSA_SHA1 "dsa_sha1" R;
    0x0203 ECDSA_SHA1 "ecdsa_sha1" N;
    0x0301 RSA_PKCS1_SHA224 "rsa_pkcs1_sha224" R;
    0x0302 DSA_SHA224 "dsa_sha224" R;
    0x0303 ECDSA_SHA224 "ecdsa_sha224" R;
    0x0401 RSA_PKCS1_SHA256 "rsa_pkcs1_sha256" Y;
    0x0402 DSA_SHA256 "dsa_sha256" R;
    0x0403 ECDSA_SECP256R1_SHA256 "ecdsa_secp256r1_sha256" Y;
    0x0420 RSA_PKCS1_SHA256_LEGACY "rsa_pkcs1_sha256_legacy" N;
    0x0501 RSA_PKCS1_SHA384 "rsa_pkcs1_sha384" Y;
    0x0502 DSA_SHA384 "dsa_sha384" R;
    0x0503 ECDSA_SECP384R1_SHA384 "ecdsa_secp384r1_sha384" Y;
    0x0520 RSA_PKCS1_SHA384_LEGACY "rsa_pkcs1_sha384_legacy" N;
    0x0601 RSA_PKCS1_SHA512 "rsa_pkcs1_sha512" Y;
    0x0602 DSA_SHA512 "dsa_sha512" R;
    0x0603 ECDSA_SECP521R1_SHA512 "ecdsa_secp521r1_sha512" Y;
    0x0620 RSA_PKCS1_SHA512_LEGACY "rsa_pkcs1_sha512_legacy" N;
    0x0704 ECCSI_SHA256 "eccsi_sha256" N;
    0x0705 ISO_IBS1 "iso_ibs1" N;
    0x0706 ISO_IBS2 "iso_ibs2" N;
    0x0707 ISO_CHINESE_IBS "iso_chinese_ibs" N;
    0x0708 SM2SIG_SM3 "sm2sig_sm3" N;
    0x0709 GOSTR34102012_256A "gostr34102012_256a" N;
    0x070a GOSTR34102012_256B "gostr34102012_256b" N;
    0x070b GOSTR34102012_256C "gostr34102012_256c" N;
    0x070c GOSTR34102012_256D "gostr34102012_256d" N;
    0x070d GOSTR34102012_512A "gostr34102012_512a" N;
    0x070e GOSTR34102012_512B "gostr34102012_512b" N;
    0x070f GOSTR34102012_512C "gostr34102012_512c" N;
    0x0804 RSA_PSS_RSAE_SHA256 "rsa_pss_rsae_sha256" Y;
    0x0805 RSA_PSS_RSAE_SHA384 "rsa_pss_rsae_sha384" Y;
    0x0806 RSA_PSS_RSAE_SHA512 "rsa_pss_rsae_sha512" Y;
    0x0807 ED25519 "ed25519" Y;
    0x0808 ED448 "ed448" Y;
    0x0809 RSA_PSS_PSS_SHA256 "rsa_pss_pss_sha256" Y;
    0x080a RSA_PSS_PSS_SHA384 "rsa_pss_pss_sha384" Y;
    0x080b RSA_PSS_PSS_SHA512 "rsa_pss_pss_sha512" Y;
    0x081a ECDSA_BRAINPOOLP256R1TLS13_SHA256 "ecdsa_brainpoolP256r1tls13_sha256" N;
    0x081b ECDSA_BRAINPOOLP384R1TLS13_SHA384 "ecdsa_brainpoolP384r1tls13_sha384" N;
    0x081c ECDSA_BRAINPOOLP512R1TLS13_SHA512 "ecdsa_brainpoolP512r1tls13_sha512" N;
    0x0840 GOSTR34102012_256_INTRINSIC "gostr34102012_256_intrinsic" R;
    0x0841 GOSTR34102012_512_INTRINSIC "gostr34102012_512_intrinsic" R;
    0x0904 MLDSA44 "mldsa44" N;
    0x0905 MLDSA65 "mldsa65" N;
    0x0906 MLDSA87 "mldsa87" N;
    0x0911 SLHDSA_SHA2_128S "slhdsa_sha2_128s" N;
    0x0912 SLHDSA_SHA2_128F "slhdsa_sha2_128f" N;
    0x0913 SLHDSA_SHA2_192S "slhdsa_sha2_192s" N;
    0x0914 SLHDSA_SHA2_192F "slhdsa_sha2_192f" N;
    0x0915 SLHDSA_SHA2_256S "slhdsa_sha2_256s" N;
    0x0916 SLHDSA_SHA2_256F "slhdsa_sha2_256f" N;
    0x0917 SLHDSA_SHAKE_128S "slhdsa_shake_128s" N;
    0x0918 SLHDSA_SHAKE_128F "slhdsa_shake_128f" N;
    0x0919 SLHDSA_SHAKE_192S "slhdsa_shake_192s" N;
    0x091a SLHDSA_SHAKE_192F "slhdsa_shake_192f" N;
    0x091b SLHDSA_SHAKE_256S "slhdsa_shake_256s" N;
    0x091c SLHDSA_SHAKE_256F "slhdsa_shake_256f" N;
    // table ends
} }

code_point_text!(SignatureScheme, |f, value| write_code_point(f, value.0, value.name()));

/// The hash a signature is made over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the hashes' names")]
pub enum HashAlgorithm {
    None,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sm3,
    /// GOST R 34.11-2012 with 256 bits.
    Streebog256,
    /// GOST R 34.11-2012 with 512 bits.
    Streebog512,
    /// The signature algorithm brings its own (RFC 8422 section 5.1.3).
    Intrinsic,
}

/// The algorithm of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the algorithms' names")]
pub enum SignatureAlgorithm {
    Anonymous,
    RsaPkcs1,
    /// RSASSA-PSS with a key of the type rsaEncryption.
    RsaPssRsae,
    /// RSASSA-PSS with a key of the type RSASSA-PSS.
    RsaPssPss,
    Dsa,
    Ecdsa,
    Ed25519,
    Ed448,
    Eccsi,
    /// The identity-based signatures of ISO/IEC 14888-3.
    Ibs,
    Sm2,
    /// GOST R 34.10-2012.
    Gost,
    MlDsa,
    SlhDsa,
}

impl SignatureScheme {
    /// What the registry says of it.
    #[must_use]
    pub fn status(self) -> Status {
        match (self.entry(), self.0) {
            (Some(entry), _) => entry.2,
            (None, 0xfe00..=0xffff) => Status::PrivateUse,
            (None, 0x0000..=0x06ff) => Status::Reserved,
            _ if self.is_grease() => Status::Reserved,
            _ => Status::Unassigned,
        }
    }

    /// The hash, for schemes of TLS 1.3 and for pairs of TLS 1.2.
    #[must_use]
    pub const fn hash(self) -> Option<HashAlgorithm> {
        use HashAlgorithm as H;
        Some(match self.0 {
            0x0420 => H::Sha256,
            0x0520 => H::Sha384,
            0x0620 => H::Sha512,
            0x0704..=0x0707 => match self.0 {
                0x0704 => H::Sha256,
                _ => H::Intrinsic,
            },
            0x0708 => H::Sm3,
            0x0709..=0x070c | 0x0840 => H::Streebog256,
            0x070d..=0x070f | 0x0841 => H::Streebog512,
            0x0804 | 0x0809 | 0x081a => H::Sha256,
            0x0805 | 0x080a | 0x081b => H::Sha384,
            0x0806 | 0x080b | 0x081c => H::Sha512,
            0x0807 | 0x0808 | 0x0904..=0x0906 | 0x0911..=0x091c => H::Intrinsic,
            pair => match pair.to_be_bytes() {
                [0, 0..=3] => H::None,
                [1, 0..=3] => H::Md5,
                [2, 0..=3] => H::Sha1,
                [3, 0..=3] => H::Sha224,
                [4, 0..=3] => H::Sha256,
                [5, 0..=3] => H::Sha384,
                [6, 0..=3] => H::Sha512,
                _ => return None,
            },
        })
    }

    /// The signature algorithm, for schemes of TLS 1.3 and for pairs of TLS 1.2.
    #[must_use]
    pub const fn signature(self) -> Option<SignatureAlgorithm> {
        use SignatureAlgorithm as S;
        Some(match self.0 {
            0x0420 | 0x0520 | 0x0620 => S::RsaPkcs1,
            0x0704 => S::Eccsi,
            0x0705..=0x0707 => S::Ibs,
            0x0708 => S::Sm2,
            0x0709..=0x070f | 0x0840 | 0x0841 => S::Gost,
            0x0804..=0x0806 => S::RsaPssRsae,
            0x0807 => S::Ed25519,
            0x0808 => S::Ed448,
            0x0809..=0x080b => S::RsaPssPss,
            0x081a..=0x081c => S::Ecdsa,
            0x0904..=0x0906 => S::MlDsa,
            0x0911..=0x091c => S::SlhDsa,
            pair => match pair.to_be_bytes() {
                [0..=6, 0] => S::Anonymous,
                [0..=6, 1] => S::RsaPkcs1,
                [0..=6, 2] => S::Dsa,
                [0..=6, 3] => S::Ecdsa,
                _ => return None,
            },
        })
    }

    /// Whether the signature is over MD5 (RFC 9155 section 2).
    #[must_use]
    pub const fn is_md5(self) -> bool {
        matches!(self.hash(), Some(HashAlgorithm::Md5))
    }

    /// Whether the signature is over SHA-1 (RFC 9155 section 2).
    #[must_use]
    pub const fn is_sha1(self) -> bool {
        matches!(self.hash(), Some(HashAlgorithm::Sha1))
    }

    /// Whether the signature is RSA, in any padding.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(
            self.signature(),
            Some(SignatureAlgorithm::RsaPkcs1 | SignatureAlgorithm::RsaPssRsae | SignatureAlgorithm::RsaPssPss)
        )
    }

    /// Whether the signature withstands a quantum computer: ML-DSA (FIPS 204) or SLH-DSA (FIPS 205).
    #[must_use]
    pub const fn is_post_quantum(self) -> bool {
        matches!(self.signature(), Some(SignatureAlgorithm::MlDsa | SignatureAlgorithm::SlhDsa))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_scheme_has_its_parts_and_they_match_its_name() {
        use {HashAlgorithm as H, SignatureAlgorithm as S};
        for scheme in SignatureScheme::all() {
            let name = scheme.name().unwrap_or_default();
            let (hash, signature) = (scheme.hash(), scheme.signature());
            assert!(hash.is_some() && signature.is_some(), "{name}: no parts");
            for (part, of) in [
                ("md5", H::Md5),
                ("_sha1", H::Sha1),
                ("sha224", H::Sha224),
                ("sha256", H::Sha256),
                ("sha384", H::Sha384),
                ("sha512", H::Sha512),
                ("sm3", H::Sm3),
            ] {
                assert_eq!(name.contains(part), hash == Some(of), "{name}: {hash:?}");
            }
            for (part, of) in [
                ("rsa_pkcs1", S::RsaPkcs1),
                ("rsa_pss_rsae", S::RsaPssRsae),
                ("rsa_pss_pss", S::RsaPssPss),
                ("ecdsa", S::Ecdsa),
                ("gost", S::Gost),
                ("mldsa", S::MlDsa),
                ("slhdsa", S::SlhDsa),
            ] {
                assert_eq!(name.starts_with(part), signature == Some(of), "{name}: {signature:?}");
            }
            assert_eq!(name.starts_with("dsa"), signature == Some(S::Dsa), "{name}: {signature:?}");
            assert_eq!(scheme.is_post_quantum(), name.contains("mldsa") || name.contains("slhdsa"), "{name}");
        }
    }

    #[test]
    fn pairs_of_tls_1_2_are_read_byte_by_byte() {
        let (md5_rsa, sha1_dsa) = (SignatureScheme(0x0101), SignatureScheme(0x0202));
        assert!(md5_rsa.is_md5() && !md5_rsa.is_sha1() && md5_rsa.is_rsa());
        assert_eq!((sha1_dsa.hash(), sha1_dsa.signature()), (Some(HashAlgorithm::Sha1), Some(SignatureAlgorithm::Dsa)));
        assert_eq!(SignatureScheme(0x0400).signature(), Some(SignatureAlgorithm::Anonymous));
        assert_eq!(SignatureScheme(0x0404).hash(), None);
        assert_eq!(SignatureScheme(0x0a0a).signature(), None);
        assert_eq!(SignatureScheme(0x0405).status(), Status::Reserved);
        assert_eq!(SignatureScheme(0xfe01).status(), Status::PrivateUse);
        assert_eq!(SignatureScheme(0x0905).status(), Status::NotRecommended);
        assert_eq!(SignatureScheme(0x0804).status(), Status::Recommended);
    }
}
