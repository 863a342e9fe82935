//! [`TcpFlow`]: one TCP connection on which a handshake is being followed.

use super::facts::{Carrier, Outcome, Side};
use super::handshake::{End, Handshake, Shared};
use super::pool::Pool;
use super::reassembly::{Arrival, HalfStream, HoldLimits, is_ahead};
use super::stream::{Framing, Pieces, RecordLayer, Surroundings};
use crate::packet::{Packet, Segment};
use crate::starttls::{self, Peer, Session};
use crate::stats::{DropReason, Drops};
use crate::time::Timestamp;
use crate::tls::handshake::message_type;
use crate::tls::record::content_type;
use crate::tls::sniff::{Sniff, sniff};

/// How many bytes of an answer can be missing from a capture; a larger distance is a number that means nothing.
const LARGEST_LOSS: u32 = 16 << 20;
/// Bytes kept of an answer that is not TLS.
const ANSWER: usize = 16;

/// Bounds on what one flow may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TcpLimits {
    pub(crate) hold: HoldLimits,
    pub(crate) message: usize,
}

impl TcpLimits {
    /// What one direction may hold. Of the server's no more is remembered than its hello.
    fn hold(&self, side: Side) -> HoldLimits {
        match side {
            Side::Client => self.hold,
            Side::Server => HoldLimits { history: self.hold.history / 4, ..self.hold },
        }
    }
}

/// What a connection is, seen from the endpoint with the lower address: index 0 is the low endpoint, 1 the high one.
pub(crate) struct TcpFlow {
    pub(crate) handshake: Handshake,
    streams: [HalfStream; 2],
    layers: [RecordLayer; 2],
    /// The endpoint that is the client.
    client: usize,
    /// The endpoint that opened the connection, where that was seen.
    opener: Option<usize>,
    /// The first bytes of each direction, while neither has said who is the client; `None` once one has.
    starts: Option<[Start; 2]>,
    fin_at: [Option<u32>; 2],
    finished: [bool; 2],
    /// Sequence number of the first byte of the ClientHello.
    pub(crate) hello_sequence: u32,
    /// What the client's first bytes acknowledge: where the server's answer begins.
    answer_sequence: Option<u32>,
    /// What is spoken in clear before TLS.
    clear: Option<Box<Clear>>,
    /// It came to its end without TLS, or is nothing handprint follows.
    clear_end: Option<starttls::State>,
}

/// Which side the sender of a flow's first bytes is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    pub(crate) side: Side,
    /// Its hello says so.
    pub(crate) certain: bool,
}

/// The first bytes of a direction.
#[derive(Default)]
struct Start {
    bytes: [u8; 6],
    length: usize,
}

impl Start {
    /// Appends what fits, and says whose bytes these are by the first message; `None` where it is none of a hello, or
    /// not there yet.
    fn append(&mut self, bytes: &[u8]) -> Option<Side> {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        let count = room.len().min(bytes.len());
        room.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
        self.length = self.length.saturating_add(count);
        match self.bytes.get(..self.length).unwrap_or_default() {
            [22, 3, _, _, _, message_type::CLIENT_HELLO] | [0x80..=0xff, _, 1, ..] => Some(Side::Client),
            [22, 3, _, _, _, message_type::SERVER_HELLO] | [0x80..=0xff, _, 4, ..] => Some(Side::Server),
            _ => None,
        }
    }
}

/// A conversation in clear.
struct Clear {
    session: Session,
    /// The endpoint that is the client of the protocol in clear.
    client: usize,
    /// Bytes of memory charged to the pool.
    charged: usize,
    /// Packets of each endpoint whose bytes may be the start of TLS.
    held_back: [Pieces; 2],
    /// Bytes are looked at only once those their sender had received have been.
    in_turn: bool,
}

impl Clear {
    const fn peer(&self, source: usize) -> Peer {
        if source == self.client { Peer::Client } else { Peer::Server }
    }
}

/// What is remembered of a flow that is finished, so that its later segments start nothing; nor do copies of earlier
/// ones, as a span port that mirrors two ports sends them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    /// Sequence number of the first byte of the ClientHello; over UDP what tells the first datagram from another's.
    hello: u32,
    /// Sequence numbers of each direction's first byte; over UDP, in front, what tells a second first datagram.
    starts: [u32; 2],
    /// Which of them are known.
    known: [bool; 2],
    /// How many bytes of each direction were followed, in units of [`Mark::UNIT`] bytes.
    lengths: [u16; 2],
    /// The connection goes on, as far as is known: no other has its ports.
    goes_on: bool,
    /// When the handshake ended, in ticks of 2^20 ns, modulo 2^32.
    at: u32,
}

impl Mark {
    const UNIT: u32 = 16;

