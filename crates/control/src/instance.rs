//! Instances: describing them, and changing whether they run.
//!
//! A verb writes the state that begins (`stopping`) and the job that leads to the one that follows
//! (`stopped`) in one transaction. What started a change is recorded with it, as EC2 shows it.

mod attribute;
mod credits;
pub mod metadata;
pub(crate) mod profile;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_model::{
    AttachmentState, Filterable, Instance, InstanceId, InstanceState, Paged, Tags, Timestamp,
    VolumeId, VolumeState,
    filter::{maybe, one},
    instance::TERMINATED_VISIBLE_FOR,
    page::Bounds,
};
use cairn_store::{Connection, WriteTx, image, instance, network_interface, volume};
use cairn_vmm as vmm;
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    answer::{
        ConsoleOutput, InstanceAttribute, InstanceAttributeValue, InstanceStatus, Reservation,
        StateChange,
    },
    describe::{self, Question},
    engine::blocking,
    jobs::{self, Failure, Job, Next},
    machine::Turn,
    network::interface,
    request::{
        ById, Describe, DescribeAttribute, DescribeInstanceStatus, InstanceIds, StopInstances,
        TerminateInstances,
    },
    volume as volumes,
};

/// How much of the console is shown, in bytes.
const CONSOLE_BYTES: usize = 64 << 10;

/// The tag by which DescribeInstances tells where SSH to an instance leads. Keys that begin with
/// `aws:` are the service's own: users cannot set it, and it does not count as one of theirs.
pub const SSH_TAG: &str = "aws:cairn:ssh";

impl Control {
    /// The instances of these ids, or all, that pass the filters, by launch. A terminated one is
    /// shown for an hour.
    pub async fn describe_instances(
        &self,
        caller: &Caller,
        mut request: Describe,
    ) -> Result<Paged<Reservation>> {
        let bounds = Bounds::USUAL;
        describe::check_ids::<InstanceId>(
            &mut request,
            ErrorKind::InstanceIdMalformed,
            "instancesSet",
            bounds,
        )?;
        let all = self
            .visible_instances(caller)
            .await?
            .into_iter()
            .map(with_ssh_tag)
            .collect();
        let found = describe::select(
            all,
            &request.ids,
            |instance: &Instance| instance.id.as_str(),
            not_found,
        )?;
        let page = Question {
            control: self,
            caller,
            operation: "DescribeInstances",
            bounds,
            request: &request,
        }
        .answer(found, |i| {
            format!("{} {:06}", i.reservation_id, i.launch_index)
        })?;
        Ok(Paged {
            items: reservations(page.items),
            next_token: page.next_token,
        })
    }

    /// How the instances are: those that run, or all.
    pub async fn describe_instance_status(
        &self,
        caller: &Caller,
        mut request: DescribeInstanceStatus,
    ) -> Result<Paged<InstanceStatus>> {
        let bounds = Bounds::USUAL;
        describe::check_ids::<InstanceId>(
            &mut request.common,
            ErrorKind::InstanceIdMalformed,
            "instancesSet",
            bounds,
        )?;
        let all = self.visible_instances(caller).await?;
        let found = describe::select(
            all,
            &request.common.ids,
            |instance| instance.id.as_str(),
            not_found,
        )?;
        let shown = |i: &Instance| request.include_all || i.state == InstanceState::Running;
        let statuses = found.iter().filter(|i| shown(i)).map(status).collect();
        Question {
            control: self,
            caller,
            operation: "DescribeInstanceStatus",
            bounds,
            request: &request.common,
        }
        .answer(statuses, |status| status.id.to_string())
    }

    /// One attribute of an instance.
    pub async fn describe_instance_attribute(
        &self,
        caller: &Caller,
        request: DescribeAttribute,
    ) -> Result<InstanceAttribute> {
        let instance = self.visible_instance(caller, &request.id).await?;
        let value = attribute(&instance, &request.attribute)?;
        describe::refuse_dry_run(request.dry_run)?;
        Ok(InstanceAttribute { instance, value })
    }

    /// The end of what an instance wrote to its serial console.
    pub async fn get_console_output(
        &self,
        caller: &Caller,
        request: ById,
    ) -> Result<ConsoleOutput> {
        let instance = self.visible_instance(caller, &request.id).await?;
        describe::refuse_dry_run(request.dry_run)?;
        let dir = self.room().dir(&instance.id);
        let output =
            blocking(move || vmm::console_tail(&dir, CONSOLE_BYTES).map_err(std::io::Error::other))
                .await?;
        Ok(ConsoleOutput {
            instance_id: instance.id,
            timestamp: self.stamp(),
            output,
        })
    }

