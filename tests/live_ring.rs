//! The ring, against interfaces in network namespaces. Skipped, with the reason, without the right to make them:
//! `cargo test --test live_ring -- --nocapture` shows it.
#![cfg(all(target_os = "linux", feature = "live"))]
#![allow(unsafe_code, reason = "namespaces and raw sockets, which only the system has")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap, reason = "tests")]
#![allow(clippy::print_stderr, unreachable_pub, reason = "tests")]

mod netns;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::num::NonZero;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use handprint::capture::live::{self, Fanout, LiveOptions, LiveSource, Polled};
use handprint::capture::{Frame, LinkType, Source};
use handprint::engine::{Engine, EngineConfig};
use handprint::error::Error;
use handprint::packet::{Decoder, FragmentLimits};
use handprint::record::FlowRecord;
use handprint::stats::{DropReason, Drops};
use handprint::time::Timestamp;
use netns::{Sender, in_namespace, pair, run};

/// Long enough for a block to be handed over.
const QUIET: Duration = Duration::from_millis(300);

fn options() -> LiveOptions {
    let mut options = LiveOptions::default();
    options.block_timeout = Duration::from_millis(5);
    options
}

fn one(interface: &str, options: &LiveOptions) -> Box<dyn LiveSource> {
    live::open(interface, options).unwrap().pop().unwrap()
}

/// A frame that was received.
#[derive(Clone, Debug, PartialEq)]
struct Received {
    timestamp: Timestamp,
    link_type: LinkType,
    bytes: Vec<u8>,
    original_length: u32,
}

/// Takes what comes until nothing has for a while.
fn drain(source: &mut dyn LiveSource) -> Vec<Received> {
    let mut received = Vec::new();
    drain_for(source, QUIET, &mut received);
    received
}

/// Takes what comes until nothing has for `quiet`.
fn drain_for(source: &mut dyn LiveSource, quiet: Duration, received: &mut Vec<Received>) {
    loop {
        let mut take = |frame: &Frame<'_>| {
            received.push(Received {
                timestamp: frame.timestamp,
                link_type: frame.link_type,
                bytes: frame.bytes.to_vec(),
                original_length: frame.original_length,
            });
        };
        match source.poll(quiet, &mut take).unwrap() {
            Polled::Frames(_) => {}
            Polled::Idle | Polled::Down => return,
        }
    }
}

/// Every capture below `folders` whose frames are all Ethernet's and can be sent, with them.
fn captures(folders: &[&str]) -> Vec<(PathBuf, Vec<Vec<u8>>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps");
    let folders: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut found = Vec::new();
    for input in handprint::capture::inputs(&folders) {
        let path = input.unwrap().path;
        let Ok(mut source) = Source::open(&path) else { continue };
        let (mut frames, mut sendable) = (Vec::new(), true);
        while let Ok(Some(frame)) = source.next_frame() {
            sendable &= frame.link_type == LinkType::ETHERNET && (15..60_000).contains(&frame.bytes.len());
            frames.push(frame.bytes.to_vec());
        }
        if sendable && !frames.is_empty() {
            found.push((path, frames));
        }
    }
    assert!(found.len() > 10, "only {} captures can be sent", found.len());
    found
}

/// Whether a frame may lead to a handshake.
fn matters(bytes: &[u8]) -> bool {
    let frame =
        Frame { timestamp: Timestamp::ZERO, link_type: LinkType::ETHERNET, bytes, original_length: bytes.len() as u32 };
    let decoded = Decoder::new(FragmentLimits::default()).decode(&frame, &mut Drops::default()).map(|_| ());
    !matches!(decoded, Err(DropReason::NotIp | DropReason::NotTcpOrUdp | DropReason::TruncatedHeader))
}

