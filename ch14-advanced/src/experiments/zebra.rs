//! 14.1 and 14.4: a picture of fine stripes made four times smaller.

use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor, TensorData};
use common::data::zebra;
use common::experiment::Run;
use common::kernels::avg_pool2d;
use common::nn::pool::MaxPool2dConfig;
use common::plot::{self, ImageGrid, Picture};
use common::{Error, Result};
use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};

use crate::blur::{Filter, MaxPool2dAa};

/// Pixels of a window, and of the step from one to the next.
const WINDOW: usize = 4;
/// Width of the blur as a multiple of the window; 6 pixels.
const RATIO: f64 = 1.5;
/// Side of the pictures in the figures.
const SHOWN: u32 = 496;

/// A way to make a picture smaller.
type Shrink<'a> = &'a dyn Fn(Tensor<4>) -> Tensor<4>;

fn max_pool(x: Tensor<4>) -> Tensor<4> {
    MaxPool2dConfig::new([WINDOW, WINDOW]).init().forward(x)
}

fn mean(x: Tensor<4>) -> Tensor<4> {
    let window = [WINDOW, WINDOW];
    avg_pool2d(x, AvgPoolOptions::new(window).with_stride(window))
}

/// 14.1
pub(super) fn aliased(run: &mut Run) -> Result<()> {
    let picture = load(run)?;
    let device = run.device().clone();
    let grid = plot::image_grid("Max pooling of 4x4 pixels");
    let grid = original(grid, &picture);
    let grid = add(grid, &picture, "max pooling", &max_pool, &device)?;
    run.figure(
        "zebra",
        "The picture and what max pooling leaves of it, whole and in detail: fine stripes break into blocks.",
        &grid.columns(2).build(),
    )?;
    let [pooled, averaged] = [
        between(&picture, &max_pool, &device)?,
        between(&picture, &mean, &device)?,
    ];
    run.metric("distance from its neighbours' mean, max pooling", pooled);
    run.metric(
        "distance from its neighbours' mean, mean of blocks",
        averaged,
    );
    run.claim(
        "max pooling breaks fine stripes",
        pooled > averaged,
        format!(
            "a value half-way between two windows is {pooled:.3} of the contrast away from the mean of the two; for means of the same blocks it is {averaged:.3}"
        ),
    );
    Ok(())
}

/// 14.4
pub(super) fn smooth(run: &mut Run) -> Result<()> {
    let picture = load(run)?;
    let device = run.device().clone();
    let blurred = MaxPool2dAa::with_ratio(WINDOW, RATIO, Filter::Binomial);
    let printed = MaxPool2dAa::with_ratio(WINDOW, RATIO, Filter::AsPrinted);
    let mut grid = original(
        plot::image_grid("Max pooling of 4x4 pixels, without and with a blur"),
        &picture,
    );
    grid = add(grid, &picture, "max pooling", &max_pool, &device)?;
    let blurring = |x| blurred.forward(x);
    grid = add(grid, &picture, "anti-aliased", &blurring, &device)?;
    let as_printed = |x| printed.forward(x);
    if run.as_printed() {
        let name = "the book's filter";
        grid = add(grid, &picture, name, &as_printed, &device)?;
    }
    run.figure(
        "zebra",
        "The picture, max pooling, and max pooling at every pixel with a blur before sampling; whole and in detail.",
        &grid.columns(2).build(),
    )?;
    let [pooled, smooth] = [
        between(&picture, &max_pool, &device)?,
        between(&picture, &blurring, &device)?,
    ];
    run.metric("distance from its neighbours' mean, max pooling", pooled);
    run.metric("distance from its neighbours' mean, anti-aliased", smooth);
    if run.as_printed() {
        let printed = between(&picture, &as_printed, &device)?;
        let name = "distance from its neighbours' mean, the book's filter";
        run.metric(name, printed);
    }
    run.claim(
        "with a blur the stripes are smooth",
        smooth < pooled,
        format!(
            "a value half-way between two windows is {smooth:.3} of the contrast away from the mean of the two, without a blur {pooled:.3}"
        ),
    );
    Ok(())
}

