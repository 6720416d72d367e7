//! The photographs on which chapter 3 tries filters: four of scikit-image's, in the public domain.

use image::RgbImage;

use super::fetch::{Bundle, Found, Places, PublishedFile, file_in};
use super::raster::Canvas;
use super::{DataOptions, Source, picture};
use crate::{Error, Result};

/// The names that [`photo`] knows.
pub const PHOTOS: [&str; 4] = ["astronaut", "camera", "chelsea", "coffee"];

const MIRRORS: &[&str] = &[
    "https://raw.githubusercontent.com/scikit-image/scikit-image/cd0a3d22b9f359f05618d75d5c7a29b91b4951ca/src/_skimage2/data/",
    "https://raw.githubusercontent.com/scikit-image/scikit-image/v0.22.0/skimage/data/",
];

const ASTRONAUT: PublishedFile = PublishedFile {
    name: "astronaut.png",
    bytes: 791_555,
    sha256: "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
};
const CAMERA: PublishedFile = PublishedFile {
    name: "camera.png",
    bytes: 139_512,
    sha256: "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
};
const CHELSEA: PublishedFile = PublishedFile {
    name: "chelsea.png",
    bytes: 240_512,
    sha256: "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
};
const COFFEE: PublishedFile = PublishedFile {
    name: "coffee.png",
    bytes: 466_706,
    sha256: "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
};

/// Each photo is a set of one file: whoever needs one need not download the others.
const fn bundle(name: &'static str, files: &'static [PublishedFile]) -> Bundle {
    Bundle {
        name,
        folders: &["photos", ""],
        accepts_bare: |_| true,
        package: None,
        mirrors: MIRRORS,
        files,
    }
}

/// The photo of this name (see [`PHOTOS`]), in RGB; a drawn picture where it can't be had.
///
/// # Errors
/// [`Error::Usage`] for an unknown name or a data folder that does not exist; [`Error::Data`] for a damaged file, and when
/// only real data will do and there is none.
pub fn photo(name: &str, options: &DataOptions) -> Result<(RgbImage, Source)> {
    let bundle = match name {
        "astronaut" => bundle("the photo astronaut", &[ASTRONAUT]),
        "camera" => bundle("the photo camera", &[CAMERA]),
        "chelsea" => bundle("the photo chelsea", &[CHELSEA]),
        "coffee" => bundle("the photo coffee", &[COFFEE]),
        _ => {
            let known = PHOTOS.join(", ");
            return Err(Error::Usage(format!(
                "no photo is called {name:?}; there are {known}"
            )));
        }
    };
    let places = Places::new(options);
    let source = |origin: String, real| Source {
        name: bundle.name.to_string(),
        origin,
        real,
        train: 1,
        test: 0,
    };
    match places.find(&bundle)? {
        Found::Folder { path, origin } => {
            let mut files = bundle.files.iter();
            let file = files.find_map(|file| file_in(&path, file.name));
            let gone = || Error::Data(format!("{}: {} is gone", path.display(), bundle.name));
            let picture = picture::open(&file.ok_or_else(gone)?);
            let picture = picture.map_err(|error| places.explain(error, &path))?;
            Ok((picture.into_rgb8(), source(origin, true)))
        }
        Found::Nothing { reason } => {
            let origin = "a built-in drawing";
            places.stand_in(&bundle, &reason, origin)?;
            Ok((drawing(), source(origin.into(), false)))
        }
    }
}

