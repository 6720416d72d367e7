//! 10.3 and 10.6: what a trained network pays attention to, and bags of other sizes.

use burn::tensor::{Device, Tensor};
use common::data::Batches;
use common::experiment::Run;
use common::plot::{self, Picture};
use common::seed::mix;
use common::{Error, Result};

use super::trainings::{SIZE, bags, dot, simple};
use crate::bags::{DigitBags, SIDE};
use crate::networks::Attentive;

/// Bags that are read at a time.
const BATCH: usize = 128;
/// Digits of a bag in 10.6, and the places that it is filled up to.
const SIZES: std::ops::RangeInclusive<usize> = 1..=5;
const PADDED: usize = 6;

/// The bags that the training loop evaluates on.
fn draw_bag(bags: &DigitBags, index: usize) -> Vec<usize> {
    bags.draw(index, mix(0, 0))
}

/// What a network makes of a bag.
struct Read {
    bag: Vec<usize>,
    digits: Vec<u8>,
    logits: Vec<f32>,
    weights: Vec<f32>,
}

impl Read {
    /// The most likely label is the largest digit.
    fn is_right(&self) -> bool {
        let said = self.logits.iter().enumerate();
        let said = said.max_by(|a, b| a.1.total_cmp(b.1)).map(|(i, _)| i);
        said == self.largest().map(usize::from)
    }

    fn largest(&self) -> Option<u8> {
        self.digits.iter().max().copied()
    }

    /// The weight of the largest digit, wherever it stands.
    fn weight_of_largest(&self) -> f32 {
        let pairs = self.digits.iter().zip(&self.weights);
        let largest = pairs.filter(|(digit, _)| Some(**digit) == self.largest());
        largest.map(|(_, weight)| weight).sum()
    }
}

/// 10.3
pub(super) fn weights(run: &mut Run) -> Result<()> {
    let data = bags(run)?;
    let network = simple(run, &data)?.model.network;
    let device = run.device().clone();
    let all = read(&network, &data.test, &device)?;
    // As in the book, a bag with label 9; the first that has other digits too.
    let nine = |r: &&Read| r.digits.iter().filter(|digit| **digit == 9).count() == 1;
    let shown = all.iter().find(nine).or(all.first());
    if let Some(shown) = shown {
        draw(
            run,
            "weights",
            "A bag and its weights",
            "The digits of a test bag with their weights in red.",
            &data.test,
            shown,
        )?;
        run.metric_beside(
            "weight of the 9 in the bag shown",
            f64::from(shown.weight_of_largest()),
            0.99,
        );
    }
    let sum: f64 = all.iter().map(|r| f64::from(r.weight_of_largest())).sum();
    let mean = sum / all.len() as f64;
    run.metric("mean weight of the largest digit", mean);
    run.claim(
        "most of the weight goes to the largest digit",
        mean > 0.5,
        format!("on the mean of {} test bags {mean:.3}", all.len()),
    );
    Ok(())
}

/// 10.6
pub(super) fn variable(run: &mut Run) -> Result<()> {
    let data = bags(run)?;
    let network = dot(run, &data)?.model.network;
    let device = run.device().clone();
    let (images, count) = (data.test.images(), data.test.len());
    let others = DigitBags::variable(images, count, SIZES, PADDED, run.seed())?;
    let (three, all) = (
        read(&network, &data.test, &device)?,
        read(&network, &others, &device)?,
    );

    let mut accuracies = Vec::new();
    for size in SIZES {
        let of_size = all.iter().filter(|r| r.bag.len() == size);
        let accuracy = accuracy(of_size);
        run.metric(&format!("test accuracy, bags of {size}"), accuracy);
        accuracies.push(accuracy);
    }
    let sizes: Vec<usize> = SIZES.collect();
    let (fixed, mixed) = (accuracy(three.iter()), accuracy(all.iter()));
    let chart = plot::lines("Bags of other sizes", "digits in a bag", "test accuracy").line(
        "dot score, trained on bags of 3",
        &sizes,
        &accuracies,
    );
    run.figure(
        "sizes",
        "Test accuracy against the number of digits, of a network that has seen bags of three only.",
        &chart.build(),
    )?;
    if let Some(shown) = all.iter().find(|r| r.bag.len() == 4).or(all.first()) {
        draw(
            run,
            "padded",
            "A padded bag and its weights",
            "The digits of a bag that is filled up with zeros, with their weights in red.",
            &others,
            shown,
        )?;
    }
    run.metric("test accuracy, bags of 1 to 5", mixed);
    // What the book prints as the accuracy on bags of all sizes: its loader is built on the old data.
    run.metric_beside("test accuracy, all bags of three", fixed, 0.967);
    run.claim(
        "bags of one to five digits are read nearly as well as bags of three",
        mixed > fixed - 0.03,
        format!("test accuracy {mixed:.3} against {fixed:.3}"),
    );
    let change = padding_changes(&network, &data.test, &device)?;
    run.metric("largest change of a logit by padding", change);
    run.claim(
        "padding changes nothing",
        change < 1e-4,
        format!("bags of three, filled up to {PADDED}: logits change by at most {change:.1e}"),
    );
    Ok(())
}

