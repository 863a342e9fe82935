//! The TOML form of a policy: what its file says, checked value by value.
//!
//! A value that makes no sense is refused while it is read, so that the error points at its line.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize, de};
use toml::Spanned;

use crate::error::Error;
use crate::findings::glob::matches;
use crate::tls::codepoints::{
    CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme, SslV2CipherSpec,
};

/// What a policy file says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    pub(super) id: Id,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) kind: Kind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) aliases: Vec<Id>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) date: Option<Date>,
    #[serde(default)]
    pub(super) verification: Verification,
    /// Gone once what it names has been taken over.
    #[serde(default, skip_serializing)]
    pub(super) extends: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) not_checked: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) switches_on: Option<Vec<Switch>>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) allow: Allow,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) forbid: Forbid,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) require: Require,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) key_exchange: KeyExchange,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) certificate: Certificate,
}

/// What may be used; anything where a list is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Allow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) versions: Option<List<Version>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cipher_suites: Option<List<Pattern<Suites>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) groups: Option<List<Pattern<Groups>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signature_schemes: Option<List<Pattern<Schemes>>>,
}

/// What may not be used, even where it is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forbid {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) versions: Option<List<Version>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cipher_suites: Option<List<Pattern<Suites>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) groups: Option<List<Pattern<Groups>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signature_schemes: Option<List<Pattern<Schemes>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) extensions: Option<List<Pattern<Extensions>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) compression: Option<bool>,
}

/// What has to be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Require {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) extended_master_secret: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secure_renegotiation: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) encrypt_then_mac: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) post_quantum: Option<bool>,
}

/// What is asked of keys that are agreed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyExchange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dh_min_bits: Option<u32>,
}

/// What is asked of certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Certificate {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key_types: Option<List<KeyType>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rsa_min_bits: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ec_min_bits: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) curves: Option<List<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signatures: Option<List<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hash_min_bits: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) forbid_hashes: Option<List<Hash>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) x509_min_version: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) in_date: Option<bool>,
}

