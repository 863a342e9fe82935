//! [`Queue`]: rendered records on their way from the engines to the writer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::record::FlowRecord;
use crate::time::Timestamp;

use super::Report;

/// What a record costs in the queue beside its bytes.
const ENTRY: usize = size_of::<(Timestamp, usize)>();

/// Bytes of memory an empty batch keeps.
const KEPT: usize = 1 << 20;

/// Rendered records, one behind the other.
#[derive(Clone, Debug, Default)]
pub struct Records {
    bytes: Vec<u8>,
    /// When each handshake began, and where its record ends.
    index: Vec<(Timestamp, usize)>,
}

impl Records {
    /// All of them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Each of them, with the time its handshake began.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, &[u8])> {
        let starts = std::iter::once(0).chain(self.index.iter().map(|(_, end)| *end));
        self.index.iter().zip(starts).map(|((began, end), start)| (*began, self.slice(start, *end)))
    }

    /// Appends what `report` makes of `record`, where it makes anything of it.
    pub(super) fn render(&mut self, record: &FlowRecord<'_>, report: &mut impl Report) {
        report.flow(record, &mut self.bytes);
        self.end_record(record.facts.started);
    }

    /// Appends a record that is rendered already.
    pub(super) fn push(&mut self, began: Timestamp, rendered: &[u8]) {
        self.bytes.extend_from_slice(rendered);
        self.end_record(began);
    }

    /// What they cost in the queue.
    pub(super) const fn weight(&self) -> usize {
        self.bytes.len() + self.index.len() * ENTRY
    }

    /// Empties it, and gives back the memory that only a burst needed.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.index.clear();
        self.bytes.shrink_to(KEPT);
        self.index.shrink_to(KEPT / ENTRY);
    }

    fn end_record(&mut self, began: Timestamp) {
        let start = self.index.last().map_or(0, |(_, end)| *end);
        if self.bytes.len() > start {
            self.index.push((began, self.bytes.len()));
        }
    }

    fn slice(&self, start: usize, end: usize) -> &[u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }
}

/// Takes records from many threads and gives them to one, at most so many bytes at a time.
///
/// Two buffers change hands, so that nothing is allocated for a record, and the lock is held for a copy at most.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    emptied: Condvar,
    /// Bytes of records that may wait.
    pub(super) limit: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    records: Records,
    closed: bool,
    counts: Counts,
}

/// What has gone through the queue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Records that found room.
    pub(super) accepted: u64,
    /// Records that found none.
    pub(super) dropped: u64,
    /// Records the writer has been given.
    pub(super) taken: u64,
    /// Bytes that wait, what the queue itself needs for them among them.
    pub(super) bytes: usize,
}

