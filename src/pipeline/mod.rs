//! From captures to rendered records, on one core or on many.
//!
//! [`read`] takes captures through engines and hands what a [`Report`] made of each flow to a [`Consumer`], in an
//! order that does not depend on the number of threads: captures in the order given, the records of a capture by
//! (`ts`, `id`). Records of long handshakes come late; those that began after them are held back until they have, in
//! at most [`Options::hold_bytes`]. What goes over is handed on out of order, the earliest first, and counted.
//!
//! Live sources have a pipeline of their own, [`live`], which waits for nothing and holds nothing back.
//!
//! Several captures are read by a thread each; a large one is spread: one thread reads and decodes, and deals packets
//! to engines by the symmetric hash of their flow.
//!
//! Invariant: a capture is cut into runs of frames whose bounds depend on the capture alone. What ends in a run is put
//! in order, and what can be handed on is, at the end of the run; and every engine is told the time at the same frames.
//! So it does not matter which engine, or how many, read it, as long as no limit of [`EngineConfig`] is hit.
//!
//! ```
//! use std::ops::ControlFlow;
//! use std::path::{Path, PathBuf};
//!
//! use handprint::capture::inputs;
//! use handprint::pipeline::{self, Consumer, Options, Problem, Rendered, Report};
//! use handprint::record::FlowRecord;
//!
//! /// Renders the server's name, a line each.
//! struct Names;
//!
//! impl Report for Names {
//!     fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>) {
//!         if let Some(name) = &record.facts.hello.server_name {
//!             out.extend_from_slice(name.as_bytes());
//!             out.push(b'\n');
//!         }
//!     }
//! }
//!
//! /// Gathers what was rendered.
//! struct Gather(Vec<u8>);
//!
//! impl Consumer for Gather {
//!     fn records(&mut self, _capture: &Path, records: &[Rendered]) -> ControlFlow<()> {
//!         for record in records {
//!             self.0.extend_from_slice(&record.text);
//!         }
//!         ControlFlow::Continue(())
//!     }
//!
//!     fn problem(&mut self, problem: Problem) {
//!         panic!("{problem:?}");
//!     }
//!
//!     fn progress(&mut self, _bytes: u64) -> ControlFlow<()> {
//!         ControlFlow::Continue(())
//!     }
//! }
//!
//! let mut gather = Gather(Vec::new());
//! let paths = [PathBuf::from("pcaps/tls/versions")];
//! let (stats, _) = pipeline::read(inputs(&paths), &Options::default(), &|| Names, &mut gather);
//! assert!(stats.flows > 1);
//! assert!(gather.0.starts_with(b"www.example.org\n"));
//! ```

#[cfg(feature = "live")]
pub mod live;
mod many;
mod order;
mod single;
mod spread;
#[cfg(test)]
mod tests;

use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;

#[cfg(feature = "live")]
use crate::capture::live::KernelCounts;
use bytes::Bytes;

use crate::capture::{Damage, Input};
use crate::engine::{EngineConfig, Stats};
use crate::error::Error;
use crate::record::FlowRecord;
use crate::time::Timestamp;

/// Bytes from which a single capture is spread over threads. Below, they are not worth starting.
const SPREAD_FROM: u64 = 4 << 20;

/// Renders records. One an engine; what it has gathered is given back at the end.
pub trait Report: Send {
    /// Appends what is to be handed on of `record` to `out`; nothing where nothing is.
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>);

    /// Told about every [`live::TICK`] what the engine, and the kernel for its source, have counted so far, where the
    /// source is a live one; and at its end.
    #[cfg(feature = "live")]
    fn tick(&mut self, _stats: &Stats, _kernel: &KernelCounts) {}
}

/// What a [`Report`] made of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// When the handshake began.
    pub started: Timestamp,
    /// The text: a part of a larger one, whose memory lives as long as this does.
    pub text: Bytes,
}

