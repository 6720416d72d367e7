//! News headlines: the GRU of 12.1, the averages of 12.2, the transformer of 12.7.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use ch10_attention::{AdditiveAttentionScore, AttentionAvg};
use common::Result;
use common::kernels::{AttentionMask, leaky_relu, relu};
use common::nn::rnn::{Gru, GruConfig};
use common::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Embedding, EmbeddingConfig, LayerNorm,
    LayerNormConfig, Linear, LinearConfig, MultiHeadAttention, MultiHeadAttentionConfig,
};
use common::train::cross_entropy;

use crate::exchange::Tensors;
use crate::workload::Workload;

/// Words that the vocabulary knows, and the number that fills up short headlines.
const WORDS: usize = 20_647;
const PAD: i32 = 3;
/// Width of all layers.
const WIDTH: usize = 128;
/// Kinds of news.
const CLASSES: usize = 4;
/// Words of the longest headline for which positions are encoded.
const LONGEST: usize = 512;

/// A network from words [B, T] to logits [B, 4].
trait Reader: Module + 'static {
    fn new(dropout: f64, device: &Device) -> Self;
    fn forward(&self, words: Tensor<2, Int>) -> Tensor<2>;
}

macro_rules! reader {
    ($network:ty) => {
        impl Workload for $network {
            type Batch = (Tensor<2, Int>, Tensor<1, Int>);

            fn fresh(dropout: bool, device: &Device) -> Self {
                Reader::new(if dropout { 0.1 } else { 0.0 }, device)
            }

            fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Self::Batch> {
                let words = tensors.int(&format!("x.{index}"), device)?;
                let classes = tensors.int(&format!("y.{index}"), device)?;
                Ok((words, classes))
            }

            fn loss(&self, (words, classes): &Self::Batch) -> Tensor<1> {
                cross_entropy(self.forward(words.clone()), classes.clone())
            }

            fn evaluate(&self, (words, _): &Self::Batch) {
                std::hint::black_box(self.forward(words.clone()));
            }
        }
    };
}

fn act<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    leaky_relu(x, 0.01)
}

/// Linear, leaky ReLU, batch norm, linear.
#[derive(Module, Debug)]
struct Head {
    hidden: Linear,
    norm: BatchNorm,
    output: Linear,
}

impl Head {
    fn new(device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(WIDTH, WIDTH).init(device),
            norm: BatchNormConfig::new(WIDTH).init(device),
            output: LinearConfig::new(WIDTH, CLASSES).init(device),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = self.norm.forward(act(self.hidden.forward(x)));
        self.output.forward(x)
    }
}

/// Three bidirectional GRU layers, the last states of both directions: 3,434,884 parameters (section 12.1).
#[derive(Module, Debug)]
pub struct NewsGru {
    embedding: Embedding,
    gru: Gru,
    output: Linear,
}

impl Reader for NewsGru {
    fn new(_dropout: f64, device: &Device) -> Self {
        let gru = GruConfig::new(WIDTH, WIDTH).with_num_layers(3);
        Self {
            embedding: EmbeddingConfig::new(WORDS, WIDTH).init(device),
            gru: gru.with_bidirectional(true).init(device),
            output: LinearConfig::new(2 * WIDTH, CLASSES).init(device),
        }
    }

    fn forward(&self, words: Tensor<2, Int>) -> Tensor<2> {
        let x = self.embedding.forward(words); // [B, T, H]
        let (_, last) = self.gru.forward(x, None, None); // [6, B, H]
        let last = |from_end: usize| last.clone().narrow(0, 6 - from_end, 1).squeeze_dim::<2>(0);
        self.output.forward(Tensor::cat(vec![last(2), last(1)], 1)) // [B, 4]
    }
}

reader!(NewsGru);

/// Three layers for each word, then the mean: 2,709,636 parameters (section 12.2).
#[derive(Module, Debug)]
pub struct NewsAverage {
    embedding: Embedding,
    layers: Vec<Linear>,
    head: Head,
}

impl Reader for NewsAverage {
    fn new(_dropout: f64, device: &Device) -> Self {
        let layer = |_| LinearConfig::new(WIDTH, WIDTH).init(device);
        Self {
            embedding: EmbeddingConfig::new(WORDS, WIDTH).init(device),
            layers: (0..3).map(layer).collect(),
            head: Head::new(device),
        }
    }

