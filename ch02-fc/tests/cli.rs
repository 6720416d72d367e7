//! The chapter's program from the outside: exit status, messages, and what a run leaves on disk.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder for `--out`, removed at the end of the test.
struct Out(tempfile::TempDir);

impl Out {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The folder of a run.
    fn run(&self, id: &str, name: &str) -> PathBuf {
        self.path().join("ch02").join(id).join(name)
    }

    /// The `summary.json` of a run.
    fn summary(&self, id: &str, name: &str) -> Value {
        let file = self.run(id, name).join("summary.json");
        let bytes = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        serde_json::from_slice(&bytes).unwrap()
    }
}

/// The program with `arguments` (separated by spaces) and `--out`.
fn command(out: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ch02-fc"));
    command
        .args(arguments.split_whitespace())
        .arg("--out")
        .arg(out)
        .env_remove("IDL_DATA");
    command
}

fn program(out: &Out, arguments: &str) -> Output {
    command(out.path(), arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs to its end with status 0 and gives what was printed.
fn succeeds(out: &Out, arguments: &str) -> String {
    let output = program(out, arguments);
    let told = format!("{arguments}\n{}{}", stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{told}");
    stdout(&output)
}

/// Is refused with status 2 before anything is written, and gives the message.
fn refused(out: &Out, arguments: &str) -> String {
    let output = program(out, arguments);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments}: {told}");
    assert!(!told.contains("panicked"), "{arguments}: {told}");
    assert!(
        files(out.path()).is_empty(),
        "{arguments} left {:?}",
        files(out.path())
    );
    told
}

/// All files below `folder`, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found.sort();
    found
}

/// The fields of a line of CSV; one with a comma in it is quoted.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for sign in line.chars() {
        match sign {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => fields.last_mut().unwrap().push(sign),
        }
    }
    fields
}

/// The rows of a run's `metrics.csv` without the times.
fn metrics(run: &Path) -> Vec<Vec<String>> {
    let path = run.join("metrics.csv");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rows = text.lines().map(fields);
    let header = rows.next().unwrap();
    let time = header.iter().position(|column| column == "total time");
    let time = time.expect("a column of times");
    let without = |row: Vec<String>| {
        assert_eq!(row.len(), header.len());
        let kept = row.into_iter().enumerate().filter(|(i, _)| *i != time);
        kept.map(|(_, value)| value).collect()
    };
    let rows: Vec<Vec<String>> = rows.map(without).collect();
    assert!(!rows.is_empty());
    rows
}

