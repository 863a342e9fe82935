//! `PRV`: privacy.

use crate::findings::Rule;

pub(super) static RULES: &[Rule] = &[];
