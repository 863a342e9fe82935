//! `STT`: STARTTLS, implicit TLS and clear text.
//!
//! What these rules know was said in clear before TLS, or instead of it. What the capture did not show is not taken
//! for unsaid: a rule that rests on an absence asks for the whole list in which the thing would have stood.

use super::certificate::{clip, covers};
use super::list;
use crate::findings::{Check, Documentation, Evidence, Family, Rule, Settings, Severity, Value};
use crate::flow::Facts;
use crate::flow::facts::{Carrier, Outcome};
use crate::starttls::{CleartextReason, Protocol, StarttlsFacts};
use crate::tls::codepoints::{ProtocolVersion as Version, SuiteClasses as C};

/// Ports whose protocol begins in clear.
const CLEAR_PORTS: [u16; 6] = [21, 25, 110, 143, 389, 587];
/// Ports whose protocol begins with TLS.
const TLS_PORTS: [u16; 5] = [465, 636, 990, 993, 995];
/// The port of message submission over TLS.
const SUBMISSIONS: u16 = 465;

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "STT001",
        name: "smtp-starttls-not-advertised",
        family: Family::Starttls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "An SMTP or LMTP server answered EHLO (LHLO) with a list that was seen to its end, and STARTTLS was \
                      not in it.",
            why: "Mail to this server goes in clear, whatever its senders are able to do. The same is seen where \
                  something between the two has taken the word out of the list: then the server is not to blame.",
            evidence: "`greeting`: the server's first line. `server_name`: the name it answered with. `client_name`: the \
                       argument of EHLO. By hand: tshark -q -z follow,tcp,ascii,0, the stream's number for 0.",
            action: "Give the server a certificate and switch STARTTLS on. Where it is on, look for a firewall that \
                     inspects SMTP between here and there.",
            references: &["RFC 3207 sections 2 and 6"],
        },
        check: Check::Flow(|facts, _| {
            let said = mail(facts)?;
            (said.advertised == Some(false)).then(|| {
                Evidence::new()
                    .with_some("greeting", text(&said.greeting))
                    .with_some("server_name", text(&said.server_name))
                    .with_some("client_name", text(&said.client_name))
            })
        }),
    },
    Rule {
        id: "STT002",
        name: "starttls-advertised-not-used",
        family: Family::Starttls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The server offered TLS (STARTTLS, STLS, AUTH TLS or their like), and the client went on in clear \
                      without asking for it: it began a mail, logged in, bound.",
            why: "All that follows is readable and can be changed on the way, though both ends could have had TLS for one \
                  more command. Mail clients and senders do this where TLS is not configured, not where it fails.",
            evidence: "`protocol`: the protocol. `first_command`: the command by which the client went on.",
            action: "Switch TLS on in the client or the sending server; let the server demand it, once its clients can.",
            references: &["RFC 3207 section 4.1", "RFC 8314 section 3"],
        },
        check: Check::Flow(|facts, _| {
            let said = clear(facts)?;
            // MySQL, TDS and RDP have rules of their own.
            let own = matches!(said.protocol, Some(Protocol::Mysql | Protocol::Tds | Protocol::Rdp));
            let command = text(&said.first_command)?;
            (said.advertised == Some(true) && said.asked.is_none() && !own)
                .then(|| Evidence::of("protocol", said.name()).with("first_command", command))
        }),
    },
    Rule {
        id: "STT004",
        name: "starttls-refused",
        family: Family::Starttls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "The client asked for TLS and the server said no: 4xx or 5xx to STARTTLS or AUTH TLS, NO or BAD in \
                      IMAP, -ERR in POP3, another result than success in LDAP, a failure in XMPP or IRC.",
            why: "A client that takes TLS where it can get it goes on in clear; one that insists gives up. Servers refuse \
                  for want of a certificate that can be read, or because TLS is not built in.",
            evidence: "`protocol`: the protocol. `asked`: the client's words. `reply`: the server's.",
            action: "Look into the server's log: the key or certificate may be missing or unreadable. Do not offer what \
                     is not there.",
            references: &[
                "RFC 3207 section 4",
                "RFC 9051 section 6.2.1",
                "RFC 2595 section 4",
                "RFC 4511 section 4.14",
            ],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts)?;
            let own = matches!(said.protocol, Some(Protocol::Postgresql | Protocol::Tds | Protocol::Rdp));
            (said.accepted == Some(false) && !own).then(|| {
                Evidence::of("protocol", said.name())
                    .with_some("asked", said.asked)
                    .with_some("reply", text(&said.reply))
            })
        }),
    },
    Rule {
        id: "STT006",
        name: "mail-in-clear",
        family: Family::Starttls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "A server accepted mail without TLS: MAIL FROM was answered 250, or DATA with 354. A MAIL FROM that \
                      was refused is not reported.",
            why: "Sender, recipients and the letter are readable to everyone on the path, and can be changed. Between mail \
                  servers this is how mail goes wherever one of the two has no TLS, without anyone being told.",
            evidence: "`client_name`: the argument of EHLO or HELO. `reason`: why there was no TLS: `not_offered`, \
                       `refused` or `not_used`.",
            action: "Bring TLS to both ends. For partners that must be protected, demand it: MTA-STS, DANE, or a \
                     connector that insists.",
            references: &["RFC 8461 section 5", "RFC 7672 section 2.2", "RFC 3207 section 4"],
        },
        check: Check::Flow(|facts, _| {
            let said = mail(facts)?;
            said.mail_in_clear.then(|| {
                Evidence::new()
                    .with_some("client_name", text(&said.client_name))
                    .with_some("reason", said.cleartext().map(CleartextReason::name))
            })
        }),
    },
    Rule {
        id: "STT007",
        name: "cleartext-credentials",
        family: Family::Starttls,
        severity: Severity::Critical,
        documentation: Documentation {
            reports: "The client sent a password, or a token as good as one, before TLS: AUTH PLAIN or LOGIN, USER and \
                      PASS, IMAP's LOGIN, an LDAP simple bind, a PostgreSQL PasswordMessage in clear, MySQL's \
                      mysql_clear_password, TDS's LOGIN7. It counts when it is sent, also where the server then refuses \
                      it. Anonymous FTP is none.",
            why: "Whoever saw the packets has the password. The capture at hand holds it too: treat it accordingly. A \
                  server that refuses afterwards comes too late.",
            evidence: "`protocol`: the protocol. `mechanism`: how it was sent. `user_hash`: the first four bytes of the \
                       SHA-256 of the user name, in hexadecimal, to count users by; absent where no name was read. The \
                       secret is not kept. By hand: printf %s NAME | sha256sum.",
            action: "Change the password. Have the client insist on TLS before it logs in, and the server refuse to be \
                     asked before it.",
            references: &["RFC 8314 section 4.1", "RFC 4513 section 5.1.3", "RFC 4954 section 4"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts)?;
            let credentials = said.credentials.as_ref().filter(|credentials| credentials.exposed)?;
            Some(
                Evidence::of("protocol", said.name())
                    .with("mechanism", credentials.mechanism.to_string())
                    .with_some("user_hash", text(&credentials.user_hash)),
            )
        }),
    },
    Rule {
        id: "STT008",
        name: "auth-advertised-before-tls",
        family: Family::Starttls,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The server offers to take a login before TLS: AUTH in SMTP's list, IMAP capabilities without \
                      LOGINDISABLED, USER or SASL in POP3's, mechanisms in XMPP, ManageSieve or NNTP.",
            why: "A client that is not told otherwise sends its password at once. Where only mechanisms are offered that \
                  do not show the password, the session they open is still readable and can be taken over.",
            evidence: "`protocol`: the protocol. `mechanisms`: the mechanisms listed. `plain_login`: present where the \
                       protocol's own password command is allowed.",
            action: "Offer authentication only after TLS (Postfix: smtpd_tls_auth_only; Dovecot: disable_plaintext_auth).",
            references: &["RFC 4954 section 4", "RFC 9051 section 6.2.3", "RFC 8314 section 4.1"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts)?;
            let plain = said.plain_login_allowed == Some(true);
            (plain || !said.auth_mechanisms.is_empty()).then(|| {
                Evidence::of("protocol", said.name())
                    .with("mechanisms", list(said.auth_mechanisms.iter().map(ToString::to_string)))
                    .with_some("plain_login", plain.then_some(true))
            })
        }),
    },
    Rule {
        id: "STT009",
        name: "starttls-injection",
        family: Family::Starttls,
        severity: Severity::High,
        documentation: Documentation {
            reports: "Bytes in clear where TLS was to begin: from the client behind the words that ask for it, before the \
                      server's answer or after it; or from the server behind its consent. Only where the server did \
                      consent.",
            why: "A peer that has them in its buffer when TLS begins takes them for protected: commands put in by someone \
                  on the path run in the victim's session. That is an attack, a scanner that looks for it, or a client \
                  that does not wait.",
            evidence: "`protocol`: the protocol. `from`: who sent them. `bytes`: how many. They are not kept.",
            action: "Bring both ends up to date: they must drop what they have read before the handshake. Find out who \
                     sends them.",
            references: &["CVE-2011-0411", "CVE-2021-23214", "RFC 3207 section 4.2"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts)?;
            let injected = said.injected?;
            let from = match injected.from {
                crate::starttls::Peer::Client => "client",
                crate::starttls::Peer::Server => "server",
            };
            Some(Evidence::of("protocol", said.name()).with("from", from).with("bytes", injected.bytes))
        }),
    },
    Rule {
        id: "STT010",
        name: "explicit-vs-implicit",
        family: Family::Starttls,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "How TLS began on a TCP connection that was seen from its start: with the first byte (implicit), or \
                      after words in clear (explicit). By the bytes, never by the port.",
            why: "Versions and suites are the same for both. Closing the ports of implicit TLS does not switch an old \
                  version off: it goes on behind STARTTLS on the others.",
            evidence: "`mode`: `implicit` or `explicit`. `protocol`: the protocol in clear. `port`: the server's port.",
            action: "None. Set versions in the service itself, for every port it has.",
            references: &["RFC 8314 section 3"],
        },
        check: Check::Flow(|facts, _| {
            let mode = mode(facts)?;
            let protocol = said(facts).map(StarttlsFacts::name);
            Some(Evidence::of("mode", mode).with_some("protocol", protocol).with("port", facts.server.port()))
        }),
    },
    Rule {
        id: "STT011",
        name: "mode-port-mismatch",
        family: Family::Starttls,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "A server answers TLS from the first byte on port 21, 25, 110, 143, 389 or 587, whose protocols begin \
                      in clear; or a protocol begins in clear on 465, 636, 990, 993 or 995, where TLS is expected.",
            why: "Clients configured by the book fail there, or wait for a greeting that never comes. In the second case \
                  they may as well send a password in clear.",
            evidence: "`port`: the server's port. `mode`: `implicit`, or `clear` with `protocol`.",
            action: "Give each port the mode it is registered for.",
            references: &[
                "RFC 8314 sections 3 and 7.3",
                "IANA Service Name and Transport Protocol Port Number Registry",
            ],
        },
        check: Check::Flow(mode_port_mismatch),
    },
    Rule {
        id: "STT012",
        name: "legacy-version-in-starttls",
        family: Family::Starttls,
        severity: Severity::High,
        documentation: Documentation {
            reports: "After STARTTLS or its like the server selected a version before TLS 1.2.",
            why: "The version is as weak as anywhere. What is special is what happens when it is switched off: a mail \
                  server that finds no common version may deliver in clear instead, without telling anyone.",
            evidence: "`protocol`: the protocol. `version` and `cipher_suite`: what was selected. `offered_maximum`: the \
                       highest version the client offered.",
            action: "As for VER007: the side that is the limit is to be updated. Before the version is switched off, find \
                     out whether this peer falls back to clear text.",
            references: &["RFC 8996 section 4", "RFC 9325 section 3.2", "RFC 7435 section 3"],
        },
        check: Check::Flow(|facts, _| {
            let said =
                said(facts).filter(|said| said.protocol.is_some_and(|protocol| protocol != Protocol::Openvpn))?;
            let version = facts.version()?;
            (version.order() > 0 && version.order() < Version::TLS12.order()).then(|| {
                Evidence::of("protocol", said.name())
                    .with("version", version)
                    .with_some("cipher_suite", facts.cipher_suite())
                    .with_some("offered_maximum", facts.offer.as_ref().map(|offer| offer.maximum_version()))
            })
        }),
    },
    Rule {
        id: "STT013",
        name: "opportunistic-unauthenticated",
        family: Family::Starttls,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "SMTP or LMTP behind STARTTLS with a server nobody can check: an anonymous suite, a self-signed \
                      certificate, or one that covers neither the server name the client sent nor, without one, the name \
                      the server goes by. Cannot be seen in TLS 1.3.",
            why: "Senders usually take it all the same: encrypted to somebody is better than not at all. It stops \
                  listeners, and nobody who stands in the middle.",
            evidence: "`reason`: `anonymous_suite`, `self_signed` or `name_mismatch`. `name`: the name compared. `names`: \
                       those of the certificate.",
            action: "For mail that needs more, publish MTA-STS or DANE and have a certificate that fits.",
            references: &["RFC 7435 section 3", "RFC 7672 section 1.3", "RFC 8461 section 4.2"],
        },
        check: Check::Flow(opportunistic_unauthenticated),
    },
    Rule {
        id: "STT015",
        name: "partner-flow-mtls",
        family: Family::Starttls,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "In SMTP behind STARTTLS the server asked for a certificate and the client sent one. Cannot be seen \
                      in TLS 1.3.",
            why: "Sending servers that do this are often partners bound to each other by configuration: such a flow does \
                  not fall back to clear text but stops when the two can no longer agree.",
            evidence: "`client_subject`: the subject of the client's certificate. `server_subject`: of the server's.",
            action: "Before versions or suites are switched off on either side, tell the partner.",
            references: &["RFC 3207 section 4.1", "RFC 5246 section 7.4.6"],
        },
        check: Check::Flow(|facts, _| {
            mail(facts)?;
            let client = facts.client_certificates.as_ref()?.first()?;
            Some(
                Evidence::of("client_subject", clip(&client.subject))
                    .with_some("server_subject", facts.leaf().map(|leaf| clip(&leaf.subject))),
            )
        }),
    },
    Rule {
        id: "STT016",
        name: "tls-required-by-server",
        family: Family::Starttls,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server said that it insists on TLS: 530 Must issue STARTTLS, LOGINDISABLED, XMPP's <required/>, \
                      REQUIRETLS, or what other protocols have for it.",
            why: "Where the two cannot agree on TLS any more, this connection ends. It does not go on in clear.",
            evidence: "`protocol`: the protocol. `marker`: what the server said.",
            action: "None. In a plan to switch versions off, count its clients among those that will be cut off.",
            references: &[
                "RFC 3207 section 4",
                "RFC 9051 section 6.2.3",
                "RFC 6120 section 5.3.1",
                "RFC 8689 section 2",
            ],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts)?;
            let marker = text(&said.required)?;
            Some(Evidence::of("protocol", said.name()).with("marker", marker))
        }),
    },
    Rule {
        id: "STT017",
        name: "imap-starttls-state",
        family: Family::Starttls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "In IMAP: a capability list without STARTTLS, a login before it, or a PREAUTH greeting, after which \
                      STARTTLS is no longer allowed.",
            why: "Mailbox and password are readable. PREAUTH is how someone on the path keeps a client from asking for \
                  TLS at all.",
            evidence: "`state`: `not_advertised`, `login_in_clear`, `preauth`, all that apply. `greeting`: the server's \
                       first line.",
            action: "Use port 993, or have the server demand STARTTLS. Have clients give up on PREAUTH when they want TLS.",
            references: &["RFC 8314 section 3.2", "RFC 9051 sections 6.2.1 and 7.1.4", "CVE-2020-12398"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts).filter(|said| said.is(Protocol::Imap))?;
            let preauth = said.greeting.as_deref().is_some_and(|greeting| greeting.starts_with("* PREAUTH"));
            let states = [
                (said.advertised == Some(false), "not_advertised"),
                (said.first_command.is_some(), "login_in_clear"),
                (preauth, "preauth"),
            ];
            state(&states).map(|state| Evidence::of("state", state).with_some("greeting", text(&said.greeting)))
        }),
    },
    Rule {
        id: "STT018",
        name: "pop3-stls-state",
        family: Family::Starttls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "In POP3: a list of capabilities without STLS, or a login before it.",
            why: "Mailbox and password are readable.",
            evidence: "`state`: `not_advertised`, `login_in_clear`, all that apply. `greeting`: the server's first line.",
            action: "Use port 995, or STLS in server and client.",
            references: &["RFC 2595 section 4", "RFC 8314 section 3.1"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts).filter(|said| said.is(Protocol::Pop3))?;
            let states =
                [(said.advertised == Some(false), "not_advertised"), (said.first_command.is_some(), "login_in_clear")];
            state(&states).map(|state| Evidence::of("state", state).with_some("greeting", text(&said.greeting)))
        }),
    },
    Rule {
        id: "STT019",
        name: "ftp-data-unprotected",
        family: Family::Starttls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "An FTP client asked for TLS on the control connection, and its data connections are known to go in \
                      clear: it asked for that (PROT C, seen in clear), or TLS was refused and it transferred files all \
                      the same. After TLS has begun PROT cannot be seen, and nothing is reported.",
            why: "The control connection alone protects the password. Listings and files travel on the others.",
            evidence: "`protection`: the level asked for. `refused`: present where TLS was refused.",
            action: "Have the client send PROT P, and the server demand it.",
            references: &["RFC 4217 section 9", "RFC 2228 section 3"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts).filter(|said| said.is(Protocol::Ftp) && said.asked.is_some())?;
            let refused = said.accepted == Some(false) && said.ftp_transfer;
            (refused || said.ftp_protection == Some('C')).then(|| {
                Evidence::new()
                    .with_some("protection", said.ftp_protection.map(String::from))
                    .with_some("refused", refused.then_some(true))
            })
        }),
    },
    Rule {
        id: "STT020",
        name: "ldap-starttls-state",
        family: Family::Starttls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "A simple bind with a password on an LDAP connection in clear: without StartTLS, or after it was \
                      refused.",
            why: "The password of what is often a service account is readable, and so is the directory.",
            evidence: "`asked`: present where StartTLS was asked for. `reply`: the server's answer to that. `user_hash`: as \
                       in STT007.",
            action: "Use LDAPS or StartTLS; have the server refuse simple binds without it (OpenLDAP: security \
                     simple_bind; Active Directory: require signing and channel binding).",
            references: &["RFC 4511 section 4.14", "RFC 4513 section 5.1.3"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts).filter(|said| said.is(Protocol::Ldap))?;
            let credentials =
                said.credentials.as_ref().filter(|credentials| &*credentials.mechanism == "simple bind")?;
            Some(
                Evidence::new()
                    .with_some("asked", said.asked)
                    .with_some("reply", text(&said.reply))
                    .with_some("user_hash", text(&credentials.user_hash)),
            )
        }),
    },
    Rule {
        id: "STT021",
        name: "xmpp-starttls-optional",
        family: Family::Starttls,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "An XMPP server offers <starttls/> without <required/> in it.",
            why: "A client that does not care goes on in clear, and someone on the path who takes the element out is \
                  noticed by nobody.",
            evidence: "`server_name`: the `from` of the server's stream, where it was sent.",
            action: "Require TLS of clients and of other servers.",
            references: &["RFC 6120 section 5.3.1", "RFC 7590 section 3.1"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts).filter(|said| said.is(Protocol::Xmpp))?;
            (said.advertised == Some(true) && said.required.is_none())
                .then(|| Evidence::new().with_some("server_name", text(&said.server_name)))
        }),
    },
    Rule {
        id: "STT022",
        name: "postgres-ssl-refused",
        family: Family::Starttls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "A PostgreSQL server answered SSLRequest with N (or an error), or a client sent its StartupMessage in \
                      clear.",
            why: "Queries and results are readable. The default of the client library, sslmode=prefer, goes on in clear \
                  after an N without a word.",
            evidence: "`reply`: the server's answer to SSLRequest. `startup_in_clear`: whether user and database went in \
                       clear.",
            action: "Set ssl = on and hostssl lines in pg_hba.conf; sslmode=verify-full in clients.",
            references: &["PostgreSQL documentation, Frontend/Backend Protocol, SSL Session Encryption"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts).filter(|said| said.is(Protocol::Postgresql))?;
            (said.accepted == Some(false) || said.startup_in_clear).then(|| {
                Evidence::new().with_some("reply", text(&said.reply)).with("startup_in_clear", said.startup_in_clear)
            })
        }),
    },
    Rule {
        id: "STT023",
        name: "mysql-no-ssl",
        family: Family::Starttls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "A MySQL or MariaDB server's greeting has CLIENT_SSL, and the client logged in without it.",
            why: "Queries and results are readable, and can be changed.",
            evidence: "`server_version`: the version in the greeting. By hand: mysql.caps.server and mysql.caps.client, \
                       bit 0x0800.",
            action: "Set require_secure_transport on the server, and TLS in the client.",
            references: &["MySQL documentation, Client/Server Protocol, Connection Phase"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts).filter(|said| said.is(Protocol::Mysql))?;
            (said.advertised == Some(true) && said.first_command.is_some())
                .then(|| Evidence::new().with_some("server_version", text(&said.server_version)))
        }),
    },
    Rule {
        id: "STT024",
        name: "rdp-no-tls",
        family: Family::Starttls,
        severity: Severity::Medium,
        documentation: Documentation {
            reports: "An RDP negotiation that led to no TLS: the server selected RDP's own security, or neither side \
                      negotiated and the session went on, or the server ended it with SSL_REQUIRED_BY_SERVER, \
                      SSL_NOT_ALLOWED_BY_SERVER or HYBRID_REQUIRED_BY_SERVER.",
            why: "RDP's own security does not authenticate the server, and rests on RC4. A failure means that this client \
                  cannot reach this server as both are configured.",
            evidence: "`requested`: the client's bits, 1 TLS, 2 CredSSP; absent where it sent none. `selected`: the \
                       server's choice, 0 being RDP's own. `failure`: the failure's number. By hand: \
                       rdp.negReq.requestedProtocols, rdp.negReq.selectedProtocol, rdp.negReq.failureCode.",
            action: "Require Network Level Authentication. Before TLS 1.0 is switched off on old servers, test that RDP \
                     still gets in.",
            references: &["MS-RDPBCGR sections 2.2.1.2.1 and 2.2.1.2.2", "MS-RDPBCGR section 5.3"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts)?;
            let rdp = said.rdp?;
            let failed = matches!(rdp.failure, Some(1 | 2 | 5));
            (failed || rdp.selected == Some(0) || clear(facts).is_some()).then(|| {
                Evidence::new()
                    .with_some("requested", rdp.requested)
                    .with_some("selected", rdp.selected)
                    .with_some("failure", rdp.failure)
            })
        }),
    },
    Rule {
        id: "STT025",
        name: "starttls-banner-cert-mismatch",
        family: Family::Starttls,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "An SMTP server's certificate does not cover the name it goes by in its answer to EHLO, or in its \
                      greeting. Cannot be seen in TLS 1.3.",
            why: "Senders compare with the name in the MX record, which is usually the same. Once they are made to check \
                  (MTA-STS, DANE with a CA), mail stops.",
            evidence: "`name`: the name the server goes by. `names`: those of the certificate.",
            action: "Let the names agree: in DNS, in the greeting and in the certificate.",
            references: &["RFC 8461 section 4.1", "RFC 5321 section 4.1.1.1"],
        },
        check: Check::Flow(|facts, _| {
            let said = mail(facts)?;
            let leaf = facts.leaf().filter(|leaf| !leaf.names.is_empty())?;
            let name = server_name(said)?;
            (!leaf.dns_names().any(|pattern| covers(pattern, name)))
                .then(|| Evidence::of("name", clip(name)).with("names", list(leaf.names.iter().map(|name| clip(name)))))
        }),
    },
    Rule {
        id: "STT026",
        name: "smtps-465",
        family: Family::Starttls,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "TLS from the first byte on port 465.",
            why: "The port was once withdrawn, is registered again for message submission, and is now what mail clients \
                  should prefer. Mail servers do not deliver to each other by it, and Exchange has never served it.",
            evidence: "`server_name`: the name the client asked for, where it sent one.",
            action: "None.",
            references: &["RFC 8314 sections 3.3 and 7.3"],
        },
        check: Check::Flow(|facts, _| {
            (mode(facts) == Some("implicit") && facts.server.port() == SUBMISSIONS)
                .then(|| Evidence::new().with_some("server_name", facts.hello.server_name.clone()))
        }),
    },
    Rule {
        id: "STT027",
        name: "proxy-tunnelled-tls",
        family: Family::Starttls,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "TLS came after an HTTP CONNECT, a SOCKS request or a PROXY header.",
            why: "The address of the record is the proxy's, or the load balancer's other side. What is found in the \
                  handshake belongs to the server behind it; with a PROXY header, the client is the one named there.",
            evidence: "`proxy`: the protocol of the last proxy. `host` and `port`: what it was asked for. `source` and \
                       `destination`: the ends a PROXY header names.",
            action: "Attribute the findings to the inner server.",
            references: &[
                "RFC 9110 section 9.3.6",
                "RFC 1928 section 4",
                "HAProxy documentation, The PROXY protocol, section 2",
            ],
        },
        check: Check::Flow(|facts, _| {
            let proxy = said(facts)?.proxies.last()?;
            (facts.offer.is_some() || facts.selection.is_some()).then(|| {
                Evidence::of("proxy", proxy.protocol.name())
                    .with_some("host", text(&proxy.host))
                    .with_some("port", proxy.port)
                    .with_some("source", proxy.source.map(|source| source.to_string()))
                    .with_some("destination", proxy.destination.map(|destination| destination.to_string()))
            })
        }),
    },
    Rule {
        id: "STT028",
        name: "actual-next-hop",
        family: Family::Starttls,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The server an SMTP client really spoke to: its address, its greeting, the name it answered EHLO \
                      with, and those of its certificate where that could be seen.",
            why: "The first server contacted need not be the one in the MX record: a filter, a relay, a firewall may stand \
                  in front. Whoever is to change something is the one who runs this server.",
            evidence: "`address`: the server's address. `greeting`, `server_name`: what it says. `names`: those of its \
                       certificate.",
            action: "Ask the operator of this server.",
            references: &["RFC 5321 sections 3.1 and 5.1"],
        },
        check: Check::Flow(|facts, _| {
            let said = mail(facts)?;
            Some(
                Evidence::of("address", facts.server.ip().to_string())
                    .with_some("greeting", text(&said.greeting))
                    .with_some("server_name", text(&said.server_name))
                    .with_some("names", facts.leaf().map(|leaf| list(leaf.names.iter().map(|name| clip(name))))),
            )
        }),
    },
    Rule {
        id: "STT029",
        name: "http-cleartext-redirect-only",
        family: Family::Starttls,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "A response in clear HTTP that sends its client to https for good: 301 or 308, with a Location that \
                      begins with https, in one segment. Other traffic in clear HTTP is not looked at.",
            why: "This is as it should be. Whether the site also tells browsers never to come back in clear (HSTS) is said \
                  inside TLS and cannot be seen.",
            evidence: "`location`: the site, without its path. `reply`: the status line.",
            action: "None.",
            references: &["RFC 6797 section 7.2", "RFC 9110 sections 15.4.2 and 15.4.9"],
        },
        check: Check::Flow(|facts, _| {
            let said = said(facts)?;
            let location = text(&said.location)?;
            Some(Evidence::of("location", location).with_some("reply", text(&said.reply)))
        }),
    },
    Rule {
        id: "STT030",
        name: "starttls-protocols-other",
        family: Family::Starttls,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "A session of NNTP, ManageSieve, IRC or TDS that knows TLS and went on without; and one of FTP, \
                      XMPP or MySQL whose server does not offer TLS.",
            why: "What is read and written is open to everyone on the path, and often a login with it (see STT007).",
            evidence: "`protocol`: the protocol. `state`: `not_offered`, `refused` or `not_used`. `client` and `server`: the \
                       encryption options of TDS, 2 being not supported.",
            action: "Switch TLS on at the side that lacks it; then require it.",
            references: &["RFC 4642 section 2.2", "RFC 5804 section 2.2", "MS-TDS section 2.2.6.5"],
        },
        check: Check::Flow(|facts, _| {
            let others = [Protocol::Nntp, Protocol::Sieve, Protocol::Irc, Protocol::Tds];
            let said = clear(facts)?;
            let reason = said.cleartext()?;
            // The clients of these have rules of their own.
            let not_offered = matches!(said.protocol?, Protocol::Ftp | Protocol::Xmpp | Protocol::Mysql)
                && reason == CleartextReason::NotOffered;
            (not_offered || others.contains(&said.protocol?)).then(|| {
                Evidence::of("protocol", said.name())
                    .with("state", reason.name())
                    .with_some("client", said.tds.and_then(|tds| tds.client))
                    .with_some("server", said.tds.and_then(|tds| tds.server))
            })
        }),
    },
];

