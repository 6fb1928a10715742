//! Packs read from the description of their format and nothing else, and a disk that looks at what is
//! written to them.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{aead, hmac};
use cairn_blocks::{
    BlobId, DataKey, Digest, DomainId, Keyring as _, Location, PackId, Secrecy, disk::Disk as _,
};
use cairn_testkit::{SimDisk, SimKeyring, Tap};

use crate::support::DIR;

/// The address that a blob has in a domain.
pub(crate) fn id_under(keys: &SimKeyring, domain: DomainId, digest: &Digest) -> BlobId {
    match keys.secrecy(domain).unwrap() {
        Secrecy::Sealed(key) => {
            let ids = key.derive::<32>(&[b"cairn blob ids v1"]);
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &*ids), &digest.0);
            BlobId(tag.as_ref().try_into().unwrap())
        }
        _ => BlobId(digest.0),
    }
}

/// The plaintext of a blob, wherever its pack bears its name.
pub(crate) fn plaintext(
    disk: &SimDisk,
    keys: &SimKeyring,
    domain: DomainId,
    at: &Location,
) -> Vec<u8> {
    let pack = contents(disk, at.pack);
    let offset = usize::try_from(at.offset).unwrap();
    let header: [u8; 64] = pack[offset - 64..offset].try_into().unwrap();
    let stored = &pack[offset..offset + at.stored_len as usize];
    let body = match keys.secrecy(domain).unwrap() {
        Secrecy::Sealed(key) => decrypt(&key, domain, &pack, &header, stored),
        _ => stored.to_vec(),
    };
    match header[12] {
        0 => body,
        _ => zstd::bulk::decompress(&body, at.plain_len as usize).unwrap(),
    }
}

fn decrypt(
    key: &DataKey,
    domain: DomainId,
    pack: &[u8],
    header: &[u8; 64],
    stored: &[u8],
) -> Vec<u8> {
    assert_eq!(pack[11], 1, "the pack of a sealed domain is encrypted");
    let (domain, number) = (domain.0.to_le_bytes(), &pack[24..32]);
    let key = key.derive::<32>(&[b"cairn pack v1", &domain, number, &pack[40..56]]);
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, &*key).unwrap());
    let nonce = [&header[56..60], &[0; 8]].concat();
    let bound = [
        &domain,
        number,
        &header[48..52],
        &header[16..48],
        &header[4..8],
        &header[12..13],
    ]
    .concat();
    let nonce = aead::Nonce::try_assume_unique_for_key(&nonce).unwrap();
    let mut stored = stored.to_vec();
    let body = key.open_in_place(nonce, aead::Aad::from(bound), &mut stored);
    body.unwrap().to_vec()
}

fn contents(disk: &SimDisk, pack: PackId) -> Vec<u8> {
    let names = disk.list(Path::new(DIR)).unwrap();
    let prefix = format!("{:016x}.", pack.0);
    let name = names.iter().find(|name| name.starts_with(&prefix)).unwrap();
    disk.contents(Path::new(DIR).join(name))
}

/// What was ever written to encrypted packs, also in vain.
#[derive(Debug, Default)]
pub(crate) struct Book {
    salts: HashMap<u64, [u8; 16]>,
    /// What must never be written.
    pub(crate) canaries: Vec<Vec<u8>>,
    /// By the number of the pack, its salt and the number of the nonce.
    pub(crate) written: HashMap<(u64, [u8; 16], u32), Digest>,
}

impl Book {
    fn note(&mut self, path: &Path, bytes: &[u8]) {
        for canary in &self.canaries {
            assert!(!holds(bytes, canary), "{} is told a secret", path.display());
        }
        let stem = path.file_name().unwrap().to_str().unwrap();
        let Ok(pack) = u64::from_str_radix(stem.split('.').next().unwrap(), 16) else {
            return;
        };
        if bytes.starts_with(b"cairnpak") && bytes[11] == 1 {
            self.salts.insert(pack, bytes[40..56].try_into().unwrap());
        }
        let Some(salt) = self.salts.get(&pack).copied() else {
            return;
        };
        let mut rest = bytes;
        while let Some(at) = rest.windows(4).position(|window| window == b"blob") {
            let Some((header, stored)) = rest[at..].split_first_chunk::<64>() else {
                return;
            };
            let field = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
            let crc = crc32c::crc32c_append(crc32c::crc32c(&pack.to_le_bytes()), &header[..60]);
            let stored = stored.get(..field(8) as usize);
            let Some(stored) = stored.filter(|_| crc == field(60)) else {
                rest = &rest[at + 1..];
                continue;
            };
            let what = [&header[..], stored].concat();
            let digest = Digest::of(&what);
            let before = self.written.entry((pack, salt, field(56)));
            assert!(
                *before.or_insert(digest) == digest,
                "pack {pack}: nonce {} is used twice",
                field(56)
            );
            rest = &rest[at + what.len()..];
        }
    }
}

/// Whether bytes are found within others.
pub(crate) fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// A disk that notes in a book what is written to it before it is.
pub(crate) fn watched(disk: &SimDisk, book: &Arc<Mutex<Book>>) -> Tap {
    let book = Arc::clone(book);
    Tap::new(Arc::new(disk.clone()), move |path, bytes, _| {
        book.lock().unwrap().note(path, bytes);
    })
}
