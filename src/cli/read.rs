//! `handprint read`.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Result;
use handprint::capture;
use handprint::engine::EngineConfig;
use handprint::error::Error;
use handprint::findings::{RuleSet, Settings, Severity};
use handprint::output::Format;
use handprint::output::ndjson::Ndjson;
use handprint::pipeline::{self, Consumer, Options, Problem, Report};
use handprint::record::FlowRecord;
use handprint::time::Timestamp;

use super::{Status, complain};

#[derive(Debug, clap::Args)]
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
    /// Report only findings at least this grave: info, low, medium, high or critical
    #[arg(long, value_name = "SEVERITY", default_value = "info", hide_default_value = true)]
    min_severity: Severity,
    /// Evaluate only these rules: ids, names or families, separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    select: Vec<String>,
    /// Leave these rules out: ids, names or families, separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Exit with status 1 when a finding at least this grave is reported
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FormatName {
    /// One JSON object a line
    Ndjson,
}

/// Reads what the arguments name.
pub(super) fn run(arguments: &Arguments) -> Result<Status> {
    let mut engine = EngineConfig::default();
    engine.rules = RuleSet::select(&arguments.select, &arguments.ignore, arguments.min_severity, Settings::default())?;
    let options = Options { engine, ..Options::default() };
    let (out, name): (Box<dyn Write>, _) = match &arguments.output {
        Some(path) => match std::fs::File::create(path) {
            Ok(file) => (Box::new(file), path.display().to_string()),
            Err(source) => return Err(Error::Write { target: path.display().to_string(), source }.into()),
        },
        None => (Box::new(io::stdout()), "standard output".to_owned()),
    };
    let mut writer = Writer {
        live: arguments.output.is_none() && io::stdout().is_terminal(),
        out: BufWriter::with_capacity(256 << 10, out),
        failed: None,
        unreadable: false,
    };
    let (_, reports) = pipeline::read(
        capture::inputs(&arguments.paths),
        &options,
        &|| Reporter { format: Ndjson, worst: None },
        &mut writer,
    );
    if writer.failed.is_none() {
        writer.failed = writer.out.flush().err();
    }
    match writer.failed {
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Some(source) => return Err(Error::Write { target: name, source }.into()),
        None => {}
    }
    let worst = reports.iter().filter_map(|report| report.worst).max();
    Ok(if writer.unreadable {
        Status::Failed
    } else if arguments.fail_on.is_some_and(|limit| worst >= Some(limit)) {
        Status::Found
    } else {
        Status::Done
    })
}

struct Reporter {
    format: Ndjson,
    worst: Option<Severity>,
}

impl Report for Reporter {
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>) {
        self.worst = self.worst.max(record.worst());
        self.format.flow(record, out);
    }
}

struct Writer<W: Write> {
    out: BufWriter<W>,
    /// Somebody looks on: lines are not kept.
    live: bool,
    failed: Option<io::Error>,
    unreadable: bool,
}

impl<W: Write> Writer<W> {
    fn check(&mut self, result: io::Result<()>) -> ControlFlow<()> {
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl<W: Write> Consumer for Writer<W> {
    fn record(&mut self, _capture: &Path, _started: Timestamp, rendered: &[u8]) -> ControlFlow<()> {
        let result = self.out.write_all(rendered);
        self.check(result)
    }

    fn problem(&mut self, problem: &Problem) {
        match problem {
            Problem::Unreadable(error) => {
                self.unreadable = true;
                complain("error", &error.to_string());
            }
            Problem::Damaged { path, damage } => complain("warning", &format!("{}: {damage}", path.display())),
            Problem::OutOfOrder { path, records } => {
                complain("warning", &format!("{}: {records} records are out of order", path.display()));
            }
        }
    }

    fn progress(&mut self, _bytes: u64) -> ControlFlow<()> {
        if self.live {
            let result = self.out.flush();
            return self.check(result);
        }
        ControlFlow::Continue(())
    }
}
