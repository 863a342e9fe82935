//! QUIC and DTLS through the flow table: packets made here, sealed with the keys they derive.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "tests")]

use std::time::Duration;

use super::*;
use crate::packet::{Datagram, Encapsulations, FiveTuple, IpProtocol};
use crate::quic::{InitialSecret, Version};
use crate::tls::codepoints::AlertDescription;

/// The hellos of RFC 9001 appendix A.
const CLIENT_HELLO: &str = "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c000004130113020\
    10000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500050100\
    000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000\
    e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104\
    800075300901100f088394c8f03e51570806048000ffff";
const SERVER_HELLO: &str = "020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e0033\
    0024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304";

const DESTINATION: &[u8] = &[0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const CLIENT_ID: &[u8] = b"client";
const SERVER_ID: &[u8] = b"the-server";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Two endpoints and what is seen of them.
struct Wire {
    table: FlowTable,
    drops: Drops,
    records: Vec<Facts>,
    now: Timestamp,
    client_port: u16,
}

impl Wire {
    fn new() -> Self {
        Self {
            table: FlowTable::new(Limits::default()),
            drops: Drops::default(),
            records: Vec::new(),
            now: Timestamp::from_seconds(1_000_000),
            client_port: 50_000,
        }
    }

    fn client(&mut self, payload: &[u8]) {
        self.send(payload, 0, true);
    }

    fn server(&mut self, payload: &[u8]) {
        self.send(payload, 0, false);
    }

    fn send(&mut self, payload: &[u8], cut: usize, from_client: bool) {
        let tuple = FiveTuple {
            source: ([192, 0, 2, 1], self.client_port).into(),
            destination: ([192, 0, 2, 9], 443).into(),
            protocol: IpProtocol::Udp,
        };
        let packet = Packet {
            timestamp: self.now,
            tuple: if from_client { tuple } else { tuple.reversed() },
            encapsulations: Encapsulations::default(),
            ttl: 64,
            transport: Transport::Udp(Datagram { payload, cut: cut as u32 }),
        };
        let records = &mut self.records;
        self.table.push(&packet, &mut self.drops, &mut |facts| records.push(facts.clone()));
        self.pass(Duration::from_millis(1));
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        let records = &mut self.records;
        self.table.advance(self.now, &mut self.drops, &mut |facts| records.push(facts.clone()));
    }

    /// The records, at the end of the capture.
    fn end(mut self) -> Vec<Facts> {
        let records = &mut self.records;
        self.table.finish_all(self.now, &mut self.drops, &mut |facts| records.push(facts.clone()));
        assert_eq!(self.table.buffered_bytes(), 0, "every buffer came back");
        assert_eq!(self.table.len(), 0);
        self.records
    }

    fn only(self) -> Facts {
        let mut records = self.end();
        assert_eq!(records.len(), 1);
        records.remove(0)
    }
}

/// How to make one side's Initials.
#[derive(Clone, Copy)]
struct Maker<'a> {
    version: Version,
    original: &'a [u8],
    destination: &'a [u8],
    source: &'a [u8],
    token: &'a [u8],
    server: bool,
}

const CLIENT: Maker<'static> = Maker {
    version: Version::V1,
    original: DESTINATION,
    destination: DESTINATION,
    source: CLIENT_ID,
    token: &[],
    server: false,
};
const SERVER: Maker<'static> = Maker { destination: CLIENT_ID, source: SERVER_ID, server: true, ..CLIENT };

