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
const SHOWN: u32 = 500;

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
        change(&picture, &max_pool, &device)?,
        change(&picture, &mean, &device)?,
    ];
    run.metric("change by a shift of a pixel, max pooling", pooled);
    run.metric("change by a shift of a pixel, mean of each block", averaged);
    run.claim(
        "max pooling keeps patterns that its grid can not carry",
        pooled > 1.2 * averaged,
        format!(
            "when the picture moves by a pixel its values change by {pooled:.4}, means of the same blocks by {averaged:.4}"
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
        change(&picture, &max_pool, &device)?,
        change(&picture, &blurring, &device)?,
    ];
    run.metric("change by a shift of a pixel, max pooling", pooled);
    run.metric("change by a shift of a pixel, anti-aliased", smooth);
    if run.as_printed() {
        let printed = change(&picture, &as_printed, &device)?;
        run.metric("change by a shift of a pixel, the book's filter", printed);
    }
    run.claim(
        "with a blur the stripes are smooth",
        smooth < 0.7 * pooled,
        format!(
            "when the picture moves by a pixel the anti-aliased one changes by {smooth:.4}, max pooling by {pooled:.4}"
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
        let [_, _, height, width] = small.dims();
        let small = Picture::rgb(height, width, &numbers(small)?);
        grid = grid.image(small, &what);
    }
    Ok(grid)
}

/// The mean change of the smaller picture's values when the picture moves to the left by a pixel.
fn change(picture: &RgbImage, shrink: Shrink, device: &Device) -> Result<f64> {
    let x = tensor(picture, device);
    let width = x.dims()[3] - WINDOW;
    let at = |left: usize| numbers(shrink(x.clone().narrow(3, left, width)));
    let (here, moved) = (at(0)?, at(1)?);
    let changes = here
        .iter()
        .zip(&moved)
        .map(|(a, b)| f64::from((a - b).abs()));
    Ok(changes.sum::<f64>() / here.len().max(1) as f64)
}
