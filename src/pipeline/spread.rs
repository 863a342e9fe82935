//! One capture over several engines.
//!
//! ```text
//! reader: Source → Decoder ─ by flow ─→ engine 0 ─→ run 0 ┐
//!                                  └──→ engine 1 ─→ run 0 ┴→ caller: Order → Consumer
//! ```
//!
//! Packets travel in batches that carry copies of their payloads, over bounded queues: whoever is ahead waits. The
//! reader ends a run in every engine before it begins the next, so no engine waits for another's packets.

use std::hash::BuildHasher as _;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::order::{Order, Run};
use super::{Consumer, Options, Problem, Report, close, run_length};
use crate::capture::{Input, Source};
use crate::engine::{Engine, EngineConfig, Stats};
use crate::error::Error;
use crate::packet::{Datagram, Decoder, FlowKey, Packet, Segment, Transport};
use crate::record::FlowRecord;
use crate::time::Timestamp;

/// Batches that may wait for an engine.
const BATCHES_AHEAD: usize = 16;

/// Runs that may wait for the caller, an engine.
const RUNS_AHEAD: usize = 2;

/// Items in a batch: packets and ticks.
const BATCH_ITEMS: usize = 64;

/// Bytes of payload after which a batch is sent, however few its items.
const BATCH_BYTES: usize = 64 << 10;

/// Reads `input` with an engine for each of `reports`.
pub(super) fn read<R: Report>(
    input: &Input,
    options: &Options,
    reports: &mut [R],
    stats: &mut Stats,
    consumer: &mut dyn Consumer,
) -> ControlFlow<()> {
    let source = match input.open() {
        Ok(source) => source,
        Err(error) => {
            consumer.problem(Problem::Unreadable(error));
            return consumer.progress(input.size.unwrap_or_default());
        }
    };
    let capture = input.path.display().to_string();
    let config = share(EngineConfig { capture, ..options.engine.clone() }, reports.len());
    let (spent, spare) = channel();
    let bytes_read = AtomicU64::new(0);
    let mut order = Order::new(options.hold_bytes);
    let (flow, end) = thread::scope(|scope| {
        let mut lanes = Vec::with_capacity(reports.len());
        let mut runs = Vec::with_capacity(reports.len());
        let mut engines = Vec::with_capacity(reports.len());
        for report in &mut *reports {
            let (to_engine, batches) = sync_channel(BATCHES_AHEAD);
            let (from_engine, done) = sync_channel(RUNS_AHEAD);
            let (emptied, empty) = channel();
            let worker = Worker { batches, spent: spent.clone(), runs: from_engine, empty };
            let engine = Engine::new(config.clone());
            engines.push(scope.spawn(move || worker.work(engine, report)));
            lanes.push(Lane { to_engine, batch: Batch::default() });
            runs.push((done, emptied));
        }
        let decoder = Decoder::new(options.engine.fragments);
        let reader = Reader { source, decoder, lanes, spare, stats: Stats::default(), run: run_length(input) };
        let bytes_read = &bytes_read;
        let reader = scope.spawn(move || reader.read(bytes_read));
        let flow = collect(input, runs, bytes_read, &mut order, consumer);
        let end = join(reader);
        for engine in engines {
            stats.merge(&join(engine));
        }
        (flow, end)
    });
    stats.merge(&end.stats);
    if let Some(error) = end.error {
        consumer.problem(Problem::Unreadable(error));
    }
    close(input, end.source.damage(), &order, consumer);
    flow
}

fn join<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The configuration of one of `engines` that share the limits of `config`.
pub(super) fn share(mut config: EngineConfig, engines: usize) -> EngineConfig {
    let engines = engines.max(1);
    let limits = &mut config.limits;
    for limit in [&mut limits.flows, &mut limits.handshakes, &mut limits.buffer_bytes] {
        *limit = limit.div_ceil(engines);
    }
    config
}

