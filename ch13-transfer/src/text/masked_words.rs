//! A small encoder that learns from texts without labels, by guessing words that were hidden from it (section 13.4; Devlin et al. 2019).
//!
//! It takes the place of a published one where there is none.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use common::data::{Batch, Batches, PAD, Sequences, Vocabulary};
use common::kernels::{AttentionMask, embedding, gelu, matmul};
use common::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use common::seed::mix;
use common::train::Network;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bert::{Bert, BertConfig};
use super::encoder::LONGEST;

/// The part of the words that is to be guessed.
const GUESSED: f64 = 0.15;
/// Of those, the part that is hidden; half of the others is replaced by any word, and half stays.
const HIDDEN: f64 = 0.8;
/// BOS is the first word of a text and EOS the last one: neither is guessed.
const FRAME: usize = 2;

/// The sizes of an encoder that is trained here. Behind the words there is one more number, for what is hidden.
pub fn small(vocabulary: &Vocabulary) -> BertConfig {
    BertConfig {
        vocabulary: vocabulary.len() + 1,
        width: 128,
        layers: 2,
        heads: 4,
        inner: 512,
        positions: LONGEST,
        ..BertConfig::distilbert()
    }
}

/// Texts with hidden words.
#[derive(Clone, Debug)]
pub struct MaskedTexts {
    /// [B, T]
    pub ids: Tensor<2, Int>,
    /// [B, T], true for padding.
    pub padding: Tensor<2, Bool>,
    /// Where the words to guess are in the texts one after the other, each T places long: \[M\].
    pub places: Tensor<1, Int>,
}

/// An encoder, and a head that guesses words: linear, GELU, norm, then the product with each word's own vector.
#[derive(Module, Debug)]
pub struct MaskedWords {
    /// What is left in the end.
    pub bert: Bert,
    transform: Linear,
    norm: LayerNorm,
    /// A number per word.
    bias: Param<Tensor<1>>,
}

impl MaskedWords {
    /// A fresh encoder with its head.
    ///
    /// # Panics
    /// As [`Bert::new`].
    pub fn new(config: &BertConfig, device: &Device) -> Self {
        Self {
            bert: Bert::new(config, device),
            transform: LinearConfig::new(config.width, config.width).init(device),
            norm: LayerNormConfig::new(config.width).init(device),
            bias: Initializer::Zeros.init([config.vocabulary], device),
        }
    }
}

impl Network for MaskedWords {
    type Input = MaskedTexts;

    /// Logits of all words for each hidden one, [M, words].
    fn forward(&self, texts: MaskedTexts) -> Tensor<2> {
        let h = self
            .bert
            .forward(texts.ids, &AttentionMask::padding(texts.padding)); // [B, T, H]
        let [batch, time, width] = h.dims();
        let h = embedding(h.reshape([batch * time, width]), texts.places, None); // [M, H]
        let h = self.norm.forward(gelu(self.transform.forward(h)));
        let words = self.bert.word_embeddings(); // [words, H]
        matmul(h, words.transpose()) + self.bias.val().unsqueeze::<2>() // [M, words]
    }
}

/// Texts of which other words are hidden in each epoch.
#[derive(Clone, Debug)]
pub struct MaskedNews {
    texts: Sequences,
    words: u32,
}

impl MaskedNews {
    /// Texts as numbers of `vocabulary`; those of more than [`LONGEST`] words are cut.
    pub fn new(texts: &Sequences, vocabulary: &Vocabulary) -> Self {
        let cut = |text: &'_ [u32]| text[..text.len().min(LONGEST)].to_vec();
        let mut all = Sequences::default();
        texts.iter().for_each(|text| all.push(&cut(text)));
        Self {
            texts: all,
            words: vocabulary.len() as u32,
        }
    }

