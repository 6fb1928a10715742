//! Copies of volumes: a volume is frozen, and what was frozen is the content that its copy begins with.
//!
//! The freeze is durable before a row names it, and bears the id of the copy. One job captures it, makes
//! the copy's files over the captured content, and gives the freeze up: the source goes on as if there
//! had been none. The copy is `creating` until then.

use std::{ops::ControlFlow, sync::Arc};

use cairn_model::{
    KmsKey, ResourceType, Volume, VolumeId, VolumeState, VolumeType, tag::TagsByType,
    volume::IoPolicy, volume_shape::VolumeShape,
};
use cairn_store::volume;
use cairn_volume::EpochTag;
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Control, Error, ErrorKind, Result,
    describe::refuse_dry_run,
    engine::{Content, EngineError, blocking},
    jobs::{self, Failure, Job, Next},
    keys::verbs::Wish,
    request::CopyVolumes,
    snapshot::{RECORDING, abandon, check_snapshotable},
    token::Idempotency,
    volume as volumes,
};

impl Control {
    /// Makes a copy of a volume in its zone, as the volume is at this call. It is `creating` when this
    /// returns, and available once the frozen blocks are stored.
    pub async fn copy_volumes(&self, caller: &Caller, request: CopyVolumes) -> Result<Vec<Volume>> {
        let tags = TagsByType::of(&request.tag_specifications, &[ResourceType::Volume])?;
        let token = request.client_token.as_deref();
        let idempotency = Idempotency::of(caller, "CopyVolumes", token, &request)?;
        let source = {
            let mut read = self.store().read().await?;
            if let Some(id) = idempotency.known(&mut read).await? {
                refuse_dry_run(request.dry_run)?;
                return Ok(vec![volumes::find(&mut read, caller, &id).await?]);
            }
            volumes::find(&mut read, caller, &request.source_volume_id).await?
        };
        check_snapshotable(&source)?;
        let shape = shape(&request, &source)?;
        self.check_fits(caller.region, shape.size_gib).await?;
        if !self.engine().has_room(caller.region).await? {
            return Err(volumes::no_room());
        }
        let key = self.volume_copy_key(caller, &request, &source).await?;
        refuse_dry_run(request.dry_run)?;
        let copy = Volume {
            id: VolumeId::generate(self.entropy()),
            size_gib: shape.size_gib,
            snapshot_id: None,
            source_volume_id: Some(source.id.clone()),
            volume_type: shape.volume_type,
            iops: shape.iops,
            throughput: shape.throughput,
            encrypted: key.is_some(),
            kms_key_id: key.map(|key| key.arn()),
            multi_attach_enabled: request.multi_attach_enabled.unwrap_or_default(),
            initialization_rate: None,
            io: IoPolicy::default(),
            modification: None,
            state: VolumeState::Creating,
            create_time: self.stamp(),
            attachments: Vec::new(),
            tags: tags.tags(ResourceType::Volume),
            ..source
        };
        self.begin_volume_copy(copy, &idempotency).await
    }

    /// The key that a copy is kept under: that of its source, if there is one.
    async fn volume_copy_key(
        &self,
        caller: &Caller,
        request: &CopyVolumes,
        source: &Volume,
    ) -> Result<Option<KmsKey>> {
        let wish = Wish {
            encrypted: source.encrypted.then_some(true),
            key: source.kms_key_id.as_deref(),
            source: None,
            dry_run: request.dry_run,
        };
        self.key_for(caller, wish).await
    }

