//! [`Sink`]: one file, or what passes for one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Takes bytes, compressed where that is wished. What it cannot write it keeps, and writes it the next time: a failed
/// write may be tried again with the same bytes.
pub(super) struct Sink {
    form: Form,
    kind: Kind,
}

enum Form {
    Stdout,
    Plain(Counted),
    Gzip(Box<GzEncoder<Counted>>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Made by this process.
    NewFile,
    File,
    /// A FIFO, a terminal, a device.
    Other,
}

/// A file, and its size.
struct Counted {
    file: File,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = (&self.file).write(bytes)?;
        self.bytes = self.bytes.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes past the buffer of the standard library, which would not say how far it got.
fn write_stdout(bytes: &[u8]) -> io::Result<usize> {
    #[cfg(unix)]
    let written = rustix::io::write(rustix::stdio::stdout(), bytes).map_err(io::Error::from);
    #[cfg(not(unix))]
    let written = io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()).map(|()| bytes.len());
    written
}

impl Sink {
    pub(super) fn stdout() -> Self {
        Self { form: Form::Stdout, kind: Kind::Other }
    }

    /// Opens `path` to append to it; makes it where it is not there. A FIFO is not waited for.
    pub(super) fn open(path: &Path, gzip: bool) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
            // The flags of the C interface, which are few and positive.
            options.mode(0o640).custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
        }
        let (file, is_new) = match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (options.open(path)?, false),
            made => (made?, true),
        };
        let metadata = file.metadata()?;
        let kind = match metadata.is_file() {
            true if is_new => Kind::NewFile,
            true => Kind::File,
            false => Kind::Other,
        };
        let file = Counted { file, bytes: metadata.len() };
        let form =
            if gzip { Form::Gzip(Box::new(GzEncoder::new(file, Compression::fast()))) } else { Form::Plain(file) };
        Ok(Self { form, kind })
    }

    pub(super) const fn is_file(&self) -> bool {
        !matches!(self.kind, Kind::Other)
    }

    /// Whether this process has made the file.
    #[cfg(target_os = "linux")]
    pub(super) const fn is_new(&self) -> bool {
        matches!(self.kind, Kind::NewFile)
    }

    fn counted(&self) -> Option<&Counted> {
        match &self.form {
            Form::Stdout => None,
            Form::Plain(file) => Some(file),
            Form::Gzip(encoder) => Some(encoder.get_ref()),
        }
    }

    pub(super) fn file(&self) -> Option<&File> {
        self.counted().map(|counted| &counted.file)
    }

    /// Bytes in the file; what is in the compressor not yet among them.
    pub(super) fn size(&self) -> u64 {
        self.counted().map_or(0, |counted| counted.bytes)
    }

    /// Writes some of `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.form {
            Form::Stdout => write_stdout(bytes),
            Form::Plain(file) => file.write(bytes),
            Form::Gzip(encoder) => encoder.write(bytes),
        }
    }

    /// Takes back the last `bytes` that were written, where that is possible.
    pub(super) fn take_back(&mut self, bytes: usize) {
        if let Form::Plain(counted) = &mut self.form
            && self.kind != Kind::Other
            && bytes > 0
            && let Ok(bytes) = u64::try_from(bytes)
            && let Ok(metadata) = counted.file.metadata()
            && counted.file.set_len(metadata.len().saturating_sub(bytes)).is_ok()
        {
            counted.bytes = counted.bytes.saturating_sub(bytes);
        }
    }

    /// Writes out what the compressor holds.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.form {
            Form::Gzip(encoder) => encoder.flush(),
            Form::Stdout | Form::Plain(_) => Ok(()),
        }
    }

    /// Writes the end; nothing but this may follow a failure of it.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match &mut self.form {
            Form::Gzip(encoder) => encoder.try_finish(),
            Form::Stdout | Form::Plain(_) => Ok(()),
        }
    }

    /// Sees all of it to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        match self.file() {
            Some(file) if self.is_file() => file.sync_all(),
            _ => Ok(()),
        }
    }

    /// Whether no directory knows the file any more.
    pub(super) fn is_deleted(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            self.is_file() && self.file().is_some_and(|file| file.metadata().is_ok_and(|file| file.nlink() == 0))
        }
        #[cfg(not(unix))]
        false
    }

    /// Waits until it takes more, or has been given the time to.
    pub(super) fn wait(&self, patience: Duration) {
        #[cfg(unix)]
        if self.kind == Kind::Other
            && let Some(file) = self.file()
        {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let patience = Timespec::try_from(patience).ok();
            // Whatever it says, it is tried again.
            let _ = poll(&mut [PollFd::new(file, PollFlags::OUT)], patience.as_ref());
            return;
        }
        thread::sleep(patience);
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::io::Read as _;
    use std::path::PathBuf;

    use super::*;

    /// A directory that goes with the test.
    pub(in crate::cli::live::output) struct Scratch(pub(in crate::cli::live::output) PathBuf);

    impl Scratch {
        pub(in crate::cli::live::output) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("handprint-sink-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        /// What is in it, sorted.
        pub(in crate::cli::live::output) fn names(&self) -> Vec<String> {
            let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = names.collect();
            names.sort_unstable();
            names
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn appends_takes_back_and_knows_its_size() {
        let scratch = Scratch::new("append");
        let path = scratch.0.join("flows");
        fs::write(&path, "old\n").unwrap();
        let mut sink = Sink::open(&path, false).unwrap();
        assert!(sink.is_file() && !sink.is_deleted());
        assert_eq!((sink.write(b"whole\ncu").unwrap(), sink.size()), (8, 12));
        sink.take_back(2);
        assert_eq!(sink.write(b"next\n").unwrap(), 5);
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), sink.size()), ("old\nwhole\nnext\n", 15));
        fs::remove_file(&path).unwrap();
        #[cfg(unix)]
        assert!(sink.is_deleted());
    }

    #[test]
    fn what_is_compressed_can_be_read_as_soon_as_it_is_flushed() {
        let scratch = Scratch::new("gzip");
        let path = scratch.0.join("flows.gz");
        let mut expected = String::new();
        // Opened again, as after a restart: a second member.
        for round in 0..2 {
            let mut sink = Sink::open(&path, true).unwrap();
            assert_eq!(sink.write(b"{\"a\":1}\n").unwrap(), 8);
            sink.flush().unwrap();
            expected.push_str("{\"a\":1}\n");
            let mut text = vec![0; expected.len()];
            flate2::read::MultiGzDecoder::new(File::open(&path).unwrap()).read_exact(&mut text).unwrap();
            assert_eq!(text, expected.as_bytes(), "round {round}");
            sink.finish().unwrap();
            sink.sync().unwrap();
        }
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(File::open(&path).unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(text, expected);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn says_that_a_device_is_full_and_is_no_file() {
        let mut sink = Sink::open(Path::new("/dev/full"), false).unwrap();
        assert!(!sink.is_file());
        assert_eq!(sink.write(b"x").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
