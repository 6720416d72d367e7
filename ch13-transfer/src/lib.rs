//! Chapter 13: transfer learning.
pub mod efficientnet;
pub mod experiments;
pub mod resnet;

pub use experiments::chapter;
