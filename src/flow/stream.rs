//! [`RecordLayer`]: one direction of a TLS connection, from bytes in order to handshake messages.
//!
//! Messages that lie whole in the bytes at hand are handled in place. Only what is cut is copied: the few bytes of a
//! record header, and the part of a message that has come so far.

use super::facts::Side;
use super::handshake::{Handshake, HelloCut, Shared};
use super::pool::Pool;
use crate::cursor::ParseError;
use crate::time::Timestamp;
use crate::tls::codepoints::{AlertDescription, ProtocolVersion};
use crate::tls::handshake::{HandshakeHeader, Message, message_type};
use crate::tls::record::{RecordHeader, content_type};
use crate::tls::sslv2::{Sslv2ClientHello, Sslv2ServerHello};

/// Longest alert, ChangeCipherSpec or the like that is waited for whole, in bytes; a longer one is encrypted.
const SMALL_RECORD: usize = 64;
/// Room for a record header and a small record.
const TAIL: usize = RecordHeader::SIZE + SMALL_RECORD;

/// Bytes by which the first message behind an SSLv2 hello is told.
const FOREIGN_HEAD: usize = 6;

/// How the bytes of a direction are framed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Nothing has come yet.
    #[default]
    Unknown,
    /// TLS records.
    Records,
    /// An SSLv2 record; TLS records may follow it.
    SslV2,
    /// Bytes are missing and the next record boundary is not known: it is looked for where a segment begins.
    Lost,
    /// No record begins where one must, though no byte is missing: the next header of the same version is looked for,
    /// byte by byte.
    Broken,
    /// Not TLS.
    Foreign,
}

/// What handling bytes needs from around it.
pub(crate) struct Surroundings<'a> {
    pub(crate) now: Timestamp,
    pub(crate) shared: &'a mut Shared,
    pub(crate) pool: &'a mut Pool,
    /// Longest handshake message followed, in bytes.
    pub(crate) message_limit: usize,
}

/// Packets whose bytes were held until it could be told what they are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pieces {
    count: u16,
    smallest: u16,
}

impl Pieces {
    /// Counts a packet of `length` bytes.
    pub(crate) fn add(&mut self, length: usize) {
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        self.smallest = if self.count == 0 { length } else { self.smallest.min(length) };
        self.count = self.count.saturating_add(1);
    }
}

/// One direction's records and messages.
#[derive(Default)]
pub(crate) struct RecordLayer {
    pub(crate) framing: Framing,
    /// The start of a record that cannot be handled yet.
    tail: Tail,
    /// Bytes of the current record still to come.
    remaining: usize,
    /// The current record holds handshake bytes to be read; all others are passed over.
    reading: bool,
    /// Handshake bytes of a message that is not whole yet.
    message: Vec<u8>,
    /// Bytes were missing.
    gapped: bool,
    /// Bytes that are not TLS have been looked at.
    foreign_seen: bool,
    /// A message was given up for its length.
    pub(crate) too_long: bool,
    /// Bytes were given up for want of buffers.
    pub(crate) starved: bool,
    record_version: ProtocolVersion,
    /// Of the last record of any type.
    last_version: ProtocolVersion,
    records: u16,
    packets: u16,
    smallest_packet: u16,
}

#[derive(Clone, Copy)]
struct Tail {
    bytes: [u8; TAIL],
    length: usize,
}

impl Default for Tail {
    fn default() -> Self {
        Self { bytes: [0; TAIL], length: 0 }
    }
}

impl Tail {
    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Appends what fits; returns how much that is.
    fn append(&mut self, bytes: &[u8]) -> usize {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        let count = room.len().min(bytes.len());
        for (slot, byte) in room.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        self.length = self.length.saturating_add(count);
        count
    }
}

