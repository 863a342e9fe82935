//! A handshake's full record as lines a person reads.

use std::fmt;

use handprint::findings::Severity;
use handprint::output::table::{ends, outcome};
use handprint::output::text;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::glimpse::Glimpse;

/// Columns a level is indented by.
const INDENT: usize = 2;

/// Columns lines are made for at least.
const LEAST_WIDTH: usize = 48;

/// A line: words, and what kind of words they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    /// Characters at the start that name what follows.
    pub(super) name: usize,
    pub(super) tone: Tone,
}

/// How a line is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Title,
    Finding(Severity),
}

/// The record of `glimpse` in lines of at most `width` columns, but not less than [`LEAST_WIDTH`]: findings first, then all members in their order.
pub(super) fn lines(glimpse: &Glimpse, width: usize) -> Vec<Line> {
    let mut page = Page { lines: Vec::new(), width: width.max(LEAST_WIDTH) };
    let Some(Node::Object(members)) = glimpse.record.as_deref().and_then(|json| serde_json::from_slice(json).ok())
    else {
        page.glimpse(glimpse);
        return page.lines;
    };
    for (name, node) in &members {
        if let ("findings", Node::List(findings)) = (name.as_str(), node) {
            page.title(&format!("findings: {}", findings.len()));
            for finding in findings {
                page.finding(finding);
            }
        }
    }
    page.title("record");
    for (name, node) in members.iter().filter(|(name, _)| name != "findings") {
        page.member(name, node, 0);
    }
    page.lines
}

struct Page {
    lines: Vec<Line>,
    width: usize,
}

impl Page {
    fn title(&mut self, words: &str) {
        if !self.lines.is_empty() {
            self.push(String::new(), 0, Tone::Plain);
        }
        self.push(words.to_owned(), 0, Tone::Title);
    }

    fn push(&mut self, text: String, name: usize, tone: Tone) {
        self.lines.push(Line { text, name, tone });
    }

    /// `name: words`, folded under the words.
    fn words(&mut self, name: &str, words: &str, level: usize, tone: Tone) {
        let indent = (level * INDENT).min(self.width / 2);
        let name = if name.is_empty() { String::new() } else { format!("{}: ", text::plain(name)) };
        let head = text::width(&name);
        let hanging = indent + head.min(self.width / 3);
        let mut name_left = name.chars().count();
        let mut line = format!("{:indent$}{name}", "");
        let mut used = indent + head;
        let mut is_first = true;
        for word in text::plain(words).split(' ') {
            let mut word = word;
            loop {
                let gap = usize::from(!is_first);
                if used + gap + text::width(word) <= self.width {
                    line.push_str(if is_first { "" } else { " " });
                    line.push_str(word);
                    used += gap + text::width(word);
                    is_first = false;
                    break;
                }
                if is_first && used <= hanging {
                    // Longer than a line: cut where the line ends.
                    let fits = word.char_indices().nth((self.width - used).max(1)).map_or(word.len(), |(end, _)| end);
                    let (head, rest) = word.split_at_checked(fits).unwrap_or((word, ""));
                    line.push_str(head);
                    word = rest;
                }
                let indented = if name_left > 0 { indent + name_left } else { 0 };
                self.push(std::mem::take(&mut line), indented, tone);
                name_left = 0;
                line = " ".repeat(hanging);
                used = hanging;
                is_first = true;
                if word.is_empty() {
                    break;
                }
            }
        }
        if !line.trim().is_empty() {
            self.push(line, if name_left > 0 { indent + name_left } else { 0 }, tone);
        }
    }

    fn member(&mut self, name: &str, node: &Node, level: usize) {
        match node {
            Node::Scalar(words) => self.words(name, words, level, Tone::Plain),
            Node::Object(members) if members.is_empty() => self.words(name, "{}", level, Tone::Plain),
            Node::Object(members) => {
                self.words(name, "", level, Tone::Plain);
                for (name, node) in members {
                    self.member(name, node, level + 1);
                }
            }
            Node::List(items) => match scalars(items) {
                Some(words) => self.words(name, &words, level, Tone::Plain),
                None => {
                    for (number, item) in (1..).zip(items) {
                        self.member(&format!("{name} {number}"), item, level);
                    }
                }
            },
        }
    }

    fn finding(&mut self, finding: &Node) {
        let Node::Object(members) = finding else { return };
        let word = |wanted: &str| match members.iter().find(|(name, _)| name == wanted) {
            Some((_, Node::Scalar(words))) => words.as_str(),
            _ => "",
        };
        let tone = word("severity").parse().map_or(Tone::Plain, Tone::Finding);
        self.words("", &format!("{} {} {}", word("severity"), word("id"), word("name")), 0, tone);
        for (name, node) in members {
            match node {
                _ if ["severity", "id", "name"].contains(&name.as_str()) => {}
                Node::Object(evidence) if name == "evidence" => {
                    for (name, node) in evidence {
                        self.member(name, node, 1);
                    }
                }
                node => self.member(name, node, 1),
            }
        }
    }

