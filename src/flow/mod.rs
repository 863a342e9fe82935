//! Flows: from packets to the facts of a handshake.
//!
//! `FlowTable` keeps one entry for each flow in which a handshake is, or may be, under way, and for finished ones a
//! small mark so that late packets start nothing. All memory is bounded by [`Limits`]; what goes over is given up
//! oldest first, and counted.

mod assembly;
pub(crate) mod cache;
mod dtls;
pub mod facts;
mod handshake;
mod offers;
mod pool;
mod quic;
mod reassembly;
mod stream;
mod tcp;
mod udp;
#[cfg(test)]
mod udp_tests;

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::time::Duration;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

pub use facts::{Carrier, Facts, Offer, Outcome, Selection, Side};

use self::dtls::DtlsFlow;
use self::handshake::{End, Shared};
use self::pool::Pool;
use self::quic::QuicFlow;
use self::reassembly::HoldLimits;
use self::tcp::{Mark, Sender, TcpFlow, TcpLimits};
use self::udp::UdpShared;
use crate::packet::{FiveTuple, FlowKey, Packet, Segment, Transport};
use crate::starttls::{self, Peer};
use crate::stats::{DropReason, Drops};
use crate::time::Timestamp;
use crate::tls::sniff::{Sniff, sniff, sniff_start};

/// Bounds of one engine. Times are packet time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Flows in the table: opening, in a handshake, or finished.
    pub flows: usize,
    /// Flows with a handshake in progress (about 1.5 KiB each without their buffers).
    pub handshakes: usize,
    /// Bytes of all buffers together: early segments, messages that are not whole, remembered starts of streams; and
    /// the hellos and certificates that handshakes in progress have shown, the remembered ones among them.
    pub buffer_bytes: usize,
    /// Bytes of early segments a direction.
    pub early_bytes: usize,
    /// Early segments a direction.
    pub early_segments: usize,
    /// Longest handshake message followed, in bytes.
    pub message_bytes: usize,
    /// Bytes remembered from the start of the client's direction, to compare retransmissions with; of the server's a
    /// quarter as many.
    pub history_bytes: usize,
    /// A flow that has only been opened is forgotten after this long without a packet.
    pub opening_timeout: Duration,
    /// A handshake is given up after this long without a packet.
    pub handshake_timeout: Duration,
    /// A finished flow is forgotten after this long without a packet.
    pub finished_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows: 1 << 20,
            handshakes: 1 << 18,
            buffer_bytes: 256 << 20,
            early_bytes: 128 << 10,
            early_segments: 64,
            message_bytes: 128 << 10,
            history_bytes: 2 << 10,
            opening_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(60),
            finished_timeout: Duration::from_secs(3600),
        }
    }
}

/// How long an entry waits in the queue before it is looked at again.
const REVISIT: Duration = Duration::from_secs(5);

/// How far ahead of a connection's first byte a segment may lie and still be held for it, in bytes.
const FARTHEST: u32 = 1 << 20;

/// The part of the buffers that a generation of a cache may be: there are two caches of two generations.
const CACHES: usize = 8;

/// Entries a queue may hold beyond twice the live ones before the dead are cleared out of it.
const SLACK: usize = 1024;

/// How many flows are looked at for a finished one when the table is full.
const PASSED_OVER: u32 = 8;

/// The flows of one engine.
pub(crate) struct FlowTable {
    index: HashTable<u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Entries in the order in which they are to be looked at for their age.
    queue: VecDeque<Visit>,
    /// Handshakes in the order in which they began: (the clock then, slot, generation).
    open: VecDeque<(Timestamp, u32, u32)>,
    /// The time of the last [`FlowTable::advance`]: unlike that of packets it is the same for all engines that share a
    /// capture.
    clock: Timestamp,
    handshakes: usize,
    /// Handshakes ever begun: numbers them.
    begun: u32,
    hasher: foldhash::fast::RandomState,
    shared: Shared,
    pool: Pool,
    limits: Limits,
    tcp_limits: TcpLimits,
    /// Used flows, to be used again with the memory they hold.
    #[expect(clippy::vec_box, reason = "a flow moves between here and its slot without being copied")]
    spare: Vec<Box<TcpFlow>>,
    udp: UdpShared,
}

