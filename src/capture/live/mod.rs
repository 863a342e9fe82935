//! Frames from an interface, as they pass.
//!
//! [`open`] gives as many [`LiveSource`]s as threads are wanted. Each is polled by a thread of its own; all packets
//! between two hosts, in both directions, come to the same one (see [`Fanout`]).
//!
//! On Linux a source is a ring of memory shared with the kernel (AF_PACKET, TPACKET_V3): a frame is lent where the
//! kernel has put it, and copied only where a VLAN tag that the kernel took off has to be put back. Elsewhere, and by
//! choice, libpcap does it (cargo feature `libpcap`).
//!
//! Invariants: what the kernel could not hand over is counted in [`KernelCounts`]; an interface that goes down or
//! away is waited for ([`Polled::Down`]) and never ends a source; nothing is ever sent.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use handprint::capture::live::{self, LiveOptions, Polled};
//!
//! let mut sources = live::open("eth0", &LiveOptions::default())?;
//! let Some(source) = sources.first_mut() else { return Ok(()) };
//! let mut bytes = 0;
//! while source.poll(Duration::from_millis(200), &mut |frame| bytes += frame.bytes.len())? != Polled::Down {}
//! println!("{bytes} bytes, {} frames lost", source.counts().dropped);
//! # Ok::<(), handprint::error::Error>(())
//! ```

pub mod filter;
mod interfaces;
#[cfg(feature = "libpcap")]
mod libpcap;
#[cfg(target_os = "linux")]
mod ring;
#[cfg(target_os = "linux")]
mod socket;
#[cfg(target_os = "linux")]
mod source;
#[cfg(any(target_os = "linux", all(unix, feature = "libpcap")))]
mod wait;

use std::num::NonZero;
use std::time::Duration;

pub use self::interfaces::{Interface, InterfaceKind, interfaces};
use super::{Frame, MAX_FRAME_LENGTH};
use crate::error::Error;

/// Hands over the frames of an interface. One a thread.
pub trait LiveSource: Send {
    /// Hands over frames that are there, waiting at most `wait` for the first.
    ///
    /// Comes back after a bounded number of frames (a few blocks of the ring) even where more are there, so that the
    /// caller can see to other things; and early, as [`Polled::Idle`], where a signal interrupts it. Frames arrive in
    /// the kernel's order; their time is the kernel's clock since 1970 (or the interface's, where
    /// [`LiveOptions::hardware_timestamps`] could be had), which is not promised to run forwards.
    ///
    /// # Errors
    /// [`Error::Interface`] for what waiting does not cure. An interface that is down or gone is [`Polled::Down`].
    fn poll(&mut self, wait: Duration, take: &mut dyn FnMut(&Frame<'_>)) -> Result<Polled, Error>;

    /// What the kernel has counted since the source was opened. Costs a system call: ask a few times a second.
    fn counts(&mut self) -> KernelCounts;
}

/// How a [`LiveSource::poll`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// So many frames were handed over; at least one.
    Frames(usize),
    /// None came in the time.
    Idle,
    /// The interface is down, or gone: poll again, it is looked for each time. The time was waited.
    Down,
}

/// What the kernel counts beside handing over frames. All but `ring_fill` only ever grow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct KernelCounts {
    /// Frames that passed the filter, handed over or dropped.
    pub received: u64,
    /// Frames of these that were lost since the ring was full: handprint was too slow.
    pub dropped: u64,
    /// Times that the ring was full: each is one gap, of one or more dropped frames.
    pub freezes: u64,
    /// Frames that the interface itself lost before the kernel saw them, since the source was opened: of all its
    /// traffic, thus the same number on each thread.
    pub interface_dropped: u64,
    /// How much of the ring waits to be read: 0 to 1.
    pub ring_fill: f32,
}

impl KernelCounts {
    /// Adds what another thread's source of the same interface counted: sums, the interface's own losses once, and the
    /// fuller ring.
    pub fn merge(&mut self, other: &Self) {
        self.received += other.received;
        self.dropped += other.dropped;
        self.freezes += other.freezes;
        self.interface_dropped = self.interface_dropped.max(other.interface_dropped);
        self.ring_fill = self.ring_fill.max(other.ring_fill);
    }
}

