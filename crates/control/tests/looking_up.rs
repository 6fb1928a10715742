//! DescribeSnapshots and DescribeImages over many nouns of several owners, against a plain reading of the rules: pages
//! together are what a scan of all nouns shows, whoever asks and whatever for.

#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cairn_control::{
    Caller, Control,
    request::{Describe, DescribeImages, DescribeSnapshots, EnableSnapshotBlock},
};
use cairn_model::{
    AccountId, Architecture, BlockDeviceMapping, EbsBlockDevice, Entropy as _, Filter, Filters,
    Image, ImageId, ImageState, Page, Permissions, Region, SeenImage, Snapshot, SnapshotId,
    SnapshotState, Timestamp, VirtualizationType, image::DeregistrationProtection, page::PageError,
};
use cairn_store::{Store, image, snapshot};
use support::*;

/// Numbers, so that a failure can be repeated.
struct Dice(Arc<Seeded>);

impl Dice {
    fn roll(&self, sides: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % sides as u64).unwrap()
    }

    fn pick<T: Clone>(&self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }

    fn is_one_of(&self, sides: usize) -> bool {
        self.roll(sides) == 0
    }
}

const REGIONS: [&str; 2] = ["us-east-1", "eu-central-1"];
const WORDS: [&str; 5] = ["", "web", "web-server-blue", "web-server-green", "nightly"];

fn permissions(dice: &Dice, accounts: &[AccountId]) -> Permissions {
    Permissions {
        public: dice.is_one_of(3),
        accounts: accounts
            .iter()
            .filter(|_| dice.is_one_of(4))
            .cloned()
            .collect(),
        ..Permissions::default()
    }
}

fn tags(dice: &Dice) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for key in ["Name", "stage"] {
        if dice.is_one_of(2) {
            tags.insert(key.to_owned(), dice.pick(&WORDS).to_owned());
        }
    }
    tags
}

fn a_snapshot(dice: &Dice, accounts: &[AccountId], now: Timestamp) -> Snapshot {
    Snapshot {
        id: SnapshotId::generate(&*dice.0),
        account: dice.pick(accounts),
        region: Region::named(dice.pick(&REGIONS)).unwrap(),
        volume_id: format!("vol-{:017}", dice.roll(9)).parse().unwrap(),
        volume_size_gib: 8,
        description: dice.pick(&WORDS).to_owned(),
        state: dice.pick(&[
            SnapshotState::Completed,
            SnapshotState::Completed,
            SnapshotState::Error,
        ]),
        state_message: None,
        progress: 100,
        // Few seconds, so that ids decide.
        start_time: Timestamp(now.0 - i64::try_from(dice.roll(5)).unwrap() * 1_000_000),
        completion_time: None,
        encrypted: false,
        kms_key_id: None,
        parent_id: None,
        full_size_bytes: None,
        root: None,
        digest: None,
        signature: None,
        create_volume_permissions: permissions(dice, accounts),
        copy: None,
        lock: None,
        recycled: None,
        tiering: None,
        tags: tags(dice),
    }
}

fn an_image(dice: &Dice, accounts: &[AccountId], now: Timestamp, of: &SnapshotId) -> Image {
    let id = ImageId::generate(&*dice.0);
    let is_gone = dice.is_one_of(6);
    let ago = |minutes: usize| Timestamp(now.0 - i64::try_from(minutes * 60_000_000).unwrap());
    Image {
        account: dice.pick(accounts),
        region: Region::named(dice.pick(&REGIONS)).unwrap(),
        name: format!("{}{id}", dice.pick(&WORDS)),
        description: dice.is_one_of(2).then(|| dice.pick(&WORDS).to_owned()),
        architecture: dice.pick(&[Architecture::X86_64, Architecture::Arm64]),
        virtualization_type: VirtualizationType::Hvm,
        root_device_name: Some("/dev/sda1".to_owned()),
        block_device_mappings: vec![BlockDeviceMapping {
            device_name: "/dev/sda1".to_owned(),
            ebs: Some(EbsBlockDevice {
                snapshot_id: (!is_gone).then(|| of.clone()),
                ..EbsBlockDevice::default()
            }),
            ..BlockDeviceMapping::default()
        }],
        boot_mode: None,
        ena_support: true,
        sriov_net_support: None,
        tpm_support: None,
        imds_support: None,
        uefi_data: None,
        kernel_id: None,
        ramdisk_id: None,
        location: String::new(),
        state: dice.pick(&[
            ImageState::Available,
            ImageState::Available,
            ImageState::Disabled,
        ]),
        state_reason: None,
        image_type: Default::default(),
        root_device_type: Default::default(),
        creation_date: ago(dice.roll(5)),
        source_instance_id: None,
        source_image: None,
        last_launched_time: None,
        deprecation_time: dice.is_one_of(4).then(|| ago(1)),
        deregistration_protection: DeregistrationProtection::Disabled,
        deregistered_at: is_gone.then(|| ago(5)),
        recycled: None,
        launch_permissions: permissions(dice, accounts),
        tags: tags(dice),
        id,
    }
}

