//! What stands in for MNIST: the 1,797 handwritten digits of the UCI "optical recognition" test set, which come with the
//! `smartcore` crate as 8x8 pixels, brought to MNIST's size and look.
//!
//! Those digits are upright and written with one pen, and so few that at MNIST's pace a network has taken few steps after 20
//! epochs. So each is drawn in several slants and widths of stroke. That is harder than the digits as they are (a linear classifier
//! scores 0.92 instead of 0.97), and still easier than MNIST (0.86 with as many examples, 6,000).

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use smartcore::dataset::digits::load_dataset;

use super::{Images, Source, Split, augment};
use crate::seed::mix;
use crate::{Error, Result};

/// Side of the source images, whose pixels are 0 to 16.
const SMALL: usize = 8;
/// MNIST's digits fill a box of 20x20 pixels ...
const BOX: usize = 20;
/// ... and are centred by mass in 28x28.
const SIDE: usize = 28;
/// A fifth of the digits of each class is for testing: 1,437 + 360.
const TEST: usize = 360;
/// Each digit is drawn so many times.
const SHAPES: usize = 7;

/// 10,059 drawings of 1,437 digits for training and 2,520 of 360 others for testing, every class in proportion; always the same.
/// The first 1,437 and 360 are of different digits each.
pub(super) fn stand_in() -> Result<Split<Images>> {
    let digits = load_dataset();
    let labels: Vec<u8> = digits.target.iter().map(|&label| label as u8).collect();
    let rows = digits.data.chunks_exact(SMALL * SMALL);
    if rows.len() != labels.len() || labels.iter().any(|&label| label > 9) {
        let text = "the built-in digits are not as expected";
        return Err(Error::Data(text.into()));
    }
    let fields: Vec<Vec<f32>> = rows.map(enlarge).collect();
    let draw = |numbers: &[usize], seed: u64| -> Result<Images> {
        let all = numbers.repeat(SHAPES);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let pixels = draw_all(&fields, &all, seed, threads);
        let labels = all.iter().map(|&i| labels[i]).collect();
        let names = (0..10).map(|digit| digit.to_string()).collect();
        Images::new([1, SIDE, SIDE], pixels, labels, names)
    };
    let (train, test) = split(&labels);
    let (train, test) = (draw(&train, 1)?, draw(&test, 2)?);
    let source = Source {
        name: "handwritten digits".into(),
        origin: "the built-in 1,797 handwritten digits (UCI, enlarged from 8x8), each in 7 slants and widths of stroke"
            .into(),
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

/// One drawing of each of the digits with these numbers. Each has a generator of its own: the number of threads makes no
/// difference.
fn draw_all(fields: &[Vec<f32>], numbers: &[usize], seed: u64, threads: usize) -> Vec<u8> {
    let mut pixels = vec![0; numbers.len() * SIDE * SIDE];
    let share = numbers.len().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        let shares = pixels.chunks_mut(share * SIDE * SIDE);
        for (part, pixels) in shares.enumerate() {
            scope.spawn(move || {
                let images = pixels.chunks_exact_mut(SIDE * SIDE);
                for (n, image) in (part * share..).zip(images) {
                    let mut rng = ChaCha8Rng::seed_from_u64(mix(seed, n as u64));
                    image.copy_from_slice(&shape(&fields[numbers[n]], &mut rng));
                }
            });
        }
    });
    pixels
}

/// The numbers of the digits for training and for testing, in random order.
fn split(labels: &[u8]) -> (Vec<usize>, Vec<usize>) {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.shuffle(&mut rng);
    let test_sizes = in_proportion(labels, TEST);
    let mut tested = [0; 10];
    let (mut test, mut train): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|&i| {
        let class = usize::from(labels[i]);
        tested[class] += 1;
        tested[class] <= test_sizes[class]
    });
    // The classes whose test digits are complete first would come first in training.
    test.shuffle(&mut rng);
    train.shuffle(&mut rng);
    (train, test)
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

/// Where the ink of a digit of 8x8 pixels (0 to 16) is, smoothly: the share of ink in a small pixel around each point of
/// [28, 28], the digit in the middle 20x20.
fn enlarge(small: &[f32]) -> Vec<f32> {
    let at = |x: i32, y: i32| match ((0..8).contains(&x), (0..8).contains(&y)) {
        (true, true) => small[y as usize * SMALL + x as usize] / 16.0,
        _ => 0.0,
    };
    // The first of the four neighbours of each line, and their weights.
    let lines: [(i32, [f32; 4]); BOX] = std::array::from_fn(|i| {
        let position = (i as f32 + 0.5) * SMALL as f32 / BOX as f32 - 0.5;
        (
            position.floor() as i32 - 1,
            cubic(position - position.floor()),
        )
    });
    let mut field = vec![0.0; SIDE * SIDE];
    let margin = (SIDE - BOX) / 2;
    for (row, (y, wy)) in lines.iter().enumerate() {
        for (column, (x, wx)) in lines.iter().enumerate() {
            let mut sum = 0.0;
            for (j, wy) in (0..).zip(wy) {
                for (i, wx) in (0..).zip(wx) {
                    sum += wx * wy * at(x + i, y + j);
                }
            }
            field[(row + margin) * SIDE + column + margin] = sum;
        }
    }
    field
}

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

