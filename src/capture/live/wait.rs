//! Waiting for a descriptor.

use std::ffi::{c_int, c_short};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

/// What waiting gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// There is something to read.
    Readable,
    /// Something else happened: an error waits.
    Error,
    /// The time is over.
    Nothing,
    /// A signal came.
    Interrupted,
}

/// Waits until there is something, in whole milliseconds, rounded up.
#[expect(unsafe_code, reason = "the system's interface")]
pub(super) fn wait_for(descriptor: BorrowedFd<'_>, timeout: Duration) -> io::Result<Ready> {
    const WRONG: c_short = libc::POLLERR | libc::POLLHUP | libc::POLLNVAL;
    let timeout = c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX);
    let mut wanted = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one descriptor, as is said, which lives, unshared, for the time of the call.
    let ready = unsafe { libc::poll(&raw mut wanted, 1, timeout) };
    if ready < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted { Ok(Ready::Interrupted) } else { Err(error) };
    }
    Ok(match (ready, wanted.revents & WRONG) {
        (0, _) => Ready::Nothing,
        (_, 0) => Ready::Readable,
        _ => Ready::Error,
    })
}
