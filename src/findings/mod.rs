//! Findings: what a rule says of one flow, and the registry of rules.
//!
//! A rule is like a lint: a stable id (`CIP007`), a kebab-case name for the bad thing (`rc4-negotiated`), a severity
//! and documentation. Ids are never reused. A rule looks at [`Facts`] (or, where the ClientHello alone decides, at the
//! [`Offer`], once a distinct hello) and answers with [`Evidence`] a person can check by hand, or with nothing. What
//! the wire hid is never reported as if it had been looked at.

mod allow;
mod evidence;
pub(crate) mod glob;
pub mod rules;
/// The reference of all rules, as `handprint rules --format markdown` prints it.
///
#[doc = include_str!("RULES.md")]
pub mod reference {}
#[cfg(test)]
pub(crate) mod testing;
mod trust;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use allow::{AllowList, Allowance, Allowed, Subject};
pub use evidence::{Evidence, Value};
pub use trust::TrustStore;

use crate::fingerprint::HelloFingerprints;
use crate::flow::{Facts, Offer};
use crate::labels::Labels;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing to mend.
    Info,
    /// Hygiene: mend when convenient.
    Low,
    /// A weakness: plan its end.
    Medium,
    /// A serious weakness in use.
    High,
    /// Broken: assume it is or will be exploited.
    Critical,
}

impl Severity {
    /// From mild to grave.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name in records and options.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("no severity is called {text:?}; there are info, low, medium, high and critical"))
    }
}

/// The family a rule belongs to: the letters of its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// `VER`: protocol versions.
    Version,
    /// `CIP`: cipher suites and their order.
    Cipher,
    /// `KEX`: key exchange, groups and signatures.
    KeyExchange,
    /// `CERT`: certificates.
    Certificate,
    /// `NEG`: negotiation, downgrade and failure.
    Negotiation,
    /// `STT`: STARTTLS, implicit TLS and clear text.
    Starttls,
    /// `QUIC`: QUIC.
    Quic,
    /// `DTLS`: DTLS.
    Dtls,
    /// `PQ`: post-quantum readiness.
    PostQuantum,
    /// `PRV`: privacy.
    Privacy,
    /// `ANOM`: anomalies.
    Anomaly,
    /// `CAP`: what the capture could not show.
    Coverage,
}

impl Family {
    /// Every family, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::Version,
        Self::Cipher,
        Self::KeyExchange,
        Self::Certificate,
        Self::Negotiation,
        Self::Starttls,
        Self::Quic,
        Self::Dtls,
        Self::PostQuantum,
        Self::Privacy,
        Self::Anomaly,
        Self::Coverage,
    ];

    /// The letters its ids begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Version => "VER",
            Self::Cipher => "CIP",
            Self::KeyExchange => "KEX",
            Self::Certificate => "CERT",
            Self::Negotiation => "NEG",
            Self::Starttls => "STT",
            Self::Quic => "QUIC",
            Self::Dtls => "DTLS",
            Self::PostQuantum => "PQ",
            Self::Privacy => "PRV",
            Self::Anomaly => "ANOM",
            Self::Coverage => "CAP",
        }
    }

    /// What it is about, for headings.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Version => "Protocol versions",
            Self::Cipher => "Cipher suites and their order",
            Self::KeyExchange => "Key exchange, groups and signatures",
            Self::Certificate => "Certificates",
            Self::Negotiation => "Negotiation, downgrade and failure",
            Self::Starttls => "STARTTLS, implicit TLS and clear text",
            Self::Quic => "QUIC",
            Self::Dtls => "DTLS",
            Self::PostQuantum => "Post-quantum readiness",
            Self::Privacy => "Privacy",
            Self::Anomaly => "Anomalies",
            Self::Coverage => "Capture coverage",
        }
    }
}

/// What a rule's documentation says; `handprint explain` prints it.
#[derive(Clone, Copy, Debug)]
pub struct Documentation {
    /// What it reports: the exact condition, in words.
    pub reports: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What the evidence holds, member by member, and how to check it by hand.
    pub evidence: &'static str,
    /// What to do.
    pub action: &'static str,
    /// Where it comes from: RFCs with their section, CVEs, standards.
    pub references: &'static [&'static str],
}

