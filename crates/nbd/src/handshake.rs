//! From the greeting to an export: fixed newstyle negotiation.

use crate::{
    device::BlockDevice,
    proto::{
        self, Fields, IHAVEOPT, INIT_PASSWD, MAX_OPTION, MAX_PAYLOAD, MIN_BLOCK,
        OPTION_REPLY_MAGIC, PREFERRED_BLOCK, handshake_flag, info, option, option_reply,
        transmission_flag as flag,
    },
    registry::{Attach, Exports},
    reply::Form,
};
use std::{
    io::{self, Read, Write},
    sync::Arc,
};

/// Something that can be asked about ranges of an export. A new context is a new variant here,
/// and a new way to describe an extent in `operation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetaContext {
    /// What is allocated, and what reads as zeros.
    BaseAllocation,
}

impl MetaContext {
    const ALL: [Self; 1] = [Self::BaseAllocation];

    fn name(self) -> &'static str {
        match self {
            Self::BaseAllocation => "base:allocation",
        }
    }

    /// The number that stands for the context on the wire. Not zero, which is reserved in lists.
    pub(crate) fn id(self) -> u32 {
        match self {
            Self::BaseAllocation => 1,
        }
    }

    /// True when a query means this context: its name, or in a list also its namespace.
    fn matches(self, query: &str, listing: bool) -> bool {
        query == self.name() || (listing && query.ends_with(':') && self.name().starts_with(query))
    }
}

/// What a client has agreed on.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) device: Arc<dyn BlockDevice>,
    pub(crate) form: Form,
    pub(crate) contexts: Vec<MetaContext>,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("exchange bytes with the client")]
    Io(#[from] io::Error),
    #[error("the client {0}")]
    Violation(&'static str),
}

/// Negotiates on behalf of the connection `id`. `None` when the client wants no more, or was refused.
pub(crate) fn negotiate<S: Read + Write>(
    stream: S,
    exports: &Exports,
    id: u64,
) -> Result<Option<Session>, HandshakeError> {
    let mut handshake = Handshake {
        stream,
        exports,
        connection: id,
        no_zeroes: false,
        structured: false,
        contexts: Vec::new(),
        contexts_of: String::new(),
    };
    handshake.greet()?;
    loop {
        match handshake.option()? {
            Step::Haggle => {}
            Step::Leave => return Ok(None),
            Step::Enter(session) => return Ok(Some(session)),
        }
    }
}

/// What comes after an option.
enum Step {
    Haggle,
    Leave,
    Enter(Session),
}

struct Handshake<'a, S> {
    stream: S,
    exports: &'a Exports,
    connection: u64,
    no_zeroes: bool,
    structured: bool,
    contexts: Vec<MetaContext>,
    /// The export for which the contexts were selected: they hold for no other.
    contexts_of: String,
}

