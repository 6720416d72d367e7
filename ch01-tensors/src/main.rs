//! `cargo run -p ch01-tensors -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch01_tensors::chapter())
}