/// How a rule decides.
#[derive(Clone, Copy)]
pub enum Check {
    /// By the shape of the ClientHello alone. Evaluated once a distinct hello, not once a flow.
    Offer(fn(&Offer) -> Option<Evidence>),
    /// By the shape of the ClientHello and the software its fingerprints are known to be of. Evaluated once a distinct
    /// hello, not once a flow; not at all for a hello without fingerprints.
    Identity(fn(&Offer, &Identity<'_>) -> Option<Evidence>),
    /// By what both sides agreed on: [`Facts::negotiation`] is all it is shown. Evaluated once a distinct negotiation.
    Negotiation(fn(&Facts, &Settings) -> Option<Evidence>),
    /// By the server's certificates alone: [`Facts::chain`] is all it is shown. Evaluated once a distinct chain.
    Chain(fn(&Facts, &Settings) -> Option<Evidence>),
    /// By all that is known of the flow. Evaluated once a flow: a rule that can do with less says so by another kind.
    Flow(fn(&Facts, &Settings) -> Option<Evidence>),
}

/// What is known of the sender of a hello.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The hello's fingerprints.
    pub fingerprints: &'a HelloFingerprints,
    /// All labels there are.
    pub labels: &'a Labels,
}

/// One rule.
pub struct Rule {
    /// Stable id, `CIP007`.
    pub id: &'static str,
    /// Kebab-case name for the thing found.
    pub name: &'static str,
    /// Its family.
    pub family: Family,
    /// How bad it is, unless the evidence says otherwise.
    pub severity: Severity,
    /// What `handprint explain` says.
    pub documentation: Documentation,
    /// How it decides.
    pub check: Check,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({} {})", self.id, self.name)
    }
}

/// What rules may be told from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// CERT013 reports a certificate that ends within this time, once two thirds of its life are over.
    pub expiring_within: Duration,
    /// Whether CERT006 reports RSA keys below 3000 bits, as BSI TR-02102-2 asks. Off by default.
    pub rsa_3000: bool,
    /// The roots that chains must lead to. Without it CERT022 and CERT035 judge nothing, and CERT003, CERT014 and CERT019
    /// judge by the certificates alone.
    pub trust: Option<TrustStore>,
    /// Ports on which TLS from the first byte is expected (ANOM007 reports others).
    pub tls_ports: Vec<u16>,
    /// Whether PQ010 holds every handshake to CNSA 2.0. Off, as that profile binds US national security systems alone.
    pub cnsa2: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            expiring_within: Duration::from_secs(30 * 86_400),
            rsa_3000: false,
            trust: None,
            tls_ports: vec![
                261, 443, 448, 465, 563, 585, 614, 636, 684, 695, 832, 853, 989, 990, 992, 993, 994, 995, 1311, 2083,
                2087, 2096, 2376, 2484, 3269, 3389, 4433, 5061, 5223, 5349, 5671, 5684, 5986, 6443, 6514, 6697, 8243,
                8443, 8531, 8883, 8888, 9443, 10443,
            ],
            cnsa2: false,
        }
    }
}

/// What a rule found in one flow.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is here.
    pub severity: Severity,
    /// What it rests on.
    pub evidence: Evidence,
    /// Its place among the findings of a record: the gravest first, then by id.
    place: u64,
    /// Its text in a record, where it was made before.
    rendered: Option<Arc<serde_json::value::RawValue>>,
}

impl PartialEq for Finding {
    fn eq(&self, other: &Self) -> bool {
        self.rule == other.rule && self.severity == other.severity && self.evidence == other.evidence
    }
}

impl Finding {
    fn new(rule: &'static Rule, severity: Severity, evidence: Evidence) -> Self {
        // Ids are compared as text: their bytes, of which there are at most seven, as one number.
        let id = rule.id.bytes().chain(std::iter::repeat(0)).take(7);
        let place = id.fold(u64::from(!(severity as u8)), |place, byte| place << 8 | u64::from(byte));
        Self { rule, severity, evidence, place, rendered: None }
    }

    /// Makes its text for the many records it will stand in.
    pub(crate) fn render(&mut self) {
        self.rendered = serde_json::value::to_raw_value(self).ok().map(Arc::from);
    }

    /// Its text, where it was made.
    pub(crate) const fn rendered(&self) -> Option<&Arc<serde_json::value::RawValue>> {
        self.rendered.as_ref()
    }

    /// Gives it the text that was made of an equal one.
    pub(crate) fn set_rendered(&mut self, text: Option<Arc<serde_json::value::RawValue>>) {
        self.rendered = text;
    }

