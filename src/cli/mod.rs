//! The command: arguments, and one file a subcommand.
//!
//! Results go to standard output, everything else to standard error.

mod read;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::terminal::{Colour, complain};

/// Reads TLS handshakes off the wire and says what they reveal: versions, suites, fingerprints, weaknesses.
#[derive(Debug, Parser)]
#[command(name = "handprint", version, long_version = long_version(), max_term_width = 100)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// When to colour: NO_COLOR and CLICOLOR_FORCE are heeded where this says auto
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colour::Auto, global = true)]
    color: Colour,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read captures and report every handshake in them
    Read(read::Arguments),
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
    };
    let status = result.unwrap_or_else(|error| {
        complain("error", &format!("{error:#}"));
        Status::Failed
    });
    ExitCode::from(status as u8)
}

fn long_version() -> &'static str {
    use handprint::tls::codepoints::REGISTRY_DATE;
    static VERSION: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("{}\nIANA registries as of {REGISTRY_DATE}", env!("CARGO_PKG_VERSION")));
    &VERSION
}
