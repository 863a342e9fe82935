//! RDP's connection sequence: X.224 requests in TPKT, with the security negotiation of MS-RDPBCGR 2.2.1.1 and 2.2.1.2.

use super::text::begins;
use super::{Entry, Frame, Machine, Peer, Protocol, RdpFacts, Recognition, Talk, Verdict};

pub(super) const ENTRY: Entry = Entry { first: Peer::Client, recognise, machine: || Box::<Rdp>::default() };

/// An X.224 connection request of class 0 that only RDP sends: with a negotiation request, a cookie, or nothing at all.
fn recognise(held: &[u8]) -> Recognition {
    match held {
        [3, 0, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if !(11..=1024).contains(&length) {
                return Recognition::Not;
            }
            match rest {
                [] | [_] => Recognition::Perhaps,
                [_, 0xe0, ..] if held.len() < length => Recognition::Perhaps,
                [_, 0xe0, ..] => {
                    let request = held.get(..length).unwrap_or(held);
                    Recognition::whether(variable_part(request).is_some_and(is_rdp))
                }
                _ => Recognition::Not,
            }
        }
        [3] | [3, 0] | [3, 0, _] => Recognition::Perhaps,
        _ => Recognition::Not,
    }
}

/// What follows the fixed part of an X.224 connection request or confirm.
fn variable_part(packet: &[u8]) -> Option<&[u8]> {
    packet.get(11..)
}

fn is_rdp(variable: &[u8]) -> bool {
    variable.is_empty() || begins(variable, "Cookie: ") || negotiation(variable).is_some_and(|(kind, _)| kind == 1)
}

/// The negotiation structure at the end of a variable part: its type and its value.
fn negotiation(variable: &[u8]) -> Option<(u8, u32)> {
    // An RDP_NEG_CORRELATION_INFO of 36 bytes may follow the request.
    let ends = [variable.len(), variable.len().saturating_sub(36)];
    ends.into_iter().find_map(|end| match variable.get(end.checked_sub(8)?..end)? {
        [kind @ 1..=3, _, 8, 0, a, b, c, d] => Some((*kind, u32::from_le_bytes([*a, *b, *c, *d]))),
        _ => None,
    })
}

#[derive(Default)]
struct Rdp {
    /// The client sent neither a cookie nor a negotiation request: it may speak another protocol over X.224.
    doubtful: bool,
    confirmed: bool,
}

impl Machine for Rdp {
    fn frame(&self, _: Peer, held: &[u8]) -> Frame {
        match held {
            [0x16, ..] => Frame::Tls,
            [3, 0, high, low, ..] => match u16::from_be_bytes([*high, *low]) {
                length @ 7.. => Frame::Whole(usize::from(length)),
                _ => Frame::NotThis,
            },
            [3] | [3, 0] | [3, 0, _] => Frame::More,
            _ => Frame::NotThis,
        }
    }

    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        match (from, unit.get(5)) {
            (Peer::Client, Some(0xe0)) => {
                let variable = variable_part(unit).unwrap_or_default();
                let requested = negotiation(variable).map(|(_, protocols)| protocols);
                self.doubtful = variable.is_empty();
                talk.facts.protocol = Some(Protocol::Rdp);
                talk.facts.rdp = Some(RdpFacts { requested, ..RdpFacts::default() });
                if requested.is_some_and(|protocols| protocols & 0x1f != 0) {
                    talk.ask("RDP_NEG_REQ");
                }
                Verdict::Go
            }
            (Peer::Server, Some(0xd0)) => self.confirm(unit, talk),
            // The MCS Connect-Initial of a client that goes on without TLS.
            (Peer::Client, Some(0xf0)) if self.confirmed => {
                if unit.get(7..9) == Some(&[0x7f, 0x65]) {
                    talk.facts.convincing = true;
                    talk.facts.went_on(b"MCS Connect-Initial");
                    return Verdict::Over;
                }
                Verdict::NotThis
            }
            _ => Verdict::NotThis,
        }
    }
}

impl Rdp {
    fn confirm(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        self.confirmed = true;
        talk.facts.convincing = !self.doubtful;
        let asked = talk.facts.asked.is_some();
        let answer = variable_part(unit).and_then(negotiation);
        let Some(rdp) = &mut talk.facts.rdp else { return Verdict::NotThis };
        match answer {
            Some((2, 0)) => {
                rdp.selected = Some(0);
                if asked {
                    talk.refuse(Some("PROTOCOL_RDP".into()));
                }
            }
            Some((2, selected)) => {
                rdp.selected = Some(selected);
                talk.accept(None);
            }
            Some((3, failure)) => {
                rdp.failure = Some(failure);
                talk.facts.turned_away = true;
                let name = match failure {
                    1 => "SSL_REQUIRED_BY_SERVER",
                    2 => "SSL_NOT_ALLOWED_BY_SERVER",
                    3 => "SSL_CERT_NOT_ON_SERVER",
                    4 => "INCONSISTENT_FLAGS",
                    5 => "HYBRID_REQUIRED_BY_SERVER",
                    6 => "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
                    _ => "unknown failure",
                };
                if matches!(failure, 1 | 5 | 6) {
                    talk.facts.required = Some(name.into());
                }
                talk.refuse(Some(name.into()));
                return Verdict::Over;
            }
            // A server of before the negotiation.
            _ if asked => talk.refuse(None),
            _ => {}
        }
        Verdict::Go
    }
}
