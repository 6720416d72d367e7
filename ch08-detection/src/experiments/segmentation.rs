//! 8.1 to 8.3: three networks that segment nuclei. A network of the same name is the same training: 8.2 takes over what 8.1 has trained.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use common::data::{Batches, Segmented, Split, nuclei};
use common::experiment::{Preset, Run};
use common::train::{History, Recipe, Schedule, Score};
use common::{Error, Result, plot};

use super::mask_pictures::{compare, examples, show};
use crate::networks::{PlainCnn, SegmentationNetwork, TransposedCnn};
use crate::regions::{Mistakes, mistakes};
use crate::segmentation::{Segmenter, predicted};
use crate::unet::UNet;

/// Side of the pictures, to which all are made.
const SIDE: usize = 256;

const PLAIN: &str = "plain CNN";
const TRANSPOSED: &str = "transposed CNN";
/// The network that `segment` takes.
pub(crate) const UNET: &str = "U-Net";

/// A fresh U-Net as 8.3 trains it.
pub(crate) fn unet(device: &Device) -> Segmenter<UNet> {
    Segmenter::new(UNet::new(device))
}

/// A trained network's curves, its masks of the validation pictures, and what is wrong with them.
pub(super) struct Trained {
    pub(super) name: &'static str,
    history: History,
    pub(super) masks: Vec<Vec<u8>>,
    mistakes: Vec<Mistakes>,
}

impl Trained {
    fn best(&self, column: &str, better: fn(f64, f64) -> f64) -> f64 {
        self.history
            .column(column)
            .into_iter()
            .fold(f64::NAN, better)
    }

    /// The lowest validation loss of any epoch.
    fn lowest_loss(&self) -> f64 {
        self.best("validation loss", f64::min)
    }

    /// The highest IoU of any epoch.
    fn highest_iou(&self) -> f64 {
        self.best("validation IoU", f64::max)
    }

    /// Mean number of mistakes of a kind per picture.
    fn mean(&self, of: impl Fn(&Mistakes) -> usize) -> f64 {
        let sum: usize = self.mistakes.iter().map(of).sum();
        sum as f64 / self.mistakes.len() as f64
    }

    fn holes(&self) -> f64 {
        self.mean(|m| m.holes)
    }

    fn phantoms(&self) -> f64 {
        self.mean(|m| m.phantoms)
    }
}

/// 8.1
pub(super) fn plain(run: &mut Run) -> Result<()> {
    let data = pictures(run)?;
    examples(run, &data.test)?;
    let plain = train_plain(run, &data)?;
    show(run, &data.test, &plain)?;
    curves(run, &[&plain])?;
    record(run, &plain, Some(0.12));
    run.claim(
        "the plain network leaves holes and phantom objects",
        plain.holes() > 0.0 && plain.phantoms() > 0.0,
        format!(
            "{:.1} holes and {:.1} phantoms a picture",
            plain.holes(),
            plain.phantoms()
        ),
    );
    let loss = plain.history.last("validation loss");
    run.claim_near("validation loss of the plain network", loss, 0.12, 0.06);
    Ok(())
}

/// 8.2
pub(super) fn transposed(run: &mut Run) -> Result<()> {
    let data = pictures(run)?;
    let plain = train_plain(run, &data)?;
    let transposed = train_transposed(run, &data)?;
    show(run, &data.test, &transposed)?;
    curves(run, &[&plain, &transposed])?;
    record(run, &plain, Some(0.12));
    record(run, &transposed, Some(0.17));
    run.metric_beside(
        "lowest validation loss, transposed CNN",
        transposed.lowest_loss(),
        0.115,
    );
    fewer(run, &transposed, &plain);
    let detail = losses(&[&plain, &transposed]);
    run.claim(
        "the lower loss",
        transposed.lowest_loss() < plain.lowest_loss(),
        detail,
    );
    let lowest = transposed.lowest_loss();
    run.claim_near("lowest validation loss", lowest, 0.115, 0.05);
    Ok(())
}

/// 8.3
pub(super) fn u_net(run: &mut Run) -> Result<()> {
    let data = pictures(run)?;
    let plain = train_plain(run, &data)?;
    let transposed = train_transposed(run, &data)?;
    let device = run.device().clone();
    let unet = train(run, &data, UNET, UNet::new(&device))?;
    show(run, &data.test, &unet)?;
    let all = [&plain, &transposed, &unet];
    compare(run, &data.test, &all)?;
    curves(run, &all)?;
    for (trained, book) in all.into_iter().zip([0.12, 0.17, 0.0875]) {
        record(run, trained, Some(book));
    }
    let others = plain.lowest_loss().min(transposed.lowest_loss());
    run.claim(
        "the U-Net has the lowest loss of the three",
        unet.lowest_loss() < others,
        losses(&all),
    );
    let detail = all.map(|t| format!("{:.3} ({})", t.highest_iou(), t.name));
    run.claim(
        "and the best overlap with the true masks",
        unet.highest_iou() > plain.highest_iou().max(transposed.highest_iou()),
        format!("highest IoU {}", detail.join(", ")),
    );
    let loss = unet.history.last("validation loss");
    run.claim_near("validation loss of the U-Net", loss, 0.0875, 0.04);
    Ok(())
}

