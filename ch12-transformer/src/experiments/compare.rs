//! 12.1 to 12.7: networks side by side, by epoch and by time.

use common::Result;
use common::experiment::Run;
use common::plot;
use common::train::History;

use super::look;
use super::trainings::{Lesson, Net, lesson, train};
use crate::padding::Padding;

/// A fall from the best epoch to the last one that counts as over-fitting.
const FALL: f64 = 0.01;

/// A trained network's results.
struct Curve {
    net: Net,
    history: History,
}

impl Curve {
    fn last(&self) -> f64 {
        self.history.last("test accuracy")
    }

    fn best(&self) -> f64 {
        let accuracies = self.history.column("test accuracy");
        accuracies.into_iter().fold(f64::NAN, f64::max)
    }

    /// How much of its best accuracy it has lost by the end.
    fn fall(&self) -> f64 {
        self.best() - self.last()
    }

    /// Seconds of training per epoch.
    fn pace(&self) -> f64 {
        self.history.last("total time") / self.history.epochs().max(1) as f64
    }

    fn name(&self) -> &'static str {
        self.net.name()
    }
}

/// 12.1
pub(super) fn gru(run: &mut Run) -> Result<()> {
    let lesson = lesson(run)?;
    run.say(format!(
        "{} words in the vocabulary",
        lesson.vocabulary.len()
    ));
    let [gru] = &side_by_side(run, &lesson, "A GRU reads the news", [Net::Gru])?;
    let epochs = gru.history.column("epoch");
    let chart = plot::lines("A GRU reads the news", "epoch", "accuracy")
        .line(
            "training texts",
            &epochs,
            &gru.history.column("train accuracy"),
        )
        .line("test texts", &epochs, &gru.history.column("test accuracy"));
    run.figure("training", "Accuracy against epoch.", &chart.build())?;
    run.claim(
        "it tells the four classes apart",
        gru.last() > 0.75,
        format!("test accuracy {:.3}; guessing would give 0.25", gru.last()),
    );
    Ok(())
}

/// 12.2
pub(super) fn average(run: &mut Run) -> Result<()> {
    let lesson = lesson(run)?;
    let curves = side_by_side(
        run,
        &lesson,
        "The mean of the words",
        [Net::Gru, Net::Average],
    )?;
    let [gru, average] = &curves;
    faster(run, average, gru, 3.0);
    run.claim(
        "averaging is at most a little worse than the GRU",
        average.best() > gru.best() - 0.02,
        format!(
            "best test accuracy {:.3} against {:.3}",
            average.best(),
            gru.best()
        ),
    );
    Ok(())
}

/// 12.3
pub(super) fn attention(run: &mut Run) -> Result<()> {
    let lesson = lesson(run)?;
    let nets = [Net::Gru, Net::Average, Net::Attention];
    let curves = side_by_side(run, &lesson, "The words weighted by attention", nets)?;
    look::at_words(run, &lesson, Net::Attention)?;
    let [gru, average, attention] = &curves;
    better(run, attention, average, Curve::best, "best");
    faster(run, attention, gru, 1.5);
    over_fits(run, attention);
    Ok(())
}

/// 12.4
pub(super) fn cnn(run: &mut Run) -> Result<()> {
    let lesson = lesson(run)?;
    let nets = [Net::Gru, Net::Average, Net::Cnn];
    let curves = side_by_side(run, &lesson, "A CNN over time", nets)?;
    let [gru, _, cnn] = &curves;
    faster(run, cnn, gru, 1.0);
    holds_on(run, cnn);
    Ok(())
}

/// 12.5
pub(super) fn average_position(run: &mut Run) -> Result<()> {
    let lesson = lesson(run)?;
    let nets = [Net::Gru, Net::Average, Net::AveragePosition];
    let curves = side_by_side(run, &lesson, "Positions", nets)?;
    let [gru, average, position] = &curves;
    faster(run, position, gru, 2.0);
    better(run, position, average, Curve::last, "last");
    better(run, position, average, Curve::best, "best");
    holds_on(run, position);
    Ok(())
}

/// 12.6
pub(super) fn attention_position(run: &mut Run) -> Result<()> {
    let lesson = lesson(run)?;
    let nets = [Net::Attention, Net::AveragePosition, Net::AttentionPosition];
    let curves = side_by_side(run, &lesson, "Attention and positions", nets)?;
    look::at_words(run, &lesson, Net::AttentionPosition)?;
    let [attention, _, position] = &curves;
    better(run, position, attention, Curve::last, "last");
    better(run, position, attention, Curve::best, "best");
    holds_on(run, position);
    Ok(())
}

