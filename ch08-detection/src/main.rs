//! `cargo run -p ch08-detection -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch08_detection::chapter())
}
