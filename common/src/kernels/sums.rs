//! Sums of many numbers.

/// The sum in `f64`.
#[inline(always)]
pub(crate) fn sum(values: &[f32]) -> f64 {
    let (eights, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0f64; 8];
    for eight in eights {
        for i in 0..8 {
            lanes[i] += f64::from(eight[i]);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|v| f64::from(*v)).sum::<f64>()
}
