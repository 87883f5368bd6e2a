//! Snapshots of instances and clusters, and the accounts that may restore them.

use std::collections::BTreeSet;

use aws_sdk_rds::types;
use futures_util::stream::{self, Stream, TryStreamExt};
use rectify_compliance::{NoParameters, ResourceKey, ResourceState, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, Found, List, Page, ReadFacts, read_each};

use super::{Clients, tags};
use rectify_rds::controls::rds_snapshots_public_prohibited::{Action, RdsSnapshotsPublicProhibited};
use rectify_rds::resources::database::Kind;
use rectify_rds::resources::snapshot::{CLUSTER_SNAPSHOT, Description, RESTORE, Snapshot};

/// The only type that can be shared.
const MANUAL: &str = "manual";
/// How many snapshots are read concurrently, each with one call.
const CONCURRENCY: usize = 8;

/// The error codes for a snapshot that does not exist, of an instance and of a cluster.
const GONE: [&str; 2] = ["DBSnapshotNotFound", "DBClusterSnapshotNotFoundFault"];

/// The name and the values of an attribute.
type Attribute = (Option<String>, Option<Vec<String>>);

/// Where a page of a listing begins. The snapshots of instances come first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    kind: Kind,
    /// `Marker`; `None` for the first page of the kind.
    marker: Option<String>,
}

impl Position {
    const FIRST: Self = Self { kind: Kind::Instance, marker: None };

    /// The position after a page with this marker; `None` after the last page.
    fn after(kind: Kind, marker: Option<String>) -> Option<Self> {
        match (kind, marker.filter(|it| !it.is_empty())) {
            (kind, Some(marker)) => Some(Self { kind, marker: Some(marker) }),
            (Kind::Instance, None) => Some(Self { kind: Kind::Cluster, marker: None }),
            (Kind::Cluster, None) => None,
        }
    }

    /// As the token of a page: `instance`, `cluster`, or either with `:` and a marker.
    fn token(&self) -> String {
        let kind = match self.kind {
            Kind::Instance => "instance",
            Kind::Cluster => "cluster",
        };
        self.marker.as_ref().map_or_else(|| kind.to_owned(), |marker| format!("{kind}:{marker}"))
    }

    fn parse(token: &str) -> Result<Self, ShapeError> {
        let (kind, marker) = token.split_once(':').map_or((token, None), |(kind, marker)| (kind, Some(marker)));
        let kind = match kind {
            "instance" => Kind::Instance,
            "cluster" => Kind::Cluster,
            _ => return Err(ShapeError::new("page", "`instance` or `cluster`, and a marker", token)),
        };
        Ok(Self { kind, marker: marker.map(str::to_owned) })
    }
}

impl Clients {
    /// One page of the manual snapshots, without their accounts, and the marker of the next page of their kind.
    async fn manual_snapshots(&self, at: Position) -> Result<(Vec<Snapshot>, Option<String>), AwsError> {
        match at.kind {
            Kind::Instance => {
                let call = self.rds.describe_db_snapshots().snapshot_type(MANUAL).set_marker(at.marker);
                let answer = call.send().await.map_err(|error| AwsError::call("rds:DescribeDBSnapshots", &error))?;
                let snapshots = answer.db_snapshots().iter().map(of_instance).collect::<Result<_, _>>()?;
                Ok((snapshots, answer.marker))
            }
            Kind::Cluster => {
                let call = self.rds.describe_db_cluster_snapshots().snapshot_type(MANUAL).set_marker(at.marker);
                let answer =
                    call.send().await.map_err(|error| AwsError::call("rds:DescribeDBClusterSnapshots", &error))?;
                let snapshots = answer.db_cluster_snapshots().iter().map(of_cluster).collect::<Result<_, _>>()?;
                Ok((snapshots, answer.marker))
            }
        }
    }

