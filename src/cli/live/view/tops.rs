//! Who handshakes most, in bounded memory, over the last minutes.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use handprint::findings::{Rule, Severity};
use handprint::time::Timestamp;

/// Hosts counted in a minute before the lightest are forgotten.
const MOST: usize = 4096;

/// Of these, how many with the most handshakes are kept then, and how many with the gravest findings.
const KEPT: usize = 1024;

/// Minutes that are looked back at, besides the one under way.
pub(super) const MINUTES: u64 = 5;

/// What is known of a host.
#[derive(Clone, Debug, Default)]
pub(super) struct Host {
    pub(super) handshakes: u64,
    /// Its gravest finding.
    pub(super) worst: Option<(Severity, &'static Rule)>,
    /// The start of its latest handshake.
    pub(super) last: Timestamp,
    /// The latest name it was called by; of a client, the software its latest labelled hello is known to be of.
    pub(super) name: Option<Box<str>>,
}

impl Host {
    pub(super) fn add(&mut self, other: &Self) {
        self.handshakes = self.handshakes.saturating_add(other.handshakes);
        if severity(other) > severity(self) {
            self.worst = other.worst;
        }
        if other.last >= self.last {
            self.last = other.last;
            if other.name.is_some() {
                self.name.clone_from(&other.name);
            }
        }
    }
}

fn severity(host: &Host) -> Option<Severity> {
    host.worst.map(|(severity, _)| severity)
}

/// Hosts of the last minutes.
#[derive(Clone, Debug, Default)]
pub(super) struct Tops {
    /// By minute, the latest last.
    minutes: VecDeque<(u64, HashMap<IpAddr, Host>)>,
}

impl Tops {
    /// Counts a handshake, or several, at `now`.
    pub(super) fn add(&mut self, now: Duration, address: IpAddr, more: &Host) {
        let minute = now.as_secs() / 60;
        self.forget(minute);
        if self.minutes.back().is_none_or(|(last, _)| *last < minute) {
            self.minutes.push_back((minute, HashMap::new()));
        }
        let Some((_, hosts)) = self.minutes.back_mut() else { return };
        hosts.entry(address).or_default().add(more);
        if hosts.len() > MOST {
            prune(hosts);
        }
    }

    fn forget(&mut self, minute: u64) {
        while self.minutes.front().is_some_and(|(first, _)| first + MINUTES < minute) {
            self.minutes.pop_front();
        }
    }

    /// The hosts of the last minutes at `now`, in no order.
    pub(super) fn sum(&self, now: Duration) -> HashMap<IpAddr, Host> {
        let minute = now.as_secs() / 60;
        let mut sum = HashMap::<IpAddr, Host>::new();
        for (_, hosts) in self.minutes.iter().filter(|(known, _)| known + MINUTES >= minute) {
            for (address, host) in hosts {
                sum.entry(*address).or_default().add(host);
            }
        }
        sum
    }
}

/// Forgets all but those with the most handshakes and those with the gravest findings.
fn prune(hosts: &mut HashMap<IpAddr, Host>) {
    let mut list: Vec<_> = std::mem::take(hosts).into_iter().collect();
    list.sort_unstable_by_key(|(address, host)| (std::cmp::Reverse(host.handshakes), *address));
    let mut rest = list.split_off(KEPT.min(list.len()));
    rest.sort_unstable_by_key(|(address, host)| {
        (std::cmp::Reverse(severity(host)), std::cmp::Reverse(host.handshakes), *address)
    });
    rest.truncate(KEPT);
    hosts.extend(list);
    hosts.extend(rest);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]

    use std::net::Ipv4Addr;

    use super::*;

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    fn once(worst: Option<&'static Rule>) -> Host {
        Host { handshakes: 1, worst: worst.map(|rule| (rule.severity, rule)), ..Host::default() }
    }

    #[test]
    fn keeps_heavy_and_bad_hosts_through_a_flood_of_others() {
        let mut tops = Tops::default();
        let bad = handprint::findings::all().find(|rule| rule.severity == Severity::Critical);
        let now = Duration::from_secs(10);
        tops.add(now, address(2), &once(bad));
        for number in 0..100_000 {
            tops.add(now, address(1000 + number), &once(None));
            if number % 10 == 0 {
                tops.add(now, address(1), &once(None));
            }
        }
        let sum = tops.sum(now);
        assert!(sum.len() <= MOST);
        assert_eq!(sum[&address(1)].handshakes, 10_000);
        assert_eq!(severity(&sum[&address(2)]), Some(Severity::Critical));
    }

    #[test]
    fn forgets_what_was_minutes_ago() {
        let mut tops = Tops::default();
        for minute in 0..100 {
            let now = Duration::from_secs(60 * minute);
            tops.add(now, address(1), &once(None));
            assert!(tops.minutes.len() <= 6);
            assert_eq!(tops.sum(now)[&address(1)].handshakes, (minute + 1).min(MINUTES + 1));
        }
        assert!(tops.sum(Duration::from_secs(60 * 200)).is_empty());
    }

    #[test]
    fn keeps_the_latest_name_and_the_gravest_finding() {
        let mut tops = Tops::default();
        let rule = handprint::findings::find("CIP007");
        let named = |seconds, name: &str, rule| Host {
            last: Timestamp::from_seconds(seconds),
            name: Some(name.into()),
            ..once(rule)
        };
        tops.add(Duration::ZERO, address(1), &named(7, "new", rule));
        tops.add(Duration::from_secs(90), address(1), &named(5, "old", None));
        let sum = tops.sum(Duration::from_secs(90));
        assert_eq!(sum[&address(1)].name.as_deref(), Some("new"));
        assert_eq!(sum[&address(1)].worst.map(|(_, rule)| rule.id), Some("CIP007"));
    }
}
