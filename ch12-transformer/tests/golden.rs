//! The chapter's layers and networks compute what PyTorch computes, with padding masked and as printed in the book: output in training, all
//! gradients, and output in evaluation with the running statistics of that one batch; and each backend the same.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and inputs are made by a formula that
//! both languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::module::Module;
use burn::tensor::{Bool, Device, Gradients, Tensor, TensorData};
use ch12_transformer::{
    DecoderLayer, EncoderLayer, LayerSizes, NewsAttention, NewsAverage, NewsCnn, NewsGru,
    NewsTransformer, Padding, PositionalEncoding, multi_head_attention,
};
use common::data::{PAD, PaddedSequences, Sequences};
use common::kernels::AttentionMask;
use common::nn::MultiHeadAttentionConfig;
use common::train::Network;
use golden_setup::modules::{prepared, weighted};
use golden_setup::{assert_described, assert_gradients};
use golden_setup::{devices, golden, gradients_of, noise, values};
use serde_json::Value;

const WORDS: usize = 11;
const TEXTS: [&[u32]; 6] = [
    &[1, 4, 5, 6, 2],
    &[1, 7, 2],
    &[1, 8, 4, 9, 10, 5, 2],
    &[1, 6, 6, 2],
    &[1, 0, 10, 0, 8, 2],
    &[1, 9, 7, 5, 2],
];
/// Of the layers.
const SIZES: LayerSizes = LayerSizes {
    width: 16,
    heads: 4,
    inner: 32,
    dropout: 0.0,
};
/// How much further than layers the networks may be from PyTorch: their norms divide by the spread over six texts, which is small.
const ROUNDING: f64 = 10.0;

/// What a module reads, and its gradient if it has one.
trait Input: Clone {
    fn gradient(&self, _gradients: &Gradients) -> Option<Vec<f32>> {
        None
    }
}

impl Input for PaddedSequences {}

impl Input for Tensor<3> {
    fn gradient(&self, gradients: &Gradients) -> Option<Vec<f32>> {
        self.grad(gradients).map(values)
    }
}

/// Compares output in training, gradients and output in evaluation of a module whose input `input` makes.
fn compare<M: Module, X: Input, const O: usize>(
    name: &str,
    rounding: f64,
    fresh: impl Fn(&Device) -> M,
    input: impl Fn(&Device) -> X,
    forward: impl Fn(&M, X) -> Tensor<O>,
) {
    let want = golden(name);
    for (backend, tolerance) in devices() {
        let tolerance = rounding * tolerance;
        let what = |which: &str| format!("{name} on {backend}: {which}");
        let device = common::device::open(backend).unwrap().device;
        let module = prepared(&want, &fresh, &device);
        let autodiff = device.clone().autodiff();
        let read = input(&autodiff);
        let output = forward(&module, read.clone());
        let gradients = weighted(output.clone()).backward();
        let check = |which: &str, found: Vec<f32>| {
            assert_described(&what(which), &found, &want[which], tolerance);
        };
        check("training", values(output));
        if let Some(gradient) = read.gradient(&gradients) {
            check("input", gradient);
        }
        let found = gradients_of(&module, &gradients);
        let wanted = want["gradients"].as_array().unwrap();
        assert_eq!(found.len(), wanted.len(), "{name}");
        // Softmax takes a bias of all scores away again: its gradient is nothing but rounding errors.
        let pairs = found.into_iter().zip(wanted.iter().cloned());
        let (cancelled, pairs): (Vec<_>, Vec<_>) =
            pairs.partition(|((path, _), _)| path.ends_with("score.v.bias"));
        for ((path, gradient), _) in cancelled {
            assert!(gradient[0].abs() < 1e-5, "{}", what(&path));
        }
        let (found, wanted): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        assert_gradients(&what("training"), &found, &Value::Array(wanted), tolerance);
        let output = forward(&module.valid(), input(&device));
        check("evaluation", values(output));
    }
}

/// Both ways to treat padding.
fn compare_network<N: Network<Input = PaddedSequences>>(
    name: &str,
    fresh: impl Fn(Padding, &Device) -> N,
) {
    let texts: Sequences = TEXTS.into_iter().collect();
    for (padding, suffix) in [(Padding::Masked, ""), (Padding::AsPrinted, ", as printed")] {
        compare(
            &format!("{name}{suffix}"),
            ROUNDING,
            |device| fresh(padding, device),
            |device| texts.padded(&[0, 1, 2, 3, 4, 5], PAD, device),
            N::forward,
        );
    }
}

