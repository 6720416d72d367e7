//! Elementary functions on vectors.

use super::simd::Vector;

/// e^x to about 2 units in the last place; 0 below -87, the largest power below overflow above 88.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, and the polynomial for e^r of Cephes' `expf`.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn exp<V: Vector>(x: V) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        let c = |v: f32| V::splat(v);
        // The bound comes first: the result of a comparison with NaN is the second operand, here NaN itself.
        let x = c(-87.3).max(c(88.3).min(x));
        // Adding and taking away 1.5 * 2^23 rounds to a whole number.
        let n = x
            .mul_add(c(std::f32::consts::LOG2_E), c(12_582_912.0))
            .sub(c(12_582_912.0));
        // ln 2 in two parts, of which the first has few bits, so that n * ln 2 is exact.
        let r = n.mul_add(c(-0.693_359_4), x);
        let r = n.mul_add(c(2.121_944_4e-4), r);
        let mut p = c(1.987_569_1e-4);
        for k in [
            1.398_199_9e-3,
            8.333_452e-3,
            4.166_579_6e-2,
            1.666_666_5e-1,
            0.5,
        ] {
            p = p.mul_add(r, c(k));
        }
        p.mul_add(r.mul(r), r).add(c(1.0)).scale2(n)
    }
}

/// tanh x to about 4 units in the last place: the rational approximation of Eigen and XLA, odd over even.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn tanh<V: Vector>(x: V) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        let c = |v: f32| V::splat(v);
        // Beyond this bound the result is 1 in f32. Bounds first, so that NaN stays NaN.
        let x = c(-7.905_311).max(c(7.905_311).min(x));
        let square = x.mul(x);
        let mut p = c(-2.760_768_5e-16);
        for k in [
            2.000_188e-13,
            -8.604_672e-11,
            5.122_297e-8,
            1.485_722_4e-5,
            6.372_619_3e-4,
            4.893_524_6e-3,
        ] {
            p = p.mul_add(square, c(k));
        }
        let mut q = c(1.198_258_4e-6);
        for k in [1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3] {
            q = q.mul_add(square, c(k));
        }
        x.mul(p).div(q)
    }
}

/// 1 / (1 + e^-x)
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn sigmoid<V: Vector>(x: V) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        let one = V::splat(1.0);
        one.div(one.add(exp(V::splat(0.0).sub(x))))
    }
}

/// ln(1 + x) for x in \[0, 1\], to about 1e-7: 2 artanh(x / (2 + x)) by its series.
///
/// # Safety
/// The processor has the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn ln_1p<V: Vector>(x: V) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        let c = |v: f32| V::splat(v);
        let z = x.div(x.add(c(2.0))); // at most 1/3
        let square = z.mul(z);
        let mut p = c(2.0 / 15.0);
        for k in [13.0f32, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
            p = p.mul_add(square, c(2.0 / k));
        }
        p.mul(z)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::{Kernel, dispatch};

    /// exp, tanh and sigmoid of one number.
    struct All(f32);

    impl Kernel for All {
        type Output = [f32; 3];

        #[inline(always)]
        unsafe fn run<V: Vector>(self) -> [f32; 3] {
            let mut out = [[0.0f32; 16]; 3];
            // SAFETY: each array has room for the largest vector.
            unsafe {
                let x = V::splat(self.0);
                exp(x).store(out[0].as_mut_ptr());
                tanh(x).store(out[1].as_mut_ptr());
                sigmoid(x).store(out[2].as_mut_ptr());
            }
            out.map(|o| o[0])
        }
    }

    #[test]
    fn functions_agree_with_f64() {
        let mut x = -87.0f32;
        while x < 87.0 {
            let exact = f64::from(x);
            let want = [exact.exp(), exact.tanh(), 1.0 / (1.0 + (-exact).exp())];
            for ((name, got), want) in ["exp", "tanh", "sigmoid"]
                .iter()
                .zip(dispatch(All(x)))
                .zip(want)
            {
                let error = (f64::from(got) / want - 1.0).abs();
                assert!(error < 1e-6, "{name}({x}) = {got}, not {want}");
            }
            x += 0.003_7;
        }
        for tiny in [1e-30f32, -1e-10, 1e-5] {
            let [e, t, s] = dispatch(All(tiny));
            assert!(
                (e - 1.0 - tiny).abs() < 1e-6
                    && (t / tiny - 1.0).abs() < 1e-6
                    && (s - 0.5).abs() < 1e-5
            );
        }
    }

    struct Ln1p(f32);

    impl Kernel for Ln1p {
        type Output = f32;

        #[inline(always)]
        unsafe fn run<V: Vector>(self) -> f32 {
            let mut out = [0.0f32; 16];
            // SAFETY: the array has room for the largest vector.
            unsafe { ln_1p(V::splat(self.0)).store(out.as_mut_ptr()) };
            out[0]
        }
    }

    #[test]
    fn ln_1p_agrees_with_f64() {
        for x in (0..=1000).map(|i| i as f32 / 1000.0).chain([1e-30, 1e-8]) {
            let (got, want) = (dispatch(Ln1p(x)), f64::from(x).ln_1p());
            assert!(
                (f64::from(got) - want).abs() <= 3e-7 * want,
                "ln(1 + {x}) = {got}, not {want}"
            );
        }
    }

    #[test]
    fn functions_end_at_their_limits() {
        let near = |a: f32, b: f32| (a - b).abs() < 4e-7;
        let [_, t, s] = dispatch(All(f32::INFINITY));
        assert!(near(t, 1.0) && near(s, 1.0), "{t} {s}");
        let [e, t, s] = dispatch(All(f32::NEG_INFINITY));
        assert!(near(e, 0.0) && near(t, -1.0) && near(s, 0.0), "{e} {t} {s}");
        assert!(dispatch(All(f32::NAN)).iter().all(|v| v.is_nan()));
    }
}
