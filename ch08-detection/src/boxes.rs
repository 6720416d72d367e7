//! Boxes: area, overlap, and suppressing the worse of boxes that overlap (section 8.4).

/// x and y of the upper left corner, x and y of the lower right one, in pixels.
pub type BoundingBox = [f32; 4];

/// Width and height.
pub fn size([x1, y1, x2, y2]: BoundingBox) -> [f32; 2] {
    [x2 - x1, y2 - y1]
}

/// Width times height.
pub fn area(corners: BoundingBox) -> f32 {
    let [width, height] = size(corners);
    width * height
}

/// Intersection over union: |A and B| / |A or B|.
pub fn iou(a: BoundingBox, b: BoundingBox) -> f32 {
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let both = width * height;
    both / (area(a) + area(b) - both)
}

/// The part of a box that is on a picture of this height and width.
pub fn clip(corners: BoundingBox, [height, width]: [f32; 2]) -> BoundingBox {
    let [x1, y1, x2, y2] = corners;
    let (x, y) = (|v: f32| v.clamp(0.0, width), |v: f32| v.clamp(0.0, height));
    [x(x1), y(y1), x(x2), y(y2)]
}

/// Non-maximum suppression: takes the box with the highest score, drops all that overlap it by more than `threshold`, and so on. Gives
/// the numbers of the boxes that stay, the best first.
///
/// A box belongs to a group (a class, a level of a feature pyramid) and is dropped only for one of its own group.
///
/// # Panics
/// If there are fewer scores or groups than boxes.
pub fn batched_nms(
    boxes: &[BoundingBox],
    scores: &[f32],
    groups: &[usize],
    threshold: f32,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..boxes.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut kept: Vec<usize> = Vec::new();
    for i in order {
        let mut better = kept.iter().filter(|&&k| groups[k] == groups[i]);
        if !better.any(|&k| iou(boxes[k], boxes[i]) > threshold) {
            kept.push(i);
        }
    }
    kept
}

/// [`batched_nms`] of boxes that are all of one group.
///
/// # Panics
/// If there are fewer scores than boxes.
pub fn nms(boxes: &[BoundingBox], scores: &[f32], threshold: f32) -> Vec<usize> {
    batched_nms(boxes, scores, &vec![0; boxes.len()], threshold)
}
