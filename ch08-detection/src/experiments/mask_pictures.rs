//! Pictures of nuclei, of their masks, and of what a network makes of them.

use common::data::Segmented;
use common::experiment::Run;
use common::plot::Picture;
use common::{Result, plot};

use super::segmentation::Trained;

/// The picture that the book shows.
const SHOWN: usize = 6;

/// A glowing and a stained picture with their masks.
pub(super) fn examples(run: &mut Run, pictures: &Segmented) -> Result<()> {
    let mut grid = plot::image_grid("Nuclei and their masks");
    let grey = (0..pictures.len()).find(|i| !is_stained(pictures, *i));
    let stained = first_stained(pictures);
    for (i, what) in [(grey, "fluorescence"), (stained, "stained")] {
        let Some(i) = i else { continue };
        grid = grid
            .image(input(pictures, i), &format!("{what}, picture {i}"))
            .image(black_and_white(pictures, pictures.mask(i)), "its mask");
    }
    let caption = "A picture of either kind, and the union of the masks of its nuclei.";
    run.figure("examples", caption, &grid.build())
}

fn first_stained(pictures: &Segmented) -> Option<usize> {
    (0..pictures.len()).find(|i| is_stained(pictures, *i))
}

/// Whether a picture has colours.
fn is_stained(pictures: &Segmented, i: usize) -> bool {
    let plane = pictures.height * pictures.width;
    let (red, rest) = pictures.picture(i).split_at(plane);
    let apart = red.iter().zip(rest).map(|(r, g)| u64::from(r.abs_diff(*g)));
    apart.sum::<u64>() > 8 * plane as u64
}

/// Input, truth, prediction and mistakes of the book's picture.
pub(super) fn show(run: &mut Run, pictures: &Segmented, trained: &Trained) -> Result<()> {
    let i = SHOWN.min(pictures.len() - 1);
    let grid = plot::image_grid(&format!("Validation picture {i}, {}", trained.name))
        .image(input(pictures, i), "input")
        .image(black_and_white(pictures, pictures.mask(i)), "truth")
        .image(black_and_white(pictures, &trained.masks[i]), "prediction")
        .image(
            wrong(pictures, i, &trained.masks[i]),
            "orange missed, blue not there",
        );
    let caption = "Where the predicted probability is at least one half, and where that is wrong.";
    run.figure("prediction", caption, &grid.build())
}

/// What the networks make of a few pictures.
pub(super) fn compare(run: &mut Run, pictures: &Segmented, trained: &[&Trained]) -> Result<()> {
    let mut grid = plot::image_grid("The three networks").columns(2 + trained.len());
    let mut shown: Vec<usize> = (0..pictures.len().min(4)).collect();
    if let (Some(stained), Some(last)) = (first_stained(pictures), shown.last_mut()) {
        *last = stained;
    }
    for i in shown {
        grid = grid
            .image(input(pictures, i), &format!("picture {i}"))
            .image(black_and_white(pictures, pictures.mask(i)), "truth");
        for one in trained {
            grid = grid.image(wrong(pictures, i, &one.masks[i]), one.name);
        }
    }
    let caption = "Predicted masks: white right, orange missed, blue not there.";
    run.figure("masks", caption, &grid.build())
}

fn input(pictures: &Segmented, i: usize) -> Picture {
    let values = pictures.picture(i).iter().map(|b| f32::from(*b) / 255.0);
    Picture::rgb(
        pictures.height,
        pictures.width,
        &values.collect::<Vec<f32>>(),
    )
}

fn black_and_white(pictures: &Segmented, mask: &[u8]) -> Picture {
    let values: Vec<f32> = mask.iter().map(|m| f32::from(*m)).collect();
    Picture::grey(pictures.height, pictures.width, &values)
}

/// A mask with its mistakes in colour.
fn wrong(pictures: &Segmented, i: usize, mask: &[u8]) -> Picture {
    let colors = mask.iter().zip(pictures.mask(i)).map(|pixel| match pixel {
        (1, 1) => [1.0, 1.0, 1.0],
        (0, 1) => [0.84, 0.37, 0.0],
        (1, _) => [0.0, 0.45, 0.7],
        _ => [0.0; 3],
    });
    let colors: Vec<[f32; 3]> = colors.collect();
    let channel = |c: usize| colors.iter().map(move |color| color[c]);
    let values: Vec<f32> = (0..3).flat_map(channel).collect();
    Picture::rgb(pictures.height, pictures.width, &values)
}
