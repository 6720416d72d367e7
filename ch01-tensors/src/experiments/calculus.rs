//! 1.4 to 1.7: a function, its derivative, and the way down.

use burn::tensor::{Device, Tensor, TensorData};
use common::experiment::Run;
use common::train::Recipe;
use common::{Error, Result, plot};

use crate::descent::{Path, Walk, gradient_descent, minimize};
use crate::function::{self, MINIMUM, f};
use crate::read::{floats, scalar};

/// Where the walk starts.
const START: f32 = -3.5;

/// 1.4
pub(super) fn derivative(run: &mut Run) -> Result<()> {
    let device = run.device().clone();
    let xs = hundred_points();
    let x = on(&xs, &device); // [100]
    let values = floats(f(x.clone()))?;
    let slopes = floats(function::derivative(x))?;
    let alone = plot::lines("f(x) = (x - 2)²", "x", "f(x)").line("f(x)", &xs, &values);
    run.figure(
        "function",
        "The function to minimise: smallest at x = 2.",
        &alone.build(),
    )?;
    let both = plot::lines("f(x) = (x - 2)² and its derivative", "x", "value")
        .line("f(x)", &xs, &values)
        .line("f'(x) = 2x - 4", &xs, &slopes)
        .hline("zero", 0.0);
    run.figure(
        "derivative",
        "The derivative is negative where f falls, positive where it rises, and zero at the minimum.",
        &both.build(),
    )?;

    let mut points = xs.iter().zip(&values).zip(&slopes);
    let signs = points.all(|((x, _), slope)| (*slope < 0.0) == (*x < MINIMUM));
    let lowest = values.iter().zip(&xs).min_by(|a, b| a.0.total_cmp(b.0));
    let lowest = lowest.map_or(f32::NAN, |(_, x)| *x);
    run.claim(
        "the derivative changes its sign where f is smallest",
        signs && (lowest - MINIMUM).abs() < 0.1,
        format!("f is smallest at x = {lowest:.2}, the point nearest to 2 of the 100"),
    );

    let x = on(&xs, &device.autodiff()).require_grad();
    let gradients = f(x.clone()).sum().backward();
    let automatic = x.grad(&gradients).ok_or_else(no_gradient)?; // [100]
    let pairs = floats(automatic)?;
    let apart = pairs
        .iter()
        .zip(&slopes)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    run.claim(
        "automatic differentiation agrees with the derivative by hand",
        apart < 1e-5,
        format!("on 100 points of [-7, 9] they differ by at most {apart}"),
    );
    Ok(())
}

/// 1.5
pub(super) fn autodiff(run: &mut Run) -> Result<()> {
    let device = run.device().clone().autodiff();
    let x = Tensor::<1>::from_data([START], &device).require_grad(); // [1]
    let value = f(x.clone()); // [1]

    // In PyTorch a tensor has a field for its gradient. In Burn the gradients are what `backward` returns: before it there
    // are none to look in, and those of another computation don't know this x.
    let other = Tensor::<1>::from_data([0.0], &device).require_grad();
    let elsewhere = f(other).backward();
    let before = x.grad(&elsewhere).is_none();
    run.say(format!("before backward: x = {START}, gradient of x: none"));

    let fx = scalar(value.clone().inner())?;
    let gradients = value.backward();
    let gradient = scalar(x.grad(&gradients).ok_or_else(no_gradient)?)?;
    run.say(format!(
        "after backward:  f(x) = {fx}, gradient of x: {gradient}"
    ));
    run.metric_beside("f(-3.5)", f64::from(fx), 30.25);
    run.metric_beside("gradient at -3.5", f64::from(gradient), -11.0);
    run.claim("before the backward pass x has no gradient", before, "none");
    run.claim("f(-3.5) is 30.25", fx == 30.25, format!("{fx}"));
    run.claim(
        "the backward pass gives the derivative, -11",
        (gradient + 11.0).abs() < 1e-5,
        format!("{gradient}; by hand 2 · (-3.5) - 4 = -11"),
    );
    Ok(())
}

