//! Packets built layer by layer: each kind of encapsulation, whole, cut everywhere and damaged everywhere.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

use std::time::Duration;

use super::*;

/// What the innermost packet carries; 40 bytes, so that fragments have something to cut.
const PAYLOAD: &[u8] = b"\x16\x03\x01\x00\x23forty bytes of payload, to be found";

const NULL: [u8; 6] = [0; 6];

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap().to_be_bytes()
}

fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &ether_type.to_be_bytes(), payload])
}

fn ipv4_with(identification: u16, fragment: u16, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let (id, fragment) = (identification.to_be_bytes(), fragment.to_be_bytes());
    join(&[&[0x45, 0], &total, &id, &fragment, &[64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], payload])
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_with(1, 0x4000, protocol, payload)
}

fn ipv6_between(source: [u8; 16], destination: [u8; 16], next: u8, payload: &[u8]) -> Vec<u8> {
    join(&[&[0x60, 0, 0, 0], &length(payload), &[next, 63], &source, &destination, payload])
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let address = |last| [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    ipv6_between(address(1), address(2), next, payload)
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    let header = [0x9c, 0x40, 0x01, 0xbb, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x18, 0x10, 0x00, 0, 0, 0, 0];
    join(&[&header, payload])
}

fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap().to_be_bytes();
    join(&[&source.to_be_bytes(), &destination.to_be_bytes(), &length, &[0, 0], payload])
}

/// The packet looked for, from IP on.
fn inner() -> Vec<u8> {
    ipv4(6, &tcp(PAYLOAD))
}

fn inner6() -> Vec<u8> {
    ipv6(6, &tcp(PAYLOAD))
}

fn in_udp(port: u16, header: &[u8], payload: &[u8]) -> Vec<u8> {
    ethernet(0x0800, &ipv4(17, &udp(50_000, port, &join(&[header, payload]))))
}

fn in_gre(header: &[u8], payload: &[u8]) -> Vec<u8> {
    ethernet(0x0800, &ipv4(47, &join(&[header, payload])))
}

fn wlan(header: &[u8], payload: &[u8]) -> Vec<u8> {
    join(&[header, &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], payload])
}

/// 24 bytes of 802.11 header, then what comes after it.
fn wlan_header(control: u8, flags: u8, more: &[u8]) -> Vec<u8> {
    join(&[&[control, flags], &[0; 20], &[0x10, 0], more])
}

struct Sample {
    name: &'static str,
    link_type: u16,
    bytes: Vec<u8>,
    /// As [`Encapsulations`] displays it.
    encapsulations: &'static str,
}

