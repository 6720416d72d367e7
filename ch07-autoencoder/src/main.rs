//! `cargo run -p ch07-autoencoder -- --help`

fn main() -> std::process::ExitCode {
    common::cli::main(ch07_autoencoder::chapter())
}
