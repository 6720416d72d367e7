//! Chapter 11: sequence to sequence.
//!
//! From one sequence to another one of a different length: an encoder reads an English sentence in both directions, a decoder writes a French
//! one, word by word. Before each word the decoder looks at all states of the encoder, weighted by attention (chapter 10), and each word it has
//! written is its next input. In training half of the batches are given the true words instead (teacher forcing), so that one wrong word does not
//! spoil the rest of the lesson.
//!
//! Reading order: [`words`] (sentences to numbers), [`pairs`] (batches of padded pairs), [`encoder`], [`decoder`], [`seq2seq`] (both, taught),
//! [`search`] (how a translation is chosen), [`bleu`] (how good translations are), [`experiments`], [`translate`] (put to use).
//!
//! Letters in shape comments: B pairs in a batch, S words of a source, T words of a target, E values of an embedding, H of a state, V words of the
//! vocabulary.

pub mod bleu;
pub mod decoder;
pub mod encoder;
pub mod experiments;
pub mod pairs;
pub mod search;
pub mod seq2seq;
pub mod translate;
pub mod words;

pub use bleu::{Bleu, corpus_bleu};
pub use experiments::chapter;
pub use pairs::Translations;
pub use search::Translation;
pub use seq2seq::Seq2Seq;
pub use words::Vocabulary;
