//! What the first bytes of a stream look like, before any state is spent on it.
//!
//! Any bytes of any protocol come by here, so the test is strict: the lengths of record, message and hello must agree.
//! Invariant: more bytes never change a verdict other than [`Sniff::Perhaps`], and [`Sniff::Midstream`], which is asked
//! for segments alone. So a stream is told the same however it is cut.

use super::handshake::message_type;
use super::record::RecordHeader;

/// What bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sniff {
    /// A ClientHello, or an SSLv2-format one.
    Client,
    /// A ServerHello.
    Server,
    /// A beginning too short to tell, but so far one of these.
    Perhaps,
    /// Application data in TLS records.
    Midstream,
    /// None of these.
    Nothing,
}

/// Longest record of a hello, in bytes.
const RECORD: u16 = 16_640;
/// Bytes of a handshake message that tell a hello: its type, its length, its version.
const HEAD: usize = 6;
/// A ClientHello of a version nobody has heard of is believed from this many bytes of the stream on.
const UNHEARD_OF: usize = 44;
/// Bytes of an SSLv2-format ClientHello in front of its lists: the record's header, and what counts the lists.
const SSLV2_HEAD: usize = 11;

/// Looks at the first bytes of a segment, wherever in a stream it lies.
#[inline]
pub(crate) fn sniff(payload: &[u8]) -> Sniff {
    match payload {
        [22, 3, 0..=4, ..] => sniff_records(payload),
        [23, 3, 1..=3, high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let plausible = (17..=16_640).contains(&length);
            let next = payload.get(RecordHeader::SIZE.saturating_add(length)..);
            match next {
                // Records must tile the segment.
                Some([] | [20..=23, 3, 1..=3, ..]) | None if plausible => Sniff::Midstream,
                _ => Sniff::Nothing,
            }
        }
        [22] | [22, 3] => Sniff::Perhaps,
        [0x80..=0xff, _, 1, 0, 2, ..] | [0x80..=0xff, _, 1, 3, 0..=4, ..] => sniff_sslv2(payload),
        _ => Sniff::Nothing,
    }
}

/// Looks at the first bytes of a connection. There an SSLv2-format hello is waited for from its first byte on, which
/// anywhere else would be a guess.
#[inline]
pub(crate) fn sniff_start(stream: &[u8]) -> Sniff {
    match stream {
        [0x80..=0xff] | [0x80..=0xff, _] | [0x80..=0xff, _, 1] | [0x80..=0xff, _, 1, 0 | 3] => Sniff::Perhaps,
        [23, 3, ..] => Sniff::Nothing,
        _ => sniff(stream),
    }
}

/// A hello in records, which may be of a few bytes each.
fn sniff_records(stream: &[u8]) -> Sniff {
    let mut head = [0; HEAD];
    let mut room = head.iter_mut();
    let mut rest = stream;
    loop {
        match rest {
            [22, 3, 0..=4, high, low, body @ ..] => {
                let length = u16::from_be_bytes([*high, *low]);
                if !(1..=RECORD).contains(&length) {
                    return Sniff::Nothing;
                }
                let (body, behind) = body.split_at_checked(usize::from(length)).unwrap_or((body, &[]));
                room.by_ref().zip(body).for_each(|(slot, byte)| *slot = *byte);
                if room.len() == 0 || behind.is_empty() {
                    break;
                }
                rest = behind;
            }
            [22] | [22, 3] | [22, 3, 0..=4] | [22, 3, 0..=4, _] => break,
            _ => return Sniff::Nothing,
        }
    }
    let filled = HEAD.saturating_sub(room.len());
    let [kind, a, b, c, major, minor] = head;
    let verdict = match kind {
        _ if filled == 0 => return Sniff::Perhaps,
        message_type::CLIENT_HELLO => Sniff::Client,
        message_type::SERVER_HELLO => Sniff::Server,
        _ => return Sniff::Nothing,
    };
    if filled < 4 {
        return Sniff::Perhaps;
    }
    if !(38..=131_072).contains(&u32::from_be_bytes([0, a, b, c])) {
        return Sniff::Nothing;
    }
    match [major, minor] {
        _ if filled < HEAD => Sniff::Perhaps,
        [3, 0..=4] | [0x7f, _] | [0, 2] => verdict,
        _ if verdict == Sniff::Server => Sniff::Nothing,
        _ if stream.len() < UNHEARD_OF => Sniff::Perhaps,
        _ => verdict,
    }
}

