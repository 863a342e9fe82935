//! What the person at the keys has chosen: pane, row, order, filter, an open handshake.

use std::sync::Arc;
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::glimpse::Glimpse;
use super::lists::{Filter, Key, Lists, Order, Pane};
use super::model::Model;

/// Characters a filter may have.
const MOST_FILTER: usize = 100;

/// What is shown, and how.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) pane: Pane,
    states: [PaneState; Pane::ALL.len()],
    pub(super) filter_text: String,
    filter: Filter,
    /// The filter as it is being typed.
    pub(super) typing: Option<String>,
    pub(super) over: Over,
    /// The model as it was when it was to stand still, and when that was.
    pub(super) still: Option<Box<(Model, Duration)>>,
    pub(super) lists: Lists,
    /// Lines of an open handshake that could be shown when it was last drawn.
    pub(super) page: usize,
}

/// What lies over the panes.
#[derive(Clone, Debug, Default)]
pub(super) enum Over {
    #[default]
    Nothing,
    Help,
    /// A handshake, and the line that is shown first.
    Handshake(Arc<Glimpse>, usize),
}

#[derive(Clone, Copy, Debug, Default)]
struct PaneState {
    order: usize,
    /// The chosen row. Without one the first is, whichever that is.
    chosen: Option<Key>,
    /// Where it was last.
    place: usize,
    /// The first row that is shown.
    top: usize,
    /// Rows that could be shown when it was last drawn.
    rows: usize,
}