/// How to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveOptions {
    /// What captures.
    pub backend: Backend,
    /// Sources to open: threads that will poll them. More than one only by [`Backend::Ring`].
    pub threads: NonZero<usize>,
    /// Which packets come to the same source, where there are several.
    pub fanout: Fanout,
    /// Bytes of a block of the ring: a multiple of the page size, [`MIN_BLOCK_BYTES`] to [`MAX_BLOCK_BYTES`]. A frame
    /// that does not fit is cut. Small blocks stay in the processor's cache.
    pub block_bytes: usize,
    /// Bytes of each source's ring, at least two blocks: what there is to bridge a pause of the reader.
    pub ring_bytes: usize,
    /// How long the kernel waits for a block to fill before it hands it over, in whole milliseconds from 1: the latency
    /// on a quiet link.
    pub block_timeout: Duration,
    /// Bytes kept of a frame, from 1 to [`MAX_FRAME_LENGTH`].
    pub snap_length: u32,
    /// Whether the interface is asked to take in frames for other stations too.
    pub promiscuous: bool,
    /// Whether the interface is asked for the time of each frame, where it can tell. Its clock need not be set.
    pub hardware_timestamps: bool,
    /// A filter expression as tcpdump takes it. Needs the cargo feature `libpcap`.
    pub filter: Option<String>,
}

/// Smallest block a ring can have: 4 KiB, a page.
pub const MIN_BLOCK_BYTES: usize = 4 << 10;

/// Largest block a ring can have: 16 MiB.
pub const MAX_BLOCK_BYTES: usize = 16 << 20;

impl Default for LiveOptions {
    /// One thread; 32 MiB of ring in blocks of 128 KiB, handed over after 20 ms at the latest; whole frames,
    /// promiscuous, the kernel's clock, no filter but the built-in one.
    fn default() -> Self {
        Self {
            backend: Backend::default(),
            threads: NonZero::<usize>::MIN,
            fanout: Fanout::default(),
            block_bytes: 128 << 10,
            ring_bytes: 32 << 20,
            block_timeout: Duration::from_millis(20),
            snap_length: u32::try_from(MAX_FRAME_LENGTH).unwrap_or(u32::MAX),
            promiscuous: true,
            hardware_timestamps: false,
            filter: None,
        }
    }
}

/// What captures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// The ring on Linux, libpcap elsewhere.
    #[default]
    Auto,
    /// AF_PACKET with a TPACKET_V3 ring: Linux, without a system library.
    Ring,
    /// libpcap: whatever it knows by that name, `any` and monitoring devices included. Needs the cargo feature.
    Libpcap,
}

/// Which packets come to the same source, where there are several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fanout {
    /// All between the same two hosts, by the outermost IP addresses. Holds for fragments and for tunnels, since it
    /// looks at neither; all that goes through one tunnel comes to one source.
    #[default]
    Hosts,
    /// All of a flow, by the kernel's flow hash: spreads the flows between two hosts. Both directions of a flow in a
    /// UDP tunnel (VXLAN, Geneve, GTP) do not meet, nor do the fragments of IPv6 and the rest of their flow.
    Flows,
}

/// Opens an interface for capture: a source for each of [`LiveOptions::threads`].
///
/// An interface that is down is opened, and gives [`Polled::Down`] until it is up.
///
/// # Errors
/// [`Error::Privileges`] without the right to capture, [`Error::Interface`] where there is no such interface or the
/// system refuses, [`Error::Configuration`] for options that cannot be honoured here.
pub fn open(interface: &str, options: &LiveOptions) -> Result<Vec<Box<dyn LiveSource>>, Error> {
    match options.backend {
        #[cfg(target_os = "linux")]
        Backend::Auto | Backend::Ring => source::open(interface, options),
        #[cfg(feature = "libpcap")]
        Backend::Libpcap => libpcap::open(interface, options),
        #[cfg(all(feature = "libpcap", not(target_os = "linux")))]
        Backend::Auto => libpcap::open(interface, options),
        #[cfg(not(target_os = "linux"))]
        Backend::Ring => Err(Error::Configuration("the ring is Linux's: libpcap captures here".to_owned())),
        #[cfg(not(feature = "libpcap"))]
        _ => Err(Error::Configuration(
            "capture by libpcap is not in this build: build it with the cargo feature `libpcap`".to_owned(),
        )),
    }
}
