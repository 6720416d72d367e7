//! Checkpoints: a resumed run equals one that was never stopped, and damaged or foreign checkpoints are told, not trusted.

mod train_setup;

use std::path::Path;
use std::sync::Arc;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Tensor;
use common::data::Points;
use common::train::{
    Classifier, Fitted, Network, Observed, Optimizer, Recipe, Schedule, Score, fit, fit_observed,
};
use common::{Error, Result};
use train_setup::{
    Model, alone, bits, classifier, files, moons, numbers, recipe, session, weights,
};

const EPOCHS: usize = 4;

/// Trains "net" in `folder`, with `resume` from what is there.
fn train(folder: &Path, recipe: &Recipe, resume: bool) -> Result<Fitted<Model>> {
    let (train, test) = moons();
    train_on(folder, recipe, resume, &train, &test)
}

fn train_on(
    folder: &Path,
    recipe: &Recipe,
    resume: bool,
    train: &Arc<Points>,
    test: &Arc<Points>,
) -> Result<Fitted<Model>> {
    let mut session = session(Some(folder));
    session.resume = resume;
    let model = classifier(&session.device);
    fit(
        &session,
        "net",
        model,
        train,
        &[("test", test.clone())],
        recipe,
    )
}

fn checkpoints(folder: &Path) -> std::path::PathBuf {
    folder.join("checkpoints/net")
}

fn assert_same(what: &str, found: &Fitted<Model>, want: &Fitted<Model>) {
    assert_eq!(numbers(&found.history), numbers(&want.history), "{what}");
    assert_eq!(bits(&found.model), bits(&want.model), "{what}");
    let time = found.history.column("total time");
    assert!(
        time.windows(2).all(|pair| pair[0] < pair[1]),
        "{what}: {time:?}"
    );
}

#[test]
fn a_resumed_run_equals_a_straight_one_bit_by_bit() {
    let _alone = alone();
    let every_score = [Score::Accuracy, Score::F1, Score::Auc];
    let cosine = Schedule::Cosine {
        epochs: EPOCHS,
        min: 1e-4,
    };
    let recipes = [
        recipe(EPOCHS)
            .with_schedule(cosine)
            .with_scores(&every_score),
        recipe(EPOCHS)
            .with_optimizer(Optimizer::nesterov(0.9))
            .with_schedule(Schedule::Exponential { gamma: 0.5 }),
        recipe(EPOCHS)
            .with_optimizer(Optimizer::adam())
            .with_schedule(Schedule::Step {
                every: 2,
                gamma: 0.1,
            }),
        Recipe::sgd(0.1, 1, EPOCHS),
    ];
    for recipe in recipes {
        let straight = tempfile::tempdir().unwrap();
        let straight = train(straight.path(), &recipe, false).unwrap();
        for stop in 1..EPOCHS {
            let folder = tempfile::tempdir().unwrap();
            let part = Recipe {
                epochs: stop,
                ..recipe.clone()
            };
            train(folder.path(), &part, false).unwrap();
            let resumed = train(folder.path(), &recipe, true).unwrap();
            let what = format!("{:?} stopped after {stop}", recipe.optimizer);
            assert_same(&what, &resumed, &straight);
        }
    }
}

#[test]
fn a_kill_between_any_two_writes_of_a_checkpoint_loses_nothing_but_time() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let straight = train(folder.path(), &recipe(EPOCHS), false).unwrap();
    // Written in this order: state.json, model, optim, scheduler; a kill leaves the first of them.
    let order = ["model-3.bpk", "optim-3.bpk", "scheduler-3.bpk"];
    for missing in 0..=order.len() {
        let folder = tempfile::tempdir().unwrap();
        train(folder.path(), &recipe(3), false).unwrap();
        let checkpoints = checkpoints(folder.path());
        for name in &order[missing..] {
            std::fs::remove_file(checkpoints.join(name)).unwrap();
        }
        std::fs::write(checkpoints.join(".part-x1y2z3"), b"half").unwrap();
        let resumed = train(folder.path(), &recipe(EPOCHS), true).unwrap();
        assert_same(
            &format!("without {:?}", &order[missing..]),
            &resumed,
            &straight,
        );
    }
    // Killed in the first epoch, or after its state.json: there is nothing to resume, so it starts from the beginning.
    let folder = tempfile::tempdir().unwrap();
    let from_nothing = train(folder.path(), &recipe(EPOCHS), true).unwrap();
    assert_same("nothing", &from_nothing, &straight);
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &recipe(1), false).unwrap();
    for kind in ["model", "optim", "scheduler"] {
        std::fs::remove_file(checkpoints(folder.path()).join(format!("{kind}-1.bpk"))).unwrap();
    }
    let from_first = train(folder.path(), &recipe(EPOCHS), true).unwrap();
    assert_same("state.json alone", &from_first, &straight);
}

