//! [`inputs`]: from the paths a user names to the files that are read.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Source;
use crate::error::Error;

/// One file to read, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its path as given or walked (`pcaps/tls/x.pcap`), or `-`: what records carry as `capture`.
    pub path: PathBuf,
    /// Bytes in the file, as they lie on disk; `None` for standard input and other streams.
    pub size: Option<u64>,
}

impl Input {
    /// Opens it.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn open(&self) -> Result<Source, Error> {
        if is_stdin(&self.path) { Source::stdin() } else { Source::open(&self.path) }
    }
}

/// Expands paths: files as they are, directories to the files beneath them, `-` to standard input.
///
/// In the order of `paths`; beneath a directory by name, byte by byte. There, names that begin with a dot, sockets,
/// pipes and devices are passed over, symbolic links are followed, and no directory is walked twice. What a file
/// holds is not looked at: [`Input::open`] tells.
///
/// Each path that cannot be read is an [`Error::Read`] in its place; the others are there all the same.
#[must_use]
pub fn inputs(paths: &[PathBuf]) -> Vec<Result<Input, Error>> {
    let mut found = Vec::new();
    for path in paths {
        if is_stdin(path) {
            found.push(Ok(Input { path: path.clone(), size: None }));
        } else {
            walk(path, &mut found);
        }
    }
    found
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Walks one path without recursion: what is still to be visited lies on a stack, the next on top.
fn walk(root: &Path, found: &mut Vec<Result<Input, Error>>) {
    let mut walked = HashSet::new();
    let mut stack = vec![root.to_owned()];
    while let Some(path) = stack.pop() {
        match visit(&path, path == root, &mut walked) {
            Ok(Visit::File(size)) => found.push(Ok(Input { path, size })),
            Ok(Visit::Directory(children)) => stack.extend(children.into_iter().rev()),
            Ok(Visit::Nothing) => {}
            Err(source) => found.push(Err(Error::Read { path, source })),
        }
    }
}

enum Visit {
    File(Option<u64>),
    Directory(Vec<PathBuf>),
    Nothing,
}

fn visit(path: &Path, named: bool, walked: &mut HashSet<PathBuf>) -> io::Result<Visit> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() {
        return Ok(Visit::File(Some(metadata.len())));
    }
    if !metadata.is_dir() {
        // A pipe that the user names is meant; one that lies in a directory would block.
        return Ok(if named { Visit::File(None) } else { Visit::Nothing });
    }
    if !walked.insert(fs::canonicalize(path)?) {
        return Ok(Visit::Nothing);
    }
    let mut children = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !is_hidden(&entry.file_name()) {
            children.push(entry.path());
        }
    }
    children.sort_unstable();
    Ok(Visit::Directory(children))
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}
