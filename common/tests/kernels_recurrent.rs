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
        // As large as PyTorch's: larger ones make gradients that explode, and rounding errors with them.
        let scale = 1.0 / (self.hidden as f32).sqrt();
        Numbers {
            x: random([batch, self.time, self.inputs]),
            h: random(state),
            c: random(state),
            weights: shapes
                .into_iter()
                .map(|size| random([size]).iter().map(|w| w * scale).collect())
                .collect(),
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

/// Several tiles of the matrix product and strips of its columns, on several threads.
#[test]
fn larger_layers_are_those_of_burns_operations() {
    for kind in [Recurrence::Rnn, Recurrence::Lstm, Recurrence::Gru] {
        let lengths: Vec<usize> = (0..70).map(|i| (i * 5) % 12).collect();
        let case = Case {
            kind,
            time: 11,
            inputs: 65,
            hidden: 100,
            directions: 2,
            lengths,
            told: true,
        };
        for threads in [1, 3, 4] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| check(&case, [true; 3]));
        }
    }
}

/// Partial sums are added in a fixed order, whichever thread is first.
#[test]
fn layers_give_the_same_numbers_each_time() {
    let case = Case {
        kind: Recurrence::Gru,
        time: 9,
        inputs: 33,
        hidden: 64,
        directions: 2,
        lengths: (0..40).map(|i| i % 10).collect(),
        told: true,
    };
    let numbers = case.numbers();
    let first = results(&case, &numbers, &Device::flex(), [true; 3]);
    for _ in 0..10 {
        assert_eq!(results(&case, &numbers, &Device::flex(), [true; 3]), first);
    }
}

#[test]
fn empty_batches_and_sequences_keep_their_states() {
    let device = Device::flex().autodiff();
    for kind in [Recurrence::Rnn, Recurrence::Lstm, Recurrence::Gru] {
        for (batch, time) in [(0, 4), (3, 0)] {
            let rows = kind.gates() * 4;
            let weight = leaf(&random([rows, 2]), [rows, 2], &device);
            let weights = RecurrentWeights::new(
                kind,
                weight.clone(),
                Tensor::ones([rows, 4], &device),
                [Tensor::ones([rows], &device), Tensor::ones([rows], &device)],
            );
            let x = Tensor::<3>::zeros([batch, time, 2], &device).require_grad();
            let h = Tensor::<3>::ones([1, batch, 4], &device).require_grad();
            let c = (kind == Recurrence::Lstm).then(|| h.clone());
            let result = recurrent(&[weights], x.clone(), None, h.clone(), c);
            assert_eq!(result.output.dims(), [batch, time, 4]);
            assert_eq!(values(result.h.clone()), vec![1.0; batch * 4]);
            let grads = (result.h.sum() + result.output.sum()).backward();
            assert_eq!(x.grad(&grads).unwrap().dims(), [batch, time, 2]);
            assert_eq!(values(h.grad(&grads).unwrap()), vec![1.0; batch * 4]);
            assert_eq!(values(weight.grad(&grads).unwrap()), vec![0.0; rows * 2]);
        }
    }
}

