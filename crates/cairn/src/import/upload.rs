//! Blocks into a snapshot, many at once.
//!
//! One thread reads and hashes; so many requests are under way at once; what is in memory is
//! bounded by both. A request that fails in passing is sent again: putting the same block twice
//! is putting it once.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    blocks::{Block, Stretch, read_block, stretches},
    disk::RawDisk,
};
use crate::{
    client::{
        Client,
        ebs::{BLOCK_SIZE, Digest, put_block},
    },
    failure::{Failure, Result},
};

/// What was sent: what CompleteSnapshot has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// How many blocks.
    pub(crate) blocks: u64,
    /// SHA-256 of their digests, in order.
    pub(crate) aggregate: Digest,
}

/// Sends every block of a disk that is not zero, `parallel` of them at once.
pub(crate) async fn send(
    client: &Client,
    snapshot: &str,
    disk: &Arc<RawDisk>,
    parallel: usize,
    bar: &ProgressBar,
) -> Result<Sent> {
    let found = stretches(&disk.file, disk.length).map_err(unreadable)?;
    bar.set_length(found.iter().map(|stretch| stretch.count()).sum::<u64>() * BLOCK_SIZE as u64);
    let (sender, receiver) = mpsc::channel(parallel);
    let reader = read_all(Arc::clone(disk), found, sender, bar.clone());
    let puts = stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|block| (block, receiver))
    })
    .map(|block: Block| put(client, snapshot, block, bar))
    .buffer_unordered(parallel);
    puts.try_collect::<()>().await?;
    reader.await.map_err(Failure::failed)?
}

async fn put(client: &Client, snapshot: &str, block: Block, bar: &ProgressBar) -> Result<()> {
    put_block(client, snapshot, block.index, block.data, &block.digest).await?;
    bar.inc(BLOCK_SIZE as u64);
    Ok(())
}

/// Reads the disk on a thread of its own, until the end or until nobody takes the blocks any more.
fn read_all(
    disk: Arc<RawDisk>,
    found: Vec<Stretch>,
    sender: mpsc::Sender<Block>,
    bar: ProgressBar,
) -> JoinHandle<Result<Sent>> {
    tokio::task::spawn_blocking(move || {
        let mut digests = Context::new(&SHA256);
        let mut blocks = 0;
        for index in found.into_iter().flat_map(Stretch::indexes) {
            let Some(block) = read_block(&disk.file, disk.length, index).map_err(unreadable)?
            else {
                bar.inc(BLOCK_SIZE as u64);
                continue;
            };
            digests.update(&block.digest);
            blocks += 1;
            if sender.blocking_send(block).is_err() {
                return Err(Failure::failed("the upload ended early"));
            }
        }
        let mut aggregate = [0; 32];
        aggregate.copy_from_slice(digests.finish().as_ref());
        Ok(Sent { blocks, aggregate })
    })
}

fn unreadable(cause: std::io::Error) -> Failure {
    Failure::failed(format!("cannot read the disk: {cause}"))
}