impl RecordLayer {
    /// Takes the next bytes in order.
    pub(crate) fn deliver(
        &mut self,
        mut bytes: &[u8],
        from: Side,
        handshake: &mut Handshake,
        around: &mut Surroundings<'_>,
    ) {
        self.packets = self.packets.saturating_add(1);
        let packet = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        while !bytes.is_empty() {
            if self.tail.length == 0 {
                let used = self.read(bytes, from, handshake, around);
                self.tail.append(bytes.get(used..).unwrap_or_default());
                break;
            }
            // A record began in an earlier packet: join its start with what has come now.
            let before = self.tail.length;
            let appended = self.tail.append(bytes);
            let joined = self.tail;
            self.tail.length = 0;
            let used = self.read(joined.filled(), from, handshake, around);
            if used < before {
                // Still not enough; what was appended stays.
                self.tail = joined;
                bytes = bytes.get(appended..).unwrap_or_default();
                if appended == 0 {
                    self.framing = Framing::Lost;
                    self.tail.length = 0;
                }
            } else {
                bytes = bytes.get(used.saturating_sub(before)..).unwrap_or_default();
            }
        }
        if self.is_mid_message() {
            self.smallest_packet = if self.smallest_packet == 0 { packet } else { self.smallest_packet.min(packet) };
        } else {
            self.packets = 0;
            self.smallest_packet = 0;
        }
    }

    /// The bytes delivered next came in more packets than one.
    pub(crate) const fn held_back(&mut self, pieces: Pieces) {
        self.packets = pieces.count.saturating_sub(1);
        self.smallest_packet = pieces.smallest;
    }

    /// Passes over `missing` bytes that never came.
    pub(crate) fn gap(&mut self, missing: u32, handshake: &mut Handshake, pool: &mut Pool) {
        let missing_bytes = usize::try_from(missing).unwrap_or(usize::MAX);
        if self.reading || self.tail.length > 0 || self.remaining == 0 || self.remaining < missing_bytes {
            let coverage = &mut handshake.facts.coverage;
            coverage.missing_bytes = coverage.missing_bytes.saturating_add(missing);
        }
        pool.give(std::mem::take(&mut self.message));
        self.records = 0;
        self.gapped = true;
        let in_sync = self.tail.length == 0 && self.remaining >= missing_bytes && self.framing == Framing::Records;
        self.tail.length = 0;
        self.reading = false;
        if in_sync {
            self.remaining = self.remaining.saturating_sub(missing_bytes);
        } else {
            self.remaining = 0;
            if !matches!(self.framing, Framing::Broken | Framing::Foreign) {
                self.framing = Framing::Lost;
            }
        }
    }

    /// Gives every buffer back.
    pub(crate) fn release(&mut self, pool: &mut Pool) {
        pool.give(std::mem::take(&mut self.message));
        *self = Self::default();
    }

    /// Whether any byte has come.
    pub(crate) fn has_begun(&self) -> bool {
        self.framing != Framing::Unknown || self.is_mid_message()
    }

    /// Whether the next byte must begin a record.
    pub(crate) const fn awaits_record(&self) -> bool {
        self.remaining == 0 && self.tail.length == 0 && !matches!(self.framing, Framing::SslV2)
    }

    fn is_mid_message(&self) -> bool {
        !self.message.is_empty() || self.tail.length > 0
    }

