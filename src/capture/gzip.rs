//! [`GzipDecoder`]: gzip members, one behind the other (RFC 1952 section 2.2).

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// The largest window, 2^15 bytes: any member can be read with it.
const WINDOW_BITS: u8 = 15;

/// Decompresses every member of `source`.
///
/// A member that is damaged or cut short still yields all that was decompressed, then the error.
pub(super) struct GzipDecoder<R> {
    source: R,
    member: Decompress,
    state: State,
}

enum State {
    BetweenMembers,
    InMember,
    Failed(Option<io::Error>),
}

impl<R: BufRead> GzipDecoder<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, member: Decompress::new_gzip(WINDOW_BITS), state: State::BetweenMembers }
    }

    pub(super) const fn get_ref(&self) -> &R {
        &self.source
    }

    /// Decompresses some of what the source holds, and says how many bytes that gave.
    fn inflate(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let input = self.source.fill_buf()?;
        let (before_in, before_out) = (self.member.total_in(), self.member.total_out());
        let status = self.member.decompress(input, target, FlushDecompress::None);
        let since = |now: u64, before: u64| usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX);
        let consumed = since(self.member.total_in(), before_in);
        self.source.consume(consumed);
        let written = since(self.member.total_out(), before_out);
        match status {
            Ok(Status::StreamEnd) => {
                self.member = Decompress::new_gzip(WINDOW_BITS);
                self.state = State::BetweenMembers;
            }
            // Nothing goes on any more: the source has ended.
            Ok(Status::Ok | Status::BufError) if consumed == 0 && written == 0 => {
                self.state = State::Failed(Some(io::ErrorKind::UnexpectedEof.into()));
            }
            Ok(Status::Ok | Status::BufError) => {}
            Err(_) => {
                let error = io::Error::new(io::ErrorKind::InvalidData, "damaged deflate data");
                self.state = State::Failed(Some(error));
            }
        }
        Ok(written)
    }
}

impl<R: BufRead> Read for GzipDecoder<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        loop {
            match &mut self.state {
                State::BetweenMembers => {
                    if self.source.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    self.state = State::InMember;
                }
                State::InMember => {
                    let written = self.inflate(target)?;
                    if written > 0 {
                        return Ok(written);
                    }
                }
                State::Failed(error) => return error.take().map_or(Ok(0), Err),
            }
        }
    }
}
