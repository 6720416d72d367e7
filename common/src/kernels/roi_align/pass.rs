//! RoI-align on slices.
//!
//! The maps are turned to [height, width, channels] first: then a row of a map times its weight is one long vector, for all
//! channels at once. Rows are added up before columns, which takes a fifth of the work of sampling point by point.

use super::super::parallel::{Shared, ranges, written};
use super::super::simd::{Kernel, Vector, dispatch};
use super::grid::Taps;
use super::{Region, RoiAlign};

/// Regions of maps of a certain size.
#[derive(Clone, Debug)]
pub(crate) struct Regions {
    /// [batch, channels, height, width]
    pub shape: [usize; 4],
    pub regions: Vec<Region>,
    pub options: RoiAlign,
}

impl Regions {
    /// Values of a map of all channels.
    fn map(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// Values of the output for one region.
    fn block(&self) -> usize {
        self.shape[1] * self.options.output[0] * self.options.output[1]
    }

    /// [regions, channels, rows, columns]
    pub fn output(&self) -> [usize; 4] {
        let [rows, columns] = self.options.output;
        [self.regions.len(), self.shape[1], rows, columns]
    }

    pub fn forward(&self, features: &[f32]) -> Vec<f32> {
        let [batch, channels, height, width] = self.shape;
        let (map, block) = (self.map(), self.block());
        assert_eq!(features.len(), batch * map, "features of {batch} maps");
        let turn = |out: Shared| {
            ranges(batch, 1, |range| {
                for image in range {
                    let from = &features[image * map..][..map];
                    // SAFETY: each map is written by one piece of work, in full.
                    let to = unsafe {
                        let to = out.part(image * map, map);
                        to.write_bytes(0, map);
                        std::slice::from_raw_parts_mut(to, map)
                    };
                    transpose(from, channels, height * width, to);
                }
            });
        };
        // SAFETY: the ranges are all maps.
        let (turned, ()) = unsafe { written(batch * map, turn) };
        let each = |out: Shared| {
            ranges(self.regions.len(), 4, |range| {
                let mut scratch = Scratch::default();
                for i in range {
                    let region = &self.regions[i];
                    // SAFETY: each region is written by one piece of work, in full.
                    let out = unsafe {
                        let out = out.part(i * block, block);
                        out.write_bytes(0, block);
                        std::slice::from_raw_parts_mut(out, block)
                    };
                    dispatch(Forward {
                        all: self,
                        region,
                        map: &turned[region.image * map..][..map],
                        out,
                        scratch: &mut scratch,
                    });
                }
            });
        };
        // SAFETY: the ranges are all regions.
        unsafe { written(self.regions.len() * block, each).0 }
    }

    /// The gradient of the features: a picture's regions add to its maps one after the other, so the sums are always the same.
    pub fn backward(&self, gradient: &[f32]) -> Vec<f32> {
        let [batch, channels, height, width] = self.shape;
        let (map, block) = (self.map(), self.block());
        assert_eq!(
            gradient.len(),
            self.regions.len() * block,
            "gradient of all regions"
        );
        let each = |out: Shared| {
            ranges(batch, 1, |range| {
                let mut scratch = Scratch::default();
                let mut turned = vec![0.0f32; map];
                for image in range {
                    turned.fill(0.0);
                    for (i, region) in self.regions.iter().enumerate() {
                        if region.image != image {
                            continue;
                        }
                        dispatch(Backward {
                            all: self,
                            region,
                            gradient: &gradient[i * block..][..block],
                            map: &mut turned,
                            scratch: &mut scratch,
                        });
                    }
                    // SAFETY: each map is written by one piece of work, in full.
                    let to = unsafe {
                        let to = out.part(image * map, map);
                        to.write_bytes(0, map);
                        std::slice::from_raw_parts_mut(to, map)
                    };
                    transpose(&turned, height * width, channels, to);
                }
            });
        };
        // SAFETY: the ranges are all maps.
        unsafe { written(batch * map, each).0 }
    }
}

/// [rows, columns] to [columns, rows], in squares that stay in the cache.
fn transpose(from: &[f32], rows: usize, columns: usize, to: &mut [f32]) {
    const SQUARE: usize = 32;
    for top in (0..rows).step_by(SQUARE) {
        for left in (0..columns).step_by(SQUARE) {
            for row in top..(top + SQUARE).min(rows) {
                for column in left..(left + SQUARE).min(columns) {
                    to[column * rows + row] = from[row * columns + column];
                }
            }
        }
    }
}

/// Memory that is used for one region after the other.
#[derive(Default)]
struct Scratch {
    /// A row of the output before its columns are added up: [columns of the map in use, channels].
    line: Vec<f32>,
    /// The output of a region as [rows, columns, channels].
    block: Vec<f32>,
}

/// `y += weight * x`
#[inline(always)]
fn add(y: &mut [f32], weight: f32, x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += weight * x;
    }
}

struct Forward<'a> {
    all: &'a Regions,
    region: &'a Region,
    /// [height, width, channels]
    map: &'a [f32],
    /// [channels, rows, columns]
    out: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl Kernel for Forward<'_> {
    type Output = ();

    // Plain loops: `V` only selects the instruction set that they are compiled for.
    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let [_, channels, height, width] = self.all.shape;
        let Scratch { line, block } = self.scratch;
        let [down, across] = Taps::both(self.region, &self.all.options, [height, width]);
        let used = across.range();
        line.resize(used.len() * channels, 0.0);
        block.clear();
        block.resize(self.all.block(), 0.0);
        let [_, columns] = self.all.options.output;
        for (taps, out) in down.bins().zip(block.chunks_exact_mut(columns * channels)) {
            line.fill(0.0);
            for &(row, weight) in taps {
                if weight != 0.0 {
                    let start = (row * width + used.start) * channels;
                    add(line, weight, &self.map[start..]);
                }
            }
            for (taps, out) in across.bins().zip(out.chunks_exact_mut(channels)) {
                for &(column, weight) in taps {
                    if weight != 0.0 {
                        add(
                            out,
                            weight,
                            &line[(column - used.start) * channels..][..channels],
                        );
                    }
                }
            }
        }
        transpose(block, block.len() / channels.max(1), channels, self.out);
    }
}

struct Backward<'a> {
    all: &'a Regions,
    region: &'a Region,
    /// [channels, rows, columns]
    gradient: &'a [f32],
    /// [height, width, channels]
    map: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let [_, channels, height, width] = self.all.shape;
        let Scratch { line, block } = self.scratch;
        let [down, across] = Taps::both(self.region, &self.all.options, [height, width]);
        let used = across.range();
        line.resize(used.len() * channels, 0.0);
        block.clear();
        block.resize(self.all.block(), 0.0);
        let cells = block.len() / channels.max(1);
        transpose(self.gradient, channels, cells, block);
        let [_, columns] = self.all.options.output;
        for (taps, gradient) in down.bins().zip(block.chunks_exact(columns * channels)) {
            line.fill(0.0);
            for (taps, gradient) in across.bins().zip(gradient.chunks_exact(channels)) {
                for &(column, weight) in taps {
                    if weight != 0.0 {
                        let line = &mut line[(column - used.start) * channels..][..channels];
                        add(line, weight, gradient);
                    }
                }
            }
            for &(row, weight) in taps {
                if weight != 0.0 {
                    let start = (row * width + used.start) * channels;
                    add(&mut self.map[start..][..line.len()], weight, line);
                }
            }
        }
    }
}
