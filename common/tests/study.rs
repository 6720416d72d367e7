//! The search: the estimator beats chance, an interrupted study goes on as if it never was, bad files are told, bad trials given up.

use std::path::Path;

use common::study::{self, Direction, Outcome, Parameter, Pruner, Sampler, State, Study, Trial};
use common::{Error, Result};

fn space() -> Vec<Parameter> {
    vec![
        Parameter::uniform("x", -10.0, 10.0),
        Parameter::integer("n", 1, 100),
        Parameter::log_uniform("rate", 1e-6, 1.0),
    ]
}

/// A bowl over the three parameters, each range counting alike: 0 at x = 2, n = 40, rate = 1e-4.
fn bowl(trial: &Trial) -> f64 {
    let x = (trial.get("x") - 2.0) / 20.0;
    let n = (trial.get("n") - 40.0) / 100.0;
    let rate = (trial.get("rate").log10() + 4.0) / 6.0;
    x * x + n * n + rate * rate
}

fn minimize(seed: u64) -> Study {
    Study::new("bowl", Direction::Minimize, space(), seed).unwrap()
}

fn of_bowl(_: &Study, trial: &mut Trial) -> Result<Outcome> {
    Ok(Outcome::Complete(bowl(trial)))
}

fn lowest(sampler: Sampler, seed: u64, trials: usize) -> f64 {
    let mut study = minimize(seed).with_sampler(sampler);
    study.optimize(trials, of_bowl).unwrap();
    assert_eq!(study.trials().len(), trials);
    study.best().unwrap().value.unwrap()
}

#[test]
fn the_parzen_estimator_beats_random_search() {
    const SEEDS: u64 = 20;
    const TRIALS: usize = 60;
    let pairs: Vec<(f64, f64)> = (0..SEEDS)
        .map(|seed| {
            let tpe = lowest(Sampler::tpe(), seed, TRIALS);
            (tpe, lowest(Sampler::Random, seed, TRIALS))
        })
        .collect();
    let wins = pairs.iter().filter(|(tpe, random)| tpe < random).count();
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / SEEDS as f64;
    let (tpe, random) = (mean(|pair| pair.0), mean(|pair| pair.1));
    assert!(wins >= 15, "lower in {wins} of {SEEDS} seeds: {pairs:?}");
    assert!(tpe < random / 2.0, "mean {tpe} against {random}");
}

#[test]
fn the_first_ten_trials_are_random_and_each_range_is_kept() {
    let drawn = |sampler: Sampler, trials: usize| {
        let mut study = minimize(7).with_sampler(sampler);
        study.optimize(trials, of_bowl).unwrap();
        let parameters = study.trials().iter().map(|t| t.parameters.clone());
        parameters.collect::<Vec<_>>()
    };
    let (tpe, random) = (drawn(Sampler::tpe(), 200), drawn(Sampler::Random, 200));
    assert_eq!(tpe[..10], random[..10]);
    assert_ne!(tpe[10..], random[10..]);
    for parameters in tpe.iter().chain(&random) {
        assert!((-10.0..=10.0).contains(&parameters["x"]));
        assert!((1.0..=100.0).contains(&parameters["n"]) && parameters["n"].fract() == 0.0);
        assert!((1e-6..=1.0).contains(&parameters["rate"]));
    }
    // Half of the draws lie in the lower half of the range, in logarithms for the rate: 200 draws, three standard deviations.
    let below = |name: &str, middle: f64| random.iter().filter(|p| p[name] < middle).count();
    for count in [below("x", 0.0), below("n", 51.0), below("rate", 1e-3)] {
        assert!((79..=121).contains(&count), "{count} of 200");
    }
}

#[test]
fn another_seed_draws_other_trials() {
    let first = |seed| minimize(seed).ask().unwrap().parameters;
    assert_eq!(first(1), first(1));
    assert_ne!(first(1), first(2));
}

fn stored(path: &Path, resume: bool) -> Result<Study> {
    let context = serde_json::json!({"data": "bowl"});
    minimize(3).stored_at(path, resume, context)
}

