//! What `fit` promises: the same seed gives the same bits, a loss that is no number stops it, early stopping, reuse.

mod train_setup;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Tensor;
use common::Error;
use common::data::{Points, Regression, two_moons};
use common::nn::{BatchNorm, BatchNormConfig};
use common::train::{Classifier, Fitted, Network, Recipe, Regressor, Score, fit, load_model};
use train_setup::{
    Line, Model, alone, bits, classifier, files, moons, numbers, recipe, session, weights,
};

fn train(seed: u64, name: &str, recipe: &Recipe) -> Fitted<Model> {
    let (train, test) = moons();
    let session = common::train::Session {
        seed,
        ..session(None)
    };
    fit(
        &session,
        name,
        classifier(&session.device),
        &train,
        &[("test", test)],
        recipe,
    )
    .unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_does_not() {
    let _alone = alone();
    let recipe = recipe(3);
    let first = train(42, "net", &recipe);
    // What else drew random numbers in between must not matter.
    common::device::open("flex").unwrap().device.seed(7);
    let again = train(42, "net", &recipe);
    assert_eq!(numbers(&first.history), numbers(&again.history));
    assert_eq!(bits(&first.model), bits(&again.model));

    let other = train(43, "net", &recipe);
    assert_ne!(bits(&first.model), bits(&other.model));
    assert_ne!(numbers(&first.history), numbers(&other.history));
    // Two models of one run start from different weights.
    let named = train(42, "other net", &recipe);
    assert_ne!(bits(&first.model), bits(&named.model));
}

#[test]
fn the_history_has_the_books_columns() {
    let _alone = alone();
    let fitted = train(1, "net", &recipe(2));
    let columns = [
        "epoch",
        "total time",
        "train loss",
        "train accuracy",
        "test loss",
        "test accuracy",
    ];
    assert_eq!(fitted.history.columns(), columns);
    assert_eq!(fitted.history.column("epoch"), [0.0, 1.0]);
    let time = fitted.history.column("total time");
    assert!(0.0 < time[0] && time[0] < time[1], "{time:?}");
    assert_eq!(fitted.parameters, 2 * 8 + 8 + 8 * 2 + 2);
    let accuracy = fitted.history.last("test accuracy");
    assert!(accuracy > 0.7, "the network learns: {accuracy}");
}

/// y = 2x at x = -1 and 1: with a rate r each full step multiplies the error of the slope by 1 - 2r.
fn line_data() -> Arc<Regression> {
    Arc::new(Regression {
        inputs: vec![-1.0, 1.0],
        targets: vec![-2.0, 2.0],
        input_dim: 1,
        target_dim: 1,
    })
}

fn diverging() -> Recipe {
    // The loss grows by (1 - 2 lr)^2, about 4e12, in each epoch: it leaves f32 in the fourth or fifth.
    Recipe {
        shuffle: false,
        ..Recipe::sgd(1e6, 2, 20).with_scores(&[])
    }
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let session = session(Some(folder.path()));
    let data = line_data();
    let model = Regressor::new(Line::new(&session.device));
    let none: &[(&str, Arc<Regression>)] = &[];
    let error = fit(&session, "line", model, &data, none, &diverging()).unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, Error::Training(_)), "{told}");
    assert_eq!(error.exit_code(), 1);
    let named = told.contains("line") && (told.contains("inf") || told.contains("NaN"));
    assert!(named, "model and loss are named: {told}");
    assert!(told.contains("--lr"), "a remedy is named: {told}");

    // The checkpoint that the message speaks of is there and complete.
    let (_, epoch) = told.split_once("the checkpoint of epoch ").expect(&told);
    let epoch: usize = epoch.split_whitespace().next().unwrap().parse().unwrap();
    assert!((2..19).contains(&epoch), "{told}");
    let checkpoints = folder.path().join("checkpoints/line");
    for kind in ["model", "optim", "scheduler"] {
        let file = checkpoints.join(format!("{kind}-{epoch}.bpk"));
        assert!(file.is_file(), "{} is missing", file.display());
    }
    let kept = checkpoints.join(format!("model-{epoch}.bpk"));
    let kept = load_model(&kept, Regressor::new(Line::new(&session.device))).unwrap();
    assert!(weights(&kept).iter().all(|w| w.is_finite()));
}

