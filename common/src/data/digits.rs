//! What stands in for MNIST: the 1,797 handwritten digits of the UCI "optical recognition" test set, which come with the
//! `smartcore` crate as 8x8 pixels, brought to MNIST's size and look.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use smartcore::dataset::digits::load_dataset;

use super::{Images, Source, Split};
use crate::{Error, Result};

/// Side of the source images, whose pixels are 0 to 16.
const SMALL: usize = 8;
/// MNIST's digits fill a box of 20x20 pixels ...
const BOX: usize = 20;
/// ... and are centred by mass in 28x28.
const SIDE: usize = 28;
/// A fifth of the digits of each class is for testing: 1,437 + 360.
const TEST: usize = 360;

/// The digits, split into 1,437 for training and 360 for testing with every class in proportion; always the same way.
pub(super) fn stand_in() -> Result<Split<Images>> {
    let digits = load_dataset();
    let labels: Vec<u8> = digits.target.iter().map(|&label| label as u8).collect();
    let rows = digits.data.chunks_exact(SMALL * SMALL);
    if rows.len() != labels.len() || labels.iter().any(|&label| label > 9) {
        return Err(Error::Data(
            "the built-in digits are not as expected".into(),
        ));
    }
    let pixels: Vec<u8> = rows.flat_map(enlarge).collect();
    let names = (0..10).map(|digit| digit.to_string()).collect();
    let all = Images::new([1, SIDE, SIDE], pixels, labels, names)?;

    let mut order: Vec<usize> = (0..all.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    let test_sizes = in_proportion(&all.labels, TEST);
    let mut tested = [0; 10];
    let (test, train): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|&i| {
        let class = usize::from(all.label(i));
        tested[class] += 1;
        tested[class] <= test_sizes[class]
    });
    let (train, test) = (all.subset(&train), all.subset(&test));
    let source = Source {
        name: "handwritten digits".into(),
        origin: "the built-in 1,797 handwritten digits (UCI, enlarged from 8x8)".into(),
        real: false,
        train: train.len(),
        test: test.len(),
    };
    Ok(Split {
        train,
        test,
        source,
    })
}

/// How many of `total` examples fall to each class in proportion to its size, by largest remainder.
fn in_proportion(labels: &[u8], total: usize) -> [usize; 10] {
    let mut sizes = [0; 10];
    for &label in labels {
        sizes[usize::from(label)] += total;
    }
    let n = labels.len().max(1);
    let mut shares = sizes.map(|size| size / n);
    let mut classes: Vec<usize> = (0..10).collect();
    classes.sort_by_key(|&class| std::cmp::Reverse(sizes[class] % n));
    let left = total - shares.iter().sum::<usize>();
    for &class in &classes[..left.min(10)] {
        shares[class] += 1;
    }
    shares
}

/// A digit of 8x8 pixels (0 to 16) as MNIST would have it: 20 pixels high, strokes full and their edges soft, centre of
/// mass in the centre of 28x28.
fn enlarge(small: &[f32]) -> Vec<u8> {
    let sample = |x: f32, y: f32| -> f32 {
        let (x0, y0) = (x.floor(), y.floor());
        let (wx, wy) = (cubic(x - x0), cubic(y - y0));
        let at = |x: i32, y: i32| match ((0..8).contains(&x), (0..8).contains(&y)) {
            (true, true) => small[y as usize * SMALL + x as usize] / 16.0,
            _ => 0.0,
        };
        let mut sum = 0.0;
        for (j, wy) in (-1..).zip(wy) {
            for (i, wx) in (-1..).zip(wx) {
                sum += wx * wy * at(x0 as i32 + i, y0 as i32 + j);
            }
        }
        sum
    };
    let step = SMALL as f32 / BOX as f32;
    let source = |i: usize| (i as f32 + 0.5) * step - 0.5;
    let mut ink = vec![0.0; BOX * BOX];
    for (i, value) in ink.iter_mut().enumerate() {
        // A small pixel is the share of 16 black dots under it: half full is the edge of a stroke.
        let coverage = sample(source(i % BOX), source(i / BOX));
        *value = ((coverage - EDGE.0) / (EDGE.1 - EDGE.0)).clamp(0.0, 1.0);
    }
    super::picture::centre_by_mass(&ink, BOX, BOX)
        .iter()
        .map(|value| (value * 255.0).round() as u8)
        .collect()
}

/// Coverage at which a stroke begins and at which it is full.
const EDGE: (f32, f32) = (0.3, 0.75);

/// The weights of four neighbours for a point `t` after the second (Catmull and Rom's spline).
fn cubic(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        0.5 * (-t3 + 2.0 * t2 - t),
        0.5 * (3.0 * t3 - 5.0 * t2 + 2.0),
        0.5 * (-3.0 * t3 + 4.0 * t2 + t),
        0.5 * (t3 - t2),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_is_stratified_and_always_the_same() {
        let split = stand_in().unwrap();
        assert_eq!((split.train.len(), split.test.len()), (1437, 360));
        let mut counts = [[0; 2]; 10];
        for &label in &split.train.labels {
            counts[usize::from(label)][0] += 1;
        }
        for &label in &split.test.labels {
            counts[usize::from(label)][1] += 1;
        }
        for [train, test] in counts {
            assert!((35..=37).contains(&test), "{counts:?}");
            assert!((138..=147).contains(&train), "{counts:?}");
        }
        assert_eq!(split.train.pixels, stand_in().unwrap().train.pixels);
        assert!(!split.source.real);
    }

    #[test]
    fn the_digits_look_like_mnist() {
        let train = stand_in().unwrap().train;
        let n = train.len() as f32;
        let mean = train
            .pixels
            .iter()
            .map(|&byte| f32::from(byte))
            .sum::<f32>()
            / (n * 784.0);
        // MNIST's mean is 33.3; 19 % of its pixels have ink.
        assert!((25.0..45.0).contains(&mean), "mean {mean}");
        let ink = train.pixels.iter().filter(|&&byte| byte > 0).count() as f32 / (n * 784.0);
        assert!((0.15..0.25).contains(&ink), "ink {ink}");
        for i in 0..train.len() {
            let image = train.image(i);
            let mass: f32 = image.iter().map(|&byte| f32::from(byte)).sum();
            let x: f32 = (0..784)
                .map(|p| (p % 28) as f32 * f32::from(image[p]))
                .sum();
            let y: f32 = (0..784)
                .map(|p| (p / 28) as f32 * f32::from(image[p]))
                .sum();
            let off = (x / mass - 14.0).abs().max((y / mass - 14.0).abs());
            assert!(off < 0.55, "image {i} is off centre by {off}");
        }
    }
}
