//! Holds the order of the modules: bytes move from left to right, a module imports only from those to its left.
//!
//! The order is that of `ORDER` and of the tree in the crate documentation. `cli` is a module of the command, beside
//! the library, and may import all of it.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From left to right. A module of the crate root that is not here fails the test: give it its place.
const ORDER: [&str; 22] = [
    "error",
    "time",
    "cursor",
    "stats",
    "capture",
    "packet",
    "tls",
    "quic",
    "dtls",
    "starttls",
    "flow",
    "fingerprint",
    "labels",
    "findings",
    "policy",
    "posture",
    "config",
    "record",
    "engine",
    "pipeline",
    "output",
    "cli",
];

#[test]
fn modules_import_only_from_their_left() {
    let mut wrong = Vec::new();
    let mut imports = 0;
    for path in sources() {
        let (module, depth) = place(&path);
        if module == "lib" || module == "main" {
            continue;
        }
        let own = rank(&module).unwrap_or_else(|| panic!("{module} has no place in ORDER"));
        let code = code_of(&fs::read_to_string(&path).expect("a source file"));
        for imported in crate_paths(&code).into_iter().chain(paths_out_of(&code, depth)) {
            imports += 1;
            match rank(&imported) {
                Some(rank) if rank <= own => {}
                Some(_) => wrong.push(format!("{}: {module} imports {imported}, to its right", path.display())),
                None => wrong.push(format!("{}: `crate::{imported}` is no module in ORDER", path.display())),
            }
        }
    }
    assert!(imports > 50, "only {imports} imports were found: the test reads the wrong thing");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn crate_documentation_shows_the_tree_that_is_there() {
    let documentation: String = fs::read_to_string(root().join("lib.rs"))
        .expect("src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| format!("{line}\n"))
        .collect();
    let there: BTreeSet<String> = sources().iter().map(|path| place(path).0).collect();
    let shown: Vec<&str> = documentation
        .lines()
        .filter_map(|line| line.trim().split_once("  "))
        .map(|(name, _)| name.trim_end_matches(".rs").trim_end_matches('/'))
        .filter(|name| rank(name).is_some())
        .collect();
    let missing: Vec<_> = there.iter().filter(|name| rank(name).is_some() && !shown.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "the tree in src/lib.rs lacks {missing:?}");
    let gone: Vec<_> = shown.iter().filter(|name| !there.contains(**name)).collect();
    assert!(gone.is_empty(), "the tree in src/lib.rs shows {gone:?}, which do not exist");
    assert!(
        shown.windows(2).all(|pair| matches!(pair, [left, right] if rank(left) < rank(right))),
        "the tree in src/lib.rs is not in the order of the modules: {shown:?}"
    );
    assert!(documentation.contains("capture → Frame → packet::decode"), "src/lib.rs lacks the one line to remember");
}

#[test]
fn finds_imports_in_every_form() {
    let code = code_of(
        "use crate::tls::{self, x}; // use crate::comment;\n\
         /* crate::block */ use crate::{packet::{a, b}, flow, time::Timestamp};\n\
         let text = \"crate::text\"; let quote = '\"'; let life: &'static str = r#\"crate::raw\"#;\n\
         crate::engine::run(); use super::super::cursor::Cursor; pub(crate) fn f() {}",
    );
    assert_eq!(crate_paths(&code), ["tls", "packet", "flow", "time", "engine"]);
    assert_eq!(paths_out_of(&code, 2), ["cursor"]);
    assert!(paths_out_of(&code, 3).is_empty());
}

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == module)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<PathBuf> {
    let (mut found, mut stack) = (Vec::new(), vec![root()]);
    while let Some(directory) = stack.pop() {
        for entry in fs::read_dir(directory).expect("a directory of sources") {
            let path = entry.expect("a directory entry").path();
            if path.is_dir() {
                stack.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The module of the crate root a file belongs to, and how many `super` lead from it to the root.
fn place(path: &Path) -> (String, usize) {
    let relative = path.strip_prefix(root()).expect("a path under src").with_extension("");
    let mut names: Vec<_> = relative.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    (names.first().expect("a name").clone(), names.len())
}

/// The text without comments and without what literals hold.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r#\"") {
            rest.get(3..).and_then(|inner| inner.find("\"#")).map_or(rest.len(), |end| end + 5)
        } else if next == '"' {
            string_length(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("b'\"") {
            3
        } else {
            0
        };
        if skipped == 0 {
            code.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        } else {
            code.push(' ');
            rest = rest.get(skipped..).unwrap_or_default();
        }
    }
    code
}

/// Bytes of the string literal at the start of `text`, with its quotes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The modules that `crate::…` names.
fn crate_paths(code: &str) -> Vec<String> {
    code.match_indices("crate::")
        .filter_map(|(at, found)| code.get(at + found.len()..))
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(group) => group_names(group),
            None => vec![name_at(rest)],
        })
        .collect()
}

/// The modules that chains of at least `depth` `super` name: from an inline module a longer chain leads there too.
fn paths_out_of(code: &str, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("super::") {
        rest = rest.get(at..).unwrap_or_default();
        let mut length = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            (rest, length) = (after, length + 1);
        }
        let name = name_at(rest);
        if length >= depth && rank(&name).is_some() {
            found.push(name);
        }
    }
    found
}

fn name_at(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// The first names of what stands in a group, whose opening brace has been read.
fn group_names(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut expected) = (Vec::new(), 0, true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            _ if expected && !character.is_whitespace() => {
                names.push(name_at(group.get(at..).unwrap_or_default()));
                expected = false;
            }
            _ => {}
        }
    }
    names
}
