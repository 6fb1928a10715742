//! The server: one address for every service of every region.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use cairn_control::{Caller, Control};
use cairn_model::{Clock, Entropy, Region};
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::{body::Body, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use crate::{
    account, cairn,
    dialect::{Answer, Dialect, REQUEST_ID},
    ebs, ec2, kms,
    problem::Problem,
    rbin,
    received::Received,
    sigv4::{AuthError, Payload, Presented, UNSIGNED_PAYLOAD},
    sts,
};

/// Requests that are worked on at once; further ones wait.
const REQUESTS_MAX: usize = 256;
/// Connections that are open at once; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 1024;
/// How long to wait where no connection can be accepted because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a client may take to send the head of a request, and may keep a connection idle.
const HEAD_TIME_MAX: Duration = Duration::from_secs(60);
/// How long requests may go on after the server was told to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(20);

/// The AWS dialects over the verbs.
#[derive(Clone, Debug)]
pub struct Api(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    control: Control,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    requests: Arc<Semaphore>,
}

impl Api {
    /// Makes a server over the verbs; the clock is what signatures are checked by.
    pub fn new(control: Control, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self(Arc::new(Inner {
            control,
            clock,
            entropy,
            requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
        }))
    }

    /// Serves connections until `shutdown` is ready, then lets requests come to their end.
    ///
    /// # Errors
    ///
    /// If the listener breaks.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let graceful = GracefulShutdown::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = async {
                // The semaphore is never closed.
                let permit = Arc::clone(&connections).acquire_owned().await;
                (permit, listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                () = &mut shutdown => break,
                accepted = accepted => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.connect(stream, peer, permit, &graceful),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) if is_of_too_many_files(&error) => {
                    tracing::warn!(%error, "no connection can be accepted for now");
                    if tokio::time::timeout(ACCEPT_PAUSE, &mut shutdown)
                        .await
                        .is_ok()
                    {
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        drop(listener);
        if tokio::time::timeout(DRAIN_TIME_MAX, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("some requests did not end in time; their connections are cut");
        }
        Ok(())
    }

    fn connect<P: Send + 'static>(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        permit: P,
        graceful: &GracefulShutdown,
    ) {
        // Answers are small and whole: waiting for more of them to send at once only delays.
        drop(stream.set_nodelay(true));
        let api = self.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let api = api.clone();
            async move { Ok::<_, std::convert::Infallible>(api.answer(request).await) }
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME_MAX);
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, %error, "a connection broke");
            }
            drop(permit);
        });
    }

    /// Answers one request.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let request_id = self.new_request_id();
        let (received, arrived) = Received::new(request).await;
        let mut answer = match arrived {
            Ok(()) => self.answer_received(received, &request_id).await,
            Err(problem) => spoken(&received).0.refuse(&problem, &request_id),
        };
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            answer.headers_mut().insert(REQUEST_ID, value);
        }
        answer.map(Full::new)
    }

    /// Answers on a task of its own: a verb goes on to its end when its client goes away, and one
    /// that panics is an answer too. A request waits for its turn only once it is whole, so that
    /// slow senders hold nobody up.
    async fn answer_received(&self, received: Received, request_id: &str) -> Answer {
        let (dialect, presented) = spoken(&received);
        // The semaphore is never closed.
        let turn = Arc::clone(&self.0.requests).acquire_owned().await;
        let (api, id) = (self.clone(), request_id.to_owned());
        let call = tokio::spawn(async move {
            let outcome = api.call(dialect, presented, &received, &id).await;
            drop(turn);
            outcome
        });
        let outcome = call.await.unwrap_or_else(|error| {
            tracing::error!(request_id, %error, "a request panicked");
            Err(Problem::Internal)
        });
        outcome.unwrap_or_else(|problem| dialect.refuse(&problem, request_id))
    }

    async fn call(
        &self,
        dialect: Dialect,
        presented: Result<Presented, AuthError>,
        received: &Received,
        request_id: &str,
    ) -> Result<Answer, Problem> {
        let caller = self.authenticate(&presented?, received).await?;
        tracing::debug!(request_id, ?dialect, account = %caller.account, region = %caller.region, "called");
        let control = &self.0.control;
        match dialect {
            Dialect::Ec2 => {
                ec2::call(control, &caller, received.form_parameters()?, request_id).await
            }
            Dialect::Sts => sts::call(&caller, received.form_parameters()?, request_id),
            Dialect::Ebs => ebs::call(control, &caller, received).await,
            Dialect::Rbin => rbin::call(control, &caller, received).await,
            Dialect::Kms => kms::call(control, &caller, received).await,
            Dialect::Account => account::call(control, &caller, received).await,
            Dialect::Cairn => cairn::call(control, &caller, received, self.0.clock.now()).await,
        }
    }

    /// Who sent a request, if its signature holds.
    async fn authenticate(
        &self,
        presented: &Presented,
        received: &Received,
    ) -> Result<Caller, Problem> {
        let dialect = Dialect::of_service(&presented.scope.service)
            .ok_or_else(|| Problem::ServiceUnknown(presented.scope.service.clone()))?;
        let region = Region::named(&presented.scope.region)
            .ok_or_else(|| unknown_region(&presented.scope.region))?;
        presented.check_time(self.0.clock.now())?;
        if presented.session_token.is_some() {
            return Err(AuthError::SessionToken.into());
        }
        let key = self
            .0
            .control
            .access_key(&presented.access_key_id)
            .await?
            .ok_or(AuthError::UnknownKey)?;
        let payload = signed_payload(dialect, received);
        presented.check_signature(&received.parts(), &payload, &key.secret)?;
        // A region that the account has not opted into does not know its keys.
        let control = &self.0.control;
        if !control.region_opt(&key.account, region).await?.is_enabled() {
            return Err(AuthError::UnknownKey.into());
        }
        Ok(Caller {
            account: key.account.clone(),
            access_key_id: key.id.clone(),
            region,
            operator: key.operator,
            memberships: key.memberships.clone(),
        })
    }

    /// A request's id: 128 random bits, written as AWS writes them.
    fn new_request_id(&self) -> String {
        let mut bytes = [0; 16];
        self.0.entropy.fill(&mut bytes);
        let hex = hex::encode(bytes);
        [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ]
        .join("-")
    }
}

