//! Live sources through engines, a thread each, and what they report to one thread that writes.
//!
//! ```text
//! source 0 → engine 0 → Report ┐
//! source 1 → engine 1 → Report ┴→ queue of rendered records, bounded → Writer
//! ```
//!
//! Frames go from the source into the engine where they lie. Nothing waits for the writer: a record that finds the
//! queue full is dropped and counted. An engine is told the time by its packets; while none come, by the latest of
//! them and the time that has passed since, so that a clock of the interface's own, or one that is set anew, ends no
//! handshake too early. Records come in the order in which handshakes end.
//!
//! Invariant: memory does not grow with time. The engines' is bounded by their limits, which they share; the queue
//! holds two buffers of [`Options::queue_bytes`].

mod queue;
#[cfg(test)]
mod tests;

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use self::queue::Records;
use self::queue::{Queue, Taken};
use super::Report;
use super::spread::share;
use crate::capture::Frame;
use crate::capture::live::{KernelCounts, LiveSource, Polled};
use crate::engine::{Engine, EngineConfig, Stats};
use crate::error::Error;
use crate::record::FlowRecord;
use crate::time::Timestamp;

/// How often [`Report::tick`] is called, and [`Writer::idle`] where there is nothing to write.
pub const TICK: Duration = Duration::from_millis(200);

/// How long a source may wait for a frame.
const WAIT: Duration = Duration::from_millis(50);

/// How long rendered records stay with the engine's thread at most, while frames come.
const LINGER: Duration = Duration::from_millis(50);

/// Bytes of rendered records that go to the queue at once.
const BATCH: usize = 128 << 10;

/// How much older than now a frame may be that a source has not handed over yet.
const LAG: Duration = Duration::from_secs(1);

/// How far frames must be behind the latest, and how many one after the other, for the clock to have been set back.
const SET_BACK: (Duration, u32) = (Duration::from_secs(10), 64);

/// Takes the records, on a thread of its own. It may block: capture does not wait for it.
pub trait Writer: Send + 'static {
    /// Takes records. `Break` says that no more are wanted.
    fn write(&mut self, records: &Records) -> ControlFlow<()>;

    /// Called where no record has come for about [`TICK`].
    fn idle(&mut self);

    /// Called once, at the end.
    fn finish(&mut self);
}

/// How to capture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What the engines are told. They share the limits on flows and buffers.
    pub engine: EngineConfig,
    /// Bytes of rendered records that may wait for the writer; as many again may be with it.
    pub queue_bytes: usize,
    /// How long the end of a capture may take to write what is left.
    pub drain: Duration,
}

impl Default for Options {
    /// 32 MiB may wait; five seconds for the end.
    fn default() -> Self {
        Self { engine: EngineConfig::default(), queue_bytes: 32 << 20, drain: Duration::from_secs(5) }
    }
}

/// A capture under way.
///
/// Dropped without [`LiveCapture::finish`] its threads stop by themselves.
#[derive(Debug)]
pub struct LiveCapture<R> {
    shared: Arc<Shared>,
    lanes: Vec<JoinHandle<(R, Option<Error>)>>,
    writer: JoinHandle<()>,
    drain: Duration,
}

/// Sees how a capture goes, from any thread, and after it too.
#[derive(Clone, Debug)]
pub struct Observer(Arc<Shared>);

impl Observer {
    /// As [`LiveCapture::status`].
    #[must_use]
    pub fn status(&self) -> LiveStatus {
        self.0.status()
    }
}

/// How a capture goes.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LiveStatus {
    /// What the engines have counted.
    pub stats: Stats,
    /// What the kernel has counted: the sums, and the fullest of the rings.
    pub kernel: KernelCounts,
    /// Frames that were there when the capture was told to stop, and that it had no time for.
    pub unread: u64,
    /// Sources, and so threads.
    pub threads: usize,
    /// Of these, how many watch an interface that is up.
    pub up: usize,
    /// Of these, how many have ended: by an error, or because the capture was stopped.
    pub ended: usize,
    /// The longest time for which a thread that has not ended has given no sign of life. More than a second means that
    /// it is stuck, or that the machine is.
    pub silence: Duration,
    /// Bytes of records that wait for the writer.
    pub queued_bytes: usize,
    /// Bytes that may.
    pub queue_bytes: usize,
    /// Records that have been queued so far.
    pub queued: u64,
    /// Records dropped because the queue was full.
    pub dropped: u64,
    /// Records the writer has been given and is done with.
    pub written: u64,
    /// The writer wants no more.
    pub enough: bool,
}

