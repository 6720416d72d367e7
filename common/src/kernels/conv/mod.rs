//! 2-D convolution on slices of `f32`: output, input gradient, weight gradient.

mod correlate;
mod plan;
mod weight;

use burn::tensor::ops::ConvOptions;
use correlate::{Destination, correlate};
pub(crate) use plan::Axis;
use plan::Plan;
pub(crate) use weight::WeightGradient;
use weight::weight_gradient;

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

    fn plan(&self) -> Plan {
        Plan::new(
            self.channels,
            self.rows.forward(),
            self.cols.forward(),
            self.batch,
        )
    }

    /// `out[b, f, y, x] = bias[f] + sum over c, i, j of weight[f, c, i, j] * input[b, c, y s - p + i d, x s - p + j d]`
    pub fn forward(&self, input: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let [filters, channels, height, width] = self.weight();
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
        let value = |c: usize, f: usize, i: usize, j: usize| {
            weight[((f * channels + c) * height + i) * width + j]
        };
        let plan = Plan::new(
            self.filters,
            self.rows.transposed(),
            self.cols.transposed(),
            self.batch,
        );
        let to = Destination {
            filters: channels,
            size: [self.rows.input, self.cols.input],
        };
        correlate(&plan, grad, self.batch, value, &[], to)
    }

    /// The gradients of weight and bias from the input and the gradient of the output.
    pub fn weight_gradient(&self, input: &[f32], grad: &[f32]) -> WeightGradient {
        weight_gradient(&self.plan(), input, grad, self.batch, self.filters)
    }
}
