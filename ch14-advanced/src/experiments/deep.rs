//! 14.6 and 14.8: networks of 28 blocks, and MixUp.

use common::Result;
use common::data::{Crops, Split};
use common::experiment::Run;
use common::plot;

use super::trainings::{Curve, Size, mixed, photos, regular, residual};
use crate::residual::Style;

/// 14.6
pub(super) fn residual_nets(run: &mut Run) -> Result<()> {
    let data = photos(run, Size::Deep)?;
    let curves = [
        plain(run, &data)?,
        residual(run, &data, Style::Plain)?,
        residual(run, &data, Style::ReZero)?,
    ];
    draw(run, "28 residual blocks", &curves)?;
    let [regular, resnet, rezero] = &curves;
    draw_alphas(run, rezero)?;
    for deep in [resnet, rezero] {
        run.claim(
            &format!("{} is far above the regular network", deep.name),
            deep.last() > regular.last() + 0.05,
            told(deep, regular),
        );
    }
    let half = rezero.history.epochs().div_ceil(2);
    let ahead = |curve: &Curve| {
        let accuracy = curve.history.column("test accuracy");
        let some = &accuracy[1.min(half)..half];
        some.iter().sum::<f64>() / some.len() as f64
    };
    let [of_rezero, of_resnet] = [ahead(rezero), ahead(resnet)];
    run.claim(
        "after the first epoch ReZero converges faster",
        of_rezero > of_resnet,
        format!(
            "mean test accuracy of epochs 1 to {} {of_rezero:.4} against {of_resnet:.4}",
            half.saturating_sub(1)
        ),
    );
    run.claim(
        "ReZero ends higher than plain blocks",
        rezero.last() > resnet.last(),
        told(rezero, resnet),
    );
    Ok(())
}

/// 14.8
pub(super) fn mixup(run: &mut Run) -> Result<()> {
    let data = photos(run, Size::Deep)?;
    let curves = [
        plain(run, &data)?,
        residual(run, &data, Style::Plain)?,
        residual(run, &data, Style::ReZero)?,
        mixed(run, &data)?,
    ];
    draw(run, "Mixed photos", &curves)?;
    let [others @ .., mixed] = &curves;
    run.claim_near("test accuracy of MixUp", mixed.last(), 0.8812, 0.02);
    let mut best = &others[0];
    for other in others {
        if other.last() > best.last() {
            best = other;
        }
    }
    run.claim(
        "MixUp ends highest",
        mixed.last() > best.last(),
        told(mixed, best),
    );
    let [a, b] = [mixed, &others[2]].map(|curve| curve.history.last("total time"));
    run.metric("training time of MixUp over that of ReZero", a / b);
    Ok(())
}

fn plain(run: &mut Run, data: &Split<Crops>) -> Result<Curve> {
    Ok(Curve {
        name: "regular",
        history: regular(run, data, Size::Deep)?.history,
    })
}

fn told(better: &Curve, than: &Curve) -> String {
    format!(
        "test accuracy {:.4} against {:.4} of {}",
        better.last(),
        than.last(),
        than.name
    )
}

/// Test accuracy against epoch and against time, and where each curve ends.
fn draw(run: &mut Run, title: &str, curves: &[Curve]) -> Result<()> {
    for (name, column, label, caption) in [
        ("accuracy", "epoch", "epoch", "Test accuracy against epoch."),
        (
            "time",
            "total time",
            "training time in seconds",
            "Test accuracy against time: depth costs, ReZero and MixUp hardly do.",
        ),
    ] {
        let mut chart = plot::lines(title, label, "test accuracy");
        for curve in curves {
            let (x, y) = (
                curve.history.column(column),
                curve.history.column("test accuracy"),
            );
            chart = chart.line(curve.name, &x, &y);
        }
        run.figure(name, caption, &chart.build())?;
    }
    for curve in curves {
        let what = format!("test accuracy, {}", curve.name);
        match curve.name {
            "regular" => run.metric_beside(&what, curve.last(), 0.7435),
            "ReZero, MixUp" => run.metric_beside(&what, curve.last(), 0.8812),
            _ => run.metric(&what, curve.last()),
        }
        let what = format!("mean test accuracy of all epochs, {}", curve.name);
        run.metric(&what, curve.mean());
    }
    Ok(())
}

/// The weight of the first, the middle and the last block of each stage, from 0 on.
fn draw_alphas(run: &mut Run, rezero: &Curve) -> Result<()> {
    let columns = rezero.history.columns().iter();
    let alphas: Vec<&String> = columns.filter(|c| c.starts_with("model alpha")).collect();
    let epochs: Vec<usize> = (0..=rezero.history.epochs()).collect();
    let stage = alphas.len().div_ceil(4).max(1);
    let mut chart = plot::lines(
        "The weight of a block",
        "epochs of training",
        "mean of |alpha|",
    );
    for (i, stage) in alphas.chunks(stage).enumerate() {
        let values: Vec<Vec<f64>> = stage.iter().map(|c| rezero.history.column(c)).collect();
        let mean = |epoch: usize| {
            let all = values.iter().filter_map(|of_block| of_block.get(epoch));
            all.map(|alpha| alpha.abs()).sum::<f64>() / values.len() as f64
        };
        let means: Vec<f64> = std::iter::once(0.0)
            .chain((0..rezero.history.epochs()).map(mean))
            .collect();
        chart = chart.line(&format!("stage {}", i + 1), &epochs, &means);
    }
    run.figure(
        "alphas",
        "The alphas of ReZero's blocks grow from 0; mean over the blocks of each stage.",
        &chart.build(),
    )?;
    let last: Vec<f64> = alphas.iter().map(|c| rezero.history.last(c)).collect();
    let blocks: Vec<usize> = (1..=last.len()).collect();
    let chart = plot::lines("The weights after training", "block", "alpha");
    run.figure(
        "blocks",
        "The alpha of each block after training.",
        &chart.line("alpha", &blocks, &last).build(),
    )?;
    let most = last
        .iter()
        .fold(0.0f64, |most, alpha| most.max(alpha.abs()));
    run.metric("largest |alpha| after training", most);
    Ok(())
}
