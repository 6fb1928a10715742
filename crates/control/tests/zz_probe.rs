#![allow(clippy::unwrap_used, missing_docs)]
mod machines;
mod support;
use machines::*;
use support::*;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probe() {
    let mut bad = 0;
    for seed in 0..40 {
        let world = World::new(seed);
        let (control, caller) = world.begin().await;
        let snapshot = root_snapshot(&control, &caller).await;
        let volume = available_volume(&control, &caller, from_snapshot(&snapshot)).await;
        control.export_volume(&volume.id).await.unwrap();
        write(&control, &volume, 4096, pattern(9, 4096)).await;
        control.unexport_volume(&volume.id).await.unwrap();
        control.export_volume(&volume.id).await.unwrap();
        let got = read(&control, &volume, 4096, 4096).await;
        if got != pattern(9, 4096) {
            bad += 1;
            eprintln!("seed {seed}: base {}", got[..] == root_bytes()[4096..]);
        }
    }
    assert_eq!(bad, 0);
}
