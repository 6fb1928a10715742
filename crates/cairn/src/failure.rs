//! What went wrong, and the exit code that says so.
//!
//! The codes are an interface: scripts branch on them, and `cairn --help` lists them.

use std::fmt::Display;

/// The result of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// A command that did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Anything that has no code of its own.
    #[error("{0}")]
    Failed(String),
    /// The settings make no sense together, or a value cannot be read.
    #[error("{0}")]
    Usage(String),
    /// The server knows no such resource.
    #[error("{0}")]
    NotFound(String),
    /// A snapshot is not what it claims to be.
    #[error("{0}")]
    NotVerified(String),
    /// No server answers.
    #[error("{0}")]
    Unreachable(String),
    /// Another server has this data directory.
    #[error("{0}")]
    InUse(String),
    /// A disk file that is not imported because of what it is.
    #[error("{0}")]
    BadImage(String),
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The program that a command ran for the user ended with this code.
    #[error("the command ended with exit code {0}")]
    Child(u8),
}

impl Failure {
    /// A failure without a code of its own.
    pub(crate) fn failed(message: impl Display) -> Self {
        Self::Failed(message.to_string())
    }

    /// A disk file that is refused.
    pub(crate) fn bad_image(message: impl Display) -> Self {
        Self::BadImage(message.to_string())
    }

    /// The exit code, as `cairn --help` lists them.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::NotVerified(_) => 4,
            Self::Unreachable(_) => 5,
            Self::InUse(_) => 6,
            Self::BadImage(_) => 7,
            Self::Interrupted => 130,
            Self::Child(code) => *code,
        }
    }
}
