//! [`Output`]: records to where they go, whatever becomes of that place.
//!
//! A full disk, a directory that is gone, a pipe that nobody reads: it is tried again, five times a second, until
//! there is room; what comes meanwhile waits in the queue, and is dropped and counted there once that is full. A file
//! is continued at the very byte at which it stopped.

mod files;
mod sink;

use std::io;
use std::ops::ControlFlow;
#[cfg(target_os = "linux")]
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, bail};
use handprint::error::Error;
use handprint::output::table::Table;
use handprint::pipeline::live::{Records, Writer};
use handprint::time::Timestamp;

use self::files::Series;
use self::sink::Sink;
use super::notices::Notices;

/// How often a place that takes nothing is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// How long it is tried still once the capture is over.
const LAST_TRIES: Duration = Duration::from_secs(1);

/// How often a file is looked at, whether it is still there.
const LOOK: Duration = Duration::from_secs(1);

/// How often what was compressed is written out.
const FLUSH: Duration = Duration::from_secs(5);

/// Bytes of whole records between two looks at the clock, the size, and the wishes of others.
const CHUNK: usize = 64 << 10;

/// When a file is complete, and the next is begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rotation {
    /// From this many bytes on disk.
    pub(super) size: Option<u64>,
    /// Whenever UTC is a multiple of this.
    pub(super) every: Option<Duration>,
}

/// Where records go.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    /// Standard output where there is none.
    pub(super) path: Option<PathBuf>,
    pub(super) rotation: Option<Rotation>,
    pub(super) gzip: bool,
    /// Complete files that are kept.
    pub(super) keep: Option<usize>,
}

/// What others wish of the output, and what it tells them.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Files are to be opened anew.
    pub(super) reopen: Arc<AtomicBool>,
    /// The capture is over.
    pub(super) stop: Arc<AtomicBool>,
    /// A line to write between the records.
    pub(super) line: Mutex<Option<String>>,
    /// The output says that it takes nothing.
    pub(super) stuck: AtomicBool,
    /// Nothing has been taken for a while, whatever the reason.
    pub(super) waits: AtomicBool,
    /// Whoever read is gone, and nobody can come in their place.
    pub(super) closed: AtomicBool,
    /// Records given up at the end.
    pub(super) lost: AtomicU64,
}

/// Writes the records of a capture.
pub(super) struct Output {
    target: Target,
    series: Option<Series>,
    open: Option<Open>,
    wishes: Arc<Wishes>,
    notices: Arc<Notices>,
    /// Columns and days have headings where there is one; they name this interface.
    table: Option<(Table, PathBuf)>,
    day: Option<u64>,
    text: Vec<u8>,
    /// Records still wanted.
    wanted: Option<u64>,
    trouble: Option<Trouble>,
    looked: Instant,
}

/// What is open.
struct Open {
    sink: Sink,
    began: SystemTime,
    /// When it is complete by the clock.
    due: Option<SystemTime>,
    flushed: Instant,
    /// Something has been written since it was opened.
    written: bool,
    /// Something has been written since it was flushed.
    dirty: bool,
}

impl Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.written, self.dirty) = (true, true);
        self.sink.write(bytes)
    }

    /// What cannot be written out now is with the next records.
    fn flush(&mut self) {
        if self.dirty && self.sink.flush().is_ok() {
            self.dirty = false;
        }
        self.flushed = Instant::now();
    }
}

/// What the place has said last, and since when.
struct Trouble {
    words: String,
    since: Instant,
    told: bool,
}

