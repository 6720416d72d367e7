//! `cargo run -p ch07-autoencoder -- sample --prompt emilia:`: the network of 7.7 put to use.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use common::cli;
use common::device;
use common::experiment::{Action, Chapter, Options, model_in, saved_or_trained};
use common::train::{interrupt, load_model, slug};
use common::{Error, Result};

use crate::auto_regressive::AutoRegressive;
use crate::experiments::{ALPHABET, CHARACTERS, PROMPT};
use crate::loss::NextCharacter;
use crate::sampling::{Sampler, Writer};
use crate::text::Vocabulary;

/// The experiment whose model is used.
const EXPERIMENT: &str = "7.7";
/// A longer alphabet is none of ours.
const MOST_SYMBOLS: usize = 1000;

/// The subcommand.
pub(crate) fn action() -> Action {
    Action { command, run }
}

fn command() -> Command {
    let prompt = Arg::new("prompt")
        .long("prompt")
        .value_name("TEXT")
        .default_value(PROMPT)
        .help("How the text begins");
    let temperature = Arg::new("temperature")
        .long("temperature")
        .value_name("T")
        .value_parser(temperature)
        .allow_negative_numbers(true)
        .default_value("0.75")
        .help("Below 1 safer, above 1 wilder");
    let length = Arg::new("length")
        .long("length")
        .value_name("N")
        .value_parser(length)
        .allow_negative_numbers(true)
        .default_value("500")
        .help("Characters of the whole text");
    let model = Arg::new("model")
        .long("model")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("A network that 7.7 has saved [default: that of the last 7.7; trained first if there is none]");
    Command::new("sample")
        .about("Writes in the manner of Shakespeare, with the trained network of 7.7")
        .args([prompt, temperature, length, model])
        .after_help(
            "Examples:\n  \
             cargo run -p ch07-autoencoder -- sample --prompt \"emilia:\" --temperature 0.75 --length 500\n  \
             cargo run -p ch07-autoencoder -- sample --prompt \"to be\" --seed 7",
        )
}

fn temperature(text: &str) -> std::result::Result<f64, String> {
    let number = text.parse::<f64>().map_err(|_| "is not a number")?;
    match Sampler::new(number, 0) {
        Ok(_) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

fn length(text: &str) -> std::result::Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("is not a whole number".into()),
    }
}

fn run(chapter: &Chapter, arguments: &ArgMatches) -> Result<()> {
    let options = cli::options(arguments)?;
    let device = device::open(&options.device)?.device;
    let value = |name: &str| arguments.get_one::<String>(name).cloned();
    let prompt = value("prompt").unwrap_or_default().to_lowercase();
    if prompt.is_empty() {
        let text = "--prompt: a text starts with at least one character";
        return Err(Error::Usage(text.into()));
    }
    let temperature = arguments.get_one("temperature").copied().unwrap_or(0.75);
    let length: usize = arguments.get_one("length").copied().unwrap_or(500);
    let model = match arguments.get_one::<PathBuf>("model") {
        Some(file) => file.clone(),
        None => trained(chapter, &options)?,
    };
    let alphabet = read_alphabet(&model)?;
    let network = AutoRegressive::new(alphabet.len(), &device);
    let network = load_model(&model, NextCharacter::new(network))?.network;

    let (numbers, unknown) = alphabet.numbers(&prompt);
    if !unknown.is_empty() {
        let letters: Vec<String> = unknown.iter().map(|c| format!("{c:?}")).collect();
        let letters = letters.join(", ");
        if numbers.is_empty() {
            return Err(Error::Usage(format!(
                "--prompt: the network knows none of {letters}"
            )));
        }
        eprintln!("the network does not know {letters}: left out");
    }
    if !options.quiet {
        eprintln!("model {}", model.display());
    }
    let mut out = std::io::stdout().lock();
    let mut print = |text: &str| {
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(Error::io("standard output"))
    };
    print(&alphabet.spell(&numbers))?;
    let sampler = Sampler::new(temperature, options.seed)?;
    let writer = Writer::new(&network, &numbers, sampler, &device)?;
    for number in writer.take(length.saturating_sub(numbers.len())) {
        if interrupt::requested() {
            print("\n")?;
            return Err(Error::Interrupted("interrupted".into()));
        }
        print(&alphabet.spell(&[number?]))?;
    }
    print("\n")
}

/// The symbols that a model was trained with, from the file beside it.
fn read_alphabet(model: &Path) -> Result<Vocabulary> {
    let path = model.with_file_name(ALPHABET);
    if !model.is_file() {
        return Err(Error::Data(format!("{}: no such file", model.display())));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Error::Data(format!(
            "{}: {error}; the symbols that a network knows are saved beside it",
            path.display()
        ))
    })?;
    let alphabet = Vocabulary::of(&text);
    if alphabet.is_empty() || alphabet.len() > MOST_SYMBOLS {
        let path = path.display();
        return Err(Error::Data(format!("{path}: is no list of symbols")));
    }
    Ok(alphabet)
}

/// The model of 7.7: that of the longest training there is, or one that is trained now.
fn trained(chapter: &Chapter, options: &Options) -> Result<PathBuf> {
    let file = format!("{}-last.bpk", slug(CHARACTERS));
    saved_or_trained(chapter, options, &[EXPERIMENT], EXPERIMENT, |_, run| {
        model_in(run, &file)
    })
}
