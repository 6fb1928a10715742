//! A client that does as it is told, a disk that shows what reached it, and tools found in PATH.
//!
//! The numbers here are written down from the protocol document once more, on purpose: a wrong
//! number in the server is not to be wrong here too.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stderr
)]

use cairn_nbd::{
    Address, BlockDevice, Extent, Outcome, Server, Settings, Wait, devices::MemoryDevice,
};
use std::{
    env, io,
    io::{Read, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

pub const READ: u16 = 0;
pub const WRITE: u16 = 1;
pub const DISC: u16 = 2;
pub const FLUSH: u16 = 3;
pub const TRIM: u16 = 4;
pub const CACHE: u16 = 5;
pub const WRITE_ZEROES: u16 = 6;
pub const BLOCK_STATUS: u16 = 7;

pub const FUA: u16 = 1;
pub const NO_HOLE: u16 = 2;
pub const DF: u16 = 4;
pub const REQ_ONE: u16 = 8;
pub const FAST_ZERO: u16 = 16;

pub const EPERM: u32 = 1;
pub const EIO: u32 = 5;
pub const EINVAL: u32 = 22;
pub const ENOSPC: u32 = 28;
pub const ENOTSUP: u32 = 95;

pub const OPT_EXPORT_NAME: u32 = 1;
pub const OPT_ABORT: u32 = 2;
pub const OPT_LIST: u32 = 3;
pub const OPT_STARTTLS: u32 = 5;
pub const OPT_GO: u32 = 7;
pub const OPT_STRUCTURED_REPLY: u32 = 8;
pub const OPT_LIST_META_CONTEXT: u32 = 9;
pub const OPT_SET_META_CONTEXT: u32 = 10;

pub const REP_ACK: u32 = 1;
pub const REP_INFO: u32 = 3;
pub const REP_ERR_UNSUP: u32 = 0x8000_0001;
pub const REP_ERR_POLICY: u32 = 0x8000_0002;
pub const REP_ERR_INVALID: u32 = 0x8000_0003;
pub const REP_ERR_UNKNOWN: u32 = 0x8000_0006;

/// Long enough for anything on a busy machine; reached only by a server that hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A reply to one request.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    Done,
    Data(u64, Vec<u8>),
    Status(Vec<(u32, u32)>),
    Error(u32),
}

#[derive(Debug)]
pub struct Client {
    pub stream: UnixStream,
    pub size: u64,
    pub flags: u16,
    structured: bool,
    cookie: u64,
    /// Lengths of the reads that are under way: a simple reply does not say.
    reads: std::collections::HashMap<u64, usize>,
}

/// How a client introduces itself.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub structured: bool,
    pub contexts: bool,
}

pub const PLAIN: Manner = Manner {
    structured: false,
    contexts: false,
};
pub const STRUCTURED: Manner = Manner {
    structured: true,
    contexts: false,
};
pub const FULL: Manner = Manner {
    structured: true,
    contexts: true,
};

pub fn option(number: u32, data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).unwrap();
    [
        b"IHAVEOPT",
        &number.to_be_bytes()[..],
        &len.to_be_bytes(),
        data,
    ]
    .concat()
}

pub fn go_data(name: &str, kinds: &[u16]) -> Vec<u8> {
    let mut data = u32::try_from(name.len()).unwrap().to_be_bytes().to_vec();
    data.extend(name.as_bytes());
    data.extend(u16::try_from(kinds.len()).unwrap().to_be_bytes());
    kinds
        .iter()
        .for_each(|kind| data.extend(kind.to_be_bytes()));
    data
}

pub fn meta_data(name: &str, queries: &[&str]) -> Vec<u8> {
    let mut data = u32::try_from(name.len()).unwrap().to_be_bytes().to_vec();
    data.extend(name.as_bytes());
    data.extend(u32::try_from(queries.len()).unwrap().to_be_bytes());
    for query in queries {
        data.extend(u32::try_from(query.len()).unwrap().to_be_bytes());
        data.extend(query.as_bytes());
    }
    data
}

