//! The game of two networks: the same seed gives the same numbers, a training that was stopped and resumed ends where the
//! uninterrupted one does, and one that has broken down says so.

use std::cell::Cell;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use ch09_gan::examples::Examples;
use ch09_gan::judge::{made, noise_for};
use ch09_gan::modes::nine_gaussians;
use ch09_gan::players::Generator;
use ch09_gan::simple::{SimpleDiscriminator, SimpleGenerator};
use ch09_gan::training::{GanRecipe, Objective, Trained, train};
use common::data::Points;
use common::plot::Frame;
use common::train::{Display, Folders, Session};
use common::{Error, Result};

type Players = Trained<SimpleGenerator, SimpleDiscriminator>;

fn session(folder: Option<&Path>, resume: bool) -> Session {
    Session {
        device: Device::flex(),
        seed: 5,
        display: Display::Quiet,
        folders: folder.map(|folder| Folders {
            checkpoints: folder.join("checkpoints"),
            models: folder.join("models"),
        }),
        resume,
        reuse: Vec::new(),
        context: serde_json::Value::Null,
    }
}

fn recipe(objective: Objective) -> GanRecipe {
    GanRecipe {
        batch_size: 16,
        decay: true,
        frames: 3,
        ..GanRecipe::book(objective, 3)
    }
}

const WASSERSTEIN: Objective = Objective::Wasserstein {
    penalty: 10.0,
    updates: 2,
};

fn draw(generator: &SimpleGenerator) -> Result<Frame> {
    let device = Device::flex();
    let noise = noise_for(generator, 9, 1, &device)?;
    let points = made(generator, &noise, None, &device)?;
    Ok(Frame::mosaic(&points[..16], 2, 2, 1))
}

fn run(session: &Session, data: &dyn Examples, recipe: &GanRecipe) -> Result<Players> {
    let device = Device::flex();
    let players = (
        SimpleGenerator::new(4, 8, 2, false, &device),
        SimpleDiscriminator::new(2, 8, &device),
    );
    train(session, "toy", players, data, recipe, &draw)
}

/// Points that can't be read from some iteration on, as if the process had been killed there.
struct Breaking {
    points: Points,
    left: Cell<usize>,
}

impl Examples for Breaking {
    fn count(&self) -> usize {
        self.points.len()
    }

    fn rows(&self, indices: &[usize], device: &Device) -> Tensor<2> {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        let rows = Examples::rows(&self.points, indices, device);
        if left == 0 { rows * f32::NAN } else { rows }
    }

    fn classes(&self, indices: &[usize]) -> Vec<u8> {
        Examples::classes(&self.points, indices)
    }
}

fn sample(trained: &Players) -> Vec<f32> {
    points_of(&trained.generator)
}

fn points_of(generator: &SimpleGenerator) -> Vec<f32> {
    let device = Device::flex();
    let noise = noise_for(generator, 20, 2, &device).unwrap();
    made(generator, &noise, None, &device).unwrap()
}

