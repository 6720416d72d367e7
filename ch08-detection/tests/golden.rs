//! The segmentation networks compute what PyTorch computes, and the parts of Faster R-CNN, and a whole one, what torchvision computes:
//! values, losses, all gradients; average precision is pycocotools'. Each backend the same. (Detections: `photo_detector.rs`.)
//!
//! The numbers are in `golden/golden.json`, written by `golden/make_golden.py`. Parameters and inputs are made by a formula that both
//! languages have.

#[path = "../../common/tests/golden_setup/mod.rs"]
mod golden_setup;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use ch08_detection::anchors::AnchorGenerator;
use ch08_detection::average_precision::average_precision;
use ch08_detection::box_coder::BoxCoder;
use ch08_detection::boxes::{BoundingBox, batched_nms, nms};
use ch08_detection::digit_detector::digit_detector;
use ch08_detection::matcher::{Match, Matcher};
use ch08_detection::networks::{PlainCnn, SegmentationNetwork, TransposedCnn};
use ch08_detection::roi_heads::{Detection, Object, pool};
use ch08_detection::unet::{UNet, UNetBlock2d};
use common::kernels::{Region, RoiAlign, roi_align};
use golden_setup::modules::{Wanted, noisy, prepared, weighted};
use golden_setup::{assert_described, assert_gradients};
use golden_setup::{devices, golden, gradients_of, noise, values};
use serde_json::Value;

fn compare<M: Module>(
    name: &str,
    shape: [usize; 4],
    fresh: impl Fn(&Device) -> M,
    forward: impl Fn(&M, Tensor<4>) -> Tensor<4>,
) {
    let wanted = Wanted {
        name,
        numbers: golden(name),
        rounding: 1.0,
    };
    let input = wanted.input(shape.iter().product());
    wanted.compare(input, shape, fresh, forward);
}

#[test]
fn segmentation_networks_equal_pytorch() {
    compare("PlainCnn", [2, 3, 8, 7], PlainCnn::new, PlainCnn::forward);
    compare(
        "TransposedCnn",
        [2, 3, 8, 6],
        TransposedCnn::new,
        TransposedCnn::forward,
    );
    let block = |inputs, out, layers, sub, device: &Device| {
        UNetBlock2d::new(inputs, 4, out, layers, sub, device)
    };
    let deepest = |device: &Device| block(3, Some(5), 2, None, device);
    compare(
        "UNetBlock2d, deepest",
        [2, 3, 6, 5],
        deepest,
        UNetBlock2d::forward,
    );
    let one = |device: &Device| block(3, None, 1, None, device);
    compare(
        "UNetBlock2d, one layer",
        [2, 3, 6, 5],
        one,
        UNetBlock2d::forward,
    );
    let nested = |device: &Device| {
        let sub = UNetBlock2d::new(4, 6, Some(4), 1, None, device);
        block(3, None, 2, Some(sub), device)
    };
    compare(
        "UNetBlock2d, nested",
        [2, 3, 6, 8],
        nested,
        UNetBlock2d::forward,
    );
    compare("UNet", [2, 3, 8, 12], UNet::new, UNet::forward);
}

const REGIONS: [(usize, BoundingBox); 7] = [
    (0, [3.0, 5.0, 21.0, 30.0]),
    (1, [0.0, 0.0, 28.0, 36.0]),
    (0, [10.25, 7.5, 11.0, 8.0]),
    (1, [-9.0, -14.0, 13.0, 9.0]),
    (0, [20.0, 25.0, 44.0, 61.0]),
    (1, [60.0, 70.0, 80.0, 90.0]),
    (1, [26.5, 33.25, 28.0, 36.0]),
];

#[test]
fn roi_align_equals_torchvision() {
    let regions = REGIONS.map(|(image, corners)| Region { image, corners });
    for (name, output, samples) in [("roi_align 7x7", [7, 7], 2), ("roi_align 2x3", [2, 3], 3)] {
        let want = golden(name);
        for (backend, tolerance) in devices() {
            let device = common::device::open(backend).unwrap().device.autodiff();
            let features = noisy(3000, [2, 3, 9, 7], &device).require_grad();
            let options = RoiAlign {
                output,
                scale: 0.25,
                samples,
            };
            let pooled = roi_align(features.clone(), &regions, options);
            let gradients = weighted(pooled.clone()).backward();
            let what = format!("{name} on {backend}");
            assert_described(&what, &values(pooled), &want["output"], tolerance);
            let gradient = values(features.grad(&gradients).unwrap());
            assert_described(&what, &gradient, &want["gradient"], tolerance);
        }
    }
}