/// A search with reports and pruning, so that the file has all kinds of trials.
fn searched(study: Study, trials: usize) -> Study {
    let mut study = study.with_pruner(Pruner::median());
    let result = study.optimize(trials, |study, trial| {
        let value = bowl(trial);
        for step in 0..3 {
            // A report that is no number, now and then.
            let report = if trial.number % 7 == 3 && step == 1 {
                f64::NAN
            } else {
                value + 1.0 / (1.0 + f64::from(step))
            };
            if study.report(trial, report) {
                return Ok(Outcome::Pruned);
            }
        }
        Ok(Outcome::Complete(value))
    });
    result.unwrap();
    study
}

#[test]
fn a_resumed_study_goes_on_as_if_never_interrupted() {
    const TRIALS: usize = 30;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/study.jsonl");
    // The pruner is part of what the file says, so it is set before the file is opened.
    let open = |resume| {
        let context = serde_json::json!({"data": "bowl"});
        let study = minimize(3).with_pruner(Pruner::median());
        study.stored_at(&file, resume, context).unwrap()
    };
    let straight = searched(open(false), TRIALS);
    let states = [State::Complete, State::Pruned].map(|state| straight.count(state));
    assert!(states[0] > 5 && states[1] > 3, "{states:?}");
    let whole = std::fs::read(&file).unwrap();

    for stop in [0, 1, 9, 10, 11, 29, 30] {
        searched(open(false), stop);
        // Killed in the middle of the next line.
        let mut bytes = std::fs::read(&file).unwrap();
        bytes.extend_from_slice(b"{\"number\":");
        std::fs::write(&file, &bytes).unwrap();
        let resumed = open(true);
        assert_eq!(resumed.trials().len(), stop);
        let resumed = searched(resumed, TRIALS);
        assert_eq!(resumed.trials(), straight.trials(), "stopped after {stop}");
        assert_eq!(std::fs::read(&file).unwrap(), whole, "stopped after {stop}");
    }
    assert_eq!(
        open(false).trials().len(),
        0,
        "without resume it starts anew"
    );
}