struct World {
    control: Control,
    callers: Vec<Caller>,
    snapshots: Vec<Snapshot>,
    images: Vec<Image>,
    /// Of whom public snapshots are hidden, by region.
    hides: (AccountId, Region),
    now: Timestamp,
    _place: Place,
}

async fn world(dice: &Dice) -> World {
    let place = Place::new(11);
    let (control, first) = place.begin().await;
    let callers = vec![
        first,
        new_caller(&control).await,
        new_caller(&control).await,
    ];
    let hider = in_region(&callers[1], REGIONS[0]);
    let block = EnableSnapshotBlock {
        state: "block-all-sharing".to_owned(),
        dry_run: false,
    };
    control
        .enable_snapshot_block_public_access(&hider, block)
        .await
        .unwrap();
    control.shutdown().await;
    drop(control);
    place.clock.advance(Duration::from_secs(3600));
    let now = cairn_model::Clock::now(&*place.clock);
    let accounts: Vec<_> = callers
        .iter()
        .map(|caller| caller.account.clone())
        .collect();
    let store = Store::open(&place.data_dir()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let (mut snapshots, mut images) = (Vec::new(), Vec::new());
    for _ in 0..400 {
        let new = a_snapshot(dice, &accounts, now);
        snapshot::insert(&mut tx, &new).await.unwrap();
        let image = an_image(dice, &accounts, now, &new.id);
        image::insert(&mut tx, &image).await.unwrap();
        snapshots.push(new);
        images.push(image);
    }
    tx.commit().await.unwrap();
    store.close().await;
    World {
        control: place.open().await,
        hides: (hider.account, hider.region),
        callers,
        snapshots,
        images,
        now,
        _place: place,
    }
}

/// What is asked of snapshots or images.
#[derive(Clone, Debug)]
struct Question {
    caller: Caller,
    filters: Vec<Filter>,
    owners: Vec<String>,
    users: Vec<String>,
    max_results: Option<i32>,
    include: (bool, bool),
}

fn question(dice: &Dice, world: &World) -> Question {
    let caller = in_region(&dice.pick(&world.callers), dice.pick(&REGIONS));
    let snapshot = dice.pick(&world.snapshots).id.to_string();
    let name = dice.pick(&world.images).name;
    let filters = [
        filter("tag:Name", &["web-server-blue", "nightly"]),
        filter("tag:Name", &["web-server-*"]),
        filter("tag:stage", &[dice.pick(&WORDS)]),
        filter("tag-key", &["stage"]),
        filter("description", &[dice.pick(&WORDS)]),
        filter("description", &["*e*"]),
        filter("owner-id", &[dice.pick(&world.callers).account.as_str()]),
        // Of snapshots, then of images.
        filter("status", &["error"]),
        filter(
            "volume-id",
            &["vol-00000000000000003", "vol-00000000000000004"],
        ),
        filter("block-device-mapping.snapshot-id", &[&snapshot]),
        filter("name", &["web-server-b*", &name]),
        filter("state", &["available"]),
        filter("architecture", &["arm64"]),
        filter("is-public", &["true"]),
    ];
    let users = ["self", "all", world.callers[2].account.as_str()];
    let owners = ["self", "amazon", world.callers[1].account.as_str()];
    let some = |from: &[&str], sides| {
        let all = from.iter().filter(|_| dice.is_one_of(sides));
        all.map(ToString::to_string).collect()
    };
    Question {
        filters: (0..dice.roll(3)).map(|_| dice.pick(&filters)).collect(),
        owners: some(&owners, 6),
        users: some(&users, 8),
        max_results: dice
            .is_one_of(2)
            .then(|| i32::try_from(5 + dice.roll(20)).unwrap()),
        include: (dice.is_one_of(2), dice.is_one_of(2)),
        caller,
    }
}

impl Question {
    fn page(&self, next_token: Option<String>) -> Describe {
        Describe {
            filters: self.filters.clone(),
            page: Page {
                max_results: self.max_results,
                next_token,
            },
            ..Describe::default()
        }
    }

    fn is_of_owner(&self, owner: &AccountId) -> bool {
        let is = |name: &String| match name.as_str() {
            "self" => *owner == self.caller.account,
            name => *name == *owner.as_str(),
        };
        self.owners.is_empty() || self.owners.iter().any(is)
    }

    /// Whether one of the users has a permission, `owner` having one that is not written anywhere.
    fn may_use(&self, permissions: &Permissions, owner: Option<&AccountId>) -> bool {
        let may = |name: &String| match name.as_str() {
            "all" => permissions.public,
            name => {
                let account = match name {
                    "self" => self.caller.account.clone(),
                    number => number.parse().unwrap(),
                };
                let is_own = account == self.caller.account && owner == Some(&account);
                is_own || permissions.accounts.contains(&account)
            }
        };
        self.users.is_empty() || self.users.iter().any(may)
    }
}

impl World {
    fn shows_snapshot(&self, asked: &Question, snapshot: &Snapshot) -> bool {
        let mut permissions = snapshot.create_volume_permissions.clone();
        if self.hides == (snapshot.account.clone(), snapshot.region) {
            permissions.public = false;
        }
        let caller = &asked.caller.account;
        let is_visible = snapshot.account == *caller
            || permissions.public
            || permissions.accounts.contains(caller);
        snapshot.region == asked.caller.region
            && is_visible
            && asked.is_of_owner(&snapshot.account)
            && asked.may_use(&permissions, Some(&snapshot.account))
            && Filters::of::<Snapshot>(&asked.filters)
                .unwrap()
                .matches(snapshot)
    }

    fn shows_image(&self, asked: &Question, image: &Image) -> bool {
        let caller = &asked.caller.account;
        let is_own = image.account == *caller;
        let permissions = &image.launch_permissions;
        let is_deprecated = image.deprecation_time.is_some_and(|from| from <= self.now);
        let seen = SeenImage {
            image: image.clone(),
            allowed: None,
        };
        image.region == asked.caller.region
            && image.deregistered_at.is_none()
            && (is_own || permissions.public || permissions.accounts.contains(caller))
            && (is_own || asked.include.0 || !is_deprecated)
            && (asked.include.1 || image.state != ImageState::Disabled)
            && asked.is_of_owner(&image.account)
            && asked.may_use(permissions, None)
            && Filters::of::<SeenImage>(&asked.filters)
                .unwrap()
                .matches(&seen)
    }

    async fn ask_for_snapshots(&self, asked: &Question) -> Vec<Snapshot> {
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let request = DescribeSnapshots {
                common: asked.page(token),
                owner_ids: asked.owners.clone(),
                restorable_by_user_ids: asked.users.clone(),
            };
            let page = self
                .control
                .describe_snapshots(&asked.caller, request)
                .await
                .unwrap();
            check_length(asked, page.items.len(), page.next_token.is_some());
            all.extend(page.items);
            token = page.next_token;
            if token.is_none() {
                return all;
            }
        }
    }

    async fn ask_for_images(&self, asked: &Question) -> Vec<Image> {
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let request = DescribeImages {
                common: asked.page(token),
                owners: asked.owners.clone(),
                executable_users: asked.users.clone(),
                include_deprecated: asked.include.0,
                include_disabled: asked.include.1,
            };
            let page = self
                .control
                .describe_images(&asked.caller, request)
                .await
                .unwrap();
            check_length(asked, page.items.len(), page.next_token.is_some());
            all.extend(page.items.into_iter().map(|seen| seen.image));
            token = page.next_token;
            if token.is_none() {
                return all;
            }
        }
    }
}

