//! What a handshake says of a policy.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use smallvec::SmallVec;

use super::Policy;
use super::limits::{CodePoints, Limits};
use crate::findings::Value;
use crate::flow::facts::{Carrier, Facts, KeyExchangeParameters, Offer, Selection};
use crate::tls::codepoints::{
    CompressionMethod, ExtensionType, GroupKind, KeyExchange, NamedGroup, ProtocolVersion, SslV2CipherSpec,
};
use crate::tls::extensions::extension_type as ext;

/// The most values one violation lists; how many there are beyond is said.
const LISTED: usize = 64;

/// What one handshake says of one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict<'a> {
    /// The policy's name.
    pub policy: &'a str,
    /// What the client offered: versions, suites, groups, signature schemes, extensions.
    pub offer: Cow<'a, Part>,
    /// What the server chose: version, suite, compression, extensions.
    pub selection: Part,
    /// How the keys were agreed: group or prime, and the signature over it.
    pub key_exchange: Part,
    /// The server's certificate.
    pub certificate: Part,
}

impl Verdict<'_> {
    /// The parts by the names they have in records.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, &Part); 4] {
        [
            ("offer", &self.offer),
            ("selection", &self.selection),
            ("key_exchange", &self.key_exchange),
            ("certificate", &self.certificate),
        ]
    }
}

/// What one part of a handshake says of a policy: complies where both lists are empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Every demand that is not met.
    pub violations: SmallVec<[Violation; 1]>,
    /// Every demand of which the wire does not tell.
    pub unknown: SmallVec<[Unknown; 1]>,
}

impl Part {
    /// The three words for it. A violation is one whatever else is hidden.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        if !self.violations.is_empty() {
            Judgement::Violates
        } else if !self.unknown.is_empty() {
            Judgement::Unknown
        } else {
            Judgement::Complies
        }
    }

    /// About how many bytes of memory it takes up.
    pub(crate) fn weight(&self) -> usize {
        let listed: usize = self.violations.iter().map(|violation| violation.seen.len()).sum();
        let lists = self.violations.len() * size_of::<Violation>() + self.unknown.len() * size_of::<Unknown>();
        size_of::<Self>() + lists + listed * size_of::<Value>()
    }

    pub(super) fn unknown(rule: &'static str, reason: &'static str) -> Self {
        let mut part = Self::default();
        part.hide(rule, reason);
        part
    }

    pub(super) fn hide(&mut self, rule: &'static str, reason: &'static str) {
        self.unknown.push(Unknown { rule, reason });
    }

    pub(super) fn violate(&mut self, rule: &'static str, seen: impl Into<Value>) {
        self.violate_all(rule, std::iter::once(seen.into()));
    }

    /// A violation of a demand that is a number.
    pub(super) fn violate_limit(&mut self, rule: &'static str, seen: impl Into<Value>, limit: impl Into<i64>) {
        let seen = vec![seen.into()];
        self.violations.push(Violation { rule, seen, omitted: 0, limit: Some(limit.into()), certificate: None });
    }

    /// One violation by all of `seen`, none where there is nothing.
    fn violate_all(&mut self, rule: &'static str, mut seen: impl Iterator<Item = Value>) {
        let mut values: Vec<Value> = Vec::new();
        for value in seen.by_ref() {
            if !values.contains(&value) {
                values.push(value);
            }
            if values.len() == LISTED {
                break;
            }
        }
        if !values.is_empty() {
            self.violations.push(Violation {
                rule,
                seen: values,
                omitted: seen.count(),
                limit: None,
                certificate: None,
            });
        }
    }
}

/// The verdict in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Judgement {
    /// Everything asked for was seen to be so, or nothing is asked for.
    Complies,
    /// Something is not as asked for.
    Violates,
    /// Nothing is known to be wrong, and not everything is known.
    Unknown,
}

impl Judgement {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complies => "complies",
            Self::Violates => "violates",
            Self::Unknown => "unknown",
        }
    }
}

/// A demand that is not met.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// What the demand is about: `version`, `cipher_suite`, `group` …
    pub rule: &'static str,
    /// What was seen, at most 64 values.
    pub seen: Vec<Value>,
    /// How many values are not listed.
    pub omitted: usize,
    /// The least or the most that would comply, where it is a number.
    pub limit: Option<i64>,
    /// The certificate it is about: its place in the chain from 0, the server's own.
    pub certificate: Option<usize>,
}

