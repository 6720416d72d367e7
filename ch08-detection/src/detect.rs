//! `cargo run -p ch08-detection -- detect photo.jpg`: the detector trained on COCO put to use (8.7).

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use common::data::{coco_detector_weights, picture_from_file};
use common::experiment::{Action, Chapter};
use common::plot::{BoxMark, annotated};
use common::{Error, Result, cli, device, files};

use crate::coco::{NAMES, PhotoDetector, PhotoDetectorConfig};
use crate::roi_heads::{Detection, Threshold};

/// What is drawn, as in the book.
pub(crate) const THRESHOLD: Threshold = Threshold {
    score: 0.15,
    nms: 0.15,
    most: 100,
};

/// The subcommand.
pub(crate) fn action() -> Action {
    Action { command, run }
}

fn command() -> Command {
    let photos = Arg::new("photos")
        .value_name("PHOTO")
        .required(true)
        .num_args(1..)
        .value_parser(value_parser!(PathBuf))
        .help("Photos: PNG, JPEG, BMP, GIF or WebP, of any size");
    let weights = Arg::new("weights")
        .long("weights")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("torchvision's weights (.pth or .safetensors) [default: looked for where data is, else downloaded, 168 MB]");
    let score = Arg::new("score")
        .long("score")
        .value_name("P")
        .value_parser(value_parser!(f32))
        .default_value("0.5")
        .help("Draw what is at least this probable");
    let to = Arg::new("to")
        .long("to")
        .value_name("FOLDER")
        .value_parser(value_parser!(PathBuf))
        .default_value(".")
        .help("Where NAME-detections.png goes");
    Command::new("detect")
        .about("Finds and names what is on photos, with Faster R-CNN trained on COCO")
        .args([photos, weights, score, to])
        .after_help("Example:\n  cargo run -p ch08-detection -- detect street.jpg --weights fasterrcnn_resnet50_fpn_coco-258fb6c6.pth")
}

fn run(_chapter: &Chapter, arguments: &ArgMatches) -> Result<()> {
    let options = cli::options(arguments)?;
    let device = device::open(&options.device)?.device;
    let paths: Vec<&PathBuf> = arguments.get_many("photos").unwrap_or_default().collect();
    let photos = paths.iter().map(|path| picture_from_file(path));
    let photos = photos.collect::<Result<Vec<_>>>()?;
    let weights = match arguments.get_one::<PathBuf>("weights") {
        Some(file) => file.clone(),
        None => coco_detector_weights(&options.data_options())?.0,
    };
    let detector = PhotoDetector::load(&weights, PhotoDetectorConfig::coco(), &device)?;
    println!("weights {}", weights.display());
    let default = PathBuf::from(".");
    let folder = arguments.get_one::<PathBuf>("to").unwrap_or(&default);
    let score = arguments.get_one::<f32>("score").copied().unwrap_or(0.5);
    let threshold = Threshold { score, ..THRESHOLD };
    for (path, photo) in paths.iter().zip(&photos) {
        let found = detector.detect(photo, threshold, &device)?;
        println!("{}: {} objects", path.display(), found.len());
        for detection in &found {
            let [x1, y1, x2, y2] = detection.corners;
            println!(
                "  {:<16} {:.2}  from ({x1:.0}, {y1:.0}) to ({x2:.0}, {y2:.0})",
                name(detection.label),
                detection.score
            );
        }
        let stem = path
            .file_stem()
            .map_or("photo".into(), |n| n.to_string_lossy());
        let file = folder.join(format!("{stem}-detections.png"));
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        files::write_atomic(&file, &annotated(photo, &marks(&found, name))?)?;
        println!("  {}", file.display());
    }
    Ok(())
}

/// The name of a COCO class.
pub(crate) fn name(label: usize) -> String {
    NAMES.get(label).unwrap_or(&"?").to_string()
}

/// Detections as boxes to be drawn, the most probable on top.
pub(crate) fn marks(found: &[Detection], name: impl Fn(usize) -> String) -> Vec<BoxMark> {
    let mark = |detection: &Detection| BoxMark {
        corners: detection.corners,
        text: format!("{} {:.2}", name(detection.label), detection.score),
        color: detection.label,
    };
    found.iter().rev().map(mark).collect()
}
