//! The machines of instances: starting them, finding them again, hearing how they end.
//!
//! What happens to the machine of one instance happens in turn: whoever starts, ends or replaces
//! it holds the instance's turn. Waiting for a guest is done outside of it, so that a guest that
//! does not hurry keeps nobody from ending it by force.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    future::Future,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use cairn_model::{
    Architecture, BootMode, Entropy, Instance, InstanceId, InstanceState, InstanceType, Subnet,
    VolumeId, Vpc,
    instance::{InstanceBlockDevice, ShutdownBehavior},
    network::Cidr,
    volume::AttachmentState,
};
use cairn_store::{Connection, image, instance, job, network};
use cairn_vmm::{
    self as vmm, Accelerator, AcceleratorProbe, DiskSpec, EndOfRun, Exit, MachineError,
    MachineSpec, NetworkSpec, ShutdownCause,
    metadata::{self, InstanceMetadata, MetadataService, MetadataSource, SourceFuture, TokenKey},
};
use tokio::sync::OwnedMutexGuard;

use crate::{
    Control, Error, OpenError, Result,
    control::Inner,
    instance::{Initiator, StopJob, TerminateJob},
    jobs::{self, Failure},
};

/// What the calls of [`Machines`] and [`Machine`] return.
pub type MachineFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, MachineError>> + Send + 'a>>;

/// What machines run on: QEMU, or what a test puts in its place.
pub trait Machines: fmt::Debug + Send + Sync {
    /// What runs the guests' instructions.
    fn accelerator(&self) -> Accelerator;

    /// Why it is that one, for people; empty if there is nothing to say.
    fn accelerator_reason(&self) -> &str {
        ""
    }

    /// Why a machine of this kind cannot be started here, if it cannot; see
    /// [`cairn_vmm::check_host`].
    fn check_can_run(
        &self,
        _architecture: vmm::Architecture,
        _boot_mode: vmm::BootMode,
    ) -> Result<(), MachineError> {
        Ok(())
    }

    /// Starts a machine; see [`cairn_vmm::start`].
    fn start<'a>(&'a self, spec: &'a MachineSpec) -> MachineFuture<'a, Arc<dyn Machine>>;

    /// Finds a machine that an earlier server started, by its directory; see
    /// [`cairn_vmm::reattach`].
    fn reattach<'a>(&'a self, dir: &'a Path) -> MachineFuture<'a, Option<Arc<dyn Machine>>>;

    /// Whether a TCP port of the host's loopback can be had now.
    fn is_port_free(&self, port: u16) -> bool;
}

/// A machine that runs. Dropping it leaves it running.
pub trait Machine: fmt::Debug + Send + Sync {
    /// Presses the power button.
    fn system_powerdown(&self) -> MachineFuture<'_, ()>;
    /// Presses the reset button.
    fn reset(&self) -> MachineFuture<'_, ()>;
    /// Ends it at once, its disks told.
    fn quit(&self) -> MachineFuture<'_, ()>;
    /// Ends it at once whatever it does.
    fn kill(&self) -> Result<(), MachineError>;
    /// Waits until it has ended.
    fn wait_exit(&self) -> MachineFuture<'_, Exit>;
    /// Plugs a disk in.
    fn attach_disk<'a>(&'a self, disk: &'a DiskSpec) -> MachineFuture<'a, ()>;
    /// Asks the guest to let go of a disk, and waits for it.
    fn detach_disk<'a>(&'a self, volume_id: &'a str) -> MachineFuture<'a, ()>;
    /// Takes a disk from the guest, whether it lets go of it or not: what it does with it fails then.
    fn cut_disk<'a>(&'a self, volume_id: &'a str) -> MachineFuture<'a, ()>;
}

/// Machines of QEMU.
#[derive(Clone, Debug)]
pub struct Qemu {
    config: vmm::Config,
    probe: AcceleratorProbe,
}

impl Qemu {
    /// With settings, and the accelerator that was chosen by [`cairn_vmm::probe_accelerator`].
    pub fn new(config: vmm::Config, probe: AcceleratorProbe) -> Self {
        Self { config, probe }
    }