impl<S: Read + Write> Handshake<'_, S> {
    fn greet(&mut self) -> Result<(), HandshakeError> {
        let flags = handshake_flag::FIXED_NEWSTYLE | handshake_flag::NO_ZEROES;
        let greeting = [
            &INIT_PASSWD.to_be_bytes()[..],
            &IHAVEOPT.to_be_bytes(),
            &flags.to_be_bytes(),
        ]
        .concat();
        self.stream.write_all(&greeting)?;
        let mut answer = [0; 4];
        self.stream.read_exact(&mut answer)?;
        let answer = u32::from_be_bytes(answer);
        if answer & !(handshake_flag::C_FIXED_NEWSTYLE | handshake_flag::C_NO_ZEROES) != 0 {
            return Err(HandshakeError::Violation("sets flags that nobody knows"));
        }
        self.no_zeroes = answer & handshake_flag::C_NO_ZEROES != 0;
        Ok(())
    }

    /// Receives one option and answers it.
    fn option(&mut self) -> Result<Step, HandshakeError> {
        let (option, data) = self.receive_option()?;
        match option {
            option::EXPORT_NAME => self.export_name(&data),
            option::ABORT => self.abort(),
            option::LIST => self.list(&data),
            option::STARTTLS => self.refuse(
                option,
                option_reply::ERR_POLICY,
                "this server does not speak TLS",
            ),
            option::INFO | option::GO => self.go(option, &data),
            option::STRUCTURED_REPLY => self.structured_reply(&data),
            option::LIST_META_CONTEXT | option::SET_META_CONTEXT => {
                self.meta_context(option, &data)
            }
            _ => self.refuse(option, option_reply::ERR_UNSUP, "unknown option"),
        }
    }

    fn receive_option(&mut self) -> Result<(u32, Vec<u8>), HandshakeError> {
        let mut head = [0; 16];
        self.stream.read_exact(&mut head)?;
        let mut fields = Fields::new(&head);
        let (magic, option, len) = (fields.u64(), fields.u32(), fields.u32());
        if magic != Some(IHAVEOPT) {
            return Err(HandshakeError::Violation(
                "sends an option without its magic number",
            ));
        }
        let len = len.unwrap_or(u32::MAX) as usize;
        if len > MAX_OPTION {
            return Err(HandshakeError::Violation(
                "sends an option that is too long",
            ));
        }
        let mut data = vec![0; len];
        self.stream.read_exact(&mut data)?;
        Ok((option.unwrap_or(0), data))
    }

    /// The old way to an export: there is no way to say no but to hang up.
    fn export_name(&mut self, data: &[u8]) -> Result<Step, HandshakeError> {
        let name = proto::string(data)
            .ok_or(HandshakeError::Violation("asks for a name that cannot be"))?;
        let Attach::To(device) = self.exports.attach(self.connection, name) else {
            return Err(HandshakeError::Violation(
                "asks for an export that is not there",
            ));
        };
        let mut reply = export_info(&*device, self.structured).to_vec();
        if !self.no_zeroes {
            reply.resize(reply.len() + 124, 0);
        }
        self.stream.write_all(&reply)?;
        Ok(Step::Enter(self.session(name, device)))
    }

    fn abort(&mut self) -> Result<Step, HandshakeError> {
        // A client may leave without waiting for the answer.
        if let Err(error) = self.send(&Replies::to(option::ABORT).ack()) {
            tracing::trace!(%error, "client left before its abort was acknowledged");
        }
        Ok(Step::Leave)
    }

    fn list(&mut self, data: &[u8]) -> Result<Step, HandshakeError> {
        if !data.is_empty() {
            return self.refuse(
                option::LIST,
                option_reply::ERR_INVALID,
                "a list takes no data",
            );
        }
        let mut replies = Replies::to(option::LIST);
        for name in self.exports.names() {
            let len = u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes();
            replies.add(option_reply::SERVER, &[&len, name.as_bytes()]);
        }
        self.send(&replies.ack())
    }

    fn structured_reply(&mut self, data: &[u8]) -> Result<Step, HandshakeError> {
        if !data.is_empty() {
            return self.refuse(
                option::STRUCTURED_REPLY,
                option_reply::ERR_INVALID,
                "structured replies take no data",
            );
        }
        self.structured = true;
        self.send(&Replies::to(option::STRUCTURED_REPLY).ack())
    }

    fn go(&mut self, option: u32, data: &[u8]) -> Result<Step, HandshakeError> {
        let Some(asked) = AskedInfo::parse(data) else {
            return self.refuse(
                option,
                option_reply::ERR_INVALID,
                "malformed request for an export",
            );
        };
        let found = match option {
            option::GO => self.exports.attach(self.connection, asked.name),
            _ => self.exports.find(asked.name),
        };
        let device = match found {
            Attach::To(device) => device,
            Attach::Unknown => {
                return self.refuse(option, option_reply::ERR_UNKNOWN, "no such export");
            }
            Attach::Closing => {
                return self.refuse(
                    option,
                    option_reply::ERR_SHUTDOWN,
                    "the server is shutting down",
                );
            }
        };
        self.send(&self.describe(option, &asked, &*device))?;
        Ok(match option {
            option::GO => Step::Enter(self.session(asked.name, device)),
            _ => Step::Haggle,
        })
    }

    /// The replies to `GO` and `INFO` about an export that is there.
    fn describe(&self, option: u32, asked: &AskedInfo<'_>, device: &dyn BlockDevice) -> Vec<u8> {
        let mut replies = Replies::to(option);
        replies.add(
            option_reply::INFO,
            &[
                &info::EXPORT.to_be_bytes(),
                &export_info(device, self.structured),
            ],
        );
        if asked.wants(info::NAME) {
            replies.add(
                option_reply::INFO,
                &[&info::NAME.to_be_bytes(), asked.name.as_bytes()],
            );
        }
        if asked.wants(info::BLOCK_SIZE) {
            let sizes = [MIN_BLOCK, PREFERRED_BLOCK, MAX_PAYLOAD].map(u32::to_be_bytes);
            replies.add(
                option_reply::INFO,
                &[&info::BLOCK_SIZE.to_be_bytes(), sizes.as_flattened()],
            );
        }
        replies.ack()
    }

    fn meta_context(&mut self, option: u32, data: &[u8]) -> Result<Step, HandshakeError> {
        if !self.structured {
            return self.refuse(
                option,
                option_reply::ERR_INVALID,
                "structured replies come first",
            );
        }
        let Some((name, queries)) = parse_meta_context(data) else {
            return self.refuse(
                option,
                option_reply::ERR_INVALID,
                "malformed metadata query",
            );
        };
        if !matches!(self.exports.find(name), Attach::To(_)) {
            return self.refuse(option, option_reply::ERR_UNKNOWN, "no such export");
        }
        let listing = option == option::LIST_META_CONTEXT;
        let found = find_contexts(&queries, listing);
        let mut replies = Replies::to(option);
        for context in &found {
            let id = if listing { 0 } else { context.id() };
            replies.add(
                option_reply::META_CONTEXT,
                &[&id.to_be_bytes(), context.name().as_bytes()],
            );
        }
        if !listing {
            (self.contexts, self.contexts_of) = (found, name.to_owned());
        }
        self.send(&replies.ack())
    }

    fn session(&mut self, name: &str, device: Arc<dyn BlockDevice>) -> Session {
        let contexts = std::mem::take(&mut self.contexts);
        Session {
            device,
            form: Form {
                structured: self.structured,
            },
            contexts: if self.contexts_of == name {
                contexts
            } else {
                Vec::new()
            },
        }
    }

    fn refuse(&mut self, option: u32, kind: u32, message: &str) -> Result<Step, HandshakeError> {
        let mut replies = Replies::to(option);
        replies.add(kind, &[message.as_bytes()]);
        self.send(&replies.bytes)
    }

    fn send(&mut self, replies: &[u8]) -> Result<Step, HandshakeError> {
        self.stream.write_all(replies)?;
        Ok(Step::Haggle)
    }
}