/// Whether each of `parts` is in `text`.
fn assert_tells(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

const IDS: [&str; 9] = [
    "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9",
];

#[test]
fn list_and_help_show_what_there_is() {
    let out = Out::new();
    let list = succeeds(&out, "list");
    assert_tells(&list, &IDS);
    assert_tells(
        &list,
        &[
            "(headline)",
            "Mini-batches of 32",
            "book",
            "cargo run -p ch02-fc -- run",
        ],
    );

    let help = succeeds(&out, "--help");
    assert_tells(
        &help,
        &[
            "Examples:",
            "cargo run -p ch02-fc",
            "list",
            "run",
            "report",
            "completions",
        ],
    );
    let help = succeeds(&out, "run --help");
    let flags = [
        "--preset",
        "--device",
        "--epochs",
        "--batch-size",
        "--lr",
        "--seed",
        "--seeds",
        "--limit",
        "--data-dir",
        "--offline",
        "--out",
        "--resume",
        "--check",
        "--tui",
        "--quiet",
        "--all",
        "smoke",
        "quick",
        "book",
        "flex",
        "wgpu",
    ];
    assert_tells(&help, &flags);

    assert_tells(
        &succeeds(&out, "completions bash"),
        &["ch02-fc", "--preset"],
    );
    assert!(files(out.path()).is_empty());
}

#[test]
fn unknown_names_are_refused_with_the_valid_ones_nearest_first() {
    let out = Out::new();
    let told = refused(&out, "run 2.10");
    assert_tells(&told, &IDS);
    assert_tells(&told, &["2.10", "it has 2.1,"]);
    assert_tells(&refused(&out, "run 3.5"), &IDS);
    // One good name does not start a run that must fail at the second.
    assert_tells(&refused(&out, "run 2.3 2.x"), &["2.x"]);

    let told = refused(&out, "run 2.3 --device felx");
    assert_tells(
        &told,
        &["felx", "there are flex,", "auto", "ndarray", "wgpu", "cuda"],
    );
    let told = refused(&out, "run 2.3 --preset bok");
    assert_tells(&told, &["bok", "smoke", "quick", "similar", "'book'"]);
    assert_tells(&refused(&out, "run 2.3 --data fake"), &["auto", "real"]);
    assert_tells(&refused(&out, "run 2.3 --epoch 3"), &["--epochs"]);
    assert_tells(&refused(&out, "lst"), &["list"]);
    assert_tells(&refused(&out, "completions bsh"), &["bash", "zsh", "fish"]);
    refused(&out, "run --all 2.3");
}

#[test]
fn a_device_that_is_not_there_is_refused_with_a_remedy() {
    let out = Out::new();
    if !cfg!(feature = "wgpu") {
        assert_tells(
            &refused(&out, "run 2.3 --device wgpu"),
            &["--features wgpu"],
        );
    }
    if !cfg!(feature = "cuda") {
        assert_tells(
            &refused(&out, "run 2.3 --device cuda:0"),
            &["--features cuda"],
        );
    }
    assert_tells(&refused(&out, "run 2.3 --device flex:1"), &["flex"]);
    assert_tells(&refused(&out, "run 2.3 --device wgpu:x"), &["wgpu:0"]);
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    let out = Out::new();
    let flags = [
        "--epochs 0",
        "--epochs=-1",
        "--epochs many",
        "--epochs 1.5",
        "--batch-size 0",
        "--batch-size x",
        "--lr nan",
        "--lr NaN",
        "--lr 0",
        "--lr inf",
        "--lr=-0.1",
        "--lr fast",
        "--seeds 0",
        "--limit 0",
        "--seed=-1",
        "--epochs 99999999999999999999999",
    ];
    for flag in flags {
        let told = refused(&out, &format!("run 2.7 --preset smoke {flag}"));
        let name = flag.split([' ', '=']).next().unwrap();
        assert_tells(&told, &[name]);
    }
}

#[test]
fn an_out_folder_that_cant_be_is_refused_and_named() {
    let out = Out::new();
    let file = out.path().join("a-file");
    std::fs::write(&file, b"mine").unwrap();
    // Holds for root too, who may write to any folder.
    for below in ["runs", "deep/er/runs"] {
        let output = command(&file.join(below), "run 2.3 --preset smoke")
            .output()
            .unwrap();
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert_tells(&told, &["a-file"]);
        assert!(!told.contains("panicked"), "{told}");
    }
    assert_eq!(files(out.path()), std::slice::from_ref(&file));
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}

#[test]
fn every_experiment_runs_at_smoke_and_leaves_a_whole_folder() {
    let out = Out::new();
    let told = succeeds(&out, "run --all --preset smoke");
    assert_tells(&told, &IDS);
    // 2.8 and 2.9 need models that 2.7 and 2.8 have trained.
    assert_eq!(told.matches("taken from").count(), 3, "{told}");
    for id in IDS {
        let run = out.run(id, "smoke");
        for name in ["report.html", "config.json"] {
            let file = run.join(name);
            let size = std::fs::metadata(&file).map_or(0, |file| file.len());
            assert!(size > 0, "{} is missing or empty", file.display());
        }
        let page = std::fs::read_to_string(run.join("report.html")).unwrap();
        assert_tells(&page, &[id, "<html"]);
        let summary = out.summary(id, "smoke");
        assert_eq!(summary["id"], id);
        assert_eq!(summary["preset"], "smoke");
        assert_eq!(summary["seed"], 42);
        assert_eq!(summary["complete"], true);
        assert!(!summary["claims"].as_array().unwrap().is_empty(), "{id}");
        // 2.3 draws functions and trains nothing.
        if id == "2.3" {
            assert_eq!(summary["models"], serde_json::json!([]));
        } else {
            let rows = metrics(&run);
            for model in summary["models"].as_array().unwrap() {
                let name = model["name"].as_str().unwrap();
                assert!(rows.iter().any(|row| row[0] == name), "{id}: {name}");
                assert!(model["parameters"].as_u64().unwrap() > 0);
            }
        }
        let figures = summary["figures"].as_array().unwrap();
        assert!(!figures.is_empty(), "{id} has no figure");
        for figure in figures {
            let png = run.join(figure["png"].as_str().unwrap());
            let bytes = std::fs::read(&png).unwrap_or_default();
            let drawn = bytes.starts_with(b"\x89PNG") && bytes.len() > 1000;
            assert!(drawn, "{}: {} bytes", png.display(), bytes.len());
            let csv = run.join(figure["csv"].as_str().unwrap());
            let numbers = std::fs::read_to_string(&csv).unwrap_or_default();
            assert!(numbers.lines().count() > 1, "{}", csv.display());
            for told in ["title", "caption", "alt"] {
                assert_ne!(figure[told], "", "{id}: a figure without {told}");
            }
        }
        // Each picture is drawn once and shown.
        let pictures = files(&run.join("figures"));
        assert_eq!(pictures.len(), 2 * figures.len(), "{pictures:?}");
        assert_eq!(page.matches("<img").count(), figures.len(), "{id}");
    }
    let gallery = std::fs::read_to_string(out.path().join("index.html")).unwrap();
    assert_tells(&gallery, &IDS);
    let left = files(out.path()).into_iter().filter(|file| {
        let path = file.to_string_lossy();
        path.contains(".part") || path.contains(".probe") || path.contains(".stopped")
    });
    assert_eq!(left.collect::<Vec<_>>(), Vec::<PathBuf>::new());

    // The pages can be written anew.
    std::fs::remove_file(out.path().join("index.html")).unwrap();
    assert_tells(&succeeds(&out, "report"), &["9 report pages"]);
    assert!(out.path().join("index.html").is_file());
}

#[test]
fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
    let (first, again) = (Out::new(), Out::new());
    for id in ["2.4", "2.6", "2.9"] {
        succeeds(&first, &format!("run {id} --preset smoke"));
        succeeds(&again, &format!("run {id} --preset smoke"));
        succeeds(&again, &format!("run {id} --preset smoke --seed 43"));
        let of_first = metrics(&first.run(id, "smoke"));
        assert_eq!(of_first, metrics(&again.run(id, "smoke")), "{id}");
        assert_ne!(of_first, metrics(&again.run(id, "smoke-seed43")), "{id}");
    }
    // In company of others, and as one of several seeds, an experiment gives the same numbers as alone.
    succeeds(
        &first,
        "run 2.3 2.5 2.9 --preset smoke --seeds 2 --seed 43 --quiet",
    );
    let of_again = metrics(&again.run("2.9", "smoke-seed43"));
    assert_eq!(of_again, metrics(&first.run("2.9", "smoke-seed43")));
    assert!(first.run("2.9", "smoke-seed44").is_dir());
}

