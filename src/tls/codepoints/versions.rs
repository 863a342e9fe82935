//! Protocol versions: SSL 2.0 to TLS 1.3, its drafts, and DTLS, whose numbers run backwards.

use std::fmt;

use super::write_code_point;

code_point! {
    /// A protocol version as the wire carries it (`0x0303` is TLS 1.2, `0xfefd` DTLS 1.2).
    ///
    /// The derived order is that of the numbers; compare versions by [`Self::order`].
    ProtocolVersion
}

impl ProtocolVersion {
    /// SSL 2.0.
    pub const SSL2: Self = Self(0x0002);
    /// SSL 3.0 (RFC 6101).
    pub const SSL3: Self = Self(0x0300);
    /// TLS 1.0 (RFC 2246).
    pub const TLS10: Self = Self(0x0301);
    /// TLS 1.1 (RFC 4346).
    pub const TLS11: Self = Self(0x0302);
    /// TLS 1.2 (RFC 5246).
    pub const TLS12: Self = Self(0x0303);
    /// TLS 1.3 (RFC 9846).
    pub const TLS13: Self = Self(0x0304);
    /// DTLS 1.0 (RFC 4347).
    pub const DTLS10: Self = Self(0xfeff);
    /// DTLS 1.2 (RFC 6347).
    pub const DTLS12: Self = Self(0xfefd);
    /// DTLS 1.3 (RFC 9147).
    pub const DTLS13: Self = Self(0xfefc);
    /// What Cisco's and OpenSSL's software before RFC 4347 sent as DTLS 1.0.
    pub const DTLS10_BAD: Self = Self(0x0100);

    /// `TLSv1.2`; `None` where no name exists or the name carries a number that is written by `Display` only (drafts of
    /// TLS 1.3 outside 14 to 28, experiments).
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x0002 => "SSLv2",
            0x0100 => "DTLSv1.0-bad",
            0x0300 => "SSLv3",
            0x0301 => "TLSv1.0",
            0x0302 => "TLSv1.1",
            0x0303 => "TLSv1.2",
            0x0304 => "TLSv1.3",
            0x7f0e => "TLSv1.3-draft14",
            0x7f0f => "TLSv1.3-draft15",
            0x7f10 => "TLSv1.3-draft16",
            0x7f11 => "TLSv1.3-draft17",
            0x7f12 => "TLSv1.3-draft18",
            0x7f13 => "TLSv1.3-draft19",
            0x7f14 => "TLSv1.3-draft20",
            0x7f15 => "TLSv1.3-draft21",
            0x7f16 => "TLSv1.3-draft22",
            0x7f17 => "TLSv1.3-draft23",
            0x7f18 => "TLSv1.3-draft24",
            0x7f19 => "TLSv1.3-draft25",
            0x7f1a => "TLSv1.3-draft26",
            0x7f1b => "TLSv1.3-draft27",
            0x7f1c => "TLSv1.3-draft28",
            0xfb17 => "TLSv1.3-fb23",
            0xfb1a => "TLSv1.3-fb26",
            0xfefc => "DTLSv1.3",
            0xfefd => "DTLSv1.2",
            0xfeff => "DTLSv1.0",
            _ => return None,
        })
    }

    /// Whether this is a version of DTLS.
    #[must_use]
    pub const fn is_dtls(self) -> bool {
        matches!(self, Self::DTLS10 | Self::DTLS12 | Self::DTLS13 | Self::DTLS10_BAD)
    }

    /// Whether this is SSL 2.0 or 3.0.
    #[must_use]
    pub const fn is_ssl(self) -> bool {
        matches!(self, Self::SSL2 | Self::SSL3)
    }

    /// Whether this is a draft of TLS 1.3 or an experiment with it: IETF drafts `0x7fXX`, Facebook's `0xfbXX`, Google's
    /// `0x7eXX`.
    #[must_use]
    pub const fn is_draft(self) -> bool {
        matches!(self.0.to_be_bytes(), [0x7f | 0xfb | 0x7e, _])
    }

    /// Whether the handshake is TLS 1.3's: TLS 1.3, its drafts and experiments, DTLS 1.3.
    #[must_use]
    pub const fn is_tls13_family(self) -> bool {
        matches!(self, Self::TLS13 | Self::DTLS13) || self.is_draft()
    }

    /// The version of TLS whose rules apply: DTLS 1.0 is TLS 1.1 (RFC 4347 section 1), DTLS 1.2 is TLS 1.2, drafts of
    /// TLS 1.3 are TLS 1.3; every other value is itself.
    #[must_use]
    pub const fn tls_equivalent(self) -> Self {
        match self {
            Self::DTLS10 | Self::DTLS10_BAD => Self::TLS11,
            Self::DTLS12 => Self::TLS12,
            _ if self.is_tls13_family() => Self::TLS13,
            other => other,
        }
    }

    /// The place in the protocol's history: SSL 2.0 < SSL 3.0 < TLS 1.0 < TLS 1.1 = DTLS 1.0 < TLS 1.2 = DTLS 1.2 <
    /// TLS 1.3 = its drafts = DTLS 1.3. A higher `0x03XX` comes after TLS 1.3 in the order of its number; what is no
    /// version at all (GREASE, unknown values) is 0, before everything.
    #[must_use]
    pub const fn order(self) -> u16 {
        match self.tls_equivalent().0 {
            known @ (0x0002 | 0x0300..=0x03ff) => known,
            _ => 0,
        }
    }
}

