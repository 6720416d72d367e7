//! Convolutional networks without skips: 3.5 and 6.4.

use ch03_cnn::networks::PooledCnn;
use ch06_design::layers::Style;
use ch06_design::networks::Cnn;
use common::train::Optimizer;

use super::classifier;

classifier!(
    PooledCnn,
    4,
    |device| PooledCnn::new(device),
    (Optimizer::sgd().init(), 1e-3)
);

classifier!(Cnn, 4, |device| Cnn::new(Style::BatchNorm, device));
