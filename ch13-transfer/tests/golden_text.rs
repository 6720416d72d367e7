//! The text encoders compute what Hugging Face's compute: output and all gradients with padding masked, tiny random weights read from files as
//! `save_pretrained` writes them; and, where its files are at hand, MiniLM-L6-v2: token numbers and vectors.
//!
//! The numbers are in `golden/text_*`, written by `golden/make_text_golden.py`.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Device, Gradients, Int, Tensor, TensorData};
use ch12_transformer::Padding;
use ch13_transfer::text::{AttentionHead, Bert, BertConfig, Pieces, TextEncoder};
use common::data::{Batches, EncoderFiles};
use common::kernels::AttentionMask;
use common::train::count_parameters;
use golden_setup::{assert_numbers, devices, noise, numbers, read_golden, values};
use serde_json::Value;

fn file(name: &str) -> PathBuf {
    Path::new("tests/golden").join(name)
}

fn golden() -> Value {
    read_golden(file("text_golden.json").to_str().unwrap())
}

/// The texts of the fixture, and where their padding is.
fn texts(golden: &Value, device: &Device) -> (Tensor<2, Int>, Tensor<2, Bool>) {
    let rows = golden["ids"].as_array().unwrap();
    let ids: Vec<i32> = rows.iter().flat_map(numbers).map(|id| id as i32).collect();
    let shape = [rows.len(), ids.len() / rows.len()];
    let padding: Vec<bool> = ids.iter().map(|&id| id == 0).collect();
    (
        Tensor::from_data(TensorData::new(ids, shape), device),
        Tensor::from_data(TensorData::new(padding, shape), device),
    )
}

/// The parameters of a module in its own order, or their gradients.
struct Collect<'a> {
    gradients: Option<&'a Gradients>,
    found: Vec<Vec<f32>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let tensor = parameter.val();
        self.found.push(values(match self.gradients {
            Some(gradients) => tensor.grad(gradients).expect("a gradient"),
            None => tensor,
        }));
    }
}

fn collect(module: &impl Module, gradients: Option<&Gradients>) -> Vec<Vec<f32>> {
    let mut collect = Collect {
        gradients,
        found: Vec::new(),
    };
    module.visit(&mut collect);
    collect.found
}

fn compare(name: &str) {
    let golden = golden();
    let want = &golden[name];
    let config = BertConfig::load(&file(&format!("text_{name}.json"))).unwrap();
    for (backend, tolerance) in devices() {
        let device = common::device::open(backend).unwrap().device;
        let read = |which: &str, device: &Device| {
            let path = file(&format!("text_{name}{which}.safetensors"));
            Bert::load(&path, &config, device).unwrap()
        };
        let bert = read("", &device);
        assert_eq!(want["parameters"], count_parameters(&bert));
        let (ids, padding) = texts(&golden, &device);
        let mask = AttentionMask::padding(padding.clone());
        let output = bert.forward(ids, &mask); // [B, T, H]
        let kept = |output: Tensor<3>| -> Vec<f32> {
            let padding: Vec<bool> = padding.to_data().iter::<bool>().collect();
            let rows = values(output);
            let rows = rows.chunks(config.width).zip(padding);
            rows.filter(|(_, hidden)| !hidden)
                .flat_map(|(row, _)| row.to_vec())
                .collect()
        };
        let what = format!("{name} on {backend}");
        assert_numbers(&what, &kept(output), &want["output"], tolerance);

        // In training without dropout, so that the output is the same and has gradients.
        let config = BertConfig {
            dropout: 0.0,
            ..config
        };
        let tracked = device.clone().autodiff();
        let path = file(&format!("text_{name}.safetensors"));
        let bert = Bert::load(&path, &config, &device).unwrap();
        let bert = bert.train().fork(&tracked);
        let (ids, hidden) = texts(&golden, &tracked);
        let output = bert.forward(ids, &AttentionMask::padding(hidden.clone()));
        assert_numbers(&what, &kept(output.clone()), &want["output"], tolerance);
        let shape = output.dims();
        let directions = noise(2000, shape.iter().product());
        let directions = Tensor::<3>::from_data(TensorData::new(directions, shape), &tracked);
        let shown = hidden.bool_not().float().unsqueeze_dim::<3>(2);
        let gradients = (output * directions * shown).sum().backward();
        let found = collect(&bert, Some(&gradients));
        // The gradients are stored under the names of the weights: read as weights, they come in the layout of ours.
        let wanted = collect(&read("_gradients", &device), None);
        assert_eq!(found.len(), wanted.len());
        for (k, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            // A key's bias has no gradient but rounding errors: softmax takes it away again.
            let top = wanted.iter().fold(0.1f32, |top, v| top.max(v.abs()));
            assert_eq!(found.len(), wanted.len(), "parameter {k}");
            for (a, b) in found.iter().zip(&wanted) {
                let allowed = 3.0 * tolerance as f32 * top;
                assert!(
                    (a - b).abs() <= allowed,
                    "{what}, gradient of parameter {k}: {a} is not {b}"
                );
            }
        }
    }
}

#[test]
fn bert_equals_hugging_faces() {
    compare("bert");
}

#[test]
fn distilbert_equals_hugging_faces() {
    compare("distilbert");
}

#[test]
fn distilbert_has_the_published_number_of_parameters() {
    let fresh = Bert::new(&BertConfig::distilbert(), &Device::flex());
    assert_eq!(count_parameters(&fresh), 66_362_880);
    let head = AttentionHead::new(768, Padding::Masked, &Device::flex());
    assert_eq!(count_parameters(&head), 1_774_853);
}

