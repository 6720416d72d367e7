//! Vectors of `f32` and the choice of the instruction set at run time.
//!
//! A kernel is written once over [`Vector`] and compiled three times: for AVX-512, for AVX2 with FMA, and for
//! whatever the target has anyway. [`dispatch`] picks the widest one that this processor offers.

/// A register of `f32` lanes.
///
/// # Safety
/// Each method may only be called on a processor that has the instruction set of the implementing type, which
/// [`dispatch`] ensures. `load` and `store` access `LANES` values from the pointer on, with any alignment.
pub(crate) trait Vector: Copy {
    /// Values in one register.
    const LANES: usize;
    /// Thirty-two registers: tiles of 8 x 3 instead of 4 x 3 accumulators.
    const WIDE: bool;

    unsafe fn splat(x: f32) -> Self;
    unsafe fn load(p: *const f32) -> Self;
    unsafe fn store(self, p: *mut f32);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// The larger of each pair; `other` if one of them is not a number.
    unsafe fn max(self, other: Self) -> Self;
    /// The smaller of each pair; `other` if one of them is not a number.
    unsafe fn min(self, other: Self) -> Self;
    /// `self * a + b`
    unsafe fn mul_add(self, a: Self, b: Self) -> Self;
    /// The square root of each value.
    unsafe fn sqrt(self) -> Self;
    /// `yes` where a lane of `self` is above zero, `no` elsewhere.
    unsafe fn if_positive(self, yes: Self, no: Self) -> Self;
    /// `self * 2^n` for whole numbers n in -126..=127.
    unsafe fn scale2(self, n: Self) -> Self;
    /// Transposes a square of `LANES` rows and columns: `to[j * to_step + i] = from[i * from_step + j]`.
    ///
    /// Reads and writes `LANES` values at each multiple of the steps below `LANES`.
    unsafe fn transpose(from: *const f32, from_step: usize, to: *mut f32, to_step: usize);
}

/// A computation over any [`Vector`].
pub(crate) trait Kernel {
    /// What it computes.
    type Output;

    /// Runs it. Implementations are `#[inline(always)]`: only then the instructions of `V` are inlined.
    ///
    /// # Safety
    /// The processor has the instruction set of `V`.
    unsafe fn run<V: Vector>(self) -> Self::Output;
}

/// Runs `kernel` with the widest vectors of this processor.
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the feature that the function needs was detected in the line above.
            return unsafe { x86::run_avx512(kernel) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: both features that the function needs were detected in the line above.
            return unsafe { x86::run_avx2(kernel) };
        }
    }
    // SAFETY: `Portable` is ordinary Rust and runs on every processor.
    unsafe { kernel.run::<Portable>() }
}

/// Eight lanes in plain Rust; the compiler maps them to the registers of the target (NEON, SSE2).
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; 8]);

/// `a * b + c`: fused where that is one instruction, since elsewhere it is a call of the C library.
#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
        a.mul_add(b, c)
    } else {
        a * b + c
    }
}

macro_rules! portable {
    ($name:ident, |$a:ident, $b:ident| $value:expr) => {
        #[inline(always)]
        unsafe fn $name(mut self, other: Self) -> Self {
            for i in 0..8 {
                let ($a, $b) = (self.0[i], other.0[i]);
                self.0[i] = $value;
            }
            self
        }
    };
}

