//! Writing with a network that predicts: draw the next character, append it, go on (sections 7.5.3 to 7.5.5).

use burn::tensor::{Device, Int, Tensor, TensorData};
use common::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::auto_regressive::{AutoRegressive, States, Steps};

/// Draws characters from p = softmax(logits / t) with the temperature t: below 1 the probable becomes more probable, above 1 less.
#[derive(Clone, Debug)]
pub struct Sampler {
    temperature: f64,
    rng: ChaCha8Rng,
}

impl Sampler {
    /// A sampler that draws the same from the same scores for the same seed.
    ///
    /// # Errors
    /// [`Error::Usage`] for a temperature that is not a positive number.
    pub fn new(temperature: f64, seed: u64) -> Result<Self> {
        if !(temperature.is_finite() && temperature > 0.0) {
            return Err(Error::Usage(format!(
                "a temperature is a positive number, such as 0.75, and not {temperature}"
            )));
        }
        Ok(Self {
            temperature,
            rng: ChaCha8Rng::seed_from_u64(seed),
        })
    }

    /// The probability of each symbol.
    pub fn probabilities(&self, logits: &[f32]) -> Vec<f64> {
        let top = logits.iter().fold(f32::NEG_INFINITY, |top, v| top.max(*v));
        // Of the greatest score the power is 1, so that no temperature overflows.
        let power = |v: &f32| (f64::from(v - top) / self.temperature).exp();
        let powers: Vec<f64> = logits.iter().map(power).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|p| p / sum).collect()
    }

    /// The number of a symbol, drawn by these probabilities.
    ///
    /// # Errors
    /// [`Error::Training`] for scores that are no numbers.
    pub fn draw(&mut self, logits: &[f32]) -> Result<u32> {
        let p = self.probabilities(logits);
        if p.is_empty() || p.iter().any(|p| !p.is_finite()) {
            let text = "the network's scores are no numbers; train it again";
            return Err(Error::Training(text.into()));
        }
        let mut left: f64 = self.rng.random(); // [0, 1)
        for (number, p) in p.iter().enumerate() {
            if left < *p {
                return Ok(number as u32);
            }
            left -= p;
        }
        // What rounding left over belongs to the most probable.
        let most = (0..p.len()).max_by(|a, b| p[*a].total_cmp(&p[*b]));
        Ok(most.unwrap_or(0) as u32)
    }
}

/// Continues `prompt` to `length` characters by reading all of it again for each new one: O(n^2) steps, as the book does it first. Gives
/// the whole text.
///
/// # Errors
/// [`Error::Usage`] for an empty prompt, [`Error::Training`] when the device fails.
pub fn slow(
    network: &AutoRegressive,
    prompt: &[u32],
    length: usize,
    mut sampler: Sampler,
    device: &Device,
) -> Result<Vec<u32>> {
    not_empty(prompt)?;
    let mut text = prompt.to_vec();
    while text.len() < length {
        let numbers: Vec<i32> = text.iter().map(|n| *n as i32).collect();
        let x = Tensor::from_data(TensorData::new(numbers, [1, text.len()]), device); // [1, T]
        let last = network.forward(x).narrow(1, text.len() - 1, 1); // [1, 1, V]
        text.push(sampler.draw(&read(last.flatten::<2>(0, 1))?)?);
    }
    Ok(text)
}

/// Continues a text from the states that were left after its last character: a step per character, O(n). An endless iterator of
/// new characters.
pub struct Writer<'a> {
    steps: Steps<'a>,
    states: States,
    /// Read, but not yet answered.
    waiting: Vec<u32>,
    sampler: Sampler,
    device: Device,
}

impl<'a> Writer<'a> {
    /// A writer that goes on after `prompt`.
    ///
    /// # Errors
    /// [`Error::Usage`] for an empty prompt.
    pub fn new(
        network: &'a AutoRegressive,
        prompt: &[u32],
        sampler: Sampler,
        device: &Device,
    ) -> Result<Self> {
        not_empty(prompt)?;
        Ok(Self {
            steps: network.steps(),
            states: network.init_hidden(1, device),
            waiting: prompt.to_vec(),
            sampler,
            device: device.clone(),
        })
    }

    fn write(&mut self) -> Result<u32> {
        let mut logits = Vec::new();
        let count = self.waiting.len();
        for (i, number) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            let x = Tensor::<1, Int>::from_data([number as i32], &self.device); // [1]
            let scores = self.steps.step(x, &mut self.states); // [1, V]
            if i + 1 == count {
                logits = read(scores)?;
            }
        }
        let next = self.sampler.draw(&logits)?;
        self.waiting.push(next);
        Ok(next)
    }
}

impl Iterator for Writer<'_> {
    type Item = Result<u32>;

    fn next(&mut self) -> Option<Result<u32>> {
        Some(self.write())
    }
}

/// Continues `prompt` to `length` characters with a [`Writer`]. Gives the whole text, for the same seed the same as [`slow`].
///
/// # Errors
/// As [`slow`].
pub fn fast(
    network: &AutoRegressive,
    prompt: &[u32],
    length: usize,
    sampler: Sampler,
    device: &Device,
) -> Result<Vec<u32>> {
    let writer = Writer::new(network, prompt, sampler, device)?;
    let new = writer.take(length.saturating_sub(prompt.len()));
    let mut text = prompt.to_vec();
    for number in new {
        text.push(number?);
    }
    Ok(text)
}

fn not_empty(prompt: &[u32]) -> Result<()> {
    match prompt.is_empty() {
        true => Err(Error::Usage(
            "a text starts with at least one character".into(),
        )),
        false => Ok(()),
    }
}

/// The scores of one row.
fn read(logits: Tensor<2>) -> Result<Vec<f32>> {
    let values = logits.into_data().try_to_vec::<f32>();
    values.map_err(|error| Error::Training(format!("reading scores: {error:?}")))
}
