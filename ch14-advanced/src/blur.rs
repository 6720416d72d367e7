//! Blurring before values are left out (section 14.1).

use std::ops::Range;

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, TensorData};
use common::kernels::conv2d;
use common::nn::pool::{MaxPool2d, MaxPool2dConfig};

/// Width of the blur in [`MaxPool2dAa`], as a multiple of the window.
pub const RATIO: f64 = 1.7;

/// The weights of a blur of `k` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// `C(k - 1, i) / 2^(k - 1)`: symmetric, of sum 1; 1/4, 1/2, 1/4 for k = 3.
    Binomial,
    /// `C(k, i) / 2^k` for i below k, as the book's code has it: the last value is missing, so the filter is off its centre and its sum is
    /// `1 - 2^-k`; 1/8, 3/8, 3/8 for k = 3.
    AsPrinted,
}

impl Filter {
    /// The `k` weights.
    pub fn weights(self, k: usize) -> Vec<f32> {
        let n = match self {
            Filter::Binomial => k.saturating_sub(1),
            Filter::AsPrinted => k,
        };
        let mut weight = 0.5f64.powi(n as i32);
        let mut weights = Vec::with_capacity(k);
        for i in 0..k {
            weights.push(weight as f32);
            // C(n, i + 1) = C(n, i) (n - i) / (i + 1)
            weight *= n.saturating_sub(i) as f64 / (i + 1) as f64;
        }
        weights
    }
}

/// Blurs each channel by itself and takes every `stride`-th value: a depth-wise convolution with a fixed filter, the outer product of [`Filter`]
/// along one to three axes, without padding.
#[derive(Module, Debug)]
pub struct BlurLayer {
    stride: usize,
    #[module(skip)]
    weights: Vec<f32>,
}

impl BlurLayer {
    /// With `width` weights along each axis; a width or stride of 0 counts as 1.
    pub fn new(width: usize, stride: usize, filter: Filter) -> Self {
        Self {
            stride: stride.max(1),
            weights: filter.weights(width.max(1)),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, channels, length, ..]` with one, two or three axes behind the channels
    /// - output: the same axes of `(length - width) / stride + 1`
    ///
    /// # Panics
    /// If an axis is shorter than the filter.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match D {
            3 => self.blur(x, 2..2, 2..3, [false, true]),
            4 => self.blur(x, 2..3, 3..4, [true, true]),
            5 => {
                let x = self.blur(x, 2..3, 3..5, [true, false]);
                self.blur(x, 3..4, 4..5, [true, true])
            }
            _ => x,
        }
    }

    /// Blurs pictures along their rows' axis, their columns' axis or both. These axes may stand for several; all axes before them count
    /// pictures: a filter that is the same for each channel needs no groups.
    fn blur<const D: usize>(
        &self,
        x: Tensor<D>,
        rows: Range<usize>,
        columns: Range<usize>,
        along: [bool; 2],
    ) -> Tensor<D> {
        let mut shape = x.dims();
        let pictures = shape[..rows.start].iter().product();
        let height = shape[rows.clone()].iter().product();
        let width = shape[columns.clone()].iter().product();
        let x = x.reshape([pictures, 1, height, width]);
        let of_axis = along.map(|along| if along { &self.weights[..] } else { &[1.0] });
        let [down, across] = of_axis;
        let outer: Vec<f32> = down
            .iter()
            .flat_map(|d| across.iter().map(move |a| d * a))
            .collect();
        let outer = TensorData::new(outer, [1, 1, down.len(), across.len()]);
        let outer = Tensor::from_data(outer, &x.device());
        let stride = along.map(|along| if along { self.stride } else { 1 });
        let y = conv2d(x, outer, None, ConvOptions::new(stride, [0, 0], [1, 1], 1));
        let [.., height, width] = y.dims();
        for (along, range, length) in [(along[0], rows, height), (along[1], columns, width)] {
            if along {
                shape[range.start] = length;
            }
        }
        y.reshape(shape)
    }
}

/// Anti-aliased max pooling: the largest value of each k x k window at every place (stride 1, padding k / 2), then a blur of width
/// `1.7 k`, rounded down, that takes every k-th value (section 14.1.2).
///
/// The maximum itself moves with the picture; what does not is that most of its values are left out.
#[derive(Module, Debug)]
pub struct MaxPool2dAa {
    pool: MaxPool2d,
    blur: BlurLayer,
}

impl MaxPool2dAa {
    /// For windows of `k` x `k`, with the book's [`RATIO`].
    pub fn new(k: usize, filter: Filter) -> Self {
        Self::with_ratio(k, RATIO, filter)
    }

    /// With a blur of width `ratio` k, rounded down.
    pub fn with_ratio(k: usize, ratio: f64, filter: Filter) -> Self {
        let p = k / 2;
        Self {
            pool: MaxPool2dConfig::new([k, k])
                .with_strides([1, 1])
                .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
                .init(),
            blur: BlurLayer::new((ratio * k as f64) as usize, k, filter),
        }
    }

    /// # Shapes
    /// - `x`: `[batch, channels, height, width]`
    /// - output: `[batch, channels, (height + 2 (k / 2) - k + 1 - width of the blur) / k + 1, ..]`; for k = 2 and an even side, half of it
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.blur.forward(self.pool.forward(x)) // k = 2: 24 -> 25 -> 12 -> 13 -> 6
    }
}
