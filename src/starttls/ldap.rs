//! LDAP (RFC 4511): BER messages, StartTLS as an extended operation (section 4.14), binds (section 4.2).

use super::text::exposes;
use super::{Entry, Frame, Machine, Peer, Protocol, Recognition, Talk, Verdict};
use crate::cursor::{Cursor, ParseError};

pub(super) const ENTRY: Entry = Entry { first: Peer::Client, recognise, machine: || Box::<Ldap>::default() };

/// The name of the StartTLS operation.
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";
/// Longest message followed, in bytes.
const MESSAGE: u32 = 1 << 24;

const BIND_REQUEST: u8 = 0x60;
const BIND_RESPONSE: u8 = 0x61;
const SEARCH_REQUEST: u8 = 0x63;
const SEARCH_ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;
const EXTENDED_REQUEST: u8 = 0x77;
const EXTENDED_RESPONSE: u8 = 0x78;

/// A request that may be a connection's first: bind, search or extended.
fn recognise(held: &[u8]) -> Recognition {
    let mut cursor = Cursor::new(held);
    match header(&mut cursor) {
        Ok((_, BIND_REQUEST | SEARCH_REQUEST | EXTENDED_REQUEST, _)) => Recognition::Is,
        Err(ParseError::Incomplete { .. }) => Recognition::Perhaps,
        _ => Recognition::Not,
    }
}

#[derive(Default)]
struct Ldap {
    start_tls: Option<u32>,
    bind: Option<(u32, Bind)>,
    answers: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bind {
    Anonymous,
    Simple,
    Sasl,
}

impl Machine for Ldap {
    fn frame(&self, _: Peer, held: &[u8]) -> Frame {
        if held.first() == Some(&0x16) {
            return Frame::Tls;
        }
        let mut cursor = Cursor::new(held);
        match element(&mut cursor) {
            Ok((0x30, length)) if length <= MESSAGE => {
                let header = held.len().saturating_sub(cursor.remaining());
                Frame::Whole(header.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)))
            }
            Err(ParseError::Incomplete { .. }) => Frame::More,
            _ => Frame::NotThis,
        }
    }

    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let mut cursor = Cursor::new(unit);
        let Ok((id, operation, _)) = header(&mut cursor) else { return Verdict::NotThis };
        talk.facts.protocol = Some(Protocol::Ldap);
        // What is cut or odd is passed over: the frame is sound.
        match from {
            Peer::Client => self.request(id, operation, cursor, talk),
            Peer::Server => self.response(id, operation, cursor, talk),
        }
        .unwrap_or(Verdict::Go)
    }
}

impl Ldap {
    fn request(
        &mut self,
        id: u32,
        operation: u8,
        mut body: Cursor<'_>,
        talk: &mut Talk<'_>,
    ) -> Result<Verdict, ParseError> {
        match operation {
            EXTENDED_REQUEST => {
                let (_, name) = field(&mut body)?;
                if name == START_TLS {
                    self.start_tls = Some(id);
                    talk.ask("StartTLS");
                }
            }
            BIND_REQUEST => {
                field(&mut body)?;
                let (_, name) = field(&mut body)?;
                let (method, length) = element(&mut body)?;
                let bind = match method {
                    0x80 if length == 0 => Bind::Anonymous,
                    0x80 => {
                        talk.facts.went_on(b"bind");
                        talk.facts.authenticates(b"simple bind", true, Some(name));
                        Bind::Simple
                    }
                    _ => {
                        let (_, mechanism) = field(&mut body)?;
                        let exposed = exposes(mechanism);
                        if exposed {
                            talk.facts.went_on(b"bind");
                        }
                        talk.facts.authenticates(mechanism, exposed, None);
                        Bind::Sasl
                    }
                };
                self.bind = Some((id, bind));
            }
            // A client may ask the root for what the server can do before it asks for TLS.
            SEARCH_REQUEST if field(&mut body).is_ok_and(|(_, base)| !base.is_empty()) => {
                talk.facts.went_on(b"search");
            }
            _ => {}
        }
        Ok(Verdict::Go)
    }

