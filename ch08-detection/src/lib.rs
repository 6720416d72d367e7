//! Chapter 8: object detection.
//!
//! First where, pixel by pixel: a network that gives a logit for each pixel finds the nuclei of cells in microscope pictures. A plain
//! network sees too little around a pixel; pooling lets it see more, transposed convolution brings the size back, and a U-Net keeps the
//! fine detail besides. Then where, as a box: Faster R-CNN, whole. Anchors all over a picture are scored and moved by a small network,
//! the best of them become proposals, their features are cut out by RoI-align, and a second network names and moves them once more.
//! Of boxes that overlap only the best stays. At the end a detector trained on COCO is read from torchvision's file.
//!
//! Reading order: [`networks`], [`unet`], [`segmentation`] (8.1 to 8.3, with [`regions`] and [`segment`]); then [`boxes`], [`anchors`],
//! [`box_coder`], [`matcher`] (small parts on plain numbers), [`rpn`], [`roi_heads`], [`faster_rcnn`] (the detector), [`canvas`],
//! [`digit_detector`], [`average_precision`] (8.4 to 8.6); [`resnet_fpn`], [`coco`], [`detect`] (8.7); [`experiments`].
//!
//! Letters in shape comments: B pictures in a batch, H and W pixels, A anchors of a picture, R regions, K classes with the background.
//! Boxes are [x1, y1, x2, y2] in pixels, upper left and lower right corner.

pub mod anchors;
pub mod average_precision;
pub mod box_coder;
pub mod boxes;
pub mod canvas;
pub mod coco;
pub mod detect;
pub mod digit_detector;
pub mod experiments;
pub mod faster_rcnn;
pub mod matcher;
pub mod networks;
pub mod regions;
pub mod resnet_fpn;
pub mod roi_heads;
pub mod rpn;
pub mod segment;
pub mod segmentation;
pub mod unet;

pub use experiments::chapter;
