//! The command line that all chapters share: `list`, `run`, `report`, `completions`, and the chapter's own actions.

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};
use clap_complete::Shell;
use console::style;

use crate::experiment::{Chapter, Experiment, Options, run_all};
use crate::train::interrupt;
use crate::{Error, Result, report, suggest, threads};

/// Runs a chapter's binary: parses the command line, does what it says, gives the exit status (0 done, 1 a claim did not hold or a
/// training broke down, 2 it can't be done as asked, 130 Ctrl-C).
pub fn main(chapter: Chapter) -> ExitCode {
    let matches = command(&chapter).get_matches();
    interrupt::listen();
    threads::join_pool();
    match dispatch(&chapter, &matches) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{} {error}", style("error:").red().bold().for_stderr());
            ExitCode::from(error.exit_code())
        }
    }
}

/// The chapter's command line.
pub fn command(chapter: &Chapter) -> Command {
    let name = chapter.name;
    let examples = format!(
        "Examples:\n  \
         cargo run -p {name}                                  the headline experiment, {headline}\n  \
         cargo run -p {name} -- list                          what can be run\n  \
         cargo run -p {name} -- run {first} {headline}               by number\n  \
         cargo run -p {name} -- run --all --preset book --check   the book's sizes; exit status 1 unless all claims hold\n  \
         cargo run -p {name} -- run {headline} --lr 0.01 --epochs 5  with other settings",
        headline = chapter.headline,
        first = chapter.experiments.first().map_or("", |e| e.id),
    );
    let ids = Arg::new("ids")
        .value_name("ID")
        .num_args(0..)
        .help("Experiments by number, such as 3.5 [default: the headline]");
    let all = Arg::new("all")
        .long("all")
        .action(ArgAction::SetTrue)
        .conflicts_with("ids")
        .help("All experiments of the chapter");
    let run = Command::new("run")
        .about("Runs experiments by number")
        .args([ids, all])
        .after_help(examples.clone());
    let shell = Arg::new("shell")
        .required(true)
        .value_parser(value_parser!(Shell));
    let command = Command::new(name)
        .about(format!("Chapter {}: {}", chapter.number, chapter.title))
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(examples)
        .subcommand(
            Command::new("list").about("Lists the experiments: data, time, what the book claims"),
        )
        .subcommand(run)
        .subcommand(
            Command::new("report")
                .about("Writes the report pages and the gallery of all runs anew"),
        )
        .subcommand(
            Command::new("completions")
                .about("Prints completions for a shell, e.g. `completions bash > FILE`")
                .arg(shell),
        )
        .subcommands(chapter.actions.iter().map(|action| (action.command)()));
    Options::augment_args(command)
}

fn dispatch(chapter: &Chapter, matches: &ArgMatches) -> Result<ExitCode> {
    match matches.subcommand() {
        None => run(chapter, &[], &options(matches)?),
        Some(("run", arguments)) => {
            let options = options(arguments)?;
            let ids: Vec<&String> = arguments.get_many("ids").unwrap_or_default().collect();
            if arguments.get_flag("all") {
                let all: Vec<&Experiment> = chapter.experiments.iter().collect();
                return run(chapter, &all, &options);
            }
            let named: Result<Vec<&Experiment>> =
                ids.into_iter().map(|id| find(chapter, id)).collect();
            run(chapter, &named?, &options)
        }
        Some(("list", _)) => {
            list(chapter);
            Ok(ExitCode::SUCCESS)
        }
        Some(("report", arguments)) => {
            let out = options(arguments)?.out;
            let (pages, gallery) = report::rebuild(&out)?;
            println!(
                "{pages} report pages written; gallery: {}",
                gallery.display()
            );
            Ok(ExitCode::SUCCESS)
        }
        Some(("completions", arguments)) => {
            if let Some(shell) = arguments.get_one::<Shell>("shell") {
                let mut command = command(chapter);
                clap_complete::generate(*shell, &mut command, chapter.name, &mut std::io::stdout());
            }
            Ok(ExitCode::SUCCESS)
        }
        Some((name, arguments)) => {
            let mut actions = chapter.actions.iter();
            match actions.find(|action| (action.command)().get_name() == name) {
                Some(action) => (action.run)(chapter, arguments).map(|()| ExitCode::SUCCESS),
                None => Err(Error::Usage(format!("{name}: no such subcommand"))),
            }
        }
    }
}

/// The shared flags in `matches`.
///
/// # Errors
/// [`Error::Usage`] with clap's reason.
pub fn options(matches: &ArgMatches) -> Result<Options> {
    Options::from_arg_matches(matches).map_err(|error| Error::Usage(error.to_string()))
}

/// The experiment called `id`.
fn find<'a>(chapter: &'a Chapter, id: &str) -> Result<&'a Experiment> {
    chapter.find(id).ok_or_else(|| {
        let known = suggest::nearest_first(id, chapter.experiments.iter().map(|e| e.id));
        Error::Usage(format!(
            "{}: {} has no such experiment; it has {known}",
            id, chapter.name
        ))
    })
}

fn run(chapter: &Chapter, named: &[&Experiment], options: &Options) -> Result<ExitCode> {
    let headline;
    let experiments = if named.is_empty() {
        headline = [find(chapter, chapter.headline)?];
        &headline[..]
    } else {
        named
    };
    let finished = run_all(chapter, experiments, options)?;
    let claims: Vec<_> = finished.iter().flat_map(|r| &r.summary.claims).collect();
    let failed = claims.iter().filter(|claim| !claim.held).count();
    if !options.quiet {
        println!();
        println!(
            "{} of {} claims hold. All runs: {}",
            claims.len() - failed,
            claims.len(),
            options.out.join("index.html").display()
        );
    }
    Ok(match options.check && failed > 0 {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

fn list(chapter: &Chapter) {
    println!(
        "{}",
        style(format!("Chapter {}: {}", chapter.number, chapter.title)).bold()
    );
    for experiment in &chapter.experiments {
        let mark = match experiment.id == chapter.headline {
            true => "  (headline)",
            false => "",
        };
        println!();
        println!(
            "{}  {}{mark}",
            style(format!("{:>4}", experiment.id)).cyan().bold(),
            style(experiment.title).bold(),
        );
        println!(
            "      data {} · quick {} · book {}",
            experiment.data, experiment.takes[0], experiment.takes[1]
        );
        println!("      {}", experiment.claim);
    }
    println!();
    println!(
        "cargo run -p {} -- run {}    (or run --all; --help for the flags)",
        chapter.name, chapter.headline
    );
}
