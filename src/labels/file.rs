//! Labels files: CSV with a header line, or a JSON array of objects, with the same members.
//!
//! `method`, `value` and `name` are required; `version`, `kind`, `os`, `source`, `captures`, `alpn` and `grease` are
//! not (see [`Label`]). In CSV the columns stand in any order, an empty field is one that is not known, and lines that
//! begin with `#` are skipped.
//!
//! ```text
//! method,value,name,version,kind,captures
//! ja4,t13d1516h2_8daaf6152771_02713d6af862,Example Browser,131,browser,12
//! ja3,771dc6c48e4a6c0d5d1b5d0f1e0a9f3c,Backup agent,4.2,application,3
//! ```

use std::io::{self, Read as _};
use std::path::Path;

use super::{Kind, Label, Method};
use crate::error::Error;

/// Bytes of the largest labels file that is read.
const LONGEST_FILE: u64 = 64 << 20;

/// Bytes of the longest name, version and the like.
const LONGEST_TEXT: usize = 256;

/// The columns, in the order they are written in.
const COLUMNS: [&str; 9] = ["method", "value", "name", "version", "kind", "os", "captures", "alpn", "grease"];

/// Reads a labels file.
///
/// # Errors
/// It cannot be read, is longer than 64 MiB, or [`parse`] rejects it.
pub fn read(path: &Path) -> Result<Vec<Label>, Error> {
    parse(&text(path)?, &path.display().to_string())
}

/// The text of a file that is no longer than it may be.
pub(super) fn text(path: &Path) -> Result<String, Error> {
    let unreadable = |source| Error::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LONGEST_FILE.saturating_add(1)).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > LONGEST_FILE {
        return Err(Error::Configuration(format!("{}: longer than {} MiB", path.display(), LONGEST_FILE >> 20)));
    }
    Ok(text)
}

/// Reads the text of a labels file: JSON where it begins with a bracket, otherwise CSV. Labels that do not say where
/// they come from get `source`.
///
/// # Errors
/// Names the source, the line (or the entry) and what is wrong with it.
pub fn parse(text: &str, source: &str) -> Result<Vec<Label>, Error> {
    let mut labels: Vec<Label> = Vec::new();
    let mut add = |mut label: Label, place: String| {
        check(&label).map_err(|words| Error::Configuration(format!("{source}{place}: {words}")))?;
        label.source.get_or_insert_with(|| source.to_owned());
        labels.push(label);
        Ok::<_, Error>(())
    };
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('[') {
        let entries: Vec<Label> = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| Error::Configuration(format!("{source}: {error}")))?;
        for (position, label) in entries.into_iter().enumerate() {
            add(label, format!(", entry {}", position.saturating_add(1)))?;
        }
    } else {
        for row in rows::<Row>(text, source) {
            let (line, row) = row?;
            add(row.into(), format!(":{line}"))?;
        }
    }
    Ok(labels)
}

/// A line of CSV: a [`Label`] any of whose optional fields may be empty.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    method: Method,
    value: String,
    name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    kind: Option<Kind>,
    #[serde(default)]
    os: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    captures: Option<u32>,
    #[serde(default)]
    alpn: Option<String>,
    #[serde(default)]
    grease: Option<bool>,
}

impl From<Row> for Label {
    fn from(row: Row) -> Self {
        let Row { method, value, name, version, kind, os, source, captures, alpn, grease } = row;
        let (kind, captures) = (kind.unwrap_or_default(), captures.unwrap_or(1));
        Self { method, value, name, version, kind, os, source, captures, alpn, grease }
    }
}

/// The lines of CSV with a header line, each with its number.
pub(super) fn rows<T: serde::de::DeserializeOwned>(
    text: &str,
    source: &str,
) -> impl Iterator<Item = Result<(u64, T), Error>> {
    let reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut rows = reader.into_deserialize();
    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let line = rows.reader().position().line();
        let row = rows.next()?.map_err(|error| {
            let line = error.position().map_or(line, csv::Position::line);
            let words = match error.kind() {
                csv::ErrorKind::Deserialize { err, .. } => {
                    let field = err.field().and_then(|field| usize::try_from(field).ok());
                    let headers = rows.reader_mut().headers().cloned().unwrap_or_default();
                    let column = field.and_then(|field| headers.get(field).map(|name| format!("{name}: ")));
                    format!("{}{}", column.unwrap_or_default(), err.kind())
                }
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("{len} fields, where the header line has {expected_len}")
                }
                _ => error.to_string(),
            };
            Error::Configuration(format!("{source}:{line}: {words}"))
        });
        is_over = row.is_err();
        Some(row.map(|row| (line, row)))
    })
}

