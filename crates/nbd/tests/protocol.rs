//! What the protocol promises, told by a client that does things which real clients rarely do.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use cairn_nbd::{Address, BindError, ExportError, Server, Settings, devices::MemoryDevice};
use common::*;
use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    sync::{Arc, atomic::Ordering, mpsc},
    thread,
    time::Duration,
};

const SIZE: u64 = 1 << 20;

#[test]
fn a_flush_on_one_connection_covers_writes_acknowledged_on_another() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let (mut one, mut two) = (rig.client(PLAIN), rig.client(STRUCTURED));
    assert_eq!(one.write(0, 4096, &[7; 512]), Reply::Done);
    assert_eq!(
        disk.durable(4096, 512),
        [0; 512],
        "the disk of this test caches"
    );
    assert_eq!(two.read(4096, 512), [7; 512]);
    assert_eq!(two.ask(FLUSH, 0, 0, 0, &[]), Reply::Done);
    assert_eq!(disk.durable(4096, 512), [7; 512]);
}

#[test]
fn what_is_written_with_fua_is_durable_when_it_is_acknowledged() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let mut client = rig.client(STRUCTURED);
    assert_eq!(client.write(FUA, 1000, &[3; 3000]), Reply::Done);
    assert_eq!(disk.durable(1000, 3000), [3; 3000]);
    assert_eq!(client.ask(TRIM, FUA, 1000, 1000, &[]), Reply::Done);
    assert_eq!(disk.durable(1000, 1000), [0; 1000]);
    assert_eq!(
        client.ask(WRITE_ZEROES, FUA | NO_HOLE, 2000, 1000, &[]),
        Reply::Done
    );
    assert_eq!(disk.durable(2000, 1000), [0; 1000]);
    assert_eq!(disk.durable(3000, 1000), [3; 1000]);
    assert_eq!(disk.flushes.load(Ordering::SeqCst), 0, "FUA is not a flush");
}

#[test]
fn nothing_outside_the_export_reaches_the_device() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    for manner in [PLAIN, FULL] {
        let mut client = rig.client(manner);
        for (offset, len) in [
            (SIZE, 1),
            (SIZE - 1, 2),
            (SIZE + 1, 1),
            (u64::MAX, 1),
            (u64::MAX - 4095, 4096),
        ] {
            assert_eq!(client.ask(READ, 0, offset, len, &[]), Reply::Error(EINVAL));
            assert_eq!(
                client.ask(WRITE, 0, offset, len, &vec![1; len as usize]),
                Reply::Error(ENOSPC)
            );
            assert_eq!(
                client.ask(WRITE_ZEROES, 0, offset, len, &[]),
                Reply::Error(ENOSPC)
            );
            assert_eq!(client.ask(TRIM, 0, offset, len, &[]), Reply::Error(EINVAL));
            assert_eq!(
                client.ask(BLOCK_STATUS, 0, offset, len, &[]),
                Reply::Error(EINVAL)
            );
        }
        assert_eq!(client.ask(FLUSH, 0, 512, 0, &[]), Reply::Error(EINVAL));
        assert_eq!(client.read(SIZE - 1, 1), [0]);
    }
    assert_eq!(disk.violations.load(Ordering::SeqCst), 0);
}

#[test]
fn requests_of_nothing_are_done() {
    let rig = Rig::new(Probe::new(SIZE));
    for manner in [PLAIN, FULL] {
        let mut client = rig.client(manner);
        for command in [READ, WRITE, TRIM, WRITE_ZEROES] {
            assert_eq!(
                client.ask(command, 0, SIZE, 0, &[]),
                Reply::Done,
                "command {command}"
            );
        }
        assert_eq!(client.ask(BLOCK_STATUS, 0, 0, 0, &[]), Reply::Error(EINVAL));
    }
}

