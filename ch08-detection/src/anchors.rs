//! Anchors: boxes of a few sizes and shapes at every place of a feature map, from which the detector starts (section 8.4).

use crate::boxes::BoundingBox;

/// Which anchors there are.
#[derive(Clone, Debug, PartialEq)]
pub struct AnchorGenerator {
    /// For each feature map the side of a square of the anchors' area, in pixels of the picture.
    pub sizes: Vec<Vec<f32>>,
    /// Height to width.
    pub ratios: Vec<f32>,
}

impl AnchorGenerator {
    /// Anchors per place of a feature map; all maps have equally many.
    pub fn per_place(&self) -> usize {
        self.sizes.first().map_or(0, Vec::len) * self.ratios.len()
    }

    /// The anchors of all feature maps of a picture, each row by row: at every place all shapes, of each shape all sizes.
    ///
    /// An anchor of size s and ratio r is s / sqrt(r) wide and s sqrt(r) high, its corners around the place rounded to whole pixels.
    ///
    /// `maps` has height and width of each feature map, `picture` those of the picture.
    pub fn anchors(&self, maps: &[[usize; 2]], picture: [usize; 2]) -> Vec<BoundingBox> {
        let mut all = Vec::new();
        for (map, sizes) in maps.iter().zip(&self.sizes) {
            let stride = [0, 1].map(|axis| (picture[axis] / map[axis].max(1)) as f32);
            let shapes = self.ratios.iter().flat_map(|ratio| {
                let height = ratio.sqrt();
                sizes.iter().map(move |size| {
                    let half = [size / height / 2.0, size * height / 2.0];
                    half.map(f32::round_ties_even)
                })
            });
            let shapes: Vec<[f32; 2]> = shapes.collect();
            for row in 0..map[0] {
                for column in 0..map[1] {
                    let (x, y) = (column as f32 * stride[1], row as f32 * stride[0]);
                    all.extend(shapes.iter().map(|[w, h]| [x - w, y - h, x + w, y + h]));
                }
            }
        }
        all
    }
}
