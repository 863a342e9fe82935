//! The summary: what many records and an engine's counters come to, for a person.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use anstyle::Style;
use hashbrown::HashMap;

use super::counts::{Counts, FindingCounts, WeakCounts, Weakness, suite_classes};
use super::table::severity_style;
use super::text::{self, bytes, grouped};
use crate::engine::Stats;
use crate::findings::{Rule, Severity};
use crate::flow::Outcome;
use crate::policy::Judgement;
use crate::record::FlowRecord;
use crate::tls::codepoints::{CipherSuite, ProtocolVersion, SuiteClasses};

/// Clients told apart; beyond, their number is a lower bound.
const MOST_CLIENTS: usize = 1 << 18;

/// Findings and suites listed.
const LISTED: usize = 10;

/// Counts over records. Sums of parts are the sum of the whole, whatever the parts.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    flows: u64,
    outcomes: Counts<&'static str>,
    alerts: Counts<String>,
    resumed: u64,
    versions: Counts<ProtocolVersion>,
    /// By what their labels say.
    software: Counts<Arc<str>>,
    /// Hellos without a label.
    unlabelled: u64,
    weak_suites: Counts<CipherSuite>,
    weak: WeakCounts,
    /// What each client offered.
    clients: HashMap<IpAddr, SuiteClasses, foldhash::fast::FixedState>,
    findings: FindingCounts,
    allowed: u64,
    /// By policy, in the order they were given.
    policies: Vec<PolicyTally>,
}

/// What handshakes say of one policy.
#[derive(Clone, Debug, Default)]
struct PolicyTally {
    policy: String,
    /// By part, in the order of records: comply, violate, unknown.
    parts: [(&'static str, [u64; 3]); 4],
    /// Demands that are not met, by part and rule.
    violated: Counts<(&'static str, &'static str)>,
}

impl PolicyTally {
    fn merge(&mut self, other: &Self) {
        for ((name, mine), (other_name, theirs)) in self.parts.iter_mut().zip(other.parts) {
            *name = other_name;
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine = mine.saturating_add(theirs);
            }
        }
        self.violated.merge(&other.violated);
    }
}

impl Tally {
    /// Counts one record.
    pub fn add(&mut self, record: &FlowRecord<'_>) {
        let facts = record.facts;
        self.flows = self.flows.saturating_add(1);
        self.outcomes.add(facts.outcome.name(), 1);
        if let Outcome::Refused { alert, .. } = facts.outcome {
            self.alerts.add(alert.map_or_else(|| "an encrypted alert".to_owned(), |alert| alert.to_string()), 1);
        }
        self.resumed = self.resumed.saturating_add(u64::from(facts.resumed == Some(true)));
        if let Some(version) = facts.version() {
            self.versions.add(version, 1);
        }
        match record.hello.map(|hello| &hello.software) {
            Some(Some(software)) => self.software.add(Arc::clone(software), 1),
            Some(None) => self.unlabelled = self.unlabelled.saturating_add(1),
            None => {}
        }
        let (offered, negotiated) = suite_classes(facts);
        let is_weak = self.weak.add(offered, negotiated);
        if let Some(suite) = facts.cipher_suite().filter(|_| is_weak) {
            self.weak_suites.add(suite, 1);
        }
        self.client(facts.client.ip(), offered);
        self.findings.add(record);
        self.allowed = self.allowed.saturating_add(record.allowed.len().try_into().unwrap_or(u64::MAX));
        for (place, verdict) in record.policies.iter().enumerate() {
            if self.policies.len() <= place {
                self.policies.push(PolicyTally { policy: verdict.policy.to_owned(), ..PolicyTally::default() });
            }
            let Some(tally) = self.policies.get_mut(place) else { continue };
            for ((name, part), (counted, counts)) in verdict.parts().into_iter().zip(&mut tally.parts) {
                *counted = name;
                let [complies, violates, unknown] = counts;
                let count = match part.judgement() {
                    Judgement::Complies => complies,
                    Judgement::Violates => violates,
                    Judgement::Unknown => unknown,
                };
                *count = count.saturating_add(1);
                for violation in &part.violations {
                    tally.violated.add((name, violation.rule), 1);
                }
            }
        }
    }

