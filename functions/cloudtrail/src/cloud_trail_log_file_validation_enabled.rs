//! `cloud-trail-log-file-validation-enabled`: CloudTrail log files can be altered unnoticed.
//!
//! Knows trails as [`Trail`], whatever they were read from, and no API.

use rectify_compliance::{
    Control, FromItem, Inventory, Irreversible, Level, ManagedBy, NoParameters, Permission, PhysicalId, Plan,
    Remediation, Step, Timestamp, Verdict, control,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::trail::permissions::{DESCRIBE, GET, LIST_TAGS, UPDATE};
use crate::trail::{LiveTrail, MANAGED_BY, RecordedTrail, TYPE, Trail, stack_resource};

control! {
    /// ## What it checks
    /// That CloudTrail writes digest files for the log files of each trail: `logFileValidationEnabled` is true.
    /// A trail is judged by the account in its ARN and in its home region only.
    /// A replica in another region, and an organization trail seen from a member or a delegated administrator, answer NOT_APPLICABLE and say where the trail is judged.
    /// Where the item does not say whether validation is on, `cloudtrail:DescribeTrails` is asked; if that does not say either, the invocation fails.
    /// AWS Config knows a trail by its name alone, and a trail of another region or account may have the name of one of ours.
    /// The trail of ours is the one that is reported then: the listing drops the others, and the item of one that is not ours is looked up before it is answered.
    ///
    /// ## Why it matters
    /// Whoever can write to the log bucket can change or remove what CloudTrail delivered.
    /// Digest files are signed by CloudTrail and chained hour by hour, so that `aws cloudtrail validate-logs` shows what was altered, removed or never delivered.
    /// Without them an investigation rests on files that nobody can vouch for.
    ///
    /// ## Compliant example
    /// ```json
    /// {"name": "main", "homeRegion": "eu-west-1", "logFileValidationEnabled": true}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"name": "main", "homeRegion": "eu-west-1", "logFileValidationEnabled": false}
    /// ```
    ///
    /// ## Parameters
    /// None of its own.
    ///
    /// ## Remediation
    /// L1: `cloudtrail:UpdateTrail` with the trail's ARN and `EnableLogFileValidation` true, and with nothing else.
    /// What changes: digest files are delivered from then on, once an hour; older log files stay without.
    /// What may break: nothing; each digest file is one more small object in the bucket.
    /// The call has no revision to compare, so milliseconds lie between the last read and the write; it names one flag only, so that a setting changed within them stays as it was changed.
    /// Held back for an organization trail: its update needs `organizations:ListAWSServiceAccessForOrganization` and `iam:GetRole` in the management account besides, and the remediation's role has neither; a person of the management account makes the call.
    /// How to undo: the same call with false; the chain of digest files breaks within an hour, and files delivered until it is turned on again can never be validated.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/cloud-trail-log-file-validation-enabled.html)
    /// * [Validating CloudTrail log file integrity](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html)
    /// * [UpdateTrail](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html)
    /// * [DescribeTrails](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html)
    pub CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED: CloudTrailLogFileValidationEnabled {
        id: "cloud-trail-log-file-validation-enabled",
        title: "CloudTrail log files can be altered unnoticed",
        severity: Low,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L1,
        frameworks: {
            Cis30: ["3.2"],
            Cis50: ["3.2"],
            Fsbp: ["CloudTrail.4"],
            Nist80053r5: ["AU-9", "SI-4", "SI-7(1)", "SI-7(3)", "SI-7(7)"],
            Pci40: ["10.3.2", "10.3.4"],
        },
    }
}

/// One call to CloudTrail. The fix and its undo are the same call with the other value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// `UpdateTrail`; every field it leaves out stays as it is.
    UpdateTrail {
        /// `Name`: the trail's ARN.
        name: String,
        /// `EnableLogFileValidation`.
        enable_log_file_validation: bool,
    },
}

impl Control for CloudTrailLogFileValidationEnabled {
    type Params = NoParameters;
    type Subject = Trail;

    fn evaluate(&self, trail: &Trail, _params: &NoParameters, _now: Timestamp) -> Verdict {
        match trail.judged_elsewhere() {
            Some(elsewhere) => elsewhere,
            None if trail.log_file_validation => Verdict::COMPLIANT,
            None => Verdict::non_compliant(format!("Trail {trail} has no log file validation")),
        }
    }
}

impl FromItem for CloudTrailLogFileValidationEnabled {
    type Resource = RecordedTrail;
    type Facts = LiveTrail;
    fn fact_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE]
    }

    fn subject(&self, recorded: RecordedTrail, live: LiveTrail) -> Trail {
        recorded.or_live(live)
    }
}

impl Inventory for CloudTrailLogFileValidationEnabled {
    fn list_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE]
    }
}