struct Visit {
    due: Timestamp,
    slot: u32,
    generation: u32,
}

struct Slot {
    key: FlowKey,
    last: Timestamp,
    generation: u32,
    /// The number of the handshake in it.
    handshake: u32,
    state: State,
}

enum State {
    Free,
    /// A TCP connection that is being opened.
    Opening(Opening),
    Handshake(Box<TcpFlow>),
    Quic(Box<QuicFlow>),
    Dtls(Box<DtlsFlow>),
    /// TLS records without their handshake, seen in one segment so far, which began here.
    Midstream {
        sequence: u32,
    },
    /// Its record is written.
    Finished(Mark),
}

/// What is known of a TCP connection before any of its bytes is looked at.
#[derive(Clone, Copy, Default)]
struct Opening {
    /// The sequence numbers of both first bytes.
    first: [Option<u32>; 2],
    /// Who opened it.
    opener: Option<u8>,
    /// The TTL of the answer to that; 0 where it was not seen.
    ttl: u8,
    /// The client has begun with none of what is followed: the answer alone is of interest.
    asked: bool,
}

impl Opening {
    /// How far `sequence` from endpoint `source` is ahead of its first byte, modulo 2^32, where that byte's is known.
    fn ahead(&self, sequence: u32, source: usize) -> Option<u32> {
        self.first.get(source).copied().flatten().map(|first| sequence.wrapping_sub(first))
    }
}

/// A TCP segment on its way through the table.
struct Arriving<'a, 'p> {
    packet: &'a Packet<'p>,
    segment: &'a Segment<'p>,
    /// The endpoint that sent it: 0 is the one with the lower address.
    source: usize,
    /// The hash of the flow's key.
    hash: u64,
    drops: &'a mut Drops,
    finished: &'a mut dyn FnMut(&Facts),
}

impl State {
    /// Whether a handshake is being followed.
    const fn is_handshake(&self) -> bool {
        matches!(self, Self::Handshake(_) | Self::Quic(_) | Self::Dtls(_))
    }
}

impl FlowTable {
    pub(crate) fn new(limits: Limits) -> Self {
        let tcp_limits = TcpLimits {
            hold: HoldLimits {
                bytes: limits.early_bytes,
                segments: limits.early_segments,
                history: limits.history_bytes,
            },
            message: limits.message_bytes,
        };
        Self {
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            queue: VecDeque::new(),
            open: VecDeque::new(),
            clock: Timestamp::ZERO,
            handshakes: 0,
            begun: 0,
            hasher: foldhash::fast::RandomState::default(),
            shared: Shared::new(limits.buffer_bytes / CACHES),
            pool: Pool::new(limits.buffer_bytes),
            limits,
            tcp_limits,
            spare: Vec::new(),
            udp: UdpShared::default(),
        }
    }