pub fn request(command: u16, flags: u16, cookie: u64, offset: u64, len: u32) -> Vec<u8> {
    [
        &0x2560_9513u32.to_be_bytes()[..],
        &flags.to_be_bytes(),
        &command.to_be_bytes(),
        &cookie.to_be_bytes(),
        &offset.to_be_bytes(),
        &len.to_be_bytes(),
    ]
    .concat()
}

pub fn take<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub fn take_u16(stream: &mut impl Read) -> io::Result<u16> {
    Ok(u16::from_be_bytes(take(stream)?))
}

pub fn take_u32(stream: &mut impl Read) -> io::Result<u32> {
    Ok(u32::from_be_bytes(take(stream)?))
}

pub fn take_u64(stream: &mut impl Read) -> io::Result<u64> {
    Ok(u64::from_be_bytes(take(stream)?))
}

pub fn take_vec(stream: &mut impl Read, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Connects and takes the greeting; a server that hangs fails the test rather than hold it.
pub fn greet(path: &Path, client_flags: u32) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    assert_eq!(&take::<16>(&mut stream)?, b"NBDMAGICIHAVEOPT");
    assert_eq!(take_u16(&mut stream)?, 3);
    stream.write_all(&client_flags.to_be_bytes())?;
    Ok(stream)
}

/// One reply to an option: (kind, data).
pub fn option_reply(stream: &mut impl Read, option: u32) -> io::Result<(u32, Vec<u8>)> {
    assert_eq!(take_u64(stream)?, 0x0003_e889_0455_65a9);
    assert_eq!(take_u32(stream)?, option);
    let kind = take_u32(stream)?;
    let len = take_u32(stream)? as usize;
    Ok((kind, take_vec(stream, len)?))
}

/// Sends an option and takes replies up to the last.
pub fn haggle(
    stream: &mut UnixStream,
    number: u32,
    data: &[u8],
) -> io::Result<Vec<(u32, Vec<u8>)>> {
    stream.write_all(&option(number, data))?;
    let mut replies = Vec::new();
    loop {
        let reply = option_reply(stream, number)?;
        let last = reply.0 == REP_ACK || reply.0 >= 1 << 31;
        replies.push(reply);
        if last {
            return Ok(replies);
        }
    }
}

impl Client {
    pub fn connect(path: &Path, name: &str, manner: Manner) -> io::Result<Self> {
        let mut stream = greet(path, 3)?;
        if manner.structured {
            assert_eq!(
                haggle(&mut stream, OPT_STRUCTURED_REPLY, &[])?,
                [(REP_ACK, vec![])]
            );
        }
        if manner.contexts {
            let replies = haggle(
                &mut stream,
                OPT_SET_META_CONTEXT,
                &meta_data(name, &["base:allocation"]),
            )?;
            assert_eq!(replies.len(), 2, "{replies:?}");
        }
        let replies = haggle(&mut stream, OPT_GO, &go_data(name, &[]))?;
        let (kind, info) = &replies[0];
        if *kind != REP_INFO {
            return Err(io::Error::other(format!("refused: {kind:#x}")));
        }
        assert_eq!(info[..2], [0, 0]);
        let size = u64::from_be_bytes(info[2..10].try_into().unwrap());
        let flags = u16::from_be_bytes(info[10..12].try_into().unwrap());
        let reads = std::collections::HashMap::new();
        Ok(Self {
            stream,
            size,
            flags,
            structured: manner.structured,
            cookie: 0,
            reads,
        })
    }

    /// Sends a request and returns its cookie.
    pub fn send(&mut self, command: u16, flags: u16, offset: u64, len: u32, payload: &[u8]) -> u64 {
        self.cookie += 1;
        let cookie = self.cookie.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if command == READ {
            self.reads.insert(cookie, len as usize);
        }
        let bytes = [&request(command, flags, cookie, offset, len)[..], payload].concat();
        self.stream.write_all(&bytes).unwrap();
        cookie
    }

