//! Exports, the connections that use them, and how both end.

use crate::{device::BlockDevice, proto, socket::Socket};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How long after a connection was cut its calls are told again not to wait.
const ABANDON_AGAIN: Duration = Duration::from_millis(100);

/// Why an export was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The name has more than [`MAX_NAME`](crate::MAX_NAME) bytes, or a NUL.
    #[error("the name of an export has at most 4096 bytes, and no NUL")]
    Name,
    /// There is an export of this name.
    #[error("there is an export of this name")]
    Exists,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Closing,
}

/// What a server offers, by name. The name "" is the default export. Clones are handles to the same set.
#[derive(Clone, Debug)]
pub struct Exports(Arc<Registry>);

#[derive(Debug)]
struct Registry {
    state: Mutex<State>,
    /// A connection has ended.
    ended: Condvar,
    max_connections: usize,
}

#[derive(Debug, Default)]
struct State {
    exports: BTreeMap<String, Export>,
    connections: HashMap<u64, Entry>,
    /// The last number that was given to an export or a connection.
    last_number: u64,
    closing: bool,
}

#[derive(Debug)]
struct Export {
    number: u64,
    device: Arc<dyn BlockDevice>,
}

#[derive(Debug)]
struct Entry {
    link: Arc<Link>,
    /// The number of the export that the connection uses, once it has chosen.
    export: Option<u64>,
    /// Its device, without use of it.
    device: Option<Weak<dyn BlockDevice>>,
}

/// What a connection and those who may end it share.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) socket: Arc<Socket>,
    stopping: AtomicBool,
    cut: AtomicBool,
}

impl Link {
    fn new(socket: Arc<Socket>) -> Self {
        Self {
            socket,
            stopping: AtomicBool::new(false),
            cut: AtomicBool::new(false),
        }
    }

    /// True when no more requests are to be received.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Ends the connection in the middle of whatever it does. False if that was done before.
    fn cut(&self) -> bool {
        self.socket.cut();
        !self.cut.swap(true, Ordering::AcqRel)
    }

    /// Lets the connection finish what it has received.
    fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.socket.close_reading();
    }
}

/// What became of asking for an export.
#[derive(Debug)]
pub(crate) enum Attach {
    To(Arc<dyn BlockDevice>),
    Unknown,
    Closing,
}

/// A connection's place in the registry. Given up when dropped; whoever waits for the end of the
/// connection goes on then, so this must outlive the connection's hold on its device.
#[derive(Debug)]
pub(crate) struct Place {
    registry: Arc<Registry>,
    pub(crate) id: u64,
    pub(crate) link: Arc<Link>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.lock().connections.remove(&self.id);
        self.registry.ended.notify_all();
    }
}

impl Exports {
    pub(crate) fn new(max_connections: usize) -> Self {
        Self(Arc::new(Registry {
            state: Mutex::default(),
            ended: Condvar::new(),
            max_connections,
        }))
    }

    /// Offers a device under a name.
    pub fn insert(&self, name: &str, device: Arc<dyn BlockDevice>) -> Result<(), ExportError> {
        if proto::string(name.as_bytes()).is_none() {
            return Err(ExportError::Name);
        }
        let mut state = self.0.lock();
        if state.closing {
            return Err(ExportError::Closing);
        }
        if state.exports.contains_key(name) {
            return Err(ExportError::Exists);
        }
        let number = state.next_number();
        state
            .exports
            .insert(name.to_owned(), Export { number, device });
        Ok(())
    }

    /// Withdraws an export: new clients do not find it; requests that were received are answered,
    /// for `grace` at most, and its connections are closed. When this returns, no call of the
    /// device is under way on behalf of this name and none will begin. False when there is no such export.
    pub fn remove(&self, name: &str, grace: Duration) -> bool {
        let Some(export) = self.0.lock().exports.remove(name) else {
            return false;
        };
        self.0
            .end(grace, |entry| entry.export == Some(export.number));
        true
    }

