//! Transport parameters, from the client's hello (RFC 9000 section 18). The server's are encrypted.

use super::Version;
use super::varint::{read_length, read_varint};
use crate::cursor::{Cursor, ParseError};

/// Numbers of transport parameters (IANA "QUIC Transport Parameters").
pub mod parameter {
    /// original_destination_connection_id.
    pub const ORIGINAL_DESTINATION_CONNECTION_ID: u64 = 0x00;
    /// version_information (RFC 9368).
    pub const VERSION_INFORMATION: u64 = 0x11;
    /// version_information before it was published.
    pub const VERSION_INFORMATION_DRAFT: u64 = 0x00ff_73db;
    /// Google's user_agent.
    pub const GOOGLE_USER_AGENT: u64 = 0x3129;
    /// Google's version of QUIC.
    pub const GOOGLE_VERSION: u64 = 0x4752;
    /// Google's connection_options.
    pub const GOOGLE_CONNECTION_OPTIONS: u64 = 0x3128;
}

/// One transport parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportParameter<'a> {
    /// Its number.
    pub id: u64,
    /// Its value, as sent.
    pub value: &'a [u8],
}

impl TransportParameter<'_> {
    /// The registered name of a parameter.
    #[must_use]
    pub const fn name_of(id: u64) -> Option<&'static str> {
        Some(match id {
            0x00 => "original_destination_connection_id",
            0x01 => "max_idle_timeout",
            0x02 => "stateless_reset_token",
            0x03 => "max_udp_payload_size",
            0x04 => "initial_max_data",
            0x05 => "initial_max_stream_data_bidi_local",
            0x06 => "initial_max_stream_data_bidi_remote",
            0x07 => "initial_max_stream_data_uni",
            0x08 => "initial_max_streams_bidi",
            0x09 => "initial_max_streams_uni",
            0x0a => "ack_delay_exponent",
            0x0b => "max_ack_delay",
            0x0c => "disable_active_migration",
            0x0d => "preferred_address",
            0x0e => "active_connection_id_limit",
            0x0f => "initial_source_connection_id",
            0x10 => "retry_source_connection_id",
            0x11 => "version_information",
            0x20 => "max_datagram_frame_size",
            0x173e => "discard",
            0x26ab => "google_handshake_message",
            0x2ab2 => "grease_quic_bit",
            0x3127 => "google_initial_rtt",
            0x3128 => "google_connection_options",
            0x3129 => "google_user_agent",
            0x4752 => "google_version",
            0x7157 => "enable_timestamp",
            0x7158 => "enable_timestamp_2",
            0x00ff_73db => "version_information_draft",
            0xff04_de1a | 0xff04_de1b => "min_ack_delay_draft",
            0xff0a_de00 => "enable_time_stamp_draft",
            0x0f73_9bbc_1b66_6d04..=0x0f73_9bbc_1b66_6d07 => "enable_multipath_draft",
            _ => return None,
        })
    }

    /// Whether the number is reserved to be ignored: `31 × N + 27` (RFC 9000 section 18.1).
    #[must_use]
    pub const fn is_grease(id: u64) -> bool {
        id % 31 == 27 && Self::name_of(id).is_none()
    }

    /// The value as a number, where it is one by its definition and holds exactly one.
    #[must_use]
    pub fn integer(&self) -> Option<u64> {
        if !matches!(self.id, 0x01 | 0x03..=0x0b | 0x0e | 0x20 | 0x3127 | 0xff04_de1a | 0xff04_de1b) {
            return None;
        }
        let mut cursor = Cursor::new(self.value);
        let value = read_varint(&mut cursor, "transport parameter").ok()?;
        cursor.is_empty().then_some(value)
    }
}

/// version_information (RFC 9368 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionInformation<'a> {
    /// The version of the packet it came in.
    pub chosen: Version,
    available: &'a [u8],
}

