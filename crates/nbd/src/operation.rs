//! Requests that are in order, and what to do for them.

use crate::{
    device::{BlockDevice, Extent, Outcome, Wait},
    handshake::{MetaContext, Session},
    proto::{Errno, MAX_PAYLOAD, Request, command, command_flag as flag, state},
    reply::{Form, Refusal},
};
use std::io;

/// Extents in one reply, at most: the client asks again for the rest.
pub(crate) const MAX_EXTENTS: usize = 8192;

/// A request that may be put to the device: its range lies within it and its flags mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A request of zero bytes.
    Nothing,
    Read,
    Write {
        fua: bool,
    },
    Flush,
    Trim {
        fua: bool,
    },
    WriteZeroes {
        no_hole: bool,
        fua: bool,
    },
    BlockStatus {
        one: bool,
    },
}

impl Operation {
    /// Checks a request against what was negotiated and what the device is.
    pub(crate) fn check(request: &Request, session: &Session) -> Result<Self, Refusal> {
        let device = &*session.device;
        let operation = Self::of(request, session)?;
        if operation == Self::Flush {
            return Self::check_flush(request);
        }
        check_range(request, device)?;
        if request.len == 0 {
            return Self::check_empty(operation);
        }
        if request.has(flag::FAST_ZERO) && !device.fast_zeroes(request.has(flag::NO_HOLE)) {
            return Err(Refusal::new(Errno::NOTSUP, "zeroing is not fast here"));
        }
        Ok(operation)
    }

    /// What is asked, if this session may ask it.
    fn of(request: &Request, session: &Session) -> Result<Self, Refusal> {
        let fua = request.has(flag::FUA);
        let (operation, flags, writes) = match request.command {
            command::READ if session.form.structured => (Self::Read, flag::DF, false),
            command::READ => (Self::Read, 0, false),
            command::WRITE => (Self::Write { fua }, 0, true),
            command::FLUSH => (Self::Flush, 0, false),
            command::TRIM => (Self::Trim { fua }, 0, true),
            command::WRITE_ZEROES => {
                let no_hole = request.has(flag::NO_HOLE);
                (
                    Self::WriteZeroes { no_hole, fua },
                    flag::NO_HOLE | flag::FAST_ZERO,
                    true,
                )
            }
            command::BLOCK_STATUS if !session.contexts.is_empty() => {
                let one = request.has(flag::REQ_ONE);
                (Self::BlockStatus { one }, flag::REQ_ONE, false)
            }
            command::BLOCK_STATUS => {
                return Err(Refusal::new(
                    Errno::INVAL,
                    "no metadata context is selected",
                ));
            }
            _ => return Err(Refusal::new(Errno::INVAL, "unknown command")),
        };
        // FUA is to be accepted on every command.
        if request.flags & !(flags | flag::FUA) != 0 {
            return Err(Refusal::new(
                Errno::INVAL,
                "a flag does not belong to the command",
            ));
        }
        if writes && session.device.read_only() {
            return Err(Refusal::new(Errno::PERM, "the export is read-only"));
        }
        Ok(operation)
    }

    fn check_flush(request: &Request) -> Result<Self, Refusal> {
        if request.offset == 0 && request.len == 0 {
            return Ok(Self::Flush);
        }
        Err(Refusal::new(Errno::INVAL, "a flush has no range"))
    }

    fn check_empty(operation: Self) -> Result<Self, Refusal> {
        match operation {
            Self::BlockStatus { .. } => {
                Err(Refusal::new(Errno::INVAL, "there is no status of nothing"))
            }
            _ => Ok(Self::Nothing),
        }
    }
}

/// The range of a request lies within the device, and its reply within what was announced.
fn check_range(request: &Request, device: &dyn BlockDevice) -> Result<(), Refusal> {
    let end = request.offset.checked_add(u64::from(request.len));
    if end.is_none_or(|end| end > device.size()) {
        let errno = match request.command {
            command::WRITE | command::WRITE_ZEROES => Errno::NOSPC,
            _ => Errno::INVAL,
        };
        return Err(Refusal::new(errno, "past the end of the export"));
    }
    if request.command == command::READ && request.len > MAX_PAYLOAD {
        return Err(Refusal::new(
            Errno::INVAL,
            "longer than the maximum block size",
        ));
    }
    Ok(())
}

/// Does an operation that may wait, and writes its whole reply to the start of `out`; returns its length.
pub(crate) fn perform(
    operation: Operation,
    request: &Request,
    payload: &[u8],
    session: &Session,
    out: &mut Vec<u8>,
) -> usize {
    let (device, form) = (&*session.device, session.form);
    let (offset, len) = (request.offset, u64::from(request.len));
    let done = match operation {
        Operation::Read => return read(request, session, out),
        Operation::BlockStatus { one } => return block_status(one, request, session, out),
        Operation::Nothing => Ok(()),
        Operation::Write { fua } => write(device, offset, payload, fua),
        Operation::Flush => device.flush(),
        Operation::Trim { fua } => device.trim(offset, len, fua),
        Operation::WriteZeroes { no_hole, fua } => device.write_zeroes(offset, len, no_hole, fua),
    };
    make_room(out, Form::MAX_SHORT);
    match done {
        Ok(()) => form.done(out, request.cookie),
        Err(error) => fail(request, session, &error, out),
    }
}

