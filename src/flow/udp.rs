//! Datagrams: which of them belong to a handshake, and of what kind.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::time::Duration;

use super::quic::{self, Around, QuicFlow};
use super::{End, FlowTable, State, index, timeout};
use crate::flow::facts::Facts;
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
            None => match quic::sniff(payload, cut) {
                quic::Sniff::Nothing => {}
                sniffed => self.first_quic(None, key, sniffed, packet, payload, cut, source, drops, finished),
            },
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
            State::Finished { hello_sequence } => {
                let known = *hello_sequence;
                match quic::sniff(payload, cut) {
                    quic::Sniff::Nothing => {}
                    quic::Sniff::Initial if known == quic::mark(payload) && !expired => {}
                    sniffed => {
                        self.first_quic(Some(slot), key, sniffed, packet, payload, cut, source, drops, finished);
                    }
                }
            }
            _ => {}
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
        let hash = self.hasher.hash_one(key);
        let now = packet.timestamp;
        let slot = match slot {
            Some(slot) => slot,
            None => self.insert(key, hash, now, State::Free, drops, finished),
        };
        let over = flow.is_over();
        self.begin(slot, State::Quic(Box::new(flow)), now, drops, finished);
        if over {
            self.finish(slot, End::Closed, now, drops, finished);
        }
    }
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
