//! DTLS: datagrams of records for an engine; then, where the bytes are the body of a ClientHello, that hello in
//! fragments of any cut and order.
//!
//! ```text
//! input = version:u8 seed:u8 rest              rest = (side-and-length:u16 datagram)* | body
//! ```

use handprint::dtls::{Fragment, HelloVerifyRequest, Record, first_record, is_version};
use handprint::fingerprint::{HelloLists, Ja4, Protocol};
use handprint::tls::ClientHello;

use crate::program::{Assembler, Channel, Program};
use crate::records::{config, read};
use crate::recut::Random;

const CLIENT: Channel = Channel { carrier: 2, flow: 1, backwards: false };

const VERSIONS: [[u8; 2]; 3] = [[0xfe, 0xff], [0xfe, 0xfd], [1, 0]];

/// Checks what reading DTLS promises.
pub fn check(data: &[u8]) {
    let Some((&[version, seed], rest)) = data.split_first_chunk::<2>() else { return };
    check_datagram(rest);
    check_conversation(rest);
    check_hello(VERSIONS[usize::from(version) % VERSIONS.len()], seed, rest);
}

fn check_datagram(datagram: &[u8]) {
    let mut rest = datagram;
    while !rest.is_empty() {
        let Ok((record, after)) = first_record(rest, 0, None) else { break };
        assert!(after.len() < rest.len(), "a record of no bytes");
        if let Record::Plain(record) = record {
            assert_eq!(record.cut, 0);
            check_fragments(record.body);
        }
        rest = after;
    }
    check_fragments(datagram);
    let _ = HelloVerifyRequest::parse_body(datagram);
}

fn check_fragments(mut body: &[u8]) {
    while let Ok((fragment, after)) = Fragment::first(body, 0) {
        assert!(after.len() < body.len(), "a fragment of no bytes");
        assert!(fragment.offset + fragment.data.len() <= fragment.length, "a fragment past its message");
        body = after;
    }
}

fn check_conversation(mut rest: &[u8]) {
    let mut program = Assembler::new(0);
    while let Some((head, after)) = rest.split_first_chunk::<2>() {
        let head = u16::from_le_bytes(*head);
        let (datagram, after) = after.split_at(usize::from(head & 0x07ff).min(after.len()));
        program.data(Channel { backwards: head & 0x8000 != 0, ..CLIENT }, 0, datagram);
        rest = after;
    }
    let program = Program::run(&program.finish());
    let first = read(&program.frames, config(0));
    assert_eq!(first.json, read(&program.frames, config(0)).json, "the same packets, other records");
}

fn check_hello(version: [u8; 2], seed: u8, body: &[u8]) {
    let Ok(hello) = ClientHello::parse_dtls_body(body) else { return };
    // A flow begins with a hello that names a version of DTLS.
    if body.len() > 8 << 10 || !is_version(hello.legacy_version.0.to_be_bytes()) {
        return;
    }
    // A hello of which any extension contradicts itself has none.
    let sound = hello.check_extensions().and_then(|()| HelloLists::of(&hello));
    let expected = sound.ok().map(|lists| Ja4::from_lists(&lists, Protocol::Dtls).hash().to_owned());
    let mut random = Random::new(seed);
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < body.len() {
        let length = (1 + random.below(body.len().min(1000))).max(body.len() / 16);
        let to = (from + length).min(body.len());
        pieces.push((from, &body[from..to]));
        from = to;
    }
    for place in 0..pieces.len() {
        let other = random.below(pieces.len());
        pieces.swap(place, other);
    }
    let mut program = Assembler::new(0);
    for (number, (offset, piece)) in pieces.iter().enumerate() {
        program.data(CLIENT, 0, &record(version, number as u16, body.len(), *offset, piece));
    }
    let records = read(&Program::run(&program.finish()).frames, config(0)).records();
    let [record] = &records[..] else { panic!("{} records of one hello", records.len()) };
    assert_eq!(record["fingerprints"]["ja4"].as_str(), expected.as_deref(), "{record:#}");
}

/// One fragment of a ClientHello in a record of its own.
fn record([major, minor]: [u8; 2], number: u16, length: usize, offset: usize, piece: &[u8]) -> Vec<u8> {
    let u24 = |number: usize| (number as u32).to_be_bytes()[1..].to_vec();
    let fragment = [&[1][..], &u24(length), &[0, 0], &u24(offset), &u24(piece.len()), piece].concat();
    let mut record = vec![22, major, minor, 0, 0, 0, 0, 0, 0];
    record.extend(number.to_be_bytes());
    record.extend((fragment.len() as u16).to_be_bytes());
    record.extend(fragment);
    record
}
