//! What the command has to do with terminals: colour, width, messages, the progress bar.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use handprint::output::table::DEFAULT_WIDTH;
use handprint::output::text;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// Makes this the choice for everything the process writes.
    pub(super) fn decide(self) {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
        .write_global();
    }
}

/// Whether standard output is to be coloured.
pub(super) fn colours_stdout() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Whether a file is to be coloured: only by express wish.
pub(super) fn colours_files() -> bool {
    ColorChoice::global() == ColorChoice::Always
}

/// The width for what goes to standard output, in columns.
pub(super) fn stdout_width() -> usize {
    match terminal_size::terminal_size_of(io::stdout()) {
        Some((terminal_size::Width(columns), _)) if columns > 0 => usize::from(columns),
        _ => DEFAULT_WIDTH,
    }
}

/// Whether standard output is a terminal that can be drawn on, and this process may do so and hear its keys: one in the
/// background is stopped as soon as it tries.
pub(super) fn is_ours() -> bool {
    #[cfg(unix)]
    let is_in_front = rustix::termios::tcgetpgrp(io::stdout()).is_ok_and(|front| front == rustix::process::getpgrp());
    #[cfg(not(unix))]
    let is_in_front = true;
    let is_able = std::env::var_os("TERM").is_none_or(|name| name != "dumb");
    io::stdout().is_terminal() && is_in_front && is_able
}

/// Says something to the person at standard error, whether or not anyone listens.
pub(super) fn complain(kind: &str, words: &str) {
    let style = match kind {
        "error" => AnsiColor::Red.on_default().bold(),
        "warning" => AnsiColor::Yellow.on_default().bold(),
        _ => Style::new().bold(),
    };
    let _ = writeln!(anstream::stderr(), "handprint: {style}{kind}{style:#}: {}", text::plain(words));
}

/// A bar on standard error that shows itself once it takes long, and only to a person.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    began: Instant,
    shown: bool,
}

/// How long nothing is shown.
const PATIENCE: Duration = Duration::from_secs(1);

impl Progress {
    /// A bar over `total` bytes; without an end where they are not known.
    pub(super) fn new(total: Option<u64>, quiet: bool) -> Self {
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        bar.set_draw_target(ProgressDrawTarget::hidden());
        let template = if total.is_some() {
            "{bar:30} {percent:>3} %  {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} to go"
        } else {
            "{spinner} {decimal_bytes}, {decimal_bytes_per_sec}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let shown = quiet || !io::stderr().is_terminal();
        Self { bar, began: Instant::now(), shown }
    }

    /// Counts `bytes` more.
    pub(super) fn advance(&mut self, bytes: u64) {
        self.bar.inc(bytes);
        if !self.shown && self.began.elapsed() > PATIENCE {
            self.shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
    }

    /// Does something that writes to the terminal, the bar out of its way.
    pub(super) fn aside<T>(&self, act: impl FnOnce() -> T) -> T {
        if self.bar.is_hidden() { act() } else { self.bar.suspend(act) }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
