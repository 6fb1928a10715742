//! Machines that do as they are told, and go on while servers come and go over them.

#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

use std::{
    collections::HashMap,
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use cairn_control::{
    Caller, Control, ControlOptions, OpenError,
    jobs::JobGate,
    machine::{Machine, MachineFuture, MachineOptions, Machines},
    request::{Describe, EbsRequest, MappingRequest, RegisterImage, RunInstances},
};
use cairn_model::{ImageId, Instance, InstanceId, InstanceState, Snapshot};
use cairn_vmm::{
    Accelerator, Architecture, BootMode, DiskSpec, Exit, MachineError, MachineSpec, ShutdownCause,
};
use tokio::sync::{Notify, watch};

use crate::support::{Place, available_volume, blank, ids, pattern, take_snapshot, write};

/// How guests behave.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Machines do not start, for this reason.
    pub fail_start: Option<String>,
    /// Starting a machine panics.
    pub panic_start: bool,
    /// The program that machines would run on is not here.
    pub missing_program: bool,
    /// All ports of the host are taken.
    pub no_ports: bool,
    /// How often guests do not hear the power button.
    pub ignored_powerdowns: u32,
    /// Guests do not let go of disks.
    pub hold_disks: bool,
    /// Machines run, but whoever started them never hears of it.
    pub hang_after_start: bool,
}

/// Machines by their directories.
#[derive(Debug, Default)]
pub struct Fake {
    pub script: Mutex<Script>,
    machines: Mutex<HashMap<PathBuf, Arc<FakeMachine>>>,
    /// Every machine that was started.
    pub started: Mutex<Vec<Arc<FakeMachine>>>,
    /// Told when a machine was started.
    pub news: Notify,
}

#[derive(Debug)]
pub struct FakeMachine {
    pub spec: MachineSpec,
    pub disks: Mutex<Vec<String>>,
    pub resets: Mutex<u32>,
    /// How often somebody pressed the power button.
    pub powerdowns: Mutex<u32>,
    script: Script,
    exit: watch::Sender<Option<Exit>>,
}

impl Fake {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }

    pub fn starts(&self) -> usize {
        self.started.lock().unwrap().len()
    }

    /// Machines that have not ended.
    pub fn alive(&self) -> usize {
        self.started
            .lock()
            .unwrap()
            .iter()
            .filter(|machine| machine.is_alive())
            .count()
    }

    /// The machine that was started last for an instance.
    pub fn of(&self, id: &InstanceId) -> Arc<FakeMachine> {
        let started = self.started.lock().unwrap();
        let of = started
            .iter()
            .rev()
            .find(|machine| machine.spec.id == id.as_str());
        Arc::clone(of.unwrap())
    }
}

impl Machines for Fake {
    fn accelerator(&self) -> Accelerator {
        Accelerator::Tcg
    }

    fn check_can_run(&self, _: Architecture, _: BootMode) -> Result<(), MachineError> {
        if self.script.lock().unwrap().missing_program {
            return Err(MachineError::MissingProgram {
                program: "qemu-system-aarch64".to_owned(),
                package: "qemu-system-arm",
            });
        }
        Ok(())
    }

    fn start<'a>(&'a self, spec: &'a MachineSpec) -> MachineFuture<'a, Arc<dyn Machine>> {
        Box::pin(async move {
            let script = self.script.lock().unwrap().clone();
            assert!(!script.panic_start, "as the script says");
            if let Some(message) = script.fail_start {
                return Err(MachineError::Start { message });
            }
            for disk in &spec.disks {
                UnixStream::connect(&disk.socket).expect("the disk is offered");
            }
            UnixStream::connect(&spec.metadata_socket).expect("the metadata is served");
            fs::create_dir_all(&spec.dir).unwrap();
            fs::write(
                spec.dir.join("console.log"),
                format!("hello from {}\n", spec.id),
            )
            .unwrap();
            let machine = Arc::new(FakeMachine {
                spec: spec.clone(),
                disks: Mutex::new(spec.disks.iter().map(|d| d.volume_id.clone()).collect()),
                resets: Mutex::new(0),
                powerdowns: Mutex::new(0),
                script,
                exit: watch::Sender::new(None),
            });
            let earlier = self
                .machines
                .lock()
                .unwrap()
                .insert(spec.dir.clone(), Arc::clone(&machine));
            assert!(
                earlier.is_none_or(|m| !m.is_alive()),
                "an instance has one machine at a time"
            );
            self.started.lock().unwrap().push(Arc::clone(&machine));
            self.news.notify_one();
            if machine.script.hang_after_start {
                std::future::pending::<()>().await;
            }
            Ok(machine as Arc<dyn Machine>)
        })
    }

