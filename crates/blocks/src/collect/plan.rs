//! What a collection is to do, and doing it.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io,
    path::Path,
};

use tracing::{info, warn};

use super::{Amount, BLOB_OVERHEAD, Collection, Report, Rules, repack::Repacker};
use crate::{
    disk::OpenMode,
    error::{Error, IoContext as _},
    pack::PackName,
    pack_format::{FOOTER_LEN, HEADER_LEN},
    recover::list_packs,
    store::BlockStore,
    types::{PackId, PackUsage},
};

/// Packs asked of the index at once.
const PAGE: usize = 4096;

/// Packs that are condemned in one transaction: nobody else writes meanwhile, for some 20 µs each.
const CONDEMN: usize = 8192;

/// Packs that are forgotten before their files are removed.
const DELETE: usize = 1024;

/// Bytes of a pack besides its blobs.
const PACK_OVERHEAD: u64 = (HEADER_LEN + FOOTER_LEN) as u64;

/// What a collection has decided. Dropped, nothing was done.
#[derive(Debug)]
pub struct Plan {
    collection: Collection,
    rules: Rules,
    report: Report,
    /// The sealed packs in the directory.
    files: BTreeMap<PackId, PackName>,
    dead: Vec<PackUsage>,
    sparse: Vec<PackUsage>,
    /// Condemned packs whose time has come.
    expired: Vec<PackUsage>,
    needed: Vec<PackUsage>,
    orphans: Vec<PackName>,
}

impl Collection {
    /// Decides what is to be done. Changes nothing.
    pub fn plan(self, rules: Rules) -> Result<Plan, Error> {
        // In this order: a sealed file whose blobs are not on their way into the index any more is
        // one that the index knows, or an orphan.
        let files = sealed_packs(&self.store)?;
        let pending = self.store.pending_packs();
        let mut plan = Plan {
            rules,
            report: Report::default(),
            files,
            dead: Vec::new(),
            sparse: Vec::new(),
            expired: Vec::new(),
            needed: Vec::new(),
            orphans: Vec::new(),
            collection: self,
        };
        let mut known = HashSet::new();
        plan.judge_condemned(&mut known)?;
        plan.judge_live(&mut known)?;
        plan.find_orphans(&known, &pending)?;
        Ok(plan)
    }
}

impl Plan {
    /// What was found, and what would be done.
    pub fn report(&self) -> Report {
        self.report
    }

    /// Does it. Returns what was done: a pack that somebody relies on since the plan was made is
    /// left alone.
    ///
    /// # Errors
    /// Whatever fails ends the collection. What was done until then is whole.
    pub fn carry_out(mut self) -> Result<Report, Error> {
        self.report = Report {
            known: self.report.known,
            live: self.report.live,
            waiting: self.report.waiting,
            ..Report::default()
        };
        self.pardon_needed()?;
        self.seal_open()?;
        self.repack_sparse()?;
        self.condemn_dead()?;
        self.delete_expired()?;
        self.remove_orphans()?;
        self.purge()?;
        Ok(self.report)
    }

    fn judge_condemned(&mut self, known: &mut HashSet<PackId>) -> Result<(), Error> {
        let store = &self.collection.store;
        let condemned = store.shared.index.condemned()?;
        known.extend(condemned.iter().map(|usage| usage.pack));
        let abandoned = store
            .shared
            .sessions
            .abandoned(known, self.collection.oldest);
        for usage in condemned {
            if !self.rules.domains.contains(&usage.domain) {
                continue;
            }
            let is_over = usage.condemned_at.is_some_and(|at| self.grace_is_over(at))
                && abandoned.contains(&usage.pack);
            let bytes = bytes_of(&usage);
            if self.collection.marks.of(usage.pack).is_some() {
                self.report.pardoned.add(usage.blobs, bytes);
                self.needed.push(usage);
            } else if is_over {
                self.report.deleted.add(usage.blobs, bytes);
                self.expired.push(usage);
            } else {
                self.report.waiting.add(usage.blobs, bytes);
            }
        }
        Ok(())
    }

