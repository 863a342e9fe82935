//! SASL exchanges (RFC 4422) as IMAP and POP3 have them: which mechanism, and who authenticates by it.

use super::text::{base64, exposes, plain_user, split_word};
use super::{Peer, Talk};

/// An exchange of one connection.
#[derive(Default)]
pub(super) struct Sasl {
    mechanism: Vec<u8>,
    /// How many responses there were.
    answers: u8,
    /// The next line of the client answers a challenge.
    challenged: bool,
}

impl Sasl {
    /// The client asks for a mechanism, perhaps with an initial response behind it.
    pub(super) fn begin(&mut self, arguments: &[u8], talk: &mut Talk<'_>) {
        let (mechanism, initial) = split_word(arguments);
        self.mechanism = mechanism.get(..mechanism.len().min(32)).unwrap_or_default().to_ascii_uppercase();
        self.answers = 0;
        if !initial.is_empty() {
            self.answer(initial, talk);
        }
    }

    /// The server challenges. What answers is looked at only where it names the user.
    pub(super) fn challenge(&mut self, talk: &mut Talk<'_>) {
        self.challenged = matches!((self.mechanism.as_slice(), self.answers), (b"PLAIN" | b"LOGIN", 0));
        if !self.challenged {
            self.answer(b"", talk);
            talk.ignore_line(Peer::Client);
        }
    }

    /// Whether a line of the client answers a challenge; it is taken as that.
    pub(super) fn takes(&mut self, line: &[u8], talk: &mut Talk<'_>) -> bool {
        let is_answer = std::mem::take(&mut self.challenged);
        if is_answer {
            self.answer(line, talk);
        }
        is_answer
    }

    fn answer(&mut self, response: &[u8], talk: &mut Talk<'_>) {
        self.answers = self.answers.saturating_add(1);
        if response == b"*" || response == b"=" {
            return;
        }
        let user = match (self.mechanism.as_slice(), self.answers) {
            (b"PLAIN", 1) => plain_user(response),
            (b"LOGIN", 1) => Some(base64(response)),
            _ => None,
        };
        talk.facts.authenticates(&self.mechanism, exposes(&self.mechanism), user.as_deref());
    }
}
