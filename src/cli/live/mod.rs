//! `handprint live`.

mod notices;
mod output;
#[cfg(target_os = "linux")]
mod privileges;
mod quantity;
#[cfg(unix)]
mod serve;
mod view;
mod watch;

use std::io::{self, IsTerminal as _};
#[cfg(unix)]
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result};
use handprint::capture::live::{Backend, Fanout, KernelCounts, LiveOptions, MAX_BLOCK_BYTES, MIN_BLOCK_BYTES, open};
use handprint::engine::Stats;
use handprint::output::metrics::{Gauges, Metrics, PROMETHEUS_CONTENT_TYPE, StatsLines, prometheus};
use handprint::output::ndjson::Ndjson;
use handprint::output::table::Table;
use handprint::output::text::{bytes as in_bytes, grouped};
use handprint::pipeline::Report;
use handprint::pipeline::live::{self, Ended, LiveStatus, Observer};
use handprint::record::FlowRecord;
use handprint::time::Timestamp;

use self::notices::Notices;
use self::output::{Output, Rotation, Target, Wishes};
use self::view::{Feed, View, ViewEnd};
use self::watch::Watch;
use super::Status;
use super::engine::EngineArguments;
use super::terminal::{self, complain};

/// The smallest file that is rotated, in bytes.
const LEAST_FILE: u64 = 1000;

/// How often signals and limits are looked at.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
SIGINT and SIGTERM end the capture: handshakes still open are written as incomplete; a second one ends it at once. \
SIGHUP opens the output anew.

Exit status: 0 done; 2 the interface could not be captured from, or an output not be written.")]
pub(super) struct Arguments {
    /// The interface; `handprint interfaces` lists them
    #[arg(short, long, value_name = "IFACE")]
    interface: String,
    /// How to write the handshakes [default: view on a terminal, otherwise ndjson]. With --output the view is shown too
    /// where there is a terminal, unless --quiet
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    format: Option<FormatName>,
    /// Append the handshakes to FILE, which may be a FIFO, instead of writing them to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Begin a new file at a SIZE (100MB), at every multiple of a TIME (1h), or at either (100MB,1h). What is being
    /// written is FILE with .part behind it; complete files bear the time they were begun at
    #[arg(long, value_name = "SIZE,TIME", value_parser = rotation, requires = "output")]
    rotate: Option<Rotation>,
    /// Compress the file
    #[arg(long, value_enum, value_name = "HOW", requires = "output")]
    compress: Option<Compress>,
    /// Keep the latest N complete files, and remove older ones
    #[arg(long, value_name = "N", requires = "rotate")]
    keep: Option<NonZero<u32>>,
    /// End after this TIME: 90s, 10m, 1h
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    duration: Option<Duration>,
    /// End after this many handshakes
    #[arg(long, value_name = "N")]
    count: Option<NonZero<u64>>,
    /// Threads to capture with
    #[arg(short = 'j', long, value_name = "N", default_value = "1")]
    threads: NonZero<u16>,
    #[command(flatten)]
    engine: EngineArguments,
    /// Bytes of handshakes that wait for an output that does not take them; what comes on top of that is dropped and
    /// counted
    #[arg(long, value_name = "SIZE", value_parser = quantity::size, default_value = "32MiB")]
    queue: u64,
    /// Write the state of the capture every TIME, as a line of JSON among the handshakes where these are ndjson,
    /// otherwise to standard error
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    stats_interval: Option<Duration>,
    /// Serve Prometheus metrics at /metrics and the state at /health (503 where the capture stands still) over HTTP: a
    /// port of this machine (9100), or an ADDRESS with a port
    #[cfg(unix)]
    #[arg(long, value_name = "ADDRESS", value_parser = serve::address)]
    metrics: Option<SocketAddr>,
    /// The user to become, where started by root [default: handprint, or nobody]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Do without seccomp and Landlock, should they be in the way
    #[arg(long)]
    no_sandbox: bool,
    /// Say nothing but results, losses and errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    ring: RingArguments,
}

