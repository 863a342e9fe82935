//! Draws the view. Decides nothing but what there is room for.
//!
//! ```text
//! header     how fast, what was lost, how full           always
//! counts     versions and weak suites, last minutes      from 18 lines on
//! lists      findings or handshakes, both from 40 lines  always
//! hosts      clients beside servers                      from 18 lines on
//! footer     keys, the filter, a notice                  always
//! ```

use std::borrow::Cow;
use std::net::IpAddr;

use handprint::findings::Severity;
use handprint::output::counts::Weakness;
use handprint::output::metrics::Metrics;
use handprint::output::table::{arrow, ends, outcome};
use handprint::output::text::{self, bytes, grouped};
use handprint::time::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Sparkline};

use super::detail::{self, Tone};
use super::glimpse::Glimpse;
use super::lists::Pane;
use super::model::{Group, Losses, Model};
use super::screen::{Over, Screen};
use super::tops::{Host, MINUTES};

/// Columns between cells.
const GAP: usize = 1;

/// What drawing needs besides the model and the screen.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// What is captured.
    pub(super) title: String,
    pub(super) colour: bool,
    /// The machine's time.
    pub(super) now: Timestamp,
    /// Something to be said at the bottom.
    pub(super) notice: Option<String>,
}

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, screen: &mut Screen, model: &Model, setting: &Setting) {
    let area = frame.area();
    let paint = Paint { colour: setting.colour };
    let header = if area.height >= 12 { 4 } else { 2 };
    let [top, body, bottom] =
        Layout::vertical([Constraint::Length(header), Constraint::Fill(1), Constraint::Length(1)]).areas(area);
    draw_header(frame, top, model, setting, paint);
    match &mut screen.over {
        Over::Handshake(glimpse, first) => {
            screen.page = usize::from(body.height.saturating_sub(1));
            draw_handshake(frame, body, glimpse, first, paint);
        }
        Over::Nothing | Over::Help => draw_panes(frame, body, screen, model, paint),
    }
    if matches!(screen.over, Over::Help) {
        draw_help(frame, body);
    }
    draw_footer(frame, bottom, screen, model, setting, paint);
}

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);

/// Styles, with colours or without.
#[derive(Clone, Copy, Debug)]
struct Paint {
    colour: bool,
}

impl Paint {
    fn with(self, style: Style, colour: Color) -> Style {
        if self.colour { style.fg(colour) } else { style }
    }

    fn severity(self, severity: Severity) -> Style {
        let plain = Style::new();
        match severity {
            Severity::Info => plain.add_modifier(Modifier::DIM),
            Severity::Low => self.with(plain, Color::Cyan),
            Severity::Medium => self.with(plain, Color::Yellow),
            Severity::High => self.with(plain, Color::Red),
            Severity::Critical => self.with(plain, Color::Red).add_modifier(Modifier::BOLD),
        }
    }

    /// Something is wrong.
    fn alarm(self) -> Style {
        self.with(Style::new().add_modifier(Modifier::BOLD), Color::Red)
    }

    fn good(self) -> Style {
        self.with(Style::new(), Color::Green)
    }
}

