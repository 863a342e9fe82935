//! The rules, one file a family.

use super::Rule;

mod anomaly;
mod cipher;
mod coverage;
mod negotiation;
mod version;

/// Every family's rules, in the order of the documentation.
pub(super) static FAMILIES: &[&[Rule]] =
    &[version::RULES, cipher::RULES, negotiation::RULES, anomaly::RULES, coverage::RULES];