#[test]
fn replies_in_any_order_carry_the_cookie_and_data_of_their_request() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    for manner in [PLAIN, STRUCTURED] {
        let mut client = rig.client(manner);
        for block in 0..32u8 {
            assert_eq!(
                client.write(0, u64::from(block) * 512, &[block + 1; 512]),
                Reply::Done
            );
        }
        let _held = disk.hold(0);
        let held = client.send(READ, 0, 0, 512, &[]);
        let others: Vec<u64> = (1..32u64)
            .map(|block| client.send(READ, 0, block * 512, 512, &[]))
            .collect();
        for (block, cookie) in (1u8..).zip(others) {
            let (answered, reply) = client.receive().unwrap();
            assert_eq!(answered, cookie);
            assert!(matches!(reply, Reply::Data(_, data) if data == [block + 1; 512]));
        }
        disk.wait_for_held(1);
        disk.open();
        let (answered, reply) = client.receive().unwrap();
        assert_eq!(answered, held);
        assert!(matches!(reply, Reply::Data(_, data) if data == [1; 512]));
    }
}

#[test]
fn a_slow_request_in_the_middle_of_a_batch_keeps_its_own_cookie() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let mut client = rig.client(STRUCTURED);
    // A disk that declines everything: all replies come from the workers, sixteen at a time.
    disk.declines.store(true, Ordering::SeqCst);
    let mut expected = std::collections::HashMap::new();
    for block in 0..200u64 {
        let data = [u8::try_from(block).unwrap(); 512];
        assert_eq!(client.write(0, block * 512, &data), Reply::Done);
        let cookie = client.send(READ, 0, block * 512, 512, &[]);
        expected.insert(cookie, (block * 512, data));
        let (answered, reply) = client.receive().unwrap();
        let (offset, data) = expected.remove(&answered).unwrap();
        assert_eq!(reply, Reply::Data(offset, data.to_vec()));
    }
    let cookies: Vec<u64> = (0..200u64)
        .map(|block| client.send(READ, 0, block * 512, 512, &[]))
        .collect();
    for _ in 0..cookies.len() {
        let (answered, reply) = client.receive().unwrap();
        let block = cookies
            .iter()
            .position(|&cookie| cookie == answered)
            .unwrap();
        assert_eq!(
            reply,
            Reply::Data(block as u64 * 512, vec![u8::try_from(block).unwrap(); 512])
        );
    }
}

#[test]
fn a_trimmed_range_reads_as_zeros_and_is_a_hole() {
    let rig = Rig::new(Probe::new(SIZE));
    let mut client = rig.client(FULL);
    let page = 64 << 10;
    assert_eq!(client.write(0, 0, &vec![9; 3 * page]), Reply::Done);
    assert_eq!(
        client.ask(BLOCK_STATUS, 0, 0, 4 * 65536, &[]),
        Reply::Status(vec![(3 * 65536, 0), (65536, 3)])
    );
    assert_eq!(client.ask(TRIM, 0, 65536, 65536, &[]), Reply::Done);
    assert_eq!(client.read(65536, 65536), vec![0; page]);
    let status = vec![(65536, 0), (65536, 3), (65536, 0), (65536, 3)];
    assert_eq!(
        client.ask(BLOCK_STATUS, 0, 0, 4 * 65536, &[]),
        Reply::Status(status)
    );
    assert_eq!(
        client.ask(BLOCK_STATUS, REQ_ONE, 0, 4 * 65536, &[]),
        Reply::Status(vec![(65536, 0)])
    );
    assert_eq!(
        client.ask(WRITE_ZEROES, NO_HOLE, 0, 65536, &[]),
        Reply::Done
    );
    assert_eq!(
        client.ask(BLOCK_STATUS, REQ_ONE, 0, 65536, &[]),
        Reply::Status(vec![(65536, 0)])
    );
    assert_eq!(client.read(0, 512), [0; 512]);
}

#[test]
fn flags_and_commands_that_mean_nothing_are_refused() {
    let rig = Rig::new(Probe::new(SIZE));
    let mut plain = rig.client(PLAIN);
    assert_eq!(
        plain.flags & (1 << 7),
        0,
        "DF is announced without structured replies"
    );
    assert_eq!(plain.ask(READ, DF, 0, 512, &[]), Reply::Error(EINVAL));
    let mut client = rig.client(STRUCTURED);
    assert_ne!(client.flags & (1 << 7), 0);
    assert!(matches!(client.ask(READ, DF, 0, 512, &[]), Reply::Data(0, data) if data == [0; 512]));
    assert!(
        matches!(client.ask(READ, FUA, 0, 512, &[]), Reply::Data(..)),
        "FUA is to be accepted everywhere"
    );
    assert_eq!(client.ask(READ, NO_HOLE, 0, 512, &[]), Reply::Error(EINVAL));
    assert_eq!(
        client.ask(WRITE, 1 << 9, 0, 4, &[0; 4]),
        Reply::Error(EINVAL)
    );
    assert_eq!(
        client.ask(BLOCK_STATUS, 0, 0, 512, &[]),
        Reply::Error(EINVAL),
        "no context was selected"
    );
    assert_eq!(client.ask(CACHE, 0, 0, 512, &[]), Reply::Error(EINVAL));
    assert_eq!(client.ask(99, 0, 0, 512, &[]), Reply::Error(EINVAL));
    assert_eq!(
        client.ask(WRITE_ZEROES, FAST_ZERO, 0, 512, &[]),
        Reply::Error(ENOTSUP)
    );
    assert_eq!(client.read(0, 4), [0; 4]);
}