/// An SSLv2-format ClientHello whose version has been looked at: told by the lengths of its lists.
fn sniff_sslv2(stream: &[u8]) -> Sniff {
    let Some([high, low, _, _, _, a, b, c, d, e, f]) = stream.first_chunk::<SSLV2_HEAD>() else {
        return Sniff::Perhaps;
    };
    let length = u32::from(u16::from_be_bytes([*high & 0x7f, *low]));
    let [specs, session_id, challenge] =
        [[a, b], [c, d], [e, f]].map(|[high, low]| u32::from(u16::from_be_bytes([*high, *low])));
    let sound = specs > 0 && specs.is_multiple_of(3) && session_id <= 32 && (16..=32).contains(&challenge);
    if sound && length == 9 + specs + session_id + challenge { Sniff::Client } else { Sniff::Nothing }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "tests")]
mod tests {
    use super::*;
    use crate::tls::sslv2::Sslv2ClientHello;
    use crate::tls::test_data;

    /// The message in records of at most `size` bytes.
    fn records(message: &[u8], size: usize) -> Vec<u8> {
        message.chunks(size).flat_map(|part| [&[22, 3, 1, 0, part.len() as u8], part].concat()).collect()
    }

    /// A hello's version replaced.
    fn with_version(mut message: Vec<u8>, version: [u8; 2]) -> Vec<u8> {
        message[4..6].copy_from_slice(&version);
        message
    }

    fn sslv2_hello() -> Vec<u8> {
        let mut hello = vec![0x80, 9 + 3 + 16, 1, 0, 2, 0, 3, 0, 0, 0, 16, 1, 0, 0x80];
        hello.extend([7; 16]);
        assert!(Sslv2ClientHello::parse(&hello).is_ok());
        hello
    }

    #[test]
    fn a_verdict_once_given_stands_whatever_follows() {
        let client = test_data::client_hello("openssl_tls12");
        let mut streams: Vec<Vec<u8>> = [1, 2, 3, 5, 6, 7, 100, 255].map(|size| records(&client, size)).into();
        streams.push(records(&with_version(client.clone(), [9, 9]), 200));
        streams.push(records(&with_version(client, [9, 9]), 3));
        streams.push(sslv2_hello());
        for place in 0..12 {
            for stream in streams.clone() {
                for byte in [0, 1, 2, 3, 22, 0x7f, 0x80, 0xff] {
                    let mut stream = stream.clone();
                    stream[place] = byte;
                    let mut before = Sniff::Perhaps;
                    for end in 1..stream.len().min(80) {
                        let now = sniff_start(&stream[..end]);
                        assert!(
                            before == Sniff::Perhaps || before == now,
                            "{before:?}, {now:?}: {:x?}",
                            &stream[..end]
                        );
                        before = now;
                    }
                    assert_ne!(before, Sniff::Perhaps, "{stream:x?}");
                }
            }
        }
    }

    #[test]
    fn accepts_hellos_in_records_of_any_size_and_of_any_version() {
        let client = test_data::client_hello("openssl_tls12");
        for size in [1, 2, 3, 5, 6, 7, 100, 255] {
            assert_eq!(sniff(&records(&client, size)), Sniff::Client, "{size}");
        }
        let unheard_of = records(&with_version(client, [9, 9]), 255);
        assert_eq!(sniff(&unheard_of[..43]), Sniff::Perhaps);
        assert_eq!(sniff(&unheard_of[..44]), Sniff::Client);
        assert_eq!(sniff(&sslv2_hello()[..11]), Sniff::Client);
    }

    #[test]
    fn rejects_what_only_begins_like_a_hello() {
        assert_eq!(sniff(&[22, 3, 1, 0, 100, 11, 0, 0, 96, 3, 3]), Sniff::Nothing, "a certificate");
        assert_eq!(sniff(&[22, 3, 1, 0, 100, 1, 0xff, 0, 96, 3, 3]), Sniff::Nothing, "a length beyond reason");
        assert_eq!(sniff(&[22, 3, 1, 0, 100, 2, 0, 0, 96, 9, 9]), Sniff::Nothing, "a server of no version");
        assert_eq!(sniff(&[22, 3, 1, 0, 2, 1, 0, 21, 3, 1, 0, 2]), Sniff::Nothing, "an alert within the message");
        assert_eq!(sniff(&[22, 3, 1, 0, 0]), Sniff::Nothing, "an empty record");
        let mut hello = sslv2_hello();
        hello[10] = 17;
        assert_eq!(sniff(&hello), Sniff::Nothing, "lists longer than their record");
        assert_eq!(sniff(&[0xff]), Sniff::Nothing, "one byte within a stream");
    }
}