    /// Starts instances that are stopped, with the disks and the address that they had.
    pub async fn start_instances(
        &self,
        caller: &Caller,
        request: InstanceIds,
    ) -> Result<Vec<StateChange>> {
        self.check_keys_of_stopped(caller, &request.ids).await?;
        let now = self.stamp();
        self.change_states(
            caller,
            &request.ids,
            request.dry_run,
            |instance| match instance.state {
                InstanceState::Stopped => {
                    check_has_root(instance)?;
                    Initiator::User.record(instance, InstanceState::Pending, now);
                    instance.launch_time = now;
                    Ok(Some(Work::Start(StartJob {
                        instance: instance.id.clone(),
                    })))
                }
                InstanceState::Pending | InstanceState::Running => Ok(None),
                _ => Err(wrong_state(&instance.id, "started")),
            },
        )
        .await
    }

    /// Stops instances: their guests are asked to shut down, and ended if they do not, or at once
    /// if forced.
    pub async fn stop_instances(
        &self,
        caller: &Caller,
        request: StopInstances,
    ) -> Result<Vec<StateChange>> {
        if request.hibernate {
            return Err(Error::new(
                ErrorKind::UnsupportedOperation,
                "This server does not hibernate instances: leave out Hibernate, or set it to false.",
            ));
        }
        let (now, force) = (self.stamp(), request.force || request.skip_os_shutdown);
        self.change_states(
            caller,
            &request.ids,
            request.dry_run,
            |instance| match instance.state {
                _ if instance.disable_api_stop => {
                    Err(protected(&instance.id, "stopped", "disableApiStop"))
                }
                InstanceState::Running => {
                    Initiator::User.record(instance, InstanceState::Stopping, now);
                    Ok(Some(Work::Stop(StopJob::of(&instance.id, force))))
                }
                InstanceState::Stopping if force => {
                    Ok(Some(Work::Stop(StopJob::of(&instance.id, true))))
                }
                InstanceState::Stopping | InstanceState::Stopped => Ok(None),
                _ => Err(wrong_state(&instance.id, "stopped")),
            },
        )
        .await
    }

    /// Has the guests of running instances restart.
    pub async fn reboot_instances(&self, caller: &Caller, request: InstanceIds) -> Result<()> {
        self.change_states(
            caller,
            &request.ids,
            request.dry_run,
            |instance| match instance.state {
                InstanceState::Running => Ok(Some(Work::Reboot(RebootJob {
                    instance: instance.id.clone(),
                }))),
                _ => Err(wrong_state(&instance.id, "rebooted")),
            },
        )
        .await
        .map(drop)
    }

    /// Terminates instances, and deletes the volumes that go with them.
    pub async fn terminate_instances(
        &self,
        caller: &Caller,
        request: TerminateInstances,
    ) -> Result<Vec<StateChange>> {
        let (now, skip_os_shutdown) = (self.stamp(), request.skip_os_shutdown);
        self.change_states(
            caller,
            &request.ids,
            request.dry_run,
            |instance| match instance.state {
                InstanceState::ShuttingDown | InstanceState::Terminated => Ok(None),
                _ if instance.disable_api_termination => Err(protected(
                    &instance.id,
                    "terminated",
                    "disableApiTermination",
                )),
                // Who must not be stopped by mistake must not be ended by mistake either.
                _ if instance.disable_api_stop => {
                    Err(protected(&instance.id, "terminated", "disableApiStop"))
                }
                _ => {
                    Initiator::User.record(instance, InstanceState::ShuttingDown, now);
                    let job = TerminateJob::of(&instance.id, skip_os_shutdown);
                    Ok(Some(Work::Terminate(job)))
                }
            },
        )
        .await
    }

