//! HTTP/1.1 CONNECT (RFC 9110 section 9.3.6) in front of TLS, and redirections to https.

use super::text::{begins, is, line, literal_number, may_become, split_word, trim};
use super::{Entry, Frame, LIMIT, LineMachine, Machine, Peer, Protocol, Proxy, Recognition, Talk, Verdict};

/// A client that asks a proxy for a tunnel.
pub(super) const CONNECT: Entry = Entry { first: Peer::Client, recognise, machine: || Box::<Connect>::default() };
/// A server that sends its client to https.
pub(super) const REDIRECT: Entry = Entry { first: Peer::Server, recognise: redirects, machine: || Box::new(Redirect) };

fn recognise(held: &[u8]) -> Recognition {
    if begins(held, "CONNECT ") {
        let within = held.get(..1024).unwrap_or(held);
        return match memchr::memchr(b'\n', within) {
            Some(end) => {
                let version = trim(held.get(..end).unwrap_or_default()).rsplit(|byte| *byte == b' ').next();
                Recognition::whether(version.is_some_and(|version| begins(version, "HTTP/1.")))
            }
            None => Recognition::unless_past(held, 1024),
        };
    }
    if held.len() < 8 && may_become(held, "CONNECT ") { Recognition::Perhaps } else { Recognition::Not }
}

/// Nothing is followed but an answer of status 301 or 308, and that to the end of its head: other HTTP costs nothing.
fn redirects(held: &[u8]) -> Recognition {
    let within = held.get(..LIMIT).unwrap_or(held);
    if !is_moved(within) {
        return Recognition::Not;
    }
    match location(within) {
        Some((location, _)) => Recognition::whether(begins(location, "https://")),
        None if memchr::memmem::find(within, b"\r\n\r\n").is_some() => Recognition::Not,
        None => Recognition::unless_past(held, LIMIT),
    }
}

/// Whether an answer, as far as it goes, begins with a status line of 301 or 308.
fn is_moved(answer: &[u8]) -> bool {
    let pattern = b"HTTP/1._ 30_";
    answer.iter().zip(pattern).enumerate().all(|(place, (byte, expected))| match place {
        7 => byte.is_ascii_digit(),
        11 => matches!(byte, b'1' | b'8'),
        _ => byte == expected,
    })
}

/// Where the head of an answer leads, once that line is there, and where the line ends.
fn location(head: &[u8]) -> Option<(&[u8], usize)> {
    let mut end = 0;
    head.split_inclusive(|byte| *byte == b'\n').take_while(|line| !trim(line).is_empty()).find_map(|line| {
        end += line.len();
        let (name, value) = split_header(line)?;
        (is(name, "location") && line.ends_with(b"\n")).then_some((value, end))
    })
}

fn split_header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = line.split_at_checked(colon)?;
    Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
}

struct Redirect;

impl Machine for Redirect {
    fn frame(&self, _: Peer, held: &[u8]) -> Frame {
        // As much of the head as says where.
        location(held).map_or(Frame::More, |(_, end)| Frame::Whole(end))
    }

    fn unit(&mut self, _: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let Some((location, _)) = location(unit) else { return Verdict::NotThis };
        talk.facts.protocol = Some(Protocol::Http);
        talk.facts.convincing = true;
        // What follows the host may be personal.
        let end =
            memchr::memchr2(b'/', b'?', location.get(8..).unwrap_or_default()).map_or(location.len(), |at| at + 8);
        talk.facts.location = Some(super::facts::text(location.get(..end).unwrap_or_default()));
        talk.facts.reply = Some(super::facts::text(unit.split(|byte| *byte == b'\n').next().unwrap_or_default()));
        Verdict::Over
    }
}

#[derive(Default)]
struct Connect {
    request: Option<Proxy>,
    /// The head of the request is whole.
    asked: bool,
    status: Option<u16>,
    body: u64,
    body_unknown: bool,
}

impl LineMachine for Connect {
    fn command(&mut self, line: &[u8], _: &mut Talk<'_>) -> Verdict {
        if self.asked {
            return Verdict::NotThis;
        }
        let Some(request) = &mut self.request else {
            if !begins(line, "CONNECT ") {
                return Verdict::NotThis;
            }
            let target = split_word(split_word(line).1).0;
            let colon = memchr::memrchr(b':', target).unwrap_or(target.len());
            let (host, port) = target.split_at_checked(colon).unwrap_or((target, &[]));
            let mut proxy = Proxy::new(Protocol::HttpConnect);
            let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
            proxy.host = Some(super::facts::text(host));
            proxy.port = port.get(1..).and_then(literal_number);
            self.request = Some(proxy);
            return Verdict::Go;
        };
        if line.is_empty() {
            self.asked = true;
        } else if let Some((name, value)) = split_header(line)
            && is(name, "proxy-authorization")
        {
            request.authentication = Some(super::facts::text(split_word(value).0));
        }
        Verdict::Go
    }

    fn reply(&mut self, line: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let Some(status) = self.status else {
            let (version, rest) = split_word(line);
            if !begins(version, "HTTP/1.") {
                return Verdict::NotThis;
            }
            self.status = literal_number(split_word(rest).0);
            (self.body, self.body_unknown) = (0, false);
            return if self.status.is_some() { Verdict::Go } else { Verdict::NotThis };
        };
        if !line.is_empty() {
            if let Some((name, value)) = split_header(line) {
                if is(name, "content-length") {
                    self.body = literal_number::<u32>(value).map_or(u64::MAX, u64::from);
                } else if is(name, "transfer-encoding") {
                    self.body_unknown = true;
                }
            }
            return Verdict::Go;
        }
        self.status = None;
        if (100..200).contains(&status) {
            return Verdict::Go;
        }
        let Some(mut proxy) = self.request.take() else { return Verdict::NotThis };
        proxy.status = Some(status);
        if (200..300).contains(&status) {
            talk.facts.turned_away = false;
            talk.facts.proxies.retain(|refused| refused.status != Some(407));
            talk.facts.proxies.push(proxy);
            return Verdict::Tunnel;
        }
        talk.facts.convincing = true;
        talk.facts.turned_away = true;
        talk.facts.proxies.clear();
        talk.facts.proxies.push(proxy);
        self.asked = false;
        // The client may ask again, as one that has to authenticate itself does.
        if self.body_unknown || status != 407 {
            return Verdict::Over;
        }
        if self.body > 0 {
            talk.skip(Peer::Server, self.body);
        }
        Verdict::Go
    }
    fn line(&self, from: Peer, held: &[u8]) -> Frame {
        // Whoever sends ahead of the answer sends TLS; it is held until the answer is here.
        if from == Peer::Client && self.asked && held.first() == Some(&0x16) { Frame::More } else { line(held) }
    }
}
