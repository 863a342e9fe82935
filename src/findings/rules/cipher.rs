//! `CIP`: cipher suites and their order.

use super::super::Rule;

pub(super) static RULES: &[Rule] = &[];
