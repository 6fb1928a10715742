//! The regions that an account has: some from the beginning, others once it has opted in.
//!
//! Opting in makes there what an account has in every region from the beginning. Opting out leaves
//! everything where it is, and machines running; only calls are refused, as those of nobody.
//!
//! Source: <https://docs.aws.amazon.com/accounts/latest/reference/API_Operations.html>.

use cairn_model::{
    AccountId, Entropy, Page, Paged, Region,
    page::{Bounds, Pager},
    place::{OPT_STATUSES, OptIn, RegionOpt},
};
use cairn_store::{
    Connection, WriteTx, network as networks,
    setting::{self, Setting},
};
use serde::{Deserialize, Serialize};

use crate::{Caller, Control, Error, ErrorKind, Result, account::prepare_region};

/// What MaxResults of ListRegions may be.
const PAGE: Bounds = Bounds { min: 1, max: 50 };

/// Whether an account has opted into a region; none if it never was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Choice {
    opted_in: Option<bool>,
}

impl Setting for Choice {
    const NAME: &'static str = "region-opt-in";
}

impl Control {
    /// What a region is to an account.
    pub async fn region_opt(&self, account: &AccountId, region: Region) -> Result<OptIn> {
        if !region.needs_opt_in() {
            return Ok(OptIn::NotRequired);
        }
        opt_in(&mut *self.store().read().await?, account, region).await
    }

    /// Opts into a region. Done when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::RegionOptTarget`] if nobody opts into it.
    pub async fn enable_region(&self, caller: &Caller, name: &str) -> Result<()> {
        let region = target(name)?;
        let mut tx = self.store().write().await?;
        enable(&mut tx, &caller.account, region, self.entropy()).await?;
        tx.commit().await?;
        self.know_domains().await
    }

    /// Opts out of a region. What is there stays, and nobody gets at it.
    ///
    /// # Errors
    /// [`ErrorKind::RegionOptTarget`] if nobody opts out of it.
    pub async fn disable_region(&self, caller: &Caller, name: &str) -> Result<()> {
        let region = target(name)?;
        let mut tx = self.store().write().await?;
        let chosen: Choice = setting::get(&mut tx, &caller.account, region).await?;
        if chosen.opted_in == Some(true) {
            let out = Choice {
                opted_in: Some(false),
            };
            setting::put(&mut tx, &caller.account, region, &out).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The regions, by name, each as the account has it; only those of some statuses, if any are named.
    pub async fn list_regions(
        &self,
        caller: &Caller,
        statuses: Vec<String>,
        page: Page,
    ) -> Result<Paged<RegionOpt>> {
        for status in &statuses {
            if !OPT_STATUSES.contains(&status.as_str()) {
                let text = format!("Value '{status}' for RegionOptStatusContains is invalid.");
                return Err(Error::new(ErrorKind::InvalidParameterValue, text));
            }
        }
        let mut all = self.region_opts(&caller.account).await?;
        all.retain(|found| {
            statuses.is_empty() || statuses.iter().any(|s| s == found.opt_in.as_status())
        });
        let scope = format!("ListRegions {} {statuses:?}", caller.account);
        let pager = Pager {
            seal: self.seal(),
            scope: &scope,
            bounds: PAGE,
        };
        Ok(pager.cut(all, &page, |found| found.region.name().to_owned())?)
    }

    /// What each region is to an account, by name.
    pub(crate) async fn region_opts(&self, account: &AccountId) -> Result<Vec<RegionOpt>> {
        let mut all = Vec::new();
        for region in Region::all() {
            let opt_in = self.region_opt(account, region).await?;
            all.push(RegionOpt { region, opt_in });
        }
        Ok(all)
    }

    /// Refuses another region that the caller has not opted into.
    pub(crate) async fn check_region(&self, caller: &Caller, region: Region) -> Result<()> {
        if self.region_opt(&caller.account, region).await?.is_enabled() {
            return Ok(());
        }
        let text = format!("The region '{region}' is not enabled for your account.");
        Err(Error::new(ErrorKind::InvalidParameterValue, text))
    }
}

/// The region of a name, whoever has it.
///
/// # Errors
/// [`ErrorKind::InvalidParameterValue`] if there is none.
pub fn named(name: &str) -> Result<Region> {
    Region::named(name).ok_or_else(|| {
        let text = format!("Invalid region name: '{name}'");
        Error::new(ErrorKind::InvalidParameterValue, text)
    })
}

/// Opts an account into a region, in the caller's transaction. The first time makes what accounts have
/// everywhere.
pub(crate) async fn enable(
    tx: &mut WriteTx,
    account: &AccountId,
    region: Region,
    entropy: &dyn Entropy,
) -> Result<()> {
    let chosen: Choice = setting::get(tx, account, region).await?;
    let is_first = chosen.opted_in.is_none();
    if is_first && networks::list_vpcs(tx, account, region).await?.is_empty() {
        prepare_region(tx, account, region, entropy).await?;
    }
    let opted_in = Some(true);
    Ok(setting::put(tx, account, region, &Choice { opted_in }).await?)
}

async fn opt_in(conn: &mut Connection, account: &AccountId, region: Region) -> Result<OptIn> {
    let chosen: Choice = setting::get(conn, account, region).await?;
    Ok(match chosen.opted_in {
        Some(true) => OptIn::OptedIn,
        Some(false) | None => OptIn::NotOptedIn,
    })
}

/// The region of a name, if it is one to opt into and out of.
fn target(name: &str) -> Result<Region> {
    let region = named(name)?;
    if region.needs_opt_in() {
        return Ok(region);
    }
    let text =
        format!("The region '{region}' is enabled by default: nobody opts into or out of it.");
    Err(Error::new(ErrorKind::RegionOptTarget, text))
}
