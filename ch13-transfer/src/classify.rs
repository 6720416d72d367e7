//! `cargo run -p ch13-transfer -- classify photo.jpg`: cat or dog, with the frozen network of 13.4 or 13.5.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use burn::tensor::activation::softmax;
use clap::{Arg, ArgMatches, Command, value_parser};
use common::data::{Images, pet_from_file};
use common::experiment::{Action, Chapter, Options, model_in, saved_or_trained};
use common::train::{Network, load_model};
use common::{Error, Result, cli, device};
use console::style;

use crate::classifier::{Architecture, Frozen, PhotoClassifier};
use crate::experiments::{CLASSES, CLASSIFIER};

/// Experiments that save a classifier, the best first; the last one is run if there is none.
const EXPERIMENTS: [&str; 2] = ["13.4", "13.5"];

/// The subcommand.
pub(crate) fn action() -> Action {
    Action { command, run }
}

fn command() -> Command {
    let photos = Arg::new("photos")
        .value_name("PHOTO")
        .required(true)
        .num_args(1..)
        .value_parser(value_parser!(PathBuf))
        .help("Photos of a cat or a dog: PNG, JPEG, BMP, GIF or WebP, of any size");
    let model = Arg::new("model")
        .long("model")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("photo-classifier.bpk of 13.4 or 13.5, with photo-classifier.txt beside it [default: that of the last run; trained first if there is none]");
    Command::new("classify")
        .about("Says whether photos show a cat or a dog, with a transferred network")
        .args([photos, model])
        .after_help("Example:\n  cargo run -p ch13-transfer -- classify photo.jpg")
}

fn run(chapter: &Chapter, arguments: &ArgMatches) -> Result<()> {
    let options = cli::options(arguments)?;
    let device = device::open(&options.device)?.device;
    let paths: Vec<&PathBuf> = arguments.get_many("photos").unwrap_or_default().collect();
    // All photos are read before a training that may take minutes.
    let photos = paths.iter().map(|path| pet_from_file(path));
    let photos = photos.collect::<Result<Vec<_>>>()?;
    let file = match arguments.get_one::<PathBuf>("model") {
        Some(file) => file.clone(),
        None => trained(chapter, &options)?,
    };
    let (architecture, network) = load(&file, &device)?;
    println!("model {}, {}", file.display(), architecture.name());
    for (path, photo) in paths.iter().zip(&photos) {
        println!();
        println!("{}", path.display());
        answer(photo, &network, &device)?;
    }
    Ok(())
}

/// Reads a classifier; what it is a network of stands in the text file beside it.
fn load(file: &Path, device: &Device) -> Result<(Architecture, PhotoClassifier)> {
    let beside = file.with_file_name(CLASSIFIER[1]);
    let name = std::fs::read_to_string(&beside).map_err(Error::io(&beside))?;
    let mut all = Architecture::ALL.into_iter();
    let architecture = all.find(|a| a.name() == name.trim()).ok_or_else(|| {
        let beside = beside.display();
        Error::Data(format!(
            "{beside}: not the name of a network: {:?}",
            name.trim()
        ))
    })?;
    let fresh = architecture.init(CLASSES, device);
    let fresh = PhotoClassifier::transferred(architecture, fresh, CLASSES, Frozen::Nothing, device);
    Ok((architecture, load_model(file, fresh)?))
}

/// Prints the probability of each class.
fn answer(photo: &Images, network: &PhotoClassifier, device: &Device) -> Result<()> {
    let logits = network.forward(photo.tensor(&[0], device)); // [1, 2]
    let p = softmax(logits, 1).into_data().try_to_vec::<f32>();
    let p = p.map_err(|error| Error::Training(format!("reading probabilities: {error:?}")))?;
    let best = p.iter().copied().fold(0.0, f32::max);
    for (name, p) in photo.class_names.iter().zip(p) {
        let bar = "█".repeat((p * 20.0).round() as usize);
        let name = format!("{name:<4}");
        let name = match p == best {
            true => style(name).bold().green(),
            false => style(name),
        };
        println!("  {name} {:5.1} %  {bar}", 100.0 * p);
    }
    Ok(())
}

/// The classifier of the longest training there is, or one that is trained now.
fn trained(chapter: &Chapter, options: &Options) -> Result<PathBuf> {
    let [.., train] = EXPERIMENTS;
    saved_or_trained(chapter, options, &EXPERIMENTS, train, |_, run| {
        model_in(run, CLASSIFIER[0])
    })
}
