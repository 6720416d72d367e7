//! 14.2, 14.3 and 14.5: the plain network with either pooling, and how much it minds a shift.

use common::data::{Batches, Crops, Split};
use common::experiment::Run;
use common::plot::{self, Picture};
use common::train::{Classifier, Fitted};
use common::{Error, Result};

use super::trainings::{Curve, Size, anti_aliased as train_anti_aliased, photos, regular as train};
use crate::blur::Filter;
use crate::networks::Cnn;
use crate::shifts::{PLACES, STEPS, Study, median_deviation, places, study, study_some};

/// The training photo of the book's figure: a plane.
const SHOWN: usize = 30;
/// How often it is shown.
const TIMES: u64 = 4;
/// The test photo of the book's study.
const STUDIED: usize = 213;
/// Its class, a truck.
const CLASS: u8 = 9;

/// 14.2
pub(super) fn regular(run: &mut Run) -> Result<()> {
    let data = photos(run, Size::Plain)?;
    show_crops(run, &data)?;
    let curve = curve("regular", train(run, &data, Size::Plain)?);
    let epochs = curve.history.column("epoch");
    let chart = plot::lines("Six convolutions, max pooling", "epoch", "accuracy");
    let chart = ["train accuracy", "test accuracy"]
        .iter()
        .fold(chart, |chart, name| {
            chart.line(name, &epochs, &curve.history.column(name))
        });
    run.figure(
        "accuracy",
        "Accuracy against epoch; training on random squares, testing on those in the middle.",
        &chart.build(),
    )?;
    run.metric_beside("test accuracy", curve.last(), 0.7435);
    run.claim_near("test accuracy", curve.last(), 0.7435, 0.02);
    run.claim(
        "it learns what is on the photos",
        curve.last() > 0.3,
        format!("test accuracy {:.3}; guessing gives 0.1", curve.last()),
    );
    Ok(())
}

/// A training photo as it is seen in four epochs.
fn show_crops(run: &mut Run, data: &Split<Crops>) -> Result<()> {
    let photos = &data.train;
    let mut grid = plot::image_grid("One photo in four epochs");
    let i = SHOWN.min(photos.len().saturating_sub(1));
    let class = photos.images().label(i);
    let name = &photos.images().class_names[usize::from(class)];
    for epoch in 0..TIMES {
        let batch = photos.batch(&[i], epoch, run.device()).inputs;
        let values = batch.into_data().try_to_vec::<f32>();
        let failed = |error| Error::Training(format!("reading a photo: {error:?}"));
        let picture = Picture::rgb(photos.side(), photos.side(), &values.map_err(failed)?);
        grid = grid.image(picture, &format!("{name}, epoch {epoch}"));
    }
    run.figure(
        "crops",
        "Each epoch shows another square of 24x24 pixels of a photo of 32x32.",
        &grid.build(),
    )
}

fn curve(name: &'static str, fitted: Fitted<Classifier<Cnn>>) -> Curve {
    Curve {
        name,
        history: fitted.history,
    }
}

/// What the shifts do to one photo, and to many.
struct Shifted {
    one: Study,
    many: Vec<Study>,
}

fn shifted(run: &Run, data: &Crops, network: &Cnn) -> Result<Shifted> {
    let n = run.limited(run.pick(10, 500, 10_000));
    let device = run.device();
    let one = study_some(network, data, &[truck(data)], device)?;
    let one = one.into_iter().next();
    Ok(Shifted {
        one: one.ok_or_else(|| Error::Data("there is no test photo".into()))?,
        many: study(network, data, n, device)?,
    })
}

/// The book's photo; in a part of the set, the next truck after its number (or the first, or any photo).
fn truck(data: &Crops) -> usize {
    let images = data.images();
    let is_truck = |&i: &usize| images.label(i) == CLASS;
    let after = (STUDIED..images.len()).find(is_truck);
    let found = after.or_else(|| (0..images.len()).find(is_truck));
    found.unwrap_or(0)
}

/// The numbers of a network's study.
fn record(run: &mut Run, name: &str, shifted: &Shifted, book: Option<[f64; 2]>) {
    let range = shifted.one.range();
    for (i, what) in ["lowest", "highest"].into_iter().enumerate() {
        let what = format!("{what} probability of the photo, {name}");
        match book {
            Some(book) => run.metric_beside(&what, range[i], book[i]),
            None => run.metric(&what, range[i]),
        }
    }
    run.metric(
        &format!("places where the photo is recognised, of {PLACES}, {name}"),
        shifted.one.hits() as f64,
    );
    run.metric(
        &format!("standard deviation over the shifts of the photo, {name}"),
        shifted.one.deviation(),
    );
    let n = shifted.many.len();
    run.metric(
        &format!("median standard deviation of {n} photos, {name}"),
        median_deviation(&shifted.many),
    );
}

