//! What is spoken in clear in front of a TLS handshake: STARTTLS and its kin, and proxies.
//!
//! A `Session` is fed the bytes of both directions in order. It says how many of them belong to the protocol in clear
//! and which are TLS, to the byte; what matters of the rest it keeps as `StarttlsFacts`. It decides by bytes alone,
//! never by ports. Each protocol is a `Machine` in a file of its own and a line in `PROTOCOLS`.
//!
//! Invariant: no direction holds more than `LIMIT` bytes; a longer unit is passed over. No secret outlives its line.

mod facts;
mod ftp;
mod http;
mod imap;
mod irc;
mod ldap;
mod mysql;
mod nntp;
mod openvpn;
mod pop3;
mod postgres;
mod proxy;
mod rdp;
mod sasl;
mod sieve;
mod smtp;
mod socks;
mod tds;
mod text;
mod xmpp;

use serde::Serialize;

use crate::tls::sniff::{Sniff, sniff_start};

pub use facts::{CleartextReason, Credentials, Injected, Proxy, RdpFacts, StarttlsFacts, TdsFacts};

/// Longest line or message held, in bytes a direction.
const LIMIT: usize = 2048;
/// Proxies passed through one behind the other.
const PROXIES: usize = 4;
/// Units of one session. Who has not come to the point by then is not followed further.
const UNITS: u32 = 4096;
/// Bytes in clear waited through where TLS should have begun.
const LATE: u32 = 8192;

/// A protocol that leads to TLS, or carries it in a frame of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// SMTP (RFC 3207).
    Smtp,
    /// LMTP (RFC 2033).
    Lmtp,
    /// IMAP (RFC 9051 section 6.2.1).
    Imap,
    /// POP3 (RFC 2595 section 4).
    Pop3,
    /// FTP (RFC 4217).
    Ftp,
    /// NNTP (RFC 4642).
    Nntp,
    /// ManageSieve (RFC 5804 section 2.2).
    Sieve,
    /// IRC (STARTTLS of IRCv3's `tls` capability).
    Irc,
    /// XMPP (RFC 6120 section 5).
    Xmpp,
    /// LDAP (RFC 4511 section 4.14).
    Ldap,
    /// PostgreSQL's SSLRequest.
    Postgresql,
    /// MySQL and MariaDB.
    Mysql,
    /// RDP (MS-RDPBCGR 5.4.5).
    Rdp,
    /// TDS (MS-TDS 2.2.6.5).
    Tds,
    /// OpenVPN over TCP: TLS inside its control packets.
    Openvpn,
    /// HTTP CONNECT (RFC 9110 section 9.3.6).
    HttpConnect,
    /// SOCKS 4 and 4a.
    Socks4,
    /// SOCKS 5 (RFC 1928).
    Socks5,
    /// PROXY protocol version 1, in text.
    ProxyV1,
    /// PROXY protocol version 2, binary.
    ProxyV2,
    /// HTTP in clear that redirects to https.
    Http,
}

impl Protocol {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Lmtp => "lmtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ftp => "ftp",
            Self::Nntp => "nntp",
            Self::Sieve => "sieve",
            Self::Irc => "irc",
            Self::Xmpp => "xmpp",
            Self::Ldap => "ldap",
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
            Self::Rdp => "rdp",
            Self::Tds => "tds",
            Self::Openvpn => "openvpn",
            Self::HttpConnect => "http-connect",
            Self::Socks4 => "socks4",
            Self::Socks5 => "socks5",
            Self::ProxyV1 => "proxy-v1",
            Self::ProxyV2 => "proxy-v2",
            Self::Http => "http",
        }
    }

    /// Whether this is a proxy, or a header in front of any protocol.
    #[must_use]
    pub const fn is_proxy(self) -> bool {
        matches!(self, Self::HttpConnect | Self::Socks4 | Self::Socks5 | Self::ProxyV1 | Self::ProxyV2)
    }
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Protocol {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Who speaks: the client and the server of the protocol in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// Whoever asks.
    Client,
    /// Whoever answers.
    Server,
}

