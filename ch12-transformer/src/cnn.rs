//! Convolutions over time, as over the rows of an image (section 12.3). C channels.

use burn::module::Module;
use burn::nn::PaddingConfig1d;
use burn::tensor::{Device, Int, Tensor, TensorData};
use common::data::{PAD, PaddedSequences};
use common::nn::conv::{Conv1d, Conv1dConfig};
use common::nn::pool::{AvgPool1d, AvgPool1dConfig};
use common::nn::{BatchNorm, BatchNormConfig, Embedding, EmbeddingConfig};
use common::train::Network;

use crate::layers::{Head, WIDTH, act};
use crate::padding::Padding;

/// Channels of the three stages.
const CHANNELS: [usize; 3] = [WIDTH, 2 * WIDTH, 4 * WIDTH];
/// Words that the two poolings need.
const SHORTEST: usize = 4;
/// Below every value of a feature.
const LOWEST: f64 = 1e30;

/// A convolution over three neighbours, leaky ReLU, batch norm.
#[derive(Module, Debug)]
struct Convolution {
    conv: Conv1d,
    norm: BatchNorm,
}

impl Convolution {
    fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self {
            conv: Conv1dConfig::new(inputs, outputs, 3)
                .with_padding(PaddingConfig1d::Explicit(1, 1))
                .init(device),
            norm: BatchNormConfig::new(outputs).init(device),
        }
    }

    /// [B, C, T] to [B, C', T], with zeros where `places`, [B, 1, T], has them: the zeros that a convolution puts behind a text that ends there.
    fn forward(&self, x: Tensor<3>, places: &Option<Tensor<3>>) -> Tensor<3> {
        let x = self.norm.forward(act(self.conv.forward(x)));
        keep(x, places)
    }
}

fn keep(x: Tensor<3>, places: &Option<Tensor<3>>) -> Tensor<3> {
    match places {
        Some(places) => x * places.clone(),
        None => x,
    }
}

/// Embedding, three times two convolutions with a pooling between them, the largest value of each channel over time, two layers. 4,287,492
/// parameters for 20,647 words.
///
/// In training the norms see the padding too; in evaluation nothing does.
#[derive(Module, Debug)]
pub struct NewsCnn {
    embedding: Embedding,
    stages: Vec<[Convolution; 2]>,
    pool: AvgPool1d,
    head: Head,
    #[module(skip)]
    padding: Padding,
}

impl NewsCnn {
    /// A fresh network for a vocabulary of `words`.
    pub fn new(words: usize, padding: Padding, device: &Device) -> Self {
        let mut inputs = WIDTH;
        let stages = CHANNELS.map(|channels| {
            let first = Convolution::new(inputs, channels, device);
            inputs = channels;
            [first, Convolution::new(channels, channels, device)]
        });
        Self {
            embedding: EmbeddingConfig::new(words, WIDTH).init(device),
            stages: stages.into(),
            pool: AvgPool1dConfig::new(2).init(),
            head: Head::new(inputs, device),
            padding,
        }
    }

    /// 1 for the places of a text and 0 behind them, [B, 1, T]; nothing where padding is not told apart.
    fn places(&self, lengths: &[usize], steps: usize, device: &Device) -> Option<Tensor<3>> {
        if self.padding == Padding::AsPrinted {
            return None;
        }
        let row = |length: usize| (0..steps).map(move |t| f32::from(u8::from(t < length)));
        let places: Vec<f32> = lengths.iter().flat_map(|&length| row(length)).collect();
        let places = TensorData::new(places, [lengths.len(), 1, steps]);
        Some(Tensor::from_data(places, device))
    }
}

impl Network for NewsCnn {
    type Input = PaddedSequences;

    fn forward(&self, texts: PaddedSequences) -> Tensor<2> {
        let ids = at_least(texts.ids, SHORTEST); // [B, T]
        let device = ids.device();
        let mut lengths = texts.lengths;
        let mut places = self.places(&lengths, ids.dims()[1], &device);
        let x = self.embedding.forward(ids).swap_dims(1, 2); // [B, C, T]
        let mut x = keep(x, &places);
        for (i, stage) in self.stages.iter().enumerate() {
            if i > 0 {
                x = self.pool.forward(x); // [B, C, T / 2]
                // A last word without a neighbour is left out, as it is of a text alone; but no text vanishes.
                lengths.iter_mut().for_each(|l| *l = (*l / 2).max(1));
                places = self.places(&lengths, x.dims()[2], &device);
                x = keep(x, &places);
            }
            x = stage.iter().fold(x, |x, layer| layer.forward(x, &places)); // [B, C', T]
        }
        if let Some(places) = places {
            x = x + (places - 1.0) * LOWEST;
        }
        self.head.forward(x.max_dim(2).squeeze_dim(2)) // [B, 4]
    }
}

/// Filled up with PAD to this many columns.
fn at_least(ids: Tensor<2, Int>, columns: usize) -> Tensor<2, Int> {
    let [batch, steps] = ids.dims();
    if steps >= columns {
        return ids;
    }
    let more = Tensor::full([batch, columns - steps], i64::from(PAD), &ids.device());
    Tensor::cat(vec![ids, more], 1)
}
