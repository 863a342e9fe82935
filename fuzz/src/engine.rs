//! A byte string becomes a series of packets ([`crate::program`]) for an engine with small or ordinary limits.

use crate::program::Program;
use crate::records::{config, read};

/// Checks what the engine promises of any packets.
pub fn check(data: &[u8]) {
    let program = Program::run(data);
    let first = read(&program.frames, config(program.limits));
    let again = read(&program.frames, config(program.limits));
    assert_eq!(first.json, again.json, "the same packets, other records");
    assert_eq!(first.stats, again.stats);
}
