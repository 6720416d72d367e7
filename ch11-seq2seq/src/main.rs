//! `cargo run -p ch11-seq2seq -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch11_seq2seq::chapter())
}
