//! [`QuicFlow`]: the QUIC connections between two endpoints, as far as their hellos go.
//!
//! One pair of ports may carry several connections, which are told apart by their ids and, before all, by which keys
//! open a packet: what no key opens belongs to nothing here.

use smallvec::SmallVec;

use super::assembly::Assembly;
use super::facts::{Carrier, Facts, QuicClose, QuicFacts, SeenTransportParameter, Side};
use super::handshake::{End, Handshake, HelloCut, Shared};
use super::pool::Pool;
use crate::cursor::ParseError;
use crate::packet::Packet;
use crate::quic::{
    Chlo, ConnectionClose, Frame, Frames, GoogleQuic, InitialSecret, LongPacket, MAX_CONNECTION_ID, Opened, PacketKeys,
    PacketType, ShortPacket, TransportParameter, TransportParameters, Version, VersionInformation, VersionNegotiation,
    first_packet, parameter,
};
use crate::stats::{DropReason, Drops};
use crate::time::Timestamp;
use crate::tls::ClientHello;
use crate::tls::codepoints::AlertDescription;
use crate::tls::handshake::{HandshakeHeader, Message, message_type};

/// Connections followed at once between two endpoints.
const CONNECTIONS: usize = 8;
/// Keys kept a connection: the first, those after a Retry, another version's.
const KEYS: usize = 4;
/// How far beyond the bytes in order a CRYPTO frame may lie. RFC 9000 section 7.5 asks endpoints for 4096 bytes.
const AHEAD: usize = 32 << 10;
/// Transport parameters kept.
const PARAMETERS: usize = 64;
/// Versions kept of a list.
const VERSIONS: usize = 32;
/// Bytes kept of a text a peer chose.
const TEXT: usize = 256;
/// 1-RTT packets after which no answer is waited for any more: a part of the handshake is not in the capture.
const ENOUGH_PROTECTED: u16 = 64;
/// Coalesced packets looked at in a datagram.
const COALESCED: usize = 16;

/// What the flow borrows while it takes a datagram.
pub(crate) struct Around<'a> {
    pub(crate) shared: &'a mut Shared,
    pub(crate) pool: &'a mut Pool,
    /// Where packets are opened.
    pub(crate) scratch: &'a mut Vec<u8>,
    pub(crate) drops: &'a mut Drops,
    /// Longest handshake message followed, in bytes.
    pub(crate) message_limit: usize,
    pub(crate) finished: &'a mut dyn FnMut(&Facts),
}

/// A connection id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ConnectionId {
    bytes: [u8; MAX_CONNECTION_ID],
    length: u8,
}

