//! `handprint fingerprint`.

use std::fs::File;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use handprint::capture;
use handprint::error::Error;
use handprint::findings::{RuleSet, Settings, Severity};
use handprint::flow::Side;
use handprint::labels::{self, CaptureMap, Kind, Labels, Software};
use handprint::output::hellos::Hellos;
use handprint::pipeline::{self, Options};

use super::Status;
use super::read::writer::Writer;
use super::terminal::{self, Progress, complain};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A labels file is CSV with a header line, or a JSON array of objects with the same members: method (ja4, ja3, ja4_stable \
or ja3n; ja3s for a server), value and name; where known also version, kind (browser, application, runtime, library, impersonator or \
other), os, source, captures (how many show it), alpn (the protocols with blanks between, - for none) and grease (true \
or false).

To name the clients of a capture:
  handprint fingerprint lab.pcap --write-labels lab.csv --name 'Backup agent' --version 4.2 --kind application
  handprint read --labels lab.csv other.pcap
With --side server it is the servers that are named, by JA3S.")]
pub(super) struct Arguments {
    /// Capture files, directories to search for them, or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to write the hellos [default: table on a terminal, otherwise ndjson]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Threads to use [default: as many as there are cores]
    #[arg(short = 'j', long, value_name = "N")]
    threads: Option<NonZero<u16>>,
    /// Name fingerprints by FILE (CSV or JSON) too, besides the built-in labels; may be given several times
    #[arg(long, value_name = "FILE")]
    labels: Vec<PathBuf>,
    /// Say nothing but results and errors: no progress, no warnings
    #[arg(short, long)]
    quiet: bool,
    /// Write labels for the hellos to FILE (CSV); --name or --map tells whose they are
    #[arg(long, value_name = "FILE")]
    write_labels: Option<PathBuf>,
    /// The software that sent the hellos
    #[arg(long, value_name = "NAME", requires = "write_labels")]
    name: Option<String>,
    /// Whose hellos the software sent
    #[arg(long, value_enum, value_name = "SIDE", requires = "name", default_value_t)]
    side: Named,
    /// Its version
    #[arg(long = "version", value_name = "VERSION", requires = "name")]
    software_version: Option<String>,
    /// Its kind: browser, application, runtime, library, impersonator or other
    #[arg(long, value_name = "KIND", requires = "name")]
    kind: Option<Kind>,
    /// The operating system it ran on
    #[arg(long, value_name = "OS", requires = "name")]
    os: Option<String>,
    /// Take the software of each capture from FILE: CSV with the columns capture (the end of its path), side (client or
    /// server), name, version, kind and os; captures it does not name give no labels
    #[arg(long, value_name = "FILE", requires = "write_labels", conflicts_with = "name")]
    map: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Named {
    /// The clients'
    #[default]
    Client,
    /// The servers'
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people: a row a hello
    Table,
    /// For programs: one JSON object a line
    Ndjson,
    /// For spreadsheets
    Csv,
}

/// The built-in labels and those of `files`.
pub(super) fn labels(files: &[PathBuf]) -> Result<Arc<Labels>> {
    let mut all = Labels::builtin();
    for file in files {
        Arc::make_mut(&mut all).extend(labels::read(file)?);
    }
    Ok(all)
}

/// Counts the hellos of what the arguments name.
pub(super) fn run(arguments: &Arguments) -> Result<Status> {
    if arguments.write_labels.is_some() && arguments.name.is_none() && arguments.map.is_none() {
        bail!("--write-labels needs --name or --map: whose hellos are they?");
    }
    let source = Sources::new(arguments)?;
    let mut options = Options::default();
    options.engine.rules = RuleSet::of([], Severity::Critical, Settings::default());
    options.engine.labels = labels(&arguments.labels)?;
    if let Some(threads) = arguments.threads {
        options.threads = threads.into();
    }
    let inputs = capture::inputs(&arguments.paths);
    let total = inputs.iter().flatten().map(|input| input.size).sum();
    let progress = Progress::new(total, arguments.quiet);
    let mut writer = Writer::new(Box::new(io::stdout()), None, arguments.quiet, progress);
    let (_, reports) = pipeline::read(inputs, &options, &Hellos::default, &mut writer);
    let hellos = reports.into_iter().fold(Hellos::default(), |mut all, one| {
        all.merge(&one);
        all
    });
    let default = if io::IsTerminal::is_terminal(&io::stdout()) { Format::Table } else { Format::Ndjson };
    let lines = match arguments.format.unwrap_or(default) {
        Format::Table => hellos.table(terminal::stdout_width(), terminal::colours_stdout()),
        Format::Ndjson => hellos.ndjson(),
        Format::Csv => hellos.csv()?,
    };
    writer.summary(&lines);
    let unreadable = writer.unreadable;
    match writer.finish() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(source) => return Err(Error::Write { target: "standard output".to_owned(), source }.into()),
        Ok(()) => {}
    }
    if hellos.beyond() > 0 && !arguments.quiet {
        complain("warning", &format!("{} hellos of ever new shapes are in no line", hellos.beyond()));
    }
    if let Some(path) = &arguments.write_labels {
        let made = hellos.labels(|capture, side| source.software_of(capture, side));
        if made.is_empty() && !arguments.quiet {
            complain("warning", "no hello is of a capture whose software is known: no labels");
        }
        let failed = |source| Error::Write { target: path.display().to_string(), source };
        labels::write_csv(&made, File::create(path).map_err(failed)?).map_err(failed)?;
    }
    Ok(if unreadable { Status::Failed } else { Status::Done })
}

/// Whose hellos they are.
enum Sources {
    Same(Side, Software),
    By(CaptureMap),
}

impl Sources {
    fn new(arguments: &Arguments) -> Result<Self> {
        Ok(match (&arguments.map, &arguments.name) {
            (Some(map), _) => Self::By(CaptureMap::read(map)?),
            (None, Some(name)) => {
                let software = Software {
                    name: name.clone(),
                    version: arguments.software_version.clone(),
                    kind: arguments.kind.unwrap_or_default(),
                    os: arguments.os.clone(),
                };
                let side = match arguments.side {
                    Named::Client => Side::Client,
                    Named::Server => Side::Server,
                };
                Self::Same(side, software)
            }
            (None, None) => Self::By(CaptureMap::default()),
        })
    }

    fn software_of(&self, capture: &Path, side: Side) -> Option<&Software> {
        match self {
            Self::Same(named, software) => (*named == side).then_some(software),
            Self::By(map) => map.software_of(capture, side),
        }
    }
}