/// The lengths are all that tells padding from input.
#[test]
fn a_padded_batch_gives_what_each_sequence_gives_alone() {
    for kind in [Recurrence::Rnn, Recurrence::Lstm, Recurrence::Gru] {
        let case = |time: usize, lengths: Vec<usize>| Case {
            kind,
            time,
            inputs: 3,
            hidden: 5,
            directions: 2,
            lengths,
            told: true,
        };
        let lengths = [4, 7, 1, 6, 2];
        let (batch, padded) = (lengths.len(), case(7, lengths.to_vec()));
        let numbers = padded.numbers();
        let all = results(&padded, &numbers, &Device::flex(), [true; 3]);
        let of = |results: &[(String, Vec<f32>)], name: &str| {
            let found = results.iter().find(|(n, _)| n == name);
            found.map(|(_, values)| values.clone()).unwrap_or_default()
        };
        let mut weight_gradients: Vec<(String, Vec<f32>)> = Vec::new();
        for (b, &length) in lengths.iter().enumerate() {
            // This sequence of `[directions, batch, hidden]`, and its first `length` steps of `[batch, time, width]`.
            let state = |values: &[f32]| -> Vec<f32> {
                let rows = values.chunks(5).skip(b).step_by(batch);
                rows.flatten().copied().collect()
            };
            let steps =
                |values: &[f32], width: usize| values[b * 7 * width..][..length * width].to_vec();
            let alone = Numbers {
                x: steps(&numbers.x, 3),
                h: state(&numbers.h),
                c: state(&numbers.c),
                weights: numbers.weights.clone(),
                weighting: [
                    steps(&numbers.weighting[0], 10),
                    state(&numbers.weighting[1]),
                    state(&numbers.weighting[2]),
                ],
            };
            let alone = results(
                &case(length, vec![length]),
                &alone,
                &Device::flex(),
                [true; 3],
            );
            for (name, values) in &alone {
                let padded = of(&all, name);
                match name.as_str() {
                    "output" => {
                        assert_close(name, values, &steps(&padded, 10));
                        let padding = &padded[(b * 7 + length) * 10..(b + 1) * 70];
                        assert!(padding.iter().all(|v| *v == 0.0), "{padding:?}");
                    }
                    "gradient of x" => {
                        assert_close(name, values, &steps(&padded, 3));
                        let padding = &padded[(b * 7 + length) * 3..(b + 1) * 21];
                        assert!(padding.iter().all(|v| *v == 0.0), "{padding:?}");
                    }
                    "h" | "c" | "gradient of h" | "gradient of c" => {
                        assert_close(name, values, &state(&padded));
                    }
                    _ => match weight_gradients.iter_mut().find(|(n, _)| n == name) {
                        Some((_, sum)) => sum.iter_mut().zip(values).for_each(|(s, v)| *s += v),
                        None => weight_gradients.push((name.clone(), values.clone())),
                    },
                }
            }
        }
        assert_eq!(weight_gradients.len(), 8);
        for (name, sum) in &weight_gradients {
            assert_close(name, &of(&all, name), sum);
        }
    }
}

/// Last state and gradients of many steps: as steps of a cell, or as a layer over the whole sequence.
fn walked(
    case: &Case,
    numbers: &Numbers,
    device: &Device,
    stepwise: bool,
) -> Vec<(String, Vec<f32>)> {
    if !stepwise {
        return results(case, numbers, device, [false, true, true]);
    }
    let device = device.clone().autodiff();
    let x = leaf(&numbers.x, [case.batch(), case.time, case.inputs], &device);
    let state = [case.batch(), case.hidden];
    let (h, c) = (
        leaf(&numbers.h, state, &device),
        leaf(&numbers.c, state, &device),
    );
    let shapes = case.weight_shapes();
    let leaves: Vec<_> = (0..4)
        .map(|i| leaf(&numbers.weights[i], shapes[i], &device))
        .collect();
    let bias = |i: usize| leaves[i].clone().squeeze_dim(1);
    let weights = RecurrentWeights::new(
        case.kind,
        leaves[0].clone(),
        leaves[1].clone(),
        [bias(2), bias(3)],
    );
    let lstm = case.kind == Recurrence::Lstm;
    let (mut now, mut cell) = (h.clone(), lstm.then(|| c.clone()));
    for t in 0..case.time {
        let x = x.clone().narrow(1, t, 1).squeeze_dim(1);
        (now, cell) = recurrent_step(&weights, x, now, cell);
    }
    let weighting = |i: usize| vector(&numbers.weighting[i], &device).reshape(state);
    let mut loss = (now.clone() * weighting(1)).sum();
    let mut all = vec![("h".to_string(), values(now))];
    if let Some(cell) = cell {
        loss = loss + (cell.clone() * weighting(2)).sum();
        all.push(("c".to_string(), values(cell)));
    }
    let grads = loss.backward();
    all.push(("gradient of x".into(), values(x.grad(&grads).unwrap())));
    all.push(("gradient of h".into(), values(h.grad(&grads).unwrap())));
    if lstm {
        all.push(("gradient of c".into(), values(c.grad(&grads).unwrap())));
    }
    for (i, name) in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
        .iter()
        .enumerate()
    {
        let name = format!("gradient of {name} of direction 0");
        all.push((name, values(leaves[i].grad(&grads).unwrap())));
    }
    all
}

/// More steps than are multiplied together, and few.
#[test]
fn steps_of_a_cell_are_a_layer() {
    for kind in [Recurrence::Rnn, Recurrence::Lstm, Recurrence::Gru] {
        for (batch, time) in [(3, 4), (70, 40)] {
            let case = Case {
                kind,
                time,
                inputs: 5,
                hidden: 9,
                directions: 1,
                lengths: vec![time; batch],
                told: false,
            };
            let numbers = case.numbers();
            let want = walked(&case, &numbers, &reference(), false);
            for device in [Device::flex(), reference()] {
                let found = walked(&case, &numbers, &device, true);
                // The layer gives the states of all steps as well.
                assert_eq!(found.len() + 1, want.len());
                for (name, values) in &found {
                    let (_, want) = want.iter().find(|(n, _)| n == name).unwrap();
                    assert_close(name, values, want);
                }
            }
        }
    }
}

