//! [`Cursor`]: the only way wire bytes are read.
//!
//! Every read is checked and names the structure being read, so that no parser indexes, and every error says what
//! was cut short or contradicts itself. Nothing here allocates.

/// Why bytes are not the structure they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The structure goes on past the bytes at hand. More bytes may make it whole.
    #[error("{structure}: {needed} more bytes needed")]
    Incomplete {
        /// The structure being read, in the RFC's words.
        structure: &'static str,
        /// At least this many more bytes.
        needed: usize,
    },
    /// The bytes contradict the structure. More bytes will not help.
    #[error("{structure}: {reason}")]
    Invalid {
        /// The structure being read, in the RFC's words.
        structure: &'static str,
        /// What does not fit.
        reason: &'static str,
    },
}

impl ParseError {
    /// The structure the error is about.
    #[must_use]
    pub const fn structure(&self) -> &'static str {
        match self {
            Self::Incomplete { structure, .. } | Self::Invalid { structure, .. } => structure,
        }
    }
}

/// Reads big-endian wire integers and length-prefixed vectors (RFC 8446 section 3) from borrowed bytes.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Bytes not yet read.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// Whether everything has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes `count` bytes.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when fewer remain.
    #[inline]
    pub fn take(&mut self, count: usize, structure: &'static str) -> Result<&'a [u8], ParseError> {
        match self.bytes.split_at_checked(count) {
            Some((taken, rest)) => {
                self.bytes = rest;
                Ok(taken)
            }
            None => Err(ParseError::Incomplete { structure, needed: count.saturating_sub(self.bytes.len()) }),
        }
    }

    /// Takes a fixed number of bytes as an array.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when fewer remain.
    #[inline]
    pub fn array<const N: usize>(&mut self, structure: &'static str) -> Result<&'a [u8; N], ParseError> {
        match self.bytes.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.bytes = rest;
                Ok(taken)
            }
            None => Err(ParseError::Incomplete { structure, needed: N.saturating_sub(self.bytes.len()) }),
        }
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] at the end.
    #[inline]
    pub fn u8(&mut self, structure: &'static str) -> Result<u8, ParseError> {
        self.array::<1>(structure).map(|[byte]| *byte)
    }

    /// Takes a 16-bit integer.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when fewer than 2 bytes remain.
    #[inline]
    pub fn u16(&mut self, structure: &'static str) -> Result<u16, ParseError> {
        self.array::<2>(structure).map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// Takes a 24-bit integer.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when fewer than 3 bytes remain.
    #[inline]
    pub fn u24(&mut self, structure: &'static str) -> Result<u32, ParseError> {
        self.array::<3>(structure).map(|[a, b, c]| u32::from_be_bytes([0, *a, *b, *c]))
    }

    /// Takes a 32-bit integer.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when fewer than 4 bytes remain.
    #[inline]
    pub fn u32(&mut self, structure: &'static str) -> Result<u32, ParseError> {
        self.array::<4>(structure).map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// Takes a 64-bit integer.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when fewer than 8 bytes remain.
    #[inline]
    pub fn u64(&mut self, structure: &'static str) -> Result<u64, ParseError> {
        self.array::<8>(structure).map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// Takes a vector behind an 8-bit length.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the length or the vector is cut.
    #[inline]
    pub fn vec8(&mut self, structure: &'static str) -> Result<&'a [u8], ParseError> {
        let length = self.u8(structure)?;
        self.take(usize::from(length), structure)
    }

    /// Takes a vector behind a 16-bit length.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the length or the vector is cut.
    #[inline]
    pub fn vec16(&mut self, structure: &'static str) -> Result<&'a [u8], ParseError> {
        let length = self.u16(structure)?;
        self.take(usize::from(length), structure)
    }

    /// Takes a vector behind a 24-bit length.
    ///
    /// # Errors
    /// [`ParseError::Incomplete`] when the length or the vector is cut.
    #[inline]
    pub fn vec24(&mut self, structure: &'static str) -> Result<&'a [u8], ParseError> {
        let length = self.u24(structure)?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX), structure)
    }

    /// Takes all that remains.
    #[inline]
    pub const fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes;
        self.bytes = &[];
        rest
    }

    /// Looks at what remains without taking it.
    #[must_use]
    pub const fn peek(&self) -> &'a [u8] {
        self.bytes
    }

    /// Says that the structure must end here.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] when bytes remain.
    #[inline]
    pub const fn finish(self, structure: &'static str) -> Result<(), ParseError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(ParseError::Invalid { structure, reason: "trailing bytes" }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_integers_and_vectors() {
        let mut cursor = Cursor::new(&[1, 0, 2, 0, 0, 3, 2, 9, 8, 0, 1, 7]);
        assert_eq!(cursor.u8("a"), Ok(1));
        assert_eq!(cursor.u16("b"), Ok(2));
        assert_eq!(cursor.u24("c"), Ok(3));
        assert_eq!(cursor.vec8("d"), Ok(&[9, 8][..]));
        assert_eq!(cursor.vec16("e"), Ok(&[7][..]));
        assert_eq!(cursor.finish("f"), Ok(()));
    }

    #[test]
    fn names_what_was_cut_and_what_trails() {
        let mut cursor = Cursor::new(&[0, 4, 1]);
        assert_eq!(cursor.vec16("random"), Err(ParseError::Incomplete { structure: "random", needed: 3 }));
        assert!(matches!(Cursor::new(&[0]).finish("hello"), Err(ParseError::Invalid { .. })));
    }
}