fn draw_header(frame: &mut Frame<'_>, area: Rect, model: &Model, setting: &Setting, paint: Paint) {
    let width = usize::from(area.width);
    let status = &model.gauges.status;
    let mut lines = Vec::new();

    let clock = setting.now.to_string();
    let clock = format!("{} UTC", clock.get(..19).unwrap_or_default().replace('T', " "));
    let uptime = duration(model.gauges.uptime.as_secs());
    let threads = format!("{} thread{}", status.threads, if status.threads == 1 { "" } else { "s" });
    let title = text::plain(&setting.title);
    let left = format!("handprint  {title}  up {uptime}  {threads}");
    let room = width.saturating_sub(text::width(&clock) + 1);
    let left = text::elide(&left, room).into_owned();
    let gap = width.saturating_sub(text::width(&left) + text::width(&clock));
    lines.push(Line::from(vec![Span::styled(left, BOLD), Span::raw(" ".repeat(gap)), Span::raw(clock)]));

    let losses = loss_spans(model, paint);
    let rates = model.rates();
    let speed = format!(
        "{} packets/s  {}/s  {} handshakes/s  {} findings/s",
        per_second(rates.packets),
        bytes_per_second(rates.bytes),
        per_second(rates.handshakes),
        per_second(rates.findings),
    );
    let down = status.threads.saturating_sub(status.up);
    let mut state = Vec::new();
    if down > 0 && status.threads > 0 {
        state.push(Span::styled("! interface down  ", paint.alarm()));
    }
    if status.silence.as_secs() >= 2 {
        state.push(Span::styled(format!("! a thread is stuck for {} s  ", status.silence.as_secs()), paint.alarm()));
    }
    let queue = percent(status.queued_bytes as f64, status.queue_bytes as f64);
    let fill = f64::from(status.kernel.ring_fill);
    for (name, value, is_high) in [
        ("ring", percent(fill, 1.0), fill > 0.5),
        ("queue", queue.clone(), half(status.queued_bytes, status.queue_bytes)),
    ] {
        let style = if is_high { paint.alarm() } else { Style::new() };
        state.push(Span::styled(format!("{name} {value}  "), style));
    }
    let (flows, buffers) = (grouped(status.stats.open_flows as u64), bytes(status.stats.buffered_bytes as u64));
    state.push(Span::raw(format!("open flows {flows}  buffers {buffers}")));
    if area.height >= 4 {
        lines.push(Line::raw(speed));
        lines.push(Line::from(losses));
        lines.push(Line::from(state));
    } else {
        lines.push(Line::from(losses));
    }
    let used: Vec<usize> = lines.iter().map(Line::width).collect();
    frame.render_widget(Paragraph::new(lines), area);
    if let [_, speed, losses, _] = *used {
        draw_history(frame, area, model, speed.max(losses), paint);
    }
}

/// The last minutes of traffic, to the right of what is written in the header, where there is room.
fn draw_history(frame: &mut Frame<'_>, area: Rect, model: &Model, used: usize, paint: Paint) {
    const LABEL: u16 = 13;
    const LEAST_BARS: u16 = 24;
    let used = u16::try_from(used).unwrap_or(u16::MAX).saturating_add(3).max(70);
    let bars = area.width.saturating_sub(used).saturating_sub(LABEL).min(120);
    if bars < LEAST_BARS {
        return;
    }
    let counters: [(&str, Vec<u64>); 2] = [
        ("packets/s", model.history(|counted| counted.packets)),
        ("handshakes/s", model.history(|counted| counted.handshakes)),
    ];
    let left = area.right().saturating_sub(bars);
    for (line, (name, history)) in (1..).zip(counters) {
        let place = Rect { x: left.saturating_sub(LABEL), y: area.y + line, width: LABEL, height: 1 };
        frame.render_widget(Paragraph::new(name).style(DIM), place);
        // The latest at the right.
        let shown = history.get(history.len().saturating_sub(usize::from(bars))..).unwrap_or_default();
        let width = u16::try_from(shown.len()).unwrap_or(bars).min(bars);
        let place = Rect { x: area.right() - width, y: area.y + line, width, height: 1 };
        frame.render_widget(Sparkline::default().data(shown).style(paint.with(Style::new(), Color::Cyan)), place);
    }
}

/// `lost: kernel 0  interface 0 …`: what is not zero stands out, in colour and without.
fn loss_spans(model: &Model, paint: Paint) -> Vec<Span<'static>> {
    let Losses { kernel, interface, limits, records } = model.losses();
    let lost = [("kernel", kernel), ("interface", interface), ("limits", limits), ("records", records)];
    let any = lost.iter().any(|(_, count)| *count > 0);
    let mut spans = vec![if any { Span::styled("! lost", paint.alarm()) } else { Span::styled("lost", paint.good()) }];
    for (name, count) in lost {
        let style = if count > 0 { paint.alarm() } else { Style::new() };
        spans.push(Span::raw("  "));
        spans.push(Span::styled(format!("{name} {}", grouped(count)), style));
    }
    let rate = model.rates().losses;
    if rate > 0.0 {
        spans.push(Span::styled(format!("  now {}/s", per_second(rate)), paint.alarm()));
    }
    spans
}

