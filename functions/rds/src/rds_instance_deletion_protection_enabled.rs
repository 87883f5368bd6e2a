//! `rds-instance-deletion-protection-enabled`: a database can be deleted by one call.
//!
//! Knows instances as [`Instance`], whatever they were read from, and no API.

use rectify_compliance::values::Globs;
use rectify_compliance::{
    Control, FromItem, Irreversible, Level, Parameters, Permission, Plan, Remediation, Step, Timestamp, Verdict,
    control,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::database::INSTANCE;
use crate::instance::Instance;
use crate::{DESCRIBE_INSTANCES, MODIFY_INSTANCE};

/// The tag, key and value, by which the owner of an instance says that it is meant to be deleted.
const EPHEMERAL: (&str, &str) = ("deletionProtection", "off");

control! {
    /// ## What it checks
    /// That `deletionProtection` of a DB instance is true; an item that does not say so is one without.
    /// Instances that belong to a cluster are NOT_APPLICABLE: their protection is the cluster's, and RDS lets a member be deleted whatever the cluster says.
    /// AWS's managed rule calls such members NON_COMPLIANT, which no call can mend.
    ///
    /// ## Why it matters
    /// One call to `rds:DeleteDBInstance`, by mistake or by somebody who stole a role, removes a database and, unless told otherwise, its automated backups.
    /// With protection it takes two calls, of which the first can be seen and alarmed on.
    ///
    /// ## Compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "deletionProtection": true}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "deletionProtection": false}
    /// ```
    ///
    /// ## Parameters
    /// `databaseEngines` decides which instances are evaluated.
    ///
    /// ## Remediation
    /// L1: `rds:ModifyDBInstance` with the identifier and `DeletionProtection` true, and with nothing else.
    /// What changes: RDS refuses to delete the instance; it applies this at once and without an outage, whatever waits for the maintenance window.
    /// What may break: a pipeline that deletes the instance, or a stack that replaces it.
    /// Nothing is changed while the status of the instance is not `available`, or where it is tagged `deletionProtection` = `off`.
    /// The call names the instance by its identifier; one that took the identifier of another is not touched.
    /// RDS has no revision to compare, so milliseconds lie between the last read and the write; the call names one flag only.
    /// Undo sets the flag to false again, unless somebody did so meanwhile.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/rds-instance-deletion-protection-enabled.html)
    /// - [Security Hub RDS.8](https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-8)
    /// - [Deleting a DB instance](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html)
    /// - [ModifyDBInstance](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html)
    pub RDS_INSTANCE_DELETION_PROTECTION_ENABLED: RdsInstanceDeletionProtectionEnabled {
        id: "rds-instance-deletion-protection-enabled",
        title: "Database can be deleted by one call",
        severity: Low,
        triggers: [Change],
        scope: Regional,
        resource_types: &[INSTANCE],
        level: L1,
        frameworks: {
            Fsbp: ["RDS.8"],
            Nist80053r5: ["CM-3", "SC-5(2)", "SI-13(5)"],
        },
    }
}

/// The parameters of [`RdsInstanceDeletionProtectionEnabled`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct DeletionProtectionParameters {
    /// The engines to evaluate, as RDS names them (`mysql`, `oracle-*`). Default: all.
    pub database_engines: Option<Globs>,
}

impl Parameters for DeletionProtectionParameters {}

impl Control for RdsInstanceDeletionProtectionEnabled {
    type Params = DeletionProtectionParameters;
    type Subject = Instance;

    fn evaluate(&self, instance: &Instance, params: &DeletionProtectionParameters, _now: Timestamp) -> Verdict {
        let (name, engine) = (&instance.database.identifier, &instance.database.engine);
        if params.database_engines.as_ref().is_some_and(|engines| !engines.matches(engine)) {
            return Verdict::not_applicable(format!("{name} ({engine}) is of an engine that is not evaluated"));
        }
        if let Some(membership) = instance.membership() {
            return Verdict::not_applicable(format!("{membership}, which is protected instead"));
        }
        if instance.deletion_protection {
            Verdict::COMPLIANT
        } else {
            Verdict::non_compliant(format!("{name} has no deletion protection"))
        }
    }
}

impl FromItem for RdsInstanceDeletionProtectionEnabled {
    type Resource = Instance;
    type Facts = ();
    fn fact_permissions(&self) -> &'static [Permission] {
        &[]
    }

    fn subject(&self, instance: Instance, (): ()) -> Instance {
        instance
    }
}

/// One call to RDS. The fix and its undo are the same call with the other value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// `ModifyDBInstance`; every setting it leaves out stays as it is.
    ModifyDBInstance {
        /// `DBInstanceIdentifier`.
        #[serde(rename = "DBInstanceIdentifier")]
        identifier: String,
        /// `DeletionProtection`.
        deletion_protection: bool,
    },
}

