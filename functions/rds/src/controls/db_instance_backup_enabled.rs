//! `db-instance-backup-enabled`: a database has no or too short automated backups.
//!
//! Works on [`Backups`], whatever their source; makes no API calls.

use rectify_compliance::values::{Bounded, Flag};
use rectify_compliance::{
    Control, Irreversible, Level, Plan, Remediation, RemediationPermissions, Step, Timestamp, Verdict, control,
    parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::resources::backups::Backups;
use crate::resources::database::{CLUSTER, Database, INSTANCE, Kind};
use crate::resources::window::Window;
use crate::{DESCRIBE_CLUSTERS, DESCRIBE_INSTANCES, MODIFY_CLUSTER, MODIFY_INSTANCE};

control! {
    /// ## What it checks
    /// That every DB instance and every DB cluster has automated backups, and retains them as long as the parameters require.
    /// An instance that belongs to a cluster is NOT_APPLICABLE: its backups are the cluster's, and the cluster is evaluated instead.
    /// Also NOT_APPLICABLE are a read replica unless `checkReadReplicas` is true, a cluster of Amazon DocumentDB or Neptune unless `includeNonRds` is true, and a database that is being created or deleted.
    /// A longer retention that is pending until the maintenance window counts, and the annotation says so.
    /// AWS's managed rule evaluates instances only.
    ///
    /// ## Why it matters
    /// After an accidental `DROP TABLE`, ransomware or a failed migration, the data is lost unless an earlier backup exists.
    ///
    /// ## Compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "backupRetentionPeriod": 7}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "backupRetentionPeriod": 0}
    /// ```
    ///
    /// ## Parameters
    /// `backupRetentionPeriod`, `backupRetentionMinimum` and `preferredBackupWindow` are the requirements; `checkReadReplicas` and `includeNonRds` widen the set of databases; `targetRetention` is for the remediation only.
    ///
    /// ## Remediation
    /// One `rds:ModifyDBInstance` or `rds:ModifyDBCluster` with the identifier and the settings to correct, without `ApplyImmediately`.
    /// The retention is raised to `backupRetentionPeriod`, else `backupRetentionMinimum`, else `targetRetention`, and never shortened.
    /// Lengthening the retention is L1: RDS applies it immediately and keeps more backups, which cost storage.
    /// Turning backups on is L2: RDS does so in the maintenance window, with an outage of seconds to minutes.
    /// Changing the backup window is L2: backups put load on a database, and the control does not know its peak hours.
    /// Shortening a retention deletes backups: that is L3 and never automatic.
    /// Nothing is changed while the status of the database is not `available`, nor on a SQL Server read replica, which RDS does not back up.
    /// The call addresses the database by its identifier; another database that reuses the identifier is not touched.
    /// RDS offers no conditional write, so milliseconds pass between the last read and the write; the call sends only these settings.
    /// Undo restores the previous retention and window; backups older than the previous retention are deleted.
    /// Undo cannot turn backups off again where they were off: that would delete all of them.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/db-instance-backup-enabled.html)
    /// - [Security Hub RDS.11](https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-11)
    /// - [Backup retention period](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupRetention.html)
    /// - [ModifyDBInstance](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html)
    /// - [ModifyDBCluster](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html)
    pub DB_INSTANCE_BACKUP_ENABLED: DbInstanceBackupEnabled {
        id: "db-instance-backup-enabled",
        title: "Database has no or too short automated backups",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: &[INSTANCE, CLUSTER],
        level: L3,
        frameworks: {
            Fsbp: ["RDS.11"],
            Nist80053r5: ["CP-6", "CP-9", "CP-10", "SI-12"],
            Pci40: ["10.3.3"],
        },
    }
}

parameters! {
    /// The parameters of [`DbInstanceBackupEnabled`]. The first four are those of AWS's managed rule.
    pub BackupParameters, check: check {
        /// The exact retention required, days, 1..=35. Default: any.
        backup_retention_period: Option<Bounded<1, 35>> = None,
        /// The minimum retention, days, 1..=35. Default: any above 0.
        backup_retention_minimum: Option<Bounded<1, 35>> = None,
        /// The exact backup window required, `hh:mm-hh:mm` in UTC. Default: any.
        preferred_backup_window: Option<Window> = None,
        /// Whether read replicas are evaluated. Default false.
        check_read_replicas: Flag = Flag(false),
        /// The retention that the remediation sets where no parameter requires one, days, 1..=35. Default 7.
        target_retention: Bounded<1, 35> = Bounded::of(7),
        /// Whether clusters of Amazon DocumentDB and Neptune are evaluated. Default false.
        #[serde(rename = "includeNonRds")]
        include_non_rds: Flag = Flag(false),
    }
}

fn check(params: &BackupParameters) -> Result<(), String> {
    match (params.backup_retention_period, params.backup_retention_minimum) {
        (Some(period), Some(minimum)) if period.get() < minimum.get() => {
            Err(format!("backupRetentionPeriod `{period}` is shorter than backupRetentionMinimum `{minimum}`"))
        }
        _ => Ok(()),
    }
}

impl BackupParameters {
    /// How a retention violates the parameters; `None` if it does not.
    fn retention_violation(&self, retention: u32) -> Option<String> {
        match (self.backup_retention_period, self.backup_retention_minimum) {
            _ if retention == 0 => Some("has no automated backups".to_owned()),
            (Some(period), _) if retention != period.get() => {
                Some(format!("retains backups {retention} d (required {period})"))
            }
            (_, Some(minimum)) if retention < minimum.get() => {
                Some(format!("retains backups {retention} d (minimum {minimum})"))
            }
            _ => None,
        }
    }

    /// The required window, where the backups use a different one.
    fn window_mismatch(&self, backups: &Backups) -> Option<Window> {
        self.preferred_backup_window.filter(|window| Some(window.to_string()) != backups.window)
    }

    /// The retention that the remediation sets.
    fn target_retention(&self) -> u32 {
        self.backup_retention_period.or(self.backup_retention_minimum).unwrap_or(self.target_retention).get()
    }
}

impl Control for DbInstanceBackupEnabled {
    type Params = BackupParameters;
    type Subject = Backups;

    fn evaluate(&self, backups: &Backups, params: &BackupParameters, _now: Timestamp) -> Verdict {
        let Backups { database: Database { identifier: name, engine, status, .. }, .. } = backups;
        if let Some(membership) = backups.membership() {
            return Verdict::not_applicable(format!("{membership}, which is evaluated instead"));
        }
        if let Some(source) = backups.replica_of.as_ref().filter(|_| !params.check_read_replicas.0) {
            return Verdict::not_applicable(format!("{name} is a read replica of {source}"));
        }
        if backups.database.has_non_rds_engine() && !params.include_non_rds.0 {
            return Verdict::not_applicable(format!("{name} ({engine}) is not an RDS database"));
        }
        if backups.database.is_creating_or_deleting() {
            return Verdict::not_applicable(format!("{name} is {status}"));
        }
        let retention = backups.evaluated_retention();
        let mut violations: Vec<String> = params.retention_violation(retention).into_iter().collect();
        if let Some(required) = params.window_mismatch(backups) {
            let window = backups.window.as_deref().unwrap_or("an unknown time");
            violations.push(format!("is backed up at {window} (required {required})"));
        }
        match (violations.is_empty(), backups.is_pending()) {
            (false, _) => Verdict::non_compliant(format!("{name} {}", violations.join("; "))),
            (true, true) => Verdict::Compliant(Some(format!("{name} retains backups {retention} d: pending").into())),
            (true, false) => Verdict::COMPLIANT,
        }
    }
}

/// One call to RDS, without `ApplyImmediately`. The fix and its undo are the same call with other values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// `ModifyDBInstance`.
    ModifyDBInstance {
        /// `DBInstanceIdentifier`.
        #[serde(rename = "DBInstanceIdentifier")]
        identifier: String,
        /// The settings to change.
        #[serde(flatten)]
        change: Change,
    },
    /// `ModifyDBCluster`.
    ModifyDBCluster {
        /// `DBClusterIdentifier`.
        #[serde(rename = "DBClusterIdentifier")]
        identifier: String,
        /// The settings to change.
        #[serde(flatten)]
        change: Change,
    },
}

