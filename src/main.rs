//! The command `handprint`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
