//! 1.1 and 1.3: what a tensor is, and how containers of them get to a device.

use std::collections::BTreeMap;

use burn::tensor::{Bool, DType, Device, FloatDType, Int, Tensor, TensorData};
use common::experiment::Run;
use common::{Error, Result, device};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::devices::side_by_side;
use crate::move_to::MoveTo;
use crate::read::{floats, scalar, unreadable};

/// The book's scalar: a number with two decimals, not pi.
#[allow(clippy::approx_constant)]
const SCALAR: f32 = 3.14;

/// 1.1
pub(super) fn basics(run: &mut Run) -> Result<()> {
    let device = run.device().clone();
    let number = Tensor::<1>::from_data([SCALAR], &device); // [1]
    let vector = Tensor::<1>::from_data([1.0, 2.0, 3.0, 4.0], &device); // [4]
    let rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]];
    let matrix = Tensor::<2>::from_data(rows, &device); // [4, 2]
    let cube = Tensor::<1, Int>::arange(1..25, &device).reshape([4, 2, 3]); // [4, 2, 3]

    let named = [
        ("scalar 3.14", 0, number.dims().to_vec()),
        ("vector 1 .. 4", 1, vector.dims().to_vec()),
        ("matrix 1 .. 8", 2, matrix.dims().to_vec()),
        ("3-D tensor 1 .. 24", 3, cube.dims().to_vec()),
    ];
    for (name, _, shape) in &named {
        run.say(format!("{name:<20} shape {shape:?}"));
    }
    let table = named.iter().map(|(name, axes, shape)| {
        let elements: usize = shape.iter().product();
        vec![
            name.to_string(),
            axes.to_string(),
            format!("{shape:?}"),
            elements.to_string(),
        ]
    });
    run.table(
        "Tensors",
        &["what", "axes", "shape", "elements"],
        table.collect(),
    );
    let shapes = named.map(|(_, _, shape)| shape);
    run.claim(
        "a shape lists the length of each axis (Burn's scalar is a vector of one element)",
        shapes == [vec![1], vec![4], vec![4, 2], vec![4, 2, 3]],
        format!("{shapes:?}"),
    );
    floating_point(run, &device)?;
    rearranged(run, matrix, cube)
}

/// A random array as a tensor of 64 bits, then of 32; a comparison; a sum.
fn floating_point(run: &mut Run, device: &Device) -> Result<()> {
    let device = with_64_bits(run, device)?;
    let mut rng = ChaCha8Rng::seed_from_u64(run.seed());
    let array: Vec<f64> = (0..16).map(|_| rng.random()).collect();

    let data = TensorData::new(array.clone(), [4, 4]);
    let wide = Tensor::<2>::from_data(data, (&device, DType::F64)); // [4, 4]
    let kept = wide.clone().try_into_vec_as::<f64>().map_err(unreadable)?;
    run.claim(
        "64-bit floats stay 64-bit floats when loaded as such, to the last bit",
        wide.dtype() == DType::F64 && kept == array,
        format!("{:?}; the first is {}", wide.dtype(), kept[0]),
    );

    let x = wide.cast(FloatDType::F32); // [4, 4]
    let narrow = floats(x.clone())?;
    let pairs = narrow.iter().zip(&array);
    let lost = pairs
        .map(|(x, y)| (f64::from(*x) - y).abs())
        .fold(0.0, f64::max);
    run.claim(
        "a cast makes them 32-bit floats, which networks are trained with",
        x.dtype() == DType::F32 && lost < 1e-7,
        format!(
            "{:?}; the first is {}; at most {lost:.0e} is lost",
            x.dtype(),
            narrow[0]
        ),
    );

    let above: Tensor<2, Bool> = x.clone().greater_scalar(0.5); // [4, 4]
    let above = floats(above.int())?;
    run.say("random 4x4 tensor x, and x > 0.5:");
    for (numbers, truths) in narrow.chunks(4).zip(above.chunks(4)) {
        let numbers: Vec<String> = numbers.iter().map(|x| format!("{x:.4}")).collect();
        let truths: Vec<String> = truths.iter().map(|t| format!("{:<5}", *t == 1.0)).collect();
        run.say(format!("  {}    {}", numbers.join("  "), truths.join("  ")));
    }
    let right = narrow
        .iter()
        .zip(&above)
        .filter(|(x, t)| (**x > 0.5) == (**t == 1.0))
        .count();
    run.claim(
        "a comparison gives a tensor of truth values",
        right == 16,
        format!(
            "{right} of 16 are right, {} are true",
            above.iter().sum::<f32>()
        ),
    );

    let sum = scalar(x.sum())?;
    let exact: f64 = array.iter().sum();
    run.claim(
        "sum adds all elements",
        (f64::from(sum) - exact).abs() < 1e-5,
        format!("{sum:.4}, by hand {exact:.4}"),
    );
    Ok(())
}

/// The device itself, or a CPU backend where it has no 64-bit floats, as many GPUs.
fn with_64_bits(run: &mut Run, device: &Device) -> Result<Device> {
    if device.supports_dtype(DType::F64) {
        return Ok(device.clone());
    }
    run.say("this device has no 64-bit floats: what follows runs on the processor");
    let cpu = device::open("flex").or_else(|_| device::open("ndarray"));
    cpu.map(|cpu| cpu.device).map_err(|_| {
        Error::Usage(
            "64-bit floats need a CPU backend: build with --features flex, or leave out --no-default-features".into(),
        )
    })
}

