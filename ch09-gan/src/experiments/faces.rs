//! 9.8 to 9.10: walks through the noise of a trained generator. The book's makes faces; where its weights are not there that of 9.4 makes
//! digits. 9.10 always has digits, whose attributes can be measured; those of faces have to be labelled by hand.

use std::path::PathBuf;

use burn::tensor::{Tensor, TensorData};
use common::experiment::Run;
use common::kernels::adaptive_avg_pool2d;
use common::plot::{self, Picture};
use common::{Error, Result};

use super::digits::wgan;
use super::figures::{draw_pictures, mnist, seed_of};
use crate::judge::{Judge, PIXELS, made, noise_for, read};
use crate::latent::{between, direction, ink, moved, slant, upper_third};
use crate::pgan::{FACE_NOISE, FACES, ProgressiveGenerator, WEIGHTS};
use crate::players::Generator;
use crate::simple::SimpleGenerator;

/// Pictures between two.
const STEPS: usize = 8;
/// Pictures in the grids of 9.10.
const SHOWN: usize = 32;
/// Pixels of a side of a face in figures.
const FACE: usize = 128;

/// The generator of digits.
fn generator(run: &mut Run) -> Result<(SimpleGenerator, Judge)> {
    run.say(format!(
        "Digits of 9.4's generator in place of faces. (9.8 and 9.9 show faces if {WEIGHTS} lies in --data-dir or $IDL_DATA.)"
    ));
    let data = mnist(run)?;
    let judge = Judge::train(run, &data)?;
    Ok((wgan(run, &data)?.generator, judge))
}

/// The generator of faces, if its weights are in one of the folders with data.
fn face_generator(run: &mut Run) -> Result<Option<ProgressiveGenerator>> {
    let named = [
        run.data_options().data_dir,
        std::env::var_os("IDL_DATA").map(PathBuf::from),
    ];
    let folders = named.into_iter().flatten();
    let mut files = folders.flat_map(|f| [f.join(WEIGHTS), f.join("weights").join(WEIGHTS)]);
    let Some(file) = files.find(|file| file.is_file()) else {
        return Ok(None);
    };
    run.say(format!("face GAN: {}", file.display()));
    let fresh = ProgressiveGenerator::new(FACE_NOISE, &FACES, run.device());
    fresh.load(&file).map(Some)
}

/// Faces made of rows of noise, in a row.
fn draw_faces(
    run: &mut Run,
    name: &str,
    (title, caption): (&str, &str),
    generator: &ProgressiveGenerator,
    noise: &[f32],
) -> Result<()> {
    let device = run.device().clone();
    let mut grid = plot::image_grid(title).columns(STEPS).side(FACE as u32);
    for z in noise.chunks_exact(generator.noise_size()) {
        let z = TensorData::new(z.to_vec(), [1, z.len()]);
        let face = generator.generate(Tensor::from_data(z, &device), None);
        let face = face.reshape([1, 3, generator.side(), generator.side()]);
        let face = read(adaptive_avg_pool2d(face, [FACE, FACE]))?; // [3, 128, 128]
        grid = grid.image(Picture::rgb(FACE, FACE, &face).range(-1.0, 1.0), "");
    }
    run.figure(name, caption, &grid.build())
}

/// What the generator makes of rows of noise.
fn pictures_of(run: &Run, generator: &SimpleGenerator, noise: &[f32]) -> Result<Vec<f32>> {
    made(generator, noise, None, run.device())
}

/// 9.8: two examples of a generator that is there already.
pub(super) fn pretrained(run: &mut Run) -> Result<()> {
    if let Some(faces) = face_generator(run)? {
        let noise = noise_for(&faces, 2, seed_of(run, 3), run.device())?;
        let words = ("Two faces", "What the published generator makes of noise.");
        return draw_faces(run, "two", words, &faces, &noise);
    }
    let (generator, judge) = generator(run)?;
    let noise = noise_for(&generator, 2, seed_of(run, 3), run.device())?;
    let pictures = pictures_of(run, &generator, &noise)?;
    draw_pictures(
        run,
        "two",
        (
            "Two examples",
            "What the trained generator makes of two rows of noise.",
        ),
        &pictures,
        2,
        &[],
    )?;
    let seen = judge.look(&pictures)?;
    let said: Vec<String> = seen
        .digits
        .iter()
        .zip(&seen.sure)
        .map(|(digit, sure)| format!("a {digit} ({:.0} %)", 100.0 * sure))
        .collect();
    let unsure = seen.sure.iter().copied().fold(1.0, f32::min);
    run.metric(
        "how sure the digit classifier is, the less sure one",
        f64::from(unsure),
    );
    run.claim("both are recognised", unsure > 0.5, said.join(" and "));
    Ok(())
}

