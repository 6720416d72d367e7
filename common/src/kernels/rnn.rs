//! Recurrent layers: the fast ones on Flex, and the same in Burn's operations everywhere else.

use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Bool, Int, Tensor, TensorData};

#[cfg(feature = "flex")]
use super::flex;

/// The kind of a recurrent layer, with PyTorch's formulas: x is the input, h the last state, h' the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recurrence {
    /// `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`
    Rnn,
    /// `i, f, g, o = W_ih x + b_ih + W_hh h + b_hh`; `c' = σ(f) c + σ(i) tanh(g)`; `h' = σ(o) tanh(c')`
    Lstm,
    /// `r, z = σ(W_i x + b_i + W_h h + b_h)`; `n = tanh(W_in x + b_in + r (W_hn h + b_hn))`; `h' = (1 - z) n + z h`
    Gru,
}

impl Recurrence {
    /// Number of gates: the weights have as many rows for each value of the state.
    pub const fn gates(self) -> usize {
        match self {
            Self::Rnn => 1,
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }
}

/// The weights of one direction of a layer, made ready once for any number of steps.
///
/// They are used within one forward pass: a backward pass consumes them, as it does every computed tensor.
#[derive(Clone, Debug)]
pub struct RecurrentWeights {
    kind: Recurrence,
    weight_ih: Tensor<2>,
    weight_hh: Tensor<2>,
    bias_ih: Tensor<1>,
    bias_hh: Tensor<1>,
    #[cfg(feature = "flex")]
    fast: Option<flex::PackedWeights>,
}

impl RecurrentWeights {
    /// The weights, with PyTorch's shapes and order of the gates (LSTM: i, f, g, o; GRU: r, z, n).
    ///
    /// # Shapes
    /// - `weight_ih`: `[gates * hidden, inputs]`
    /// - `weight_hh`: `[gates * hidden, hidden]`
    /// - `bias_ih`, `bias_hh`: `[gates * hidden]`
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    pub fn new(
        kind: Recurrence,
        weight_ih: Tensor<2>,
        weight_hh: Tensor<2>,
        [bias_ih, bias_hh]: [Tensor<1>; 2],
    ) -> Self {
        let [rows, hidden] = weight_hh.dims();
        assert!(
            rows == kind.gates() * hidden
                && weight_ih.dims()[0] == rows
                && bias_ih.dims() == [rows]
                && bias_hh.dims() == [rows],
            "weights of a recurrent layer: {:?}, {:?}, {:?} and {:?} do not fit each other",
            weight_ih.dims(),
            weight_hh.dims(),
            bias_ih.dims(),
            bias_hh.dims()
        );
        Self {
            kind,
            #[cfg(feature = "flex")]
            fast: flex::pack_weights(kind, [&weight_ih, &weight_hh], [&bias_ih, &bias_hh]),
            weight_ih,
            weight_hh,
            bias_ih,
            bias_hh,
        }
    }

