//! A training under way: all turns of the game, with a bar, pictures and checkpoints on the way.

use std::time::{Duration, Instant};

use burn::tensor::Device;
use common::plot::Frame;
use common::seed::mix;
use common::train::{Display, Progress, interrupt};
use common::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::average::{averaged, kept};
use super::checkpoint::{Folder, State};
use super::health::Health;
use super::{Draw, GanRecipe, Objective};
use crate::adversaries::Adversaries;
use crate::examples::Examples;
use crate::losses::CriticBatch;
use crate::noise::Noise;
use crate::players::{Discriminator, Generator};

/// A checkpoint is written at least this often.
const BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(20);
/// And at the end of an epoch, unless that would take more than a part of the time: this many times what the last one took has to have
/// passed.
const WORTH: u32 = 10;

/// A training under way.
pub(super) struct Game<'a, G> {
    pub(super) name: &'a str,
    pub(super) recipe: &'a GanRecipe,
    pub(super) data: &'a dyn Examples,
    pub(super) draw: Draw<'a, G>,
    pub(super) seed: u64,
    /// Without automatic differentiation.
    pub(super) device: Device,
    /// Iterations in all and in an epoch.
    pub(super) total: usize,
    pub(super) per_epoch: usize,
    pub(super) state: State,
    pub(super) frames: Vec<Frame>,
    /// The generator with the mean of its weights, if the recipe asks for one.
    pub(super) mean: Option<G>,
    pub(super) folder: Option<Folder>,
    pub(super) health: Health,
}

