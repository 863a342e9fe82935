//! PostgreSQL's frontend/backend protocol, version 3: SSLRequest and GSSENCRequest, StartupMessage, passwords.

use super::{Entry, Frame, LIMIT, Machine, Peer, Protocol, Recognition, Talk, Verdict};
use crate::cursor::Cursor;

pub(super) const ENTRY: Entry = Entry { first: Peer::Client, recognise, machine: || Box::<Postgres>::default() };

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
/// Longest StartupMessage, in bytes, by the server's own limit.
const STARTUP: u32 = 10_000;

fn recognise(held: &[u8]) -> Recognition {
    match held {
        [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f | 0x30, ..] => Recognition::Is,
        [0, 0, high, low, 0, 3, 0 | 2, 0 | 2, rest @ ..] if u16::from_be_bytes([*high, *low]) > 12 => {
            names(rest, usize::from(u16::from_be_bytes([*high, *low])) - 8)
        }
        _ if held.len() < 8 => {
            let starts: [&[u8]; 2] = [&[0, 0, 0, 8, 4, 0xd2, 0x16], &[0, 0, 0]];
            let request = starts.iter().any(|start| {
                let length = held.len().min(start.len());
                held.get(..length) == start.get(..length) && held.len() <= start.len()
            });
            let startup =
                matches!(held, [0, 0, _, _, 0] | [0, 0, _, _, 0, 3] | [0, 0, _, _, 0, 3, _] | [0, 0, _] | [0, 0, _, _]);
            if request || startup { Recognition::Perhaps } else { Recognition::Not }
        }
        _ => Recognition::Not,
    }
}

/// Whether a StartupMessage's parameters, `length` bytes of them, begin with a name and hold the user's.
fn names(held: &[u8], length: usize) -> Recognition {
    let within = held.get(..length.min(LIMIT / 2)).unwrap_or(held);
    let name = within.split(|byte| *byte == 0).next().unwrap_or_default();
    if !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') || within.first() == Some(&0) {
        Recognition::Not
    } else if memchr::memmem::find(within, b"user\0").is_some() {
        Recognition::Is
    } else {
        Recognition::unless_past(held, length.min(LIMIT / 2))
    }
}

/// What the client waits for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Waits {
    #[default]
    Nothing,
    Tls,
    Gss,
    /// The session has begun.
    Messages,
}

#[derive(Default)]
struct Postgres {
    waits: Waits,
    user: Vec<u8>,
    password_asked: bool,
    messages: u16,
}

impl Machine for Postgres {
    fn frame(&self, from: Peer, held: &[u8]) -> Frame {
        if held.first() == Some(&0x16) {
            return Frame::Tls;
        }
        let mut cursor = Cursor::new(held);
        let length = match (from, self.waits) {
            // One byte, or a whole ErrorResponse of a server that does not know the request.
            (Peer::Server, Waits::Tls | Waits::Gss) if held.first() != Some(&b'E') => return Frame::Whole(1),
            (Peer::Client, Waits::Messages) | (Peer::Server, _) => {
                if !held.first().is_some_and(u8::is_ascii_alphanumeric) {
                    return Frame::NotThis;
                }
                cursor.u8("message").and_then(|_| cursor.u32("message")).map(|length| length.saturating_add(1))
            }
            (Peer::Client, _) => match cursor.u32("message") {
                Ok(length) if !(8..=STARTUP).contains(&length) => return Frame::NotThis,
                length => length,
            },
        };
        match length {
            Ok(length) if length < 5 => Frame::NotThis,
            Ok(length) => Frame::Whole(usize::try_from(length).unwrap_or(usize::MAX)),
            Err(_) => Frame::More,
        }
    }

    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        talk.facts.protocol = Some(Protocol::Postgresql);
        match (from, self.waits) {
            (Peer::Client, Waits::Messages) => self.message(unit, talk),
            (Peer::Client, _) => self.request(unit, talk),
            (Peer::Server, Waits::Tls | Waits::Gss) => self.answer(unit, talk),
            (Peer::Server, _) => self.reply(unit, talk),
        }
    }
}

impl Postgres {
    fn request(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let Some(([_, _, _, _, a, b, c, d], parameters)) = unit.split_first_chunk::<8>() else {
            return Verdict::NotThis;
        };
        match u32::from_be_bytes([*a, *b, *c, *d]) {
            SSL_REQUEST => {
                self.waits = Waits::Tls;
                talk.ask("SSLRequest");
            }
            GSS_REQUEST => {
                self.waits = Waits::Gss;
                talk.facts.gss_encryption = Some(false);
            }
            code if code >> 16 == 3 => {
                self.waits = Waits::Messages;
                talk.facts.startup_in_clear = true;
                talk.facts.went_on(b"StartupMessage");
                let mut fields = parameters.split(|byte| *byte == 0);
                while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
                    if name == b"user" {
                        self.user = value.get(..value.len().min(128)).unwrap_or_default().to_vec();
                    }
                }
            }
            _ => return Verdict::NotThis,
        }
        Verdict::Go
    }

    /// The answer to SSLRequest or GSSENCRequest.
    fn answer(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let waited = std::mem::replace(&mut self.waits, Waits::Nothing);
        talk.facts.convincing = talk.facts.asked.is_some();
        match (unit.first(), waited) {
            (Some(b'S'), Waits::Tls) => talk.accept(Some("S".into())),
            (Some(b'N'), Waits::Tls) => talk.refuse(Some("N".into())),
            (Some(b'E'), Waits::Tls) => talk.refuse(Some("ErrorResponse".into())),
            (Some(b'G'), Waits::Gss) => {
                // Encrypted from here on, but not by TLS.
                talk.facts.gss_encryption = Some(true);
                return Verdict::NotThis;
            }
            (Some(b'N' | b'E'), Waits::Gss) => {}
            _ => return Verdict::NotThis,
        }
        Verdict::Go
    }

    /// A message of a client in a session in clear.
    fn message(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        if unit.first() == Some(&b'p') && std::mem::take(&mut self.password_asked) {
            talk.facts.authenticates(b"password", true, Some(&self.user));
        }
        Verdict::Go
    }

    fn reply(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        self.messages = self.messages.saturating_add(1);
        let kind = unit.get(5..9).and_then(|bytes| bytes.first_chunk::<4>()).map(|bytes| u32::from_be_bytes(*bytes));
        match (unit.first(), kind) {
            (Some(b'R'), Some(0)) => {
                talk.facts.convincing = true;
                return Verdict::Over;
            }
            (Some(b'R'), Some(kind)) => {
                talk.facts.convincing = true;
                self.password_asked = kind == 3;
                match kind {
                    5 => talk.facts.authenticates(b"md5", false, Some(&self.user)),
                    7 | 8 => talk.facts.authenticates(b"GSSAPI", false, Some(&self.user)),
                    10 => talk.facts.authenticates(b"SASL", false, Some(&self.user)),
                    _ => {}
                }
            }
            (Some(b'E'), _) => {
                talk.facts.convincing = self.waits == Waits::Messages;
                if super::text::contains(unit, "no encryption") || super::text::contains(unit, "SSL off") {
                    talk.facts.required.get_or_insert_with(|| "no pg_hba.conf entry without encryption".into());
                }
                return Verdict::Over;
            }
            (Some(b'v'), _) => {}
            _ if self.waits == Waits::Messages => {}
            _ => return Verdict::NotThis,
        }
        if self.messages > 32 { Verdict::Over } else { Verdict::Go }
    }
}