    /// What is known where the record was not kept.
    fn glimpse(&mut self, glimpse: &Glimpse) {
        self.title("handshake");
        let note =
            "too many handshakes came at once for the full record to be kept: --format ndjson writes all of them";
        self.words("note", note, 0, Tone::Plain);
        self.words("id", &glimpse.id.to_string(), 0, Tone::Plain);
        self.words("ts", &glimpse.started.to_string(), 0, Tone::Plain);
        self.words("ends", &ends(glimpse.client, glimpse.server, " → ", usize::MAX), 0, Tone::Plain);
        self.words("sni", glimpse.server_name.as_deref().unwrap_or("-"), 0, Tone::Plain);
        self.words("version", glimpse.version, 0, Tone::Plain);
        self.words("cipher_suite", glimpse.suite.as_deref().unwrap_or("-"), 0, Tone::Plain);
        self.words("ja4", glimpse.ja4.as_deref().unwrap_or("-"), 0, Tone::Plain);
        self.words("software", glimpse.software.as_deref().unwrap_or("-"), 0, Tone::Plain);
        self.words("outcome", &outcome(glimpse.outcome), 0, Tone::Plain);
        self.title(&format!("findings: {}", glimpse.findings.len()));
        for (rule, severity) in &glimpse.findings {
            self.words("", &format!("{severity} {} {}", rule.id, rule.name), 0, Tone::Finding(*severity));
        }
    }
}

/// The items in one line, if they are all scalars.
fn scalars(items: &[Node]) -> Option<String> {
    let mut words = Vec::with_capacity(items.len());
    for item in items {
        let Node::Scalar(word) = item else { return None };
        words.push(word.as_str());
    }
    Some(if words.is_empty() { "none".to_owned() } else { words.join(", ") })
}

/// JSON, with its members in the order in which they were written.
#[derive(Debug)]
enum Node {
    Scalar(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(if value { "yes" } else { "no" }.to_owned()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar("-".to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(member) = members.next_entry()? {
            list.push(member);
        }
        Ok(Node::Object(list))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

    use super::super::glimpse::tests::{glimpse, glimpses_of};
    use super::*;

    #[test]
    fn shows_findings_first_and_every_member_in_its_order() {
        let glimpse = &glimpses_of("tls/suites/tls12-rc4-sha-negotiated.pcap")[0];
        let lines = lines(glimpse, 100);
        let place = |start: &str| lines.iter().position(|line| line.text.starts_with(start)).unwrap_or(usize::MAX);
        assert_eq!(lines[0].tone, Tone::Title);
        assert!(lines[1].tone == Tone::Finding(glimpse.findings[0].1));
        let places =
            ["findings: ", "record", "type: flow", "ts: ", "client: ", "cipher_suite: ", "fingerprints: "].map(place);
        assert!(places.is_sorted() && places[6] < usize::MAX, "{places:?}");
        let json: serde_json::Value = serde_json::from_slice(glimpse.record.as_ref().unwrap()).unwrap();
        for name in json.as_object().unwrap().keys() {
            assert!(place(&format!("{name}: ")) < usize::MAX || place(&format!("{name} 1: ")) < usize::MAX, "{name}");
        }
    }

    #[test]
    fn fits_every_width_and_loses_nothing() {
        let glimpse = &glimpses_of("tls/clients/curl.pcap")[0];
        let flat = |width| {
            let lines = lines(glimpse, width);
            assert!(lines.iter().all(|line| text::width(&line.text) <= width.max(LEAST_WIDTH)), "{width}");
            lines.iter().flat_map(|line| line.text.chars()).filter(|letter| !letter.is_whitespace()).collect::<String>()
        };
        let whole = flat(100_000);
        for width in [1, 48, 49, 63, 80, 100, 160] {
            assert_eq!(flat(width), whole, "{width}");
        }
    }

    #[test]
    fn makes_what_could_move_the_cursor_visible() {
        let mut glimpse = glimpse(1, 1, 1, &[]);
        glimpse.record = Some(br#"{"sni":"a\u001b[31m","findings":[],"\u009b":[1,2]}"#.as_slice().into());
        let lines = lines(&glimpse, 80);
        assert!(lines.iter().all(|line| !line.text.contains(char::is_control)));
        assert!(lines.iter().any(|line| line.text == "sni: a\\u{1b}[31m"), "{lines:?}");
    }

    #[test]
    fn shows_what_is_known_where_the_record_was_not_kept() {
        let lines = lines(&glimpse(1, 1, 1, &["CIP007"]), 80);
        assert!(lines.iter().any(|line| line.text.contains("10.0.0.1:50000 → 192.0.2.1:443")));
        assert!(lines.iter().any(|line| line.text == "high CIP007 rc4-negotiated"));
        assert!(lines.iter().any(|line| line.text.starts_with("note: ")));
    }
}
