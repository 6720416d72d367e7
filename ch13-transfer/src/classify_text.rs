//! `cargo run -p ch13-transfer -- classify-text "Stocks fall as oil rises"`: the frozen encoder and its head put to use.

use std::path::{Path, PathBuf};

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use clap::{Arg, ArgMatches, Command, value_parser};
use common::data::{Batches, NEWS_CLASSES};
use common::experiment::{Action, Chapter, Options, model_in, saved_or_trained};
use common::train::{Classifier, load_model, slug};
use common::{Error, Result, cli, device};
use console::style;

use crate::experiments::{ENCODER, FROZEN, encoder_named};
use crate::text::{AttentionHead, TextEncoder};

/// The experiment that trains the head.
const TRAINED: &str = "13.7";
/// Width of the bar of a sure answer.
const BAR: f32 = 30.0;
/// Pieces whose weights are told.
const TOLD: usize = 5;

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
            "A network that 13.7 has saved, with encoder.txt beside it [default: that of the last run; it is trained if there is none]",
        );
    Command::new("classify-text")
        .about("Tells what kind of news a text is, and which pieces of it that was read from")
        .args([texts, model])
        .after_help(
            "Example:\n  cargo run -p ch13-transfer -- classify-text \"Stocks fall as oil rises\"",
        )
}

fn run(chapter: &Chapter, arguments: &ArgMatches) -> Result<()> {
    let options = cli::options(arguments)?;
    let device = device::open(&options.device)?.device;
    let texts: Vec<&String> = arguments.get_many("texts").unwrap_or_default().collect();
    let file = match arguments.get_one::<PathBuf>("model") {
        Some(file) => file.clone(),
        None => trained(chapter, &options)?,
    };
    let (encoder, head) = load(&file, &options, &device)?;
    println!("model {} on {}", file.display(), encoder.name);
    for text in texts {
        println!("\n{}", style(text).bold());
        tell(&encoder, &head, text, &device)?;
    }
    Ok(())
}

/// A saved head, and the encoder it stands on.
fn load(file: &Path, options: &Options, device: &Device) -> Result<(TextEncoder, AttentionHead)> {
    let name = file.with_file_name(ENCODER);
    let name = std::fs::read_to_string(&name).map_err(Error::io(&name))?;
    let models = file.parent().unwrap_or(Path::new("."));
    let encoder = encoder_named(name.trim(), models, &options.data_options(), device)?;
    let padding = ch12_transformer::Padding::Masked;
    let head = AttentionHead::new(encoder.bert.width(), padding, device);
    let head = load_model(file, Classifier::new(head))?.network;
    Ok((encoder, head))
}

/// The classes, the most probable first, with bars, and the pieces with the most weight.
fn tell(encoder: &TextEncoder, head: &AttentionHead, text: &str, device: &Device) -> Result<()> {
    let ids = encoder.tokens.encode(text);
    let encoded = encoder.encode(&[text.to_string()], &[0], device)?;
    let (logits, weights) = head.forward_with_weights(encoded.batch(&[0], 0, device).inputs);
    let read = |tensor: Tensor<2>| {
        let values = tensor.into_data().try_to_vec::<f32>();
        values.map_err(|error| Error::Training(format!("reading an answer: {error:?}")))
    };
    let probabilities = read(softmax(logits, 1))?;
    let mut classes: Vec<(&str, f32)> = NEWS_CLASSES.into_iter().zip(probabilities).collect();
    classes.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (place, (class, p)) in classes.into_iter().enumerate() {
        let bar = "█".repeat((p * BAR).round() as usize);
        let class = style(format!("{class:<9}"));
        let class = match place {
            0 => class.bold().green(),
            _ => class,
        };
        println!("  {class} {:5.1} %  {bar}", 100.0 * p);
    }
    let mut pieces: Vec<(u32, f32)> = ids.into_iter().zip(read(weights)?).collect();
    pieces.sort_by(|a, b| b.1.total_cmp(&a.1));
    let told = pieces.iter().take(TOLD);
    let told =
        told.map(|(id, weight)| format!("{} {:.0} %", encoder.tokens.piece(*id), 100.0 * weight));
    println!("  weights: {}", told.collect::<Vec<_>>().join(", "));
    Ok(())
}

/// The head of the longest training there is, or one that is trained now.
fn trained(chapter: &Chapter, options: &Options) -> Result<PathBuf> {
    let file = format!("{}-last.bpk", slug(FROZEN));
    saved_or_trained(chapter, options, &[TRAINED], TRAINED, |_, run| {
        model_in(run, ENCODER)?;
        model_in(run, &file)
    })
}
