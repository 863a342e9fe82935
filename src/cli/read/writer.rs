//! [`Writer`]: rendered records to where they go, and problems to the person.

use std::io::{self, IoSlice, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use handprint::output::table::Table;
use handprint::pipeline::{Consumer, Problem, Rendered};
use handprint::time::Timestamp;

use crate::cli::terminal::{Progress, complain};

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;
/// Bytes of records from which they are written from where they lie.
const DIRECT: usize = 32 << 10;

pub(in crate::cli) struct Writer {
    out: Box<dyn Write>,
    buffer: Vec<u8>,
    /// Headings are written where there is one.
    table: Option<Table>,
    /// The capture and the day the last heading names.
    heading: Option<(PathBuf, u64)>,
    quiet: bool,
    progress: Progress,
    failed: Option<io::Error>,
    /// An input could not be read.
    pub(in crate::cli) unreadable: bool,
}

impl Writer {
    pub(in crate::cli) fn new(out: Box<dyn Write>, table: Option<Table>, quiet: bool, progress: Progress) -> Self {
        let buffer = Vec::with_capacity(BUFFER + (64 << 10));
        Self { out, buffer, table, heading: None, quiet, progress, failed: None, unreadable: false }
    }

    /// Adds the summary behind the records.
    pub(in crate::cli) fn summary(&mut self, text: &str) {
        if self.heading.is_some() {
            self.buffer.push(b'\n');
        }
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// Writes what is left.
    pub(in crate::cli) fn finish(mut self) -> io::Result<()> {
        self.progress.end();
        let _ = self.flush();
        self.failed.map_or(Ok(()), Err)
    }

    /// Writes what was gathered.
    fn flush(&mut self) -> ControlFlow<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let flow = if buffer.is_empty() { self.failed() } else { self.write(&mut [IoSlice::new(&buffer)]) };
        self.buffer = buffer;
        self.buffer.clear();
        flow
    }

    /// Writes all of `slices`. The first failure ends it.
    fn write(&mut self, slices: &mut [IoSlice<'_>]) -> ControlFlow<()> {
        if self.failed.is_none() {
            let out = &mut self.out;
            let written = self.progress.aside(|| write_all(out, slices).and_then(|()| out.flush()));
            self.failed = written.err();
        }
        self.failed()
    }

    fn failed(&self) -> ControlFlow<()> {
        if self.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn heading(&mut self, capture: &Path, started: Timestamp) {
        let Some(table) = &self.table else { return };
        let day = started.as_seconds() / 86_400;
        match &self.heading {
            Some((last, last_day)) if last == capture && *last_day == day => return,
            Some(_) => self.buffer.push(b'\n'),
            None => self.buffer.extend_from_slice(table.header().as_bytes()),
        }
        self.buffer.extend_from_slice(table.heading(capture, started).as_bytes());
        self.heading = Some((capture.to_owned(), day));
    }
}

impl Consumer for Writer {
    fn records(&mut self, capture: &Path, records: &[Rendered]) -> ControlFlow<()> {
        if self.table.is_none() && records.iter().map(|record| record.text.len()).sum::<usize>() >= DIRECT {
            self.flush()?;
            let mut slices: Vec<IoSlice<'_>> = records.iter().map(|record| IoSlice::new(&record.text)).collect();
            return self.write(&mut slices);
        }
        for record in records {
            self.heading(capture, record.started);
            self.buffer.extend_from_slice(&record.text);
        }
        if self.buffer.len() >= BUFFER { self.flush() } else { ControlFlow::Continue(()) }
    }

    fn problem(&mut self, problem: Problem) {
        let (kind, words) = match &problem {
            Problem::Unreadable(error) => {
                self.unreadable = true;
                ("error", error.to_string())
            }
            Problem::Damaged { path, damage } => ("warning", format!("{}: {damage}", path.display())),
            Problem::OutOfOrder { path, records } => (
                "warning",
                format!(
                    "{}: {records} handshakes began so long before they ended that they are out of order",
                    path.display()
                ),
            ),
        };
        if kind == "error" || !self.quiet {
            self.progress.aside(|| complain(kind, &words));
        }
    }

    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        self.progress.advance(bytes);
        // Whoever waits for records gets them as they come.
        self.flush()
    }
}

fn write_all(out: &mut dyn Write, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    while !slices.is_empty() {
        match out.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
