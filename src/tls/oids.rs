//! Object identifiers that certificates use, by their DER content, and their names.

use super::x509::SignatureHash;

/// `(content, name, hash)` of signature algorithms (RFC 3279, 4055, 5758, 8410, 9881, 9909 and older practice).
const SIGNATURE_ALGORITHMS: &[(&[u8], &str, SignatureHash)] = &[
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02", "md2WithRSAEncryption", SignatureHash::Md2),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x03", "md4WithRSAEncryption", SignatureHash::Md4),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", "md5WithRSAEncryption", SignatureHash::Md5),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "sha1WithRSAEncryption", SignatureHash::Sha1),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "sha256WithRSAEncryption", SignatureHash::Strong),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", "sha384WithRSAEncryption", SignatureHash::Strong),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", "sha512WithRSAEncryption", SignatureHash::Strong),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e", "sha224WithRSAEncryption", SignatureHash::Strong),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0f", "sha512-224WithRSAEncryption", SignatureHash::Strong),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x10", "sha512-256WithRSAEncryption", SignatureHash::Strong),
    (b"\x2b\x0e\x03\x02\x02", "md4WithRSA", SignatureHash::Md4),
    (b"\x2b\x0e\x03\x02\x03", "md5WithRSA", SignatureHash::Md5),
    (b"\x2b\x0e\x03\x02\x04", "md4WithRSAEncryption", SignatureHash::Md4),
    (b"\x2b\x0e\x03\x02\x0f", "shaWithRSAEncryption", SignatureHash::Sha1),
    (b"\x2b\x0e\x03\x02\x1d", "sha1WithRSA", SignatureHash::Sha1),
    (b"\x2b\x24\x03\x03\x01\x02", "rsaSignatureWithripemd160", SignatureHash::Unknown),
    (b"\x2a\x86\x48\xce\x38\x04\x03", "dsa-with-SHA1", SignatureHash::Sha1),
    (b"\x2b\x0e\x03\x02\x0d", "dsaWithSHA", SignatureHash::Sha1),
    (b"\x2b\x0e\x03\x02\x1b", "dsaWithSHA1", SignatureHash::Sha1),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x01", "dsa-with-SHA224", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x02", "dsa-with-SHA256", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x03", "dsa-with-SHA384", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x04", "dsa-with-SHA512", SignatureHash::Strong),
    (b"\x2a\x86\x48\xce\x3d\x04\x01", "ecdsa-with-SHA1", SignatureHash::Sha1),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x01", "ecdsa-with-SHA224", SignatureHash::Strong),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x02", "ecdsa-with-SHA256", SignatureHash::Strong),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x03", "ecdsa-with-SHA384", SignatureHash::Strong),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x04", "ecdsa-with-SHA512", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x09", "ecdsa-with-SHA3-224", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x0a", "ecdsa-with-SHA3-256", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x0b", "ecdsa-with-SHA3-384", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x0c", "ecdsa-with-SHA3-512", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x0d", "RSA-SHA3-224", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x0e", "RSA-SHA3-256", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x0f", "RSA-SHA3-384", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x10", "RSA-SHA3-512", SignatureHash::Strong),
    (b"\x2a\x81\x1c\xcf\x55\x01\x83\x75", "SM2-with-SM3", SignatureHash::Strong),
    (b"\x2a\x85\x03\x02\x02\x03", "GOST R 34.11-94 with GOST R 34.10-2001", SignatureHash::Unknown),
    (b"\x2a\x85\x03\x07\x01\x01\x03\x02", "GOST R 34.10-2012 with GOST R 34.11-2012 (256 bit)", SignatureHash::Strong),
    (b"\x2a\x85\x03\x07\x01\x01\x03\x03", "GOST R 34.10-2012 with GOST R 34.11-2012 (512 bit)", SignatureHash::Strong),
];

/// RSASSA-PSS, whose hash is in its parameters.
pub(super) const RSASSA_PSS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";

/// Hash algorithms, as the parameters of RSASSA-PSS name them.
const HASHES: &[(&[u8], &str, SignatureHash)] = &[
    (b"\x2a\x86\x48\x86\xf7\x0d\x02\x02", "MD2", SignatureHash::Md2),
    (b"\x2a\x86\x48\x86\xf7\x0d\x02\x04", "MD4", SignatureHash::Md4),
    (b"\x2a\x86\x48\x86\xf7\x0d\x02\x05", "MD5", SignatureHash::Md5),
    (b"\x2b\x0e\x03\x02\x1a", "SHA1", SignatureHash::Sha1),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x01", "SHA256", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x02", "SHA384", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x03", "SHA512", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x04", "SHA224", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x08", "SHA3-256", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x09", "SHA3-384", SignatureHash::Strong),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x0a", "SHA3-512", SignatureHash::Strong),
];

