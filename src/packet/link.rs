//! What lies before the network layer: the link types of the pcap registry, Ethernet, LLC, 802.11, PPP, Frame Relay.

use super::{Layer, Step, skip, take, take_u16};
use crate::capture::LinkType;
use crate::stats::DropReason;

/// EtherType of IPv4.
pub(super) const IPV4: u16 = 0x0800;
/// EtherType of IPv6.
pub(super) const IPV6: u16 = 0x86dd;
/// EtherType of MPLS with downstream-assigned labels.
pub(super) const MPLS: u16 = 0x8847;
/// EtherType of a PPPoE session.
pub(super) const PPPOE_SESSION: u16 = 0x8864;

/// Values below this in an Ethernet header's type field are a length (IEEE 802.3 clause 3.2.6).
const FIRST_ETHER_TYPE: u16 = 0x0600;

/// Reads what a link type other than Ethernet puts first.
pub(super) fn link(link_type: LinkType, bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    let mut rest = bytes;
    match link_type.0 {
        0 | 108 => loopback(bytes),
        1 => ethernet(bytes),
        8 => Ok(Step::Next(Layer::Ip, skip(bytes, 16)?)),
        10 => Ok(Step::Next(Layer::LogicalLink, skip(bytes, 13)?)),
        12 | 14 | 101 => Ok(Step::Next(Layer::Ip, bytes)),
        9 | 50 => ppp_or_cisco_hdlc(bytes),
        51 => Ok(Step::Next(Layer::EtherType(PPPOE_SESSION), bytes)),
        100 => Ok(Step::Next(Layer::LogicalLink, bytes)),
        104 => cisco_hdlc(bytes),
        105 => Ok(Step::Next(Layer::Wlan, bytes)),
        107 => frame_relay(bytes),
        // OpenBSD's enc: address family, SPI and flags, each 4 bytes in host order.
        109 => {
            let family = *take::<4>(&mut rest)?;
            family_payload(host_order(family), skip(rest, 8)?)
        }
        113 => {
            let [.., t0, t1] = *take::<16>(&mut rest)?;
            cooked(u16::from_be_bytes([t0, t1]), rest)
        }
        117 => {
            let [length, family] = *rest.first_chunk::<2>().ok_or(DropReason::TruncatedHeader)?;
            family_payload(u32::from(family), skip(rest, (usize::from(length) + 3) & !3)?)
        }
        // IP over Fibre Channel (RFC 2625): two addresses of 8 bytes.
        122 => Ok(Step::Next(Layer::LogicalLink, skip(bytes, 16)?)),
        // SunATM: flags with the traffic type, and the circuit; 2 is LLC.
        123 => match *take::<4>(&mut rest)? {
            [flags, ..] if flags & 0x0f == 2 => Ok(Step::Next(Layer::LogicalLink, rest)),
            _ => Err(DropReason::NotIp),
        },
        // Prism, or AVS in its place.
        119 | 163 => {
            let [m0, m1, m2, m3, l0, l1, l2, l3] = *rest.first_chunk::<8>().ok_or(DropReason::TruncatedHeader)?;
            let length = if u32::from_be_bytes([m0, m1, m2, m3]) >> 4 == 0x0802_1100 {
                u32::from_be_bytes([l0, l1, l2, l3])
            } else {
                host_order([l0, l1, l2, l3])
            };
            let length = usize::try_from(length).map_err(|_| DropReason::MalformedHeader)?;
            Ok(Step::Next(Layer::Wlan, skip(rest, length.max(8))?))
        }
        127 => {
            let [_, _, l0, l1] = *rest.first_chunk::<4>().ok_or(DropReason::TruncatedHeader)?;
            let length = u16::from_le_bytes([l0, l1]);
            Ok(Step::Next(Layer::Wlan, skip(rest, usize::from(length).max(8))?))
        }
        // IP over IEEE 1394 as Apple has it: two addresses of 8 bytes and a type.
        138 => {
            let [.., t0, t1] = *take::<18>(&mut rest)?;
            Ok(Step::Next(Layer::EtherType(u16::from_be_bytes([t0, t1])), rest))
        }
        // PPP of pppd: the direction stands in the address byte's place.
        166 => match *rest.first_chunk::<2>().ok_or(DropReason::TruncatedHeader)? {
            [_, 0x03] => Ok(Step::Next(Layer::Ppp, skip(rest, 2)?)),
            _ => Ok(Step::Next(Layer::Ppp, skip(rest, 1)?)),
        },
        178 => juniper_ethernet(bytes),
        // PPI: its link type may be any but itself.
        192 => {
            let [_, _, l0, l1, t0, t1, t2, t3] = *rest.first_chunk::<8>().ok_or(DropReason::TruncatedHeader)?;
            let inner = u32::from_le_bytes([t0, t1, t2, t3]);
            let inner = u16::try_from(inner).map_err(|_| DropReason::UnknownLinkType)?;
            Ok(Step::Next(Layer::Link(LinkType(inner)), skip(rest, usize::from(u16::from_le_bytes([l0, l1])).max(8))?))
        }
        197 => erf(bytes),
        // A byte that gives the direction.
        204 => ppp_or_cisco_hdlc(skip(bytes, 1)?),
        205 => cisco_hdlc(skip(bytes, 1)?),
        206 => frame_relay(skip(bytes, 1)?),
        219 => Ok(Step::Next(Layer::EtherType(MPLS), bytes)),
        226 => Ok(Step::Next(Layer::Ip, skip(bytes, 24)?)),
        228 => Ok(Step::Next(Layer::EtherType(IPV4), bytes)),
        229 => Ok(Step::Next(Layer::EtherType(IPV6), bytes)),
        239 => nflog(bytes),
        // netANALYZER: four bytes of status, and with 241 the preamble.
        240 => Ok(Step::Next(Layer::Ethernet, skip(bytes, 4)?)),
        241 => Ok(Step::Next(Layer::Ethernet, skip(bytes, 12)?)),
        // IP over InfiniBand: a global route header, a type and two reserved bytes (RFC 4391).
        242 => {
            let [.., t0, t1, _, _] = *take::<44>(&mut rest)?;
            Ok(Step::Next(Layer::EtherType(u16::from_be_bytes([t0, t1])), rest))
        }
        // PKTAP, in the capturing host's byte order: header length, record type (1 is a packet), link type.
        258 => {
            let [l0, l1, l2, l3, _, _, _, _, t0, t1, t2, t3] =
                *rest.first_chunk::<12>().ok_or(DropReason::TruncatedHeader)?;
            let length = usize::try_from(host_order([l0, l1, l2, l3])).map_err(|_| DropReason::MalformedHeader)?;
            let inner = u16::try_from(host_order([t0, t1, t2, t3])).map_err(|_| DropReason::UnknownLinkType)?;
            Ok(Step::Next(Layer::Link(LinkType::from_file(inner)), skip(rest, length.max(12))?))
        }
        // Ethernet from the preamble on, by its start delimiter: an express frame, or the first part of a preemptable.
        274 => match *take::<8>(&mut rest)? {
            [.., 0xd5 | 0xe6 | 0x4c | 0x7f | 0xb3] => Ok(Step::Next(Layer::Ethernet, rest)),
            _ => Err(DropReason::NotIp),
        },
        276 => {
            let [t0, t1, ..] = *take::<20>(&mut rest)?;
            cooked(u16::from_be_bytes([t0, t1]), rest)
        }
        // A switch's tag: behind the addresses, before the destination, or with a type of its own.
        281 | 284 => switch_tagged(bytes, 4),
        282 => Ok(Step::Next(Layer::Ethernet, skip(bytes, 4)?)),
        285 => switch_tagged(bytes, 8),
        _ => Err(DropReason::UnknownLinkType),
    }
}

