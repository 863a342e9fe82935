//! The live view: what a running capture sees, on a terminal.
//!
//! ```text
//! engine threads → Feed → Glimpses, bounded, lossy ┐
//! Metrics, Gauges, a few times a second ───────────┴→ Model → Lists → draw
//! keys ─────────────────────────────────────────────→ Screen ┘
//! ```
//!
//! Capture never waits for it: it has a thread of its own, and what finds no room is dropped and counted. It never takes more memory than the bounds in
//! [`model`] and [`tops`] say. What came off the wire goes through [`text::plain`](handprint::output::text::plain)
//! before it reaches the terminal.

mod detail;
mod draw;
mod glimpse;
mod keys;
mod lists;
mod model;
mod screen;
#[cfg(test)]
mod tests;
mod tops;

use std::io;
use std::mem::ManuallyDrop;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use handprint::output::metrics::{Gauges, Metrics};
use handprint::time::Timestamp;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{Event, KeyEvent};
use ratatui::crossterm::terminal::disable_raw_mode;
use ratatui::layout::Size;

use self::draw::Setting;
pub(in crate::cli) use self::glimpse::{Feed, Glimpses, channel};
use self::keys::Keys;
use self::model::Model;
use self::screen::{Asked, Screen};
use super::notices::Notices;

/// Time between two looks at the counters, and between two pictures where no key is pressed.
const REFRESH: Duration = Duration::from_millis(500);

/// How long a turn takes at most.
const TURN: Duration = Duration::from_millis(50);

/// How long the end waits for the terminal.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a notice is shown.
const NOTICE: Duration = Duration::from_secs(20);

/// The view, while the terminal is its own. Dropped, or on a panic of any thread, it gives the terminal back.
#[derive(Debug)]
pub(in crate::cli) struct View {
    /// Never dropped: it would complain of a terminal that is gone, and panic where standard error is gone with it.
    terminal: ManuallyDrop<DefaultTerminal>,
    keys: Keys,
    /// How large the terminal was when it was last drawn on.
    size: Size,
    state: State,
}

/// The view without its terminal.
#[derive(Debug)]
struct State {
    model: Model,
    screen: Screen,
    glimpses: Glimpses,
    setting: Setting,
    began: Instant,
    looked: Option<Instant>,
    noticed: Instant,
}

impl View {
    /// Takes the terminal that standard output is. `title` says what is captured, `glimpses` is the other end of the
    /// engines' feeds.
    ///
    /// # Errors
    /// Standard output is no terminal, or does not let itself be taken.
    pub(in crate::cli) fn open(title: &str, colour: bool, glimpses: Glimpses) -> io::Result<Self> {
        let (keys, terminal) = (Keys::open()?, ratatui::try_init()?);
        let terminal = ManuallyDrop::new(terminal);
        Ok(Self { terminal, keys, size: Size::ZERO, state: State::new(title, colour, glimpses) })
    }

