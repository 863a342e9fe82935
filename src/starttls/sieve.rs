//! ManageSieve (RFC 5804): a greeting of capabilities, STARTTLS (section 2.2), AUTHENTICATE.

use super::text::{astring, base64, begins, exposes, is, literal, may_become, plain_user, split_word, words};
use super::{Entry, LineMachine, Peer, Protocol, Recognition, Talk, Verdict};

pub(super) const ENTRY: Entry = Entry { first: Peer::Server, recognise, machine: || Box::<Sieve>::default() };

fn recognise(held: &[u8]) -> Recognition {
    if begins(held, "\"IMPLEMENTATION\" ") {
        Recognition::Is
    } else if held.len() < 17 && may_become(held, "\"IMPLEMENTATION\" ") {
        Recognition::Perhaps
    } else {
        Recognition::Not
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    Starttls,
    Authenticate,
    Capability,
    Other,
}

#[derive(Default)]
struct Sieve {
    greeted: bool,
    pending: Option<Command>,
    mechanism: Vec<u8>,
}

impl LineMachine for Sieve {
    fn command(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        talk.facts.protocol = Some(Protocol::Sieve);
        if let Some(length) = literal(unit) {
            talk.skip(Peer::Client, length.min(1 << 32));
        }
        let (verb, arguments) = split_word(unit);
        self.pending = if is(verb, "STARTTLS") {
            talk.ask("STARTTLS");
            Some(Command::Starttls)
        } else if is(verb, "AUTHENTICATE") {
            talk.facts.went_on(b"AUTHENTICATE");
            let mechanism = astring(arguments);
            self.mechanism = mechanism.get(..mechanism.len().min(32)).unwrap_or_default().to_ascii_uppercase();
            let initial = arguments.get(mechanism.len().saturating_add(2)..).unwrap_or_default().trim_ascii();
            let user = match self.mechanism.as_slice() {
                b"PLAIN" => plain_user(astring(initial)),
                b"LOGIN" => Some(base64(astring(initial))).filter(|user| !user.is_empty()),
                _ => None,
            };
            talk.facts.authenticates(&self.mechanism, exposes(&self.mechanism), user.as_deref());
            Some(Command::Authenticate)
        } else if is(verb, "CAPABILITY") {
            Some(Command::Capability)
        } else if self.pending == Some(Command::Authenticate) {
            // An answer to a challenge.
            self.pending
        } else {
            Some(Command::Other)
        };
        Verdict::Go
    }

    fn reply(&mut self, unit: &[u8], talk: &mut Talk<'_>) -> Verdict {
        talk.facts.protocol = Some(Protocol::Sieve);
        if let Some(length) = literal(unit) {
            talk.skip(Peer::Server, length.min(1 << 32));
        }
        if unit.first() == Some(&b'"') {
            if self.pending != Some(Command::Authenticate) {
                capability(unit, talk);
            }
            return Verdict::Go;
        }
        let (word, text) = split_word(unit);
        let ok = is(word, "OK");
        if !ok && !is(word, "NO") && !is(word, "BYE") {
            return Verdict::Go;
        }
        if !self.greeted {
            self.greeted = true;
            talk.facts.advertised.get_or_insert(false);
            return Verdict::Go;
        }
        if begins(text, "(ENCRYPT-NEEDED)") {
            talk.facts.required.get_or_insert_with(|| super::facts::text(unit));
        }
        let Some(command) = self.pending.take() else { return Verdict::Go };
        talk.facts.convincing = true;
        match command {
            Command::Starttls if ok => talk.accept(Some(super::facts::text(unit))),
            Command::Starttls => talk.refuse(Some(super::facts::text(unit))),
            Command::Authenticate if ok => return Verdict::Over,
            _ => {}
        }
        Verdict::Go
    }
}

fn capability(unit: &[u8], talk: &mut Talk<'_>) {
    let name = astring(unit);
    let value = unit.get(name.len().saturating_add(2)..).unwrap_or_default().trim_ascii();
    talk.facts.capability(name);
    if is(name, "IMPLEMENTATION") {
        talk.facts.greet(astring(value));
    } else if is(name, "STARTTLS") {
        talk.facts.advertised = Some(true);
    } else if is(name, "SASL") {
        words(astring(value)).for_each(|mechanism| talk.facts.mechanism(mechanism));
    }
}