impl ConnectionId {
    fn new(id: &[u8]) -> Self {
        let mut bytes = [0; MAX_CONNECTION_ID];
        for (to, from) in bytes.iter_mut().zip(id) {
            *to = *from;
        }
        Self { bytes, length: u8::try_from(id.len().min(MAX_CONNECTION_ID)).unwrap_or(u8::MAX) }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// Initials of a connection among which a copy is looked for.
const TAGS: usize = 8;

/// What is made from one original destination id and one version.
struct Keys {
    version: Version,
    original: ConnectionId,
    secret: InitialSecret,
    client: PacketKeys,
    server: Option<PacketKeys>,
}

impl Keys {
    fn new(version: Version, original: &[u8]) -> Option<Self> {
        let secret = InitialSecret::new(version, original)?;
        let client = secret.client();
        Some(Self { version, original: ConnectionId::new(original), secret, client, server: None })
    }

    fn of(&mut self, side: Side) -> &PacketKeys {
        match side {
            Side::Client => &self.client,
            Side::Server => self.server.get_or_insert_with(|| self.secret.server()),
        }
    }
}

/// One direction's CRYPTO bytes at the Initial level.
#[derive(Default)]
struct CryptoStream {
    assembly: Assembly,
    /// Bytes already handled as messages.
    delivered: usize,
    /// Frames and datagrams since the last message.
    frames: u16,
    datagrams: u16,
    smallest: u16,
    first_at: Option<Timestamp>,
    /// A message that cannot be: nothing more is read.
    over: bool,
}

/// One connection.
struct Connection {
    handshake: Handshake,
    client: usize,
    keys: SmallVec<[Keys; 1]>,
    client_id: ConnectionId,
    server_id: Option<ConnectionId>,
    largest: [Option<u64>; 2],
    streams: [CryptoStream; 2],
    /// The ends of the tags of the last Initials.
    tags: [u64; TAGS],
    /// Datagrams from the client with an Initial in which its hello was.
    hello_datagrams: u16,
    /// The client sent what follows an answer: an acknowledgement, a Handshake or a 1-RTT packet.
    client_went_on: bool,
    /// 1-RTT packets seen.
    protected: u16,
    /// A CHLO of Google's own handshake was seen.
    google: bool,
    reported: bool,
}

/// What came before the first hello that could be read.
#[derive(Default)]
struct Prelude {
    refused: Option<Version>,
    offered: Option<Vec<Version>>,
    undecryptable: u16,
}

/// The connections between two endpoints.
#[derive(Default)]
pub(crate) struct QuicFlow {
    connections: Vec<Connection>,
    prelude: Prelude,
    /// What tells late copies of the last connection's first packet, and of the first after a Retry or Version
    /// Negotiation.
    marks: [u32; 2],
}

/// What the first bytes of a datagram look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sniff {
    /// An Initial of a version whose keys can be made.
    Initial,
    /// A packet of a version of QUIC that cannot be read, or a list of versions.
    Other,
    /// Neither.
    Nothing,
}

/// Looks at a datagram of an unknown flow. Costs a few comparisons; the proof is an Initial that opens.
#[inline]
pub(crate) fn sniff(payload: &[u8], cut: usize) -> Sniff {
    let [first, a, b, c, d, destination_length, ..] = payload else { return Sniff::Nothing };
    let version = Version(u32::from_be_bytes([*a, *b, *c, *d]));
    if first & 0x80 == 0 {
        let google = first & 0xc9 == 0x09 && GoogleQuic::parse(payload).is_ok_and(|found| found.chlo.is_some());
        return if google { Sniff::Other } else { Sniff::Nothing };
    }
    if version.is_google_crypto() && GoogleQuic::parse(payload).is_ok_and(|found| found.chlo.is_some()) {
        return Sniff::Other;
    }
    if usize::from(*destination_length) > MAX_CONNECTION_ID && !version.is_google() {
        return Sniff::Nothing;
    }
    if version.is_readable() {
        let initial = matches!(
            first_packet(payload, cut),
            Ok((crate::quic::Packet::Long(LongPacket { packet_type: PacketType::Initial, .. }), _))
        );
        return if initial { Sniff::Initial } else { Sniff::Nothing };
    }
    match first_packet(payload, cut) {
        Ok((crate::quic::Packet::VersionNegotiation(list), _)) if is_list(&list) => Sniff::Other,
        Ok((crate::quic::Packet::Unknown { version, destination, source }, _))
            if version.is_plausible() && destination.len() >= 8 && source.len() <= MAX_CONNECTION_ID =>
        {
            Sniff::Other
        }
        _ => Sniff::Nothing,
    }
}

/// Whether bytes that could be a Version Negotiation packet name a version anybody knows.
fn is_list(list: &VersionNegotiation<'_>) -> bool {
    list.source.len() <= MAX_CONNECTION_ID
        && list.versions().all(|version| version != Version::NEGOTIATION)
        && list.versions().any(Version::is_plausible)
}

/// Tells one connection's first packet from another's in 32 bits.
pub(crate) fn mark(payload: &[u8]) -> u32 {
    let Ok((crate::quic::Packet::Long(packet), _)) = first_packet(payload, 0) else { return 0 };
    mark_of(packet.destination)
}

fn mark_of(id: &[u8]) -> u32 {
    // FNV-1a: what tells two packets apart decides about nothing but a second record.
    id.iter().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

impl QuicFlow {
    /// What tells late copies of the first packets: before a Retry or Version Negotiation, and after it.
    pub(crate) const fn marks(&self) -> [u32; 2] {
        self.marks
    }

    /// Whether anything is known that a later packet could make a record of.
    pub(crate) fn is_empty(&self) -> bool {
        self.connections.is_empty() && self.prelude.refused.is_none() && self.prelude.offered.is_none()
    }

    /// When the oldest connection not yet reported began.
    pub(crate) fn is_over(&self) -> bool {
        !self.connections.is_empty() && self.connections.iter().all(|connection| connection.reported)
    }

    /// Takes a datagram sent by endpoint `source`. `payload` is what the UDP datagram, or what carries QUIC in it,
    /// holds; `cut` bytes of it were not captured. Returns whether something in it could be read.
    pub(crate) fn datagram(
        &mut self,
        packet: &Packet<'_>,
        payload: &[u8],
        cut: usize,
        source: usize,
        around: &mut Around<'_>,
    ) -> bool {
        let mut rest = payload;
        let mut understood = false;
        let mut counted = u64::MAX;
        for _ in 0..COALESCED {
            let Ok((next, following)) = first_packet(rest, cut) else { break };
            let datagram = Datagram { packet, length: payload.len().saturating_add(cut), source };
            let touched = match next {
                crate::quic::Packet::Long(long) if long.packet_type == PacketType::Initial => {
                    let read = self.initial(&long, &datagram, around);
                    if read.is_none() {
                        self.undecryptable(&long, source, around.drops);
                    }
                    read
                }
                crate::quic::Packet::Long(long) => self.long(&long, source),
                crate::quic::Packet::Short(short) => self.short(&short, source),
                crate::quic::Packet::Retry(retry) => {
                    let found = self.find(1 - source, retry.destination);
                    if let Some(connection) = found.and_then(|index| self.connections.get_mut(index)) {
                        connection.quic().retry = true;
                        connection.server_id = Some(ConnectionId::new(retry.source));
                    }
                    found
                }
                crate::quic::Packet::VersionNegotiation(list) if is_list(&list) => {
                    understood = true;
                    self.version_negotiation(&list, source)
                }
                crate::quic::Packet::VersionNegotiation(_) => None,
                crate::quic::Packet::Unknown { version, .. } => {
                    understood |= self.unknown(version, &datagram, rest, around.drops);
                    None
                }
            };
            if let Some(connection) = touched.and_then(|index| self.connections.get_mut(index)) {
                understood = true;
                let bit = touched.and_then(|index| u32::try_from(index).ok()).map_or(0, |index| 1_u64 << (index & 63));
                let first = counted & bit != 0;
                counted &= !bit;
                connection.note(packet, source, first);
            }
            rest = following;
            if rest.is_empty() {
                break;
            }
        }
        self.report(around);
        understood
    }

    /// The connection to which a packet for `destination` belongs, seen from a client at endpoint `client`.
    fn find(&self, client: usize, destination: &[u8]) -> Option<usize> {
        let mut open = self.connections.iter().enumerate().filter(|(_, connection)| connection.client == client);
        let matching = open.clone().find(|(_, connection)| connection.client_id.as_slice() == destination);
        matching.or_else(|| open.next_back()).map(|(index, _)| index)
    }

    /// Opens an Initial and handles what is in it; the connection it belongs to, or `None` where no key opens it.
    fn initial(&mut self, long: &LongPacket<'_>, datagram: &Datagram<'_>, around: &mut Around<'_>) -> Option<usize> {
        let mut scratch = std::mem::take(around.scratch);
        let found = self.open(long, datagram, &mut scratch, around);
        if let Some((index, opened)) = found
            && let Some(connection) = self.connections.get_mut(index)
        {
            connection.opened(long, opened, opened.payload(&scratch), datagram, around);
        }
        *around.scratch = scratch;
        found.map(|(index, _)| index)
    }

    /// Finds the keys that open an Initial: those of a connection it names, of any other, its own.
    fn open(
        &mut self,
        long: &LongPacket<'_>,
        datagram: &Datagram<'_>,
        scratch: &mut Vec<u8>,
        around: &mut Around<'_>,
    ) -> Option<(usize, Opened)> {
        for named in [true, false] {
            for (index, connection) in self.connections.iter_mut().enumerate() {
                let side = connection.side(datagram.source);
                // Without a tag to tell, only a connection that the packet names is tried.
                if connection.is_named(side, long.destination) == named
                    && (long.cut == 0 || named)
                    && let Some(opened) = connection.open_any(side, long, scratch)
                {
                    return Some((index, opened));
                }
            }
        }
        self.begin(long, datagram, scratch, around)
    }

    /// A client's Initial that its own destination id opens: a new connection, or one that goes on after Retry or
    /// Version Negotiation.
    fn begin(
        &mut self,
        long: &LongPacket<'_>,
        datagram: &Datagram<'_>,
        scratch: &mut Vec<u8>,
        around: &mut Around<'_>,
    ) -> Option<(usize, Opened)> {
        let keys = Keys::new(long.version, long.destination)?;
        let opened = keys.client.open(long, None, scratch)?;
        if !opened.authentic && !looks_like_hello(long.version, opened.payload(scratch)) {
            return None;
        }
        let source = datagram.source;
        let again = self
            .connections
            .iter_mut()
            .enumerate()
            .find(|(_, connection)| connection.client == source && connection.goes_on_with(long, &self.prelude));
        if let Some((index, connection)) = again {
            connection.restart(keys, around.pool);
            self.marks = [self.marks[0], mark_of(long.destination)];
            return Some((index, opened));
        }
        if self.connections.len() >= CONNECTIONS {
            let reported = self.connections.iter().position(|connection| connection.reported);
            let mut oldest = self.connections.remove(reported.unwrap_or_default());
            if !oldest.reported {
                around.drops.count(DropReason::FlowTableFull);
                oldest.end(End::GivenUp, datagram.packet.timestamp, around.pool, around.finished);
            }
        }
        self.marks = [mark_of(long.destination), 0];
        let mut connection = Connection::new(datagram, keys, long);
        let quic = connection.quic();
        quic.refused = self.prelude.refused.take().filter(|refused| *refused != long.version);
        quic.offered_by_server = self.prelude.offered.take();
        quic.undecryptable = std::mem::take(&mut self.prelude.undecryptable);
        self.connections.push(connection);
        self.connections.len().checked_sub(1).map(|index| (index, opened))
    }

    fn undecryptable(&mut self, long: &LongPacket<'_>, source: usize, drops: &mut Drops) {
        drops.count(DropReason::QuicUndecryptable);
        let counter =
            match self.connections.iter_mut().rev().find(|connection| {
                !connection.reported && connection.is_named(connection.side(source), long.destination)
            }) {
                Some(connection) => &mut connection.quic().undecryptable,
                None => &mut self.prelude.undecryptable,
            };
        *counter = counter.saturating_add(1);
    }

    /// 0-RTT and Handshake packets: only that they are there can be told.
    fn long(&mut self, long: &LongPacket<'_>, source: usize) -> Option<usize> {
        let index = self.belonging(source, |connection, side| connection.is_named(side, long.destination))?;
        let connection = self.connections.get_mut(index)?;
        let side = connection.side(source);
        let size = u32::try_from(long.bytes.len().saturating_add(long.cut)).unwrap_or(u32::MAX);
        match (side, long.packet_type) {
            (Side::Client, PacketType::ZeroRtt) => {
                let count = &mut connection.quic().early_data_packets;
                *count = count.saturating_add(1);
            }
            (Side::Client, _) => {
                connection.client_went_on = true;
                let progress = &mut connection.handshake.facts.progress;
                progress.client_encrypted = progress.client_encrypted.saturating_add(1);
                progress.client_encrypted_bytes = progress.client_encrypted_bytes.saturating_add(size);
            }
            (Side::Server, _) => {
                connection.learn_server(long);
                let progress = &mut connection.handshake.facts.progress;
                progress.server_encrypted = progress.server_encrypted.saturating_add(1);
                progress.server_encrypted_bytes = progress.server_encrypted_bytes.saturating_add(size);
            }
        }
        Some(index)
    }

    /// 1-RTT packets: the client sends them once it has verified the server's Finished.
    fn short(&mut self, short: &ShortPacket<'_>, source: usize) -> Option<usize> {
        let index = self.belonging(source, |connection, side| match (side, &connection.server_id) {
            (Side::Client, Some(id)) => short.rest.starts_with(id.as_slice()),
            (Side::Client, None) => false,
            (Side::Server, _) => short.rest.starts_with(connection.client_id.as_slice()),
        })?;
        let connection = self.connections.get_mut(index)?;
        let side = connection.side(source);
        let progress = &mut connection.handshake.facts.progress;
        match side {
            Side::Client => {
                connection.client_went_on = true;
                progress.client_finished = true;
            }
            Side::Server if progress.client_finished => {
                progress.server_encrypted_after_finish = progress.server_encrypted_after_finish.saturating_add(1);
            }
            Side::Server => {}
        }
        connection.protected = connection.protected.saturating_add(1);
        Some(index)
    }

    /// The connection a packet from endpoint `source` belongs to: the one it names, or the only one.
    fn belonging(&self, source: usize, names: impl Fn(&Connection, Side) -> bool) -> Option<usize> {
        let mut all = self.connections.iter().enumerate();
        let named = all.clone().find(|(_, connection)| names(connection, connection.side(source)));
        // Connection ids change on the way: with one connection there is no doubt.
        let only = || if self.connections.len() == 1 { all.next() } else { None };
        named.or_else(only).map(|(index, _)| index)
    }

    fn version_negotiation(&mut self, list: &VersionNegotiation<'_>, source: usize) -> Option<usize> {
        let versions: Vec<Version> = list.versions().take(VERSIONS).collect();
        let index = self.connections.iter().position(|connection| {
            connection.client == 1 - source
                && connection.client_id.as_slice() == list.destination
                && connection.handshake.facts.selection.is_none()
        });
        match index.and_then(|index| self.connections.get_mut(index)) {
            Some(connection) => {
                connection.quic().offered_by_server.get_or_insert(versions);
            }
            None => {
                self.prelude.offered.get_or_insert(versions);
            }
        }
        index
    }

    /// A packet of a version that cannot be read.
    fn unknown(&mut self, version: Version, datagram: &Datagram<'_>, bytes: &[u8], drops: &mut Drops) -> bool {
        drops.count(DropReason::QuicUnknownVersion);
        if let Some(chlo) = GoogleQuic::parse(bytes).ok().and_then(|found| found.chlo) {
            self.google(version, &chlo, datagram);
            return true;
        }
        let from_client = self.connections.is_empty() && version.is_plausible() && !version.is_google_crypto();
        if from_client {
            self.prelude.refused.get_or_insert(version);
        }
        from_client
    }

    /// A client hello of Google's own handshake.
    fn google(&mut self, version: Version, chlo: &Chlo<'_>, datagram: &Datagram<'_>) {
        let source = datagram.source;
        let index = match self.connections.iter().position(|connection| connection.google) {
            Some(index) => index,
            None if self.connections.is_empty() => {
                self.connections.push(Connection::google(datagram, version));
                0
            }
            None => return,
        };
        if let Some(connection) = self.connections.get_mut(index) {
            connection.take_chlo(chlo);
            connection.note(datagram.packet, source, true);
        }
    }

    /// Takes a datagram of Google's QUIC whose header has the old form. `false` where it is none.
    pub(crate) fn google_datagram(&mut self, packet: &Packet<'_>, payload: &[u8], source: usize) -> bool {
        match GoogleQuic::parse(payload) {
            Ok(GoogleQuic { version, chlo: Some(chlo) }) => {
                self.google(version, &chlo, &Datagram { packet, length: payload.len(), source });
                true
            }
            _ => match self.connections.iter_mut().find(|connection| connection.google) {
                Some(connection) => {
                    connection.note(packet, source, true);
                    true
                }
                None => false,
            },
        }
    }

    /// Hands on what is complete.
    fn report(&mut self, around: &mut Around<'_>) {
        for connection in &mut self.connections {
            let over = connection.handshake.is_complete()
                || connection.quic().close.is_some()
                || connection.protected >= ENOUGH_PROTECTED;
            if over && !connection.reported {
                let now = connection.handshake.facts.ended;
                connection.end(End::Closed, now, around.pool, around.finished);
            }
        }
    }

    /// Ends every connection.
    pub(crate) fn end(&mut self, end: End, now: Timestamp, pool: &mut Pool, finished: &mut dyn FnMut(&Facts)) {
        for connection in self.connections.iter_mut().filter(|connection| !connection.reported) {
            connection.end(end, now, pool, finished);
        }
    }
}

/// What is known of the datagram a packet came in.
struct Datagram<'a> {
    packet: &'a Packet<'a>,
    /// As long as it was on the wire.
    length: usize,
    source: usize,
}

impl Connection {
    fn new(datagram: &Datagram<'_>, keys: Keys, long: &LongPacket<'_>) -> Self {
        let packet = datagram.packet;
        let mut handshake =
            Handshake::new(Carrier::Quic, packet.tuple.source, packet.tuple.destination, packet.timestamp);
        handshake.facts.encapsulations = packet.encapsulations;
        handshake.facts.quic = Some(Box::new(QuicFacts {
            version: long.version,
            destination_id_length: short_length(long.destination),
            client_id_length: short_length(long.source),
            first_datagram: u16::try_from(datagram.length).unwrap_or(u16::MAX),
            ..QuicFacts::default()
        }));
        Self {
            handshake,
            client: datagram.source,
            keys: SmallVec::from_iter([keys]),
            client_id: ConnectionId::new(long.source),
            server_id: None,
            largest: [None; 2],
            streams: Default::default(),
            tags: [0; TAGS],
            hello_datagrams: 0,
            client_went_on: false,
            protected: 0,
            google: false,
            reported: false,
        }
    }

