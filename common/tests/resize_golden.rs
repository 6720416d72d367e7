//! Photos are made smaller and cut as torchvision does it, byte for byte. The fixture is written by `resize_golden/make_golden.py`.

use common::data::resize_and_crop;
use image::{Rgb, RgbImage};
use serde_json::Value;

/// Coloured waves, by a formula.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([0, 1, 2].map(|c| ((x * (5 + c) + y * (3 + 2 * c) + x * y / (7 + c)) % 256) as u8))
    })
}

/// FNV-1a, 64 bits.
fn fnv(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    });
    format!("{hash:016x}")
}

#[test]
fn pictures_equal_torchvision_s() {
    let golden: Value =
        serde_json::from_slice(&std::fs::read("tests/resize_golden/golden.json").unwrap()).unwrap();
    let cases = golden.as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for want in cases {
        let number = |value: &Value| value.as_u64().unwrap() as usize;
        let [width, height] = [0, 1].map(|i| number(&want["size"][i]) as u32);
        let (shorter, side) = (number(&want["shorter"]), number(&want["side"]));
        let pixels = resize_and_crop(&picture(width, height), shorter, side).unwrap();
        let first: Vec<u64> = pixels.iter().take(8).map(|v| u64::from(*v)).collect();
        assert_eq!(serde_json::json!(first), want["first"], "{width}x{height}");
        assert_eq!(fnv(&pixels), want["fnv"], "{width}x{height}");
    }
}

#[test]
fn what_can_t_be_cut_is_nothing() {
    assert!(resize_and_crop(&RgbImage::new(0, 5), 26, 24).is_none());
    assert!(resize_and_crop(&picture(9, 9), 26, 27).is_none());
    assert_eq!(
        resize_and_crop(&picture(1, 1), 26, 24).unwrap().len(),
        3 * 24 * 24
    );
}