/// 14.3
pub(super) fn shifts(run: &mut Run) -> Result<()> {
    let data = photos(run, Size::Plain)?;
    let fitted = train(run, &data, Size::Plain)?;
    let network = &fitted.model.network;
    let shifted = shifted(run, &data.test, network)?;
    show_places(run, &data.test, &shifted.one)?;
    let indices: Vec<usize> = (0..PLACES).collect();
    let chart = plot::lines(
        "A photo through a window that moves",
        "place of the window, row by row",
        "probability of the true class",
    );
    let chart = chart.line("regular", &indices, &shifted.one.probabilities);
    run.figure(
        "probability",
        "The probability of the true class at each of the 64 places.",
        &chart.y_range(0.0, 1.0).build(),
    )?;
    record(run, "regular", &shifted, Some([0.3484, 0.9948]));
    let [low, high] = shifted.one.range();
    run.claim(
        "a shift by a few pixels changes the probability widely",
        high - low > 0.2,
        format!("from {low:.4} to {high:.4}"),
    );
    Ok(())
}

/// The photo at all places, with the probability of its class.
fn show_places(run: &mut Run, data: &Crops, study: &Study) -> Result<()> {
    let i = truck(data);
    let name = &data.images().class_names[usize::from(data.images().label(i))];
    let mut grid = plot::image_grid(&format!("Probability of \"{name}\" at 64 places"));
    for (at, probability) in places().zip(&study.probabilities) {
        let square = Picture::rgb(data.side(), data.side(), &data.square(i, at));
        grid = grid.image(square, &format!("{:.1} %", 100.0 * probability));
    }
    run.figure(
        "places",
        "The same photo through a window of 24x24 pixels that moves by a pixel from picture to picture, and the probability of its class.",
        &grid.columns(STEPS).side(96).build(),
    )
}

/// 14.5
pub(super) fn anti_aliased(run: &mut Run) -> Result<()> {
    let data = photos(run, Size::Plain)?;
    let mut fitted = vec![
        ("regular", train(run, &data, Size::Plain)?),
        (
            "anti-aliased",
            train_anti_aliased(run, &data, Filter::Binomial)?,
        ),
    ];
    if run.as_printed() {
        let printed = train_anti_aliased(run, &data, Filter::AsPrinted)?;
        fitted.push(("anti-aliased as printed", printed));
    }
    let indices: Vec<usize> = (0..PLACES).collect();
    let mut accuracy = plot::lines("Max pooling and a blur", "epoch", "test accuracy");
    let mut shift = plot::lines(
        "A photo through a window that moves",
        "place of the window, row by row",
        "probability of the true class",
    );
    let (mut curves, mut all) = (Vec::new(), Vec::new());
    for (name, fitted) in fitted {
        let shifted = shifted(run, &data.test, &fitted.model.network)?;
        shift = shift.line(name, &indices, &shifted.one.probabilities);
        let curve = curve(name, fitted);
        let (x, y) = (
            curve.history.column("epoch"),
            curve.history.column("test accuracy"),
        );
        accuracy = accuracy.line(name, &x, &y);
        match name {
            "regular" => run.metric_beside("test accuracy, regular", curve.last(), 0.7435),
            _ => run.metric(&format!("test accuracy, {name}"), curve.last()),
        }
        record(run, name, &shifted, None);
        curves.push(curve);
        all.push(shifted);
    }
    run.figure(
        "accuracy",
        "Test accuracy against epoch.",
        &accuracy.build(),
    )?;
    run.figure(
        "probability",
        "The probability of the true class at each of the 64 places.",
        &shift.y_range(0.0, 1.0).build(),
    )?;
    if let ([regular, smooth, ..], [before, after, ..]) = (&curves[..], &all[..]) {
        compare(run, [regular, smooth], [before, after]);
    }
    Ok(())
}

fn compare(run: &mut Run, [regular, smooth]: [&Curve; 2], [before, after]: [&Shifted; 2]) {
    run.claim(
        "anti-aliased pooling is more accurate",
        smooth.last() > regular.last(),
        format!(
            "test accuracy {:.4} against {:.4}",
            smooth.last(),
            regular.last()
        ),
    );
    let wins = smooth.history.column("test accuracy").into_iter();
    let wins = wins.zip(regular.history.column("test accuracy"));
    let (epochs, wins) = (wins.len(), wins.filter(|(a, b)| a > b).count());
    run.claim(
        "at almost every epoch",
        5 * wins >= 4 * epochs,
        format!("at {wins} of {epochs} epochs"),
    );
    let [b, a] = [&before.one, &after.one].map(Study::deviation);
    run.claim(
        "the photo's curve is flatter",
        a < b,
        format!("standard deviation over the shifts {a:.4} against {b:.4}"),
    );
    let [b, a] = [&before.many, &after.many].map(|many| median_deviation(many));
    let n = after.many.len();
    run.claim(
        "shifts matter less over many photos",
        a < b,
        format!("median standard deviation of {n} photos {a:.4} against {b:.4}"),
    );
}
