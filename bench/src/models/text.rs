//! News: the GRU of 12.1, the averages of 12.2, the transformer of 12.7, padding as the book's code treats it.

use burn::tensor::{Device, Int, Tensor};
use ch12_transformer::Padding;
use common::Result;
use common::data::PaddedSequences;
use common::train::{Network, cross_entropy};

pub use ch12_transformer::{NewsAverage, NewsGru, NewsTransformer};

use crate::exchange::Tensors;
use crate::workload::Workload;

/// Words that the vocabulary knows.
const WORDS: usize = 20_647;

/// Words, of which the networks as printed do not ask where each text ends.
fn texts(ids: &Tensor<2, Int>) -> PaddedSequences {
    let [batch, time] = ids.dims();
    PaddedSequences {
        ids: ids.clone(),
        lengths: vec![time; batch],
    }
}

macro_rules! reader {
    ($network:ty, |$dropout:ident, $device:ident| $fresh:expr) => {
        impl Workload for $network {
            type Batch = (Tensor<2, Int>, Tensor<1, Int>);

            fn fresh($dropout: bool, $device: &Device) -> Self {
                $fresh
            }

            fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Self::Batch> {
                let words = tensors.int(&format!("x.{index}"), device)?;
                let classes = tensors.int(&format!("y.{index}"), device)?;
                Ok((words, classes))
            }

            fn loss(&self, (words, classes): &Self::Batch) -> Tensor<1> {
                cross_entropy(self.forward(texts(words)), classes.clone())
            }

            fn evaluate(&self, (words, _): &Self::Batch) {
                std::hint::black_box(self.forward(texts(words)));
            }
        }
    };
}

reader!(NewsGru, |_dropout, device| NewsGru::new(
    WORDS,
    Padding::AsPrinted,
    device
));
reader!(NewsAverage, |_dropout, device| NewsAverage::new(
    WORDS,
    None,
    Padding::AsPrinted,
    device
));
reader!(NewsTransformer, |dropout, device| NewsTransformer::new(
    WORDS,
    if dropout { 0.1 } else { 0.0 },
    Padding::AsPrinted,
    device
));