impl Maker<'_> {
    fn initial(&self, number: u32, frames: &[u8]) -> Vec<u8> {
        let secret = InitialSecret::new(self.version, self.original).unwrap();
        let keys = if self.server { secret.server() } else { secret.client() };
        let first = if self.version == Version::V2 { 0xd3 } else { 0xc3 };
        let mut header = vec![first];
        header.extend_from_slice(&self.version.0.to_be_bytes());
        for id in [self.destination, self.source] {
            header.push(id.len() as u8);
            header.extend_from_slice(id);
        }
        header.push(self.token.len() as u8);
        header.extend_from_slice(self.token);
        let length = 0x4000 | (4 + frames.len() as u16 + 16);
        header.extend_from_slice(&length.to_be_bytes());
        header.extend_from_slice(&number.to_be_bytes());
        keys.seal(&header, number, frames).unwrap()
    }

    /// A Handshake packet: only its header can be read.
    fn handshake(&self) -> Vec<u8> {
        let mut packet = vec![if self.version == Version::V2 { 0xf0 } else { 0xe0 }];
        packet.extend_from_slice(&self.version.0.to_be_bytes());
        for id in [self.destination, self.source] {
            packet.push(id.len() as u8);
            packet.extend_from_slice(id);
        }
        packet.extend_from_slice(&[0x40, 40]);
        packet.extend_from_slice(&[0x5a; 40]);
        packet
    }

    fn short(&self) -> Vec<u8> {
        [&[0x41][..], self.destination, &[0x77; 30]].concat()
    }
}

fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![6];
    frame.extend_from_slice(&(0x4000 | offset as u16).to_be_bytes());
    frame.extend_from_slice(&(0x4000 | data.len() as u16).to_be_bytes());
    frame.extend_from_slice(data);
    frame
}

fn padded(mut frames: Vec<u8>) -> Vec<u8> {
    frames.resize(1150, 0);
    frames
}

fn hello() -> Vec<u8> {
    padded(crypto(0, &hex(CLIENT_HELLO)))
}

fn answer() -> Vec<u8> {
    [&[2, 0, 0, 0, 0][..], &crypto(0, &hex(SERVER_HELLO))].concat()
}

#[test]
fn a_connection_is_established_and_gives_one_record() {
    let mut wire = Wire::new();
    let first = CLIENT.initial(0, &hello());
    wire.client(&first);
    wire.server(&[SERVER.initial(0, &answer()), SERVER.handshake()].concat());
    let to_server = Maker { destination: SERVER_ID, ..CLIENT };
    wire.client(&[to_server.initial(1, &padded(vec![2, 0, 0, 0, 0])), to_server.handshake()].concat());
    assert!(wire.records.is_empty());
    wire.client(&to_server.short());
    assert_eq!(wire.records.len(), 1);
    // Late copies and what goes on start nothing.
    wire.client(&first);
    wire.server(&SERVER.short());
    wire.client(&to_server.initial(2, &padded(vec![2, 0, 0, 0, 0])));
    let facts = wire.only();
    assert_eq!(facts.outcome, Outcome::Established);
    assert_eq!(facts.hello.server_name.as_deref(), Some("example.com"));
    assert!(facts.cipher_suite().is_some() && facts.group().is_some() && facts.is_tls13());
    let quic = facts.quic.unwrap();
    assert_eq!((quic.version, quic.negotiated), (Version::V1, Some(Version::V1)));
    assert_eq!((quic.destination_id_length, quic.client_id_length, quic.server_id_length), (8, 6, Some(10)));
    assert_eq!((quic.client_initials, quic.server_initials, quic.undecryptable), (2, 1, 0));
    assert!(quic.transport_parameters_sound && quic.transport_parameters.len() == 8);
    assert_eq!(quic.transport_parameters.iter().find(|seen| seen.id == 1).unwrap().integer, Some(30_000));
}