    fn google(datagram: &Datagram<'_>, version: Version) -> Self {
        let packet = datagram.packet;
        let mut handshake =
            Handshake::new(Carrier::Quic, packet.tuple.source, packet.tuple.destination, packet.timestamp);
        handshake.facts.encapsulations = packet.encapsulations;
        handshake.facts.quic = Some(Box::new(QuicFacts {
            version,
            first_datagram: u16::try_from(datagram.length).unwrap_or(u16::MAX),
            google_crypto: true,
            ..QuicFacts::default()
        }));
        Self {
            handshake,
            client: datagram.source,
            keys: SmallVec::new(),
            client_id: ConnectionId::default(),
            server_id: None,
            largest: [None; 2],
            streams: Default::default(),
            tags: [0; TAGS],
            hello_datagrams: 0,
            client_went_on: false,
            protected: 0,
            google: true,
            reported: false,
        }
    }

    fn take_chlo(&mut self, chlo: &Chlo<'_>) {
        let hello = &mut self.handshake.facts.hello;
        if hello.server_name.is_none() {
            hello.server_name = chlo.server_name().map(text);
        }
        let agent = chlo.user_agent().map(text);
        let quic = self.quic();
        quic.google_crypto = true;
        if quic.user_agent.is_none() {
            quic.user_agent = agent;
        }
        self.google = true;
    }

