//! 2.7 to 2.9: scores, checkpoints, and how many examples go into an update.

use common::data::{Points, Source, Split, two_moons};
use common::experiment::Run;
use common::train::{Classifier, Fitted, History, Recipe, Score};
use common::{Result, plot};

use super::moons;
use crate::decision::visualize_2d_softmax;
use crate::networks::MoonsMlp;

/// Book, figure: test accuracy after five epochs of single examples.
const BOOK_SINGLE: f64 = 0.84;

/// The accuracy on the book's 200 test points is only good to 0.026 (one standard deviation of 200 draws), so the book's number is checked on
/// many more.
const MANY: usize = 20_000;

type Trained = Fitted<Classifier<MoonsMlp>>;

/// 2.7
pub(super) fn one_example(run: &mut Run) -> Result<()> {
    let data = noisy_moons(run);
    let fresh = MoonsMlp::new(run.device());
    let surface = visualize_2d_softmax("Initial", &fresh, &data.test, run.device())?;
    run.figure("initial", "A network that has learned nothing.", &surface)?;

    let trained = train(run, &data, Batch::One)?;
    let loaded = run.load(&trained.name, Classifier::new(MoonsMlp::new(run.device())))?;
    let surface = visualize_2d_softmax("Loaded", &loaded.network, &data.test, run.device())?;
    run.figure(
        "loaded",
        "The trained network, read back from its checkpoint, with the test points.",
        &surface,
    )?;
    let history = &trained.history;
    let epochs = history.column("epoch");
    let accuracy = plot::lines("Accuracy, one example per update", "epoch", "accuracy")
        .line("train", &epochs, &history.column("train accuracy"))
        .line("test", &epochs, &history.column("test accuracy"))
        .build();
    run.figure("accuracy", "Accuracy against epoch.", &accuracy)?;
    let time = history.column("total time");
    let f1 = plot::lines("F1, one example per update", "seconds of training", "F1")
        .line("train", &time, &history.column("train F1"))
        .line("test", &time, &history.column("test F1"))
        .build();
    run.figure("f1", "F1 against training time.", &f1)?;

    let same = visualize_2d_softmax("Loaded", &trained.model.network, &data.test, run.device())?
        .csv()
        == surface.csv();
    run.claim(
        "the model from the checkpoint predicts as the trained one",
        same,
        "decision surfaces compared number by number",
    );
    let test = history.last("test accuracy");
    run.metric_beside("test accuracy", test, BOOK_SINGLE);
    let fresh = two_moons(MANY, 0.4, run.seed().wrapping_add(2));
    let on_many = moons::accuracy(&trained.model.network, &fresh, run.device())?;
    run.metric_beside(
        &format!("accuracy on {MANY} other points"),
        on_many,
        BOOK_SINGLE,
    );
    run.metric_beside("test F1", history.last("test F1"), 0.843);
    run.metric_beside("train accuracy", history.last("train accuracy"), 0.842);
    run.metric_beside("seconds of training", history.last("total time"), 19.0);
    let first = history.first("test accuracy");
    run.claim(
        "the first epoch teaches nearly everything",
        (first - test).abs() < 0.03 && first > 0.75,
        format!("test accuracy {first:.3} after the first epoch, {test:.3} after the last"),
    );
    run.claim_near(
        &format!("accuracy on {MANY} other points"),
        on_many,
        BOOK_SINGLE,
        0.02,
    );
    Ok(())
}

/// 2.8
pub(super) fn whole_set(run: &mut Run) -> Result<()> {
    let data = noisy_moons(run);
    let single = train(run, &data, Batch::One)?;
    let whole = train(run, &data, Batch::All)?;
    draw(run, &[&single, &whole])?;
    let (fast, slow) = (
        whole.history.last("total time"),
        single.history.last("total time"),
    );
    let accuracy = whole.history.last("test accuracy");
    run.metric_beside("test accuracy, B = N", accuracy, 0.26);
    run.metric_beside(
        "test accuracy, B = 1",
        single.history.last("test accuracy"),
        BOOK_SINGLE,
    );
    let learned = improvement(&whole.history);
    run.claim(
        "an update per epoch teaches nothing",
        learned < 0.05 && accuracy < single.history.last("test accuracy"),
        format!("test accuracy changes by {learned:+.3} from the first to the last epoch and ends at {accuracy:.3}"),
    );
    run.claim(
        "and takes a fraction of the time",
        fast < slow / 10.0,
        format!("{fast:.2} s against {slow:.2} s"),
    );
    Ok(())
}

