//! Sources that read the kernel's rings: opened together, in one fanout group, and opened again when the interface
//! comes back as another.
//!
//! Invariants: the sockets of a group begin to take in packets only when all have joined it, so that none comes twice
//! and no flow is cut between two; sockets for later are opened in advance, since by then the right may be gone.

use std::ffi::{CString, c_int, c_ushort};
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::filter::{self, Instruction};
use super::ring::{Link, Ring};
use super::socket::{InterfaceState, PacketSocket, interface_name};
use super::wait::{Ready, wait_for};
use super::{Fanout, KernelCounts, LiveOptions, LiveSource, MAX_BLOCK_BYTES, MIN_BLOCK_BYTES, Polled};
use crate::capture::{Frame, LinkType, MAX_FRAME_LENGTH};
use crate::error::Error;

/// How often an interface that has gone can come back where the right to capture was given up meanwhile.
const SPARES: usize = 8;

/// Sockets opened for that at most.
const MOST_SPARES: usize = 128;

/// How long what is known of the interface is believed, while no frame comes.
const STATE_LIFETIME: Duration = Duration::from_millis(100);

/// Opens an interface; a source for each thread.
pub(super) fn open(interface: &str, options: &LiveOptions) -> Result<Vec<Box<dyn LiveSource>>, Error> {
    let group = Arc::new(Group::new(interface, options)?);
    let captures = group.open_first()?;
    let sources = captures.into_iter().enumerate().map(|(slot, capture)| -> Box<dyn LiveSource> {
        Box::new(RingSource {
            group: Arc::clone(&group),
            slot,
            capture,
            state: Polled::Idle,
            state_until: Instant::now(),
            totals: KernelCounts::default(),
            losses: Losses::open(interface),
        })
    });
    Ok(sources.collect())
}

/// One source of a group.
struct RingSource {
    group: Arc<Group>,
    slot: usize,
    capture: Capture,
    /// What is known of the interface: idle or down; until when that is believed.
    state: Polled,
    state_until: Instant,
    totals: KernelCounts,
    losses: Losses,
}

impl LiveSource for RingSource {
    fn poll(&mut self, wait: Duration, take: &mut dyn FnMut(&Frame<'_>)) -> Result<Polled, Error> {
        let frames = self.capture.read(take);
        if frames > 0 {
            return Ok(Polled::Frames(frames));
        }
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match wait_for(self.capture.socket.as_fd(), left)
                .map_err(|source| self.group.error("wait for frames", source))?
            {
                Ready::Readable => {
                    let frames = self.capture.read(take);
                    if frames > 0 {
                        return Ok(Polled::Frames(frames));
                    }
                }
                Ready::Error => self.take_error()?,
                Ready::Interrupted => return Ok(Polled::Idle),
                Ready::Nothing => {}
            }
            if left.is_zero() {
                return Ok(self.state());
            }
        }
    }

    fn counts(&mut self) -> KernelCounts {
        self.add_statistics();
        self.totals.interface_dropped = self.losses.count();
        KernelCounts { ring_fill: self.capture.ring.fill(), ..self.totals }
    }
}

