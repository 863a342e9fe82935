//! Datagrams that came in fragments, until they are whole (RFC 791 section 3.2, RFC 8200 section 4.5).
//!
//! Fragments come in any order. Where they overlap the first bytes win, and a conflict is counted: hosts differ in what
//! they do, and fragments that disagree are an attempt to make two readers read two things. Invariants: the pieces of
//! a datagram are sorted and never overlap; memory is accounted by capacity and never stays above the limit.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::stats::{DropReason, Drops};
use crate::time::Timestamp;

/// The longest payload an IP datagram can have.
const MAX_DATAGRAM: usize = 65_535;

/// Pieces kept of one datagram: as many as the longest has over links of the smallest MTU, 68 bytes (RFC 791).
const MAX_PIECES: usize = 1366;

/// What a datagram's bookkeeping is taken to cost beside its bytes.
const DATAGRAM_OVERHEAD: usize = 256;

/// How much is kept of datagrams that are not whole yet. When a limit is reached the oldest datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentLimits {
    /// Datagrams waiting for fragments.
    pub datagrams: usize,
    /// Bytes of memory.
    pub bytes: usize,
    /// Time from a datagram's first fragment seen, by the packets' clock.
    pub age: Duration,
}

/// 4,096 datagrams, 16 MiB, 30 seconds.
impl Default for FragmentLimits {
    fn default() -> Self {
        Self { datagrams: 4096, bytes: 16 << 20, age: Duration::from_secs(30) }
    }
}

/// What the fragments of one datagram share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FragmentKey {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) identification: u32,
    pub(super) protocol: u8,
    pub(super) encapsulation: u32,
}

/// One fragment. Offset in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    pub(super) offset: usize,
    pub(super) more: bool,
    pub(super) next: u8,
    pub(super) ttl: u8,
    pub(super) payload: &'a [u8],
}

/// What the first fragment says of the whole datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct First {
    pub(super) next: u8,
    pub(super) ttl: u8,
}

/// The datagrams that are not whole yet.
#[derive(Debug)]
pub(super) struct FragmentTable {
    limits: FragmentLimits,
    datagrams: HashMap<FragmentKey, Partial, RandomState>,
    /// Keys by age, oldest first; those whose serial is no longer in the table are passed over.
    order: VecDeque<(FragmentKey, u64)>,
    serial: u64,
    bytes: usize,
}