impl Remediation for RdsInstanceDeletionProtectionEnabled {
    type Action = Action;
    type Undo = Action;
    fn read_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE_INSTANCES]
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        &[MODIFY_INSTANCE]
    }
    // IAM cannot tell the two values of the flag apart: what keeps the remediation from turning it off is `plan` alone.
    fn undo_permissions(&self) -> &'static [Permission] {
        &[MODIFY_INSTANCE]
    }
    fn needs_name(&self) -> bool {
        true
    }

    fn fix(&self, live: &Instance, _params: &DeletionProtectionParameters, _now: Timestamp) -> Plan<Action> {
        let identifier = live.database.identifier.clone();
        let steps = vec![Step::call(Level::L1, Action::ModifyDBInstance { identifier, deletion_protection: true })];
        match live.database.obstacle().or_else(|| meant_to_go(live)) {
            Some(reason) => Plan::hold(reason, steps),
            None => Plan::steps_in_order(steps),
        }
    }

    fn expect(&self, mut live: Instance, action: &Action) -> Instance {
        let Action::ModifyDBInstance { identifier, deletion_protection } = action;
        if *identifier == live.database.identifier {
            live.deletion_protection = *deletion_protection;
        }
        live
    }

    /// RDS works on the instance for a moment, and may show the flag only then.
    fn is_settling(&self, after: &Instance, done: &[Action]) -> bool {
        !done.is_empty() && after.database.is_busy()
    }

    /// The one flag.
    fn footprint(&self, subject: &Instance, done: &[Action]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "deletionProtection": subject.deletion_protection }) }
    }

    fn undo(&self, before: &Instance, done: &[Action]) -> Result<Vec<Action>, Irreversible> {
        let restore = |Action::ModifyDBInstance { identifier, .. }: &Action| Action::ModifyDBInstance {
            identifier: identifier.clone(),
            deletion_protection: before.deletion_protection,
        };
        Ok(done.iter().rev().map(restore).collect())
    }
}

