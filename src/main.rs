//! The command `handprint`.

fn main() {}
