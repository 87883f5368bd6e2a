//! `rds-multi-az-support`: a database runs in one Availability Zone.
//!
//! Works on [`Deployment`], whatever its source; makes no API calls.

use rectify_compliance::values::{Flag, KeyValue};
use rectify_compliance::{
    ConfigurationItem, Control, Irreversible, Level, Permission, Plan, Remediation, RemediationPermissions, Resource,
    ResourceIdentity, ResourceState, ShapeError, Step, Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::database::INSTANCE;
use crate::resources::instance::Instance;
use crate::{DESCRIBE_INSTANCES, MODIFY_INSTANCE};

control! {
    /// ## What it checks
    /// That a DB instance has a standby in another Availability Zone: `multiAZ` is true, or will be after the next maintenance window.
    /// Instances that belong to a cluster are NOT_APPLICABLE, those of Multi-AZ DB clusters included: the cluster determines the zones.
    /// Also NOT_APPLICABLE are RDS Custom instances, which do not have the setting, and read replicas unless `includeReplicas` is true.
    ///
    /// ## Why it matters
    /// A database in one zone is unavailable while that zone is down and while its host is patched.
    ///
    /// ## Compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "multiAZ": true}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "multiAZ": false}
    /// ```
    ///
    /// ## Parameters
    /// `includeReplicas` widens the set of instances to evaluate; `tagOptIn` lets the remediation act, and without it every plan is blocked.
    ///
    /// ## Remediation
    /// L2: `rds:ModifyDBInstance` with the identifier and `MultiAZ` true, only for an instance that has the tag of `tagOptIn`.
    /// `ApplyImmediately` is never sent, since it would also apply all other pending changes: RDS creates the standby in the maintenance window of the instance, and until then the finding is closed as pending.
    /// What changes: a second instance is billed, and every write waits for both.
    /// What may break: nothing is interrupted, but writes become slower, and creating the standby puts load on the disks.
    /// Nothing is changed while the status of the instance is not `available`, or where `rds:DescribeOrderableDBInstanceOptions` does not offer its class, engine and version with Multi-AZ.
    /// The call addresses the instance by its identifier; another instance that reuses the identifier is not touched.
    /// RDS offers no conditional write, so milliseconds pass between the last read and the write; the call sends only this setting.
    /// Undo sets `MultiAZ` to false: before the window nothing has changed; after it RDS removes the standby in the next one.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/rds-multi-az-support.html)
    /// - [Security Hub RDS.5](https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-5)
    /// - [Multi-AZ DB instance deployments](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html)
    /// - [ModifyDBInstance](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html)
    /// - [DescribeOrderableDBInstanceOptions](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeOrderableDBInstanceOptions.html)
    pub RDS_MULTI_AZ_SUPPORT: RdsMultiAzSupport {
        id: "rds-multi-az-support",
        title: "Database runs in one Availability Zone",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: &[INSTANCE],
        level: L2,
        frameworks: {
            Cis50: ["2.2.4"],
            Fsbp: ["RDS.5"],
            Nist80053r5: ["CP-6(2)", "CP-10", "SC-5(2)", "SC-36", "SI-13(5)"],
        },
    }
}

parameters! {
    /// The parameters of [`RdsMultiAzSupport`]; the managed rule has none.
    pub MultiAzParameters {
        /// Whether read replicas are evaluated. Default false.
        include_replicas: Flag = Flag(false),
        /// The tag, `key=value`, of the instances that the remediation may change. Default: none, so it changes
        /// nothing.
        tag_opt_in: Option<KeyValue> = None,
    }
}

/// An instance and its orderable option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deployment {
    /// The instance.
    pub instance: Instance,
    /// The orderable option; read only by the live read, and only where the instance is a finding.
    #[serde(default)]
    pub offer: Option<OrderableOption>,
}

/// What `DescribeOrderableDBInstanceOptions` returns for the instance's class, engine and version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderableOption {
    /// `DBInstanceClass`.
    pub class: String,
    /// `EngineVersion`.
    pub version: String,
    /// `MultiAZCapable`.
    pub multi_az_capable: bool,
}

impl Deployment {
    /// Whether the instance is a finding, so that a plan needs the orderable option.
    pub fn is_finding(&self, params: &MultiAzParameters) -> bool {
        RdsMultiAzSupport.evaluate(self, params, Timestamp::UNIX_EPOCH).is_non_compliant()
    }
}

impl ResourceState for Deployment {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.instance.identity()
    }
}

impl Resource for Deployment {
    const TYPES: &'static [&'static str] = Instance::TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Ok(Self { instance: Instance::from_item(item)?, offer: None })
    }
}

impl Control for RdsMultiAzSupport {
    type Params = MultiAzParameters;
    type Subject = Deployment;

