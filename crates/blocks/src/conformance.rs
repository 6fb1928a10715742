//! What every [`BlobIndex`] must do, as a test that any implementation can be put to.

use std::collections::BTreeSet;

use crate::types::{Alarm, BlobId, BlobIndex, DomainId, Location, PackId, PackUsage};

/// Puts an implementation through its contract. For tests of implementations: `index` has to be
/// empty, and panics tell what is wrong.
///
/// # Panics
/// When the implementation breaks the contract of [`BlobIndex`], or fails.
pub fn blob_index_conformance(index: &dyn BlobIndex) {
    knows_nothing_at_first(index);
    answers_in_the_order_asked(index);
    keeps_domains_apart(index);
    keeps_the_first_location(index);
    keeps_every_bit(index);
    takes_large_batches(index);
    never_gives_out_a_pack_twice(index);
    bears_many_threads(index);
    tells_the_next_pack(index);
    sums_up_packs(index);
    finds_what_is_condemned_for_readers_alone(index);
    replaces_what_is_not_reusable(index);
    marks_blobs_bad_where_they_lie(index);
    pardons_what_somebody_relies_on(index);
    moves_blobs_from_where_they_lie(index);
    forgets_only_what_is_still_condemned(index);
    keeps_alarms_until_they_are_cleared(index);
}

const HERE: DomainId = DomainId(1);
const THERE: DomainId = DomainId(2);

fn knows_nothing_at_first(index: &dyn BlobIndex) {
    assert_eq!(
        locate(index, HERE, &[]),
        [],
        "nothing asked, nothing answered"
    );
    assert_eq!(
        locate(index, HERE, &[id(0, 1), id(0, 2)]),
        [None, None],
        "an empty index knows nothing"
    );
    insert(index, HERE, &[]);
}

fn answers_in_the_order_asked(index: &dyn BlobIndex) {
    let blobs: Vec<_> = (0..5).map(|n| (id(1, n), location(n))).collect();
    insert(index, HERE, &blobs);
    let asked = [id(1, 4), id(1, 99), id(1, 0), id(1, 4), id(1, 2)];
    let expected = [
        Some(location(4)),
        None,
        Some(location(0)),
        Some(location(4)),
        Some(location(2)),
    ];
    assert_eq!(
        locate(index, HERE, &asked),
        expected,
        "answers come in the order asked, also for an id asked twice"
    );
}

fn keeps_domains_apart(index: &dyn BlobIndex) {
    insert(index, HERE, &[(id(2, 0), location(1))]);
    assert_eq!(
        locate(index, THERE, &[id(2, 0)]),
        [None],
        "a blob of one domain is unknown in another"
    );
    insert(index, THERE, &[(id(2, 0), location(2))]);
    assert_eq!(locate(index, HERE, &[id(2, 0)]), [Some(location(1))]);
    assert_eq!(locate(index, THERE, &[id(2, 0)]), [Some(location(2))]);
}

fn keeps_the_first_location(index: &dyn BlobIndex) {
    insert(index, HERE, &[(id(3, 0), location(7))]);
    insert(
        index,
        HERE,
        &[(id(3, 1), location(9)), (id(3, 0), location(8))],
    );
    assert_eq!(
        locate(index, HERE, &[id(3, 0), id(3, 1)]),
        [Some(location(7)), Some(location(9))],
        "a known blob keeps its location, and its neighbours in the batch are recorded"
    );
    insert(
        index,
        HERE,
        &[(id(3, 2), location(1)), (id(3, 2), location(2))],
    );
    assert_eq!(
        locate(index, HERE, &[id(3, 2)]),
        [Some(location(1))],
        "also within one batch"
    );
}

fn keeps_every_bit(index: &dyn BlobIndex) {
    let largest = Location {
        // Signed 64-bit integers are what databases hold.
        pack: PackId(i64::MAX.unsigned_abs()),
        slot: u32::MAX,
        offset: i64::MAX.unsigned_abs(),
        stored_len: u32::MAX,
        plain_len: u32::MAX,
    };
    let smallest = Location {
        pack: PackId(0),
        slot: 0,
        offset: 0,
        stored_len: 0,
        plain_len: 0,
    };
    let (first, last) = (BlobId([0; 32]), BlobId([0xff; 32]));
    let (low, high) = (DomainId(i64::MIN), DomainId(i64::MAX));
    insert(index, low, &[(first, largest), (last, smallest)]);
    insert(index, high, &[(first, smallest), (last, largest)]);
    assert_eq!(
        locate(index, low, &[first, last]),
        [Some(largest), Some(smallest)]
    );
    assert_eq!(
        locate(index, high, &[first, last]),
        [Some(smallest), Some(largest)]
    );
}

