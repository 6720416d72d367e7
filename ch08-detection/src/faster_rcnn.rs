//! Faster R-CNN, put together (section 8.4; Ren et al. 2015), as torchvision has it.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::Result;
use common::kernels::Region;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::anchors::AnchorGenerator;
use crate::boxes::BoundingBox;
use crate::roi_heads::{self, Detection, Object, RoiHeads, Threshold};
use crate::rpn::{self, Kept, RpnHead};

/// A network that makes feature maps of pictures.
pub trait Backbone: Module + std::fmt::Debug + Send + 'static {
    /// Feature maps `[batch, channels, height, width]`, the finest first, all with equally many channels.
    fn forward(&self, pictures: Tensor<4>) -> Vec<Tensor<4>>;
}

/// What does not learn.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What is subtracted from each channel of the pictures.
    pub mean: Vec<f32>,
    /// What each channel is then divided by.
    pub deviation: Vec<f32>,
    /// The anchors.
    pub anchors: AnchorGenerator,
    /// How many of the feature maps regions are cut from; the anchors use all.
    pub pooled_maps: usize,
    /// Values between the layers of the second half.
    pub hidden: usize,
    /// Classes, with the background.
    pub classes: usize,
    /// Regions trained on in a picture.
    pub regions: usize,
    /// Proposals in training.
    pub kept_in_training: Kept,
    /// Proposals otherwise.
    pub kept: Kept,
}

impl Settings {
    /// torchvision's defaults for this many classes.
    pub fn new(
        mean: &[f32],
        deviation: &[f32],
        anchors: AnchorGenerator,
        pooled_maps: usize,
        classes: usize,
    ) -> Self {
        let kept = |n| Kept {
            before: n,
            after: n,
        };
        Self {
            mean: mean.to_vec(),
            deviation: deviation.to_vec(),
            anchors,
            pooled_maps,
            hidden: 1024,
            classes,
            regions: 512,
            kept_in_training: kept(2000),
            kept: kept(1000),
        }
    }
}

/// A detector: backbone, region proposals, and the network that names them.
#[derive(Module, Debug)]
pub struct FasterRcnn<B: Module> {
    backbone: B,
    rpn: RpnHead,
    roi_heads: RoiHeads,
    #[module(skip)]
    settings: Settings,
}

/// The four losses, each of shape \[1\].
#[derive(Clone, Debug)]
pub struct Losses {
    /// Whether anchors are objects.
    pub objectness: Tensor<1>,
    /// How anchors are moved.
    pub rpn_box: Tensor<1>,
    /// What regions are called.
    pub classification: Tensor<1>,
    /// How regions are moved.
    pub roi_box: Tensor<1>,
}

impl Losses {
    /// What is minimised.
    pub fn sum(&self) -> Tensor<1> {
        let [a, b, c, d] = self.parts();
        a + b + c + d
    }

    /// All four.
    pub fn parts(&self) -> [Tensor<1>; 4] {
        [
            self.objectness.clone(),
            self.rpn_box.clone(),
            self.classification.clone(),
            self.roi_box.clone(),
        ]
    }
}

/// What the first half gives: feature maps and proposals.
struct Proposed {
    maps: Vec<Tensor<4>>,
    scored: rpn::Scored,
    anchors: Vec<BoundingBox>,
    proposals: Vec<Vec<BoundingBox>>,
}

impl<B: Backbone> FasterRcnn<B> {
    /// A detector on this backbone, whose feature maps have this many channels.
    pub fn new(backbone: B, channels: usize, settings: Settings, device: &Device) -> Self {
        let per_place = settings.anchors.per_place();
        Self {
            backbone,
            rpn: RpnHead::new(channels, per_place, device),
            roi_heads: RoiHeads::new(channels, settings.hidden, settings.classes, device),
            settings,
        }
    }