    fn evaluate(&self, subject: &Deployment, params: &MultiAzParameters, _now: Timestamp) -> Verdict {
        let instance = &subject.instance;
        let (name, engine) = (&instance.database.identifier, &instance.database.engine);
        if let Some(membership) = instance.membership() {
            return Verdict::not_applicable(format!("{membership}, whose zones count instead"));
        }
        if let Some(source) = instance.replica_of.as_ref().filter(|_| !params.include_replicas.0) {
            return Verdict::not_applicable(format!("{name} is a read replica of {source}"));
        }
        if engine.starts_with("custom-") {
            return Verdict::not_applicable(format!("{name} ({engine}) has no Multi-AZ setting"));
        }
        match (instance.multi_az, instance.pending_multi_az) {
            (true, Some(false)) => Verdict::Compliant(Some(format!("{name} is about to become single-AZ").into())),
            (true, _) => Verdict::COMPLIANT,
            (false, Some(true)) => Verdict::Compliant(Some(format!("{name} becomes Multi-AZ: pending").into())),
            (false, _) => Verdict::non_compliant(format!("{name} ({engine}) is single-AZ")),
        }
    }
}

/// One call to RDS. The fix and its undo are the same call with the other value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// `ModifyDBInstance`, without `ApplyImmediately`; settings that it does not name stay unchanged.
    ModifyDBInstance {
        /// `DBInstanceIdentifier`.
        #[serde(rename = "DBInstanceIdentifier")]
        identifier: String,
        /// `MultiAZ`.
        #[serde(rename = "MultiAZ")]
        multi_az: bool,
    },
}

impl Remediation for RdsMultiAzSupport {
    type Action = Action;
    type Undo = Action;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[DESCRIBE_INSTANCES, Permission::unscoped("rds:DescribeOrderableDBInstanceOptions")],
                fix: &[MODIFY_INSTANCE],
                // IAM cannot restrict the value: only `fix` keeps the remediation from turning Multi-AZ off.
                undo: &[MODIFY_INSTANCE],
            }
        }
    }

    fn needs_name(&self) -> bool {
        true
    }

    fn fix(&self, live: &Deployment, params: &MultiAzParameters, _now: Timestamp) -> Plan<Action> {
        let identifier = live.instance.database.identifier.clone();
        let steps = vec![Step::call(Level::L2, Action::ModifyDBInstance { identifier, multi_az: true })];
        let blocker = live.instance.database.blocker();
        Plan::unless(blocker.or_else(|| not_opted_in(live, params)).or_else(|| not_offered(live)), steps)
    }

    /// RDS applies the accepted value in the maintenance window; a value that is already set is not pending.
    fn predict(&self, mut live: Deployment, action: &Action) -> Deployment {
        let Action::ModifyDBInstance { identifier, multi_az } = action;
        let instance = &mut live.instance;
        if *identifier == instance.database.identifier {
            instance.pending_multi_az = (*multi_az != instance.multi_az).then_some(*multi_az);
            live.offer = live.offer.filter(|_| !*multi_az);
        }
        live
    }

    /// RDS modifies the instance for a while and may return the pending value only afterwards.
    fn is_in_progress(&self, after: &Deployment, done: &[Action]) -> bool {
        !done.is_empty() && after.instance.database.is_busy()
    }

    /// `MultiAZ` after the maintenance window.
    fn touched_fields(&self, subject: &Deployment, done: &[Action]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "multiAz": multi_az_after_window(&subject.instance) }) }
    }

    fn undo(&self, before: &Deployment, done: &[Action]) -> Result<Vec<Action>, Irreversible> {
        let restore = |Action::ModifyDBInstance { identifier, .. }: &Action| Action::ModifyDBInstance {
            identifier: identifier.clone(),
            multi_az: multi_az_after_window(&before.instance),
        };
        Ok(done.iter().rev().map(restore).collect())
    }
}

/// `MultiAZ` after the maintenance window.
fn multi_az_after_window(instance: &Instance) -> bool {
    instance.pending_multi_az.unwrap_or(instance.multi_az)
}

fn not_opted_in(subject: &Deployment, params: &MultiAzParameters) -> Option<String> {
    let Some(tag) = &params.tag_opt_in else { return Some("`tagOptIn` is not set".to_owned()) };
    let is_tagged = subject.instance.database.tags.get(&tag.key) == Some(&tag.value);
    (!is_tagged).then(|| format!("{} is not tagged {tag}", subject.instance.database.identifier))
}

fn not_offered(subject: &Deployment) -> Option<String> {
    let engine = &subject.instance.database.engine;
    match &subject.offer {
        None => Some("whether RDS offers it as Multi-AZ is unknown: planning needs a live read".to_owned()),
        Some(OrderableOption { class, version, multi_az_capable: false }) => {
            Some(format!("MultiAZCapable: {class} of {engine} {version} is not offered as Multi-AZ"))
        }
        Some(OrderableOption { .. }) => None,
    }
}

#[cfg(test)]
mod tests;
