//! Matrix products of batches, masked softmax and attention against Burn's own operations on the ndarray backend:
//! values and all gradients.

mod kernel_setup;

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Tensor, TensorData};
use common::kernels::{self, AttentionMask};
use kernel_setup::{assert_close, leaf, random, reference, values};
use proptest::prelude::*;

fn bools<const D: usize>(hidden: &[bool], shape: [usize; D], device: &Device) -> Tensor<D, Bool> {
    Tensor::from_data(TensorData::new(hidden.to_vec(), shape), device)
}

/// The output, weighted by random numbers that do not depend on the device, and the gradients of the inputs.
fn with_gradients<const D: usize, const N: usize>(
    out: Tensor<D>,
    inputs: [Tensor<3>; N],
) -> Vec<Vec<f32>> {
    let shape = out.dims();
    let count: usize = shape.iter().product();
    let weighting: Vec<f32> = (0..count)
        .map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0)
        .collect();
    let weighting = Tensor::<1>::from_floats(weighting.as_slice(), &out.device()).reshape(shape);
    let grads = (out.clone() * weighting).sum().backward();
    let mut results = vec![values(out)];
    results.extend(inputs.map(|x| values(x.grad(&grads).unwrap())));
    results
}

fn compare(names: &[&str], ours: &[Vec<f32>], theirs: &[Vec<f32>]) {
    assert_eq!(ours.len(), names.len());
    for (name, (ours, theirs)) in names.iter().zip(ours.iter().zip(theirs)) {
        assert_close(name, ours, theirs);
    }
}

/// The product of `[batch, rows, terms]` and `[batch, terms, cols]`, either of them a view of its transpose.
fn product(
    device: Device,
    [a, b]: [&[f32]; 2],
    [batch, rows, terms, cols]: [usize; 4],
    flipped: [bool; 2],
    matmul: impl Fn(Tensor<3>, Tensor<3>) -> Tensor<3>,
) -> Vec<Vec<f32>> {
    let device = device.autodiff();
    let operand = |values: &[f32], [rows, cols]: [usize; 2], flipped: bool| {
        if flipped {
            let x = leaf(values, [batch, cols, rows], &device);
            (x.clone(), x.transpose())
        } else {
            let x = leaf(values, [batch, rows, cols], &device);
            (x.clone(), x)
        }
    };
    let (a_leaf, a) = operand(a, [rows, terms], flipped[0]);
    let (b_leaf, b) = operand(b, [terms, cols], flipped[1]);
    with_gradients(matmul(a, b), [a_leaf, b_leaf])
}

fn check_product(sizes: [usize; 4], flipped: [bool; 2]) {
    let [batch, rows, terms, cols] = sizes;
    let (a, b) = (random([batch, rows, terms]), random([batch, terms, cols]));
    let run = |device, matmul: fn(Tensor<3>, Tensor<3>) -> Tensor<3>| {
        product(device, [&a, &b], sizes, flipped, matmul)
    };
    let ours = run(Device::flex(), kernels::matmul);
    let theirs = run(reference(), Tensor::matmul);
    compare(&["product", "left", "right"], &ours, &theirs);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn matmul_is_burns(sizes in [1..6usize, 1..40usize, 1..40usize, 1..70usize], flipped in any::<[bool; 2]>()) {
        check_product(sizes, flipped);
    }

    /// Rows, columns and outer products, which have kernels of their own.
    #[test]
    fn matmul_of_vectors_is_burns(
        batch in 1..6usize,
        length in 1..70usize,
        other in 1..70usize,
        kind in 0..3usize,
        flipped in any::<[bool; 2]>(),
    ) {
        let sizes = [
            [batch, 1, length, other],
            [batch, other, length, 1],
            [batch, other, 1, length],
        ];
        check_product(sizes[kind], flipped);
    }
}

/// Products that are split into blocks, and a single large one.
#[test]
fn matmul_of_larger_sizes_is_burns() {
    for sizes in [[1, 150, 600, 210], [3, 70, 300, 130], [2, 9, 5, 300]] {
        for flipped in [[false, false], [true, false], [false, true]] {
            check_product(sizes, flipped);
        }
    }
}

