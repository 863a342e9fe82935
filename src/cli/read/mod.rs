//! `handprint read`.

pub(super) mod writer;

use std::fs::{self, File};
use std::io::{self, IsTerminal as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use handprint::capture::{self, Input};
use handprint::error::Error;
use handprint::findings::Severity;
use handprint::output::ndjson::Ndjson;
use handprint::output::summary::Tally;
use handprint::output::table::Table;
use handprint::pipeline::{self, Options, Report};
use handprint::record::FlowRecord;

use self::writer::Writer;
use super::Status;
use super::engine::EngineArguments;
use super::terminal::{self, Progress, complain};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: 0 done; 1 where --fail-on asks for it and there is such a finding; 2 an input could not be read or an \
output not be written.

In the table an arrow tells how a handshake ended: → established; ↛ refused, reset, closed, silent or no TLS; ⇢ the \
capture does not show its end.")]
pub(super) struct Arguments {
    /// Capture files, directories to search for them, or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to write the handshakes [default: table on a terminal, otherwise ndjson]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    format: Option<FormatName>,
    /// Write the handshakes to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Threads to use [default: as many as there are cores]; the records are the same with any number
    #[arg(short = 'j', long, value_name = "N")]
    threads: Option<NonZero<u16>>,
    #[command(flatten)]
    engine: EngineArguments,
    /// Exit with status 1 when a finding at least this grave is reported
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,
    /// Leave out the summary
    #[arg(long)]
    no_summary: bool,
    /// Say nothing but results and errors: no summary, no progress, no warnings
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FormatName {
    /// For people: a row a handshake, and a summary
    Table,
    /// For programs: one JSON object a line, see `handprint schema`
    Ndjson,
}

/// Reads what the arguments name.
pub(super) fn run(arguments: &Arguments) -> Result<Status> {
    let mut options = Options::default();
    options.engine = arguments.engine.config()?;
    if let Some(threads) = arguments.threads {
        options.threads = threads.into();
    }
    let inputs = capture::inputs(&arguments.paths);
    let target = Target::new(arguments, &inputs)?;
    let table = (target.format == FormatName::Table).then(|| Table::new(target.width, target.colour));
    let total = inputs.iter().flatten().map(|input| input.size).sum();
    // Not counted where nobody is there to read it.
    let is_read = table.is_some() || io::stderr().is_terminal();
    let summary = is_read && !arguments.quiet && !arguments.no_summary;
    let make = || Reporter {
        format: match &table {
            Some(table) => Box::new(table.clone()),
            None => Box::new(Ndjson),
        },
        tally: summary.then(Tally::default),
        worst: None,
    };
    let mut writer = Writer::new(target.out, table.clone(), arguments.quiet, Progress::new(total, arguments.quiet));
    let (stats, reports) = pipeline::read(inputs, &options, &make, &mut writer);

    let worst = reports.iter().filter_map(|report| report.worst).max();
    let tally = reports.into_iter().filter_map(|report| report.tally).reduce(|mut all, one| {
        all.merge(&one);
        all
    });
    if let Some(tally) = tally {
        match table {
            Some(_) => writer.summary(&tally.render(&stats, target.width, target.colour)),
            None => complain("done", &tally.line(&stats)),
        }
    }
    let unreadable = writer.unreadable;
    match writer.finish() {
        // Whoever read the records has enough of them.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Status::Done),
        Err(source) => return Err(Error::Write { target: target.name, source }.into()),
        Ok(()) => {}
    }
    Ok(if unreadable {
        Status::Failed
    } else if arguments.fail_on.is_some_and(|limit| worst >= Some(limit)) {
        Status::Found
    } else {
        Status::Done
    })
}

/// Where the records go, and how they look there.
struct Target {
    out: Box<dyn io::Write>,
    name: String,
    format: FormatName,
    width: usize,
    colour: bool,
}

impl Target {
    fn new(arguments: &Arguments, inputs: &[Result<Input, Error>]) -> Result<Self> {
        let Some(path) = &arguments.output else {
            let format = if io::stdout().is_terminal() { FormatName::Table } else { FormatName::Ndjson };
            return Ok(Self {
                out: Box::new(io::stdout()),
                name: "standard output".to_owned(),
                format: arguments.format.unwrap_or(format),
                width: terminal::stdout_width(),
                colour: terminal::colours_stdout(),
            });
        };
        if inputs.iter().flatten().any(|input| is_same_file(&input.path, path)) {
            bail!("{} is to be read and cannot be written to at once", path.display());
        }
        let name = path.display().to_string();
        match File::create(path) {
            Ok(file) => Ok(Self {
                out: Box::new(file),
                name,
                format: arguments.format.unwrap_or(FormatName::Ndjson),
                width: handprint::output::table::DEFAULT_WIDTH,
                colour: terminal::colours_files(),
            }),
            Err(source) => Err(Error::Write { target: name, source }.into()),
        }
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other && one.is_file(),
        _ => false,
    }
}

/// Renders records in one format, and counts them.
struct Reporter {
    format: Box<dyn Report>,
    tally: Option<Tally>,
    worst: Option<Severity>,
}

impl Report for Reporter {
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>) {
        self.worst = self.worst.max(record.worst());
        if let Some(tally) = &mut self.tally {
            tally.add(record);
        }
        self.format.flow(record, out);
    }
}
