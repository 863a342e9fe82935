//! [`Order`]: records as they end, out as they began.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::{ControlFlow, Range};

use crate::record::{FlowId, FlowRecord};
use crate::time::Timestamp;

use super::Report;

/// Buffers kept for records that will be held back.
const SPARES: usize = 256;
/// The largest of them, in bytes.
const SPARE_BYTES: usize = 64 << 10;

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

    fn rendered(&self, entry: &Entry) -> &[u8] {
        self.bytes.get(entry.rendered.clone()).unwrap_or_default()
    }
}

/// Holds records back until none that began earlier can come.
#[derive(Debug, Default)]
pub(super) struct Order {
    held: BinaryHeap<Reverse<Held>>,
    bytes: usize,
    limit: usize,
    last: Option<(Timestamp, FlowId)>,
    /// Memory of records that were held back.
    spare: Vec<Vec<u8>>,
    /// Records handed on after one that began later.
    pub(super) late: u64,
}

/// Ordered by its fields: two records of one id are told apart by their text.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    started: Timestamp,
    id: FlowId,
    rendered: Vec<u8>,
}

impl Held {
    fn key(&self) -> (Timestamp, FlowId, &[u8]) {
        (self.started, self.id, &self.rendered)
    }
}

impl Order {
    /// An order that holds back at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Takes the same run of frames from every engine, and hands on what is settled.
    pub(super) fn take(
        &mut self,
        runs: &[Run],
        hand_on: &mut dyn FnMut(Timestamp, &[u8]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let settled = runs.iter().map(|run| run.settled).min().unwrap_or_default();
        let entries = runs.iter().flat_map(|run| run.index.iter().map(|entry| (entry, run.rendered(entry))));
        let mut fresh: Vec<_> = entries.map(|(entry, rendered)| (entry.started, entry.id, rendered)).collect();
        fresh.sort_unstable();
        for key @ (started, id, rendered) in fresh {
            if started < settled {
                while self.held.peek().is_some_and(|Reverse(held)| held.key() < key) {
                    self.hand_on_first(hand_on)?;
                }
                self.note(started, id);
                hand_on(started, rendered)?;
            } else {
                self.bytes = self.bytes.saturating_add(rendered.len());
                let mut copy = self.spare.pop().unwrap_or_default();
                copy.extend_from_slice(rendered);
                self.held.push(Reverse(Held { started, id, rendered: copy }));
            }
        }
        let limit = self.limit;
        while self.held.peek().is_some_and(|Reverse(held)| held.started < settled) || self.bytes > limit {
            self.hand_on_first(hand_on)?;
        }
        ControlFlow::Continue(())
    }

    fn hand_on_first(&mut self, hand_on: &mut dyn FnMut(Timestamp, &[u8]) -> ControlFlow<()>) -> ControlFlow<()> {
        let Some(Reverse(mut held)) = self.held.pop() else { return ControlFlow::Continue(()) };
        self.bytes = self.bytes.saturating_sub(held.rendered.len());
        self.note(held.started, held.id);
        let flow = hand_on(held.started, &held.rendered);
        if held.rendered.capacity() <= SPARE_BYTES && self.spare.len() < SPARES {
            held.rendered.clear();
            self.spare.push(held.rendered);
        }
        flow
    }

    fn note(&mut self, started: Timestamp, id: FlowId) {
        if self.last.is_some_and(|last| last > (started, id)) {
            self.late = self.late.saturating_add(1);
        } else {
            self.last = Some((started, id));
        }
    }
}
