//! What the view looks like, and that it fits whatever terminal there is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::LazyLock;
use std::time::Duration;

use handprint::engine::{Engine, EngineConfig};
use handprint::findings::{self, RuleSet, Settings, Severity};
use handprint::flow::Outcome;
use handprint::output::metrics::{Gauges, Metrics};
use handprint::record::FlowRecord;
use handprint::stats::DropReason;
use handprint::time::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};

use super::draw::{self, Setting};
use super::glimpse::tests::glimpse;
use super::glimpse::{Glimpse, channel};
use super::lists::Pane;
use super::model::Model;
use super::screen::{Asked, Screen};
use super::{State, View};

/// What is counted: handshakes of several versions, some with weak suites.
const CAPTURES: [&str; 7] = [
    "tls/versions/tls10-negotiated.pcap",
    "tls/versions/tls12-negotiated.pcap",
    "tls/versions/tls13-negotiated.pcap",
    "tls/versions/tls13-negotiated.pcap",
    "tls/clients/curl.pcap",
    "tls/suites/tls12-rc4-sha-negotiated.pcap",
    "tls/suites/ssl3-rsa-export-rc4-40.pcap",
];

struct Fixture {
    model: Model,
    screen: Screen,
    setting: Setting,
}

/// Ten minutes of traffic.
static TEN_MINUTES: LazyLock<Model> = LazyLock::new(ten_minutes);

fn ten_minutes() -> Model {
    let (mut metrics, mut gauges, mut model) = (Metrics::default(), Gauges::default(), Model::default());
    let counted = CAPTURES.map(counted);
    for second in 0..600_u64 {
        let now = Duration::from_secs(second);
        let place = usize::try_from(second).unwrap();
        (0..second % 7).for_each(|more| metrics.merge(&counted[(place + usize::try_from(more).unwrap()) % 7]));
        let stats = &mut gauges.status.stats;
        stats.packets += 40_000 + second % 60 * 1000;
        stats.bytes += 40_000_000 + second % 60 * 800_000;
        gauges.uptime = now;
        model.look(now, metrics.clone(), gauges.clone());
        model.take(now, made_up(second));
    }
    // One with all there is to it, opened in a test.
    let mut record = glimpse(799, 10, 20, &["CIP007", "CIP012"]);
    record.record = Some(RECORD.as_bytes().into());
    model.take(Duration::from_secs(600), record);
    let status = &mut gauges.status;
    (status.threads, status.up) = (2, 2);
    (status.queued_bytes, status.queue_bytes) = (1 << 20, 32 << 20);
    status.kernel.ring_fill = 0.031;
    (status.stats.open_flows, status.stats.buffered_bytes) = (1234, 3_200_000);
    status.stats.packets += 40_000;
    status.stats.bytes += 40_000_000;
    metrics.merge(&counted[0]);
    model.look(Duration::from_secs(600), metrics, gauges);
    model
}

fn counted(capture: &str) -> Metrics {
    let mut metrics = Metrics::default();
    let mut config = EngineConfig::default();
    // A new rule does not change the picture.
    let rules = ["CIP007", "VER005", "VER007"].into_iter().filter_map(findings::find);
    config.rules = RuleSet::of(rules, Severity::Info, Settings::default());
    let mut engine = Engine::new(config);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(capture);
    let mut source = handprint::capture::Source::open(&path).unwrap();
    let mut sink = |record: &FlowRecord<'_>| metrics.add(record);
    while let Some(frame) = source.next_frame().unwrap() {
        engine.push(&frame, &mut sink);
    }
    engine.finish(&mut sink);
    metrics
}

/// A handshake like many: some clients and servers turn up often, some have findings, some long addresses.
fn made_up(number: u64) -> Glimpse {
    let [low, ..] = number.to_le_bytes();
    let findings: &[&str] = match number % 50 {
        7 => &["CIP007", "VER007", "KEX018"],
        13 => &["CERT012", "PQ004"],
        25 => &["CIP005", "VER005", "CIP007", "KEX020"],
        number if number % 3 == 0 => &["PQ004"],
        _ => &[],
    };
    let mut glimpse = glimpse(number, low % 23, low % 11, findings);
    glimpse.client.set_port(40_000 + u16::from(low) * 61);
    glimpse.software =
        number.is_multiple_of(2).then(|| ["curl", "Firefox", "OpenSSL or FreeRDP"][usize::from(low) % 3].into());
    match number % 50 {
        7 => (glimpse.version, glimpse.suite) = ("TLSv1.0", Some("RSA_RC4_128_SHA".into())),
        25 => (glimpse.version, glimpse.suite) = ("SSLv3", Some("RSA_EXPORT_RC4_40_MD5".into())),
        number if number % 8 == 1 => {
            glimpse.client = format!("[2001:db8:1:2:3:4:5:{low:x}]:50123").parse().unwrap();
            glimpse.server = "[2001:db8:ffff::443]:8443".parse().unwrap();
            glimpse.server_name = None;
        }
        number if number % 8 == 2 => {
            (glimpse.version, glimpse.suite, glimpse.outcome) = ("-", None, Outcome::Silent);
        }
        _ => {}
    }
    glimpse
}

