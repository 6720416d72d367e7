//! RoI-align: regions of feature maps, brought to one size (section 8.4; He et al. 2017, Mask R-CNN).

pub(super) mod grid;

#[cfg(feature = "flex")]
pub(super) mod pass;

use burn::tensor::{Int, Tensor, TensorData};

use grid::Taps;

#[cfg(feature = "flex")]
use super::flex;

/// A rectangle on one of the pictures of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Which picture, from 0.
    pub image: usize,
    /// x and y of the upper left corner, x and y of the lower right one, in pixels of the picture.
    pub corners: [f32; 4],
}

/// How regions are sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoiAlign {
    /// Rows and columns of the output.
    pub output: [usize; 2],
    /// Cells of the feature map per pixel of the picture: 1 / stride.
    pub scale: f32,
    /// Samples per cell of the output along each axis, at least 1.
    pub samples: usize,
}

/// Cuts regions out of feature maps and brings them to one size: the region is divided into equal cells, each is sampled at
/// samples x samples points by bilinear interpolation, and the samples of a cell are averaged.
///
/// As torchvision's `roi_align` with `aligned = False`: a region is at least 1 cell wide and high, points up to one cell beyond
/// the border take its value, those further out count as 0. No gradient flows to the regions.
///
/// # Shapes
/// - `features`: `[batch, channels, height, width]`
/// - output: `[regions, channels, output[0], output[1]]`
///
/// # Panics
/// If a region is on a picture that the batch does not have, or the output has no cell.
pub fn roi_align(features: Tensor<4>, regions: &[Region], options: RoiAlign) -> Tensor<4> {
    let [batch, channels, height, width] = features.dims();
    let [rows, columns] = options.output;
    assert!(rows * columns > 0, "an output of {rows}x{columns} cells");
    for region in regions {
        assert!(
            region.image < batch,
            "a region on picture {} of {batch}",
            region.image
        );
    }
    #[cfg(feature = "flex")]
    if flex::takes_roi_align(&features) {
        return flex::roi_align(features, regions, options);
    }
    let device = features.device();
    if regions.is_empty() || height * width == 0 {
        return Tensor::zeros([regions.len(), channels, rows, columns], &device);
    }
    // A matrix per region and axis says how much each row (column) of the map counts in each cell of the output.
    let (mut down, mut across) = (Vec::new(), Vec::new());
    for region in regions {
        let [y, x] = Taps::both(region, &options, [height, width]);
        down.extend(y.matrix(height)); // [rows, height]
        across.extend(x.matrix(width)); // [columns, width]
    }
    let n = regions.len();
    let matrices = |values: Vec<f32>, shape: [usize; 3]| {
        Tensor::<3>::from_data(TensorData::new(values, shape), &device).unsqueeze_dim::<4>(1)
    };
    let images = regions.iter().map(|region| region.image as i64);
    let images: Vec<i64> = images.collect();
    let images = Tensor::<1, Int>::from_data(TensorData::new(images, [n]), &device);
    let maps = features.select(0, images); // [regions, channels, height, width]
    let across = matrices(across, [n, columns, width]).swap_dims(2, 3);
    let down = matrices(down, [n, rows, height]);
    let maps = maps.matmul(across.expand([n, channels, width, columns])); // [regions, channels, height, columns]
    down.expand([n, channels, rows, height]).matmul(maps) // [regions, channels, rows, columns]
}
