//! [`Order`]: records as they end, out as they began.
//!
//! A run's records stay where they were rendered: those that are held back share its memory, which is given back with
//! the last of them. Where they are the smaller part of it they are copied, so that a run's memory is never kept for
//! less than half of it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::{ControlFlow, Range};

use bytes::Bytes;

use crate::record::{FlowId, FlowRecord};
use crate::time::Timestamp;

use super::{Rendered, Report};

/// Runs whose memory is kept for others.
const SPARES: usize = 64;
/// The largest of them, in bytes.
const SPARE_BYTES: usize = 512 << 10;

/// What ended in one run of frames of one engine.
#[derive(Debug, Default)]
pub(super) struct Run {
    bytes: Vec<u8>,
    index: Vec<Entry>,
    /// No record that began before this follows.
    pub(super) settled: Timestamp,
}

#[derive(Clone, Debug)]
struct Entry {
    started: Timestamp,
    id: FlowId,
    rendered: Range<usize>,
}

impl Run {
    /// Renders `record` into the run.
    pub(super) fn flow(&mut self, record: &FlowRecord<'_>, report: &mut impl Report) {
        let start = self.bytes.len();
        report.flow(record, &mut self.bytes);
        if self.bytes.len() > start {
            let rendered = start..self.bytes.len();
            self.index.push(Entry { started: record.facts.started, id: record.id, rendered });
        }
    }

    /// Makes the run empty again, its memory with it.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.index.clear();
        self.settled = Timestamp::ZERO;
    }

    /// Takes the records out, and leaves the run empty with `memory` for others.
    fn take(&mut self, memory: Vec<u8>) -> (Bytes, impl Iterator<Item = Entry> + '_) {
        (std::mem::replace(&mut self.bytes, memory).into(), self.index.drain(..))
    }
}

/// Holds records back until none that began earlier can come.
#[derive(Debug, Default)]
pub(super) struct Order {
    held: BinaryHeap<Reverse<Held>>,
    /// Bytes of the records held.
    bytes: usize,
    limit: usize,
    last: Option<(Timestamp, FlowId)>,
    /// Memory of runs that were handed on.
    spare: Vec<Vec<u8>>,
    /// Records of the runs that have come last.
    fresh: Vec<Held>,
    /// Records to be handed on.
    ready: Vec<Rendered>,
    /// Records handed on after one that began later.
    pub(super) late: u64,
}

/// Ordered by its fields: two records of one id are told apart by their text.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    started: Timestamp,
    id: FlowId,
    text: Bytes,
}

impl Order {
    /// An order that holds back at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Takes the records of the same run of frames from every engine, and hands on what is settled.
    pub(super) fn take(
        &mut self,
        runs: &mut [Run],
        hand_on: &mut dyn FnMut(&[Rendered]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let settled = runs.iter().map(|run| run.settled).min().unwrap_or_default();
        let mut fresh = std::mem::take(&mut self.fresh);
        for run in runs.iter_mut().filter(|run| !run.bytes.is_empty()) {
            let to_hold = |entry: &Entry| entry.started >= settled;
            let held = run.index.iter().filter(|entry| to_hold(entry)).map(|entry| entry.rendered.len()).sum::<usize>();
            let is_shared = held >= run.bytes.len() / 2;
            let (text, entries) = run.take(self.spare.pop().unwrap_or_default());
            fresh.extend(entries.map(|entry| {
                let is_copied = to_hold(&entry) && !is_shared;
                let Entry { started, id, rendered } = entry;
                let text = text.slice(rendered);
                Held { started, id, text: if is_copied { Bytes::copy_from_slice(&text) } else { text } }
            }));
        }
        fresh.sort_unstable();
        for record in fresh.drain(..) {
            if record.started < settled {
                while self.held.peek().is_some_and(|Reverse(held)| *held < record) {
                    self.release_first();
                }
                self.release(record);
            } else {
                self.bytes = self.bytes.saturating_add(record.text.len());
                self.held.push(Reverse(record));
            }
        }
        self.fresh = fresh;
        let limit = self.limit;
        while self.held.peek().is_some_and(|Reverse(held)| held.started < settled) || self.bytes > limit {
            self.release_first();
        }
        let flow = if self.ready.is_empty() { ControlFlow::Continue(()) } else { hand_on(&self.ready) };
        for record in self.ready.drain(..) {
            // The last of its run gives the memory back, unless whoever took it has kept some of it.
            if record.text.is_unique() && self.spare.len() < SPARES {
                let mut text = record.text;
                text.clear();
                let memory = Vec::from(text);
                if (1..=SPARE_BYTES).contains(&memory.capacity()) {
                    self.spare.push(memory);
                }
            }
        }
        flow
    }

    fn release_first(&mut self) {
        if let Some(Reverse(held)) = self.held.pop() {
            self.bytes = self.bytes.saturating_sub(held.text.len());
            self.release(held);
        }
    }

    fn release(&mut self, record: Held) {
        let Held { started, id, text } = record;
        self.note(started, id);
        self.ready.push(Rendered { started, text });
    }

    fn note(&mut self, started: Timestamp, id: FlowId) {
        if self.last.is_some_and(|last| last > (started, id)) {
            self.late = self.late.saturating_add(1);
        } else {
            self.last = Some((started, id));
        }
    }
}
