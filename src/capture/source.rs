//! [`Source`]: one capture, frame by frame, and what ended it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::buffer::Buffer;
use super::pcap::Pcap;
use super::pcapng::Pcapng;
use super::{Frame, LinkType, MAX_BLOCK_LENGTH, MAX_COMPRESSION_LAYERS, MAX_FRAME_LENGTH, MAX_INTERFACES, found};
use crate::error::Error;
use crate::time::Timestamp;

/// Bytes looked at to say what a file is that is no capture.
const LOOKED_AT: usize = 512;

/// A capture that lends its frames one after the other, in the order of the file.
///
/// A file that is cut or damaged is no error: it yields what it holds up to there, then ends, and
/// [`Source::damage`] says why.
pub struct Source {
    name: PathBuf,
    buffer: Buffer,
    format: Format,
    frames: u64,
    damage: Option<Damage>,
}

impl Source {
    /// Opens a capture file.
    ///
    /// # Errors
    /// [`Error::Read`] when it cannot be opened or read, [`Error::NotACapture`] when it is something else.
    pub fn open(path: &Path) -> Result<Self, Error> {
        match File::open(path) {
            Ok(file) => Self::from_reader(path, file),
            Err(source) => Err(Error::Read { path: path.to_owned(), source }),
        }
    }

    /// Reads a capture from standard input, named `-`.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn stdin() -> Result<Self, Error> {
        Self::from_reader("-", io::stdin())
    }

    /// Reads a capture from anything that yields bytes, in large reads and without another buffer between.
    /// Errors will carry `name`.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn from_reader(name: impl Into<PathBuf>, reader: impl Read + Send + 'static) -> Result<Self, Error> {
        let name = name.into();
        let mut buffer = Buffer::new(Box::new(reader));
        let mut layers = Vec::new();
        let refusal = loop {
            match Format::tell(&mut buffer) {
                Ok(Content::Capture(format)) => return Ok(Self { name, buffer, format, frames: 0, damage: None }),
                Ok(_) if layers.len() >= MAX_COMPRESSION_LAYERS => {
                    break Refusal::Found("more compressed data".to_owned());
                }
                Ok(Content::Gzip) => {
                    layers.push("gzip");
                    buffer = buffer.gunzip();
                }
                Ok(Content::Zstd) => {
                    layers.push("zstd");
                    buffer = buffer.unzstd();
                }
                Err(refusal) => break refusal,
            }
        };
        let found = match refusal {
            Refusal::Read(source) if buffer.file_failed() => return Err(Error::Read { path: name, source }),
            Refusal::Read(error) => format!("data that cannot be decompressed: {error}"),
            Refusal::Found(found) => found,
        };
        layers.push(&found);
        Err(Error::NotACapture { path: name, found: layers.join(" of ") })
    }

    /// The next frame, lent until the one after it is asked for; `None` at the end and ever after.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read on. Nothing follows it.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Error> {
        let record = match &mut self.format {
            Format::Pcap(pcap) => pcap.next_record(&mut self.buffer),
            Format::Pcapng(pcapng) => pcapng.next_record(&mut self.buffer),
            Format::Ended => Err(Stop::End),
        };
        match record {
            Ok(Record { timestamp, link_type, original_length, bytes }) => {
                self.frames = self.frames.wrapping_add(1);
                Ok(Some(Frame { timestamp, link_type, bytes: self.buffer.taken(bytes), original_length }))
            }
            Err(stop) => self.end(stop).map(|()| None),
        }
    }

    /// The path, or the name given to [`Source::from_reader`].
    #[must_use]
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Frames lent so far.
    #[must_use]
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Bytes read so far from the file itself: of a compressed capture, compressed bytes.
    ///
    /// Reading runs ahead of the frames by up to a buffer's length.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.buffer.bytes_read()
    }

    /// Why the frames ended before the file's own end; `None` before that and for a whole file.
    #[must_use]
    pub const fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    #[cold]
    fn end(&mut self, stop: Stop) -> Result<(), Error> {
        self.format = Format::Ended;
        let kind = match stop {
            Stop::End => return Ok(()),
            Stop::Damage(kind) => kind,
            Stop::Read(source) if self.buffer.file_failed() => {
                return Err(Error::Read { path: self.name.clone(), source });
            }
            Stop::Read(error) => DamageKind::Compression { reason: error.to_string() },
        };
        self.damage = Some(Damage { frames: self.frames, kind });
        Ok(())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("frames", &self.frames)
            .field("bytes_read", &self.bytes_read())
            .field("damage", &self.damage)
            .finish_non_exhaustive()
    }
}

/// Why a capture's frames ended before the file did, in words by its `Display`:
/// `ends in the middle of a packet (frame 12: 60 of 1514 bytes)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Whole frames before the damage.
    pub frames: u64,
    /// What is wrong behind them.
    pub kind: DamageKind,
}