#[test]
fn a_read_only_export_says_so_and_refuses_every_change() {
    let rig = Rig::new(Arc::new(Probe::with(SIZE, true)));
    let mut client = rig.client(STRUCTURED);
    assert_ne!(client.flags & 2, 0);
    assert_eq!(client.write(0, 0, &[1; 512]), Reply::Error(EPERM));
    assert_eq!(client.ask(TRIM, 0, 0, 512, &[]), Reply::Error(EPERM));
    assert_eq!(
        client.ask(WRITE_ZEROES, 0, 0, 512, &[]),
        Reply::Error(EPERM)
    );
    assert_eq!(client.ask(FLUSH, 0, 0, 0, &[]), Reply::Done);
    assert_eq!(client.read(0, 512), [0; 512]);
}

#[test]
fn errors_of_the_device_are_told_by_their_number() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let kinds = [
        (io::ErrorKind::StorageFull, ENOSPC),
        (io::ErrorKind::InvalidInput, EINVAL),
        (io::ErrorKind::PermissionDenied, EPERM),
        (io::ErrorKind::ReadOnlyFilesystem, EPERM),
        (io::ErrorKind::TimedOut, EIO),
    ];
    for (manner, flags) in [(PLAIN, 0), (PLAIN, FUA), (STRUCTURED, 0), (STRUCTURED, FUA)] {
        let mut client = rig.client(manner);
        for (kind, number) in kinds {
            *disk.fail_with.lock().unwrap() = Some(kind);
            assert_eq!(client.write(flags, 0, &[1; 512]), Reply::Error(number));
        }
        *disk.fail_with.lock().unwrap() = None;
        assert_eq!(client.write(flags, 0, &[1; 512]), Reply::Done);
    }
}

#[test]
fn requests_that_arrive_together_are_all_answered() {
    let rig = Rig::new(Probe::new(SIZE));
    for manner in [PLAIN, STRUCTURED] {
        let mut client = rig.client(manner);
        let mut sender = client.stream.try_clone().unwrap();
        let bytes: Vec<u8> = (0..2000u64)
            .flat_map(|cookie| request(TRIM, 0, cookie, cookie * 512, 512))
            .collect();
        let sending = thread::spawn(move || sender.write_all(&bytes).unwrap());
        let mut answered: Vec<u64> = (0..2000).map(|_| client.receive().unwrap().0).collect();
        sending.join().unwrap();
        answered.sort_unstable();
        assert!(answered.into_iter().eq(0..2000));
    }
}

#[test]
fn the_longest_payload_passes_and_a_longer_one_does_not() {
    let disk = Probe::new(64 << 20);
    let rig = Rig::new(disk.clone());
    let mut client = rig.client(STRUCTURED);
    let longest: Vec<u8> = (0..32u32 << 20)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    for flags in [0, FUA] {
        assert_eq!(client.write(flags, 0, &[0; 4096]), Reply::Done);
        assert_eq!(client.write(flags, 4096, &longest), Reply::Done);
        assert!(client.read(4096, 32 << 20) == longest);
    }
    assert_eq!(
        client.ask(READ, 0, 0, (32 << 20) + 1, &[]),
        Reply::Error(EINVAL)
    );
    client
        .stream
        .write_all(&request(WRITE, 0, 1, 0, (32 << 20) + 1))
        .unwrap();
    assert!(client.is_hung_up_on());
    assert_eq!(disk.violations.load(Ordering::SeqCst), 0);
}

