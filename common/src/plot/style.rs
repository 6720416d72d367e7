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