/// Input and weights of a small GRU on a device.
fn small(device: &Device) -> (Tensor<3>, Vec<Tensor<2>>) {
    let numbers = |count: usize| {
        (0..count)
            .map(|i| ((i * 7919) % 100) as f32 / 50.0 - 1.0)
            .collect()
    };
    let tensor = |shape: [usize; 2]| {
        let numbers: Vec<f32> = numbers(shape[0] * shape[1]);
        vector(&numbers, device).reshape(shape)
    };
    let x = tensor([6, 2]).reshape([2, 3, 2]);
    let weights = [[12, 2], [12, 4], [12, 1], [12, 1]].map(tensor);
    (x, weights.to_vec())
}

fn gru(weights: &[Tensor<2>], x: Tensor<3>) -> Tensor<3> {
    let bias = |i: usize| weights[i].clone().squeeze_dim(1);
    let ready = RecurrentWeights::new(
        Recurrence::Gru,
        weights[0].clone(),
        weights[1].clone(),
        [bias(2), bias(3)],
    );
    let h = Tensor::zeros([1, x.dims()[0], 4], &x.device());
    recurrent(&[ready], x, None, h, None).output
}

/// An adversarial example needs the gradient of the input alone, the first layer that of the weights alone.
#[test]
fn what_is_not_tracked_has_no_gradient() {
    let run = |device: &Device, track: [bool; 2]| {
        let (x, weights) = small(&device.clone().autodiff());
        let x = if track[0] { x.require_grad() } else { x };
        let weights: Vec<_> = weights
            .into_iter()
            .map(|w| {
                if track[1] {
                    w.detach().require_grad()
                } else {
                    w
                }
            })
            .collect();
        let grads = gru(&weights, x.clone()).powi_scalar(2).sum().backward();
        let all = [x.grad(&grads).map(values)].into_iter();
        let all: Vec<_> = all
            .chain(weights.iter().map(|w| w.grad(&grads).map(values)))
            .collect();
        assert_eq!(all[0].is_some(), track[0]);
        assert!(all[1..].iter().all(|grad| grad.is_some() == track[1]));
        all.into_iter().flatten().collect::<Vec<_>>()
    };
    for track in [[true, false], [false, true]] {
        for (ours, theirs) in run(&Device::flex(), track)
            .iter()
            .zip(run(&reference(), track))
        {
            assert_close("gradient", ours, &theirs);
        }
    }
}

/// Weights of a device without gradients under an input with them.
#[test]
fn weights_without_gradients_pass_them_on() {
    let run = |device: &Device| {
        let (_, weights) = small(device);
        let (x, _) = small(&device.clone().autodiff());
        let x = x.require_grad();
        let grads = gru(&weights, x.clone()).powi_scalar(2).sum().backward();
        values(x.grad(&grads).unwrap())
    };
    assert_close("gradient", &run(&Device::flex()), &run(&reference()));
}

/// A view has no slice of values in order.
#[test]
fn layers_take_views() {
    let run = |device: &Device| {
        let (x, weights) = small(device);
        values(gru(&weights, x.swap_dims(0, 1)))
    };
    assert_close("output", &run(&Device::flex()), &run(&reference()));
}

#[test]
#[should_panic(expected = "lengths [4, 3] of 2 sequences in 3 steps")]
fn a_length_beyond_the_batch_fails() {
    let (x, weights) = small(&Device::flex());
    let bias = |i: usize| weights[i].clone().squeeze_dim(1);
    let ready = RecurrentWeights::new(
        Recurrence::Gru,
        weights[0].clone(),
        weights[1].clone(),
        [bias(2), bias(3)],
    );
    let h = Tensor::zeros([1, 2, 4], &Device::flex());
    recurrent(&[ready], x, Some(&[4, 3]), h, None);
}

#[test]
#[should_panic(expected = "a recurrent layer of 2 inputs takes states [1, 3, 4]")]
fn an_input_of_the_wrong_width_fails() {
    let (_, weights) = small(&Device::flex());
    gru(&weights, Tensor::zeros([3, 2, 3], &Device::flex()));
}

#[test]
#[should_panic(expected = "do not fit each other")]
fn weights_of_another_kind_fail() {
    let (_, weights) = small(&Device::flex());
    let bias = |i: usize| weights[i].clone().squeeze_dim(1);
    RecurrentWeights::new(
        Recurrence::Lstm,
        weights[0].clone(),
        weights[1].clone(),
        [bias(2), bias(3)],
    );
}
