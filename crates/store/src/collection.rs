//! What garbage collection and scrubbing ask and change in the table of blobs.

use cairn_blocks::{Alarm, BlobId, DomainId, Location, PackId, PackUsage};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection, sqlite::SqliteRow};

use crate::{
    blob::{BlobTable, LOCATE, id_list, location, signed, unsigned},
    error::{Error, Result},
};

impl BlobTable {
    /// Up to `limit` packs that hold blobs, by number, from the one behind `after` on.
    pub async fn packs(&self, after: Option<PackId>, limit: usize) -> Result<Vec<PackUsage>> {
        let rows = sqlx::query(
            "SELECT blob.pack AS pack, MIN(blob.domain) AS domain, COUNT(*) AS blobs,
                    SUM(blob.stored_len) AS stored_bytes, condemned_pack.at AS condemned_at
             FROM blob LEFT JOIN condemned_pack ON condemned_pack.pack = blob.pack
             WHERE blob.pack > $1 GROUP BY blob.pack ORDER BY blob.pack LIMIT $2",
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
             WHERE pack = $1 ORDER BY slot, domain, id",
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
            sqlx::query("UPDATE blob SET state = 1 WHERE domain = $1 AND id = $2 AND pack = $3")
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
             WHERE state <> 0 ORDER BY domain, id",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(blob).collect()
    }

    /// Condemns packs that hold blobs; one that is condemned stays so since when it was.
    pub async fn condemn(&self, packs: &[PackId], at: i64) -> Result<()> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        for pack in packs {
            sqlx::query(
                "INSERT INTO condemned_pack (pack, domain, at)
                 SELECT pack, MIN(domain), $2 FROM blob WHERE pack = $1 GROUP BY pack
                 ON CONFLICT DO NOTHING",
            )
            .bind(signed(pack.0)?)
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
                 WHERE domain = $1 AND id = $2 AND pack = $3",
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
    /// Tells which. In one transaction.
    pub async fn forget_packs(&self, packs: &[(PackId, i64)]) -> Result<Vec<bool>> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut forgotten = Vec::with_capacity(packs.len());
        for (pack, condemned_at) in packs {
            forgotten.push(forget_one(&mut tx, *pack, *condemned_at).await?);
        }
        tx.commit().await?;
        Ok(forgotten)
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

async fn forget_one(tx: &mut SqliteConnection, pack: PackId, condemned_at: i64) -> Result<bool> {
    let condemned = sqlx::query("DELETE FROM condemned_pack WHERE pack = $1 AND at = $2")
        .bind(signed(pack.0)?)
        .bind(condemned_at)
        .execute(&mut *tx)
        .await?;
    if condemned.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("DELETE FROM blob WHERE pack = $1")
        .bind(signed(pack.0)?)
        .execute(tx)
        .await?;
    Ok(true)
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
    for row in id_list(query, ids).fetch_all(&mut *tx).await? {
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

static CONFIRM_SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    let places: Vec<String> = (2..LOCATE + 2).map(|n| format!("${n}")).collect();
    format!(
        "SELECT blob.id AS id, blob.pack AS pack, condemned_pack.at AS at
         FROM blob LEFT JOIN condemned_pack ON condemned_pack.pack = blob.pack
         WHERE blob.domain = $1 AND blob.state = 0 AND blob.id IN ({})",
        places.join(", ")
    )
});

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

fn blob_id(bytes: &[u8]) -> Result<BlobId> {
    bytes.try_into().map(BlobId).map_err(|_| Error::Damaged {
        noun: "blob",
        reason: "an id of the wrong length".to_owned(),
    })
}
