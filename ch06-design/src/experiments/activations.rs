//! 6.2: activation functions and their derivatives.

use burn::tensor::{Device, Tensor};
use common::experiment::Run;
use common::kernels::{leaky_relu, relu, sigmoid, tanh};
use common::plot::Chart;
use common::{Error, Result, plot};

/// Points of a curve, from -5 to 5.
const POINTS: usize = 200;
/// The slope of the leaky rectifier that is drawn: with 0.1 it could hardly be told from the other.
const SLOPE: f64 = 0.3;

type Function = fn(Tensor<1>) -> Tensor<1>;

/// A function at all points, and its derivative there as automatic differentiation finds it.
struct Activation {
    name: &'static str,
    values: Vec<f32>,
    slopes: Vec<f32>,
}

impl Activation {
    fn new(name: &'static str, f: Function, xs: &[f32], device: &Device) -> Result<Self> {
        let x = Tensor::<1>::from_data(xs, &device.clone().autodiff()).require_grad();
        let y = f(x.clone());
        // The sum's gradient is the derivative at each point.
        let gradients = y.clone().sum().backward();
        let slopes = x
            .grad(&gradients)
            .unwrap_or_else(|| Tensor::zeros([xs.len()], device));
        Ok(Self {
            name,
            values: numbers(y)?,
            slopes: numbers(slopes)?,
        })
    }

    /// The derivative at the ends, the larger of both.
    fn slope_at_ends(&self) -> f64 {
        let ends = [self.slopes.first(), self.slopes.last()];
        ends.into_iter()
            .flatten()
            .map(|s| f64::from(*s))
            .fold(0.0, f64::max)
    }

    fn largest_slope(&self) -> f64 {
        self.slopes
            .iter()
            .map(|s| f64::from(*s))
            .fold(0.0, f64::max)
    }
}

fn numbers(tensor: Tensor<1>) -> Result<Vec<f32>> {
    let values = tensor.into_data().try_to_vec();
    values.map_err(|error| Error::Training(format!("reading a curve: {error:?}")))
}

/// 6.2
pub(super) fn curves(run: &mut Run) -> Result<()> {
    let xs: Vec<f32> = (0..POINTS)
        .map(|i| -5.0 + 10.0 * i as f32 / (POINTS - 1) as f32)
        .collect();
    let functions: [(&str, Function); 4] = [
        ("tanh", tanh),
        ("sigmoid", sigmoid),
        ("ReLU", relu),
        ("leaky ReLU", |x| leaky_relu(x, SLOPE)),
    ];
    let found = functions.map(|(name, f)| Activation::new(name, f, &xs, run.device()));
    let found = found.into_iter().collect::<Result<Vec<_>>>()?;
    let chart = |title: &str, which: &[Activation], of: fn(&Activation) -> &[f32]| -> Chart {
        let empty = plot::lines(title, "x", "y");
        let add = |chart: Chart, a: &Activation| chart.line(a.name, &xs, of(a));
        which.iter().fold(empty, add)
    };
    for (name, caption, charts) in [
        (
            "smooth",
            "tanh and sigmoid, and their derivatives: away from 0 nothing is left of a gradient.",
            vec![
                chart("Smooth activations", &found[..2], |a| &a.values),
                chart("Their derivatives", &found[..2], |a| &a.slopes),
            ],
        ),
        (
            "rectifiers",
            "With the rectifiers: their derivative is the same however large x is.",
            vec![
                chart("With rectifiers", &found, |a| &a.values),
                chart("All derivatives", &found, |a| &a.slopes),
            ],
        ),
    ] {
        run.figure(name, caption, &plot::panels("Activations", charts))?;
    }
    for activation in &found {
        let name = activation.name;
        run.metric(
            &format!("largest derivative, {name}"),
            activation.largest_slope(),
        );
        run.metric(
            &format!("derivative at the ends, {name}"),
            activation.slope_at_ends(),
        );
    }
    let (smooth, rectifiers) = found.split_at(2);
    let ends = |which: &[Activation]| {
        which
            .iter()
            .map(Activation::slope_at_ends)
            .collect::<Vec<_>>()
    };
    let (vanished, stayed) = (ends(smooth), ends(rectifiers));
    run.claim(
        "away from 0 the derivatives of tanh and sigmoid vanish",
        vanished.iter().all(|slope| *slope < 0.01),
        format!("at ±5 they are {:.5} and {:.5}", vanished[0], vanished[1]),
    );
    run.claim(
        "those of the rectifiers do not",
        stayed.iter().all(|slope| *slope == 1.0),
        format!("at 5 they are {} and {}", stayed[0], stayed[1]),
    );
    let exact = xs.iter().zip(&smooth[0].slopes).zip(&smooth[1].slopes);
    let error = exact.map(|((x, of_tanh), of_sigmoid)| {
        let (t, s) = (x.tanh(), 1.0 / (1.0 + (-x).exp()));
        (of_tanh - (1.0 - t * t))
            .abs()
            .max((of_sigmoid - s * (1.0 - s)).abs())
    });
    let error = error.fold(0.0f32, f32::max);
    run.claim(
        "automatic differentiation finds 1 - tanh² and σ (1 - σ)",
        error < 1e-5,
        format!("largest difference {error:.1e}"),
    );
    Ok(())
}
