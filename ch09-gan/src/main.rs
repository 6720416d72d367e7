//! `cargo run -p ch09-gan -- --help`

fn main() {}