impl Output {
    /// Opens the output, but for files that follow one another ([`Output::begin`]); a FIFO that nobody reads yet is opened
    /// as soon as somebody does.
    pub(super) fn new(
        target: Target,
        table: Option<(Table, PathBuf)>,
        wanted: Option<u64>,
        wishes: Arc<Wishes>,
        notices: Arc<Notices>,
    ) -> Result<Self> {
        let series = match (&target.path, target.rotation) {
            (Some(path), Some(_)) => Some(Series::new(path, target.gzip, target.keep)),
            _ => None,
        };
        let mut output = Self {
            target,
            series,
            open: None,
            wishes,
            notices,
            table,
            day: None,
            text: Vec::new(),
            wanted,
            trouble: None,
            looked: Instant::now(),
        };
        match &output.target.path {
            Some(path) if output.series.is_some() => {
                if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
                    bail!("{} is no file: it cannot be rotated", output.name());
                }
            }
            _ => output.begin()?,
        }
        if output.target.gzip && output.open.as_ref().is_some_and(|open| !open.sink.is_file()) {
            bail!("{} is no file: it cannot be compressed", output.name());
        }
        Ok(output)
    }

    /// Opens what is not open yet: the first of files that follow one another, which the process makes as who it will
    /// be when it makes the others.
    pub(super) fn begin(&mut self) -> Result<()> {
        match self.open() {
            Ok(()) => Ok(()),
            Err(error) if is_unread(&error) => {
                self.in_trouble(&error);
                Ok(())
            }
            Err(source) => Err(Error::Write { target: self.name(), source }.into()),
        }
    }

    /// Gives the files to the user the process will be, so that it can open them again.
    #[cfg(target_os = "linux")]
    pub(super) fn give_to(&self, user: u32, group: u32) -> io::Result<()> {
        match &self.open {
            Some(Open { sink, .. }) if sink.is_new() => match sink.file() {
                Some(file) => std::os::unix::fs::fchown(file, Some(user), Some(group)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Where files are made, and will be: the directory above theirs, so that theirs may go and come back.
    #[cfg(target_os = "linux")]
    pub(super) fn place(&self) -> Option<PathBuf> {
        let directory = std::path::absolute(self.directory()?).ok()?;
        let is_file = self.series.is_some() || self.open.as_ref().is_some_and(|open| open.sink.is_file());
        Some(if is_file { directory.parent().unwrap_or(&directory).to_owned() } else { directory })
    }

    /// Whether the process, as it is now, can make the next file of a series.
    ///
    /// # Errors
    /// It cannot.
    #[cfg(target_os = "linux")]
    pub(super) fn check_directory(&self) -> Result<()> {
        use rustix::fs::Access;
        let Some(directory) = self.directory().filter(|_| self.series.is_some()) else { return Ok(()) };
        if let Err(error) = rustix::fs::access(&directory, Access::WRITE_OK | Access::EXEC_OK)
            && error == rustix::io::Errno::ACCESS
        {
            bail!(
                "{}: {}: files that follow one another are made there by an unprivileged user; give the directory to \
                 it (`sudo chown USER {}`), or name another user with --user",
                directory.display(),
                io::Error::from(error),
                directory.display()
            );
        }
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn directory(&self) -> Option<PathBuf> {
        let path = self.target.path.as_ref()?;
        Some(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned())
    }

    fn name(&self) -> String {
        self.target.path.as_ref().map_or_else(|| "standard output".to_owned(), |path| path.display().to_string())
    }

    /// Opens it where it is not open.
    fn open(&mut self) -> io::Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        let began = SystemTime::now();
        let sink = match (&self.target.path, &self.series) {
            (None, _) => Sink::stdout(),
            (Some(path), None) => Sink::open(path, self.target.gzip)?,
            (Some(_), Some(series)) => {
                if let Some(left) = series.recover()? {
                    self.notices.warn(&format!("{} was left over: kept as it is", left.display()));
                }
                let sink = Sink::open(&series.part(), self.target.gzip)?;
                series.hold(&sink)?;
                sink
            }
        };
        let due = self.target.rotation.and_then(|rotation| files::next_multiple(began, rotation.every?));
        self.open = Some(Open { sink, began, due, flushed: Instant::now(), written: false, dirty: false });
        self.day = None;
        Ok(())
    }

    /// Writes whole records.
    fn deliver(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        let mut done = 0;
        let mut waited = None;
        loop {
            if self.wishes.reopen.swap(false, Ordering::AcqRel) {
                done = self.reopen(bytes, done);
            }
            let rest = bytes.get(done..).unwrap_or_default();
            if rest.is_empty() {
                return ControlFlow::Continue(());
            }
            let tried = self.open().and_then(|()| match &mut self.open {
                Some(open) => open.write(rest),
                None => Ok(0),
            });
            match tried {
                Ok(0) => self.in_trouble(&io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    done += written;
                    waited = None;
                    self.out_of_trouble();
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    if self.target.path.is_none() {
                        self.wishes.closed.store(true, Ordering::Release);
                        return ControlFlow::Break(());
                    }
                    // The next reader begins with a whole record.
                    done = line_start(bytes, done);
                    self.open = None;
                    self.in_trouble(&error);
                }
                Err(error) => self.in_trouble(&error),
            }
            self.look(bytes, &mut done);
            let since = *waited.get_or_insert_with(Instant::now);
            if self.wishes.stop.load(Ordering::Acquire) && since.elapsed() > LAST_TRIES {
                return ControlFlow::Break(());
            }
            match &self.open {
                Some(open) => open.sink.wait(RETRY),
                None => thread::sleep(RETRY),
            }
        }
    }

    /// Opens the files anew. Says where to go on in `bytes`, of which `done` have been written: a record that is cut is
    /// taken back, and goes to the new file.
    fn reopen(&mut self, bytes: &[u8], done: usize) -> usize {
        if self.target.path.is_none() {
            return done;
        }
        let start = line_start(bytes, done);
        if let Some(open) = &mut self.open {
            open.sink.take_back(done - start);
        }
        self.complete();
        self.open_or_say();
        start
    }

    /// Looks after a file that nobody can find any more.
    fn look(&mut self, bytes: &[u8], done: &mut usize) {
        if self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        if self.open.as_ref().is_some_and(|open| open.sink.is_deleted()) {
            self.notices.warn(&format!("{} was deleted, with what it held: beginning anew", self.name()));
            self.open = None;
            *done = line_start(bytes, *done);
        }
    }

    /// Ends the file that is open, and gives it its name where it is one of a series.
    fn complete(&mut self) {
        let began = Instant::now();
        while let Some(Err(error)) = self.open.as_mut().map(|open| open.sink.finish()) {
            self.in_trouble(&error);
            let is_last_try = self.wishes.stop.load(Ordering::Acquire) && began.elapsed() > LAST_TRIES;
            // What cannot be written is left as it is where others do not want to wait.
            if is_last_try || self.wishes.reopen.load(Ordering::Acquire) {
                break;
            }
            self.look(&[], &mut 0);
            thread::sleep(RETRY);
        }
        let Some(open) = self.open.take() else { return };
        let mut result = open.sink.sync();
        if let Some(series) = &self.series {
            result = result.and(series.complete(open.began, !open.written));
        }
        match result {
            Ok(()) => self.out_of_trouble(),
            Err(error) => self.in_trouble(&error),
        }
    }

    /// Whether the file that is open is to be followed by another.
    fn is_due(&self) -> bool {
        let (Some(rotation), Some(open)) = (self.target.rotation, &self.open) else { return false };
        rotation.size.is_some_and(|size| open.written && open.sink.size() >= size)
            || open.due.is_some_and(|due| SystemTime::now() >= due)
    }

    /// Begins the next file where it is time.
    fn rotate(&mut self) {
        if !self.is_due() {
            return;
        }
        match (&mut self.open, self.target.rotation) {
            // An empty file becomes the next one.
            (Some(open), Some(rotation)) if !open.written => {
                open.began = SystemTime::now();
                open.due = rotation.every.and_then(|every| files::next_multiple(open.began, every));
            }
            _ => {
                self.complete();
                self.open_or_say();
            }
        }
    }

    fn open_or_say(&mut self) {
        if let Err(error) = self.open() {
            self.in_trouble(&error);
        }
    }

    fn flush(&mut self) {
        if let Some(open) = &mut self.open
            && open.flushed.elapsed() >= FLUSH
        {
            open.flush();
        }
    }

    /// Notes, and says once, that nothing can be written.
    fn in_trouble(&mut self, error: &io::Error) {
        let words = explain(error);
        let trouble =
            self.trouble.get_or_insert_with(|| Trouble { words: String::new(), since: Instant::now(), told: false });
        let is_slow = error.kind() == io::ErrorKind::WouldBlock;
        // A reader that pauses is no trouble yet.
        if is_slow && trouble.since.elapsed() < Duration::from_secs(1) {
            return;
        }
        self.wishes.stuck.store(true, Ordering::Release);
        if trouble.words != words {
            trouble.words = words;
            trouble.told = true;
            let words = format!("cannot write {}: {}; trying again", self.name(), self.trouble_words());
            self.notices.warn(&words);
        }
    }

    fn trouble_words(&self) -> &str {
        self.trouble.as_ref().map_or("", |trouble| &trouble.words)
    }

    fn out_of_trouble(&mut self) {
        if let Some(trouble) = self.trouble.take()
            && trouble.told
        {
            self.wishes.stuck.store(false, Ordering::Release);
            let seconds = trouble.since.elapsed().as_secs();
            self.notices.warn(&format!("{} takes records again, after {seconds} s", self.name()));
        }
    }

    /// The headings that belong above a record of this time.
    fn headings(&mut self, began: Timestamp) {
        let Some((table, interface)) = &self.table else { return };
        let day = began.as_seconds() / 86_400;
        if self.day == Some(day) {
            return;
        }
        match self.day {
            Some(_) => self.text.push(b'\n'),
            None => self.text.extend_from_slice(table.header().as_bytes()),
        }
        self.text.extend_from_slice(table.heading(interface, began).as_bytes());
        self.day = Some(day);
    }

    /// Writes the line that others have for it.
    fn write_line(&mut self) {
        let line = self.wishes.line.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(line) = line {
            // Whether more is wanted is seen with the records.
            let _ = self.deliver(line.as_bytes());
        }
    }

    /// Writes all of `records` that are wanted. Gives back how many were not written, and whether more are wanted.
    fn write_all(&mut self, records: &Records) -> (u64, ControlFlow<()>) {
        let mut left = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let (mut start, mut end, mut pending) = (0, 0, 0_u64);
        let mut records_left = records.iter().peekable();
        while let Some((began, rendered)) = records_left.next() {
            if self.wanted == Some(pending) {
                break;
            }
            if self.table.is_some() {
                self.headings(began);
                self.text.extend_from_slice(rendered);
            }
            end += rendered.len();
            pending += 1;
            let is_last = records_left.peek().is_none() || self.wanted == Some(pending);
            if end - start < CHUNK && !is_last {
                continue;
            }
            let flow = if self.table.is_some() {
                let text = std::mem::take(&mut self.text);
                let flow = self.deliver(&text);
                self.text = text;
                self.text.clear();
                flow
            } else {
                self.deliver(records.bytes().get(start..end).unwrap_or_default())
            };
            if flow.is_break() {
                return (left, flow);
            }
            left -= pending;
            if let Some(wanted) = &mut self.wanted {
                *wanted -= pending;
            }
            (start, pending) = (end, 0);
            self.rotate();
        }
        (left, if self.wanted == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

impl Writer for Output {
    fn write(&mut self, records: &Records) -> ControlFlow<()> {
        self.look(&[], &mut 0);
        self.write_line();
        let (left, flow) = self.write_all(records);
        let is_enough = self.wanted == Some(0) || self.wishes.closed.load(Ordering::Acquire);
        if flow.is_break() && !is_enough {
            self.wishes.lost.fetch_add(left, Ordering::AcqRel);
        }
        self.flush();
        flow
    }

    fn idle(&mut self) {
        if self.wishes.reopen.swap(false, Ordering::AcqRel) {
            self.reopen(&[], 0);
        }
        self.look(&[], &mut 0);
        self.rotate();
        self.write_line();
        match &mut self.open {
            Some(open) => open.flush(),
            None => self.open_or_say(),
        }
    }

    fn finish(&mut self) {
        self.complete();
    }
}

/// Whether it is a FIFO that nobody reads.
fn is_unread(error: &io::Error) -> bool {
    #[cfg(unix)]
    let unread = error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error());
    #[cfg(not(unix))]
    let unread = false;
    unread
}

/// What an error means here.
fn explain(error: &io::Error) -> String {
    if is_unread(error) {
        return "nobody reads it".to_owned();
    }
    match error.kind() {
        io::ErrorKind::WouldBlock => "whoever reads it has stopped reading".to_owned(),
        io::ErrorKind::BrokenPipe => "whoever read it is gone".to_owned(),
        _ => error.to_string(),
    }
}

/// Where the line begins of which byte `at` is the next.
fn line_start(bytes: &[u8], at: usize) -> usize {
    bytes.get(..at).and_then(|before| memchr::memrchr(b'\n', before)).map_or(0, |end| end + 1)
}
