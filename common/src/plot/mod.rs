//! Figures: line charts and scatter plots ([`lines`], [`scatter`]), several of them side by side ([`panels`]), bars ([`bars`]), the surface a
//! classifier has learned ([`decision_surface`]), pictures side by side ([`image_grid`]), heat maps ([`heat_map`]), boxes with names on a
//! picture ([`annotated`]) and animations ([`gif`]), in one look, as PNG with the numbers behind them as CSV.
//!
//! plotters lays out and draws the charts; `canvas.rs` gives it smooth lines and a font that is part of the program, so
//! that a figure looks the same on every machine.

mod animation;
mod axes;
mod bars;
mod boxes;
mod canvas;
mod chart;
mod field;
mod grid;
mod heat;
mod panels;
mod series;
mod style;
mod surface;

use std::path::Path;

pub use animation::{Frame, gif};
pub use bars::bars;
pub use boxes::{BoxMark, annotated};
pub use chart::{Chart, Number, lines, scatter};
pub use grid::{ImageGrid, Picture, image_grid};
pub use heat::heat_map;
pub use panels::panels;
pub use surface::decision_surface;

use crate::files::write_atomic;
use crate::{Error, Result};

/// A drawn figure: the picture, the numbers behind it, and a sentence for those who can't see it.
#[derive(Clone, Debug)]
pub struct Figure {
    title: String,
    png: std::result::Result<Vec<u8>, String>,
    csv: String,
    alt: String,
}

impl Figure {
    /// The title, which also stands in the picture.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The numbers behind the picture, as CSV.
    pub fn csv(&self) -> &str {
        &self.csv
    }

    /// What is to be seen, in words.
    pub fn alt(&self) -> &str {
        &self.alt
    }

    /// Writes `NAME.png` and `NAME.csv` into `folder`, which is made if need be.
    ///
    /// # Errors
    /// [`Error::Io`] when they can't be written.
    pub fn save(&self, folder: &Path, name: &str) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let png = self.png.as_ref();
        let png = png.map_err(|error| Error::Training(format!("figure {name}: {error}")))?;
        write_atomic(&folder.join(format!("{name}.png")), png)?;
        write_atomic(&folder.join(format!("{name}.csv")), self.csv.as_bytes())
    }
}

/// Rows of fields as CSV; a field with a comma, quote or line end is quoted.
fn csv<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory can't fail.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(&row);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}