/// How a capture has ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ended<R> {
    /// The last state of everything.
    pub status: LiveStatus,
    /// One a source.
    pub reports: Vec<R>,
    /// What sources failed with.
    pub errors: Vec<Error>,
    /// The writer was not done within [`Options::drain`]: `status.queued - status.written` records are lost.
    pub abandoned: bool,
}

/// Starts to capture: a thread for each of `sources`, whose number `make` is given, and one for `writer`.
///
/// # Errors
/// The system starts no more threads.
pub fn start<R: Report + 'static>(
    sources: Vec<Box<dyn LiveSource>>,
    options: &Options,
    make: &mut dyn FnMut(usize) -> R,
    writer: impl Writer,
) -> io::Result<LiveCapture<R>> {
    let config = share(options.engine.clone(), sources.len());
    let shared = Arc::new(Shared {
        queue: Queue::new(options.queue_bytes),
        stop: AtomicBool::new(false),
        enough: AtomicBool::new(false),
        written: Mutex::new(0),
        deadline: Mutex::new(None),
        states: sources.iter().map(|_| Mutex::new(State::new())).collect(),
    });
    let guard = StopOnDrop(Arc::clone(&shared));
    let writing = Arc::clone(&shared);
    let writer = thread::Builder::new().name("writer".to_owned()).spawn(move || write(&writing, writer))?;
    let mut lanes = Vec::with_capacity(sources.len());
    for (number, source) in sources.into_iter().enumerate() {
        let lane = Lane { number, source, shared: Arc::clone(&shared), config: config.clone() };
        let report = make(number);
        lanes.push(thread::Builder::new().name(format!("capture {number}")).spawn(move || lane.run(report))?);
    }
    std::mem::forget(guard);
    Ok(LiveCapture { shared, lanes, writer, drain: options.drain })
}

impl<R> LiveCapture<R> {
    /// How it goes, at most about [`TICK`] ago.
    #[must_use]
    pub fn status(&self) -> LiveStatus {
        self.shared.status()
    }

