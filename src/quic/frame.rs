//! Frames that Initial packets may hold (RFC 9000 sections 12.4 and 19).

use super::Version;
use super::varint::{read_length, read_varint};
use crate::cursor::{Cursor, ParseError};

/// Walks the frames of a packet. After the first that does not hold it ends.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    cursor: Cursor<'a>,
    google: bool,
    /// The payload ends where a snap length did.
    cut: bool,
    /// The last frame ended there.
    short: bool,
}

/// A frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// PADDING: so many of them in a row.
    Padding(usize),
    /// PING.
    Ping,
    /// ACK.
    Ack(Ack),
    /// CRYPTO: bytes of the handshake.
    Crypto {
        /// Where in the handshake's bytes they begin.
        offset: u64,
        /// The bytes.
        data: &'a [u8],
    },
    /// CONNECTION_CLOSE.
    ConnectionClose(ConnectionClose<'a>),
}

/// An ACK frame (RFC 9000 section 19.3). The ranges are checked, not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The largest packet number acknowledged.
    pub largest: u64,
    /// Ranges of packet numbers, the first included.
    pub ranges: u64,
    /// Whether counts of ECN marks follow.
    pub ecn: bool,
}

/// A CONNECTION_CLOSE frame (RFC 9000 section 19.19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionClose<'a> {
    /// The error; `0x0100` to `0x01ff` carry a TLS alert.
    pub error_code: u64,
    /// The type of the frame that caused it; 0 where it is not known.
    pub frame_type: u64,
    /// Why, in words, if anything.
    pub reason: &'a [u8],
}

impl ConnectionClose<'_> {
    /// The TLS alert the error stands for (RFC 9001 section 4.8).
    #[must_use]
    pub fn alert(&self) -> Option<u8> {
        match self.error_code.to_be_bytes() {
            [0, 0, 0, 0, 0, 0, 1, alert] => Some(alert),
            _ => None,
        }
    }
}

impl<'a> Frames<'a> {
    /// Starts at the first frame of a packet of this version.
    #[must_use]
    pub const fn new(version: Version, payload: &'a [u8]) -> Self {
        Self { cursor: Cursor::new(payload), google: version.is_google(), cut: false, short: false }
    }

    /// As [`Self::new`], for a packet whose end was not captured: of a CRYPTO frame that is cut the bytes that are
    /// there, and then the error.
    #[must_use]
    pub const fn of_cut_packet(version: Version, payload: &'a [u8]) -> Self {
        Self { cut: true, ..Self::new(version, payload) }
    }

    fn read(&mut self) -> Result<Frame<'a>, ParseError> {
        if self.google {
            return self.google();
        }
        let cursor = &mut self.cursor;
        Ok(match read_varint(cursor, "frame type")? {
            0x00 => padding(cursor)?,
            0x01 => Frame::Ping,
            0x02 => Frame::Ack(ack(cursor, false)?),
            0x03 => Frame::Ack(ack(cursor, true)?),
            0x06 => self.crypto()?,
            0x1c => {
                let error_code = read_varint(cursor, "CONNECTION_CLOSE frame")?;
                let frame_type = read_varint(cursor, "CONNECTION_CLOSE frame")?;
                let length = read_length(cursor, "CONNECTION_CLOSE frame")?;
                let reason = cursor.take(length, "CONNECTION_CLOSE frame")?;
                Frame::ConnectionClose(ConnectionClose { error_code, frame_type, reason })
            }
            _ => return Err(OTHER_FRAME),
        })
    }

    /// A frame of Google's QUIC in its last versions, which had CRYPTO frames, and all others as before.
    fn google(&mut self) -> Result<Frame<'a>, ParseError> {
        let cursor = &mut self.cursor;
        Ok(match cursor.u8("frame type")? {
            0x00 => padding(cursor)?,
            0x07 => Frame::Ping,
            0x08 => self.crypto()?,
            kind @ 0x40..=0x7f => Frame::Ack(google_ack(cursor, kind)?),
            _ => return Err(OTHER_FRAME),
        })
    }

    fn crypto(&mut self) -> Result<Frame<'a>, ParseError> {
        let cursor = &mut self.cursor;
        let offset = read_varint(cursor, CRYPTO)?;
        let length = read_length(cursor, CRYPTO)?;
        self.short = self.cut && length > cursor.remaining();
        let data = if self.short { cursor.rest() } else { cursor.take(length, CRYPTO)? };
        Ok(Frame::Crypto { offset, data })
    }
}

