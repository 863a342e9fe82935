//! SMTP (RFC 5321) with STARTTLS (RFC 3207), and LMTP (RFC 2033).

use std::collections::VecDeque;

use super::text::{base64, begins, contains, exposes, is, is_one_of, may_become, plain_user, reply, split_word, words};
use super::{Entry, LineMachine, Peer, Protocol, Recognition, Talk, Verdict, ftp};

/// Commands that may wait for their replies at once.
const PIPELINE: usize = 64;

pub(super) const ENTRY: Entry = Entry { first: Peer::Server, recognise, machine: || Box::<Smtp>::default() };

/// `220 ` and a line of text. FTP begins the same: the client's first command tells.
fn recognise(held: &[u8]) -> Recognition {
    match held {
        [b'2', b'2', b'0', b' ' | b'-', ..] => Recognition::of_line(held, 1024),
        _ if held.len() < 4 && may_become(held, "220") => Recognition::Perhaps,
        _ => Recognition::Not,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    Ehlo,
    Helo,
    Starttls,
    Auth,
    Mail,
    Data,
    Other,
}

#[derive(Default)]
struct Smtp {
    greeted: bool,
    pending: VecDeque<Command>,
    /// The reply in progress is an EHLO's, and its first line has been read.
    in_list: bool,
    /// Name of the mechanism in use, and how many challenges it has answered.
    mechanism: Vec<u8>,
    answers: u8,
    /// The next line of the client answers a challenge.
    challenged: bool,
    known_verb: bool,
}

impl LineMachine for Smtp {
    fn command(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        if std::mem::take(&mut self.challenged) {
            self.answer(unit, talk);
            return Verdict::Go;
        }
        let (verb, arguments) = split_word(unit);
        if !self.known_verb {
            if ftp::claims(verb, arguments) {
                return Verdict::Become(Box::new(ftp::Ftp::default()));
            }
            if !is_one_of(
                verb,
                &[
                    "EHLO", "HELO", "LHLO", "STARTTLS", "NOOP", "RSET", "MAIL", "AUTH", "VRFY", "HELP", "QUIT",
                    "XCLIENT",
                ],
            ) {
                return Verdict::NotThis;
            }
            if is(verb, "QUIT") && !talk.facts.greeting.as_ref().is_some_and(|text| contains(text.as_bytes(), "SMTP")) {
                return Verdict::NotThis;
            }
            self.known_verb = true;
            talk.facts.protocol = Some(Protocol::Smtp);
        }
        let command = if is_one_of(verb, &["EHLO", "LHLO"]) {
            if is(verb, "LHLO") {
                talk.facts.protocol = Some(Protocol::Lmtp);
            }
            talk.facts.client_name = Some(super::facts::text(arguments));
            Command::Ehlo
        } else if is(verb, "HELO") {
            talk.facts.client_name = Some(super::facts::text(arguments));
            Command::Helo
        } else if is(verb, "STARTTLS") {
            talk.ask("STARTTLS");
            Command::Starttls
        } else if is(verb, "AUTH") {
            self.authenticate(arguments, talk);
            Command::Auth
        } else if is(verb, "MAIL") {
            talk.facts.went_on(b"MAIL");
            Command::Mail
        } else if is_one_of(verb, &["DATA", "BDAT"]) {
            Command::Data
        } else {
            Command::Other
        };
        if self.pending.len() < PIPELINE {
            self.pending.push_back(command);
        }
        Verdict::Go
    }

    fn reply(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        let Some((code, last, text)) = reply(unit) else { return Verdict::NotThis };
        if !self.greeted {
            talk.facts.greet(unit);
            self.greeted = last;
            return Verdict::Go;
        }
        let command = self.pending.front().copied();
        if command == Some(Command::Ehlo) && code == 250 {
            self.capability(text, last, talk);
        }
        if !last {
            return Verdict::Go;
        }
        if code == 334 && command == Some(Command::Auth) {
            self.challenged = true;
            // What answers a challenge is looked at only where it names the user.
            if !matches!((self.mechanism.as_slice(), self.answers), (b"PLAIN" | b"LOGIN", 0)) {
                self.challenged = false;
                self.answer(b"", talk);
                talk.ignore_line(Peer::Client);
            }
            return Verdict::Go;
        }
        let Some(command) = self.pending.pop_front() else { return Verdict::Go };
        if code == 530 && (contains(text, "STARTTLS") || contains(text, "5.7.0") || contains(text, "TLS")) {
            talk.facts.required.get_or_insert_with(|| super::facts::text(unit));
        }
        match command {
            Command::Ehlo | Command::Helo if code == 250 => talk.facts.convincing = true,
            Command::Starttls if code == 220 => talk.accept(Some(super::facts::text(unit))),
            Command::Starttls if code >= 400 => talk.refuse(Some(super::facts::text(unit))),
            Command::Mail if code == 250 => {
                talk.facts.mail_in_clear = true;
                talk.facts.convincing = true;
                return Verdict::Over;
            }
            Command::Data if code == 354 => {
                talk.facts.mail_in_clear = true;
                return Verdict::Over;
            }
            _ => {}
        }
        Verdict::Go
    }
}

impl Smtp {
    fn authenticate(&mut self, arguments: &[u8], talk: &mut Talk<'_>) {
        let (mechanism, initial) = split_word(arguments);
        self.mechanism = mechanism.get(..mechanism.len().min(32)).unwrap_or_default().to_ascii_uppercase();
        self.answers = 0;
        talk.facts.went_on(b"AUTH");
        if initial.is_empty() {
            return;
        }
        self.answer(initial, talk);
    }

    /// An initial response, or the answer to a challenge.
    fn answer(&mut self, response: &[u8], talk: &mut Talk<'_>) {
        self.answers = self.answers.saturating_add(1);
        if response == b"*" || (response == b"=" && self.answers == 1) {
            return;
        }
        let exposed = exposes(&self.mechanism);
        match (self.mechanism.as_slice(), self.answers) {
            (b"PLAIN", 1) => talk.facts.authenticates(b"PLAIN", true, plain_user(response).as_deref()),
            // The user name first, then the password.
            (b"LOGIN", 1) => talk.facts.authenticates(b"LOGIN", false, Some(&base64(response))),
            (b"LOGIN", 2) => {
                let user = talk.facts.credentials.take().and_then(|credentials| credentials.user_hash);
                talk.facts.authenticates(b"LOGIN", true, None);
                if let Some(credentials) = &mut talk.facts.credentials {
                    credentials.user_hash = user;
                }
            }
            _ => talk.facts.authenticates(&self.mechanism, exposed, None),
        }
    }

    /// A line of the answer to EHLO: the server's name, then one capability a line.
    fn capability(&mut self, text: &[u8], last: bool, talk: &mut Talk<'_>) {
        if !std::mem::replace(&mut self.in_list, !last) {
            talk.facts.server_name = Some(super::facts::text(split_word(text).0));
            talk.facts.capabilities.clear();
            talk.facts.auth_mechanisms.clear();
            talk.facts.advertised = None;
        } else {
            let (keyword, arguments) = split_word(text);
            // Some servers close the list with a pleasantry.
            if !(last && is(keyword, "OK")) {
                talk.facts.capability(keyword);
            }
            if is(keyword, "STARTTLS") {
                talk.facts.advertised = Some(true);
            } else if is(keyword, "AUTH") {
                words(arguments).for_each(|mechanism| talk.facts.mechanism(mechanism));
            } else if begins(keyword, "AUTH=") {
                // As servers wrote it before RFC 2554.
                talk.facts.mechanism(keyword.get(5..).unwrap_or_default());
                words(arguments).for_each(|mechanism| talk.facts.mechanism(mechanism));
            } else if is(keyword, "REQUIRETLS") {
                talk.facts.required.get_or_insert_with(|| "REQUIRETLS".into());
            }
        }
        if last {
            talk.facts.advertised.get_or_insert(false);
        }
    }
}
