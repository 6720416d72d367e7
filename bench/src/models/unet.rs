//! The U-Net of 8.3.

use burn::tensor::{Device, Tensor};
use ch08_detection::networks::SegmentationNetwork;
use ch08_detection::unet::UNet;
use common::Result;
use common::kernels::binary_cross_entropy_with_logits;

use crate::exchange::Tensors;
use crate::workload::Workload;

impl Workload for UNet {
    type Batch = (Tensor<4>, Tensor<4>);

    fn fresh(_dropout: bool, device: &Device) -> Self {
        UNet::new(device)
    }

    fn batch(tensors: &Tensors, index: usize, device: &Device) -> Result<Self::Batch> {
        let x = tensors.float(&format!("x.{index}"), device)?;
        let y = tensors.float(&format!("y.{index}"), device)?;
        Ok((x, y))
    }

    fn loss(&self, (x, y): &Self::Batch) -> Tensor<1> {
        binary_cross_entropy_with_logits(self.forward(x.clone()), y.clone())
    }

    fn evaluate(&self, (x, _): &Self::Batch) {
        std::hint::black_box(self.forward(x.clone()));
    }
}
