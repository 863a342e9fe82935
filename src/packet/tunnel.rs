//! A packet in a packet: tags, shims and tunnels.
//!
//! What EtherTypes and IP protocols announce is believed. A UDP port alone is not: a tunnel in UDP is opened only when
//! its header fits and what is inside looks like the packet it should be; otherwise the datagram is handed on as it is.
//! Geneve, VXLAN and Teredo fit tightly enough to be opened on any port.

use super::fragments::{Fragment, FragmentKey};
use super::link::{self, type_or_length, wlan_data};
use super::{
    Datagram, EncapsulationKind, Encapsulations, IpProtocol, Layer, Network, Step, Transport, Walk, skip, take,
    take_u16, take_u32,
};
use crate::stats::DropReason;

/// Where a tunnel's header ends: its id, what follows, and that.
type Inside<'a> = (Option<u32>, Layer, &'a [u8]);

impl<'a> Walk<'a, '_> {
    /// What an EtherType other than IP's announces.
    pub(super) fn ether_type(&mut self, ether_type: u16, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        let mut rest = bytes;
        match ether_type {
            // 802.1Q, 802.1ad, and what was used before it.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => {
                let tag = take_u16(&mut rest)? & 0x0fff;
                self.encapsulated(EncapsulationKind::Vlan, Some(u32::from(tag)))?;
                Ok(type_or_length(take_u16(&mut rest)?, rest))
            }
            0x6558 => Ok(Step::Next(Layer::Ethernet, rest)),
            link::MPLS | 0x8848 => self.mpls(rest),
            link::PPPOE_SESSION => self.pppoe(rest),
            0x880b => Ok(Step::Next(Layer::Ppp, rest)),
            // 802.1ah: flags and I-SID, and the customer's frame.
            0x88e7 => {
                let service = take_u32(&mut rest)? & 0x00ff_ffff;
                self.encapsulated(EncapsulationKind::Pbb, Some(service))?;
                Ok(Step::Next(Layer::Ethernet, rest))
            }
            0x88e5 => self.macsec(rest),
            // Cisco FabricPath: a forwarding tag and TTL, and the frame it carries.
            0x8903 if rest.get(2..).is_some_and(is_ethernet) => Ok(Step::Next(Layer::Ethernet, skip(rest, 2)?)),
            // Cisco metadata: version, length in 4 bytes, then one option of type and group each.
            0x8909 => {
                let [version, length, _, _, g0, g1] = *take::<6>(&mut rest)?;
                if version != 1 || length == 0 {
                    return Err(DropReason::MalformedHeader);
                }
                rest = skip(rest, (usize::from(length) - 1) * 4)?;
                self.encapsulated(EncapsulationKind::Sgt, Some(u32::from(u16::from_be_bytes([g0, g1]))))?;
                Ok(type_or_length(take_u16(&mut rest)?, rest))
            }
            0x894f => self.nsh(rest),
            // HSR and VN-Tag have four bytes of their own before the next type, 802.1BR has six.
            0x892f | 0x8926 => {
                take::<4>(&mut rest)?;
                Ok(type_or_length(take_u16(&mut rest)?, rest))
            }
            0x893f => {
                take::<6>(&mut rest)?;
                Ok(type_or_length(take_u16(&mut rest)?, rest))
            }
            _ => Err(DropReason::NotIp),
        }
    }

    /// MPLS labels, and the IP packet or the pseudowire (RFC 4448) below, told apart by the first nibble.
    pub(super) fn mpls(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        let mut rest = bytes;
        loop {
            let entry = take_u32(&mut rest)?;
            self.encapsulated(EncapsulationKind::Mpls, Some(entry >> 12))?;
            if entry & 0x100 != 0 {
                break;
            }
        }
        if is_ip(rest) {
            return Ok(Step::Next(Layer::Ip, rest));
        }
        // A control word begins with sixteen zero bits; receivers look at four of them, which an address may have, too.
        match (rest, rest.get(4..)) {
            ([0, 0, ..], Some(frame)) if is_ethernet(frame) => Ok(Step::Next(Layer::Ethernet, frame)),
            _ if is_ethernet(rest) => Ok(Step::Next(Layer::Ethernet, rest)),
            ([0..=15, ..], Some(frame)) if is_ethernet(frame) => Ok(Step::Next(Layer::Ethernet, frame)),
            _ => Err(DropReason::NotIp),
        }
    }

    /// GRE: RFC 2784 and 2890, the routing of RFC 1701, and PPTP's version 1 (RFC 2637 section 4.1).
    pub(super) fn gre(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        const CHECKSUM: u16 = 0x8000;
        const ROUTING: u16 = 0x4000;
        const KEY: u16 = 0x2000;
        const SEQUENCE: u16 = 0x1000;
        const ACKNOWLEDGMENT: u16 = 0x0080;
        const VERSION: u16 = 0x0007;
        const ETHERNET: u16 = 0x6558;
        /// NVGRE's first virtual subnet (RFC 7637 section 3.2), as a key: below lie ordinary keys.
        const FIRST_NVGRE_KEY: u32 = 0x0010_0000;

        let mut rest = bytes;
        let flags = take_u16(&mut rest)?;
        let protocol = take_u16(&mut rest)?;
        match flags & VERSION {
            0 => {}
            1 => {
                let call = take_u32(&mut rest)? & 0xffff;
                if flags & SEQUENCE == 0 || protocol != 0x880b {
                    return Err(DropReason::NotIp);
                }
                rest = skip(rest, if flags & ACKNOWLEDGMENT == 0 { 4 } else { 8 })?;
                self.encapsulated(EncapsulationKind::Pptp, Some(call))?;
                return Ok(Step::Next(Layer::Ppp, rest));
            }
            _ => return Err(DropReason::MalformedHeader),
        }
        if flags & (CHECKSUM | ROUTING) != 0 {
            take::<4>(&mut rest)?;
        }
        let key = if flags & KEY != 0 { Some(take_u32(&mut rest)?) } else { None };
        let sequence = flags & SEQUENCE != 0;
        if sequence {
            take::<4>(&mut rest)?;
        }
        if flags & ROUTING != 0 {
            // Source route entries, each at least its own header long, until an empty one.
            loop {
                let [a0, a1, _, length] = *take::<4>(&mut rest)?;
                if [a0, a1, length] == [0, 0, 0] {
                    break;
                }
                rest = skip(rest, usize::from(length))?;
            }
        }
        match key {
            Some(key) if protocol == ETHERNET && flags & (CHECKSUM | SEQUENCE) == 0 && key >= FIRST_NVGRE_KEY => {
                self.encapsulated(EncapsulationKind::Nvgre, Some(key >> 8))?;
            }
            _ => self.encapsulated(EncapsulationKind::Gre, key)?,
        }
        match protocol {
            0x88be => self.erspan(rest, sequence),
            0x22eb => self.erspan(rest, true),
            // WCCP: version 2 puts a redirect header before the packet.
            0x883e if is_ip(rest) => Ok(Step::Next(Layer::Ip, rest)),
            0x883e => Ok(Step::Next(Layer::Ip, skip(rest, 4)?)),
            _ => Ok(Step::Next(Layer::EtherType(protocol), rest)),
        }
    }

    /// ERSPAN: type I has no header and no sequence number in GRE, types II and III have a version.
    fn erspan(&mut self, bytes: &'a [u8], has_header: bool) -> Result<Step<'a>, DropReason> {
        let mut rest = bytes;
        if !has_header {
            self.encapsulated(EncapsulationKind::Erspan, None)?;
            return Ok(Step::Next(Layer::Ethernet, rest));
        }
        let [version, _, s0, s1, _, _, _, _] = *take::<8>(&mut rest)?;
        let session = u32::from(u16::from_be_bytes([s0, s1]) & 0x03ff);
        let mut layer = Layer::Ethernet;
        match version >> 4 {
            1 => {}
            2 => {
                let [_, _, frame_type, flags] = *take::<4>(&mut rest)?;
                if frame_type >> 2 & 0x1f == 2 {
                    layer = Layer::Ip;
                }
                if flags & 1 == 1 {
                    take::<8>(&mut rest)?;
                }
            }
            _ => return Err(DropReason::MalformedHeader),
        }
        self.encapsulated(EncapsulationKind::Erspan, Some(session))?;
        Ok(Step::Next(layer, rest))
    }

    /// IPv4 as the payload of IP.
    pub(super) fn ipv4_in_ip(&mut self, network: &Network<'a>) -> Result<Step<'a>, DropReason> {
        let outer_is_v4 = network.source.is_ipv4();
        self.encapsulated(if outer_is_v4 { EncapsulationKind::Ipip } else { EncapsulationKind::FourInSix }, None)?;
        Ok(Step::Next(Layer::EtherType(link::IPV4), network.payload))
    }

    /// IPv6 as the payload of IP.
    pub(super) fn ipv6_in_ip(&mut self, network: &Network<'a>) -> Result<Step<'a>, DropReason> {
        let outer_is_v4 = network.source.is_ipv4();
        self.encapsulated(if outer_is_v4 { EncapsulationKind::SixInFour } else { EncapsulationKind::SixInSix }, None)?;
        Ok(Step::Next(Layer::EtherType(link::IPV6), network.payload))
    }

    /// Ethernet as the payload of IP, as SRv6 does.
    pub(super) fn ethernet_in_ip(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        self.encapsulated(EncapsulationKind::EtherIp, None)?;
        Ok(Step::Next(Layer::Ethernet, bytes))
    }

    /// EtherIP (RFC 3378): a version and Ethernet.
    pub(super) fn ether_ip(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        let mut rest = bytes;
        match take_u16(&mut rest)? {
            0x3000 => self.ethernet_in_ip(rest),
            _ => Err(DropReason::MalformedHeader),
        }
    }

    /// L2TPv3 straight in IP (RFC 3931 section 4.1.1).
    pub(super) fn l2tpv3_in_ip(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        match l2tpv3(bytes) {
            Some(inside) => self.enter(EncapsulationKind::L2tpv3, inside),
            None => Err(DropReason::NotTcpOrUdp),
        }
    }

    /// PPPoE after discovery (RFC 2516 section 4).
    fn pppoe(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        let mut rest = bytes;
        let [version_and_type, code, s0, s1, l0, l1] = *take::<6>(&mut rest)?;
        if version_and_type != 0x11 {
            return Err(DropReason::MalformedHeader);
        }
        if code != 0 {
            return Err(DropReason::NotIp);
        }
        self.encapsulated(EncapsulationKind::Pppoe, Some(u32::from(u16::from_be_bytes([s0, s1]))))?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        Ok(Step::Next(Layer::Ppp, rest.get(..length).unwrap_or(rest)))
    }

    /// IEEE 802.1AE without confidentiality: the tag, and the frame in clear.
    fn macsec(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        const VERSION: u8 = 0x80;
        const CHANNEL: u8 = 0x20;
        const ENCRYPTED_OR_CHANGED: u8 = 0x0c;

        let mut rest = bytes;
        let [control, ..] = *take::<6>(&mut rest)?;
        if control & (VERSION | ENCRYPTED_OR_CHANGED) != 0 {
            return Err(DropReason::NotIp);
        }
        if control & CHANNEL != 0 {
            take::<8>(&mut rest)?;
        }
        self.encapsulated(EncapsulationKind::Macsec, None)?;
        Ok(type_or_length(take_u16(&mut rest)?, rest))
    }

    /// A network service header (RFC 8300 section 2): its length counts 4-byte words.
    fn nsh(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        let [_, length, _, next, p0, p1, p2, _] = *bytes.first_chunk::<8>().ok_or(DropReason::TruncatedHeader)?;
        let length = usize::from(length & 0x3f) * 4;
        if length < 8 {
            return Err(DropReason::MalformedHeader);
        }
        let layer = next_protocol(next).ok_or(DropReason::NotIp)?;
        self.encapsulated(EncapsulationKind::Nsh, Some(u32::from_be_bytes([0, p0, p1, p2])))?;
        Ok(Step::Next(layer, skip(bytes, length)?))
    }

    /// The tunnel in a UDP datagram, where there is one.
    #[inline]
    pub(super) fn udp_tunnel(
        &mut self,
        (source, destination): (u16, u16),
        datagram: &Datagram<'a>,
        network: &Network<'a>,
    ) -> Result<Option<Step<'a>>, DropReason> {
        let payload = datagram.payload;
        let port = if is_tunnel_port(destination) { destination } else { source };
        if is_tunnel_port(port) {
            self.tunnel_at_port(port, (source, destination), datagram, network)
        } else if let Some(inside) = geneve_on_any_port(payload) {
            self.enter(EncapsulationKind::Geneve, inside).map(Some)
        } else if let Some(inside) = vxlan_on_any_port(payload) {
            self.enter(EncapsulationKind::Vxlan, inside).map(Some)
        } else if let Some(inside) = teredo_on_any_port(payload) {
            self.enter(EncapsulationKind::Teredo, inside).map(Some)
        } else {
            Ok(None)
        }
    }

    #[inline(never)]
    fn tunnel_at_port(
        &mut self,
        port: u16,
        ports: (u16, u16),
        datagram: &Datagram<'a>,
        network: &Network<'a>,
    ) -> Result<Option<Step<'a>>, DropReason> {
        let payload = datagram.payload;
        let (kind, inside) = match port {
            1701 => match payload.get(1).map(|byte| byte & 0x0f) {
                Some(2) => (EncapsulationKind::L2tp, l2tpv2(payload)),
                Some(3) => (EncapsulationKind::L2tpv3, l2tpv3_in_udp(payload)),
                _ => return Ok(None),
            },
            2152 => (EncapsulationKind::Gtpu, gtpu(payload)),
            3544 => (EncapsulationKind::Teredo, teredo(payload)),
            4754 if is_gre(payload) => return self.gre(payload).map(Some),
            4789 | 4790 | 8472 => vxlan(payload),
            5246 | 5247 => return self.capwap(ports, datagram, network),
            6081 => (EncapsulationKind::Geneve, geneve(payload)),
            6635 if is_labelled(payload) => return self.mpls(payload).map(Some),
            _ => return Ok(None),
        };
        inside.map(|inside| self.enter(kind, inside)).transpose()
    }

    fn enter(&mut self, kind: EncapsulationKind, (id, layer, rest): Inside<'a>) -> Result<Step<'a>, DropReason> {
        self.encapsulated(kind, id)?;
        Ok(Step::Next(layer, rest))
    }

    /// CAPWAP (RFC 5415 section 4): data with frames inside, or DTLS, which is handed on without its preamble.
    fn capwap(
        &mut self,
        ports: (u16, u16),
        datagram: &Datagram<'a>,
        network: &Network<'a>,
    ) -> Result<Option<Step<'a>>, DropReason> {
        const DTLS: u8 = 1;
        const NATIVE: u8 = 0x01;
        const FRAGMENT: u8 = 0x80;
        const LAST_FRAGMENT: u8 = 0x40;
        const KEEP_ALIVE: u8 = 0x08;
        const IEEE_802_11: u8 = 1;

        let mut rest = datagram.payload;
        if let [DTLS, _, _, _, dtls @ ..] = rest {
            // A record of version 1.0 or 1.2, or a 1.3 record with the unified header.
            if !matches!(dtls, [20..=25, 0xfe, ..] | [0x20..=0x3f, ..]) {
                return Ok(None);
            }
            self.encapsulated(EncapsulationKind::Capwap, None)?;
            let inner = Datagram { payload: dtls, cut: datagram.cut };
            return Ok(Some(Step::Done(self.packet(network, IpProtocol::Udp, ports, Transport::Udp(inner)))));
        }
        let Some([preamble, length, binding, flags, i0, i1, o0, o1]) = rest.first_chunk().copied() else {
            return Ok(None);
        };
        let length = usize::from(length >> 3) * 4;
        if preamble != 0 || length < 8 || flags & KEEP_ALIVE != 0 || !(ports.0 == 5247 || ports.1 == 5247) {
            return Ok(None);
        }
        let Some(body) = rest.get(length..) else { return Ok(None) };
        rest = body;
        if flags & FRAGMENT != 0 {
            if network.short > 0 {
                return Err(DropReason::FragmentIncomplete);
            }
            let key = FragmentKey {
                source: network.source,
                destination: network.destination,
                identification: u32::from(u16::from_be_bytes([i0, i1])) << 16 | u32::from(ports.0 ^ ports.1),
                // CAPWAP's own: no IP protocol has this number.
                protocol: 0xff,
                encapsulation: self.encapsulations.flow_key(),
            };
            let offset = usize::from(u16::from_be_bytes([o0, o1]) & 0xfff8);
            let more = flags & LAST_FRAGMENT == 0;
            (_, rest) = self.reassemble(key, &Fragment { offset, more, next: 0, ttl: 0, payload: rest })?;
        }
        if binding & NATIVE == 0 {
            if !is_ethernet(rest) {
                return Ok(None);
            }
            self.encapsulated(EncapsulationKind::Capwap, None)?;
            return Ok(Some(Step::Next(Layer::Ethernet, rest)));
        }
        let Some([control, flags]) = rest.first_chunk().copied() else { return Ok(None) };
        if binding >> 1 & 0x1f != IEEE_802_11 {
            return Ok(None);
        }
        self.encapsulated(EncapsulationKind::Capwap, None)?;
        // Cisco's controllers swap the two bytes of the frame control field. In order, the first has version 0 and
        // the type of a data frame; swapped, it is the flags.
        let swapped = control & 0x0f != 0x08 && flags & 0x0f == 0x08;
        let (control, flags) = if swapped { (flags, control) } else { (control, flags) };
        wlan_data(rest, control, flags).map(Some)
    }
}

