//! What the panes list: the model's, filtered and sorted.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use handprint::record::FlowId;

use super::glimpse::Glimpse;
use super::model::{Group, Model};
use super::tops::Host;

/// A list on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pane {
    Findings,
    Handshakes,
    Clients,
    Servers,
}

impl Pane {
    pub(super) const ALL: [Self; 4] = [Self::Findings, Self::Handshakes, Self::Clients, Self::Servers];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Findings => "Severe findings",
            Self::Handshakes => "Handshakes",
            Self::Clients => "Clients",
            Self::Servers => "Servers",
        }
    }

    /// The orders it can be in; the first unless told otherwise.
    pub(super) const fn orders(self) -> &'static [Order] {
        match self {
            Self::Findings => &[Order::Newest, Order::Gravest, Order::Most],
            Self::Handshakes => &[Order::Newest, Order::Gravest],
            Self::Clients | Self::Servers => &[Order::Most, Order::Gravest, Order::Newest],
        }
    }
}

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Newest,
    Gravest,
    Most,
}

impl Order {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Newest => "newest first",
            Self::Gravest => "gravest first",
            Self::Most => "most first",
        }
    }
}

/// What is looked for: words that all must be there, in small letters, and addresses that an end must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    words: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Filter {
    pub(super) fn new(text: &str) -> Self {
        let mut filter = Self::default();
        for word in text.split_whitespace() {
            match word.parse() {
                Ok(address) => filter.addresses.push(address),
                Err(_) => filter.words.push(word.to_ascii_lowercase()),
            }
        }
        filter
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.addresses.is_empty()
    }

    fn takes(&self, glimpse: &Glimpse, scratch: &mut String) -> bool {
        let ends = [glimpse.client.ip(), glimpse.server.ip()];
        if !self.addresses.iter().all(|address| ends.contains(address)) {
            return false;
        }
        if self.words.is_empty() {
            return true;
        }
        glimpse.write_text(scratch);
        self.words.iter().all(|word| scratch.contains(word))
    }
}

/// A row, whatever place it has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Finding(&'static str, IpAddr, IpAddr),
    Handshake(FlowId),
    Host(IpAddr),
}

/// The rows of all panes.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    pub(super) findings: Vec<Group>,
    pub(super) handshakes: Vec<Arc<Glimpse>>,
    pub(super) clients: Vec<(IpAddr, Host)>,
    pub(super) servers: Vec<(IpAddr, Host)>,
}

impl Lists {
    /// The rows at `now`, in these orders. With a filter, hosts are those of the handshakes it takes.
    pub(super) fn of(model: &Model, now: Duration, filter: &Filter, order: impl Fn(Pane) -> Order) -> Self {
        let mut scratch = String::new();
        let mut findings: Vec<_> =
            model.groups().filter(|group| filter.takes(&group.newest, &mut scratch)).cloned().collect();
        findings.sort_by_key(|group| {
            let rank = match order(Pane::Findings) {
                Order::Newest => (0, 0),
                Order::Gravest => (group.severity as u64, 0),
                Order::Most => (group.count, 0),
            };
            (Reverse(rank), Reverse(group.order), group.rule.id, group.newest.client)
        });
        let mut handshakes: Vec<_> =
            model.handshakes().filter(|glimpse| filter.takes(glimpse, &mut scratch)).map(Arc::clone).collect();
        let (mut clients, mut servers) =
            if filter.is_empty() { (model.clients(now), model.servers(now)) } else { hosts_of(&handshakes) };
        if order(Pane::Handshakes) == Order::Gravest {
            // The sort is stable: the newest stay first.
            handshakes.sort_by_key(|glimpse| Reverse(glimpse.worst().map(|(_, severity)| severity)));
        }
        Self {
            findings,
            handshakes,
            clients: sorted(&mut clients, order(Pane::Clients)),
            servers: sorted(&mut servers, order(Pane::Servers)),
        }
    }

    /// How many rows a pane has.
    pub(super) fn len(&self, pane: Pane) -> usize {
        match pane {
            Pane::Findings => self.findings.len(),
            Pane::Handshakes => self.handshakes.len(),
            Pane::Clients => self.clients.len(),
            Pane::Servers => self.servers.len(),
        }
    }

    /// The row at `place`.
    pub(super) fn key(&self, pane: Pane, place: usize) -> Option<Key> {
        match pane {
            Pane::Findings => self
                .findings
                .get(place)
                .map(|group| Key::Finding(group.rule.id, group.newest.client.ip(), group.newest.server.ip())),
            Pane::Handshakes => self.handshakes.get(place).map(|glimpse| Key::Handshake(glimpse.id)),
            Pane::Clients => self.clients.get(place).map(|(address, _)| Key::Host(*address)),
            Pane::Servers => self.servers.get(place).map(|(address, _)| Key::Host(*address)),
        }
    }

