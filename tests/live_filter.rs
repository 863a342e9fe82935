//! The programs given to the kernel, run here: the built-in filter against the decoder, and the choice of a source
//! against its promise.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]
#![allow(clippy::cast_possible_truncation, reason = "tests")]

use std::path::Path;
use std::sync::LazyLock;

use handprint::capture::live::filter::{Instruction, built_in, by_hosts};
use handprint::capture::{Frame, LinkType, Source};
use handprint::packet::{Decoder, FragmentLimits};
use handprint::stats::{DropReason, Drops};
use handprint::time::Timestamp;

/// A packet as a program sees it.
struct Seen<'a> {
    /// From the layer that the program begins at.
    bytes: &'a [u8],
    ether_type: u16,
    outgoing: bool,
    /// Where the network layer begins.
    network: usize,
}

/// Runs a program as Linux would (net/core/filter.c). `None` for what it would have refused to attach.
fn run(program: &[Instruction], seen: &Seen<'_>) -> Option<u32> {
    const OUTGOING: u32 = 4;
    let load = |at: u32, size: usize| -> Option<u32> {
        let at = match at {
            0xffff_f000 => return Some(seen.ether_type.into()),
            0xffff_f004 => return Some(if seen.outgoing { OUTGOING } else { 0 }),
            0xfff0_0000..0xffff_0000 => (at - 0xfff0_0000) as usize + seen.network,
            _ => at as usize,
        };
        let bytes = seen.bytes.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    };
    let (mut a, mut x, mut memory, mut next) = (0_u32, 0_u32, [None; 16], 0);
    loop {
        let Instruction { code, jump_true, jump_false, value: k } = *program.get(next)?;
        next += 1;
        let skip = |holds| usize::from(if holds { jump_true } else { jump_false });
        match code {
            // A load past the end ends the program.
            0x20 => a = if let Some(value) = load(k, 4) { value } else { return Some(0) },
            0x28 => a = if let Some(value) = load(k, 2) { value } else { return Some(0) },
            0x30 => a = if let Some(value) = load(k, 1) { value } else { return Some(0) },
            0x40 => a = if let Some(value) = load(x.wrapping_add(k), 4) { value } else { return Some(0) },
            0x48 => a = if let Some(value) = load(x.wrapping_add(k), 2) { value } else { return Some(0) },
            0x50 => a = if let Some(value) = load(x.wrapping_add(k), 1) { value } else { return Some(0) },
            0x60 => a = memory[k as usize]?,
            0x01 => x = k,
            0x61 => x = memory[k as usize]?,
            0x02 => memory[k as usize] = Some(a),
            0x03 => memory[k as usize] = Some(x),
            0x04 => a = a.wrapping_add(k),
            0x0c => a = a.wrapping_add(x),
            0x24 => a = a.wrapping_mul(k),
            0x74 => a >>= k,
            0xa4 => a ^= k,
            0xac => a ^= x,
            0x05 => next += k as usize,
            0x15 => next += skip(a == k),
            0x35 => next += skip(a >= k),
            0x45 => next += skip(a & k != 0),
            0x06 => return Some(k),
            0x16 => return Some(a),
            0x07 => x = a,
            0x87 => a = x,
            _ => panic!("an instruction of code {code:#x}"),
        }
    }
}

const SNAP: u32 = 70_000;

/// Whether the built-in filter passes what is on the wire, with the outermost VLAN tag taken off as the kernel does.
fn passes(link_type: LinkType, bytes: &[u8]) -> bool {
    let mut bytes = bytes.to_vec();
    if link_type == LinkType::ETHERNET && matches!(bytes.get(12..18), Some([0x81, 0x00, ..] | [0x88, 0xa8, ..])) {
        bytes.drain(12..16);
    }
    let seen = Seen { bytes: &bytes, ether_type: 0, outgoing: false, network: 0 };
    static ETHERNET: LazyLock<Vec<Instruction>> = LazyLock::new(|| built_in(LinkType::ETHERNET, SNAP));
    let program = if link_type == LinkType::ETHERNET { ETHERNET.clone() } else { built_in(link_type, SNAP) };
    match run(&program, &seen).expect("a program that the kernel takes") {
        0 => false,
        SNAP => true,
        other => panic!("passes {other} bytes"),
    }
}