const fn is_tunnel_port(port: u16) -> bool {
    matches!(port, 1701 | 2152 | 3544 | 4754 | 4789 | 4790 | 5246 | 5247 | 6081 | 6635 | 8472)
}

/// VXLAN (RFC 7348 section 5), or VXLAN-GPE where a next protocol is set that fits.
fn vxlan(bytes: &[u8]) -> (EncapsulationKind, Option<Inside<'_>>) {
    const GROUP_POLICY: u8 = 0x80;
    const INSTANCE: u8 = 0x08;

    let Some(([flags, _, _, next, v0, v1, v2, _], rest)) = bytes.split_first_chunk::<8>() else {
        return (EncapsulationKind::Vxlan, None);
    };
    if flags & INSTANCE == 0 {
        return (EncapsulationKind::Vxlan, None);
    }
    let id = Some(u32::from_be_bytes([0, *v0, *v1, *v2]));
    // Not every sender sets the flag that announces it. With a group policy its byte is another.
    let next = next_protocol(*next).filter(|layer| flags & GROUP_POLICY == 0 && fits(*layer, rest));
    match next {
        Some(layer) => (EncapsulationKind::VxlanGpe, Some((id, layer, rest))),
        None => (EncapsulationKind::Vxlan, is_ethernet(rest).then_some((id, Layer::Ethernet, rest))),
    }
}

