//! The pcap format and its dialects (draft-ietf-opsawg-pcap).
//!
//! `pcap-parser` is not used here but held against this reader in its tests: it does not know the big-endian
//! modified dialect or Ixia's, and a length past any limit means "read more" to it, where the limit has to be
//! applied before. What remains of a record is four integers.

use super::buffer::Buffer;
use super::endian::Endian;
use super::source::{DamageKind, Record, Refusal, Stop};
use super::{LinkType, MAX_FRAME_LENGTH};
use crate::time::Timestamp;

const FILE_HEADER_LENGTH: usize = 24;

/// Magic numbers and what they say of the file behind them.
const DIALECTS: [Dialect; 5] = [
    Dialect { magic: 0xa1b2_c3d4, nanos: 1_000, record_header_length: 16, extra_header_length: 0 },
    Dialect { magic: 0xa1b2_3c4d, nanos: 1, record_header_length: 16, extra_header_length: 0 },
    // Kuznetzov's "modified" pcap: interface index, protocol and packet type behind the usual record header.
    Dialect { magic: 0xa1b2_cd34, nanos: 1_000, record_header_length: 24, extra_header_length: 0 },
    // Ixia's hardware and software captures: the size of all records behind the file header.
    Dialect { magic: 0x1c00_01ac, nanos: 1_000, record_header_length: 16, extra_header_length: 4 },
    Dialect { magic: 0x1c00_01ab, nanos: 1_000, record_header_length: 16, extra_header_length: 4 },
];

struct Dialect {
    magic: u32,
    /// Nanoseconds in a unit of a record's fraction of a second.
    nanos: u32,
    record_header_length: usize,
    extra_header_length: usize,
}

/// A pcap file behind its header.
pub(super) struct Pcap {
    endian: Endian,
    link_type: LinkType,
    nanos: u32,
    record_header_length: usize,
}

impl Pcap {
    /// Reads the file header; `None` when the file begins with none of pcap's magic numbers.
    pub(super) fn begin(buffer: &mut Buffer) -> Result<Option<Self>, Refusal> {
        let Some((endian, dialect)) = buffer.available().first_chunk().and_then(dialect) else { return Ok(None) };
        if !buffer.ensure(FILE_HEADER_LENGTH.saturating_add(dialect.extra_header_length))? {
            return Err(Refusal::Found(format!("a pcap file header cut after {} bytes", buffer.available().len())));
        }
        let [_, _, _, _, _, network] = endian.u32s(buffer.available()).unwrap_or_default();
        buffer.take(FILE_HEADER_LENGTH.saturating_add(dialect.extra_header_length));
        // The upper half says whether and how long a frame check sequence is: decoders go by the IP lengths.
        let [.., high, low] = network.to_be_bytes();
        let link_type = LinkType::from_file(u16::from_be_bytes([high, low]));
        let Dialect { nanos, record_header_length, .. } = *dialect;
        Ok(Some(Self { endian, link_type, nanos, record_header_length }))
    }

    /// The next record. The snap length of the file header is not believed: many writers get it wrong.
    #[inline]
    pub(super) fn next_record(&mut self, buffer: &mut Buffer) -> Result<Record, Stop> {
        if !buffer.ensure(self.record_header_length)? {
            return Err(Stop::short(buffer, "packet header"));
        }
        let [seconds, fraction, captured, original] = self.endian.u32s(buffer.available()).unwrap_or_default();
        let length = usize::try_from(captured).unwrap_or(usize::MAX);
        if length > MAX_FRAME_LENGTH {
            return Err(Stop::Damage(DamageKind::FrameLength { length: captured }));
        }
        if seconds == 0 && fraction == 0 && captured == 0 && original == 0 {
            self.reject_zeros(buffer)?;
        }
        let total = self.record_header_length.saturating_add(length);
        if !buffer.ensure(total)? {
            let held = buffer.available().len().saturating_sub(self.record_header_length);
            return Err(Stop::Damage(DamageKind::CutFrame { held, length }));
        }
        buffer.take(self.record_header_length);
        let nanos = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * u64::from(self.nanos);
        Ok(Record {
            timestamp: Timestamp::from_nanos(nanos),
            link_type: self.link_type,
            original_length: original.max(captured),
            bytes: buffer.take(length),
        })
    }

    /// A hole in a file reads as empty frames without end: two such headers in a row, or one at the end, are no frames.
    #[cold]
    fn reject_zeros(&self, buffer: &mut Buffer) -> Result<(), Stop> {
        let two_headers = self.record_header_length.saturating_mul(2);
        buffer.ensure(two_headers)?;
        if buffer.available().iter().take(two_headers).all(|byte| *byte == 0) {
            return Err(Stop::Damage(DamageKind::Zeros));
        }
        Ok(())
    }
}

/// The dialect and byte order that a file's first four bytes announce.
fn dialect(magic: &[u8; 4]) -> Option<(Endian, &'static Dialect)> {
    [Endian::Little, Endian::Big].into_iter().find_map(|endian| {
        let number = endian.u32(*magic);
        DIALECTS.iter().find(|dialect| dialect.magic == number).map(|dialect| (endian, dialect))
    })
}