/// A demand of which the wire does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What the demand is about.
    pub rule: &'static str,
    /// Why it is not known.
    pub reason: &'static str,
}

impl Policy {
    /// What `facts` say of this policy.
    #[must_use]
    pub fn check(&self, facts: &Facts) -> Verdict<'_> {
        let offer = facts.offer.as_ref().map_or_else(|| self.no_offer(), |offer| self.check_offer(offer));
        self.check_with(Cow::Owned(offer), facts)
    }

    /// The same where the part on the offer has been made before.
    #[must_use]
    pub fn check_with<'a>(&'a self, offer: Cow<'a, Part>, facts: &Facts) -> Verdict<'a> {
        Verdict {
            policy: self.id(),
            offer,
            selection: self.selection(facts),
            key_exchange: self.key_exchange(facts),
            certificate: self.certificate(facts),
        }
    }

    /// The verdict on an offer that was not seen.
    #[must_use]
    pub fn no_offer(&self) -> Part {
        let limits = &self.limits;
        let asks = asks_selection(limits) || limits.groups.is_some() || limits.schemes.is_some() || limits.post_quantum;
        if asks { Part::unknown("offer", "no ClientHello in the capture") } else { Part::default() }
    }

    /// What a ClientHello says of this policy, by its shape alone.
    #[must_use]
    pub fn check_offer(&self, offer: &Offer) -> Part {
        let limits = &self.limits;
        let mut part = Part::default();
        offered_versions(limits, offer, &mut part);
        if let Some(allowed) = &limits.suites {
            let (before, tls13) = (limits.allows_before_tls13(), limits.allows_tls13());
            let suites = offer.real_suites().filter(|suite| if suite.is_tls13() { tls13 } else { before });
            let wrong = suites.filter(|suite| !allowed.contains(suite.0)).map(Value::from);
            let kinds = offer.sslv2_cipher_specs.iter().flatten().filter(|kind| **kind > 0xffff);
            let kinds = kinds.filter(|kind| before && !limits.sslv2_kinds.contains(kind));
            part.violate_all(CIPHER_SUITE, wrong.chain(kinds.map(|kind| sslv2(*kind))));
        }
        if let (Some(allowed), Some(groups)) = (&limits.groups, &offer.groups) {
            let tls13 = limits.allows_tls13();
            let groups = groups.iter().filter(|group| !group.is_grease() && (tls13 || !is_kem(**group)));
            part.violate_all(GROUP, groups.filter(|group| !allowed.contains(group.0)).map(|group| (*group).into()));
        }
        if let (Some(allowed), Some(schemes)) = (&limits.schemes, &offer.signature_schemes) {
            let schemes = schemes.iter().filter(|scheme| !scheme.is_grease() && !allowed.contains(scheme.0));
            part.violate_all(SIGNATURE_SCHEME, schemes.map(|scheme| (*scheme).into()));
        }
        if limits.no_compression {
            let methods = offer.compression_methods.iter().filter(|method| **method != 0);
            part.violate_all(COMPRESSION, methods.map(|method| compression(*method)));
        }
        let forbidden = limits.forbidden_extensions.iter().filter(|extension| offer.has(**extension));
        part.violate_all(EXTENSION, forbidden.map(|extension| (*extension).into()));
        let tls13_only =
            offer.exact_versions().is_some_and(|mut versions| versions.all(ProtocolVersion::is_tls13_family));
        if !tls13_only {
            if limits.extended_master_secret && !offer.has(ext::EXTENDED_MASTER_SECRET) {
                part.violate(EXTENDED_MASTER_SECRET, NOT_OFFERED);
            }
            let signal = || offer.cipher_suites.iter().any(|suite| suite.0 == 0x00ff);
            if limits.secure_renegotiation && !offer.has(ext::RENEGOTIATION_INFO) && !signal() {
                part.violate(SECURE_RENEGOTIATION, NOT_OFFERED);
            }
            let cbc = || offer.real_suites().any(|suite| suite.is_cbc());
            if limits.encrypt_then_mac && !offer.has(ext::ENCRYPT_THEN_MAC) && cbc() {
                part.violate(ENCRYPT_THEN_MAC, NOT_OFFERED);
            }
        }
        if limits.post_quantum && !offer.groups.iter().flatten().any(|group| group.is_post_quantum()) {
            part.violate(POST_QUANTUM, NOT_OFFERED);
        }
        part
    }

    fn selection(&self, facts: &Facts) -> Part {
        let limits = &self.limits;
        if !asks_selection(limits) {
            return Part::default();
        }
        let Some(selection) = &facts.selection else { return Part::unknown("selection", no_server_hello(facts)) };
        let mut part = Part::default();
        let version = selection.version;
        if !limits.allows(version) {
            part.violate(VERSION, version);
        }
        if let Some(allowed) = &limits.suites {
            selected_suite(limits, allowed, selection, &mut part);
        }
        if limits.no_compression && selection.compression_method != 0 {
            part.violate(COMPRESSION, compression(selection.compression_method));
        }
        let forbidden = limits.forbidden_extensions.iter().filter(|extension| selection.has(**extension));
        part.violate_all(EXTENSION, forbidden.map(|extension| (*extension).into()));
        if version.is_tls13_family() {
            return part;
        }
        let is_cbc = selection.cipher_suite.is_some_and(|suite| suite.is_cbc());
        for (asked, rule, extension) in [
            (limits.extended_master_secret, EXTENDED_MASTER_SECRET, ext::EXTENDED_MASTER_SECRET),
            (limits.secure_renegotiation, SECURE_RENEGOTIATION, ext::RENEGOTIATION_INFO),
            (limits.encrypt_then_mac && is_cbc, ENCRYPT_THEN_MAC, ext::ENCRYPT_THEN_MAC),
        ] {
            if asked && !selection.has(extension) {
                acknowledge(rule, extension, facts, selection, &mut part);
            }
        }
        part
    }

    fn key_exchange(&self, facts: &Facts) -> Part {
        let limits = &self.limits;
        let asks = limits.groups.is_some() || limits.schemes.is_some() || limits.dh_min_bits.is_some();
        if !asks && !limits.post_quantum {
            return Part::default();
        }
        let Some(selection) = &facts.selection else { return Part::unknown("key_exchange", no_server_hello(facts)) };
        if selection.version.is_tls13_family() {
            return key_share(limits, selection);
        }
        if facts.resumed == Some(true) {
            return Part::unknown("key_exchange", RESUMED);
        }
        before_tls13(limits, facts, selection)
    }
}

