//! Where the samples of a region lie, and how much each cell of the feature map counts.
//!
//! The samples are a grid along the axes, so the weight of a cell is that of its row times that of its column.

use super::{Region, RoiAlign};

/// For one axis of a region: the cells of the map that each cell of the output is made of.
pub(crate) struct Taps {
    /// Cells of the map with their weights, the same number for each cell of the output.
    taps: Vec<(usize, f32)>,
    /// How many that is.
    each: usize,
}

impl Taps {
    /// Those of rows and columns, for a map of this size.
    pub fn both(region: &Region, options: &RoiAlign, size: [usize; 2]) -> [Self; 2] {
        let [x1, y1, x2, y2] = region.corners.map(|c| c * options.scale);
        let [rows, columns] = options.output;
        [
            Self::new([y1, y2], rows, options.samples, size[0]),
            Self::new([x1, x2], columns, options.samples, size[1]),
        ]
    }

    fn new([start, end]: [f32; 2], bins: usize, samples: usize, size: usize) -> Self {
        let samples = samples.max(1);
        let bin = (end - start).max(1.0) / bins as f32;
        let share = 1.0 / samples as f32;
        let mut taps = Vec::with_capacity(bins * 2 * samples);
        for b in 0..bins {
            for s in 0..samples {
                let at = start + b as f32 * bin + (s as f32 + 0.5) * bin / samples as f32;
                taps.extend(linear(at, size).map(|(cell, weight)| (cell, weight * share)));
            }
        }
        Self {
            taps,
            each: 2 * samples,
        }
    }

    /// The taps of each cell of the output.
    pub fn bins(&self) -> impl Iterator<Item = &[(usize, f32)]> {
        self.taps.chunks_exact(self.each)
    }

    /// The first cell of the map that is used, and the one after the last.
    pub fn range(&self) -> std::ops::Range<usize> {
        let used = || self.taps.iter().filter(|tap| tap.1 != 0.0).map(|tap| tap.0);
        match (used().min(), used().max()) {
            (Some(first), Some(last)) => first..last + 1,
            _ => 0..0,
        }
    }

    /// The weights as a matrix [output, size].
    pub fn matrix(&self, size: usize) -> Vec<f32> {
        let mut matrix = vec![0.0; self.taps.len() / self.each * size];
        for (row, taps) in matrix.chunks_exact_mut(size).zip(self.bins()) {
            for &(cell, weight) in taps {
                row[cell] += weight;
            }
        }
        matrix
    }
}

/// The two cells that a point lies between, with their weights; both 0 outside of the map.
fn linear(at: f32, size: usize) -> [(usize, f32); 2] {
    if size == 0 || at < -1.0 || at > size as f32 {
        return [(0, 0.0); 2];
    }
    let at = at.max(0.0);
    let low = (at as usize).min(size - 1);
    match low + 1 < size {
        true => [(low, 1.0 - (at - low as f32)), (low + 1, at - low as f32)],
        false => [(low, 1.0), (low, 0.0)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_between_cells_on_the_border_and_outside() {
        assert_eq!(linear(2.25, 5), [(2, 0.75), (3, 0.25)]);
        assert_eq!(linear(-0.9, 5), [(0, 1.0), (1, 0.0)]);
        assert_eq!(linear(4.7, 5), [(4, 1.0), (4, 0.0)]);
        assert_eq!(linear(5.0, 5), [(4, 1.0), (4, 0.0)]);
        for outside in [-1.1, 5.1, f32::INFINITY, -1e30] {
            assert_eq!(linear(outside, 5), [(0, 0.0); 2]);
        }
        assert_eq!(linear(0.5, 0), [(0, 0.0); 2]);
        assert!(linear(f32::NAN, 5).iter().all(|tap| tap.0 < 5));
    }

    #[test]
    fn weights_inside_of_the_map_sum_to_one() {
        let taps = Taps::new([1.3, 7.9], 4, 2, 10);
        for bin in taps.bins() {
            let sum: f32 = bin.iter().map(|tap| tap.1).sum();
            assert!((sum - 1.0).abs() < 1e-6);
        }
        assert_eq!(taps.range(), 1..9);
        let outside = Taps::new([20.0, 30.0], 4, 2, 10);
        assert_eq!(outside.range(), 0..0);
    }
}
