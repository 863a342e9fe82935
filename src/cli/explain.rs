//! `handprint explain`.

use std::fmt::Write as _;

use anstyle::Style;
use anyhow::{Result, bail};
use handprint::findings::{self, Rule};
use handprint::output::table::severity_style;
use handprint::output::text::fold;

use super::terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A rule by its id or name, or all rules of a family: `CIP007`, `rc4-negotiated`, `CIP`
    #[arg(required = true, value_name = "RULE")]
    rules: Vec<String>,
}

/// What the rules' documentation says.
pub(super) fn run(arguments: &Arguments) -> Result<String> {
    let width = terminal::stdout_width().clamp(40, 100);
    let mut text = String::new();
    for rule in chosen(&arguments.rules)? {
        if !text.is_empty() {
            text.push('\n');
        }
        explain(rule, width, &mut text);
    }
    Ok(text)
}

fn chosen(selectors: &[String]) -> Result<Vec<&'static Rule>> {
    let mut chosen = Vec::new();
    for selector in selectors {
        let family = || findings::all().filter(|rule| rule.family.prefix().eq_ignore_ascii_case(selector));
        match findings::find(selector) {
            Some(rule) => chosen.push(rule),
            None if family().next().is_some() => chosen.extend(family()),
            None => {
                let part = selector.to_ascii_lowercase();
                let like: Vec<_> = findings::all().filter(|rule| rule.name.contains(&part)).take(5).collect();
                if like.is_empty() {
                    bail!("no rule and no family is called {selector:?}; `handprint rules` lists them");
                }
                let names: Vec<_> = like.iter().map(|rule| format!("{} {}", rule.id, rule.name)).collect();
                bail!("no rule and no family is called {selector:?}; there is {}", names.join(", "));
            }
        }
    }
    Ok(chosen)
}

fn explain(rule: &Rule, width: usize, text: &mut String) {
    let (bold, severity) = (Style::new().bold(), severity_style(rule.severity));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{bold}{} {}{bold:#}  {severity}{}{severity:#}", rule.id, rule.name, rule.severity);
    let _ = writeln!(text, "{}", rule.family.title());
    let documentation = &rule.documentation;
    for (title, words) in [
        ("What it reports", documentation.reports),
        ("Why it matters", documentation.why),
        ("Evidence", documentation.evidence),
        ("What to do", documentation.action),
    ] {
        let _ = writeln!(text, "\n{bold}{title}{bold:#}");
        for line in fold(words, width.saturating_sub(2)) {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = writeln!(text, "\n{bold}References{bold:#}");
    for reference in documentation.references {
        let _ = writeln!(text, "  {reference}");
    }
}