impl<G: Generator> Game<'_, G> {
    /// Goes on where another training has left off. Gives its players.
    pub(super) fn take_over<D: Discriminator>(
        &mut self,
        other: &Folder,
        state: State,
        fresh: Adversaries<G, D>,
    ) -> Result<Adversaries<G, D>> {
        let players = other.load(&state, fresh)?;
        if let Some(mean) = self.mean.take() {
            self.mean = Some(other.load_mean(&state, mean)?);
        }
        self.frames = other.frames(&state)?;
        self.state = state;
        Ok(players)
    }

    /// The examples of an epoch in its order.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.data.count()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(mix(self.seed, epoch as u64)));
        order
    }

    /// All iterations that are left. Gives the players after them.
    pub(super) fn play<D: Discriminator>(
        &mut self,
        mut players: Adversaries<G, D>,
        display: Display,
    ) -> Result<Adversaries<G, D>> {
        let (epochs, batch) = (self.recipe.epochs, self.recipe.batch_size);
        // The dashboard belongs to burn-train; this loop has the bar.
        let display = match display {
            Display::Dashboard => Display::Bar,
            other => other,
        };
        let progress = Progress::start(self.name, epochs, self.total * batch, display);
        progress.skip(self.state.losses.len() * batch);
        let (mut saved, mut cost) = (Instant::now(), Duration::ZERO);
        let mut order = (usize::MAX, Vec::new());
        self.photograph(&players)?;
        while self.state.losses.len() < self.total {
            let done = self.state.losses.len();
            let (epoch, step) = (done / self.per_epoch, done % self.per_epoch);
            if interrupt::requested() {
                self.save(&players)?;
                return Err(self.explain(Error::Interrupted("interrupted".into())));
            }
            if order.0 != epoch {
                order = (epoch, self.order(epoch));
            }
            let clock = Instant::now();
            let chosen = &order.1[step * batch..(step + 1) * batch];
            let (next, losses, scores) = self.step(players, chosen);
            players = next;
            if let Some(mean) = self.mean.take() {
                let kept = kept(self.recipe.average, done);
                self.mean = Some(averaged(mean, &players.generator.valid(), kept));
            }
            self.state.seconds += clock.elapsed().as_secs_f64();
            self.health
                .check(losses, scores)
                .map_err(|error| self.explain(error))?;
            self.state.losses.push(losses);
            let [d, g] = losses;
            let epoch = format!("epoch {}/{epochs}", epoch + 1);
            progress.tell(batch, &format!("{epoch}  D loss {d:.3}  G loss {g:.3}"));

            let ended = step + 1 == self.per_epoch;
            if ended {
                self.end_epoch();
                progress.epoch_done(&self.state.history);
            }
            self.photograph(&players)?;
            let last = self.state.losses.len() == self.total;
            let since = saved.elapsed();
            if last || ended && since > WORTH * cost || since > BETWEEN_CHECKPOINTS {
                let begin = Instant::now();
                self.save(&players)?;
                (saved, cost) = (Instant::now(), begin.elapsed());
            }
        }
        progress.finish(&self.state.history);
        Ok(players)
    }

    /// One iteration on the examples with these numbers. Gives the losses of D and G, and the range of D's scores.
    fn step<D: Discriminator>(
        &self,
        players: Adversaries<G, D>,
        chosen: &[usize],
    ) -> (Adversaries<G, D>, [f32; 2], [f32; 2]) {
        let done = self.state.losses.len();
        let rate = self.recipe.rate_at(done, self.total);
        let mut noise = Noise::new(mix(mix(self.seed, u64::MAX), done as u64));
        let (size, width) = (chosen.len(), players.generator.noise_size());
        let real = self.data.rows(chosen, &self.device);
        let classes = self.recipe.conditional.then(|| self.data.classes(chosen));
        let classes = classes.as_deref();
        match self.recipe.objective {
            Objective::Standard => {
                let z = noise.normal(size, width, &self.device);
                let (players, d, g) = players.gan_step(rate, real, z);
                (players, [d.value, g], d.scores)
            }
            Objective::Wasserstein { penalty, updates } => {
                let z = noise.normal(size, width, &self.device);
                let batch = CriticBatch {
                    fake: players.generator.valid().generate(z, classes),
                    part: noise.uniform(size, &self.device),
                    real,
                    classes,
                };
                let (players, d) = players.critic_step(rate, penalty, batch);
                if !(done + 1).is_multiple_of(updates.max(1)) {
                    let g = self.state.losses.last().map_or(0.0, |losses| losses[1]);
                    return (players, [d.value, g], d.scores);
                }
                let z = noise.normal(size, width, &self.device);
                let (players, g) = players.generator_step(rate, z, classes);
                (players, [d.value, g], d.scores)
            }
        }
    }

    /// A row of the results table: the mean losses of the epoch that has ended.
    fn end_epoch(&mut self) {
        let losses = &self.state.losses[self.state.losses.len() - self.per_epoch..];
        let mean = |which: usize| {
            let sum: f64 = losses.iter().map(|loss| f64::from(loss[which])).sum();
            sum / losses.len() as f64
        };
        let epoch = self.state.history.epochs() as f64;
        let row = [epoch, self.state.seconds, mean(0), mean(1)];
        self.state.history.push(&row);
    }

    /// Takes a picture if it is time for one.
    fn photograph<D: Discriminator>(&mut self, players: &Adversaries<G, D>) -> Result<()> {
        let done = self.state.losses.len();
        let shots = self.recipe.frames.max(1);
        let due = (self.frames.len() * self.total).div_ceil(shots);
        if done < due || self.frames.len() > shots {
            return Ok(());
        }
        let mut frame = match &self.mean {
            Some(mean) => (self.draw)(mean)?,
            None => (self.draw)(&players.generator.valid())?,
        };
        frame.label = format!("iteration {done}");
        if let Some(folder) = &self.folder {
            folder.keep_frame(self.frames.len(), &frame)?;
        }
        self.state.frames.push(frame.label.clone());
        self.frames.push(frame);
        Ok(())
    }

    fn save<D: Discriminator>(&self, players: &Adversaries<G, D>) -> Result<()> {
        match &self.folder {
            Some(folder) => folder.save(&self.state, players, self.mean.as_ref()),
            None => Ok(()),
        }
    }

    /// Adds which players were being trained and what is left of them.
    fn explain(&self, error: Error) -> Error {
        let kept = self.folder.as_ref().and_then(Folder::iterations);
        let kept = match kept {
            Some(kept) => format!("the checkpoint of iteration {kept} is kept"),
            None => "there is no checkpoint yet".to_string(),
        };
        let at = format!(
            "iteration {} of {}",
            self.state.losses.len() + 1,
            self.total
        );
        let name = self.name;
        match error {
            Error::Interrupted(why) => {
                Error::Interrupted(format!("{name}: {why} before {at}; {kept}"))
            }
            Error::Training(why) => {
                Error::Training(format!("{name}: stopped in {at}: {why}; {kept}"))
            }
            other => other,
        }
    }
}
