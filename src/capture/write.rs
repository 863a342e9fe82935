//! [`PcapWriter`]: frames into a capture file, for tests, benchmarks and fuzzing seeds.

use std::io::{self, Write};

use super::{Frame, LinkType, MAX_FRAME_LENGTH};
use crate::time::Timestamp;

/// Writes a pcap file with nanoseconds, little-endian (magic number 0xa1b23c4d).
///
/// It writes each frame with two calls to its writer: give it a buffered one.
#[derive(Debug)]
pub struct PcapWriter<W> {
    writer: W,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header.
    ///
    /// # Errors
    /// The writer's.
    pub fn new(mut writer: W, link_type: LinkType) -> io::Result<Self> {
        let mut header = [0; 24];
        let fields: [&[u8]; 6] = [
            &0xa1b2_3c4d_u32.to_le_bytes(),
            &2_u16.to_le_bytes(),
            &4_u16.to_le_bytes(),
            &[0; 8],
            &u32::try_from(MAX_FRAME_LENGTH).unwrap_or(u32::MAX).to_le_bytes(),
            &u32::from(link_type.0).to_le_bytes(),
        ];
        let mut rest = header.as_mut_slice();
        for field in fields {
            rest.write_all(field)?;
        }
        writer.write_all(&header)?;
        Ok(Self { writer })
    }

    /// Writes a whole frame. Times after 2106 do not fit the format and wrap.
    ///
    /// # Errors
    /// The writer's, and [`io::ErrorKind::InvalidInput`] for more than [`MAX_FRAME_LENGTH`] bytes.
    pub fn write(&mut self, timestamp: Timestamp, bytes: &[u8]) -> io::Result<()> {
        self.write_cut(timestamp, bytes, u32::try_from(bytes.len()).unwrap_or(u32::MAX))
    }

    /// Writes a frame of which `bytes` is what a snap length left of `original_length` bytes.
    ///
    /// # Errors
    /// As [`PcapWriter::write`].
    pub fn write_cut(&mut self, timestamp: Timestamp, bytes: &[u8], original_length: u32) -> io::Result<()> {
        if bytes.len() > MAX_FRAME_LENGTH {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "frame longer than a capture may hold"));
        }
        let seconds = timestamp.as_seconds() & u64::from(u32::MAX);
        let captured = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut header = [0; 16];
        let mut rest = header.as_mut_slice();
        for field in [seconds, timestamp.as_nanos() % 1_000_000_000, captured, u64::from(original_length)] {
            rest.write_all(&u32::try_from(field).unwrap_or(u32::MAX).to_le_bytes())?;
        }
        self.writer.write_all(&header)?;
        self.writer.write_all(bytes)
    }

    /// Writes a frame of another source. Its link type is not looked at: the file has one.
    ///
    /// # Errors
    /// As [`PcapWriter::write`].
    pub fn write_frame(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        self.write_cut(frame.timestamp, frame.bytes, frame.original_length)
    }

    /// Flushes, and gives the writer back.
    ///
    /// # Errors
    /// The writer's.
    pub fn finish(mut self) -> io::Result<W> {
        self.writer.flush()?;
        Ok(self.writer)
    }
}
