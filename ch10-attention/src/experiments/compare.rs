//! 10.1, 10.2 and 10.5: networks side by side.

use common::experiment::Run;
use common::plot::{self, Picture};
use common::train::History;
use common::{Result, data::Split};

use super::trainings::{Net, bags, train};
use crate::bags::{DigitBags, SIDE};

/// Bags in the figure of 10.1.
const SHOWN: usize = 4;

/// A trained network's results.
struct Curve {
    net: Net,
    history: History,
}

impl Curve {
    fn last(&self) -> f64 {
        self.history.last("test accuracy")
    }
}

/// 10.1
pub(super) fn baseline(run: &mut Run) -> Result<()> {
    let data = bags(run)?;
    show_bags(run, &data)?;
    let history = train(run, &data, Net::Baseline)?;
    let epochs = history.column("epoch");
    let chart = plot::lines("All pixels at once", "epoch", "accuracy")
        .line("training bags", &epochs, &history.column("train accuracy"))
        .line("test bags", &epochs, &history.column("test accuracy"));
    run.figure(
        "accuracy",
        "Accuracy against epoch: the largest of three digits.",
        &chart.build(),
    )?;
    let curve = Curve {
        net: Net::Baseline,
        history,
    };
    record(run, &curve, 0.02);
    // Three digits are all below 9 with probability 0.9^3.
    let guess = 1.0 - 0.9f64.powi(3);
    run.claim(
        "it learns the task",
        curve.last() > guess + 0.3,
        format!(
            "test accuracy {:.3}; always saying 9 would give {guess:.3}",
            curve.last()
        ),
    );
    Ok(())
}

/// 10.2
pub(super) fn simple(run: &mut Run) -> Result<()> {
    let data = bags(run)?;
    let curves = side_by_side(
        run,
        &data,
        "Attention to the digits of a bag",
        &[Net::Baseline, Net::Simple],
    )?;
    if let [baseline, simple] = &curves[..] {
        ahead(run, simple, baseline);
        let first = [simple, baseline].map(|c| c.history.first("test accuracy"));
        run.claim(
            "attention is ahead from the first epoch",
            first[0] > first[1],
            format!("test accuracy {:.3} against {:.3}", first[0], first[1]),
        );
    }
    Ok(())
}

/// 10.5
pub(super) fn scores(run: &mut Run) -> Result<()> {
    let data = bags(run)?;
    let curves = side_by_side(
        run,
        &data,
        "Attention with a context",
        &[
            Net::Baseline,
            Net::Simple,
            Net::Dot,
            Net::General,
            Net::Additive,
        ],
    )?;
    if let [baseline, simple, scores @ ..] = &curves[..] {
        for score in scores {
            ahead(run, score, baseline);
        }
        let far = scores
            .iter()
            .map(|score| (score.last() - simple.last()).abs());
        let far = far.fold(0.0, f64::max);
        run.claim(
            "the three scores end where attention without a context does",
            far < 0.015,
            format!(
                "at most {far:.3} from its test accuracy of {:.3}",
                simple.last()
            ),
        );
    }
    Ok(())
}

/// Trains these networks, draws them and records where each of them ends.
fn side_by_side(
    run: &mut Run,
    data: &Split<DigitBags>,
    title: &str,
    nets: &[Net],
) -> Result<Vec<Curve>> {
    let mut curves = Vec::with_capacity(nets.len());
    let mut chart = plot::lines(title, "epoch", "test accuracy");
    for &net in nets {
        let history = train(run, data, net)?;
        let (x, y) = (history.column("epoch"), history.column("test accuracy"));
        chart = chart.line(net.name(), &x, &y);
        curves.push(Curve { net, history });
    }
    run.figure(
        "accuracy",
        "Test accuracy against epoch: the largest of three digits.",
        &chart.build(),
    )?;
    for curve in &curves {
        record(run, curve, 0.01);
    }
    Ok(curves)
}

fn record(run: &mut Run, curve: &Curve, tolerance: f64) {
    let (what, book) = (
        format!("test accuracy, {}", curve.net.name()),
        curve.net.book(),
    );
    run.metric_beside(&what, curve.last(), book);
    run.claim_near(&format!("{what},"), curve.last(), book, tolerance);
}

fn ahead(run: &mut Run, better: &Curve, than: &Curve) {
    run.claim(
        &format!("{} is better than {}", better.net.name(), than.net.name()),
        better.last() > than.last() + 0.01,
        format!(
            "test accuracy {:.3} against {:.3}",
            better.last(),
            than.last()
        ),
    );
}

/// A figure of the first test bags, a row each.
fn show_bags(run: &mut Run, data: &Split<DigitBags>) -> Result<()> {
    let test = &data.test;
    let mut grid = plot::image_grid("Bags of three digits, and their labels");
    let mut columns = 1;
    for index in 0..SHOWN.min(common::data::Batches::len(test)) {
        let bag = test.draw(index, 0);
        let digits = test.digits(&bag);
        columns = bag.len();
        for (&image, digit) in bag.iter().zip(&digits) {
            let largest = digits.iter().max() == Some(digit);
            let caption = if largest { "the label: " } else { "" };
            let pixels = test.images().image(image).iter();
            let values: Vec<f32> = pixels.map(|&byte| f32::from(byte) / 255.0).collect();
            grid = grid.image(
                Picture::grey(SIDE, SIDE, &values),
                &format!("{caption}{digit}"),
            );
        }
    }
    run.figure(
        "bags",
        "A bag in each row. Its label is the largest of its digits.",
        &grid.columns(columns).build(),
    )
}
