//! Where the files of a data set are: in the user's folders, in the cache, on the system, on the network.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::DataOptions;
use super::download::{self, Network};
use crate::{Error, Result};

/// The environment variable that names a folder with data sets.
const VARIABLE: &str = "IDL_DATA";

/// A file of a data set, as its publisher made it.
pub(super) struct PublishedFile {
    /// Its name, with `.gz` if it is compressed.
    pub(super) name: &'static str,
    /// Its size.
    pub(super) bytes: u64,
    /// Its SHA-256, in hexadecimal; empty where it is not known, and the size has to do.
    pub(super) sha256: &'static str,
}

/// A package of an operating system with the files of a data set.
pub(super) struct Package {
    /// How it is installed.
    pub(super) install: &'static str,
    /// Where it puts the files.
    pub(super) folder: &'static str,
}

/// The files of a data set and where they may be.
pub(super) struct Bundle {
    /// `MNIST`, for messages.
    pub(super) name: &'static str,
    /// Folders inside a data folder in which the files may be. The first is the one used in the cache; "" is the data folder
    /// itself.
    pub(super) folders: &'static [&'static str],
    /// Whether files directly in a data folder are this set's (they may be another's of the same names).
    pub(super) accepts_bare: fn(&Path) -> bool,
    /// The system package that has the files, if there is one.
    pub(super) package: Option<Package>,
    /// Addresses that end in `/`, to which a file's name is added.
    pub(super) mirrors: &'static [&'static str],
    /// The files.
    pub(super) files: &'static [PublishedFile],
}

/// The outcome of a search.
#[derive(Debug)]
pub(super) enum Found {
    /// A folder that has all files, each as it is named or without `.gz`, and where that is in words.
    Folder { path: PathBuf, origin: String },
    /// No such folder, and why.
    Nothing { reason: String },
}

/// Where to look: [`DataOptions`] with the environment filled in.
pub(super) struct Places {
    /// Folders the user named, each with how: (`--data-dir`, folder).
    pub(super) named: Vec<(&'static str, PathBuf)>,
    /// Where downloads go.
    pub(super) cache: Option<PathBuf>,
    /// How to download; `None` if that is not wanted.
    pub(super) network: Option<Network>,
    /// Whether a stand-in is an error.
    pub(super) require_real: bool,
    pub(super) quiet: bool,
}

impl Places {
    /// One folder or none, without a network.
    #[cfg(test)]
    pub(super) fn offline(folder: Option<&Path>, require_real: bool) -> Self {
        let named = folder.map(|folder| ("--data-dir", folder.to_path_buf()));
        Self {
            named: named.into_iter().collect(),
            cache: None,
            network: None,
            require_real,
            quiet: true,
        }
    }

    pub(super) fn new(options: &DataOptions) -> Self {
        let mut named = Vec::new();
        if let Some(folder) = &options.data_dir {
            named.push(("--data-dir", folder.clone()));
        }
        if let Some(folder) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            named.push((VARIABLE, from_workspace(folder.into())));
        }
        Self {
            named,
            cache: dirs::cache_dir().map(|folder| folder.join("inside-deep-learning")),
            network: (!options.offline).then(Network::default),
            require_real: options.require_real,
            quiet: options.quiet,
        }
    }

