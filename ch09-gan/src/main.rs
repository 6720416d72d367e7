//! `cargo run -p ch09-gan -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch09_gan::chapter())
}