fn samples() -> Vec<Sample> {
    let sample = |name, link_type, bytes, encapsulations| Sample { name, link_type, bytes, encapsulations };
    let frame = ethernet(0x0800, &inner());
    let ppp = join(&[&[0xff, 3, 0, 0x21], &inner()]);
    let hop_by_hop = join(&[&[60, 0, 0, 0, 0, 0, 0, 0], &[43, 0], &NULL, &[51, 0], &NULL]);
    let authentication = join(&[&[6, 4, 0, 0], &[0; 20], &tcp(PAYLOAD)]);
    let options =
        join(&[&[0x46, 0, 0, 84, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x94, 4, 0, 0], &tcp(PAYLOAD)]);
    let amsdu = join(&[&[0; 12], &[0, 88], &wlan(&[], &inner()), &[0; 30]]);
    let teredo_address = [0x20, 1, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 1];
    let teredo = ipv6_between(teredo_address, [0x20; 16], 6, &tcp(PAYLOAD));
    let gtp = |flags: u8, more: &[u8]| {
        let rest = join(&[more, &inner()]);
        join(&[&[flags, 255], &length(&rest), &[0, 0, 0x12, 0x34], &rest])
    };
    let capwap = |flags: [u8; 3], more: &[u8], inside: &[u8]| {
        in_udp(5247, &[0, flags[0], flags[1], flags[2], 0, 0, 0, 0], &join(&[more, inside]))
    };
    vec![
        sample("ethernet", 1, frame.clone(), ""),
        sample("ethernet, IPv6", 1, ethernet(0x86dd, &inner6()), ""),
        sample("IPv4 options", 1, ethernet(0x0800, &options), ""),
        sample("IPv6 extension headers", 1, ethernet(0x86dd, &ipv6(0, &join(&[&hop_by_hop, &authentication]))), ""),
        sample("IPv4 authentication", 1, ethernet(0x0800, &ipv4(51, &authentication)), ""),
        sample(
            "IPv6 atomic fragment",
            1,
            ethernet(0x86dd, &ipv6(44, &join(&[&[6, 0, 0, 0, 0, 0, 0, 1], &tcp(PAYLOAD)]))),
            "",
        ),
        sample("802.3 and SNAP", 1, ethernet(88, &wlan(&[], &inner())), ""),
        sample("802.3 and LLC", 1, ethernet(83, &join(&[&[6, 6, 3], &inner()])), ""),
        sample("VLAN", 1, ethernet(0x8100, &join(&[&[0x20, 100, 8, 0], &inner()])), "vlan 100"),
        sample(
            "stacked VLANs",
            1,
            ethernet(0x88a8, &join(&[&[0, 10, 0x81, 0], &[0x0f, 0xff, 0x86, 0xdd], &inner6()])),
            "vlan 10 > vlan 4095",
        ),
        sample("VLAN and SNAP", 1, ethernet(0x9100, &join(&[&[0, 5, 0, 88], &wlan(&[], &inner())])), "vlan 5"),
        sample("RAW", 101, inner(), ""),
        sample("RAW, IPv6", 12, inner6(), ""),
        sample("IPV4", 228, inner(), ""),
        sample("IPV6", 229, inner6(), ""),
        sample("NULL, little", 0, join(&[&[2, 0, 0, 0], &inner()]), ""),
        sample("NULL, big", 0, join(&[&[0, 0, 0, 30], &inner6()]), ""),
        sample("LOOP", 108, join(&[&[0, 0, 0, 24], &inner6()]), ""),
        sample("NULL with EtherType", 0, join(&[&[0x0f, 0, 8, 0], &inner()]), ""),
        sample("SLL", 113, join(&[&[0; 14], &[8, 0], &inner()]), ""),
        sample("SLL with VLAN", 113, join(&[&[0; 14], &[0x81, 0, 0, 9, 8, 0], &inner()]), "vlan 9"),
        sample("SLL2", 276, join(&[&[0x86, 0xdd], &[0; 18], &inner6()]), ""),
        sample("PPP", 9, ppp.clone(), ""),
        sample("PPP without address", 9, join(&[&[0, 0x57], &inner6()]), ""),
        sample("PPP compressed", 50, join(&[&[0x21], &inner()]), ""),
        sample("PPP_PPPD", 166, join(&[&[1, 3, 0, 0x21], &inner()]), ""),
        sample("PPP_ETHER", 51, join(&[&[0x11, 0, 0, 7, 0, 82, 0, 0x21], &inner()]), "pppoe 7"),
        sample("C_HDLC", 104, join(&[&[0x0f, 0, 8, 0], &inner()]), ""),
        sample("C_HDLC as PPP_HDLC", 50, join(&[&[0x8f, 0, 0x86, 0xdd], &inner6()]), ""),
        sample("SLIP", 8, join(&[&[0; 16], &inner()]), ""),
        sample("FDDI", 10, join(&[&[0; 13], &wlan(&[], &inner())]), ""),
        sample("ENC", 109, join(&[&[2, 0, 0, 0], &[0; 8], &inner()]), ""),
        sample("ATM bridged", 100, join(&[&[0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0], &frame]), ""),
        sample("PFLOG", 117, join(&[&[61, 2], &[0; 62], &inner()]), ""),
        sample("NFLOG", 239, join(&[&[2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 84, 0, 9, 0], &inner()]), ""),
        sample("NFLOG, big", 239, join(&[&[2, 0, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 84, 0, 9], &inner()]), ""),
        sample("MPLS link", 219, join(&[&[0, 1, 1, 64], &inner()]), "mpls 16"),
        sample("mPacket", 274, join(&[&[0x55; 7], &[0xd5], &frame]), ""),
        sample("netANALYZER", 240, join(&[&[0; 4], &frame]), ""),
        sample("802.11", 105, wlan(&wlan_header(0x08, 1, &[]), &inner()), ""),
        sample("802.11 QoS", 105, wlan(&wlan_header(0x88, 2, &[0, 0]), &inner()), ""),
        sample("802.11 QoS, padded", 105, wlan(&wlan_header(0x88, 2, &[0, 0, 0, 0]), &inner()), ""),
        sample("802.11, four addresses, HT", 105, wlan(&wlan_header(0x88, 0x83, &[0; 12]), &inner()), ""),
        sample("802.11 A-MSDU", 105, join(&[&wlan_header(0x88, 2, &[0x80, 0]), &amsdu]), ""),
        sample("radiotap", 127, wlan(&join(&[&[0, 0, 8, 0, 0, 0, 0, 0], &wlan_header(8, 2, &[])]), &inner()), ""),
        sample(
            "AVS",
            163,
            wlan(&join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56], &wlan_header(8, 2, &[])]), &inner()),
            "",
        ),
        sample(
            "Prism",
            119,
            wlan(&join(&[&[0x44, 0, 0, 0, 0x90, 0, 0, 0], &[0; 136], &wlan_header(8, 2, &[])]), &inner()),
            "",
        ),
        sample("PPI", 192, wlan(&join(&[&[0, 0, 8, 0, 105, 0, 0, 0], &wlan_header(8, 2, &[])]), &inner()), ""),
        sample("PPPoE", 1, ethernet(0x8864, &join(&[&[0x11, 0, 0x12, 0x34, 0, 82, 0, 0x21], &inner()])), "pppoe 4660"),
        sample(
            "MPLS",
            1,
            ethernet(0x8847, &join(&[&[0, 0x10, 0, 64, 0, 0x20, 1, 64], &inner6()])),
            "mpls 256 > mpls 512",
        ),
        sample("MPLS pseudowire", 1, ethernet(0x8847, &join(&[&[0, 0x10, 1, 64], &frame])), "mpls 256"),
        sample(
            "MPLS pseudowire, control word",
            1,
            ethernet(0x8848, &join(&[&[0, 0x10, 1, 64], &[0, 0, 0, 5], &frame])),
            "mpls 256",
        ),
        sample("802.1ah", 1, ethernet(0x88e7, &join(&[&[0x10, 1, 2, 3], &frame])), "pbb 66051"),
        sample("Cisco metadata", 1, ethernet(0x8909, &join(&[&[1, 1, 0, 1, 0, 9, 8, 0], &inner()])), "sgt 9"),
        sample(
            "MACsec",
            1,
            ethernet(0x88e5, &join(&[&[0x20, 0, 0, 0, 0, 1], &[1; 8], &[8, 0], &inner(), &[7; 16]])),
            "macsec",
        ),
        sample("HSR", 1, ethernet(0x892f, &join(&[&[0, 0, 0, 1, 8, 0], &inner()])), ""),
        sample("E-Tag", 1, ethernet(0x893f, &join(&[&[0, 0, 0, 1, 0, 0, 8, 0], &inner()])), ""),
        sample("GRE", 1, in_gre(&[0, 0, 8, 0], &inner()), "gre"),
        sample(
            "GRE with all fields",
            1,
            in_gre(
                &[0xf0, 0, 0x86, 0xdd, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 8, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0],
                &inner6(),
            ),
            "gre 5",
        ),
        sample("GRE with Ethernet", 1, in_gre(&[0x20, 0, 0x65, 0x58, 0, 0, 0, 99], &frame), "gre 99"),
        sample("NVGRE", 1, in_gre(&[0x20, 0, 0x65, 0x58, 1, 0, 0, 99], &frame), "nvgre 65536"),
        sample("GRE with PPP", 1, in_gre(&[0, 0, 0x88, 0x0b], &ppp), "gre"),
        sample("PPTP", 1, in_gre(&[0x30, 0x81, 0x88, 0x0b, 0, 84, 0, 17, 0, 0, 0, 1, 0, 0, 0, 2], &ppp), "pptp 17"),
        sample("GRE with WCCP", 1, in_gre(&[0, 0, 0x88, 0x3e, 0, 0, 0, 0], &inner()), "gre"),
        sample("ERSPAN I", 1, in_gre(&[0, 0, 0x88, 0xbe], &frame), "gre > erspan"),
        sample(
            "ERSPAN II",
            1,
            in_gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0x14, 0x05, 0, 0, 0, 0], &frame),
            "gre > erspan 5",
        ),
        sample(
            "ERSPAN III",
            1,
            in_gre(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0], &frame),
            "gre > erspan 6",
        ),
        sample(
            "ERSPAN III with IP and platform header",
            1,
            in_gre(
                &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 6, 0, 0, 0, 0, 0, 0, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1],
                &inner(),
            ),
            "gre > erspan 6",
        ),
        sample("IP in IP", 1, ethernet(0x0800, &ipv4(4, &inner())), "ipip"),
        sample("6in4", 1, ethernet(0x0800, &ipv4(41, &inner6())), "6in4"),
        sample("4in6", 1, ethernet(0x86dd, &ipv6(4, &inner())), "4in6"),
        sample("6in6", 1, ethernet(0x86dd, &ipv6(41, &inner6())), "6in6"),
        sample("EtherIP", 1, ethernet(0x0800, &ipv4(97, &join(&[&[0x30, 0], &frame]))), "etherip"),
        sample("Ethernet in IPv6", 1, ethernet(0x86dd, &ipv6(143, &frame)), "etherip"),
        sample("MPLS in IP", 1, ethernet(0x0800, &ipv4(137, &join(&[&[0, 0x10, 1, 64], &inner()]))), "mpls 256"),
        sample("VXLAN", 1, in_udp(4789, &[8, 0, 0, 0, 0, 0, 42, 0], &frame), "vxlan 42"),
        sample("VXLAN, Linux port", 1, in_udp(8472, &[8, 0, 0, 0, 0, 0, 42, 0], &frame), "vxlan 42"),
        sample("VXLAN, group policy", 1, in_udp(4789, &[0x88, 0, 0, 7, 0, 0, 42, 0], &frame), "vxlan 42"),
        sample("VXLAN, any port", 1, in_udp(9999, &[8, 0, 0, 0, 0, 0, 42, 0], &frame), "vxlan 42"),
        sample("VXLAN-GPE", 1, in_udp(4790, &[0x0c, 0, 0, 1, 0, 0, 43, 0], &inner()), "vxlan-gpe 43"),
        sample("VXLAN-GPE without flag", 1, in_udp(4790, &[8, 0, 0, 1, 0, 0, 43, 0], &inner()), "vxlan-gpe 43"),
        sample("VXLAN-GPE with Ethernet", 1, in_udp(4790, &[0x0c, 0, 0, 3, 0, 0, 43, 0], &frame), "vxlan-gpe 43"),
        sample(
            "VXLAN-GPE with NSH",
            1,
            in_udp(4790, &[0x0c, 0, 0, 4, 0, 0, 43, 0, 0, 2, 2, 2, 0, 0, 5, 255], &inner6()),
            "vxlan-gpe 43 > nsh 5",
        ),
        sample("Geneve", 1, in_udp(6081, &[0, 0, 0x65, 0x58, 0, 0, 44, 0], &frame), "geneve 44"),
        sample(
            "Geneve with options and IP",
            1,
            in_udp(6081, &[1, 0, 8, 0, 0, 0, 44, 0, 1, 2, 3, 0], &inner()),
            "geneve 44",
        ),
        sample(
            "Geneve with options, any port",
            1,
            in_udp(47_101, &[1, 0x40, 0x65, 0x58, 0, 0, 44, 0, 1, 2, 3, 0], &frame),
            "geneve 44",
        ),
        sample("GTP-U", 1, in_udp(2152, &gtp(0x30, &[]), &[]), "gtp-u 4660"),
        sample("GTP-U with sequence", 1, in_udp(2152, &gtp(0x32, &[0, 1, 0, 0]), &[]), "gtp-u 4660"),
        sample(
            "GTP-U with extensions",
            1,
            in_udp(2152, &gtp(0x34, &[0, 0, 0, 0x85, 1, 0, 9, 0xc0, 1, 0, 0, 0]), &[]),
            "gtp-u 4660",
        ),
        sample("L2TPv2", 1, in_udp(1701, &[0, 2, 0, 3, 0, 4], &ppp), "l2tp 196612"),
        sample(
            "L2TPv2 with all fields",
            1,
            in_udp(1701, &[0x4a, 2, 0, 100, 0, 3, 0, 4, 0, 1, 0, 2, 0, 2, 9, 9], &ppp),
            "l2tp 196612",
        ),
        sample("L2TPv3", 1, in_udp(1701, &[0, 3, 0, 0, 0, 0, 0, 8], &frame), "l2tpv3 8"),
        sample(
            "L2TPv3, long cookie, sublayer",
            1,
            in_udp(1701, &[&[0, 3, 0, 0, 0, 0, 0, 8][..], &[1; 12]].concat(), &frame),
            "l2tpv3 8",
        ),
        sample("L2TPv3 in IP", 1, ethernet(0x0800, &ipv4(115, &join(&[&[0, 0, 0, 8], &[9; 4], &frame]))), "l2tpv3 8"),
        sample("Teredo", 1, in_udp(3544, &[], &inner6()), "teredo"),
        sample(
            "Teredo with indications",
            1,
            in_udp(3544, &[0, 1, 2, 1, 7, 7, 6, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6], &inner6()),
            "teredo",
        ),
        sample("Teredo, any port", 1, in_udp(41_000, &[], &teredo), "teredo"),
        sample("CAPWAP", 1, capwap([0x10, 0x02, 0], &[], &frame), "capwap"),
        sample(
            "CAPWAP with 802.11",
            1,
            capwap([0x10, 0x03, 0], &[], &wlan(&wlan_header(8, 1, &[]), &inner())),
            "capwap",
        ),
        sample(
            "CAPWAP with radio header and swapped 802.11",
            1,
            capwap([0x20, 0x03, 0x20], &[4, 1, 2, 3, 4, 0, 0, 0], &wlan(&wlan_header(1, 0x88, &[0, 0]), &inner())),
            "capwap",
        ),
        sample("GRE in UDP", 1, in_udp(4754, &[0x20, 0, 8, 0, 0, 0, 0, 1], &inner()), "gre 1"),
        sample("MPLS in UDP", 1, in_udp(6635, &[0, 0x10, 1, 64], &inner()), "mpls 256"),
        sample("Cisco HDLC in PPP's place", 9, join(&[&[0x0f, 0, 8, 0], &inner()]), ""),
        sample("Frame Relay", 107, join(&[&[0x18, 0x41, 3, 0xcc], &inner()]), ""),
        sample("Frame Relay, IPv6", 107, join(&[&[0x18, 0x40, 0x01, 3, 0x8e], &inner6()]), ""),
        sample("Frame Relay and SNAP", 107, join(&[&[0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0], &inner()]), ""),
        sample("Frame Relay, Cisco", 107, join(&[&[0x18, 0x41, 8, 0], &inner()]), ""),
        sample("Frame Relay, direction", 206, join(&[&[1, 0x18, 0x41, 3, 0xcc], &inner()]), ""),
        sample("PPP, direction", 204, join(&[&[0], &ppp]), ""),
        sample("Cisco HDLC, direction", 205, join(&[&[1, 0x0f, 0, 8, 0], &inner()]), ""),
        sample("IP over Fibre Channel", 122, join(&[&[0; 16], &wlan(&[], &inner())]), ""),
        sample("SunATM", 123, join(&[&[0x82, 0, 0, 100], &wlan(&[], &inner())]), ""),
        sample("IP over IEEE 1394", 138, join(&[&[0; 16], &[8, 0], &inner()]), ""),
        sample("Juniper Ethernet", 178, join(&[b"MGC\x01", &frame]), ""),
        sample("Juniper Ethernet, extensions", 178, join(&[b"MGC\x80\0\x03\x03\x01\x01", &frame]), ""),
        sample("Juniper, no link layer", 178, join(&[b"MGC\x02\x02\0\0\0", &inner()]), ""),
        sample("ERF Ethernet", 197, join(&[&[0; 8], &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0], &frame]), ""),
        sample(
            "ERF Ethernet, extensions",
            197,
            join(&[&[0; 8], &[0x82, 0, 0, 0, 0, 0, 0, 0], &[0x83, 0, 0, 0, 0, 0, 0, 0], &[4; 8], &[0, 0], &frame]),
            "",
        ),
        sample("ERF HDLC", 197, join(&[&[0; 8], &[1, 0, 0, 0, 0, 0, 0, 0], &[0x0f, 0, 8, 0], &inner()]), ""),
        sample("ERF IPv6", 197, join(&[&[0; 8], &[23, 0, 0, 0, 0, 0, 0, 0], &inner6()]), ""),
        sample("ipnet", 226, join(&[&[1, 2], &[0; 22], &inner()]), ""),
        sample("IP over InfiniBand", 242, join(&[&[0; 40], &[8, 0, 0, 0], &inner()]), ""),
        sample("PKTAP", 258, join(&[&[16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 9, 9, 9], &frame]), ""),
        sample("PKTAP, raw", 258, join(&[&[16, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 9, 9, 9, 9], &inner()]), ""),
        sample("Broadcom switch tag", 281, join(&[&[2; 12], &[0x2c, 0, 0, 0x80, 8, 0], &inner()]), ""),
        sample("Broadcom switch tag in front", 282, join(&[&[0x2c, 0, 0, 0x80], &frame]), ""),
        sample("Marvell switch tag", 284, join(&[&[2; 12], &[0xc0, 0, 0, 0, 8, 0], &inner()]), ""),
        sample(
            "Marvell switch tag with a type",
            285,
            join(&[&[2; 12], &[0xda, 0xda, 0, 0, 0xc0, 0, 0, 0, 8, 0], &inner()]),
            "",
        ),
        sample("FabricPath", 1, ethernet(0x8903, &join(&[&[0, 0x60], &frame])), ""),
        sample(
            "tunnels in tunnels",
            1,
            ethernet(
                0x8100,
                &join(&[
                    &[0, 1, 8, 0],
                    &ipv4(
                        47,
                        &join(&[
                            &[0, 0, 0x65, 0x58],
                            &in_udp(4789, &[8, 0, 0, 0, 0, 0, 1, 0], &ethernet(0x0800, &ipv4(41, &inner6()))),
                        ]),
                    ),
                ]),
            ),
            "vlan 1 > gre > vxlan 1 > 6in4",
        ),
        sample(
            "EtherIP in IPv6 below a label",
            1,
            ethernet(0x8847, &join(&[&[0, 1, 1, 64], &ipv6(97, &join(&[&[0x30, 0], &frame]))])),
            "mpls 16 > etherip",
        ),
        sample(
            "pseudowire without control word, two tags",
            1,
            ethernet(
                0x8847,
                &join(&[
                    &[0, 1, 1, 64],
                    &ethernet(0x8100, &join(&[&[0, 2, 0x81, 0, 0, 3, 0x81, 0, 0, 4, 8, 0], &inner()])),
                ]),
            ),
            "mpls 16 > vlan 2 > vlan 3 > vlan 4",
        ),
        sample(
            "MACsec in VXLAN",
            1,
            in_udp(4789, &[8, 0, 0, 0, 0, 0, 1, 0], &ethernet(0x88e5, &join(&[&NULL, &[8, 0], &inner()]))),
            "vxlan 1 > macsec",
        ),
    ]
}

