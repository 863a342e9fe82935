//! One direction of a TCP connection, put back in order.
//!
//! Bytes in order are lent on at once and never copied here; only what arrives early is held, and a bounded start of
//! the stream is remembered to compare retransmissions with. The first bytes seen win (RFC 9293 leaves it open); a
//! retransmission that differs is reported by its offset.

use super::pool::Pool;

/// How far ahead of the expected sequence number a segment may lie and still be believed, in bytes: the largest
/// window of RFC 7323 would be 1 GiB; no handshake needs more than this.
const MAXIMUM_WINDOW: u32 = 16 << 20;

/// Bounds on what one direction holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HoldLimits {
    /// Bytes of early segments.
    pub(crate) bytes: usize,
    /// Early segments.
    pub(crate) segments: usize,
    /// Bytes remembered from the start of the stream.
    pub(crate) history: usize,
}

/// A segment that came before the bytes in front of it.
struct Early {
    sequence: u32,
    bytes: Vec<u8>,
    /// What its sender had received: bytes of the peer up to here come before it.
    after: Option<u32>,
}

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival<'p> {
    /// These bytes are next in order. The stream has advanced past them.
    Next(&'p [u8]),
    /// Held until the bytes in front of it come, or nothing new.
    Held,
    /// Held, and a limit is reached: skip the gap now.
    Full,
    /// Not part of this connection by its sequence number.
    Foreign,
}

/// One direction of a connection.
#[derive(Default)]
pub(crate) struct HalfStream {
    /// Sequence number of the next byte in order, once known.
    next: Option<u32>,
    early: Vec<Early>,
    early_bytes: usize,
    history: Vec<u8>,
    history_start: u32,
    conflict: Option<u32>,
}

impl HalfStream {
    /// Fixes the position: `sequence` is the next byte's.
    pub(crate) fn synchronise(&mut self, sequence: u32) {
        self.next = Some(sequence);
        self.history_start = sequence;
    }

    /// Sequence number of the first byte followed.
    pub(crate) fn start(&self) -> Option<u32> {
        self.next.map(|_| self.history_start)
    }

    /// Sequence number of the next byte in order.
    pub(crate) const fn next(&self) -> Option<u32> {
        self.next
    }

    /// Offset into the remembered stream of the first retransmitted byte that differs.
    pub(crate) const fn conflict(&self) -> Option<u32> {
        self.conflict
    }

    /// Whether a gap holds back early segments.
    pub(crate) fn has_gap(&self) -> bool {
        !self.early.is_empty()
    }

