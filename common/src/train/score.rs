//! Scores of a whole epoch: accuracy, F1 and area under the ROC curve; of masks, intersection over union and Dice.
//!
//! Burn's metrics average one value per batch. For accuracy that is the same number, for F1 and AUC it is not (with the
//! batch of one example of section 2.4 both would be meaningless), and the book, like scikit-learn, scores
//! all predictions of an epoch together. Hence these three.

use serde::{Deserialize, Serialize};

/// A score of predicted classes against true ones, higher is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Score {
    /// Share of examples whose most likely class is the true one.
    Accuracy,
    /// F1 = 2PR / (P + R) of class 1 (binary), or the mean over the classes (macro) when there are more; section 2.4.
    F1,
    /// Area under the ROC curve of class 1 (binary), or the mean of each class against the rest.
    Auc,
    /// Intersection over union of the predicted and the true pixels, |A and B| / |A or B|; section 8.4.
    Iou,
    /// 2 |A and B| / (|A| + |B|) of the predicted and the true pixels: their F1.
    Dice,
}

impl Score {
    /// The name in the columns of a [`History`](super::History), as in `test accuracy`.
    pub fn name(self) -> &'static str {
        match self {
            Score::Accuracy => "accuracy",
            Score::F1 => "F1",
            Score::Auc => "AUC",
            Score::Iou => "IoU",
            Score::Dice => "Dice",
        }
    }

    /// The score of `predictions`; no number (NaN) where it is not defined, as AUC with one class only.
    pub fn of(self, predictions: &Predictions) -> f64 {
        match self {
            Score::Accuracy => predictions.running_accuracy().unwrap_or(f64::NAN),
            Score::F1 => predictions.f1(),
            Score::Auc => predictions.auc(),
            Score::Iou => predictions.overlap.iou(),
            Score::Dice => predictions.overlap.dice(),
        }
    }
}

/// How many pixels are both predicted and true, predicted, and true.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overlap {
    /// |A and B|
    pub both: f64,
    /// |A|
    pub predicted: f64,
    /// |B|
    pub actual: f64,
}

impl Overlap {
    /// Intersection over union; 1 where nothing is predicted and nothing is there.
    pub fn iou(self) -> f64 {
        match self.predicted + self.actual - self.both {
            0.0 => 1.0,
            union => self.both / union,
        }
    }

    /// Twice the intersection over the sum; 1 where nothing is predicted and nothing is there.
    pub fn dice(self) -> f64 {
        match self.predicted + self.actual {
            0.0 => 1.0,
            sum => 2.0 * self.both / sum,
        }
    }
}

impl std::ops::AddAssign for Overlap {
    fn add_assign(&mut self, other: Self) {
        self.both += other.both;
        self.predicted += other.predicted;
        self.actual += other.actual;
    }
}

/// The logits and true labels of an epoch, gathered batch by batch.
#[derive(Clone, Debug, Default)]
pub struct Predictions {
    classes: usize,
    logits: Vec<f32>, // [n, classes], row-major
    labels: Vec<usize>,
    right: usize,
    overlap: Overlap,
}

impl Predictions {
    /// Adds a batch: `logits` row-major [n, classes] and n labels.
    pub fn extend(&mut self, logits: &[f32], labels: impl IntoIterator<Item = usize>) {
        let before = self.labels.len();
        self.labels.extend(labels);
        let added = self.labels.len() - before;
        if let Some(classes) = logits.len().checked_div(added) {
            self.classes = classes;
        }
        let rows = logits.chunks_exact(self.classes.max(1));
        let of_batch = rows.zip(&self.labels[before..]);
        self.right += of_batch
            .filter(|(row, label)| argmax(row) == **label)
            .count();
        self.logits.extend_from_slice(logits);
    }

    /// Adds the pixels of a batch of masks.
    pub fn extend_overlap(&mut self, overlap: Overlap) {
        self.overlap += overlap;
    }

