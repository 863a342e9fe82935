//! [`Assembly`]: a message or a stretch of a stream, put together from pieces that name their offset.
//!
//! QUIC CRYPTO frames and DTLS fragments come in any order, twice, and overlapping. The first bytes win; a piece that
//! says otherwise is noted by its offset.

use smallvec::SmallVec;

use super::pool::Pool;

/// Pieces with gaps between them that are kept apart; what would make one more is not taken.
const MAXIMUM_GAPS: usize = 1024;

/// Bytes with their places, from offset 0.
#[derive(Default)]
pub(crate) struct Assembly {
    bytes: Vec<u8>,
    /// The stretches that are there: sorted, apart from one another.
    ranges: SmallVec<[(usize, usize); 2]>,
    conflict: Option<usize>,
}

impl Assembly {
    /// Puts `piece` at `offset`. `false` where it would end past `limit`, or no memory or place for it is left.
    pub(crate) fn place(&mut self, offset: usize, piece: &[u8], limit: usize, pool: &mut Pool) -> bool {
        let Some(end) = offset.checked_add(piece.len()).filter(|end| *end <= limit) else { return false };
        if piece.is_empty() {
            return true;
        }
        let in_order = offset == self.bytes.len() && self.ranges.last().is_none_or(|(_, last)| *last == offset);
        if in_order && (offset == 0 || !self.ranges.is_empty()) {
            if !pool.grow(&mut self.bytes, piece) {
                return false;
            }
            match self.ranges.last_mut() {
                Some((_, last)) => *last = end,
                None => self.ranges.push((offset, end)),
            }
            return true;
        }
        if self.ranges.len() >= MAXIMUM_GAPS {
            return false;
        }
        if end > self.bytes.len() && !pool.lengthen(&mut self.bytes, end) {
            return false;
        }
        self.fill(offset, end, piece);
        self.cover(offset, end);
        true
    }

