//! Capture by libpcap, and filters in its language.
//!
//! libpcap is asked without blocking and its descriptor is waited for, since it would not come back from a quiet
//! interface; where it has no descriptor to wait for, it is asked again after a short sleep. It is not asked for
//! "immediate" delivery, for which it gives up its own ring.

use std::thread;
use std::time::{Duration, Instant};

use pcap::{Active, Capture, Linktype, Precision, TimestampType};

use super::filter::Instruction;
use super::{KernelCounts, LiveOptions, LiveSource, Polled};
use crate::capture::{Frame, LinkType};
use crate::error::Error;
use crate::time::Timestamp;

/// Frames taken before a source comes back to whoever polls it.
const FRAMES_AT_ONCE: usize = 4096;

/// How long is slept where there is nothing to wait for.
const SLEEP: Duration = Duration::from_millis(2);

/// How long what is known of the interface is believed, while no frame comes.
const STATE_LIFETIME: Duration = Duration::from_millis(500);

/// Whether times come in nanoseconds; elsewhere it is not certain that they do.
const NANOSECONDS: bool = cfg!(target_os = "linux");

/// Opens an interface, or whatever libpcap knows by that name.
pub(super) fn open(interface: &str, options: &LiveOptions) -> Result<Vec<Box<dyn LiveSource>>, Error> {
    if options.threads.get() > 1 {
        return Err(Error::Configuration("libpcap captures with one thread".to_owned()));
    }
    if let Some(expression) = &options.filter {
        // Whatever the link type: an expression that makes no sense is not the interface's fault.
        let dead = Capture::dead(Linktype::ETHERNET).map_err(|error| refused(interface, &error))?;
        dead.compile(expression, true).map_err(|error| wrong_filter(expression, &error))?;
    }
    let capture = match activate(interface, options) {
        Ok(capture) => Some(capture),
        Err(error) if is_down(&error) => None,
        Err(error) => return Err(refused(interface, &error)),
    };
    let source = LibpcapSource {
        interface: interface.to_owned(),
        options: options.clone(),
        before: KernelCounts::default(),
        last: [0; 3],
        state: Polled::Idle,
        state_until: Instant::now(),
        capture,
    };
    Ok(vec![Box::new(source)])
}

/// Compiles an expression for a socket on `interface`, whose frames begin as `kind` says.
pub(super) fn compile(interface: &str, expression: &str, kind: LinkType) -> Result<Vec<Instruction>, Error> {
    let wrong = |error: pcap::Error| wrong_filter(expression, &error);
    // With an open interface libpcap knows that the kernel takes VLAN tags off, and where it keeps them.
    let open = Capture::from_device(interface).and_then(|capture| capture.snaplen(1).buffer_size(1 << 16).open());
    let program = match open {
        Ok(capture) if link_type(&capture) == kind => capture.compile(expression, true),
        _ => Capture::dead(Linktype(i32::from(kind.0))).and_then(|capture| capture.compile(expression, true)),
    };
    let program = program.map_err(wrong)?;
    // An instruction shows its parts only as text: code, jumps, operand.
    let instructions = program.get_instructions().iter().map(|instruction| {
        let text = instruction.to_string();
        let mut parts = text.split(' ');
        Some(Instruction {
            code: parts.next()?.parse().ok()?,
            jump_true: parts.next()?.parse().ok()?,
            jump_false: parts.next()?.parse().ok()?,
            value: parts.next()?.parse().ok()?,
        })
    });
    let program: Option<Vec<_>> = instructions.collect();
    program.ok_or_else(|| Error::Configuration(format!("filter `{expression}`: libpcap gave no program")))
}

/// What libpcap knows of interfaces.
#[cfg(not(unix))]
pub(super) fn interfaces() -> Vec<super::Interface> {
    let found = pcap::Device::list().unwrap_or_default().into_iter();
    let interface = |device: pcap::Device| super::Interface {
        addresses: device.addresses.iter().map(|address| (address.addr, prefix(address))).collect(),
        up: device.flags.is_up(),
        running: device.flags.is_running(),
        kind: if device.flags.is_loopback() { super::InterfaceKind::Loopback } else { super::InterfaceKind::Other },
        description: device.desc,
        name: device.name,
        ..super::Interface::default()
    };
    found.map(interface).collect()
}

#[cfg(not(unix))]
fn prefix(address: &pcap::Address) -> u8 {
    let ones = match address.netmask {
        Some(std::net::IpAddr::V4(mask)) => mask.to_bits().count_ones(),
        Some(std::net::IpAddr::V6(mask)) => mask.to_bits().count_ones(),
        None if address.addr.is_ipv4() => 32,
        None => 128,
    };
    u8::try_from(ones).unwrap_or_default()
}

struct LibpcapSource {
    interface: String,
    options: LiveOptions,
    /// `None` while there is no such interface.
    capture: Option<Capture<Active>>,
    /// What was counted, but for what the open capture has counted since it was last asked.
    before: KernelCounts,
    /// What it had counted then: its numbers have 32 bits.
    last: [u32; 3],
    /// What is known of the interface: idle or down; until when that is believed.
    state: Polled,
    state_until: Instant,
}

