//! `cargo run -p ch06-design -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch06_design::chapter())
}
