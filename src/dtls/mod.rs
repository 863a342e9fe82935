//! DTLS: records in datagrams, and handshake messages in fragments.
//!
//! Versions 1.0 (RFC 4347), 1.2 (RFC 6347) and 1.3 (RFC 9147), and what OpenSSL and Cisco's AnyConnect send as
//! `0x0100`. [`first_record`] takes a datagram apart, [`Fragment`] is a piece of a handshake message. Putting
//! fragments back together is the flow's work.

mod fragment;
mod record;

pub use self::fragment::{Fragment, HelloVerifyRequest};
pub use self::record::{PlainRecord, Record, UnifiedRecord, first_record, is_version};