/// One line of the table of protocols.
struct Entry {
    /// Who speaks first.
    first: Peer,
    /// Whether these are its first bytes. More bytes never change an answer other than `Perhaps`: a connection is
    /// recognised however it is cut.
    recognise: fn(&[u8]) -> Recognition,
    /// What follows it from there.
    machine: fn() -> Box<dyn Machine>,
}

/// Every protocol, by its first bytes. Where two agree on those (SMTP and FTP), the first hands over to the other.
static PROTOCOLS: &[Entry] = &[
    smtp::ENTRY,
    imap::ENTRY,
    pop3::ENTRY,
    nntp::ENTRY,
    sieve::ENTRY,
    mysql::ENTRY,
    irc::SERVER_FIRST,
    irc::ENTRY,
    xmpp::ENTRY,
    ldap::ENTRY,
    postgres::ENTRY,
    rdp::ENTRY,
    tds::ENTRY,
    openvpn::ENTRY,
    http::CONNECT,
    http::REDIRECT,
    socks::V4,
    socks::V5,
    proxy::V1,
    proxy::V2,
];

/// What the first bytes of a direction are to a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recognition {
    /// They are its own, beyond reasonable doubt.
    Is,
    /// They may be, but are too few.
    Perhaps,
    /// They are not.
    Not,
}

impl Recognition {
    const fn whether(is: bool) -> Self {
        if is { Self::Is } else { Self::Not }
    }

    /// Of bytes that are to become a line, its end included, within `limit`.
    fn of_line(held: &[u8], limit: usize) -> Self {
        match memchr::memchr(b'\n', held.get(..limit).unwrap_or(held)) {
            Some(_) => Self::Is,
            None => Self::unless_past(held, limit),
        }
    }

    /// They may yet be, unless `limit` bytes are there.
    const fn unless_past(held: &[u8], limit: usize) -> Self {
        if held.len() < limit { Self::Perhaps } else { Self::Not }
    }
}

/// Who speaks, if the first bytes of a connection of which nothing was seen before them are a protocol's without doubt.
/// Costs one look at the first byte for nearly all others.
#[inline]
pub(crate) fn greets(payload: &[u8]) -> Option<Peer> {
    match payload {
        [b'2', b'0' | b'2', b'0' | b'1', ..]
        | [b'*', b' ', b'O' | b'P' | b'B', ..]
        | [b'+', b'O', b'K', ..]
        | [b'"', b'I', ..]
        | [b'H', b'T', b'T', b'P', b'/', b'1', ..]
        | [b'C', b'O', b'N', ..]
        | [b'P', b'R', b'O', b'X', ..]
        | [b'\r', b'\n', b'\r', b'\n', 0, ..]
        | [b'<', b'?' | b's', ..]
        | [0, 0, 0, ..]
        | [_, 0, 0, 0, 10, ..]
        | [3, 0, 0, _, _, 0xe0, ..]
        | [0x12, 0 | 1, ..]
        | [0x30, ..]
        | [0, _, 0x38, ..]
        | [4 | 5, 1..=9, ..] => recognised(payload),
        _ => None,
    }
}

/// Whether the first bytes that `peer` sends on a connection may be of one of these protocols.
pub(crate) fn may_begin(payload: &[u8], peer: Peer) -> bool {
    PROTOCOLS.iter().any(|entry| entry.first == peer && (entry.recognise)(payload) != Recognition::Not)
}

#[cold]
fn recognised(payload: &[u8]) -> Option<Peer> {
    PROTOCOLS.iter().find(|entry| (entry.recognise)(payload) == Recognition::Is).map(|entry| entry.first)
}