/// 12.7. At `quick` without the GRU, which would take as long again.
pub(super) fn transformer(run: &mut Run) -> Result<()> {
    let lesson = lesson(run)?;
    let title = "A transformer";
    let fast = [
        Net::AveragePosition,
        Net::AttentionPosition,
        Net::Transformer,
    ];
    let curves: Vec<Curve> = match run.is_book() {
        true => {
            let [average, attention, transformer] = fast;
            let nets = [Net::Gru, average, attention, transformer];
            side_by_side(run, &lesson, title, nets)?.into()
        }
        false => side_by_side(run, &lesson, title, fast)?.into(),
    };
    look::at_words(run, &lesson, Net::Transformer)?;
    look::at_each_other(run, &lesson)?;
    if let [others @ .., transformer] = &curves[..] {
        let slowest = others.iter().map(Curve::pace).fold(0.0, f64::max);
        run.claim(
            "the transformer is the slowest",
            transformer.pace() > slowest,
            format!(
                "{:.1} s per epoch, the next {slowest:.1} s",
                transformer.pace()
            ),
        );
        let best = others.iter().map(Curve::best).fold(0.0, f64::max);
        run.claim(
            "it is among the best",
            transformer.best() > best - 0.005,
            format!(
                "best test accuracy {:.3}, the best of the others {best:.3}",
                transformer.best()
            ),
        );
        let accuracies = transformer.history.column("test accuracy");
        let (late, early) = accuracies.split_at(accuracies.len() / 2);
        let best = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
        run.claim(
            "it is still rising in the second half of its epochs",
            best(early) > best(late),
            format!(
                "best test accuracy {:.3} after {:.3} in the first half",
                best(early),
                best(late)
            ),
        );
    }
    Ok(())
}

/// Trains these networks, draws them by epoch and by time and records where each of them ends. With `--as-printed` the figures also show what the
/// last of them does if padding takes part.
fn side_by_side<const N: usize>(
    run: &mut Run,
    lesson: &Lesson,
    title: &str,
    nets: [Net; N],
) -> Result<[Curve; N]> {
    let trained = nets.map(|net| {
        let history = train(run, lesson, net, Padding::Masked)?;
        Ok::<_, common::Error>(Curve { net, history })
    });
    let mut curves = Vec::with_capacity(N);
    for curve in trained {
        curves.push(curve?);
    }
    let printed = match (run.as_printed(), nets.last()) {
        (true, Some(&net)) => Some((net, train(run, lesson, net, Padding::AsPrinted)?)),
        _ => None,
    };
    for (name, column, label) in [
        ("accuracy", "epoch", "epoch"),
        ("time", "total time", "seconds of training"),
    ] {
        let mut chart = plot::lines(title, label, "test accuracy");
        for curve in &curves {
            let (x, y) = (
                curve.history.column(column),
                curve.history.column("test accuracy"),
            );
            chart = chart.line(curve.name(), &x, &y);
        }
        if let Some((net, history)) = &printed {
            let (x, y) = (history.column(column), history.column("test accuracy"));
            chart = chart.line(&format!("{}, as printed", net.name()), &x, &y);
        }
        let caption = format!("Test accuracy against {label}.");
        run.figure(name, &caption, &chart.build())?;
    }
    for curve in &curves {
        record(run, lesson, curve);
    }
    if let Some((net, history)) = &printed {
        let name = format!("test accuracy, {}, as printed", net.name());
        run.metric(&name, history.last("test accuracy"));
    }
    curves
        .try_into()
        .map_err(|_| common::Error::Training("a curve is missing".into()))
}

/// Accuracy beside the book's, which has 24 times as many texts as the part of them that is published in some places.
fn record(run: &mut Run, lesson: &Lesson, curve: &Curve) {
    let [last, best, seconds] = curve.net.book();
    let name = curve.name();
    run.metric_beside(&format!("test accuracy, {name}"), curve.last(), last);
    run.metric_beside(&format!("best test accuracy, {name}"), curve.best(), best);
    let book_epochs = 15.0;
    run.metric_beside(
        &format!("seconds per epoch, {name}"),
        curve.pace(),
        seconds / book_epochs,
    );
    if lesson.is_whole() {
        run.claim_near(&format!("test accuracy, {name},"), curve.last(), last, 0.01);
    }
}

fn faster(run: &mut Run, fast: &Curve, slow: &Curve, times: f64) {
    let ratio = slow.pace() / fast.pace();
    let how = match times {
        1.0 => String::new(),
        _ => format!("at least {times} times "),
    };
    run.claim(
        &format!("{} is {how}faster than {}", fast.name(), slow.name()),
        ratio > times,
        format!(
            "{:.2} s against {:.2} s per epoch: {ratio:.1} times",
            fast.pace(),
            slow.pace()
        ),
    );
}

fn better(run: &mut Run, good: &Curve, than: &Curve, which: fn(&Curve) -> f64, word: &str) {
    let (good_value, value) = (which(good), which(than));
    run.claim(
        &format!(
            "{} is better than {} ({word} epoch)",
            good.name(),
            than.name()
        ),
        good_value > value,
        format!("test accuracy {good_value:.4} against {value:.4}"),
    );
}

fn over_fits(run: &mut Run, curve: &Curve) {
    run.claim(
        &format!("{} over-fits", curve.name()),
        curve.fall() > FALL,
        format!(
            "test accuracy {:.3} at best, {:.3} at the end",
            curve.best(),
            curve.last()
        ),
    );
}

fn holds_on(run: &mut Run, curve: &Curve) {
    run.claim(
        &format!("{} does not over-fit", curve.name()),
        curve.fall() <= FALL,
        format!(
            "test accuracy {:.3} at best, {:.3} at the end",
            curve.best(),
            curve.last()
        ),
    );
}
