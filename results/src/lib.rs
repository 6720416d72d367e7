//! What all runs found, told in two ways: the table of all experiments in the root README, and `RESULTS.md` with every number and verdict.
//!
//! Both are written from the `summary.json` files of `runs/` and from `results/runs.jsonl`, where those of earlier runs are kept; the
//! chapters' catalogues say which experiments there are:
//!
//! ```text
//! cargo run -p results            # from runs/ to RESULTS.md and README.md
//! ```

mod headline;
mod long;
mod readme;
mod runs;

use common::experiment::Chapter;

pub use headline::{HEADLINES, headline};
pub use long::long_form;
pub use readme::{set_between_marks, table};
pub use runs::Runs;

/// All chapters, in the book's order.
pub fn chapters() -> Vec<Chapter> {
    vec![
        ch01_tensors::chapter(),
        ch02_fc::chapter(),
        ch03_cnn::chapter(),
        ch04_rnn::chapter(),
        ch05_training::chapter(),
        ch06_design::chapter(),
        ch07_autoencoder::chapter(),
        ch08_detection::chapter(),
        ch09_gan::chapter(),
        ch10_attention::chapter(),
        ch11_seq2seq::chapter(),
        ch12_transformer::chapter(),
        ch13_transfer::chapter(),
        ch14_advanced::chapter(),
    ]
}
