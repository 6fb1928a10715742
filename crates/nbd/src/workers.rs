//! The threads of a connection that may wait.
//!
//! They are started when there is work for them, and end with the connection.

use crate::{
    handshake::Session,
    operation::{self, Operation},
    proto::Request,
    reply::Sender,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

/// Threads of one connection, besides its reader.
const MAX_WORKERS: usize = 16;
/// Requests of one connection that workers hold, done or not.
const MAX_IN_FLIGHT: usize = 128;
/// Bytes of payloads and replies that workers hold for one connection. One request may exceed it alone.
const MAX_BYTES: usize = 64 << 20;
/// A worker's buffer that has grown beyond this many bytes is given back after use.
const KEEP_SCRATCH: usize = 2 << 20;

/// A request for a worker.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) request: Request,
    pub(crate) operation: Operation,
    pub(crate) payload: Vec<u8>,
}

impl Job {
    /// Bytes that the job holds, or will.
    fn bytes(&self) -> usize {
        match self.operation {
            Operation::Read => self.request.len as usize,
            _ => self.payload.len(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Workers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// There is a job, or no more will come.
    work: Condvar,
    /// A job is done.
    done: Condvar,
    session: Arc<Session>,
    sender: Arc<Sender>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Job>,
    idle: usize,
    in_flight: usize,
    bytes: usize,
    closed: bool,
}

impl State {
    fn has_room_for(&self, bytes: usize) -> bool {
        self.in_flight == 0 || (self.in_flight < MAX_IN_FLIGHT && self.bytes + bytes <= MAX_BYTES)
    }
}

impl Workers {
    pub(crate) fn new(session: Arc<Session>, sender: Arc<Sender>) -> Self {
        let (work, done) = (Condvar::new(), Condvar::new());
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                work,
                done,
                session,
                sender,
            }),
            threads: Vec::new(),
        }
    }

    /// True when [`submit`](Self::submit) would not wait for room.
    pub(crate) fn has_room_for(&self, job: &Job) -> bool {
        self.shared.lock().has_room_for(job.bytes())
    }

    /// Gives a job to a worker, when there is room for it. When no thread can be had, the caller does it.
    pub(crate) fn submit(&mut self, job: Job) {
        let mut state = self.shared.lock();
        while !state.has_room_for(job.bytes()) {
            state = self
                .shared
                .done
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.in_flight += 1;
        state.bytes += job.bytes();
        state.queue.push_back(job);
        let short_of_hands = state.idle < state.queue.len() && self.threads.len() < MAX_WORKERS;
        drop(state);
        if short_of_hands {
            self.hire();
        }
        self.shared.work.notify_one();
    }

    /// Starts one more thread.
    fn hire(&mut self) {
        let shared = Arc::clone(&self.shared);
        match thread::Builder::new()
            .name("nbd-worker".to_owned())
            .spawn(move || shared.work())
        {
            Ok(thread) => self.threads.push(thread),
            Err(error) if self.threads.is_empty() => {
                tracing::warn!(%error, "start a worker; the reader works alone");
                self.shared.work_off();
            }
            Err(error) => tracing::warn!(%error, "start one more worker"),
        }
    }
}

/// Waits until every job is answered and every thread has ended.
impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a worker panicked in the device");
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker's life.
    fn work(&self) {
        let mut scratch = Vec::new();
        while let Some(job) = self.wait_for_job() {
            self.execute(job, &mut scratch);
        }
    }

    fn wait_for_job(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Executes what is queued, without waiting for more.
    fn work_off(&self) {
        let mut scratch = Vec::new();
        loop {
            let Some(job) = self.lock().queue.pop_front() else {
                return;
            };
            self.execute(job, &mut scratch);
        }
    }

    fn execute(&self, job: Job, scratch: &mut Vec<u8>) {
        let settle = Settle {
            shared: self,
            bytes: job.bytes(),
            answered: false,
        };
        let len = operation::perform(
            job.operation,
            &job.request,
            &job.payload,
            &self.session,
            scratch,
        );
        settle.answer(&scratch[..len]);
        if scratch.capacity() > KEEP_SCRATCH {
            *scratch = Vec::new();
        }
    }
}

/// Settles the account of a job, also when the device panics: the client then loses its connection
/// rather than wait for ever.
struct Settle<'a> {
    shared: &'a Shared,
    bytes: usize,
    answered: bool,
}

impl Settle<'_> {
    fn answer(mut self, reply: &[u8]) {
        // The sender cuts a connection that it cannot send to; the reader sees that.
        if let Err(error) = self.shared.sender.send(reply) {
            tracing::debug!(%error, "send a reply to a client that is gone");
        }
        self.answered = true;
    }
}

impl Drop for Settle<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.shared.sender.cut();
        }
        let mut state = self.shared.lock();
        state.in_flight -= 1;
        state.bytes -= self.bytes;
        drop(state);
        self.shared.done.notify_one();
    }
}
