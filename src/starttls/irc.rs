//! IRC (RFC 2812) with the STARTTLS command (IRCv3's `tls` capability; numerics 670 and 691).

use super::text::{begins, exposes, is, is_one_of, may_become, plain_user, split_word, words};
use super::{Entry, Frame, LIMIT, LineMachine, Peer, Protocol, Recognition, Talk, Verdict};

/// Longest message, in bytes.
const LINE: usize = 512;

/// A client that registers.
pub(super) const ENTRY: Entry =
    Entry { first: Peer::Client, recognise: client_begins, machine: || Box::<Irc>::default() };
/// A server that says something before the client does.
pub(super) const SERVER_FIRST: Entry =
    Entry { first: Peer::Server, recognise: server_begins, machine: || Box::<Irc>::default() };

fn client_begins(held: &[u8]) -> Recognition {
    const STARTS: [&str; 6] = ["CAP LS", "STARTTLS\r\n", "NICK ", "CAP REQ ", "PASS ", "USER "];
    if STARTS.iter().any(|start| begins(held, start)) {
        Recognition::Is
    } else if STARTS.iter().any(|start| held.len() < start.len() && may_become(held, start)) {
        Recognition::Perhaps
    } else {
        Recognition::Not
    }
}

fn server_begins(held: &[u8]) -> Recognition {
    if begins(held, "NOTICE ") {
        return Recognition::Is;
    }
    if held.len() < 7 && may_become(held, "NOTICE ") {
        return Recognition::Perhaps;
    }
    if held.first() != Some(&b':') {
        return Recognition::Not;
    }
    let within = held.get(..LINE).unwrap_or(held);
    // A word that ends where the bytes do may go on.
    match words(within).nth(1) {
        Some(word) if !within.ends_with(word) => Recognition::whether(is(word, "NOTICE")),
        Some(word) if !may_become(word, "NOTICE") || word.len() > "NOTICE".len() => Recognition::Not,
        _ => Recognition::unless_past(held, LINE),
    }
}

#[derive(Default)]
struct Irc {
    client_spoke: bool,
    nick: Vec<u8>,
    mechanism: Vec<u8>,
}

impl LineMachine for Irc {
    fn command(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let (verb, arguments) = split_word(unit);
        if is_one_of(verb, &["CAP", "NICK", "USER", "PASS", "STARTTLS", "PONG", "AUTHENTICATE", "QUIT", "SERVER"]) {
            self.client_spoke = true;
            talk.facts.protocol = Some(Protocol::Irc);
        } else if !self.client_spoke {
            return Verdict::NotThis;
        }
        if is(verb, "STARTTLS") {
            talk.ask("STARTTLS");
        } else if is(verb, "NICK") {
            self.nick = arguments.get(..arguments.len().min(64)).unwrap_or_default().to_vec();
        } else if is(verb, "USER") {
            talk.facts.went_on(b"USER");
        } else if is(verb, "PASS") {
            talk.facts.authenticates(b"PASS", true, None);
        } else if is(verb, "AUTHENTICATE") && self.mechanism.is_empty() {
            self.mechanism = arguments.get(..arguments.len().min(32)).unwrap_or_default().to_ascii_uppercase();
        } else if is(verb, "AUTHENTICATE") && arguments != b"*" {
            let user = if is(&self.mechanism, "PLAIN") { plain_user(arguments) } else { None };
            talk.facts.authenticates(&self.mechanism, exposes(&self.mechanism), user.as_deref());
        }
        Verdict::Go
    }

    fn reply(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let rest = if unit.first() == Some(&b':') { split_word(unit).1 } else { unit };
        let (command, arguments) = split_word(rest);
        if self.client_spoke
            && is_one_of(command, &["001", "CAP", "670", "691", "433", "NOTICE", "451", "PING", "ERROR"])
        {
            talk.facts.convincing = true;
        }
        if is(command, "NOTICE") {
            talk.facts.greet(unit);
        } else if is(command, "CAP") {
            let mut parts = words(arguments).skip(1);
            if parts.next().is_some_and(|word| is(word, "LS")) {
                let mut tls = false;
                let mut more = false;
                for word in parts {
                    let name = word.strip_prefix(b":").unwrap_or(word);
                    more |= word == b"*";
                    talk.facts.capability(name);
                    tls |= is(name, "tls");
                }
                if tls {
                    talk.facts.advertised = Some(true);
                } else if !more {
                    talk.facts.advertised.get_or_insert(false);
                }
            }
        } else if is(command, "670") {
            talk.accept(Some(super::facts::text(unit)));
        } else if is(command, "691") || (is(command, "421") && words(arguments).any(|word| is(word, "STARTTLS"))) {
            talk.refuse(Some(super::facts::text(unit)));
        } else if is(command, "001") && self.client_spoke {
            talk.facts.went_on(b"NICK");
            return Verdict::Over;
        }
        Verdict::Go
    }

    fn line(&self, _: Peer, held: &[u8]) -> Frame {
        match held {
            [0x16] => Frame::More,
            [0x16, 3, ..] => Frame::Tls,
            [2 | 3 | 0x0f | 0x1d | 0x1f, ..] => Frame::NotThis,
            // Formatting codes of IRC are control bytes.
            _ => match memchr::memchr(b'\n', held) {
                Some(end) => Frame::Whole(end + 1),
                None if held.len() >= LIMIT => Frame::Long,
                None => Frame::More,
            },
        }
    }
}
