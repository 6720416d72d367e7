//! 3.6 and 3.7: training images that look a little different each time.

use std::sync::Arc;

use common::Result;
use common::data::augment::{self, Affine};
use common::data::{Augmented, Transform};
use common::experiment::Run;
use common::plot::{Picture, image_grid};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::images::grey;
use super::{POOLED, draw_accuracy, mnist, pooled_cnn, recipe};

/// Side of the random crop.
const CROP: usize = 20;

/// What 3.7 does to a training image: up to 5 degrees, 5 % of the side, 2 % of the size.
const SMALL: Affine = Affine {
    degrees: 5.0,
    translate: 0.05,
    scale: (0.98, 1.02),
    shear: 0.0,
};

/// 3.6
pub(super) fn gallery(run: &mut Run) -> Result<()> {
    let digits = run.mnist(100, 1)?.train;
    let (digit, h, w) = grey(&digits, 0);
    let mut rng = ChaCha8Rng::seed_from_u64(run.seed());
    let mut affine = |affine: Affine| {
        let mut out = vec![0.0; digit.len()];
        affine.apply(&digit, &mut out, h, w, &mut rng);
        Picture::grey(h, w, &out)
    };
    let rotation = affine(Affine {
        degrees: 45.0,
        ..Affine::default()
    });
    let translation = affine(Affine {
        translate: 0.1,
        ..Affine::default()
    });
    let shear = affine(Affine {
        shear: 45.0,
        ..Affine::default()
    });
    let crop = augment::random_crop(&digit, h, w, CROP, CROP, &mut rng);
    let horizontal = augment::flip_horizontal(&digit, w);
    let vertical = augment::flip_vertical(&digit, w);
    let perspective = augment::random_perspective(&digit, h, w, 0.5, &mut rng);
    let jitter = augment::jitter(&digit, 0.9, &mut rng);
    let grid = image_grid("One digit, changed in eight ways")
        .columns(4)
        .image(rotation, "rotation, up to 45° either way")
        .image(translation, "translation, up to 10 %")
        .image(shear, "shear, up to 45° either way")
        .image(
            Picture::grey(CROP.min(h), CROP.min(w), &crop),
            "a crop of 20x20",
        )
        .image(Picture::grey(h, w, &horizontal), "horizontal flip")
        .image(Picture::grey(h, w, &vertical), "vertical flip")
        .image(Picture::grey(h, w, &perspective), "perspective")
        .image(Picture::grey(h, w, &jitter), "brightness and contrast, 0.9")
        .build();
    run.figure(
        "augmentations",
        "Flips are fine for cats and wrong for digits: choose changes after which the label still holds.",
        &grid,
    )?;
    let changed = [&horizontal, &vertical, &perspective, &jitter];
    run.claim(
        "every change alters the picture and keeps its values in [0, 1]",
        changed.iter().all(|image| **image != digit)
            && changed
                .iter()
                .copied()
                .flatten()
                .all(|v| (0.0..=1.0).contains(v)),
        "compared pixel by pixel with the original",
    );
    run.claim(
        "a flip undoes itself",
        augment::flip_horizontal(&horizontal, w) == digit
            && augment::flip_vertical(&vertical, w) == digit,
        "flipped twice, the digit is back",
    );
    Ok(())
}

/// 3.7
pub(super) fn training(run: &mut Run) -> Result<()> {
    let data = mnist(run)?;
    let recipe = recipe(run, data.train.len());
    let model = pooled_cnn(run.device());
    let plain = run.fit(POOLED, model, &data, &recipe)?;
    let small: Transform = Arc::new(|image, out, height, width, rng| {
        let image: Vec<f32> = image.iter().map(|byte| f32::from(*byte) / 255.0).collect();
        SMALL.apply(&image, out, height, width, rng);
    });
    let train = Arc::new(Augmented::new(data.train.clone(), small));
    let test = Arc::new(data.test.clone());
    let model = pooled_cnn(run.device());
    let name = "pooled CNN + augmentation";
    let augmented = run.fit_on(name, model, &train, &[("test", test)], &recipe)?;
    draw_accuracy(
        run,
        "Pooled CNN with and without augmentation",
        "Test accuracy against epoch.",
        &[(POOLED, &plain.history), (name, &augmented.history)],
    )?;
    let last = |history: &common::train::History, column: &str| history.last(column);
    let (without, with) = (
        last(&plain.history, "test accuracy"),
        last(&augmented.history, "test accuracy"),
    );
    run.metric_beside("test accuracy, with augmentation", with, 0.96);
    run.metric_beside("test accuracy, without", without, 0.958);
    run.metric(
        "train accuracy, with augmentation",
        last(&augmented.history, "train accuracy"),
    );
    run.metric(
        "train accuracy, without",
        last(&plain.history, "train accuracy"),
    );
    run.claim(
        "augmentation ends on par or better",
        with > without - 0.01,
        format!("test accuracy {with:.4} against {without:.4}"),
    );
    run.claim(
        "training is harder with it",
        last(&augmented.history, "train accuracy") < last(&plain.history, "train accuracy"),
        format!(
            "train accuracy {:.4} against {:.4}",
            last(&augmented.history, "train accuracy"),
            last(&plain.history, "train accuracy")
        ),
    );
    run.claim_near("test accuracy with augmentation", with, 0.96, 0.01);
    Ok(())
}
