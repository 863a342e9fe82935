//! The table a person reads: a row a handshake, of one, two or three lines by the width of the terminal.
//!
//! Rows are written as they come, so the columns are fixed. Nothing from the wire reaches the terminal as it was:
//! see [`text::plain`].

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use anstyle::{AnsiColor, Style};

use super::text;
use crate::findings::Severity;
use crate::flow::Outcome;
use crate::pipeline::Report;
use crate::record::FlowRecord;
use crate::time::Timestamp;
use crate::tls::codepoints::CipherSuite;

/// The width where nothing tells another, in columns.
pub const DEFAULT_WIDTH: usize = 100;

/// The least width rows are made for, in columns.
const LEAST_WIDTH: usize = 60;

/// Columns between two cells.
const GAP: usize = 2;

/// How a severity is coloured.
#[must_use]
pub const fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Info => Style::new().dimmed(),
        Severity::Low => AnsiColor::Cyan.on_default(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::High => AnsiColor::Red.on_default(),
        Severity::Critical => AnsiColor::Red.on_default().bold(),
    }
}

/// Writes rows of a table.
#[derive(Clone, Debug)]
pub struct Table {
    lines: &'static [&'static [Column]],
    widths: [usize; Column::COUNT],
    milliseconds: bool,
    colour: bool,
    line: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Time,
    Ends,
    Sni,
    Version,
    Suite,
    Ja4,
    Finding,
}

impl Column {
    const COUNT: usize = 7;

    const fn title(self) -> &'static str {
        match self {
            Self::Time => "TIME",
            Self::Ends => "CLIENT → SERVER",
            Self::Sni => "SNI",
            Self::Version => "VERSION",
            Self::Suite => "SUITE",
            Self::Ja4 => "JA4",
            Self::Finding => "WORST FINDING",
        }
    }
}

impl Table {
    /// A table `width` columns wide, with ANSI colours where `colour` says so.
    #[must_use]
    pub fn new(width: usize, colour: bool) -> Self {
        use Column::{Ends, Finding, Ja4, Sni, Suite, Time, Version};
        let width = width.max(LEAST_WIDTH);
        let (version, ja4) = (8, 36);
        let milliseconds = width >= 90;
        let time = if milliseconds { 12 } else { 8 };
        let lines: &[&[Column]];
        let (ends, sni, suite, finding);
        if width >= 176 {
            lines = &[&[Time, Ends, Sni, Version, Suite, Ja4, Finding]];
            ends = 43;
            let rest = width - time - ends - version - ja4 - 6 * GAP;
            (sni, suite) = (rest * 3 / 10, (rest * 3 / 10).min(30));
            finding = rest - sni - suite;
        } else if width >= 90 {
            lines = &[&[Time, Ends, Finding], &[Sni, Version, Suite, Ja4]];
            ends = (width - time - 2 * GAP).div_ceil(2).min(95);
            finding = width - time - ends - 2 * GAP;
            let rest = width - version - ja4 - 4 * GAP;
            suite = (rest / 2 + 1).min(30);
            sni = rest - suite;
        } else {
            lines = &[&[Time, Ends], &[Sni, Version, Suite], &[Ja4, Finding]];
            ends = width - time - GAP;
            let rest = width - version - 3 * GAP;
            suite = rest / 2;
            sni = rest - suite;
            finding = width - ja4 - 2 * GAP;
        }
        Self {
            lines,
            widths: [time, ends, sni, version, suite, ja4, finding],
            milliseconds,
            colour,
            line: String::with_capacity(width * 2),
        }
    }

    /// The names of the columns.
    #[must_use]
    pub fn header(&self) -> String {
        let mut header = String::new();
        let style = Style::new().bold();
        for (number, columns) in self.lines.iter().enumerate() {
            let cells = columns.iter().map(|column| (*column, Cow::Borrowed(column.title()), style));
            self.write_line(number, cells, &mut header);
        }
        header
    }

