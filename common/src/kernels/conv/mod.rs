//! 2-D convolution on slices of `f32`: output, input gradient, weight gradient.
//!
//! Three ways to compute it: [`winograd`] for 3x3 kernels of stride 1, [`channels_last`] for other kernels, both for
//! many channels, and [`planes`] for few channels and for groups.

mod axis;
mod blocked;
mod channels_last;
mod filters;
mod panel;
mod planes;
mod transposed;
mod winograd;

use burn::tensor::ops::ConvOptions;

pub(crate) use axis::Axis;
use channels_last::Layout;
use filters::Filters;
use planes::{Destination, Plan};
pub(crate) use transposed::TransposedConvolution;
use winograd::Tiling;

/// Fewer channels than this leave too many lanes of a block of sixteen empty.
const FEWEST_CHANNELS: usize = 12;

/// A convolution of `[batch, channels, height, width]` with weights `[filters, channels / groups, kernel, kernel]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    batch: usize,
    groups: usize,
    /// Channels of a group.
    channels: usize,
    /// Filters of a group.
    filters: usize,
    rows: Axis,
    cols: Axis,
}

/// Gradients of weight and bias.
pub(crate) struct WeightGradient {
    /// `[filters, channels / groups, kernel, kernel]`
    pub weight: Vec<f32>,
    /// `[filters]`
    pub bias: Vec<f32>,
}

impl Convolution {
    /// The convolution of an input and a weight of these shapes; nothing if they do not fit, or if there is
    /// nothing to compute.
    pub fn new(input: [usize; 4], weight: [usize; 4], options: &ConvOptions<2>) -> Option<Self> {
        let [batch, channels, height, width] = input;
        let [filters, expected, kernel_rows, kernel_cols] = weight;
        let groups = options.groups;
        if groups == 0 || channels % groups != 0 || filters % groups != 0 {
            return None;
        }
        if channels == 0 || filters == 0 || channels / groups != expected {
            return None;
        }
        let axis = |length, kernel, i: usize| {
            Axis::new(
                length,
                kernel,
                options.stride[i],
                options.dilation[i],
                options.padding[i],
            )
        };
        let (rows, cols) = (axis(height, kernel_rows, 0)?, axis(width, kernel_cols, 1)?);
        Some(Self {
            batch,
            groups,
            channels: channels / groups,
            filters: filters / groups,
            rows,
            cols,
        })
    }

    /// Shape of the output.
    pub fn output(&self) -> [usize; 4] {
        let filters = self.groups * self.filters;
        [self.batch, filters, self.rows.output, self.cols.output]
    }

    /// Shape of the input.
    pub fn input(&self) -> [usize; 4] {
        let channels = self.groups * self.channels;
        [self.batch, channels, self.rows.input, self.cols.input]
    }

    /// Taps of a kernel.
    fn taps(&self) -> usize {
        self.rows.kernel * self.cols.kernel
    }

    /// Whether blocks of channels pay.
    fn is_deep(&self) -> bool {
        self.groups == 1 && self.channels.min(self.filters) >= FEWEST_CHANNELS
    }

    /// Winograd's tiles, if they pay.
    fn tiling(&self) -> Option<Tiling> {
        let axes = [self.rows, self.cols];
        let kernel = self.rows.kernel;
        let plain =
            |a: &Axis| (a.kernel, a.stride, a.dilation) == (kernel, 1, 1) && a.begin < kernel;
        let fits = matches!(kernel, 3 | 5) && axes.iter().all(plain) && self.is_deep();
        fits.then(|| Tiling {
            batch: self.batch,
            channels: self.channels,
            filters: self.filters,
            source: axes.map(|a| a.input),
            size: axes.map(|a| a.output),
            kernel,
            begin: axes.map(|a| a.begin),
            turned: false,
        })
    }

    /// The channels-last layout for the output.
    fn layout(&self) -> Layout {
        Layout {
            batch: self.batch,
            channels: self.channels,
            filters: self.filters,
            kernel_cols: self.cols.kernel,
            rows: self.rows.forward(),
            cols: self.cols.forward(),
            size: [self.rows.output, self.cols.output],
        }
    }

    /// The padded copy for the output.
    fn plan(&self) -> Plan {
        let images = self.batch * self.groups;
        Plan::new(
            self.channels,
            self.rows.forward(),
            self.cols.forward(),
            images,
        )
    }

    /// `out[b, f, y, x] = bias[f] + sum over c, i, j of weight[f, c, i, j] * input[b, c, y s - p + i d, x s - p + j d]`
    pub fn forward(&self, input: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let (channels, taps) = (self.channels, self.taps());
        let filters = Filters {
            values: weight,
            taps,
            channel_step: taps,
            filter_step: channels * taps,
        };
        if let Some(tiling) = self.tiling() {
            return winograd::correlate(&tiling, input, filters, bias);
        }
        if self.is_deep() {
            return channels_last::correlate(&self.layout(), input, filters, bias);
        }
        let value = |f: usize, c: usize, i: usize, j: usize| {
            weight[(f * channels + c) * taps + i * self.cols.kernel + j]
        };
        let to = Destination {
            filters: self.filters,
            size: [self.rows.output, self.cols.output],
        };
        planes::correlate(
            &self.plan(),
            input,
            [self.batch, self.groups],
            value,
            bias,
            to,
        )
    }

    /// The gradient of the input from the gradient of the output, plus a bias per channel of the input.
    pub fn input_gradient(&self, grad: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let (channels, taps) = (self.channels, self.taps());
        let filters = Filters {
            values: weight,
            taps,
            channel_step: channels * taps,
            filter_step: taps,
        };
        if let Some(tiling) = self.tiling() {
            return winograd::correlate(&tiling.transposed(), grad, filters, bias);
        }
        let size = [self.rows.input, self.cols.input];
        let (rows, cols) = (self.rows.transposed(), self.cols.transposed());
        if self.is_deep() {
            let layout = Layout {
                batch: self.batch,
                channels: self.filters,
                filters: channels,
                kernel_cols: self.cols.kernel,
                rows,
                cols,
                size,
            };
            return channels_last::correlate(&layout, grad, filters, bias);
        }
        // Channel c counts those of all groups, filter f those of its group.
        let value = |c: usize, f: usize, i: usize, j: usize| {
            let filter = c / channels * self.filters + f;
            weight[(filter * channels + c % channels) * taps + i * self.cols.kernel + j]
        };
        let plan = Plan::new(self.filters, rows, cols, self.batch * self.groups);
        let to = Destination {
            filters: channels,
            size,
        };
        planes::correlate(&plan, grad, [self.batch, self.groups], value, bias, to)
    }

    /// The gradients of weight and bias from the input and the gradient of the output.
    pub fn weight_gradient(&self, input: &[f32], grad: &[f32]) -> WeightGradient {
        if let Some(tiling) = self.tiling() {
            return winograd::weight_gradient(&tiling, input, grad);
        }
        if self.is_deep() {
            return channels_last::weight_gradient(&self.layout(), input, grad);
        }
        let images = [self.batch, self.groups];
        planes::weight_gradient(&self.plan(), input, grad, images, self.filters)
    }
}
