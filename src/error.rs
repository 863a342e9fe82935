//! The errors a user can meet: inputs, outputs and configuration.
//!
//! A packet is never an error. A bad packet is counted (see [`crate::stats`]), an odd handshake is a finding,
//! and the exact errors of a parser live beside that parser.

use std::path::PathBuf;

/// What can go wrong outside the packets themselves.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An input could not be opened or read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// An input is not a capture file.
    #[error("{}: not a capture file ({found})", path.display())]
    NotACapture {
        /// The file.
        path: PathBuf,
        /// What the first bytes look like, in words.
        found: String,
    },
    /// An output could not be written.
    #[error("cannot write {target}: {source}")]
    Write {
        /// The file or stream.
        target: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A setting that cannot be honoured.
    #[error("{0}")]
    Configuration(String),
}