/// A frame of IPv4 and UDP with a number in it.
fn numbered(number: u32) -> Vec<u8> {
    let mut frame = vec![0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00];
    frame.extend([0x45, 0, 0, 36, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    frame.extend([0x30, 0x39, 0x30, 0x3a, 0, 16, 0, 0]);
    frame.extend(u64::from(number).to_be_bytes());
    frame
}

fn number_in(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(*bytes.last_chunk().unwrap())
}

#[test]
fn hands_over_every_frame_as_it_was_on_the_wire() {
    in_namespace("hands_over_every_frame_as_it_was_on_the_wire", || {
        pair("feed", "span");
        let mut source = one("span", &options());
        let sender = Sender::on("feed");
        let before = now();
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        for (_, frames) in captures(&["tls", "tunnels", "fragments", "quic", "dtls", "segments"]) {
            frames.iter().for_each(|frame| sender.send(frame));
            sent.extend(frames);
            drain_for(&mut *source, Duration::ZERO, &mut received);
        }
        drain_for(&mut *source, QUIET, &mut received);
        let wanted: Vec<_> = sent.iter().filter(|frame| matters(frame)).collect();
        let came: Vec<_> = received.iter().map(|frame| &frame.bytes).filter(|bytes| matters(bytes)).collect();
        assert!(wanted == came, "{} sent, {} received", wanted.len(), came.len());
        assert!(received.is_sorted_by_key(|frame| frame.timestamp));
        assert!(received[0].timestamp >= before && received[received.len() - 1].timestamp <= now());
        for frame in received {
            assert_eq!((frame.link_type, frame.original_length as usize), (LinkType::ETHERNET, frame.bytes.len()));
        }
        let counts = source.counts();
        assert_eq!((counts.dropped, counts.freezes), (0, 0));
        assert!(counts.received > 1000);
    });
}

#[test]
fn puts_vlan_tags_back() {
    in_namespace("puts_vlan_tags_back", || {
        pair("feed", "span");
        let mut source = one("span", &options());
        let sender = Sender::on("feed");
        let bare = numbered(7);
        let tagged = |tags: &[[u8; 4]]| [&bare[..12], &tags.concat(), &bare[12..]].concat();
        let sent = [
            bare.clone(),
            // Priority 5 and drop eligible, VLAN 291.
            tagged(&[[0x81, 0x00, 0xb1, 0x23]]),
            // A tag of priority alone.
            tagged(&[[0x81, 0x00, 0x60, 0x00]]),
            tagged(&[[0x88, 0xa8, 0x00, 0x64]]),
            tagged(&[[0x88, 0xa8, 0x00, 0x64], [0x81, 0x00, 0x00, 0xc8]]),
            tagged(&[[0x81, 0x00, 0x0f, 0xfe], [0x81, 0x00, 0x00, 0xc8], [0x81, 0x00, 0x00, 0xc9]]),
        ];
        sent.iter().for_each(|frame| sender.send(frame));
        let received = drain(&mut *source);
        assert_eq!(received.iter().map(|frame| frame.bytes.clone()).collect::<Vec<_>>(), sent);
        assert!(received.iter().all(|frame| frame.original_length as usize == frame.bytes.len()));
    });
}

#[test]
fn reads_interfaces_without_a_link_layer() {
    in_namespace("reads_interfaces_without_a_link_layer", || {
        let v6 =
            [&[0x60, 0, 0, 0, 0, 16, 17, 64][..], &[0x20; 32], &[0x30, 0x39, 0x30, 0x3a, 0, 16], &[0; 10]].concat();
        let icmp = {
            let mut packet = numbered(3)[14..].to_vec();
            packet[9] = 1;
            packet
        };
        // What a tunnel says of itself, a cellular modem, and one whose link layer is not known.
        let types = [(0xfffe, LinkType::RAW), (519, LinkType::RAW), (768, LinkType::IPV4)];
        for (at, (hardware, link_type)) in types.into_iter().enumerate() {
            let name = format!("tun{at}");
            let Some(mut tunnel) = Tunnel::new(&name, hardware) else {
                eprintln!("reads_interfaces_without_a_link_layer: skipped: no /dev/net/tun");
                return;
            };
            let mut source = one(&name, &options());
            let mut sources = several(&name, 3, Fanout::Hosts);
            tunnel.deliver(&numbered(7)[14..]);
            tunnel.deliver(&v6);
            let received = drain(&mut *source);
            let came: Vec<_> = received.iter().map(|frame| (frame.link_type, &*frame.bytes)).collect();
            let v6_type = if link_type == LinkType::RAW { LinkType::RAW } else { LinkType::IPV6 };
            assert_eq!(came, [(link_type, &numbered(7)[14..]), (v6_type, &*v6)], "{hardware}");
            if link_type == LinkType::RAW {
                tunnel.deliver(&icmp);
                assert!(drain(&mut *source).is_empty(), "what does not matter is dropped");
            }
            let mut places: BTreeMap<u32, usize> = BTreeMap::new();
            for host in 0..60_u8 {
                for swapped in [false, true] {
                    let mut packet = numbered(1000 + u32::from(host))[14..].to_vec();
                    packet[15] = host;
                    if swapped {
                        let (source, destination) = packet[12..20].split_at_mut(4);
                        source.swap_with_slice(destination);
                    }
                    tunnel.deliver(&packet);
                }
            }
            for (place, source) in sources.iter_mut().enumerate() {
                let came = drain(&mut **source);
                let numbers = came.iter().map(|frame| number_in(&frame.bytes)).filter(|number| *number >= 1000);
                let numbers: Vec<_> = numbers.collect();
                assert!(numbers.len() > 12, "source {place} has {} packets", numbers.len());
                for number in numbers {
                    assert_eq!(*places.entry(number).or_insert(place), place, "both directions of {number}");
                }
            }
            assert_eq!(places.len(), 60);
        }
    });
}

#[test]
fn cuts_at_the_snap_length_and_says_so() {
    in_namespace("cuts_at_the_snap_length_and_says_so", || {
        pair("feed", "span");
        let mut options = options();
        options.snap_length = 60;
        let mut source = one("span", &options);
        let sender = Sender::on("feed");
        let mut long = numbered(1);
        long.resize(1400, 0xaa);
        let tagged = [&long[..12], &[0x81, 0, 0, 9], &long[12..]].concat();
        sender.send(&long);
        sender.send(&tagged);
        let received = drain(&mut *source);
        // What the kernel cuts is the frame without the tag.
        let lengths: Vec<_> = received.iter().map(|frame| (frame.bytes.len(), frame.original_length)).collect();
        assert_eq!(lengths, [(60, 1400), (64, 1404)]);
        assert_eq!(received[1].bytes, tagged[..64]);
    });
}

#[test]
fn counts_what_is_lost() {
    in_namespace("counts_what_is_lost", || {
        pair("feed", "span");
        let mut options = options();
        (options.block_bytes, options.ring_bytes) = (4096, 4 * 4096);
        let mut source = one("span", &options);
        let sender = Sender::on("feed");
        let sent = 10_000;
        (0..sent).for_each(|number| sender.send(&numbered(number)));
        std::thread::sleep(QUIET);
        let full = source.counts();
        assert!((full.ring_fill - 1.0).abs() < f32::EPSILON, "{full:?}");
        let received = drain(&mut *source);
        let counts = source.counts();
        assert_eq!(counts.received, u64::from(sent));
        assert_eq!(counts.dropped + received.len() as u64, u64::from(sent));
        assert!(counts.dropped > 0 && counts.freezes > 0 && counts.ring_fill == 0.0, "{counts:?}");
        // What came came in order, the first ones first.
        let numbers: Vec<_> = received.iter().map(|frame| number_in(&frame.bytes)).collect();
        assert!(numbers.is_sorted() && numbers[0] == 0);
        // And it goes on.
        sender.send(&numbered(sent));
        assert_eq!(drain(&mut *source).len(), 1);
    });
}

#[test]
fn loopback_packets_come_once() {
    in_namespace("loopback_packets_come_once", || {
        let mut source = one("lo", &options());
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = socket.local_addr().unwrap();
        for number in 0_u32..100 {
            socket.send_to(&number.to_be_bytes(), to).unwrap();
        }
        let numbers: Vec<_> = drain(&mut *source).iter().map(|frame| number_in(&frame.bytes)).collect();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
        let threads = several("lo", 3, Fanout::Hosts);
        for number in 0_u32..100 {
            socket.send_to(&number.to_be_bytes(), to).unwrap();
        }
        let came: Vec<_> = threads.into_iter().map(|mut source| drain(&mut *source).len()).filter(|n| *n > 0).collect();
        assert_eq!(came, [100]);
    });
}

#[test]
fn survives_an_interface_that_goes_down_and_comes_back() {
    in_namespace("survives_an_interface_that_goes_down_and_comes_back", || {
        for threads in [1, 3] {
            pair("feed", "span");
            let mut sources = several("span", threads, Fanout::Hosts);
            let mut check = |number, what: &str| {
                Sender::on("feed").send(&numbered(number));
                let came: Vec<_> = sources.iter_mut().flat_map(|source| drain(&mut **source)).collect();
                let numbers: Vec<_> = came.iter().map(|frame| number_in(&frame.bytes)).collect();
                assert_eq!(numbers, [number], "{what}, {threads} threads");
            };
            check(1, "up");
            run("ip link set span down").unwrap();
            assert!(comes_to_be(&mut sources, Polled::Down));
            run("ip link set span up").unwrap();
            assert!(comes_to_be(&mut sources, Polled::Idle));
            let mut check = |number, what: &str| {
                Sender::on("feed").send(&numbered(number));
                let came: Vec<_> = sources.iter_mut().flat_map(|source| drain(&mut **source)).collect();
                let numbers: Vec<_> = came.iter().map(|frame| number_in(&frame.bytes)).collect();
                assert_eq!(numbers, [number], "{what}, {threads} threads");
            };
            check(2, "up again");
            // The cable: the other side goes down.
            run("ip link set feed down").unwrap();
            assert!(comes_to_be(&mut sources, Polled::Down));
            run("ip link set feed up").unwrap();
            assert!(comes_to_be(&mut sources, Polled::Idle));
            for round in 0..3 {
                run("ip link del span").unwrap();
                assert!(comes_to_be(&mut sources, Polled::Down));
                pair("feed", "span");
                assert!(comes_to_be(&mut sources, Polled::Idle));
                Sender::on("feed").send(&numbered(10 + round));
                let came: Vec<_> = sources.iter_mut().flat_map(|source| drain(&mut **source)).collect();
                let numbers: Vec<_> = came.iter().map(|frame| number_in(&frame.bytes)).collect();
                assert_eq!(numbers, [10 + round], "another interface of that name, {threads} threads");
            }
            let received: u64 = sources.iter_mut().map(|source| source.counts().received).sum();
            assert_eq!(received, 5);
            run("ip link del span").unwrap();
        }
    });
}

#[test]
fn an_interface_that_is_down_can_be_opened() {
    in_namespace("an_interface_that_is_down_can_be_opened", || {
        pair("feed", "span");
        run("ip link set span down").unwrap();
        for threads in [1, 2] {
            let mut sources = several("span", threads, Fanout::Flows);
            assert!(comes_to_be(&mut sources, Polled::Down));
            run("ip link set span up").unwrap();
            assert!(comes_to_be(&mut sources, Polled::Idle));
            Sender::on("feed").send(&numbered(1));
            assert_eq!(sources.iter_mut().map(|source| drain(&mut **source).len()).sum::<usize>(), 1);
            run("ip link set span down").unwrap();
        }
    });
}

#[test]
fn rejects_what_cannot_be_captured() {
    for name in ["", "no-such-interface", "../eth0", "a-name-that-is-far-too-long", "nul\0"] {
        let error = live::open(name, &options()).err().unwrap();
        assert!(matches!(error, Error::Interface { .. } | Error::Privileges { .. }), "{name:?}: {error}");
    }
    let wrong: [fn(&mut LiveOptions); 7] = [
        |options| options.block_bytes = 1000,
        |options| options.block_bytes = 32 << 20,
        |options| options.ring_bytes = options.block_bytes,
        |options| options.snap_length = 0,
        |options| options.snap_length = 300_000,
        |options| options.block_timeout = Duration::from_micros(1),
        |options| options.filter = Some("tcp port (".to_owned()),
    ];
    for (at, change) in wrong.into_iter().enumerate() {
        let mut options = options();
        change(&mut options);
        let error = live::open("lo", &options).err().unwrap();
        assert!(matches!(error, Error::Configuration(_) | Error::Privileges { .. }), "{at}: {error}");
    }
}

#[test]
fn without_the_right_says_what_to_do() {
    in_namespace("without_the_right_says_what_to_do", || {
        // SAFETY: header and data live for the time of the call, and are of version 3: two sets of three words.
        let result = unsafe { libc::syscall(libc::SYS_capset, &raw const HEADER, &raw const NONE) };
        #[repr(C)]
        struct Header(u32, i32);
        static HEADER: Header = Header(0x2008_0522, 0);
        static NONE: [u32; 6] = [0; 6];
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
        let error = live::open("lo", &options()).err().unwrap();
        assert!(matches!(error, Error::Privileges { .. }), "{error}");
        assert!(error.to_string().contains("setcap cap_net_raw"), "{error}");
    });
}

/// An interface whose frames have no link layer, and the end from which it receives them.
struct Tunnel(File);

impl Tunnel {
    /// Makes one of an `ARPHRD_` type; `None` where the system has none.
    fn new(name: &str, hardware: u16) -> Option<Self> {
        let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun").ok()?;
        // SAFETY: integers and bytes alone.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *place = byte as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as i16;
        // SAFETY: the request lives for the time of the call, and is what TUNSETIFF wants.
        let made = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) };
        assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
        // SAFETY: no pointers: TUNSETLINK takes the type itself.
        let set = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETLINK as _, libc::c_ulong::from(hardware)) };
        assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
        run(&format!("ip link set {name} up")).unwrap();
        Some(Self(file))
    }

    /// Has the interface receive a packet.
    fn deliver(&mut self, packet: &[u8]) {
        self.0.write_all(packet).unwrap();
    }
}

