//! The program as a user runs it: every experiment at `smoke`, and `classify`.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use std::path::Path;
use std::process::Output;

use cli_setup::{assert_complete, parameters, path, run_offline, text};
use image::{GrayImage, Luma};

fn run(arguments: &[&str]) -> Output {
    run_offline(env!("CARGO_BIN_EXE_ch03-cnn"), arguments)
}

/// A bold vertical stroke, dark on light, not centred: a one.
fn draw_one(file: &Path) {
    let picture = GrayImage::from_fn(90, 120, |x, y| {
        let inked = (30..42).contains(&x) && (20..95).contains(&y);
        Luma([if inked { 30 } else { 235 }])
    });
    picture.save(file).unwrap();
}

#[test]
fn every_experiment_runs_and_its_model_classifies() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let done = run(&["run", "--all", "--preset", "smoke", "--out", path(&out)]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let folder_of = |id: &str| out.join("ch03").join(id).join("smoke");
    for (id, figures, models) in [
        ("3.1", 1, 0),
        ("3.2", 1, 0),
        ("3.3", 1, 2),
        ("3.4", 1, 1),
        ("3.5", 2, 2),
        ("3.6", 1, 0),
        ("3.7", 1, 2),
    ] {
        assert_complete(&folder_of(id), id, figures, models);
    }
    assert_eq!(parameters(&folder_of("3.3")), [125_610, 203_530]);
    assert_eq!(parameters(&folder_of("3.7")), [43_626, 43_626]);

    let models = out.join("ch03/3.5/smoke/models");
    let picture = folder.path().join("one.png");
    draw_one(&picture);
    let model = models.join("pooled-cnn-last.bpk");
    let done = run(&["classify", path(&picture), "--model", path(&model)]);
    let said = text(&done.stdout);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(
        said.contains("90x120 pixels, dark ink on a light ground, inverted"),
        "{said}"
    );
    assert_eq!(said.matches(" %").count(), 3, "{said}");

    let other = models.join("cnn-last.bpk");
    let refused = run(&["classify", path(&picture), "--model", path(&other)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("can't be read as this model"));
}

#[test]
fn what_is_no_picture_or_no_model_is_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let refused = |picture: &Path, model: Option<&Path>, why: &str| {
        let mut arguments = vec!["classify", path(picture), "--out", path(&out)];
        if let Some(model) = model {
            arguments.extend(["--model", path(model)]);
        }
        let done = run(&arguments);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(why) && !said.contains("panicked"), "{said}");
        assert!(!out.exists(), "nothing was trained");
    };
    let words = folder.path().join("words.png");
    std::fs::write(&words, "no picture").unwrap();
    refused(&words, None, "not a picture");
    let blank = folder.path().join("blank.png");
    GrayImage::from_pixel(40, 40, Luma([200]))
        .save(&blank)
        .unwrap();
    refused(&blank, None, "blank");
    refused(&folder.path().join("absent.png"), None, "absent.png");
    let picture = folder.path().join("one.png");
    draw_one(&picture);
    refused(&picture, Some(&words), "words.png");
    refused(
        &picture,
        Some(&folder.path().join("absent.bpk")),
        "absent.bpk",
    );
}