#[test]
fn matmul_of_four_axes_is_burns() {
    let (a, b) = (random([2, 3, 5, 4]), random([2, 5, 3, 4]));
    let run = |device: &Device, matmul: fn(Tensor<4>, Tensor<4>) -> Tensor<4>| {
        let a = Tensor::<1>::from_floats(a.as_slice(), device).reshape([2, 3, 5, 4]);
        // A view with all axes in another order.
        let b = Tensor::<1>::from_floats(b.as_slice(), device)
            .reshape([2, 5, 3, 4])
            .permute([0, 2, 3, 1]);
        values(matmul(a, b))
    };
    assert_close(
        "product",
        &run(&Device::flex(), kernels::matmul),
        &run(&reference(), Tensor::matmul),
    );
}

/// One matrix for the whole batch, and a flipped one.
#[test]
fn matmul_of_what_the_kernel_does_not_cover_is_burns() {
    let (a, b) = (random([3, 4, 5]), random([1, 5, 2]));
    let run = |device: &Device, matmul: fn(Tensor<3>, Tensor<3>) -> Tensor<3>| {
        let a = Tensor::<1>::from_floats(a.as_slice(), device).reshape([3, 4, 5]);
        let b = Tensor::<1>::from_floats(b.as_slice(), device).reshape([1, 5, 2]);
        let broadcast = values(matmul(a.clone(), b.clone()));
        let flipped = matmul(a.flip([1]), b.expand([3, 5, 2]));
        [broadcast, values(flipped)].concat()
    };
    assert_close(
        "product",
        &run(&Device::flex(), kernels::matmul),
        &run(&reference(), Tensor::matmul),
    );
}

#[test]
fn matmul_of_nothing_is_nothing() {
    let device = Device::flex();
    let product = |a: [usize; 3], b: [usize; 3]| {
        kernels::matmul(Tensor::<3>::ones(a, &device), Tensor::<3>::ones(b, &device))
    };
    assert_eq!(product([0, 2, 3], [0, 3, 4]).dims(), [0, 2, 4]);
    assert_eq!(product([2, 0, 3], [2, 3, 4]).dims(), [2, 0, 4]);
    assert_eq!(values(product([2, 1, 0], [2, 0, 3])), [0.0; 6]);
}

#[test]
#[should_panic]
fn matmul_of_unequal_inner_sizes_fails() {
    let device = Device::flex();
    kernels::matmul(
        Tensor::<3>::ones([2, 3, 4], &device),
        Tensor::<3>::ones([2, 5, 3], &device),
    );
}

