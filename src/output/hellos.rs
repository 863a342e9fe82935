//! [`Hellos`]: the distinct client hellos of many records, one line each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anstyle::Style;
use hashbrown::HashMap;
use serde::Serialize;

use super::text::{self, grouped};
use crate::flow::facts::Side;
use crate::labels::{self, Label, Method, Software};
use crate::pipeline::Report;
use crate::record::{FlowRecord, LabelsMember};

/// The version of the form of [`Hellos::ndjson`]. It grows when a member changes its meaning.
pub const HELLO_SCHEMA_VERSION: u32 = 1;

/// Distinct hellos kept; those of others are only counted.
const MOST_HELLOS: usize = 1 << 16;

/// Servers of a hello kept, the first in the alphabet: so they are the same whatever the order of the records.
const MOST_SERVERS: usize = 256;

/// Captures of a hello kept.
const MOST_CAPTURES: usize = 1 << 16;

/// Distinct hellos with their counts, servers and labels. A hello is told from others by JA4 and JA3N: a client that
/// shuffles its extensions has one line. Sums of parts are the sum of the whole, whatever the parts.
#[derive(Clone, Debug, Default)]
pub struct Hellos {
    hellos: HashMap<String, Hello, foldhash::fast::FixedState>,
    /// The captures in which a server's hello with this JA3S is.
    servers: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    /// Hellos of shapes beyond [`MOST_HELLOS`].
    beyond: u64,
    key: String,
}

/// One distinct hello.
#[derive(Clone, Debug)]
pub struct Hello {
    /// JA4, hashed.
    pub ja4: String,
    /// JA4 without what resumption changes.
    pub ja4_stable: String,
    /// JA3; `None` where the client shuffles its extensions, so that it is another each time.
    pub ja3: Option<String>,
    /// JA3 with sorted extensions.
    pub ja3n: String,
    /// How often it was sent.
    pub count: u64,
    /// The servers it was sent to and how often: by name, or address and port where the hello has none. At most 256.
    pub servers: BTreeMap<String, u64>,
    /// Whether there are more servers.
    pub more_servers: bool,
    /// The software it may be of.
    pub labels: Vec<Arc<Label>>,
    /// ALPN as labels write it; `None` where it is not always the same.
    pub alpn: Option<String>,
    /// Whether it carries GREASE; `None` where it does not always.
    pub grease: Option<bool>,
    /// The captures it is in.
    captures: BTreeMap<Box<str>, ()>,
}

impl Hello {
    fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.ja3 = self.ja3.take().filter(|ja3| other.ja3.as_ref() == Some(ja3));
        self.alpn = self.alpn.take().filter(|alpn| other.alpn.as_ref() == Some(alpn));
        self.grease = self.grease.filter(|grease| other.grease == Some(*grease));
        self.more_servers |= other.more_servers;
        for (server, count) in &other.servers {
            self.add_server(server, *count);
        }
        for capture in other.captures.keys() {
            self.add_capture(capture);
        }
    }

    fn add_server(&mut self, server: &str, count: u64) {
        if let Some(known) = self.servers.get_mut(server) {
            *known = known.saturating_add(count);
            return;
        }
        self.servers.insert(server.to_owned(), count);
        if self.servers.len() > MOST_SERVERS {
            self.servers.pop_last();
            self.more_servers = true;
        }
    }

    fn add_capture(&mut self, capture: &str) {
        if !self.captures.contains_key(capture) && self.captures.len() < MOST_CAPTURES {
            self.captures.insert(capture.into(), ());
        }
    }

    /// The servers, those with most hellos first.
    fn ranked_servers(&self) -> Vec<(&str, u64)> {
        let mut servers: Vec<_> = self.servers.iter().map(|(server, count)| (server.as_str(), *count)).collect();
        servers.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        servers
    }
}