    /// Appends it as JSON: what serialising it gives, in less time.
    ///
    /// # Errors
    /// None that a vector could give.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        if let Some(text) = &self.rendered {
            out.extend_from_slice(text.get().as_bytes());
            return Ok(());
        }
        // Ids and names need no escaping.
        let parts = ["{\"id\":\"", self.rule.id, "\",\"name\":\"", self.rule.name, "\",\"severity\":\""];
        for part in parts.into_iter().chain([self.severity.name(), "\",\"evidence\":"]) {
            out.extend_from_slice(part.as_bytes());
        }
        serde_json::to_writer(&mut *out, &self.evidence)?;
        out.push(b'}');
        Ok(())
    }

    /// Appends bytes that only equal findings share. `false` where hardly another will be equal.
    pub(crate) fn write_key(&self, key: &mut Vec<u8>) -> bool {
        key.extend_from_slice(&std::ptr::from_ref(self.rule).addr().to_ne_bytes());
        key.push(self.severity as u8);
        self.evidence.write_key(key)
    }

    /// About how many bytes of memory it takes up, once it is rendered: a value takes at most some times the bytes of
    /// its text.
    pub(crate) fn weight(&self) -> usize {
        let text = self.rendered.as_ref().map_or(0, |text| text.get().len());
        size_of::<Self>().saturating_add(text.saturating_mul(4))
    }

    /// The same finding, its text to be made anew.
    #[cfg(test)]
    pub(crate) fn without_text(&self) -> Self {
        Self { rendered: None, ..self.clone() }
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl serde::Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        if let Some(text) = &self.rendered {
            return text.serialize(serializer);
        }
        let mut finding = serializer.serialize_struct("Finding", 4)?;
        finding.serialize_field("id", self.rule.id)?;
        finding.serialize_field("name", self.rule.name)?;
        finding.serialize_field("severity", &self.severity)?;
        finding.serialize_field("evidence", &self.evidence)?;
        finding.end()
    }
}

/// Every rule, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    rules::FAMILIES.iter().copied().flatten()
}

/// The rule with this id or name, in any case.
#[must_use]
pub fn find(id_or_name: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id.eq_ignore_ascii_case(id_or_name) || rule.name.eq_ignore_ascii_case(id_or_name))
}

/// What a rule on more than the hello runs.
type FactsCheck = fn(&Facts, &Settings) -> Option<Evidence>;

