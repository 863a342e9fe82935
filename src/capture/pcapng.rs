//! The pcapng format (draft-ietf-opsawg-pcapng).
//!
//! Blocks are walked here; `pcap-parser` is held against this reader in its tests. Version 0.17 of it takes a packet
//! longer than its own block for one that wants more input, reads `if_tsoffset` as little-endian always, knows no
//! binary `if_tsresol`, refuses a block for one bad option, knows no Packet Block, needs a whole block in memory to
//! skip it, and allocates a list for every packet that carries options.

use super::buffer::Buffer;
use super::endian::Endian;
use super::source::{DamageKind, Record, Refusal, Stop};
use super::{LinkType, MAX_BLOCK_LENGTH, MAX_FRAME_LENGTH, MAX_INTERFACES};
use crate::time::Timestamp;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 0x0000_0001;
const PACKET: u32 = 0x0000_0002;
const SIMPLE_PACKET: u32 = 0x0000_0003;
const ENHANCED_PACKET: u32 = 0x0000_0006;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Type and length in front of a block's body, and the length again behind it.
const BLOCK_HEADER_LENGTH: usize = 8;
const BLOCK_TRAILER_LENGTH: usize = 4;

/// Interface, two halves of a time, captured and original length.
const PACKET_HEADER_LENGTH: usize = 20;

/// Bytes of an interface's description that are looked at; options past them are as good as absent.
const MAX_INTERFACE_LENGTH: usize = 65_536;

const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

/// A pcapng file, from its first section header.
pub(super) struct Pcapng {
    endian: Endian,
    interfaces: Vec<Interface>,
    /// The time of the last packet that had one: Simple Packet Blocks have none.
    last: Timestamp,
    /// The block that is being read.
    block: Block,
}

/// A block: its length as its header gives it, and the bytes of it not yet passed, with the trailer.
#[derive(Clone, Copy, Default)]
struct Block {
    length: u32,
    left: usize,
}

impl Pcapng {
    /// Reads the first section header; `None` when the file does not begin with one.
    pub(super) fn begin(buffer: &mut Buffer) -> Result<Option<Self>, Refusal> {
        if buffer.available().first_chunk() != Some(&SECTION_HEADER.to_be_bytes()) {
            return Ok(None);
        }
        let mut file =
            Self { endian: Endian::Little, interfaces: Vec::new(), last: Timestamp::ZERO, block: Block::default() };
        match file.begin_block(buffer).and_then(|_| file.begin_section(buffer)) {
            Ok(()) => Ok(Some(file)),
            Err(Stop::Read(error)) => Err(Refusal::Read(error)),
            Err(Stop::End | Stop::Damage(DamageKind::Cut { .. })) => {
                Err(Refusal::Found("a pcapng section header cut short".to_owned()))
            }
            Err(Stop::Damage(_)) => Err(Refusal::Found("a damaged pcapng section header".to_owned())),
        }
    }

    /// The next packet, whatever its block.
    #[inline]
    pub(super) fn next_record(&mut self, buffer: &mut Buffer) -> Result<Record, Stop> {
        loop {
            self.finish_block(buffer)?;
            match self.begin_block(buffer)? {
                ENHANCED_PACKET => return self.packet(buffer, |_, interface| interface),
                // The interface shares its word with a drop count.
                PACKET => {
                    return self.packet(buffer, |endian, word| {
                        let [a, b, c, d] = word.to_be_bytes();
                        u32::from(if endian == Endian::Big {
                            u16::from_be_bytes([a, b])
                        } else {
                            u16::from_be_bytes([c, d])
                        })
                    });
                }
                SIMPLE_PACKET => return self.simple_packet(buffer),
                INTERFACE_DESCRIPTION => self.interface(buffer)?,
                SECTION_HEADER => self.begin_section(buffer)?,
                // Names, statistics, secrets, custom and unknown blocks.
                _ => {}
            }
        }
    }

    /// Passes what is left of the last block and holds its two lengths against each other.
    #[inline]
    fn finish_block(&mut self, buffer: &mut Buffer) -> Result<(), Stop> {
        let Block { length, left } = std::mem::take(&mut self.block);
        if left == 0 {
            return Ok(());
        }
        if !buffer.skip(left.saturating_sub(BLOCK_TRAILER_LENGTH))? || !buffer.ensure(BLOCK_TRAILER_LENGTH)? {
            return Err(Stop::Damage(DamageKind::Cut { structure: "block" }));
        }
        let trailer = buffer.available().first_chunk().map(|trailer| self.endian.u32(*trailer));
        if trailer != Some(length) {
            return Err(Stop::Damage(DamageKind::BlockTrailer { length }));
        }
        buffer.take(BLOCK_TRAILER_LENGTH);
        Ok(())
    }

