//! OpenVPN over TCP: packets behind a 16-bit length, TLS in the P_CONTROL_V1 ones, in the order of their packet ids.
//! With tls-auth the header has an HMAC in it; with tls-crypt nothing can be read.

use super::{Entry, Frame, Machine, Peer, Protocol, Recognition, Talk, Verdict};
use crate::cursor::{Cursor, ParseError};

pub(super) const ENTRY: Entry = Entry { first: Peer::Client, recognise, machine: || Box::<Openvpn>::default() };

const STRUCTURE: &str = "P_CONTROL_V1";
const CONTROL: u8 = 4;
const DATA: [u8; 2] = [6, 9];
/// Bytes of tls-auth between session id and acknowledgements: none, or an HMAC (MD5, SHA-1, SHA-256, SHA-512), a
/// packet id and a time.
const TLS_AUTH: [usize; 5] = [0, 28, 24, 40, 72];

/// P_CONTROL_HARD_RESET_CLIENT_V2 with key id 0: without acknowledgements, with or without tls-auth.
fn recognise(held: &[u8]) -> Recognition {
    match held {
        [0, length @ 14..=150, 0x38, ..] => {
            if TLS_AUTH.iter().any(|size| 14 + size == usize::from(*length)) {
                if held.len() >= 11 { Recognition::Is } else { Recognition::Perhaps }
            } else {
                Recognition::Not
            }
        }
        [0] | [0, 14..=150] => Recognition::Perhaps,
        _ => Recognition::Not,
    }
}

#[derive(Default)]
struct Openvpn {
    tls_auth: Option<usize>,
    /// The packet id expected next of client and server.
    expected: [u32; 2],
    packets: u32,
    tls: bool,
}

impl Machine for Openvpn {
    fn frame(&self, _: Peer, held: &[u8]) -> Frame {
        match held {
            [high, low, opcode, ..] if matches!(opcode >> 3, 1..=11) => {
                Frame::Whole(usize::from(u16::from_be_bytes([*high, *low])).saturating_add(2))
            }
            [_, _, ..] if held.len() > 2 => Frame::NotThis,
            _ => Frame::More,
        }
    }

    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        self.packets = self.packets.saturating_add(1);
        let Some(opcode) = unit.get(2).map(|byte| byte >> 3) else { return Verdict::NotThis };
        if DATA.contains(&opcode) {
            return if self.tls { Verdict::Over } else { Verdict::NotThis };
        }
        if opcode == CONTROL {
            match self.control(from, unit) {
                Ok(Some(start)) => {
                    self.tls = true;
                    talk.facts.protocol = Some(Protocol::Openvpn);
                    talk.wrapped_in_unit(from, start);
                }
                Ok(None) => {}
                Err(_) if self.tls => {}
                Err(_) => return Verdict::NotThis,
            }
        }
        if self.packets > 32 && !self.tls { Verdict::NotThis } else { Verdict::Go }
    }
}

impl Openvpn {
    /// Where the TLS bytes of a control packet begin; `None` where it has none that are next in order.
    fn control(&mut self, from: Peer, unit: &[u8]) -> Result<Option<usize>, ParseError> {
        let not_tls = ParseError::Invalid { structure: STRUCTURE, reason: "no TLS record" };
        let (start, id) = match self.tls_auth {
            Some(size) => header(unit, size)?,
            None => {
                // The client's first record tells which header this is.
                let found = TLS_AUTH.iter().find_map(|size| {
                    let (start, id) = header(unit, *size).ok()?;
                    matches!(unit.get(start..), Some([22, 3, ..])).then_some((*size, start, id))
                });
                let (size, start, id) = found.ok_or(not_tls)?;
                self.tls_auth = Some(size);
                self.expected = [id; 2];
                (start, id)
            }
        };
        let Some(expected) = self.expected.get_mut(from as usize) else { return Ok(None) };
        if start >= unit.len() || id != *expected {
            return Ok(None);
        }
        *expected = expected.wrapping_add(1);
        Ok(Some(start))
    }
}

/// Length of a control packet's header, its own length prefix included, and its packet id.
fn header(unit: &[u8], tls_auth: usize) -> Result<(usize, u32), ParseError> {
    let mut cursor = Cursor::new(unit);
    cursor.take(2 + 1 + 8, STRUCTURE)?;
    cursor.take(tls_auth, STRUCTURE)?;
    let acknowledged = usize::from(cursor.u8(STRUCTURE)?);
    if acknowledged > 8 {
        return Err(ParseError::Invalid { structure: STRUCTURE, reason: "more than eight acknowledgements" });
    }
    if acknowledged > 0 {
        cursor.take(acknowledged * 4 + 8, STRUCTURE)?;
    }
    let id = cursor.u32(STRUCTURE)?;
    Ok((unit.len().saturating_sub(cursor.remaining()), id))
}