/// An Ethernet header: two addresses and a type, or a length and LLC.
#[inline]
pub(super) fn ethernet(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    let (header, rest) = bytes.split_first_chunk::<14>().ok_or(DropReason::TruncatedHeader)?;
    let [.., t0, t1] = *header;
    Ok(type_or_length(u16::from_be_bytes([t0, t1]), rest))
}

/// What follows an Ethernet type field: LLC where the field is a length, which says where it ends.
#[inline]
pub(super) fn type_or_length(field: u16, rest: &[u8]) -> Step<'_> {
    if field >= FIRST_ETHER_TYPE {
        Step::Next(Layer::EtherType(field), rest)
    } else {
        Step::Next(Layer::LogicalLink, rest.get(..usize::from(field)).unwrap_or(rest))
    }
}

/// An LLC header, with SNAP where it has one.
pub(super) fn logical_link(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    let mut rest = bytes;
    match *take::<3>(&mut rest)? {
        [0xaa, 0xaa, 0x03] => sub_network_access(rest),
        [0x06, 0x06, 0x03] => Ok(Step::Next(Layer::EtherType(IPV4), rest)),
        _ => Err(DropReason::NotIp),
    }
}

/// A SNAP header: an organisation, and a protocol of its.
fn sub_network_access(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    let mut rest = bytes;
    let organisation = *take::<3>(&mut rest)?;
    let protocol = take_u16(&mut rest)?;
    match (organisation, protocol) {
        // Ethernet's own types, plain or by IEEE 802.1H.
        ([0, 0, 0] | [0, 0, 0xf8], _) => Ok(Step::Next(Layer::EtherType(protocol), rest)),
        // Bridged Ethernet, after two bytes of padding (RFC 2684 section 5.2).
        ([0x00, 0x80, 0xc2], 1 | 7) => Ok(Step::Next(Layer::Ethernet, skip(rest, 2)?)),
        _ => Err(DropReason::NotIp),
    }
}