/// Algorithms whose one identifier stands for key and signature alike, their hash built in (RFC 8410, 9881, 9909), and
/// keys that cannot sign.
const NAMED_KEYS: &[(&[u8], &str)] = &[
    (b"\x2b\x65\x6e", "X25519"),
    (b"\x2b\x65\x6f", "X448"),
    (b"\x2b\x65\x70", "Ed25519"),
    (b"\x2b\x65\x71", "Ed448"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x11", "ML-DSA-44"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x12", "ML-DSA-65"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x13", "ML-DSA-87"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x14", "SLH-DSA-SHA2-128s"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x15", "SLH-DSA-SHA2-128f"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x16", "SLH-DSA-SHA2-192s"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x17", "SLH-DSA-SHA2-192f"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x18", "SLH-DSA-SHA2-256s"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x19", "SLH-DSA-SHA2-256f"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x1a", "SLH-DSA-SHAKE-128s"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x1b", "SLH-DSA-SHAKE-128f"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x1c", "SLH-DSA-SHAKE-192s"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x1d", "SLH-DSA-SHAKE-192f"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x1e", "SLH-DSA-SHAKE-256s"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x1f", "SLH-DSA-SHAKE-256f"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01", "DH"),
    (b"\x2a\x86\x48\xce\x3e\x02\x01", "DH"),
    (b"\x2a\x85\x03\x02\x02\x13", "GOST R 34.10-2001"),
    (b"\x2a\x85\x03\x07\x01\x01\x01\x01", "GOST R 34.10-2012 (256 bit)"),
    (b"\x2a\x85\x03\x07\x01\x01\x01\x02", "GOST R 34.10-2012 (512 bit)"),
];

/// `(content, name, field size in bits)` of named curves (SEC 2, FIPS 186, RFC 5639, GB/T 32918).
const CURVES: &[(&[u8], &str, u32)] = &[
    (b"\x2a\x86\x48\xce\x3d\x03\x01\x07", "P-256", 256),
    (b"\x2b\x81\x04\x00\x22", "P-384", 384),
    (b"\x2b\x81\x04\x00\x23", "P-521", 521),
    (b"\x2a\x86\x48\xce\x3d\x03\x01\x01", "P-192", 192),
    (b"\x2b\x81\x04\x00\x21", "P-224", 224),
    (b"\x2b\x81\x04\x00\x0a", "secp256k1", 256),
    (b"\x2b\x81\x04\x00\x06", "secp112r1", 112),
    (b"\x2b\x81\x04\x00\x07", "secp112r2", 112),
    (b"\x2b\x81\x04\x00\x08", "secp160r1", 160),
    (b"\x2b\x81\x04\x00\x09", "secp160k1", 160),
    (b"\x2b\x81\x04\x00\x1c", "secp128r1", 128),
    (b"\x2b\x81\x04\x00\x1d", "secp128r2", 128),
    (b"\x2b\x81\x04\x00\x1e", "secp160r2", 160),
    (b"\x2b\x81\x04\x00\x1f", "secp192k1", 192),
    (b"\x2b\x81\x04\x00\x20", "secp224k1", 224),
    (b"\x2b\x81\x04\x00\x01", "sect163k1", 163),
    (b"\x2b\x81\x04\x00\x02", "sect163r1", 163),
    (b"\x2b\x81\x04\x00\x03", "sect239k1", 239),
    (b"\x2b\x81\x04\x00\x04", "sect113r1", 113),
    (b"\x2b\x81\x04\x00\x05", "sect113r2", 113),
    (b"\x2b\x81\x04\x00\x0f", "sect163r2", 163),
    (b"\x2b\x81\x04\x00\x10", "sect283k1", 283),
    (b"\x2b\x81\x04\x00\x11", "sect283r1", 283),
    (b"\x2b\x81\x04\x00\x16", "sect131r1", 131),
    (b"\x2b\x81\x04\x00\x17", "sect131r2", 131),
    (b"\x2b\x81\x04\x00\x18", "sect193r1", 193),
    (b"\x2b\x81\x04\x00\x19", "sect193r2", 193),
    (b"\x2b\x81\x04\x00\x1a", "sect233k1", 233),
    (b"\x2b\x81\x04\x00\x1b", "sect233r1", 233),
    (b"\x2b\x81\x04\x00\x24", "sect409k1", 409),
    (b"\x2b\x81\x04\x00\x25", "sect409r1", 409),
    (b"\x2b\x81\x04\x00\x26", "sect571k1", 571),
    (b"\x2b\x81\x04\x00\x27", "sect571r1", 571),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x01", "brainpoolP160r1", 160),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x02", "brainpoolP160t1", 160),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x03", "brainpoolP192r1", 192),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x04", "brainpoolP192t1", 192),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x05", "brainpoolP224r1", 224),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x06", "brainpoolP224t1", 224),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x07", "brainpoolP256r1", 256),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x08", "brainpoolP256t1", 256),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x09", "brainpoolP320r1", 320),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0a", "brainpoolP320t1", 320),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0b", "brainpoolP384r1", 384),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0c", "brainpoolP384t1", 384),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0d", "brainpoolP512r1", 512),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0e", "brainpoolP512t1", 512),
    (b"\x2a\x81\x1c\xcf\x55\x01\x82\x2d", "SM2", 256),
];