    /// Changes the states of instances, all of them or none, and records the work that follows.
    async fn change_states(
        &self,
        caller: &Caller,
        ids: &[String],
        dry_run: bool,
        change: impl Fn(&mut Instance) -> Result<Option<Work>> + Send + Sync,
    ) -> Result<Vec<StateChange>> {
        if ids.is_empty() {
            return Err(Error::missing_parameter("InstanceId"));
        }
        let mut tx = self.store().write().await?;
        let mut changes: Vec<StateChange> = Vec::new();
        for id in ids {
            let mut found = self.find_instance(&mut tx, caller, id).await?;
            if changes.iter().any(|change| change.id == found.id) {
                continue;
            }
            let previous = found.state;
            if let Some(work) = change(&mut found)? {
                instance::update(&mut tx, &found.id, |instance| *instance = found.clone()).await?;
                work.enqueue(&mut tx, self.now()).await?;
            }
            changes.push(StateChange {
                id: found.id,
                previous,
                current: found.state,
            });
        }
        describe::refuse_dry_run(dry_run)?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(changes)
    }

    /// The caller's instance of an id, as long as it is shown.
    pub(crate) async fn find_instance(
        &self,
        conn: &mut Connection,
        caller: &Caller,
        id: &str,
    ) -> Result<Instance> {
        let parsed = describe::parse_id(id, ErrorKind::InstanceIdMalformed)?;
        let found = instance::get(conn, &parsed).await?;
        let now = self.now();
        found
            .filter(|i| {
                i.account == caller.account && i.region == caller.region && i.is_visible(now)
            })
            .ok_or_else(|| not_found(id))
    }

    async fn visible_instance(&self, caller: &Caller, id: &str) -> Result<Instance> {
        self.find_instance(&mut *self.store().read().await?, caller, id)
            .await
    }

    pub(crate) async fn visible_instances(&self, caller: &Caller) -> Result<Vec<Instance>> {
        let conn = &mut *self.store().read().await?;
        let mut all = instance::list(conn, &caller.account, caller.region).await?;
        let now = self.now();
        all.retain(|instance| instance.is_visible(now));
        let interfaces = network_interface::list(conn, &caller.account, caller.region).await?;
        for interface in interfaces {
            let at = interface.attachment.as_ref().map(|a| &a.instance_id);
            if let Some(instance) = all.iter_mut().find(|instance| Some(&instance.id) == at) {
                instance.attached_interfaces.push(interface);
            }
        }
        Ok(all)
    }

    /// Forgets the instances and images that are not shown any more.
    pub(crate) async fn forget_the_gone(&self) -> Result<()> {
        let before = Timestamp(self.now().0.saturating_sub(micros(TERMINATED_VISIBLE_FOR)));
        let mut tx = self.store().write().await?;
        let gone = instance::delete_terminated_before(&mut tx, before).await?;
        image::delete_deregistered_before(&mut tx, before).await?;
        tx.commit().await?;
        for id in gone {
            self.room().forget(&id);
            let dir = self.room().dir(&id);
            blocking(move || remove_dir(&dir)).await?;
        }
        Ok(())
    }

