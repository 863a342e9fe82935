//! Published Diffie-Hellman groups, told by their prime.
//!
//! A prime that many servers share is worth a precomputation that breaks them all (Logjam, CVE-2015-4000,
//! <https://weakdh.org/imperfect-forward-secrecy-ccs15.pdf>); one nobody else has published cannot be judged from the
//! wire. Primes are kept as the first 128 bits of the SHA-256 of their big-endian bytes without leading zeros. Those of
//! the RFCs were computed from their formulas and compared with OpenSSL's; those built into software are the ones its
//! sources and the study of 2015 published.

/// A group whose prime is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownDhGroup {
    /// Where it comes from.
    pub name: &'static str,
    /// Length of the prime in bits.
    pub bits: u16,
    /// Who published it.
    pub origin: DhGroupOrigin,
    prime: u128,
}

/// Who published a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DhGroupOrigin {
    /// An RFC, for everyone's use.
    Standard,
    /// A program that has it built in, or the study that found many servers sharing it.
    Shared,
}

/// The group whose prime has this SHA-256.
pub(super) fn by_sha256(hash: &[u8; 32]) -> Option<&'static KnownDhGroup> {
    let prime = u128::from_be_bytes(*hash.first_chunk::<16>()?);
    KNOWN_DH_GROUPS.iter().find(|group| group.prime == prime)
}

const fn standard(name: &'static str, bits: u16, prime: u128) -> KnownDhGroup {
    KnownDhGroup { name, bits, origin: DhGroupOrigin::Standard, prime }
}

const fn shared(name: &'static str, bits: u16, prime: u128) -> KnownDhGroup {
    KnownDhGroup { name, bits, origin: DhGroupOrigin::Shared, prime }
}

/// Every group known here.
pub const KNOWN_DH_GROUPS: &[KnownDhGroup] = &[
    standard("RFC 2409 Oakley group 1", 768, 0xb52ba6a3_026520a6_c49d37e4_58760180),
    standard("RFC 2409 Oakley group 2", 1024, 0x3f35a3f5_f6c4376a_744acad4_09bb22f8),
    standard("RFC 3526 group 5", 1536, 0x64fcc83e_c403930b_f18393db_c883ccaa),
    standard("RFC 3526 group 14", 2048, 0xd66436f7_9bbd6b2e_38c0ffbd_079be904),
    standard("RFC 3526 group 15", 3072, 0x48cf8b09_2fbce435_9d9871ab_f74f98e2),
    standard("RFC 3526 group 16", 4096, 0x4ee95187_682bcb23_0ad26a95_205f6920),
    standard("RFC 3526 group 17", 6144, 0xd1bfe6d0_925ce7e4_da262b62_861514a7),
    standard("RFC 3526 group 18", 8192, 0x39ab4fea_b950a312_8fb71acc_b9fc3965),
    standard("RFC 5114 group 22", 1024, 0x44c55cfe_e5c07592_7cf682da_5b681bde),
    standard("RFC 5114 group 23", 2048, 0xbfe54586_2ca102ad_1eeddb5f_bfa5bf85),
    standard("RFC 5114 group 24", 2048, 0x0b783572_2cb61982_7610c254_9fdda558),
    standard("RFC 7919 ffdhe2048", 2048, 0x9cd3b7f3_36872f46_c09428d1_bbc19877),
    standard("RFC 7919 ffdhe3072", 3072, 0x0eaf67db_3a839156_d5013494_a5318a77),
    standard("RFC 7919 ffdhe4096", 4096, 0x46484142_24ac881b_3d0dc59b_466f96d0),
    standard("RFC 7919 ffdhe6144", 6144, 0x227ac906_6b3ddd9e_193670cd_a2388fa8),
    standard("RFC 7919 ffdhe8192", 8192, 0x770b14ef_af6f0499_29c52311_3b3fa99a),
    shared("Apache mod_ssl 2.0, 512 bits", 512, 0x3cdb020b_9ef298b2_f3f6cf5a_872af527),
    shared("Apache mod_ssl 2.0, 1024 bits", 1024, 0xf79d1db3_c955a28f_deca4626_70a0712e),
    shared("Apache mod_ssl 2.2, 512 bits", 512, 0xdb01e702_899166da_28c9bc78_96af62bc),
    shared("Apache mod_ssl 2.2, 1024 bits", 1024, 0xbf910d9d_f4e0b2e7_6cda7443_f592aa11),
    shared("nginx, 1024 bits", 1024, 0x8ae47dca_3d24e9b6_46400626_86da234d),
    shared("Java, 512 bits", 512, 0x73b391ec_8da33ee1_97aed17d_7cfce132),
    shared("Java, 768 bits", 768, 0xee5483fe_4b96caa1_0cb5b863_ec409aab),
    shared("Java, 1024 bits", 1024, 0xcc21a33d_d1a3edf4_0bf636b5_496e4aed),
    shared("OpenSSL dh512.pem", 512, 0xf26e2403_f3f07946_65440490_9f0ff81d),
    shared("OpenSSL dh1024.pem", 1024, 0x66d0bf38_b0bdfacf_2fdae33f_35102ab6),
    shared("OpenSSL, 2048 bits, first", 2048, 0x3166ce19_18000532_7a6059a2_e7a4ed22),
    shared("OpenSSL, 2048 bits, second", 2048, 0x9e348a94_71b7d123_aa97071e_38288379),
    shared("OpenSSL dh4096.pem", 4096, 0xce7728db_3aed1119_a82b9f17_b17df9f8),
    shared("HAProxy 1.5, 2048 bits", 2048, 0x7b6551ea_6ff09bd7_8c24bede_10980a15),
    shared("Postfix, 1024 bits", 1024, 0xef627d8c_c44144f3_6a075d8d_d8511bbd),
    shared("IronPort SMTPD, 1024 bits", 1024, 0xbfa876fe_4671a9c6_96c8e256_c13d7fad),
    shared("weakdh.org shared prime A", 1024, 0x74a5cce5_b6a93eb7_55e2f482_50dc7cb3),
    shared("weakdh.org shared prime B", 1024, 0x196085cb_4281d1ff_18efaad0_97bc1ec0),
    shared("weakdh.org shared prime C", 1024, 0x80571b97_f71f8972_7ab0c40b_b73b4f01),
    shared("weakdh.org shared prime D", 1024, 0x5f856a00_120eee6d_6b87ef8f_596aefbb),
    shared("weakdh.org shared prime E", 1024, 0xdeb67128_7187265a_5383df13_708d3a75),
    shared("weakdh.org shared prime F", 1024, 0xbc19c041_491e550f_381d0941_5a82e1b3),
    shared("weakdh.org shared prime G", 1024, 0xac0ff7a4_15f003c6_503d4c12_6f292976),
    shared("weakdh.org shared prime H", 1024, 0x2b07d24b_932aa7a0_15c45a3f_06e75ba7),
    shared("weakdh.org shared prime I", 1024, 0x8523c720_57043833_08991516_8751620b),
    shared("weakdh.org shared prime J", 1024, 0x52d4faa5_3003b834_9dac3e98_4a6423bc),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn lists_each_prime_and_name_once() {
        let primes: HashSet<_> = KNOWN_DH_GROUPS.iter().map(|group| group.prime).collect();
        let names: HashSet<_> = KNOWN_DH_GROUPS.iter().map(|group| group.name).collect();
        assert_eq!((primes.len(), names.len()), (KNOWN_DH_GROUPS.len(), KNOWN_DH_GROUPS.len()));
    }
}
