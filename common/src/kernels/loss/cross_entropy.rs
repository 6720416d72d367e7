//! Softmax cross-entropy of rows of logits.

use super::super::log_softmax::{multiply, peak_and_sum};
use super::super::parallel::{Shared, ranges, written};
use super::super::simd::{Kernel, Vector, dispatch};

/// The class of each row, and how much the row counts.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    classes: Vec<usize>,
    weights: Weights,
}

/// What the loss of a row is multiplied by.
#[derive(Clone, Debug)]
pub(crate) enum Weights {
    Equal(f32),
    /// A weight per row.
    Each(Vec<f32>),
}

impl Targets {
    /// A number below 0 becomes one that [`cross_entropy`] refuses.
    pub fn new(classes: &[i64], weights: Weights) -> Self {
        let number = |class: &i64| usize::try_from(*class).unwrap_or(usize::MAX);
        Self {
            classes: classes.iter().map(number).collect(),
            weights,
        }
    }

    fn weight(&self, row: usize) -> f32 {
        match &self.weights {
            Weights::Equal(weight) => *weight,
            Weights::Each(weights) => weights[row],
        }
    }
}

/// Values per piece of work, some ten microseconds.
const GRAIN: usize = 16 * 1024;

/// The sum over the rows of weight * -log softmax(row)\[class\], and, if wanted, its gradient:
/// weight * (softmax(row) - onehot(class)).
///
/// # Panics
/// If the numbers of rows, classes and weights differ, or a class is not below `width`.
pub(crate) fn cross_entropy(
    logits: &[f32],
    width: usize,
    targets: &Targets,
    with_gradient: bool,
) -> (f32, Option<Vec<f32>>) {
    let rows = targets.classes.len();
    assert_eq!(logits.len(), rows * width, "logits of {rows} rows");
    if let Weights::Each(weights) = &targets.weights {
        assert_eq!(weights.len(), rows, "weights of {rows} rows");
    }
    if let Some(class) = targets.classes.iter().find(|class| **class >= width) {
        panic!("target {class} is not one of {width} classes");
    }
    let mut losses = vec![0.0f32; rows];
    let all = Shared::new(&mut losses);
    let run = |gradient: Option<Shared>| {
        ranges(rows, GRAIN.div_ceil(width.max(1)), |range| {
            // SAFETY: the ranges are disjoint.
            let (losses, gradient) = unsafe {
                let (from, count) = (range.start * width, range.len() * width);
                let gradient = gradient.map(|gradient| gradient.part(from, count));
                (all.part(range.start, range.len()), gradient)
            };
            dispatch(Rows {
                logits,
                width,
                targets,
                first: range.start,
                count: range.len(),
                losses,
                gradient,
            });
        });
    };
    let gradient = if with_gradient {
        // SAFETY: the ranges are all rows, and `Rows` writes the gradient of each of them.
        Some(unsafe { written(logits.len(), |gradient| run(Some(gradient))).0 })
    } else {
        run(None);
        None
    };
    let loss: f64 = losses.into_iter().map(f64::from).sum();
    (loss as f32, gradient)
}

/// `count` rows from `first` on. `losses` is valid for one value per row, `gradient` for `width` per row.
struct Rows<'a> {
    logits: &'a [f32],
    width: usize,
    targets: &'a Targets,
    first: usize,
    count: usize,
    losses: *mut f32,
    gradient: Option<*mut f32>,
}

impl Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        for i in 0..self.count {
            let row = self.first + i;
            let (class, weight) = (self.targets.classes[row], self.targets.weight(row));
            let logits = &self.logits[row * self.width..(row + 1) * self.width];
            // SAFETY: the instruction set is the caller's promise, the memory that of the struct; a class is below
            // the width.
            unsafe {
                let gradient = self.gradient.map(|gradient| gradient.add(i * self.width));
                if weight == 0.0 {
                    self.losses.add(i).write(0.0);
                    if let Some(gradient) = gradient {
                        gradient.write_bytes(0, self.width);
                    }
                    continue;
                }
                let (peak, sum) = peak_and_sum::<V>(logits, gradient);
                let loss = sum.ln() + (peak - logits[class]);
                self.losses.add(i).write(weight * loss);
                if let Some(gradient) = gradient {
                    multiply::<V>(gradient, self.width, weight / sum);
                    *gradient.add(class) -= weight;
                }
            }
        }
    }
}