    fn client(&mut self, address: IpAddr, offered: SuiteClasses) {
        if let Some(known) = self.clients.get_mut(&address) {
            *known |= offered;
        } else if self.clients.len() < MOST_CLIENTS {
            self.clients.insert(address, offered);
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.flows = self.flows.saturating_add(other.flows);
        self.outcomes.merge(&other.outcomes);
        self.alerts.merge(&other.alerts);
        self.resumed = self.resumed.saturating_add(other.resumed);
        self.versions.merge(&other.versions);
        self.software.merge(&other.software);
        self.unlabelled = self.unlabelled.saturating_add(other.unlabelled);
        self.weak_suites.merge(&other.weak_suites);
        self.weak.merge(&other.weak);
        for (address, offered) in &other.clients {
            self.client(*address, *offered);
        }
        self.findings.merge(&other.findings);
        self.allowed = self.allowed.saturating_add(other.allowed);
        for (place, theirs) in other.policies.iter().enumerate() {
            match self.policies.get_mut(place) {
                Some(mine) => mine.merge(theirs),
                None => self.policies.push(theirs.clone()),
            }
        }
    }

    /// Records counted.
    #[must_use]
    pub const fn flows(&self) -> u64 {
        self.flows
    }

    /// The totals in one line.
    #[must_use]
    pub fn line(&self, stats: &Stats) -> String {
        let clients = self.clients.len();
        let mut words = format!("{} in {}", counted(self.flows, "handshake"), counted(stats.packets, "packet"));
        let _ = write!(words, " ({})", bytes(stats.bytes));
        if clients > 0 {
            let least = if clients < MOST_CLIENTS { "" } else { "at least " };
            let _ = write!(words, ", {least}{}", counted(clients.try_into().unwrap_or(u64::MAX), "client"));
        }
        if let (Some(first), Some(last)) = (stats.first, stats.last) {
            let _ = write!(words, ", {}", span(last.since(first).as_secs_f64()));
        }
        words
    }

    /// The summary as lines of text, for a terminal `width` columns wide.
    #[must_use]
    pub fn render(&self, stats: &Stats, width: usize, colour: bool) -> String {
        let mut page = Page { text: String::new(), width, colour };
        page.paint(&self.line(stats), Style::new().bold());
        page.text.push('\n');
        if self.flows > 0 {
            self.flows_section(&mut page);
            self.suites_section(&mut page);
            self.findings_section(&mut page);
            self.policies_section(&mut page);
        }
        drops_section(stats, &mut page);
        page.text
    }

    fn flows_section(&self, page: &mut Page) {
        let listed = |list: Vec<(String, u64)>| -> Vec<String> {
            list.into_iter().map(|(name, count)| format!("{} {name}", grouped(count))).collect()
        };
        let mut outcomes: Vec<(String, u64)> = Vec::new();
        for (name, count) in self.outcomes.sorted(|name, count| (Reverse(count), *name)) {
            outcomes.push((name.replace('_', " "), count));
        }
        let mut outcomes = listed(outcomes);
        if self.resumed > 0 {
            outcomes.push(format!("{} resumed", grouped(self.resumed)));
        }
        page.list("Outcome", &outcomes);
        let alerts = self.alerts.sorted(|name, count| (Reverse(count), name.clone()));
        let alerts = alerts.into_iter().take(LISTED).map(|(name, count)| (name.clone(), count)).collect();
        page.list("Refused with", &listed(alerts));
        let versions = self.versions.sorted(|version, _| Reverse((version.order(), version.0)));
        let versions = versions.into_iter().map(|(version, count)| (version.to_string(), count)).collect();
        page.list("Negotiated", &listed(versions));
        let software = self.software.sorted(|name, count| (Reverse(count), Arc::clone(name)));
        let mut clients: Vec<_> =
            software.iter().take(LISTED).map(|(name, count)| (text::elide(name, 60).into_owned(), *count)).collect();
        let others = software.iter().skip(LISTED).map(|(_, count)| count).sum();
        for (name, count) in [("of other software", others), ("without a label", self.unlabelled)] {
            if count > 0 && !software.is_empty() {
                clients.push((name.to_owned(), count));
            }
        }
        page.list("Clients", &listed(clients));
    }

    fn suites_section(&self, page: &mut Page) {
        let rows: Vec<_> = self.weak.iter().filter(|(_, chosen, possible)| *chosen > 0 || *possible > 0).collect();
        if rows.is_empty() {
            return;
        }
        page.title("Weak suites           negotiated     offered  by clients");
        for (Weakness { class, words, .. }, chosen, possible) in rows {
            let clients = self.clients.values().filter(|offered| offered.intersects(*class)).count();
            let clients = grouped(clients.try_into().unwrap_or(u64::MAX));
            let chosen_words = if chosen > 0 { grouped(chosen) } else { "-".to_owned() };
            let style = if chosen > 0 { severity_style(Severity::High) } else { Style::new() };
            page.text.push_str("  ");
            page.paint(&format!("{words:<18}  {chosen_words:>10}"), style);
            let _ = writeln!(page.text, "  {:>10}  {clients:>10}", grouped(possible));
        }
        let suites = self.weak_suites.sorted(|suite, count| (Reverse(count), suite.0));
        for (suite, count) in suites.iter().take(LISTED) {
            let _ = writeln!(page.text, "  {:>30}  {suite}", grouped(*count));
        }
        if suites.len() > LISTED {
            let _ = writeln!(page.text, "  {:>30}  {} more", "", suites.len() - LISTED);
        }
    }

    fn findings_section(&self, page: &mut Page) {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by_key(|(rule, severity, count)| (Reverse(*severity), Reverse(*count), rule.id));
        if self.allowed > 0 {
            page.list("Allowed", &[counted(self.allowed, "finding")]);
        }
        if findings.is_empty() {
            return;
        }
        page.title("Findings              handshakes");
        for (Rule { id, name, .. }, severity, count) in findings.iter().take(LISTED) {
            page.text.push_str("  ");
            page.paint(
                &format!("{:<18}  {:>10}  {id:<7} {name}", severity.name(), grouped(*count)),
                severity_style(*severity),
            );
            page.text.push('\n');
        }
        let more = findings.len().saturating_sub(LISTED);
        if more > 0 {
            let graver = findings.get(LISTED).map_or(Severity::Info, |(_, severity, _)| *severity);
            let _ = writeln!(page.text, "  {:>32}  {more} more kinds, none above {graver}", "");
        }
    }
}

impl Tally {
    fn policies_section(&self, page: &mut Page) {
        for tally in &self.policies {
            page.title(&format!("Policy {}", tally.policy));
            let _ = writeln!(page.text, "  {:<18}  {:>10}  {:>10}  {:>10}", "", "complies", "violates", "unknown");
            for (name, [complies, violates, unknown]) in tally.parts {
                let _ = write!(page.text, "  {:<18}  {:>10}  ", name.replace('_', " "), grouped(complies));
                let style = if violates > 0 { severity_style(Severity::High) } else { Style::new() };
                page.paint(&format!("{:>10}", grouped(violates)), style);
                let _ = writeln!(page.text, "  {:>10}", grouped(unknown));
            }
            let violated = tally.violated.sorted(|key, count| (Reverse(count), *key));
            for ((part, rule), count) in violated.into_iter().take(LISTED) {
                let (part, rule) = (part.replace('_', " "), rule.replace('_', " "));
                let _ = writeln!(page.text, "  {:>30}  {part}: {rule}", grouped(count));
            }
        }
    }
}

fn drops_section(stats: &Stats, page: &mut Page) {
    let mut drops = stats.drops.iter().peekable();
    if drops.peek().is_none() {
        return;
    }
    page.title("Not used               packets");
    for (reason, count) in drops {
        let _ = writeln!(page.text, "  {:>30}  {}", grouped(count), reason.words());
    }
}

struct Page {
    text: String,
    width: usize,
    colour: bool,
}

impl Page {
    fn paint(&mut self, words: &str, style: Style) {
        if self.colour && style != Style::new() {
            // Writing to a String cannot fail.
            let _ = write!(self.text, "{style}{words}{style:#}");
        } else {
            self.text.push_str(words);
        }
    }

