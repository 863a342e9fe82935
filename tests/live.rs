//! `handprint live`, end to end, on interfaces in network namespaces. Skipped, with the reason, without the right to make
//! them: `cargo test --test live -- --nocapture` shows it.
#![cfg(all(target_os = "linux", feature = "cli"))]
#![allow(unsafe_code, reason = "namespaces and raw sockets, which only the system has")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap, reason = "tests")]
#![allow(clippy::print_stderr, unreachable_pub, reason = "tests")]

mod netns;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use handprint::capture::write::PcapWriter;
use handprint::capture::{LinkType, Source, inputs};
use handprint::time::Timestamp;
use netns::{Sender, in_namespace, pair};
use serde_json::Value;

const HANDPRINT: &str = env!("CARGO_BIN_EXE_handprint");

/// Longest time anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory for everybody, which goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("handprint-live-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("out")).unwrap();
        for path in [path.clone(), path.join("out")] {
            fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
        }
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join("out").join(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.join("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A capture under way on `tap0`.
struct Live {
    child: Child,
    errors: PathBuf,
}

impl Live {
    fn start(scratch: &Scratch, arguments: &[&str]) -> Self {
        let errors = scratch.0.join("stderr");
        let child = Command::new(HANDPRINT)
            .args(["live", "-i", "tap0", "--format", "ndjson", "--no-config"])
            .args(arguments)
            .stdout(File::create(scratch.0.join("stdout")).unwrap())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        let live = Self { child, errors };
        live.wait_for("capturing on tap0");
        live
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }

    #[track_caller]
    fn wait_for(&self, words: &str) {
        wait(|| self.said().contains(words), || format!("{words:?} in vain in:\n{}", self.said()));
    }

    fn signal(&self, signal: i32) {
        // SAFETY: no pointers; the process is our child and has not been waited for.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }

    /// Ends it by SIGTERM. What it said comes back.
    #[track_caller]
    fn end(mut self) -> String {
        self.signal(libc::SIGTERM);
        let status = self.wait();
        let said = self.said();
        assert_eq!(status, Some(0), "{said}");
        said
    }

    #[track_caller]
    fn wait(&mut self) -> Option<i32> {
        let mut status = None;
        wait(
            || {
                status = self.child.try_wait().unwrap();
                status.is_some()
            },
            || "it does not end".to_owned(),
        );
        status.unwrap().code()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn wait(mut what: impl FnMut() -> bool, otherwise: impl Fn() -> String) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < PATIENCE, "{}", otherwise());
        thread::sleep(Duration::from_millis(20));
    }
}

fn ask(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn metric(port: u16, name: &str) -> u64 {
    let page = ask(port, "/metrics");
    let line = page.lines().find(|line| line.split(' ').next() == Some(name));
    line.unwrap_or_else(|| panic!("{name} in\n{page}")).rsplit(' ').next().unwrap().parse().unwrap()
}

fn pcaps(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(path)
}

/// The Ethernet frames of all captures below `path` that fit the interface.
fn frames(path: &str) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for input in inputs(&[pcaps(path)]) {
        let mut source = Source::open(&input.unwrap().path).unwrap();
        while let Ok(Some(frame)) = source.next_frame() {
            if frame.link_type == LinkType::ETHERNET && frame.bytes.len() > 14 {
                frames.push(frame.bytes.to_vec());
            }
        }
    }
    frames
}

/// `frames` as of another connection: with another port of the client, which talks to port 443.
fn of_client(frames: &[Vec<u8>], port: u16) -> Vec<Vec<u8>> {
    let mut frames = frames.to_vec();
    for frame in &mut frames {
        let at = if frame[34..36] == [0x01, 0xbb] { 36 } else { 34 };
        frame[at..at + 2].copy_from_slice(&port.to_be_bytes());
    }
    frames
}

fn handshake() -> Vec<Vec<u8>> {
    frames("tls/versions/tls12-negotiated.pcap")
}

/// Sends all of it, no faster than the other end takes it in: what is too much for the queue between them is lost. From
/// one processor, since each has such a queue of its own, and they overtake.
fn send(sender: &Sender, frames: &[Vec<u8>]) {
    // SAFETY: integers alone.
    let (mut before, mut one): (libc::cpu_set_t, libc::cpu_set_t) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: the sets live for the time of the calls and are of the size that is given; the number is of a processor
    // that there is.
    unsafe {
        libc::sched_getaffinity(0, size, &raw mut before);
        libc::CPU_SET(libc::sched_getcpu() as usize, &mut one);
        libc::sched_setaffinity(0, size, &raw const one);
    }
    for frames in frames.chunks(100) {
        let wanted = taken_in() + frames.len() as u64;
        frames.iter().for_each(|frame| sender.send(frame));
        wait(|| taken_in() >= wanted, || format!("{} of {wanted} frames are taken in", taken_in()));
    }
    // SAFETY: as above.
    unsafe { libc::sched_setaffinity(0, size, &raw const before) };
}

/// Frames that `tap0` has received.
fn taken_in() -> u64 {
    let devices = fs::read_to_string("/proc/thread-self/net/dev").unwrap();
    let numbers = devices.lines().find_map(|line| line.trim().strip_prefix("tap0:")).unwrap();
    numbers.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Lines, all of which are JSON.
fn whole(text: &str) -> usize {
    text.lines().inspect(|line| assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}")).count()
}

/// Records as text, in an order of their own, without what depends on when they were captured.
fn timeless(text: &str) -> Vec<String> {
    let mut records: Vec<String> = text
        .lines()
        .map(|line| {
            let mut record: Value = serde_json::from_str(line).unwrap();
            let members = record.as_object_mut().unwrap();
            for name in ["ts", "id", "duration_ms", "capture"] {
                assert!(members.remove(name).is_some(), "{name}");
            }
            if let Some(findings) = members["findings"].as_array_mut() {
                for finding in findings {
                    if let Some(evidence) = finding["evidence"].as_object_mut() {
                        evidence.retain(|name, _| name != "days" && name != "client_offset_seconds");
                    }
                }
            }
            record.to_string()
        })
        .collect();
    records.sort_unstable();
    records
}

/// What `handprint read` finds in `frames`, as if they had just been captured.
fn read(scratch: &Scratch, frames: &[Vec<u8>]) -> Vec<String> {
    let path = scratch.0.join("all.pcap");
    let mut writer =
        PcapWriter::new(std::io::BufWriter::new(File::create(&path).unwrap()), LinkType::ETHERNET).unwrap();
    let mut now = Timestamp::ZERO.plus(SystemTime::UNIX_EPOCH.elapsed().unwrap());
    for frame in frames {
        now = now.plus(Duration::from_micros(10));
        writer.write(now, frame).unwrap();
    }
    writer.finish().unwrap().flush().unwrap();
    let output = Command::new(HANDPRINT)
        .args(["read", "--format", "ndjson", "--quiet", "--no-config"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success());
    timeless(&String::from_utf8(output.stdout).unwrap())
}

/// How a record differs from those of the same endpoints.
fn difference(record: &str, others: &[String]) -> String {
    let wanted: Value = serde_json::from_str(record).unwrap();
    let mut text = format!("no record of {}, {}", wanted["client"], wanted["server"]);
    for other in others.iter().map(|other| serde_json::from_str::<Value>(other).unwrap()) {
        if ["client", "server", "sni"].iter().all(|name| wanted[name] == other[name]) {
            text.push_str("\n  but one with other");
            for (name, value) in wanted.as_object().unwrap().iter().filter(|(name, value)| other[*name] != **value) {
                text.push_str(&format!(" {name}: {} for {value}", other[name]));
            }
        }
    }
    text
}

#[test]
fn gives_every_record_that_read_gives_and_loses_none() {
    in_namespace("gives_every_record_that_read_gives_and_loses_none", || {
        pair("gen0", "tap0");
        let sender = Sender::on("gen0");
        for (threads, paths) in
            [("1", ["tls", "starttls", "quic", "dtls"]), ("2", ["tls", "segments", "proxy", "starttls"])]
        {
            let scratch = Scratch::new("replay");
            let frames: Vec<_> = paths.iter().flat_map(|path| frames(path)).collect();
            let live = Live::start(&scratch, &["--threads", threads]);
            send(&sender, &frames);
            thread::sleep(Duration::from_millis(500));
            let said = live.end();
            assert!(said.contains("lost: 0 packets, 0 handshakes"), "{said}");
            let live = timeless(&fs::read_to_string(scratch.0.join("stdout")).unwrap());
            let read = read(&scratch, &frames);
            assert!(read.len() > 100, "{}", read.len());
            for record in &read {
                assert!(
                    live.contains(record),
                    "{threads} threads, {} records of {}, {said}: {}",
                    live.len(),
                    read.len(),
                    difference(record, &live)
                );
            }
            assert_eq!(live.len(), read.len(), "{threads} threads");
        }
    });
}

#[test]
fn replayed_by_tcpreplay_gives_what_read_gives() {
    if Command::new("tcpreplay").arg("--version").output().is_err() {
        eprintln!("replayed_by_tcpreplay_gives_what_read_gives: skipped: there is no tcpreplay");
        return;
    }
    in_namespace("replayed_by_tcpreplay_gives_what_read_gives", || {
        pair("gen0", "tap0");
        let scratch = Scratch::new("tcpreplay");
        let frames = frames("tls/versions");
        let read = read(&scratch, &frames);
        let live = Live::start(&scratch, &[]);
        let capture = scratch.0.join("all.pcap");
        netns::run(&format!("tcpreplay -q -t -i gen0 {}", capture.display())).unwrap();
        thread::sleep(Duration::from_millis(500));
        live.end();
        assert_eq!(timeless(&fs::read_to_string(scratch.0.join("stdout")).unwrap()), read);
    });
}

#[test]
fn writes_open_handshakes_when_it_is_told_to_end() {
    in_namespace("writes_open_handshakes_when_it_is_told_to_end", || {
        pair("gen0", "tap0");
        for signal in [libc::SIGTERM, libc::SIGINT] {
            let scratch = Scratch::new("signal");
            let mut live = Live::start(&scratch, &["-o", scratch.file("flows").to_str().unwrap()]);
            send(&Sender::on("gen0"), &handshake()[..4]);
            thread::sleep(Duration::from_millis(500));
            assert_eq!(fs::read_to_string(scratch.file("flows")).unwrap(), "");
            live.signal(signal);
            assert_eq!(live.wait(), Some(0));
            let record: Value = serde_json::from_str(&fs::read_to_string(scratch.file("flows")).unwrap()).unwrap();
            assert_eq!(record["capture"], "tap0");
            assert!(record["client_hello"].is_object() && record["server_hello"].is_null());
        }
    });
}

#[test]
fn is_unprivileged_once_it_captures() {
    in_namespace("is_unprivileged_once_it_captures", || {
        pair("gen0", "tap0");
        let scratch = Scratch::new("privileges");
        let live = Live::start(&scratch, &["--user", "nobody", "-j", "2"]);
        let mut threads = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", live.child.id())).unwrap() {
            let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
            let value = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
                line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            };
            for ids in ["Uid:", "Gid:"] {
                assert!(value(ids).iter().all(|id| id == "65534"), "{status}");
            }
            assert!(value("Groups:").is_empty(), "{status}");
            for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
                assert_eq!(value(set), ["0000000000000000"], "{set}");
            }
            assert_eq!(value("NoNewPrivs:"), ["1"]);
            assert_eq!(value("Seccomp:"), ["2"]);
            threads += 1;
        }
        // The main one, the writer, and two that capture.
        assert_eq!(threads, 4);
        send(&Sender::on("gen0"), &handshake());
        thread::sleep(Duration::from_millis(500));
        live.end();
        assert_eq!(fs::read_to_string(scratch.0.join("stdout")).unwrap().lines().count(), 1);
    });
}

#[test]
fn says_what_to_do_without_rights() {
    in_namespace("says_what_to_do_without_rights", || {
        pair("gen0", "tap0");
        let mut command = Command::new(HANDPRINT);
        command.args(["live", "-i", "tap0", "--no-config"]).uid(65_534).gid(65_534);
        let Ok(output) = command.output() else {
            eprintln!("says_what_to_do_without_rights: skipped: another user cannot run the command where it is");
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("sudo setcap cap_net_raw"), "{said}");
    });
}

#[test]
fn ends_after_so_many_handshakes_and_after_a_time() {
    in_namespace("ends_after_so_many_handshakes_and_after_a_time", || {
        pair("gen0", "tap0");
        let sender = Sender::on("gen0");
        let scratch = Scratch::new("count");
        let mut live = Live::start(&scratch, &["--count", "3"]);
        for port in 20_000..20_010 {
            send(&sender, &of_client(&handshake(), port));
        }
        assert_eq!(live.wait(), Some(0), "{}", live.said());
        assert_eq!(fs::read_to_string(scratch.0.join("stdout")).unwrap().lines().count(), 3);
        let mut live = Live::start(&scratch, &["--duration", "300ms"]);
        assert_eq!(live.wait(), Some(0));
    });
}

#[test]
fn rotates_by_size_and_by_signal_and_keeps_the_latest() {
    in_namespace("rotates_by_size_and_by_signal_and_keeps_the_latest", || {
        pair("gen0", "tap0");
        let sender = Sender::on("gen0");
        let scratch = Scratch::new("rotate");
        // Of a process that was killed.
        fs::write(scratch.file("flows.ndjson.part"), "{\"old\":1}\n").unwrap();
        let output = scratch.file("flows.ndjson");
        let live = Live::start(&scratch, &["-o", output.to_str().unwrap(), "--rotate", "20kB,1d"]);
        assert_eq!(scratch.names().len(), 2, "{:?}", scratch.names());
        for port in 20_000..20_030 {
            send(&sender, &of_client(&handshake(), port));
            thread::sleep(Duration::from_millis(20));
        }
        thread::sleep(Duration::from_millis(400));
        let before = scratch.names().len();
        assert!(before > 4, "{:?}", scratch.names());
        send(&sender, &of_client(&handshake(), 30_000));
        thread::sleep(Duration::from_millis(400));
        live.signal(libc::SIGHUP);
        wait(|| scratch.names().len() > before, || format!("{:?}", scratch.names()));
        live.end();
        let names = scratch.names();
        assert!(
            names.iter().all(|name| name.starts_with("flows-20") && name.ends_with("Z.ndjson") || name.contains("Z."))
        );
        let mut lines = 0;
        for name in &names {
            let text = fs::read_to_string(scratch.file(name)).unwrap();
            assert!(text.ends_with('\n') && text.len() < 40_000, "{name}");
            lines += whole(&text);
        }
        assert_eq!(lines, 1 + 31);

        let scratch = Scratch::new("keep");
        let output = scratch.file("flows.ndjson");
        let arguments = ["-o", output.to_str().unwrap(), "--rotate", "1kB", "--compress", "gzip", "--keep", "2"];
        let live = Live::start(&scratch, &arguments);
        for port in 20_000..20_006 {
            send(&sender, &of_client(&handshake(), port));
            thread::sleep(Duration::from_millis(300));
        }
        live.end();
        let names = scratch.names();
        assert_eq!(names.len(), 2, "{names:?}");
        for name in &names {
            let mut text = String::new();
            flate2::read::MultiGzDecoder::new(File::open(scratch.file(name)).unwrap())
                .read_to_string(&mut text)
                .unwrap();
            assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()) && !text.is_empty());
        }
    });
}