/// What the types do not say.
fn check(label: &Label) -> Result<(), String> {
    if !label.method.accepts(&label.value) {
        return Err(format!("{:?} is no {}", label.value, label.method.name()));
    }
    if label.name.is_empty() {
        return Err("a label without a name".to_owned());
    }
    let texts = [Some(&label.name), label.version.as_ref(), label.os.as_ref(), label.source.as_ref()];
    check_text(texts.into_iter().chain([label.alpn.as_ref()]).flatten())
}

/// Whether texts can stand in a label.
pub(super) fn check_text<'a>(mut texts: impl Iterator<Item = &'a String>) -> Result<(), String> {
    texts.try_for_each(|text| {
        if text.len() > LONGEST_TEXT {
            return Err(format!("a text of {} bytes; at most {LONGEST_TEXT} are taken", text.len()));
        }
        if text.chars().any(char::is_control) {
            return Err(format!("control characters in {text:?}"));
        }
        Ok(())
    })
}

/// Writes labels as CSV, ordered by software and fingerprint. Their sources are left out: whoever reads the file gives
/// it one.
///
/// # Errors
/// `out` fails.
pub fn write_csv(labels: &[Label], out: impl io::Write) -> io::Result<()> {
    let mut labels: Vec<&Label> = labels.iter().collect();
    labels.sort_by_key(|label| (&label.name, &label.version, &label.os, label.method, &label.value));
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS)?;
    for label in labels {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        writer.write_record([
            label.method.name(),
            &label.value,
            &label.name,
            &text(&label.version),
            label.kind.name(),
            &text(&label.os),
            &label.captures.to_string(),
            &text(&label.alpn),
            &label.grease.map_or_else(String::new, |grease| grease.to_string()),
        ])?;
    }
    writer.flush()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    const JA4: &str = "t13d1516h2_8daaf6152771_02713d6af862";

    #[track_caller]
    fn complaint(text: &str) -> String {
        parse(text, "my.csv").unwrap_err().to_string()
    }

    #[test]
    fn reads_both_forms_alike() {
        let csv = format!(
            "# mine\nname, kind,value,method,grease,alpn\n\"One, two\",browser,{JA4},ja4,true,h2 http/1.1\nThree,,{JA4},ja4_stable,,\n"
        );
        let json = format!(
            r#"[{{"name": "One, two", "kind": "browser", "value": "{JA4}", "method": "ja4", "grease": true,
                "alpn": "h2 http/1.1"}}, {{"method": "ja4_stable", "value": "{JA4}", "name": "Three"}}]"#
        );
        let labels = parse(&csv, "mine").unwrap();
        assert_eq!(labels, parse(&json, "mine").unwrap());
        let [one, three] = &*labels else { unreachable!("{labels:?}") };
        assert_eq!((&*one.name, one.kind, one.grease, one.captures), ("One, two", Kind::Browser, Some(true), 1));
        assert_eq!((three.method, three.kind, three.alpn.as_deref()), (Method::Ja4Stable, Kind::Other, None));
        assert_eq!(three.source.as_deref(), Some("mine"));
    }

    #[test]
    fn reads_again_what_it_wrote() {
        let text = format!(
            "method,value,name,version,kind,os,captures,alpn,grease\nja4,{JA4},\"a \"\"b\"\", c\",1 (x),library,,7,-,false\n"
        );
        let labels = parse(&text, "x").unwrap();
        let mut written = Vec::new();
        write_csv(&labels, &mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), text);
    }

    #[test]
    fn rejects_what_is_wrong_and_names_the_line() {
        let head = "method,value,name\n";
        assert_eq!(complaint(&format!("{head}ja4,{JA4},a\nja4,abc,b\n")), "my.csv:3: \"abc\" is no ja4");
        assert!(complaint(&format!("{head}ja5,{JA4},a\n")).starts_with("my.csv:2: unknown variant `ja5`"));
        assert_eq!(complaint(&format!("{head}ja4,{JA4}\n")), "my.csv:2: 2 fields, where the header line has 3");
        assert!(complaint("method,value\nja4,x\n").contains("missing field `name`"));
        assert!(complaint("method,value,name,colour\nja4,x,a,red\n").contains("unknown field `colour`"));
        assert!(complaint(&format!("method,value,name,captures\nja4,{JA4},a,-1\n")).starts_with("my.csv:2: captures"));
        assert_eq!(complaint(&format!("{head}ja4,{JA4},\n")), "my.csv:2: a label without a name");
        assert!(complaint(&format!("{head}ja4,{JA4},a\u{1b}[2J\n")).contains("control characters"));
        assert!(complaint("[{}]").contains("missing field `method` at line 1"));
        let json = format!(r#"[{{"method": "ja3", "value": "{JA4}", "name": "a"}}]"#);
        assert!(complaint(&json).starts_with("my.csv, entry 1: "));
    }

    #[test]
    fn an_empty_file_has_no_labels() {
        assert_eq!(parse("", "x").unwrap(), []);
        assert_eq!(parse("[]", "x").unwrap(), []);
    }
}
