//! The region proposal network: a small network on the feature maps that scores anchors and moves them (section 8.4; Ren et al. 2015).

use burn::module::{Module, Param};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Device, Int, Tensor, TensorData};
use common::kernels::{binary_cross_entropy_with_logits, relu};
use common::nn::conv::{Conv2d, Conv2dConfig};
use common::{Error, Result};
use rand_chacha::ChaCha8Rng;

use crate::box_coder::BoxCoder;
use crate::boxes::{BoundingBox, batched_nms, clip, size};
use crate::matcher::{Match, Matcher, sample};

/// Anchors trained on in a picture.
const SAMPLES: usize = 256;
/// The largest part of them that stands for objects.
const OBJECTS: f32 = 0.5;
const MATCHER: Matcher = Matcher {
    object: 0.7,
    background: 0.3,
    best_counts: true,
};
const CODER: BoxCoder = BoxCoder { weights: [1.0; 4] };
/// Where the box loss turns from square to straight.
const BETA: f64 = 1.0 / 9.0;
/// Of proposals that overlap more than this the worse is dropped.
const NMS: f32 = 0.7;
/// Proposals less wide or high are dropped.
const SMALLEST: f32 = 1e-3;

/// The network: a 3x3 convolution with rectifier, then 1x1 convolutions to a logit and four differences per anchor of the place.
#[derive(Module, Debug)]
pub struct RpnHead {
    conv: Conv2d,
    cls_logits: Conv2d,
    bbox_pred: Conv2d,
}

/// What the network says of all anchors of a batch.
#[derive(Clone, Debug)]
pub struct Scored {
    /// How much each looks like an object: `[batch, anchors]`.
    pub logits: Tensor<2>,
    /// How it should be moved: `[batch, anchors, 4]`.
    pub deltas: Tensor<3>,
    /// Anchors of each feature map.
    pub levels: Vec<usize>,
}

impl RpnHead {
    /// For feature maps of this many channels, with this many anchors per place. Weights start at N(0, 0.01^2), biases at 0.
    pub fn new(channels: usize, anchors: usize, device: &Device) -> Self {
        let conv = |outputs: usize, window: usize| {
            let p = window / 2;
            let normal = Initializer::Normal {
                mean: 0.0,
                std: 0.01,
            };
            let mut conv = Conv2dConfig::new([channels, outputs], [window, window])
                .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
                .with_initializer(normal)
                .init(device);
            let zeros: Param<Tensor<1>> = Initializer::Zeros.init([outputs], device);
            conv.bias = Some(zeros);
            conv
        };
        Self {
            conv: conv(channels, 3),
            cls_logits: conv(anchors, 1),
            bbox_pred: conv(4 * anchors, 1),
        }
    }

    /// # Shapes
    /// - `maps`: `[batch, channels, height, width]` each
    pub fn forward(&self, maps: &[Tensor<4>]) -> Scored {
        let mut scored = (Vec::new(), Vec::new(), Vec::new());
        for map in maps {
            let [batch, _, height, width] = map.dims();
            let x = relu(self.conv.forward(map.clone())); // [B, C, H, W]
            let logits = self.cls_logits.forward(x.clone()); // [B, a, H, W]
            let shapes = logits.dims()[1];
            let anchors = height * width * shapes;
            scored
                .0
                .push(logits.permute([0, 2, 3, 1]).reshape([batch, anchors]));
            let deltas = self.bbox_pred.forward(x); // [B, 4 a, H, W]
            let deltas = deltas.reshape([batch, shapes, 4, height, width]);
            let deltas = deltas.permute([0, 3, 4, 1, 2]); // [B, H, W, a, 4]
            scored.1.push(deltas.reshape([batch, anchors, 4]));
            scored.2.push(anchors);
        }
        Scored {
            logits: Tensor::cat(scored.0, 1),
            deltas: Tensor::cat(scored.1, 1),
            levels: scored.2,
        }
    }
}

/// How many proposals are kept in a picture: of each feature map before suppression, and in all after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Before suppression.
    pub before: usize,
    /// After it.
    pub after: usize,
}

