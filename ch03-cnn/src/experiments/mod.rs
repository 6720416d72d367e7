//! 3.1 to 3.7.

mod augmentation;
mod convolution;
mod images;
mod pooling;

use burn::tensor::Device;
use common::data::{Images, Split};
use common::experiment::{Chapter, Experiment, Preset, Run};
use common::train::{Classifier, Recipe, Score};
use common::{Result, plot};

use crate::classify;
use crate::networks::{PooledCnn, SimpleCnn};

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 3,
        name: "ch03-cnn",
        title: "Convolutional neural networks",
        headline: "3.5",
        experiments: experiments(),
        actions: vec![classify::action()],
    }
}

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "3.1",
            title: "Images as tensors",
            data: "MNIST",
            claim: "An image is a tensor [channel, height, width]; its channels can be stacked, exchanged and shuffled.",
            takes: ["1 s", "1 s"],
            run: images::tensors,
        },
        Experiment {
            id: "3.2",
            title: "Filters made by hand",
            data: "MNIST",
            claim: "A 3x3 filter blurs, finds edges, finds horizontal edges.",
            takes: ["1 s", "1 s"],
            run: images::filters,
        },
        Experiment {
            id: "3.3",
            title: "CNN against a fully connected network",
            data: "MNIST",
            claim: "The CNN learns faster and ends higher (0.929) than the fully connected network (0.907), with fewer parameters.",
            takes: ["10 s", "1 min"],
            run: convolution::against_fully_connected,
        },
        Experiment {
            id: "3.4",
            title: "A shift of one pixel",
            data: "MNIST",
            claim: "Moving a digit by one pixel changes what the CNN thinks of it.",
            takes: ["10 s", "1 min"],
            run: convolution::shift,
        },
        Experiment {
            id: "3.5",
            title: "CNN with max pooling",
            data: "MNIST",
            claim: "With pooling the CNN ends higher (0.958) and minds a shift of one pixel less.",
            takes: ["30 s", "10 min"],
            run: pooling::pooled,
        },
        Experiment {
            id: "3.6",
            title: "Gallery of augmentations",
            data: "MNIST",
            claim: "Eight random changes of one digit; after most of them it is still the same digit.",
            takes: ["1 s", "1 s"],
            run: augmentation::gallery,
        },
        Experiment {
            id: "3.7",
            title: "Training with augmentation",
            data: "MNIST",
            claim: "Small random rotations, shifts and scales: a slower start, and an end on par or slightly better (0.96).",
            takes: ["30 s", "10 min"],
            run: augmentation::training,
        },
    ]
}

/// MNIST as the preset asks for: all of it at `book`.
fn mnist(run: &mut Run) -> Result<Split<Images>> {
    let (train, test) = run.pick((256, 100), (12_000, 2_000), (60_000, 10_000));
    run.mnist(train, test)
}

/// The book's recipe is 20 epochs of SGD at 0.001, 37,500 updates. `quick` takes a tenth of the updates at ten times the rate, which for
/// plain SGD goes nearly as far.
fn recipe(run: &Run, examples: usize) -> Recipe {
    const BATCH: usize = 32;
    const QUICK_UPDATES: usize = 3_750;
    let updates = examples.div_ceil(BATCH).max(1);
    let recipe = match run.preset() {
        Preset::Smoke => Recipe::sgd(0.01, BATCH, 1),
        Preset::Quick => Recipe::sgd(0.01, BATCH, (QUICK_UPDATES / updates).max(1)),
        Preset::Book => Recipe::sgd(0.001, BATCH, 20),
    };
    recipe.with_scores(&[Score::Accuracy])
}

/// The name that the simple CNN and the pooled one have in all experiments, so that one trained before is used again.
const CNN: &str = "CNN";
pub(crate) const POOLED: &str = "pooled CNN";

fn simple_cnn(device: &Device) -> Classifier<SimpleCnn> {
    Classifier::new(SimpleCnn::new(device))
}

pub(crate) fn pooled_cnn(device: &Device) -> Classifier<PooledCnn> {
    Classifier::new(PooledCnn::new(device))
}

/// Draws test accuracy against epoch.
fn draw_accuracy(
    run: &mut Run,
    title: &str,
    caption: &str,
    histories: &[(&str, &common::train::History)],
) -> Result<()> {
    let mut chart = plot::lines(title, "epoch", "test accuracy");
    for (name, history) in histories {
        chart = chart.line(
            name,
            &history.column("epoch"),
            &history.column("test accuracy"),
        );
    }
    run.figure("accuracy", caption, &chart.build())
}