impl Form {
    /// Reads a policy file; `origin` is its name in errors.
    pub(super) fn parse(origin: &str, text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| Error::in_file(origin, text, error.span(), error.message()))
    }

    /// The file again, what it extends taken over.
    pub(super) fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// Takes over from `base` what this one does not say.
    pub(super) fn extend(&mut self, base: &Self) {
        fn take<T: Clone>(own: &mut Option<T>, base: &Option<T>) {
            if own.is_none() {
                own.clone_from(base);
            }
        }
        self.extends = None;
        take(&mut self.not_checked, &base.not_checked);
        take(&mut self.switches_on, &base.switches_on);
        take(&mut self.allow.versions, &base.allow.versions);
        take(&mut self.allow.cipher_suites, &base.allow.cipher_suites);
        take(&mut self.allow.groups, &base.allow.groups);
        take(&mut self.allow.signature_schemes, &base.allow.signature_schemes);
        take(&mut self.forbid.versions, &base.forbid.versions);
        take(&mut self.forbid.cipher_suites, &base.forbid.cipher_suites);
        take(&mut self.forbid.groups, &base.forbid.groups);
        take(&mut self.forbid.signature_schemes, &base.forbid.signature_schemes);
        take(&mut self.forbid.extensions, &base.forbid.extensions);
        take(&mut self.forbid.compression, &base.forbid.compression);
        take(&mut self.require.extended_master_secret, &base.require.extended_master_secret);
        take(&mut self.require.secure_renegotiation, &base.require.secure_renegotiation);
        take(&mut self.require.encrypt_then_mac, &base.require.encrypt_then_mac);
        take(&mut self.require.post_quantum, &base.require.post_quantum);
        take(&mut self.key_exchange.dh_min_bits, &base.key_exchange.dh_min_bits);
        take(&mut self.certificate.key_types, &base.certificate.key_types);
        take(&mut self.certificate.rsa_min_bits, &base.certificate.rsa_min_bits);
        take(&mut self.certificate.ec_min_bits, &base.certificate.ec_min_bits);
        take(&mut self.certificate.curves, &base.certificate.curves);
        take(&mut self.certificate.signatures, &base.certificate.signatures);
        take(&mut self.certificate.hash_min_bits, &base.certificate.hash_min_bits);
        take(&mut self.certificate.forbid_hashes, &base.certificate.forbid_hashes);
        take(&mut self.certificate.x509_min_version, &base.certificate.x509_min_version);
        take(&mut self.certificate.max_days, &base.certificate.max_days);
        take(&mut self.certificate.in_date, &base.certificate.in_date);
    }

    /// Asks for what `other` asks for, too.
    ///
    /// # Errors
    /// Names what the two leave nothing of.
    pub(super) fn and(&mut self, other: &Self) -> Result<(), Error> {
        let (one, two) = (self.id.0.clone(), other.id.0.clone());
        let nothing =
            |what: &str| Error::Configuration(format!("{one} and {two} have no {what} in common: nothing complies"));
        self.allow.versions =
            common(self.allow.versions.take(), &other.allow.versions).ok_or_else(|| nothing("version"))?;
        self.allow.cipher_suites = common_names(self.allow.cipher_suites.take(), &other.allow.cipher_suites)
            .ok_or_else(|| nothing("cipher suite"))?;
        self.allow.groups =
            common_names(self.allow.groups.take(), &other.allow.groups).ok_or_else(|| nothing("group"))?;
        self.allow.signature_schemes =
            common_names(self.allow.signature_schemes.take(), &other.allow.signature_schemes)
                .ok_or_else(|| nothing("signature scheme"))?;
        both(&mut self.forbid.versions, &other.forbid.versions);
        both(&mut self.forbid.cipher_suites, &other.forbid.cipher_suites);
        both(&mut self.forbid.groups, &other.forbid.groups);
        both(&mut self.forbid.signature_schemes, &other.forbid.signature_schemes);
        both(&mut self.forbid.extensions, &other.forbid.extensions);
        either(&mut self.forbid.compression, other.forbid.compression);
        either(&mut self.require.extended_master_secret, other.require.extended_master_secret);
        either(&mut self.require.secure_renegotiation, other.require.secure_renegotiation);
        either(&mut self.require.encrypt_then_mac, other.require.encrypt_then_mac);
        either(&mut self.require.post_quantum, other.require.post_quantum);
        higher(&mut self.key_exchange.dh_min_bits, other.key_exchange.dh_min_bits);
        let (mine, theirs) = (&mut self.certificate, &other.certificate);
        mine.key_types = common(mine.key_types.take(), &theirs.key_types).ok_or_else(|| nothing("key type"))?;
        mine.curves = common(mine.curves.take(), &theirs.curves).ok_or_else(|| nothing("curve"))?;
        mine.signatures =
            common(mine.signatures.take(), &theirs.signatures).ok_or_else(|| nothing("certificate signature"))?;
        higher(&mut mine.rsa_min_bits, theirs.rsa_min_bits);
        higher(&mut mine.ec_min_bits, theirs.ec_min_bits);
        higher(&mut mine.hash_min_bits, theirs.hash_min_bits);
        higher(&mut mine.x509_min_version, theirs.x509_min_version);
        both(&mut mine.forbid_hashes, &theirs.forbid_hashes);
        mine.max_days = [mine.max_days, theirs.max_days].into_iter().flatten().min();
        either(&mut mine.in_date, theirs.in_date);

        self.id = Id(format!("{one}+{two}"));
        if other.kind == Kind::Policy {
            self.kind = Kind::Policy;
        }
        self.aliases.clear();
        for (own, added) in
            [(&mut self.title, &other.title), (&mut self.version, &other.version), (&mut self.source, &other.source)]
        {
            if !added.is_empty() {
                let gap = if own.is_empty() { "" } else { "; " };
                *own = format!("{own}{gap}{added}");
            }
        }
        self.date = self.date.take().max(other.date.clone());
        self.verification = self.verification.max(other.verification);
        self.notes.extend(other.notes.iter().cloned());
        for (own, added) in [(&mut self.not_checked, &other.not_checked)] {
            if let Some(added) = added {
                own.get_or_insert_default().extend(added.iter().cloned());
            }
        }
        if let Some(added) = &other.switches_on {
            self.switches_on.get_or_insert_default().extend(added);
        }
        Ok(())
    }
}

