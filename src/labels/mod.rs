//! [`Labels`]: names for fingerprints. Which software sent this hello, as far as anybody has looked.
//!
//! A label says that a hello with this fingerprint was seen from this software, in so many captures. Several labels
//! for one fingerprint are several candidates: nothing here decides between them. The built-in table is
//! `builtin.csv`, made from the captures of this repository; others are read from files by [`read`].
//!
//! How a hello is looked up, for each source by itself: by JA4 and JA3 exactly; only where neither is known, by
//! `ja4_stable` and JA3N, which a resumed session and shuffled extensions leave as they are, but which fewer things
//! tell apart. A server's hello is looked up by JA3S alone.

mod captured;
mod file;

use std::sync::{Arc, LazyLock};

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

pub use self::captured::{CaptureMap, Software};
pub use self::file::{parse, read, write_csv};
use crate::fingerprint::HelloFingerprints;
use crate::flow::facts::Offer;
use crate::tls::codepoints::is_grease;

/// Candidates given for one hello, those of the most captures first.
pub const MOST_CANDIDATES: usize = 16;

/// Candidates given for one server's hello: very many servers share some of them.
pub const MOST_SERVER_CANDIDATES: usize = 4;

/// What the labels of the built-in table give as their source.
pub const BUILTIN_SOURCE: &str = "built-in";

/// One label: a line of a labels file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The method of the fingerprint.
    pub method: Method,
    /// The fingerprint.
    pub value: String,
    /// The software.
    pub name: String,
    /// Its version, and where it matters that of the library below it: `7.88.1 (OpenSSL 3.0.22)`.
    #[serde(default)]
    pub version: Option<String>,
    /// What kind of software it is.
    #[serde(default)]
    pub kind: Kind,
    /// The operating system it ran on.
    #[serde(default)]
    pub os: Option<String>,
    /// Where the label comes from; the file's name where the file does not say.
    #[serde(default)]
    pub source: Option<String>,
    /// Captures in which the software sent a hello with this fingerprint.
    #[serde(default = "one")]
    pub captures: u32,
    /// The protocols of ALPN in the order of the hello, with blanks between; `-` for a hello without the extension;
    /// nothing where it is not known or not always the same.
    #[serde(default)]
    pub alpn: Option<String>,
    /// Whether its hellos carry GREASE (RFC 8701); nothing where it is not known.
    #[serde(default)]
    pub grease: Option<bool>,
}

const fn one() -> u32 {
    1
}

/// The methods a label can be by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// JA4, hashed.
    Ja4,
    /// JA3, hashed.
    Ja3,
    /// JA4 without what resumption changes.
    Ja4Stable,
    /// JA3 with sorted extensions.
    Ja3n,
    /// JA3S, the only one of a server's hello: a server sends another one to every kind of client.
    Ja3s,
}

impl Method {
    /// Every method, the exact ones first.
    pub const ALL: [Self; 5] = [Self::Ja4, Self::Ja3, Self::Ja4Stable, Self::Ja3n, Self::Ja3s];

    /// The name in files and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ja4 => "ja4",
            Self::Ja3 => "ja3",
            Self::Ja4Stable => "ja4_stable",
            Self::Ja3n => "ja3n",
            Self::Ja3s => "ja3s",
        }
    }

    /// The fingerprint of a client's hello by this method; none by one of servers.
    #[must_use]
    pub fn of(self, prints: &HelloFingerprints) -> Option<&str> {
        match self {
            Self::Ja4 => Some(prints.ja4.hash()),
            Self::Ja3 => Some(prints.ja3.hash()),
            Self::Ja4Stable => Some(prints.ja4.stable()),
            Self::Ja3n => Some(prints.ja3n.hash()),
            Self::Ja3s => None,
        }
    }

    /// Whether it tells hellos apart as far as any does.
    const fn is_exact(self) -> bool {
        matches!(self, Self::Ja4 | Self::Ja3)
    }

    /// Whether `value` can be a fingerprint by this method.
    fn accepts(self, value: &str) -> bool {
        let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
        match self {
            Self::Ja3 | Self::Ja3n | Self::Ja3s => value.len() == 32 && is_hex(value),
            Self::Ja4 | Self::Ja4Stable => match *value.split('_').collect::<SmallVec<[&str; 4]>>() {
                [shape, suites, extensions] => {
                    shape.len() == 10
                        && [suites, extensions].into_iter().all(|hash| hash.len() == 12 && is_hex(hash))
                        && shape.starts_with(['t', 'q', 'd'])
                }
                _ => false,
            },
        }
    }
}

