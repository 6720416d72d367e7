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
        ($name:ident, $lanes:literal, $wide:literal, $set1:ident, $loadu:ident, $storeu:ident, $fma:ident, $sqrt:ident, $select:ident, $scale:ident, $($binary:tt)*) => {
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

                binary!($($binary)*);
            }
        };
    }

    vector!(
        Avx512, 16, true, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps, _mm512_sqrt_ps, select512, _mm512_scalef_ps,
        add: _mm512_add_ps, sub: _mm512_sub_ps, mul: _mm512_mul_ps, div: _mm512_div_ps,
        max: _mm512_max_ps, min: _mm512_min_ps
    );
    vector!(
        Avx2, 8, false, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps, _mm256_sqrt_ps, select256, scale256,
        add: _mm256_add_ps, sub: _mm256_sub_ps, mul: _mm256_mul_ps, div: _mm256_div_ps,
        max: _mm256_max_ps, min: _mm256_min_ps
    );
}
