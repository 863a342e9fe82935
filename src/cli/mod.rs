//! The command: arguments, and one file a subcommand.
//!
//! Results go to standard output, everything else to standard error.

mod read;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Reads TLS handshakes off the wire and says what they reveal: versions, suites, fingerprints, weaknesses.
#[derive(Debug, Parser)]
#[command(name = "handprint", version, max_term_width = 100, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
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
    let result = match arguments.command {
        Command::Read(arguments) => read::run(&arguments),
    };
    let status = result.unwrap_or_else(|error| {
        complain("error", &format!("{error:#}"));
        Status::Failed
    });
    ExitCode::from(status as u8)
}

/// Says something to the person at standard error, whether or not anyone listens.
fn complain(kind: &str, words: &str) {
    use std::io::Write as _;
    let _ = writeln!(anstream::stderr(), "handprint: {kind}: {words}");
}
