//! What can go wrong in this room.

use cairn_model::state::NoWay;

use crate::constraint::Constraint;

/// The result of a store call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A store call that failed.
#[expect(
    clippy::error_impl_error,
    reason = "it is the error of this crate, and named with it"
)]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A named rule of the schema does not allow the change; the caller knows what it means.
    #[error("the rule {0:?} of the schema does not allow this")]
    Constraint(Constraint),
    /// Somebody else changed the noun since it was read: read it again and decide anew.
    #[error("{noun} {id} was changed by somebody else in the meantime")]
    Conflict {
        /// The kind of noun.
        noun: &'static str,
        /// Its id.
        id: String,
    },
    /// A noun cannot get from the state that it is in to the one that it was to be in.
    #[error("{noun} {id}: {way}")]
    State {
        /// The kind of noun.
        noun: &'static str,
        /// Its id.
        id: String,
        /// Why not.
        way: NoWay,
    },
    /// A stored document does not have the form that this version expects.
    #[error("the stored {noun} cannot be read: {reason}")]
    Damaged {
        /// The kind of noun.
        noun: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The schema could not be brought up to date.
    #[error("bring the schema up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The file could not be made.
    #[error("create the database file: {0}")]
    Create(std::io::Error),
    /// The database failed for a reason of its own.
    #[error("database: {0}")]
    Database(sqlx::Error),
}

/// SQLite's code for a file system without space.
const SQLITE_FULL: &str = "13";

impl Error {
    /// Whether the file system has no space left.
    pub fn is_storage_full(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().as_deref() == Some(SQLITE_FULL)
            }
            Self::Create(error) => error.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match Constraint::violated_by(&error) {
            Some(constraint) => Self::Constraint(constraint),
            None => Self::Database(error),
        }
    }
}