    /// The names on offer, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.lock().exports.keys().cloned().collect()
    }

    /// How many clients are connected now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.lock().connections.len()
    }

    /// The device of a name, without use of it.
    pub(crate) fn find(&self, name: &str) -> Attach {
        self.0.lock().find(name)
    }

    /// Binds a connection to an export: from now on it ends when the export is removed.
    pub(crate) fn attach(&self, connection: u64, name: &str) -> Attach {
        let mut state = self.0.lock();
        let found = state.find(name);
        let export = state.exports.get(name);
        let number = export.map(|export| export.number);
        let device = export.map(|export| Arc::downgrade(&export.device));
        if let Some(entry) = state.connections.get_mut(&connection) {
            (entry.export, entry.device) = (number, device);
        }
        found
    }

    /// Makes a place for a connection. `None` when there are too many, or the server is closing.
    pub(crate) fn admit(&self, socket: Arc<Socket>) -> Option<Place> {
        let mut state = self.0.lock();
        if state.closing || state.connections.len() >= self.0.max_connections {
            return None;
        }
        let (id, link) = (state.next_number(), Arc::new(Link::new(socket)));
        state.connections.insert(
            id,
            Entry {
                link: Arc::clone(&link),
                export: None,
                device: None,
            },
        );
        drop(state);
        Some(Place {
            registry: Arc::clone(&self.0),
            id,
            link,
        })
    }

    /// Lets no connection in any more, and wakes those who wait for a place.
    pub(crate) fn refuse_newcomers(&self) {
        self.0.lock().closing = true;
        self.0.ended.notify_all();
    }

    /// Ends every connection, and forgets the devices.
    pub(crate) fn close(&self, grace: Duration) {
        self.refuse_newcomers();
        self.0.end(grace, |_| true);
        self.0.lock().exports.clear();
    }

    /// Waits until a connection has ended or the server is closing, for `limit` at most.
    pub(crate) fn wait_for_change(&self, limit: Duration) {
        let state = self.0.lock();
        if !state.closing {
            drop(self.0.ended.wait_timeout(state, limit));
        }
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the connections that are meant, cuts those that do not come to an end within
    /// `grace`, and waits for the last.
    fn end(&self, grace: Duration, meant: impl Fn(&Entry) -> bool) {
        let mut state = self.lock();
        state
            .connections
            .values()
            .filter(|entry| meant(entry))
            .for_each(|entry| entry.link.stop());
        let busy = |state: &mut State| state.connections.values().any(&meant);
        let mut limit = grace;
        loop {
            let (after, waited) = self
                .ended
                .wait_timeout_while(state, limit, busy)
                .unwrap_or_else(PoisonError::into_inner);
            if !waited.timed_out() {
                return;
            }
            let cut = after.cut(&meant);
            // Not under the lock: a device may take its time, and be dropped here. And again and
            // again: a request that waits for a thread may come to wait for something else.
            drop(after);
            cut.iter().for_each(|device| device.abandon_waits());
            drop(cut);
            limit = ABANDON_AGAIN;
            state = self.lock();
        }
    }
}

impl State {
    /// Cuts the connections that are meant; returns their devices.
    fn cut(&self, meant: impl Fn(&Entry) -> bool) -> Vec<Arc<dyn BlockDevice>> {
        self.connections
            .iter()
            .filter(|(_, entry)| meant(entry))
            .inspect(|(connection, entry)| {
                if entry.link.cut() {
                    tracing::warn!(connection, "cut a connection that did not drain in time");
                }
            })
            .map(|(_, entry)| entry)
            .filter_map(|entry| entry.device.as_ref()?.upgrade())
            .collect()
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn find(&self, name: &str) -> Attach {
        match self.exports.get(name) {
            _ if self.closing => Attach::Closing,
            Some(export) => Attach::To(Arc::clone(&export.device)),
            None => Attach::Unknown,
        }
    }
}