    fn quic(&mut self) -> &mut QuicFacts {
        self.handshake.facts.quic.get_or_insert_default()
    }

    const fn side(&self, source: usize) -> Side {
        if source == self.client { Side::Client } else { Side::Server }
    }

    /// Whether a packet's destination id is one this connection's receiver goes by.
    fn is_named(&self, sender: Side, destination: &[u8]) -> bool {
        match sender {
            Side::Client => {
                self.keys.iter().any(|keys| keys.original.as_slice() == destination)
                    || self.server_id.is_some_and(|id| id.as_slice() == destination)
            }
            Side::Server => self.client_id.as_slice() == destination,
        }
    }

    /// Opens a packet with one of the connection's keys. Makes those of another version where that is tried.
    fn open_any(&mut self, side: Side, long: &LongPacket<'_>, scratch: &mut Vec<u8>) -> Option<Opened> {
        let largest = self.largest.get(side as usize).copied().flatten();
        let mut open = |keys: &mut Keys| {
            keys.of(side).open(long, largest, scratch).filter(|opened| {
                opened.authentic || side == Side::Server || looks_like_hello(long.version, opened.payload(scratch))
            })
        };
        if let Some(opened) = self.keys.iter_mut().filter(|keys| keys.version == long.version).find_map(&mut open) {
            return Some(opened);
        }
        // aioquic changes the version of its headers after a compatible upgrade, and keeps the keys.
        if let Some(opened) = self.keys.iter_mut().filter(|keys| keys.version != long.version).find_map(&mut open) {
            return Some(opened);
        }
        if self.keys.iter().any(|keys| keys.version == long.version) {
            return None;
        }
        if self.keys.len() >= KEYS {
            return None;
        }
        // A server may answer in another version that the client speaks too (RFC 9369 section 4): same id, other salt.
        let mut keys = self.keys.first().and_then(|keys| Keys::new(long.version, keys.original.as_slice()))?;
        let opened = open(&mut keys)?;
        self.keys.push(keys);
        Some(opened)
    }

