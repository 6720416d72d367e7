//! The transposed convolution: what the gradient of a convolution's input is to the gradient of its output.

use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use rayon::prelude::*;

use super::{Convolution, WeightGradient};

/// A transposed convolution of `[batch, channels, height, width]` with weights `[channels, filters / groups, kernel,
/// kernel]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransposedConvolution {
    /// From the output back to the input.
    back: Convolution,
}

impl TransposedConvolution {
    /// The transposed convolution of an input and a weight of these shapes; nothing if they do not fit, or if there
    /// is nothing to compute.
    pub fn new(
        input: [usize; 4],
        weight: [usize; 4],
        options: &ConvTransposeOptions<2>,
    ) -> Option<Self> {
        let [batch, channels, ..] = input;
        let [expected, filters, ..] = weight;
        if channels != expected || input[2..].contains(&0) {
            return None;
        }
        // Of the output lengths that a convolution maps to the input's length the one that the options ask for.
        let length = |i: usize| {
            let window = options.dilation[i].checked_mul(weight[2 + i].checked_sub(1)?)?;
            let end = (input[2 + i] - 1)
                .checked_mul(options.stride[i])?
                .checked_add(window)?;
            let full = end.checked_add(options.padding_out[i])?.checked_add(1)?;
            full.checked_sub(options.padding[i].checked_mul(2)?)
        };
        let output = [
            batch,
            filters.checked_mul(options.groups)?,
            length(0)?,
            length(1)?,
        ];
        let padding = options.padding.map(|p| (p, p));
        let back = ConvOptions::new_with_padding(
            options.stride,
            padding,
            options.dilation,
            options.groups,
        );
        let back = Convolution::new(output, weight, &back)?;
        (back.output() == input).then_some(Self { back })
    }

    /// Shape of the output.
    pub fn output(&self) -> [usize; 4] {
        self.back.input()
    }

    /// `out[b, f, y s - p + i d, x s - p + j d] += weight[c, f, i, j] * input[b, c, y, x]` over all c, y, x, i, j, from
    /// the bias on.
    pub fn forward(&self, input: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        self.back.input_gradient(input, weight, bias)
    }

    /// The gradient of the input from the gradient of the output.
    pub fn input_gradient(&self, grad: &[f32], weight: &[f32]) -> Vec<f32> {
        self.back.forward(grad, weight, &[])
    }

    /// The gradients of weight and bias from the input and the gradient of the output.
    pub fn weight_gradient(&self, input: &[f32], grad: &[f32]) -> WeightGradient {
        let [_, filters, height, width] = self.output();
        WeightGradient {
            weight: self.back.weight_gradient(grad, input).weight,
            bias: channel_sums(grad, filters, height * width),
        }
    }
}

/// The sum of each channel of `[batch, channels, plane]` values.
fn channel_sums(values: &[f32], channels: usize, plane: usize) -> Vec<f32> {
    let channel = |c: usize| {
        let planes = values.chunks_exact(plane).skip(c).step_by(channels);
        planes.map(sum).sum()
    };
    (0..channels).into_par_iter().map(channel).collect()
}

/// The sum of some values, in sixteen lanes.
fn sum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut lanes = [0.0; 16];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().chain(rest).sum()
}
