//! An encoder with its tokenizer: texts in, a vector per piece out.

use burn::tensor::{Device, f16};
use common::data::{EncoderFiles, PAD, Sequences, Vocabulary, basic_english};
use common::kernels::AttentionMask;
use common::train::interrupt;
use common::{Error, Result};

use super::bert::{Bert, BertConfig};
use super::features::EncodedTexts;
use super::word_piece::Pieces;

/// Pieces of the longest text that is read; fewer than 1 in 100 pieces of news are longer, and are cut.
pub const LONGEST: usize = 128;
/// Pieces that are encoded at once, padding among them.
const AT_ONCE: usize = 4096;

/// How texts are cut.
#[derive(Clone, Debug)]
pub enum Tokens {
    /// Into pieces of words.
    Pieces(Box<Pieces>),
    /// Into words, as chapter 12 does.
    Words(Vocabulary),
}

impl Tokens {
    /// The numbers of a text's pieces, [`LONGEST`] at most.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        match self {
            Tokens::Pieces(pieces) => pieces.encode(text, LONGEST),
            Tokens::Words(vocabulary) => {
                let mut words = basic_english(text);
                words.truncate(LONGEST - 2);
                vocabulary.encode(&words)
            }
        }
    }

    /// The piece of a number.
    pub fn piece(&self, number: u32) -> &str {
        match self {
            Tokens::Pieces(pieces) => pieces.piece(number),
            Tokens::Words(vocabulary) => vocabulary.word(number),
        }
    }

    /// The number that fills up shorter texts.
    pub fn padding(&self) -> u32 {
        match self {
            Tokens::Pieces(pieces) => pieces.padding(),
            Tokens::Words(_) => PAD,
        }
    }
}

/// A trained encoder.
#[derive(Debug)]
pub struct TextEncoder {
    /// Its name in figures and files.
    pub name: String,
    /// The network.
    pub bert: Bert,
    /// Its tokenizer.
    pub tokens: Tokens,
}

impl TextEncoder {
    /// Reads a published encoder. Without a `config.json` it is DistilBERT.
    ///
    /// # Errors
    /// [`Error::Io`] when a file can't be read, [`Error::Data`] when one is damaged or they don't fit together.
    pub fn published(files: &EncoderFiles, device: &Device) -> Result<Self> {
        let config = match &files.config {
            Some(config) => BertConfig::load(config)?,
            None => BertConfig::distilbert(),
        };
        let pieces = Pieces::load(&files.vocabulary)?;
        if pieces.len() > config.vocabulary {
            return Err(Error::Data(format!(
                "{}: has {} pieces, but the encoder knows {}",
                files.vocabulary.display(),
                pieces.len(),
                config.vocabulary
            )));
        }
        if config.positions < LONGEST {
            let positions = config.positions;
            return Err(Error::Data(format!(
                "{}: reads {positions} pieces at most, which is too few for news",
                files.weights.display()
            )));
        }
        Ok(Self {
            name: files.name.to_string(),
            bert: Bert::load(&files.weights, &config, device)?,
            tokens: Tokens::Pieces(Box::new(pieces)),
        })
    }

    /// The numbers of all texts' pieces.
    pub fn sequences(&self, texts: &[String]) -> Sequences {
        let mut all = Sequences::default();
        texts
            .iter()
            .for_each(|text| all.push(&self.tokens.encode(text)));
        all
    }

    /// The vectors of all pieces of these texts, in evaluation and with padding masked: each text gives what it gives alone.
    ///
    /// # Errors
    /// [`Error::Training`] when the device fails, [`Error::Interrupted`] after Ctrl-C.
    pub fn encode(&self, texts: &[String], labels: &[u8], device: &Device) -> Result<EncodedTexts> {
        let texts = self.sequences(texts);
        let padding = self.tokens.padding();
        let mut vectors: Vec<Vec<f16>> = vec![Vec::new(); texts.len()];
        // Texts of like length together need little padding.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(texts.get(i).len()));
        let mut rest = order.as_slice();
        while let Some(&first) = rest.first() {
            if interrupt::requested() {
                return Err(Error::Interrupted("while texts were encoded".into()));
            }
            let longest = texts.get(first).len().max(1);
            let (batch, later) = rest.split_at((AT_ONCE / longest).clamp(1, rest.len()));
            rest = later;
            let padded = texts.padded(batch, padding, device);
            let hidden = padded.ids.clone().equal_elem(i64::from(padding)); // [B, T]
            let h = self
                .bert
                .forward(padded.ids, &AttentionMask::padding(hidden)); // [B, T, H]
            let values = h.into_data().try_to_vec::<f32>();
            let values = values
                .map_err(|error| Error::Training(format!("reading an encoding: {error:?}")))?;
            for (text, &i) in values.chunks(longest * self.bert.width()).zip(batch) {
                let real = texts.get(i).len() * self.bert.width();
                vectors[i] = text[..real].iter().map(|&v| f16::from_f32(v)).collect();
            }
        }
        Ok(EncodedTexts::new(
            vectors,
            self.bert.width(),
            labels.to_vec(),
        ))
    }
}