/// Size (64 bits) and transmission flags (16 bits), as both ways to an export announce them.
fn export_info(device: &dyn BlockDevice, structured: bool) -> [u8; 10] {
    let mut flags = flag::HAS_FLAGS | flag::SEND_FLUSH | flag::SEND_FUA | flag::CAN_MULTI_CONN;
    if device.read_only() {
        flags |= flag::READ_ONLY;
    } else {
        flags |= flag::SEND_TRIM | flag::SEND_WRITE_ZEROES | flag::SEND_FAST_ZERO;
    }
    if structured {
        flags |= flag::SEND_DF;
    }
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&device.size().to_be_bytes());
    bytes[8..].copy_from_slice(&flags.to_be_bytes());
    bytes
}

/// The data of `GO` and `INFO`: a name and the kinds of information that are wanted.
struct AskedInfo<'a> {
    name: &'a str,
    kinds: Vec<u16>,
}

impl<'a> AskedInfo<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::new(data);
        let name = fields.string()?;
        let count = fields.u16()?;
        let kinds = (0..count)
            .map(|_| fields.u16())
            .collect::<Option<Vec<_>>>()?;
        fields.is_empty().then_some(Self { name, kinds })
    }

    fn wants(&self, kind: u16) -> bool {
        self.kinds.contains(&kind)
    }
}

/// The data of the two options about metadata contexts: a name and queries.
fn parse_meta_context(data: &[u8]) -> Option<(&str, Vec<&str>)> {
    let mut fields = Fields::new(data);
    let name = fields.string()?;
    let count = fields.u32()?;
    // Every query takes four bytes at least, so that a count which lies ends the loop early.
    let queries = (0..count)
        .map(|_| fields.string())
        .collect::<Option<Vec<_>>>()?;
    fields.is_empty().then_some((name, queries))
}

/// The contexts that any of the queries means. A list without queries is a list of all.
fn find_contexts(queries: &[&str], listing: bool) -> Vec<MetaContext> {
    let all = listing && queries.is_empty();
    MetaContext::ALL
        .into_iter()
        .filter(|context| all || queries.iter().any(|query| context.matches(query, listing)))
        .collect()
}

/// Replies to one option, sent together.
struct Replies {
    option: u32,
    bytes: Vec<u8>,
}

impl Replies {
    fn to(option: u32) -> Self {
        Self {
            option,
            bytes: Vec::new(),
        }
    }

    fn add(&mut self, kind: u32, data: &[&[u8]]) {
        let len = data.iter().map(|part| part.len()).sum::<usize>();
        self.bytes
            .extend_from_slice(&OPTION_REPLY_MAGIC.to_be_bytes());
        self.bytes.extend_from_slice(&self.option.to_be_bytes());
        self.bytes.extend_from_slice(&kind.to_be_bytes());
        self.bytes
            .extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
        data.iter()
            .for_each(|part| self.bytes.extend_from_slice(part));
    }

