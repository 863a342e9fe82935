//! What the server's certificates say of a policy.

use super::Policy;
use super::check::{Part, RESUMED, no_server_hello};
use super::form::{self, Hash};
use crate::flow::facts::Facts;
use crate::tls::certificate::{Certificate, PublicKey};
use crate::tls::codepoints::Authentication;

const DAY: u64 = 86_400;

impl Policy {
    /// Keys are judged in every certificate; what is signed over in all but a root's own signature; type, curve,
    /// signature algorithm, version and dates in the server's own.
    pub(super) fn certificate(&self, facts: &Facts) -> Part {
        let asked = &self.form.certificate;
        if *asked == form::Certificate::default() {
            return Part::default();
        }
        let Some(selection) = &facts.selection else { return Part::unknown("certificate", no_server_hello(facts)) };
        if selection.version.is_tls13_family() {
            return Part::unknown("certificate", "TLS 1.3 encrypts the certificate");
        }
        if facts.resumed == Some(true) {
            return Part::unknown("certificate", RESUMED);
        }
        let Some(chain) = facts.certificates.as_ref().filter(|chain| !chain.is_empty()) else {
            use Authentication as A;
            let bare = selection.cipher_suite.and_then(|suite| suite.parts()).is_some_and(|parts| {
                matches!(parts.authentication, A::Null | A::Anonymous | A::Psk | A::Krb5 | A::Srp | A::Eccpwd)
            });
            let reason = if bare { "the suite has no certificate" } else { "no Certificate in the capture" };
            return Part::unknown("certificate", reason);
        };
        let mut part = Part::default();
        for (position, certificate) in chain.iter().enumerate() {
            let first = part.violations.len();
            key(asked, certificate, &mut part);
            if position == 0 {
                own(asked, certificate, facts, &mut part);
            }
            if position == 0 || !certificate.is_self_issued() {
                hash(asked, certificate, &mut part);
            }
            for violation in part.violations.iter_mut().skip(first) {
                violation.certificate = Some(position);
            }
        }
        part.unknown.dedup();
        part
    }
}

fn key(asked: &form::Certificate, certificate: &Certificate, part: &mut Part) {
    let (bits, least) = match certificate.key {
        PublicKey::Rsa { bits, .. } => (bits, asked.rsa_min_bits),
        PublicKey::Ec { bits, .. } => (bits, asked.ec_min_bits),
        PublicKey::Unreadable if asked.rsa_min_bits.is_some() || asked.ec_min_bits.is_some() => {
            part.hide("certificate_key_bits", UNREADABLE);
            return;
        }
        _ => return,
    };
    match least {
        // A curve that is not known has no size.
        Some(_) if bits == 0 => part.hide("certificate_key_bits", "a curve of which nothing is known"),
        Some(least) if bits < least => {
            part.violate_limit("certificate_key_bits", certificate.key.to_string(), least);
        }
        _ => {}
    }
}

const UNREADABLE: &str = "a certificate that cannot be read";

/// What is asked of the server's own certificate.
fn own(asked: &form::Certificate, certificate: &Certificate, facts: &Facts, part: &mut Part) {
    let key = &certificate.key;
    if let Some(types) = &asked.key_types {
        let name = match key {
            PublicKey::Rsa { .. } => Some("RSA"),
            PublicKey::Ec { .. } => Some("EC"),
            PublicKey::Dsa { .. } => Some("DSA"),
            PublicKey::Other(name) => Some(name.as_str()),
            PublicKey::Unreadable => None,
        };
        match name {
            Some(name) if !types.iter().any(|allowed| allowed.0 == name) => {
                part.violate("certificate_key_type", key.to_string());
            }
            Some(_) => {}
            None => part.hide("certificate_key_type", UNREADABLE),
        }
    }
    if let (Some(curves), PublicKey::Ec { curve, .. }) = (&asked.curves, key)
        && !curve.as_ref().is_some_and(|curve| curves.iter().any(|allowed| allowed == curve))
    {
        part.violate("certificate_curve", key.to_string());
    }
    if let Some(signatures) = &asked.signatures {
        let signature = &certificate.signature;
        if signature.is_empty() {
            part.hide("certificate_signature", UNREADABLE);
        } else if !signatures.iter().any(|allowed| allowed == signature) {
            part.violate("certificate_signature", signature.clone());
        }
    }
    if let Some(least) = asked.x509_min_version.filter(|least| certificate.version < *least) {
        if certificate.version == 0 {
            part.hide("certificate_version", UNREADABLE);
        } else {
            part.violate_limit("certificate_version", certificate.version, least);
        }
    }
    let lifetime = certificate.not_after.since(certificate.not_before).as_secs();
    if let Some(most) = asked.max_days.filter(|most| lifetime > u64::from(*most) * DAY) {
        let days = i64::try_from(lifetime.div_ceil(DAY)).unwrap_or(i64::MAX);
        part.violate_limit("certificate_days", days, most);
    }
    if asked.in_date == Some(true) {
        if facts.started < certificate.not_before {
            part.violate("certificate_not_before", certificate.not_before);
        }
        if facts.started > certificate.not_after {
            part.violate("certificate_not_after", certificate.not_after);
        }
    }
}