/// An IEEE 802.11 header.
pub(super) fn wlan(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    let [control, flags, ..] = *bytes.first_chunk::<24>().ok_or(DropReason::TruncatedHeader)?;
    wlan_data(bytes, control, flags)
}

/// A PPP frame: address and control where they are there, and a protocol of one or two bytes.
pub(super) fn ppp(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    let mut rest = match bytes {
        [0xff, 0x03, rest @ ..] => rest,
        _ => bytes,
    };
    let [first] = *take::<1>(&mut rest)?;
    let protocol = if first & 1 == 1 {
        // The protocol field compressed (RFC 1661 section 6.5).
        u16::from(first)
    } else {
        let [second] = *take::<1>(&mut rest)?;
        u16::from_be_bytes([first, second])
    };
    match protocol {
        0x0021 => Ok(Step::Next(Layer::EtherType(IPV4), rest)),
        0x0057 => Ok(Step::Next(Layer::EtherType(IPV6), rest)),
        0x0281 | 0x0283 => Ok(Step::Next(Layer::EtherType(MPLS), rest)),
        _ => Err(DropReason::NotIp),
    }
}

/// An 802.11 data frame whose first two bytes are `control` and `flags`; some controllers swap them in CAPWAP.
pub(super) fn wlan_data(bytes: &[u8], control: u8, flags: u8) -> Result<Step<'_>, DropReason> {
    const TYPE: u8 = 0x0c;
    const DATA: u8 = 0x08;
    const NO_DATA: u8 = 0x40;
    const QUALITY_OF_SERVICE: u8 = 0x80;
    const BOTH_WAYS: u8 = 0x03;
    const PROTECTED: u8 = 0x40;
    const ORDER: u8 = 0x80;
    const AGGREGATED: u8 = 0x80;

    let sequence = bytes.get(22..24).ok_or(DropReason::TruncatedHeader)?;
    let fragment = sequence.first().is_some_and(|byte| byte & 0x0f != 0);
    if control & 3 != 0 || control & TYPE != DATA || control & NO_DATA != 0 || flags & PROTECTED != 0 || fragment {
        return Err(DropReason::NotIp);
    }
    let mut length = if flags & BOTH_WAYS == BOTH_WAYS { 30 } else { 24 };
    let mut aggregated = false;
    if control & QUALITY_OF_SERVICE != 0 {
        let quality = bytes.get(length).ok_or(DropReason::TruncatedHeader)?;
        aggregated = quality & AGGREGATED != 0;
        length += if flags & ORDER != 0 { 6 } else { 2 };
    }
    let body = skip(bytes, length)?;
    // Some drivers align the body to four bytes.
    let aligned = bytes.get((length + 3) & !3..).unwrap_or(body);
    let body = if !aggregated && aligned.starts_with(&[0xaa, 0xaa, 0x03]) { aligned } else { body };
    if !aggregated {
        return Ok(Step::Next(Layer::LogicalLink, body));
    }
    // An A-MSDU: the first of the frames in it.
    let mut subframe = body;
    let [.., l0, l1] = *take::<14>(&mut subframe)?;
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    Ok(Step::Next(Layer::LogicalLink, subframe.get(..length).unwrap_or(subframe)))
}

