//! [`CaptureMap`]: which software the clients and servers in which capture were, so that labels can be made of
//! captures.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Kind;
use super::file::{check_text, rows};
use crate::error::Error;
use crate::flow::facts::Side;

/// A piece of software, as a label names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Software {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// What kind it is.
    pub kind: Kind,
    /// The operating system it ran on.
    pub os: Option<String>,
}

/// Captures and the software whose hellos they hold: CSV with the columns `capture`, `name` and, where known,
/// `version`, `kind` and `os`. Where there is a column `side`, lines that say `server` in it name the servers; all
/// others name the clients.
///
/// A capture is named by the end of its path: `clients/curl.pcap` is `pcaps/tls/clients/curl.pcap` too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureMap(Vec<(PathBuf, Side, Software)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    capture: PathBuf,
    #[serde(default)]
    side: Option<Side>,
    name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    kind: Option<Kind>,
    #[serde(default)]
    os: Option<String>,
}

impl CaptureMap {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, or [`CaptureMap::parse`] rejects it.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = super::file::text(path)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads the text of such a file; `source` is its name in errors.
    ///
    /// # Errors
    /// Names the line, and what is wrong with it.
    pub fn parse(text: &str, source: &str) -> Result<Self, Error> {
        let mut captures = Vec::new();
        for row in rows::<Row>(text, source) {
            let (line, row) = row?;
            let texts = [Some(&row.name), row.version.as_ref(), row.os.as_ref()];
            check_text(texts.into_iter().flatten())
                .and_then(|()| if row.name.is_empty() { Err("a line without a name".to_owned()) } else { Ok(()) })
                .map_err(|words| Error::Configuration(format!("{source}:{line}: {words}")))?;
            let Row { capture, side, name, version, kind, os } = row;
            let side = side.unwrap_or(Side::Client);
            captures.push((capture, side, Software { name, version, kind: kind.unwrap_or_default(), os }));
        }
        Ok(Self(captures))
    }

    /// The software of one side in a capture; the first line that names it counts.
    #[must_use]
    pub fn software_of(&self, capture: &Path, side: Side) -> Option<&Software> {
        let is_it =
            |(known, known_side, _): &&(PathBuf, Side, Software)| *known_side == side && capture.ends_with(known);
        self.0.iter().find(is_it).map(|(_, _, software)| software)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn finds_captures_by_the_end_of_their_paths() {
        let map =
            CaptureMap::parse("capture,name,version,kind\nclients/a.pcap,One,1,browser\na.pcap,Two,,\n", "map.csv")
                .unwrap();
        let name = |path: &str| map.software_of(Path::new(path), Side::Client).map(|software| software.name.as_str());
        assert_eq!(name("pcaps/clients/a.pcap"), Some("One"));
        assert_eq!(name("pcaps/a.pcap"), Some("Two"));
        assert_eq!(name("pcaps/aa.pcap"), None);
        assert_eq!(map.software_of(Path::new("a.pcap"), Side::Client).unwrap().kind, Kind::Other);
    }

    #[test]
    fn tells_servers_from_clients() {
        let map = CaptureMap::parse("capture,side,name\na.pcap,server,One\na.pcap,,Two\n", "map.csv").unwrap();
        let name = |side| map.software_of(Path::new("a.pcap"), side).map(|software| software.name.as_str());
        assert_eq!((name(Side::Server), name(Side::Client)), (Some("One"), Some("Two")));
    }

    #[test]
    fn rejects_what_is_wrong_and_names_the_line() {
        let complaint = |text: &str| CaptureMap::parse(text, "map.csv").unwrap_err().to_string();
        assert_eq!(complaint("capture,name\na.pcap,\n"), "map.csv:2: a line without a name");
        assert!(
            complaint("capture,name,kind\na.pcap,One,toaster\n")
                .starts_with("map.csv:2: unknown variant `toaster`, expected one of `browser`")
        );
    }
}
