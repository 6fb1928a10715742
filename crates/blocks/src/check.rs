//! Whether stored bytes are those of the blob that their header names, for those who read packs whole.

use std::{io, sync::Arc};

use crate::{
    cipher::{DomainKey, Keys, PackKey},
    error::{Damage, Error},
    frame,
    pack_format::{BlobHeader, PackHeader},
    types::{Digest, DomainId},
};

/// How the blobs of a pack are checked.
#[derive(Debug)]
pub(crate) enum Checker {
    /// They are not encrypted: the hash decides, as it does for readers. A bit that zstd ignores may have
    /// changed, and the checksum with it, without any harm to the blob.
    Hash(DomainKey),
    /// They are: the tag decides, and then the hash.
    Tag(DomainKey, Arc<PackKey>),
    /// They are, and the key cannot be had: the checksum decides, which does not tell who wrote them.
    Checksum,
    /// No reader can read any of them.
    Lost(Damage),
}

impl Checker {
    /// How the blobs of the pack with this header are checked, and why not further, where there is
    /// more that the key would tell.
    pub(crate) fn of(keys: &Keys, header: &PackHeader) -> (Self, Option<Error>) {
        match keys.of(header.domain) {
            Ok(domain) => match domain.pack_key(header) {
                Ok(Some(key)) => (Self::Tag(domain, key), None),
                Ok(None) => (Self::Hash(domain), None),
                Err(damage) => (Self::Lost(damage), None),
            },
            // Nothing is called damaged because of a key.
            Err(_) if !header.encryption.is_encrypted() => (Self::plain(header.domain), None),
            Err(error) => (Self::Checksum, Some(error)),
        }
    }

    /// As [`of`](Self::of), for those who must lose nothing: what no reader would be given now may be
    /// readable under another key, and is judged by its checksum.
    pub(crate) fn keeping(keys: &Keys, header: &PackHeader) -> Self {
        match Self::of(keys, header).0 {
            Self::Lost(_) if header.encryption.is_encrypted() => Self::Checksum,
            Self::Lost(_) => Self::plain(header.domain),
            checker => checker,
        }
    }

    /// For a pack that is not encrypted.
    pub(crate) fn plain(domain: DomainId) -> Self {
        Self::Hash(DomainKey::plain(domain))
    }

    /// As [`of`](Self::of), for a pack whose header is damaged, and with it the salt.
    pub(crate) fn without_header(keys: &Keys, domain: DomainId) -> Self {
        match keys.of(domain) {
            Ok(domain) if !domain.is_sealed() => Self::Hash(domain),
            _ => Self::Lost(Damage::PackHeader),
        }
    }

    /// Whether the headers are those of encrypted blobs.
    pub(crate) fn is_encrypted(&self) -> bool {
        !matches!(self, Self::Hash(_))
    }

    /// What keeps a reader from the blob with this header, if anything does that can be told.
    pub(crate) fn damage(&self, header: &BlobHeader, stored: &[u8]) -> io::Result<Option<Damage>> {
        match self {
            Self::Hash(domain) => check_plain(header, stored, domain),
            Self::Tag(domain, key) => {
                let mut stored = stored.to_vec();
                match key.decrypt(header, &mut stored) {
                    Ok(body) => check_plain(header, body, domain),
                    Err(damage) => Ok(Some(damage)),
                }
            }
            Self::Checksum => {
                let fits = crc32c::crc32c(stored) == header.payload_crc;
                Ok((!fits).then_some(Damage::Checksum))
            }
            Self::Lost(damage) => Ok(Some(*damage)),
        }
    }
}

/// Decompresses bytes and looks at their hash.
fn check_plain(header: &BlobHeader, body: &[u8], domain: &DomainKey) -> io::Result<Option<Damage>> {
    Ok(match frame::expand(header, body)? {
        Ok(plain) if domain.id(&Digest::of(&plain)) == header.id => None,
        Ok(_) => Some(Damage::Hash),
        Err(damage) => Some(damage),
    })
}
