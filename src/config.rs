//! The configuration file: what a user has decided once, for every run.
//!
//! A TOML file, by default `handprint/config.toml` in `$XDG_CONFIG_HOME`, which is `~/.config` where it is not set.
//! Every key may be left out; one that is not known is an error that points at its line. Paths in it start from its
//! folder.
//!
//! ```toml
//! policies = ["mozilla-intermediate+require-pq", "ours"]  # held against every handshake unless --policy says others
//! policy_files = ["ours.toml"]                            # policies of your own, to be called by their id
//! trust = ["corporate-roots.pem"]                         # roots that chains of certificates must lead to (PEM)
//! tls_ports = [443, 993, 8443]                            # where TLS from the first byte is expected (ANOM007)
//! expiring_within_days = 30                               # CERT013
//!
//! [rules]
//! disable = ["PRV", "cbc-offered"]                        # ids, names or families
//!
//! [rules.severity]                                        # an id or name before a family, whatever the order
//! PQ = "info"
//! CIP009 = "high"
//!
//! [[allow]]                                               # findings that are known; every condition has to hold
//! rules = ["CERT015"]                                     # any of these; ids, names or families
//! clients = ["192.0.2.0/24"]                              # networks or addresses
//! servers = ["198.51.100.7"]
//! sni = ["*.lab.example.org"]
//! fingerprints = ["t13d1516h2_8daaf6152771_02713d6af862"] # JA3, JA3N, JA4, JA3S, or SHA-256 of a certificate
//! until = 2027-03-31                                      # the last day, by the time of handshakes, in UTC
//! reason = "Lab with its own authority, replaced in March"
//! ```
//!
//! An allowed finding is taken out of `findings` and listed under `allowed` with the reason, see
//! [`AllowList`]. An entry needs a reason and at least one condition.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use toml::Spanned;

use crate::error::Error;
use crate::findings::{self, AllowList, Allowance, Rule, RuleSet, Settings, Severity, TrustStore};
use crate::policy::{Catalogue, text_form};
use crate::time::Timestamp;
use crate::tls::certificate::Certificate;

/// What a configuration file says, checked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Policies to hold handshakes against, as expressions of [`Catalogue::resolve`].
    pub policies: Vec<String>,
    /// The shipped policies and the user's own, once there is one. The shipped ones alone are read when asked for.
    catalogue: Option<Catalogue>,
    /// Rules not to be evaluated: ids, names or families.
    pub disabled: Vec<String>,
    /// Severities that replace the rules', in the order in which they count.
    pub severities: Vec<(&'static Rule, Severity)>,
    /// What rules are told.
    pub settings: Settings,
    /// Findings that are known.
    pub allowed: AllowList,
    /// Roots that were read, to which more can be added.
    pub roots: Vec<Certificate>,
}

impl Default for Config {
    /// What holds without a file.
    fn default() -> Self {
        Self {
            policies: Vec::new(),
            catalogue: None,
            disabled: Vec::new(),
            severities: Vec::new(),
            settings: Settings::default(),
            allowed: AllowList::default(),
            roots: Vec::new(),
        }
    }
}

