//! `cargo run -p ch12-transformer -- classify "Stocks fall as oil rises"`: a network of the chapter put to use.

use std::path::PathBuf;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use clap::{Arg, ArgMatches, Command, value_parser};
use common::data::{NEWS_CLASSES, PAD, Sequences, UNK, Vocabulary, basic_english};
use common::experiment::{Action, Chapter, Options, model_in, saved_or_trained};
use common::train::{Classifier, load_model};
use common::{Error, Result, cli, device};
use console::style;

use crate::experiments::{Net, VOCABULARY, attention, transformer};
use crate::layers::Attentive;
use crate::padding::Padding;

/// Networks that weight words, the best first, and the experiments that train them.
const NETS: [(Net, &str); 3] = [
    (Net::Transformer, "12.7"),
    (Net::AttentionPosition, "12.6"),
    (Net::Attention, "12.3"),
];
/// The one that is trained if there is none: it takes a minute, and is nearly as good.
const TRAINED: &str = "12.6";
/// Width of the bar of a sure answer.
const BAR: f32 = 30.0;
/// Words whose weights are told.
const TOLD: usize = 5;

/// What a network makes of a text.
pub(crate) struct Answer {
    /// Of each class.
    pub(crate) probabilities: Vec<f32>,
    /// Of each word, BOS and EOS among them.
    pub(crate) weights: Vec<f32>,
}

impl Answer {
    /// The most probable class.
    pub(crate) fn class(&self) -> &'static str {
        let classes = NEWS_CLASSES.iter().zip(&self.probabilities);
        let best = classes.max_by(|a, b| a.1.total_cmp(b.1));
        best.map_or("", |(name, _)| name)
    }
}

/// Asks a network about a text, BOS and EOS included.
///
/// # Errors
/// [`Error::Training`] when the device fails.
pub(crate) fn answer<N: Attentive>(network: &N, ids: &[u32], device: &Device) -> Result<Answer> {
    let alone: Sequences = [ids].into_iter().collect();
    let (logits, weights) = network.forward_with_weights(alone.padded(&[0], PAD, device));
    let read = |tensor: Tensor<2>| {
        let values = tensor.into_data().try_to_vec::<f32>();
        values.map_err(|error| Error::Training(format!("reading an answer: {error:?}")))
    };
    Ok(Answer {
        probabilities: read(softmax(logits, 1))?,
        weights: read(weights)?,
    })
}

/// The subcommand.
pub(crate) fn action() -> Action {
    Action { command, run }
}

fn command() -> Command {
    let texts = Arg::new("texts")
        .value_name("TEXT")
        .required(true)
        .num_args(1..)
        .help("Headlines or short pieces of news, each in quotes");
    let model = Arg::new("model")
        .long("model")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(
            "A network that 12.3, 12.6 or 12.7 has saved, with vocabulary.txt beside it [default: the best of the last runs; that of 12.6 is \
             trained if there is none]",
        );
    Command::new("classify")
        .about("Tells what kind of news a text is, and which words that was read from")
        .args([texts, model])
        .after_help(
            "Example:\n  cargo run -p ch12-transformer -- classify \"Stocks fall as oil rises\"",
        )
}

fn run(chapter: &Chapter, arguments: &ArgMatches) -> Result<()> {
    let options = cli::options(arguments)?;
    let device = device::open(&options.device)?.device;
    let texts: Vec<&String> = arguments.get_many("texts").unwrap_or_default().collect();
    let (net, file) = match arguments.get_one::<PathBuf>("model") {
        Some(file) => (net_of(file)?, file.clone()),
        None => trained(chapter, &options)?,
    };
    let vocabulary = Vocabulary::load(&file.with_file_name(VOCABULARY))?;
    println!("model {}, {} words", file.display(), vocabulary.len());
    let words = vocabulary.len();
    match net {
        Net::Transformer => {
            let fresh = Classifier::new(transformer(words, Padding::Masked, &device));
            let network = load_model(&file, fresh)?.network;
            tell_all(&network, &vocabulary, &texts, &device)
        }
        _ => {
            let fresh = Classifier::new(attention(net, words, Padding::Masked, &device));
            let network = load_model(&file, fresh)?.network;
            tell_all(&network, &vocabulary, &texts, &device)
        }
    }
}

fn tell_all<N: Attentive>(
    network: &N,
    vocabulary: &Vocabulary,
    texts: &[&String],
    device: &Device,
) -> Result<()> {
    for text in texts {
        println!();
        let words = basic_english(text);
        let ids = vocabulary.encode(&words);
        println!("{}", style(text).bold());
        if ids.iter().filter(|&&id| id == UNK).count() == words.len() {
            println!("  no word that the network knows");
            continue;
        }
        let answer = answer(network, &ids, device)?;
        tell_classes(&answer);
        tell_words(&answer, &words, &ids);
    }
    Ok(())
}

/// The classes, the most probable first, with bars.
fn tell_classes(answer: &Answer) {
    let mut order: Vec<(&str, f32)> = NEWS_CLASSES
        .into_iter()
        .zip(answer.probabilities.iter().copied())
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (place, (class, p)) in order.into_iter().enumerate() {
        let bar = "█".repeat((p * BAR).round() as usize);
        let class = style(format!("{class:<9}"));
        let class = if place == 0 {
            class.bold().green()
        } else {
            class
        };
        println!("  {class} {:5.1} %  {bar}", 100.0 * p);
    }
}

/// The words with the most weight, and those that are not known.
fn tell_words(answer: &Answer, words: &[String], ids: &[u32]) {
    let places = ids.iter().enumerate().map(|(i, _)| match i {
        0 => "start",
        _ => words.get(i - 1).map_or("end", String::as_str),
    });
    let mut order: Vec<(&str, f32)> = places.zip(answer.weights.iter().copied()).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let told = order.iter().take(TOLD);
    let told: Vec<String> = told
        .map(|(word, weight)| format!("{word} {:.0} %", 100.0 * weight))
        .collect();
    println!("  weights: {}", told.join(", "));
    let unknown = words.iter().zip(&ids[1..]).filter(|(_, id)| **id == UNK);
    let unknown: Vec<&str> = unknown.map(|(word, _)| word.as_str()).collect();
    if !unknown.is_empty() {
        println!("  not in the vocabulary: {}", unknown.join(", "));
    }
}

/// Which network a file holds, by its name.
fn net_of(file: &std::path::Path) -> Result<Net> {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    let net = NETS
        .iter()
        .find(|(net, ..)| name == net.file() || name == net.file().replace("-last", "-best"));
    net.map(|(net, ..)| *net).ok_or_else(|| {
        let files = NETS.map(|(net, ..)| net.file());
        Error::Usage(format!(
            "{}: which network is it? Its file is called {}",
            file.display(),
            files.join(" or ")
        ))
    })
}

/// The best network of the longest trainings there are, or one that is trained now.
fn trained(chapter: &Chapter, options: &Options) -> Result<(Net, PathBuf)> {
    let ids = NETS.map(|(_, id)| id);
    saved_or_trained(chapter, options, &ids, TRAINED, |id, run| {
        model_in(run, VOCABULARY)?;
        let (net, _) = NETS.into_iter().find(|(_, of)| *of == id)?;
        Some((net, model_in(run, &net.file())?))
    })
}