    /// How long after the end copies may come, in ticks: about two seconds. A mirror is late by milliseconds.
    const LATE: i32 = 2000;

    /// A mark of a handshake in datagrams that ended at `now`: what tells its first datagram, and one that began it
    /// again, or 0.
    pub(crate) const fn of_datagrams(marks: [u32; 2], now: Timestamp) -> Self {
        let [hello, again] = marks;
        let at = Self::tick(now);
        Self { hello, starts: [again, 0], known: [false; 2], lengths: [0; 2], goes_on: false, at }
    }

    #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32, see there")]
    const fn tick(now: Timestamp) -> u32 {
        (now.as_nanos() >> 20) as u32
    }

    /// The connection is closed: from here on its ports may be another's.
    pub(crate) const fn close(&mut self) {
        self.goes_on = false;
    }

    /// Whether bytes at `sequence` from endpoint `source` are of the same connection.
    pub(crate) fn covers(&self, sequence: u32, source: usize) -> bool {
        let start = self.start(source).filter(|_| self.goes_on);
        sequence == self.hello || start.is_some_and(|start| sequence == start || is_ahead(sequence, start))
    }

    /// Whether a segment from endpoint `source` is a copy of one from which the handshake was made.
    pub(crate) fn is_copy(&self, segment: &Segment<'_>, source: usize, now: Timestamp) -> bool {
        let (Some(start), Some(length)) = (self.start(source), self.lengths.get(source)) else { return false };
        let syn = segment.flags.syn();
        let offset = segment.sequence.wrapping_add(u32::from(syn)).wrapping_sub(start);
        let bound = if syn { 1 } else { u32::from(*length) * Self::UNIT };
        self.is_recent(now) && offset < bound
    }

    /// Whether a datagram with the mark of its own `mark` is a copy of one from which the handshake was made. What bears
    /// none (an answer, a later fragment) is taken for one.
    pub(crate) const fn is_copied_datagram(&self, mark: Option<u32>, now: Timestamp) -> bool {
        let Some(mark) = mark else { return self.is_recent(now) };
        let [again, _] = self.starts;
        mark == self.hello || self.is_recent(now) && (mark == 0 || mark == again)
    }

    /// Whether copies may still come.
    const fn is_recent(&self, now: Timestamp) -> bool {
        Self::tick(now).wrapping_sub(self.at).cast_signed() <= Self::LATE
    }

    fn start(&self, source: usize) -> Option<u32> {
        self.starts.get(source).copied().filter(|_| self.known.get(source) == Some(&true))
    }
}

impl TcpFlow {
    /// A flow that `packet` begins, sent by endpoint `source`. Who is the client is told by its hello, or else only
    /// supposed.
    pub(crate) fn new(packet: &Packet<'_>, source: usize, sender: Sender) -> Box<Self> {
        Box::new(Self::fresh(packet, source, sender))
    }

    fn fresh(packet: &Packet<'_>, source: usize, sender: Sender) -> Self {
        let source_is_client = sender.side == Side::Client;
        let (client, server) = if source_is_client {
            (packet.tuple.source, packet.tuple.destination)
        } else {
            (packet.tuple.destination, packet.tuple.source)
        };
        let mut handshake = Handshake::new(Carrier::Tcp, client, server, packet.timestamp);
        handshake.facts.encapsulations = packet.encapsulations;
        handshake.facts.coverage.syn_seen = Some(false);
        Self {
            handshake,
            streams: Default::default(),
            layers: Default::default(),
            client: if source_is_client { source } else { 1 - source },
            opener: None,
            starts: (!sender.certain).then(Default::default),
            fin_at: [None; 2],
            finished: [false; 2],
            hello_sequence: 0,
            answer_sequence: None,
            clear: None,
            clear_end: None,
        }
    }

    /// Follows what is spoken in clear from here on; endpoint `client` is the one that asks.
    pub(crate) fn listen(&mut self, client: usize) {
        self.clear = Some(Box::new(Clear {
            session: Session::new(),
            client,
            charged: 0,
            held_back: [Pieces::default(); 2],
            in_turn: true,
        }));
    }

    /// What the table keeps of it when its record is written, at `now`.
    pub(crate) fn mark(&self, now: Timestamp) -> Mark {
        // Where its opening was seen it is sure where its streams begin, and that no other connection has begun.
        let goes_on = self.opener.is_some() && self.handshake.is_followed_enough();
        let mut mark = Mark { hello: self.hello_sequence, goes_on, at: Mark::tick(now), ..Mark::default() };
        for (source, stream) in self.streams.iter().enumerate() {
            let Some((start, next)) = stream.start().zip(stream.next()) else { continue };
            let length = u16::try_from(next.wrapping_sub(start).div_ceil(Mark::UNIT)).unwrap_or(u16::MAX);
            if let (Some(of_mark), Some(known), Some(of_length)) =
                (mark.starts.get_mut(source), mark.known.get_mut(source), mark.lengths.get_mut(source))
            {
                (*of_mark, *known, *of_length) = (start, true, length);
            }
        }
        mark
    }