pub(super) const VERSION: &str = "version";
pub(super) const CIPHER_SUITE: &str = "cipher_suite";
pub(super) const GROUP: &str = "group";
pub(super) const DH_BITS: &str = "dh_bits";
pub(super) const SIGNATURE_SCHEME: &str = "signature_scheme";
pub(super) const COMPRESSION: &str = "compression";
pub(super) const EXTENSION: &str = "extension";
pub(super) const EXTENDED_MASTER_SECRET: &str = "extended_master_secret";
pub(super) const SECURE_RENEGOTIATION: &str = "secure_renegotiation";
pub(super) const ENCRYPT_THEN_MAC: &str = "encrypt_then_mac";
pub(super) const POST_QUANTUM: &str = "post_quantum";

pub(super) const RESUMED: &str = "the session was resumed: an earlier handshake decided it";
const NOT_OFFERED: &str = "not offered";
const NOT_ACKNOWLEDGED: &str = "offered and not acknowledged";

fn asks_selection(limits: &Limits) -> bool {
    limits.has_versions()
        || limits.suites.is_some()
        || limits.no_compression
        || limits.extended_master_secret
        || limits.secure_renegotiation
        || limits.encrypt_then_mac
        || !limits.forbidden_extensions.is_empty()
}

/// Why there is no ServerHello.
pub(super) fn no_server_hello(facts: &Facts) -> &'static str {
    use crate::flow::Outcome;
    match facts.outcome {
        Outcome::Refused { .. } => "the handshake was refused before a ServerHello",
        Outcome::Reset { .. } | Outcome::Closed { .. } => "the connection ended before a ServerHello",
        Outcome::Silent => "the server never answered",
        Outcome::NotTls => "the answer was not TLS",
        Outcome::Cleartext { .. } => "the connection stayed in clear text",
        Outcome::OneWay { .. } | Outcome::Incomplete | Outcome::Established => "no ServerHello in the capture",
    }
}