#[test]
fn a_removed_export_answers_what_it_has_received_and_hangs_up() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    rig.server
        .exports()
        .insert("other", Probe::new(SIZE))
        .unwrap();
    let mut other = Client::connect(&rig.path, "other", PLAIN).unwrap();
    let mut client = rig.client(STRUCTURED);
    let _held = disk.hold(512);
    let held = client.send(READ, 0, 512, 512, &[]);
    disk.wait_for_held(1);
    let exports = rig.server.exports().clone();
    let (removed, is_removed) = mpsc::channel();
    thread::spawn(move || removed.send(exports.remove("", PATIENCE)).unwrap());
    wait_until("the name is gone", || {
        rig.server.exports().names() == ["other"]
    });
    assert!(
        is_removed.try_recv().is_err(),
        "removed while the device is in use"
    );
    disk.open();
    let (answered, reply) = client.receive().unwrap();
    assert_eq!((answered, reply), (held, Reply::Data(512, vec![0; 512])));
    assert!(client.is_hung_up_on());
    assert!(is_removed.recv_timeout(PATIENCE).unwrap());
    assert_eq!(
        Arc::strong_count(&disk),
        1,
        "nobody has the device any more"
    );
    assert_eq!(
        other.read(0, 4),
        [0; 4],
        "connections of other exports go on"
    );
    Client::connect(&rig.path, "", PLAIN).unwrap_err();
    assert!(!rig.server.exports().remove("", PATIENCE));
}

#[test]
fn a_shutdown_answers_what_was_received_and_leaves_no_socket() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let mut idle = rig.client(PLAIN);
    let mut client = rig.client(PLAIN);
    let _held = disk.hold(0);
    let held: Vec<u64> = (0..5)
        .map(|_| client.send(WRITE, 0, 0, 4, &[8; 4]))
        .collect();
    disk.wait_for_held(5);
    let (server, path) = (rig.server, rig.path);
    let stopping = thread::spawn(move || server.shutdown());
    assert!(idle.is_hung_up_on());
    assert!(
        !stopping.is_finished(),
        "shut down while the device is in use"
    );
    disk.open();
    let mut answered: Vec<u64> = held.iter().map(|_| client.receive().unwrap().0).collect();
    answered.sort_unstable();
    let mut expected = held;
    expected.sort_unstable();
    assert_eq!(answered, expected);
    assert!(client.is_hung_up_on());
    stopping.join().unwrap();
    assert!(!path.exists());
    assert_eq!(Arc::strong_count(&disk), 1);
}

#[test]
fn what_a_client_sent_before_the_stop_is_executed() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let mut client = rig.client(PLAIN);
    // More than the server takes, so that the last are still in the socket.
    let _held = disk.hold(0);
    let write = [request(WRITE, 0, 1, 0, 4096), vec![1; 4096]].concat();
    client
        .stream
        .set_write_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let (sent, blocked) = send_until_blocked(&mut client.stream, &write.repeat(4000));
    assert_eq!(blocked, Some(io::ErrorKind::WouldBlock));
    let exports = rig.server.exports().clone();
    let stopping = thread::spawn(move || exports.remove("", PATIENCE));
    // A server that has closed its ear lets nobody write, not even nothing.
    wait_until("the server listens no more", || {
        client.stream.write(&[]).is_err()
    });
    disk.open();
    for _ in 0..sent / write.len() {
        assert_eq!(client.receive().unwrap().1, Reply::Done);
    }
    assert!(client.is_hung_up_on());
    assert!(stopping.join().unwrap());
}

#[test]
fn a_client_that_does_not_take_its_replies_is_cut_after_the_grace() {
    let rig = Rig::new(Probe::new(16 << 20));
    let mut client = rig.client(PLAIN);
    for _ in 0..64 {
        client.send(READ, 0, 0, 8 << 20, &[]);
    }
    assert!(rig.server.exports().remove("", Duration::from_millis(50)));
    assert_eq!(rig.server.exports().connections(), 0);
}

#[test]
fn requests_that_wait_for_what_may_never_come_do_not_hold_up_an_end() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let mut client = rig.client(PLAIN);
    let _held = disk.hold(0);
    // More than there are workers: the last ones begin to wait after the first were let go.
    for _ in 0..40 {
        client.send(WRITE, 0, 0, 4, &[8; 4]);
    }
    disk.wait_for_held(16);
    assert!(rig.server.exports().remove("", Duration::from_millis(50)));
    assert_eq!(rig.server.exports().connections(), 0);
}