/// Short names of attributes of a distinguished name (RFC 4514 section 3, RFC 4519, and OpenSSL's beyond them).
const ATTRIBUTES: &[(&[u8], &str)] = &[
    (b"\x55\x04\x03", "CN"),
    (b"\x55\x04\x04", "SN"),
    (b"\x55\x04\x05", "serialNumber"),
    (b"\x55\x04\x06", "C"),
    (b"\x55\x04\x07", "L"),
    (b"\x55\x04\x08", "ST"),
    (b"\x55\x04\x09", "STREET"),
    (b"\x55\x04\x0a", "O"),
    (b"\x55\x04\x0b", "OU"),
    (b"\x55\x04\x0c", "title"),
    (b"\x55\x04\x0d", "description"),
    (b"\x55\x04\x0f", "businessCategory"),
    (b"\x55\x04\x11", "postalCode"),
    (b"\x55\x04\x29", "name"),
    (b"\x55\x04\x2a", "GN"),
    (b"\x55\x04\x2b", "initials"),
    (b"\x55\x04\x2c", "generationQualifier"),
    (b"\x55\x04\x2e", "dnQualifier"),
    (b"\x55\x04\x41", "pseudonym"),
    (b"\x55\x04\x61", "organizationIdentifier"),
    (b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID"),
    (b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", "unstructuredName"),
    (b"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01", "jurisdictionL"),
    (b"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02", "jurisdictionST"),
    (b"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03", "jurisdictionC"),
];

/// Purposes of extendedKeyUsage (RFC 5280 section 4.2.1.12).
const PURPOSES: &[(&[u8], &str)] = &[
    (b"\x55\x1d\x25\x00", "anyExtendedKeyUsage"),
    (b"\x2b\x06\x01\x05\x05\x07\x03\x01", "serverAuth"),
    (b"\x2b\x06\x01\x05\x05\x07\x03\x02", "clientAuth"),
    (b"\x2b\x06\x01\x05\x05\x07\x03\x03", "codeSigning"),
    (b"\x2b\x06\x01\x05\x05\x07\x03\x04", "emailProtection"),
    (b"\x2b\x06\x01\x05\x05\x07\x03\x08", "timeStamping"),
    (b"\x2b\x06\x01\x05\x05\x07\x03\x09", "OCSPSigning"),
    (b"\x2b\x06\x01\x04\x01\x82\x37\x0a\x03\x03", "msSGC"),
    (b"\x60\x86\x48\x01\x86\xf8\x42\x04\x01", "nsSGC"),
];

pub(super) const COMMON_NAME: &[u8] = b"\x55\x04\x03";

/// Kinds of keys whose parameters are read.
pub(super) mod key {
    pub(crate) const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
    pub(crate) const RSAES_OAEP: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07";
    /// id-ea-rsa of X.509 (1988).
    pub(crate) const RSA_OLD: &[u8] = b"\x55\x08\x01\x01";
    pub(crate) const DSA: &[u8] = b"\x2a\x86\x48\xce\x38\x04\x01";
    pub(crate) const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
    pub(crate) const EC_DH: &[u8] = b"\x2b\x81\x04\x01\x0c";
    pub(crate) const PRIME_FIELD: &[u8] = b"\x2a\x86\x48\xce\x3d\x01\x01";
}

/// Extensions that are read (RFC 5280 section 4.2, RFC 7633, RFC 6962).
pub(super) mod extension {
    pub(crate) const SUBJECT_KEY_IDENTIFIER: &[u8] = b"\x55\x1d\x0e";
    pub(crate) const KEY_USAGE: &[u8] = b"\x55\x1d\x0f";
    pub(crate) const SUBJECT_ALT_NAME: &[u8] = b"\x55\x1d\x11";
    pub(crate) const BASIC_CONSTRAINTS: &[u8] = b"\x55\x1d\x13";
    pub(crate) const AUTHORITY_KEY_IDENTIFIER: &[u8] = b"\x55\x1d\x23";
    pub(crate) const EXTENDED_KEY_USAGE: &[u8] = b"\x55\x1d\x25";
    pub(crate) const TLS_FEATURE: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x01\x18";
    pub(crate) const SIGNED_CERTIFICATE_TIMESTAMPS: &[u8] = b"\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02";
}

/// The name and hash of a signature algorithm other than RSASSA-PSS.
pub(super) fn signature_algorithm(identifier: &[u8]) -> Option<(&'static str, SignatureHash)> {
    let found =
        SIGNATURE_ALGORITHMS.iter().find(|(each, ..)| *each == identifier).map(|(_, name, hash)| (*name, *hash));
    found.or_else(|| named_key(identifier).map(|name| (name, SignatureHash::Strong)))
}

/// The name of a hash, and how it is judged.
pub(super) fn hash(identifier: &[u8]) -> Option<(&'static str, SignatureHash)> {
    HASHES.iter().find(|(each, ..)| *each == identifier).map(|(_, name, hash)| (*name, *hash))
}

/// The name of a kind of key without parameters to read.
pub(super) fn named_key(identifier: &[u8]) -> Option<&'static str> {
    name_in(NAMED_KEYS, identifier)
}

/// The name of a curve, and its field's size in bits.
pub(super) fn curve(identifier: &[u8]) -> Option<(&'static str, u32)> {
    CURVES.iter().find(|(each, ..)| *each == identifier).map(|(_, name, bits)| (*name, *bits))
}

/// The short name of an attribute.
pub(super) fn attribute(identifier: &[u8]) -> Option<&'static str> {
    name_in(ATTRIBUTES, identifier)
}

