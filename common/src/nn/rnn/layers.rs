//! Stacked layers over whole sequences.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};

use super::{Layer, Sizes, run, stack};
use crate::kernels::Recurrence;
use crate::nn::{Dropout, DropoutConfig};

macro_rules! layer {
    ($name:ident, $config:ident, $kind:expr, $what:literal, $source:literal) => {
        #[doc = concat!("Configuration of [`", stringify!($name), "`], ", $what, "; the fields are PyTorch's.")]
        #[derive(Config, Debug)]
        pub struct $config {
            /// Values of the input at each step.
            pub input_size: usize,
            /// Values of the state.
            pub hidden_size: usize,
            /// Layers, each on the states of the one before; at least 1.
            #[config(default = 1)]
            pub num_layers: usize,
            /// Whether each layer also reads the sequences from their end.
            #[config(default = false)]
            pub bidirectional: bool,
            /// Probability with which, in training, a state is zero on its way to the next layer.
            #[config(default = 0.0)]
            pub dropout: f64,
        }

        impl $config {
            /// Layers whose weights are drawn when they are first used.
            ///
            /// # Panics
            /// If there is no layer, or the dropout is not a probability.
            pub fn init(&self, device: &Device) -> $name {
                assert!(self.num_layers > 0, "a recurrent network has at least one layer");
                let sizes = Sizes {
                    inputs: self.input_size,
                    hidden: self.hidden_size,
                    layers: self.num_layers,
                    bidirectional: self.bidirectional,
                };
                $name {
                    layers: stack($kind, &sizes, device),
                    dropout: DropoutConfig::new(self.dropout).init(),
                }
            }
        }

        #[doc = concat!("Layers of ", $what, ": ", $source)]
        #[derive(Module, Debug)]
        #[module(custom_display)]
        pub struct $name {
            /// The layers, the first one on the input.
            pub layers: Vec<Layer>,
            /// Between two layers.
            pub dropout: Dropout,
        }

        impl ModuleDisplay for $name {
            fn custom_settings(&self) -> Option<DisplaySettings> {
                DisplaySettings::new()
                    .with_new_line_after_attribute(false)
                    .optional()
            }

            fn custom_content(&self, content: Content) -> Option<Content> {
                let first = &self.layers[0];
                content
                    .add("input_size", &first.forward.weight_ih.dims()[1])
                    .add("hidden_size", &first.forward.weight_hh.dims()[1])
                    .add("num_layers", &self.layers.len())
                    .add("bidirectional", &first.reverse.is_some())
                    .optional()
            }
        }
    };
}

layer!(
    Rnn,
    RnnConfig,
    Recurrence::Rnn,
    "a tanh RNN",
    "`h' = tanh(W_ih x + b_ih + W_hh h + b_hh)` (Elman 1990, Finding Structure in Time)."
);
layer!(
    Lstm,
    LstmConfig,
    Recurrence::Lstm,
    "an LSTM",
    "`i, f, g, o = W_ih x + b_ih + W_hh h + b_hh`; `c' = σ(f) c + σ(i) tanh(g)`; `h' = σ(o) tanh(c')` \
     (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000; no peepholes)."
);
layer!(
    Gru,
    GruConfig,
    Recurrence::Gru,
    "a GRU",
    "`r, z = σ(W_i x + b_i + W_h h + b_h)`; `n = tanh(W_in x + b_in + r (W_hn h + b_hn))`; \
     `h' = (1 - z) n + z h` (Cho et al. 2014)."
);

macro_rules! forward {
    ($($name:ident: $kind:expr),*) => {
        $(
            impl $name {
                /// The states of the last layer at all steps, and the last state of each layer and direction.
                ///
                /// The state starts from `h`, or zeros. With `lengths` each sequence ends after its own steps: the output is zero
                /// after them, and the last state is the one after its own last step (of the reverse direction: its first).
                ///
                /// # Shapes
                /// - `x`: `[batch, time, input_size]`
                /// - `h` and last states: `[num_layers * directions, batch, hidden_size]`, forward before reverse
                /// - output: `[batch, time, directions * hidden_size]`
                ///
                /// # Panics
                /// As [`recurrent`](crate::kernels::recurrent): if shapes or lengths do not fit.
                pub fn forward(
                    &self,
                    x: Tensor<3>,
                    lengths: Option<&[usize]>,
                    h: Option<Tensor<3>>,
                ) -> (Tensor<3>, Tensor<3>) {
                    let result = run($kind, &self.layers, &self.dropout, x, lengths, [h, None]);
                    (result.output, result.h)
                }
            }
        )*
    };
}

forward!(Rnn: Recurrence::Rnn, Gru: Recurrence::Gru);

impl Lstm {
    /// The hidden states of the last layer at all steps, and the last hidden and cell state of each layer and direction.
    ///
    /// The states start from `(h, c)`, or zeros. With `lengths` each sequence ends after its own steps: the output is zero after
    /// them, and the last states are those after its own last step (of the reverse direction: its first).
    ///
    /// # Shapes
    /// - `x`: `[batch, time, input_size]`
    /// - states: `[num_layers * directions, batch, hidden_size]`, forward before reverse
    /// - output: `[batch, time, directions * hidden_size]`
    ///
    /// # Panics
    /// As [`recurrent`](crate::kernels::recurrent): if shapes or lengths do not fit.
    pub fn forward(
        &self,
        x: Tensor<3>,
        lengths: Option<&[usize]>,
        states: Option<(Tensor<3>, Tensor<3>)>,
    ) -> (Tensor<3>, (Tensor<3>, Tensor<3>)) {
        let states = states.map_or([None, None], |(h, c)| [Some(h), Some(c)]);
        let result = run(
            Recurrence::Lstm,
            &self.layers,
            &self.dropout,
            x,
            lengths,
            states,
        );
        // The kernel gives a cell state for every LSTM.
        let c = result.c.unwrap_or_else(|| result.h.zeros_like());
        (result.output, (result.h, c))
    }
}
