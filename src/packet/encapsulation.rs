//! [`Encapsulations`]: the tags and tunnels a packet was found in.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A kind of tag or tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum EncapsulationKind {
    /// An IEEE 802.1Q or 802.1ad tag; the id is the VLAN's.
    Vlan,
    /// An MPLS label (RFC 3032); the id is the label.
    Mpls,
    /// A PPPoE session (RFC 2516); the id is the session's.
    Pppoe,
    /// An IEEE 802.1ah backbone service tag; the id is the I-SID.
    Pbb,
    /// A Cisco security group tag; the id is the group.
    Sgt,
    /// IEEE 802.1AE with integrity protection only.
    Macsec,
    /// GRE (RFC 2784, RFC 2890); the id is the key.
    Gre,
    /// NVGRE (RFC 7637); the id is the virtual subnet's.
    Nvgre,
    /// PPTP's version of GRE (RFC 2637); the id is the call's.
    Pptp,
    /// ERSPAN; the id is the session's.
    Erspan,
    /// VXLAN (RFC 7348); the id is the VNI.
    Vxlan,
    /// VXLAN-GPE; the id is the VNI.
    VxlanGpe,
    /// Geneve (RFC 8926); the id is the VNI.
    Geneve,
    /// A network service header (RFC 8300); the id is the service path's.
    Nsh,
    /// GTP-U (3GPP TS 29.281); the id is the TEID.
    Gtpu,
    /// IPv4 in IPv4 (RFC 2003).
    Ipip,
    /// IPv6 in IPv4 (RFC 4213).
    SixInFour,
    /// IPv4 in IPv6 (RFC 2473).
    FourInSix,
    /// IPv6 in IPv6 (RFC 2473).
    SixInSix,
    /// Ethernet straight in IP: EtherIP (RFC 3378) or protocol 143 (RFC 8986).
    EtherIp,
    /// L2TP version 2 (RFC 2661); the id is the tunnel's in the upper and the session's in the lower 16 bits.
    L2tp,
    /// L2TP version 3 (RFC 3931); the id is the session's.
    L2tpv3,
    /// Teredo (RFC 4380).
    Teredo,
    /// CAPWAP (RFC 5415).
    Capwap,
}

impl EncapsulationKind {
    /// The kind's name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vlan => "vlan",
            Self::Mpls => "mpls",
            Self::Pppoe => "pppoe",
            Self::Pbb => "pbb",
            Self::Sgt => "sgt",
            Self::Macsec => "macsec",
            Self::Gre => "gre",
            Self::Nvgre => "nvgre",
            Self::Pptp => "pptp",
            Self::Erspan => "erspan",
            Self::Vxlan => "vxlan",
            Self::VxlanGpe => "vxlan-gpe",
            Self::Geneve => "geneve",
            Self::Nsh => "nsh",
            Self::Gtpu => "gtp-u",
            Self::Ipip => "ipip",
            Self::SixInFour => "6in4",
            Self::FourInSix => "4in6",
            Self::SixInSix => "6in6",
            Self::EtherIp => "etherip",
            Self::L2tp => "l2tp",
            Self::L2tpv3 => "l2tpv3",
            Self::Teredo => "teredo",
            Self::Capwap => "capwap",
        }
    }

    /// Whether the kind is a tunnel, and so tells one flow from another. Tags are put on by each switch as it likes,
    /// and a mirror port may show one direction with and the other without them.
    const fn tells_flows(self) -> bool {
        !matches!(self, Self::Vlan | Self::Mpls | Self::Sgt | Self::Macsec)
    }

    /// Whether both directions carry the same id.
    const fn id_is_symmetric(self) -> bool {
        matches!(self, Self::Pppoe | Self::Pbb | Self::Gre | Self::Nvgre | Self::Vxlan | Self::VxlanGpe | Self::Geneve)
    }
}

impl fmt::Display for EncapsulationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One tag or tunnel. Serialises as `{"type":"vxlan","id":42}`, without `id` where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Encapsulation {
    /// What it is.
    pub kind: EncapsulationKind,
    /// Its tag, label, key or session, where it has one: see [`EncapsulationKind`].
    pub id: Option<u32>,
}

impl Serialize for Encapsulation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(if self.id.is_some() { 2 } else { 1 }))?;
        map.serialize_entry("type", self.kind.name())?;
        if let Some(id) = self.id {
            map.serialize_entry("id", &id)?;
        }
        map.end()
    }
}

/// The tags and tunnels around a packet, outermost first: at most [`Encapsulations::LIMIT`], held inline.
///
/// Serialises as a list: `[{"type":"vlan","id":100},{"type":"vxlan","id":42}]`.
#[derive(Clone, Copy)]
pub struct Encapsulations {
    ids: [u32; Self::LIMIT],
    kinds: [EncapsulationKind; Self::LIMIT],
    length: u8,
    /// Bit n says that layer n has an id.
    has_id: u8,
    flow_key: u32,
}

impl Encapsulations {
    /// The most layers that are kept; a packet with more is given up as too deep.
    pub const LIMIT: usize = 8;