/// The name of a purpose.
pub(super) fn purpose(identifier: &[u8]) -> Option<&'static str> {
    name_in(PURPOSES, identifier)
}

fn name_in(table: &[(&[u8], &'static str)], identifier: &[u8]) -> Option<&'static str> {
    table.iter().find(|(each, _)| *each == identifier).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::tls::der::dotted;

    #[test]
    fn lists_each_identifier_once() {
        let signatures =
            SIGNATURE_ALGORITHMS.iter().map(|(each, ..)| *each).chain(NAMED_KEYS.iter().map(|(each, _)| *each));
        let tables: [Vec<&[u8]>; 5] = [
            signatures.collect(),
            HASHES.iter().map(|(each, ..)| *each).collect(),
            CURVES.iter().map(|(each, ..)| *each).collect(),
            ATTRIBUTES.iter().map(|(each, _)| *each).collect(),
            PURPOSES.iter().map(|(each, _)| *each).collect(),
        ];
        for table in tables {
            let unique: HashSet<_> = table.iter().collect();
            assert_eq!(unique.len(), table.len());
            for identifier in table {
                assert!(!dotted(identifier).starts_with('#'), "{identifier:02x?}");
            }
        }
    }

    #[test]
    fn names_by_the_registered_arcs() {
        assert_eq!(dotted(extension::TLS_FEATURE), "1.3.6.1.5.5.7.1.24");
        assert_eq!(dotted(extension::SIGNED_CERTIFICATE_TIMESTAMPS), "1.3.6.1.4.1.11129.2.4.2");
        assert_eq!(dotted(key::EC), "1.2.840.10045.2.1");
        assert_eq!(dotted(key::DSA), "1.2.840.10040.4.1");
        assert_eq!(dotted(RSASSA_PSS), "1.2.840.113549.1.1.10");
    }
}