/// A kind of software, as far as it matters to how much a fingerprint says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A browser: its hellos are its own, and nobody configures them.
    Browser,
    /// Another finished program.
    Application,
    /// The runtime of a language with its TLS: programs in it decide on ALPN.
    Runtime,
    /// A TLS library or its test program: programs on top of it decide on nearly everything.
    Library,
    /// A program made to send another one's hellos.
    Impersonator,
    /// Anything else, or not known.
    #[default]
    Other,
}

impl Kind {
    /// The name in files and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Application => "application",
            Self::Runtime => "runtime",
            Self::Library => "library",
            Self::Impersonator => "impersonator",
            Self::Other => "other",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Browser, Self::Application, Self::Runtime, Self::Library, Self::Impersonator, Self::Other]
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| {
                format!(
                    "no kind is called {text:?}; there are browser, application, runtime, library, impersonator and \
                     other"
                )
            })
    }
}

impl Label {
    /// Name and version.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.name),
            None => self.name.clone(),
        }
    }

    /// What software it names, whatever the fingerprint.
    fn identity(&self) -> (&str, Option<&str>, Kind, Option<&str>, Option<&str>) {
        (&self.name, self.version.as_deref(), self.kind, self.os.as_deref(), self.source.as_deref())
    }
}

/// ALPN of a hello as labels write it; `None` where it cannot be written so.
#[must_use]
pub fn alpn_of(offer: &Offer) -> Option<String> {
    const LONGEST: usize = 128;
    let Some(names) = &offer.alpn else { return Some("-".to_owned()) };
    let mut text = String::new();
    for name in names {
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) || text.len() > LONGEST {
            return None;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.extend(name.iter().copied().map(char::from));
    }
    Some(text)
}

/// Whether a hello carries a GREASE value among its suites, extensions or groups.
#[must_use]
pub fn has_grease(offer: &Offer) -> bool {
    offer.cipher_suites.iter().any(|suite| is_grease(suite.0))
        || offer.extensions.iter().flatten().any(|seen| is_grease(seen.extension_type.0))
        || offer.groups.iter().flatten().any(|group| is_grease(group.0))
}

/// Labels by their fingerprints.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    by_method: [Index; Method::ALL.len()],
    /// Labels by JA4 without what SNI, ALPN and the number of suites and extensions say. In the order of
    /// [`Method::ALL`]; the JA3s have none.
    by_core: [Index; Method::ALL.len()],
}

type Index = HashMap<Box<str>, Vec<Arc<Label>>, foldhash::fast::RandomState>;

impl Labels {
    /// No labels.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The built-in table.
    #[must_use]
    pub fn builtin() -> Arc<Self> {
        static BUILTIN: LazyLock<Arc<Labels>> = LazyLock::new(|| {
            let mut labels = Labels::new();
            // A test holds the table to be readable.
            labels.extend(parse(include_str!("builtin.csv"), BUILTIN_SOURCE).unwrap_or_default());
            Arc::new(labels)
        });
        Arc::clone(&BUILTIN)
    }

    /// Adds labels.
    pub fn extend(&mut self, labels: impl IntoIterator<Item = Label>) {
        for label in labels {
            let label = Arc::new(label);
            let index = label.method as usize;
            if let Some(core) = core(&label.value)
                && let Some(by_core) = self.by_core.get_mut(index)
            {
                by_core.entry(core.into()).or_default().push(Arc::clone(&label));
            }
            if let Some(by_value) = self.by_method.get_mut(index) {
                by_value.entry(label.value.as_str().into()).or_default().push(label);
            }
        }
    }

