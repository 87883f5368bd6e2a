//! `security-group-drift`: a security group is what was approved.
//!
//! Pure: the group and its baseline come from outside, and both are compared in one form.

use rectify_compliance::values::{Bounded, Flag, Moment};
use rectify_compliance::{
    Control, FromItem, Inventory, Irreversible, Level, Parameters, Permission, Plan, Remediation, Step, Timestamp,
    Verdict, control,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::authorization::Open;
use crate::baseline::Baseline;
use crate::drift::{Approval, Drift, GroupAndBaseline, told};
use crate::iam;
use crate::revocation::{self, Close, Draft};
use crate::rule::{Direction, Rule};
use crate::security_group::{SecurityGroup, TYPE, obstacles};

control! {
    /// ## What it checks
    /// That the rules of a security group are those of its approved baseline, no more and no fewer.
    /// Rules are compared one by one as EC2 tells them apart: direction, protocol, ports (or ICMP type and code) and peer, however they are spread over permissions and whatever tool wrote them.
    /// A security group as a peer is compared by its id, which is unique, and by the account that owns it where both sides state one; over a transit gateway EC2 does not.
    /// A permission without a peer is a rule like any other.
    /// A group without a baseline is NOT_APPLICABLE, or has no verdict with `requireBaseline`.
    /// A group whose baseline cannot be read, is for another group, or does not match its digest has no verdict, and no remediation: the invocation fails, and a scheduled run judges the other groups first.
    ///
    /// ## Why it matters
    /// The rule somebody added for an hour is still there a year later, and the rule somebody removed is missed when a failover needs it.
    /// A list of forbidden things sees neither.
    ///
    /// ## Compliant example
    /// A baseline of tcp 443 from `0.0.0.0/0`, and a group with exactly this rule.
    ///
    /// ## Non-compliant example
    /// The same baseline, and a group with tcp 8080 from `0.0.0.0/0` beside it.
    ///
    /// ## Parameters
    /// `baselineSource` says where baselines are: `ssm` (a parameter, plain text), `s3` (an object) or `config` (what AWS Config recorded of the group at `baselineTime`).
    /// `baselineName` holds `{groupId}`: a parameter name below `/sg-baseline/`, or `bucket/sg-baseline/…` in a bucket of the account; the roles may read nothing else.
    /// Where the role may not list the bucket, S3 answers a missing object as a denied one, so the invocation fails; allow `s3:ListBucket` in the bucket's policy where groups without a baseline are to be NOT_APPLICABLE.
    /// `driftMode` and `direction` say which differences count; `compareDescriptions` makes descriptions count.
    /// A baseline is `{"version":1,"groupId":…,"rules":[{"dir","proto","from","to","peer":{"kind":"v4|v6|pl|sg","value","owner"},"description"}],"sha256":…}`.
    /// Its digest is that of the document without `sha256`, with sorted keys and without blanks: `jq -cjS 'del(.sha256)' baseline.json | sha256sum`.
    ///
    /// ## Remediation
    /// First the missing rules are authorized, then the extra ones are revoked by their ids; where the first is refused, as by the quota of rules, nothing is revoked (L2: it opens and it closes).
    /// This remediation's role may therefore authorize any rule in any group of the account; none of the others may. Where that is too much, leave the mode at `plan`.
    /// A description that differs is left to a person, since the role may not change descriptions.
    /// The plan is held while an approved change is under way: the baseline is younger than `approvalGraceMinutes`, or the group has a tag `approved-change` with a younger time (RFC 3339, then whatever names the ticket), or with one that is none.
    /// It is held where more than half of the group's rules would be revoked: then the baseline is more likely wrong than the group.
    /// It is held in a group of another account, and while a service manages an interface that uses the group.
    /// What may break is whatever an unapproved rule served.
    /// Undo makes revoked rules again with description and tags, under new ids, and revokes the rules that were made by the ids EC2 gave them.
    ///
    /// ## References
    /// - [DescribeSecurityGroupRules](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html)
    /// - [AuthorizeSecurityGroupIngress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html)
    /// - [GetResourceConfigHistory](https://docs.aws.amazon.com/config/latest/APIReference/API_GetResourceConfigHistory.html)
    pub SECURITY_GROUP_DRIFT: SecurityGroupDrift {
        id: "security-group-drift",
        title: "Security group differs from its approved baseline",
        severity: Medium,
        triggers: [Change, Periodic(SixHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Nist80053r5: ["CM-2", "CM-3", "CM-6"],
            Pci40: ["1.2.8"],
        },
    }
}

/// The parameters of [`SecurityGroupDrift`]; there is no managed rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct SecurityGroupDriftParameters {
    /// Where baselines are: `ssm`, `s3` or `config`. Default ssm.
    pub baseline_source: BaselineSource,
    /// The name of a baseline, with `{groupId}` in it: below `/sg-baseline/`, or `bucket/sg-baseline/…` for s3.
    pub baseline_name: String,
    /// With `config` alone, and there needed: the moment whose configuration item is the baseline, RFC 3339. Default none.
    pub baseline_time: Option<Moment>,
    /// Which differences count: `exact` (both kinds), `extra` or `missing`. Default exact.
    pub drift_mode: DriftMode,
    /// Which rules count: `both`, `ingress` or `egress`. Default both.
    pub direction: Directions,
    /// Whether a description that differs counts. Default false.
    pub compare_descriptions: Flag,
    /// Whether a group without a baseline fails the invocation. Default false.
    pub require_baseline: Flag,
    /// How long after an approved change the group is left alone, minutes, 0..=1440. Default 60.
    pub approval_grace_minutes: Bounded<0, 1440>,
}

/// Where baselines are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BaselineSource {
    /// A parameter of Systems Manager.
    #[default]
    Ssm,
    /// An object in S3.
    S3,
    /// AWS Config's own history.
    Config,
}