    /// The snapshot with this identifier, without its accounts; `None` when there is none.
    async fn snapshot(&self, kind: Kind, id: &str) -> Result<Option<Snapshot>, AwsError> {
        let found = match kind {
            Kind::Instance => {
                let answer = self.rds.describe_db_snapshots().db_snapshot_identifier(id).send().await;
                let answer = answer.map_err(|error| AwsError::call("rds:DescribeDBSnapshots", &error));
                unless_gone(answer)?.and_then(|answer| answer.db_snapshots().first().map(of_instance))
            }
            Kind::Cluster => {
                let call = self.rds.describe_db_cluster_snapshots().db_cluster_snapshot_identifier(id);
                let answer = call.send().await;
                let answer = answer.map_err(|error| AwsError::call("rds:DescribeDBClusterSnapshots", &error));
                unless_gone(answer)?.and_then(|answer| answer.db_cluster_snapshots().first().map(of_cluster))
            }
        };
        Ok(found.transpose()?)
    }

    /// The accounts that may restore the snapshot; `None` when there is no such snapshot.
    async fn restorable_by(&self, kind: Kind, id: &str) -> Result<Option<BTreeSet<String>>, AwsError> {
        let attributes: Option<Vec<Attribute>> = match kind {
            Kind::Instance => {
                let answer = self.rds.describe_db_snapshot_attributes().db_snapshot_identifier(id).send().await;
                let answer = answer.map_err(|error| AwsError::call("rds:DescribeDBSnapshotAttributes", &error));
                unless_gone(answer)?.map(|answer| {
                    let attributes = answer.db_snapshot_attributes_result.and_then(|it| it.db_snapshot_attributes);
                    attributes.into_iter().flatten().map(|it| (it.attribute_name, it.attribute_values)).collect()
                })
            }
            Kind::Cluster => {
                let call = self.rds.describe_db_cluster_snapshot_attributes().db_cluster_snapshot_identifier(id);
                let answer = call.send().await;
                let answer = answer.map_err(|error| AwsError::call("rds:DescribeDBClusterSnapshotAttributes", &error));
                unless_gone(answer)?.map(|answer| {
                    let attributes =
                        answer.db_cluster_snapshot_attributes_result.and_then(|it| it.db_cluster_snapshot_attributes);
                    attributes.into_iter().flatten().map(|it| (it.attribute_name, it.attribute_values)).collect()
                })
            }
        };
        let Some(attributes) = attributes else { return Ok(None) };
        let restore = attributes.into_iter().find(|(name, _)| name.as_deref() == Some(RESTORE));
        // Without it the accounts are unknown; without values there are none.
        let (_, values) = restore.ok_or_else(|| ShapeError::missing(format!("{id}.{RESTORE}"), "an attribute"))?;
        Ok(Some(values.into_iter().flatten().collect()))
    }

    /// The snapshot with its accounts, if it can have any; `None` when it is already gone.
    async fn with_accounts(&self, snapshot: Snapshot) -> Result<Option<Snapshot>, AwsError> {
        if !snapshot.can_be_shared() {
            return Ok(Some(snapshot));
        }
        let accounts = self.restorable_by(snapshot.kind, &snapshot.identifier).await?;
        Ok(accounts.map(|accounts| Snapshot { restorable_by: Some(accounts), ..snapshot }))
    }

    /// The pages of manual snapshots from a token on, without their accounts, each with the position of the next page.
    fn listed(
        &self,
        from: Option<String>,
    ) -> impl Stream<Item = Result<(Vec<Snapshot>, Option<Position>), AwsError>> + Send {
        let first = from.map_or(Ok(Position::FIRST), |token| Position::parse(&token));
        stream::try_unfold(Some(first), move |at| async move {
            let Some(at) = at.transpose()? else { return Ok(None) };
            let kind = at.kind;
            let (snapshots, marker) = self.manual_snapshots(at).await?;
            let next = Position::after(kind, marker);
            Ok(Some(((snapshots, next.clone()), next.map(Ok))))
        })
    }
}

impl ReadFacts<Clients> for RdsSnapshotsPublicProhibited {
    async fn facts(
        &self,
        clients: &Clients,
        _target: &Target,
        snapshot: &Snapshot,
        _params: &NoParameters,
    ) -> Result<Option<Option<BTreeSet<String>>>, AwsError> {
        if snapshot.restorable_by.is_some() || !snapshot.can_be_shared() {
            return Ok(Some(None));
        }
        Ok(clients.restorable_by(snapshot.kind, &snapshot.identifier).await?.map(Some))
    }
}

