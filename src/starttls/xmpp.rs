//! XMPP (RFC 6120): a stream of XML elements, `<starttls/>` (section 5), SASL (section 6), and server dialback.

use super::text::{begins, contains, exposes, may_become, plain_user};
use super::{Entry, Frame, LIMIT, Machine, Peer, Protocol, Recognition, Talk, Verdict};

pub(super) const ENTRY: Entry = Entry { first: Peer::Client, recognise, machine: || Box::<Xmpp>::default() };

const STREAM: &str = "<stream:stream";

/// A stream header, perhaps behind an XML declaration.
fn recognise(held: &[u8]) -> Recognition {
    let within = held.get(..512).unwrap_or(held);
    let text = within.trim_ascii_start();
    if within.len().saturating_sub(text.len()) >= 8 {
        return Recognition::Not;
    }
    let text = if begins(text, "<?xml ") {
        let declaration = text.get(..200).unwrap_or(text);
        match memchr::memchr(b'>', declaration) {
            Some(end) => text.get(end + 1..).unwrap_or_default().trim_ascii_start(),
            None => return Recognition::unless_past(text, 200),
        }
    } else {
        if text.len() < 6 && may_become(text, "<?xml ") {
            return Recognition::Perhaps;
        }
        text
    };
    if begins(text, STREAM) {
        Recognition::Is
    } else if text.len() < STREAM.len() && may_become(text, STREAM) {
        Recognition::unless_past(held, 512)
    } else {
        Recognition::Not
    }
}

#[derive(Default)]
struct Xmpp {
    in_features: bool,
    in_starttls: bool,
    in_mechanism: bool,
    asked: bool,
    mechanism: Vec<u8>,
    dialback: bool,
}

impl Machine for Xmpp {
    fn frame(&self, _: Peer, held: &[u8]) -> Frame {
        if held.first() == Some(&0x16) {
            return Frame::Tls;
        }
        let within = held.get(..LIMIT).unwrap_or(held);
        match memchr::memchr(b'>', within) {
            Some(end) => Frame::Whole(end + 1),
            None if held.len() >= LIMIT => Frame::Whole(LIMIT),
            None => Frame::More,
        }
    }

    fn unit(&mut self, from: Peer, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let start = memchr::memchr(b'<', unit).unwrap_or(unit.len());
        let (text, element) = unit.split_at_checked(start).unwrap_or((unit, &[]));
        match from {
            Peer::Client => self.client(text.trim_ascii(), element, talk),
            Peer::Server => self.server(text.trim_ascii(), element, talk),
        }
    }
}

impl Xmpp {
    fn client(&mut self, text: &[u8], element: &[u8], talk: &mut Talk<'_>) -> Verdict {
        if begins(element, STREAM) {
            talk.facts.protocol = Some(Protocol::Xmpp);
            if let Some(from) = attribute(element, "from") {
                talk.facts.client_name.get_or_insert_with(|| super::facts::text(from));
            }
        } else if begins(element, "<starttls") {
            talk.ask("starttls");
            self.asked = true;
        } else if begins(element, "<auth") {
            let mechanism = attribute(element, "mechanism").unwrap_or_default();
            self.mechanism = mechanism.get(..mechanism.len().min(32)).unwrap_or_default().to_ascii_uppercase();
            talk.facts.went_on(b"auth");
            talk.facts.authenticates(&self.mechanism, exposes(&self.mechanism), None);
        } else if begins(element, "</auth") || begins(element, "</response") {
            if self.mechanism == b"PLAIN"
                && let Some(user) = plain_user(text)
            {
                talk.facts.authenticates_as(&user);
            }
        } else if begins(element, "<db:result") {
            talk.facts.went_on(b"db:result");
            self.dialback = true;
        }
        Verdict::Go
    }

    fn server(&mut self, text: &[u8], element: &[u8], talk: &mut Talk<'_>) -> Verdict {
        if begins(element, STREAM) {
            talk.facts.convincing = talk.facts.is(Protocol::Xmpp);
            if let Some(from) = attribute(element, "from") {
                talk.facts.server_name.get_or_insert_with(|| super::facts::text(from));
            }
        } else if begins(element, "<stream:features") {
            self.in_features = !element.ends_with(b"/>");
            talk.facts.auth_mechanisms.clear();
            talk.facts.advertised = if self.in_features { None } else { Some(false) };
        } else if begins(element, "</stream:features") {
            self.in_features = false;
            talk.facts.advertised.get_or_insert(false);
        } else if begins(element, "<starttls") {
            talk.facts.advertised = Some(true);
            self.in_starttls = !element.ends_with(b"/>");
        } else if begins(element, "</starttls") {
            self.in_starttls = false;
        } else if begins(element, "<required") && self.in_starttls {
            talk.facts.required.get_or_insert_with(|| "required".into());
        } else if begins(element, "<mechanism>") || begins(element, "<mechanism ") {
            self.in_mechanism = true;
        } else if begins(element, "</mechanism>") && std::mem::take(&mut self.in_mechanism) {
            talk.facts.mechanism(text);
        } else if begins(element, "<proceed") && self.asked {
            talk.accept(Some("proceed".into()));
        } else if begins(element, "<failure") {
            if self.asked && talk.facts.accepted.is_none() && contains(element, "xmpp-tls") {
                talk.refuse(Some("failure".into()));
            }
        } else if begins(element, "<success") || (begins(element, "<db:result") && self.dialback) {
            return Verdict::Over;
        } else if begins(element, "<policy-violation") || begins(element, "<encryption-required") {
            talk.facts.required.get_or_insert_with(|| super::facts::text(element));
        }
        Verdict::Go
    }
}

/// The value of an attribute of a start tag.
fn attribute<'a>(element: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = element;
    while let Some(at) = memchr::memmem::find(rest, name.as_bytes()) {
        let before = at.checked_sub(1).and_then(|at| rest.get(at));
        let after = rest.get(at.saturating_add(name.len())..)?;
        if before.is_some_and(u8::is_ascii_whitespace)
            && let Some(value) = after.trim_ascii_start().strip_prefix(b"=")
            && let Some((quote @ (b'\'' | b'"'), value)) = value.trim_ascii_start().split_first()
        {
            return value.split(|byte| byte == quote).next();
        }
        rest = after;
    }
    None
}