#[test]
fn files_of_another_encoder_are_refused() {
    let device = Device::flex();
    let config = BertConfig::load(&file("text_bert.json")).unwrap();
    let load = |name: &str, config: &BertConfig| {
        let error = Bert::load(&file(name), config, &device).unwrap_err();
        error.to_string()
    };
    let deeper = BertConfig {
        layers: 3,
        ..config
    };
    let error = load("text_bert.safetensors", &deeper);
    assert!(error.contains("it lacks layers.2."), "{error}");
    let flatter = BertConfig {
        layers: 1,
        ..config
    };
    let error = load("text_bert.safetensors", &flatter);
    assert!(error.contains("besides"), "{error}");
    let wider = BertConfig {
        inner: 13,
        ..config
    };
    let error = load("text_bert.safetensors", &wider);
    assert!(error.contains("not the weights of this encoder"), "{error}");
    let error = load("text_bert.json", &config);
    assert!(error.contains("not the weights of this encoder"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let text = std::fs::read_to_string(file("text_bert.json")).unwrap();
    let heads = "\"num_attention_heads\": ";
    for (old, new) in [
        ("\"bert\"", "\"gpt2\""),
        ("\"gelu\"", "\"relu\""),
        (&*format!("{heads}2"), &*format!("{heads}3")),
        (&*format!("{heads}2"), &*format!("{heads}0")),
        (&*format!("{heads}2"), &*format!("{heads}-2")),
    ] {
        assert!(text.contains(old));
        std::fs::write(&path, text.replace(old, new)).unwrap();
        assert!(BertConfig::load(&path).is_err(), "{new}");
    }
    std::fs::write(&path, "[PAD]\n[UNK]\n[CLS]\nthe\n").unwrap();
    let error = Pieces::load(&path).unwrap_err().to_string();
    assert!(error.contains("it lacks [SEP]"), "{error}");
}

/// MiniLM-L6-v2 in half precision, if it is in the data folder.
fn minilm() -> Option<(TextEncoder, Value)> {
    let folder = PathBuf::from(std::env::var_os("IDL_DATA")?).join("minilm");
    let golden = folder.join("golden.json");
    let files = EncoderFiles {
        name: "MiniLM-L6-v2",
        weights: folder.join("model.f16.safetensors"),
        vocabulary: folder.join("vocab.txt"),
        config: Some(folder.join("config.json")),
        origin: String::new(),
    };
    if !golden.is_file() || !files.weights.is_file() {
        return None;
    }
    let encoder = TextEncoder::published(&files, &Device::flex()).unwrap();
    Some((encoder, read_golden(golden.to_str()?)))
}

#[test]
fn minilm_reads_and_encodes_sentences_as_published() {
    let Some((encoder, golden)) = minilm() else {
        eprintln!("no MiniLM-L6-v2 in $IDL_DATA/minilm: nothing to compare with");
        return;
    };
    let device = Device::flex();
    let sentences = golden["sentences"].as_array().unwrap();
    let texts: Vec<String> = sentences
        .iter()
        .map(|sentence| sentence["text"].as_str().unwrap().to_string())
        .collect();
    // Together, so that the shorter ones are padded.
    let encoded = encoder
        .encode(&texts, &vec![0; texts.len()], &device)
        .unwrap();
    for (i, (text, want)) in texts.iter().zip(sentences).enumerate() {
        let ids = encoder.tokens.encode(text);
        let wanted = numbers(&want["input_ids"]);
        assert!(
            ids.iter().map(|&id| f64::from(id)).eq(wanted),
            "{text}: {ids:?}"
        );
        let h = encoded.batch(&[i], 0, &device).inputs.h; // [1, T, 384]
        let h = values(h);
        let close = |found: &[f32], want: &Value| {
            for (a, b) in found.iter().zip(numbers(want)) {
                assert!((f64::from(*a) - b).abs() < 2e-3, "{text}: {a} is not {b}");
            }
        };
        close(&h[..8], &want["cls_hidden_first8"]);
        let pieces = h.len() / 384;
        let mean: Vec<f32> = (0..384)
            .map(|k| (0..pieces).map(|t| h[t * 384 + k]).sum::<f32>() / pieces as f32)
            .collect();
        let length = mean.iter().map(|v| v * v).sum::<f32>().sqrt();
        let unit: Vec<f32> = mean[..8].iter().map(|v| v / length).collect();
        close(&unit, &want["mean_pooled_l2_first8"]);
    }
}

/// Texts, and what Hugging Face's `BertWordPieceTokenizer` makes of them.
const PIECES: [(&str, &[u32]); 4] = [
    ("", &[101, 102]),
    (
        "Fears for T N pension after talks",
        &[101, 10069, 2005, 1056, 1050, 11550, 2044, 7566, 102],
    ),
    (
        "naïve Café\u{a0}№5, 中国 U.S.-Iraq #36;1",
        &[
            101, 15743, 7668, 1578, 2629, 1010, 1746, 1799, 1057, 1012, 1055, 1012, 1011, 5712,
            1001, 4029, 1025, 1015, 102,
        ],
    ),
    (
        "unaffable electroencephalographically zzzqqq\u{200b} x\u{7}y",
        &[
            101, 14477, 20961, 3468, 16175, 10127, 21890, 21197, 20721, 3973, 1062, 13213, 4160,
            4160, 4160, 1060, 2100, 102,
        ],
    ),
];

#[test]
fn pieces_are_those_of_bert() {
    let Some((encoder, _)) = minilm() else {
        eprintln!("no MiniLM-L6-v2 in $IDL_DATA/minilm: nothing to compare with");
        return;
    };
    for (text, want) in PIECES {
        let ids = encoder.tokens.encode(text);
        assert_eq!(ids, want, "{text}");
    }
    let long = encoder.tokens.encode(&"word ".repeat(500));
    assert_eq!(long.len(), 128);
    assert_eq!((long[0], long[127]), (101, 102));
}
