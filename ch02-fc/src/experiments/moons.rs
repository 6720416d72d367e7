//! 2.5 and 2.6: two moons, a straight boundary and a bent one.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::data::{Points, Source, two_moons};
use common::experiment::Run;
use common::train::{Network, Predictions, Recipe, Score, cross_entropy, slug};
use common::{Error, Result, plot};

use crate::decision::visualize_2d_softmax;
use crate::networks::{LinearModel, MoonsMlp};
use crate::train_simple::{SimpleTraining, train_simple_network};

/// The learning rate of the chapter.
const BOOK_RATE: f64 = 0.001;

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
    run.figure(
        "data",
        "Two classes that no straight line separates.",
        &raw.build(),
    )?;
    let model = LinearModel::new(2, 2, run.device());
    let epochs = run.pick(2, 50, 50);
    let accuracy = classify(run, "linear", model, &data, epochs, BOOK_RATE)?;
    run.claim(
        "a straight boundary can't separate the moons",
        accuracy < 0.95,
        format!(
            "{:.1} % of the points are on the right side",
            100.0 * accuracy
        ),
    );
    Ok(())
}

/// 2.6
///
/// At the book's learning rate the boundary bends and is still on its way after 250 epochs (in PyTorch as here), so the same network is
/// trained a second time with ten times the rate, to show where it leads.
pub(super) fn mlp(run: &mut Run) -> Result<()> {
    let data = moons(run);
    let device = run.device().clone();
    let (few, many) = (run.pick(2, 50, 50), run.pick(2, 250, 250));
    let straight = LinearModel::new(2, 2, &device);
    let straight = classify(run, "linear", straight, &data, few, BOOK_RATE)?;
    let bent = classify(run, "MLP", MoonsMlp::new(&device), &data, many, BOOK_RATE)?;
    let faster = MoonsMlp::new(&device);
    let separated = classify(run, "MLP, learning rate 0.01", faster, &data, many, 0.01)?;
    run.claim(
        "the boundary bends, and more points are on the right side than with a straight one",
        bent > straight,
        format!("{:.1} % against {:.1} %", 100.0 * bent, 100.0 * straight),
    );
    run.claim(
        "the same network separates the moons when it is trained on, here at ten times the learning rate",
        separated > 0.99,
        format!("{:.1} % of the points are on the right side", 100.0 * separated),
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
fn classify<N>(
    run: &mut Run,
    name: &str,
    model: N,
    data: &Points,
    epochs: usize,
    lr: f64,
) -> Result<f64>
where
    N: Network<Input = Tensor<2>>,
{
    let recipe = run.recipe(&Recipe::sgd(lr, 1, epochs));
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
        &format!("decision-{}", slug(name)),
        "Probability of class 0 over the plane, and the points the model was trained on.",
        &surface,
    )?;
    let accuracy = accuracy(&model, data, &device)?;
    run.metric(&format!("accuracy, {name}"), accuracy);
    Ok(accuracy)
}

/// The part of `points` that `network` puts into the right class.
pub(super) fn accuracy<N>(network: &N, points: &Points, device: &Device) -> Result<f64>
where
    N: Network<Input = Tensor<2>>,
{
    let every: Vec<usize> = (0..points.len()).collect();
    let logits = network.forward(points.tensor(&every, device)); // [N, C]
    let logits = logits
        .into_data()
        .try_to_vec::<f32>()
        .map_err(|error| Error::Training(format!("reading the logits: {error:?}")))?;
    let mut predictions = Predictions::default();
    predictions.extend(
        &logits,
        points.labels.iter().map(|label| usize::from(*label)),
    );
    Ok(Score::Accuracy.of(&predictions))
}