fn decode(link_type: LinkType, bytes: &[u8]) -> Result<(), DropReason> {
    let frame = Frame { timestamp: Timestamp::ZERO, link_type, bytes, original_length: bytes.len() as u32 };
    Decoder::new(FragmentLimits::default()).decode(&frame, &mut Drops::default()).map(|_| ())
}

/// What is dropped without a word: the decoder has no use for it either.
fn useless(result: Result<(), DropReason>) -> bool {
    use DropReason::{MalformedHeader, NotIp, NotTcpOrUdp, TruncatedHeader};
    matches!(result, Err(NotIp | NotTcpOrUdp | TruncatedHeader | MalformedHeader))
}

/// Every frame of every capture here: what is dropped is useless.
#[test]
fn passes_all_that_matters_in_captures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps");
    let mut passed = 0;
    for input in handprint::capture::inputs(&[root]) {
        let path = input.unwrap().path;
        let Ok(mut source) = Source::open(&path) else { continue };
        while let Ok(Some(frame)) = source.next_frame() {
            let kind = frame.link_type;
            if passes(kind, frame.bytes) {
                passed += 1;
            } else {
                assert!(useless(decode(kind, frame.bytes)), "{}: {:x?}", path.display(), frame.bytes);
            }
        }
    }
    assert!(passed > 5000, "{passed}");
}

/// Bytes of an IPv4 header that is followed by `protocol`, and of a long TCP header.
fn ipv4(protocol: u8) -> Vec<u8> {
    let mut bytes = vec![0x45, 0, 0, 60, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    bytes.extend([0x30, 0x39, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 1, 0xa0, 0x18, 0, 0, 0, 0, 0, 0]);
    bytes.resize(60, 0);
    bytes
}

fn ipv6(next_header: u8) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0, 0, 40, next_header, 64];
    bytes.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    bytes.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    bytes.extend(&ipv4(6)[20..60]);
    bytes
}

fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &ether_type.to_be_bytes(), payload].concat()
}

/// The filter and the decoder name the same types and protocols: what the decoder may open is passed, and what it never
/// opens is dropped.
#[test]
fn knows_the_ether_types_and_protocols_that_the_decoder_knows() {
    for ether_type in 0x0600..=0xffff_u16 {
        let payload = match ether_type {
            0x0800 => ipv4(6),
            0x86dd => ipv6(6),
            _ => vec![0xee; 64],
        };
        // What may stand before a packet: nothing, a tag of two, four or six bytes and a type, PPP, a frame,
        // perhaps behind a tag.
        let before: [&[u8]; 9] = [
            &[],
            &[0, 0, 8, 0],
            &[0, 0, 0, 0, 8, 0],
            &[0, 0, 0, 0, 0, 0, 8, 0],
            &[0, 0x21],
            &[0x11, 0, 0, 1, 0, 62, 0, 0x21],
            &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0],
            &[0, 0x60, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0],
            &[0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0],
        ];
        let probes: Vec<_> =
            before.iter().map(|before| [before, &*ipv4(6)].concat()).chain([payload.clone()]).collect();
        let opens = |probe: &[u8]| !useless(decode(LinkType::ETHERNET, &ethernet(ether_type, probe)));
        // MPLS, MACsec, NSH and Cisco metadata have more before a packet; captures in pcaps/ show that they are opened.
        let known =
            matches!(ether_type, 0x8847 | 0x8848 | 0x88e5 | 0x894f | 0x8909) || probes.iter().any(|probe| opens(probe));
        let most_tags = if known || ether_type % 251 == 0 { 3 } else { 0 };
        for (probe, tags) in probes.iter().flat_map(|probe| (0..=most_tags).map(move |tags| (probe, tags))) {
            let (mut payload, mut outermost) = (probe.clone(), ether_type);
            for _ in 0..tags {
                payload = [&[0, 5][..], &outermost.to_be_bytes(), &payload].concat();
                outermost = 0x8100;
            }
            let passed = passes(LinkType::ETHERNET, &ethernet(outermost, &payload));
            assert!(passed || !opens(probe), "{ether_type:#06x} behind {tags} tags is lost");
            assert!(!passed || known, "{ether_type:#06x} behind {tags} tags is passed in vain");
        }
    }
    for protocol in 0..=255 {
        for (ether_type, packet) in [(0x0800_u16, ipv4(protocol)), (0x86dd, ipv6(protocol))] {
            let opened = decode(LinkType::RAW, &packet) != Err(DropReason::NotTcpOrUdp) || leads_on(protocol);
            assert_eq!(passes(LinkType::RAW, &packet), opened, "protocol {protocol}");
            let tagged = [&[0, 5][..], &ether_type.to_be_bytes(), &packet].concat();
            let twice = [&[0, 6][..], &[0x81, 0x00], &tagged].concat();
            for frame in [ethernet(ether_type, &packet), ethernet(0x8100, &tagged), ethernet(0x88a8, &twice)] {
                assert_eq!(passes(LinkType::ETHERNET, &frame), opened, "protocol {protocol}");
            }
        }
    }
}

