//! The PROXY protocol, versions 1 and 2: a header in front of a connection that says whose it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::text::{begins, may_become, trim, words};
use super::{Entry, Frame, Machine, Peer, Protocol, Proxy, Recognition, Talk, Verdict};
use crate::cursor::{Cursor, ParseError};

/// Version 1, a line of text.
pub(super) const V1: Entry = Entry { first: Peer::Client, recognise: line1, machine: || Box::new(V1Header) };
/// Version 2, binary.
pub(super) const V2: Entry = Entry { first: Peer::Client, recognise: signature2, machine: || Box::new(V2Header) };

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Longest line of version 1, its end included.
const LINE: usize = 107;
const STRUCTURE: &str = "PROXY header";

fn line1(held: &[u8]) -> Recognition {
    if !begins(held, "PROXY ") {
        return if held.len() < 6 && may_become(held, "PROXY ") { Recognition::Perhaps } else { Recognition::Not };
    }
    match memchr::memchr(b'\n', held) {
        Some(end) => Recognition::whether(end < LINE),
        None if held.len() >= LINE => Recognition::Not,
        None => Recognition::Perhaps,
    }
}

fn signature2(held: &[u8]) -> Recognition {
    let length = held.len().min(SIGNATURE.len());
    match held.get(..length) == SIGNATURE.get(..length) {
        false => Recognition::Not,
        true if held.len() < SIGNATURE.len() => Recognition::Perhaps,
        true => Recognition::Is,
    }
}

struct V1Header;

impl Machine for V1Header {
    fn frame(&self, from: Peer, held: &[u8]) -> Frame {
        match (from, memchr::memchr(b'\n', held)) {
            (Peer::Client, Some(end)) => Frame::Whole(end + 1),
            _ => Frame::More,
        }
    }

    fn unit(&mut self, _: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let mut proxy = Proxy::new(Protocol::ProxyV1);
        let fields: Vec<&str> = words(trim(unit)).filter_map(|word| std::str::from_utf8(word).ok()).take(6).collect();
        match fields.as_slice() {
            [_, "UNKNOWN", ..] => {}
            [_, "TCP4" | "TCP6", source, destination, source_port, destination_port] => {
                proxy.source = socket(source, source_port);
                proxy.destination = socket(destination, destination_port);
            }
            _ => return Verdict::NotThis,
        }
        talk.facts.proxies.push(proxy);
        Verdict::Tunnel
    }
}

fn socket(address: &str, port: &str) -> Option<SocketAddr> {
    Some(SocketAddr::new(address.parse().ok()?, port.parse().ok()?))
}

struct V2Header;

impl Machine for V2Header {
    fn frame(&self, from: Peer, held: &[u8]) -> Frame {
        match (from, held.get(12..16)) {
            (Peer::Client, Some([0x20 | 0x21, _, high, low])) => {
                Frame::Whole(usize::from(u16::from_be_bytes([*high, *low])).saturating_add(16))
            }
            (Peer::Client, Some(_)) => Frame::NotThis,
            _ => Frame::More,
        }
    }

    fn unit(&mut self, _: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let Ok(proxy) = header(unit) else { return Verdict::NotThis };
        talk.facts.proxies.push(proxy);
        Verdict::Tunnel
    }
}

fn header(unit: &[u8]) -> Result<Proxy, ParseError> {
    let mut cursor = Cursor::new(unit);
    cursor.take(SIGNATURE.len() + 1, STRUCTURE)?;
    let family = cursor.u8(STRUCTURE)?;
    cursor.u16(STRUCTURE)?;
    let mut proxy = Proxy::new(Protocol::ProxyV2);
    let addresses = match family >> 4 {
        1 => Some((v4(&mut cursor)?, v4(&mut cursor)?)),
        2 => Some((v6(&mut cursor)?, v6(&mut cursor)?)),
        _ => None,
    };
    if let Some((source, destination)) = addresses {
        proxy.source = Some(SocketAddr::new(source, cursor.u16(STRUCTURE)?));
        proxy.destination = Some(SocketAddr::new(destination, cursor.u16(STRUCTURE)?));
    }
    Ok(proxy)
}

fn v4(cursor: &mut Cursor<'_>) -> Result<IpAddr, ParseError> {
    cursor.array::<4>(STRUCTURE).map(|octets| Ipv4Addr::from(*octets).into())
}

fn v6(cursor: &mut Cursor<'_>) -> Result<IpAddr, ParseError> {
    cursor.array::<16>(STRUCTURE).map(|octets| Ipv6Addr::from(*octets).into())
}
