//! [`DtlsFlow`]: one DTLS association, from datagrams to handshake messages.
//!
//! Messages are handed on in the order of their numbers. One that never becomes whole is lost alone: what comes after
//! it is handed on when the flow ends.

use smallvec::SmallVec;

use super::assembly::Assembly;
use super::facts::{Carrier, Facts, Side};
use super::handshake::{End, Handshake, HelloCut, Shared};
use super::pool::Pool;
use crate::cursor::ParseError;
use crate::dtls::{Fragment, HelloVerifyRequest, PlainRecord, Record, UnifiedRecord, first_record, is_version};
use crate::packet::Packet;
use crate::stats::{DropReason, Drops};
use crate::time::Timestamp;
use crate::tls::ClientHello;
use crate::tls::alert::Alert;
use crate::tls::codepoints::ProtocolVersion;
use crate::tls::extensions::extension_type;
use crate::tls::handshake::{Message, message_type};
use crate::tls::record::content_type;
use crate::tls::server_hello::ServerHello;

/// Messages of a sender that wait for their missing pieces or for those in front of them.
const PENDING: usize = 32;
/// Encrypted records after which no answer is waited for any more: a part of the handshake is not in the capture.
const ENOUGH_ENCRYPTED: u16 = 64;
/// Records looked at in a datagram.
const RECORDS: usize = 64;
/// Fragments looked at in a record.
const FRAGMENTS: usize = 64;
/// Length of a client's random, behind the version at the start of its hello.
const RANDOM: usize = 32;

/// What the flow borrows while it takes a datagram.
pub(crate) struct Around<'a> {
    pub(crate) shared: &'a mut Shared,
    pub(crate) pool: &'a mut Pool,
    pub(crate) drops: &'a mut Drops,
    /// Longest handshake message followed, in bytes.
    pub(crate) message_limit: usize,
}

/// Whether a datagram belongs to an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// It does, or it is nothing.
    Here,
    /// It begins another association between the same endpoints.
    Another,
}

/// A message that is not whole, or not next.
struct Pending {
    sequence: u16,
    message_type: u8,
    length: usize,
    assembly: Assembly,
    fragments: u16,
    datagrams: u16,
    smallest: u16,
    first_at: Timestamp,
    record_version: ProtocolVersion,
}

impl Pending {
    fn is_whole(&self) -> bool {
        self.assembly.contiguous().len() == self.length
    }
}

/// One direction.
#[derive(Default)]
struct Sender {
    /// The number of the next message, once a hello has fixed it.
    next: Option<u16>,
    /// Numbers of messages handed on: the first 64.
    delivered: u64,
    pending: SmallVec<[Pending; 1]>,
    conflict: Option<usize>,
    /// Length in bytes of the connection id in what this side sends encrypted.
    connection_id: Option<usize>,
}

impl Sender {
    const fn has_delivered(&self, sequence: u16) -> bool {
        sequence < 64 && self.delivered >> sequence & 1 == 1
    }
}

/// One association.
pub(crate) struct DtlsFlow {
    pub(crate) handshake: Handshake,
    senders: [Sender; 2],
    client: usize,
    /// The random of the client's first hello.
    random: Option<[u8; RANDOM]>,
    /// Datagrams in which the client's first hello began.
    hellos: u16,
    /// The client sent something that follows an answer.
    client_went_on: bool,
    server_ccs_first: bool,
}

/// Looks at a datagram of an unknown flow. Strict: the lengths of record, fragment and message must agree. Yields who
/// sent it.
#[inline]
pub(crate) fn sniff(payload: &[u8], cut: usize) -> Option<Side> {
    let [content_type::HANDSHAKE, major, minor, 0, 0, ..] = payload else { return None };
    if !is_version([*major, *minor]) {
        return None;
    }
    let Ok((Record::Plain(record), _)) = first_record(payload, cut, None) else { return None };
    let (fragment, _) = Fragment::first(record.body, record.cut).ok()?;
    let lengths = match fragment.message_type {
        message_type::CLIENT_HELLO | message_type::SERVER_HELLO => 38..=65_535,
        message_type::HELLO_VERIFY_REQUEST => 3..=258,
        _ => return None,
    };
    // Nothing is fragmented without need: a piece is the whole message, or a good part of it.
    let version_fits = match (fragment.offset, fragment.data) {
        (0, [major, minor, ..]) => is_version([*major, *minor]) || (*major, *minor) == (0xfe, 0xfe),
        _ => true,
    };
    let plausible = lengths.contains(&fragment.length) && version_fits && fragment.sequence < 8;
    plausible.then_some(if fragment.message_type == message_type::CLIENT_HELLO { Side::Client } else { Side::Server })
}