#[test]
fn a_pipe_that_nobody_reads_stalls_nothing() {
    in_namespace("a_pipe_that_nobody_reads_stalls_nothing", || {
        pair("gen0", "tap0");
        let sender = Sender::on("gen0");
        let scratch = Scratch::new("fifo");
        let fifo = scratch.file("fifo");
        netns::run(&format!("mkfifo -m 666 {}", fifo.display())).unwrap();
        let arguments = ["-o", fifo.to_str().unwrap(), "--queue", "64KiB", "--metrics", "9200"];
        let live = Live::start(&scratch, &arguments);
        live.wait_for("nobody reads it");
        for port in 20_000..20_100 {
            send(&sender, &of_client(&handshake(), port));
        }
        wait(
            || metric(9200, "handprint_handshakes_total{transport=\"tcp\",version=\"TLSv1.2\"}") == 100,
            || live.said(),
        );
        let dropped = metric(9200, "handprint_records_dropped_total");
        assert!(dropped > 50 && dropped < 100, "{dropped}");
        live.wait_for("handshakes lost: the output does not take them");
        assert!(ask(9200, "/health").starts_with("HTTP/1.1 503 "));
        // Now somebody comes.
        let mut reader = File::open(&fifo).unwrap();
        let reader = thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        live.wait_for("takes records again");
        send(&sender, &of_client(&handshake(), 30_000));
        wait(|| metric(9200, "handprint_records_written_total") == 101 - dropped, || live.said());
        assert!(ask(9200, "/health").starts_with("HTTP/1.1 200 "));
        let said = live.end();
        let text = reader.join().unwrap();
        assert_eq!(whole(&text) as u64, 101 - dropped);
        assert!(said.contains(&format!("lost: 0 packets, {dropped} handshakes")), "{said}");
    });
}

