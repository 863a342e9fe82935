//! However TCP cuts and orders a handshake, the record is the same.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod conversation;

use std::path::Path;

use handprint::capture::{LinkType, Source};
use serde_json::Value;

use conversation::Who::{Client as C, Server as S};
use conversation::{Who, comparable, records, tcp_frame};

/// A segment of a real connection: its headers, and the payload apart.
#[derive(Clone)]
struct Segment {
    header: Vec<u8>,
    payload: Vec<u8>,
}

impl Segment {
    /// The segment's frame with other payload, `ahead` bytes further in the stream.
    fn frame(&self, ahead: usize, payload: &[u8]) -> Vec<u8> {
        let mut frame = self.header.clone();
        let sequence = u32::from_be_bytes(frame[38..42].try_into().unwrap()).wrapping_add(ahead as u32);
        frame[38..42].copy_from_slice(&sequence.to_be_bytes());
        let length = (frame.len() - 14 + payload.len()) as u16;
        frame[16..18].copy_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(payload);
        frame
    }

    fn whole(&self) -> Vec<u8> {
        self.frame(0, &self.payload)
    }
}

fn segments(name: &str) -> Vec<Segment> {
    let mut source = Source::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(name)).unwrap();
    let mut segments = Vec::new();
    while let Some(frame) = source.next_frame().unwrap() {
        assert_eq!((frame.link_type, &frame.bytes[12..14]), (LinkType::ETHERNET, &[8, 0][..]));
        let header = 34 + usize::from(frame.bytes[46] >> 4) * 4;
        let end = 14 + usize::from(u16::from_be_bytes([frame.bytes[16], frame.bytes[17]]));
        segments.push(Segment { header: frame.bytes[..header].to_vec(), payload: frame.bytes[header..end].to_vec() });
    }
    segments
}

/// The one record of these frames, without what tells how the hello was cut.
fn record(frames: &[Vec<u8>]) -> Value {
    let mut records = records(frames);
    assert_eq!(records.len(), 1, "one connection, one record");
    comparable(records.remove(0))
}

const FLOWS: [&str; 3] = [
    "tls/versions/tls12-negotiated.pcap",
    "tls/suites/tls13-x25519mlkem768.pcap",
    "tls/versions/ssl2-hello-to-tls12.pcap",
];

#[test]
fn every_size_of_segment_gives_the_same_record() {
    for name in FLOWS {
        let segments = segments(name);
        let whole = record(&segments.iter().map(Segment::whole).collect::<Vec<_>>());
        assert_eq!(whole["outcome"]["status"], "established", "{name}");
        for size in [1, 2, 3, 4, 5, 6, 7, 9, 43, 64, 100, 511, 1_000] {
            let mut frames = Vec::new();
            for segment in &segments {
                if segment.payload.is_empty() {
                    frames.push(segment.whole());
                }
                for (number, piece) in segment.payload.chunks(size).enumerate() {
                    frames.push(segment.frame(number * size, piece));
                }
            }
            assert_eq!(record(&frames), whole, "{name} in segments of {size}");
        }
    }
}

#[test]
fn every_cut_of_the_hello_in_two_in_either_order_gives_the_same_record() {
    for name in FLOWS {
        let segments = segments(name);
        let whole = record(&segments.iter().map(Segment::whole).collect::<Vec<_>>());
        let hello = segments.iter().position(|segment| !segment.payload.is_empty()).unwrap();
        for cut in 1..segments[hello].payload.len().min(700) {
            for reversed in [false, true] {
                let (first, second) = segments[hello].payload.split_at(cut);
                let mut pair = [segments[hello].frame(0, first), segments[hello].frame(cut, second)];
                if reversed {
                    pair.reverse();
                }
                let mut frames: Vec<_> = segments[..hello].iter().map(Segment::whole).collect();
                frames.extend(pair);
                frames.extend(segments[hello + 1..].iter().map(Segment::whole));
                assert_eq!(record(&frames), whole, "{name} cut at {cut}, reversed {reversed}");
            }
        }
    }
}