#[test]
fn one_connection_holds_no_more_than_its_workers_and_no_other_waits_for_it() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let mut greedy = rig.client(PLAIN);
    let _held = disk.hold(0);
    let mut sender = greedy.stream.try_clone().unwrap();
    let sending = thread::spawn(move || {
        for cookie in 0..1000 {
            sender
                .write_all(&[request(WRITE, 0, cookie, 0, 512), vec![1; 512]].concat())
                .unwrap();
        }
    });
    disk.wait_for_held(16);
    let mut modest = rig.client(STRUCTURED);
    assert_eq!(modest.read(512, 512), [0; 512]);
    assert_eq!(modest.ask(FLUSH, 0, 0, 0, &[]), Reply::Done);
    disk.open();
    for _ in 0..1000 {
        assert_eq!(greedy.receive().unwrap().1, Reply::Done);
    }
    sending.join().unwrap();
    assert_eq!(disk.most_waiting.load(Ordering::SeqCst), 16);
}

#[test]
fn a_client_that_sends_faster_than_the_device_works_is_made_to_wait() {
    // By the number of requests, and by their bytes.
    assert_held_back(64 << 10, 1000, 200);
    assert_held_back(16 << 20, 10, 7);
}

/// Sends `count` writes of `len` bytes to a device that stands still: the server takes fewer than `most` of them.
fn assert_held_back(len: usize, count: usize, most: usize) {
    let disk = Probe::new(16 << 20);
    let rig = Rig::new(disk.clone());
    let mut client = rig.client(PLAIN);
    let write = [
        request(WRITE, 0, 1, 0, u32::try_from(len).unwrap()),
        vec![1; len],
    ]
    .concat();
    let all = write.repeat(count);
    let _held = disk.hold(0);
    let mut sender = client.stream.try_clone().unwrap();
    sender
        .set_write_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let (sent, blocked) = send_until_blocked(&mut sender, &all);
    assert_eq!(
        blocked,
        Some(io::ErrorKind::WouldBlock),
        "the server takes whatever comes"
    );
    assert!(sent < most * write.len(), "{sent} bytes were taken");
    disk.open();
    sender.set_write_timeout(Some(PATIENCE)).unwrap();
    let sending = thread::spawn(move || sender.write_all(&all[sent..]).unwrap());
    for _ in 0..count {
        assert_eq!(client.receive().unwrap().1, Reply::Done);
    }
    sending.join().unwrap();
}

/// How many bytes were taken, and what stopped it if not the end.
fn send_until_blocked(stream: &mut UnixStream, bytes: &[u8]) -> (usize, Option<io::ErrorKind>) {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(more) => sent += more,
            Err(error) => return (sent, Some(error.kind())),
        }
    }
    (sent, None)
}

#[test]
fn a_device_that_panics_costs_the_connection_and_no_more() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    *disk.panic_at.lock().unwrap() = Some(4096);
    for declines in [false, true] {
        disk.declines.store(declines, Ordering::SeqCst);
        let mut client = rig.client(PLAIN);
        client.send(READ, 0, 4096, 512, &[]);
        assert!(client.is_hung_up_on());
        assert_eq!(rig.client(PLAIN).read(0, 4), [0; 4]);
    }
    assert!(rig.server.exports().remove("", PATIENCE));
    assert_eq!(Arc::strong_count(&disk), 1);
}

#[test]
fn a_client_that_leaves_while_its_request_waits_is_forgotten() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let mut client = rig.client(PLAIN);
    let _held = disk.hold(0);
    client.send(READ, 0, 0, 512, &[]);
    disk.wait_for_held(1);
    drop(client);
    disk.open();
    wait_until("the connection is gone", || {
        rig.server.exports().connections() == 0
    });
    assert_eq!(rig.client(PLAIN).read(0, 4), [0; 4]);
}

