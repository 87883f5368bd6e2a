//! `multi-region-cloudtrail-enabled`: no trail records management events in all regions.
//!
//! Knows the trails of an account as [`AccountTrails`] and what qualifies from [`qualifying`](crate::resources::qualifying), no API.

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::Flag;
use rectify_compliance::{
    Control, Irreversible, Level, ManagedBy, Periodic, Permission, PhysicalId, Plan, Remediation, Step, Timestamp,
    Verdict, control, parameters,
};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::resources::account_trails::{AccountTrails, TrailGap};
use crate::resources::qualifying::{Events, OBSERVE, ObservedTrail, Requirement, Standing};
use crate::resources::recording::{Action, Undo};
use crate::resources::selectors::{ReadWriteType, Selectors};
use crate::resources::trail::{MANAGED_BY, stack_resource};

control! {
    /// ## What it checks
    /// That one trail at least records the management events of all regions: it is multi-region, it is logging, its selectors record the events that `readWriteType` asks for and leave out no source, and its latest delivery did not fail.
    /// The trails are those that `cloudtrail:DescribeTrails` shows in the home region, replicas and organization trails included; a trail of the account is read in its own home region.
    /// All selectors are taken together: an event that one leaves out and another records is recorded.
    /// An advanced selector that is narrowed by anything but `readOnly` and excluded event sources does not count.
    /// Without `readWriteType` a trail that records only read or only write events passes, as it does AWS's rule; the verdict says which.
    /// An organization trail that the management account does not let this account read passes with `trustOrganizationTrail`, and the verdict says so; what cannot be read of a trail of the account fails the invocation.
    /// Evaluated in the home region only; elsewhere it answers NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// Whoever breaks in works where nobody looks: in a region that no trail covers, or through an event that no selector records.
    /// What was not recorded cannot be found out later.
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
    /// `s3BucketName`, `snsTopicArn` and `cloudWatchLogsLogGroupArn` are values the trail must have; `readWriteType` and `includeManagementEvents` say which events it must record.
    ///
    /// ## Remediation
    /// Where one trail of the account can be made to qualify, it is: `cloudtrail:StartLogging` (L1), `cloudtrail:UpdateTrail` with `IsMultiRegionTrail` and `IncludeGlobalServiceEvents` true and nothing else (L2: a second copy of events costs), and `cloudtrail:PutEventSelectors` (L2) with one selector of all management events put after those that are there, which are written back as they were read.
    /// A selector that is there is never widened: its data events would be widened with it.
    /// What may break: nothing; more events are delivered and paid for.
    /// `PutEventSelectors` replaces the whole list and has no revision to compare: a selector that somebody adds in the milliseconds between the last read and the write is lost.
    /// Held back where several trails could be made to qualify, where the calls would not be enough (delivery fails), where no place is left for a selector, and for an organization trail, whose update needs rights in the management account that the remediation's role does not have.
    /// Without a trail of the account a person creates one (L3): bucket, key and cost are decisions.
    /// How to undo: the previous selectors are written back, the trail is made a trail of one region again, and logging is stopped, last first.
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

/// Trails of the account, in any region: a trail is changed where it was created.
const OWN_TRAILS: &str = "arn:${AWS::Partition}:cloudtrail:*:${AWS::AccountId}:trail/*";
const UPDATE: Permission = Permission::on("cloudtrail:UpdateTrail", OWN_TRAILS);
const PUT_SELECTORS: Permission = Permission::on("cloudtrail:PutEventSelectors", OWN_TRAILS);

/// How many trails a finding names.
const NAMED: usize = 3;

parameters! {
    /// The settings that the trail must have, and the events that it must record.
    pub MultiRegionCloudtrailEnabledParameters {
        /// The bucket the trail must deliver to, by name. Default: any.
        s3_bucket_name: Option<String> = None,
        /// The topic the trail must notify, by ARN. Default: any or none.
        sns_topic_arn: Option<String> = None,
        /// The log group the trail must deliver to, by ARN. Default: any or none.
        cloud_watch_logs_log_group_arn: Option<String> = None,
        /// False: management events need not be recorded. Default true.
        include_management_events: Flag = Flag(true),
        /// The management events to be recorded: `ReadOnly`, `WriteOnly` or `ALL`, in any letter case. Default: any one half.
        #[serde(deserialize_with = "read_write_type")]
        #[schemars(with = "Option<String>")]
        read_write_type: Option<ReadWriteType> = None,
        /// Whether the trail must be logging. Default true.
        require_logging: Flag = Flag(true),
        /// Whether an organization trail of another account that cannot be read counts. Default true.
        trust_organization_trail: Flag = Flag(true),
    }
}

/// Reads `readWriteType`, in any letter case.
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
        let lacks: Vec<(&ObservedTrail, Option<TrailGap>)> =
            account.trails.iter().map(|trail| (trail, params.lack(trail))).collect();
        if let Some((trail, _)) = lacks.iter().find(|(_, lack)| lack.is_none()) {
            return Verdict::Compliant(Some(qualifies(trail).into()));
        }
        let unverified = lacks.iter().find(|(_, lack)| *lack == Some(TrailGap::Unverified));
        match unverified {
            Some((trail, _)) if params.trust_organization_trail.0 => Verdict::Compliant(Some(
                format!("Organization trail {} cannot be read from here and is trusted", named(trail)).into(),
            )),
            Some(_) | None => Verdict::non_compliant(none_qualifies(account, lacks)),
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
    fn read_permissions(&self) -> &'static [Permission] {
        OBSERVE
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        const { &[Permission::on("cloudtrail:StartLogging", OWN_TRAILS), UPDATE, PUT_SELECTORS] }
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        const { &[Permission::on("cloudtrail:StopLogging", OWN_TRAILS), UPDATE, PUT_SELECTORS] }
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
        action.made_of(live)
    }

    /// The changed settings of the changed trail, so that a later change of its bucket does not block an undo.
    fn touched_fields(&self, subject: &AccountTrails, done: &[Action]) -> Value {
        Value::Object(done.iter().map(|action| action.touched_in(subject)).collect())
    }

    fn undo(&self, before: &AccountTrails, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        done.iter().rev().map(|action| action.inverse(before)).collect()
    }
}