    /// Whether an Initial that its own id opens belongs to this connection: it answers a Retry or a Version
    /// Negotiation, or the client tries again under its own unchanged id before anything has answered.
    fn goes_on_with(&self, long: &LongPacket<'_>, prelude: &Prelude) -> bool {
        let facts = &self.handshake.facts;
        if self.reported || facts.selection.is_some() || self.keys.len() >= KEYS {
            return false;
        }
        let quic = facts.quic.as_deref();
        let retried = quic.is_some_and(|quic| quic.retry) || !long.token.is_empty();
        let negotiated = quic.is_some_and(|quic| quic.offered_by_server.is_some()) || prelude.offered.is_some();
        let version = quic.map(|quic| quic.version);
        let same_id = !long.source.is_empty() && self.client_id.as_slice() == long.source;
        if version == Some(long.version) { same_id || retried && long.source.is_empty() } else { negotiated }
    }

    /// Goes on with other keys.
    fn restart(&mut self, keys: Keys, pool: &mut Pool) {
        let version = keys.version;
        // The newest keys first: the client has no more use for the others.
        self.keys.insert(0, keys);
        self.largest = [None; 2];
        self.renew(version, pool);
    }

    /// Begins again in another version, after a Version Negotiation: the hello is another one.
    fn renew(&mut self, version: Version, pool: &mut Pool) {
        let quic = self.quic();
        if quic.version == version {
            return;
        }
        quic.refused = Some(quic.version);
        quic.version = version;
        for stream in &mut self.streams {
            stream.assembly.release(pool);
            *stream = CryptoStream::default();
        }
    }

