//! Products against their definition.

use super::*;

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count)
        .map(|i| (((i + seed) * 7919) % 1009) as f32 / 504.0 - 1.0)
        .collect()
}

#[test]
fn products_follow_the_definition() {
    let sizes = [
        (1, 1, 1),
        (1, 5, 3),
        (3, 1, 0),
        (0, 4, 2),
        (8, 48, 16),
        (9, 49, 513),
        (33, 10, 4000),
        (200, 7, 31),
        (17, 130, 1025),
        (70, 300, 64),
    ];
    for (rows, cols, terms) in sizes {
        let (x, y, bias) = (
            numbers(rows * terms, 1),
            numbers(terms * cols, 5),
            numbers(cols, 3),
        );
        let mut want = vec![0.0f64; rows * cols];
        for r in 0..rows {
            for c in 0..cols {
                let terms =
                    (0..terms).map(|t| f64::from(x[r * terms + t]) * f64::from(y[t * cols + c]));
                want[r * cols + c] = f64::from(bias[c]) + terms.sum::<f64>();
            }
        }
        let transpose = |values: &[f32], rows: usize, cols: usize| -> Vec<f32> {
            (0..rows * cols)
                .map(|i| values[i % rows * cols + i / rows])
                .collect()
        };
        let (xt, yt) = (transpose(&x, rows, terms), transpose(&y, terms, cols));
        for a in [
            Matrix::new(&x, rows, terms),
            Matrix::new(&xt, terms, rows).transposed(),
        ] {
            for b in [
                Matrix::new(&y, terms, cols),
                Matrix::new(&yt, cols, terms).transposed(),
            ] {
                let got = matmul(a, b, &bias);
                assert_eq!(got.len(), want.len());
                for (i, (g, w)) in got.iter().zip(&want).enumerate() {
                    let close = (f64::from(*g) - w).abs() <= 1e-5 * (1.0 + terms as f64).sqrt();
                    assert!(close, "{rows} x {terms} x {cols}, value {i}: {g}, not {w}");
                }
            }
        }
    }
}

#[test]
fn columns_are_summed() {
    for (rows, cols) in [(0, 3), (1, 1), (7, 5), (70_000, 9)] {
        let values = numbers(rows * cols, 2);
        let sums = column_sums(&values, cols);
        assert_eq!(sums.len(), cols);
        for (c, sum) in sums.iter().enumerate() {
            let want: f64 = (0..rows).map(|r| f64::from(values[r * cols + c])).sum();
            assert!((f64::from(*sum) - want).abs() < 1e-2, "{sum}, not {want}");
        }
    }
}
