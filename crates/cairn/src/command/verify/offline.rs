//! `cairn verify --offline`: a disk against an attestation, with nothing but the public key.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use cairn_blocks::{Digest, Root, RootBuilder};
use cairn_control::attest::{Attestation, FILE_BYTES_MAX, PublicKey};
use indicatif::ProgressBar;
use serde::Serialize;

use crate::{
    cli::Global,
    failure::{Failure, Result},
    import::{
        blocks::{read_block, stretches},
        disk::length,
    },
    output,
};

/// What is to be checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// A raw disk file or a block device.
    pub(super) image: &'a Path,
    /// What it should hold.
    pub(super) attestation: &'a Path,
    /// Who has to have said so.
    pub(super) public_key: Option<&'a Path>,
}

/// What was found, where all is well.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Verified<'a> {
    snapshot_id: &'a str,
    volume_id: &'a str,
    account: &'a str,
    completion_time: String,
    ok: bool,
    digest: String,
    size_bytes: u64,
    public_key: String,
    /// Whether the key was one that the user named.
    key_trusted: bool,
}

/// Checks the signature first, which costs nothing, and then every byte.
pub(super) fn run(global: &Global, asked: &Asked<'_>) -> Result<()> {
    let attestation = signed(asked)?;
    let statement = &attestation.statement;
    let digest = digest_of(asked.image, statement.size_bytes)?;
    if digest.0 != statement.digest {
        return Err(Failure::NotVerified(format!(
            "{}: this is not the content of {}: its digest is {digest}, and {} was signed",
            asked.image.display(),
            statement.snapshot_id,
            Digest(statement.digest)
        )));
    }
    let verified = Verified {
        snapshot_id: statement.snapshot_id.as_str(),
        volume_id: statement.volume_id.as_str(),
        account: statement.account.as_str(),
        completion_time: statement.completion_time.to_string(),
        ok: true,
        digest: digest.to_string(),
        size_bytes: statement.size_bytes,
        public_key: attestation.public_key.to_string(),
        key_trusted: asked.public_key.is_some(),
    };
    output::print(global.output, &verified, text)
}

fn text(verified: &Verified<'_>) -> String {
    let whose = match verified.key_trusted {
        true => "the key given",
        false => "a key that only the attestation names; give the one you trust with --public-key",
    };
    format!(
        "{}  ok  {} bytes, of {} of account {}, completed {}\ndigest  {}\nsigned  by {} ({whose})",
        verified.snapshot_id,
        verified.size_bytes,
        verified.volume_id,
        verified.account,
        verified.completion_time,
        verified.digest,
        verified.public_key
    )
}

/// The attestation, with its signature checked.
fn signed(asked: &Asked<'_>) -> Result<Attestation> {
    let trusted = asked.public_key.map(public_key).transpose()?;
    let refused = |cause| Failure::NotVerified(format!("{}: {cause}", asked.attestation.display()));
    let bytes = read_start(asked.attestation, FILE_BYTES_MAX + 1)?;
    let attestation = Attestation::read(&bytes).map_err(refused)?;
    attestation.check(trusted).map_err(refused)?;
    Ok(attestation)
}

fn public_key(path: &Path) -> Result<PublicKey> {
    let bytes = read_start(path, FILE_BYTES_MAX)?;
    PublicKey::parse(&String::from_utf8_lossy(&bytes)).map_err(|_| {
        Failure::Usage(format!(
            "{}: this is no Ed25519 public key, neither in PEM nor as `cairn status` shows it",
            path.display()
        ))
    })
}

/// The first bytes of a file, which may be longer than we want to know.
fn read_start(path: &Path, most: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most as u64).read_to_end(&mut bytes))
        .map_err(|cause| Failure::failed(format!("{}: {cause}", path.display())))?;
    Ok(bytes)
}

/// The snapshot digest of what a file or device holds.
fn digest_of(image: &Path, size_bytes: u64) -> Result<Digest> {
    let failed =
        |cause: &dyn std::fmt::Display| Failure::failed(format!("{}: {cause}", image.display()));
    let file = File::open(image).map_err(|cause| failed(&cause))?;
    let length = length(&file).map_err(|cause| failed(&cause))?;
    if length != size_bytes {
        let how = if length > size_bytes {
            "longer"
        } else {
            "shorter"
        };
        return Err(Failure::NotVerified(format!(
            "{}: it has {length} bytes, {how} than the {size_bytes} that were signed",
            image.display()
        )));
    }
    let bar = output::progress_bar(size_bytes);
    let root = root_of(&file, size_bytes, &bar).map_err(|cause| failed(&cause))?;
    bar.finish_and_clear();
    Ok(root.digest())
}

/// Reads what is no hole, a block at a time.
fn root_of(file: &File, size_bytes: u64, bar: &ProgressBar) -> io::Result<Root> {
    let blocks = Root::empty(size_bytes).block_count();
    let mut builder = RootBuilder::new(size_bytes).map_err(io::Error::other)?;
    let mut next = 0;
    for stretch in stretches(file, size_bytes)? {
        for index in stretch.indexes() {
            builder.skip(index - next);
            let block = read_block(file, size_bytes, index)?;
            builder.push(block.map(|block| Digest(block.digest)));
            next = index + 1;
            bar.set_position((next * cairn_blocks::BLOCK_SIZE as u64).min(size_bytes));
        }
    }
    builder.skip(blocks - next);
    builder.finish().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use cairn_blocks::{BLOCK_SIZE, BlockStore, DomainId, FsDisk, MemoryIndex, Options};

    use super::*;

    /// A disk with holes, zeros that are written out, and a short last block.
    #[test]
    fn a_disk_has_the_digest_of_the_snapshot_it_was_made_from() {
        let temp = tempfile::tempdir().unwrap();
        let size = 700 * BLOCK_SIZE as u64 + 4096;
        let path = temp.path().join("disk");
        let file = File::create_new(&path).unwrap();
        file.set_len(size).unwrap();
        let store = BlockStore::open(
            std::sync::Arc::new(FsDisk),
            &temp.path().join("store"),
            std::sync::Arc::new(MemoryIndex::new()),
            std::sync::Arc::new(cairn_blocks::NoKeys),
            Options::default(),
        )
        .unwrap();
        let mut changes = Vec::new();
        for (index, byte) in [(0, 1), (3, 0), (255, 2), (256, 3), (699, 4), (700, 5)] {
            let offset = index * BLOCK_SIZE as u64;
            let len = usize::try_from(size - offset).unwrap().min(BLOCK_SIZE);
            let mut block = vec![0; BLOCK_SIZE];
            block[..len].fill(byte);
            file.write_all_at(&block[..len], offset).unwrap();
            let stored = store.put(DomainId(1), &block).unwrap();
            changes.push((index, stored.digest()));
        }
        let root = store.build(DomainId(1), None, size, changes).unwrap();
        assert_eq!(digest_of(&path, size).unwrap(), root.digest());
        file.write_all_at(&[9], 1000).unwrap();
        assert_ne!(digest_of(&path, size).unwrap(), root.digest());
        for (wrong, word) in [(size + 1, "shorter"), (size - 1, "longer")] {
            let refused = digest_of(&path, wrong).unwrap_err();
            assert_eq!(refused.exit_code(), 4);
            assert!(refused.to_string().contains(word), "{refused}");
        }
    }
}