/// How the next bytes of a direction are to be cut.
#[derive(Clone, Copy)]
enum Frame {
    /// Its end has not come yet.
    More,
    /// A unit of this many bytes, which may be more than there are.
    Whole(usize),
    /// A line longer than [`LIMIT`].
    Long,
    /// A record of TLS begins here: all that follows in this direction is TLS.
    Tls,
    /// The first bytes of this protocol.
    Begins(&'static Entry),
    /// Not this protocol.
    NotThis,
}

/// What a unit leads to.
enum Verdict {
    /// The conversation goes on.
    Go,
    /// Another protocol's machine takes over, and takes this unit too.
    Become(Box<dyn Machine>),
    /// A tunnel stands: whatever comes now is another protocol's, from its first byte.
    Tunnel,
    /// It is not this protocol after all.
    NotThis,
    /// All that matters has been said, and TLS is not to come.
    Over,
}

/// One protocol as a state machine on its units: lines, packets, elements.
trait Machine: Send {
    /// Where the next unit of `from` ends. `held` is not empty, and at most [`LIMIT`] bytes; more of them never change
    /// an answer other than [`Frame::More`].
    fn frame(&self, from: Peer, held: &[u8]) -> Frame;

    /// Takes a unit; of one longer than [`LIMIT`] the first `LIMIT` bytes.
    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict;

    /// Whether units are lines, so that the next one can be found behind bytes that are missing.
    fn is_lines(&self) -> bool {
        false
    }
}

/// A protocol of lines: most are.
trait LineMachine: Send {
    /// A line of the client, without its end.
    fn command(&mut self, line: &[u8], talk: &mut Talk<'_>) -> Verdict;

    /// A line of the server, without its end.
    fn reply(&mut self, line: &[u8], talk: &mut Talk<'_>) -> Verdict;

    /// Where the next line ends, as [`Machine::frame`].
    fn line(&self, _from: Peer, held: &[u8]) -> Frame {
        text::line(held)
    }
}

impl<T: LineMachine> Machine for T {
    fn frame(&self, from: Peer, held: &[u8]) -> Frame {
        self.line(from, held)
    }

    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        match from {
            Peer::Client => self.command(text::trim(unit), talk),
            Peer::Server => self.reply(text::trim(unit), talk),
        }
    }

    fn is_lines(&self) -> bool {
        true
    }
}

/// What a machine may say and do.
struct Talk<'a> {
    facts: &'a mut StarttlsFacts,
    change: [Option<Mode>; 2],
}

impl Talk<'_> {
    fn set(&mut self, peer: Peer, mode: Mode) {
        if let Some(change) = self.change.get_mut(peer as usize) {
            *change = Some(mode);
        }
    }

    /// The next `count` bytes of `peer` are of no interest.
    fn skip(&mut self, peer: Peer, count: u64) {
        self.set(peer, Mode::Skip(count));
    }

    /// The next line of `peer` must not be looked at.
    fn ignore_line(&mut self, peer: Peer) {
        self.set(peer, Mode::IgnoreLine);
    }

    /// The next `count` bytes of `peer` are TLS, and then this protocol's frame goes on.
    fn wrapped(&mut self, peer: Peer, count: u64) {
        self.set(peer, if count == 0 { Mode::Units } else { Mode::Wrapped(count) });
    }

    /// This unit holds TLS from `start`.
    fn wrapped_in_unit(&mut self, peer: Peer, start: usize) {
        self.set(peer, Mode::InUnit(start));
    }

    /// The client asks for TLS and must say nothing more until it is answered.
    fn ask(&mut self, words: &'static str) {
        self.facts.asked = Some(words);
        self.set(Peer::Client, Mode::AwaitTls);
    }

    /// The server agrees: TLS begins in both directions.
    fn accept(&mut self, reply: Option<Box<str>>) {
        self.facts.accepted = Some(true);
        self.facts.reply = reply;
        self.set(Peer::Client, Mode::AwaitTls);
        self.set(Peer::Server, Mode::AwaitTls);
    }

