//! `NEG`: negotiation, downgrade and failure.
//!
//! GREASE and signalling values never count as offered. Where an encrypted ClientHello may have been accepted, the
//! server answers a hello that the wire does not show, and what it chose is not compared with the one that it does.

use std::time::Duration;

use super::super::{Check, Documentation, Evidence, Family, Rule, Settings, Severity, Value};
use crate::flow::facts::{Carrier, DowngradeSentinel, SeenAlert, Side};
use crate::flow::{Facts, Offer, Outcome, Selection};
use crate::time::Timestamp;
use crate::tls::codepoints::{
    AlertDescription as Alert, CipherSuite, CompressionMethod, ExtensionType as Ext, ProtocolVersion as Version,
    SuiteClasses, is_grease,
};

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "NEG001",
        name: "downgrade-sentinel-tls12",
        family: Family::Negotiation,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The client offers TLS 1.3 (the final version, not a draft), the server selects TLS 1.2, and the \
                      server's random ends in one of the two values that a server writes only when it could have \
                      selected more.",
            why: "A server that speaks TLS 1.3 and sees it offered selects it. That it did not, and says so, means \
                  that the hello it received is not the one the client sent: something on the path rewrote it. This is \
                  either an attack or a middlebox that terminates or edits TLS badly; a client that checks the value \
                  must give the connection up.",
            evidence: "`random_tail`: the last eight bytes of the ServerHello's random in hexadecimal, `DOWNGRD` in \
                       ASCII and 01 or 00; bytes 31 to 38 of the ServerHello message, counted from 1. `offered`: the \
                       client's highest version, in its supported_versions. `selected`: the server's. Capture on both \
                       sides of a suspected middlebox and compare the two ClientHellos.",
            action: "Find the device between the capture point and the server that changes hellos, and update or \
                     remove it. Do not switch TLS 1.3 off on the client: that only hides it.",
            references: &["RFC 9846 section 4.2.3", "RFC 8446 section 4.1.3"],
        },
        check: Check::Negotiation(downgrade_sentinel_tls12),
    },
    Rule {
        id: "NEG002",
        name: "downgrade-sentinel-tls11",
        family: Family::Negotiation,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The client offers TLS 1.2 or above, the server selects TLS 1.1 or below, and its random ends in \
                      the value of a server that could have selected TLS 1.2 (`DOWNGRD` 00), or, where the client \
                      offers TLS 1.3, in that of one that could have selected TLS 1.3 (`DOWNGRD` 01).",
            why: "As for NEG001: the server did not see what the client offered. The connection now runs on a version \
                  that RFC 8996 forbids, with suites weaker than either side would have chosen.",
            evidence: "`random_tail`: the last eight bytes of the ServerHello's random in hexadecimal. `offered`: the \
                       client's highest version. `selected`: the server's.",
            action: "Find the device that changes hellos on the path. A client that fell back by itself sends \
                     TLS_FALLBACK_SCSV and a lower maximum; that is NEG004 and NEG005, not this.",
            references: &["RFC 9846 section 4.2.3", "RFC 8446 section 4.1.3", "RFC 8996 sections 4 and 5"],
        },
        check: Check::Negotiation(downgrade_sentinel_tls11),
    },
    Rule {
        id: "NEG003",
        name: "server-supports-higher",
        family: Family::Negotiation,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server's random ends in `DOWNGRD` 01 and the client did not offer TLS 1.3, or in `DOWNGRD` \
                      00 and the client's maximum is TLS 1.1 or below. A client that offers no more than drafts of TLS \
                      1.3 counts as not offering it. Where the ClientHello was not seen, the value alone is reported.",
            why: "It proves what the server can do although this client never asked for it: once the client is \
                  upgraded, the connection goes up without any change on the server. The absence of the value proves \
                  nothing: many servers never write it.",
            evidence: "`proven_version`: a version that the server is known to speak. `random_tail`: the last eight \
                       bytes of the ServerHello's random in hexadecimal; eight random bytes are equal to it once in \
                       2^64.",
            action: "None on the server. Count it as ready when planning to switch old versions off.",
            references: &["RFC 9846 section 4.2.3", "RFC 8446 section 4.1.3"],
        },
        check: Check::Negotiation(server_supports_higher),
    },
    Rule {
        id: "NEG004",
        name: "fallback-scsv-sent",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The ClientHello lists TLS_FALLBACK_SCSV (0x5600).",
            why: "The client says that this is a second attempt, at a lower version, after a first one failed. \
                  Something made the first one fail: a server or middlebox that does not tolerate a newer hello, or a \
                  lost packet. The signal protects this attempt where the server knows it, but a client that retries \
                  at lower versions depends on every server knowing it.",
            evidence: "`maximum`: the highest version of this attempt; the failed one offered more. Look for it just \
                       before this flow, between the same two addresses.",
            action: "Find out what broke the first attempt. Update the client: current ones no longer fall back.",
            references: &["RFC 7507 section 4", "RFC 8996 (obsoletes RFC 7507)", "RFC 9325 section 3.1.3"],
        },
        check: Check::Offer(fallback_scsv_sent),
    },
    Rule {
        id: "NEG005",
        name: "inappropriate-fallback",
        family: Family::Negotiation,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server sends the alert inappropriate_fallback (86).",
            why: "The server supports more than the client offered, and the client said that it had fallen back. The \
                  first, higher attempt should have worked: it was lost or suppressed on the path, or the client fell \
                  back without need. The client has no connection now.",
            evidence: "`maximum`: the highest version this hello offered; the server supports a higher one, which is \
                       certain. `alert`, `from`, `level`, `before_server_hello`: the alert as it was sent.",
            action: "Look at why the attempt before this one failed. Remove the fallback from the client, or the \
                     middlebox from the path.",
            references: &["RFC 7507 section 3", "RFC 8996 (obsoletes RFC 7507)"],
        },
        check: Check::Flow(inappropriate_fallback),
    },
    Rule {
        id: "NEG010",
        name: "alert-protocol-version",
        family: Family::Negotiation,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "Either side sends the alert protocol_version (70) in clear.",
            why: "The two sides have no version in common, or the server wrongly refuses a version it does not know \
                  instead of answering with a lower one. Which of the two is at fault decides which one to upgrade, \
                  and the alert alone does not say it.",
            evidence: "`reading`: `client_too_old` (the server's minimum is above the client's maximum), \
                       `server_too_old_or_intolerant` (the client accepts TLS 1.2 and TLS 1.3, the server wants \
                       neither), `server_lacks_tls13` (the client accepts nothing else), `server_too_old` (the client \
                       refuses the version the ServerHello selected) or `undecidable`. `rests_on`: why. `maximum`: the \
                       client's highest version. `alert`, `from`, `level`, `before_server_hello`: the alert. The \
                       reading is certain as to what the hello offered, and inferred as to the server; other flows of \
                       the same server decide it.",
            action: "Upgrade the side the reading names. Where it is undecidable, see which versions the server \
                     selects for other clients.",
            references: &["RFC 9846 sections 4.3.1 and 6.2", "RFC 8446 appendix D", "RFC 5246 appendix E.1"],
        },
        check: Check::Flow(alert_protocol_version),
    },
    Rule {
        id: "NEG011",
        name: "alert-handshake-failure",
        family: Family::Negotiation,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server sends the alert handshake_failure (40) before any ServerHello.",
            why: "The server finds nothing in the offer that it can accept: no suite, no group, no signature \
                  algorithm, or an extension that it insists on is missing. The alert does not say which. After a \
                  suite or version was switched off on a server, this is how the clients that needed it look.",
            evidence: "`lacks`: what current servers commonly insist on and this hello does not offer, in order of \
                       likelihood; empty where it offers everything, which points to a server older than the client, \
                       or to its certificate. Compare with the hello of a client that the same server accepts. \
                       `alert`, `from`, `level`, `before_server_hello`: the alert.",
            action: "Give the client what it lacks, or let the server accept what the client has if that is sound.",
            references: &["RFC 9846 section 6.2", "RFC 8446 section 4.1.1", "RFC 5246 section 7.2.2"],
        },
        check: Check::Flow(alert_handshake_failure),
    },
    Rule {
        id: "NEG012",
        name: "alert-insufficient-security",
        family: Family::Negotiation,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "Either side sends the alert insufficient_security (71) in clear.",
            why: "A refusal by policy: the parameters that the peer offered or chose are below what the sender \
                  demands. Servers send it in place of handshake_failure when they want stronger suites, groups or \
                  keys than the client supports.",
            evidence: "`from`: who demands more. `alert`, `level`, `before_server_hello`: the alert; before a \
                       ServerHello it is about the offer, after it about what was chosen.",
            action: "Give the other side stronger suites, groups or keys.",
            references: &["RFC 9846 section 6.2", "RFC 5246 section 7.2.2"],
        },
        check: Check::Flow(alert_insufficient_security),
    },
    Rule {
        id: "NEG013",
        name: "client-rejects-certificate",
        family: Family::Negotiation,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "Up to TLS 1.2, after the server's Certificate: the client sends bad_certificate (42), \
                      unsupported_certificate (43), certificate_revoked (44), certificate_expired (45), \
                      certificate_unknown (46), unknown_ca (48), access_denied (49) or bad_certificate_status_response \
                      (113).",
            why: "The client does not accept the server's certificate and has no connection. From TLS 1.3 on the alert \
                  is encrypted: that this is not reported there says nothing.",
            evidence: "`alert`: the client's reason. `issuer`: the issuer named in the server's own certificate. \
                       `from`, `level`, `before_server_hello`: the alert. Check the certificate in the record: its \
                       dates, its names, and whether the client knows its issuer.",
            action: "Renew or replace the certificate, send the missing intermediate certificates, or give the client \
                     the authority's certificate.",
            references: &["RFC 5246 section 7.2.2", "RFC 6066 section 8"],
        },
        check: Check::Flow(client_rejects_certificate),
    },
    Rule {
        id: "NEG014",
        name: "alert-unrecognized-name",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server sends the alert unrecognized_name (112), as a warning or fatal.",
            why: "The server does not know the name that the client asked for. As a warning the handshake goes on with \
                  some other certificate, and some clients give up on the warning; as a fatal alert it ends.",
            evidence: "`level`: `warning` or `fatal`. `alert`, `from`, `before_server_hello`: the alert. The name is \
                       the record's `sni`.",
            action: "Correct the name in the client or in DNS, or add the name to the server.",
            references: &["RFC 6066 section 3", "RFC 9325 section 3.7"],
        },
        check: Check::Flow(alert_unrecognized_name),
    },
    Rule {
        id: "NEG015",
        name: "alert-no-application-protocol",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server sends the alert no_application_protocol (120).",
            why: "The server speaks none of the application protocols the client lists, and refuses, as it should. The \
                  client may have reached the wrong service.",
            evidence: "`offered`: the client's protocols, most wanted first; absent where it lists none. `alert`, \
                       `from`, `level`, `before_server_hello`: the alert.",
            action: "Enable a protocol both sides know, or correct the address the client connects to.",
            references: &["RFC 7301 section 3.2", "RFC 9325 section 3.8"],
        },
        check: Check::Flow(alert_no_application_protocol),
    },
    Rule {
        id: "NEG016",
        name: "alert-protocol-error",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "Either side sends unexpected_message (10), illegal_parameter (47), decode_error (50), \
                      missing_extension (109) or unsupported_extension (110) in clear.",
            why: "The sender finds the peer's message broken or against the protocol. One of the two has a fault, or a \
                  device on the path changed the message. Old servers and middleboxes send these when they meet a \
                  newer hello than they can read.",
            evidence: "`from`: who complains. `alert`: of what. `level`, `before_server_hello`: before a ServerHello \
                       it is about the ClientHello.",
            action: "Update the side whose message is refused, or the side that cannot read it. Where other clients \
                     are refused by the same server, suspect the server.",
            references: &["RFC 9846 section 6.2", "RFC 5246 section 7.2.2"],
        },
        check: Check::Flow(alert_protocol_error),
    },
    Rule {
        id: "NEG017",
        name: "alert-internal-error",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "Either side sends the alert internal_error (80) in clear.",
            why: "The sender failed for a reason of its own: a missing key or certificate, no memory, a fault in its \
                  software. Some servers send it for a name or a suite they are not configured for.",
            evidence: "`from`: who failed. `alert`, `level`, `before_server_hello`: the alert.",
            action: "Read the log of the side that sent it.",
            references: &["RFC 9846 section 6.2"],
        },
        check: Check::Flow(alert_internal_error),
    },
    Rule {
        id: "NEG018",
        name: "alert-certificate-required",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server sends the alert certificate_required (116) in clear, or the client sends \
                      no_certificate (41), which SSL 3.0 alone has.",
            why: "The server asks for a client certificate and the client has none. In TLS 1.3 the alert is encrypted \
                  as a rule: that this is not reported there says nothing.",
            evidence: "`from`: the server demands a certificate, or the client says it has none. `alert`, `level`, \
                       `before_server_hello`: the alert.",
            action: "Give the client a certificate, or do not ask this client for one.",
            references: &["RFC 9846 section 6.2", "RFC 6101 section 5.4.2"],
        },
        check: Check::Flow(alert_certificate_required),
    },
    Rule {
        id: "NEG019",
        name: "reset-after-clienthello",
        family: Family::Negotiation,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "On TCP: the ClientHello is the last that was said; a RST in the server's name comes within ten \
                      seconds of it, and no TLS byte came from the server before. Nothing is reported where the \
                      capture misses bytes of the flow.",
            why: "A server refuses with an alert. A bare reset comes from a firewall or inspection device that does \
                  not like something in the hello (its server name, its size, its version), from a server process that \
                  died, or from a load balancer with no server behind it.",
            evidence: "`after_ms`: milliseconds from the hello's last packet to the reset. `reset_ttl`: the IP time to \
                       live (hop limit) of the reset. `server_ttl` and `ttl_delta`: that of the server's SYN-ACK, and \
                       the difference, where the SYN-ACK was seen; a difference other than 0 means that the reset was \
                       most likely made by another machine than the server.",
            action: "See whether the reset reached the server's log, or left it. Ask a device on the path for its log; \
                     repeat the connection with another server name and from another network.",
            references: &["RFC 9293 section 3.5.2", "RFC 9846 section 6"],
        },
        check: Check::Flow(reset_after_clienthello),
    },
    Rule {
        id: "NEG020",
        name: "silent-after-clienthello",
        family: Family::Negotiation,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "On TCP: the server's host acknowledges every byte of the ClientHello and no byte of an answer \
                      comes: for two seconds or more, until a timeout, the end of the capture, or the client gives up; \
                      or until the server closes in order, or resets after more than ten seconds. Nothing is reported \
                      where the capture misses bytes of the flow. A hello that was not acknowledged is lost on the \
                      path, which is another matter.",
            why: "The hello arrived and was not understood, or was swallowed: by a server that waits for another \
                  protocol, hangs on a hello in several packets, or drops what it does not like; by a device that \
                  acknowledges in the server's place.",
            evidence: "`ended`: `timeout` (no packet for the handshake timeout, one minute unless set), \
                       `capture_ended`, `client_closed`, `client_reset`, `server_closed` or `server_reset`. `wait_ms`: \
                       milliseconds from the hello's last packet to that packet, where a packet ended it.",
            action: "Check that the port speaks TLS from the first byte. Compare with a smaller hello (without \
                     post-quantum key share) to the same server.",
            references: &["RFC 9846 section 6"],
        },
        check: Check::Flow(silent_after_clienthello),
    },
    Rule {
        id: "NEG021",
        name: "abandoned-after-certificate",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "Up to TLS 1.2: the server's Certificate or ServerHelloDone came, and the client ends the \
                      connection (FIN, RST or close_notify) without ClientKeyExchange and without an alert that gives \
                      a reason. Nothing is reported where the capture misses bytes of the flow.",
            why: "Most often the client did not like the certificate (unknown authority, wrong name, pinning) and its \
                  software says so to its user only. Scanners and monitors that only want to see the certificate look \
                  the same.",
            evidence: "`ended`: `fin`, `rst` or `close_notify`. `issuer`: the issuer named in the server's own \
                       certificate. One flow does not tell a refusal from a scanner: see whether the client ever \
                       completes a handshake with this server.",
            action: "Check the certificate against what the client trusts.",
            references: &["RFC 5246 sections 7.2.2 and 7.3"],
        },
        check: Check::Flow(abandoned_after_certificate),
    },
    Rule {
        id: "NEG022",
        name: "failure-after-encryption",
        family: Family::Negotiation,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "TLS 1.3 was selected, and the connection ended before the handshake could be seen to complete: \
                      by a record that has the length of an encrypted alert, by FIN or by RST. Nothing is reported \
                      where the capture misses bytes of the flow.",
            why: "From the ServerHello on everything is encrypted, alerts too. The handshake failed, and the wire does \
                  not say why: a certificate not trusted, a client certificate missing, no common application \
                  protocol. This states what is not known.",
            evidence: "`ended`: `alert_sized_record`, `closed` or `reset`. `by`: who ended it. `client_records`, \
                       `client_bytes`, `server_records`, `server_bytes`: encrypted records after the ServerHello, and \
                       the bytes in them. No client record means that the client stopped at the server's first flight.",
            action: "Read the log of the side named by `by`.",
            references: &["RFC 9846 section 6"],
        },
        check: Check::Flow(failure_after_encryption),
    },
    Rule {
        id: "NEG023",
        name: "version-not-offered",
        family: Family::Negotiation,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server selects a version the client does not offer: one not in its supported_versions, or, \
                      without that extension, one above its legacy_version or no version at all. A HelloRetryRequest \
                      counts too. Not compared where an encrypted ClientHello may have been accepted.",
            why: "The client must refuse. Two causes look alike in part: a server that knows supported_versions and \
                  ignores it, or a hello changed on the path, is a fault; a server older than the extension can only \
                  go by legacy_version, and its answer (a version up to that, without the extension) is what its own \
                  standard asks for. The second is reported as medium: the server is too old for this client.",
            evidence: "`selected`: the version selected. `offered`: the versions of supported_versions, without \
                       GREASE, or the legacy_version alone. `reading`: `server_too_old` or `fault_or_tampering`.",
            action: "`server_too_old`: upgrade the server. Otherwise update the server or find what changes the hello.",
            references: &["RFC 9846 section 4.3.1", "RFC 8446 sections 4.1.3 and 4.2.1"],
        },
        check: Check::Negotiation(version_not_offered),
    },
    Rule {
        id: "NEG024",
        name: "suite-not-offered",
        family: Family::Negotiation,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server selects a cipher suite that is not in the client's list; GREASE and signalling values \
                      in the list are no suites. A HelloRetryRequest counts too. Not compared where an encrypted \
                      ClientHello may have been accepted.",
            why: "The client must refuse. A sound server cannot do this: it is broken, or the hello that reached it is \
                  not the one the client sent.",
            evidence: "`selected`: the suite. Compare with `cipher_suites` of the record's client_hello.",
            action: "Update the server, or find what changes the hello on the path.",
            references: &["RFC 9846 section 4.2.3", "RFC 8446 section 4.1.3", "RFC 5246 section 7.4.1.3"],
        },
        check: Check::Negotiation(suite_not_offered),
    },
    Rule {
        id: "NEG025",
        name: "unsolicited-extension",
        family: Family::Negotiation,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The final ServerHello carries an extension whose type the ClientHello does not. Two are judged \
                      apart: renegotiation_info also answers TLS_EMPTY_RENEGOTIATION_INFO_SCSV (0x00ff); cookie may \
                      come in a HelloRetryRequest only, and is always reported in a ServerHello. A GREASE type is \
                      never counted as offered. Not compared where an encrypted ClientHello may have been accepted.",
            why: "A server may only answer extensions, and the client must refuse others with unsupported_extension. A \
                  strict client cannot connect; a server that does this to one client does it to all.",
            evidence: "`extensions`: the types, in wire order. Compare with `extensions` of the record's client_hello.",
            action: "Update the server.",
            references: &[
                "RFC 9846 section 4.3",
                "RFC 8446 section 4.2",
                "RFC 5246 section 7.4.1.4",
                "RFC 5746 section 3.6",
            ],
        },
        check: Check::Negotiation(unsolicited_extension),
    },
    Rule {
        id: "NEG027",
        name: "compression-negotiated",
        family: Family::Negotiation,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server selects a compression method other than null.",
            why: "With compression the length of a record depends on its content. Who can make the client send text of \
                  his choice next to a secret, and sees the lengths, learns the secret (CRIME).",
            evidence: "`method`: the method, `compression_method` of the ServerHello.",
            action: "Switch TLS compression off on the server, and on the client.",
            references: &["CVE-2012-4929", "RFC 9325 section 3.3", "RFC 9846 section 4.2.3"],
        },
        check: Check::Negotiation(compression_negotiated),
    },
    Rule {
        id: "NEG028",
        name: "compression-offered",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The ClientHello offers a compression method other than null.",
            why: "Any server that still compresses would select it, and expose the client to CRIME. A hello that \
                  offers TLS 1.3 must not have it at all; a server of that version refuses it.",
            evidence: "`methods`: the methods other than null, in the client's order.",
            action: "Switch TLS compression off on the client; update its TLS library.",
            references: &["CVE-2012-4929", "RFC 9325 section 3.3", "RFC 9846 section 4.2.2"],
        },
        check: Check::Offer(compression_offered),
    },
    Rule {
        id: "NEG029",
        name: "no-secure-renegotiation-server",
        family: Family::Negotiation,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "SSL 3.0 to TLS 1.2 was selected, the client signals secure renegotiation (renegotiation_info or \
                      TLS_EMPTY_RENEGOTIATION_INFO_SCSV), and the ServerHello has no renegotiation_info.",
            why: "The server is unpatched since 2009. If it renegotiates, an attacker can put his own request in front \
                  of the client's, and the server takes both as one. Clients that insist on the signal refuse to \
                  connect; OpenSSL 3 does by default.",
            evidence: "`signalled_by`: how the client asked: `extension`, `scsv` or `both`. Check that 0xff01 is not \
                       in `extensions` of the record's server_hello.",
            action: "Update the server's TLS library. Switching renegotiation off on the server mends the weakness, \
                     not the refusal by strict clients.",
            references: &["RFC 5746 section 3.6", "RFC 9325 section 3.5", "CVE-2009-3555"],
        },
        check: Check::Negotiation(no_secure_renegotiation_server),
    },
    Rule {
        id: "NEG030",
        name: "no-secure-renegotiation-client",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client's maximum is SSL 3.0 to TLS 1.2, and it sends neither renegotiation_info nor \
                      TLS_EMPTY_RENEGOTIATION_INFO_SCSV.",
            why: "The client cannot tell whether its handshake was spliced into a connection begun by an attacker. It \
                  has not been updated since 2010, or has the protection switched off. Servers may refuse it.",
            evidence: "`maximum`: its highest version. Check that 0xff01 is not among its extensions and 0x00ff not \
                       among its suites.",
            action: "Update the client's TLS library.",
            references: &["RFC 5746 section 3.4", "RFC 9325 section 3.5", "CVE-2009-3555"],
        },
        check: Check::Offer(no_secure_renegotiation_client),
    },
    Rule {
        id: "NEG031",
        name: "renegotiation-observed",
        family: Family::Negotiation,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "Up to TLS 1.2: a handshake record follows after both sides finished the handshake; its body is \
                      encrypted. Medium where the ServerHello has no renegotiation_info.",
            why: "The two sides renegotiate, mostly to ask for a client certificate. TLS 1.3 and HTTP/2 have no \
                  renegotiation, so the application depends on TLS 1.2. Without the protection of RFC 5746 it can be \
                  abused to inject data.",
            evidence: "`initiator`: who sent the first such record; a server sends HelloRequest, a client ClientHello. \
                       `secure`: whether the ServerHello has renegotiation_info. Inferred: the record's type is seen, \
                       not its content.",
            action: "Move to TLS 1.3 with post-handshake authentication, or ask for the certificate in the first \
                     handshake. Where it is not secure, update the server.",
            references: &["RFC 5746 section 3", "RFC 9325 section 3.5", "RFC 9113 section 9.2.1"],
        },
        check: Check::Flow(renegotiation_observed),
    },
    Rule {
        id: "NEG032",
        name: "no-extended-master-secret",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "SSL 3.0 to TLS 1.2 was selected, the client offers extended_master_secret (23, now called \
                      extended_main_secret), and the ServerHello does not have it.",
            why: "Without it the session's secret does not depend on the certificate and the hellos: an attacker who \
                  is a server to the client and a client to the server can make both sessions share their secrets \
                  (triple handshake). FIPS-validated libraries refuse such sessions.",
            evidence: "`resumed`: whether the session was resumed, where the wire tells; then the first handshake did \
                       without it too. Check that 23 is not in `extensions` of the record's server_hello.",
            action: "Update the server's TLS library.",
            references: &["RFC 7627 sections 5.2 and 5.3", "RFC 9325 section 3.5"],
        },
        check: Check::Negotiation(no_extended_master_secret),
    },
    Rule {
        id: "NEG033",
        name: "client-no-ems",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The client's maximum is SSL 3.0 to TLS 1.2, and it does not offer extended_master_secret (23).",
            why: "Its sessions are open to the triple handshake attack with any server. Servers under FIPS 140-3 rules \
                  refuse TLS 1.2 without it.",
            evidence: "`maximum`: its highest version. Check that 23 is not among its extensions.",
            action: "Update the client's TLS library.",
            references: &["RFC 7627 section 5.2", "RFC 9325 section 3.5"],
        },
        check: Check::Offer(client_no_ems),
    },
    Rule {
        id: "NEG034",
        name: "heartbeat-negotiated",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The ServerHello carries heartbeat (15). In TLS 1.3 the answer is encrypted and not seen.",
            why: "Heartbeat on TCP is of no use, and its implementation in OpenSSL 1.0.1 to 1.0.1f gave away the \
                  memory of the process (Heartbleed). A server that still answers it is old or built with what nobody \
                  needs.",
            evidence: "`client_mode`: the client's mode, where its hello has one: 1 (the server may send requests) or 2 \
                       (it may not). The extension alone does not show that the server is vulnerable.",
            action: "Switch heartbeat off, or update the TLS library: OpenSSL from 1.1.1 on has none for TLS.",
            references: &["RFC 6520 section 2", "CVE-2014-0160"],
        },
        check: Check::Negotiation(heartbeat_negotiated),
    },
    Rule {
        id: "NEG035",
        name: "heartbleed-probe",
        family: Family::Negotiation,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "A heartbeat request in clear claims more payload than its record has room for, with its 3 bytes \
                      in front and at least 16 of padding. Critical where the peer then sends a heartbeat record \
                      larger than the request's; high otherwise. Once the connection is encrypted this cannot be seen.",
            why: "This is how Heartbleed is exploited: the peer copies the claimed number of bytes from its memory, \
                  with keys and passwords in it. No sound software sends such a request, so this is an attack or a \
                  scan. A larger answer means that it worked.",
            evidence: "`from`: who sent the request. `claimed`: the payload length it claims. `record`: the length of \
                       its record. `beyond`: how many of the claimed bytes lie outside the record, so come from the \
                       memory of a peer that answers; 0 is a probe that tests for the fault and reads nothing. \
                       `answered`: the largest heartbeat record the peer sent after it, 0 for none.",
            action: "Critical: update the TLS library of the side that answered, then replace its private keys, revoke \
                     its certificates and end its sessions. High: find out who scans.",
            references: &["CVE-2014-0160", "RFC 6520 section 4"],
        },
        check: Check::Flow(heartbleed_probe),
    },
    Rule {
        id: "NEG036",
        name: "ticket-lifetime-long",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "Up to TLS 1.2: the lifetime hint of NewSessionTicket is above seven days (604800 seconds). A \
                      hint of 0 leaves the lifetime open and is not reported. In TLS 1.3 the ticket is encrypted and \
                      not seen.",
            why: "The key that protects the ticket opens every session resumed from it, and the first one too: as long \
                  as the server keeps that key, there is no forward secrecy. TLS 1.3 sets seven days as the limit.",
            evidence: "`lifetime_seconds`: the hint. `days`: the same in days, rounded down.",
            action: "Shorten the lifetime of tickets on the server, and change the ticket key at least weekly.",
            references: &["RFC 9325 section 3.4", "RFC 5077 sections 3.3 and 5.6", "RFC 9846 section 4.7.1"],
        },
        check: Check::Flow(ticket_lifetime_long),
    },
    Rule {
        id: "NEG037",
        name: "resumed-session",
        family: Family::Negotiation,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The session was resumed: up to TLS 1.2 the server sends ChangeCipherSpec without a Certificate \
                      or ServerHelloDone before it; in TLS 1.3 it selects pre_shared_key. An external pre-shared key \
                      of TLS 1.3 cannot be told from a ticket and is reported too.",
            why: "Up to TLS 1.2 version and suite are those of an earlier handshake, and no certificate is sent: the \
                  flow says nothing about what the server would choose or show today.",
            evidence: "`by`: `session_id`, `session_ticket` or `pre_shared_key`.",
            action: "None. Judge the server by its full handshakes.",
            references: &["RFC 5246 section 7.3", "RFC 5077 section 3.4", "RFC 9846 section 2.2"],
        },
        check: Check::Negotiation(resumed_session),
    },
    Rule {
        id: "NEG038",
        name: "early-data-offered",
        family: Family::Negotiation,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The ClientHello carries early_data (42): application data follows it at once (0-RTT).",
            why: "Early data can be recorded and replayed, and has no forward secrecy beyond the ticket's. An \
                  application that changes anything upon a request must not accept it twice. Whether the server \
                  accepted it is encrypted and not seen.",
            evidence: "`psk_identities`: how many pre-shared keys the hello offers, where it offers any; the early data is \
                       under the first.",
            action: "Check that the application answers replayed requests safely (HTTP: RFC 8470), or switch early \
                     data off.",
            references: &["RFC 9846 sections 2.3 and 8", "RFC 9325 section 3.10", "RFC 8470"],
        },
        check: Check::Offer(early_data_offered),
    },
    Rule {
        id: "NEG039",
        name: "truncated-hmac",
        family: Family::Negotiation,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The ServerHello carries truncated_hmac (4).",
            why: "Records are authenticated with 80 bits of HMAC only. With CBC suites the short tag lets an attacker \
                  tell messages of different length apart (Paterson, Ristenpart and Shrimpton, 2011).",
            evidence: "`uses_mac`: whether the selected suite has an HMAC at all; on AEAD suites the extension has no \
                       effect.",
            action: "Switch truncated_hmac off on the server and the client.",
            references: &["RFC 9325 section 4.6", "RFC 6066 section 7"],
        },
        check: Check::Negotiation(truncated_hmac),
    },
    Rule {
        id: "NEG040",
        name: "early-ccs",
        family: Family::Negotiation,
        severity: Severity::High,
        documentation: Documentation {
            reports: "Up to TLS 1.2: ChangeCipherSpec comes before the protocol allows it: from the client of a full \
                      handshake before its ClientKeyExchange, or from the server between its Certificate and its \
                      ServerHelloDone.",
            why: "OpenSSL before 0.9.8za, 1.0.0m and 1.0.1h took such a message and made keys from nothing, which lets \
                  an attacker in the middle read and change everything. No sound software sends it: this is an attack, \
                  a scanner's probe, or a broken stack.",
            evidence: "`from`: in whose direction it came. Whether the peer went on with it is in the record: an \
                       `unexpected_message` alert means it refused.",
            action: "Update OpenSSL on both sides, and find out who sends it.",
            references: &["CVE-2014-0224", "RFC 5246 sections 7.1 and 7.3"],
        },
        check: Check::Flow(early_ccs),
    },
    Rule {
        id: "NEG041",
        name: "h2-with-forbidden-suite",
        family: Family::Negotiation,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server selects HTTP/2 (ALPN `h2`) in clear, together with a version below TLS 1.2 or a suite \
                      of the list in RFC 9113 appendix A. In TLS 1.3 the protocol is hidden and every suite allowed.",
            why: "Browsers end such a connection with INADEQUATE_SECURITY and show an error page. The list has the \
                  suites without forward secrecy or without AEAD.",
            evidence: "`because`: `version` or `suite`; the value is in the record.",
            action: "Put ECDHE suites with AES-GCM or ChaCha20 first on the server, or offer `h2` only with TLS 1.2 \
                     and such suites.",
            references: &["RFC 9113 sections 9.2 and 9.2.2", "RFC 9113 appendix A"],
        },
        check: Check::Negotiation(h2_with_forbidden_suite),
    },
    Rule {
        id: "NEG042",
        name: "alpn-not-offered",
        family: Family::Negotiation,
        severity: Severity::High,
        documentation: Documentation {
            reports: "The server selects, in clear, an application protocol that the client does not list, or the \
                      client lists none. GREASE names never count as listed. In TLS 1.3 the answer is encrypted and \
                      not seen.",
            why: "The server answers for another protocol than the client speaks. That is a fault, or the connection \
                  was led to another service (cross-protocol attack): the client must end it.",
            evidence: "`selected`: the server's protocol. `offered`: the client's, in its order; absent where it sends \
                       no ALPN.",
            action: "Correct or update the server; check that the client reached the service it meant.",
            references: &["RFC 7301 section 3.2", "RFC 9325 sections 3.8 and 3.9"],
        },
        check: Check::Negotiation(alpn_not_offered),
    },
    Rule {
        id: "NEG044",
        name: "gmt-time-in-random",
        family: Family::Negotiation,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The first four bytes of a hello's random, read as seconds since 1970, are within one day of the \
                      packet's time. Judged are ClientHellos that do not offer TLS 1.3 and ServerHellos of SSL 3.0 to \
                      TLS 1.2; TLS 1.3 made the whole field random. Random bytes look so in one hello of 25,000 \
                      (172801 of 2^32 values); a single small `offset_seconds` is rarer still, and a side that shows \
                      it in three hellos is certain.",
            why: "Old stacks write their clock there, as TLS up to 1.2 asks. It marks software of before about 2014, \
                  and the clock's error, often stable for weeks, tells one host from another across addresses.",
            evidence: "`client_offset_seconds`, `server_offset_seconds`: that side's clock minus the packet's time; \
                       absent for the side that does not show it.",
            action: "None needed. Update the TLS library where tracking by the clock matters.",
            references: &["RFC 5246 section 7.4.1.2", "draft-mathewson-no-gmtunixtime"],
        },
        check: Check::Flow(gmt_time_in_random),
    },
];

