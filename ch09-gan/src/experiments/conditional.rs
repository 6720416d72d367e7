//! 9.6 and 9.7: a GAN that is told a digit.

use burn::tensor::Device;
use ch03_cnn::networks::CLASSES;
use common::Result;
use common::data::{Images, Split};
use common::experiment::Run;

use super::digits::{NOISE, real, simple, wgan_recipe};
use super::figures::{
    draw_digits, draw_losses, draw_pictures, draw_progress, fit, mnist, record_digits, seed_of,
};
use crate::conditional::Conditional;
use crate::judge::{Judge, PIXELS, made, noise_for};
use crate::latent::{ink, slant};
use crate::simple::{SimpleDiscriminator, SimpleGenerator};
use crate::training::{GanRecipe, Trained};

/// What the players are called in files.
pub(crate) const CONDITIONAL: &str = "conditional WGAN-GP";

type Players = (
    Conditional<SimpleGenerator>,
    Conditional<SimpleDiscriminator>,
);

/// How much of the mean of the generator's weights each iteration keeps, at most: the mean is over the last thousand, about, or the last
/// ninth of all if that is less.
const AVERAGE: f64 = 0.999;

/// A fresh generator of 9.6.
pub(crate) fn conditional_generator(device: &Device) -> Conditional<SimpleGenerator> {
    Conditional::new(simple(device).0, NOISE, CLASSES, device)
}

fn players(device: &Device) -> Players {
    let discriminator = Conditional::new(simple(device).1, PIXELS, CLASSES, device);
    (conditional_generator(device), discriminator)
}

/// The players of 9.6: trained as those of 9.4, and told the digit; the generator's weights are averaged.
fn train(
    run: &mut Run,
    data: &Split<Images>,
) -> Result<Trained<Conditional<SimpleGenerator>, Conditional<SimpleDiscriminator>>> {
    let recipe = GanRecipe {
        conditional: true,
        average: AVERAGE,
        ..wgan_recipe(run, 20)
    };
    let draw = draw_digits(run);
    let players = players(run.device());
    fit(run, CONDITIONAL, players, &data.train, recipe, &draw)
}

/// 0 to 9 again and again.
fn cycle(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i % CLASSES) as u8).collect()
}

/// 9.6: both players are told the digit.
pub(super) fn conditional(run: &mut Run) -> Result<()> {
    let data = mnist(run)?;
    let judge = Judge::train(run, &data)?;
    let trained = train(run, &data)?;
    let device = run.device().clone();
    let generator = &trained.generator;

    let noise = noise_for(generator, 120, seed_of(run, 3), &device)?;
    let pictures = made(generator, &noise, Some(&cycle(120)), &device)?;
    draw_pictures(
        run,
        "samples",
        (
            "Conditional WGAN-GP: asked for 0 to 9",
            "Digits asked for by column, 0 to 9; each from noise of its own.",
        ),
        &pictures,
        CLASSES,
        &[],
    )?;
    draw_losses(run, "Conditional WGAN-GP", &trained.losses, true)?;
    draw_progress(run, "Conditional WGAN-GP", &trained.frames)?;

    let count = run.pick(200, 10_000, 10_000);
    let noise = noise_for(generator, count, seed_of(run, 2), &device)?;
    let asked = cycle(count);
    let seen = judge.look(&made(generator, &noise, Some(&asked), &device)?)?;
    record_digits(run, "conditional WGAN-GP", "digits", &seen)?;
    let moments = real(run, &data, &judge)?.moments();
    run.metric(
        "Fréchet distance, conditional WGAN-GP",
        seen.distance(&moments),
    );
    let right = seen.right(&asked);
    run.metric("digits that are what was asked for", right);
    // The book's generator has the weights of the last iteration.
    let last = judge.look(&made(&trained.last, &noise, Some(&asked), &device)?)?;
    run.metric(
        "Fréchet distance, weights of the last iteration",
        last.distance(&moments),
    );
    let last = last.right(&asked);
    run.metric(
        "digits that are what was asked for, weights of the last iteration",
        last,
    );
    let least = run.pick(0.0, 0.8, 0.95);
    run.claim(
        &format!(
            "at least {:.0} % of its digits are what was asked for",
            100.0 * least
        ),
        right >= least,
        format!(
            "{:.1} % of {count}; with the weights of the last iteration in place of their running mean {:.1} %",
            100.0 * right,
            100.0 * last
        ),
    );
    Ok(())
}

