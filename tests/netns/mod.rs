//! A network namespace of the calling thread's own, with a pair of interfaces, and a sender of frames.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// One test with namespaces at a time: they measure loss, on machines with few cores.
static ONE: Mutex<()> = Mutex::new(());

/// Runs `test` on a thread in a namespace of its own, which goes with the thread. Prints why where that cannot be done.
pub fn in_namespace(name: &str, test: impl FnOnce() + Send) {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| match prepare() {
            Ok(()) => test(),
            Err(reason) => eprintln!("{name}: skipped: {reason}"),
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Leaves the namespace for a new one, in which nothing is said by itself.
fn prepare() -> Result<(), String> {
    // SAFETY: no pointers; changes this thread alone.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
        let error = io::Error::last_os_error();
        return Err(format!("no right to make a network namespace ({error}); run the tests as root"));
    }
    for which in ["all", "default"] {
        // Absent where there is no IPv6.
        let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1");
    }
    run("ip link set lo up").map_err(|error| format!("no `ip` command: {error}"))
}

/// A pair of interfaces that are up: what is sent on one is received on the other. Large frames fit.
pub fn pair(one: &str, other: &str) {
    run(&format!("ip link add name {one} mtu 65535 type veth peer name {other} mtu 65535")).unwrap();
    for name in [one, other] {
        run(&format!("ip link set {name} up")).unwrap();
    }
}

/// Runs a command of this thread's namespace.
pub fn run(line: &str) -> Result<(), String> {
    let mut words = line.split(' ');
    let output = Command::new(words.next().unwrap()).args(words).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Sends frames as they are.
pub struct Sender {
    socket: OwnedFd,
}

impl Sender {
    pub fn on(interface: &str) -> Self {
        let name = CString::new(interface).unwrap();
        // SAFETY: no pointers.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        assert!(socket >= 0, "{}", io::Error::last_os_error());
        // SAFETY: just opened.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        // SAFETY: the name ends with a zero.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        // SAFETY: integers alone.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = index as i32;
        let length = size_of::<libc::sockaddr_ll>() as u32;
        // SAFETY: the address lives for the time of the call, and its length is its own.
        let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
        assert_eq!(result, 0, "{interface}: {}", io::Error::last_os_error());
        Self { socket }
    }

    pub fn send(&self, frame: &[u8]) {
        loop {
            // SAFETY: the frame lives for the time of the call, and its length is its own.
            let sent = unsafe { libc::send(self.socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
            if sent >= 0 {
                return;
            }
            let error = io::Error::last_os_error();
            assert_eq!(error.raw_os_error(), Some(libc::ENOBUFS), "{} bytes: {error}", frame.len());
        }
    }
}
