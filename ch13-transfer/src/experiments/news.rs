//! The data and the trainings of 13.6 and 13.7: 256 texts with labels, drawn several times, since what is drawn makes a difference.

use std::time::Instant;

use burn::tensor::Device;
use ch12_transformer::{NewsGru, Padding};
use common::data::{
    LabeledSequences, News, Source, Split, Vocabulary, ag_news, ag_news_words, basic_english_all,
    text_encoder,
};
use common::experiment::Run;
use common::seed::mix;
use common::train::{Classifier, History, Recipe};
use common::{Error, Result, data};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::text::{
    AttentionHead, EncodedTexts, MaskedNews, MaskedWords, ReadAgain, TextEncoder, Tokens,
    masked_words,
};

/// The frozen network of the first draw, in figures and files.
pub(crate) const FROZEN: &str = "frozen encoder";
/// The encoder that is trained here.
pub(crate) const TRAINED_HERE: &str = "masked words";
/// The files beside a model that say which encoder it stands on, and which words that knows if it was trained here.
pub(crate) const ENCODER: &str = "encoder.txt";
pub(crate) const WORDS: &str = "encoder-words.txt";
/// Texts per update.
const BATCH: usize = 32;
/// Of the book.
const LABELLED: usize = 256;
/// How often a word has to occur for the encoder that is trained here to know it.
const LEAST: usize = 4;

/// The news, and which of them have labels in each draw.
pub(super) struct Lesson {
    news: Split<News>,
    draws: Vec<Vec<usize>>,
}

/// What a network did in all draws.
pub(super) struct Curves {
    pub(super) name: String,
    pub(super) histories: Vec<History>,
}

impl Curves {
    /// Test accuracies after the last epoch, a draw each.
    pub(super) fn last(&self) -> Vec<f64> {
        let last = |history: &History| history.last("test accuracy");
        self.histories.iter().map(last).collect()
    }

    /// The mean over the draws after each epoch.
    pub(super) fn mean(&self) -> Vec<f64> {
        let columns = self.columns();
        let epochs = columns.iter().map(Vec::len).min().unwrap_or(0);
        let mean = |epoch| columns.iter().map(|c| c[epoch]).sum::<f64>() / columns.len() as f64;
        (0..epochs).map(mean).collect()
    }

    /// Test accuracy after each epoch, a draw each.
    pub(super) fn columns(&self) -> Vec<Vec<f64>> {
        let column = |history: &History| history.column("test accuracy");
        self.histories.iter().map(column).collect()
    }

    /// Seconds of training per epoch.
    pub(super) fn seconds(&self) -> f64 {
        let of = |history: &History| history.last("total time") / history.epochs().max(1) as f64;
        let all: Vec<f64> = self.histories.iter().map(of).collect();
        all.iter().sum::<f64>() / all.len().max(1) as f64
    }
}

/// What a draw's training is called.
fn named(name: &str, draw: usize) -> String {
    match draw {
        0 => name.to_string(),
        draw => format!("{name}, draw {}", draw + 1),
    }
}

/// The texts at hand; of those for testing as many as the preset asks for.
pub(super) fn lesson(run: &mut Run) -> Result<Lesson> {
    let mut news = ag_news(&run.data_options())?;
    let test = run.pick(64, 1_900, usize::MAX);
    news.test = news.test.take(run.limited(test));
    let labelled = run.limited(run.pick(64, LABELLED, LABELLED));
    let source = Source {
        train: labelled.min(news.train.len()),
        test: news.test.len(),
        ..news.source.clone()
    };
    run.uses(source);
    let draw = |draw: u64| {
        let mut order: Vec<usize> = (0..news.train.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(mix(run.seed(), draw)));
        order.truncate(labelled);
        order
    };
    let draws = (0..run.pick(2, 3, 5)).map(draw).collect();
    Ok(Lesson { news, draws })
}

