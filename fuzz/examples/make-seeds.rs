//! Makes the seeds under `fuzz/seeds` from the captures under `pcaps`:
//!
//! ```text
//! cargo run --manifest-path fuzz/Cargo.toml --example make-seeds
//! ```
//!
//! Every seed is a piece of a real capture in the form its target reads. A kind of piece is kept once: what differs
//! from an earlier one only in its random values adds nothing. The same captures give the same seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use handprint::capture::{Source, inputs};
use handprint::fingerprint::{HelloLists, Ja4, Protocol};
use handprint::packet::{Decoder, FragmentLimits, Transport};
use handprint::stats::Drops;
use handprint::tls::{CertificateList, ClientHello, HandshakeHeader, RecordHeader};
use handprint_fuzz::frame::LINK_TYPES;
use handprint_fuzz::program::{Assembler, Channel};
use handprint_fuzz::tunnels::LAYERS;
use sha2::{Digest, Sha256};

/// Bytes of seeds a target gets.
const BUDGET: usize = 48 << 10;

/// The longest seed.
const LONGEST: usize = 8 << 10;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("fuzz lies in the repository");
    let mut seeds = Seeds::default();
    let mut captures: Vec<PathBuf> =
        inputs(&[root.join("pcaps")]).into_iter().map(|input| input.expect("a capture").path).collect();
    // The small ones first: they say the same in fewer bytes.
    captures.sort_by_key(|path| (fs::metadata(path).map(|metadata| metadata.len()).unwrap_or(u64::MAX), path.clone()));
    for path in &captures {
        seeds.capture(path);
    }
    seeds.layers();
    seeds.write(&root.join("fuzz/seeds"));
}

#[derive(Default)]
struct Seeds {
    targets: BTreeMap<&'static str, Vec<Vec<u8>>>,
    known: BTreeSet<(&'static str, String)>,
}

#[derive(Default)]
struct Stream {
    first: u32,
    bytes: Vec<u8>,
}

/// One packet of a conversation: from the client or not, its place in the stream, flags, payload.
struct Sent {
    backwards: bool,
    sequence: u32,
    flags: u8,
    payload: Vec<u8>,
    udp: bool,
}

impl Seeds {
    /// Keeps a seed, unless its target has one of the same kind or enough.
    fn add(&mut self, target: &'static str, kind: String, seed: Vec<u8>) {
        if seed.len() > LONGEST || self.known.contains(&(target, kind.clone())) {
            return;
        }
        let held = self.targets.entry(target).or_default();
        if held.iter().map(Vec::len).sum::<usize>() + seed.len() <= BUDGET {
            held.push(seed);
            self.known.insert((target, kind));
        }
    }

    fn capture(&mut self, path: &Path) {
        let file = fs::read(path).expect("a capture");
        let kind = format!("{:02x?}", file.get(..4).unwrap_or_default());
        let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        self.add("pcap", format!("{kind} {folder:?}"), [&[0][..], &file].concat());

        let Ok(mut source) = Source::open(path) else { return };
        let mut decoder = Decoder::new(FragmentLimits::default());
        let mut drops = Drops::default();
        // By addresses: the first to send is taken for the client.
        let mut flows: Vec<((std::net::SocketAddr, std::net::SocketAddr), Vec<Sent>)> = Vec::new();
        while let Ok(Some(frame)) = source.next_frame() {
            if frame.bytes.len() > 2000 {
                continue;
            }
            let bytes = frame.bytes.to_vec();
            let link_type = frame.link_type.0;
            let Ok(packet) = decoder.decode(&frame, &mut drops) else {
                self.frame(link_type, "undecoded", &bytes);
                continue;
            };
            let layers: Vec<_> = packet.encapsulations.iter().map(|layer| layer.kind.name()).collect();
            let v6 = packet.tuple.source.is_ipv6();
            let tuple = packet.tuple;
            let sent = match packet.transport {
                Transport::Tcp(segment) => Sent {
                    backwards: false,
                    sequence: segment.sequence,
                    flags: segment.flags.0,
                    payload: segment.payload.to_vec(),
                    udp: false,
                },
                Transport::Udp(datagram) => {
                    Sent { backwards: false, sequence: 0, flags: 0, payload: datagram.payload.to_vec(), udp: true }
                }
            };
            self.frame(link_type, &format!("{layers:?} {v6} {}", sent.udp), &bytes);
            let ends = (tuple.source, tuple.destination);
            let known = flows.iter().position(|(known, _)| *known == ends || *known == (ends.1, ends.0));
            let at = known.unwrap_or_else(|| {
                flows.push((ends, Vec::new()));
                flows.len() - 1
            });
            if let Some((known, packets)) = flows.get_mut(at) {
                packets.push(Sent { backwards: *known != ends, ..sent });
            }
        }
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.conversations(&name, &flows.into_iter().map(|(_, packets)| packets).collect::<Vec<_>>());
    }