fn draw_panes(frame: &mut Frame<'_>, body: Rect, screen: &mut Screen, model: &Model, paint: Paint) {
    let both = body.height >= 40;
    let is_small = body.height < 14;
    let focused = screen.pane;
    if is_small {
        draw_pane(frame, body, focused, screen, paint);
        return;
    }
    let metrics = model.last_minutes();
    // What the lists below do not need goes to those above.
    let counts = count_rows(&metrics).clamp(2, if body.height >= 24 { 8 } else { 5 }) + 2;
    let rest = body.height.saturating_sub(counts);
    let most = screen.lists.len(Pane::Clients).max(screen.lists.len(Pane::Servers)).max(1);
    let hosts = u16::try_from(most + 1).unwrap_or(u16::MAX).min(if both { rest / 3 } else { rest * 45 / 100 });
    let [counted, listed, hosted] =
        Layout::vertical([Constraint::Length(counts), Constraint::Fill(1), Constraint::Length(hosts)]).areas(body);
    draw_counts(frame, counted, &metrics, paint);
    if both {
        let [upper, lower] = Layout::vertical([Constraint::Percentage(45), Constraint::Fill(1)]).areas(listed);
        draw_pane(frame, upper, Pane::Findings, screen, paint);
        draw_pane(frame, lower, Pane::Handshakes, screen, paint);
    } else {
        let pane = if focused == Pane::Handshakes || (focused != Pane::Findings && !screen.filter_text.is_empty()) {
            Pane::Handshakes
        } else {
            Pane::Findings
        };
        draw_pane(frame, listed, pane, screen, paint);
    }
    let [left, _, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(2), Constraint::Fill(1)]).areas(hosted);
    draw_pane(frame, left, Pane::Clients, screen, paint);
    draw_pane(frame, right, Pane::Servers, screen, paint);
}

/// A title and the line behind it, to the width.
fn rule(title: &str, width: usize, style: Style, dim: Style) -> Line<'static> {
    let title = text::elide(title, width).into_owned();
    let rest = width.saturating_sub(text::width(&title) + 1);
    Line::from(vec![Span::styled(title, style), Span::styled(format!(" {}", "─".repeat(rest)), dim)])
}

/// Rows that the counts would fill.
fn count_rows(metrics: &Metrics) -> u16 {
    let versions = metrics.handshakes().filter(|(.., count)| *count > 0).count();
    let weak = metrics.weak().iter().filter(|(_, negotiated, offered)| *negotiated > 0 || *offered > 0).count();
    u16::try_from(versions.max(weak)).unwrap_or(u16::MAX)
}

fn draw_counts(frame: &mut Frame<'_>, area: Rect, metrics: &Metrics, paint: Paint) {
    let [left, _, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(2), Constraint::Fill(1)]).areas(area);
    let rows = usize::from(area.height).saturating_sub(2);
    frame.render_widget(Paragraph::new(version_lines(metrics, usize::from(left.width), rows, paint)), left);
    frame.render_widget(Paragraph::new(weak_lines(metrics, usize::from(right.width), rows, paint)), right);
}

fn version_lines(metrics: &Metrics, width: usize, rows: usize, paint: Paint) -> Vec<Line<'static>> {
    const NAME: usize = 19;
    let mut lines = vec![rule(&format!("Negotiated, last {MINUTES} minutes"), width, BOLD, DIM)];
    let counted: Vec<_> = metrics.handshakes().filter(|(.., count)| *count > 0).collect();
    let total: u64 = counted.iter().map(|(.., count)| count).sum();
    let shown = version_rows(&counted, rows);
    let most = shown.iter().map(|(_, count, _)| *count).max().unwrap_or(1);
    let bar_room = Some(width.saturating_sub(NAME + 10 + 6 + 3)).filter(|room| *room >= 4).unwrap_or_default();
    for (name, count, severity) in shown {
        let style = severity.map_or(Style::new(), |severity| paint.severity(severity));
        let bar = small((count as f64 / most as f64 * bar_room as f64).ceil()).min(bar_room);
        let share = percent(count as f64, total as f64);
        lines.push(Line::from(vec![
            Span::styled(format!("{name:<NAME$}{:>10}{share:>6}", grouped(count)), style),
            Span::styled(format!("  {}", "▪".repeat(bar)), DIM),
        ]));
    }
    if counted.is_empty() {
        lines.push(Line::styled("no handshakes yet", DIM));
    }
    lines
}

