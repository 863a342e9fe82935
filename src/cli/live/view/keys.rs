//! [`Keys`]: what is pressed, as long as there is a terminal.

use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event};

/// Reads keys, from where crossterm reads them: standard input where that is a terminal, otherwise the terminal the
/// process belongs to.
///
/// crossterm asks a terminal that is gone again and again and never comes back. So it is asked only once there is
/// something to read, and the terminal is there.
#[derive(Debug)]
pub(super) struct Keys {
    #[cfg(unix)]
    terminal: Option<std::fs::File>,
    /// There may be more in what was read.
    more: bool,
}

impl Keys {
    /// # Errors
    /// There is no terminal to read from.
    pub(super) fn open() -> io::Result<Self> {
        #[cfg(unix)]
        let terminal = {
            use std::io::IsTerminal as _;
            if io::stdin().is_terminal() { None } else { Some(std::fs::File::open("/dev/tty")?) }
        };
        Ok(Self {
            #[cfg(unix)]
            terminal,
            more: false,
        })
    }

    /// The next event, waiting for it at most `wait`; only the first of several is waited for.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn next(&mut self, wait: Duration) -> io::Result<Option<Event>> {
        if !self.more && !self.is_ready(wait)? {
            return Ok(None);
        }
        let is_first = !self.more;
        self.more = event::poll(Duration::ZERO)?;
        if self.more {
            return event::read().map(Some);
        }
        if is_first {
            // What is there is no whole key: it is not asked for without pause.
            std::thread::sleep(wait);
        }
        Ok(None)
    }

    #[cfg(unix)]
    fn is_ready(&self, wait: Duration) -> io::Result<bool> {
        use std::os::fd::AsFd as _;

        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        let stdin = io::stdin();
        let terminal = self.terminal.as_ref().map_or_else(|| stdin.as_fd(), |terminal| terminal.as_fd());
        let mut polled = [PollFd::from_borrowed_fd(terminal, PollFlags::IN)];
        let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
        match poll(&mut polled, Some(&wait)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let [polled] = polled;
        if polled.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(true)
    }

    #[cfg(not(unix))]
    fn is_ready(&self, wait: Duration) -> io::Result<bool> {
        event::poll(wait)
    }
}
