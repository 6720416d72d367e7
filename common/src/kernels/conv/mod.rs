//! 2-D convolution on slices of `f32`: output, input gradient, weight gradient.

mod blocked;
mod channels_last;
mod correlate;
mod filters;
mod panel;
mod plan;
mod weight;
mod winograd;

use burn::tensor::ops::ConvOptions;
use channels_last::Layout;
use correlate::{Destination, correlate};
use filters::Filters;
pub(crate) use plan::Axis;
use plan::Plan;
pub(crate) use weight::WeightGradient;
use weight::weight_gradient;
use winograd::Tiling;

/// A convolution of `[batch, channels, height, width]` with weights `[filters, channels, kernel, kernel]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    batch: usize,
    channels: usize,
    filters: usize,
    rows: Axis,
    cols: Axis,
}

impl Convolution {
    /// The convolution of an input and a weight of these shapes; nothing if they do not fit, or if there is
    /// nothing to compute, or more than one group.
    pub fn new(input: [usize; 4], weight: [usize; 4], options: &ConvOptions<2>) -> Option<Self> {
        let [batch, channels, height, width] = input;
        let [filters, expected, kernel_rows, kernel_cols] = weight;
        if channels != expected || options.groups != 1 || channels == 0 || filters == 0 {
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
            channels,
            filters,
            rows,
            cols,
        })
    }

    /// Shape of the output.
    pub fn output(&self) -> [usize; 4] {
        [self.batch, self.filters, self.rows.output, self.cols.output]
    }

    /// Shape of the input.
    pub fn input(&self) -> [usize; 4] {
        [self.batch, self.channels, self.rows.input, self.cols.input]
    }

    /// Shape of the weight.
    pub fn weight(&self) -> [usize; 4] {
        [
            self.filters,
            self.channels,
            self.rows.kernel,
            self.cols.kernel,
        ]
    }

    /// Whether Winograd's algorithm computes it: 3x3, and enough channels to pay for the transforms.
    fn tiling(&self) -> Option<Tiling> {
        let axes = [self.rows, self.cols];
        let plain = |a: &Axis| (a.kernel, a.stride, a.dilation) == (3, 1, 1) && a.begin <= 2;
        (axes.iter().all(plain) && self.channels.min(self.filters) >= 12).then(|| Tiling {
            batch: self.batch,
            channels: self.channels,
            filters: self.filters,
            source: axes.map(|a| a.input),
            size: axes.map(|a| a.output),
            begin: axes.map(|a| a.begin),
            turned: false,
        })
    }

    fn plan(&self) -> Plan {
        Plan::new(
            self.channels,
            self.rows.forward(),
            self.cols.forward(),
            self.batch,
        )
    }

    /// Whether it has the channels to fill vectors with them.
    fn is_deep(&self) -> bool {
        self.channels.min(self.filters) >= 12
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

    /// `out[b, f, y, x] = bias[f] + sum over c, i, j of weight[f, c, i, j] * input[b, c, y s - p + i d, x s - p + j d]`
    pub fn forward(&self, input: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let [filters, channels, height, width] = self.weight();
        let taps = height * width;
        let view = Filters {
            values: weight,
            taps,
            channel_step: taps,
            filter_step: channels * taps,
        };
        if let Some(tiling) = self.tiling() {
            return winograd::correlate(&tiling, input, view, bias);
        }
        if self.is_deep() {
            return channels_last::correlate(&self.layout(), input, view, bias);
        }
        let value = |f: usize, c: usize, i: usize, j: usize| {
            weight[((f * channels + c) * height + i) * width + j]
        };
        let to = Destination {
            filters,
            size: [self.rows.output, self.cols.output],
        };
        correlate(&self.plan(), input, self.batch, value, bias, to)
    }

    /// The gradient of the input from the gradient of the output; also the forward pass of the transposed
    /// convolution.
    pub fn input_gradient(&self, grad: &[f32], weight: &[f32]) -> Vec<f32> {
        let [_, channels, height, width] = self.weight();
        let taps = height * width;
        let view = Filters {
            values: weight,
            taps,
            channel_step: channels * taps,
            filter_step: taps,
        };
        if let Some(tiling) = self.tiling() {
            return winograd::correlate(&tiling.transposed(), grad, view, &[]);
        }
        let size = [self.rows.input, self.cols.input];
        let (rows, cols) = (self.rows.transposed(), self.cols.transposed());
        if self.is_deep() {
            let layout = Layout {
                batch: self.batch,
                channels: self.filters,
                filters: channels,
                kernel_cols: width,
                rows,
                cols,
                size,
            };
            return channels_last::correlate(&layout, grad, view, &[]);
        }
        let value = |c: usize, f: usize, i: usize, j: usize| {
            weight[((f * channels + c) * height + i) * width + j]
        };
        let plan = Plan::new(self.filters, rows, cols, self.batch);
        let to = Destination {
            filters: channels,
            size,
        };
        correlate(&plan, grad, self.batch, value, &[], to)
    }

    /// The gradients of weight and bias from the input and the gradient of the output.
    pub fn weight_gradient(&self, input: &[f32], grad: &[f32]) -> WeightGradient {
        if let Some(tiling) = self.tiling() {
            return winograd::weight_gradient(&tiling, input, grad);
        }
        if self.is_deep() {
            return channels_last::weight_gradient(&self.layout(), input, grad);
        }
        weight_gradient(&self.plan(), input, grad, self.batch, self.filters)
    }
}
