//! [`Run`]: all that an experiment sees, and where it puts what it found.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Device;
use serde_json::json;

use super::folder;
use super::options::{Options, Preset};
use crate::data::{self, Batches, Images, LabeledSequences, Split};
use crate::files::write_atomic;
use crate::plot::{self, Figure, Frame};
use crate::report::{Claim, FigureEntry, Metric, ModelSummary, Summary, Table};
use crate::study::Study;
use crate::train::{self, Fitted, Folders, History, Observed, Recipe, Session, Trainable, Watch};
use crate::{Error, Result};

/// How long a picture of an animation stays.
const MILLISECONDS: u32 = 300;

/// An experiment while it runs: device, preset, seed and data on one side, figures, metrics and claims on the other.
pub struct Run {
    pub(super) options: Options,
    pub(super) device: Device,
    pub(super) seed: u64,
    pub(super) folder: PathBuf,
    /// Checkpoint folders of finished runs of this chapter, by the same preset and flags.
    pub(super) siblings: Vec<PathBuf>,
    pub(super) summary: Summary,
    pub(super) histories: Vec<(String, History)>,
}

impl Run {
    /// The device, without automatic differentiation; `.autodiff()` adds it.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How much to run.
    pub fn preset(&self) -> Preset {
        self.options.preset
    }

    /// Whether this run has the book's own sizes.
    pub fn is_book(&self) -> bool {
        self.options.preset == Preset::Book
    }

    /// Whether to show what the book's code does by mistake, beside what it means to do.
    pub fn as_printed(&self) -> bool {
        self.options.as_printed
    }

    /// The seed of this run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The value for the preset at hand.
    pub fn pick<T>(&self, smoke: T, quick: T, book: T) -> T {
        match self.options.preset {
            Preset::Smoke => smoke,
            Preset::Quick => quick,
            Preset::Book => book,
        }
    }

    /// MNIST (or the built-in digits), at most `train` and `test` examples of it; `--limit` lowers both.
    ///
    /// # Errors
    /// [`Error::Data`] for a damaged file, or with `--data real` when there is none.
    pub fn mnist(&mut self, train: usize, test: usize) -> Result<Split<Images>> {
        let all = data::mnist(&self.options.data_options())?;
        Ok(self.at_most(all, [train, test], Images::take))
    }

    /// Fashion-MNIST (or drawn garments), at most `train` and `test` examples of it; `--limit` lowers both.
    ///
    /// # Errors
    /// As [`mnist`](Self::mnist).
    pub fn fashion_mnist(&mut self, train: usize, test: usize) -> Result<Split<Images>> {
        let all = data::fashion_mnist(&self.options.data_options())?;
        Ok(self.at_most(all, [train, test], Images::take))
    }

    /// CIFAR-10 (or drawn shapes), at most `train` and `test` examples of it; `--limit` lowers both.
    ///
    /// # Errors
    /// As [`mnist`](Self::mnist).
    pub fn cifar10(&mut self, train: usize, test: usize) -> Result<Split<Images>> {
        let all = data::cifar10(&self.options.data_options())?;
        Ok(self.at_most(all, [train, test], Images::take))
    }

    /// Surnames of 18 languages (or invented ones): `test` drawn at random by the run's seed, and at most `train` of the
    /// others; `--limit` lowers both.
    ///
    /// # Errors
    /// As [`mnist`](Self::mnist).
    pub fn surnames(&mut self, train: usize, test: usize) -> Result<Split<LabeledSequences>> {
        let all = data::surnames(&self.options.data_options(), test, self.seed)?;
        Ok(self.at_most(all, [train, test], LabeledSequences::take))
    }

    /// The first `sizes` examples for training and for testing, recorded as this run's data.
    fn at_most<D: Batches>(
        &mut self,
        all: Split<D>,
        sizes: [usize; 2],
        take: fn(&D, usize) -> D,
    ) -> Split<D> {
        let [train, test] = sizes.map(|size| self.limited(size));
        let (train, test) = (take(&all.train, train), take(&all.test, test));
        let mut source = all.source;
        (source.train, source.test) = (train.len(), test.len());
        self.uses(source.clone());
        Split {
            train,
            test,
            source,
        }
    }

    /// `--limit` applied to a number of examples.
    pub fn limited(&self, examples: usize) -> usize {
        examples.min(self.options.limit.unwrap_or(usize::MAX))
    }

    /// Where data may be looked for, for data sets that [`Run`] has no method for.
    pub fn data_options(&self) -> data::DataOptions {
        self.options.data_options()
    }

    /// Records (and prints) a data set that this run uses.
    pub fn uses(&mut self, source: data::Source) {
        if self.summary.data.contains(&source) {
            return;
        }
        if !self.options.quiet {
            let counts = match (source.train, source.test) {
                (0, 0) => String::new(),
                (train, 0) => format!(", {train} examples"),
                (train, test) => format!(", {train} train / {test} test"),
            };
            println!("     data {}{counts}: {}", source.name, source.origin);
        }
        self.summary.data.push(source);
    }

