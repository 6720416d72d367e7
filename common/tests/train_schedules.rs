//! Every schedule gives PyTorch's rates over 50 epochs, and one that looks at a loss resumes as if never stopped.
//!
//! The rates are in `train_golden/schedules.json`, written by `train_golden/make_schedules.py`.

mod train_setup;

use std::path::Path;

use common::Result;
use common::train::{Fitted, Losses, Optimizer, Recipe, Schedule, fit};
use serde_json::Value;
use train_setup::{Model, alone, bits, classifier, moons, numbers, recipe, session};

fn list(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list of numbers");
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn rates_are_pytorchs() {
    let golden: Value =
        serde_json::from_slice(&std::fs::read("tests/train_golden/schedules.json").unwrap())
            .unwrap();
    let losses = list(&golden["losses"]);
    assert_eq!(losses.len(), 50);
    let cosine = |min: f64| Schedule::Cosine { epochs: 16, min };
    let schedules = [
        ("exponential", Schedule::decay_to(1e-4, 0.1, 50)),
        (
            "step",
            Schedule::Step {
                every: 12,
                gamma: 0.3,
            },
        ),
        ("cosine", cosine(1e-4)),
        ("cosine to 0", cosine(0.0)),
        ("plateau", Schedule::plateau(0.2, 10)),
        ("impatient plateau", Schedule::plateau(0.5, 0)),
        (
            "plateau, high threshold",
            Schedule::Plateau {
                factor: 0.1,
                patience: 2,
                threshold: 0.05,
            },
        ),
    ];
    for (name, schedule) in schedules {
        let want = list(&golden["rates"][name]);
        let at_once = schedule.rates(0.1, &losses).unwrap();
        let seen = Losses::default();
        let mut scheduler = schedule.init_with(0.1, &seen).unwrap();
        for (t, want) in want.iter().enumerate() {
            seen.set(losses[..t].to_vec());
            let rate = scheduler.step().base();
            assert!(
                (rate - want).abs() <= 1e-5 * want + 1e-12,
                "{name}, epoch {t}: {rate} is not {want}"
            );
            assert_eq!(rate, at_once[t], "{name}, epoch {t}");
        }
    }
    assert_eq!(golden["rates"].as_object().unwrap().len(), 7);
}

const EPOCHS: usize = 8;

/// So impatient that the rate drops within a few epochs.
fn plateau(epochs: usize) -> Recipe {
    let schedule = Schedule::Plateau {
        factor: 0.5,
        patience: 0,
        threshold: 0.1,
    };
    recipe(epochs)
        .with_optimizer(Optimizer::sgd())
        .with_schedule(schedule)
}

fn train(folder: &Path, recipe: &Recipe, resume: bool) -> Result<Fitted<Model>> {
    let (train, test) = moons();
    let mut session = session(Some(folder));
    session.resume = resume;
    let model = classifier(&session.device);
    fit(&session, "net", model, &train, &[("test", test)], recipe)
}

#[test]
fn a_plateau_schedule_resumes_as_if_never_stopped() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let straight = train(folder.path(), &plateau(EPOCHS), false).unwrap();
    let losses = straight.history.column("test loss");
    let rates = plateau(EPOCHS).schedule.rates(0.02, &losses).unwrap();
    assert!(rates[EPOCHS - 1] < rates[0], "the rate never dropped");

    // The rate matters: without drops the same training ends elsewhere.
    let constant = plateau(EPOCHS).with_schedule(Schedule::Constant);
    let folder = tempfile::tempdir().unwrap();
    let constant = train(folder.path(), &constant, false).unwrap();
    assert_ne!(bits(&constant.model), bits(&straight.model));

    for stop in 1..EPOCHS {
        let folder = tempfile::tempdir().unwrap();
        train(folder.path(), &plateau(stop), false).unwrap();
        let resumed = train(folder.path(), &plateau(EPOCHS), true).unwrap();
        assert_eq!(
            numbers(&resumed.history),
            numbers(&straight.history),
            "stopped after {stop}"
        );
        assert_eq!(bits(&resumed.model), bits(&straight.model), "{stop}");
    }
}

#[test]
fn a_plateau_schedule_without_a_loss_to_look_at_is_a_usage_error() {
    let (train, _) = moons();
    let session = session(None);
    let none: &[(&str, std::sync::Arc<common::data::Points>)] = &[];
    let model = classifier(&session.device);
    let error = fit(&session, "net", model, &train, none, &plateau(2)).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    assert!(error.to_string().contains("evaluation set"), "{error}");
    assert!(Schedule::plateau(0.2, 10).init(0.1).is_err());
}