#[test]
fn observed_numbers_stand_in_the_history_and_survive_a_resume() {
    let _alone = alone();
    let (points, test) = moons();
    let length = |model: &Model| {
        let squares = weights(model).into_iter().map(|w| f64::from(w).powi(2));
        vec![squares.sum::<f64>()]
    };
    let train = |folder: &Path, epochs: usize, resume: bool| {
        let mut session = session(Some(folder));
        session.resume = resume;
        let observed = Observed {
            names: vec!["length".to_string()],
            values: Box::new(length),
        };
        let model = classifier(&session.device);
        let test = [("test", test.clone())];
        fit_observed(
            &session,
            "mlp",
            model,
            &points,
            &test,
            &recipe(epochs),
            observed,
        )
    };
    let straight = tempfile::tempdir().unwrap();
    let straight = train(straight.path(), EPOCHS, false).unwrap();
    let lengths = straight.history.column("model length");
    assert_eq!(lengths.len(), EPOCHS);
    assert_eq!(lengths.last(), length(&straight.model).first());
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), 2, false).unwrap();
    let resumed = train(folder.path(), EPOCHS, true).unwrap();
    assert_same("observed", &resumed, &straight);
}

#[test]
fn early_stopping_and_resume_go_together() {
    let _alone = alone();
    let (train, _) = moons();
    // The labels exchanged: the better the network, the worse its test loss.
    let mut wrong = (*train).clone();
    wrong
        .labels
        .iter_mut()
        .for_each(|label| *label = 1 - *label);
    let test = Arc::new(wrong);
    let recipe = recipe(20).with_patience(3);
    let folder = tempfile::tempdir().unwrap();
    let straight = train_on(folder.path(), &recipe, false, &train, &test).unwrap();
    assert!(straight.stopped_early);
    let last = straight.history.epochs();

    // A run that has ended stays as it is.
    let again = train_on(folder.path(), &recipe, true, &train, &test).unwrap();
    assert!(again.stopped_early);
    assert_same("resumed after its end", &again, &straight);

    // Killed after the state.json of the last epoch and before its records.
    for kind in ["model", "optim", "scheduler"] {
        let record = checkpoints(folder.path()).join(format!("{kind}-{last}.bpk"));
        std::fs::remove_file(record).unwrap();
    }
    let resumed = train_on(folder.path(), &recipe, true, &train, &test).unwrap();
    assert_same("killed while it stopped", &resumed, &straight);
    assert!(resumed.stopped_early);
}

#[test]
fn a_finished_run_is_not_trained_again() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let first = train(folder.path(), &recipe(2), false).unwrap();
    let again = train(folder.path(), &recipe(2), true).unwrap();
    assert_eq!(
        again.history, first.history,
        "even the times are the first run's"
    );
    assert_eq!(bits(&again.model), bits(&first.model));
}

#[test]
fn another_recipe_cant_go_on_with_a_checkpoint() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &recipe(2), false).unwrap();
    let before = contents(folder.path());
    let good = recipe(EPOCHS);
    let others = [
        (
            "lr was 0.02 and is now 0.5",
            Recipe {
                lr: 0.5,
                ..good.clone()
            },
        ),
        (
            "batch size was 16 and is now 8",
            Recipe {
                batch_size: 8,
                ..good.clone()
            },
        ),
        ("optimizer", good.clone().with_optimizer(Optimizer::sgd())),
        ("scores", good.with_scores(&[Score::F1])),
    ];
    for (difference, recipe) in others {
        let error = train(folder.path(), &recipe, true).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(matches!(error, Error::Usage(_)), "{error}");
        assert!(error.to_string().contains(difference), "{error}");
        assert_eq!(contents(folder.path()), before, "a file was changed");
    }
}

/// A recipe whose schedule has a state, so that each of the records holds something.
fn decaying(epochs: usize) -> Recipe {
    recipe(epochs).with_schedule(Schedule::Exponential { gamma: 0.5 })
}

const FILES: [&str; 4] = [
    "state.json",
    "model-2.bpk",
    "optim-2.bpk",
    "scheduler-2.bpk",
];