fn write(f: &mut fmt::Formatter<'_>, version: ProtocolVersion) -> fmt::Result {
    match (version.name(), version.0.to_be_bytes()) {
        (None, [0x7f, draft]) => write!(f, "TLSv1.3-draft{draft}"),
        (None, [0xfb, draft]) => write!(f, "TLSv1.3-fb{draft}"),
        (None, [0x7e, _]) => write!(f, "TLSv1.3-exp0x{:04x}", version.0),
        (name, _) => write_code_point(f, version.0, name),
    }
}

code_point_text!(ProtocolVersion, write);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_and_experiments_have_names() {
        for (value, name) in [
            (0x7f12, "TLSv1.3-draft18"),
            (0x7f1c, "TLSv1.3-draft28"),
            (0x7f02, "TLSv1.3-draft2"),
            (0xfb1a, "TLSv1.3-fb26"),
            (0xfb11, "TLSv1.3-fb17"),
            (0x7e01, "TLSv1.3-exp0x7e01"),
            (0x0100, "DTLSv1.0-bad"),
            (0xfefe, "0xFEFE"),
            (0x0305, "0x0305"),
            (0x7a7a, "GREASE(0x7a7a)"),
        ] {
            assert_eq!(ProtocolVersion(value).to_string(), name);
        }
    }

    #[test]
    fn every_name_has_the_number_in_it_that_the_wire_has() {
        for draft in 14..=28_u16 {
            assert_eq!(ProtocolVersion(0x7f00 | draft).name(), Some(format!("TLSv1.3-draft{draft}").as_str()));
        }
        for draft in [23, 26_u16] {
            assert_eq!(ProtocolVersion(0xfb00 | draft).name(), Some(format!("TLSv1.3-fb{draft}").as_str()));
        }
    }

    #[test]
    fn orders_versions_by_history_and_not_by_number() {
        use ProtocolVersion as V;
        let history = [V(0x0a0a), V::SSL2, V::SSL3, V::TLS10, V::TLS11, V::TLS12, V::TLS13, V(0x0305)];
        assert!(history.is_sorted_by(|before, after| before.order() < after.order()));
        assert_eq!(V::DTLS10.order(), V::TLS11.order());
        assert_eq!(V::DTLS12.order(), V::TLS12.order());
        for same in [V::DTLS13, V(0x7f1c), V(0xfb1a), V(0x7e02)] {
            assert_eq!(same.order(), V::TLS13.order());
            assert!(same.is_tls13_family());
        }
        assert!(V::DTLS10.order() < V::DTLS12.order() && V::DTLS12.order() < V::DTLS13.order());
        assert_eq!(V(0xfefe).order(), 0);
    }

    #[test]
    fn dtls_is_told_apart() {
        let dtls: Vec<u16> = (0..=u16::MAX).filter(|&value| ProtocolVersion(value).is_dtls()).collect();
        assert_eq!(dtls, [0x0100, 0xfefc, 0xfefd, 0xfeff]);
        assert_eq!(ProtocolVersion::DTLS12.tls_equivalent(), ProtocolVersion::TLS12);
        assert_eq!(ProtocolVersion(0x0a0a).tls_equivalent(), ProtocolVersion(0x0a0a));
    }
}