/// A record, shortened.
const RECORD: &str = r#"{"type":"flow","schema":1,"id":"8c1f9a0b3d2e4f56","ts":"2026-11-21T10:13:19.000000000Z",
"client":{"ip":"10.0.0.10","port":50000},"server":{"ip":"192.0.2.20","port":443},"sni":null,"version":"TLSv1.2",
"cipher_suite":"TLS_RSA_WITH_RC4_128_SHA","alpn":null,"resumed":false,"outcome":{"status":"established"},
"fingerprints":{"ja4":"t12d0102h1_5d9c1c9b1f70_ce5650b735ce"},
"client_hello":{"cipher_suites":["TLS_RSA_WITH_RC4_128_SHA","TLS_RSA_WITH_RC4_128_MD5","TLS_RSA_WITH_3DES_EDE_CBC_SHA",
"TLS_EMPTY_RENEGOTIATION_INFO_SCSV"],"compression_methods":["null"],"extensions":[{"type":"supported_groups","length":4},
{"type":"session_ticket","length":0}],"signature_algorithms":[]},
"findings":[{"id":"CIP007","name":"rc4-negotiated","severity":"high","evidence":{"suite":"TLS_RSA_WITH_RC4_128_SHA"}},
{"id":"CIP012","name":"static-rsa-negotiated","severity":"medium","evidence":{"suite":"TLS_RSA_WITH_RC4_128_SHA",
"offered":["TLS_RSA_WITH_RC4_128_SHA","TLS_RSA_WITH_RC4_128_MD5","TLS_RSA_WITH_3DES_EDE_CBC_SHA"]}}]}"#;

impl Fixture {
    fn new() -> Self {
        let setting = Setting {
            title: "eth0".to_owned(),
            colour: true,
            now: Timestamp::from_seconds(1_795_256_000),
            notice: None,
        };
        Self { model: TEN_MINUTES.clone(), screen: Screen::new(), setting }
    }

    fn press(&mut self, codes: &[KeyCode]) {
        for code in codes {
            let key = KeyEvent::new(*code, KeyModifiers::NONE);
            self.screen.refresh(&self.model, Duration::from_secs(600));
            let _ = self.screen.key(key, &self.model, Duration::from_secs(600));
        }
    }

    fn draw(&mut self, width: u16, height: u16) -> TestBackend {
        self.screen.refresh(&self.model, Duration::from_secs(600));
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw::draw(frame, &mut self.screen, &self.model, &self.setting)).unwrap();
        terminal.backend().clone()
    }

    fn text(&mut self, width: u16, height: u16) -> String {
        let backend = self.draw(width, height);
        let buffer = backend.buffer();
        let lines = buffer.content().chunks(usize::from(width).max(1));
        let lines = lines.map(|cells| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>());
        lines.map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

#[test]
fn looks_as_it_did() {
    let mut fixture = Fixture::new();
    insta::with_settings!({ omit_expression => true }, {
        for (width, height) in [(80, 24), (100, 30), (160, 50)] {
            insta::assert_snapshot!(format!("view-{width}x{height}"), fixture.text(width, height));
        }
        fixture.press(&[KeyCode::Tab, KeyCode::Down, KeyCode::Char('s')]);
        insta::assert_snapshot!("handshakes-100x30", fixture.text(100, 30));
        fixture.press(&[KeyCode::Char('/')]);
        fixture.press(&"rc4 high".chars().map(KeyCode::Char).collect::<Vec<_>>());
        fixture.press(&[KeyCode::Enter]);
        insta::assert_snapshot!("filtered-100x30", fixture.text(100, 30));
        fixture.press(&[KeyCode::Char('s'), KeyCode::Enter]);
        insta::assert_snapshot!("handshake-80x24", fixture.text(80, 24));
        fixture.press(&[KeyCode::Char('?')]);
        insta::assert_snapshot!("help-80x24", fixture.text(80, 24));
    });
}

#[test]
fn fits_every_terminal() {
    let mut fixture = Fixture::new();
    for over in [&[][..], &[KeyCode::Enter], &[KeyCode::Char('?')], &[KeyCode::Esc, KeyCode::Char('/')]] {
        fixture.press(over);
        for width in [1, 2, 7, 20, 39, 40, 59, 79, 80, 81, 99, 119, 120, 130, 161, 250] {
            for height in [1, 2, 3, 5, 8, 11, 12, 17, 18, 23, 24, 40, 45, 60] {
                fixture.draw(width, height);
            }
        }
    }
}

#[test]
fn shows_losses_in_red_and_with_a_mark_at_every_size() {
    let mut fixture = Fixture::new();
    for (width, height) in [(80, 24), (100, 30), (160, 50), (60, 10)] {
        let text = fixture.text(width, height);
        assert!(text.contains("lost  kernel 0") && !text.contains("! lost"), "{text}");
    }
    let mut gauges = fixture.model.gauges.clone();
    gauges.status.kernel.dropped = 1234;
    gauges.status.dropped = 5;
    gauges.status.stats.drops.count(DropReason::FlowTableFull);
    fixture.model.look(Duration::from_secs(601), Metrics::default(), gauges);
    for (width, height) in [(80, 24), (100, 30), (160, 50), (60, 10)] {
        let backend = fixture.draw(width, height);
        let text = fixture.text(width, height);
        assert!(text.contains("! lost  kernel 1,234  interface 0  limits 1  records 5"), "{text}");
        let red =
            backend.buffer().content().iter().filter(|cell| cell.fg == Color::Red && cell.symbol() == "4").count();
        assert!(red >= 1);
    }
}

#[test]
fn needs_no_colour() {
    let mut fixture = Fixture::new();
    let coloured = fixture.text(100, 30);
    fixture.setting.colour = false;
    fixture.press(&[KeyCode::Down]);
    let backend = fixture.draw(100, 30);
    assert!(backend.buffer().content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert!(backend.buffer().content().iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)));
    assert_eq!(fixture.text(100, 30), coloured, "what colours say is written too");
}

