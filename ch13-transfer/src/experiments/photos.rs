//! 13.1 to 13.4: all labels.

use burn::module::Module;
use burn::tensor::Device;
use common::data::{Images, Points, Split, cats_and_dogs};
use common::experiment::Run;
use common::nn::LinearConfig;
use common::plot::Picture;
use common::train::{Classifier, Fitted, History, Recipe, interrupt, save_model};
use common::{Error, Result, plot};

use super::filters;
use super::pretrained::{Pretrained, pretrained};
use crate::classifier::{Architecture, Frozen, Head, PhotoClassifier};

/// Cats and dogs.
pub(crate) const CLASSES: usize = 2;
/// The photos are parted by this, whatever the seed of a run.
const SPLIT: u64 = 13;
/// What the accuracies of epochs are called.
pub(super) const ACCURACY: &str = "test accuracy";
/// Photos whose features are computed at once.
const AT_ONCE: usize = 64;

/// Photos of cats and dogs.
pub(super) fn photos(run: &mut Run) -> Result<Split<Images>> {
    let sizes = [run.pick(48, 1280, 19_998), run.pick(32, 500, 5000)];
    let sizes = sizes.map(|size| run.limited(size));
    let data = cats_and_dogs(&run.data_options(), sizes, SPLIT)?;
    run.uses(data.source.clone());
    Ok(data)
}

/// AdamW; at `quick` smaller batches for as many updates from fewer photos.
pub(super) fn recipe(run: &Run, epochs: [usize; 3]) -> Recipe {
    let [smoke, quick, book] = epochs;
    Recipe::adamw(run.pick(16, 32, 128), run.pick(smoke, quick, book))
}

/// Epochs of 13.1 to 13.4.
const EPOCHS: [usize; 3] = [2, 4, 10];

/// ResNet-18 from random weights.
fn from_scratch(
    run: &mut Run,
    data: &Split<Images>,
) -> Result<Fitted<Classifier<PhotoClassifier>>> {
    let network = PhotoClassifier::scratch(Architecture::ResNet18, CLASSES, run.device());
    let recipe = recipe(run, EPOCHS);
    run.fit("scratch", Classifier::new(network), data, &recipe)
}

/// All weights trained on from where the pretrained network has them.
fn warm_start(
    run: &mut Run,
    data: &Split<Images>,
    pretrained: &Pretrained,
) -> Result<Fitted<Classifier<PhotoClassifier>>> {
    let network = pretrained.transfer(Frozen::Nothing, run.device());
    let recipe = recipe(run, EPOCHS);
    run.fit("warm start", Classifier::new(network), data, &recipe)
}

/// What the last layer of a network sees of each photo.
pub(super) fn features(
    network: &PhotoClassifier,
    photos: &Images,
    device: &Device,
) -> Result<Points> {
    let (mut values, mut dim) = (Vec::new(), 0);
    for first in (0..photos.len()).step_by(AT_ONCE) {
        if interrupt::requested() {
            return Err(Error::Interrupted(
                "stopped while computing features".into(),
            ));
        }
        let indices: Vec<usize> = (first..photos.len().min(first + AT_ONCE)).collect();
        let features = network.features(photos.tensor(&indices, device)); // [64, F]
        dim = features.dims()[1];
        let features = features.into_data().try_to_vec::<f32>();
        values.extend(
            features.map_err(|error| Error::Training(format!("reading features: {error:?}")))?,
        );
    }
    Ok(Points {
        features: values,
        dim,
        labels: photos.labels.clone(),
        classes: CLASSES,
    })
}

/// The features of both parts of the photos. A frozen network gives the same in each epoch, so they are computed once.
pub(super) fn all_features(
    network: &PhotoClassifier,
    data: &Split<Images>,
    device: &Device,
) -> Result<Split<Points>> {
    Ok(Split {
        train: features(network, &data.train, device)?,
        test: features(network, &data.test, device)?,
        source: data.source.clone(),
    })
}

/// Trains a last layer on features.
pub(super) fn fit_head(
    run: &mut Run,
    name: &str,
    data: &Split<Points>,
    epochs: [usize; 3],
) -> Result<Fitted<Classifier<Head>>> {
    let fc = LinearConfig::new(data.train.dim, CLASSES).init(run.device());
    let recipe = recipe(run, epochs);
    run.fit(name, Classifier::new(Head { fc }), data, &recipe)
}

