//! [`TrustStore`]: the roots a chain must lead to.

use std::collections::HashMap;

use crate::tls::x509::Certificate;

/// Root certificates, by name and key. Nothing is verified: a chain that leads here by its names and key identifiers
/// may still carry a forged signature, which a client would find and this does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustStore {
    by_subject: HashMap<Box<[u8]>, Vec<Root>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Root {
    spki_sha256: String,
    key_id: Option<String>,
}

impl TrustStore {
    /// A store of these roots. Certificates without a readable subject are left out, copies are kept once.
    pub fn new<'a>(roots: impl IntoIterator<Item = &'a Certificate>) -> Self {
        let mut store = Self::default();
        for root in roots {
            if !root.subject_der.is_empty() && !store.contains(root) {
                store
                    .by_subject
                    .entry(root.subject_der.clone())
                    .or_default()
                    .push(Root { spki_sha256: root.spki_sha256.clone(), key_id: root.subject_key_id.clone() });
            }
        }
        store
    }

    /// How many roots there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_subject.values().map(Vec::len).sum()
    }

    /// Whether there is no root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_subject.is_empty()
    }

    /// Whether a root has this certificate's name and key.
    #[must_use]
    pub fn contains(&self, certificate: &Certificate) -> bool {
        self.by_subject
            .get(&certificate.subject_der)
            .is_some_and(|roots| roots.iter().any(|root| root.spki_sha256 == certificate.spki_sha256))
    }

    /// Whether a root has the name of this certificate's issuer, and its key identifier where both have one.
    #[must_use]
    pub fn issued(&self, certificate: &Certificate) -> bool {
        self.by_subject.get(&certificate.issuer_der).is_some_and(|roots| {
            roots.iter().any(|root| match (&root.key_id, &certificate.authority_key_id) {
                (Some(key), Some(authority)) => key == authority,
                _ => true,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(name: &str, key: &str) -> Certificate {
        Certificate {
            subject_der: name.as_bytes().into(),
            issuer_der: name.as_bytes().into(),
            spki_sha256: key.to_owned(),
            subject_key_id: Some(key.to_owned()),
            ..Certificate::default()
        }
    }

    #[test]
    fn knows_a_root_by_name_and_key() {
        let store = TrustStore::new(&[root("a", "1"), root("a", "2"), root("a", "2"), Certificate::default()]);
        assert_eq!((store.len(), store.is_empty()), (2, false));
        assert!(store.contains(&root("a", "1")) && store.contains(&root("a", "2")));
        assert!(!store.contains(&root("a", "3")) && !store.contains(&root("b", "1")));
        assert!(!store.contains(&Certificate::default()) && TrustStore::default().is_empty());
    }

    #[test]
    fn knows_whom_its_roots_issued() {
        let store = TrustStore::new(&[root("a", "1")]);
        let leaf = |issuer: &str, authority: Option<&str>| Certificate {
            issuer_der: issuer.as_bytes().into(),
            authority_key_id: authority.map(str::to_owned),
            ..Certificate::default()
        };
        assert!(store.issued(&leaf("a", Some("1"))) && store.issued(&leaf("a", None)));
        assert!(!store.issued(&leaf("a", Some("2"))) && !store.issued(&leaf("b", Some("1"))));
    }
}
