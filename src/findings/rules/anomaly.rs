//! `ANOM`: anomalies.

use super::super::Rule;

pub(super) static RULES: &[Rule] = &[];