    /// The server refuses: the client may go on in clear.
    fn refuse(&mut self, reply: Option<Box<str>>) {
        self.facts.accepted = Some(false);
        self.facts.reply = reply;
        self.set(Peer::Client, Mode::Units);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Units of the protocol in clear.
    Units,
    Skip(u64),
    IgnoreLine,
    /// TLS is to begin with the next byte; what is not TLS is counted.
    AwaitTls,
    Tls,
    Wrapped(u64),
    /// The unit at hand holds TLS from here.
    InUnit(usize),
    /// Bytes are missing.
    Lost,
}

struct Direction {
    mode: Mode,
    /// A unit that is not whole yet.
    held: Vec<u8>,
    /// Bytes in clear where TLS should have begun.
    late: u32,
    /// The last of them did not end a line.
    mid_line: bool,
}

/// A conversation in clear from its first byte on.
pub(crate) struct Session {
    machine: Option<Box<dyn Machine>>,
    facts: StarttlsFacts,
    directions: [Direction; 2],
    /// TLS that lay in a unit.
    out: Vec<u8>,
    unit_holds_tls: bool,
    units: u32,
    /// Bytes are missing.
    lossy: bool,
    state: State,
}

/// What a session has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It goes on.
    Going,
    /// All bytes of both directions are TLS from here on.
    Through,
    /// It is none of these protocols.
    NotThis,
    /// It is over, without TLS.
    Over,
}

/// What became of some bytes.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    /// How many were taken.
    pub(crate) consumed: usize,
    /// The next bytes of TLS in this direction.
    pub(crate) tls: &'a [u8],
}

enum Out {
    Nothing,
    Unit,
    Bytes(usize, usize),
}

impl Session {
    /// A session of which nothing is known.
    pub(crate) fn new() -> Self {
        let direction = || Direction { mode: Mode::Units, held: Vec::new(), late: 0, mid_line: false };
        Self {
            machine: None,
            facts: StarttlsFacts::default(),
            directions: [direction(), direction()],
            out: Vec::new(),
            unit_holds_tls: false,
            units: 0,
            lossy: false,
            state: State::Going,
        }
    }

    /// Takes the next bytes of `from`. To be called again with those left over until none are, or the state is no
    /// longer [`State::Going`].
    pub(crate) fn next<'a>(&'a mut self, from: Peer, bytes: &'a [u8]) -> Step<'a> {
        let (consumed, out) = self.advance(from, bytes);
        let tls = match out {
            Out::Nothing => &[],
            Out::Unit => self.out.as_slice(),
            Out::Bytes(start, end) => bytes.get(start..end).unwrap_or_default(),
        };
        Step { consumed, tls }
    }

    /// What it has come to.
    pub(crate) fn state(&self) -> State {
        let through = |direction: &Direction| direction.mode == Mode::Tls && direction.held.is_empty();
        match self.state {
            State::Going if self.directions.iter().all(through) => State::Through,
            state => state,
        }
    }

    /// Whether `from` may next send a record of TLS, or units.
    pub(crate) fn is_tls(&self, from: Peer) -> bool {
        self.directions.get(from as usize).is_some_and(|direction| direction.mode == Mode::Tls)
    }

    /// Bytes are missing in front of what `from` sends next.
    pub(crate) fn gap(&mut self, from: Peer) {
        if let Some(direction) = self.directions.get_mut(from as usize)
            && direction.mode != Mode::Tls
        {
            direction.held.clear();
            direction.mode = Mode::Lost;
            self.lossy = true;
        }
    }

    /// Whether bytes of `from` are held that may be the start of TLS.
    pub(crate) fn holds_start(&self, from: Peer) -> bool {
        self.directions.get(from as usize).is_some_and(|direction| {
            !direction.held.is_empty() && (self.machine.is_none() || direction.mode == Mode::AwaitTls)
        })
    }

    /// The bytes of `from` that no unit was made of.
    pub(crate) fn take_held(&mut self, from: Peer) -> Vec<u8> {
        self.directions.get_mut(from as usize).map(|direction| std::mem::take(&mut direction.held)).unwrap_or_default()
    }

    /// Whether a unit of `from` is not whole yet.
    pub(crate) fn is_mid_unit(&self, from: Peer) -> bool {
        self.directions.get(from as usize).is_some_and(|direction| !direction.held.is_empty())
    }

    /// Bytes of memory held.
    pub(crate) fn held(&self) -> usize {
        self.directions
            .iter()
            .map(|direction| direction.held.capacity())
            .fold(self.out.capacity(), usize::saturating_add)
    }

