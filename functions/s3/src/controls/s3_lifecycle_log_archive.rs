//! Whether a log bucket retains its logs long enough, archives them and aborts incomplete multipart uploads.

pub mod requirement;

use rectify_compliance::{
    Control, Irreversible, Level, Permission, Plan, Remediation, RemediationPermissions, Step, Timestamp, Verdict,
    control, offenders,
};
use serde_json::{Value, json};

use self::requirement::{Action, Addition, Findings, Params, PutLifecycle, Subject, Undo};
use crate::resources::bucket::{BUCKETS, TYPES};
use crate::resources::lifecycle::Configuration;

control! {
    /// ## What it checks
    ///
    /// That the lifecycle configuration of every log bucket, selected by `bucketNames` or `bucketTag`, retains, transitions and cleans up the objects under `logPrefix`:
    ///
    /// - No enabled rule expires logs before `minRetentionDays`, or on a date; no expiration at all is compliant.
    ///   A rule limited by a tag, a size or a longer prefix counts too, since it can delete logs.
    /// - An enabled rule for all logs transitions them to one of `storageClasses` within `transitionDays`; a transition on a date does not count.
    /// - An enabled rule for all logs aborts incomplete multipart uploads within `abortMultipartDays`.
    /// - Where versioning is enabled or suspended, an enabled rule for all logs transitions or expires noncurrent versions, and no rule expires them before `minRetentionDays`.
    ///
    /// A rule is for all logs when its prefix is a prefix of `logPrefix` and neither a tag nor a size limits it, alone or in `And`; several rules together can meet the requirements.
    /// A bucket that is not selected is NOT_APPLICABLE, and so is every bucket while neither selector is set.
    /// An item without the versioning status is evaluated as if versioning were enabled.
    /// An unknown status or predicate, or invalid days, fail the rule.
    ///
    /// ## Why it matters
    ///
    /// Logs that expire early are missing when an incident is investigated, often months later.
    /// Logs that stay in hot storage, and hidden parts of incomplete uploads, cost money every month.
    ///
    /// ## Compliant example
    ///
    /// ```json
    /// {"rules": [{"id": "archive", "status": "Enabled", "filter": {"predicate": {"type": "LifecyclePrefixPredicate", "prefix": ""}},
    ///   "transitions": [{"days": 90, "storageClass": "GLACIER"}], "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}}]}
    /// ```
    ///
    /// ## Non-compliant example
    ///
    /// ```json
    /// {"rules": [{"id": "tmp", "status": "Enabled", "filter": null, "expirationInDays": 30,
    ///   "transitions": [{"days": 7, "storageClass": "GLACIER"}]}]}
    /// ```
    ///
    /// Annotation: `Lifecycle: expires after 30 d (< 365) in rule tmp; no abort rule`.
    ///
    /// ## Parameters
    ///
    /// Together `bucketNames` and `bucketTag` select the union.
    /// `transitionDays` must be less than `minRetentionDays`.
    /// `storageClasses` may name `GLACIER`, `DEEP_ARCHIVE`, `GLACIER_IR`, `STANDARD_IA`, `ONEZONE_IA` and `INTELLIGENT_TIERING`.
    ///
    /// ## Remediation
    ///
    /// One `PutBucketLifecycleConfiguration`: every rule as it was read, in its form, and after them one rule `s3-lifecycle-log-archive` for `logPrefix` with the missing actions: a transition, a transition of noncurrent versions after the same days, and an abort of incomplete multipart uploads.
    /// `TransitionDefaultMinimumObjectSize` is sent back as it was read, since the call would otherwise reset it; a new configuration gets S3's default, under which objects below 128 KiB do not transition.
    /// The rule uses `Prefix` where the others do, and `Filter` otherwise: S3 rejects a mixture.
    /// Level L1 where only the abort is missing: an upload still incomplete after `abortMultipartDays` is then lost.
    /// Level L2 with a transition: it costs per object and applies to existing logs as well, and a log in `GLACIER` or `DEEP_ARCHIVE` must be restored before it can be read, which takes minutes to days and is charged.
    /// The fix adds no expiration, and changes or removes no rule: where logs or noncurrent versions expire too early, the plan has a manual step of level L3, and no step is applied.
    /// It is also planned and never applied when
    ///
    /// - the new rule would preempt, or could never follow, another rule for some of the same objects: one that aborts later; one that transitions later to the same or a warmer class; one that transitions earlier to a class that is not accepted and from which S3 does not transition objects to the new rule's class, or not within the 30 days that objects stay in `STANDARD_IA` and `ONEZONE_IA`; or one that transitions on a date, or retains a number of versions;
    /// - the configuration has an unknown element, rules of both forms, or 1000 rules, or S3 did not return its minimum object size for transitions;
    /// - a rule `s3-lifecycle-log-archive` already exists, e.g. one that was disabled;
    /// - `transitionDays` is less than the 30 days after which S3 transitions objects to `STANDARD_IA` and `ONEZONE_IA`;
    /// - noncurrent versions need a rule and `transitionDays` is 0, which leaves the action of the rule undefined.
    ///
    /// The API has no conditional write, so milliseconds pass between the last live read and the call: a change to the configuration in between is overwritten.
    /// Undo restores the previous configuration, or removes it where there was none; objects that have transitioned stay in their storage class, and aborted uploads are lost.
    /// IAM has no separate action for removing the configuration: `s3:PutLifecycleConfiguration` allows both, so the remediation's role could also undo.
    ///
    /// ## References
    ///
    /// - [PutBucketLifecycleConfiguration](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html)
    /// - [Lifecycle configuration elements](https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html)
    /// - [Transitioning objects](https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html)
    /// - [Conflicting rules](https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html)
    /// - [Security Hub S3.13](https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-13)
    pub S3_LIFECYCLE_LOG_ARCHIVE: S3LifecycleLogArchive {
        id: "s3-lifecycle-log-archive",
        title: "Log bucket keeps logs too short or too hot, or leaks partial uploads",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: TYPES,
        level: L3,
        frameworks: {
            Fsbp: ["S3.13"],
            Nist80053r5: ["AU-11", "CP-9", "SI-12"],
            Pci40: ["10.5.1"],
        },
    }
}

