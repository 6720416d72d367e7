//! `cargo run -p ch04-rnn -- classify Frank`: the network of 4.6 put to use.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use common::Result;
use common::cli;
use common::data::{LANGUAGES, Spelled, spell};
use common::device;
use common::experiment::{Action, Chapter, Options, model_in, saved_or_trained};
use common::train::{load_model, slug};
use console::style;

use crate::experiments::{Kind, Rate};

/// The experiment whose model is used.
const EXPERIMENT: &str = "4.6";
/// Languages below this probability are not shown.
const LEAST: f32 = 0.01;
/// Width of the bar of a sure answer.
const BAR: f32 = 30.0;

/// The subcommand.
pub(crate) fn action() -> Action {
    Action { command, run }
}

fn command() -> Command {
    let names = Arg::new("names")
        .value_name("NAME")
        .required(true)
        .num_args(1..)
        .help("Surnames, each an argument of its own");
    let model = Arg::new("model")
        .long("model")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("A network in both directions that 4.6 has saved [default: that of the last 4.6; trained first if there is none]");
    Command::new("classify")
        .about("Guesses the language of surnames, with the trained network of 4.6")
        .args([names, model])
        .after_help(
            "Examples:\n  \
             cargo run -p ch04-rnn -- classify Frank Müller 王\n  \
             cargo run -p ch04-rnn -- classify \"O'Neal\"",
        )
}

fn run(chapter: &Chapter, arguments: &ArgMatches) -> Result<()> {
    let options = cli::options(arguments)?;
    let device = device::open(&options.device)?.device;
    let names: Vec<&String> = arguments.get_many("names").unwrap_or_default().collect();
    let spelled: Vec<Spelled> = names.iter().map(|name| spell(name.trim())).collect();
    if spelled.iter().all(|name| name.ids.is_empty()) {
        // Nothing that a network could read: none is trained for it.
        for (name, spelled) in names.iter().zip(&spelled) {
            println!("{}", heading(name, spelled));
        }
        return Ok(());
    }
    let model = match arguments.get_one::<PathBuf>("model") {
        Some(file) => file.clone(),
        None => trained(chapter, &options)?,
    };
    let network = load_model(&model, Kind::Both.model(&device))?.network;
    println!("model {}", model.display());
    for (name, spelled) in names.iter().zip(&spelled) {
        println!();
        println!("{}", heading(name, spelled));
        if !spelled.ids.is_empty() {
            answer(&network.languages(&spelled.ids, &device)?);
        }
    }
    Ok(())
}

/// The model of 4.6: that of the longest training there is, or one that is trained now.
fn trained(chapter: &Chapter, options: &Options) -> Result<PathBuf> {
    saved_or_trained(chapter, options, &[EXPERIMENT], EXPERIMENT, |_, run| {
        saved(run)
    })
}

/// The better of the networks that a run of 4.6 has saved.
fn saved(run: &Path) -> Option<PathBuf> {
    [Rate::Asked, Rate::Book].into_iter().find_map(|rate| {
        let file = format!("{}-last.bpk", slug(&Kind::Both.name(rate)));
        model_in(run, &file)
    })
}

/// The name, how it is read, and what of it the network can't read.
fn heading(name: &str, spelled: &Spelled) -> String {
    let mut line = style(name).bold().to_string();
    if spelled.ids.is_empty() {
        return line
            + ": has no letter of the alphabet a to z, which is all that the network can read";
    }
    if spelled.text != name {
        line += &format!(", read as {:?}", spelled.text);
    }
    if !spelled.left_out.is_empty() {
        let letters: Vec<String> = spelled.left_out.iter().map(|c| format!("{c:?}")).collect();
        line += &format!("; not in the alphabet and left out: {}", letters.join(", "));
    }
    line
}

/// Prints the languages, the most probable first, with bars.
fn answer(p: &[f32]) {
    let mut order: Vec<(&str, f32)> = LANGUAGES.into_iter().zip(p.iter().copied()).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (place, (language, p)) in order.into_iter().enumerate() {
        if place > 0 && p < LEAST {
            break;
        }
        let bar = "█".repeat((p * BAR).round() as usize);
        let language = style(format!("{language:<11}"));
        let language = if place == 0 {
            language.bold().green()
        } else {
            language
        };
        println!("  {language} {:5.1} %  {bar}", 100.0 * p);
    }
}
