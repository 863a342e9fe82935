//! Zero-copy TLS messages and the code points in them.
//!
//! Every view borrows the bytes it was parsed from. Parsing checks all framing once, so that going through a parsed
//! list cannot fail; the body of an extension is read when it is asked for. Only a [`certificate::Certificate`] owns
//! what it holds. Nothing here knows packets, flows or time.
//!
//! Presentation language and messages: RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 6101 (SSL 3.0).

pub mod certificate;
pub mod client_hello;
pub mod codepoints;
pub mod extensions;
pub mod handshake;
pub mod lists;
pub mod record;
pub mod server_hello;
pub mod sslv2;
#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic,
    reason = "a test fails by panicking"
)]
pub(crate) mod test_data;

use crate::cursor::ParseError;

pub use client_hello::ClientHello;
pub use extensions::{Extension, Extensions};
pub use handshake::{HandshakeHeader, Message};
pub use record::RecordHeader;
pub use server_hello::ServerHello;

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