    /// Pictures as the backbone expects them: `(x - mean) / deviation` for each channel.
    fn normalise(&self, pictures: Tensor<4>) -> Tensor<4> {
        let device = pictures.device();
        let channel = |values: &[f32]| {
            Tensor::<1>::from_floats(values, &device).reshape([1, values.len(), 1, 1])
        };
        let Settings {
            mean, deviation, ..
        } = &self.settings;
        (pictures - channel(mean)) / channel(deviation)
    }

    fn propose(&self, pictures: Tensor<4>, shown: [f32; 2], kept: Kept) -> Result<Proposed> {
        let [_, _, height, width] = pictures.dims();
        let maps = self.backbone.forward(self.normalise(pictures));
        let scored = self.rpn.forward(&maps);
        let sizes = maps.iter().map(|map| {
            let [_, _, rows, columns] = map.dims();
            [rows, columns]
        });
        let sizes: Vec<[usize; 2]> = sizes.collect();
        let anchors = self.settings.anchors.anchors(&sizes, [height, width]);
        let proposals = rpn::proposals(&scored, &anchors, shown, kept)?;
        Ok(Proposed {
            maps,
            scored,
            anchors,
            proposals,
        })
    }

    fn pool(&self, maps: &[Tensor<4>], regions: &[Region], shown: [f32; 2]) -> Tensor<4> {
        let maps = &maps[..self.settings.pooled_maps.min(maps.len())];
        roi_heads::pool(maps, regions, shown)
    }

    /// The losses on pictures with known objects; which anchors and regions are trained on is drawn from `seed`.
    ///
    /// # Shapes
    /// - `pictures`: `[batch, channels, height, width]`
    ///
    /// # Errors
    /// [`common::Error::Training`] when scores can't be read from the device.
    pub fn losses(
        &self,
        pictures: Tensor<4>,
        objects: &[Vec<Object>],
        seed: u64,
    ) -> Result<Losses> {
        let [_, _, height, width] = pictures.dims();
        let shown = [height as f32, width as f32];
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let found = self.propose(pictures, shown, self.settings.kept_in_training)?;
        let boxes = objects
            .iter()
            .map(|o| o.iter().map(|o| o.corners).collect());
        let boxes: Vec<Vec<BoundingBox>> = boxes.collect();
        let [objectness, rpn_box] = rpn::losses(&found.scored, &found.anchors, &boxes, &mut rng);
        let regions = self.settings.regions;
        let samples = roi_heads::samples(&found.proposals, objects, regions, &mut rng);
        let pooled = self.pool(&found.maps, &samples.regions, shown); // [R, C, 7, 7]
        let [classification, roi_box] = self.roi_heads.losses(pooled, &samples);
        Ok(Losses {
            objectness,
            rpn_box,
            classification,
            roi_box,
        })
    }

    /// What is on the pictures. `shown` has height and width of the part of the pictures that is not padding.
    ///
    /// # Shapes
    /// - `pictures`: `[batch, channels, height, width]`
    ///
    /// # Errors
    /// [`common::Error::Training`] when scores can't be read from the device.
    pub fn detect(
        &self,
        pictures: Tensor<4>,
        shown: [f32; 2],
        threshold: Threshold,
    ) -> Result<Vec<Vec<Detection>>> {
        let found = self.propose(pictures, shown, self.settings.kept)?;
        let regions = found.proposals.iter().enumerate();
        let regions = regions.flat_map(|(image, boxes)| {
            let region = move |corners: &BoundingBox| Region {
                image,
                corners: *corners,
            };
            boxes.iter().map(region)
        });
        let regions: Vec<Region> = regions.collect();
        if regions.is_empty() {
            return Ok(vec![Vec::new(); found.proposals.len()]);
        }
        let pooled = self.pool(&found.maps, &regions, shown); // [R, C, 7, 7]
        let outputs = self.roi_heads.forward(pooled);
        roi_heads::detections(outputs, &found.proposals, shown, threshold)
    }
}