impl MultiRegionCloudtrailEnabledParameters {
    fn requirement(&self) -> Requirement {
        let events = match self.read_write_type {
            _ if !self.include_management_events.0 => Events::Unasked,
            None => Events::AnyHalf,
            Some(ReadWriteType::ReadOnly) => Events::Reads,
            Some(ReadWriteType::WriteOnly) => Events::Writes,
            Some(ReadWriteType::All) => Events::All,
        };
        Requirement { events, logging: self.require_logging.0 }
    }

    /// The first requirement that the trail does not meet.
    fn lack(&self, trail: &ObservedTrail) -> Option<TrailGap> {
        match (trail.standing(self.requirement()), self.other_setting(trail)) {
            (Standing::Fails(shortcoming), _) => Some(TrailGap::Test(shortcoming)),
            (Standing::Qualifies | Standing::Unverified, Some(setting)) => Some(TrailGap::Setting(setting)),
            (Standing::Unverified, None) => Some(TrailGap::Unverified),
            (Standing::Qualifies, None) => None,
        }
    }

    /// A setting that differs from its parameter; no call changes these.
    fn other_setting(&self, trail: &ObservedTrail) -> Option<&'static str> {
        // CloudTrail adds `:*` to the log group it was given.
        let differs = |wanted: &Option<String>, actual: &Option<String>| {
            let bare = |arn: &str| arn.trim().trim_end_matches(":*").to_owned();
            wanted.is_some() && wanted.as_deref().map(bare) != actual.as_deref().map(bare)
        };
        let settings = &trail.trail.settings;
        [
            ("another S3 bucket", &self.s3_bucket_name, &settings.s3_bucket_name),
            ("another SNS topic", &self.sns_topic_arn, &settings.sns_topic_arn),
            ("another log group", &self.cloud_watch_logs_log_group_arn, &settings.cloud_watch_logs_log_group_arn),
        ]
        .into_iter()
        .find_map(|(text, wanted, actual)| differs(wanted, actual).then_some(text))
    }
}

/// The calls that make this one trail qualify, held where they are not enough.
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
        && selectors.management_events().shortcoming(requirement.events).is_some()
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
        let lack = after.trails.iter().find(|it| it.trail.arn == *arn).and_then(|it| params.lack(it));
        let lack = lack.map_or_else(|| "not enough".to_owned(), |it| it.to_string());
        reasons.push(format!("trail {} would not qualify by the calls alone: {lack}", it.trail.name));
        if steps.is_empty() {
            steps.push(Step::manual(Level::L2, format!("find out and mend what keeps trail {arn} from it: {lack}")));
        }
    }
    if reasons.is_empty() { Plan::steps_in_order(steps) } else { Plan::blocked(reasons.join("; "), steps) }
}

fn qualifies(it: &ObservedTrail) -> String {
    let events = it.selectors.as_ref().map(Selectors::management_events).unwrap_or_default();
    let only = match (events.shortcoming(Events::Reads), events.shortcoming(Events::Writes)) {
        (None, Some(_)) => ", read events only",
        (Some(_), None) => ", write events only",
        (None, None) | (Some(_), Some(_)) => "",
    };
    format!("Trail {} qualifies{only}", named(it))
}

/// The trails with what each lacks, the nearest to qualifying first.
fn none_qualifies(account: &AccountTrails, lacks: Vec<(&ObservedTrail, Option<TrailGap>)>) -> String {
    let mut lacks: Vec<(TrailGap, String)> =
        lacks.into_iter().filter_map(|(it, lack)| Some((lack?, it.trail.name.clone()))).collect();
    lacks.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    if lacks.is_empty() {
        return format!("No qualifying trail; none shows in {}", account.region);
    }
    let more = lacks.len().saturating_sub(NAMED);
    let named: Vec<String> = lacks.iter().take(NAMED).map(|(lack, name)| format!("{name}: {lack}")).collect();
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