/// IPv6 extension headers and L2TPv3, which may lead to what is opened.
fn leads_on(protocol: u8) -> bool {
    matches!(protocol, 0 | 43 | 44 | 51 | 60 | 115 | 135 | 139 | 140)
}

#[test]
fn passes_ip_in_llc_and_drops_spanning_trees() {
    let length = |payload: &[u8]| ethernet(payload.len() as u16, payload);
    let snap = [&[0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00][..], &ipv4(6)].concat();
    let plain = [&[0x06, 0x06, 0x03][..], &ipv4(6)].concat();
    assert!(passes(LinkType::ETHERNET, &length(&snap)) && decode(LinkType::ETHERNET, &length(&snap)).is_ok());
    assert!(passes(LinkType::ETHERNET, &length(&plain)) && decode(LinkType::ETHERNET, &length(&plain)).is_ok());
    assert!(!passes(LinkType::ETHERNET, &length(&[0x42, 0x42, 0x03, 0, 0, 0, 0, 0])));
}

#[test]
fn drops_what_is_cut_short_as_the_decoder_does() {
    for whole in [ethernet(0x0800, &ipv4(6)), ethernet(0x86dd, &ipv6(6)), ethernet(0x0806, &[0; 28])] {
        for length in 0..whole.len() {
            let frame = &whole[..length];
            assert!(passes(LinkType::ETHERNET, frame) || useless(decode(LinkType::ETHERNET, frame)), "{length}");
        }
    }
}

/// What the kernel shows the program that chooses a source: from the network layer on, without the outermost tag.
fn choice(program: &[Instruction], frame: &[u8]) -> u32 {
    let mut frame = frame.to_vec();
    if matches!(frame[12..14], [0x81, 0x00] | [0x88, 0xa8]) {
        frame.drain(12..16);
    }
    let ether_type = u16::from_be_bytes([frame[12], frame[13]]);
    let received = Seen { bytes: &frame[14..], ether_type, outgoing: false, network: 0 };
    let sent = Seen { bytes: &frame, ether_type, outgoing: true, network: 14 };
    let choice = run(program, &received).expect("a program that the kernel takes");
    assert_eq!(run(program, &sent), Some(choice), "sent and received differ");
    choice
}

