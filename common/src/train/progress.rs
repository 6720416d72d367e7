//! What a person sees while a model trains: a bar on a terminal, a line per epoch elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::History;
use super::history::OBSERVED;

/// How training is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// A progress bar with loss, accuracy, examples per second and time left.
    Bar,
    /// One plain line per epoch.
    Lines,
    /// Burn's full-screen dashboard (`--tui`).
    Dashboard,
    /// Nothing (`--quiet`).
    Quiet,
}

impl Display {
    /// A bar if a person looks on, lines if the output goes to a file or a pipe.
    pub fn automatic() -> Self {
        if std::io::stdout().is_terminal() && std::io::stderr().is_terminal() {
            Display::Bar
        } else {
            Display::Lines
        }
    }
}

/// The display of one training.
pub struct Progress {
    name: String,
    epochs: usize,
    display: Display,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// `examples` is what the whole training will show to the model, evaluation included.
    pub fn start(name: &str, epochs: usize, examples: usize, display: Display) -> Self {
        let bar = (display == Display::Bar).then(|| {
            let template =
                "{prefix:.bold} {bar:24.cyan/dim} {percent:>3}%  {msg}  {per_sec:.dim}  {eta} left";
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .with_key(
                    "per_sec",
                    |state: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                        let _ = write!(w, "{:.0} ex/s", state.per_sec());
                    },
                )
                .progress_chars("━╸─");
            let bar = ProgressBar::new(examples as u64).with_style(style);
            bar.set_prefix(name.to_string());
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self {
            name: name.to_string(),
            epochs,
            display,
            bar,
        }
    }

    /// Jumps over examples that an earlier run has seen, without counting them as speed.
    pub fn skip(&self, examples: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(examples as u64);
            bar.reset_eta();
        }
    }

    /// Tells of `examples` more, in `epoch` (from 1), with the loss and accuracy so far.
    pub(super) fn advance(&self, examples: usize, epoch: usize, loss: f64, accuracy: Option<f64>) {
        let Some(bar) = &self.bar else { return };
        bar.inc(examples as u64);
        if loss.is_nan() {
            return;
        }
        let accuracy = accuracy.map_or(String::new(), |a| format!("  accuracy {a:.3}"));
        bar.set_message(format!(
            "epoch {epoch}/{}  loss {loss:.4}{accuracy}",
            self.epochs
        ));
    }

    /// Tells of `examples` more, in words.
    pub fn tell(&self, examples: usize, words: &str) {
        if let Some(bar) = &self.bar {
            bar.inc(examples as u64);
            bar.set_message(words.to_string());
        }
    }

    /// Tells of evaluation, which has no loss of its own to show.
    pub(super) fn advance_silently(&self, examples: usize) {
        if let Some(bar) = &self.bar {
            bar.inc(examples as u64);
        }
    }

    /// Tells what came of an epoch.
    pub fn epoch_done(&self, history: &History) {
        if self.display == Display::Lines {
            println!("{}", self.line(history));
        }
    }

    /// `CNN  epoch 3/20  train loss 0.4123  test accuracy 0.8801  12.3 s`
    fn line(&self, history: &History) -> String {
        let mut line = format!("{}  epoch {}/{}", self.name, history.epochs(), self.epochs);
        for column in history.columns() {
            let value = history.last(column);
            match column.as_str() {
                "epoch" => {}
                other if other.starts_with(OBSERVED) => {}
                "total time" => line += &format!("  {value:.1} s"),
                // A score that there is none of, as the training accuracy of mixed photos; a loss would tell that something broke.
                other if value.is_nan() && !other.ends_with("loss") => {}
                _ => line += &format!("  {column} {value:.4}"),
            }
        }
        line
    }

    /// Replaces the bar by a line that stays.
    pub fn finish(self, history: &History) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            if history.epochs() > 0 {
                println!("{}", self.line(history));
            }
        }
    }
}

/// The display and the results table of a loop that a chapter writes by hand.
pub struct Watch {
    progress: Progress,
    history: History,
    clock: std::time::Instant,
}

impl Watch {
    /// Starts the clock for a training of `epochs`.
    pub fn start(name: &str, epochs: usize, display: Display) -> Self {
        // The dashboard belongs to burn-train; a hand-written loop has the bar.
        let display = match display {
            Display::Dashboard => Display::Bar,
            other => other,
        };
        Self {
            progress: Progress::start(name, epochs, epochs, display),
            history: History::new(
                ["epoch", "total time", "train loss"]
                    .map(str::to_string)
                    .into(),
            ),
            clock: std::time::Instant::now(),
        }
    }

    /// Tells that `epoch` (from 0) is done, with its mean loss.
    pub fn epoch(&mut self, epoch: usize, loss: f64) {
        let seconds = self.clock.elapsed().as_secs_f64();
        self.history.push(&[epoch as f64, seconds, loss]);
        self.progress.advance(1, epoch + 1, loss, None);
        self.progress.epoch_done(&self.history);
    }

    /// The results table.
    pub fn finish(self) -> History {
        self.progress.finish(&self.history);
        self.history
    }
}
