//! `CAP`: what the capture could not show.

use super::super::{Check, Documentation, Evidence, Family, Rule, Settings, Severity};
use crate::flow::Facts;
use crate::flow::facts::{Carrier, Side};

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "CAP001",
        name: "one-way-capture",
        family: Family::Coverage,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "Packets of one direction only are in the capture. Over UDP, a client that nobody answers is not \
                      reported: its server may be gone.",
            why: "Only the offer, or only the selection, is known. Rules that need both say nothing of this flow, and \
                  their silence is not a pass.",
            evidence: "`seen`: whose packets are in the capture.",
            action: "Capture both directions: correct the mirror port or tap, or capture where both ways of an \
                     asymmetric route meet.",
            references: &["RFC 9846 section 2"],
        },
        check: Check::Flow(one_way_capture),
    },
    Rule {
        id: "CAP002",
        name: "capture-gap",
        family: Family::Coverage,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "Bytes of the handshake were on the wire and are not in the capture.",
            why: "Messages in the missing bytes are not known, nor is anything that rests on them. Rules that would \
                  conclude from the absence of a message say nothing of this flow.",
            evidence: "`missing_bytes`: how many bytes are missing, as far as sequence numbers tell. `cut_bytes`: how \
                       many of these were cut off packets by a snap length; the others are of packets never captured.",
            action: "Capture whole packets (`tcpdump -s 0`); give the capture larger buffers, or filter earlier.",
            references: &["RFC 9293 section 3.4", "pcap(3PCAP), snapshot length"],
        },
        check: Check::Flow(capture_gap),
    },
    Rule {
        id: "CAP003",
        name: "midstream-flow",
        family: Family::Coverage,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "TLS records are seen, but not the handshake they follow: the connection is older than the \
                      capture, or the handshake was lost.",
            why: "Version, suite, certificate and client are unknown. Long-lived connections (databases, message \
                  brokers, VPNs) are seen like this only, and are missing from every count: old versions hide in them.",
            evidence: "`packets`: packets of the flow seen while it was followed.",
            action: "Capture for longer, or restart the service to see it connect.",
            references: &["RFC 9846 section 5"],
        },
        check: Check::Flow(midstream_flow),
    },
];

fn one_way_capture(facts: &Facts, _: &Settings) -> Option<Evidence> {
    match (facts.coverage.client_seen, facts.coverage.server_seen) {
        // A ClientHello on TCP follows an answer to the SYN; a datagram follows nothing.
        (true, false) if facts.carrier == Carrier::Tcp => Some(Evidence::of("seen", Side::Client)),
        (false, true) => Some(Evidence::of("seen", Side::Server)),
        _ => None,
    }
}

fn capture_gap(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let coverage = &facts.coverage;
    (coverage.missing_bytes > 0)
        .then(|| Evidence::of("missing_bytes", coverage.missing_bytes).with("cut_bytes", coverage.cut_bytes))
}

fn midstream_flow(facts: &Facts, _: &Settings) -> Option<Evidence> {
    facts.coverage.midstream.then(|| Evidence::of("packets", facts.coverage.packets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing::{Case, check, hold, offer, tls12, unanswered};

    #[test]
    fn every_rule_fires_and_keeps_silent() {
        hold(RULES, CASES);
    }

    const CASES: &[Case] = &[
        Case { rule: "CAP001", fires: || seen(true, false), silent: || seen(true, true) },
        Case {
            rule: "CAP002",
            fires: || {
                let mut facts = tls12();
                facts.coverage.missing_bytes = 1448;
                facts
            },
            silent: tls12,
        },
        Case {
            rule: "CAP003",
            fires: || {
                let mut facts = unanswered(offer());
                facts.offer = None;
                facts.coverage.midstream = true;
                facts
            },
            silent: tls12,
        },
    ];

    #[test]
    fn an_unanswered_datagram_may_have_no_server() {
        for carrier in [Carrier::Quic, Carrier::Dtls] {
            assert!(check("CAP001", &Facts { carrier, ..seen(true, false) }).is_none());
            assert!(check("CAP001", &Facts { carrier, ..seen(false, true) }).is_some());
        }
    }

    fn seen(client: bool, server: bool) -> Facts {
        let mut facts = unanswered(offer());
        facts.coverage.client_seen = client;
        facts.coverage.server_seen = server;
        facts
    }
}
