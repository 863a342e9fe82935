//! HTTP/1.1 CONNECT (RFC 9110 section 9.3.6) in front of TLS, and redirections to https.

use super::text::{begins, is, line, literal_number, may_become, split_word, trim};
use super::{Entry, Frame, Machine, Peer, Protocol, Proxy, Recognition, Talk, Verdict};

/// A client that asks a proxy for a tunnel.
pub(super) const CONNECT: Entry = Entry { first: Peer::Client, recognise, machine: || Box::<Connect>::default() };
/// A server that sends its client to https.
pub(super) const REDIRECT: Entry = Entry { first: Peer::Server, recognise: redirects, machine: || Box::new(Redirect) };

fn recognise(held: &[u8]) -> Recognition {
    if begins(held, "CONNECT ") {
        return match memchr::memchr(b'\n', held) {
            Some(end) => {
                let version = trim(held.get(..end).unwrap_or_default()).rsplit(|byte| *byte == b' ').next();
                Recognition::whether(version.is_some_and(|version| begins(version, "HTTP/1.")))
            }
            None if held.len() > 1024 => Recognition::Not,
            None => Recognition::Perhaps,
        };
    }
    if held.len() < 8 && may_become(held, "CONNECT ") { Recognition::Perhaps } else { Recognition::Not }
}

/// Only what is whole in one segment: for this nothing is followed, and plain HTTP costs nothing.
fn redirects(held: &[u8]) -> Recognition {
    Recognition::whether(location(held).is_some())
}

/// Where a 301 or 308 leads, if that is https.
fn location(response: &[u8]) -> Option<&[u8]> {
    if !matches!(response.get(..12)?, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', _, b' ', b'3', b'0', b'1' | b'8']) {
        return None;
    }
    let head = response.get(..super::LIMIT).unwrap_or(response);
    let mut lines = head.split(|byte| *byte == b'\n').skip(1);
    let header = lines.find_map(|line| {
        let (name, value) = split_header(line)?;
        is(name, "location").then_some(value)
    })?;
    begins(header, "https://").then_some(header)
}

fn split_header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = line.split_at_checked(colon)?;
    Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
}

struct Redirect;

impl Machine for Redirect {
    fn frame(&self, _: Peer, held: &[u8]) -> Frame {
        // The head as far as it is there.
        Frame::Whole(memchr::memmem::find(held, b"\r\n\r\n").map_or(held.len(), |end| end + 4))
    }

    fn unit(&mut self, _: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let Some(location) = location(unit) else { return Verdict::NotThis };
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

impl Machine for Connect {
    fn frame(&self, from: Peer, held: &[u8]) -> Frame {
        // Whoever sends ahead of the answer sends TLS; it is held until the answer is here.
        if from == Peer::Client && self.asked && held.first() == Some(&0x16) { Frame::More } else { line(held) }
    }

    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        match from {
            Peer::Client => self.client(trim(unit)),
            Peer::Server => self.server(trim(unit), talk),
        }
    }

    fn is_lines(&self) -> bool {
        true
    }
}

impl Connect {
    fn client(&mut self, line: &[u8]) -> Verdict {
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

    fn server(&mut self, line: &[u8], talk: &mut Talk<'_>) -> Verdict {
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
}