/// A still life of 512x512 pixels with what filters react to: edges in all directions, soft shading, fine stripes, corners.
fn drawing() -> RgbImage {
    let side = 512;
    let mut channels = [0, 1, 2].map(|_| Canvas::new(side, side));
    let tints = [
        [0.75, 0.82, 0.92],
        [0.55, 0.4, 0.3],
        [0.9, 0.55, 0.2],
        [0.3, 0.5, 0.35],
        [0.95, 0.9, 0.8],
    ];
    for (c, canvas) in channels.iter_mut().enumerate() {
        let tint = |i: usize| -> f32 { tints[i][c] };
        let all = [[0.0, 0.0], [512.0, 0.0], [512.0, 512.0], [0.0, 512.0]];
        canvas.fill(&all, |_, y| tint(0) * (0.6 + 0.4 * y / 512.0)); // wall
        let table = [[0.0, 360.0], [512.0, 330.0], [512.0, 512.0], [0.0, 512.0]];
        canvas.fill(&table, |x, y| {
            tint(1) * (0.85 + 0.15 * (0.35 * y + 0.02 * x).sin())
        });
        let frame = [[40.0, 40.0], [200.0, 40.0], [200.0, 230.0], [40.0, 230.0]];
        canvas.fill(&frame, |_, _| 0.15);
        let panes = [[52.0, 52.0], [188.0, 52.0], [188.0, 218.0], [52.0, 218.0]];
        canvas.fill(&panes, |x, y| {
            if (x as i32 / 17 + y as i32 / 17) % 2 == 0 {
                0.9
            } else {
                tint(3)
            }
        });
        let ball = circle([170.0, 385.0], [85.0, 85.0]);
        canvas.fill(&ball, |x, y| {
            let light = (x - 140.0).hypot(y - 350.0) / 130.0;
            tint(2) * (1.1 - light)
        });
        let jar = [
            [300.0, 230.0],
            [420.0, 230.0],
            [450.0, 300.0],
            [440.0, 450.0],
            [280.0, 450.0],
            [270.0, 300.0],
        ];
        canvas.fill(&jar, |x, _| {
            tint(3) * (0.5 + 0.7 * (1.0 - ((x - 330.0) / 110.0).abs()))
        });
        let label = [
            [290.0, 340.0],
            [432.0, 340.0],
            [428.0, 410.0],
            [290.0, 410.0],
        ];
        canvas.fill(&label, |_, y| {
            if (y as i32 / 6) % 3 == 1 {
                0.2
            } else {
                tint(4)
            }
        });
        canvas.fill(&circle([360.0, 230.0], [62.0, 16.0]), |_, _| tint(4) * 0.7);
    }
    RgbImage::from_fn(side as u32, side as u32, |x, y| {
        let at = y as usize * side + x as usize;
        let byte = |canvas: &Canvas| (canvas.values[at] * 255.0).round() as u8;
        image::Rgb([byte(&channels[0]), byte(&channels[1]), byte(&channels[2])])
    })
}

/// An ellipse as a polygon.
fn circle(centre: [f32; 2], radius: [f32; 2]) -> Vec<[f32; 2]> {
    let corner = |i: usize| {
        let (sin, cos) = (i as f32 * std::f32::consts::TAU / 96.0).sin_cos();
        [centre[0] + radius[0] * cos, centre[1] + radius[1] * sin]
    };
    (0..96).map(corner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_come_from_the_data_folder_and_damaged_ones_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let options = DataOptions {
            data_dir: Some(folder.path().to_path_buf()),
            offline: true,
            require_real: true,
            quiet: true,
        };
        let path = folder.path().join("photos/coffee.png");
        std::fs::create_dir(folder.path().join("photos")).unwrap();
        RgbImage::from_pixel(7, 5, image::Rgb([1, 2, 3]))
            .save(&path)
            .unwrap();
        let (picture, source) = photo("coffee", &options).unwrap();
        assert_eq!(
            (picture.dimensions(), picture.get_pixel(6, 4).0),
            ((7, 5), [1, 2, 3])
        );
        assert!(source.real && source.origin.contains("photos"));
        std::fs::write(&path, b"no picture").unwrap();
        let error = photo("coffee", &options).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error.to_string().starts_with(&path.display().to_string()),
            "{error}"
        );
        let error = photo("tea", &options).unwrap_err().to_string();
        assert!(error.contains("\"tea\"") && error.contains("astronaut, camera, chelsea, coffee"));
    }

    #[test]
    fn the_drawing_has_all_shades_in_all_channels() {
        let picture = drawing();
        assert_eq!(picture.dimensions(), (512, 512));
        for channel in 0..3 {
            let values = || picture.pixels().map(|pixel| pixel[channel]);
            assert!(values().min().is_some_and(|least| least < 60));
            assert!(values().max().is_some_and(|most| most > 180));
        }
    }
}
