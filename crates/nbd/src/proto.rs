//! Numbers and layouts of the wire. Everything is big-endian.
//!
//! Names are those of the protocol document without the `NBD_` in front.

/// `NBDMAGIC`, the first thing a server says.
pub(crate) const INIT_PASSWD: u64 = 0x4e42_444d_4147_4943;
/// `IHAVEOPT`, the second thing a server says and the head of every option.
pub(crate) const IHAVEOPT: u64 = 0x4948_4156_454f_5054;
/// Head of every reply to an option.
pub(crate) const OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
/// Head of every request.
pub(crate) const REQUEST_MAGIC: u32 = 0x2560_9513;
/// Head of a simple reply.
pub(crate) const SIMPLE_REPLY_MAGIC: u32 = 0x6744_6698;
/// Head of a chunk of a structured reply.
pub(crate) const STRUCTURED_REPLY_MAGIC: u32 = 0x668e_33ef;

/// Longest export name and longest metadata context query, in bytes: the protocol's own limit for strings.
pub const MAX_NAME: usize = 4096;
/// Longest payload of a request or a reply to a read, in bytes. Announced as the maximum block size.
pub const MAX_PAYLOAD: u32 = 32 << 20;
/// Longest data of an option, in bytes. A client that sends more is hung up on.
pub(crate) const MAX_OPTION: usize = 64 << 10;
/// Smallest request that works, in bytes: devices take any offset.
pub(crate) const MIN_BLOCK: u32 = 1;
/// The size of request that devices like best, in bytes.
pub(crate) const PREFERRED_BLOCK: u32 = 4096;

/// Flags of the greeting, and of the client's answer to it.
pub(crate) mod handshake_flag {
    pub(crate) const FIXED_NEWSTYLE: u16 = 1 << 0;
    pub(crate) const NO_ZEROES: u16 = 1 << 1;
    pub(crate) const C_FIXED_NEWSTYLE: u32 = 1 << 0;
    pub(crate) const C_NO_ZEROES: u32 = 1 << 1;
}

/// What an export can do.
pub(crate) mod transmission_flag {
    pub(crate) const HAS_FLAGS: u16 = 1 << 0;
    pub(crate) const READ_ONLY: u16 = 1 << 1;
    pub(crate) const SEND_FLUSH: u16 = 1 << 2;
    pub(crate) const SEND_FUA: u16 = 1 << 3;
    pub(crate) const SEND_TRIM: u16 = 1 << 5;
    pub(crate) const SEND_WRITE_ZEROES: u16 = 1 << 6;
    pub(crate) const SEND_DF: u16 = 1 << 7;
    pub(crate) const CAN_MULTI_CONN: u16 = 1 << 8;
    pub(crate) const SEND_FAST_ZERO: u16 = 1 << 11;
}

/// Options of the negotiation.
pub(crate) mod option {
    pub(crate) const EXPORT_NAME: u32 = 1;
    pub(crate) const ABORT: u32 = 2;
    pub(crate) const LIST: u32 = 3;
    pub(crate) const STARTTLS: u32 = 5;
    pub(crate) const INFO: u32 = 6;
    pub(crate) const GO: u32 = 7;
    pub(crate) const STRUCTURED_REPLY: u32 = 8;
    pub(crate) const LIST_META_CONTEXT: u32 = 9;
    pub(crate) const SET_META_CONTEXT: u32 = 10;
}

/// Kinds of reply to an option.
pub(crate) mod option_reply {
    const ERROR: u32 = 1 << 31;
    pub(crate) const ACK: u32 = 1;
    pub(crate) const SERVER: u32 = 2;
    pub(crate) const INFO: u32 = 3;
    pub(crate) const META_CONTEXT: u32 = 4;
    pub(crate) const ERR_UNSUP: u32 = ERROR | 1;
    pub(crate) const ERR_POLICY: u32 = ERROR | 2;
    pub(crate) const ERR_INVALID: u32 = ERROR | 3;
    pub(crate) const ERR_UNKNOWN: u32 = ERROR | 6;
    pub(crate) const ERR_SHUTDOWN: u32 = ERROR | 7;
}

/// Pieces of information about an export, in reply to `GO` and `INFO`.
pub(crate) mod info {
    pub(crate) const EXPORT: u16 = 0;
    pub(crate) const NAME: u16 = 1;
    pub(crate) const BLOCK_SIZE: u16 = 3;
}

/// Requests of the transmission phase.
pub(crate) mod command {
    pub(crate) const READ: u16 = 0;
    pub(crate) const WRITE: u16 = 1;
    pub(crate) const DISC: u16 = 2;
    pub(crate) const FLUSH: u16 = 3;
    pub(crate) const TRIM: u16 = 4;
    pub(crate) const WRITE_ZEROES: u16 = 6;
    pub(crate) const BLOCK_STATUS: u16 = 7;
}