impl Hellos {
    /// Counts the hellos of one record, where they have fingerprints.
    pub fn add(&mut self, record: &FlowRecord<'_>) {
        if let Some(ja3s) = record.ja3s {
            self.add_server(ja3s, record.capture);
        }
        let Some(reading) = record.hello else { return };
        let Some(prints) = &reading.fingerprints else { return };
        self.key.clear();
        self.key.push_str(prints.ja4.hash());
        self.key.push_str(prints.ja3n.hash());
        let address;
        let server = match &record.facts.hello.server_name {
            Some(name) => name,
            None => {
                address = record.facts.server.to_string();
                &address
            }
        };
        let (ja3, alpn, grease) =
            (prints.ja3.hash(), labels::alpn_of(&reading.offer), labels::has_grease(&reading.offer));
        if let Some(known) = self.hellos.get_mut(&self.key) {
            known.count = known.count.saturating_add(1);
            known.ja3 = known.ja3.take().filter(|known| known == ja3);
            known.alpn = known.alpn.take().filter(|known| Some(known) == alpn.as_ref());
            known.grease = known.grease.filter(|known| *known == grease);
            known.add_server(server, 1);
            known.add_capture(record.capture);
        } else if self.hellos.len() >= MOST_HELLOS {
            self.beyond = self.beyond.saturating_add(1);
        } else {
            self.hellos.insert(
                self.key.clone(),
                Hello {
                    ja4: prints.ja4.hash().to_owned(),
                    ja4_stable: prints.ja4.stable().to_owned(),
                    ja3: Some(ja3.to_owned()),
                    ja3n: prints.ja3n.hash().to_owned(),
                    count: 1,
                    servers: BTreeMap::from([(server.clone(), 1)]),
                    more_servers: false,
                    labels: reading.labels.clone(),
                    alpn,
                    grease: Some(grease),
                    captures: BTreeMap::from([(record.capture.into(), ())]),
                },
            );
        }
    }

