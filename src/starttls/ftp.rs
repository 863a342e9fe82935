//! FTP (RFC 959) with AUTH TLS (RFC 4217). It greets like SMTP, whose machine hands over at the client's first command.

use std::collections::VecDeque;

use super::text::{is, is_one_of, line, reply, split_word, words};
use super::{Frame, LineMachine, Peer, Protocol, Talk, Verdict};

/// Commands that may wait for their replies at once.
const PIPELINE: usize = 64;

/// Whether a client that begins so speaks FTP and not SMTP.
pub(super) fn claims(verb: &[u8], arguments: &[u8]) -> bool {
    is_one_of(
        verb,
        &["USER", "FEAT", "SYST", "HOST", "OPTS", "CLNT", "PBSZ", "PROT", "ACCT", "LANG", "ADAT", "CCC", "MIC", "CSID"],
    ) || (is(verb, "AUTH") && is_one_of(arguments, &["TLS", "SSL", "TLS-C", "TLS-P", "GSSAPI", "KERBEROS_V4"]))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    AuthTls,
    Feat,
    User,
    Pass,
    Transfer,
    Other,
}

#[derive(Default)]
pub(super) struct Ftp {
    pending: VecDeque<Command>,
    in_list: bool,
    user: Vec<u8>,
}

impl LineMachine for Ftp {
    fn command(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        talk.facts.protocol = Some(Protocol::Ftp);
        let (verb, arguments) = split_word(unit);
        let command = if is(verb, "AUTH") && is_one_of(arguments, &["TLS", "TLS-C", "TLS-P", "SSL"]) {
            talk.ask(if is(arguments, "SSL") { "AUTH SSL" } else { "AUTH TLS" });
            Command::AuthTls
        } else if is(verb, "FEAT") {
            Command::Feat
        } else if is(verb, "USER") {
            self.user = arguments.get(..arguments.len().min(128)).unwrap_or_default().to_vec();
            talk.facts.went_on(b"USER");
            Command::User
        } else if is(verb, "PASS") {
            // A password nobody keeps secret is no credential.
            if !is_one_of(&self.user, &["anonymous", "ftp"]) {
                talk.facts.authenticates(b"USER/PASS", true, Some(&self.user));
            }
            Command::Pass
        } else if is(verb, "PROT") {
            talk.facts.ftp_protection = arguments.first().map(|level| char::from(level.to_ascii_uppercase()));
            Command::Other
        } else if is_one_of(verb, &["RETR", "STOR", "STOU", "APPE", "LIST", "NLST", "MLSD"]) {
            Command::Transfer
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
        talk.facts.protocol = Some(Protocol::Ftp);
        let parsed = reply(unit);
        if self.in_list {
            // The lines of FEAT's answer begin with a blank; some servers leave it out.
            match parsed {
                Some((211, true, _)) => {
                    self.in_list = false;
                    talk.facts.advertised.get_or_insert(false);
                    self.pending.pop_front();
                }
                _ => feature(unit, talk),
            }
            return Verdict::Go;
        }
        // Text within a reply of several lines need not begin with the code.
        let Some((code, last, _)) = parsed else { return Verdict::Go };
        let command = self.pending.front().copied();
        if command == Some(Command::Feat) && code == 211 && !last {
            self.in_list = true;
            talk.facts.capabilities.clear();
            return Verdict::Go;
        }
        if !last {
            return Verdict::Go;
        }
        if code < 200 {
            if command == Some(Command::Transfer) {
                talk.facts.ftp_transfer = true;
                return Verdict::Over;
            }
            return Verdict::Go;
        }
        match self.pending.pop_front() {
            Some(Command::AuthTls) if matches!(code, 234 | 334) => talk.accept(Some(super::facts::text(unit))),
            Some(Command::AuthTls) if code >= 400 => talk.refuse(Some(super::facts::text(unit))),
            Some(Command::User) => {
                talk.facts.convincing = true;
                if matches!(code, 421 | 503 | 522 | 530 | 534 | 550) {
                    let insists = super::text::contains(unit, "TLS") || super::text::contains(unit, "SSL");
                    if insists || super::text::contains(unit, "secure") {
                        talk.facts.required.get_or_insert_with(|| super::facts::text(unit));
                    }
                }
            }
            Some(Command::Pass) => talk.facts.convincing = true,
            Some(Command::Transfer) if code < 300 => {
                talk.facts.ftp_transfer = true;
                return Verdict::Over;
            }
            _ => {}
        }
        Verdict::Go
    }

    fn line(&self, from: Peer, held: &[u8]) -> Frame {
        match held {
            // Telnet's interrupt, in front of ABOR.
            [0xff | 0xf4 | 0xf2, ..] if from == Peer::Client => Frame::Whole(1),
            _ => line(held),
        }
    }
}

/// A line of the answer to FEAT (RFC 2389 section 3.2).
fn feature(line: &[u8], talk: &mut Talk<'_>) {
    let (name, arguments) = split_word(line);
    talk.facts.capability(line);
    if is(name, "AUTH")
        && arguments
            .split(|byte| *byte == b';')
            .flat_map(words)
            .any(|kind| is_one_of(kind, &["TLS", "SSL", "TLS-C", "TLS-P"]))
    {
        talk.facts.advertised = Some(true);
    }
}