    /// Accuracy of what was added so far; none before the first example.
    pub fn running_accuracy(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.right as f64 / self.len() as f64)
    }

    /// How many examples were added.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    fn rows(&self) -> impl Iterator<Item = (&[f32], usize)> {
        self.logits
            .chunks_exact(self.classes.max(1))
            .zip(self.labels.iter().copied())
    }

    fn f1(&self) -> f64 {
        let of_class = |class: usize| {
            let (mut hits, mut predicted, mut actual) = (0.0, 0.0, 0.0);
            for (row, label) in self.rows() {
                let says = argmax(row) == class;
                let is = label == class;
                hits += f64::from(u8::from(says && is));
                predicted += f64::from(u8::from(says));
                actual += f64::from(u8::from(is));
            }
            // 2PR / (P + R) with P = hits / predicted and R = hits / actual; 0 if neither occurs, as in scikit-learn.
            if predicted + actual == 0.0 {
                0.0
            } else {
                2.0 * hits / (predicted + actual)
            }
        };
        if self.classes <= 2 {
            of_class(1)
        } else {
            (0..self.classes).map(of_class).sum::<f64>() / self.classes as f64
        }
    }

    fn auc(&self) -> f64 {
        let of_class = |class: usize| {
            let ranked = self
                .rows()
                .map(|(row, label)| (probability(row, class), label == class));
            area_under_roc(ranked.collect())
        };
        if self.classes <= 2 {
            of_class(1)
        } else {
            (0..self.classes).map(of_class).sum::<f64>() / self.classes as f64
        }
    }
}

fn argmax(row: &[f32]) -> usize {
    let mut best = 0;
    for (class, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = class;
        }
    }
    best
}

/// softmax(row)[class], in f64.
fn probability(row: &[f32], class: usize) -> f64 {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|value| f64::from(value - top).exp()).sum();
    row.get(class)
        .map_or(f64::NAN, |value| f64::from(value - top).exp() / sum)
}

/// Chance that a positive example is ranked above a negative one, ties counted half (Mann-Whitney).
fn area_under_roc(mut ranked: Vec<(f64, bool)>) -> f64 {
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = ranked.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = ranked.len() as f64 - positives;
    let mut wins = 0.0;
    let mut below = 0.0; // negatives with a lower score
    for tie in ranked.chunk_by(|a, b| a.0 == b.0) {
        let up = tie.iter().filter(|(_, positive)| *positive).count() as f64;
        let down = tie.len() as f64 - up;
        wins += up * (below + down / 2.0);
        below += down;
    }
    wins / (positives * negatives)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions(scores: &[f32], labels: &[usize]) -> Predictions {
        let mut all = Predictions::default();
        for (score, label) in scores.iter().zip(labels) {
            all.extend(&[0.0, *score], [*label]);
        }
        all
    }

    #[test]
    fn binary_scores_equal_scikit_learn() {
        // accuracy_score, f1_score and roc_auc_score of scikit-learn on the same ten examples.
        let scores = [0.3, -1.2, 2.0, 0.1, -0.4, 0.9, -0.2, 1.1, -3.0, 0.3];
        let labels = [1, 0, 1, 0, 1, 1, 0, 0, 0, 1];
        let all = predictions(&scores, &labels);
        assert!((Score::Accuracy.of(&all) - 0.7).abs() < 1e-12);
        assert!((Score::F1.of(&all) - 8.0 / 11.0).abs() < 1e-12);
        assert!((Score::Auc.of(&all) - 0.76).abs() < 1e-12);
    }

    #[test]
    fn ties_count_half_and_one_class_has_no_auc() {
        assert_eq!(Score::Auc.of(&predictions(&[0.5, 0.5], &[0, 1])), 0.5);
        assert!(Score::Auc.of(&predictions(&[0.5, 0.7], &[1, 1])).is_nan());
    }

    #[test]
    fn masks_are_scored_over_all_pixels() {
        let mut all = Predictions::default();
        for (both, predicted, actual) in [(1.0, 2.0, 2.0), (3.0, 4.0, 5.0)] {
            all.extend_overlap(Overlap {
                both,
                predicted,
                actual,
            });
        }
        assert_eq!(Score::Iou.of(&all), 4.0 / 9.0);
        assert_eq!(Score::Dice.of(&all), 8.0 / 13.0);
        let nothing = Predictions::default();
        assert_eq!(Score::Iou.of(&nothing), 1.0);
        assert_eq!(Score::Dice.of(&nothing), 1.0);
    }

    #[test]
    fn many_classes_are_averaged() {
        let mut all = Predictions::default();
        all.extend(
            &[
                2.0, 0.0, 0.0, /**/ 0.0, 2.0, 0.0, /**/ 0.0, 2.0, 0.0, /**/ 0.0,
                0.0, 2.0,
            ],
            [0, 1, 2, 2],
        );
        assert_eq!(Score::Accuracy.of(&all), 0.75);
        // per class: 1, 2/3, 2/3
        assert!((Score::F1.of(&all) - (1.0 + 2.0 / 3.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
    }
}