/// Which differences count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DriftMode {
    /// Extra and missing rules.
    #[default]
    Exact,
    /// Extra rules.
    Extra,
    /// Missing rules.
    Missing,
}

/// Which rules count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Directions {
    /// All of them.
    #[default]
    Both,
    /// Those that let traffic in.
    Ingress,
    /// Those that let it out.
    Egress,
}

/// What stands in a name for the id of the group.
const GROUP_ID: &str = "{groupId}";

impl Default for SecurityGroupDriftParameters {
    fn default() -> Self {
        Self {
            baseline_source: BaselineSource::Ssm,
            baseline_name: "/sg-baseline/{groupId}".to_owned(),
            baseline_time: None,
            drift_mode: DriftMode::Exact,
            direction: Directions::Both,
            compare_descriptions: Flag(false),
            require_baseline: Flag(false),
            approval_grace_minutes: Bounded::of(60),
        }
    }
}

impl Parameters for SecurityGroupDriftParameters {
    fn check(&self) -> Result<(), String> {
        let name = &self.baseline_name;
        if !name.contains(GROUP_ID) {
            return Err(format!("baselineName: expected {GROUP_ID} in it: received `{name}`"));
        }
        match (self.baseline_source, self.baseline_time) {
            (BaselineSource::Config, None) => return Err("baselineSource `config` needs baselineTime".to_owned()),
            (BaselineSource::Ssm | BaselineSource::S3, Some(_)) => {
                return Err("baselineTime belongs to baselineSource `config`".to_owned());
            }
            _ => {}
        }
        let is_readable = match self.baseline_source {
            BaselineSource::Ssm => name.starts_with("/sg-baseline/"),
            BaselineSource::S3 => {
                self.object("").is_some_and(|(bucket, key)| !bucket.is_empty() && key.starts_with("sg-baseline/"))
            }
            BaselineSource::Config => true,
        };
        let wanted = match self.baseline_source {
            BaselineSource::S3 => "bucket/sg-baseline/…",
            BaselineSource::Ssm | BaselineSource::Config => "/sg-baseline/…",
        };
        if is_readable { Ok(()) } else { Err(format!("baselineName: expected {wanted}: received `{name}`")) }
    }
}

impl SecurityGroupDriftParameters {
    /// The name of a group's baseline.
    pub fn name_for(&self, group_id: &str) -> String {
        self.baseline_name.replace(GROUP_ID, group_id)
    }

    /// Bucket and key of a group's baseline, where the name has both.
    pub fn object(&self, group_id: &str) -> Option<(String, String)> {
        self.name_for(group_id).split_once('/').map(|(bucket, key)| (bucket.to_owned(), key.to_owned()))
    }