fn fallback_scsv_sent(offer: &Offer) -> Option<Evidence> {
    offer
        .cipher_suites
        .contains(&CipherSuite::TLS_FALLBACK_SCSV)
        .then(|| Evidence::of("maximum", offer.maximum_version()))
}

fn compression_offered(offer: &Offer) -> Option<Evidence> {
    let methods: Vec<Value> =
        offer.compression_methods.iter().filter(|method| **method != 0).map(|method| compression(*method)).collect();
    (!methods.is_empty()).then(|| Evidence::of("methods", Value::List(methods)))
}

fn no_secure_renegotiation_client(offer: &Offer) -> Option<Evidence> {
    let maximum = offer.maximum_version();
    (up_to_tls12(maximum) && renegotiation_signal(offer).is_none()).then(|| Evidence::of("maximum", maximum))
}

fn client_no_ems(offer: &Offer) -> Option<Evidence> {
    let maximum = offer.maximum_version();
    (up_to_tls12(maximum) && !offer.has(Ext::EXTENDED_MAIN_SECRET)).then(|| Evidence::of("maximum", maximum))
}

fn early_data_offered(offer: &Offer) -> Option<Evidence> {
    offer.has(Ext::EARLY_DATA).then(|| Evidence::new().with_some("psk_identities", offer.psk_identities))
}

