//! Weights that PyTorch has saved, read into a module here.

use std::path::Path;

use burn::module::Module;
use burn::store::{
    ApplyResult, ModuleSnapshot, PyTorchToBurnAdapter, PytorchStore, SafetensorsStore,
};

use crate::{Error, Result};

/// How a published file of weights names what a module here has.
#[derive(Clone, Copy, Debug)]
pub struct StateDict<'a> {
    /// What the weights are of, for messages: `torchvision's resnet18`.
    pub network: &'a str,
    /// Where they are published, for messages.
    pub address: &'a str,
    /// The entry of a `.pth` file that the weights are in, if they are not the file itself.
    pub key: Option<&'a str>,
    /// Their names, as regular expressions, and ours; applied one after the other.
    pub renamed: &'a [(&'a str, &'a str)],
}

impl StateDict<'_> {
    /// Fills `module` with the weights of a state dict: a `.pth` file, of old or new PyTorch, or a `.safetensors` file. Each weight
    /// has to be there, and nothing else may be but the counters of batch norms.
    ///
    /// # Errors
    /// [`Error::Data`] when the file is damaged or is not of this network, [`Error::Io`] when it can't be read.
    pub fn load(&self, module: &mut impl Module, path: &Path) -> Result<()> {
        std::fs::File::open(path).map_err(Error::io(path))?;
        let bad = |why: String| {
            let (network, address) = (self.network, self.address);
            let path = path.display();
            Error::Data(format!(
                "{path}: not the weights of {network} ({address}): {why}"
            ))
        };
        let result = self.apply(module, path).map_err(bad)?;
        if !result.errors.is_empty() {
            return Err(bad(format!("{:?}", result.errors)));
        }
        let few = |names: Vec<String>| names.into_iter().take(3).collect::<Vec<_>>().join(", ");
        if !result.missing.is_empty() {
            let names = result.missing.iter().map(|(name, _)| name.clone());
            return Err(bad(format!("it lacks {}", few(names.collect()))));
        }
        // How many batches a norm has seen is not needed.
        let unused = result.unused.iter();
        let unused = unused.filter(|name| !name.ends_with("num_batches_tracked"));
        let unused: Vec<String> = unused.cloned().collect();
        match unused.is_empty() {
            true => Ok(()),
            false => Err(bad(format!("it has {} besides", few(unused)))),
        }
    }

    fn apply(
        &self,
        module: &mut impl Module,
        path: &Path,
    ) -> std::result::Result<ApplyResult, String> {
        let renamed = self.renamed.iter();
        if path.extension().is_some_and(|e| e == "safetensors") {
            let store = SafetensorsStore::from_file(path)
                .with_from_adapter(PyTorchToBurnAdapter)
                .validate(false)
                .allow_partial(true);
            let mut store = renamed.fold(store, |store, (theirs, ours)| {
                store.with_key_remapping(theirs, *ours)
            });
            let result = module.load_from(&mut store);
            return result.map_err(|error| error.to_string());
        }
        let store = PytorchStore::from_file(path)
            .map_indices_contiguous(false)
            .validate(false)
            .allow_partial(true);
        let store = match self.key {
            Some(key) => store.with_top_level_key(key),
            None => store,
        };
        let mut store = renamed.fold(store, |store, (theirs, ours)| {
            store.with_key_remapping(theirs, *ours)
        });
        let result = module.load_from(&mut store);
        result.map_err(|error| error.to_string())
    }
}