impl Config {
    /// The shipped policies and the user's own.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        self.catalogue.as_ref().unwrap_or_else(|| Catalogue::shipped())
    }

    /// Where a configuration is looked for where none is named; `None` where the environment names no home.
    #[must_use]
    pub fn default_path() -> Option<PathBuf> {
        let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = named("XDG_CONFIG_HOME").or_else(|| named("HOME").map(|home| home.join(".config")))?;
        Some(folder.join("handprint/config.toml"))
    }

    /// Reads a file, and the files it names.
    ///
    /// # Errors
    /// A file that cannot be read; the line and column of what makes no sense.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = read(path)?;
        Self::parse(&path.display().to_string(), &text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads the text of a file called `origin`, the paths in which start from `folder`.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(origin: &str, text: &str, folder: &Path) -> Result<Self, Error> {
        let file: File =
            toml::from_str(text).map_err(|error| Error::in_file(origin, text, error.span(), error.message()))?;
        let at = |value: &Spanned<String>, error: &Error| {
            Error::in_file(origin, text, Some(value.span()), &error.to_string())
        };
        let mut config = Self::default();
        for name in &file.policy_files {
            config.add_policy(&folder.join(name.get_ref())).map_err(|error| at(name, &error))?;
        }
        for name in &file.policies {
            config.catalogue().resolve(name.get_ref()).map_err(|error| at(name, &error))?;
            config.policies.push(name.get_ref().clone());
        }
        for name in &file.trust {
            config.add_roots(&folder.join(name.get_ref())).map_err(|error| at(name, &error))?;
        }
        if let Some(ports) = file.tls_ports {
            config.settings.tls_ports = ports;
        }
        if let Some(days) = file.expiring_within_days {
            config.settings.expiring_within = Duration::from_secs(u64::from(days) * 86_400);
        }
        config.disabled = file.rules.disable.into_iter().map(|selector| selector.0).collect();
        let (families, rules): (Vec<_>, Vec<_>) =
            file.rules.severity.into_iter().partition(|(selector, _)| findings::find(&selector.0).is_none());
        for (selector, level) in families.into_iter().chain(rules) {
            config.severities.extend(selector.rules().into_iter().map(|rule| (rule, level.0)));
        }
        let mut entries = Vec::with_capacity(file.allow.len());
        for entry in file.allow {
            let span = entry.span();
            let entry = entry.into_inner().allowance();
            entries.push(entry.map_err(|words| Error::in_file(origin, text, Some(span), words))?);
        }
        config.allowed = entries.into_iter().collect();
        Ok(config)
    }

    /// Adds a policy of the user's.
    ///
    /// # Errors
    /// A file that cannot be read or makes no sense.
    pub fn add_policy(&mut self, path: &Path) -> Result<String, Error> {
        let policy = self
            .catalogue
            .get_or_insert_with(|| Catalogue::shipped().clone())
            .add(&path.display().to_string(), &read(path)?)?;
        Ok(policy.id().to_owned())
    }

    /// Adds the certificates of a PEM file to the trusted roots.
    ///
    /// # Errors
    /// A file that cannot be read, or holds no certificate that can be.
    pub fn add_roots(&mut self, path: &Path) -> Result<(), Error> {
        let bytes = fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let wrong = |words: &str| Error::Configuration(format!("{}: {words}", path.display()));
        let before = self.roots.len();
        for certificate in CertificateDer::pem_slice_iter(&bytes) {
            let der = certificate.map_err(|error| wrong(&format!("not sound PEM: {error}")))?;
            let certificate = Certificate::from_der(&der);
            if let Some(problem) = certificate.problems.first().filter(|_| certificate.subject_der.is_empty()) {
                return Err(wrong(&format!("certificate {}: {problem}", self.roots.len() - before + 1)));
            }
            self.roots.push(certificate);
        }
        if self.roots.len() == before {
            return Err(wrong("no certificate in it"));
        }
        self.settings.trust = Some(TrustStore::new(&self.roots));
        Ok(())
    }

    /// The rules to evaluate: those picked by `select` (all where it is empty) without those picked by `ignore` and
    /// without those disabled here, unless `select` names them by id or name.
    ///
    /// # Errors
    /// Names the selector that picks nothing.
    pub fn rules(&self, select: &[String], ignore: &[String], minimum: Severity) -> Result<RuleSet, Error> {
        let wanted = |rule: &Rule| {
            select.iter().any(|name| name.eq_ignore_ascii_case(rule.id) || name.eq_ignore_ascii_case(rule.name))
        };
        let mut left_out = ignore.to_vec();
        for selector in &self.disabled {
            let rules = findings::selected(selector)?.into_iter().filter(|rule| !wanted(rule));
            left_out.extend(rules.map(|rule| rule.id.to_owned()));
        }
        let rules = RuleSet::select(select, &left_out, minimum, self.settings.clone())?;
        Ok(rules.with_severities(self.severities.iter().copied()))
    }

    /// What is not wrong, but worth knowing at the time `now`: entries that have ended, or never do.
    #[must_use]
    pub fn remarks(&self, now: Timestamp) -> Vec<String> {
        let mut remarks = Vec::new();
        for (place, entry) in self.allowed.iter().enumerate() {
            let what = format!("allow entry {} ({})", place + 1, entry.reason);
            match entry.until {
                Some(until) if until <= now => remarks.push(format!("{what} has ended")),
                Some(_) => {}
                None => remarks.push(format!("{what} never ends: it has no `until`")),
            }
        }
        remarks
    }
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    policies: Vec<Spanned<String>>,
    #[serde(default)]
    policy_files: Vec<Spanned<String>>,
    #[serde(default)]
    trust: Vec<Spanned<String>>,
    #[serde(default)]
    tls_ports: Option<Vec<u16>>,
    #[serde(default)]
    expiring_within_days: Option<u32>,
    #[serde(default)]
    rules: Rules,
    #[serde(default)]
    allow: Vec<Spanned<Entry>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    #[serde(default)]
    disable: Vec<Selector>,
    #[serde(default)]
    severity: BTreeMap<Selector, Level>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    rules: Vec<Selector>,
    #[serde(default)]
    clients: Vec<Net>,
    #[serde(default)]
    servers: Vec<Net>,
    #[serde(default)]
    sni: Vec<String>,
    #[serde(default)]
    fingerprints: Vec<String>,
    #[serde(default)]
    until: Option<Day>,
    reason: Reason,
}

