//! What a file is that is no capture handprint reads, in words for the error that names it.

use std::fmt::Write as _;

/// First bytes of what people have lying beside their captures.
const MAGICS: [(&[u8], &str); 27] = [
    (b"\x7fELF", "an ELF program"),
    (b"MZ", "a Windows program"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"BZh", "bzip2-compressed data: decompress it first"),
    (b"\xfd7zXZ\x00", "xz-compressed data: decompress it first"),
    (b"\x04\x22\x4d\x18", "lz4-compressed data: decompress it first"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"snoop\x00\x00\x00", "a snoop capture, a format not read"),
    (b"btsnoop\x00", "a btsnoop capture, a format not read"),
    (b"GMBU", "a Microsoft Network Monitor capture, a format not read"),
    (b"RTSS", "a Microsoft Network Monitor 1 capture, a format not read"),
    (b"iptrace ", "an iptrace capture, a format not read"),
    (b"XCP\x00", "a NetXRay or Windows Sniffer capture, a format not read"),
    (b"TRSNIFF data    ", "a Sniffer capture, a format not read"),
    (b"\x7fver", "an EtherPeek or OmniPeek capture, a format not read"),
    (b"ObserverPktBuffe", "an Observer capture, a format not read"),
    (b"\x05VNF", "a Visual Networks capture, a format not read"),
    (b"PAR1", "a Parquet file"),
    (b"-----BEGIN ", "PEM text"),
    (b"#!", "a script"),
    (b"\x13\x13\x13\x13", "a Daintree capture, a format not read"),
];

/// Describes a file by its first bytes; few suffice, some hundred are better.
pub(super) fn describe(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "an empty file".to_owned();
    }
    if let Some((_, words)) = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return (*words).to_owned();
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return "a tar archive: unpack it first".to_owned();
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return "zeros".to_owned();
    }
    if let Some(words) = describe_text(bytes) {
        return words;
    }
    if is_erf(bytes) {
        return "an Endace ERF capture, a format not read".to_owned();
    }
    let mut words = "starts with".to_owned();
    for byte in bytes.iter().take(8) {
        let _ = write!(words, " {byte:02x}");
    }
    words
}

/// Text, and its kind and beginning; `None` when control characters or broken UTF-8 say that it is none.
fn describe_text(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The last character may be cut.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    if text.chars().any(|character| character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\x0c')) {
        return None;
    }
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let starts = |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    Some(if starts("<!doctype html") || starts("<html") {
        "an HTML page".to_owned()
    } else if starts("<?xml") || starts("<!doctype") {
        "an XML document".to_owned()
    } else if starts("{") || starts("[{") {
        "JSON".to_owned()
    } else {
        let start: String = text.chars().take_while(|character| matches!(character, ' '..='~')).take(24).collect();
        if start.is_empty() { "plain text".to_owned() } else { format!("plain text: \"{start}\"") }
    })
}

/// ERF has no magic number; its first record has a time of this age, a known type and a length (Endace ERF types).
fn is_erf(bytes: &[u8]) -> bool {
    const YEAR_2000: u32 = 946_684_800;
    let Some([_, _, _, _, s0, s1, s2, s3, kind, _, l0, l1, _, _, w0, w1]) = bytes.first_chunk::<16>() else {
        return false;
    };
    let record = u16::from_be_bytes([*l0, *l1]);
    let wire = u16::from_be_bytes([*w0, *w1]);
    u32::from_le_bytes([*s0, *s1, *s2, *s3]) > YEAR_2000 && matches!(kind & 0x7f, 1..=48) && record >= 16 && wire > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_it_knows() {
        assert_eq!(describe(b""), "an empty file");
        assert_eq!(describe(b"\x7fELF\x02\x01"), "an ELF program");
        assert_eq!(describe(b"snoop\0\0\0\0\0\0\x02"), "a snoop capture, a format not read");
        assert_eq!(describe(b"\xef\xbb\xbf<?XML version"), "an XML document");
        assert_eq!(describe(b"\n<!DOCTYPE HTML>"), "an HTML page");
        assert_eq!(describe(b" {\"a\": 1}"), "JSON");
        assert_eq!(describe(&[0; 64]), "zeros");
    }

    #[test]
    fn quotes_only_printable_text() {
        assert_eq!(describe(b"id,packets\n0,1"), "plain text: \"id,packets\"");
        assert_eq!(describe("größe".as_bytes()), "plain text: \"gr\"");
        assert_eq!(describe("é\u{1F600}".as_bytes().get(..4).unwrap_or_default()), "plain text");
        assert_eq!(describe(b"a\x1b[31mred"), "starts with 61 1b 5b 33 31 6d 72 65");
    }

    #[test]
    fn shows_the_bytes_of_the_unknown() {
        assert_eq!(describe(&[0xde, 0xad, 0xbe]), "starts with de ad be");
    }

    #[test]
    fn recognises_erf_by_its_first_record() {
        let record = [0, 0, 0, 0, 0, 0, 0, 0x60, 0x02, 4, 0, 80, 0, 0, 0, 60, 0xff];
        assert!(describe(&record).contains("ERF"));
    }
}