#[test]
fn every_order_of_four_pieces_with_repetitions_gives_the_same_record() {
    let segments = segments(FLOWS[1]);
    let whole = record(&segments.iter().map(Segment::whole).collect::<Vec<_>>());
    let hello = segments.iter().position(|segment| !segment.payload.is_empty()).unwrap();
    let size = segments[hello].payload.len().div_ceil(4);
    let pieces: Vec<_> = segments[hello]
        .payload
        .chunks(size)
        .enumerate()
        .map(|(number, piece)| segments[hello].frame(number * size, piece))
        .collect();
    for code in 0..256_usize {
        // Any four with repetition, then all of them: whatever was missing comes at last.
        let mut frames: Vec<_> = segments[..hello].iter().map(Segment::whole).collect();
        for place in [0, 2, 4, 6] {
            frames.push(pieces[code >> place & 3].clone());
        }
        frames.extend(pieces.iter().cloned());
        frames.extend(segments[hello + 1..].iter().map(Segment::whole));
        assert_eq!(record(&frames), whole, "order {code:#x}");
    }
}

#[test]
fn a_sequence_number_that_wraps_changes_nothing() {
    for name in FLOWS {
        let segments = segments(name);
        let whole = record(&segments.iter().map(Segment::whole).collect::<Vec<_>>());
        let first = |from_client: bool| {
            let client = &segments[0].header[26..30];
            let start = segments.iter().find(|segment| (segment.header[26..30] == *client) == from_client).unwrap();
            u32::from_be_bytes(start.header[38..42].try_into().unwrap())
        };
        let client = segments[0].header[26..30].to_vec();
        for before_wrap in [0, 1, 2, 5, 6, 100, 600] {
            let frames: Vec<_> = segments
                .iter()
                .map(|segment| {
                    let mut moved = segment.clone();
                    let from_client = segment.header[26..30] == client;
                    for (at, start) in [(38, first(from_client)), (42, first(!from_client))] {
                        let number = u32::from_be_bytes(moved.header[at..at + 4].try_into().unwrap());
                        let number = number.wrapping_sub(start).wrapping_sub(before_wrap);
                        moved.header[at..at + 4].copy_from_slice(&number.to_be_bytes());
                    }
                    moved.whole()
                })
                .collect();
            assert_eq!(record(&frames), whole, "{name}, {before_wrap} before the wrap");
        }
    }
}

#[test]
fn padding_behind_a_bare_acknowledgment_changes_nothing() {
    for name in FLOWS {
        let segments = segments(name);
        let whole = record(&segments.iter().map(Segment::whole).collect::<Vec<_>>());
        let hello = segments.iter().position(|segment| !segment.payload.is_empty()).unwrap();
        let client = segments[hello].header[26..30].to_vec();
        let answer = segments.iter().position(|s| !s.payload.is_empty() && s.header[26..30] != client[..]).unwrap();
        let mut frames = Vec::new();
        for (number, segment) in segments.iter().enumerate() {
            if number == hello || number == answer {
                let mut acknowledgment = segment.clone();
                acknowledgment.header[47] = 0x10;
                frames.push(acknowledgment.frame(0, &[0, 0]));
            }
            frames.push(segment.whole());
        }
        assert_eq!(record(&frames), whole, "{name}");
    }
}

/// How what one side says at a time is put into segments.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Whole,
    /// Segments of this many bytes.
    Size(usize),
    /// The same, the last one first.
    Reversed(usize),
    /// The same, each sent twice.
    Twice(usize),
}

