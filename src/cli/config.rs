//! `handprint config`, and how the configuration is found.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use handprint::config::Config;
use handprint::time::Timestamp;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Say what a configuration file sets, or what is wrong with it and where
    Check {
        /// The file [default: handprint/config.toml in $XDG_CONFIG_HOME or ~/.config]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// The file, as the option of `read` is called
        #[arg(long = "config", value_name = "FILE", conflicts_with = "file")]
        named: Option<PathBuf>,
    },
}

/// The configuration of `path`, else the default one where there is one.
pub(super) fn load(path: Option<&Path>, without: bool) -> Result<Config> {
    if without {
        return Ok(Config::default());
    }
    let found = Config::default_path().filter(|path| path.is_file());
    Ok(match path.or(found.as_deref()) {
        Some(path) => Config::load(path)?,
        None => Config::default(),
    })
}

/// What is to be said of a configuration.
pub(super) fn run(command: &Command) -> Result<String> {
    let Command::Check { file, named } = command;
    let default = Config::default_path();
    let Some(path) = file.as_ref().or(named.as_ref()).or(default.as_ref()) else {
        bail!("no file is named, and the environment names no home to look for one");
    };
    let config = Config::load(path)?;
    // The one place where the time of day matters: an entry that has ended is of no use to captures of today.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut text = String::new();
    let counted = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let own = config.catalogue().iter().count() - handprint::policy::Catalogue::shipped().iter().count();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}: sound", path.display());
    for (count, one, more) in [
        (config.policies.len(), "policy held against every handshake", "policies held against every handshake"),
        (own, "policy of your own", "policies of your own"),
        (config.disabled.len(), "selector of disabled rules", "selectors of disabled rules"),
        (config.severities.len(), "rule with another severity", "rules with another severity"),
        (config.roots.len(), "trusted root", "trusted roots"),
        (config.allowed.iter().count(), "allow entry", "allow entries"),
    ] {
        if count > 0 {
            let _ = writeln!(text, "  {}", counted(count, one, more));
        }
    }
    for remark in config.remarks(Timestamp::from_seconds(now)) {
        let _ = writeln!(text, "  note: {remark}");
    }
    Ok(text)
}
