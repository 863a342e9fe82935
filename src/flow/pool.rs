//! [`Pool`]: byte buffers used again, under one bound; [`Ledger`]: what else is held, counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Largest buffer kept for reuse, in bytes; a larger one is freed when it comes back.
const KEPT_CAPACITY: usize = 64 << 10;

/// Buffers kept for reuse.
const KEPT_BUFFERS: usize = 1024;

/// Lends byte buffers and takes them back. Bounds how many bytes are lent at once.
pub(crate) struct Pool {
    spare: Vec<Vec<u8>>,
    lent: usize,
    limit: usize,
}

impl Pool {
    /// A pool that lends at most `limit` bytes of capacity at once.
    pub(crate) const fn new(limit: usize) -> Self {
        Self { spare: Vec::new(), lent: 0, limit }
    }

    /// An empty buffer with room for `size` bytes, or `None` at the limit. Growing it further is the caller's to
    /// bound: see [`Pool::grow`].
    pub(crate) fn take(&mut self, size: usize) -> Option<Vec<u8>> {
        if self.lent.saturating_add(size) > self.limit {
            return None;
        }
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.reserve(size);
        self.lent = self.lent.saturating_add(buffer.capacity());
        Some(buffer)
    }

    /// As [`Pool::take`], for what is only good to have: refused when half of the limit is lent.
    pub(crate) fn take_spare(&mut self, size: usize) -> Option<Vec<u8>> {
        if self.lent > self.limit / 2 { None } else { self.take(size) }
    }

    /// Appends `bytes` to a lent buffer; `false`, and nothing done, at the limit.
    pub(crate) fn grow(&mut self, buffer: &mut Vec<u8>, bytes: &[u8]) -> bool {
        if buffer.capacity() == 0 {
            match self.take(bytes.len()) {
                Some(taken) => *buffer = taken,
                None => return false,
            }
        }
        let before = buffer.capacity();
        if buffer.len().saturating_add(bytes.len()) > before && self.lent.saturating_add(bytes.len()) > self.limit {
            return false;
        }
        buffer.extend_from_slice(bytes);
        self.lent = self.lent.saturating_add(buffer.capacity().saturating_sub(before));
        true
    }

    /// Makes a lent buffer `length` bytes long with zeros; `false`, and nothing done, at the limit.
    pub(crate) fn lengthen(&mut self, buffer: &mut Vec<u8>, length: usize) -> bool {
        let more = length.saturating_sub(buffer.len());
        if buffer.capacity() == 0 {
            match self.take(length) {
                Some(taken) => *buffer = taken,
                None => return false,
            }
        }
        let before = buffer.capacity();
        if length > before && self.lent.saturating_add(more) > self.limit {
            return false;
        }
        if more > 0 {
            buffer.resize(length, 0);
        }
        self.lent = self.lent.saturating_add(buffer.capacity().saturating_sub(before));
        true
    }

    /// Takes a buffer back.
    pub(crate) fn give(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() == 0 {
            return;
        }
        self.lent = self.lent.saturating_sub(buffer.capacity());
        if buffer.capacity() <= KEPT_CAPACITY && self.spare.len() < KEPT_BUFFERS {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// Counts memory held elsewhere that has grown or shrunk from `before` to `after` bytes; whether the limit holds.
    pub(crate) const fn recharge(&mut self, before: usize, after: usize) -> bool {
        self.lent = self.lent.saturating_sub(before).saturating_add(after);
        self.lent <= self.limit
    }

    /// Bytes of capacity lent now.
    pub(crate) const fn lent(&self) -> usize {
        self.lent
    }
}

/// Counts the bytes of things that several flows may share, each as long as anybody holds its [`Charge`].
#[derive(Default)]
pub(crate) struct Ledger(Arc<AtomicUsize>);

/// Stands for bytes that are held.
pub(crate) struct Charge {
    bytes: usize,
    ledger: Arc<AtomicUsize>,
}

impl Ledger {
    /// Counts `bytes` until the charge is gone.
    pub(crate) fn charge(&self, bytes: usize) -> Arc<Charge> {
        // One engine is one thread: the counter is atomic so that the engine can be sent to it.
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Arc::new(Charge { bytes, ledger: Arc::clone(&self.0) })
    }

    /// Bytes held now.
    pub(crate) fn total(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Charge {
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.ledger.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
