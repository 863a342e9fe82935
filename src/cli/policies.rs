//! `handprint policies`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anstyle::Style;
use anyhow::Result;
use handprint::config::Config;
use handprint::output::text::fold;
use handprint::policy::{Kind, Policy, is_path};
use serde_json::{Value, json};

use super::terminal;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A policy says what a standard or a person allows of TLS; a demand is one line of it. `handprint read --policy` holds \
handshakes against one or several joined by +, mozilla-intermediate+require-pq.

A policy of your own is a TOML file of the form that --format toml prints, and may begin with `extends = \"NAME\"`.")]
pub(super) struct Arguments {
    /// A policy to print, or several joined by +: names, or files of your own (FILE.toml)
    #[arg(value_name = "POLICY")]
    policy: Option<String>,
    /// How to write it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
    /// Read the configuration, which may name policies of your own, from FILE
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// An object, or an array of all
    Json,
    /// The form of a policy file
    Toml,
}

/// The list of policies, or all that one says.
pub(super) fn run(arguments: &Arguments) -> Result<String> {
    let mut config = super::config::load(arguments.config.as_deref(), false)?;
    let Some(expression) = &arguments.policy else {
        let policies: Vec<&Arc<Policy>> = config.catalogue().iter().collect();
        return Ok(match arguments.format {
            Format::Text => list(&policies),
            Format::Json => format!("{:#}\n", Value::from_iter(policies.iter().map(|policy| object(policy)))),
            Format::Toml => {
                let texts: Vec<String> = policies.iter().map(|policy| policy.to_toml()).collect();
                texts.join("\n# ---\n\n")
            }
        });
    };
    let policies = resolve(&mut config, std::slice::from_ref(expression))?;
    Ok(policies
        .iter()
        .map(|policy| match arguments.format {
            Format::Text => page(policy),
            Format::Json => format!("{:#}\n", object(policy)),
            Format::Toml => policy.to_toml(),
        })
        .collect())
}

/// The policies that expressions mean. Files in them are added to the catalogue.
pub(super) fn resolve(config: &mut Config, expressions: &[String]) -> Result<Vec<Arc<Policy>>> {
    let mut policies: Vec<Arc<Policy>> = Vec::with_capacity(expressions.len());
    let mut read: Vec<(String, String)> = Vec::new();
    for expression in expressions {
        let mut names = Vec::new();
        for part in parts(expression) {
            if !is_path(part) {
                names.push(part.to_owned());
            } else if let Some((_, id)) = read.iter().find(|(path, _)| path == part) {
                names.push(id.clone());
            } else {
                let id = config.add_policy(Path::new(part))?;
                read.push((part.to_owned(), id.clone()));
                names.push(id);
            }
        }
        let policy = config.catalogue().resolve(&names.join("+"))?;
        if !policies.iter().any(|known| known.id() == policy.id()) {
            policies.push(policy);
        }
    }
    Ok(policies)
}

/// The parts of an expression. The whole is one where it is a file that is there: its path may have a + in it.
fn parts(expression: &str) -> Vec<&str> {
    if is_path(expression) && Path::new(expression).is_file() {
        return vec![expression];
    }
    expression.split('+').collect()
}

// Writing to a String cannot fail, here and below.

fn list(policies: &[&Arc<Policy>]) -> String {
    let bold = Style::new().bold();
    let wide = policies.iter().map(|policy| policy.id().len()).max().unwrap_or_default();
    let width = terminal::stdout_width().clamp(60, 140);
    let mut text = String::new();
    for (kind, title) in [(Kind::Policy, "Policies"), (Kind::Atom, "Demands, to be added with +")] {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{gap}{bold}{title}{bold:#}");
        for policy in policies.iter().filter(|policy| policy.kind() == kind) {
            let aliases: Vec<&str> = policy.aliases().collect();
            let also = if aliases.is_empty() { String::new() } else { format!(" [{}]", aliases.join(", ")) };
            let words = format!("{}{also}", policy.title());
            for (position, line) in fold(&words, width.saturating_sub(wide + 4)).into_iter().enumerate() {
                let id = if position == 0 { policy.id() } else { "" };
                let _ = writeln!(text, "  {id:<wide$}  {line}");
            }
        }
    }
    text
}

fn object(policy: &Policy) -> Value {
    let mut object = policy.to_json();
    if let Some(members) = object.as_object_mut() {
        members.insert("title".to_owned(), policy.title().into());
        members.insert("verification_words".to_owned(), json!(policy.verification().words()));
    }
    object
}

fn page(policy: &Policy) -> String {
    let bold = Style::new().bold();
    let width = terminal::stdout_width().clamp(60, 100);
    let mut text = String::new();
    let _ = writeln!(text, "{bold}{}{bold:#}  {}", policy.id(), policy.title());
    let _ = writeln!(text);
    let aliases: Vec<&str> = policy.aliases().collect();
    for (name, words) in [
        ("also called", aliases.join(", ")),
        ("version", policy.version().to_owned()),
        ("date", policy.date().unwrap_or_default().to_owned()),
        ("source", policy.source().to_owned()),
        ("verified", format!("{}: {}", policy.verification().name(), policy.verification().words())),
    ] {
        for (position, line) in fold(&words, width - 13).into_iter().filter(|line| !line.is_empty()).enumerate() {
            let _ = writeln!(text, "{:<13}{line}", if position == 0 { name } else { "" });
        }
    }
    // Its own text, as it keeps the order of the form.
    let form: toml::Table = toml::from_str(&policy.to_toml()).unwrap_or_default();
    for (section, members) in &form {
        let Some(members) = members.as_table() else { continue };
        let _ = writeln!(text, "\n{bold}{}{bold:#}", section.replace('_', " "));
        for (name, value) in members {
            let name = name.replace('_', " ");
            match value {
                toml::Value::Array(items) => {
                    let _ = writeln!(text, "  {name}");
                    for item in items {
                        let _ = writeln!(text, "    {}", item.as_str().unwrap_or_default());
                    }
                }
                toml::Value::Boolean(true) => {
                    let _ = writeln!(text, "  {name}: yes");
                }
                value => {
                    let _ = writeln!(text, "  {name}: {value}");
                }
            }
        }
    }
    for (title, list) in [("Not checked", policy.not_checked()), ("Notes", policy.notes())] {
        if !list.is_empty() {
            let _ = writeln!(text, "\n{bold}{title}{bold:#}");
        }
        for words in list {
            for (position, line) in fold(words, width - 4).into_iter().enumerate() {
                let _ = writeln!(text, "  {}{line}", if position == 0 { "- " } else { "  " });
            }
        }
    }
    text
}
