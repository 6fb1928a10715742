//! What is looked up, against a scan of everything: random nouns, permissions, changes, filters and pages.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::Path;

use cairn_model::state::Table as _;
use cairn_model::{
    AccountId, Entropy, Faceted as _, Filter, Filters, Permissions, Region, Snapshot, SnapshotId,
    SnapshotState, Tags, Timestamp, Viewer, page::PageKey,
};
use cairn_store::{
    Connection, Store,
    facet::{Cursor, Finder},
    snapshot,
};
use proptest::{prelude::*, sample::select};
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

const ACCOUNTS: [&str; 2] = ["111111111111", "222222222222"];
const ORGANIZATION: &str = "arn:aws:organizations::111111111111:organization/o-abcdefghij";
const REGIONS: [&str; 2] = ["us-east-1", "eu-central-1"];

/// Ids that are told apart by a number.
#[derive(Debug)]
struct Number(u64);

impl Entropy for Number {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        bytes[..8].copy_from_slice(&self.0.to_be_bytes());
    }
}

fn id(number: u64) -> SnapshotId {
    SnapshotId::generate(&Number(number))
}

fn account(number: &str) -> AccountId {
    number.parse().unwrap()
}

fn permissions() -> impl Strategy<Value = Permissions> {
    let accounts = prop::collection::btree_set(select(&ACCOUNTS[..]).prop_map(account), 0..2);
    let weight = prop::bool::weighted;
    (weight(0.3), accounts, weight(0.2)).prop_map(|(public, accounts, organization)| Permissions {
        public,
        accounts,
        organizations: organization
            .then(|| ORGANIZATION.to_owned())
            .into_iter()
            .collect(),
        ..Permissions::default()
    })
}

/// Few texts, so that filters find something; two of them differ late.
fn text() -> impl Strategy<Value = String> {
    select(&["", "a", "web", "web-server-1", "web-server-2", "wéb*"][..]).prop_map(str::to_owned)
}

fn tags() -> impl Strategy<Value = Tags> {
    prop::collection::btree_map(
        select(&["Name", "k"][..]).prop_map(str::to_owned),
        text(),
        0..3,
    )
}

fn a_snapshot() -> impl Strategy<Value = Snapshot> {
    let states = [SnapshotState::Pending, SnapshotState::Completed];
    let place = (select(&ACCOUNTS[..]), select(&REGIONS[..]));
    (
        place,
        0i64..4,
        0u64..3,
        text(),
        select(states.to_vec()),
        permissions(),
        tags(),
    )
        .prop_map(
            |((owner, region), time, volume, description, state, permissions, tags)| Snapshot {
                account: account(owner),
                region: Region::named(region).unwrap(),
                start_time: Timestamp(time),
                volume_id: format!("vol-0000000000000000{volume}").parse().unwrap(),
                description,
                state,
                create_volume_permissions: permissions,
                tags,
                ..plain(0)
            },
        )
}

/// One of many: every third has a start of its own, every hundredth the same volume, every second the same tag.
fn plain(number: u64) -> Snapshot {
    Snapshot {
        id: id(number),
        account: account(ACCOUNTS[0]),
        region: Region::named(REGIONS[0]).unwrap(),
        volume_id: format!("vol-{:017}", number % 100).parse().unwrap(),
        volume_size_gib: 8,
        description: format!("number {number}"),
        state: SnapshotState::Completed,
        state_message: None,
        progress: 0,
        start_time: Timestamp(i64::try_from(number / 3).unwrap()),
        completion_time: None,
        encrypted: false,
        kms_key_id: None,
        parent_id: None,
        full_size_bytes: None,
        root: None,
        digest: None,
        signature: None,
        create_volume_permissions: Permissions::default(),
        copy: None,
        lock: None,
        recycled: None,
        tiering: None,
        tags: [("parity".to_owned(), (number % 2).to_string())].into(),
    }
}

#[derive(Clone, Debug)]
enum Change {
    Insert(Snapshot),
    /// Everything but what identifies it becomes that of another.
    Alter(usize, Snapshot),
    Recycle(usize),
    Delete(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => a_snapshot().prop_map(Change::Insert),
        3 => (any::<usize>(), a_snapshot()).prop_map(|(at, new)| Change::Alter(at, new)),
        1 => any::<usize>().prop_map(Change::Recycle),
        2 => any::<usize>().prop_map(Change::Delete),
    ]
}