/// Versions by name, the oldest first. Where there are more than `rows`, the old ones share a row, and the rare of the
/// others another.
fn version_rows(counted: &[(&str, &str, u64)], rows: usize) -> Vec<(String, u64, Option<Severity>)> {
    let row = |(transport, version, count): &(&str, &str, u64)| {
        let name = match (*transport, *version) {
            ("tcp", "none") => "no ServerHello".to_owned(),
            (transport, "none") => format!("no ServerHello {}", transport.to_uppercase()),
            ("quic", version) => format!("{version} QUIC"),
            (_, version) => version.to_owned(),
        };
        (name, *count, version_severity(version))
    };
    if counted.len() <= rows {
        return counted.iter().map(row).collect();
    }
    let sum = |list: &[(&str, &str, u64)]| list.iter().map(|(.., count)| count).sum::<u64>();
    let (old, mut new): (Vec<_>, Vec<_>) =
        counted.iter().partition(|(_, version, _)| version_severity(version).is_some());
    let mut shown = Vec::with_capacity(rows);
    let worst = old.iter().filter_map(|(_, version, _)| version_severity(version)).max();
    match &*old {
        [] => {}
        [one] => shown.push(row(one)),
        many => shown.push(("older than TLSv1.2".to_owned(), sum(many), worst)),
    }
    let room = rows.saturating_sub(shown.len() + 1).min(new.len());
    let mut by_count = new.clone();
    by_count.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
    let rare = by_count.split_off(room);
    new.retain(|version| by_count.contains(version));
    shown.extend(new.iter().map(row));
    match &*rare {
        [] => {}
        [one] => shown.push(row(one)),
        many => shown.push((format!("{} others", many.len()), sum(many), None)),
    }
    shown
}

/// What a version being in use is worth, for its colour.
fn version_severity(version: &str) -> Option<Severity> {
    match version {
        "SSLv2" | "SSLv3" => Some(Severity::Critical),
        "TLSv1.0" | "TLSv1.1" | "DTLSv1.0" => Some(Severity::High),
        _ => None,
    }
}

fn weak_lines(metrics: &Metrics, width: usize, rows: usize, paint: Paint) -> Vec<Line<'static>> {
    let title = format!("{:<16}{:>12}{:>10}", "Weak suites", "negotiated", "offered");
    let mut lines = vec![rule(&title, width, BOLD, DIM)];
    let counted: Vec<_> =
        metrics.weak().iter().filter(|(_, negotiated, offered)| *negotiated > 0 || *offered > 0).collect();
    for (Weakness { words, .. }, negotiated, offered) in counted.iter().take(rows) {
        let style = if *negotiated > 0 { paint.severity(Severity::High) } else { Style::new() };
        let (chosen, possible) = (dash(*negotiated), dash(*offered));
        lines.push(Line::styled(format!("{words:<16}{chosen:>12}{possible:>10}"), style));
    }
    if counted.is_empty() {
        lines.push(Line::styled("none", DIM));
    }
    lines
}

