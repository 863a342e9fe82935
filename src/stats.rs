//! Counters: every packet or flow that is given up is counted under a [`DropReason`].

/// Why a packet, or part of a flow, was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum DropReason {
    /// The frame's link type is not one handprint reads.
    UnknownLinkType,
    /// The link layer carries something that is neither IP nor a tunnel handprint opens (ARP, LLDP, …).
    NotIp,
    /// IP carries something that is neither TCP, UDP nor a tunnel handprint opens.
    NotTcpOrUdp,
    /// A header is cut short by the snap length or the end of the frame.
    TruncatedHeader,
    /// A header contradicts itself.
    MalformedHeader,
    /// More layers of encapsulation than the limit allows.
    TooDeep,
    /// An IP fragment held back: the datagram is not whole yet.
    FragmentPending,
    /// An IP datagram whose fragments never became whole, or that overran a fragment limit.
    FragmentIncomplete,
    /// Fragments that overlap with different bytes; the first bytes won.
    FragmentOverlap,
    /// A flow given up because the flow table was full: the oldest goes.
    FlowTableFull,
    /// Bytes given up because a flow's or the table's buffers were full.
    BufferFull,
    /// A flow in which bytes never came, so that what followed could not be read.
    StreamGap,
    /// A connection opened in which nothing was said before the limit on that.
    OpeningTimeout,
    /// A handshake that did not go on before the limit on that.
    HandshakeTimeout,
    /// A handshake message longer than the limit.
    MessageTooLong,
    /// A QUIC Initial that no key opened: damaged, made up, or from a connection whose first packet was not seen.
    QuicUndecryptable,
    /// A QUIC long header of a version that handprint cannot read.
    QuicUnknownVersion,
}

impl DropReason {
    /// Every reason, in order.
    pub const ALL: [Self; 17] = [
        Self::UnknownLinkType,
        Self::NotIp,
        Self::NotTcpOrUdp,
        Self::TruncatedHeader,
        Self::MalformedHeader,
        Self::TooDeep,
        Self::FragmentPending,
        Self::FragmentIncomplete,
        Self::FragmentOverlap,
        Self::FlowTableFull,
        Self::BufferFull,
        Self::StreamGap,
        Self::OpeningTimeout,
        Self::HandshakeTimeout,
        Self::MessageTooLong,
        Self::QuicUndecryptable,
        Self::QuicUnknownVersion,
    ];

    /// The reason's name in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownLinkType => "unknown_link_type",
            Self::NotIp => "not_ip",
            Self::NotTcpOrUdp => "not_tcp_or_udp",
            Self::TruncatedHeader => "truncated_header",
            Self::MalformedHeader => "malformed_header",
            Self::TooDeep => "too_deep",
            Self::FragmentPending => "fragment_pending",
            Self::FragmentIncomplete => "fragment_incomplete",
            Self::FragmentOverlap => "fragment_overlap",
            Self::FlowTableFull => "flow_table_full",
            Self::BufferFull => "buffer_full",
            Self::StreamGap => "stream_gap",
            Self::OpeningTimeout => "opening_timeout",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::MessageTooLong => "message_too_long",
            Self::QuicUndecryptable => "quic_undecryptable",
            Self::QuicUnknownVersion => "quic_unknown_version",
        }
    }

    /// The reason as a sentence goes on after "packets" or "flows".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::UnknownLinkType => "of a link type that is not read",
            Self::NotIp => "without IP (ARP, LLDP, …)",
            Self::NotTcpOrUdp => "of IP without TCP, UDP or a tunnel that is opened",
            Self::TruncatedHeader => "with a header cut short",
            Self::MalformedHeader => "with a header that contradicts itself",
            Self::TooDeep => "in too many layers of tunnels",
            Self::FragmentPending => "held as IP fragments of a datagram that was put together or waited for",
            Self::FragmentIncomplete => "datagrams given up: fragments missing",
            Self::FragmentOverlap => "fragments that overlap with other bytes: the first won",
            Self::FlowTableFull => "flows given up: the flow table was full",
            Self::BufferFull => "times bytes were given up: buffers were full",
            Self::StreamGap => "flows with a hole: bytes never came",
            Self::OpeningTimeout => "connections opened in which nothing was said in time",
            Self::HandshakeTimeout => "handshakes that did not go on in time",
            Self::MessageTooLong => "handshake messages longer than the limit",
            Self::QuicUndecryptable => "QUIC Initials that no key opened",
            Self::QuicUnknownVersion => "of a version of QUIC that is not read",
        }
    }
}

/// How often each [`DropReason`] occurred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drops([u64; DropReason::ALL.len()]);

impl Drops {
    /// Counts one.
    #[inline]
    pub fn count(&mut self, reason: DropReason) {
        if let Some(counter) = self.0.get_mut(reason as usize) {
            *counter = counter.saturating_add(1);
        }
    }

    /// How often `reason` occurred.
    #[must_use]
    pub fn get(&self, reason: DropReason) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or(0)
    }

    /// Adds another thread's counts.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// The reasons that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        DropReason::ALL.into_iter().map(|reason| (reason, self.get(reason))).filter(|(_, count)| *count > 0)
    }
}