impl Lesson {
    /// The texts of a draw, and their classes.
    fn labelled(&self, draw: usize) -> News {
        let News { texts, labels } = &self.news.train;
        News {
            texts: self.draws[draw].iter().map(|&i| texts[i].clone()).collect(),
            labels: self.draws[draw].iter().map(|&i| labels[i]).collect(),
        }
    }

    fn recipe(run: &Run) -> Recipe {
        Recipe::adamw(BATCH, run.pick(2, 10, 10))
    }
}

/// The GRU of chapter 12 in each draw. Its vocabulary is that of all training texts, and padding has a number of its own behind it.
pub(super) fn gru(run: &mut Run, lesson: &Lesson, padding: Padding) -> Result<Curves> {
    let name = match padding {
        Padding::Masked => "GRU",
        Padding::AsPrinted => "GRU, as printed",
    };
    let (words, vocabulary) = ag_news_words(&lesson.news)?;
    let all = LabeledSequences {
        padding: vocabulary.len() as u32,
        ..words.train
    };
    let test = LabeledSequences {
        padding: all.padding,
        ..words.test
    };
    let draws = match padding {
        Padding::Masked => lesson.draws.len(),
        Padding::AsPrinted => 1,
    };
    let mut histories = Vec::with_capacity(draws);
    for (k, draw) in lesson.draws.iter().enumerate().take(draws) {
        let split = Split {
            train: LabeledSequences {
                sequences: draw.iter().map(|&i| all.sequences.get(i)).collect(),
                labels: draw.iter().map(|&i| all.labels[i]).collect(),
                class_names: all.class_names.clone(),
                ..all
            },
            test: match padding {
                Padding::Masked => test.by_length(),
                Padding::AsPrinted => test.clone(),
            },
            source: words.source.clone(),
        };
        let network = NewsGru::new(vocabulary.len() + 1, padding, run.device());
        let recipe = Lesson::recipe(run);
        let fitted = run.fit(&named(name, k), Classifier::new(network), &split, &recipe)?;
        histories.push(fitted.history);
    }
    Ok(Curves {
        name: name.to_string(),
        histories,
    })
}

/// The best encoder there is: a published one, or else one that learns here from the training texts, without their labels.
pub(super) fn encoder(run: &mut Run, lesson: &Lesson) -> Result<TextEncoder> {
    let device = run.device().clone();
    let otherwise = "a small encoder, trained here to guess hidden words of the news";
    let (encoder, origin, real) = match text_encoder(&run.data_options(), otherwise)? {
        Some(files) => {
            let encoder = TextEncoder::published(&files, &device)?;
            (encoder, files.origin.clone(), files.is_distilbert())
        }
        None => (
            trained_here(run, lesson, &device)?,
            "trained here".to_string(),
            false,
        ),
    };
    run.uses(Source {
        name: format!("encoder {}", encoder.name),
        origin,
        real,
        train: 0,
        test: 0,
    });
    run.attach(ENCODER, encoder.name.as_bytes())?;
    Ok(encoder)
}

/// Trains a small encoder to guess hidden words of all training texts.
fn trained_here(run: &mut Run, lesson: &Lesson, device: &Device) -> Result<TextEncoder> {
    let texts = run.limited(run.pick(256, usize::MAX, usize::MAX));
    let texts = basic_english_all(&lesson.news.train.take(texts).texts);
    let vocabulary = Vocabulary::new(&texts, LEAST);
    let all = MaskedNews::new(&vocabulary.encode_all(&texts), &vocabulary);
    let train = std::sync::Arc::new(all);
    let model = MaskedWords::new(&masked_words::small(&vocabulary), device);
    let recipe = Recipe::adamw(64, run.pick(1, 12, 12)).with_scores(&[]);
    let none: [(&str, std::sync::Arc<MaskedNews>); 0] = [];
    let fitted = run.fit_on(TRAINED_HERE, Classifier::new(model), &train, &none, &recipe)?;
    vocabulary.save(&run.folder().join("models").join(WORDS))?;
    Ok(TextEncoder {
        name: TRAINED_HERE.to_string(),
        bert: fitted.model.network.bert,
        tokens: Tokens::Words(vocabulary),
    })
}

