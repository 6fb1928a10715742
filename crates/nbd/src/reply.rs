//! Replies as bytes, and their way to the client.

use crate::{
    proto::{Errno, SIMPLE_REPLY_MAGIC, STRUCTURED_REPLY_MAGIC, chunk},
    socket::Socket,
};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

/// Why a request is refused or failed, with words for a human being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) errno: Errno,
    pub(crate) message: &'static str,
}

impl Refusal {
    pub(crate) const fn new(errno: Errno, message: &'static str) -> Self {
        Self { errno, message }
    }

    /// What a client hears of a device's error: the number, never the device's own words, which
    /// may name files of the server.
    pub(crate) fn of(error: &io::Error) -> Self {
        Self::new(Errno::of(error), "the device failed")
    }
}

/// Writes replies in the form that was negotiated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) structured: bool,
}

const SIMPLE_LEN: usize = 16;
const CHUNK_LEN: usize = 20;

impl Form {
    /// Room that is enough for any reply without data.
    pub(crate) const MAX_SHORT: usize = 128;

    /// Bytes in front of the data of a read.
    pub(crate) fn data_head_len(self) -> usize {
        if self.structured {
            CHUNK_LEN + 8
        } else {
            SIMPLE_LEN
        }
    }

    /// Writes what goes in front of the data of a read of `len` bytes, which is not zero.
    pub(crate) fn data_head(self, out: &mut [u8], cookie: u64, offset: u64, len: u32) {
        let mut head = Head::new(out);
        if self.structured {
            head.chunk(chunk::FLAG_DONE, chunk::OFFSET_DATA, cookie, len + 8);
            head.put(&offset.to_be_bytes());
        } else {
            head.simple(0, cookie);
        }
    }

    /// Writes that a request without data in its reply is done; returns the length.
    pub(crate) fn done(self, out: &mut [u8], cookie: u64) -> usize {
        let mut head = Head::new(out);
        head.simple(0, cookie);
        head.len
    }

    /// Writes that a read of nothing is done; returns the length. A structured read may not be
    /// answered by a simple reply, and a chunk of data may not be empty.
    pub(crate) fn done_reading_nothing(self, out: &mut [u8], cookie: u64) -> usize {
        let mut head = Head::new(out);
        if self.structured {
            head.chunk(chunk::FLAG_DONE, chunk::NONE, cookie, 0);
        } else {
            head.simple(0, cookie);
        }
        head.len
    }

    /// Writes that a request failed; returns the length, [`Self::MAX_SHORT`] at most.
    pub(crate) fn refusal(self, out: &mut [u8], cookie: u64, refusal: Refusal) -> usize {
        let mut head = Head::new(out);
        if self.structured {
            let room = Self::MAX_SHORT - CHUNK_LEN - 6;
            let message = &refusal.message.as_bytes()[..refusal.message.len().min(room)];
            let message_len = u16::try_from(message.len()).unwrap_or(0);
            head.chunk(
                chunk::FLAG_DONE,
                chunk::ERROR,
                cookie,
                6 + u32::from(message_len),
            );
            head.put(&refusal.errno.0.to_be_bytes());
            head.put(&message_len.to_be_bytes());
            head.put(&message[..usize::from(message_len)]);
        } else {
            head.simple(refusal.errno.0, cookie);
        }
        head.len
    }

    /// Appends one chunk of extents (length, state) of one metadata context. They are at most
    /// [`crate::operation::MAX_EXTENTS`]. Only for structured replies.
    pub(crate) fn block_status(
        out: &mut Vec<u8>,
        cookie: u64,
        context: u32,
        extents: &[(u32, u32)],
        last: bool,
    ) {
        let start = out.len();
        let payload = 4 + 8 * extents.len();
        out.resize(start + CHUNK_LEN + 4, 0);
        let mut head = Head::new(&mut out[start..]);
        let flags = if last { chunk::FLAG_DONE } else { 0 };
        head.chunk(
            flags,
            chunk::BLOCK_STATUS,
            cookie,
            u32::try_from(payload).unwrap_or(u32::MAX),
        );
        head.put(&context.to_be_bytes());
        for (len, state) in extents {
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(&state.to_be_bytes());
        }
    }
}

/// Writes fields one after the other.
struct Head<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Head<'a> {
    fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn simple(&mut self, errno: u32, cookie: u64) {
        self.put(&SIMPLE_REPLY_MAGIC.to_be_bytes());
        self.put(&errno.to_be_bytes());
        self.put(&cookie.to_be_bytes());
    }

    fn chunk(&mut self, flags: u16, kind: u16, cookie: u64, payload: u32) {
        self.put(&STRUCTURED_REPLY_MAGIC.to_be_bytes());
        self.put(&flags.to_be_bytes());
        self.put(&kind.to_be_bytes());
        self.put(&cookie.to_be_bytes());
        self.put(&payload.to_be_bytes());
    }
}

/// The sending side of a connection: whole replies go out one after the other, from any thread.
#[derive(Debug)]
pub(crate) struct Sender {
    socket: Arc<Socket>,
    turn: Mutex<()>,
}

impl Sender {
    pub(crate) fn new(socket: Arc<Socket>) -> Self {
        Self {
            socket,
            turn: Mutex::new(()),
        }
    }

    /// Sends whole replies. An error means that the client is gone: the connection is cut, so
    /// that its reader notices.
    pub(crate) fn send(&self, replies: &[u8]) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.socket.send_all(replies).inspect_err(|_| self.cut())
    }

    /// Ends the connection in both directions.
    pub(crate) fn cut(&self) {
        self.socket.cut();
    }
}

/// Replies that wait to be sent in one go.
#[derive(Debug)]
pub(crate) struct Batch {
    buf: Box<[u8]>,
    len: usize,
}

impl Batch {
    /// Bytes that a batch holds: also the largest reply that may go through it.
    pub(crate) const CAPACITY: usize = 512 << 10;
    /// A batch of this many bytes is sent at once, so that the client can begin with it.
    const ENOUGH: usize = 128 << 10;

    pub(crate) fn new() -> Self {
        Self {
            buf: vec![0; Self::CAPACITY].into_boxed_slice(),
            len: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn is_enough(&self) -> bool {
        self.len >= Self::ENOUGH
    }

    /// True when `len` more bytes fit.
    pub(crate) fn fits(&self, len: usize) -> bool {
        self.buf.len() - self.len >= len
    }

    /// The free part. What is written there counts after [`commit`](Self::commit).
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.buf[self.len..]
    }

    pub(crate) fn commit(&mut self, len: usize) {
        self.len += len;
    }

    /// Sends what is there.
    pub(crate) fn send(&mut self, sender: &Sender) -> io::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let sent = sender.send(&self.buf[..self.len]);
        self.len = 0;
        sent
    }
}
