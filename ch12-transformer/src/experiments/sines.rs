//! 12.8: how sines tell places apart.

use common::Result;
use common::experiment::Run;
use common::plot;

use crate::layers::WIDTH;
use crate::position::position_code;

/// Places in the figures.
const PLACES: usize = 100;
/// Sines in the last figure, the even half of 12 columns.
const SINES: usize = 6;
/// Places that the book's table has.
const LONGEST: usize = 5_000;

/// 12.8
pub(super) fn sines(run: &mut Run) -> Result<()> {
    let t: Vec<usize> = (0..PLACES).collect();
    let sine = |rate: f64| -> Vec<f64> { t.iter().map(|&t| (t as f64 * rate).sin()).collect() };
    let one = plot::lines("One sine", "place", "value").line("sin(t)", &t, &sine(1.0));
    run.figure(
        "one",
        "A sine comes back to the same value again and again.",
        &one.build(),
    )?;
    let two = plot::lines("Two sines", "place", "value")
        .line("sin(t)", &t, &sine(1.0))
        .line("sin(t / 10)", &t, &sine(0.1));
    run.figure(
        "two",
        "Where one of two sines repeats itself, the other is elsewhere.",
        &two.build(),
    )?;
    let mut six = plot::lines("Six sines", "place", "value");
    for i in 0..SINES {
        let rate = 10_000f64.powf(-((2 * i) as f64) / (2 * SINES) as f64);
        six = six.line(&format!("rate {rate:.4}"), &t, &sine(rate));
    }
    run.figure(
        "six",
        "The sines among the 12 columns of a position code.",
        &six.build(),
    )?;

    let one: Vec<f32> = sine(1.0).iter().map(|&v| v as f32).collect();
    let near = |values: &[f32], width: usize| nearest(values, width);
    let distances = [
        near(&one, 1),
        near(&position_code(PLACES, 2 * SINES), 2 * SINES),
    ];
    run.metric(
        "least distance of two of 100 places, one sine",
        distances[0],
    );
    run.metric(
        "least distance of two of 100 places, 12 columns",
        distances[1],
    );
    run.claim(
        "several sines tell places apart that one does not",
        distances[0] < 0.01 && distances[1] > 0.1,
        format!(
            "two of {PLACES} places are as near as {:.5} with one sine, {:.3} with 12 columns",
            distances[0], distances[1]
        ),
    );
    let all = nearest(&position_code(LONGEST, WIDTH), WIDTH);
    run.metric("least distance of two of 5,000 places, 128 columns", all);
    run.claim(
        "each of 5,000 places has a code of its own",
        all > 0.1,
        format!("the nearest two are {all:.3} apart; a code is 8 long"),
    );
    let turned = rotation_error(&position_code(LONGEST, WIDTH), 7);
    run.claim(
        "the code of a place further on is a rotation of this place's",
        turned < 1e-3,
        format!("7 places on: at most {turned:.1e} from it, for all places"),
    );
    Ok(())
}

/// The least distance between two rows.
fn nearest(values: &[f32], width: usize) -> f64 {
    let rows: Vec<&[f32]> = values.chunks(width).collect();
    let mut least = f32::INFINITY;
    for (i, a) in rows.iter().enumerate() {
        for b in &rows[..i] {
            let squares = a.iter().zip(*b).map(|(x, y)| (x - y) * (x - y));
            least = least.min(squares.sum());
        }
    }
    f64::from(least).sqrt()
}

/// The largest difference between a code and that of `steps` places before, each pair of columns turned by its angle.
fn rotation_error(values: &[f32], steps: usize) -> f64 {
    let rows: Vec<&[f32]> = values.chunks(WIDTH).collect();
    let mut worst = 0.0f64;
    for (here, there) in rows.iter().zip(rows.iter().skip(steps)) {
        for (i, (a, b)) in here.chunks(2).zip(there.chunks(2)).enumerate() {
            let rate = 10_000f64.powf(-((2 * i) as f64) / WIDTH as f64);
            let (sin, cos) = (steps as f64 * rate).sin_cos();
            let [x, y] = [a[0], a[1]].map(f64::from);
            let turned = [x * cos + y * sin, y * cos - x * sin];
            worst = worst.max((turned[0] - f64::from(b[0])).abs());
            worst = worst.max((turned[1] - f64::from(b[1])).abs());
        }
    }
    worst
}
