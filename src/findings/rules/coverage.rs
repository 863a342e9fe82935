//! `CAP`: what the capture could not show.

use super::super::Rule;

pub(super) static RULES: &[Rule] = &[];