/// Tells one association's hello from another's in 32 bits; 0 where the datagram does not begin with a hello.
pub(crate) fn mark(payload: &[u8]) -> u32 {
    let Ok((Record::Plain(record), _)) = first_record(payload, usize::MAX, None) else { return 0 };
    let fragment = Fragment::first(record.body, record.cut).ok();
    fragment.and_then(|(fragment, _)| random_of(&fragment)).map_or(0, |random| mark_of(&random))
}

fn mark_of(random: &[u8; RANDOM]) -> u32 {
    // FNV-1a: what tells two hellos apart decides about nothing but a second record.
    random.iter().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn random_of(fragment: &Fragment<'_>) -> Option<[u8; RANDOM]> {
    (fragment.message_type == message_type::CLIENT_HELLO && fragment.offset == 0)
        .then(|| fragment.data.get(2..).and_then(<[u8]>::first_chunk).copied())
        .flatten()
}

impl DtlsFlow {
    /// A flow that `packet` begins, sent by endpoint `source`, which is `side`.
    pub(crate) fn new(packet: &Packet<'_>, source: usize, side: Side) -> Box<Self> {
        let (client, server) = match side {
            Side::Client => (packet.tuple.source, packet.tuple.destination),
            Side::Server => (packet.tuple.destination, packet.tuple.source),
        };
        let mut handshake = Handshake::new(Carrier::Dtls, client, server, packet.timestamp);
        handshake.facts.encapsulations = packet.encapsulations;
        Box::new(Self {
            handshake,
            senders: Default::default(),
            client: if side == Side::Client { source } else { 1 - source },
            random: None,
            hellos: 0,
            client_went_on: false,
            server_ccs_first: false,
        })
    }

    /// What tells late copies of the hello; there is one random for all its forms.
    pub(crate) fn marks(&self) -> [u32; 2] {
        [self.random.as_ref().map_or(0, mark_of), 0]
    }

    const fn side(&self, source: usize) -> Side {
        if source == self.client { Side::Client } else { Side::Server }
    }

    /// Takes a datagram sent by endpoint `source`.
    pub(crate) fn datagram(
        &mut self,
        packet: &Packet<'_>,
        payload: &[u8],
        cut: usize,
        source: usize,
        around: &mut Around<'_>,
    ) -> Belongs {
        if self.is_another(payload, cut, source) {
            return Belongs::Another;
        }
        let side = self.side(source);
        let mut rest = payload;
        let mut any = false;
        for _ in 0..RECORDS {
            let connection_id = self.senders.get(side as usize).and_then(|sender| sender.connection_id);
            let Ok((record, following)) = first_record(rest, cut, connection_id) else { break };
            any = true;
            match record {
                Record::Plain(record) => self.plain(&record, side, payload.len(), packet.timestamp, around),
                Record::Unified(record) => self.unified(record, side),
            }
            rest = following;
            if rest.is_empty() {
                break;
            }
        }
        if any {
            self.note(packet, side);
        }
        Belongs::Here
    }

    /// Whether a datagram begins with another hello than this association did.
    fn is_another(&self, payload: &[u8], cut: usize, source: usize) -> bool {
        let Some(known) = &self.random else { return false };
        let Some(Side::Client) = sniff(payload, cut) else { return false };
        let Ok((Record::Plain(record), _)) = first_record(payload, cut, None) else { return false };
        let Ok((fragment, _)) = Fragment::first(record.body, record.cut) else { return false };
        // The second hello, with a cookie, has a number of its own and the same random.
        let again = random_of(&fragment).is_some_and(|random| random != *known);
        again && (fragment.sequence == 0 || source != self.client)
    }

    fn note(&mut self, packet: &Packet<'_>, side: Side) {
        let facts = &mut self.handshake.facts;
        facts.coverage.packets = facts.coverage.packets.saturating_add(1);
        facts.ended = facts.ended.max(packet.timestamp);
        match side {
            Side::Client => facts.coverage.client_seen = true,
            Side::Server => {
                facts.coverage.server_seen = true;
                facts.progress.server_ttl.get_or_insert(packet.ttl);
            }
        }
    }

    /// A record of DTLS 1.2 or before, or in clear.
    fn plain(
        &mut self,
        record: &PlainRecord<'_>,
        side: Side,
        datagram: usize,
        now: Timestamp,
        around: &mut Around<'_>,
    ) {
        let length = u16::try_from(record.body.len().saturating_add(record.cut)).unwrap_or(u16::MAX);
        if record.epoch > 0 || record.content_type == content_type::TLS12_CID {
            self.changed(side);
            // A retransmitted Finished is no renegotiation: the type of an encrypted record is not told.
            self.handshake.encrypted_record(side, content_type::APPLICATION_DATA, length);
            self.client_went_on |= side == Side::Client;
            return;
        }
        match record.content_type {
            content_type::HANDSHAKE => {
                let mut body = record.body;
                for _ in 0..FRAGMENTS {
                    let Ok((fragment, rest)) = Fragment::first(body, record.cut) else { break };
                    self.fragment(&fragment, record.version, side, datagram, now, around);
                    body = rest;
                    if body.is_empty() {
                        break;
                    }
                }
            }
            content_type::CHANGE_CIPHER_SPEC => self.changed(side),
            content_type::ALERT => {
                if let Ok(alert) = Alert::parse(record.body) {
                    self.handshake.alert(side, alert.level, alert.description);
                    self.client_went_on |= side == Side::Client;
                }
            }
            content_type::HEARTBEAT => self.handshake.heartbeat(side, record.body, length),
            _ => {}
        }
    }

    /// A side has changed its keys. Datagrams come in any order, so that it proves nothing when this comes early.
    fn changed(&mut self, side: Side) {
        let progress = &mut self.handshake.facts.progress;
        match side {
            Side::Client => progress.client_ccs = true,
            Side::Server => {
                self.server_ccs_first |= !progress.client_ccs && !progress.client_key_exchange;
                progress.server_ccs = true;
            }
        }
    }

    /// An encrypted record of DTLS 1.3.
    fn unified(&mut self, record: UnifiedRecord, side: Side) {
        let of_handshake = record.epoch == 2;
        let length = u32::try_from(record.length).unwrap_or(u32::MAX);
        let progress = &mut self.handshake.facts.progress;
        match side {
            // Early data.
            Side::Client if record.epoch == 1 && progress.client_encrypted == 0 => {}
            Side::Client => {
                self.client_went_on = true;
                progress.client_encrypted = progress.client_encrypted.saturating_add(1);
                progress.client_encrypted_bytes = progress.client_encrypted_bytes.saturating_add(length);
                progress.client_finished |= !of_handshake;
            }
            Side::Server => {
                // Its first record with the connection's keys after the client's flight acknowledges that.
                if !of_handshake && progress.client_encrypted > 0 {
                    progress.client_finished = true;
                    progress.server_encrypted_after_finish = progress.server_encrypted_after_finish.saturating_add(1);
                }
                progress.server_encrypted = progress.server_encrypted.saturating_add(1);
                progress.server_encrypted_bytes = progress.server_encrypted_bytes.saturating_add(length);
            }
        }
    }

    fn fragment(
        &mut self,
        fragment: &Fragment<'_>,
        record_version: ProtocolVersion,
        side: Side,
        datagram: usize,
        now: Timestamp,
        around: &mut Around<'_>,
    ) {
        if side == Side::Client {
            match (fragment.message_type, random_of(fragment)) {
                (message_type::CLIENT_HELLO, Some(random)) => {
                    let first = *self.random.get_or_insert(random) == random;
                    if first && fragment.sequence == 0 {
                        self.hellos = self.hellos.saturating_add(1);
                    }
                    self.client_went_on |= fragment.sequence > 0;
                }
                (message_type::CLIENT_HELLO, None) => {}
                _ => self.client_went_on = true,
            }
        }
        if message_type::name(fragment.message_type).is_none() {
            return;
        }
        if fragment.length > around.message_limit {
            let error = ParseError::Invalid { structure: "handshake message", reason: "longer than the limit" };
            if is_hello(fragment.message_type) {
                self.handshake.problem(side, error, fragment.length);
            }
            return;
        }
        let Some(sender) = self.senders.get_mut(side as usize) else { return };
        if sender.has_delivered(fragment.sequence) {
            return;
        }
        let next = is_hello(fragment.message_type) || sender.next == Some(fragment.sequence);
        let known = sender.pending.iter().any(|pending| pending.sequence == fragment.sequence);
        if fragment.is_whole() && next && !known {
            let cut = HelloCut { record_version: Some(record_version), records: 1, packets: 1, smallest_packet: 0 };
            self.message(side, fragment.sequence, fragment.message_type, fragment.data, cut, (now, now), around);
        } else {
            self.hold(fragment, record_version, side, datagram, now, around);
        }
        self.ready(side, now, around);
    }

    /// Keeps a piece until its message is whole and next.
    fn hold(
        &mut self,
        fragment: &Fragment<'_>,
        record_version: ProtocolVersion,
        side: Side,
        datagram: usize,
        now: Timestamp,
        around: &mut Around<'_>,
    ) {
        let Some(sender) = self.senders.get_mut(side as usize) else { return };
        let position = match sender.pending.iter().position(|pending| pending.sequence == fragment.sequence) {
            Some(position) => position,
            None => {
                if sender.pending.len() >= PENDING {
                    around.drops.count(DropReason::BufferFull);
                    return;
                }
                sender.pending.push(Pending {
                    sequence: fragment.sequence,
                    message_type: fragment.message_type,
                    length: fragment.length,
                    assembly: Assembly::default(),
                    fragments: 0,
                    datagrams: 0,
                    smallest: u16::MAX,
                    first_at: now,
                    record_version,
                });
                sender.pending.len().saturating_sub(1)
            }
        };
        let Some(pending) = sender.pending.get_mut(position) else { return };
        if fragment.cut > 0 {
            let cut = u32::try_from(fragment.cut).unwrap_or(u32::MAX);
            let coverage = &mut self.handshake.facts.coverage;
            coverage.cut_bytes = coverage.cut_bytes.saturating_add(cut);
        }
        if pending.length != fragment.length || pending.message_type != fragment.message_type {
            // The first wins, as with bytes.
            sender.conflict.get_or_insert(fragment.offset);
            return;
        }
        if !pending.assembly.place(fragment.offset, fragment.data, pending.length, around.pool) {
            around.drops.count(DropReason::BufferFull);
            return;
        }
        pending.fragments = pending.fragments.saturating_add(1);
        pending.datagrams = pending.datagrams.saturating_add(1);
        pending.smallest = pending.smallest.min(u16::try_from(datagram).unwrap_or(u16::MAX));
    }

    /// Hands on the messages that are whole and next.
    fn ready(&mut self, side: Side, now: Timestamp, around: &mut Around<'_>) {
        while let Some(sender) = self.senders.get_mut(side as usize)
            && let Some(position) = sender.pending.iter().position(|pending| {
                pending.is_whole() && (sender.next == Some(pending.sequence) || is_hello(pending.message_type))
            })
        {
            let pending = sender.pending.remove(position);
            self.whole(side, pending, now, around);
        }
    }

    /// Hands on a message that was put together.
    fn whole(&mut self, side: Side, mut pending: Pending, now: Timestamp, around: &mut Around<'_>) {
        if let Some(sender) = self.senders.get_mut(side as usize)
            && sender.conflict.is_none()
        {
            sender.conflict = pending.assembly.conflict();
        }
        let cut = HelloCut {
            record_version: Some(pending.record_version),
            records: pending.fragments.max(1),
            packets: pending.datagrams.max(1),
            smallest_packet: if pending.datagrams > 1 { pending.smallest } else { 0 },
        };
        let at = (pending.first_at, now);
        let body = pending.assembly.contiguous();
        self.message(side, pending.sequence, pending.message_type, body, cut, at, around);
        pending.assembly.release(around.pool);
    }

    /// Takes a whole message; `at` is when its first and its last piece came.
    #[expect(clippy::too_many_arguments, reason = "what is known of a message beside its bytes")]
    fn message(
        &mut self,
        side: Side,
        sequence: u16,
        message_type: u8,
        body: &[u8],
        cut: HelloCut,
        at: (Timestamp, Timestamp),
        around: &mut Around<'_>,
    ) {
        if message_type == message_type::HELLO_VERIFY_REQUEST {
            // It has a number, but some servers begin with the same one again.
            if side == Side::Server && HelloVerifyRequest::parse_body(body).is_ok() {
                self.handshake.facts.hello_verify = true;
            }
            return;
        }
        if let Some(sender) = self.senders.get_mut(side as usize) {
            if sequence < 64 {
                sender.delivered |= 1 << sequence;
            }
            sender.next = Some(sender.next.map_or(sequence, |next| next.max(sequence)).saturating_add(1));
        }
        let had_offer = self.handshake.facts.offer.is_some();
        self.handshake.message(side, Message { message_type, body }, cut, at.0, around.shared);
        match (side, message_type) {
            (Side::Client, message_type::CLIENT_HELLO) => {
                if !had_offer {
                    self.handshake.facts.progress.hello_at = at.1;
                }
                let hello = ClientHello::parse_dtls_body(body).ok();
                // A cookie proves that it was asked for, even where that was not seen.
                let has_cookie = hello.is_some_and(|hello| hello.cookie.is_some_and(|cookie| !cookie.is_empty()));
                self.handshake.facts.hello_verify |= has_cookie;
                let id = hello.and_then(|hello| hello.connection_id().ok().flatten());
                self.set_connection_id(Side::Server, id.map(<[u8]>::len));
            }
            (Side::Server, message_type::SERVER_HELLO) => {
                let id = ServerHello::parse_body(body)
                    .ok()
                    .and_then(|hello| hello.extensions.find(extension_type::CONNECTION_ID))
                    .and_then(|extension| extension.first().copied());
                if id.is_none() {
                    self.set_connection_id(Side::Server, None);
                }
                self.set_connection_id(Side::Client, id.map(usize::from));
            }
            _ => {}
        }
    }

    fn set_connection_id(&mut self, sender: Side, length: Option<usize>) {
        if let Some(sender) = self.senders.get_mut(sender as usize) {
            sender.connection_id = length;
        }
    }

    /// Whether nothing more is to be learned from this flow.
    pub(crate) fn is_over(&self) -> bool {
        let facts = &self.handshake.facts;
        let encrypted = facts.progress.client_encrypted.saturating_add(facts.progress.server_encrypted);
        self.handshake.is_complete()
            || encrypted >= ENOUGH_ENCRYPTED
            || facts.alerts.iter().any(|alert| alert.level == 2)
    }

    /// Ends the flow: hands on what lies behind messages that never came, decides the outcome, gives buffers back.
    pub(crate) fn end(&mut self, end: End, now: Timestamp, around: &mut Around<'_>, finished: &mut dyn FnMut(&Facts)) {
        for side in [Side::Client, Side::Server] {
            let Some(sender) = self.senders.get_mut(side as usize) else { continue };
            let mut pending = std::mem::take(&mut sender.pending);
            pending.sort_unstable_by_key(|pending| pending.sequence);
            for mut pending in pending {
                if pending.is_whole() {
                    self.whole(side, pending, now, around);
                    continue;
                }
                let missing = pending.length.saturating_sub(pending.assembly.present());
                let coverage = &mut self.handshake.facts.coverage;
                coverage.missing_bytes =
                    coverage.missing_bytes.saturating_add(u32::try_from(missing).unwrap_or(u32::MAX));
                if let Some(sender) = self.senders.get_mut(side as usize)
                    && sender.conflict.is_none()
                {
                    sender.conflict = pending.assembly.conflict();
                }
                pending.assembly.release(around.pool);
            }
        }
        let conflict = self.senders.iter().find_map(|sender| sender.conflict);
        let facts = &mut self.handshake.facts;
        facts.coverage.overlap_conflict = conflict.and_then(|at| u32::try_from(at).ok());
        self.settle_resumption();
        let facts = &self.handshake.facts;
        self.handshake.unanswered =
            self.hellos > 1 && !facts.coverage.server_seen && !self.client_went_on && facts.offer.is_some();
        self.handshake.settle(end, now);
        if self.handshake.is_begun() {
            finished(&self.handshake.facts);
        }
    }

    /// Whether the session was resumed, up to DTLS 1.2: then the server changes its keys first, and no key is exchanged.
    fn settle_resumption(&mut self) {
        let facts = &mut self.handshake.facts;
        let open = facts.selection.is_some() && facts.resumed.is_none() && !facts.is_tls13();
        if !open {
            return;
        }
        if facts.progress.client_key_exchange {
            facts.resumed = Some(false);
        } else if facts.progress.server_ccs && self.server_ccs_first && facts.coverage.missing_bytes == 0 {
            facts.resumed = Some(true);
        }
    }
}

const fn is_hello(message_type: u8) -> bool {
    matches!(message_type, message_type::CLIENT_HELLO | message_type::SERVER_HELLO | message_type::HELLO_VERIFY_REQUEST)
}