/// VXLAN with every reserved bit zero, as senders must, and IP in Ethernet inside.
#[inline]
fn vxlan_on_any_port(bytes: &[u8]) -> Option<Inside<'_>> {
    match bytes {
        [0x08, 0, 0, 0, _, _, _, 0, frame @ ..] if carries_ip(frame) => vxlan(bytes).1,
        _ => None,
    }
}

/// Geneve (RFC 8926 section 3.4): version 0, options in 4-byte words.
fn geneve(bytes: &[u8]) -> Option<Inside<'_>> {
    let ([first, _, t0, t1, v0, v1, v2, _], rest) = bytes.split_first_chunk::<8>()?;
    if first >> 6 != 0 {
        return None;
    }
    let rest = rest.get(usize::from(first & 0x3f) * 4..)?;
    let layer = Layer::EtherType(u16::from_be_bytes([*t0, *t1]));
    fits(layer, rest).then_some((Some(u32::from_be_bytes([0, *v0, *v1, *v2])), layer, rest))
}

/// Geneve with every reserved bit zero, as senders must, and IP in Ethernet inside.
#[inline]
fn geneve_on_any_port(bytes: &[u8]) -> Option<Inside<'_>> {
    match bytes {
        [first, 0 | 0x40 | 0x80 | 0xc0, 0x65, 0x58, _, _, _, 0, rest @ ..] if *first < 0x40 => {
            let frame = rest.get(usize::from(first & 0x3f) * 4..)?;
            if carries_ip(frame) { geneve(bytes) } else { None }
        }
        _ => None,
    }
}