    /// What was said; `None` where nothing but TLS was.
    pub(crate) fn into_facts(mut self) -> Option<StarttlsFacts> {
        if self.facts.protocol.is_none() && self.facts.proxies.is_empty() {
            return None;
        }
        if self.facts.accepted == Some(true) {
            let [client, server] = &self.directions;
            self.facts.injected = match (client.late, server.late) {
                (0, 0) => None,
                (0, bytes) => Some(Injected { from: Peer::Server, bytes }),
                (bytes, _) => Some(Injected { from: Peer::Client, bytes }),
            };
        }
        Some(self.facts)
    }

    fn advance(&mut self, from: Peer, bytes: &[u8]) -> (usize, Out) {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let Some(direction) = self.directions.get_mut(from as usize) else { return (bytes.len(), Out::Nothing) };
            if rest.is_empty() && direction.held.is_empty() {
                return (used, Out::Nothing);
            }
            match direction.mode {
                Mode::Tls if direction.held.is_empty() => return (bytes.len(), Out::Bytes(used, bytes.len())),
                Mode::Tls => {
                    self.out = std::mem::take(&mut direction.held);
                    return (used, Out::Unit);
                }
                Mode::Wrapped(count) => {
                    let from_held = !direction.held.is_empty();
                    let available = if from_held { direction.held.len() } else { rest.len() };
                    let taken = usize::try_from(count).unwrap_or(usize::MAX).min(available);
                    let left = count.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
                    direction.mode = if left == 0 { Mode::Units } else { Mode::Wrapped(left) };
                    if from_held {
                        self.out = direction.held.drain(..taken).collect();
                        return (used, Out::Unit);
                    }
                    return (used.saturating_add(taken), Out::Bytes(used, used.saturating_add(taken)));
                }
                Mode::Skip(count) => {
                    let count = usize::try_from(count).unwrap_or(usize::MAX);
                    let taken = direction.pass(count, rest.len());
                    used = used.saturating_add(taken.1);
                    let left = count.saturating_sub(taken.0).saturating_sub(taken.1);
                    direction.mode = if left == 0 { Mode::Units } else { Mode::Skip(left as u64) };
                }
                Mode::IgnoreLine => {
                    let (taken, ended) = direction.pass_line(rest);
                    used = used.saturating_add(taken);
                    if ended {
                        direction.mode = Mode::Units;
                    }
                }
                Mode::AwaitTls => {
                    let taken = direction.await_tls(rest);
                    used = used.saturating_add(taken);
                    if direction.late >= LATE {
                        self.state = State::Over;
                    } else if direction.mode == Mode::AwaitTls && used >= bytes.len() {
                        return (used, Out::Nothing);
                    }
                }
                Mode::Lost => {
                    if rest.starts_with(&[22, 3]) {
                        direction.mode = Mode::Tls;
                    } else if self.machine.as_ref().is_some_and(|machine| machine.is_lines()) {
                        direction.mode = Mode::IgnoreLine;
                    } else {
                        if self.machine.is_none() {
                            self.state = State::NotThis;
                        }
                        return (bytes.len(), Out::Nothing);
                    }
                }
                Mode::InUnit(_) => direction.mode = Mode::Units,
                Mode::Units => match self.units(from, rest) {
                    Some(taken) => used = used.saturating_add(taken),
                    // All of it is held, or nothing more is wanted.
                    None => return (bytes.len(), Out::Nothing),
                },
            }
            if std::mem::take(&mut self.unit_holds_tls) {
                return (used, Out::Unit);
            }
            if self.state != State::Going {
                return (used, Out::Nothing);
            }
        }
    }

    /// Takes one unit. Returns how much of `rest` it took; `None` where the unit goes on behind it, and all of it is held,
    /// or where the session has ended.
    fn units(&mut self, from: Peer, rest: &[u8]) -> Option<usize> {
        let direction = self.directions.get_mut(from as usize)?;
        let before = direction.held.len();
        let room = LIMIT.saturating_sub(before);
        // What is whole in the bytes at hand is read in place.
        let mut held = std::mem::take(&mut direction.held);
        let in_place = held.is_empty();
        let appended = if in_place { 0 } else { room.min(rest.len()) };
        held.extend_from_slice(rest.get(..appended).unwrap_or_default());
        let at_hand = if in_place { rest.get(..LIMIT).unwrap_or(rest) } else { held.as_slice() };
        let frame = match &self.machine {
            Some(machine) => machine.frame(from, at_hand),
            None => unrecognised(from, at_hand),
        };
        let length = match frame {
            Frame::More if at_hand.len() < LIMIT => {
                if in_place {
                    held.extend_from_slice(rest);
                }
                self.keep(from, held);
                return None;
            }
            Frame::More | Frame::NotThis => {
                self.state = State::NotThis;
                self.keep(from, held);
                return Some(appended);
            }
            Frame::Begins(entry) => {
                self.machine = Some((entry.machine)());
                self.keep(from, held);
                return Some(appended);
            }
            Frame::Tls => {
                // TLS from the first byte, or without a word: what the server says is its answer to the hello.
                let unasked = self.facts.asked.is_none() || self.facts.accepted == Some(false);
                let alone = from == Peer::Client && unasked && !self.lossy;
                for (index, direction) in self.directions.iter_mut().enumerate() {
                    if self.machine.is_none() || alone || index == from as usize {
                        direction.mode = Mode::Tls;
                    }
                }
                // What was appended is handed on with what follows it.
                held.truncate(before);
                self.keep(from, held);
                return Some(0);
            }
            Frame::Long => {
                self.facts.long_lines = self.facts.long_lines.saturating_add(1);
                if let Some(direction) = self.directions.get_mut(from as usize) {
                    direction.mode = Mode::IgnoreLine;
                }
                LIMIT
            }
            Frame::Whole(length) if at_hand.len() < length.min(LIMIT) => {
                if in_place {
                    held.extend_from_slice(rest);
                }
                self.keep(from, held);
                return None;
            }
            Frame::Whole(length) => {
                let over = length.saturating_sub(LIMIT);
                if over > 0
                    && let Some(direction) = self.directions.get_mut(from as usize)
                {
                    direction.mode = Mode::Skip(over as u64);
                }
                length.clamp(1, LIMIT)
            }
        };
        let unit = at_hand.get(..length).unwrap_or(at_hand);
        self.take(from, unit);
        if in_place {
            return Some(length);
        }
        // What was appended behind the unit goes back; what was held before stays.
        let excess = held.len().saturating_sub(length);
        let back = excess.min(appended);
        held.truncate(held.len().saturating_sub(back));
        held.drain(..length.min(held.len()));
        self.keep(from, held);
        Some(appended.saturating_sub(back))
    }

    fn keep(&mut self, from: Peer, held: Vec<u8>) {
        if let Some(direction) = self.directions.get_mut(from as usize) {
            direction.held = held;
        }
    }

    /// Hands a unit to the machine and does what it says.
    fn take(&mut self, from: Peer, unit: &[u8]) {
        self.units = self.units.saturating_add(1);
        if self.units > UNITS {
            self.state = State::Over;
            return;
        }
        let mut talk = Talk { facts: &mut self.facts, change: [None; 2] };
        let mut verdict = match &mut self.machine {
            Some(machine) => machine.unit(from, unit, &mut talk),
            None => Verdict::NotThis,
        };
        if let Verdict::Become(mut other) = verdict {
            verdict = other.unit(from, unit, &mut talk);
            self.machine = Some(other);
        }
        let change = talk.change;
        for (direction, change) in self.directions.iter_mut().zip(change) {
            match change {
                Some(Mode::InUnit(start)) => {
                    self.out.clear();
                    self.out.extend_from_slice(unit.get(start..).unwrap_or_default());
                    self.unit_holds_tls = true;
                }
                Some(mode) if direction.mode != Mode::Tls => {
                    if direction.mode != Mode::AwaitTls {
                        direction.mid_line = false;
                    }
                    direction.mode = mode;
                    if mode == Mode::Units {
                        direction.late = 0;
                    }
                }
                _ => {}
            }
        }
        match verdict {
            Verdict::Go | Verdict::Become(_) => {}
            Verdict::NotThis => self.state = State::NotThis,
            Verdict::Over => self.state = State::Over,
            Verdict::Tunnel if self.facts.proxies.len() < PROXIES => self.machine = None,
            Verdict::Tunnel => self.state = State::NotThis,
        }
    }
}

