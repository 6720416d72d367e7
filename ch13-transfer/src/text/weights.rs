//! Published weights of BERT and DistilBERT, with the names that Hugging Face gives them (section 13.4).

use std::path::Path;

use burn::store::{
    FloatCastAdapter, ModuleAdapter, ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore,
};
use burn::tensor::{DType, Device};
use common::{Error, Result};
use serde::Deserialize;

use super::bert::{Bert, BertConfig};

/// Their names and ours, changed one after the other: first those of both, then those of DistilBERT, then those of BERT.
const RENAMED: [(&str, &str); 17] = [
    (r"^(distilbert|bert)\.", ""),
    (r"^embeddings\.LayerNorm\.", "embeddings.norm."),
    (r"^(transformer|encoder)\.layer\.", "layers."),
    (r"\.q_lin\.", ".query."),
    (r"\.k_lin\.", ".key."),
    (r"\.v_lin\.", ".value."),
    (r"\.out_lin\.", ".output."),
    (r"\.sa_layer_norm\.", ".attention_norm."),
    (r"\.ffn\.lin1\.", ".inner."),
    (r"\.ffn\.lin2\.", ".outer."),
    (r"\.output_layer_norm\.", ".output_norm."),
    (r"\.attention\.self\.", ".attention."),
    (r"\.attention\.output\.dense\.", ".attention.output."),
    (r"\.attention\.output\.LayerNorm\.", ".attention_norm."),
    (r"\.intermediate\.dense\.", ".inner."),
    (r"^(layers\.\d+)\.output\.dense\.", "$1.outer."),
    (r"^(layers\.\d+)\.output\.LayerNorm\.", "$1.output_norm."),
];
/// What such a file may have besides: places as numbers, and the heads that the encoder was trained with.
const UNUSED: [&str; 5] = [
    "embeddings.position_ids",
    "pooler.",
    "cls.",
    "vocab_",
    "qa_outputs.",
];

impl Bert {
    /// An encoder with the weights of a `.safetensors` file in single or half precision.
    ///
    /// # Errors
    /// [`Error::Io`] when the file can't be read, [`Error::Data`] when it is damaged or of another encoder.
    pub fn load(path: &Path, config: &BertConfig, device: &Device) -> Result<Self> {
        std::fs::File::open(path).map_err(Error::io(path))?;
        let bad = |why: String| {
            Error::Data(format!(
                "{}: not the weights of this encoder: {why}",
                path.display()
            ))
        };
        let mut bert = Self::new(config, device);
        let store = SafetensorsStore::from_file(path)
            .with_from_adapter(PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32)))
            .validate(false)
            .allow_partial(true);
        let mut store = RENAMED.iter().fold(store, |store, (theirs, ours)| {
            store.with_key_remapping(theirs, *ours)
        });
        let result = bert.load_from(&mut store);
        let result = result.map_err(|error| bad(error.to_string()))?;
        if !result.errors.is_empty() {
            return Err(bad(format!("{:?}", result.errors)));
        }
        let few = |names: Vec<&String>| {
            let names = names.into_iter().take(3).map(String::as_str);
            names.collect::<Vec<_>>().join(", ")
        };
        if !result.missing.is_empty() {
            let names = result.missing.iter().map(|(name, _)| name);
            return Err(bad(format!("it lacks {}", few(names.collect()))));
        }
        let known = |name: &&String| UNUSED.iter().any(|start| name.starts_with(start));
        let unused: Vec<&String> = result.unused.iter().filter(|name| !known(name)).collect();
        match unused.is_empty() {
            true => Ok(bert),
            false => Err(bad(format!("it has {} besides", few(unused)))),
        }
    }
}

/// The fields of Hugging Face's `config.json` that say what an encoder is made of; DistilBERT has names of its own.
#[derive(Deserialize)]
struct Published {
    model_type: String,
    vocab_size: usize,
    #[serde(alias = "dim")]
    hidden_size: usize,
    #[serde(alias = "n_layers")]
    num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    num_attention_heads: usize,
    #[serde(alias = "hidden_dim")]
    intermediate_size: usize,
    max_position_embeddings: usize,
    #[serde(default)]
    type_vocab_size: usize,
    #[serde(default = "narrowest")]
    layer_norm_eps: f64,
    #[serde(alias = "dropout")]
    hidden_dropout_prob: f64,
    #[serde(alias = "activation")]
    hidden_act: String,
}

fn narrowest() -> f64 {
    1e-12
}

impl BertConfig {
    /// Reads Hugging Face's `config.json` of a BERT or DistilBERT.
    ///
    /// # Errors
    /// [`Error::Io`] when the file can't be read, [`Error::Data`] when it is not of such an encoder.
    pub fn load(path: &Path) -> Result<Self> {
        let bad = |why: String| Error::Data(format!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let read: Published =
            serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        let is_distilbert = read.model_type == "distilbert";
        if !is_distilbert && read.model_type != "bert" {
            return Err(bad(format!("is of a {}, not of a BERT", read.model_type)));
        }
        if read.hidden_act != "gelu" {
            return Err(bad(format!("{} in place of gelu", read.hidden_act)));
        }
        let config = Self {
            vocabulary: read.vocab_size,
            width: read.hidden_size,
            layers: read.num_hidden_layers,
            heads: read.num_attention_heads,
            inner: read.intermediate_size,
            positions: read.max_position_embeddings,
            token_types: if is_distilbert {
                0
            } else {
                read.type_vocab_size
            },
            epsilon: read.layer_norm_eps,
            dropout: read.hidden_dropout_prob,
        };
        config.validate().map_err(bad)?;
        Ok(config)
    }

    /// Refuses sizes that no encoder can have, and those beyond the largest BERT.
    fn validate(&self) -> std::result::Result<(), String> {
        let sizes = [
            ("vocabulary", self.vocabulary, 1 << 20),
            ("width", self.width, 1 << 13),
            ("layers", self.layers, 100),
            ("heads", self.heads, 1 << 10),
            ("inner", self.inner, 1 << 15),
            ("positions", self.positions, 1 << 14),
        ];
        for (what, size, most) in sizes {
            if size == 0 || size > most {
                return Err(format!("a {what} of {size}"));
            }
        }
        if self.token_types > 16 || !self.width.is_multiple_of(self.heads) {
            return Err(format!(
                "{} heads can't share {} values, or {} kinds of sentences are too many",
                self.heads, self.width, self.token_types
            ));
        }
        match (0.0..1.0).contains(&self.dropout) && self.epsilon.is_finite() && self.epsilon > 0.0 {
            true => Ok(()),
            false => Err(format!(
                "dropout {}, epsilon {}",
                self.dropout, self.epsilon
            )),
        }
    }
}
