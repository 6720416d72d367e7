//! `cargo run -p ch03-cnn -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch03_cnn::chapter())
}
