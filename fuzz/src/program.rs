//! A byte string as a program that makes packets: small changes to it give reordering, overlaps, gaps, cut frames,
//! fragments, resets, either direction and several flows.
//!
//! ```text
//! program     = limits:u8 instruction*
//! instruction = op:u8 operands           op: bits 0-2 what, 3 direction, 4-5 flow, 6-7 carrier
//!   0 data    length:u16 bytes           the next bytes of the stream, or a datagram
//!   1 again   back:u8 length:u8          bytes sent before, in units of 8
//!   2 changed back:u8 length:u8 at:u8 xor:u8   the same with one byte changed
//!   3 flags   flags:u8                   a segment without payload: SYN, FIN, RST, ACK
//!   4 time    exponent:u8                the clock goes on by 2^(exponent & 31) µs, backwards with the top bit
//!   5 move    by:i16                     the stream's position moves: bytes lost, or sent a second time
//!   6 shape   how:u8                     what happens to the next packet; bits 0-1: 0 comes late, 1 is cut,
//!                                        2 is fragmented, 3 comes twice
//!   7 raw     length:u16 bytes           a frame as it is; the carrier says of which link type
//! ```
//! Numbers are little-endian. An operand that is not there is zero, bytes that are not there are left out: every
//! byte string is a program.
//!
//! Carriers: 0 TCP over IPv4, 1 TCP over IPv6, 2 UDP over IPv4, 3 UDP over IPv6.

use handprint::capture::{Frame, LinkType};
use handprint::packet::TcpFlags;
use handprint::time::Timestamp;

/// What a program may make at most.
const MAX_FRAMES: usize = 1024;

/// How far a stream goes.
const MAX_POSITION: usize = 1 << 18;

/// The longest payload of one packet.
const MAX_PAYLOAD: usize = 0x3fff;

/// 2026-11-21 10:00 UTC.
const BEGINNING: u64 = 1_795_255_200_000_000;

/// A frame that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedFrame {
    pub microseconds: u64,
    pub link_type: LinkType,
    pub bytes: Vec<u8>,
    pub original_length: u32,
}

impl OwnedFrame {
    pub fn ethernet(microseconds: u64, bytes: Vec<u8>) -> Self {
        let original_length = bytes.len() as u32;
        Self { microseconds, link_type: LinkType::ETHERNET, bytes, original_length }
    }

    pub fn lend(&self) -> Frame<'_> {
        Frame {
            timestamp: Timestamp::from_nanos(self.microseconds.saturating_mul(1000)),
            link_type: self.link_type,
            bytes: &self.bytes,
            original_length: self.original_length,
        }
    }
}

/// What one program says.
#[derive(Debug, Default)]
pub struct Program {
    /// The first byte: which limits are small.
    pub limits: u8,
    pub frames: Vec<OwnedFrame>,
}

/// Which of the streams a program writes: carrier, flow, direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Channel {
    pub carrier: u8,
    pub flow: u8,
    pub backwards: bool,
}

impl Channel {
    const COUNT: usize = 32;

    fn of(op: u8) -> Self {
        Self { carrier: op >> 6, flow: op >> 4 & 3, backwards: op & 8 != 0 }
    }

    fn op(self, what: u8) -> u8 {
        self.carrier << 6 | self.flow << 4 | u8::from(self.backwards) << 3 | what
    }

    fn index(self) -> usize {
        usize::from(self.op(0) >> 3)
    }

    fn other(self) -> Self {
        Self { backwards: !self.backwards, ..self }
    }

    fn is_udp(self) -> bool {
        self.carrier & 2 != 0
    }

    fn is_v6(self) -> bool {
        self.carrier & 1 != 0
    }

    /// Ports tell the flows apart; the first is that of HTTPS, the others are those of STARTTLS protocols.
    fn ports(self) -> (u16, u16) {
        let server = match (self.is_udp(), self.flow) {
            (_, 0) => 443,
            (false, 1) => 25,
            (false, 2) => 5432,
            (false, _) => 143,
            (true, 1) => 4433,
            (true, 2) => 3478,
            (true, _) => 5684,
        };
        (40_000 + u16::from(self.flow), server)
    }
}

#[derive(Clone, Debug, Default)]
struct Stream {
    /// The position of the next byte.
    position: usize,
    /// What was sent, by position.
    sent: Vec<u8>,
}

impl Stream {
    fn write(&mut self, bytes: &[u8]) -> usize {
        let at = self.position;
        let end = (at + bytes.len()).min(MAX_POSITION);
        if self.sent.len() < end {
            self.sent.resize(end, 0);
        }
        self.sent[at..end].copy_from_slice(&bytes[..end - at]);
        self.position = end;
        at
    }

    /// Bytes sent before, and where they were.
    fn again(&self, back: u8, length: u8) -> (usize, Vec<u8>) {
        let from = self.position.saturating_sub(usize::from(back) * 8).min(self.sent.len());
        let to = (from + usize::from(length) * 8).min(self.sent.len());
        (from, self.sent[from..to].to_vec())
    }
}