    /// Counts a datagram and notes who sent it.
    fn note(&mut self, packet: &Packet<'_>, source: usize, first: bool) {
        let side = self.side(source);
        let facts = &mut self.handshake.facts;
        if first {
            facts.coverage.packets = facts.coverage.packets.saturating_add(1);
        }
        match side {
            Side::Client => facts.coverage.client_seen = true,
            Side::Server => {
                facts.coverage.server_seen = true;
                facts.progress.server_ttl.get_or_insert(packet.ttl);
            }
        }
        if !self.reported {
            facts.ended = facts.ended.max(packet.timestamp);
        }
    }

    fn learn_server(&mut self, long: &LongPacket<'_>) {
        self.server_id = Some(ConnectionId::new(long.source));
        let quic = self.quic();
        quic.server_id_length = Some(short_length(long.source));
        quic.negotiated = Some(long.version);
    }

    /// Handles the frames of an Initial.
    fn opened(
        &mut self,
        long: &LongPacket<'_>,
        opened: Opened,
        payload: &[u8],
        datagram: &Datagram<'_>,
        around: &mut Around<'_>,
    ) {
        if opened.authentic && self.is_copy(long) {
            return;
        }
        let side = self.side(datagram.source);
        if let Some(largest) = self.largest.get_mut(side as usize) {
            *largest = Some(largest.map_or(opened.number, |largest| largest.max(opened.number)));
        }
        match side {
            Side::Client => {
                self.client_id = ConnectionId::new(long.source);
                if self.quic().offered_by_server.is_some() && self.server_id.is_none() {
                    self.renew(long.version, around.pool);
                }
                let quic = self.quic();
                quic.client_initials = quic.client_initials.saturating_add(1);
                if !long.token.is_empty() {
                    quic.token_length = u16::try_from(long.token.len()).unwrap_or(u16::MAX);
                }
            }
            Side::Server => {
                self.learn_server(long);
                let quic = self.quic();
                quic.server_initials = quic.server_initials.saturating_add(1);
            }
        }
        if self.reported {
            return;
        }
        let mut crypto = false;
        let frames = if opened.authentic { Frames::new } else { Frames::of_cut_packet };
        for frame in frames(long.version, payload) {
            match frame {
                Ok(Frame::Crypto { offset, data }) => {
                    self.crypto(side, offset, data, !crypto, datagram, around);
                    crypto = true;
                }
                Ok(Frame::Ack(_)) => self.client_went_on |= side == Side::Client,
                Ok(Frame::ConnectionClose(close)) => self.close(side, &close),
                Ok(Frame::Padding(_) | Frame::Ping) => {}
                Err(error) => {
                    if opened.authentic && !long.version.is_google() {
                        self.handshake.problem(side, error, payload.len());
                    } else if !opened.authentic {
                        let coverage = &mut self.handshake.facts.coverage;
                        let cut = u32::try_from(long.cut).unwrap_or(u32::MAX);
                        coverage.missing_bytes = coverage.missing_bytes.saturating_add(cut);
                        coverage.cut_bytes = coverage.cut_bytes.saturating_add(cut);
                    }
                }
            }
        }
        if crypto && side == Side::Client {
            self.hello_datagrams = self.hello_datagrams.saturating_add(1);
        }
        self.messages(side, long.version, datagram, around);
    }

