//! Filters made by hand, and the convolution that applies them (section 3.2).

/// Each pixel becomes the mean of its 3x3 neighbourhood.
pub const BLUR: [[f32; 3]; 3] = [[1.0 / 9.0; 3]; 3];

/// What differs from its eight neighbours.
pub const EDGE: [[f32; 3]; 3] = [[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]];

/// What is dark above and light below, as the flipped kernel sees it.
pub const HORIZONTAL_EDGE: [[f32; 3]; 3] = [[-1.0, -1.0, -1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]];

/// The full 2-D convolution of an image [height, width] with a k x k kernel: [height + k - 1, width + k - 1], where the image is 0
/// outside.
///
/// out\[i, j\] = sum over u, v of image\[i - u, j - v\] kernel\[u, v\]. This is convolution proper, with the kernel flipped; the layer of
/// a network slides the kernel as it is (cross-correlation), which makes no difference to a kernel that is learned.
///
/// # Panics
/// If `image` holds fewer than `height * width` values.
pub fn convolve2d<const K: usize>(
    image: &[f32],
    height: usize,
    width: usize,
    kernel: &[[f32; K]; K],
) -> Vec<f32> {
    let out_width = width + K - 1;
    let mut out = vec![0.0; (height + K - 1) * out_width];
    for y in 0..height {
        for x in 0..width {
            let pixel = image[y * width + x];
            for (u, row) in kernel.iter().enumerate() {
                for (v, weight) in row.iter().enumerate() {
                    out[(y + u) * out_width + x + v] += pixel * weight;
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pixel_becomes_the_kernel() {
        let kernel = [[1.0, 2.0], [3.0, 4.0]];
        assert_eq!(
            convolve2d(&[0.0, 2.0], 1, 2, &kernel),
            [0.0, 2.0, 4.0, 0.0, 6.0, 8.0]
        );
    }

    #[test]
    fn the_values_are_scipys() {
        // scipy.signal.convolve2d(numpy.arange(6).reshape(2, 3), [[-1,-1,-1],[0,0,0],[1,1,1]])
        let image: Vec<f32> = (0..6).map(|i| i as f32).collect();
        let want = [
            -0.0, -1.0, -3.0, -3.0, -2.0, -3.0, -7.0, -12.0, -9.0, -5.0, 0.0, 1.0, 3.0, 3.0, 2.0,
            3.0, 7.0, 12.0, 9.0, 5.0,
        ];
        assert_eq!(convolve2d(&image, 2, 3, &HORIZONTAL_EDGE), want);
    }

    #[test]
    fn a_flat_image_is_blurred_to_itself_and_has_no_edge_inside() {
        let flat = [0.5; 25];
        let inside = |out: Vec<f32>| out[3 * 7 + 3];
        assert!((inside(convolve2d(&flat, 5, 5, &BLUR)) - 0.5).abs() < 1e-6);
        assert_eq!(inside(convolve2d(&flat, 5, 5, &EDGE)), 0.0);
    }
}
