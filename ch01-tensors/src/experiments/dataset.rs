//! 1.8: MNIST as a table of 784 numbers a row, and a random split of it.

use burn::data::dataset::Dataset;
use common::experiment::Run;
use common::plot::{self, Picture};
use common::{Error, Result};

use crate::flat_mnist::{FlatDigit, FlatMnist, random_split};

/// Digits of the book's table.
const DIGITS: usize = 70_000;

/// 1.8
pub(super) fn flat_mnist(run: &mut Run) -> Result<()> {
    let (train, test) = run.pick((400, 100), (60_000, 10_000), (60_000, 10_000));
    let mnist = run.mnist(train, test)?;
    let data = FlatMnist::new(mnist.train.join(&mnist.test)?);
    let rows = data.len();
    run.say(format!("{rows} digits of {} numbers", data.features()));

    let (row, label) = item(&data, 0)?;
    let [height, width] = data.picture_size();
    let picture = plot::image_grid("Item 0 of the data set")
        .image(
            Picture::grey(height, width, &row),
            &format!("label {label}"),
        )
        .build();
    run.figure(
        "item",
        "784 numbers from 0 to 1, drawn as 28 rows of 28 pixels.",
        &picture,
    )?;
    let levels = row
        .iter()
        .filter(|level| (0.0..=1.0).contains(*level))
        .count();
    run.claim(
        "an item is 784 numbers from 0 to 1 and a label from 0 to 9",
        row.len() == 784 && levels == 784 && label < 10,
        format!("{levels} such numbers, label {label}"),
    );
    if mnist.source.real {
        run.claim("item 0 has the label 5", label == 5, format!("{label}"));
    }

    let (train, test) = random_split(data, 0.8, run.seed());
    let (in_train, in_test) = (train.len(), test.len());
    match rows == DIGITS {
        true => {
            run.metric_beside("digits", rows as f64, 70_000.0);
            run.metric_beside("training part", in_train as f64, 56_000.0);
            run.metric_beside("test part", in_test as f64, 14_000.0);
        }
        false => {
            run.metric("digits", rows as f64);
            run.metric("training part", in_train as f64);
            run.metric("test part", in_test as f64);
        }
    }
    run.claim(
        "the parts have 80 % and 20 % of the digits",
        (in_train as f64 - 0.8 * rows as f64).abs() <= 0.5 && in_train + in_test == rows,
        format!("{in_train} and {in_test} of {rows}"),
    );
    let mut seen: Vec<usize> = [train.indices.as_slice(), &test.indices].concat();
    seen.sort_unstable();
    run.claim(
        "no digit is lost and none is in both parts",
        seen.iter().copied().eq(0..rows),
        format!("{} digits in the two parts together", seen.len()),
    );

    let mut grid = plot::image_grid("First digits of the two parts").columns(8);
    for (name, part) in [("train", &train), ("test", &test)] {
        for i in 0..part.len().min(8) {
            let (row, label) = item(part, i)?;
            grid = grid.image(
                Picture::grey(height, width, &row),
                &format!("{name}: {label}"),
            );
        }
    }
    run.figure(
        "parts",
        "After a random split both parts hold a mixture of all digits.",
        &grid.build(),
    )
}

/// Item `index` of a data set.
fn item(data: &impl Dataset<FlatDigit>, index: usize) -> Result<FlatDigit> {
    data.get(index)
        .map_err(|error| Error::Data(format!("item {index}: {error}")))
}
