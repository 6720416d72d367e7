//! The detector that torchvision trained on COCO: its file of weights, the names of its classes, and photos as it expects them (8.7).

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use common::Result;
use common::train::StateDict;
use image::RgbImage;

use crate::anchors::AnchorGenerator;
use crate::boxes::BoundingBox;
use crate::faster_rcnn::{FasterRcnn, Settings};
use crate::resnet_fpn::{ResNetFpn, ResNetFpnConfig};
use crate::roi_heads::{Detection, Threshold};

/// The names of the classes; those that COCO never used are `N/A`.
pub const NAMES: [&str; 91] = [
    "__background__",
    "person",
    "bicycle",
    "car",
    "motorcycle",
    "airplane",
    "bus",
    "train",
    "truck",
    "boat",
    "traffic light",
    "fire hydrant",
    "N/A",
    "stop sign",
    "parking meter",
    "bench",
    "bird",
    "cat",
    "dog",
    "horse",
    "sheep",
    "cow",
    "elephant",
    "bear",
    "zebra",
    "giraffe",
    "N/A",
    "backpack",
    "umbrella",
    "N/A",
    "N/A",
    "handbag",
    "tie",
    "suitcase",
    "frisbee",
    "skis",
    "snowboard",
    "sports ball",
    "kite",
    "baseball bat",
    "baseball glove",
    "skateboard",
    "surfboard",
    "tennis racket",
    "bottle",
    "N/A",
    "wine glass",
    "cup",
    "fork",
    "knife",
    "spoon",
    "bowl",
    "banana",
    "apple",
    "sandwich",
    "orange",
    "broccoli",
    "carrot",
    "hot dog",
    "pizza",
    "donut",
    "cake",
    "chair",
    "couch",
    "potted plant",
    "bed",
    "N/A",
    "dining table",
    "N/A",
    "N/A",
    "toilet",
    "N/A",
    "tv",
    "laptop",
    "mouse",
    "remote",
    "keyboard",
    "cell phone",
    "microwave",
    "oven",
    "toaster",
    "sink",
    "refrigerator",
    "N/A",
    "book",
    "clock",
    "vase",
    "scissors",
    "teddy bear",
    "hair drier",
    "toothbrush",
];

/// Mean and deviation of the channels of ImageNet's photos.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];
/// Height and width of what the network sees are multiples of this.
const MULTIPLE: usize = 32;

/// torchvision's names of weights, as patterns, and ours. Files since version 0.13 have a `.0` more in some places.
const RENAMED: [(&str, &str); 6] = [
    (r"\.(inner_blocks|layer_blocks)\.(\d+)\.0\.", ".$1.$2."),
    (r"\.downsample\.0\.", ".downsample.conv."),
    (r"\.downsample\.1\.", ".downsample.norm."),
    (r"^rpn\.head\.conv\.0\.0\.", "rpn.conv."),
    (r"^rpn\.head\.", "rpn."),
    (r"^roi_heads\.(box_head|box_predictor)\.", "roi_heads."),
];

/// How large the detector is, and how large a photo it sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhotoDetectorConfig {
    /// The backbone.
    pub backbone: ResNetFpnConfig,
    /// Values between the layers of the second half.
    pub hidden: usize,
    /// Classes, with the background.
    pub classes: usize,
    /// The shorter side that a photo is brought to.
    pub shorter: usize,
    /// The longer side that it must not exceed by that.
    pub longer: usize,
}

impl PhotoDetectorConfig {
    /// torchvision's `fasterrcnn_resnet50_fpn` for COCO.
    pub fn coco() -> Self {
        Self {
            backbone: ResNetFpnConfig::resnet50(),
            hidden: 1024,
            classes: NAMES.len(),
            shorter: 800,
            longer: 1333,
        }
    }
}

/// Faster R-CNN with a ResNet and a feature pyramid, for photos of any size.
#[derive(Clone, Debug)]
pub struct PhotoDetector {
    /// The network.
    pub network: FasterRcnn<ResNetFpn>,
    config: PhotoDetectorConfig,
}

impl PhotoDetector {
    /// A fresh detector.
    pub fn new(config: PhotoDetectorConfig, device: &Device) -> Self {
        let anchors = AnchorGenerator {
            sizes: [32.0, 64.0, 128.0, 256.0, 512.0].map(|s| vec![s]).to_vec(),
            ratios: vec![0.5, 1.0, 2.0],
        };
        let settings = Settings {
            hidden: config.hidden,
            ..Settings::new(&MEAN, &DEVIATION, anchors, 4, config.classes)
        };
        let backbone = ResNetFpn::new(config.backbone, device);
        Self {
            network: FasterRcnn::new(backbone, config.backbone.channels, settings, device),
            config,
        }
    }