    fn reattach<'a>(&'a self, dir: &'a Path) -> MachineFuture<'a, Option<Arc<dyn Machine>>> {
        let found = self.machines.lock().unwrap().get(dir).cloned();
        let alive = found.filter(|machine| machine.is_alive());
        Box::pin(async move { Ok(alive.map(|machine| machine as Arc<dyn Machine>)) })
    }

    fn is_port_free(&self, _port: u16) -> bool {
        !self.script.lock().unwrap().no_ports
    }
}

impl FakeMachine {
    pub fn is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// The guest powers itself off.
    pub fn power_off(&self) {
        self.end(Exit::Shutdown(ShutdownCause::Guest));
    }

    /// How it ended, if it did.
    pub fn ended_by(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// The process dies.
    pub fn crash(&self) {
        // What QEMU leaves when it does not end in order.
        fs::write(self.spec.dir.join("qemu.pid"), "1").unwrap();
        self.end(Exit::Abrupt);
    }

    fn end(&self, exit: Exit) {
        self.exit
            .send_if_modified(|now| now.is_none().then(|| *now = Some(exit)).is_some());
    }

    pub fn has_disk(&self, volume_id: &str) -> bool {
        self.disks
            .lock()
            .unwrap()
            .iter()
            .any(|disk| disk == volume_id)
    }

    /// What the metadata service answers to a plain request of the guest.
    pub fn metadata(&self, path: &str) -> String {
        let mut stream = UnixStream::connect(&self.spec.metadata_socket).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: 169.254.169.254\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        if head.starts_with("HTTP/1.1 200") {
            body.to_owned()
        } else {
            head.lines().next().unwrap().to_owned()
        }
    }
}

impl Machine for FakeMachine {
    fn system_powerdown(&self) -> MachineFuture<'_, ()> {
        let mut powerdowns = self.powerdowns.lock().unwrap();
        *powerdowns += 1;
        if *powerdowns > self.script.ignored_powerdowns {
            self.power_off();
        }
        Box::pin(async { Ok(()) })
    }

    fn reset(&self) -> MachineFuture<'_, ()> {
        Box::pin(async {
            if !self.is_alive() {
                return Err(MachineError::Start {
                    message: "it has ended".to_owned(),
                });
            }
            *self.resets.lock().unwrap() += 1;
            Ok(())
        })
    }

    fn quit(&self) -> MachineFuture<'_, ()> {
        self.end(Exit::Shutdown(ShutdownCause::Host));
        Box::pin(async { Ok(()) })
    }

    fn kill(&self) -> Result<(), MachineError> {
        self.end(Exit::Abrupt);
        Ok(())
    }

    fn wait_exit(&self) -> MachineFuture<'_, Exit> {
        Box::pin(async {
            let mut exit = self.exit.subscribe();
            let ended = exit.wait_for(Option::is_some).await.unwrap();
            Ok(ended.unwrap())
        })
    }

    fn attach_disk<'a>(&'a self, disk: &'a DiskSpec) -> MachineFuture<'a, ()> {
        UnixStream::connect(&disk.socket).expect("the disk is offered");
        self.disks.lock().unwrap().push(disk.volume_id.clone());
        Box::pin(async { Ok(()) })
    }

    fn detach_disk<'a>(&'a self, volume_id: &'a str) -> MachineFuture<'a, ()> {
        Box::pin(async move {
            if self.script.hold_disks {
                return Err(MachineError::DetachTimeout {
                    volume_id: volume_id.to_owned(),
                });
            }
            self.disks.lock().unwrap().retain(|disk| disk != volume_id);
            Ok(())
        })
    }

    fn cut_disk<'a>(&'a self, volume_id: &'a str) -> MachineFuture<'a, ()> {
        self.disks.lock().unwrap().retain(|disk| disk != volume_id);
        Box::pin(async { Ok(()) })
    }
}

