//! What the key of a domain makes: the addresses of its blobs, and the ciphers of its packs.
//!
//! This is the only place that turns a digest into the address of a blob. What is encrypted, and
//! under which nonce, is described in `pack_format`. Everything secret is overwritten when it is dropped:
//! derived bytes by `zeroize`, the keys made of them by aws-lc.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use zeroize::Zeroizing;

use crate::{
    cache::Lru,
    error::{Damage, Error},
    frame::Unreadable,
    key::{DataKey, KEY_LEN, Keyring, Secrecy},
    pack_format::{BlobHeader, Compression, Encryption, HEADER_LEN, PackHeader, Salt, TAG_LEN},
    types::{BlobId, Digest, DomainId, PackId},
};

/// What keys are derived for. The texts are unlike from their seventh byte on.
const FOR_BLOB_IDS: &[u8] = b"cairn blob ids v1";
const FOR_PACK: &[u8] = b"cairn pack v1";

/// Keys of packs kept for readers, some 600 bytes each.
const PACK_KEYS: usize = 1024;

/// Where the keys of a store come from, and those of the packs that were read last.
#[derive(Debug)]
pub(crate) struct Keys {
    ring: Arc<dyn Keyring>,
    packs: Mutex<Lru<(DomainId, PackId), Arc<PackKey>>>,
}

impl Keys {
    pub(crate) fn new(ring: Arc<dyn Keyring>) -> Self {
        Self {
            ring,
            packs: Mutex::new(Lru::new(PACK_KEYS)),
        }
    }

    /// Refuses a domain whose key is erased, or cannot be had now.
    pub(crate) fn check(&self, domain: DomainId) -> Result<(), Error> {
        self.secret(domain).map(drop)
    }

    /// How the blobs of a domain are named and kept.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Erased`].
    pub(crate) fn of(&self, domain: DomainId) -> Result<DomainKey, Error> {
        let sealed = self.secret(domain)?.map(Sealed::new);
        Ok(DomainKey { domain, sealed })
    }

    /// How a new pack of a domain is encrypted.
    pub(crate) fn of_new_pack(
        &self,
        domain: &DomainKey,
        pack: PackId,
    ) -> (Encryption, Option<Arc<PackKey>>) {
        let Some(sealed) = &domain.sealed else {
            return (Encryption::None, None);
        };
        let salt = self.ring.salt();
        let key = PackKey::derive(&sealed.key, domain.domain, pack, &salt);
        (Encryption::Aes256Gcm(salt), Some(Arc::new(key)))
    }

    /// The key of a pack, for readers of blobs; `None` in a plain domain. `read_header` is asked for
    /// the first bytes of the pack if the key is not at hand.
    pub(crate) fn of_pack(
        &self,
        domain: &DomainKey,
        pack: PackId,
        read_header: impl FnOnce(&mut [u8]) -> io::Result<()>,
    ) -> Result<Option<Arc<PackKey>>, Unreadable> {
        if !domain.is_sealed() {
            return Ok(None);
        }
        let name = (domain.domain, pack);
        if let Some(key) = self.packs().get(&name) {
            return Ok(Some(key));
        }
        let mut bytes = [0; HEADER_LEN];
        read_header(&mut bytes).map_err(Unreadable::of)?;
        let key = PackHeader::decode(&bytes)
            .ok()
            .filter(|header| header.pack == pack)
            .ok_or(Damage::PackHeader)
            .and_then(|header| domain.pack_key(&header))
            .map_err(Unreadable::Damaged)?;
        if let Some(key) = &key {
            self.packs().insert(name, Arc::clone(key), 1);
        }
        Ok(key)
    }

    fn secret(&self, domain: DomainId) -> Result<Option<DataKey>, Error> {
        match self.ring.secrecy(domain)? {
            Secrecy::Plain => Ok(None),
            Secrecy::Sealed(key) => Ok(Some(key)),
            Secrecy::Erased => Err(Error::Erased { domain }),
        }
    }

    fn packs(&self) -> MutexGuard<'_, Lru<(DomainId, PackId), Arc<PackKey>>> {
        self.packs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the blobs of a domain are named and kept.
#[derive(Debug)]
pub(crate) struct DomainKey {
    domain: DomainId,
    sealed: Option<Sealed>,
}

struct Sealed {
    key: DataKey,
    /// What the addresses of blobs are made with.
    ids: hmac::Key,
}

impl Sealed {
    fn new(key: DataKey) -> Self {
        let ids: Zeroizing<[u8; KEY_LEN]> = key.derive(&[FOR_BLOB_IDS]);
        Self {
            ids: hmac::Key::new(hmac::HMAC_SHA256, &*ids),
            key,
        }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(secret)")
    }
}

impl DomainKey {
    /// For blobs that are not encrypted.
    pub(crate) fn plain(domain: DomainId) -> Self {
        let sealed = None;
        Self { domain, sealed }
    }

