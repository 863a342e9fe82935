//! `PQ`: post-quantum readiness.

use crate::findings::Rule;

pub(super) static RULES: &[Rule] = &[];
