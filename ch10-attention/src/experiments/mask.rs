//! 10.4: masks.

use burn::tensor::{Tensor, TensorData};
use common::Result;
use common::experiment::Run;
use common::plot::{self, Picture};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::attention::apply_attention;
use crate::masks::valid_items;

/// Bags, items of a bag, height and width of an item.
const BAGS: usize = 5;
const ITEMS: usize = 3;
const SIDE: usize = 7;
/// The items that are filled with zeros.
const EMPTY: [(usize, usize); 4] = [(0, 2), (3, 0), (3, 1), (3, 2)];

/// 10.4
pub(super) fn mask(run: &mut Run) -> Result<()> {
    let size = SIDE * SIDE;
    let mut rng = ChaCha8Rng::seed_from_u64(run.seed());
    let mut values: Vec<f32> = (0..BAGS * ITEMS * size).map(|_| rng.random()).collect();
    for (bag, item) in EMPTY {
        let first = (bag * ITEMS + item) * size;
        values[first..first + size].fill(0.0);
    }
    let device = run.device().clone();
    let shape = [BAGS, ITEMS, 1, SIDE, SIDE];
    let items = Tensor::<5>::from_data(TensorData::new(values.clone(), shape), &device);

    let valid = valid_items(items.clone(), 0.0); // [B, T]
    // With equal scores each item that counts has the same weight.
    let scores = Tensor::zeros([BAGS, 1, ITEMS], &device);
    let flat = items.flatten::<3>(2, 4); // [B, T, 49]
    let (_, weights) = apply_attention(flat, scores, Some(valid.clone())); // [B, 1, T]
    let valid: Vec<bool> = valid.into_data().iter::<bool>().collect();
    let weights: Vec<f32> = weights.into_data().iter::<f32>().collect();

    let mut grid = plot::image_grid("Items and padding").columns(ITEMS);
    let pictures = values.chunks(size).zip(valid.iter().zip(&weights));
    for (pixels, (valid, weight)) in pictures {
        let what = if *valid { "item" } else { "padding" };
        let picture = Picture::grey(SIDE, SIDE, pixels).text(&format!("{weight:.2}"));
        grid = grid.image(picture, what);
    }
    run.figure(
        "mask",
        "A bag in each row, with what the mask says below and the weight at equal scores in red.",
        &grid.build(),
    )?;
    let rows = |values: Vec<String>| {
        let rows = values.chunks(ITEMS).enumerate();
        rows.map(|(bag, row)| [&[bag.to_string()], row].concat())
            .collect()
    };
    let columns = ["bag", "item 0", "item 1", "item 2"];
    run.table(
        "The mask",
        &columns,
        rows(valid.iter().map(|v| v.to_string()).collect()),
    );
    run.table(
        "Weights at equal scores",
        &columns,
        rows(weights.iter().map(|w| format!("{w:.2}")).collect()),
    );
    for (bag, row) in valid.chunks(ITEMS).enumerate() {
        run.say(format!("bag {bag}: {row:?}"));
    }
    let place = |i: usize| (i / ITEMS, i % ITEMS);
    let wrong = (0..valid.len()).filter(|&i| valid[i] == EMPTY.contains(&place(i)));
    let wrong = wrong.count();
    run.claim(
        "the mask is false for the empty items and true for all others",
        wrong == 0,
        format!("{wrong} of {} places are wrong", valid.len()),
    );
    let of_bag = |bag: usize| &weights[bag * ITEMS..(bag + 1) * ITEMS];
    run.claim(
        "padding has no weight, and a bag of nothing but padding gives zeros",
        of_bag(0) == [0.5, 0.5, 0.0] && of_bag(3) == [0.0; ITEMS],
        format!("weights {:?} and {:?}", of_bag(0), of_bag(3)),
    );
    Ok(())
}