/// What engines say of frames: each engine those of one source.
fn records<'a>(sources: impl IntoIterator<Item = &'a [Received]>) -> BTreeMap<String, usize> {
    let mut records = BTreeMap::new();
    for frames in sources {
        let mut engine = Engine::new(EngineConfig::default());
        let mut sink = |record: &FlowRecord<'_>| {
            let facts = record.facts;
            let name = facts.hello.server_name.as_deref().unwrap_or_default();
            let key = format!("{} {} {name} {:?} {:?}", facts.client, facts.server, facts.version(), facts.outcome);
            *records.entry(key).or_default() += 1;
        };
        for frame in frames {
            let frame = Frame {
                timestamp: frame.timestamp,
                link_type: frame.link_type,
                bytes: &frame.bytes,
                original_length: frame.original_length,
            };
            engine.push(&frame, &mut sink);
        }
        engine.finish(&mut sink);
    }
    records
}

/// Sends captures and compares, for each, what engines say of one source with what they say of several.
fn compare(threads: usize, fanout: Fanout, folders: &[&str]) -> Vec<String> {
    pair("feed", "span");
    let mut whole = one("span", &options());
    let mut sources = several("span", threads, fanout);
    let sender = Sender::on("feed");
    let (mut wrong, mut total, mut used) = (Vec::new(), 0, vec![false; threads]);
    for (path, frames) in captures(folders) {
        frames.iter().for_each(|frame| sender.send(frame));
        let all = expect(std::slice::from_mut(&mut whole), frames.len());
        let parts = expect(&mut sources, frames.len());
        used.iter_mut().zip(&parts).for_each(|(used, part)| *used |= !part.is_empty());
        let (expected, came) = (records(all.iter().map(|part| &**part)), records(parts.iter().map(|part| &**part)));
        total += expected.values().sum::<usize>();
        if expected != came {
            wrong.push(format!("{}: {expected:?} became {came:?}", path.display()));
        }
    }
    assert!(total > 10, "only {total} records");
    if fanout == Fanout::Flows {
        assert!(used.iter().all(|used| *used), "not every source was used: {used:?}");
    }
    wrong
}

