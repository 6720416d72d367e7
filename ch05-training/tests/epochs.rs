//! The loop in the open computes what `common::train` computes, and a diverging trial is a bad trial and no error.

use std::sync::Arc;

use burn::tensor::Device;
use ch05_training::epochs::Epochs;
use ch05_training::networks::Mlp;
use common::data::Images;
use common::seed::mix;
use common::train::{Classifier, Clip, Display, Recipe, Schedule, Session, fit};

/// Images of two grey levels per class, with noise: learned in a few epochs.
fn images(n: usize, seed: u64) -> Images {
    let pixel = |i: usize, p: usize| {
        let noise = mix(seed, (i * 784 + p) as u64) % 64;
        let bright = (p / 79) == i % 10;
        (noise + if bright { 160 } else { 0 }) as u8
    };
    let pixels: Vec<u8> = (0..n * 784).map(|at| pixel(at / 784, at % 784)).collect();
    let labels = (0..n).map(|i| (i % 10) as u8).collect();
    let names = (0..10).map(|class| class.to_string()).collect();
    Images::new([1, 28, 28], pixels, labels, names).unwrap()
}

fn device() -> Device {
    common::device::open("flex").unwrap().device
}

#[test]
fn it_computes_what_train_network_computes_and_a_wild_rate_is_no_error() {
    let device = device();
    let (train, validation) = (images(200, 1), images(90, 2));
    let recipe = Recipe::adamw(32, 5)
        .with_clip(Clip::Value(0.05))
        .with_schedule(Schedule::Plateau {
            factor: 0.5,
            patience: 0,
            threshold: 0.5,
        });
    let session = Session {
        device: device.clone(),
        seed: 42,
        display: Display::Quiet,
        folders: None,
        resume: false,
        reuse: Vec::new(),
        context: serde_json::Value::Null,
    };
    let sets = (Arc::new(train.clone()), Arc::new(validation.clone()));
    let model = Classifier::new(Mlp::new(16, 2, &device));
    let fitted = fit(
        &session,
        "net",
        model,
        &sets.0,
        &[("test", sets.1)],
        &recipe,
    )
    .unwrap();

    // What `fit` seeds a model of this name with.
    let seed = "net"
        .bytes()
        .fold(42, |seed, byte| mix(seed, u64::from(byte)));
    let network = Mlp::new(16, 2, &device);
    let data = [train.clone(), validation.clone()];
    let mut epochs = Epochs::new(network, data, &recipe, seed, &device).unwrap();
    let history = &fitted.history;
    for epoch in 0..recipe.epochs {
        let found = epochs.next_epoch().unwrap();
        let want = |column: &str| history.column(column)[epoch];
        assert_eq!(found.train_loss, want("train loss"), "epoch {epoch}");
        assert_eq!(found.validation_loss, want("test loss"), "epoch {epoch}");
        let accuracy = want("test accuracy");
        assert_eq!(found.validation_accuracy, accuracy, "epoch {epoch}");
    }
    assert!(history.last("test accuracy") > 0.5, "nothing was learned");

    let wild = Recipe {
        lr: 1e30,
        ..Recipe::sgd(1.0, 32, 2)
    };
    let network = Mlp::new(16, 2, &device);
    let mut epochs = Epochs::new(network, [train, validation], &wild, 1, &device).unwrap();
    for _ in 0..2 {
        let found = epochs.next_epoch().unwrap();
        assert!((0.0..0.5).contains(&found.validation_accuracy), "{found:?}");
    }
}
