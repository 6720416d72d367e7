//! 11.1: the translator is trained and scored.

use common::data::{Split, english_french};
use common::experiment::Run;
use common::train::{Clip, Fitted, Recipe};
use common::{Error, Result, plot};

use crate::bleu::corpus_bleu;
use crate::pairs::Translations;
use crate::search::{LONGEST_TRANSLATION, Translation};
use crate::seq2seq::Seq2Seq;
use crate::translate::VOCABULARY;
use crate::words::{PAD, Vocabulary, of_common_words, short_pairs};

/// The model's name in figures and files.
pub(crate) const MODEL: &str = "Seq2Seq";
/// Pairs per update, and sources that are translated at a time.
const BATCH: usize = 128;
/// Gradients are cut here, from both sides.
const CLIP: f64 = 10.0;
/// At `quick` a word occurs at least so often: fewer words, and each of them learned better.
const COMMON: usize = 20;
/// Pairs of the preset `smoke`.
const SMOKE: usize = 300;
/// Beginnings that the beam keeps.
pub(super) const BEAM: usize = 5;
/// Words of the book's vocabulary.
const BOOK_WORDS: usize = 24_577;

/// Pairs for training and testing, and the words that they are made of.
pub(super) struct Lesson {
    pub(super) vocabulary: Vocabulary,
    pub(super) data: Split<Translations>,
}

/// The sentences of this preset.
pub(super) fn lesson(run: &mut Run) -> Result<Lesson> {
    let (pairs, mut source) = english_french(&run.data_options())?;
    let mut pairs = short_pairs(&pairs);
    pairs = run.pick(
        pairs.iter().take(SMOKE).cloned().collect(),
        of_common_words(pairs.clone(), COMMON),
        pairs,
    );
    let vocabulary = Vocabulary::new(&pairs);
    let (train, test) = Translations::new(&pairs, &vocabulary).split(run.seed());
    let train = train.take(run.limited(train.len()));
    let test = test.take(run.limited(test.len()));
    if train.is_empty() || test.is_empty() {
        return Err(Error::Data(format!(
            "{} has no pairs of up to 6 words to train and to test on",
            source.name
        )));
    }
    (source.train, source.test) = (train.len(), test.len());
    run.uses(source.clone());
    let data = Split {
        train,
        test,
        source,
    };
    Ok(Lesson { vocabulary, data })
}

/// Trains the translator, or takes over the one that the chapter's other experiment has trained, and saves its vocabulary beside it.
pub(super) fn train(run: &mut Run, lesson: &Lesson) -> Result<Fitted<Seq2Seq>> {
    let recipe = Recipe::adamw(BATCH, run.pick(2, 12, 20))
        .with_scores(&[])
        .with_clip(Clip::Value(CLIP));
    let model = Seq2Seq::new(lesson.vocabulary.len(), run.device());
    let fitted = run.fit(MODEL, model, &lesson.data, &recipe)?;
    let models = run.folder().join("models");
    lesson.vocabulary.save(&models.join(VOCABULARY))?;
    Ok(fitted)
}

/// 11.1
pub(super) fn seq2seq(run: &mut Run) -> Result<()> {
    let lesson = lesson(run)?;
    let fitted = train(run, &lesson)?;
    let history = &fitted.history;
    let epochs = history.column("epoch");
    let chart = plot::lines("Seq2Seq with attention", "epoch", "loss")
        .line("train", &epochs, &history.column("train loss"))
        .line("test", &epochs, &history.column("test loss"));
    run.figure(
        "loss",
        "Loss, summed over the words of a sentence, against epoch. Half of the training batches are given the true words, the test batches all.",
        &chart.build(),
    )?;
    let [first, last] = [history.first("train loss"), history.last("train loss")];
    run.metric("words of the vocabulary", lesson.vocabulary.len() as f64);
    run.metric_beside("train loss, first epoch", first, 30.5);
    run.metric_beside("train loss, last epoch", last, 3.2);
    run.metric("test loss, last epoch", history.last("test loss"));
    run.claim(
        "the loss falls to less than half",
        last < 0.5 * first,
        format!("train loss {first:.2}, in the last epoch {last:.2}"),
    );
    if lesson.vocabulary.len() + 1 >= BOOK_WORDS {
        run.claim_near("train loss", last, 3.2, 0.8);
    }
    score(run, &lesson, &fitted.model)
}

/// BLEU and exact matches, greedy and with a beam.
fn score(run: &mut Run, lesson: &Lesson, model: &Seq2Seq) -> Result<()> {
    let test = &lesson.data.test;
    let greedy = translate_all(run, test, model)?;
    let finished = greedy.iter().filter(|t| t.is_finished()).count();
    let count = test.len().min(run.pick(20, 500, 1_000));
    let device = run.device().clone();
    let beam = (0..count).map(|i| {
        let source = test.sources.get(i);
        model.beam(source, BEAM, LONGEST_TRANSLATION, &device)
    });
    let beam = beam.collect::<Result<Vec<_>>>()?;
    let sets = [
        ("greedy", &greedy[..]),
        ("greedy, as many as with a beam", &greedy[..count]),
        ("beam of 5", &beam[..]),
    ];
    for (name, translations) in sets {
        let written = |i: usize| lesson.vocabulary.text(translations[i].text());
        let wanted = |i: usize| lesson.vocabulary.text(test.reference(i));
        let all: Vec<String> = (0..translations.len()).map(written).collect();
        let references: Vec<String> = (0..translations.len()).map(wanted).collect();
        let exact = all.iter().zip(&references).filter(|(a, b)| a == b).count();
        let bleu = corpus_bleu(&all, &references);
        run.metric(&format!("BLEU, {name}"), bleu.score);
        let share = exact as f64 / all.len() as f64;
        run.metric(&format!("exact matches, {name}"), share);
        if name == "greedy" {
            run.claim(
                "translations of sentences it has not seen share whole phrases with the references",
                bleu.score > 15.0,
                format!("BLEU {:.1}, {:.1} % exact", bleu.score, 100.0 * share),
            );
        }
    }
    let share = finished as f64 / greedy.len() as f64;
    run.claim(
        "decoding stops at EOS",
        share > 0.95,
        format!(
            "{:.1} % of the translations end before the limit",
            100.0 * share
        ),
    );
    Ok(())
}

/// The greedy translations of all sources.
pub(super) fn translate_all(
    run: &Run,
    pairs: &Translations,
    model: &Seq2Seq,
) -> Result<Vec<Translation>> {
    let indices: Vec<usize> = (0..pairs.len()).collect();
    let mut all = Vec::with_capacity(pairs.len());
    for indices in indices.chunks(BATCH) {
        let source = pairs.sources.padded(indices, PAD, run.device());
        all.extend(model.greedy(&source)?);
    }
    Ok(all)
}