    fn frame(&mut self, link_type: u16, kind: &str, bytes: &[u8]) {
        let Some(selector) = LINK_TYPES.iter().position(|known| *known == link_type) else { return };
        let length = u16::try_from(bytes.len()).unwrap_or_default().to_le_bytes();
        let seed = [&[selector as u8, 0][..], &length, bytes].concat();
        self.add("frame", format!("{link_type} {kind}"), seed);
    }

    fn conversations(&mut self, name: &str, flows: &[Vec<Sent>]) {
        let mut program = Assembler::new(0);
        let mut shapes = String::new();
        for (number, packets) in flows.iter().take(4).enumerate() {
            let mut streams = [Stream::default(), Stream::default()];
            let mut begun = [false; 2];
            let mut turns: Vec<(bool, Vec<u8>)> = Vec::new();
            let mut datagrams: Vec<(bool, Vec<u8>)> = Vec::new();
            for packet in packets {
                let side = usize::from(packet.backwards);
                let stream = &mut streams[side];
                let channel = Channel {
                    carrier: if packet.udp { 2 } else { 0 },
                    flow: number as u8,
                    backwards: packet.backwards,
                };
                if packet.udp {
                    program.data(channel, stream.bytes.len() as i64, &packet.payload);
                    stream.bytes.extend(&packet.payload);
                    datagrams.push((packet.backwards, packet.payload.clone()));
                    continue;
                }
                let syn = packet.flags & 2 != 0;
                if !begun[side] {
                    begun[side] = true;
                    stream.first = packet.sequence.wrapping_add(u32::from(syn));
                }
                let at = i64::from(packet.sequence.wrapping_sub(stream.first).cast_signed());
                if packet.payload.is_empty() {
                    if packet.flags & 7 != 0 {
                        program.flags(channel, packet.flags);
                    }
                    continue;
                }
                program.data(channel, at, &packet.payload);
                if at == stream.bytes.len() as i64 {
                    stream.bytes.extend(&packet.payload);
                    match turns.last_mut() {
                        Some((backwards, bytes)) if *backwards == packet.backwards => bytes.extend(&packet.payload),
                        _ => turns.push((packet.backwards, packet.payload.clone())),
                    }
                }
            }
            self.recut(name, &turns);
            self.datagrams(name, &datagrams);
            for stream in &streams {
                shapes.push_str(&self.stream(&stream.bytes));
            }
        }
        let program = program.finish();
        // What one capture has and no other: the kinds of its messages, in order.
        let kind = if shapes.is_empty() { name.to_owned() } else { shapes };
        self.add("engine", kind, program);
    }

    fn recut(&mut self, name: &str, turns: &[(bool, Vec<u8>)]) {
        let mut seed = vec![40, 7];
        let mut kind = String::new();
        for (backwards, bytes) in turns.iter().take(6) {
            // What follows the handshake only costs time.
            let kept = &bytes[..bytes.len().min(4 << 10)];
            let head = kept.len() as u16 | u16::from(*backwards) << 15;
            seed.extend(head.to_le_bytes());
            seed.extend(kept);
            kind.push_str(&messages(kept).iter().map(|message| message[0].to_string()).collect::<Vec<_>>().join(" "));
        }
        if turns.first().is_some_and(|(_, bytes)| bytes.starts_with(&[22, 3])) {
            self.add("recut", kind, seed);
        } else if !turns.is_empty() {
            self.add("starttls", name.to_owned(), seed);
        }
    }

    fn datagrams(&mut self, name: &str, datagrams: &[(bool, Vec<u8>)]) {
        let mut seed = vec![1, 7];
        for (backwards, bytes) in datagrams.iter().take(8) {
            let kept = &bytes[..bytes.len().min(0x7ff)];
            seed.extend((kept.len() as u16 | u16::from(*backwards) << 15).to_le_bytes());
            seed.extend(kept);
        }
        let Some((_, first)) = datagrams.first() else { return };
        if first.get(1..3).is_some_and(|version| version == [0xfe, 0xff] || version == [0xfe, 0xfd]) {
            self.add("dtls", name.to_owned(), seed);
            // The whole hello, where it is in one piece.
            if let Some([22, _, _, _, _, _, _, _, _, _, _, _, _, 1, body @ ..]) = first.get(..)
                && let Some(body) = body.get(11..)
                && let Ok(hello) = ClientHello::parse_dtls_body(body)
            {
                let kind = format!("{} {}", body.len() / 16, hello.cipher_suites.len());
                self.add("dtls", kind, [&[1, 7][..], body].concat());
            }
        } else if first.first().is_some_and(|first| first & 0x80 != 0) {
            self.add("quic", name.to_owned(), [&[0, 7][..], first].concat());
        }
    }