fn frame(link_type: u16, bytes: &[u8]) -> Frame<'_> {
    Frame {
        timestamp: Timestamp::from_seconds(1),
        link_type: LinkType(link_type),
        bytes,
        original_length: u32::try_from(bytes.len()).unwrap(),
    }
}

fn decoder() -> Decoder {
    Decoder::new(FragmentLimits::default())
}

fn segment<'a>(packet: &Packet<'a>) -> Segment<'a> {
    match packet.transport {
        Transport::Tcp(segment) => segment,
        Transport::Udp(_) => panic!("a UDP datagram: {packet:?}"),
    }
}

#[test]
fn finds_the_segment_in_every_encapsulation() {
    for sample in samples() {
        let mut decoder = decoder();
        let packet = match decoder.decode(&frame(sample.link_type, &sample.bytes), &mut Drops::default()) {
            Ok(packet) => packet,
            Err(reason) => panic!("{}: {reason:?}", sample.name),
        };
        assert!(matches!(packet.transport, Transport::Tcp(_)), "{}: {packet:?}", sample.name);
        let segment = segment(&packet);
        assert_eq!(segment.payload, PAYLOAD, "{}", sample.name);
        assert_eq!((segment.sequence, segment.acknowledgment, segment.cut), (7, 9, 0), "{}", sample.name);
        assert!(segment.flags.ack() && segment.flags.psh() && !segment.flags.syn(), "{}", sample.name);
        assert_eq!((packet.tuple.source.port(), packet.tuple.destination.port()), (40_000, 443), "{}", sample.name);
        assert_eq!(packet.encapsulations.to_string(), sample.encapsulations, "{}", sample.name);
    }
}

