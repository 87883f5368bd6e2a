//! A DB cluster, read from a configuration item or from the API.
//!
//! Depends on no control and no SDK.

use rectify_compliance::{
    ConfigurationItem, Operation, Permission, Resource, ResourceIdentity, ResourceState, ShapeError, View,
};
use serde::{Deserialize, Serialize};

use crate::resources::database::{CLUSTER, Database, Description};
use crate::{DESCRIBE_CLUSTERS, MODIFY_CLUSTER};

/// A cluster with the settings that the controls read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// Its identifiers, engine, status and tags.
    pub database: Database,
    /// `DeletionProtection`; off where missing.
    pub deletion_protection: bool,
}

impl Cluster {
    /// Builds the cluster from a description.
    pub fn of(description: &Description, database: Database) -> Self {
        Self { database, deletion_protection: description.deletion_protection.unwrap_or(false) }
    }
}

impl ResourceState for Cluster {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.database.identity()
    }
}

/// `ModifyDBCluster`; settings that it does not name stay unchanged.
pub const MODIFY: Operation =
    Operation { name: "ModifyDBCluster", resource: "DBClusterIdentifier", permissions: &[MODIFY_CLUSTER] };

impl View for Cluster {
    type Resource = Self;
    type Facts = ();
    const FACTS: &'static [Permission] = &[];
    const READ: &'static [Permission] = &[DESCRIBE_CLUSTERS];
    const LIST: &'static [Permission] = &[];
    const NEEDS_NAME: bool = true;

    fn of(cluster: Self, (): ()) -> Self {
        cluster
    }

    fn call_id(&self) -> &str {
        &self.database.identifier
    }

    fn blocked(&self) -> Option<String> {
        self.database.blocker()
    }

    /// RDS modifies the cluster for a while and may return the new setting only afterwards.
    fn is_in_progress(&self) -> bool {
        self.database.is_busy()
    }
}

impl Resource for Cluster {
    const TYPES: &'static [&'static str] = &[CLUSTER];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let (description, database) = Description::of_item(item)?;
        Ok(Self::of(&description, database))
    }
}

#[cfg(test)]
mod tests {
    use rectify_compliance::ResourceKey;
    use serde_json::json;

    use super::*;
    use crate::resources::backups::tests::cluster_item;

    #[test]
    fn an_item_is_parsed_in_the_casing_of_aws_config() {
        let cluster = |changes| Cluster::from_item(&cluster_item(&changes)).unwrap();
        let protected = cluster(json!({"deletionProtection": true}));
        assert_eq!(protected.identity().key, ResourceKey::new(CLUSTER, "cluster-SHOP"));
        assert_eq!((protected.call_id(), protected.deletion_protection), ("shop", true));
        assert!(!cluster(json!({})).deletion_protection, "a missing setting is off");
    }
}