#[test]
fn crypto_frames_in_every_order_over_packets_give_the_same_hello() {
    let hello = hex(CLIENT_HELLO);
    let mut whole = Wire::new();
    whole.client(&CLIENT.initial(0, &padded(crypto(0, &hello))));
    let whole = whole.only();
    let cuts = [(0, 70), (60, 130), (130, 131), (131, 200), (190, hello.len())];
    for order in 0..120_usize {
        let mut rest: Vec<(usize, usize)> = cuts.to_vec();
        let mut code = order;
        let mut wire = Wire::new();
        let mut number = 0;
        while !rest.is_empty() {
            let (start, end) = rest.remove(code % rest.len());
            code /= rest.len() + 1;
            let frames = [&[0, 0, 1][..], &crypto(start, &hello[start..end]), &[0, 1]].concat();
            wire.client(&CLIENT.initial(number, &padded(frames)));
            number += 1;
        }
        let facts = wire.only();
        assert_eq!(facts.offer, whole.offer, "order {order}");
        assert_eq!(facts.hello.server_name, whole.hello.server_name);
        assert_eq!(facts.hello.packets, 5);
        assert_eq!(facts.coverage.overlap_conflict, None);
        assert_eq!(facts.quic.unwrap().reordered, order != 0);
        assert_eq!(facts.started, Timestamp::from_seconds(1_000_000));
    }
}

#[test]
fn the_first_bytes_win_and_a_conflict_is_noticed() {
    let hello = hex(CLIENT_HELLO);
    let mut wire = Wire::new();
    wire.client(&CLIENT.initial(0, &padded(crypto(100, &hello[100..]))));
    wire.client(&CLIENT.initial(1, &padded(crypto(90, &[hello[90..100].to_vec(), vec![0; 8]].concat()))));
    wire.client(&CLIENT.initial(2, &padded(crypto(0, &hello[..90]))));
    let facts = wire.only();
    assert_eq!(facts.hello.server_name.as_deref(), Some("example.com"));
    assert!(facts.coverage.overlap_conflict.is_some());
}

#[test]
fn a_retry_is_followed_to_the_new_keys() {
    for seen in [true, false] {
        let mut wire = Wire::new();
        wire.client(&CLIENT.initial(0, &hello()));
        let mut retry = vec![0xf0, 0, 0, 0, 1, 6];
        retry.extend_from_slice(CLIENT_ID);
        retry.push(SERVER_ID.len() as u8);
        retry.extend_from_slice(SERVER_ID);
        retry.extend_from_slice(b"token");
        retry.extend_from_slice(&[0x11; 16]);
        if seen {
            wire.server(&retry);
        }
        let again = Maker { original: SERVER_ID, destination: SERVER_ID, token: b"token", ..CLIENT };
        wire.client(&again.initial(1, &hello()));
        wire.server(&Maker { original: SERVER_ID, source: b"new", ..SERVER }.initial(0, &answer()));
        let facts = wire.only();
        assert!(facts.selection.is_some());
        assert_eq!(facts.coverage.overlap_conflict, None);
        let quic = facts.quic.unwrap();
        assert_eq!((quic.retry, quic.token_length, quic.server_id_length), (seen, 5, Some(3)));
    }
}

#[test]
fn version_negotiation_goes_on_in_the_same_record() {
    let mut wire = Wire::new();
    wire.client(&Maker { version: Version::V2, ..CLIENT }.initial(0, &hello()));
    let mut list = vec![0x80, 0, 0, 0, 0, 6];
    list.extend_from_slice(CLIENT_ID);
    list.push(8);
    list.extend_from_slice(DESTINATION);
    list.extend_from_slice(&[0, 0, 0, 1, 0x1a, 0x1a, 0x1a, 0x1a]);
    wire.server(&list);
    let again = Maker { original: b"another-id", destination: b"another-id", source: b"fresh", ..CLIENT };
    wire.client(&again.initial(0, &hello()));
    wire.server(&Maker { original: b"another-id", destination: b"fresh", ..SERVER }.initial(0, &answer()));
    let facts = wire.only();
    assert!(facts.selection.is_some());
    let quic = facts.quic.unwrap();
    assert_eq!((quic.version, quic.refused, quic.negotiated), (Version::V1, Some(Version::V2), Some(Version::V1)));
    assert_eq!(quic.offered_by_server, Some(vec![Version::V1, Version(0x1a1a_1a1a)]));
}

