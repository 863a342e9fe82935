//! NNTP (RFC 3977) with STARTTLS (RFC 4642) and AUTHINFO (RFC 4643).

use std::collections::VecDeque;

use super::text::{exposes, is, is_one_of, may_become, plain_user, reply, split_word, words};
use super::{Entry, LineMachine, Peer, Protocol, Recognition, Talk, Verdict};

/// Commands that may wait for their replies at once.
const PIPELINE: usize = 32;

pub(super) const ENTRY: Entry = Entry { first: Peer::Server, recognise, machine: || Box::<Nntp>::default() };

fn recognise(held: &[u8]) -> Recognition {
    match held {
        [b'2', b'0', b'0' | b'1', b' ', ..] => Recognition::of_line(held, 512),
        _ if held.len() < 4 && (may_become(held, "200") || may_become(held, "201")) => Recognition::Perhaps,
        _ => Recognition::Not,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    Capabilities,
    Starttls,
    User,
    Pass,
    Sasl,
    ModeReader,
    Other,
}

#[derive(Default)]
struct Nntp {
    greeted: bool,
    known_verb: bool,
    pending: VecDeque<Command>,
    in_list: bool,
    user: Vec<u8>,
}

impl LineMachine for Nntp {
    fn command(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let (verb, arguments) = split_word(unit);
        let (kind, value) = split_word(arguments);
        let command = if is(verb, "CAPABILITIES") {
            Command::Capabilities
        } else if is(verb, "STARTTLS") {
            talk.ask("STARTTLS");
            Command::Starttls
        } else if is(verb, "AUTHINFO") && is(kind, "USER") {
            self.user = value.get(..value.len().min(128)).unwrap_or_default().to_vec();
            talk.facts.went_on(b"AUTHINFO USER");
            Command::User
        } else if is(verb, "AUTHINFO") && is(kind, "PASS") {
            talk.facts.authenticates(b"AUTHINFO USER/PASS", true, Some(&self.user));
            Command::Pass
        } else if is(verb, "AUTHINFO") && is(kind, "SASL") {
            let (mechanism, initial) = split_word(value);
            talk.facts.went_on(b"AUTHINFO SASL");
            let user = if is(mechanism, "PLAIN") { plain_user(initial) } else { None };
            talk.facts.authenticates(mechanism, exposes(mechanism), user.as_deref());
            Command::Sasl
        } else if is(verb, "MODE") {
            Command::ModeReader
        } else if self.known_verb
            || is_one_of(
                verb,
                &[
                    "GROUP",
                    "LIST",
                    "ARTICLE",
                    "HEAD",
                    "BODY",
                    "STAT",
                    "POST",
                    "IHAVE",
                    "CHECK",
                    "TAKETHIS",
                    "XOVER",
                    "OVER",
                    "NEWNEWS",
                    "NEWGROUPS",
                    "DATE",
                    "HELP",
                    "QUIT",
                    "LISTGROUP",
                    "XHDR",
                    "COMPRESS",
                ],
            )
        {
            if !is_one_of(verb, &["DATE", "HELP", "QUIT"]) {
                talk.facts.went_on(verb);
            }
            Command::Other
        } else {
            return Verdict::NotThis;
        };
        self.known_verb = true;
        talk.facts.protocol = Some(Protocol::Nntp);
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
                self.pending.pop_front();
                talk.facts.advertised.get_or_insert(false);
            } else {
                let (name, arguments) = split_word(unit);
                talk.facts.capability(name);
                if is(name, "STARTTLS") {
                    talk.facts.advertised = Some(true);
                } else if is(name, "SASL") {
                    words(arguments).for_each(|mechanism| talk.facts.mechanism(mechanism));
                } else if is(name, "AUTHINFO") && words(arguments).any(|kind| is(kind, "USER")) {
                    talk.facts.plain_login_allowed = Some(true);
                }
            }
            return Verdict::Go;
        }
        let Some((code, _, _)) = reply(unit) else { return Verdict::Go };
        let command = self.pending.front().copied();
        if command == Some(Command::Capabilities) && code == 101 {
            self.in_list = true;
            talk.facts.convincing = true;
            talk.facts.capabilities.clear();
            talk.facts.advertised = None;
            return Verdict::Go;
        }
        let Some(command) = self.pending.pop_front() else { return Verdict::Go };
        talk.facts.convincing = true;
        if code == 483 {
            talk.facts.required.get_or_insert_with(|| super::facts::text(unit));
        }
        match command {
            Command::Starttls if code == 382 => talk.accept(Some(super::facts::text(unit))),
            Command::Starttls if code >= 400 => talk.refuse(Some(super::facts::text(unit))),
            Command::Pass | Command::Sasl if code == 281 || code == 283 => return Verdict::Over,
            Command::Other if (200..400).contains(&code) && talk.facts.first_command.is_some() => return Verdict::Over,
            _ => {}
        }
        Verdict::Go
    }
}