/// 9.7: the same noise with ten labels.
pub(super) fn controlled(run: &mut Run) -> Result<()> {
    let data = mnist(run)?;
    let judge = Judge::train(run, &data)?;
    let trained = train(run, &data)?;
    let device = run.device().clone();
    let generator = &trained.generator;
    let rows = run.pick(20, 500, 500);
    let width = NOISE;
    let styles = noise_for(generator, rows, seed_of(run, 4), &device)?;
    let noise: Vec<f32> = styles
        .chunks_exact(width)
        .flat_map(|z| z.repeat(CLASSES))
        .collect();
    let asked = cycle(rows * CLASSES);
    let pictures = made(generator, &noise, Some(&asked), &device)?;
    let shown = 10 * CLASSES * PIXELS;
    draw_pictures(
        run,
        "grid",
        (
            "Ten styles of ten digits",
            "Each row is one noise with the labels 0 to 9.",
        ),
        &pictures[..shown.min(pictures.len())],
        CLASSES,
        &[],
    )?;
    let right = judge.look(&pictures)?.right(&asked);
    run.metric("digits that are what was asked for", right);
    run.claim(
        "each column shows its digit",
        right >= 0.8,
        format!("{:.1} % of {} digits", 100.0 * right, rows * CLASSES),
    );
    let each = pictures.chunks_exact(PIXELS);
    let slants: Vec<f32> = each.clone().map(slant).collect();
    let inks: Vec<f32> = each.map(ink).collect();
    for (what, values) in [("slant", &slants), ("stroke width", &inks)] {
        let shared = shared_by_rows(values, CLASSES);
        run.metric(&format!("part of {what} that a row shares"), shared);
        run.claim(
            &format!("a row has one {what}"),
            shared > 0.2,
            format!(
                "{:.0} % of its variance within a digit is between rows",
                100.0 * shared
            ),
        );
    }
    Ok(())
}

/// How much of what varies within a column is common to a row: the variance of the rows' means as a part of that of all values, both less
/// the columns' means and what the former has by chance. 1 if rows differ in nothing else, 0 if they have nothing in common.
fn shared_by_rows(values: &[f32], columns: usize) -> f64 {
    let rows = values.len() / columns.max(1);
    if rows < 2 || columns < 2 {
        return 0.0;
    }
    let mut centred: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
    for column in 0..columns {
        let mean = (0..rows)
            .map(|row| centred[row * columns + column])
            .sum::<f64>()
            / rows as f64;
        (0..rows).for_each(|row| centred[row * columns + column] -= mean);
    }
    let all = centred.iter().map(|v| v * v).sum::<f64>() / centred.len() as f64;
    let mean = |row: &[f64]| row.iter().sum::<f64>() / columns as f64;
    let between = centred
        .chunks_exact(columns)
        .map(|row| mean(row).powi(2))
        .sum::<f64>();
    let between = between / rows as f64;
    let n = columns as f64;
    // The intraclass correlation: independent values would have a variance of means of all / n.
    if all > 0.0 {
        (n * between / all - 1.0) / (n - 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::shared_by_rows;

    #[test]
    fn rows_share_all_or_nothing() {
        let style = [1.0, 11.0, 5.0, 15.0, 3.0, 13.0];
        assert!((shared_by_rows(&style, 2) - 1.0).abs() < 1e-6);
        let crossed = [1.0, 0.0, 0.0, 1.0];
        assert!(shared_by_rows(&crossed, 2) < 0.0);
        assert_eq!(shared_by_rows(&[1.0, 2.0], 2), 0.0);
    }
}
