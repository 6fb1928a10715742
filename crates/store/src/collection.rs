//! What garbage collection and scrubbing ask and change in the table of blobs.

use std::{collections::HashMap, sync::LazyLock};

use cairn_blocks::{Alarm, BlobId, DomainId, Location, PackId, PackUsage};
use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection, sqlite::SqliteRow};

use crate::{
    blob::{BlobTable, LOCATE, blob_id, id_list, location, places, signed, unsigned},
    error::Result,
};

/// Packs named by one statement.
const PACKS: usize = 4096;

/// Rows gathered before they are purged: 20 MiB.
const PURGE_GATHER: usize = 1 << 19;

/// Rows purged in one transaction, in which nobody else writes to the file of the blobs.
const PURGE_BATCH: usize = 32_768;

/// Rows purged by one statement.
const PURGE_ROWS: usize = 1024;

impl BlobTable {
    /// Up to `limit` packs that hold blobs, by number, from the one behind `after` on.
    pub async fn packs(&self, after: Option<PackId>, limit: usize) -> Result<Vec<PackUsage>> {
        let rows = sqlx::query(
            "SELECT blob.pack AS pack, MIN(blob.domain) AS domain, COUNT(*) AS blobs,
                    SUM(blob.stored_len) AS stored_bytes, condemned_pack.at AS condemned_at
             FROM blob LEFT JOIN condemned_pack ON condemned_pack.pack = blob.pack
             WHERE blob.pack > $1 AND blob.pack NOT IN (SELECT pack FROM forgotten_pack)
             GROUP BY blob.pack ORDER BY blob.pack LIMIT $2",
        )
        .bind(after.map_or(Ok(-1), |pack| signed(pack.0))?)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(usage).collect()
    }

