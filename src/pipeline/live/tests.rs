#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::capture::{LinkType, Source};

/// What a [`Scripted`] source does at one poll.
enum Act {
    /// Hands these over.
    Frames(Vec<(Timestamp, LinkType, Vec<u8>)>),
    Idle,
    Down,
    Fail,
    /// Panics.
    Panic,
}

/// A source that follows a script, and then sees nothing more.
struct Scripted {
    acts: std::vec::IntoIter<Act>,
    received: u64,
    /// Counted, but not handed over yet.
    ahead: u64,
    over: Arc<AtomicBool>,
}

impl LiveSource for Scripted {
    fn poll(&mut self, wait: Duration, take: &mut dyn FnMut(&Frame<'_>)) -> Result<Polled, Error> {
        let Some(act) = self.acts.next() else {
            self.over.store(true, Ordering::Release);
            thread::sleep(wait.min(Duration::from_millis(5)));
            return Ok(Polled::Idle);
        };
        match act {
            Act::Frames(frames) => {
                for (timestamp, link_type, bytes) in &frames {
                    let original_length = u32::try_from(bytes.len()).unwrap();
                    take(&Frame { timestamp: *timestamp, link_type: *link_type, bytes, original_length });
                }
                self.received += frames.len() as u64;
                Ok(Polled::Frames(frames.len()))
            }
            Act::Idle => Ok(Polled::Idle),
            Act::Down => {
                thread::sleep(wait);
                Ok(Polled::Down)
            }
            Act::Fail => Err(Error::Configuration("the script fails".to_owned())),
            Act::Panic => panic!("the script panics"),
        }
    }

    fn counts(&mut self) -> KernelCounts {
        KernelCounts { received: self.received + self.ahead, ..KernelCounts::default() }
    }
}

/// Renders the server's name and the outcome; counts ticks.
#[derive(Default)]
struct Names {
    ticks: u32,
    received: u64,
}

impl Report for Names {
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>) {
        let name = record.facts.hello.server_name.as_deref().unwrap_or("-");
        out.extend_from_slice(format!("{name} {:?}\n", record.facts.outcome).as_bytes());
    }

    fn tick(&mut self, _stats: &Stats, kernel: &KernelCounts) {
        self.ticks += 1;
        self.received = kernel.received;
    }
}

/// Keeps what it is given; as long as `gate` has a sender, one message lets one call through.
struct Keep {
    kept: Arc<Mutex<Vec<u8>>>,
    gate: Option<Receiver<()>>,
    enough: usize,
}

impl Writer for Keep {
    fn write(&mut self, records: &Records) -> ControlFlow<()> {
        if let Some(gate) = &self.gate {
            let _ = gate.recv();
        }
        lock(&self.kept).extend_from_slice(records.bytes());
        if records.len() >= self.enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn idle(&mut self) {}

    fn finish(&mut self) {
        lock(&self.kept).extend_from_slice(b"end\n");
    }
}

struct Run {
    capture: LiveCapture<Names>,
    kept: Arc<Mutex<Vec<u8>>>,
    over: Arc<AtomicBool>,
}

impl Run {
    fn start(acts: Vec<Act>, options: &Options, gate: Option<Receiver<()>>, enough: usize) -> Self {
        let (kept, over) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let source = Scripted { acts: acts.into_iter(), received: 0, ahead: 0, over: Arc::clone(&over) };
        let writer = Keep { kept: Arc::clone(&kept), gate, enough };
        let capture = start(vec![Box::new(source)], options, &mut |_| Names::default(), writer).unwrap();
        Self { capture, kept, over }
    }

