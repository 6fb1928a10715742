//! Files, names, and what a crash does to them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    path::{Component, Path},
};

use super::{fault::Script, file::File, image::PAGE};
use crate::rng::Rng;

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process is killed. The kernel lives, and so does everything that was written.
    Kill,
    /// The power fails, and nothing survives that was not synced.
    LoseAll,
    /// The power fails, and any part of what was not synced survives. The seed decides.
    PowerLoss(u64),
}

/// A file or a directory, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    File(u64),
    Dir(u64),
}

/// The number of the top directory.
const TOP: u64 = 0;

/// The size of a disk that never gets full, in bytes.
const UNLIMITED: u64 = 1 << 50;

#[derive(Clone, Debug, Default)]
struct Dir {
    seen: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
}

/// A change of names that happens as a whole: what each name stands for afterwards.
#[derive(Clone, Debug)]
struct NameOp(Vec<(u64, String, Option<Node>)>);

/// See the head of this file.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) files: HashMap<u64, File>,
    dirs: HashMap<u64, Dir>,
    /// Changes of names that no sync of a directory has covered.
    pending: Vec<NameOp>,
    next_node: u64,
    pub(super) next_handle: u64,
    /// Counts crashes: open files of an earlier process are of no use.
    pub(super) process: u64,
    pub(super) script: Script,
    pub(super) capacity: u64,
    pub(super) at_hand: bool,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            files: HashMap::new(),
            dirs: HashMap::from([(TOP, Dir::default())]),
            pending: Vec::new(),
            next_node: TOP + 1,
            next_handle: 0,
            process: 0,
            script: Script::default(),
            capacity: UNLIMITED,
            at_hand: true,
        }
    }

    /// What a path stands for.
    pub(super) fn find(&self, path: &Path) -> io::Result<Node> {
        let mut node = Node::Dir(TOP);
        for name in names(path) {
            let Node::Dir(dir) = node else {
                return Err(io::ErrorKind::NotADirectory.into());
            };
            node = *self
                .dir(dir)?
                .seen
                .get(name?)
                .ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(node)
    }

    pub(super) fn find_file(&self, path: &Path) -> io::Result<u64> {
        match self.find(path)? {
            Node::File(file) => Ok(file),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(super) fn find_dir(&self, path: &Path) -> io::Result<u64> {
        match self.find(path)? {
            Node::Dir(dir) => Ok(dir),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Names in a directory.
    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        Ok(self
            .dir(self.find_dir(path)?)?
            .seen
            .keys()
            .cloned()
            .collect())
    }

    /// Makes a new file under a path that stands for nothing yet.
    pub(super) fn create(&mut self, path: &Path) -> io::Result<u64> {
        let (dir, name) = self.entry(path)?;
        if self.dir(dir)?.seen.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = self.number();
        self.files.insert(file, File::default());
        self.rename_all(NameOp(vec![(dir, name, Some(Node::File(file)))]));
        Ok(file)
    }

    /// Makes the directories of a path that are missing.
    pub(super) fn create_dirs(&mut self, path: &Path) -> io::Result<()> {
        let mut dir = TOP;
        for name in names(path) {
            let name = name?;
            dir = match self.dir(dir)?.seen.get(name) {
                Some(Node::Dir(next)) => *next,
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => {
                    let next = self.number();
                    self.dirs.insert(next, Dir::default());
                    self.rename_all(NameOp(vec![(dir, name.to_owned(), Some(Node::Dir(next)))]));
                    next
                }
            };
        }
        Ok(())
    }

    /// Takes a name away.
    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let (dir, name) = self.entry(path)?;
        self.rename_all(NameOp(vec![(dir, name, None)]));
        self.reap();
        Ok(())
    }

    /// Gives a file another name.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.find(from)?;
        let ((old_dir, old_name), (new_dir, new_name)) = (self.entry(from)?, self.entry(to)?);
        if let Some(Node::Dir(_)) = self.dir(new_dir)?.seen.get(&new_name) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if (old_dir, &old_name) != (new_dir, &new_name) {
            self.rename_all(NameOp(vec![
                (old_dir, old_name, None),
                (new_dir, new_name, Some(node)),
            ]));
            self.reap();
        }
        Ok(())
    }

    /// Makes the names in a directory durable. A rename that touches it is durable as a whole.
    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let dir = self.find_dir(path)?;
        let (covered, left): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|op| op.0.iter().any(|(at, ..)| *at == dir));
        self.pending = left;
        covered.iter().for_each(|op| self.settle(op));
        self.reap();
        Ok(())
    }

    /// Fails to make names durable: nothing will make those changes durable any more.
    pub(super) fn fail_sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let dir = self.find_dir(path)?;
        self.pending
            .retain(|op| op.0.iter().all(|(at, ..)| *at != dir));
        Ok(())
    }

    pub(super) fn crash(&mut self, crash: Crash) {
        match crash {
            Crash::Kill => {}
            Crash::LoseAll => self.lose_power(None),
            Crash::PowerLoss(seed) => self.lose_power(Some(Rng::new(seed))),
        }
        self.close_all();
        self.process += 1;
        self.script.revive();
        self.reap();
    }

    /// Bytes in use: by files that have a name or are open.
    pub(super) fn used(&self) -> u64 {
        let named = self.named_files(|dir| &dir.seen);
        let counts = |(file, state): &(&u64, &File)| state.handles > 0 || named.contains(file);
        self.files
            .iter()
            .filter(counts)
            .map(|(_, file)| file.pages_used * PAGE)
            .sum()
    }

    /// Takes the files from whoever has them open.
    pub(super) fn close_all(&mut self) {
        for file in self.files.values_mut() {
            file.handles = 0;
            file.locked_by = None;
        }
    }

    /// Bytes that can still be taken. On a disk whose size was never set nothing counts, as
    /// counting takes time.
    pub(super) fn free(&self) -> u64 {
        if self.capacity == UNLIMITED {
            UNLIMITED
        } else {
            self.capacity.saturating_sub(self.used())
        }
    }

    /// Forgets files that neither have a name, now or after a crash, nor are open.
    pub(super) fn reap(&mut self) {
        let mut kept = self.named_files(|dir| &dir.seen);
        kept.extend(self.named_files(|dir| &dir.durable));
        kept.extend(self.pending.iter().flat_map(|op| &op.0).filter_map(
            |(_, _, node)| match node {
                Some(Node::File(file)) => Some(*file),
                _ => None,
            },
        ));
        self.files
            .retain(|number, file| file.handles > 0 || kept.contains(number));
    }

    fn lose_power(&mut self, mut rng: Option<Rng>) {
        for op in std::mem::take(&mut self.pending) {
            if rng.as_mut().is_some_and(|rng| rng.one_in(2)) {
                self.settle(&op);
            }
        }
        for dir in self.dirs.values_mut() {
            dir.seen = dir.durable.clone();
        }
        // In the order of their numbers, so that a seed always means the same.
        let mut numbers: Vec<_> = self.files.keys().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            if let Some(file) = self.files.get_mut(&number) {
                file.lose_power(rng.as_mut());
            }
        }
    }

    fn rename_all(&mut self, op: NameOp) {
        for (dir, name, node) in &op.0 {
            if let Some(dir) = self.dirs.get_mut(dir) {
                set_name(&mut dir.seen, name, *node);
            }
        }
        self.pending.push(op);
    }

    fn settle(&mut self, op: &NameOp) {
        for (dir, name, node) in &op.0 {
            if let Some(dir) = self.dirs.get_mut(dir) {
                set_name(&mut dir.durable, name, *node);
            }
        }
    }

    fn named_files(&self, names: impl Fn(&Dir) -> &BTreeMap<String, Node>) -> HashSet<u64> {
        let mut files = HashSet::new();
        let mut dirs = vec![TOP];
        while let Some(dir) = dirs.pop().and_then(|number| self.dirs.get(&number)) {
            for node in names(dir).values() {
                match node {
                    Node::File(file) => {
                        files.insert(*file);
                    }
                    Node::Dir(dir) => dirs.push(*dir),
                }
            }
        }
        files
    }

    /// The directory and the name that a path ends in.
    fn entry(&self, path: &Path) -> io::Result<(u64, String)> {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or(io::ErrorKind::InvalidInput)?;
        Ok((
            self.find_dir(path.parent().unwrap_or(Path::new("")))?,
            name.to_owned(),
        ))
    }

    fn dir(&self, number: u64) -> io::Result<&Dir> {
        self.dirs
            .get(&number)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn number(&mut self) -> u64 {
        self.next_node += 1;
        self.next_node
    }
}

fn set_name(names: &mut BTreeMap<String, Node>, name: &str, node: Option<Node>) {
    match node {
        Some(node) => names.insert(name.to_owned(), node),
        None => names.remove(name),
    };
}

/// The names along a path. Absolute and relative paths both begin at the top.
fn names(path: &Path) -> impl Iterator<Item = io::Result<&str>> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(
            name.to_str()
                .ok_or_else(|| io::ErrorKind::InvalidInput.into()),
        ),
        Component::RootDir | Component::CurDir => None,
        Component::ParentDir | Component::Prefix(_) => {
            Some(Err(io::ErrorKind::InvalidInput.into()))
        }
    })
}