    /// The number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_method.iter().flat_map(|index| index.values()).map(Vec::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_method.iter().all(HashMap::is_empty)
    }

    /// The candidates for a hello, at most [`MOST_CANDIDATES`], each software once, those of the most captures first.
    #[must_use]
    pub fn candidates(&self, prints: &HelloFingerprints) -> Vec<Arc<Label>> {
        let mut found: Vec<Arc<Label>> = Vec::new();
        for exact in [true, false] {
            let sources = found.len();
            for method in Method::ALL.into_iter().filter(|method| method.is_exact() == exact) {
                for label in method.of(prints).into_iter().flat_map(|value| self.by(method, value)) {
                    // What a source knows exactly it is not asked about again.
                    let is_known = found.iter().take(sources).any(|known| known.source == label.source);
                    match found.iter_mut().find(|known| known.identity() == label.identity()) {
                        _ if is_known => {}
                        Some(known) if known.captures < label.captures => *known = Arc::clone(label),
                        Some(_) => {}
                        None => found.push(Arc::clone(label)),
                    }
                }
            }
        }
        ranked(found, MOST_CANDIDATES)
    }

    /// The candidates for a server by the JA3S of its hello, at most [`MOST_SERVER_CANDIDATES`], those of the most captures
    /// first. Very different servers may send the same one: it tells what a server may be, and what it is not.
    #[must_use]
    pub fn servers(&self, ja3s: &str) -> Vec<Arc<Label>> {
        ranked(self.by(Method::Ja3s, ja3s).iter().map(Arc::clone).collect(), MOST_SERVER_CANDIDATES)
    }

    fn by(&self, method: Method, value: &str) -> &[Arc<Label>] {
        self.by_method.get(method as usize).and_then(|index| index.get(value)).map_or(&[], Vec::as_slice)
    }

    /// The labels of hellos that differ from this one at most in server name, ALPN and what resumption changes: same
    /// carrier, version, suites, other extensions and signature schemes.
    pub fn kin(&self, prints: &HelloFingerprints) -> impl Iterator<Item = &Arc<Label>> {
        [Method::Ja4, Method::Ja4Stable].into_iter().flat_map(|method| {
            let core = method.of(prints).and_then(core).unwrap_or_default();
            self.by_core.get(method as usize).and_then(|index| index.get(&*core)).into_iter().flatten()
        })
    }
}

/// At most `most` labels of one hello: what a user's files say before the built-in ones, then those of the most captures
/// first.
fn ranked(mut found: Vec<Arc<Label>>, most: usize) -> Vec<Arc<Label>> {
    let is_builtin = |label: &Label| label.source.as_deref() == Some(BUILTIN_SOURCE);
    found.sort_by(|a, b| {
        let by_captures = b.captures.cmp(&a.captures).then_with(|| a.identity().cmp(&b.identity()));
        is_builtin(a).cmp(&is_builtin(b)).then(by_captures)
    });
    found.truncate(most);
    found
}

