//! Text for a terminal: what came off the wire or from a file name made harmless, and fitted to a width.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The columns `text` takes on a terminal.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` with everything that could move the cursor, colour the screen, reorder or hide text written as
/// `\u{202e}`.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len().saturating_add(16));
    for character in text.chars() {
        if is_unsafe(character) {
            // Writing to a String cannot fail.
            let _ = write!(plain, "\\u{{{:x}}}", u32::from(character));
        } else {
            plain.push(character);
        }
    }
    Cow::Owned(plain)
}

/// Control characters, and the invisible ones that change how others are shown: bidirectional controls (Unicode
/// Standard Annex 9), joiners, separators of lines, marks, tags.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// `text` in at most `columns` columns: an ellipsis takes the place of its middle where it is longer.
#[must_use]
pub fn elide(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let kept = columns.saturating_sub(1);
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    let mut elided = String::with_capacity(columns.saturating_add(4));
    elided.push_str(fitting(text.chars(), head, text));
    elided.push_str(if columns > 0 { "…" } else { "" });
    let mut taken = 0;
    let start = text
        .char_indices()
        .rev()
        .take_while(|(_, character)| {
            taken += character.width().unwrap_or(0);
            taken <= tail
        })
        .last()
        .map_or(text.len(), |(start, _)| start);
    elided.push_str(text.get(start..).unwrap_or_default());
    Cow::Owned(elided)
}

/// The start of `text` that takes at most `columns` columns.
fn fitting<'a>(characters: std::str::Chars<'_>, columns: usize, text: &'a str) -> &'a str {
    let (mut taken, mut end) = (0, 0_usize);
    for character in characters {
        taken += character.width().unwrap_or(0);
        if taken > columns {
            break;
        }
        end = end.saturating_add(character.len_utf8());
    }
    text.get(..end).unwrap_or_default()
}

/// `text` in lines of at most `columns` columns, broken between words; a longer word has a line of its own.
#[must_use]
pub fn fold(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A number with its thousands set apart: `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of bytes in decimal units, three digits: `1.23 GB`.
#[must_use]
pub fn bytes(number: u64) -> String {
    if number < 1000 {
        return format!("{number} B");
    }
    let (mut value, mut unit) = (number as f64, 0);
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.decimals$} {}", units.get(unit).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_what_could_move_the_cursor_visible() {
        assert_eq!(plain("example.org"), "example.org");
        assert_eq!(plain("bücher.example"), "bücher.example");
        assert_eq!(plain("a\u{1b}[31mred\n\u{9b}"), "a\\u{1b}[31mred\\u{a}\\u{9b}");
        assert_eq!(plain("a\u{202e}gro\u{200b}"), "a\\u{202e}gro\\u{200b}");
    }

    #[test]
    fn elides_the_middle_to_the_column() {
        assert_eq!(elide("content-autofill.googleapis.com", 31), "content-autofill.googleapis.com");
        assert_eq!(elide("content-autofill.googleapis.com", 20), "content-au…eapis.com");
        assert_eq!(width(&elide("日本語日本語日本語日本語", 12)), 11);
        assert_eq!(elide("abc", 1), "…");
        assert_eq!(elide("abc", 0), "");
    }

    #[test]
    fn folds_between_words() {
        assert_eq!(fold("one two three", 7), ["one two", "three"]);
        assert_eq!(fold("supercalifragilistic a b", 5), ["supercalifragilistic", "a b"]);
        assert!(fold(" ", 5).is_empty());
    }

    #[test]
    fn writes_numbers_for_people() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 999, 1000, 12_345, 999_999, 1_234_567_890].map(bytes),
            ["0 B", "999 B", "1.00 kB", "12.3 kB", "1.00 MB", "1.23 GB"]
        );
    }
}