/// Around a packet, what may be around it: the bytes before, and the EtherTypes for IPv4 and IPv6.
fn around(packet: &[u8], v6: bool) -> Vec<Vec<u8>> {
    let (ether_type, ppp) = if v6 { (0x86dd_u16, 0x57) } else { (0x0800, 0x21) };
    let tag = |inner: &[u8]| [&[0, 5][..], inner].concat();
    let typed = [&ether_type.to_be_bytes()[..], packet].concat();
    vec![
        ethernet(ether_type, packet),
        ethernet(0x8100, &tag(&typed)),
        ethernet(0x88a8, &tag(&[&[0x81, 0x00][..], &tag(&typed)].concat())),
        ethernet(0x8847, &[&[0, 1, 0x21, 64][..], packet].concat()),
        ethernet(0x8847, &[&[0, 1, 0x20, 64, 0, 2, 0x30, 64, 0, 3, 0x41, 64][..], packet].concat()),
        ethernet(0x8864, &[&[0x11, 0, 0, 1, 0, 62, 0, ppp][..], packet].concat()),
        ethernet(0x8100, &tag(&[&[0x88, 0x64, 0x11, 0, 0, 1, 0, 62, 0, ppp][..], packet].concat())),
    ]
}

#[test]
fn both_directions_between_two_hosts_are_one_choice_whatever_is_around_them() {
    let program = by_hosts(LinkType::ETHERNET, 0x1234_5678);
    let other_seed = by_hosts(LinkType::ETHERNET, 0x1234_5679);
    let (mut shares, mut moved) = ([0_u32; 4], 0);
    let pairs = 2000_u32;
    for pair in 0..pairs {
        let (there, back, v6) = if pair % 2 == 0 {
            // Neighbours in two networks: the addresses' exclusive or would nearly be one number.
            let (client, server) = ([10, 0, (pair >> 8) as u8, pair as u8], [10, 1, (pair >> 8) as u8, pair as u8]);
            let packet = |source: [u8; 4], destination: [u8; 4]| {
                let mut packet = ipv4(6);
                packet[12..16].copy_from_slice(&source);
                packet[16..20].copy_from_slice(&destination);
                packet
            };
            (packet(client, server), packet(server, client), false)
        } else {
            let packet = |source: u32, destination: u32| {
                let mut packet = ipv6(6);
                packet[20..24].copy_from_slice(&source.to_be_bytes());
                packet[36..40].copy_from_slice(&destination.to_be_bytes());
                packet
            };
            (packet(pair, 1), packet(1, pair), true)
        };
        let choices: Vec<_> =
            around(&there, v6).iter().chain(&around(&back, v6)).map(|frame| choice(&program, frame)).collect();
        assert!(choices.iter().all(|choice| *choice == choices[0]), "{choices:x?}");
        // Nor do ports, protocols and fragments matter.
        let mut fragment = there.clone();
        if v6 {
            fragment[6] = 44;
        } else {
            (fragment[6], fragment[7], fragment[9]) = (0x20, 0xb9, 17);
        }
        fragment[if v6 { 40 } else { 20 }..].fill(0x55);
        assert_eq!(choice(&program, &around(&fragment, v6)[0]), choices[0]);
        shares[(choices[0] % 4) as usize] += 1;
        moved += u32::from(choice(&other_seed, &around(&there, v6)[0]) % 4 != choices[0] % 4);
    }
    assert!(shares.iter().all(|share| (pairs / 5..pairs / 3).contains(share)), "{shares:?}");
    assert!(moved > pairs / 2, "{moved}");
}

#[test]
fn what_is_not_looked_into_comes_to_the_first_source() {
    let program = by_hosts(LinkType::ETHERNET, 7);
    let pseudowire = [&[0, 1, 0x21, 64, 0, 0, 0, 0][..], &ethernet(0x0800, &ipv4(6))].concat();
    for frame in [
        ethernet(0x0806, &[0; 28]),
        ethernet(0x88e7, &[0; 60]),
        ethernet(0x8847, &pseudowire),
        ethernet(0x8847, &[0; 64]),
        ethernet(0x0800, &ipv4(6)[..15]),
        ethernet(0x8864, &[0x11, 0, 0, 1, 0, 10, 0xc0, 0x21, 1, 1, 0, 8]),
    ] {
        assert_eq!(choice(&program, &frame), 0, "{frame:x?}");
    }
}
