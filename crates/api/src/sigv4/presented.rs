//! What a client presents to show who it is.

use cairn_model::Timestamp;
use chrono::{DateTime, NaiveDateTime};
use http::{HeaderMap, header};

use super::{ALGORITHM, AuthError, Parts, Scope, TIME_FORMAT};
use crate::form;

/// Parameters of a query-signed request; they belong to no operation.
pub const QUERY_PARAMETERS: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
];

/// A signature and what it claims to sign, from the `Authorization` header or from the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Whose signature it is said to be.
    pub access_key_id: String,
    /// The scope of its key.
    pub scope: Scope,
    /// Names of the signed headers, in small letters and in order.
    pub signed_headers: Vec<String>,
    /// The signature.
    pub signature: Vec<u8>,
    /// When it was made.
    pub time: Timestamp,
    /// The same as it was written.
    pub stamp: String,
    /// For how many seconds after that it is good, if it says so.
    pub expires: Option<u64>,
    /// The token of temporary credentials, if it comes with one.
    pub session_token: Option<String>,
}

impl Presented {
    /// Reads what a request presents.
    ///
    /// # Errors
    ///
    /// If it presents nothing, or not all that it takes, or something that cannot be read.
    pub fn of(parts: &Parts<'_>) -> Result<Self, AuthError> {
        let authorization = single(parts.headers, header::AUTHORIZATION.as_str())?;
        let in_query = match form::decode(parts.query.as_bytes()) {
            Ok(pairs) => Fields::of_query(pairs)?,
            // Signed in a header: what is wrong with the query is wrong with the request.
            Err(_) if authorization.is_some() => None,
            Err(error) => return Err(AuthError::incomplete(error)),
        };
        match (authorization, in_query) {
            (None, None) => Err(AuthError::MissingToken),
            (Some(_), Some(_)) => Err(AuthError::incomplete(
                "Only one way of signing a request may be used.",
            )),
            (Some(text), None) => Self::from_fields(Fields::of_header(text, parts.headers)?),
            (None, Some(fields)) => Self::from_fields(fields),
        }
    }

    fn from_fields(fields: Fields) -> Result<Self, AuthError> {
        let credential = fields
            .credential
            .ok_or_else(|| AuthError::lacks("Credential"))?;
        let signature = fields
            .signature
            .ok_or_else(|| AuthError::lacks("Signature"))?;
        let signed_headers = fields
            .signed_headers
            .ok_or_else(|| AuthError::lacks("SignedHeaders"))?;
        let date = fields.date.ok_or_else(|| {
            AuthError::incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        })?;
        let (access_key_id, scope) = split_credential(&credential)?;
        let time = parse_time(&date)?;
        Ok(Self {
            access_key_id,
            scope,
            signed_headers: split_headers(&signed_headers)?,
            signature: decode_signature(&signature)?,
            time,
            stamp: stamp(time),
            expires: fields
                .expires
                .map(|text| parse_expires(&text))
                .transpose()?,
            session_token: fields.session_token,
        })
    }
}

/// How a time is written in what is signed.
pub(super) fn stamp(time: Timestamp) -> String {
    let time = DateTime::from_timestamp_micros(time.0).unwrap_or_default();
    time.format(TIME_FORMAT).to_string()
}

/// The fields of a signature as text.
#[derive(Debug, Default)]
struct Fields {
    credential: Option<String>,
    signed_headers: Option<String>,
    signature: Option<String>,
    date: Option<String>,
    expires: Option<String>,
    session_token: Option<String>,
}

impl Fields {
    /// Of a query, if it has any of them.
    fn of_query(pairs: Vec<(String, String)>) -> Result<Option<Self>, AuthError> {
        let (mut fields, mut algorithm, mut any) = (Self::default(), None, false);
        for (name, value) in pairs {
            let field = match name.as_str() {
                "X-Amz-Algorithm" => &mut algorithm,
                "X-Amz-Credential" => &mut fields.credential,
                "X-Amz-Date" => &mut fields.date,
                "X-Amz-Expires" => &mut fields.expires,
                "X-Amz-SignedHeaders" => &mut fields.signed_headers,
                "X-Amz-Signature" => &mut fields.signature,
                "X-Amz-Security-Token" => &mut fields.session_token,
                _ => continue,
            };
            any = true;
            if field.replace(value).is_some() {
                return Err(AuthError::incomplete(format_args!(
                    "The parameter {name} was given more than once."
                )));
            }
        }
        match algorithm.as_deref() {
            _ if !any => Ok(None),
            Some(ALGORITHM) => Ok(Some(fields)),
            other => Err(AuthError::unsupported(other.unwrap_or_default())),
        }
    }

