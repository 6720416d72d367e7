//! What trained networks look at: the weights of words in 12.3, 12.6 and 12.7, and what each word looks at in 12.7.

use burn::tensor::Device;
use common::Result;
use common::data::{NEWS_CLASSES, UNK, Vocabulary, basic_english};
use common::experiment::Run;
use common::plot;
use common::train::Classifier;

use super::trainings::{Lesson, Net, attention, transformer};
use crate::classify::{Answer, answer};
use crate::layers::Attentive;
use crate::padding::Padding;

/// The text that the figures show.
const SHOWN: &str = "Stocks fall as oil prices rise";

/// A figure and a line about which words of a text weigh how much.
pub(super) fn at_words(run: &mut Run, lesson: &Lesson, net: Net) -> Result<()> {
    let (words, device) = (lesson.vocabulary.len(), run.device().clone());
    let ids = lesson.vocabulary.encode(&basic_english(SHOWN));
    let found = match net {
        Net::Transformer => {
            let fresh = Classifier::new(transformer(words, Padding::Masked, &device));
            ask(&run.load(net.name(), fresh)?.network, &ids, &device)?
        }
        _ => {
            let fresh = Classifier::new(attention(net, words, Padding::Masked, &device));
            ask(&run.load(net.name(), fresh)?.network, &ids, &device)?
        }
    };
    let names = written(&lesson.vocabulary, &ids);
    let pairs = names
        .into_iter()
        .zip(found.weights.iter().map(|w| f64::from(*w)));
    let figure = plot::bars(
        &format!("{SHOWN}: {}", found.class()),
        "weight of each word",
        &pairs.collect::<Vec<_>>(),
    );
    run.figure(
        "words",
        "Which words the attention weights how much.",
        &figure,
    )?;
    let probabilities = NEWS_CLASSES.iter().zip(&found.probabilities);
    let probabilities: Vec<String> = probabilities
        .map(|(name, p)| format!("{name} {p:.3}"))
        .collect();
    run.say(format!("{SHOWN:?}: {}", probabilities.join(", ")));
    Ok(())
}

fn ask<N: Attentive>(network: &N, ids: &[u32], device: &Device) -> Result<Answer> {
    answer(network, ids, device)
}

/// A heat map of the first layer of the transformer.
pub(super) fn at_each_other(run: &mut Run, lesson: &Lesson) -> Result<()> {
    let device = run.device().clone();
    let fresh = Classifier::new(transformer(
        lesson.vocabulary.len(),
        Padding::Masked,
        &device,
    ));
    let network = run.load(Net::Transformer.name(), fresh)?.network;
    let ids = lesson.vocabulary.encode(&basic_english(SHOWN));
    let alone: common::data::Sequences = [ids.as_slice()].into_iter().collect();
    let padded = alone.padded(&[0], common::data::PAD, &device);
    let Some(weights) = network.first_attention(padded.ids) else {
        return Ok(());
    };
    let weights: Vec<f32> = weights.into_data().iter::<f32>().collect();
    let most = weights.iter().copied().fold(0.0, f32::max);
    let names = written(&lesson.vocabulary, &ids);
    let what =
        "weight of each word (column) for each word (row), mean of the heads of the first layer";
    let figure = plot::heat_map("Self-attention", what, &names, &names, &weights, most);
    run.figure(
        "self-attention",
        "What each word looks at in the first layer of the transformer.",
        &figure,
    )
}

/// The words as the network reads them: those that are not known as `<unk>`.
fn written(vocabulary: &Vocabulary, ids: &[u32]) -> Vec<String> {
    let words = basic_english(SHOWN);
    let shown = ids
        .iter()
        .enumerate()
        .map(|(i, &id)| match words.get(i.wrapping_sub(1)) {
            Some(word) if id == UNK => format!("({word})"),
            _ => vocabulary.word(id).to_string(),
        });
    shown.collect()
}
