//! The rules, one file a family.

use super::Rule;

mod cipher;
mod version;

/// Every family's rules, in the order of the documentation.
pub(super) static FAMILIES: &[&[Rule]] = &[version::RULES, cipher::RULES];