#[test]
fn a_run_that_broke_down_leaves_no_model_of_broken_numbers() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let session = session(Some(folder.path()));
    let data = line_data();
    let fresh = || Regressor::new(Line::new(&session.device));
    let none: &[(&str, Arc<Regression>)] = &[];
    // Ten steps in an epoch: the weight has long been infinite when the loss is read.
    let data = Arc::new(Regression {
        inputs: data.inputs.repeat(5),
        targets: data.targets.repeat(5),
        ..(*data).clone()
    });
    let recipe = Recipe {
        batch_size: 1,
        lr: 1e20,
        ..diverging()
    };
    fit(&session, "line", fresh(), &data, none, &recipe).unwrap_err();
    for file in files(&folder.path().join("models")) {
        let model = load_model(&file, fresh()).unwrap();
        let weights = weights(&model);
        assert!(
            weights.iter().all(|w| w.is_finite()),
            "{} holds {weights:?}",
            file.display()
        );
    }
}

#[test]
fn what_cant_be_trained_is_a_usage_error_before_anything_is_written() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let session = session(Some(folder.path()));
    let (data, _) = moons();
    let good = recipe(1);
    let bad = [
        Recipe {
            epochs: 0,
            ..good.clone()
        },
        Recipe {
            batch_size: 0,
            ..good.clone()
        },
        Recipe {
            lr: f64::NAN,
            ..good.clone()
        },
        Recipe {
            lr: -0.1,
            ..good.clone()
        },
        Recipe {
            schedule: common::train::Schedule::Exponential { gamma: 2.0 },
            ..good.clone()
        },
    ];
    let none: &[(&str, Arc<Points>)] = &[];
    for recipe in bad {
        let model = classifier(&session.device);
        let error = fit(&session, "net", model, &data, none, &recipe).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{recipe:?}: {error}");
    }
    let empty = Arc::new(two_moons(0, 0.1, 1));
    let model = classifier(&session.device);
    let error = fit(&session, "net", model, &empty, none, &good).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    assert!(
        files(folder.path()).is_empty(),
        "{:?}",
        files(folder.path())
    );
}

#[test]
fn early_stopping_ends_after_the_patience_and_keeps_the_best_model() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let session = session(Some(folder.path()));
    let (train, _) = moons();
    // A test set with the labels exchanged: the better the network, the worse its test loss.
    let mut wrong = (*train).clone();
    wrong
        .labels
        .iter_mut()
        .for_each(|label| *label = 1 - *label);
    let test = Arc::new(wrong);
    let recipe = recipe(20).with_patience(3);
    let model = classifier(&session.device);
    let fitted = fit(&session, "net", model, &train, &[("test", test)], &recipe).unwrap();
    let losses = fitted.history.column("test loss");
    assert!(fitted.stopped_early);
    let best = fitted.history.argmin("test loss").unwrap();
    assert_eq!(losses.len(), best + 1 + 3, "{losses:?}");

    let models = folder.path().join("models");
    let last = load_model(&models.join("net-last.bpk"), classifier(&session.device)).unwrap();
    assert_eq!(bits(&last), bits(&fitted.model));
    let best = load_model(&models.join("net-best.bpk"), classifier(&session.device)).unwrap();
    assert_ne!(bits(&best), bits(&fitted.model));
}

#[test]
fn the_last_epoch_is_no_early_stop() {
    let _alone = alone();
    let fitted = train(1, "net", &recipe(3).with_patience(2));
    assert!(!fitted.stopped_early);
    assert_eq!(fitted.history.epochs(), 3);
}

#[test]
fn a_siblings_model_is_taken_over_only_if_it_was_trained_alike() {
    let _alone = alone();
    let (train, test) = moons();
    let sibling = tempfile::tempdir().unwrap();
    let evaluate = [("test", test)];
    let first = {
        let session = session(Some(sibling.path()));
        let model = classifier(&session.device);
        fit(&session, "net", model, &train, &evaluate, &recipe(2)).unwrap()
    };
    let run = |name: &str, recipe: &Recipe, context: serde_json::Value| {
        let folder = tempfile::tempdir().unwrap();
        let mut session = session(Some(folder.path()));
        session.reuse = vec![sibling.path().join("checkpoints")];
        session.context = context;
        let model = classifier(&session.device);
        let fitted = fit(&session, name, model, &train, &evaluate, recipe).unwrap();
        let last = folder
            .path()
            .join("models")
            .join(format!("{name}-last.bpk"));
        let last = load_model(&last, classifier(&session.device)).unwrap();
        assert_eq!(bits(&last), bits(&fitted.model));
        fitted
    };
    // Taken over: even the times are those of the sibling.
    let same = serde_json::Value::Null;
    let taken = run("net", &recipe(2), same.clone());
    assert_eq!(taken.history, first.history);
    assert_eq!(bits(&taken.model), bits(&first.model));
    // Trained anew: the times differ, and so does what was asked for.
    let time = |fitted: &Fitted<Model>| fitted.history.column("total time");
    let other_rate = Recipe {
        lr: 0.01,
        ..recipe(2)
    };
    for (name, recipe, context) in [
        ("other", recipe(2), same.clone()),
        ("net", other_rate, same.clone()),
        ("net", recipe(3), same.clone()),
        ("net", recipe(2).with_scores(&[Score::F1]), same),
        ("net", recipe(2), serde_json::json!("other data")),
    ] {
        let fitted = run(name, &recipe, context);
        assert_ne!(time(&fitted), time(&first), "{name} {recipe:?}");
        assert_eq!(fitted.history.epochs(), recipe.epochs);
    }
}