fn load(run: &mut Run) -> Result<RgbImage> {
    let side = run.pick(200, 1000, 1000);
    let (picture, source) = zebra(side, &run.data_options())?;
    run.uses(source);
    Ok(picture)
}

/// [1, 3, height, width] in \[0, 1\]
fn tensor(picture: &RgbImage, device: &Device) -> Tensor<4> {
    let (width, height) = picture.dimensions();
    let shape = [1, 3, height as usize, width as usize];
    Tensor::from_data(TensorData::new(planes(picture), shape), device)
}

/// [3, height, width] in \[0, 1\]
fn planes(picture: &RgbImage) -> Vec<f32> {
    let plane = |c: usize| picture.pixels().map(move |p| f32::from(p[c]) / 255.0);
    (0..3).flat_map(plane).collect()
}

fn numbers(tensor: Tensor<4>) -> Result<Vec<f32>> {
    let values = tensor.into_data().try_to_vec();
    values.map_err(|error| Error::Training(format!("reading a picture: {error:?}")))
}

/// The part that is shown in detail: a quarter of the side, where the stripes are fine.
fn detail(picture: &RgbImage) -> RgbImage {
    let side = picture.width() / 4 / 16 * 16;
    crop_imm(picture, side / 4, side / 4, side, side).to_image()
}

fn original(grid: ImageGrid, picture: &RgbImage) -> ImageGrid {
    let mut grid = grid.side(SHOWN);
    // Averaged where it is smaller than the picture: the figure must not show an aliasing of its own.
    let whole = match picture.width() > SHOWN {
        true => resize(picture, SHOWN, SHOWN, FilterType::Triangle),
        false => picture.clone(),
    };
    for (part, name) in [(whole, "the picture"), (detail(picture), "in detail")] {
        let (width, height) = part.dimensions();
        let part = Picture::rgb(height as usize, width as usize, &planes(&part));
        grid = grid.image(part, name);
    }
    grid
}

/// Adds the smaller picture, whole and in detail.
fn add(
    mut grid: ImageGrid,
    picture: &RgbImage,
    name: &str,
    shrink: Shrink,
    device: &Device,
) -> Result<ImageGrid> {
    for (part, what) in [
        (picture.clone(), name.to_string()),
        (detail(picture), format!("{name}, in detail")),
    ] {
        let small = shrink(tensor(&part, device));
        // A multiple of eight, so that each pixel is as large as its neighbours in the figure.
        let [_, _, height, width] = small.dims();
        let (height, width) = (height / 8 * 8, width / 8 * 8);
        let small = small.narrow(2, 0, height).narrow(3, 0, width);
        let small = Picture::rgb(height, width, &numbers(small)?);
        grid = grid.image(small, &what);
    }
    Ok(grid)
}

/// How far a value half-way between two windows is from the mean of the two, over the contrast (both as mean absolute differences).
///
/// It is small where neighbours tell what lies between them, and large where the small picture has patterns that its grid can't carry.
fn between(picture: &RgbImage, shrink: Shrink, device: &Device) -> Result<f64> {
    let x = tensor(picture, device);
    let width = x.dims()[3] - WINDOW;
    let at = |left: usize| shrink(x.clone().narrow(3, left, width)); // [1, 3, h, w]
    let (here, next, half_way) = (at(0), at(WINDOW), at(WINDOW / 2));
    let mean = here.clone().mean().unsqueeze::<4>();
    let contrast = (here.clone() - mean).abs().mean();
    let distance = (half_way - (here + next) / 2.0).abs().mean();
    let ratio = distance / contrast;
    let ratio = ratio.into_data().try_to_vec::<f32>();
    let failed = |error| Error::Training(format!("reading a picture: {error:?}"));
    Ok(ratio
        .map_err(failed)?
        .first()
        .map_or(f64::NAN, |v| f64::from(*v)))
}