fn check_length(asked: &Question, length: usize, is_followed: bool) {
    if let Some(most) = asked.max_results {
        let most = usize::try_from(most).unwrap();
        assert!(
            length <= most && (!is_followed || length == most),
            "{asked:?}"
        );
    }
}

fn is_known<T: cairn_model::Filterable>(filters: &[Filter]) -> bool {
    Filters::of::<T>(filters).is_ok()
}

#[tokio::test]
async fn pages_together_are_what_a_scan_shows() {
    let dice = Dice(Place::new(7).entropy);
    let mut world = world(&dice).await;
    world
        .snapshots
        .sort_by_key(|snapshot| (snapshot.start_time, snapshot.id.to_string()));
    world
        .images
        .sort_by_key(|image| (image.creation_date, image.id.to_string()));
    let (mut of_snapshots, mut of_images) = (0, 0);
    for _ in 0..600 {
        let asked = question(&dice, &world);
        if is_known::<Snapshot>(&asked.filters) {
            let shown = |snapshot: &&Snapshot| world.shows_snapshot(&asked, snapshot);
            let expected: Vec<_> = world.snapshots.iter().filter(shown).cloned().collect();
            of_snapshots += expected.len();
            assert_eq!(world.ask_for_snapshots(&asked).await, expected, "{asked:?}");
        }
        if is_known::<SeenImage>(&asked.filters) {
            let shown = |image: &&Image| world.shows_image(&asked, image);
            let expected: Vec<_> = world.images.iter().filter(shown).cloned().collect();
            of_images += expected.len();
            assert_eq!(world.ask_for_images(&asked).await, expected, "{asked:?}");
        }
    }
    // Questions that find nothing would prove nothing.
    assert!(
        of_snapshots > 2000 && of_images > 2000,
        "{of_snapshots} {of_images}"
    );
}

