//! `handprint rules`.

use std::fmt::Write as _;

use handprint::findings::{self, Family, Rule};
use handprint::output::table::severity_style;
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How to write the list
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line a rule
    Table,
    /// An array of objects, documentation included
    Json,
    /// A document, documentation included
    Markdown,
}

/// The list of rules.
pub(super) fn run(arguments: &Arguments) -> String {
    match arguments.format {
        Format::Table => table(),
        Format::Json => json(),
        Format::Markdown => markdown(),
    }
}

/// Families that have rules, with them.
fn families() -> impl Iterator<Item = (Family, Vec<&'static Rule>)> {
    let of = |family| findings::all().filter(|rule| rule.family == family).collect::<Vec<_>>();
    Family::ALL.into_iter().map(move |family| (family, of(family))).filter(|(_, rules)| !rules.is_empty())
}

// Writing to a String cannot fail, here and below.

fn table() -> String {
    let bold = anstyle::Style::new().bold();
    let mut text = String::new();
    for (position, (family, rules)) in families().enumerate() {
        let gap = if position > 0 { "\n" } else { "" };
        let _ = writeln!(text, "{gap}{bold}{} ({}){bold:#}", family.title(), family.prefix());
        for rule in rules {
            let style = severity_style(rule.severity);
            let _ = writeln!(text, "  {:<8} {style}{:<8}{style:#} {}", rule.id, rule.severity, rule.name);
        }
    }
    text
}

fn json() -> String {
    let rules: Vec<_> = findings::all()
        .map(|rule| {
            let documentation = &rule.documentation;
            json!({
                "id": rule.id,
                "name": rule.name,
                "family": rule.family.prefix(),
                "severity": rule.severity,
                "reports": documentation.reports,
                "why": documentation.why,
                "evidence": documentation.evidence,
                "action": documentation.action,
                "references": documentation.references,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(rules))
}

fn markdown() -> String {
    let mut text = "# Rules\n\nMade by `handprint rules --format markdown`; do not edit.\n".to_owned();
    for (family, rules) in families() {
        let _ = writeln!(text, "\n## {} (`{}`)\n", family.title(), family.prefix());
        let _ = writeln!(text, "| id | name | severity |\n|---|---|---|");
        for rule in &rules {
            let anchor = format!("{}-{}", rule.id, rule.name).to_ascii_lowercase();
            let _ = writeln!(text, "| [{}](#{anchor}) | `{}` | {} |", rule.id, rule.name, rule.severity);
        }
        for rule in rules {
            let documentation = &rule.documentation;
            let _ = writeln!(text, "\n### {} {}\n", rule.id, rule.name);
            let _ = writeln!(text, "Severity: {}.\n", rule.severity);
            for (title, words) in [
                ("What it reports", documentation.reports),
                ("Why it matters", documentation.why),
                ("Evidence", documentation.evidence),
                ("What to do", documentation.action),
            ] {
                let _ = writeln!(text, "**{title}.** {}\n", escaped(words));
            }
            let references: Vec<_> = documentation.references.iter().map(|words| escaped(words)).collect();
            let _ = writeln!(text, "**References.** {}.", references.join("; "));
        }
    }
    text
}

/// Words in which Markdown sees nothing but words, addresses and the code between backticks.
fn escaped(words: &str) -> String {
    let mut text = String::with_capacity(words.len() + 16);
    let mut is_code = false;
    for (position, word) in words.split(' ').enumerate() {
        if position > 0 {
            text.push(' ');
        }
        if word.starts_with("https://") {
            let address = word.trim_end_matches(['.', ',', ';']);
            let _ = write!(text, "<{address}>{}", word.strip_prefix(address).unwrap_or_default());
            continue;
        }
        for character in word.chars() {
            is_code ^= character == '`';
            if !is_code && matches!(character, '<' | '>' | '*' | '[' | ']' | '\\' | '|') {
                text.push('\\');
            }
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn markdown_sees_words_alone() {
        assert_eq!(escaped("a <b> `c <d>*` * [e]"), r"a \<b\> `c <d>*` \* \[e\]");
        assert_eq!(escaped("see https://example.org/x_*."), "see <https://example.org/x_*>.");
    }
}
