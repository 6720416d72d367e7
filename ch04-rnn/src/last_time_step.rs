//! What a classifier needs of a recurrent layer: its last state (section 4.2).

use burn::module::Module;
use burn::tensor::Tensor;

/// Picks the state of the last layer after a sequence's own last step. Of a bidirectional layer it is the forward state after the last
/// token beside the backward state after the first.
#[derive(Module, Debug)]
pub struct LastTimeStep {
    layers: usize,
    directions: usize,
}

impl LastTimeStep {
    /// For a recurrent network of so many layers, in one direction or both.
    pub fn new(layers: usize, bidirectional: bool) -> Self {
        Self {
            layers,
            directions: if bidirectional { 2 } else { 1 },
        }
    }

    /// From the last states of all layers and directions, as [`common::nn::rnn`] gives them, those of the last layer, side by side.
    ///
    /// # Shapes
    /// - `h`: [L * D, B, H], layer by layer, forward before backward
    /// - output: [B, D * H]
    ///
    /// # Panics
    /// If `h` has not as many states as the network has layers and directions.
    pub fn forward(&self, h: Tensor<3>) -> Tensor<2> {
        let [states, batch, hidden] = h.dims();
        let (layers, directions) = (self.layers, self.directions);
        assert_eq!(
            states,
            layers * directions,
            "{layers} layers with {directions} directions do not have {states} states"
        );
        let last = h.narrow(0, states - directions, directions); // [D, B, H]
        last.swap_dims(0, 1).reshape([batch, directions * hidden])
    }
}
