//! The networks have as many parameters as the book's and torchvision's, and give what they should for pictures of any size.

use burn::tensor::{Device, Tensor};
use ch08_detection::coco::{NAMES, PhotoDetector, PhotoDetectorConfig};
use ch08_detection::digit_detector::{CLASSES, digit_detector};
use ch08_detection::networks::{PlainCnn, SegmentationNetwork, TransposedCnn};
use ch08_detection::unet::UNet;
use common::train::count_parameters;

fn check<N: SegmentationNetwork>(network: &N, parameters: usize, device: &Device) {
    assert_eq!(count_parameters(network), parameters);
    let (height, width) = (3 * network.multiple(), 5 * network.multiple());
    let pictures = Tensor::zeros([2, 3, height, width], device);
    assert_eq!(network.forward(pictures).dims(), [2, 1, height, width]);
}

#[test]
fn segmentation_networks_have_the_book_s_parameters() {
    let device = Device::flex();
    check(&PlainCnn::new(&device), 47_809, &device);
    check(&TransposedCnn::new(&device), 131_137, &device);
    check(&UNet::new(&device), 779_201, &device);
}

#[test]
fn detectors_have_torchvision_s_parameters() {
    let device = Device::flex();
    // 8,011,452 in `golden.json`.
    let detector = digit_detector(CLASSES, 512, &device);
    assert_eq!(count_parameters(&detector), 8_011_452);
    assert_eq!(NAMES.len(), 91);
    let detector = PhotoDetector::new(PhotoDetectorConfig::coco(), &device);
    // torchvision counts 41,755,286 without the scales and shifts of the batch norms, which it freezes.
    assert_eq!(count_parameters(&detector.network), 41_808_406);
}