/// Takes the same run from every engine, until the last.
fn collect(
    input: &Input,
    engines: Vec<(Receiver<Run>, Sender<Run>)>,
    bytes_read: &AtomicU64,
    order: &mut Order,
    consumer: &mut dyn Consumer,
) -> ControlFlow<()> {
    let mut progress = 0;
    let mut runs = Vec::with_capacity(engines.len());
    loop {
        for (done, _) in &engines {
            // An engine that is gone has panicked; it is joined next.
            let Ok(run) = done.recv() else { return ControlFlow::Break(()) };
            runs.push(run);
        }
        order.take(&mut runs, &mut |records| consumer.records(&input.path, records))?;
        let read = bytes_read.load(Ordering::Relaxed);
        consumer.progress(read.saturating_sub(progress))?;
        progress = read;
        let is_last = runs.iter().all(|run| run.settled == Timestamp::END);
        for (run, (_, emptied)) in runs.drain(..).zip(&engines) {
            // The last one finds nobody.
            let _ = emptied.send(run);
        }
        if is_last {
            return ControlFlow::Continue(());
        }
    }
}

/// Packets and times for one engine, in the order of the capture.
#[derive(Default)]
struct Batch {
    items: Vec<Item>,
    payloads: Vec<u8>,
}

enum Item {
    /// A packet without its payload, and where that lies in the batch.
    Packet(Packet<'static>, Range<usize>),
    /// A new tick began with a frame of this time.
    Tick(Timestamp),
    /// The run is over.
    Run,
    /// The capture is over; its last frame was of this time.
    End(Timestamp),
}

/// One engine and its queues.
struct Worker {
    batches: Receiver<Batch>,
    spent: Sender<Batch>,
    runs: SyncSender<Run>,
    empty: Receiver<Run>,
}

impl Worker {
    /// Follows flows until the capture is over, or nobody takes its records any more.
    fn work(self, mut engine: Engine, report: &mut impl Report) -> Stats {
        let mut run = Run::default();
        for mut batch in &self.batches {
            for item in &batch.items {
                let mut sink = |record: &FlowRecord<'_>| run.flow(record, report);
                match item {
                    Item::Packet(packet, payload) => {
                        let payload = batch.payloads.get(payload.clone()).unwrap_or_default();
                        engine.push_packet(&attach(packet, payload), &mut sink);
                        continue;
                    }
                    Item::Tick(now) => {
                        engine.advance(*now, &mut sink);
                        continue;
                    }
                    Item::Run => run.settled = engine.settled(),
                    Item::End(last) => {
                        engine.advance(*last, &mut sink);
                        engine.finish(&mut sink);
                        run.settled = Timestamp::END;
                    }
                }
                let mut next = self.empty.try_recv().unwrap_or_default();
                next.clear();
                if self.runs.send(std::mem::replace(&mut run, next)).is_err() {
                    return engine.stats();
                }
            }
            batch.items.clear();
            batch.payloads.clear();
            // The reader may have ended.
            let _ = self.spent.send(batch);
        }
        engine.stats()
    }
}

/// What the reader feeds one engine with.
struct Lane {
    to_engine: SyncSender<Batch>,
    batch: Batch,
}

struct Reader {
    source: Source,
    decoder: Decoder,
    lanes: Vec<Lane>,
    spare: Receiver<Batch>,
    stats: Stats,
    run: u32,
}

/// What is left when the reader is done.
struct ReaderEnd {
    source: Source,
    stats: Stats,
    error: Option<Error>,
}

impl Reader {
    /// Reads the capture to its end, or until an engine is gone.
    fn read(mut self, bytes_read: &AtomicU64) -> ReaderEnd {
        let mut error = None;
        let (mut now, mut frames) = (Timestamp::ZERO, 0);
        let hasher = foldhash::fast::FixedState::default();
        loop {
            let frame = match self.source.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(failure) => {
                    error = Some(failure);
                    break;
                }
            };
            self.stats.count_frame(&frame);
            match self.decoder.decode(&frame, &mut self.stats.drops) {
                Ok(packet) => {
                    self.stats.count_packet(&packet);
                    let (key, _) = FlowKey::new(&packet.tuple, packet.encapsulations.flow_key());
                    let lane = lane_of(hasher.hash_one(key), self.lanes.len());
                    if let Some(lane) = self.lanes.get_mut(lane)
                        && lane.packet(&packet, &self.spare).is_break()
                    {
                        break;
                    }
                }
                Err(reason) => self.stats.drops.count(reason),
            }
            if frame.timestamp > now {
                let new_tick = Engine::tick(frame.timestamp) != Engine::tick(now);
                now = frame.timestamp;
                if new_tick && self.lanes.iter_mut().any(|lane| lane.item(Item::Tick(now), &self.spare).is_break()) {
                    break;
                }
            }
            frames += 1;
            if frames == self.run {
                frames = 0;
                bytes_read.store(self.source.bytes_read(), Ordering::Relaxed);
                if self.lanes.iter_mut().any(|lane| lane.last_item(Item::Run, &self.spare).is_break()) {
                    break;
                }
            }
        }
        self.decoder.finish(&mut self.stats.drops);
        bytes_read.store(self.source.bytes_read(), Ordering::Relaxed);
        for lane in &mut self.lanes {
            // An engine that is gone is joined next.
            let _ = lane.last_item(Item::End(now), &self.spare);
        }
        ReaderEnd { source: self.source, stats: self.stats, error }
    }
}

