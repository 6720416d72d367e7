//! `cargo run -p ch05-training -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch05_training::chapter())
}
