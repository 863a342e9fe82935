//! Datagrams: which of them belong to a handshake, and of what kind.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::time::Duration;

use super::dtls::{self, Belongs, DtlsFlow};
use super::facts::{Facts, Side};
use super::quic::{self, Around, QuicFlow};
use super::{End, FlowTable, State, index, timeout};
use crate::cursor::Cursor;
use crate::packet::{Datagram, FlowKey, Packet};
use crate::stats::Drops;
use crate::time::Timestamp;

/// Datagrams kept that came before what opens them.
const EARLY: usize = 64;
/// How long such a datagram is of use.
const EARLY_FOR: Duration = Duration::from_secs(2);
/// Longest such datagram kept, in bytes.
const EARLY_LENGTH: usize = 2048;

/// What datagrams of all flows share.
#[derive(Default)]
pub(crate) struct UdpShared {
    /// Where packets are opened.
    scratch: Vec<u8>,
    /// QUIC Initials that no key opened, of flows without a connection: a server's that overtook its client's. A ring.
    early: EarlyRing,
}

#[derive(Default)]
struct EarlyRing(VecDeque<Early>);

struct Early {
    key: FlowKey,
    source: usize,
    at: Timestamp,
    bytes: Vec<u8>,
}

impl FlowTable {
    /// Takes a datagram.
    #[inline]
    pub(super) fn datagram(
        &mut self,
        packet: &Packet<'_>,
        datagram: &Datagram<'_>,
        drops: &mut Drops,
        finished: &mut dyn FnMut(&Facts),
    ) {
        let (key, source_is_low) = FlowKey::new(&packet.tuple, packet.encapsulations.flow_key());
        let source = usize::from(!source_is_low);
        let hash = self.hasher.hash_one(key);
        let slots = &self.slots;
        let known = self.index.find(hash, |slot| slots.get(index(*slot)).is_some_and(|entry| entry.key == key));
        let payload = datagram.payload;
        let cut = usize::try_from(datagram.cut).unwrap_or(usize::MAX);
        match known.copied() {
            Some(slot) => self.known_datagram(slot, packet, payload, cut, source, drops, finished),
            None => {
                let begins = Begins::of(payload, cut);
                self.first_datagram(None, key, begins, packet, source, drops, finished);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "looked up once, handed on")]
    fn known_datagram(
        &mut self,
        slot: u32,
        packet: &Packet<'_>,
        payload: &[u8],
        cut: usize,
        source: usize,
        drops: &mut Drops,
        finished: &mut dyn FnMut(&Facts),
    ) {
        let now = packet.timestamp;
        let Some(entry) = self.slots.get_mut(index(slot)) else { return };
        let expired = now.since(entry.last) > timeout(&entry.state, &self.limits);
        entry.last = entry.last.max(now);
        let key = entry.key;
        match &mut entry.state {
            State::Quic(_) if expired => {
                self.finish(slot, End::TimedOut, now, drops, finished);
                self.known_datagram(slot, packet, payload, cut, source, drops, finished);
            }
            State::Quic(flow) => {
                let mut around = Around {
                    shared: &mut self.shared,
                    pool: &mut self.pool,
                    scratch: &mut self.udp.scratch,
                    drops,
                    message_limit: self.limits.message_bytes,
                    finished,
                };
                if !flow.google_datagram(packet, payload, source) {
                    flow.datagram(packet, payload, cut, source, &mut around);
                }
                if flow.is_over() {
                    self.finish(slot, End::Closed, now, drops, finished);
                }
            }
            State::Dtls(_) if expired => {
                self.finish(slot, End::TimedOut, now, drops, finished);
                self.known_datagram(slot, packet, payload, cut, source, drops, finished);
            }
            State::Dtls(flow) => {
                let mut around = dtls::Around {
                    shared: &mut self.shared,
                    pool: &mut self.pool,
                    drops,
                    message_limit: self.limits.message_bytes,
                };
                let inner = carried(payload, cut);
                if flow.datagram(packet, inner.payload, inner.cut, source, &mut around) == Belongs::Another {
                    self.finish(slot, End::GivenUp, now, drops, finished);
                    self.known_datagram(slot, packet, payload, cut, source, drops, finished);
                } else if flow.is_over() {
                    self.finish(slot, End::Closed, now, drops, finished);
                }
            }
            State::Finished(mark) => {
                let mark = *mark;
                let begins = Begins::of(payload, cut);
                if expired || !mark.is_copied_datagram(begins.mark(), now) {
                    self.first_datagram(Some(slot), key, begins, packet, source, drops, finished);
                }
            }
            _ => {}
        }
    }

    /// A datagram that may begin something: in a new flow, or in the finished one in `slot`.
    #[expect(clippy::too_many_arguments, reason = "looked up once, handed on")]
    #[inline]
    fn first_datagram(
        &mut self,
        slot: Option<u32>,
        key: FlowKey,
        begins: Begins<'_>,
        packet: &Packet<'_>,
        source: usize,
        drops: &mut Drops,
        finished: &mut dyn FnMut(&Facts),
    ) {
        match begins {
            Begins::Nothing => {}
            Begins::Quic { sniffed, payload, cut } => {
                self.first_quic(slot, key, sniffed, packet, payload, cut, source, drops, finished);
            }
            Begins::Dtls { side, inner } => {
                let mut flow = DtlsFlow::new(packet, source, side);
                let mut around = dtls::Around {
                    shared: &mut self.shared,
                    pool: &mut self.pool,
                    drops,
                    message_limit: self.limits.message_bytes,
                };
                flow.datagram(packet, inner.payload, inner.cut, source, &mut around);
                let over = flow.is_over();
                let slot = self.slot_for(slot, key, packet, drops, finished);
                self.begin(slot, State::Dtls(flow), packet.timestamp, drops, finished);
                if over {
                    self.finish(slot, End::Closed, packet.timestamp, drops, finished);
                }
            }
        }
    }

    /// The slot a flow is followed in: the one it had, or a new one.
    fn slot_for(
        &mut self,
        slot: Option<u32>,
        key: FlowKey,
        packet: &Packet<'_>,
        drops: &mut Drops,
        finished: &mut dyn FnMut(&Facts),
    ) -> u32 {
        match slot {
            Some(slot) => slot,
            None => {
                let hash = self.hasher.hash_one(key);
                self.insert(key, hash, packet.timestamp, State::Free, drops, finished)
            }
        }
    }

    /// A datagram that may begin a QUIC connection: in a new flow, or in the finished one in `slot`.
    #[expect(clippy::too_many_arguments, reason = "looked up once, handed on")]
    fn first_quic(
        &mut self,
        slot: Option<u32>,
        key: FlowKey,
        sniffed: quic::Sniff,
        packet: &Packet<'_>,
        payload: &[u8],
        cut: usize,
        source: usize,
        drops: &mut Drops,
        finished: &mut dyn FnMut(&Facts),
    ) {
        let mut flow = QuicFlow::default();
        let UdpShared { scratch, early } = &mut self.udp;
        let mut around = Around {
            shared: &mut self.shared,
            pool: &mut self.pool,
            scratch,
            drops,
            message_limit: self.limits.message_bytes,
            finished,
        };
        if !flow.google_datagram(packet, payload, source) {
            flow.datagram(packet, payload, cut, source, &mut around);
        }
        if flow.is_empty() {
            if sniffed == quic::Sniff::Initial && slot.is_none() {
                early.keep(key, source, packet.timestamp, payload);
            }
            return;
        }
        for early in early.take(key, packet.timestamp) {
            flow.datagram(packet, &early.bytes, 0, early.source, &mut around);
        }
        let now = packet.timestamp;
        let slot = self.slot_for(slot, key, packet, drops, finished);
        let over = flow.is_over();
        self.begin(slot, State::Quic(Box::new(flow)), now, drops, finished);
        if over {
            self.finish(slot, End::Closed, now, drops, finished);
        }
    }
}

/// What a datagram may begin.
enum Begins<'a> {
    Nothing,
    Quic { sniffed: quic::Sniff, payload: &'a [u8], cut: usize },
    Dtls { side: Side, inner: Carried<'a> },
}

impl<'a> Begins<'a> {
    /// Looks at the first bytes of a datagram of a flow in which nothing is under way. Most of all traffic ends here.
    #[inline]
    fn of(payload: &'a [u8], cut: usize) -> Self {
        let Some(first) = payload.first() else { return Self::Nothing };
        match first {
            // A DTLS handshake record, or TURN around one.
            22 | 0x00 | 0x40..=0x7f => {
                let inner = carried(payload, cut);
                match dtls::sniff(inner.payload, inner.cut) {
                    Some(side) => Self::Dtls { side, inner },
                    None => Self::Nothing,
                }
            }
            _ => match quic::sniff(payload, cut) {
                quic::Sniff::Nothing => Self::Nothing,
                sniffed => Self::Quic { sniffed, payload, cut },
            },
        }
    }

    /// Tells a late copy of what a finished flow began with.
    fn mark(&self) -> Option<u32> {
        match self {
            Self::Nothing | Self::Quic { sniffed: quic::Sniff::Other | quic::Sniff::Nothing, .. } => None,
            Self::Quic { payload, .. } => Some(quic::mark(payload)),
            Self::Dtls { inner, .. } => Some(dtls::mark(inner.payload)),
        }
    }
}

/// What a datagram carries, and how much of that was not captured.
#[derive(Clone, Copy)]
struct Carried<'a> {
    payload: &'a [u8],
    cut: usize,
}

/// What lies in a TURN channel or a STUN Send or Data indication; any other datagram as it is.
#[inline]
fn carried(payload: &[u8], cut: usize) -> Carried<'_> {
    let plain = Carried { payload, cut };
    match payload {
        // ChannelData (RFC 8656 section 12.4; channels up to 0x7fff in RFC 5766).
        [0x40..=0x7f, _, high, low, data @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let missing = length.saturating_sub(data.len());
            match data.get(..length.min(data.len())) {
                Some(payload) if missing <= cut => Carried { payload, cut: missing },
                _ => plain,
            }
        }
        // Send and Data indications with the magic cookie (RFC 8489 section 5, RFC 8656 sections 11.6 and 11.7).
        [0x00, 0x16 | 0x17, _, _, 0x21, 0x12, 0xa4, 0x42, rest @ ..] => stun_data(rest, cut).unwrap_or(plain),
        _ => plain,
    }
}