/// All nuclei; at `smoke` a few small pictures.
fn pictures(run: &mut Run) -> Result<Split<Segmented>> {
    let side = run.pick(64, SIDE, SIDE);
    let all = nuclei(&run.data_options(), side, run.seed())?;
    let most = run.pick([12, 8], [500, 24], [500, 170]);
    let [train, test] = most.map(|n| run.limited(n));
    let mut data = Split {
        train: all.train.take(train),
        test: all.test.take(test),
        source: all.source,
    };
    (data.source.train, data.source.test) = (data.train.len(), data.test.len());
    if data.test.is_empty() {
        return Err(Error::Data("there is no picture to validate with".into()));
    }
    run.uses(data.source.clone());
    Ok(data)
}

fn train_plain(run: &mut Run, data: &Split<Segmented>) -> Result<Trained> {
    let device = run.device().clone();
    train(run, data, PLAIN, PlainCnn::new(&device))
}

fn train_transposed(run: &mut Run, data: &Split<Segmented>) -> Result<Trained> {
    let device = run.device().clone();
    train(run, data, TRANSPOSED, TransposedCnn::new(&device))
}

/// Trains a network; below the preset `book` on squares cut from the pictures, others in each epoch.
fn train<N: SegmentationNetwork>(
    run: &mut Run,
    data: &Split<Segmented>,
    name: &'static str,
    network: N,
) -> Result<Trained> {
    // With fewer pixels smaller batches, so that there are as many updates as in the book, and a rate that falls to 0: on batches of 8
    // squares the losses swing too much from one epoch to the next to say which network is the best.
    let (batch, epochs) = run.pick((4, 1), (8, 16), (16, 10));
    let recipe = Recipe::adamw(batch, epochs).with_scores(&[Score::Iou, Score::Dice]);
    let mut recipe = run.recipe(&recipe);
    if run.preset() == Preset::Quick {
        let epochs = recipe.epochs.max(1);
        recipe = recipe.with_schedule(Schedule::Cosine { epochs, min: 0.0 });
    }
    let squares = Arc::new(data.train.cropped(run.pick(32, 128, SIDE)));
    let evaluate = [("validation", Arc::new(data.test.clone()))];
    let fitted = run.fit_on(name, Segmenter::new(network), &squares, &evaluate, &recipe)?;
    let device = run.device().clone();
    let masks = masks(&fitted.model.network, &data.test, &device)?;
    let each = masks.iter().enumerate();
    let mistakes = each.map(|(i, mask)| mistakes(mask, data.test.mask(i), data.test.width));
    Ok(Trained {
        name,
        history: fitted.history,
        mistakes: mistakes.collect(),
        masks,
    })
}

/// The predicted mask of each picture, [height, width], 0 and 1.
fn masks<N: SegmentationNetwork>(
    network: &N,
    pictures: &Segmented,
    device: &Device,
) -> Result<Vec<Vec<u8>>> {
    let mut all = Vec::with_capacity(pictures.len());
    for i in 0..pictures.len() {
        let batch = pictures.batch(&[i], 0, device);
        let mask: Tensor<4> = predicted(network.forward(batch.inputs)); // [1, 1, H, W]
        let values = mask.into_data().try_to_vec::<f32>();
        let values =
            values.map_err(|error| Error::Training(format!("reading a mask: {error:?}")))?;
        all.push(values.into_iter().map(|v| u8::from(v > 0.5)).collect());
    }
    Ok(all)
}

fn losses(trained: &[&Trained]) -> String {
    let each = trained
        .iter()
        .map(|t| format!("{:.4} ({})", t.lowest_loss(), t.name));
    format!(
        "lowest validation loss {}",
        each.collect::<Vec<_>>().join(", ")
    )
}

/// Claims that `one` makes fewer holes and phantoms than `other`.
fn fewer(run: &mut Run, one: &Trained, other: &Trained) {
    for (what, one, other) in [
        ("holes", one.holes(), other.holes()),
        ("phantom objects", one.phantoms(), other.phantoms()),
    ] {
        run.claim(
            &format!("fewer {what} than the plain network"),
            one < other,
            format!("{one:.2} against {other:.2} a picture"),
        );
    }
}

/// Records what became of a network, beside the book's last validation loss.
fn record(run: &mut Run, trained: &Trained, book: Option<f64>) {
    let name = trained.name;
    let last = |column: &str| trained.history.last(column);
    let loss = format!("validation loss, {name}");
    match book {
        Some(book) => run.metric_beside(&loss, last("validation loss"), book),
        None => run.metric(&loss, last("validation loss")),
    }
    run.metric(&format!("IoU, {name}"), last("validation IoU"));
    run.metric(&format!("Dice, {name}"), last("validation Dice"));
    run.metric(&format!("holes a picture, {name}"), trained.holes());
    run.metric(
        &format!("phantom objects a picture, {name}"),
        trained.phantoms(),
    );
}

/// Loss and IoU against epoch.
fn curves(run: &mut Run, trained: &[&Trained]) -> Result<()> {
    for (file, column) in [("loss", "validation loss"), ("iou", "validation IoU")] {
        let mut chart = plot::lines("Segmentation of nuclei", "epoch", column);
        for one in trained {
            let (x, y) = (one.history.column("epoch"), one.history.column(column));
            chart = chart.line(one.name, &x, &y);
        }
        let caption = format!("{column} against epoch.");
        run.figure(file, &caption, &chart.build())?;
    }
    Ok(())
}