const CRYPTO: &str = "CRYPTO frame";

const OTHER_FRAME: ParseError =
    ParseError::Invalid { structure: "Initial packet", reason: "frame of another packet type" };

const CUT: ParseError = ParseError::Invalid { structure: CRYPTO, reason: "goes past the end of what was captured" };

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.cursor.is_empty() {
            return std::mem::take(&mut self.short).then_some(Err(CUT));
        }
        let frame = self.read();
        if frame.is_err() {
            self.cursor.rest();
        }
        Some(frame)
    }
}

/// An ACK frame `01ntllmm`: `n` more than one range, `ll` and `mm` the widths of packet numbers and of ranges.
fn google_ack(cursor: &mut Cursor<'_>, kind: u8) -> Result<Ack, ParseError> {
    const STRUCTURE: &str = "ACK frame";
    let width = |bits: u8| [1, 2, 4, 6].get(usize::from(bits & 3)).copied().unwrap_or_default();
    let (number, range) = (width(kind >> 2), width(kind));
    let largest = cursor.take(number, STRUCTURE)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    cursor.u16(STRUCTURE)?;
    let more = if kind & 0x20 == 0 { 0 } else { usize::from(cursor.u8(STRUCTURE)?) };
    cursor.take(range, STRUCTURE)?;
    cursor.take(more.saturating_mul(range.saturating_add(1)), STRUCTURE)?;
    let timestamps = usize::from(cursor.u8(STRUCTURE)?);
    if let Some(after_first) = timestamps.checked_sub(1) {
        cursor.take(after_first.saturating_mul(3).saturating_add(5), STRUCTURE)?;
    }
    Ok(Ack { largest, ranges: u64::try_from(more).unwrap_or(u64::MAX).saturating_add(1), ecn: false })
}

fn padding<'a>(cursor: &mut Cursor<'a>) -> Result<Frame<'a>, ParseError> {
    let rest = cursor.peek();
    let more = rest.iter().position(|byte| *byte != 0).unwrap_or(rest.len());
    cursor.take(more, "PADDING frame")?;
    Ok(Frame::Padding(more.saturating_add(1)))
}

