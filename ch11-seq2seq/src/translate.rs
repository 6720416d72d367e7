//! `cargo run -p ch11-seq2seq -- translate "what is the weather like today"`: the translator of 11.1 put to use.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use common::experiment::{Action, Chapter, Options, model_in, saved_or_trained};
use common::train::{load_model, slug};
use common::{Result, cli, device, plot};
use console::style;

use crate::experiments::MODEL;
use crate::search::{LONGEST_TRANSLATION, Translation};
use crate::seq2seq::Seq2Seq;
use crate::words::{LONGEST, Vocabulary, words};

/// The file beside a model that has its vocabulary.
pub(crate) const VOCABULARY: &str = "vocabulary.txt";
/// Experiments that train the model, the one that is run if there is none first.
const EXPERIMENTS: [&str; 2] = ["11.2", "11.1"];

/// The subcommand.
pub(crate) fn action() -> Action {
    Action { command, run }
}

fn command() -> Command {
    let sentences = Arg::new("sentences")
        .value_name("SENTENCE")
        .required(true)
        .num_args(1..)
        .help("English sentences of up to 6 words, each in quotes");
    let model = Arg::new("model")
        .long("model")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("A translator that 11.1 has saved, with vocabulary.txt beside it [default: that of the last run; trained first if there is none]");
    let beam = Arg::new("beam")
        .long("beam")
        .value_name("N")
        .default_value("5")
        .value_parser(value_parser!(u8).range(1..=100))
        .help("Beginnings that are kept at each word; 1 is greedy");
    let figure = Arg::new("figure")
        .long("figure")
        .value_name("FOLDER")
        .value_parser(value_parser!(PathBuf))
        .help("Write a heat map of each translation's attention into this folder");
    Command::new("translate")
        .about("Translates English sentences to French, with the trained translator of 11.1")
        .args([sentences, model, beam, figure])
        .after_help(
            "Examples:\n  \
             cargo run -p ch11-seq2seq -- translate \"what is the weather like today\"\n  \
             cargo run -p ch11-seq2seq -- translate \"no one disagreed\" --figure heat",
        )
}

fn run(chapter: &Chapter, arguments: &ArgMatches) -> Result<()> {
    let options = cli::options(arguments)?;
    let device = device::open(&options.device)?.device;
    let sentences: Vec<&String> = arguments
        .get_many("sentences")
        .unwrap_or_default()
        .collect();
    let model = match arguments.get_one::<PathBuf>("model") {
        Some(file) => file.clone(),
        None => trained(chapter, &options)?,
    };
    let vocabulary = Vocabulary::load(&model.with_file_name(VOCABULARY))?;
    let translator = load_model(&model, Seq2Seq::new(vocabulary.len(), &device))?;
    let width = arguments.get_one::<u8>("beam").copied().unwrap_or(1);
    println!("model {}, {} words", model.display(), vocabulary.len());
    for sentence in sentences {
        println!();
        let english = words(sentence);
        let (source, unknown) = vocabulary.source(&english);
        println!("{}{}", style(sentence).bold(), told(&english, &unknown));
        if unknown.len() == english.len() {
            println!("  nothing that could be translated");
            continue;
        }
        let translation = translator.beam(&source, width.into(), LONGEST_TRANSLATION, &device)?;
        let french = vocabulary.text(translation.text());
        let probability = 100.0 * translation.log_probability.exp();
        println!("  {}  ({probability:.1} %)", style(&french).green().bold());
        if let Some(folder) = arguments.get_one::<PathBuf>("figure") {
            let name = slug(sentence);
            let name = if name.is_empty() { "sentence" } else { &name };
            heat_map(&vocabulary, &source, &translation).save(folder, name)?;
            println!("  {}", folder.join(format!("{name}.png")).display());
        }
    }
    Ok(())
}

/// The words that are not known, and whether there are more than the translator has ever seen.
fn told(english: &[String], unknown: &[String]) -> String {
    let mut line = String::new();
    if !unknown.is_empty() {
        let unknown: Vec<String> = unknown.iter().map(|word| format!("{word:?}")).collect();
        line += &format!(
            "; not in the vocabulary and left out: {}",
            unknown.join(", ")
        );
    }
    if english.len() > LONGEST {
        let n = english.len();
        line +=
            &format!("; {n} words, the translator has learned from sentences of up to {LONGEST}");
    }
    line
}

/// Which words of the source each word of a translation has looked at.
pub(crate) fn heat_map(
    vocabulary: &Vocabulary,
    source: &[u32],
    translation: &Translation,
) -> plot::Figure {
    let written = |numbers: &[u32]| -> Vec<String> {
        let words = numbers.iter().map(|&number| vocabulary.word(number));
        words.map(String::from).collect()
    };
    let weights = translation.weights.concat();
    let most = weights.iter().copied().fold(0.0, f32::max);
    plot::heat_map(
        &vocabulary.text(translation.text()),
        "weight of each English word for each French word",
        &written(&translation.words),
        &written(source),
        &weights,
        most,
    )
}

/// The translator of the longest training there is, or one that is trained now.
fn trained(chapter: &Chapter, options: &Options) -> Result<PathBuf> {
    let [train, ..] = EXPERIMENTS;
    saved_or_trained(chapter, options, &EXPERIMENTS, train, |_, run| saved(run))
}

/// The translator that a run has saved.
fn saved(run: &Path) -> Option<PathBuf> {
    model_in(run, VOCABULARY)?;
    model_in(run, &format!("{}-last.bpk", slug(MODEL)))
}