impl Direction {
    /// Passes over `count` bytes; returns how many of those held and how many of `rest` new ones went.
    fn pass(&mut self, count: usize, rest: usize) -> (usize, usize) {
        let held = count.min(self.held.len());
        self.held.drain(..held);
        (held, count.saturating_sub(held).min(rest))
    }

    /// Passes over bytes in clear until TLS begins; returns how many of `rest` went.
    ///
    /// A record of any kind begins a line, or one of a handshake stands anywhere. What may be the start of one is held.
    fn await_tls(&mut self, rest: &[u8]) -> usize {
        let before = self.held.len();
        let appended = if before == 0 { rest.len() } else { rest.len().min(LIMIT) };
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(if before == 0 { &[] } else { rest.get(..appended).unwrap_or_default() });
        let at_hand = if before == 0 { rest } else { held.as_slice() };
        let mut passed = 0;
        let verdict = loop {
            let here = at_hand.get(passed..).unwrap_or_default();
            let found = match here {
                [] => break Recognition::Perhaps,
                [0x16, ..] => begins_record(here, 0x16..=0x16),
                _ if self.mid_line => Recognition::Not,
                _ => begins_record(here, 20..=23),
            };
            if found != Recognition::Not {
                break found;
            }
            let behind = here.get(1..).unwrap_or_default();
            self.mid_line = here.first() != Some(&b'\n');
            let step = if self.mid_line { 1 + memchr::memchr2(b'\n', 0x16, behind).unwrap_or(behind.len()) } else { 1 };
            let left = LATE.saturating_sub(self.late);
            let step = step.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.late = self.late.saturating_add(u32::try_from(step).unwrap_or(left));
            passed = passed.saturating_add(step);
            if self.late >= LATE {
                break Recognition::Not;
            }
        };
        if verdict == Recognition::Perhaps {
            self.held = at_hand.get(passed..).unwrap_or_default().to_vec();
            return appended;
        }
        if verdict == Recognition::Is {
            self.mode = Mode::Tls;
        }
        // What is left of the bytes held goes on being held, and of the new ones only those passed over went.
        self.held = held.get(passed..before).unwrap_or_default().to_vec();
        passed.saturating_sub(before)
    }