impl Control for S3LifecycleLogArchive {
    type Params = Params;
    type Subject = Subject;

    fn evaluate(&self, subject: &Subject, params: &Params, _now: Timestamp) -> Verdict {
        if !params.selects(&subject.bucket) {
            return Verdict::not_applicable("neither bucketNames nor bucketTag selects it as a log bucket");
        }
        Findings::of(subject, params).text(params).map_or(Verdict::COMPLIANT, Verdict::non_compliant)
    }
}

impl Remediation for S3LifecycleLogArchive {
    type Action = Action;
    type Undo = Undo;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[
                    Permission::on("s3:GetLifecycleConfiguration", BUCKETS),
                    Permission::on("s3:GetBucketVersioning", BUCKETS),
                    Permission::on("s3:GetBucketTagging", BUCKETS),
                ],
                fix: &[Permission::on("s3:PutLifecycleConfiguration", BUCKETS)],
                undo: &[Permission::on("s3:PutLifecycleConfiguration", BUCKETS)],
            }
        }
    }

    fn fix(&self, live: &Subject, params: &Params, _now: Timestamp) -> Plan<Action> {
        let findings = Findings::of(live, params);
        let addition = Addition::of(live, params, &findings);
        let blockers = addition.as_ref().map(|it| it.blockers(live, params)).unwrap_or_default();
        let call = addition.map(|addition| {
            let level = if addition.moves_objects() { Level::L2 } else { Level::L1 };
            Step::call(level, Action::PutBucketLifecycleConfiguration(addition.put(live)))
        });
        let steps = call.into_iter().chain(manual_step(&findings, params)).collect();
        Plan::unless(blockers, steps)
    }

    /// Sets the complete configuration.
    fn predict(&self, live: Subject, action: &Action) -> Subject {
        let Action::PutBucketLifecycleConfiguration(put) = action;
        if put.bucket.name != live.bucket.name {
            return live;
        }
        Subject { lifecycle: Some(put.lifecycle_configuration.clone()), unknown: Vec::new(), ..live }
    }

    /// The complete configuration, whatever the order of its rules.
    fn touched_fields(&self, subject: &Subject, done: &[Action]) -> Value {
        if done.is_empty() {
            return json!({});
        }
        let minimum = subject.lifecycle.as_ref().map(|it| &it.transition_default_minimum_object_size);
        let rules = subject.lifecycle.as_ref().map(Configuration::canonical);
        json!({ "Rules": rules, "TransitionDefaultMinimumObjectSize": minimum, "Unknown": subject.unknown })
    }

    fn undo(&self, before: &Subject, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        if done.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![match &before.lifecycle {
            Some(lifecycle) => {
                Undo::PutBucketLifecycleConfiguration(PutLifecycle::of(&before.bucket, lifecycle.clone()))
            }
            None => Undo::DeleteBucketLifecycle(before.bucket.owned()),
        }])
    }
}

/// The decision about retention, which is an operator's.
fn manual_step(findings: &Findings, params: &Params) -> Option<Step<Action>> {
    let retention = params.min_retention_days;
    if findings.lose_logs() {
        let rules = findings.early.iter().map(|it| format!("logs expire {it}"));
        let rules = rules.chain(findings.early_noncurrent.iter().map(|it| format!("noncurrent versions expire {it}")));
        let rules = offenders(rules);
        return Some(Step::manual(
            Level::L3,
            format!("retain for at least {retention} days, or remove the expiration: {rules}"),
        ));
    }
    let undecided = findings.no_noncurrent && params.transition_days.get() == 0;
    undecided.then(|| {
        let instruction = format!("transition noncurrent versions, or expire them after {retention} days or more");
        Step::manual(Level::L3, instruction)
    })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod plan_tests;

#[cfg(test)]
mod laws;
