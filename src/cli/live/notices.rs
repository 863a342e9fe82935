//! [`Notices`]: what a person should know, to standard error or to the view, whichever has the terminal.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use crate::cli::terminal::complain;

/// Notices the view has not taken yet; older ones go.
const KEPT: usize = 64;

/// Tells a person what goes wrong, on whatever thread.
#[derive(Debug, Default)]
pub(super) struct Notices {
    /// Where the view has the terminal: what it is to show.
    held: Mutex<Option<VecDeque<String>>>,
}

impl Notices {
    /// From now on notices are held for [`Notices::take`] instead of being written to standard error.
    pub(super) fn hold(&self) {
        self.held().get_or_insert_default();
    }

    /// Notices are written to standard error again, those that were not taken first.
    pub(super) fn release(&self) {
        let held = self.held().take();
        for words in held.into_iter().flatten() {
            complain("warning", &words);
        }
    }

    /// What has come since the last call.
    pub(super) fn take(&self) -> Vec<String> {
        self.held().as_mut().map(|held| held.drain(..).collect()).unwrap_or_default()
    }

    /// Warns.
    pub(super) fn warn(&self, words: &str) {
        if let Some(held) = &mut *self.held() {
            if held.len() >= KEPT {
                held.pop_front();
            }
            held.push_back(words.to_owned());
            return;
        }
        complain("warning", words);
    }

    /// Prints a line as it is, where the view has not got the terminal.
    pub(super) fn print(&self, line: &str) {
        if self.held().is_none() {
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<VecDeque<String>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