    /// Whether a rule counts.
    pub fn concerns(&self, rule: &Rule) -> bool {
        match self.direction {
            Directions::Both => true,
            Directions::Ingress => rule.direction == Direction::Ingress,
            Directions::Egress => rule.direction == Direction::Egress,
        }
    }
}

/// Where baselines are read from.
const READ_PARAMETER: Permission = Permission::on(
    "ssm:GetParameter",
    "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/sg-baseline/*",
);
const READ_OBJECT: Permission = Permission::on("s3:GetObject", "arn:${AWS::Partition}:s3:::*/sg-baseline/*");
const READ_HISTORY: Permission = Permission::unscoped("config:GetResourceConfigHistory");

impl FromItem for SecurityGroupDrift {
    type Resource = SecurityGroup;
    type Facts = Approval;
    fn fact_permissions(&self) -> &'static [Permission] {
        &[READ_PARAMETER, READ_OBJECT, READ_HISTORY]
    }

    fn subject(&self, group: SecurityGroup, approval: Approval) -> GroupAndBaseline {
        GroupAndBaseline::of(group, approval, None)
    }
}

impl Inventory for SecurityGroupDrift {
    fn list_permissions(&self) -> &'static [Permission] {
        &[iam::DESCRIBE_GROUPS, READ_PARAMETER, READ_OBJECT, READ_HISTORY]
    }
}

impl Control for SecurityGroupDrift {
    type Params = SecurityGroupDriftParameters;
    type Subject = GroupAndBaseline;

    fn evaluate(&self, subject: &GroupAndBaseline, params: &SecurityGroupDriftParameters, _now: Timestamp) -> Verdict {
        let Some(baseline) = &subject.baseline else { return Verdict::not_applicable("no baseline") };
        let drift = Drift::of(&subject.group, baseline, params);
        if drift.is_none() {
            return Verdict::COMPLIANT;
        }
        Verdict::non_compliant(format!("Drift from baseline: {}", drift.text(subject.group.owner.as_str())))
    }
}

/// What remediation and undo may call: what one of them does, the other takes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RuleChange {
    /// Makes rules.
    Open(Open),
    /// Revokes rules.
    Close(Close),
}

impl From<Close> for RuleChange {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

impl Remediation for SecurityGroupDrift {
    type Action = RuleChange;
    type Undo = RuleChange;
    fn read_permissions(&self) -> &'static [Permission] {
        &[
            iam::DESCRIBE_GROUPS,
            iam::DESCRIBE_RULES,
            iam::DESCRIBE_INTERFACES,
            READ_PARAMETER,
            READ_OBJECT,
            READ_HISTORY,
        ]
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        &[
            iam::AUTHORIZE_INGRESS[0],
            iam::AUTHORIZE_INGRESS[1],
            iam::AUTHORIZE_EGRESS[0],
            iam::AUTHORIZE_EGRESS[1],
            iam::REVOKE_INGRESS,
            iam::REVOKE_EGRESS,
        ]
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        &[
            iam::AUTHORIZE_INGRESS[0],
            iam::AUTHORIZE_INGRESS[1],
            iam::AUTHORIZE_EGRESS[0],
            iam::AUTHORIZE_EGRESS[1],
            iam::TAG_NEW_INGRESS,
            iam::TAG_NEW_EGRESS,
            iam::REVOKE_INGRESS,
            iam::REVOKE_EGRESS,
        ]
    }

    fn fix(&self, live: &GroupAndBaseline, params: &SecurityGroupDriftParameters, now: Timestamp) -> Plan<RuleChange> {
        let Some(baseline) = &live.baseline else { return Plan::Nothing };
        let drift = Drift::of(&live.group, baseline, params);
        let mut draft = Draft::new(&live.group, obstacles(&live.group, live.usage.as_ref()));
        for reason in change_under_way(live, baseline, params, now) {
            draft.hold(reason);
        }
        let (going, there) = (drift.extra.len(), live.group.rules.len());
        if going * 2 > there {
            draft.hold(format!("{going} of the {there} rules would be revoked, more than half"));
        }
        for direction in [Direction::Ingress, Direction::Egress] {
            let missing = drift.missing.iter().copied().filter(|rule| rule.direction == direction);
            if let Some(open) = Open::all(&live.group.id, direction, missing) {
                draft.push(Step::call(Level::L2, RuleChange::Open(open)));
            }
        }
        for rule in drift.missing.iter().filter(|rule| Open::again(&live.group.id, rule).is_none()) {
            draft.hold("a rule of the baseline states no peer");
            draft.push(Step::person(Level::L2, format!("make the rule {rule} of {}", live.group.id)));
        }
        draft.revoke(drift.extra);
        for rule in drift.reworded {
            let (told, words) = (told(rule, live.group.owner.as_str()), rule.description.as_deref().unwrap_or(""));
            draft.push(Step::person(Level::L1, format!("describe the rule {told} as `{words}`")));
        }
        // Without a drift there is nothing to hold.
        if draft.is_empty() { Plan::Nothing } else { draft.plan() }
    }