impl Entry {
    fn allowance(self) -> Result<Allowance, &'static str> {
        let Self { rules, clients, servers, sni, fingerprints, until, reason } = self;
        let conditions = rules.len() + clients.len() + servers.len() + sni.len() + fingerprints.len();
        if conditions == 0 {
            return Err("an entry without a condition would allow everything: give rules, clients, servers, sni or \
                        fingerprints");
        }
        Ok(Allowance {
            rules: rules.iter().flat_map(Selector::rules).collect(),
            clients: clients.into_iter().map(|net| net.0).collect(),
            servers: servers.into_iter().map(|net| net.0).collect(),
            server_names: sni.iter().map(|name| name.to_ascii_lowercase()).collect(),
            fingerprints,
            until: until.map(|day| day.0),
            reason: reason.0,
        })
    }
}

/// The id or name of a rule, or a family's letters.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Selector(String);

impl Selector {
    fn rules(&self) -> Vec<&'static Rule> {
        // It picked something when it was read.
        findings::selected(&self.0).unwrap_or_default()
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        findings::selected(text).map(|_| Self(text.to_owned())).map_err(|error| error.to_string())
    }
}

text_form!(Selector);

struct Level(Severity);

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

text_form!(Level);

/// A network, or an address as a network of its own.
struct Net(IpNet);

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
        text.parse::<IpNet>()
            .or_else(|_| address())
            .map(|net| Self(net.trunc()))
            .map_err(|_| format!("{text:?} is neither a network like 192.0.2.0/24 nor an address"))
    }
}

text_form!(Net);

struct Reason(String);

impl FromStr for Reason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() { Err("an entry needs a reason".to_owned()) } else { Ok(Self(text.to_owned())) }
    }
}

text_form!(Reason);