/// How the kernel is asked for packets.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Capture")]
struct RingArguments {
    /// Capture only what a tcpdump expression selects (needs the cargo feature libpcap)
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
    /// What captures [default: the ring on Linux, libpcap elsewhere]
    #[arg(long, value_enum, value_name = "NAME")]
    backend: Option<BackendName>,
    /// Which packets meet in one thread: all between two hosts, or all of a flow (spreads better; not for tunnels in UDP)
    #[arg(long, value_enum, value_name = "BY", default_value = "hosts")]
    fanout: FanoutName,
    /// The ring of each thread: what bridges a pause
    #[arg(long, value_name = "SIZE", value_parser = quantity::size, default_value = "32MiB")]
    ring: u64,
    /// A block of it: small ones stay in the processor's cache
    #[arg(long, value_name = "SIZE", value_parser = block, default_value = "128KiB")]
    block: u64,
    /// How long the kernel fills a block on a quiet link
    #[arg(long, value_name = "TIME", value_parser = quantity::duration, default_value = "20ms")]
    block_timeout: Duration,
    /// Bytes taken of a packet [default: all]
    #[arg(long, value_name = "BYTES")]
    snap_length: Option<NonZero<u32>>,
    /// Do not ask the interface for packets to others
    #[arg(long)]
    no_promiscuous: bool,
    /// Take the time from the interface, where it can tell
    #[arg(long)]
    hardware_timestamps: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FormatName {
    /// For people: rates, losses, weak suites, findings, clients and servers, kept up to date; ? shows the keys
    View,
    /// For people: a row a handshake
    Table,
    /// For programs: one JSON object a line, see `handprint schema`
    Ndjson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Compress {
    /// gzip (RFC 1952), fast rather than small
    Gzip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum BackendName {
    /// A ring of memory shared with the kernel (Linux)
    Ring,
    /// libpcap
    Libpcap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FanoutName {
    /// All packets between the same two hosts
    Hosts,
    /// All packets of a flow
    Flows,
}

impl RingArguments {
    fn options(&self, threads: NonZero<u16>) -> Result<LiveOptions> {
        let mut options = LiveOptions::default();
        options.threads = threads.into();
        options.filter = self.filter.clone();
        options.backend = match self.backend {
            None => Backend::Auto,
            Some(BackendName::Ring) => Backend::Ring,
            Some(BackendName::Libpcap) => Backend::Libpcap,
        };
        options.fanout = match self.fanout {
            FanoutName::Hosts => Fanout::Hosts,
            FanoutName::Flows => Fanout::Flows,
        };
        options.ring_bytes = bytes(self.ring)?;
        options.block_bytes = bytes(self.block)?;
        options.block_timeout = self.block_timeout;
        if let Some(length) = self.snap_length {
            options.snap_length = length.get();
        }
        options.promiscuous = !self.no_promiscuous;
        options.hardware_timestamps = self.hardware_timestamps;
        Ok(options)
    }
}

fn bytes(size: u64) -> Result<usize> {
    usize::try_from(size).context("more memory than this machine can address")
}

fn block(text: &str) -> Result<u64, String> {
    let size = quantity::size(text)?;
    let allowed = MIN_BLOCK_BYTES..=MAX_BLOCK_BYTES;
    if usize::try_from(size).is_ok_and(|size| allowed.contains(&size)) {
        Ok(size)
    } else {
        Err("a block has 4KiB to 16MiB".to_owned())
    }
}

/// `100MB`, `1h` or both.
fn rotation(text: &str) -> Result<Rotation, String> {
    let mut rotation = Rotation::default();
    for part in text.split(',') {
        match (quantity::size(part), quantity::duration(part)) {
            (_, Ok(every)) if rotation.every.is_none() => rotation.every = Some(every),
            (Ok(size), _) if rotation.size.is_none() && size >= LEAST_FILE => rotation.size = Some(size),
            (Ok(_), _) if rotation.size.is_none() => return Err("a file has at least 1kB".to_owned()),
            _ => return Err("not a size, a time or both: 100MB, 1h, or 100MB,1h".to_owned()),
        }
    }
    Ok(rotation)
}

/// Captures until it is told to stop.
pub(super) fn run(arguments: &Arguments) -> Result<Status> {
    let mut options = live::Options::default();
    options.engine = arguments.engine.config()?;
    options.engine.capture.clone_from(&arguments.interface);
    options.queue_bytes = bytes(arguments.queue)?;
    let wishes = Arc::new(Wishes::default());
    let signals = Signals::new(&wishes)?;
    let sources = open(&arguments.interface, &arguments.ring.options(arguments.threads)?)?;

    let notices = Arc::new(Notices::default());
    let (is_viewed, table) = (arguments.is_viewed(), arguments.table());
    let is_written = arguments.output.is_some() || !is_viewed;
    let target = Target {
        path: arguments.output.clone(),
        rotation: arguments.rotate,
        gzip: arguments.compress.is_some(),
        keep: arguments.keep.map(|keep| usize::try_from(keep.get()).unwrap_or(usize::MAX)),
    };
    let heading = table.clone().map(|table| (table, PathBuf::from(&arguments.interface)));
    let wanted = arguments.count.map(NonZero::get);
    let mut output = Output::new(target, heading, wanted, Arc::clone(&wishes), Arc::clone(&notices))?;

    #[cfg(unix)]
    let server = arguments.metrics.map(serve::Server::bind).transpose()?;
    let standing = arguments.drop_privileges(&output)?;
    output.begin()?;

    let counted = Arc::new(Counted::new(arguments.threads));
    let (feed, glimpses) = is_viewed.then(view::channel).unzip();
    let mut make = |number| Reporter {
        format: match &table {
            _ if !is_written => None,
            Some(table) => Some(Box::new(table.clone())),
            None => Some(Box::new(Ndjson)),
        },
        feed: feed.clone(),
        metrics: Metrics::default(),
        counted: Arc::clone(&counted),
        number,
    };
    let capture = live::start(sources, &options, &mut make, output)?;
    if !arguments.quiet && !is_viewed {
        let plural = if arguments.threads.get() == 1 { "" } else { "s" };
        let (interface, threads) = (&arguments.interface, arguments.threads);
        complain("live", &format!("capturing on {interface} with {threads} thread{plural}{standing}"));
    }
    #[cfg(unix)]
    if let Some(server) = server {
        serve(server, capture.observer(), Arc::clone(&counted), Arc::clone(&wishes), arguments)?;
    }
    let mut view = match glimpses {
        Some(glimpses) => {
            let (observer, counted) = (capture.observer(), Arc::clone(&counted));
            let look = move || (counted.metrics(), counted.gauges(observer.status()));
            let view = View::open(&arguments.interface, terminal::colours_stdout(), glimpses)
                .context("the view cannot have the terminal (--format table and --format ndjson do without)")?;
            notices.hold();
            Some(view.start(Arc::clone(&notices), look).context("the view cannot be shown")?)
        }
        None => None,
    };
    let mut watch = Watch::new(&arguments.interface, Arc::clone(&wishes), Arc::clone(&notices));
    let mut lines = arguments.stats_interval.map(|interval| Lines::new(interval, counted.began));
    while !signals.stopped() && arguments.duration.is_none_or(|duration| counted.began.elapsed() < duration) {
        let status = capture.status();
        watch.look(&status);
        if status.enough || capture.is_broken() {
            break;
        }
        let has_enough = !is_written && wanted.is_some_and(|wanted| status.stats.flows >= wanted);
        if let Some(lines) = &mut lines
            && let Some(line) = lines.next(&counted, status)
        {
            match table {
                None if is_written => *lock(&wishes.line) = Some(line),
                _ => notices.print(&line),
            }
        }
        if let Some(over) = view.take_if(|view| view.is_over()) {
            let end = over.end();
            notices.release();
            // Who only looked on, looks on no more.
            if end == ViewEnd::Quit || !is_written {
                break;
            }
        }
        if has_enough {
            break;
        }
        thread::sleep(LOOK);
    }
    wishes.stop.store(true, Ordering::Release);
    let ended = capture.finish();
    // Last: a terminal that takes nothing must not be in the way of the records.
    if let Some(view) = view {
        view.end();
        notices.release();
    }
    Ok(say_end(ended, &wishes, &mut watch, arguments))
}

/// Says what a person must know of how it ended.
fn say_end(ended: Ended<Reporter>, wishes: &Wishes, watch: &mut Watch, arguments: &Arguments) -> Status {
    let status = &ended.status;
    watch.end(status);
    for error in &ended.errors {
        complain("error", &error.to_string());
    }
    let is_reader_gone = wishes.closed.load(Ordering::Acquire);
    let lost = wishes.lost.load(Ordering::Acquire) + status.queued.saturating_sub(status.written);
    if lost > 0 && !status.enough {
        complain("error", &format!("{} records could not be written", grouped(lost)));
    }
    if !arguments.quiet {
        let (stats, kernel) = (&status.stats, &status.kernel);
        let words = format!(
            "{} handshakes in {} packets ({}); lost: {} packets, {} handshakes",
            grouped(stats.flows),
            grouped(stats.packets),
            in_bytes(stats.bytes),
            grouped(kernel.dropped + status.unread),
            grouped(status.dropped + lost),
        );
        complain("done", &words);
    }
    let is_unwritten = (lost > 0 || ended.abandoned) && !is_reader_gone && !status.enough;
    if !ended.errors.is_empty() || is_unwritten { Status::Failed } else { Status::Done }
}

impl Arguments {
    /// Gives up what is not needed any more; says in words what the process is then.
    #[cfg(target_os = "linux")]
    fn drop_privileges(&self, output: &Output) -> Result<String> {
        let wanted = privileges::Wanted {
            user: self.user.as_deref(),
            raw: self.ring.backend == Some(BackendName::Libpcap),
            sandbox: !self.no_sandbox,
        };
        Ok(format!(", {}", privileges::drop_all(&wanted, output)?))
    }

    #[cfg(not(target_os = "linux"))]
    fn drop_privileges(&self, _output: &Output) -> Result<String> {
        match &self.user {
            Some(_) => anyhow::bail!("--user is for Linux"),
            None => Ok(String::new()),
        }
    }

    /// Whether the view is shown.
    fn is_viewed(&self) -> bool {
        let is_wanted = match (self.format, &self.output) {
            (Some(FormatName::View), _) => return true,
            (Some(_), None) => false,
            (None, None) | (_, Some(_)) => !self.quiet,
        };
        is_wanted && terminal::is_ours()
    }

    /// The table, where that is the format.
    fn table(&self) -> Option<Table> {
        let to_terminal = self.output.is_none() && io::stdout().is_terminal();
        let format = self.format.unwrap_or(if to_terminal { FormatName::Table } else { FormatName::Ndjson });
        let (width, colour) = if self.output.is_none() {
            (terminal::stdout_width(), terminal::colours_stdout())
        } else {
            (handprint::output::table::DEFAULT_WIDTH, terminal::colours_files())
        };
        (format == FormatName::Table).then(|| Table::new(width, colour))
    }
}

/// What the process is told from outside.
struct Signals {
    stop: Arc<AtomicBool>,
}

impl Signals {
    /// From now on signals are heeded: SIGINT and SIGTERM once, and then as ever.
    fn new(wishes: &Wishes) -> Result<Self> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))?;
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        #[cfg(unix)]
        signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(&wishes.reopen))?;
        Ok(Self { stop })
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

/// What the threads have counted beside what the engines do.
struct Counted {
    began: Instant,
    metrics: Vec<Mutex<Metrics>>,
}

impl Counted {
    fn new(threads: NonZero<u16>) -> Self {
        Self { began: Instant::now(), metrics: (0..threads.get()).map(|_| Mutex::default()).collect() }
    }

    /// All of it, as of about [`live::TICK`] ago.
    fn metrics(&self) -> Metrics {
        let mut all = Metrics::default();
        for metrics in &self.metrics {
            all.merge(&lock(metrics));
        }
        all
    }

    fn gauges(&self, status: LiveStatus) -> Gauges {
        Gauges { status, uptime: self.began.elapsed() }
    }
}

/// Lines of statistics, when it is time for them.
struct Lines {
    interval: Duration,
    due: Instant,
    lines: StatsLines,
}

impl Lines {
    fn new(interval: Duration, began: Instant) -> Self {
        Self { interval, due: began + interval, lines: StatsLines::default() }
    }

    fn next(&mut self, counted: &Counted, status: LiveStatus) -> Option<String> {
        let now = Instant::now();
        if now < self.due {
            return None;
        }
        while self.due <= now {
            self.due += self.interval;
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp::ZERO.plus(since);
        Some(self.lines.line(now, &counted.metrics(), &counted.gauges(status)))
    }
}

/// Serves metrics until the process ends.
#[cfg(unix)]
fn serve(
    server: serve::Server,
    observer: Observer,
    counted: Arc<Counted>,
    wishes: Arc<Wishes>,
    arguments: &Arguments,
) -> Result<()> {
    if let Some(address) = server.address() {
        if !arguments.quiet {
            complain("live", &format!("metrics at http://{address}/metrics"));
        }
        if !address.ip().is_loopback() {
            complain("warning", &format!("metrics are served to whoever can reach {address}"));
        }
    }
    server.start(move |path| {
        let status = observer.status();
        match path {
            "/metrics" => Some(serve::Page {
                is_well: true,
                media_type: PROMETHEUS_CONTENT_TYPE,
                body: prometheus(&counted.metrics(), &counted.gauges(status)),
            }),
            "/health" => {
                let complaint = watch::complaint(&status, &wishes);
                let body = format!("{}\n", complaint.unwrap_or("ok"));
                Some(serve::Page { is_well: complaint.is_none(), media_type: "text/plain; charset=utf-8", body })
            }
            _ => None,
        }
    })?;
    Ok(())
}

/// Renders records in one format, and counts them.
struct Reporter {
    /// Where records are written.
    format: Option<Box<dyn Report>>,
    /// Where there is a view.
    feed: Option<Feed>,
    metrics: Metrics,
    counted: Arc<Counted>,
    /// Of the thread.
    number: usize,
}

impl Report for Reporter {
    fn flow(&mut self, record: &FlowRecord<'_>, out: &mut Vec<u8>) {
        self.metrics.add(record);
        if let Some(format) = &mut self.format {
            format.flow(record, out);
        }
        if let Some(feed) = &mut self.feed {
            feed.offer(record);
        }
    }

    fn tick(&mut self, _stats: &Stats, _kernel: &KernelCounts) {
        if let Some(counted) = self.counted.metrics.get(self.number) {
            lock(counted).clone_from(&self.metrics);
        }
        if let Some(feed) = &mut self.feed {
            feed.refill();
        }
    }
}

/// A thread that panicked while it held one of these has left a whole value.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
