//! The book's way to use a frozen encoder: each text is read again in each epoch, with the encoder's dropout on in training, and with padding that the
//! encoder takes for pieces (section 13.4.3).

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use common::data::{Batch, Batches, Sequences};
use common::kernels::AttentionMask;

use super::bert::Bert;
use super::encoder::TextEncoder;
use super::features::{PieceVectors, classes};

/// Texts that are encoded when they are asked for.
#[derive(Clone, Debug)]
pub struct ReadAgain {
    sequences: Sequences,
    labels: Vec<u8>,
    padding: u32,
    /// On a device with automatic differentiation, where dropout is on.
    training: Bert,
    evaluation: Bert,
}

impl ReadAgain {
    /// Texts and their classes.
    pub fn new(encoder: &TextEncoder, texts: &[String], labels: &[u8], device: &Device) -> Self {
        Self {
            sequences: encoder.sequences(texts),
            labels: labels.to_vec(),
            padding: encoder.tokens.padding(),
            training: encoder.bert.clone().fork(&device.clone().autodiff()),
            evaluation: encoder.bert.clone(),
        }
    }
}

impl Batches for ReadAgain {
    /// [batch, time, width], \[batch\]
    type Batch = Batch<PieceVectors, Tensor<1, Int>>;

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn batch(&self, indices: &[usize], _epoch_seed: u64, device: &Device) -> Self::Batch {
        let ids = self.sequences.padded(indices, self.padding, device).ids; // [B, T]
        let valid = ids.clone().not_equal_elem(i64::from(self.padding));
        let bert = match device.is_autodiff() {
            true => &self.training,
            false => &self.evaluation,
        };
        // Frozen: no gradient goes back into the encoder.
        let h = bert.forward(ids, &AttentionMask::none()).detach(); // [B, T, H]
        Batch {
            inputs: PieceVectors { h, valid },
            targets: classes(&self.labels, indices, device),
        }
    }
}