#[test]
fn a_server_may_answer_in_another_version() {
    let mut wire = Wire::new();
    wire.client(&CLIENT.initial(0, &hello()));
    wire.server(&Maker { version: Version::V2, ..SERVER }.initial(0, &answer()));
    let facts = wire.only();
    assert!(facts.selection.is_some());
    let quic = facts.quic.unwrap();
    assert_eq!((quic.version, quic.negotiated), (Version::V1, Some(Version::V2)));
}

#[test]
fn a_servers_initial_that_overtook_the_clients_is_read() {
    let mut wire = Wire::new();
    wire.server(&SERVER.initial(0, &answer()));
    assert_eq!(wire.table.len(), 0);
    wire.client(&CLIENT.initial(0, &hello()));
    let facts = wire.only();
    assert!(facts.selection.is_some() && facts.offer.is_some());
    assert_eq!(facts.client.port(), 50_000);
}

#[test]
fn connections_that_share_their_ports_are_told_apart() {
    let mut wire = Wire::new();
    let other =
        Maker { original: b"other-destination", destination: b"other-destination", source: b"second", ..CLIENT };
    let mut second = hex(CLIENT_HELLO);
    second[10] ^= 0xff;
    wire.client(&CLIENT.initial(0, &hello()));
    wire.client(&other.initial(0, &padded(crypto(0, &second))));
    wire.server(&Maker { destination: b"second", original: b"other-destination", ..SERVER }.initial(0, &answer()));
    wire.server(&SERVER.initial(0, &answer()));
    let records = wire.end();
    assert_eq!(records.len(), 2);
    for facts in &records {
        assert!(facts.selection.is_some());
        assert_eq!(facts.coverage.overlap_conflict, None);
        assert_eq!(facts.coverage.packets, 2);
    }
}

#[test]
fn many_connections_on_one_port_are_bounded_and_none_is_lost() {
    let mut wire = Wire::new();
    for number in 0..20_u8 {
        let (id, source) = ([number; 8], [number; 5]);
        let maker = Maker { original: &id, destination: &id, source: &source, ..CLIENT };
        wire.client(&maker.initial(0, &hello()));
    }
    assert_eq!(wire.records.len(), 12);
    assert_eq!(wire.end().len(), 20);
}

#[test]
fn a_capture_of_one_direction_does_not_wait_for_ever() {
    let mut wire = Wire::new();
    wire.client(&CLIENT.initial(0, &hello()));
    for _ in 0..64 {
        assert!(wire.records.is_empty());
        wire.client(&Maker { destination: SERVER_ID, ..CLIENT }.short());
    }
    assert_eq!(wire.records.len(), 1);
    assert_eq!(wire.only().outcome, Outcome::OneWay { seen: Side::Client });
}

#[test]
fn a_close_with_an_alert_is_a_refusal() {
    let mut wire = Wire::new();
    wire.client(&CLIENT.initial(0, &hello()));
    wire.server(&SERVER.initial(0, &[0x1c, 0x41, 0x78, 6, 0]));
    let facts = wire.only();
    let alert = Some(AlertDescription::NO_APPLICATION_PROTOCOL);
    assert_eq!(facts.outcome, Outcome::Refused { by: Side::Server, alert });
    let mut wire = Wire::new();
    wire.client(&CLIENT.initial(0, &hello()));
    wire.server(&SERVER.initial(0, &[0x1c, 2, 0, 2, b'n', b'o']));
    let facts = wire.only();
    assert_eq!(facts.outcome, Outcome::Refused { by: Side::Server, alert: None });
    assert_eq!(facts.quic.unwrap().close.unwrap().reason, "no");
}