/// The settings that a call changes; all others stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Change {
    /// `BackupRetentionPeriod`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_retention_period: Option<u32>,
    /// `PreferredBackupWindow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_backup_window: Option<String>,
}

impl Action {
    fn on(database: &Database, change: Change) -> Self {
        let identifier = database.identifier.clone();
        match database.kind {
            Kind::Instance => Self::ModifyDBInstance { identifier, change },
            Kind::Cluster => Self::ModifyDBCluster { identifier, change },
        }
    }

    /// The settings that the call changes.
    fn change(&self) -> &Change {
        match self {
            Self::ModifyDBInstance { change, .. } | Self::ModifyDBCluster { change, .. } => change,
        }
    }
}

impl Remediation for DbInstanceBackupEnabled {
    type Action = Action;
    type Undo = Action;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions {
            read: &[DESCRIBE_INSTANCES, DESCRIBE_CLUSTERS],
            fix: &[MODIFY_INSTANCE, MODIFY_CLUSTER],
            // IAM cannot restrict the value: only `fix` keeps the remediation from shortening a retention.
            undo: &[MODIFY_INSTANCE, MODIFY_CLUSTER],
        }
    }

    fn needs_name(&self) -> bool {
        true
    }

    fn fix(&self, live: &Backups, params: &BackupParameters, _now: Timestamp) -> Plan<Action> {
        let (retention, target, window) =
            (live.evaluated_retention(), params.target_retention(), params.window_mismatch(live));
        let violates = params.retention_violation(retention).is_some();
        let change = Change {
            backup_retention_period: (violates && retention < target).then_some(target),
            preferred_backup_window: window.map(|it| it.to_string()),
        };
        let mut steps = Vec::new();
        if change != Change::default() {
            let level = if retention == 0 || window.is_some() { Level::L2 } else { Level::L1 };
            steps.push(Step::call(level, Action::on(&live.database, change)));
        }
        if violates && retention > target {
            steps.push(Step::manual(Level::L3, shorten(live, target)));
        }
        Plan::unless(live.database.blocker().or_else(|| unsupported(live)), steps)
    }

    /// RDS turns backups on in the maintenance window; it applies every other change immediately.
    fn predict(&self, mut live: Backups, action: &Action) -> Backups {
        let change = action.change();
        if *action != Action::on(&live.database, change.clone()) {
            return live; // addresses another database
        }
        if let Some(retention) = change.backup_retention_period {
            if live.retention.unwrap_or(0) == 0 {
                live.pending_retention = Some(retention);
            } else {
                live.retention = Some(retention);
                live.pending_retention = None;
            }
        }
        if let Some(window) = &change.preferred_backup_window {
            live.window = Some(window.clone());
        }
        live
    }

    /// RDS modifies the database for a while and may return the accepted settings only afterwards.
    fn is_in_progress(&self, after: &Backups, done: &[Action]) -> bool {
        !done.is_empty() && after.database.is_busy()
    }

    /// The settings that the calls changed; the retention is the one after the maintenance window.
    fn touched_fields(&self, subject: &Backups, done: &[Action]) -> Value {
        let changed = |is_set: fn(&Change) -> bool| done.iter().any(|action| is_set(action.change()));
        let mut touched_fields = Map::new();
        if changed(|change| change.backup_retention_period.is_some()) {
            touched_fields.insert("retention".to_owned(), json!(subject.retention_after_window()));
        }
        if changed(|change| change.preferred_backup_window.is_some()) {
            touched_fields.insert("window".to_owned(), json!(subject.window));
        }
        touched_fields.into()
    }

    fn undo(&self, before: &Backups, done: &[Action]) -> Result<Vec<Action>, Irreversible> {
        done.iter().rev().map(|action| restore(before, action)).collect()
    }
}