    fn title(&mut self, words: &str) {
        self.text.push('\n');
        self.paint(words, Style::new().bold());
        self.text.push('\n');
    }

    /// Items behind a title, folded at the width.
    fn list(&mut self, title: &str, items: &[String]) {
        const INDENT: usize = 14;
        if items.is_empty() {
            return;
        }
        self.paint(&format!("{title:<INDENT$}"), Style::new().bold());
        let mut column = INDENT;
        for (position, item) in items.iter().enumerate() {
            let item = text::plain(item);
            let comma = if position + 1 < items.len() { "," } else { "" };
            let needed = text::width(&item) + comma.len();
            if position > 0 {
                if column + 1 + needed > self.width {
                    let _ = write!(self.text, "\n{:INDENT$}", "");
                    column = INDENT;
                } else {
                    self.text.push(' ');
                    column += 1;
                }
            }
            column += needed;
            self.text.push_str(&item);
            self.text.push_str(comma);
        }
        self.text.push('\n');
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// Seconds for a person.
fn span(seconds: f64) -> String {
    match seconds {
        0.0..1.0 => format!("{:.0} ms", seconds * 1e3),
        1.0..120.0 => format!("{seconds:.1} s"),
        120.0..7200.0 => format!("{:.0} min", seconds / 60.0),
        7200.0..172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}