    fn add_server(&mut self, ja3s: &str, capture: &str) {
        if let Some(captures) = self.servers.get_mut(ja3s) {
            if !captures.contains(capture) && captures.len() < MOST_CAPTURES {
                captures.insert(capture.into());
            }
        } else if self.servers.len() < MOST_HELLOS {
            self.servers.insert(ja3s.into(), BTreeSet::from([capture.into()]));
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.beyond = self.beyond.saturating_add(other.beyond);
        for (ja3s, captures) in &other.servers {
            captures.iter().for_each(|capture| self.add_server(ja3s, capture));
        }
        for (key, hello) in &other.hellos {
            if let Some(known) = self.hellos.get_mut(key) {
                known.merge(hello);
            } else if self.hellos.len() < MOST_HELLOS {
                self.hellos.insert(key.clone(), hello.clone());
            } else {
                self.beyond = self.beyond.saturating_add(hello.count);
            }
        }
    }

    /// The hellos, the most frequent first.
    #[must_use]
    pub fn ranked(&self) -> Vec<&Hello> {
        let mut hellos: Vec<_> = self.hellos.values().collect();
        hellos.sort_by_key(|hello| (std::cmp::Reverse(hello.count), &hello.ja4, &hello.ja3n));
        hellos
    }

    /// Hellos that are in no line, as there were too many distinct ones.
    #[must_use]
    pub const fn beyond(&self) -> u64 {
        self.beyond
    }

    /// Labels made of these hellos: two for each piece of software and client's hello, by JA4 and by JA4 without what
    /// resumption changes; one, by JA3S, for each server's. `software_of` tells what sent the hellos of one side of a
    /// capture; where it does not know that they are left out.
    pub fn labels<'a>(&self, software_of: impl Fn(&Path, Side) -> Option<&'a Software>) -> Vec<Label> {
        type Seen<'a> = (BTreeSet<&'a str>, Option<String>, Option<bool>);
        let mut found: BTreeMap<(&Software, Method, &str), Seen<'_>> = BTreeMap::new();
        for hello in self.hellos.values() {
            for capture in hello.captures.keys() {
                let Some(software) = software_of(Path::new(&**capture), Side::Client) else { continue };
                for (method, value) in [(Method::Ja4, &hello.ja4), (Method::Ja4Stable, &hello.ja4_stable)] {
                    let (captures, alpn, grease) = found
                        .entry((software, method, value))
                        .or_insert_with(|| (BTreeSet::new(), hello.alpn.clone(), hello.grease));
                    captures.insert(capture);
                    *alpn = alpn.take().filter(|alpn| hello.alpn.as_ref() == Some(alpn));
                    *grease = grease.filter(|grease| hello.grease == Some(*grease));
                }
            }
        }
        for (ja3s, captures) in &self.servers {
            for capture in captures {
                let Some(software) = software_of(Path::new(&**capture), Side::Server) else { continue };
                found.entry((software, Method::Ja3s, ja3s)).or_default().0.insert(capture);
            }
        }
        let label = |((software, method, value), (captures, alpn, grease)): ((&Software, Method, &str), Seen<'_>)| {
            let Software { name, version, kind, os } = software.clone();
            let captures = u32::try_from(captures.len()).unwrap_or(u32::MAX);
            Label { method, value: value.to_owned(), name, version, kind, os, source: None, captures, alpn, grease }
        };
        found.into_iter().map(label).collect()
    }

    /// A line a hello as JSON objects.
    #[must_use]
    pub fn ndjson(&self) -> String {
        let mut lines = String::new();
        for hello in self.ranked() {
            let servers = hello.ranked_servers();
            let line = Line {
                kind: "hello",
                schema: HELLO_SCHEMA_VERSION,
                hellos: hello.count,
                ja4: &hello.ja4,
                ja4_stable: &hello.ja4_stable,
                ja3: hello.ja3.as_deref(),
                ja3n: &hello.ja3n,
                alpn: hello.alpn.as_deref(),
                grease: hello.grease,
                servers: servers.into_iter().map(|(name, hellos)| Server { name, hellos }).collect(),
                more_servers: hello.more_servers,
                labels: LabelsMember(&hello.labels),
            };
            // No member refuses to be serialised.
            lines.push_str(&serde_json::to_string(&line).unwrap_or_default());
            lines.push('\n');
        }
        lines
    }

    /// A line a hello as CSV, with a header line. Servers and labels are joined by `; `.
    ///
    /// # Errors
    /// None that is expected: memory is all that is written to.
    pub fn csv(&self) -> std::io::Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["hellos", "ja4", "ja4_stable", "ja3", "ja3n", "servers", "labels"])?;
        for hello in self.ranked() {
            let servers: Vec<_> = hello.ranked_servers().into_iter().map(|(name, _)| name).collect();
            let labels: Vec<_> = hello.labels.iter().map(|label| label.title()).collect();
            writer.write_record([
                &hello.count.to_string(),
                &hello.ja4,
                &hello.ja4_stable,
                hello.ja3.as_deref().unwrap_or_default(),
                &hello.ja3n,
                &servers.join("; "),
                &labels.join("; "),
            ])?;
        }
        let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        String::from_utf8(bytes).map_err(std::io::Error::other)
    }

    /// Lines for a terminal `width` columns wide: one a hello where they fit in it, otherwise two.
    #[must_use]
    pub fn table(&self, width: usize, colour: bool) -> String {
        const COUNT: usize = 9;
        const JA4: usize = 36;
        const JA3: usize = 32;
        const GAP: usize = 2;
        let wide = width >= 150;
        let rest =
            if wide { width.saturating_sub(COUNT + JA4 + JA3 + 4 * GAP) } else { width.max(60) - COUNT - 2 * GAP };
        let labels_width = rest / 2;
        let servers_width = rest - labels_width;
        let row = |count: &str, ja4: &str, ja3: &str, servers: &str, labels: &str, style: Style| {
            let break_or_gap = if wide { "  ".to_owned() } else { format!("\n{:COUNT$}  ", "") };
            let fit = |words: &str, width: usize| {
                let words = text::elide(&text::plain(words), width).into_owned();
                let blanks = width.saturating_sub(text::width(&words));
                (words, blanks)
            };
            let (servers, blanks) = fit(servers, servers_width);
            let (labels, _) = fit(labels, labels_width);
            let ja3 = if wide { format!("{ja3:<JA3$}") } else { ja3.to_owned() };
            let mut line = format!("{count:>COUNT$}  {ja4:<JA4$}  {ja3}{break_or_gap}{servers}");
            if !labels.is_empty() {
                let (on, off) = if colour {
                    (style.render().to_string(), style.render_reset().to_string())
                } else {
                    Default::default()
                };
                let _ = write!(line, "{:blanks$}  {on}{labels}{off}", "");
            }
            line.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>()
        };
        let mut page = row("HELLOS", "JA4", "JA3", "SERVERS", "LABELS", Style::new());
        for hello in self.ranked() {
            let ja3 = hello.ja3.as_deref().unwrap_or("(shuffled extensions)");
            let labels = hello.labels.iter().map(|label| label.title()).collect::<Vec<_>>();
            let servers = servers_words(hello, servers_width);
            page.push_str(&row(
                &grouped(hello.count),
                &text::plain(&hello.ja4),
                ja3,
                &servers,
                &some_of(&labels, labels.len(), labels_width),
                Style::new().bold(),
            ));
        }
        page
    }
}