    /// Takes the next reply: whole, for this server never sends more than one chunk of data.
    pub fn receive(&mut self) -> io::Result<(u64, Reply)> {
        let magic = take_u32(&mut self.stream)?;
        let (cookie, reply) = match magic {
            0x6744_6698 => self.receive_simple()?,
            0x668e_33ef if self.structured => self.receive_chunk()?,
            _ => panic!("a reply begins with {magic:#x}"),
        };
        self.reads.remove(&cookie);
        Ok((cookie, reply))
    }

    fn receive_simple(&mut self) -> io::Result<(u64, Reply)> {
        let error = take_u32(&mut self.stream)?;
        let cookie = take_u64(&mut self.stream)?;
        let len = self.reads.get(&cookie).copied();
        assert!(
            len.is_none() || !self.structured,
            "a simple reply to a read"
        );
        let reply = match (error, len) {
            (0, Some(len)) if len > 0 => Reply::Data(0, take_vec(&mut self.stream, len)?),
            (0, _) => Reply::Done,
            (error, _) => Reply::Error(error),
        };
        Ok((cookie, reply))
    }

    fn receive_chunk(&mut self) -> io::Result<(u64, Reply)> {
        assert_eq!(take_u16(&mut self.stream)?, 1, "one chunk, and done");
        let kind = take_u16(&mut self.stream)?;
        let cookie = take_u64(&mut self.stream)?;
        let len = take_u32(&mut self.stream)? as usize;
        let payload = take_vec(&mut self.stream, len)?;
        let mut rest = &payload[..];
        let reply = match kind {
            0 => Reply::Done,
            1 => Reply::Data(take_u64(&mut rest)?, rest.to_vec()),
            5 => {
                assert_ne!(take_u32(&mut rest)?, 0);
                let descriptors = rest.as_chunks::<8>().0.iter().map(|pair| {
                    let mut fields = &pair[..];
                    (
                        take_u32(&mut fields).unwrap(),
                        take_u32(&mut fields).unwrap(),
                    )
                });
                Reply::Status(descriptors.collect())
            }
            0x8001 => {
                let error = take_u32(&mut rest)?;
                let message = take_u16(&mut rest)?;
                assert_eq!(rest.len(), usize::from(message));
                Reply::Error(error)
            }
            _ => panic!("a chunk of kind {kind:#x}"),
        };
        Ok((cookie, reply))
    }

    /// Sends a request and takes its reply.
    pub fn ask(
        &mut self,
        command: u16,
        flags: u16,
        offset: u64,
        len: u32,
        payload: &[u8],
    ) -> Reply {
        let sent = self.send(command, flags, offset, len, payload);
        let (cookie, reply) = self.receive().unwrap();
        assert_eq!(cookie, sent, "the reply is to another request");
        reply
    }

