//! Single steps, for networks that do something else between two steps.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::tensor::{Device, Tensor};

use super::Direction;
use crate::kernels::{Recurrence, RecurrentWeights, recurrent_step};

macro_rules! cell {
    ($name:ident, $config:ident, $steps:ident, $kind:expr, $layer:literal) => {
        #[doc = concat!("Configuration of a [`", stringify!($name), "`]; the fields are PyTorch's.")]
        #[derive(Config, Debug)]
        pub struct $config {
            /// Values of the input.
            pub input_size: usize,
            /// Values of the state.
            pub hidden_size: usize,
        }

        impl $config {
            /// A cell whose weights are drawn when they are first used.
            pub fn init(&self, device: &Device) -> $name {
                let Direction {
                    weight_ih,
                    weight_hh,
                    bias_ih,
                    bias_hh,
                } = Direction::new($kind, self.input_size, self.hidden_size, device);
                $name {
                    weight_ih,
                    weight_hh,
                    bias_ih,
                    bias_hh,
                }
            }
        }

        #[doc = concat!("A single step of [`", $layer, "`](super::", $layer, ").")]
        #[derive(Module, Debug)]
        #[module(custom_display)]
        pub struct $name {
            /// `[gates * hidden_size, input_size]`
            pub weight_ih: Param<Tensor<2>>,
            /// `[gates * hidden_size, hidden_size]`
            pub weight_hh: Param<Tensor<2>>,
            /// `[gates * hidden_size]`
            pub bias_ih: Param<Tensor<1>>,
            /// `[gates * hidden_size]`
            pub bias_hh: Param<Tensor<1>>,
        }

        impl $name {
            /// The cell made ready for many steps of one forward pass: the weights are packed once, and their gradients are
            /// taken in one product over all steps.
            pub fn steps(&self) -> $steps {
                let biases = [self.bias_ih.val(), self.bias_hh.val()];
                $steps(RecurrentWeights::new(
                    $kind,
                    self.weight_ih.val(),
                    self.weight_hh.val(),
                    biases,
                ))
            }
        }

        #[doc = concat!("A [`", stringify!($name), "`] made ready for the steps of one forward pass.")]
        #[derive(Clone, Debug)]
        pub struct $steps(RecurrentWeights);

        impl ModuleDisplay for $name {
            fn custom_settings(&self) -> Option<DisplaySettings> {
                DisplaySettings::new()
                    .with_new_line_after_attribute(false)
                    .optional()
            }

            fn custom_content(&self, content: Content) -> Option<Content> {
                content
                    .add("input_size", &self.weight_ih.dims()[1])
                    .add("hidden_size", &self.weight_hh.dims()[1])
                    .optional()
            }
        }
    };
}

cell!(RnnCell, RnnCellConfig, RnnSteps, Recurrence::Rnn, "Rnn");
cell!(
    LstmCell,
    LstmCellConfig,
    LstmSteps,
    Recurrence::Lstm,
    "Lstm"
);
cell!(GruCell, GruCellConfig, GruSteps, Recurrence::Gru, "Gru");

macro_rules! forward {
    ($($name:ident, $steps:ident);*) => {
        $(
            impl $name {
                /// The new state from the input and the last state. In a loop over time call [`Self::steps`] once before it.
                ///
                /// # Shapes
                /// - `x`: `[batch, input_size]`
                /// - `h` and output: `[batch, hidden_size]`
                ///
                /// # Panics
                /// If the shapes do not fit.
                pub fn forward(&self, x: Tensor<2>, h: Tensor<2>) -> Tensor<2> {
                    self.steps().forward(x, h)
                }
            }

            impl $steps {
                /// The new state from the input and the last state.
                ///
                /// # Shapes
                /// - `x`: `[batch, input_size]`
                /// - `h` and output: `[batch, hidden_size]`
                ///
                /// # Panics
                /// If the shapes do not fit.
                pub fn forward(&self, x: Tensor<2>, h: Tensor<2>) -> Tensor<2> {
                    recurrent_step(&self.0, x, h, None).0
                }
            }
        )*
    };
}

forward!(RnnCell, RnnSteps; GruCell, GruSteps);

impl LstmCell {
    /// The new hidden and cell state from the input and the last ones. In a loop over time call [`Self::steps`] once
    /// before it.
    ///
    /// # Shapes
    /// - `x`: `[batch, input_size]`
    /// - states: `[batch, hidden_size]`
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn forward(&self, x: Tensor<2>, states: (Tensor<2>, Tensor<2>)) -> (Tensor<2>, Tensor<2>) {
        self.steps().forward(x, states)
    }
}

impl LstmSteps {
    /// The new hidden and cell state from the input and the last ones.
    ///
    /// # Shapes
    /// - `x`: `[batch, input_size]`
    /// - states: `[batch, hidden_size]`
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn forward(&self, x: Tensor<2>, (h, c): (Tensor<2>, Tensor<2>)) -> (Tensor<2>, Tensor<2>) {
        let (h, c) = recurrent_step(&self.0, x, h, Some(c));
        // The kernel gives a cell state for every LSTM.
        let c = c.unwrap_or_else(|| h.zeros_like());
        (h, c)
    }
}
