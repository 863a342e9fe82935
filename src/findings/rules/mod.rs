//! The rules, one file a family.

use super::{Rule, Value};

mod anomaly;
mod certificate;
mod cipher;
mod coverage;
mod dtls;
mod key_exchange;
mod negotiation;
mod post_quantum;
mod privacy;
mod quic;
mod starttls;
mod version;

/// Every family's rules, in the order of the documentation.
#[rustfmt::skip]
pub(super) static FAMILIES: &[&[Rule]] = &[
    version::RULES,
    cipher::RULES,
    key_exchange::RULES,
    certificate::RULES,
    negotiation::RULES,
    starttls::RULES,
    quic::RULES,
    dtls::RULES,
    post_quantum::RULES,
    privacy::RULES,
    anomaly::RULES,
    coverage::RULES,
];

/// The most values one member of evidence lists. A hello may hold 32,767 suites.
const LISTED: usize = 32;

/// The first [`LISTED`] of `values`.
fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Value {
    Value::list(values.into_iter().take(LISTED))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crate::findings::testing::{tls12, tls13};
    use crate::findings::{Family, RuleSet, Severity, all};
    use crate::flow::Facts;

    /// What healthy handshakes set off above `info`, and why that is as it should be.
    const EXPECTED: &[(&str, &str)] = &[("PQ006", "no TLS 1.2 handshake has a post-quantum key exchange")];

    #[test]
    fn ids_and_names_are_unique_and_in_form() {
        let (mut ids, mut names) = (HashSet::new(), HashSet::new());
        for rule in all() {
            let number = rule.id.strip_prefix(rule.family.prefix()).unwrap_or_default();
            assert!(number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()), "{rule:?}: id");
            assert!(
                rule.name.split('-').all(|word| {
                    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                }),
                "{rule:?}: name"
            );
            assert!(ids.insert(rule.id), "{rule:?}: the id is taken");
            assert!(names.insert(rule.name), "{rule:?}: the name is taken");
        }
        assert!(!ids.is_empty());
    }

    #[test]
    fn families_and_their_rules_are_in_the_order_of_the_documentation() {
        let place = |family: Family| Family::ALL.iter().position(|other| *other == family);
        let order: Vec<_> = all().map(|rule| (place(rule.family), rule.id)).collect();
        assert!(order.is_sorted(), "{order:?}");
    }

    #[test]
    fn every_rule_is_documented() {
        for rule in all() {
            let documentation = &rule.documentation;
            for text in [documentation.reports, documentation.why, documentation.evidence, documentation.action] {
                assert!(text.ends_with('.') && !text.contains("  "), "{rule:?}: {text:?}");
            }
            assert!(!documentation.references.is_empty(), "{rule:?}: no reference");
            assert!(documentation.references.iter().all(|reference| !reference.is_empty()), "{rule:?}: an empty one");
        }
    }

    #[test]
    fn healthy_handshakes_set_off_nothing_above_info() {
        let rules = RuleSet::default();
        let set_off = |facts: &Facts| {
            let mut findings = rules.check_facts(facts);
            findings.extend(facts.offer.iter().flat_map(|offer| rules.check_offer(offer, None)));
            findings
        };
        for facts in [tls13(), tls12()] {
            for finding in set_off(&facts) {
                let expected = EXPECTED.iter().any(|(id, _)| *id == finding.rule.id);
                assert!(finding.severity == Severity::Info || expected, "{:?}: {:?}", finding.rule, finding.evidence);
            }
        }
    }
}