async fn apply(store: &Store, known: &mut Vec<SnapshotId>, change: Change, commit: bool) {
    let mut tx = store.write().await.unwrap();
    let mut after = known.clone();
    let pick = |at: usize| (!known.is_empty()).then(|| known[at % known.len()].clone());
    match change {
        Change::Insert(new) => {
            let id = id(known.len() as u64 * 1000 + new.start_time.0.unsigned_abs());
            if known.contains(&id) {
                return;
            }
            after.push(id.clone());
            snapshot::insert(&mut tx, &Snapshot { id, ..new })
                .await
                .unwrap();
        }
        Change::Alter(at, new) => {
            let Some(id) = pick(at) else { return };
            let alter = |old: &mut Snapshot| {
                // The store refuses ways that snapshots do not go.
                let state = match old.state.check(new.state) {
                    Ok(()) => new.state,
                    Err(_) => old.state,
                };
                *old = Snapshot {
                    state,
                    id: old.id.clone(),
                    account: old.account.clone(),
                    region: old.region,
                    start_time: old.start_time,
                    ..new
                };
            };
            snapshot::update(&mut tx, &id, alter)
                .await
                .unwrap()
                .unwrap();
        }
        Change::Recycle(at) => {
            let Some(id) = pick(at) else { return };
            let recycle = |old: &mut Snapshot| {
                old.recycled = Some(cairn_model::recycle_bin::Recycled {
                    entered: Timestamp(1),
                    exits: Timestamp(2),
                });
            };
            snapshot::update(&mut tx, &id, recycle).await.unwrap();
        }
        Change::Delete(at) => {
            let Some(id) = pick(at) else { return };
            after.retain(|known| *known != id);
            assert!(snapshot::delete(&mut tx, &id).await.unwrap());
        }
    }
    if commit {
        tx.commit().await.unwrap();
        *known = after;
    }
}

const FILTERS: [&str; 8] = [
    "description",
    "status",
    "volume-id",
    "tag:Name",
    "tag:k",
    "tag-key",
    "progress",
    "owner-id",
];
const VALUES: [&str; 16] = [
    "",
    "a",
    "web",
    "web*",
    "web-server-1",
    "web-s*",
    "web-server-?",
    r"wéb\*",
    "*",
    "pending",
    "completed",
    "vol-00000000000000001",
    "Name",
    "k",
    "0%",
    "111111111111",
];

fn filter() -> impl Strategy<Value = Filter> {
    let values = prop::collection::vec(select(&VALUES[..]).prop_map(str::to_owned), 1..3);
    (select(&FILTERS[..]), values).prop_map(|(name, values)| Filter {
        name: name.to_owned(),
        values,
    })
}

#[derive(Clone, Debug)]
struct Question {
    viewer: Viewer,
    region: Region,
    filters: Vec<Filter>,
    after: Option<usize>,
    chunk: usize,
}

fn question() -> impl Strategy<Value = Question> {
    let filters = prop::collection::vec(filter(), 0..3);
    let place = (select(&ACCOUNTS[..]), select(&REGIONS[..]), any::<bool>());
    (place, filters, prop::option::of(any::<usize>()), 1usize..30).prop_map(
        |((number, region, member), filters, after, chunk)| Question {
            viewer: Viewer {
                account: account(number),
                memberships: member
                    .then(|| ORGANIZATION.to_owned())
                    .into_iter()
                    .collect(),
            },
            region: Region::named(region).unwrap(),
            filters,
            after,
            chunk,
        },
    )
}

fn shows(question: &Question, snapshot: &Snapshot) -> bool {
    let viewer = &question.viewer;
    snapshot.region == question.region
        && snapshot.recycled.is_none()
        && (snapshot.account == viewer.account || snapshot.create_volume_permissions.let_in(viewer))
}

/// By reading everything there is.
async fn by_scan(
    conn: &mut Connection,
    question: &Question,
    after: Option<&PageKey>,
) -> Vec<Snapshot> {
    let filters = Filters::of::<Snapshot>(&question.filters).unwrap();
    let mut all = snapshot::list_in(conn, question.region).await.unwrap();
    all.retain(|snapshot| {
        let is_later = after.is_none_or(|after| snapshot.page_key() > *after);
        is_later && shows(question, snapshot) && filters.matches(snapshot)
    });
    all
}

/// By the rows that are made for that; what is read is counted.
async fn by_look_up(
    conn: &mut Connection,
    question: &Question,
    after: Option<PageKey>,
) -> (Vec<Snapshot>, usize) {
    let filters = Filters::of::<Snapshot>(&question.filters).unwrap();
    let names: Vec<&str> = question.viewer.grantees().collect();
    let finder = Finder {
        region: question.region,
        names: &names,
    };
    let choices = filters.facets::<Snapshot>();
    let mut cursor = Cursor::<Snapshot>::open(conn, finder, &choices, after)
        .await
        .unwrap();
    let (mut found, mut count) = (Vec::new(), 0);
    loop {
        let some = cursor.next(conn, question.chunk).await.unwrap();
        assert!(some.len() <= question.chunk);
        if some.is_empty() {
            return (found, count);
        }
        count += some.len();
        // Nobody else's ever comes out, but for lists that share a name.
        assert!(some.iter().all(|snapshot| shows(question, snapshot)));
        found.extend(
            some.into_iter()
                .filter(|snapshot| filters.matches(snapshot)),
        );
    }
}