    /// Values of the input and of the state.
    pub fn sizes(&self) -> [usize; 2] {
        [self.weight_ih.dims()[1], self.weight_hh.dims()[1]]
    }
}

/// What a recurrent layer computes.
#[derive(Clone, Debug)]
pub struct Recurrent {
    /// The hidden states at all steps, `[batch, time, directions * hidden]`; zeros after the end of a sequence.
    pub output: Tensor<3>,
    /// The state after the last step of each sequence (the reverse direction's last step is the first place),
    /// `[directions, batch, hidden]`.
    pub h: Tensor<3>,
    /// LSTM only: the cell state after the last step.
    pub c: Option<Tensor<3>>,
}

/// A recurrent layer over a padded batch of sequences, as PyTorch's over packed sequences.
///
/// `weights` holds the forward direction, or both. The reverse direction starts at the own end of each sequence.
/// Without lengths every sequence is `time` long. A sequence of length 0 keeps its first state.
///
/// # Shapes
/// - `x`: `[batch, time, inputs]`
/// - `h`, and `c` for an LSTM: the first states, `[directions, batch, hidden]`
///
/// # Panics
/// If the shapes do not fit, there is not one length for each sequence, a length is above `time`, an LSTM comes without `c`
/// or another kind with it.
pub fn recurrent(
    weights: &[RecurrentWeights],
    x: Tensor<3>,
    lengths: Option<&[usize]>,
    h: Tensor<3>,
    c: Option<Tensor<3>>,
) -> Recurrent {
    let [batch, time, inputs] = x.dims();
    assert!(
        matches!(weights.len(), 1 | 2),
        "a recurrent layer has one or two directions"
    );
    let kind = weights[0].kind;
    let sizes = weights[0].sizes();
    let states = [weights.len(), batch, sizes[1]];
    assert!(
        weights.iter().all(|w| w.kind == kind && w.sizes() == sizes),
        "both directions of a recurrent layer are of one kind and size"
    );
    assert!(
        inputs == sizes[0] && h.dims() == states && c.as_ref().is_none_or(|c| c.dims() == states),
        "a recurrent layer of {} inputs takes states {states:?}, not an input {:?} with states {:?}",
        sizes[0],
        x.dims(),
        h.dims()
    );
    assert_eq!(
        c.is_some(),
        kind == Recurrence::Lstm,
        "the LSTM, and no other layer, has a cell state"
    );
    if let Some(lengths) = lengths {
        assert!(
            lengths.len() == batch && lengths.iter().all(|&length| length <= time),
            "lengths {lengths:?} of {batch} sequences in {time} steps"
        );
    }
    #[cfg(feature = "flex")]
    {
        let fast: Option<Vec<_>> = weights.iter().map(|w| w.fast.as_ref()).collect();
        if let Some(fast) = fast
            && flex::takes_recurrent(&fast, &x, &h, c.as_ref())
        {
            let (output, h, c) = flex::recurrent(&fast, x, lengths, h, c);
            return Recurrent { output, h, c };
        }
    }
    plain(weights, x, lengths, h, c)
}

/// One step of one direction: the new hidden and (LSTM only) cell state.
///
/// For a loop over time make the weights ready once, outside of it: their gradients are gathered too.
///
/// # Shapes
/// - `x`: `[batch, inputs]`
/// - `h`, and `c` for an LSTM: `[batch, hidden]`
///
/// # Panics
/// If the shapes do not fit, an LSTM comes without `c` or another kind with it.
pub fn recurrent_step(
    weights: &RecurrentWeights,
    x: Tensor<2>,
    h: Tensor<2>,
    c: Option<Tensor<2>>,
) -> (Tensor<2>, Option<Tensor<2>>) {
    let ([batch, inputs], [own_inputs, hidden]) = (x.dims(), weights.sizes());
    let states = [batch, hidden];
    assert!(
        inputs == own_inputs && h.dims() == states && c.as_ref().is_none_or(|c| c.dims() == states),
        "a recurrent cell of {own_inputs} inputs takes states {states:?}, not an input {:?} with states {:?}",
        x.dims(),
        h.dims()
    );
    assert_eq!(
        c.is_some(),
        weights.kind == Recurrence::Lstm,
        "the LSTM, and no other cell, has a cell state"
    );
    #[cfg(feature = "flex")]
    if let Some(fast) = &weights.fast
        && flex::takes_recurrent(&[fast], &x, &h, c.as_ref())
    {
        return flex::recurrent_step(fast, x, h, c);
    }
    let from_input = weights.input_sums(x);
    weights.step(from_input, h, c)
}

impl RecurrentWeights {
    /// `W_ih x + b_ih` for rows of inputs.
    fn input_sums(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight_ih.clone().transpose()) + self.bias_ih.clone().unsqueeze()
    }