fn takes_large_batches(index: &dyn BlobIndex) {
    let blobs: Vec<_> = (0..5000).map(|n| (id(4, n), location(n))).collect();
    insert(index, HERE, &blobs);
    let ids: Vec<_> = blobs.iter().map(|(id, _)| *id).collect();
    let expected: Vec<_> = blobs.iter().map(|(_, location)| Some(*location)).collect();
    assert_eq!(locate(index, HERE, &ids), expected, "a batch has no limit");
}

fn never_gives_out_a_pack_twice(index: &dyn BlobIndex) {
    let packs: Vec<_> = (0..10).map(|_| allocate(index)).collect();
    assert!(
        packs.is_sorted_by(|a, b| a < b),
        "pack numbers rise: {packs:?}"
    );
}

fn bears_many_threads(index: &dyn BlobIndex) {
    let packs = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4u64)
            .map(|thread| scope.spawn(move || use_from_thread(index, thread)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no thread panics"))
            .collect::<Vec<_>>()
    });
    assert_eq!(
        packs.iter().collect::<BTreeSet<_>>().len(),
        packs.len(),
        "no pack number is given out twice"
    );
}

fn use_from_thread(index: &dyn BlobIndex, thread: u64) -> Vec<PackId> {
    (0..20)
        .map(|n| {
            let own = id(5, thread * 1000 + n);
            insert(
                index,
                HERE,
                &[(own, location(n)), (id(6, n), location(thread))],
            );
            assert_eq!(
                locate(index, HERE, &[own]),
                [Some(location(n))],
                "what was inserted is found"
            );
            allocate(index)
        })
        .collect()
}

fn tells_the_next_pack(index: &dyn BlobIndex) {
    let next = index.next_pack().expect("next_pack works");
    assert_eq!(index.next_pack().expect("next_pack works"), next);
    assert_eq!(allocate(index), next, "what was told is given out");
}

fn sums_up_packs(index: &dyn BlobIndex) {
    let blobs = [
        (id(10, 0), in_pack(10, 2)),
        (id(10, 1), in_pack(10, 0)),
        (id(10, 2), in_pack(11, 1)),
    ];
    insert(index, THERE, &blobs);
    let expected = [usage(10, 2, 102 + 100, None), usage(11, 1, 101, None)];
    let behind = Some(pack(9));
    assert_eq!(packs(index, behind, 2), expected, "by number");
    assert_eq!(packs(index, behind, 1), expected[..1], "up to the limit");
    assert_eq!(
        packs(index, Some(pack(10)), 1),
        expected[1..],
        "behind the last"
    );
    let all = packs(index, None, usize::MAX);
    assert!(
        all.first().is_some_and(|first| first.pack == PackId(0))
            && all.is_sorted_by_key(|usage| usage.pack),
        "from the first"
    );
    let blobs_of = index.blobs_of(pack(10)).expect("blobs_of works");
    assert_eq!(
        blobs_of,
        [
            (THERE, id(10, 1), in_pack(10, 0)),
            (THERE, id(10, 0), in_pack(10, 2))
        ],
        "by slot"
    );
}

fn finds_what_is_condemned_for_readers_alone(index: &dyn BlobIndex) {
    let (first, second) = (id(11, 0), id(11, 1));
    insert(
        index,
        HERE,
        &[(first, in_pack(20, 0)), (second, in_pack(21, 0))],
    );
    condemn(index, &[pack(20), pack(29)], 5);
    condemn(index, &[pack(20)], 6);
    assert_eq!(
        reusable(index, HERE, &[first, second]),
        [None, Some(in_pack(21, 0))]
    );
    assert_eq!(
        locate(index, HERE, &[first, second]),
        [Some(in_pack(20, 0)), Some(in_pack(21, 0))]
    );
    assert_eq!(
        condemned(index),
        [usage_of(HERE, 20, 1, 100, Some(5))],
        "since the first time, and only packs that hold blobs"
    );
    assert_eq!(
        packs(index, Some(pack(19)), 1),
        [usage_of(HERE, 20, 1, 100, Some(5))]
    );
    index.pardon(&[pack(20), pack(29)]).expect("pardon works");
    assert_eq!(reusable(index, HERE, &[first]), [Some(in_pack(20, 0))]);
    assert_eq!(condemned(index), []);
}

