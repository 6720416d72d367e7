//! How a translation is chosen, word by word: the most likely word each time (greedy), several beginnings kept at a time (beam), or words
//! drawn by their probabilities, as in training.

use burn::tensor::{Device, Int, Tensor, TensorData};
use common::data::{PaddedSequences, Sequences};
use common::seed::mix;
use common::{Error, Result};
use rayon::prelude::*;

use crate::decoder::Memory;
use crate::encoder::Encoded;
use crate::seq2seq::Seq2Seq;
use crate::words::{EOS, LONGEST, PAD};

/// Words of a translation, EOS among them, at most.
pub const LONGEST_TRANSLATION: usize = LONGEST + 2;

/// What was written for a source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translation {
    /// The words, and EOS if the translation came to its end.
    pub words: Vec<u32>,
    /// For each of them the weights of the source's words, SOS and EOS among them.
    pub weights: Vec<Vec<f32>>,
    /// The natural logarithm of the probability of these words.
    pub log_probability: f64,
}

impl Translation {
    /// The words without EOS.
    pub fn text(&self) -> &[u32] {
        self.words.strip_suffix(&[EOS]).unwrap_or(&self.words)
    }

    /// Whether it ends in EOS.
    pub fn is_finished(&self) -> bool {
        self.words.last() == Some(&EOS)
    }

    /// This translation with one more word.
    fn with(&self, word: u32, weights: &[f32], log_probability: f64) -> Self {
        let mut longer = self.clone();
        longer.words.push(word);
        longer.weights.push(weights.to_vec());
        longer.log_probability += log_probability;
        longer
    }

    /// By which translations of different lengths are compared.
    fn mean_log_probability(&self) -> f64 {
        self.log_probability / self.words.len().max(1) as f64
    }
}

/// One step of the decoder, read from the device.
struct Step {
    /// [B, V]
    logits: Vec<f32>,
    /// [B, S]
    weights: Vec<f32>,
    words: usize,
    sources: usize,
}

impl Step {
    fn logits(&self, row: usize) -> &[f32] {
        &self.logits[row * self.words..(row + 1) * self.words]
    }

    fn weights(&self, row: usize, length: usize) -> &[f32] {
        &self.weights[row * self.sources..][..length.min(self.sources)]
    }
}

impl Seq2Seq {
    /// Reads sources.
    pub fn encode(&self, source: &PaddedSequences) -> Encoded {
        self.encoder.forward(&self.embedding, source)
    }

    /// Takes in a word per row and scores the next ones.
    fn step(&self, memory: &mut Memory, encoded: &Encoded, words: &[u32]) -> Result<Step> {
        let ids: Vec<i32> = words.iter().map(|&word| word as i32).collect();
        let ids = TensorData::new(ids, [words.len()]);
        let ids = Tensor::<1, Int>::from_data(ids, &encoded.states.device()); // [B]
        let top = memory.step(self.embedding.lookup(ids)); // [B, H]
        let (logits, weights) = self.decoder.read_out(top.unsqueeze_dim(1), encoded);
        let [_, _, words] = logits.dims();
        let [_, _, sources] = weights.dims();
        let values = |tensor: Tensor<3>| {
            let values = tensor.into_data().try_to_vec::<f32>();
            values.map_err(|error| Error::Training(format!("{error:?}")))
        };
        Ok(Step {
            logits: values(logits)?,
            weights: values(weights)?,
            words,
            sources,
        })
    }

    /// Translates all sources at once, with the most likely word at each step, to EOS or [`LONGEST_TRANSLATION`] words.
    ///
    /// # Errors
    /// [`Error::Training`] when the device fails.
    pub fn greedy(&self, source: &PaddedSequences) -> Result<Vec<Translation>> {
        let encoded = self.encode(source);
        let mut memory = self.decoder.start(&encoded);
        let mut all = vec![Translation::default(); source.lengths.len()];
        let mut last = vec![EOS; all.len()];
        for _ in 0..LONGEST_TRANSLATION {
            let step = self.step(&mut memory, &encoded, &last)?;
            let rows = 0..all.len();
            let best = rows.into_par_iter().map(|row| best(step.logits(row)));
            let best: Vec<(u32, f64)> = best.collect();
            for (row, (word, log_probability)) in best.into_iter().enumerate() {
                last[row] = word;
                if !all[row].is_finished() {
                    let weights = step.weights(row, source.lengths[row]);
                    all[row] = all[row].with(word, weights, log_probability);
                }
            }
            if all.iter().all(Translation::is_finished) {
                break;
            }
        }
        Ok(all)
    }