    /// The line above the records of one capture and day.
    #[must_use]
    pub fn heading(&self, capture: &Path, day: Timestamp) -> String {
        let (year, month, dom, ..) = day.civil();
        let capture = capture.display().to_string();
        let width = self.full_width().saturating_sub(17);
        let words = format!("{year:04}-{month:02}-{dom:02} UTC  {}", text::elide(&text::plain(&capture), width));
        let mut heading = String::new();
        self.paint(&words, Style::new().underline(), &mut heading);
        heading.push('\n');
        heading
    }

    /// The columns of the longest line.
    fn full_width(&self) -> usize {
        let of_line = |(number, columns): (usize, &&[Column])| {
            let gaps = GAP * (columns.len().saturating_sub(1) + usize::from(number > 0));
            columns.iter().map(|column| self.width_of(*column)).sum::<usize>() + gaps
        };
        self.lines.iter().enumerate().map(of_line).max().unwrap_or(DEFAULT_WIDTH)
    }

    fn width_of(&self, column: Column) -> usize {
        self.widths.get(column as usize).copied().unwrap_or_default()
    }

    fn paint(&self, words: &str, style: Style, out: &mut String) {
        if self.colour && !words.is_empty() && style != Style::new() {
            // Writing to a String cannot fail.
            let _ = write!(out, "{style}{words}{style:#}");
        } else {
            out.push_str(words);
        }
    }

    /// Writes line `number` of a row: cells fitted to their columns, without blanks at its end.
    fn write_line<'a>(
        &self,
        number: usize,
        cells: impl Iterator<Item = (Column, Cow<'a, str>, Style)>,
        out: &mut String,
    ) {
        let mut blanks = if number > 0 { GAP } else { 0 };
        for (column, words, style) in cells {
            let words = text::elide(&words, self.width_of(column));
            if !words.is_empty() {
                out.extend(std::iter::repeat_n(' ', blanks));
                blanks = 0;
                self.paint(&words, style, out);
            }
            blanks += self.width_of(column).saturating_sub(text::width(&words)) + GAP;
        }
        out.push('\n');
    }

    fn cell<'a>(&self, column: Column, record: &'a FlowRecord<'_>) -> (Cow<'a, str>, Style) {
        let facts = record.facts;
        let none = Style::new();
        match column {
            Column::Time => {
                let (.., hour, minute, second) = facts.started.civil();
                let mut time = format!("{hour:02}:{minute:02}:{second:02}");
                if self.milliseconds {
                    let _ = write!(time, ".{:03}", facts.started.as_nanos() / 1_000_000 % 1000);
                }
                (time.into(), none)
            }
            Column::Ends => {
                (ends(facts.client, facts.server, arrow(facts.outcome), self.width_of(column)).into(), none)
            }
            Column::Sni => match &facts.hello.server_name {
                Some(name) => (text::plain(name), none),
                None => ("-".into(), none.dimmed()),
            },
            Column::Version => match facts.selected_version() {
                Some(version) => (version.to_string().replace("-draft", "d").into(), none),
                None => ("-".into(), none.dimmed()),
            },
            Column::Suite => match facts.cipher_suite() {
                Some(suite) => (short_suite(suite).into(), none),
                None => (outcome(facts.outcome).into(), none.italic()),
            },
            Column::Ja4 => {
                let prints = record.hello.and_then(|hello| hello.fingerprints.as_ref());
                (prints.map_or(Cow::Borrowed("-"), |prints| text::plain(prints.ja4.hash())), none.dimmed())
            }
            Column::Finding => match record.findings.first() {
                Some(worst) => {
                    let more = record.findings.len() - 1;
                    let mut words = format!("{} {} {}", worst.severity, worst.rule.id, worst.rule.name);
                    if more > 0 {
                        let _ = write!(words, " +{more}");
                    }
                    (words.into(), severity_style(worst.severity))
                }
                None => (Cow::Borrowed(""), none),
            },
        }
    }
}

impl Report for Table {
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>) {
        let mut row = std::mem::take(&mut self.line);
        row.clear();
        for (number, columns) in self.lines.iter().enumerate() {
            let cells = columns.iter().map(|column| {
                let (words, style) = self.cell(*column, record);
                (*column, words, style)
            });
            self.write_line(number, cells, &mut row);
        }
        out.extend_from_slice(row.as_bytes());
        self.line = row;
    }
}

