//! `cargo run -p ch02-fc -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch02_fc::chapter())
}
