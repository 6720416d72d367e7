//! A convolution to test, and what it is compared with.

use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Device, Tensor, module};
use common::kernels;
use common::seed::mix;

use crate::kernel_setup::{assert_close, leaf, random, reference, values};

/// A convolution to test, plain or transposed.
#[derive(Debug, Clone)]
pub struct Case {
    pub transposed: bool,
    pub input: [usize; 4],
    /// Channels out.
    pub filters: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Before and after each axis; a transposed convolution has the same on both sides.
    pub padding: [(usize, usize); 2],
    pub padding_out: [usize; 2],
    pub dilation: [usize; 2],
    pub groups: usize,
    pub bias: bool,
}

impl Case {
    /// A convolution of stride 1 without padding.
    pub fn plain(input: [usize; 4], filters: usize, kernel: [usize; 2]) -> Self {
        Self {
            transposed: false,
            input,
            filters,
            kernel,
            stride: [1, 1],
            padding: [(0, 0); 2],
            padding_out: [0, 0],
            dilation: [1, 1],
            groups: 1,
            bias: true,
        }
    }

    pub fn weight(&self) -> [usize; 4] {
        let [rows, cols] = self.kernel;
        if self.transposed {
            [self.input[1], self.filters / self.groups, rows, cols]
        } else {
            [self.filters, self.input[1] / self.groups, rows, cols]
        }
    }

    /// Whether the output has at least one row and one column.
    pub fn fits(&self) -> bool {
        (0..2).all(|i| {
            let (before, after) = self.padding[i];
            let window = self.dilation[i] * (self.kernel[i] - 1);
            if self.transposed {
                (self.input[2 + i] - 1) * self.stride[i] + window + self.padding_out[i]
                    >= before + after
            } else {
                self.input[2 + i] + before + after > window
            }
        })
    }

    /// The kernel's result.
    pub fn ours(&self, x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
        if self.transposed {
            kernels::conv_transpose2d(x, weight, bias, self.transpose_options())
        } else {
            kernels::conv2d(x, weight, bias, self.options())
        }
    }

    /// The result of Burn's operation.
    pub fn theirs(&self, x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
        if self.transposed {
            module::conv_transpose2d(x, weight, bias, self.transpose_options())
        } else {
            module::conv2d(x, weight, bias, self.options())
        }
    }

    pub fn options(&self) -> ConvOptions<2> {
        ConvOptions::new_with_padding(self.stride, self.padding, self.dilation, self.groups)
    }

    pub fn transpose_options(&self) -> ConvTransposeOptions<2> {
        let padding = self.padding.map(|p| p.0);
        ConvTransposeOptions::new(
            self.stride,
            padding,
            self.padding_out,
            self.dilation,
            self.groups,
        )
    }

    /// Compares output and gradients.
    pub fn check(&self) {
        let [x, w] = [random(self.input), random(self.weight())];
        let b = random([self.filters]);
        let data = [x.as_slice(), &w, &b];
        let ours = self.results(&Device::flex(), data, Self::ours);
        let theirs = self.results(&reference(), data, Self::theirs);
        let names = ["output", "input", "weight", "bias"];
        for (name, (ours, theirs)) in names.iter().zip(ours.iter().zip(&theirs)) {
            assert_close(&format!("{name} of {self:?}"), ours, theirs);
        }
    }

    /// Output and gradients (input, weight, bias) of a convolution whose output is weighted by numbers.
    pub fn results(
        &self,
        device: &Device,
        [x, w, b]: [&[f32]; 3],
        conv: impl Fn(&Self, Tensor<4>, Tensor<4>, Option<Tensor<1>>) -> Tensor<4>,
    ) -> Vec<Vec<f32>> {
        let device = device.clone().autodiff();
        let x = leaf(x, self.input, &device);
        let w = leaf(w, self.weight(), &device);
        let b = self.bias.then(|| leaf(b, [self.filters], &device));
        let out = conv(self, x.clone(), w.clone(), b.clone());
        let shape = out.dims();
        let weighting = constant(&noise(4, shape.iter().product()), shape, &device);
        let grads = (out.clone() * weighting).sum().backward();
        let mut results = vec![
            values(out),
            values(x.grad(&grads).unwrap()),
            values(w.grad(&grads).unwrap()),
        ];
        results.extend(b.map(|b| values(b.grad(&grads).unwrap())));
        results
    }
}

/// A tensor that is not tracked.
pub fn constant<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::<1>::from_floats(values, device).reshape(shape)
}

/// `n` numbers of [-1, 1), exact in f32.
pub fn noise(seed: u64, n: usize) -> Vec<f32> {
    let number = |i: u64| (mix(seed, i) >> 40) as f32 / 8_388_608.0 - 1.0;
    (0..n as u64).map(number).collect()
}