    /// Whether a thread has ended that should not have.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.lanes.iter().any(JoinHandle::is_finished) || self.writer.is_finished()
    }

    /// What sees how it goes without holding it.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer(Arc::clone(&self.shared))
    }

    /// Ends it: handshakes still open are written as incomplete, and what waits is written, in [`Options::drain`] at
    /// most. After that the writer is left to itself.
    pub fn finish(self) -> Ended<R> {
        let deadline = Instant::now() + self.drain;
        *lock(&self.shared.deadline) = Some(deadline);
        self.shared.stop.store(true, Ordering::Release);
        let (mut reports, mut errors) = (Vec::with_capacity(self.lanes.len()), Vec::new());
        for lane in self.lanes {
            match lane.join() {
                Ok((report, error)) => {
                    reports.push(report);
                    errors.extend(error);
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        self.shared.queue.close();
        while !self.writer.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        let abandoned = !self.writer.is_finished();
        if !abandoned && let Err(panic) = self.writer.join() {
            std::panic::resume_unwind(panic);
        }
        Ended { status: self.shared.status(), reports, errors, abandoned }
    }
}

/// What the threads share.
#[derive(Debug)]
struct Shared {
    queue: Queue,
    stop: AtomicBool,
    enough: AtomicBool,
    written: Mutex<u64>,
    /// Until when the end may wait for room in the queue.
    deadline: Mutex<Option<Instant>>,
    states: Vec<Mutex<State>>,
}

/// What a thread says of itself, every [`TICK`].
#[derive(Clone, Debug)]
struct State {
    stats: Stats,
    kernel: KernelCounts,
    unread: u64,
    up: bool,
    ended: bool,
    beat: Instant,
}

impl State {
    fn new() -> Self {
        let (stats, kernel) = (Stats::default(), KernelCounts::default());
        Self { stats, kernel, unread: 0, up: true, ended: false, beat: Instant::now() }
    }
}

impl Shared {
    fn status(&self) -> LiveStatus {
        let written = *lock(&self.written);
        let counts = self.queue.counts();
        let mut status = LiveStatus {
            queued_bytes: counts.bytes,
            queue_bytes: self.queue.limit,
            queued: counts.accepted,
            dropped: counts.dropped,
            written,
            enough: self.enough.load(Ordering::Acquire),
            threads: self.states.len(),
            ..LiveStatus::default()
        };
        for state in &self.states {
            let state = lock(state);
            status.stats.merge(&state.stats);
            status.kernel.merge(&state.kernel);
            status.unread = status.unread.saturating_add(state.unread);
            status.up += usize::from(state.up);
            status.ended += usize::from(state.ended);
            if !state.ended {
                status.silence = status.silence.max(state.beat.elapsed());
            }
        }
        status
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

/// Lets no thread run on where not all could be started.
struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Release);
        self.0.queue.close();
    }
}

fn write(shared: &Shared, mut writer: impl Writer) {
    let mut records = Records::default();
    let mut wanted = true;
    loop {
        match shared.queue.take(&mut records, TICK) {
            Taken::Records => {
                if wanted && writer.write(&records).is_break() {
                    wanted = false;
                    shared.enough.store(true, Ordering::Release);
                }
                let mut written = lock(&shared.written);
                *written = written.saturating_add(u64::try_from(records.len()).unwrap_or(u64::MAX));
            }
            Taken::Nothing => writer.idle(),
            Taken::End => break,
        }
    }
    writer.finish();
}

/// One source and its engine.
struct Lane {
    number: usize,
    source: Box<dyn LiveSource>,
    shared: Arc<Shared>,
    config: EngineConfig,
}

impl Lane {
    fn run<R: Report>(self, mut report: R) -> (R, Option<Error>) {
        let Self { number, mut source, shared, config } = self;
        // Says that the thread has ended even where it has panicked.
        let end = EndOfLane { shared: &shared, number };
        let mut engine = Engine::new(config);
        let mut pace = Pace::new();
        let mut outgoing = Outgoing { records: Records::default(), shared: &shared, deadline: None, sent: pace.now };
        let mut ticked = pace.now;
        let mut failed = None;
        // Once it is told to stop: until when, and how many frames, of those that are there already.
        let mut last: Option<(Instant, u64)> = None;
        loop {
            if shared.is_stopped() {
                let (until, frames) = *last.get_or_insert_with(|| {
                    let now = Instant::now();
                    let left = lock(&shared.deadline).map_or(Duration::ZERO, |deadline| deadline - now);
                    let counts = source.counts();
                    (now + left / 2, counts.received.saturating_sub(counts.dropped))
                });
                if Instant::now() >= until || engine.stats().packets >= frames {
                    break;
                }
            }
            let polled = source.poll(WAIT, &mut |frame| {
                let mut sink = |record: &FlowRecord<'_>| outgoing.render(record, &mut report);
                if pace.is_set_back(frame) {
                    engine.finish(&mut sink);
                }
                engine.push(frame, &mut sink);
            });
            pace.now = Instant::now();
            let up = match polled {
                Ok(Polled::Frames(0) | Polled::Idle | Polled::Down) if last.is_some() => break,
                Ok(Polled::Frames(0) | Polled::Idle) => true,
                Ok(Polled::Frames(_)) => {
                    pace.latest_at = pace.now;
                    true
                }
                Ok(Polled::Down) => false,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            if pace.now != pace.latest_at {
                engine.advance(pace.idle_time(), &mut |record: &FlowRecord<'_>| outgoing.render(record, &mut report));
            }
            if pace.now.duration_since(outgoing.sent) >= LINGER {
                outgoing.send(pace.now);
            }
            if pace.now.duration_since(ticked) >= TICK {
                ticked = pace.now;
                let (stats, kernel) = (engine.stats(), source.counts());
                report.tick(&stats, &kernel);
                let mut state = lock_state(&shared, number);
                if let Some(state) = &mut state {
                    (state.stats, state.kernel, state.up, state.beat) = (stats, kernel, up, pace.now);
                }
            }
        }
        // What is open is worth waiting for, now that nothing more is captured.
        outgoing.deadline = *lock(&shared.deadline);
        let kernel = source.counts();
        engine.finish(&mut |record: &FlowRecord<'_>| outgoing.render(record, &mut report));
        outgoing.send(pace.now);
        let stats = engine.stats();
        report.tick(&stats, &kernel);
        if let Some(mut state) = lock_state(&shared, number) {
            let handed_over = kernel.received.saturating_sub(kernel.dropped);
            // Only where there was no time for them: what else is missing is none of ours.
            let had_time = last.is_none_or(|(until, frames)| Instant::now() < until || stats.packets >= frames);
            state.unread = if had_time { 0 } else { handed_over.saturating_sub(stats.packets) };
            (state.stats, state.kernel) = (stats, kernel);
        }
        drop(end);
        (report, failed)
    }
}

struct EndOfLane<'a> {
    shared: &'a Shared,
    number: usize,
}

impl Drop for EndOfLane<'_> {
    fn drop(&mut self) {
        if let Some(mut state) = lock_state(self.shared, self.number) {
            (state.up, state.ended) = (false, true);
        }
    }
}

/// Rendered records until they are queued.
struct Outgoing<'a> {
    records: Records,
    shared: &'a Shared,
    deadline: Option<Instant>,
    sent: Instant,
}

impl Outgoing<'_> {
    fn render(&mut self, record: &FlowRecord<'_>, report: &mut impl Report) {
        self.records.render(record, report);
        if self.records.weight() >= BATCH {
            self.shared.queue.offer(&mut self.records, self.deadline);
        }
    }

    fn send(&mut self, now: Instant) {
        self.shared.queue.offer(&mut self.records, self.deadline);
        self.sent = now;
    }
}

