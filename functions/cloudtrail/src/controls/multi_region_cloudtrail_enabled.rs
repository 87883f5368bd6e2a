//! `multi-region-cloudtrail-enabled`: no trail records management events in all regions.
//!
//! Reads [`AccountTrails`] and the criteria of [`qualifying`](crate::resources::qualifying); knows no API.

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::Flag;
use rectify_compliance::{
    Control, Irreversible, Level, ManagedBy, Periodic, Permission, PhysicalId, Plan, Remediation,
    RemediationPermissions, Step, Timestamp, Verdict, control, parameters,
};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::resources::account_trails::{AccountTrails, TrailGap};
use crate::resources::qualifying::{Events, OBSERVE, ObservedTrail, Qualification, Requirement};
use crate::resources::recording::{Action, Undo};
use crate::resources::selectors::{ReadWriteType, Selectors};
use crate::resources::trail::{MANAGED_BY, stack_resource};

control! {
    /// ## What it checks
    /// That at least one trail records the management events of all regions: it is multi-region, it is logging, its selectors record the events that `readWriteType` requires and exclude no event source, and its latest delivery did not fail.
    /// The trails are those that `cloudtrail:DescribeTrails` returns in the home region, including replicas and organization trails; a trail of the account is read in its own home region.
    /// All selectors are combined: an event that one selector excludes and another records is recorded.
    /// An advanced selector that filters by anything other than `readOnly` and excluded event sources does not count.
    /// Without `readWriteType`, a trail that records only read events or only write events passes, as in the AWS managed rule; the annotation says which.
    /// An organization trail that the management account does not let this account read passes with `trustOrganizationTrail`, and the annotation says so; if a trail of this account cannot be read, the invocation fails.
    /// Evaluated in the home region only; NOT_APPLICABLE elsewhere.
    ///
    /// ## Why it matters
    /// An intruder stays undetected in a region that no trail covers, or with API calls that no selector records.
    /// An event that was not recorded cannot be recovered later.
    ///
    /// ## Compliant example
    /// ```json
    /// {"IsMultiRegionTrail": true, "IsLogging": true, "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"IsMultiRegionTrail": true, "IsLogging": true, "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}
    /// ```
    ///
    /// ## Parameters
    /// `s3BucketName`, `snsTopicArn` and `cloudWatchLogsLogGroupArn` are values the trail must have; `readWriteType` and `includeManagementEvents` select the events it must record.
    ///
    /// ## Remediation
    /// If exactly one trail of the account can be made to qualify, it is: `cloudtrail:StartLogging` (L1), `cloudtrail:UpdateTrail` with only `IsMultiRegionTrail` and `IncludeGlobalServiceEvents` set to true (L2: a second copy of events is charged), and `cloudtrail:PutEventSelectors` (L2), which appends one selector for all management events and writes the existing selectors back unchanged.
    /// An existing selector is never widened: that would widen its data events too.
    /// What may break: nothing; more events are delivered and charged.
    /// `PutEventSelectors` replaces the whole list and supports no conditional write: a selector added in the milliseconds between the last read and the write is lost.
    /// Blocked if several trails could be made to qualify, if the calls would not be enough (delivery fails), if the trail already has the maximum number of selectors, and for an organization trail, whose update needs permissions in the management account that the remediation's role does not have.
    /// If the account has no trail, an operator creates one (L3): bucket, key and cost need a decision.
    /// How to undo: in reverse order, the previous selectors are written back, the trail becomes a single-region trail again, and logging is stopped.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/multi-region-cloudtrail-enabled.html)
    /// * [PutEventSelectors](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html)
    /// * [GetTrailStatus](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html)
    /// * [AdvancedFieldSelector](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html)
    pub MULTI_REGION_CLOUDTRAIL_ENABLED: MultiRegionCloudtrailEnabled {
        id: "multi-region-cloudtrail-enabled",
        title: "No trail records management events in all regions",
        severity: High,
        triggers: [Periodic(TwentyFourHours)],
        scope: Global,
        resource_types: &[ACCOUNT_TYPE],
        level: L3,
        frameworks: {
            Cis30: ["3.1"],
            Cis50: ["3.1"],
            Fsbp: ["CloudTrail.1"],
            Nist80053r5: ["AC-2(4)", "AU-2", "AU-3", "AU-10", "AU-12", "AU-14(1)", "CA-7"],
            Pci40: ["10.2.1", "10.2.2", "10.3.1"],
        },
    }
}