    /// The bytes from the start up to the first gap.
    pub(crate) fn contiguous(&self) -> &[u8] {
        match self.ranges.first() {
            Some((0, end)) => self.bytes.get(..*end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Bytes that have come.
    pub(crate) fn present(&self) -> usize {
        self.ranges.iter().map(|(start, end)| end.saturating_sub(*start)).sum()
    }

    /// Bytes missing in front of the last that has come.
    pub(crate) fn missing(&self) -> usize {
        self.bytes.len().saturating_sub(self.present())
    }

    /// Where the first byte lies that a later piece contradicted.
    pub(crate) const fn conflict(&self) -> Option<usize> {
        self.conflict
    }

    /// Gives the buffer back.
    pub(crate) fn release(&mut self, pool: &mut Pool) {
        pool.give(std::mem::take(&mut self.bytes));
        self.ranges.clear();
    }

    /// Copies what is new of a piece and compares what is not.
    fn fill(&mut self, offset: usize, end: usize, piece: &[u8]) {
        let mut at = offset;
        let part = |from: usize, to: usize| piece.get(from.saturating_sub(offset)..to.saturating_sub(offset));
        let first = self.ranges.partition_point(|(_, finish)| *finish <= offset);
        for (start, finish) in self.ranges.iter().skip(first).take_while(|(start, _)| *start < end) {
            if at < *start {
                copy(&mut self.bytes, at, part(at, *start));
                at = *start;
            }
            let until = end.min(*finish);
            if let (Some(old), Some(new)) = (self.bytes.get(at..until), part(at, until))
                && old != new
                && self.conflict.is_none()
            {
                let differs = old.iter().zip(new).position(|(old, new)| old != new).unwrap_or_default();
                self.conflict = Some(at.saturating_add(differs));
            }
            at = until;
        }
        if at < end {
            copy(&mut self.bytes, at, part(at, end));
        }
    }

    /// Adds a stretch to those that are there.
    fn cover(&mut self, offset: usize, end: usize) {
        let first = self.ranges.partition_point(|(_, finish)| *finish < offset);
        let behind = self.ranges.partition_point(|(start, _)| *start <= end);
        if behind > first {
            let start = self.ranges.get(first).map_or(offset, |(start, _)| (*start).min(offset));
            let finish =
                behind.checked_sub(1).and_then(|last| self.ranges.get(last)).map_or(end, |(_, f)| (*f).max(end));
            if let Some(range) = self.ranges.get_mut(first) {
                *range = (start, finish);
            }
            self.ranges.drain(first.saturating_add(1)..behind);
        } else {
            self.ranges.insert(first, (offset, end));
        }
    }
}

fn copy(bytes: &mut [u8], at: usize, piece: Option<&[u8]>) {
    let Some(piece) = piece else { return };
    if let Some(room) = bytes.get_mut(at..at.saturating_add(piece.len())) {
        room.copy_from_slice(piece);
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn assemble(pieces: &[(usize, &[u8])]) -> (Vec<u8>, Option<usize>, usize) {
        let mut pool = Pool::new(1 << 20);
        let mut assembly = Assembly::default();
        for (offset, piece) in pieces {
            assert!(assembly.place(*offset, piece, 1000, &mut pool));
        }
        let result = (assembly.contiguous().to_vec(), assembly.conflict(), assembly.missing());
        assembly.release(&mut pool);
        assert_eq!(pool.lent(), 0);
        result
    }

    #[test]
    fn any_order_of_overlapping_pieces_gives_the_same_bytes() {
        let whole: Vec<u8> = (0..20).collect();
        let cuts: [(usize, usize); 5] = [(0, 7), (4, 9), (9, 10), (8, 17), (16, 20)];
        let mut order = [0, 1, 2, 3, 4];
        permute(&mut order, 0, &mut |order| {
            let pieces: Vec<_> = order.iter().map(|cut| (cuts[*cut].0, &whole[cuts[*cut].0..cuts[*cut].1])).collect();
            assert_eq!(assemble(&pieces), (whole.clone(), None, 0), "{order:?}");
        });
    }

    fn permute(order: &mut [usize; 5], from: usize, each: &mut dyn FnMut(&[usize; 5])) {
        if from == order.len() {
            return each(order);
        }
        for other in from..order.len() {
            order.swap(from, other);
            permute(order, from + 1, each);
            order.swap(from, other);
        }
    }

    #[test]
    fn first_bytes_win_and_a_conflict_is_noticed() {
        assert_eq!(assemble(&[(0, b"abcd"), (2, b"XYef")]), (b"abcdef".to_vec(), Some(2), 0));
        assert_eq!(assemble(&[(4, b"ef"), (2, b"cdEf"), (0, b"ab")]), (b"abcdef".to_vec(), Some(4), 0));
        assert_eq!(assemble(&[(4, b"ef"), (0, b"abcdef"), (0, b"abcdef")]), (b"abcdef".to_vec(), None, 0));
    }

    #[test]
    fn gaps_are_seen_and_limits_hold() {
        assert_eq!(assemble(&[(4, b"ef"), (0, b"ab")]), (b"ab".to_vec(), None, 2));
        assert_eq!(assemble(&[(4, b"ef")]), (Vec::new(), None, 4));
        let mut pool = Pool::new(100);
        let mut assembly = Assembly::default();
        assert!(!assembly.place(990, &[0; 20], 1000, &mut pool));
        assert!(!assembly.place(usize::MAX, b"a", usize::MAX, &mut pool));
        assert!(!assembly.place(900, b"a", 1000, &mut pool), "the pool is too small");
        assert!(assembly.place(0, b"a", 1000, &mut pool));
    }

    #[test]
    fn single_bytes_with_gaps_are_bounded() {
        let mut pool = Pool::new(1 << 20);
        let mut assembly = Assembly::default();
        let taken = (0..4000).filter(|index| assembly.place(2 * index + 1, b"x", 10_000, &mut pool)).count();
        assert_eq!(taken, MAXIMUM_GAPS);
    }
}