fn read(request: &Request, session: &Session, out: &mut Vec<u8>) -> usize {
    let head = session.form.data_head_len();
    let end = head + request.len as usize;
    make_room(out, end.max(Form::MAX_SHORT));
    match waited(
        session
            .device
            .read(request.offset, &mut out[head..end], Wait::Yes),
    ) {
        Ok(()) => {
            session
                .form
                .data_head(out, request.cookie, request.offset, request.len);
            end
        }
        Err(error) => fail(request, session, &error, out),
    }
}

fn write(device: &dyn BlockDevice, offset: u64, payload: &[u8], fua: bool) -> io::Result<()> {
    waited(device.write(offset, payload, fua, Wait::Yes))
}

/// A device that was told to wait may not decline.
fn waited(outcome: io::Result<Outcome>) -> io::Result<()> {
    match outcome? {
        Outcome::Done => Ok(()),
        Outcome::WouldBlock => Err(io::Error::other("the device declined a call that may wait")),
    }
}

fn block_status(one: bool, request: &Request, session: &Session, out: &mut Vec<u8>) -> usize {
    let extents = match session
        .device
        .extents(request.offset, u64::from(request.len))
    {
        Ok(extents) => extents,
        Err(error) => {
            make_room(out, Form::MAX_SHORT);
            return fail(request, session, &error, out);
        }
    };
    out.clear();
    for (index, context) in session.contexts.iter().enumerate() {
        let described = describe(
            &extents,
            request.len,
            if one { 1 } else { MAX_EXTENTS },
            |extent| match context {
                MetaContext::BaseAllocation => allocation(extent),
            },
        );
        let last = index + 1 == session.contexts.len();
        Form::block_status(out, request.cookie, context.id(), &described, last);
    }
    out.len()
}

/// The state of an extent in `base:allocation`.
fn allocation(extent: &Extent) -> u32 {
    let hole = if extent.hole { state::HOLE } else { 0 };
    let zero = if extent.zero { state::ZERO } else { 0 };
    hole | zero
}

/// Joins neighbours that are alike, cuts at `len` bytes and at `max` descriptors. At least one
/// comes out: the state 0 says “nothing is known” and is always right.
fn describe(
    extents: &[Extent],
    len: u32,
    max: usize,
    state: impl Fn(&Extent) -> u32,
) -> Vec<(u32, u32)> {
    let mut described: Vec<(u32, u32)> = Vec::new();
    let mut rest = len;
    for extent in extents.iter().filter(|extent| extent.len > 0) {
        let run = u32::try_from(extent.len).unwrap_or(u32::MAX).min(rest);
        if run == 0 {
            break;
        }
        let state = state(extent);
        let full = described.len() == max;
        match described.last_mut() {
            Some(last) if last.1 == state => last.0 += run,
            _ if full => break,
            _ => described.push((run, state)),
        }
        rest -= run;
    }
    if described.is_empty() {
        described.push((len, 0));
    }
    described
}

fn fail(request: &Request, session: &Session, error: &io::Error, out: &mut [u8]) -> usize {
    tracing::warn!(%error, command = request.command, offset = request.offset, len = request.len, "request failed");
    session
        .form
        .refusal(out, request.cookie, Refusal::of(error))
}

fn make_room(out: &mut Vec<u8>, len: usize) {
    if out.len() < len {
        out.resize(len, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn extent(len: u64, hole: bool) -> Extent {
        Extent {
            len,
            hole,
            zero: hole,
        }
    }

    #[test]
    fn neighbours_that_are_alike_are_joined() {
        let extents = [
            extent(10, true),
            extent(5, true),
            extent(0, false),
            extent(7, false),
        ];
        assert_eq!(describe(&extents, 22, 16, allocation), [(15, 3), (7, 0)]);
    }

    #[test]
    fn one_descriptor_is_as_long_as_its_state_lasts() {
        let extents = [extent(10, false), extent(5, false), extent(7, true)];
        assert_eq!(describe(&extents, 22, 1, allocation), [(15, 0)]);
    }

    #[test]
    fn a_device_that_says_nothing_gives_an_extent_of_unknown_state() {
        assert_eq!(describe(&[], 512, 16, allocation), [(512, 0)]);
        assert_eq!(
            describe(&[extent(0, true)], 512, 16, allocation),
            [(512, 0)]
        );
    }

    proptest! {
        #[test]
        fn descriptors_never_exceed_the_request(
            runs in prop::collection::vec((any::<u64>(), any::<bool>()), 0..20), len in 1..=u32::MAX, max in 1..20usize,
        ) {
            let extents: Vec<Extent> = runs.iter().map(|&(len, hole)| extent(len, hole)).collect();
            let described = describe(&extents, len, max, allocation);
            prop_assert!(!described.is_empty() && described.len() <= max);
            prop_assert!(described.iter().all(|&(run, _)| run > 0));
            prop_assert!(described.iter().map(|&(run, _)| u64::from(run)).sum::<u64>() <= u64::from(len));
            prop_assert!(described.windows(2).all(|pair| pair[0].1 != pair[1].1));
        }
    }
}