#[test]
fn shows_nothing_that_could_move_the_cursor() {
    let mut fixture = Fixture::new();
    let mut glimpse = glimpse(1, 1, 1, &["CIP007"]);
    glimpse.server_name = Some("evil\u{1b}[2J\u{202e}\r\n.example".into());
    fixture.model.take(Duration::from_secs(600), glimpse);
    for pane in Pane::ALL {
        fixture.screen.pane = pane;
        let text = fixture.text(200, 30);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text}");
    }
    fixture.setting.notice = Some("\u{1b}[2J".to_owned());
    assert!(fixture.text(200, 30).contains("\\u{1b}[2J"));
}

#[test]
fn says_that_the_interface_is_down_and_that_handshakes_are_not_listed() {
    let mut fixture = Fixture::new();
    let mut gauges = fixture.model.gauges.clone();
    gauges.status.up = 0;
    gauges.status.silence = Duration::from_secs(7);
    fixture.model.look(Duration::from_secs(601), Metrics::default(), gauges);
    fixture.model.lost_glimpses = 1_000_000;
    let text = fixture.text(100, 30);
    assert!(text.contains("! interface down  ! a thread is stuck for 7 s"), "{text}");
    assert!(text.contains("[1,000,000 not listed]"), "{text}");
}

#[test]
fn looks_at_the_counters_now_and_then_and_takes_what_has_come() {
    let (feed, glimpses) = channel();
    let mut state = State::new("eth0", true, glimpses);
    let mut looks = 0;
    let mut look = || {
        looks += 1;
        (Metrics::default(), Gauges::default())
    };
    for number in 0..100 {
        feed.send(glimpse(number, 1, 1, &[]));
        assert_eq!(state.advance(&mut look), number == 0, "half a second has not passed");
    }
    assert_eq!(looks, 1);
    assert!(state.setting.now > Timestamp::from_seconds(1_700_000_000));
    assert_eq!(state.screen.lists.handshakes.len(), 1);
    assert_eq!(state.key(KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE)), Asked::Nothing);
    assert_eq!(state.screen.lists.handshakes.len(), 100);
    assert_eq!(state.key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE)), Asked::Quit);
}

/// `cargo test --bin handprint person -- --ignored --nocapture` shows the captures under `pcaps/`, over and over.
#[test]
#[ignore = "draws on the terminal, for a person, until q is pressed"]
fn shows_itself_to_a_person() {
    let (mut feed, glimpses) = channel();
    let mut view = View::open("pcaps", true, glimpses).unwrap();
    let (mut metrics, mut gauges) = (Metrics::default(), Gauges::default());
    (gauges.status.threads, gauges.status.up, gauges.status.queue_bytes) = (1, 1, 32 << 20);
    let began = std::time::Instant::now();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps");
    for input in handprint::capture::inputs(&[path]).iter().cycle() {
        let mut engine = Engine::new(EngineConfig::default());
        let mut sink = |record: &FlowRecord<'_>| {
            metrics.add(record);
            feed.offer(record);
        };
        let mut source = handprint::capture::Source::open(&input.as_ref().unwrap().path).unwrap();
        while let Ok(Some(frame)) = source.next_frame() {
            engine.push(&frame, &mut sink);
        }
        engine.finish(&mut sink);
        feed.refill();
        gauges.status.stats.merge(&engine.stats());
        gauges.uptime = began.elapsed();
        let turned = view.turn(Duration::from_millis(20), &mut || (metrics.clone(), gauges.clone())).unwrap();
        if turned.is_break() {
            return;
        }
    }
}