/// A snap length at every byte: what is left is a prefix, and the rest is named as cut.
#[test]
fn names_what_every_snap_length_cut() {
    for sample in samples() {
        for end in 0..sample.bytes.len() {
            let mut frame = frame(sample.link_type, &sample.bytes[..end]);
            frame.original_length = u32::try_from(sample.bytes.len()).unwrap();
            let mut decoder = decoder();
            let Ok(packet) = decoder.decode(&frame, &mut Drops::default()) else { continue };
            if let Transport::Tcp(segment) = packet.transport {
                assert!(PAYLOAD.starts_with(segment.payload), "{} at {end}", sample.name);
                assert_eq!(segment.payload.len() + segment.cut as usize, PAYLOAD.len(), "{} at {end}", sample.name);
            }
        }
    }
}

#[test]
fn survives_damage_everywhere() {
    let mut decoder = decoder();
    let mut drops = Drops::default();
    let mut random = 1_u64;
    for sample in samples() {
        for at in 0..sample.bytes.len() {
            for value in [0x00, 0x01, 0x0f, 0x45, 0x7f, 0x80, 0xff] {
                let mut bytes = sample.bytes.clone();
                bytes[at] = value;
                let _ = decoder.decode(&frame(sample.link_type, &bytes), &mut drops);
            }
        }
        for _ in 0..500 {
            let mut bytes = sample.bytes.clone();
            for _ in 0..4 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (random >> 33) as usize % bytes.len();
                bytes[at] = (random >> 24) as u8;
            }
            let _ = decoder.decode(&frame(sample.link_type, &bytes), &mut drops);
        }
    }
}

