//! What is done with packs that a crash left unsealed, and with an index that was lost.
//!
//! An unsealed pack is read from its start. Blobs whose header passes its CRC and whose bytes have their
//! hash are kept, whether the index knows them or not. Of an encrypted pack whose key cannot be had, or is
//! gone, the CRC of the bytes has to do; readers check the rest. What lies behind the last of them is cut; then the pack
//! is sealed as it would have been. Bytes are written anew before they are synced: after a
//! failed sync the kernel may show bytes that it has given up writing, and call them clean.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use tracing::{info, warn};

use crate::{
    check::Checker,
    disk::{Disk, DiskFile, OpenMode},
    error::{Error, IoContext as _},
    lane::Shared,
    pack::PackName,
    pack_format::{
        BLOB_HEADER_LEN, BLOB_MAGIC, BlobHeader, FOOTER_LEN, Footer, HEADER_LEN, Malformed,
        PackHeader, TableEntry, decode_table, encode_trailer,
    },
    types::{BlobId, DomainId, Location, PackId},
};

/// Blobs told to the index at once.
const BATCH: usize = 1024;

/// Seals every pack that is not sealed.
pub(crate) fn recover(shared: &Shared) -> Result<(), Error> {
    for name in list_packs(&*shared.disk, &shared.dir)? {
        if !name.sealed {
            recover_pack(shared, name)?;
        }
    }
    Ok(())
}

/// What was found for an index that was lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reindexed {
    /// Blobs told of, copies included.
    pub blobs: u64,
    /// Packs they lie in.
    pub packs: u64,
    /// The domains of these packs.
    pub domains: BTreeSet<DomainId>,
    /// The highest number of a pack, be it understood or not.
    pub last_pack: Option<PackId>,
    /// Packs that were left out.
    pub unread: Vec<UnreadPack>,
}

/// A pack that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadPack {
    /// Its file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// Tells the index of every blob in every sealed pack, the youngest pack first.
pub(crate) fn reindex(shared: &Shared) -> Result<Reindexed, Error> {
    let mut names = list_packs(&*shared.disk, &shared.dir)?;
    names.sort_unstable_by_key(|name| std::cmp::Reverse(name.pack));
    let mut done = Reindexed {
        last_pack: names.first().map(|name| name.pack),
        ..Reindexed::default()
    };
    for name in names.into_iter().filter(|name| name.sealed) {
        let path = name.path(&shared.dir);
        match contents(shared, &path, name).context("read pack", &path)? {
            Ok((domain, entries)) => {
                tell(shared, domain, name.pack, &entries)?;
                done.blobs += entries.len() as u64;
                done.packs += 1;
                done.domains.insert(domain);
            }
            Err(Malformed(reason)) => {
                warn!(path = %path.display(), reason, "cannot tell what this pack holds");
                done.unread.push(UnreadPack {
                    path,
                    reason: reason.to_owned(),
                });
            }
        }
    }
    Ok(done)
}

/// What a sealed pack holds: by its table, or, where that is damaged, by its blobs, each of which
/// says itself which one it is.
fn contents(
    shared: &Shared,
    path: &Path,
    name: PackName,
) -> std::io::Result<Result<(DomainId, Vec<TableEntry>), Malformed>> {
    let disk = &*shared.disk;
    let malformed = match read_table(disk, path, name)? {
        Ok(read) => return Ok(Ok(read)),
        Err(malformed) => malformed,
    };
    let bytes = read_whole(&*disk.open(path, OpenMode::Read)?)?;
    let header = match decode_header(&bytes, name) {
        Ok(header) => header,
        Err(malformed) => return Ok(Err(malformed)),
    };
    warn!(path = %path.display(), reason = malformed.0, "a pack is read whole, as its table cannot be");
    Ok(Ok((header.domain, kept(shared, &bytes, &header)?)))
}

/// The packs in a directory, sealed or not.
pub(crate) fn list_packs(disk: &dyn Disk, dir: &Path) -> Result<Vec<PackName>, Error> {
    let names = disk.list(dir).context("list packs in", dir)?;
    Ok(names
        .iter()
        .filter_map(|name| PackName::parse(name))
        .collect())
}

