//! A packet in a packet: tags, shims and tunnels.

use super::link::type_or_length;
use super::{Datagram, EncapsulationKind, Network, Step, Walk, take};
use crate::stats::DropReason;

impl<'a> Walk<'a, '_> {
    /// What an EtherType other than IP's announces.
    pub(super) fn ether_type(&mut self, ether_type: u16, bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        let mut rest = bytes;
        match ether_type {
            0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => {
                let [c0, c1, t0, t1] = *take::<4>(&mut rest)?;
                let tag = u16::from_be_bytes([c0, c1]) & 0x0fff;
                self.encapsulated(EncapsulationKind::Vlan, Some(u32::from(tag)))?;
                Ok(type_or_length(u16::from_be_bytes([t0, t1]), rest))
            }
            _ => Err(DropReason::NotIp),
        }
    }

    pub(super) fn udp_tunnel(
        &mut self,
        _ports: (u16, u16),
        _datagram: &Datagram<'a>,
        _network: &Network<'a>,
    ) -> Result<Option<Step<'a>>, DropReason> {
        Ok(None)
    }
    pub(super) fn gre(&mut self, _bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        Err(DropReason::NotTcpOrUdp)
    }
    pub(super) fn l2tpv3_in_ip(&mut self, _bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        Err(DropReason::NotTcpOrUdp)
    }
    pub(super) fn ether_ip(&mut self, _bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        Err(DropReason::NotTcpOrUdp)
    }
    pub(super) fn ethernet_in_ip(&mut self, _bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        Err(DropReason::NotTcpOrUdp)
    }
    pub(super) fn mpls(&mut self, _bytes: &'a [u8]) -> Result<Step<'a>, DropReason> {
        Err(DropReason::NotTcpOrUdp)
    }
    pub(super) fn ipv4_in_ip(&mut self, _n: &Network<'a>) -> Result<Step<'a>, DropReason> {
        Err(DropReason::NotTcpOrUdp)
    }
    pub(super) fn ipv6_in_ip(&mut self, _n: &Network<'a>) -> Result<Step<'a>, DropReason> {
        Err(DropReason::NotTcpOrUdp)
    }
}
