//! The second half of Faster R-CNN: the features of each proposal are cut out, named, and its box is moved once more (section 8.4;
//! Ren et al. 2015, Lin et al. 2017).

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use common::Result;
use common::kernels::{Region, RoiAlign, cross_entropy, relu, roi_align};
use common::nn::{Linear, LinearConfig};
use rand_chacha::ChaCha8Rng;

use crate::box_coder::BoxCoder;
use crate::boxes::{BoundingBox, area, batched_nms, clip, size};
use crate::matcher::{Match, Matcher, sample};
use crate::rpn::{box_loss, numbers, read};

/// Rows and columns that RoI-align makes of a region.
const POOLED: usize = 7;
/// Samples per cell and axis.
const SAMPLES: usize = 2;
/// The largest part of the regions trained on that stands for objects.
const OBJECTS: f32 = 0.25;
const MATCHER: Matcher = Matcher {
    object: 0.5,
    background: 0.5,
    best_counts: false,
};
const CODER: BoxCoder = BoxCoder {
    weights: [10.0, 10.0, 5.0, 5.0],
};
/// Where the box loss turns from square to straight.
const BETA: f64 = 1.0 / 9.0;
/// Boxes less wide or high are dropped.
const SMALLEST: f32 = 1e-2;
/// A region of this side belongs to level 4 of a feature pyramid, whose stride is 2^4.
const CANONICAL: (f32, f32) = (224.0, 4.0);

/// An object of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Object {
    /// Where it is.
    pub corners: BoundingBox,
    /// What it is, from 1 on: 0 is the background.
    pub label: usize,
}

/// What the detector finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Where it is.
    pub corners: BoundingBox,
    /// What it is, from 1 on.
    pub label: usize,
    /// Its probability.
    pub score: f32,
}

/// Which detections are given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Less probable ones are dropped.
    pub score: f32,
    /// Of those of a class that overlap more than this the worse is dropped.
    pub nms: f32,
    /// At most so many of a picture.
    pub most: usize,
}

impl Default for Threshold {
    /// torchvision's.
    fn default() -> Self {
        Self {
            score: 0.05,
            nms: 0.5,
            most: 100,
        }
    }
}

/// Two layers on the features of a region, then a logit and four differences for each class.
#[derive(Module, Debug)]
pub struct RoiHeads {
    fc6: Linear,
    fc7: Linear,
    cls_score: Linear,
    bbox_pred: Linear,
}

/// Regions to train on: where, what they should be called and how moved.
pub struct Samples {
    /// The regions of all pictures.
    pub regions: Vec<Region>,
    /// The class of each, 0 for background.
    pub labels: Vec<usize>,
    /// How those that stand for objects should be moved.
    targets: Vec<Option<[f32; 4]>>,
}

impl RoiHeads {
    /// For feature maps of this many channels, with this many values in between, for so many classes (with the background).
    pub fn new(channels: usize, hidden: usize, classes: usize, device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        Self {
            fc6: linear(channels * POOLED * POOLED, hidden),
            fc7: linear(hidden, hidden),
            cls_score: linear(hidden, classes),
            bbox_pred: linear(hidden, 4 * classes),
        }
    }

    /// Logits of the classes and differences of the boxes.
    ///
    /// # Shapes
    /// - `pooled`: `[regions, channels, 7, 7]`
    /// - logits: `[regions, classes]`; differences: `[regions, 4 classes]`
    pub fn forward(&self, pooled: Tensor<4>) -> (Tensor<2>, Tensor<2>) {
        let x = pooled.flatten::<2>(1, 3); // [R, 49 C]
        let x = relu(self.fc6.forward(x));
        let x = relu(self.fc7.forward(x)); // [R, hidden]
        (self.cls_score.forward(x.clone()), self.bbox_pred.forward(x))
    }

    /// The losses on these regions: softmax cross-entropy of the classes, and the smooth L1 loss of the differences of those that stand
    /// for objects, of their own class, divided by the number of all regions.
    pub fn losses(&self, pooled: Tensor<4>, samples: &Samples) -> [Tensor<1>; 2] {
        let device = pooled.device();
        let count = samples.labels.len();
        if count == 0 {
            return [0, 1].map(|_| Tensor::zeros([1], &device));
        }
        let (logits, deltas) = self.forward(pooled); // [R, K], [R, 4 K]
        let [_, classes] = logits.dims();
        let labels = samples.labels.iter().map(|label| *label as i64).collect();
        let classification = cross_entropy(logits, numbers(labels, &device));
        let deltas = deltas.reshape([count * classes, 4]);
        let objects = samples.targets.iter().enumerate();
        let objects = objects.filter_map(|(i, target)| Some((i, (*target)?)));
        let (rows, targets): (Vec<i64>, Vec<[f32; 4]>) = objects
            .map(|(i, target)| ((i * classes + samples.labels[i]) as i64, target))
            .unzip();
        let boxes = box_loss(deltas, rows, &targets, BETA, count);
        [classification, boxes]
    }
}