fn recover_pack(shared: &Shared, name: PackName) -> Result<(), Error> {
    let path = name.path(&shared.dir);
    let file = shared
        .disk
        .open(&path, OpenMode::ReadWrite)
        .context("open pack", &path)?;
    let bytes = read_whole(&*file).context("read pack", &path)?;
    let header = decode_header(&bytes, name);
    let found = match &header {
        Ok(header) => kept(shared, &bytes, header),
        // The domain makes no difference.
        Err(_) => {
            let either = [Checker::plain(DomainId(0)), Checker::Checksum];
            scan(&bytes, name.pack, &either)
        }
    }
    .context("decompress pack", &path)?;
    match (header, found.is_empty()) {
        // A crash came before the first sync: the index knows nothing of this pack.
        (_, true) => shared
            .disk
            .remove(&path)
            .context("remove empty pack", &path),
        (Ok(header), false) => seal(shared, name, &*file, &bytes, header.domain, &found),
        (Err(Malformed(reason)), false) => {
            warn!(path = %path.display(), reason, "kept a pack as it is, whose domain cannot be told");
            rename(shared, name)
        }
    }
}

fn seal(
    shared: &Shared,
    name: PackName,
    file: &dyn DiskFile,
    bytes: &[u8],
    domain: DomainId,
    found: &[TableEntry],
) -> Result<(), Error> {
    let path = name.path(&shared.dir);
    let end = found.last().map_or(HEADER_LEN as u64, |last| {
        last.offset + u64::from(last.stored_len)
    });
    rewrite(
        file,
        &bytes[..as_len(end)],
        &encode_trailer(name.pack, end, found),
    )
    .context("seal pack", &path)?;
    rename(shared, name)?;
    info!(path = %path.display(), blobs = found.len(), cut_bytes = bytes.len() as u64 - end, "sealed a pack after a crash");
    tell(shared, domain, name.pack, found)
}

/// Writes a pack's bytes anew with a trailer behind them, and makes all of it durable.
fn rewrite(file: &dyn DiskFile, bytes: &[u8], trailer: &[u8]) -> std::io::Result<()> {
    file.set_len(bytes.len() as u64)?;
    file.write_all_at(bytes, 0)?;
    file.write_all_at(trailer, bytes.len() as u64)?;
    file.sync_data()
}

fn rename(shared: &Shared, name: PackName) -> Result<(), Error> {
    let path = name.path(&shared.dir);
    shared
        .disk
        .rename(&path, &name.sealed().path(&shared.dir))
        .context("seal pack", &path)?;
    shared
        .disk
        .sync_dir(&shared.dir)
        .context("sync directory", &shared.dir)
}

/// Tells the index of blobs that are durable.
fn tell(
    shared: &Shared,
    domain: DomainId,
    pack: PackId,
    entries: &[TableEntry],
) -> Result<(), Error> {
    for batch in entries.chunks(BATCH) {
        let blobs: Vec<(BlobId, Location)> = batch
            .iter()
            .map(|entry| (entry.id, entry.location(pack)))
            .collect();
        shared.index.insert(domain, &blobs)?;
    }
    Ok(())
}

fn read_whole(file: &dyn DiskFile) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; as_len(file.len()?)];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

pub(crate) fn decode_header(bytes: &[u8], name: PackName) -> Result<PackHeader, Malformed> {
    let bytes = bytes
        .first_chunk()
        .ok_or(Malformed("pack header: too short"))?;
    let header = PackHeader::decode(bytes)?;
    match (header.pack, header.kind) == (name.pack, name.kind) {
        true => Ok(header),
        false => Err(Malformed("pack header: of another pack")),
    }
}

/// The blobs of a pack that are kept. Where the key fits none of them it may be the wrong one: then the
/// checksums decide, as they do without any.
fn kept(shared: &Shared, bytes: &[u8], header: &PackHeader) -> std::io::Result<Vec<TableEntry>> {
    let checker = Checker::keeping(&shared.keys, header);
    let found = scan(bytes, header.pack, &[checker])?;
    match found.is_empty() && header.encryption.is_encrypted() {
        true => scan(bytes, header.pack, &[Checker::Checksum]),
        false => Ok(found),
    }
}

