//! Workloads made from the captures in `pcaps/`: any number of flows, each a copy of a real one under addresses and
//! times of its own, many of them under way at once.
#![allow(dead_code, reason = "each bench uses a part")]

use std::path::{Path, PathBuf};

use handprint::capture::{Frame, LinkType, Source};
use handprint::time::Timestamp;

/// One frame, owned.
#[derive(Clone)]
pub(crate) struct OwnedFrame {
    pub(crate) timestamp: Timestamp,
    pub(crate) link_type: LinkType,
    pub(crate) bytes: Vec<u8>,
}

impl OwnedFrame {
    pub(crate) fn borrow(&self) -> Frame<'_> {
        Frame {
            timestamp: self.timestamp,
            link_type: self.link_type,
            bytes: &self.bytes,
            original_length: u32::try_from(self.bytes.len()).unwrap_or(u32::MAX),
        }
    }
}

/// A capture's path below `pcaps/`.
pub(crate) fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(name)
}

/// All frames of a capture.
pub(crate) fn frames(path: &Path) -> Vec<OwnedFrame> {
    let mut source = Source::open(path).unwrap_or_else(|error| panic!("{error}"));
    let mut frames = Vec::new();
    while let Some(frame) = source.next_frame().unwrap_or_else(|error| panic!("{error}")) {
        frames.push(OwnedFrame { timestamp: frame.timestamp, link_type: frame.link_type, bytes: frame.bytes.to_vec() });
    }
    frames
}

/// The flows that are multiplied: current and old clients and servers, full and resumed, with certificates, with
/// post-quantum hellos of two segments, one refused.
pub(crate) const FLOWS: [&str; 12] = [
    "tls/versions/tls13-negotiated.pcap",
    "tls/versions/tls12-negotiated.pcap",
    "tls/versions/tls10-negotiated.pcap",
    "tls/suites/tls13-x25519mlkem768.pcap",
    "tls/suites/tls13-aes128-gcm.pcap",
    "tls/certificates/rsa-2048.pcap",
    "tls/certificates/ec-p256.pcap",
    "tls/certificates/expired.pcap",
    "tls/clients/chromium-1.pcap",
    "tls/clients/go-tls.pcap",
    "tls/flow/alpn-h2.pcap",
    "tls/alerts/protocol-version.pcap",
];

/// Makes copies of flows: frame by frame, `concurrent` of them interleaved, in order of time.
pub(crate) struct Multiplier {
    flows: Vec<Vec<OwnedFrame>>,
    concurrent: usize,
}

impl Multiplier {
    /// Copies of [`FLOWS`]; captures that do not exist are left out, so that the list may grow ahead of them.
    pub(crate) fn new(concurrent: usize) -> Self {
        let flows: Vec<_> = FLOWS
            .iter()
            .map(|name| capture(name))
            .filter(|path| path.exists())
            .map(|path| frames(&path))
            .filter(|frames| frames.iter().all(|frame| ethernet_ipv4(&frame.bytes)))
            .collect();
        assert!(flows.len() >= 6, "too few of the captures to multiply exist");
        Self { flows, concurrent: concurrent.max(1) }
    }

    /// Copies of one capture's flow alone.
    pub(crate) fn of(name: &str, concurrent: usize) -> Self {
        Self { flows: vec![frames(&capture(name))], concurrent: concurrent.max(1) }
    }

    /// Copies of these frames.
    pub(crate) fn of_frames(frames: Vec<OwnedFrame>, concurrent: usize) -> Self {
        Self { flows: vec![frames], concurrent: concurrent.max(1) }
    }

    /// Frames of `count` flows, handed to `take` in order. Returns how many frames there were.
    pub(crate) fn run(&self, count: usize, mut take: impl FnMut(&OwnedFrame)) -> u64 {
        let start = 1_795_255_200_000_000_000_u64;
        let mut time = start;
        let mut total = 0;
        let mut open: Vec<(usize, usize)> = Vec::new(); // (flow number, next frame)
        let mut next = 0;
        let mut scratch = OwnedFrame { timestamp: Timestamp::ZERO, link_type: LinkType::ETHERNET, bytes: Vec::new() };
        while next < count || !open.is_empty() {
            while open.len() < self.concurrent && next < count {
                open.push((next, 0));
                next += 1;
            }
            open.retain_mut(|(flow, position)| {
                let template = &self.flows[*flow % self.flows.len()];
                let frame = &template[*position];
                scratch.bytes.clear();
                scratch.bytes.extend_from_slice(&frame.bytes);
                scratch.link_type = frame.link_type;
                time += 1_000;
                scratch.timestamp = Timestamp::from_nanos(time);
                readdress(&mut scratch.bytes, &template[0].bytes, *flow);
                take(&scratch);
                total += 1;
                *position += 1;
                *position < template.len()
            });
        }
        total
    }
}

/// Whether a frame is plain Ethernet with IPv4 in it.
fn ethernet_ipv4(bytes: &[u8]) -> bool {
    bytes.len() >= 38 && bytes[12..14] == [8, 0] && bytes[14] == 0x45
}

/// Gives the client (the sender of the template's first frame) the address 10.x.y.z of copy `number`.
fn readdress(bytes: &mut [u8], first: &[u8], number: usize) {
    if !ethernet_ipv4(bytes) || !ethernet_ipv4(first) {
        return;
    }
    let client = &first[26..30];
    let offset = if &bytes[26..30] == client { 26 } else { 30 };
    let [_, a, b, c] = u32::try_from(number & 0x00ff_ffff).unwrap_or(0).to_be_bytes();
    bytes[offset..offset + 4].copy_from_slice(&[10, a, b, c]);
}

