//! IMAP (RFC 9051, RFC 3501) with STARTTLS (RFC 9051 section 6.2.1).

use super::sasl::Sasl;
use super::text::{astring, begins, is, literal, may_become, split_word, words};
use super::{Entry, LIMIT, LineMachine, Peer, Protocol, Recognition, Talk, Verdict};

/// Commands that may wait for their replies at once.
const PIPELINE: usize = 32;
/// Longest tag followed, in bytes.
const TAG: usize = 32;

pub(super) const ENTRY: Entry = Entry { first: Peer::Server, recognise, machine: || Box::<Imap>::default() };

fn recognise(held: &[u8]) -> Recognition {
    for greeting in ["* OK", "* PREAUTH", "* BYE"] {
        match held.get(greeting.len()) {
            Some(b' ' | b'\r') if begins(held, greeting) => {
                return Recognition::of_line(held, LIMIT);
            }
            None if may_become(held, greeting) => return Recognition::Perhaps,
            _ => {}
        }
    }
    Recognition::Not
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    Starttls,
    Login,
    Authenticate,
    Capability,
    Other,
}

#[derive(Default)]
struct Imap {
    greeted: bool,
    pending: Vec<(Vec<u8>, Command)>,
    sasl: Sasl,
    /// A command goes on behind its literal.
    continues: bool,
}

impl LineMachine for Imap {
    fn command(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        if let Some(length) = literal(unit) {
            talk.skip(Peer::Client, length.min(1 << 32));
        }
        let goes_on = literal(unit).is_some();
        if std::mem::replace(&mut self.continues, goes_on) {
            return Verdict::Go;
        }
        if self.sasl.takes(unit, talk) {
            return Verdict::Go;
        }
        let (tag, rest) = split_word(unit);
        let (verb, arguments) = split_word(rest);
        if verb.is_empty() || !verb.iter().all(|byte| byte.is_ascii_alphanumeric()) || tag.len() > TAG {
            return if self.pending.is_empty() { Verdict::NotThis } else { Verdict::Go };
        }
        talk.facts.protocol = Some(Protocol::Imap);
        let command = if is(verb, "STARTTLS") {
            talk.ask("STARTTLS");
            Command::Starttls
        } else if is(verb, "LOGIN") {
            talk.facts.went_on(b"LOGIN");
            let user = astring(arguments);
            let known = !goes_on || literal(user).is_none();
            talk.facts.authenticates(b"LOGIN", true, known.then_some(user));
            Command::Login
        } else if is(verb, "AUTHENTICATE") {
            talk.facts.went_on(b"AUTHENTICATE");
            self.sasl.begin(arguments, talk);
            Command::Authenticate
        } else if is(verb, "CAPABILITY") {
            Command::Capability
        } else {
            Command::Other
        };
        if self.pending.len() < PIPELINE {
            self.pending.push((tag.to_vec(), command));
        }
        Verdict::Go
    }

    fn reply(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        if let Some(length) = literal(unit) {
            talk.skip(Peer::Server, length.min(1 << 32));
        }
        if !self.greeted {
            self.greeted = true;
            talk.facts.greet(unit);
            bracketed_capabilities(unit, talk);
            return Verdict::Go;
        }
        let (tag, rest) = split_word(unit);
        if tag == b"+" {
            if self.pending.last().is_some_and(|(_, command)| *command == Command::Authenticate) {
                self.sasl.challenge(talk);
            }
            return Verdict::Go;
        }
        let (word, arguments) = split_word(rest);
        if tag == b"*" {
            if is(word, "CAPABILITY") {
                if !self.is_logging_in() {
                    capabilities(arguments, talk);
                }
            } else if is(word, "OK") && !self.is_logging_in() {
                bracketed_capabilities(unit, talk);
            }
            return Verdict::Go;
        }
        let Some(at) = self.pending.iter().position(|(sent, _)| sent == tag) else { return Verdict::Go };
        let (_, command) = self.pending.remove(at);
        let ok = is(word, "OK");
        talk.facts.convincing = true;
        if begins(arguments, "[PRIVACYREQUIRED]") {
            talk.facts.required.get_or_insert_with(|| super::facts::text(unit));
        }
        match command {
            Command::Starttls if ok => talk.accept(Some(super::facts::text(unit))),
            Command::Starttls => talk.refuse(Some(super::facts::text(unit))),
            Command::Login | Command::Authenticate if ok => return Verdict::Over,
            _ => {}
        }
        Verdict::Go
    }
}

impl Imap {
    /// What is listed now may be what the server can do once the user is logged in.
    fn is_logging_in(&self) -> bool {
        self.pending.iter().any(|(_, command)| matches!(command, Command::Login | Command::Authenticate))
    }
}

fn bracketed_capabilities(line: &[u8], talk: &mut Talk<'_>) {
    if let Some(start) = line.windows(12).position(|window| is(window, "[CAPABILITY "))
        && let Some(list) = line.get(start + 12..)
        && let Some(end) = memchr::memchr(b']', list)
    {
        capabilities(list.get(..end).unwrap_or_default(), talk);
    }
}

fn capabilities(list: &[u8], talk: &mut Talk<'_>) {
    talk.facts.capabilities.clear();
    talk.facts.auth_mechanisms.clear();
    let (mut tls, mut login) = (false, true);
    for capability in words(list) {
        talk.facts.capability(capability);
        if is(capability, "STARTTLS") {
            tls = true;
        } else if is(capability, "LOGINDISABLED") {
            login = false;
            talk.facts.required.get_or_insert_with(|| "LOGINDISABLED".into());
        } else if begins(capability, "AUTH=") {
            talk.facts.mechanism(capability.get(5..).unwrap_or_default());
        }
    }
    talk.facts.advertised = Some(tls);
    talk.facts.plain_login_allowed = Some(login);
}
