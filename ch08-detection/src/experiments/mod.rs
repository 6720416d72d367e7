//! 8.1 to 8.7.

mod segmentation;

use common::experiment::{Chapter, Experiment};

pub(crate) use segmentation::{UNET, unet};

use crate::segment;

/// The chapter.
pub fn chapter() -> Chapter {
    Chapter {
        number: 8,
        name: "ch08-detection",
        title: "Object detection",
        headline: "8.3",
        experiments: experiments(),
        actions: vec![segment::action()],
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
    ]
}
