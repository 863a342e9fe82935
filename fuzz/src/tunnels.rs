//! A TCP segment inside a stack of tags and tunnels is found, with the list of what it was in.
//!
//! ```text
//! input = inner:u8 count:u8 layer*count payload        layer = kind:u8 id:u16
//! ```
//! Layers are put around the segment one after the other, the innermost first; one that cannot stand there is left out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use handprint::capture::{Frame, LinkType};
use handprint::packet::{Decoder, EncapsulationKind as Kind, Encapsulations, FragmentLimits, Transport};
use handprint::stats::Drops;
use handprint::time::Timestamp;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ETHERNET: u16 = 0x6558;
const MPLS: u16 = 0x8847;
const NSH: u16 = 0x894f;

/// Kinds of layers.
pub const LAYERS: u8 = 24;

/// Layers of one stack: as many as handprint keeps, so that with outer headers between them no frame is too deep.
const MAX_LAYERS: usize = Encapsulations::LIMIT;

/// Checks that a packet is found in any stack.
pub fn check(data: &[u8]) {
    let Some((&[inner, count], rest)) = data.split_first_chunk::<2>() else { return };
    let count = usize::from(count) % (MAX_LAYERS + 1);
    let Some((layers, payload)) = rest.split_at_checked(count * 3) else { return };
    let payload = &payload[..payload.len().min(512)];
    let mut packet = Tunnelled::segment(inner & 1 == 1, payload);
    for layer in layers.chunks_exact(3) {
        packet = packet.wrapped(layer[0], u16::from_le_bytes([layer[1], layer[2]]));
    }
    let (frame, expected) = packet.framed();
    let steps = frame.len();
    let mut drops = Drops::default();
    let mut decoder = Decoder::new(FragmentLimits::default());
    let frame = Frame {
        timestamp: Timestamp::from_seconds(1_795_255_200),
        link_type: LinkType::ETHERNET,
        original_length: frame.len() as u32,
        bytes: &frame,
    };
    let decoded = decoder.decode(&frame, &mut drops);
    if expected.len() > Encapsulations::LIMIT {
        assert!(decoded.is_err(), "more layers than are kept");
        return;
    }
    let packet = decoded.unwrap_or_else(|reason| panic!("{reason:?} in {expected:?}, {steps} bytes"));
    let layers: Vec<_> = packet.encapsulations.iter().map(|layer| (layer.kind, layer.id)).collect();
    assert_eq!(layers, expected);
    let Transport::Tcp(segment) = packet.transport else { panic!("no segment in {expected:?}") };
    assert_eq!((segment.payload, segment.cut, segment.sequence), (payload, 0, 0x0102_0304), "{expected:?}");
    assert_eq!((packet.tuple.source.port(), packet.tuple.destination.port()), (40_000, 443));
    let source = if inner & 1 == 1 { IpAddr::V6(v6(1)) } else { IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)) };
    assert_eq!(packet.tuple.source.ip(), source, "{expected:?}");
}

/// A packet as the payload of an EtherType, and what it is in: the outermost first.
struct Tunnelled {
    ether_type: u16,
    bytes: Vec<u8>,
    layers: Vec<(Kind, Option<u32>)>,
}