/// The proposals of each picture: the best anchors, moved, on the picture, those that overlap others less often than once.
///
/// `picture` has height and width of the pictures.
///
/// # Errors
/// [`Error::Training`] when the scores can't be read from the device.
pub fn proposals(
    scored: &Scored,
    anchors: &[BoundingBox],
    picture: [f32; 2],
    kept: Kept,
) -> Result<Vec<Vec<BoundingBox>>> {
    let logits = read(scored.logits.clone())?;
    let deltas = read(scored.deltas.clone())?;
    let rows = logits.chunks_exact(anchors.len().max(1));
    let rows = rows.zip(deltas.chunks_exact(4 * anchors.len().max(1)));
    let of_picture = rows.map(|(logits, deltas)| {
        let (mut boxes, mut scores, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        let mut start = 0;
        for (level, &count) in scored.levels.iter().enumerate() {
            let mut best: Vec<usize> = (start..start + count).collect();
            best.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
            best.truncate(kept.before);
            for i in best {
                let deltas = [0, 1, 2, 3].map(|c| deltas[4 * i + c]);
                let moved = clip(CODER.decode(deltas, anchors[i]), picture);
                if size(moved).iter().all(|side| *side >= SMALLEST) {
                    boxes.push(moved);
                    scores.push(logits[i]);
                    groups.push(level);
                }
            }
            start += count;
        }
        let best = batched_nms(&boxes, &scores, &groups, NMS).into_iter();
        best.take(kept.after).map(|i| boxes[i]).collect()
    });
    Ok(of_picture.collect())
}

/// The losses of the network: binary cross-entropy of 256 anchors per picture, at most half of them objects, and the smooth L1 loss of
/// the differences of those that stand for objects, divided by the number of all that were drawn.
///
/// `objects` has the boxes of each picture.
pub fn losses(
    scored: &Scored,
    anchors: &[BoundingBox],
    objects: &[Vec<BoundingBox>],
    rng: &mut ChaCha8Rng,
) -> [Tensor<1>; 2] {
    let device = scored.logits.device();
    let (mut drawn, mut labels) = (Vec::new(), Vec::new());
    let (mut moved, mut targets) = (Vec::new(), Vec::new());
    for (picture, objects) in objects.iter().enumerate() {
        let matches = MATCHER.matches(objects, anchors);
        let (positive, negative) = sample(&matches, SAMPLES, OBJECTS, rng);
        let place = |i: usize| (picture * anchors.len() + i) as i64;
        for i in positive {
            drawn.push(place(i));
            labels.push(1.0f32);
            if let Match::Object(object) = matches[i] {
                moved.push(place(i));
                targets.push(CODER.encode(objects[object], anchors[i]));
            }
        }
        drawn.extend(negative.iter().map(|i| place(*i)));
        labels.extend(negative.iter().map(|_| 0.0));
    }
    let count = drawn.len();
    if count == 0 {
        return [0, 1].map(|_| Tensor::zeros([1], &device));
    }
    let logits = scored.logits.clone().flatten::<1>(0, 1);
    let logits = logits.select(0, numbers(drawn, &device)); // [drawn]
    let labels = Tensor::<1>::from_data(TensorData::new(labels, [count]), &device);
    let objectness = binary_cross_entropy_with_logits(logits, labels);
    let deltas = scored.deltas.clone().flatten::<2>(0, 1); // [B A, 4]
    let boxes = box_loss(deltas, moved, &targets, BETA, count);
    [objectness, boxes]
}

/// The smooth L1 loss of some rows of differences [rows, 4], summed and divided by `count`: d^2 / (2 beta) for a distance d below beta,
/// d - beta / 2 above.
pub(crate) fn box_loss(
    deltas: Tensor<2>,
    rows: Vec<i64>,
    targets: &[[f32; 4]],
    beta: f64,
    count: usize,
) -> Tensor<1> {
    let device = deltas.device();
    if rows.is_empty() {
        return Tensor::zeros([1], &device);
    }
    let targets = TensorData::new(targets.concat(), [rows.len(), 4]);
    let found = deltas.select(0, numbers(rows, &device)); // [objects, 4]
    let distance = (found - Tensor::<2>::from_data(targets, &device)).abs();
    let below = distance.clone().clamp_max(beta);
    let loss = below.clone() * (distance - below * 0.5) / beta;
    loss.sum() / count as f64
}

pub(crate) fn numbers(values: Vec<i64>, device: &Device) -> Tensor<1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

/// The values of a tensor, row-major.
pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let data = tensor.detach().into_data().try_to_vec::<f32>();
    data.map_err(|error| Error::Training(format!("reading from the device: {error:?}")))
}
