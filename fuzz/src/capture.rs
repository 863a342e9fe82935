//! The bytes of a capture file: frames out of a source, through an engine.

use std::io::{Cursor, Read};

use handprint::capture::{MAX_FRAME_LENGTH, Source};

use crate::program::OwnedFrame;
use crate::records::{config, read};

/// Frames looked at of one file: a bomb of compressed zeros holds millions.
const MAX_FRAMES: usize = 2048;

/// Checks what a source promises.
pub fn check(data: &[u8]) {
    let Some((small, file)) = data.split_first() else { return };
    let whole = frames(Cursor::new(file.to_vec()));
    let pieces = frames(Trickle { bytes: Cursor::new(file.to_vec()), step: usize::from(small % 13) + 1 });
    assert_eq!(whole, pieces, "something else where the file comes in pieces");
    read(&whole.0, config(0));
}

/// The frames of a file, and what is wrong with it in words.
fn frames(reader: impl Read + Send + 'static) -> (Vec<OwnedFrame>, String) {
    let mut source = match Source::from_reader("fuzz", reader) {
        Ok(source) => source,
        Err(error) => {
            let words = error.to_string();
            assert!(!words.is_empty() && !words.chars().any(char::is_control), "{words:?}");
            return (Vec::new(), words);
        }
    };
    let mut frames = Vec::new();
    while frames.len() < MAX_FRAMES {
        let Some(frame) = source.next_frame().expect("memory can be read") else { break };
        assert!(frame.bytes.len() <= MAX_FRAME_LENGTH);
        assert!(u64::from(frame.original_length) >= frame.bytes.len() as u64, "more captured than there was");
        frames.push(OwnedFrame {
            microseconds: frame.timestamp.as_nanos() / 1000,
            link_type: frame.link_type,
            bytes: frame.bytes.to_vec(),
            original_length: frame.original_length,
        });
    }
    if frames.len() < MAX_FRAMES {
        assert!(source.next_frame().expect("memory can be read").is_none(), "a frame after the end");
        assert_eq!(source.frames(), frames.len() as u64);
    }
    let words = source.damage().map(ToString::to_string).unwrap_or_default();
    assert!(!words.chars().any(char::is_control), "{words:?}");
    (frames, words)
}

/// A reader that yields a few bytes at a time.
struct Trickle {
    bytes: Cursor<Vec<u8>>,
    step: usize,
}

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let step = self.step.min(buffer.len());
        self.bytes.read(&mut buffer[..step])
    }
}