/// What was said in clear.
fn said(facts: &Facts) -> Option<&StarttlsFacts> {
    facts.starttls.as_deref()
}

/// What was said in clear in SMTP or LMTP.
fn mail(facts: &Facts) -> Option<&StarttlsFacts> {
    said(facts).filter(|said| said.is_mail_transfer())
}

/// What was said in a session that stayed in clear.
fn clear(facts: &Facts) -> Option<&StarttlsFacts> {
    said(facts).filter(|_| matches!(facts.outcome, Outcome::Cleartext { .. }))
}

fn text(said: &Option<Box<str>>) -> Option<String> {
    said.as_deref().map(str::to_owned)
}

/// The names of the states that hold, where any does.
fn state(states: &[(bool, &'static str)]) -> Option<Value> {
    let names: Vec<&'static str> = states.iter().filter(|(holds, _)| *holds).map(|(_, name)| *name).collect();
    (!names.is_empty()).then(|| Value::list(names))
}

/// How TLS began, where that was seen.
fn mode(facts: &Facts) -> Option<&'static str> {
    let begun = facts.offer.is_some() || facts.selection.is_some();
    if facts.carrier != Carrier::Tcp || !begun {
        return None;
    }
    match (&facts.starttls, facts.coverage.syn_seen) {
        (Some(_), _) => Some("explicit"),
        (None, Some(true)) => Some("implicit"),
        (None, _) => None,
    }
}

fn mode_port_mismatch(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let port = facts.server.port();
    if let Some(protocol) = said(facts).and_then(|said| said.protocol) {
        let begins_in_clear = !matches!(protocol, Protocol::Openvpn | Protocol::Http);
        return (begins_in_clear && TLS_PORTS.contains(&port))
            .then(|| Evidence::of("port", port).with("mode", "clear").with("protocol", protocol.name()));
    }
    let answered = mode(facts) == Some("implicit") && facts.selection.is_some();
    (answered && CLEAR_PORTS.contains(&port)).then(|| Evidence::of("port", port).with("mode", "implicit"))
}

fn opportunistic_unauthenticated(facts: &Facts, _: &Settings) -> Option<Evidence> {
    let said = mail(facts)?;
    if facts.cipher_suite().is_some_and(|suite| suite.classes().contains(C::ANONYMOUS)) {
        return Some(Evidence::of("reason", "anonymous_suite"));
    }
    let leaf = facts.leaf()?;
    if leaf.is_self_issued() && facts.certificates.as_ref().is_some_and(|chain| chain.len() == 1) {
        return Some(Evidence::of("reason", "self_signed").with("subject", clip(&leaf.subject)));
    }
    let name = facts.hello.server_name.as_deref().or_else(|| server_name(said))?;
    (!leaf.dns_names().any(|pattern| covers(pattern, name))).then(|| {
        Evidence::of("reason", "name_mismatch")
            .with("name", clip(name))
            .with("names", list(leaf.names.iter().map(|name| clip(name))))
    })
}

/// The host name an SMTP server goes by: in its answer to EHLO, else in its greeting.
fn server_name(said: &StarttlsFacts) -> Option<&str> {
    let greeting = said.greeting.as_deref().and_then(|line| line.split([' ', '-']).nth(1));
    let name = said.server_name.as_deref().or(greeting)?;
    // An address in brackets, or a word, is no name to compare.
    (name.contains('.') && !name.starts_with('[')).then_some(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::findings::testing::{Case, check, hold, offer, selected, tls12, tls13, unanswered};
    use crate::starttls::{Credentials, Injected, Peer, Proxy, RdpFacts, TdsFacts};
    use crate::tls::certificate::Certificate;

    /// A session in clear of `protocol`, changed by `change`.
    fn in_clear(protocol: Protocol, change: fn(&mut StarttlsFacts)) -> Facts {
        let mut facts = unanswered(offer());
        facts.offer = None;
        let mut said = StarttlsFacts { protocol: Some(protocol), convincing: true, ..StarttlsFacts::default() };
        change(&mut said);
        if let Some(reason) = said.cleartext() {
            facts.outcome = Outcome::Cleartext { reason };
        }
        facts.starttls = Some(Box::new(said));
        facts
    }

    /// `facts` behind the words in clear of `protocol`.
    fn behind(mut facts: Facts, protocol: Protocol, change: fn(&mut StarttlsFacts)) -> Facts {
        let mut said = StarttlsFacts {
            protocol: Some(protocol),
            convincing: true,
            advertised: Some(true),
            asked: Some("STARTTLS"),
            accepted: Some(true),
            ..StarttlsFacts::default()
        };
        change(&mut said);
        facts.starttls = Some(Box::new(said));
        facts
    }

    fn with_certificate(names: &[&str]) -> Facts {
        let mut facts = tls12();
        let mut certificate = Certificate::from_der(&[]);
        certificate.names = names.iter().map(|name| (*name).to_owned()).collect();
        certificate.alternative_names =
            Some(names.iter().map(|name| crate::tls::x509::AlternativeName::Dns((*name).to_owned())).collect());
        certificate.issuer_der = b"another"[..].into();
        facts.certificates = Some(std::iter::once(Arc::new(certificate)).collect());
        facts.hello.server_name = None;
        facts
    }

    fn at_port(mut facts: Facts, port: u16) -> Facts {
        facts.server.set_port(port);
        facts
    }

    fn logs_in(said: &mut StarttlsFacts) {
        said.first_command = Some("LOGIN".into());
        said.credentials = Some(Credentials { mechanism: "simple bind".into(), exposed: true, user_hash: None });
    }

    #[test]
    fn every_rule_reports_what_it_says_and_nothing_near_it() {
        use Protocol as P;
        let cases = [
            Case {
                rule: "STT001",
                fires: || in_clear(P::Smtp, |said| said.advertised = Some(false)),
                silent: || in_clear(P::Smtp, |_| {}),
            },
            Case {
                rule: "STT002",
                fires: || {
                    in_clear(P::Smtp, |said| {
                        said.advertised = Some(true);
                        said.first_command = Some("MAIL".into());
                    })
                },
                silent: || in_clear(P::Smtp, |said| said.advertised = Some(true)),
            },
            Case {
                rule: "STT004",
                fires: || in_clear(P::Imap, |said| said.accepted = Some(false)),
                silent: || in_clear(P::Imap, |_| {}),
            },
            Case {
                rule: "STT006",
                fires: || in_clear(P::Smtp, |said| said.mail_in_clear = true),
                silent: || in_clear(P::Smtp, |said| said.first_command = Some("MAIL".into())),
            },
            Case {
                rule: "STT007",
                fires: || in_clear(P::Ldap, logs_in),
                silent: || {
                    in_clear(P::Pop3, |said| {
                        said.credentials =
                            Some(Credentials { mechanism: "APOP".into(), exposed: false, user_hash: None });
                    })
                },
            },
            Case {
                rule: "STT008",
                fires: || behind(tls12(), P::Smtp, |said| said.auth_mechanisms = vec!["PLAIN".into()]),
                silent: || behind(tls12(), P::Imap, |said| said.plain_login_allowed = Some(false)),
            },
            Case {
                rule: "STT009",
                fires: || {
                    behind(tls12(), P::Smtp, |said| said.injected = Some(Injected { from: Peer::Client, bytes: 6 }))
                },
                silent: || behind(tls12(), P::Smtp, |_| {}),
            },
            Case {
                rule: "STT010",
                fires: || behind(tls12(), P::Smtp, |_| {}),
                silent: || {
                    let mut facts = tls12();
                    facts.coverage.syn_seen = Some(false);
                    facts
                },
            },
            Case { rule: "STT011", fires: || at_port(tls13(), 143), silent: || at_port(tls13(), 993) },
            Case {
                rule: "STT012",
                fires: || behind(selected(Version::TLS11, 0x002f), P::Smtp, |_| {}),
                silent: || behind(selected(Version::TLS12, 0x002f), P::Smtp, |_| {}),
            },
            Case {
                rule: "STT013",
                fires: || behind(selected(Version::TLS12, 0x0034), P::Smtp, |_| {}),
                silent: || {
                    behind(with_certificate(&["mx.example.org"]), P::Smtp, |said| {
                        said.server_name = Some("mx.example.org".into());
                    })
                },
            },
            Case {
                rule: "STT015",
                fires: || {
                    let mut facts = behind(tls12(), P::Smtp, |_| {});
                    facts.client_certificates = Some(std::iter::once(Arc::new(Certificate::from_der(&[]))).collect());
                    facts
                },
                silent: || {
                    let mut facts = behind(tls12(), P::Smtp, |_| {});
                    facts.client_certificates = Some(smallvec::SmallVec::new());
                    facts
                },
            },
            Case {
                rule: "STT016",
                fires: || in_clear(P::Imap, |said| said.required = Some("LOGINDISABLED".into())),
                silent: || in_clear(P::Imap, |_| {}),
            },
            Case {
                rule: "STT017",
                fires: || in_clear(P::Imap, |said| said.greeting = Some("* PREAUTH ready".into())),
                silent: || behind(tls12(), P::Imap, |said| said.greeting = Some("* OK ready".into())),
            },
            Case {
                rule: "STT018",
                fires: || in_clear(P::Pop3, |said| said.first_command = Some("USER".into())),
                silent: || behind(tls12(), P::Pop3, |_| {}),
            },
            Case {
                rule: "STT019",
                fires: || {
                    in_clear(P::Ftp, |said| {
                        said.asked = Some("AUTH TLS");
                        said.accepted = Some(false);
                        said.ftp_transfer = true;
                    })
                },
                silent: || in_clear(P::Ftp, |said| said.ftp_transfer = true),
            },
            Case { rule: "STT020", fires: || in_clear(P::Ldap, logs_in), silent: || behind(tls12(), P::Ldap, |_| {}) },
            Case {
                rule: "STT021",
                fires: || behind(tls12(), P::Xmpp, |_| {}),
                silent: || behind(tls12(), P::Xmpp, |said| said.required = Some("required".into())),
            },
            Case {
                rule: "STT022",
                fires: || in_clear(P::Postgresql, |said| said.startup_in_clear = true),
                silent: || behind(tls12(), P::Postgresql, |_| {}),
            },
            Case {
                rule: "STT023",
                fires: || {
                    in_clear(P::Mysql, |said| {
                        said.advertised = Some(true);
                        said.first_command = Some("HandshakeResponse".into());
                    })
                },
                silent: || {
                    in_clear(P::Mysql, |said| {
                        said.advertised = Some(false);
                        said.first_command = Some("HandshakeResponse".into());
                    })
                },
            },
            Case {
                rule: "STT024",
                fires: || {
                    in_clear(P::Rdp, |said| {
                        said.turned_away = true;
                        said.rdp = Some(RdpFacts { requested: Some(1), selected: None, failure: Some(5) });
                    })
                },
                silent: || {
                    behind(tls12(), P::Rdp, |said| {
                        said.rdp = Some(RdpFacts { requested: Some(3), selected: Some(2), failure: None });
                    })
                },
            },
            Case {
                rule: "STT025",
                fires: || {
                    behind(with_certificate(&["mail.example.org"]), P::Smtp, |said| {
                        said.server_name = Some("mx.example.org".into());
                    })
                },
                silent: || {
                    behind(with_certificate(&["*.example.org"]), P::Smtp, |said| {
                        said.server_name = Some("mx.example.org".into());
                    })
                },
            },
            Case { rule: "STT026", fires: || at_port(tls12(), 465), silent: || at_port(tls12(), 995) },
            Case {
                rule: "STT027",
                fires: || {
                    behind(tls12(), P::Smtp, |said| {
                        said.protocol = None;
                        said.proxies = vec![Proxy::new(P::Socks5)];
                    })
                },
                silent: || in_clear(P::Smtp, |said| said.proxies = vec![Proxy::new(P::Socks5)]),
            },
            Case { rule: "STT028", fires: || in_clear(P::Lmtp, |_| {}), silent: || in_clear(P::Imap, |_| {}) },
            Case {
                rule: "STT029",
                fires: || in_clear(P::Http, |said| said.location = Some("https://example.org".into())),
                silent: || in_clear(P::Smtp, |_| {}),
            },
            Case {
                rule: "STT030",
                fires: || in_clear(P::Tds, |said| said.tds = Some(TdsFacts { client: Some(2), server: Some(2) })),
                silent: || behind(tls12(), P::Tds, |_| {}),
            },
        ];
        hold(RULES, &cases);
    }

    #[test]
    fn names_are_compared_without_the_server_name_only_where_they_are_names() {
        let facts = |name: &str| {
            let mut facts = behind(with_certificate(&["mail.example.org"]), Protocol::Smtp, |_| {});
            facts.starttls.as_mut().unwrap().server_name = Some(name.into());
            facts
        };
        assert!(check("STT025", &facts("mx.example.org")).is_some());
        assert_eq!(check("STT025", &facts("[192.0.2.1]")), None);
        assert_eq!(check("STT025", &facts("localhost")), None);
        assert_eq!(check("STT013", &facts("localhost")), None);
    }

    #[test]
    fn a_clear_greeting_on_a_port_of_tls_is_a_mismatch_and_a_proxy_in_front_of_tls_is_none() {
        assert!(check("STT011", &at_port(in_clear(Protocol::Imap, |_| {}), 993)).is_some());
        let behind_proxy = behind(tls12(), Protocol::Smtp, |said| {
            said.protocol = None;
            said.proxies = vec![Proxy::new(Protocol::ProxyV2)];
        });
        assert_eq!(check("STT011", &at_port(behind_proxy, 993)), None);
    }
}