/// A GTP-U G-PDU (3GPP TS 29.281 section 5): extension headers in 4-byte words, the last byte naming the next.
fn gtpu(bytes: &[u8]) -> Option<Inside<'_>> {
    const VERSION_1_GTP: u8 = 0x30;
    const OPTIONAL_FIELDS: u8 = 0x07;
    const EXTENSION: u8 = 0x04;
    const G_PDU: u8 = 255;

    let ([flags, message, l0, l1, t0, t1, t2, t3], rest) = bytes.split_first_chunk::<8>()?;
    if flags & 0xf0 != VERSION_1_GTP || *message != G_PDU {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([*l0, *l1]));
    let mut rest = rest.get(..length).unwrap_or(rest);
    if flags & OPTIONAL_FIELDS != 0 {
        let (optional, after) = rest.split_first_chunk::<4>()?;
        let [_, _, _, mut next] = *optional;
        rest = after;
        while flags & EXTENSION != 0 && next != 0 {
            let words = usize::from(*rest.first()?);
            let (extension, after) = rest.split_at_checked(words * 4)?;
            next = *extension.last()?;
            rest = after;
        }
    }
    let layer = if is_ip(rest) {
        Layer::Ip
    } else if is_ethernet(rest) {
        Layer::Ethernet
    } else {
        return None;
    };
    Some((Some(u32::from_be_bytes([*t0, *t1, *t2, *t3])), layer, rest))
}

