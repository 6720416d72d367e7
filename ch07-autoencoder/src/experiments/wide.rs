//! 7.4 to 7.6: codes of more values than there are pixels, and noise.

use burn::tensor::Tensor;
use common::Result;
use common::data::{Images, Split};
use common::experiment::Run;

use super::flat::losses;
use super::pictures::{damage, decoded, error_on, pick, readable, row, show};
use super::trainings::{self, Trained, digits};
use crate::autoencoders::DeepAutoencoder;
use crate::noise::Damage;

/// Mean squared errors against the clean images.
struct Errors {
    clean: f64,
    gaussian: f64,
    dropout: f64,
}

/// Measures what each network makes of damaged test images, as a table.
fn errors<const N: usize>(
    run: &mut Run,
    data: &Split<Images>,
    networks: [&Trained<DeepAutoencoder>; N],
) -> Result<Vec<Errors>> {
    let device = run.device().clone();
    let measure = |trained: &Trained<DeepAutoencoder>| {
        let of = |damage| error_on(&trained.network, &data.test, damage, &device);
        Ok(Errors {
            clean: of(None)?,
            gaussian: of(Some(Damage::Gaussian))?,
            dropout: of(Some(Damage::Dropout))?,
        })
    };
    let found = networks
        .into_iter()
        .map(measure)
        .collect::<Result<Vec<_>>>()?;
    let rows = networks.iter().zip(&found).map(|(trained, errors)| {
        let numbers = [errors.clean, errors.gaussian, errors.dropout];
        let mut row = vec![trained.name.to_string()];
        row.extend(numbers.map(|error| format!("{error:.4}")));
        row
    });
    run.table(
        "Mean squared error against the clean image, 1,000 test images",
        &["", "clean", "Gaussian noise", "half of the pixels missing"],
        rows.collect(),
    );
    for (trained, errors) in networks.iter().zip(&found) {
        run.metric(
            &format!("error on noisy images, {}", trained.name),
            errors.gaussian,
        );
    }
    Ok(found)
}

/// 7.4
pub(super) fn big(run: &mut Run) -> Result<()> {
    let data = digits(run)?;
    let narrow = trainings::narrow(run, &data)?;
    let big = trainings::wide(run, &data)?;
    let device = run.device().clone();
    let images = pick(&data, &[0, 6, 10], &device);
    show(
        run,
        "reconstructions",
        "A code of 1,568 values",
        "Test images and their reconstructions.",
        &[row("input", images.clone())?, decoded(&big, images)?],
    )?;
    let noisy = damage(pick(&data, &[6, 23], &device), Damage::Gaussian);
    show(
        run,
        "noisy",
        "Noise, and what becomes of it",
        "Two noisy test images, and what the big network and the one with a code of two values make of them.",
        &[
            row("input", noisy.clone())?,
            decoded(&big, noisy.clone())?,
            decoded(&narrow, noisy)?,
        ],
    )?;
    losses(run, &big, 0.00695, 0.00627);
    let (wide, flat) = (big.test_loss(), narrow.test_loss());
    run.claim(
        "the more values, the better the reconstruction",
        wide < flat,
        format!("test loss {wide:.4} against {flat:.4} with two values"),
    );
    let found = errors(run, &data, [&big, &narrow])?;
    if let [of_big, _] = &found[..] {
        run.claim(
            "noise gets through the big network",
            of_big.gaussian > 1.5 * of_big.clean,
            format!(
                "mean squared error {:.4} on noisy images, {:.4} on clean ones",
                of_big.gaussian, of_big.clean
            ),
        );
    }
    let read = |damage| readable(&narrow.network, &data, damage, &device);
    let (clean, noisy) = (read(None)?.all, read(Some(Damage::Gaussian))?.all);
    run.metric("digits read from codes, noisy images", noisy);
    run.claim(
        "with a code of two values noisy digits become other digits",
        noisy < clean - 0.1,
        format!("{noisy:.2} of the noisy digits are read right from their codes, {clean:.2} of the clean ones"),
    );
    Ok(())
}

/// Clean and noisy images with what the networks make of them.
fn show_noisy(
    run: &mut Run,
    data: &Split<Images>,
    networks: [&Trained<DeepAutoencoder>; 2],
    title: &str,
    caption: &str,
) -> Result<()> {
    let clean = pick(data, &[6, 23], run.device());
    let noisy = damage(clean.clone(), Damage::Gaussian);
    let dropped = damage(clean.clone(), Damage::Dropout);
    let images = Tensor::cat(vec![clean, noisy, dropped], 0); // [6, 1, 28, 28]
    let mut rows = vec![row("input", images.clone())?];
    for trained in networks {
        rows.push(decoded(trained, images.clone())?);
    }
    show(run, "noisy", title, caption, &rows)
}

/// 7.5
pub(super) fn denoising(run: &mut Run) -> Result<()> {
    let data = digits(run)?;
    let big = trainings::wide(run, &data)?;
    let denoising = trainings::denoising(run, &data)?;
    show_noisy(
        run,
        &data,
        [&big, &denoising],
        "Trained with noise",
        "Two test images: clean, with Gaussian noise, and with half of the pixels missing.",
    )?;
    losses(run, &denoising, 0.01491, 0.01030);
    let found = errors(run, &data, [&big, &denoising])?;
    if let [without, with] = &found[..] {
        run.claim(
            "a network that was trained with noise takes noise away",
            with.gaussian < without.gaussian,
            format!(
                "mean squared error on noisy images {:.4} against {:.4}",
                with.gaussian, without.gaussian
            ),
        );
    }
    Ok(())
}

/// 7.6
pub(super) fn dropout(run: &mut Run) -> Result<()> {
    let data = digits(run)?;
    let big = trainings::wide(run, &data)?;
    let dropout = trainings::dropout(run, &data)?;
    show_noisy(
        run,
        &data,
        [&big, &dropout],
        "Trained with dropout",
        "Two test images: clean, with Gaussian noise, and with half of the pixels missing.",
    )?;
    let test = dropout.test_loss();
    run.metric(&format!("test loss, {}", dropout.name), test);
    let found = errors(run, &data, [&big, &dropout])?;
    if let [without, with] = &found[..] {
        // What a damage adds to the error; at `quick` the error itself is still that of a network half trained.
        let adds = |errors: &Errors| [errors.gaussian, errors.dropout].map(|e| e - errors.clean);
        let pairs = adds(with).into_iter().zip(adds(without));
        for (what, (with, without)) in ["Gaussian noise", "missing pixels"].iter().zip(pairs) {
            run.claim(
                &format!("trained with dropout, the network is misled less by {what}"),
                with < without,
                format!("they add {with:.4} to the mean squared error, and {without:.4} to that of the big one"),
            );
        }
    }
    if run.as_printed() {
        let denoising = trainings::denoising(run, &data)?;
        let again = trainings::denoising_again(run, &data, &denoising)?;
        // The book's numbers of 7.6 are those of this training.
        losses(run, &again, 0.01219, 0.00805);
    }
    Ok(())
}
