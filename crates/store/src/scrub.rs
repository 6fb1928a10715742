//! Scrubs: how far they are, and what they found.

use cairn_blocks::{BlobId, DomainId, PackId};
use cairn_model::{Region, Timestamp};
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    db::{Connection, WriteTx},
    error::{Error, Result},
};

/// The last run in a region, or the one under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it was begun; before the first one, when the region was first seen.
    pub begun: Timestamp,
    /// When it ended; none while it is under way.
    pub ended: Option<Timestamp>,
    /// How many runs were begun, this one among them.
    pub runs: u64,
    /// Packs with smaller numbers are done.
    pub next_pack: PackId,
    /// Packs read.
    pub packs: u64,
    /// How many there were to read.
    pub all_packs: u64,
    /// Blobs checked.
    pub blobs: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Snapshots that could not be read when it ended.
    pub unreadable: u64,
    /// Blobs of which only what needs no key was checked, since their key could not be had.
    pub unchecked: u64,
}

impl Run {
    /// A region that has packs, and was never scrubbed.
    pub fn never(now: Timestamp) -> Self {
        Self {
            ended: Some(now),
            runs: 0,
            ..Self::begin(now, None)
        }
    }

    /// The run after another one.
    pub fn begin(now: Timestamp, last: Option<&Self>) -> Self {
        Self {
            begun: now,
            ended: None,
            runs: last.map_or(0, |last| last.runs) + 1,
            next_pack: PackId(0),
            packs: 0,
            all_packs: 0,
            blobs: 0,
            bytes: 0,
            unreadable: 0,
            unchecked: 0,
        }
    }
}

/// Bytes of a file that are not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, relative to the region's directory.
    pub file: String,
    /// Where in the file.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
    /// What is wrong, as a sentence.
    pub fault: String,
    /// What a reader would miss.
    pub blob: Option<LostBlob>,
    /// When it was found.
    pub found: Timestamp,
}

/// A blob that cannot be read where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LostBlob {
    /// Where it lies.
    pub pack: PackId,
    /// Whose it is.
    pub domain: DomainId,
    /// Its address.
    pub id: BlobId,
}

/// The last run in a region, or the one under way.
pub async fn get(conn: &mut Connection, region: Region) -> Result<Option<Run>> {
    let row = sqlx::query(
        "SELECT begun, ended, runs, next_pack, packs, all_packs, blobs, bytes, unreadable, unchecked
         FROM scrub WHERE region = $1",
    )
    .bind(region.name())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(run).transpose()
}

/// Records how far a run is.
pub async fn put(tx: &mut WriteTx, region: Region, run: &Run) -> Result<()> {
    sqlx::query(
        "INSERT INTO scrub (region, begun, ended, runs, next_pack, packs, all_packs, blobs, bytes, unreadable, unchecked)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (region) DO UPDATE SET begun = $2, ended = $3, runs = $4, next_pack = $5, packs = $6,
         all_packs = $7, blobs = $8, bytes = $9, unreadable = $10, unchecked = $11",
    )
    .bind(region.name())
    .bind(run.begun.0)
    .bind(run.ended.map(|ended| ended.0))
    .bind(signed(run.runs)?)
    .bind(signed(run.next_pack.0)?)
    .bind(signed(run.packs)?)
    .bind(signed(run.all_packs)?)
    .bind(signed(run.blobs)?)
    .bind(signed(run.bytes)?)
    .bind(signed(run.unreadable)?)
    .bind(signed(run.unchecked)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What was found in a region, by file and place.
pub async fn findings(conn: &mut Connection, region: Region) -> Result<Vec<Finding>> {
    let rows = sqlx::query(
        "SELECT file, byte_offset, byte_length, fault, pack, domain, blob, found
         FROM scrub_finding WHERE region = $1 ORDER BY file, number",
    )
    .bind(region.name())
    .fetch_all(conn)
    .await?;
    rows.iter().map(finding).collect()
}

/// Replaces what was found in a file.
pub async fn replace_findings(
    tx: &mut WriteTx,
    region: Region,
    file: &str,
    findings: &[Finding],
) -> Result<()> {
    sqlx::query("DELETE FROM scrub_finding WHERE region = $1 AND file = $2")
        .bind(region.name())
        .bind(file)
        .execute(&mut **tx)
        .await?;
    for (number, finding) in (0i64..).zip(findings) {
        let blob = finding.blob;
        sqlx::query(
            "INSERT INTO scrub_finding
             (region, file, number, byte_offset, byte_length, fault, pack, domain, blob, found)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(region.name())
        .bind(file)
        .bind(number)
        .bind(signed(finding.offset)?)
        .bind(signed(finding.length)?)
        .bind(&finding.fault)
        .bind(blob.map(|blob| signed(blob.pack.0)).transpose()?)
        .bind(blob.map(|blob| blob.domain.0))
        .bind(blob.map(|blob| blob.id.0.to_vec()))
        .bind(finding.found.0)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Forgets what was found before an instant, in files that are no more.
pub async fn forget_findings_before(
    tx: &mut WriteTx,
    region: Region,
    instant: Timestamp,
) -> Result<()> {
    sqlx::query("DELETE FROM scrub_finding WHERE region = $1 AND found < $2")
        .bind(region.name())
        .bind(instant.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn run(row: &SqliteRow) -> Result<Run> {
    Ok(Run {
        begun: Timestamp(row.try_get("begun")?),
        ended: row.try_get::<Option<i64>, _>("ended")?.map(Timestamp),
        runs: unsigned(row, "runs")?,
        next_pack: PackId(unsigned(row, "next_pack")?),
        packs: unsigned(row, "packs")?,
        all_packs: unsigned(row, "all_packs")?,
        blobs: unsigned(row, "blobs")?,
        bytes: unsigned(row, "bytes")?,
        unreadable: unsigned(row, "unreadable")?,
        unchecked: unsigned(row, "unchecked")?,
    })
}

fn finding(row: &SqliteRow) -> Result<Finding> {
    let pack: Option<i64> = row.try_get("pack")?;
    let domain: Option<i64> = row.try_get("domain")?;
    let blob: Option<&[u8]> = row.try_get("blob")?;
    let blob = match (pack, domain, blob) {
        (Some(pack), Some(domain), Some(id)) => Some(LostBlob {
            pack: PackId(u64::try_from(pack).map_err(|_| damaged("pack"))?),
            domain: DomainId(domain),
            id: BlobId(id.try_into().map_err(|_| damaged("blob"))?),
        }),
        _ => None,
    };
    Ok(Finding {
        file: row.try_get("file")?,
        offset: unsigned(row, "byte_offset")?,
        length: unsigned(row, "byte_length")?,
        fault: row.try_get("fault")?,
        blob,
        found: Timestamp(row.try_get("found")?),
    })
}

fn unsigned(row: &SqliteRow, column: &str) -> Result<u64> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| damaged(column))
}

fn signed(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| damaged("a number"))
}

fn damaged(what: &str) -> Error {
    Error::Damaged {
        noun: "scrub",
        reason: format!("{what} is out of range"),
    }
}
