//! Which values are dropped: a function of a seed and the value's place.

use burn::tensor::{Device, Distribution, Int, Tensor};

use crate::kernels::parallel::{Shared, ranges, written};
use crate::kernels::simd::{Kernel, Vector, dispatch};

/// Values that share a pair of keys, and a piece of work: 64 kB in and out.
const BLOCK: usize = 16 * 1024;

/// Random zeros.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropout {
    /// The part that is dropped, in 0..1.
    pub rate: f64,
    pub seed: u64,
}

impl Dropout {
    /// A seed from the device's generator.
    pub fn drawn(rate: f64, device: &Device) -> Self {
        let uniform = Distribution::Uniform(0.0, 2_097_152.0);
        let bits = Tensor::<1, Int>::random([3], uniform, device).into_data();
        let seed = bits.iter::<i64>().fold(0, |seed, b| seed << 21 | b as u64);
        Self { rate, seed }
    }

    /// What the values that stay are multiplied by.
    pub fn factor(self) -> f32 {
        (1.0 / (1.0 - self.rate)) as f32
    }

    /// The decisions of one block of values.
    pub fn block(self, index: usize) -> Block {
        // Two keys for each block, mixed by the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
        let mut key = (index as u64 + 1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(self.seed);
        key = (key ^ (key >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        key = (key ^ (key >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        key ^= key >> 31;
        Block {
            first: key as u32,
            second: (key >> 32) as u32,
            bound: (self.rate * 4_294_967_296.0) as u32,
        }
    }

    /// What is left of `x`.
    pub fn applied(self, x: &[f32]) -> Vec<f32> {
        // SAFETY: `apply` writes everything.
        unsafe { written(x.len(), |out| self.apply(Some(x), out)).0 }
    }

    /// The same in the memory of `x`.
    pub fn apply_in_place(self, x: &mut [f32]) {
        self.apply(None, Shared::new(x));
    }

    /// What is left of `source`, or without one of `out` itself.
    fn apply(self, source: Option<&[f32]>, out: Shared) {
        let count = out.len();
        assert!(source.is_none_or(|source| source.len() == count));
        // Blocks are cut by place and not by thread: the same zeros with any number of threads.
        ranges(count.div_ceil(BLOCK), 1, |blocks| {
            for index in blocks {
                let start = index * BLOCK;
                let len = BLOCK.min(count - start);
                // SAFETY: the blocks are disjoint.
                let to = unsafe { out.part(start, len) };
                let source =
                    source.map_or(to.cast_const(), |source| source[start..][..len].as_ptr());
                dispatch(Drop {
                    block: self.block(index),
                    factor: self.factor(),
                    source,
                    to,
                    len,
                });
            }
        });
    }
}

/// The decisions of one block of values.
#[derive(Clone, Copy)]
pub(crate) struct Block {
    first: u32,
    second: u32,
    bound: u32,
}

impl Block {
    /// Whether value `i` of the block is dropped.
    #[inline(always)]
    pub fn drops(self, i: usize) -> bool {
        mixed(mixed((i as u32).wrapping_add(self.first)) ^ self.second) < self.bound
    }
}

/// A bijection of 32 bits that is as good as random for consecutive numbers: `lowbias32` of C. Wellons, 2018.
#[inline(always)]
fn mixed(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7FEB_352D);
    x = (x ^ (x >> 15)).wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

/// One block. `source` and `to` are valid for `len` values and may be the same.
struct Drop {
    block: Block,
    factor: f32,
    source: *const f32,
    to: *mut f32,
    len: usize,
}

impl Kernel for Drop {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector>(self) {
        let Self {
            block,
            factor,
            source,
            to,
            len,
        } = self;
        for i in 0..len {
            // SAFETY: `i` is below `len`, and each value is read before it is written.
            unsafe {
                let x = *source.add(i);
                *to.add(i) = if block.drops(i) { 0.0 } else { x * factor };
            }
        }
    }
}