/// 9.9: pictures between two.
pub(super) fn interpolation(run: &mut Run) -> Result<()> {
    if let Some(faces) = face_generator(run)? {
        let ends = noise_for(&faces, 2, seed_of(run, 3), run.device())?;
        let (first, second) = ends.split_at(FACE_NOISE);
        let words = (
            "From one face to another",
            "The noise goes in equal steps from one row to another.",
        );
        let walk = between(first, second, STEPS);
        return draw_faces(run, "between", words, &faces, &walk);
    }
    let (generator, _) = generator(run)?;
    let width = noise_for(&generator, 1, 0, run.device())?.len();
    let ends = noise_for(&generator, 2, seed_of(run, 3), run.device())?;
    let (first, second) = ends.split_at(width);
    let pictures = pictures_of(run, &generator, &between(first, second, STEPS))?;
    draw_pictures(
        run,
        "between",
        (
            "From one digit to another",
            "The noise goes in equal steps from one row to another.",
        ),
        &pictures,
        STEPS,
        &[],
    )?;
    // Over many pairs: how far the largest of the steps is, beside the way from end to end.
    let pairs = run.pick(4, 100, 100);
    let noise = noise_for(&generator, 2 * pairs, seed_of(run, 5), run.device())?;
    let mut largest = 0.0;
    for pair in noise.chunks_exact(2 * width) {
        let (a, b) = pair.split_at(width);
        let walk = pictures_of(run, &generator, &between(a, b, STEPS))?;
        let frames: Vec<&[f32]> = walk.chunks_exact(PIXELS).collect();
        let steps = frames.windows(2).map(|pair| distance(pair[0], pair[1]));
        let step = steps.fold(0.0, f64::max);
        let (Some(start), Some(end)) = (frames.first(), frames.last()) else {
            return Err(Error::Training("no pictures between two".into()));
        };
        largest += step / distance(start, end).max(f64::MIN_POSITIVE) / pairs as f64;
    }
    run.metric("largest step, as a part of the way", largest);
    run.claim(
        "one digit turns smoothly into another",
        largest < 0.5,
        format!(
            "the largest of {} steps is {:.0} % of the way, on average",
            STEPS - 1,
            100.0 * largest
        ),
    );
    Ok(())
}

/// The root of the sum of squared differences.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
    squares.sum::<f64>().sqrt()
}

/// 9.10: directions of slant and stroke width. The book labels 32 faces by hand; here the attributes of 2,000 digits are measured.
pub(super) fn directions(run: &mut Run) -> Result<()> {
    let (generator, judge) = generator(run)?;
    let count = run.pick(64, 2_000, 2_000);
    let noise = noise_for(&generator, count, seed_of(run, 6), run.device())?;
    let pictures = pictures_of(run, &generator, &noise)?;
    let width = noise.len() / count;
    let digits = judge.look(&pictures)?.digits;
    let shown = SHOWN.min(count);
    let grid = |run: &mut Run, name: &str, title: &str, pictures: &[f32]| {
        let some = &pictures[..shown * PIXELS];
        let caption = "The same 32 rows of noise in all grids of this page.";
        draw_pictures(run, name, (title, caption), some, 8, &[])
    };
    grid(run, "digits", "Digits", &pictures)?;
    type Measure = fn(&[f32]) -> f32;
    let attributes: [(&str, Measure); 2] = [("slant", slant), ("stroke width", ink)];
    for (what, measure) in attributes {
        let values: Vec<f32> = pictures.chunks_exact(PIXELS).map(measure).collect();
        let along = direction(&noise, &upper_third(&values, &digits));
        let mean = |values: &[f32]| f64::from(values.iter().sum::<f32>()) / values.len() as f64;
        let mut means = [0.0, mean(&values), 0.0];
        let mut kept = [0.0; 2];
        for (i, times) in [(0, -1.0), (1, 1.0)] {
            let changed = pictures_of(run, &generator, &moved(&noise, &along, times))?;
            let values: Vec<f32> = changed.chunks_exact(PIXELS).map(measure).collect();
            means[2 * i] = mean(&values);
            kept[i] = judge.look(&changed)?.right(&digits);
            let (slug, sign) = match i {
                0 => ("less", "less"),
                _ => ("more", "more"),
            };
            let name = format!("{}-{slug}", what.replace(' ', "-"));
            grid(run, &name, &format!("Digits with {sign} {what}"), &changed)?;
        }
        let size = along.iter().take(width).map(|v| v * v).sum::<f32>().sqrt();
        run.metric(
            &format!("length of the direction of {what}"),
            f64::from(size),
        );
        run.metric(&format!("{what} along its direction"), means[2] - means[1]);
        run.metric(
            &format!("{what} against its direction"),
            means[0] - means[1],
        );
        run.claim(
            &format!("{what} grows along its direction and falls against it"),
            means[0] < means[1] && means[1] < means[2],
            format!("means {:.4}, {:.4}, {:.4}", means[0], means[1], means[2]),
        );
        let least = kept[0].min(kept[1]);
        run.claim(
            &format!("most digits stay what they are when {what} changes"),
            least > 0.6,
            format!("{:.0} % and {:.0} %", 100.0 * kept[0], 100.0 * kept[1]),
        );
    }
    Ok(())
}