/// One test, since the weights are drawn from the generator that Flex has for the whole process.
#[test]
fn trainings_are_exact() {
    let data = nine_gaussians(8, 1);
    for (objective, average) in [(Objective::Standard, 0.0), (WASSERSTEIN, 0.9)] {
        let recipe = GanRecipe {
            average,
            ..recipe(objective)
        };
        let first = run(&session(None, false), &data, &recipe).unwrap();
        let again = run(&session(None, false), &data, &recipe).unwrap();
        assert_eq!(first.losses.len(), 3 * (72 / 16));
        assert_eq!(first.losses, again.losses);
        assert_eq!(first.frames, again.frames);
        assert_eq!(first.frames.len(), 4);
        assert_eq!(first.history.epochs(), 3);
        let g: Vec<f32> = first.losses.iter().map(|loss| loss[1]).collect();
        let kept = g.windows(2).filter(|pair| pair[0] == pair[1]).count();
        match objective {
            Objective::Standard => assert_eq!(kept, 0),
            // G waits for every second step of D.
            Objective::Wasserstein { .. } => assert_eq!(kept, 5),
        }

        let whole = first;
        let folder = tempfile::tempdir().unwrap();
        stop_in(folder.path(), &data, &recipe);
        let resumed = run(&session(Some(folder.path()), true), &data, &recipe).unwrap();
        assert_eq!(whole.losses, resumed.losses);
        assert_eq!(whole.frames, resumed.frames);
        assert_eq!(sample(&whole), sample(&resumed));
        let means = |trained: &Players| trained.history.column("D loss");
        assert_eq!(means(&whole), means(&resumed));
        assert!(folder.path().join("models/toy-last.bpk").is_file());

        // Taken over by a later run that wants the same training.
        let mut other = session(None, false);
        other.reuse = vec![folder.path().join("checkpoints")];
        let taken = run(&other, &data, &recipe).unwrap();
        assert_eq!(sample(&taken), sample(&whole));
        assert_eq!(taken.frames, whole.frames);

        let changed = GanRecipe {
            rate: 2e-4,
            ..recipe.clone()
        };
        let error = run(&session(Some(folder.path()), true), &data, &changed);
        let error = error.err().unwrap().to_string();
        assert!(error.contains("lr was 0.0001 and is now 0.0002"), "{error}");
        damaged_checkpoints_are_named(folder.path(), &data, &recipe);

        // The mean of its weights is another generator than that of the last iteration, and does not change the game.
        let averages = sample(&whole) != points_of(&whole.last);
        assert_eq!(averages, average > 0.0);
        let plain = GanRecipe {
            average: 0.0,
            ..recipe
        };
        let plain = run(&session(None, false), &data, &plain).unwrap();
        assert_eq!(sample(&plain), points_of(&whole.last));
    }
    broken_trainings_stop(&data);
}

/// Leaves what a training leaves that breaks down in the third iteration of its second epoch of four: the checkpoint of the first.
fn stop_in(folder: &Path, data: &Points, recipe: &GanRecipe) {
    let breaking = Breaking {
        points: data.clone(),
        left: Cell::new(6),
    };
    let error = run(&session(Some(folder), false), &breaking, recipe);
    let error = error.err().unwrap();
    assert!(matches!(error, Error::Training(_)), "{error}");
    let said = error.to_string();
    let kept = said.contains("the checkpoint of iteration 4 is kept");
    assert!(said.contains("loss is NaN") && kept, "{said}");
}

fn damaged_checkpoints_are_named(folder: &Path, data: &Points, recipe: &GanRecipe) {
    let checkpoints = folder.join("checkpoints/toy");
    let error = |session: &Session| run(session, data, recipe).err().unwrap().to_string();
    let mean = (recipe.average > 0.0).then_some("mean-12.bpk");
    for name in [
        "frame-000.png",
        "generator-12.bpk",
        "of-discriminator-12.bpk",
        "state.json",
    ]
    .into_iter()
    .chain(mean)
    {
        let path = checkpoints.join(name);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, b"{ no").unwrap();
        let said = error(&session(Some(folder), true));
        std::fs::write(&path, whole).unwrap();
        assert!(said.contains("damaged") && said.contains(name), "{said}");
    }
}

fn broken_trainings_stop(data: &Points) {
    let recipe = recipe(WASSERSTEIN);
    for bad in [
        GanRecipe {
            batch_size: 73,
            ..recipe.clone()
        },
        GanRecipe {
            epochs: 0,
            ..recipe.clone()
        },
        GanRecipe {
            rate: f64::NAN,
            ..recipe.clone()
        },
        GanRecipe {
            average: 1.0,
            ..recipe.clone()
        },
    ] {
        let error = run(&session(None, false), data, &bad).err().unwrap();
        assert!(matches!(error, Error::Usage(_)), "{error}");
    }
}

#[test]
fn noise_is_that_of_its_seed() {
    let device = Device::flex();
    let g = SimpleGenerator::new(4, 8, 2, false, &device);
    let noise = |seed| noise_for(&g, 1_000, seed, &device).unwrap();
    assert_eq!(noise(1), noise(1));
    assert_ne!(noise(1), noise(2));
    let z = noise(3);
    assert_eq!(z.len(), 1_000 * g.noise_size());
    let mean = z.iter().sum::<f32>() / z.len() as f32;
    let variance = z.iter().map(|v| v * v).sum::<f32>() / z.len() as f32;
    assert!(mean.abs() < 0.06 && (variance - 1.0).abs() < 0.1);
}