/// Takes what [`read`] has to say, on the thread that called it.
pub trait Consumer {
    /// Rendered records in their order, at least one. `Break` ends the reading.
    fn records(&mut self, capture: &Path, records: &[Rendered]) -> ControlFlow<()>;

    /// Something a person should know about an input.
    fn problem(&mut self, problem: Problem);

    /// The end of a run of frames: `bytes` more of the inputs have been read. `Break` ends the reading.
    fn progress(&mut self, bytes: u64) -> ControlFlow<()>;
}

/// What went wrong with an input.
#[derive(Debug)]
pub enum Problem {
    /// It could not be read, or not to its end.
    Unreadable(Error),
    /// It ends early; what it held was read.
    Damaged {
        /// The input.
        path: PathBuf,
        /// What is wrong.
        damage: Damage,
    },
    /// Records were handed on out of order: more would have had to be held back than may be, or the capture's times
    /// run backwards.
    OutOfOrder {
        /// The input.
        path: PathBuf,
        /// How many.
        records: u64,
    },
}

/// How to read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What each engine is told, but for the capture's name. Where a capture is spread, its engines share the limits.
    pub engine: EngineConfig,
    /// Threads that follow flows; with one, everything happens on the thread that asks.
    pub threads: NonZero<usize>,
    /// Bytes of rendered records held back at most, for each capture that is being read; their memory is at most
    /// twice that.
    pub hold_bytes: usize,
}

impl Default for Options {
    /// As many threads as there are cores; 64 MiB held back at most.
    fn default() -> Self {
        let threads = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        Self { engine: EngineConfig::default(), threads, hold_bytes: 64 << 20 }
    }
}

/// Reads `inputs`, which are not looked at before their turn. What the engines counted, and the reports, come back.
pub fn read<R: Report>(
    inputs: Vec<Result<Input, Error>>,
    options: &Options,
    make: &dyn Fn() -> R,
    consumer: &mut dyn Consumer,
) -> (Stats, Vec<R>) {
    let mut stats = Stats::default();
    let mut reports: Vec<R> = (0..options.threads.get()).map(|_| make()).collect();
    let total: u64 = inputs.iter().flatten().filter_map(|input| input.size).sum();
    let mut inputs = inputs.into_iter().peekable();
    while let Some(input) = inputs.next() {
        let flow = match input {
            Err(error) => {
                consumer.problem(Problem::Unreadable(error));
                ControlFlow::Continue(())
            }
            Ok(input) if is_spread(&input, total, options) => {
                spread::read(&input, options, &mut reports, &mut stats, consumer)
            }
            Ok(input) => {
                let mut group = vec![input];
                while let Some(Ok(next)) =
                    inputs.next_if(|next| next.as_ref().is_ok_and(|next| !is_spread(next, total, options)))
                {
                    group.push(next);
                }
                many::read(group, options, &mut reports, &mut stats, consumer)
            }
        };
        if flow.is_break() {
            break;
        }
    }
    (stats, reports)
}

/// Whether a capture is worth all threads: a stream, or so large that the others are done before it is.
fn is_spread(input: &Input, total: u64, options: &Options) -> bool {
    let threads = u64::try_from(options.threads.get()).unwrap_or(u64::MAX);
    let is_large = |size: u64| size >= SPREAD_FROM && size > total / threads;
    threads > 1 && input.size.is_none_or(is_large)
}

/// Frames in a run. Long enough that its end costs nothing, short enough that its records are still in the processor's
/// cache when they are handed on; shorter for a stream, whose records somebody waits for.
const fn run_length(input: &Input) -> u32 {
    if input.size.is_some() { 512 } else { 256 }
}

/// Says what is to be said of an input at its end.
fn close(input: &Input, damage: Option<&Damage>, order: &order::Order, consumer: &mut dyn Consumer) {
    if let Some(damage) = damage {
        consumer.problem(Problem::Damaged { path: input.path.clone(), damage: damage.clone() });
    }
    if order.late > 0 {
        consumer.problem(Problem::OutOfOrder { path: input.path.clone(), records: order.late });
    }
}
