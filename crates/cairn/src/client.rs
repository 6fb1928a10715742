//! A small client of the AWS APIs: signed requests, retries, errors with their codes.
//!
//! - [`http`]: one signed request and its answer.
//! - [`ec2`], [`ebs`], [`cairn`]: the operations that commands need.

pub(crate) mod cairn;
pub(crate) mod ebs;
pub(crate) mod ec2;
pub(crate) mod http;

use std::{
    env,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use cairn_model::Region;

pub(crate) use self::http::Client;
use crate::{
    cli::{Global, RegionArg},
    data_dir::{Credentials, DataDir},
    failure::{Failure, Result},
    settings::{DEFAULT_REGION, parse_region},
};

/// Where a server is and how to sign for it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// `http://host:port`.
    pub(crate) endpoint: String,
    /// Who signs.
    pub(crate) credentials: Credentials,
    /// The region of the credential scope.
    pub(crate) region: Region,
}

impl Target {
    /// Finds the server: by its data directory if one is named, else by the AWS variables, else
    /// by the default data directory.
    pub(crate) fn find(global: &Global, region: &RegionArg) -> Result<Self> {
        match (&global.data, variable("AWS_ENDPOINT_URL")) {
            (None, Some(endpoint)) => {
                Self::from_environment(endpoint, choose_region(region, None)?)
            }
            (named, _) => {
                let dir = DataDir::named_or_default(named.as_deref())?;
                Ok(Self {
                    endpoint: dir.endpoint()?,
                    credentials: dir.credentials()?,
                    region: choose_region(region, dir.region())?,
                })
            }
        }
    }

    /// Fails if nobody listens at the endpoint, as where a killed server left its address. One that
    /// is a name came from the environment, and is believed.
    pub(crate) fn check_answers(&self) -> Result<()> {
        let authority = http::authority(&self.endpoint)?;
        let Ok(address) = authority.parse::<SocketAddr>() else {
            return Ok(());
        };
        TcpStream::connect_timeout(&address, CONNECT_TIME_MAX)
            .map(drop)
            .map_err(|cause| Failure::Unreachable(http::nobody_answers(&self.endpoint, &cause)))
    }

    fn from_environment(endpoint: String, region: Region) -> Result<Self> {
        let needed = |name: &str| {
            variable(name).ok_or_else(|| {
                Failure::Usage(format!(
                    "AWS_ENDPOINT_URL is set, but {name} is not; set it, or name a data directory with --data"
                ))
            })
        };
        let credentials = Credentials {
            access_key_id: needed("AWS_ACCESS_KEY_ID")?,
            secret_access_key: needed("AWS_SECRET_ACCESS_KEY")?,
        };
        Ok(Self {
            endpoint,
            credentials,
            region,
        })
    }
}

/// Connects to the server that the command line and the environment name.
pub(crate) fn connect(global: &Global, region: &RegionArg) -> Result<Client> {
    Client::new(Target::find(global, region)?)
}

/// How long a client that has begun something waits for a server that went away to come back.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a server may take to accept a connection.
pub(crate) const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// The region that was asked for, else that of the environment, else that which the server names.
fn choose_region(region: &RegionArg, of_server: Option<String>) -> Result<Region> {
    let name = region
        .region
        .clone()
        .or_else(|| variable("AWS_REGION"))
        .or_else(|| variable("AWS_DEFAULT_REGION"))
        .or(of_server)
        .unwrap_or_else(|| DEFAULT_REGION.into());
    parse_region(&name)
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
