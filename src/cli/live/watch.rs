//! [`Watch`]: says what is lost, and what stands still.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use handprint::output::text::grouped;
use handprint::pipeline::live::LiveStatus;

use super::notices::Notices;
use super::output::Wishes;

/// How long the same thing is not said again.
const PAUSE: Duration = Duration::from_secs(10);

/// How long a thread may give no sign of life.
const SILENCE: Duration = Duration::from_secs(5);

/// How long an output may take nothing of what there is.
const PATIENCE: Duration = Duration::from_secs(2);

/// Watches the state of a capture.
pub(super) struct Watch {
    interface: String,
    wishes: Arc<Wishes>,
    notices: Arc<Notices>,
    kernel: Loss,
    queue: Loss,
    is_down: bool,
    is_silent: bool,
    /// What was written last, and when.
    written: (u64, Instant),
}

/// A count that should not grow.
#[derive(Default)]
struct Loss {
    told: u64,
    at: Option<Instant>,
}

impl Loss {
    /// How many have come, where it is time to say so.
    fn news(&mut self, count: u64, at_once: bool) -> Option<u64> {
        let fresh = count.saturating_sub(self.told);
        if fresh == 0 || (!at_once && self.at.is_some_and(|at| at.elapsed() < PAUSE)) {
            return None;
        }
        (self.told, self.at) = (count, Some(Instant::now()));
        Some(fresh)
    }
}

impl Watch {
    pub(super) fn new(interface: &str, wishes: Arc<Wishes>, notices: Arc<Notices>) -> Self {
        Self {
            interface: interface.to_owned(),
            wishes,
            notices,
            kernel: Loss::default(),
            queue: Loss::default(),
            is_down: false,
            is_silent: false,
            written: (0, Instant::now()),
        }
    }

    /// Says what is new.
    pub(super) fn look(&mut self, status: &LiveStatus) {
        self.losses(status, false);
        if std::mem::replace(&mut self.is_down, status.up == 0) != self.is_down {
            let words = if self.is_down { "is down: waiting for it" } else { "is up again" };
            self.notices.warn(&format!("{} {words}", self.interface));
        }
        if std::mem::replace(&mut self.is_silent, status.silence > SILENCE) != self.is_silent {
            let words =
                if self.is_silent { "a capture thread has given no sign of life" } else { "all threads live again" };
            self.notices.warn(words);
        }
        if status.written != self.written.0 || status.queued == status.written {
            self.written = (status.written, Instant::now());
        }
        let waits = self.written.1.elapsed() > PATIENCE;
        if self.wishes.waits.swap(waits, Ordering::AcqRel) != waits && !self.wishes.stuck.load(Ordering::Acquire) {
            let words = if waits { "takes no handshakes: they wait" } else { "takes handshakes again" };
            self.notices.warn(&format!("the output {words}"));
        }
    }

    /// Says what is left to say.
    pub(super) fn end(&mut self, status: &LiveStatus) {
        self.losses(status, true);
    }

    fn losses(&mut self, status: &LiveStatus, at_once: bool) {
        if let Some(packets) = self.kernel.news(status.kernel.dropped, at_once) {
            let packets = grouped(packets);
            self.notices.warn(&format!("{packets} packets lost: the ring was full (--ring, --threads)"));
        }
        if let Some(records) = self.queue.news(status.dropped, at_once) {
            let records = grouped(records);
            self.notices.warn(&format!("{records} handshakes lost: the output does not take them (--queue)"));
        }
    }
}

/// Why a capture is not in order, where it is not.
pub(super) fn complaint(status: &LiveStatus, wishes: &Wishes) -> Option<&'static str> {
    if status.ended > 0 {
        Some("a capture thread has ended")
    } else if status.up == 0 {
        Some("the interface is down")
    } else if status.silence > SILENCE {
        Some("a capture thread is stuck")
    } else if wishes.waits.load(Ordering::Acquire) || wishes.stuck.load(Ordering::Acquire) {
        Some("the output takes nothing")
    } else {
        None
    }
}
