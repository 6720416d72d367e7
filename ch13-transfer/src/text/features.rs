//! What a frozen encoder says of texts, computed once: its answers never change, so no epoch has to ask it again.

use std::sync::Arc;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData, f16};
use common::data::{Batch, Batches};

/// The vectors of a batch of texts, shorter ones filled up.
#[derive(Clone, Debug)]
pub struct PieceVectors {
    /// A vector per piece, [B, T, H].
    pub h: Tensor<3>,
    /// [B, T], true for pieces, false for padding.
    pub valid: Tensor<2, Bool>,
}

/// Encoded texts and their classes, in half precision: 128 pieces of 768 values take 200 kB.
#[derive(Clone, Debug)]
pub struct EncodedTexts {
    vectors: Arc<Vec<Vec<f16>>>,
    width: usize,
    labels: Vec<u8>,
}

impl EncodedTexts {
    /// A text's vectors one after the other, of `width` values each, and a class per text.
    pub(crate) fn new(vectors: Vec<Vec<f16>>, width: usize, labels: Vec<u8>) -> Self {
        Self {
            vectors: Arc::new(vectors),
            width,
            labels,
        }
    }
}

/// The classes of these texts as a tensor, \[B\].
pub(crate) fn classes(labels: &[u8], indices: &[usize], device: &Device) -> Tensor<1, Int> {
    let classes: Vec<i32> = indices.iter().map(|&i| i32::from(labels[i])).collect();
    Tensor::from_data(TensorData::new(classes, [indices.len()]), device)
}

impl Batches for EncodedTexts {
    /// [batch, time, width], \[batch\]
    type Batch = Batch<PieceVectors, Tensor<1, Int>>;

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn batch(&self, indices: &[usize], _epoch_seed: u64, device: &Device) -> Self::Batch {
        let pieces = |i: usize| self.vectors[i].len() / self.width;
        let lengths = indices.iter().map(|&i| pieces(i));
        let time = lengths.max().unwrap_or(0).max(1);
        let shape = [indices.len(), time, self.width];
        let mut values = vec![0.0f32; shape.iter().product()];
        let mut valid = vec![false; indices.len() * time];
        for (b, &i) in indices.iter().enumerate() {
            let to = &mut values[b * time * self.width..];
            for (to, from) in to.iter_mut().zip(&self.vectors[i]) {
                *to = from.to_f32();
            }
            valid[b * time..][..pieces(i)].fill(true);
        }
        Batch {
            inputs: PieceVectors {
                h: Tensor::from_data(TensorData::new(values, shape), device),
                valid: Tensor::from_data(TensorData::new(valid, [shape[0], time]), device),
            },
            targets: classes(&self.labels, indices, device),
        }
    }
}
