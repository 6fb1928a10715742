//! One connection in transmission: read a batch, execute it, send one batch.
//!
//! One thread reads. It takes every request that has arrived, executes those at once which the
//! device can do without waiting, and sends their replies together before it waits for more: a
//! client that keeps many requests in flight costs two system calls a batch rather than two a
//! request. What may wait goes to [`Workers`], which reply on their own. Replies come in any order.

use crate::{
    device::{Outcome, Wait},
    handshake::{self, HandshakeError, Session},
    inbox::{Garbage, Inbox, Next},
    operation::Operation,
    proto::{Request, command},
    registry::{Exports, Link, Place},
    reply::{Batch, Form, Refusal, Sender},
    workers::{Job, Workers},
};
use std::{io, mem, sync::Arc, time::Duration};

/// How often a connection that is to stop receives what its client had sent before. A Unix socket
/// says by itself when that is all; a TCP socket goes on for as long as the client sends.
const MAX_LAST_FILLS: usize = 64;

/// Why a connection ended other than by the client's wish.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error("negotiate")]
    Handshake(#[from] HandshakeError),
    #[error("exchange bytes with the client")]
    Io(#[from] io::Error),
    #[error("the client sends garbage")]
    Garbage(#[from] Garbage),
}

/// Serves a connection from the greeting to its end.
pub(crate) fn serve(
    place: &Place,
    exports: &Exports,
    handshake_timeout: Duration,
) -> Result<(), ConnectionError> {
    let link = &place.link;
    link.socket.set_timeout(Some(handshake_timeout))?;
    let Some(session) = handshake::negotiate(&*link.socket, exports, place.id)? else {
        return Ok(());
    };
    link.socket.set_timeout(None)?;
    transmit(link, session)
}

/// Serves requests until the client leaves or the link is told to stop, and answers all that were received.
fn transmit(link: &Link, session: Session) -> Result<(), ConnectionError> {
    let sender = Arc::new(Sender::new(Arc::clone(&link.socket)));
    let session = Arc::new(session);
    let workers = Workers::new(Arc::clone(&session), Arc::clone(&sender));
    let mut dispatcher = Dispatcher {
        session,
        sender,
        batch: Batch::new(),
        workers,
    };
    // Dropping the dispatcher waits for the workers. A client that broke the protocol, or is gone,
    // is not waited for.
    dispatcher.run(link).inspect_err(|_| link.socket.cut())
}

/// Whether more requests will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    More,
    End,
}

/// The payload of a request, where it lies.
enum Payload<'a> {
    /// In the inbox, to be copied by who keeps it.
    Borrowed(&'a [u8]),
    /// In a buffer of its own, to be taken by who keeps it.
    Own(&'a mut Vec<u8>),
}

impl Payload<'_> {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Own(bytes) => bytes,
        }
    }

    fn keep(self) -> Vec<u8> {
        match self {
            Self::Borrowed(bytes) => bytes.to_vec(),
            Self::Own(bytes) => mem::take(bytes),
        }
    }
}

struct Dispatcher {
    session: Arc<Session>,
    sender: Arc<Sender>,
    batch: Batch,
    workers: Workers,
}

impl Dispatcher {
    fn run(&mut self, link: &Link) -> Result<(), ConnectionError> {
        let mut inbox = Inbox::new();
        let mut last_fills = MAX_LAST_FILLS;
        loop {
            let flow = self.execute_received(&mut inbox, link);
            // What was executed is answered, whatever came after it.
            self.batch.send(&self.sender)?;
            if flow? == Flow::End || last_fills == 0 || !inbox.fill(&link.socket)? {
                return Ok(());
            }
            last_fills -= usize::from(link.is_stopping());
        }
    }