/// 13.1
pub(super) fn scratch(run: &mut Run) -> Result<()> {
    let data = photos(run)?;
    show(run, &data.test)?;
    let fitted = from_scratch(run, &data)?;
    run.claim(
        "ResNet-18 with two outputs has 11,177,538 parameters",
        fitted.parameters == 11_177_538,
        fitted.parameters.to_string(),
    );
    curves(run, &[("scratch, ResNet-18", &fitted.history)])?;
    let accuracy = fitted.history.column(ACCURACY);
    let last = fitted.history.last(ACCURACY);
    run.metric_beside("test accuracy, scratch", last, 0.90);
    let chance = 0.5 + 1.0 / (data.test.len() as f64).sqrt(); // two standard deviations of guessing
    run.claim(
        "better than guessing",
        last > chance,
        format!("{last:.3} against {chance:.3}"),
    );
    let falls = accuracy.windows(2).filter(|pair| pair[1] < pair[0]).count();
    run.claim(
        "the test accuracy is unsteady: it falls from one epoch to the next",
        falls > 0,
        format!("{falls} of {} times", accuracy.len().saturating_sub(1)),
    );
    run.claim_near("test accuracy, scratch", last, 0.90, 0.05);
    Ok(())
}

/// 13.2
pub(super) fn first_filters(run: &mut Run) -> Result<()> {
    let data = photos(run)?;
    let scratch = from_scratch(run, &data)?.model.network;
    let pretrained = pretrained(run)?;
    let warm = warm_start(run, &data, &pretrained)?.model.network;
    let architecture = pretrained.architecture.name();
    let before = pretrained.network.first_filters();
    let all = [
        (
            "scratch",
            "ResNet-18 after 13.1",
            scratch.backbone.first_filters(),
        ),
        ("pretrained", architecture, before.clone()),
        ("fine-tuned", architecture, warm.backbone.first_filters()),
    ];
    let mut roughness = Vec::new();
    for (name, network, filters) in all {
        let filters = filters::Filters::read(filters)?;
        let title = format!("First layer of {network}, {name}");
        let caption = "Each filter is a small colour picture; black is the least weight of all, white the greatest.";
        run.figure(name, caption, &filters.figure(&title))?;
        run.metric(&format!("roughness, {name}"), filters.roughness());
        roughness.push(filters.roughness());
    }
    run.say("Roughness: the mean squared difference of neighbouring weights over that of any two; independent noise has 1.");
    run.claim(
        "pretrained filters are smooth, those from scratch are noise",
        roughness[1] < 0.8 * roughness[0],
        format!("roughness {:.2} against {:.2}", roughness[1], roughness[0]),
    );
    let kept = filters::similarity(before, warm.backbone.first_filters())?;
    run.metric("similarity of filters before and after", kept);
    run.claim(
        "fine-tuning hardly changes them",
        kept > 0.95,
        format!("cosine of all weights before and after {kept:.3}"),
    );
    Ok(())
}

/// 13.3
pub(super) fn warm(run: &mut Run) -> Result<()> {
    let data = photos(run)?;
    let scratch = from_scratch(run, &data)?.history;
    let pretrained = pretrained(run)?;
    let warm = warm_start(run, &data, &pretrained)?.history;
    let name = format!("warm start, {}", pretrained.architecture.name());
    curves(run, &[("scratch, ResNet-18", &scratch), (&name, &warm)])?;
    run.metric_beside("test accuracy, warm start", warm.last(ACCURACY), 0.96);
    run.metric_beside("test accuracy, scratch", scratch.last(ACCURACY), 0.90);
    run.metric_beside("after one epoch, warm start", warm.first(ACCURACY), 0.95);
    let best = best(&scratch);
    run.claim(
        "one epoch of a warm start is better than all epochs from scratch",
        warm.first(ACCURACY) > best,
        format!("{:.3} against {best:.3}", warm.first(ACCURACY)),
    );
    run.claim_near("test accuracy, warm start", warm.last(ACCURACY), 0.96, 0.03);
    Ok(())
}

fn best(history: &History) -> f64 {
    history
        .column(ACCURACY)
        .into_iter()
        .fold(f64::NAN, f64::max)
}