impl LiveSource for LibpcapSource {
    fn poll(&mut self, wait: Duration, take: &mut dyn FnMut(&Frame<'_>)) -> Result<Polled, Error> {
        let deadline = Instant::now() + wait;
        loop {
            let frames = match &mut self.capture {
                Some(capture) => dispatch(capture, take),
                None => {
                    self.capture = activate(&self.interface, &self.options).ok();
                    Ok(0)
                }
            };
            match frames {
                Ok(0) => {}
                Ok(frames) => return Ok(Polled::Frames(frames)),
                // The interface has gone, most likely; another may come by that name.
                Err(_) => self.close(),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(self.state());
            }
            match &self.capture {
                Some(capture) => {
                    if !await_frames(capture, &self.interface, left) {
                        return Ok(Polled::Idle);
                    }
                }
                None => thread::sleep(left.min(Duration::from_millis(100))),
            }
        }
    }

    fn counts(&mut self) -> KernelCounts {
        if let Some(statistics) = self.capture.as_mut().and_then(|capture| capture.stats().ok()) {
            let now = [statistics.received, statistics.dropped, statistics.if_dropped];
            let [received, dropped, interface] = [0, 1, 2].map(|which: usize| {
                let (now, last) = (now.get(which).copied(), self.last.get(which).copied());
                u64::from(now.unwrap_or_default().wrapping_sub(last.unwrap_or_default()))
            });
            self.before.received += received;
            self.before.dropped += dropped;
            self.before.interface_dropped += interface;
            self.last = now;
        }
        self.before
    }
}

impl LibpcapSource {
    fn close(&mut self) {
        self.counts();
        self.capture = None;
        self.last = [0; 3];
        self.state_until = Instant::now();
    }

    /// What there is to say of an interface from which nothing comes.
    fn state(&mut self) -> Polled {
        if self.capture.is_none() {
            return Polled::Down;
        }
        let now = Instant::now();
        if now >= self.state_until {
            self.state_until = now + STATE_LIFETIME;
            // What is no interface of the system (`any`, a bus) is never down.
            let found = super::interfaces().into_iter().find(|interface| interface.name == self.interface);
            let running = found.is_none_or(|interface| interface.running);
            self.state = if running { Polled::Idle } else { Polled::Down };
        }
        self.state
    }
}

/// Opens what libpcap knows by that name.
fn activate(interface: &str, options: &LiveOptions) -> Result<Capture<Active>, pcap::Error> {
    let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let mut capture = Capture::from_device(interface)?
        .promisc(options.promiscuous)
        .snaplen(i32::try_from(options.snap_length).unwrap_or(i32::MAX))
        .buffer_size(number(options.ring_bytes))
        .timeout(i32::try_from(options.block_timeout.as_millis()).unwrap_or(i32::MAX));
    if NANOSECONDS {
        capture = capture.precision(Precision::Nano);
    }
    if options.hardware_timestamps {
        // Where the interface cannot, it is the host's clock.
        capture = capture.tstamp_type(TimestampType::Adapter);
    }
    let mut capture = capture.open()?;
    if let Some(expression) = &options.filter {
        capture.filter(expression, true)?;
    }
    capture.setnonblock()
}

/// Hands over what is there.
fn dispatch(capture: &mut Capture<Active>, take: &mut dyn FnMut(&Frame<'_>)) -> Result<usize, pcap::Error> {
    let link_type = link_type(capture);
    capture.dispatch(Some(FRAMES_AT_ONCE), |packet| {
        let seconds = u64::try_from(packet.header.ts.tv_sec).unwrap_or_default();
        let fraction = u64::try_from(packet.header.ts.tv_usec).unwrap_or_default();
        let nanos = if NANOSECONDS { fraction } else { fraction.saturating_mul(1000) };
        take(&Frame {
            timestamp: Timestamp::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos)),
            link_type,
            bytes: packet.data,
            original_length: packet.header.len,
        });
    })
}

fn link_type<T: pcap::Activated>(capture: &Capture<T>) -> LinkType {
    LinkType::from_file(u16::try_from(capture.get_datalink().0).unwrap_or(u16::MAX))
}

/// Waits until there is something, or the time is over. `false` where a signal came.
fn await_frames(capture: &Capture<Active>, interface: &str, left: Duration) -> bool {
    // What is not of this host has no descriptor.
    if interface.contains("://") {
        thread::sleep(left.min(SLEEP));
        return true;
    }
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;
        // That something is wrong is said when it is asked next.
        !matches!(super::wait::wait_for(capture.as_fd(), left), Ok(super::wait::Ready::Interrupted))
    }
    #[cfg(not(unix))]
    {
        let _ = capture;
        thread::sleep(left.min(SLEEP));
        true
    }
}

fn wrong_filter(expression: &str, error: &pcap::Error) -> Error {
    Error::Configuration(format!("filter `{expression}`: {}", text(error)))
}

fn refused(interface: &str, error: &pcap::Error) -> Error {
    let text = text(error);
    if text.to_ascii_lowercase().contains("permission") {
        return Error::Privileges { interface: interface.to_owned() };
    }
    let source = std::io::Error::other(text);
    Error::Interface { interface: interface.to_owned(), action: "capture by libpcap", source }
}

fn is_down(error: &pcap::Error) -> bool {
    text(error).contains("not up")
}

/// What libpcap says, without the crate's own words before it.
fn text(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(text) => text.clone(),
        other => other.to_string(),
    }
}