    /// Reads a block's type and length. A section header's byte order is read on the way, for it rules its length.
    #[inline]
    fn begin_block(&mut self, buffer: &mut Buffer) -> Result<u32, Stop> {
        if !buffer.ensure(BLOCK_HEADER_LENGTH)? {
            return Err(Stop::short(buffer, "block header"));
        }
        let [mut kind, mut length] = self.endian.u32s(buffer.available()).unwrap_or_default();
        if kind == SECTION_HEADER {
            if !buffer.ensure(BLOCK_HEADER_LENGTH.saturating_add(4))? {
                return Err(Stop::short(buffer, "block header"));
            }
            self.endian = match Endian::Little.u32s(buffer.available()) {
                Some([_, _, BYTE_ORDER_MAGIC]) => Endian::Little,
                Some([_, _, magic]) if magic.swap_bytes() == BYTE_ORDER_MAGIC => Endian::Big,
                _ => return Err(Stop::Damage(DamageKind::Section)),
            };
            [kind, length] = self.endian.u32s(buffer.available()).unwrap_or_default();
        }
        let left = usize::try_from(length).unwrap_or(usize::MAX).checked_sub(BLOCK_HEADER_LENGTH);
        match left {
            Some(left) if left >= BLOCK_TRAILER_LENGTH && length <= MAX_BLOCK_LENGTH => {
                buffer.take(BLOCK_HEADER_LENGTH);
                self.block = Block { length, left };
                Ok(kind)
            }
            _ => Err(Stop::Damage(DamageKind::BlockLength { length })),
        }
    }

    /// Bytes of the block's body not yet passed.
    #[inline]
    const fn body_left(&self) -> usize {
        self.block.left.saturating_sub(BLOCK_TRAILER_LENGTH)
    }

    /// Section Header Block: forgets the interfaces of the section before.
    fn begin_section(&mut self, buffer: &mut Buffer) -> Result<(), Stop> {
        if self.body_left() < 16 {
            return Err(Stop::Damage(DamageKind::BlockLength { length: self.block.length }));
        }
        if !buffer.ensure(8)? {
            return Err(Stop::short(buffer, "section header"));
        }
        let major = buffer.available().get(4..6).and_then(<[u8]>::first_chunk).map(|bytes| self.endian.u16(*bytes));
        if major != Some(1) {
            return Err(Stop::Damage(DamageKind::Section));
        }
        self.interfaces.clear();
        Ok(())
    }

    /// Interface Description Block.
    fn interface(&mut self, buffer: &mut Buffer) -> Result<(), Stop> {
        let wanted = self.body_left().min(MAX_INTERFACE_LENGTH);
        if !buffer.ensure(wanted)? {
            return Err(Stop::short(buffer, "interface description"));
        }
        let body = buffer.available().get(..wanted).unwrap_or_default();
        let Some(interface) = Interface::parse(body, self.endian) else {
            return Err(Stop::Damage(DamageKind::BlockLength { length: self.block.length }));
        };
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(Stop::Damage(DamageKind::Interfaces));
        }
        self.interfaces.push(interface);
        Ok(())
    }

    /// Enhanced Packet Block, and the obsolete Packet Block, which differs in its first word.
    #[inline]
    fn packet(&mut self, buffer: &mut Buffer, interface: impl Fn(Endian, u32) -> u32) -> Result<Record, Stop> {
        if !buffer.ensure(PACKET_HEADER_LENGTH)? {
            return Err(Stop::short(buffer, "packet header"));
        }
        let [number, high, low, captured, original] = self.endian.u32s(buffer.available()).unwrap_or_default();
        let Some(room) = self.body_left().checked_sub(PACKET_HEADER_LENGTH) else {
            return Err(Stop::Damage(DamageKind::BlockLength { length: self.block.length }));
        };
        let number = interface(self.endian, number);
        let interface = usize::try_from(number).ok().and_then(|number| self.interfaces.get(number));
        let Some(&Interface { link_type, clock, .. }) = interface else {
            return Err(Stop::Damage(DamageKind::NoInterface { number }));
        };
        let length = usize::try_from(captured).unwrap_or(usize::MAX);
        if length > MAX_FRAME_LENGTH || length > room {
            return Err(Stop::Damage(DamageKind::FrameLength { length: captured }));
        }
        self.last = clock.time(u64::from(high) << 32 | u64::from(low));
        self.record(buffer, PACKET_HEADER_LENGTH, length, original, link_type)
    }

    /// Simple Packet Block: no time, the first interface, and cut at that interface's snap length.
    fn simple_packet(&mut self, buffer: &mut Buffer) -> Result<Record, Stop> {
        if !buffer.ensure(4)? {
            return Err(Stop::short(buffer, "packet header"));
        }
        let [original] = self.endian.u32s(buffer.available()).unwrap_or_default();
        let Some(room) = self.body_left().checked_sub(4) else {
            return Err(Stop::Damage(DamageKind::BlockLength { length: self.block.length }));
        };
        let Some(&Interface { link_type, snap_length, .. }) = self.interfaces.first() else {
            return Err(Stop::Damage(DamageKind::NoInterface { number: 0 }));
        };
        let captured = if snap_length == 0 { original } else { original.min(snap_length) };
        let length = usize::try_from(captured).unwrap_or(usize::MAX).min(room);
        if length > MAX_FRAME_LENGTH {
            return Err(Stop::Damage(DamageKind::FrameLength { length: captured }));
        }
        self.record(buffer, 4, length, original, link_type)
    }

    /// Takes a packet's header and bytes; padding and options are left to [`Pcapng::finish_block`].
    #[inline]
    fn record(
        &mut self,
        buffer: &mut Buffer,
        header_length: usize,
        length: usize,
        original: u32,
        link_type: LinkType,
    ) -> Result<Record, Stop> {
        let total = header_length.saturating_add(length);
        if !buffer.ensure(total)? {
            let held = buffer.available().len().saturating_sub(header_length);
            return Err(Stop::Damage(DamageKind::CutFrame { held, length }));
        }
        buffer.take(header_length);
        self.block.left = self.block.left.saturating_sub(total);
        let original_length = original.max(u32::try_from(length).unwrap_or(u32::MAX));
        Ok(Record { timestamp: self.last, link_type, original_length, bytes: buffer.take(length) })
    }
}

