//! A connected stream socket, whichever family it is of.

use rustix::{
    io::retry_on_intr,
    net::{SendFlags, Shutdown, sockopt},
};
use std::{
    io::{self, IoSliceMut, Read, Write},
    os::fd::OwnedFd,
    time::Duration,
};

/// Bytes of replies that the kernel may hold for us. Without it a reply to a large read waits
/// for the client several times. Above `net.core.wmem_max` the kernel takes what it allows.
const SEND_BUFFER: usize = 2 << 20;

#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl Socket {
    /// Takes a connected socket over. The larger send buffer is a wish: without it things are slower, not wrong.
    pub(crate) fn new(fd: OwnedFd) -> Self {
        if let Err(error) = sockopt::set_socket_send_buffer_size(&fd, SEND_BUFFER) {
            tracing::debug!(%error, "keep the default send buffer");
        }
        Self(fd)
    }

    /// Receives what is there, waiting for the first byte. Zero at the end of the stream.
    pub(crate) fn receive(&self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| rustix::io::read(&self.0, &mut *buf))?)
    }

    /// Receives into two buffers, the first one first.
    pub(crate) fn receive_two(&self, first: &mut [u8], second: &mut [u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| {
            let mut buffers = [IoSliceMut::new(&mut *first), IoSliceMut::new(&mut *second)];
            rustix::io::readv(&self.0, &mut buffers)
        })?)
    }

    /// Sends all of `bytes`. A client that is gone is an error, not a signal.
    pub(crate) fn send_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = retry_on_intr(|| rustix::net::send(&self.0, bytes, SendFlags::NOSIGNAL))?;
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    /// Sets how long one receive or send may wait. `None`: for ever.
    pub(crate) fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        sockopt::set_socket_timeout(&self.0, sockopt::Timeout::Recv, timeout)?;
        sockopt::set_socket_timeout(&self.0, sockopt::Timeout::Send, timeout)?;
        Ok(())
    }

    /// Ends reception: a thread that waits in a receive sees the end of the stream.
    pub(crate) fn close_reading(&self) {
        self.shutdown(Shutdown::Read);
    }

    /// Ends both directions: threads that wait in a receive or a send return.
    pub(crate) fn cut(&self) {
        self.shutdown(Shutdown::Both);
    }

    fn shutdown(&self, how: Shutdown) {
        // The only error of a socket that was once connected is that the peer has ended it before.
        if let Err(error) = rustix::net::shutdown(&self.0, how) {
            tracing::trace!(%error, "shut a socket down that is gone");
        }
    }
}

impl Read for &Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.receive(buf)
    }
}

impl Write for &Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.send_all(buf)?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
