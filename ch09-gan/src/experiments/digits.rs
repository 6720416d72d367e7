//! 9.1, 9.4 and 9.5: GANs on handwritten digits.

use burn::tensor::{Device, Tensor, TensorData};
use common::Result;
use common::data::{Images, Split};
use common::experiment::{Preset, Run};
use common::kernels::sigmoid;

use super::figures::{
    draw_digits, draw_losses, draw_pictures, draw_progress, fit, mean_loss, mnist, record_digits,
    seed_of,
};
use crate::convolutional::{ConvDiscriminator, ConvGenerator};
use crate::frechet::Moments;
use crate::judge::{Judge, PIXELS, Seen, entropy, made, nearest_neighbour, noise_for, read};
use crate::players::{Discriminator, Generator};
use crate::simple::{NEURONS, SimpleDiscriminator, SimpleGenerator};
use crate::training::{GanRecipe, Objective, Trained};

/// Values of noise for a digit.
pub(super) const NOISE: usize = 128;
/// The fully connected players.
pub(super) type Simple = Trained<SimpleGenerator, SimpleDiscriminator>;

const GAN: &str = "GAN";
const WGAN: &str = "WGAN-GP";
const CONV: &str = "convolutional WGAN-GP";

/// Iterations of 9.5 at `quick`.
const QUICK_CONV: usize = 900;

/// The book's loss for the Wasserstein GAN.
pub(super) const WASSERSTEIN: Objective = Objective::Wasserstein {
    penalty: 10.0,
    updates: 1,
};

/// Fresh players of 9.1 and 9.4.
pub(super) fn simple(device: &Device) -> (SimpleGenerator, SimpleDiscriminator) {
    (
        SimpleGenerator::new(NOISE, NEURONS, PIXELS, true, device),
        SimpleDiscriminator::new(PIXELS, NEURONS, device),
    )
}

/// The GAN of 9.1.
fn gan(run: &mut Run, data: &Split<Images>) -> Result<Simple> {
    let mut recipe = GanRecipe::book(Objective::Standard, run.pick(1, 3, 10));
    recipe.batch_size = run.pick(128, 64, 128);
    let draw = draw_digits(run);
    let players = simple(run.device());
    fit(run, GAN, players, &data.train, recipe, &draw)
}

/// The recipe of the Wasserstein GANs on digits. `quick` takes 3 epochs of batches half as large, at four times the rate, which falls to
/// nothing.
pub(super) fn wgan_recipe(run: &Run, book_epochs: usize) -> GanRecipe {
    let book = GanRecipe::book(WASSERSTEIN, run.pick(1, 3, book_epochs));
    match run.preset() {
        Preset::Quick => GanRecipe {
            batch_size: 64,
            rate: 4e-4,
            decay: true,
            ..book
        },
        _ => book,
    }
}

/// The Wasserstein GAN of 9.4.
pub(super) fn wgan(run: &mut Run, data: &Split<Images>) -> Result<Simple> {
    let recipe = wgan_recipe(run, 40);
    let draw = draw_digits(run);
    let players = simple(run.device());
    fit(run, WGAN, players, &data.train, recipe, &draw)
}

/// What the judge sees in as many pictures of a generator as there are test images, at most 10,000.
fn judged<G: Generator>(run: &Run, generator: &G, judge: &Judge) -> Result<Seen> {
    let count = run.pick(200, 10_000, 10_000);
    let noise = noise_for(generator, count, seed_of(run, 2), run.device())?;
    judge.look(&made(generator, &noise, None, run.device())?)
}

/// What the judge sees in the test images.
pub(super) fn real(run: &Run, data: &Split<Images>, judge: &Judge) -> Result<Seen> {
    let count = data.test.len().min(run.pick(200, 10_000, 10_000));
    judge.look(&pixels(&data.test, count, run.device())?)
}

/// The first `count` images.
fn pixels(images: &Images, count: usize, device: &Device) -> Result<Vec<f32>> {
    let all: Vec<usize> = (0..count.min(images.len())).collect();
    read(images.tensor(&all, device))
}

/// 121 pictures of a generator, with the probability that D gives to their being real if it was trained to.
fn draw_samples<G: Generator, D: Discriminator>(
    run: &mut Run,
    name: &str,
    trained: &Trained<G, D>,
    scored: bool,
) -> Result<()> {
    let (count, device) = (11 * 11, run.device().clone());
    let noise = noise_for(&trained.generator, count, seed_of(run, 3), &device)?;
    let pictures = made(&trained.generator, &noise, None, &device)?;
    let mut texts = Vec::new();
    if scored {
        let rows = TensorData::new(pictures.clone(), [count, PIXELS]);
        let scores = trained
            .discriminator
            .score(Tensor::from_data(rows, &device), None);
        let p = read(sigmoid(scores))?;
        texts = p.iter().map(|p| format!("{p:.2}")).collect();
    }
    let caption = match scored {
        true => "Digits made from noise; in red how probably real they are in the eyes of D.",
        false => "Digits made from noise.",
    };
    let title = format!("{name}: digits");
    draw_pictures(run, "samples", (&title, caption), &pictures, 11, &texts)
}

/// The Fréchet distance of a generator's digits to the test images, recorded.
fn record_distance(run: &mut Run, name: &str, seen: &Seen, real: &Moments) -> f64 {
    let distance = seen.distance(real);
    run.metric(&format!("Fréchet distance, {name}"), distance);
    distance
}