fn ack(cursor: &mut Cursor<'_>, ecn: bool) -> Result<Ack, ParseError> {
    const STRUCTURE: &str = "ACK frame";
    const BELOW_ZERO: ParseError = ParseError::Invalid { structure: STRUCTURE, reason: "range below packet number 0" };
    let largest = read_varint(cursor, STRUCTURE)?;
    read_varint(cursor, STRUCTURE)?;
    let count = read_varint(cursor, STRUCTURE)?;
    let first = read_varint(cursor, STRUCTURE)?;
    let mut smallest = largest.checked_sub(first).ok_or(BELOW_ZERO)?;
    // Each range takes two bytes at least, so that a lie about their number ends with the packet.
    for _ in 0..count {
        let gap = read_varint(cursor, STRUCTURE)?;
        let length = read_varint(cursor, STRUCTURE)?;
        smallest = smallest
            .checked_sub(gap)
            .and_then(|smallest| smallest.checked_sub(2))
            .and_then(|smallest| smallest.checked_sub(length))
            .ok_or(BELOW_ZERO)?;
    }
    if ecn {
        for _ in 0..3 {
            read_varint(cursor, STRUCTURE)?;
        }
    }
    Ok(Ack { largest, ranges: count.saturating_add(1), ecn })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(payload: &[u8]) -> Vec<Result<Frame<'_>, ParseError>> {
        Frames::new(Version::V1, payload).collect()
    }

    #[test]
    fn reads_every_frame_an_initial_may_hold() {
        let payload = [
            &[0, 0, 0, 1][..],
            &[2, 0x40, 100, 5, 2, 3, 0, 1, 4, 2],
            &[3, 9, 0, 0, 9, 1, 2, 3],
            &[6, 0x44, 0x00, 3, b'a', b'b', b'c'],
            &[0x1c, 0x41, 0x28, 6, 2, b'n', b'o', 0],
        ]
        .concat();
        let close = ConnectionClose { error_code: 0x128, frame_type: 6, reason: b"no" };
        assert_eq!(
            all(&payload),
            [
                Ok(Frame::Padding(3)),
                Ok(Frame::Ping),
                Ok(Frame::Ack(Ack { largest: 100, ranges: 3, ecn: false })),
                Ok(Frame::Ack(Ack { largest: 9, ranges: 1, ecn: true })),
                Ok(Frame::Crypto { offset: 0x400, data: b"abc" }),
                Ok(Frame::ConnectionClose(close)),
                Ok(Frame::Padding(1)),
            ]
        );
        assert_eq!(close.alert(), Some(40));
        assert_eq!(ConnectionClose { error_code: 0x0a, ..close }.alert(), None);
    }

    #[test]
    fn google_numbers_crypto_8() {
        let payload = [
            0x40, 1, 0, 0, 1, 0, 8, 0, 2, b'h', b'i', 7, 0x61, 1, 0, 0, 1, 5, 1, 9, 2, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 0,
        ];
        let frames: Vec<_> = Frames::new(Version(0x5430_3531), &payload).collect();
        let acks = [Ack { largest: 1, ranges: 1, ecn: false }, Ack { largest: 1, ranges: 2, ecn: false }];
        let [first, second] = acks.map(|ack| Ok(Frame::Ack(ack)));
        let crypto = Ok(Frame::Crypto { offset: 0, data: b"hi" });
        assert_eq!(frames, [first, crypto, Ok(Frame::Ping), second, Ok(Frame::Padding(1))]);
        assert!(matches!(all(&[8, 0, 2, 1, 1]).as_slice(), [Err(ParseError::Invalid { .. })]));
    }

    #[test]
    fn rejects_other_frames_and_ranges_below_zero() {
        for payload in [&[0x08, 0, 1][..], &[2, 5, 0, 0, 6], &[2, 5, 0, 1, 2, 1, 1], &[0x1d, 0, 0]] {
            assert!(matches!(all(payload).as_slice(), [Err(ParseError::Invalid { .. })]), "{payload:?}");
        }
    }

    #[test]
    fn gives_what_is_there_of_a_cut_crypto_frame() {
        let payload = [1, 6, 0, 4, b'a', b'b'];
        assert!(matches!(all(&payload).as_slice(), [Ok(Frame::Ping), Err(_)]));
        let frames: Vec<_> = Frames::of_cut_packet(Version::V1, &payload).collect();
        let crypto = Ok(Frame::Crypto { offset: 0, data: b"ab" });
        assert!(matches!(&*frames, [Ok(Frame::Ping), second, Err(_)] if *second == crypto), "{frames:?}");
        let whole = [&payload[..], b"cd"].concat();
        assert!(Frames::of_cut_packet(Version::V1, &whole).eq(Frames::new(Version::V1, &whole)));
    }

    #[test]
    fn every_truncation_ends_with_one_error_or_none() {
        let payload = [1, 2, 0x40, 100, 5, 2, 3, 0, 1, 4, 2, 6, 0, 3, 1, 2, 3, 0x1c, 0x41, 0x28, 6, 2, 7, 7];
        for length in 0..payload.len() {
            let frames = all(payload.get(..length).unwrap_or_default());
            assert!(frames.iter().rev().skip(1).all(Result::is_ok), "{length}");
        }
        assert!(matches!(all(&[2, 5, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]).as_slice(), [Err(_)]));
    }
}