#[test]
fn survives_every_link_type() {
    let mut decoder = decoder();
    for link_type in 0..400 {
        for sample in samples() {
            let _ = decoder.decode(&frame(link_type, &sample.bytes), &mut Drops::default());
        }
    }
}

#[test]
fn trims_ethernet_padding() {
    let mut bytes = ethernet(0x0800, &ipv4(6, &tcp(b"")));
    bytes.resize(60, 0xee);
    let mut decoder = decoder();
    let packet = decoder.decode(&frame(1, &bytes), &mut Drops::default()).unwrap();
    assert_eq!(segment(&packet).payload, b"");
}

#[test]
fn takes_the_rest_of_the_frame_for_offloaded_lengths() {
    let mut v4 = ethernet(0x0800, &inner());
    v4[16..18].fill(0);
    let mut v6 = ethernet(0x86dd, &inner6());
    v6[18..20].fill(0);
    for mut bytes in [v4, v6] {
        let mut decoder = decoder();
        let packet = decoder.decode(&frame(1, &bytes), &mut Drops::default()).unwrap();
        assert_eq!(segment(&packet).payload, PAYLOAD);
        let original_length = u32::try_from(bytes.len()).unwrap();
        bytes.truncate(bytes.len() - 10);
        let snapped = Frame { original_length, ..frame(1, &bytes) };
        let packet = decoder.decode(&snapped, &mut Drops::default()).unwrap();
        assert_eq!((segment(&packet).payload, segment(&packet).cut), (&PAYLOAD[..30], 10));
    }
}