#[test]
fn extreme_settings_do_not_break_a_run() {
    let out = Out::new();
    succeeds(&out, "run --all --preset smoke --limit 1 --quiet");
    succeeds(
        &out,
        "run --all --preset smoke --limit 3 --batch-size 1000000 --epochs 1 --quiet",
    );
    succeeds(
        &out,
        "run --all --preset smoke --limit 5 --seed 18446744073709551615 --quiet",
    );
    succeeds(
        &out,
        "run 2.7 --preset smoke --limit 5 --seed 18446744073709551615 --seeds 2 --quiet",
    );
}

#[test]
fn quiet_prints_nothing() {
    let out = Out::new();
    let output = program(&out, "run 2.1 2.9 --preset smoke --quiet");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        (stdout(&output), stderr(&output)),
        (String::new(), String::new())
    );
}

#[test]
fn check_tells_whether_every_claim_held() {
    let out = Out::new();
    let mut seen = Vec::new();
    // Hardly trained at `smoke`, some claim fails; those of 2.3, which trains nothing, always hold.
    for id in ["2.3", "2.4", "2.9"] {
        let output = program(&out, &format!("run {id} --preset smoke --check"));
        let summary = out.summary(id, "smoke");
        let claims = summary["claims"].as_array().unwrap();
        let failed = claims.iter().any(|claim| claim["held"] == false);
        assert_eq!(
            output.status.code(),
            Some(i32::from(failed)),
            "{id}: {}",
            stdout(&output)
        );
        assert_eq!(stdout(&output).contains("FAILS"), failed, "{id}");
        seen.push(failed);
    }
    assert!(seen.contains(&false) && seen.contains(&true), "{seen:?}");
}

#[test]
fn a_loss_that_is_no_number_ends_with_status_1_and_a_word_on_it() {
    let out = Out::new();
    for id in ["2.1", "2.7"] {
        let output = program(&out, &format!("run {id} --preset smoke --lr 1e38"));
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{id}: {told}");
        assert_tells(&told, &[id, "the loss became", "--lr"]);
        assert!(!told.contains("panicked"), "{told}");
        assert!(
            !out.run(id, "smoke-lr1e38").exists(),
            "not under a final name"
        );
    }
    let finished = files(out.path()).into_iter().filter(|file| {
        file.ends_with("summary.json") && !file.to_string_lossy().contains(".partial")
    });
    assert_eq!(finished.count(), 0);
}

