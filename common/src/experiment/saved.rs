//! The trained model that a subcommand asks for.

use std::path::{Path, PathBuf};

use super::{Chapter, DEFAULT_SEED, Options, Preset, run_all};
use crate::{Error, Result};

/// The model of the longest training that there is in `options.out`, or one that is trained now, with a word about it.
///
/// `saved` gives the model that a run of the experiment with this number has left in this folder. It is asked about the runs of `ids`: those at
/// `book` first, then those at `quick`. The experiment that is run when there is none is `train`. `--seed` does not change what is trained: a
/// subcommand draws other things by it.
///
/// # Errors
/// Those of the experiment; [`Error::Training`] when it has left no model, or has been stopped before it did.
pub fn saved_or_trained<T>(
    chapter: &Chapter,
    options: &Options,
    ids: &[&str],
    train: &str,
    saved: impl Fn(&str, &Path) -> Option<T>,
) -> Result<T> {
    let folder = chapter.folder(&options.out);
    for preset in [Preset::Book, Preset::Quick] {
        for id in ids {
            if let Some(model) = saved(id, &folder.join(id).join(preset.name())) {
                return Ok(model);
            }
        }
    }
    let experiment = chapter.find(train).ok_or_else(|| {
        let name = chapter.name;
        Error::Usage(format!("{train}: no such experiment in {name}"))
    })?;
    if !options.quiet {
        let takes = experiment.takes[0];
        println!("No trained network yet: {train} trains it first, which takes about {takes}.");
    }
    let options = Options {
        seed: DEFAULT_SEED,
        ..options.clone()
    };
    let finished = run_all(chapter, &[experiment], &options)?;
    if !options.quiet {
        println!();
    }
    let model = finished.first().and_then(|run| saved(train, &run.folder));
    model.ok_or_else(|| Error::Training(format!("{train} has left no trained network")))
}

/// The file `name` among the models of the run in this folder, if it is there: what [`saved_or_trained`] is asked for where one file is all
/// of a model.
pub fn model_in(run: &Path, name: &str) -> Option<PathBuf> {
    let model = run.join("models").join(name);
    model.is_file().then_some(model)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::experiment::{Experiment, Run};

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        options: Options,
    }

    fn options(out: &Path) -> Options {
        let out = out.to_str().unwrap();
        let flags = [
            "", "--quiet", "--preset", "smoke", "--seed", "7", "--out", out,
        ];
        Flags::parse_from(flags).options
    }

    fn leave(run: &mut Run) -> Result<()> {
        let models = run.folder().join("models");
        std::fs::create_dir_all(&models).map_err(Error::io(&models))?;
        let file = models.join("net.bpk");
        std::fs::write(&file, "trained now").map_err(Error::io(&file))
    }

    fn chapter() -> Chapter {
        let experiment = |id, run| Experiment {
            id,
            title: "",
            data: "none",
            claim: "",
            takes: ["1 s", "1 s"],
            run,
        };
        Chapter {
            number: 3,
            name: "ch03-test",
            title: "",
            headline: "3.1",
            experiments: vec![experiment("3.1", leave), experiment("3.2", |_| Ok(()))],
            actions: Vec::new(),
        }
    }

    #[test]
    fn the_longest_training_counts_and_else_one_of_now() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let ask = |ids: &[&str], train| {
            let model = saved_or_trained(&chapter(), &options, ids, train, |_, run| {
                model_in(run, "net.bpk")
            });
            model.map(|file| std::fs::read_to_string(file).unwrap())
        };
        assert_eq!(ask(&["3.1"], "3.1").unwrap(), "trained now");
        // The network is the same whatever --seed asks of the subcommand.
        assert!(folder.path().join("ch03/3.1/smoke").is_dir());
        let error = ask(&["3.2"], "3.2").unwrap_err().to_string();
        assert!(error.contains("3.2 has left no trained network"), "{error}");
        assert!(matches!(ask(&[], "3.9"), Err(Error::Usage(_))));

        for place in ["3.2/quick", "3.1/quick", "3.2/book"] {
            let models = folder.path().join("ch03").join(place).join("models");
            std::fs::create_dir_all(&models).unwrap();
            std::fs::write(models.join("net.bpk"), place).unwrap();
        }
        assert_eq!(ask(&["3.1", "3.2"], "3.1").unwrap(), "3.2/book");
        assert_eq!(ask(&["3.1"], "3.1").unwrap(), "3.1/quick");
    }
}