/// What the sources receive, until that is `count` frames in all.
fn expect(sources: &mut [Box<dyn LiveSource>], count: usize) -> Vec<Vec<Received>> {
    let mut parts = vec![Vec::new(); sources.len()];
    let end = Instant::now() + Duration::from_secs(10);
    while parts.iter().map(Vec::len).sum::<usize>() < count {
        assert!(Instant::now() < end, "{} of {count} frames came", parts.iter().map(Vec::len).sum::<usize>());
        for (source, part) in sources.iter_mut().zip(&mut parts) {
            drain_for(&mut **source, Duration::from_millis(1), part);
        }
    }
    assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), count);
    parts
}

/// The same, of many hosts, by the kernel: each frame says at its end which hosts it is between.
#[test]
fn both_directions_meet_whatever_is_around_them() {
    in_namespace("both_directions_meet_whatever_is_around_them", || {
        const PAIRS: u32 = 200;
        pair("feed", "span");
        let threads = 4;
        let mut sources = several("span", threads, Fanout::Hosts);
        let sender = Sender::on("feed");
        let mut sent = 0;
        for number in 0..PAIRS {
            let (client, server) = ([10, 0, 0, number as u8], [10, 1, 0, number as u8]);
            for (source, destination) in [(client, server), (server, client)] {
                // Whole, the first fragment, another fragment.
                for (fragment, protocol) in [([0x40, 0], 6), ([0x20, 0], 17), ([0x00, 0xb9], 17)] {
                    let mut v4 = vec![0x45, 0, 0, 44, 0, 1, fragment[0], fragment[1], 64, protocol, 0, 0];
                    v4.extend([source, destination].concat());
                    v4.resize(40, source[1]);
                    v4.extend(number.to_be_bytes());
                    let next = if protocol == 6 { 6 } else { 44 };
                    let mut v6 = vec![0x60, 0, 0, 0, 0, 40, next, 64];
                    for address in [source, destination] {
                        v6.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0]);
                        v6.extend(address);
                    }
                    v6.extend([6, 0, fragment[1], 1]);
                    v6.resize(76, source[1]);
                    v6.extend((number + PAIRS).to_be_bytes());
                    for (packet, ether_type, ppp) in [(v4, [0x08, 0x00], 0x21), (v6, [0x86, 0xdd], 0x57)] {
                        let before: [&[u8]; 6] = [
                            &ether_type,
                            &[&[0x81, 0x00, 0x00, 0x05][..], &ether_type].concat(),
                            &[&[0x88, 0xa8, 0x00, 0x05, 0x81, 0x00, 0x00, 0x06][..], &ether_type].concat(),
                            &[0x88, 0x47, 0, 1, 0x20, 64, 0, 2, 0x31, 64],
                            &[0x88, 0x64, 0x11, 0, 0, 1, 0, 80, 0, ppp],
                            &[0x81, 0x00, 0x00, 0x07, 0x88, 0x64, 0x11, 0, 0, 1, 0, 80, 0, ppp],
                        ];
                        for before in before {
                            sender.send(&[&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], before, &packet].concat());
                            sent += 1;
                        }
                    }
                }
            }
        }
        let parts: Vec<_> = sources.iter_mut().map(|source| drain(&mut **source)).collect();
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), sent);
        let mut places: BTreeMap<u32, BTreeMap<usize, usize>> = BTreeMap::new();
        for (part, frames) in parts.iter().enumerate() {
            assert!(frames.len() > sent / 8, "source {part} has {} of {sent} frames", frames.len());
            for frame in frames {
                *places.entry(number_in(&frame.bytes)).or_default().entry(part).or_default() += 1;
            }
        }
        assert_eq!(places.len(), 2 * PAIRS as usize);
        for (number, places) in places {
            assert_eq!(places.into_values().collect::<Vec<_>>(), [36], "hosts {number}");
        }
    });
}