/// BSD loopback: the address family in the byte order of the capturing host, or of the network (LOOP).
fn loopback(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    let mut rest = bytes;
    let family = *take::<4>(&mut rest)?;
    match family {
        // Some write an EtherType instead.
        [_, _, 0x08, 0x00] => Ok(Step::Next(Layer::EtherType(IPV4), rest)),
        [_, _, 0x86, 0xdd] => Ok(Step::Next(Layer::EtherType(IPV6), rest)),
        _ => family_payload(host_order(family), rest),
    }
}

/// A small number in either byte order.
const fn host_order(bytes: [u8; 4]) -> u32 {
    let (little, big) = (u32::from_le_bytes(bytes), u32::from_be_bytes(bytes));
    if little < big { little } else { big }
}

/// IP by the address family of a BSD, Darwin or Linux.
const fn family_payload(family: u32, rest: &[u8]) -> Result<Step<'_>, DropReason> {
    match family {
        2 => Ok(Step::Next(Layer::EtherType(IPV4), rest)),
        10 | 24 | 28 | 30 => Ok(Step::Next(Layer::EtherType(IPV6), rest)),
        _ => Err(DropReason::NotIp),
    }
}

/// Linux cooked capture: an EtherType, or one of Linux' own numbers below.
fn cooked(protocol: u16, rest: &[u8]) -> Result<Step<'_>, DropReason> {
    match protocol {
        0x0004 => Ok(Step::Next(Layer::LogicalLink, rest)),
        _ if protocol < FIRST_ETHER_TYPE => Err(DropReason::NotIp),
        _ => Ok(Step::Next(Layer::EtherType(protocol), rest)),
    }
}

/// Cisco HDLC: address, control, EtherType.
fn cisco_hdlc(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    let mut rest = bytes;
    let [_, _, t0, t1] = *take::<4>(&mut rest)?;
    Ok(Step::Next(Layer::EtherType(u16::from_be_bytes([t0, t1])), rest))
}

/// PPP, or Cisco HDLC by the addresses it has in PPP's place.
fn ppp_or_cisco_hdlc(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    match bytes {
        [0x0f | 0x8f, 0x00, ..] => cisco_hdlc(bytes),
        _ => Ok(Step::Next(Layer::Ppp, bytes)),
    }
}

/// Frame Relay: an address whose last byte is odd, then control and NLPID (RFC 2427), or an EtherType as Cisco has it.
fn frame_relay(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    const UNNUMBERED: u8 = 0x03;
    const LONGEST_ADDRESS: usize = 4;

    let address = bytes.iter().take(LONGEST_ADDRESS).position(|byte| byte & 1 != 0);
    let address = address.filter(|last| *last > 0).ok_or(DropReason::MalformedHeader)?;
    let mut rest = skip(bytes, address + 1)?;
    match rest {
        [UNNUMBERED, 0xcc, packet @ ..] => Ok(Step::Next(Layer::EtherType(IPV4), packet)),
        [UNNUMBERED, 0x8e, packet @ ..] => Ok(Step::Next(Layer::EtherType(IPV6), packet)),
        // SNAP, with or without a byte of padding.
        [UNNUMBERED, 0x80, snap @ ..] | [UNNUMBERED, 0x00, 0x80, snap @ ..] => sub_network_access(snap),
        [UNNUMBERED, ..] => Err(DropReason::NotIp),
        _ => Ok(type_or_length(take_u16(&mut rest)?, rest)),
    }
}