fn meant_to_go(instance: &Instance) -> Option<String> {
    let (key, value) = EPHEMERAL;
    let tagged = instance.database.tags.get(key).is_some_and(|it| it.eq_ignore_ascii_case(value));
    tagged.then(|| format!("{} is tagged {key}={value}", instance.database.identifier))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::parameters::RuleParameters;
    use rectify_compliance::{Resource, StoredImage};

    use super::*;
    use crate::arbitrary::{instances, is_mixed};
    use crate::instance::tests::{instance, item};

    fn judge(subject: &Instance, text: &str) -> Verdict {
        let params = RuleParameters::parse(Some(text)).unwrap().control;
        RdsInstanceDeletionProtectionEnabled.evaluate(subject, &params, Timestamp::UNIX_EPOCH)
    }

    fn plan(subject: &Instance) -> Plan<Action> {
        RdsInstanceDeletionProtectionEnabled.plan(
            subject,
            &DeletionProtectionParameters::default(),
            Timestamp::UNIX_EPOCH,
        )
    }

    fn modify(deletion_protection: bool) -> Action {
        Action::ModifyDBInstance { identifier: "orders".into(), deletion_protection }
    }

    #[test]
    fn an_instance_is_judged_by_its_flag() {
        let off = Verdict::non_compliant("orders has no deletion protection");
        let member = Verdict::not_applicable("orders belongs to cluster shop, which is protected instead");
        let aurora = json!({"engine": "aurora-mysql", "dBClusterIdentifier": "shop", "deletionProtection": false});
        let oracle = json!({"engine": "oracle-ee"});
        let other = Verdict::not_applicable("orders (oracle-ee) is of an engine that is not evaluated");
        let engines = r#"{"databaseEngines": "mysql, postgres"}"#;
        for (case, changes, parameters, expected) in [
            ("rds-instance-deletion-protection-enabled/1", json!({"deletionProtection": false}), "{}", &off),
            ("rds-instance-deletion-protection-enabled/2", aurora, "{}", &member),
            ("member of a Multi-AZ cluster", json!({"dBClusterIdentifier": "shop"}), "{}", &member),
            ("rds-instance-deletion-protection-enabled/3", oracle.clone(), engines, &other),
            ("an engine that is evaluated", json!({}), engines, &off),
            ("engines by pattern", oracle, r#"{"databaseEngines": "oracle-*"}"#, &off),
            ("rds-instance-deletion-protection-enabled/4", json!({"deletionProtection": null}), "{}", &off),
            ("rds-instance-deletion-protection-enabled/5", json!({"dBInstanceStatus": "deleting"}), "{}", &off),
            ("on", json!({"deletionProtection": true}), "{}", &Verdict::COMPLIANT),
        ] {
            let subject = Instance::from_item(&item(&changes)).unwrap();
            assert_eq!(judge(&subject, parameters), *expected, "{case}");
        }
    }

    #[test]
    fn the_fix_is_one_call_that_names_one_flag() {
        let case = "rds-instance-deletion-protection-enabled/1";
        assert_eq!(plan(&instance()), Plan::Do { steps: vec![Step::call(Level::L1, modify(true))] }, "{case}");
        let call = json!({"ModifyDBInstance": {"DBInstanceIdentifier": "orders", "DeletionProtection": true}});
        assert_eq!(serde_json::to_value(modify(true)).unwrap(), call);
        let case = "rds-instance-deletion-protection-enabled/6";
        assert_eq!(plan(&Instance { deletion_protection: true, ..instance() }), Plan::Nothing, "{case}");
    }

    #[test]
    fn an_instance_that_cannot_or_must_not_be_changed_waits() {
        let mut deleting = instance();
        deleting.database.status = "deleting".into();
        let case = "rds-instance-deletion-protection-enabled/5";
        let steps = || vec![Step::call(Level::L1, modify(true))];
        let reason = "status of orders is `deleting`, not `available`";
        assert_eq!(plan(&deleting), Plan::hold(reason, steps()), "{case}");
        let mut ephemeral = instance();
        ephemeral.database.tags.insert("deletionProtection".into(), "Off".into());
        assert_eq!(plan(&ephemeral), Plan::hold("orders is tagged deletionProtection=off", steps()));
    }

    #[test]
    fn undo_is_refused_where_somebody_turned_protection_off_meanwhile() {
        let case = "rds-instance-deletion-protection-enabled/7";
        let after = RdsInstanceDeletionProtectionEnabled.expect(instance(), &modify(true));
        let meanwhile = Instance { deletion_protection: false, ..after.clone() };
        let footprint = |it: &Instance| RdsInstanceDeletionProtectionEnabled.footprint(it, &[modify(true)]);
        assert_ne!(footprint(&meanwhile), footprint(&after), "{case}: the shell compares these before it writes");
        assert_eq!(
            RdsInstanceDeletionProtectionEnabled.undo(&instance(), &[modify(true)]),
            Ok(vec![modify(false)]),
            "{case}"
        );
    }

    #[test]
    fn what_rds_still_works_on_is_no_failure() {
        let mut modifying = instance();
        modifying.database.status = "modifying".into();
        assert!(RdsInstanceDeletionProtectionEnabled.is_settling(&modifying, &[modify(true)]));
        assert!(
            !RdsInstanceDeletionProtectionEnabled.is_settling(&modifying, &[])
                && !RdsInstanceDeletionProtectionEnabled.is_settling(&instance(), &[modify(true)])
        );
    }

    #[test]
    fn generated_instances_are_of_every_kind() {
        assert!(is_mixed(instances(), |it| judge(it, "{}")));
    }

    proptest! {
        #[test]
        fn the_fix_makes_an_instance_compliant_and_leaves_all_else_and_undo_restores_it(subject in instances()) {
            prop_assert_eq!(plan(&subject) != Plan::Nothing, judge(&subject, "{}").is_non_compliant());
            let mut live = subject.clone();
            let mut done = Vec::new();
            for action in plan(&subject).calls() {
                live = RdsInstanceDeletionProtectionEnabled.expect(live, action);
                done.push(action.clone());
            }
            let verdict = judge(&live, "{}");
            prop_assert!(!verdict.is_non_compliant());
            prop_assert_eq!(plan(&live), Plan::Nothing);
            prop_assert!(live.deletion_protection >= subject.deletion_protection);
            let only_the_flag = Instance { deletion_protection: live.deletion_protection, ..subject.clone() };
            prop_assert_eq!(&live, &only_the_flag);

            let actions = done.clone();
            for action in RdsInstanceDeletionProtectionEnabled.undo(&subject, &done).unwrap() {
                live = RdsInstanceDeletionProtectionEnabled.expect(live, &action);
            }
            prop_assert_eq!(RdsInstanceDeletionProtectionEnabled.footprint(&live, &actions), RdsInstanceDeletionProtectionEnabled.footprint(&subject, &actions));
            prop_assert_eq!(&live, &subject);
            prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<Instance>(), Ok(subject));
            for action in actions {
                let text = serde_json::to_string(&action).unwrap();
                prop_assert_eq!(serde_json::from_str::<Action>(&text).unwrap(), action);
            }
        }
    }
}
