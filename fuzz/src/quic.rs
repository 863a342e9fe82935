//! QUIC: the bytes as a datagram, as frames and as transport parameters; then sealed into Initial packets for an
//! engine; then, where they are a ClientHello, that hello in CRYPTO frames of any cut and order.
//!
//! ```text
//! input = version:u8 seed:u8 rest              rest = (side-and-length:u16 payload)* | ClientHello
//! ```

use handprint::cursor::ParseError;
use handprint::fingerprint::{HelloLists, Ja4, Protocol};
use handprint::quic::{
    Frames, GoogleQuic, InitialSecret, Packet, PacketKeys, TransportParameters, Version, VersionInformation,
    first_packet,
};
use handprint::tls::ClientHello;

use crate::client_hello::cuts;
use crate::program::{Assembler, Channel, Program};
use crate::records::{config, read};
use crate::recut::Random;

const CLIENT: Channel = Channel { carrier: 2, flow: 0, backwards: false };
const SERVER: Channel = Channel { carrier: 2, flow: 0, backwards: true };

/// The connection id the keys are made from.
const DESTINATION: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

const VERSIONS: [Version; 6] =
    [Version::V1, Version::V2, Version::V2_DRAFT, Version(0xff00_001d), Version(0xff00_0017), Version(0xface_b002)];

/// Checks what reading QUIC promises.
pub fn check(data: &[u8]) {
    let Some((&[version, seed], rest)) = data.split_first_chunk::<2>() else { return };
    let version = VERSIONS[usize::from(version) % VERSIONS.len()];
    check_datagram(rest);
    check_walks(version, rest);
    let Some(keys) = InitialSecret::new(version, &DESTINATION) else { panic!("{version:?} has keys") };
    check_payloads(version, &keys, rest);
    check_hello(version, &keys, seed, rest);
}

fn check_datagram(datagram: &[u8]) {
    let mut rest = datagram;
    while !rest.is_empty() {
        let Ok((packet, after)) = first_packet(rest, 0) else { break };
        assert!(after.len() < rest.len(), "a packet of no bytes");
        if let Packet::Long(long) = packet {
            assert!(long.number_offset <= long.bytes.len());
            assert_eq!(long.cut, 0);
            let mut scratch = Vec::new();
            if let Some(secret) = InitialSecret::new(long.version, long.destination) {
                let _ = secret.client().open(&long, None, &mut scratch);
            }
        }
        rest = after;
    }
    for length in cuts(datagram.len()).step_by(5) {
        // What a snap length cut is read as far as it goes.
        let _ = first_packet(&datagram[..length], datagram.len() - length);
    }
    if let Ok(google) = GoogleQuic::parse(datagram) {
        let _ = google.chlo.map(|chlo| (chlo.server_name(), chlo.user_agent()));
    }
}

fn check_walks(version: Version, bytes: &[u8]) {
    assert!(Frames::new(version, bytes).count() <= bytes.len() + 1, "more frames than bytes");
    assert!(Frames::of_cut_packet(version, bytes).count() <= bytes.len() + 1, "more frames than bytes");
    assert!(TransportParameters::new(version, bytes).count() <= bytes.len() + 1, "more parameters than bytes");
    match VersionInformation::parse(bytes) {
        Ok(information) => assert_eq!(information.available().count(), bytes.len() / 4 - 1),
        Err(error) => assert!(matches!(error, ParseError::Incomplete { .. } | ParseError::Invalid { .. })),
    }
}

/// Payloads of either side, sealed so that the engine can open them.
fn check_payloads(version: Version, keys: &InitialSecret, mut rest: &[u8]) {
    let mut program = Assembler::new(0);
    let mut number = 0;
    while let Some((head, after)) = rest.split_first_chunk::<2>() {
        let head = u16::from_le_bytes(*head);
        let (payload, after) = after.split_at(usize::from(head & 0x07ff).min(after.len()));
        let backwards = head & 0x8000 != 0;
        let (channel, keys) = if backwards { (SERVER, keys.server()) } else { (CLIENT, keys.client()) };
        program.data(channel, 0, &initial(version, &keys, backwards, number, payload));
        number += 1;
        rest = after;
    }
    let program = Program::run(&program.finish());
    let first = read(&program.frames, config(0));
    assert_eq!(first.json, read(&program.frames, config(0)).json, "the same packets, other records");
}

/// A hello in CRYPTO frames of any cut and order has the fingerprint it has as a whole.
fn check_hello(version: Version, keys: &InitialSecret, seed: u8, message: &[u8]) {
    let Ok(hello) = ClientHello::parse(message) else { return };
    if message.len() > 8 << 10 {
        return;
    }
    // A hello of which any extension contradicts itself has none.
    let sound = hello.check_extensions().and_then(|()| HelloLists::of(&hello));
    let expected = sound.ok().map(|lists| Ja4::from_lists(&lists, Protocol::Quic).hash().to_owned());
    let mut random = Random::new(seed);
    let mut frames = Vec::new();
    let mut from = 0;
    while from < message.len() {
        let to = (from + 1 + random.below(message.len().min(1000))).min(message.len()).max(from + message.len() / 16);
        let to = to.min(message.len());
        frames.push(crypto(from, &message[from..to]));
        from = to;
    }
    for place in 0..frames.len() {
        let other = random.below(frames.len());
        frames.swap(place, other);
    }
    let mut program = Assembler::new(0);
    for (number, frame) in frames.iter().enumerate() {
        program.data(CLIENT, 0, &initial(version, &keys.client(), false, number as u32, frame));
    }
    let records = read(&Program::run(&program.finish()).frames, config(0)).records();
    let [record] = &records[..] else { panic!("{} records of one hello", records.len()) };
    assert_eq!(record["fingerprints"]["ja4"].as_str(), expected.as_deref(), "{record:#}");
}

fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
    let varint = |number: usize| (number as u32 | 0x8000_0000).to_be_bytes();
    [&[6][..], &varint(offset), &varint(data.len()), data].concat()
}

/// A sealed Initial packet, as long as a client's datagram must be.
fn initial(version: Version, keys: &PacketKeys, backwards: bool, number: u32, payload: &[u8]) -> Vec<u8> {
    let mut payload = payload.to_vec();
    payload.resize(payload.len().max(1162), 0);
    let first = if matches!(version, Version::V2 | Version::V2_DRAFT) { 0xd3 } else { 0xc3 };
    let mut header = vec![first];
    header.extend(version.0.to_be_bytes());
    // The client's own id is empty.
    if backwards {
        header.extend([0, 8]);
        header.extend(DESTINATION);
    } else {
        header.push(8);
        header.extend(DESTINATION);
        header.push(0);
    }
    header.push(0);
    header.extend((payload.len() as u16 + 4 + 16 | 0x4000).to_be_bytes());
    header.extend(number.to_be_bytes());
    keys.seal(&header, number, &payload).expect("a packet that can be sealed")
}