/// What both lists have, where there are two; `None` where that is nothing.
fn common<T: PartialEq + Clone>(one: Option<List<T>>, other: &Option<List<T>>) -> Option<Option<List<T>>> {
    match (one, other) {
        (Some(List(one)), Some(List(other))) => {
            let kept: Vec<T> = one.into_iter().filter(|item| other.contains(item)).collect();
            (!kept.is_empty()).then_some(Some(List(kept)))
        }
        (one, other) => Some(one.or_else(|| other.clone())),
    }
}

/// The same for names, which may be patterns. The outer option is the error, the inner the missing list.
fn common_names<R: Registry>(
    one: Option<List<Pattern<R>>>,
    other: &Option<List<Pattern<R>>>,
) -> Option<Option<List<Pattern<R>>>> {
    match (one, other) {
        (Some(one), Some(other)) => {
            let allowed: Vec<u32> = other.0.iter().flat_map(Pattern::values).collect();
            let mut kept: Vec<Pattern<R>> = Vec::new();
            for value in one.0.iter().flat_map(Pattern::values) {
                let pattern = Pattern(R::text(value), PhantomData);
                if allowed.contains(&value) && !kept.contains(&pattern) {
                    kept.push(pattern);
                }
            }
            (!kept.is_empty()).then_some(Some(List(kept)))
        }
        (one, other) => Some(one.or_else(|| other.clone())),
    }
}

fn both<T: PartialEq + Clone>(own: &mut Option<List<T>>, other: &Option<List<T>>) {
    if let Some(List(other)) = other {
        let List(own) = own.get_or_insert_with(|| List(Vec::new()));
        for item in other {
            if !own.contains(item) {
                own.push(item.clone());
            }
        }
    }
}

fn either(own: &mut Option<bool>, other: Option<bool>) {
    if other == Some(true) {
        *own = other;
    }
}

fn higher<T: Ord + Copy>(own: &mut Option<T>, other: Option<T>) {
    *own = (*own).max(other);
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A list that names something: an empty one would let nothing through.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Vec<T>", bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> TryFrom<Vec<T>> for List<T> {
    type Error = &'static str;

    fn try_from(list: Vec<T>) -> Result<Self, Self::Error> {
        if list.is_empty() { Err("an empty list: leave it out to say nothing") } else { Ok(Self(list)) }
    }
}

impl<T> List<T> {
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

/// Text that is checked where it stands, so that an error points at it and not at the list around it.
pub(crate) struct Checked<T>(pub(crate) PhantomData<T>);

impl<T: FromStr<Err = String>> de::Visitor<'_> for Checked<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! text_form {
    ($type:ty $(, $parameter:ident: $bound:ident)?) => {
        impl<'de $(, $parameter: $bound)?> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::policy::Checked(std::marker::PhantomData))
            }
        }
    };
}

/// The name of a policy: lower-case letters, digits, dots, hyphens, and `+` inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Id(pub(super) String);

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".+-_".contains(&byte);
        let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        if bytes.iter().all(|byte| sound(*byte)) && ends(bytes.first()) && ends(bytes.last()) && !is_path(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("{text:?} is no name for a policy: lower-case letters, digits, dots and hyphens"))
        }
    }
}

pub(crate) use text_form;

text_form!(Id);

/// Whether a part of a policy expression names a file: it ends in `.toml`, or has a `/` or a `\` in it.
#[must_use]
pub fn is_path(text: &str) -> bool {
    text.ends_with(".toml") || text.contains(['/', '\\'])
}

/// What kind of policy it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A whole one.
    #[default]
    Policy,
    /// One demand, to be added to others.
    Atom,
}

/// How far a policy's lists were compared with their source. Worse is later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verification {
    /// Read from the source that is named.
    Fetched,
    /// Read from another project's encoding of the source.
    FetchedSecondary,
    /// A user's own: it is its own source.
    #[default]
    Own,
    /// The source is a draft.
    Draft,
    /// Goes beyond what the source says, in its spirit.
    ProjectExtension,
    /// The source has no list; this is a reading of its words.
    Interpretation,
    /// Written down from knowledge of the source, not compared with it.
    AuthorKnowledge,
    /// What changed since a verified version is known from reports only.
    DeltaUnverified,
}