/// A length beyond a frame that was not cut is a lie: nothing more was on the wire.
#[test]
fn calls_nothing_cut_that_was_not_on_the_wire() {
    let mut bytes = ethernet(0x0800, &inner());
    bytes[16] = 4;
    let mut decoder = decoder();
    let packet = decoder.decode(&frame(1, &bytes), &mut Drops::default()).unwrap();
    assert_eq!((segment(&packet).payload, segment(&packet).cut), (PAYLOAD, 0));
}

#[test]
fn bounds_udp_by_the_shorter_length() {
    let cases: [(u16, Result<usize, DropReason>); 6] =
        [(0, Ok(20)), (7, Err(DropReason::MalformedHeader)), (8, Ok(0)), (18, Ok(10)), (28, Ok(20)), (60_000, Ok(20))];
    for (claimed, expected) in cases {
        let mut datagram = udp(1, 2, &[1; 20]);
        datagram[4..6].copy_from_slice(&claimed.to_be_bytes());
        let bytes = ipv4(17, &datagram);
        let mut decoder = decoder();
        let outcome = decoder.decode(&frame(101, &bytes), &mut Drops::default()).map(|packet| match packet.transport {
            Transport::Udp(datagram) => {
                assert_eq!(datagram.cut, 0);
                datagram.payload.len()
            }
            Transport::Tcp(_) => panic!("TCP"),
        });
        assert_eq!(outcome, expected, "{claimed}");
    }
}

#[test]
fn rejects_by_reason() {
    let patched = |at: usize, value: u8| {
        let mut bytes = inner();
        bytes[at] = value;
        bytes
    };
    let deep = (0..9).fold(inner(), |bytes, _| ipv4(4, &bytes));
    let extensions = join(&[&[0, 0, 0, 0, 0, 0, 0, 0].repeat(40), &tcp(PAYLOAD)]);
    let cases = [
        (1, ethernet(0x0806, &[0; 46]), DropReason::NotIp),
        (1, ethernet(0x8863, &[0; 46]), DropReason::NotIp),
        (1, vec![0; 13], DropReason::TruncatedHeader),
        (230, inner(), DropReason::UnknownLinkType),
        (101, ipv4(1, &[0; 20]), DropReason::NotTcpOrUdp),
        (101, ipv6(58, &[0; 20]), DropReason::NotTcpOrUdp),
        (101, ipv4(50, &[0; 20]), DropReason::NotTcpOrUdp),
        (101, ipv4(6, &[0; 19]), DropReason::TruncatedHeader),
        (101, ipv4(17, &[0; 7]), DropReason::TruncatedHeader),
        (101, patched(0, 0x44), DropReason::MalformedHeader),
        (101, patched(3, 19), DropReason::MalformedHeader),
        (101, patched(32, 0x40), DropReason::MalformedHeader),
        (
            101,
            {
                let mut short = ipv4(6, &tcp(b""));
                short[32] = 0x60;
                short
            },
            DropReason::MalformedHeader,
        ),
        (101, patched(0, 0x35), DropReason::NotIp),
        (228, inner6(), DropReason::MalformedHeader),
        (101, deep, DropReason::TooDeep),
        (101, ipv6(0, &extensions), DropReason::TooDeep),
        (101, ipv6(59, &[]), DropReason::NotTcpOrUdp),
        (105, wlan(&wlan_header(0x08, 0x41, &[]), &inner()), DropReason::NotIp),
        (105, wlan(&wlan_header(0x48, 0x01, &[]), &inner()), DropReason::NotIp),
        (105, wlan(&wlan_header(0x80, 0x00, &[]), &inner()), DropReason::NotIp),
    ];
    for (case, (link_type, bytes, reason)) in cases.into_iter().enumerate() {
        let mut decoder = decoder();
        let outcome = decoder.decode(&frame(link_type, &bytes), &mut Drops::default()).map(|_| ());
        assert_eq!(outcome, Err(reason), "case {case}");
    }
}

/// Bytes on a tunnel's port that are no tunnel stay what they are.
#[test]
fn hands_on_datagrams_that_only_use_a_tunnel_port() {
    let quic = join(&[&[0xc3, 0, 0, 0, 1, 8], &[0x5a; 200]]);
    let dtls = join(&[&[22, 0xfe, 0xfd], &[0; 60]]);
    for port in [1701, 2152, 3544, 4754, 4789, 4790, 5246, 5247, 6081, 6635, 8472, 443] {
        for payload in [&quic[..], &dtls, PAYLOAD, &[], &[0; 5], &[0; 100], &[0xff; 100]] {
            let bytes = ipv4(17, &udp(port, 40_000, payload));
            let mut decoder = decoder();
            let packet = decoder.decode(&frame(101, &bytes), &mut Drops::default()).unwrap();
            let Transport::Udp(datagram) = packet.transport else { panic!("{port}: {packet:?}") };
            assert_eq!(datagram.payload, payload, "{port}");
            assert!(packet.encapsulations.is_empty());
        }
    }
}

#[test]
fn hands_on_dtls_in_capwap_without_its_preamble() {
    let dtls = join(&[&[22, 0xfe, 0xff], &[0; 60]]);
    let bytes = ipv4(17, &udp(40_000, 5246, &join(&[&[1, 0, 0, 0], &dtls])));
    let mut decoder = decoder();
    let packet = decoder.decode(&frame(101, &bytes), &mut Drops::default()).unwrap();
    let Transport::Udp(datagram) = packet.transport else { panic!("{packet:?}") };
    assert_eq!(datagram.payload, dtls);
    assert_eq!(packet.encapsulations.to_string(), "capwap");
}

