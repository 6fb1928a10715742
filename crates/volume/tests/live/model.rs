//! Random traces against the model.

use cairn_testkit::{Crash, Errno, Fault, OpKind};
use proptest::{prelude::*, sample::select};

use super::harness::{BLOCK, HOT, SECTOR, SECTORS_PER_BLOCK, SIZE, World};

#[derive(Clone, Debug)]
enum Op {
    Write {
        sector: u64,
        count: u64,
        fua: bool,
    },
    /// A write during which appending to the journal fails, so many times.
    FailingWrite {
        sector: u64,
        count: u64,
        times: u64,
    },
    Trim {
        sector: u64,
        count: u64,
        fua: bool,
    },
    Zero {
        sector: u64,
        count: u64,
        no_hole: bool,
        fua: bool,
    },
    Read {
        sector: u64,
        count: u64,
    },
    Flush,
    Freeze,
    Capture {
        limit: u32,
    },
    Commit,
    Abandon {
        nth: usize,
    },
    Work {
        steps: u32,
    },
    Clone {
        foreign: bool,
    },
    Grow,
    Delete {
        nth: usize,
    },
    Collect,
    Reopen,
    Crash(Crash),
    /// The process dies in the middle of what comes next.
    DieAt {
        mutations: u64,
        crash: Crash,
    },
}

fn range() -> impl Strategy<Value = (u64, u64)> {
    let starts = [0_u64, 8, 64, 500, 1000, 1016];
    (
        select(HOT.to_vec()),
        select(starts.to_vec()),
        select(vec![1_u64, 8, 64, 1024, 1100]),
    )
        .prop_map(|(block, start, count)| {
            let first = block * SECTORS_PER_BLOCK;
            let next_is_hot = HOT.contains(&(block + 1));
            let end = if next_is_hot {
                first + 2 * SECTORS_PER_BLOCK
            } else {
                first + SECTORS_PER_BLOCK
            };
            let end = end.min(SIZE / SECTOR);
            let start = (first + start).min(end - 1);
            (start, count.min(end - start))
        })
}

fn crash() -> impl Strategy<Value = Crash> {
    prop_oneof![2 => Just(Crash::Kill), 1 => Just(Crash::LoseAll), 3 => any::<u64>().prop_map(Crash::PowerLoss)]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (range(), any::<bool>()).prop_map(|((sector, count), fua)| Op::Write { sector, count, fua: fua && count < 64 }),
        2 => (range(), 1..4_u64).prop_map(|((sector, count), times)| Op::FailingWrite { sector, count, times }),
        2 => (range(), any::<bool>()).prop_map(|((sector, count), fua)| Op::Trim { sector, count, fua }),
        2 => (range(), any::<bool>(), any::<bool>())
            .prop_map(|((sector, count), no_hole, fua)| Op::Zero { sector, count, no_hole, fua }),
        2 => range().prop_map(|(sector, count)| Op::Read { sector, count }),
        4 => Just(Op::Flush),
        3 => Just(Op::Freeze),
        4 => select(vec![2, 3, u32::MAX]).prop_map(|limit| Op::Capture { limit }),
        3 => Just(Op::Commit),
        1 => (0..3_usize).prop_map(|nth| Op::Abandon { nth }),
        8 => (1..5_u32).prop_map(|steps| Op::Work { steps }),
        1 => any::<bool>().prop_map(|foreign| Op::Clone { foreign }),
        1 => Just(Op::Grow),
        2 => (0..3_usize).prop_map(|nth| Op::Delete { nth }),
        3 => Just(Op::Collect),
        1 => Just(Op::Reopen),
        3 => crash().prop_map(Op::Crash),
        3 => (0..12_u64, crash()).prop_map(|(mutations, crash)| Op::DieAt { mutations, crash }),
    ]
}

fn apply(world: &mut World, op: &Op) {
    match *op {
        Op::Write { sector, count, fua } => world.write(sector, count, fua),
        Op::FailingWrite {
            sector,
            count,
            times,
        } => {
            let fault = Fault::nth(OpKind::Write, 1, Errno::NOSPC).on("journal-");
            world.sim.inject(Fault { times, ..fault });
            world.write(sector, count, false);
            world.sim.clear_faults();
        }
        Op::Trim { sector, count, fua } => world.trim(sector, count, fua),
        Op::Zero {
            sector,
            count,
            no_hole,
            fua,
        } => world.zero(sector, count, no_hole, fua),
        Op::Read { sector, count } => world.check_range(sector, count),
        Op::Flush => world.flush(),
        Op::Freeze => {
            world.freeze();
        }
        Op::Capture { limit } => world.capture(limit),
        Op::Commit => world.commit(),
        Op::Abandon { nth } => world.abandon(nth),
        Op::Work { steps } => world.work(steps),
        Op::Clone { foreign } => world.clone_newest(foreign),
        Op::Delete { nth } => world.delete(nth),
        Op::Collect => world.collect(),
        Op::Grow => world.grow(BLOCK),
        Op::Reopen => world.close_and_open(),
        Op::Crash(crash) => world.crash(crash),
        Op::DieAt { mutations, .. } => world.sim.crash_at(mutations),
    }
}

/// Runs a trace; whenever the process died, it is started again.
fn run(ops: &[Op], segment: u64, hydrate: bool) {
    let mut world = World::new(segment, hydrate);
    let mut death = None;
    for (n, op) in ops.iter().enumerate() {
        // A process that is about to die makes no new volumes: that has a test of its own.
        if !(death.is_some() && matches!(op, Op::Clone { .. })) {
            apply(&mut world, op);
        }
        match op {
            Op::DieAt { crash, .. } => death = Some(*crash),
            Op::Crash(_) => death = None,
            _ => {}
        }
        if world.sim.is_dead() {
            world.crash(death.take().unwrap());
        } else if n % 8 == 7 {
            world.check();
        }
    }
    world.crash(Crash::Kill);
    world.check();
    world.check_snapshots();
    assert_eq!(world.witness.sealed() > 0, super::sealed());
    assert!(super::sealed() || world.witness.retries() == 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_volume_holds_what_it_must(
        ops in proptest::collection::vec(op(), 1..70),
        segment in select(vec![16 << 10_u64, 1 << 20]),
        hydrate in any::<bool>(),
    ) {
        run(&ops, segment, hydrate);
    }
}

/// How many traces: few by default, many in a soak.
fn cases() -> u32 {
    std::env::var("CAIRN_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(48)
}
