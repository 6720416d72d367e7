//! Both ways to sample give the same text for the same seed, and a temperature does what it should.

use burn::tensor::{Device, Int, Tensor};
use ch07_autoencoder::auto_regressive::AutoRegressive;
use ch07_autoencoder::sampling::{Sampler, Writer, fast, slow};
use common::Error;

const SYMBOLS: usize = 36;
const PROMPT: [u32; 7] = [13, 9, 2, 20, 2, 30, 1];

fn network(device: &Device) -> AutoRegressive {
    AutoRegressive::new(SYMBOLS, device)
}

fn sampler(temperature: f64, seed: u64) -> Sampler {
    Sampler::new(temperature, seed).unwrap()
}

#[test]
fn slow_and_fast_sampling_give_the_same_text() {
    for backend in ["flex", "ndarray"] {
        let device = common::device::open(backend).unwrap().device;
        let network = network(&device);
        for (temperature, seed) in [(1.0, 1), (0.75, 2), (0.05, 3), (2.0, 4)] {
            let sampler = || sampler(temperature, seed);
            let written = fast(&network, &PROMPT, 60, sampler(), &device).unwrap();
            assert_eq!(written.len(), 60);
            assert_eq!(written[..7], PROMPT);
            let again = slow(&network, &PROMPT, 60, sampler(), &device).unwrap();
            assert_eq!(written, again, "{backend}, temperature {temperature}");
            let same = fast(&network, &PROMPT, 60, sampler(), &device).unwrap();
            assert_eq!(written, same, "the same seed, another text");
        }
    }
}

#[test]
fn another_seed_gives_another_text_and_a_writer_goes_on() {
    let device = Device::flex();
    let network = network(&device);
    let text = |seed| fast(&network, &PROMPT, 40, sampler(1.0, seed), &device).unwrap();
    assert_ne!(text(1), text(2));
    let writer = Writer::new(&network, &PROMPT, sampler(1.0, 1), &device).unwrap();
    let written: Vec<u32> = writer.take(60).map(|number| number.unwrap()).collect();
    assert_eq!(written[..33], text(1)[7..]);
    // What is long enough is left as it is.
    assert_eq!(
        fast(&network, &PROMPT, 3, sampler(1.0, 1), &device).unwrap(),
        PROMPT
    );
}

#[test]
fn a_step_gives_what_the_whole_text_gives() {
    let device = Device::flex();
    let network = network(&device);
    let ids = PROMPT.map(|n| n as i32);
    let whole = network.forward(Tensor::<1, Int>::from_data(ids, &device).unsqueeze()); // [1, T, V]
    let steps = network.steps();
    let mut states = network.init_hidden(1, &device);
    for (t, id) in ids.into_iter().enumerate() {
        let logits = steps.step(Tensor::from_data([id], &device), &mut states); // [1, V]
        let want = whole.clone().narrow(1, t, 1).flatten::<2>(0, 1);
        let difference = (logits - want).abs().max().into_scalar::<f32>();
        assert!(difference < 1e-5, "step {t}: {difference}");
    }
}

#[test]
fn temperature_sharpens_and_flattens() {
    let logits = [1.0f32, 2.0, 4.0, 3.0];
    let one = sampler(1.0, 0).probabilities(&logits);
    let powers = logits.map(|v| f64::from(v).exp());
    for (p, power) in one.iter().zip(powers) {
        assert!((p - power / powers.iter().sum::<f64>()).abs() < 1e-12);
    }
    let cold = sampler(1e-300, 0).probabilities(&logits);
    assert_eq!(cold, [0.0, 0.0, 1.0, 0.0]);
    let hot = sampler(1e6, 0).probabilities(&logits);
    assert!(hot.iter().all(|p| (p - 0.25).abs() < 1e-5));
    let half = sampler(0.5, 0).probabilities(&logits);
    assert!(half[2] > one[2] && half[0] < one[0]);
}

#[test]
fn draws_have_the_probabilities() {
    let logits = [0.5f32.ln(), 0.3f32.ln(), 0.2f32.ln()];
    let mut sampler = sampler(1.0, 9);
    let mut counts = [0; 3];
    for _ in 0..20_000 {
        counts[sampler.draw(&logits).unwrap() as usize] += 1;
    }
    for (count, p) in counts.into_iter().zip([0.5, 0.3, 0.2]) {
        // Five standard errors.
        let share = f64::from(count) / 20_000.0;
        assert!((share - p).abs() < 0.018, "{counts:?}");
    }
}

#[test]
fn what_can_not_be_sampled_is_an_error() {
    for temperature in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Sampler::new(temperature, 0), Err(Error::Usage(_))));
    }
    let mut drawn = sampler(1.0, 0);
    for logits in [&[1.0f32, f32::NAN][..], &[], &[f32::INFINITY, 0.0]] {
        assert!(matches!(drawn.draw(logits), Err(Error::Training(_))));
    }
    let device = Device::flex();
    let network = network(&device);
    let nothing = slow(&network, &[], 5, sampler(1.0, 0), &device);
    assert!(matches!(nothing, Err(Error::Usage(_))));
    assert!(Writer::new(&network, &[], sampler(1.0, 0), &device).is_err());
}