/// What the writer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Records.
    Records,
    /// None, in all the time it waited.
    Nothing,
    /// None, and there will be none.
    End,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        Self { waiting: Mutex::default(), filled: Condvar::new(), emptied: Condvar::new(), limit }
    }

    /// Takes over `records`, which are empty after it. Those for which there is no room, even after waiting for it
    /// until `deadline`, are dropped and counted.
    pub(super) fn offer(&self, records: &mut Records, deadline: Option<Instant>) {
        if records.is_empty() {
            return;
        }
        let mut waiting = self.lock();
        if let Some(deadline) = deadline {
            while !waiting.records.is_empty() && waiting.records.weight().saturating_add(records.weight()) > self.limit
            {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                (waiting, _) = self.emptied.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner);
            }
        }
        let was_empty = waiting.records.is_empty();
        let room = self.limit.saturating_sub(waiting.records.weight());
        if records.weight() <= room {
            waiting.counts.accepted += count(records.len());
            if was_empty {
                std::mem::swap(&mut waiting.records, records);
            } else {
                let start = waiting.records.bytes.len();
                waiting.records.bytes.extend_from_slice(&records.bytes);
                waiting.records.index.extend(records.index.iter().map(|(began, end)| (*began, start + end)));
            }
        } else {
            let mut left = room;
            for (began, rendered) in records.iter() {
                let weight = rendered.len() + ENTRY;
                if weight <= left {
                    left -= weight;
                    waiting.records.push(began, rendered);
                    waiting.counts.accepted += 1;
                } else {
                    waiting.counts.dropped += 1;
                }
            }
        }
        drop(waiting);
        records.clear();
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Exchanges `records`, which have been written, for those that wait; waits for the first at most `patience`.
    pub(super) fn take(&self, records: &mut Records, patience: Duration) -> Taken {
        records.clear();
        let waiting = self.lock();
        let (mut waiting, _) = self
            .filled
            .wait_timeout_while(waiting, patience, |waiting| waiting.records.is_empty() && !waiting.closed)
            .unwrap_or_else(PoisonError::into_inner);
        if waiting.records.is_empty() {
            return if waiting.closed { Taken::End } else { Taken::Nothing };
        }
        std::mem::swap(&mut waiting.records, records);
        waiting.counts.taken += count(records.len());
        drop(waiting);
        self.emptied.notify_all();
        Taken::Records
    }

    /// Says that nothing more comes.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    pub(super) fn counts(&self) -> Counts {
        let waiting = self.lock();
        Counts { bytes: waiting.records.weight(), ..waiting.counts }
    }

    /// A thread that panicked while it held the lock has left it in order: nothing in there can be half done.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(records: usize) -> u64 {
    u64::try_from(records).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(lengths: &[usize]) -> Records {
        let mut records = Records::default();
        for (number, length) in (1..).zip(lengths) {
            records.push(Timestamp::from_nanos(number), &vec![b'x'; *length]);
        }
        records
    }

    #[test]
    fn gives_records_in_the_order_in_which_they_came() {
        let queue = Queue::new(1 << 20);
        queue.offer(&mut records(&[3, 5]), None);
        queue.offer(&mut records(&[7]), None);
        let mut taken = Records::default();
        assert_eq!(queue.take(&mut taken, Duration::ZERO), Taken::Records);
        let seen: Vec<_> = taken.iter().map(|(began, rendered)| (began.as_nanos(), rendered.len())).collect();
        assert_eq!(seen, [(1, 3), (2, 5), (1, 7)]);
        assert_eq!(taken.bytes().len(), 15);
        assert_eq!(queue.take(&mut taken, Duration::ZERO), Taken::Nothing);
        assert!(taken.is_empty());
        queue.close();
        assert_eq!(queue.take(&mut taken, Duration::from_secs(60)), Taken::End);
    }

    #[test]
    fn drops_and_counts_what_finds_no_room_and_takes_smaller_ones_still() {
        let queue = Queue::new(100 + 3 * ENTRY);
        let mut offered = records(&[60, 60, 40]);
        queue.offer(&mut offered, None);
        assert!(offered.is_empty());
        queue.offer(&mut records(&[1]), None);
        let counts = queue.counts();
        assert_eq!((counts.accepted, counts.dropped, counts.bytes), (2, 2, 100 + 2 * ENTRY));
        let mut taken = Records::default();
        assert_eq!(queue.take(&mut taken, Duration::ZERO), Taken::Records);
        assert_eq!(taken.iter().map(|(_, rendered)| rendered.len()).collect::<Vec<_>>(), [60, 40]);
        queue.offer(&mut records(&[1]), None);
        assert_eq!(queue.counts().accepted, 3);
    }

    #[test]
    fn waits_for_room_only_where_it_is_told_to() {
        let queue = Queue::new(100);
        queue.offer(&mut records(&[50]), None);
        let began = Instant::now();
        queue.offer(&mut records(&[60]), Some(Instant::now() + Duration::from_millis(30)));
        assert!(began.elapsed() >= Duration::from_millis(30));
        assert_eq!(queue.counts().dropped, 1);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                assert_eq!(queue.take(&mut Records::default(), Duration::ZERO), Taken::Records);
            });
            queue.offer(&mut records(&[60]), Some(Instant::now() + Duration::from_secs(60)));
        });
        assert_eq!((queue.counts().accepted, queue.counts().dropped), (2, 1));
    }

    #[test]
    fn keeps_no_more_memory_after_a_burst_than_before() {
        let mut burst = records(&[4 << 20]);
        burst.clear();
        assert!(burst.bytes.capacity() <= KEPT);
    }
}