/// The frozen encoder with a trained head in each draw, and how many seconds it took to encode the texts of a draw.
pub(super) fn frozen(
    run: &mut Run,
    lesson: &Lesson,
    encoder: &TextEncoder,
) -> Result<(Curves, f64)> {
    let device = run.device().clone();
    let News { texts, labels } = &lesson.news.test;
    run.say(format!(
        "encoding {} texts once with {}: frozen, it says the same in each epoch",
        texts.len(),
        encoder.name
    ));
    let encode = |texts: &[String], labels: &[u8]| -> Result<(EncodedTexts, f64)> {
        let started = Instant::now();
        let encoded = encoder.encode(texts, labels, &device)?;
        Ok((encoded, started.elapsed().as_secs_f64()))
    };
    let (test, _) = encode(texts, labels)?;
    let mut histories = Vec::with_capacity(lesson.draws.len());
    let mut fastest = f64::INFINITY;
    for draw in 0..lesson.draws.len() {
        let News { texts, labels } = lesson.labelled(draw);
        let (train, seconds) = encode(&texts, &labels)?;
        fastest = fastest.min(seconds);
        let split = Split {
            train,
            test: test.clone(),
            source: lesson.news.source.clone(),
        };
        let head = AttentionHead::new(encoder.bert.width(), Padding::Masked, &device);
        let recipe = Lesson::recipe(run);
        let name = named(FROZEN, draw);
        let fitted = run.fit(&name, Classifier::new(head), &split, &recipe)?;
        histories.push(fitted.history);
    }
    let curves = Curves {
        name: FROZEN.to_string(),
        histories,
    };
    Ok((curves, fastest))
}

/// The first draw in the book's way: the encoder reads each text again in each epoch, padding too, and drops values in training.
pub(super) fn as_printed(run: &mut Run, lesson: &Lesson, encoder: &TextEncoder) -> Result<Curves> {
    let device = run.device().clone();
    let test = lesson.news.test.take(run.pick(64, 475, usize::MAX));
    let read = |news: &News| ReadAgain::new(encoder, &news.texts, &news.labels, &device);
    let split = Split {
        train: read(&lesson.labelled(0)),
        test: read(&test),
        source: lesson.news.source.clone(),
    };
    let head = AttentionHead::new(encoder.bert.width(), Padding::AsPrinted, &device);
    let recipe = Lesson::recipe(run);
    let name = format!("{FROZEN}, as printed");
    let fitted = run.fit(&name, Classifier::new(head), &split, &recipe)?;
    Ok(Curves {
        name,
        histories: vec![fitted.history],
    })
}

/// The encoder that a saved head stands on: `name`, of which words and weights are in `models` if it was trained here.
///
/// # Errors
/// [`Error::Data`] when it is not to be had, or a file is damaged.
pub(crate) fn encoder_named(
    name: &str,
    models: &std::path::Path,
    options: &data::DataOptions,
    device: &Device,
) -> Result<TextEncoder> {
    if name == TRAINED_HERE {
        let vocabulary = Vocabulary::load(&models.join(WORDS))?;
        let fresh = MaskedWords::new(&masked_words::small(&vocabulary), device);
        let file = format!("{}-last.bpk", common::train::slug(TRAINED_HERE));
        let model = common::train::load_model(&models.join(file), Classifier::new(fresh))?;
        return Ok(TextEncoder {
            name: name.to_string(),
            bert: model.network.bert,
            tokens: Tokens::Words(vocabulary),
        });
    }
    match text_encoder(options, "nothing")? {
        Some(files) if files.name == name => TextEncoder::published(&files, device),
        _ => Err(Error::Data(format!(
            "the network stands on the encoder {name}, which is not the one found here; run 13.7 again"
        ))),
    }
}
