//! 8.4 to 8.6: canvases of digits, a detector trained on them, suppression of overlapping boxes.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use common::data::Images;
use common::experiment::Run;
use common::plot::{BoxMark, Picture};
use common::seed::mix;
use common::train::{Fitted, Recipe};
use common::{Result, plot};

use crate::average_precision::{AveragePrecision, average_precision};
use crate::boxes::{iou, nms};
use crate::canvas::{Canvas, Canvases, SIDE};
use crate::detect::marks;
use crate::digit_detector::{CLASSES, DigitTraining, digit_detector};
use crate::roi_heads::{Detection, Object, Threshold};

const DETECTOR: &str = "Faster R-CNN";
/// Canvases looked at together when nothing is trained.
const AT_ONCE: usize = 16;
/// The label of the digit 0.
const ZERO: usize = 1;
/// What 8.6 leaves.
const SUPPRESSED: Threshold = Threshold {
    score: 0.05,
    nms: 0.5,
    most: 100,
};

/// 8.4
pub(super) fn canvases(run: &mut Run) -> Result<()> {
    let digits = run.mnist(60_000, 10_000)?;
    let canvases = Canvases::new(digits.train, 1000, run.seed(), false);
    let shown: Vec<Canvas> = (0..6).map(|i| canvases.canvas(i, 0)).collect();
    let mut grid = plot::image_grid("Canvases of digits").columns(3);
    for canvas in &shown {
        let boxes = canvas.objects.iter().map(truth).collect();
        let digits = canvas.objects.iter().map(|o| digit(o.label));
        let caption = digits.collect::<Vec<_>>().join(", ");
        grid = grid.image(picture(canvas).boxes(boxes), &caption);
    }
    let caption = "One to three digits at random places, with the boxes of their 28x28 pixels.";
    run.figure("canvases", caption, &grid.build())?;
    let rows = shown.iter().enumerate().flat_map(|(i, canvas)| {
        canvas.objects.iter().map(move |object| {
            let [x1, y1, x2, y2] = object.corners;
            vec![
                i.to_string(),
                digit(object.label),
                format!("{x1} {y1} {x2} {y2}"),
            ]
        })
    });
    run.table("Their targets", &["canvas", "digit", "box"], rows.collect());
    let all: Vec<Canvas> = (0..1000).map(|i| canvases.canvas(i, 0)).collect();
    let objects = || all.iter().flat_map(|canvas| &canvas.objects);
    let inside = |object: &Object| {
        object
            .corners
            .iter()
            .all(|c| (0.0..=SIDE as f32).contains(c))
    };
    run.claim(
        "every box lies on its canvas, with one to three digits on each",
        objects().all(inside) && all.iter().all(|c| (1..=3).contains(&c.objects.len())),
        format!("{} digits on {} canvases", objects().count(), all.len()),
    );
    let overlapping = all.iter().filter(|canvas| overlap(&canvas.objects));
    run.metric(
        "share of canvases with digits that overlap",
        overlapping.count() as f64 / all.len() as f64,
    );
    Ok(())
}

/// 8.5
pub(super) fn detector(run: &mut Run) -> Result<()> {
    let data = digits(run)?;
    let fitted = train(run, &data, DETECTOR, false)?;
    let found = detect(run, &fitted.model, &data.test, all_boxes())?;
    let precision = average_precision(&found, &data.objects());
    record(run, "", &precision);
    losses(run, &fitted)?;
    show(run, &data, &found)?;
    run.claim(
        "one epoch is enough for an average precision of 0.9 at IoU 0.5",
        precision.at(0) >= 0.9,
        format!("{:.3} on {} canvases", precision.at(0), data.test.len()),
    );
    run.claim(
        "the digit 0 is found like the others",
        precision.of_class(ZERO) >= 0.8,
        format!("average precision {:.3}", precision.of_class(ZERO)),
    );
    if run.as_printed() {
        let printed = train(run, &data, "Faster R-CNN, labels from 0", true)?;
        let found = detect(run, &printed.model, &data.test, all_boxes())?;
        // Its label d is the digit d; here digits are labelled from 1.
        let found = found.into_iter().map(|boxes| {
            let relabelled = boxes.into_iter().map(|b| Detection {
                label: b.label + 1,
                ..b
            });
            relabelled.collect()
        });
        let found: Vec<Vec<Detection>> = found.collect();
        let precision = average_precision(&found, &data.objects());
        record(run, ", as printed", &precision);
        run.claim(
            "with 0 as the label of background too, the digit 0 is never found",
            precision.of_class(ZERO) == 0.0,
            format!("average precision {:.3}", precision.of_class(ZERO)),
        );
    }
    Ok(())
}