    /// The messages of one direction. Says what kinds they are.
    fn stream(&mut self, bytes: &[u8]) -> String {
        let mut kinds = String::new();
        for message in messages(bytes) {
            let body = &message[4..];
            kinds.push_str(&format!("{} ", message[0]));
            match message[0] {
                1 => {
                    let Ok(hello) = ClientHello::parse(&message) else { continue };
                    let Ok(lists) = HelloLists::of(&hello) else { continue };
                    let kind = Ja4::from_lists(&lists, Protocol::Tcp).original().to_owned();
                    kinds.push_str(&kind);
                    self.add("client_hello", kind.clone(), message.clone());
                    self.add(
                        "quic",
                        format!("{} {}", kind.get(..10).unwrap_or_default(), message.len() / 256),
                        [&[0, 7][..], &message].concat(),
                    );
                    self.add("oracle", kind, message);
                }
                2 => {
                    let kind = format!("2 {} {:02x?}", message.len(), body.get(..2));
                    kinds.push_str(&kind);
                    self.add("server_hello", kind.clone(), [&[0xc0, 0x2f][..], &message].concat());
                    self.add("oracle", kind, message);
                }
                11 => {
                    let lists = [CertificateList::parse_body(body), CertificateList::parse_tls13_body(body)];
                    for der in lists.iter().flatten().flat_map(CertificateList::iter) {
                        self.add("certificate", format!("{}", der.len()), der.to_vec());
                    }
                    self.add("server_hello", format!("11 {}", message.len() / 64), [&[0, 0][..], &message].concat());
                }
                kind @ (4 | 12 | 13 | 22) => {
                    // Which suite it belongs to is for the fuzzer to find; the usual ones are given.
                    for suite in [0xc02f_u16, 0x009e, 0x0003, 0xc034] {
                        let seed = [&suite.to_be_bytes()[..], &message].concat();
                        self.add("server_hello", format!("{kind} {suite} {}", message.len() / 16), seed);
                    }
                }
                _ => {}
            }
        }
        if bytes.first().is_some_and(|first| first & 0x80 != 0) && bytes.len() > 3 && bytes[2] < 5 {
            let end = (2 + usize::from(bytes[1]) + (usize::from(bytes[0] & 0x7f) << 8)).min(bytes.len());
            let target = if bytes[2] == 1 { "client_hello" } else { "server_hello" };
            let prefix: &[u8] = if bytes[2] == 1 { &[] } else { &[0, 0] };
            self.add(target, format!("sslv2 {end}"), [prefix, &bytes[..end]].concat());
            kinds.push_str(&format!("sslv2 {end}"));
        }
        kinds
    }

    /// Stacks of layers, each kind on the ground and on another, and a datagram in fragments: no captures are needed.
    fn layers(&mut self) {
        for kind in 0..LAYERS {
            for below in [None, Some(0), Some(7)] {
                let layers: Vec<u8> = below.into_iter().chain([kind]).flat_map(|kind| [kind, 0x2a, 0]).collect();
                let count = if below.is_some() { 2 } else { 1 };
                let seed = [&[kind & 1, count], &layers[..], b"payload"].concat();
                self.add("tunnels", format!("{kind} on {below:?}"), seed);
            }
        }
        let datagram: Vec<u8> = [&[0x9c, 0x40, 1, 0xbb, 0, 40, 0, 0][..], &[b'x'; 32]].concat();
        let fragment = |offset: u16, length: u16, more: u8, xor: u8| {
            [offset.to_le_bytes(), length.to_le_bytes(), [more, xor]].concat()
        };
        let (first, second, last) = (fragment(0, 16, 1, 0), fragment(16, 16, 1, 0), fragment(32, 8, 0, 0));
        let orders = [
            ("in order", [&first, &second, &last].map(Clone::clone).concat()),
            ("reversed", [&last, &second, &first].map(Clone::clone).concat()),
            ("overlapping", [fragment(8, 24, 1, 1), first, second, last].concat()),
        ];
        for version in 0..2 {
            for (name, fragments) in &orders {
                let length = (datagram.len() as u16).to_le_bytes();
                let seed = [&[version][..], &length, &datagram, fragments].concat();
                self.add("fragments", format!("{version} {name}"), seed);
            }
        }
    }

    fn write(&self, folder: &Path) {
        let mut total = 0;
        for (target, seeds) in &self.targets {
            let folder = folder.join(target);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).expect("a folder for seeds");
            for seed in seeds {
                let name: String = Sha256::digest(seed).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
                fs::write(folder.join(name), seed).expect("a seed");
                total += seed.len();
            }
            let bytes: usize = seeds.iter().map(Vec::len).sum();
            let _ = writeln!(std::io::stdout(), "{target}: {} seeds, {bytes} bytes", seeds.len());
        }
        let _ = writeln!(std::io::stdout(), "{total} bytes in all");
    }
}

/// The plain handshake messages at the beginning of a stream, until its keys change.
fn messages(stream: &[u8]) -> Vec<Vec<u8>> {
    let (mut plain, mut rest) = (Vec::new(), stream);
    while let Ok(header) = RecordHeader::parse(rest) {
        let end = 5 + usize::from(header.length);
        let Some(body) = rest.get(5..end) else { break };
        if rest[0] != 22 {
            break;
        }
        plain.extend(body);
        rest = &rest[end..];
    }
    let mut found = Vec::new();
    let mut rest = &plain[..];
    while let Ok(header) = HandshakeHeader::parse(rest) {
        let Some(message) = rest.get(..header.message_length()) else { break };
        found.push(message.to_vec());
        rest = &rest[message.len()..];
    }
    found
}
