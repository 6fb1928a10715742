//! What can be wrong with a request, before a dialect gives it a name.

use cairn_control as control;

use crate::{form::FormError, query::QueryError, sigv4::AuthError};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    /// It is not accepted as its sender's.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// Its form cannot be read.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A parameter cannot be accepted.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A verb refused it.
    #[error(transparent)]
    Verb(#[from] control::Error),
    /// It names no action.
    #[error("The request is missing an action or a required parameter.")]
    ActionMissing,
    /// The action is not one of this service's.
    #[error("The action {0} is not valid for this web service.")]
    ActionUnknown(String),
    /// The version is not one of this service's.
    #[error("The requested version ({version}) of service {service} does not exist")]
    VersionUnknown {
        /// What was asked for.
        version: String,
        /// The service, as its errors name it.
        service: &'static str,
    },
    /// Method and path are none of this service's.
    #[error("The requested operation is not recognized by the service.")]
    OperationUnknown,
    /// The service is not here.
    #[error("Credential should be scoped to a service that is served here, not '{0}'.")]
    ServiceUnknown(String),
    /// Its body is longer than a request of its kind can be.
    #[error("The request body must not exceed {limit} bytes.")]
    BodyTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Its body did not arrive.
    #[error("The request body did not arrive in time or in full.")]
    BodyBroken,
    /// Its body is said to be something else than a form.
    #[error(
        "The request body must be of the content type application/x-www-form-urlencoded, not '{0}'."
    )]
    ContentType(String),
    /// Its body is not the JSON that it should be.
    #[error("{0}")]
    Json(String),
    /// A header or path parameter of a REST request is missing.
    #[error("The request must contain the parameter {0}")]
    FieldMissing(String),
    /// A header, path or query parameter of a REST request is of the wrong type.
    #[error("Value for parameter {name} is invalid. Expected {expected}.")]
    FieldInvalid {
        /// The parameter.
        name: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// A parameter in the query string that no REST request of its kind has.
    #[error("The parameter {0} is not recognized")]
    FieldUnknown(String),
    /// A parameter of a REST request that came more than once.
    #[error("The parameter {0} was given more than once.")]
    FieldRepeated(String),
    /// Something broke here; the log tells what.
    #[error("An internal error has occurred. The server's log tells more.")]
    Internal,
}
