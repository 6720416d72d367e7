//! Sizes, vocabulary, what padding may not do, and the search for translations.

use burn::tensor::{Device, Tensor};
use ch11_seq2seq::pairs::PairBatch;
use ch11_seq2seq::search::LONGEST_TRANSLATION;
use ch11_seq2seq::seq2seq::time_summed_loss;
use ch11_seq2seq::words::{EOS, PAD, SOS, of_common_words, short_pairs, words};
use ch11_seq2seq::{Seq2Seq, Translations, Vocabulary};
use common::data::{Batches, Sequences};
use common::train::count_parameters;

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

fn pairs(all: &[(&str, &str)]) -> Vec<[Vec<String>; 2]> {
    let pairs = all.iter().map(|(a, b)| [a.to_string(), b.to_string()]);
    short_pairs(&pairs.collect::<Vec<_>>())
}

#[test]
fn the_translator_has_the_book_s_parameters() {
    let model = Seq2Seq::new(24_577, &Device::flex());
    assert_eq!(count_parameters(&model), 9_866_049);
}

#[test]
fn sentences_become_words() {
    assert_eq!(
        words("What?! Va-t-en... l'an 2000, Été"),
        ["what", "va", "t", "en", "l'an", "2000,", "été"]
    );
    let kept = pairs(&[
        ("Go.", "Va !"),
        ("one two three four five six", "un"),
        ("one two three four five six seven", "un"),
        // The book counts the second space as one word more.
        ("one two three. four five six", "un"),
        ("?", "!"),
    ]);
    assert_eq!(kept.len(), 2);
    let kept = of_common_words(pairs(&[("a b", "c"), ("a", "c"), ("a a", "c")]), 2);
    assert_eq!(kept.len(), 2);
}

#[test]
fn both_languages_share_a_vocabulary() {
    let pairs = pairs(&[("I see Tom.", "Je vois Tom."), ("Go!", "Va !")]);
    let vocabulary = Vocabulary::new(&pairs);
    assert_eq!(vocabulary.len(), 3 + 7);
    assert_eq!(vocabulary.word(3), "i");
    assert_eq!(vocabulary.word(99), "?");
    let (source, unknown) = vocabulary.source(&words("I see the cat"));
    assert_eq!(source, [SOS, 3, 4, EOS]);
    assert_eq!(unknown, ["the", "cat"]);
    assert_eq!(
        vocabulary.text(&vocabulary.target(&words("je vois tom"))),
        "je vois tom"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vocabulary.txt");
    vocabulary.save(&file).unwrap();
    assert_eq!(Vocabulary::load(&file).unwrap(), vocabulary);
    for content in [
        "",
        "<pad>\n<sos>\n",
        "<pad>\n<sos>\n<eos>\na\na\n",
        "a\nb\nc\nd\n",
    ] {
        std::fs::write(&file, content).unwrap();
        let error = Vocabulary::load(&file).unwrap_err().to_string();
        assert!(error.contains("is no vocabulary"), "{error}");
    }
}

#[test]
fn a_split_has_every_pair_once() {
    let sentences: Vec<String> = (0..50).map(|i| format!("w{i}")).collect();
    let all: Vec<_> = sentences.iter().map(|s| (s.as_str(), s.as_str())).collect();
    let pairs = pairs(&all);
    let vocabulary = Vocabulary::new(&pairs);
    let (train, test) = Translations::new(&pairs, &vocabulary).split(42);
    assert_eq!((train.len(), test.len()), (45, 5));
    let mut seen: Vec<u32> = train
        .targets
        .iter()
        .chain(test.targets.iter())
        .map(|t| t[0])
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (3..53).collect::<Vec<u32>>());
    // Sources and targets stay together.
    for i in 0..train.len() {
        assert_eq!(train.sources.get(i)[1], train.reference(i)[0]);
    }
}

const WORDS: usize = 9;

fn model() -> (Seq2Seq, Device) {
    let device = Device::flex();
    device.seed(7);
    (Seq2Seq::new(WORDS, &device), device)
}

fn batch(sources: &[&[u32]], targets: &[&[u32]], device: &Device) -> PairBatch {
    let set = Translations {
        sources: sources.iter().copied().collect(),
        targets: targets.iter().copied().collect(),
    };
    let indices: Vec<usize> = (0..set.len()).collect();
    set.batch(&indices, 3, device)
}

