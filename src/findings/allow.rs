//! [`AllowList`]: findings somebody has looked at and lives with.
//!
//! An allowed finding is not lost: the record lists it under `allowed`, with the reason. It counts neither for the
//! gravest finding of a record nor in the summary of findings. An entry ends by the time of the handshake, not by a
//! clock, so that the same capture gives the same records every time.

use std::sync::Arc;

use ipnet::IpNet;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Finding, Rule, glob};
use crate::flow::Facts;
use crate::time::Timestamp;

/// One entry: which findings, and why. Every condition that is given has to hold; an empty list is no condition.
#[derive(Clone, Debug, Default)]
pub struct Allowance {
    /// Any of these rules.
    pub rules: Vec<&'static Rule>,
    /// The client's address is in any of these.
    pub clients: Vec<IpNet>,
    /// The server's address is in any of these.
    pub servers: Vec<IpNet>,
    /// The server name is any of these, in lower case, with `*` for any text.
    pub server_names: Vec<String>,
    /// Any of these is the hello's JA3, JA3N or JA4, the server's JA3S, or the SHA-256 of its certificate.
    pub fingerprints: Vec<String>,
    /// Handshakes from this time on are reported again.
    pub until: Option<Timestamp>,
    /// Why this may be.
    pub reason: String,
}

/// What an entry is held against.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The handshake.
    pub facts: &'a Facts,
    /// Its fingerprints, as text.
    pub fingerprints: [Option<&'a str>; 4],
}

impl Allowance {
    /// Whether the conditions on the handshake hold.
    #[must_use]
    pub fn covers(&self, subject: &Subject<'_>) -> bool {
        let facts = subject.facts;
        let is_in = |nets: &[IpNet], address| nets.is_empty() || nets.iter().any(|net| net.contains(&address));
        let named = || {
            let Some(name) = &facts.hello.server_name else { return false };
            let name = name.to_ascii_lowercase();
            self.server_names.iter().any(|pattern| glob::matches(pattern, &name))
        };
        let printed = || {
            let certificate = facts.leaf().map(|certificate| certificate.sha256.as_str());
            let mut prints = subject.fingerprints.iter().copied().chain([certificate]).flatten();
            prints.any(|print| self.fingerprints.iter().any(|known| known.eq_ignore_ascii_case(print)))
        };
        self.until.is_none_or(|until| facts.started < until)
            && is_in(&self.clients, facts.client.ip())
            && is_in(&self.servers, facts.server.ip())
            && (self.server_names.is_empty() || named())
            && (self.fingerprints.is_empty() || printed())
    }

    /// Whether it is about findings of this rule.
    #[must_use]
    pub fn is_about(&self, rule: &Rule) -> bool {
        self.rules.is_empty() || self.rules.iter().any(|allowed| allowed.id == rule.id)
    }
}

/// Entries, of which the first that holds counts.
#[derive(Clone, Debug, Default)]
pub struct AllowList(Arc<[Allowance]>);

impl AllowList {
    /// Whether nothing is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = &Allowance> {
        self.0.iter()
    }

    /// Takes what is allowed out of `findings`, and the rest keeps its order.
    pub(crate) fn sift<'a, 'f: 'a, A>(
        &'a self,
        subject: &Subject<'_>,
        findings: &mut smallvec::SmallVec<A>,
    ) -> Vec<Allowed<'a>>
    where
        A: smallvec::Array<Item = &'f Finding>,
    {
        let holding: Vec<&Allowance> = self.0.iter().filter(|entry| entry.covers(subject)).collect();
        let mut allowed = Vec::new();
        if !holding.is_empty() {
            findings.retain(|finding| match holding.iter().find(|entry| entry.is_about(finding.rule)) {
                Some(entry) => {
                    allowed.push(Allowed { finding, allowance: entry });
                    false
                }
                None => true,
            });
        }
        allowed
    }
}

impl FromIterator<Allowance> for AllowList {
    fn from_iter<I: IntoIterator<Item = Allowance>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// A finding that is allowed, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The entry.
    pub allowance: &'a Allowance,
}

impl Serialize for Allowed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", self.finding.rule.id)?;
        map.serialize_entry("name", self.finding.rule.name)?;
        map.serialize_entry("severity", &self.finding.severity)?;
        map.serialize_entry("evidence", &self.finding.evidence)?;
        map.serialize_entry("reason", &self.allowance.reason)?;
        if let Some(until) = self.allowance.until {
            map.serialize_entry("until", &until)?;
        }
        map.end()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::findings::testing::{NOW, tls12};
    use crate::findings::{RuleSet, find};

    fn covers(entry: &Allowance) -> bool {
        let facts = tls12();
        entry.covers(&Subject { facts: &facts, fingerprints: [None, Some("t12d0808h2_a_b"), None, None] })
    }

    #[test]
    fn every_condition_has_to_hold() {
        assert!(covers(&Allowance::default()), "no condition");
        let nets = |text: &str| vec![text.parse::<IpNet>().unwrap()];
        let names = |text: &str| vec![text.to_owned()];
        for (net, name, print, until, holds) in [
            ("192.0.2.0/24", "*.org", "T12D0808H2_A_B", NOW.as_seconds() + 1, true),
            ("192.0.3.0/24", "*.org", "t12d0808h2_a_b", NOW.as_seconds() + 1, false),
            ("192.0.2.0/24", "*.net", "t12d0808h2_a_b", NOW.as_seconds() + 1, false),
            ("192.0.2.0/24", "*.org", "t12d0808h2_a_c", NOW.as_seconds() + 1, false),
            ("192.0.2.0/24", "*.org", "t12d0808h2_a_b", NOW.as_seconds(), false),
            ("2001:db8::/32", "*.org", "t12d0808h2_a_b", NOW.as_seconds() + 1, false),
        ] {
            let entry = Allowance {
                clients: nets(net),
                server_names: names(name),
                fingerprints: names(print),
                until: Some(Timestamp::from_seconds(until)),
                ..Allowance::default()
            };
            assert_eq!(covers(&entry), holds, "{entry:?}");
        }
        assert!(!covers(&Allowance { servers: nets("192.0.2.10/32"), ..Allowance::default() }), "that is the client");
        assert!(covers(&Allowance { servers: nets("192.0.2.20/32"), ..Allowance::default() }));
    }

    #[test]
    fn takes_out_what_is_allowed_and_nothing_else() {
        let facts = tls12();
        let found = RuleSet::default().check_facts(&facts);
        let first = found.first().unwrap().rule;
        let mut findings: smallvec::SmallVec<[&Finding; 4]> = found.iter().collect();
        let reason = "known".to_owned();
        let list =
            AllowList::from_iter([Allowance { rules: vec![find(first.id).unwrap()], reason, ..Allowance::default() }]);
        let allowed = list.sift(&Subject { facts: &facts, fingerprints: [None; 4] }, &mut findings);
        assert!(allowed.len() == 1 && allowed.iter().all(|allowed| allowed.finding.rule.id == first.id));
        assert_eq!(findings.len(), found.len() - 1);
        assert!(findings.iter().all(|finding| finding.rule.id != first.id));
    }
}
