//! [`ZstdDecoder`]: a stream of zstd frames, one behind the other (RFC 8878 section 3).

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::MAX_ZSTD_WINDOW;

/// An empty last block and the checksum that may follow it.
const EMPTY_LAST_BLOCK: [u8; 7] = [0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00];

/// Decompresses every frame of `source`, passing over skippable ones.
///
/// A frame cut short still yields all that was decompressed, then the error.
pub(super) struct ZstdDecoder<R> {
    source: R,
    decoder: FrameDecoder,
    state: State,
}

enum State {
    BetweenFrames,
    InFrame,
    /// What the window still holds comes out first.
    Failed(Option<io::Error>),
}

impl<R: BufRead> ZstdDecoder<R> {
    pub(super) fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_ZSTD_WINDOW);
        Self { source, decoder, state: State::BetweenFrames }
    }

    pub(super) const fn get_ref(&self) -> &R {
        &self.source
    }

    /// Starts the next frame; false at the end of the source.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let mut skipped = (&mut self.source).take(u64::from(length));
                    if io::copy(&mut skipped, &mut io::sink())? < u64::from(length) {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
        }
        Ok(false)
    }

    /// Decodes one block of at most 128 KiB, or ends the frame.
    fn decode_block(&mut self) -> io::Result<()> {
        if self.decoder.is_finished() {
            self.state = State::BetweenFrames;
            let written = self.decoder.get_checksum_from_data();
            return if written.is_some() && written != self.decoder.get_calculated_checksum() {
                Err(io::Error::new(io::ErrorKind::InvalidData, "zstd checksum does not match"))
            } else {
                Ok(())
            };
        }
        let Err(error) = self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1)) else {
            return Ok(());
        };
        // The decoder holds back a window of up to 128 MiB until the frame's last block; give it one, so that
        // what came before the damage is not lost.
        let _ = self.decoder.decode_blocks(EMPTY_LAST_BLOCK.as_slice(), BlockDecodingStrategy::UptoBlocks(1));
        self.state = State::Failed(Some(io::Error::new(io::ErrorKind::InvalidData, error)));
        Ok(())
    }
}

impl<R: BufRead> Read for ZstdDecoder<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(target);
            }
            match &mut self.state {
                State::BetweenFrames => {
                    if !self.begin_frame()? {
                        return Ok(0);
                    }
                    self.state = State::InFrame;
                }
                State::InFrame => self.decode_block()?,
                State::Failed(error) => return error.take().map_or(Ok(0), Err),
            }
        }
    }
}
