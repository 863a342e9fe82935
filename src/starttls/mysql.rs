//! MySQL's and MariaDB's client/server protocol: the greeting of protocol version 10, SSLRequest, HandshakeResponse41.

use super::{Entry, Frame, Machine, Peer, Protocol, Recognition, Talk, Verdict};
use crate::cursor::{Cursor, ParseError};

pub(super) const ENTRY: Entry = Entry { first: Peer::Server, recognise, machine: || Box::<Mysql>::default() };

const STRUCTURE: &str = "Protocol::HandshakeV10";
/// CLIENT_SSL: may, or does, go on in TLS.
const CLIENT_SSL: u32 = 0x0800;
/// CLIENT_PROTOCOL_41: the capabilities are four bytes.
const CLIENT_PROTOCOL_41: u32 = 0x0200;
/// Length of an SSLRequest: the head of a HandshakeResponse41.
const SSL_REQUEST: usize = 32;

/// A packet with number 0 that holds a greeting: version 10, and the server's version as text.
fn recognise(held: &[u8]) -> Recognition {
    match held {
        [40..=255, 0, 0, 0, 10, rest @ ..] | [_, 1, 0, 0, 10, rest @ ..] => {
            let text = rest.split(|byte| *byte == 0).next().unwrap_or_default();
            let sound = text.len() < 100 && text.iter().all(|byte| matches!(byte, 0x20..=0x7e));
            match sound && text.first().is_none_or(u8::is_ascii_digit) {
                true if text.len() < rest.len() && text.len() >= 3 => Recognition::Is,
                true if text.len() == rest.len() => Recognition::Perhaps,
                _ => Recognition::Not,
            }
        }
        [_] | [40..=255, 0] | [40..=255, 0, 0] | [40..=255, 0, 0, 0] => Recognition::Perhaps,
        [_, 1] | [_, 1, 0] | [_, 1, 0, 0] => Recognition::Perhaps,
        _ => Recognition::Not,
    }
}

#[derive(Default)]
struct Mysql {
    greeted: bool,
    responded: bool,
    /// The server asked for the password as it is.
    clear_password_asked: bool,
    user: Vec<u8>,
    packets: u8,
}

impl Machine for Mysql {
    fn frame(&self, _: Peer, held: &[u8]) -> Frame {
        match held {
            [0x16, 3, 0..=4, _, _, 1 | 2, ..] if self.responded => Frame::Tls,
            [low, middle, high, _, ..] => {
                let length = usize::from(*low) | usize::from(*middle) << 8 | usize::from(*high) << 16;
                Frame::Whole(length.saturating_add(4))
            }
            _ => Frame::More,
        }
    }

    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let (header, body) = unit.split_at_checked(4).unwrap_or((unit, &[]));
        let length = header
            .first_chunk::<3>()
            .map_or(0, |[low, middle, high]| usize::from(*low) | usize::from(*middle) << 8 | usize::from(*high) << 16);
        match from {
            Peer::Server if !self.greeted => {
                self.greeted = true;
                self.greeting(body, talk).unwrap_or(Verdict::NotThis)
            }
            Peer::Client if !self.responded => {
                self.responded = true;
                self.response(length, body, talk).unwrap_or(Verdict::NotThis)
            }
            Peer::Client => {
                if std::mem::take(&mut self.clear_password_asked) {
                    talk.facts.authenticates(b"mysql_clear_password", true, Some(&self.user));
                }
                Verdict::Go
            }
            Peer::Server => self.reply(body, talk),
        }
    }
}

impl Mysql {
    fn greeting(&self, body: &[u8], talk: &mut Talk<'_>) -> Result<Verdict, ParseError> {
        let mut cursor = Cursor::new(body);
        cursor.u8(STRUCTURE)?;
        let version = string(&mut cursor)?;
        cursor.take(4 + 8 + 1, STRUCTURE)?;
        let low = u32::from(cursor.u16(STRUCTURE)?.swap_bytes());
        talk.facts.protocol = Some(Protocol::Mysql);
        talk.facts.server_version = Some(super::facts::text(version));
        talk.facts.advertised = Some(low & CLIENT_SSL != 0);
        Ok(Verdict::Go)
    }

    fn response(&mut self, length: usize, body: &[u8], talk: &mut Talk<'_>) -> Result<Verdict, ParseError> {
        let mut cursor = Cursor::new(body);
        let low = u32::from(cursor.u16(STRUCTURE)?.swap_bytes());
        let capabilities = low | u32::from(cursor.u16(STRUCTURE)?.swap_bytes()) << 16;
        talk.facts.convincing = true;
        if low & CLIENT_SSL != 0 && length <= SSL_REQUEST {
            talk.facts.asked = Some("SSLRequest");
            talk.accept(None);
            return Ok(Verdict::Go);
        }
        talk.facts.went_on(b"HandshakeResponse");
        if capabilities & CLIENT_PROTOCOL_41 != 0 {
            cursor.take(SSL_REQUEST - 4, STRUCTURE)?;
        } else {
            cursor.take(1, STRUCTURE)?;
        }
        let user = string(&mut cursor)?;
        self.user = user.get(..user.len().min(128)).unwrap_or_default().to_vec();
        if memchr::memmem::find(cursor.peek(), b"mysql_clear_password\0").is_some() {
            talk.facts.authenticates(b"mysql_clear_password", true, Some(&self.user));
        }
        Ok(Verdict::Go)
    }

    fn reply(&mut self, body: &[u8], talk: &mut Talk<'_>) -> Verdict {
        self.packets = self.packets.saturating_add(1);
        match body {
            [0xfe, rest @ ..] => self.clear_password_asked = rest.starts_with(b"mysql_clear_password\0"),
            [1, ..] => {}
            // ER_SECURE_TRANSPORT_REQUIRED
            [0xff, 0x57, 0x0c, ..] => {
                talk.facts.required.get_or_insert_with(|| "error 3159".into());
                return Verdict::Over;
            }
            _ => return Verdict::Over,
        }
        if self.packets > 16 { Verdict::Over } else { Verdict::Go }
    }
}

/// A string that ends with a zero byte.
fn string<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    let end = memchr::memchr(0, cursor.peek()).ok_or(ParseError::Incomplete { structure: STRUCTURE, needed: 1 })?;
    let text = cursor.take(end, STRUCTURE)?;
    cursor.u8(STRUCTURE)?;
    Ok(text)
}