/// The same boxes as `boxes` in `make_golden.py`.
fn boxes(seed: u64, n: usize, side: f64) -> Vec<BoundingBox> {
    let grid = |v: &f32| ((f64::from(*v) + 1.0) / 2.0 * 4096.0).floor() / 4096.0;
    let values: Vec<f64> = noise(seed, 4 * n).iter().map(grid).collect();
    let corners = values.chunks_exact(4).map(|v| {
        let (x, y) = (v[0] * (side - 28.0), v[1] * (side - 28.0));
        let (w, h) = (4.0 + 24.0 * v[2], 4.0 + 24.0 * v[3]);
        [x, y, x + w, y + h].map(|c| ((c * 64.0).round_ties_even() / 64.0) as f32)
    });
    corners.collect()
}

#[test]
fn anchors_equal_torchvision() {
    let check = |name: &str, sizes: &[&[f32]], ratios: &[f32], maps: &[[usize; 2]], picture| {
        let generator = AnchorGenerator {
            sizes: sizes.iter().map(|s| s.to_vec()).collect(),
            ratios: ratios.to_vec(),
        };
        let want = golden(name);
        let found = generator.anchors(maps, picture);
        assert_eq!(want["count"], found.len());
        assert_described(name, &found.concat(), &want["values"], 1e-6);
    };
    check(
        "anchors of a pyramid",
        &[&[32.0], &[64.0], &[128.0], &[256.0], &[512.0]],
        &[0.5, 1.0, 2.0],
        &[[16, 24], [8, 12], [4, 6], [2, 3], [1, 2]],
        [64, 96],
    );
    check(
        "anchors of digits",
        &[&[32.0]],
        &[1.0],
        &[[25, 25]],
        [100, 100],
    );
    check(
        "anchors of several sizes",
        &[&[8.0, 20.0, 33.0]],
        &[0.3, 1.7],
        &[[5, 7]],
        [43, 58],
    );
}

#[test]
fn box_coding_equals_torchvision() {
    for (name, weights) in [("coder 1", [1.0; 4]), ("coder 10", [10.0, 10.0, 5.0, 5.0])] {
        let (want, coder) = (golden(name), BoxCoder { weights });
        let (to, from) = (boxes(1, 20, 100.0), boxes(2, 20, 100.0));
        let encoded = to
            .iter()
            .zip(&from)
            .map(|(to, from)| coder.encode(*to, *from));
        let encoded: Vec<f32> = encoded.flatten().collect();
        assert_described(name, &encoded, &want["encoded"], 1e-5);
        let deltas: Vec<f32> = noise(3, 80).iter().map(|d| 3.0 * d).collect();
        let decoded = deltas.chunks_exact(4).zip(&from);
        let decoded = decoded.flat_map(|(d, from)| coder.decode([d[0], d[1], d[2], d[3]], *from));
        assert_described(name, &decoded.collect::<Vec<f32>>(), &want["decoded"], 1e-5);
    }
}

fn numbers(value: &Value) -> Vec<i64> {
    let all = value.as_array().unwrap().iter();
    all.map(|v| v.as_i64().unwrap()).collect()
}

#[test]
fn matches_equal_torchvision() {
    for (name, object, background, best_counts) in [
        ("matches of anchors", 0.7, 0.3, true),
        ("matches of proposals", 0.5, 0.5, false),
    ] {
        let matcher = Matcher {
            object,
            background,
            best_counts,
        };
        let found = matcher.matches(&boxes(4, 6, 60.0), &boxes(5, 300, 60.0));
        let found = found.into_iter().map(|m| match m {
            Match::Object(i) => i as i64,
            Match::Background => -1,
            Match::Ignored => -2,
        });
        let found: Vec<i64> = found.collect();
        assert!(found.iter().any(|m| *m >= 0) && found.contains(&-1));
        assert_eq!(found, numbers(&golden(name)), "{name}");
    }
}

#[test]
fn suppression_equals_torchvision() {
    let (all, scores) = (boxes(6, 200, 80.0), noise(7, 200));
    let groups: Vec<usize> = (0..200).map(|i| i % 3).collect();
    for (name, threshold) in [("suppressed 0.5", 0.5), ("suppressed 0.15", 0.15)] {
        let want = golden(name);
        let numbers_of = |kept: Vec<usize>| kept.into_iter().map(|i| i as i64).collect::<Vec<_>>();
        let kept = numbers_of(nms(&all, &scores, threshold));
        assert_eq!(kept, numbers(&want["nms"]), "{name}");
        let kept = numbers_of(batched_nms(&all, &scores, &groups, threshold));
        assert_eq!(kept, numbers(&want["batched"]), "{name}");
    }
}