fn replaces_what_is_not_reusable(index: &dyn BlobIndex) {
    let (gone, bad, kept) = (id(12, 0), id(12, 1), id(12, 2));
    insert(
        index,
        HERE,
        &[
            (gone, in_pack(30, 0)),
            (bad, in_pack(31, 1)),
            (kept, in_pack(31, 2)),
        ],
    );
    condemn(index, &[pack(30)], 1);
    mark_bad(index, &[(bad, pack(31))]);
    insert(
        index,
        HERE,
        &[
            (gone, in_pack(32, 0)),
            (bad, in_pack(32, 1)),
            (kept, in_pack(32, 2)),
        ],
    );
    let now = [
        Some(in_pack(32, 0)),
        Some(in_pack(32, 1)),
        Some(in_pack(31, 2)),
    ];
    assert_eq!(locate(index, HERE, &[gone, bad, kept]), now);
    assert_eq!(
        reusable(index, HERE, &[gone, bad, kept]),
        now,
        "and good again"
    );
    assert_eq!(
        condemned(index),
        [usage_of(HERE, 30, 0, 0, Some(1))],
        "a pack stays condemned when its blobs move away"
    );
    assert!(forget(index, 30, 1), "and can be forgotten");
}

fn marks_blobs_bad_where_they_lie(index: &dyn BlobIndex) {
    let (first, second) = (id(13, 0), id(13, 1));
    insert(
        index,
        HERE,
        &[(first, in_pack(40, 0)), (second, in_pack(40, 1))],
    );
    mark_bad(index, &[(first, pack(40)), (second, pack(41))]);
    assert_eq!(
        index.bad().expect("bad works"),
        [(HERE, first, in_pack(40, 0))],
        "only in the pack that was named"
    );
    assert_eq!(
        reusable(index, HERE, &[first, second]),
        [None, Some(in_pack(40, 1))]
    );
    assert_eq!(
        locate(index, HERE, &[first]),
        [Some(in_pack(40, 0))],
        "readers may try"
    );
    insert(index, HERE, &[(first, in_pack(42, 0))]);
    assert_eq!(index.bad().expect("bad works"), [], "healed");
}

fn pardons_what_somebody_relies_on(index: &dyn BlobIndex) {
    let (wanted, bad, other, missing) = (id(14, 0), id(14, 1), id(14, 2), id(14, 3));
    insert(
        index,
        HERE,
        &[
            (wanted, in_pack(50, 0)),
            (bad, in_pack(51, 0)),
            (other, in_pack(52, 0)),
        ],
    );
    mark_bad(index, &[(bad, pack(51))]);
    condemn(index, &[pack(50), pack(51), pack(52)], 1);
    let confirmed = index
        .confirm(HERE, &[missing, wanted, bad])
        .expect("confirm works");
    assert_eq!(confirmed, [false, true, false]);
    let left: Vec<_> = condemned(index).iter().map(|usage| usage.pack).collect();
    assert_eq!(
        left,
        [pack(51), pack(52)],
        "only the pack of the good blob is pardoned"
    );
    assert_eq!(
        index.confirm(THERE, &[wanted]).expect("confirm works"),
        [false],
        "within the domain"
    );
    index.pardon(&left).expect("pardon works");
    insert(index, HERE, &[(bad, in_pack(53, 0))]);
    let many: Vec<_> = (0..300).map(|n| (id(15, n), in_pack(54, n))).collect();
    insert(index, HERE, &many);
    let ids: Vec<_> = many.iter().map(|(id, _)| *id).collect();
    assert_eq!(
        index.confirm(HERE, &ids).expect("confirm works"),
        [true; 300],
        "however many"
    );
}

fn moves_blobs_from_where_they_lie(index: &dyn BlobIndex) {
    let (moved, stays) = (id(16, 0), id(16, 1));
    insert(
        index,
        HERE,
        &[(moved, in_pack(60, 0)), (stays, in_pack(61, 0))],
    );
    mark_bad(index, &[(moved, pack(60))]);
    let moves = [
        (moved, pack(60), in_pack(62, 0)),
        (stays, pack(60), in_pack(62, 1)),
        (id(16, 2), pack(60), in_pack(62, 2)),
    ];
    index.relocate(HERE, &moves).expect("relocate works");
    assert_eq!(
        reusable(index, HERE, &[moved, stays, id(16, 2)]),
        [Some(in_pack(62, 0)), Some(in_pack(61, 0)), None],
        "from the pack that was named, and good, since it was read"
    );
}