    /// Freezes the source, then records the copy and the job that makes it.
    async fn begin_volume_copy(
        &self,
        copy: Volume,
        idempotency: &Idempotency<'_>,
    ) -> Result<Vec<Volume>> {
        let source = copy.source_volume_id.clone();
        let source = source.ok_or_else(|| Error::internal("a copy of nothing"))?;
        let open = self.open_volume(&source).await?;
        let mut frozen = self.freeze(vec![(open, tag(&copy.id)?)]).await?;
        let mut tx = self.store().write().await?;
        // The same call may have come twice at once: what this one froze is given up then.
        if let Some(id) = idempotency.known(&mut tx).await? {
            let id = id.parse().map_err(Error::internal)?;
            return Ok(volume::get(&mut tx, &id).await?.into_iter().collect());
        }
        // From the moment the row is there a deletion of the source waits for the copy.
        let now = volume::get_present(&mut tx, &source).await?;
        check_snapshotable(&now.ok_or_else(|| volumes::not_found(source.as_str()))?)?;
        volume::insert(&mut tx, &copy).await?;
        self.seal_volume(&mut tx, &copy).await?;
        idempotency
            .record(&mut tx, copy.id.as_str(), self.now())
            .await?;
        let job = CopyVolumeJob {
            source,
            copy: copy.id.clone(),
        };
        jobs::enqueue(&mut tx, &job, self.now()).await?;
        tx.commit().await?;
        frozen.keep();
        self.wake_jobs();
        Ok(vec![copy])
    }
}

/// Whether a freeze is that of a copy which is being made.
pub(crate) async fn is_under_way(control: &Control, epoch: &EpochTag) -> Result<bool> {
    let Ok(id) = epoch.as_str().parse::<VolumeId>() else {
        return Ok(false);
    };
    let found = volume::get(&mut *control.store().read().await?, &id).await?;
    Ok(found.is_some_and(|copy| copy.state == VolumeState::Creating))
}

/// Whether copies of a volume are being made.
pub(crate) async fn are_under_way(control: &Control, source: &VolumeId) -> Result<bool> {
    let mut read = control.store().read().await?;
    let Some(noun) = volume::get(&mut read, source).await? else {
        return Ok(false);
    };
    let all = volume::list(&mut read, &noun.account, noun.region).await?;
    Ok(all.iter().any(|copy| {
        copy.state == VolumeState::Creating && copy.source_volume_id.as_ref() == Some(source)
    }))
}

fn shape(request: &CopyVolumes, source: &Volume) -> Result<VolumeShape> {
    let volume_type = volumes::volume_type(request.volume_type.as_deref())?;
    let volume_type = volume_type.unwrap_or(VolumeType::Gp2);
    volumes::check_multi_attach(volume_type, request.multi_attach_enabled)?;
    let size = request.size.unwrap_or(source.size_gib);
    if size < source.size_gib {
        let text = format!(
            "The volume size {size}GiB is smaller than the source volume '{}', expect size>= {}GiB",
            source.id, source.size_gib
        );
        return Err(Error::new(ErrorKind::VolumeSizeInvalid, text));
    }
    VolumeShape::new(volume_type, size, request.iops, request.throughput)
        .map_err(volumes::shape_error)
}

fn tag(copy: &VolumeId) -> Result<EpochTag> {
    EpochTag::new(copy.as_str()).map_err(Error::internal)
}

/// Makes a copy of what was frozen of a volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CopyVolumeJob {
    source: VolumeId,
    copy: VolumeId,
}

impl Job for CopyVolumeJob {
    const KIND: &'static str = "copy-volume";

    fn subject(&self) -> &str {
        self.copy.as_str()
    }

    async fn step(&self, control: &Control, step: u32) -> Result<Next, Failure> {
        match step {
            0 => self.make(control).await,
            _ => self.let_go(control).await.map(|()| Next::Done),
        }
    }

    async fn undo(&self, control: &Control, step: u32, _why: &str) -> Result<(), Failure> {
        if step > 0 {
            return Ok(());
        }
        let noun = volume::get(&mut *control.store().read().await?, &self.copy).await?;
        if let Some(noun) = noun.filter(|noun| noun.state == VolumeState::Creating) {
            control.destroy_volume(&noun).await?;
            self.show(control, VolumeState::Error).await?;
        }
        self.let_go(control).await
    }
}