impl RingSource {
    /// Takes the error off the socket. That the interface is down is none.
    fn take_error(&mut self) -> Result<(), Error> {
        self.state_until = Instant::now();
        match self.capture.socket.take_error() {
            Ok(Some(error)) if error.raw_os_error() != Some(libc::ENETDOWN) => {
                Err(self.group.error("read frames", error))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(self.group.error("read frames", error)),
        }
    }

    /// What there is to say of an interface from which nothing comes; finds it again where it is another by now.
    fn state(&mut self) -> Polled {
        let now = Instant::now();
        if now < self.state_until {
            return self.state;
        }
        self.state_until = now + STATE_LIFETIME;
        let bound = self.capture.socket.bound_to().unwrap_or(-1);
        let running = match self.capture.socket.interface(&self.group.name) {
            Ok(there) if there.index == bound => there.running,
            // Another of that name, or none: gone, unless only its name has changed.
            Err(_) if bound >= 0 => true,
            _ => self.renew(),
        };
        self.state = if running { Polled::Idle } else { Polled::Down };
        self.state
    }

    /// Goes over to the interface that bears the name now. Whether there is one, and it runs.
    fn renew(&mut self) -> bool {
        let Some(capture) = self.group.reopen(self.slot, self.capture.generation) else { return false };
        self.add_statistics();
        self.capture = capture;
        self.losses.reopen(&self.group.interface);
        self.capture.socket.interface(&self.group.name).is_ok_and(|there| there.running)
    }

    fn add_statistics(&mut self) {
        if let Ok(since) = self.capture.socket.statistics() {
            self.totals.received += u64::from(since.tp_packets);
            self.totals.dropped += u64::from(since.tp_drops);
            self.totals.freezes += u64::from(since.tp_freeze_q_cnt);
        }
    }
}

/// A socket that is bound to an interface, and its ring.
struct Capture {
    // Unmapped before the socket is closed.
    ring: Ring,
    socket: PacketSocket,
    link: Link,
    /// How many times the group had been opened before.
    generation: usize,
}

impl Capture {
    fn read(&mut self, take: &mut dyn FnMut(&Frame<'_>)) -> usize {
        self.ring.read(self.link, take)
    }
}

/// What the sources of an interface share.
struct Group {
    interface: String,
    name: CString,
    options: LiveOptions,
    reserve: Mutex<Reserve>,
}

/// What is there for the time when the interface has gone.
#[derive(Default)]
struct Reserve {
    /// Whether sockets are to be without the link layer: what `spares` are.
    cooked: bool,
    /// Sockets that are bound to nothing.
    spares: Vec<PacketSocket>,
    /// How many times the group has been opened.
    generation: usize,
    /// What the source that found the interface again has opened for the others.
    opened: Vec<Option<Capture>>,
    /// What the user's filter was compiled for, and it.
    filter: Option<(LinkType, Vec<Instruction>)>,
}

impl Group {
    fn new(interface: &str, options: &LiveOptions) -> Result<Self, Error> {
        let wrong = |text: &str| Err(Error::Configuration(text.to_owned()));
        if !(MIN_BLOCK_BYTES..=MAX_BLOCK_BYTES).contains(&options.block_bytes)
            || !options.block_bytes.is_multiple_of(4096)
        {
            return wrong("a block of the ring has 4 KiB to 16 MiB, in whole pages");
        }
        if options.ring_bytes / options.block_bytes < 2 {
            return wrong("a ring has at least two blocks");
        }
        if options.snap_length == 0 || usize::try_from(options.snap_length).is_ok_and(|most| most > MAX_FRAME_LENGTH) {
            return wrong("a snap length is from 1 to 262144 bytes");
        }
        if options.block_timeout < Duration::from_millis(1) {
            return wrong("a block is handed over after one millisecond at the earliest");
        }
        let Some(name) = interface_name(interface) else { return Err(missing(interface)) };
        Ok(Self { interface: interface.to_owned(), name, options: options.clone(), reserve: Mutex::default() })
    }

    /// Opens the group for the first time, and sockets for later.
    fn open_first(&self) -> Result<Vec<Capture>, Error> {
        let refused = |error: io::Error| match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => Error::Privileges { interface: self.interface.clone() },
            _ => self.error("open a packet socket", error),
        };
        let mut reserve = self.reserve();
        let first = PacketSocket::open(false).map_err(refused)?;
        let there = first.interface(&self.name).map_err(|error| match error.raw_os_error() {
            Some(libc::ENODEV) => missing(&self.interface),
            _ => self.error("look up the interface", error),
        })?;
        let (link, _) = link_of(there.hardware);
        reserve.cooked = link.kind.is_none();
        #[cfg(feature = "libpcap")]
        if let Some(expression) = &self.options.filter {
            let kind = link.kind.unwrap_or(LinkType::RAW);
            reserve.filter = Some((kind, super::libpcap::compile(&self.interface, expression, kind)?));
        }
        #[cfg(not(feature = "libpcap"))]
        if self.options.filter.is_some() {
            return Err(Error::Configuration(
                "a filter expression needs libpcap, which this build is without: cargo feature `libpcap`".to_owned(),
            ));
        }
        for _ in 0..(self.options.threads.get() * SPARES).min(MOST_SPARES) {
            let spare = PacketSocket::open(reserve.cooked).map_err(refused)?;
            reserve.spares.push(spare);
        }
        self.open_all(&mut reserve, there)
    }