    /// Takes a segment.
    pub(crate) fn accept<'p>(
        &mut self,
        sequence: u32,
        payload: &'p [u8],
        limits: HoldLimits,
        pool: &mut Pool,
    ) -> Arrival<'p> {
        let Some(next) = self.next else {
            self.synchronise(sequence);
            return self.advance(payload, limits, pool);
        };
        let ahead = sequence.wrapping_sub(next);
        if ahead == 0 {
            return self.advance(payload, limits, pool);
        }
        if ahead < MAXIMUM_WINDOW {
            return self.hold(sequence, payload, None, limits, pool);
        }
        let behind = next.wrapping_sub(sequence);
        if behind >= MAXIMUM_WINDOW {
            return Arrival::Foreign;
        }
        self.compare_with_history(sequence, payload);
        match usize::try_from(behind).ok().and_then(|behind| payload.get(behind..)) {
            Some(fresh) if !fresh.is_empty() => self.advance(fresh, limits, pool),
            _ => Arrival::Held,
        }
    }

    /// Holds a segment, even one that is next, until the peer's stream has come to sequence number `after`.
    pub(crate) fn defer(
        &mut self,
        sequence: u32,
        payload: &[u8],
        after: u32,
        limits: HoldLimits,
        pool: &mut Pool,
    ) -> bool {
        self.hold(sequence, payload, Some(after), limits, pool) == Arrival::Held
    }

    /// Segments held.
    pub(crate) fn held_segments(&self) -> usize {
        self.early.len()
    }

    /// The next held segment, where the gap in front of it is closed and the peer's stream, where `peer` says how far
    /// that has come, is no longer behind it. Give its buffer back to the pool.
    pub(crate) fn take_ready(&mut self, limits: HoldLimits, pool: &mut Pool, peer: Option<u32>) -> Option<Vec<u8>> {
        let next = self.next?;
        loop {
            let first = self.early.first()?;
            if let (Some(after), Some(peer)) = (first.after, peer)
                && is_ahead(after, peer)
            {
                return None;
            }
            let behind = next.wrapping_sub(first.sequence);
            if behind >= MAXIMUM_WINDOW {
                return None;
            }
            let mut early = self.early.remove(0);
            self.early_bytes = self.early_bytes.saturating_sub(early.bytes.len());
            self.compare_with_history(early.sequence, &early.bytes);
            let behind = usize::try_from(behind).unwrap_or(usize::MAX);
            if behind < early.bytes.len() {
                early.bytes.drain(..behind);
                self.remember(&early.bytes, limits, pool);
                self.next = Some(next.wrapping_add(length(&early.bytes)));
                return Some(early.bytes);
            }
            pool.give(early.bytes);
        }
    }

    /// Gives up the bytes in front of the first held segment; returns how many are missing.
    pub(crate) fn skip_gap(&mut self) -> Option<u32> {
        let next = self.next?;
        let first = self.early.first()?;
        let missing = first.sequence.wrapping_sub(next);
        self.next = Some(first.sequence);
        Some(missing)
    }

    /// Advances over `count` bytes that were on the wire but not captured (snap length).
    pub(crate) fn skip(&mut self, count: u32) {
        if let Some(next) = &mut self.next {
            *next = next.wrapping_add(count);
        }
    }

    /// Gives every buffer back.
    pub(crate) fn release(&mut self, pool: &mut Pool) {
        for early in self.early.drain(..) {
            pool.give(early.bytes);
        }
        pool.give(std::mem::take(&mut self.history));
        self.early_bytes = 0;
        self.next = None;
        self.conflict = None;
    }

    fn advance<'p>(&mut self, payload: &'p [u8], limits: HoldLimits, pool: &mut Pool) -> Arrival<'p> {
        self.remember(payload, limits, pool);
        self.next = self.next.map(|next| next.wrapping_add(length(payload)));
        Arrival::Next(payload)
    }

    /// Holds a segment that came early. What is already held wins over what comes later.
    fn hold<'p>(
        &mut self,
        sequence: u32,
        payload: &[u8],
        after: Option<u32>,
        limits: HoldLimits,
        pool: &mut Pool,
    ) -> Arrival<'p> {
        if payload.is_empty() {
            return Arrival::Held;
        }
        if self.early.len() >= limits.segments || self.early_bytes.saturating_add(payload.len()) > limits.bytes {
            return Arrival::Full;
        }
        let next = self.next.unwrap_or(sequence);
        let offset = |sequence: u32| sequence.wrapping_sub(next);
        let start = offset(sequence);
        let position = self.early.partition_point(|early| offset(early.sequence) <= start);
        if let Some(early) = position.checked_sub(1).and_then(|index| self.early.get(index)) {
            // The bytes held before this segment's start may reach into it.
            if let Some(differs) = first_difference(early.sequence, &early.bytes, sequence, payload) {
                self.conflict.get_or_insert(differs.wrapping_sub(self.history_start));
            }
            if early.sequence == sequence && early.bytes.len() >= payload.len() {
                return Arrival::Held;
            }
        }
        if let Some(early) = self.early.get(position)
            && let Some(differs) = first_difference(early.sequence, &early.bytes, sequence, payload)
        {
            self.conflict.get_or_insert(differs.wrapping_sub(self.history_start));
        }
        let Some(mut bytes) = pool.take(payload.len()) else { return Arrival::Full };
        bytes.extend_from_slice(payload);
        self.early_bytes = self.early_bytes.saturating_add(payload.len());
        self.early.insert(position, Early { sequence, bytes, after });
        Arrival::Held
    }

    /// Keeps a copy of the start of the stream, so that a retransmission can be compared with it.
    fn remember(&mut self, bytes: &[u8], limits: HoldLimits, pool: &mut Pool) {
        // Bytes are only appended while the history is gapless from its start.
        let Some(next) = self.next else { return };
        if self.history_start.wrapping_add(length(&self.history)) != next {
            return;
        }
        let room = limits.history.saturating_sub(self.history.len());
        let Some(kept) = bytes.get(..room.min(bytes.len())) else { return };
        if kept.is_empty() {
            return;
        }
        if self.history.capacity() == 0 {
            match pool.take_spare(limits.history) {
                Some(buffer) => self.history = buffer,
                None => return,
            }
        }
        self.history.extend_from_slice(kept);
    }

    fn compare_with_history(&mut self, sequence: u32, payload: &[u8]) {
        // A keep-alive probe repeats one byte, and that byte may be garbage (RFC 9293 section 3.8.4).
        if payload.len() <= 1 || self.conflict.is_some() {
            return;
        }
        if let Some(differs) = first_difference(self.history_start, &self.history, sequence, payload) {
            self.conflict = Some(differs.wrapping_sub(self.history_start));
        }
    }
}

