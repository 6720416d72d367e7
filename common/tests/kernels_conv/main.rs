//! Convolutions on Flex against Burn's own operations on the ndarray backend, and against PyTorch.

mod case;
mod chosen;
mod golden;
#[path = "../kernel_setup/mod.rs"]
mod kernel_setup;
mod layers;
mod random;