    /// With the usual settings, emulated. Guests reach their metadata through this program's own
    /// subcommand `metadata-link`.
    ///
    /// # Errors
    /// The path of this program cannot be told, or is not UTF-8.
    pub(crate) fn emulated() -> Result<Self, OpenError> {
        let failed = |source| OpenError::Io {
            what: "find the path of",
            path: PathBuf::from("this program"),
            source,
        };
        let this = std::env::current_exe()
            .map_err(failed)?
            .into_os_string()
            .into_string();
        let this = this.map_err(|_| failed(std::io::ErrorKind::InvalidData.into()))?;
        Ok(Self::new(
            vmm::Config::new(vec![this, "metadata-link".to_owned()]),
            AcceleratorProbe {
                accelerator: Accelerator::Tcg,
                reason: "nothing else was tried".to_owned(),
            },
        ))
    }
}

impl Machines for Qemu {
    fn accelerator(&self) -> Accelerator {
        self.probe.accelerator
    }

    fn accelerator_reason(&self) -> &str {
        &self.probe.reason
    }

    fn check_can_run(
        &self,
        architecture: vmm::Architecture,
        boot_mode: vmm::BootMode,
    ) -> Result<(), MachineError> {
        vmm::check_host(architecture, boot_mode, &self.config)
    }

    fn start<'a>(&'a self, spec: &'a MachineSpec) -> MachineFuture<'a, Arc<dyn Machine>> {
        Box::pin(async { Ok(Arc::new(vmm::start(spec, &self.config).await?) as Arc<dyn Machine>) })
    }

    fn reattach<'a>(&'a self, dir: &'a Path) -> MachineFuture<'a, Option<Arc<dyn Machine>>> {
        Box::pin(async {
            let found = vmm::reattach(dir, &self.config).await?;
            Ok(found.map(|machine| Arc::new(machine) as Arc<dyn Machine>))
        })
    }

    fn is_port_free(&self, port: u16) -> bool {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
    }
}

impl Machine for vmm::Machine {
    fn system_powerdown(&self) -> MachineFuture<'_, ()> {
        Box::pin(self.system_powerdown())
    }

    fn reset(&self) -> MachineFuture<'_, ()> {
        Box::pin(self.reset())
    }

    fn quit(&self) -> MachineFuture<'_, ()> {
        Box::pin(self.quit())
    }

    fn kill(&self) -> Result<(), MachineError> {
        self.kill()
    }

    fn wait_exit(&self) -> MachineFuture<'_, Exit> {
        Box::pin(self.wait_exit())
    }

    fn attach_disk<'a>(&'a self, disk: &'a DiskSpec) -> MachineFuture<'a, ()> {
        Box::pin(self.attach_disk(disk))
    }

    fn detach_disk<'a>(&'a self, volume_id: &'a str) -> MachineFuture<'a, ()> {
        Box::pin(self.detach_disk(volume_id))
    }

    fn cut_disk<'a>(&'a self, volume_id: &'a str) -> MachineFuture<'a, ()> {
        Box::pin(self.cut_disk(volume_id))
    }
}

/// How machines are kept.
#[derive(Clone, Debug)]
pub struct MachineOptions {
    /// What they run on.
    pub machines: Arc<dyn Machines>,
    /// How long a guest may take to shut down when it is asked to. After that it is ended.
    pub shutdown_deadline: Duration,
    /// How long until the power button is pressed again: nobody hears it while the system boots.
    pub powerdown_interval: Duration,
}

impl MachineOptions {
    /// As EC2, which gives a guest a few minutes.
    pub fn new(machines: Arc<dyn Machines>) -> Self {
        Self {
            machines,
            shutdown_deadline: Duration::from_secs(120),
            powerdown_interval: Duration::from_secs(5),
        }
    }
}

/// Ports that lead to instances: above those of services, below those that the kernel gives out
/// itself (32768–60999), so that nothing takes one while its instance is stopped.
const SSH_PORTS: std::ops::Range<u16> = 22_000..32_000;

/// Places and machines.
#[derive(Debug)]
pub(crate) struct Room {
    options: MachineOptions,
    instances_dir: PathBuf,
    runtime_dir: PathBuf,
    key: TokenKey,
    running: Mutex<HashMap<InstanceId, Running>>,
    turns: Mutex<HashMap<InstanceId, Arc<tokio::sync::Mutex<()>>>>,
}