/// Teredo (RFC 4380 section 5.1.1): authentication, origin indication, IPv6.
fn teredo(bytes: &[u8]) -> Option<Inside<'_>> {
    let mut rest = bytes;
    if let [0x00, 0x01, client, value, after @ ..] = rest {
        // Client identifier, authentication value, nonce and confirmation.
        rest = after.get(usize::from(*client) + usize::from(*value) + 9..)?;
    }
    if let [0x00, 0x00, after @ ..] = rest {
        rest = after.get(6..)?;
    }
    is_ipv6(rest).then_some((None, Layer::EtherType(link::IPV6), rest))
}

/// IPv6 of exactly the datagram's length, with Teredo's prefix in one of the addresses.
#[inline]
fn teredo_on_any_port(bytes: &[u8]) -> Option<Inside<'_>> {
    const PREFIX: [u8; 4] = [0x20, 0x01, 0, 0];

    let ([version, _, _, _, l0, l1, ..], rest) = bytes.split_first_chunk::<40>()?;
    if version >> 4 != 6 || usize::from(u16::from_be_bytes([*l0, *l1])) != rest.len() {
        return None;
    }
    let from_teredo = bytes.get(8..12) == Some(&PREFIX) || bytes.get(24..28) == Some(&PREFIX);
    from_teredo.then_some((None, Layer::EtherType(link::IPV6), bytes))
}

