//! A machine that runs: its verbs and its events.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::config::Config;
use crate::console;
use crate::disks::{self, SLOTS};
use crate::error::MachineError;
use crate::events::{Exit, MachineEvent, MachineEvents, ShutdownCause};
use crate::layout;
use crate::process::Process;
use crate::qmp::{Qmp, QmpError, QmpEvent};
use crate::spec::{DiskSpec, MachineSpec};

/// How long a guest may take to let go of a disk that is to be cut off.
const CUT_AFTER: Duration = Duration::from_secs(5);

/// Events that a slow listener may fall behind.
const EVENTS_KEPT: usize = 64;

/// What a machine is doing, from QEMU's `RunState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The guest runs.
    Running,
    /// The machine has been started and its guest has not.
    Prelaunch,
    /// The guest has powered off; the process is about to end.
    Shutdown,
    /// The guest's kernel has panicked.
    Panicked,
    /// The guest does not run, for any other reason.
    Paused,
}

/// A running machine. Dropping this leaves the machine running.
#[derive(Debug)]
pub struct Machine {
    dir: PathBuf,
    config: Config,
    has_slots: bool,
    process: Process,
    qmp: Qmp,
    news: Arc<News>,
    console_task: AbortHandle,
    /// Held while disks come or go, so that two do not choose the same slot.
    disk_change: tokio::sync::Mutex<()>,
}

/// What the monitor has told.
#[derive(Debug)]
struct News {
    /// Taken when the monitor closes, so that listeners see the end.
    events: Mutex<Option<broadcast::Sender<MachineEvent>>>,
    shutdown: Mutex<Option<ShutdownCause>>,
}

impl Machine {
    /// Connects to a machine's monitor.
    pub(crate) async fn connect(
        spec: &MachineSpec,
        config: &Config,
        process: Process,
    ) -> Result<Self, MachineError> {
        let news = Arc::new(News::new());
        let teller = Teller(Arc::clone(&news));
        let socket = layout::qmp_socket(&spec.runtime_dir, &spec.id);
        let on_event = move |event| teller.tell(&event);
        let qmp = Qmp::connect(&socket, config.command_timeout, on_event).await?;
        let console = console::keep_short(layout::console_file(&spec.dir));
        Ok(Self {
            dir: spec.dir.clone(),
            config: config.clone(),
            has_slots: disks::has_slots(spec.architecture),
            process,
            qmp,
            news,
            console_task: tokio::spawn(console).abort_handle(),
            disk_change: tokio::sync::Mutex::new(()),
        })
    }