/// A hello in NDJSON: `hello.schema.json`.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    schema: u32,
    hellos: u64,
    ja4: &'a str,
    ja4_stable: &'a str,
    ja3: Option<&'a str>,
    ja3n: &'a str,
    alpn: Option<&'a str>,
    grease: Option<bool>,
    servers: Vec<Server<'a>>,
    more_servers: bool,
    labels: LabelsMember<'a>,
}

#[derive(Serialize)]
struct Server<'a> {
    name: &'a str,
    hellos: u64,
}

impl Report for Hellos {
    fn flow(&mut self, record: &FlowRecord<'_>, _: &mut Vec<u8>) {
        self.add(record);
    }
}

fn servers_words(hello: &Hello, width: usize) -> String {
    let names: Vec<String> =
        hello.ranked_servers().into_iter().map(|(name, _)| text::plain(name).into_owned()).collect();
    let mut words = some_of(&names, names.len(), width.saturating_sub(usize::from(hello.more_servers)));
    if hello.more_servers {
        words.push('+');
    }
    words
}

/// As many of `names` as fit, and how many more there are.
fn some_of(names: &[String], total: usize, width: usize) -> String {
    let mut words = String::new();
    for (position, name) in names.iter().enumerate() {
        let left = total.saturating_sub(position).saturating_sub(1);
        let reserve = if left > 0 { 6 } else { 0 };
        let needed = text::width(&words) + 2 + text::width(name) + reserve;
        if position > 0 && needed > width {
            let _ = write!(words, " +{}", left.saturating_add(1));
            return words;
        }
        if position > 0 {
            words.push_str(", ");
            words.push_str(name);
        } else {
            words.push_str(&text::elide(name, width.saturating_sub(reserve)));
        }
    }
    words
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn hello(servers: impl Iterator<Item = usize>, ja3: &str) -> Hello {
        let mut hello = Hello {
            ja4: "t13d1516h2_8daaf6152771_02713d6af862".to_owned(),
            ja4_stable: "t13d1516h2_8daaf6152771_02713d6af862".to_owned(),
            ja3: Some(ja3.to_owned()),
            ja3n: "n".to_owned(),
            count: 0,
            servers: BTreeMap::new(),
            more_servers: false,
            labels: Vec::new(),
            alpn: Some("-".to_owned()),
            grease: Some(true),
            captures: BTreeMap::new(),
        };
        for number in servers {
            hello.count += 1;
            hello.add_server(&format!("server-{number:04}"), 1);
        }
        hello
    }

    #[test]
    fn keeps_the_same_servers_whatever_the_order_they_come_in() {
        let whole = hello((0..1000).chain(0..10), "a");
        let backwards = hello((0..1000).rev().chain(0..10), "a");
        let mut parts = hello((500..1000).chain(0..10), "a");
        parts.merge(&hello(0..500, "a"));
        assert_eq!(whole.servers.len(), MOST_SERVERS);
        assert_eq!(whole.servers.get("server-0003"), Some(&2));
        for other in [backwards, parts] {
            assert_eq!((&other.servers, other.count, other.more_servers), (&whole.servers, 1010, true));
        }
        assert!(servers_words(&whole, 40).starts_with("server-0000, server-0001 +"));
    }

    #[test]
    fn a_client_that_shuffles_has_no_ja3_of_its_own() {
        let mut one = hello(0..1, "a");
        one.merge(&hello(0..1, "a"));
        assert_eq!(one.ja3.as_deref(), Some("a"));
        one.merge(&hello(0..1, "b"));
        one.merge(&hello(0..1, "a"));
        assert_eq!(one.ja3, None);
    }

    #[test]
    fn labels_count_captures_and_know_what_is_always_the_same() {
        let software = Software { name: "Client".to_owned(), version: None, kind: labels::Kind::Browser, os: None };
        let mut hellos = Hellos::default();
        for (number, alpn) in [Some("-"), Some("h2")].into_iter().enumerate() {
            let mut hello = hello(0..1, "a");
            hello.alpn = alpn.map(ToOwned::to_owned);
            for capture in ["one", "two", "unknown"] {
                hello.add_capture(capture);
            }
            hellos.hellos.insert(number.to_string(), hello);
        }
        let made = hellos
            .labels(|capture, side| (side == Side::Client && capture != Path::new("unknown")).then_some(&software));
        assert_eq!(made.iter().map(|label| label.method).collect::<Vec<_>>(), [Method::Ja4, Method::Ja4Stable]);
        for label in made {
            assert_eq!((label.captures, label.alpn, label.grease), (2, None, Some(true)));
        }
    }
}