    /// The recipe as the flags change it: `--epochs`, `--batch-size`, `--lr`.
    pub fn recipe(&self, recipe: &Recipe) -> Recipe {
        let mut recipe = recipe.clone();
        recipe.epochs = self.options.epochs.unwrap_or(recipe.epochs);
        recipe.batch_size = self.options.batch_size.unwrap_or(recipe.batch_size);
        recipe.lr = self.options.lr.unwrap_or(recipe.lr);
        recipe
    }

    /// Trains `model` on `data.train`, evaluates it on `data.test` after each epoch, and records its history and size. A model of the same
    /// name that a finished run of this chapter has trained in the same way is taken over.
    ///
    /// # Errors
    /// As [`train::fit`].
    pub fn fit<M, D>(
        &mut self,
        name: &str,
        model: M,
        data: &Split<D>,
        recipe: &Recipe,
    ) -> Result<Fitted<M>>
    where
        M: Trainable<D::Batch>,
        D: Batches + Clone + 'static,
        D::Batch: Send + 'static,
    {
        let train = Arc::new(data.train.clone());
        self.fit_on(
            name,
            model,
            &train,
            &[("test", Arc::new(data.test.clone()))],
            recipe,
        )
    }

    /// [`fit`](Self::fit) with training and evaluation sets of different kinds, such as augmented and plain images.
    ///
    /// # Errors
    /// As [`train::fit`].
    pub fn fit_on<M, T, E>(
        &mut self,
        name: &str,
        model: M,
        train: &Arc<T>,
        evaluate: &[(&str, Arc<E>)],
        recipe: &Recipe,
    ) -> Result<Fitted<M>>
    where
        M: Trainable<T::Batch>,
        T: Batches + 'static,
        E: Batches<Batch = T::Batch> + 'static,
        T::Batch: Send + 'static,
    {
        let nothing = Observed::default();
        self.fit_observed(name, model, train, evaluate, recipe, nothing)
    }

    /// [`fit_on`](Self::fit_on) for a model of which some numbers are recorded after each epoch.
    ///
    /// # Errors
    /// As [`train::fit`].
    pub fn fit_observed<M, T, E>(
        &mut self,
        name: &str,
        model: M,
        train: &Arc<T>,
        evaluate: &[(&str, Arc<E>)],
        recipe: &Recipe,
        observed: Observed<M>,
    ) -> Result<Fitted<M>>
    where
        M: Trainable<T::Batch>,
        T: Batches + 'static,
        E: Batches<Batch = T::Batch> + 'static,
        T::Batch: Send + 'static,
    {
        let recipe = self.recipe(recipe);
        let session = self.session();
        let fitted =
            train::fit_observed(&session, name, model, train, evaluate, &recipe, observed)?;
        self.summary.models.push(ModelSummary {
            name: name.to_string(),
            parameters: fitted.parameters,
        });
        self.histories
            .push((name.to_string(), fitted.history.clone()));
        self.write_metrics()?;
        Ok(fitted)
    }

    /// Where and how models are trained, for a loop of the experiment's own.
    pub fn session(&self) -> Session {
        Session {
            device: self.device.clone(),
            seed: self.seed,
            display: self.options.display(),
            folders: Some(Folders {
                checkpoints: self.folder.join("checkpoints"),
                models: self.folder.join("models"),
            }),
            resume: self.options.resume,
            reuse: self.siblings.clone(),
            context: self.context(),
        }
    }

    /// Reads the last state of a model that this run has trained under `name` into a fresh `model` of the same kind.
    ///
    /// # Errors
    /// As [`train::load_model`].
    pub fn load<M: Module>(&self, name: &str, model: M) -> Result<M> {
        let file = format!("{}-last.bpk", train::slug(name));
        train::load_model(&self.folder.join("models").join(file), model)
    }

    /// Writes `models/NAME`: what is needed besides the weights to use a model, such as the symbols it knows.
    ///
    /// # Errors
    /// [`Error::Io`] when it can't be written.
    pub fn attach(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_atomic(&self.folder.join("models").join(name), bytes)
    }

    /// A study that keeps its trials in `studies/NAME.jsonl`; with `--resume` those of an interrupted run are taken over.
    ///
    /// # Errors
    /// As [`Study::stored_at`].
    pub fn study(&self, name: &str, study: Study) -> Result<Study> {
        let path = self.folder.join(folder::STUDIES);
        let path = path.join(format!("{}.jsonl", train::slug(name)));
        study.stored_at(&path, self.options.resume, self.context())
    }

    /// What must be equal for a training or a study to be continued.
    fn context(&self) -> serde_json::Value {
        json!({
            "device": self.summary.device,
            "data": self.summary.data.iter().map(|d| &d.name).collect::<Vec<_>>(),
        })
    }

    /// Display and results table for a loop of the experiment's own.
    pub fn watch(&self, name: &str, epochs: usize) -> Watch {
        Watch::start(name, epochs, self.options.display())
    }

