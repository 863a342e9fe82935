//! [`Writer`]: rendered records to where they go, and problems to the person.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use handprint::output::table::Table;
use handprint::pipeline::{Consumer, Problem};
use handprint::time::Timestamp;

use crate::cli::terminal::{Progress, complain};

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

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

    /// Writes what was gathered. The first failure ends it.
    fn flush(&mut self) -> ControlFlow<()> {
        if self.failed.is_none() {
            let (out, buffer) = (&mut self.out, &self.buffer);
            let written = if buffer.is_empty() {
                Ok(())
            } else {
                self.progress.aside(|| out.write_all(buffer).and_then(|()| out.flush()))
            };
            self.failed = written.err();
        }
        self.buffer.clear();
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
    fn record(&mut self, capture: &Path, started: Timestamp, rendered: &[u8]) -> ControlFlow<()> {
        self.heading(capture, started);
        self.buffer.extend_from_slice(rendered);
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