/// Fragments and tunnels included.
#[test]
fn all_between_two_hosts_comes_to_one_source() {
    in_namespace("all_between_two_hosts_comes_to_one_source", || {
        let folders = ["tls/versions", "tls/flow", "tunnels", "fragments", "quic", "dtls", "starttls"];
        let wrong = compare(3, Fanout::Hosts, &folders);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn all_of_a_flow_comes_to_one_source() {
    in_namespace("all_of_a_flow_comes_to_one_source", || {
        let wrong = compare(4, Fanout::Flows, &["tls/versions", "tls/flow", "quic", "starttls"]);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[cfg(feature = "libpcap")]
#[test]
fn the_ring_takes_filter_expressions() {
    in_namespace("the_ring_takes_filter_expressions", || {
        pair("feed", "span");
        let sender = Sender::on("feed");
        let bare = numbered(1);
        let tagged = [&bare[..12], &[0x81, 0x00, 0x00, 0x07], &bare[12..]].concat();
        let arp = ethernet_arp();
        let cases: [(&str, &[&[u8]]); 7] = [
            ("", &[&bare, &tagged]),
            // The kernel has taken the tag off.
            ("udp port 12345", &[&bare, &tagged]),
            ("udp port 12346 and not udp port 12345", &[]),
            ("vlan 7 and udp port 12345", &[&tagged]),
            ("vlan 8", &[]),
            ("udp port 12345 or (vlan and udp port 12345)", &[&bare, &tagged]),
            // The built-in filter holds beside it.
            ("arp or host 192.0.2.2", &[&bare, &tagged]),
        ];
        for (expression, wanted) in cases {
            let mut options = options();
            options.filter = Some(expression.to_owned());
            for threads in [1, 2] {
                options.threads = NonZero::new(threads).unwrap();
                let mut sources = live::open("span", &options).unwrap();
                [&bare, &tagged, &arp].into_iter().for_each(|frame| sender.send(frame));
                let came: Vec<_> = sources.iter_mut().flat_map(|source| drain(&mut **source)).collect();
                let came: Vec<_> = came.iter().map(|frame| &*frame.bytes).collect();
                assert_eq!(came, wanted, "{expression:?}, {threads} threads");
            }
        }
    });
}

#[cfg(feature = "libpcap")]
fn by_libpcap() -> LiveOptions {
    let mut options = options();
    options.backend = live::Backend::Libpcap;
    options
}

#[cfg(feature = "libpcap")]
#[test]
fn libpcap_hands_over_every_frame_and_survives_the_interface() {
    in_namespace("libpcap_hands_over_every_frame_and_survives_the_interface", || {
        pair("feed", "span");
        let mut options = by_libpcap();
        let mut sources = live::open("span", &options).unwrap();
        let before = now();
        let sent: Vec<_> = captures(&["tls/versions", "tunnels"]).into_iter().flat_map(|(_, frames)| frames).collect();
        let sender = Sender::on("feed");
        let mut received = Vec::new();
        for frames in sent.chunks(100) {
            frames.iter().for_each(|frame| sender.send(frame));
            drain_for(&mut *sources[0], Duration::ZERO, &mut received);
        }
        drain_for(&mut *sources[0], QUIET, &mut received);
        assert!(received.iter().map(|frame| &frame.bytes).eq(&sent), "{} of {}", received.len(), sent.len());
        // Nanoseconds, which are not those of a clock that counts in microseconds.
        assert!(received.iter().all(|frame| frame.timestamp >= before && frame.timestamp <= now()));
        assert!(received.iter().any(|frame| frame.timestamp.as_nanos() % 1000 != 0));
        let counts = sources[0].counts();
        assert_eq!((counts.received, counts.dropped), (sent.len() as u64, 0));

        run("ip link set span down").unwrap();
        assert!(comes_to_be(&mut sources, Polled::Down));
        run("ip link set span up").unwrap();
        assert!(comes_to_be(&mut sources, Polled::Idle));
        run("ip link del span").unwrap();
        assert!(comes_to_be(&mut sources, Polled::Down));
        pair("feed", "span");
        assert!(comes_to_be(&mut sources, Polled::Idle));
        Sender::on("feed").send(&numbered(5));
        assert_eq!(drain(&mut *sources[0]).len(), 1);
        assert_eq!(sources[0].counts().received, sent.len() as u64 + 1);

        options.filter = Some("udp port 12345".to_owned());
        let mut filtered = live::open("span", &options).unwrap();
        let mut any = live::open("any", &options).unwrap();
        let sender = Sender::on("feed");
        sender.send(&ethernet_arp());
        sender.send(&numbered(6));
        assert_eq!(drain(&mut *filtered[0]).len(), 1);
        // Once as sent, once as received.
        let any = drain(&mut *any[0]);
        assert_eq!(any.len(), 2);
        assert!(any.iter().all(|frame| number_in(&frame.bytes) == 6));
        run("ip link set span down").unwrap();
        let mut sources = live::open("span", &options).unwrap();
        assert!(comes_to_be(&mut sources, Polled::Down));
    });
}

#[cfg(feature = "libpcap")]
fn ethernet_arp() -> Vec<u8> {
    let mut arp = vec![0xff; 12];
    arp.extend([0x08, 0x06]);
    arp.resize(60, 0);
    arp
}

#[cfg(feature = "libpcap")]
#[test]
fn libpcap_says_what_is_wrong() {
    let mut options = by_libpcap();
    let error = live::open("no-such-interface", &options).err().unwrap();
    assert!(matches!(error, Error::Interface { .. } | Error::Privileges { .. }), "{error}");
    options.filter = Some("tcp port (".to_owned());
    let error = live::open("lo", &options).err().unwrap();
    assert!(matches!(error, Error::Configuration(_)) && error.to_string().contains("tcp port ("), "{error}");
    options.filter = None;
    options.threads = NonZero::new(2).unwrap();
    assert!(matches!(live::open("lo", &options).err().unwrap(), Error::Configuration(_)));
}

fn several(interface: &str, threads: usize, fanout: Fanout) -> Vec<Box<dyn LiveSource>> {
    let mut options = options();
    (options.threads, options.fanout) = (NonZero::new(threads).unwrap(), fanout);
    options.ring_bytes = 8 << 20;
    let sources = live::open(interface, &options).unwrap();
    assert_eq!(sources.len(), threads);
    sources
}

/// Whether all sources come to say so, within a while.
fn comes_to_be(sources: &mut [Box<dyn LiveSource>], state: Polled) -> bool {
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        let states = sources.iter_mut().map(|source| source.poll(Duration::from_millis(20), &mut |_| {}).unwrap());
        // Each is asked, whatever the others say.
        if states.collect::<Vec<_>>().iter().all(|now| *now == state) {
            return true;
        }
    }
    false
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_nanos(since.as_nanos() as u64)
}
