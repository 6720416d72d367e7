//! Boxes as differences from other boxes: what the networks predict (section 8.4; Ren et al. 2015).

use crate::boxes::{BoundingBox, size};

/// The largest predicted logarithm of a width: 62.5 times as wide is an error of the network.
fn largest() -> f32 {
    (1000.0f32 / 16.0).ln()
}

/// How differences are scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxCoder {
    /// Factors of (dx, dy, dw, dh).
    pub weights: [f32; 4],
}

impl BoxCoder {
    /// What brings `from` to `to`: dx = (x' - x) / w and dy = (y' - y) / h of the centres, dw = ln(w' / w) and dh = ln(h' / h), each
    /// times its weight.
    pub fn encode(&self, to: BoundingBox, from: BoundingBox) -> [f32; 4] {
        let ([w, h], [w2, h2]) = (size(from), size(to));
        let ([x, y], [x2, y2]) = (centre(from), centre(to));
        let [wx, wy, ww, wh] = self.weights;
        [
            wx * (x2 - x) / w,
            wy * (y2 - y) / h,
            ww * (w2 / w).ln(),
            wh * (h2 / h).ln(),
        ]
    }

    /// The box to which these differences bring `from`.
    pub fn decode(&self, deltas: [f32; 4], from: BoundingBox) -> BoundingBox {
        let ([w, h], [x, y]) = (size(from), centre(from));
        let [dx, dy, dw, dh] = [0, 1, 2, 3].map(|i| deltas[i] / self.weights[i]);
        let (x, y) = (dx * w + x, dy * h + y);
        let [w, h] = [(dw, w), (dh, h)].map(|(d, length)| d.min(largest()).exp() * length);
        [x - 0.5 * w, y - 0.5 * h, x + 0.5 * w, y + 0.5 * h]
    }
}

fn centre(corners: BoundingBox) -> [f32; 2] {
    let [w, h] = size(corners);
    [corners[0] + 0.5 * w, corners[1] + 0.5 * h]
}