impl Program {
    /// Runs a program.
    pub fn run(data: &[u8]) -> Self {
        let mut reader = Reader(data);
        let mut machine = Machine {
            clock: BEGINNING,
            streams: vec![Stream::default(); Channel::COUNT],
            shape: None,
            late: Vec::new(),
            identification: 0,
            program: Self { limits: reader.u8(), frames: Vec::new() },
        };
        while !reader.0.is_empty() && machine.program.frames.len() < MAX_FRAMES {
            machine.step(&mut reader);
        }
        for (_, frame) in std::mem::take(&mut machine.late) {
            machine.program.frames.push(frame);
        }
        machine.program
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }
}

struct Machine {
    clock: u64,
    streams: Vec<Stream>,
    shape: Option<u8>,
    /// Packets that come after so many others.
    late: Vec<(u8, OwnedFrame)>,
    identification: u16,
    program: Program,
}

impl Machine {
    fn step(&mut self, reader: &mut Reader<'_>) {
        let op = reader.u8();
        let channel = Channel::of(op);
        match op & 7 {
            0 => {
                let length = usize::from(reader.u16()).min(MAX_PAYLOAD);
                let bytes = reader.take(length).to_vec();
                let at = self.streams[channel.index()].write(&bytes);
                self.send(channel, at, 0x18, &bytes);
            }
            what @ (1 | 2) => {
                let (at, mut bytes) = self.streams[channel.index()].again(reader.u8(), reader.u8());
                if what == 2 {
                    let (place, change) = (usize::from(reader.u8()) * 8, reader.u8());
                    let length = bytes.len().max(1);
                    if let Some(byte) = bytes.get_mut(place % length) {
                        *byte ^= change;
                    }
                }
                self.send(channel, at, 0x18, &bytes);
            }
            3 => {
                let at = self.streams[channel.index()].position;
                self.send(channel, at, reader.u8(), &[]);
            }
            4 => {
                let exponent = reader.u8();
                let by = 1_u64 << (exponent & 31);
                self.clock = match exponent & 0x80 {
                    0 => self.clock.saturating_add(by),
                    _ => self.clock.saturating_sub(by),
                };
            }
            5 => {
                let by = reader.u16().cast_signed();
                let stream = &mut self.streams[channel.index()];
                stream.position = stream.position.saturating_add_signed(isize::from(by)).min(MAX_POSITION);
            }
            6 => self.shape = Some(reader.u8()),
            _ => {
                let length = usize::from(reader.u16()).min(MAX_PAYLOAD);
                let bytes = reader.take(length).to_vec();
                let link_type = [LinkType::ETHERNET, LinkType::RAW, LinkType::LINUX_SLL2, LinkType::NULL];
                let mut frame = OwnedFrame::ethernet(self.clock, bytes);
                frame.link_type = link_type[usize::from(channel.carrier)];
                self.deliver(frame);
            }
        }
    }

    fn send(&mut self, channel: Channel, at: usize, flags: u8, payload: &[u8]) {
        self.identification = self.identification.wrapping_add(1);
        let acknowledged = self.streams[channel.other().index()].position;
        let wraps = self.program.limits & 0x80 != 0;
        let (protocol, transport) = if channel.is_udp() {
            (17, udp(channel, payload))
        } else {
            (
                6,
                tcp(
                    channel,
                    sequence(channel, at, flags, wraps),
                    sequence(channel.other(), acknowledged, 0, wraps),
                    flags,
                    payload,
                ),
            )
        };
        match self.shape {
            Some(how) if how & 3 == 2 => {
                let size = (usize::from(how >> 2) + 1) * 8;
                let pieces: Vec<_> = transport.chunks(size).collect();
                let last = pieces.len().saturating_sub(1);
                self.shape = None;
                for (number, piece) in pieces.iter().enumerate() {
                    let fragment = Fragment { offset: number * size, more: number != last, of: self.identification };
                    self.deliver(OwnedFrame::ethernet(self.clock, ip(channel, protocol, piece, Some(fragment))));
                }
            }
            _ => self.deliver(OwnedFrame::ethernet(self.clock, ip(channel, protocol, &transport, None))),
        }
    }

    fn deliver(&mut self, mut frame: OwnedFrame) {
        match self.shape.take() {
            Some(how) if how & 3 == 0 => {
                self.late.push(((how >> 2) + 1, frame));
                return;
            }
            Some(how) if how & 3 == 1 => frame.bytes.truncate(usize::from(how >> 2) * 16),
            Some(how) if how & 3 == 3 => self.program.frames.push(frame.clone()),
            _ => {}
        }
        self.program.frames.push(frame);
        for (after, _) in &mut self.late {
            *after = after.saturating_sub(1);
        }
        while let Some(due) = self.late.iter().position(|(after, _)| *after == 0) {
            let (_, frame) = self.late.remove(due);
            self.program.frames.push(frame);
        }
    }
}