impl Tunnelled {
    fn segment(six: bool, payload: &[u8]) -> Self {
        let mut segment = vec![];
        segment.extend(40_000_u16.to_be_bytes());
        segment.extend(443_u16.to_be_bytes());
        segment.extend([1, 2, 3, 4, 0, 0, 0, 0, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        segment.extend(payload);
        let (ether_type, bytes) = ip(six, 6, &segment);
        Self { ether_type, bytes, layers: Vec::new() }
    }

    fn is_ip(&self) -> bool {
        matches!(self.ether_type, IPV4 | IPV6)
    }

    /// The packet as an Ethernet frame, where it is none yet.
    fn framed(mut self) -> (Vec<u8>, Vec<(Kind, Option<u32>)>) {
        self.frame();
        (self.bytes, self.layers)
    }

    fn frame(&mut self) {
        if self.ether_type != ETHERNET {
            self.put(ETHERNET, &[&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1][..], &self.ether_type.to_be_bytes()].concat());
        }
    }

    /// Puts a header in front.
    fn put(&mut self, ether_type: u16, header: &[u8]) {
        self.bytes.splice(..0, header.iter().copied());
        self.ether_type = ether_type;
    }

    fn note(&mut self, kind: Kind, id: Option<u32>) {
        self.layers.insert(0, (kind, id));
    }

    /// Puts an IP header of either version in front.
    fn in_ip(&mut self, six: bool, protocol: u8) {
        (self.ether_type, self.bytes) = ip(six, protocol, &self.bytes);
    }

    fn in_udp(&mut self, six: bool, port: u16) {
        let length = (8 + self.bytes.len()) as u16;
        let header = [50_000_u16, port, length, 0].map(u16::to_be_bytes).concat();
        self.put(0, &header);
        self.in_ip(six, 17);
    }

    fn wrapped(mut self, kind: u8, id: u16) -> Self {
        // Lengths of 16 bits are in the way of what is longer.
        if self.bytes.len() > 4_000 {
            return self;
        }
        let (six, flag, wide) = (id & 0x8000 != 0, id & 0x4000 != 0, u32::from(id) | 0x0001_0000);
        let [_, i1, i2, i3] = wide.to_be_bytes();
        let inner_type = self.ether_type.to_be_bytes();
        match kind % LAYERS {
            0 => {
                let tag = (id & 0xfff).to_be_bytes();
                self.put(if flag { 0x88a8 } else { 0x8100 }, &[tag, inner_type].concat());
                self.note(Kind::Vlan, Some(u32::from(id & 0xfff)));
            }
            1 if self.is_ip() || self.ether_type == ETHERNET => {
                if self.ether_type == ETHERNET && flag {
                    self.put(0, &[0; 4]);
                }
                self.label(wide);
            }
            2 if self.is_ip() || self.ether_type == MPLS => {
                let protocol: u16 = match self.ether_type {
                    IPV4 => 0x0021,
                    IPV6 => 0x0057,
                    _ => 0x0281,
                };
                let length = (self.bytes.len() + 2) as u16;
                self.put(0x8864, &[[0x11, 0], id.to_be_bytes(), length.to_be_bytes(), protocol.to_be_bytes()].concat());
                self.note(Kind::Pppoe, Some(u32::from(id)));
            }
            3 => {
                self.frame();
                self.put(0x88e7, &[0, i1, i2, i3]);
                self.note(Kind::Pbb, Some(wide));
            }
            4 => {
                self.put(0x8909, &[[1, 1], [0, 1], id.to_be_bytes(), inner_type].concat());
                self.note(Kind::Sgt, Some(u32::from(id)));
            }
            5 => {
                let header = if flag { vec![0x20, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1] } else { vec![0; 6] };
                self.put(0x88e5, &[&header, &inner_type[..]].concat());
                self.note(Kind::Macsec, None);
            }
            6 => {
                let Some(next) = self.next_protocol() else { return self };
                self.put(NSH, &[0, 2, 0, next, i1, i2, i3, 0]);
                self.note(Kind::Nsh, Some(wide));
            }
            7 => self.frame(),
            8 => {
                let v4 = self.ether_type == IPV4;
                let protocol = match self.ether_type {
                    IPV4 => 4,
                    IPV6 => 41,
                    _ => return self,
                };
                self.in_ip(six, protocol);
                let kind = match (v4, six) {
                    (true, false) => Kind::Ipip,
                    (true, true) => Kind::FourInSix,
                    (false, false) => Kind::SixInFour,
                    (false, true) => Kind::SixInSix,
                };
                self.note(kind, None);
            }
            9 => {
                let mut header = vec![if flag { 0x30 } else { 0x20 } | if id & 1 == 1 { 0x80 } else { 0 }, 0];
                header.extend(inner_type);
                header.extend(if id & 1 == 1 { &[0; 4][..] } else { &[] });
                header.extend([0, 0, id.to_be_bytes()[0], id.to_be_bytes()[1]]);
                header.extend(if flag { &[0, 0, 0, 9][..] } else { &[] });
                self.put(0, &header);
                self.note(Kind::Gre, Some(u32::from(id)));
                self.in_ip(six, 47);
            }
            10 => {
                self.frame();
                self.put(0, &[0x20, 0, 0x65, 0x58, i1 | 0x10, i2, i3, 7]);
                self.note(Kind::Nvgre, Some(wide | 0x0010_0000));
                self.in_ip(six, 47);
            }
            11 => {
                self.frame();
                match id & 3 {
                    0 => {
                        self.put(0, &[0, 0, 0x88, 0xbe]);
                        self.note(Kind::Erspan, None);
                    }
                    1 => {
                        self.put(0, &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, i2 & 3, i3, 0, 0, 0, 1]);
                        self.note(Kind::Erspan, Some(wide & 0x3ff));
                    }
                    _ => {
                        let mut header = vec![0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, i2 & 3, i3, 0, 0, 0, 1];
                        header.extend([0, 0, 0, u8::from(flag)]);
                        header.extend(if flag { &[0; 8][..] } else { &[] });
                        self.put(0, &header);
                        self.note(Kind::Erspan, Some(wide & 0x3ff));
                    }
                }
                self.note(Kind::Gre, None);
                self.in_ip(six, 47);
            }
            12 if self.is_ip() => {
                let protocol = if self.ether_type == IPV4 { 0x21 } else { 0x57 };
                let length = ((self.bytes.len() + 4) as u16).to_be_bytes();
                let id = id.to_be_bytes();
                self.put(
                    0,
                    &[0x30, 1, 0x88, 0x0b, length[0], length[1], id[0], id[1], 0, 0, 0, 1, 0xff, 3, 0, protocol],
                );
                self.note(Kind::Pptp, Some(wide & 0xffff));
                self.in_ip(six, 47);
            }
            13 => {
                self.frame();
                if flag {
                    self.put(0, &[0x30, 0]);
                }
                self.note(Kind::EtherIp, None);
                self.in_ip(six, if flag { 97 } else { 143 });
            }
            14 if self.ether_type == MPLS => self.in_ip(six, 137),
            15 if self.ether_type == MPLS => self.in_udp(six, 6635),
            16 => {
                self.frame();
                self.put(0, &[8, 0, 0, 0, i1, i2, i3, 0]);
                self.note(Kind::Vxlan, Some(wide));
                self.in_udp(six, if flag { 8472 } else { 4789 });
            }
            17 => {
                let Some(next) = self.next_protocol() else { return self };
                self.put(0, &[0x0c, 0, 0, next, i1, i2, i3, 0]);
                self.note(Kind::VxlanGpe, Some(wide));
                self.in_udp(six, 4790);
            }
            18 if self.is_ip() || matches!(self.ether_type, ETHERNET | MPLS | NSH) => {
                let options = if flag { &[0, 1, 2, 1, 0xaa, 0xbb, 0xcc, 0xdd][..] } else { &[] };
                let head = [(options.len() / 4) as u8, 0, inner_type[0], inner_type[1], i1, i2, i3, 0];
                self.put(0, &[&head, options].concat());
                self.note(Kind::Geneve, Some(wide));
                self.in_udp(six, 6081);
            }
            19 if self.is_ip() => {
                let extension = if flag { &[0, 0, 0, 0x85, 1, 0x10, 9, 0][..] } else { &[] };
                let length = ((self.bytes.len() + extension.len()) as u16).to_be_bytes();
                let head = [if flag { 0x34 } else { 0x30 }, 255, length[0], length[1], 0, i1, i2, i3];
                self.put(0, &[&head, extension].concat());
                self.note(Kind::Gtpu, Some(wide));
                self.in_udp(six, 2152);
            }
            20 if self.ether_type == IPV6 => {
                if flag {
                    self.put(0, &[0, 0, 0x12, 0x34, 1, 2, 3, 4]);
                }
                self.note(Kind::Teredo, None);
                self.in_udp(six, 3544);
            }
            21 if self.is_ip() => {
                let protocol = if self.ether_type == IPV4 { 0x21 } else { 0x57 };
                let length = ((self.bytes.len() + 12) as u16).to_be_bytes();
                let id = id.to_be_bytes();
                self.put(0, &[0x40, 2, length[0], length[1], 0, 5, id[0], id[1], 0xff, 3, 0, protocol]);
                self.note(Kind::L2tp, Some(5 << 16 | wide & 0xffff));
                self.in_udp(six, 1701);
            }
            22 => {
                self.frame();
                // What L2TPv3 carries, and how long the cookie before it is, was agreed on before: it is told by what
                // fits, and only a frame with IP fits nothing else.
                if !matches!(self.bytes[12..14], [8, 0] | [0x86, 0xdd]) {
                    return self;
                }
                self.put(0, &[0, i1, i2, i3]);
                self.note(Kind::L2tpv3, Some(wide));
                if id & 1 == 1 {
                    self.put(0, &[0, 3, 0, 0]);
                    self.in_udp(six, 1701);
                } else {
                    self.in_ip(six, 115);
                }
            }
            23 => {
                self.frame();
                self.put(0, &[0, 0x10, 0x02, 0, 0, 0, 0, 0]);
                self.note(Kind::Capwap, None);
                self.in_udp(six, 5247);
            }
            _ => {}
        }
        self
    }

