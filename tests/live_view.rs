//! The live view, from outside: on a terminal that util-linux' `script` makes, in a network namespace. Skipped, with the
//! reason, where there is no right to make one: `cargo test --test live_view -- --nocapture` shows it.
#![cfg(all(target_os = "linux", feature = "cli"))]
#![allow(unsafe_code, reason = "namespaces and raw sockets, which only the system has")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap, reason = "tests")]
#![allow(clippy::print_stderr, unreachable_pub, reason = "tests")]

mod netns;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use handprint::capture::Source;
use netns::{Sender, in_namespace, pair};

/// To the other screen of the terminal, and back.
const ENTER: &str = "\u{1b}[?1049h";
const LEAVE: &str = "\u{1b}[?1049l";

/// handprint on a terminal.
struct Shown {
    child: Child,
    keys: ChildStdin,
    drawn: Arc<Mutex<Vec<u8>>>,
    /// Nothing is read while this is set.
    stuck: Arc<AtomicBool>,
}

impl Shown {
    /// None, and why, where there is no `script`.
    fn start(arguments: &str) -> Option<Self> {
        Self::sized(30, 110, arguments)
    }

    fn sized(rows: u16, columns: u16, arguments: &str) -> Option<Self> {
        let command =
            format!("stty rows {rows} cols {columns}; exec {} live {arguments}", env!("CARGO_BIN_EXE_handprint"));
        let spawned = Command::new("script")
            .args(["-qefc", &command, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh")
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn();
        let Ok(mut child) = spawned else {
            eprintln!("skipped: there is no `script` (util-linux)");
            return None;
        };
        let (keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let drawn = Arc::new(Mutex::new(Vec::new()));
        let stuck = Arc::new(AtomicBool::new(false));
        let (kept, is_stuck) = (Arc::clone(&drawn), Arc::clone(&stuck));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                kept.lock().unwrap().extend(buffer.iter().take(length));
                while is_stuck.load(Ordering::Acquire) {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        });
        Some(Self { child, keys, drawn, stuck })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.drawn.lock().unwrap()).into_owned()
    }

    #[track_caller]
    fn wait_for(&self, words: &str) {
        let began = Instant::now();
        while !self.text().contains(words) {
            assert!(began.elapsed() < Duration::from_secs(30), "no {words:?} in {}", self.text().escape_debug());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        // An escape is told from the start of a sequence by what does not follow it.
        std::thread::sleep(Duration::from_millis(300));
    }

    /// What was drawn in all, once it has ended by itself and well.
    fn end(mut self) -> String {
        let began = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if began.elapsed() > Duration::from_secs(30) => {
                    self.child.kill().unwrap();
                    panic!("it does not end: {}", self.text().escape_debug());
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        assert!(status.success(), "{status}: {}", self.text().escape_debug());
        self.wait_for("handshakes in");
        self.text()
    }
}

fn send(capture: impl AsRef<Path>, sender: &Sender) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(capture);
    let mut source = Source::open(&path).unwrap();
    while let Some(frame) = source.next_frame().unwrap() {
        sender.send(frame.bytes);
    }
}

#[test]
fn shows_handshakes_heeds_keys_and_gives_the_terminal_back() {
    in_namespace("shows_handshakes_heeds_keys_and_gives_the_terminal_back", || {
        pair("near", "far");
        let sender = Sender::on("far");
        let Some(mut shown) = Shown::start("-i near") else { return };
        shown.wait_for("Negotiated,");
        send("tls/suites/tls12-rc4-sha-negotiated.pcap", &sender);
        shown.wait_for("rc4-negotiated");
        assert!(shown.text().contains(ENTER) && !shown.text().contains(LEAVE));
        shown.press("\r");
        shown.wait_for("lines");
        shown.press("\u{1b}");
        shown.press("?");
        shown.wait_for("control-c");
        shown.press("\u{1b}");
        shown.press("q");
        let text = shown.end();
        let (_, after) = text.rsplit_once(LEAVE).unwrap();
        assert!(after.contains(": 1 handshakes in") && after.contains("lost: 0 packets"), "{after}");
    });
}

#[test]
fn writes_a_file_beside_the_view_and_ends_without_keys() {
    in_namespace("writes_a_file_beside_the_view_and_ends_without_keys", || {
        pair("near", "far");
        let sender = Sender::on("far");
        let directory = std::env::temp_dir().join(format!("handprint-view-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join("records.ndjson");
        let Some(shown) = Shown::start(&format!("-i near -o {} --duration 3s", file.display())) else { return };
        shown.wait_for("Negotiated,");
        send("tls/versions/tls13-negotiated.pcap", &sender);
        let text = shown.end();
        assert!(text.contains(ENTER));
        assert!(text.rsplit_once(LEAVE).unwrap().1.contains(": 1 handshakes in"));
        let records = std::fs::read_to_string(&file).unwrap();
        assert_eq!(records.lines().count(), 1);
        assert!(records.starts_with("{\"type\":\"flow\""));
        std::fs::remove_dir_all(&directory).unwrap();
    });
}

#[test]
fn goes_on_writing_when_its_terminal_goes_away() {
    in_namespace("goes_on_writing_when_its_terminal_goes_away", || {
        pair("near", "far");
        let sender = Sender::on("far");
        let directory = std::env::temp_dir().join(format!("handprint-gone-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join("records.ndjson");
        let Some(mut shown) = Shown::start(&format!("-i near -o {} --duration 5s", file.display())) else { return };
        shown.wait_for("Negotiated,");
        shown.child.kill().unwrap();
        shown.child.wait().unwrap();
        std::thread::sleep(Duration::from_secs(1));
        send("tls/versions/tls13-negotiated.pcap", &sender);
        let began = Instant::now();
        while std::fs::read_to_string(&file).unwrap().lines().count() == 0 {
            assert!(began.elapsed() < Duration::from_secs(10), "nothing is written any more");
            std::thread::sleep(Duration::from_millis(20));
        }
        while process_with(file.to_str().unwrap()).is_some() {
            assert!(began.elapsed() < Duration::from_secs(20), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::fs::remove_dir_all(&directory).unwrap();
    });
}

#[test]
fn ends_although_its_terminal_takes_nothing() {
    in_namespace("ends_although_its_terminal_takes_nothing", || {
        pair("near", "far");
        let sender = Sender::on("far");
        let directory = std::env::temp_dir().join(format!("handprint-stuck-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join("records.ndjson");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let Some(mut shown) = Shown::sized(60, 250, &format!("-i near -o {}", file.display())) else { return };
        shown.wait_for("Negotiated,");
        shown.stuck.store(true, Ordering::Release);
        // Keys fill the pipe from `script`, and then new lists the terminal itself.
        for _ in 0..100 {
            shown.keys.write_all(b"?").unwrap();
            std::thread::sleep(Duration::from_millis(10));
        }
        let folders = ["suites", "clients", "versions", "alerts"].map(|name| root.join("pcaps/tls").join(name));
        let captures: Vec<_> = handprint::capture::inputs(&folders).into_iter().flatten().collect();
        for some in captures.chunks(captures.len().div_ceil(16)) {
            some.iter().for_each(|capture| send(capture.path.strip_prefix(root.join("pcaps")).unwrap(), &sender));
            std::thread::sleep(Duration::from_millis(400));
        }
        let process = process_with(file.to_str().unwrap()).unwrap();
        // SAFETY: no pointers.
        assert_eq!(unsafe { libc::kill(process, libc::SIGTERM) }, 0);
        let began = Instant::now();
        while process_with(file.to_str().unwrap()).is_some() {
            assert!(began.elapsed() < Duration::from_secs(20), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(std::fs::read_to_string(&file).unwrap().lines().count() > 50);
        shown.stuck.store(false, Ordering::Release);
        shown.child.wait().unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
    });
}

/// The process of which `word` is an argument.
fn process_with(word: &str) -> Option<i32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut matching = processes.filter(|process| {
        let line = std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        line.split('\0').any(|argument| argument == word)
    });
    matching.next()?.file_name().to_str()?.parse().ok()
}

#[test]
fn ends_after_the_handshakes_it_was_to_show() {
    in_namespace("ends_after_the_handshakes_it_was_to_show", || {
        pair("near", "far");
        let sender = Sender::on("far");
        let Some(shown) = Shown::start("-i near --count 1") else { return };
        shown.wait_for("Negotiated,");
        send("tls/versions/tls12-negotiated.pcap", &sender);
        assert!(shown.end().contains(": 1 handshakes in"));
    });
}

#[test]
fn no_view_where_another_format_is_wanted() {
    in_namespace("no_view_where_another_format_is_wanted", || {
        pair("near", "far");
        let Some(shown) = Shown::start("-i near --format ndjson --duration 200ms") else { return };
        assert!(!shown.end().contains(ENTER));
    });
}
