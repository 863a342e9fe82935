//! One frame to one transport payload: link layers, tunnels, IP, fragments, TCP and UDP.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The transport protocol of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IpProtocol {
    /// TCP, protocol number 6.
    Tcp,
    /// UDP, protocol number 17.
    Udp,
}

/// Source and destination of one packet: directional.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FiveTuple {
    /// Who sent the packet.
    pub source: SocketAddr,
    /// Whom it was sent to.
    pub destination: SocketAddr,
    /// TCP or UDP.
    pub protocol: IpProtocol,
}
