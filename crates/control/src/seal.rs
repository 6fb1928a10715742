//! Seals over what clients carry for the server: page tokens and block tokens.

use aws_lc_rs::hmac;
use cairn_model::page;

/// HMAC-SHA-256 under a key of the server.
#[derive(Clone)]
pub(crate) struct Seal(hmac::Key);

impl Seal {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Whether `mac` is the seal over `message`, in constant time.
    pub(crate) fn fits(&self, message: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&self.0, message, mac).is_ok()
    }
}

impl page::Seal for Seal {
    fn seal(&self, message: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(hmac::sign(&self.0, message).as_ref());
        out
    }
}

/// The key is not shown.
impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}
