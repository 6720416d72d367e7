//! The figures of a study: history, slices, contours, importance, intermediate values.

use super::importance::Surface;
use super::{Range, State, Study};
use crate::plot::{self, Chart, Figure};

/// Places on each side of the plane of a contour plot.
const LATTICE: usize = 80;

/// The objective of each trial, and the best so far.
pub fn history(study: &Study) -> Figure {
    let numbers: Vec<usize> = study.complete().map(|(trial, _)| trial.number).collect();
    let values: Vec<f64> = study.complete().map(|(_, value)| value).collect();
    let mut best: Vec<f64> = Vec::new();
    for value in &values {
        let before = best.last().copied().unwrap_or(*value);
        best.push(study.direction().best(before, *value));
    }
    // The best stays what it is to the last trial.
    let mut until = numbers.clone();
    if let (Some(last), Some(found)) = (study.trials().last(), best.last().copied()) {
        until.push(last.number);
        best.push(found);
    }
    let chart = plot::scatter("Optimisation history", "trial", study.objective())
        .stairs("best so far", &until, &best)
        .points("trial", &numbers, &values);
    let pruned: Vec<f64> = of_state(study, State::Pruned)
        .map(|t| t.number as f64)
        .collect();
    given_up(study, chart, &pruned).build()
}

/// Adds the trials that were given up, at these places, with their last reports.
fn given_up(study: &Study, chart: Chart, xs: &[f64]) -> Chart {
    if xs.is_empty() {
        return chart;
    }
    let last = of_state(study, State::Pruned).map(|t| t.last_step().unwrap_or(f64::NAN));
    chart.points("given up, last report", xs, &last.collect::<Vec<_>>())
}

/// The objective against each parameter, later trials darker.
pub fn slice(study: &Study) -> Figure {
    let numbers: Vec<usize> = study.complete().map(|(trial, _)| trial.number).collect();
    let values: Vec<f64> = study.complete().map(|(_, value)| value).collect();
    let charts = study.space().iter().map(|parameter| {
        let name = parameter.name.as_str();
        let xs: Vec<f64> = study.complete().map(|(t, _)| t.get(name)).collect();
        let pruned: Vec<f64> = of_state(study, State::Pruned)
            .map(|t| t.get(name))
            .collect();
        let chart = plot::scatter(name, name, study.objective());
        let chart = chart.shaded_points("trial, first to last", &xs, &values, &numbers);
        let chart = given_up(study, chart, &pruned);
        match parameter.range.is_logarithmic() {
            true => chart.x_logarithmic(),
            false => chart,
        }
    });
    plot::panels("The objective against each parameter", charts.collect())
}

/// The objective over each pair of parameters, smoothed between the trials.
pub fn contour(study: &Study) -> Figure {
    let mut charts = Vec::new();
    for x in 0..study.space().len() {
        for y in x + 1..study.space().len() {
            let names = [x, y].map(|i| study.space()[i].name.as_str());
            charts.push((names, contour_of(study, x, y)));
        }
    }
    let titled = |(names, chart): ([&str; 2], Chart)| chart.titled(&names.join(" and "));
    match charts.len() {
        1 => charts.remove(0).1.build(),
        _ => {
            let charts = charts.into_iter().map(titled).collect();
            plot::panels("The objective over pairs of parameters", charts)
        }
    }
}

fn contour_of(study: &Study, x: usize, y: usize) -> Chart {
    let surface = Surface::over(study, &[x, y]);
    let part = |i: usize| i as f64 / (LATTICE - 1) as f64;
    let places = (0..LATTICE * LATTICE).map(|i| [part(i % LATTICE), part(i / LATTICE)]);
    let values: Vec<f64> = places.map(|place| surface.at(&place)).collect();
    let (x, y) = (&study.space()[x], &study.space()[y]);
    let of = |name: &str| -> Vec<f64> { study.complete().map(|(t, _)| t.get(name)).collect() };
    let (xs, ys) = (of(&x.name), of(&y.name));
    let title = format!("{} over {} and {}", study.objective(), x.name, y.name);
    let (low_x, high_x) = ends(&x.range);
    let (low_y, high_y) = ends(&y.range);
    let mut chart = plot::scatter(&title, &x.name, &y.name)
        .x_range(low_x, high_x)
        .y_range(low_y, high_y)
        .field(study.objective(), LATTICE, &values)
        .points("trial", &xs, &ys);
    if let Some(best) = study.best() {
        chart = chart.points("best", &[best.get(&x.name)], &[best.get(&y.name)]);
    }
    if x.range.is_logarithmic() {
        chart = chart.x_logarithmic();
    }
    match y.range.is_logarithmic() {
        true => chart.y_logarithmic(),
        false => chart,
    }
}

/// The ends of the axis for a range; a whole number stands in the middle of its share.
fn ends(range: &Range) -> (f64, f64) {
    match *range {
        Range::Uniform { low, high } | Range::LogUniform { low, high } => (low, high),
        Range::Integer { low, high } => (low as f64 - 0.5, high as f64 + 0.5),
    }
}

/// How much each parameter matters, the most first; see [`Study::importance`].
pub fn importances(study: &Study) -> Figure {
    let mut shares = study.importance();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    let what = format!("share of what moves the {}", study.objective());
    plot::bars("Importance of the parameters", &what, &shares)
}

/// The reports of every trial against its steps.
pub fn intermediate(study: &Study, step: &str) -> Figure {
    let best = study.best().map(|trial| trial.number);
    let lines = |state: State, best_one: bool| {
        let (mut xs, mut ys) = (Vec::new(), Vec::new());
        let trials = of_state(study, state);
        for trial in trials.filter(|trial| (Some(trial.number) == best) == best_one) {
            for (step, value) in trial.steps.iter().enumerate() {
                xs.push(step as f64 + 1.0);
                ys.push(value.unwrap_or(f64::NAN));
            }
            // A gap between one trial and the next.
            xs.push(f64::NAN);
            ys.push(f64::NAN);
        }
        (xs, ys)
    };
    let mut chart = plot::lines("What the trials reported", step, study.objective());
    for (name, (xs, ys)) in [
        ("trained to the end", lines(State::Complete, false)),
        ("given up", lines(State::Pruned, false)),
        ("best", lines(State::Complete, true)),
    ] {
        if !xs.is_empty() {
            chart = chart.line(name, &xs, &ys);
        }
    }
    chart.build()
}

fn of_state(study: &Study, state: State) -> impl Iterator<Item = &super::Trial> {
    let trials = study.trials().iter();
    trials.filter(move |trial| trial.state == state)
}
