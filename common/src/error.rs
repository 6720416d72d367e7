//! One error type for the workspace: what went wrong, where, and how to mend it.

/// What went wrong, told to the person at the keyboard: what, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A flag, name or value that can't be used. Exit status 2.
    #[error("{0}")]
    Usage(String),
    /// A data set, picture, checkpoint or model file that is missing, damaged or of another kind. Exit status 2.
    #[error("{0}")]
    Data(String),
    /// A file that can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// Training stopped: a loss that is no number, or a failure inside the training framework.
    #[error("{0}")]
    Training(String),
    /// The user pressed Ctrl-C.
    #[error("{0}")]
    Interrupted(String),
}

/// `Result` with the workspace's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An [`Error::Io`] for `path`, to be used with `map_err`.
    pub fn io(path: impl Into<std::path::PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }

    /// The exit status of a program that ends with this error: 1 for a run that failed, 2 for what
    /// can't be started as asked, 130 for Ctrl-C.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) | Error::Data(_) | Error::Io { .. } => 2,
            Error::Training(_) => 1,
            Error::Interrupted(_) => 130,
        }
    }
}
