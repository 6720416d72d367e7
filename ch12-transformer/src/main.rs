//! `cargo run -p ch12-transformer -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch12_transformer::chapter())
}
