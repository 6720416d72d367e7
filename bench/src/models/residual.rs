//! Networks with skips: 6.9, 13.1 and 14.6.

use ch06_design::deep::ResidualCnn;
use ch13_transfer::resnet::{ResNet, ResNetConfig};
use ch14_advanced::residual::{ResidualNet, Style};

use super::classifier;

classifier!(ResidualCnn, 4, |device| ResidualCnn::new(device));
classifier!(ResNet, 4, |device| ResNetConfig::resnet18(2).init(device));
classifier!(ResidualNet, 4, |device| ResidualNet::new(
    Style::ReZero,
    device
));