/// A connection that is opened and says `talk`, as Ethernet frames.
fn conversation(talk: &[(Who, Vec<u8>)], cut: Cut) -> Vec<Vec<u8>> {
    let mut next = [0xffff_fff0_u32, 0x0100_0000];
    let mut frames = vec![tcp_frame(C, next[0], 0, 0x02, &[])];
    next[0] = next[0].wrapping_add(1);
    frames.push(tcp_frame(S, next[1], next[0], 0x12, &[]));
    next[1] = next[1].wrapping_add(1);
    for (who, bytes) in talk {
        let size = match cut {
            Cut::Whole => bytes.len(),
            Cut::Size(size) | Cut::Reversed(size) | Cut::Twice(size) => size,
        };
        let (me, mut turn) = (usize::from(*who == S), Vec::new());
        for chunk in bytes.chunks(size) {
            let frame = tcp_frame(*who, next[me], next[1 - me], 0x18, chunk);
            if let Cut::Twice(_) = cut {
                turn.push(frame.clone());
            }
            turn.push(frame);
            next[me] = next[me].wrapping_add(chunk.len() as u32);
        }
        if let Cut::Reversed(_) = cut {
            turn.reverse();
        }
        frames.extend(turn);
    }
    frames
}

/// The records of a conversation, which are the same however it is cut, but for what tells how the hello was.
fn records_however_cut(talk: &[(Who, Vec<u8>)]) -> Vec<Value> {
    let read = |cut| records(&conversation(talk, cut)).into_iter().map(comparable).collect::<Vec<_>>();
    let whole = read(Cut::Whole);
    for size in [1, 2, 3, 4, 5, 6, 7, 11, 20, 64, 200] {
        for cut in [Cut::Size(size), Cut::Twice(size), Cut::Reversed(size.max(64))] {
            assert_eq!(read(cut), whole, "{cut:?}");
        }
    }
    whole
}

/// The records of the first bytes of a client that says `bytes`, and nothing else.
fn records_of_client(bytes: &[u8]) -> Vec<Value> {
    records_however_cut(&[(C, bytes.to_vec())])
}

fn finding<'a>(record: &'a Value, id: &str) -> Option<&'a Value> {
    record["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["id"] == id)
        .map(|finding| &finding["evidence"])
}

