//! Just enough DER (ITU-T X.690) to walk a certificate: lengths checked, no recursion, nothing copied.

use super::bounded;
use crate::cursor::{Cursor, ParseError};
use crate::time::Timestamp;

/// Universal tags, with the constructed bit where it is always set, and the context tags certificates use.
pub(super) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const NUMERIC_STRING: u8 = 0x12;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const TELETEX_STRING: u8 = 0x14;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const VISIBLE_STRING: u8 = 0x1a;
    pub(crate) const UNIVERSAL_STRING: u8 = 0x1c;
    pub(crate) const BMP_STRING: u8 = 0x1e;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    /// `[n] EXPLICIT`.
    pub(crate) const fn explicit(number: u8) -> u8 {
        0xa0 | number
    }
    /// `[n] IMPLICIT` of a primitive type.
    pub(crate) const fn implicit(number: u8) -> u8 {
        0x80 | number
    }
}

/// One element: tag, content, and the whole encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) encoding: &'a [u8],
}

/// Reads elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { cursor: Cursor::new(bytes) }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.cursor.is_empty()
    }

    /// The tag of the next element.
    pub(super) fn next_tag(&self) -> Option<u8> {
        self.cursor.peek().first().copied()
    }

    /// Reads an element of any tag.
    pub(super) fn any(&mut self, structure: &'static str) -> Result<Element<'a>, ParseError> {
        let start = self.cursor.peek();
        let mut cursor = self.cursor;
        let tag = bounded(cursor.u8(structure))?;
        if tag & 0x1f == 0x1f {
            return Err(ParseError::Invalid { structure, reason: "a tag of several bytes" });
        }
        let length = match bounded(cursor.u8(structure))? {
            short @ 0..=0x7f => usize::from(short),
            0x81 => usize::from(bounded(cursor.u8(structure))?),
            0x82 => usize::from(bounded(cursor.u16(structure))?),
            0x83 => usize::try_from(bounded(cursor.u24(structure))?).unwrap_or(usize::MAX),
            _ => return Err(ParseError::Invalid { structure, reason: "an indefinite or impossible length" }),
        };
        let content = bounded(cursor.take(length, structure))?;
        let encoding = start.get(..start.len().saturating_sub(cursor.remaining())).unwrap_or_default();
        self.cursor = cursor;
        Ok(Element { tag, content, encoding })
    }

    /// Reads an element of one tag.
    pub(super) fn expect(&mut self, tag: u8, structure: &'static str) -> Result<Element<'a>, ParseError> {
        let mut ahead = *self;
        let element = ahead.any(structure)?;
        if element.tag != tag {
            return Err(ParseError::Invalid { structure, reason: "another type of element" });
        }
        *self = ahead;
        Ok(element)
    }

    /// Reads an element of one tag where the next is one.
    pub(super) fn optional(&mut self, tag: u8, structure: &'static str) -> Result<Option<Element<'a>>, ParseError> {
        if self.next_tag() == Some(tag) { self.expect(tag, structure).map(Some) } else { Ok(None) }
    }
}

/// The inside of a BIT STRING of whole bytes, as keys are.
pub(super) fn whole_bits<'a>(content: &'a [u8], structure: &'static str) -> Result<&'a [u8], ParseError> {
    match content {
        [0, bits @ ..] => Ok(bits),
        _ => Err(ParseError::Invalid { structure, reason: "a bit string that is no whole bytes" }),
    }
}

/// An unsigned integer; `u64::MAX` where it is larger.
pub(super) fn unsigned(content: &[u8]) -> u64 {
    let significant = content.iter().skip_while(|byte| **byte == 0);
    if significant.clone().count() > 8 {
        return u64::MAX;
    }
    significant.fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// An object identifier in dotted decimal. One that cannot be read is written in hexadecimal.
pub(super) fn dotted(identifier: &[u8]) -> String {
    let hexadecimal = || format!("#{}", hex(identifier));
    let mut numbers = Vec::with_capacity(identifier.len() + 1);
    let mut value = 0_u64;
    let mut is_open = false;
    for byte in identifier {
        if value > u64::MAX >> 7 {
            return hexadecimal();
        }
        value = value << 7 | u64::from(byte & 0x7f);
        is_open = byte & 0x80 != 0;
        if !is_open {
            if numbers.is_empty() {
                let first = (value / 40).min(2);
                numbers.push(first);
                numbers.push(value - first * 40);
            } else {
                numbers.push(value);
            }
            value = 0;
        }
    }
    if is_open || numbers.is_empty() {
        return hexadecimal();
    }
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).filter_map(|n| char::from_digit(u32::from(n), 16)).collect()
}

/// A UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5), seconds and offsets optional as old certificates have
/// them. What lies before 1970 is 1970.
pub(super) fn time(element: &Element<'_>, structure: &'static str) -> Result<Timestamp, ParseError> {
    let invalid = ParseError::Invalid { structure, reason: "not a time" };
    let mut text = element.content;
    let year = match element.tag {
        tag::UTC_TIME => match digits(&mut text, 2).ok_or(invalid)? {
            year @ 0..=49 => 2000 + year,
            year => 1900 + year,
        },
        tag::GENERALIZED_TIME => digits(&mut text, 4).ok_or(invalid)?,
        _ => return Err(ParseError::Invalid { structure, reason: "another type of element" }),
    };
    let month = digits(&mut text, 2).filter(|month| (1..=12).contains(month)).ok_or(invalid)?;
    let day = digits(&mut text, 2).filter(|day| (1..=days_in(year, month)).contains(day)).ok_or(invalid)?;
    let hour = digits(&mut text, 2).filter(|hour| *hour <= 23).ok_or(invalid)?;
    let minute = digits(&mut text, 2).filter(|minute| *minute <= 59).ok_or(invalid)?;
    let second = match text.first() {
        Some(b'0'..=b'9') => digits(&mut text, 2).filter(|second| *second <= 60).ok_or(invalid)?,
        _ => 0,
    };
    if let Some((b'.' | b',', rest)) = text.split_first() {
        let fraction = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        text = rest.get(fraction..).unwrap_or_default();
    }
    let offset = match text.split_first() {
        None | Some((b'Z', [])) => 0,
        Some((sign @ (b'+' | b'-'), mut rest)) => {
            let hours = digits(&mut rest, 2).ok_or(invalid)?;
            let minutes = digits(&mut rest, 2).filter(|_| rest.is_empty()).ok_or(invalid)?;
            let offset = (hours * 60 + minutes) * 60;
            if *sign == b'+' { offset } else { -offset }
        }
        Some(_) => return Err(invalid),
    };
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Ok(Timestamp::from_seconds(u64::try_from(seconds).unwrap_or(0)))
}

/// Takes a decimal number of so many digits.
fn digits(text: &mut &[u8], count: usize) -> Option<i64> {
    let (number, rest) = text.split_at_checked(count)?;
    let value =
        number.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))?;
    *text = rest;
    Some(value)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, negative before it. Years begin in March, so that the
/// leap day is the last of its year.
const fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_before_year = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days_before_month = (153 * month + 2) / 5;
    days_before_year + days_before_month + day - 1 - 719_468
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn reads_lengths_of_every_form() {
        let long = [&[0x04, 0x82, 0x01, 0x00][..], &[7; 256]].concat();
        let element = Reader::new(&long).any("x").expect("sound");
        assert_eq!((element.tag, element.content.len(), element.encoding.len()), (4, 256, 260));
        let mut reader = Reader::new(&[0x02, 1, 5, 0x05, 0]);
        assert_eq!(reader.optional(tag::BOOLEAN, "x"), Ok(None));
        assert_eq!(reader.expect(tag::INTEGER, "x").expect("sound").content, [5]);
        assert!(reader.expect(tag::INTEGER, "x").is_err());
        assert!(reader.any("x").expect("sound").content.is_empty());
        assert!(reader.is_empty());
    }

    #[test]
    fn rejects_what_is_cut_or_not_der() {
        for bytes in [&[][..], &[0x30], &[0x30, 1], &[0x30, 0x80, 0, 0], &[0x1f, 0x81, 1, 0], &[4, 0x84, 0, 0, 0, 0]] {
            assert!(matches!(Reader::new(bytes).any("x"), Err(ParseError::Invalid { .. })), "{bytes:?}");
        }
    }

    #[test]
    fn writes_object_identifiers() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]), "1.2.840.113549.1.1.11");
        assert_eq!(dotted(&[0x88, 0x37]), "2.999");
        assert_eq!(dotted(&[0x2a, 0x86]), "#2a86");
        assert_eq!(dotted(&[]), "#");
        assert_eq!(dotted(&[0xff; 12]), format!("#{}", "ff".repeat(12)));
    }

    #[test]
    fn reads_times() {
        let read = |tag, text: &str| {
            let element = Element { tag, content: text.as_bytes(), encoding: &[] };
            time(&element, "time").map(|time| time.to_string().chars().take(19).collect::<String>())
        };
        let utc = |text| read(tag::UTC_TIME, text).ok();
        let generalized = |text| read(tag::GENERALIZED_TIME, text).ok();
        assert_eq!(utc("240229235959Z").as_deref(), Some("2024-02-29T23:59:59"));
        assert_eq!(utc("491231000000Z").as_deref(), Some("2049-12-31T00:00:00"));
        assert_eq!(utc("9601010000Z").as_deref(), Some("1996-01-01T00:00:00"));
        assert_eq!(utc("700101000000+0100").as_deref(), Some("1970-01-01T00:00:00"));
        assert_eq!(utc("700101000000-0130").as_deref(), Some("1970-01-01T01:30:00"));
        assert_eq!(utc("500101000000Z").as_deref(), Some("1970-01-01T00:00:00"));
        assert_eq!(generalized("20501231235959Z").as_deref(), Some("2050-12-31T23:59:59"));
        assert_eq!(generalized("20200101000000.5Z").as_deref(), Some("2020-01-01T00:00:00"));
        assert_eq!(generalized("99991231235959Z").as_deref(), Some("2554-07-21T23:34:33"));
        for text in ["", "2402", "230229000000Z", "241301000000Z", "240101240000Z", "240101000000X", "24010100000aZ"] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    #[test]
    fn reads_integers_up_to_64_bits() {
        assert_eq!(unsigned(&[0, 1, 0, 1]), 65_537);
        assert_eq!(unsigned(&[]), 0);
        assert_eq!(unsigned(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), u64::MAX);
        assert_eq!(unsigned(&[1, 0, 0, 0, 0, 0, 0, 0, 0]), u64::MAX);
    }
}
