//! Zero-copy TLS messages and the code points in them.
//!
//! Every view borrows the bytes it was parsed from. Parsing checks all framing once, so that going through a parsed
//! list cannot fail; the body of an extension is read when it is asked for. Only a [`x509::Certificate`] owns
//! what it holds. Nothing here knows packets, flows or time.
//!
//! Presentation language and messages: RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 6101 (SSL 3.0).

pub mod alert;
pub mod certificate;
pub mod certificate_request;
pub mod certificate_status;
pub mod client_hello;
pub mod codepoints;
mod der;
pub mod dh_groups;
pub mod extensions;
pub mod handshake;
pub mod key_exchange;
pub mod lists;
mod oids;
pub mod record;
mod roca;
pub mod server_hello;
pub mod session_ticket;
pub(crate) mod sniff;
pub mod sslv2;
#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic,
    reason = "a test fails by panicking"
)]
pub(crate) mod test_data;
pub mod x509;

use crate::cursor::ParseError;

pub use alert::Alert;
pub use certificate::CertificateList;
pub use certificate_request::CertificateRequest;
pub use certificate_status::CertificateStatus;
pub use client_hello::ClientHello;
pub use extensions::{Extension, Extensions};
pub use handshake::{HandshakeHeader, Message};
pub use key_exchange::ServerKeyExchange;
pub use record::RecordHeader;
pub use server_hello::ServerHello;
pub use session_ticket::NewSessionTicket;

/// Inside a whole message or extension nothing is merely incomplete: its length is given, so what goes past it
/// contradicts it, and no further byte can help.
pub(crate) fn bounded<T>(result: Result<T, ParseError>) -> Result<T, ParseError> {
    result.map_err(|error| match error {
        ParseError::Incomplete { structure, .. } => {
            ParseError::Invalid { structure, reason: "goes past the end of what holds it" }
        }
        invalid @ ParseError::Invalid { .. } => invalid,
    })
}

/// Drafts of TLS 1.3 before 23, whose key shares were extension 40.
pub(crate) fn is_early_draft(version: codepoints::ProtocolVersion) -> bool {
    (0x7f00..=0x7f16).contains(&version.0)
}