#[test]
fn a_full_disk_and_a_directory_that_is_gone_stall_nothing() {
    in_namespace("a_full_disk_and_a_directory_that_is_gone_stall_nothing", || {
        pair("gen0", "tap0");
        let sender = Sender::on("gen0");
        let scratch = Scratch::new("full");
        let disk = scratch.0.join("out");
        if let Err(error) = netns::run(&format!("mount -t tmpfs -o size=16k,mode=777 tmpfs {}", disk.display())) {
            eprintln!("a_full_disk_and_a_directory_that_is_gone_stall_nothing: skipped: no small disk: {error}");
            return;
        }
        let flows = scratch.file("flows");
        let live = Live::start(&scratch, &["-o", flows.to_str().unwrap()]);
        for port in 20_000..20_020 {
            send(&sender, &of_client(&handshake(), port));
        }
        live.wait_for("trying again");
        netns::run(&format!("mount -o remount,size=10m {}", disk.display())).unwrap();
        live.wait_for("takes records again");
        let lines = || fs::read_to_string(&flows).unwrap_or_default().lines().count();
        wait(|| lines() == 20, || format!("{} lines", lines()));
        let text = fs::read_to_string(&flows).unwrap();
        assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));

        netns::run(&format!("umount -l {}", disk.display())).unwrap();
        fs::remove_dir(&disk).unwrap();
        live.signal(libc::SIGHUP);
        live.wait_for("No such file or directory");
        send(&sender, &of_client(&handshake(), 30_000));
        thread::sleep(Duration::from_millis(300));
        fs::create_dir(&disk).unwrap();
        fs::set_permissions(&disk, PermissionsExt::from_mode(0o777)).unwrap();
        wait(|| lines() == 1, || format!("{} lines, {}", lines(), live.said()));
        let said = live.end();
        assert!(said.contains("lost: 0 packets, 0 handshakes"), "{said}");
    });
}

