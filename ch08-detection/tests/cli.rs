//! The program as a user runs it: every experiment at `smoke`, `segment` and `detect`.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use std::process::Output;

use cli_setup::{assert_complete, path, run_offline, text};
use image::{Rgb, RgbImage};

fn run(arguments: &[&str]) -> Output {
    run_offline(env!("CARGO_BIN_EXE_ch08-detection"), arguments)
}

#[test]
fn every_experiment_runs_and_its_model_segments() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let done = run(&["run", "--all", "--preset", "smoke", "--out", path(&out)]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    for (id, figures, models) in [
        ("8.1", 4, 1),
        ("8.2", 3, 2),
        ("8.3", 4, 3),
        ("8.4", 1, 0),
        ("8.5", 2, 1),
        ("8.6", 1, 1),
        ("8.7", 1, 0),
    ] {
        let folder = out.join("ch08").join(id).join("smoke");
        assert_complete(&folder, id, figures, models);
    }
    let said = text(&done.stdout);
    for name in ["plain CNN", "transposed CNN", "U-Net", "Faster R-CNN"] {
        let line = format!("\n{name}  epoch 1/1");
        assert_eq!(said.matches(&line).count(), 1, "{said}");
    }

    let picture = folder.path().join("cells.png");
    let waves = RgbImage::from_fn(53, 38, |x, y| Rgb([(x * 4) as u8, (y * 6) as u8, 30]));
    waves.save(&picture).unwrap();
    let model = out.join("ch08/8.3/smoke/models/u-net-last.bpk");
    let to = folder.path().join("found");
    let arguments = [
        "segment",
        path(&picture),
        "--model",
        path(&model),
        "--to",
        path(&to),
    ];
    let done = run(&arguments);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("53x38 pixels"));
    for name in ["cells-mask.png", "cells-overlay.png"] {
        let drawn = image::open(to.join(name)).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (53, 38), "{name}");
    }

    let other = out.join("ch08/8.3/smoke/models/plain-cnn-last.bpk");
    let refused = run(&["segment", path(&picture), "--model", path(&other)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("can't be read as this model"));
}

#[test]
fn what_is_no_picture_or_no_weights_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], why: &str| {
        let done = run(arguments);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(why) && !said.contains("panicked"), "{said}");
    };
    let words = folder.path().join("words.png");
    std::fs::write(&words, "no picture").unwrap();
    refused(&["segment", path(&words)], "not a picture");
    refused(&["detect", path(&words)], "not a picture");
    let photo = folder.path().join("photo.png");
    RgbImage::new(8, 8).save(&photo).unwrap();
    let absent = folder.path().join("absent.pth");
    refused(
        &["detect", path(&photo), "--weights", path(&absent)],
        "absent.pth",
    );
    refused(
        &["detect", path(&photo), "--weights", path(&words)],
        "download.pytorch.org/models/fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
    );
}
