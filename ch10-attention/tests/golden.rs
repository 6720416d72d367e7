//! The chapter's scores, averages and networks compute what PyTorch computes: output in training, all gradients, and output in evaluation with
//! the running statistics of that one batch; and each backend the same.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and inputs are made by a formula that
//! both languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use ch10_attention::networks::{Baseline, ContextAttention, HIDDEN, SimpleAttention};
use ch10_attention::{
    AdditiveAttentionScore, AttentionAvg, AttentionScore, DotScore, GeneralScore, masked_mean,
};
use common::train::Network;
use golden_setup::golden;
use golden_setup::modules::Wanted;

/// Width of states in the tests of scores, and states of a bag.
const WIDTH: usize = 8;
const ITEMS: usize = 5;
/// Items of four bags that are no padding.
const SIZES: [usize; 4] = [5, 1, 3, 4];

/// Zeros in the places of padding.
fn without_padding<const D: usize>(mut input: Vec<f32>, shape: [usize; D]) -> Vec<f32> {
    let (items, size) = (shape[1], shape[2..].iter().product::<usize>());
    for (bag, values) in input.chunks_mut(items * size).enumerate() {
        values[(SIZES[bag] * size).min(items * size)..].fill(0.0);
    }
    input
}

/// How much further than others the networks may be from PyTorch: their norms divide averages over digits by their spread over a few bags, which
/// is small beside the averages, and so enlarge what is lost by rounding.
const ROUNDING: f64 = 5.0;

fn compare<M: Module, const I: usize, const O: usize>(
    name: &str,
    shape: [usize; I],
    fresh: impl Fn(&Device) -> M,
    forward: impl Fn(&M, Tensor<I>) -> Tensor<O>,
) {
    let wanted = Wanted {
        name,
        numbers: golden(name),
        rounding: if I == 5 { ROUNDING } else { 1.0 },
    };
    let mut input = wanted.input(shape.iter().product());
    if name.ends_with("padded") {
        input = without_padding(input, shape);
    }
    wanted.compare(input, shape, fresh, forward);
}

fn compare_network<N: Network<Input = Tensor<5>>>(
    name: &str,
    [bags, digits]: [usize; 2],
    fresh: impl Fn(&Device) -> N,
) {
    compare(name, [bags, digits, 1, 28, 28], fresh, N::forward);
}

/// Which items of the four bags are no padding.
fn valid(device: &Device) -> Tensor<2, Bool> {
    let valid = SIZES.map(|size| std::array::from_fn::<bool, ITEMS, _>(|item| item < size));
    Tensor::from_data(valid, device)
}

#[test]
fn the_masked_mean_equals_pytorch() {
    compare(
        "masked mean",
        [4, ITEMS, WIDTH],
        |_| DotScore,
        |_, h| masked_mean(h.clone(), valid(&h.device())),
    );
}

/// A score of states with two contexts each, the average of padded states, and the network, which is also given padded bags.
fn compare_score<S: AttentionScore>(name: &str, fresh: impl Fn(usize, &Device) -> S) {
    compare(
        &format!("score, {name}"),
        [4, ITEMS + 2, WIDTH],
        |device| fresh(WIDTH, device),
        |score, x: Tensor<3>| {
            let contexts = x.clone().narrow(1, ITEMS, 2);
            score.forward(x.narrow(1, 0, ITEMS), contexts)
        },
    );
    compare(
        &format!("average, {name}"),
        [4, ITEMS + 1, WIDTH],
        |device| AttentionAvg::new(fresh(WIDTH, device)),
        |average, x: Tensor<3>| {
            let context = x.clone().narrow(1, ITEMS, 1).squeeze_dim(1);
            let valid = valid(&x.device());
            average.forward(x.narrow(1, 0, ITEMS), context, Some(valid))
        },
    );
    let network = |device: &Device| ContextAttention::new(fresh(HIDDEN, device), device);
    let name = format!("ContextAttention, {name}");
    compare_network(&name, [8, 3], network);
    compare_network(&format!("{name}, padded"), [4, 6], network);
}

#[test]
fn the_dot_score_equals_pytorch() {
    compare_score("dot", |_, _| DotScore);
}

#[test]
fn the_general_score_equals_pytorch() {
    compare_score("general", GeneralScore::new);
}

#[test]
fn the_additive_score_equals_pytorch() {
    compare_score("additive", AdditiveAttentionScore::new);
}

#[test]
fn networks_without_context_equal_pytorch() {
    compare_network("Baseline", [16, 3], |device| Baseline::new(3, device));
    compare_network("SimpleAttention", [8, 3], SimpleAttention::new);
}
