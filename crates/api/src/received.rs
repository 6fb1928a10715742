//! A request that has arrived in full.

use std::{sync::OnceLock, time::Duration};

use bytes::Bytes;
use cairn_control::ebs::Hashed;
use http::{
    HeaderMap, HeaderValue, Method, Request,
    header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT},
    request,
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body;

use crate::{
    form,
    problem::Problem,
    query::Group,
    sigv4::{Parts, presented::QUERY_PARAMETERS},
};

/// The greatest body, in bytes: a form of EC2 may have 1 MiB, a block has half of that.
pub(crate) const BODY_LENGTH_MAX: usize = 1 << 20;
/// What a body of a query protocol is.
const FORM: &str = "application/x-www-form-urlencoded";
/// How long a body may take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);
/// How much of a body that is too long is still read, so that its sender hears the answer: most
/// clients listen only once they have sent everything.
const DRAINED_LENGTH_MAX: usize = 256 << 20;

/// A request with its body.
#[derive(Debug)]
pub(crate) struct Received {
    head: request::Parts,
    pub(crate) body: Bytes,
    hashed: OnceLock<Hashed<Bytes>>,
}

impl Received {
    /// Waits for the body of a request. Also returns the request where its body is refused, to
    /// answer it in the right words.
    pub(crate) async fn new<B>(request: Request<B>) -> (Self, Result<(), Problem>)
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let (body, outcome) = match receive(&head.headers, body).await {
            Ok(body) => (body, Ok(())),
            Err(problem) => (Bytes::new(), Err(problem)),
        };
        let received = Self {
            head,
            body,
            hashed: OnceLock::new(),
        };
        (received, outcome)
    }

    /// The method.
    pub(crate) fn method(&self) -> &Method {
        &self.head.method
    }

    /// The path, as it was sent.
    pub(crate) fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// The headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The body with its SHA-256, which is computed once: a signature covers it, a checksum is
    /// compared with it, and a block is stored by it.
    pub(crate) fn hashed(&self) -> &Hashed<Bytes> {
        self.hashed.get_or_init(|| Hashed::of(self.body.clone()))
    }

    /// What is signed.
    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts {
            method: self.head.method.as_str(),
            path: self.path(),
            query: self.query(),
            headers: self.headers(),
        }
    }

    /// The parameters of the query string that are not those of a signature.
    pub(crate) fn query_parameters(&self) -> Result<Vec<(String, String)>, Problem> {
        let mut pairs = form::decode(self.query().as_bytes())?;
        pairs.retain(|(name, _)| !QUERY_PARAMETERS.contains(&name.as_str()));
        Ok(pairs)
    }

    /// The parameters of a query protocol: those of the query string and those of the body.
    pub(crate) fn form_parameters(&self) -> Result<Group, Problem> {
        let mut pairs = self.query_parameters()?;
        if !self.body.is_empty() {
            self.check_form_type()?;
        }
        pairs.extend(form::decode(&self.body)?);
        Ok(Group::new(pairs)?)
    }

    /// Refuses a body that is said to be something else than a form; one of which nothing is said
    /// is taken for one.
    fn check_form_type(&self) -> Result<(), Problem> {
        let Some(value) = self.headers().get(CONTENT_TYPE) else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(value.as_bytes());
        let essence = text.split(';').next().unwrap_or_default().trim();
        if essence.is_empty() || essence.eq_ignore_ascii_case(FORM) {
            return Ok(());
        }
        Err(Problem::ContentType(essence.chars().take(64).collect()))
    }

    /// Whether a text stands anywhere in query string or body.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.query().contains(text)
            || self
                .body
                .windows(text.len())
                .any(|window| window == text.as_bytes())
    }

    fn query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }
}

async fn receive<B>(headers: &HeaderMap, body: B) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > BODY_LENGTH_MAX as u64) {
        if !waits_for_consent(headers) {
            drain(body).await;
        }
        return Err(Problem::BodyTooLong {
            limit: BODY_LENGTH_MAX,
        });
    }
    let collected =
        tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, BODY_LENGTH_MAX).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::BodyTooLong {
            limit: BODY_LENGTH_MAX,
        }),
        Ok(Err(_)) | Err(_) => Err(Problem::BodyBroken),
    }
}

/// Whether a client sends its body only once it is told to; to read it would be to tell it.
fn waits_for_consent(headers: &HeaderMap) -> bool {
    let expected = headers.get(EXPECT).map(HeaderValue::as_bytes);
    expected.is_some_and(|expected| expected.eq_ignore_ascii_case(b"100-continue"))
}

/// Reads what is left of a body and drops it, up to a bound.
async fn drain<B>(mut body: B)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left = DRAINED_LENGTH_MAX;
    let drained = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Whether it came to an end does not matter: the answer is the same.
    drop(tokio::time::timeout(BODY_TIME_MAX, drained).await);
}