    fn response(
        &mut self,
        id: u32,
        operation: u8,
        mut body: Cursor<'_>,
        talk: &mut Talk<'_>,
    ) -> Result<Verdict, ParseError> {
        // A look at the root alone, as of a client that finds its way, says nothing of how it goes on.
        talk.facts.convincing = talk.facts.asked.is_some() || talk.facts.first_command.is_some();
        self.answers = self.answers.saturating_add(1);
        match operation {
            EXTENDED_RESPONSE if self.start_tls == Some(id) => {
                self.start_tls = None;
                let code = result(&mut body)?;
                if code == 0 {
                    talk.accept(Some("success".into()));
                } else {
                    talk.refuse(Some(format!("resultCode {code}").into_boxed_str()));
                }
            }
            BIND_RESPONSE => {
                let code = result(&mut body)?;
                if matches!(code, 8 | 13) {
                    // strongerAuthRequired, confidentialityRequired
                    talk.facts.required.get_or_insert_with(|| format!("resultCode {code}").into_boxed_str());
                }
                if let Some((bound, bind)) = self.bind
                    && bound == id
                    && code == 0
                    && bind != Bind::Anonymous
                {
                    // SASL may have agreed on a layer of its own that encrypts (RFC 4513 section 5.2.1).
                    let may_be_sealed =
                        bind == Bind::Sasl && !talk.facts.credentials.as_ref().is_some_and(|seen| seen.exposed);
                    return Ok(if may_be_sealed && talk.facts.asked.is_none() {
                        Verdict::NotThis
                    } else {
                        Verdict::Over
                    });
                }
            }
            SEARCH_ENTRY if memchr::memmem::find(body.peek(), START_TLS).is_some() => {
                talk.facts.advertised = Some(true);
            }
            SEARCH_DONE if talk.facts.first_command.is_some() => return Ok(Verdict::Over),
            _ => {}
        }
        // Long conversations in clear do not turn to TLS.
        Ok(if self.answers > 64 && self.start_tls.is_none() { Verdict::Over } else { Verdict::Go })
    }
}

/// The head of a message: its id, its operation's tag, and that operation's length.
fn header(cursor: &mut Cursor<'_>) -> Result<(u32, u8, u32), ParseError> {
    const STRUCTURE: &str = "LDAPMessage";
    let invalid = ParseError::Invalid { structure: STRUCTURE, reason: "not an LDAPMessage" };
    let (tag, length) = element(cursor)?;
    if tag != 0x30 || !(5..=MESSAGE).contains(&length) {
        return Err(invalid);
    }
    let (tag, length) = element(cursor)?;
    if tag != 2 || !(1..=4).contains(&length) {
        return Err(invalid);
    }
    let digits = cursor.take(usize::try_from(length).unwrap_or_default(), STRUCTURE)?;
    let id = digits.iter().fold(0_u32, |id, byte| id << 8 | u32::from(*byte));
    let (operation, length) = element(cursor)?;
    if operation & 0xc0 != 0x40 { Err(invalid) } else { Ok((id, operation, length)) }
}

/// The tag and the length of a BER element with a one-byte tag (X.690 section 8.1).
fn element(cursor: &mut Cursor<'_>) -> Result<(u8, u32), ParseError> {
    const STRUCTURE: &str = "BER element";
    let tag = cursor.u8(STRUCTURE)?;
    if tag & 0x1f == 0x1f {
        return Err(ParseError::Invalid { structure: STRUCTURE, reason: "a long tag" });
    }
    let length = match cursor.u8(STRUCTURE)? {
        short @ 0..=0x7f => u32::from(short),
        0x81 => u32::from(cursor.u8(STRUCTURE)?),
        0x82 => u32::from(cursor.u16(STRUCTURE)?),
        0x83 => cursor.u24(STRUCTURE)?,
        0x84 => cursor.u32(STRUCTURE)?,
        _ => return Err(ParseError::Invalid { structure: STRUCTURE, reason: "a length LDAP does not allow" }),
    };
    Ok((tag, length))
}

/// An element whole: its tag and its content.
fn field<'a>(cursor: &mut Cursor<'a>) -> Result<(u8, &'a [u8]), ParseError> {
    let (tag, length) = element(cursor)?;
    Ok((tag, cursor.take(usize::try_from(length).unwrap_or(usize::MAX), "BER element")?))
}

/// The code of an LDAPResult.
fn result(cursor: &mut Cursor<'_>) -> Result<u32, ParseError> {
    let (_, digits) = field(cursor)?;
    Ok(digits.iter().take(4).fold(0_u32, |code, byte| code << 8 | u32::from(*byte)))
}
