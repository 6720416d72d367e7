//! `cargo run -p ch10-attention -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch10_attention::chapter())
}
