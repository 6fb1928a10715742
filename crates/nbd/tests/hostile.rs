//! Clients that mean harm or know no better: no panic, no hang, and the next client is served.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::*;
use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::atomic::Ordering,
};

const SIZE: u64 = 1 << 20;

/// Numbers that look random and are the same each time (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len).map(|_| self.next().to_be_bytes()[0]).collect()
    }
}

/// Says something, hangs up one way, and takes what the server says until it hangs up too.
fn say(rig: &Rig, bytes: &[u8]) {
    let mut stream = UnixStream::connect(&rig.path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let mut taker = stream.try_clone().unwrap();
    std::thread::scope(|scope| {
        // A server that has heard enough resets the connection, which is its right; a timeout is not.
        scope.spawn(move || {
            let taken = taker.read_to_end(&mut Vec::new());
            assert!(
                !taken.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
                "the server hangs"
            );
        });
        if stream.write_all(bytes).is_ok() {
            let _ended = stream.shutdown(Shutdown::Write);
        }
    });
}

/// All that a well-behaved client says: negotiation, then one request of each kind.
fn good_session() -> Vec<u8> {
    [
        3u32.to_be_bytes().to_vec(),
        option(OPT_STRUCTURED_REPLY, &[]),
        option(OPT_LIST, &[]),
        option(OPT_LIST_META_CONTEXT, &meta_data("", &["base:"])),
        option(OPT_SET_META_CONTEXT, &meta_data("", &["base:allocation"])),
        option(OPT_GO, &go_data("", &[3, 1])),
        request(READ, DF, 1, 0, 512),
        request(WRITE, FUA, 2, 512, 64),
        vec![7; 64],
        request(WRITE, 0, 3, 512, 64),
        vec![8; 64],
        request(TRIM, 0, 4, 0, 4096),
        request(WRITE_ZEROES, NO_HOLE, 5, 0, 4096),
        request(BLOCK_STATUS, REQ_ONE, 6, 0, 4096),
        request(FLUSH, 0, 7, 0, 0),
        request(DISC, 0, 8, 0, 0),
    ]
    .concat()
}

fn assert_well(rig: &Rig, disk: &Probe) {
    wait_until("every hostile connection is gone", || {
        rig.server.exports().connections() == 0
    });
    let mut client = rig.client(FULL);
    assert_eq!(client.write(FUA, 8192, b"well"), Reply::Done);
    assert_eq!(client.read(8192, 4), b"well");
    assert_eq!(disk.violations.load(Ordering::SeqCst), 0);
}

#[test]
fn a_session_that_ends_at_any_byte_leaves_the_server_well() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let session = good_session();
    for cut in 0..=session.len() {
        say(&rig, &session[..cut]);
    }
    assert_well(&rig, &disk);
}

#[test]
fn a_session_with_any_byte_wrong_leaves_the_server_well() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let session = good_session();
    for at in 0..session.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut wrong = session.clone();
            wrong[at] ^= flip;
            say(&rig, &wrong);
        }
    }
    assert_well(&rig, &disk);
}

#[test]
fn random_bytes_at_every_stage_leave_the_server_well() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let mut numbers = Numbers(2026);
    let session = good_session();
    let stages = [0, 4, 20, session.len() - 28 * 8 - 128];
    for round in 0..400 {
        let stage = stages[round % stages.len()];
        let len = numbers.below(3000);
        say(&rig, &[&session[..stage], &numbers.bytes(len)].concat());
    }
    assert_well(&rig, &disk);
}

#[test]
fn requests_with_random_fields_leave_the_server_well() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let mut numbers = Numbers(7);
    let session = good_session();
    let negotiation = &session[..session.len() - 28 * 8 - 128];
    for _ in 0..200 {
        let mut bytes = negotiation.to_vec();
        for cookie in 0..40 {
            let command = u16::try_from(numbers.below(9)).unwrap();
            let flags = u16::try_from(numbers.below(64)).unwrap();
            let offset = match numbers.below(4) {
                0 => numbers.next(),
                1 => SIZE - numbers.below(4096),
                _ => numbers.below(SIZE),
            };
            let len = match numbers.below(8) {
                0 => u32::try_from(numbers.below(1 << 32)).unwrap(),
                _ => u32::try_from(numbers.below(8192)).unwrap(),
            };
            bytes.extend(request(command, flags, cookie, offset, len));
            if command == WRITE && len < 8192 {
                bytes.extend(numbers.bytes(u64::from(len)));
            }
        }
        say(&rig, &bytes);
    }
    assert_well(&rig, &disk);
}
