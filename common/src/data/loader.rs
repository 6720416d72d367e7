//! Batches for Burn's training loop, in an order that depends on nothing but the seed and the epoch.
//!
//! Burn's own loader draws a new order from one generator each time it is asked, so the order of epoch 7 depends on how
//! often the loader was used before: a resumed run would differ from one that was never stopped. It also builds a batch from
//! a vector of items, one small allocation per example; here a batch is one allocation and one copy to the device.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Int, Tensor};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{Images, Points, Regression};
use crate::seed::mix;

/// Inputs of a model and what it should answer.
#[derive(Clone, Debug)]
pub struct Batch<X, Y> {
    /// What goes in, the first dimension counting examples.
    pub inputs: X,
    /// What should come out.
    pub targets: Y,
}

/// A data set that makes batches of its examples.
pub trait Batches: Send + Sync {
    /// What a training step takes.
    type Batch;

    /// Number of examples.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Examples that are evaluated at once, if the training's batches are not larger.
    fn evaluation_batch(&self) -> usize {
        128
    }

    /// A shuffled order, changed so that what goes well together comes into one batch: each `batch_size` that follow each other are one.
    /// Unchanged if the set does not say otherwise.
    fn arrange(&self, order: Vec<usize>, _batch_size: usize, _seed: u64) -> Vec<usize> {
        order
    }

    /// The batch of the examples with these numbers. A set that alters its examples at random draws from `epoch_seed` and an
    /// example's number only, so that neither the order nor the batch size matters.
    fn batch(&self, indices: &[usize], epoch_seed: u64, device: &Device) -> Self::Batch;
}

impl Batches for Images {
    /// [batch, channels, height, width] in \[0, 1\], \[batch\]
    type Batch = Batch<Tensor<4>, Tensor<1, Int>>;

    fn len(&self) -> usize {
        Images::len(self)
    }

    fn batch(&self, indices: &[usize], _epoch_seed: u64, device: &Device) -> Self::Batch {
        Batch {
            inputs: self.tensor(indices, device),
            targets: self.labels_tensor(indices, device),
        }
    }
}

impl Batches for Points {
    /// [batch, dim], \[batch\]
    type Batch = Batch<Tensor<2>, Tensor<1, Int>>;

    fn len(&self) -> usize {
        Points::len(self)
    }

    fn batch(&self, indices: &[usize], _epoch_seed: u64, device: &Device) -> Self::Batch {
        Batch {
            inputs: self.tensor(indices, device),
            targets: self.labels_tensor(indices, device),
        }
    }
}

impl Batches for Regression {
    /// [batch, input_dim], [batch, target_dim]
    type Batch = Batch<Tensor<2>, Tensor<2>>;

    fn len(&self) -> usize {
        Regression::len(self)
    }

    fn batch(&self, indices: &[usize], _epoch_seed: u64, device: &Device) -> Self::Batch {
        Batch {
            inputs: self.tensor(indices, device),
            targets: self.targets_tensor(indices, device),
        }
    }
}

/// The batches of a data set, for Burn's training loop.
pub struct Loader<D> {
    data: Arc<D>,
    batch_size: usize,
    shuffle: Option<u64>,
    drop_last: bool,
    epoch: Arc<AtomicUsize>,
    device: Device,
    /// The examples this loader serves; less than the whole set on one device of several.
    range: Range<usize>,
}

impl<D> Clone for Loader<D> {
    fn clone(&self) -> Self {
        Self {
            data: self.data.clone(),
            epoch: self.epoch.clone(),
            device: self.device.clone(),
            range: self.range.clone(),
            ..*self
        }
    }
}

impl<D: Batches> Loader<D> {
    /// Batches of `batch_size` examples (0 counts as 1), made on `device`; shuffled anew in each epoch if there is a seed,
    /// else in the set's own order. The last batch may be smaller.
    pub fn new(data: Arc<D>, batch_size: usize, shuffle: Option<u64>, device: &Device) -> Self {
        Self {
            range: 0..data.len(),
            data,
            batch_size: batch_size.max(1),
            shuffle,
            drop_last: false,
            epoch: Arc::new(AtomicUsize::new(0)),
            device: device.clone(),
        }
    }

    /// Whether a last batch of fewer examples than the others is left out.
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.drop_last = drop_last;
        self
    }

    /// The epoch whose order the next pass takes, shared with all loaders made from this one. Starts at 0.
    pub fn epoch_handle(&self) -> Arc<AtomicUsize> {
        self.epoch.clone()
    }

    /// The numbers of the examples in the order of `epoch`.
    pub fn order(&self, epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = self.range.clone().collect();
        if let Some(seed) = self.shuffle {
            let seed = mix(seed, epoch as u64);
            order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
            order = self.data.arrange(order, self.batch_size, seed);
        }
        order.truncate(self.served());
        order
    }

    /// Number of examples in a pass.
    fn served(&self) -> usize {
        let all = self.range.len();
        match self.drop_last {
            true => all - all % self.batch_size,
            false => all,
        }
    }
}

impl<D> DataLoader<D::Batch> for Loader<D>
where
    D: Batches + 'static,
    D::Batch: Send + 'static,
{
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<D::Batch> + 'a> {
        let epoch = self.epoch.load(Ordering::SeqCst);
        Box::new(Pass {
            loader: self,
            order: self.order(epoch),
            epoch_seed: mix(self.shuffle.unwrap_or(0), epoch as u64),
            done: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.served()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<D::Batch>> {
        let mut loader = self.clone();
        loader.device = device.clone();
        Arc::new(loader)
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<D::Batch>> {
        let mut loader = self.clone();
        let at = |n: usize| self.range.end.min(self.range.start.saturating_add(n));
        loader.range = at(start)..at(end).max(at(start));
        Arc::new(loader)
    }
}

/// One pass over the examples.
struct Pass<'a, D> {
    loader: &'a Loader<D>,
    order: Vec<usize>,
    epoch_seed: u64,
    done: usize,
}

impl<D: Batches> Iterator for Pass<'_, D> {
    type Item = Result<D::Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = self.order.len().min(self.done + self.loader.batch_size);
        let indices = &self.order[self.done..end];
        if indices.is_empty() {
            return None;
        }
        self.done = end;
        let batch = self
            .loader
            .data
            .batch(indices, self.epoch_seed, &self.loader.device);
        Some(Ok(batch))
    }
}

impl<D: Batches> DataLoaderIterator<D::Batch> for Pass<'_, D> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.order.len(), Some("items".to_string()))
    }
}

#[cfg(test)]
mod tests;
