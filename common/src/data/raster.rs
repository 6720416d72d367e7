//! Filled polygons on a grey picture, for the sets that are drawn by code.

/// Lines scanned per row of pixels.
const LINES: usize = 4;

/// A grey picture that is drawn on; values in \[0, 1\], row-major.
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: Vec<f32>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            values: vec![0.0; width * height],
        }
    }

    /// Paints the inside of a polygon (even-odd rule) given in pixels; `shade(x, y)` is its grey value. Edges are soft: a pixel
    /// that is covered in part is painted in part.
    pub(super) fn fill(&mut self, corners: &[[f32; 2]], shade: impl Fn(f32, f32) -> f32) {
        let mut coverage = vec![0.0_f32; self.width];
        let mut crossings = Vec::new();
        for row in 0..self.height {
            coverage.fill(0.0);
            for line in 0..LINES {
                let y = row as f32 + (line as f32 + 0.5) / LINES as f32;
                crossings.clear();
                for (i, &[ax, ay]) in corners.iter().enumerate() {
                    let [bx, by] = corners[(i + 1) % corners.len()];
                    if (ay <= y) != (by <= y) {
                        crossings.push(ax + (bx - ax) * (y - ay) / (by - ay));
                    }
                }
                crossings.sort_by(f32::total_cmp);
                for pair in crossings.chunks_exact(2) {
                    add_span(&mut coverage, pair[0], pair[1]);
                }
            }
            for (column, &covered) in coverage.iter().enumerate() {
                if covered > 0.0 {
                    let alpha = (covered / LINES as f32).min(1.0);
                    let value = &mut self.values[row * self.width + column];
                    let shade = shade(column as f32 + 0.5, row as f32 + 0.5);
                    *value += alpha * (shade.clamp(0.0, 1.0) - *value);
                }
            }
        }
    }
}

/// Adds to each pixel of a row the share of it between `left` and `right`.
fn add_span(coverage: &mut [f32], left: f32, right: f32) {
    let width = coverage.len() as f32;
    let (left, right) = (left.clamp(0.0, width), right.clamp(0.0, width));
    for column in left as usize..(right.ceil() as usize).min(coverage.len()) {
        let x = column as f32;
        coverage[column] += (right.min(x + 1.0) - left.max(x)).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_covers_its_area() {
        let mut canvas = Canvas::new(6, 5);
        let corners = [[1.5, 1.0], [4.25, 1.0], [4.25, 3.5], [1.5, 3.5]];
        canvas.fill(&corners, |_, _| 1.0);
        let area: f32 = canvas.values.iter().sum();
        assert!((area - 2.75 * 2.5).abs() < 1e-4, "{area}");
        assert_eq!(canvas.values[6..12], [0.0, 0.5, 1.0, 1.0, 0.25, 0.0]);
    }

    #[test]
    fn a_polygon_may_reach_beyond_the_picture() {
        let mut canvas = Canvas::new(3, 3);
        canvas.fill(
            &[[-9.0, -9.0], [9.0, -9.0], [9.0, 9.0], [-9.0, 9.0]],
            |_, _| 2.0,
        );
        assert!(canvas.values.iter().all(|&value| value == 1.0));
    }
}