impl<'a> VersionInformation<'a> {
    /// Reads the value of the parameter.
    ///
    /// # Errors
    /// [`ParseError`] when it is not a list of versions.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        let chosen = Version(cursor.u32("version_information")?);
        let available = cursor.rest();
        if !available.len().is_multiple_of(4) {
            return Err(ParseError::Invalid { structure: "version_information", reason: "not a list of versions" });
        }
        Ok(Self { chosen, available })
    }

    /// The versions the client speaks and would change to, the most preferred first.
    pub fn available(&self) -> impl ExactSizeIterator<Item = Version> + Clone + use<'a> {
        self.available.as_chunks::<4>().0.iter().map(|bytes| Version(u32::from_be_bytes(*bytes)))
    }
}

/// Walks the transport parameters. After the first that does not hold it ends.
#[derive(Clone, Debug)]
pub struct TransportParameters<'a> {
    cursor: Cursor<'a>,
    numbered_16: bool,
}

impl<'a> TransportParameters<'a> {
    /// Starts at the first parameter of the extension of a connection of this version.
    ///
    /// Before draft 27 the list had a length in front, and numbers and lengths were 16 bits wide.
    #[must_use]
    pub fn new(version: Version, extension: &'a [u8]) -> Self {
        let old = version.draft().is_some_and(|draft| draft < 27) || version == Version(0xface_b001);
        let mut cursor = Cursor::new(extension);
        if old && cursor.u16("transport parameters").is_err() {
            cursor.rest();
        }
        Self { cursor, numbered_16: old }
    }

    fn read(&mut self) -> Result<TransportParameter<'a>, ParseError> {
        const STRUCTURE: &str = "transport parameter";
        let cursor = &mut self.cursor;
        if self.numbered_16 {
            let id = cursor.u16(STRUCTURE)?.into();
            return Ok(TransportParameter { id, value: cursor.vec16(STRUCTURE)? });
        }
        let id = read_varint(cursor, STRUCTURE)?;
        let length = read_length(cursor, STRUCTURE)?;
        Ok(TransportParameter { id, value: cursor.take(length, STRUCTURE)? })
    }
}

impl<'a> Iterator for TransportParameters<'a> {
    type Item = Result<TransportParameter<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.cursor.is_empty() {
            return None;
        }
        let parameter = self.read();
        if parameter.is_err() {
            self.cursor.rest();
        }
        Some(parameter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        let new = [1, 4, 0x80, 0, 0x75, 0x30, 0x0c, 0, 0x40, 27 + 62, 1, 9];
        let read: Vec<_> = TransportParameters::new(Version::V1, &new).flatten().collect();
        assert_eq!(read.iter().map(|parameter| parameter.id).collect::<Vec<_>>(), [1, 12, 89]);
        assert_eq!(read.first().and_then(TransportParameter::integer), Some(30_000));
        assert!(TransportParameter::is_grease(89) && !TransportParameter::is_grease(12));
        let old = [0, 8, 0, 1, 0, 4, 0x80, 0, 0x75, 0x30];
        let read: Vec<_> = TransportParameters::new(Version(0xff00_0018), &old).collect();
        assert_eq!(read, [Ok(TransportParameter { id: 1, value: &[0x80, 0, 0x75, 0x30] })]);
    }

    #[test]
    fn rejects_what_is_cut_and_stops() {
        let parameters = [1, 2, 0x44, 0x00, 3, 5, 0];
        let read: Vec<_> = TransportParameters::new(Version::V1, &parameters).collect();
        assert!(matches!(read.as_slice(), [Ok(_), Err(ParseError::Incomplete { .. })]));
    }

    #[test]
    fn reads_version_information() {
        let value = [0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf, 0, 0, 0, 1];
        let information = VersionInformation::parse(&value).ok();
        assert_eq!(information.map(|it| it.chosen), Some(Version::V1));
        assert!(information.is_some_and(|it| it.available().eq([Version::V2, Version::V1])));
        assert!(VersionInformation::parse(&[0, 0, 0, 1, 2]).is_err());
    }
}