/// What a key asks of the view as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    Quit,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            pane: Pane::Findings,
            states: [PaneState::default(); Pane::ALL.len()],
            filter_text: String::new(),
            filter: Filter::default(),
            typing: None,
            over: Over::Nothing,
            still: None,
            lists: Lists::default(),
            page: 1,
        }
    }

    pub(super) fn order(&self, pane: Pane) -> Order {
        let state = self.states.get(pane as usize).copied().unwrap_or_default();
        pane.orders().get(state.order).copied().unwrap_or(Order::Newest)
    }

    fn state(&mut self, pane: Pane) -> Option<&mut PaneState> {
        self.states.get_mut(pane as usize)
    }

    /// Brings the lists up to `now`.
    pub(super) fn refresh(&mut self, model: &Model, now: Duration) {
        let (model, now) = self.still.as_deref().map_or((model, now), |(still, then)| (still, *then));
        let lists = Lists::of(model, now, &self.filter, |pane| self.order(pane));
        for pane in Pane::ALL {
            let Some(state) = self.states.get_mut(pane as usize) else { continue };
            let length = lists.len(pane);
            match state.chosen.map(|key| lists.place(pane, key)) {
                None => state.place = 0,
                Some(Some(place)) => state.place = place,
                // It is gone: what has taken its place is chosen.
                Some(None) => {
                    state.place = state.place.min(length.saturating_sub(1));
                    state.chosen = lists.key(pane, state.place);
                }
            }
        }
        self.lists = lists;
    }

    /// The chosen row of `pane` and the first to be shown, where `rows` can be. Said when it is drawn.
    pub(super) fn window(&mut self, pane: Pane, rows: usize) -> (usize, usize) {
        let length = self.lists.len(pane);
        let Some(state) = self.state(pane) else { return (0, 0) };
        let rows = rows.max(1);
        state.rows = rows;
        let least = (state.place + 1).saturating_sub(rows);
        state.top = state.top.clamp(least, state.place.max(least)).min(length.saturating_sub(rows.min(length)));
        (state.place, state.top)
    }

    /// Does what a key says.
    pub(super) fn key(&mut self, key: KeyEvent, model: &Model, now: Duration) -> Asked {
        if key.kind == KeyEventKind::Release {
            return Asked::Nothing;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) && matches!(key.code, KeyCode::Char('c' | 'd')) {
            return Asked::Quit;
        }
        if self.typing.is_some() {
            self.type_filter(key);
        } else if !matches!(self.over, Over::Nothing) {
            return self.key_over(key);
        } else {
            return self.key_panes(key, model, now);
        }
        Asked::Nothing
    }

    fn type_filter(&mut self, key: KeyEvent) {
        let Some(text) = &mut self.typing else { return };
        match key.code {
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => text.clear(),
            KeyCode::Char(character) if !character.is_control() && text.chars().count() < MOST_FILTER => {
                text.push(character);
            }
            KeyCode::Backspace => {
                text.pop();
            }
            KeyCode::Enter => {
                let text = self.typing.take().unwrap_or_default();
                self.set_filter(text.trim().to_owned());
            }
            KeyCode::Esc => self.typing = None,
            _ => {}
        }
    }

    fn set_filter(&mut self, text: String) {
        self.filter = Filter::new(&text);
        self.filter_text = text;
        for state in &mut self.states {
            (state.chosen, state.place) = (None, 0);
        }
    }

    fn key_over(&mut self, key: KeyEvent) -> Asked {
        let page = self.page.max(1);
        let Over::Handshake(_, top) = &mut self.over else {
            self.over = Over::Nothing;
            return Asked::Nothing;
        };
        match key.code {
            KeyCode::Esc | KeyCode::Enter | KeyCode::Backspace | KeyCode::Char('q') => self.over = Over::Nothing,
            KeyCode::Char('?') => self.over = Over::Help,
            KeyCode::Down | KeyCode::Char('j') => *top = top.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => *top = top.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => *top = top.saturating_add(page),
            KeyCode::PageUp => *top = top.saturating_sub(page),
            KeyCode::Home | KeyCode::Char('g') => *top = 0,
            KeyCode::End | KeyCode::Char('G') => *top = usize::MAX,
            _ => {}
        }
        Asked::Nothing
    }

    fn key_panes(&mut self, key: KeyEvent, model: &Model, now: Duration) -> Asked {
        let rows = self.state(self.pane).map_or(1, |state| state.rows.max(1));
        match key.code {
            KeyCode::Char('q') => return Asked::Quit,
            KeyCode::Char('?') | KeyCode::F(1) => self.over = Over::Help,
            KeyCode::Char('/') => self.typing = Some(self.filter_text.clone()),
            KeyCode::Char('p') => {
                self.still = match self.still.take() {
                    None => Some(Box::new((model.clone(), now))),
                    Some(_) => None,
                };
            }
            KeyCode::Char('s') => {
                let pane = self.pane;
                if let Some(state) = self.state(pane) {
                    state.order = (state.order + 1) % pane.orders().len();
                    (state.chosen, state.place) = (None, 0);
                }
            }
            KeyCode::Esc if !self.filter_text.is_empty() => self.set_filter(String::new()),
            KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => self.turn(1),
            KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => self.turn(Pane::ALL.len() - 1),
            KeyCode::Down | KeyCode::Char('j') => self.step(|place| place.saturating_add(1)),
            KeyCode::Up | KeyCode::Char('k') => self.step(|place| place.saturating_sub(1)),
            KeyCode::PageDown | KeyCode::Char(' ') => self.step(|place| place.saturating_add(rows)),
            KeyCode::PageUp => self.step(|place| place.saturating_sub(rows)),
            KeyCode::Home | KeyCode::Char('g') => self.step(|_| 0),
            KeyCode::End | KeyCode::Char('G') => self.step(|_| usize::MAX),
            KeyCode::Enter => self.open(),
            _ => {}
        }
        Asked::Nothing
    }

    /// Goes `steps` panes on.
    fn turn(&mut self, steps: usize) {
        let place = Pane::ALL.iter().position(|pane| *pane == self.pane).unwrap_or_default();
        self.pane = Pane::ALL.get((place + steps) % Pane::ALL.len()).copied().unwrap_or(Pane::Findings);
    }

    /// Chooses another row. The first one is whichever comes first.
    fn step(&mut self, to: impl FnOnce(usize) -> usize) {
        let pane = self.pane;
        let Some(place) = self.state(pane).map(|state| state.place) else { return };
        let place = to(place).min(self.lists.len(pane).saturating_sub(1));
        let key = if place == 0 { None } else { self.lists.key(pane, place) };
        if let Some(state) = self.state(pane) {
            (state.place, state.chosen) = (place, key);
        }
    }

    /// Opens the chosen handshake, or lists those of the chosen host.
    fn open(&mut self) {
        let pane = self.pane;
        let place = self.state(pane).map_or(0, |state| state.place);
        let glimpse = match pane {
            Pane::Findings => self.lists.findings.get(place).map(|group| Arc::clone(&group.newest)),
            Pane::Handshakes => self.lists.handshakes.get(place).map(Arc::clone),
            Pane::Clients | Pane::Servers => {
                if let Some(Key::Host(address)) = self.lists.key(pane, place) {
                    self.set_filter(address.to_string());
                    self.pane = Pane::Handshakes;
                }
                None
            }
        };
        if let Some(glimpse) = glimpse {
            self.over = Over::Handshake(glimpse, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::panic, reason = "tests")]

    use super::super::glimpse::tests::glimpse;
    use super::*;

    struct Fixture {
        model: Model,
        screen: Screen,
    }

    impl Fixture {
        fn new() -> Self {
            let mut fixture = Self { model: Model::default(), screen: Screen::new() };
            for number in 0..100_u8 {
                let findings: &[&str] = if number % 10 == 0 { &["CIP007"] } else { &[] };
                fixture.add(number, findings);
            }
            fixture.refresh();
            fixture
        }

        fn add(&mut self, number: u8, findings: &[&str]) {
            self.model.take(Duration::ZERO, glimpse(u64::from(number), number, number % 3, findings));
        }

        fn refresh(&mut self) {
            self.screen.refresh(&self.model, Duration::ZERO);
        }

        fn press(&mut self, code: KeyCode) -> Asked {
            let asked = self.screen.key(KeyEvent::new(code, KeyModifiers::NONE), &self.model, Duration::ZERO);
            self.refresh();
            asked
        }

        fn write(&mut self, text: &str) {
            for character in text.chars() {
                assert_eq!(self.press(KeyCode::Char(character)), Asked::Nothing);
            }
        }

        fn chosen(&mut self, rows: usize) -> usize {
            self.screen.window(self.screen.pane, rows).0
        }
    }

    #[test]
    fn a_chosen_row_stays_chosen_while_others_come() {
        let mut fixture = Fixture::new();
        fixture.press(KeyCode::Tab);
        assert_eq!(fixture.screen.pane, Pane::Handshakes);
        for _ in 0..3 {
            fixture.press(KeyCode::Down);
        }
        let key = fixture.screen.lists.key(Pane::Handshakes, 3);
        for number in 100..120 {
            fixture.add(number, &[]);
        }
        fixture.refresh();
        assert_eq!(fixture.chosen(5), 23);
        assert_eq!(fixture.screen.lists.key(Pane::Handshakes, 23), key);
        let (place, top) = fixture.screen.window(Pane::Handshakes, 5);
        assert!((top..top + 5).contains(&place));
        fixture.press(KeyCode::Home);
        fixture.add(121, &[]);
        fixture.refresh();
        assert_eq!(fixture.chosen(5), 0, "the first row follows what is newest");
    }

    #[test]
    fn never_leaves_the_list() {
        let mut fixture = Fixture::new();
        for pane in Pane::ALL {
            fixture.screen.pane = pane;
            for code in [KeyCode::End, KeyCode::Down, KeyCode::PageDown, KeyCode::Up, KeyCode::PageUp, KeyCode::Home] {
                fixture.press(code);
                for rows in [0, 1, 5, 1000] {
                    let (place, top) = fixture.screen.window(pane, rows);
                    let length = fixture.screen.lists.len(pane);
                    assert!(place < length && top <= place, "{pane:?} {code:?} {rows}: {place} {top}");
                    assert!(rows == 0 || place < top + rows);
                }
            }
        }
        fixture.model = Model::default();
        fixture.refresh();
        assert_eq!(fixture.chosen(5), 0);
        fixture.press(KeyCode::Enter);
        assert!(matches!(fixture.screen.over, Over::Nothing));
    }

    #[test]
    fn filters_as_typed_and_takes_it_back() {
        let mut fixture = Fixture::new();
        fixture.press(KeyCode::Char('/'));
        fixture.write("10.0.0.5q");
        assert_eq!(fixture.screen.lists.handshakes.len(), 100, "not before it is complete");
        fixture.press(KeyCode::Backspace);
        fixture.press(KeyCode::Enter);
        assert_eq!(fixture.screen.lists.handshakes.len(), 1);
        fixture.press(KeyCode::Char('/'));
        fixture.write("77");
        fixture.press(KeyCode::Esc);
        assert_eq!(fixture.screen.filter_text, "10.0.0.5", "given up");
        fixture.press(KeyCode::Esc);
        assert_eq!(fixture.screen.lists.handshakes.len(), 100);
    }

    #[test]
    fn opens_a_handshake_and_comes_back() {
        let mut fixture = Fixture::new();
        fixture.press(KeyCode::Down);
        fixture.press(KeyCode::Enter);
        let Over::Handshake(glimpse, 0) = &fixture.screen.over else { panic!("{:?}", fixture.screen.over) };
        assert_eq!(glimpse.id.0, 80);
        fixture.press(KeyCode::Down);
        assert!(matches!(fixture.screen.over, Over::Handshake(_, 1)));
        assert_eq!(fixture.press(KeyCode::Char('q')), Asked::Nothing);
        assert!(matches!(fixture.screen.over, Over::Nothing));
        assert_eq!(fixture.press(KeyCode::Char('q')), Asked::Quit);
    }

    #[test]
    fn lists_the_handshakes_of_a_host() {
        let mut fixture = Fixture::new();
        fixture.screen.pane = Pane::Servers;
        fixture.press(KeyCode::Enter);
        assert_eq!(fixture.screen.pane, Pane::Handshakes);
        assert_eq!(fixture.screen.filter_text, "192.0.2.0");
        assert_eq!(fixture.screen.lists.handshakes.len(), 34);
    }

    #[test]
    fn stands_still_and_goes_on() {
        let mut fixture = Fixture::new();
        fixture.press(KeyCode::Char('p'));
        fixture.add(200, &["CIP007"]);
        fixture.refresh();
        assert_eq!(fixture.screen.lists.handshakes.len(), 100);
        fixture.press(KeyCode::Char('s'));
        assert_eq!(fixture.screen.order(Pane::Findings), Order::Gravest);
        fixture.press(KeyCode::Char('p'));
        assert_eq!(fixture.screen.lists.handshakes.len(), 101);
    }

    #[test]
    fn quits_on_control_c_wherever_it_is() {
        let mut fixture = Fixture::new();
        for keys in ["", "/", "?"] {
            fixture.write(keys);
            let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
            assert_eq!(fixture.screen.key(key, &fixture.model, Duration::ZERO), Asked::Quit);
            fixture.press(KeyCode::Esc);
        }
    }
}
