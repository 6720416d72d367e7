//! `cargo run -p ch03-cnn -- classify digit.png`: the pooled CNN of 3.5 put to use.

use std::path::PathBuf;

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};
use clap::{Arg, ArgMatches, Command, value_parser};
use common::cli;
use common::data::digit_from_file;
use common::device;
use common::experiment::{Action, Chapter, Options, model_in, saved_or_trained};
use common::train::{Network, load_model, slug};
use common::{Error, Result};
use console::style;

use crate::experiments::{POOLED, pooled_cnn};
use crate::networks::CLASSES;

/// The experiment whose model is used.
const EXPERIMENT: &str = "3.5";
/// Below this probability the network is asked in vain.
const UNSURE: f32 = 0.6;

/// The subcommand.
pub(crate) fn action() -> Action {
    Action { command, run }
}

fn command() -> Command {
    let pictures = Arg::new("pictures")
        .value_name("PICTURE")
        .required(true)
        .num_args(1..)
        .value_parser(value_parser!(PathBuf))
        .help("Pictures of one digit each: PNG, JPEG, BMP, GIF or WebP; any size, dark on light or light on dark");
    let model = Arg::new("model")
        .long("model")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("A pooled CNN that 3.5 or 3.7 has saved [default: that of the last 3.5; trained first if there is none]");
    Command::new("classify")
        .about("Says which digit a picture shows, with the trained network of 3.5")
        .args([pictures, model])
        .after_help(
            "Examples:\n  \
             cargo run -p ch03-cnn -- classify digit.png\n  \
             cargo run -p ch03-cnn -- classify *.png --model runs/ch03/3.7/book/models/pooled-cnn-augmentation-last.bpk",
        )
}

fn run(chapter: &Chapter, arguments: &ArgMatches) -> Result<()> {
    let options = cli::options(arguments)?;
    let device = device::open(&options.device)?.device;
    let pictures: Vec<&PathBuf> = arguments.get_many("pictures").unwrap_or_default().collect();
    // All pictures are read before a training that may take minutes.
    let digits = pictures.iter().map(|path| digit_from_file(path));
    let digits = digits.collect::<Result<Vec<_>>>()?;
    let model = match arguments.get_one::<PathBuf>("model") {
        Some(file) => file.clone(),
        None => trained(chapter, &options)?,
    };
    let network = load_model(&model, pooled_cnn(&device))?.network;
    println!("model {}", model.display());
    for (path, (pixels, preparation)) in pictures.iter().zip(digits) {
        let image = TensorData::new(pixels.clone(), [1, 1, 28, 28]);
        let logits = network.forward(Tensor::from_data(image, &device)); // [1, 10]
        let p = softmax(logits, 1).into_data();
        let p = p
            .try_to_vec::<f32>()
            .map_err(|error| Error::Training(format!("reading probabilities: {error:?}")))?;
        println!();
        println!("{}: {preparation}", path.display());
        answer(&pixels, &p);
    }
    Ok(())
}

/// The model of 3.5: that of the longest training there is, or one that is trained now.
fn trained(chapter: &Chapter, options: &Options) -> Result<PathBuf> {
    let file = format!("{}-last.bpk", slug(POOLED));
    saved_or_trained(chapter, options, &[EXPERIMENT], EXPERIMENT, |_, run| {
        model_in(run, &file)
    })
}

/// Prints what the network saw, and its three best guesses beside it.
fn answer(pixels: &[f32], p: &[f32]) {
    let mut order: Vec<usize> = (0..CLASSES.min(p.len())).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let best = order.first().copied().unwrap_or(0);
    let mut beside = vec![match p.get(best) {
        Some(p) if *p < UNSURE => format!("perhaps a {best}: the network is not sure"),
        _ => format!("a {}", style(best).bold().green()),
    }];
    beside.push(String::new());
    for class in order.into_iter().take(3) {
        let bar = "█".repeat((p[class] * 20.0).round() as usize);
        beside.push(format!("{class}  {:5.1} %  {bar}", 100.0 * p[class]));
    }
    // Two rows of pixels in a line of text.
    for (i, rows) in pixels.chunks(2 * 28).enumerate().skip(2).take(10) {
        let (upper, lower) = rows.split_at(28);
        let blocks =
            upper
                .iter()
                .zip(lower)
                .map(|(upper, lower)| match (*upper > 0.4, *lower > 0.4) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
        let line: String = blocks.collect();
        let text = i.checked_sub(4).and_then(|i| beside.get(i));
        println!("  {line}  {}", text.map_or("", String::as_str));
    }
}
