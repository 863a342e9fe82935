//! [`Buffer`]: the bytes of a stream as they come, compressed or not, with frames borrowed from where they lie.
//!
//! The invariant: `start <= end <= bytes.len()`, and `bytes[start..end]` is what was read and not yet consumed.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use super::BUFFER_LENGTH;
use super::gzip::GzipDecoder;
use super::zstd::ZstdDecoder;

/// A refillable window on a stream.
pub(super) struct Buffer {
    stream: Stream,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl Buffer {
    /// Reads `reader` as it is.
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self::over(Stream::Raw(Raw { reader, bytes_read: 0, failed: false }))
    }

    /// Reads what the gzip members in `self` hold (RFC 1952).
    pub(super) fn gunzip(self) -> Self {
        Self::over(Stream::Gzip(Box::new(GzipDecoder::new(self))))
    }

    /// Reads what the zstd frames in `self` hold (RFC 8878).
    pub(super) fn unzstd(self) -> Self {
        Self::over(Stream::Zstd(Box::new(ZstdDecoder::new(self))))
    }

    fn over(stream: Stream) -> Self {
        Self { stream, bytes: vec![0; BUFFER_LENGTH], start: 0, end: 0, ended: false }
    }

    /// Makes at least `count` bytes available; false when the stream ends before.
    ///
    /// Never reads more than once when one read suffices, so that a pipe's frames come out as they come in.
    #[inline]
    pub(super) fn ensure(&mut self, count: usize) -> io::Result<bool> {
        if self.end.wrapping_sub(self.start) >= count { Ok(true) } else { self.fill(count) }
    }

    /// The bytes read and not yet consumed.
    #[inline]
    pub(super) fn available(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Consumes up to `count` available bytes and says where they lie until the next [`Buffer::ensure`].
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Range<usize> {
        let start = self.start;
        self.start = start.saturating_add(count).min(self.end);
        start..self.start
    }

    /// The bytes a [`Buffer::take`] gave.
    #[inline]
    pub(super) fn taken(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Passes over `count` bytes, however many; false when the stream ends before.
    #[inline]
    pub(super) fn skip(&mut self, count: usize) -> io::Result<bool> {
        let mut left = count;
        loop {
            let taken = self.take(left);
            left = left.saturating_sub(taken.len());
            if left == 0 {
                return Ok(true);
            }
            if !self.ensure(1)? {
                return Ok(false);
            }
        }
    }

    /// Bytes read from the file underneath, before any decompression.
    pub(super) fn bytes_read(&self) -> u64 {
        self.raw().bytes_read
    }

    /// Whether an error came from the file underneath, not from what it holds.
    pub(super) fn file_failed(&self) -> bool {
        self.raw().failed
    }

    fn raw(&self) -> &Raw {
        match &self.stream {
            Stream::Raw(raw) => raw,
            Stream::Gzip(decoder) => decoder.get_ref().raw(),
            Stream::Zstd(decoder) => decoder.get_ref().raw(),
        }
    }

    /// Moves what is left to the front and reads behind it until `count` bytes are there.
    #[cold]
    #[inline(never)]
    fn fill(&mut self, count: usize) -> io::Result<bool> {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.bytes.len() < count {
            self.bytes.resize(count, 0);
        }
        while self.end < count && !self.ended {
            let free = self.bytes.get_mut(self.end..).unwrap_or_default();
            match self.stream.read(free) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end = self.end.saturating_add(read).min(self.bytes.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end >= count)
    }
}

impl Read for Buffer {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(target)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Buffer {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.ensure(1)?;
        Ok(self.available())
    }

    fn consume(&mut self, count: usize) {
        self.take(count);
    }
}

/// What a buffer is filled from.
enum Stream {
    Raw(Raw),
    Gzip(Box<GzipDecoder<Buffer>>),
    Zstd(Box<ZstdDecoder<Buffer>>),
}

impl Read for Stream {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Raw(raw) => raw.read(target),
            Self::Gzip(decoder) => decoder.read(target),
            Self::Zstd(decoder) => decoder.read(target),
        }
    }
}

/// The file itself. Its errors are the operating system's; those of the layers above are about its content.
struct Raw {
    reader: Box<dyn Read + Send>,
    bytes_read: u64,
    failed: bool,
}

impl Read for Raw {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let result = self.reader.read(target);
        match &result {
            Ok(count) => self.bytes_read = self.bytes_read.saturating_add(u64::try_from(*count).unwrap_or(u64::MAX)),
            Err(error) => self.failed = error.kind() != io::ErrorKind::Interrupted,
        }
        result
    }
}