/// The features of regions, each cut from the feature map whose stride suits its size.
///
/// `maps` are the feature maps that regions are cut from, the finest first, `picture` has height and width of the pictures.
pub fn pool(maps: &[Tensor<4>], regions: &[Region], picture: [f32; 2]) -> Tensor<4> {
    let scale = |map: &Tensor<4>| {
        let [_, _, height, _] = map.dims();
        (height as f32 / picture[0]).log2().round().exp2()
    };
    let align = |map: &Tensor<4>, regions: &[Region]| {
        let options = RoiAlign {
            output: [POOLED; 2],
            scale: scale(map),
            samples: SAMPLES,
        };
        roi_align(map.clone(), regions, options)
    };
    if let [map] = maps {
        return align(map, regions);
    }
    let finest = maps.first().map_or(0.0, |map| -scale(map).log2());
    let (mut order, mut parts) = (Vec::new(), Vec::new());
    for (level, map) in maps.iter().enumerate() {
        let suits = |region: &Region| {
            let (side, at) = CANONICAL;
            let exact = at + (area(region.corners).sqrt() / side).log2() + 1e-6;
            let suited = (exact.floor() - finest).max(0.0) as usize; // a number that is none becomes 0
            suited.min(maps.len() - 1) == level
        };
        let chosen: Vec<usize> = (0..regions.len()).filter(|i| suits(&regions[*i])).collect();
        let of_level: Vec<Region> = chosen.iter().map(|i| regions[*i]).collect();
        if !chosen.is_empty() || level == 0 {
            parts.push(align(map, &of_level));
        }
        order.extend(chosen);
    }
    // Back to the order of the regions.
    let mut place = vec![0; order.len()];
    for (at, region) in order.into_iter().enumerate() {
        place[region] = at as i64;
    }
    let pooled = Tensor::cat(parts, 0); // [R, C, 7, 7]
    let device = pooled.device();
    match place.is_empty() {
        true => pooled,
        false => pooled.select(0, numbers(place, &device)),
    }
}

/// Draws `count` regions of each picture to train on, from its proposals and the boxes of its objects themselves, at most a quarter of
/// them objects.
pub fn samples(
    proposals: &[Vec<BoundingBox>],
    objects: &[Vec<Object>],
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Samples {
    let mut samples = Samples {
        regions: Vec::new(),
        labels: Vec::new(),
        targets: Vec::new(),
    };
    for (image, (proposals, objects)) in proposals.iter().zip(objects).enumerate() {
        let boxes: Vec<BoundingBox> = objects.iter().map(|object| object.corners).collect();
        let candidates = [&proposals[..], &boxes].concat();
        let mut matches = MATCHER.matches(&boxes, &candidates);
        for found in &mut matches {
            // An object called background is background.
            if let Match::Object(i) = *found
                && objects[i].label == 0
            {
                *found = Match::Background;
            }
        }
        let (positive, negative) = sample(&matches, count, OBJECTS, rng);
        let mut all = [positive, negative].concat();
        all.sort_unstable();
        for i in all {
            let corners = candidates[i];
            samples.regions.push(Region { image, corners });
            let object = match matches[i] {
                Match::Object(object) => Some(&objects[object]),
                _ => None,
            };
            samples.labels.push(object.map_or(0, |object| object.label));
            let target = object.map(|object| CODER.encode(object.corners, corners));
            samples.targets.push(target);
        }
    }
    samples
}

/// The detections of each picture: of every class the boxes that are probable enough and do not overlap a better one, the best first.
///
/// # Errors
/// [`common::Error::Training`] when the scores can't be read from the device.
pub fn detections(
    (logits, deltas): (Tensor<2>, Tensor<2>),
    proposals: &[Vec<BoundingBox>],
    picture: [f32; 2],
    threshold: Threshold,
) -> Result<Vec<Vec<Detection>>> {
    let [_, classes] = logits.dims();
    let probabilities = read(softmax(logits, 1))?;
    let deltas = read(deltas)?;
    let mut row = 0;
    let mut all = Vec::with_capacity(proposals.len());
    for proposals in proposals {
        let (mut boxes, mut scores, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for proposal in proposals {
            for label in 1..classes {
                let at = row * classes + label;
                let deltas = [0, 1, 2, 3].map(|c| deltas[4 * at + c]);
                let moved = clip(CODER.decode(deltas, *proposal), picture);
                let large = size(moved).iter().all(|side| *side >= SMALLEST);
                if probabilities[at] > threshold.score && large {
                    boxes.push(moved);
                    scores.push(probabilities[at]);
                    labels.push(label);
                }
            }
            row += 1;
        }
        let best = batched_nms(&boxes, &scores, &labels, threshold.nms);
        let found = best.into_iter().take(threshold.most).map(|i| Detection {
            corners: boxes[i],
            label: labels[i],
            score: scores[i],
        });
        all.push(found.collect());
    }
    Ok(all)
}
