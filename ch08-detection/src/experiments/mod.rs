//! 8.1 to 8.7.

mod digits;
mod mask_pictures;
mod photos;
mod segmentation;

use common::experiment::{Chapter, Experiment};

pub(crate) use segmentation::{UNET, unet};

use crate::{detect, segment};

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 8,
        name: "ch08-detection",
        title: "Object detection",
        headline: "8.3",
        experiments: experiments(),
        actions: vec![segment::action(), detect::action()],
    }
}

const NUCLEI: &str = "nuclei";

fn experiments() -> Vec<Experiment> {
    vec![
        Experiment {
            id: "8.1",
            title: "A plain network for segmentation",
            data: NUCLEI,
            claim: "A plain network finds the nuclei, but leaves holes and phantom objects.",
            takes: ["40 s", "3 min"],
            run: segmentation::plain,
        },
        Experiment {
            id: "8.2",
            title: "Transposed convolution",
            data: NUCLEI,
            claim: "With pooling and transposed convolution the network sees more: cleaner masks, fewer holes.",
            takes: ["80 s", "6 min"],
            run: segmentation::transposed,
        },
        Experiment {
            id: "8.3",
            title: "U-Net",
            data: NUCLEI,
            claim: "The U-Net has the lowest loss of the three.",
            takes: ["3 min", "12 min"],
            run: segmentation::u_net,
        },
        Experiment {
            id: "8.4",
            title: "Canvases of digits",
            data: "MNIST",
            claim: "One to three digits at random places, each with its box and name.",
            takes: ["2 s", "2 s"],
            run: digits::canvases,
        },
        Experiment {
            id: "8.5",
            title: "Faster R-CNN",
            data: "MNIST",
            claim: "After an epoch the detector finds and names the digits; the 0 too, once it is not called background.",
            takes: ["3 min", "60 min"],
            run: digits::detector,
        },
        Experiment {
            id: "8.6",
            title: "Non-maximum suppression",
            data: "MNIST",
            claim: "Of boxes that overlap only the most probable stays: one for each digit.",
            takes: ["3 min", "60 min"],
            run: digits::suppression,
        },
        Experiment {
            id: "8.7",
            title: "A detector trained on COCO",
            data: "photos",
            claim: "A detector trained on COCO finds and names what is on a photo.",
            takes: ["1 min", "1 min"],
            run: photos::pretrained,
        },
    ]
}