/// 8.6
pub(super) fn suppression(run: &mut Run) -> Result<()> {
    let data = digits(run)?;
    let fitted = train(run, &data, DETECTOR, false)?;
    let before = detect(run, &fitted.model, &data.test, all_boxes())?;
    let after: Vec<Vec<Detection>> = before.iter().map(|found| suppressed(found)).collect();
    let objects = data.objects();

    // Where suppression does most.
    let dropped = |i: &usize| before[*i].len() - after[*i].len();
    let mut order: Vec<usize> = (0..before.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(dropped(i)));
    let mut grid = plot::image_grid("Non-maximum suppression").columns(3);
    for found in [&before, &after] {
        for &i in order.iter().take(3) {
            let canvas = data.test.canvas(i, 0);
            let caption = format!("{} boxes", found[i].len());
            grid = grid.image(picture(&canvas).boxes(marks(&found[i], digit)), &caption);
        }
    }
    let caption = "All boxes with a probability of at least 0.05 (above); those that overlap no more probable one by more than 0.5 (below).";
    run.figure("suppression", caption, &grid.side(325).build())?;

    let digits: usize = objects.iter().map(Vec::len).sum();
    let per_digit = |found: &[Vec<Detection>]| {
        found.iter().map(Vec::len).sum::<usize>() as f64 / digits.max(1) as f64
    };
    let [boxes, fewer] = [&before, &after].map(|found| per_digit(found));
    let [recall, left] = [&before, &after].map(|found| recall(found, &objects));
    run.metric("boxes per digit before", boxes);
    run.metric("boxes per digit after", fewer);
    run.metric("share of digits found before", recall);
    run.metric("share of digits found after", left);
    run.claim(
        "suppression drops boxes",
        fewer < boxes,
        format!("{fewer:.2} boxes per digit instead of {boxes:.2}"),
    );
    run.claim(
        "and hardly any digit",
        left > recall - 0.03,
        format!("{left:.3} of the digits are found with their name, before {recall:.3}"),
    );
    Ok(())
}

/// What the detector gives by itself: it suppresses only among boxes of the same class.
fn all_boxes() -> Threshold {
    Threshold::default()
}

/// Suppression among boxes of all classes.
fn suppressed(found: &[Detection]) -> Vec<Detection> {
    let probable = found.iter().filter(|d| d.score >= SUPPRESSED.score);
    let probable: Vec<Detection> = probable.copied().collect();
    let boxes: Vec<_> = probable.iter().map(|d| d.corners).collect();
    let scores: Vec<f32> = probable.iter().map(|d| d.score).collect();
    let kept = nms(&boxes, &scores, SUPPRESSED.nms).into_iter();
    kept.map(|i| probable[i]).collect()
}

/// The share of objects that some box of their class overlaps by at least a half.
fn recall(found: &[Vec<Detection>], objects: &[Vec<Object>]) -> f64 {
    let (mut hits, mut all) = (0, 0);
    for (found, objects) in found.iter().zip(objects) {
        for object in objects {
            let hit =
                |d: &Detection| d.label == object.label && iou(d.corners, object.corners) >= 0.5;
            hits += usize::from(found.iter().any(hit));
            all += 1;
        }
    }
    f64::from(hits as u32) / f64::from(all.max(1))
}

/// Digits to place, and the test canvases.
struct Digits {
    train: Images,
    test: Canvases,
}

impl Digits {
    /// What is on the test canvases.
    fn objects(&self) -> Vec<Vec<Object>> {
        let canvases = (0..self.test.len()).map(|i| self.test.canvas(i, 0));
        canvases.map(|canvas| canvas.objects).collect()
    }
}

fn digits(run: &mut Run) -> Result<Digits> {
    let (train, test) = run.pick((200, 100), (60_000, 10_000), (60_000, 10_000));
    let digits = run.mnist(train, test)?;
    let canvases = run.limited(run.pick(12, 1000, 1000));
    Ok(Digits {
        train: digits.train,
        test: Canvases::new(digits.test, canvases, mix(run.seed(), 1), false),
    })
}