/// Batch norm, whose running statistics are shared by its clones, then a linear layer.
#[derive(Module, Debug)]
struct Normed {
    norm: BatchNorm,
    output: Linear,
}

impl Network for Normed {
    type Input = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.output.forward(self.norm.forward(x))
    }
}

#[test]
fn a_network_stays_as_it_is_when_a_copy_is_trained_taken_over_or_read_from_a_file() {
    let _alone = alone();
    let (train, test) = moons();
    let evaluate = [("test", test)];
    let sibling = tempfile::tempdir().unwrap();
    let mut session = session(Some(sibling.path()));
    let pretrained = Classifier::new(Normed {
        norm: BatchNormConfig::new(2).init(&session.device),
        output: LinearConfig::new(2, 2).init(&session.device),
    });
    let before = bits(&pretrained);
    let copy = || pretrained.clone();
    let trained = fit(&session, "net", copy(), &train, &evaluate, &recipe(2)).unwrap();
    assert_ne!(bits(&trained.model), before);
    assert_eq!(bits(&pretrained), before, "trained");

    let folder = tempfile::tempdir().unwrap();
    session.folders = train_setup::session(Some(folder.path())).folders;
    session.reuse = vec![sibling.path().join("checkpoints")];
    let taken = fit(&session, "net", copy(), &train, &evaluate, &recipe(2)).unwrap();
    assert_eq!(taken.history, trained.history);
    assert_eq!(bits(&taken.model), bits(&trained.model));
    assert_eq!(bits(&pretrained), before, "taken over");

    session.resume = true;
    fit(&session, "net", copy(), &train, &evaluate, &recipe(2)).unwrap();
    assert_eq!(bits(&pretrained), before, "resumed");

    let file = folder.path().join("models/net-last.bpk");
    let read = load_model(&file, copy()).unwrap();
    assert_eq!(bits(&read), bits(&trained.model));
    assert_eq!(bits(&pretrained), before, "read from a file");
}

#[test]
fn a_model_file_of_another_network_or_a_damaged_one_is_a_data_error() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let session = session(Some(folder.path()));
    let (train, test) = moons();
    let model = classifier(&session.device);
    fit(
        &session,
        "net",
        model,
        &train,
        &[("test", test)],
        &recipe(1),
    )
    .unwrap();
    let file = folder.path().join("models/net-last.bpk");
    let refused = |bytes: Option<&[u8]>, what: &str| {
        let damaged = folder.path().join("damaged.bpk");
        match bytes {
            Some(bytes) => std::fs::write(&damaged, bytes).unwrap(),
            None => std::fs::remove_file(&damaged).unwrap(),
        }
        match load_model(&damaged, classifier(&session.device)) {
            Err(error) => {
                assert_eq!(error.exit_code(), 2, "{what}: {error}");
                assert!(error.to_string().contains("damaged.bpk"), "{what}: {error}");
            }
            Ok(_) => panic!("{what}: was read"),
        }
    };
    let good = std::fs::read(&file).unwrap();
    for length in (0..good.len()).step_by(7) {
        refused(Some(&good[..length]), &format!("the first {length} bytes"));
    }
    // A changed byte may go unseen if it is one of a weight, but must not bring the program down.
    let mut seen = 0;
    for i in (0..good.len()).step_by(5) {
        let mut changed = good.clone();
        changed[i] ^= 0xff;
        let damaged = folder.path().join("changed.bpk");
        std::fs::write(&damaged, &changed).unwrap();
        if let Err(error) = load_model(&damaged, classifier(&session.device)) {
            assert_eq!(error.exit_code(), 2, "byte {i}: {error}");
            seen += 1;
        }
    }
    assert!(seen > 0);
    refused(Some(&[0; 4096]), "zeros");
    refused(Some(b"<!DOCTYPE html>"), "a page");
    refused(None, "no file");

    let other = Regressor::new(Line::new(&session.device));
    assert_ne!(Module::num_params(&other), 42);
    let error = load_model(&file, other).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("net-last.bpk"), "{error}");
}