/// 13.4
pub(super) fn frozen(run: &mut Run) -> Result<()> {
    let data = photos(run)?;
    let scratch = from_scratch(run, &data)?.history;
    let pretrained = pretrained(run)?;
    let warm = warm_start(run, &data, &pretrained)?.history;
    let device = run.device().clone();
    let network = pretrained.transfer(Frozen::Features, &device);
    let features = all_features(&network, &data, &device)?;
    let fitted = fit_head(run, "frozen", &features, EPOCHS)?;
    let frozen = fitted.history;
    save(run, &pretrained, &network, fitted.model.network)?;

    let architecture = pretrained.architecture.name();
    let (warm_name, frozen_name) = (
        format!("warm start, {architecture}"),
        format!("frozen, {architecture}"),
    );
    let mut lines = vec![
        ("scratch, ResNet-18", &scratch),
        (&warm_name, &warm),
        (&frozen_name, &frozen),
    ];
    let printed = match run.as_printed() {
        true => {
            let network = pretrained.transfer(Frozen::WeightsOnly, &device);
            let recipe = recipe(run, EPOCHS);
            let name = "frozen, as printed";
            Some(
                run.fit(name, Classifier::new(network), &data, &recipe)?
                    .history,
            )
        }
        false => None,
    };
    if let Some(printed) = &printed {
        let last = printed.last(ACCURACY);
        run.metric_beside("test accuracy, frozen, as printed", last, 0.94);
        lines.push(("frozen, batch norms go on (as printed)", printed));
    }
    curves(run, &lines)?;
    run.metric_beside("test accuracy, frozen", frozen.last(ACCURACY), 0.94);
    run.metric_beside("test accuracy, warm start", warm.last(ACCURACY), 0.96);
    run.metric_beside("test accuracy, scratch", scratch.last(ACCURACY), 0.90);
    let weights = CLASSES * features.train.dim + CLASSES;
    run.claim(
        "only the new layer is trained",
        fitted.parameters == weights,
        format!("{} weights", fitted.parameters),
    );
    let (last, from_scratch) = (frozen.last(ACCURACY), scratch.last(ACCURACY));
    run.claim(
        "frozen features are better than a network from scratch",
        last > from_scratch,
        format!("{last:.3} against {from_scratch:.3}"),
    );
    let [scratch, frozen] = [&scratch, &frozen].map(swing);
    run.claim(
        "frozen features give the steadiest curve",
        frozen < scratch,
        format!("largest change from epoch to epoch {frozen:.3} against {scratch:.3}"),
    );
    run.claim_near("test accuracy, frozen", last, 0.94, 0.05);
    Ok(())
}

/// The largest change of the test accuracy from one epoch to the next.
fn swing(history: &History) -> f64 {
    let accuracy = history.column(ACCURACY);
    let changes = accuracy.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    changes.fold(0.0, f64::max)
}

/// The file of the classifier that `classify` uses, and that of the name of its architecture.
pub(crate) const CLASSIFIER: [&str; 2] = ["photo-classifier.bpk", "photo-classifier.txt"];

/// Writes the network with its trained last layer, for `classify`.
pub(super) fn save(
    run: &Run,
    pretrained: &Pretrained,
    network: &PhotoClassifier,
    head: Head,
) -> Result<()> {
    let mut network = network.clone();
    network.backbone = network.backbone.with_head(head.fc);
    let [weights, architecture] = CLASSIFIER;
    save_model(network.valid(), &run.folder().join("models").join(weights))?;
    run.attach(architecture, pretrained.architecture.name().as_bytes())
}

/// Test accuracy against epoch.
fn curves(run: &mut Run, lines: &[(&str, &History)]) -> Result<()> {
    let mut chart = plot::lines("Cats and dogs", "epoch", ACCURACY);
    for (name, history) in lines {
        chart = chart.line(name, &history.column("epoch"), &history.column(ACCURACY));
    }
    run.figure("accuracy", "Test accuracy against epoch.", &chart.build())
}

/// Eight test photos with their classes.
fn show(run: &mut Run, photos: &Images) -> Result<()> {
    let mut grid = plot::image_grid("Test photos").columns(4);
    for i in 0..photos.len().min(8) {
        let values: Vec<f32> = photos
            .image(i)
            .iter()
            .map(|b| f32::from(*b) / 255.0)
            .collect();
        let picture = Picture::rgb(photos.height, photos.width, &values);
        grid = grid.image(picture, &photos.class_names[usize::from(photos.label(i))]);
    }
    run.figure("photos", "The first eight test photos.", &grid.build())
}
