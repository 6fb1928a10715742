//! EBS direct: snapshots read and written block by block, REST and JSON.
//!
//! - [`Operation`]: which operation a method and path name.
//! - `wire`: what bodies look like.

use bytes::Bytes;
use cairn_control::{Caller, Control, ebs::BlockList, request as verbs};
use cairn_model::SnapshotState;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header::CONTENT_TYPE};

use crate::{
    dialect::{self, Answer},
    problem::Problem,
    received::Received,
    rest,
};

mod wire;

/// Bytes of a block.
const BLOCK_SIZE: i64 = 512 * 1024;
const CHECKSUM_ALGORITHM: &str = "SHA256";

const DATA_LENGTH: HeaderName = HeaderName::from_static("x-amz-data-length");
const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-checksum");
const ALGORITHM: HeaderName = HeaderName::from_static("x-amz-checksum-algorithm");

/// An operation with what its path says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Operation {
    StartSnapshot,
    PutSnapshotBlock {
        snapshot_id: String,
        block_index: String,
    },
    CompleteSnapshot {
        snapshot_id: String,
    },
    GetSnapshotBlock {
        snapshot_id: String,
        block_index: String,
    },
    ListSnapshotBlocks {
        snapshot_id: String,
    },
    ListChangedBlocks {
        second_snapshot_id: String,
    },
}

impl Operation {
    fn of(method: &Method, path: &str) -> Result<Self, Problem> {
        let segments = rest::segments(path)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        Ok(match (method.as_str(), segments.as_slice()) {
            ("POST", ["snapshots"]) => Self::StartSnapshot,
            ("POST", ["snapshots", "completion", id]) => Self::CompleteSnapshot {
                snapshot_id: (*id).to_owned(),
            },
            ("PUT", ["snapshots", id, "blocks", index]) => Self::PutSnapshotBlock {
                snapshot_id: (*id).to_owned(),
                block_index: (*index).to_owned(),
            },
            ("GET", ["snapshots", id, "blocks", index]) => Self::GetSnapshotBlock {
                snapshot_id: (*id).to_owned(),
                block_index: (*index).to_owned(),
            },
            ("GET", ["snapshots", id, "blocks"]) => Self::ListSnapshotBlocks {
                snapshot_id: (*id).to_owned(),
            },
            ("GET", ["snapshots", id, "changedblocks"]) => Self::ListChangedBlocks {
                second_snapshot_id: (*id).to_owned(),
            },
            _ => return Err(Problem::OperationUnknown),
        })
    }
}

/// Answers a request of EBS direct.
pub(crate) async fn call(
    control: &Control,
    caller: &Caller,
    received: &Received,
) -> Result<Answer, Problem> {
    match Operation::of(received.method(), received.path())? {
        Operation::StartSnapshot => start(control, caller, received).await,
        Operation::PutSnapshotBlock {
            snapshot_id,
            block_index,
        } => put(control, caller, received, snapshot_id, &block_index).await,
        Operation::CompleteSnapshot { snapshot_id } => {
            complete(control, caller, received, snapshot_id).await
        }
        Operation::GetSnapshotBlock {
            snapshot_id,
            block_index,
        } => get(control, caller, received, snapshot_id, &block_index).await,
        Operation::ListSnapshotBlocks { snapshot_id } => {
            list(control, caller, received, snapshot_id).await
        }
        Operation::ListChangedBlocks { second_snapshot_id } => {
            list_changed(control, caller, received, second_snapshot_id).await
        }
    }
}

async fn start(control: &Control, caller: &Caller, received: &Received) -> Result<Answer, Problem> {
    let asked: wire::StartSnapshot = rest::body(&received.body)?;
    let snapshot = control.start_snapshot(caller, asked.request()?).await?;
    dialect::json(StatusCode::CREATED, &wire::StartedSnapshot::of(&snapshot))
}

async fn put(
    control: &Control,
    caller: &Caller,
    received: &Received,
    snapshot_id: String,
    block_index: &str,
) -> Result<Answer, Problem> {
    let headers = received.headers();
    let request = verbs::PutSnapshotBlock {
        snapshot_id,
        block_index: index("BlockIndex", block_index)?,
        data_length: index(
            "DataLength",
            &rest::required_header(headers, DATA_LENGTH.as_str())?,
        )?,
        checksum: rest::required_header(headers, CHECKSUM.as_str())?,
        checksum_algorithm: rest::required_header(headers, ALGORITHM.as_str())?,
        progress: rest::number("Progress", rest::header(headers, "x-amz-progress")?)?,
        data: received.hashed().clone(),
    };
    let stored = control.put_snapshot_block(caller, request).await?;
    let mut answer = dialect::json(StatusCode::CREATED, &wire::Nothing {})?;
    add_checksum(&mut answer, &stored.checksum)?;
    Ok(answer)
}

async fn complete(
    control: &Control,
    caller: &Caller,
    received: &Received,
    snapshot_id: String,
) -> Result<Answer, Problem> {
    let headers = received.headers();
    let count = rest::required_header(headers, "x-amz-changedblockscount")?;
    let request = verbs::CompleteSnapshot {
        snapshot_id,
        changed_blocks_count: index("ChangedBlocksCount", &count)?,
        checksum: rest::header(headers, CHECKSUM.as_str())?,
        checksum_algorithm: rest::header(headers, ALGORITHM.as_str())?,
        checksum_aggregation_method: rest::header(headers, "x-amz-checksum-aggregation-method")?,
    };
    let state: SnapshotState = control.complete_snapshot(caller, request).await?;
    dialect::json(
        StatusCode::ACCEPTED,
        &wire::CompletedSnapshot {
            status: state.as_str(),
        },
    )
}