    /// One turn: takes what has arrived, draws if it is time to, and heeds keys for at most `wait`. `look` is asked for
    /// the counters a few times a second. `Break` says that the person wants to quit.
    ///
    /// # Errors
    /// The terminal is gone. The capture need not end for that.
    fn turn(&mut self, wait: Duration, look: &mut dyn FnMut() -> (Metrics, Gauges)) -> io::Result<ControlFlow<()>> {
        let until = Instant::now() + wait;
        loop {
            let is_due = self.state.advance(look);
            if is_due || self.terminal.size()? != self.size {
                self.draw()?;
            }
            let left = until.saturating_duration_since(Instant::now()).min(REFRESH / 5);
            while let Some(event) = self.keys.next(left)? {
                if let Event::Key(key) = event
                    && self.state.key(key) == Asked::Quit
                {
                    return Ok(ControlFlow::Break(()));
                }
                self.draw()?;
            }
            if Instant::now() >= until {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    /// Shows itself on a thread of its own until somebody quits, or [`Shown::end`] is called. A terminal that takes
    /// nothing holds up that thread alone.
    ///
    /// # Errors
    /// The system starts no more threads.
    pub(in crate::cli) fn start(
        mut self,
        notices: Arc<Notices>,
        mut look: impl FnMut() -> (Metrics, Gauges) + Send + 'static,
    ) -> io::Result<Shown> {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let show = move || {
            while !over.load(Ordering::Acquire) {
                notices.take().iter().for_each(|words| self.notice(words));
                match self.turn(TURN, &mut look) {
                    Ok(ControlFlow::Continue(())) => {}
                    Ok(ControlFlow::Break(())) => return ViewEnd::Quit,
                    Err(_) => return ViewEnd::Gone,
                }
            }
            ViewEnd::Told
        };
        let thread = thread::Builder::new().name("view".to_owned()).spawn(show)?;
        Ok(Shown { thread, is_over })
    }

    /// Says something at the bottom of the screen for a while: standard error would spoil the picture.
    fn notice(&mut self, words: &str) {
        self.state.setting.notice = Some(words.to_owned());
        self.state.noticed = Instant::now();
    }

    fn draw(&mut self) -> io::Result<()> {
        self.size = self.terminal.size()?;
        let State { model, screen, setting, .. } = &mut self.state;
        self.terminal.draw(|frame| draw::draw(frame, screen, model, setting))?;
        Ok(())
    }
}

/// The view on its thread.
#[derive(Debug)]
pub(in crate::cli) struct Shown {
    thread: JoinHandle<ViewEnd>,
    is_over: Arc<AtomicBool>,
}

/// Why the view is no longer shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum ViewEnd {
    /// Somebody has quit.
    Quit,
    /// It was told to.
    Told,
    /// The terminal is gone or takes nothing, or the view has failed.
    Gone,
}

impl Shown {
    /// Whether it is shown no longer.
    pub(in crate::cli) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Ends it, and gives the terminal back. What one that takes nothing has not taken after a second is thrown away.
    pub(in crate::cli) fn end(self) -> ViewEnd {
        self.is_over.store(true, Ordering::Release);
        self.wait();
        if !self.thread.is_finished() {
            #[cfg(unix)]
            let _ = rustix::termios::tcflush(io::stdout(), rustix::termios::QueueSelector::OFlush);
            self.wait();
        }
        if self.thread.is_finished() {
            // The message of a panic has been written.
            return self.thread.join().unwrap_or(ViewEnd::Gone);
        }
        let _ = disable_raw_mode();
        ViewEnd::Gone
    }

    /// Waits for the thread, but not for long.
    fn wait(&self) {
        let began = Instant::now();
        while !self.thread.is_finished() && began.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // Where these fail, there is no terminal any more.
        let _ = self.terminal.show_cursor();
        let _ = ratatui::try_restore();
    }
}

impl State {
    fn new(title: &str, colour: bool, glimpses: Glimpses) -> Self {
        let now = Instant::now();
        Self {
            model: Model::default(),
            screen: Screen::new(),
            glimpses,
            setting: Setting { title: title.to_owned(), colour, now: Timestamp::ZERO, notice: None },
            began: now,
            looked: None,
            noticed: now,
        }
    }

    /// Takes what has arrived; looks at the counters where it is time. Whether it was.
    fn advance(&mut self, look: &mut dyn FnMut() -> (Metrics, Gauges)) -> bool {
        let now = self.began.elapsed();
        for glimpse in self.glimpses.arriving.try_iter().take(MOST_AT_ONCE) {
            self.model.take(now, glimpse);
        }
        if self.looked.is_some_and(|looked| looked.elapsed() < REFRESH) {
            return false;
        }
        self.looked = Some(Instant::now());
        let (metrics, gauges) = look();
        self.model.look(now, metrics, gauges);
        self.model.lost_glimpses = self.glimpses.lost();
        if self.setting.notice.is_some() && self.noticed.elapsed() > NOTICE {
            self.setting.notice = None;
        }
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.setting.now = Timestamp::ZERO.plus(clock);
        self.screen.refresh(&self.model, now);
        true
    }

    fn key(&mut self, key: KeyEvent) -> Asked {
        let now = self.began.elapsed();
        let asked = self.screen.key(key, &self.model, now);
        self.screen.refresh(&self.model, now);
        asked
    }
}

/// Glimpses taken before keys are heeded again.
const MOST_AT_ONCE: usize = 20_000;