/// A digit as MNIST would have it, in a random slant and width of stroke: strokes full and their edges soft, the centre of
/// mass in the centre.
fn shape(field: &[f32], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let angle = rng.random_range(-12.0..12.0);
    let slant = rng.random_range(-8.0..26.0); // most people lean to the right
    // Where a stroke begins: half full is the edge of the pen's own stroke.
    let edge = rng.random_range(0.25..0.5);
    let mut ink = vec![0.0; SIDE * SIDE];
    let mut draw = |scale: f32| {
        augment::affine(field, &mut ink, SIDE, SIDE, angle, [0.0; 2], scale, slant);
        for value in &mut ink {
            *value = ((*value - edge) / 0.3).clamp(0.0, 1.0);
        }
        let inked = || (0..ink.len()).filter(|&i| ink[i] > 0.0);
        let extent = |at: fn(usize) -> usize| {
            let (first, last) = (inked().map(at).min()?, inked().map(at).max()?);
            Some(last - first + 1)
        };
        extent(|i| i % SIDE).max(extent(|i| i / SIDE)).unwrap_or(0)
    };
    // As MNIST's digits: the longer side fills the box, whatever the slant did to it.
    let mut scale = 1.0;
    for _ in 0..3 {
        let longer_side = draw(scale);
        if longer_side == BOX {
            break;
        }
        scale *= BOX as f32 / longer_side.max(1) as f32;
    }
    let centred = super::picture::centre_by_mass(&ink, SIDE, SIDE);
    centred
        .iter()
        .map(|value| (value * 255.0).round() as u8)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_and_test_digits_differ_and_classes_are_in_proportion() {
        let digits = load_dataset();
        let labels: Vec<u8> = digits.target.iter().map(|&label| label as u8).collect();
        let (train, test) = split(&labels);
        assert_eq!((train.len(), test.len()), (1437, 360));
        let mut all = [train.clone(), test.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1797).collect::<Vec<_>>());
        for class in 0..10 {
            let count = |numbers: &[usize]| numbers.iter().filter(|&&i| labels[i] == class).count();
            let (train, test) = (count(&train), count(&test));
            assert!((35..=37).contains(&test), "{class}: {test}");
            assert!((138..=147).contains(&train), "{class}: {train}");
        }
        // Who takes only the first digits gets all classes.
        for first in [&train[..200], &test[..200]] {
            for class in 0..10 {
                let count = first.iter().filter(|&&i| labels[i] == class).count();
                assert!((8..=35).contains(&count), "{class}: {count}");
            }
        }
    }

    #[test]
    fn the_number_of_threads_makes_no_difference() {
        let digits = load_dataset();
        let rows = digits.data.chunks_exact(SMALL * SMALL).take(50);
        let fields: Vec<Vec<f32>> = rows.map(enlarge).collect();
        let numbers: Vec<usize> = (0..50).rev().collect();
        let one = draw_all(&fields, &numbers, 1, 1);
        assert_eq!(one.len(), 50 * 784);
        for threads in [0, 2, 3, 64] {
            assert!(
                one == draw_all(&fields, &numbers, 1, threads),
                "{threads} threads"
            );
        }
        assert!(one != draw_all(&fields, &numbers, 2, 1));
    }

    #[test]
    fn the_drawings_differ_and_are_always_the_same() {
        let split = stand_in().unwrap();
        assert_eq!((split.train.len(), split.test.len()), (10_059, 2_520));
        assert!(!split.source.real);
        let again = stand_in().unwrap();
        assert!(split.train.pixels == again.train.pixels && split.test.labels == again.test.labels);
        let mut drawings: Vec<&[u8]> = (0..10_059).map(|i| split.train.image(i)).collect();
        drawings.extend((0..2_520).map(|i| split.test.image(i)));
        drawings.sort_unstable();
        drawings.dedup();
        assert_eq!(drawings.len(), 12_579);
    }

    #[test]
    fn the_digits_look_like_mnist() {
        let train = stand_in().unwrap().train;
        let n = train.len() as f32;
        let sum = |bytes: &[u8]| bytes.iter().map(|&byte| f32::from(byte)).sum::<f32>();
        let (mut total, mut off_centre, mut on_rim) = (0.0, 0, 0);
        for i in 0..train.len() {
            let image = train.image(i);
            let mass = sum(image);
            total += mass / 784.0;
            let centre = |position: fn(usize) -> usize| {
                let moments = (0..784).map(|p| position(p) as f32 * f32::from(image[p]));
                moments.sum::<f32>() / mass
            };
            let extent = |position: fn(usize) -> usize| {
                let inked = || (0..784).filter(|&p| image[p] > 0).map(position);
                inked().max().unwrap() + 1 - inked().min().unwrap()
            };
            let column: fn(usize) -> usize = |p| p % 28;
            let row: fn(usize) -> usize = |p| p / 28;
            let longer_side = extent(column).max(extent(row));
            assert!(
                (19..=21).contains(&longer_side),
                "image {i}: {longer_side} pixels"
            );
            let off = (centre(column) - 14.0)
                .abs()
                .max((centre(row) - 14.0).abs());
            assert!(off < 1.5, "image {i} is off centre by {off}");
            off_centre += usize::from(off > 0.55);
            let rim =
                (0..784).filter(|&p| [column(p), row(p)].iter().any(|at| [0, 27].contains(at)));
            on_rim += usize::from(rim.map(|p| u32::from(image[p])).sum::<u32>() >= 255);
        }
        // Off centre only where the digit already touches the border. One in a hundred of MNIST's has ink at the border.
        assert!(
            off_centre <= train.len() / 1000,
            "{off_centre} are off centre"
        );
        assert!(on_rim <= train.len() / 100, "{on_rim} reach the border");
        // MNIST's mean is 33.3; 19 % of its pixels have ink.
        let mean = total / n;
        assert!((28.0..40.0).contains(&mean), "mean {mean}");
        let ink = train.pixels.iter().filter(|&&byte| byte > 0).count() as f32 / (n * 784.0);
        assert!((0.14..0.22).contains(&ink), "ink {ink}");
    }
}