fn tls_record(content_type: u8, body: &[u8]) -> Vec<u8> {
    [&[content_type, 3, 3][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

/// A real ClientHello in its record.
fn hello() -> Vec<u8> {
    let segments = segments(FLOWS[0]);
    segments.into_iter().find(|segment| !segment.payload.is_empty()).unwrap().payload
}

/// A ServerHello of TLS 1.2.
fn server_hello() -> Vec<u8> {
    tls_record(22, &[&[2, 0, 0, 38, 3, 3][..], &[7; 32], &[0, 0xc0, 0x2f, 0]].concat())
}

#[test]
fn records_behind_bytes_that_are_none_are_found_however_cut() {
    let garbage = [0xff, 22, 3, 0, 23, 3, 3, 0x42, 0, 20, 3, 3, 0xff].repeat(3);
    let answer = [server_hello(), garbage, tls_record(21, &[2, 48]), tls_record(20, &[1])].concat();
    let records = records_however_cut(&[(C, hello()), (S, answer)]);
    assert_eq!(
        records[0]["alerts"],
        serde_json::json!([{"from": "server", "level": "fatal", "description": "unknown_ca"}])
    );
    assert_eq!(records[0]["resumed"], true);
}

#[test]
fn a_message_that_is_not_followed_is_reported_whole_or_not() {
    let unknown = [server_hello(), tls_record(22, &[&[99, 0, 0, 30][..], &[1; 30]].concat())].concat();
    let records = records_however_cut(&[(C, hello()), (S, unknown)]);
    assert_eq!(finding(&records[0], "ANOM005").unwrap()["length"], 34);
    let oversize = [server_hello(), tls_record(22, &[&[11, 0xff, 0, 0][..], &[1; 30]].concat())].concat();
    let records = records_however_cut(&[(C, hello()), (S, oversize)]);
    assert_eq!(finding(&records[0], "ANOM005").unwrap()["length"], 0x00ff_0004);
}

#[test]
fn the_records_of_a_hello_behind_another_message_are_counted() {
    let message = &hello()[5..];
    let (start, end) = message.split_at(100);
    let request = [0, 0, 0, 0];
    let stream = [tls_record(22, &[&request, start].concat()), tls_record(22, end)].concat();
    let records = records_however_cut(&[(S, server_hello()), (C, stream)]);
    assert_eq!(records[0]["hello_transport"]["records"], 2);
}

#[test]
fn noise_gives_no_record() {
    for noise in [
        &[0xff, 6, 0xff, 0xff, 0x72, 0x4a][..],
        &[0x80, 0x2f, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10, 1, 2, 3],
        &[0x80, 40, 1, 0, 2, 0, 3, 0, 0, 0, 16, 1, 2, 3],
        &[22],
        &[22, 3, 1],
        &[22, 3, 1, 0, 5, 5, 0, 0, 1, 0],
        &[22, 3, 1, 0, 100, 1, 0xff, 0, 96, 3, 3, 1, 2, 3],
        b"\x16ed and no TLS",
    ] {
        assert!(records_of_client(noise).is_empty(), "{noise:x?}");
        let mut longer = noise.to_vec();
        longer.extend([0x5a; 300]);
        assert!(records_of_client(&longer).is_empty(), "{noise:x?} and more");
        assert!(records_however_cut(&[(S, longer)]).is_empty(), "{noise:x?} from the server");
    }
}

#[test]
fn a_greeting_of_mysql_longer_than_127_bytes_is_no_hello_of_ssl2() {
    let mut greeting = vec![10];
    greeting.extend(b"8.0.36-0ubuntu0.22.04.1-with-a-name-that-a-distribution-has-made-long\0");
    greeting.extend([1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0]);
    greeting.extend([0xff, 0x0f, 45, 2, 0, 0xff, 0xdf, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    greeting.extend(b"abcdefghijkl\0caching_sha2_password\0");
    assert!((128..=255).contains(&greeting.len()));
    let greeting = [&[greeting.len() as u8, 0, 0, 0][..], &greeting].concat();
    let request = [&[32, 0, 0, 1, 0x05, 0xae, 0x0f, 0, 0, 0, 0, 1, 45][..], &[0; 23]].concat();
    let records = records_however_cut(&[(S, greeting), (C, request), (C, hello()), (S, server_hello())]);
    assert_eq!((records.len(), &records[0]["starttls"]), (1, &Value::from("mysql")));
}

#[test]
fn a_hello_of_a_version_nobody_has_heard_of_is_one_however_cut() {
    let mut hello = hello();
    hello[9..11].copy_from_slice(&[9, 9]);
    let records = records_of_client(&hello);
    assert_eq!(records[0]["client_hello"]["legacy_version"], "0x0909");
}

#[test]
fn the_first_of_two_hellos_makes_its_sender_the_client() {
    let alert = tls_record(21, &[2, 10]);
    let records = records_however_cut(&[(C, hello()), (S, hello()), (C, alert.clone())]);
    assert_eq!((&records[0]["client"]["port"], &records[0]["alerts"][0]["from"]), (&50_000.into(), &"client".into()));
    let records = records_however_cut(&[(S, hello()), (C, hello()), (C, alert)]);
    assert_eq!((&records[0]["client"]["port"], &records[0]["alerts"][0]["from"]), (&9_999.into(), &"server".into()));
}

#[test]
fn text_injected_behind_starttls_is_counted_and_no_hello() {
    for injected in [&b"250 injected\r\n"[..], "250 f\u{fc}r \u{8ff}\u{10000}\r\n".as_bytes(), b"no end of line"] {
        let answer = [b"220 go\r\n", injected].concat();
        let talk = [
            (S, b"220 mx.example.org ESMTP\r\n".to_vec()),
            (C, b"EHLO a\r\n".to_vec()),
            (S, b"250-mx\r\n250 STARTTLS\r\n".to_vec()),
            (C, b"STARTTLS\r\n".to_vec()),
            (S, answer),
            (C, hello()),
            (S, server_hello()),
        ];
        let records = records_however_cut(&talk);
        let expected = serde_json::json!({"from": "server", "bytes": injected.len()});
        assert_eq!(records[0]["starttls_session"]["injected"], expected);
        assert_eq!(records[0]["cipher_suite"], "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert!(finding(&records[0], "ANOM005").is_none());
    }
}

#[test]
fn an_answer_that_redirects_to_https_is_one_however_cut() {
    let request = b"GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n".to_vec();
    let answer = b"HTTP/1.1 301 Moved\r\nServer: x\r\nLocation: https://www.example.org/x?y\r\n\r\nbody".to_vec();
    let records = records_however_cut(&[(C, request.clone()), (S, answer)]);
    assert_eq!(records[0]["starttls_session"]["location"], "https://www.example.org");
    for answer in [
        &b"HTTP/1.1 200 OK\r\nLocation: https://www.example.org/\r\n\r\n"[..],
        b"HTTP/1.1 301 Moved\r\nLocation: http://www.example.org/\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nServer: x\r\n\r\nLocation: https://www.example.org/\r\n",
    ] {
        assert!(records_however_cut(&[(C, request.clone()), (S, answer.to_vec())]).is_empty());
    }
}

#[test]
fn what_follows_a_finished_handshake_changes_nothing() {
    let data = |from: u8| -> Vec<u8> { (0..8).flat_map(|number| tls_record(23, &[from + number; 40])).collect() };
    let finished = |who| [if who == C { tls_record(22, &[16, 0, 0, 1, 5]) } else { Vec::new() }, tls_record(20, &[1])];
    let finished = |who| [finished(who).concat(), tls_record(22, &[9; 40])].concat();
    let mut after = data(0);
    after.extend(hello());
    let talk = [
        (C, hello()),
        (S, [server_hello(), tls_record(22, &[14, 0, 0, 0])].concat()),
        (C, finished(C)),
        (S, finished(S)),
        (C, [after, tls_record(21, &[2, 48])].concat()),
        (S, data(100)),
    ];
    let records = records_however_cut(&talk);
    assert_eq!((records.len(), &records[0]["outcome"]["status"]), (1, &Value::from("established")));
    assert!(finding(&records[0], "CAP002").is_none());
}

#[test]
fn what_follows_a_session_that_stays_in_clear_is_not_missed() {
    let answer = [&b"R\0\0\0\x08\0\0\0\0"[..], b"S\0\0\0\x1aapplication_name\0psql\0", &[b'Z'; 400]].concat();
    let talk = [
        (C, vec![0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]),
        (S, b"N".to_vec()),
        (C, b"\0\0\0\x14\0\x03\0\0user\0alice\0\0".to_vec()),
        (S, answer),
    ];
    let records = records_however_cut(&talk);
    assert_eq!(records[0]["outcome"]["status"], "cleartext");
    assert!(finding(&records[0], "CAP002").is_none());
}

#[test]
fn the_key_message_of_ssl2_is_read_however_cut() {
    let segments = segments("tls/versions/ssl2-negotiated.pcap");
    let client = segments[0].header[26..30].to_vec();
    let mut talk: Vec<(Who, Vec<u8>)> = Vec::new();
    for segment in segments.iter().filter(|segment| !segment.payload.is_empty()) {
        talk.push((if segment.header[26..30] == client { C } else { S }, segment.payload.clone()));
    }
    let records = records_however_cut(&talk);
    assert_eq!((&records[0]["version"], &records[0]["outcome"]["status"]), (&"SSLv2".into(), &"established".into()));
    let chosen = &records[0]["server_hello"]["sslv2_cipher_spec"];
    assert_eq!(chosen, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5");
}