#[test]
fn silence_is_a_hello_repeated_in_vain() {
    let mut wire = Wire::new();
    for number in 0..3 {
        wire.client(&CLIENT.initial(number, &hello()));
        wire.pass(Duration::from_secs(3));
    }
    assert_eq!(wire.only().outcome, Outcome::Silent);
    let mut wire = Wire::new();
    wire.client(&CLIENT.initial(0, &hello()));
    wire.pass(Duration::from_secs(9));
    assert_eq!(wire.only().outcome, Outcome::OneWay { seen: Side::Client });
}

#[test]
fn a_snapped_initial_is_read_as_far_as_it_goes() {
    let packet = CLIENT.initial(0, &hello());
    let hello_end = packet.len() - 1150 - 16 + 5 + hex(CLIENT_HELLO).len();
    for kept in 60..packet.len() {
        let mut wire = Wire::new();
        wire.send(&packet[..kept], packet.len() - kept, true);
        let records = wire.end();
        assert_eq!(records.len(), usize::from(kept >= hello_end), "{kept} bytes");
    }
}

#[test]
fn the_answer_to_a_snapped_initial_is_read() {
    let packet = CLIENT.initial(0, &hello());
    let mut wire = Wire::new();
    wire.send(&packet[..100], packet.len() - 100, true);
    wire.server(&SERVER.initial(0, &answer()));
    let records = wire.end();
    assert!(matches!(&*records, [facts] if facts.offer.is_none() && facts.selection.is_some()), "{records:?}");
}

#[test]
fn a_flood_of_made_up_initials_leaves_nothing_but_a_count() {
    let mut wire = Wire::new();
    let mut random = Random(1);
    let real = CLIENT.initial(0, &hello());
    for index in 0..2000_u16 {
        let mut packet = real.clone();
        for byte in &mut packet[6..14] {
            *byte = random.next() as u8;
        }
        wire.client_port = 1024 + index;
        wire.client(&packet);
    }
    assert_eq!(wire.table.len(), 0);
    assert_eq!(wire.drops.get(DropReason::QuicUndecryptable), 2000);
    assert!(wire.end().is_empty());
}

#[test]
fn sealed_noise_neither_panics_nor_stays() {
    let mut random = Random(7);
    let seeds: [Vec<u8>; 4] = [
        hello(),
        answer(),
        [crypto(30, b"abc"), crypto(0, &hex(CLIENT_HELLO)), vec![0x1c, 0x41, 0x28, 6, 1, 7]].concat(),
        vec![2, 0x44, 0, 5, 9, 1, 1, 1, 1, 6, 0x80, 1, 0, 0, 3, 1, 2, 3],
    ];
    for round in 0..400 {
        let mut wire = Wire::new();
        for number in 0..4 {
            let mut frames = seeds[random.next() as usize % seeds.len()].clone();
            for _ in 0..=random.next() % 6 {
                let index = random.next() as usize % frames.len();
                frames[index] = random.next() as u8;
            }
            frames.truncate(1 + random.next() as usize % frames.len());
            frames.resize(frames.len().max(32), 0);
            let mut packet = CLIENT.initial(number, &frames);
            if round % 5 == 0 {
                let index = random.next() as usize % packet.len();
                packet[index] ^= random.next() as u8;
            }
            if random.next().is_multiple_of(3) {
                wire.server(&SERVER.initial(number, &frames));
            }
            wire.client(&packet);
        }
        wire.end();
    }
}

#[test]
fn every_truncation_of_a_datagram_is_survived() {
    let datagram = [CLIENT.initial(0, &hello()), CLIENT.handshake(), CLIENT.short()].concat();
    for kept in 0..datagram.len() {
        let mut wire = Wire::new();
        wire.client(&datagram[..kept]);
        wire.server(&datagram[..kept]);
        wire.end();
    }
}

