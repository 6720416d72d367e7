//! Chapter 4: recurrent neural networks.
//!
//! A network can use the same weights more than once. Used at each step of a sequence, they make a recurrent network: it reads a
//! name letter by letter and keeps what it has read in a state, so that names of any length go through one set of weights. The
//! chapter shares weights inside a fully connected network, builds an RNN by hand, lets one guess the language of a surname, trains it
//! with padded batches, and stacks it in layers and in both directions.
//!
//! Reading order: [`sharing`] (a layer used twice), [`bare`] (an RNN by hand), [`last_time_step`], [`networks`] (the
//! classifier of names), [`experiments`], [`classify`] (the trained network put to use).
//!
//! What the book calls packing is here a batch that carries its lengths,
//! [`PaddedSequences`](common::data::PaddedSequences): the layers of [`common::nn::rnn`] stop at the end of each sequence, and an
//! embedding needs no packable variant.
//!
//! Letters in shape comments: B names in a batch, T letters of the longest, E values of an embedding, H of a state, L layers, D
//! directions, C classes.

pub mod bare;
pub mod classify;
pub mod experiments;
pub mod last_time_step;
pub mod networks;
pub mod sharing;

pub use experiments::chapter;
pub use last_time_step::LastTimeStep;
