//! One conversation, cut and ordered in two ways, gives the same records; cut off within its hello it gives none with a
//! fingerprint.
//!
//! ```text
//! input = cuts:u8 seed:u8 turn*        turn = side-and-length:u16 bytes
//! ```
//! The top bit of `side-and-length` is the side. Each turn goes out as one segment, and then again in segments of
//! random lengths up to `cuts`, in random order and some of them twice.
//!
//! One thing is not compared: what begins in the middle of a stream. Of a connection that does not begin with what
//! handprint follows nothing is kept, so a hello or a greeting further on is found only where a segment begins with it.
//! Such records are those without an opening ([`records`] leaves them out).

use handprint::engine::EngineConfig;
use handprint::tls::ClientHello;
use serde_json::Value;

use crate::program::{Assembler, Channel, Program};
use crate::records::read;

const CLIENT: Channel = Channel { carrier: 0, flow: 0, backwards: false };
const SERVER: Channel = Channel { carrier: 0, flow: 0, backwards: true };

/// Segments of one turn at most: fewer than may wait for an earlier one.
const MAX_SEGMENTS: usize = 60;

/// Checks that segments do not matter.
pub fn check(data: &[u8]) {
    let Some((&[cuts, seed], turns)) = data.split_first_chunk::<2>() else { return };
    let turns = read_turns(turns);
    let whole = records(&turns, &mut |turn| vec![turn.clone()]);
    let mut random = Random::new(seed ^ cuts.rotate_left(4));
    let cut = records(&turns, &mut |turn| cut_up(turn, cuts, &mut random));
    if let Some(difference) = differences(&whole, &cut) {
        panic!("{difference}");
    }
    if let Some(end) = hello_end(&client_stream(&turns)) {
        check_prefix(&turns, end, usize::from(seed) * 7 + usize::from(cuts));
    }
}

/// Bytes of one side, until the other speaks.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    channel: Channel,
    position: usize,
    bytes: Vec<u8>,
}

fn client_stream(turns: &[Turn]) -> Vec<u8> {
    turns.iter().filter(|turn| turn.channel == CLIENT).flat_map(|turn| turn.bytes.clone()).collect()
}

pub(crate) fn read_turns(mut data: &[u8]) -> Vec<Turn> {
    let (mut turns, mut positions) = (Vec::new(), [0; 2]);
    while let Some((head, rest)) = data.split_first_chunk::<2>() {
        let head = u16::from_le_bytes(*head);
        let backwards = head & 0x8000 != 0;
        let length = usize::from(head & 0x3fff).min(rest.len());
        let (bytes, rest) = rest.split_at(length);
        let position = &mut positions[usize::from(backwards)];
        if !bytes.is_empty() {
            let channel = if backwards { SERVER } else { CLIENT };
            turns.push(Turn { channel, position: *position, bytes: bytes.to_vec() });
        }
        *position += length;
        data = rest;
    }
    turns
}

/// The records of a conversation that is opened, goes through its turns and is closed, but for those that begin in the
/// middle.
pub(crate) fn records(turns: &[Turn], segments: &mut dyn FnMut(&Turn) -> Vec<Turn>) -> Vec<Value> {
    let mut assembler = Assembler::new(0);
    assembler.flags(CLIENT, 0x02);
    assembler.flags(SERVER, 0x12);
    assembler.flags(CLIENT, 0x10);
    for turn in turns {
        for segment in segments(turn) {
            assembler.data(segment.channel, segment.position as i64, &segment.bytes);
        }
        // The position of what follows is that after the turn, whatever came last.
        assembler.data(turn.channel, (turn.position + turn.bytes.len()) as i64, &[]);
    }
    assembler.flags(CLIENT, 0x11);
    assembler.flags(SERVER, 0x11);
    let program = Program::run(&assembler.finish());
    let outcome = read(&program.frames, EngineConfig::for_capture("fuzz"));
    outcome.records().into_iter().zip(outcome.opened).filter_map(|(record, opened)| opened.then_some(record)).collect()
}

/// A turn in segments of random lengths, some of them twice, in another order.
pub(crate) fn cut_up(turn: &Turn, longest: u8, random: &mut Random) -> Vec<Turn> {
    let mut segments = cut_in_order(turn, longest, random);
    for place in 0..segments.len() {
        match random.below(4) {
            0 => {
                let other = (place + 1 + random.below(4)).min(segments.len() - 1);
                segments.swap(place, other);
            }
            1 if segments.len() < MAX_SEGMENTS => segments.push(segments[place].clone()),
            _ => {}
        }
    }
    segments
}