/// The end of a day in UTC.
struct Day(Timestamp);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let value = toml::value::Datetime::deserialize(deserializer)?;
        match (value.date, value.time) {
            (Some(date), None) => Timestamp::from_date(date.year, date.month, date.day)
                .map(|day| Self(day.plus(Duration::from_secs(86_400))))
                .ok_or_else(|| D::Error::custom("there is no such day")),
            _ => Err(D::Error::custom("a day like 2027-03-31 is meant")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Error> {
        Config::parse("c.toml", text, Path::new(env!("CARGO_MANIFEST_DIR")))
    }

    #[test]
    fn reads_all_that_the_documentation_shows() {
        let documented: String = include_str!("config.rs")
            .lines()
            .skip_while(|line| *line != "//! ```toml")
            .skip(1)
            .take_while(|line| *line != "//! ```")
            .map(|line| format!("{}\n", line.trim_start_matches("//!").trim_start()))
            .filter(|line| !line.contains("\"ours") && !line.starts_with("trust"))
            .collect();
        let config = parse(&documented.replace("cbc-offered", "rc4-negotiated")).unwrap();
        assert_eq!(config.disabled, ["PRV", "rc4-negotiated"]);
        assert_eq!(config.settings.tls_ports, [443, 993, 8443]);
        assert_eq!(config.settings.expiring_within, Duration::from_secs(30 * 86_400));
        assert!(config.severities.contains(&(findings::find("CIP009").unwrap(), Severity::High)));
        let entry = config.allowed.iter().next().unwrap();
        assert_eq!(entry.until.unwrap().to_string(), "2027-04-01T00:00:00.000000000Z");
        assert_eq!(entry.servers.first().unwrap().to_string(), "198.51.100.7/32");
    }

    #[test]
    fn a_rule_before_its_family_whatever_the_order() {
        let config = parse("[rules.severity]\nCIP009 = 'critical'\nCIP = 'info'\nVER = 'low'\n").unwrap();
        let rules = config.rules(&[], &[], Severity::Info).unwrap();
        let severity = |id: &str| rules.severity(findings::find(id).unwrap());
        assert_eq!(severity("CIP009"), Severity::Critical);
        assert_eq!(severity("CIP007"), Severity::Info);
        assert_eq!(severity("VER005"), Severity::Low);
        assert_eq!(severity("NEG001"), findings::find("NEG001").unwrap().severity);
    }

    #[test]
    fn disabled_rules_are_off_unless_named() {
        let config = parse("[rules]\ndisable = ['VER', 'CIP007']\n").unwrap();
        let on = |select: &[&str]| {
            let select: Vec<String> = select.iter().map(|name| (*name).to_owned()).collect();
            let rules = config.rules(&select, &[], Severity::Info).unwrap();
            ["VER005", "VER007", "CIP007", "CIP008"].map(|id| rules.evaluates(findings::find(id).unwrap()))
        };
        assert_eq!(on(&[]), [false, false, false, true]);
        assert_eq!(on(&["VER", "cip007"]), [false, false, true, false]);
        assert_eq!(on(&["VER005"]), [true, false, false, false]);
    }

    #[test]
    fn reads_trusted_roots_and_own_policies() {
        let folder = std::env::temp_dir().join(format!("handprint-config-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("ours.toml"), "id = 'ours'\nextends = 'tls12-min'\n").unwrap();
        let path = folder.join("config.toml");
        fs::write(&path, "policies = ['ours+no-rc4']\npolicy_files = ['ours.toml']\n").unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!(config.policies, ["ours+no-rc4"]);
        fs::write(folder.join("ours.toml"), "id = 'ours'\nextends = 'no'\n").unwrap();
        let error = Config::load(&path).unwrap_err().to_string();
        assert!(error.contains("config.toml:2:17: ") && error.contains("ours.toml:2:11: no policy"), "{error}");
        fs::write(folder.join("empty.pem"), "nothing\n").unwrap();
        fs::write(&path, "\ntrust = ['empty.pem']\n").unwrap();
        let error = Config::load(&path).unwrap_err().to_string();
        assert!(error.contains("config.toml:2:10: ") && error.ends_with("empty.pem: no certificate in it"), "{error}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn rejects_what_makes_no_sense_and_points_at_it() {
        for (text, words) in [
            ("tls_port = [1]\n", "c.toml:1:1: unknown field `tls_port`"),
            ("tls_ports = [1, 65536]\n", "c.toml:1:17: invalid value"),
            ("policies = ['a',\n 'tls12-min']\n", "c.toml:1:13: no policy is called \"a\""),
            ("[rules]\ndisable = ['VER', 'XYZ001']\n", "c.toml:2:19: no rule and no family is called \"XYZ001\""),
            ("[rules.severity]\nCIP007 = 'worst'\n", "c.toml:2:10: no severity is called \"worst\""),
            ("[rules.severity]\nCIP999 = 'low'\n", "c.toml:2:1: no rule and no family is called \"CIP999\""),
            ("\n[[allow]]\nreason = 'x'\n", "c.toml:2:1: an entry without a condition"),
            ("[[allow]]\nrules = ['VER']\n", "c.toml:1:1: missing field `reason`"),
            ("[[allow]]\nrules = ['VER']\nreason = ' '\n", "c.toml:3:10: an entry needs a reason"),
            ("[[allow]]\nclients = ['10.0.0.0/33']\nreason = 'x'\n", "c.toml:2:12: \"10.0.0.0/33\" is neither"),
            ("[[allow]]\nrules = ['VER']\nreason = 'x'\nuntil = 2026-02-30\n", "c.toml:4:"),
            ("[[allow]]\nrules = ['VER']\nreason = 'x'\nuntil = 2026-02-20T10:00:00Z\n", "c.toml:4:9: a day like"),
            ("[[allow]]\nrules = ['VER']\nreason = 'x'\nuntil = 'soon'\n", "c.toml:4:9: "),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(words), "{text:?}: {error}");
        }
    }

    #[test]
    fn remarks_on_entries_that_have_ended_or_never_do() {
        let config = parse(
            "[[allow]]\nrules = ['VER']\nreason = 'a'\nuntil = 2026-01-31\n[[allow]]\nrules = ['VER']\nreason = 'b'\n",
        );
        let remarks = config.unwrap().remarks(Timestamp::from_date(2026, 2, 1).unwrap());
        assert_eq!(remarks, ["allow entry 1 (a) has ended", "allow entry 2 (b) never ends: it has no `until`"]);
    }
}