/// 9.1: a first GAN.
pub(super) fn first(run: &mut Run) -> Result<()> {
    let data = mnist(run)?;
    let judge = Judge::train(run, &data)?;
    let trained = gan(run, &data)?;
    draw_samples(run, GAN, &trained, true)?;
    draw_losses(run, GAN, &trained.losses, false)?;
    draw_progress(run, GAN, &trained.frames)?;
    let seen = judged(run, &trained.generator, &judge)?;
    let bits = record_digits(run, GAN, "digits", &seen)?;
    let test = real(run, &data, &judge)?;
    record_distance(run, GAN, &seen, &test.moments());
    let device = run.device().clone();
    let count = run.pick(100, 1_000, 1_000);
    let noise = noise_for(&trained.generator, count, seed_of(run, 2), &device)?;
    let fake = made(&trained.generator, &noise, None, &device)?;
    let near = nearest_neighbour(&fake, &device)?;
    let wanted = nearest_neighbour(&pixels(&data.test, count, &device)?, &device)?;
    run.metric("distance to the nearest other digit, GAN", near);
    run.metric("distance to the nearest other digit, MNIST", wanted);

    let even = entropy(&test.shares());
    run.claim(
        "some digits are made far more often than others",
        bits < even - 0.1,
        format!("entropy {bits:.3} bits, of MNIST's test images {even:.3}"),
    );
    run.claim(
        "digits are more alike than real ones",
        near < wanted,
        format!("distance to the nearest other {near:.4}, of real ones {wanted:.4}"),
    );
    let half = |player| mean_loss(&trained.losses, player, 0.5, 1.0);
    let (d, g) = (half(0), half(1));
    run.claim(
        "D's loss stays near 0, G's well above it",
        d < 0.5 && g > 2.0 * d,
        format!("means of the second half: D {d:.3}, G {g:.3}"),
    );
    Ok(())
}

/// 9.4: a Wasserstein GAN with gradient penalty, beside the first GAN.
pub(super) fn wasserstein(run: &mut Run) -> Result<()> {
    let data = mnist(run)?;
    let judge = Judge::train(run, &data)?;
    let before = gan(run, &data)?;
    let trained = wgan(run, &data)?;
    draw_samples(run, WGAN, &trained, false)?;
    draw_losses(run, WGAN, &trained.losses, true)?;
    draw_progress(run, WGAN, &trained.frames)?;
    let old = judged(run, &before.generator, &judge)?;
    let new = judged(run, &trained.generator, &judge)?;
    let old_bits = record_digits(run, GAN, "digits-gan", &old)?;
    let bits = record_digits(run, WGAN, "digits", &new)?;
    let moments = real(run, &data, &judge)?.moments();
    record_distance(run, GAN, &old, &moments);
    record_distance(run, WGAN, &new, &moments);

    run.claim(
        "digits are spread more evenly than those of the first GAN",
        bits > old_bits,
        format!("entropy {bits:.3} bits against {old_bits:.3}"),
    );
    let rarest = new.shares().into_iter().fold(1.0, f64::min);
    run.claim(
        "all ten digits are made",
        rarest >= 0.02,
        format!("the rarest is {:.1} % of all", 100.0 * rarest),
    );
    let quarters =
        |player| [0.25, 0.5, 0.75].map(|q| mean_loss(&trained.losses, player, q, q + 0.25));
    let [_, g_third, g_last] = quarters(1);
    run.claim(
        "G's loss goes on falling",
        g_last < g_third,
        format!("mean {g_third:.3} in the third quarter, {g_last:.3} in the last"),
    );
    let [second, third, last] = quarters(0);
    run.claim(
        "D's loss flattens",
        (last - third).abs() < (third - second).abs().max(0.05),
        format!("means {second:.3}, {third:.3}, {last:.3} in the last three quarters"),
    );
    Ok(())
}

/// 9.5: convolutional players.
pub(super) fn convolutional(run: &mut Run) -> Result<()> {
    let data = mnist(run)?;
    let judge = Judge::train(run, &data)?;
    let mut recipe = wgan_recipe(run, 15);
    recipe.epochs = run.pick(1, 1, 15);
    let train = data
        .train
        .take(run.pick(128, QUICK_CONV * recipe.batch_size, 60_000));
    let device = run.device().clone();
    let draw = draw_digits(run);
    let players = (ConvGenerator::new(&device), ConvDiscriminator::new(&device));
    let trained = fit(run, CONV, players, &train, recipe.clone(), &draw)?;
    let draw = draw_digits(run);
    let name = "WGAN-GP for as long";
    let plain = fit(run, name, simple(&device), &train, recipe, &draw)?;
    draw_samples(run, CONV, &trained, false)?;
    draw_losses(run, CONV, &trained.losses, true)?;
    draw_progress(run, CONV, &trained.frames)?;
    let seen = judged(run, &trained.generator, &judge)?;
    record_digits(run, CONV, "digits", &seen)?;
    let moments = real(run, &data, &judge)?.moments();
    let distance = record_distance(run, CONV, &seen, &moments);
    let other = judged(run, &plain.generator, &judge)?;
    let other = record_distance(run, name, &other, &moments);
    run.claim(
        "after as many iterations its digits are nearer to real ones than those of the fully connected GAN",
        distance < other,
        format!("Fréchet distance {distance:.2} against {other:.2}"),
    );
    Ok(())
}