/// A turn in segments of random lengths, up to twice `longest`.
pub(crate) fn cut_in_order(turn: &Turn, longest: u8, random: &mut Random) -> Vec<Turn> {
    let longest = usize::from(longest).max(turn.bytes.len() / MAX_SEGMENTS + 1).max(1);
    let mut segments = Vec::new();
    let mut from = 0;
    while from < turn.bytes.len() {
        let length = if segments.len() + 1 >= MAX_SEGMENTS { usize::MAX } else { 1 + random.below(longest * 2) };
        let to = from.saturating_add(length).min(turn.bytes.len());
        let bytes = turn.bytes[from..to].to_vec();
        segments.push(Turn { position: turn.position + from, bytes, ..*turn });
        from = to;
    }
    segments
}

/// Where the records of two readings differ, apart from what segments may change.
pub(crate) fn differences(whole: &[Value], cut: &[Value]) -> Option<String> {
    let comparable = |records: &[Value]| -> Vec<Value> { records.iter().map(without_segments).collect() };
    let (whole, cut) = (comparable(whole), comparable(cut));
    if whole.len() != cut.len() {
        return Some(format!("{} records, cut {}: {whole:#?} {cut:#?}", whole.len(), cut.len()));
    }
    for (whole, cut) in whole.iter().zip(&cut) {
        let members = whole.as_object().into_iter().flatten().chain(cut.as_object().into_iter().flatten());
        for (name, _) in members {
            if whole[name] != cut[name] {
                return Some(format!("{name} is {:#}\ncut it is {:#}\nin {whole:#}", whole[name], cut[name]));
            }
        }
    }
    None
}

/// What does not depend on how a stream was cut.
fn without_segments(record: &Value) -> Value {
    let mut record = record.clone();
    if let Some(transport) = record["hello_transport"].as_object_mut() {
        transport.remove("packets");
    }
    // Findings on segmentation itself.
    if let Some(findings) = record["findings"].as_array_mut() {
        findings.retain(|finding| !SEGMENTATION.contains(&finding["id"].as_str().unwrap_or_default()));
    }
    record
}

/// Rules that report how a hello lies in packets.
const SEGMENTATION: &[&str] = &["ANOM006"];

/// A conversation whose client falls silent before its hello is whole yields no fingerprint of a ClientHello.
fn check_prefix(turns: &[Turn], end: usize, place: usize) {
    let kept = place % end;
    let mut cut = Vec::new();
    for turn in turns {
        let mut turn = turn.clone();
        if turn.channel == CLIENT {
            turn.bytes.truncate(kept.saturating_sub(turn.position));
        }
        if !turn.bytes.is_empty() {
            cut.push(turn);
        }
    }
    for record in records(&cut, &mut |turn| vec![turn.clone()]) {
        // What the server says may itself be a hello: only the client's is meant.
        if record["client"]["port"] == 40_000 {
            assert!(record["fingerprints"]["ja4"].is_null(), "{kept} of {end} bytes of a hello: {record:#}");
            assert!(record["fingerprints"]["ja3"].is_null(), "{kept} of {end} bytes of a hello: {record:#}");
        }
    }
}

/// Where the sound ClientHello ends with which a stream begins.
fn hello_end(stream: &[u8]) -> Option<usize> {
    let (mut message, mut at) = (Vec::new(), 0);
    loop {
        let [22, 3, _, high, low, ..] = stream.get(at..)? else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let body = stream.get(at + 5..)?;
        let held = body.len().min(length);
        for (place, byte) in body[..held].iter().enumerate() {
            message.push(*byte);
            if let [kind, a, b, c, ..] = message[..] {
                if kind != 1 {
                    return None;
                }
                if message.len() == 4 + (usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)) {
                    // After one that is malformed nothing is followed to its end.
                    return ClientHello::parse(&message).is_ok().then_some(at + 5 + place + 1);
                }
            }
        }
        if held == 0 || held < length {
            return None;
        }
        at += 5 + length;
    }
}

/// Numbers that the seed decides.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u8) -> Self {
        Self(u64::from(seed) << 32 | 0x9e37_79b9)
    }

    /// xorshift64.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }
}