/// An L2TPv2 data message (RFC 2661 section 3.1) with PPP.
fn l2tpv2(bytes: &[u8]) -> Option<Inside<'_>> {
    const CONTROL: u16 = 0x8000;
    const LENGTH: u16 = 0x4000;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;

    let mut rest = bytes;
    let flags = take_u16(&mut rest).ok()?;
    if flags & CONTROL != 0 {
        return None;
    }
    if flags & LENGTH != 0 {
        let length = usize::from(take_u16(&mut rest).ok()?).checked_sub(4)?;
        rest = rest.get(..length).unwrap_or(rest);
    }
    let tunnel_and_session = take_u32(&mut rest).ok()?;
    if flags & SEQUENCE != 0 {
        take_u32(&mut rest).ok()?;
    }
    if flags & OFFSET != 0 {
        let padding = take_u16(&mut rest).ok()?;
        rest = rest.get(usize::from(padding)..)?;
    }
    is_ppp(rest).then_some((Some(tunnel_and_session), Layer::Ppp, rest))
}

/// An L2TPv3 data message in UDP (RFC 3931 section 4.1.2).
fn l2tpv3_in_udp(bytes: &[u8]) -> Option<Inside<'_>> {
    let ([control, ..], rest) = bytes.split_first_chunk::<4>()?;
    if control & 0x80 == 0 { l2tpv3(rest) } else { None }
}