    /// The capture of one source, when the one that is left was of `generation`; opens the group anew where no other
    /// source has done so yet.
    fn reopen(&self, slot: usize, generation: usize) -> Option<Capture> {
        let mut reserve = self.reserve();
        if reserve.generation == generation + 1 {
            let there = reserve.spares.first()?.interface(&self.name).ok()?;
            if link_of(there.hardware).0.kind.is_none() != reserve.cooked {
                return None;
            }
            let captures = self.open_all(&mut reserve, there).ok()?;
            reserve.opened = captures.into_iter().map(Some).collect();
        }
        reserve.opened.get_mut(slot)?.take()
    }

    /// Opens a socket and its ring for each source.
    fn open_all(&self, reserve: &mut Reserve, there: InterfaceState) -> Result<Vec<Capture>, Error> {
        let sources = self.options.threads.get();
        let (link, kind) = link_of(there.hardware);
        let mut captures: Vec<Capture> = Vec::with_capacity(sources);
        let mut group = None;
        for _ in 0..sources {
            let socket = match PacketSocket::open(reserve.cooked) {
                Ok(socket) => socket,
                Err(error) => reserve.spares.pop().ok_or_else(|| self.error("open a packet socket", error))?,
            };
            let ring = self.set_up(&socket, link, there.index)?;
            if sources > 1 {
                let outgoing = if link.loopback { libc::PACKET_FANOUT_FLAG_IGNORE_OUTGOING } else { 0 };
                let how = outgoing
                    | match self.options.fanout {
                        Fanout::Hosts => libc::PACKET_FANOUT_CBPF,
                        Fanout::Flows => libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_DEFRAG,
                    };
                let joined =
                    socket.join(group, how).map_err(|error| self.error("share packets among threads", error))?;
                if group.is_none() && self.options.fanout == Fanout::Hosts {
                    socket
                        .set_fanout_program(&filter::by_hosts(kind, seed()))
                        .map_err(|error| self.error("share packets among threads", error))?;
                }
                group = Some(joined);
            }
            captures.push(Capture { ring, socket, link, generation: reserve.generation });
        }
        let mut program = filter::built_in(kind, self.options.snap_length);
        if let Some((compiled_for, users)) = &reserve.filter {
            if *compiled_for != link.kind.unwrap_or(LinkType::RAW) {
                return Err(self.error("keep the filter: its link type is another now", io::ErrorKind::Other.into()));
            }
            program = filter::both(users, &program);
        }
        for capture in &captures {
            capture.socket.attach_filter(&program).map_err(|error| self.error("attach a filter", error))?;
        }
        reserve.generation += 1;
        Ok(captures)
    }