#[test]
fn a_deleted_file_is_made_anew() {
    in_namespace("a_deleted_file_is_made_anew", || {
        pair("gen0", "tap0");
        let sender = Sender::on("gen0");
        let scratch = Scratch::new("deleted");
        let flows = scratch.file("flows");
        let live = Live::start(&scratch, &["-o", flows.to_str().unwrap()]);
        fs::remove_file(&flows).unwrap();
        live.wait_for("was deleted");
        send(&sender, &handshake());
        wait(|| fs::read_to_string(&flows).is_ok_and(|text| text.lines().count() == 1), || live.said());
        live.end();
    });
}

#[test]
fn survives_an_interface_that_goes_down_or_away() {
    in_namespace("survives_an_interface_that_goes_down_or_away", || {
        pair("gen0", "tap0");
        let scratch = Scratch::new("down");
        let live = Live::start(&scratch, &["--metrics", "9201", "--stats-interval", "100ms"]);
        let health = || ask(9201, "/health");
        assert!(health().starts_with("HTTP/1.1 200 "), "{}", health());
        netns::run("ip link set gen0 down").unwrap();
        live.wait_for("tap0 is down");
        assert!(health().starts_with("HTTP/1.1 503 ") && health().contains("down"), "{}", health());
        netns::run("ip link set gen0 up").unwrap();
        live.wait_for("tap0 is up again");
        send(&Sender::on("gen0"), &handshake());
        wait(|| metric(9201, "handprint_records_written_total") == 1, || live.said());
        // Another interface of the same name.
        netns::run("ip link del gen0").unwrap();
        wait(|| health().starts_with("HTTP/1.1 503 "), health);
        pair("gen0", "tap0");
        wait(|| health().starts_with("HTTP/1.1 200 "), health);
        send(&Sender::on("gen0"), &of_client(&handshake(), 20_000));
        wait(|| metric(9201, "handprint_records_written_total") == 2, || live.said());
        assert!(ask(9201, "/").starts_with("HTTP/1.1 404 "));
        thread::sleep(Duration::from_millis(600));
        live.end();
        let text = fs::read_to_string(scratch.0.join("stdout")).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of_type = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
        assert_eq!(of_type("flow"), 2);
        assert!(of_type("stats") > 3);
        assert_eq!(lines.iter().rfind(|line| line["type"] == "stats").unwrap()["total"]["records"], 2);
    });
}
