//! `cargo run -p ch08-detection -- segment photo.png`: the U-Net of 8.3 put to use on a picture of any size.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use clap::{Arg, ArgMatches, Command, value_parser};
use common::data::picture_from_file;
use common::device;
use common::experiment::{Action, Chapter, Options, model_in, saved_or_trained};
use common::files::write_atomic;
use common::train::{load_model, slug};
use common::{Error, Result, cli};
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};

use crate::experiments::{UNET, unet};
use crate::networks::SegmentationNetwork;
use crate::regions::objects;

/// The experiment whose model is used.
const EXPERIMENT: &str = "8.3";
/// Side of the squares that are segmented at once, which bounds the memory.
const TILE: usize = 512;
/// Pixels around a square that the network sees besides; those further away hardly change a mask.
const MARGIN: usize = 48;
/// The colour of nuclei in the overlay.
const COLOR: [u8; 3] = [230, 159, 0];

/// The subcommand.
pub(crate) fn action() -> Action {
    Action { command, run }
}

fn command() -> Command {
    let pictures = Arg::new("pictures")
        .value_name("PICTURE")
        .required(true)
        .num_args(1..)
        .value_parser(value_parser!(PathBuf))
        .help("Microscope pictures of cells: PNG, JPEG, BMP, GIF or WebP, of any size");
    let model = Arg::new("model")
        .long("model")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("A U-Net that 8.3 has saved [default: that of the last 8.3; trained first if there is none]");
    let to = Arg::new("to")
        .long("to")
        .value_name("FOLDER")
        .value_parser(value_parser!(PathBuf))
        .default_value(".")
        .help("Where NAME-mask.png and NAME-overlay.png go");
    Command::new("segment")
        .about("Finds the nuclei in pictures of cells, with the trained U-Net of 8.3")
        .args([pictures, model, to])
        .after_help("Example:\n  cargo run -p ch08-detection -- segment cells.png --to found")
}

fn run(chapter: &Chapter, arguments: &ArgMatches) -> Result<()> {
    let options = cli::options(arguments)?;
    let device = device::open(&options.device)?.device;
    let paths: Vec<&PathBuf> = arguments.get_many("pictures").unwrap_or_default().collect();
    // All pictures are read before a training that may take minutes.
    let pictures = paths.iter().map(|path| picture_from_file(path));
    let pictures = pictures.collect::<Result<Vec<_>>>()?;
    let model = match arguments.get_one::<PathBuf>("model") {
        Some(file) => file.clone(),
        None => trained(chapter, &options)?,
    };
    let network = load_model(&model, unet(&device))?.network;
    println!("model {}", model.display());
    let default = PathBuf::from(".");
    let folder = arguments.get_one::<PathBuf>("to").unwrap_or(&default);
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    for (path, picture) in paths.iter().zip(&pictures) {
        let mask = mask(&network, picture, &device)?;
        let (width, height) = picture.dimensions();
        let inside = mask.iter().filter(|m| **m == 1).count();
        println!(
            "{}: {width}x{height} pixels, {} nuclei, {:.1} % of the picture",
            path.display(),
            objects(&mask, width as usize),
            100.0 * inside as f64 / mask.len().max(1) as f64
        );
        let name = path
            .file_stem()
            .map_or("picture".into(), |n| n.to_string_lossy());
        let at = |x: u32, y: u32| mask[y as usize * width as usize + x as usize] == 1;
        let grey = |x, y| Luma([if at(x, y) { 255 } else { 0 }]);
        let black_and_white = GrayImage::from_fn(width, height, grey);
        save(
            &folder.join(format!("{name}-mask.png")),
            black_and_white.into(),
        )?;
        save(
            &folder.join(format!("{name}-overlay.png")),
            overlay(picture, &mask).into(),
        )?;
    }
    Ok(())
}

fn save(path: &Path, picture: DynamicImage) -> Result<()> {
    let mut png = Cursor::new(Vec::new());
    let written = picture.write_to(&mut png, ImageFormat::Png);
    written.map_err(|error| Error::Data(format!("{}: {error}", path.display())))?;
    write_atomic(path, png.get_ref())?;
    println!("  {}", path.display());
    Ok(())
}

/// The model of 8.3: that of the longest training there is, or one that is trained now.
fn trained(chapter: &Chapter, options: &Options) -> Result<PathBuf> {
    let file = format!("{}-last.bpk", slug(UNET));
    saved_or_trained(chapter, options, &[EXPERIMENT], EXPERIMENT, |_, run| {
        model_in(run, &file)
    })
}