fn downgrade_sentinel_tls12(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let (offer, selection) = hellos(facts)?;
    let sentinel = selection.sentinel?;
    let downgraded = offers_final_tls13(offer) && selection.version.order() == Version::TLS12.order();
    downgraded.then(|| downgrade(offer, selection, sentinel))
}

fn downgrade_sentinel_tls11(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let (offer, selection) = hellos(facts)?;
    let sentinel = selection.sentinel?;
    let could_have_more = match sentinel {
        DowngradeSentinel::Tls11OrBelow => offer.maximum_version().order() >= Version::TLS12.order(),
        DowngradeSentinel::Tls12 => offers_final_tls13(offer),
    };
    (could_have_more && below_tls12(selection.version)).then(|| downgrade(offer, selection, sentinel))
}

fn server_supports_higher(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let selection = facts.selection.as_ref().filter(|selection| up_to_tls12(selection.version))?;
    let sentinel = selection.sentinel?;
    let offer = facts.offer.as_deref();
    let dtls = selection.version.is_dtls();
    let proven = match sentinel {
        DowngradeSentinel::Tls12 => {
            let not_asked = offer.is_none_or(|offer| !offers_final_tls13(offer));
            not_asked.then_some(if dtls { Version::DTLS13 } else { Version::TLS13 })
        }
        DowngradeSentinel::Tls11OrBelow => {
            let not_asked = offer.is_none_or(|offer| offer.maximum_version().order() < Version::TLS12.order());
            let proves = not_asked && below_tls12(selection.version);
            proves.then_some(if dtls { Version::DTLS12 } else { Version::TLS12 })
        }
    }?;
    Some(Evidence::of("proven_version", proven).with("random_tail", random_tail(sentinel)))
}