    /// Handles as much of `bytes` as can be; returns how much that was. What is left is the start of a record, short
    /// enough for the tail.
    fn read(&mut self, bytes: &[u8], from: Side, handshake: &mut Handshake, around: &mut Surroundings<'_>) -> usize {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.is_empty() {
                return used;
            }
            match self.framing {
                Framing::Foreign if !self.foreign_seen && rest.len() < FOREIGN_HEAD => return used,
                Framing::Foreign => {
                    handshake.opaque(from, rest, !std::mem::replace(&mut self.foreign_seen, true));
                    return bytes.len();
                }
                Framing::Broken => {
                    let (skipped, found) = find_header(rest, self.last_version);
                    used = used.saturating_add(skipped);
                    if !found {
                        return used;
                    }
                    self.framing = Framing::Records;
                    continue;
                }
                Framing::SslV2 => {
                    used = used.saturating_add(self.read_sslv2(rest, from, handshake, around));
                    continue;
                }
                Framing::Unknown | Framing::Records | Framing::Lost => {}
            }
            if self.remaining > 0 {
                let (body, _) = rest.split_at_checked(self.remaining).unwrap_or((rest, &[]));
                self.remaining = self.remaining.saturating_sub(body.len());
                used = used.saturating_add(body.len());
                if self.reading {
                    self.handshake_bytes(body, from, handshake, around);
                }
                continue;
            }
            if handshake.is_followed_enough() {
                // Where that is decided by records, bytes behind them in the same segment tell nothing either.
                return bytes.len();
            }
            let header = match RecordHeader::parse(rest) {
                Ok(header) => header,
                Err(ParseError::Incomplete { .. }) if self.framing != Framing::Lost => return used,
                Err(ParseError::Incomplete { .. }) => return bytes.len(),
                Err(ParseError::Invalid { .. }) => {
                    match self.framing {
                        Framing::Unknown if may_be_sslv2(rest, from) => self.framing = Framing::SslV2,
                        Framing::Unknown => self.framing = Framing::Foreign,
                        _ if self.gapped => {
                            self.framing = Framing::Lost;
                            return bytes.len();
                        }
                        _ => {
                            self.framing = Framing::Broken;
                            around.pool.give(std::mem::take(&mut self.message));
                        }
                    }
                    continue;
                }
            };
            self.framing = Framing::Records;
            self.last_version = header.version;
            let Some(after_header) = rest.get(RecordHeader::SIZE..) else { return used };
            let length = usize::from(header.length);
            let encrypted = handshake.is_encrypted(from);
            self.reading = false;
            if !self.message.is_empty() && header.content_type != content_type::HANDSHAKE {
                let error = ParseError::Invalid {
                    structure: "handshake message",
                    reason: "another record comes before its end",
                };
                handshake.problem(from, error, self.message.len());
                self.give_up_message(around.pool);
            }
            match header.content_type {
                content_type::HANDSHAKE if !encrypted => {
                    self.reading = true;
                    self.records = self.records.saturating_add(1);
                    if self.message.is_empty() {
                        self.record_version = header.version;
                    }
                }
                content_type::ALERT | content_type::CHANGE_CIPHER_SPEC | content_type::HEARTBEAT
                    if length <= SMALL_RECORD =>
                {
                    let Some(body) = after_header.get(..length) else { return used };
                    small_record(header.content_type, body, encrypted, from, handshake);
                }
                content_type::HEARTBEAT if !encrypted => {
                    let Some(start) = after_header.first_chunk::<3>() else { return used };
                    handshake.heartbeat(from, start, header.length);
                }
                other => handshake.encrypted_record(from, other, header.length),
            }
            self.remaining = length;
            used = used.saturating_add(RecordHeader::SIZE);
        }
    }

    /// Handles the handshake bytes of a record.
    fn handshake_bytes(&mut self, body: &[u8], from: Side, handshake: &mut Handshake, around: &mut Surroundings<'_>) {
        if self.message.is_empty() {
            let rest = self.messages(body, from, handshake, around);
            self.hold(rest, around);
            return;
        }
        if !around.pool.grow(&mut self.message, body) {
            self.starved = true;
            self.give_up_message(around.pool);
            return;
        }
        let held = std::mem::take(&mut self.message);
        let rest = self.messages(&held, from, handshake, around).len();
        if rest == held.len() {
            self.message = held;
        } else {
            let rest = held.get(held.len().saturating_sub(rest)..).unwrap_or_default();
            self.hold(rest, around);
            around.pool.give(held);
        }
    }

    /// Handles every whole message at the start of `bytes`; returns what is left: the start of one that is followed.
    fn messages<'b>(
        &mut self,
        mut bytes: &'b [u8],
        from: Side,
        handshake: &mut Handshake,
        around: &mut Surroundings<'_>,
    ) -> &'b [u8] {
        while let Ok(header) = HandshakeHeader::parse(bytes) {
            if let Some(reason) = refusal(header, around.message_limit) {
                self.too_long = header.message_length() > around.message_limit;
                let error = ParseError::Invalid { structure: "handshake message", reason };
                handshake.problem(from, error, header.message_length());
                self.reading = false;
                return &[];
            }
            let Ok((message, rest)) = Message::first(bytes) else { break };
            let cut = HelloCut {
                record_version: Some(self.record_version),
                records: self.records.max(1),
                packets: self.packets.max(1),
                smallest_packet: self.smallest_packet,
            };
            handshake.message(from, message, cut, around.now, around.shared);
            // The next message begins in this record, where that goes on.
            self.records = u16::from(!rest.is_empty() || self.remaining > 0);
            self.packets = 1;
            self.smallest_packet = 0;
            bytes = rest;
        }
        bytes
    }

    fn hold(&mut self, rest: &[u8], around: &mut Surroundings<'_>) {
        if rest.is_empty() {
            return;
        }
        if !around.pool.grow(&mut self.message, rest) {
            self.starved = true;
            self.give_up_message(around.pool);
        }
    }

    fn give_up_message(&mut self, pool: &mut Pool) {
        pool.give(std::mem::take(&mut self.message));
        self.reading = false;
    }

    /// Handles SSLv2 records: the hello of a client that may go on with TLS records, or an SSLv2 server's.
    fn read_sslv2(
        &mut self,
        bytes: &[u8],
        from: Side,
        handshake: &mut Handshake,
        around: &mut Surroundings<'_>,
    ) -> usize {
        if !around.pool.grow(&mut self.message, bytes) {
            self.starved = true;
            self.give_up_message(around.pool);
            self.framing = Framing::Foreign;
            return bytes.len();
        }
        let held = std::mem::take(&mut self.message);
        let cut = HelloCut {
            record_version: None,
            records: 1,
            packets: self.packets.max(1),
            smallest_packet: self.smallest_packet,
        };
        let result = match from {
            Side::Client => Sslv2ClientHello::first(&held).map(|(hello, rest)| {
                let length = held.len().saturating_sub(rest.len());
                handshake.sslv2_client_hello(&hello, length, cut, around.now, around.shared);
                rest.len()
            }),
            Side::Server => Sslv2ServerHello::first(&held).map(|(hello, rest)| {
                handshake.sslv2_server_hello(&hello, around.shared);
                rest.len()
            }),
        };
        let unread = match result {
            Ok(unread) => unread,
            Err(ParseError::Incomplete { .. }) => {
                self.message = held;
                return bytes.len();
            }
            Err(ParseError::Invalid { .. }) => {
                // It only began like one. Behind the hellos of an SSLv2 connection come messages of its own.
                self.framing = Framing::Foreign;
                if held.len() < FOREIGN_HEAD {
                    self.tail.append(&held);
                } else {
                    self.foreign_seen = true;
                    handshake.opaque(from, &held, true);
                }
                around.pool.give(held);
                return bytes.len();
            }
        };
        self.framing = Framing::Unknown;
        around.pool.give(held);
        self.packets = 1;
        bytes.len().saturating_sub(unread)
    }
}