/// The upper bits of a hash, in equal parts.
fn lane_of(hash: u64, lanes: usize) -> usize {
    let lanes = u128::try_from(lanes).unwrap_or(1);
    usize::try_from((u128::from(hash) * lanes) >> 64).unwrap_or_default()
}

impl Lane {
    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, spare: &Receiver<Batch>) -> ControlFlow<()> {
        let (detached, payload) = detach(packet);
        let start = self.batch.payloads.len();
        self.batch.payloads.extend_from_slice(payload);
        self.item(Item::Packet(detached, start..self.batch.payloads.len()), spare)
    }

    #[inline]
    fn item(&mut self, item: Item, spare: &Receiver<Batch>) -> ControlFlow<()> {
        self.batch.items.push(item);
        if self.batch.items.len() >= BATCH_ITEMS || self.batch.payloads.len() >= BATCH_BYTES {
            return self.send(spare);
        }
        ControlFlow::Continue(())
    }

    fn last_item(&mut self, item: Item, spare: &Receiver<Batch>) -> ControlFlow<()> {
        self.batch.items.push(item);
        self.send(spare)
    }

    fn send(&mut self, spare: &Receiver<Batch>) -> ControlFlow<()> {
        let next = spare.try_recv().unwrap_or_default();
        match self.to_engine.send(std::mem::replace(&mut self.batch, next)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// A packet without its payload, and its payload.
#[inline]
fn detach<'a>(packet: &Packet<'a>) -> (Packet<'static>, &'a [u8]) {
    let Packet { timestamp, tuple, encapsulations, ttl, transport } = *packet;
    let (transport, payload) = match transport {
        Transport::Tcp(Segment { sequence, acknowledgment, flags, window, payload, cut }) => {
            (Transport::Tcp(Segment { sequence, acknowledgment, flags, window, payload: &[], cut }), payload)
        }
        Transport::Udp(Datagram { payload, cut }) => (Transport::Udp(Datagram { payload: &[], cut }), payload),
    };
    (Packet { timestamp, tuple, encapsulations, ttl, transport }, payload)
}

/// The packet with its payload again.
#[inline]
fn attach<'a>(packet: &Packet<'static>, payload: &'a [u8]) -> Packet<'a> {
    let transport = match packet.transport {
        Transport::Tcp(segment) => Transport::Tcp(Segment { payload, ..segment }),
        Transport::Udp(datagram) => Transport::Udp(Datagram { payload, ..datagram }),
    };
    Packet { transport, ..*packet }
}
