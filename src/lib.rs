//! handprint reads TLS handshakes off the wire and says what they reveal.
//!
//! ```text
//! capture → Frame → packet::decode → Segment | Datagram → flow (reassembly, [starttls], [quic], [dtls])
//!         → tls::{ClientHello, ServerHello, …}<'_> → Facts → fingerprint + findings → FlowRecord → output
//! ```
//!
//! Bytes move right, never left.

pub mod capture;
pub mod cursor;
pub mod engine;
pub mod error;
pub mod findings;
pub mod fingerprint;
pub mod flow;
pub mod output;
pub mod packet;
pub mod pipeline;
pub mod record;
pub mod stats;
pub mod time;
pub mod tls;