    /// How many layers there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length as usize
    }

    /// Whether the packet is in no tag and no tunnel.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The layers, outermost first.
    pub fn iter(&self) -> impl Iterator<Item = Encapsulation> + '_ {
        self.kinds.iter().zip(&self.ids).take(self.len()).enumerate().map(|(layer, (kind, id))| Encapsulation {
            kind: *kind,
            id: (self.has_id >> layer & 1 == 1).then_some(*id),
        })
    }

    /// The VLAN tag nearest to the packet, where it has one.
    #[must_use]
    pub fn vlan(&self) -> Option<u32> {
        self.iter().filter(|layer| layer.kind == EncapsulationKind::Vlan).last().and_then(|layer| layer.id)
    }

    /// Tells a flow in a tunnel from the same flow outside it or in another: the kinds of tunnels in order, and those
    /// of their ids that both directions share. Zero outside tunnels; tags and per-direction ids do not count.
    #[must_use]
    #[inline]
    pub const fn flow_key(&self) -> u32 {
        self.flow_key
    }

    /// Adds the next inner layer; false when there is no more room.
    #[must_use]
    pub fn push(&mut self, layer: Encapsulation) -> bool {
        let index = usize::from(self.length);
        let (Some(kind), Some(id)) = (self.kinds.get_mut(index), self.ids.get_mut(index)) else { return false };
        *kind = layer.kind;
        *id = layer.id.unwrap_or(0);
        self.has_id |= u8::from(layer.id.is_some()) << index;
        self.length += 1;
        if layer.kind.tells_flows() {
            let shared = layer.id.filter(|_| layer.kind.id_is_symmetric());
            let word = self.flow_key ^ (layer.kind as u32 + 1) ^ (u32::from(shared.is_some()) << 8);
            self.flow_key = mix(mix(word) ^ shared.unwrap_or(0)).max(1);
        }
        true
    }
}

impl Default for Encapsulations {
    #[inline]
    fn default() -> Self {
        Self { ids: [0; Self::LIMIT], kinds: [EncapsulationKind::Vlan; Self::LIMIT], length: 0, has_id: 0, flow_key: 0 }
    }
}

impl PartialEq for Encapsulations {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Encapsulations {}

impl fmt::Debug for Encapsulations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// `vlan 100 > vxlan 42`.
impl fmt::Display for Encapsulations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (layer, Encapsulation { kind, id }) in self.iter().enumerate() {
            if layer > 0 {
                f.write_str(" > ")?;
            }
            match id {
                Some(id) => write!(f, "{kind} {id}")?,
                None => write!(f, "{kind}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Encapsulations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.len()))?;
        for layer in self.iter() {
            list.serialize_element(&layer)?;
        }
        list.end()
    }
}

/// Spreads every bit of a word over all of it; one to one, so that one layer's ids never collide.
const fn mix(word: u32) -> u32 {
    let word = (word ^ (word >> 16)).wrapping_mul(0x9e37_79b1);
    let word = (word ^ (word >> 15)).wrapping_mul(0x85eb_ca6b);
    word ^ (word >> 13)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "test code")]

    use super::*;

    fn of(layers: &[(EncapsulationKind, Option<u32>)]) -> Encapsulations {
        let mut encapsulations = Encapsulations::default();
        for &(kind, id) in layers {
            assert!(encapsulations.push(Encapsulation { kind, id }));
        }
        encapsulations
    }

    #[test]
    fn is_small() {
        assert!(size_of::<Encapsulations>() <= 48);
    }

    #[test]
    fn serialises_uniformly() {
        let layers = of(&[
            (EncapsulationKind::Vlan, Some(100)),
            (EncapsulationKind::Gre, None),
            (EncapsulationKind::Vxlan, Some(42)),
        ]);
        assert_eq!(
            serde_json::to_string(&layers).expect("plain data"),
            r#"[{"type":"vlan","id":100},{"type":"gre"},{"type":"vxlan","id":42}]"#
        );
        assert_eq!(layers.to_string(), "vlan 100 > gre > vxlan 42");
        assert_eq!(layers.vlan(), Some(100));
    }

    #[test]
    fn refuses_a_ninth_layer() {
        let mut layers = of(&[(EncapsulationKind::Mpls, Some(16)); 8]);
        assert!(!layers.push(Encapsulation { kind: EncapsulationKind::Mpls, id: None }));
        assert_eq!(layers.len(), 8);
    }

    #[test]
    fn flow_key_knows_tunnels_and_shared_ids() {
        use EncapsulationKind::{Gre, Gtpu, Ipip, Vxlan};
        let keys = [
            of(&[]),
            of(&[(Ipip, None)]),
            of(&[(Ipip, None), (Ipip, None)]),
            of(&[(Gre, None)]),
            of(&[(Gre, Some(0))]),
            of(&[(Gre, Some(1))]),
            of(&[(Vxlan, Some(1))]),
            of(&[(Vxlan, Some(2))]),
            of(&[(Gtpu, Some(1))]),
            of(&[(Gre, None), (Ipip, None)]),
            of(&[(Ipip, None), (Gre, None)]),
        ]
        .map(|layers| layers.flow_key());
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys.iter().skip(index + 1).any(|other| other == key), "{index}");
        }
    }

    #[test]
    fn flow_key_ignores_tags_and_ids_of_one_direction() {
        use EncapsulationKind::{Gtpu, L2tp, Mpls, Vlan};
        assert_eq!(of(&[(Vlan, Some(5)), (Mpls, Some(6))]).flow_key(), 0);
        assert_eq!(of(&[(Gtpu, Some(1))]).flow_key(), of(&[(Vlan, Some(7)), (Gtpu, Some(2))]).flow_key());
        assert_eq!(of(&[(L2tp, Some(1))]).flow_key(), of(&[(L2tp, Some(2))]).flow_key());
    }
}