#[test]
fn the_gru_equals_pytorch() {
    compare_network("NewsGru", |padding, device| {
        NewsGru::new(WORDS, padding, device)
    });
}

#[test]
fn averages_equal_pytorch() {
    compare_network("NewsAverage", |padding, device| {
        NewsAverage::new(WORDS, None, padding, device)
    });
    compare_network("NewsAverage, position", |padding, device| {
        let positions = Some(PositionalEncoding::new(0.0));
        NewsAverage::new(WORDS, positions, padding, device)
    });
}

#[test]
fn attention_equals_pytorch() {
    compare_network("NewsAttention", |padding, device| {
        NewsAttention::new(WORDS, None, padding, device)
    });
    compare_network("NewsAttention, position", |padding, device| {
        let positions = Some(PositionalEncoding::new(0.0));
        NewsAttention::new(WORDS, positions, padding, device)
    });
}

#[test]
fn the_cnn_equals_pytorch() {
    compare_network("NewsCnn", |padding, device| {
        NewsCnn::new(WORDS, padding, device)
    });
}

#[test]
fn the_transformer_equals_pytorch() {
    compare_network("NewsTransformer", |padding, device| {
        NewsTransformer::new(WORDS, 0.0, padding, device)
    });
}

/// Noise, of which the gradient is asked for.
fn states(shape: [usize; 3], device: &Device) -> Tensor<3> {
    let noise = noise(1000, shape.iter().product());
    let states = Tensor::from_data(TensorData::new(noise, shape), device);
    match device.is_autodiff() {
        true => states.require_grad(),
        false => states,
    }
}

#[test]
fn positions_equal_pytorch() {
    compare(
        "PositionalEncoding",
        1.0,
        |_| PositionalEncoding::new(0.0),
        |device| states([2, 9, 16], device),
        PositionalEncoding::forward,
    );
}

/// True behind the last of each text's `sizes`.
fn hidden<const T: usize>(sizes: [usize; 3], device: &Device) -> Tensor<2, Bool> {
    let hidden = sizes.map(|size| std::array::from_fn::<bool, T, _>(|t| t >= size));
    Tensor::from_data(hidden, device)
}

#[test]
fn the_encoder_layer_equals_pytorch_with_and_without_padding() {
    let fresh = |device: &Device| EncoderLayer::new(SIZES, device);
    let input = |device: &Device| states([3, 6, 16], device);
    compare("EncoderLayer", 1.0, fresh, input, |layer, x| {
        layer.forward(x, &AttentionMask::none())
    });
    compare("EncoderLayer, padded", 1.0, fresh, input, |layer, x| {
        let mask = AttentionMask::padding(hidden::<6>([6, 2, 5], &x.device()));
        layer.forward(x, &mask)
    });
}

#[test]
fn the_decoder_layer_equals_pytorch() {
    compare(
        "DecoderLayer",
        1.0,
        |device| DecoderLayer::new(SIZES, device),
        |device| states([3, 11, 16], device),
        |layer, x: Tensor<3>| {
            let mask = AttentionMask::padding(hidden::<5>([5, 3, 1], &x.device()));
            let memory = x.clone().narrow(1, 6, 5);
            layer.forward(x.narrow(1, 0, 6), memory, &AttentionMask::causal(), &mask)
        },
    );
}

#[test]
fn written_out_attention_equals_pytorch() {
    compare(
        "multi-head attention",
        1.0,
        |device| MultiHeadAttentionConfig::new(16, 4).init(device),
        |device| states([3, 11, 16], device),
        |layer, x: Tensor<3>| {
            let mask = hidden::<5>([5, 3, 1], &x.device()).unsqueeze_dims::<4>(&[1, 2]);
            let memory = x.clone().narrow(1, 6, 5);
            let query = x.narrow(1, 0, 6);
            let (out, weights) =
                multi_head_attention(layer, query, memory.clone(), memory, Some(mask));
            Tensor::cat(vec![out.flatten::<2>(1, 2), weights.flatten(1, 3)], 1)
        },
    );
}