/// Juniper's header: a magic number, flags, extensions where the flags say so, and an Ethernet frame.
fn juniper_ethernet(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    const NO_LINK_LAYER: u8 = 0x02;
    const EXTENSIONS: u8 = 0x80;

    let mut rest = bytes;
    let [b'M', b'G', b'C', flags] = *take::<4>(&mut rest)? else { return Err(DropReason::MalformedHeader) };
    if flags & EXTENSIONS != 0 {
        let length = take_u16(&mut rest)?;
        rest = skip(rest, usize::from(length))?;
    }
    if flags & NO_LINK_LAYER != 0 {
        return Ok(Step::Next(Layer::Ip, skip(rest, 4)?));
    }
    Ok(Step::Next(Layer::Ethernet, rest))
}

/// An Endace record: a header of 16 bytes, extension headers, and by its type what the wire showed.
fn erf(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    const MORE: u8 = 0x80;
    const MOST_EXTENSIONS: usize = 16;

    let mut rest = bytes;
    let [_, _, _, _, _, _, _, _, kind, ..] = *take::<16>(&mut rest)?;
    let mut more = kind & MORE != 0;
    for _ in 0..MOST_EXTENSIONS {
        if !more {
            break;
        }
        let [first, ..] = *take::<8>(&mut rest)?;
        more = first & MORE != 0;
    }
    match kind & !MORE {
        // HDLC, with and without colours.
        1 | 10 | 15 | 17 => ppp_or_cisco_hdlc(rest),
        // Ethernet, with and without colours, behind two bytes of padding.
        2 | 11 | 16 | 20 => Ok(Step::Next(Layer::Ethernet, skip(rest, 2)?)),
        22 => Ok(Step::Next(Layer::EtherType(IPV4), rest)),
        23 => Ok(Step::Next(Layer::EtherType(IPV6), rest)),
        _ => Err(DropReason::NotIp),
    }
}

/// Ethernet with a switch's tag of `tag` bytes between the addresses and the type.
fn switch_tagged(bytes: &[u8], tag: usize) -> Result<Step<'_>, DropReason> {
    let mut rest = skip(bytes, 12 + tag)?;
    Ok(type_or_length(take_u16(&mut rest)?, rest))
}

/// Linux netfilter log: attributes in the capturing host's byte order, one of them the packet.
fn nflog(bytes: &[u8]) -> Result<Step<'_>, DropReason> {
    const PAYLOAD: u16 = 9;
    const MOST_ATTRIBUTES: usize = 32;

    let mut rest = bytes;
    take::<4>(&mut rest)?;
    for _ in 0..MOST_ATTRIBUTES {
        let attribute = rest;
        let [l0, l1, t0, t1] = *take::<4>(&mut rest)?;
        // Attribute types are small: the byte order in which this one is.
        let (length, kind) = if t1 == 0 {
            (u16::from_le_bytes([l0, l1]), u16::from(t0))
        } else {
            (u16::from_be_bytes([l0, l1]), u16::from_be_bytes([t0, t1]))
        };
        let length = usize::from(length);
        if length < 4 {
            return Err(DropReason::MalformedHeader);
        }
        if kind & 0x7fff == PAYLOAD {
            return Ok(Step::Next(Layer::Ip, attribute.get(4..length).unwrap_or(rest)));
        }
        rest = skip(attribute, (length + 3) & !3)?;
    }
    Err(DropReason::NotIp)
}