#[test]
fn a_damaged_checkpoint_is_a_data_error_and_stays_as_it_is() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &decaying(2), false).unwrap();
    let refused = |name: &str, what: &str, bytes: &[u8]| {
        let file = checkpoints(folder.path()).join(name);
        let good = std::fs::read(&file).unwrap();
        std::fs::write(&file, bytes).unwrap();
        let before = contents(folder.path());
        match train(folder.path(), &decaying(EPOCHS), true) {
            Err(error) => {
                assert_eq!(error.exit_code(), 2, "{name}, {what}: {error}");
                assert!(error.to_string().contains(name), "{name}, {what}: {error}");
            }
            Ok(_) => panic!("{name}, {what}: was resumed"),
        }
        let after = contents(folder.path());
        assert_eq!(after, before, "{name}, {what}: a file was changed");
        std::fs::write(&file, good).unwrap();
    };
    for name in FILES {
        let good = std::fs::read(checkpoints(folder.path()).join(name)).unwrap();
        // The schedule's record is short; the rest of its file is padding.
        let lengths = match name {
            "scheduler-2.bpk" => vec![0, 1, 10, 40],
            _ => vec![0, 1, 10, good.len() / 2, good.len() - 1],
        };
        for length in lengths {
            let what = format!("{length} bytes of {}", good.len());
            refused(name, &what, &good[..length]);
        }
        refused(name, "zeros", &[0; 4096]);
        refused(name, "text", b"\"text\"");
    }
    refused("state.json", "an empty object", b"{}");
    // What is whole again goes on.
    train(folder.path(), &decaying(EPOCHS), true).unwrap();
}

#[test]
fn a_changed_byte_never_brings_the_program_down() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &decaying(2), false).unwrap();
    let good = contents(folder.path());
    let mut refused = 0;
    for name in FILES {
        let file = checkpoints(folder.path()).join(name);
        let whole = std::fs::read(&file).unwrap();
        for i in (0..whole.len()).step_by(23) {
            let mut bytes = whole.clone();
            bytes[i] ^= 0xff;
            std::fs::write(&file, bytes).unwrap();
            // Unseen in the middle of a weight, told elsewhere; a weight may also become one that gives no number.
            if let Err(error) = train(folder.path(), &decaying(3), true) {
                let told = error.to_string();
                let known = error.exit_code() == 2 || told.contains("the loss became");
                assert!(known, "{name}, byte {i}: {told}");
                refused += 1;
            }
            let _ = std::fs::remove_dir_all(folder.path().join("checkpoints"));
            for (path, bytes) in &good {
                common::files::write_atomic(path, bytes).unwrap();
            }
        }
    }
    assert!(refused > 10, "{refused}");
}

#[test]
fn a_results_table_that_is_not_one_is_a_data_error() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &recipe(2), false).unwrap();
    let file = checkpoints(folder.path()).join("state.json");
    let mut state: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let row = state["history"]["rows"][0].as_array_mut().unwrap();
    row.pop(); // a value short
    std::fs::write(&file, state.to_string()).unwrap();
    let error = train(folder.path(), &recipe(EPOCHS), true).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    assert!(error.to_string().contains("state.json"), "{error}");
}

#[test]
fn a_record_of_another_kind_is_a_data_error() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &recipe(2), false).unwrap();
    let record = |kind: &str| checkpoints(folder.path()).join(format!("{kind}-2.bpk"));
    std::fs::copy(record("optim"), record("model")).unwrap();
    match train(folder.path(), &recipe(EPOCHS), true) {
        Err(error) => assert_eq!(error.exit_code(), 2, "{error}"),
        Ok(_) => panic!("was resumed"),
    }
}

/// As many parameters as [`train_setup::Mlp`], under other names.
#[derive(Module, Debug)]
struct Other {
    first: Linear,
    second: Linear,
}

impl Network for Other {
    type Input = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.second.forward(self.first.forward(x))
    }
}

#[test]
fn a_checkpoint_of_another_network_of_the_same_size_is_a_data_error() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &recipe(2), false).unwrap();
    let (train, test) = moons();
    let mut session = session(Some(folder.path()));
    session.resume = true;
    let model = Classifier::new(Other {
        first: LinearConfig::new(2, 8).init(&session.device),
        second: LinearConfig::new(8, 2).init(&session.device),
    });
    match fit(
        &session,
        "net",
        model,
        &train,
        &[("test", test)],
        &recipe(EPOCHS),
    ) {
        Err(error) => assert_eq!(error.exit_code(), 2, "{error}"),
        Ok(_) => panic!("was resumed"),
    }
}

#[test]
fn a_folder_that_cant_be_made_is_an_error() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"x").unwrap();
    let error = train(&file, &recipe(1), false).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    assert!(error.to_string().contains("file"), "{error}");
    assert_eq!(files(folder.path()), [file]);
}

/// Name and bytes of all files below a folder.
fn contents(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let read = |path: std::path::PathBuf| {
        let bytes = std::fs::read(&path).unwrap();
        (path, bytes)
    };
    files(folder).into_iter().map(read).collect()
}