    /// Binds a socket, which does not take anything in yet.
    fn set_up(&self, socket: &PacketSocket, link: Link, index: c_int) -> Result<Ring, Error> {
        let options = &self.options;
        let failed = |action| move |error| self.error(action, error);
        socket.attach_filter(&filter::NOTHING).map_err(failed("attach a filter"))?;
        let blocks = options.ring_bytes / options.block_bytes;
        let ring = Ring::new(socket, options.block_bytes, blocks, options.block_timeout)
            .map_err(failed("set up the ring (less memory for it may help)"))?;
        if link.loopback {
            // Since Linux 4.20; before, they are left out when the ring is read.
            let _ = socket.ignore_outgoing();
        }
        if options.hardware_timestamps {
            // Where the interface cannot, the kernel's clock remains.
            let _ = socket.enable_hardware_timestamps(&self.name);
        }
        socket.bind(index).map_err(failed("bind to it"))?;
        if options.promiscuous {
            socket.make_promiscuous(index).map_err(failed("make it promiscuous"))?;
        }
        // That it is down is said when it is polled.
        let _ = socket.take_error();
        Ok(ring)
    }

    fn reserve(&self) -> MutexGuard<'_, Reserve> {
        self.reserve.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, action: &'static str, source: io::Error) -> Error {
        Error::Interface { interface: self.interface.clone(), action, source }
    }
}

/// How to read frames of an `ARPHRD_` type, and what link type to write programs for.
fn link_of(hardware: c_ushort) -> (Link, LinkType) {
    let loopback = hardware == libc::ARPHRD_LOOPBACK;
    let kind = match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Some(LinkType::ETHERNET),
        libc::ARPHRD_NONE | RAW_IP => Some(LinkType::RAW),
        libc::ARPHRD_IEEE80211 => Some(LinkType::IEEE802_11),
        libc::ARPHRD_IEEE80211_PRISM => Some(LinkType::IEEE802_11_PRISM),
        libc::ARPHRD_IEEE80211_RADIOTAP => Some(LinkType::IEEE802_11_RADIOTAP),
        // PPP, tunnels and rarer things: whether there is a link layer differs from driver to driver.
        _ => None,
    };
    (Link { kind, loopback }, kind.unwrap_or(LinkType::LINUX_SLL))
}

/// The link type of an `ARPHRD_` type; `None` where frames are read from their network layer on.
pub(super) fn link_type(hardware: c_ushort) -> Option<LinkType> {
    link_of(hardware).0.kind
}

/// `ARPHRD_RAWIP`: cellular modems.
const RAW_IP: c_ushort = 519;

fn missing(interface: &str) -> Error {
    Error::Interface {
        interface: interface.to_owned(),
        action: "capture",
        source: io::Error::new(
            io::ErrorKind::NotFound,
            "there is no such interface; `handprint interfaces` lists them",
        ),
    }
}

/// A number nobody can foresee.
fn seed() -> u32 {
    use std::hash::{BuildHasher as _, RandomState};
    u32::try_from(RandomState::new().hash_one(0_u8) & u64::from(u32::MAX)).unwrap_or_default()
}

/// What the interface lost before the kernel saw it, from its statistics in /sys; kept open, since rights may go.
struct Losses {
    files: Vec<(File, u64)>,
    /// From interfaces of that name before.
    before: u64,
}

impl Losses {
    /// Frames that came while the interface had no room for them.
    const FILES: [&str; 2] = ["rx_missed_errors", "rx_fifo_errors"];

    fn open(interface: &str) -> Self {
        let open = |file: &&str| {
            let file = File::open(format!("/sys/class/net/{interface}/statistics/{file}")).ok()?;
            let now = number(&file)?;
            Some((file, now))
        };
        Self { files: Self::FILES.iter().filter_map(open).collect(), before: 0 }
    }

    fn reopen(&mut self, interface: &str) {
        let before = self.count();
        *self = Self { before, ..Self::open(interface) };
    }

    /// Since it was opened.
    fn count(&self) -> u64 {
        let since = self.files.iter().filter_map(|(file, at_first)| Some(number(file)?.saturating_sub(*at_first)));
        self.before + since.sum::<u64>()
    }
}

/// The number that a file of /sys holds now.
fn number(file: &File) -> Option<u64> {
    let mut text = [0; 24];
    let length = file.read_at(&mut text, 0).ok()?;
    std::str::from_utf8(text.get(..length)?).ok()?.trim().parse().ok()
}