    fn expect(&self, mut live: GroupAndBaseline, action: &RuleChange) -> GroupAndBaseline {
        match action {
            RuleChange::Open(open) => open.expect(&mut live.group.rules),
            RuleChange::Close(close) => close.expect(&mut live.group.rules),
        }
        live.group.rules.sort();
        live
    }

    fn footprint(&self, subject: &GroupAndBaseline, _done: &[RuleChange]) -> Value {
        revocation::footprint(&subject.group, |_| true)
    }

    fn needs_answers(&self) -> bool {
        true
    }

    fn undo(&self, before: &GroupAndBaseline, done: &[RuleChange]) -> Result<Vec<RuleChange>, Irreversible> {
        self.undo_answered(before, done, &[])
    }

    /// An authorization answers the ids of the rules that it made; undo revokes these and no others.
    fn undo_answered(
        &self,
        before: &GroupAndBaseline,
        done: &[RuleChange],
        answers: &[Value],
    ) -> Result<Vec<RuleChange>, Irreversible> {
        let mut calls = Vec::new();
        for (index, action) in done.iter().enumerate().rev() {
            match action {
                RuleChange::Close(close) => {
                    calls.extend(close.undo(&before.group)?.into_iter().map(RuleChange::Open));
                }
                RuleChange::Open(open) => {
                    let answer = answers.get(index).unwrap_or(&Value::Null);
                    let made = Vec::<String>::deserialize(answer).map_err(|error| Irreversible {
                        action: match open.direction() {
                            Direction::Ingress => "AuthorizeSecurityGroupIngress".to_owned(),
                            Direction::Egress => "AuthorizeSecurityGroupEgress".to_owned(),
                        },
                        reason: format!("its answer is not on record as a list of rule ids: {error}"),
                    })?;
                    if !made.is_empty() {
                        calls.push(Close::of(open.direction(), &before.group.id, made).into());
                    }
                }
            }
        }
        Ok(calls)
    }

    /// What is taken away again is told by ids that the model does not have.
    fn reverted(&self, live: &GroupAndBaseline, call: &RuleChange) -> Option<GroupAndBaseline> {
        match call {
            RuleChange::Open(_) => Some(self.expect(live.clone(), call)),
            RuleChange::Close(_) => None,
        }
    }
}

/// The tag by which a change is announced: a time, RFC 3339, then whatever names the ticket.
const APPROVED_CHANGE: &str = "approved-change";

/// Why the group is left alone for now: somebody may be about to bring it to a new baseline.
fn change_under_way(
    live: &GroupAndBaseline,
    baseline: &Baseline,
    params: &SecurityGroupDriftParameters,
    now: Timestamp,
) -> Vec<String> {
    let grace = i64::from(params.approval_grace_minutes.get()) * 60;
    let is_young = |at: Timestamp| now.as_second() - at.as_second() < grace;
    let mut reasons = Vec::new();
    if let Some(at) = baseline.approved_at.filter(|at| is_young(*at)) {
        reasons.push(format!("the baseline was changed at {at}"));
    }
    if let Some(tag) = live.group.tags.get(APPROVED_CHANGE) {
        match tag.split_whitespace().next().and_then(|at| at.parse::<Timestamp>().ok()) {
            Some(at) if !is_young(at) => {}
            Some(_) => reasons.push(format!("a change was approved: `{tag}`")),
            None => reasons.push(format!("the tag {APPROVED_CHANGE} does not begin with a time: `{tag}`")),
        }
    }
    reasons
}

#[cfg(test)]
#[path = "security_group_drift_tests.rs"]
mod tests;