    /// Flows in the table.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Bytes of buffers in use.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.pool.lent().saturating_add(self.shared.ledger.total())
    }

    /// When the oldest handshake still open began, or the tick before.
    pub(crate) fn oldest_open(&mut self) -> Option<Timestamp> {
        self.forget_ended();
        self.open.front().map(|(began, _, _)| *began)
    }

    /// Takes the ended from the front of the queue of open handshakes.
    fn forget_ended(&mut self) {
        while let Some((_, slot, number)) = self.open.front() {
            if is_handshake(&self.slots, *slot, *number) {
                break;
            }
            self.open.pop_front();
        }
    }

    /// Takes a packet. Handshakes that end with it are handed to `finished`.
    pub(crate) fn push(&mut self, packet: &Packet<'_>, drops: &mut Drops, finished: &mut dyn FnMut(&Facts)) {
        match &packet.transport {
            Transport::Tcp(segment) => self.segment(packet, segment, drops, finished),
            Transport::Udp(datagram) => self.datagram(packet, datagram, drops, finished),
        }
        while self.buffered_bytes() > self.limits.buffer_bytes
            && self.evict_handshake(u32::MAX, DropReason::BufferFull, packet.timestamp, drops, finished)
        {}
    }

    #[inline]
    fn segment(
        &mut self,
        packet: &Packet<'_>,
        segment: &Segment<'_>,
        drops: &mut Drops,
        finished: &mut dyn FnMut(&Facts),
    ) {
        let (key, source_is_low) = FlowKey::new(&packet.tuple, packet.encapsulations.flow_key());
        let source = usize::from(!source_is_low);
        let hash = self.hasher.hash_one(key);
        let slots = &self.slots;
        let known = self.index.find(hash, |slot| slots.get(index(*slot)).is_some_and(|entry| entry.key == key));
        let known = known.copied();
        let mut arriving = Arriving { packet, segment, source, hash, drops, finished };
        match known {
            Some(slot) => self.known(slot, &mut arriving),
            None => self.unknown(key, &mut arriving),
        }
    }

    /// A segment of a flow that is not in the table: most of all traffic ends here.
    fn unknown(&mut self, key: FlowKey, arriving: &mut Arriving<'_, '_>) {
        let (segment, now) = (arriving.segment, arriving.packet.timestamp);
        if segment.flags.rst() {
            return;
        }
        let mut state = State::Opening(Opening::default());
        if !segment.flags.syn() {
            match if segment.payload.is_empty() { Sniff::Nothing } else { sniff(segment.payload) } {
                Sniff::Nothing if starttls::greets(segment.payload).is_none() => return,
                Sniff::Midstream => state = State::Midstream { sequence: segment.sequence },
                _ => {}
            }
        }
        let opening = matches!(state, State::Opening(_));
        let slot = self.insert(key, arriving.hash, now, state, arriving.drops, arriving.finished);
        if opening {
            self.known(slot, arriving);
        }
    }

    fn known(&mut self, slot: u32, arriving: &mut Arriving<'_, '_>) {
        let Arriving { packet, segment, source, hash, .. } = *arriving;
        let now = packet.timestamp;
        let Some(entry) = self.slots.get_mut(index(slot)) else { return };
        let idle = now.since(entry.last);
        let flags = segment.flags;
        let opens = flags.syn() && !flags.ack();
        entry.last = entry.last.max(now);
        let expired = idle > timeout(&entry.state, &self.limits);
        match &mut entry.state {
            State::Free | State::Quic(_) | State::Dtls(_) => {}
            State::Opening(opening) => {
                if expired {
                    *opening = Opening::default();
                }
                if flags.syn() {
                    let byte = Some(segment.sequence.wrapping_add(1));
                    let first = opening.first.get_mut(source);
                    let is_copy = first.is_some_and(|first| std::mem::replace(first, byte) == byte);
                    if opens {
                        opening.opener = u8::try_from(source).ok();
                        opening.asked = false;
                    } else {
                        // A copy from elsewhere has come another way.
                        opening.ttl = if is_copy { opening.ttl } else { packet.ttl };
                        opening.opener.get_or_insert(u8::try_from(1 - source).unwrap_or_default());
                    }
                }
                if flags.rst() {
                    self.remove(slot, hash);
                } else if !segment.payload.is_empty() {
                    self.first_bytes(slot, arriving);
                } else if flags.fin() {
                    self.remove(slot, hash);
                }
            }
            State::Handshake(flow) => {
                let first_byte = segment.sequence.wrapping_add(1);
                if expired || (opens && flow.is_another(source, first_byte)) {
                    let end = if expired { End::TimedOut } else { End::GivenUp };
                    self.finish(slot, end, now, arriving.drops, arriving.finished);
                    self.reopen(slot, arriving);
                    return;
                }
                let (limits, shared) = (&self.tcp_limits, &mut self.shared);
                let belongs = flow.segment(packet, segment, source, limits, shared, &mut self.pool, arriving.drops);
                if !belongs && tcp::is_hello(segment.payload) {
                    self.finish(slot, End::GivenUp, now, arriving.drops, arriving.finished);
                    self.reopen(slot, arriving);
                } else if flow.is_over() {
                    let (foreign, unanswered, mut reported) = (flow.is_foreign(), flow.unanswered(), false);
                    self.finish(slot, End::Closed, now, arriving.drops, &mut |facts| {
                        reported = true;
                        (arriving.finished)(facts);
                    });
                    // What is worth a record is worth a mark.
                    let foreign = foreign && !reported;
                    match unanswered.filter(|_| foreign) {
                        Some((first, opener)) => {
                            let opener = u8::try_from(opener).ok();
                            self.await_answer(slot, Opening { first, opener, ..Opening::default() });
                        }
                        None if foreign => self.remove(slot, hash),
                        None => {}
                    }
                }
            }
            State::Midstream { sequence } => {
                if flags.syn() || tcp::is_hello(segment.payload) {
                    self.reopen(slot, arriving);
                } else if sniff(segment.payload) == Sniff::Midstream && segment.sequence != *sequence {
                    // One such segment may be chance, two are not.
                    entry.state = State::Finished(Mark::default());
                    (arriving.finished)(&midstream(packet));
                }
            }
            State::Finished(mark) => {
                let new_hello = tcp::is_hello(segment.payload) && !mark.covers(segment.sequence, source);
                if flags.fin() || flags.rst() {
                    mark.close();
                }
                if expired || (opens || new_hello) && !mark.is_copy(segment, source, now) {
                    self.reopen(slot, arriving);
                }
            }
        }
    }

    /// The first bytes of a flow: a handshake begins, or the flow is none of ours.
    fn first_bytes(&mut self, slot: u32, arriving: &mut Arriving<'_, '_>) {
        let Arriving { packet, segment, source, hash, .. } = *arriving;
        let Some(Slot { state: State::Opening(opening), .. }) = self.slots.get_mut(index(slot)) else { return };
        let payload = segment.payload;
        if tcp::is_padding(segment) && payload.len() > 1 {
            return;
        }
        let sequence = if segment.flags.syn() { segment.sequence.wrapping_add(1) } else { segment.sequence };
        if opening.asked && opening.opener.map(usize::from) == Some(source) {
            if !tcp::is_hello(payload) {
                return;
            }
            // TLS all the same, in the middle of a stream that was not followed: it starts afresh.
            *opening = Opening::default();
        }
        let opening = *opening;
        let opener = opening.opener.map(usize::from);
        let ahead = opening.ahead(sequence, source);
        if ahead == Some(u32::MAX) && payload.len() == 1 {
            // Keep-alive: one byte that the other side has long had (RFC 9293 section 3.8.4).
            return;
        }
        let believed = ahead.is_none_or(|ahead| ahead < FARTHEST);
        // Before the first byte in order nothing can be told; what came early is held by the flow.
        let mut early = believed && ahead.is_some_and(|ahead| ahead != 0);
        let sniffed = match ahead {
            _ if early => Sniff::Nothing,
            Some(0) => sniff_start(payload),
            _ => sniff(payload),
        };
        let mut clear_client = None;
        // What begins like a hello is none yet, and is listened to until it can be told.
        let unclear = !matches!(sniffed, Sniff::Client | Sniff::Server);
        if unclear {
            let perhaps = sniffed == Sniff::Perhaps;
            clear_client = match opener.filter(|_| believed) {
                Some(opener) => {
                    let peer = if source == opener { Peer::Client } else { Peer::Server };
                    // Nor where the bytes that this sender answers have not been seen.
                    let answered = opening.first.get(1 - source).copied().flatten().filter(|_| !opening.asked);
                    early |= segment.flags.ack()
                        && answered.is_some_and(|first| reassembly::is_ahead(segment.acknowledgment, first));
                    (early || perhaps || starttls::may_begin(payload, peer)).then_some(opener)
                }
                None if perhaps => Some(source),
                None => {
                    starttls::greets(payload).map(|speaker| if speaker == Peer::Client { source } else { 1 - source })
                }
            };
            if clear_client.is_none() {
                if ahead == Some(0) && opener == Some(source) {
                    self.await_answer(slot, opening);
                } else {
                    self.remove(slot, hash);
                }
                return;
            }
        }
        let sends_as = match sniffed {
            Sniff::Server => Side::Server,
            _ if clear_client == Some(1 - source) => Side::Server,
            _ => Side::Client,
        };
        let sender = Sender { side: sends_as, certain: !unclear };
        let mut flow = match self.spare.pop() {
            Some(mut spare) => {
                spare.reset(packet, source, sender);
                spare
            }
            None => TcpFlow::new(packet, source, sender),
        };
        if let Some(client) = clear_client {
            flow.listen(client);
        }
        for (endpoint, first) in opening.first.into_iter().enumerate() {
            // A hello in the middle of a stream (after a protocol handprint does not follow) starts afresh; so does an
            // answer whose question was not followed.
            let believed = if endpoint == source { believed } else { !opening.asked };
            if let Some(first) = first.filter(|_| believed) {
                flow.synchronise(endpoint, first);
            }
        }
        // What answers something else is in the middle of a connection, however that was opened.
        if let Some(opener) = opener.filter(|_| !opening.asked) {
            flow.opened_by(opener, (opening.ttl > 0).then_some(opening.ttl));
        }
        flow.hello_sequence =
            if early { opening.first.get(source).copied().flatten() } else { None }.unwrap_or(sequence);
        self.begin(slot, State::Handshake(flow), packet.timestamp, arriving.drops, arriving.finished);
        self.known(slot, arriving);
    }

    /// The client has begun with none of what is followed: what it says is passed over, but the server's answer may
    /// send it to TLS.
    fn await_answer(&mut self, slot: u32, opening: Opening) {
        if let Some(entry) = self.slots.get_mut(index(slot)) {
            entry.state = State::Opening(Opening { asked: true, ..opening });
        }
    }

    /// Puts a handshake that begins into its slot, and makes room for it.
    fn begin(&mut self, slot: u32, state: State, now: Timestamp, drops: &mut Drops, finished: &mut dyn FnMut(&Facts)) {
        self.forget_ended();
        if let Some(entry) = self.slots.get_mut(index(slot)) {
            entry.state = state;
            self.begun = self.begun.wrapping_add(1);
            entry.handshake = self.begun;
            self.open.push_back((self.clock, slot, self.begun));
        }
        if self.open.len() > 2 * self.handshakes + SLACK {
            let slots = &self.slots;
            self.open.retain(|(_, slot, number)| is_handshake(slots, *slot, *number));
        }
        self.handshakes = self.handshakes.saturating_add(1);
        if self.handshakes > self.limits.handshakes {
            self.evict_handshake(slot, DropReason::FlowTableFull, now, drops, finished);
        }
    }

    /// Ends every handshake that has waited too long by `now`.
    pub(crate) fn advance(&mut self, now: Timestamp, drops: &mut Drops, finished: &mut dyn FnMut(&Facts)) {
        self.clock = now;
        self.oldest_open();
        while let Some(visit) = self.queue.front() {
            if visit.due > now {
                break;
            }
            let Some(visit) = self.queue.pop_front() else { break };
            self.visit(&visit, now, drops, finished);
        }
    }

    fn visit(&mut self, visit: &Visit, now: Timestamp, drops: &mut Drops, finished: &mut dyn FnMut(&Facts)) {
        let Some(entry) = self.slots.get(index(visit.slot)) else { return };
        if entry.generation != visit.generation {
            return;
        }
        if now.since(entry.last) > timeout(&entry.state, &self.limits) {
            let hash = self.hasher.hash_one(entry.key);
            if entry.state.is_handshake() {
                self.finish(visit.slot, End::TimedOut, now, drops, finished);
            } else if matches!(entry.state, State::Opening(_)) {
                drops.count(DropReason::OpeningTimeout);
            }
            self.remove(visit.slot, hash);
        } else {
            self.queue.push_back(Visit { due: now.plus(REVISIT), slot: visit.slot, generation: visit.generation });
        }
    }

    /// Ends every handshake: the capture is over at `now`.
    pub(crate) fn finish_all(&mut self, now: Timestamp, drops: &mut Drops, finished: &mut dyn FnMut(&Facts)) {
        for slot in 0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX) {
            let Some(entry) = self.slots.get(index(slot)) else { break };
            if entry.state.is_handshake() {
                let timed_out = now.since(entry.last) > timeout(&entry.state, &self.limits);
                let end = if timed_out { End::TimedOut } else { End::GivenUp };
                self.finish(slot, end, now, drops, finished);
            }
        }
        self.index.clear();
        self.slots.clear();
        self.free.clear();
        self.queue.clear();
        self.open.clear();
        self.clock = Timestamp::ZERO;
        self.shared = Shared::new(self.limits.buffer_bytes / CACHES);
    }

    /// Ends the handshake in `slot`, hands its facts on, and leaves a mark.
    fn finish(&mut self, slot: u32, end: End, now: Timestamp, drops: &mut Drops, finished: &mut dyn FnMut(&Facts)) {
        let mut in_vain = false;
        let mut hand_on = |facts: &Facts| {
            in_vain |= end == End::TimedOut && facts.outcome != Outcome::Established;
            finished(facts);
        };
        self.finish_flow(slot, end, now, drops, &mut hand_on);
        if in_vain {
            drops.count(DropReason::HandshakeTimeout);
        }
    }

    fn finish_flow(
        &mut self,
        slot: u32,
        end: End,
        now: Timestamp,
        drops: &mut Drops,
        finished: &mut dyn FnMut(&Facts),
    ) {
        let Some(entry) = self.slots.get_mut(index(slot)) else { return };
        let state = std::mem::replace(&mut entry.state, State::Free);
        let mut flow = match state {
            State::Handshake(flow) => flow,
            State::Dtls(mut flow) => {
                entry.state = State::Finished(Mark::of_datagrams(flow.marks(), now));
                self.handshakes = self.handshakes.saturating_sub(1);
                let mut around = dtls::Around {
                    shared: &mut self.shared,
                    pool: &mut self.pool,
                    drops,
                    message_limit: self.limits.message_bytes,
                };
                flow.end(end, now, &mut around, finished);
                return;
            }
            State::Quic(mut flow) => {
                entry.state = State::Finished(Mark::of_datagrams(flow.marks(), now));
                self.handshakes = self.handshakes.saturating_sub(1);
                flow.end(end, now, &mut self.pool, finished);
                return;
            }
            other => {
                entry.state = other;
                return;
            }
        };
        entry.state = State::Finished(flow.mark(now));
        self.handshakes = self.handshakes.saturating_sub(1);
        // A wait in vain ends when its time is up, not when that is noticed: the same on any number of threads.
        let now = match end {
            End::TimedOut => flow.handshake.facts.ended.plus(self.limits.handshake_timeout),
            End::Closed | End::GivenUp => now,
        };
        flow.end(end, now, &self.tcp_limits, &mut self.shared, &mut self.pool, drops);
        if flow.is_reportable() {
            finished(&flow.handshake.facts);
        }
        if self.spare.len() < 1024 && flow.handshake.is_light() {
            self.spare.push(flow);
        }
    }

    /// Begins with a segment anew what is in `slot`.
    fn reopen(&mut self, slot: u32, arriving: &mut Arriving<'_, '_>) {
        if let Some(entry) = self.slots.get_mut(index(slot)) {
            entry.state = State::Opening(Opening::default());
        }
        self.known(slot, arriving);
    }

    fn insert(
        &mut self,
        key: FlowKey,
        hash: u64,
        now: Timestamp,
        state: State,
        drops: &mut Drops,
        finished: &mut dyn FnMut(&Facts),
    ) -> u32 {
        if self.index.len() >= self.limits.flows {
            self.evict(now, drops, finished);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
            self.slots.push(Slot { key, last: now, generation: 0, handshake: 0, state: State::Free });
            slot
        });
        if let Some(entry) = self.slots.get_mut(index(slot)) {
            entry.key = key;
            entry.last = now;
            entry.state = state;
            self.queue.push_back(Visit { due: self.clock.plus(REVISIT), slot, generation: entry.generation });
        }
        if self.queue.len() > 2 * self.index.len() + SLACK {
            let slots = &self.slots;
            self.queue
                .retain(|visit| slots.get(index(visit.slot)).is_some_and(|entry| entry.generation == visit.generation));
        }
        let (slots, hasher) = (&self.slots, &self.hasher);
        let rehash = |slot: &u32| slots.get(index(*slot)).map_or(0, |entry| hasher.hash_one(entry.key));
        if let Entry::Vacant(vacant) = self.index.entry(hash, |_| false, rehash) {
            vacant.insert(slot);
        }
        slot
    }

    fn remove(&mut self, slot: u32, hash: u64) {
        if let Ok(entry) = self.index.find_entry(hash, |candidate| *candidate == slot) {
            entry.remove();
        }
        if let Some(entry) = self.slots.get_mut(index(slot)) {
            if entry.state.is_handshake() {
                self.handshakes = self.handshakes.saturating_sub(1);
            }
            entry.state = State::Free;
            entry.generation = entry.generation.wrapping_add(1);
            self.free.push(slot);
        }
    }

    /// Makes room: the oldest handshake goes, other than the one in slot `except`. `false` where there is none.
    fn evict_handshake(
        &mut self,
        except: u32,
        reason: DropReason,
        now: Timestamp,
        drops: &mut Drops,
        finished: &mut dyn FnMut(&Facts),
    ) -> bool {
        while let Some((_, slot, number)) = self.open.pop_front() {
            let Some(entry) = self.slots.get(index(slot)) else { continue };
            if slot != except && is_handshake(&self.slots, slot, number) {
                let hash = self.hasher.hash_one(entry.key);
                drops.count(reason);
                self.finish(slot, End::GivenUp, now, drops, finished);
                self.remove(slot, hash);
                return true;
            }
        }
        false
    }

    /// Makes room: the flow that has waited longest in the queue goes.
    fn evict(&mut self, now: Timestamp, drops: &mut Drops, finished: &mut dyn FnMut(&Facts)) {
        // Finished flows are the cheapest to lose; a few in front of the queue are passed over to find one.
        let mut passed_over = 0;
        while let Some(visit) = self.queue.pop_front() {
            let Some(entry) = self.slots.get(index(visit.slot)) else { continue };
            if entry.generation != visit.generation {
                continue;
            }
            let is_finished = matches!(entry.state, State::Finished(_));
            if !is_finished && passed_over < PASSED_OVER {
                passed_over += 1;
                self.queue.push_back(visit);
                continue;
            }
            let hash = self.hasher.hash_one(entry.key);
            if !is_finished {
                drops.count(DropReason::FlowTableFull);
            }
            self.finish(visit.slot, End::GivenUp, now, drops, finished);
            self.remove(visit.slot, hash);
            return;
        }
    }
}