/// From the session id on. How long the cookie is (0, 4 or 8 bytes), whether a sublayer header (4 bytes) follows and
/// what is inside was agreed on before: the first that fits.
fn l2tpv3(bytes: &[u8]) -> Option<Inside<'_>> {
    let (session, rest) = bytes.split_first_chunk::<4>()?;
    let session = u32::from_be_bytes(*session);
    if session == 0 {
        // A control message.
        return None;
    }
    let bodies = || [0, 4, 8, 12].into_iter().filter_map(|skipped| rest.get(skipped..));
    let inside = |layer, body| (Some(session), layer, body);
    bodies()
        .find(|body| carries_ip(body))
        .map(|body| inside(Layer::Ethernet, body))
        .or_else(|| bodies().find(|body| is_ppp(body)).map(|body| inside(Layer::Ppp, body)))
        .or_else(|| bodies().find(|body| is_ip(body)).map(|body| inside(Layer::Ip, body)))
}

/// The next protocol of VXLAN-GPE and NSH.
const fn next_protocol(number: u8) -> Option<Layer> {
    match number {
        1 => Some(Layer::EtherType(link::IPV4)),
        2 => Some(Layer::EtherType(link::IPV6)),
        3 => Some(Layer::Ethernet),
        4 => Some(Layer::EtherType(0x894f)),
        5 => Some(Layer::EtherType(link::MPLS)),
        _ => None,
    }
}

/// Whether the bytes look like what they are said to be.
fn fits(layer: Layer, bytes: &[u8]) -> bool {
    match layer {
        Layer::EtherType(link::IPV4) => is_ipv4(bytes),
        Layer::EtherType(link::IPV6) => is_ipv6(bytes),
        Layer::EtherType(link::MPLS | 0x8848) => is_labelled(bytes),
        Layer::Ethernet | Layer::EtherType(0x6558) => is_ethernet(bytes),
        // A network service header: version 0, at least two words.
        Layer::EtherType(0x894f) => matches!(bytes, [first, length, ..] if first >> 6 == 0 && length & 0x3f >= 2),
        Layer::EtherType(0x8909 | 0x8100 | 0x880b) => true,
        _ => false,
    }
}