/// Trails of the account in any region: a trail can be changed only in its home region.
const OWN_TRAILS: &str = "arn:${AWS::Partition}:cloudtrail:*:${AWS::AccountId}:trail/*";
const UPDATE: Permission = Permission::on("cloudtrail:UpdateTrail", OWN_TRAILS);
const PUT_SELECTORS: Permission = Permission::on("cloudtrail:PutEventSelectors", OWN_TRAILS);

/// The maximum number of trails that an annotation names.
const MAX_NAMED: usize = 3;

parameters! {
    /// The settings the trail must have and the events it must record.
    pub MultiRegionCloudtrailEnabledParameters {
        /// The bucket the trail must deliver to, by name. Default: any.
        s3_bucket_name: Option<String> = None,
        /// The topic the trail must notify, by ARN. Default: any or none.
        sns_topic_arn: Option<String> = None,
        /// The log group the trail must deliver to, by ARN. Default: any or none.
        cloud_watch_logs_log_group_arn: Option<String> = None,
        /// Whether the trail must record management events. Default true.
        include_management_events: Flag = Flag(true),
        /// The management events the trail must record: `ReadOnly`, `WriteOnly` or `ALL`, case-insensitive. Default:
        /// read or write events, either is enough.
        #[serde(deserialize_with = "read_write_type")]
        #[schemars(with = "Option<String>")]
        read_write_type: Option<ReadWriteType> = None,
        /// Whether the trail must be logging. Default true.
        require_logging: Flag = Flag(true),
        /// Whether an organization trail of another account that cannot be read counts. Default true.
        trust_organization_trail: Flag = Flag(true),
    }
}

/// Parses `readWriteType`, case-insensitive.
fn read_write_type<'de, D: Deserializer<'de>>(text: D) -> Result<Option<ReadWriteType>, D::Error> {
    let Some(text) = Option::<String>::deserialize(text)? else { return Ok(None) };
    match text.trim().to_ascii_lowercase().as_str() {
        "readonly" => Ok(Some(ReadWriteType::ReadOnly)),
        "writeonly" => Ok(Some(ReadWriteType::WriteOnly)),
        "all" => Ok(Some(ReadWriteType::All)),
        _ => Err(D::Error::custom(format!("expected ReadOnly, WriteOnly or ALL: received `{text}`"))),
    }
}

impl Control for MultiRegionCloudtrailEnabled {
    type Params = MultiRegionCloudtrailEnabledParameters;
    type Subject = AccountTrails;

    fn evaluate(&self, account: &AccountTrails, params: &Self::Params, _now: Timestamp) -> Verdict {
        let gaps: Vec<(&ObservedTrail, Option<TrailGap>)> =
            account.trails.iter().map(|trail| (trail, params.gap(trail))).collect();
        if let Some((trail, _)) = gaps.iter().find(|(_, gap)| gap.is_none()) {
            return Verdict::Compliant(Some(qualifies(trail).into()));
        }
        let unverified = gaps.iter().find(|(_, gap)| *gap == Some(TrailGap::Unverified));
        match unverified {
            Some((trail, _)) if params.trust_organization_trail.0 => Verdict::Compliant(Some(
                format!("Organization trail {} cannot be read from here and is trusted", named(trail)).into(),
            )),
            Some(_) | None => Verdict::non_compliant(none_qualifies(account, gaps)),
        }
    }
}

impl Periodic for MultiRegionCloudtrailEnabled {
    fn list_permissions(&self) -> &'static [Permission] {
        OBSERVE
    }
}