    /// Whether this is nothing handprint follows, and not worth a mark.
    pub(crate) fn is_foreign(&self) -> bool {
        self.clear_end == Some(starttls::State::NotThis)
    }

    /// Where both streams begin and who opened the connection, if the one that did has spoken alone so far.
    pub(crate) fn unanswered(&self) -> Option<([Option<u32>; 2], usize)> {
        let opener = self.opener?;
        let answers = self.streams.get(1 - opener)?;
        let start = |source: usize| self.streams.get(source).and_then(HalfStream::start);
        (answers.next() == answers.start() && !answers.has_gap()).then(|| ([start(0), start(1)], opener))
    }

    /// Whether a record is to be made of it.
    pub(crate) fn is_reportable(&self) -> bool {
        self.handshake.is_begun() || self.handshake.facts.starttls.as_ref().is_some_and(|said| said.convincing)
    }

    /// Fixes where a direction's bytes begin, from its SYN. As long as no byte has come a later SYN wins: a peer that
    /// has forgotten the connection answers anew, with another number. Unless the client has gone on with the number
    /// before it: then the later SYN is that of an answer given up.
    pub(crate) fn synchronise(&mut self, source: usize, sequence: u32) {
        let agreed = self.answer_sequence.filter(|_| self.side(source) == Side::Server);
        if let (Some(stream), Some(layer)) = (self.streams.get_mut(source), self.layers.get(source))
            && layer.framing == Framing::Unknown
            && agreed.is_none_or(|agreed| stream.start() != Some(agreed))
            && !stream.has_gap()
            && stream.next() == stream.start()
        {
            stream.synchronise(sequence);
        }
    }

    /// Records that the TCP handshake was seen, opened by endpoint `opener`, and the TTL of the answer to it.
    pub(crate) fn opened_by(&mut self, opener: usize, ttl: Option<u8>) {
        self.opener = Some(opener);
        self.handshake.facts.coverage.syn_seen = Some(true);
        self.handshake.facts.progress.server_ttl = ttl;
        if ttl.is_some() {
            // The SYN-ACK came before the flow was followed.
            match self.side(1 - opener) {
                Side::Client => self.handshake.facts.coverage.client_seen = true,
                Side::Server => self.handshake.facts.coverage.server_seen = true,
            }
        }
    }

    /// Which side endpoint `index` is.
    pub(crate) const fn side(&self, index: usize) -> Side {
        if index == self.client { Side::Client } else { Side::Server }
    }