    /// The folder that holds the files of `bundle`, downloading them if they are nowhere else.
    ///
    /// # Errors
    /// [`Error::Usage`] for a folder that was named and does not exist, [`Error::Data`] for one with only some of the files.
    pub(super) fn find(&self, bundle: &Bundle) -> Result<Found> {
        for (how, folder) in &self.named {
            if !folder.is_dir() {
                let folder = folder.display();
                return Err(Error::Usage(format!(
                    "{how} {folder}: there is no such folder"
                )));
            }
            if let Some(path) = bundle.inside(folder)? {
                let origin = format!("folder {}", path.display());
                return Ok(Found::Folder { path, origin });
            }
        }
        let cache = self
            .cache
            .as_ref()
            .map(|cache| cache.join(bundle.folders[0]));
        if let Some(path) = cache.as_ref().filter(|path| bundle.is_whole(path)) {
            return Ok(Found::Folder {
                path: path.clone(),
                origin: format!("cache {}", path.display()),
            });
        }
        if let Some(package) = &bundle.package
            && bundle.is_whole(Path::new(package.folder))
        {
            return Ok(Found::Folder {
                path: package.folder.into(),
                origin: format!("system package, {}", package.folder),
            });
        }
        let reason = match (&self.network, cache) {
            (None, _) => "not on this machine, and --offline forbids to download it".to_string(),
            (_, None) => {
                "not on this machine, and there is no home folder to download it to".into()
            }
            (Some(network), Some(path)) => {
                match download::download(bundle, &path, network, self.quiet) {
                    Ok(()) => {
                        let origin = format!("downloaded to {}", path.display());
                        return Ok(Found::Folder { path, origin });
                    }
                    Err(reason) => {
                        format!("not on this machine, and the download failed: {reason}")
                    }
                }
            }
        };
        Ok(Found::Nothing { reason })
    }

    /// As [`find`](Self::find), but a folder that the user named may have the files of `part` in place of those of `bundle`.
    ///
    /// # Errors
    /// As for `find`.
    pub(super) fn find_or_part(&self, bundle: &Bundle, part: &Bundle) -> Result<Found> {
        for (_, folder) in &self.named {
            if bundle.inside(folder).is_ok_and(|path| path.is_some()) {
                break;
            }
            if let Ok(Some(path)) = part.inside(folder) {
                let origin = format!("folder {}", path.display());
                return Ok(Found::Folder { path, origin });
            }
        }
        self.find(bundle)
    }

    /// The first of these files or folders that is in a folder the user named or in the cache, and where that is in words.
    ///
    /// # Errors
    /// [`Error::Usage`] for a folder that was named and does not exist.
    pub(super) fn look(&self, names: &[&str]) -> Result<Option<(PathBuf, String)>> {
        for (how, folder) in &self.named {
            if !folder.is_dir() {
                let folder = folder.display();
                return Err(Error::Usage(format!(
                    "{how} {folder}: there is no such folder"
                )));
            }
        }
        let named = self.named.iter().map(|(_, folder)| (folder, "folder"));
        let cache = self.cache.iter().map(|folder| (folder, "cache"));
        let mut all = named
            .chain(cache)
            .flat_map(|(folder, what)| names.iter().map(move |name| (folder.join(name), what)));
        let found = all.find(|(path, _)| path.exists());
        Ok(found.map(|(path, what)| {
            let origin = format!("{what} {}", path.display());
            (path, origin)
        }))
    }

    /// The only file of `bundle`, downloaded if it is nowhere else, and where it is in words. Nothing can take its place.
    ///
    /// # Errors
    /// Those of [`Self::find`], and [`Error::Data`] when it can't be had: it says where to get it.
    pub(super) fn only_file(&self, bundle: &Bundle) -> Result<(PathBuf, String)> {
        match self.find(bundle)? {
            Found::Folder { path, origin } => {
                let mut files = bundle.files.iter();
                let file = files.find_map(|file| file_in(&path, file.name));
                let gone = || Error::Data(format!("{}: {} is gone", path.display(), bundle.name));
                Ok((file.ok_or_else(gone)?, origin))
            }
            Found::Nothing { reason } => Err(self.missing(bundle, &reason)),
        }
    }

    /// Tells the user that `stand_in` takes the place of `bundle`, which was not found because of `reason`.
    ///
    /// # Errors
    /// [`Error::Data`] if only the set itself will do; it says which file to put where.
    pub(super) fn stand_in(&self, bundle: &Bundle, reason: &str, stand_in: &str) -> Result<()> {
        let name = bundle.name;
        if self.require_real {
            return Err(self.missing(bundle, reason));
        }
        let text = format!(
            "{name} is {reason}.\nIn its place: {stand_in}. (--data real refuses it, and says how to get {name}.)"
        );
        announce(&text, self.quiet);
        Ok(())
    }