impl CopyVolumeJob {
    /// Captures what was frozen and makes the copy over it. All in one step: what was captured is held
    /// by nothing but the session until the copy's files name it, and by these only once the copy is
    /// shown as made.
    async fn make(&self, control: &Control) -> Result<Next, Failure> {
        let noun = volume::get(&mut *control.store().read().await?, &self.copy).await?;
        let Some(noun) = noun.filter(|noun| noun.state == VolumeState::Creating) else {
            return Ok(Next::Step);
        };
        let slot = control.engine().slot(&self.source);
        let _turn = slot.capture.lock().await;
        let open = control.open_volume(&self.source).await?;
        let tag = tag(&self.copy)?;
        if open.pending_epochs().first() != Some(&tag) {
            return self.wait_for_earlier(control, &open, &tag);
        }
        let _permit = control
            .engine()
            .captures()
            .acquire()
            .await
            .map_err(Failure::passing)?;
        let _session = control.session(noun.region).await?;
        let Some(content) = self.capture(control, &open, tag).await? else {
            return Ok(Next::Later(control.now()));
        };
        control.make_volume(&noun, Some(&content)).await?;
        self.show(control, VolumeState::Available).await?;
        Ok(Next::Step)
    }

    /// The epochs of a volume are captured in order.
    fn wait_for_earlier(
        &self,
        control: &Control,
        open: &cairn_volume::Volume,
        tag: &EpochTag,
    ) -> Result<Next, Failure> {
        match open.pending_epochs().contains(tag) {
            true => Ok(Next::Later(control.now().after(RECORDING))),
            false => Err(Failure::fatal("what was frozen for the copy is lost")),
        }
    }

    /// Stores what was frozen; none if the server is stopping.
    async fn capture(
        &self,
        control: &Control,
        open: &Arc<cairn_volume::Volume>,
        tag: EpochTag,
    ) -> Result<Option<Content>, Failure> {
        let volume = Arc::clone(open);
        let stopping = control.jobs().stopping().clone();
        let captured = blocking(move || {
            volume.capture(&tag, &mut |_| match stopping.is_cancelled() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        });
        match captured.await {
            Ok(root) => {
                let domain = source_domain(control, &self.source).await?;
                Ok(Some(Content {
                    domain: domain.0,
                    root: root.node.to_string(),
                    size_bytes: root.size_bytes,
                }))
            }
            Err(EngineError::Volume(
                cairn_volume::Error::Cancelled | cairn_volume::Error::Closed,
            )) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn show(&self, control: &Control, state: VolumeState) -> Result<(), Failure> {
        let mut tx = control.store().write().await?;
        volume::update(&mut tx, &self.copy, |copy| {
            if copy.state == VolumeState::Creating {
                copy.state = state;
            }
        })
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Gives the freeze up. A source that is being deleted takes it along.
    async fn let_go(&self, control: &Control) -> Result<(), Failure> {
        let found = volume::get(&mut *control.store().read().await?, &self.source).await?;
        let is_there = |noun: &Volume| check_snapshotable(noun).is_ok();
        if !found.is_some_and(|noun| is_there(&noun)) {
            return Ok(());
        }
        let open = control.open_volume(&self.source).await?;
        abandon(&open, &tag(&self.copy)?).await?;
        drop(open);
        Ok(control.release_volume(&self.source).await?)
    }
}

/// The domain that the blocks of a volume are captured into.
async fn source_domain(
    control: &Control,
    source: &VolumeId,
) -> Result<cairn_blocks::DomainId, Failure> {
    let noun = volume::get(&mut *control.store().read().await?, source).await?;
    let noun = noun.ok_or_else(|| Failure::fatal("the source is gone"))?;
    let key = noun.kms_key_id.as_deref();
    Ok(control.domain(noun.region, &noun.account, key).await?)
}