fn offered_versions(limits: &Limits, offer: &Offer, part: &mut Part) {
    if !limits.has_versions() {
        return;
    }
    let sslv2 = offer.sslv2_cipher_specs.iter().flatten().any(|kind| *kind > 0xffff);
    let sslv2 = sslv2.then_some(ProtocolVersion::SSL2).filter(|version| !limits.allows(*version));
    if let Some(versions) = offer.exact_versions() {
        // A number that is no version yet cannot be chosen by today's servers.
        let wrong = versions.filter(|version| version.order() != 0 && !limits.allows(*version));
        part.violate_all(VERSION, wrong.chain(sslv2).map(Value::from));
        return;
    }
    // Without extension 43 nothing above TLS 1.2 can be meant, whatever number stands there.
    let highest = offer.legacy_version;
    let highest = if highest.order() > ProtocolVersion::TLS12.order() { ProtocolVersion::TLS12 } else { highest };
    let wrong = Some(highest).filter(|version| !limits.allows(*version) && Some(*version) != sslv2);
    let is_wrong = wrong.is_some() || sslv2.is_some();
    part.violate_all(VERSION, wrong.into_iter().chain(sslv2).map(Value::from));
    let lowest = if offer.carrier == Carrier::Dtls { ProtocolVersion::TLS11 } else { ProtocolVersion::SSL3 };
    let between = [ProtocolVersion::SSL3, ProtocolVersion::TLS10, ProtocolVersion::TLS11]
        .into_iter()
        .filter(|version| version.order() >= lowest.order() && version.order() < highest.order());
    if !is_wrong && between.into_iter().any(|version| !limits.allows(version)) {
        part.hide(VERSION, "without supported_versions a hello names its highest version alone");
    }
}

fn selected_suite(limits: &Limits, allowed: &CodePoints, selection: &Selection, part: &mut Part) {
    match selection.cipher_suite {
        Some(suite) => {
            let judged = if suite.is_tls13() { limits.allows_tls13() } else { limits.allows_before_tls13() };
            if judged && !allowed.contains(suite.0) {
                part.violate(CIPHER_SUITE, suite);
            }
        }
        None => match selection.sslv2_chosen {
            Some(kind) if !limits.sslv2_kinds.contains(&kind) => {
                part.violate(CIPHER_SUITE, sslv2(kind));
            }
            Some(_) => {}
            None => part.hide(CIPHER_SUITE, "in SSL 2.0 the client chooses, and its choice was not seen"),
        },
    }
}

/// An extension the server has to acknowledge is not in its hello. It may only be where the client sent it.
fn acknowledge(rule: &'static str, extension: ExtensionType, facts: &Facts, selection: &Selection, part: &mut Part) {
    if selection.is_partial {
        part.hide(rule, "the ServerHello's extensions contradict themselves");
        return;
    }
    let Some(offer) = &facts.offer else {
        part.hide(rule, "no ClientHello in the capture: it may not have been offered");
        return;
    };
    let signal = extension == ext::RENEGOTIATION_INFO && offer.cipher_suites.iter().any(|suite| suite.0 == 0x00ff);
    let words = if offer.has(extension) || signal { NOT_ACKNOWLEDGED } else { NOT_OFFERED };
    part.violate(rule, words);
}

/// The key exchange of TLS 1.3.
fn key_share(limits: &Limits, selection: &Selection) -> Part {
    const PSK_ALONE: &str = "a pre-shared key alone: no key exchange";
    let mut part = Part::default();
    match selection.key_share_group {
        Some(group) => {
            let judged = limits.allows_tls13() || !is_kem(group);
            if judged && limits.groups.as_ref().is_some_and(|allowed| !allowed.contains(group.0)) {
                part.violate(GROUP, group);
            }
            if limits.post_quantum && !group.is_post_quantum() {
                part.violate(POST_QUANTUM, group);
            }
            if let (Some(least), true, Some(bits)) = (limits.dh_min_bits, group.is_ffdhe(), group.bits())
                && u32::from(bits) < least
            {
                part.violate_limit(DH_BITS, bits, least);
            }
        }
        None if limits.groups.is_some() => part.hide(GROUP, PSK_ALONE),
        None if limits.post_quantum => part.hide(POST_QUANTUM, PSK_ALONE),
        None => {}
    }
    if limits.schemes.is_some() && !selection.pre_shared_key {
        part.hide(SIGNATURE_SCHEME, "TLS 1.3 encrypts CertificateVerify");
    }
    part
}

