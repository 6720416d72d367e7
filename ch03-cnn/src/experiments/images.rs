//! 3.1 and 3.2: what can be done to an image without a network.

use burn::tensor::Tensor;
use common::data::Images;
use common::experiment::Run;
use common::plot::{Picture, image_grid};
use common::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::filters::{BLUR, EDGE, HORIZONTAL_EDGE, convolve2d};

/// The training image that the book filters.
const FILTERED: usize = 58;

/// 3.1
pub(super) fn tensors(run: &mut Run) -> Result<()> {
    let digits = run.mnist(100, 1)?.train;
    let device = run.device().clone();
    let first = digits.tensor(&[0], &device).squeeze_dim::<3>(0); // [1, 28, 28]
    let label = &digits.class_names[usize::from(digits.label(0))];
    run.say(format!(
        "first training image: a {label}, shape {:?}",
        first.dims()
    ));

    let stacked = Tensor::cat(vec![first.clone(); 3], 0); // [3, 28, 28]
    let nothing = first.zeros_like();
    let green = Tensor::cat(vec![nothing.clone(), first.clone(), nothing], 0); // [3, 28, 28]
    let mixed = [1, 2, 3].map(|i| i.min(digits.len() - 1));
    let mixed = digits.tensor(&mixed, &device).squeeze_dim::<3>(1); // [3, 28, 28]
    let grey = pixels(first)?;
    let mut shuffled = grey.clone();
    shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(run.seed()));

    let (stacked, green, mixed) = (pixels(stacked)?, pixels(green)?, pixels(mixed)?);
    let (h, w) = (digits.height, digits.width);
    let grid = image_grid("A digit as a tensor")
        .image(
            Picture::grey(h, w, &grey),
            &format!("one channel: a {label}"),
        )
        .image(
            Picture::rgb(h, w, &stacked),
            "three equal channels: grey again",
        )
        .image(Picture::rgb(h, w, &green), "only the green channel kept")
        .image(Picture::rgb(h, w, &mixed), "three digits, one per channel")
        .image(Picture::grey(h, w, &shuffled), "the same pixels, shuffled")
        .build();
    run.figure(
        "tensors",
        "A fully connected network sees no difference between the first picture and the last: it does not know which pixels are neighbours.",
        &grid,
    )?;
    run.claim(
        "equal channels look grey",
        stacked.chunks(h * w).all(|channel| channel == grey),
        "red, green and blue are the grey image",
    );
    let sorted = |values: &[f32]| {
        let mut values = values.to_vec();
        values.sort_by(f32::total_cmp);
        values
    };
    run.claim(
        "shuffling keeps every pixel and loses the picture",
        sorted(&shuffled) == sorted(&grey) && shuffled != grey,
        "the same 784 values in another order",
    );
    Ok(())
}

/// 3.2
pub(super) fn filters(run: &mut Run) -> Result<()> {
    let digits = run.mnist(100, 1)?.train;
    let index = FILTERED.min(digits.len() - 1);
    let (image, h, w) = grey(&digits, index);
    let filters = [
        ("blur: all 1/9", BLUR),
        ("edges: 8 in the middle, -1 around", EDGE),
        ("horizontal edges: -1 above, 1 below", HORIZONTAL_EDGE),
    ];
    let label = &digits.class_names[usize::from(digits.label(index))];
    let mut grid = image_grid("Three filters of 3x3").image(
        Picture::grey(h, w, &image),
        &format!("training image {index}, a {label}"),
    );
    let mut filtered = Vec::new();
    for (caption, kernel) in filters {
        let out = convolve2d(&image, h, w, &kernel); // [30, 30]
        grid = grid.image(Picture::grey(h + 2, w + 2, &out), caption);
        filtered.push(out);
    }
    run.figure(
        "filters",
        "Full convolution with the kernel flipped, so that the image grows from 28x28 to 30x30; black is 0 or less, white 1 or more.",
        &grid.build(),
    )?;
    let sum = |values: &[f32]| values.iter().sum::<f32>();
    let (blur, edge) = (&filtered[0], &filtered[1]);
    run.claim(
        "blurring spreads the ink and keeps its amount",
        (sum(blur) - sum(&image)).abs() < 1e-2 && steepest(blur, w + 2) < steepest(&image, w),
        format!(
            "sum of all pixels {:.2} before and {:.2} after; largest step between neighbours {:.2} and {:.2}",
            sum(&image),
            sum(blur),
            steepest(&image, w),
            steepest(blur, w + 2)
        ),
    );
    run.claim(
        "the edge filter answers only where the image changes",
        sum(edge).abs() < 1e-2 && edge.iter().any(|v| *v > 1.0),
        format!("its answers add up to {:.1e}", sum(edge)),
    );
    Ok(())
}

/// The values of image `i` in \[0, 1\], its height and width.
pub(super) fn grey(images: &Images, i: usize) -> (Vec<f32>, usize, usize) {
    let values = images.image(i).iter().map(|byte| f32::from(*byte) / 255.0);
    (values.collect(), images.height, images.width)
}

/// Largest difference between horizontal neighbours.
fn steepest(image: &[f32], width: usize) -> f32 {
    let rows = image.chunks(width).flat_map(|row| row.windows(2));
    rows.map(|pair| (pair[1] - pair[0]).abs())
        .fold(0.0, f32::max)
}

fn pixels(image: Tensor<3>) -> Result<Vec<f32>> {
    let data = image.into_data();
    data.try_to_vec::<f32>()
        .map_err(|error| Error::Training(format!("reading an image: {error:?}")))
}
