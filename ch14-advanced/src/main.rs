//! `cargo run -p ch14-advanced -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch14_advanced::chapter())
}