/// What an Interface Description Block says of the packets that name it.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link_type: LinkType,
    /// Zero where there is no limit.
    snap_length: u32,
    clock: Clock,
}

impl Interface {
    /// `None` when the fixed part is cut. Options end where they stop making sense.
    fn parse(body: &[u8], endian: Endian) -> Option<Self> {
        let (fixed, mut options) = body.split_first_chunk::<8>()?;
        let [a, b, _, _, snap @ ..] = *fixed;
        let mut clock = Clock { unit: Unit::Multiple(1_000), offset: 0 };
        while let Some(([a, b, c, d], rest)) = options.split_first_chunk::<4>() {
            let (code, length) = (endian.u16([*a, *b]), usize::from(endian.u16([*c, *d])));
            let Some((value, rest)) = rest.split_at_checked(length) else { break };
            match (code, value) {
                (0, _) => break,
                (IF_TSRESOL, [resolution]) => clock.unit = Unit::from_resolution(*resolution),
                (IF_TSOFFSET, value) => {
                    if let Ok(seconds) = value.try_into() {
                        clock.offset = endian.i64(seconds).saturating_mul(1_000_000_000);
                    }
                }
                _ => {}
            }
            options = rest.get(length.next_multiple_of(4).saturating_sub(length)..).unwrap_or_default();
        }
        Some(Self { link_type: LinkType::from_file(endian.u16([a, b])), snap_length: endian.u32(snap), clock })
    }
}

/// How an interface counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    unit: Unit,
    /// Nanoseconds to add, saturated: 292 years either way.
    offset: i64,
}

/// The length of one count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Whole nanoseconds.
    Multiple(u64),
    /// A whole part of a nanosecond.
    Fraction(u64),
    /// A power of two of a second.
    Binary(u8),
}

impl Unit {
    /// Reads `if_tsresol` (section 4.2): a power of ten or, with the top bit, of two.
    const fn from_resolution(resolution: u8) -> Self {
        match resolution {
            exponent @ 0..=9 => Self::Multiple(10_u64.pow(9 - exponent as u32)),
            exponent @ 10..=28 => Self::Fraction(10_u64.pow(exponent as u32 - 9)),
            // So fine that 64 bits of it are less than a nanosecond.
            29..=0x7f => Self::Fraction(u64::MAX),
            exponent => Self::Binary(exponent & 0x7f),
        }
    }
}

impl Clock {
    /// The time of a count, saturating at the ends of what a [`Timestamp`] holds.
    #[inline]
    fn time(self, count: u64) -> Timestamp {
        let nanos = match self.unit {
            Unit::Multiple(nanos) => count.saturating_mul(nanos),
            Unit::Fraction(parts) => count.checked_div(parts).unwrap_or(0),
            Unit::Binary(exponent) => {
                u64::try_from((u128::from(count) * 1_000_000_000) >> exponent).unwrap_or(u64::MAX)
            }
        };
        Timestamp::from_nanos(nanos.saturating_add_signed(self.offset))
    }
}