    /// Of an `Authorization` header and what goes with it.
    fn of_header(text: &str, headers: &HeaderMap) -> Result<Self, AuthError> {
        let (algorithm, rest) = text.trim().split_once([' ', '\t']).unwrap_or((text, ""));
        if algorithm != ALGORITHM {
            return Err(AuthError::unsupported(algorithm));
        }
        let mut fields = Self::default();
        for pair in rest
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let field = match name {
                "Credential" => &mut fields.credential,
                "SignedHeaders" => &mut fields.signed_headers,
                "Signature" => &mut fields.signature,
                _ => {
                    return Err(AuthError::incomplete(format_args!(
                        "'{name}' is not a part of Authorization."
                    )));
                }
            };
            if field.replace(value.to_owned()).is_some() {
                return Err(AuthError::incomplete(format_args!(
                    "'{name}' was given more than once."
                )));
            }
        }
        let date = single(headers, "x-amz-date")?.or(single(headers, header::DATE.as_str())?);
        fields.date = date.map(str::to_owned);
        fields.session_token = single(headers, "x-amz-security-token")?.map(str::to_owned);
        Ok(fields)
    }
}

/// The value of a header that may occur once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, AuthError> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(AuthError::incomplete(format_args!(
            "The header '{name}' was given more than once."
        )));
    }
    let text = first.map(|value| value.to_str()).transpose();
    text.map_err(|_| AuthError::incomplete(format_args!("The header '{name}' is not text.")))
}

fn split_credential(credential: &str) -> Result<(String, Scope), AuthError> {
    let parts = credential
        .split_once('/')
        .and_then(|(key, scope)| Some((key, Scope::parse(scope)?)));
    match parts {
        Some((key, scope)) if !key.is_empty() => Ok((key.to_owned(), scope)),
        _ => Err(AuthError::incomplete(
            "Credential must have exactly 5 slash-delimited elements: \
             access key id, date, region, service and aws4_request.",
        )),
    }
}

fn split_headers(text: &str) -> Result<Vec<String>, AuthError> {
    let names: Vec<String> = text.split(';').map(str::to_owned).collect();
    let in_order = names.windows(2).all(|two| two[0] < two[1]);
    let well_formed =
        |name: &String| !name.is_empty() && !name.bytes().any(|b| b.is_ascii_uppercase());
    match in_order && names.iter().all(well_formed) {
        true => Ok(names),
        false => Err(AuthError::incomplete(
            "SignedHeaders must be small letters, in order, separated by ';'.",
        )),
    }
}

fn decode_signature(text: &str) -> Result<Vec<u8>, AuthError> {
    let signature = hex::decode(text).ok().filter(|bytes| bytes.len() == 32);
    signature.ok_or_else(|| AuthError::incomplete("Signature must be 64 hexadecimal digits."))
}

/// Times are in ISO 8601's basic format; a `Date` header may have HTTP's own.
fn parse_time(text: &str) -> Result<Timestamp, AuthError> {
    let basic = NaiveDateTime::parse_from_str(text, TIME_FORMAT).map(|time| time.and_utc());
    let time = basic.or_else(|_| DateTime::parse_from_rfc2822(text).map(|time| time.to_utc()));
    time.map(|time| Timestamp(time.timestamp_micros()))
        .map_err(|_| {
            AuthError::incomplete(format_args!(
                "Date must be in ISO-8601 'basic format'. Got '{text}'."
            ))
        })
}

fn parse_expires(text: &str) -> Result<u64, AuthError> {
    let seconds = text
        .parse()
        .ok()
        .filter(|seconds| (1..=super::verify::EXPIRES_MAX_SECONDS).contains(seconds));
    seconds
        .ok_or_else(|| AuthError::incomplete("X-Amz-Expires must be between 1 and 604800 seconds."))
}