    fn ack(mut self) -> Vec<u8> {
        self.add(option_reply::ACK, &[]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::MemoryDevice;
    use proptest::prelude::*;
    use std::io::Cursor;

    /// A client that has said everything already.
    struct Script {
        said: Cursor<Vec<u8>>,
        heard: Vec<u8>,
    }

    impl Read for &mut Script {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.said.read(buf)
        }
    }

    impl Write for &mut Script {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.heard.write(buf)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn exports() -> Exports {
        let exports = Exports::new(8);
        exports
            .insert("", Arc::new(MemoryDevice::new(1 << 20)))
            .unwrap();
        exports
    }

    fn run(said: Vec<u8>) -> (Result<Option<Session>, HandshakeError>, Vec<u8>) {
        let mut script = Script {
            said: Cursor::new(said),
            heard: Vec::new(),
        };
        let result = negotiate(&mut script, &exports(), 0);
        (result, script.heard)
    }

    fn option_bytes(option: u32, data: &[u8]) -> Vec<u8> {
        let len = u32::try_from(data.len()).unwrap();
        [
            &IHAVEOPT.to_be_bytes()[..],
            &option.to_be_bytes(),
            &len.to_be_bytes(),
            data,
        ]
        .concat()
    }

    fn good() -> Vec<u8> {
        let query = b"base:allocation";
        let set = [&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 15][..], query].concat();
        [
            vec![0, 0, 0, 3],
            option_bytes(option::STRUCTURED_REPLY, &[]),
            option_bytes(option::LIST, &[]),
            option_bytes(option::SET_META_CONTEXT, &set),
            option_bytes(option::INFO, &[0, 0, 0, 0, 0, 0]),
            option_bytes(option::GO, &[0, 0, 0, 0, 0, 1, 0, 3]),
        ]
        .concat()
    }

    #[test]
    fn a_whole_negotiation_gives_a_session() {
        let (session, heard) = run(good());
        let session = session.unwrap().unwrap();
        assert!(session.form.structured);
        assert_eq!(session.contexts, [MetaContext::BaseAllocation]);
        let block_sizes = [0, 3, 0, 0, 0, 1, 0, 0, 0x10, 0, 2, 0, 0, 0];
        assert!(
            heard
                .windows(block_sizes.len())
                .any(|window| window == block_sizes)
        );
    }

    #[test]
    fn a_negotiation_that_ends_at_any_byte_gives_no_session() {
        let said = good();
        for cut in 0..said.len() {
            let (result, _) = run(said[..cut].to_vec());
            assert!(
                matches!(result, Err(HandshakeError::Io(_))),
                "cut at {cut}: {result:?}"
            );
        }
    }

    #[test]
    fn contexts_hold_only_for_the_export_that_they_were_selected_for() {
        let exports = exports();
        exports
            .insert("b", Arc::new(MemoryDevice::new(4096)))
            .unwrap();
        let mut said = good();
        said.truncate(said.len() - 8 - 16);
        said.extend(option_bytes(option::GO, &[0, 0, 0, 1, b'b', 0, 0]));
        let mut script = Script {
            said: Cursor::new(said),
            heard: Vec::new(),
        };
        let session = negotiate(&mut script, &exports, 0).unwrap().unwrap();
        assert_eq!(session.contexts, []);
        assert_eq!(session.device.size(), 4096);
    }

    #[test]
    fn an_option_beyond_the_limit_is_hung_up_on_before_its_data() {
        let head = [
            &IHAVEOPT.to_be_bytes()[..],
            &99u32.to_be_bytes(),
            &65_537u32.to_be_bytes(),
        ]
        .concat();
        let (result, _) = run([&[0, 0, 0, 3][..], &head].concat());
        assert!(matches!(result, Err(HandshakeError::Violation(_))));
    }

    #[test]
    fn queries_mean_names_and_in_lists_namespaces() {
        let all = [MetaContext::BaseAllocation];
        assert_eq!(find_contexts(&[], true), all);
        assert_eq!(find_contexts(&["base:"], true), all);
        assert_eq!(
            find_contexts(&["x-other:thing", "base:allocation"], false),
            all
        );
        assert_eq!(find_contexts(&[], false), []);
        assert_eq!(find_contexts(&["base:"], false), []);
        assert_eq!(find_contexts(&["base:alloc"], true), []);
    }

    proptest! {
        #[test]
        fn hostile_option_data_is_parsed_or_refused(data in prop::collection::vec(any::<u8>(), 0..200), cut in 0..40usize) {
            for option in 0..13u32 {
                let said = [vec![0, 0, 0, 3], option_bytes(option::STRUCTURED_REPLY, &[]), option_bytes(option, &data)];
                let mut said = said.concat();
                said.truncate(said.len().saturating_sub(cut));
                drop(run(said));
            }
        }

        #[test]
        fn a_good_negotiation_with_one_byte_wrong_neither_panics_nor_hangs(at in 0..170usize, flip in 1..=255u8) {
            let mut said = good();
            let at = at % said.len();
            said[at] ^= flip;
            drop(run(said));
        }
    }
}