    /// The process id of QEMU.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.record().pid
    }

    /// The machine's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns events from now on.
    #[must_use]
    pub fn events(&self) -> MachineEvents {
        MachineEvents(self.news.subscribe())
    }

    /// Asks what the machine is doing.
    ///
    /// # Errors
    /// [`MachineError::Qmp`] if the monitor does not answer.
    pub async fn status(&self) -> Result<Status, MachineError> {
        let answer = self.execute("query-status", json!({})).await?;
        Ok(match answer["status"].as_str() {
            Some("running") => Status::Running,
            Some("prelaunch") => Status::Prelaunch,
            Some("shutdown") => Status::Shutdown,
            Some("guest-panicked") => Status::Panicked,
            _ => Status::Paused,
        })
    }

    /// Lets the guest run.
    pub(crate) async fn resume(&self) -> Result<(), MachineError> {
        self.execute("cont", json!({})).await.map(drop)
    }

    /// Presses the power button. The guest may take its time, or not react.
    ///
    /// # Errors
    /// [`MachineError::Qmp`] if the monitor does not answer.
    pub async fn system_powerdown(&self) -> Result<(), MachineError> {
        self.execute("system_powerdown", json!({})).await.map(drop)
    }

    /// Presses the reset button.
    ///
    /// # Errors
    /// [`MachineError::Qmp`] if the monitor does not answer.
    pub async fn reset(&self) -> Result<(), MachineError> {
        self.execute("system_reset", json!({})).await.map(drop)
    }

    /// Tells QEMU to end, without asking the guest. It first waits for its
    /// disks: where their server is gone, use [`Machine::kill`].
    ///
    /// # Errors
    /// [`MachineError::Qmp`] if the monitor does not answer.
    pub async fn quit(&self) -> Result<(), MachineError> {
        match self.execute("quit", json!({})).await {
            // It may end before its answer is out.
            Ok(_) | Err(MachineError::Qmp(QmpError::Closed)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Cuts the power: kills the process. What the guest has flushed is in its
    /// volumes.
    ///
    /// # Errors
    /// [`MachineError::Io`] if the system refuses.
    pub fn kill(&self) -> Result<(), MachineError> {
        self.process
            .kill()
            .map_err(MachineError::io("kill the machine of", &self.dir))
    }

    /// Returns once the process has ended, and says how.
    ///
    /// # Errors
    /// [`MachineError::Io`] if the process cannot be watched.
    pub async fn wait_exit(&self) -> Result<Exit, MachineError> {
        let ended = self.process.ended().await;
        ended.map_err(MachineError::io("watch the machine of", &self.dir))?;
        // What it said last is in the socket still.
        self.qmp.closed().await;
        Ok(self.news.shutdown().map_or(Exit::Abrupt, Exit::Shutdown))
    }

    /// Returns the last bytes of the console, at most `bytes_max`.
    ///
    /// # Errors
    /// [`MachineError::Io`] if the file cannot be read.
    pub fn console_tail(&self, bytes_max: usize) -> Result<Vec<u8>, MachineError> {
        console::console_tail(&self.dir, bytes_max)
    }

    /// Attaches a disk to the running machine.
    ///
    /// # Errors
    /// [`MachineError::DiskAlreadyAttached`], [`MachineError::DiskNotReleased`],
    /// [`MachineError::NoFreeSlot`], or
    /// [`MachineError::Qmp`] if QEMU refuses, for one because nothing listens
    /// on the disk's socket.
    pub async fn attach_disk(&self, disk: &DiskSpec) -> Result<(), MachineError> {
        disk.validate()?;
        let _turn = self.disk_change.lock().await;
        let bus = self.free_bus(&disk.volume_id).await?;
        self.execute("blockdev-add", disks::block_node(disk, &self.config))
            .await?;
        let plugged = self
            .execute("device_add", disks::device(disk, bus.as_deref()))
            .await;
        if plugged.is_err() {
            self.remove_node(&disk.volume_id).await?;
        }
        plugged.map(drop)
    }

    /// Asks the guest to let go of a disk, and returns once it has.
    ///
    /// # Errors
    /// [`MachineError::DiskNotAttached`], or [`MachineError::DetachTimeout`] if
    /// the guest does not let go; it may still do so later, and then a further
    /// call completes the detachment.
    pub async fn detach_disk(&self, volume_id: &str) -> Result<(), MachineError> {
        self.unplug(volume_id, self.config.detach_timeout).await
    }

    /// Takes a disk from a guest, with its consent if that comes soon. Afterwards nothing of the guest
    /// gets to the disk: where it did not let go, it keeps a device whose every request fails.
    ///
    /// # Errors
    /// [`MachineError::DiskNotAttached`], or [`MachineError::Qmp`] if QEMU refuses.
    pub async fn cut_disk(&self, volume_id: &str) -> Result<(), MachineError> {
        match self.unplug(volume_id, CUT_AFTER).await {
            Err(MachineError::DetachTimeout { .. }) => self.replace_by_dead(volume_id).await,
            asked => asked,
        }
    }

    async fn unplug(&self, volume_id: &str, patience: Duration) -> Result<(), MachineError> {
        let mut events = self.events();
        let asked = {
            let _turn = self.disk_change.lock().await;
            self.request_unplug(volume_id).await?
        };
        // Others may come and go meanwhile: this one has its slot until it is released.
        if let Unplug::Requested = asked {
            self.wait_released(&mut events, volume_id, patience).await?;
        }
        let _turn = self.disk_change.lock().await;
        match self.node_size(volume_id).await? {
            Some(_) => self.remove_node(volume_id).await,
            // Somebody else waited, too.
            None => Ok(()),
        }
    }

    /// Puts a node that only fails below the guest's device, and lets go of the disk.
    async fn replace_by_dead(&self, volume_id: &str) -> Result<(), MachineError> {
        let _turn = self.disk_change.lock().await;
        let Some(size_bytes) = self.node_size(volume_id).await? else {
            return Ok(());
        };
        let dead = disks::dead_node_name(volume_id);
        if self.node_size(&dead).await?.is_none() {
            let node = disks::dead_node(volume_id, size_bytes);
            self.execute("blockdev-add", node).await?;
        }
        let path = format!("/machine/peripheral/{}", disks::device_id(volume_id));
        let replaced = json!({ "path": path, "property": "drive", "value": dead });
        self.execute("qom-set", replaced).await?;
        self.remove_node(volume_id).await
    }

    /// The size of a block node in bytes; none if there is no such node.
    async fn node_size(&self, name: &str) -> Result<Option<u64>, MachineError> {
        let nodes = self
            .execute("query-named-block-nodes", json!({"flat": true}))
            .await?;
        let mut nodes = nodes.as_array().into_iter().flatten();
        let found = nodes.find(|node| node["node-name"] == name);
        let size = found.map(|node| node["image"]["virtual-size"].as_u64());
        size.map(|size| {
            let text = || QmpError::Protocol(format!("node {name} has no size")).into();
            size.ok_or_else(text)
        })
        .transpose()
    }

    /// Returns the ids of the volumes that the machine holds now.
    ///
    /// # Errors
    /// [`MachineError::Qmp`] if the monitor does not answer.
    pub async fn attached_volumes(&self) -> Result<Vec<String>, MachineError> {
        let nodes = self
            .execute("query-named-block-nodes", json!({"flat": true}))
            .await?;
        let names = nodes.as_array().into_iter().flatten();
        let volumes = names.filter_map(|node| node["node-name"].as_str());
        Ok(volumes
            .filter(|name| name.starts_with("vol-"))
            .map(str::to_owned)
            .collect())
    }

    async fn request_unplug(&self, volume_id: &str) -> Result<Unplug, MachineError> {
        let device = disks::device_id(volume_id);
        match self.execute("device_del", json!({ "id": device })).await {
            Ok(_) => Ok(Unplug::Requested),
            Err(MachineError::Qmp(QmpError::Refused { class, .. }))
                if class == "DeviceNotFound" =>
            {
                self.confirm_node(volume_id)
                    .await
                    .map(|()| Unplug::AlreadyReleased)
            }
            // An earlier request is still with the guest.
            Err(MachineError::Qmp(QmpError::Refused { description, .. }))
                if description.contains("already in the process of unplug") =>
            {
                Ok(Unplug::Requested)
            }
            Err(error) => Err(error),
        }
    }

    async fn confirm_node(&self, volume_id: &str) -> Result<(), MachineError> {
        let attached = self.attached_volumes().await?;
        if attached.iter().any(|attached| attached == volume_id) {
            return Ok(());
        }
        Err(MachineError::DiskNotAttached {
            volume_id: volume_id.to_owned(),
        })
    }

    async fn wait_released(
        &self,
        events: &mut MachineEvents,
        volume_id: &str,
        patience: Duration,
    ) -> Result<(), MachineError> {
        let released = MachineEvent::DiskReleased {
            volume_id: volume_id.to_owned(),
        };
        let wait = async {
            while let Some(event) = events.next().await {
                if event == released {
                    return Ok(());
                }
            }
            Err(MachineError::Qmp(QmpError::Closed))
        };
        let refused = MachineError::DetachTimeout {
            volume_id: volume_id.to_owned(),
        };
        timeout(patience, wait).await.unwrap_or(Err(refused))
    }

    async fn remove_node(&self, volume_id: &str) -> Result<(), MachineError> {
        self.execute("blockdev-del", json!({ "node-name": volume_id }))
            .await
            .map(drop)
    }

    /// Chooses where a new disk goes; `None` leaves it to QEMU.
    async fn free_bus(&self, volume_id: &str) -> Result<Option<String>, MachineError> {
        let devices = self.plugged_devices().await?;
        let device = disks::device_id(volume_id);
        if devices.iter().any(|found| found.name == device) {
            let volume_id = volume_id.to_owned();
            return Err(match self.node_size(&volume_id).await? {
                Some(_) => MachineError::DiskAlreadyAttached { volume_id },
                None => MachineError::DiskNotReleased { volume_id },
            });
        }
        // What was below a device that is gone now.
        let dead = disks::dead_node_name(volume_id);
        if self.node_size(&dead).await?.is_some() {
            self.remove_node(&dead).await?;
        }
        if !self.has_slots {
            return Ok(None);
        }
        let taken = self.taken_buses(&devices).await?;
        let free = (1..=SLOTS)
            .map(disks::slot_name)
            .find(|name| !taken.contains(name));
        free.map(Some)
            .ok_or(MachineError::NoFreeSlot { slots: SLOTS })
    }

    /// Lists the named devices. QEMU itself is asked, because a record of ours
    /// could be wrong after a crash.
    async fn plugged_devices(&self) -> Result<Vec<Device>, MachineError> {
        let list = self
            .execute("qom-list", json!({"path": "/machine/peripheral"}))
            .await?;
        serde_json::from_value(list).map_err(|error| QmpError::Protocol(error.to_string()).into())
    }

    async fn taken_buses(&self, devices: &[Device]) -> Result<Vec<String>, MachineError> {
        let mut taken = Vec::new();
        for device in devices.iter().filter(|device| device.kind == "child<nvme>") {
            let path = format!("/machine/peripheral/{}", device.name);
            let query = json!({ "path": path, "property": "parent_bus" });
            let bus = self.execute("qom-get", query).await?;
            taken.extend(
                bus.as_str()
                    .and_then(|bus| bus.rsplit('/').next())
                    .map(str::to_owned),
            );
        }
        Ok(taken)
    }

    async fn execute(&self, command: &str, arguments: Value) -> Result<Value, MachineError> {
        Ok(self.qmp.execute(command, arguments).await?)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.console_task.abort();
    }
}

enum Unplug {
    Requested,
    AlreadyReleased,
}

/// One entry of QEMU's `qom-list`.
#[derive(Debug, Deserialize)]
struct Device {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

impl News {
    fn new() -> Self {
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        Self {
            events: Mutex::new(Some(events)),
            shutdown: Mutex::new(None),
        }
    }

    fn subscribe(&self) -> broadcast::Receiver<MachineEvent> {
        match &*lock(&self.events) {
            Some(events) => events.subscribe(),
            None => broadcast::channel(1).1,
        }
    }

    fn shutdown(&self) -> Option<ShutdownCause> {
        *lock(&self.shutdown)
    }
}

/// The monitor's end of the news. When it goes, listeners see the end.
struct Teller(Arc<News>);

impl Teller {
    fn tell(&self, event: &QmpEvent) {
        tracing::debug!(name = event.name, data = %event.data, "machine event");
        let Some(event) = MachineEvent::from_qmp(event) else {
            return;
        };
        if let MachineEvent::Shutdown(cause) = event {
            *lock(&self.0.shutdown) = Some(cause);
        }
        if let Some(events) = &*lock(&self.0.events) {
            // Nobody may be listening.
            let _heard = events.send(event).is_ok();
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        *lock(&self.0.events) = None;
    }
}

/// What is behind these locks is whole at every moment, so a panic elsewhere harms nothing.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