    /// Translates one source, keeping the `width` most likely beginnings at each step. Of those that came to their end, or to `longest` words,
    /// the one with the greatest mean log probability of a word is taken: a sum would prefer short translations.
    ///
    /// # Errors
    /// [`Error::Usage`] for a beam of no width, [`Error::Training`] when the device fails.
    pub fn beam(
        &self,
        source: &[u32],
        width: usize,
        longest: usize,
        device: &Device,
    ) -> Result<Translation> {
        if width == 0 {
            return Err(Error::Usage("a beam keeps at least 1 beginning".into()));
        }
        let source: Sequences = [source].into_iter().collect();
        let source = source.padded(&[0], PAD, device);
        let length = source.lengths[0];
        let encoded = self.encode(&source);
        let mut memory = self.decoder.start(&encoded);
        let mut live = vec![Translation::default()];
        let mut ended: Vec<Translation> = Vec::new();
        for place in 0..longest {
            let last: Vec<u32> = live
                .iter()
                .map(|t| t.words.last().copied().unwrap_or(EOS))
                .collect();
            let encoded = encoded.repeated(live.len());
            let step = self.step(&mut memory, &encoded, &last)?;
            let mut longer: Vec<(usize, u32, f64)> = Vec::new();
            for row in 0..live.len() {
                let likely = most_likely(step.logits(row), width);
                longer.extend(likely.into_iter().map(|(word, p)| (row, word, p)));
            }
            let total = |&(row, _, p): &(usize, u32, f64)| live[row].log_probability + p;
            longer.sort_by(|a, b| total(b).total_cmp(&total(a)));
            longer.truncate(width);
            let (mut next, mut rows) = (Vec::new(), Vec::new());
            for (row, word, p) in longer {
                let translation = live[row].with(word, step.weights(row, length), p);
                if word == EOS || place + 1 == longest {
                    ended.push(translation);
                } else {
                    next.push(translation);
                    rows.push(row as i32);
                }
            }
            if next.is_empty() {
                break;
            }
            live = next;
            let rows = TensorData::new(rows.clone(), [rows.len()]);
            memory.select(&Tensor::from_data(rows, device));
        }
        let best = ended.into_iter().max_by(|a, b| {
            a.mean_log_probability()
                .total_cmp(&b.mean_log_probability())
        });
        Ok(best.unwrap_or_default())
    }
}

/// Words drawn by their probabilities, each step given the word drawn before: [B, T] for T steps. The same seed draws the same words.
pub(crate) fn sampled(
    model: &Seq2Seq,
    source: &PaddedSequences,
    steps: usize,
    seed: u64,
) -> TensorData {
    let source = PaddedSequences {
        ids: source.ids.clone().without_autodiff(),
        lengths: source.lengths.clone(),
    };
    let rows = source.lengths.len();
    let encoded = model.encode(&source);
    let mut memory = model.decoder.start(&encoded);
    let mut last = vec![EOS; rows];
    let mut drawn = vec![EOS as i32; rows * steps];
    // The word of the last step would be read by nobody.
    for t in 0..steps.saturating_sub(1) {
        // A device that fails here fails in the pass that learns too, where it is reported.
        let Ok(step) = model.step(&mut memory, &encoded, &last) else {
            break;
        };
        let draw = |row: usize| {
            let number = mix(seed, 1 + (t * rows + row) as u64) >> 11;
            draw(step.logits(row), number as f64 / (1u64 << 53) as f64)
        };
        last = (0..rows).into_par_iter().map(draw).collect();
        for (row, word) in last.iter().enumerate() {
            drawn[row * steps + t] = *word as i32;
        }
    }
    TensorData::new(drawn, [rows, steps])
}

/// Log of the sum of e^x.
fn log_sum_exp(logits: &[f32]) -> f64 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|x| (x - top).exp()).sum();
    f64::from(top) + f64::from(sum).ln()
}

/// The most likely word and its log probability.
fn best(logits: &[f32]) -> (u32, f64) {
    let mut word = 0;
    for (i, x) in logits.iter().enumerate() {
        if *x > logits[word] {
            word = i;
        }
    }
    let logit = logits.get(word).copied().unwrap_or(f32::NAN);
    (word as u32, f64::from(logit) - log_sum_exp(logits))
}

/// The `n` most likely words and their log probabilities.
fn most_likely(logits: &[f32], n: usize) -> Vec<(u32, f64)> {
    let mut words: Vec<u32> = (0..logits.len() as u32).collect();
    let by_logit = |a: &u32, b: &u32| {
        let logit = |word: &u32| logits[*word as usize];
        logit(b).total_cmp(&logit(a)).then(a.cmp(b))
    };
    if n < words.len() {
        words.select_nth_unstable_by(n, by_logit);
        words.truncate(n);
    }
    words.sort_by(by_logit);
    let total = log_sum_exp(logits);
    let with_probability = |word: u32| (word, f64::from(logits[word as usize]) - total);
    words.into_iter().map(with_probability).collect()
}

/// The word at `part`, from 0 to 1, of all probability.
fn draw(logits: &[f32], part: f64) -> u32 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mass: Vec<f32> = logits.iter().map(|x| (x - top).exp()).collect();
    let mut left = part * f64::from(mass.iter().sum::<f32>());
    for (word, mass) in mass.iter().enumerate() {
        left -= f64::from(*mass);
        if left < 0.0 {
            return word as u32;
        }
    }
    // Rounding has eaten the rest.
    best(logits).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_drawn_as_often_as_they_are_likely() {
        let logits = [0.5f32.ln(), 0.0f32.ln(), 0.3f32.ln(), 0.2f32.ln()];
        let mut counts = [0; 4];
        for i in 0..10_000 {
            counts[draw(&logits, (f64::from(i) + 0.5) / 10_000.0) as usize] += 1;
        }
        for (count, want) in counts.iter().zip([5000i32, 0, 3000, 2000]) {
            assert!((count - want).abs() <= 2, "{counts:?}");
        }
    }

    #[test]
    fn the_most_likely_come_first() {
        let logits = [1.0, 4.0, -2.0, 4.0, 3.0];
        let words = |n| most_likely(&logits, n).into_iter().map(|(word, _)| word);
        assert_eq!(words(3).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(words(9).collect::<Vec<_>>(), [1, 3, 4, 0, 2]);
        let total: f64 = most_likely(&logits, 5).iter().map(|(_, p)| p.exp()).sum();
        assert!((total - 1.0).abs() < 1e-6);
        assert_eq!(best(&logits).0, 1);
        assert_eq!(best(&logits).1, most_likely(&logits, 1)[0].1);
    }
}
