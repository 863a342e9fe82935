//! `PRV`: privacy.

use crate::findings::{Check, Documentation, Evidence, Family, Rule, Severity};
use crate::tls::codepoints::ExtensionType;

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "PRV001",
        name: "sni-cleartext",
        family: Family::Privacy,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The ClientHello has a server name, and no Encrypted Client Hello. In QUIC the hello is encrypted \
                      with keys anyone can derive, and counts as readable.",
            why: "Everyone on the path learns which site the client visits. That is how nearly all of the web works, \
                  and what name-based filters and this report rely on.",
            evidence: "`server_name`: the name. By hand: tshark -Y 'tls.handshake.type == 1' -T fields -e \
                       tls.handshake.extensions_server_name.",
            action: "None by itself. Where names are confidential, use Encrypted Client Hello on client, server and \
                     DNS.",
            references: &["RFC 6066 section 3", "RFC 9849 section 1"],
        },
        check: Check::Flow(|facts, _| {
            let name = facts.hello.server_name.as_ref()?;
            let extensions = facts.offer.as_ref()?.extensions.as_deref()?;
            let encrypted = extensions.iter().any(|seen| seen.extension_type.is_encrypted_client_hello());
            (!encrypted).then(|| Evidence::of("server_name", name.clone()))
        }),
    },
    Rule {
        id: "PRV002",
        name: "ech-present",
        family: Family::Privacy,
        severity: Severity::Info,
        documentation: Documentation {
            reports: "The ClientHello has encrypted_client_hello, or a draft of it.",
            why: "The server name that can be read may be a provider's public name, with the real one encrypted. It \
                  may as well be real, with random bytes in the extension: clients send those on purpose (GREASE), and \
                  the two cannot be told apart. All that is said of this flow by its server name is uncertain.",
            evidence: "`extension`: the extension. `config_id`: the id of the server's key, random under GREASE. \
                       `outer_server_name`: the name that can be read. By hand: extension 0xfe0d (65037) in \
                       tls.handshake.extension.type.",
            action: "None. Treat the name as the public name it may be.",
            references: &["RFC 9849 sections 5 and 6.2"],
        },
        check: Check::Flow(|facts, _| {
            let mut extensions = facts.offer.as_ref()?.extensions.iter().flatten().map(|seen| seen.extension_type);
            let is_ech = |extension: &ExtensionType| {
                extension.is_encrypted_client_hello() && *extension != ExtensionType::ENCRYPTED_SERVER_NAME
            };
            Some(
                Evidence::of("extension", extensions.find(is_ech)?)
                    .with_some("config_id", facts.hello.ech_config_id)
                    .with_some("outer_server_name", facts.hello.server_name.clone()),
            )
        }),
    },
    Rule {
        id: "PRV003",
        name: "esni-draft",
        family: Family::Privacy,
        severity: Severity::Low,
        documentation: Documentation {
            reports: "The ClientHello has encrypted_server_name (0xffce), the experiment before Encrypted Client \
                      Hello.",
            why: "No server answers it any more, and some networks drop connections that carry it. The client has not \
                  been updated since about 2021.",
            evidence: "`extension`: the extension. By hand: extension 0xffce (65486) in tls.handshake.extension.type.",
            action: "Update the client.",
            references: &["draft-ietf-tls-esni-06", "RFC 9849"],
        },
        check: Check::Offer(|offer| {
            let extension = ExtensionType::ENCRYPTED_SERVER_NAME;
            offer.has(extension).then(|| Evidence::of("extension", extension))
        }),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Value;
    use crate::findings::testing::{Case, change_offer, check, hold, set_extensions, tls13};
    use crate::flow::Facts;

    /// A TLS 1.3 handshake whose hello has a server name and `extension`.
    fn with(extension: u16) -> Facts {
        let mut facts = tls13();
        change_offer(&mut facts, |offer| set_extensions(offer, &[0, 43, 51, extension]));
        facts
    }

    #[test]
    fn every_rule_reports_what_it_says_and_nothing_near_it() {
        hold(
            RULES,
            &[
                Case { rule: "PRV001", fires: tls13, silent: || with(0xfe0d) },
                Case { rule: "PRV002", fires: || with(0xfe0d), silent: || with(0xffce) },
                Case { rule: "PRV003", fires: || with(0xffce), silent: || with(0xfe0d) },
            ],
        );
    }

    #[test]
    fn no_name_is_no_disclosure() {
        let mut facts = tls13();
        facts.hello.server_name = None;
        assert_eq!(check("PRV001", &facts), None);
        assert_eq!(check("PRV001", &with(0xffce)), None, "its name is encrypted");
    }

    #[test]
    fn the_readable_name_is_called_outer_under_ech() {
        let mut facts = with(0xfe0d);
        facts.hello.ech_config_id = Some(7);
        let evidence = check("PRV002", &facts).unwrap_or_default();
        assert_eq!(evidence.value("config_id"), Some(&Value::Number(7)));
        assert_eq!(evidence.value("outer_server_name"), Some(&Value::from("example.org".to_owned())));
        assert!(check("PRV002", &with(0xfe0a)).is_some(), "a draft");
    }
}