impl FragmentTable {
    pub(super) fn new(limits: FragmentLimits) -> Self {
        Self { limits, datagrams: HashMap::default(), order: VecDeque::new(), serial: 0, bytes: 0 }
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps a fragment. When it makes its datagram whole, that is written to `whole` and forgotten here.
    ///
    /// # Errors
    /// [`DropReason::FragmentPending`] while bytes are missing, [`DropReason::MalformedHeader`] for a fragment that
    /// cannot be part of its datagram, and leaves the datagram as it is.
    pub(super) fn insert(
        &mut self,
        key: FragmentKey,
        fragment: &Fragment<'_>,
        now: Timestamp,
        whole: &mut Vec<u8>,
        drops: &mut Drops,
    ) -> Result<First, DropReason> {
        self.expire(now, drops);
        let mut payload = fragment.payload;
        if fragment.more && !payload.len().is_multiple_of(8) {
            if key.source.is_ipv6() {
                return Err(DropReason::MalformedHeader);
            }
            // IPv4 hosts take the whole blocks of such a fragment.
            payload = payload.get(..payload.len() & !7).unwrap_or_default();
        }
        let end = fragment.offset + payload.len();
        if end > MAX_DATAGRAM || (payload.is_empty() && (fragment.more || fragment.offset == 0)) {
            return Err(DropReason::MalformedHeader);
        }
        let serial = &mut self.serial;
        let order = &mut self.order;
        let bytes = &mut self.bytes;
        let partial = self.datagrams.entry(key).or_insert_with(|| {
            *serial += 1;
            order.push_back((key, *serial));
            *bytes += DATAGRAM_OVERHEAD;
            Partial::new(now, *serial)
        });
        let before = partial.cost();
        let outcome = partial.insert(fragment, payload, end);
        *bytes = *bytes + partial.cost() - before;
        if outcome? {
            drops.count(DropReason::FragmentOverlap);
        }
        let result = if partial.is_whole() {
            let first = partial.first;
            partial.write(whole);
            self.remove(&key);
            Ok(first)
        } else {
            self.shrink(drops);
            Err(DropReason::FragmentPending)
        };
        self.compact();
        result
    }

    /// Gives up everything.
    pub(super) fn clear(&mut self, drops: &mut Drops) {
        for _ in self.datagrams.drain() {
            drops.count(DropReason::FragmentIncomplete);
        }
        self.order.clear();
        self.bytes = 0;
    }

    /// Gives up what is too old.
    fn expire(&mut self, now: Timestamp, drops: &mut Drops) {
        while let Some((key, serial)) = self.order.front() {
            match self.datagrams.get(key) {
                Some(partial) if partial.serial == *serial => {
                    if now.since(partial.first_seen) <= self.limits.age {
                        return;
                    }
                    let key = *key;
                    self.remove(&key);
                    drops.count(DropReason::FragmentIncomplete);
                }
                _ => {}
            }
            self.order.pop_front();
        }
    }

    /// Gives up the oldest until all limits hold.
    fn shrink(&mut self, drops: &mut Drops) {
        while self.bytes > self.limits.bytes || self.datagrams.len() > self.limits.datagrams {
            let Some((key, serial)) = self.order.pop_front() else { return };
            if self.datagrams.get(&key).is_some_and(|partial| partial.serial == serial) {
                self.remove(&key);
                drops.count(DropReason::FragmentIncomplete);
            }
        }
    }

    fn remove(&mut self, key: &FragmentKey) {
        if let Some(partial) = self.datagrams.remove(key) {
            self.bytes -= DATAGRAM_OVERHEAD + partial.cost();
        }
    }

    /// Forgets the order of datagrams that became whole, once they are the greater part.
    fn compact(&mut self) {
        if self.order.len() > 2 * self.datagrams.len() + 64 {
            let datagrams = &self.datagrams;
            self.order.retain(|(key, serial)| datagrams.get(key).is_some_and(|partial| partial.serial == *serial));
        }
    }
}

/// A datagram that is not whole yet.
#[derive(Debug)]
struct Partial {
    first_seen: Timestamp,
    serial: u64,
    first: First,
    /// The datagram's length, once the last fragment came.
    total: Option<usize>,
    /// The bytes kept, in the order they came.
    bytes: Vec<u8>,
    /// Where they belong, by offset.
    pieces: Vec<Piece>,
}

/// A run of the datagram's bytes.
#[derive(Clone, Copy, Debug)]
struct Piece {
    offset: usize,
    length: usize,
    /// Where in [`Partial::bytes`] it begins.
    position: usize,
}

impl Piece {
    const fn end(&self) -> usize {
        self.offset + self.length
    }
}

impl Partial {
    const fn new(first_seen: Timestamp, serial: u64) -> Self {
        Self {
            first_seen,
            serial,
            first: First { next: 0, ttl: 0 },
            total: None,
            bytes: Vec::new(),
            pieces: Vec::new(),
        }
    }

    const fn cost(&self) -> usize {
        self.bytes.capacity() + self.pieces.capacity() * size_of::<Piece>()
    }

    /// Takes from a fragment what is not there yet; says whether what was there differs.
    fn insert(&mut self, fragment: &Fragment<'_>, payload: &[u8], end: usize) -> Result<bool, DropReason> {
        let last_end = self.pieces.last().map_or(0, Piece::end);
        let beyond_total = self.total.is_some_and(|total| end > total || (!fragment.more && end != total));
        if beyond_total || (!fragment.more && last_end > end) || self.pieces.len() >= MAX_PIECES {
            return Err(DropReason::MalformedHeader);
        }
        if !fragment.more {
            self.total = Some(end);
        }
        let mut at = fragment.offset;
        let mut index = self.pieces.partition_point(|piece| piece.end() <= at);
        let mut conflict = false;
        while at < end {
            let of_payload = |to: usize| payload.get(at - fragment.offset..to - fragment.offset).unwrap_or_default();
            let stop = match self.pieces.get(index) {
                Some(piece) if piece.offset <= at => {
                    let stop = piece.end().min(end);
                    let from = piece.position + (at - piece.offset);
                    conflict |= self.bytes.get(from..from + (stop - at)) != Some(of_payload(stop));
                    stop
                }
                next => {
                    let stop = next.map_or(end, |piece| piece.offset.min(end));
                    let piece = Piece { offset: at, length: stop - at, position: self.bytes.len() };
                    if at == 0 {
                        self.first = First { next: fragment.next, ttl: fragment.ttl };
                    }
                    self.bytes.extend_from_slice(of_payload(stop));
                    self.pieces.insert(index, piece);
                    stop
                }
            };
            at = stop;
            index += 1;
        }
        Ok(conflict)
    }

    /// Pieces never overlap and none lies past the total, so that the bytes are all there when they are as many.
    fn is_whole(&self) -> bool {
        self.total == Some(self.bytes.len())
    }

    fn write(&self, whole: &mut Vec<u8>) {
        whole.clear();
        for piece in &self.pieces {
            whole.extend_from_slice(self.bytes.get(piece.position..piece.position + piece.length).unwrap_or_default());
        }
    }
}
