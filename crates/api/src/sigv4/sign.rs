//! Signing, for our own client and for tests.

use cairn_model::Timestamp;
use http::{
    HeaderValue,
    header::{AUTHORIZATION, HOST},
    request,
};

use super::{
    ALGORITHM, AuthError, Parts, Payload, Scope, UNSIGNED_PAYLOAD, canonical, key::StringToSign,
    presented,
};

/// An access key with its secret.
#[derive(Clone)]
pub struct Credentials {
    /// The id, which is sent.
    pub access_key_id: String,
    /// The secret, which is not.
    pub secret_access_key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Signs a request in its `Authorization` header, with every header that it has so far. Adds
/// `x-amz-date`, `host` where the URI has an authority and the header is not there, and
/// `x-amz-content-sha256` for a body that is not signed.
///
/// # Errors
///
/// If the access key id, region or service cannot stand in a header.
pub fn sign(
    request: &mut request::Parts,
    payload: &Payload<'_>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: Timestamp,
) -> Result<(), AuthError> {
    let stamp = presented::stamp(now);
    let scope = Scope {
        date: stamp[..8].to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
    };
    add_headers(request, payload, &stamp)?;
    let mut names: Vec<String> = request
        .headers
        .keys()
        .map(|name| name.as_str().to_owned())
        .collect();
    names.sort_unstable();
    let canonical_request = canonical::request(&parts_of(request), &names, payload);
    let string = StringToSign {
        stamp: &stamp,
        scope: &scope,
        canonical_request: &canonical_request,
    };
    let authorization = format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={}",
        credentials.access_key_id,
        names.join(";"),
        string.sign(&credentials.secret_access_key)
    );
    request
        .headers
        .insert(AUTHORIZATION, header_value(&authorization)?);
    Ok(())
}

fn add_headers(
    request: &mut request::Parts,
    payload: &Payload<'_>,
    stamp: &str,
) -> Result<(), AuthError> {
    request.headers.remove(AUTHORIZATION);
    request.headers.insert("x-amz-date", header_value(stamp)?);
    if let Some(authority) = request.uri.authority()
        && !request.headers.contains_key(HOST)
    {
        let host = header_value(authority.as_str())?;
        request.headers.insert(HOST, host);
    }
    if let Payload::Unsigned = payload {
        request.headers.insert(
            "x-amz-content-sha256",
            HeaderValue::from_static(UNSIGNED_PAYLOAD),
        );
    }
    Ok(())
}

/// What of a request is signed.
fn parts_of(request: &request::Parts) -> Parts<'_> {
    Parts {
        method: request.method.as_str(),
        path: request.uri.path(),
        query: request.uri.query().unwrap_or_default(),
        headers: &request.headers,
    }
}

fn header_value(text: &str) -> Result<HeaderValue, AuthError> {
    HeaderValue::from_str(text)
        .map_err(|_| AuthError::incomplete("a part of the signature cannot stand in a header"))
}
