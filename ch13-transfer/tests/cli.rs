//! The program as a user runs it: every experiment at `smoke`, and the saved classifiers.

#[path = "../../common/tests/cli_setup/mod.rs"]
mod cli_setup;

use cli_setup::{assert_complete, parameters, path, run_offline, text};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ch13-transfer");

#[test]
fn experiments_with_photos_run_and_a_classifier_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let ids = ["13.1", "13.2", "13.3", "13.4", "13.5"];
    let mut arguments = vec!["run"];
    arguments.extend(ids);
    arguments.extend(["--preset", "smoke", "--out", path(&out)]);
    let done = run_offline(PROGRAM, &arguments);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let run = |id: &str| out.join("ch13").join(id).join("smoke");
    for (id, figures, models) in [
        ("13.1", 2, 1),
        ("13.2", 3, 3),
        ("13.3", 1, 3),
        ("13.4", 1, 4),
        ("13.5", 1, 7),
    ] {
        assert_complete(&run(id), id, figures, models);
    }
    assert_eq!(parameters(&run("13.1")), [11_177_538]);
    assert_eq!(parameters(&run("13.4"))[3], 64 * 2 + 2);
    let said = text(&done.stdout);
    for model in ["scratch", "pretrained on CIFAR-10", "warm start"] {
        let trained = format!("\n{model}  epoch 1/");
        assert_eq!(said.matches(&trained).count(), 1, "{model}: {said}");
    }

    let photo = folder.path().join("photo.png");
    image::RgbImage::from_pixel(150, 140, image::Rgb([200, 90, 30]))
        .save(&photo)
        .unwrap();
    let model = run("13.4").join("models/photo-classifier.bpk");
    let done = run_offline(
        PROGRAM,
        &["classify", path(&photo), "--model", path(&model)],
    );
    assert!(done.status.success(), "{}", text(&done.stderr));
    let said = text(&done.stdout);
    assert!(
        said.contains("ResNet-20") && said.contains("Cat") && said.contains("Dog"),
        "{said}"
    );
    let beside = model.with_file_name("photo-classifier.txt");
    std::fs::write(beside, "LeNet").unwrap();
    let done = run_offline(
        PROGRAM,
        &["classify", path(&photo), "--model", path(&model)],
    );
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("LeNet"));
}

#[test]
fn experiments_with_news_run_and_a_classifier_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    let out_flag = ["--preset", "smoke", "--out", path(&out)];
    let done = run_offline(PROGRAM, &[&["run", "13.6", "13.7"][..], &out_flag].concat());
    assert!(done.status.success(), "{}", text(&done.stderr));
    for id in ["13.6", "13.7"] {
        let summary = cli_setup::summary(&out.join("ch13").join(id).join("smoke"));
        assert_eq!(summary["id"], id);
        for list in ["figures", "models", "claims", "metrics"] {
            assert!(
                !summary[list].as_array().unwrap().is_empty(),
                "{list} of {id}"
            );
        }
    }
    let news = "Stocks fall as oil rises";
    let model = out.join("ch13/13.7/smoke/models/frozen-encoder-last.bpk");
    let done = run_offline(PROGRAM, &["classify-text", news, "--model", path(&model)]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let said = text(&done.stdout);
    assert!(said.contains(news) && said.contains("business"), "{said}");
}
