//! What is kept of a conversation in clear: names and decisions, never a secret and never a message.

use std::net::SocketAddr;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Peer, Protocol};

/// Longest text kept, in bytes of what was sent.
const TEXT: usize = 200;
/// Capabilities and mechanisms kept.
const LIST: usize = 40;

/// What was said in clear in front of a handshake, or instead of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StarttlsFacts {
    /// The protocol; `None` where only proxies were spoken to.
    #[serde(skip)]
    pub protocol: Option<Protocol>,
    /// The proxies passed through, the outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proxies: Vec<Proxy>,
    /// The server's first line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting: Option<Box<str>>,
    /// What the client calls itself: the argument of EHLO, the `from` of an XMPP stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<Box<str>>,
    /// What the server calls itself: in its answer to EHLO, or as the `from` of its XMPP stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<Box<str>>,
    /// Whether TLS was offered: `Some(false)` only where a list that would have named it was seen whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertised: Option<bool>,
    /// Capabilities listed before TLS, at most forty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Box<str>>,
    /// What the server said by which it insists on TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<Box<str>>,
    /// The words by which the client asked for TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<&'static str>,
    /// Whether the server agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
    /// Its answer, in its words or by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Box<str>>,
    /// Mechanisms of authentication offered before TLS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth_mechanisms: Vec<Box<str>>,
    /// Whether the server lets clients log in with a plain password before TLS, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain_login_allowed: Option<bool>,
    /// How the client authenticated itself before TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// Mail was accepted (MAIL FROM answered 250, or DATA begun) before TLS.
    #[serde(skip_serializing_if = "is_false")]
    pub mail_in_clear: bool,
    /// The first command by which the client went on without TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_command: Option<Box<str>>,
    /// Bytes in clear after the words that end it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub injected: Option<Injected>,
    /// FTP: the protection level of data connections, as far as asked for in clear (RFC 2228: `C`, `P`, …).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ftp_protection: Option<char>,
    /// FTP: a transfer was begun in clear.
    #[serde(skip_serializing_if = "is_false")]
    pub ftp_transfer: bool,
    /// RDP's negotiation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rdp: Option<RdpFacts>,
    /// TDS: the encryption options of both PRELOGIN packets (MS-TDS 2.2.6.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tds: Option<TdsFacts>,
    /// MySQL and MariaDB: the server's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_version: Option<Box<str>>,
    /// PostgreSQL: whether a GSSENCRequest was sent, and whether it was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gss_encryption: Option<bool>,
    /// PostgreSQL: a StartupMessage went in clear.
    #[serde(skip_serializing_if = "is_false")]
    pub startup_in_clear: bool,
    /// HTTP: where a redirection leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Box<str>>,
    /// Lines too long to be held.
    #[serde(skip_serializing_if = "is_zero")]
    pub long_lines: u32,
    /// Both sides spoke the protocol beyond doubt.
    #[serde(skip)]
    pub convincing: bool,
    /// The server ended the attempt: nothing went on in clear.
    #[serde(skip)]
    pub turned_away: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Why a session of a protocol that knows TLS went on without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CleartextReason {
    /// The server does not offer it.
    NotOffered,
    /// The client asked for it and was refused.
    Refused,
    /// The client did not ask for it.
    NotUsed,
    /// An HTTP response whose only purpose is to send the client to https.
    Redirected,
}

impl CleartextReason {
    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotOffered => "not_offered",
            Self::Refused => "refused",
            Self::NotUsed => "not_used",
            Self::Redirected => "redirected",
        }
    }
}

/// A proxy that stood in front.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proxy {
    /// How it was spoken to.
    pub protocol: Protocol,
    /// The host asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Box<str>>,
    /// The port asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// PROXY protocol: where the connection really comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SocketAddr>,
    /// PROXY protocol: where it was going.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<SocketAddr>,
    /// The proxy's answer: an HTTP status, a SOCKS reply code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How the client authenticated itself to the proxy: a mechanism's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Box<str>>,
}

impl Proxy {
    /// A proxy of which nothing is known yet.
    #[must_use]
    pub const fn new(protocol: Protocol) -> Self {
        Self { protocol, host: None, port: None, source: None, destination: None, status: None, authentication: None }
    }
}

/// How a client authenticated itself in clear. Never the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Credentials {
    /// The mechanism: `PLAIN`, `LOGIN`, `USER/PASS`, `simple bind` …
    pub mechanism: Box<str>,
    /// Whether the secret itself can be read from the wire.
    pub exposed: bool,
    /// The first four bytes of the SHA-256 of the user name, in hexadecimal: enough to count users, no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_hash: Option<Box<str>>,
}

/// Bytes in clear where TLS should have begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Injected {
    /// Who sent them.
    pub from: Peer,
    /// How many.
    pub bytes: u32,
}