#[tokio::test]
async fn what_comes_and_goes_between_pages_neither_repeats_nor_hides_anything_else() {
    let dice = Dice(Place::new(8).entropy);
    let mut world = world(&dice).await;
    let caller = in_region(&world.callers[0], REGIONS[0]);
    let asked = Question {
        caller: caller.clone(),
        filters: vec![filter("status", &["completed"])],
        owners: vec!["self".to_owned()],
        users: Vec::new(),
        max_results: Some(5),
        include: (false, false),
    };
    world
        .snapshots
        .sort_by_key(|snapshot| (snapshot.start_time, snapshot.id.to_string()));
    let shown = |snapshot: &&Snapshot| world.shows_snapshot(&asked, snapshot);
    let all: Vec<String> = world
        .snapshots
        .iter()
        .filter(shown)
        .map(|s| s.id.to_string())
        .collect();
    assert!(all.len() > 12, "{}", all.len());
    let page = async |token| {
        let request = DescribeSnapshots {
            common: asked.page(token),
            owner_ids: asked.owners.clone(),
            ..DescribeSnapshots::default()
        };
        let page = world
            .control
            .describe_snapshots(&caller, request)
            .await
            .unwrap();
        let ids: Vec<String> = page.items.iter().map(|s| s.id.to_string()).collect();
        (ids, page.next_token)
    };
    let (first, token) = page(None).await;
    assert_eq!(first, all[..5]);
    // What was shown last, and what would come next, go.
    for gone in [&all[4], &all[5]] {
        let images: Vec<_> = world
            .images
            .iter()
            .filter(|image| image.snapshot_ids().any(|id| id.as_str() == *gone))
            .collect();
        for image in images
            .iter()
            .filter(|image| image.deregistered_at.is_none())
        {
            let owner = world
                .callers
                .iter()
                .find(|caller| caller.account == image.account)
                .unwrap();
            let request = cairn_control::request::DeregisterImage {
                image_id: image.id.to_string(),
                delete_associated_snapshots: false,
                dry_run: false,
            };
            let owner = in_region(owner, image.region.name());
            world
                .control
                .deregister_image(&owner, request)
                .await
                .unwrap();
        }
        world
            .control
            .delete_snapshot(&caller, by_id(gone))
            .await
            .unwrap();
    }
    let (second, token) = page(token).await;
    assert_eq!(second, all[6..11]);
    let (third, _) = page(token.clone()).await;
    assert_eq!(third[0], all[11]);
    // The token is good for this question alone.
    let mut other = asked.clone();
    other.filters.clear();
    let request = DescribeSnapshots {
        common: other.page(token),
        owner_ids: asked.owners.clone(),
        ..DescribeSnapshots::default()
    };
    let refused = world
        .control
        .describe_snapshots(&caller, request)
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains(&PageError::InvalidToken.to_string()),
        "{refused}"
    );
}
