//! 2.1 to 2.4: a wavy line, with and without a non-linearity.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use common::data::{Regression, Source, noisy_sine};
use common::experiment::Run;
use common::plot;
use common::train::{Network, Recipe, mean_squared_error};
use common::{Error, Result};

use crate::networks::{LinearModel, TanhRegressor, TwoLinear};
use crate::train_simple::{SimpleTraining, train_simple_network};

/// The book's data: 200 points of y = x + 2 sin x + N(0, 1) on [0, 20].
const POINTS: usize = 200;

/// 2.1
pub(super) fn linear(run: &mut Run) -> Result<()> {
    let data = wavy_line(run);
    let raw = plot::scatter("A wavy line", "x", "y").points("data", &data.inputs, &data.targets);
    run.figure(
        "data",
        "y = x + 2 sin x + N(0, 1): a trend, waves on it, and noise.",
        &raw.build(),
    )?;
    let model = LinearModel::new(1, 1, run.device());
    let fit = fit_line(run, "linear", model, &data, 20)?;
    fit.draw(
        run,
        &data,
        "Linear regression",
        "The model can only draw a straight line.",
    )?;
    fit.must_be_straight(run);
    let (near, far) = (fit.line[0], fit.line[fit.line.len() - 1]);
    run.claim(
        "the line finds the upward trend",
        far - near > 5.0,
        format!("it climbs from {near:.2} to {far:.2} between x = 0 and 20"),
    );
    Ok(())
}

/// 2.2
pub(super) fn two_linear(run: &mut Run) -> Result<()> {
    let data = wavy_line(run);
    let model = TwoLinear::new(10, run.device());
    let fit = fit_line(run, "two linear layers", model, &data, 20)?;
    fit.draw(
        run,
        &data,
        "Two linear layers",
        "More parameters, and still a straight line: a linear function of a linear function is linear.",
    )?;
    fit.must_be_straight(run);
    Ok(())
}

/// 2.3
pub(super) fn activations(run: &mut Run) -> Result<()> {
    let device = run.device().clone();
    let xs: Vec<f32> = (0..200).map(|i| -2.0 + 4.0 * i as f32 / 199.0).collect();
    let x = Tensor::<1>::from_data(TensorData::new(xs.clone(), [xs.len()]), &device);
    let values = |t: Tensor<1>| {
        t.into_data()
            .try_to_vec::<f32>()
            .map_err(|error| Error::Training(format!("reading a curve: {error:?}")))
    };
    let tanh = values(x.clone().tanh())?;
    let logistic = values(sigmoid(x))?;
    let figure = plot::lines("Activation functions", "x", "f(x)")
        .line("identity", &xs, &xs)
        .line("tanh", &xs, &tanh)
        .line("sigmoid", &xs, &logistic)
        .build();
    run.figure(
        "activations",
        "Without an activation (identity), with tanh, and with the sigmoid 1 / (1 + e^-x).",
        &figure,
    )?;
    let inside = |values: &[f32], low: f32| values.iter().all(|v| low < *v && *v < 1.0);
    run.claim(
        "tanh stays in (-1, 1), the sigmoid in (0, 1)",
        inside(&tanh, -1.0) && inside(&logistic, 0.0),
        format!(
            "tanh(2) = {:.4}, sigmoid(2) = {:.4}",
            tanh[199], logistic[199]
        ),
    );
    Ok(())
}

/// 2.4
///
/// The book feeds x from 0 to 20 as it is. Then tanh is flat nearly everywhere, and where the curve ends depends on the start: of eight starts in
/// PyTorch one came below the straight line's error. With x centred and halved, the same network follows the data from every start.
pub(super) fn tanh_layer(run: &mut Run) -> Result<()> {
    let data = wavy_line(run);
    let line = LinearModel::new(1, 1, run.device());
    let line = fit_line(run, "linear", line, &data, 20)?;
    let printed = three_starts(run, &data, "start")?;
    draw_starts(
        run,
        "as-printed",
        "One hidden tanh layer, x as it is",
        "Three random starts: the curves bend, each somewhere else.",
        &data,
        &printed,
    )?;
    let mut centred = data.clone();
    centred
        .inputs
        .iter_mut()
        .for_each(|x| *x = (*x - 10.0) / 2.0);
    let scaled = three_starts(run, &centred, "x in [-5, 5], start")?;
    draw_starts(
        run,
        "fit",
        "One hidden tanh layer, x centred and halved",
        "The same three starts with (x - 10) / 2 as input: the curve follows the bumps, and flattens at the ends.",
        &data,
        &scaled,
    )?;
    let bend = printed.iter().map(|curve| curve.bend).fold(0.0, f32::max);
    run.claim(
        "the curve bends",
        bend > 0.5,
        format!("it leaves the straight line through its ends by up to {bend:.2}"),
    );
    let losses = |curves: &[Fit]| {
        let losses = curves.iter().map(|curve| format!("{:.2}", curve.loss));
        losses.collect::<Vec<_>>().join(", ")
    };
    run.claim(
        "with x centred, the curve follows the data better than a straight line from every start",
        scaled.iter().all(|curve| curve.loss < line.loss),
        format!(
            "mean squared error {} against {:.2}; with x as it is {}",
            losses(&scaled),
            line.loss,
            losses(&printed)
        ),
    );
    Ok(())
}