impl Verification {
    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fetched => "fetched",
            Self::FetchedSecondary => "fetched-secondary",
            Self::Own => "own",
            Self::Draft => "draft",
            Self::ProjectExtension => "project-extension",
            Self::Interpretation => "interpretation",
            Self::AuthorKnowledge => "author-knowledge",
            Self::DeltaUnverified => "delta-unverified",
        }
    }

    /// What it means, for a person.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Fetched => "read from the source",
            Self::FetchedSecondary => "read from another project's encoding of the source",
            Self::Own => "your own",
            Self::Draft => "the source is a draft",
            Self::ProjectExtension => "goes beyond the source, in its spirit",
            Self::Interpretation => "a reading of the source, which has no list",
            Self::AuthorKnowledge => "from knowledge of the source, not compared with it",
            Self::DeltaUnverified => "what changed since the version before is known from reports only",
        }
    }
}

/// A rule that is off unless a policy needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Switch {
    /// PQ010.
    Cnsa2,
    /// CERT006.
    #[serde(rename = "rsa-3000")]
    Rsa3000,
}

/// A year, a month or a day: `2026`, `2026-07`, `2026-07-31`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Date(pub(super) String);

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('-').collect();
        let number = |part: &&str, digits: usize, from: u16, to: u16| {
            part.len() == digits && part.parse().is_ok_and(|number: u16| (from..=to).contains(&number))
        };
        let sound = match parts.as_slice() {
            [year] => number(year, 4, 1990, 2999),
            [year, month] => number(year, 4, 1990, 2999) && number(month, 2, 1, 12),
            [year, month, day] => number(year, 4, 1990, 2999) && number(month, 2, 1, 12) && number(day, 2, 1, 31),
            _ => false,
        };
        if sound { Ok(Self(text.to_owned())) } else { Err(format!("{text:?} is no date like 2026-07-31 or 2026-07")) }
    }
}

text_form!(Date);

/// A version of SSL or TLS. DTLS is judged as the TLS it is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "&'static str")]
pub(super) struct Version(pub(super) ProtocolVersion);

impl Version {
    /// Every version a policy can name.
    pub(super) const ALL: [ProtocolVersion; 6] = [
        ProtocolVersion::SSL2,
        ProtocolVersion::SSL3,
        ProtocolVersion::TLS10,
        ProtocolVersion::TLS11,
        ProtocolVersion::TLS12,
        ProtocolVersion::TLS13,
    ];
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |version: &ProtocolVersion| version.name().is_some_and(|name| name.eq_ignore_ascii_case(text));
        Self::ALL.into_iter().find(named).map(Self).ok_or_else(|| {
            format!("no version is called {text:?}; there are SSLv2, SSLv3, TLSv1.0, TLSv1.1, TLSv1.2 and TLSv1.3")
        })
    }
}

text_form!(Version);

impl From<Version> for &'static str {
    fn from(version: Version) -> Self {
        version.0.name().unwrap_or_default()
    }
}

/// The type of a certificate's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct KeyType(pub(super) String);

impl FromStr for KeyType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const ALL: [&str; 8] = ["RSA", "EC", "DSA", "Ed25519", "Ed448", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];
        ALL.into_iter()
            .find(|name| name.eq_ignore_ascii_case(text))
            .map(|name| Self(name.to_owned()))
            .ok_or_else(|| format!("no type of key is called {text:?}; there are {}", ALL.join(", ")))
    }
}

text_form!(KeyType);

/// The hash of a certificate's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Hash {
    #[serde(rename = "MD2")]
    Md2,
    #[serde(rename = "MD4")]
    Md4,
    #[serde(rename = "MD5")]
    Md5,
    #[serde(rename = "SHA-1")]
    Sha1,
    #[serde(rename = "SHA-224")]
    Sha224,
    #[serde(rename = "SHA-256")]
    Sha256,
    #[serde(rename = "SHA-384")]
    Sha384,
    #[serde(rename = "SHA-512")]
    Sha512,
}

