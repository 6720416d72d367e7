//! `cargo run -p ch04-rnn -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch04_rnn::chapter())
}