    fn judge_live(&mut self, known: &mut HashSet<PackId>) -> Result<(), Error> {
        let index = std::sync::Arc::clone(&self.collection.store.shared.index);
        // A copy of a bad blob would not be one.
        let bad: BTreeSet<_> = index.bad()?.iter().map(|(_, _, at)| at.pack).collect();
        let mut after = None;
        loop {
            let page = index.packs(after, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.pack);
            known.extend(page.iter().map(|usage| usage.pack));
            for usage in page {
                if self.rules.domains.contains(&usage.domain) {
                    self.judge(&usage, bad.contains(&usage.pack));
                }
            }
        }
    }

    fn judge(&mut self, usage: &PackUsage, has_bad: bool) {
        let (live_blobs, live_bytes) = self
            .collection
            .marks
            .of(usage.pack)
            .map_or((0, 0), |marks| (marks.blobs, marks.stored_bytes));
        let overhead = |blobs: u64| blobs * BLOB_OVERHEAD;
        self.report
            .known
            .add(usage.blobs, usage.stored_bytes + overhead(usage.blobs));
        if live_blobs > 0 {
            let bytes = live_bytes + overhead(live_blobs);
            self.report.live.add(live_blobs, bytes);
        }
        if usage.condemned_at.is_some() || usage.pack >= self.collection.start_pack {
            return;
        }
        let dead_blobs = usage.blobs.saturating_sub(live_blobs);
        let dead_bytes = usage.stored_bytes.saturating_sub(live_bytes);
        let threshold = u64::from(self.rules.repack_below_percent);
        if live_blobs == 0 {
            self.report.condemned.add(usage.blobs, bytes_of(usage));
            self.dead.push(*usage);
        } else if !has_bad && live_bytes * 100 < usage.stored_bytes * threshold {
            self.report
                .repacked
                .add(dead_blobs, dead_bytes + overhead(dead_blobs));
            self.report
                .copied
                .add(live_blobs, live_bytes + overhead(live_blobs));
            self.sparse.push(*usage);
        }
    }

    /// Sealed files that the index does not know, but for those that it is about to be told of.
    fn find_orphans(
        &mut self,
        known: &HashSet<PackId>,
        pending: &HashSet<PackId>,
    ) -> Result<(), Error> {
        let start_pack = self.collection.start_pack;
        let unknown: Vec<_> = self
            .files
            .values()
            .filter(|name| name.pack < start_pack)
            .filter(|name| !known.contains(&name.pack) && !pending.contains(&name.pack))
            .copied()
            .collect();
        for name in unknown {
            self.report.orphans.add(0, self.file_len(name)?);
            self.orphans.push(name);
        }
        Ok(())
    }

    fn grace_is_over(&self, condemned_at: i64) -> bool {
        let grace = i64::try_from(self.rules.grace.as_micros()).unwrap_or(i64::MAX);
        condemned_at.saturating_add(grace) <= self.rules.now
    }

    fn pardon_needed(&mut self) -> Result<(), Error> {
        if self.needed.is_empty() {
            return Ok(());
        }
        let packs: Vec<_> = self.needed.iter().map(|usage| usage.pack).collect();
        warn!(
            ?packs,
            "condemned packs are needed again, and live once more"
        );
        let shared = &self.collection.store.shared;
        shared.index.pardon(&packs)?;
        shared.sessions.forget(packs);
        for usage in &self.needed {
            self.report.pardoned.add(usage.blobs, bytes_of(usage));
        }
        Ok(())
    }

    /// Seals packs that are still appended to, but hold little that lives: only sealed ones can go.
    fn seal_open(&mut self) -> Result<(), Error> {
        // Those without a sealed file when the plan was made; they may have been sealed since.
        let little = self.dead.iter().chain(&self.sparse);
        let unsealed: HashSet<_> = little
            .map(|usage| usage.pack)
            .filter(|pack| !self.files.contains_key(pack))
            .collect();
        if !unsealed.is_empty() {
            if let Err(error) = self.collection.store.seal_packs(&unsealed) {
                warn!(%error, "packs that cannot be sealed yet are left to the next collection");
            }
            self.files = sealed_packs(&self.collection.store)?;
        }
        Ok(())
    }