    /// Hides words of a text: where, and what was there.
    fn hide(&self, text: &mut [i32], rng: &mut ChaCha8Rng) -> Vec<(usize, i32)> {
        let mut guessed = Vec::new();
        let inside = 1..text.len().saturating_sub(1);
        // At least one, so that no batch is without.
        let sure = (text.len() > FRAME).then(|| rng.random_range(inside.clone()));
        for place in inside {
            if sure != Some(place) && !rng.random_bool(GUESSED) {
                continue;
            }
            guessed.push((place, text[place]));
            if rng.random_bool(HIDDEN) {
                text[place] = self.words as i32;
            } else if rng.random_bool(0.5) {
                text[place] = rng.random_range(0..self.words) as i32;
            }
        }
        guessed
    }
}

impl Batches for MaskedNews {
    /// Texts with hidden words, and the words: \[M\]
    type Batch = Batch<MaskedTexts, Tensor<1, Int>>;

    fn len(&self) -> usize {
        self.texts.len()
    }

    fn batch(&self, indices: &[usize], epoch_seed: u64, device: &Device) -> Self::Batch {
        let lengths = indices.iter().map(|&i| self.texts.get(i).len());
        let time = lengths.max().unwrap_or(0).max(1);
        let (mut ids, mut padding) = (Vec::new(), Vec::new());
        let (mut places, mut words) = (Vec::new(), Vec::new());
        for (b, &i) in indices.iter().enumerate() {
            let mut rng = ChaCha8Rng::seed_from_u64(mix(epoch_seed, i as u64));
            let mut text: Vec<i32> = self.texts.get(i).iter().map(|&id| id as i32).collect();
            for (place, word) in self.hide(&mut text, &mut rng) {
                places.push((b * time + place) as i32);
                words.push(word);
            }
            padding.extend((0..time).map(|t| t >= text.len()));
            text.resize(time, PAD as i32);
            ids.append(&mut text);
        }
        let (shape, guessed) = ([indices.len(), time], places.len());
        Batch {
            inputs: MaskedTexts {
                ids: Tensor::from_data(TensorData::new(ids, shape), device),
                padding: Tensor::from_data(TensorData::new(padding, shape), device),
                places: Tensor::from_data(TensorData::new(places, [guessed]), device),
            },
            targets: Tensor::from_data(TensorData::new(words, [guessed]), device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::data::{BOS, EOS, basic_english_all};

    #[test]
    fn a_part_of_the_words_is_hidden_and_no_frame() {
        let words: Vec<String> = (0..60).map(|i| format!("w{i}")).collect();
        let texts = basic_english_all(&vec![words.join(" "); 200]);
        let vocabulary = Vocabulary::new(&texts, 1);
        let news = MaskedNews::new(&vocabulary.encode_all(&texts), &vocabulary);
        let device = Device::flex();
        let indices: Vec<usize> = (0..200).collect();
        let batch = news.batch(&indices, 3, &device);
        let read = |tensor: Tensor<1, Int>| tensor.to_data().iter::<i64>().collect::<Vec<_>>();
        let ids = read(batch.inputs.ids.clone().reshape([200 * 62]));
        let (places, words) = (read(batch.inputs.places), read(batch.targets));
        let rate = places.len() as f64 / (200.0 * 60.0);
        assert!((0.14..0.20).contains(&rate), "{rate}");
        let mask = vocabulary.len() as i64;
        let hidden = places.iter().filter(|&&p| ids[p as usize] == mask).count();
        let part = hidden as f64 / places.len() as f64;
        assert!((0.75..0.85).contains(&part), "{part}");
        assert_eq!(hidden, ids.iter().filter(|&&id| id == mask).count());
        for (place, word) in places.iter().zip(words) {
            assert!(![0, 61].contains(&(place % 62)));
            assert_eq!(
                word,
                i64::from(vocabulary.number(&format!("w{}", place % 62 - 1)))
            );
        }
        assert!(
            ids.chunks(62)
                .all(|text| text[0] == i64::from(BOS) && text[61] == i64::from(EOS))
        );
        // Other words in another epoch, the same ones in the same epoch.
        let again = |seed| read(news.batch(&indices, seed, &device).inputs.places);
        assert_eq!(again(3), places);
        assert_ne!(again(4), places);
    }
}
