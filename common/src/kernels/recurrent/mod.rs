//! Recurrent layers over whole batches of sequences: tanh RNN, LSTM and GRU.
//!
//! A layer has two weight matrices. The product with the input does not depend on the state, so it is taken for many steps
//! at once; a step is then one product with the state and one pass over the gates. The sequences are shared out over the
//! threads, and each thread walks through time on its own. Backward through time leaves the gradient of every gate at every
//! step, and those of the weights are one product over all steps at the end.

mod backward;
mod forward;
mod gates;
mod schedule;
mod weights;

pub(crate) use backward::{OutputGradients, backward};
pub(crate) use forward::{Layer, Outputs, Trace, forward};
pub(crate) use schedule::Schedule;
pub(crate) use weights::Weights;

use std::ops::Range;

use super::Recurrence;

/// How the gates of a step lie in memory: blocks of as many values as the state has.
///
/// RNN: the new state. LSTM: i, f, g, o. GRU: n, r, z, and W_hn h + b_hn, which n takes times r. So the products with the
/// input and with the state each write neighbouring blocks.
impl Recurrence {
    fn blocks(self) -> usize {
        match self {
            Self::Rnn => 1,
            Self::Lstm | Self::Gru => 4,
        }
    }

    /// The blocks that the product with the input is part of.
    fn input_blocks(self) -> Range<usize> {
        0..self.gates()
    }

    /// The blocks that the product with the state is part of.
    fn state_blocks(self) -> Range<usize> {
        self.blocks() - self.gates()..self.blocks()
    }
}