/// How many bytes stand in front of the next record header of `version`, and whether that is there whole; where it is
/// not, in front of what may be its start.
fn find_header(bytes: &[u8], version: ProtocolVersion) -> (usize, bool) {
    let [major, minor] = version.0.to_be_bytes();
    let may_begin = |rest: &[u8]| {
        let expected = [(20, 23), (major, major), (minor, minor), (0, 0x41)];
        rest.iter().zip(expected).all(|(byte, (least, most))| (least..=most).contains(byte))
    };
    let mut tails = (0..bytes.len()).filter_map(|at| Some((at, bytes.get(at..)?)));
    let found = tails.find(|(_, rest)| may_begin(rest));
    found.map_or((bytes.len(), false), |(at, rest)| (at, rest.len() >= RecordHeader::SIZE))
}

/// Why a message is not followed, whole or not.
fn refusal(header: HandshakeHeader, limit: usize) -> Option<&'static str> {
    if header.message_length() > limit {
        Some("longer than the limit")
    } else if message_type::name(header.message_type).is_none() {
        Some("of no known type")
    } else {
        None
    }
}

/// Whether `bytes`, the first of a direction, begin an SSLv2 hello.
fn may_be_sslv2(bytes: &[u8], from: Side) -> bool {
    let result = match from {
        Side::Client => Sslv2ClientHello::first(bytes).map(drop),
        Side::Server => Sslv2ServerHello::first(bytes).map(drop),
    };
    !matches!(result, Err(ParseError::Invalid { .. }))
}

/// An alert, a ChangeCipherSpec or a short heartbeat, whole.
fn small_record(content_type: u8, body: &[u8], encrypted: bool, from: Side, handshake: &mut Handshake) {
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
    match content_type {
        content_type::CHANGE_CIPHER_SPEC => handshake.change_cipher_spec(from),
        content_type::ALERT if !encrypted && body.len().is_multiple_of(2) => {
            for alert in body.chunks_exact(2).take(4) {
                if let [level @ 1..=2, description] = alert {
                    handshake.alert(from, *level, AlertDescription(*description));
                }
            }
        }
        content_type::HEARTBEAT if !encrypted => handshake.heartbeat(from, body, length),
        other => handshake.encrypted_record(from, other, length),
    }
}