fn draw_pane(frame: &mut Frame<'_>, area: Rect, pane: Pane, screen: &mut Screen, paint: Paint) {
    let width = usize::from(area.width);
    let rows = usize::from(area.height.saturating_sub(1));
    let (chosen, first) = screen.window(pane, rows);
    let is_focused = screen.pane == pane;
    let length = screen.lists.len(pane);
    let mut title = format!("{} {}", if is_focused { "▶" } else { " " }, pane.title());
    match pane {
        Pane::Clients | Pane::Servers if screen.filter_text.is_empty() => {
            title.push_str(&format!(", last {MINUTES} minutes"));
        }
        _ => {}
    }
    if !screen.filter_text.is_empty() {
        title.push_str(&format!(", {}", grouped(length as u64)));
    }
    title.push_str(&format!(", {}", screen.order(pane).words()));
    let style = if is_focused { paint.with(BOLD, Color::Cyan) } else { BOLD };
    let mut lines = vec![rule(&title, width, style, DIM)];
    for place in first..length.min(first.saturating_add(rows)) {
        let line = match pane {
            Pane::Findings => screen.lists.findings.get(place).map(|group| finding_line(group, width, paint)),
            Pane::Handshakes => screen.lists.handshakes.get(place).map(|glimpse| handshake_line(glimpse, width, paint)),
            Pane::Clients => {
                screen.lists.clients.get(place).map(|(address, host)| host_line(*address, host, width, paint))
            }
            Pane::Servers => {
                screen.lists.servers.get(place).map(|(address, host)| host_line(*address, host, width, paint))
            }
        };
        let Some(mut line) = line else { break };
        if is_focused && place == chosen {
            // To the end of the line, without the colours of its cells.
            let words = line.spans.iter().map(|span| span.content.as_ref()).collect::<String>();
            let style = Style::new().add_modifier(Modifier::REVERSED);
            line = Line::styled(format!("{words}{}", " ".repeat(width.saturating_sub(text::width(&words)))), style);
        }
        lines.push(line);
    }
    if length == 0 && rows > 0 {
        let words = match pane {
            _ if !screen.filter_text.is_empty() => "nothing matches the filter",
            Pane::Findings => "none so far",
            _ => "none yet",
        };
        lines.push(Line::styled(format!("  {words}"), DIM));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// Cells of fixed widths, of which the last takes what is left.
struct Cells {
    spans: Vec<Span<'static>>,
    left: usize,
}

impl Cells {
    fn new(width: usize) -> Self {
        Self { spans: Vec::new(), left: width }
    }

    fn cell(mut self, words: &str, width: usize, style: Style) -> Self {
        let width = width.min(self.left);
        let words = text::elide(words, width);
        let blanks = (width + GAP).min(self.left) - text::width(&words).min(width);
        self.left -= (width + GAP).min(self.left);
        self.spans.push(Span::styled(words.into_owned(), style));
        self.spans.push(Span::raw(" ".repeat(blanks)));
        self
    }

    fn line(self) -> Line<'static> {
        Line::from(self.spans)
    }
}

fn finding_line(group: &Group, width: usize, paint: Paint) -> Line<'static> {
    let glimpse = &group.newest;
    let style = paint.severity(group.severity);
    let rule = format!("{} {}", group.rule.id, group.rule.name);
    let name = if width >= 120 { 44 } else { width / 3 };
    let rest = width.saturating_sub(8 + 7 + 8 + name + 4 * GAP);
    let (ends_width, name_width) =
        if rest >= 60 { (44.min(rest - 16), rest - 44.min(rest - 16) - GAP) } else { (rest, 0) };
    let count = if group.count > 1 { format!("×{}", short(group.count)) } else { String::new() };
    Cells::new(width)
        .cell(&time(glimpse.started), 8, Style::new())
        .cell(&count, 7, Style::new())
        .cell(group.severity.name(), 8, style)
        .cell(&rule, name, style)
        .cell(&hosts(glimpse, ends_width), ends_width, Style::new())
        .cell(&name_of(glimpse), name_width, Style::new())
        .line()
}

