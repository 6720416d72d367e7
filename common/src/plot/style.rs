//! The look that all figures share.

use super::canvas::Rgb;

/// Colours that readers with any kind of colour vision tell apart (Okabe and Ito 2008), dark enough on white; the sixth is their pink.
pub(super) const SERIES: [Rgb; 7] = [
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (230, 159, 0),
    (90, 90, 90),
];

/// Colours of classes, as many as there are digits, also told apart with any kind of colour vision (Tol 2021, "muted").
const CLASSES: [Rgb; 10] = [
    (51, 34, 136),
    (221, 170, 51),
    (17, 119, 51),
    (204, 102, 119),
    (102, 190, 230),
    (136, 34, 85),
    (68, 170, 153),
    (120, 120, 120),
    (170, 68, 153),
    (153, 153, 51),
];

/// Text and axes.
pub(super) const INK: Rgb = (40, 40, 40);
/// Text that is less important.
pub(super) const FAINT: Rgb = (100, 100, 100);
/// Grid lines.
pub(super) const GRID: Rgb = (228, 228, 228);

/// Pixels of a chart: twice what a page shows, for sharp screens.
pub(super) const CHART: (u32, u32) = (1200, 760);
/// Space around a figure.
pub(super) const MARGIN: f32 = 28.0;
/// Letter heights.
pub(super) const TITLE: f32 = 34.0;
pub(super) const LABEL: f32 = 27.0;
pub(super) const TICK: f32 = 24.0;

/// The colour of series `i`.
pub(super) fn series(i: usize) -> Rgb {
    SERIES[i % SERIES.len()]
}

/// The colour of class `i`.
pub(super) fn class(i: usize) -> Rgb {
    CLASSES[i % CLASSES.len()]
}

/// Light to dark, 0 to 1, for numbers that have an order; also told apart in grey.
pub(super) fn sequential(part: f64) -> Rgb {
    const STOPS: [(f64, f64, f64); 4] = [
        (255.0, 247.0, 196.0),
        (127.0, 205.0, 187.0),
        (44.0, 127.0, 184.0),
        (8.0, 29.0, 88.0),
    ];
    let place = part.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let low = (place.floor() as usize).min(STOPS.len() - 2);
    let (from, to, share) = (STOPS[low], STOPS[low + 1], place - low as f64);
    let mix = |from: f64, to: f64| (from + (to - from) * share).round() as u8;
    (mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// Where each value lies between the least and the greatest, 0 to 1; what is no number, and a lone value, lies in the middle.
pub(super) fn parts(values: &[f64]) -> Vec<f64> {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let part = |value: &f64| match (value - low) / (high - low) {
        part if part.is_finite() => part,
        _ => 0.5,
    };
    values.iter().map(part).collect()
}
