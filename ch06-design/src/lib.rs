//! Chapter 6: common design building blocks.
