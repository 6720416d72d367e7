//! The filters of a first layer as small colour pictures.

use burn::tensor::Tensor;
use common::plot::{Figure, Picture};
use common::{Error, Result, plot};

/// Filters of three channels.
pub(super) struct Filters {
    /// [filters, 3, rows, columns]
    values: Vec<f32>,
    shape: [usize; 4],
}

impl Filters {
    /// Reads filters [filters, 3, rows, columns].
    pub(super) fn read(filters: Tensor<4>) -> Result<Self> {
        let shape = filters.dims();
        let values = filters.into_data().try_to_vec::<f32>();
        let values =
            values.map_err(|error| Error::Training(format!("reading filters: {error:?}")))?;
        Ok(Self { values, shape })
    }

    /// A grid with as many rows as columns, or about; the least weight of all is 0, the greatest 1.
    pub(super) fn figure(&self, title: &str) -> Figure {
        let [filters, channels, rows, columns] = self.shape;
        let low = self.values.iter().copied().fold(f32::INFINITY, f32::min);
        let high = self
            .values
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max);
        let side = (filters as f64).sqrt().ceil() as usize;
        let mut grid = plot::image_grid(title).columns(side.max(1)).side(70);
        for filter in self.values.chunks(channels * rows * columns) {
            let scaled = filter
                .iter()
                .map(|v| (v - low) / (high - low).max(f32::MIN_POSITIVE));
            let picture = Picture::rgb(rows, columns, &scaled.collect::<Vec<f32>>());
            grid = grid.image(picture, "");
        }
        grid.build()
    }

    /// The mean squared difference of neighbouring weights of a filter over that of any two weights of it (twice the variance): 1 for
    /// independent noise, 0 for areas of one colour. Each channel of a filter by itself.
    pub(super) fn roughness(&self) -> f64 {
        let [_, _, rows, columns] = self.shape;
        let (mut near, mut any) = (Mean::default(), Mean::default());
        for plane in self.values.chunks(rows * columns) {
            let at = |r: usize, c: usize| f64::from(plane[r * columns + c]);
            for r in 0..rows {
                for c in 0..columns {
                    if r + 1 < rows {
                        near.add((at(r + 1, c) - at(r, c)).powi(2));
                    }
                    if c + 1 < columns {
                        near.add((at(r, c + 1) - at(r, c)).powi(2));
                    }
                }
            }
            for (i, a) in plane.iter().enumerate() {
                for b in &plane[..i] {
                    any.add(f64::from(a - b).powi(2));
                }
            }
        }
        near.value() / any.value()
    }
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn value(&self) -> f64 {
        self.sum / self.count as f64
    }
}

/// The cosine of the angle between all weights of two sets of filters.
pub(super) fn similarity(a: Tensor<4>, b: Tensor<4>) -> Result<f64> {
    let (a, b) = (Filters::read(a)?.values, Filters::read(b)?.values);
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    };
    Ok(dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt())
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn noise_is_rough_and_slopes_are_not() {
        let device = Device::flex();
        device.seed(1);
        let noise = Tensor::random([64, 3, 7, 7], Distribution::Default, &device);
        let rough = Filters::read(noise.clone()).unwrap().roughness();
        assert!((rough - 1.0).abs() < 0.05, "{rough}");
        let slope = Tensor::<1>::from_floats([0.0, 1.0, 2.0, 3.0], &device);
        let slope = slope.reshape([1, 1, 1, 4]).repeat(&[2, 3, 4, 1]);
        let smooth = Filters::read(slope).unwrap().roughness();
        assert!(smooth < 0.3, "{smooth}");
        let same = similarity(noise.clone(), noise * 2.0).unwrap();
        assert!((same - 1.0).abs() < 1e-6);
    }
}
