//! `cargo run -p ch09-gan -- sample --digits 0123456789`: the conditional generator of 9.6 put to use.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use common::Result;
use common::cli;
use common::device;
use common::experiment::{Action, Chapter, Options, model_in, saved_or_trained};
use common::files::write_atomic;
use common::plot::Frame;
use common::train::{load_model, slug};

use crate::experiments::{CONDITIONAL, conditional_generator};
use crate::judge::{made, noise_for};

/// The experiment whose generator is used.
const EXPERIMENT: &str = "9.6";
/// Pixels of the picture for each pixel of a digit.
const SCALE: usize = 3;
/// Where runs are if `--out` is a picture.
const RUNS: &str = "runs";
/// Most digits in a row, and most rows.
const MOST: usize = 200;

/// The subcommand.
pub(crate) fn action() -> Action {
    Action { command, run }
}

fn command() -> Command {
    let digits = Arg::new("digits")
        .long("digits")
        .value_name("DIGITS")
        .default_value("0123456789")
        .value_parser(digits)
        .help("What to draw, a column for each digit");
    let rows = Arg::new("rows")
        .long("rows")
        .value_name("N")
        .default_value("8")
        .value_parser(value_parser!(u16).range(1..=MOST as i64))
        .help("Rows, each in a style of its own");
    let model = Arg::new("model")
        .long("model")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("A generator that 9.6 or 9.7 has saved [default: that of the last 9.6; trained first if there is none]");
    Command::new("sample")
        .about("Draws digits, with the trained generator of 9.6")
        .args([digits, rows, model])
        .after_help(
            "Examples:\n  \
             cargo run -p ch09-gan -- sample\n  \
             cargo run -p ch09-gan -- sample --digits 2026 --rows 4 --seed 3 --out year.png\n\n\
             --out is the picture to write if it ends in .png; else, as for run, the folder of runs, and the picture is grid.png in it.",

        )
}

/// The digits in a text.
fn digits(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(10).map(|d| d as u8))
        .collect();
    match digits {
        Some(digits) if (1..=MOST).contains(&digits.len()) => Ok(digits),
        Some(_) => Err(format!("1 to {MOST} digits")),
        None => Err("digits only, such as 0123456789".into()),
    }
}

fn run(chapter: &Chapter, arguments: &ArgMatches) -> Result<()> {
    let mut options = cli::options(arguments)?;
    let picture = picture_of(&mut options);
    let device = device::open(&options.device)?.device;
    let digits = arguments.get_one::<Vec<u8>>("digits");
    let digits = digits.cloned().unwrap_or_default();
    let rows = usize::from(arguments.get_one::<u16>("rows").copied().unwrap_or(8));
    let model = match arguments.get_one::<PathBuf>("model") {
        Some(file) => file.clone(),
        None => trained(chapter, &options)?,
    };
    let generator = load_model(&model, conditional_generator(&device))?;
    // The same style in a whole row: what differs is the digit.
    let styles = noise_for(&generator, rows, options.seed, &device)?;
    let width = styles.len() / rows;
    let noise: Vec<f32> = styles
        .chunks_exact(width)
        .flat_map(|z| z.repeat(digits.len()))
        .collect();
    let pictures = made(&generator, &noise, Some(&digits.repeat(rows)), &device)?;
    let grid = Frame::mosaic(&pictures, 28, digits.len(), SCALE);
    write_atomic(&picture, &grid.png()?)?;
    if !options.quiet {
        println!("model {}", model.display());
        println!("{} digits in {}", rows * digits.len(), picture.display());
    }
    Ok(())
}

/// The picture that `--out` names, or `grid.png` in the folder of runs that it names.
fn picture_of(options: &mut Options) -> PathBuf {
    let out = &options.out;
    let is_picture = out
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("png"));
    match is_picture {
        true => std::mem::replace(&mut options.out, PathBuf::from(RUNS)),
        false => out.join("grid.png"),
    }
}

/// The generator of 9.6: that of the longest training there is, or one that is trained now.
fn trained(chapter: &Chapter, options: &Options) -> Result<PathBuf> {
    let file = format!("{}-last.bpk", slug(CONDITIONAL));
    saved_or_trained(chapter, options, &[EXPERIMENT], EXPERIMENT, |_, run| {
        model_in(run, &file)
    })
}