    pub fn read(&mut self, offset: u64, len: u32) -> Vec<u8> {
        match self.ask(READ, 0, offset, len, &[]) {
            Reply::Data(at, data) => {
                assert!(!self.structured || at == offset);
                data
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn write(&mut self, flags: u16, offset: u64, data: &[u8]) -> Reply {
        self.ask(
            WRITE,
            flags,
            offset,
            u32::try_from(data.len()).unwrap(),
            data,
        )
    }

    /// True when the server has hung up, with nothing more to say.
    pub fn is_hung_up_on(&mut self) -> bool {
        match self.stream.read(&mut [0; 1]) {
            Ok(len) => len == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// A disk with a cache that a power failure would lose, gates that hold requests back, and a record of what it was asked.
#[derive(Debug)]
pub struct Probe {
    now: MemoryDevice,
    durable: MemoryDevice,
    pub read_only: bool,
    gate: Mutex<Option<u64>>,
    opened: Condvar,
    /// How often the calls at the gate were told not to wait.
    abandonments: AtomicUsize,
    /// Calls that wait at the gate.
    waiting: Mutex<usize>,
    arrived: Condvar,
    pub most_waiting: AtomicUsize,
    pub flushes: AtomicUsize,
    pub violations: AtomicUsize,
    /// Reads at this offset panic.
    pub panic_at: Mutex<Option<u64>>,
    /// What the next writes fail with.
    pub fail_with: Mutex<Option<io::ErrorKind>>,
    pub declines: AtomicBool,
}

impl Probe {
    pub fn new(size: u64) -> Arc<Self> {
        Arc::new(Self::with(size, false))
    }

    pub fn with(size: u64, read_only: bool) -> Self {
        Self {
            now: MemoryDevice::new(size),
            durable: MemoryDevice::new(size),
            read_only,
            gate: Mutex::default(),
            opened: Condvar::new(),
            abandonments: AtomicUsize::default(),
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            most_waiting: AtomicUsize::default(),
            flushes: AtomicUsize::default(),
            violations: AtomicUsize::default(),
            panic_at: Mutex::default(),
            fail_with: Mutex::default(),
            declines: AtomicBool::default(),
        }
    }

    /// From now on requests at `offset` wait, until the gate is opened or the guard is dropped: a
    /// test that fails does not leave its server waiting.
    #[must_use]
    pub fn hold(&self, offset: u64) -> Held<'_> {
        *self.gate.lock().unwrap() = Some(offset);
        Held(self)
    }

    pub fn open(&self) {
        *self.gate.lock().unwrap() = None;
        self.opened.notify_all();
    }

    /// Waits until `count` calls are held at the gate.
    pub fn wait_for_held(&self, count: usize) {
        let waiting = self.waiting.lock().unwrap();
        let (_held, waited) = self
            .arrived
            .wait_timeout_while(waiting, PATIENCE, |waiting| *waiting < count)
            .unwrap();
        assert!(
            !waited.timed_out(),
            "fewer than {count} requests came to the device"
        );
    }

    /// What would be there after a power failure.
    pub fn durable(&self, offset: u64, len: usize) -> Vec<u8> {
        contents(&self.durable, offset, len)
    }

    pub fn now(&self, offset: u64, len: usize) -> Vec<u8> {
        contents(&self.now, offset, len)
    }

    fn pass(&self, offset: u64, wait: Wait) -> Outcome {
        let gate = self.gate.lock().unwrap();
        if wait == Wait::No && (*gate == Some(offset) || self.declines.load(Ordering::SeqCst)) {
            return Outcome::WouldBlock;
        }
        if *gate != Some(offset) {
            return Outcome::Done;
        }
        self.count_waiting(1);
        let abandonments = self.abandonments.load(Ordering::SeqCst);
        drop(
            self.opened
                .wait_while(gate, |gate| {
                    *gate == Some(offset)
                        && self.abandonments.load(Ordering::SeqCst) == abandonments
                })
                .unwrap(),
        );
        self.count_waiting(-1);
        Outcome::Done
    }

    fn count_waiting(&self, change: isize) {
        let mut waiting = self.waiting.lock().unwrap();
        *waiting = waiting.checked_add_signed(change).unwrap();
        self.most_waiting.fetch_max(*waiting, Ordering::SeqCst);
        self.arrived.notify_all();
    }

    fn check(&self, offset: u64, len: u64) {
        if offset
            .checked_add(len)
            .is_none_or(|end| end > self.now.size())
        {
            self.violations.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn persist(&self, offset: u64, len: u64) -> io::Result<()> {
        let data = contents(&self.now, offset, usize::try_from(len).unwrap());
        self.durable
            .write(offset, &data, true, Wait::Yes)
            .map(|_| ())
    }

    fn zero(&self, offset: u64, len: u64, no_hole: bool, fua: bool) -> io::Result<()> {
        self.check(offset, len);
        self.now.write_zeroes(offset, len, no_hole, fua)?;
        if fua {
            self.persist(offset, len)
        } else {
            Ok(())
        }
    }
}

#[derive(Debug)]
pub struct Held<'a>(&'a Probe);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

fn contents(device: &MemoryDevice, offset: u64, len: usize) -> Vec<u8> {
    let mut data = vec![0; len];
    assert_eq!(
        device.read(offset, &mut data, Wait::Yes).unwrap(),
        Outcome::Done
    );
    data
}

impl BlockDevice for Probe {
    fn size(&self) -> u64 {
        self.now.size()
    }

    fn read_only(&self) -> bool {
        self.read_only
    }

    fn read(&self, offset: u64, buf: &mut [u8], wait: Wait) -> io::Result<Outcome> {
        self.check(offset, buf.len() as u64);
        if self.pass(offset, wait) == Outcome::WouldBlock {
            return Ok(Outcome::WouldBlock);
        }
        let panic_at = *self.panic_at.lock().unwrap();
        assert_ne!(panic_at, Some(offset), "this disk panics here");
        self.now.read(offset, buf, Wait::Yes)
    }

    fn write(&self, offset: u64, data: &[u8], fua: bool, wait: Wait) -> io::Result<Outcome> {
        self.check(offset, data.len() as u64);
        if let Some(kind) = *self.fail_with.lock().unwrap() {
            return Err(kind.into());
        }
        if self.pass(offset, wait) == Outcome::WouldBlock {
            return Ok(Outcome::WouldBlock);
        }
        let outcome = self.now.write(offset, data, fua, Wait::Yes)?;
        if fua {
            self.persist(offset, data.len() as u64)?;
        }
        Ok(outcome)
    }

    fn flush(&self) -> io::Result<()> {
        self.flushes.fetch_add(1, Ordering::SeqCst);
        self.persist(0, self.now.size())
    }

    fn trim(&self, offset: u64, len: u64, fua: bool) -> io::Result<()> {
        self.zero(offset, len, false, fua)
    }

    fn write_zeroes(&self, offset: u64, len: u64, no_hole: bool, fua: bool) -> io::Result<()> {
        self.zero(offset, len, no_hole, fua)
    }

    fn abandon_waits(&self) {
        let _gate = self.gate.lock().unwrap();
        self.abandonments.fetch_add(1, Ordering::SeqCst);
        self.opened.notify_all();
    }

    fn extents(&self, offset: u64, len: u64) -> io::Result<Vec<Extent>> {
        self.check(offset, len);
        self.now.extents(offset, len)
    }
}

/// A server on a socket of its own, with one device as its default export.
#[derive(Debug)]
pub struct Rig {
    pub server: Server,
    pub path: PathBuf,
    _dir: tempfile::TempDir,
}

impl Rig {
    pub fn new(device: Arc<dyn BlockDevice>) -> Self {
        Self::with(device, Settings::default())
    }

    pub fn with(device: Arc<dyn BlockDevice>, settings: Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nbd.sock");
        let server = Server::bind_with(Address::unix(&path), settings).unwrap();
        server.exports().insert("", device).unwrap();
        Self {
            server,
            path,
            _dir: dir,
        }
    }

    pub fn client(&self, manner: Manner) -> Client {
        Client::connect(&self.path, "", manner).unwrap()
    }
}

/// Waits until something has become true that nobody tells of.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited too long: {what}");
        thread::yield_now();
    }
}

/// True when all tools are there. Otherwise says that the test is skipped, or, where tools are
/// required (`CAIRN_REQUIRE_TOOLS=1`), fails it.
pub fn have_tools(test: &str, tools: &[&str]) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    for tool in tools {
        if !env::split_paths(&path).any(|dir| dir.join(tool).is_file()) {
            let required = env::var_os("CAIRN_REQUIRE_TOOLS").is_some_and(|value| value == "1");
            assert!(!required, "{test} requires {tool}, which is not in PATH");
            eprintln!("SKIPPED {test}: {tool} not found");
            return false;
        }
    }
    true
}