/// The call that restores the settings that `action` changed.
fn restore(before: &Backups, action: &Action) -> Result<Action, Irreversible> {
    let change = action.change();
    let irreversible = |reason: &str| {
        let operation = match before.database.kind {
            Kind::Instance => "ModifyDBInstance",
            Kind::Cluster => "ModifyDBCluster",
        };
        Irreversible { action: operation.to_owned(), reason: reason.to_owned() }
    };
    let retention = match (change.backup_retention_period, before.retention_after_window().filter(|days| *days > 0)) {
        (None, _) => None,
        (Some(_), Some(days)) => Some(days),
        (Some(_), None) => return Err(irreversible("turning automated backups off again deletes them")),
    };
    let window = match (&change.preferred_backup_window, &before.window) {
        (None, _) => None,
        (Some(_), Some(window)) => Some(window.clone()),
        (Some(_), None) => return Err(irreversible("the previous backup window is unknown")),
    };
    Ok(Action::on(&before.database, Change { backup_retention_period: retention, preferred_backup_window: window }))
}

fn shorten(backups: &Backups, target: u32) -> String {
    let Database { identifier, .. } = &backups.database;
    let retention = backups.evaluated_retention();
    format!(
        "decide whether the backups of {identifier} that are more than {target} d old may be deleted; its retention of \
         {retention} d is longer than `backupRetentionPeriod`, and shortening it deletes them"
    )
}

fn unsupported(backups: &Backups) -> Option<String> {
    let Database { identifier, engine, .. } = &backups.database;
    let unsupported = backups.replica_of.is_some() && engine.starts_with("sqlserver");
    unsupported.then(|| format!("{identifier} is a {engine} read replica, which RDS does not back up"))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod laws;