fn inappropriate_fallback(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let alert = alert(facts, |alert| is_from(alert, Side::Server, &[Alert::INAPPROPRIATE_FALLBACK]))?;
    Some(of_alert(alert).with_some("maximum", facts.offer.as_deref().map(Offer::maximum_version)))
}

fn alert_protocol_version(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let alert = alert(facts, |alert| alert.description == Alert::PROTOCOL_VERSION)?;
    let offer = facts.offer.as_deref();
    let (reading, rests_on) = version_reading(alert, offer);
    Some(
        of_alert(alert)
            .with("reading", reading)
            .with("rests_on", rests_on)
            .with_some("maximum", offer.map(Offer::maximum_version)),
    )
}

/// Which side a protocol_version alert speaks against, and why.
fn version_reading(alert: &SeenAlert, offer: Option<&Offer>) -> (&'static str, &'static str) {
    if alert.from == Side::Client {
        return if alert.before_server_hello {
            ("undecidable", "the client sent the alert before any ServerHello")
        } else {
            ("server_too_old", "the client refuses the version that the ServerHello selects")
        };
    }
    if !alert.before_server_hello {
        return ("undecidable", "the server sent the alert after its own ServerHello");
    }
    let Some(offer) = offer else {
        return ("undecidable", "the ClientHello was not seen");
    };
    if below_tls12(offer.maximum_version()) || offer.maximum_version() == Version::SSL2 {
        return (
            "client_too_old",
            "the client's maximum is below TLS 1.2; a server with a lower maximum still would have answered with that",
        );
    }
    let accepts =
        |order: u16| offer.exact_versions().is_some_and(|mut all| all.any(|version| version.order() == order));
    match (offers_final_tls13(offer), accepts(Version::TLS12.order())) {
        (true, true) => (
            "server_too_old_or_intolerant",
            "the client accepts TLS 1.2 and TLS 1.3, and every current server speaks one of them",
        ),
        (true, false) => (
            "server_lacks_tls13",
            "the client accepts nothing below TLS 1.3, and a server that speaks it would have selected it",
        ),
        (false, _) => (
            "undecidable",
            "the client's maximum is TLS 1.2 or a draft of TLS 1.3: the server demands more, or does not tolerate it",
        ),
    }
}

fn alert_handshake_failure(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let alert =
        alert(facts, |alert| alert.before_server_hello && is_from(alert, Side::Server, &[Alert::HANDSHAKE_FAILURE]))?;
    Some(of_alert(alert).with_some("lacks", facts.offer.as_deref().map(|offer| Value::list(lacking(offer)))))
}

/// What current servers insist on and `offer` does not have.
fn lacking(offer: &Offer) -> impl Iterator<Item = &'static str> {
    let classes = offer.suite_classes;
    let old = up_to_tls12(offer.maximum_version());
    let uses_groups = classes.intersects(SuiteClasses::ECDHE) || offer.offers_tls13();
    let uses_schemes = offer.maximum_version().order() >= Version::TLS12.order();
    let forward_secrecy = classes.intersects(SuiteClasses::FORWARD_SECRET) || classes.intersects(SuiteClasses::TLS13);
    [
        (below_tls12(offer.maximum_version()), "TLS 1.2"),
        (!offer.offers_tls13(), "TLS 1.3"),
        (!classes.intersects(SuiteClasses::AEAD), "an AEAD suite"),
        (!forward_secrecy, "a suite with forward secrecy"),
        (uses_groups && offer.groups.is_none(), "supported_groups"),
        (uses_schemes && offer.signature_schemes.is_none(), "signature_algorithms"),
        (!offer.has(Ext::SERVER_NAME), "server_name"),
        (old && renegotiation_signal(offer).is_none(), "secure renegotiation"),
        (old && !offer.has(Ext::EXTENDED_MAIN_SECRET), "extended_master_secret"),
    ]
    .into_iter()
    .filter_map(|(missing, what)| missing.then_some(what))
}

fn alert_insufficient_security(facts: &Facts, _: &Settings) -> Option<Evidence> {
    alert(facts, |alert| alert.description == Alert::INSUFFICIENT_SECURITY).map(of_alert)
}

fn client_rejects_certificate(facts: &Facts, _: &Settings) -> Option<Evidence> {
    const REASONS: [Alert; 8] = [
        Alert::BAD_CERTIFICATE,
        Alert::UNSUPPORTED_CERTIFICATE,
        Alert::CERTIFICATE_REVOKED,
        Alert::CERTIFICATE_EXPIRED,
        Alert::CERTIFICATE_UNKNOWN,
        Alert::UNKNOWN_CA,
        Alert::ACCESS_DENIED,
        Alert::BAD_CERTIFICATE_STATUS_RESPONSE,
    ];
    facts.certificates.as_ref()?;
    let alert = alert(facts, |alert| !alert.before_server_hello && is_from(alert, Side::Client, &REASONS))?;
    Some(of_alert(alert).with_some("issuer", issuer(facts)))
}

fn alert_unrecognized_name(facts: &Facts, _: &Settings) -> Option<Evidence> {
    alert(facts, |alert| is_from(alert, Side::Server, &[Alert::UNRECOGNIZED_NAME])).map(of_alert)
}

fn alert_no_application_protocol(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let alert = alert(facts, |alert| is_from(alert, Side::Server, &[Alert::NO_APPLICATION_PROTOCOL]))?;
    Some(of_alert(alert).with_some("offered", facts.offer.as_deref().and_then(offered_protocols)))
}

fn alert_protocol_error(facts: &Facts, _: &Settings) -> Option<Evidence> {
    const ERRORS: [Alert; 5] = [
        Alert::UNEXPECTED_MESSAGE,
        Alert::ILLEGAL_PARAMETER,
        Alert::DECODE_ERROR,
        Alert::MISSING_EXTENSION,
        Alert::UNSUPPORTED_EXTENSION,
    ];
    alert(facts, |alert| ERRORS.contains(&alert.description)).map(of_alert)
}