    /// An MPLS label, at the bottom of the stack where there is none below.
    fn label(&mut self, label: u32) {
        let bottom = if self.ether_type == MPLS { 0 } else { 0x100 };
        self.put(MPLS, &(label << 12 | bottom | 64).to_be_bytes());
        self.note(Kind::Mpls, Some(label));
    }

    /// The number that VXLAN-GPE and NSH have for what this is.
    fn next_protocol(&self) -> Option<u8> {
        match self.ether_type {
            IPV4 => Some(1),
            IPV6 => Some(2),
            ETHERNET => Some(3),
            NSH => Some(4),
            MPLS => Some(5),
            _ => None,
        }
    }
}

fn v6(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)
}

fn ip(six: bool, protocol: u8, payload: &[u8]) -> (u16, Vec<u8>) {
    let mut packet = Vec::with_capacity(40 + payload.len());
    if six {
        packet.extend([0x60, 0, 0, 0]);
        packet.extend((payload.len() as u16).to_be_bytes());
        packet.extend([protocol, 64]);
        packet.extend(v6(1).octets());
        packet.extend(v6(2).octets());
    } else {
        packet.extend([0x45, 0]);
        packet.extend((20 + payload.len() as u16).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    }
    packet.extend(payload);
    (if six { IPV6 } else { IPV4 }, packet)
}
