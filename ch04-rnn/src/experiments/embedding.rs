//! 4.2: tokens become vectors, and an RNN reads them.

use burn::tensor::{Int, Tensor};
use common::data::{NAME_ALPHABET, spell};
use common::experiment::Run;
use common::nn::EmbeddingConfig;
use common::nn::rnn::RnnConfig;
use common::plot::{Picture, image_grid};
use common::{Error, Result};

use crate::bare::BareRnn;

/// Units of the small RNN whose states are drawn.
const UNITS: usize = 16;
/// Values of a letter.
const VALUES: usize = 8;

/// 4.2
pub(super) fn demo(run: &mut Run) -> Result<()> {
    let device = run.device().clone();
    let table = EmbeddingConfig::new(3, 2).init(&device);
    let ids = Tensor::<2, Int>::from_data([[0, 1, 1, 0, 2]], &device);
    let vectors = table.forward(ids).squeeze_dim::<2>(0); // [5, 2]
    let (rows, weights) = (values(vectors.clone())?, values(table.weight.val())?);
    let show = |row: &[f32]| row.iter().map(|v| format!("{v:.4}")).collect::<Vec<_>>();
    let tokens = [0, 1, 1, 0, 2];
    let lines = tokens.iter().zip(rows.chunks(2));
    let lines = lines.map(|(id, row)| [vec![id.to_string()], show(row)].concat());
    run.table(
        "An embedding of 3 tokens in 2 values, applied to 0 1 1 0 2",
        &["token", "first value", "second value"],
        lines.collect(),
    );
    run.claim(
        "an embedding is a table: token i becomes row i",
        vectors.dims() == [5, 2]
            && tokens
                .iter()
                .zip(rows.chunks(2))
                .all(|(id, row)| *row == weights[2 * id..2 * id + 2]),
        "compared number by number",
    );

    // An RNN by hand reads a name, and the layer with the same weights reads it too.
    let name = spell("frank");
    let letters: Vec<i32> = name.ids.iter().map(|id| *id as i32).collect();
    let ids = Tensor::<1, Int>::from_data(letters.as_slice(), &device).unsqueeze::<2>(); // [1, T]
    let x = EmbeddingConfig::new(NAME_ALPHABET.len(), VALUES)
        .init(&device)
        .forward(ids);
    let layer = RnnConfig::new(VALUES, UNITS).init(&device);
    let by_hand = BareRnn::from(&layer).forward(x.clone()); // [1, T, H]
    let (at_once, _) = layer.forward(x, None, None); // [1, T, H]
    let difference = (by_hand.clone() - at_once).abs().max().into_scalar::<f32>();
    run.claim(
        "an RNN is two linear layers and a tanh, used again at each letter",
        difference < 1e-5,
        format!("states by hand and states of the layer differ by {difference:.1e} at most"),
    );

    let states = values(by_hand)?;
    let figure = image_grid("From tokens to vectors to states")
        .image(
            Picture::grey(3, 2, &weights).full_range(),
            "a table of 3 rows",
        )
        .image(
            Picture::grey(5, 2, &rows).full_range(),
            "its rows 0 1 1 0 2",
        )
        .image(
            Picture::grey(letters.len(), UNITS, &states).range(-1.0, 1.0),
            "a state of 16 units after each letter of frank, downwards",
        )
        .build();
    run.figure(
        "embedding",
        "Equal tokens become equal rows. An RNN turns the rows into states, each made of a row and the state above.",
        &figure,
    )
}

fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let values = tensor.into_data().try_to_vec::<f32>();
    values.map_err(|error| Error::Training(format!("reading a tensor: {error:?}")))
}