    /// That `bundle` was not found because of `reason`, and which file to put where.
    pub(super) fn missing(&self, bundle: &Bundle, reason: &str) -> Error {
        let files = bundle.files.iter().map(|file| {
            let mirror = bundle.mirrors.first().unwrap_or(&"");
            format!("\n  {mirror}{} ({} bytes)", file.name, file.bytes)
        });
        let (name, remedy) = (bundle.name, self.remedy(bundle));
        let files: String = files.collect();
        Error::Data(format!("{name} is {reason}.\n{remedy}{files}"))
    }

    /// Where to put the files of `bundle`, which are to be listed after this.
    fn remedy(&self, bundle: &Bundle) -> String {
        let inner = bundle.folders[0];
        let mut text = String::new();
        if let Some(package) = &bundle.package {
            text += &format!(
                "On this kind of system it may be a package: {}. Or put",
                package.install
            );
        } else {
            text += "Put";
        }
        text += " these files";
        if let Some(cache) = &self.cache {
            text += &format!(" into {}, or", cache.join(inner).display());
        }
        text + &format!(
            " into FOLDER/{inner} and give --data-dir FOLDER (or set {VARIABLE}=FOLDER):"
        )
    }

    /// Adds to an error about a damaged file in the cache how to get a new one.
    pub(super) fn explain(&self, error: Error, folder: &Path) -> Error {
        match (error, &self.cache) {
            (Error::Data(text), Some(cache)) if folder.starts_with(cache) => Error::Data(format!(
                "{text}\nDelete the file, and the next run downloads it again."
            )),
            (error, _) => error,
        }
    }
}

/// A relative path is meant from where the person stands: the current folder, or the workspace's root when Cargo has started
/// a test in the folder of its crate.
fn from_workspace(path: PathBuf) -> PathBuf {
    if path.is_relative()
        && !path.exists()
        && let Some(crate_folder) = std::env::var_os("CARGO_MANIFEST_DIR")
    {
        let from_root = Path::new(&crate_folder).join("..").join(&path);
        if from_root.exists() {
            return from_root;
        }
    }
    path
}

impl Bundle {
    /// The folder inside `folder` that holds this set; an error if one has a part of it only.
    fn inside(&self, folder: &Path) -> Result<Option<PathBuf>> {
        for inner in self.folders {
            let path = match *inner {
                "" => folder.to_path_buf(),
                inner => folder.join(inner),
            };
            let missing: Vec<&str> = self
                .files
                .iter()
                .map(|file| file.name)
                .filter(|name| file_in(&path, name).is_none())
                .collect();
            if missing.len() == self.files.len() || inner.is_empty() && !(self.accepts_bare)(&path)
            {
                continue;
            }
            if missing.is_empty() {
                return Ok(Some(path));
            }
            return Err(Error::Data(format!(
                "{}: has only a part of {}; add {} (unpacked will do)",
                path.display(),
                self.name,
                missing.join(", ")
            )));
        }
        Ok(None)
    }

    /// Whether all files are in `folder`.
    pub(super) fn is_whole(&self, folder: &Path) -> bool {
        let mut files = self.files.iter();
        files.all(|file| file_in(folder, file.name).is_some())
    }
}

/// The file of this name in `folder`, or the same without `.gz`.
pub(super) fn file_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let unpacked = name.strip_suffix(".gz").unwrap_or(name);
    [name, unpacked]
        .into_iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

/// Tells the user on standard error, once in a run, that something else is used than what was asked for.
pub(super) fn announce(text: &str, quiet: bool) {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut said = SAID.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !quiet && !said.iter().any(|earlier| earlier == text) {
        eprintln!("{text}");
        said.push(text.to_string());
    }
}

#[cfg(test)]
mod tests;