#[test]
fn a_padded_sentence_gives_what_the_unpadded_one_gives() {
    let (model, device) = model();
    let (short, long): (&[u32], &[u32]) = (&[1, 5, 2], &[1, 3, 4, 6, 7, 8, 3, 2]);
    let target: &[u32] = &[6, 7, 2];
    let alone = batch(&[short], &[target], &device);
    let both = batch(&[short, long], &[target, target], &device);
    let logits = |batch: &PairBatch| {
        let logits = model.forward(&batch.source, batch.target.clone());
        values(logits.narrow(0, 0, 1))
    };
    for (a, b) in logits(&alone).iter().zip(logits(&both)) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    let [alone, both] =
        [&alone, &both].map(|batch| model.greedy(&batch.source).unwrap()[0].clone());
    assert_eq!(alone.words, both.words);
    assert_eq!(alone.weights[0].len(), short.len());
    for weights in &both.weights {
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

#[test]
fn padding_of_targets_does_not_count() {
    let device = Device::flex();
    // Two sentences of 1 and 2 words, three classes, all equally likely: log 3 at each of the two steps.
    let logits = Tensor::zeros([2, 2, 3], &device);
    let target = Tensor::from_data([[2, PAD as i32], [1, 2]], &device);
    let loss = values(time_summed_loss(logits, target.clone()))[0];
    assert!((loss - 2.0 * 3f32.ln()).abs() < 1e-5, "{loss}");
    // What the first sentence says after its end is not looked at.
    let mut other = vec![0.0; 12];
    other[3..6].copy_from_slice(&[50.0, -20.0, 7.0]);
    let data = burn::tensor::TensorData::new(other, [2, 2, 3]);
    let again = values(time_summed_loss(Tensor::from_data(data, &device), target))[0];
    assert_eq!(loss, again);
}

#[test]
fn the_same_seed_draws_the_same_words() {
    let (model, device) = model();
    let device = device.autodiff();
    let model = burn::module::Module::train(model);
    let model = burn::module::Module::fork(model, &device);
    let mut batch = batch(
        &[&[1, 3, 2], &[1, 4, 5, 2]],
        &[&[6, 7, 8, 2], &[3, 2]],
        &device,
    );
    let loss = |batch: &PairBatch| values(model.free_loss(batch))[0];
    let first = loss(&batch);
    assert_eq!(first, loss(&batch));
    assert!(first.is_finite());
    let others: Vec<f32> = (0..5)
        .map(|seed| {
            batch.seed = seed;
            loss(&batch)
        })
        .collect();
    assert!(others.iter().any(|loss| *loss != first), "{others:?}");
}

/// The log probability of these words: what the decoder says when it is given them.
fn log_probability(model: &Seq2Seq, source: &[u32], words: &[u32], device: &Device) -> f64 {
    let batch = batch(&[source], &[words], device);
    let logits = model.forward(&batch.source, batch.target.clone());
    let p = values(burn::tensor::activation::log_softmax(logits, 2));
    let of_words = words.iter().enumerate();
    of_words
        .map(|(t, word)| f64::from(p[t * WORDS + *word as usize]))
        .sum()
}

#[test]
fn a_beam_of_one_is_greedy_and_probabilities_are_those_of_the_words() {
    let (model, device) = model();
    for source in [&[1, 3, 2][..], &[1, 4, 5, 6, 2], &[1, 2]] {
        let sources: Sequences = [source].into_iter().collect();
        let greedy = model.greedy(&sources.padded(&[0], PAD, &device)).unwrap();
        let beam = model.beam(source, 1, LONGEST_TRANSLATION, &device).unwrap();
        assert_eq!(greedy[0].words, beam.words);
        for width in [1, 3, 6] {
            let found = model
                .beam(source, width, LONGEST_TRANSLATION, &device)
                .unwrap();
            let want = log_probability(&model, source, &found.words, &device);
            assert!(
                (found.log_probability - want).abs() < 1e-4,
                "{found:?} {want}"
            );
            assert_eq!(found.words.len(), found.weights.len());
            // Nothing stands after EOS, and without it the translation has the greatest length.
            let end = found.words.iter().position(|word| *word == EOS);
            assert_eq!(
                end.map_or(LONGEST_TRANSLATION, |end| end + 1),
                found.words.len()
            );
        }
    }
    assert!(model.beam(&[1, 2], 0, 3, &device).is_err());
}

#[test]
fn a_wide_beam_finds_the_best_translation_of_all() {
    let (model, device) = model();
    let source = [1, 4, 5, 6, 2];
    // All sentences that end in EOS within three words, or have three words.
    let mut all: Vec<Vec<u32>> = Vec::new();
    let words = 0..WORDS as u32;
    for first in words.clone() {
        for second in words.clone() {
            for third in words.clone() {
                let sentence = [first, second, third];
                let end = sentence.iter().position(|word| *word == EOS);
                let sentence = sentence[..end.map_or(3, |end| end + 1)].to_vec();
                if !all.contains(&sentence) {
                    all.push(sentence);
                }
            }
        }
    }
    let mean =
        |words: &Vec<u32>| log_probability(&model, &source, words, &device) / words.len() as f64;
    let best = all.iter().map(mean).fold(f64::NEG_INFINITY, f64::max);
    let found = model.beam(&source, 1000, 3, &device).unwrap();
    let found = found.log_probability / found.words.len() as f64;
    assert!((found - best).abs() < 1e-5, "{found} {best}");
}