#[test]
fn regions_of_a_pyramid_equal_torchvision() {
    let want = golden("levels");
    let factors = [1.0, 2.0, 5.0, 9.0, 10.0];
    let regions = [8, 9].into_iter().enumerate().flat_map(|(image, seed)| {
        let scaled = boxes(seed, 20, 60.0).into_iter().enumerate();
        scaled.map(move |(i, corners)| Region {
            image,
            corners: corners.map(|c| c * factors[i % 5]),
        })
    });
    let regions: Vec<Region> = regions.collect();
    // All levels but the coarsest are in use, so that one without regions is tried too.
    assert_eq!(numbers(&want["levels"]).iter().max(), Some(&2));
    for (backend, tolerance) in devices() {
        let device = common::device::open(backend).unwrap().device.autodiff();
        let map =
            |i: usize| noisy(3100 + i as u64, [2, 3, 64 >> i, 80 >> i], &device).require_grad();
        let maps: Vec<Tensor<4>> = (0..4).map(map).collect();
        let pooled = pool(&maps, &regions, [256.0, 320.0]);
        let gradients = weighted(pooled.clone()).backward();
        let what = format!("levels on {backend}");
        assert_described(&what, &values(pooled), &want["output"], tolerance);
        for (i, map) in maps.iter().enumerate() {
            let gradient = map.grad(&gradients).map_or(vec![0.0; 120], values);
            assert_described(&what, &gradient, &want["gradients"][i], tolerance);
        }
    }
}

/// The digits of two pictures.
fn digits() -> Vec<Vec<Object>> {
    let object = |label, corners| Object { label, corners };
    vec![
        vec![
            object(8, [4.0, 9.0, 32.0, 37.0]),
            object(1, [17.0, 2.0, 45.0, 30.0]),
        ],
        vec![object(4, [12.0, 16.0, 40.0, 44.0])],
    ]
}

#[test]
fn a_whole_detector_equals_torchvision() {
    const SIDE: usize = 48;
    let want = golden("detector");
    let pixels = [4000, 4001].map(|seed| {
        let values = noise(seed, SIDE * SIDE);
        values.iter().map(|v| (v + 1.0) / 2.0).collect::<Vec<f32>>()
    });
    let pixels = pixels.concat();
    for (backend, tolerance) in devices() {
        let device = common::device::open(backend).unwrap().device;
        let detector = prepared(&want, |device| digit_detector(11, 512, device), &device);
        let pictures = |device: &Device| {
            let data = TensorData::new(pixels.clone(), [2, 1, SIDE, SIDE]);
            Tensor::<4>::from_data(data, device)
        };
        let inputs = pictures(&device.clone().autodiff());
        let losses = detector.losses(inputs, &digits(), 1).unwrap();
        for (loss, want) in losses
            .parts()
            .into_iter()
            .zip(want["losses"].as_array().unwrap())
        {
            let (loss, want) = (values(loss)[0], want.as_f64().unwrap() as f32);
            assert!(
                (loss - want).abs() < 1e-4 * want,
                "{backend}: {loss} is not {want}"
            );
        }
        let gradients = losses.sum().backward();
        let found = gradients_of(&detector, &gradients);
        assert_gradients(backend, &found, &want["gradients"], 20.0 * tolerance);
    }
}

#[test]
fn average_precision_equals_pycocotools() {
    const CLASSES: usize = 4;
    let (mut detections, mut objects) = (Vec::new(), Vec::new());
    for i in 0..30 {
        let seed = i as u64;
        let label = |k: usize| 1 + (i + k) % CLASSES;
        let moved = noise(200 + seed, 24);
        let moved: Vec<f32> = moved
            .iter()
            .map(|v| (3.0 * v * 64.0).round_ties_even() / 64.0)
            .collect();
        let scores = noise(400 + seed, 12);
        let (mut found, mut there) = (Vec::new(), Vec::new());
        for (k, corners) in boxes(100 + seed, 1 + i % 5, 100.0).into_iter().enumerate() {
            there.push(Object {
                corners,
                label: label(k),
            });
            found.push(Detection {
                corners: std::array::from_fn(|c| corners[c] + moved[4 * k + c]),
                label: label(k),
                score: scores[k],
            });
        }
        for (k, corners) in boxes(300 + seed, 6, 100.0).into_iter().enumerate() {
            found.push(Detection {
                corners,
                label: 1 + k % CLASSES,
                score: scores[6 + k],
            });
        }
        detections.push(found);
        objects.push(there);
    }
    let precision = average_precision(&detections, &objects);
    let want = golden("average precision");
    let near = |what: &str, found: f64, want: &Value| {
        let want = want.as_f64().unwrap();
        assert!((found - want).abs() < 1e-8, "{what}: {found} is not {want}");
    };
    near("AP", precision.mean(), &want["AP"]);
    near("AP50", precision.at(0), &want["AP50"]);
    near("AP75", precision.at(5), &want["AP75"]);
    assert_eq!(precision.classes.len(), CLASSES);
    for (class, (label, of)) in precision.classes.iter().enumerate() {
        assert_eq!(*label, class + 1);
        for (t, found) in of.iter().enumerate() {
            near(
                &format!("class {label}"),
                *found,
                &want["classes"][class][t],
            );
        }
    }
}
