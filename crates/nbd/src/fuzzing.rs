//! Doors for the fuzz targets in `fuzz/`.

use crate::{
    connection,
    device::BlockDevice,
    devices::MemoryDevice,
    proto::{self, IHAVEOPT, REQUEST_MAGIC, command, handshake_flag, option},
    registry::Exports,
    socket::Socket,
};
use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
    os::{fd::OwnedFd, unix::net::UnixStream},
    sync::Arc,
    thread,
    time::Duration,
};

/// Bytes of the export: few, so that requests at its border are met often.
const SIZE: u64 = 1 << 20;
/// Longest stream. It has to fit into a socket's buffer, since nobody reads while it is written.
const MAX_STREAM: usize = 64 << 10;

/// A whole connection: what a client sends, from its answer to the greeting to its end. Returns
/// whether it came as far as transmission. Afterwards the server has let go of the device.
pub fn connection(bytes: &[u8]) -> bool {
    let exports = Exports::new(4);
    let device = Arc::new(MemoryDevice::new(SIZE));
    exports
        .insert("disk", Arc::clone(&device) as Arc<dyn BlockDevice>)
        .expect("an export");
    let (mut client, server) = UnixStream::pair().expect("a pair of sockets");
    client
        .write_all(&bytes[..bytes.len().min(MAX_STREAM)])
        .and_then(|()| client.shutdown(Shutdown::Write))
        .expect("room in the socket");
    let replies = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut replies = Vec::new();
            client.read_to_end(&mut replies).map(|_| replies)
        });
        serve(server, &exports);
        reader.join().expect("the reader")
    });
    drop(exports);
    assert_eq!(
        Arc::strong_count(&device),
        1,
        "somebody still has the device"
    );
    replies.is_ok_and(|replies| has_entered(&replies))
}

/// Serves one connection to its end, and closes it.
fn serve(server: UnixStream, exports: &Exports) {
    let socket = Arc::new(Socket::new(OwnedFd::from(server)));
    let place = exports.admit(socket).expect("a place");
    // That a client broke the protocol is the usual end here.
    drop(connection::serve(&place, exports, Duration::from_secs(5)));
}

/// Whether an export's description or a reply to a request was sent.
fn has_entered(replies: &[u8]) -> bool {
    let size = SIZE.to_be_bytes();
    replies.windows(size.len()).any(|window| window == size)
}

/// Valid streams: with simple and with structured replies, by the old way and by the new.
pub fn sample_connections() -> Vec<Vec<u8>> {
    let flags = handshake_flag::C_FIXED_NEWSTYLE | handshake_flag::C_NO_ZEROES;
    let greeting = flags.to_be_bytes().to_vec();
    let go = [&4_u32.to_be_bytes()[..], b"disk", &[0, 1, 0, 3]].concat();
    let context = [
        &4_u32.to_be_bytes()[..],
        b"disk",
        &1_u32.to_be_bytes(),
        &15_u32.to_be_bytes(),
        b"base:allocation",
    ]
    .concat();
    vec![
        [
            greeting.clone(),
            asked(option::EXPORT_NAME, b"disk"),
            requests(),
        ]
        .concat(),
        [greeting.clone(), asked(option::GO, &go), requests()].concat(),
        [
            greeting,
            asked(option::LIST, b""),
            asked(option::STRUCTURED_REPLY, b""),
            asked(option::SET_META_CONTEXT, &context),
            asked(option::GO, &go),
            requests(),
        ]
        .concat(),
    ]
}

fn asked(option: u32, data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).expect("a short option");
    [
        &IHAVEOPT.to_be_bytes()[..],
        &option.to_be_bytes(),
        &len.to_be_bytes(),
        data,
    ]
    .concat()
}

/// One of each request.
fn requests() -> Vec<u8> {
    let mut all = request(command::WRITE, 4096, 512);
    all.extend([7; 512]);
    for command in [
        command::READ,
        command::FLUSH,
        command::TRIM,
        command::WRITE_ZEROES,
        command::BLOCK_STATUS,
    ] {
        let len = if command == command::FLUSH { 0 } else { 8192 };
        let offset = if command == command::FLUSH { 0 } else { 4096 };
        all.extend(request(command, offset, len));
    }
    all.extend(request(command::READ, SIZE - 10, 11));
    all.extend(request(command::DISC, 0, 0));
    all
}

fn request(command: u16, offset: u64, len: u32) -> Vec<u8> {
    [
        &REQUEST_MAGIC.to_be_bytes()[..],
        &proto::command_flag::FUA.to_be_bytes(),
        &command.to_be_bytes(),
        &u64::from(command).to_be_bytes(),
        &offset.to_be_bytes(),
        &len.to_be_bytes(),
    ]
    .concat()
}