/// A transpose, and a swap of two axes of three.
fn rearranged(run: &mut Run, matrix: Tensor<2>, cube: Tensor<3, Int>) -> Result<()> {
    let turned = matrix.transpose(); // [2, 4]
    let shape = turned.dims();
    let elements = floats(turned)?;
    run.claim(
        "a transpose makes rows of columns",
        shape == [2, 4] && elements == [1.0, 3.0, 5.0, 7.0, 2.0, 4.0, 6.0, 8.0],
        format!("[4, 2] becomes {shape:?}: {elements:?}"),
    );

    let before = floats(cube.clone())?;
    let swapped = cube.swap_dims(0, 2); // [3, 2, 4]
    let shape = swapped.dims();
    let after = floats(swapped)?;
    // Element [i, j, k] of 4x2x3 is number 6i + 3j + k; as [k, j, i] of 3x2x4 it is number 8k + 4j + i.
    let indices = (0..24).map(|n| (n / 6, n / 3 % 2, n % 3));
    let moved =
        indices.filter(|(i, j, k)| before.get(6 * i + 3 * j + k) == after.get(8 * k + 4 * j + i));
    let moved = moved.count();
    run.claim(
        "swapping axes 0 and 2 makes element [i, j, k] element [k, j, i]",
        shape == [3, 2, 4] && moved == 24,
        format!("[4, 2, 3] becomes {shape:?}; {moved} of 24 elements are where they should be"),
    );
    Ok(())
}

/// A batch as a program may have it: sequences of two lengths by name, perhaps a mask, a pair of targets, a note.
type Batch = (
    BTreeMap<&'static str, Vec<Tensor<2>>>,
    Option<Tensor<1, Bool>>,
    [Tensor<1, Int>; 2],
    String,
);

/// 1.3
pub(super) fn moving(run: &mut Run) -> Result<()> {
    let devices = side_by_side(run.device());
    let here = devices[0].clone();
    let there = devices.last().unwrap_or(&here).clone();
    if there.device == here.device {
        run.say("this build has one device: the tensors move to where they are");
    }
    run.say(format!("from {} to {}", here.name, there.name));

    let scalars = [1.0, 2.0].map(|x: f32| Tensor::<1>::from_data([x], &here.device));
    let scalars = scalars.to_vec(); // two tensors of shape [1]
    let x = Tensor::<2>::from_data([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &here.device); // [2, 3]
    let batch: Batch = (
        BTreeMap::from([("short", vec![x.clone()]), ("long", vec![x.clone(), x])]),
        Some(Tensor::from_data([true, false], &here.device)),
        [0, 1].map(|class: i32| Tensor::from_data([class, class], &here.device)),
        "two sequences".to_string(),
    );
    let before = (places(&scalars, &batch), values(&scalars, &batch)?);
    let scalars = scalars.move_to(&there.device);
    let batch = batch.move_to(&there.device);
    let after = (places(&scalars, &batch), values(&scalars, &batch)?);

    let name = |device: &Device| {
        let known = devices.iter().find(|known| known.device == *device);
        known.map_or(format!("{device:?}"), |known| known.name.clone())
    };
    let mut rows = Vec::new();
    for ((what, from), (_, to)) in before.0.iter().zip(&after.0) {
        let (from, to) = (name(from), name(to));
        run.say(format!("{what:<20} {from} -> {to}"));
        rows.push(vec![what.to_string(), from, to]);
    }
    run.table(
        "Where the tensors are",
        &["tensor", "before", "after"],
        rows,
    );
    let arrived = after
        .0
        .iter()
        .filter(|(_, place)| *place == there.device)
        .count();
    run.claim(
        "every tensor is on the other device",
        arrived == after.0.len(),
        format!("{arrived} of {} on {}", after.0.len(), there.name),
    );
    run.claim(
        "no value has changed",
        before.1 == after.1 && batch.3 == "two sequences",
        format!("{} numbers compared", after.1.len()),
    );
    Ok(())
}

/// Where each tensor is.
fn places(scalars: &[Tensor<1>], (sequences, mask, targets, _): &Batch) -> Vec<(String, Device)> {
    let mut places = Vec::new();
    for (i, scalar) in scalars.iter().enumerate() {
        places.push((format!("list[{i}]"), scalar.device()));
    }
    for (name, list) in sequences {
        for (i, tensor) in list.iter().enumerate() {
            places.push((format!("batch.0[\"{name}\"][{i}]"), tensor.device()));
        }
    }
    if let Some(mask) = mask {
        places.push(("batch.1, Some(mask)".to_string(), mask.device()));
    }
    for (i, target) in targets.iter().enumerate() {
        places.push((format!("batch.2[{i}]"), target.device()));
    }
    places
}

/// All numbers in all tensors.
fn values(scalars: &[Tensor<1>], (sequences, mask, targets, _): &Batch) -> Result<Vec<f32>> {
    let mut all = Vec::new();
    for tensor in scalars {
        all.extend(floats(tensor.clone())?);
    }
    for tensor in sequences.values().flatten() {
        all.extend(floats(tensor.clone())?);
    }
    if let Some(tensor) = mask {
        all.extend(floats(tensor.clone().int())?);
    }
    for tensor in targets {
        all.extend(floats(tensor.clone())?);
    }
    Ok(all)
}