/// The key exchange of a full handshake before TLS 1.3.
fn before_tls13(limits: &Limits, facts: &Facts, selection: &Selection) -> Part {
    let mut part = Part::default();
    let parts = selection.cipher_suite.and_then(|suite| suite.parts());
    let kind = parts.map(|parts| parts.key_exchange);
    if limits.post_quantum {
        match (kind, facts.group()) {
            (Some(KeyExchange::Psk), _) => part.hide(POST_QUANTUM, "a pre-shared key alone: no key exchange"),
            (_, Some(group)) if group.is_post_quantum() => {}
            (_, Some(group)) => {
                part.violate(POST_QUANTUM, group);
            }
            (Some(kind), None) => {
                part.violate(POST_QUANTUM, kind.name());
            }
            (None, None) if selection.version == ProtocolVersion::SSL2 => {
                part.violate(POST_QUANTUM, "RSA");
            }
            (None, None) => part.hide(POST_QUANTUM, "a suite of which nothing is known"),
        }
    }
    let ephemeral = match kind {
        Some(KeyExchange::Ecdhe | KeyExchange::EcdhAnon | KeyExchange::EcdhePsk) => limits.groups.is_some(),
        Some(KeyExchange::Dhe | KeyExchange::DhAnon | KeyExchange::DhePsk) => limits.dh_min_bits.is_some(),
        _ => false,
    };
    let signed = limits.schemes.is_some()
        && selection.version.tls_equivalent() == ProtocolVersion::TLS12
        && matches!(kind, Some(KeyExchange::Ecdhe | KeyExchange::Dhe));
    let Some(exchange) = &facts.key_exchange else {
        if ephemeral || signed {
            part.hide(if ephemeral { GROUP } else { SIGNATURE_SCHEME }, "no ServerKeyExchange in the capture");
        }
        return part;
    };
    match (&exchange.parameters, &limits.groups) {
        (KeyExchangeParameters::Ecdh(group), Some(allowed)) if !allowed.contains(group.0) => {
            part.violate(GROUP, *group);
        }
        (KeyExchangeParameters::EcdhExplicit, Some(_)) => {
            part.violate(GROUP, "a curve written out");
        }
        (KeyExchangeParameters::Dh { prime_bits, .. }, _) => {
            if let Some(least) = limits.dh_min_bits.filter(|least| prime_bits < least) {
                part.violate_limit(DH_BITS, *prime_bits, least);
            }
        }
        _ => {}
    }
    if let (Some(allowed), Some(scheme)) = (&limits.schemes, exchange.signature_scheme)
        && !allowed.contains(scheme.0)
    {
        part.violate(SIGNATURE_SCHEME, scheme);
    }
    part
}

/// Whether a group can only be used in TLS 1.3.
fn is_kem(group: NamedGroup) -> bool {
    use GroupKind as K;
    matches!(group.kind(), Some(K::MlKem | K::Hybrid | K::Kyber | K::Cecpq2))
}

fn compression(method: u8) -> Value {
    Value::from(CompressionMethod(method).to_string())
}

fn sslv2(kind: u32) -> Value {
    Value::from(SslV2CipherSpec(kind).to_string())
}

impl Serialize for Verdict<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("policy", self.policy)?;
        for (name, part) in self.parts() {
            map.serialize_entry(name, part)?;
        }
        map.end()
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("verdict", self.judgement().name())?;
        if !self.violations.is_empty() {
            map.serialize_entry("violations", self.violations.as_slice())?;
        }
        if !self.unknown.is_empty() {
            map.serialize_entry("unknown", self.unknown.as_slice())?;
        }
        map.end()
    }
}

impl Serialize for Violation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("rule", self.rule)?;
        map.serialize_entry("seen", &self.seen)?;
        if self.omitted > 0 {
            map.serialize_entry("omitted", &self.omitted)?;
        }
        if let Some(limit) = self.limit {
            map.serialize_entry("limit", &limit)?;
        }
        if let Some(certificate) = self.certificate {
            map.serialize_entry("certificate", &certificate)?;
        }
        map.end()
    }
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("rule", self.rule)?;
        map.serialize_entry("reason", self.reason)?;
        map.end()
    }
}