/// An Ethernet, IPv4, TCP frame.
pub(crate) fn tcp_frame(flow: u32, from_client: bool, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let client = [10, (flow >> 16) as u8, (flow >> 8) as u8, flow as u8];
    let server = [192, 0, 2, 20];
    let (source, destination) = if from_client { (client, server) } else { (server, client) };
    let (sport, dport): (u16, u16) = if from_client { (50_000, 443) } else { (443, 50_000) };
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    bytes.extend_from_slice(&[0x45, 0]);
    bytes.extend_from_slice(&u16::try_from(40 + payload.len()).unwrap_or(0).to_be_bytes());
    bytes.extend_from_slice(&[0, 0, 0x40, 0, 64, 6, 0, 0]);
    bytes.extend_from_slice(&source);
    bytes.extend_from_slice(&destination);
    bytes.extend_from_slice(&sport.to_be_bytes());
    bytes.extend_from_slice(&dport.to_be_bytes());
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&[0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(payload);
    bytes
}

/// Bytes that look like nothing in particular, the same every time.
pub(crate) fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as u8
    })
    .take(length)
    .collect()
}

/// Bulk traffic: segments of 1,400 bytes of many connections, a part of them inside TLS records.
pub(crate) fn bulk(total_bytes: u64, mut take: impl FnMut(&OwnedFrame)) -> u64 {
    let payload = noise(1_400, 7);
    let mut time = 1_795_255_200_000_000_000_u64;
    let mut sent = 0;
    let mut number = 0_u32;
    while sent < total_bytes {
        let mut bytes = tcp_frame(number % 4_096, number.is_multiple_of(7), number.wrapping_mul(1_400), 0x10, &payload);
        if number.is_multiple_of(5) {
            bytes[54..59].copy_from_slice(&[23, 3, 3, 0x40, 0]);
        }
        time += 1_000;
        take(&OwnedFrame { timestamp: Timestamp::from_nanos(time), link_type: LinkType::ETHERNET, bytes });
        sent += 1_454 + 16;
        number += 1;
    }
    u64::from(number)
}

/// A ClientHello message for TLS 1.2 with these suites and extensions, whatever they are.
pub(crate) fn client_hello(suites: &[u16], extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&[0x5a; 32]);
    body.push(0);
    push_vector16(&mut body, &suites.iter().flat_map(|suite| suite.to_be_bytes()).collect::<Vec<_>>());
    body.extend_from_slice(&[1, 0]);
    let mut block = Vec::new();
    for (kind, data) in extensions {
        block.extend_from_slice(&kind.to_be_bytes());
        push_vector16(&mut block, data);
    }
    push_vector16(&mut body, &block);
    message(1, &body)
}

/// A Certificate message with these certificates.
pub(crate) fn certificate_message(certificates: &[&[u8]]) -> Vec<u8> {
    let mut list = Vec::new();
    for der in certificates {
        list.extend_from_slice(&u32::try_from(der.len()).unwrap_or(0).to_be_bytes()[1..]);
        list.extend_from_slice(der);
    }
    let mut body = u32::try_from(list.len()).unwrap_or(0).to_be_bytes()[1..].to_vec();
    body.extend_from_slice(&list);
    message(11, &body)
}

/// A handshake message.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend_from_slice(&u32::try_from(body.len()).unwrap_or(0).to_be_bytes()[1..]);
    message.extend_from_slice(body);
    message
}

/// A message in TLS records of at most `size` bytes each.
pub(crate) fn records(message: &[u8], size: usize) -> Vec<u8> {
    let mut records = Vec::new();
    for part in message.chunks(size) {
        records.extend_from_slice(&[22, 3, 1]);
        push_vector16(&mut records, part);
    }
    records
}

fn push_vector16(bytes: &mut Vec<u8>, content: &[u8]) {
    bytes.extend_from_slice(&u16::try_from(content.len()).unwrap_or(0).to_be_bytes());
    bytes.extend_from_slice(content);
}

/// The first handshake message of type `kind` of a capture of one flow, from whichever side.
pub(crate) fn first_message(name: &str, kind: u8) -> Vec<u8> {
    let mut messages = [true, false].into_iter().flat_map(|from_client| handshake_messages(name, from_client));
    messages.find(|message| message[0] == kind).unwrap_or_else(|| panic!("{name} has no message of type {kind}"))
}

/// The handshake messages one side of a capture's flow sent in clear. The client sent the first frame.
pub(crate) fn handshake_messages(name: &str, from_client: bool) -> Vec<Vec<u8>> {
    let frames = frames(&capture(name));
    let client = frames[0].bytes[26..30].to_vec();
    let port = frames[0].bytes[34..36].to_vec();
    let mut stream = Vec::new();
    for frame in &frames {
        let is_client = frame.bytes[26..30] == client && frame.bytes[34..36] == port;
        if is_client == from_client {
            stream.extend_from_slice(tcp_payload(&frame.bytes));
        }
    }
    let mut handshake = Vec::new();
    let mut rest = &stream[..];
    while let [22, _, _, high, low, body @ ..] = rest {
        let (body, after) = body.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(body.len()));
        handshake.extend_from_slice(body);
        rest = after;
    }
    let mut messages = Vec::new();
    let mut rest = &handshake[..];
    while let [_, a, b, c, ..] = rest {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize + 4;
        if length > rest.len() {
            break;
        }
        messages.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    messages
}

/// Where `pattern` begins in `bytes`.
pub(crate) fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

/// The TCP payload of an Ethernet and IPv4 frame.
pub(crate) fn tcp_payload(bytes: &[u8]) -> &[u8] {
    let ip = usize::from(bytes[14] & 15) * 4;
    let end = 14 + usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    let header = 14 + ip + usize::from(bytes[14 + ip + 12] >> 4) * 4;
    &bytes[header..end]
}