impl List<Clients> for RdsSnapshotsPublicProhibited {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a NoParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<Snapshot>, AwsError>> + Send + 'a {
        clients.listed(from).and_then(move |(snapshots, next)| async move {
            // A loop, because a closure that returns these futures is not general enough for every lifetime.
            let mut reads = Vec::new();
            for snapshot in snapshots {
                let found = Found { resource: snapshot.identity().key, name: None };
                reads.push((found, clients.with_accounts(snapshot)));
            }
            let resources = read_each(reads, CONCURRENCY).await;
            Ok(Page { resources, next: next.as_ref().map(Position::token) })
        })
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a NoParameters,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        let keys = |snapshots: Vec<Snapshot>| snapshots.iter().map(|it| it.identity().key).collect();
        clients.listed(None).map_ok(move |(snapshots, _)| keys(snapshots))
    }
}

impl Fix<Clients> for RdsSnapshotsPublicProhibited {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &NoParameters,
    ) -> Result<Option<Snapshot>, AwsError> {
        let kind = if target.resource.kind == CLUSTER_SNAPSHOT { Kind::Cluster } else { Kind::Instance };
        match clients.snapshot(kind, &target.resource.id).await? {
            Some(snapshot) => clients.with_accounts(snapshot).await,
            None => Ok(None),
        }
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        match action {
            Action::ModifyDBSnapshotAttribute { identifier, change } => {
                let call = clients.rds.modify_db_snapshot_attribute().db_snapshot_identifier(identifier);
                let call = call
                    .attribute_name(&change.attribute_name)
                    .set_values_to_add(change.values_to_add.clone())
                    .set_values_to_remove(change.values_to_remove.clone());
                call.send().await.map(drop).map_err(|error| AwsError::call("rds:ModifyDBSnapshotAttribute", &error))
            }
            Action::ModifyDBClusterSnapshotAttribute { identifier, change } => {
                let call =
                    clients.rds.modify_db_cluster_snapshot_attribute().db_cluster_snapshot_identifier(identifier);
                let call = call
                    .attribute_name(&change.attribute_name)
                    .set_values_to_add(change.values_to_add.clone())
                    .set_values_to_remove(change.values_to_remove.clone());
                let answer = call.send().await.map(drop);
                answer.map_err(|error| AwsError::call("rds:ModifyDBClusterSnapshotAttribute", &error))
            }
        }
    }
}

/// The answer; `None` where the error means that the snapshot does not exist.
fn unless_gone<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Err(error) if error.code().is_some_and(|code| GONE.contains(&code)) => Ok(None),
        answer => answer.map(Some),
    }
}

fn of_instance(found: &types::DbSnapshot) -> Result<Snapshot, ShapeError> {
    let text = |value: Option<&str>| value.map(str::to_owned);
    let description = Description {
        identifier: text(found.db_snapshot_identifier()),
        arn: text(found.db_snapshot_arn()),
        snapshot_type: text(found.snapshot_type()),
        status: text(found.status()),
    };
    description.snapshot(Kind::Instance, tags(found.tag_list()))
}

fn of_cluster(found: &types::DbClusterSnapshot) -> Result<Snapshot, ShapeError> {
    let text = |value: Option<&str>| value.map(str::to_owned);
    let description = Description {
        identifier: text(found.db_cluster_snapshot_identifier()),
        arn: text(found.db_cluster_snapshot_arn()),
        snapshot_type: text(found.snapshot_type()),
        status: text(found.status()),
    };
    description.snapshot(Kind::Cluster, tags(found.tag_list()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_of_clusters_follow_those_of_instances() {
        let marker = Some("more".to_owned());
        let second = Position { kind: Kind::Instance, marker: marker.clone() };
        let cluster = Position { kind: Kind::Cluster, marker: None };
        assert_eq!(Position::after(Kind::Instance, marker.clone()), Some(second.clone()));
        assert_eq!(Position::after(Kind::Instance, Some(String::new())), Some(cluster.clone()));
        assert_eq!(Position::after(Kind::Cluster, None), None);
        let with_colon = Position { kind: Kind::Cluster, marker: Some("a:b".to_owned()) };
        for position in [Position::FIRST, second, cluster, with_colon] {
            assert_eq!(Position::parse(&position.token()), Ok(position));
        }
        assert!(Position::parse("proxy:more").is_err());
    }
}