/// Fits the network with one hidden layer from three seeds.
fn three_starts(run: &mut Run, data: &Regression, name: &str) -> Result<Vec<Fit>> {
    let epochs = run.pick(2, 200, 200);
    (0..3)
        .map(|start| {
            let model = TanhRegressor::new(10, run.device());
            let seed = run.seed().wrapping_add(start);
            fit_from(
                run,
                &format!("{name} {}", start + 1),
                model,
                data,
                epochs,
                seed,
            )
        })
        .collect()
}

fn draw_starts(
    run: &mut Run,
    figure: &str,
    title: &str,
    caption: &str,
    data: &Regression,
    curves: &[Fit],
) -> Result<()> {
    let mut chart = plot::scatter(title, "x", "y").points("data", &data.inputs, &data.targets);
    for (start, curve) in curves.iter().enumerate() {
        chart = chart.line(&format!("start {}", start + 1), &data.inputs, &curve.line);
    }
    run.figure(figure, caption, &chart.build())
}

fn wavy_line(run: &mut Run) -> Regression {
    let data = noisy_sine(run.limited(POINTS), run.seed());
    run.uses(Source {
        name: "noisy sine".into(),
        origin: "generated as the book does".into(),
        real: true,
        train: data.len(),
        test: 0,
    });
    data
}

/// A fitted curve.
struct Fit {
    name: String,
    /// The prediction at each x of the data.
    line: Vec<f32>,
    /// Largest distance between the prediction and the straight line through its two ends.
    bend: f32,
    /// Mean squared error over the data.
    loss: f64,
}

/// Trains with the bare loop and reads the fitted curve.
fn fit_line<N>(run: &mut Run, name: &str, model: N, data: &Regression, epochs: usize) -> Result<Fit>
where
    N: Network<Input = Tensor<2>>,
{
    let seed = run.seed();
    fit_from(run, name, model, data, epochs, seed)
}

/// [`fit_line`], with weights and order of the data drawn from `seed`.
fn fit_from<N>(
    run: &mut Run,
    name: &str,
    model: N,
    data: &Regression,
    epochs: usize,
    seed: u64,
) -> Result<Fit>
where
    N: Network<Input = Tensor<2>>,
{
    let recipe = run.recipe(&Recipe::sgd(0.001, 1, epochs));
    recipe.validate()?;
    let device = run.device().clone();
    device.seed(seed);
    let parameters = Module::num_params(&model);
    let mut watch = run.watch(name, recipe.epochs);
    let model = train_simple_network(
        model,
        &Arc::new(data.clone()),
        mean_squared_error,
        SimpleTraining {
            device: &device,
            epochs: recipe.epochs,
            batch_size: recipe.batch_size,
            lr: recipe.lr,
            shuffle: Some(seed),
            on_epoch: &mut |epoch, loss| watch.epoch(epoch, loss),
        },
    )?;
    let history = watch.finish();
    run.record(name, parameters, &history)?;
    let line = predict(&model, data, &device)?;
    let (n, ends) = (line.len(), (line[0], line[line.len() - 1]));
    let straight = |i: usize| ends.0 + (ends.1 - ends.0) * i as f32 / (n - 1) as f32;
    let bend = (0..n)
        .map(|i| (line[i] - straight(i)).abs())
        .fold(0.0, f32::max);
    let errors = line
        .iter()
        .zip(&data.targets)
        .map(|(y, t)| f64::from(y - t).powi(2));
    let loss = errors.sum::<f64>() / n as f64;
    run.metric(&format!("mean squared error, {name}"), loss);
    Ok(Fit {
        name: name.to_string(),
        line,
        bend,
        loss,
    })
}

fn predict<N>(model: &N, data: &Regression, device: &Device) -> Result<Vec<f32>>
where
    N: Network<Input = Tensor<2>>,
{
    let xs = TensorData::new(data.inputs.clone(), [data.len(), 1]);
    let output = model.forward(Tensor::from_data(xs, device)); // [B, 1]
    output
        .into_data()
        .try_to_vec::<f32>()
        .map_err(|error| Error::Training(format!("reading the curve: {error:?}")))
}

impl Fit {
    fn draw(&self, run: &mut Run, data: &Regression, title: &str, caption: &str) -> Result<()> {
        let figure = plot::scatter(title, "x", "y")
            .points("data", &data.inputs, &data.targets)
            .line(&self.name, &data.inputs, &self.line)
            .build();
        run.figure("fit", caption, &figure)
    }

    fn must_be_straight(&self, run: &mut Run) {
        run.claim(
            "the result is a straight line",
            self.bend < 1e-3,
            format!("it leaves the line through its ends by {:.1e}", self.bend),
        );
    }
}
