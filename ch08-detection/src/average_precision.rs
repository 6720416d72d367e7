//! How good a detector is: mean average precision as COCO defines it (pycocotools; Lin et al. 2014).
//!
//! For a class and an IoU threshold, the detections of all pictures are taken in the order of their scores; each is right if it overlaps
//! an object of its class, that no better detection has taken, by at least the threshold. Precision against recall gives a curve, which is
//! made to fall and read at 101 recalls: their mean is the average precision.

use crate::boxes::BoundingBox;
use crate::roi_heads::{Detection, Object};

/// Detections of a picture and class that count.
const MOST: usize = 100;
/// Recalls at which precision is read: 0, 0.01, ..., 1.
const RECALLS: usize = 101;

/// The IoU thresholds of COCO: 0.5, 0.55, ..., 0.95, to the last bit those of pycocotools.
pub fn thresholds() -> [f64; 10] {
    let step = (0.95 - 0.5) / 9.0;
    std::array::from_fn(|i| if i == 9 { 0.95 } else { i as f64 * step + 0.5 })
}

/// Average precisions of a detector.
#[derive(Clone, Debug, PartialEq)]
pub struct AveragePrecision {
    /// For each class of which there are objects its label and its average precision at each of [`thresholds`].
    pub classes: Vec<(usize, [f64; 10])>,
}

impl AveragePrecision {
    /// Mean over classes and thresholds: "AP".
    pub fn mean(&self) -> f64 {
        mean(self.classes.iter().flat_map(|(_, of)| of.iter().copied()))
    }

    /// Mean over classes at threshold `i` of [`thresholds`]: "AP50" for 0, "AP75" for 5.
    pub fn at(&self, i: usize) -> f64 {
        mean(self.classes.iter().map(|(_, of)| of[i]))
    }

    /// Average precision of the class of this label at IoU 0.5; NaN if there is no object of it.
    pub fn of_class(&self, label: usize) -> f64 {
        let class = self.classes.iter().find(|(of, _)| *of == label);
        class.map_or(f64::NAN, |(_, of)| of[0])
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, n), v| (sum + v, n + 1));
    sum / f64::from(count)
}

/// The average precisions of detections on pictures with known objects, both picture by picture.
pub fn average_precision(
    detections: &[Vec<Detection>],
    objects: &[Vec<Object>],
) -> AveragePrecision {
    let mut labels: Vec<usize> = objects.iter().flatten().map(|o| o.label).collect();
    labels.sort_unstable();
    labels.dedup();
    let class = |label| (label, of_class(label, detections, objects));
    AveragePrecision {
        classes: labels.into_iter().map(class).collect(),
    }
}

fn of_class(label: usize, detections: &[Vec<Detection>], objects: &[Vec<Object>]) -> [f64; 10] {
    let mut total = 0;
    // Score, and at which thresholds it is right.
    let mut found: Vec<(f32, [bool; 10])> = Vec::new();
    for (detections, objects) in detections.iter().zip(objects) {
        let objects = objects.iter().filter(|o| o.label == label);
        let objects: Vec<BoundingBox> = objects.map(|o| o.corners).collect();
        total += objects.len();
        let of_label = detections.iter().filter(|d| d.label == label);
        let mut of_label: Vec<Detection> = of_label.copied().collect();
        of_label.sort_by(|a, b| b.score.total_cmp(&a.score));
        of_label.truncate(MOST);
        let right = thresholds().map(|threshold| right(&of_label, &objects, threshold));
        for (i, detection) in of_label.iter().enumerate() {
            found.push((detection.score, std::array::from_fn(|t| right[t][i])));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    std::array::from_fn(|t| curve(found.iter().map(|(_, right)| right[t]), total))
}

/// Which detections of a picture, the best first, are right: each takes the object that it overlaps most of those left.
fn right(detections: &[Detection], objects: &[BoundingBox], threshold: f64) -> Vec<bool> {
    let mut taken = vec![false; objects.len()];
    let judge = |detection: &Detection| {
        let mut best = (threshold.min(1.0 - 1e-10), None);
        for (i, object) in objects.iter().enumerate() {
            let overlap = iou(detection.corners, *object);
            if !taken[i] && overlap >= best.0 {
                best = (overlap, Some(i));
            }
        }
        if let Some(i) = best.1 {
            taken[i] = true;
        }
        best.1.is_some()
    };
    detections.iter().map(judge).collect()
}

/// In double precision: whether an overlap is above a threshold must not depend on rounding.
fn iou(a: BoundingBox, b: BoundingBox) -> f64 {
    let (a, b) = (a.map(f64::from), b.map(f64::from));
    let area = |c: [f64; 4]| (c[2] - c[0]) * (c[3] - c[1]);
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let both = width * height;
    both / (area(a) + area(b) - both)
}

/// The mean of precision at 101 recalls, for detections in the order of their scores and so many objects.
fn curve(right: impl Iterator<Item = bool>, objects: usize) -> f64 {
    let (mut precision, mut recall) = (Vec::new(), Vec::new());
    let mut hits = 0.0;
    for (i, right) in right.enumerate() {
        hits += f64::from(u8::from(right));
        precision.push(hits / ((i + 1) as f64 + f64::EPSILON));
        recall.push(hits / objects as f64);
    }
    for i in (1..precision.len()).rev() {
        precision[i - 1] = precision[i - 1].max(precision[i]);
    }
    let at = |i: usize| {
        let wanted = i as f64 * 0.01;
        let place = recall.partition_point(|r| *r < wanted);
        precision.get(place).copied().unwrap_or(0.0)
    };
    mean((0..RECALLS).map(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perfect_late_and_missing_detections() {
        let corners = [10.0, 10.0, 20.0, 20.0];
        let object = Object { corners, label: 3 };
        let found = |score, corners| Detection {
            corners,
            label: 3,
            score,
        };
        let of =
            |detections: &[Detection]| average_precision(&[detections.to_vec()], &[vec![object]]);
        let near = |found: f64, want: f64| assert!((found - want).abs() < 1e-12, "{found}");
        near(of(&[found(0.4, corners)]).mean(), 1.0);
        near(of(&[]).mean(), 0.0);
        let elsewhere = found(0.9, [50.0, 50.0, 60.0, 60.0]);
        near(of(&[found(0.4, corners), elsewhere]).mean(), 0.5);
        // IoU 0.8: right at seven of ten thresholds.
        let shifted = of(&[found(0.4, [10.0, 10.0, 20.0, 18.0])]);
        near(shifted.mean(), 0.7);
        near(shifted.at(0), 1.0);
        near(shifted.at(7), 0.0);
        // A second detection of the same object is wrong, but later.
        near(of(&[found(0.4, corners), found(0.3, corners)]).mean(), 1.0);
        assert!(of(&[]).of_class(9).is_nan());
    }
}