#[test]
fn a_file_of_another_study_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("study.jsonl");
    stored(&file, false).unwrap().optimize(3, of_bowl).unwrap();
    let before = std::fs::read(&file).unwrap();
    let none = serde_json::Value::Null;
    let context = serde_json::json!({"data": "bowl"});
    let others = [
        minimize(4).stored_at(&file, true, context.clone()),
        minimize(3).stored_at(&file, true, none),
        minimize(3)
            .with_sampler(Sampler::Random)
            .stored_at(&file, true, context.clone()),
        minimize(3)
            .with_pruner(Pruner::median())
            .stored_at(&file, true, context),
    ];
    for other in others {
        let error = other.unwrap_err();
        assert!(matches!(error, Error::Usage(_)), "{error}");
        assert!(error.to_string().contains("another study"), "{error}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_damaged_file_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("study.jsonl");
    stored(&file, false).unwrap().optimize(3, of_bowl).unwrap();
    let whole = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let (x, y) = (lines[1], lines[2]);
    let wrong = [
        (String::new(), 1),
        ("no JSON\n".to_string(), 1),
        (format!("{}\nno JSON\n", lines[0]), 2),
        (format!("{}\n{x}\n{x}\n", lines[0]), 3),
        (
            format!("{}\n{x}\n{}\n", lines[0], y.replace("complete", "running")),
            3,
        ),
        (
            format!("{}\n{x}\n{}\n", lines[0], y.replace("\"x\":", "\"z\":")),
            3,
        ),
        (
            format!("{}\n{}\n", lines[0], x.replace("\"n\":", "\"n\":1000")),
            2,
        ),
        (format!("{}\n\n{x}\n", lines[0]), 2),
    ];
    for (text, line) in wrong {
        std::fs::write(&file, &text).unwrap();
        let error = stored(&file, true).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        let told = error.to_string();
        assert!(told.contains(&format!("line {line}: damaged")), "{told}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
    std::fs::write(&file, [b'{', 0xff, b'\n']).unwrap();
    assert_eq!(stored(&file, true).unwrap_err().exit_code(), 2);
    // Any one byte: refused, or unseen in the middle of a number.
    let mut refused = 0;
    for i in 0..whole.len() {
        let mut bytes = whole.clone().into_bytes();
        bytes[i] ^= 0x15;
        std::fs::write(&file, &bytes).unwrap();
        match stored(&file, true) {
            Err(error) => {
                assert_eq!(error.exit_code(), 2, "byte {i}: {error}");
                refused += 1;
            }
            Ok(study) => assert!(study.trials().len() <= 3),
        }
    }
    assert!(refused > whole.len() / 2, "{refused} of {}", whole.len());
}

#[test]
fn an_objective_that_fails_leaves_what_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("study.jsonl");
    let mut study = stored(&file, false).unwrap();
    let error = study.optimize(9, |_, trial| match trial.number {
        4 => Err(Error::Interrupted("Ctrl-C".into())),
        _ => Ok(Outcome::Complete(bowl(trial))),
    });
    assert_eq!(error.unwrap_err().exit_code(), 130);
    assert_eq!(study.trials().len(), 4);
    assert_eq!(stored(&file, true).unwrap().trials(), study.trials());
}

#[test]
fn trials_may_be_told_in_any_order_and_what_is_no_number_is_never_the_best() {
    let mut study = minimize(1);
    let asked: Vec<Trial> = (0..3).map(|_| study.ask().unwrap()).collect();
    for (trial, value) in asked.into_iter().rev().zip([f64::NAN, 2.0, 1.0]) {
        study.tell(trial, Outcome::Complete(value)).unwrap();
    }
    let numbers: Vec<usize> = study.trials().iter().map(|trial| trial.number).collect();
    assert_eq!(numbers, [0, 1, 2]);
    assert_eq!(study.best().unwrap().value, Some(1.0));
    let mut hopeless = minimize(1);
    hopeless
        .optimize(12, |_, _| Ok(Outcome::Complete(f64::NAN)))
        .unwrap();
    assert!(hopeless.best().is_none());
}

#[test]
fn the_direction_decides_what_is_best() {
    for (direction, want) in [(Direction::Minimize, 0.0), (Direction::Maximize, 4.0)] {
        let mut study = Study::new("number", direction, space(), 1).unwrap();
        let number = |_: &Study, trial: &mut Trial| Ok(Outcome::Complete(trial.number as f64));
        study.optimize(5, number).unwrap();
        assert_eq!(study.best().unwrap().value, Some(want));
    }
}

#[test]
fn the_parameter_that_matters_has_the_greatest_importance() {
    let mut study = minimize(5).with_sampler(Sampler::Random);
    let only_rate = |_: &Study, trial: &mut Trial| {
        let rate = trial.get("rate").log10();
        Ok(Outcome::Complete(rate + 0.02 * trial.get("x")))
    };
    study.optimize(40, only_rate).unwrap();
    let importance = study.importance();
    let of = |name: &str| importance.iter().find(|(n, _)| n == name).unwrap().1;
    assert!(of("rate") > 0.6, "{importance:?}");
    let total: f64 = importance.iter().map(|(_, share)| share).sum();
    assert!((total - 1.0).abs() < 1e-12);
    let empty = minimize(5).importance();
    assert!(empty.iter().all(|(_, share)| *share == 0.0), "{empty:?}");
}

#[test]
fn a_space_that_cant_be_searched_is_refused() {
    let twice = vec![
        Parameter::uniform("x", 0.0, 1.0),
        Parameter::integer("x", 0, 1),
    ];
    let empty = vec![Parameter::uniform("x", 1.0, 1.0)];
    for space in [Vec::new(), twice, empty] {
        let error = Study::new("f", Direction::Minimize, space, 0).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
    }
}

#[test]
fn every_figure_of_every_study_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    for trials in [0, 1, 2, 25] {
        let study = searched(minimize(2), trials);
        let figures = [
            ("history", study::history(&study)),
            ("slice", study::slice(&study)),
            ("contour", study::contour(&study)),
            ("importance", study::importances(&study)),
            ("intermediate", study::intermediate(&study, "step")),
        ];
        for (name, figure) in figures {
            figure.save(folder.path(), name).unwrap();
            let png = folder.path().join(format!("{name}.png"));
            let picture = image::open(&png).unwrap().to_rgb8();
            let first = *picture.get_pixel(0, 0);
            assert!(picture.pixels().any(|pixel| *pixel != first), "{name}");
        }
    }
    let slice = std::fs::read_to_string(folder.path().join("slice.csv")).unwrap();
    assert_eq!(slice.matches("series,").count(), 3, "a table per parameter");
}