impl Remediation for CloudTrailLogFileValidationEnabled {
    type Action = Action;
    type Undo = Action;
    fn read_permissions(&self) -> &'static [Permission] {
        &[GET, LIST_TAGS]
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        &[UPDATE]
    }
    // IAM cannot tell the two values of the flag apart: what keeps the remediation from turning it off is `plan` alone.
    fn undo_permissions(&self) -> &'static [Permission] {
        &[UPDATE]
    }

    fn managed_by(&self) -> ManagedBy {
        MANAGED_BY
    }

    fn stack_resources(&self, _live: &Trail, action: &Action) -> Vec<PhysicalId> {
        let Action::UpdateTrail { name, .. } = action;
        vec![stack_resource(name)]
    }

    fn fix(&self, live: &Trail, _params: &NoParameters, _now: Timestamp) -> Plan<Action> {
        let enable = Action::UpdateTrail { name: live.arn.clone(), enable_log_file_validation: true };
        let steps = vec![Step::call(Level::L1, enable)];
        match live.update_obstacle() {
            Some(reason) => Plan::hold(reason, steps),
            None => Plan::steps_in_order(steps),
        }
    }

    fn expect(&self, mut live: Trail, action: &Action) -> Trail {
        let Action::UpdateTrail { name, enable_log_file_validation } = action;
        if *name == live.arn {
            live.log_file_validation = *enable_log_file_validation;
        }
        live
    }

    /// The one flag, so that somebody's later change of the bucket or key does not stand in the way of an undo.
    /// That all other settings came through the fix is told by the whole images, which hold them.
    fn footprint(&self, subject: &Trail, done: &[Action]) -> Value {
        if done.is_empty() {
            return json!({});
        }
        json!({ "logFileValidation": subject.log_file_validation })
    }

    fn undo(&self, before: &Trail, done: &[Action]) -> Result<Vec<Action>, Irreversible> {
        let restore = |Action::UpdateTrail { name, .. }: &Action| Action::UpdateTrail {
            name: name.clone(),
            enable_log_file_validation: before.log_file_validation,
        };
        Ok(done.iter().rev().map(restore).collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;
    use rectify_testing::{Cases, Laws};

    use super::*;
    use crate::trail::arbitrary::trails;
    use crate::trail::tests::{FOREIGN, OF_ANOTHER_ACCOUNT, ORGANIZATION, REPLICA, REPLICATED, TRAIL, recorded, trail};

    const OFF: &str = "Trail main (eu-west-1) has no log file validation";
    const FIX: &str = r#"L1 UpdateTrail {"EnableLogFileValidation":true,"Name":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}"#;

    fn off() -> Trail {
        let mut trail = Trail { log_file_validation: false, ..trail() };
        trail.settings.kms_key_id = Some("arn:aws:kms:eu-west-1:111122223333:key/1".into());
        trail
    }

    fn update(enable: bool) -> Action {
        Action::UpdateTrail { name: TRAIL.into(), enable_log_file_validation: enable }
    }

    #[test]
    fn a_trail_is_judged_by_its_owner_in_its_home_region() {
        let cases = Cases::of(&CloudTrailLogFileValidationEnabled, off());
        let case = |name: &'static str, arn: &str, recorded_value: Value, live: Option<Trail>| {
            let recorded = recorded(arn, "logFileValidationEnabled", recorded_value);
            cases.case(name, |it| *it = CloudTrailLogFileValidationEnabled.subject(recorded, live))
        };
        let foreign_elsewhere = "arn:aws:cloudtrail:us-east-1:444455556666:trail/main";
        case("cloud-trail-log-file-validation-enabled/1", TRAIL, json!(false), None).non_compliant(OFF).planned(&[FIX]);
        case("cloud-trail-log-file-validation-enabled/2", REPLICA, json!(false), None).not_applicable(REPLICATED);
        case("cloud-trail-log-file-validation-enabled/2, on", REPLICA, json!(true), None).not_applicable(REPLICATED);
        case("cloud-trail-log-file-validation-enabled/3", FOREIGN, json!(false), None)
            .not_applicable(OF_ANOTHER_ACCOUNT);
        case("cloud-trail-log-file-validation-enabled/3, elsewhere", foreign_elsewhere, json!(true), None)
            .not_applicable(OF_ANOTHER_ACCOUNT);
        case("cloud-trail-log-file-validation-enabled/4", TRAIL, json!(true), None).compliant();
        case("not recorded, on live", TRAIL, json!(null), Some(trail())).compliant();
        case("not recorded, off live", TRAIL, json!(null), Some(off())).non_compliant(OFF);
        case("not recorded, not read", TRAIL, json!(null), None).non_compliant(OFF);
        case("a replica that hides a trail", REPLICA, json!(true), Some(off())).non_compliant(OFF);
        cases
            .case("an organization trail", |it| it.settings.is_organization_trail = Some(true))
            .non_compliant(OFF)
            .planned(&[&format!("held: {ORGANIZATION}"), FIX]);
    }

    #[test]
    fn prefix_key_and_all_else_are_the_same_after_the_fix_and_after_its_undo() {
        let case = "cloud-trail-log-file-validation-enabled/6";
        let fixed = CloudTrailLogFileValidationEnabled.expect(off(), &update(true));
        assert_eq!(fixed, Trail { log_file_validation: true, ..off() }, "{case}");
        assert_eq!(
            CloudTrailLogFileValidationEnabled.footprint(&fixed, &[update(true)]),
            json!({"logFileValidation": true})
        );
        assert_eq!(CloudTrailLogFileValidationEnabled.footprint(&fixed, &[]), json!({}));
        let undo = CloudTrailLogFileValidationEnabled.undo(&off(), &[update(true)]).unwrap();
        assert_eq!(undo, vec![update(false)], "{case}");
        assert_eq!(CloudTrailLogFileValidationEnabled.expect(fixed, &undo[0]), off(), "{case}");
    }

    #[test]
    fn an_action_on_another_trail_changes_nothing_of_this_one() {
        let other = Action::UpdateTrail { name: format!("{TRAIL}-other"), enable_log_file_validation: true };
        assert_eq!(CloudTrailLogFileValidationEnabled.expect(off(), &other), off());
    }

    #[test]
    fn laws() {
        Laws::of(&CloudTrailLogFileValidationEnabled, &["/logFileValidation"], Remediation::expect)
            .never(|before, after| before.log_file_validation && !after.log_file_validation)
            .restoring_whole()
            .hold((trails(), Just(NoParameters {})));
    }
}