/// Softmax with a mask, of Burn's operations.
fn composed_softmax<const D: usize>(x: Tensor<D>, hidden: Tensor<D, Bool>) -> Tensor<D> {
    let hidden = hidden.expand(x.dims());
    softmax(x.mask_fill(hidden.clone(), -1e30), D - 1).mask_fill(hidden, 0.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn masked_softmax_is_burns(
        shape in [1..5usize, 1..9usize, 1..70usize],
        shared in any::<[bool; 2]>(),
        seed in any::<[bool; 64]>(),
    ) {
        let mask_shape = [if shared[0] { 1 } else { shape[0] }, if shared[1] { 1 } else { shape[1] }, shape[2]];
        let count: usize = mask_shape.iter().product();
        // The first row is hidden altogether.
        let hidden: Vec<bool> = (0..count).map(|i| i < shape[2] || seed[i * 31 % 64]).collect();
        let x: Vec<f32> = random(shape).iter().map(|v| 5.0 * v).collect();
        let run = |device: Device, softmax: fn(Tensor<3>, Tensor<3, Bool>) -> Tensor<3>| {
            let device = device.autodiff();
            let x = leaf(&x, shape, &device);
            with_gradients(softmax(x.clone(), bools(&hidden, mask_shape, &device)), [x])
        };
        let ours = run(Device::flex(), kernels::masked_softmax);
        prop_assert!(ours[0][..shape[2]].iter().all(|v| *v == 0.0));
        compare(&["softmax", "gradient"], &ours, &run(reference(), composed_softmax));
        // What other devices compute.
        compare(&["softmax", "gradient"], &run(reference(), kernels::masked_softmax), &ours);
    }

    #[test]
    fn softmax_is_burns(shape in [1..5usize, 1..9usize, 1..70usize]) {
        // Scaled here, since a gradient of rounding errors would be scaled as well.
        let x: Vec<f32> = random(shape).iter().map(|v| 30.0 * v).collect();
        let run = |device: Device, softmax: fn(Tensor<3>) -> Tensor<3>| {
            let device = device.autodiff();
            let x = leaf(&x, shape, &device);
            with_gradients(softmax(x.clone()), [x])
        };
        compare(&["softmax", "gradient"], &run(Device::flex(), kernels::softmax), &run(reference(), |x| softmax(x, 2)));
    }
}

#[test]
fn softmax_keeps_what_is_not_a_number_and_takes_extreme_values() {
    let row = |x: [f32; 3]| {
        values(kernels::softmax(Tensor::<1>::from_floats(
            x,
            &Device::flex(),
        )))
    };
    assert!(row([0.0, f32::NAN, 1.0]).iter().all(|v| v.is_nan()));
    assert!(row([f32::NAN; 3]).iter().all(|v| v.is_nan()));
    assert_eq!(row([-3e38, 3e38, f32::NEG_INFINITY]), [0.0, 1.0, 0.0]);
}

/// An attention to test.
#[derive(Debug, Clone)]
struct Case {
    batch: usize,
    queries: usize,
    keys: usize,
    heads: usize,
    /// Columns of a head of queries and keys, and of values.
    widths: [usize; 2],
    causal: bool,
    padding: Option<Vec<bool>>,
}

impl Case {
    fn shapes(&self) -> [[usize; 3]; 3] {
        let [width, value_width] = self.widths.map(|w| w * self.heads);
        [
            [self.batch, self.queries, width],
            [self.batch, self.keys, width],
            [self.batch, self.keys, value_width],
        ]
    }

    fn mask(&self, device: &Device) -> AttentionMask {
        AttentionMask {
            padding: self
                .padding
                .as_ref()
                .map(|p| bools(p, [self.batch, self.keys], device)),
            causal: self.causal,
        }
    }

    /// Output and gradients (query, key, value).
    fn run(
        &self,
        device: Device,
        data: &[Vec<f32>; 3],
        attention: impl Fn([Tensor<3>; 3], &Device) -> Tensor<3>,
    ) -> Vec<Vec<f32>> {
        let device = device.autodiff();
        let shapes = self.shapes();
        let inputs = [0, 1, 2].map(|i| leaf(&data[i], shapes[i], &device));
        with_gradients(attention(inputs.clone(), &device), inputs)
    }

    /// Attention of Burn's operations.
    fn composed(&self, [q, k, v]: [Tensor<3>; 3], device: &Device) -> Tensor<3> {
        let split = |x: Tensor<3>| {
            let [batch, time, columns] = x.dims();
            x.reshape([batch, time, self.heads, columns / self.heads])
                .swap_dims(1, 2)
        };
        let (batch, queries, keys) = (self.batch, self.queries, self.keys);
        let scores = split(q).matmul(split(k).transpose()) / (self.widths[0] as f64).sqrt();
        let hidden: Vec<bool> = (0..batch * queries * keys)
            .map(|i| {
                let (b, t, s) = (i / (queries * keys), i / keys % queries, i % keys);
                self.causal && s > t || self.padding.as_ref().is_some_and(|p| p[b * keys + s])
            })
            .collect();
        let hidden = bools(&hidden, [batch, 1, queries, keys], device);
        let weights = composed_softmax(scores, hidden);
        weights.matmul(split(v)).swap_dims(1, 2).reshape([
            batch,
            queries,
            self.heads * self.widths[1],
        ])
    }
}

fn case() -> impl Strategy<Value = Case> {
    (
        (1..4usize, 1..24usize, 1..40usize),
        (1..4usize, 1..20usize, 1..20usize),
        any::<[bool; 2]>(),
        prop::collection::vec(any::<bool>(), 4 * 40),
    )
        .prop_map(
            |((batch, queries, keys), (heads, width, value_width), [causal, padded], padding)| {
                Case {
                    batch,
                    queries,
                    keys,
                    heads,
                    widths: [width, value_width],
                    causal,
                    padding: padded.then(|| padding[..batch * keys].to_vec()),
                }
            },
        )
}

const NAMES: [&str; 4] = ["output", "query", "key", "value"];

fn check(case: &Case) {
    let data = case.shapes().map(random);
    let fused = |[q, k, v]: [Tensor<3>; 3], device: &Device| {
        kernels::attention(q, k, v, case.heads, &case.mask(device), 0.0)
    };
    let ours = case.run(Device::flex(), &data, fused);
    let theirs = case.run(reference(), &data, |inputs, device| {
        case.composed(inputs, device)
    });
    compare(&NAMES, &ours, &theirs);
    // What other devices compute.
    compare(&NAMES, &case.run(reference(), &data, fused), &theirs);
    // With weights, which are those of the output.
    let [q, k, v] = [0, 1, 2].map(|i| {
        Tensor::<1>::from_floats(data[i].as_slice(), &Device::flex()).reshape(case.shapes()[i])
    });
    let (out, weights) =
        kernels::attention_with_weights(q, k, v, case.heads, &case.mask(&Device::flex()), 0.0);
    assert_eq!(
        weights.dims(),
        [case.batch, case.heads, case.queries, case.keys]
    );
    assert_close("output beside weights", &values(out), &theirs[0]);
    let row_sums = values(weights.sum_dim(3));
    assert!(
        row_sums
            .iter()
            .all(|sum| *sum == 0.0 || (sum - 1.0).abs() < 1e-5)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn attention_is_burns(case in case()) {
        check(&case);
    }

    #[test]
    fn self_attention_is_attention(case in case()) {
        let case = Case { queries: case.keys, widths: [case.widths[0]; 2], ..case };
        let data = case.shapes().map(random);
        let separate = |[q, k, v]: [Tensor<3>; 3], device: &Device| {
            kernels::attention(q, k, v, case.heads, &case.mask(device), 0.0)
        };
        let packed = |inputs: [Tensor<3>; 3], device: &Device| {
            let inputs = Tensor::cat(inputs.to_vec(), 2);
            kernels::self_attention(inputs, case.heads, &case.mask(device), 0.0)
        };
        let want = case.run(Device::flex(), &data, separate);
        compare(&NAMES, &case.run(Device::flex(), &data, packed), &want);
        compare(&NAMES, &case.run(reference(), &data, packed), &want);
    }
}

fn plain(batch: usize, queries: usize, keys: usize, heads: usize, width: usize) -> Case {
    Case {
        batch,
        queries,
        keys,
        heads,
        widths: [width, width],
        causal: false,
        padding: None,
    }
}

/// Enough heads for all threads, and a decoder's single query.
#[test]
fn attention_of_larger_sizes_is_burns() {
    check(&plain(8, 50, 50, 4, 32));
    check(&plain(9, 1, 8, 1, 256));
    check(&Case {
        causal: true,
        ..plain(3, 65, 130, 8, 16)
    });
}

/// Hidden places give zeros and get no gradient.
#[test]
fn a_sequence_of_padding_gives_zeros() {
    let mut case = plain(2, 3, 5, 2, 4);
    case.padding = Some((0..10).map(|i| i < 5).collect());
    let data = case.shapes().map(random);
    let ours = case.run(Device::flex(), &data, |[q, k, v], device| {
        kernels::attention(q, k, v, 2, &case.mask(device), 0.0)
    });
    for result in ours {
        let half = result.len() / 2;
        assert!(result[..half].iter().all(|v| *v == 0.0));
        assert!(result[half..].iter().any(|v| *v != 0.0));
    }
}

/// Padding changes nothing, to the last digit.
#[test]
fn a_padded_sequence_gives_the_result_of_the_unpadded_one() {
    let device = Device::flex();
    let keys = 13;
    let tensor = |values: &[f32], time: usize| {
        Tensor::<1>::from_floats(values, &device).reshape([1, time, 24])
    };
    let (q, k, v) = (
        random([1, 7, 24]),
        random([1, keys, 24]),
        random([1, keys, 24]),
    );
    let run = |k: Tensor<3>, v: Tensor<3>, mask: &AttentionMask| {
        values(kernels::attention(tensor(&q, 7), k, v, 3, mask, 0.0))
    };
    let want = run(tensor(&k, keys), tensor(&v, keys), &AttentionMask::none());
    for more in [1, 5, 40] {
        let padding = random([1, more, 24]);
        let padded = |x: &[f32]| tensor(&[x, &padding].concat(), keys + more);
        let hidden: Vec<bool> = (0..keys + more).map(|i| i >= keys).collect();
        let mask = AttentionMask::padding(bools(&hidden, [1, keys + more], &device));
        assert_eq!(run(padded(&k), padded(&v), &mask), want, "{more} more");
    }
}

/// Views of a larger tensor, and inputs of which some need no gradient.
#[test]
fn attention_of_views_is_burns() {
    let x = random([2, 6, 24]);
    let run = |device: Device| {
        let device = device.autodiff();
        let x = leaf(&x, [2, 6, 24], &device);
        let part = |i: usize| x.clone().narrow(2, 8 * i, 8);
        let out = kernels::attention(
            part(0),
            part(1).detach(),
            part(2),
            2,
            &AttentionMask::causal(),
            0.0,
        );
        with_gradients(out, [x])
    };
    compare(
        &["output", "input"],
        &run(Device::flex()),
        &run(reference()),
    );
}

#[test]
fn attention_of_nothing_is_nothing() {
    let device = Device::flex().autodiff();
    let run = |[batch, queries, keys]: [usize; 3]| {
        let q = Tensor::<3>::ones([batch, queries, 4], &device).require_grad();
        let k = Tensor::<3>::ones([batch, keys, 4], &device).require_grad();
        let out = kernels::attention(
            q.clone(),
            k.clone(),
            k.clone(),
            2,
            &AttentionMask::none(),
            0.0,
        );
        assert_eq!(out.dims(), [batch, queries, 4]);
        let grads = out.clone().sum().backward();
        assert_eq!(q.grad(&grads).unwrap().dims(), [batch, queries, 4]);
        assert_eq!(k.grad(&grads).unwrap().dims(), [batch, keys, 4]);
        values(out)
    };
    assert!(run([0, 2, 3]).is_empty());
    assert!(run([2, 0, 3]).is_empty());
    assert_eq!(run([2, 1, 0]), [0.0; 8]);
}

/// With the identity as values the output is the weights, so that what was dropped can be seen.
#[test]
fn dropout_of_the_weights_is_the_same_in_both_passes() {
    let (batch, time, width, rate) = (3, 24, 24, 0.3);
    let case = plain(batch, time, time, 1, width);
    let [q, k, _] = case.shapes().map(random);
    let identity: Vec<f32> = (0..batch * time * width)
        .map(|i| f32::from(u8::from(i / width % time == i % width)))
        .collect();
    let data = [q, k, identity];
    let ours = case.run(Device::flex(), &data, |[q, k, v], _| {
        kernels::attention(q, k, v, 1, &AttentionMask::none(), rate)
    });
    let kept: Vec<f32> = ours[0]
        .iter()
        .map(|w| f32::from(u8::from(*w != 0.0)))
        .collect();
    let part = kept.iter().sum::<f32>() / kept.len() as f32;
    assert!((part - 0.7).abs() < 0.05, "{part} of the weights are left");
    let theirs = case.run(reference(), &data, |[q, k, v], device| {
        let kept = Tensor::<1>::from_floats(kept.as_slice(), device).reshape([batch, time, time]);
        let scores = q.matmul(k.transpose()) / (width as f64).sqrt();
        (softmax(scores, 2) * kept / (1.0 - rate)).matmul(v)
    });
    compare(&NAMES, &ours, &theirs);
    let again = case.run(Device::flex(), &data, |[q, k, v], _| {
        kernels::attention(q, k, v, 1, &AttentionMask::none(), rate)
    });
    assert_ne!(again[0], ours[0], "each call drops others");
}

#[test]
fn attention_gives_the_same_numbers_each_time() {
    let case = plain(16, 20, 20, 4, 8);
    let data = case.shapes().map(random);
    let run = || {
        case.run(Device::flex(), &data, |[q, k, v], _| {
            kernels::attention(q, k, v, 4, &AttentionMask::causal(), 0.0)
        })
    };
    let first = run();
    for _ in 0..20 {
        assert_eq!(run(), first);
    }
}

#[test]
fn attention_of_what_is_not_a_number_is_not_a_number() {
    let device = Device::flex();
    let mut q = random([1, 2, 4]);
    q[0] = f32::NAN;
    let q = Tensor::<1>::from_floats(q.as_slice(), &device).reshape([1, 2, 4]);
    let k = Tensor::<3>::ones([1, 3, 4], &device);
    let out = values(kernels::attention(
        q,
        k.clone(),
        k,
        1,
        &AttentionMask::none(),
        0.0,
    ));
    assert!(out[..4].iter().all(|v| v.is_nan()) && out[4..].iter().all(|v| v.is_finite()));
}

#[test]
#[should_panic(expected = "3 heads of 4 columns")]
fn heads_that_do_not_divide_the_columns_fail() {
    let x = Tensor::<3>::ones([1, 2, 4], &Device::flex());
    kernels::attention(x.clone(), x.clone(), x, 3, &AttentionMask::none(), 0.0);
}

#[test]
#[should_panic(expected = "shape of the padding mask")]
fn a_padding_mask_of_another_shape_fails() {
    let device = Device::flex();
    let x = Tensor::<3>::ones([1, 2, 4], &device);
    let mask = AttentionMask::padding(bools(&[false; 3], [1, 3], &device));
    kernels::attention(x.clone(), x.clone(), x, 2, &mask, 0.0);
}
