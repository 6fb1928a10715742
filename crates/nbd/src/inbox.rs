//! Bytes that came from the client and are not yet executed.

use crate::{
    proto::{MAX_PAYLOAD, Request},
    socket::Socket,
};
use std::io;

/// Bytes received ahead, at most. A request and its payload of up to [`INLINE_PAYLOAD`] always fit.
const CAPACITY: usize = 1 << 20;
/// The longest payload that is put together in the inbox itself, in bytes. Longer ones are
/// received straight into a buffer of their own.
const INLINE_PAYLOAD: usize = 512 << 10;
/// A buffer for large payloads that has grown beyond this many bytes is given back after use.
const KEEP_LARGE: usize = 4 << 20;

/// Why no more requests can be taken from a client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Garbage {
    #[error("a request does not begin with its magic number")]
    Magic,
    #[error("a payload of {0} bytes is longer than the maximum block size")]
    Payload(u32),
}

/// What is at the front of an inbox.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    /// A request, all of it.
    Request(Request, &'a [u8]),
    /// A request with a payload that needs a buffer of its own.
    Large(Request),
    /// Not yet a request.
    Incomplete,
}

#[derive(Debug)]
pub(crate) struct Inbox {
    buf: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes that the request at the front needs in all.
    need: usize,
    large: Vec<u8>,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            buf: vec![0; CAPACITY].into_boxed_slice(),
            start: 0,
            end: 0,
            need: Request::LEN,
            large: Vec::new(),
        }
    }

    /// Takes the next request off the front.
    pub(crate) fn next(&mut self) -> Result<Next<'_>, Garbage> {
        self.need = Request::LEN;
        if self.end - self.start < Request::LEN {
            return Ok(Next::Incomplete);
        }
        let request = Request::parse(&self.buf[self.start..self.end]).ok_or(Garbage::Magic)?;
        let payload = request.payload_len();
        if payload > MAX_PAYLOAD as usize {
            return Err(Garbage::Payload(request.len));
        }
        self.need += payload;
        if self.end - self.start >= self.need {
            let from = self.start + Request::LEN;
            self.start += self.need;
            return Ok(Next::Request(request, &self.buf[from..from + payload]));
        }
        if payload > INLINE_PAYLOAD {
            self.start += Request::LEN;
            return Ok(Next::Large(request));
        }
        Ok(Next::Incomplete)
    }

    /// Receives more, waiting for the first byte. False at the end of the stream.
    pub(crate) fn fill(&mut self, socket: &Socket) -> io::Result<bool> {
        self.make_room();
        let received = socket.receive(&mut self.buf[self.end..])?;
        self.end += received;
        Ok(received > 0)
    }

    /// Receives the payload of a [`Next::Large`]. `None` when the stream ends before it does.
    pub(crate) fn receive_large(
        &mut self,
        len: usize,
        socket: &Socket,
    ) -> io::Result<Option<&mut Vec<u8>>> {
        let mut have = len.min(self.end - self.start);
        self.large.resize(len, 0);
        self.large[..have].copy_from_slice(&self.buf[self.start..self.start + have]);
        self.start += have;
        while have < len {
            // The payload was longer than what was there, so the inbox is empty.
            (self.start, self.end) = (0, 0);
            let received = socket.receive_two(&mut self.large[have..], &mut self.buf)?;
            if received == 0 {
                return Ok(None);
            }
            self.end = received.saturating_sub(len - have);
            have += received - self.end;
        }
        Ok(Some(&mut self.large))
    }

    /// Gives a buffer back that has grown beyond measure.
    pub(crate) fn trim(&mut self) {
        if self.large.capacity() > KEEP_LARGE {
            self.large = Vec::new();
        }
    }

    /// Makes sure that the request at the front can become whole.
    fn make_room(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start + self.need > self.buf.len() {
            self.buf.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{REQUEST_MAGIC, command};
    use proptest::prelude::*;
    use std::{io::Write as _, os::unix::net::UnixStream, thread};

    fn bytes(command: u16, cookie: u64, payload: &[u8]) -> Vec<u8> {
        let len = u32::try_from(payload.len()).unwrap();
        [
            &REQUEST_MAGIC.to_be_bytes()[..],
            &[0, 0],
            &command.to_be_bytes(),
            &cookie.to_be_bytes(),
            &[0; 8],
            &len.to_be_bytes(),
            payload,
        ]
        .concat()
    }

    fn pattern(at: usize, cookie: u64) -> u8 {
        u8::try_from((at as u64 + cookie) % 251).unwrap()
    }

    /// Takes everything that comes, as (cookie, payload).
    fn drain(socket: &Socket) -> Result<Vec<(u64, Vec<u8>)>, Garbage> {
        let mut inbox = Inbox::new();
        let mut taken = Vec::new();
        loop {
            match inbox.next()? {
                Next::Request(request, payload) => taken.push((request.cookie, payload.to_vec())),
                Next::Large(request) => {
                    let Some(payload) = inbox.receive_large(request.len as usize, socket).unwrap()
                    else {
                        return Ok(taken);
                    };
                    taken.push((request.cookie, payload.clone()));
                }
                Next::Incomplete => {
                    if !inbox.fill(socket).unwrap() {
                        return Ok(taken);
                    }
                }
            }
        }
    }

    fn send_in_pieces(stream: Vec<u8>, pieces: Vec<usize>) -> Socket {
        let (mut client, server) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            let mut rest = &stream[..];
            for piece in pieces {
                let (now, later) = rest.split_at(piece.min(rest.len()));
                client.write_all(now).unwrap();
                rest = later;
            }
            client.write_all(rest).unwrap();
        });
        Socket::new(server.into())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn requests_come_out_as_they_went_in_however_they_are_cut(
            lens in prop::collection::vec(prop_oneof![0..64usize, 4000..5000usize, 250_000..300_000usize, 500_000..1_200_000usize], 1..12),
            pieces in prop::collection::vec(1..100_000usize, 0..40),
        ) {
            let sent: Vec<(u64, Vec<u8>)> = lens
                .iter()
                .zip(0u64..)
                .map(|(&len, cookie)| (cookie, (0..len).map(|at| pattern(at, cookie)).collect()))
                .collect();
            let stream = sent.iter().flat_map(|(cookie, payload)| bytes(command::WRITE, *cookie, payload)).collect();
            let received = drain(&send_in_pieces(stream, pieces)).unwrap();
            prop_assert_eq!(received.len(), sent.len());
            prop_assert!(received == sent);
        }
    }

    #[test]
    fn a_stream_that_ends_in_the_middle_of_a_request_gives_what_was_whole() {
        let whole = bytes(command::WRITE, 1, &[7; 100]);
        let second = bytes(command::WRITE, 2, &[8; 100]);
        for cut in 0..second.len() {
            let stream = [&whole[..], &second[..cut]].concat();
            let received = drain(&send_in_pieces(stream, Vec::new())).unwrap();
            assert_eq!(received, [(1, vec![7; 100])], "cut at {cut}");
        }
    }

    #[test]
    fn a_wrong_magic_and_an_oversize_payload_are_garbage() {
        let mut wrong = bytes(command::READ, 1, &[]);
        wrong[0] ^= 1;
        assert!(matches!(
            drain(&send_in_pieces(wrong, Vec::new())),
            Err(Garbage::Magic)
        ));
        let mut long = bytes(command::WRITE, 1, &[]);
        long[24..].copy_from_slice(&(MAX_PAYLOAD + 1).to_be_bytes());
        assert!(matches!(
            drain(&send_in_pieces(long, Vec::new())),
            Err(Garbage::Payload(_))
        ));
    }
}
