//! 2.5 and 2.6: two moons, a straight boundary and a bent one.

use std::sync::Arc;

use burn::module::Module;

use burn::tensor::Tensor;
use common::data::{Points, Source, two_moons};
use common::experiment::Run;
use common::train::{Network, Predictions, Recipe, Score, cross_entropy};
use common::{Error, Result, plot};

use crate::decision::visualize_2d_softmax;
use crate::networks::{LinearModel, MoonsMlp};
use crate::train_simple::{SimpleTraining, train_simple_network};

/// 2.5
pub(super) fn linear(run: &mut Run) -> Result<()> {
    let data = moons(run);
    let mut raw = plot::scatter("Two moons", "x1", "x2");
    for class in 0..2 {
        let of_class = |dimension: usize| -> Vec<f32> {
            let rows = data.features.chunks(data.dim).zip(&data.labels);
            let rows = rows.filter(|(_, label)| **label == class);
            rows.map(|(row, _)| row[dimension]).collect()
        };
        raw = raw.points(&format!("class {class}"), &of_class(0), &of_class(1));
    }
    run.figure("data", "Two classes that no straight line separates.", &raw.build())?;
    let model = LinearModel::new(2, 2, run.device());
    let epochs = run.pick(2, 50, 50);
    let accuracy = classify(run, "linear", model, &data, epochs)?;
    run.claim(
        "a straight boundary can't separate the moons",
        accuracy < 0.95,
        format!("{:.1} % of the points are on the right side", 100.0 * accuracy),
    );
    Ok(())
}

/// 2.6
pub(super) fn mlp(run: &mut Run) -> Result<()> {
    let data = moons(run);
    let model = MoonsMlp::new(run.device());
    let epochs = run.pick(2, 250, 250);
    let accuracy = classify(run, "MLP", model, &data, epochs)?;
    run.claim(
        "the bent boundary separates the moons",
        accuracy > 0.99,
        format!("{:.1} % of the points are on the right side", 100.0 * accuracy),
    );
    Ok(())
}

fn moons(run: &mut Run) -> Points {
    let data = two_moons(run.limited(200), 0.05, run.seed());
    run.uses(Source {
        name: "two moons, noise 0.05".into(),
        origin: "generated as the book does".into(),
        real: true,
        train: data.len(),
        test: 0,
    });
    data
}

/// Trains with the bare loop, one example at a time in the order of the data, and draws the decision surface.
/// Gives the accuracy on the data.
fn classify<N>(run: &mut Run, name: &str, model: N, data: &Points, epochs: usize) -> Result<f64>
where
    N: Network<Input = Tensor<2>>,
{
    let recipe = run.recipe(&Recipe::sgd(0.001, 1, epochs));
    recipe.validate()?;
    let (device, seed) = (run.device().clone(), run.seed());
    device.seed(seed);
    let parameters = Module::num_params(&model);
    let mut watch = run.watch(name, recipe.epochs);
    let model = train_simple_network(
        model,
        &Arc::new(data.clone()),
        cross_entropy,
        SimpleTraining {
            device: &device,
            epochs: recipe.epochs,
            batch_size: recipe.batch_size,
            lr: recipe.lr,
            shuffle: None,
            on_epoch: &mut |epoch, loss| watch.epoch(epoch, loss),
        },
    )?;
    let history = watch.finish();
    run.record(name, parameters, &history)?;

    let title = format!("Decision surface: {name}");
    let surface = visualize_2d_softmax(&title, &model, data, &device)?;
    run.figure(
        "decision",
        "Probability of class 0 over the plane, and the points the model was trained on.",
        &surface,
    )?;
    let every: Vec<usize> = (0..data.len()).collect();
    let logits = model.forward(data.tensor(&every, &device)); // [B, C]
    let logits = logits
        .into_data()
        .try_to_vec::<f32>()
        .map_err(|error| Error::Training(format!("reading the logits: {error:?}")))?;
    let mut predictions = Predictions::default();
    predictions.extend(&logits, data.labels.iter().map(|label| usize::from(*label)));
    let accuracy = Score::Accuracy.of(&predictions);
    run.metric(&format!("accuracy, {name}"), accuracy);
    Ok(accuracy)
}
