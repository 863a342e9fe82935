//! The reference of the rules in the documentation is what the rules say.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_page_is_what_the_rules_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let command = ["rules", "--format", "markdown"];
    let output = Command::new(env!("CARGO_BIN_EXE_handprint")).args(command).output().unwrap();
    assert!(output.status.success());
    let made = String::from_utf8(output.stdout).unwrap();
    assert!(made.contains("\n### CIP007 rc4-negotiated\n"));
    assert!(
        made == fs::read_to_string(root.join("src/findings/RULES.md")).unwrap(),
        "src/findings/RULES.md is not what the rules say; make it anew with\n  cargo run -- rules --format markdown > \
         target/RULES.md && mv target/RULES.md src/findings/RULES.md"
    );
}
