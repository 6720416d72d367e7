//! Which candidate box stands for which object, and which of them are trained on (section 8.4).

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::boxes::{BoundingBox, iou};

/// What a candidate stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The object of this number.
    Object(usize),
    /// No object.
    Background,
    /// Something between: not trained on.
    Ignored,
}

/// How candidates are matched with objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matcher {
    /// From this IoU on a candidate stands for the object.
    pub object: f32,
    /// Below this IoU it is background.
    pub background: f32,
    /// Whether the best candidate of an object stands for the one that it overlaps most, however little that is. Otherwise an object
    /// of an unusual size might have none.
    pub best_counts: bool,
}

impl Matcher {
    /// What each of the candidates stands for; all for background if there is no object.
    pub fn matches(&self, objects: &[BoundingBox], candidates: &[BoundingBox]) -> Vec<Match> {
        if objects.is_empty() {
            return vec![Match::Background; candidates.len()];
        }
        let mut best_of_object = vec![f32::NEG_INFINITY; objects.len()];
        let mut nearest = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let mut best = (0, f32::NEG_INFINITY);
            for (i, object) in objects.iter().enumerate() {
                let overlap = iou(*object, *candidate);
                best_of_object[i] = best_of_object[i].max(overlap);
                if overlap > best.1 {
                    best = (i, overlap);
                }
            }
            nearest.push(best);
        }
        let matched = candidates.iter().zip(nearest);
        let matched = matched.map(|(candidate, (i, overlap))| {
            let is_best = |(object, best): (&BoundingBox, &f32)| iou(*object, *candidate) == *best;
            let rescued = || objects.iter().zip(&best_of_object).any(is_best);
            if overlap >= self.object || self.best_counts && rescued() {
                Match::Object(i)
            } else if overlap < self.background {
                Match::Background
            } else {
                Match::Ignored
            }
        });
        matched.collect()
    }
}

/// Draws `count` candidates, at most this part of them objects and the others background; fewer of either if there are not so many.
/// Gives the numbers of the objects and of the background, each in ascending order.
pub fn sample(
    matches: &[Match],
    count: usize,
    objects: f32,
    rng: &mut ChaCha8Rng,
) -> (Vec<usize>, Vec<usize>) {
    let numbers = |wanted: fn(&Match) -> bool| {
        let all = matches.iter().enumerate();
        all.filter(|(_, m)| wanted(m))
            .map(|(i, _)| i)
            .collect::<Vec<_>>()
    };
    let mut draw = |mut from: Vec<usize>, most: usize| {
        if from.len() > most {
            from.shuffle(rng);
            from.truncate(most);
            from.sort_unstable();
        }
        from
    };
    let most = (count as f32 * objects) as usize;
    let positive = draw(numbers(|m| matches!(m, Match::Object(_))), most);
    let left = count - positive.len();
    let negative = draw(numbers(|m| *m == Match::Background), left);
    (positive, negative)
}
