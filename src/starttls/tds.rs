//! TDS (MS-TDS): PRELOGIN packets (section 2.2.6.5) that agree on encryption and then carry the handshake's records.
//! TDS 8.0 begins with TLS and needs nothing from here.

use super::{Entry, Frame, Machine, Peer, Protocol, Recognition, Talk, TdsFacts, Verdict};

pub(super) const ENTRY: Entry = Entry { first: Peer::Client, recognise, machine: || Box::<Tds>::default() };

const PRELOGIN: u8 = 0x12;
const RESPONSE: u8 = 0x04;
const LOGIN7: u8 = 0x10;
/// Length of a packet header.
const HEADER: usize = 8;
const NOT_SUPPORTED: u8 = 2;

/// A PRELOGIN packet whose options begin with VERSION.
fn recognise(held: &[u8]) -> Recognition {
    match held {
        [PRELOGIN, 0 | 1, high, low, _, _, _, 0, rest @ ..] => {
            let length = u16::from_be_bytes([*high, *low]);
            if !(20..=4096).contains(&length) {
                return Recognition::Not;
            }
            match rest {
                [0, 0, 6..=80, 0, 6, ..] => Recognition::Is,
                [] | [0] | [0, 0] | [0, 0, 6..=80] | [0, 0, 6..=80, 0] => Recognition::Perhaps,
                _ => Recognition::Not,
            }
        }
        [PRELOGIN] | [PRELOGIN, 0 | 1] | [PRELOGIN, 0 | 1, _, ..] if held.len() < HEADER => Recognition::Perhaps,
        _ => Recognition::Not,
    }
}

#[derive(Default)]
struct Tds {
    client: Option<u8>,
    /// Both PRELOGIN packets have been exchanged.
    agreed: bool,
    /// And TLS is what they agreed on.
    tls: bool,
}

impl Machine for Tds {
    fn frame(&self, _: Peer, held: &[u8]) -> Frame {
        match held {
            // Once the handshake is over records come without a packet around them.
            [0x14..=0x17, ..] => Frame::Tls,
            [PRELOGIN | RESPONSE, _, high, low, ..] if self.tls => match u16::from_be_bytes([*high, *low]) {
                8.. => Frame::Whole(HEADER),
                _ => Frame::NotThis,
            },
            [1..=0x1f, _, high, low, ..] => match u16::from_be_bytes([*high, *low]) {
                length @ 8.. => Frame::Whole(usize::from(length)),
                _ => Frame::NotThis,
            },
            [1..=0x1f] | [1..=0x1f, _] | [1..=0x1f, _, _] => Frame::More,
            _ => Frame::NotThis,
        }
    }

    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let Some(([kind, _, high, low, ..], body)) = unit.split_first_chunk::<HEADER>() else {
            return Verdict::NotThis;
        };
        talk.facts.protocol = Some(Protocol::Tds);
        let length = u64::from(u16::from_be_bytes([*high, *low])).saturating_sub(8);
        match (from, *kind) {
            (_, PRELOGIN | RESPONSE) if self.tls => talk.wrapped(from, length),
            (Peer::Client, PRELOGIN) => {
                self.client = encryption(body);
                talk.facts.tds = Some(TdsFacts { client: self.client, server: None });
                if self.client.is_some_and(|option| option & 3 != NOT_SUPPORTED) {
                    talk.facts.asked = Some("PRELOGIN");
                }
            }
            (Peer::Server, RESPONSE) if !self.agreed => {
                let server = encryption(body);
                self.agreed = true;
                talk.facts.convincing = true;
                talk.facts.tds = Some(TdsFacts { client: self.client, server });
                talk.facts.advertised = server.map(|option| option & 3 != NOT_SUPPORTED);
                if server.is_some_and(|option| option & 3 == 3) {
                    talk.facts.required = Some("ENCRYPT_REQ".into());
                }
                let refuses = |option: Option<u8>| option.is_none_or(|option| option & 3 == NOT_SUPPORTED);
                self.tls = !refuses(self.client) && !refuses(server);
                if self.tls {
                    talk.facts.accepted = Some(true);
                } else if talk.facts.asked.is_some() {
                    talk.facts.accepted = Some(false);
                }
            }
            (Peer::Client, LOGIN7) => {
                talk.facts.went_on(b"LOGIN7");
                // The password is disguised by swapped bits, not encrypted.
                if let Some(user) = login_user(body) {
                    talk.facts.authenticates(b"LOGIN7", true, Some(user.as_bytes()));
                }
                return Verdict::Over;
            }
            _ if !self.agreed => return Verdict::NotThis,
            _ => {}
        }
        Verdict::Go
    }
}

/// The ENCRYPTION option: token, offset and length of each, up to 0xff; offsets count from the first token.
fn encryption(body: &[u8]) -> Option<u8> {
    body.chunks_exact(5).take(32).take_while(|option| option.first() != Some(&0xff)).find_map(|option| match option {
        [1, high, low, ..] => body.get(usize::from(u16::from_be_bytes([*high, *low]))).copied(),
        _ => None,
    })
}

/// The user of a LOGIN7 packet (section 2.2.6.4); `None` for integrated authentication.
fn login_user(body: &[u8]) -> Option<String> {
    let [offset_low, offset_high, count_low, count_high] = body.get(40..44)?.first_chunk::<4>()?;
    let offset = usize::from(u16::from_le_bytes([*offset_low, *offset_high]));
    let count = usize::from(u16::from_le_bytes([*count_low, *count_high]));
    let units = body.get(offset..offset.checked_add(count.checked_mul(2)?)?)?;
    let units: Vec<u16> = units
        .chunks_exact(2)
        .filter_map(|pair| pair.first_chunk::<2>())
        .map(|pair| u16::from_le_bytes(*pair))
        .collect();
    (!units.is_empty()).then(|| String::from_utf16_lossy(&units))
}
