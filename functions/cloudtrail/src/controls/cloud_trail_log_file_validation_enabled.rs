//! `cloud-trail-log-file-validation-enabled`: CloudTrail log files can be altered unnoticed.

use rectify_compliance::{Level, NoParameters, Setting, control};

use crate::resources::trail::{TYPE, Trail, UPDATE_TRAIL};

control! {
    /// ## What it checks
    /// That each trail has log file validation enabled, so that CloudTrail writes digest files for its log files: `logFileValidationEnabled` is true.
    /// A trail is evaluated only by the account in its ARN and in its home region.
    /// A replica in another region, and an organization trail seen from a member account or a delegated administrator, are NOT_APPLICABLE, and the annotation says where the trail is evaluated.
    /// If the configuration item lacks the flag, `cloudtrail:DescribeTrails` is called; if its response lacks the flag too, the invocation fails.
    /// AWS Config identifies a trail by its name alone, so a trail of another region or account can share the name of a local trail.
    /// The trail of this account and region is then the one reported: the periodic run drops the others, and the item of a trail that is not local is looked up first.
    ///
    /// ## Why it matters
    /// A principal with write access to the log bucket can change or remove delivered log files.
    /// CloudTrail signs the digest files and chains them hour by hour, so `aws cloudtrail validate-logs` shows which files were altered, removed or never delivered.
    /// Without digest files, an investigation cannot prove that the log files are intact.
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
    /// No parameters of its own.
    ///
    /// ## Remediation
    /// L1: `cloudtrail:UpdateTrail` with only the trail's ARN and `EnableLogFileValidation` true.
    /// What changes: digest files are delivered from then on, once an hour; older log files have none.
    /// What may break: nothing; each digest file is one more small object in the bucket.
    /// The call supports no conditional write, but it sets only one flag: any other setting that changes in the milliseconds between the last read and the write is kept.
    /// Blocked for an organization trail: its update also needs `organizations:ListAWSServiceAccessForOrganization` and `iam:GetRole` in the management account, and the remediation's role has neither; an operator of the management account makes the call.
    /// How to undo: the same call with false; the chain of digest files breaks within an hour, and files delivered until validation is enabled again can never be validated.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/cloud-trail-log-file-validation-enabled.html)
    /// * [Validating CloudTrail log file integrity](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html)
    /// * [UpdateTrail](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html)
    /// * [DescribeTrails](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html)
    pub CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED: Setting<Trail, bool, NoParameters> = SETTING {
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

const SETTING: Setting<Trail, bool, NoParameters> = Setting {
    // Stored attempts use this name; the configuration item uses `logFileValidationEnabled`.
    field: "logFileValidation",
    get: |trail| trail.log_file_validation,
    set: |trail, on| trail.log_file_validation = on,
    not_judged: |trail, _| trail.evaluated_elsewhere(),
    violation: |trail, _| {
        (!trail.log_file_validation).then(|| (format!("Trail {trail} has no log file validation"), true))
    },
    call: UPDATE_TRAIL.member("EnableLogFileValidation"),
    level: Level::L1,
    blocked: |_| None,
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::{FromItem, Remediation, SetCall};
    use rectify_testing::{Cases, Laws};
    use serde_json::{Value, json};

    use super::*;
    use crate::resources::trail::arbitrary::trails;
    use crate::resources::trail::tests::{
        FOREIGN, OF_ANOTHER_ACCOUNT, ORGANIZATION, REPLICA, REPLICATED, TRAIL, recorded, trail,
    };

    const OFF: &str = "Trail main (eu-west-1) has no log file validation";
    const FIX: &str = r#"L1 UpdateTrail {"EnableLogFileValidation":true,"Name":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}"#;

    fn off() -> Trail {
        let mut trail = Trail { log_file_validation: false, ..trail() };
        trail.settings.kms_key_id = Some("arn:aws:kms:eu-west-1:111122223333:key/1".into());
        trail
    }

    fn update(enable: bool) -> SetCall {
        UPDATE_TRAIL.member("EnableLogFileValidation").of(TRAIL, &enable)
    }

    #[test]
    fn a_trail_is_evaluated_by_its_owner_in_its_home_region() {
        let cases = Cases::of(&SETTING, off());
        let case = |name: &'static str, arn: &str, recorded_value: Value, live: Option<Trail>| {
            let recorded = recorded(arn, "logFileValidationEnabled", recorded_value);
            cases.case(name, |it| *it = SETTING.subject(recorded, live))
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
        case("a replica that hides a local trail", REPLICA, json!(true), Some(off())).non_compliant(OFF);
        cases
            .case("an organization trail", |it| it.settings.is_organization_trail = Some(true))
            .non_compliant(OFF)
            .planned(&[&format!("blocked: {ORGANIZATION}"), FIX]);
    }

    #[test]
    fn fix_and_undo_change_only_log_file_validation() {
        let case = "cloud-trail-log-file-validation-enabled/6";
        let fixed = SETTING.predict(off(), &update(true));
        assert_eq!(fixed, Trail { log_file_validation: true, ..off() }, "{case}");
        assert_eq!(SETTING.touched_fields(&fixed, &[update(true)]), json!({"logFileValidation": true}));
        assert_eq!(SETTING.touched_fields(&fixed, &[]), json!({}));
        let undo = SETTING.undo(&off(), &[update(true)]).unwrap();
        assert_eq!(undo, vec![update(false)], "{case}");
        assert_eq!(SETTING.predict(fixed, &undo[0]), off(), "{case}");
    }

    #[test]
    fn an_action_on_another_trail_does_not_change_this_one() {
        let other = UPDATE_TRAIL.member("EnableLogFileValidation").of(&format!("{TRAIL}-other"), &true);
        assert_eq!(SETTING.predict(off(), &other), off());
    }

    #[test]
    fn laws() {
        Laws::of(&SETTING, &["/logFileValidation"], Remediation::predict)
            .never(|before, after| before.log_file_validation && !after.log_file_validation)
            .restores_full_state()
            .hold((trails(), Just(NoParameters {})));
    }
}
