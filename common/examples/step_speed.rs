//! Times one training step of small networks, and its parts: forward pass with the loss, backward pass, optimizer.
//!
//! And how much of an epoch of `fit` is spent outside of the steps.
//!
//! `RAYON_NUM_THREADS=2 cargo run -p common --example step_speed [steps] [workload]`

use std::sync::Arc;
use std::time::Instant;

use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use common::data::{Batch, Batches};
use common::kernels;
use common::nn::{Linear, LinearConfig};
use common::train::{
    Classifier, Display, Network, Optimizer, Recipe, Score, Session, cross_entropy, fit,
};

/// Linear layers with tanh between them.
#[derive(Module, Debug)]
struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    fn new(sizes: &[usize], device: &Device) -> Self {
        let layers = sizes
            .windows(2)
            .map(|s| LinearConfig::new(s[0], s[1]).init(device));
        Self {
            layers: layers.collect(),
        }
    }

    fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if i + 1 < self.layers.len() {
                x = kernels::tanh(x);
            }
        }
        x
    }
}

impl Network for Mlp {
    type Input = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        Mlp::forward(self, x)
    }
}

/// Rows of random numbers.
struct Rows {
    inputs: Vec<f32>,
    classes: Vec<i32>,
    width: usize,
}

impl Batches for Rows {
    type Batch = Batch<Tensor<2>, Tensor<1, Int>>;

    fn len(&self) -> usize {
        self.classes.len()
    }

    fn batch(&self, indices: &[usize], _: u64, device: &Device) -> Self::Batch {
        let rows = indices
            .iter()
            .map(|i| &self.inputs[i * self.width..(i + 1) * self.width]);
        let inputs = TensorData::new(
            rows.collect::<Vec<_>>().concat(),
            [indices.len(), self.width],
        );
        let classes = indices.iter().map(|i| self.classes[*i]).collect::<Vec<_>>();
        let targets = TensorData::new(classes, [indices.len()]);
        Batch {
            inputs: Tensor::from_data(inputs, device),
            targets: Tensor::from_data(targets, device),
        }
    }
}

/// Microseconds of a step in an epoch of `fit`, everything included.
fn time_epoch(work: &Workload) -> f64 {
    let batches = 250;
    let classes = work.sizes.last().copied().unwrap_or(1);
    let n = work.batch * batches;
    let data = Arc::new(Rows {
        inputs: (0..n * work.sizes[0])
            .map(|i| (i * 7919 % 1000) as f32 / 1000.0)
            .collect(),
        classes: (0..n).map(|i| (i * 31 % classes) as i32).collect(),
        width: work.sizes[0],
    });
    let recipe = Recipe {
        optimizer: if work.adamw {
            Optimizer::adamw()
        } else {
            Optimizer::sgd()
        },
        scores: vec![Score::Accuracy],
        ..Recipe::sgd(1e-3, work.batch, 4)
    };
    let session = Session {
        device: Device::flex(),
        seed: 1,
        display: Display::Quiet,
        folders: None,
        resume: false,
        reuse: Vec::new(),
        context: serde_json::Value::Null,
    };
    let model = Classifier::new(Mlp::new(work.sizes, &session.device));
    let fitted = fit(
        &session,
        work.name,
        model,
        &data,
        &[] as &[(&str, Arc<Rows>)],
        &recipe,
    );
    let times = fitted
        .map(|f| f.history.column("total time"))
        .unwrap_or_default();
    let epochs = times.windows(2).map(|t| t[1] - t[0]);
    epochs.fold(f64::INFINITY, f64::min) / batches as f64 * 1e6
}

/// Burn's operations for what [`cross_entropy`] computes.
fn burns_cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(logits, 1)
        .gather(1, targets.unsqueeze_dim(1))
        .mean()
        .neg()
}

struct Workload {
    name: &'static str,
    sizes: &'static [usize],
    batch: usize,
    adamw: bool,
}

const WORKLOADS: [Workload; 4] = [
    Workload {
        name: "2.9 SGD",
        sizes: &[2, 30, 30, 2],
        batch: 32,
        adamw: false,
    },
    Workload {
        name: "5.1 SGD",
        sizes: &[784, 128, 128, 128, 10],
        batch: 256,
        adamw: false,
    },
    Workload {
        name: "5.10 AdamW",
        sizes: &[784, 128, 128, 128, 10],
        batch: 256,
        adamw: true,
    },
    Workload {
        name: "256-256 AdamW",
        sizes: &[784, 256, 256, 10],
        batch: 128,
        adamw: true,
    },
];

/// Median microseconds of the forward pass with the loss, the backward pass, the optimizer, and all three.
fn time(work: &Workload, steps: usize, burns: bool) -> [f64; 4] {
    let device = Device::flex().autodiff();
    device.seed(1);
    let mut model = Mlp::new(work.sizes, &device);
    let classes = work.sizes.last().copied().unwrap_or(1);
    let x = Tensor::<2>::random([work.batch, work.sizes[0]], Distribution::Default, &device);
    let y = Tensor::<1, Int>::random(
        [work.batch],
        Distribution::Uniform(0.0, classes as f64),
        &device,
    );
    let mut optimizer: ModuleOptimizer = match (work.adamw, burns) {
        (true, true) => AdamWConfig::new()
            .with_epsilon(1e-8)
            .with_weight_decay(0.01)
            .init(),
        (false, true) => SgdConfig::new().init(),
        (true, false) => Optimizer::adamw().init(),
        (false, false) => Optimizer::sgd().init(),
    };
    let loss_of = if burns {
        burns_cross_entropy
    } else {
        cross_entropy
    };
    let lr = if work.adamw { 1e-3 } else { 0.1 };
    let mut times: [Vec<f64>; 4] = Default::default();
    for step in 0..steps + steps / 10 + 3 {
        let start = Instant::now();
        let loss = loss_of(model.forward(x.clone()), y.clone());
        let forward = start.elapsed();
        let gradients = loss.backward();
        let backward = start.elapsed();
        let gradients = GradientsParams::from_grads(gradients, &model);
        model = optimizer.step(lr, model.clone(), gradients);
        drop(loss);
        let all = start.elapsed();
        if step >= steps / 10 + 3 {
            let parts = [forward, backward - forward, all - backward, all];
            for (times, part) in times.iter_mut().zip(parts) {
                times.push(part.as_secs_f64() * 1e6);
            }
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let steps = arguments.next().and_then(|s| s.parse().ok()).unwrap_or(300);
    let only = arguments.next().unwrap_or_default();
    println!(
        "{:<16}{:>8}{:>10}{:>10}{:>10}{:>10}",
        "median us", "", "forward", "backward", "optimizer", "step"
    );
    for work in WORKLOADS.iter().filter(|work| work.name.contains(&only)) {
        for (whose, burns) in [("Burn's", true), ("ours", false)] {
            let [forward, backward, optimizer, step] = time(work, steps, burns);
            println!(
                "{:<16}{whose:>8}{forward:>10.1}{backward:>10.1}{optimizer:>10.1}{step:>10.1}",
                work.name
            );
        }
        println!(
            "{:<16}{:>48}{:>10.1}",
            work.name,
            "in an epoch of fit",
            time_epoch(work)
        );
    }
}
