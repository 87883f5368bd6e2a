//! `security-group-drift`: a security group is what was approved.
//!
//! Pure: the group and its baseline come from outside, and both are compared in one form.

pub mod baseline;
pub mod drift;
pub mod parameters;

use rectify_compliance::{
    Control, FromItem, Irreversible, Level, Periodic, Permission, Plan, Remediation, Step, Timestamp, Verdict, control,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::baseline::Baseline;
use self::drift::{Approval, Drift, GroupAndBaseline, told};
use self::parameters::SecurityGroupDriftParameters;
use crate::families::authorization::Authorize;
use crate::families::revocation::{self, RevocationPlan, Revoke};
use crate::permissions;
use crate::resources::rule::Direction;
use crate::resources::security_group::{SecurityGroup, TYPE, blockers};

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

impl Periodic for SecurityGroupDrift {
    fn list_permissions(&self) -> &'static [Permission] {
        &[permissions::DESCRIBE_GROUPS, READ_PARAMETER, READ_OBJECT, READ_HISTORY]
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
    Authorize(Authorize),
    /// Revokes rules.
    Revoke(Revoke),
}

impl From<Revoke> for RuleChange {
    fn from(close: Revoke) -> Self {
        Self::Revoke(close)
    }
}

impl Remediation for SecurityGroupDrift {
    type Action = RuleChange;
    type Undo = RuleChange;
    fn read_permissions(&self) -> &'static [Permission] {
        &[
            permissions::DESCRIBE_GROUPS,
            permissions::DESCRIBE_RULES,
            permissions::DESCRIBE_INTERFACES,
            READ_PARAMETER,
            READ_OBJECT,
            READ_HISTORY,
        ]
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        &[
            permissions::AUTHORIZE_INGRESS[0],
            permissions::AUTHORIZE_INGRESS[1],
            permissions::AUTHORIZE_EGRESS[0],
            permissions::AUTHORIZE_EGRESS[1],
            permissions::REVOKE_INGRESS,
            permissions::REVOKE_EGRESS,
        ]
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        &[
            permissions::AUTHORIZE_INGRESS[0],
            permissions::AUTHORIZE_INGRESS[1],
            permissions::AUTHORIZE_EGRESS[0],
            permissions::AUTHORIZE_EGRESS[1],
            permissions::TAG_NEW_INGRESS,
            permissions::TAG_NEW_EGRESS,
            permissions::REVOKE_INGRESS,
            permissions::REVOKE_EGRESS,
        ]
    }

    fn fix(&self, live: &GroupAndBaseline, params: &SecurityGroupDriftParameters, now: Timestamp) -> Plan<RuleChange> {
        let Some(baseline) = &live.baseline else { return Plan::Noop };
        let drift = Drift::of(&live.group, baseline, params);
        let mut draft = RevocationPlan::new(&live.group, blockers(&live.group, live.usage.as_ref()));
        for reason in change_under_way(live, baseline, params, now) {
            draft.hold(reason);
        }
        let (going, there) = (drift.extra.len(), live.group.rules.len());
        if going * 2 > there {
            draft.hold(format!("{going} of the {there} rules would be revoked, more than half"));
        }
        for direction in [Direction::Ingress, Direction::Egress] {
            let missing = drift.missing.iter().copied().filter(|rule| rule.direction == direction);
            if let Some(open) = Authorize::all(&live.group.id, direction, missing) {
                draft.push(Step::call(Level::L2, RuleChange::Authorize(open)));
            }
        }
        for rule in drift.missing.iter().filter(|rule| Authorize::again(&live.group.id, rule).is_none()) {
            draft.hold("a rule of the baseline states no peer");
            draft.push(Step::manual(Level::L2, format!("make the rule {rule} of {}", live.group.id)));
        }
        draft.revoke(drift.extra);
        for rule in drift.reworded {
            let (told, words) = (told(rule, live.group.owner.as_str()), rule.description.as_deref().unwrap_or(""));
            draft.push(Step::manual(Level::L1, format!("describe the rule {told} as `{words}`")));
        }
        draft.plan()
    }

    fn predict(&self, mut live: GroupAndBaseline, action: &RuleChange) -> GroupAndBaseline {
        match action {
            RuleChange::Authorize(open) => open.predict(&mut live.group.rules),
            RuleChange::Revoke(close) => close.predict(&mut live.group.rules),
        }
        live.group.rules.sort();
        live
    }

    fn touched_fields(&self, subject: &GroupAndBaseline, _done: &[RuleChange]) -> Value {
        revocation::touched_fields(&subject.group, |_| true)
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
                RuleChange::Revoke(close) => {
                    calls.extend(close.undo(&before.group)?.into_iter().map(RuleChange::Authorize));
                }
                RuleChange::Authorize(open) => {
                    let answer = answers.get(index).unwrap_or(&Value::Null);
                    let made = Vec::<String>::deserialize(answer).map_err(|error| Irreversible {
                        action: match open.direction() {
                            Direction::Ingress => "AuthorizeSecurityGroupIngress".to_owned(),
                            Direction::Egress => "AuthorizeSecurityGroupEgress".to_owned(),
                        },
                        reason: format!("its answer is not on record as a list of rule ids: {error}"),
                    })?;
                    if !made.is_empty() {
                        calls.push(Revoke::of(open.direction(), &before.group.id, made).into());
                    }
                }
            }
        }
        Ok(calls)
    }

    /// What is taken away again is told by ids that the model does not have.
    fn reverted(&self, live: &GroupAndBaseline, call: &RuleChange) -> Option<GroupAndBaseline> {
        match call {
            RuleChange::Authorize(_) => Some(self.predict(live.clone(), call)),
            RuleChange::Revoke(_) => None,
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
mod tests;
