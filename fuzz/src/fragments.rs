//! Fragments of one datagram in any order, with overlaps, give the datagram, of which the first bytes to come win, or
//! the reason why not; what they take up is bounded.
//!
//! ```text
//! input = version:u8 length:u16 datagram (offset:u16 length:u16 flags:u8 xor:u8)*
//! ```
//! Each fragment carries that part of the datagram, its bytes changed by `xor`; offset and length as they are, so that
//! they need not fit. Flags: bit 0 says that more follow, bit 1 that this is another datagram, bit 2 that a second has
//! passed.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use handprint::capture::{Frame, LinkType};
use handprint::packet::{Decoder, FragmentLimits, Packet, Transport};
use handprint::stats::{DropReason, Drops};
use handprint::time::Timestamp;

/// Small, so that they are met.
const SMALL: FragmentLimits = FragmentLimits { datagrams: 2, bytes: 4 << 10, age: Duration::from_secs(3) };
/// Large enough for every input, and for its time.
const LARGE: FragmentLimits = FragmentLimits { datagrams: 8, bytes: 64 << 20, age: Duration::from_secs(1 << 30) };

const MAX_DATAGRAM: usize = 65_535;
/// Pieces that handprint keeps of a datagram.
const MAX_PIECES: usize = 1366;

/// Checks fragments against a plain model of a datagram.
pub fn check(data: &[u8]) {
    let Some((&[version, low, high], rest)) = data.split_first_chunk::<3>() else { return };
    let six = version & 1 == 1;
    let length = usize::from(u16::from_le_bytes([low, high])).min(rest.len());
    let (datagram, rest) = rest.split_at(length);
    let mut seconds = 1_795_255_200;
    let (mut large, mut small) = (Decoder::new(LARGE), Decoder::new(SMALL));
    let mut drops = Drops::default();
    let mut models = [Model::default(), Model::default()];
    for (number, fragment) in rest.chunks_exact(6).take(MAX_PIECES).enumerate() {
        let [o0, o1, l0, l1, flags, xor] = *fragment.first_chunk::<6>().expect("six bytes");
        let offset = usize::from(u16::from_le_bytes([o0, o1]) & 0xfff8);
        let size = usize::from(u16::from_le_bytes([l0, l1])) % 2048;
        let payload: Vec<u8> =
            (0..size).map(|at| datagram.get(offset + at).copied().unwrap_or_default() ^ xor).collect();
        let (more, other) = (flags & 1 == 1, usize::from(flags >> 1 & 1));
        seconds += u64::from(flags >> 2 & 1);
        if !more && offset == 0 {
            // Whole as it is.
            continue;
        }
        let bytes = packet(six, Some((offset, more, other as u8)), &payload);
        let frame = Frame {
            timestamp: Timestamp::from_seconds(seconds),
            link_type: LinkType::RAW,
            original_length: bytes.len() as u32,
            bytes: &bytes,
        };
        let decoded = result(large.decode(&frame, &mut drops));
        let expected = match models[other].insert(six, offset, more, &payload) {
            Err(reason) => Err(reason),
            Ok(whole) => {
                let mut decoder = Decoder::new(LARGE);
                if whole.len() + 40 > MAX_DATAGRAM {
                    // No packet of its own could carry it.
                    continue;
                }
                let bytes = packet(six, None, &whole);
                let frame = Frame { bytes: &bytes, original_length: bytes.len() as u32, ..frame };
                result(decoder.decode(&frame, &mut Drops::default()))
            }
        };
        assert_eq!(decoded, expected, "fragment {number}: {size} bytes at {offset}, more {more}");
        let _ = small.decode(&frame, &mut drops);
        assert!(small.fragment_bytes() <= SMALL.bytes, "{} bytes", small.fragment_bytes());
    }
    for mut decoder in [large, small] {
        decoder.finish(&mut drops);
        assert_eq!(decoder.fragment_bytes(), 0);
    }
}

/// A datagram as bytes that have come.
#[derive(Default)]
struct Model {
    bytes: Vec<Option<u8>>,
    total: Option<usize>,
}

impl Model {
    /// Takes a fragment; the datagram where that makes it whole.
    fn insert(&mut self, six: bool, offset: usize, more: bool, payload: &[u8]) -> Result<Vec<u8>, DropReason> {
        let whole_blocks = payload.len() & !7;
        let payload = match more && whole_blocks != payload.len() {
            true if six => return Err(DropReason::MalformedHeader),
            true => &payload[..whole_blocks],
            false => payload,
        };
        let end = offset + payload.len();
        let impossible = end > MAX_DATAGRAM || (payload.is_empty() && more);
        let beyond = self.total.is_some_and(|total| end > total || (!more && end != total));
        if impossible || beyond || (!more && self.bytes.len() > end) {
            return Err(DropReason::MalformedHeader);
        }
        if !more {
            self.total = Some(end);
        }
        self.bytes.resize(self.bytes.len().max(end), None);
        for (slot, byte) in self.bytes[offset..end].iter_mut().zip(payload) {
            slot.get_or_insert(*byte);
        }
        let whole: Option<Vec<u8>> = self.bytes.iter().copied().collect();
        match whole.filter(|whole| self.total == Some(whole.len())) {
            Some(whole) => {
                *self = Self::default();
                Ok(whole)
            }
            None => Err(DropReason::FragmentPending),
        }
    }
}

type Parts = (SocketAddr, SocketAddr, Vec<u8>, u32);

fn result(decoded: Result<Packet<'_>, DropReason>) -> Result<Parts, DropReason> {
    decoded.map(|packet| {
        let (payload, cut) = match packet.transport {
            Transport::Tcp(segment) => (segment.payload, segment.cut),
            Transport::Udp(datagram) => (datagram.payload, datagram.cut),
        };
        (packet.tuple.source, packet.tuple.destination, payload.to_vec(), cut)
    })
}

/// A UDP packet, or a fragment of one: its offset, whether more follow, and of which.
fn packet(six: bool, fragment: Option<(usize, bool, u8)>, payload: &[u8]) -> Vec<u8> {
    const UDP: u8 = 17;
    let mut packet = Vec::with_capacity(48 + payload.len());
    if six {
        let length = payload.len() + if fragment.is_some() { 8 } else { 0 };
        packet.extend([0x60, 0, 0, 0]);
        packet.extend((length as u16).to_be_bytes());
        packet.extend([if fragment.is_some() { 44 } else { UDP }, 64]);
        packet.extend([1, 2].map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).octets()).concat());
        if let Some((offset, more, of)) = fragment {
            packet.extend([UDP, 0]);
            packet.extend((offset as u16 | u16::from(more)).to_be_bytes());
            packet.extend([0, 0, 0, of]);
        }
    } else {
        packet.extend([0x45, 0]);
        packet.extend((20 + payload.len() as u16).to_be_bytes());
        let (place, of) =
            fragment.map_or((0, 0), |(offset, more, of)| ((offset / 8) as u16 | u16::from(more) << 13, of));
        packet.extend([0, of]);
        packet.extend(place.to_be_bytes());
        packet.extend([64, UDP, 0, 0]);
        packet.extend([1, 2].map(|last| Ipv4Addr::new(192, 0, 2, last).octets()).concat());
    }
    packet.extend(payload);
    packet
}