/// Whether sequence number `a` lies ahead of `b`, by no more than a window.
pub(crate) const fn is_ahead(a: u32, b: u32) -> bool {
    let ahead = a.wrapping_sub(b);
    ahead != 0 && ahead < MAXIMUM_WINDOW
}

/// The sequence number of the first byte at which two stretches of a stream overlap and differ.
fn first_difference(a_start: u32, a: &[u8], b_start: u32, b: &[u8]) -> Option<u32> {
    let b_ahead = b_start.wrapping_sub(a_start);
    let (skip_a, skip_b, start) =
        if b_ahead < MAXIMUM_WINDOW { (b_ahead, 0, b_start) } else { (0, a_start.wrapping_sub(b_start), a_start) };
    let a = a.get(usize::try_from(skip_a).ok()?..)?;
    let b = b.get(usize::try_from(skip_b).ok()?..)?;
    let common = a.len().min(b.len());
    if a.get(..common) == b.get(..common) {
        return None;
    }
    let at = a.iter().zip(b).position(|(a, b)| a != b)?;
    Some(start.wrapping_add(u32::try_from(at).unwrap_or(u32::MAX)))
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "tests")]
mod tests {
    use super::*;

    const LIMITS: HoldLimits = HoldLimits { bytes: 1000, segments: 16, history: 100 };

    /// Everything the stream delivers for these segments, in this order.
    fn deliver(start: u32, segments: &[(u32, &[u8])]) -> (Vec<u8>, Option<u32>) {
        let mut pool = Pool::new(1 << 20);
        let mut stream = HalfStream::default();
        stream.synchronise(start);
        let mut delivered = Vec::new();
        for (sequence, bytes) in segments {
            if let Arrival::Next(bytes) = stream.accept(*sequence, bytes, LIMITS, &mut pool) {
                delivered.extend_from_slice(bytes);
                while let Some(bytes) = stream.take_ready(LIMITS, &mut pool, None) {
                    delivered.extend_from_slice(&bytes);
                    pool.give(bytes);
                }
            }
        }
        (delivered, stream.conflict())
    }

    #[test]
    fn any_order_of_four_segments_gives_the_same_bytes_across_the_wrap() {
        let start = u32::MAX - 5;
        let whole: Vec<u8> = (0..16).collect();
        let pieces: Vec<(u32, &[u8])> =
            whole.chunks(4).enumerate().map(|(i, c)| (start.wrapping_add(4 * i as u32), c)).collect();
        for code in 0..256_usize {
            let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3];
            let mut segments: Vec<_> = order.iter().map(|i| pieces[*i]).collect();
            segments.extend(&pieces);
            assert_eq!(deliver(start, &segments), (whole.clone(), None), "order {order:?}");
        }
    }

    #[test]
    fn first_bytes_win_and_a_conflict_is_noticed() {
        let (bytes, conflict) = deliver(10, &[(10, b"abcd"), (12, b"XYef")]);
        assert_eq!((bytes.as_slice(), conflict), (&b"abcdef"[..], Some(2)));
        let (bytes, conflict) = deliver(10, &[(12, b"cdef"), (12, b"cXef"), (10, b"ab")]);
        assert_eq!((bytes.as_slice(), conflict), (&b"abcdef"[..], Some(3)));
        let (bytes, conflict) = deliver(10, &[(14, b"ef"), (12, b"cdEf"), (10, b"ab")]);
        assert_eq!((bytes.as_slice(), conflict), (&b"abcdEf"[..], Some(4)));
    }

    #[test]
    fn keep_alive_probes_and_honest_retransmissions_are_no_conflict() {
        let (bytes, conflict) = deliver(10, &[(10, b"abcd"), (13, b"\0"), (10, b"abcdef"), (9, b"?abc")]);
        assert_eq!((bytes.as_slice(), conflict), (&b"abcdef"[..], None));
    }

    #[test]
    fn a_far_segment_is_foreign_and_limits_hold() {
        let mut pool = Pool::new(1 << 20);
        let mut stream = HalfStream::default();
        stream.synchronise(0);
        assert_eq!(stream.accept(1 << 28, b"x", LIMITS, &mut pool), Arrival::Foreign);
        for index in 0..16 {
            assert_eq!(stream.accept(10 + 2 * index, b"x", LIMITS, &mut pool), Arrival::Held);
        }
        assert_eq!(stream.accept(100, b"x", LIMITS, &mut pool), Arrival::Full);
        assert_eq!(stream.skip_gap(), Some(10));
        assert_eq!(stream.take_ready(LIMITS, &mut pool, None).unwrap(), b"x");
    }
}
