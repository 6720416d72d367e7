//! The embedding layer.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param, ParamId};
use burn::nn::Initializer;
use burn::tensor::{Device, Int, Tensor};

use crate::kernels::embedding;

/// Configuration of an [`Embedding`] layer; the first fields are those of [`burn::nn::EmbeddingConfig`].
#[derive(Config, Debug)]
pub struct EmbeddingConfig {
    /// Number of vectors.
    pub n_embedding: usize,
    /// Length of each vector.
    pub d_model: usize,
    /// Where the initial vectors come from; PyTorch's default is Burn's, N(0, 1).
    #[config(default = "Initializer::Normal{mean:0.0, std:1.0}")]
    pub initializer: Initializer,
    /// A vector that starts as zeros and does not learn, PyTorch's `padding_idx`.
    #[config(default = "None")]
    pub padding: Option<usize>,
}

impl EmbeddingConfig {
    /// A layer whose vectors are drawn when they are first used, the padding too, so that the others are those of a layer
    /// without padding.
    pub fn init(&self, device: &Device) -> Embedding {
        let shape = [self.n_embedding, self.d_model];
        let weight = match self.padding {
            Some(padding) if padding < self.n_embedding => {
                let initializer = self.initializer.clone();
                let draw = move |device: &Device, require_grad: bool| {
                    let drawn = initializer.init::<2, _>(shape, device).val().detach();
                    let zeros = Tensor::zeros([1, shape[1]], device);
                    let weight = drawn.slice_assign([padding..padding + 1, 0..shape[1]], zeros);
                    weight.detach().set_require_grad(require_grad)
                };
                Param::uninitialized(ParamId::new(), draw, device.clone(), true, shape.into())
            }
            _ => self.initializer.init(shape, device),
        };
        Embedding {
            weight,
            padding: self.padding,
        }
    }
}

/// A vector for each number, see [`embedding`].
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Embedding {
    /// `[n_embedding, d_model]`
    pub weight: Param<Tensor<2>>,
    /// A vector that does not learn.
    #[module(skip)]
    pub padding: Option<usize>,
}

impl ModuleDisplay for Embedding {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [n_embedding, d_model] = self.weight.shape().dims();
        let content = content
            .add("n_embedding", &n_embedding)
            .add("d_model", &d_model);
        match self.padding {
            Some(padding) => content.add("padding", &padding).optional(),
            None => content.optional(),
        }
    }
}

impl Embedding {
    /// The vectors of sequences of numbers.
    ///
    /// # Shapes
    /// - `indices`: `[batch, time]`
    /// - output: `[batch, time, d_model]`
    ///
    /// # Panics
    /// If a number is not below `n_embedding`.
    pub fn forward(&self, indices: Tensor<2, Int>) -> Tensor<3> {
        let [batch, time] = indices.dims();
        let rows = self.lookup(indices.reshape([batch * time])); // [batch * time, d_model]
        let [_, d_model] = rows.dims();
        rows.reshape([batch, time, d_model])
    }

    /// The vectors of one number per example, as in a decoder that goes step by step.
    ///
    /// # Shapes
    /// - `indices`: `[batch]`
    /// - output: `[batch, d_model]`
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn lookup(&self, indices: Tensor<1, Int>) -> Tensor<2> {
        embedding(self.weight.val(), indices, self.padding)
    }
}