/// Cuts an IP payload into IPv4 or IPv6 fragments of at most `size` bytes.
fn fragments(v6: bool, protocol: u8, payload: &[u8], size: usize) -> Vec<Vec<u8>> {
    let count = payload.len().div_ceil(size);
    payload
        .chunks(size)
        .enumerate()
        .map(|(index, chunk)| {
            let more = u16::from(index + 1 < count);
            let offset = u16::try_from(index * size).unwrap();
            if v6 {
                let field = (offset | more).to_be_bytes();
                ipv6(44, &join(&[&[protocol, 0], &field, &[0, 0, 0, 77], chunk]))
            } else {
                ipv4_with(77, offset >> 3 | more << 13, protocol, chunk)
            }
        })
        .collect()
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let shorter = orders(count - 1);
    shorter
        .iter()
        .flat_map(|order| {
            (0..count).map(move |at| {
                let mut longer = order.clone();
                longer.insert(at, count - 1);
                longer
            })
        })
        .collect()
}

#[test]
fn reassembles_four_fragments_in_every_order() {
    for v6 in [false, true] {
        let pieces = fragments(v6, 6, &tcp(PAYLOAD), 16);
        assert_eq!(pieces.len(), 4);
        let orders = orders(4);
        assert_eq!(orders.len(), 24);
        for order in orders {
            let mut decoder = decoder();
            let mut drops = Drops::default();
            for &index in &order[..3] {
                let outcome = decoder.decode(&frame(101, &pieces[index]), &mut drops).map(|_| ());
                assert_eq!(outcome, Err(DropReason::FragmentPending));
            }
            assert!(decoder.fragment_bytes() > 0);
            let packet = decoder.decode(&frame(101, &pieces[order[3]]), &mut drops).unwrap();
            assert_eq!(segment(&packet).payload, PAYLOAD, "{order:?}");
            assert_eq!(packet.ttl, if v6 { 63 } else { 64 });
            assert_eq!(decoder.fragment_bytes(), 0);
            assert_eq!(drops, Drops::default());
        }
    }
}

#[test]
fn reassembles_with_duplicates() {
    let pieces = fragments(false, 6, &tcp(PAYLOAD), 16);
    let mut decoder = decoder();
    let mut drops = Drops::default();
    for index in [0, 0, 2, 1, 2] {
        assert!(decoder.decode(&frame(101, &pieces[index]), &mut drops).is_err());
    }
    let packet = decoder.decode(&frame(101, &pieces[3]), &mut drops).unwrap();
    assert_eq!(segment(&packet).payload, PAYLOAD);
    assert_eq!(drops, Drops::default());
}

/// The second copy differs and overlaps on both sides: what came first stays, the gap is filled, the conflict counted.
#[test]
fn keeps_the_first_bytes_of_an_overlap() {
    for v6 in [false, true] {
        let whole = tcp(PAYLOAD);
        let pieces = fragments(v6, 6, &whole, 8);
        assert_eq!(pieces.len(), 8);
        let mut decoder = decoder();
        let mut drops = Drops::default();
        for index in [0, 2, 4, 7] {
            assert!(decoder.decode(&frame(101, &pieces[index]), &mut drops).is_err());
        }
        // Bytes 0 to 48, true where nothing came before, false elsewhere.
        let mut evil = whole[..48].to_vec();
        for index in [0, 2, 4] {
            evil[index * 8..index * 8 + 8].fill(0xee);
        }
        let evil =
            if v6 { ipv6(44, &join(&[&[6, 0, 0, 1, 0, 0, 0, 77], &evil])) } else { ipv4_with(77, 0x2000, 6, &evil) };
        assert!(decoder.decode(&frame(101, &evil), &mut drops).is_err());
        assert_eq!(drops.get(DropReason::FragmentOverlap), 1);
        let packet = decoder.decode(&frame(101, &pieces[6]), &mut drops).unwrap();
        assert_eq!(segment(&packet).payload, PAYLOAD);
        assert_eq!(drops.get(DropReason::FragmentOverlap), 1);
    }
}

#[test]
fn rejects_fragments_that_cannot_belong() {
    let mut decoder = decoder();
    let mut drops = Drops::default();
    let mut outcome = |bytes: Vec<u8>| decoder.decode(&frame(101, &bytes), &mut drops).map(|_| ());
    let pending = Err(DropReason::FragmentPending);
    let malformed = Err(DropReason::MalformedHeader);
    // The last fragment says that the datagram has 24 bytes.
    assert_eq!(outcome(ipv4_with(1, 2, 17, &[0; 8])), pending);
    assert_eq!(outcome(ipv4_with(1, 3, 17, &[0; 8])), malformed);
    assert_eq!(outcome(ipv4_with(1, 0x2003, 17, &[0; 8])), malformed);
    assert_eq!(outcome(ipv4_with(1, 1, 17, &[0; 8])), malformed);
    // A last fragment before what already came.
    assert_eq!(outcome(ipv4_with(2, 0x2004, 17, &[0; 8])), pending);
    assert_eq!(outcome(ipv4_with(2, 2, 17, &[0; 8])), malformed);
    // Past the greatest length, and nothing at all.
    assert_eq!(outcome(ipv4_with(3, 0x1fff, 17, &[0; 8])), malformed);
    assert_eq!(outcome(ipv4_with(4, 0x2000, 17, &[])), malformed);
    // IPv6 fragments but the last are made of whole blocks.
    assert_eq!(outcome(ipv6(44, &[&[17, 0, 0, 1, 0, 0, 0, 1][..], &[0; 9]].concat())), malformed);
}

#[test]
fn counts_fragments_a_snap_length_cut() {
    let pieces = fragments(false, 6, &tcp(PAYLOAD), 32);
    let mut decoder = decoder();
    let snapped = Frame { original_length: 52, ..frame(101, &pieces[0][..40]) };
    let outcome = decoder.decode(&snapped, &mut Drops::default()).map(|_| ());
    assert_eq!(outcome, Err(DropReason::FragmentIncomplete));
    assert_eq!(decoder.fragment_bytes(), 0);
}