    /// Records a history that a loop of the experiment's own has made.
    ///
    /// # Errors
    /// [`Error::Io`] when `metrics.csv` can't be written.
    pub fn record(&mut self, name: &str, parameters: usize, history: &History) -> Result<()> {
        self.summary.models.push(ModelSummary {
            name: name.to_string(),
            parameters,
        });
        self.histories.push((name.to_string(), history.clone()));
        self.write_metrics()
    }

    /// `metrics.csv`: a row per model and epoch.
    fn write_metrics(&self) -> Result<()> {
        let path = self.folder.join("metrics.csv");
        let broken = |error: csv::Error| Error::Training(format!("metrics.csv: {error}"));
        let mut columns: Vec<&String> = Vec::new();
        for (_, history) in &self.histories {
            for column in history.columns() {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = std::iter::once("model").chain(columns.iter().map(|c| c.as_str()));
        writer.write_record(header).map_err(broken)?;
        for (name, history) in &self.histories {
            for row in history.rows() {
                let value = |column: &&String| {
                    let index = history.columns().iter().position(|c| c == *column);
                    index.map_or(String::new(), |index| row[index].to_string())
                };
                let record = std::iter::once(name.clone()).chain(columns.iter().map(value));
                writer.write_record(record).map_err(broken)?;
            }
        }
        let bytes = writer
            .into_inner()
            .map_err(|error| Error::Training(format!("metrics.csv: {error}")))?;
        write_atomic(&path, &bytes)
    }

    /// Saves a figure as `figures/NAME.png` with the numbers behind it as `figures/NAME.csv`.
    ///
    /// # Errors
    /// [`Error::Io`] when they can't be written.
    pub fn figure(&mut self, name: &str, caption: &str, figure: &Figure) -> Result<()> {
        figure.save(&self.folder.join("figures"), name)?;
        self.summary.figures.push(FigureEntry {
            name: name.to_string(),
            title: figure.title().to_string(),
            caption: caption.to_string(),
            png: format!("figures/{name}.png"),
            csv: format!("figures/{name}.csv"),
            alt: figure.alt().to_string(),
        });
        Ok(())
    }

    /// Saves pictures that follow each other as `figures/NAME.gif`, with their labels as `figures/NAME.csv`.
    ///
    /// # Errors
    /// [`Error::Io`] when they can't be written, [`Error::Training`] when they can't be encoded.
    pub fn animation(
        &mut self,
        name: &str,
        title: &str,
        caption: &str,
        frames: &[Frame],
    ) -> Result<()> {
        let folder = self.folder.join("figures");
        let bytes = plot::gif(frames, MILLISECONDS)?;
        write_atomic(&folder.join(format!("{name}.gif")), &bytes)?;
        let rows = frames.iter().enumerate();
        let rows = rows.map(|(i, frame)| format!("{i},\"{}\"\n", frame.label.replace('"', "\"\"")));
        let table = format!("frame,label\n{}", rows.collect::<String>());
        write_atomic(&folder.join(format!("{name}.csv")), table.as_bytes())?;
        self.summary.figures.push(FigureEntry {
            name: name.to_string(),
            title: title.to_string(),
            caption: caption.to_string(),
            png: format!("figures/{name}.gif"),
            csv: format!("figures/{name}.csv"),
            alt: format!("{title}: an animation of {} pictures", frames.len()),
        });
        Ok(())
    }

    /// Records a number this run found.
    pub fn metric(&mut self, name: &str, value: f64) {
        self.push_metric(name, value, None);
    }

    /// Records a number beside the one that the book shows.
    pub fn metric_beside(&mut self, name: &str, value: f64, book: f64) {
        self.push_metric(name, value, Some(book));
    }

    fn push_metric(&mut self, name: &str, value: f64, book: Option<f64>) {
        self.summary.metrics.push(Metric {
            name: name.to_string(),
            value,
            book,
        });
    }

    /// Checks a claim of the book; `detail` gives the numbers it was judged by.
    pub fn claim(&mut self, text: &str, held: bool, detail: impl Into<String>) {
        self.summary.claims.push(Claim {
            text: text.to_string(),
            held,
            detail: detail.into(),
        });
    }

    /// At the preset `book`: checks that `value` is within `tolerance` of the book's number. Other presets train less, so
    /// there the number is only shown.
    pub fn claim_near(&mut self, what: &str, value: f64, book: f64, tolerance: f64) {
        if self.is_book() && self.options.limit.is_none() {
            let text = format!("{what} is the book's {book} ± {tolerance}");
            let held = (value - book).abs() <= tolerance;
            self.claim(&text, held, format!("{value:.4}"));
        }
    }

    /// Prints a line, which the report shows too.
    pub fn say(&mut self, line: impl Into<String>) {
        let line = line.into();
        if !self.options.quiet {
            println!("     {line}");
        }
        self.summary.text.push(line);
    }

    /// Adds a table to the report.
    pub fn table(&mut self, title: &str, columns: &[&str], rows: Vec<Vec<String>>) {
        self.summary.tables.push(Table {
            title: title.to_string(),
            columns: columns.iter().map(|c| c.to_string()).collect(),
            rows,
        });
    }

    /// The folder this run writes to; it gets its final name when the run ends.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
