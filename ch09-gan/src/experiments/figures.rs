//! Figures and trainings that several experiments share.

use common::data::{Images, Split};
use common::experiment::Run;
use common::plot::{self, Frame, Picture};
use common::seed::mix;
use common::train::Recipe;
use common::{Error, Result};

use crate::examples::Examples;
use crate::judge::{PIXELS, Seen, entropy, made, noise_for};
use crate::players::{Discriminator, Generator};
use crate::training::{Draw, GanRecipe, Trained, train};

/// The side of a digit.
pub(super) const SIDE: usize = 28;
/// Pixels of a digit's side in figures.
const SHOWN: u32 = 112;
/// Digits in a row of a picture of the progress, and its rows.
pub(super) const FRAME: [usize; 2] = [10, 6];
/// Iterations that a smoothed loss is the mean of.
const SMOOTH: usize = 100;

/// MNIST as the preset asks for.
pub(super) fn mnist(run: &mut Run) -> Result<Split<Images>> {
    let (train, test) = run.pick((256, 200), (60_000, 10_000), (60_000, 10_000));
    let data = run.mnist(train, test)?;
    if data.train.image_size() != PIXELS || data.test.is_empty() {
        return Err(Error::Data(
            "the digits have to be pictures of 28 x 28, some of them for testing".into(),
        ));
    }
    Ok(data)
}

/// A seed for what an experiment draws after training.
pub(super) fn seed_of(run: &Run, what: u64) -> u64 {
    mix(mix(run.seed(), 0x9A1), what)
}

/// The recipe as the flags change it: `--epochs`, `--batch-size`, `--lr`.
pub(super) fn with_flags(run: &Run, recipe: GanRecipe) -> GanRecipe {
    let plain = Recipe {
        lr: recipe.rate,
        ..Recipe::adamw(recipe.batch_size, recipe.epochs)
    };
    let plain = run.recipe(&plain);
    GanRecipe {
        epochs: plain.epochs,
        batch_size: plain.batch_size,
        rate: plain.lr,
        ..recipe
    }
}

/// Trains two players and records both.
pub(super) fn fit<G: Generator, D: Discriminator>(
    run: &mut Run,
    name: &str,
    players: (G, D),
    data: &dyn Examples,
    recipe: GanRecipe,
    draw: Draw<G>,
) -> Result<Trained<G, D>> {
    let recipe = with_flags(run, recipe);
    let trained = train(&run.session(), name, players, data, &recipe, draw)?;
    let [g, d] = trained.parameters;
    run.record(&format!("{name}, both players"), g + d, &trained.history)?;
    Ok(trained)
}

/// A function that draws what a generator of digits makes of one batch of noise, the same for all trainings of a run.
pub(super) fn draw_digits<G: Generator>(run: &Run) -> impl Fn(&G) -> Result<Frame> + use<G> {
    let (seed, device) = (seed_of(run, 1), run.device().clone());
    move |generator: &G| {
        let [columns, rows] = FRAME;
        let noise = noise_for(generator, columns * rows, seed, &device)?;
        let classes: Vec<u8> = (0..columns * rows).map(|i| (i % 10) as u8).collect();
        let pictures = made(generator, &noise, Some(&classes), &device)?;
        Ok(Frame::mosaic(&pictures, SIDE, columns, 2))
    }
}

/// `progress.gif`: one batch of noise from the first iteration to the last.
pub(super) fn draw_progress(run: &mut Run, name: &str, frames: &[Frame]) -> Result<()> {
    let title = format!("{name}: what one batch of noise becomes");
    let caption = format!(
        "The same noise in {} generators, from before the first iteration to after the last.",
        frames.len()
    );
    run.animation("progress", &title, &caption, frames)
}

/// Pictures of digits in a grid, with a text in each if there are any.
pub(super) fn draw_pictures(
    run: &mut Run,
    name: &str,
    (title, caption): (&str, &str),
    pictures: &[f32],
    columns: usize,
    texts: &[String],
) -> Result<()> {
    let mut grid = plot::image_grid(title).columns(columns).side(SHOWN);
    for (i, picture) in pictures.chunks_exact(PIXELS).enumerate() {
        let mut shown = Picture::grey(SIDE, SIDE, picture);
        if let Some(text) = texts.get(i) {
            shown = shown.text(text);
        }
        grid = grid.image(shown, "");
    }
    run.figure(name, caption, &grid.build())
}

/// The losses of both players against iterations; with `smooth` the mean of 100 each.
pub(super) fn draw_losses(
    run: &mut Run,
    name: &str,
    losses: &[[f32; 2]],
    smooth: bool,
) -> Result<()> {
    let of = |which: usize| {
        let all: Vec<f64> = losses.iter().map(|loss| f64::from(loss[which])).collect();
        match smooth {
            true => moving_average(&all, SMOOTH.min(all.len())),
            false => all,
        }
    };
    let (d, g) = (of(0), of(1));
    let iterations: Vec<usize> = (losses.len() - d.len()..losses.len()).collect();
    let label = match smooth {
        true => "loss, mean of 100 iterations",
        false => "loss",
    };
    let chart = plot::lines(&format!("{name}: losses"), "iteration", label)
        .line("discriminator", &iterations, &d)
        .line("generator", &iterations, &g);
    run.figure(
        "losses",
        "The losses of both players in each iteration.",
        &chart.build(),
    )
}

/// The means of `window` values that follow each other.
fn moving_average(values: &[f64], window: usize) -> Vec<f64> {
    let windows = values.windows(window.max(1));
    windows
        .map(|w| w.iter().sum::<f64>() / w.len() as f64)
        .collect()
}

/// The mean of a player's losses in the part of the training from `from` to `to`, 0 to 1.
pub(super) fn mean_loss(losses: &[[f32; 2]], player: usize, from: f64, to: f64) -> f64 {
    let at = |part: f64| (part * losses.len() as f64) as usize;
    let some = &losses[at(from)..at(to).min(losses.len())];
    let sum: f64 = some.iter().map(|loss| f64::from(loss[player])).sum();
    sum / some.len().max(1) as f64
}

/// The part of all pictures that shows each digit, as bars and in numbers. Gives the entropy.
pub(super) fn record_digits(run: &mut Run, name: &str, figure: &str, seen: &Seen) -> Result<f64> {
    let shares = seen.shares();
    let bars: Vec<(String, f64)> = shares
        .iter()
        .enumerate()
        .map(|(digit, share)| (digit.to_string(), *share))
        .collect();
    let title = format!("{name}: digits made");
    let what = format!("share of {} pictures", seen.digits.len());
    run.figure(
        figure,
        "What the digit classifier sees in what the generator makes.",
        &plot::bars(&title, &what, &bars),
    )?;
    let bits = entropy(&shares);
    run.metric(&format!("entropy of digits, {name} (bits)"), bits);
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_move() {
        assert_eq!(moving_average(&[1.0, 3.0, 5.0], 2), [2.0, 4.0]);
        assert!(moving_average(&[1.0], 2).is_empty());
        let losses = [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [6.0, 0.0]];
        assert_eq!(mean_loss(&losses, 0, 0.5, 1.0), 4.5);
        assert_eq!(mean_loss(&[], 0, 0.0, 1.0), 0.0);
    }
}