/// What time it is by the packets.
struct Pace {
    now: Instant,
    /// The time of the latest frame, or that until which none has come.
    latest: Timestamp,
    /// When it was that time, by the clock that cannot be set.
    latest_at: Instant,
    /// Frames in a row that are far older than the latest.
    behind: u32,
}

impl Pace {
    fn new() -> Self {
        let now = Instant::now();
        Self { now, latest: Timestamp::ZERO, latest_at: now, behind: 0 }
    }

    /// Notes a frame, and says whether the clock that stamps them has been set back: time would stand still in the
    /// engine until it is reached again, and nothing would end.
    #[inline]
    fn is_set_back(&mut self, frame: &Frame<'_>) -> bool {
        if frame.timestamp >= self.latest {
            (self.latest, self.behind) = (frame.timestamp, 0);
            return false;
        }
        if self.latest.since(frame.timestamp) < SET_BACK.0 {
            self.behind = 0;
            return false;
        }
        self.behind += 1;
        if self.behind < SET_BACK.1 {
            return false;
        }
        (self.latest, self.behind) = (frame.timestamp, 0);
        true
    }

    /// The time while no frames come: before that of any that may still be on its way.
    fn idle_time(&mut self) -> Timestamp {
        let passed = self.now.duration_since(self.latest_at).saturating_sub(LAG);
        if self.latest != Timestamp::ZERO {
            self.latest = self.latest.plus(passed);
            self.latest_at += passed;
        }
        self.latest
    }
}

fn lock_state(shared: &Shared, number: usize) -> Option<MutexGuard<'_, State>> {
    shared.states.get(number).map(lock)
}

/// A thread that panicked while it held one of these has left a whole value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
