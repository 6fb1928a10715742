//! AES-256-XTS (IEEE 1619-2007, NIST SP 800-38E) over the sectors of a disk.
//!
//! A data unit is a sector of 512 bytes, and its number is that of the sector. So each sector is
//! decrypted by itself, as each is torn by itself when the power fails.
//!
//! XTS hides what a sector holds and no more: it shows that a sector is what it was, and a changed
//! sector decrypts to noise without an error.
//!
//! This is the one room with `unsafe` in it: the crate for AWS-LC has no safe interface to XTS.

#![deny(unsafe_op_in_unsafe_fn)]

use std::{ffi::c_int, fmt, ptr};

use aws_lc_sys::{
    EVP_CIPHER_CTX, EVP_CIPHER_CTX_copy, EVP_CIPHER_CTX_free, EVP_CIPHER_CTX_new,
    EVP_CipherInit_ex, EVP_CipherUpdate, EVP_aes_256_xts,
};

/// Length of a data unit in bytes.
pub const SECTOR: usize = 512;
/// Length of a key in bytes: one half for the data, one for the tweak.
pub const KEY_LEN: usize = 64;

/// The halves of a key are equal. XTS is not secure then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the halves of an XTS key are equal")]
pub struct EqualHalves;

/// A key, ready for use from many threads at once.
///
/// Each call works on a copy of its own, so there is no lock. The copy is an eighth of what a call
/// for 4 KiB takes; to compute the key schedule anew would be a quarter of it. Copies, and the key
/// itself, are overwritten before their memory is given back.
pub struct Xts {
    encrypting: Context,
    decrypting: Context,
}

impl fmt::Debug for Xts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Xts(secret)")
    }
}

impl Xts {
    /// Takes a key, which the caller overwrites.
    ///
    /// # Errors
    /// [`EqualHalves`].
    pub fn new(key: &[u8; KEY_LEN]) -> Result<Self, EqualHalves> {
        if key[..KEY_LEN / 2] == key[KEY_LEN / 2..] {
            return Err(EqualHalves);
        }
        Ok(Self {
            encrypting: Context::new(key, true),
            decrypting: Context::new(key, false),
        })
    }

    /// Encrypts sectors in place; the first of them has the number `first_sector`.
    ///
    /// # Panics
    /// When `data` is not a whole number of sectors, or there is no memory: plain bytes are never
    /// given back for encrypted ones.
    pub fn encrypt(&self, first_sector: u64, data: &mut [u8]) {
        self.encrypting.copy().apply(first_sector, data);
    }

    /// Decrypts sectors in place; the first of them has the number `first_sector`.
    ///
    /// # Panics
    /// As [`encrypt`](Self::encrypt).
    pub fn decrypt(&self, first_sector: u64, data: &mut [u8]) {
        self.decrypting.copy().apply(first_sector, data);
    }
}

/// A context of AWS-LC with the cipher, a key and a direction. The pointer is never null, and nobody
/// else has it.
struct Context(*mut EVP_CIPHER_CTX);

// SAFETY: a context is memory from the allocator, which any thread may use and free; AWS-LC keeps
// nothing about it that belongs to a thread.
unsafe impl Send for Context {}

// SAFETY: the only call that takes a shared context is `copy`. It reads the context, which nobody
// changes while it is shared: EVP_CIPHER_CTX_copy takes it as const, and for XTS writes to the copy
// alone.
unsafe impl Sync for Context {}

impl Context {
    fn new(key: &[u8; KEY_LEN], encrypt: bool) -> Self {
        let new = Self::empty();
        // SAFETY: the context is one that EVP_CIPHER_CTX_new made, and ours alone. The cipher is a
        // static of AWS-LC, without an engine. Its key has 64 bytes, as `key` has; they are read
        // during the call. There is no initialisation vector yet.
        let done = unsafe {
            EVP_CipherInit_ex(
                new.0,
                EVP_aes_256_xts(),
                ptr::null_mut(),
                key.as_ptr(),
                ptr::null(),
                c_int::from(encrypt),
            )
        };
        assert_eq!(done, 1, "no memory for an XTS context");
        new
    }

    fn empty() -> Self {
        // SAFETY: the call has no conditions; null is looked for below.
        let new = unsafe { EVP_CIPHER_CTX_new() };
        assert!(!new.is_null(), "no memory for an XTS context");
        Self(new)
    }

    fn copy(&self) -> Self {
        let new = Self::empty();
        // SAFETY: both are contexts that EVP_CIPHER_CTX_new made; `self` was given its cipher by
        // `new`, and is only read; the other is ours alone.
        let done = unsafe { EVP_CIPHER_CTX_copy(new.0, self.0) };
        assert_eq!(done, 1, "no memory for an XTS context");
        new
    }

    fn apply(&mut self, first_sector: u64, data: &mut [u8]) {
        let (sectors, rest) = data.as_chunks_mut::<SECTOR>();
        assert!(rest.is_empty(), "a part of a sector cannot be encrypted");
        for (number, sector) in (first_sector..).zip(sectors) {
            self.apply_to_sector(number, sector);
        }
    }

    fn apply_to_sector(&mut self, number: u64, sector: &mut [u8; SECTOR]) {
        let tweak = u128::from(number).to_le_bytes();
        // SAFETY: the context has its cipher and key, and is borrowed exclusively. Null for those
        // and for the engine, and -1 for the direction, keep them. The vector of this cipher has 16
        // bytes, as `tweak` has; they are copied during the call.
        let begun = unsafe {
            EVP_CipherInit_ex(
                self.0,
                ptr::null(),
                ptr::null_mut(),
                ptr::null(),
                tweak.as_ptr(),
                -1,
            )
        };
        assert_eq!(begun, 1, "XTS does not take a sector's number");
        let (bytes, mut len) = (sector.as_mut_ptr(), 0);
        // SAFETY: the context is set up as above. Input and output are the same 512 bytes, which
        // are borrowed exclusively, and this cipher works in place and writes as many bytes as it
        // reads: its block size is 1, so that nothing is held back. `len` outlives the call.
        let done = unsafe { EVP_CipherUpdate(self.0, bytes, &raw mut len, bytes, UNIT) };
        assert!(done == 1 && len == UNIT, "XTS does not take a sector");
    }
}

/// [`SECTOR`], as AWS-LC takes lengths.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
const UNIT: c_int = SECTOR as c_int;

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is one that EVP_CIPHER_CTX_new made, nobody else has it, and it is not
        // used after this. It is overwritten before its memory is given back, as is all memory that
        // AWS-LC frees.
        unsafe { EVP_CIPHER_CTX_free(self.0) };
    }
}
