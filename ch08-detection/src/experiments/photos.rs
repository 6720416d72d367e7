//! 8.7: the detector trained on COCO, on photos.

use common::data::{coco_detector_weights, photo};
use common::experiment::{Preset, Run};
use common::plot::Picture;
use common::train::count_parameters;
use common::{Error, Result, plot};
use image::RgbImage;

use crate::coco::{PhotoDetector, PhotoDetectorConfig};
use crate::detect::{THRESHOLD, marks, name};
use crate::roi_heads::Detection;

/// Photos, and what has to be found on them.
const PHOTOS: [(&str, &str); 3] = [
    ("astronaut", "person"),
    ("chelsea", "cat"),
    ("coffee", "cup"),
];

/// 8.7
pub(super) fn pretrained(run: &mut Run) -> Result<()> {
    let config = PhotoDetectorConfig::coco();
    let device = run.device().clone();
    let mut options = run.data_options();
    options.offline |= run.preset() == Preset::Smoke; // no download of 168 MB within seconds
    let mut photos = Vec::new();
    for (title, object) in PHOTOS {
        let (picture, source) = photo(title, &options)?;
        run.uses(source);
        photos.push((title, object, picture));
    }
    let weights = match coco_detector_weights(&options) {
        Ok(found) => Some(found),
        Err(Error::Data(why)) if !options.require_real => {
            run.say(format!("{why}\nWithout the weights nothing is detected."));
            None
        }
        Err(error) => return Err(error),
    };
    let detector = match &weights {
        Some((path, origin)) => {
            run.say(format!("weights: {origin}"));
            PhotoDetector::load(path, config, &device)?
        }
        None => PhotoDetector::new(config, &device),
    };
    let parameters = count_parameters(&detector.network);
    run.metric("parameters", parameters as f64);
    run.claim(
        "the network is torchvision's, 41,755,286 parameters and the 53,120 of its frozen batch norms",
        parameters == 41_755_286 + 53_120,
        parameters.to_string(),
    );
    let mut grid = plot::image_grid("Faster R-CNN trained on COCO");
    for (title, object, picture) in &photos {
        let found = match weights {
            Some(_) => detector.detect(picture, THRESHOLD, &device)?,
            None => Vec::new(),
        };
        let shown = values(picture).boxes(marks(&found, name));
        grid = grid.image(shown, &format!("{title}: {} objects", found.len()));
        if weights.is_some() {
            judge(run, title, object, &found);
        }
    }
    let caption = "All that is at least 0.15 probable, of boxes that overlap by more than 0.15 the more probable one.";
    run.figure("photos", caption, &grid.side(500).build())
}

fn judge(run: &mut Run, title: &str, object: &str, found: &[Detection]) {
    let best = found.iter().find(|d| name(d.label) == object);
    let names = found
        .iter()
        .map(|d| format!("{} {:.2}", name(d.label), d.score));
    run.claim(
        &format!("{title}: a {object} is found"),
        best.is_some_and(|d| d.score > 0.5),
        names.collect::<Vec<_>>().join(", "),
    );
}

fn values(photo: &RgbImage) -> Picture {
    let channel = |c: usize| photo.pixels().map(move |p| f32::from(p[c]) / 255.0);
    let values: Vec<f32> = (0..3).flat_map(channel).collect();
    Picture::rgb(photo.height() as usize, photo.width() as usize, &values)
}
