//! The translator computes what PyTorch computes, with packed sentences: logits, the loss that is summed over time, all gradients; and each
//! backend the same.
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters are made by a formula that both languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::module::Module;
use burn::tensor::Device;
use ch11_seq2seq::Seq2Seq;
use ch11_seq2seq::pairs::PairBatch;
use ch11_seq2seq::words::PAD;
use common::data::Sequences;
use common::train::count_parameters;
use golden_setup::{SetParameters, assert_described, assert_gradients};
use golden_setup::{devices, golden, gradients_of, values};

const WORDS: usize = 11;
const SOURCES: [&[u32]; 3] = [&[1, 3, 4, 5, 2], &[1, 6, 2], &[1, 7, 3, 8, 4, 9, 2]];
const TARGETS: [&[u32]; 3] = [&[5, 6, 2], &[9, 10, 4, 3, 2], &[7, 2]];

fn batch(device: &Device) -> PairBatch {
    let padded = |sentences: [&[u32]; 3]| {
        let sentences: Sequences = sentences.into_iter().collect();
        sentences.padded(&[0, 1, 2], PAD, device)
    };
    PairBatch {
        source: padded(SOURCES),
        target: padded(TARGETS).ids,
        seed: 0,
    }
}

#[test]
fn the_translator_equals_pytorch() {
    let want = &golden("Seq2Seq");
    for (backend, tolerance) in devices() {
        let device = common::device::open(backend).unwrap().device;
        let model = Seq2Seq::new(WORDS, &device);
        assert_eq!(want["parameters"], count_parameters(&model));
        let model = model.map(&mut SetParameters::default());
        let autodiff = device.clone().autodiff();
        let model = model.train().fork(&autodiff);

        let batch = batch(&autodiff);
        let logits = model.forward(&batch.source, batch.target.clone()); // [B, T, V]
        let what = format!("logits on {backend}");
        assert_described(&what, &values(logits), &want["logits"], tolerance);
        let loss = model.forced_loss(&batch);
        let gradients = loss.backward();
        let (found, wanted) = (values(loss)[0], want["loss"].as_f64().unwrap());
        assert!(
            (f64::from(found) - wanted).abs() < tolerance * wanted,
            "{found} {wanted}"
        );
        let found = gradients_of(&model, &gradients);
        assert_gradients(backend, &found, &want["gradients"], tolerance);
    }
}
