//! `cargo run -p ch13-transfer -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch13_transfer::chapter())
}