fn alert_internal_error(facts: &Facts, _: &Settings) -> Option<Evidence> {
    alert(facts, |alert| alert.description == Alert::INTERNAL_ERROR).map(of_alert)
}

fn alert_certificate_required(facts: &Facts, _: &Settings) -> Option<Evidence> {
    alert(facts, |alert| {
        is_from(alert, Side::Server, &[Alert::CERTIFICATE_REQUIRED])
            || is_from(alert, Side::Client, &[Alert::NO_CERTIFICATE])
    })
    .map(of_alert)
}

/// How soon a reset must come for the hello to be its cause.
const RESET_WITHIN: Duration = Duration::from_secs(10);
/// How long a client must have waited for the server to be called silent.
const SILENT_AFTER: Duration = Duration::from_secs(2);

fn reset_after_clienthello(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let after = after_hello(facts);
    if facts.outcome != (Outcome::Reset { by: Side::Server }) || !is_unanswered(facts) || after > RESET_WITHIN {
        return None;
    }
    let progress = &facts.progress;
    // Without the SYN-ACK the reset itself may be the first packet seen in the server's name.
    let server_ttl = progress.server_ttl.filter(|_| facts.coverage.syn_seen == Some(true));
    let delta = progress.reset_ttl.zip(server_ttl).map(|(reset, server)| i64::from(reset) - i64::from(server));
    Some(
        Evidence::of("after_ms", milliseconds(after))
            .with_some("reset_ttl", progress.reset_ttl)
            .with_some("server_ttl", server_ttl)
            .with_some("ttl_delta", delta),
    )
}

fn silent_after_clienthello(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let waited = after_hello(facts);
    let ended = match facts.outcome {
        Outcome::Silent if facts.progress.fin.is_some() => "client_closed",
        Outcome::Silent if facts.progress.timed_out => "timeout",
        Outcome::Silent => "capture_ended",
        Outcome::Closed { by: Side::Server } => "server_closed",
        Outcome::Closed { by: Side::Client } if waited >= SILENT_AFTER => "client_closed",
        Outcome::Reset { by: Side::Client } if waited >= SILENT_AFTER => "client_reset",
        Outcome::Reset { by: Side::Server } if waited > RESET_WITHIN => "server_reset",
        _ => return None,
    };
    // How long a timeout was waited for is the reader's affair, not the flow's.
    let ended_by_packet = !matches!(ended, "timeout" | "capture_ended");
    (is_unanswered(facts) && facts.progress.hello_acknowledged)
        .then(|| Evidence::of("ended", ended).with_some("wait_ms", ended_by_packet.then(|| milliseconds(waited))))
}

fn abandoned_after_certificate(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let progress = &facts.progress;
    let ended = match facts.outcome {
        Outcome::Closed { by: Side::Client } if !facts.alerts.is_empty() => "close_notify",
        Outcome::Closed { by: Side::Client } => "fin",
        Outcome::Reset { by: Side::Client } => "rst",
        _ => return None,
    };
    let reasonless = facts.alerts.iter().all(|alert| {
        alert.from == Side::Client && matches!(alert.description, Alert::CLOSE_NOTIFY | Alert::USER_CANCELED)
    });
    let offered = up_to_tls12(facts.version()?) && (facts.certificates.is_some() || progress.server_hello_done);
    let went_on = progress.client_key_exchange || progress.client_ccs || facts.client_certificates.is_some();
    (offered && !went_on && reasonless && facts.coverage.missing_bytes == 0)
        .then(|| Evidence::of("ended", ended).with_some("issuer", issuer(facts)))
}

fn failure_after_encryption(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let (ended, by) = match facts.outcome {
        Outcome::Refused { by, alert: None } => ("alert_sized_record", by),
        Outcome::Closed { by } => ("closed", by),
        Outcome::Reset { by } => ("reset", by),
        _ => return None,
    };
    let progress = &facts.progress;
    (facts.is_tls13() && facts.coverage.missing_bytes == 0).then(|| {
        Evidence::of("ended", ended)
            .with("by", by)
            .with("client_records", progress.client_encrypted)
            .with("client_bytes", progress.client_encrypted_bytes)
            .with("server_records", progress.server_encrypted)
            .with("server_bytes", progress.server_encrypted_bytes)
    })
}

fn version_not_offered(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let offer = facts.offer.as_deref()?;
    let retried = facts.hello_retry.map(|retry| retry.version);
    let selected =
        facts.selection.as_ref().filter(|selection| !selection.is_partial).map(|selection| selection.version);
    let selected = selected.into_iter().chain(retried).find(|version| !accepts_version(offer, *version))?;
    if hides_inner_hello(offer) && selected.is_tls13_family() {
        return None;
    }
    let offered: Vec<Value> = match offer.exact_versions() {
        Some(versions) => versions.map(Value::from).collect(),
        None => vec![offer.legacy_version.into()],
    };
    let evidence = Evidence::of("selected", selected).with("offered", Value::List(offered));
    // A server older than extension 43 goes by legacy_version, as RFC 5246 asks.
    let by_legacy_version = offer.versions.is_some()
        && selected.order() > 0
        && selected.order() <= offer.legacy_version.order()
        && facts
            .selection
            .as_ref()
            .is_some_and(|selection| selection.version == selected && !selection.has(Ext::SUPPORTED_VERSIONS));
    Some(if by_legacy_version {
        evidence.with("reading", "server_too_old").at(Severity::Medium)
    } else {
        evidence.with("reading", "fault_or_tampering")
    })
}

fn suite_not_offered(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let offer = facts.offer.as_deref()?;
    if hides_inner_hello(offer) && facts.version().is_none_or(Version::is_tls13_family) {
        return None;
    }
    // Drafts of TLS 1.3 before 19 named no suite in a HelloRetryRequest.
    let retried = facts.hello_retry.filter(|retry| !retry.version.is_draft()).map(|retry| retry.cipher_suite);
    let selected = facts
        .cipher_suite()
        .into_iter()
        .chain(retried)
        .find(|suite| !offer.real_suites().any(|offered| offered == *suite))?;
    Some(Evidence::of("selected", selected))
}

fn unsolicited_extension(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let (offer, selection) = hellos(facts)?;
    if hides_inner_hello(offer) && facts.is_tls13() {
        return None;
    }
    let selected = selection.extensions.as_deref()?;
    let offers = [Some(offer), facts.second_offer.as_deref()];
    // Two long lists are compared by way of a sorted one: either side may send thousands.
    let mut sorted = Vec::new();
    if selected.len() > 64 {
        let all = offers.iter().flatten().flat_map(|offer| offer.extensions.iter().flatten());
        sorted.extend(all.map(|seen| seen.extension_type.0));
        sorted.sort_unstable();
    }
    let is_offered = |extension: Ext| {
        if sorted.is_empty() {
            offers.iter().flatten().any(|offer| offer.has(extension))
        } else {
            sorted.binary_search(&extension.0).is_ok()
        }
    };
    let signals_renegotiation = renegotiation_signal(offer).is_some();
    let unsolicited = |extension: Ext| match extension {
        Ext::COOKIE => true,
        Ext::RENEGOTIATION_INFO => !signals_renegotiation,
        other if other.is_grease() => true,
        other => !is_offered(other),
    };
    let found: Vec<Value> = selected
        .iter()
        .map(|seen| seen.extension_type)
        .filter(|extension| unsolicited(*extension))
        .map(Value::from)
        .collect();
    (!found.is_empty()).then(|| Evidence::of("extensions", Value::List(found)))
}

fn compression_negotiated(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let method = facts.selection.as_ref()?.compression_method;
    (method != 0).then(|| Evidence::of("method", compression(method)))
}

fn no_secure_renegotiation_server(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let (offer, selection) = hellos(facts)?;
    let signal = renegotiation_signal(offer)?;
    (up_to_tls12(selection.version) && lacks(selection, Ext::RENEGOTIATION_INFO))
        .then(|| Evidence::of("signalled_by", signal))
}

fn renegotiation_observed(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let initiator = facts.progress.renegotiation?;
    let selection = facts.selection.as_ref()?;
    let secure = !lacks(selection, Ext::RENEGOTIATION_INFO);
    let evidence = Evidence::of("initiator", initiator).with("secure", secure);
    Some(if secure { evidence } else { evidence.at(Severity::Medium) })
}

fn no_extended_master_secret(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let (offer, selection) = hellos(facts)?;
    let missing = offer.has(Ext::EXTENDED_MAIN_SECRET) && lacks(selection, Ext::EXTENDED_MAIN_SECRET);
    (missing && up_to_tls12(selection.version)).then(|| Evidence::new().with_some("resumed", facts.resumed))
}

fn heartbeat_negotiated(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let selection = facts.selection.as_ref()?;
    let client_mode = facts.offer.as_deref().and_then(|offer| offer.heartbeat_mode);
    selection.has(Ext::HEARTBEAT).then(|| Evidence::new().with_some("client_mode", client_mode))
}

fn heartbleed_probe(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let probe = facts.heartbeat_probe?;
    let evidence = Evidence::of("from", probe.from)
        .with("claimed", probe.claimed)
        .with("record", probe.record)
        .with("beyond", probe.claimed.saturating_sub(probe.record.saturating_sub(3)))
        .with("answered", probe.answered);
    Some(if probe.answered > probe.record { evidence } else { evidence.at(Severity::High) })
}

/// What TLS 1.3 allows at most, in seconds: seven days.
const LONGEST_TICKET: u32 = 604_800;

fn ticket_lifetime_long(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let lifetime = facts.ticket_lifetime.filter(|_| !facts.is_tls13())?;
    (lifetime > LONGEST_TICKET).then(|| Evidence::of("lifetime_seconds", lifetime).with("days", lifetime / 86_400))
}

fn resumed_session(facts: &Facts, _: &Settings) -> Option<Evidence> {
    if facts.resumed != Some(true) {
        return None;
    }
    let had_ticket = facts.offer.as_deref().is_some_and(|offer| offer.session_ticket == Some(true));
    let by = if facts.is_tls13() {
        "pre_shared_key"
    } else if had_ticket {
        "session_ticket"
    } else {
        "session_id"
    };
    Some(Evidence::of("by", by))
}

fn truncated_hmac(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let selection = facts.selection.as_ref()?;
    let uses_mac = selection.cipher_suite.map(|suite| !suite.is_aead());
    selection.has(Ext::TRUNCATED_HMAC).then(|| Evidence::new().with_some("uses_mac", uses_mac))
}

fn early_ccs(facts: &Facts, _: &Settings) -> Option<Evidence> {
    facts.progress.early_ccs.map(|from| Evidence::of("from", from))
}

