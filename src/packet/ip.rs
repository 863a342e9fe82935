//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers, with options, extension headers and fragments.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fragments::{First, Fragment, FragmentKey};
use super::{Network, Step, Walk, skip, take};
use crate::stats::DropReason;

/// IP protocol numbers.
mod protocol {
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const IPV4: u8 = 4;
    pub(super) const TCP: u8 = 6;
    pub(super) const UDP: u8 = 17;
    pub(super) const IPV6: u8 = 41;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const GRE: u8 = 47;
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const DESTINATION_OPTIONS: u8 = 60;
    pub(super) const ETHERIP: u8 = 97;
    pub(super) const L2TP: u8 = 115;
    pub(super) const MOBILITY: u8 = 135;
    pub(super) const MPLS: u8 = 137;
    pub(super) const HIP: u8 = 139;
    pub(super) const SHIM6: u8 = 140;
    pub(super) const ETHERNET: u8 = 143;
}

/// Extension headers read in one packet before it is given up.
const MAX_EXTENSION_HEADERS: usize = 16;

const IPV4_DO_NOT_FRAGMENT: u16 = 0x4000;
const IPV4_MORE_FRAGMENTS: u16 = 0x2000;
const IPV4_RESERVED: u16 = 0x8000;

impl<'a> Walk<'a, '_> {
    /// An IPv4 header and what it carries.
    #[inline]
    pub(super) fn ipv4(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        let header = bytes.first_chunk::<20>().ok_or(DropReason::TruncatedHeader)?;
        let [version, _, l0, l1, i0, i1, f0, f1, ttl, next, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = *header;
        let header_length = usize::from(version & 0x0f) * 4;
        if version >> 4 != 4 || header_length < header.len() {
            return Err(DropReason::MalformedHeader);
        }
        let network = {
            let (payload, short) = match usize::from(u16::from_be_bytes([l0, l1])) {
                // Segmentation offload: the card would have filled it in.
                0 => (bytes.get(header_length..), self.missing),
                total if total < header_length => return Err(DropReason::MalformedHeader),
                total => (
                    bytes.get(header_length..total).or_else(|| bytes.get(header_length..)),
                    u32::try_from(total.saturating_sub(bytes.len())).unwrap_or(u32::MAX),
                ),
            };
            Network {
                source: IpAddr::V4(Ipv4Addr::new(s0, s1, s2, s3)),
                destination: IpAddr::V4(Ipv4Addr::new(d0, d1, d2, d3)),
                ttl,
                payload: payload.ok_or(DropReason::TruncatedHeader)?,
                short,
            }
        };
        let fragment = u16::from_be_bytes([f0, f1]) & !(IPV4_DO_NOT_FRAGMENT | IPV4_RESERVED);
        if fragment != 0 {
            let key = FragmentKey {
                source: network.source,
                destination: network.destination,
                identification: u32::from(u16::from_be_bytes([i0, i1])),
                protocol: next,
                encapsulation: self.encapsulations.flow_key(),
            };
            return self.fragment(
                key,
                next,
                &network,
                usize::from((fragment & 0x1fff) << 3),
                fragment & IPV4_MORE_FRAGMENTS != 0,
            );
        }
        self.protocol(next, network)
    }

    /// An IPv6 header and what it carries.
    #[inline]
    pub(super) fn ipv6(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        let (header, rest) = bytes.split_first_chunk::<40>().ok_or(DropReason::TruncatedHeader)?;
        let ([version, _, _, _, l0, l1, next, ttl], addresses) =
            header.split_first_chunk::<8>().ok_or(DropReason::TruncatedHeader)?;
        let (source, destination) = addresses.split_first_chunk::<16>().ok_or(DropReason::TruncatedHeader)?;
        let destination = destination.first_chunk::<16>().ok_or(DropReason::TruncatedHeader)?;
        if version >> 4 != 6 {
            return Err(DropReason::MalformedHeader);
        }
        let (payload, short) = match usize::from(u16::from_be_bytes([*l0, *l1])) {
            // A jumbogram (RFC 2675 section 2), or segmentation offload.
            0 => (rest, self.missing),
            length => (
                rest.get(..length).unwrap_or(rest),
                u32::try_from(length.saturating_sub(rest.len())).unwrap_or(u32::MAX),
            ),
        };
        let network = Network {
            source: IpAddr::V6(Ipv6Addr::from(*source)),
            destination: IpAddr::V6(Ipv6Addr::from(*destination)),
            ttl: *ttl,
            payload,
            short,
        };
        self.protocol(*next, network)
    }

    /// What an IP header names as the protocol of its payload.
    #[inline]
    fn protocol(&mut self, next: u8, network: Network<'a>) -> Result<Step<'a>, DropReason> {
        match next {
            protocol::TCP => self.tcp(&network),
            protocol::UDP => self.udp(&network),
            _ => self.other_protocol(next, network),
        }
    }

    /// Extension headers and tunnels; not inlined, so that TCP and UDP straight in IP stay a short path.
    #[inline(never)]
    fn other_protocol(&mut self, mut next: u8, mut network: Network<'a>) -> Result<Step<'a>, DropReason> {
        for _ in 0..MAX_EXTENSION_HEADERS {
            let payload = network.payload;
            match next {
                protocol::TCP => return self.tcp(&network),
                protocol::UDP => return self.udp(&network),
                protocol::IPV4 => return self.ipv4_in_ip(&network),
                protocol::IPV6 => return self.ipv6_in_ip(&network),
                protocol::GRE => return self.gre(payload),
                protocol::L2TP => return self.l2tpv3_in_ip(payload),
                protocol::ETHERIP => return self.ether_ip(payload),
                protocol::ETHERNET => return self.ethernet_in_ip(payload),
                protocol::MPLS => return self.mpls(payload),
                protocol::AUTHENTICATION => {
                    // RFC 4302 section 2.2: in 4-octet units, less two.
                    let [following, length] = *payload.first_chunk().ok_or(DropReason::TruncatedHeader)?;
                    network.payload = skip(payload, (usize::from(length) + 2) * 4)?;
                    next = following;
                }
                protocol::HOP_BY_HOP
                | protocol::ROUTING
                | protocol::DESTINATION_OPTIONS
                | protocol::MOBILITY
                | protocol::HIP
                | protocol::SHIM6 => {
                    // In 8-octet units, less one.
                    let [following, length] = *payload.first_chunk().ok_or(DropReason::TruncatedHeader)?;
                    network.payload = skip(payload, (usize::from(length) + 1) * 8)?;
                    next = following;
                }
                protocol::FRAGMENT => {
                    let mut rest = payload;
                    let [following, _, f0, f1, i0, i1, i2, i3] = *take::<8>(&mut rest)?;
                    let offset = u16::from_be_bytes([f0, f1]);
                    network.payload = rest;
                    next = following;
                    if offset & 0xfff9 == 0 {
                        // An atomic fragment (RFC 6946): whole as it is.
                        continue;
                    }
                    let key = FragmentKey {
                        source: network.source,
                        destination: network.destination,
                        identification: u32::from_be_bytes([i0, i1, i2, i3]),
                        // Only the first fragment's counts (RFC 8200 section 4.5).
                        protocol: protocol::FRAGMENT,
                        encapsulation: self.encapsulations.flow_key(),
                    };
                    return self.fragment(key, following, &network, usize::from(offset & 0xfff8), offset & 1 != 0);
                }
                _ => return Err(DropReason::NotTcpOrUdp),
            }
        }
        Err(DropReason::TooDeep)
    }

    /// Keeps a fragment; goes on with the datagram when it is whole.
    #[cold]
    #[inline(never)]
    fn fragment(
        &mut self,
        key: FragmentKey,
        next: u8,
        network: &Network<'a>,
        offset: usize,
        more: bool,
    ) -> Result<Step<'a>, DropReason> {
        if network.short > 0 {
            // The bytes that are not there are missing from the datagram for good.
            return Err(DropReason::FragmentIncomplete);
        }
        let fragment = Fragment { offset, more, next, ttl: network.ttl, payload: network.payload };
        let (First { next, ttl }, payload) = self.reassemble(key, &fragment)?;
        self.protocol(next, Network { ttl, payload, ..*network })
    }

    /// Keeps a fragment; lends the datagram when it is whole.
    pub(super) fn reassemble(
        &mut self,
        key: FragmentKey,
        fragment: &Fragment<'_>,
    ) -> Result<(First, &'a [u8]), DropReason> {
        let (buffer, whole) = std::mem::take(&mut self.whole).split_first_mut().ok_or(DropReason::TooDeep)?;
        self.whole = whole;
        let first = self.fragments.insert(key, fragment, self.timestamp, buffer, self.drops)?;
        self.missing = 0;
        Ok((first, buffer))
    }
}