    fn forward(&self, words: Tensor<2, Int>) -> Tensor<2> {
        let x = self.embedding.forward(words); // [B, T, H]
        let x = self.layers.iter().fold(x, |x, layer| act(layer.forward(x)));
        self.head.forward(x.mean_dim(1).squeeze_dim(1)) // [B, 4]
    }
}

reader!(NewsAverage);

/// Self-attention, then two linear layers for each word, each with dropout, a skip and a norm behind (section 12.5).
#[derive(Module, Debug)]
struct EncoderLayer {
    self_attn: MultiHeadAttention,
    linear1: Linear,
    linear2: Linear,
    norm1: LayerNorm,
    norm2: LayerNorm,
    dropout: Dropout,
}

impl EncoderLayer {
    fn new(heads: usize, inner: usize, dropout: f64, device: &Device) -> Self {
        Self {
            self_attn: MultiHeadAttentionConfig::new(WIDTH, heads)
                .with_dropout(dropout)
                .init(device),
            linear1: LinearConfig::new(WIDTH, inner).init(device),
            linear2: LinearConfig::new(inner, WIDTH).init(device),
            norm1: LayerNormConfig::new(WIDTH).init(device),
            norm2: LayerNormConfig::new(WIDTH).init(device),
            dropout: DropoutConfig::new(dropout).init(),
        }
    }

    /// [B, T, H] to [B, T, H]
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let attended = self
            .self_attn
            .self_attention(x.clone(), &AttentionMask::none());
        let x = self.norm1.forward(x + self.dropout.forward(attended));
        let inner = self.dropout.forward(relu(self.linear1.forward(x.clone()))); // [B, T, 2048]
        let f = self.dropout.forward(self.linear2.forward(inner)); // [B, T, H]
        self.norm2.forward(x + f)
    }
}

/// sin(t / 10000^(2i / d)) and the cosine of the same, by turns: [1, LONGEST, WIDTH] (section 12.4).
fn positions(device: &Device) -> Tensor<3> {
    let mut values = Vec::with_capacity(LONGEST * WIDTH);
    for t in 0..LONGEST {
        for i in 0..WIDTH / 2 {
            let angle = t as f64 * (-(10_000f64.ln()) * (2 * i) as f64 / WIDTH as f64).exp();
            values.extend([angle.sin() as f32, angle.cos() as f32]);
        }
    }
    Tensor::from_data(TensorData::new(values, [1, LONGEST, WIDTH]), device)
}

/// Three encoder layers, attention over the words: 4,472,197 parameters (section 12.5).
#[derive(Module, Debug)]
pub struct NewsTransformer {
    embedding: Embedding,
    positions: Tensor<3>,
    dropout: Dropout,
    layers: Vec<EncoderLayer>,
    attention: AttentionAvg<AdditiveAttentionScore>,
    head: Head,
}

impl Reader for NewsTransformer {
    fn new(dropout: f64, device: &Device) -> Self {
        let layer = |_| EncoderLayer::new(8, 2048, dropout, device);
        Self {
            embedding: EmbeddingConfig::new(WORDS, WIDTH).init(device),
            positions: positions(device),
            dropout: DropoutConfig::new(dropout).init(),
            layers: (0..3).map(layer).collect(),
            attention: AttentionAvg::new(AdditiveAttentionScore::new(WIDTH, device)),
            head: Head::new(device),
        }
    }

    fn forward(&self, words: Tensor<2, Int>) -> Tensor<2> {
        let [_, steps] = words.dims();
        let valid = words.clone().not_equal_elem(PAD); // [B, T]
        let x = self.embedding.forward(words) * (WIDTH as f64).sqrt(); // [B, T, H]
        let x = self
            .dropout
            .forward(x + self.positions.clone().narrow(1, 0, steps));
        let x = self.layers.iter().fold(x, |x, layer| layer.forward(x));
        let count = valid.clone().float().sum_dim(1); // [B, 1]
        let context = x.clone().sum_dim(1).squeeze_dim::<2>(1) / count; // [B, H]
        let average = self.attention.forward(x, context, Some(valid)); // [B, H]
        self.head.forward(average) // [B, 4]
    }
}

reader!(NewsTransformer);
