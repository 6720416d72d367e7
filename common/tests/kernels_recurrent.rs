//! Recurrent layers on Flex against the same layers in Burn's operations on the ndarray backend.

mod kernel_setup;

use burn::tensor::{Device, Tensor, TensorData};
use common::kernels::{Recurrence, RecurrentWeights, recurrent, recurrent_step};
use kernel_setup::{assert_close, leaf, random, reference, values};
use proptest::prelude::*;

/// A layer and a batch.
#[derive(Debug, Clone)]
struct Case {
    kind: Recurrence,
    time: usize,
    inputs: usize,
    hidden: usize,
    directions: usize,
    lengths: Vec<usize>,
    /// Whether the layer is told the lengths; else all sequences have `time` steps.
    told: bool,
}

/// Random numbers for a case.
struct Numbers {
    x: Vec<f32>,
    h: Vec<f32>,
    c: Vec<f32>,
    weights: Vec<Vec<f32>>,
    /// What the outputs are multiplied with to give a loss.
    weighting: [Vec<f32>; 3],
}

impl Case {
    fn batch(&self) -> usize {
        self.lengths.len()
    }

    fn numbers(&self) -> Numbers {
        let (batch, rows) = (self.batch(), self.kind.gates() * self.hidden);
        let state = [self.directions, batch, self.hidden];
        let shapes = [rows * self.inputs, rows * self.hidden, rows, rows];
        let shapes = shapes.repeat(self.directions);
        Numbers {
            x: random([batch, self.time, self.inputs]),
            h: random(state),
            c: random(state),
            weights: shapes.into_iter().map(|size| random([size])).collect(),
            weighting: [
                random([batch, self.time, self.directions * self.hidden]),
                random(state),
                random(state),
            ],
        }
    }

    fn weight_shapes(&self) -> [[usize; 2]; 4] {
        let rows = self.kind.gates() * self.hidden;
        [
            [rows, self.inputs],
            [rows, self.hidden],
            [rows, 1],
            [rows, 1],
        ]
    }
}

fn kinds() -> impl Strategy<Value = Recurrence> {
    prop_oneof![
        Just(Recurrence::Rnn),
        Just(Recurrence::Lstm),
        Just(Recurrence::Gru)
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let sizes = (0..9usize, 1..20usize, 1..40usize, 1..3usize);
    (kinds(), sizes, 0..40usize, any::<bool>())
        .prop_flat_map(|(kind, (time, inputs, hidden, directions), batch, told)| {
            prop::collection::vec(0..=time, batch).prop_map(move |lengths| Case {
                kind,
                time,
                inputs,
                hidden,
                directions,
                lengths,
                told,
            })
        })
        .prop_filter("ndarray has no empty tensors", |case| {
            case.time > 0 && case.batch() > 0
        })
}

fn vector(values: &[f32], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// Outputs and gradients by name. `used` says which outputs the loss is made of.
fn results(
    case: &Case,
    numbers: &Numbers,
    device: &Device,
    used: [bool; 3],
) -> Vec<(String, Vec<f32>)> {
    let device = device.clone().autodiff();
    let x = leaf(&numbers.x, [case.batch(), case.time, case.inputs], &device);
    let state = [case.directions, case.batch(), case.hidden];
    let h = leaf(&numbers.h, state, &device);
    let c = leaf(&numbers.c, state, &device);
    let shapes = case.weight_shapes();
    let leaves: Vec<_> = numbers
        .weights
        .iter()
        .enumerate()
        .map(|(i, values)| leaf(values, shapes[i % 4], &device))
        .collect();
    let weights: Vec<_> = leaves
        .chunks(4)
        .map(|w| {
            let bias = |i: usize| w[i].clone().squeeze_dim(1);
            RecurrentWeights::new(case.kind, w[0].clone(), w[1].clone(), [bias(2), bias(3)])
        })
        .collect();
    let lstm = case.kind == Recurrence::Lstm;
    let lengths = case.told.then_some(case.lengths.as_slice());
    let result = recurrent(
        &weights,
        x.clone(),
        lengths,
        h.clone(),
        lstm.then_some(c.clone()),
    );
    let outputs = [Some(result.output), Some(result.h), result.c];
    let mut loss = Tensor::<1>::zeros([1], &device);
    let mut all = Vec::new();
    for (i, output) in outputs.into_iter().enumerate() {
        let Some(output) = output else { continue };
        if used[i] {
            let weighting = vector(&numbers.weighting[i], &device).reshape(output.dims());
            loss = loss + (output.clone() * weighting).sum();
        }
        all.push((["output", "h", "c"][i].to_string(), values(output)));
    }
    let grads = loss.backward();
    // Burn has no gradient where none was needed.
    let mut push = |name: String, grad: Option<Vec<f32>>, size: usize| {
        all.push((name, grad.unwrap_or_else(|| vec![0.0; size])));
    };
    push(
        "gradient of x".into(),
        x.grad(&grads).map(values),
        numbers.x.len(),
    );
    push(
        "gradient of h".into(),
        h.grad(&grads).map(values),
        numbers.h.len(),
    );
    if lstm {
        push(
            "gradient of c".into(),
            c.grad(&grads).map(values),
            numbers.c.len(),
        );
    }
    for (i, leaf) in leaves.iter().enumerate() {
        let name = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"][i % 4];
        push(
            format!("gradient of {name} of direction {}", i / 4),
            leaf.grad(&grads).map(values),
            numbers.weights[i].len(),
        );
    }
    all
}

fn check(case: &Case, used: [bool; 3]) {
    let numbers = case.numbers();
    let ours = results(case, &numbers, &Device::flex(), used);
    let theirs = results(case, &numbers, &reference(), used);
    for ((name, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        assert_close(name, ours, theirs);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn layers_are_those_of_burns_operations(case in case()) {
        check(&case, [true; 3]);
    }

    #[test]
    fn a_loss_of_some_outputs_has_the_same_gradients(case in case(), used in 0..3usize) {
        // Only the LSTM has a last cell state.
        let used = if case.kind == Recurrence::Lstm { used } else { used % 2 };
        check(&case, std::array::from_fn(|i| i == used));
    }
}
