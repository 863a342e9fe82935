//! `VER`: protocol versions.

use super::super::Rule;

pub(super) static RULES: &[Rule] = &[];