    fn repack_sparse(&mut self) -> Result<(), Error> {
        let sparse = std::mem::take(&mut self.sparse);
        let packs = sparse.iter().map(|usage| usage.pack).collect::<Vec<_>>();
        let free: HashSet<_> = self.free_of_use(&packs).into_iter().collect();
        if free.iter().any(|pack| !self.files.contains_key(pack)) {
            // A commit that was under way has sealed it since the files were listed.
            self.files = sealed_packs(&self.collection.store)?;
        }
        let sparse: Vec<_> = sparse
            .into_iter()
            .filter(|usage| free.contains(&usage.pack))
            .collect();
        let mut repacker = Repacker::new(&self.collection.store);
        if let Err(error) = self.copy_all(&sparse, &mut repacker) {
            repacker.discard();
            return Err(error);
        }
        let copied = repacker.finish()?;
        self.report.copied = copied;
        self.sparse = sparse;
        Ok(())
    }

    fn copy_all(&self, sparse: &[PackUsage], repacker: &mut Repacker) -> Result<(), Error> {
        for usage in sparse {
            self.collection.store.check_collecting()?;
            let name = self.files.get(&usage.pack);
            let name = name.ok_or(Error::PackGone { pack: usage.pack })?;
            repacker.copy_pack(*name, &self.collection.marks)?;
        }
        Ok(())
    }

    /// Condemns what nobody has come to rely on since the collection began.
    fn condemn_dead(&mut self) -> Result<(), Error> {
        let packs: Vec<_> = self
            .dead
            .iter()
            .chain(&self.sparse)
            .map(|usage| usage.pack)
            .collect();
        let mut condemned = HashSet::new();
        for some in packs.chunks(CONDEMN) {
            self.collection.store.check_collecting()?;
            condemned.extend(self.condemn_unused(some)?);
        }
        for usage in self.dead.iter().filter(|u| condemned.contains(&u.pack)) {
            self.report.condemned.add(usage.blobs, bytes_of(usage));
        }
        for usage in self.sparse.iter().filter(|u| condemned.contains(&u.pack)) {
            let marks = self.collection.marks.of(usage.pack);
            let (blobs, bytes) = marks.map_or((0, 0), |marks| (marks.blobs, marks.stored_bytes));
            let dead = usage.blobs.saturating_sub(blobs);
            let bytes = usage.stored_bytes.saturating_sub(bytes) + dead * BLOB_OVERHEAD;
            self.report.repacked.add(dead, bytes);
        }
        Ok(())
    }

    /// Condemns, in one transaction, those of some packs that are in no use. Tells which.
    fn condemn_unused(&self, packs: &[PackId]) -> Result<Vec<PackId>, Error> {
        let shared = &self.collection.store.shared;
        let _alone = shared.sessions.condemning();
        let packs = self.free_of_use(packs);
        if !packs.is_empty() {
            shared.sessions.condemn(packs.iter().copied());
            shared.index.condemn(&packs, self.rules.now)?;
        }
        Ok(packs)
    }

    /// The packs that are sealed, have no blobs on their way into the index, and were not touched.
    fn free_of_use(&self, packs: &[PackId]) -> Vec<PackId> {
        let store = &self.collection.store;
        let pending = store.pending_packs();
        let sealed: Vec<_> = packs
            .iter()
            .filter(|pack| !store.shared.files.is_unsealed(**pack) && !pending.contains(pack))
            .copied()
            .collect();
        // Last: what is pending is touched before it is.
        store
            .shared
            .sessions
            .untouched(&sealed, self.collection.oldest)
    }

