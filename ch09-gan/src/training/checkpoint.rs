//! Checkpoints of both players and both optimizers.
//!
//! A folder holds four records of one iteration, `NAME-ITERATION.bpk`, a fifth for the mean of G's weights where there is one, and
//! `state.json`, which is written last: it always names records that are whole. Older ones are removed then.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use common::files::write_atomic;
use common::plot::Frame;
use common::train::{History, first_difference, program};
use common::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::adversaries::Adversaries;
use crate::players::{Discriminator, Generator};

const STATE: &str = "state.json";

/// How far a training is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// What must be equal for a run to be continued.
    pub(super) fingerprint: Value,
    /// Which program trained it.
    pub(super) program: String,
    /// Seconds spent training.
    pub(super) seconds: f64,
    /// A row per epoch that has ended.
    pub(super) history: History,
    /// D's loss and G's, an iteration each.
    pub(super) losses: Vec<[f32; 2]>,
    /// The labels of the pictures taken.
    pub(super) frames: Vec<String>,
}

impl State {
    pub(super) fn new(fingerprint: Value) -> Self {
        let columns = ["epoch", "total time", "D loss", "G loss"];
        Self {
            fingerprint,
            program: program(),
            seconds: 0.0,
            history: History::new(columns.map(str::to_string).into()),
            losses: Vec::new(),
            frames: Vec::new(),
        }
    }
}

/// Where the checkpoints of a training lie.
#[derive(Clone)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    fn record(&self, which: &str, iterations: usize) -> PathBuf {
        self.0.join(format!("{which}-{iterations}.bpk"))
    }

    /// Writes the state of a training.
    pub(super) fn save<G: Generator, D: Discriminator>(
        &self,
        state: &State,
        players: &Adversaries<G, D>,
        mean: Option<&G>,
    ) -> Result<()> {
        let at = state.losses.len();
        let write = |which: &str, bytes: std::result::Result<Bytes, String>| {
            let path = self.record(which, at);
            let bytes =
                bytes.map_err(|why| Error::Training(format!("{}: {why}", path.display())))?;
            write_atomic(&path, &bytes)
        };
        let text = |error: &dyn Display| error.to_string();
        let network = |record: ModuleRecord| record.into_bytes().map_err(|e| text(&e));
        let optimizer = |record: OptimizerRecord| record.into_bytes().map_err(|e| text(&e));
        write(
            "generator",
            network(players.generator.clone().into_record()),
        )?;
        write(
            "discriminator",
            network(players.discriminator.clone().into_record()),
        )?;
        if let Some(mean) = mean {
            write("mean", network(mean.clone().into_record()))?;
        }
        write("of-generator", optimizer(players.of_generator.to_record()))?;
        write(
            "of-discriminator",
            optimizer(players.of_discriminator.to_record()),
        )?;
        let bytes = serde_json::to_vec(state)
            .map_err(|error| Error::Training(format!("{STATE}: {error}")))?;
        write_atomic(&self.0.join(STATE), &bytes)?;
        self.remove_all_but(at)
    }

    fn remove_all_but(&self, iterations: usize) -> Result<()> {
        let ending = format!("-{iterations}.bpk");
        let files = std::fs::read_dir(&self.0).map_err(Error::io(&self.0))?;
        for path in files.flatten().map(|file| file.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".bpk") && !name.ends_with(&ending) {
                std::fs::remove_file(&path).map_err(Error::io(&path))?;
            }
        }
        Ok(())
    }

    /// The iterations that the checkpoint here has behind it.
    pub(super) fn iterations(&self) -> Option<usize> {
        let bytes = std::fs::read(self.0.join(STATE)).ok()?;
        let state: State = serde_json::from_slice(&bytes).ok()?;
        Some(state.losses.len())
    }

    /// The state of the training here; none if there is no checkpoint.
    ///
    /// # Errors
    /// [`Error::Data`] when `state.json` is damaged, [`Error::Usage`] when it is of another training than `fingerprint` says.
    pub(super) fn find(&self, fingerprint: &Value) -> Result<Option<State>> {
        let path = self.0.join(STATE);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        let state: State =
            serde_json::from_slice(&bytes).map_err(|error| self.unreadable(&path, &error))?;
        match first_difference(&state.fingerprint, fingerprint) {
            None => Ok(Some(state)),
            Some(difference) => Err(Error::Usage(format!(
                "{}: can't resume, since {difference}; give the flags of the first run, or start again without --resume",
                self.0.display()
            ))),
        }
    }

    fn unreadable(&self, what: &Path, why: &dyn Display) -> Error {
        Error::Data(format!(
            "{}: damaged checkpoint ({why}); delete {} and start again without --resume",
            what.display(),
            self.0.display()
        ))
    }

    /// The players as they were saved, in place of fresh ones of the same kind.
    ///
    /// # Errors
    /// [`Error::Data`] when a record is missing, damaged or of another network.
    pub(super) fn load<G: Generator, D: Discriminator>(
        &self,
        state: &State,
        fresh: Adversaries<G, D>,
    ) -> Result<Adversaries<G, D>> {
        let at = state.losses.len();
        Ok(Adversaries {
            generator: self.network("generator", at, fresh.generator)?,
            discriminator: self.network("discriminator", at, fresh.discriminator)?,
            of_generator: self.optimizer("of-generator", at, fresh.of_generator)?,
            of_discriminator: self.optimizer("of-discriminator", at, fresh.of_discriminator)?,
        })
    }

    /// The mean of the generator's weights as it was saved.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(super) fn load_mean<G: Generator>(&self, state: &State, fresh: G) -> Result<G> {
        self.network("mean", state.losses.len(), fresh)
    }

    fn network<M: Module>(&self, which: &str, at: usize, fresh: M) -> Result<M> {
        let path = self.record(which, at);
        let bytes = self.bytes(&path)?;
        let record = ModuleRecord::from_bytes(bytes).map_err(|e| self.unreadable(&path, &e))?;
        let network = fresh.try_load_record(record);
        network.map_err(|e| self.unreadable(&path, &e))
    }

    fn optimizer(&self, which: &str, at: usize, fresh: ModuleOptimizer) -> Result<ModuleOptimizer> {
        let path = self.record(which, at);
        let record = OptimizerRecord::from_bytes(self.bytes(&path)?);
        let record = record.map_err(|e| self.unreadable(&path, &e))?;
        Ok(fresh.load_record(record))
    }

    fn bytes(&self, path: &Path) -> Result<Bytes> {
        let bytes = std::fs::read(path).map_err(|e| self.unreadable(path, &e))?;
        Ok(Bytes::from_bytes_vec(bytes))
    }

    fn frame(&self, number: usize) -> PathBuf {
        self.0.join(format!("frame-{number:03}.png"))
    }

    /// Keeps a picture; it can be looked at while the training goes on.
    pub(super) fn keep_frame(&self, number: usize, frame: &Frame) -> Result<()> {
        write_atomic(&self.frame(number), &frame.png()?)
    }

    /// The pictures taken so far.
    ///
    /// # Errors
    /// [`Error::Data`] when one is missing or damaged.
    pub(super) fn frames(&self, state: &State) -> Result<Vec<Frame>> {
        let labels = state.frames.iter().enumerate();
        let read = labels.map(|(number, label)| {
            let path = self.frame(number);
            let bytes = std::fs::read(&path).map_err(|e| self.unreadable(&path, &e))?;
            Frame::from_png(&bytes, label).map_err(|e| self.unreadable(&path, &e))
        });
        read.collect()
    }
}