/// 2.9
pub(super) fn mini_batches(run: &mut Run) -> Result<()> {
    let data = noisy_moons(run);
    let single = train(run, &data, Batch::One)?;
    let whole = train(run, &data, Batch::All)?;
    let mini = train(run, &data, Batch::Of(32))?;
    draw(run, &[&single, &whole, &mini])?;
    let surface = visualize_2d_softmax(
        "Decision surface, B = 32",
        &mini.model.network,
        &data.test,
        run.device(),
    )?;
    run.figure("decision", "What mini-batches have learned.", &surface)?;
    let accuracy = |fitted: &Trained| fitted.history.last("test accuracy");
    let time = |fitted: &Trained| fitted.history.last("total time");
    run.metric_beside("test accuracy, B = 32", accuracy(&mini), 0.83);
    run.metric_beside("test accuracy, B = 1", accuracy(&single), BOOK_SINGLE);
    run.metric_beside("test accuracy, B = N", accuracy(&whole), 0.26);
    run.metric_beside(
        "time of B = 32 / time of B = 1",
        time(&mini) / time(&single),
        1.0 / 20.0,
    );
    run.claim(
        "mini-batches come near to single examples",
        accuracy(&mini) > accuracy(&single) - 0.05,
        format!(
            "test accuracy {:.3} against {:.3}",
            accuracy(&mini),
            accuracy(&single)
        ),
    );
    run.claim(
        "in a fraction of the time",
        time(&mini) < time(&single) / 5.0,
        format!("{:.2} s against {:.2} s", time(&mini), time(&single)),
    );
    run.claim(
        "and far above one batch of everything",
        accuracy(&mini) > accuracy(&whole) + 0.1,
        format!(
            "test accuracy {:.3} against {:.3}",
            accuracy(&mini),
            accuracy(&whole)
        ),
    );
    Ok(())
}

/// How many examples go into an update.
#[derive(Clone, Copy)]
enum Batch {
    One,
    All,
    Of(usize),
}

/// Five epochs of the MLP on the noisy moons.
fn train(run: &mut Run, data: &Split<Points>, batch: Batch) -> Result<Trained> {
    let (name, size) = match batch {
        Batch::One => ("B = 1".to_string(), 1),
        Batch::All => ("B = N".to_string(), data.train.len()),
        Batch::Of(size) => (format!("B = {size}"), size),
    };
    let recipe = Recipe::sgd(0.001, size, 5).with_scores(&[Score::Accuracy, Score::F1, Score::Auc]);
    let model = Classifier::new(MoonsMlp::new(run.device()));
    run.fit(&name, model, data, &recipe)
}

/// 8,000 training and 200 test points, drawn apart.
fn noisy_moons(run: &mut Run) -> Split<Points> {
    let (train, test) = run.pick((200, 50), (8_000, 200), (8_000, 200));
    let (train, test) = (run.limited(train), run.limited(test));
    let split = Split {
        train: two_moons(train, 0.4, run.seed()),
        test: two_moons(test, 0.4, run.seed().wrapping_add(1)),
        source: Source {
            name: "two moons, noise 0.4".into(),
            origin: "generated as the book does".into(),
            real: true,
            train,
            test,
        },
    };
    run.uses(split.source.clone());
    split
}

fn draw(run: &mut Run, fits: &[&Trained]) -> Result<()> {
    let mut time = plot::lines(
        "Test accuracy against time",
        "seconds of training",
        "test accuracy",
    )
    .x_logarithmic();
    let mut epoch = plot::lines("Test accuracy against epoch", "epoch", "test accuracy");
    for fit in fits {
        let accuracy = fit.history.column("test accuracy");
        time = time.line(&fit.name, &fit.history.column("total time"), &accuracy);
        epoch = epoch.line(&fit.name, &fit.history.column("epoch"), &accuracy);
    }
    run.figure(
        "time",
        "Test accuracy against seconds of training.",
        &time.build(),
    )?;
    run.figure("epochs", "Test accuracy against epoch.", &epoch.build())
}

/// How much test accuracy rises from the first to the last epoch.
fn improvement(history: &History) -> f64 {
    history.last("test accuracy") - history.first("test accuracy")
}