    /// A detector with the weights of a torchvision state dict: a `.pth` file, of old or new PyTorch, or a `.safetensors` file.
    ///
    /// # Errors
    /// [`common::Error::Data`] when the file is damaged or is not of this detector, [`common::Error::Io`] when it can't be read.
    pub fn load(path: &Path, config: PhotoDetectorConfig, device: &Device) -> Result<Self> {
        let mut detector = Self::new(config, device);
        let weights = StateDict {
            network: "torchvision's fasterrcnn_resnet50_fpn",
            address: common::data::COCO_DETECTOR,
            key: None,
            renamed: &RENAMED,
        };
        weights.load(&mut detector.network, path)?;
        Ok(detector)
    }

    /// What is on a photo, boxes in its own pixels.
    ///
    /// # Errors
    /// [`common::Error::Training`] when scores can't be read from the device.
    pub fn detect(
        &self,
        photo: &RgbImage,
        threshold: Threshold,
        device: &Device,
    ) -> Result<Vec<Detection>> {
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        if width == 0 || height == 0 {
            return Ok(Vec::new());
        }
        let [rows, columns] = self.resized([height, width]);
        let (input, size) = prepared(photo, [rows, columns]);
        let input = TensorData::new(input, [1, 3, size[0], size[1]]);
        let pictures = Tensor::from_data(input, device);
        let shown = [rows as f32, columns as f32];
        let found = self.network.detect(pictures, shown, threshold)?;
        let (x, y) = (width as f32 / columns as f32, height as f32 / rows as f32);
        let back = |[x1, y1, x2, y2]: BoundingBox| [x1 * x, y1 * y, x2 * x, y2 * y];
        let found = found.into_iter().flatten().map(|detection| Detection {
            corners: back(detection.corners),
            ..detection
        });
        Ok(found.collect())
    }

    /// Height and width that the network sees of a photo: the shorter side 800 pixels, unless the longer would exceed 1333.
    fn resized(&self, size: [usize; 2]) -> [usize; 2] {
        let [height, width] = size.map(|n| n as f64);
        let (shorter, longer) = (self.config.shorter as f64, self.config.longer as f64);
        let scale = (shorter / height.min(width)).min(longer / height.max(width));
        [height, width].map(|n| ((n * scale).floor() as usize).max(1))
    }
}

/// A photo at this height and width (bilinear), [3, height, width] in \[0, 1\], padded at the right and below to multiples of 32 with what
/// becomes 0 when the mean is subtracted; and the padded size.
fn prepared(photo: &RgbImage, [rows, columns]: [usize; 2]) -> (Vec<f32>, [usize; 2]) {
    let size = [rows, columns].map(|n| n.next_multiple_of(MULTIPLE));
    let y = taps(photo.height() as usize, rows);
    let x = taps(photo.width() as usize, columns);
    let mut values = Vec::with_capacity(3 * size[0] * size[1]);
    for (channel, mean) in MEAN.into_iter().enumerate() {
        let at = |x: u32, y: u32| f32::from(photo.get_pixel(x, y)[channel]) / 255.0;
        for row in 0..size[0] {
            let Some(&(y0, y1, fy)) = y.get(row) else {
                values.extend(vec![mean; size[1]]);
                continue;
            };
            values.extend(x.iter().map(|&(x0, x1, fx)| {
                let mix = |y| at(x0, y) * (1.0 - fx) + at(x1, y) * fx;
                mix(y0) * (1.0 - fy) + mix(y1) * fy
            }));
            values.extend(vec![mean; size[1] - columns]);
        }
    }
    (values, size)
}

/// For each place of an axis of the new length the two places of the old one that it lies between, and how near it is to the second.
fn taps(old: usize, new: usize) -> Vec<(u32, u32, f32)> {
    let scale = old as f64 / new as f64;
    let place = |i: usize| {
        let at = ((i as f64 + 0.5) * scale - 0.5).max(0.0);
        let low = (at as usize).min(old - 1);
        let high = (low + 1).min(old - 1);
        (low as u32, high as u32, (at - low as f64) as f32)
    };
    (0..new).map(place).collect()
}