    /// Gives back the rows of what was forgotten, now or in a pass that was cut off.
    fn purge(&self) -> Result<(), Error> {
        let store = &self.collection.store;
        let index = &store.shared.index;
        index.purge(&|| store.check_collecting().is_ok())?;
        store.check_collecting()
    }

    /// The index forgets first, then the files go.
    fn delete_expired(&mut self) -> Result<(), Error> {
        let expired = std::mem::take(&mut self.expired);
        let mut names = Vec::new();
        for batch in expired.chunks(DELETE) {
            self.collection.store.check_collecting()?;
            for usage in self.forget(batch)? {
                let mut bytes = 0;
                if let Some(name) = self.files.get(&usage.pack) {
                    bytes = self.remove(*name)?;
                    names.push(*name);
                }
                self.report.deleted.add(usage.blobs, bytes);
            }
        }
        self.sync_removals(&names)
    }

    /// Forgets packs. Returns those of them that nobody has come to rely on meanwhile.
    fn forget(&self, packs: &[PackUsage]) -> Result<Vec<PackUsage>, Error> {
        let shared = &self.collection.store.shared;
        let condemned: Vec<_> = packs
            .iter()
            .filter_map(|usage| Some((usage.pack, usage.condemned_at?)))
            .collect();
        let forgotten = shared.index.forget_packs(&condemned)?;
        let gone: HashSet<_> = condemned
            .iter()
            .zip(forgotten)
            .filter(|(_, forgotten)| *forgotten)
            .map(|((pack, _), _)| *pack)
            .collect();
        shared.sessions.forget(gone.iter().copied());
        let is_gone = |usage: &&PackUsage| gone.contains(&usage.pack);
        Ok(packs.iter().filter(is_gone).copied().collect())
    }

    fn remove_orphans(&mut self) -> Result<(), Error> {
        let orphans = std::mem::take(&mut self.orphans);
        let shared = std::sync::Arc::clone(&self.collection.store.shared);
        for name in &orphans {
            if !shared.index.blobs_of(name.pack)?.is_empty() {
                continue;
            }
            let bytes = self.remove(*name)?;
            info!(
                file = name.file_name(),
                bytes, "removed a pack that the index does not know"
            );
            self.report.orphans.add(0, bytes);
        }
        self.sync_removals(&orphans)
    }

    /// Removes the file of a pack and returns how long it was.
    fn remove(&self, name: PackName) -> Result<u64, Error> {
        let shared = &self.collection.store.shared;
        let bytes = self.file_len(name)?;
        shared.files.forget(name.pack);
        let path = name.path(&shared.dir);
        match shared.disk.remove(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            other => other.context("remove pack", path).map(|()| bytes),
        }
    }

    fn file_len(&self, name: PackName) -> Result<u64, Error> {
        let shared = &self.collection.store.shared;
        let path = name.path(&shared.dir);
        match shared.disk.open(&path, OpenMode::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            opened => opened
                .and_then(|file| file.len())
                .context("measure pack", path),
        }
    }

    fn sync_removals(&self, removed: &[PackName]) -> Result<(), Error> {
        if removed.is_empty() {
            return Ok(());
        }
        let shared = &self.collection.store.shared;
        let dir: &Path = &shared.dir;
        shared.disk.sync_dir(dir).context("sync directory", dir)
    }
}

fn sealed_packs(store: &BlockStore) -> Result<BTreeMap<PackId, PackName>, Error> {
    let shared = &store.shared;
    let names = list_packs(&*shared.disk, &shared.dir)?;
    let sealed = names.into_iter().filter(|name| name.sealed);
    Ok(sealed.map(|name| (name.pack, name)).collect())
}

/// The length of a sealed pack that holds these blobs and no others.
fn bytes_of(usage: &PackUsage) -> u64 {
    usage.stored_bytes + usage.blobs * BLOB_OVERHEAD + PACK_OVERHEAD
}

/// What packs and blobs come to.
impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.packs += other.packs;
        self.blobs += other.blobs;
        self.bytes += other.bytes;
    }
}