fn h2_with_forbidden_suite(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let selection = facts.selection.as_ref()?;
    if selection.alpn.as_deref() != Some(b"h2") {
        return None;
    }
    let because = if selection.version.order() < Version::TLS12.order() {
        "version"
    } else if selection.cipher_suite.is_some_and(CipherSuite::is_http2_forbidden) {
        "suite"
    } else {
        return None;
    };
    Some(Evidence::of("because", because))
}

fn alpn_not_offered(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let (offer, selection) = hellos(facts)?;
    let selected = selection.alpn.as_deref()?;
    if hides_inner_hello(offer) && facts.is_tls13() {
        return None;
    }
    let listed = offer.alpn.iter().flatten().any(|name| **name == *selected && !is_grease_name(name));
    (!listed).then(|| {
        Evidence::of("selected", selected.escape_ascii().to_string()).with_some("offered", offered_protocols(offer))
    })
}

fn gmt_time_in_random(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let client = facts
        .offer
        .as_deref()
        .filter(|offer| up_to_tls12(offer.maximum_version()) && !offer.is_sslv2_format())
        .and_then(|_| clock_offset(facts.hello.random_time, facts.started));
    let server = facts
        .selection
        .as_ref()
        .filter(|selection| up_to_tls12(selection.version))
        .and_then(|selection| clock_offset(selection.random_time, facts.started));
    (client.is_some() || server.is_some())
        .then(|| Evidence::new().with_some("client_offset_seconds", client).with_some("server_offset_seconds", server))
}

/// `clock` minus `now` in seconds, where they are within a day of each other.
fn clock_offset(clock: u32, now: Timestamp) -> Option<i64> {
    const DAY: u64 = 86_400;
    // A capture whose own clock was never set tells nothing.
    let now = i64::try_from(now.as_seconds()).ok().filter(|seconds| seconds.unsigned_abs() > DAY)?;
    let offset = i64::from(clock) - now;
    (offset.unsigned_abs() <= DAY).then_some(offset)
}

/// The hello and the answer to it, where both were seen.
fn hellos(facts: &Facts) -> Option<(&Offer, &Selection)> {
    facts.offer.as_deref().zip(facts.selection.as_ref())
}

/// Whether `extension` is known to be missing: of a block that contradicts itself only the start was read.
fn lacks(selection: &Selection, extension: Ext) -> bool {
    !selection.is_partial && !selection.has(extension)
}

/// SSL 3.0 to TLS 1.2 and their DTLS equals.
fn up_to_tls12(version: Version) -> bool {
    (Version::SSL3.order()..=Version::TLS12.order()).contains(&version.order())
}

/// SSL 3.0 to TLS 1.1 and their DTLS equals.
fn below_tls12(version: Version) -> bool {
    (Version::SSL3.order()..Version::TLS12.order()).contains(&version.order())
}

/// Whether the final TLS 1.3 or DTLS 1.3 is offered: a server that speaks it knows no drafts.
fn offers_final_tls13(offer: &Offer) -> bool {
    offer
        .exact_versions()
        .is_some_and(|mut versions| versions.any(|version| matches!(version, Version::TLS13 | Version::DTLS13)))
}

/// Whether the client accepts `version`, as far as its hello tells.
fn accepts_version(offer: &Offer, version: Version) -> bool {
    match offer.exact_versions() {
        Some(mut versions) => versions.any(|offered| offered == version),
        None => version.order() > 0 && version.order() <= offer.legacy_version.order(),
    }
}

/// Whether the server may have answered an encrypted hello instead of this one.
fn hides_inner_hello(offer: &Offer) -> bool {
    offer.encrypted_client_hello.is_some()
}

fn downgrade(offer: &Offer, selection: &Selection, sentinel: DowngradeSentinel) -> Evidence {
    Evidence::of("random_tail", random_tail(sentinel))
        .with("offered", offer.maximum_version())
        .with("selected", selection.version)
}

const fn random_tail(sentinel: DowngradeSentinel) -> &'static str {
    match sentinel {
        DowngradeSentinel::Tls12 => "444f574e47524401",
        DowngradeSentinel::Tls11OrBelow => "444f574e47524400",
    }
}

/// How the client signals that it knows secure renegotiation (RFC 5746 section 3.4).
fn renegotiation_signal(offer: &Offer) -> Option<&'static str> {
    let scsv = offer.cipher_suites.contains(&CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV);
    match (offer.has(Ext::RENEGOTIATION_INFO), scsv) {
        (true, true) => Some("both"),
        (true, false) => Some("extension"),
        (false, true) => Some("scsv"),
        (false, false) => None,
    }
}

/// The first alert that is `wanted` and says something: one sent after the peer had closed answers the closing.
fn alert(facts: &Facts, wanted: impl Fn(&SeenAlert) -> bool) -> Option<&SeenAlert> {
    facts.alerts.iter().find(|alert| !alert.after_close && wanted(alert))
}

fn is_from(alert: &SeenAlert, side: Side, descriptions: &[Alert]) -> bool {
    alert.from == side && descriptions.contains(&alert.description)
}

fn of_alert(alert: &SeenAlert) -> Evidence {
    Evidence::of("alert", alert.description)
        .with("from", alert.from)
        .with("level", if alert.level == 1 { "warning" } else { "fatal" })
        .with("before_server_hello", alert.before_server_hello)
}

/// Whether no byte of TLS answered the hello, in a capture that misses none.
fn is_unanswered(facts: &Facts) -> bool {
    facts.carrier == Carrier::Tcp
        && facts.offer.is_some()
        && facts.selection.is_none()
        && facts.hello_retry.is_none()
        && facts.progress.server_encrypted == 0
        && !facts.progress.server_ccs
        && facts.coverage.missing_bytes == 0
        && !facts.alerts.iter().any(|alert| alert.from == Side::Server)
        && !facts.problems.iter().any(|problem| problem.from == Side::Server)
}

