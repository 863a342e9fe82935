//! The command: arguments, and one file a subcommand.
//!
//! Results go to standard output, everything else to standard error.

mod config;
mod engine;
mod explain;
mod fingerprint;
mod interfaces;
mod live;
mod policies;
mod read;
mod rules;
mod terminal;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Parser, Subcommand};

use handprint::error::Error;

use self::terminal::{Colour, complain};

/// Reads TLS handshakes off the wire and says what they reveal: versions, suites, fingerprints, weaknesses.
#[derive(Debug, Parser)]
#[command(name = "handprint", version, long_version = long_version(), max_term_width = 100)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// When to colour: NO_COLOR and CLICOLOR_FORCE are heeded where this says auto
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colour::Auto, global = true, display_order = 900)]
    color: Colour,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read captures and report every handshake in them
    Read(read::Arguments),
    /// Watch an interface and report every handshake as it ends
    Live(Box<live::Arguments>),
    /// List the interfaces there are, and what capturing on them is good for
    Interfaces(interfaces::Arguments),
    /// List the distinct client hellos of captures, with counts, servers and the software they are known to be of
    Fingerprint(fingerprint::Arguments),
    /// List the rules that findings come from
    Rules(rules::Arguments),
    /// Say what a rule reports, why it matters and what to do about it
    Explain(explain::Arguments),
    /// List the policies handshakes can be held against, or print what one allows
    Policies(policies::Arguments),
    /// Look at a configuration file
    #[command(subcommand)]
    Config(config::Command),
    /// Print the JSON Schema of the records that `--format ndjson` writes, or of the other lines of JSON
    Schema {
        /// What to describe
        #[arg(value_enum, default_value_t = SchemaName::Flow)]
        of: SchemaName,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// What there is a JSON Schema of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum SchemaName {
    /// Handshakes: `"type":"flow"`
    Flow,
    /// What a running capture has counted: `"type":"stats"`
    Stats,
    /// Distinct hellos, as `fingerprint` lists them: `"type":"hello"`
    Hello,
}

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// Done.
    Done = 0,
    /// `--fail-on` asked for it, and there is such a finding.
    Found = 1,
    /// An input could not be read, an output could not be written, or the arguments make no sense.
    Failed = 2,
}

/// Runs the command with the arguments of the process.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.color.decide();
    let result = match arguments.command {
        Command::Read(arguments) => read::run(&arguments),
        Command::Live(arguments) => live::run(&arguments),
        Command::Interfaces(arguments) => print(&interfaces::run(&arguments)),
        Command::Fingerprint(arguments) => fingerprint::run(&arguments),
        Command::Rules(arguments) => print(&rules::run(&arguments)),
        Command::Explain(arguments) => explain::run(&arguments).and_then(|text| print(&text)),
        Command::Policies(arguments) => policies::run(&arguments).and_then(|text| print(&text)),
        Command::Config(command) => config::run(&command).and_then(|text| print(&text)),
        Command::Schema { of: SchemaName::Flow } => print(handprint::output::FLOW_SCHEMA),
        Command::Schema { of: SchemaName::Hello } => print(handprint::output::HELLO_SCHEMA),
        Command::Schema { of: SchemaName::Stats } => print(handprint::output::STATS_SCHEMA),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "handprint", &mut script);
            print_bytes(&script)
        }
        Command::Man => man().and_then(|page| print_bytes(&page)),
    };
    let status = result.unwrap_or_else(|error| {
        complain("error", &words_of(&error));
        Status::Failed
    });
    ExitCode::from(status as u8)
}

/// An error and its causes, each said once: those of the library name theirs already.
fn words_of(error: &anyhow::Error) -> String {
    let mut words = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !words.ends_with(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    words
}

/// Prints a result, coloured only where that is wanted.
fn print(text: &str) -> Result<Status> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut stream = anstream::AutoStream::new(&mut bytes, anstream::AutoStream::choice(&io::stdout()));
    stream.write_all(text.as_bytes())?;
    print_bytes(&bytes)
}

fn print_bytes(bytes: &[u8]) -> Result<Status> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Write { target: "standard output".to_owned(), source: error }.into())
        }
        _ => Ok(Status::Done),
    }
}

/// The manual page of the command, with its subcommands behind it.
fn man() -> Result<Vec<u8>> {
    let mut command = Arguments::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands() {
        let man = clap_mangen::Man::new(subcommand.clone());
        let mut part = Vec::new();
        man.render_synopsis_section(&mut part)?;
        man.render_description_section(&mut part)?;
        man.render_options_section(&mut part)?;
        page.extend_from_slice(&part);
    }
    Ok(page)
}

fn long_version() -> &'static str {
    use handprint::tls::codepoints::REGISTRY_DATE;
    static VERSION: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("{}\nIANA registries as of {REGISTRY_DATE}", env!("CARGO_PKG_VERSION")));
    &VERSION
}
