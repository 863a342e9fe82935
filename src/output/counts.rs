//! Counts over records that more than one output shows. Sums of parts are the sum of the whole, whatever the parts.

use std::hash::Hash;

use hashbrown::HashMap;

use crate::findings::{Rule, Severity};
use crate::flow::Facts;
use crate::record::FlowRecord;
use crate::tls::codepoints::{CipherSuite, SuiteClasses};

/// Something that makes a suite weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// The suites that have it.
    pub class: SuiteClasses,
    /// Its name in metrics.
    pub name: &'static str,
    /// Its name for a person.
    pub words: &'static str,
}

/// What makes a suite weak, the gravest first.
pub const WEAKNESSES: [Weakness; 8] = [
    Weakness { class: SuiteClasses::NULL, name: "null", words: "no encryption" },
    Weakness { class: SuiteClasses::ANONYMOUS, name: "anonymous", words: "no authentication" },
    Weakness { class: SuiteClasses::EXPORT, name: "export", words: "EXPORT" },
    Weakness { class: SuiteClasses::RC4, name: "rc4", words: "RC4" },
    Weakness { class: SuiteClasses::DES, name: "des", words: "DES" },
    Weakness { class: SuiteClasses::RC2, name: "rc2", words: "RC2" },
    Weakness { class: SuiteClasses::TRIPLE_DES, name: "3des", words: "3DES" },
    Weakness { class: SuiteClasses::STATIC_RSA, name: "static_rsa", words: "RSA key exchange" },
];

/// The classes of the suites a handshake offered, and those of the one it negotiated.
#[must_use]
pub fn suite_classes(facts: &Facts) -> (SuiteClasses, SuiteClasses) {
    let offered = facts.offer.as_ref().map_or(SuiteClasses::EMPTY, |offer| offer.suite_classes);
    (offered, facts.cipher_suite().map_or(SuiteClasses::EMPTY, CipherSuite::classes))
}

/// Handshakes that negotiated, and that offered, suites with each of [`WEAKNESSES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WeakCounts([(u64, u64); WEAKNESSES.len()]);

impl WeakCounts {
    /// Counts one handshake. Whether what it negotiated is weak.
    pub fn add(&mut self, offered: SuiteClasses, negotiated: SuiteClasses) -> bool {
        let mut is_weak = false;
        for (weakness, (chosen, possible)) in WEAKNESSES.iter().zip(&mut self.0) {
            let is_chosen = negotiated.intersects(weakness.class);
            *chosen = chosen.saturating_add(u64::from(is_chosen));
            *possible = possible.saturating_add(u64::from(offered.intersects(weakness.class)));
            is_weak |= is_chosen;
        }
        is_weak
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = (mine.0.saturating_add(theirs.0), mine.1.saturating_add(theirs.1));
        }
    }

    /// What was counted since `before`, an earlier state of these counts.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut more = *self;
        for (mine, theirs) in more.0.iter_mut().zip(before.0) {
            *mine = (mine.0.saturating_sub(theirs.0), mine.1.saturating_sub(theirs.1));
        }
        more
    }

    /// Each weakness, the handshakes that negotiated it, and those that offered it.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Weakness, u64, u64)> + '_ {
        WEAKNESSES.iter().zip(self.0).map(|(weakness, (chosen, possible))| (weakness, chosen, possible))
    }
}

/// Findings by rule and severity: as many entries as there are rules, at most.
#[derive(Clone, Debug, Default)]
pub struct FindingCounts(
    HashMap<&'static str, (&'static Rule, [u64; Severity::ALL.len()]), foldhash::fast::FixedState>,
);

impl FindingCounts {
    /// Counts the findings of one record.
    pub fn add(&mut self, record: &FlowRecord<'_>) {
        for finding in record.findings {
            self.count(finding.rule, finding.severity, 1);
        }
    }

    fn count(&mut self, rule: &'static Rule, severity: Severity, count: u64) {
        let (_, counts) = self.0.entry(rule.id).or_insert((rule, [0; Severity::ALL.len()]));
        if let Some(counter) = counts.get_mut(severity as usize) {
            *counter = counter.saturating_add(count);
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        for (rule, severity, count) in other.iter() {
            self.count(rule, severity, count);
        }
    }

    /// How often `rule` found something of `severity`.
    #[must_use]
    pub fn of(&self, rule: &Rule, severity: Severity) -> u64 {
        let counts = self.0.get(rule.id).map(|(_, counts)| counts);
        counts.and_then(|counts| counts.get(severity as usize)).copied().unwrap_or_default()
    }

    /// What was found, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Rule, Severity, u64)> + '_ {
        self.0.values().flat_map(|(rule, counts)| {
            let counts = Severity::ALL.into_iter().zip(*counts).filter(|(_, count)| *count > 0);
            counts.map(|(severity, count)| (*rule, severity, count))
        })
    }

    /// What was found since `before`, an earlier state of these counts.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut more = Self::default();
        for (rule, severity, count) in self.iter() {
            more.count(rule, severity, count.saturating_sub(before.of(rule, severity)));
        }
        more
    }
}

/// How often each of a few keys occurred.
#[derive(Clone, Debug)]
pub(super) struct Counts<K>(HashMap<K, u64, foldhash::fast::FixedState>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<K: Eq + Hash + Clone> Counts<K> {
    pub(super) fn add(&mut self, key: K, count: u64) {
        let counter = self.0.entry(key).or_default();
        *counter = counter.saturating_add(count);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (key, count) in &other.0 {
            self.add(key.clone(), *count);
        }
    }

    /// By `rank`, the least first.
    pub(super) fn sorted<R: Ord>(&self, rank: impl Fn(&K, u64) -> R) -> Vec<(&K, u64)> {
        let mut list: Vec<_> = self.0.iter().map(|(key, count)| (key, *count)).collect();
        list.sort_by_cached_key(|(key, count)| rank(key, *count));
        list
    }
}