    /// Passes over the rest of a line; returns how much of `rest` went, and whether the line has ended.
    fn pass_line(&mut self, rest: &[u8]) -> (usize, bool) {
        if let Some(end) = memchr::memchr(b'\n', &self.held) {
            self.held.drain(..=end);
            return (0, true);
        }
        self.held.clear();
        memchr::memchr(b'\n', rest).map_or((rest.len(), false), |end| (end + 1, true))
    }
}

/// What the first bytes of a direction are, while nothing is known of the connection.
fn unrecognised(from: Peer, held: &[u8]) -> Frame {
    let mut perhaps = match sniff_start(held) {
        Sniff::Client | Sniff::Server => return Frame::Tls,
        Sniff::Perhaps => true,
        Sniff::Midstream | Sniff::Nothing => false,
    };
    for entry in PROTOCOLS.iter().filter(|entry| entry.first == from) {
        match (entry.recognise)(held) {
            Recognition::Is => return Frame::Begins(entry),
            Recognition::Perhaps => perhaps = true,
            Recognition::Not => {}
        }
    }
    if perhaps { Frame::More } else { Frame::NotThis }
}

/// Whether a record of one of these types, or an SSLv2-format hello, begins here.
fn begins_record(bytes: &[u8], types: std::ops::RangeInclusive<u8>) -> Recognition {
    match bytes {
        [first, 3, 0..=4, ..] if types.contains(first) => Recognition::Is,
        [first] | [first, 3] if types.contains(first) => Recognition::Perhaps,
        [0x80..=0xff, _, 1, ..] => Recognition::Is,
        [0x80..=0xff] | [0x80..=0xff, _] => Recognition::Perhaps,
        _ => Recognition::Not,
    }
}
