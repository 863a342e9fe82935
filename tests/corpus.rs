//! Reads the captures of a corpus that is not part of this repository, where there is one: `../shared/corpus`, or the
//! directory that `HANDPRINT_CORPUS` names. It holds `pcaps/` and `pcaps.jsonl`, one line a capture with its `pcap`
//! (path below `pcaps/`) and `kind`: `handshake`, `negative` (no handshake in it) or `robustness` (damaged).

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking and says what it skips"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use handprint::capture::Source;
use handprint::engine::{Engine, EngineConfig};
use handprint::record::FlowRecord;

/// How long one capture may take, unoptimised, on a machine that does something else as well.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn reads_every_capture_of_the_corpus() {
    let corpus = std::env::var_os("HANDPRINT_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    let Ok(list) = std::fs::read_to_string(corpus.join("pcaps.jsonl")) else {
        eprintln!("skipped: there is no corpus in {}", corpus.display());
        return;
    };
    let (mut captures, mut handshakes, mut wrong) = (0, 0, Vec::new());
    for line in list.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("one JSON object a line");
        let name = entry["pcap"].as_str().expect("a pcap");
        let kind = entry["kind"].as_str().expect("a kind");
        let began = Instant::now();
        let hellos = match read(&corpus.join("pcaps").join(name)) {
            Ok(hellos) => hellos,
            Err(error) if kind == "handshake" => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
            Err(_) => 0,
        };
        captures += 1;
        handshakes += hellos;
        if kind == "negative" && hellos > 0 {
            wrong.push(format!("{name}: {hellos} handshakes where there is none"));
        }
        if began.elapsed() > PATIENCE {
            wrong.push(format!("{name}: took {:.1} s", began.elapsed().as_secs_f64()));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(captures == 0 || handshakes > 0, "no handshake in {captures} captures");
    eprintln!("{captures} captures, {handshakes} handshakes");
}

/// The records with a hello of either side.
fn read(path: &Path) -> Result<u32, handprint::error::Error> {
    let mut source = Source::open(path)?;
    let mut engine = Engine::new(EngineConfig::for_capture(path.to_string_lossy()));
    let mut hellos = 0;
    let mut json = Vec::new();
    let mut sink = |record: &FlowRecord<'_>| {
        json.clear();
        serde_json::to_writer(&mut json, record).expect("a record is JSON");
        hellos += u32::from(record.hello.is_some() || record.facts.selection.is_some());
    };
    while let Some(frame) = source.next_frame()? {
        engine.push(&frame, &mut sink);
    }
    engine.finish(&mut sink);
    assert_eq!(engine.stats().open_flows, 0, "flows are left in {}", path.display());
    assert_eq!(engine.stats().buffered_bytes, 0, "buffers are left in {}", path.display());
    Ok(hellos)
}