fn is_ip(bytes: &[u8]) -> bool {
    is_ipv4(bytes) || is_ipv6(bytes)
}

fn is_ipv4(bytes: &[u8]) -> bool {
    let Some([version, _, l0, l1, ..]) = bytes.first_chunk::<20>() else { return false };
    let total = usize::from(u16::from_be_bytes([*l0, *l1]));
    matches!(version, 0x45..=0x4f) && (total == 0 || total >= usize::from(version & 0x0f) * 4)
}

/// A version alone is little: the next header must be one that is used, too.
fn is_ipv6(bytes: &[u8]) -> bool {
    let Some([version, _, _, _, _, _, next, ..]) = bytes.first_chunk::<40>() else { return false };
    version >> 4 == 6
        && matches!(
            next,
            0 | 4 | 6 | 17 | 41 | 43 | 44 | 47 | 50 | 51 | 58..=60 | 97 | 115 | 132 | 135 | 137 | 139 | 140 | 143
        )
}

/// Ethernet with IP that looks like it, with one of the other common types, or with LLC of a length that fits.
fn is_ethernet(bytes: &[u8]) -> bool {
    let Some(([.., t0, t1], rest)) = bytes.split_first_chunk::<14>() else { return false };
    match u16::from_be_bytes([*t0, *t1]) {
        link::IPV4 => is_ipv4(rest),
        link::IPV6 => is_ipv6(rest),
        0x0806 | 0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 | link::MPLS | 0x8848 | 0x8863 | 0x8864 => true,
        0x880b | 0x88cc | 0x88e5 | 0x88e7 | 0x8909 | 0x8926 | 0x892f | 0x893f | 0x894f => true,
        length @ 3..=1500 => usize::from(length) <= rest.len(),
        _ => false,
    }
}

/// Ethernet with IP, perhaps in VLANs.
fn carries_ip(frame: &[u8]) -> bool {
    let Some(mut rest) = frame.get(12..) else { return false };
    for _ in 0..=Encapsulations::LIMIT {
        match take_u16(&mut rest) {
            Ok(link::IPV4) => return is_ipv4(rest),
            Ok(link::IPV6) => return is_ipv6(rest),
            Ok(0x8100 | 0x88a8) if take_u16(&mut rest).is_ok() => {}
            _ => return false,
        }
    }
    false
}

/// Labels with IP or a pseudowire below.
fn is_labelled(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    for _ in 0..Encapsulations::LIMIT {
        match take_u32(&mut rest) {
            Ok(entry) if entry & 0x100 == 0 => {}
            Ok(_) => return is_ip(rest) || is_ethernet(rest) || rest.get(4..).is_some_and(is_ethernet),
            Err(_) => return false,
        }
    }
    false
}

/// GRE of version 0 with no reserved bit set and a protocol that is used in UDP (RFC 8086).
fn is_gre(bytes: &[u8]) -> bool {
    let Some([flags, version, protocol @ ..]) = bytes.first_chunk::<4>() else { return false };
    let protocol = u16::from_be_bytes(*protocol);
    flags & 0x4f == 0
        && *version == 0
        && matches!(protocol, link::IPV4 | link::IPV6 | link::MPLS | 0x6558 | 0x88be | 0x22eb)
}

/// PPP with address and control, or with a protocol that carries IP or negotiates.
fn is_ppp(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0x03, ..] | [0xc0, 0x21 | 0x23, ..] | [0xc2, 0x23, ..] | [0x80, 0x21 | 0x57 | 0xfd, ..] => true,
        [0x00, 0x21, rest @ ..] | [0x21, rest @ ..] => is_ipv4(rest),
        [0x00, 0x57, rest @ ..] | [0x57, rest @ ..] => is_ipv6(rest),
        _ => false,
    }
}