/// The dialect of a request, and what it presents.
fn spoken(received: &Received) -> (Dialect, Result<Presented, AuthError>) {
    let presented = Presented::of(&received.parts());
    let service = presented
        .as_ref()
        .ok()
        .and_then(|presented| Dialect::of_service(&presented.scope.service));
    (
        service.unwrap_or_else(|| Dialect::guessed(received)),
        presented,
    )
}

/// Only the blocks of EBS direct may come unsigned, as its model says; they have a checksum.
fn signed_payload(dialect: Dialect, received: &Received) -> Payload<'_> {
    let declared = received
        .headers()
        .get("x-amz-content-sha256")
        .map(HeaderValue::as_bytes);
    let unsigned = declared == Some(UNSIGNED_PAYLOAD.as_bytes());
    match dialect == Dialect::Ebs && received.method() == http::Method::PUT && unsigned {
        true => Payload::Unsigned,
        false => Payload::Sha256(received.hashed().digest().0),
    }
}

fn unknown_region(region: &str) -> AuthError {
    AuthError::Scope(format!(
        "Credential should be scoped to a valid region, not '{region}'."
    ))
}

/// Whether an error of `accept` is about the connection that was to be accepted, not the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::ConnectionAborted | K::ConnectionReset | K::ConnectionRefused | K::Interrupted
    )
}

/// Whether this process or the system has too many files open (ENFILE, EMFILE), which passes.
fn is_of_too_many_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}
