//! `handprint interfaces`.

use std::fmt::Write as _;

use handprint::capture::live::{self, Interface, InterfaceKind};
use handprint::output::text;
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How to write the list
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Table,
    /// An object a line
    Ndjson,
    /// An array of objects
    Json,
}

/// The list of interfaces.
pub(super) fn run(arguments: &Arguments) -> String {
    let interfaces = live::interfaces();
    match arguments.format {
        Format::Table => table(&interfaces),
        Format::Ndjson => interfaces.iter().map(|interface| format!("{}\n", object(interface))).collect(),
        Format::Json => format!("{:#}\n", Value::Array(interfaces.iter().map(object).collect())),
    }
}

// Writing to a String cannot fail.

fn table(interfaces: &[Interface]) -> String {
    let bold = anstyle::Style::new().bold();
    let mut table = String::new();
    for interface in interfaces {
        // Names of interfaces are nearly anything but a slash.
        let _ = write!(table, "{bold}{}{bold:#}  {}", text::plain(&interface.name), state(interface));
        let hardware = [
            Some(link(interface)),
            interface.megabits.map(speed),
            interface.driver.clone(),
            interface.hardware_address.clone(),
        ];
        for part in hardware.into_iter().flatten() {
            let _ = write!(table, ", {}", text::plain(&part));
        }
        table.push('\n');
        if let Some(description) = &interface.description {
            let _ = writeln!(table, "    {}", text::plain(description));
        }
        if !interface.addresses.is_empty() {
            let _ = writeln!(table, "    {}", addresses(interface).join(", "));
        }
        let _ = writeln!(table, "    {}", text::plain(&interface.suitability()));
    }
    table
}

fn object(interface: &Interface) -> Value {
    json!({
        "name": interface.name,
        "description": interface.description,
        "index": interface.index,
        "state": state(interface),
        "kind": kind(interface.kind),
        "link_type": interface.link_type.map(|link_type| link_type.to_string()),
        "hardware_address": interface.hardware_address,
        "addresses": addresses(interface),
        "megabits": interface.megabits,
        "mtu": interface.mtu,
        "driver": interface.driver,
        "part_of": interface.part_of,
        "merges_segments": interface.merges_segments,
        "suitability": interface.suitability(),
    })
}

const fn state(interface: &Interface) -> &'static str {
    match (interface.up, interface.running) {
        (true, true) => "up",
        (true, false) => "not connected",
        (false, _) => "down",
    }
}

fn link(interface: &Interface) -> String {
    match interface.link_type {
        Some(link_type) => link_type.to_string(),
        None => kind(interface.kind).to_owned(),
    }
}

const fn kind(kind: InterfaceKind) -> &'static str {
    match kind {
        InterfaceKind::Network => "network",
        InterfaceKind::Loopback => "loopback",
        InterfaceKind::Wireless => "wireless",
        InterfaceKind::Monitor => "monitor",
        InterfaceKind::Bridge => "bridge",
        InterfaceKind::Bond => "bond",
        InterfaceKind::Tunnel => "tunnel",
        InterfaceKind::Other => "other",
    }
}

fn addresses(interface: &Interface) -> Vec<String> {
    interface.addresses.iter().map(|(address, prefix)| format!("{address}/{prefix}")).collect()
}

fn speed(megabits: u32) -> String {
    if megabits >= 1000 && megabits.is_multiple_of(100) {
        format!("{} Gbit/s", f64::from(megabits) / 1000.0)
    } else {
        format!("{megabits} Mbit/s")
    }
}