    /// Takes a segment sent by endpoint `source`.
    ///
    /// Returns whether the segment belongs to this connection by its sequence number.
    #[expect(clippy::too_many_arguments, reason = "the parts of the table are borrowed one by one")]
    pub(crate) fn segment(
        &mut self,
        packet: &Packet<'_>,
        segment: &Segment<'_>,
        source: usize,
        limits: &TcpLimits,
        shared: &mut Shared,
        pool: &mut Pool,
        drops: &mut Drops,
    ) -> bool {
        let now = packet.timestamp;
        self.note(packet, segment, source);
        let mut sequence = segment.sequence;
        if segment.flags.syn() {
            sequence = sequence.wrapping_add(1);
            self.synchronise(source, sequence);
        }
        if segment.flags.fin() {
            let length = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX).wrapping_add(segment.cut);
            if let Some(at) = self.fin_at.get_mut(source) {
                *at = Some(sequence.wrapping_add(length));
            }
        }
        if self.side(source) == Side::Client && segment.flags.ack() && !segment.payload.is_empty() {
            self.answer_sequence.get_or_insert(segment.acknowledgment);
        }
        let mut belongs = true;
        if !segment.payload.is_empty() && !self.is_padded(segment, source) {
            let after = segment.flags.ack().then_some(segment.acknowledgment);
            belongs = self.bytes(sequence, segment.payload, source, after, limits, now, shared, pool, drops);
            if belongs && segment.cut > 0 {
                self.cut(source, segment.cut, pool);
            }
        }
        self.apply_fin(source);
        if belongs {
            self.handshake.facts.ended = now;
        }
        belongs
    }

    /// Whether a segment's payload is padding behind an acknowledgment.
    fn is_padded(&self, segment: &Segment<'_>, source: usize) -> bool {
        is_padding(segment)
            && match &self.clear {
                Some(clear) => segment.payload.len() == 6 && !clear.session.is_mid_unit(clear.peer(source)),
                None => self.layers.get(source).is_some_and(RecordLayer::awaits_record),
            }
    }

    fn note(&mut self, packet: &Packet<'_>, segment: &Segment<'_>, source: usize) {
        let side = self.side(source);
        let facts = &mut self.handshake.facts;
        facts.coverage.packets = facts.coverage.packets.saturating_add(1);
        match side {
            Side::Client => facts.coverage.client_seen = true,
            Side::Server => {
                facts.coverage.server_seen = true;
                facts.progress.server_ttl.get_or_insert(packet.ttl);
                if segment.flags.ack()
                    && let Some(sent) = self.streams.get(self.client).and_then(HalfStream::next)
                    && segment.acknowledgment.wrapping_sub(sent) < 1 << 31
                {
                    facts.progress.hello_acknowledged = true;
                }
            }
        }
        if segment.flags.rst() {
            facts.progress.reset.get_or_insert(side);
            facts.progress.reset_ttl.get_or_insert(packet.ttl);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of the table are borrowed one by one")]
    fn bytes(
        &mut self,
        sequence: u32,
        payload: &[u8],
        source: usize,
        after: Option<u32>,
        limits: &TcpLimits,
        now: Timestamp,
        shared: &mut Shared,
        pool: &mut Pool,
        drops: &mut Drops,
    ) -> bool {
        let hold = limits.hold(self.side(source));
        if let Some(clear) = &self.clear {
            if clear.in_turn
                && self.must_wait(source, after)
                && self.defer(sequence, payload, source, after, hold, pool)
            {
                return true;
            }
            if clear_is_out_of_turn(self.clear.as_deref()) {
                self.deliver_ready(source, limits, now, shared, pool);
            }
        }
        let Some(stream) = self.streams.get_mut(source) else { return false };
        match stream.accept(sequence, payload, hold, pool) {
            Arrival::Foreign => return false,
            Arrival::Held => return true,
            Arrival::Full => {
                drops.count(DropReason::BufferFull);
                self.skip_gap(source, limits, now, shared, pool, drops);
                // The gap in front of what is held is given up; this segment is next, or ahead of it again.
                if let Some(stream) = self.streams.get_mut(source)
                    && let Arrival::Next(bytes) = stream.accept(sequence, payload, hold, pool)
                {
                    self.deliver(bytes, source, limits, now, shared, pool);
                }
            }
            Arrival::Next(bytes) => self.deliver(bytes, source, limits, now, shared, pool),
        }
        self.deliver_ready(source, limits, now, shared, pool);
        true
    }

    /// Whether the sender of a segment had received bytes that have not been looked at.
    fn must_wait(&self, source: usize, after: Option<u32>) -> bool {
        let peer = self.streams.get(1 - source).and_then(HalfStream::next);
        after.zip(peer).is_some_and(|(after, peer)| is_ahead(after, peer))
    }

    /// Holds a segment until its turn comes. Where it does not come for long, no turns are kept any more.
    fn defer(
        &mut self,
        sequence: u32,
        payload: &[u8],
        source: usize,
        after: Option<u32>,
        hold: HoldLimits,
        pool: &mut Pool,
    ) -> bool {
        let Some((stream, after)) = self.streams.get_mut(source).zip(after) else { return false };
        if stream.next().is_none() {
            stream.synchronise(sequence);
        }
        let held = stream.held_segments() < hold.segments / 2 && stream.defer(sequence, payload, after, hold, pool);
        if !held && let Some(clear) = &mut self.clear {
            clear.in_turn = false;
        }
        held
    }

    /// Takes the next bytes of an endpoint: of a conversation in clear, or of TLS.
    fn deliver(
        &mut self,
        bytes: &[u8],
        source: usize,
        limits: &TcpLimits,
        now: Timestamp,
        shared: &mut Shared,
        pool: &mut Pool,
    ) {
        let Some(mut clear) = self.clear.take() else {
            if self.clear_end.is_none() {
                self.deliver_tls(bytes, source, limits, now, shared, pool);
            }
            return;
        };
        let peer = clear.peer(source);
        let mut rest = bytes;
        let mut state = starttls::State::Going;
        while !rest.is_empty() && state == starttls::State::Going {
            let step = clear.session.next(peer, rest);
            if !step.tls.is_empty() {
                let held_back = clear.held_back.get_mut(source).map(std::mem::take).unwrap_or_default();
                if let Some(layer) = self.layers.get_mut(source).filter(|layer| !layer.has_begun()) {
                    layer.held_back(held_back);
                }
                if !self.layers.get(source).is_some_and(RecordLayer::has_begun) && source == self.client {
                    let next = self.streams.get(source).and_then(HalfStream::next).unwrap_or_default();
                    self.hello_sequence = next.wrapping_sub(u32::try_from(rest.len()).unwrap_or_default());
                }
                self.deliver_tls(step.tls, source, limits, now, shared, pool);
            }
            let idle = step.consumed == 0 && step.tls.is_empty();
            rest = rest.get(step.consumed..).unwrap_or_default();
            state = clear.session.state();
            if idle {
                break;
            }
        }
        if let Some(held_back) = clear.held_back.get_mut(source) {
            if clear.session.holds_start(peer) {
                held_back.add(bytes.len());
            } else {
                *held_back = Pieces::default();
            }
        }
        let held = clear.session.held();
        let afforded = pool.recharge(clear.charged, held);
        clear.charged = held;
        if !afforded {
            state = starttls::State::NotThis;
        }
        match state {
            starttls::State::Going => self.clear = Some(clear),
            starttls::State::Through => {
                self.stop_listening(clear, pool);
                self.deliver_tls(rest, source, limits, now, shared, pool);
            }
            starttls::State::NotThis | starttls::State::Over => {
                if clear.session.is_tls(Peer::Client) || clear.session.is_tls(Peer::Server) {
                    // A hello has been seen: what else comes is not TLS, and no more than that.
                    let held = clear.session.take_held(peer);
                    self.stop_listening(clear, pool);
                    self.deliver_tls(&held, source, limits, now, shared, pool);
                    self.deliver_tls(rest, source, limits, now, shared, pool);
                } else {
                    if state == starttls::State::Over {
                        self.stop_listening(clear, pool);
                    } else {
                        pool.recharge(clear.charged, 0);
                    }
                    self.clear_end = Some(state);
                }
            }
        }
    }

    fn stop_listening(&mut self, clear: Box<Clear>, pool: &mut Pool) {
        pool.recharge(clear.charged, 0);
        self.handshake.facts.starttls = clear.session.into_facts().map(Box::new);
    }

    fn deliver_tls(
        &mut self,
        bytes: &[u8],
        source: usize,
        limits: &TcpLimits,
        now: Timestamp,
        shared: &mut Shared,
        pool: &mut Pool,
    ) {
        if bytes.is_empty() {
            return;
        }
        self.learn_roles(bytes, source);
        let side = self.side(source);
        if side == Side::Client {
            self.handshake.facts.progress.hello_acknowledged = false;
        }
        let Some(layer) = self.layers.get_mut(source) else { return };
        let answers = side == Side::Server
            && matches!(layer.framing, Framing::Unknown | Framing::SslV2 | Framing::Foreign)
            && self.handshake.facts.selection.is_none();
        if answers {
            let start = &mut self.handshake.facts.foreign_answer;
            start.extend(bytes.iter().copied().take(ANSWER.saturating_sub(start.len())));
        }
        let mut around = Surroundings { now, shared, pool, message_limit: limits.message };
        layer.deliver(bytes, side, &mut self.handshake, &mut around);
        if answers && (layer.framing == Framing::Records || self.handshake.facts.selection.is_some()) {
            self.handshake.facts.foreign_answer.clear();
        }
        if layer.framing == Framing::Foreign && side == Side::Server && self.handshake.facts.selection.is_none() {
            self.handshake.server_not_tls = true;
        }
    }

    fn deliver_ready(
        &mut self,
        source: usize,
        limits: &TcpLimits,
        now: Timestamp,
        shared: &mut Shared,
        pool: &mut Pool,
    ) {
        let mut waited = false;
        for source in [source, 1 - source].into_iter().cycle() {
            let hold = limits.hold(self.side(source));
            let mut delivered = false;
            loop {
                let in_turn = self.clear.as_ref().is_some_and(|clear| clear.in_turn);
                let peer = self.streams.get(1 - source).and_then(HalfStream::next).filter(|_| in_turn);
                let stream = self.streams.get_mut(source);
                let Some(bytes) = stream.and_then(|stream| stream.take_ready(hold, pool, peer)) else { break };
                self.deliver(&bytes, source, limits, now, shared, pool);
                pool.give(bytes);
                delivered = true;
            }
            // What one side said may be what the other's next bytes waited for.
            if !delivered && std::mem::replace(&mut waited, true) {
                break;
            }
            waited = !delivered;
        }
    }

    /// Whoever sends a hello first decides who is the client, where the flow's first bytes did not.
    fn learn_roles(&mut self, bytes: &[u8], source: usize) {
        let Some(start) = self.starts.as_mut().and_then(|starts| starts.get_mut(source)) else { return };
        let Some(side) = start.append(bytes) else { return };
        self.starts = None;
        if side != self.side(source) {
            self.client = 1 - self.client;
            let facts = &mut self.handshake.facts;
            std::mem::swap(&mut facts.client, &mut facts.server);
            std::mem::swap(&mut facts.coverage.client_seen, &mut facts.coverage.server_seen);
        }
    }

    fn cut(&mut self, source: usize, cut: u32, pool: &mut Pool) {
        if let (Some(stream), Some(layer)) = (self.streams.get_mut(source), self.layers.get_mut(source))
            && !stream.has_gap()
        {
            stream.skip(cut);
            if let Some(clear) = &mut self.clear {
                let peer = clear.peer(source);
                clear.session.gap(peer);
                if !clear.session.is_tls(peer) {
                    return;
                }
            }
            let before = self.handshake.facts.coverage.missing_bytes;
            layer.gap(cut, &mut self.handshake, pool);
            let coverage = &mut self.handshake.facts.coverage;
            let counted = coverage.missing_bytes.saturating_sub(before);
            coverage.cut_bytes = coverage.cut_bytes.saturating_add(counted);
        }
    }

    /// Gives up the bytes missing in front of what endpoint `source` sent later, and goes on with that.
    fn skip_gap(
        &mut self,
        source: usize,
        limits: &TcpLimits,
        now: Timestamp,
        shared: &mut Shared,
        pool: &mut Pool,
        drops: &mut Drops,
    ) -> bool {
        let Some(missing) = self.streams.get_mut(source).and_then(HalfStream::skip_gap) else { return false };
        if missing > 0 {
            drops.count(DropReason::StreamGap);
            let mut in_clear = false;
            if let Some(clear) = &mut self.clear {
                let peer = clear.peer(source);
                clear.session.gap(peer);
                in_clear = !clear.session.is_tls(peer);
            }
            if !in_clear && let Some(layer) = self.layers.get_mut(source) {
                layer.gap(missing, &mut self.handshake, pool);
            }
        }
        if let Some(clear) = &mut self.clear {
            clear.in_turn = false;
        }
        self.deliver_ready(source, limits, now, shared, pool);
        true
    }

    fn apply_fin(&mut self, source: usize) {
        let next = self.streams.get(source).and_then(HalfStream::next);
        let fin = self.fin_at.get(source).copied().flatten();
        if let (Some(fin), Some(finished)) = (fin, self.finished.get_mut(source))
            && !*finished
            && next.is_none_or(|next| next == fin)
        {
            *finished = true;
            let side = self.side(source);
            self.handshake.facts.progress.fin.get_or_insert(side);
        }
    }

    /// Whether nothing more is to be learned from this flow.
    pub(crate) fn is_over(&self) -> bool {
        let progress = &self.handshake.facts.progress;
        let any_fin = self.finished.contains(&true);
        let refused = self.handshake.facts.alerts.iter().any(|alert| alert.level == 2);
        progress.reset.is_some()
            || self.clear_end.is_some()
            || !self.finished.contains(&false)
            || (any_fin && (refused || self.handshake.is_complete()))
            || self.handshake.is_followed_enough()
    }

    /// Ends the flow: what is held behind gaps is still looked at, the outcome decided, every buffer given back.
    pub(crate) fn end(
        &mut self,
        end: End,
        now: Timestamp,
        limits: &TcpLimits,
        shared: &mut Shared,
        pool: &mut Pool,
        drops: &mut Drops,
    ) {
        let at = self.handshake.facts.ended;
        if let Some(clear) = &mut self.clear {
            clear.in_turn = false;
            self.deliver_ready(self.client, limits, at, shared, pool);
        }
        for source in [self.client, 1 - self.client] {
            // Where enough was seen, what is still held may be waiting for bytes that only come later.
            let enough = self.clear_end.is_some() || self.handshake.is_followed_enough();
            while !enough && self.skip_gap(source, limits, at, shared, pool, drops) {}
            self.apply_fin(source);
        }
        self.count_lost_answer();
        let coverage = &mut self.handshake.facts.coverage;
        coverage.flipped = self.opener.is_some_and(|opener| opener != self.client);
        coverage.overlap_conflict = self.streams.iter().find_map(HalfStream::conflict);
        for stream in &mut self.streams {
            stream.release(pool);
        }
        for layer in &mut self.layers {
            if layer.too_long {
                drops.count(DropReason::MessageTooLong);
            }
            if layer.starved {
                drops.count(DropReason::BufferFull);
            }
            layer.release(pool);
        }
        if let Some(clear) = self.clear.take() {
            self.stop_listening(clear, pool);
        }
        self.handshake.settle(end, now);
        if !self.handshake.is_begun()
            && let Some(said) = &self.handshake.facts.starttls
        {
            if let Some(reason) = said.cleartext() {
                self.handshake.facts.outcome = Outcome::Cleartext { reason };
            } else if said.turned_away {
                self.handshake.facts.outcome = Outcome::Refused { by: Side::Server, alert: None };
            }
        }
    }

    /// Where the capture misses the start of the server's answer, and its SYN, what was seen of it is the middle of
    /// something: no sign that it is not TLS.
    fn count_lost_answer(&mut self) {
        let start = self.streams.get(1 - self.client).and_then(HalfStream::start);
        let lost = start.zip(self.answer_sequence).map_or(0, |(start, answer)| start.wrapping_sub(answer));
        if (1..LARGEST_LOSS).contains(&lost) {
            let facts = &mut self.handshake.facts;
            facts.coverage.missing_bytes = facts.coverage.missing_bytes.saturating_add(lost);
            facts.foreign_answer.clear();
            self.handshake.server_not_tls = false;
        }
    }

    /// Makes a used flow new, keeping its memory.
    pub(crate) fn reset(&mut self, packet: &Packet<'_>, source: usize, sender: Sender) {
        let name = self.handshake.facts.hello.server_name.take();
        let name = name.unwrap_or_else(|| std::mem::take(&mut self.handshake.name_buffer));
        *self = Self::fresh(packet, source, sender);
        self.handshake.name_buffer = name;
    }

    /// Whether a SYN whose next byte is `first_byte` opens another connection than this one.
    pub(crate) fn is_another(&self, source: usize, first_byte: u32) -> bool {
        // A retransmitted SYN repeats the number this direction began with.
        self.streams.get(source).is_none_or(|stream| stream.start() != Some(first_byte))
    }
}

/// Whether a payload is what some middleboxes leave behind a bare ACK: Ethernet's padding taken for payload. No record
/// begins with a zero, and who sends data says so (PSH) when there is no more of it.
pub(crate) fn is_padding(segment: &Segment<'_>) -> bool {
    segment.payload.len() <= 6 && !segment.flags.psh() && segment.payload.iter().all(|byte| *byte == 0)
}

/// Whether a payload's first bytes are those of a handshake: the strict test for a flow already given up.
pub(crate) fn is_hello(payload: &[u8]) -> bool {
    matches!(sniff(payload), Sniff::Client | Sniff::Server) && payload.first() != Some(&content_type::APPLICATION_DATA)
}

fn clear_is_out_of_turn(clear: Option<&Clear>) -> bool {
    clear.is_some_and(|clear| !clear.in_turn)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::flow::{Facts, FlowTable, Limits, Outcome};
    use crate::packet::{Encapsulations, FiveTuple, IpProtocol, TcpFlags, Transport};
    use crate::tls::test_data;

    const SYN: u8 = 0x02;
    const ACK: u8 = 0x10;

    /// One packet of a conversation: who sent it, its flags, where its first byte stands in its direction (the SYN at
    /// 0), its payload, and how much of that a snap length cut off.
    struct Sent<'a>(Side, u8, u32, &'a [u8], u32);

    fn facts_of(conversation: &[Sent<'_>]) -> Facts {
        let mut table = FlowTable::new(Limits::default());
        let mut drops = Drops::default();
        let mut found = Vec::new();
        let mut keep = |facts: &Facts| found.push(facts.clone());
        let tuple = FiveTuple {
            source: "192.0.2.1:50000".parse().unwrap(),
            destination: "192.0.2.2:443".parse().unwrap(),
            protocol: IpProtocol::Tcp,
        };
        let mut now = Timestamp::from_seconds(1_795_255_200);
        for Sent(from, flags, sequence, payload, cut) in conversation {
            let (tuple, ttl) = if *from == Side::Client { (tuple, 64) } else { (tuple.reversed(), 57) };
            let acknowledgment = if *from == Side::Client { 1 } else { 10_001 };
            let (flags, cut, window) = (TcpFlags(*flags), *cut, 65_535);
            let sequence = *sequence + if *from == Side::Client { 10_000 } else { 0 };
            let segment = Segment { sequence, acknowledgment, flags, window, payload, cut };
            let transport = Transport::Tcp(segment);
            let packet = Packet { timestamp: now, tuple, encapsulations: Encapsulations::default(), ttl, transport };
            table.push(&packet, &mut drops, &mut keep);
            now = now.plus(std::time::Duration::from_millis(10));
        }
        table.finish_all(now, &mut drops, &mut keep);
        found.pop().unwrap()
    }

    /// A ClientHello in its record.
    fn hello() -> Vec<u8> {
        let message = test_data::client_hello("openssl_tls12");
        let mut record = vec![22, 3, 1];
        record.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
        record.extend(message);
        record
    }

    #[test]
    fn a_syn_ack_is_seen_from_the_server() {
        use Side::{Client, Server};
        let hello = hello();
        let facts = facts_of(&[
            Sent(Client, SYN, 0, &[], 0),
            Sent(Server, SYN | ACK, 0, &[], 0),
            Sent(Client, ACK, 1, &hello, 0),
        ]);
        assert!(facts.coverage.server_seen);
        assert_eq!((facts.outcome, facts.progress.server_ttl), (Outcome::Incomplete, Some(57)));
        let facts = facts_of(&[Sent(Client, SYN, 0, &[], 0), Sent(Client, ACK, 1, &hello, 0)]);
        assert!(!facts.coverage.server_seen);
        assert_eq!(facts.outcome, Outcome::OneWay { seen: Client });
    }

    #[test]
    fn a_syn_ack_the_client_did_not_go_on_with_moves_nothing() {
        use Side::{Client, Server};
        let hello = hello();
        let alert = [21, 3, 3, 0, 2, 2, 40];
        let facts = facts_of(&[
            Sent(Client, SYN, 0, &[], 0),
            Sent(Server, SYN | ACK, 7_000_000, &[], 0),
            Sent(Server, SYN | ACK, 0, &[], 0),
            Sent(Client, ACK, 1, &hello, 0),
            Sent(Server, SYN | ACK, 7_000_000, &[], 0),
            Sent(Server, ACK, 1, &alert, 0),
        ]);
        assert!(facts.offer.is_some(), "one flow");
        assert_eq!(facts.alerts.len(), 1);
    }

    #[test]
    fn a_keep_alive_before_the_hello_forgets_nothing() {
        use Side::{Client, Server};
        let hello = hello();
        let (first, second) = hello.split_at(100);
        let facts = facts_of(&[
            Sent(Client, SYN, 0, &[], 0),
            Sent(Server, SYN | ACK, 0, &[], 0),
            Sent(Client, ACK, 0, &[0], 0),
            Sent(Client, ACK, 101, second, 0),
            Sent(Client, ACK, 1, first, 0),
        ]);
        assert!(facts.offer.is_some());
    }

    #[test]
    fn an_answer_that_is_not_tls_is_kept_from_its_first_byte() {
        use Side::{Client, Server};
        let hello = hello();
        let answered = |segments: &[&[u8]]| {
            let mut conversation = vec![Sent(Client, ACK, 1, &hello, 0)];
            let mut sequence = 1;
            for segment in segments {
                conversation.push(Sent(Server, ACK, sequence, segment, 0));
                sequence += u32::try_from(segment.len()).unwrap();
            }
            facts_of(&conversation)
        };
        let facts = answered(&[b"HTTP/1.1 400 Bad Request\r\n", b"\r\n"]);
        assert_eq!((facts.outcome, &facts.foreign_answer[..]), (Outcome::NotTls, &b"HTTP/1.1 400 Bad"[..]));
        let facts = answered(&[b"50", b"0 what?\r\n"]);
        assert_eq!((facts.outcome, &facts.foreign_answer[..]), (Outcome::NotTls, &b"500 what?\r\n"[..]));
        let facts = answered(&[&[21, 3, 3, 0, 2, 2, 40]]);
        assert!(facts.foreign_answer.is_empty() && facts.outcome != Outcome::NotTls);
    }

    #[test]
    fn the_middle_of_an_answer_is_not_taken_for_its_start() {
        use Side::{Client, Server};
        let hello = hello();
        let middle = b"U\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x01\x86";
        let facts = facts_of(&[Sent(Client, ACK, 1, &hello, 0), Sent(Server, ACK, 1449, middle, 0)]);
        assert_eq!((facts.outcome, facts.coverage.missing_bytes), (Outcome::Incomplete, 1448));
        assert!(facts.foreign_answer.is_empty());
        let facts = facts_of(&[Sent(Client, ACK, 1, &hello, 0), Sent(Server, ACK, 1, middle, 0)]);
        assert_eq!((facts.outcome, facts.coverage.missing_bytes), (Outcome::NotTls, 0));
    }

    #[test]
    fn bytes_cut_by_a_snap_length_are_told_from_lost_ones() {
        use Side::{Client, Server};
        let hello = hello();
        let flight = [22, 3, 3, 0x0f, 0xff, 2, 0, 0x0f, 0xfb, 3, 3];
        let cut = facts_of(&[Sent(Client, ACK, 1, &hello, 0), Sent(Server, ACK, 1, &flight, 200)]);
        assert_eq!((cut.coverage.missing_bytes, cut.coverage.cut_bytes), (200, 200));
        let lost = facts_of(&[
            Sent(Client, ACK, 1, &hello, 0),
            Sent(Server, ACK, 1, &flight, 0),
            Sent(Server, ACK, 212, &[0; 50], 0),
        ]);
        assert_eq!((lost.coverage.missing_bytes, lost.coverage.cut_bytes), (200, 0));
    }
}
