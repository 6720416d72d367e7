//! Figures and measures that several of 7.1 to 7.6 share: codes as points, images with their reconstructions, errors on damaged images.

use burn::tensor::{Device, Tensor};
use common::data::{Images, Split};
use common::experiment::Run;
use common::plot::{Chart, Picture, image_grid, scatter};
use common::train::mean_squared_error;
use common::{Error, Result, plot};

use super::trainings::Trained;
use crate::auto_encode::{Autoencoder, SIDE};
use crate::codes::{Codes, encode_batch};
use crate::noise::Damage;

/// Training images whose codes are compared with those of test images.
const KNOWN: usize = 5_000;
/// Test images that are read from their codes.
const ASKED: usize = 2_000;
/// Neighbours that vote.
const NEIGHBOURS: usize = 15;
/// Test images that are damaged.
const DAMAGED: usize = 1_000;
/// The seed of the damage, the same for all networks.
const SEED: u64 = 161;

/// Codes of test images as points in the colours of their digits.
pub(super) fn code_chart<N: Autoencoder>(
    run: &Run,
    trained: &Trained<N>,
    data: &Split<Images>,
) -> Result<Chart> {
    let codes = codes_of(&trained.network, &data.test, run.device())?;
    let chart = scatter(trained.name, "first value", "second value");
    let (xs, ys) = (codes.column(0), codes.column(1));
    Ok(chart.classes(&data.test.class_names, &xs, &ys, &codes.labels))
}

/// One chart by itself, or several side by side.
pub(super) fn draw_codes(run: &mut Run, charts: Vec<Chart>) -> Result<()> {
    let caption = "Each point is the code of a test image, two values; its colour is the digit, and each digit's number stands in the middle of its points.";
    run.figure(
        "codes",
        caption,
        &plot::panels("Codes of the test images", charts),
    )
}

fn codes_of(network: &impl Autoencoder, images: &Images, device: &Device) -> Result<Codes> {
    encode_batch(network, images, device, |images, _| images)
}

/// How well digits can be read from codes: the shares that are read right of 0 and 1, of the others, and of all.
pub(super) struct Readable {
    pub(super) zero_and_one: f64,
    pub(super) others: f64,
    pub(super) all: f64,
}

/// Reads digits of test images from their codes: each is what most of the 15 nearest codes of training images are.
pub(super) fn readable(
    network: &impl Autoencoder,
    data: &Split<Images>,
    damage: Option<Damage>,
    device: &Device,
) -> Result<Readable> {
    let known = codes_of(network, &data.train.take(KNOWN), device)?;
    let change = |images: Tensor<4>, number| damaged(images, damage, SEED + number);
    let asked = encode_batch(network, &data.test.take(ASKED), device, change)?;
    let right = |which: fn(u8) -> bool| known.read_right(&asked, NEIGHBOURS, which);
    Ok(Readable {
        zero_and_one: right(|digit| digit < 2),
        others: right(|digit| digit >= 2),
        all: right(|_| true),
    })
}

fn damaged<const D: usize>(images: Tensor<D>, damage: Option<Damage>, seed: u64) -> Tensor<D> {
    match damage {
        Some(damage) => damage.apply(images, seed),
        None => images,
    }
}

/// The mean squared error of what a network makes of damaged images, against the images before the damage.
pub(super) fn error_on(
    network: &impl Autoencoder,
    images: &Images,
    damage: Option<Damage>,
    device: &Device,
) -> Result<f64> {
    let all: Vec<usize> = (0..images.len().min(DAMAGED)).collect();
    let mut sum = 0.0;
    for (number, indices) in all.chunks(250).enumerate() {
        let clean = images.tensor(indices, device); // [B, 1, 28, 28]
        let seen = damaged(clean.clone(), damage, SEED + number as u64);
        let output = network.forward(seen); // [B, 784]
        let error = mean_squared_error(output, clean.flatten(1, 3));
        let error = error.into_data().try_to_vec::<f32>();
        let error = error.map_err(|e| Error::Training(format!("reading an error: {e:?}")))?;
        sum += f64::from(error.first().copied().unwrap_or(f32::NAN)) * indices.len() as f64;
    }
    Ok(sum / all.len() as f64)
}

/// A row of pictures in a figure.
pub(super) struct Row {
    caption: String,
    /// [n, 784]
    values: Vec<f32>,
}

/// Test images with these numbers, as far as there are so many: [n, 1, 28, 28].
pub(super) fn pick(data: &Split<Images>, numbers: &[usize], device: &Device) -> Tensor<4> {
    let there = |i: &&usize| **i < data.test.len();
    let numbers: Vec<usize> = numbers.iter().filter(there).copied().collect();
    data.test.tensor(&numbers, device)
}

/// The same images damaged, as all figures show them.
pub(super) fn damage(images: Tensor<4>, damage: Damage) -> Tensor<4> {
    damage.apply(images, SEED)
}

/// A row of these images.
pub(super) fn row<const D: usize>(caption: &str, images: Tensor<D>) -> Result<Row> {
    let values = images.into_data().try_to_vec::<f32>();
    Ok(Row {
        caption: caption.to_string(),
        values: values.map_err(|e| Error::Training(format!("reading images: {e:?}")))?,
    })
}

/// What a network makes of these images, with its name under it.
pub(super) fn decoded<N: Autoencoder>(trained: &Trained<N>, images: Tensor<4>) -> Result<Row> {
    row(trained.name, trained.network.forward(images))
}

/// Rows of pictures, one under the other: the book's `showEncodeDecode`.
pub(super) fn show(
    run: &mut Run,
    name: &str,
    title: &str,
    caption: &str,
    rows: &[Row],
) -> Result<()> {
    let pixels = SIDE * SIDE;
    let columns = rows.iter().map(|row| row.values.len() / pixels).max();
    let mut grid = image_grid(title).columns(columns.unwrap_or(1));
    for row in rows {
        for image in row.values.chunks_exact(pixels) {
            grid = grid.image(Picture::grey(SIDE, SIDE, image), &row.caption);
        }
    }
    run.figure(name, caption, &grid.build())
}
