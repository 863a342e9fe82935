//! Published vectors: RFC 9001 appendix A, RFC 9369 appendix A.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

const DESTINATION: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn long(datagram: &[u8]) -> LongPacket<'_> {
    match first_packet(datagram, 0).unwrap().0 {
        Packet::Long(long) => long,
        other => unreachable!("{other:?}"),
    }
}

fn open(keys: &PacketKeys, datagram: &[u8]) -> Option<(u64, Vec<u8>)> {
    let mut scratch = Vec::new();
    let opened = keys.open(&long(datagram), None, &mut scratch)?;
    Some((opened.number, opened.payload(&scratch).to_vec()))
}

/// A client's first flight (RFC 9001 appendix A.2), without its padding.
const CLIENT_PAYLOAD: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c\
    00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c\
    706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003\
    020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff0704\
    8000ffff0801100104800075300901100f088394c8f03e51570806048000ffff";
/// The server's answer (RFC 9001 appendix A.3).
const SERVER_PAYLOAD: &str = "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a\
    045a1200130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304";

struct Vector {
    version: Version,
    client_header: &'static str,
    client_start: &'static str,
    client_end: &'static str,
    server_packet: &'static str,
    retry: &'static str,
}

const VECTORS: [Vector; 2] = [
    Vector {
        version: Version::V1,
        client_header: "c300000001088394c8f03e5157080000449e00000002",
        client_start: "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
        client_end: "e221af44860018ab0856972e194cd934",
        server_packet: "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780b\
            b38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4\
            cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee",
        retry: "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba",
    },
    Vector {
        version: Version::V2,
        client_header: "d36b3343cf088394c8f03e5157080000449e00000002",
        client_start: "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
        client_end: "a18b2faa745b6fe189cf772a9f84cbfc",
        server_packet: "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf8726\
            3017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2c984c707\
            f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140",
        retry: "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6",
    },
];

fn client_payload() -> Vec<u8> {
    let mut payload = hex(CLIENT_PAYLOAD);
    payload.resize(1162, 0);
    payload
}

fn client_packet(vector: &Vector) -> Vec<u8> {
    let keys = InitialSecret::new(vector.version, &DESTINATION).unwrap().client();
    keys.seal(&hex(vector.client_header), 2, &client_payload()).unwrap()
}

#[test]
fn seals_and_opens_the_clients_initial_of_both_versions() {
    for vector in &VECTORS {
        let packet = client_packet(vector);
        assert_eq!(packet.len(), 1200);
        assert!(packet.starts_with(&hex(vector.client_start)), "{}", vector.version);
        assert!(packet.ends_with(&hex(vector.client_end)), "{}", vector.version);
        let keys = InitialSecret::new(vector.version, &DESTINATION).unwrap().client();
        assert_eq!(open(&keys, &packet), Some((2, client_payload())));
    }
}

#[test]
fn opens_the_servers_initial_of_both_versions() {
    for vector in &VECTORS {
        let packet = hex(vector.server_packet);
        let secret = InitialSecret::new(vector.version, &DESTINATION).unwrap();
        assert_eq!(open(&secret.server(), &packet), Some((1, hex(SERVER_PAYLOAD))));
        assert_eq!(open(&secret.client(), &packet), None);
        assert_eq!(long(&packet).packet_type, PacketType::Initial);
    }
}

#[test]
fn reads_the_retry_of_both_versions() {
    for vector in &VECTORS {
        let bytes = hex(vector.retry);
        let Packet::Retry(retry) = first_packet(&bytes, 0).unwrap().0 else { unreachable!() };
        assert_eq!((retry.token, retry.source, retry.destination), (&b"token"[..], &bytes[7..15], &[][..]));
        assert_eq!(retry.version, vector.version);
    }
}

#[test]
fn rejects_every_changed_byte() {
    let packet = client_packet(&VECTORS[0]);
    let keys = InitialSecret::new(Version::V1, &DESTINATION).unwrap().client();
    for index in (0..40).chain(1180..1200) {
        let mut changed = packet.clone();
        changed[index] ^= 1;
        if let Ok((Packet::Long(long), _)) = first_packet(&changed, 0) {
            let mut scratch = Vec::new();
            assert_eq!(keys.open(&long, None, &mut scratch), None, "byte {index}");
        }
    }
}

#[test]
fn no_truncation_is_opened_and_a_snapped_packet_is_read_as_far_as_it_goes() {
    let packet = client_packet(&VECTORS[0]);
    let keys = InitialSecret::new(Version::V1, &DESTINATION).unwrap().client();
    let whole = client_payload();
    for length in 0..packet.len() {
        let kept = &packet[..length];
        assert!(!matches!(first_packet(kept, 0), Ok((Packet::Long(_), _))), "{length}");
        let Ok((Packet::Long(long), rest)) = first_packet(kept, packet.len() - length) else { continue };
        assert!(rest.is_empty());
        let mut scratch = Vec::new();
        let Some(opened) = keys.open(&long, None, &mut scratch) else { continue };
        assert!(!opened.authentic);
        assert_eq!(opened.payload(&scratch), &whole[..(length - 22).min(1162)]);
    }
}

#[test]
fn walks_coalesced_packets() {
    let first = client_packet(&VECTORS[0]);
    let handshake = [&[0xe0, 0, 0, 0, 1, 1, 7, 0, 5][..], &[9; 5]].concat();
    let datagram = [first.as_slice(), &handshake, &[0x40, 1, 2, 3]].concat();
    let (Packet::Long(initial), rest) = first_packet(&datagram, 0).unwrap() else { unreachable!() };
    let (Packet::Long(second), rest) = first_packet(rest, 0).unwrap() else { unreachable!() };
    assert_eq!((initial.bytes, second.packet_type), (first.as_slice(), PacketType::Handshake));
    assert_eq!(first_packet(rest, 0), Ok((Packet::Short(ShortPacket { rest: &[1, 2, 3] }), &[][..])));
}

#[test]
fn reads_version_negotiation() {
    let bytes = [0x80, 0, 0, 0, 0, 1, 1, 2, 2, 3, 0x1a, 0x2a, 0x3a, 0x4a, 0, 0, 0, 1];
    let (Packet::VersionNegotiation(list), _) = first_packet(&bytes, 0).unwrap() else { unreachable!() };
    assert!(list.versions().eq([Version(0x1a2a_3a4a), Version::V1]));
    assert_eq!((list.destination, list.source), (&[1][..], &[2, 3][..]));
    assert!(first_packet(&bytes[..16], 0).is_err() && first_packet(&bytes[..10], 0).is_err());
}

#[test]
fn packet_numbers_are_made_whole() {
    // RFC 9000 appendix A.3, by way of a sealed packet whose number needs the largest one seen.
    let keys = InitialSecret::new(Version::V1, &DESTINATION).unwrap().client();
    let packet = keys.seal(&hex(VECTORS[0].client_header), 2, &client_payload()).unwrap();
    let mut scratch = Vec::new();
    assert_eq!(keys.open(&long(&packet), Some(1), &mut scratch).map(|opened| opened.number), Some(2));
    assert_eq!(keys.open(&long(&packet), Some(1 << 32), &mut scratch), None, "another number, another nonce");
}