#[test]
fn far_offsets_do_not_make_memory_grow() {
    let mut wire = Wire::new();
    for number in 0..200_u32 {
        let offset = 40_000_000 + number * 1000;
        let mut frame = vec![6];
        frame.extend_from_slice(&(0x8000_0000 | offset).to_be_bytes());
        frame.extend_from_slice(&[3, 1, 2, 3]);
        wire.client(&CLIENT.initial(number, &padded(frame)));
    }
    assert!(wire.table.buffered_bytes() < 1 << 17);
    assert_eq!(wire.drops.get(DropReason::BufferFull), 200);
    wire.end();
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

// DTLS.

fn dtls_hello(cookie: &[u8]) -> Vec<u8> {
    let mut body = vec![0xfe, 0xfd];
    body.extend_from_slice(&[0x42; 32]);
    body.push(0);
    body.push(cookie.len() as u8);
    body.extend_from_slice(cookie);
    body.extend_from_slice(&[0, 4, 0xc0, 0x2b, 0x00, 0x2f, 1, 0]);
    body.extend_from_slice(&[0, 8, 0, 10, 0, 4, 0, 2, 0, 23]);
    body
}

fn dtls_server_hello() -> Vec<u8> {
    let mut body = vec![0xfe, 0xfd];
    body.extend_from_slice(&[0x24; 32]);
    body.extend_from_slice(&[0, 0xc0, 0x2b, 0]);
    body
}

fn record(content_type: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![content_type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0];
    record.extend_from_slice(&(body.len() as u16).to_be_bytes());
    record.extend_from_slice(body);
    record
}

fn piece(message_type: u8, sequence: u8, body: &[u8], start: usize, end: usize) -> Vec<u8> {
    let mut fragment = vec![message_type, 0];
    fragment.extend_from_slice(&(body.len() as u16).to_be_bytes());
    fragment.extend_from_slice(&[0, sequence, 0]);
    fragment.extend_from_slice(&(start as u16).to_be_bytes());
    fragment.push(0);
    fragment.extend_from_slice(&((end - start) as u16).to_be_bytes());
    fragment.extend_from_slice(&body[start..end]);
    record(22, 0, &fragment)
}

fn message(message_type: u8, sequence: u8, body: &[u8]) -> Vec<u8> {
    piece(message_type, sequence, body, 0, body.len())
}

#[test]
fn a_cookie_round_is_one_handshake() {
    let mut wire = Wire::new();
    wire.client(&message(1, 0, &dtls_hello(b"")));
    wire.client(&message(1, 0, &dtls_hello(b"")));
    wire.server(&message(3, 0, &[0xfe, 0xff, 2, 1, 2]));
    wire.client(&message(1, 1, &dtls_hello(&[1, 2])));
    wire.server(&[message(2, 1, &dtls_server_hello()), message(14, 2, &[])].concat());
    wire.client(&[message(16, 2, &[1; 40]), record(20, 0, &[1]), record(22, 1, &[9; 40])].concat());
    assert!(wire.records.is_empty());
    wire.server(&[record(20, 0, &[1]), record(22, 1, &[9; 40])].concat());
    wire.client(&message(1, 0, &dtls_hello(b"")));
    wire.client(&record(23, 1, &[9; 40]));
    let facts = wire.only();
    assert_eq!((facts.outcome, facts.hello_verify, facts.resumed), (Outcome::Established, true, Some(false)));
    assert_eq!(facts.offer.unwrap().cipher_suites.len(), 2);
}

#[test]
fn an_abbreviated_handshake_is_a_resumption() {
    let mut wire = Wire::new();
    wire.client(&message(1, 0, &dtls_hello(b"")));
    wire.server(&[message(2, 0, &dtls_server_hello()), record(20, 0, &[1]), record(22, 1, &[9; 40])].concat());
    wire.client(&[record(20, 0, &[1]), record(22, 1, &[9; 40])].concat());
    let facts = wire.only();
    assert_eq!((facts.outcome, facts.resumed), (Outcome::Established, Some(true)));
    assert_eq!(facts.progress.early_ccs, None);
}

#[test]
fn fragments_in_every_order_give_the_same_hello() {
    let body = dtls_hello(b"a-cookie");
    let cuts = [(0, 10), (8, 30), (30, 31), (31, body.len())];
    for order in 0..24_usize {
        let (mut rest, mut code, mut wire) = (cuts.to_vec(), order, Wire::new());
        while !rest.is_empty() {
            let (start, end) = rest.remove(code % rest.len());
            code /= rest.len() + 1;
            wire.client(&piece(1, 0, &body, start, end));
        }
        let facts = wire.only();
        assert_eq!(facts.offer.unwrap().cipher_suites.len(), 2, "order {order}");
        assert_eq!((facts.hello.records, facts.hello.packets), (4, 4));
        assert_eq!(facts.coverage.overlap_conflict, None);
    }
}

#[test]
fn a_lost_fragment_loses_its_message_alone() {
    let mut wire = Wire::new();
    wire.client(&message(1, 0, &dtls_hello(b"")));
    let certificate = [&[0, 0, 5, 0, 0, 2][..], &[0x30, 0]].concat();
    wire.server(&message(14, 2, &[]));
    wire.server(&piece(11, 1, &certificate, 0, 4));
    wire.server(&message(2, 0, &dtls_server_hello()));
    let facts = wire.only();
    assert!(facts.selection.is_some() && facts.certificates.is_none());
    assert!(facts.progress.server_hello_done);
    assert_eq!(facts.coverage.missing_bytes, 4);
}

#[test]
fn another_hello_is_another_handshake() {
    let mut wire = Wire::new();
    let mut other = dtls_hello(b"");
    other[20] ^= 1;
    wire.client(&message(1, 0, &dtls_hello(b"")));
    wire.client(&message(1, 0, &other));
    wire.server(&record(21, 0, &[2, 40]));
    let records = wire.end();
    let outcomes: Vec<_> = records.iter().map(|facts| facts.outcome).collect();
    let refused = Outcome::Refused { by: Side::Server, alert: Some(AlertDescription::HANDSHAKE_FAILURE) };
    assert_eq!(outcomes, [Outcome::OneWay { seen: Side::Client }, refused]);
}

#[test]
fn turn_channels_and_indications_are_looked_into() {
    let hello = message(1, 0, &dtls_hello(b""));
    let channel = [&[0x40, 1][..], &(hello.len() as u16).to_be_bytes(), &hello, &[0, 0]].concat();
    let data = message(2, 0, &dtls_server_hello());
    let mut indication = vec![0, 0x17, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    indication.extend_from_slice(&[7; 12]);
    indication.extend_from_slice(&[0, 0x12, 0, 8, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0x13]);
    indication.extend_from_slice(&(data.len() as u16).to_be_bytes());
    indication.extend_from_slice(&data);
    let mut wire = Wire::new();
    wire.client(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    wire.client(&channel);
    wire.server(&indication);
    let facts = wire.only();
    assert!(facts.offer.is_some() && facts.selection.is_some());
}

#[test]
fn dtls_noise_neither_panics_nor_stays() {
    let mut random = Random(3);
    let body = dtls_hello(b"x");
    let seeds = [
        message(1, 0, &body),
        piece(1, 0, &body, 10, 40),
        [message(2, 0, &dtls_server_hello()), piece(11, 1, &[7; 90], 50, 80), record(20, 0, &[1])].concat(),
        [&[0x2d, 0, 1, 0, 9][..], &[5; 9], &record(22, 1, &[1; 30])].concat(),
    ];
    for _ in 0..1500 {
        let mut wire = Wire::new();
        for _ in 0..5 {
            let mut datagram = seeds[random.next() as usize % seeds.len()].clone();
            for _ in 0..random.next() % 4 {
                let index = random.next() as usize % datagram.len();
                datagram[index] = random.next() as u8;
            }
            datagram.truncate(1 + random.next() as usize % (2 * datagram.len()));
            wire.send(&datagram, 0, random.next().is_multiple_of(2));
        }
        wire.end();
    }
}
