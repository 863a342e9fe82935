//! Our hellos against those of `tls-parser`. Where the two part on purpose stands in `tests/oracle/mod.rs`, which the
//! tests of the crate use as well.

#[path = "../../tests/oracle/mod.rs"]
mod oracle;

/// Checks that both read the same.
pub fn check(message: &[u8]) {
    let difference = match message.first() {
        Some(2) => oracle::server_difference(message),
        _ => oracle::client_difference(message),
    };
    if let Err(what) = difference {
        panic!("{what}");
    }
}
