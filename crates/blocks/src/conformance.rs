//! What every [`BlobIndex`] must do, as a test that any implementation can be put to.

use std::collections::BTreeSet;

use crate::types::{BlobId, BlobIndex, DomainId, Location, PackId};

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