async fn get(
    control: &Control,
    caller: &Caller,
    received: &Received,
    snapshot_id: String,
    block_index: &str,
) -> Result<Answer, Problem> {
    let mut query = Query::of(received, &["blockToken"])?;
    let request = verbs::GetSnapshotBlock {
        snapshot_id,
        block_index: index("BlockIndex", block_index)?,
        block_token: query
            .take("blockToken")
            .ok_or_else(|| Problem::FieldMissing("BlockToken".to_owned()))?,
    };
    let block = control.get_snapshot_block(caller, request).await?;
    let length = HeaderValue::from(block.data.len());
    let mut answer = Response::new(Bytes::from_owner(block.data));
    let headers = answer.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(DATA_LENGTH, length);
    add_checksum(&mut answer, &block.checksum)?;
    Ok(answer)
}

async fn list(
    control: &Control,
    caller: &Caller,
    received: &Received,
    snapshot_id: String,
) -> Result<Answer, Problem> {
    let query = Query::of(received, &["maxResults", "pageToken", "startingBlockIndex"])?;
    let found = control
        .list_snapshot_blocks(caller, query.list_blocks(snapshot_id)?)
        .await?;
    dialect::json(StatusCode::OK, &wire::SnapshotBlocks::of(found))
}

async fn list_changed(
    control: &Control,
    caller: &Caller,
    received: &Received,
    snapshot_id: String,
) -> Result<Answer, Problem> {
    let query = Query::of(
        received,
        &[
            "firstSnapshotId",
            "maxResults",
            "pageToken",
            "startingBlockIndex",
        ],
    )?;
    let found: BlockList = control
        .list_changed_blocks(caller, query.list_blocks(snapshot_id)?)
        .await?;
    dialect::json(StatusCode::OK, &wire::ChangedBlocks::of(found))
}

/// The parameters of a query string; empty ones are absent.
#[derive(Debug)]
struct Query(Vec<(String, String)>);

impl Query {
    fn of(received: &Received, known: &[&str]) -> Result<Self, Problem> {
        let mut pairs = received.query_parameters()?;
        for (position, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(Problem::FieldUnknown(name.clone()));
            }
            if pairs[..position].iter().any(|(earlier, _)| earlier == name) {
                return Err(Problem::FieldRepeated(name.clone()));
            }
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Self(pairs))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let position = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(position).1)
    }

    fn list_blocks(mut self, snapshot_id: String) -> Result<verbs::ListBlocks, Problem> {
        Ok(verbs::ListBlocks {
            first_snapshot_id: self.take("firstSnapshotId"),
            snapshot_id,
            page_token: self.take("pageToken"),
            max_results: rest::number("MaxResults", self.take("maxResults"))?,
            starting_block_index: rest::number(
                "StartingBlockIndex",
                self.take("startingBlockIndex"),
            )?,
        })
    }
}

fn index(name: &str, text: &str) -> Result<i64, Problem> {
    text.parse().map_err(|_| rest::wrong(name, "an integer"))
}

fn add_checksum(answer: &mut Answer, checksum: &str) -> Result<(), Problem> {
    let value = HeaderValue::from_str(checksum).map_err(cairn_control::Error::internal)?;
    let headers = answer.headers_mut();
    headers.insert(CHECKSUM, value);
    headers.insert(ALGORITHM, HeaderValue::from_static(CHECKSUM_ALGORITHM));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: &str, path: &str) -> Result<Operation, Problem> {
        Operation::of(&method.parse().unwrap(), path)
    }

    #[test]
    fn paths_name_operations() {
        let id = || "snap-1".to_owned();
        let block = || "7".to_owned();
        for (method, path, expected) in [
            ("POST", "/snapshots", Operation::StartSnapshot),
            (
                "POST",
                "/snapshots/completion/snap-1",
                Operation::CompleteSnapshot { snapshot_id: id() },
            ),
            (
                "PUT",
                "/snapshots/snap-1/blocks/7",
                Operation::PutSnapshotBlock {
                    snapshot_id: id(),
                    block_index: block(),
                },
            ),
            (
                "GET",
                "/snapshots/snap%2D1/blocks/7",
                Operation::GetSnapshotBlock {
                    snapshot_id: id(),
                    block_index: block(),
                },
            ),
            (
                "GET",
                "/snapshots/snap-1/blocks",
                Operation::ListSnapshotBlocks { snapshot_id: id() },
            ),
            (
                "GET",
                "/snapshots/snap-1/changedblocks",
                Operation::ListChangedBlocks {
                    second_snapshot_id: id(),
                },
            ),
        ] {
            assert_eq!(operation(method, path), Ok(expected), "{method} {path}");
        }
        for (method, path) in [
            ("GET", "/snapshots"),
            ("PUT", "/snapshots/a/blocks"),
            ("GET", "/"),
            ("POST", "/x/y"),
        ] {
            assert_eq!(
                operation(method, path),
                Err(Problem::OperationUnknown),
                "{method} {path}"
            );
        }
    }
}
