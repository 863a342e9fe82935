//! [`Series`]: files that follow one another, each complete when it bears its name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use handprint::time::Timestamp;

use super::sink::Sink;

/// `flows.ndjson` is written as `flows.ndjson.part`, and named `flows-20261122T100000Z.ndjson` by the time it was begun
/// when it is complete; with `.gz` behind it where it is compressed.
#[derive(Clone, Debug)]
pub(super) struct Series {
    directory: PathBuf,
    stem: String,
    /// With its dot.
    extension: String,
    keep: Option<usize>,
}

impl Series {
    pub(super) fn new(path: &Path, gzip: bool, keep: Option<usize>) -> Self {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = if gzip { name.strip_suffix(".gz").unwrap_or(&name).to_owned() } else { name };
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem.to_owned(), format!(".{extension}")),
            _ => (name, String::new()),
        };
        let extension = if gzip { format!("{extension}.gz") } else { extension };
        Self { directory: directory.to_owned(), stem, extension, keep }
    }

    /// What is being written.
    pub(super) fn part(&self) -> PathBuf {
        self.directory.join(format!("{}{}.part", self.stem, self.extension))
    }

    /// Names the part, which was begun at `began`; removes it where nothing is in it. Removes what is too old.
    pub(super) fn complete(&self, began: SystemTime, is_empty: bool) -> io::Result<()> {
        let part = self.part();
        if is_empty {
            return fs::remove_file(part);
        }
        self.name(&part, began)?;
        self.prune()
    }

    /// Names what an earlier process could not complete, by the time it was last written to.
    pub(super) fn recover(&self) -> io::Result<Option<PathBuf>> {
        let part = self.part();
        let metadata = match fs::metadata(&part) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            metadata => metadata?,
        };
        if !metadata.is_file() || metadata.len() == 0 {
            return Ok(None);
        }
        lock(&fs::File::open(&part)?)?;
        self.name(&part, metadata.modified()?).map(Some)
    }

    /// Keeps other processes from writing the same series, as long as `sink` is open.
    pub(super) fn hold(&self, sink: &Sink) -> io::Result<()> {
        sink.file().map_or(Ok(()), lock)
    }

    fn name(&self, part: &Path, began: SystemTime) -> io::Result<PathBuf> {
        let time = stamp(began);
        let mut name = self.directory.join(format!("{}-{time}{}", self.stem, self.extension));
        let mut number = 1;
        while name.symlink_metadata().is_ok() {
            number += 1;
            name = self.directory.join(format!("{}-{time}.{number}{}", self.stem, self.extension));
        }
        fs::rename(part, &name)?;
        Ok(name)
    }

    /// Removes the oldest of the series, until no more are left than are to be kept.
    fn prune(&self) -> io::Result<()> {
        let Some(keep) = self.keep else { return Ok(()) };
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            if let Some(order) = name.to_str().and_then(|name| self.order(name)) {
                files.push((order, name));
            }
        }
        files.sort_unstable();
        let surplus = files.len().saturating_sub(keep);
        for (_, name) in files.into_iter().take(surplus) {
            fs::remove_file(self.directory.join(name))?;
        }
        Ok(())
    }

    /// The time and number in the name of a file of the series; `None` for any other name.
    fn order(&self, name: &str) -> Option<(String, u32)> {
        let middle = name.strip_prefix(&self.stem)?.strip_prefix('-')?.strip_suffix(&self.extension)?;
        let (time, number) = middle.split_once('.').map_or((middle, "1"), |(time, number)| (time, number));
        let form = |(place, byte): (usize, u8)| match place {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        };
        let is_time = time.len() == 16 && time.bytes().enumerate().all(form);
        Some((is_time.then(|| time.to_owned())?, number.parse().ok()?))
    }
}

fn lock(file: &fs::File) -> io::Result<()> {
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(io::Error::other("another process is writing it")),
        // A file system without locks.
        _ => Ok(()),
    }
}

/// The next time that is a multiple of `every` since 1970.
pub(super) fn next_multiple(now: SystemTime, every: Duration) -> Option<SystemTime> {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_millis();
    let every = every.as_millis().max(1);
    let next = u64::try_from((since / every + 1) * every).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(next))
}

/// `20261122T100000Z`.
fn stamp(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (year, month, day, hour, minute, second) = Timestamp::from_seconds(since.as_secs()).civil();
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::super::sink::tests::Scratch;
    use super::*;

    #[test]
    fn names_files_by_the_time_they_were_begun() {
        let series = Series::new(Path::new("/var/log/flows.ndjson"), true, None);
        assert_eq!(series.part(), Path::new("/var/log/flows.ndjson.gz.part"));
        assert_eq!(Series::new(Path::new("flows.ndjson.gz"), true, None).part(), Path::new("./flows.ndjson.gz.part"));
        assert_eq!(Series::new(Path::new("flows"), false, None).part(), Path::new("./flows.part"));
        assert_eq!(stamp(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_255_200)), "20261121T100000Z");
    }

    #[test]
    fn prunes_files_of_the_series_only() {
        let series = Series::new(Path::new("flows.ndjson"), false, Some(1));
        for name in ["flows-20261122T100000Z.ndjson", "flows-20261122T100000Z.2.ndjson"] {
            assert!(series.order(name).is_some(), "{name}");
        }
        for name in [
            "flows.ndjson",
            "flows.ndjson.part",
            "flows-old.ndjson",
            "flows-20261122T100000Z.ndjson.gz",
            "flows-20261122T100000Z.x.ndjson",
            "other-20261122T100000Z.ndjson",
            "flows-2026-1122100000Z.ndjson",
        ] {
            assert_eq!(series.order(name), None, "{name}");
        }
        assert!(series.order("flows-20261122T100000Z.2.ndjson") < series.order("flows-20261122T100000Z.10.ndjson"));
    }

    #[test]
    fn completes_recovers_and_prunes_in_its_directory() {
        let scratch = Scratch::new("series");
        let series = Series::new(&scratch.0.join("flows.ndjson"), false, Some(2));
        let began = |second: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        assert!(series.recover().unwrap().is_none());
        for second in [1, 1, 5] {
            fs::write(series.part(), "{}\n").unwrap();
            series.complete(began(second), false).unwrap();
        }
        fs::write(series.part(), "").unwrap();
        assert!(series.recover().unwrap().is_none(), "nothing is in it");
        series.complete(began(7), true).unwrap();
        assert_eq!(scratch.names(), ["flows-19700101T000001Z.2.ndjson", "flows-19700101T000005Z.ndjson"]);
        fs::write(series.part(), "{}\n").unwrap();
        let left = series.recover().unwrap().unwrap();
        assert!(left.exists() && !series.part().exists());
        assert_eq!(scratch.names().len(), 3, "removed with the next that is complete");
    }

    #[test]
    fn leaves_to_another_process_what_it_writes() {
        let scratch = Scratch::new("lock");
        let series = Series::new(&scratch.0.join("flows"), false, None);
        let mut sink = Sink::open(&series.part(), false).unwrap();
        series.hold(&sink).unwrap();
        sink.write(b"{}\n").unwrap();
        assert!(series.recover().is_err());
        assert!(series.hold(&Sink::open(&series.part(), false).unwrap()).is_err());
        drop(sink);
        assert!(series.recover().unwrap().is_some());
    }

    #[test]
    fn ends_files_at_multiples_of_the_time() {
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(next_multiple(at(3601), Duration::from_secs(3600)), Some(at(7200)));
        assert_eq!(next_multiple(at(7200), Duration::from_secs(3600)), Some(at(10_800)));
    }
}