fn hash(asked: &form::Certificate, certificate: &Certificate, part: &mut Part) {
    if asked.hash_min_bits.is_none() && asked.forbid_hashes.is_none() {
        return;
    }
    match hash_of(&certificate.signature) {
        Some(Digest::BuiltIn) => {}
        Some(Digest::Of(name, bits)) => {
            let forbidden =
                asked.forbid_hashes.as_ref().is_some_and(|hashes| hashes.iter().any(|hash| Some(*hash) == name));
            let short = asked.hash_min_bits.filter(|least| bits < *least);
            if forbidden || short.is_some() {
                match short {
                    Some(least) => part.violate_limit("certificate_hash", certificate.signature.clone(), least),
                    None => part.violate("certificate_hash", certificate.signature.clone()),
                }
            }
        }
        None => part.hide("certificate_hash", "a signature algorithm of which nothing is known"),
    }
}

/// What a signature is made over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    /// A hash of so many bits, and its name where a policy can forbid it.
    Of(Option<Hash>, u16),
    /// The algorithm has its own.
    BuiltIn,
}

/// The hash in the name of a signature algorithm.
fn hash_of(signature: &str) -> Option<Digest> {
    const PARTS: [(&str, Option<Hash>, u16); 17] = [
        ("512-224", None, 224),
        ("512-256", None, 256),
        ("SHA3-224", None, 224),
        ("SHA3-256", None, 256),
        ("SHA3-384", None, 384),
        ("SHA3-512", None, 512),
        ("SHA224", Some(Hash::Sha224), 224),
        ("SHA256", Some(Hash::Sha256), 256),
        ("SHA384", Some(Hash::Sha384), 384),
        ("SHA512", Some(Hash::Sha512), 512),
        ("MD2", Some(Hash::Md2), 128),
        ("MD4", Some(Hash::Md4), 128),
        ("MD5", Some(Hash::Md5), 128),
        ("RIPEMD160", None, 160),
        ("SM3", None, 256),
        ("SHA1", Some(Hash::Sha1), 160),
        ("SHA", Some(Hash::Sha1), 160),
    ];
    let built_in = ["Ed25519", "Ed448", "ML-DSA-", "SLH-DSA-"];
    if built_in.iter().any(|name| signature.starts_with(name)) {
        return Some(Digest::BuiltIn);
    }
    if signature.starts_with("GOST") {
        return Some(Digest::Of(None, if signature.contains("(512 bit)") { 512 } else { 256 }));
    }
    let signature = signature.to_ascii_uppercase();
    PARTS.iter().find(|(part, ..)| signature.contains(part)).map(|(_, name, bits)| Digest::Of(*name, *bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_from_the_names_of_signatures() {
        for (signature, name, bits) in [
            ("md2WithRSAEncryption", Some(Hash::Md2), 128),
            ("md5WithRSA", Some(Hash::Md5), 128),
            ("sha1WithRSAEncryption", Some(Hash::Sha1), 160),
            ("shaWithRSAEncryption", Some(Hash::Sha1), 160),
            ("dsaWithSHA", Some(Hash::Sha1), 160),
            ("sha512-224WithRSAEncryption", None, 224),
            ("sha384WithRSAEncryption", Some(Hash::Sha384), 384),
            ("ecdsa-with-SHA3-256", None, 256),
            ("RSASSA-PSS with SHA256", Some(Hash::Sha256), 256),
            ("SM2-with-SM3", None, 256),
            ("GOST R 34.10-2012 with GOST R 34.11-2012 (512 bit)", None, 512),
        ] {
            assert_eq!(hash_of(signature), Some(Digest::Of(name, bits)), "{signature}");
        }
        assert_eq!(hash_of("Ed25519"), Some(Digest::BuiltIn));
        assert_eq!(hash_of("ML-DSA-87"), Some(Digest::BuiltIn));
        assert_eq!(hash_of("1.2.3.4"), None);
        assert_eq!(hash_of(""), None);
    }
}
