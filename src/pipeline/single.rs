//! One capture through one engine, on the thread that asks.

use std::ops::ControlFlow;
use std::slice;

use super::order::{Order, Run};
use super::{Consumer, Options, Problem, Report, run_length};
use crate::capture::Input;
use crate::engine::{Engine, EngineConfig, Stats};
use crate::record::FlowRecord;
use crate::time::Timestamp;

/// Reads `input` to its end.
pub(super) fn read(
    input: &Input,
    options: &Options,
    report: &mut impl Report,
    stats: &mut Stats,
    consumer: &mut dyn Consumer,
) -> ControlFlow<()> {
    let mut source = match input.open() {
        Ok(source) => source,
        Err(error) => {
            consumer.problem(Problem::Unreadable(error));
            return consumer.progress(input.size.unwrap_or_default());
        }
    };
    let capture = input.path.display().to_string();
    let mut engine = Engine::new(EngineConfig { capture, ..options.engine.clone() });
    let mut order = Order::new(options.hold_bytes);
    let mut run = Run::default();
    let (length, mut progress) = (run_length(input), 0);
    let mut flow = ControlFlow::Continue(());
    let mut more = true;
    while more && flow.is_continue() {
        run.clear();
        let mut sink = |record: &FlowRecord<'_>| run.flow(record, report);
        for _ in 0..length {
            match source.next_frame() {
                Ok(Some(frame)) => engine.push(&frame, &mut sink),
                Ok(None) => more = false,
                Err(error) => {
                    consumer.problem(Problem::Unreadable(error));
                    more = false;
                }
            }
            if !more {
                engine.finish(&mut sink);
                break;
            }
        }
        run.settled = if more { engine.settled() } else { Timestamp::END };
        flow = order.take(slice::from_mut(&mut run), &mut |records| consumer.records(&input.path, records));
        if flow.is_continue() {
            let read = source.bytes_read();
            flow = consumer.progress(read.saturating_sub(progress));
            progress = read;
        }
    }
    stats.merge(&engine.stats());
    super::close(input, source.damage(), &order, consumer);
    flow
}
