//! From captures to rendered records, on one core or on many.
//!
//! [`read`] takes captures through engines and hands what a [`Report`] made of each flow to a [`Consumer`], in an
//! order that does not depend on the number of threads: captures in the order given, the records of a capture by
//! (`ts`, `id`). Records of long handshakes come late; those that began after them are held back until they have, in
//! at most [`Options::hold_bytes`]. What goes over is handed on out of order, the earliest first, and counted.
//!
//! Invariant: a capture is cut into runs of frames whose bounds depend on the capture alone. What ends in a run is put
//! in order, and what can be handed on is, at the end of the run; so it does not matter which engine, or how many,
//! read it.

mod order;
mod single;

use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;

use crate::capture::{Damage, Input};
use crate::engine::{EngineConfig, Stats};
use crate::error::Error;
use crate::record::FlowRecord;
use crate::time::Timestamp;

/// Renders records. One an engine; what it has gathered is given back at the end.
pub trait Report: Send {
    /// Appends what is to be handed on of `record` to `out`; nothing where nothing is.
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>);
}

/// Takes what [`read`] has to say, on the thread that called it.
pub trait Consumer {
    /// A rendered record, of a handshake that began at `started`. `Break` ends the reading.
    fn record(&mut self, capture: &Path, started: Timestamp, rendered: &[u8]) -> ControlFlow<()>;

    /// Something a person should know about an input.
    fn problem(&mut self, problem: &Problem);

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
        path: std::path::PathBuf,
        /// What is wrong.
        damage: Damage,
    },
    /// So much had to be held back that records were handed on out of order.
    OutOfOrder {
        /// The input.
        path: std::path::PathBuf,
        /// How many.
        records: u64,
    },
}

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// What each engine is told, but for the capture's name.
    pub engine: EngineConfig,
    /// Threads that follow flows. One reads on the thread that asks.
    pub threads: NonZero<usize>,
    /// Bytes of rendered records held back at most.
    pub hold_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        let threads = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        Self { engine: EngineConfig::default(), threads, hold_bytes: 64 << 20 }
    }
}

/// Reads `inputs` one after the other. What the engines counted, and the reports, come back.
pub fn read<R: Report>(
    inputs: Vec<Result<Input, Error>>,
    options: &Options,
    make: &(dyn Fn() -> R + Sync),
    consumer: &mut dyn Consumer,
) -> (Stats, Vec<R>) {
    let mut stats = Stats::default();
    let mut report = make();
    for input in inputs {
        let flow = match input {
            Ok(input) => single::read(&input, options, &mut report, &mut stats, consumer),
            Err(error) => {
                consumer.problem(&Problem::Unreadable(error));
                ControlFlow::Continue(())
            }
        };
        if flow.is_break() {
            break;
        }
    }
    (stats, vec![report])
}

/// Frames in a run. Long enough that its end costs nothing; short for a stream, whose records somebody waits for.
const fn run_length(input: &Input) -> u32 {
    if input.size.is_some() { 4096 } else { 256 }
}

/// Says what is to be said of an input at its end.
fn close(input: &Input, damage: Option<&Damage>, order: &order::Order, consumer: &mut dyn Consumer) {
    if let Some(damage) = damage {
        consumer.problem(&Problem::Damaged { path: input.path.clone(), damage: damage.clone() });
    }
    if order.late > 0 {
        consumer.problem(&Problem::OutOfOrder { path: input.path.clone(), records: order.late });
    }
}