/// Flags of a request.
pub(crate) mod command_flag {
    pub(crate) const FUA: u16 = 1 << 0;
    pub(crate) const NO_HOLE: u16 = 1 << 1;
    pub(crate) const DF: u16 = 1 << 2;
    pub(crate) const REQ_ONE: u16 = 1 << 3;
    pub(crate) const FAST_ZERO: u16 = 1 << 4;
}

/// Kinds of chunk of a structured reply.
pub(crate) mod chunk {
    const ERROR_BIT: u16 = 1 << 15;
    pub(crate) const FLAG_DONE: u16 = 1 << 0;
    pub(crate) const NONE: u16 = 0;
    pub(crate) const OFFSET_DATA: u16 = 1;
    pub(crate) const BLOCK_STATUS: u16 = 5;
    pub(crate) const ERROR: u16 = ERROR_BIT | 1;
}

/// States of an extent in `base:allocation`.
pub(crate) mod state {
    pub(crate) const HOLE: u32 = 1 << 0;
    pub(crate) const ZERO: u32 = 1 << 1;
}

/// An error number as the protocol fixes them, whatever the platform calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) u32);

impl Errno {
    pub(crate) const PERM: Self = Self(1);
    pub(crate) const IO: Self = Self(5);
    pub(crate) const INVAL: Self = Self(22);
    pub(crate) const NOSPC: Self = Self(28);
    pub(crate) const NOTSUP: Self = Self(95);

    /// The number for what a device said.
    pub(crate) fn of(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::NOSPC
            }
            ErrorKind::InvalidInput => Self::INVAL,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::PERM,
            _ => Self::IO,
        }
    }
}

/// A request as it came, not yet checked beyond its magic number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) flags: u16,
    pub(crate) command: u16,
    /// The client's name for the request, given back in the reply (“handle”).
    pub(crate) cookie: u64,
    pub(crate) offset: u64,
    pub(crate) len: u32,
}

impl Request {
    /// Bytes of a request without its payload.
    pub(crate) const LEN: usize = 28;

    /// Reads a request from the start of `bytes`. `None` when the magic number is wrong or bytes are missing.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        if fields.u32()? != REQUEST_MAGIC {
            return None;
        }
        Some(Self {
            flags: fields.u16()?,
            command: fields.u16()?,
            cookie: fields.u64()?,
            offset: fields.u64()?,
            len: fields.u32()?,
        })
    }

    /// Bytes that follow the request.
    pub(crate) fn payload_len(&self) -> usize {
        if self.command == command::WRITE {
            self.len as usize
        } else {
            0
        }
    }

    /// True when `flag` is set.
    pub(crate) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

/// Takes big-endian fields off the front of a slice; `None` when it is too short.
#[derive(Debug)]
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A string with its length (32 bits) in front: UTF-8, without NUL, of [`MAX_NAME`] bytes at most.
    pub(crate) fn string(&mut self) -> Option<&'a str> {
        let len = self.u32()? as usize;
        string(self.bytes(len)?)
    }
}

/// A string of the protocol: UTF-8, without NUL, of [`MAX_NAME`] bytes at most.
pub(crate) fn string(bytes: &[u8]) -> Option<&str> {
    if bytes.len() > MAX_NAME || bytes.contains(&0) {
        return None;
    }
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(request: &Request) -> Vec<u8> {
        [
            &REQUEST_MAGIC.to_be_bytes()[..],
            &request.flags.to_be_bytes(),
            &request.command.to_be_bytes(),
            &request.cookie.to_be_bytes(),
            &request.offset.to_be_bytes(),
            &request.len.to_be_bytes(),
        ]
        .concat()
    }

    proptest! {
        #[test]
        fn a_request_reads_back_as_written_and_never_from_fewer_bytes(
            flags: u16, command: u16, cookie: u64, offset: u64, len: u32, cut in 0..Request::LEN,
        ) {
            let request = Request { flags, command, cookie, offset, len };
            let bytes = encode(&request);
            prop_assert_eq!(bytes.len(), Request::LEN);
            prop_assert_eq!(Request::parse(&bytes), Some(request));
            prop_assert_eq!(Request::parse(&bytes[..cut]), None);
        }

        #[test]
        fn a_request_with_any_bit_of_the_magic_wrong_is_refused(bit in 0..32usize) {
            let request = Request { flags: 0, command: 0, cookie: 1, offset: 2, len: 3 };
            let mut bytes = encode(&request);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Request::parse(&bytes), None);
        }
    }

    #[test]
    fn strings_are_bounded_and_clean() {
        assert_eq!(string(b"disk"), Some("disk"));
        assert_eq!(string(b"di\0sk"), None);
        assert_eq!(string(&[0xff]), None);
        assert!(string(&[b'a'; MAX_NAME]).is_some());
        assert!(string(&[b'a'; MAX_NAME + 1]).is_none());
    }
}