    /// Where a row is now.
    pub(super) fn place(&self, pane: Pane, key: Key) -> Option<usize> {
        (0..self.len(pane)).find(|place| self.key(pane, *place) == Some(key))
    }
}

fn hosts_of(handshakes: &[Arc<Glimpse>]) -> (HashMap<IpAddr, Host>, HashMap<IpAddr, Host>) {
    let (mut clients, mut servers) = (HashMap::<_, Host>::new(), HashMap::<_, Host>::new());
    for glimpse in handshakes {
        let worst = glimpse.worst().map(|(rule, severity)| (severity, rule));
        let name = glimpse.software.as_deref().map(Box::from);
        let mut host = Host { handshakes: 1, worst, last: glimpse.started, name };
        clients.entry(glimpse.client.ip()).or_default().add(&host);
        host.name.clone_from(&glimpse.server_name);
        servers.entry(glimpse.server.ip()).or_default().add(&host);
    }
    (clients, servers)
}

fn sorted(hosts: &mut HashMap<IpAddr, Host>, order: Order) -> Vec<(IpAddr, Host)> {
    let mut list: Vec<_> = hosts.drain().collect();
    list.sort_by_cached_key(|(address, host)| {
        let severity = host.worst.map(|(severity, _)| severity);
        let rank = match order {
            Order::Most => (0, None),
            Order::Gravest => (0, severity),
            Order::Newest => (host.last.as_nanos(), None),
        };
        (Reverse(rank), Reverse(host.handshakes), *address)
    });
    list
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]

    use super::super::glimpse::tests::glimpse;
    use super::*;

    fn model() -> Model {
        let mut model = Model::default();
        for (number, client, server, findings) in [
            (1, 1, 1, &["CIP007"][..]),
            (2, 2, 1, &[]),
            (3, 2, 2, &["CIP001", "CIP007"]),
            (4, 2, 1, &[]),
            (5, 3, 2, &["CIP007"]),
            (6, 1, 1, &["CIP007"]),
        ] {
            model.take(Duration::ZERO, glimpse(number, client, server, findings));
        }
        model
    }

    fn first(pane: Pane) -> Order {
        pane.orders()[0]
    }

    #[test]
    fn lists_the_newest_and_the_most_first() {
        let lists = Lists::of(&model(), Duration::ZERO, &Filter::default(), first);
        let ids: Vec<_> = lists.handshakes.iter().map(|glimpse| glimpse.id.0).collect();
        assert_eq!(ids, [6, 5, 4, 3, 2, 1]);
        let clients: Vec<_> =
            lists.clients.iter().map(|(address, host)| (address.to_string(), host.handshakes)).collect();
        assert_eq!(clients, [("10.0.0.2".to_owned(), 3), ("10.0.0.1".to_owned(), 2), ("10.0.0.3".to_owned(), 1)]);
        assert_eq!(lists.findings[0].newest.id.0, 6);
        assert_eq!(lists.findings[0].count, 2);
    }

    #[test]
    fn every_order_is_another_and_holds_the_same_rows() {
        let model = model();
        for pane in Pane::ALL {
            let mut seen = Vec::new();
            for order in pane.orders() {
                let lists = Lists::of(&model, Duration::ZERO, &Filter::default(), |_| *order);
                let keys: Vec<_> = (0..lists.len(pane)).map(|place| lists.key(pane, place)).collect();
                assert!(keys.iter().all(|key| key.is_some_and(|key| lists.place(pane, key).is_some())));
                assert!(keys.len() >= 2);
                seen.push(format!("{keys:?}"));
            }
            let (orders, length) = (seen.len(), seen[0].len());
            assert!(seen.iter().all(|keys| keys.len() == length));
            seen.dedup();
            assert!(seen.len() > 1 && seen.len() <= orders, "{pane:?}: {seen:#?}");
        }
    }

    #[test]
    fn filters_by_ends_names_and_findings_with_all_words() {
        let model = model();
        let count = |text: &str| {
            let lists = Lists::of(&model, Duration::ZERO, &Filter::new(text), first);
            (lists.handshakes.len(), lists.clients.len(), lists.servers.len())
        };
        assert_eq!(count(""), (6, 3, 2));
        assert_eq!(count("10.0.0.2"), (3, 1, 2));
        assert_eq!(count("10.0.0."), (6, 3, 2));
        assert_eq!(count("192.0.2."), (6, 3, 2));
        assert_eq!(count("192.0.2"), (6, 3, 2), "no address, but a part of all");
        assert_eq!(count("0.0.0.2"), (0, 0, 0));
        assert_eq!(count("WWW2.example.org"), (2, 2, 1));
        assert_eq!(count("cip007"), (4, 3, 2));
        assert_eq!(count("cip007  10.0.0.2"), (1, 1, 1));
        assert_eq!(count("t13d3112h2"), (6, 3, 2));
        assert_eq!(count("nothing"), (0, 0, 0));
    }
}
