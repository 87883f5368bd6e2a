//! What a control's crate implements in its `client.rs`, once per control: the only places that call a service.
//!
//! Every method makes one kind of call and maps it; deciding is the core's business. Each follows all pages.

use std::future::Future;

use aws_types::SdkConfig;
use futures_util::Stream;
use rectify_compliance::{AccountId, FromItem, Inventory, Region, Remediation, Target};

use crate::AwsError;

/// All SDK clients a crate needs, for one account and region.
pub trait Connect: Sized + Send + Sync + 'static {
    /// Builds them; no call is made.
    fn connect(config: &SdkConfig) -> Self;
}

/// Where an inventory is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose resources.
    pub account: AccountId,
    /// Which region's.
    pub region: Region,
}

/// Reads what an item does not hold.
pub trait ReadFacts<C>: FromItem {
    /// The facts about `resource`, or `None` when it is gone by now.
    ///
    /// # Errors
    /// [`AwsError`] when anything else goes wrong: no verdict is made without the facts.
    fn facts(
        clients: &C,
        target: &Target,
        resource: &Self::Resource,
        params: &Self::Params,
    ) -> impl Future<Output = Result<Option<Self::Facts>, AwsError>> + Send;
}

/// Lists all subjects of a control.
pub trait List<C>: Inventory {
    /// The subjects, page by page as the API hands them out; memory does not grow with the account.
    fn pages<'a>(
        clients: &'a C,
        place: &'a Place,
        params: &'a Self::Params,
    ) -> impl Stream<Item = Result<Vec<Self::Subject>, AwsError>> + Send + 'a;
}

/// Reads one subject as it is now.
pub trait ReadLive<C>: Remediation {
    /// The subject, whole, or `None` when the resource is gone.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be read whole.
    fn live(
        clients: &C,
        target: &Target,
        params: &Self::Params,
    ) -> impl Future<Output = Result<Option<Self::Subject>, AwsError>> + Send;
}

/// Makes one call of a plan.
pub trait Apply<C>: Remediation {
    /// Applies `action` and returns what undo will need. What is already so (a rule already revoked) is a success.
    ///
    /// # Errors
    /// [`AwsError`] when the service refused or did not answer.
    fn apply(
        clients: &C,
        target: &Target,
        action: &Self::Action,
    ) -> impl Future<Output = Result<Self::Receipt, AwsError>> + Send;
}

/// Makes one call of an undo.
pub trait Revert<C>: Remediation {
    /// Plays `undo`. What is already so is a success.
    ///
    /// # Errors
    /// [`AwsError`] when the service refused or did not answer.
    fn revert(clients: &C, target: &Target, undo: &Self::Undo) -> impl Future<Output = Result<(), AwsError>> + Send;
}