/// Between the two ends: whether a connection came of it.
#[must_use]
pub const fn arrow(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Established | Outcome::Cleartext { .. } => " → ",
        Outcome::Refused { .. }
        | Outcome::Reset { .. }
        | Outcome::Closed { .. }
        | Outcome::Silent
        | Outcome::NotTls => " ↛ ",
        Outcome::Incomplete | Outcome::OneWay { .. } => " ⇢ ",
    }
}

/// How a handshake ended, for a person.
#[must_use]
pub fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused { alert: Some(alert), .. } => alert.to_string(),
        Outcome::OneWay { .. } => "one direction only".to_owned(),
        other => other.name().replace('_', " "),
    }
}

/// Both addresses in `columns`: what is too long loses the middle of an address, never a port.
#[must_use]
pub fn ends(client: SocketAddr, server: SocketAddr, arrow: &str, columns: usize) -> String {
    let (client_ip, client_port) = parts(client);
    let (server_ip, server_port) = parts(server);
    let room = columns.saturating_sub(text::width(arrow) + client_port.len() + server_port.len());
    let half = room / 2;
    let (for_client, for_server) = if client_ip.len() <= half {
        (client_ip.len(), room - client_ip.len())
    } else if server_ip.len() <= half {
        (room - server_ip.len(), server_ip.len())
    } else {
        (half, room - half)
    };
    let (client_ip, server_ip) = (text::elide(&client_ip, for_client), text::elide(&server_ip, for_server));
    format!("{client_ip}{client_port}{arrow}{server_ip}{server_port}")
}

fn parts(address: SocketAddr) -> (String, String) {
    let ip = if address.is_ipv6() { format!("[{}]", address.ip()) } else { address.ip().to_string() };
    (ip, format!(":{}", address.port()))
}

/// A suite without what every name has: `TLS_`, `_WITH_`, and behind authenticated encryption the hash, which follows
/// from the cipher.
#[must_use]
pub fn short_suite(suite: CipherSuite) -> String {
    let name = suite.to_string();
    let short = name.strip_prefix("TLS_").unwrap_or(&name).replace("_WITH_", "_");
    if suite.is_aead() && !suite.is_tls13() {
        for hash in ["_SHA256", "_SHA384"] {
            if let Some(short) = short.strip_suffix(hash) {
                return short.to_owned();
            }
        }
    }
    short
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn lays_lines_out_to_the_very_column() {
        for width in [60, 72, 89, 90, 100, 120, 160, 175, 176, 200, 300] {
            let table = Table::new(width, false);
            assert_eq!(table.full_width(), width);
            assert!(table.header().lines().all(|line| text::width(line) <= width), "{width}");
        }
        assert_eq!(Table::new(10, false).full_width(), LEAST_WIDTH);
    }

    #[test]
    fn keeps_ports_of_long_addresses() {
        let v4 = ends("10.0.0.1:50000".parse().unwrap(), "10.0.0.2:443".parse().unwrap(), " → ", 43);
        assert_eq!(v4, "10.0.0.1:50000 → 10.0.0.2:443");
        let long = "[2001:db8:1111:2222:3333:4444:5555:6666]:50000".parse().unwrap();
        let v6 = ends(long, "[2001:db8::1]:443".parse().unwrap(), " → ", 43);
        assert_eq!(text::width(&v6), 43);
        assert!(v6.contains(":50000 → [2001:db8::1]:443"), "{v6}");
    }

    #[test]
    fn shortens_suites_without_confusing_two() {
        assert_eq!(short_suite(CipherSuite(0xc02f)), "ECDHE_RSA_AES_128_GCM");
        assert_eq!(short_suite(CipherSuite(0x1301)), "AES_128_GCM_SHA256");
        assert_eq!(short_suite(CipherSuite(0x0005)), "RSA_RC4_128_SHA");
        let mut names: Vec<_> = CipherSuite::all().map(short_suite).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