/// Sequence numbers begin anywhere; with `wraps`, so that they pass zero soon. A SYN has the number before the first.
fn sequence(channel: Channel, at: usize, flags: u8, wraps: bool) -> u32 {
    let first = if wraps { 0xffff_ff80 } else { 0x1000_0000 * (1 + u32::from(channel.flow)) };
    let at = first.wrapping_add(at as u32);
    if TcpFlags(flags).syn() { at.wrapping_sub(1) } else { at }
}

fn tcp(channel: Channel, sequence: u32, acknowledgment: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let (source, destination) = directed(channel, channel.ports());
    let mut segment = Vec::with_capacity(20 + payload.len());
    segment.extend(source.to_be_bytes());
    segment.extend(destination.to_be_bytes());
    segment.extend(sequence.to_be_bytes());
    segment.extend(acknowledgment.to_be_bytes());
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    segment
}

fn udp(channel: Channel, payload: &[u8]) -> Vec<u8> {
    let (source, destination) = directed(channel, channel.ports());
    let mut datagram = Vec::with_capacity(8 + payload.len());
    datagram.extend(source.to_be_bytes());
    datagram.extend(destination.to_be_bytes());
    datagram.extend(((8 + payload.len()) as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    datagram
}

#[derive(Clone, Copy)]
struct Fragment {
    offset: usize,
    more: bool,
    of: u16,
}

fn ip(channel: Channel, protocol: u8, payload: &[u8], fragment: Option<Fragment>) -> Vec<u8> {
    let (source, destination) = directed(channel, (1_u8, 2_u8));
    let mut frame = vec![2, 0, 0, 0, 0, destination, 2, 0, 0, 0, 0, source];
    if channel.is_v6() {
        let address = |last| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
        let header = fragment.map(|fragment| {
            let place = (fragment.offset as u16 & !7) | u16::from(fragment.more);
            [&[protocol, 0][..], &place.to_be_bytes(), &[0, 0], &fragment.of.to_be_bytes()].concat()
        });
        let length = payload.len() + header.as_ref().map_or(0, Vec::len);
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend((length as u16).to_be_bytes());
        frame.extend([if header.is_some() { 44 } else { protocol }, 64]);
        frame.extend(address(source));
        frame.extend(address(destination));
        frame.extend(header.into_iter().flatten());
    } else {
        let place =
            fragment.map_or(0x4000, |fragment| (fragment.offset / 8) as u16 & 0x1fff | u16::from(fragment.more) << 13);
        frame.extend([8, 0, 0x45, 0]);
        frame.extend(((20 + payload.len()) as u16).to_be_bytes());
        frame.extend(fragment.map_or(0, |fragment| fragment.of).to_be_bytes());
        frame.extend(place.to_be_bytes());
        frame.extend([64, protocol, 0, 0, 192, 0, 2, source, 192, 0, 2, destination]);
    }
    frame.extend(payload);
    frame
}

fn directed<T>(channel: Channel, (client, server): (T, T)) -> (T, T) {
    if channel.backwards { (server, client) } else { (client, server) }
}

/// Writes programs, for seeds.
#[derive(Clone, Debug)]
pub struct Assembler {
    program: Vec<u8>,
    positions: Vec<i64>,
}

impl Assembler {
    pub fn new(limits: u8) -> Self {
        Self { program: vec![limits], positions: vec![0; Channel::COUNT] }
    }

    /// `bytes` at `position` of the stream.
    pub fn data(&mut self, channel: Channel, position: i64, bytes: &[u8]) {
        let stream = &mut self.positions[channel.index()];
        let by = i16::try_from(position - *stream).unwrap_or_default();
        if by != 0 {
            self.program.push(channel.op(5));
            self.program.extend(by.to_le_bytes());
        }
        *stream += i64::from(by) + bytes.len() as i64;
        self.program.push(channel.op(0));
        self.program.extend((bytes.len() as u16).to_le_bytes());
        self.program.extend(bytes);
    }

    pub fn flags(&mut self, channel: Channel, flags: u8) {
        self.program.extend([channel.op(3), flags]);
    }

    pub fn shape(&mut self, how: u8) {
        self.program.extend([6, how]);
    }

    pub fn again(&mut self, channel: Channel, back: u8, length: u8, change: Option<(u8, u8)>) {
        match change {
            None => self.program.extend([channel.op(1), back, length]),
            Some((at, xor)) => self.program.extend([channel.op(2), back, length, at, xor]),
        }
    }

    pub fn time(&mut self, exponent: u8) {
        self.program.extend([4, exponent]);
    }

    pub fn raw(&mut self, carrier: u8, bytes: &[u8]) {
        self.program.push(carrier << 6 | 7);
        self.program.extend((bytes.len() as u16).to_le_bytes());
        self.program.extend(bytes);
    }

    pub fn finish(self) -> Vec<u8> {
        self.program
    }
}
