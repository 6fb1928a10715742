//! Boot sets: which blocks the guest of an image reads first. The bytes are described in the
//! migration that makes the table.

use cairn_model::{ImageId, SnapshotId, Timestamp};
use sqlx::Row as _;

use crate::{
    db::{Connection, WriteTx},
    error::{Error, Result},
};

const VERSION: u8 = 1;

/// Records the boot set of an image over a snapshot, unless there is one, or one of the two is gone.
/// False: nothing was recorded. Blocks that no volume has are left out.
pub async fn insert(
    tx: &mut WriteTx,
    image: &ImageId,
    snapshot: &SnapshotId,
    blocks: &[u64],
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO boot_set (image_id, snapshot_id, recorded, blocks)
         SELECT image.id, snapshot.id, $3, $4 FROM image, snapshot
         WHERE image.id = $1 AND snapshot.id = $2
         ON CONFLICT DO NOTHING",
    )
    .bind(image.as_str())
    .bind(snapshot.as_str())
    .bind(now.0)
    .bind(encode(blocks))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets a boot set that cannot be read.
pub async fn delete(tx: &mut WriteTx, image: &ImageId, snapshot: &SnapshotId) -> Result<()> {
    sqlx::query("DELETE FROM boot_set WHERE image_id = $1 AND snapshot_id = $2")
        .bind(image.as_str())
        .bind(snapshot.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The boot set of an image over a snapshot, in its order.
///
/// # Errors
/// [`Error::Damaged`]: there is one, and it is not what was recorded.
pub async fn get(
    conn: &mut Connection,
    image: &ImageId,
    snapshot: &SnapshotId,
) -> Result<Option<Vec<u64>>> {
    let row = sqlx::query("SELECT blocks FROM boot_set WHERE image_id = $1 AND snapshot_id = $2")
        .bind(image.as_str())
        .bind(snapshot.as_str())
        .fetch_optional(conn)
        .await?;
    let decoded = row.map(|row| decode(row.try_get("blocks")?));
    decoded.transpose()
}

fn encode(blocks: &[u64]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    let numbers = blocks.iter().filter_map(|block| u32::try_from(*block).ok());
    bytes.extend(numbers.flat_map(u32::to_le_bytes));
    let crc = crc32c::crc32c(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Result<Vec<u64>> {
    let damaged = |reason: &str| Error::Damaged {
        noun: "boot set",
        reason: reason.to_owned(),
    };
    let (body, crc) = bytes.split_last_chunk().ok_or(damaged("it is too short"))?;
    if crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
        return Err(damaged("its checksum is wrong"));
    }
    match body.split_first() {
        Some((&VERSION, numbers)) if numbers.len().is_multiple_of(4) => {
            let number = |chunk: &[u8; 4]| u64::from(u32::from_le_bytes(*chunk));
            Ok(numbers.as_chunks().0.iter().map(number).collect())
        }
        _ => Err(damaged("it is of another version")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decoded_was_encoded() {
        for blocks in [vec![], vec![0], vec![7, 3, u64::from(u32::MAX)]] {
            let bytes = encode(&blocks);
            assert_eq!(decode(&bytes).unwrap(), blocks);
            for at in 0..bytes.len() {
                let mut other = bytes.clone();
                other[at] ^= 1;
                decode(&other).unwrap_err();
                decode(&bytes[..at]).unwrap_err();
            }
        }
        // A volume has no such block.
        assert_eq!(decode(&encode(&[1, 1 << 32, 2])).unwrap(), [1, 2]);
    }
}