    /// Whether the packs of the domain are encrypted.
    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }

    /// The address of a blob: its digest in plain domains, keyed in sealed ones.
    pub(crate) fn id(&self, digest: &Digest) -> BlobId {
        let Some(sealed) = &self.sealed else {
            return BlobId(digest.0);
        };
        let mut id = [0; 32];
        id.copy_from_slice(hmac::sign(&sealed.ids, &digest.0).as_ref());
        BlobId(id)
    }

    /// The addresses of blobs.
    pub(crate) fn ids(&self, digests: &[Digest]) -> Vec<BlobId> {
        digests.iter().map(|digest| self.id(digest)).collect()
    }

    /// The key of the pack with this header; `None` if it is not encrypted.
    ///
    /// # Errors
    /// A pack of another domain, one that is encrypted in a plain domain, or not in a sealed one.
    pub(crate) fn pack_key(&self, header: &PackHeader) -> Result<Option<Arc<PackKey>>, Damage> {
        if header.domain != self.domain {
            return Err(Damage::PackHeader);
        }
        match (&self.sealed, &header.encryption) {
            (None, Encryption::None) => Ok(None),
            (Some(sealed), Encryption::Aes256Gcm(salt)) => {
                let key = PackKey::derive(&sealed.key, self.domain, header.pack, salt);
                Ok(Some(Arc::new(key)))
            }
            _ => Err(Damage::PackHeader),
        }
    }
}

/// Encrypts and decrypts the blobs of one pack.
pub(crate) struct PackKey {
    domain: DomainId,
    pack: PackId,
    key: LessSafeKey,
}

impl fmt::Debug for PackKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackKey({:016x}, secret)", self.pack.0)
    }
}

impl PackKey {
    fn derive(key: &DataKey, domain: DomainId, pack: PackId, salt: &Salt) -> Self {
        let bytes: Zeroizing<[u8; KEY_LEN]> = key.derive(&[
            FOR_PACK,
            &domain.0.to_le_bytes(),
            &pack.0.to_le_bytes(),
            salt,
        ]);
        let key = UnboundKey::new(&AES_256_GCM, &*bytes).expect("the key has the length of a key");
        Self {
            domain,
            pack,
            key: LessSafeKey::new(key),
        }
    }

    /// Encrypts a blob in place, whose header is complete but for the checksum. Returns the tag.
    ///
    /// The caller sees to it that the number of the nonce in the header was never used for this pack.
    pub(crate) fn encrypt(&self, header: &BlobHeader, body: &mut [u8]) -> [u8; TAG_LEN] {
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(header), Aad::from(self.bound(header)), body)
            .expect("a blob is shorter than 64 GiB");
        let mut out = [0; TAG_LEN];
        out.copy_from_slice(tag.as_ref());
        out
    }

    /// Decrypts the stored bytes of a blob in place. Returns those without the tag.
    pub(crate) fn decrypt<'a>(
        &self,
        header: &BlobHeader,
        stored: &'a mut [u8],
    ) -> Result<&'a mut [u8], Damage> {
        self.key
            .open_in_place(nonce(header), Aad::from(self.bound(header)), stored)
            .map_err(|_| Damage::Tag)
    }

    /// What a blob is bound to: its place, its name, and how it is to be decompressed.
    fn bound(&self, header: &BlobHeader) -> [u8; 57] {
        let mut bound = [0; 57];
        bound[..8].copy_from_slice(&self.domain.0.to_le_bytes());
        bound[8..16].copy_from_slice(&self.pack.0.to_le_bytes());
        bound[16..20].copy_from_slice(&header.slot.to_le_bytes());
        bound[20..52].copy_from_slice(&header.id.0);
        bound[52..56].copy_from_slice(&header.plain_len.to_le_bytes());
        bound[56] = u8::from(header.compression == Compression::Zstd);
        bound
    }
}

