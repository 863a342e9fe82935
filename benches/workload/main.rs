//! Writes a workload to a capture file: `cargo run --release --example workload -- flows 100000 /tmp/flows.pcap`, or
//! `bulk 1000000000 FILE` for about so many bytes of traffic without handshakes.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a tool for measurements, not part of the product"
)]

#[path = "mod.rs"]
mod workload;

use std::fs::File;
use std::io::BufWriter;

use handprint::capture::LinkType;
use handprint::capture::write::PcapWriter;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, amount, path] = arguments.as_slice() else {
        eprintln!("usage: workload flows|bulk AMOUNT FILE");
        std::process::exit(2);
    };
    let amount: u64 = amount.parse().unwrap_or_else(|_| panic!("{amount:?} is not a number"));
    let mut file = PcapWriter::new(BufWriter::with_capacity(1 << 20, File::create(path)?), LinkType::ETHERNET)?;
    let mut failed = None;
    let mut write = |frame: &workload::OwnedFrame| {
        if let Err(error) = file.write_frame(&frame.borrow()) {
            failed.get_or_insert(error);
        }
    };
    let frames = match kind.as_str() {
        "flows" => workload::Multiplier::new(1_000).run(usize::try_from(amount).unwrap_or(usize::MAX), &mut write),
        "bulk" => workload::bulk(amount, &mut write),
        other => panic!("{other:?} is neither flows nor bulk"),
    };
    if let Some(error) = failed {
        return Err(error);
    }
    file.finish()?;
    eprintln!("{frames} frames");
    Ok(())
}