    /// A step in Burn's operations.
    fn step(
        &self,
        from_input: Tensor<2>,
        h: Tensor<2>,
        c: Option<Tensor<2>>,
    ) -> (Tensor<2>, Option<Tensor<2>>) {
        let [_, hidden] = self.sizes();
        let from_state =
            h.clone().matmul(self.weight_hh.clone().transpose()) + self.bias_hh.clone().unsqueeze(); // [B, gates * H]
        let gate = |sums: &Tensor<2>, index: usize| sums.clone().narrow(1, index * hidden, hidden); // [B, H]
        match (self.kind, c) {
            (Recurrence::Gru, _) => {
                let both = |index| sigmoid(gate(&from_input, index) + gate(&from_state, index));
                let (r, z) = (both(0), both(1));
                let n = tanh(gate(&from_input, 2) + r * gate(&from_state, 2));
                (n.clone() + z * (h - n), None)
            }
            (Recurrence::Lstm, Some(c)) => {
                let sums = from_input + from_state;
                let (i, f) = (sigmoid(gate(&sums, 0)), sigmoid(gate(&sums, 1)));
                let (g, o) = (tanh(gate(&sums, 2)), sigmoid(gate(&sums, 3)));
                let c = f * c + i * g;
                (o * tanh(c.clone()), Some(c))
            }
            _ => (tanh(from_input + from_state), None),
        }
    }
}

/// The layer in Burn's operations: a state stays as it is where a mask says that its sequence is over.
fn plain(
    weights: &[RecurrentWeights],
    x: Tensor<3>,
    lengths: Option<&[usize]>,
    h: Tensor<3>,
    c: Option<Tensor<3>>,
) -> Recurrent {
    let ([batch, time, inputs], [_, hidden]) = (x.dims(), weights[0].sizes());
    let device = x.device();
    let ends = lengths.map(|lengths| {
        let lengths: Vec<i64> = lengths.iter().map(|&length| length as i64).collect();
        let ends = Tensor::<1, Int>::from_data(TensorData::new(lengths, [batch]), &device);
        ends.reshape([batch, 1]).expand([batch, hidden]) // [B, H]
    });
    let over = |t: usize| -> Option<Tensor<2, Bool>> {
        ends.as_ref()
            .map(|ends| ends.clone().lower_equal_elem(t as i64))
    };
    let (mut outputs, mut last, mut last_cells) = (Vec::new(), Vec::new(), Vec::new());
    for (direction, weights) in weights.iter().enumerate() {
        let from_input = weights.input_sums(x.clone().reshape([batch * time, inputs]));
        let from_input = from_input.reshape([batch, time, weights.kind.gates() * hidden]);
        let first = |states: &Tensor<3>| states.clone().narrow(0, direction, 1).squeeze_dim::<2>(0);
        let (mut h, mut c) = (first(&h), c.as_ref().map(first)); // [B, H]
        let mut steps = Vec::with_capacity(time);
        for step in 0..time {
            let t = if direction == 0 {
                step
            } else {
                time - 1 - step
            };
            let sums = from_input.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
            let (new_h, new_c) = weights.step(sums, h.clone(), c.clone());
            match over(t) {
                None => {
                    steps.push(new_h.clone());
                    (h, c) = (new_h, new_c);
                }
                Some(over) => {
                    steps.push(new_h.clone().mask_fill(over.clone(), 0.0));
                    h = new_h.mask_where(over.clone(), h);
                    c = new_c.zip(c).map(|(new, old)| new.mask_where(over, old));
                }
            }
        }
        if direction == 1 {
            steps.reverse();
        }
        outputs.push(match time {
            0 => Tensor::zeros([batch, 0, hidden], &device),
            _ => Tensor::stack(steps, 1), // [B, T, H]
        });
        last.push(h);
        last_cells.extend(c);
    }
    Recurrent {
        output: Tensor::cat(outputs, 2),
        h: Tensor::stack(last, 0), // [D, B, H]
        c: (!last_cells.is_empty()).then(|| Tensor::stack(last_cells, 0)),
    }
}
