//! The program between QEMU and the metadata service: one process a connection.

use std::fs::File;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How often the service's socket is tried while nobody listens on it.
const RETRY_EVERY: Duration = Duration::from_millis(100);

/// Connects this process's standard input and output to the unix socket, until
/// the socket's side ends. The end of the input is passed on, and answers still
/// come after it. While the server is away (restarting, say) the connection is
/// tried again for as long as `patience`.
///
/// # Errors
/// Whatever the connection or a copy failed with.
pub fn link(socket: &Path, patience: Duration) -> io::Result<()> {
    let stream = connect(socket, patience)?;
    let (mut input, mut output) = (file(io::stdin())?, file(io::stdout())?);
    let mut upstream = stream.try_clone()?;
    // The process ends with the answer, even while this thread still reads.
    thread::spawn(move || {
        let copied = io::copy(&mut input, &mut upstream);
        // Both fail only if the other side is gone, and then the answer ends too.
        let _ended = copied
            .and_then(|_| upstream.shutdown(Shutdown::Write))
            .is_ok();
    });
    io::copy(&mut &stream, &mut output).map(drop)
}

/// Unbuffered: a guest waits for each byte.
fn file(standard: impl AsFd) -> io::Result<File> {
    Ok(File::from(standard.as_fd().try_clone_to_owned()?))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this process does nothing but wait for its server, and has no clock to ask"
)]
fn connect(socket: &Path, patience: Duration) -> io::Result<UnixStream> {
    let started = Instant::now();
    loop {
        match UnixStream::connect(socket) {
            Err(error) if is_away(&error) && started.elapsed() < patience => {
                thread::sleep(RETRY_EVERY);
            }
            result => return result,
        }
    }
}

/// Whether the server may come back: nobody listens, or the socket is not there yet.
fn is_away(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
    )
}
