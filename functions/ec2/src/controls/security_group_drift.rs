//! `security-group-drift`: a security group matches its approved baseline.
//!
//! Pure: the group and its baseline are passed in, and are compared in normalized form.

pub mod baseline;
pub mod drift;
pub mod parameters;

use rectify_compliance::{
    Control, FromItem, Irreversible, Level, Periodic, Permission, Plan, Remediation, RemediationPermissions, Step,
    Timestamp, Verdict, control,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::baseline::Baseline;
use self::drift::{Approval, Drift, GroupAndBaseline, describe};
use self::parameters::SecurityGroupDriftParameters;
use crate::families::authorization::Authorize;
use crate::families::revocation::{self, RevocationPlan, Revoke};
use crate::permissions;
use crate::resources::rule::Direction;
use crate::resources::security_group::{SecurityGroup, TYPE, blockers};

control! {
    /// ## What it checks
    /// That the rules of a security group are exactly those of its approved baseline.
    /// Rules are compared one by one, by the fields that identify a rule in EC2: direction, protocol, ports (or ICMP type and code) and peer, however they are grouped into permissions and whatever tool wrote them.
    /// A security group as a peer is compared by its id, which is unique, and by its owner account if both sides state one; over a transit gateway EC2 does not.
    /// A permission without a peer is a rule like any other.
    /// A group without a baseline is NOT_APPLICABLE, or has no verdict with `requireBaseline`.
    /// A group whose baseline cannot be read, is for another group, or does not match its digest has no verdict and no remediation: the invocation fails; a scheduled run evaluates the other groups first.
    ///
    /// ## Why it matters
    /// A rule added for an hour is still there a year later, and a removed rule is missed only when a failover needs it.
    /// A list of forbidden rules catches neither.
    ///
    /// ## Compliant example
    /// A baseline of tcp 443 from `0.0.0.0/0`, and a group with exactly this rule.
    ///
    /// ## Non-compliant example
    /// The same baseline, and a group with tcp 8080 from `0.0.0.0/0` beside it.
    ///
    /// ## Parameters
    /// `baselineSource` is where baselines are stored: `ssm` (a parameter, plain text), `s3` (an object) or `config` (the configuration that AWS Config recorded at `baselineTime`).
    /// `baselineName` contains `{groupId}`: a parameter name below `/sg-baseline/`, or `bucket/sg-baseline/…` in a bucket of the account; the roles cannot read anything else.
    /// Without permission to list the bucket, S3 denies access to a missing object, so the invocation fails; allow `s3:ListBucket` in the bucket policy if groups without a baseline should be NOT_APPLICABLE.
    /// `driftMode` and `direction` select which differences count; with `compareDescriptions` descriptions count too.
    /// A baseline is `{"version":1,"groupId":…,"rules":[{"dir","proto","from","to","peer":{"kind":"v4|v6|pl|sg","value","owner"},"description"}],"sha256":…}`.
    /// Its digest is that of the document without `sha256`, with sorted keys and without whitespace: `jq -cjS 'del(.sha256)' baseline.json | sha256sum`.
    ///
    /// ## Remediation
    /// First the missing rules are authorized, then the extra ones are revoked by id; if the authorization fails, for example because of the rule quota, nothing is revoked (L2: it both allows and cuts off traffic).
    /// The role of this remediation can therefore authorize any rule in any group of the account; no other remediation role can. If that is too much, leave the mode at `plan`.
    /// A changed description becomes a manual step, because the role cannot change descriptions.
    /// The plan is blocked while an approved change is in progress: the baseline is younger than `approvalGraceMinutes`, or the group has a tag `approved-change` with a younger time (RFC 3339, followed by a ticket reference) or without a valid time.
    /// It is blocked if more than half of the group's rules would be revoked: then the baseline is more likely wrong than the group.
    /// It is blocked for a group of another account, and while a service manages an interface that uses the group.
    /// What may break: all traffic that depends on an unapproved rule.
    /// Undo recreates revoked rules with description and tags, under new ids, and revokes created rules by the ids that EC2 assigned.
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

/// The places that baselines are read from.
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

/// The calls of remediation and undo: each reverts the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RuleChange {
    /// Creates rules.
    Authorize(Authorize),
    /// Revokes rules.
    Revoke(Revoke),
}

impl From<Revoke> for RuleChange {
    fn from(call: Revoke) -> Self {
        Self::Revoke(call)
    }
}

impl Remediation for SecurityGroupDrift {
    type Action = RuleChange;
    type Undo = RuleChange;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions {
            read: &[
                permissions::DESCRIBE_GROUPS,
                permissions::DESCRIBE_RULES,
                permissions::DESCRIBE_INTERFACES,
                READ_PARAMETER,
                READ_OBJECT,
                READ_HISTORY,
            ],
            fix: &[
                permissions::AUTHORIZE_INGRESS[0],
                permissions::AUTHORIZE_INGRESS[1],
                permissions::AUTHORIZE_EGRESS[0],
                permissions::AUTHORIZE_EGRESS[1],
                permissions::REVOKE_INGRESS,
                permissions::REVOKE_EGRESS,
            ],
            undo: &[
                permissions::AUTHORIZE_INGRESS[0],
                permissions::AUTHORIZE_INGRESS[1],
                permissions::AUTHORIZE_EGRESS[0],
                permissions::AUTHORIZE_EGRESS[1],
                permissions::TAG_NEW_INGRESS,
                permissions::TAG_NEW_EGRESS,
                permissions::REVOKE_INGRESS,
                permissions::REVOKE_EGRESS,
            ],
        }
    }

    fn fix(&self, live: &GroupAndBaseline, params: &SecurityGroupDriftParameters, now: Timestamp) -> Plan<RuleChange> {
        let Some(baseline) = &live.baseline else { return Plan::Noop };
        let drift = Drift::of(&live.group, baseline, params);
        let mut draft = RevocationPlan::new(&live.group, blockers(&live.group, live.usage.as_ref()));
        for reason in change_in_progress(live, baseline, params, now) {
            draft.block(reason);
        }
        let (extra, total) = (drift.extra.len(), live.group.rules.len());
        if extra * 2 > total {
            draft.block(format!("{extra} of the {total} rules would be revoked, more than half"));
        }
        for direction in [Direction::Ingress, Direction::Egress] {
            let missing = drift.missing.iter().copied().filter(|rule| rule.direction == direction);
            if let Some(call) = Authorize::all(&live.group.id, direction, missing) {
                draft.push(Step::call(Level::L2, RuleChange::Authorize(call)));
            }
        }
        for rule in drift.missing.iter().filter(|rule| Authorize::recreate(&live.group.id, rule).is_none()) {
            draft.block("a rule of the baseline states no peer");
            draft.push(Step::manual(Level::L2, format!("create the rule {rule} in {}", live.group.id)));
        }
        draft.revoke(drift.extra);
        for rule in drift.changed_descriptions {
            let (rule_text, approved) =
                (describe(rule, live.group.owner.as_str()), rule.description.as_deref().unwrap_or(""));
            draft.push(Step::manual(Level::L1, format!("set the description of the rule {rule_text} to `{approved}`")));
        }
        draft.plan()
    }

    fn predict(&self, mut live: GroupAndBaseline, action: &RuleChange) -> GroupAndBaseline {
        match action {
            RuleChange::Authorize(call) => call.predict(&mut live.group.rules),
            RuleChange::Revoke(call) => call.predict(&mut live.group.rules),
        }
        live.group.rules.sort();
        live
    }

    fn touched_fields(&self, subject: &GroupAndBaseline, _done: &[RuleChange]) -> Value {
        revocation::touched_fields(&subject.group, |_| true)
    }

    fn needs_responses(&self) -> bool {
        true
    }

    fn undo(&self, before: &GroupAndBaseline, done: &[RuleChange]) -> Result<Vec<RuleChange>, Irreversible> {
        self.undo_with_responses(before, done, &[])
    }

    /// An authorization returns the ids of the rules that it created; undo revokes these and no others.
    fn undo_with_responses(
        &self,
        before: &GroupAndBaseline,
        done: &[RuleChange],
        answers: &[Value],
    ) -> Result<Vec<RuleChange>, Irreversible> {
        let mut calls = Vec::new();
        for (index, action) in done.iter().enumerate().rev() {
            match action {
                RuleChange::Revoke(call) => {
                    calls.extend(call.undo(&before.group)?.into_iter().map(RuleChange::Authorize));
                }
                RuleChange::Authorize(call) => {
                    let answer = answers.get(index).unwrap_or(&Value::Null);
                    let created = Vec::<String>::deserialize(answer).map_err(|error| Irreversible {
                        action: match call.direction() {
                            Direction::Ingress => "AuthorizeSecurityGroupIngress".to_owned(),
                            Direction::Egress => "AuthorizeSecurityGroupEgress".to_owned(),
                        },
                        reason: format!("its response was not recorded as a list of rule ids: {error}"),
                    })?;
                    if !created.is_empty() {
                        calls.push(Revoke::of(call.direction(), &before.group.id, created).into());
                    }
                }
            }
        }
        Ok(calls)
    }

    /// Created rules are revoked by ids that the model does not have.
    fn reverted(&self, live: &GroupAndBaseline, call: &RuleChange) -> Option<GroupAndBaseline> {
        match call {
            RuleChange::Authorize(_) => Some(self.predict(live.clone(), call)),
            RuleChange::Revoke(_) => None,
        }
    }
}

/// The tag that announces a change: a time, RFC 3339, followed by a ticket reference.
const APPROVED_CHANGE: &str = "approved-change";

/// Why the plan is blocked for now: an operator may be bringing the group to a new baseline.
fn change_in_progress(
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