fn handshake_line(glimpse: &Glimpse, width: usize, paint: Paint) -> Line<'static> {
    let finding = match glimpse.worst() {
        Some((rule, severity)) => {
            let more = glimpse.findings.len() - 1;
            let more = if more > 0 { format!(" +{more}") } else { String::new() };
            let name = if width >= 130 { format!(" {}", rule.name) } else { String::new() };
            (format!("{severity} {}{more}{name}", rule.id), paint.severity(severity))
        }
        None => (String::new(), Style::new()),
    };
    let suite = glimpse.suite.as_deref().map_or_else(|| outcome(glimpse.outcome), str::to_owned);
    let (suite_width, finding_width) = if width >= 130 { (24, 40) } else { (if width >= 115 { 20 } else { 0 }, 20) };
    let version_width = 8;
    let fixed = 8 + version_width + suite_width + finding_width + (5 - usize::from(suite_width == 0)) * GAP;
    let rest = width.saturating_sub(fixed);
    let ends_width = if rest < 36 { rest } else { (rest * 3 / 5).min(60) };
    let mut cells = Cells::new(width)
        .cell(&time(glimpse.started), 8, Style::new())
        .cell(&hosts(glimpse, ends_width), ends_width, Style::new())
        .cell(&name_of(glimpse), rest.saturating_sub(ends_width), Style::new());
    let version = if glimpse.suite.is_none() && suite_width == 0 { suite.as_str() } else { glimpse.version };
    cells = cells.cell(version, version_width, Style::new());
    if suite_width > 0 {
        cells = cells.cell(&suite, suite_width, Style::new());
    }
    cells.cell(&finding.0, finding_width, finding.1).line()
}

fn host_line(address: IpAddr, host: &Host, width: usize, paint: Paint) -> Line<'static> {
    let (worst, style) = match host.worst {
        Some((severity, rule)) if width >= 50 => (format!("{severity} {}", rule.id), paint.severity(severity)),
        Some((severity, _)) => (severity.name().to_owned(), paint.severity(severity)),
        None => (String::new(), Style::new()),
    };
    let (count_width, worst_width) = (8, if width >= 50 { 16 } else { 8 });
    let rest = width.saturating_sub(count_width + worst_width + 3 * GAP + 2);
    // Names begin at the same column behind IPv4 addresses, and further right behind longer ones.
    let address = format!("  {:<15}", text::elide(&address.to_string(), rest));
    let name_width = (rest + 2).saturating_sub(text::width(&address) + GAP);
    let address_width = if name_width < 8 { rest + 2 } else { text::width(&address) };
    let mut cells = Cells::new(width).cell(&address, address_width, Style::new());
    if name_width >= 8 {
        let name = text::plain(host.name.as_deref().unwrap_or_default());
        cells = cells.cell(&name, name_width, DIM);
    }
    let count = format!("{:>count_width$}", short(host.handshakes));
    cells.cell(&count, count_width, Style::new()).cell(&worst, worst_width, style).line()
}

/// Client and server, without the client's port where there is little room.
fn hosts(glimpse: &Glimpse, width: usize) -> String {
    let long = ends(glimpse.client, glimpse.server, arrow(glimpse.outcome), usize::MAX);
    if text::width(&long) <= width {
        return long;
    }
    let server = glimpse.server.to_string();
    let room = width.saturating_sub(3);
    let client = glimpse.client.ip().to_string();
    let half = room / 2;
    let (for_client, for_server) = if client.len() <= half {
        (client.len(), room - client.len())
    } else if server.len() <= half {
        (room - server.len(), server.len())
    } else {
        (half, room - half)
    };
    format!("{}{}{}", text::elide(&client, for_client), arrow(glimpse.outcome), text::elide(&server, for_server))
}

fn name_of(glimpse: &Glimpse) -> Cow<'_, str> {
    glimpse.server_name.as_deref().map_or(Cow::Borrowed("-"), text::plain)
}

