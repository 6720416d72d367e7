//! 3.3 and 3.4: the first CNN, and what upsets it.

use burn::tensor::Tensor;
use common::Result;
use common::data::{Images, Split};
use common::experiment::Run;
use common::plot::{Picture, image_grid};
use common::train::{Classifier, Fitted, Network};

use super::images::grey;
use super::{CNN, draw_accuracy, mnist, recipe, simple_cnn};
use crate::networks::{FullyConnected, SimpleCnn};
use crate::shift::{self, SHIFTS};

/// 3.3
pub(super) fn against_fully_connected(run: &mut Run) -> Result<()> {
    let data = mnist(run)?;
    let recipe = recipe(run, data.train.len());
    let cnn = train_cnn(run, &data)?;
    let fc = Classifier::new(FullyConnected::new(run.device()));
    let fc = run.fit("fully connected", fc, &data, &recipe)?;
    draw_accuracy(
        run,
        "CNN and fully connected network",
        "Test accuracy against epoch.",
        &[("CNN", &cnn.history), ("fully connected", &fc.history)],
    )?;
    let last = |history: &common::train::History| history.last("test accuracy");
    let (of_cnn, of_fc) = (last(&cnn.history), last(&fc.history));
    run.metric_beside("test accuracy, CNN", of_cnn, 0.929);
    run.metric_beside("test accuracy, fully connected", of_fc, 0.907);
    run.metric_beside(
        "test accuracy after the first epoch, CNN",
        cnn.history.first("test accuracy"),
        0.880,
    );
    run.metric_beside(
        "test accuracy after the first epoch, fully connected",
        fc.history.first("test accuracy"),
        0.754,
    );
    run.claim(
        "the CNN learns faster",
        cnn.history.first("test accuracy") > fc.history.first("test accuracy"),
        format!(
            "test accuracy after one epoch {:.4} against {:.4}",
            cnn.history.first("test accuracy"),
            fc.history.first("test accuracy")
        ),
    );
    run.claim(
        "and ends higher, with fewer parameters",
        of_cnn > of_fc && cnn.parameters < fc.parameters,
        format!(
            "test accuracy {of_cnn:.4} against {of_fc:.4}, {} parameters against {}",
            cnn.parameters, fc.parameters
        ),
    );
    run.claim_near("test accuracy of the CNN", of_cnn, 0.929, 0.01);
    run.claim_near(
        "test accuracy of the fully connected network",
        of_fc,
        0.907,
        0.01,
    );
    Ok(())
}

/// 3.4
pub(super) fn shift(run: &mut Run) -> Result<()> {
    let data = mnist(run)?;
    let cnn = train_cnn(run, &data)?;
    let shifts = draw_shifts(run, &cnn.model.network, &data.train, "CNN")?;
    for ((position, p), book) in shifts.iter().zip([0.78, 0.44, 0.32]) {
        run.metric_beside(&format!("p(true class), {position}"), *p, book);
    }
    let all = shift::true_class(&cnn.model.network, &data.test, run.device())?;
    let sensitivity = shift::sensitivity(&all);
    run.metric(
        "mean change of p(true class) over the test images",
        sensitivity,
    );
    let lowest = shifts.iter().map(|(_, p)| *p).fold(1.0, f64::min);
    let highest = shifts.iter().map(|(_, p)| *p).fold(0.0, f64::max);
    run.claim(
        "one pixel changes what the CNN thinks of the digit",
        highest - lowest > 0.1,
        format!("p(true class) of training image 0 lies between {lowest:.2} and {highest:.2}"),
    );
    run.claim(
        "and not only of this digit",
        sensitivity > 0.05,
        format!(
            "p(true class) changes by {sensitivity:.3} on average over {} test images",
            data.test.len()
        ),
    );
    Ok(())
}

/// The simple CNN of 3.3, 3.4 and 3.5.
pub(super) fn train_cnn(
    run: &mut Run,
    data: &Split<Images>,
) -> Result<Fitted<Classifier<SimpleCnn>>> {
    let recipe = recipe(run, data.train.len());
    let model = simple_cnn(run.device());
    run.fit(CNN, model, data, &recipe)
}

/// Draws training image 0 in its three positions with the probability of its class. Gives the positions' names and
/// probabilities.
pub(super) fn draw_shifts<N>(
    run: &mut Run,
    network: &N,
    images: &Images,
    name: &str,
) -> Result<Vec<(&'static str, f64)>>
where
    N: Network<Input = Tensor<4>>,
{
    let probabilities = shift::true_class(network, &images.take(1), run.device())?;
    let label = &images.class_names[usize::from(images.label(0))];
    let (pixels, h, w) = grey(images, 0);
    let mut grid = image_grid(&format!("{name}: a {label}, moved by one pixel"));
    let mut found = Vec::new();
    for ((position, by), p) in SHIFTS.iter().zip(&probabilities) {
        let p = f64::from(p[0]);
        let from = |at: usize, side: usize| (at + side).wrapping_add_signed(-by) % side;
        let moved: Vec<f32> = (0..h * w)
            .map(|i| pixels[from(i / w, h) * w + from(i % w, w)])
            .collect();
        let picture = Picture::grey(h, w, &moved).text(&format!("p = {p:.2}"));
        grid = grid.image(picture, position);
        found.push((*position, p));
    }
    run.figure(
        "shift",
        &format!("The probability that the network gives to class {label}."),
        &grid.build(),
    )?;
    Ok(found)
}
