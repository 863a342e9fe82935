//! POP3 (RFC 1939) with STLS (RFC 2595 section 4).

use std::collections::VecDeque;

use super::sasl::Sasl;
use super::text::{begins, contains, is, may_become, split_word, words};
use super::{Entry, LIMIT, LineMachine, Peer, Protocol, Recognition, Talk, Verdict};

/// Commands that may wait for their replies at once.
const PIPELINE: usize = 32;

pub(super) const ENTRY: Entry = Entry { first: Peer::Server, recognise, machine: || Box::<Pop3>::default() };

fn recognise(held: &[u8]) -> Recognition {
    match held.get(3) {
        Some(b' ' | b'\r' | b'\n') if begins(held, "+OK") => Recognition::of_line(held, LIMIT),
        None if may_become(held, "+OK") => Recognition::Perhaps,
        _ => Recognition::Not,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    Capa,
    Stls,
    User,
    Pass,
    Apop,
    Auth,
    AuthList,
    Other,
}

#[derive(Default)]
struct Pop3 {
    greeted: bool,
    pending: VecDeque<Command>,
    in_list: bool,
    user: Vec<u8>,
    sasl: Sasl,
}

impl LineMachine for Pop3 {
    fn command(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        if self.sasl.takes(unit, talk) {
            return Verdict::Go;
        }
        let (verb, arguments) = split_word(unit);
        talk.facts.protocol = Some(Protocol::Pop3);
        let command = if is(verb, "CAPA") {
            Command::Capa
        } else if is(verb, "STLS") {
            talk.ask("STLS");
            Command::Stls
        } else if is(verb, "USER") {
            self.user = arguments.get(..arguments.len().min(128)).unwrap_or_default().to_vec();
            talk.facts.went_on(b"USER");
            Command::User
        } else if is(verb, "PASS") {
            talk.facts.authenticates(b"USER/PASS", true, Some(&self.user));
            Command::Pass
        } else if is(verb, "APOP") {
            talk.facts.went_on(b"APOP");
            talk.facts.authenticates(b"APOP", false, Some(split_word(arguments).0));
            Command::Apop
        } else if is(verb, "AUTH") && arguments.is_empty() {
            Command::AuthList
        } else if is(verb, "AUTH") {
            talk.facts.went_on(b"AUTH");
            self.sasl.begin(arguments, talk);
            Command::Auth
        } else if verb.iter().all(u8::is_ascii_alphabetic) && (3..=4).contains(&verb.len()) {
            Command::Other
        } else {
            return Verdict::NotThis;
        };
        if self.pending.len() < PIPELINE {
            self.pending.push_back(command);
        }
        Verdict::Go
    }

    fn reply(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        if !self.greeted {
            self.greeted = true;
            talk.facts.greet(unit);
            return Verdict::Go;
        }
        if self.in_list {
            if unit == b"." {
                self.in_list = false;
                if self.pending.pop_front() == Some(Command::Capa) {
                    talk.facts.advertised.get_or_insert(false);
                }
            } else {
                self.capability(unit, talk);
            }
            return Verdict::Go;
        }
        let (word, text) = split_word(unit);
        let command = self.pending.front().copied();
        if word == b"+" {
            if command == Some(Command::Auth) {
                self.sasl.challenge(talk);
            }
            return Verdict::Go;
        }
        let ok = is(word, "+OK");
        if !ok && !is(word, "-ERR") {
            return Verdict::Go;
        }
        if ok && matches!(command, Some(Command::Capa | Command::AuthList)) {
            self.in_list = true;
            talk.facts.convincing = true;
            if command == Some(Command::Capa) {
                talk.facts.capabilities.clear();
                talk.facts.advertised = None;
            }
            return Verdict::Go;
        }
        let Some(command) = self.pending.pop_front() else { return Verdict::Go };
        if !ok && contains(text, "TLS") && matches!(command, Command::User | Command::Pass | Command::Auth) {
            talk.facts.required.get_or_insert_with(|| super::facts::text(unit));
        }
        match command {
            Command::Stls if ok => talk.accept(Some(super::facts::text(unit))),
            Command::Stls => talk.refuse(Some(super::facts::text(unit))),
            Command::User => talk.facts.convincing = true,
            Command::Pass | Command::Apop | Command::Auth => {
                talk.facts.convincing = true;
                if ok {
                    return Verdict::Over;
                }
            }
            _ => {}
        }
        Verdict::Go
    }
}

impl Pop3 {
    fn capability(&self, line: &[u8], talk: &mut Talk<'_>) {
        let (name, arguments) = split_word(line);
        if self.pending.front() == Some(&Command::AuthList) {
            talk.facts.mechanism(name);
            return;
        }
        talk.facts.capability(name);
        if is(name, "STLS") {
            talk.facts.advertised = Some(true);
        } else if is(name, "USER") {
            talk.facts.plain_login_allowed = Some(true);
        } else if is(name, "SASL") {
            words(arguments).for_each(|mechanism| talk.facts.mechanism(mechanism));
        }
    }
}