fn draw_handshake(frame: &mut Frame<'_>, area: Rect, glimpse: &Glimpse, first: &mut usize, paint: Paint) {
    let width = usize::from(area.width);
    let rows = usize::from(area.height.saturating_sub(1));
    let lines = detail::lines(glimpse, width);
    *first = (*first).min(lines.len().saturating_sub(rows));
    let shown = lines.len().min(*first + rows);
    let title = format!(
        "▶ {}  {}  lines {} to {shown} of {}",
        hosts(glimpse, 96.min(width)),
        glimpse.id,
        (*first + 1).min(lines.len()),
        lines.len(),
    );
    let mut page = vec![rule(&title, width, paint.with(BOLD, Color::Cyan), DIM)];
    for line in lines.into_iter().skip(*first).take(rows) {
        page.push(match line.tone {
            Tone::Title => Line::styled(line.text, BOLD),
            Tone::Finding(severity) => Line::styled(line.text, paint.severity(severity)),
            Tone::Plain => {
                let end = line.text.char_indices().nth(line.name).map_or(line.text.len(), |(end, _)| end);
                let (name, words) = line.text.split_at_checked(end).unwrap_or((&line.text, ""));
                let style = paint.with(Style::new(), Color::Cyan);
                Line::from(vec![Span::styled(name.to_owned(), style), Span::raw(words.to_owned())])
            }
        });
    }
    frame.render_widget(Paragraph::new(page), area);
}

const HELP: [(&str, &str); 13] = [
    ("tab, ← →", "go to the next list, or the one before"),
    ("↑ ↓, page, home, end", "choose a row; the first one follows what comes"),
    ("enter", "open a handshake, or list those of a client or server"),
    ("esc", "go back; take the filter away"),
    ("s", "sort: newest, gravest or most first"),
    ("/", "filter by words in address, SNI, JA4, version, suite,"),
    ("", "software, findings: all must be there. A whole address"),
    ("", "is matched exactly. Clients and servers are then"),
    ("", "those of the latest handshakes that match"),
    ("p", "hold the lists; rates and losses go on"),
    ("?", "this help"),
    ("q, control-c", "quit: the capture ends"),
    ("lost", "kernel: ring full; limits: flow table or buffers full"),
];

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let lines: Vec<Line<'_>> = HELP
        .into_iter()
        .map(|(keys, words)| Line::from(vec![Span::styled(format!(" {keys:<21}"), BOLD), Span::raw(words)]))
        .collect();
    let height = u16::try_from(HELP.len() + 2).unwrap_or(u16::MAX).min(area.height);
    let width = area.width.min(98);
    let [_, middle, _] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(height), Constraint::Fill(1)]).areas(area);
    let [_, middle, _] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(width), Constraint::Fill(1)]).areas(middle);
    frame.render_widget(Clear, middle);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys ")), middle);
}

