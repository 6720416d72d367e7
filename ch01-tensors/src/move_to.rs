//! Tensors to a device, however deep in containers they are (`moveTo` of the book's helper library).
//!
//! A batch is seldom a bare tensor: it is a pair, a list of sequences, a table by name. One call moves all of it.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use burn::tensor::kind::Basic;
use burn::tensor::{Device, Tensor};

/// What can be moved to a device.
///
/// The book's function looks at an object while it runs and leaves alone what it does not know. Here the compiler
/// refuses what it does not know; plain numbers and texts, which are on no device, stay as they are.
pub trait MoveTo: Sized {
    /// The same values with every tensor on `device`.
    ///
    /// # Panics
    /// When the device can't take a tensor, as a GPU without 64-bit floats can't take those.
    fn move_to(self, device: &Device) -> Self;
}

impl<const D: usize, K: Basic> MoveTo for Tensor<D, K> {
    fn move_to(self, device: &Device) -> Self {
        self.to_device(device)
    }
}

impl<T: MoveTo> MoveTo for Vec<T> {
    fn move_to(self, device: &Device) -> Self {
        self.into_iter().map(|item| item.move_to(device)).collect()
    }
}

impl<T: MoveTo, const N: usize> MoveTo for [T; N] {
    fn move_to(self, device: &Device) -> Self {
        self.map(|item| item.move_to(device))
    }
}

impl<T: MoveTo> MoveTo for Option<T> {
    fn move_to(self, device: &Device) -> Self {
        self.map(|item| item.move_to(device))
    }
}

impl<T: MoveTo> MoveTo for Box<T> {
    fn move_to(self, device: &Device) -> Self {
        Box::new((*self).move_to(device))
    }
}

impl<K: Eq + std::hash::Hash, V: MoveTo, S: BuildHasher + Default> MoveTo for HashMap<K, V, S> {
    fn move_to(self, device: &Device) -> Self {
        let moved = self
            .into_iter()
            .map(|(key, value)| (key, value.move_to(device)));
        moved.collect()
    }
}

impl<K: Ord, V: MoveTo> MoveTo for BTreeMap<K, V> {
    fn move_to(self, device: &Device) -> Self {
        let moved = self
            .into_iter()
            .map(|(key, value)| (key, value.move_to(device)));
        moved.collect()
    }
}

macro_rules! tuples {
    ($(($($letter:ident $index:tt),+))+) => {$(
        impl<$($letter: MoveTo),+> MoveTo for ($($letter,)+) {
            fn move_to(self, device: &Device) -> Self {
                ($(self.$index.move_to(device),)+)
            }
        }
    )+};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}

macro_rules! on_no_device {
    ($($plain:ty),+) => {$(
        impl MoveTo for $plain {
            fn move_to(self, _device: &Device) -> Self {
                self
            }
        }
    )+};
}

on_no_device!(
    (),
    bool,
    char,
    u8,
    u16,
    u32,
    u64,
    usize,
    i8,
    i16,
    i32,
    i64,
    isize,
    f32,
    f64,
    String,
    &'static str
);