/// Finds the blobs of a pack, which one of `checkers` has to accept. One whose header is broken does
/// not hide those behind it: the scan looks for the next header.
pub(crate) fn scan(
    bytes: &[u8],
    pack: PackId,
    checkers: &[Checker],
) -> std::io::Result<Vec<TableEntry>> {
    let mut found = Vec::new();
    let mut at = HEADER_LEN;
    while let Some(next) = find_blob(bytes, at) {
        at = match read_any_blob(bytes, next, pack, checkers)? {
            Some((entry, end)) => {
                found.push(entry);
                end
            }
            None => next + 1,
        };
    }
    Ok(found)
}

fn read_any_blob(
    bytes: &[u8],
    at: usize,
    pack: PackId,
    checkers: &[Checker],
) -> std::io::Result<Option<(TableEntry, usize)>> {
    for checker in checkers {
        if let Some(found) = read_blob(bytes, at, pack, checker)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The next place, from `at`, where a blob header may begin.
pub(crate) fn find_blob(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    rest.windows(BLOB_MAGIC.len())
        .position(|window| window == BLOB_MAGIC)
        .map(|skip| at + skip)
}

/// The blob whose header begins at `at`, if every check holds, and where it ends.
fn read_blob(
    bytes: &[u8],
    at: usize,
    pack: PackId,
    checker: &Checker,
) -> std::io::Result<Option<(TableEntry, usize)>> {
    let Some((header, rest)) = bytes[at..].split_first_chunk::<BLOB_HEADER_LEN>() else {
        return Ok(None);
    };
    let Ok(header) = BlobHeader::decode(header, pack, checker.is_encrypted()) else {
        return Ok(None);
    };
    let Some(stored) = rest.get(..header.stored_len as usize) else {
        return Ok(None);
    };
    if checker.damage(&header, stored)?.is_some() {
        return Ok(None);
    }
    let offset = at + BLOB_HEADER_LEN;
    let entry = header.entry(offset as u64);
    Ok(Some((entry, offset + stored.len())))
}

/// What a sealed pack says it holds. The outer error is the disk's, the inner one the pack's.
fn read_table(
    disk: &dyn Disk,
    path: &Path,
    name: PackName,
) -> std::io::Result<Result<(DomainId, Vec<TableEntry>), Malformed>> {
    let file = disk.open(path, OpenMode::Read)?;
    let len = file.len()?;
    if len < (HEADER_LEN + FOOTER_LEN) as u64 {
        return Ok(Err(Malformed("too short for a pack")));
    }
    let (mut header, mut footer) = ([0; HEADER_LEN], [0; FOOTER_LEN]);
    file.read_exact_at(&mut header, 0)?;
    file.read_exact_at(&mut footer, len - FOOTER_LEN as u64)?;
    let (header, footer) = match (
        decode_header(&header, name),
        decode_footer(&footer, name, len),
    ) {
        (Ok(header), Ok(footer)) => (header, footer),
        (Err(malformed), _) | (_, Err(malformed)) => return Ok(Err(malformed)),
    };
    let mut table = vec![0; as_len(footer.table_len())];
    file.read_exact_at(&mut table, footer.table_offset)?;
    let is_encrypted = header.encryption.is_encrypted();
    let entries = decode_table(&footer, is_encrypted, &table);
    Ok(entries.map(|entries| (header.domain, entries)))
}

pub(crate) fn decode_footer(
    bytes: &[u8; FOOTER_LEN],
    name: PackName,
    len: u64,
) -> Result<Footer, Malformed> {
    let footer = Footer::decode(bytes)?;
    let ends_with_footer =
        footer.table_offset.checked_add(footer.table_len()) == Some(len - FOOTER_LEN as u64);
    match footer.pack == name.pack && ends_with_footer {
        true => Ok(footer),
        false => Err(Malformed("pack footer: of another pack")),
    }
}

/// Lengths of files that are held in memory.
pub(crate) fn as_len(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