impl Remediation for MultiRegionCloudtrailEnabled {
    type Action = Action;
    type Undo = Undo;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: OBSERVE,
                fix: &[Permission::on("cloudtrail:StartLogging", OWN_TRAILS), UPDATE, PUT_SELECTORS],
                undo: &[Permission::on("cloudtrail:StopLogging", OWN_TRAILS), UPDATE, PUT_SELECTORS],
            }
        }
    }

    fn managed_by(&self) -> ManagedBy {
        MANAGED_BY
    }

    fn stack_resources(&self, _live: &AccountTrails, action: &Action) -> Vec<PhysicalId> {
        vec![stack_resource(action.trail())]
    }

    fn fix(&self, live: &AccountTrails, params: &Self::Params, now: Timestamp) -> Plan<Action> {
        let candidates: Vec<&ObservedTrail> = live.own().filter(|it| params.other_setting(it).is_none()).collect();
        match candidates.as_slice() {
            [] => Plan::steps_in_order(vec![Step::manual(Level::L3, create(live))]),
            [trail] => steps(live, trail, params, now),
            several => Plan::blocked(
                format!("{} trails of the account could be made to qualify", several.len()),
                vec![Step::manual(Level::L2, choose(several))],
            ),
        }
    }

    fn predict(&self, live: AccountTrails, action: &Action) -> AccountTrails {
        action.apply_to(live)
    }

    /// Only the settings that the actions changed, so that a later change of the bucket does not block an undo.
    fn touched_fields(&self, subject: &AccountTrails, done: &[Action]) -> Value {
        Value::Object(done.iter().map(|action| action.touched_field(subject)).collect())
    }

    fn undo(&self, before: &AccountTrails, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        done.iter().rev().map(|action| action.inverse(before)).collect()
    }
}

impl MultiRegionCloudtrailEnabledParameters {
    fn requirement(&self) -> Requirement {
        let events = match self.read_write_type {
            _ if !self.include_management_events.0 => Events::NotRequired,
            None => Events::ReadsOrWrites,
            Some(ReadWriteType::ReadOnly) => Events::Reads,
            Some(ReadWriteType::WriteOnly) => Events::Writes,
            Some(ReadWriteType::All) => Events::All,
        };
        Requirement { events, logging: self.require_logging.0 }
    }

    /// The first requirement that the trail does not meet.
    fn gap(&self, trail: &ObservedTrail) -> Option<TrailGap> {
        match (trail.qualification(self.requirement()), self.other_setting(trail)) {
            (Qualification::Fails(check), _) => Some(TrailGap::Check(check)),
            (Qualification::Qualifies | Qualification::Unverified, Some(setting)) => Some(TrailGap::Setting(setting)),
            (Qualification::Unverified, None) => Some(TrailGap::Unverified),
            (Qualification::Qualifies, None) => None,
        }
    }

    /// A setting that differs from its parameter. The remediation changes none of these.
    fn other_setting(&self, trail: &ObservedTrail) -> Option<&'static str> {
        // CloudTrail appends `:*` to the log group ARN.
        let differs = |required: &Option<String>, actual: &Option<String>| {
            let bare = |arn: &str| arn.trim().trim_end_matches(":*").to_owned();
            required.is_some() && required.as_deref().map(bare) != actual.as_deref().map(bare)
        };
        let settings = &trail.trail.settings;
        [
            ("another S3 bucket", &self.s3_bucket_name, &settings.s3_bucket_name),
            ("another SNS topic", &self.sns_topic_arn, &settings.sns_topic_arn),
            ("another log group", &self.cloud_watch_logs_log_group_arn, &settings.cloud_watch_logs_log_group_arn),
        ]
        .into_iter()
        .find_map(|(text, required, actual)| differs(required, actual).then_some(text))
    }
}

