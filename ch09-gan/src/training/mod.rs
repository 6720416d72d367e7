//! The training of two networks against each other.
//!
//! A loop of its own: `common::train::fit` and burn-train's learner have one model, one optimizer and one loss, the game has two of each.
//!
//! Everything random in iteration k is drawn from (seed, name, k), so a training stopped after any iteration and resumed equals one that
//! was not stopped, bit for bit, on one device with one number of threads.

mod checkpoint;
mod health;
mod recipe;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use common::plot::Frame;
use common::seed::mix;
use common::train::{
    Display, History, Progress, Session, count_parameters, draw_weights, interrupt, program,
    save_model, slug,
};
use common::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

pub use recipe::{GanRecipe, Objective};

use crate::adversaries::Adversaries;
use crate::examples::Examples;
use crate::losses::CriticBatch;
use crate::noise::Noise;
use crate::players::{Discriminator, Generator};
use checkpoint::{Folder, State};
use health::Health;

/// A checkpoint is written at least this often.
const BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(20);
/// And at the end of an epoch, unless that would take more than a part of the time: this many times what the last one took has to have
/// passed.
const WORTH: u32 = 10;

/// Draws what a generator makes of one fixed batch of noise.
pub type Draw<'a, G> = &'a dyn Fn(&G) -> Result<Frame>;

/// Two trained players.
pub struct Trained<G, D> {
    /// The generator, in evaluation mode.
    pub generator: G,
    /// The discriminator, in evaluation mode.
    pub discriminator: D,
    /// A row per epoch: the mean losses of both.
    pub history: History,
    /// D's loss and G's in each iteration.
    pub losses: Vec<[f32; 2]>,
    /// What the generator made of one batch of noise, from the first iteration to the last.
    pub frames: Vec<Frame>,
    /// Trainable parameters of G and of D.
    pub parameters: [usize; 2],
}

/// Trains both players on `data`.
///
/// # Errors
/// [`Error::Usage`] for a recipe that can't be trained or a checkpoint of another one; [`Error::Data`] for damaged checkpoints;
/// [`Error::Training`] for a loss that is no number or a discriminator that has collapsed; [`Error::Interrupted`] after Ctrl-C. The
/// last good checkpoint stays.
pub fn train<G: Generator, D: Discriminator>(
    session: &Session,
    name: &str,
    players: (G, D),
    data: &dyn Examples,
    recipe: &GanRecipe,
    draw: Draw<G>,
) -> Result<Trained<G, D>> {
    recipe.validate(data.count())?;
    let slug = slug(name);
    let seed = slug
        .bytes()
        .fold(session.seed, |seed, byte| mix(seed, u64::from(byte)));
    let (generator, discriminator) = players;
    session.device.seed(seed);
    draw_weights(&generator);
    draw_weights(&discriminator);
    let parameters = [
        count_parameters(&generator),
        count_parameters(&discriminator),
    ];
    let fingerprint = json!({
        "parameters": parameters,
        "epochs": recipe.epochs,
        "batch size": recipe.batch_size,
        "lr": recipe.rate,
        "decay": recipe.decay,
        "objective": recipe.objective,
        "conditional": recipe.conditional,
        "frames": recipe.frames,
        "seed": session.seed,
        "context": session.context,
        "training examples": data.count(),
    });
    let own = session.folders.as_ref();
    let own = own.map(|folders| Folder(folders.checkpoints.join(&slug)));

    let autodiff = session.device.clone().autodiff();
    let fresh = Adversaries::new(
        generator.train().fork(&autodiff),
        discriminator.train().fork(&autodiff),
    );
    let mut game = Game {
        name,
        recipe,
        data,
        draw,
        seed,
        device: session.device.clone(),
        total: recipe.iterations(data.count()),
        per_epoch: data.count() / recipe.batch_size,
        state: State::new(fingerprint.clone()),
        frames: Vec::new(),
        folder: own,
        health: Health::default(),
    };
    let (mut players, mut taken) = (fresh, None);
    if let (Some(folder), true) = (&game.folder, session.resume) {
        if let Some(state) = folder.find(&fingerprint)? {
            players = folder.load(&state, players)?;
            game.take_over(folder.frames(&state)?, state);
        }
    } else {
        let others = session.reuse.iter().map(|other| other.join(&slug));
        taken = others.map(Folder).find_map(|other| {
            let state = other.find(&fingerprint).ok()??;
            let done = state.losses.len() == game.total && state.program == program();
            done.then_some((other, state))
        });
    }
    if let Some((other, state)) = taken {
        players = other.load(&state, players)?;
        game.take_over(other.frames(&state)?, state);
        if session.display != Display::Quiet {
            println!("{name}  taken from {}", other.0.display());
        }
    } else {
        players = game.play(players, session.display)?;
    }
    let (generator, discriminator) = (players.generator.valid(), players.discriminator.valid());
    if let Some(folders) = &session.folders {
        let path =
            |which: &str| -> PathBuf { folders.models.join(format!("{slug}{which}-last.bpk")) };
        save_model(generator.clone(), &path(""))?;
        save_model(discriminator.clone(), &path("-discriminator"))?;
    }
    Ok(Trained {
        generator,
        discriminator,
        history: game.state.history,
        losses: game.state.losses,
        frames: game.frames,
        parameters,
    })
}

/// A training under way.
struct Game<'a, G> {
    name: &'a str,
    recipe: &'a GanRecipe,
    data: &'a dyn Examples,
    draw: Draw<'a, G>,
    seed: u64,
    /// Without automatic differentiation.
    device: Device,
    /// Iterations in all and in an epoch.
    total: usize,
    per_epoch: usize,
    state: State,
    frames: Vec<Frame>,
    folder: Option<Folder>,
    health: Health,
}

impl<G: Generator> Game<'_, G> {
    fn take_over(&mut self, frames: Vec<Frame>, state: State) {
        self.frames = frames;
        self.state = state;
    }

    /// The examples of an epoch in its order.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.data.count()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(mix(self.seed, epoch as u64)));
        order
    }

    fn play<D: Discriminator>(
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
        let mut frame = (self.draw)(&players.generator.valid())?;
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
            Some(folder) => folder.save(&self.state, players),
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