/// The DATA attribute of a STUN message, behind whose magic cookie `rest` begins.
fn stun_data(rest: &[u8], cut: usize) -> Option<Carried<'_>> {
    const DATA: u16 = 0x0013;
    let mut cursor = Cursor::new(rest);
    cursor.take(12, "STUN transaction id").ok()?;
    // There are few attributes in an indication: addresses, software, the data.
    for _ in 0..16 {
        let attribute = cursor.u16("STUN attribute").ok()?;
        let length = usize::from(cursor.u16("STUN attribute").ok()?);
        if attribute == DATA {
            let missing = length.saturating_sub(cursor.remaining());
            let payload = cursor.take(length.saturating_sub(missing), "STUN attribute").ok()?;
            return (missing <= cut).then_some(Carried { payload, cut: missing });
        }
        cursor.take(length.next_multiple_of(4), "STUN attribute").ok()?;
    }
    None
}

impl EarlyRing {
    fn keep(&mut self, key: FlowKey, source: usize, at: Timestamp, payload: &[u8]) {
        if payload.len() > EARLY_LENGTH {
            return;
        }
        let mut bytes = if self.0.len() >= EARLY {
            self.0.pop_front().map(|early| early.bytes).unwrap_or_default()
        } else {
            Vec::with_capacity(EARLY_LENGTH)
        };
        bytes.clear();
        bytes.extend_from_slice(payload);
        self.0.push_back(Early { key, source, at, bytes });
    }

    fn take(&mut self, key: FlowKey, now: Timestamp) -> Vec<Early> {
        let mut taken = Vec::new();
        while let Some(at) = self.0.iter().position(|early| early.key == key) {
            if let Some(early) = self.0.remove(at)
                && now.since(early.at) <= EARLY_FOR
            {
                taken.push(early);
            }
        }
        taken
    }
}
