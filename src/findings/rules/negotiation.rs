//! `NEG`: negotiation, downgrade and failure.

use super::super::Rule;

pub(super) static RULES: &[Rule] = &[];
