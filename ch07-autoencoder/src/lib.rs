//! Chapter 7: autoencoding and self-supervision.
//!
//! Labels are dear, data are not. An autoencoder is trained to give back what it is given: an encoder makes a code of an image, a decoder an
//! image of the code. What it learns depends on what stands in its way: a code of two values, which forces it to sum up a digit, or noise on
//! the input, which it must take away again. With one layer and no activation this is principal component analysis. The second half teaches
//! a recurrent network to predict the next character of Shakespeare; one that predicts can also write.
//!
//! Reading order: [`auto_encode`] (an image as its own target), [`transpose_linear`] (one matrix used in both directions), [`pca`], [`noise`],
//! [`autoencoders`], [`codes`] (what the codes tell of the digits); then [`text`] (characters to numbers), [`auto_regressive`] (the
//! network), [`loss`], [`sampling`], [`sample`] (the trained network put to use); [`experiments`].
//!
//! Letters in shape comments: B examples in a batch, D values of a code, T characters of a chunk, E values of an embedding, H of a state, V
//! symbols of the vocabulary.

pub mod auto_encode;
pub mod auto_regressive;
pub mod autoencoders;
pub mod codes;
pub mod experiments;
pub mod loss;
pub mod noise;
pub mod pca;
pub mod sample;
pub mod sampling;
pub mod text;
pub mod transpose_linear;

pub use experiments::chapter;
pub use noise::AdditiveGausNoise;
pub use transpose_linear::TransposeLinear;