/// The machine of an instance, and what serves it.
#[derive(Clone, Debug)]
struct Running {
    machine: Arc<dyn Machine>,
    /// Answers until it is dropped.
    _metadata: Arc<MetadataService>,
    /// Somebody shuts the guest down to start it again: its end is expected.
    rebooting: bool,
}

/// The right to change which machine an instance has.
#[derive(Debug)]
pub(crate) struct Turn(#[allow(dead_code, reason = "held, not read")] OwnedMutexGuard<()>);

impl Room {
    pub(crate) fn new(
        options: MachineOptions,
        instances_dir: PathBuf,
        runtime_dir: PathBuf,
        secret: &[u8; 32],
    ) -> Self {
        Self {
            options,
            instances_dir,
            runtime_dir,
            key: TokenKey::new(secret),
            running: Mutex::default(),
            turns: Mutex::default(),
        }
    }

    /// Where the files of an instance are.
    pub(crate) fn dir(&self, id: &InstanceId) -> PathBuf {
        self.instances_dir.join(id.as_str())
    }

    /// The machine of an instance, if it has one.
    pub(crate) fn machine(&self, id: &InstanceId) -> Option<Arc<dyn Machine>> {
        self.running()
            .get(id)
            .map(|running| Arc::clone(&running.machine))
    }

    /// Waits for the instance's turn.
    pub(crate) async fn turn(&self, id: &InstanceId) -> Turn {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(id.clone()).or_default())
        };
        Turn(turn.lock_owned().await)
    }

    /// Forgets the turns of an instance that is no more.
    pub(crate) fn forget(&self, id: &InstanceId) {
        self.turns
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// Says whether the end of an instance's machine is expected.
    pub(crate) fn set_rebooting(&self, id: &InstanceId, rebooting: bool) {
        if let Some(running) = self.running().get_mut(id) {
            running.rebooting = rebooting;
        }
    }

    /// Why machines of this kind cannot run here, if they cannot.
    pub(crate) fn check_can_run(
        &self,
        architecture: Architecture,
        boot_mode: BootMode,
    ) -> Result<(), MachineError> {
        let machines = &self.options.machines;
        machines.check_can_run(self::architecture(architecture), self::boot_mode(boot_mode))
    }

    /// A port that no instance has and nothing listens on. From anywhere among them on: another server
    /// of this host may be looking for one, too, and its machine does not listen yet.
    pub(crate) fn free_port(&self, taken: &BTreeSet<u16>, entropy: &dyn Entropy) -> Option<u16> {
        let mut draw = [0; 4];
        entropy.fill(&mut draw);
        let first = u32::from_le_bytes(draw) as usize % SSH_PORTS.len();
        SSH_PORTS
            .skip(first)
            .chain(SSH_PORTS.take(first))
            .find(|port| !taken.contains(port) && self.is_port_free(*port))
    }

    fn is_port_free(&self, port: u16) -> bool {
        self.options.machines.is_port_free(port)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<InstanceId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn metadata_socket(&self, id: &InstanceId) -> PathBuf {
        self.runtime_dir.join(format!("{id}.imds"))
    }
}

impl Control {
    /// Starts the machine of an instance, unless it runs already. The caller has the turn.
    pub(crate) async fn boot(&self, instance: &Instance, _turn: &Turn) -> Result<(), Failure> {
        if self.room().machine(&instance.id).is_some() || self.take_hold(instance).await? {
            return Ok(());
        }
        let instance = self.with_free_port(instance).await?;
        let spec = self.machine_spec(&instance).await?;
        let metadata = self.serve_metadata(&instance.id)?;
        let machine = self
            .room()
            .options
            .machines
            .start(&spec)
            .await
            .map_err(Failure::fatal)?;
        self.watch(&instance.id, machine, metadata);
        Ok(())
    }

    /// Finds the machine of an instance that an earlier server started. False: there is none.
    async fn take_hold(&self, instance: &Instance) -> Result<bool, Failure> {
        self.export_disks(instance).await?;
        let metadata = self.serve_metadata(&instance.id)?;
        let dir = self.room().dir(&instance.id);
        let found = self
            .room()
            .options
            .machines
            .reattach(&dir)
            .await
            .map_err(Failure::passing)?;
        let Some(machine) = found else {
            return Ok(false);
        };
        self.watch(&instance.id, machine, metadata);
        Ok(true)
    }

    /// Ends the machine of an instance if it still runs, and what served it. The caller has the
    /// turn.
    pub(crate) async fn end_machine(
        &self,
        instance: &Instance,
        _turn: &Turn,
    ) -> Result<(), Failure> {
        let found = match self.room().machine(&instance.id) {
            Some(machine) => Some(machine),
            None => self.left_over(&instance.id).await?,
        };
        if let Some(machine) = found {
            end(&*machine).await?;
        }
        self.room().running().remove(&instance.id);
        for device in &instance.block_devices {
            self.unexport_from(&device.volume_id, &instance.id).await?;
        }
        Ok(())
    }

    async fn left_over(&self, id: &InstanceId) -> Result<Option<Arc<dyn Machine>>, Failure> {
        let dir = self.room().dir(id);
        self.room()
            .options
            .machines
            .reattach(&dir)
            .await
            .map_err(Failure::passing)
    }

    /// What runs the guests' instructions, `kvm` or `tcg`, and why it is that one.
    pub fn accelerator(&self) -> (&'static str, &str) {
        let machines = &self.room().options.machines;
        let name = match machines.accelerator() {
            Accelerator::Kvm => "kvm",
            Accelerator::Tcg => "tcg",
        };
        (name, machines.accelerator_reason())
    }

    /// Presses the power button and waits until the guest has shut down or the deadline has come.
    /// False: the server is stopping, and somebody has to come back for it.
    pub(crate) async fn ask_to_shut_down(&self, id: &InstanceId) -> Result<bool, Failure> {
        let Some(machine) = self.room().machine(id) else {
            return Ok(true);
        };
        let deadline = self.room().options.shutdown_deadline;
        tokio::select! {
            _ = tokio::time::timeout(deadline, machine.wait_exit()) => Ok(true),
            () = self.press_power_button(id, &*machine) => Ok(true),
            () = self.jobs().stopping().cancelled() => Ok(false),
        }
    }

    /// Presses it again and again: a system that is booting does not hear it, and one that is going down
    /// does not mind.
    async fn press_power_button(&self, id: &InstanceId, machine: &dyn Machine) {
        let mut times = tokio::time::interval(self.room().options.powerdown_interval);
        loop {
            times.tick().await;
            if let Err(error) = machine.system_powerdown().await {
                tracing::debug!(instance = %id, %error, "a machine that is to shut down does not listen");
            }
        }
    }

    /// Presses the reset button of a machine that still runs. False: it has ended.
    pub(crate) async fn press_reset(&self, id: &InstanceId) -> bool {
        let Some(machine) = self.room().machine(id) else {
            return false;
        };
        machine.reset().await.is_ok()
    }

    /// Takes up the machines of an earlier server. An instance whose machine is gone is stopped or
    /// terminated as if it had just happened, unless a job is at work on it.
    pub(crate) async fn resume_machines(&self) -> Result<()> {
        for state in [
            InstanceState::Running,
            InstanceState::Stopping,
            InstanceState::ShuttingDown,
        ] {
            let instances = instance::list_in(&mut *self.store().read().await?, state).await?;
            for instance in instances {
                if let Err(error) = self.resume_machine(&instance).await {
                    tracing::error!(instance = %instance.id, ?error, "take up a machine again");
                }
            }
        }
        Ok(())
    }

    async fn resume_machine(&self, instance: &Instance) -> Result<(), Failure> {
        let turn = self.room().turn(&instance.id).await;
        if self.take_hold(instance).await? || instance.state != InstanceState::Running {
            return Ok(());
        }
        let at_work = job::list_of(&mut *self.store().read().await?, instance.id.as_str()).await?;
        if !at_work.is_empty() {
            return Ok(());
        }
        let ended = match vmm::end_of_run(&self.room().dir(&instance.id)) {
            EndOfRun::Orderly => Exit::Shutdown(ShutdownCause::Guest),
            EndOfRun::Abrupt => Exit::Abrupt,
        };
        self.ended_by_itself(&instance.id, ended, &turn).await
    }

    /// Registers a machine, and has its end heard.
    fn watch(&self, id: &InstanceId, machine: Arc<dyn Machine>, metadata: MetadataService) {
        let running = Running {
            machine: Arc::clone(&machine),
            _metadata: Arc::new(metadata),
            rebooting: false,
        };
        self.room().running().insert(id.clone(), running);
        let (control, id, stopping) =
            (self.downgrade(), id.clone(), self.jobs().stopping().clone());
        tokio::spawn(async move {
            let exit = tokio::select! {
                exit = machine.wait_exit() => exit,
                () = stopping.cancelled() => return,
            };
            let exit = exit.unwrap_or_else(|error| {
                tracing::error!(instance = %id, %error, "watch a machine");
                Exit::Abrupt
            });
            let Some(control) = Self::upgrade(&control) else {
                return;
            };
            if let Err(error) = control.machine_ended(&id, &machine, exit).await {
                tracing::error!(instance = %id, ?error, "record the end of a machine");
            }
        });
    }

    /// A machine has ended. Whether that was expected tells what it means.
    async fn machine_ended(
        &self,
        id: &InstanceId,
        machine: &Arc<dyn Machine>,
        exit: Exit,
    ) -> Result<(), Failure> {
        let turn = self.room().turn(id).await;
        let expected = match self.room().running().get(id) {
            Some(running) => running.rebooting || !Arc::ptr_eq(&running.machine, machine),
            None => true,
        };
        if expected {
            Ok(())
        } else {
            self.ended_by_itself(id, exit, &turn).await
        }
    }

    /// The guest has shut itself down, or its machine has crashed: the instance is stopped, or
    /// terminated if that is what its own shutdown means. Other states have their jobs.
    async fn ended_by_itself(
        &self,
        id: &InstanceId,
        exit: Exit,
        _turn: &Turn,
    ) -> Result<(), Failure> {
        let by_guest = exit == Exit::Shutdown(ShutdownCause::Guest);
        let initiator = if by_guest {
            Initiator::Guest
        } else {
            Initiator::Host
        };
        let mut tx = self.store().write().await?;
        let Some(found) = instance::get(&mut tx, id).await? else {
            return Ok(());
        };
        if found.state != InstanceState::Running {
            return Ok(());
        }
        let terminate =
            by_guest && found.instance_initiated_shutdown_behavior == ShutdownBehavior::Terminate;
        let now = self.stamp();
        let state = if terminate {
            InstanceState::ShuttingDown
        } else {
            InstanceState::Stopping
        };
        instance::update(&mut tx, id, |instance| {
            initiator.record(instance, state, now);
        })
        .await?;
        if terminate {
            jobs::enqueue(&mut tx, &TerminateJob::of(id, true), self.now()).await?;
        } else {
            jobs::enqueue(&mut tx, &StopJob::of(id, true), self.now()).await?;
        }
        tx.commit().await?;
        self.wake_jobs();
        Ok(())
    }

    /// Offers the volumes of an instance to its machine.
    async fn export_disks(&self, instance: &Instance) -> Result<Vec<DiskSpec>, Failure> {
        let mut disks = Vec::new();
        for device in plugged(instance) {
            disks.push(
                self.export_disk(instance, &device.volume_id, &device.device_name)
                    .await?,
            );
        }
        // The firmware looks at the disks in order.
        disks.sort_by_key(|disk| !disk.boot);
        Ok(disks)
    }

    /// Offers one volume to a machine.
    pub(crate) async fn export_disk(
        &self,
        instance: &Instance,
        volume: &VolumeId,
        device_name: &str,
    ) -> Result<DiskSpec, Failure> {
        Ok(DiskSpec {
            volume_id: volume.to_string(),
            socket: self.export_to(volume, &instance.id).await?,
            export: String::new(),
            device_name: device_name.to_owned(),
            boot: instance.root_device_name.as_deref() == Some(device_name),
            read_only: false,
        })
    }

    /// The instance with a port that can be had now: its own if that is free.
    async fn with_free_port(&self, instance: &Instance) -> Result<Instance, Failure> {
        if instance
            .ssh_port
            .is_some_and(|port| self.room().is_port_free(port))
        {
            return Ok(instance.clone());
        }
        let mut tx = self.store().write().await?;
        let taken = instance::ssh_ports(&mut tx).await?;
        let port = self
            .room()
            .free_port(&taken, self.entropy())
            .ok_or_else(no_port)?;
        let updated = instance::update(&mut tx, &instance.id, |i| i.ssh_port = Some(port)).await?;
        tx.commit().await?;
        updated.ok_or_else(|| Failure::fatal("the instance is not recorded"))
    }

    async fn machine_spec(&self, instance: &Instance) -> Result<MachineSpec, Failure> {
        let room = self.room();
        let of_type = InstanceType::named(&instance.instance_type);
        let of_type = of_type.ok_or_else(|| Failure::fatal("the instance type is not known"))?;
        Ok(MachineSpec {
            id: instance.id.to_string(),
            instance_type: instance.instance_type.clone(),
            dir: room.dir(&instance.id),
            runtime_dir: room.runtime_dir.clone(),
            architecture: architecture(instance.architecture),
            boot_mode: boot_mode(instance.boot_mode),
            vcpus: u32::try_from(of_type.vcpus).map_err(Failure::fatal)?,
            memory_mib: u64::try_from(of_type.memory_mib).map_err(Failure::fatal)?,
            accelerator: room.options.machines.accelerator(),
            disks: self.export_disks(instance).await?,
            network: self.network_spec(instance).await?,
            metadata_socket: room.metadata_socket(&instance.id),
        })
    }

    async fn network_spec(&self, instance: &Instance) -> Result<NetworkSpec, Failure> {
        let (vpc, subnet) = network_of(&mut *self.store().read().await?, instance).await?;
        let vpc: Cidr = vpc.cidr_block.parse().map_err(Failure::fatal)?;
        let subnet: Cidr = subnet.cidr_block.parse().map_err(Failure::fatal)?;
        Ok(NetworkSpec {
            private_ip: instance.private_ip,
            mac: instance.mac_address.clone(),
            gateway: subnet.gateway(),
            dns: vpc.nth(2),
            hostname: instance.private_dns_name(),
            ssh_port: instance.ssh_port,
        })
    }

    fn serve_metadata(&self, id: &InstanceId) -> Result<MetadataService, Failure> {
        let source = Arc::new(Source(self.downgrade()));
        let clock = self.clock();
        let since_epoch: metadata::Clock =
            Arc::new(move || Duration::from_micros(u64::try_from(clock.now().0).unwrap_or(0)));
        let (room, socket) = (self.room(), self.room().metadata_socket(id));
        MetadataService::bind(&socket, id.as_str(), source, room.key.clone(), since_epoch)
            .map_err(Failure::fatal)
    }

    /// What the metadata service tells the guest of an instance.
    async fn instance_metadata(&self, id: &str) -> Result<Option<InstanceMetadata>> {
        let id: InstanceId = id.parse().map_err(Error::internal)?;
        let conn = &mut *self.store().read().await?;
        let Some(instance) = instance::get(conn, &id).await? else {
            return Ok(None);
        };
        let (vpc, subnet) = network_of(conn, &instance).await?;
        let image = image::get(conn, &instance.image_id).await?;
        let key = instance.key_name.iter().zip(&instance.public_key);
        let public_keys = key.map(|(name, key)| metadata::PublicKey {
            name: name.clone(),
            openssh_key: key.clone(),
        });
        Ok(Some(InstanceMetadata {
            instance_id: instance.id.to_string(),
            image_id: instance.image_id.to_string(),
            ami_launch_index: u32::try_from(instance.launch_index).map_err(Error::internal)?,
            instance_type: instance.instance_type.clone(),
            architecture: architecture(instance.architecture),
            reservation_id: instance.reservation_id.to_string(),
            account_id: instance.account.to_string(),
            region: instance.region.name().to_owned(),
            availability_zone: instance.availability_zone.clone(),
            availability_zone_id: subnet.availability_zone_id.clone(),
            pending_time: instance.launch_time.to_string().replace(".000Z", "Z"),
            kernel_id: image.as_ref().and_then(|image| image.kernel_id.clone()),
            ramdisk_id: image.as_ref().and_then(|image| image.ramdisk_id.clone()),
            local_hostname: instance.private_dns_name(),
            services_domain: "amazonaws.com".to_owned(),
            partition: "aws".to_owned(),
            network: interface(&instance, &vpc, &subnet),
            root_device_name: instance.root_device_name.clone().unwrap_or_default(),
            block_devices: other_devices(&instance),
            public_keys: public_keys.collect(),
            user_data: crate::instance::decoded_user_data(instance.user_data.as_deref())?,
            tags: instance.tags.clone().into_iter().collect(),
            options: metadata::MetadataOptions {
                http_endpoint_enabled: instance.metadata_options.http_endpoint,
                http_tokens: match instance.metadata_options.http_tokens_required {
                    true => metadata::HttpTokens::Required,
                    false => metadata::HttpTokens::Optional,
                },
                tags_enabled: instance.metadata_options.instance_metadata_tags,
            },
        }))
    }
}

/// Tells the metadata service what there is to tell, as long as the server is open.
struct Source(Weak<Inner>);

impl MetadataSource for Source {
    fn metadata<'a>(&'a self, instance_id: &'a str) -> SourceFuture<'a> {
        Box::pin(async {
            let control = Control::upgrade(&self.0)?;
            // The error is in the log; the guest is told to ask again.
            control.instance_metadata(instance_id).await.ok().flatten()
        })
    }
}

/// Ends a machine: in order if it listens, by force if not.
async fn end(machine: &dyn Machine) -> Result<(), Failure> {
    if let Err(error) = machine.quit().await {
        tracing::debug!(%error, "a machine that is to end does not listen");
        machine.kill().map_err(Failure::passing)?;
    }
    machine
        .wait_exit()
        .await
        .map(drop)
        .map_err(Failure::passing)
}

/// The volumes that the machine of an instance has from its start.
fn plugged(instance: &Instance) -> impl Iterator<Item = &InstanceBlockDevice> {
    instance
        .block_devices
        .iter()
        .filter(|device| device.state != AttachmentState::Detaching)
}

async fn network_of(conn: &mut Connection, instance: &Instance) -> Result<(Vpc, Subnet)> {
    let vpc = network::get_vpc(conn, &instance.vpc_id).await?;
    let subnet = network::get_subnet(conn, &instance.subnet_id).await?;
    vpc.zip(subnet)
        .ok_or_else(|| Error::internal(format!("instance {} has no network", instance.id)))
}

fn interface(instance: &Instance, vpc: &Vpc, subnet: &Subnet) -> metadata::NetworkInterface {
    let groups = instance
        .security_groups
        .iter()
        .map(|(id, name)| (id.to_string(), name.clone()));
    metadata::NetworkInterface {
        mac: instance.mac_address.clone(),
        interface_id: instance.network_interface_id.to_string(),
        private_ip: instance.private_ip,
        subnet_id: instance.subnet_id.to_string(),
        subnet_cidr: subnet.cidr_block.clone(),
        vpc_id: instance.vpc_id.to_string(),
        vpc_cidr: vpc.cidr_block.clone(),
        security_groups: groups.collect(),
    }
}

fn other_devices(instance: &Instance) -> Vec<metadata::BlockDevice> {
    let root = instance.root_device_name.as_deref();
    let others = instance
        .block_devices
        .iter()
        .filter(|d| Some(d.device_name.as_str()) != root);
    others
        .map(|d| metadata::BlockDevice {
            device_name: d.device_name.clone(),
        })
        .collect()
}

fn architecture(architecture: Architecture) -> vmm::Architecture {
    match architecture {
        Architecture::I386 => vmm::Architecture::I386,
        Architecture::X86_64 => vmm::Architecture::X86_64,
        Architecture::Arm64 => vmm::Architecture::Arm64,
    }
}

/// A plan has chosen between BIOS and UEFI where the image leaves it open.
fn boot_mode(boot_mode: BootMode) -> vmm::BootMode {
    match boot_mode {
        BootMode::LegacyBios => vmm::BootMode::LegacyBios,
        BootMode::Uefi | BootMode::UefiPreferred => vmm::BootMode::Uefi,
    }
}

fn no_port() -> Failure {
    Failure::fatal("no port of the host is free for SSH to the instance")
}