    /// Whether an Initial came before, bit by bit: a sender that sends its frames again numbers the packet anew. Its
    /// authentication tag tells.
    fn is_copy(&mut self, long: &LongPacket<'_>) -> bool {
        let Some(tag) = long.bytes.last_chunk().map(|tag| u64::from_be_bytes(*tag)) else { return false };
        let known = self.tags.contains(&tag);
        if !known {
            self.tags.rotate_right(1);
            self.tags[0] = tag;
        }
        known
    }

    /// Puts a CRYPTO frame in its place.
    fn crypto(
        &mut self,
        side: Side,
        offset: u64,
        data: &[u8],
        first_in_packet: bool,
        datagram: &Datagram<'_>,
        around: &mut Around<'_>,
    ) {
        let Some(stream) = self.streams.get_mut(side as usize) else { return };
        let in_order = stream.assembly.contiguous().len();
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let ahead = offset > in_order;
        if stream.over {
            return;
        }
        let limit = in_order.saturating_add(AHEAD).min(around.message_limit);
        if stream.assembly.place(offset, data, limit, around.pool) {
            stream.frames = stream.frames.saturating_add(1);
            if first_in_packet {
                stream.datagrams = stream.datagrams.saturating_add(1);
                let length = u16::try_from(datagram.length).unwrap_or(u16::MAX);
                stream.smallest = if stream.smallest == 0 { length } else { stream.smallest.min(length) };
            }
            stream.first_at.get_or_insert(datagram.packet.timestamp);
        } else {
            around.drops.count(DropReason::BufferFull);
        }
        if side == Side::Client {
            let quic = self.quic();
            quic.crypto_frames = quic.crypto_frames.saturating_add(1);
            quic.reordered |= ahead;
        }
    }

    /// Handles every message that is whole.
    fn messages(&mut self, side: Side, version: Version, datagram: &Datagram<'_>, around: &mut Around<'_>) {
        let now = datagram.packet.timestamp;
        let Some(stream) = self.streams.get_mut(side as usize) else { return };
        while let Some(rest) = stream.assembly.contiguous().get(stream.delivered..)
            && !stream.over
        {
            if let Some(Side::Client) = (version == Version(0x5130_3530)).then_some(side)
                && let Some(chlo) = Chlo::find(rest)
            {
                // Q050 carries Google's own hello in CRYPTO frames.
                let chlo_found = chlo;
                let hello = &mut self.handshake.facts.hello;
                hello.server_name = chlo_found.server_name().map(text);
                let agent = chlo_found.user_agent().map(text);
                if let Some(quic) = &mut self.handshake.facts.quic {
                    quic.google_crypto = true;
                    quic.user_agent = agent;
                }
                self.google = true;
                stream.over = true;
                break;
            }
            let (message, after) = match Message::first(rest) {
                Ok(first) => first,
                Err(ParseError::Invalid { .. }) => break,
                Err(ParseError::Incomplete { .. }) => {
                    let too_long =
                        HandshakeHeader::parse(rest).is_ok_and(|header| header.message_length() > around.message_limit);
                    if too_long && !self.google {
                        let error =
                            ParseError::Invalid { structure: "handshake message", reason: "longer than the limit" };
                        self.handshake.problem(side, error, rest.len());
                        stream.over = true;
                    }
                    break;
                }
            };
            let cut = HelloCut {
                record_version: None,
                records: stream.frames.max(1),
                packets: stream.datagrams.max(1),
                smallest_packet: if stream.datagrams > 1 { stream.smallest } else { 0 },
            };
            let had_offer = self.handshake.facts.offer.is_some();
            let began = stream.first_at.unwrap_or(now);
            self.handshake.message(side, message, cut, began, around.shared);
            if side == Side::Client && message.message_type == message_type::CLIENT_HELLO && !had_offer {
                self.handshake.facts.progress.hello_at = now;
                if let Some(quic) = &mut self.handshake.facts.quic {
                    take_parameters(quic, version, message.body);
                }
            }
            let used = rest.len().saturating_sub(after.len());
            stream.delivered = stream.delivered.saturating_add(used);
            (stream.frames, stream.datagrams, stream.smallest, stream.first_at) = (0, 0, 0, None);
            if !after.is_empty() {
                (stream.frames, stream.datagrams, stream.first_at) = (1, 1, Some(now));
            }
        }
    }

