//! Where in its text a word stands, told by sines (section 12.4; Vaswani et al., Attention Is All You Need, 2017).

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use common::nn::{Dropout, DropoutConfig};

/// `P(t, 2i) = sin(t / 10000^(2i / d))`, `P(t, 2i + 1) = cos(t / 10000^(2i / d))` for the places 0 to `steps - 1`, row by row.
///
/// Each pair of columns is a hand of a clock; the first turns fast, the last 10,000 times as slowly. Together they tell all places apart, and
/// the code of a place k further on is that of this place with each hand turned by an angle that depends on k alone.
pub fn position_code(steps: usize, width: usize) -> Vec<f32> {
    let code = |t: usize, column: usize| {
        let rate = 10_000f64.powf(-((column - column % 2) as f64) / width as f64);
        let angle = t as f64 * rate;
        (if column.is_multiple_of(2) {
            angle.sin()
        } else {
            angle.cos()
        }) as f32
    };
    let places = (0..steps).flat_map(|t| (0..width).map(move |column| (t, column)));
    places.map(|(t, column)| code(t, column)).collect()
}

/// `dropout(√d x + P)`: the root makes the embeddings large beside the codes, which are at most 1.
#[derive(Module, Debug)]
pub struct PositionalEncoding {
    dropout: Dropout,
}

impl PositionalEncoding {
    /// For texts of any length; the book drops a tenth.
    pub fn new(dropout: f64) -> Self {
        Self {
            dropout: DropoutConfig::new(dropout).init(),
        }
    }

    /// # Shapes
    /// - `x` and output: [B, T, d]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [_, steps, width] = x.dims();
        let code = TensorData::new(position_code(steps, width), [1, steps, width]);
        let code = Tensor::from_data(code, &x.device()); // [1, T, d]
        self.dropout.forward(x * (width as f64).sqrt() + code)
    }
}
