//! [`Limits`]: what a policy says, made ready to be looked up by number.

use super::form::{Form, List, Pattern, Registry, Version};
use crate::tls::codepoints::{ExtensionType, ProtocolVersion};

/// A set of 16-bit code points, one bit each.
#[derive(Clone)]
pub(super) struct CodePoints(Box<[u64]>);

impl CodePoints {
    fn none() -> Self {
        Self(vec![0; 1024].into())
    }

    fn all() -> Self {
        Self(vec![u64::MAX; 1024].into())
    }

    pub(super) fn contains(&self, value: u16) -> bool {
        self.0.get(usize::from(value / 64)).is_some_and(|word| word >> (value % 64) & 1 == 1)
    }

    fn set(&mut self, value: u16, is_in: bool) {
        if let Some(word) = self.0.get_mut(usize::from(value / 64)) {
            *word = *word & !(1 << (value % 64)) | u64::from(is_in) << (value % 64);
        }
    }
}

/// What may be, where anything is said of it.
#[derive(Clone)]
pub(super) struct Limits {
    /// A bit a version, in the order of [`Version::ALL`].
    versions: Option<u8>,
    pub(super) suites: Option<CodePoints>,
    /// Cipher kinds of SSL 2.0 that may be used, where [`Self::suites`] says something.
    pub(super) sslv2_kinds: Vec<u32>,
    pub(super) groups: Option<CodePoints>,
    pub(super) schemes: Option<CodePoints>,
    pub(super) forbidden_extensions: Vec<ExtensionType>,
    pub(super) no_compression: bool,
    pub(super) extended_master_secret: bool,
    pub(super) secure_renegotiation: bool,
    pub(super) encrypt_then_mac: bool,
    pub(super) post_quantum: bool,
    pub(super) dh_min_bits: Option<u32>,
}

impl Limits {
    pub(super) fn of(form: &Form) -> Self {
        let (allow, forbid, require) = (&form.allow, &form.forbid, &form.require);
        let mut kinds = values(allow.cipher_suites.as_ref())
            .unwrap_or_else(|| super::form::Suites::all().into_iter().map(|(value, _)| value).collect());
        let forbidden = values(forbid.cipher_suites.as_ref()).unwrap_or_default();
        kinds.retain(|kind| *kind > 0xffff && !forbidden.contains(kind));
        Self {
            versions: versions(form),
            suites: code_points(allow.cipher_suites.as_ref(), forbid.cipher_suites.as_ref()),
            sslv2_kinds: kinds,
            groups: code_points(allow.groups.as_ref(), forbid.groups.as_ref()),
            schemes: code_points(allow.signature_schemes.as_ref(), forbid.signature_schemes.as_ref()),
            forbidden_extensions: values(forbid.extensions.as_ref())
                .unwrap_or_default()
                .into_iter()
                .filter_map(|value| u16::try_from(value).ok().map(ExtensionType))
                .collect(),
            no_compression: forbid.compression == Some(true),
            extended_master_secret: require.extended_master_secret == Some(true),
            secure_renegotiation: require.secure_renegotiation == Some(true),
            encrypt_then_mac: require.encrypt_then_mac == Some(true),
            post_quantum: require.post_quantum == Some(true),
            dh_min_bits: form.key_exchange.dh_min_bits,
        }
    }

    /// Whether anything is said of versions.
    pub(super) const fn has_versions(&self) -> bool {
        self.versions.is_some()
    }

    /// Whether `version` may be used, by the TLS it is made from. A number that is no version is not allowed.
    pub(super) fn allows(&self, version: ProtocolVersion) -> bool {
        let Some(versions) = self.versions else { return true };
        place(version).is_some_and(|place| versions >> place & 1 == 1)
    }

    /// Whether TLS 1.3 may be used.
    pub(super) fn allows_tls13(&self) -> bool {
        self.allows(ProtocolVersion::TLS13)
    }

    /// Whether any version below TLS 1.3 may be used.
    pub(super) fn allows_before_tls13(&self) -> bool {
        self.versions.is_none_or(|versions| versions & 0b1_1111 != 0)
    }
}

/// The place of a version in [`Version::ALL`].
pub(super) fn place(version: ProtocolVersion) -> Option<usize> {
    let version = version.tls_equivalent();
    Version::ALL.iter().position(|known| *known == version)
}

fn versions(form: &Form) -> Option<u8> {
    let bits =
        |list: &List<Version>| list.iter().filter_map(|version| place(version.0)).fold(0, |set, at| set | 1 << at);
    match (&form.allow.versions, &form.forbid.versions) {
        (None, None) => None,
        (allowed, forbidden) => Some(allowed.as_ref().map_or(u8::MAX, bits) & !forbidden.as_ref().map_or(0, bits)),
    }
}

fn values<R: Registry>(list: Option<&List<Pattern<R>>>) -> Option<Vec<u32>> {
    list.map(|list| list.iter().flat_map(Pattern::values).collect())
}

fn code_points<R: Registry>(
    allowed: Option<&List<Pattern<R>>>,
    forbidden: Option<&List<Pattern<R>>>,
) -> Option<CodePoints> {
    let (allowed, forbidden) = (values(allowed), values(forbidden));
    if allowed.is_none() && forbidden.is_none() {
        return None;
    }
    let mut set = if allowed.is_some() { CodePoints::none() } else { CodePoints::all() };
    for (list, is_in) in [(allowed, true), (forbidden, false)] {
        for value in list.into_iter().flatten().filter_map(|value| u16::try_from(value).ok()) {
            set.set(value, is_in);
        }
    }
    Some(set)
}