    /// The machine of an instance runs: so does the instance, unless it was terminated meanwhile.
    pub(crate) async fn mark_running(&self, id: &InstanceId, _turn: &Turn) -> Result<(), Failure> {
        let mut tx = self.store().write().await?;
        let Some(found) = instance::get(&mut tx, id).await? else {
            return Ok(());
        };
        if found.state == InstanceState::Pending {
            instance::update(&mut tx, id, |instance| {
                instance.state = InstanceState::Running;
                instance.state_reason = None;
                instance.state_transition_reason.clear();
            })
            .await?;
            settle_devices(&mut tx, &found).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// The machine of an instance has ended: so the instance is stopped, unless it is terminated.
    async fn mark_stopped(&self, id: &InstanceId, _turn: &Turn) -> Result<(), Failure> {
        let mut tx = self.store().write().await?;
        let Some(found) = instance::get(&mut tx, id).await? else {
            return Ok(());
        };
        if found.state == InstanceState::Stopping {
            instance::update(&mut tx, id, |i| i.state = InstanceState::Stopped).await?;
            settle_devices(&mut tx, &found).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// The end of an instance: its address and port are free again, its volumes gone or available.
    /// `all_volumes`: it never ran, so nothing is on any of them.
    pub(crate) async fn mark_terminated(
        &self,
        id: &InstanceId,
        all_volumes: bool,
        _turn: &Turn,
    ) -> Result<(), Failure> {
        let mut tx = self.store().write().await?;
        let Some(found) = instance::get(&mut tx, id).await? else {
            return Ok(());
        };
        if found.state == InstanceState::Terminated {
            return Ok(());
        }
        for device in &found.block_devices {
            let made = volume::get(&mut tx, &device.volume_id).await?;
            let blank = made.is_some_and(|volume| volume.state == VolumeState::Creating);
            detach(&mut tx, &device.volume_id, id).await?;
            let left = volume::get(&mut tx, &device.volume_id).await?;
            let Some(left) = left.filter(|volume| volume.attachments.is_empty()) else {
                continue;
            };
            if all_volumes || blank {
                volumes::begin_delete(&mut tx, &left.id, self.now()).await?;
            } else if device.delete_on_termination {
                self.discard_volume(&mut tx, &left).await?;
            }
        }
        interface::release(&mut tx, &found).await?;
        let now = self.stamp();
        instance::update(&mut tx, id, |instance| {
            instance.state = InstanceState::Terminated;
            instance.terminated_at = Some(now);
            instance.ssh_port = None;
            instance.block_devices.clear();
        })
        .await?;
        tx.commit().await?;
        self.wake_jobs();
        Ok(())
    }

    /// The machine of an instance could not be started.
    pub(crate) async fn mark_failed(
        &self,
        id: &InstanceId,
        state: InstanceState,
        why: &str,
    ) -> Result<(), Failure> {
        let now = self.stamp();
        let mut tx = self.store().write().await?;
        let Some(found) = instance::get(&mut tx, id).await? else {
            return Ok(());
        };
        if matches!(found.state, InstanceState::Pending | InstanceState::Running) {
            instance::update(&mut tx, id, |instance| {
                Initiator::Host.record(instance, state, now);
                let message = format!("{}: {why}", Initiator::Host.code());
                instance.state_reason = Some((Initiator::Host.code().to_owned(), message));
            })
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Attachments that were under way are over, one way or the other: with the machine that begins
/// or ends they are made or undone.
async fn settle_devices(tx: &mut WriteTx, instance: &Instance) -> Result<(), Failure> {
    for device in &instance.block_devices {
        if device.state == AttachmentState::Detaching {
            detach(tx, &device.volume_id, &instance.id).await?;
        } else {
            set_attached(tx, &device.volume_id, &instance.id).await?;
        }
    }
    instance::update(tx, &instance.id, |instance| {
        instance
            .block_devices
            .retain(|device| device.state != AttachmentState::Detaching);
        for device in &mut instance.block_devices {
            device.state = AttachmentState::Attached;
        }
    })
    .await?;
    Ok(())
}

/// A volume is attached to an instance, as far as it knows.
pub(crate) async fn set_attached(
    tx: &mut WriteTx,
    id: &VolumeId,
    instance: &InstanceId,
) -> Result<()> {
    volume::update(tx, id, |volume| {
        volume.state = VolumeState::InUse;
        volume.set_attachment(instance, AttachmentState::Attached);
    })
    .await?;
    Ok(())
}

/// A volume is attached to an instance no more.
pub(crate) async fn detach(tx: &mut WriteTx, id: &VolumeId, instance: &InstanceId) -> Result<()> {
    volume::update(tx, id, |volume| volume.detach_from(instance)).await?;
    Ok(())
}

/// What started a change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Initiator {
    /// A request.
    User,
    /// The guest shut itself down.
    Guest,
    /// The machine failed.
    Host,
}

impl Initiator {
    /// Writes a change of state, and what started it, as EC2 does.
    pub(crate) fn record(self, instance: &mut Instance, state: InstanceState, now: Timestamp) {
        instance.state = state;
        if state == InstanceState::Pending {
            instance.state_reason = None;
            instance.state_transition_reason.clear();
            return;
        }
        let code = self.code();
        instance.state_reason = Some((code.to_owned(), format!("{code}: {}", self.sentence())));
        instance.state_transition_reason = match self {
            Self::User => format!("User initiated ({})", now.in_gmt()),
            Self::Guest => String::new(),
            Self::Host => code.to_owned(),
        };
    }

    fn code(self) -> &'static str {
        match self {
            Self::User => "Client.UserInitiatedShutdown",
            Self::Guest => "Client.InstanceInitiatedShutdown",
            Self::Host => "Server.InternalError",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::User => "User initiated shutdown",
            Self::Guest => "Instance initiated shutdown",
            Self::Host => "The machine ended unexpectedly",
        }
    }
}

fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn remove_dir(dir: &std::path::Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Work that a change of state calls for.
enum Work {
    Start(StartJob),
    Stop(StopJob),
    Reboot(RebootJob),
    Terminate(TerminateJob),
}

impl Work {
    async fn enqueue(self, tx: &mut WriteTx, now: Timestamp) -> Result<()> {
        match self {
            Self::Start(job) => jobs::enqueue(tx, &job, now).await,
            Self::Stop(job) => jobs::enqueue(tx, &job, now).await,
            Self::Reboot(job) => jobs::enqueue(tx, &job, now).await,
            Self::Terminate(job) => jobs::enqueue(tx, &job, now).await,
        }
        .map(drop)
    }
}

/// Reads an instance for a job: none if it is gone or in another state than the job is for.
pub(crate) async fn in_state(
    control: &Control,
    id: &InstanceId,
    state: InstanceState,
) -> Result<Option<Instance>, Failure> {
    let found = instance::get(&mut *control.store().read().await?, id).await?;
    Ok(found.filter(|instance| instance.state == state))
}

/// Starts the machine of a stopped instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StartJob {
    instance: InstanceId,
}

impl Job for StartJob {
    const KIND: &'static str = "start-instance";

    fn subject(&self) -> &str {
        self.instance.as_str()
    }

    async fn step(&self, control: &Control, _step: u32) -> Result<Next, Failure> {
        let turn = control.room().turn(&self.instance).await;
        if let Some(instance) = in_state(control, &self.instance, InstanceState::Pending).await? {
            control.boot(&instance, &turn).await?;
            control.mark_running(&self.instance, &turn).await?;
        }
        Ok(Next::Done)
    }

    /// The instance is stopped again, and says why.
    async fn undo(&self, control: &Control, _step: u32, why: &str) -> Result<(), Failure> {
        let turn = control.room().turn(&self.instance).await;
        if let Some(instance) = in_state(control, &self.instance, InstanceState::Pending).await? {
            control.end_machine(&instance, &turn).await?;
            control
                .mark_failed(&self.instance, InstanceState::Stopping, why)
                .await?;
        }
        control.mark_stopped(&self.instance, &turn).await
    }
}

/// Shuts an instance down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StopJob {
    instance: InstanceId,
    force: bool,
}

impl StopJob {
    pub(crate) fn of(instance: &InstanceId, force: bool) -> Self {
        Self {
            instance: instance.clone(),
            force,
        }
    }
}

impl Job for StopJob {
    const KIND: &'static str = "stop-instance";

    fn subject(&self) -> &str {
        self.instance.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        let stopping = in_state(control, &self.instance, InstanceState::Stopping).await?;
        if stopping.is_none() {
            return Ok(Next::Done);
        }
        if step == 0 {
            return shut_down(control, &self.instance, !self.force).await;
        }
        self.end(control).await.map(|()| Next::Done)
    }

    /// There is no way back: a machine that cannot be ended is tried again.
    async fn undo(&self, control: &Control, step: u32, _why: &str) -> Result<(), Failure> {
        if step == 0 {
            self.end(control).await
        } else {
            Ok(())
        }
    }
}

impl StopJob {
    async fn end(&self, control: &Control) -> Result<(), Failure> {
        let turn = control.room().turn(&self.instance).await;
        if let Some(instance) = in_state(control, &self.instance, InstanceState::Stopping).await? {
            control.end_machine(&instance, &turn).await?;
            control.mark_stopped(&self.instance, &turn).await?;
        }
        Ok(())
    }
}

/// Restarts the guest of an instance: it is asked to shut down and its machine started again; one
/// that does not hear gets the reset button.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RebootJob {
    instance: InstanceId,
}

impl Job for RebootJob {
    const KIND: &'static str = "reboot-instance";

    fn subject(&self) -> &str {
        self.instance.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        if in_state(control, &self.instance, InstanceState::Running)
            .await?
            .is_none()
        {
            return Ok(Next::Done);
        }
        if step == 0 {
            control.room().set_rebooting(&self.instance, true);
            return shut_down(control, &self.instance, true).await;
        }
        start_again(control, &self.instance)
            .await
            .map(|()| Next::Done)
    }

    async fn undo(&self, control: &Control, step: u32, why: &str) -> Result<(), Failure> {
        if step == 0 {
            give_up_restart(control, &self.instance, why).await
        } else {
            Ok(())
        }
    }
}

/// Asks a guest to shut down and waits for it.
pub(crate) async fn shut_down(
    control: &Control,
    id: &InstanceId,
    ask: bool,
) -> Result<Next, Failure> {
    if ask && !control.ask_to_shut_down(id).await? {
        return Ok(Next::Later(control.now()));
    }
    Ok(Next::Step)
}

/// Starts the machine of a running instance anew, its guest having been asked to shut down.
pub(crate) async fn start_again(control: &Control, id: &InstanceId) -> Result<(), Failure> {
    let turn = control.room().turn(id).await;
    let Some(instance) = in_state(control, id, InstanceState::Running).await? else {
        return Ok(());
    };
    if control.press_reset(id).await {
        control.room().set_rebooting(id, false);
        return Ok(());
    }
    control.end_machine(&instance, &turn).await?;
    control.boot(&instance, &turn).await
}

/// A machine that was to be started anew could not be: its instance is stopped, and says why.
pub(crate) async fn give_up_restart(
    control: &Control,
    id: &InstanceId,
    why: &str,
) -> Result<(), Failure> {
    let turn = control.room().turn(id).await;
    if let Some(instance) = in_state(control, id, InstanceState::Running).await? {
        control.end_machine(&instance, &turn).await?;
        control
            .mark_failed(id, InstanceState::Stopping, why)
            .await?;
        control.mark_stopped(id, &turn).await?;
    }
    Ok(())
}

/// Ends an instance for good.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TerminateJob {
    instance: InstanceId,
    /// Whether the guest is not asked to shut down first.
    #[serde(default)]
    skip_os_shutdown: bool,
}

impl TerminateJob {
    pub(crate) fn of(instance: &InstanceId, skip_os_shutdown: bool) -> Self {
        Self {
            instance: instance.clone(),
            skip_os_shutdown,
        }
    }
}

impl Job for TerminateJob {
    const KIND: &'static str = "terminate-instance";

    fn subject(&self) -> &str {
        self.instance.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        let found = in_state(control, &self.instance, InstanceState::ShuttingDown).await?;
        let Some(found) = found else {
            return Ok(Next::Done);
        };
        if step == 0 {
            // Only what outlives the instance is worth waiting for.
            let outlived = found
                .block_devices
                .iter()
                .any(|device| !device.delete_on_termination);
            let ask = outlived && !self.skip_os_shutdown;
            return shut_down(control, &self.instance, ask).await;
        }
        self.end(control).await?;
        control.forget_the_gone().await?;
        Ok(Next::Done)
    }

    /// There is no way back: a machine that cannot be ended is tried again.
    async fn undo(&self, control: &Control, step: u32, _why: &str) -> Result<(), Failure> {
        if step == 0 {
            self.end(control).await
        } else {
            Ok(())
        }
    }
}

impl TerminateJob {
    async fn end(&self, control: &Control) -> Result<(), Failure> {
        let turn = control.room().turn(&self.instance).await;
        if let Some(found) = in_state(control, &self.instance, InstanceState::ShuttingDown).await? {
            control.end_machine(&found, &turn).await?;
            control
                .mark_terminated(&self.instance, false, &turn)
                .await?;
        }
        Ok(())
    }
}

/// The bytes of user data that is base64; spaces and line ends in it mean nothing.
pub(crate) fn decoded_user_data(text: Option<&str>) -> Result<Option<Vec<u8>>> {
    let Some(text) = text else { return Ok(None) };
    let joined: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(joined).map(Some).map_err(|_| {
        Error::new(
            ErrorKind::InvalidParameterValue,
            "Invalid BASE64 encoding of user data.",
        )
    })
}

/// The instance with what it shows besides its own tags.
fn with_ssh_tag(mut instance: Instance) -> Instance {
    if let Some(port) = instance.ssh_port {
        instance
            .tags
            .insert(SSH_TAG.to_owned(), format!("127.0.0.1:{port}"));
    }
    instance
}

/// Instances that came from one launch belong together; they come in that order.
fn reservations(instances: Vec<Instance>) -> Vec<Reservation> {
    let mut reservations: Vec<Reservation> = Vec::new();
    for instance in instances {
        match reservations.last_mut() {
            Some(last) if last.id == instance.reservation_id => last.instances.push(instance),
            _ => reservations.push(Reservation {
                id: instance.reservation_id.clone(),
                account: instance.account.clone(),
                instances: vec![instance],
            }),
        }
    }
    reservations
}

fn status(instance: &Instance) -> InstanceStatus {
    let status = match instance.state {
        InstanceState::Running => "ok",
        _ => "not-applicable",
    };
    InstanceStatus {
        id: instance.id.clone(),
        availability_zone: instance.availability_zone.clone(),
        availability_zone_id: instance.availability_zone_id(),
        state: instance.state,
        instance_status: status,
        system_status: status,
    }
}

impl Filterable for InstanceStatus {
    const FILTERS: &'static [&'static str] = &[
        "availability-zone",
        "availability-zone-id",
        "event.code",
        "event.description",
        "event.instance-event-id",
        "event.not-after",
        "event.not-before",
        "event.not-before-deadline",
        "instance-state-code",
        "instance-state-name",
        "instance-status.reachability",
        "instance-status.status",
        "operator.managed",
        "operator.principal",
        "system-status.reachability",
        "system-status.status",
        "attached-ebs-status.status",
    ];
    const HAS_TAGS: bool = false;

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        let reachability = (self.state == InstanceState::Running).then_some("passed");
        match name {
            "availability-zone" => one(&self.availability_zone),
            "availability-zone-id" => maybe(self.availability_zone_id.as_ref()),
            "instance-state-code" => one(self.state.code()),
            "instance-state-name" => one(self.state),
            "instance-status.status" | "attached-ebs-status.status" => one(self.instance_status),
            "system-status.status" => one(self.system_status),
            "instance-status.reachability" | "system-status.reachability" => maybe(reachability),
            "operator.managed" => one(false),
            name => Self::FILTERS.contains(&name).then(Vec::new),
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

fn attribute(instance: &Instance, name: &str) -> Result<InstanceAttributeValue> {
    use InstanceAttributeValue as Value;
    Ok(match name {
        "instanceType" => Value::InstanceType(instance.instance_type.clone()),
        "kernel" => Value::Kernel,
        "ramdisk" => Value::Ramdisk,
        "userData" => Value::UserData(instance.user_data.clone()),
        "disableApiTermination" => Value::DisableApiTermination(instance.disable_api_termination),
        "disableApiStop" => Value::DisableApiStop(instance.disable_api_stop),
        "instanceInitiatedShutdownBehavior" => {
            Value::InstanceInitiatedShutdownBehavior(instance.instance_initiated_shutdown_behavior)
        }
        "rootDeviceName" => Value::RootDeviceName(instance.root_device_name.clone()),
        "blockDeviceMapping" => Value::BlockDeviceMapping,
        "productCodes" => Value::ProductCodes,
        "sourceDestCheck" => Value::SourceDestCheck(instance.source_dest_check),
        "groupSet" => Value::GroupSet,
        "ebsOptimized" => Value::EbsOptimized(instance.ebs_optimized),
        "sriovNetSupport" => Value::SriovNetSupport(instance.sriov_net_support.clone()),
        "enaSupport" => Value::EnaSupport(instance.ena_support),
        "enclaveOptions" => Value::EnclaveOptions(false),
        unknown => {
            let message =
                format!("Value ({unknown}) for parameter attribute is invalid. Unknown attribute.");
            return Err(Error::new(ErrorKind::InvalidParameterValue, message));
        }
    })
}

pub(crate) fn not_found(id: &str) -> Error {
    Error::new(
        ErrorKind::InstanceNotFound,
        format!("The instance ID '{id}' does not exist"),
    )
}

fn wrong_state(id: &InstanceId, what: &str) -> Error {
    let message = format!("The instance '{id}' is not in a state from which it can be {what}.");
    Error::new(ErrorKind::IncorrectInstanceState, message)
}

/// A machine without its root volume has nothing to boot.
fn check_has_root(instance: &Instance) -> Result<()> {
    if instance.root_volume().is_some() {
        return Ok(());
    }
    let message = format!(
        "Invalid value '{}' for instanceId. Instance does not have a volume attached at root ({})",
        instance.id,
        instance.root_device_name.as_deref().unwrap_or_default()
    );
    Err(Error::new(ErrorKind::InvalidParameterValue, message))
}

fn protected(id: &InstanceId, what: &str, attribute: &str) -> Error {
    let message = format!(
        "The instance '{id}' may not be {what}. Modify its '{attribute}' instance attribute and try again."
    );
    Error::new(ErrorKind::OperationNotPermitted, message)
}