/// Where the names of a list come from.
pub(super) trait Registry: Clone {
    /// What its values are called, `cipher suite`.
    const WHAT: &'static str;

    /// Every named value.
    fn all() -> Vec<(u32, &'static str)>;

    /// A value as text that reads back as it.
    fn text(value: u32) -> String {
        let named = Self::all().into_iter().find(|(known, _)| *known == value);
        named.map_or_else(|| format!("0x{value:04X}"), |(_, name)| name.to_owned())
    }
}

macro_rules! registries {
    ($($name:ident $what:literal $type:ident;)*) => {
        $(
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(super) struct $name;

            impl Registry for $name {
                const WHAT: &'static str = $what;

                fn all() -> Vec<(u32, &'static str)> {
                    $type::all().filter_map(|value| Some((value.0.into(), value.name()?))).collect()
                }
            }
        )*
    };
}

registries! {
    Groups "group" NamedGroup;
    Schemes "signature scheme" SignatureScheme;
    Extensions "extension" ExtensionType;
}

/// Suites of TLS, and the cipher kinds of SSL 2.0, whose values are above 0xFFFF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suites;

impl Registry for Suites {
    const WHAT: &'static str = "cipher suite";

    fn all() -> Vec<(u32, &'static str)> {
        let tls = CipherSuite::all().filter(|suite| !suite.is_scsv());
        let tls = tls.filter_map(|suite| Some((u32::from(suite.0), suite.name()?)));
        tls.chain(SslV2CipherSpec::all().filter_map(|kind| Some((kind.0, kind.name()?)))).collect()
    }
}

/// A name of a registry, names with `*` for any text, or a value like `0xC02F`.
#[derive(Debug)]
pub(super) struct Pattern<R>(String, PhantomData<R>);

// Derived, these would ask the same of the registry.
impl<R> Clone for Pattern<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<R> PartialEq for Pattern<R> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<R> Eq for Pattern<R> {}

impl<R> Serialize for Pattern<R> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<R> fmt::Display for Pattern<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<R: Registry> Pattern<R> {
    /// The values it stands for.
    pub(super) fn values(&self) -> Vec<u32> {
        if let Some(value) = hexadecimal(&self.0) {
            return vec![value];
        }
        R::all().into_iter().filter(|(_, name)| matches(&self.0, name)).map(|(value, _)| value).collect()
    }
}

impl<R: Registry> FromStr for Pattern<R> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pattern = Self(text.to_owned(), PhantomData);
        if pattern.values().is_empty() {
            return Err(format!("no {} is called {text:?}", R::WHAT));
        }
        Ok(pattern)
    }
}

text_form!(Pattern<R>, R: Registry);

fn hexadecimal(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x").filter(|digits| matches!(digits.len(), 4 | 6))?;
    u32::from_str_radix(digits, 16).ok()
}

/// The place of an error about `extends`.
pub(super) fn span_of(extends: &Spanned<String>) -> Range<usize> {
    extends.span()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_lead_to_code_points() {
        let values = |text: &str| text.parse::<Pattern<Suites>>().map(|pattern| pattern.values());
        assert_eq!(values("TLS_AES_128_GCM_SHA256"), Ok(vec![0x1301]));
        assert_eq!(values("0xFFAB"), Ok(vec![0xffab]));
        assert_eq!(values("SSL_CK_RC4_128_WITH_MD5"), Ok(vec![0x01_0080]));
        assert!(values("*_RC4_*").is_ok_and(|found| found.len() > 20));
        assert!(values("TLS_AES_512").is_err() && values("0x13").is_err() && values("TLS_FALLBACK_SCSV").is_err());
    }

    #[test]
    fn dates_are_dates() {
        for text in ["2026", "2026-07", "2026-07-31"] {
            assert!(text.parse::<Date>().is_ok(), "{text}");
        }
        for text in ["", "26", "2026-13", "2026-7", "2026-07-32", "2026-07-31-1", "+202"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}
