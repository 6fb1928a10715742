//! The cache and the sessions of the block store, in many orders.

#![allow(missing_docs)]

use cairn_schedules_blocks as scenarios;
use cairn_schedules_std::in_many_orders;

/// Orders that each scheduler tries.
const ORDERS: u64 = 500;
const FAILED: &str = env!("CARGO_TARGET_TMPDIR");

#[test]
fn one_load_serves_all() {
    in_many_orders(ORDERS, FAILED, || scenarios::one_load_serves_all(10));
}

#[test]
fn without_room_everybody_loads() {
    in_many_orders(ORDERS, FAILED, || scenarios::one_load_serves_all(9));
}

#[test]
fn a_failure_is_its_readers_own() {
    in_many_orders(ORDERS, FAILED, scenarios::a_failure_is_its_readers_own);
}

#[test]
fn an_eviction_mixes_nothing_up() {
    in_many_orders(ORDERS, FAILED, scenarios::an_eviction_mixes_nothing_up);
}

#[test]
fn a_pack_that_is_relied_on_is_not_condemned() {
    in_many_orders(
        ORDERS,
        FAILED,
        scenarios::a_pack_that_is_relied_on_is_not_condemned,
    );
}
