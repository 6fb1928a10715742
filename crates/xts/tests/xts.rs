//! AES-256-XTS held to the vectors of the standard and to a second implementation.

#![allow(clippy::unwrap_used)]

use std::time::Instant;

use aes::{Aes256, cipher::KeyInit as _};
use cairn_testkit::Rng;
use cairn_xts::{EqualHalves, KEY_LEN, SECTOR, Xts};
use xts_mode::{Xts128, get_tweak_default};

const VECTORS: &str = include_str!("ieee1619.txt");

fn random_key(rng: &mut Rng) -> [u8; KEY_LEN] {
    let mut key = [0; KEY_LEN];
    rng.fill(&mut key);
    key
}

fn other(key: &[u8; KEY_LEN]) -> Xts128<Aes256> {
    let (data, tweak) = key.split_at(KEY_LEN / 2);
    Xts128::new(
        Aes256::new_from_slice(data).unwrap(),
        Aes256::new_from_slice(tweak).unwrap(),
    )
}

#[test]
fn the_vectors_of_the_standard_hold() {
    let key = "2718281828459045235360287471352662497757247093699959574966967627\
               3141592653589793238462643383279502884197169399375105820974944592";
    let key: [u8; KEY_LEN] = hex::decode(key).unwrap().try_into().unwrap();
    let plain: Vec<u8> = (0..=255).chain(0..=255).collect();
    let xts = Xts::new(&key).unwrap();
    let mut seen = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        let (unit, cipher) = line.split_once(' ').unwrap();
        let unit = u64::from_str_radix(unit, 16).unwrap();
        let cipher = hex::decode(cipher).unwrap();
        let mut bytes = plain.clone();
        xts.encrypt(unit, &mut bytes);
        assert_eq!(bytes, cipher, "unit {unit:x}");
        xts.decrypt(unit, &mut bytes);
        assert_eq!(bytes, plain, "unit {unit:x}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn another_implementation_agrees() {
    let mut rng = Rng::new(1);
    for sectors in 0..40 {
        let key = random_key(&mut rng);
        let (xts, other) = (Xts::new(&key).unwrap(), other(&key));
        let first = rng.below(1 << 37);
        let mut plain = vec![0; sectors * SECTOR];
        rng.fill(&mut plain);
        let mut expected = plain.clone();
        other.encrypt_area(&mut expected, SECTOR, first.into(), get_tweak_default);
        let mut bytes = plain.clone();
        xts.encrypt(first, &mut bytes);
        assert!(bytes == expected, "{sectors} sectors from {first}");
        xts.decrypt(first, &mut bytes);
        assert!(bytes == plain, "{sectors} sectors from {first}");
    }
}

#[test]
fn sectors_stand_by_themselves() {
    let mut rng = Rng::new(2);
    let xts = Xts::new(&random_key(&mut rng)).unwrap();
    let mut all = vec![7; 8 * SECTOR];
    xts.encrypt(100, &mut all);
    let distinct: std::collections::BTreeSet<_> = all.chunks(SECTOR).collect();
    assert_eq!(distinct.len(), 8, "equal sectors look equal");
    xts.decrypt(103, &mut all[3 * SECTOR..4 * SECTOR]);
    assert!(all[3 * SECTOR..4 * SECTOR].iter().all(|byte| *byte == 7));
}

#[test]
fn many_threads_share_a_key() {
    let mut rng = Rng::new(3);
    let key = random_key(&mut rng);
    let xts = Xts::new(&key).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let (xts, other) = (&xts, other(&key));
            scope.spawn(move || {
                for round in 0..200 {
                    let first = thread << 20 | round;
                    let plain = vec![u8::try_from(round).unwrap(); 2 * SECTOR];
                    let mut expected = plain.clone();
                    other.encrypt_area(&mut expected, SECTOR, first.into(), get_tweak_default);
                    let mut bytes = plain.clone();
                    xts.encrypt(first, &mut bytes);
                    assert!(bytes == expected);
                    xts.decrypt(first, &mut bytes);
                    assert!(bytes == plain);
                }
            });
        }
    });
}

#[test]
fn equal_halves_are_refused() {
    assert_eq!(Xts::new(&[5; KEY_LEN]).err(), Some(EqualHalves));
}

#[test]
#[should_panic(expected = "a part of a sector")]
fn a_part_of_a_sector_is_refused() {
    let xts = Xts::new(&random_key(&mut Rng::new(4))).unwrap();
    xts.encrypt(0, &mut [0; SECTOR + 1]);
}

#[test]
fn a_key_is_not_shown() {
    let xts = Xts::new(&random_key(&mut Rng::new(5))).unwrap();
    assert_eq!(format!("{xts:?}"), "Xts(secret)");
}

/// What a copy for each call costs, for the figure in the documentation of [`Xts`]. Run by hand:
/// `cargo test --release -p cairn-xts -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout)]
fn what_a_call_costs() {
    let key = random_key(&mut Rng::new(6));
    let xts = Xts::new(&key).unwrap();
    time("a copy", |data| xts.encrypt(1, data));
    time("a new schedule", |data| {
        Xts::new(&key).unwrap().encrypt(1, data);
    });
    // Of 64 MiB at once the copy is nothing.
    let mut data = vec![1; 64 << 20];
    let begun = Instant::now();
    xts.encrypt(1, &mut data);
    let each = begun.elapsed().as_nanos() / (64 << 8);
    println!("without either: 4096 bytes in {each} ns");
}

#[allow(clippy::print_stdout)]
fn time(what: &str, mut call: impl FnMut(&mut [u8])) {
    for len in [SECTOR, 4096, 65_536, 524_288] {
        let mut data = vec![1; len];
        let rounds = (64 << 20) / len;
        let mut round = || {
            let begun = Instant::now();
            (0..rounds).for_each(|_| call(&mut data));
            begun.elapsed().as_nanos() / rounds as u128
        };
        let best = (0..7).map(|_| round()).min().unwrap();
        println!("{what}: {len} bytes in {best} ns");
    }
}
