//! The trainings of the chapter. Those of the same name are the same training: the second experiment that wants one takes it over.

use burn::tensor::Device;
use common::Result;
use common::data::{LabeledSequences, PaddedSequences, Split, Vocabulary, ag_news, ag_news_words};
use common::experiment::Run;
use common::train::{Classifier, Fitted, History, Network, Recipe, slug};

use crate::attention_bag::NewsAttention;
use crate::average::NewsAverage;
use crate::cnn::NewsCnn;
use crate::gru::NewsGru;
use crate::padding::Padding;
use crate::position::PositionalEncoding;
use crate::transformer::NewsTransformer;

/// The file beside a model that has its vocabulary.
pub(crate) const VOCABULARY: &str = "vocabulary.txt";
/// Texts per update.
const BATCH: usize = 64;
/// Dropout of the positions and the transformer.
const DROPOUT: f64 = 0.1;
/// Training texts of the whole set, which the book's numbers are of.
const WHOLE: usize = 120_000;

/// A network of the chapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Net {
    Gru,
    Average,
    Attention,
    Cnn,
    AveragePosition,
    AttentionPosition,
    Transformer,
}

impl Net {
    /// The name in figures and files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Net::Gru => "GRU",
            Net::Average => "average",
            Net::Attention => "attention",
            Net::Cnn => "CNN",
            Net::AveragePosition => "average + position",
            Net::AttentionPosition => "attention + position",
            Net::Transformer => "transformer",
        }
    }

    /// The file that a training of it leaves.
    pub(crate) fn file(self) -> String {
        format!("{}-last.bpk", slug(self.name()))
    }

    /// Where the book's curve ends, its peak, and its seconds of training.
    pub(super) fn book(self) -> [f64; 3] {
        match self {
            Net::Gru => [0.917, 0.9215, 730.0],
            Net::Average => [0.907, 0.912, 240.0],
            Net::Attention => [0.907, 0.919, 375.0],
            Net::Cnn => [0.907, 0.915, 530.0],
            Net::AveragePosition => [0.919, 0.926, 250.0],
            Net::AttentionPosition => [0.919, 0.9215, 385.0],
            Net::Transformer => [0.9205, 0.922, 1130.0],
        }
    }

    /// The slow networks are stopped earlier at `quick`.
    fn epochs(self, run: &Run) -> usize {
        let quick = match self {
            Net::Transformer => 5,
            Net::Gru | Net::Cnn => 8,
            _ => 15,
        };
        run.pick(2, quick, 15)
    }
}

/// News as numbers, and the words behind them.
pub(super) struct Lesson {
    pub(super) data: Split<LabeledSequences>,
    pub(super) vocabulary: Vocabulary,
}

impl Lesson {
    /// Whether this is the data that the book's numbers are of.
    pub(super) fn is_whole(&self) -> bool {
        self.data.source.real && self.data.train.len() == WHOLE
    }
}

/// The texts that the preset asks for. Batches are of texts of like length except at `book`; the book's mistakes with padding show only where
/// there is much of it.
pub(super) fn lesson(run: &mut Run) -> Result<Lesson> {
    let mut news = ag_news(&run.data_options())?;
    let (train, test) = run.pick((256, 128), (5_000, 3_800), (usize::MAX, usize::MAX));
    news.train = news.train.take(run.limited(train));
    news.test = news.test.take(run.limited(test));
    (news.source.train, news.source.test) = (news.train.len(), news.test.len());
    run.uses(news.source.clone());
    let (mut data, vocabulary) = ag_news_words(&news)?;
    if !run.is_book() && !run.as_printed() {
        data.train.buckets = true;
        data.test = data.test.by_length();
    }
    Ok(Lesson { data, vocabulary })
}

/// The history of this network's training.
pub(super) fn train(run: &mut Run, lesson: &Lesson, net: Net, padding: Padding) -> Result<History> {
    let (words, device) = (lesson.vocabulary.len(), run.device().clone());
    match net {
        Net::Gru => Ok(fit(
            run,
            lesson,
            net,
            padding,
            NewsGru::new(words, padding, &device),
        )?
        .history),
        Net::Cnn => Ok(fit(
            run,
            lesson,
            net,
            padding,
            NewsCnn::new(words, padding, &device),
        )?
        .history),
        Net::Average | Net::AveragePosition => {
            let network = NewsAverage::new(words, positions(net), padding, &device);
            Ok(fit(run, lesson, net, padding, network)?.history)
        }
        Net::Attention | Net::AttentionPosition => {
            let network = attention(net, words, padding, &device);
            Ok(fit(run, lesson, net, padding, network)?.history)
        }
        Net::Transformer => {
            let network = transformer(words, padding, &device);
            Ok(fit(run, lesson, net, padding, network)?.history)
        }
    }
}

fn positions(net: Net) -> Option<PositionalEncoding> {
    let with = matches!(net, Net::AveragePosition | Net::AttentionPosition);
    with.then(|| PositionalEncoding::new(DROPOUT))
}

/// A fresh network of 12.3 or 12.6.
pub(crate) fn attention(
    net: Net,
    words: usize,
    padding: Padding,
    device: &Device,
) -> NewsAttention {
    NewsAttention::new(words, positions(net), padding, device)
}

/// A fresh network of 12.7.
pub(crate) fn transformer(words: usize, padding: Padding, device: &Device) -> NewsTransformer {
    NewsTransformer::new(words, DROPOUT, padding, device)
}

/// Trains `network`, and saves the vocabulary beside it.
pub(super) fn fit<N: Network<Input = PaddedSequences>>(
    run: &mut Run,
    lesson: &Lesson,
    net: Net,
    padding: Padding,
    network: N,
) -> Result<Fitted<Classifier<N>>> {
    let name = match padding {
        Padding::Masked => net.name().to_string(),
        Padding::AsPrinted => format!("{}, as printed", net.name()),
    };
    let recipe = Recipe::adamw(BATCH, net.epochs(run));
    let fitted = run.fit(&name, Classifier::new(network), &lesson.data, &recipe)?;
    let models = run.folder().join("models");
    lesson.vocabulary.save(&models.join(VOCABULARY))?;
    Ok(fitted)
}