    fn close(&mut self, side: Side, close: &ConnectionClose<'_>) {
        if let Some(alert) = close.alert() {
            self.handshake.alert(side, 2, AlertDescription(alert));
        }
        let (error_code, reason) = (close.error_code, text(close.reason));
        self.quic().close.get_or_insert(QuicClose { from: side, error_code, reason });
    }

    fn end(&mut self, end: End, now: Timestamp, pool: &mut Pool, finished: &mut dyn FnMut(&Facts)) {
        self.reported = true;
        let coverage = &mut self.handshake.facts.coverage;
        for stream in &mut self.streams {
            let missing = u32::try_from(stream.assembly.missing()).unwrap_or(u32::MAX);
            coverage.missing_bytes = coverage.missing_bytes.saturating_add(missing);
            if coverage.overlap_conflict.is_none() {
                coverage.overlap_conflict = stream.assembly.conflict().and_then(|at| u32::try_from(at).ok());
            }
            stream.assembly.release(pool);
        }
        let facts = &self.handshake.facts;
        self.handshake.unanswered =
            self.hello_datagrams > 1 && !facts.coverage.server_seen && !self.client_went_on && facts.offer.is_some();
        self.handshake.settle(end, now);
        if self.handshake.is_begun() || self.google {
            finished(&self.handshake.facts);
        }
    }
}

/// Whether what an unauthenticated packet decrypts to begins as a client's first flight does.
fn looks_like_hello(version: Version, payload: &[u8]) -> bool {
    // Noise passes for frames now and then, but not for this.
    let mut whole = Frames::new(version, payload).take_while(Result::is_ok).flatten();
    let mut shown = Frames::of_cut_packet(version, payload).take_while(Result::is_ok).flatten();
    shown.any(|frame| {
        matches!(frame, Frame::Crypto { offset: 0, data: [message_type::CLIENT_HELLO, 0, _, _, 3, 3, ..] })
    }) || whole.any(|frame| matches!(frame, Frame::Crypto { offset: 1..4096, .. }))
}

/// Keeps what a client says of its transport.
fn take_parameters(quic: &mut QuicFacts, version: Version, body: &[u8]) {
    let Some(extension) = ClientHello::parse_body(body).ok().and_then(|hello| hello.quic_transport_parameters()) else {
        return;
    };
    quic.transport_parameters_sound = true;
    for read in TransportParameters::new(version, extension) {
        let Ok(read) = read else {
            quic.transport_parameters_sound = false;
            return;
        };
        if quic.transport_parameters.len() >= PARAMETERS {
            return;
        }
        if quic.transport_parameters.iter().any(|seen| seen.id == read.id) {
            quic.transport_parameters_sound = false;
            continue;
        }
        take_parameter(quic, &read);
        let length = u16::try_from(read.value.len()).unwrap_or(u16::MAX);
        quic.transport_parameters.push(SeenTransportParameter { id: read.id, length, integer: read.integer() });
    }
}

fn take_parameter(quic: &mut QuicFacts, read: &TransportParameter<'_>) {
    match read.id {
        parameter::GOOGLE_USER_AGENT => quic.user_agent = Some(text(read.value)),
        parameter::VERSION_INFORMATION | parameter::VERSION_INFORMATION_DRAFT => {
            if let Ok(information) = VersionInformation::parse(read.value) {
                quic.available = Some(information.available().take(VERSIONS).collect());
            }
        }
        _ => {}
    }
}

/// Bytes a peer chose, as text of bounded length.
fn text(bytes: &[u8]) -> String {
    let bytes = bytes.get(..TEXT.min(bytes.len())).unwrap_or_default();
    bytes.iter().flat_map(|byte| byte.escape_ascii()).map(char::from).collect()
}

fn short_length(id: &[u8]) -> u8 {
    u8::try_from(id.len()).unwrap_or(u8::MAX)
}