    /// Executes every request that is whole.
    fn execute_received(
        &mut self,
        inbox: &mut Inbox,
        link: &Link,
    ) -> Result<Flow, ConnectionError> {
        loop {
            match inbox.next()? {
                Next::Incomplete => return Ok(Flow::More),
                Next::Request(request, _) if request.command == command::DISC => {
                    return Ok(Flow::End);
                }
                Next::Request(request, payload) => {
                    self.execute(&request, Payload::Borrowed(payload))?;
                }
                Next::Large(request) => {
                    self.batch.send(&self.sender)?;
                    let Some(payload) = inbox.receive_large(request.payload_len(), &link.socket)?
                    else {
                        return Ok(Flow::End);
                    };
                    self.execute(&request, Payload::Own(payload))?;
                    inbox.trim();
                }
            }
        }
    }

    fn execute(&mut self, request: &Request, payload: Payload<'_>) -> io::Result<()> {
        let operation = match Operation::check(request, &self.session) {
            Ok(operation) => operation,
            Err(refusal) => return self.refuse(request, refusal),
        };
        let answered = match operation {
            Operation::Nothing => self.nothing(request)?,
            Operation::Read => self.read(request)?,
            Operation::Write { fua: false } => self.write(request, payload.as_slice())?,
            _ => false,
        };
        if !answered {
            return self.hand_over(Job {
                request: *request,
                operation,
                payload: payload.keep(),
            });
        }
        Ok(())
    }

    fn nothing(&mut self, request: &Request) -> io::Result<bool> {
        let form = self.session.form;
        self.reply(|room| match request.command {
            command::READ => form.done_reading_nothing(room, request.cookie),
            _ => form.done(room, request.cookie),
        })?;
        Ok(true)
    }

    /// Reads into the batch, if that can be done at once.
    fn read(&mut self, request: &Request) -> io::Result<bool> {
        let form = self.session.form;
        let head = form.data_head_len();
        let end = head + request.len as usize;
        if end > Batch::CAPACITY {
            return Ok(false);
        }
        self.make_room(end)?;
        let room = self.batch.room();
        match self
            .session
            .device
            .read(request.offset, &mut room[head..end], Wait::No)
        {
            Ok(Outcome::WouldBlock) => return Ok(false),
            Ok(Outcome::Done) => {
                form.data_head(room, request.cookie, request.offset, request.len);
                self.batch.commit(end);
                self.send_if_enough()?;
            }
            Err(error) => self.fail(request, &error)?,
        }
        Ok(true)
    }

    /// Writes, if that can be done at once.
    fn write(&mut self, request: &Request, payload: &[u8]) -> io::Result<bool> {
        match self
            .session
            .device
            .write(request.offset, payload, false, Wait::No)
        {
            Ok(Outcome::WouldBlock) => return Ok(false),
            Ok(Outcome::Done) => {
                let form = self.session.form;
                self.reply(|room| form.done(room, request.cookie))?;
            }
            Err(error) => self.fail(request, &error)?,
        }
        Ok(true)
    }

    fn fail(&mut self, request: &Request, error: &io::Error) -> io::Result<()> {
        tracing::warn!(%error, command = request.command, offset = request.offset, len = request.len, "request failed");
        self.refuse(request, Refusal::of(error))
    }

    fn refuse(&mut self, request: &Request, refusal: Refusal) -> io::Result<()> {
        let form = self.session.form;
        self.reply(|room| form.refusal(room, request.cookie, refusal))
    }

    /// Gives a request to a worker. Replies that are due do not wait for room there.
    fn hand_over(&mut self, job: Job) -> io::Result<()> {
        if !self.workers.has_room_for(&job) {
            self.batch.send(&self.sender)?;
        }
        self.workers.submit(job);
        Ok(())
    }

    /// Puts a short reply into the batch.
    fn reply(&mut self, write: impl FnOnce(&mut [u8]) -> usize) -> io::Result<()> {
        self.make_room(Form::MAX_SHORT)?;
        let len = write(self.batch.room());
        self.batch.commit(len);
        Ok(())
    }

    fn make_room(&mut self, len: usize) -> io::Result<()> {
        if !self.batch.fits(len.max(Form::MAX_SHORT)) {
            self.batch.send(&self.sender)?;
        }
        Ok(())
    }

    fn send_if_enough(&mut self) -> io::Result<()> {
        if self.batch.is_enough() {
            self.batch.send(&self.sender)?;
        }
        Ok(())
    }
}
