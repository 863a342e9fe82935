//! The same records in the same order, whatever the number of engines.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::Write as _;

use super::*;
use crate::capture::write::PcapWriter;
use crate::capture::{LinkType, Source, inputs};

struct Lines;

impl Report for Lines {
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>) {
        serde_json::to_writer(&mut *out, record).unwrap();
        out.push(b'\n');
    }
}

#[derive(Default)]
struct Kept {
    text: String,
    starts: Vec<Timestamp>,
    problems: Vec<String>,
    stop_after: Option<usize>,
}

impl Consumer for Kept {
    fn records(&mut self, _capture: &Path, records: &[Rendered]) -> ControlFlow<()> {
        for record in records {
            self.text.push_str(std::str::from_utf8(&record.text).unwrap());
            self.starts.push(record.started);
            if self.stop_after == Some(self.starts.len()) {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(format!("{problem:?}"));
    }

    fn progress(&mut self, _bytes: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn pcaps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps")
}

fn with_engines(input: &Input, engines: usize, options: &Options) -> (Kept, Stats) {
    let mut kept = Kept::default();
    let mut stats = Stats::default();
    let mut reports: Vec<Lines> = (0..engines.max(1)).map(|_| Lines).collect();
    let flow = if engines == 0 {
        single::read(input, options, &mut reports[0], &mut stats, &mut kept)
    } else {
        spread::read(input, options, &mut reports, &mut stats, &mut kept)
    };
    assert!(flow.is_continue());
    (kept, stats)
}

#[track_caller]
fn assert_same_with_any_number(input: &Input, options: &Options) -> usize {
    let (alone, alone_stats) = with_engines(input, 0, options);
    for engines in [1, 2, 3, 4] {
        let (kept, stats) = with_engines(input, engines, options);
        assert!(kept.text == alone.text, "{}: {engines} engines give other records", input.path.display());
        assert_eq!(kept.problems, alone.problems, "{}", input.path.display());
        assert_eq!(stats, alone_stats, "{}", input.path.display());
    }
    alone.starts.len()
}

#[test]
fn gives_the_same_records_for_every_capture_with_any_number_of_engines() {
    let mut records = 0;
    for input in inputs(&[pcaps()]) {
        records += assert_same_with_any_number(&input.unwrap(), &Options::default());
    }
    assert!(records > 100);
}

/// A capture of many flows, made from one by giving each copy another client address, interleaved and some cut short.
fn multiplied(directory: &Path, copies: u32) -> Input {
    let frames = |name: &str| {
        let mut source = Source::open(&pcaps().join(name)).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = source.next_frame().unwrap() {
            assert_eq!(frame.link_type, LinkType::ETHERNET);
            frames.push(frame.bytes.to_vec());
        }
        frames
    };
    let kinds = [frames("tls/clients/curl.pcap"), frames("tls/suites/tls12-rc4-sha-negotiated.pcap")];
    // (time in microseconds, copy, frame): copies begin 100 µs apart and differ in pace, from 0.2 ms to five seconds
    // between frames, so that some time out; every ninth is left in the middle of its handshake.
    let mut order = Vec::new();
    for copy in 0..copies {
        let kind = &kinds[copy as usize % kinds.len()];
        let pace = if copy % 50 == 0 { 5_000_000 } else { 200 + u64::from(copy * 7919 % 5000) };
        let length = if copy % 9 == 0 { kind.len() / 3 } else { kind.len() };
        for (number, frame) in kind.iter().take(length).enumerate() {
            order.push((u64::from(copy) * 100 + number as u64 * pace, copy, number, frame));
        }
    }
    order.sort_by_key(|(time, copy, number, _)| (*time, *copy, *number));
    let path = directory.join(format!("multiplied-{copies}.pcap"));
    let mut file =
        PcapWriter::new(std::io::BufWriter::new(std::fs::File::create(&path).unwrap()), LinkType::ETHERNET).unwrap();
    for (time, copy, _, frame) in order {
        let mut frame = frame.clone();
        // The client is the end whose address ends in 10: 192.0.2.10.
        let [_, high, middle, low] = copy.to_be_bytes();
        for start in [26, 30] {
            if frame[start..start + 4] == [192, 0, 2, 10] {
                frame[start..start + 4].copy_from_slice(&[10 + high, middle, low, 1]);
            }
        }
        file.write(Timestamp::from_nanos(1_795_255_200_000_000_000 + time * 1000), &frame).unwrap();
    }
    file.finish().unwrap().flush().unwrap();
    Input { size: Some(std::fs::metadata(&path).unwrap().len()), path }
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("handprint-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn gives_the_same_records_for_thousands_of_interleaved_flows() {
    let scratch = Scratch::new("interleaved");
    let input = multiplied(&scratch.0, 3000);
    assert_eq!(assert_same_with_any_number(&input, &Options::default()), 3000);
    let (kept, _) = with_engines(&input, 4, &Options::default());
    assert!(kept.starts.is_sorted());
    assert_eq!(kept.problems, [] as [&str; 0]);
}

#[test]
fn hands_on_out_of_order_what_it_may_not_hold_back_and_says_so() {
    let scratch = Scratch::new("held");
    let input = multiplied(&scratch.0, 600);
    let options = Options { hold_bytes: 100_000, ..Options::default() };
    assert_eq!(assert_same_with_any_number(&input, &options), 600);
    let (kept, _) = with_engines(&input, 2, &options);
    assert!(!kept.starts.is_sorted());
    assert!(kept.problems.iter().any(|problem| problem.starts_with("OutOfOrder")), "{:?}", kept.problems);
}

#[test]
fn gives_many_captures_in_their_order_with_any_number_of_threads() {
    let read = |threads: usize| {
        let mut kept = Kept::default();
        let options = Options { threads: NonZero::new(threads).unwrap(), ..Options::default() };
        let paths = [pcaps(), PathBuf::from("/nonexistent"), pcaps().join("tls/clients")];
        let (stats, reports) = super::read(inputs(&paths), &options, &|| Lines, &mut kept);
        assert_eq!(reports.len(), threads);
        (kept, stats)
    };
    let (alone, alone_stats) = read(1);
    assert!(alone.problems.iter().any(|problem| problem.contains("nonexistent")));
    for threads in [2, 4, 7] {
        let (kept, stats) = read(threads);
        assert!(kept.text == alone.text, "{threads} threads give other records");
        assert_eq!(kept.problems, alone.problems);
        assert_eq!(stats, alone_stats);
    }
}

#[test]
fn ends_when_the_consumer_has_enough() {
    let scratch = Scratch::new("enough");
    let large = multiplied(&scratch.0, 2000);
    for threads in [1, 2, 4] {
        let options = Options { threads: NonZero::new(threads).unwrap(), ..Options::default() };
        for input in [vec![Ok(large.clone())], inputs(&[pcaps()])] {
            let mut kept = Kept { stop_after: Some(3), ..Kept::default() };
            super::read(input, &options, &|| Lines, &mut kept);
            assert_eq!(kept.starts.len(), 3);
        }
        let mut kept = Kept { stop_after: Some(3), ..Kept::default() };
        let mut reports: Vec<Lines> = (0..threads).map(|_| Lines).collect();
        let flow = spread::read(&large, &options, &mut reports, &mut Stats::default(), &mut kept);
        assert!(flow.is_break());
        assert_eq!(kept.starts.len(), 3);
    }
}