#[test]
fn a_disconnect_is_obeyed_after_what_came_before_it() {
    let disk = Probe::new(SIZE);
    let rig = Rig::new(disk.clone());
    let mut client = rig.client(PLAIN);
    let _held = disk.hold(0);
    let write = [request(WRITE, 0, 1, 0, 4), vec![6; 4]].concat();
    let after = [request(WRITE, 0, 3, 8, 4), vec![6; 4]].concat();
    client
        .stream
        .write_all(&[write, request(DISC, 0, 2, 0, 0), after].concat())
        .unwrap();
    disk.wait_for_held(1);
    disk.open();
    assert_eq!(client.receive().unwrap(), (1, Reply::Done));
    assert!(client.is_hung_up_on());
    assert_eq!(disk.now(0, 12), [6, 6, 6, 6, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn the_old_way_to_an_export_works_with_and_without_zeros() {
    let rig = Rig::new(Probe::new(SIZE));
    for (client_flags, zeros) in [(1, 124), (3, 0)] {
        let mut stream = greet(&rig.path, client_flags).unwrap();
        stream.write_all(&option(OPT_EXPORT_NAME, b"")).unwrap();
        assert_eq!(take_u64(&mut stream).unwrap(), SIZE);
        assert_eq!(take_u16(&mut stream).unwrap() & 1, 1);
        assert_eq!(take_vec(&mut stream, zeros).unwrap(), vec![0; zeros]);
        stream.write_all(&request(READ, 0, 77, 0, 2)).unwrap();
        assert_eq!(
            take::<18>(&mut stream).unwrap()[8..],
            [0, 0, 0, 0, 0, 0, 0, 77, 0, 0]
        );
    }
    let mut stream = greet(&rig.path, 3).unwrap();
    stream
        .write_all(&option(OPT_EXPORT_NAME, b"nothing"))
        .unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn haggling_goes_on_after_a_refusal() {
    let rig = Rig::new(Probe::new(SIZE));
    rig.server
        .exports()
        .insert("zweite", Probe::new(SIZE))
        .unwrap();
    let mut stream = greet(&rig.path, 3).unwrap();
    let last = |replies: Vec<(u32, Vec<u8>)>| replies.last().unwrap().0;
    assert_eq!(
        last(haggle(&mut stream, OPT_STARTTLS, &[]).unwrap()),
        REP_ERR_POLICY
    );
    assert_eq!(
        last(haggle(&mut stream, 4711, b"what").unwrap()),
        REP_ERR_UNSUP
    );
    assert_eq!(
        last(haggle(&mut stream, OPT_LIST, b"x").unwrap()),
        REP_ERR_INVALID
    );
    let set = meta_data("", &["base:allocation"]);
    assert_eq!(
        last(haggle(&mut stream, OPT_SET_META_CONTEXT, &set).unwrap()),
        REP_ERR_INVALID
    );
    assert_eq!(
        last(haggle(&mut stream, OPT_STRUCTURED_REPLY, &[]).unwrap()),
        REP_ACK
    );
    let unknown = meta_data("dritte", &["base:allocation"]);
    assert_eq!(
        last(haggle(&mut stream, OPT_SET_META_CONTEXT, &unknown).unwrap()),
        REP_ERR_UNKNOWN
    );
    let listed = haggle(&mut stream, OPT_LIST_META_CONTEXT, &meta_data("", &[])).unwrap();
    assert_eq!(listed[0].1[4..], *b"base:allocation");
    assert_eq!(
        last(haggle(&mut stream, OPT_GO, &go_data("dritte", &[])).unwrap()),
        REP_ERR_UNKNOWN
    );
    assert_eq!(
        last(haggle(&mut stream, OPT_GO, &[0, 0]).unwrap()),
        REP_ERR_INVALID
    );
    let names: Vec<Vec<u8>> = haggle(&mut stream, OPT_LIST, &[])
        .unwrap()
        .into_iter()
        .map(|reply| reply.1)
        .collect();
    assert_eq!(
        names,
        [b"\0\0\0\0".to_vec(), b"\0\0\0\x06zweite".to_vec(), vec![]]
    );
    assert_eq!(last(haggle(&mut stream, OPT_ABORT, &[]).unwrap()), REP_ACK);
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_client_that_negotiates_in_silence_is_hung_up_on() {
    let settings = Settings {
        handshake_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    let rig = Rig::with(Probe::new(SIZE), settings);
    let mut silent = greet(&rig.path, 3).unwrap();
    let mut served = rig.client(PLAIN);
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0);
    // Silence after the negotiation is a client's right.
    assert_eq!(served.read(0, 4), [0; 4]);
}

#[test]
fn clients_beyond_the_limit_are_hung_up_on_until_one_leaves() {
    let rig = Rig::with(
        Probe::new(SIZE),
        Settings {
            max_connections: 2,
            ..Settings::default()
        },
    );
    let (first, _second) = (rig.client(PLAIN), rig.client(PLAIN));
    Client::connect(&rig.path, "", PLAIN).unwrap_err();
    drop(first);
    wait_until("a place is free", || {
        rig.server.exports().connections() == 1
    });
    assert_eq!(rig.client(PLAIN).read(0, 4), [0; 4]);
}

#[test]
fn names_of_exports_are_checked() {
    let rig = Rig::new(Probe::new(SIZE));
    let exports = rig.server.exports();
    assert_eq!(
        exports.insert("", Probe::new(SIZE)),
        Err(ExportError::Exists)
    );
    assert_eq!(
        exports.insert("a\0b", Probe::new(SIZE)),
        Err(ExportError::Name)
    );
    assert_eq!(
        exports.insert(&"a".repeat(4097), Probe::new(SIZE)),
        Err(ExportError::Name)
    );
    exports.insert(&"a".repeat(4096), Probe::new(SIZE)).unwrap();
    assert_eq!(
        Client::connect(&rig.path, &"a".repeat(4096), FULL)
            .unwrap()
            .size,
        SIZE
    );
}

#[test]
fn the_socket_of_a_dead_server_is_replaced_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    drop(UnixListener::bind(&path).unwrap());
    let server = Server::bind(Address::unix(&path)).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    server.exports().insert("", Probe::new(SIZE)).unwrap();
    assert_eq!(Client::connect(&path, "", PLAIN).unwrap().size, SIZE);
    assert!(matches!(
        Server::bind(Address::unix(&path)),
        Err(BindError::InUse(_))
    ));
    assert_eq!(Client::connect(&path, "", PLAIN).unwrap().size, SIZE);
    server.shutdown();
    fs::write(&path, "precious").unwrap();
    assert!(matches!(
        Server::bind(Address::unix(&path)),
        Err(BindError::NotASocket(_))
    ));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    let names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["s"], "nothing is left behind");
}

#[test]
fn a_server_leaves_the_socket_of_its_successor_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let old = Server::bind(Address::unix(&path)).unwrap();
    fs::remove_file(&path).unwrap();
    let new = Server::bind(Address::unix(&path)).unwrap();
    new.exports().insert("", Probe::new(SIZE)).unwrap();
    old.shutdown();
    assert_eq!(Client::connect(&path, "", PLAIN).unwrap().size, SIZE);
}

#[test]
fn addresses_that_cannot_be_served_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let room = 106 - dir.path().as_os_str().len() - 1;
    let fits = Address::unix(dir.path().join("s".repeat(room)));
    Server::bind(fits).unwrap().shutdown();
    let long = Address::unix(dir.path().join("s".repeat(room + 1)));
    assert!(matches!(
        Server::bind(long),
        Err(BindError::PathTooLong { len: 107, .. })
    ));
    for address in ["0.0.0.0:0", "192.0.2.1:10809", "[::]:0"] {
        let refused = Server::bind(Address::Tcp(address.parse().unwrap()));
        assert!(
            matches!(refused, Err(BindError::NotLoopback(_))),
            "{address}"
        );
    }
}

#[test]
fn tcp_is_served_on_loopback_and_drains_like_a_unix_socket() {
    let server = Server::bind(Address::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
    server
        .exports()
        .insert("", Arc::new(MemoryDevice::new(SIZE)))
        .unwrap();
    let Address::Tcp(address) = server.address().clone() else {
        panic!("{}", server.address())
    };
    assert_ne!(address.port(), 0);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(take_vec(&mut stream, 18).unwrap()[..8], *b"NBDMAGIC");
    stream.write_all(&3u32.to_be_bytes()).unwrap();
    stream.write_all(&option(OPT_EXPORT_NAME, b"")).unwrap();
    assert_eq!(take_u64(&mut stream).unwrap(), SIZE);
    assert_eq!(take_u16(&mut stream).unwrap() & 1, 1);
    stream.write_all(&request(READ, 0, 5, 0, 4)).unwrap();
    assert_eq!(take_vec(&mut stream, 20).unwrap()[16..], [0; 4]);
    server.shutdown();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    TcpStream::connect(address).unwrap_err();
}