/// A server over machines that outlive it.
pub struct World {
    pub place: Place,
    pub fake: Arc<Fake>,
    shutdown_deadline: Duration,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self::with_deadline(seed, Duration::from_millis(50))
    }

    /// Guests are given that long to shut down.
    pub fn with_deadline(seed: u64, shutdown_deadline: Duration) -> Self {
        Self {
            place: Place::new(seed),
            fake: Fake::new(),
            shutdown_deadline,
        }
    }

    pub async fn begin(&self) -> (Control, Caller) {
        let control = self.open().await;
        let caller = crate::support::new_caller(&control).await;
        (control, caller)
    }

    pub async fn open(&self) -> Control {
        self.open_with(None).await
    }

    pub async fn open_with(&self, gate: Option<Arc<dyn JobGate>>) -> Control {
        let place = &self.place;
        let mut options =
            ControlOptions::new(place.data_dir(), place.clock.clone(), place.entropy.clone())
                .unwrap();
        options.volumes.journal_segment_bytes = 4 << 20;
        options.volumes.journal_cap_bytes = 32 << 20;
        options.job_gate = gate;
        options.disk = Arc::clone(&place.disk);
        options.machines = MachineOptions {
            machines: self.fake.clone(),
            shutdown_deadline: self.shutdown_deadline,
            powerdown_interval: Duration::from_millis(10),
        };
        loop {
            match Control::open(options.clone()).await {
                Ok(control) => return control,
                // The last handles of a server that was dropped go with its tasks.
                Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
                Err(error) => panic!("open the server: {error}"),
            }
        }
    }
}

/// What the root of the test image holds at its beginning.
pub fn root_bytes() -> Vec<u8> {
    pattern(7, 8192)
}

/// A snapshot of a volume of one GiB that begins with [`root_bytes`].
pub async fn root_snapshot(control: &Control, caller: &Caller) -> Snapshot {
    let volume = available_volume(control, caller, blank(1)).await;
    write(control, &volume, 0, root_bytes()).await;
    take_snapshot(control, caller, &volume).await
}

pub fn registration(name: &str, snapshot: &Snapshot) -> RegisterImage {
    RegisterImage {
        name: name.to_owned(),
        architecture: Some("x86_64".to_owned()),
        virtualization_type: Some("hvm".to_owned()),
        root_device_name: Some("/dev/xvda".to_owned()),
        block_device_mappings: vec![device(
            "/dev/xvda",
            EbsRequest {
                snapshot_id: Some(snapshot.id.to_string()),
                ..EbsRequest::default()
            },
        )],
        ena_support: Some(true),
        ..RegisterImage::default()
    }
}

pub fn device(name: &str, ebs: EbsRequest) -> MappingRequest {
    MappingRequest {
        device_name: Some(name.to_owned()),
        ebs: Some(ebs),
        ..MappingRequest::default()
    }
}

pub async fn image(control: &Control, caller: &Caller) -> ImageId {
    let snapshot = root_snapshot(control, caller).await;
    control
        .register_image(caller, registration("base", &snapshot))
        .await
        .unwrap()
}

pub fn launch(image: &ImageId) -> RunInstances {
    RunInstances {
        image_id: Some(image.to_string()),
        min_count: 1,
        max_count: 1,
        instance_type: Some("t3.micro".to_owned()),
        ..RunInstances::default()
    }
}

/// An instance that has got as far as it goes.
pub async fn launched(control: &Control, caller: &Caller, request: RunInstances) -> Instance {
    let mut reservation = control.run_instances(caller, request).await.unwrap();
    let instance = reservation.instances.remove(0);
    assert_eq!(instance.state, InstanceState::Pending);
    control.idle().await.unwrap();
    now(control, caller, &instance.id).await
}

pub async fn now(control: &Control, caller: &Caller, id: &InstanceId) -> Instance {
    let mut found = control
        .describe_instances(caller, ids(&[id]))
        .await
        .unwrap();
    assert_eq!(found.items.len(), 1);
    found.items.remove(0).instances.remove(0)
}

/// Waits until an instance is in a state.
pub async fn until(
    control: &Control,
    caller: &Caller,
    id: &InstanceId,
    state: InstanceState,
) -> Instance {
    let mut changes = control.changes();
    loop {
        changes.borrow_and_update();
        let instance = now(control, caller, id).await;
        if instance.state == state {
            return instance;
        }
        let changed = tokio::time::timeout(Duration::from_secs(30), changes.changed()).await;
        changed
            .unwrap_or_else(|_| panic!("the instance is {}, and not {state}", instance.state))
            .unwrap();
    }
}

pub fn everything() -> Describe {
    Describe::default()
}
