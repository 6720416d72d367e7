//! Times one training step of the networks of chapter 3 with Burn's layers and with ours, alternating.
//!
//! `RAYON_NUM_THREADS=2 cargo run --release -p common --example kernel_speed [steps] [network] [ours]`

use std::time::Instant;

use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Distribution, Int, Tensor};

/// The networks of chapter 3, once for each set of layers.
macro_rules! networks {
    ($name:ident, $conv:path, $pool:path, $linear:path, $tanh:path) => {
        mod $name {
            use burn::module::Module;
            use burn::nn::PaddingConfig2d;
            use burn::tensor::{Device, Tensor};
            use $conv as conv;
            use $linear as linear;
            use $pool as pool;
            use $tanh as tanh;

            fn same_conv(inputs: usize, outputs: usize, device: &Device) -> conv::Conv2d {
                conv::Conv2dConfig::new([inputs, outputs], [3, 3])
                    .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                    .init(device)
            }

            #[derive(Module, Debug)]
            pub struct FullyConnected {
                hidden: linear::Linear,
                output: linear::Linear,
            }

            impl FullyConnected {
                pub fn new(device: &Device) -> Self {
                    Self {
                        hidden: linear::LinearConfig::new(784, 256).init(device),
                        output: linear::LinearConfig::new(256, 10).init(device),
                    }
                }

                pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
                    let h = tanh(self.hidden.forward(images.flatten::<2>(1, 3))); // [B, 256]
                    self.output.forward(h) // [B, 10]
                }
            }

            #[derive(Module, Debug)]
            pub struct SimpleCnn {
                conv: conv::Conv2d,
                output: linear::Linear,
            }

            impl SimpleCnn {
                pub fn new(device: &Device) -> Self {
                    Self {
                        conv: same_conv(1, 16, device),
                        output: linear::LinearConfig::new(16 * 784, 10).init(device),
                    }
                }

                pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
                    let x = tanh(self.conv.forward(images)); // [B, 16, 28, 28]
                    self.output.forward(x.flatten::<2>(1, 3)) // [B, 10]
                }
            }

            #[derive(Module, Debug)]
            pub struct PooledCnn {
                first: Vec<conv::Conv2d>,
                second: Vec<conv::Conv2d>,
                pool: pool::MaxPool2d,
                output: linear::Linear,
            }

            impl PooledCnn {
                pub fn new(device: &Device) -> Self {
                    let block = |inputs: usize, filters: usize| {
                        let sizes = [(inputs, filters), (filters, filters), (filters, filters)];
                        sizes.map(|(i, o)| same_conv(i, o, device)).to_vec()
                    };
                    Self {
                        first: block(1, 16),
                        second: block(16, 32),
                        pool: pool::MaxPool2dConfig::new([2, 2])
                            .with_strides([2, 2])
                            .init(),
                        output: linear::LinearConfig::new(32 * 7 * 7, 10).init(device),
                    }
                }

                pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
                    let mut x = images;
                    for conv in &self.first {
                        x = tanh(conv.forward(x)); // [B, 16, 28, 28]
                    }
                    x = self.pool.forward(x); // [B, 16, 14, 14]
                    for conv in &self.second {
                        x = tanh(conv.forward(x)); // [B, 32, 14, 14]
                    }
                    x = self.pool.forward(x); // [B, 32, 7, 7]
                    self.output.forward(x.flatten::<2>(1, 3)) // [B, 10]
                }
            }
        }
    };
}

networks!(
    burns,
    burn::nn::conv,
    burn::nn::pool,
    burn::nn,
    burn::tensor::activation::tanh
);
networks!(
    ours,
    common::nn::conv,
    common::nn::pool,
    common::nn,
    common::kernels::tanh
);

/// A step of training: milliseconds and loss.
type Step = Box<dyn FnMut() -> (f64, f32)>;

macro_rules! step {
    ($network:ty, $images:expr, $digits:expr, $device:expr) => {{
        let (images, digits): (Tensor<4>, Tensor<1, Int>) = ($images.clone(), $digits.clone());
        $device.seed(1);
        let mut model = <$network>::new(&$device);
        // Weights are drawn when they are first used: now, right after the seed.
        model.forward(images.clone());
        let mut optimizer = SgdConfig::new().init();
        let loss = CrossEntropyLossConfig::new().init(&$device);
        Box::new(move || {
            let start = Instant::now();
            let loss = loss.forward(model.forward(images.clone()), digits.clone());
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(0.01, model.clone(), grads);
            let value = loss.into_scalar::<f32>();
            (start.elapsed().as_secs_f64() * 1e3, value)
        }) as Step
    }};
}

/// Median and shortest.
fn summary(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let steps = arguments.next().and_then(|s| s.parse().ok()).unwrap_or(40);
    let only = arguments.next().unwrap_or_default();
    // For a profile: without Burn's layers.
    let alone = arguments.next().is_some();
    let device = Device::flex().autodiff();
    device.seed(0);
    let images = Tensor::<4>::random([32, 1, 28, 28], Distribution::Uniform(0.0, 1.0), &device);
    let digits = Tensor::<1, Int>::random([32], Distribution::Uniform(0.0, 10.0), &device);
    let pairs: [(&str, Step, Step); 3] = [
        (
            "FullyConnected",
            step!(burns::FullyConnected, images, digits, device),
            step!(ours::FullyConnected, images, digits, device),
        ),
        (
            "SimpleCnn",
            step!(burns::SimpleCnn, images, digits, device),
            step!(ours::SimpleCnn, images, digits, device),
        ),
        (
            "PooledCnn",
            step!(burns::PooledCnn, images, digits, device),
            step!(ours::PooledCnn, images, digits, device),
        ),
    ];
    let head = ["Burn ms", "ours ms", "ratio", "Burn best", "ours best"];
    println!(
        "{:<16}{:>10}{:>10}{:>8}{:>12}{:>10}",
        "batch 32", head[0], head[1], head[2], head[3], head[4]
    );
    for (name, mut burns, mut ours) in pairs {
        if !name.contains(&only) {
            continue;
        }
        let (mut theirs, mut mine) = (Vec::new(), Vec::new());
        for step in 0..steps + 3 {
            let (b, loss_b) = ours();
            let (a, loss_a) = if alone { (f64::NAN, loss_b) } else { burns() };
            let difference = (loss_a - loss_b).abs();
            assert!(
                difference < 1e-3,
                "{name}, step {step}: losses {loss_a} and {loss_b}"
            );
            if step >= 3 {
                theirs.push(a);
                mine.push(b);
            }
        }
        let ((a, a_best), (b, b_best)) = (summary(theirs), summary(mine));
        println!(
            "{name:<16}{a:>10.2}{b:>10.2}{:>8.2}{a_best:>12.2}{b_best:>10.2}",
            b / a
        );
    }
}