/// 1.6
pub(super) fn by_hand(run: &mut Run) -> Result<()> {
    let walk = Walk {
        eta: run.recipe(&Recipe::sgd(0.1, 1, 1)).lr,
        ..Walk::default()
    };
    let path = gradient_descent(f, START, walk, run.device())?;
    run.say(format!(
        "x = {START}, then x <- x - {} f'(x), until x moves by no more than 1e-5",
        walk.eta
    ));
    tell(run, &path);
    draw_on_f(run, &path)?;
    let chart = plot::lines("Gradient descent", "step", "x")
        .line("x", &counted(&path), &path.xs)
        .hline("minimum", f64::from(MINIMUM));
    run.figure(
        "steps",
        "Each step goes a fifth of what is left of the way.",
        &chart.build(),
    )?;
    run.metric("steps", path.steps() as f64);
    run.metric_beside("x", f64::from(path.end()), 2.0);
    run.claim(
        "the walk comes to rest",
        path.arrived,
        format!("after {} steps", path.steps()),
    );
    at_the_minimum(run, &path);
    Ok(())
}

/// 1.7
pub(super) fn with_optimizer(run: &mut Run) -> Result<()> {
    let recipe = run.recipe(&Recipe::sgd(0.1, 1, 60));
    recipe.validate()?;
    let path = minimize(f, START, recipe.lr, recipe.epochs, run.device())?;
    tell(run, &path);
    let walk = Walk {
        eta: recipe.lr,
        tolerance: 0.0,
        max_steps: recipe.epochs,
    };
    let by_hand = gradient_descent(f, START, walk, run.device())?;
    let chart = plot::lines("Gradient descent with an optimizer", "iteration", "x")
        .line("SGD, Burn", &counted(&path), &path.xs)
        .points("by hand", &counted(&by_hand), &by_hand.xs)
        .hline("minimum", f64::from(MINIMUM));
    run.figure(
        "steps",
        "A parameter and an optimizer object take the same steps as the loop by hand.",
        &chart.build(),
    )?;
    run.metric("iterations", path.steps() as f64);
    run.metric_beside("x", f64::from(path.end()), 2.0);
    at_the_minimum(run, &path);
    let pairs = path.xs.iter().zip(&by_hand.xs);
    let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    run.claim(
        "the optimizer takes the steps that were taken by hand",
        apart < 1e-5,
        format!(
            "over {} steps they differ by at most {apart}",
            by_hand.steps()
        ),
    );
    Ok(())
}

/// 100 evenly spaced numbers from -7 to 9.
fn hundred_points() -> Vec<f32> {
    (0..100).map(|i| -7.0 + 16.0 * i as f32 / 99.0).collect()
}

fn on(values: &[f32], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// 0, 1, 2, ... for the steps of a path.
fn counted(path: &Path) -> Vec<f32> {
    (0..path.xs.len()).map(|step| step as f32).collect()
}

/// The first steps, and every tenth.
fn tell(run: &mut Run, path: &Path) {
    let last = path.steps();
    for (step, x) in path.xs.iter().enumerate() {
        if step < 4 || step == last || (step % 10 == 0 && step < 100) {
            run.say(format!("step {step:>3}   x = {x:>7.4}"));
        }
    }
}

/// f, and the points of it that the path visits.
fn draw_on_f(run: &mut Run, path: &Path) -> Result<()> {
    let device = run.device().clone();
    let xs = hundred_points();
    let curve = floats(f(on(&xs, &device)))?;
    let visited = floats(f(on(&path.xs, &device)))?;
    let chart = plot::lines("The way down on f(x) = (x - 2)²", "x", "f(x)")
        .line("f(x)", &xs, &curve)
        .points("steps", &path.xs, &visited);
    run.figure(
        "path",
        "The steps of gradient descent from x = -3.5: long where f is steep, short near the minimum.",
        &chart.build(),
    )
}

fn at_the_minimum(run: &mut Run, path: &Path) {
    let shown = format!("{:.4}", path.end());
    run.claim(
        "x is 2.0000",
        shown == "2.0000",
        format!("{} ({shown}) after {} steps", path.end(), path.steps()),
    );
}

fn no_gradient() -> Error {
    Error::Training("the backward pass gave no gradient".into())
}
