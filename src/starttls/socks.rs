//! SOCKS 4 and 4a, and SOCKS 5 (RFC 1928) with user names and passwords (RFC 1929).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Entry, Frame, Machine, Peer, Protocol, Proxy, Recognition, Talk, Verdict};
use crate::cursor::{Cursor, ParseError};

/// A request of version 4.
pub(super) const V4: Entry = Entry { first: Peer::Client, recognise: request4, machine: || Box::<Socks4>::default() };
/// A choice of methods of version 5.
pub(super) const V5: Entry = Entry { first: Peer::Client, recognise: methods5, machine: || Box::<Socks5>::default() };

const STRUCTURE: &str = "SOCKS request";

/// CONNECT, a port, an address, a user name of printable text, and in 4a a host.
fn request4(held: &[u8]) -> Recognition {
    match held {
        [4] | [4, 1] => Recognition::Perhaps,
        [4, 1, 0, 0, ..] => Recognition::Not,
        [4, 1, ..] if held.len() < 9 => Recognition::Perhaps,
        [4, 1, ..] => match end4(held.get(..512).unwrap_or(held)) {
            Ok(_) => Recognition::Is,
            Err(ParseError::Incomplete { .. }) => Recognition::unless_past(held, 512),
            Err(_) => Recognition::Not,
        },
        _ => Recognition::Not,
    }
}

/// Where a request of version 4 ends, and its host where it names one.
fn end4(held: &[u8]) -> Result<(usize, Option<&[u8]>), ParseError> {
    let mut cursor = Cursor::new(held);
    cursor.take(4, STRUCTURE)?;
    let address = cursor.array::<4>(STRUCTURE)?;
    let mut text = || -> Result<&[u8], ParseError> {
        let end = memchr::memchr(0, cursor.peek());
        let text = cursor.peek().get(..end.unwrap_or(cursor.remaining())).unwrap_or_default();
        if !text.iter().all(u8::is_ascii_graphic) {
            return Err(ParseError::Invalid { structure: STRUCTURE, reason: "a name that is not text" });
        }
        cursor.take(end.map_or(text.len() + 1, |end| end + 1), STRUCTURE)?;
        Ok(text)
    };
    text()?;
    let host = if matches!(address, [0, 0, 0, 1..=255]) { Some(text()?) } else { None };
    Ok((held.len().saturating_sub(cursor.remaining()), host))
}

/// A list of known methods, and behind it, where the client need not wait, only what may follow.
fn methods5(held: &[u8]) -> Recognition {
    match held {
        [5] => Recognition::Perhaps,
        [5, count @ 1..=10, methods @ ..] => {
            let count = usize::from(*count);
            let known = methods.iter().take(count).all(|method| matches!(method, 0..=9 | 0x80..=0x8f));
            match methods.get(count..) {
                _ if !known => Recognition::Not,
                None => Recognition::Perhaps,
                Some([] | [1 | 5, ..]) => Recognition::Is,
                Some(_) => Recognition::Not,
            }
        }
        _ => Recognition::Not,
    }
}

#[derive(Default)]
struct Socks4 {
    request: Option<Proxy>,
}

impl Machine for Socks4 {
    fn frame(&self, from: Peer, held: &[u8]) -> Frame {
        match from {
            Peer::Client if self.request.is_some() => Frame::More,
            Peer::Client => match end4(held) {
                Ok((end, _)) => Frame::Whole(end),
                Err(ParseError::Incomplete { .. }) => Frame::More,
                Err(_) => Frame::NotThis,
            },
            Peer::Server => match held {
                [0 | 4, ..] => Frame::Whole(8),
                _ => Frame::NotThis,
            },
        }
    }

    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        match (from, unit) {
            (Peer::Client, [_, _, high, low, a, b, c, d, ..]) => {
                let mut proxy = Proxy::new(Protocol::Socks4);
                proxy.port = Some(u16::from_be_bytes([*high, *low]));
                proxy.host = Some(match end4(unit) {
                    Ok((_, Some(host))) => super::facts::text(host),
                    _ => Ipv4Addr::new(*a, *b, *c, *d).to_string().into_boxed_str(),
                });
                self.request = Some(proxy);
                Verdict::Go
            }
            (Peer::Server, [_, status, ..]) => settle(self.request.take(), *status, 0x5a, talk),
            _ => Verdict::NotThis,
        }
    }
}

