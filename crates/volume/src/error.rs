//! What can go wrong with a volume, by what the caller has to do about it.

use std::io;

use crate::types::EpochTag;

/// A failure of a volume.
#[allow(clippy::error_impl_error)] // Its full name is `cairn_volume::Error`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system failed.
    #[error("{action}")]
    Io {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// The answer.
        source: io::Error,
    },
    /// The block store failed.
    #[error("block store")]
    Store(#[from] cairn_blocks::Error),
    /// Somebody else has the volume open.
    #[error("the volume is in use")]
    Locked,
    /// A volume, or something else, is there already.
    #[error("the directory is not empty")]
    Exists,
    /// There is no volume.
    #[error("there is no volume")]
    NotFound,
    /// The files contradict themselves: what the volume held cannot be known.
    #[error("the volume is damaged: {0}")]
    Damaged(String),
    /// The volume is sealed, and there was no key.
    #[error("the volume is encrypted, and there is no key")]
    KeyNeeded,
    /// The volume is sealed with another key.
    #[error("the volume is encrypted with another key")]
    WrongKey,
    /// The caller asked for something that cannot be.
    #[error("{0}")]
    Invalid(&'static str),
    /// A sync failed earlier: the kernel may have dropped what it could not write. The volume has
    /// to be reopened, and what was written since the last flush may be lost.
    #[error("the volume failed to sync")]
    Failed,
    /// The volume was closed.
    #[error("the volume is closed")]
    Closed,
    /// Too many epochs wait for their capture.
    #[error("{max} epochs are pending already")]
    TooManyEpochs {
        /// The limit.
        max: usize,
    },
    /// The tag is in use.
    #[error("epoch {0} is pending already")]
    EpochExists(EpochTag),
    /// No such epoch is pending.
    #[error("epoch {0} is not pending")]
    UnknownEpoch(EpochTag),
    /// An earlier epoch has to be committed or abandoned first.
    #[error("epoch {first} comes first")]
    OutOfOrder {
        /// The oldest pending epoch.
        first: EpochTag,
    },
    /// The epoch was not captured to its end.
    #[error("epoch {0} is not captured")]
    NotCaptured(EpochTag),
    /// The caller, or an abandon, stopped the capture.
    #[error("the capture was cancelled")]
    Cancelled,
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io { source, .. } => source,
            Error::Invalid(what) => Self::new(io::ErrorKind::InvalidInput, what),
            other => Self::other(other),
        }
    }
}

impl Error {
    /// Whether the file system has no space left.
    pub fn is_storage_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Self::Store(source) => source.is_storage_full(),
            _ => false,
        }
    }
}

/// Names what was tried, on the way from `io::Error` to [`Error`].
pub(crate) trait IoContext<T> {
    /// Adds a verb phrase.
    fn context(self, action: &'static str) -> Result<T, Error>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn context(self, action: &'static str) -> Result<T, Error> {
        self.map_err(|source| match source.downcast::<Error>() {
            // What is damaged is final, and its caller has to see that.
            Ok(damaged @ Error::Damaged(_)) => damaged,
            Ok(other) => Error::Io {
                action,
                source: other.into(),
            },
            Err(source) => Error::Io { action, source },
        })
    }
}