fn draw_footer(frame: &mut Frame<'_>, area: Rect, screen: &Screen, model: &Model, setting: &Setting, paint: Paint) {
    let width = usize::from(area.width);
    let line = if let Some(text) = &screen.typing {
        let shown = end_of(&text::plain(text), width.saturating_sub(9));
        Line::from(vec![
            Span::styled("filter: ", BOLD),
            Span::raw(shown),
            Span::styled(" ", Style::new().add_modifier(Modifier::REVERSED)),
        ])
    } else if let Some(notice) = &setting.notice {
        Line::styled(text::elide(&text::plain(notice), width).into_owned(), paint.alarm())
    } else {
        let mut spans = Vec::new();
        if screen.still.is_some() {
            spans.push(Span::styled("[still] ", paint.with(BOLD, Color::Yellow)));
        }
        if !screen.filter_text.is_empty() {
            let filter = format!("[filter: {}] ", text::plain(&screen.filter_text));
            spans.push(Span::styled(text::elide(&filter, width / 2).into_owned(), paint.with(BOLD, Color::Yellow)));
        }
        if model.lost_glimpses > 0 {
            spans.push(Span::styled(format!("[{} not listed] ", grouped(model.lost_glimpses)), BOLD));
        }
        let keys = if matches!(screen.over, Over::Handshake(..)) {
            "esc back  ↑↓ scroll  ? help"
        } else {
            "q quit  tab pane  ↑↓ row  enter open  s sort  / filter  p hold  ? help"
        };
        let used: usize = spans.iter().map(Span::width).sum();
        spans.push(Span::styled(fitting(keys, width.saturating_sub(used)), DIM));
        Line::from(spans)
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// The end of a text, where what is typed appears.
fn end_of(words: &str, width: usize) -> String {
    let mut left = words;
    while text::width(left) > width {
        let mut rest = left.chars();
        rest.next();
        left = rest.as_str();
    }
    left.to_owned()
}

/// As many of the parts, which two blanks part, as fit.
fn fitting(parts: &str, width: usize) -> String {
    let mut fitting = String::new();
    for part in parts.split("  ") {
        if text::width(&fitting) + 2 + text::width(part) > width {
            break;
        }
        fitting.push_str(if fitting.is_empty() { "" } else { "  " });
        fitting.push_str(part);
    }
    fitting
}

fn time(at: Timestamp) -> String {
    let (.., hour, minute, second) = at.civil();
    format!("{hour:02}:{minute:02}:{second:02}")
}

/// Seconds as `02:03:04`, with days in front from one on.
fn duration(seconds: u64) -> String {
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    if seconds >= 86_400 { format!("{}d {clock}", seconds / 86_400) } else { clock }
}

/// A number in at most six columns.
fn short(number: u64) -> String {
    if number < 100_000 { grouped(number) } else { bytes(number).replace(['B', ' '], "") }
}

fn dash(count: u64) -> String {
    if count == 0 { "-".to_owned() } else { grouped(count) }
}

/// A rate that may be below one.
fn per_second(rate: f64) -> String {
    if rate > 0.0 && rate < 9.95 { format!("{rate:.1}") } else { grouped(whole(rate)) }
}

fn bytes_per_second(rate: f64) -> String {
    bytes(whole(rate))
}

fn percent(part: f64, of: f64) -> String {
    let share = if of > 0.0 { part / of * 100.0 } else { 0.0 };
    if share > 0.0 && share < 0.5 { "<1 %".to_owned() } else { format!("{share:.0} %") }
}

fn half(part: usize, of: usize) -> bool {
    of > 0 && part > of / 2
}

/// The nearest whole number; a float's cast saturates.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and a rate is not negative")]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

fn small(number: f64) -> usize {
    usize::try_from(whole(number)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_share_a_row_where_there_are_too_many() {
        let counted = [
            ("tcp", "SSLv3", 1),
            ("tcp", "TLSv1.0", 30),
            ("tcp", "TLSv1.2", 500),
            ("tcp", "TLSv1.3", 1000),
            ("quic", "TLSv1.3", 400),
            ("quic", "none", 7),
            ("dtls", "DTLSv1.2", 20),
        ];
        let names = |rows: usize| -> Vec<String> {
            let shown = version_rows(&counted, rows);
            assert!(shown.len() <= rows.max(2));
            assert_eq!(shown.iter().map(|(_, count, _)| count).sum::<u64>(), 1958);
            shown.into_iter().map(|(name, ..)| name).collect()
        };
        assert_eq!(names(5), ["older than TLSv1.2", "TLSv1.2", "TLSv1.3", "TLSv1.3 QUIC", "2 others"]);
        assert_eq!(names(2), ["older than TLSv1.2", "5 others"]);
        assert_eq!(names(6).last().map(String::as_str), Some("no ServerHello QUIC"));
        assert_eq!(names(7).len(), 7);
    }

    #[test]
    fn writes_numbers_that_fit() {
        assert_eq!([0, 99_999, 100_000, 12_345_678].map(short), ["0", "99,999", "100k", "12.3M"]);
        assert_eq!([0.0, 0.04, 5.25, 9.96, 1234.5].map(per_second), ["0", "0.0", "5.2", "10", "1,235"]);
        assert_eq!(
            [(0.0, 0.0), (1.0, 1000.0), (1.0, 3.0), (3.0, 3.0)].map(|(part, of)| percent(part, of)),
            ["0 %", "<1 %", "33 %", "100 %"]
        );
        assert_eq!([0, 3661, 90_061].map(duration), ["00:00:00", "01:01:01", "1d 01:01:01"]);
        assert_eq!(fitting("q quit  tab pane  ? help", 16), "q quit  tab pane");
        assert_eq!(fitting("q quit  tab pane", 3), "");
    }
}
