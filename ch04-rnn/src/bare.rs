//! A recurrent layer with nothing hidden (section 4.1).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use common::kernels::tanh;
use common::nn::rnn::Rnn;
use common::nn::{Linear, LinearConfig};

/// An RNN by hand: h_t = tanh(W_x x_t + b_x + W_h h_(t-1) + b_h) with h_0 = 0 (Elman 1990). The same two linear layers at each step: weight
/// sharing over time. [`Rnn`] computes the same in one operation for the whole sequence.
#[derive(Module, Debug)]
pub struct BareRnn {
    from_input: Linear,
    from_state: Linear,
}

impl BareRnn {
    /// A fresh layer for inputs of `inputs` values and a state of `hidden`.
    pub fn new(inputs: usize, hidden: usize, device: &Device) -> Self {
        Self {
            from_input: LinearConfig::new(inputs, hidden).init(device),
            from_state: LinearConfig::new(hidden, hidden).init(device),
        }
    }

    /// The states after each step.
    ///
    /// # Shapes
    /// - `x`: [B, T, E], sequences of equal length
    /// - output: [B, T, H]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, time, _] = x.dims();
        let [_, hidden] = self.from_state.weight.dims();
        let mut h = Tensor::zeros([batch, hidden], &x.device()); // [B, H]
        let mut states = Vec::with_capacity(time);
        for t in 0..time {
            let x_t = x.clone().narrow(1, t, 1).squeeze_dim::<2>(1); // [B, E]
            h = tanh(self.from_input.forward(x_t) + self.from_state.forward(h)); // [B, H]
            states.push(h.clone());
        }
        Tensor::stack(states, 1) // [B, T, H]
    }
}

impl From<&Rnn> for BareRnn {
    /// The first layer's forward direction with copies of its weights; a linear layer holds them transposed.
    fn from(rnn: &Rnn) -> Self {
        let own = &rnn.layers[0].forward;
        let linear = |weight: &Param<Tensor<2>>, bias: &Param<Tensor<1>>| Linear {
            weight: Param::from_tensor(weight.val().transpose().detach()),
            bias: Some(Param::from_tensor(bias.val().detach())),
        };
        Self {
            from_input: linear(&own.weight_ih, &own.bias_ih),
            from_state: linear(&own.weight_hh, &own.bias_hh),
        }
    }
}