/// RDP's security negotiation (MS-RDPBCGR 2.2.1.1 and 2.2.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RdpFacts {
    /// `requestedProtocols`: 1 TLS, 2 CredSSP, 4 RDSTLS, 8 CredSSP with early user authorization, 16 AAD. `None` where
    /// the client sent no negotiation request.
    pub requested: Option<u32>,
    /// `selectedProtocol`; 0 is RDP's own security. `None` where the server sent no negotiation response.
    pub selected: Option<u32>,
    /// `failureCode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<u32>,
}

/// The ENCRYPTION option of PRELOGIN (MS-TDS 2.2.6.5): 0 off, 1 on, 2 not supported, 3 required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TdsFacts {
    /// The client's.
    pub client: Option<u8>,
    /// The server's.
    pub server: Option<u8>,
}

impl StarttlsFacts {
    /// The name of the protocol that led to TLS: the innermost, or the proxy where there is none.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.protocol.or_else(|| self.proxies.last().map(|proxy| proxy.protocol)).map_or("", Protocol::name)
    }

    /// Whether `protocol` was spoken.
    #[must_use]
    pub fn is(&self, protocol: Protocol) -> bool {
        self.protocol == Some(protocol)
    }

    /// Whether this is mail transfer: SMTP or LMTP.
    #[must_use]
    pub fn is_mail_transfer(&self) -> bool {
        matches!(self.protocol, Some(Protocol::Smtp | Protocol::Lmtp))
    }

    /// Why the session went on in clear; `None` where it did not, or may not have been one.
    #[must_use]
    pub fn cleartext(&self) -> Option<CleartextReason> {
        if !self.convincing || self.accepted == Some(true) || self.turned_away || self.protocol.is_none() {
            return None;
        }
        Some(match (self.protocol, self.accepted, self.advertised) {
            (Some(Protocol::Http), ..) => CleartextReason::Redirected,
            (_, Some(false), _) => CleartextReason::Refused,
            (_, _, Some(false)) => CleartextReason::NotOffered,
            _ => CleartextReason::NotUsed,
        })
    }

    pub(super) fn greet(&mut self, line: &[u8]) {
        if self.greeting.is_none() {
            self.greeting = Some(text(line));
        }
    }

    pub(super) fn capability(&mut self, name: &[u8]) {
        if self.capabilities.len() < LIST && !name.is_empty() {
            self.capabilities.push(text(name));
        }
    }

    pub(super) fn mechanism(&mut self, name: &[u8]) {
        let name = text(name);
        if self.auth_mechanisms.len() < LIST && !name.is_empty() && !self.auth_mechanisms.contains(&name) {
            self.auth_mechanisms.push(name);
        }
    }

    pub(super) fn went_on(&mut self, command: &[u8]) {
        if self.first_command.is_none() {
            self.first_command = Some(text(command));
        }
    }

    /// The client authenticated itself by `mechanism`. A mechanism that exposes its secret counts before one that does
    /// not.
    pub(super) fn authenticates(&mut self, mechanism: &[u8], exposed: bool, user: Option<&[u8]>) {
        if self.credentials.as_ref().is_some_and(|seen| seen.exposed || !exposed) {
            return;
        }
        self.credentials = Some(Credentials { mechanism: text(mechanism), exposed, user_hash: user.map(hash_of) });
    }

    /// Adds the user to credentials already seen.
    pub(super) fn authenticates_as(&mut self, user: &[u8]) {
        if let Some(credentials) = &mut self.credentials {
            credentials.user_hash.get_or_insert_with(|| hash_of(user));
        }
    }
}

/// Bytes as text for a record: bounded, without what a terminal would obey.
pub(super) fn text(bytes: &[u8]) -> Box<str> {
    let bytes = bytes.get(..TEXT).unwrap_or(bytes).trim_ascii();
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || character == '\\' {
                text.extend(character.escape_default());
            } else {
                text.push(character);
            }
        }
        for byte in chunk.invalid() {
            text.extend(std::ascii::escape_default(*byte).map(char::from));
        }
    }
    text.into_boxed_str()
}

fn hash_of(user: &[u8]) -> Box<str> {
    let digest = Sha256::digest(user);
    digest.iter().take(4).fold(String::with_capacity(8), |text, byte| text + &format!("{byte:02x}")).into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_bounded_and_holds_nothing_a_terminal_obeys() {
        assert_eq!(&*text(b" 220 m\xc3\xbcller \x1b[31m\\ \xff\r\n"), "220 m\u{fc}ller \\u{1b}[31m\\\\ \\xff");
        assert_eq!(text(&[b'a'; 5000]).len(), TEXT);
    }

    #[test]
    fn an_exposed_secret_counts_before_a_hidden_one_and_stays() {
        let mut facts = StarttlsFacts::default();
        facts.authenticates(b"CRAM-MD5", false, None);
        facts.authenticates(b"PLAIN", true, Some(b"somebody"));
        facts.authenticates(b"LOGIN", true, None);
        let seen = facts.credentials.map(|seen| (seen.mechanism, seen.user_hash));
        assert_eq!(seen, Some(("PLAIN".into(), Some("729d7d63".into()))));
    }
}