/// The proxy has answered: a tunnel stands where the status is `good`.
fn settle(request: Option<Proxy>, status: u8, good: u8, talk: &mut Talk<'_>) -> Verdict {
    let Some(mut proxy) = request else { return Verdict::NotThis };
    proxy.status = Some(u16::from(status));
    talk.facts.proxies.push(proxy);
    if status == good {
        Verdict::Tunnel
    } else {
        talk.facts.convincing = true;
        talk.facts.turned_away = true;
        Verdict::Over
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Methods,
    Authentication,
    Request,
    Reply,
}

#[derive(Default)]
struct Socks5 {
    client: Stage,
    method: Option<u8>,
    authenticated: bool,
    request: Option<Proxy>,
}

impl Machine for Socks5 {
    fn frame(&self, from: Peer, held: &[u8]) -> Frame {
        let length = match (from, self.client) {
            (Peer::Client, Stage::Methods) => match held {
                [_, count, ..] => Ok(2 + usize::from(*count)),
                _ => return Frame::More,
            },
            // What the client sends ahead of the method chosen cannot be told apart.
            (Peer::Client, Stage::Authentication) if self.method.is_none() => return Frame::More,
            (Peer::Client, Stage::Authentication) => match held {
                [1, user, rest @ ..] => match rest.get(usize::from(*user)) {
                    Some(secret) => Ok(3 + usize::from(*user) + usize::from(*secret)),
                    None => return Frame::More,
                },
                [1] => return Frame::More,
                _ => return Frame::NotThis,
            },
            (Peer::Client, Stage::Request) => address_end(held),
            (Peer::Client, Stage::Reply) => return Frame::More,
            (Peer::Server, _) if self.method.is_none() => Ok(2),
            (Peer::Server, _) if self.method == Some(2) && !self.authenticated => Ok(2),
            (Peer::Server, _) => address_end(held),
        };
        match length {
            Ok(length) => Frame::Whole(length),
            Err(ParseError::Incomplete { .. }) => Frame::More,
            Err(_) => Frame::NotThis,
        }
    }

    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        match (from, self.client, unit) {
            (Peer::Client, Stage::Methods, [_, _, methods @ ..]) => {
                // Where only one is offered the client need not wait.
                self.client = if methods == [0] { Stage::Request } else { Stage::Authentication };
            }
            (Peer::Client, Stage::Authentication, _) => {
                self.client = Stage::Request;
                self.request.get_or_insert_with(|| Proxy::new(Protocol::Socks5)).authentication =
                    Some("username/password".into());
            }
            (Peer::Client, Stage::Request, _) => {
                let Ok((host, port)) = address(unit) else { return Verdict::NotThis };
                if unit.get(1) != Some(&1) {
                    return Verdict::NotThis;
                }
                let proxy = self.request.get_or_insert_with(|| Proxy::new(Protocol::Socks5));
                (proxy.host, proxy.port) = (Some(host), Some(port));
                self.client = Stage::Reply;
            }
            (Peer::Server, _, [5, method]) if self.method.is_none() => {
                self.method = Some(*method);
                match method {
                    0 if self.client == Stage::Authentication => self.client = Stage::Request,
                    0 | 2 => {}
                    _ => return Verdict::NotThis,
                }
            }
            (Peer::Server, _, [_, status]) => {
                if *status != 0 {
                    return Verdict::NotThis;
                }
                self.authenticated = true;
            }
            (Peer::Server, Stage::Reply, [5, status, ..]) => return settle(self.request.take(), *status, 0, talk),
            _ => return Verdict::NotThis,
        }
        Verdict::Go
    }
}

/// Length of a request or a reply: three bytes, an address and a port.
fn address_end(held: &[u8]) -> Result<usize, ParseError> {
    let length = match held {
        [5, _, 0, 1, ..] => 4,
        [5, _, 0, 4, ..] => 16,
        [5, _, 0, 3, length, ..] => 1 + usize::from(*length),
        [] | [5] | [5, _] | [5, _, 0] | [5, _, 0, 3] => {
            return Err(ParseError::Incomplete { structure: STRUCTURE, needed: 1 });
        }
        _ => return Err(ParseError::Invalid { structure: STRUCTURE, reason: "neither request nor reply" }),
    };
    Ok(4 + length + 2)
}

fn address(unit: &[u8]) -> Result<(Box<str>, u16), ParseError> {
    let mut cursor = Cursor::new(unit);
    cursor.take(3, STRUCTURE)?;
    let host = match cursor.u8(STRUCTURE)? {
        1 => Ipv4Addr::from(*cursor.array::<4>(STRUCTURE)?).to_string().into_boxed_str(),
        4 => Ipv6Addr::from(*cursor.array::<16>(STRUCTURE)?).to_string().into_boxed_str(),
        _ => super::facts::text(cursor.vec8(STRUCTURE)?),
    };
    Ok((host, cursor.u16(STRUCTURE)?))
}
