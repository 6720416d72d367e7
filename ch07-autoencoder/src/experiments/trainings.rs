//! The trainings of 7.1 to 7.6. Those of the same name are the same training: the second experiment that wants one takes it over.

use common::Result;
use common::data::{Images, Split};
use common::experiment::Run;
use common::train::{History, Recipe, Regressor};

use crate::auto_encode::{AutoEncodeDataset, Autoencoder};
use crate::autoencoders::DeepAutoencoder;
use crate::pca::{NonLinearPca, Pca, PcaRegressor};

/// Images per update.
const BATCH: usize = 128;
/// Images for the wide networks at `quick`, whose steps take long.
const FEWER: [usize; 2] = [16_000, 2_000];

/// A trained network.
pub(super) struct Trained<N> {
    pub(super) name: &'static str,
    pub(super) network: N,
    pub(super) history: History,
}

impl<N> Trained<N> {
    /// The test loss after the last epoch.
    pub(super) fn test_loss(&self) -> f64 {
        self.history.last("test loss")
    }
}

/// MNIST, the same for all of 7.1 to 7.6.
pub(super) fn digits(run: &mut Run) -> Result<Split<Images>> {
    let (train, test) = run.pick((256, 100), (60_000, 10_000), (60_000, 10_000));
    run.mnist(train, test)
}

/// The part of the digits that a wide network is trained on.
fn for_wide(run: &Run, data: &Split<Images>) -> Split<Images> {
    let [train, test] = run.pick([128, 100], FEWER, [usize::MAX; 2]);
    Split {
        train: data.train.take(train),
        test: data.test.take(test),
        source: data.source.clone(),
    }
}

/// 7.1: a code of two values, linear, one matrix.
pub(super) fn pca(run: &mut Run, data: &Split<Images>) -> Result<Trained<Pca>> {
    let model = PcaRegressor::new(Pca::new(run.device()));
    let epochs = run.pick(1, 10, 10);
    let data = AutoEncodeDataset::split(data);
    let fitted = run.fit("PCA", model, &data, &recipe(epochs))?;
    Ok(Trained {
        name: "PCA",
        network: fitted.model.network,
        history: fitted.history,
    })
}

/// 7.2: a code of two values, with tanh.
pub(super) fn non_linear(run: &mut Run, data: &Split<Images>) -> Result<Trained<NonLinearPca>> {
    let network = NonLinearPca::new(run.device());
    let epochs = run.pick(1, 10, 10);
    regressor(run, "non-linear PCA", network, data, epochs)
}

/// 7.3: a code of two values, four layers on each side.
pub(super) fn narrow(run: &mut Run, data: &Split<Images>) -> Result<Trained<DeepAutoencoder>> {
    let network = DeepAutoencoder::narrow(run.device());
    let epochs = run.pick(1, 10, 10);
    regressor(run, "deep autoencoder", network, data, epochs)
}

/// 7.4: a code of 1,568 values.
pub(super) fn wide(run: &mut Run, data: &Split<Images>) -> Result<Trained<DeepAutoencoder>> {
    let network = DeepAutoencoder::wide(run.device());
    over_complete(run, "big autoencoder", network, data)
}

/// 7.5: the same, trained with noise on its input.
pub(super) fn denoising(run: &mut Run, data: &Split<Images>) -> Result<Trained<DeepAutoencoder>> {
    let network = DeepAutoencoder::denoising(run.device());
    over_complete(run, "denoising autoencoder", network, data)
}

/// 7.6: the same, trained with dropout.
pub(super) fn dropout(run: &mut Run, data: &Split<Images>) -> Result<Trained<DeepAutoencoder>> {
    let network = DeepAutoencoder::dropout(run.device());
    over_complete(run, "dropout autoencoder", network, data)
}

/// What the book's notebook trains in 7.6: the network of 7.5 once more.
pub(super) fn denoising_again(
    run: &mut Run,
    data: &Split<Images>,
    trained: &Trained<DeepAutoencoder>,
) -> Result<Trained<DeepAutoencoder>> {
    let network = trained.network.clone();
    over_complete(run, "denoising autoencoder, trained on", network, data)
}

fn over_complete(
    run: &mut Run,
    name: &'static str,
    network: DeepAutoencoder,
    data: &Split<Images>,
) -> Result<Trained<DeepAutoencoder>> {
    let data = for_wide(run, data);
    let epochs = run.pick(1, 6, 10);
    regressor(run, name, network, &data, epochs)
}

fn regressor<N: Autoencoder>(
    run: &mut Run,
    name: &'static str,
    network: N,
    data: &Split<Images>,
    epochs: usize,
) -> Result<Trained<N>> {
    let data = AutoEncodeDataset::split(data);
    let fitted = run.fit(name, Regressor::new(network), &data, &recipe(epochs))?;
    Ok(Trained {
        name,
        network: fitted.model.network,
        history: fitted.history,
    })
}

fn recipe(epochs: usize) -> Recipe {
    Recipe::adamw(BATCH, epochs).with_scores(&[])
}