fn nonce(header: &BlobHeader) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..4].copy_from_slice(&header.nonce.to_le_bytes());
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoKeys, types::BlobKind};

    /// Gives every domain the same key, and counts salts.
    #[derive(Debug, Default)]
    struct OneKey(std::sync::atomic::AtomicU8);

    impl Keyring for OneKey {
        fn secrecy(&self, _: DomainId) -> Result<Secrecy, crate::KeyError> {
            Ok(Secrecy::Sealed(DataKey::new(Zeroizing::new([7; 32]))))
        }

        fn salt(&self) -> Salt {
            [self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst); 16]
        }
    }

    fn header() -> BlobHeader {
        BlobHeader {
            id: BlobId([1; 32]),
            plain_len: 40,
            stored_len: 36,
            compression: Compression::Zstd,
            slot: 3,
            payload_crc: 0,
            nonce: 3,
        }
    }

    fn encrypt(key: &PackKey, header: &BlobHeader) -> Vec<u8> {
        let mut body = vec![5; 20];
        let tag = key.encrypt(header, &mut body);
        [&body[..], &tag].concat()
    }

    #[test]
    fn a_number_given_out_twice_makes_two_keys() {
        let keys = Keys::new(Arc::<OneKey>::default());
        let domain = keys.of(DomainId(1)).unwrap();
        let [first, second] = [(); 2].map(|()| keys.of_new_pack(&domain, PackId(9)));
        let [first, second] = [first, second].map(|(encryption, key)| {
            let header = PackHeader {
                kind: BlobKind::Data,
                domain: DomainId(1),
                pack: PackId(9),
                writer_epoch: 0,
                encryption,
            };
            let again = domain.pack_key(&header).unwrap().unwrap();
            let bytes = encrypt(&key.unwrap(), &self::header());
            assert_eq!(bytes, encrypt(&again, &self::header()), "the salt is kept");
            bytes
        });
        assert_ne!(first, second);
    }

    /// Each part of what a blob is bound to, and of its nonce.
    #[test]
    fn a_blob_is_bound_to_all_that_its_header_says() {
        let keys = Keys::new(Arc::<OneKey>::default());
        let domain = keys.of(DomainId(1)).unwrap();
        let (_, key) = keys.of_new_pack(&domain, PackId(9));
        let key = key.unwrap();
        let stored = encrypt(&key, &header());
        let decrypt = |header: BlobHeader| {
            let mut stored = stored.clone();
            key.decrypt(&header, &mut stored).map(|body| body.to_vec())
        };
        assert_eq!(decrypt(header()), Ok(vec![5; 20]));
        let others = [
            BlobHeader {
                id: BlobId([2; 32]),
                ..header()
            },
            BlobHeader {
                plain_len: 41,
                ..header()
            },
            BlobHeader {
                compression: Compression::None,
                ..header()
            },
            BlobHeader {
                slot: 4,
                ..header()
            },
            BlobHeader {
                nonce: 4,
                ..header()
            },
        ];
        for other in others {
            assert_eq!(decrypt(other), Err(Damage::Tag), "{other:?}");
        }
        // The domain and the pack are in the key as well, and bound on their own.
        let mut moved = Arc::into_inner(key).unwrap();
        for (domain, pack) in [(DomainId(2), PackId(9)), (DomainId(1), PackId(8))] {
            (moved.domain, moved.pack) = (domain, pack);
            let mut stored = stored.clone();
            assert_eq!(moved.decrypt(&header(), &mut stored), Err(Damage::Tag));
        }
    }

    /// Computed with `hmac` and `hashlib` of Python from the description of the format: another value
    /// would lose every blob that was ever stored under a key.
    #[test]
    fn addresses_are_what_they_always_were() {
        let digest = Digest::of(b"abc");
        let sealed = Keys::new(Arc::<OneKey>::default()).of(DomainId(1)).unwrap();
        assert_eq!(
            hex::encode(sealed.id(&digest).0),
            "3e3ab7f7413a619ac52be7a7f33da9b6a5cb5ea3ab152441c8d4fb5bcdb7ebab"
        );
        let plain = Keys::new(Arc::new(NoKeys)).of(DomainId(1)).unwrap();
        assert_eq!(plain.id(&digest).0, digest.0);
    }

    /// Likewise, of an encrypted blob.
    #[test]
    fn what_is_encrypted_is_what_it_always_was() {
        let domain = Keys::new(Arc::<OneKey>::default())
            .of(DomainId(-5))
            .unwrap();
        let (_, key) = Keys::new(Arc::<OneKey>::default()).of_new_pack(&domain, PackId(0x1234));
        assert_eq!(
            hex::encode(encrypt(&key.unwrap(), &header())),
            "8f1e978dffe3b1d4288e845cccc5fd33bcc17243ae0d086969ed316b9c5e757622fb4907"
        );
    }
}