fn accuracy<'a>(read: impl Iterator<Item = &'a Read>) -> f64 {
    let (mut right, mut all) = (0.0, 0.0);
    for read in read {
        right += f64::from(u8::from(read.is_right()));
        all += 1.0;
    }
    right / all
}

/// What `network` makes of each of these bags.
fn read<N: Attentive>(network: &N, bags: &DigitBags, device: &Device) -> Result<Vec<Read>> {
    let indices: Vec<usize> = (0..bags.len()).collect();
    let mut all = Vec::with_capacity(indices.len());
    for indices in indices.chunks(BATCH) {
        let drawn: Vec<_> = indices.iter().map(|&i| draw_bag(bags, i)).collect();
        let (logits, weights) = network.forward_with_weights(bags.tensors(&drawn, device).0);
        let (logits, weights) = (rows(logits)?, rows(weights)?);
        for ((bag, logits), weights) in drawn.into_iter().zip(logits).zip(weights) {
            all.push(Read {
                digits: bags.digits(&bag),
                bag,
                logits,
                weights,
            });
        }
    }
    Ok(all)
}

/// The rows of a matrix.
fn rows(matrix: Tensor<2>) -> Result<Vec<Vec<f32>>> {
    let [_, columns] = matrix.dims();
    let values = matrix.into_data().try_to_vec::<f32>();
    let values = values.map_err(|error| Error::Training(format!("{error:?}")))?;
    Ok(values.chunks(columns.max(1)).map(<[f32]>::to_vec).collect())
}

/// The largest change of a logit when bags of three are filled up with zeros.
fn padding_changes<N: Attentive>(network: &N, bags: &DigitBags, device: &Device) -> Result<f64> {
    let first = 0..BATCH.min(bags.len());
    let drawn: Vec<_> = first.map(|i| draw_bag(bags, i)).collect();
    let padded = DigitBags::variable(bags.images(), bags.len(), SIZE..=SIZE, PADDED, 0)?;
    let logits = |set: &DigitBags| network.forward(set.tensors(&drawn, device).0);
    let change = (logits(bags) - logits(&padded)).abs().max();
    Ok(f64::from(change.into_scalar::<f32>()))
}

/// Draws a bag, padding included, with the weights of its places.
fn draw(
    run: &mut Run,
    name: &str,
    title: &str,
    caption: &str,
    bags: &DigitBags,
    read: &Read,
) -> Result<()> {
    let mut grid = plot::image_grid(title).columns(read.weights.len());
    for (place, weight) in read.weights.iter().enumerate() {
        let (values, below) = match (read.bag.get(place), read.digits.get(place)) {
            (Some(&image), Some(digit)) => {
                let pixels = bags.images().image(image).iter();
                let values = pixels.map(|&byte| f32::from(byte) / 255.0).collect();
                (values, digit.to_string())
            }
            _ => (vec![0.0; SIDE * SIDE], "padding".to_string()),
        };
        let picture = Picture::grey(SIDE, SIDE, &values).text(&format!("{weight:.2}"));
        grid = grid.image(picture, &below);
    }
    run.figure(name, caption, &grid.build())
}