/// The rules an engine evaluates.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// Those on the hello alone.
    offer: Vec<&'static Rule>,
    negotiation: Vec<(&'static Rule, FactsCheck)>,
    chain: Vec<(&'static Rule, FactsCheck)>,
    flow: Vec<(&'static Rule, FactsCheck)>,
    minimum: Severity,
    settings: Settings,
    /// Severities that replace those of rules and evidence.
    severities: Vec<(&'static str, Severity)>,
}

impl Default for RuleSet {
    /// Every rule.
    fn default() -> Self {
        Self::of(all(), Severity::Info, Settings::default())
    }
}

impl RuleSet {
    /// These rules, reporting what is at least `minimum`.
    #[must_use]
    pub fn of(rules: impl IntoIterator<Item = &'static Rule>, minimum: Severity, settings: Settings) -> Self {
        let mut set = Self {
            offer: Vec::new(),
            negotiation: Vec::new(),
            chain: Vec::new(),
            flow: Vec::new(),
            minimum,
            settings,
            severities: Vec::new(),
        };
        for rule in rules {
            match rule.check {
                Check::Offer(_) | Check::Identity(_) => set.offer.push(rule),
                Check::Negotiation(check) => set.negotiation.push((rule, check)),
                Check::Chain(check) => set.chain.push((rule, check)),
                Check::Flow(check) => set.flow.push((rule, check)),
            }
        }
        set
    }

    /// The rules picked by `select` (all of them where it is empty) without those picked by `ignore`. A selector is an
    /// id, a name, or a family (`CIP`).
    ///
    /// # Errors
    /// Names the selector that picks nothing.
    pub fn select(
        select: &[String],
        ignore: &[String],
        minimum: Severity,
        settings: Settings,
    ) -> Result<Self, crate::error::Error> {
        for selector in select.iter().chain(ignore) {
            selected(selector)?;
        }
        let chosen = all().filter(|rule| {
            (select.is_empty() || select.iter().any(|selector| picks(selector, rule)))
                && !ignore.iter().any(|selector| picks(selector, rule))
        });
        Ok(Self::of(chosen, minimum, settings))
    }

    /// The same rules, with these severities whatever the rule or its evidence says. The last one of a rule counts.
    #[must_use]
    pub fn with_severities(mut self, severities: impl IntoIterator<Item = (&'static Rule, Severity)>) -> Self {
        for (rule, severity) in severities {
            self.severities.retain(|(id, _)| *id != rule.id);
            self.severities.push((rule.id, severity));
        }
        self
    }

    /// Whether it has this rule.
    #[must_use]
    pub fn evaluates(&self, rule: &Rule) -> bool {
        let on_facts = [&self.negotiation, &self.chain, &self.flow].into_iter().flatten().map(|(known, _)| known);
        self.offer.iter().chain(on_facts).any(|known| known.id == rule.id)
    }

    /// How bad findings of this rule are, unless their evidence says otherwise.
    #[must_use]
    pub fn severity(&self, rule: &Rule) -> Severity {
        self.set_severity(rule).unwrap_or(rule.severity)
    }

    fn set_severity(&self, rule: &Rule) -> Option<Severity> {
        self.severities.iter().find(|(id, _)| *id == rule.id).map(|(_, severity)| *severity)
    }

    /// What the rules on the hello alone find. Without an identity those that need one are left out.
    #[must_use]
    pub fn check_offer(&self, offer: &Offer, identity: Option<Identity<'_>>) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .offer
            .iter()
            .filter_map(|rule| match rule.check {
                Check::Offer(check) => self.finding(rule, check(offer)?),
                Check::Identity(check) => self.finding(rule, check(offer, &identity?)?),
                Check::Negotiation(_) | Check::Chain(_) | Check::Flow(_) => None,
            })
            .collect();
        sort(&mut findings);
        findings
    }

    /// What the rules on the negotiation find, each with its text.
    #[must_use]
    pub fn check_negotiation(&self, facts: &Facts) -> Vec<Finding> {
        if self.negotiation.is_empty() {
            return Vec::new();
        }
        self.rendered(&self.negotiation, &facts.negotiation())
    }

    /// What the rules on the server's certificates find, each with its text.
    #[must_use]
    pub fn check_chain(&self, facts: &Facts) -> Vec<Finding> {
        if self.chain.is_empty() {
            return Vec::new();
        }
        self.rendered(&self.chain, &facts.chain())
    }

    /// What the rules on the whole flow find, appended to `findings`.
    pub fn check_flow(&self, facts: &Facts, findings: &mut Vec<Finding>) {
        findings.extend(self.found(&self.flow, facts));
    }

    /// What all rules but those on the hello alone find.
    #[must_use]
    pub fn check_facts(&self, facts: &Facts) -> Vec<Finding> {
        let mut findings = self.check_negotiation(facts);
        findings.extend(self.check_chain(facts));
        self.check_flow(facts, &mut findings);
        findings
    }

    fn rendered(&self, rules: &[(&'static Rule, FactsCheck)], facts: &Facts) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.found(rules, facts).collect();
        findings.iter_mut().for_each(Finding::render);
        findings
    }

    fn found<'a>(
        &'a self,
        rules: &'a [(&'static Rule, FactsCheck)],
        facts: &'a Facts,
    ) -> impl Iterator<Item = Finding> + 'a {
        rules.iter().filter_map(|(rule, check)| self.finding(rule, check(facts, &self.settings)?))
    }

    fn finding(&self, rule: &'static Rule, evidence: Evidence) -> Option<Finding> {
        let severity = self.set_severity(rule).or(evidence.severity()).unwrap_or(rule.severity);
        (severity >= self.minimum).then(|| Finding::new(rule, severity, evidence))
    }
}

/// The order of findings in a record: the gravest first, then by id.
pub fn sort<F: std::borrow::Borrow<Finding>>(findings: &mut [F]) {
    findings.sort_unstable_by_key(|finding| finding.borrow().place);
}

/// Every rule of this id, name or family.
///
/// # Errors
/// Says that there is none.
pub fn selected(selector: &str) -> Result<Vec<&'static Rule>, crate::error::Error> {
    let rules: Vec<_> = all().filter(|rule| picks(selector, rule)).collect();
    if rules.is_empty() {
        return Err(crate::error::Error::Configuration(format!(
            "no rule and no family is called {selector:?}; `handprint rules` lists them"
        )));
    }
    Ok(rules)
}

fn picks(selector: &str, rule: &Rule) -> bool {
    rule.id.eq_ignore_ascii_case(selector)
        || rule.name.eq_ignore_ascii_case(selector)
        || rule.family.prefix().eq_ignore_ascii_case(selector)
}