#[test]
fn tells_fragments_apart_by_tunnel() {
    let pieces = fragments(false, 6, &tcp(PAYLOAD), 32);
    let mut decoder = decoder();
    let mut drops = Drops::default();
    let first = ipv4(4, &pieces[0]);
    assert!(decoder.decode(&frame(101, &first), &mut drops).is_err());
    assert!(decoder.decode(&frame(101, &pieces[1]), &mut drops).is_err());
    let second = ipv4(4, &pieces[1]);
    let packet = decoder.decode(&frame(101, &second), &mut drops).unwrap();
    assert_eq!(packet.encapsulations.to_string(), "ipip");
    assert_eq!(segment(&packet).payload, PAYLOAD);
}

/// Cuts a packet into fragments, those into fragments in turn, `depth` times; what comes of the last.
fn decode_cut(decoder: &mut Decoder, depth: usize, bytes: &[u8]) -> Result<Vec<u8>, DropReason> {
    if depth == 0 {
        let packet = decoder.decode(&frame(101, bytes), &mut Drops::default())?;
        return Ok(segment(&packet).payload.to_vec());
    }
    let protocol = if bytes[0] >> 4 == 4 { 4 } else { 41 };
    let pieces = fragments(depth.is_multiple_of(2), protocol, bytes, 24);
    let (last, before) = pieces.split_last().unwrap();
    for piece in before {
        match decode_cut(decoder, depth - 1, piece) {
            Err(DropReason::FragmentPending) => {}
            outcome => return outcome,
        }
    }
    decode_cut(decoder, depth - 1, last)
}

#[test]
fn reassembles_fragments_in_fragments_up_to_a_depth() {
    for depth in 1..=MAX_NESTED_REASSEMBLIES {
        assert_eq!(decode_cut(&mut decoder(), depth, &inner()), Ok(PAYLOAD.to_vec()), "{depth}");
    }
    let outcome = decode_cut(&mut decoder(), MAX_NESTED_REASSEMBLIES + 1, &inner());
    assert_eq!(outcome, Err(DropReason::TooDeep));
}

#[test]
fn gives_up_datagrams_that_are_too_old() {
    let pieces = fragments(false, 6, &tcp(PAYLOAD), 32);
    let limits = FragmentLimits { age: Duration::from_secs(10), ..FragmentLimits::default() };
    let mut decoder = Decoder::new(limits);
    let mut drops = Drops::default();
    let mut at = |seconds, index: usize| {
        let frame = Frame { timestamp: Timestamp::from_seconds(seconds), ..frame(101, &pieces[index]) };
        (decoder.decode(&frame, &mut drops).is_ok(), drops.get(DropReason::FragmentIncomplete))
    };
    assert_eq!(at(100, 0), (false, 0));
    assert_eq!(at(111, 1), (false, 1));
    assert_eq!(at(121, 0), (true, 1));
}

#[test]
fn keeps_memory_and_count_within_limits_and_drops_the_oldest() {
    let limits = FragmentLimits { datagrams: 10, bytes: 20_000, age: Duration::from_secs(30) };
    let mut decoder = Decoder::new(limits);
    let mut drops = Drops::default();
    for id in 0..1000 {
        let bytes = ipv4_with(id, 0x2000 | (id % 64), 17, &[0; 1400]);
        assert_eq!(decoder.decode(&frame(101, &bytes), &mut drops).map(|_| ()), Err(DropReason::FragmentPending));
        assert!(decoder.fragment_bytes() <= limits.bytes);
    }
    for id in 2000..2100 {
        let bytes = ipv4_with(id, 0x2000, 17, &[0; 8]);
        assert!(decoder.decode(&frame(101, &bytes), &mut drops).is_err());
    }
    assert_eq!(drops.get(DropReason::FragmentIncomplete), 1090);
    // The newest is still there, the eleventh from the end is not.
    let last = |id| ipv4_with(id, 1, 17, &[0, 1, 0, 2, 0, 0, 0, 0]);
    assert!(decoder.decode(&frame(101, &last(2099)), &mut drops).is_ok());
    assert!(decoder.decode(&frame(101, &last(2089)), &mut drops).is_err());
    decoder.finish(&mut drops);
    assert_eq!(drops.get(DropReason::FragmentIncomplete), 1100);
    assert_eq!(decoder.fragment_bytes(), 0);
}

/// Many datagrams that do become whole leave nothing behind.
#[test]
fn forgets_whole_datagrams() {
    let mut decoder = decoder();
    let mut drops = Drops::default();
    for id in 0..10_000 {
        let (first, last) = (ipv4_with(id, 0x2000, 17, &[0; 8]), ipv4_with(id, 1, 17, &[0; 8]));
        assert!(decoder.decode(&frame(101, &first), &mut drops).is_err());
        assert!(decoder.decode(&frame(101, &last), &mut drops).is_ok());
    }
    assert_eq!(decoder.fragment_bytes(), 0);
    assert_eq!(drops, Drops::default());
}

#[test]
fn reassembles_capwap_fragments() {
    let body = wlan(&wlan_header(8, 1, &[]), &inner());
    let (first, last) = body.split_at(64);
    let mut decoder = decoder();
    let mut drops = Drops::default();
    let capwap = |flags: u8, offset: u8, body: &[u8]| in_udp(5247, &[0, 0x10, 0x03, flags, 0, 9, 0, offset], body);
    let second = capwap(0xc0, 64, last);
    assert!(decoder.decode(&frame(1, &second), &mut drops).is_err());
    let first = capwap(0x80, 0, first);
    let packet = decoder.decode(&frame(1, &first), &mut drops).unwrap();
    assert_eq!(segment(&packet).payload, PAYLOAD);
    assert_eq!(packet.encapsulations.to_string(), "capwap");
}
