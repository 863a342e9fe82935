//! Every statement handprint was made to answer, and which rule or policy answers it.
//!
//! Statements are on Exchange in 2015 (S1) and on Office 365 in 2018 (S2), in few words. What only many flows together
//! can answer is named as pending; once such a rule is there, this test asks for it to be moved.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use handprint::findings;
use handprint::policy::Catalogue;

/// The statement, the rules and the policies that answer it, and the rules that are to.
type Row = (&'static str, &'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

#[rustfmt::skip]
const STATEMENTS: &[Row] = &[
    ("S1-01", "External guidance sets dates to disable TLS 1.0", &[], &["tls12-min", "pci-dss-4.0.1", "o365-tls12-only"], &[]),
    ("S1-02", "First step is TLS organisational awareness (inventory)", &[], &[], &["VER014", "MIG001", "MIG009"]),
    ("S1-03", "TLS 1.0 not insecure if SSL3 off, patched, good ciphers; risk is not binary", &["VER007", "CIP022"], &["exchange-2015"], &[]),
    ("S1-04", "Deploy supported OS/clients/browsers", &["VER004", "ANOM015"], &[], &[]),
    ("S1-05", "Older software cannot use the latest versions/ciphers", &["VER009", "CIP033", "CIP034"], &[], &[]),
    ("S1-06", "Printers, firewalls, load balancers, Linux MTAs, mass mailers must be updated", &["CERT036", "ANOM015"], &[], &["ANOM014"]),
    ("S1-07", "Disable SSL 3.0 on the client; enable 1.1/1.2", &["VER001", "VER002", "VER003", "VER004", "VER012"], &["no-ssl3"], &[]),
    ("S1-08", "A small part of the Internet still relies on SSL 3.0", &["VER004", "VER005"], &[], &[]),
    ("S1-09", "Usually the most recent mutual version is used", &["VER015"], &[], &["NEG026", "MIG003"]),
    ("S1-10", "SCHANNEL settings do not affect third-party stacks (OpenSSL)", &[], &[], &["VER020"]),
    ("S1-11", "Changes need a reboot (verify they took effect)", &[], &[], &["CERT028", "ANOM012", "MIG012"]),
    ("S1-12", "Servers are both clients and servers", &[], &[], &["VER021"]),
    ("S1-13", "Disabling SSL3 removes the ability to downgrade", &["VER005", "NEG004", "NEG005"], &["no-ssl3"], &["NEG006"]),
    ("S1-14", "POODLE needs an on-path attacker in the initial negotiation", &["VER006", "NEG001", "NEG002", "NEG004"], &[], &["NEG006"]),
    ("S1-15", "If a load balancer terminates TLS, fix it there too", &[], &[], &["CIP043", "CERT027", "ANOM013"]),
    ("S1-16", "Check all servers sharing one VIP or DNS record", &[], &[], &["CIP043", "ANOM013"]),
    ("S1-17", "Prioritise TLS 1.2 ciphers and AES/3DES above others", &["CIP009", "CIP010", "CIP020", "CIP030", "CIP031", "CIP032", "KEX001"], &["exchange-2015"], &["CIP040", "CIP044", "CIP045", "CIP046"]),
    ("S1-18", "Client sends an ordered list; server has the final say", &["CIP030"], &[], &["CIP040", "CIP041", "CIP042"]),
    ("S1-19", "Reordering can minimise a weak cipher before disabling it", &[], &[], &["CIP040", "CIP042", "MIG010"]),
    ("S1-20", "Strongly consider disabling RC4; may break old peers", &["CIP007", "CIP008", "CIP035"], &["no-rc4"], &["CIP046", "MIG011"]),
    ("S1-21", "3DES presented as acceptable (2015)", &["CIP009", "CIP010"], &["no-3des", "exchange-2015"], &[]),
    ("S1-22", "No MD5/MD2 hashing anywhere in the chain", &["KEX016", "CERT001", "CERT002"], &["no-md5-cert"], &["MIG008"]),
    ("S1-23", "Exchange/O365 as SMTP client refuses hosts with MD5/MD2 chains", &["CERT001", "CERT002", "CERT029", "NEG013"], &["no-md5-cert"], &[]),
    ("S1-24", "RSA-2048 for new keys", &["CERT004", "CERT005", "CERT006"], &["rsa-2048"], &["MIG008"]),
    ("S1-25", "SHA-256 at renewal; act now if cert valid for years", &["KEX017", "KEX018", "KEX019", "CERT003"], &["no-sha1-cert"], &["MIG008"]),
    ("S1-26", "Know what each protocol of your server version supports", &["VER015", "NEG003"], &[], &[]),
    ("S1-27", "Disabling TLS 1.0 turns opportunistic SMTP into cleartext", &["STT001", "STT004", "STT006", "STT012"], &[], &["STT005", "MIG004"]),
    ("S1-28", "SMTP protocol logging to audit the impact of a future change", &[], &[], &["CAP004"]),
    ("S1-29", "Some old servers terminate when offered a version above TLS 1.0", &["NEG019", "NEG020"], &[], &["NEG007", "NEG008", "NEG009", "PQ008"]),
    ("S1-30", "Result is a complete stoppage of mail", &["NEG010"], &[], &["NEG007", "NEG008", "MIG005"]),
    ("S1-31", "POP/IMAP version support differs", &["STT012", "STT017", "STT018"], &[], &[]),
    ("S1-32", "CAS-to-Mailbox HTTPS proxy needs TLS 1.0 (internal server-to-server)", &[], &[], &["MIG002"]),
    ("S1-33", "Many clients (Outlook on Win7/8.0) only do TLS 1.0", &["VER009"], &[], &["MIG001"]),
    ("S1-34", "RDP may have challenges; test first", &["STT024"], &[], &[]),
    ("S1-35", "Prefer tools with a score over pass/fail", &[], &[], &[]),
    ("S1-36", "Tools mis-report POODLE / call TLS 1.0 bad", &["VER005", "VER006"], &[], &[]),
    ("S1-37", "Prefer tools that check specific things (cipher order, individual versions)", &["VER013", "CIP030", "CIP031", "CIP032"], &[], &["VER014", "CIP041", "MIG011"]),
    ("S1-38", "SSL Labs simulates clients", &[], &[], &[]),
    ("S1-39", "Compare with the rest of the Internet", &[], &[], &[]),
    ("S1-40", "Explicit vs implicit TLS", &["STT001", "STT010"], &[], &[]),
    ("S1-41", "Closing 993/995 does not disable SSL3; opening 110/143 is not needed for TLS", &["STT010"], &[], &[]),
    ("S1-42", "Exchange does not support SMTPS 465 (port reuse)", &["STT011", "STT026", "ANOM008"], &[], &[]),
    ("S1-43", "Minimum version table per protocol", &[], &[], &[]),
    ("S1-44", "HSTS question", &["STT029"], &[], &[]),
    ("S1-45", "SSL3 off + RC4 off reaches top grade (2015)", &["CIP007", "CIP008"], &["exchange-2015", "no-ssl3+no-rc4"], &[]),
    ("S2-01", "From a date, only TLS 1.2 initiated and accepted", &["VER007", "VER008"], &["o365-tls12-only"], &[]),
    ("S2-02", "Pro-active against downgrade attacks", &["NEG001", "NEG002"], &[], &["NEG026", "PQ009"]),
    ("S2-03", "ADFS / hybrid need inbound and outbound 1.2", &[], &[], &["VER021", "MIG002"]),
    ("S2-04", "Check that TLS 1.2 is actually enabled after updates", &["VER009", "VER010", "NEG003"], &["tls12-min"], &["MIG003"]),
    ("S2-05", "Non-Microsoft apps, Java, devices, room displays", &["VER009", "CERT036", "ANOM015"], &[], &["MIG001"]),
    ("S2-06", "Work-around: a proxy that can do TLS 1.2", &["STT027"], &[], &[]),
    ("S2-07", "POP/IMAP apps may have no TLS at all", &["STT007", "STT017", "STT018"], &[], &[]),
    ("S2-08", "SMTP: relaying vs partner (mandatory, mutual) vs opportunistic", &["CERT015", "CERT030", "CERT031", "CERT032", "NEG018", "STT001", "STT015", "STT016"], &[], &["STT014"]),
    ("S2-09", "Partner mail flow may fail; warn the partner", &["NEG010", "STT015"], &[], &["MIG002", "MIG005"]),
    ("S2-10", "First connection point may differ from MX", &["STT025", "STT028"], &[], &[]),
    ("S2-11", "Fallback to older or no TLS is common in SMTP", &["CIP003", "CIP004", "STT002", "STT006", "STT013"], &[], &["STT003", "STT005", "STT014", "MIG004"]),
    ("S2-12", "You must inspect the TLS version somewhere", &[], &[], &["MIG006"]),
    ("S2-13", "OpenSSL / Fiddler checks", &[], &[], &["MIG006"]),
    ("S2-14", "Expect TLS 1.3", &["VER011"], &["o365-current", "tls13-min"], &["VER017"]),
];

/// Statements that ask for a form of report and not for a check, and which.
const REPORTS: [(&str, &str); 4] = [
    ("S1-35", "a score"),
    ("S1-38", "what-if over the offers that were seen"),
    ("S1-39", "a comparison with a baseline"),
    ("S1-43", "versions by protocol"),
];

#[test]
fn every_statement_is_answered_by_a_rule_or_a_policy_that_exists() {
    for (id, words, rules, policies, _) in STATEMENTS {
        for rule in *rules {
            assert!(findings::find(rule).is_some(), "{id} ({words}): there is no {rule}");
        }
        for policy in *policies {
            Catalogue::shipped().resolve(policy).unwrap();
        }
    }
}

#[test]
fn what_needs_many_flows_is_pending_until_it_is_there() {
    for (id, words, _, _, pending) in STATEMENTS {
        for rule in *pending {
            assert!(findings::find(rule).is_none(), "{id} ({words}): {rule} is there, name it among the answers");
        }
    }
}

#[test]
fn no_statement_is_without_an_answer() {
    assert_eq!(STATEMENTS.len(), 59);
    let ids: BTreeSet<&str> = STATEMENTS.iter().map(|(id, ..)| *id).collect();
    assert_eq!(ids.len(), STATEMENTS.len(), "an id stands twice");
    for (id, words, rules, policies, pending) in STATEMENTS {
        let answered = !rules.is_empty() || !policies.is_empty() || !pending.is_empty();
        let report = REPORTS.iter().any(|(report, _)| report == id);
        assert!(answered != report, "{id} ({words})");
    }
}