fn forgets_only_what_is_still_condemned(index: &dyn BlobIndex) {
    let blob = id(17, 0);
    insert(
        index,
        HERE,
        &[(blob, in_pack(70, 0)), (id(17, 1), in_pack(71, 0))],
    );
    assert!(!forget(index, 70, 1), "live");
    condemn(index, &[pack(70)], 1);
    assert!(!forget(index, 70, 2), "condemned at another time");
    assert_eq!(
        locate(index, HERE, &[blob]),
        [Some(in_pack(70, 0))],
        "nothing was forgotten"
    );
    assert!(forget(index, 70, 1));
    assert_eq!(
        locate(index, HERE, &[blob, id(17, 1)]),
        [None, Some(in_pack(71, 0))]
    );
    assert!(condemned(index).is_empty() && !forget(index, 70, 1));
    let blobs = [72, 73, 74].map(|n| (id(17, n), in_pack(n, 0)));
    insert(index, HERE, &blobs);
    condemn(index, &[pack(72), pack(74)], 3);
    let many = index.forget_packs(&[(pack(72), 3), (pack(73), 3), (pack(74), 4)]);
    assert_eq!(many.expect("forget_packs works"), [true, false, false]);
    let left = locate(index, HERE, &blobs.map(|(id, _)| id));
    assert_eq!(left, [None, Some(in_pack(73, 0)), Some(in_pack(74, 0))]);
    assert!(forget(index, 74, 3));
}

fn keeps_alarms_until_they_are_cleared(index: &dyn BlobIndex) {
    let blob = id(18, 0);
    insert(index, HERE, &[(blob, in_pack(80, 0))]);
    condemn(index, &[pack(80)], 1);
    let alarm = Alarm {
        pack: pack(80),
        domain: HERE,
        id: blob,
    };
    for _ in 0..2 {
        index.raise_alarm(&alarm).expect("raise_alarm works");
    }
    assert_eq!(
        index.alarms().expect("alarms works"),
        [alarm],
        "each one once"
    );
    assert_eq!(
        reusable(index, HERE, &[blob]),
        [Some(in_pack(80, 0))],
        "the pack is pardoned"
    );
    index.clear_alarms().expect("clear_alarms works");
    assert_eq!(index.alarms().expect("alarms works"), []);
}

fn packs(index: &dyn BlobIndex, after: Option<PackId>, limit: usize) -> Vec<PackUsage> {
    index.packs(after, limit).expect("packs works")
}

fn condemned(index: &dyn BlobIndex) -> Vec<PackUsage> {
    index.condemned().expect("condemned works")
}

fn condemn(index: &dyn BlobIndex, packs: &[PackId], at: i64) {
    index.condemn(packs, at).expect("condemn works");
}

fn mark_bad(index: &dyn BlobIndex, blobs: &[(BlobId, PackId)]) {
    index.mark_bad(HERE, blobs).expect("mark_bad works");
}

fn forget(index: &dyn BlobIndex, n: u64, at: i64) -> bool {
    index.forget_pack(pack(n), at).expect("forget_pack works")
}

fn reusable(index: &dyn BlobIndex, domain: DomainId, ids: &[BlobId]) -> Vec<Option<Location>> {
    index
        .locate_reusable(domain, ids)
        .expect("locate_reusable works")
}

/// A pack that only the steps about packs use.
fn pack(n: u64) -> PackId {
    PackId(1_000_000 + n)
}

fn in_pack(n: u64, slot: u64) -> Location {
    Location {
        pack: pack(n),
        stored_len: 100 + u32::try_from(slot).expect("small"),
        slot: u32::try_from(slot).expect("small"),
        ..location(slot)
    }
}

fn usage(n: u64, blobs: u64, stored_bytes: u64, condemned_at: Option<i64>) -> PackUsage {
    usage_of(THERE, n, blobs, stored_bytes, condemned_at)
}

fn usage_of(
    domain: DomainId,
    n: u64,
    blobs: u64,
    stored_bytes: u64,
    condemned_at: Option<i64>,
) -> PackUsage {
    PackUsage {
        pack: pack(n),
        domain,
        blobs,
        stored_bytes,
        condemned_at,
    }
}

fn locate(index: &dyn BlobIndex, domain: DomainId, ids: &[BlobId]) -> Vec<Option<Location>> {
    index.locate(domain, ids).expect("locate works")
}

fn insert(index: &dyn BlobIndex, domain: DomainId, blobs: &[(BlobId, Location)]) {
    index.insert(domain, blobs).expect("insert works");
}

fn allocate(index: &dyn BlobIndex) -> PackId {
    index.allocate_pack().expect("allocate_pack works")
}

/// An id that no other step of the suite uses.
fn id(step: u8, n: u64) -> BlobId {
    let mut bytes = [step; 32];
    bytes[8..16].copy_from_slice(&n.to_be_bytes());
    BlobId(bytes)
}

fn location(n: u64) -> Location {
    let small = u32::try_from(n % 1000).expect("below a thousand");
    Location {
        pack: PackId(n + 1),
        slot: small,
        offset: n * 4096 + 64,
        stored_len: small + 1,
        plain_len: small + 2,
    }
}