#[cfg(unix)]
mod stopped {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{ExitStatus, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    const ARGUMENTS: &str = "run 2.7 --preset smoke --epochs 120";
    const EPOCHS: usize = 120;
    const NAME: &str = "smoke-epochs120";

    /// Starts a run, sends it `signal` once a few epochs are done, and gives how it ended and its words.
    fn stop(out: &Out, signal: &str) -> (ExitStatus, String) {
        let mut child = command(out.path(), ARGUMENTS)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let partial = out.run("2.7", &format!("{NAME}.partial"));
        let checkpoints = partial.join("checkpoints/b-1");
        let start = Instant::now();
        while newest(&checkpoints) < Some(3) {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "no checkpoint in a minute"
            );
            assert!(
                child.try_wait().unwrap().is_none(),
                "ended before it could be stopped"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        let output = child.wait_with_output().unwrap();
        assert!(
            partial.is_dir() && !out.run("2.7", NAME).exists(),
            "not under a final name"
        );
        assert!(checkpoints.join("state.json").is_file());
        (output.status, stderr(&output))
    }

    /// The epoch of the newest complete checkpoint; of older ones than two the files are removed.
    fn newest(checkpoints: &Path) -> Option<usize> {
        let names = std::fs::read_dir(checkpoints)
            .into_iter()
            .flatten()
            .flatten();
        let epochs = names.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let epoch = name.strip_prefix("scheduler-")?.strip_suffix(".bpk")?;
            epoch.parse().ok()
        });
        epochs.max()
    }

    fn straight() -> Vec<Vec<String>> {
        let out = Out::new();
        succeeds(&out, ARGUMENTS);
        let rows = metrics(&out.run("2.7", NAME));
        assert_eq!(rows.len(), EPOCHS);
        rows
    }

    /// The number of the first epoch that a run told of.
    fn first_epoch(told: &str) -> usize {
        let (_, rest) = told.split_once("epoch ").expect(told);
        rest.split('/').next().unwrap().parse().unwrap()
    }

    #[test]
    fn a_run_that_was_stopped_goes_on_and_ends_as_if_it_had_not_been() {
        let straight = straight();

        let out = Out::new();
        let (status, _) = stop(&out, "-KILL");
        assert_eq!(status.signal(), Some(9), "{status}");
        let told = succeeds(&out, &format!("{ARGUMENTS} --resume"));
        assert!((3..EPOCHS).contains(&first_epoch(&told)), "{told}");
        assert_eq!(metrics(&out.run("2.7", NAME)), straight);
        assert!(!out.run("2.7", &format!("{NAME}.partial")).exists());

        // Ctrl-C, twice in the life of one run.
        let out = Out::new();
        let (status, told) = stop(&out, "-INT");
        assert_eq!(status.code(), Some(130), "{told}");
        assert_tells(&told, &["2.7", "--resume", "checkpoint"]);
        let told = succeeds(&out, &format!("{ARGUMENTS} --resume"));
        assert!((3..EPOCHS).contains(&first_epoch(&told)), "{told}");
        assert_eq!(metrics(&out.run("2.7", NAME)), straight);
    }

    #[test]
    fn a_stopped_run_is_put_aside_by_one_without_resume_and_told_if_damaged() {
        let out = Out::new();
        stop(&out, "-KILL");
        let aside = out.run("2.7", &format!("{NAME}.stopped"));
        let told = succeeds(&out, ARGUMENTS);
        assert_eq!(first_epoch(&told), 1);
        assert_tells(&told, &[".stopped", "--resume"]);
        assert!(aside.join("checkpoints/b-1/state.json").is_file());
        let finished = metrics(&out.run("2.7", NAME));

        let out = Out::new();
        stop(&out, "-KILL");
        let partial = out.run("2.7", &format!("{NAME}.partial"));
        let state = partial.join("checkpoints/b-1/state.json");
        let good = std::fs::read(&state).unwrap();
        std::fs::write(&state, &good[..good.len() / 2]).unwrap();
        let output = program(&out, &format!("{ARGUMENTS} --resume"));
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert_tells(&told, &["state.json", "damaged"]);
        // Mended, it goes on.
        std::fs::write(&state, &good).unwrap();
        succeeds(&out, &format!("{ARGUMENTS} --resume"));
        assert_eq!(metrics(&out.run("2.7", NAME)), finished);
    }
}