const fn timeout(state: &State, limits: &Limits) -> Duration {
    match state {
        State::Free | State::Opening(_) => limits.opening_timeout,
        State::Handshake(_) | State::Quic(_) | State::Dtls(_) => limits.handshake_timeout,
        State::Midstream { .. } | State::Finished(_) => limits.finished_timeout,
    }
}

/// A flow of TLS records whose handshake was not captured. Who is the client is not told by records alone: the
/// endpoint with the lower port is taken for the server.
fn midstream(packet: &Packet<'_>) -> Facts {
    let FiveTuple { source, destination, .. } = packet.tuple;
    let (client, server) =
        if destination.port() <= source.port() { (source, destination) } else { (destination, source) };
    let mut facts = Facts::new(Carrier::Tcp, client, server, packet.timestamp);
    facts.encapsulations = packet.encapsulations;
    facts.coverage.midstream = true;
    facts.coverage.syn_seen = Some(false);
    facts.coverage.client_seen = true;
    facts.coverage.server_seen = true;
    facts
}

/// Whether handshake `number` is still in progress in its slot.
fn is_handshake(slots: &[Slot], slot: u32, number: u32) -> bool {
    slots.get(index(slot)).is_some_and(|entry| entry.handshake == number && entry.state.is_handshake())
}

/// A slot number as an index.
const fn index(slot: u32) -> usize {
    slot as usize
}