impl Vector for Portable {
    const LANES: usize = 8;
    const WIDE: bool = false;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; 8])
    }

    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the caller gives eight readable values; `read_unaligned` needs no alignment.
        Self(unsafe { p.cast::<[f32; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller gives eight writable values; `write_unaligned` needs no alignment.
        unsafe { p.cast::<[f32; 8]>().write_unaligned(self.0) }
    }

    portable!(add, |a, b| a + b);
    portable!(sub, |a, b| a - b);
    portable!(mul, |a, b| a * b);
    portable!(div, |a, b| a / b);
    portable!(max, |a, b| if a > b { a } else { b });
    portable!(min, |a, b| if a < b { a } else { b });

    #[inline(always)]
    unsafe fn mul_add(mut self, a: Self, b: Self) -> Self {
        for i in 0..8 {
            self.0[i] = fused(self.0[i], a.0[i], b.0[i]);
        }
        self
    }

    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }

    #[inline(always)]
    unsafe fn if_positive(mut self, yes: Self, no: Self) -> Self {
        for i in 0..8 {
            self.0[i] = if self.0[i] > 0.0 { yes.0[i] } else { no.0[i] };
        }
        self
    }

    #[inline(always)]
    unsafe fn scale2(mut self, n: Self) -> Self {
        for i in 0..8 {
            self.0[i] *= f32::from_bits(((n.0[i] as i32 + 127) as u32) << 23);
        }
        self
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        for j in 0..8 {
            for i in 0..8 {
                // SAFETY: the caller gives eight readable and eight writable rows of eight values.
                unsafe { *to.add(j * to_step + i) = *from.add(i * from_step + j) };
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Vector};
    use std::arch::x86_64::*;

    #[derive(Clone, Copy)]
    pub(super) struct Avx512(__m512);
    #[derive(Clone, Copy)]
    pub(super) struct Avx2(__m256);

    /// # Safety
    /// The processor has AVX-512F.
    #[target_feature(enable = "avx512f,avx2,fma")]
    pub(super) unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: the caller guarantees the instruction set.
        unsafe { kernel.run::<Avx512>() }
    }

    /// # Safety
    /// The processor has AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: the caller guarantees the instruction set.
        unsafe { kernel.run::<Avx2>() }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn select512(x: __m512, yes: __m512, no: __m512) -> __m512 {
        _mm512_mask_blend_ps(
            _mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, _mm512_setzero_ps()),
            no,
            yes,
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn select256(x: __m256, yes: __m256, no: __m256) -> __m256 {
        _mm256_blendv_ps(no, yes, _mm256_cmp_ps::<_CMP_GT_OQ>(x, _mm256_setzero_ps()))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn scale256(x: __m256, n: __m256) -> __m256 {
        let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
        _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent)))
    }

    /// Square transposition: pairs of rows, pairs of pairs, then blocks of four columns.
    ///
    /// # Safety
    /// As [`Vector::transpose`].
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn transpose512(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        // SAFETY: the caller gives sixteen readable and sixteen writable rows of sixteen values.
        unsafe {
            let mut quads = [_mm512_setzero_ps(); 16];
            for i in 0..4 {
                let row = |r: usize| _mm512_loadu_ps(from.add((4 * i + r) * from_step));
                let (a, b, c, d) = (row(0), row(1), row(2), row(3));
                let pair = |lo: bool, x: __m512, y: __m512| {
                    _mm512_castps_pd(if lo {
                        _mm512_unpacklo_ps(x, y)
                    } else {
                        _mm512_unpackhi_ps(x, y)
                    })
                };
                let (ab, cd) = (pair(true, a, b), pair(true, c, d));
                // Values 4 i .. 4 i + 4 of column r + 4 l in the l-th quarter of `quads[4 r + i]`.
                quads[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
                quads[4 + i] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
                let (ab, cd) = (pair(false, a, b), pair(false, c, d));
                quads[8 + i] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
                quads[12 + i] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
            }
            for r in 0..4 {
                let [a, b, c, d] = [
                    quads[4 * r],
                    quads[4 * r + 1],
                    quads[4 * r + 2],
                    quads[4 * r + 3],
                ];
                let even = _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b);
                let odd = _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b);
                let even2 = _mm512_shuffle_f32x4::<0b10_00_10_00>(c, d);
                let odd2 = _mm512_shuffle_f32x4::<0b11_01_11_01>(c, d);
                let out = |l: usize, x: __m512| _mm512_storeu_ps(to.add((r + 4 * l) * to_step), x);
                out(0, _mm512_shuffle_f32x4::<0b10_00_10_00>(even, even2));
                out(1, _mm512_shuffle_f32x4::<0b10_00_10_00>(odd, odd2));
                out(2, _mm512_shuffle_f32x4::<0b11_01_11_01>(even, even2));
                out(3, _mm512_shuffle_f32x4::<0b11_01_11_01>(odd, odd2));
            }
        }
    }

    /// As for AVX-512, with halves instead of quarters.
    ///
    /// # Safety
    /// As [`Vector::transpose`].
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn transpose256(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        // SAFETY: the caller gives eight readable and eight writable rows of eight values.
        unsafe {
            let mut quads = [_mm256_setzero_ps(); 8];
            for i in 0..2 {
                let row = |r: usize| _mm256_loadu_ps(from.add((4 * i + r) * from_step));
                let (a, b, c, d) = (row(0), row(1), row(2), row(3));
                let pair = |lo: bool, x: __m256, y: __m256| {
                    _mm256_castps_pd(if lo {
                        _mm256_unpacklo_ps(x, y)
                    } else {
                        _mm256_unpackhi_ps(x, y)
                    })
                };
                let (ab, cd) = (pair(true, a, b), pair(true, c, d));
                quads[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd));
                quads[2 + i] = _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd));
                let (ab, cd) = (pair(false, a, b), pair(false, c, d));
                quads[4 + i] = _mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd));
                quads[6 + i] = _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd));
            }
            for r in 0..4 {
                let (a, b) = (quads[2 * r], quads[2 * r + 1]);
                _mm256_storeu_ps(to.add(r * to_step), _mm256_permute2f128_ps::<0x20>(a, b));
                _mm256_storeu_ps(
                    to.add((r + 4) * to_step),
                    _mm256_permute2f128_ps::<0x31>(a, b),
                );
            }
        }
    }

    macro_rules! binary {
        ($($name:ident: $intrinsic:ident),*) => {
            $(
                #[inline(always)]
                unsafe fn $name(self, other: Self) -> Self {
                    // SAFETY: the trait's contract gives the instruction set.
                    Self(unsafe { $intrinsic(self.0, other.0) })
                }
            )*
        };
    }

    macro_rules! vector {
        ($name:ident, $lanes:literal, $wide:literal, $set1:ident, $loadu:ident, $storeu:ident, $fma:ident, $sqrt:ident, $select:ident, $scale:ident, $transpose:ident, $($binary:tt)*) => {
            impl Vector for $name {
                const LANES: usize = $lanes;
                const WIDE: bool = $wide;

                #[inline(always)]
                unsafe fn splat(x: f32) -> Self {
                    // SAFETY: the trait's contract gives the instruction set.
                    Self(unsafe { $set1(x) })
                }

                #[inline(always)]
                unsafe fn load(p: *const f32) -> Self {
                    // SAFETY: the contract gives instruction set and memory; the intrinsic needs no alignment.
                    Self(unsafe { $loadu(p) })
                }

                #[inline(always)]
                unsafe fn store(self, p: *mut f32) {
                    // SAFETY: the contract gives instruction set and memory; the intrinsic needs no alignment.
                    unsafe { $storeu(p, self.0) }
                }

                #[inline(always)]
                unsafe fn mul_add(self, a: Self, b: Self) -> Self {
                    // SAFETY: the trait's contract gives the instruction set.
                    Self(unsafe { $fma(self.0, a.0, b.0) })
                }

                #[inline(always)]
                unsafe fn sqrt(self) -> Self {
                    // SAFETY: the trait's contract gives the instruction set.
                    Self(unsafe { $sqrt(self.0) })
                }

                #[inline(always)]
                unsafe fn if_positive(self, yes: Self, no: Self) -> Self {
                    // SAFETY: the trait's contract gives the instruction set.
                    Self(unsafe { $select(self.0, yes.0, no.0) })
                }

                #[inline(always)]
                unsafe fn scale2(self, n: Self) -> Self {
                    // SAFETY: the trait's contract gives the instruction set.
                    Self(unsafe { $scale(self.0, n.0) })
                }

                #[inline(always)]
                unsafe fn transpose(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
                    // SAFETY: the contract gives instruction set and memory.
                    unsafe { $transpose(from, from_step, to, to_step) }
                }

                binary!($($binary)*);
            }
        };
    }

    vector!(
        Avx512, 16, true, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps, _mm512_sqrt_ps, select512, _mm512_scalef_ps, transpose512,
        add: _mm512_add_ps, sub: _mm512_sub_ps, mul: _mm512_mul_ps, div: _mm512_div_ps,
        max: _mm512_max_ps, min: _mm512_min_ps
    );
    vector!(
        Avx2, 8, false, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps, _mm256_sqrt_ps, select256, scale256, transpose256,
        add: _mm256_add_ps, sub: _mm256_sub_ps, mul: _mm256_mul_ps, div: _mm256_div_ps,
        max: _mm256_max_ps, min: _mm256_min_ps
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Transposes 16 x 16 values in squares of one vector.
    struct Transposed([[f32; 20]; 16]);

    impl Kernel for Transposed {
        type Output = [[f32; 18]; 16];

        #[inline(always)]
        unsafe fn run<V: Vector>(self) -> Self::Output {
            let mut to = [[0.0; 18]; 16];
            for i in (0..16).step_by(V::LANES) {
                for j in (0..16).step_by(V::LANES) {
                    // SAFETY: both squares lie inside of their arrays, whose rows are 20 and 18 values apart.
                    unsafe { V::transpose(&self.0[i][j], 20, &mut to[j][i], 18) };
                }
            }
            to
        }
    }

    fn check(to: [[f32; 18]; 16]) {
        for (j, row) in to.iter().enumerate() {
            for (i, value) in row.iter().enumerate() {
                assert_eq!(*value, if i < 16 { (i * 100 + j) as f32 } else { 0.0 });
            }
        }
    }

    #[test]
    fn squares_are_transposed() {
        let from: [[f32; 20]; 16] =
            std::array::from_fn(|i| std::array::from_fn(|j| (i * 100 + j) as f32));
        check(dispatch(Transposed(from)));
        // SAFETY: `Portable` runs everywhere.
        check(unsafe { Transposed(from).run::<Portable>() });
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: detected in the line above.
            check(unsafe { x86::run_avx2(Transposed(from)) });
        }
    }
}
