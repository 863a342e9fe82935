//! What `read` and `live` are told of rules, policies and labels alike.

use std::path::PathBuf;

use anyhow::Result;
use handprint::engine::EngineConfig;
use handprint::findings::Severity;

#[derive(Debug, clap::Args)]
pub(super) struct EngineArguments {
    /// Report only findings at least this grave: info, low, medium, high or critical
    #[arg(long, value_name = "SEVERITY", default_value = "info", hide_default_value = true)]
    min_severity: Severity,
    /// Evaluate only these rules: ids, names or families, separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    select: Vec<String>,
    /// Leave these rules out: ids, names or families, separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Name fingerprints by FILE (CSV or JSON, see `handprint fingerprint --help`) too, besides the built-in labels; may
    /// be given several times
    #[arg(long, value_name = "FILE")]
    labels: Vec<PathBuf>,
    /// Hold every handshake against a policy, or several joined by +; may be given several times. A file (FILE.toml)
    /// is a policy of your own. `handprint policies` lists them
    #[arg(short, long, value_name = "POLICY")]
    policy: Vec<String>,
    /// Read the configuration from FILE [default: handprint/config.toml in $XDG_CONFIG_HOME or ~/.config]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long, conflicts_with = "config")]
    no_config: bool,
    /// Trust the root certificates in FILE (PEM): chains must lead to one of them; may be given several times
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
}

impl EngineArguments {
    /// What the configuration and the arguments say of rules and policies.
    pub(super) fn config(&self) -> Result<EngineConfig> {
        let mut config = super::config::load(self.config.as_deref(), self.no_config)?;
        for path in &self.trust {
            config.add_roots(path)?;
        }
        let configured = config.policies.clone();
        let expressions = if self.policy.is_empty() { &configured } else { &self.policy };
        let policies = super::policies::resolve(&mut config, expressions)?;
        for policy in &policies {
            policy.adjust(&mut config.settings);
        }
        let mut engine = EngineConfig::default();
        engine.rules = config.rules(&self.select, &self.ignore, self.min_severity)?;
        engine.labels = super::fingerprint::labels(&self.labels)?;
        engine.allowed = config.allowed;
        engine.policies = policies;
        Ok(engine)
    }
}
