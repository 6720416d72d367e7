//! What the PyTorch twin wrote: initial weights, batches and data sets, as safetensors.

use std::collections::HashMap;
use std::path::Path;

use burn::module::Module;
use burn::store::{ModuleSnapshot, ModuleStore, SafetensorsStore};
use burn::tensor::{Device, Int, Tensor, TensorData};
use common::{Error, Result};

/// The tensors of a file by name.
pub struct Tensors(HashMap<String, TensorData>);

impl Tensors {
    /// Reads all tensors of a file.
    ///
    /// # Errors
    /// [`Error::Data`] when the file is missing or damaged.
    pub fn read(path: &Path) -> Result<Self> {
        let bad = |why: String| Error::Data(format!("{}: {why}", path.display()));
        let mut store = SafetensorsStore::from_file(path);
        let tensors = store
            .get_all_tensors()
            .map_err(|error| bad(error.to_string()))?;
        let mut all = HashMap::new();
        for tensor in tensors.values() {
            let (name, dtype, shape, _, bytes) = tensor
                .clone()
                .into_parts()
                .map_err(|error| bad(error.to_string()))?;
            all.insert(name, TensorData::from_bytes(bytes, shape, dtype));
        }
        Ok(Self(all))
    }

    /// 0 to n - 1 for a file with tensors NAME.0 to NAME.(n - 1).
    pub fn numbers(&self, name: &str) -> impl Iterator<Item = usize> {
        (0..).take_while(move |index| self.0.contains_key(&format!("{name}.{index}")))
    }

    /// The tensor of this name with `D` axes.
    fn data<const D: usize>(&self, name: &str) -> Result<TensorData> {
        let data = self
            .0
            .get(name)
            .ok_or_else(|| Error::Data(format!("the twin's file has no tensor {name}")))?;
        if data.shape().num_dims() != D {
            let shape = data.shape();
            return Err(Error::Data(format!("{name}: {shape:?} has not {D} axes")));
        }
        Ok(data.clone())
    }

    /// A tensor of numbers.
    ///
    /// # Errors
    /// [`Error::Data`] when there is none of this name and rank.
    pub fn float<const D: usize>(&self, name: &str, device: &Device) -> Result<Tensor<D>> {
        Ok(Tensor::from_data(self.data::<D>(name)?, device))
    }

    /// A tensor of class numbers or indices.
    ///
    /// # Errors
    /// [`Error::Data`] when there is none of this name and rank.
    pub fn int<const D: usize>(&self, name: &str, device: &Device) -> Result<Tensor<D, Int>> {
        Ok(Tensor::from_data(self.data::<D>(name)?, device))
    }

    /// The lengths of sequences.
    ///
    /// # Errors
    /// [`Error::Data`] when there is no list of whole numbers of this name.
    pub fn lengths(&self, name: &str) -> Result<Vec<usize>> {
        let values = self.data::<1>(name)?.try_to_vec::<i32>();
        let values = values.map_err(|error| Error::Data(format!("{name}: {error:?}")))?;
        let length = |&value: &i32| usize::try_from(value);
        let lengths: std::result::Result<_, _> = values.iter().map(length).collect();
        lengths.map_err(|error| Error::Data(format!("{name}: {error}")))
    }

    /// The bytes of a tensor of bytes, and its shape.
    ///
    /// # Errors
    /// [`Error::Data`] when there is none of this name and rank.
    pub fn bytes<const D: usize>(&self, name: &str) -> Result<(Vec<u8>, [usize; D])> {
        let data = self.data::<D>(name)?;
        let shape = std::array::from_fn(|axis| data.shape()[axis]);
        let values = data
            .try_to_vec::<u8>()
            .map_err(|error| Error::Data(format!("{name}: {error:?}")))?;
        Ok((values, shape))
    }

    /// The numbers of a tensor, row-major, and its shape.
    ///
    /// # Errors
    /// [`Error::Data`] when there is none of this name and rank.
    pub fn floats<const D: usize>(&self, name: &str) -> Result<(Vec<f32>, [usize; D])> {
        let data = self.data::<D>(name)?;
        let shape = std::array::from_fn(|axis| data.shape()[axis]);
        let values = data
            .try_to_vec::<f32>()
            .map_err(|error| Error::Data(format!("{name}: {error:?}")))?;
        Ok((values, shape))
    }
}

/// `model` with the weights of a file that has exactly its parameters, each under the model's own name, without the names of enum variants.
///
/// # Errors
/// [`Error::Data`] when the file is damaged or a tensor is missing, left over or of another shape.
pub fn load<M: Module>(mut model: M, path: &Path) -> Result<M> {
    let bad = |why: String| Error::Data(format!("{}: {why}", path.display()));
    let mut store = SafetensorsStore::from_file(path)
        .validate(false)
        .skip_enum_variants(true)
        .allow_partial(true);
    let result = model
        .load_from(&mut store)
        .map_err(|error| bad(error.to_string()))?;
    if !(result.missing.is_empty() && result.unused.is_empty() && result.errors.is_empty()) {
        return Err(bad(format!(
            "not the weights of this model: missing {:?}, left over {:?}, {:?}",
            result.missing, result.unused, result.errors
        )));
    }
    Ok(model)
}