/// The calls that make this trail qualify; blocked if they are not enough.
fn steps(
    live: &AccountTrails,
    it: &ObservedTrail,
    params: &MultiRegionCloudtrailEnabledParameters,
    now: Timestamp,
) -> Plan<Action> {
    let arn = &it.trail.arn;
    let requirement = params.requirement();
    let mut steps = Vec::new();
    let mut reasons: Vec<String> = it.trail.update_blocker().into_iter().collect();
    if requirement.logging && it.status.as_ref().is_some_and(|it| !it.is_logging) {
        steps.push(Step::call(Level::L1, Action::StartLogging { name: arn.clone() }));
    }
    if it.trail.settings.is_multi_region_trail != Some(true) {
        steps.push(Step::call(
            Level::L2,
            Action::UpdateTrail { name: arn.clone(), is_multi_region_trail: true, include_global_service_events: true },
        ));
    }
    if let Some(selectors) = &it.selectors
        && selectors.management_events().failed_check(requirement.events).is_some()
    {
        match selectors.with_all_management_events() {
            Ok(selectors) => {
                let put = Action::PutEventSelectors { trail_name: arn.clone(), selectors };
                steps.push(Step::call(Level::L2, put));
            }
            Err(reason) => reasons.push(format!("trail {}: {reason}", it.trail.name)),
        }
    }
    let calls = steps.iter().filter_map(Step::action);
    let after = calls.fold(live.clone(), |live, call| MultiRegionCloudtrailEnabled.predict(live, call));
    if reasons.is_empty() && MultiRegionCloudtrailEnabled.evaluate(&after, params, now).is_non_compliant() {
        let gap = after.trails.iter().find(|it| it.trail.arn == *arn).and_then(|it| params.gap(it));
        let gap = gap.map_or_else(|| "not enough".to_owned(), |it| it.to_string());
        reasons.push(format!("trail {} would still not qualify after these calls: {gap}", it.trail.name));
        if steps.is_empty() {
            steps.push(Step::manual(Level::L2, format!("find and fix why trail {arn} does not qualify: {gap}")));
        }
    }
    Plan::unless(reasons, steps)
}

fn qualifies(it: &ObservedTrail) -> String {
    let events = it.selectors.as_ref().map(Selectors::management_events).unwrap_or_default();
    let only = match (events.failed_check(Events::Reads), events.failed_check(Events::Writes)) {
        (None, Some(_)) => ", read events only",
        (Some(_), None) => ", write events only",
        (None, None) | (Some(_), Some(_)) => "",
    };
    format!("Trail {} qualifies{only}", named(it))
}

/// The trails, each with its gap, the closest to qualifying first.
fn none_qualifies(account: &AccountTrails, gaps: Vec<(&ObservedTrail, Option<TrailGap>)>) -> String {
    let mut gaps: Vec<(TrailGap, String)> =
        gaps.into_iter().filter_map(|(it, gap)| Some((gap?, it.trail.name.clone()))).collect();
    gaps.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    if gaps.is_empty() {
        return format!("No qualifying trail; no trail is visible in {}", account.region);
    }
    let more = gaps.len().saturating_sub(MAX_NAMED);
    let named: Vec<String> = gaps.iter().take(MAX_NAMED).map(|(gap, name)| format!("{name}: {gap}")).collect();
    let more = if more == 0 { String::new() } else { format!(" +{more} more") };
    format!("No qualifying trail; {}{more}", named.join("; "))
}

fn named(it: &ObservedTrail) -> String {
    format!("{} ({}, account {})", it.trail.name, it.trail.home_region, it.trail.owner)
}

fn create(account: &AccountTrails) -> String {
    format!(
        "owner of account {}: create a multi-region trail of all management events with a bucket, a key and log file \
         validation of your choice, or have the organization's management account create one",
        account.account
    )
}

fn choose(several: &[&ObservedTrail]) -> String {
    let arns = rectify_compliance::offenders(several.iter().map(|it| it.trail.arn.clone()));
    format!("make one of these trails record all management events in all regions: {arns}")
}

#[cfg(test)]
mod tests;
