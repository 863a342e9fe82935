//! What the protocols of lines have in common.

use super::{Frame, LIMIT};

/// The next line of `held`, with its end; TLS where a record begins; none of these protocols where a byte stands that
/// no line holds.
pub(super) fn line(held: &[u8]) -> Frame {
    if held.first() == Some(&0x16) {
        return Frame::Tls;
    }
    let within = held.get(..LIMIT).unwrap_or(held);
    let (end, frame) = match memchr::memchr(b'\n', within) {
        Some(end) => (end, Frame::Whole(end + 1)),
        None if held.len() >= LIMIT => (LIMIT, Frame::Long),
        None => (within.len(), Frame::More),
    };
    let sound = within.get(..end).unwrap_or_default().iter().all(|byte| !matches!(byte, 0..=8 | 14..=26 | 28..=31));
    if sound { frame } else { Frame::NotThis }
}

/// A line without its end.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

/// The first word of a line, and the rest.
pub(super) fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let line = line.trim_ascii();
    match memchr::memchr2(b' ', b'\t', line) {
        Some(at) => {
            let (word, rest) = line.split_at_checked(at).unwrap_or((line, &[]));
            (word, rest.trim_ascii_start())
        }
        None => (line, &[]),
    }
}

/// The words of a line.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty())
}

/// Whether `word` is `name`, in any case.
pub(super) fn is(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

/// Whether `word` is one of `names`, in any case.
pub(super) fn is_one_of(word: &[u8], names: &[&str]) -> bool {
    names.iter().any(|name| is(word, name))
}

/// Whether `text` begins with `start`, in any case.
pub(super) fn begins(text: &[u8], start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

/// Whether `part` occurs in `text`, in any case.
pub(super) fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len().max(1)).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

/// Whether `text`, as far as it goes, may become `start`.
pub(super) fn may_become(text: &[u8], start: &str) -> bool {
    let length = text.len().min(start.len());
    text.get(..length).zip(start.as_bytes().get(..length)).is_some_and(|(text, start)| text.eq_ignore_ascii_case(start))
}

/// A three-digit reply: its code, whether it is the last line of the reply, and its text.
pub(super) fn reply(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_first_chunk::<3>()?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest.split_first() {
        Some((b'-', text)) => Some((code, false, text.trim_ascii())),
        Some((b' ', text)) => Some((code, true, text.trim_ascii())),
        Some((b'\r' | b'\n', _)) | None => Some((code, true, &[])),
        Some(_) => None,
    }
}

/// Decodes base64 (RFC 4648 section 4) up to the first byte that is none, at most `LIMIT` bytes.
pub(super) fn base64(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let (mut word, mut bits) = (0_u32, 0);
    for byte in text.iter().take(LIMIT) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        word = (word << 6 | u32::from(value)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            decoded.push((word >> bits & 0xff) as u8);
        }
    }
    decoded
}

/// The user named in a SASL PLAIN response (RFC 4616): the authentication identity.
pub(super) fn plain_user(response: &[u8]) -> Option<Vec<u8>> {
    let decoded = base64(response);
    let user = decoded.split(|byte| *byte == 0).nth(1)?;
    (!user.is_empty()).then(|| user.to_vec())
}

/// Whether a SASL mechanism sends its secret, or a token as good as it, readable.
pub(super) fn exposes(mechanism: &[u8]) -> bool {
    is_one_of(mechanism, &["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "XOAUTH"])
}

/// A length of bytes that follow at the end of a line: `{123}`, `{123+}`.
pub(super) fn literal(line: &[u8]) -> Option<u64> {
    let digits = trim(line).strip_suffix(b"}")?;
    let at = memchr::memrchr(b'{', digits)?;
    let digits = digits.get(at + 1..)?;
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A quoted string or an atom at the start of `arguments`, without its quotes.
pub(super) fn astring(arguments: &[u8]) -> &[u8] {
    match arguments.split_first() {
        Some((b'"', rest)) => rest.split(|byte| *byte == b'"').next().unwrap_or_default(),
        _ => split_word(arguments).0,
    }
}

/// A decimal number, and nothing else.
pub(super) fn literal_number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn reads_replies_and_rejects_what_only_looks_like_one() {
        assert_eq!(reply(b"250-STARTTLS\r\n"), Some((250, false, &b"STARTTLS"[..])));
        assert_eq!(reply(b"220 ready"), Some((220, true, &b"ready"[..])));
        assert_eq!(reply(b"334"), Some((334, true, &b""[..])));
        assert_eq!(reply(b"2200 x"), None);
        assert_eq!(reply(b"22a x"), None);
    }

    #[test]
    fn finds_the_user_and_nothing_of_the_password() {
        // "\0somebody\0secret"
        assert_eq!(plain_user(b"AHNvbWVib2R5AHNlY3JldA=="), Some(b"somebody".to_vec()));
        assert_eq!(plain_user(b"!"), None);
        assert_eq!(base64(b"c29tZWJvZHk="), b"somebody");
    }

    #[test]
    fn counts_literals_only_at_the_end_of_a_line() {
        assert_eq!(literal(b"a LOGIN {8}\r\n"), Some(8));
        assert_eq!(literal(b"a LOGIN {8+}\r\n"), Some(8));
        assert_eq!(literal(b"a LOGIN {8} x\r\n"), None);
        assert_eq!(literal(b"a {99999999999999999999}\r\n"), None);
    }

    #[test]
    fn takes_a_record_for_tls_and_control_bytes_for_no_line() {
        assert!(matches!(line(&[0x16]), Frame::Tls));
        assert!(matches!(line(b"abc"), Frame::More));
        assert!(matches!(line(b"abc\r\nd"), Frame::Whole(5)));
        assert!(matches!(line(b"a\0c\r\n"), Frame::NotThis));
        assert!(matches!(line(&[b'a'; LIMIT]), Frame::Long));
    }
}
