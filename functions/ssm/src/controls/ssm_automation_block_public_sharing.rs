//! `ssm-automation-block-public-sharing`: documents of the account can be made public.

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::{Level, NoParameters, Setting, control};

use crate::resources::sharing_setting::{PublicSharing, SharingSetting, UPDATE_SERVICE_SETTING};

control! {
    /// ## What it checks
    /// The account's setting for public sharing of Systems Manager documents, in each region.
    /// Documents that are public already are findings of `ssm-document-not-public`.
    ///
    /// ## Why it matters
    /// A runbook names hosts, roles, buckets and procedures; public, every AWS account can read it.
    /// With sharing blocked, no call makes one public by mistake.
    ///
    /// ## Compliant example
    /// `GetServiceSetting` of `/ssm/documents/console/public-sharing-permission` returns `{"SettingValue": "Disable"}`.
    ///
    /// ## Non-compliant example
    /// It returns `{"SettingValue": "Enable"}`, the default. Any other value fails the rule.
    ///
    /// ## Parameters
    /// No parameters of its own.
    ///
    /// ## Remediation
    /// L1: `ssm:UpdateServiceSetting` with the value `Disable`.
    /// What changes: Systems Manager refuses to make a document public; documents that already are public stay so.
    /// What may break: a pipeline that publishes documents.
    /// Systems Manager has no revision check, so another change can fall into the milliseconds between the last read and the write.
    /// Undo sets the value back to `Enable`, and is refused where it was changed meanwhile.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/ssm-automation-block-public-sharing.html)
    /// - [Security Hub SSM.7](https://docs.aws.amazon.com/securityhub/latest/userguide/ssm-controls.html#ssm-7)
    /// - [Block public sharing of documents](https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html#block-public-access)
    /// - [UpdateServiceSetting](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateServiceSetting.html)
    pub SSM_AUTOMATION_BLOCK_PUBLIC_SHARING: Setting<SharingSetting, PublicSharing, NoParameters> = SETTING {
        id: "ssm-automation-block-public-sharing",
        title: "Systems Manager documents can be made public",
        severity: Critical,
        triggers: [Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[ACCOUNT_TYPE],
        level: L1,
        frameworks: { Fsbp: ["SSM.7"] },
    }
}

const SETTING: Setting<SharingSetting, PublicSharing, NoParameters> = Setting {
    field: "publicSharing",
    get: |setting| setting.public_sharing,
    set: |setting, to| setting.public_sharing = to,
    not_judged: |_, _| None,
    violation: |SharingSetting { region, public_sharing, .. }, _| {
        let finding = || format!("Public sharing of documents is allowed in {region}");
        (*public_sharing == PublicSharing::Enable).then(|| (finding(), PublicSharing::Disable))
    },
    call: UPDATE_SERVICE_SETTING.member("SettingValue"),
    level: Level::L1,
    blocked: |_| None,
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::{Plan, Remediation, Timestamp};
    use rectify_testing::{Cases, Laws};

    use super::*;
    use crate::resources::sharing_setting::SETTING_ID;
    use crate::resources::sharing_setting::tests::setting;

    const FINDING: &str = "Public sharing of documents is allowed in eu-west-1";
    const FIX: &str = r#"L1 UpdateServiceSetting {"SettingId":"/ssm/documents/console/public-sharing-permission","SettingValue":"Disable"}"#;

    #[test]
    fn cases() {
        let cases = Cases::of(&SETTING, setting(PublicSharing::Enable));
        cases.case("ssm-automation-block-public-sharing/1", |_| ()).non_compliant(FINDING).planned(&[FIX]);
        cases
            .case("ssm-automation-block-public-sharing/2", |it| it.public_sharing = PublicSharing::Disable)
            .compliant();
    }

    #[test]
    fn a_second_plan_is_empty_and_undo_is_refused_where_the_value_was_changed_meanwhile() {
        let set = |to: PublicSharing| UPDATE_SERVICE_SETTING.member("SettingValue").of(SETTING_ID, &to);
        let before = setting(PublicSharing::Enable);
        let done = [set(PublicSharing::Disable)];
        let after = SETTING.predict(before.clone(), &done[0]);
        let again = SETTING.plan(&after, &NoParameters {}, Timestamp::UNIX_EPOCH);
        assert_eq!(again, Plan::Noop, "ssm-automation-block-public-sharing/6");
        assert_eq!(SETTING.undo(&before, &done), Ok(vec![set(PublicSharing::Enable)]));
        let meanwhile = SETTING.predict(after.clone(), &set(PublicSharing::Enable));
        let fields = |it| SETTING.touched_fields(it, &done);
        assert_ne!(fields(&meanwhile), fields(&after), "ssm-automation-block-public-sharing/7");
    }

    #[test]
    fn laws() {
        let values = prop_oneof![Just(PublicSharing::Enable), Just(PublicSharing::Disable)];
        Laws::of(&SETTING, &["/publicSharing"], Remediation::predict)
            .never(|before, after| before.public_sharing == PublicSharing::Disable && before != after)
            .restores_full_state()
            .hold((values.prop_map(setting), Just(NoParameters {})));
    }
}