/// Every row that there is, in order.
async fn rows(dir: &Path) -> Vec<(i64, i64, String)> {
    let options = SqliteConnectOptions::new().filename(dir.join("cairn.db"));
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    let rows = sqlx::query("SELECT list, time, id FROM snapshot_facet ORDER BY list, time, id")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

/// Has the rows made anew, as for a data directory of a server that had none.
async fn forget_rows(dir: &Path) {
    let options = SqliteConnectOptions::new().filename(dir.join("cairn.db"));
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("DELETE FROM snapshot_facet; UPDATE facet_fill SET scheme = 'of before'")
        .execute(&mut conn)
        .await
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn looking_up_finds_what_a_scan_finds(
        changes in prop::collection::vec((change(), prop::bool::weighted(0.9)), 1..40),
        questions in prop::collection::vec(question(), 20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path()).await.unwrap();
            let mut known = Vec::new();
            for (change, commit) in changes {
                apply(&store, &mut known, change, commit).await;
            }
            for question in &questions {
                let read = &mut *store.read().await.unwrap();
                let all = by_scan(read, question, None).await;
                let after = question.after.filter(|_| !all.is_empty()).map(|at| all[at % all.len()].page_key());
                let expected = by_scan(read, question, after.as_ref()).await;
                let (found, _) = by_look_up(read, question, after).await;
                assert_eq!(found, expected, "{question:?}");
            }
            store.close().await;
            // No row too many, none too few: those that are made of the documents alone are the same.
            let written = rows(dir.path()).await;
            forget_rows(dir.path()).await;
            Store::open(dir.path()).await.unwrap().close().await;
            assert_eq!(rows(dir.path()).await, written);
        });
    }
}

async fn filled(dir: &Path, count: u64) -> Store {
    let store = Store::open(dir).await.unwrap();
    let mut tx = store.write().await.unwrap();
    for number in 0..count {
        snapshot::insert(&mut tx, &plain(number)).await.unwrap();
    }
    tx.commit().await.unwrap();
    store
}

fn asking(filters: &[(&str, &str)]) -> Question {
    let filter = |(name, value): &(&str, &str)| Filter {
        name: (*name).to_owned(),
        values: vec![(*value).to_owned()],
    };
    Question {
        viewer: Viewer {
            account: account(ACCOUNTS[0]),
            memberships: Vec::new(),
        },
        region: Region::named(REGIONS[0]).unwrap(),
        filters: filters.iter().map(filter).collect(),
        after: None,
        chunk: 100,
    }
}

#[tokio::test]
async fn the_most_selective_filter_is_what_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 1500).await;
    let read = &mut *store.read().await.unwrap();
    for (filters, matching, read_at_most) in [
        (
            &[("description", "number 7"), ("tag:parity", "1")][..],
            1,
            1,
        ),
        (
            &[("tag:parity", "1"), ("volume-id", "vol-00000000000000007")],
            15,
            15,
        ),
        (
            &[
                ("volume-id", "vol-00000000000000007"),
                ("tag-key", "parity"),
            ],
            15,
            15,
        ),
        (
            &[("description", "number 7"), ("description", "number 8")],
            0,
            1,
        ),
        (&[("description", "none such"), ("tag:parity", "1")], 0, 0),
        (&[("progress", "0%")], 1500, 1500),
    ] {
        let (found, count) = by_look_up(read, &asking(filters), None).await;
        assert_eq!(found.len(), matching, "{filters:?}");
        assert!(count <= read_at_most, "{filters:?}: {count} were read");
    }
}

#[tokio::test]
async fn rows_of_a_directory_of_before_are_made_and_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let count = 1203;
    filled(dir.path(), count).await.close().await;
    let written = rows(dir.path()).await;
    forget_rows(dir.path()).await;
    Store::open(dir.path()).await.unwrap().close().await;
    assert_eq!(rows(dir.path()).await, written);

    // Killed after the first 500: those are not looked at again, which shows where it went on.
    let options = SqliteConnectOptions::new().filename(dir.path().join("cairn.db"));
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    let last: String = sqlx::query_scalar("SELECT id FROM snapshot ORDER BY id LIMIT 1 OFFSET 499")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    sqlx::query("DELETE FROM snapshot_facet")
        .execute(&mut conn)
        .await
        .unwrap();
    sqlx::query("UPDATE facet_fill SET after = $1 WHERE noun = 'snapshot'")
        .bind(&last)
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
    Store::open(dir.path()).await.unwrap().close().await;
    let later: Vec<_> = written
        .into_iter()
        .filter(|(_, _, id)| *id > last)
        .collect();
    assert_eq!(rows(dir.path()).await, later);
}
