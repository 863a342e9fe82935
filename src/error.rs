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
    /// An interface could not be captured from.
    #[error("{interface}: cannot {action}: {source}")]
    Interface {
        /// The interface.
        interface: String,
        /// What was tried.
        action: &'static str,
        /// What the operating system, or libpcap, said.
        source: std::io::Error,
    },
    /// The process may not capture.
    #[error(
        "{interface}: no right to capture packets: run as root, or give the program the right once: \
         `sudo setcap cap_net_raw=ep \"$(command -v handprint)\"`"
    )]
    Privileges {
        /// The interface.
        interface: String,
    },
    /// A setting that cannot be honoured.
    #[error("{0}")]
    Configuration(String),
}

impl Error {
    /// A configuration file that says what cannot be: where, by line and column from 1, and what.
    pub(crate) fn in_file(origin: &str, text: &str, span: Option<std::ops::Range<usize>>, message: &str) -> Self {
        let message = message.trim_end().replace('\n', "; ");
        let Some(before) = span.and_then(|span| text.get(..span.start)) else {
            return Self::Configuration(format!("{origin}: {message}"));
        };
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self::Configuration(format!("{origin}:{line}:{column}: {message}"))
    }
}