fn after_hello(facts: &Facts) -> Duration {
    facts.ended.since(facts.progress.hello_at)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The issuer named in the server's own certificate.
fn issuer(facts: &Facts) -> Option<String> {
    facts.leaf().map(|leaf| leaf.issuer.clone()).filter(|issuer| !issuer.is_empty())
}

fn compression(method: u8) -> Value {
    CompressionMethod(method).to_string().into()
}

fn offered_protocols(offer: &Offer) -> Option<Value> {
    offer.alpn.as_ref().map(|names| Value::list(names.iter().map(|name| name.escape_ascii().to_string())))
}

/// Whether a protocol name is one of the GREASE names of RFC 8701 section 2.
fn is_grease_name(name: &[u8]) -> bool {
    name.first_chunk::<2>().is_some_and(|bytes| name.len() == 2 && is_grease(u16::from_be_bytes(*bytes)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::findings::testing::{
        Case, NOW, alert, change_offer, change_selection, check, hold, offer, offer_tls12, selected, set_extensions,
        set_server_extensions, set_suites, tls12, tls13, unanswered,
    };
    use crate::flow::facts::{HeartbeatProbe, HelloRetry, SeenEch};
    use crate::tls::codepoints::NamedGroup;
    use crate::tls::x509::Certificate;

    #[test]
    fn every_rule_fires_and_keeps_silent() {
        hold(RULES, CASES);
    }

    const CASES: &[Case] = &[
        Case {
            rule: "NEG001",
            fires: || with_sentinel(offer(), Version::TLS12, DowngradeSentinel::Tls12),
            silent: || with_sentinel(offer_tls12(), Version::TLS12, DowngradeSentinel::Tls12),
        },
        Case {
            rule: "NEG002",
            fires: || with_sentinel(offer_tls12(), Version::TLS11, DowngradeSentinel::Tls11OrBelow),
            silent: || with_sentinel(offer_up_to(Version::TLS11), Version::TLS11, DowngradeSentinel::Tls11OrBelow),
        },
        Case {
            rule: "NEG003",
            fires: || with_sentinel(offer_tls12(), Version::TLS12, DowngradeSentinel::Tls12),
            silent: || with_sentinel(offer(), Version::TLS12, DowngradeSentinel::Tls12),
        },
        Case {
            rule: "NEG004",
            fires: || unanswered(with_suites(&[0xc02f, 0x5600])),
            silent: || unanswered(with_suites(&[0xc02f, 0x00ff])),
        },
        Case { rule: "NEG005", fires: || refused(Side::Server, 86), silent: || refused(Side::Client, 86) },
        Case { rule: "NEG010", fires: || refused(Side::Server, 70), silent: || refused(Side::Server, 71) },
        Case { rule: "NEG011", fires: || refused(Side::Server, 40), silent: || after_hello_alert(Side::Server, 40) },
        Case { rule: "NEG012", fires: || refused(Side::Client, 71), silent: || refused(Side::Server, 70) },
        Case { rule: "NEG013", fires: || rejected(48), silent: || rejected(0) },
        Case { rule: "NEG014", fires: || refused(Side::Server, 112), silent: || refused(Side::Server, 111) },
        Case { rule: "NEG015", fires: || refused(Side::Server, 120), silent: || refused(Side::Server, 116) },
        Case { rule: "NEG016", fires: || refused(Side::Client, 47), silent: || refused(Side::Client, 51) },
        Case { rule: "NEG017", fires: || refused(Side::Server, 80), silent: || refused(Side::Server, 90) },
        Case { rule: "NEG018", fires: || refused(Side::Server, 116), silent: || refused(Side::Server, 41) },
        Case {
            rule: "NEG019",
            fires: || ended(Outcome::Reset { by: Side::Server }, 9),
            silent: || ended(Outcome::Reset { by: Side::Server }, 11),
        },
        Case {
            rule: "NEG020",
            fires: || ended(Outcome::Silent, 30),
            silent: || {
                let mut facts = ended(Outcome::Silent, 30);
                facts.progress.hello_acknowledged = false;
                facts
            },
        },
        Case {
            rule: "NEG021",
            fires: || abandoned(Outcome::Reset { by: Side::Client }),
            silent: || abandoned(Outcome::Reset { by: Side::Server }),
        },
        Case {
            rule: "NEG022",
            fires: || Facts { outcome: Outcome::Refused { by: Side::Client, alert: None }, ..tls13() },
            silent: tls13,
        },
        Case {
            rule: "NEG023",
            fires: || {
                let mut facts = tls12();
                change_offer(&mut facts, |offer| offer.legacy_version = Version::TLS11);
                facts
            },
            silent: tls12,
        },
        Case {
            rule: "NEG024",
            fires: || selected(Version::TLS12, 0xc027),
            silent: || selected(Version::TLS12, 0xc030),
        },
        Case {
            rule: "NEG025",
            fires: || with_server_extensions(tls12(), &[0xff01, 5]),
            silent: || with_server_extensions(tls12(), &[0xff01, 23]),
        },
        Case { rule: "NEG027", fires: || compressed(1), silent: || compressed(0) },
        Case {
            rule: "NEG028",
            fires: || unanswered(Offer { compression_methods: vec![1, 0], ..offer_tls12() }),
            silent: || unanswered(Offer { compression_methods: vec![0], ..offer_tls12() }),
        },
        Case {
            rule: "NEG029",
            fires: || with_server_extensions(tls12(), &[23]),
            silent: || with_server_extensions(tls12(), &[0xff01]),
        },
        Case { rule: "NEG030", fires: || unanswered(without_signal()), silent: || unanswered(offer_tls12()) },
        Case { rule: "NEG031", fires: || renegotiated(&[0xff01]), silent: tls12 },
        Case {
            rule: "NEG032",
            fires: || with_server_extensions(tls12(), &[0xff01]),
            silent: || with_server_extensions(tls12(), &[23]),
        },
        Case {
            rule: "NEG033",
            fires: || {
                let mut offer = offer_tls12();
                set_extensions(&mut offer, &[0, 0xff01]);
                unanswered(offer)
            },
            silent: || unanswered(offer_tls12()),
        },
        Case {
            rule: "NEG034",
            fires: || with_server_extensions(tls12(), &[15]),
            silent: || with_server_extensions(tls12(), &[16]),
        },
        Case { rule: "NEG035", fires: || probed(16_384), silent: tls12 },
        Case {
            rule: "NEG036",
            fires: || Facts { ticket_lifetime: Some(604_801), ..tls12() },
            silent: || Facts { ticket_lifetime: Some(604_800), ..tls12() },
        },
        Case {
            rule: "NEG037",
            fires: || Facts { resumed: Some(true), ..tls12() },
            silent: || Facts { resumed: None, ..tls12() },
        },
        Case {
            rule: "NEG038",
            fires: || {
                let mut offer = offer();
                set_extensions(&mut offer, &[0, 43, 51, 42, 41]);
                unanswered(offer)
            },
            silent: || unanswered(offer()),
        },
        Case {
            rule: "NEG039",
            fires: || with_server_extensions(tls12(), &[4]),
            silent: || with_server_extensions(tls12(), &[5]),
        },
        Case {
            rule: "NEG040",
            fires: || {
                let mut facts = tls12();
                facts.progress.early_ccs = Some(Side::Client);
                facts
            },
            silent: tls12,
        },
        Case {
            rule: "NEG041",
            fires: || selected(Version::TLS12, 0x009c),
            silent: || selected(Version::TLS12, 0xc02f),
        },
        Case { rule: "NEG042", fires: || with_protocol(b"spdy/3.1"), silent: || with_protocol(b"http/1.1") },
        Case { rule: "NEG044", fires: || with_clock(tls12(), 86_400), silent: || with_clock(tls12(), 86_401) },
    ];

    #[test]
    fn a_draft_client_is_not_downgraded_by_a_final_server() {
        let draft = Offer { versions: Some(vec![Version(0x7f1c), Version::TLS12]), ..offer() };
        let facts = with_sentinel(draft, Version::TLS12, DowngradeSentinel::Tls12);
        assert!(check("NEG001", &facts).is_none());
        let evidence = check("NEG003", &facts).unwrap();
        assert_eq!(evidence.value("proven_version"), Some(&Value::Version(Version::TLS13)));
    }

    #[test]
    fn either_sentinel_convicts_where_tls13_was_offered() {
        let facts = with_sentinel(offer(), Version::TLS12, DowngradeSentinel::Tls11OrBelow);
        assert_eq!(text(&check("NEG001", &facts).unwrap(), "random_tail"), "444f574e47524400");
        let facts = with_sentinel(offer(), Version::TLS10, DowngradeSentinel::Tls12);
        assert!(check("NEG002", &facts).is_some());
        let facts = with_sentinel(offer_tls12(), Version::TLS10, DowngradeSentinel::Tls12);
        assert!(check("NEG002", &facts).is_none(), "a TLS 1.2 client need not know the other value");
    }

    #[test]
    fn a_sentinel_without_the_hello_still_proves_the_server() {
        let mut facts = with_sentinel(offer(), Version::TLS12, DowngradeSentinel::Tls12);
        facts.offer = None;
        assert!(check("NEG001", &facts).is_none());
        assert!(check("NEG003", &facts).is_some());
    }

    #[test]
    fn a_sentinel_of_dtls_proves_dtls() {
        let facts = with_sentinel(offer_up_to(Version::DTLS12), Version::DTLS12, DowngradeSentinel::Tls12);
        let evidence = check("NEG003", &facts).unwrap();
        assert_eq!(evidence.value("proven_version"), Some(&Value::Version(Version::DTLS13)));
    }

    #[test]
    fn protocol_version_is_read_by_what_the_client_accepts() {
        let only = |versions: &[Version]| Offer { versions: Some(versions.to_vec()), ..offer() };
        for (offer, reading) in [
            (offer_up_to(Version::TLS10), "client_too_old"),
            (offer_up_to(Version::TLS11), "client_too_old"),
            (offer_tls12(), "undecidable"),
            (only(&[Version::TLS12]), "undecidable"),
            (only(&[Version(0x7f1c)]), "undecidable"),
            (only(&[Version(0x0a0a), Version::TLS13]), "server_lacks_tls13"),
            (only(&[Version::TLS13, Version::TLS12]), "server_too_old_or_intolerant"),
        ] {
            let mut facts = unanswered(offer);
            facts.alerts.push(alert(Side::Server, 70));
            assert_eq!(text(&check("NEG010", &facts).unwrap(), "reading"), reading);
        }
        let facts = after_hello_alert(Side::Client, 70);
        assert_eq!(text(&check("NEG010", &facts).unwrap(), "reading"), "server_too_old");
        let mut facts = refused(Side::Server, 70);
        facts.offer = None;
        assert_eq!(text(&check("NEG010", &facts).unwrap(), "reading"), "undecidable");
    }

    #[test]
    fn a_refusal_lists_what_the_offer_lacks() {
        let modern = check("NEG011", &refused(Side::Server, 40)).unwrap();
        assert_eq!(modern.value("lacks"), Some(&Value::List(Vec::new())));
        let mut old = offer_up_to(Version::TLS10);
        set_suites(&mut old, &[0x002f, 0x000a]);
        old.extensions = None;
        let mut facts = unanswered(old);
        facts.alerts.push(alert(Side::Server, 40));
        let lacks = check("NEG011", &facts).unwrap().value("lacks").unwrap().to_string();
        let expected = "TLS 1.2, TLS 1.3, an AEAD suite, a suite with forward secrecy, server_name, secure \
                        renegotiation, extended_master_secret";
        assert_eq!(lacks, expected);
    }

    #[test]
    fn a_certificate_is_rejected_only_where_one_was_seen() {
        let mut facts = rejected(48);
        facts.certificates = None;
        assert!(check("NEG013", &facts).is_none());
    }

    #[test]
    fn an_alert_that_answers_a_closing_is_no_complaint() {
        let mut facts = refused(Side::Server, 80);
        facts.alerts.iter_mut().for_each(|alert| alert.after_close = true);
        assert!(check("NEG017", &facts).is_none());
    }

    #[test]
    fn what_a_broken_block_may_have_held_is_not_missing() {
        let mut facts = with_server_extensions(tls12(), &[]);
        assert!(check("NEG029", &facts).is_some() && check("NEG032", &facts).is_some());
        change_selection(&mut facts, |selection| selection.is_partial = true);
        assert!(check("NEG029", &facts).is_none() && check("NEG032", &facts).is_none());
    }

    #[test]
    fn no_certificate_is_the_client_s_and_certificate_required_the_server_s() {
        assert!(check("NEG018", &refused(Side::Client, 41)).is_some());
        assert!(check("NEG018", &refused(Side::Client, 116)).is_none());
    }

    #[test]
    fn a_reset_is_told_by_its_hop_limit_only_where_the_syn_ack_was_seen() {
        let mut facts = ended(Outcome::Reset { by: Side::Server }, 0);
        facts.progress.reset_ttl = Some(62);
        facts.progress.server_ttl = Some(50);
        let evidence = check("NEG019", &facts).unwrap();
        assert_eq!(evidence.value("ttl_delta"), Some(&Value::Number(12)));
        facts.coverage.syn_seen = Some(false);
        let evidence = check("NEG019", &facts).unwrap();
        assert_eq!((evidence.value("ttl_delta"), evidence.value("reset_ttl")), (None, Some(&Value::Number(62))));
    }

    #[test]
    fn what_the_capture_misses_is_not_silence() {
        for outcome in [Outcome::Reset { by: Side::Server }, Outcome::Silent, Outcome::Closed { by: Side::Server }] {
            let mut facts = ended(outcome, 9);
            let rule = if matches!(outcome, Outcome::Reset { .. }) { "NEG019" } else { "NEG020" };
            assert!(check(rule, &facts).is_some());
            facts.coverage.missing_bytes = 1;
            assert!(check(rule, &facts).is_none());
        }
    }

    #[test]
    fn a_client_that_leaves_at_once_has_not_met_silence() {
        assert!(check("NEG020", &ended(Outcome::Closed { by: Side::Client }, 1)).is_none());
        let evidence = check("NEG020", &ended(Outcome::Reset { by: Side::Client }, 2)).unwrap();
        assert_eq!(text(&evidence, "ended"), "client_reset");
        assert_eq!(evidence.value("wait_ms"), Some(&Value::Number(2000)));
        assert!(check("NEG020", &ended(Outcome::Reset { by: Side::Server }, 11)).is_some());
    }

    #[test]
    fn an_answer_after_a_retry_is_not_silence() {
        let mut facts = ended(Outcome::Silent, 30);
        facts.hello_retry = Some(retry(Version::TLS13, 0x1301));
        assert!(check("NEG020", &facts).is_none());
    }

    #[test]
    fn a_client_that_gives_a_reason_has_not_abandoned() {
        let mut facts = abandoned(Outcome::Closed { by: Side::Client });
        facts.alerts.push(alert(Side::Client, 0));
        assert_eq!(text(&check("NEG021", &facts).unwrap(), "ended"), "close_notify");
        facts.alerts.push(alert(Side::Client, 48));
        assert!(check("NEG021", &facts).is_none());
        let mut facts = abandoned(Outcome::Closed { by: Side::Client });
        facts.progress.client_key_exchange = true;
        assert!(check("NEG021", &facts).is_none());
    }

    #[test]
    fn what_tls13_hides_is_reported_as_unknown() {
        let facts = Facts { outcome: Outcome::Closed { by: Side::Server }, ..tls13() };
        assert_eq!(text(&check("NEG022", &facts).unwrap(), "ended"), "closed");
        let facts = Facts { outcome: Outcome::Closed { by: Side::Server }, ..tls12() };
        assert!(check("NEG022", &facts).is_none());
    }

    #[test]
    fn an_old_server_that_goes_by_legacy_version_is_told_from_tampering() {
        let mut facts = tls12();
        facts.offer = Some(Arc::new(offer()));
        change_selection(&mut facts, |selection| selection.version = Version::TLS10);
        let evidence = check("NEG023", &facts).unwrap();
        assert_eq!(
            (text(&evidence, "reading"), evidence.severity()),
            ("server_too_old".into(), Some(Severity::Medium))
        );
        change_selection(&mut facts, |selection| set_server_extensions(selection, &[43]));
        let evidence = check("NEG023", &facts).unwrap();
        assert_eq!((text(&evidence, "reading"), evidence.severity()), ("fault_or_tampering".into(), None));
    }

    #[test]
    fn rejects_what_is_no_version_and_what_a_retry_invents() {
        let mut facts = tls12();
        change_selection(&mut facts, |selection| selection.version = Version(0x0a0a));
        assert!(check("NEG023", &facts).is_some());
        let mut facts = tls13();
        facts.hello_retry = Some(retry(Version::TLS13, 0x1301));
        assert!(check("NEG023", &facts).is_none());
        facts.hello_retry = Some(retry(Version(0x7f1c), 0x1301));
        assert!(check("NEG023", &facts).is_some());
    }

    #[test]
    fn grease_and_signals_are_never_offered() {
        for value in [0x0a0a, 0x00ff, 0x5600] {
            let mut facts = selected(Version::TLS12, value);
            change_offer(&mut facts, |offer| set_suites(offer, &[value, 0xc02f]));
            assert!(check("NEG024", &facts).is_some(), "{value:04x}");
        }
        let mut facts = with_server_extensions(tls12(), &[0x0a0a]);
        change_offer(&mut facts, |offer| set_extensions(offer, &[0x0a0a, 0xff01]));
        assert!(check("NEG025", &facts).is_some());
        let mut facts = with_protocol(&[0x0a, 0x0a]);
        change_offer(&mut facts, |offer| offer.alpn = Some(vec![[0x0a, 0x0a].into()]));
        assert!(check("NEG042", &facts).is_some());
    }

    #[test]
    fn a_draft_s_retry_without_a_suite_is_not_judged() {
        let mut facts = tls13();
        facts.hello_retry = Some(retry(Version(0x7f12), 0));
        assert!(check("NEG024", &facts).is_none());
        facts.hello_retry = Some(retry(Version::TLS13, 0x1305));
        assert!(check("NEG024", &facts).is_some());
    }

    #[test]
    fn an_inner_hello_is_not_judged_by_the_outer_one() {
        let mut facts = with_server_extensions(tls13(), &[43, 51, 41]);
        change_selection(&mut facts, |selection| selection.cipher_suite = Some(CipherSuite(0x1304)));
        assert!(check("NEG024", &facts).is_some() && check("NEG025", &facts).is_some());
        change_offer(&mut facts, |offer| offer.encrypted_client_hello = Some(SeenEch { kdf: 1, aead: 1 }));
        assert!(check("NEG024", &facts).is_none() && check("NEG025", &facts).is_none());
    }

    #[test]
    fn the_exceptions_to_unsolicited_extensions_are_exact() {
        let answer = |types: &[u16], suites: &[u16], server: &[u16]| {
            let mut facts = with_server_extensions(tls12(), server);
            change_offer(&mut facts, |offer| {
                set_extensions(offer, types);
                set_suites(offer, suites);
            });
            check("NEG025", &facts).map(|evidence| evidence.value("extensions").unwrap().to_string())
        };
        assert_eq!(answer(&[0], &[0xc02f, 0x00ff], &[0xff01]), None);
        assert_eq!(answer(&[0xff01], &[0xc02f], &[0xff01]), None);
        assert_eq!(answer(&[0], &[0xc02f], &[0xff01]).as_deref(), Some("renegotiation_info"));
        // The signal stands for that one extension alone.
        assert_eq!(answer(&[0], &[0xc02f, 0x00ff], &[0xff01, 23]).as_deref(), Some("extended_main_secret"));
        assert_eq!(answer(&[44], &[0xc02f], &[44]).as_deref(), Some("cookie"));
    }

    #[test]
    fn the_second_hello_counts_as_offered_too() {
        let mut facts = with_server_extensions(tls13(), &[43, 51]);
        change_offer(&mut facts, |offer| set_extensions(offer, &[43]));
        assert!(check("NEG025", &facts).is_some());
        facts.second_offer = Some(Arc::new(offer()));
        assert!(check("NEG025", &facts).is_none());
    }

    #[test]
    fn secure_renegotiation_is_owed_only_to_who_asks() {
        let mut facts = with_server_extensions(tls12(), &[]);
        facts.offer = Some(Arc::new(without_signal()));
        assert!(check("NEG029", &facts).is_none());
        let facts = with_server_extensions(tls13(), &[43, 51]);
        assert!(check("NEG029", &facts).is_none() && check("NEG032", &facts).is_none());
        assert_eq!(check("NEG031", &renegotiated(&[0xff01])).unwrap().severity(), None);
        assert_eq!(check("NEG031", &renegotiated(&[])).unwrap().severity(), Some(Severity::Medium));
    }

    #[test]
    fn sslv2_has_neither_signal_to_miss() {
        let facts = unanswered(Offer { legacy_version: Version::SSL2, extensions: None, ..without_signal() });
        assert!(check("NEG030", &facts).is_none() && check("NEG033", &facts).is_none());
    }

    #[test]
    fn heartbleed_is_critical_only_where_it_worked() {
        let worked = check("NEG035", &probed(16_384)).unwrap();
        assert_eq!((worked.severity(), worked.value("beyond")), (None, Some(&Value::Number(16_363))));
        for answered in [0, 24] {
            assert_eq!(check("NEG035", &probed(answered)).unwrap().severity(), Some(Severity::High));
        }
    }

    #[test]
    fn resumption_names_its_kind() {
        let by = |facts: &Facts| text(&check("NEG037", facts).unwrap(), "by");
        let mut facts = Facts { resumed: Some(true), ..tls12() };
        assert_eq!(by(&facts), "session_id");
        change_offer(&mut facts, |offer| offer.session_ticket = Some(true));
        assert_eq!(by(&facts), "session_ticket");
        assert_eq!(by(&Facts { resumed: Some(true), ..tls13() }), "pre_shared_key");
    }

    #[test]
    fn http2_below_tls12_is_forbidden_whatever_the_suite() {
        assert_eq!(text(&check("NEG041", &selected(Version::TLS11, 0xc02f)).unwrap(), "because"), "version");
        let mut facts = selected(Version::TLS11, 0x009c);
        change_selection(&mut facts, |selection| selection.alpn = None);
        assert!(check("NEG041", &facts).is_none());
    }

    #[test]
    fn a_protocol_selected_without_any_offer_is_reported() {
        let mut facts = with_protocol(b"h2");
        change_offer(&mut facts, |offer| offer.alpn = None);
        let evidence = check("NEG042", &facts).unwrap();
        assert_eq!((text(&evidence, "selected"), evidence.value("offered")), ("h2".into(), None));
    }

    #[test]
    fn a_random_is_no_clock_in_tls13_and_in_a_capture_without_one() {
        assert!(check("NEG044", &with_clock(tls13(), 0)).is_none());
        let mut facts = with_clock(tls12(), -5);
        let evidence = check("NEG044", &facts).unwrap();
        assert_eq!(evidence.value("client_offset_seconds"), Some(&Value::Number(-5)));
        assert_eq!(evidence.value("server_offset_seconds"), None);
        facts.started = Timestamp::ZERO;
        facts.hello.random_time = 0;
        assert!(check("NEG044", &facts).is_none());
    }

    fn text(evidence: &Evidence, name: &str) -> String {
        evidence.value(name).unwrap().to_string()
    }

    fn with_sentinel(offer: Offer, version: Version, sentinel: DowngradeSentinel) -> Facts {
        let mut facts = selected(version, 0xc02f);
        facts.offer = Some(Arc::new(offer));
        change_selection(&mut facts, |selection| selection.sentinel = Some(sentinel));
        facts
    }

    fn offer_up_to(version: Version) -> Offer {
        Offer { legacy_version: version, ..offer_tls12() }
    }

    fn with_suites(suites: &[u16]) -> Offer {
        let mut offer = offer_tls12();
        set_suites(&mut offer, suites);
        offer
    }

    /// A TLS 1.2 hello that says nothing of renegotiation or of the session's secret.
    fn without_signal() -> Offer {
        let mut offer = with_suites(&[0xc02f]);
        set_extensions(&mut offer, &[0]);
        offer
    }

    fn refused(by: Side, description: u8) -> Facts {
        let mut facts = unanswered(offer());
        facts.alerts.push(alert(by, description));
        facts.outcome = Outcome::Refused { by, alert: Some(Alert(description)) };
        facts
    }

    fn after_hello_alert(by: Side, description: u8) -> Facts {
        let mut facts = tls12();
        facts.alerts.push(SeenAlert { before_server_hello: false, ..alert(by, description) });
        facts.outcome = Outcome::Refused { by, alert: Some(Alert(description)) };
        facts
    }

    /// The client sends an alert after the server's certificate.
    fn rejected(description: u8) -> Facts {
        let mut facts = after_hello_alert(Side::Client, description);
        facts.certificates = Some([Arc::new(Certificate::from_der(&[]))].into_iter().collect());
        facts
    }

    /// An unanswered hello whose flow ended `seconds` after it.
    fn ended(outcome: Outcome, seconds: u64) -> Facts {
        let mut facts = unanswered(offer());
        facts.outcome = outcome;
        facts.ended = NOW.plus(Duration::from_secs(seconds));
        facts
    }

    fn abandoned(outcome: Outcome) -> Facts {
        let mut facts = tls12();
        facts.outcome = outcome;
        facts.progress.client_key_exchange = false;
        facts.progress.client_ccs = false;
        facts
    }

    fn with_server_extensions(mut facts: Facts, types: &[u16]) -> Facts {
        change_selection(&mut facts, |selection| set_server_extensions(selection, types));
        facts
    }

    fn compressed(method: u8) -> Facts {
        let mut facts = tls12();
        change_selection(&mut facts, |selection| selection.compression_method = method);
        facts
    }

    fn renegotiated(server_extensions: &[u16]) -> Facts {
        let mut facts = with_server_extensions(tls12(), server_extensions);
        facts.progress.renegotiation = Some(Side::Server);
        facts
    }

    fn probed(answered: u16) -> Facts {
        let probe = HeartbeatProbe { from: Side::Client, claimed: 16_384, record: 24, answered };
        Facts { heartbeat_probe: Some(probe), ..tls12() }
    }

    fn with_protocol(name: &[u8]) -> Facts {
        let mut facts = tls12();
        change_selection(&mut facts, |selection| selection.alpn = Some(name.into()));
        facts
    }

    fn with_clock(mut facts: Facts, offset: i64) -> Facts {
        let clock = i64::try_from(NOW.as_seconds()).unwrap() + offset;
        facts.hello.random_time = u32::try_from(clock).unwrap();
        facts
    }

    const fn retry(version: Version, suite: u16) -> HelloRetry {
        HelloRetry { version, cipher_suite: CipherSuite(suite), group: Some(NamedGroup(0x001d)), cookie: false }
    }
}
