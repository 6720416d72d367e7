//! The training of two networks against each other.
//!
//! A loop of its own: `common::train::fit` and burn-train's learner have one model, one optimizer and one loss, the game has two of each.
//!
//! Everything random in iteration k is drawn from (seed, name, k), so a training stopped after any iteration and resumed equals one that
//! was not stopped, bit for bit, on one device with one number of threads.

mod average;
mod checkpoint;
mod game;
mod health;
mod recipe;

use std::path::PathBuf;

use common::Result;
use common::plot::Frame;
use common::seed::mix;
use common::train::{
    Display, History, Session, count_parameters, draw_weights, program, save_model, slug,
};
use serde_json::json;

pub use recipe::{GanRecipe, Objective};

use crate::adversaries::Adversaries;
use crate::examples::Examples;
use crate::players::{Discriminator, Generator};
use checkpoint::{Folder, State};
use game::Game;
use health::Health;

/// Draws what a generator makes of one fixed batch of noise.
pub type Draw<'a, G> = &'a dyn Fn(&G) -> Result<Frame>;

/// Two trained players.
pub struct Trained<G, D> {
    /// The generator, in evaluation mode; its weights are a running mean where the recipe asks for one.
    pub generator: G,
    /// The generator with the weights of the last iteration.
    pub last: G,
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
/// [`Usage`](common::Error::Usage) for a recipe that can't be trained or a checkpoint of another one;
/// [`Data`](common::Error::Data) for damaged checkpoints; [`Training`](common::Error::Training) for a loss that is no number or a
/// discriminator that has collapsed; [`Interrupted`](common::Error::Interrupted) after Ctrl-C. The last good checkpoint stays.
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
        "average": recipe.average,
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
        mean: (recipe.average > 0.0).then(|| fresh.generator.valid()),
        folder: own.clone(),
        health: Health::default(),
    };
    let (mut players, mut taken) = (fresh, None);
    if let (Some(folder), true) = (&own, session.resume) {
        if let Some(state) = folder.find(&fingerprint)? {
            players = game.take_over(folder, state, players)?;
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
        players = game.take_over(&other, state, players)?;
        if session.display != Display::Quiet {
            println!("{name}  taken from {}", other.0.display());
        }
    } else {
        players = game.play(players, session.display)?;
    }
    let (last, discriminator) = (players.generator.valid(), players.discriminator.valid());
    let generator = game.mean.unwrap_or_else(|| last.clone());
    if let Some(folders) = &session.folders {
        let path =
            |which: &str| -> PathBuf { folders.models.join(format!("{slug}{which}-last.bpk")) };
        save_model(generator.clone(), &path(""))?;
        save_model(discriminator.clone(), &path("-discriminator"))?;
    }
    Ok(Trained {
        generator,
        last,
        discriminator,
        history: game.state.history,
        losses: game.state.losses,
        frames: game.frames,
        parameters,
    })
}
