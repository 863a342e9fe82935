//! Holds our hellos against those of `tls-parser`, over real hellos and every one of their single-byte changes. What is
//! compared, and where the two disagree on purpose, stands in `oracle/mod.rs`.
#![expect(
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod oracle;

use std::collections::BTreeSet;
use std::path::Path;

use oracle::{KnownDifference, client_difference, server_difference};

#[test]
fn agrees_with_tls_parser_but_for_known_differences() {
    let mut met = BTreeSet::new();
    let mut compared = 0;
    for (name, message) in hellos() {
        assert_eq!(client_difference(&message), Ok(None), "{name}");
        // The header's length stays as it is: it is not what is compared.
        for position in 4..message.len() {
            for change in [0x01, 0x10, 0x80, 0xff] {
                let mut changed = message.clone();
                changed[position] ^= change;
                match client_difference(&changed) {
                    Ok(known) => met.extend(known),
                    Err(what) => panic!("{name}, byte {position} changed by {change:#04x}: {what}"),
                }
                compared += 1;
            }
        }
    }
    assert!(compared > 5_000, "{compared}");
    // What a change of one byte does not reach.
    for message in [crafted(&[5; 33], &[]), crafted(&[], &[0, 4, 0x0a, 0x1a, 0, 0])] {
        met.extend(client_difference(&message).expect("a known difference"));
    }
    let all = [
        KnownDifference::BrokenBlockIsNoBlock,
        KnownDifference::BytesAfterTheBlock,
        KnownDifference::StopsAtABrokenExtension,
        KnownDifference::GreaseByMask,
        KnownDifference::LongSessionId,
        KnownDifference::BytesAfterAList,
    ];
    assert_eq!(met, BTreeSet::from(all), "a difference that no longer occurs is to be taken off the list");
}

#[test]
fn agrees_with_tls_parser_on_server_hellos() {
    let mut met = BTreeSet::new();
    let extensions = [0, 23, 0, 43, 0, 2, 3, 4, 0, 21, 0, 0, 0x0a, 0x0a, 0, 0, 0, 16, 0, 5, 0, 3, 2, b'h', b'2'];
    let body = [&[3, 3][..], &[7; 32], &[4, 1, 2, 3, 4, 0x13, 1, 0], &extensions].concat();
    let message = [&[2, 0, 0, u8::try_from(body.len()).unwrap()], &body[..]].concat();
    let mut compared = 0;
    for position in 4..message.len() {
        for change in 0..=0xff {
            let mut changed = message.clone();
            changed[position] ^= change;
            met.extend(server_difference(&changed).unwrap_or_else(|what| panic!("{position}, {change:#04x}: {what}")));
            compared += 1;
        }
    }
    assert!(compared > 10_000);
    assert!(met.contains(&KnownDifference::PaddingOfAServer), "{met:?}");
}

/// A hello of TLS 1.2 with one suite.
fn crafted(session_id: &[u8], extensions: &[u8]) -> Vec<u8> {
    let length = u8::try_from(session_id.len()).unwrap();
    let body = [&[3, 3][..], &[7; 32], &[length], session_id, &[0, 2, 0, 0x2f, 1, 0], extensions].concat();
    [&[1, 0, 0, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

fn hellos() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hello");
    let mut hellos = Vec::new();
    for entry in std::fs::read_dir(folder).expect("tests/data/hello") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "hex") {
            let text = std::fs::read_to_string(&path).expect("text");
            let digits: Vec<u8> =
                text.trim().bytes().map(|digit| (digit as char).to_digit(16).unwrap() as u8).collect();
            let bytes = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
            hellos.push((path.file_stem().unwrap().to_string_lossy().into_owned(), bytes));
        }
    }
    hellos.sort();
    assert!(!hellos.is_empty());
    hellos
}