/// A JA4 without its parts that SNI and ALPN change: `t13_8daaf6152771_02713d6af862`.
fn core(ja4: &str) -> Option<String> {
    let (shape, hashes) = ja4.split_once('_')?;
    Some(format!("{}_{hashes}", shape.get(..3)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::flow::facts::SeenExtension;
    use crate::tls::codepoints::{CipherSuite, ExtensionType, ProtocolVersion};

    fn offer() -> Offer {
        let mut offer = Offer {
            legacy_version: ProtocolVersion::TLS12,
            versions: Some(vec![ProtocolVersion::TLS13]),
            cipher_suites: vec![CipherSuite(0x1301), CipherSuite(0x1302)],
            alpn: Some(vec![b"h2"[..].into(), b"http/1.1"[..].into()]),
            ..Offer::default()
        };
        set_extensions(&mut offer, &[0, 23, 0xff01, 10, 11, 35, 16, 13, 51, 45, 43]);
        offer
    }

    fn set_extensions(offer: &mut Offer, types: &[u16]) {
        let seen = |number: &u16| SeenExtension { extension_type: ExtensionType(*number), length: 0 };
        offer.extensions = Some(types.iter().map(seen).collect());
    }

    fn label(method: Method, value: &str, name: &str, captures: u32) -> Label {
        Label {
            method,
            value: value.to_owned(),
            name: name.to_owned(),
            version: None,
            kind: Kind::Other,
            os: None,
            source: Some("test".to_owned()),
            captures,
            alpn: None,
            grease: None,
        }
    }

    fn names(labels: &Labels, prints: &HelloFingerprints) -> Vec<String> {
        labels.candidates(prints).iter().map(|label| format!("{} {}", label.name, label.captures)).collect()
    }

    #[test]
    fn the_built_in_table_can_be_read() {
        let labels = parse(include_str!("builtin.csv"), BUILTIN_SOURCE).unwrap();
        assert!(labels.len() > 50, "{}", labels.len());
        assert_eq!(Labels::builtin().len(), labels.len());
    }

    #[test]
    fn lists_several_candidates_those_of_the_most_captures_first() {
        let prints = HelloFingerprints::of(&offer()).unwrap();
        let mut labels = Labels::new();
        labels.extend([
            label(Method::Ja4, prints.ja4.hash(), "one", 1),
            label(Method::Ja3, prints.ja3.hash(), "three", 3),
            label(Method::Ja4, prints.ja4.hash(), "three", 2),
            label(Method::Ja4, "t13d1516h2_8daaf6152771_02713d6af862", "another", 9),
        ]);
        assert_eq!(names(&labels, &prints), ["three 3", "one 1"]);
        assert_eq!(labels.len(), 4);
    }

    #[test]
    fn a_resumed_session_keeps_its_label_but_yields_to_an_exact_one_of_the_same_source() {
        let first = HelloFingerprints::of(&offer()).unwrap();
        let mut resumed = offer();
        set_extensions(&mut resumed, &[0, 23, 0xff01, 10, 11, 35, 16, 13, 51, 45, 43, 42, 41]);
        let resumed = HelloFingerprints::of(&resumed).unwrap();
        assert_ne!(first.ja4.hash(), resumed.ja4.hash());
        let mut labels = Labels::new();
        labels.extend([
            label(Method::Ja4, first.ja4.hash(), "client", 1),
            label(Method::Ja4Stable, first.ja4.stable(), "client", 1),
            label(Method::Ja4Stable, first.ja4.stable(), "kindred", 1),
        ]);
        assert_eq!(names(&labels, &first), ["client 1"]);
        assert_eq!(names(&labels, &resumed), ["client 1", "kindred 1"]);
        let mut foreign = label(Method::Ja4Stable, first.ja4.stable(), "foreign", 5);
        foreign.source = Some("another file".to_owned());
        labels.extend([foreign]);
        assert_eq!(names(&labels, &first), ["foreign 5", "client 1"]);
    }

    #[test]
    fn a_server_is_named_by_its_own_hello_alone() {
        let prints = HelloFingerprints::of(&offer()).unwrap();
        let mut labels = Labels::new();
        labels.extend([
            label(Method::Ja3s, prints.ja3.hash(), "rare", 1),
            label(Method::Ja3s, prints.ja3.hash(), "frequent", 4),
            label(Method::Ja3, prints.ja3.hash(), "client", 9),
        ]);
        let servers: Vec<_> = labels.servers(prints.ja3.hash()).iter().map(|label| label.name.clone()).collect();
        assert_eq!(servers, ["frequent", "rare"]);
        assert_eq!(names(&labels, &prints), ["client 9"]);
        assert!(labels.servers(prints.ja3n.hash()).is_empty());
    }

    #[test]
    fn kin_differ_in_name_and_protocols_alone() {
        let labelled = HelloFingerprints::of(&offer()).unwrap();
        let mut labels = Labels::new();
        labels.extend([label(Method::Ja4Stable, labelled.ja4.stable(), "client", 1)]);
        let kin = |types: &[u16]| {
            let mut other = offer();
            set_extensions(&mut other, types);
            other.alpn = None;
            labels.kin(&HelloFingerprints::of(&other).unwrap()).count()
        };
        assert_eq!(kin(&[23, 0xff01, 10, 11, 13, 51, 45, 43]), 1);
        assert_eq!(kin(&[0, 23, 0xff01, 10, 11, 13, 51, 45, 43, 5]), 0);
    }

    #[test]
    fn writes_alpn_only_where_it_can_be_read_again() {
        let mut offer = offer();
        assert_eq!(alpn_of(&offer).as_deref(), Some("h2 http/1.1"));
        offer.alpn = Some(vec![b"a b"[..].into()]);
        assert_eq!(alpn_of(&offer), None);
        offer.alpn = None;
        assert_eq!(alpn_of(&offer).as_deref(), Some("-"));
        assert!(!has_grease(&offer));
        set_extensions(&mut offer, &[0, 0x1a1a]);
        assert!(has_grease(&offer));
    }
}