/// Trains the detector on canvases that are never the same. The book's epoch of 60,000 of them is 12 of 5,000 here, so that there is a
/// curve and a checkpoint.
fn train(
    run: &mut Run,
    data: &Digits,
    name: &str,
    as_printed: bool,
) -> Result<Fitted<DigitTraining>> {
    let canvases = run.limited(run.pick(16, 500, 5_000));
    let regions = run.pick(16, 32, 512);
    let recipe = Recipe::adamw(run.pick(8, 8, 128), run.pick(1, 10, 12)).with_scores(&[]);
    let fresh = Canvases::new(data.train.clone(), canvases, run.seed(), true);
    let checked = Canvases::new(data.train.clone(), run.pick(8, 64, 512), 0, false);
    let (fresh, checked, classes) = match as_printed {
        true => (
            fresh.labelled_from_zero(),
            checked.labelled_from_zero(),
            CLASSES - 1,
        ),
        false => (fresh, checked, CLASSES),
    };
    let model = DigitTraining {
        detector: digit_detector(classes, regions, run.device()),
    };
    let evaluate = [("check", Arc::new(checked))];
    run.fit_on(name, model, &Arc::new(fresh), &evaluate, &recipe)
}

/// What the detector finds on each canvas.
fn detect(
    run: &Run,
    model: &DigitTraining,
    canvases: &Canvases,
    threshold: Threshold,
) -> Result<Vec<Vec<Detection>>> {
    let side = SIDE as f32;
    let numbers: Vec<usize> = (0..canvases.len()).collect();
    let mut all = Vec::with_capacity(canvases.len());
    for some in numbers.chunks(AT_ONCE) {
        let pixels = some.iter().flat_map(|i| canvases.canvas(*i, 0).pixels);
        let data = TensorData::new(pixels.collect(), [some.len(), 1, SIDE, SIDE]);
        let pictures = Tensor::from_data(data, run.device());
        all.extend(model.detector.detect(pictures, [side; 2], threshold)?);
    }
    Ok(all)
}

/// The average precisions, all in all and of each digit.
fn record(run: &mut Run, which: &str, precision: &AveragePrecision) {
    run.metric(&format!("AP{which}"), precision.mean());
    run.metric(&format!("AP at IoU 0.5{which}"), precision.at(0));
    run.metric(&format!("AP at IoU 0.75{which}"), precision.at(5));
    let rows = precision.classes.iter().map(|(label, of)| {
        let mean = of.iter().sum::<f64>() / of.len() as f64;
        vec![digit(*label), format!("{:.3}", of[0]), format!("{mean:.3}")]
    });
    let title = format!("Average precision of each digit{which}");
    run.table(&title, &["digit", "at IoU 0.5", "mean"], rows.collect());
}

/// The loss against canvases seen.
fn losses(run: &mut Run, fitted: &Fitted<DigitTraining>) -> Result<()> {
    let history = &fitted.history;
    let epochs = history.column("epoch");
    let x: Vec<f64> = epochs.iter().map(|epoch| epoch + 1.0).collect();
    let chart = plot::lines(
        "Faster R-CNN on canvases",
        "round",
        "sum of the four losses",
    )
    .line("training", &x, &history.column("train loss"))
    .line("other canvases", &x, &history.column("check loss"));
    let caption = "The loss against rounds of canvases; none is shown twice.";
    run.figure("loss", caption, &chart.build())
}

/// All boxes of a few test canvases, first one with a 0 among three digits, as in the book.
fn show(run: &mut Run, data: &Digits, found: &[Vec<Detection>]) -> Result<()> {
    let wanted = |i: &usize| {
        let objects = data.test.canvas(*i, 0).objects;
        objects.len() == 3 && objects.iter().any(|o| o.label == ZERO) && !overlap(&objects)
    };
    let book = (0..found.len()).find(wanted);
    let others = (0..found.len()).filter(|i| Some(*i) != book);
    let mut grid = plot::image_grid("What the detector finds").columns(3);
    for i in book.into_iter().chain(others).take(6) {
        let canvas = data.test.canvas(i, 0);
        let digits = canvas.objects.iter().map(|o| digit(o.label));
        let caption = format!("truth: {}", digits.collect::<Vec<_>>().join(", "));
        grid = grid.image(picture(&canvas).boxes(marks(&found[i], digit)), &caption);
    }
    let caption = "Test canvases with all boxes that are more probable than 0.05.";
    run.figure("detections", caption, &grid.side(325).build())
}

fn overlap(objects: &[Object]) -> bool {
    let pairs = objects.iter().enumerate();
    let mut pairs = pairs.flat_map(|(i, a)| objects[..i].iter().map(move |b| (a, b)));
    pairs.any(|(a, b)| iou(a.corners, b.corners) > 0.0)
}

fn digit(label: usize) -> String {
    label.saturating_sub(1).to_string()
}

fn picture(canvas: &Canvas) -> Picture {
    Picture::grey(SIDE, SIDE, &canvas.pixels)
}

fn truth(object: &Object) -> BoxMark {
    BoxMark {
        corners: object.corners,
        text: digit(object.label),
        color: object.label,
    }
}