    #[track_caller]
    fn wait(&self, what: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !what(self) {
            assert!(began.elapsed() < Duration::from_secs(20), "in vain: {:?}", self.capture.status());
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn text(&self) -> String {
        String::from_utf8(lock(&self.kept).clone()).unwrap()
    }
}

fn frames(capture: &str) -> Vec<(Timestamp, LinkType, Vec<u8>)> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(capture);
    let mut source = Source::open(&path).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = source.next_frame().unwrap() {
        frames.push((frame.timestamp, frame.link_type, frame.bytes.to_vec()));
    }
    frames
}

/// The frames until the hello: its handshake stays open.
fn until_hello(shift: u16) -> Vec<(Timestamp, LinkType, Vec<u8>)> {
    let mut frames = frames("tls/versions/tls12-negotiated.pcap");
    frames.truncate(4);
    for (_, _, bytes) in &mut frames {
        // The client's port, in whichever direction.
        let at = if bytes[34..36] == [0x01, 0xbb] { 36 } else { 34 };
        bytes[at..at + 2].copy_from_slice(&(20_000 + shift).to_be_bytes());
    }
    frames
}

#[test]
fn writes_records_as_they_come_and_open_handshakes_at_the_end() {
    let acts = vec![Act::Frames(frames("tls/versions/tls13-negotiated.pcap")), Act::Idle, Act::Frames(until_hello(1))];
    let run = Run::start(acts, &Options::default(), None, usize::MAX);
    run.wait(|run| run.text().contains("Established"));
    run.wait(|run| run.over.load(Ordering::Acquire));
    run.wait(|run| run.capture.status().stats.open_flows > 0);
    assert_eq!(run.text().lines().count(), 1, "{}", run.text());
    let kept = Arc::clone(&run.kept);
    let ended = run.capture.finish();
    let text = String::from_utf8(lock(&kept).clone()).unwrap();
    assert!(matches!(&*text.lines().collect::<Vec<_>>(), [first, second, "end"]
        if first.ends_with("Established") && !second.ends_with("Established")));
    assert!(ended.errors.is_empty() && !ended.abandoned);
    assert_eq!((ended.status.queued, ended.status.written, ended.status.dropped), (2, 2, 0));
    assert_eq!((ended.status.stats.flows, ended.status.stats.open_flows), (2, ended.status.stats.open_flows));
    assert_eq!(ended.status.kernel.received, ended.status.stats.packets);
    assert!(ended.reports[0].ticks > 0);
    assert_eq!(ended.reports[0].received, ended.status.kernel.received);
}

#[test]
fn drops_and_counts_records_while_the_writer_is_stuck_and_goes_on_capturing() {
    let (open_gate, gate): (Sender<()>, _) = channel();
    let capture = frames("tls/versions/tls13-negotiated.pcap");
    let acts = (0..200_u16)
        .map(|round| {
            let mut frames = capture.clone();
            for (_, _, bytes) in &mut frames {
                let at = if bytes[34..36] == [0x01, 0xbb] { 36 } else { 34 };
                bytes[at..at + 2].copy_from_slice(&(20_000 + round).to_be_bytes());
            }
            Act::Frames(frames)
        })
        .collect();
    let options = Options { queue_bytes: 1000, ..Options::default() };
    let run = Run::start(acts, &options, Some(gate), usize::MAX);
    run.wait(|run| run.over.load(Ordering::Acquire) && run.capture.status().stats.flows == 200);
    run.wait(|run| {
        let status = run.capture.status();
        status.queued + status.dropped == 200
    });
    let status = run.capture.status();
    assert!(status.dropped > 100, "{status:?}");
    assert!(status.queued_bytes <= 1000);
    drop(open_gate);
    let kept = Arc::clone(&run.kept);
    let ended = run.capture.finish();
    assert_eq!(ended.status.written, ended.status.queued);
    assert_eq!(lock(&kept).iter().filter(|byte| **byte == b'\n').count() as u64, ended.status.written + 1);
}

#[test]
fn leaves_a_writer_that_does_not_come_back_to_itself() {
    let (open_gate, gate) = channel();
    let options = Options { drain: Duration::from_millis(100), ..Options::default() };
    let acts = vec![Act::Frames(frames("tls/versions/tls13-negotiated.pcap"))];
    let run = Run::start(acts, &options, Some(gate), usize::MAX);
    run.wait(|run| run.capture.status().queued == 1);
    let ended = run.capture.finish();
    assert!(ended.abandoned);
    assert_eq!((ended.status.queued, ended.status.written), (1, 0));
    drop(open_gate);
}

#[test]
fn ends_handshakes_on_a_link_that_falls_silent() {
    let mut options = Options::default();
    options.engine.limits.handshake_timeout = Duration::from_millis(300);
    let run = Run::start(vec![Act::Frames(until_hello(1))], &options, None, usize::MAX);
    run.wait(|run| run.text().lines().count() == 1);
    assert_eq!(run.capture.finish().status.stats.flows, 1);
}

#[test]
fn ends_handshakes_although_the_clock_is_set_back() {
    let mut late = until_hello(1);
    for (timestamp, ..) in &mut late {
        *timestamp = timestamp.plus(Duration::from_secs(7200));
    }
    let noise: Vec<_> = (0..100).map(|_| frames("tls/versions/tls13-negotiated.pcap")[0].clone()).collect();
    let acts = vec![Act::Frames(late), Act::Frames(noise)];
    let run = Run::start(acts, &Options::default(), None, usize::MAX);
    run.wait(|run| run.text().lines().count() == 1);
    run.capture.finish();
}

#[test]
fn keeps_handshakes_although_single_frames_bear_an_old_time() {
    let mut frames = frames("tls/versions/tls13-negotiated.pcap");
    let mut old = frames[0].clone();
    old.0 = Timestamp::from_seconds(1);
    for place in (1..frames.len()).rev() {
        frames.insert(place, old.clone());
    }
    let run = Run::start(vec![Act::Frames(frames)], &Options::default(), None, usize::MAX);
    run.wait(|run| run.text().contains("Established"));
    assert_eq!(run.capture.finish().status.stats.flows, 1);
}

#[test]
fn says_whether_the_interface_is_up() {
    let acts = (0..10).map(|_| Act::Down).chain([Act::Frames(frames("tls/versions/tls13-negotiated.pcap"))]).collect();
    let run = Run::start(acts, &Options::default(), None, usize::MAX);
    run.wait(|run| run.capture.status().up == 0);
    run.wait(|run| run.capture.status().up == 1);
    assert_eq!(run.capture.status().threads, 1);
    run.wait(|run| run.text().contains("Established"));
    run.capture.finish();
}

#[test]
fn ends_with_the_error_of_a_source_and_writes_what_was_open() {
    let run = Run::start(vec![Act::Frames(until_hello(1)), Act::Fail], &Options::default(), None, usize::MAX);
    run.wait(|run| run.capture.is_broken());
    assert_eq!(run.capture.status().ended, 1);
    let ended = run.capture.finish();
    assert_eq!(ended.errors.len(), 1);
    assert_eq!(ended.status.written, 1);
}

#[test]
#[should_panic(expected = "the script panics")]
fn hides_no_panic() {
    let run = Run::start(vec![Act::Panic], &Options::default(), None, usize::MAX);
    run.wait(|run| run.capture.is_broken() && run.capture.status().ended == 1);
    run.capture.finish();
}

#[test]
fn says_when_the_writer_has_enough() {
    let acts = vec![Act::Frames(frames("tls/versions/tls13-negotiated.pcap"))];
    let run = Run::start(acts, &Options::default(), None, 1);
    run.wait(|run| run.capture.status().enough);
    let kept = Arc::clone(&run.kept);
    run.capture.finish();
    assert_eq!(lock(&kept).iter().filter(|byte| **byte == b'\n').count(), 2, "a record and the end");
}

#[test]
fn takes_what_is_there_when_it_is_told_to_stop() {
    let capture = frames("tls/versions/tls13-negotiated.pcap");
    let acts: Vec<Act> = capture.iter().map(|frame| Act::Frames(vec![frame.clone()])).collect();
    let (kept, over) = (Arc::default(), Arc::new(AtomicBool::new(false)));
    // As a ring counts: what is there, read or not.
    let source = Scripted { acts: acts.into_iter(), received: 0, ahead: 1000, over };
    let writer = Keep { kept: Arc::clone(&kept), gate: None, enough: usize::MAX };
    let capture = start(vec![Box::new(source)], &Options::default(), &mut |_| Names::default(), writer).unwrap();
    let ended = capture.finish();
    assert!(String::from_utf8(lock(&kept).clone()).unwrap().contains("Established"));
    assert_eq!(ended.status.unread, 0);
}