/// What is wrong with a capture file. Lengths are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// The file ends inside a frame.
    CutFrame {
        /// Bytes of the frame that are there.
        held: usize,
        /// Bytes it was captured with.
        length: usize,
    },
    /// The file ends inside something else.
    Cut {
        /// The part that is cut.
        structure: &'static str,
    },
    /// A frame claims more than [`MAX_FRAME_LENGTH`], or more than its pcapng block holds.
    FrameLength {
        /// What it claims.
        length: u32,
    },
    /// A pcapng block claims less than its type needs or more than [`MAX_BLOCK_LENGTH`].
    BlockLength {
        /// What it claims.
        length: u32,
    },
    /// The length behind a pcapng block is not the one before it.
    BlockTrailer {
        /// The one before it.
        length: u32,
    },
    /// A pcapng section of an unknown byte order or major version.
    Section,
    /// A pcapng packet of an interface that no block has described.
    NoInterface {
        /// The interface.
        number: u32,
    },
    /// More than [`MAX_INTERFACES`] interfaces in a pcapng section.
    Interfaces,
    /// Zeros where packets should be.
    Zeros,
    /// Compressed data that ends early or does not decompress.
    Compression {
        /// The decompressor's words.
        reason: String,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames, kind } = self;
        let frame = frames.saturating_add(1);
        let place = Place(*frames);
        match kind {
            DamageKind::CutFrame { held, length } => {
                write!(f, "ends in the middle of a packet (frame {frame}: {held} of {length} bytes)")
            }
            DamageKind::Cut { structure } => write!(f, "ends in the middle of a {structure} ({place})"),
            DamageKind::FrameLength { length } => {
                write!(f, "damaged at frame {frame}: a packet of {length} bytes (limit {MAX_FRAME_LENGTH})")
            }
            DamageKind::BlockLength { length } => {
                write!(f, "damaged {place}: a block of {length} bytes (limit {MAX_BLOCK_LENGTH})")
            }
            DamageKind::BlockTrailer { length } => {
                write!(f, "damaged {place}: a block of {length} bytes ends with another length")
            }
            DamageKind::Section => {
                write!(f, "damaged {place}: a section of unknown byte order or version")
            }
            DamageKind::NoInterface { number } => {
                write!(f, "damaged at frame {frame}: interface {number} is not described")
            }
            DamageKind::Interfaces => write!(f, "damaged {place}: more than {MAX_INTERFACES} interfaces"),
            DamageKind::Zeros => write!(f, "damaged {place}: zeros where packets should be"),
            DamageKind::Compression { reason } => {
                write!(f, "cannot be decompressed any further ({place}): {reason}")
            }
        }
    }
}

/// Where damage between frames is, by the number of whole frames before it.
struct Place(u64);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("before the first frame"),
            frames => write!(f, "after frame {frames}"),
        }
    }
}

/// The capture formats, behind their file header.
enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
    Ended,
}

/// What a stream begins with.
enum Content {
    Capture(Format),
    Gzip,
    Zstd,
}

impl Format {
    /// Tells what the stream is by its first bytes, and passes a capture's file header.
    fn tell(buffer: &mut Buffer) -> Result<Content, Refusal> {
        buffer.ensure(4)?;
        match *buffer.available() {
            [0x1f, 0x8b, ..] => return Ok(Content::Gzip),
            // A zstd frame, or a skippable one in front of it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => return Ok(Content::Zstd),
            _ => {}
        }
        if let Some(pcap) = Pcap::begin(buffer)? {
            return Ok(Content::Capture(Self::Pcap(pcap)));
        }
        if let Some(pcapng) = Pcapng::begin(buffer)? {
            return Ok(Content::Capture(Self::Pcapng(pcapng)));
        }
        buffer.ensure(LOOKED_AT)?;
        // As much, however much more a reader has given at once.
        let start = buffer.available();
        Err(Refusal::Found(found::describe(start.get(..LOOKED_AT).unwrap_or(start))))
    }
}

/// A frame as its format gives it: where its bytes lie in the buffer, until that is filled again.
pub(super) struct Record {
    pub(super) timestamp: Timestamp,
    pub(super) link_type: LinkType,
    pub(super) original_length: u32,
    pub(super) bytes: Range<usize>,
}

/// Why there is no next record.
pub(super) enum Stop {
    End,
    Damage(DamageKind),
    Read(io::Error),
}

impl Stop {
    /// The stream has ended: in good order where nothing is left over, otherwise inside `structure`.
    #[cold]
    pub(super) fn short(buffer: &Buffer, structure: &'static str) -> Self {
        if buffer.available().is_empty() { Self::End } else { Self::Damage(DamageKind::Cut { structure }) }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// Why a stream is not read at all.
pub(super) enum Refusal {
    Found(String),
    Read(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}
