//! Many captures, a thread each, what they yield put back into the order of the captures.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{Consumer, Options, Problem, Rendered, Report, single};
use crate::capture::Input;
use crate::engine::Stats;

/// Runs a thread may be ahead of whoever takes them.
const RUNS_AHEAD: usize = 4;

/// Reads `inputs`.
pub(super) fn read<R: Report>(
    inputs: Vec<Input>,
    options: &Options,
    reports: &mut [R],
    stats: &mut Stats,
    consumer: &mut dyn Consumer,
) -> ControlFlow<()> {
    let threads = reports.len().min(inputs.len());
    if threads <= 1 {
        let Some(report) = reports.first_mut() else { return ControlFlow::Continue(()) };
        return inputs.iter().try_for_each(|input| single::read(input, options, report, stats, consumer));
    }
    let (jobs, queue) = channel::<Job>();
    // Gone with the last of the threads, so that nobody waits for a capture that nobody reads.
    let queue = Arc::new(Mutex::new(queue));
    thread::scope(|scope| {
        let mut workers = Vec::with_capacity(threads);
        for report in reports.iter_mut().take(threads) {
            let queue = Arc::clone(&queue);
            workers.push(scope.spawn(move || work(&queue, options, report)));
        }
        drop(queue);
        let flow = collect(inputs, jobs, threads, consumer);
        for worker in workers {
            match worker.join() {
                Ok(counted) => stats.merge(&counted),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        flow
    })
}

/// A capture to read, and where what it yields goes.
struct Job {
    input: Input,
    yields: SyncSender<Yield>,
}

/// What a thread has to tell.
enum Yield {
    Run(Vec<Rendered>, u64),
    Problem(Problem),
}

/// Hands out the captures, a few ahead of the one whose yield is taken.
fn collect(
    inputs: Vec<Input>,
    jobs: std::sync::mpsc::Sender<Job>,
    threads: usize,
    consumer: &mut dyn Consumer,
) -> ControlFlow<()> {
    let mut inputs = inputs.into_iter();
    let mut under_way = VecDeque::new();
    loop {
        while under_way.len() < threads * 2
            && let Some(input) = inputs.next()
        {
            let (yields, taken) = sync_channel(RUNS_AHEAD);
            under_way.push_back((input.path.clone(), taken));
            if jobs.send(Job { input, yields }).is_err() {
                break;
            }
        }
        let Some((path, taken)) = under_way.pop_front() else { return ControlFlow::Continue(()) };
        for message in taken {
            match message {
                Yield::Run(records, bytes) => {
                    if !records.is_empty() {
                        consumer.records(&path, &records)?;
                    }
                    consumer.progress(bytes)?;
                }
                Yield::Problem(problem) => consumer.problem(problem),
            }
        }
    }
}

/// Reads captures until there are no more.
fn work(queue: &Mutex<Receiver<Job>>, options: &Options, report: &mut impl Report) -> Stats {
    let mut stats = Stats::default();
    loop {
        // Not held while a capture is read. A thread that panicked while it waited has taken nothing.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { input, yields }) = job else { return stats };
        // Where nobody takes the yield any more, nobody hands out another capture either.
        let _ = single::read(&input, options, report, &mut stats, &mut Forward { yields, records: Vec::new() });
    }
}

/// Sends on what it is given, run by run.
struct Forward {
    yields: SyncSender<Yield>,
    records: Vec<Rendered>,
}

impl Forward {
    fn send(&self, message: Yield) -> ControlFlow<()> {
        match self.yields.send(message) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl Consumer for Forward {
    fn records(&mut self, _capture: &Path, records: &[Rendered]) -> ControlFlow<()> {
        self.records.extend_from_slice(records);
        ControlFlow::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        // One that nobody takes need not be told.
        let _ = self.send(Yield::Problem(problem));
    }

    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        let records = std::mem::take(&mut self.records);
        self.send(Yield::Run(records, bytes))
    }
}