/// The mask of a picture, [height, width], 1 where the network sees a nucleus.
///
/// The picture is cut into squares, each segmented with what is around it; what is beyond the picture repeats its edge.
///
/// # Errors
/// [`Error::Training`] when a result can't be read from the device.
pub fn mask<N: SegmentationNetwork>(
    network: &N,
    picture: &RgbImage,
    device: &Device,
) -> Result<Vec<u8>> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut mask = vec![0; width * height];
    for top in (0..height).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            let (rows, columns) = (TILE.min(height - top), TILE.min(width - left));
            let y = Window::new(top, rows, height, network.multiple());
            let x = Window::new(left, columns, width, network.multiple());
            let mut values = Vec::with_capacity(3 * y.length * x.length);
            for channel in 0..3 {
                for row in 0..y.length {
                    values.extend((0..x.length).map(|column| {
                        let pixel = picture.get_pixel(x.at(column), y.at(row));
                        f32::from(pixel[channel]) / 255.0
                    }));
                }
            }
            let input = TensorData::new(values, [1, 3, y.length, x.length]);
            let logits = network.forward(Tensor::from_data(input, device)); // [1, 1, H, W]
            let logits = logits.into_data().try_to_vec::<f32>();
            let logits =
                logits.map_err(|error| Error::Training(format!("reading a mask: {error:?}")))?;
            for row in 0..rows {
                let from = &logits[(y.before + row) * x.length + x.before..][..columns];
                let to = &mut mask[(top + row) * width + left..][..columns];
                for (to, logit) in to.iter_mut().zip(from) {
                    *to = u8::from(*logit >= 0.0);
                }
            }
        }
    }
    Ok(mask)
}

/// What the network sees along one axis: a part of the picture with a margin, lengthened to what the network can halve.
struct Window {
    first: usize,
    /// Pixels before the part itself.
    before: usize,
    length: usize,
    /// The last pixel of the picture.
    last: usize,
}

impl Window {
    fn new(start: usize, length: usize, whole: usize, multiple: usize) -> Self {
        let first = start.saturating_sub(MARGIN);
        let first = first - first % multiple;
        let end = (start + length + MARGIN).min(whole);
        Self {
            first,
            before: start - first,
            length: (end - first).next_multiple_of(multiple),
            last: whole - 1,
        }
    }

    /// The pixel of the picture that stands at `i`.
    fn at(&self, i: usize) -> u32 {
        (self.first + i).min(self.last) as u32
    }
}

/// The picture with its nuclei tinted and outlined.
fn overlay(picture: &RgbImage, mask: &[u8]) -> RgbImage {
    let (width, height) = picture.dimensions();
    let at = |x: u32, y: u32| mask[y as usize * width as usize + x as usize] == 1;
    RgbImage::from_fn(width, height, |x, y| {
        let pixel = *picture.get_pixel(x, y);
        if !at(x, y) {
            return pixel;
        }
        let beside = [
            (x.wrapping_sub(1), y),
            (x + 1, y),
            (x, y.wrapping_sub(1)),
            (x, y + 1),
        ];
        let edge = beside
            .into_iter()
            .any(|(x, y)| x < width && y < height && !at(x, y));
        let share = if edge { 255 } else { 90 };
        Rgb([0, 1, 2].map(|c| {
            let mixed = u16::from(COLOR[c]) * share + u16::from(pixel[c]) * (255 - share);
            (mixed / 255) as u8
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::Module;

    /// A network whose logit is the green channel less a half, and which refuses odd sizes.
    #[derive(Module, Debug)]
    struct Green;

    impl SegmentationNetwork for Green {
        fn forward(&self, images: Tensor<4>) -> Tensor<4> {
            let [_, _, height, width] = images.dims();
            assert!(height % 4 == 0 && width % 4 == 0);
            images.narrow(1, 1, 1) - 0.5
        }

        fn multiple(&self) -> usize {
            4
        }
    }

    #[test]
    fn squares_make_up_the_whole_picture() {
        for (width, height) in [(1, 1), (3, 7), (515, 2), (70, 1025), (1100, 600)] {
            let green = |x: u32, y: u32| {
                if (x / 3 + y / 5).is_multiple_of(2) {
                    200
                } else {
                    10
                }
            };
            let picture = RgbImage::from_fn(width, height, |x, y| Rgb([9, green(x, y), 99]));
            let mask = mask(&Green, &picture, &Device::flex()).unwrap();
            for (x, y, pixel) in picture.enumerate_pixels() {
                let found = mask[y as usize * width as usize + x as usize];
                assert_eq!(found == 1, pixel[1] == 200, "{width}x{height} at {x}, {y}");
            }
        }
    }

    #[test]
    fn the_overlay_outlines_what_it_tints() {
        let picture = RgbImage::from_pixel(5, 5, Rgb([10, 10, 10]));
        let mask: Vec<u8> = (0..25).map(|i| u8::from(i % 5 < 3)).collect();
        let drawn = overlay(&picture, &mask);
        assert_eq!(drawn.get_pixel(4, 2).0, [10, 10, 10]);
        assert_eq!(drawn.get_pixel(2, 2).0, COLOR);
        assert!(drawn.get_pixel(0, 2)[0] > 10 && drawn.get_pixel(0, 2).0 != COLOR);
    }
}
