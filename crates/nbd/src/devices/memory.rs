//! A disk in memory.

use crate::device::{BlockDevice, Extent, Outcome, Wait};
use std::{
    io,
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError},
};

/// Bytes of a page, the unit of allocation.
const PAGE: u64 = 64 << 10;

/// A page that was never written, or was trimmed, is not there.
type Page = RwLock<Bytes>;
type Bytes = Option<Box<[u8]>>;

/// A disk in memory, sparse by pages of 64 KiB. For tests, benchmarks and examples: it forgets everything.
#[derive(Debug)]
pub struct MemoryDevice {
    size: u64,
    pages: Vec<Page>,
}

/// The part of a range that lies in one page.
struct Part {
    page: usize,
    /// Bytes from the start of the page.
    within: usize,
    /// Bytes from the start of the range.
    at: usize,
    len: usize,
}

impl MemoryDevice {
    /// A disk of `size` bytes, all zeros.
    #[must_use]
    pub fn new(size: u64) -> Self {
        let pages = (0..size.div_ceil(PAGE)).map(|_| Page::default()).collect();
        Self { size, pages }
    }

    /// Cuts a range at the borders of pages.
    fn parts(offset: u64, len: u64) -> impl Iterator<Item = Part> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let from = offset + at;
            let run = (PAGE - from % PAGE).min(len - at);
            let part = (run > 0).then(|| Part {
                page: index(from / PAGE),
                within: index(from % PAGE),
                at: index(at),
                len: index(run),
            });
            at += run;
            part
        })
    }

    /// Makes a range read as zeros, and whole pages of it absent unless they are to stay.
    fn zero(&self, offset: u64, len: u64, keep: bool) -> io::Result<()> {
        for part in Self::parts(offset, len) {
            let mut page = self.pages[part.page].write().map_err(poisoned)?;
            match page.as_mut() {
                None if keep => *page = Some(blank()),
                None => {}
                Some(_) if !keep && part.len == index(PAGE) => *page = None,
                Some(bytes) => bytes[part.within..part.within + part.len].fill(0),
            }
        }
        Ok(())
    }
}

impl BlockDevice for MemoryDevice {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, offset: u64, buf: &mut [u8], wait: Wait) -> io::Result<Outcome> {
        for part in Self::parts(offset, buf.len() as u64) {
            let Some(page) = lock_read(&self.pages[part.page], wait)? else {
                return Ok(Outcome::WouldBlock);
            };
            let target = &mut buf[part.at..part.at + part.len];
            match page.as_ref() {
                Some(bytes) => target.copy_from_slice(&bytes[part.within..part.within + part.len]),
                None => target.fill(0),
            }
        }
        Ok(Outcome::Done)
    }

    fn write(&self, offset: u64, data: &[u8], _fua: bool, wait: Wait) -> io::Result<Outcome> {
        for part in Self::parts(offset, data.len() as u64) {
            // After the first page the write goes on, whatever it takes: it may not be left half done.
            let wait = if part.at == 0 { wait } else { Wait::Yes };
            let Some(mut page) = lock_write(&self.pages[part.page], wait)? else {
                return Ok(Outcome::WouldBlock);
            };
            let bytes = page.get_or_insert_with(blank);
            bytes[part.within..part.within + part.len]
                .copy_from_slice(&data[part.at..part.at + part.len]);
        }
        Ok(Outcome::Done)
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    fn trim(&self, offset: u64, len: u64, _fua: bool) -> io::Result<()> {
        self.zero(offset, len, false)
    }

    fn write_zeroes(&self, offset: u64, len: u64, no_hole: bool, _fua: bool) -> io::Result<()> {
        self.zero(offset, len, no_hole)
    }

    fn extents(&self, offset: u64, len: u64) -> io::Result<Vec<Extent>> {
        Self::parts(offset, len)
            .map(|part| {
                let hole = self.pages[part.page].read().map_err(poisoned)?.is_none();
                Ok(Extent {
                    len: part.len as u64,
                    hole,
                    zero: hole,
                })
            })
            .collect()
    }
}

fn blank() -> Box<[u8]> {
    vec![0; index(PAGE)].into_boxed_slice()
}

fn lock_read(page: &Page, wait: Wait) -> io::Result<Option<RwLockReadGuard<'_, Bytes>>> {
    match wait {
        Wait::Yes => page.read().map(Some).map_err(poisoned),
        Wait::No => or_declined(page.try_read()),
    }
}

fn lock_write(page: &Page, wait: Wait) -> io::Result<Option<RwLockWriteGuard<'_, Bytes>>> {
    match wait {
        Wait::Yes => page.write().map(Some).map_err(poisoned),
        Wait::No => or_declined(page.try_write()),
    }
}

fn or_declined<T>(locked: Result<T, TryLockError<T>>) -> io::Result<Option<T>> {
    match locked {
        Ok(guard) => Ok(Some(guard)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Poisoned(error)) => Err(poisoned(error)),
    }
}

fn poisoned<T>(_: T) -> io::Error {
    io::Error::other("a thread panicked while it held a page")
}

/// Where in memory an offset within the device is. The device is in memory, so that it fits.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