    /// The packs that are condemned, by number.
    pub async fn condemned(&self) -> Result<Vec<PackUsage>> {
        let rows = sqlx::query(
            "SELECT condemned_pack.pack AS pack, condemned_pack.domain AS domain,
                    COUNT(blob.pack) AS blobs, COALESCE(SUM(blob.stored_len), 0) AS stored_bytes,
                    condemned_pack.at AS condemned_at
             FROM condemned_pack LEFT JOIN blob ON blob.pack = condemned_pack.pack
             GROUP BY condemned_pack.pack ORDER BY condemned_pack.pack",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(usage).collect()
    }

    /// The blobs of a pack, by slot.
    pub async fn blobs_of(&self, pack: PackId) -> Result<Vec<(DomainId, BlobId, Location)>> {
        let rows = sqlx::query(
            "SELECT domain, id, pack, slot, byte_offset, stored_len, plain_len FROM blob
             WHERE pack = $1 AND pack NOT IN (SELECT pack FROM forgotten_pack)
             ORDER BY slot, domain, id",
        )
        .bind(signed(pack.0)?)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(blob).collect()
    }

    /// Notes that blobs cannot be read in the packs that are named with them.
    pub async fn mark_bad(&self, domain: DomainId, blobs: &[(BlobId, PackId)]) -> Result<()> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        for (id, pack) in blobs {
            sqlx::query(
                "UPDATE blob SET state = 1 WHERE domain = $1 AND id = $2 AND pack = $3
                     AND pack NOT IN (SELECT pack FROM forgotten_pack)",
            )
            .bind(domain.0)
            .bind(id.0.to_vec())
            .bind(signed(pack.0)?)
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// The blobs that are bad.
    pub async fn bad(&self) -> Result<Vec<(DomainId, BlobId, Location)>> {
        let rows = sqlx::query(
            "SELECT domain, id, pack, slot, byte_offset, stored_len, plain_len FROM blob
             WHERE state <> 0 AND pack NOT IN (SELECT pack FROM forgotten_pack)
             ORDER BY domain, id",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(blob).collect()
    }

    /// Condemns packs that hold blobs; one that is condemned stays so since when it was.
    pub async fn condemn(&self, packs: &[PackId], at: i64) -> Result<()> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        for batch in packs.chunks(PACKS) {
            sqlx::query(
                "INSERT INTO condemned_pack (pack, domain, at)
                 SELECT pack, MIN(domain), $2 FROM blob
                 WHERE pack IN (SELECT value FROM json_each($1))
                     AND pack NOT IN (SELECT pack FROM forgotten_pack)
                 GROUP BY pack ON CONFLICT DO NOTHING",
            )
            .bind(list(batch.iter().copied()))
            .bind(at)
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Makes condemned packs live again.
    pub async fn pardon(&self, packs: &[PackId]) -> Result<()> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        for pack in packs {
            pardon_one(&mut tx, *pack).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Pardons the packs that blobs lie in, and tells for each blob whether it is there and good.
    pub async fn confirm(&self, domain: DomainId, ids: &[BlobId]) -> Result<Vec<bool>> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut confirmed = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(LOCATE) {
            confirm_chunk(&mut tx, domain, chunk, &mut confirmed).await?;
        }
        tx.commit().await?;
        Ok(confirmed)
    }

    /// Records that blobs were copied, each from a pack to a new location.
    pub async fn relocate(
        &self,
        domain: DomainId,
        blobs: &[(BlobId, PackId, Location)],
    ) -> Result<()> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        for (id, from, to) in blobs {
            sqlx::query(
                "UPDATE blob SET pack = $4, slot = $5, byte_offset = $6, stored_len = $7,
                                 plain_len = $8, state = 0
                 WHERE domain = $1 AND id = $2 AND pack = $3
                     AND pack NOT IN (SELECT pack FROM forgotten_pack)",
            )
            .bind(domain.0)
            .bind(id.0.to_vec())
            .bind(signed(from.0)?)
            .bind(signed(to.pack.0)?)
            .bind(i64::from(to.slot))
            .bind(signed(to.offset)?)
            .bind(i64::from(to.stored_len))
            .bind(i64::from(to.plain_len))
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Forgets packs and their blobs, those that are still condemned since when they are said to be.
    /// Tells which. In one transaction; their rows are there until they are purged, and nobody is
    /// told of them.
    pub async fn forget_packs(&self, packs: &[(PackId, i64)]) -> Result<Vec<bool>> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut forgotten = Vec::with_capacity(packs.len());
        for batch in packs.chunks(PACKS) {
            let numbers = batch.iter().map(|(pack, _)| *pack);
            let since = condemned_since(&mut tx, numbers).await?;
            let still = |(pack, at): &(PackId, i64)| since.get(pack) == Some(at);
            forget(
                &mut tx,
                batch
                    .iter()
                    .filter(|pack| still(pack))
                    .map(|(pack, _)| *pack),
            )
            .await?;
            forgotten.extend(batch.iter().map(still));
        }
        tx.commit().await?;
        Ok(forgotten)
    }

    /// Deletes the rows of forgotten packs, as long as `go_on` says so. In the order of their ids, so
    /// that a page of the table is written once for all rows that leave it, and not once for each;
    /// and some at a time, so that others can write in between.
    pub async fn purge(&self, go_on: &dyn Fn() -> bool) -> Result<()> {
        loop {
            let rows = self.rows_to_purge().await?;
            for batch in rows.chunks(PURGE_BATCH) {
                if !go_on() {
                    return Ok(());
                }
                self.purge_batch(batch).await?;
            }
            if rows.len() < PURGE_GATHER {
                break;
            }
        }
        sqlx::query(
            "DELETE FROM forgotten_pack
             WHERE NOT EXISTS (SELECT 1 FROM blob WHERE blob.pack = forgotten_pack.pack)",
        )
        .execute(&self.writer)
        .await?;
        sqlx::query("PRAGMA shrink_memory")
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Rows of forgotten packs, by domain and id.
    async fn rows_to_purge(&self) -> Result<Vec<(DomainId, BlobId)>> {
        // The other way round every row of the table would be looked at.
        let mut found = sqlx::query(
            "SELECT blob.domain AS domain, blob.id AS id
             FROM forgotten_pack CROSS JOIN blob ON blob.pack = forgotten_pack.pack LIMIT $1",
        )
        .bind(i64::try_from(PURGE_GATHER).unwrap_or(i64::MAX))
        .fetch(&self.readers);
        let mut rows = Vec::new();
        while let Some(row) = found.try_next().await? {
            rows.push((
                DomainId(row.try_get("domain")?),
                blob_id(row.try_get("id")?)?,
            ));
        }
        rows.sort_unstable();
        Ok(rows)
    }

    async fn purge_batch(&self, rows: &[(DomainId, BlobId)]) -> Result<()> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        for of_domain in rows.chunk_by(|(one, _), (other, _)| one == other) {
            for rows in of_domain.chunks(PURGE_ROWS) {
                let ids: Vec<_> = rows.iter().map(|(_, id)| *id).collect();
                let query = sqlx::query(AssertSqlSafe(PURGE_SQL.clone())).bind(rows[0].0.0);
                id_list(query, &ids, PURGE_ROWS).execute(&mut *tx).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// Pardons the pack of an alarm and keeps the alarm.
    pub async fn raise_alarm(&self, alarm: &Alarm) -> Result<()> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        pardon_one(&mut tx, alarm.pack).await?;
        sqlx::query(
            "INSERT INTO collection_alarm (pack, domain, blob) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(signed(alarm.pack.0)?)
        .bind(alarm.domain.0)
        .bind(alarm.id.0.to_vec())
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// The alarms that were not cleared, oldest first.
    pub async fn alarms(&self) -> Result<Vec<Alarm>> {
        let rows = sqlx::query("SELECT pack, domain, blob FROM collection_alarm ORDER BY id")
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Alarm {
                    pack: pack(row)?,
                    domain: DomainId(row.try_get("domain")?),
                    id: blob_id(row.try_get("blob")?)?,
                })
            })
            .collect()
    }

    /// Forgets all alarms.
    pub async fn clear_alarms(&self) -> Result<()> {
        sqlx::query("DELETE FROM collection_alarm")
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

/// Since when each of these packs is condemned that is.
async fn condemned_since(
    tx: &mut SqliteConnection,
    packs: impl Iterator<Item = PackId>,
) -> Result<HashMap<PackId, i64>> {
    let rows = sqlx::query(
        "SELECT pack, at FROM condemned_pack WHERE pack IN (SELECT value FROM json_each($1))",
    )
    .bind(list(packs))
    .fetch_all(tx)
    .await?;
    rows.iter()
        .map(|row| Ok((pack(row)?, row.try_get("at")?)))
        .collect()
}

async fn forget(tx: &mut SqliteConnection, packs: impl Iterator<Item = PackId>) -> Result<()> {
    let packs = list(packs);
    sqlx::query("DELETE FROM condemned_pack WHERE pack IN (SELECT value FROM json_each($1))")
        .bind(&packs)
        .execute(&mut *tx)
        .await?;
    sqlx::query("INSERT INTO forgotten_pack (pack) SELECT value FROM json_each($1)")
        .bind(&packs)
        .execute(tx)
        .await?;
    Ok(())
}

async fn pardon_one(tx: &mut SqliteConnection, pack: PackId) -> Result<()> {
    sqlx::query("DELETE FROM condemned_pack WHERE pack = $1")
        .bind(signed(pack.0)?)
        .execute(tx)
        .await?;
    Ok(())
}

/// One query of always the same form: see [`BlobTable::locate`]. Mostly there is nothing to pardon.
async fn confirm_chunk(
    tx: &mut SqliteConnection,
    domain: DomainId,
    ids: &[BlobId],
    confirmed: &mut Vec<bool>,
) -> Result<()> {
    let mut good = std::collections::HashSet::with_capacity(ids.len());
    let mut pardoned = std::collections::BTreeSet::new();
    let query = sqlx::query(AssertSqlSafe(CONFIRM_SQL.clone())).bind(domain.0);
    for row in id_list(query, ids, LOCATE).fetch_all(&mut *tx).await? {
        good.insert(blob_id(row.try_get("id")?)?);
        if row.try_get::<Option<i64>, _>("at")?.is_some() {
            pardoned.insert(pack(&row)?);
        }
    }
    for pack in pardoned {
        pardon_one(tx, pack).await?;
    }
    confirmed.extend(ids.iter().map(|id| good.contains(id)));
    Ok(())
}

static CONFIRM_SQL: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT blob.id AS id, blob.pack AS pack, condemned_pack.at AS at
         FROM blob LEFT JOIN condemned_pack ON condemned_pack.pack = blob.pack
         WHERE blob.domain = ? AND blob.state = 0 AND blob.id IN ({})
             AND blob.pack NOT IN (SELECT pack FROM forgotten_pack)",
        places(LOCATE)
    )
});

static PURGE_SQL: LazyLock<String> = LazyLock::new(|| {
    format!(
        "DELETE FROM blob WHERE domain = ? AND id IN ({})
             AND pack IN (SELECT pack FROM forgotten_pack)",
        places(PURGE_ROWS)
    )
});

/// Numbers of packs as one parameter, for `json_each`.
fn list(packs: impl Iterator<Item = PackId>) -> String {
    let numbers: Vec<_> = packs.map(|pack| pack.0.to_string()).collect();
    format!("[{}]", numbers.join(","))
}

fn usage(row: &SqliteRow) -> Result<PackUsage> {
    Ok(PackUsage {
        pack: pack(row)?,
        domain: DomainId(row.try_get("domain")?),
        blobs: unsigned(row.try_get("blobs")?)?,
        stored_bytes: unsigned(row.try_get("stored_bytes")?)?,
        condemned_at: row.try_get("condemned_at")?,
    })
}

fn blob(row: &SqliteRow) -> Result<(DomainId, BlobId, Location)> {
    Ok((
        DomainId(row.try_get("domain")?),
        blob_id(row.try_get("id")?)?,
        location(row)?,
    ))
}

fn pack(row: &SqliteRow) -> Result<PackId> {
    Ok(PackId(unsigned(row.try_get("pack")?)?))
}
