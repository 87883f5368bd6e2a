//! Whether a log bucket keeps its logs long enough, moves them to cheap storage and leaks no partial uploads.

pub mod requirement;

use rectify_compliance::{
    Control, Irreversible, Level, Permission, Plan, Remediation, Step, Timestamp, Verdict, control, offenders,
};
use serde_json::{Value, json};

use self::requirement::{Action, Addition, Findings, Params, PutLifecycle, Subject, Undo};
use crate::resources::bucket::{BUCKETS, TYPES};
use crate::resources::lifecycle::Configuration;

control! {
    /// ## What it checks
    ///
    /// That the lifecycle configuration of every log bucket, which are those that `bucketNames` or `bucketTag` selects, keeps, moves and cleans up what lies below `logPrefix`:
    ///
    /// - No enabled rule lets logs expire before `minRetentionDays`, or on a date; no expiration at all is fine.
    ///   A rule that a tag, a size or a longer prefix narrows counts too, since it can delete logs.
    /// - An enabled rule about all logs moves them to one of `storageClasses` within `transitionDays`; a move on a date is none.
    /// - An enabled rule about all logs aborts partial uploads within `abortMultipartDays`.
    /// - Where the bucket keeps versions, or did, an enabled rule about all logs moves or expires the former ones, and none expires them before `minRetentionDays`.
    ///
    /// A rule is about all logs when its prefix is a prefix of `logPrefix` and neither a tag nor a size narrows it, be it alone or within `And`; several rules may do it together.
    /// A bucket that is not selected is NOT_APPLICABLE, and so is every bucket while neither selector is set.
    /// An item that does not tell whether the bucket keeps versions is judged as if it did.
    /// A status, a predicate or days that are not known fail the rule.
    ///
    /// ## Why it matters
    ///
    /// Logs that expire early are missing when an incident is looked into, often months after it.
    /// Logs that stay in hot storage, and parts of uploads that nobody sees, are paid for every month.
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
    /// `bucketNames` and `bucketTag` together select the union.
    /// `transitionDays` must be less than `minRetentionDays`.
    /// `storageClasses` may name `GLACIER`, `DEEP_ARCHIVE`, `GLACIER_IR`, `STANDARD_IA`, `ONEZONE_IA` and `INTELLIGENT_TIERING`.
    ///
    /// ## Remediation
    ///
    /// One `PutBucketLifecycleConfiguration`: every rule as it was read, in its form, and behind them one rule `s3-lifecycle-log-archive` about `logPrefix` with what is missing, which may be a transition, one for former versions after the same days, and an abort of partial uploads.
    /// `TransitionDefaultMinimumObjectSize` is sent again as it was read, since the call would otherwise reset it; a new configuration gets S3's own default, under which objects below 128 KiB are not moved.
    /// The rule is written with `Prefix` where the others are, and with `Filter` otherwise: S3 refuses a mixture.
    /// Level L1 where only the abort is missing: an upload that is still open after `abortMultipartDays` is then lost.
    /// Level L2 with a transition: it costs per object, applies to the logs that are there as well, and to read a log of `GLACIER` or `DEEP_ARCHIVE` it must be restored first, which takes minutes to days and is charged.
    /// Nothing is ever expired, and no rule is changed or removed: that logs or former versions expire too early is a step of level L3, for a person, and then nothing of the plan is applied.
    /// It is also planned and never applied when
    ///
    /// - a rule about some of the same objects would be overtaken or could never be followed: it aborts later, moves later to the same or a warmer class, moves before to a class that is not accepted and from which S3 moves nothing to ours, or not within the 30 days that objects stay in `STANDARD_IA` and `ONEZONE_IA`, or moves on a date, or all but a number of versions;
    /// - the configuration has an element that is not known here, rules of both forms, or 1000 rules, or its smallest object to move was not told;
    /// - there is a rule `s3-lifecycle-log-archive` already, such as one that somebody disabled;
    /// - `transitionDays` is less than the 30 days after which S3 moves objects to `STANDARD_IA` and `ONEZONE_IA`;
    /// - former versions need a rule and `transitionDays` is 0, which leaves open what it should do.
    ///
    /// The API has no conditional write, so milliseconds pass between the last live read and the call: a change to the configuration in between is overwritten.
    /// Undo puts the configuration back as it was, or removes it where there was none; objects that were moved stay where they are, and uploads that were aborted are gone.
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
    fn read_permissions(&self) -> &'static [Permission] {
        const {
            &[
                Permission::on("s3:GetLifecycleConfiguration", BUCKETS),
                Permission::on("s3:GetBucketVersioning", BUCKETS),
                Permission::on("s3:GetBucketTagging", BUCKETS),
            ]
        }
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        const { &[Permission::on("s3:PutLifecycleConfiguration", BUCKETS)] }
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        self.fix_permissions()
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
        if blockers.is_empty() { Plan::steps_in_order(steps) } else { Plan::blocked(blockers.join("; "), steps) }
    }

    /// Sets the whole configuration.
    fn predict(&self, live: Subject, action: &Action) -> Subject {
        let Action::PutBucketLifecycleConfiguration(put) = action;
        if put.bucket != live.bucket.name {
            return live;
        }
        Subject { lifecycle: Some(put.lifecycle_configuration.clone()), unknown: Vec::new(), ..live }
    }

    /// The whole configuration, whatever the order of its rules.
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
            None => Undo::DeleteBucketLifecycle {
                bucket: before.bucket.name.clone(),
                expected_bucket_owner: before.bucket.account.to_string(),
            },
        }])
    }
}

/// What a machine must not decide: how long something is kept.
fn manual_step(findings: &Findings, params: &Params) -> Option<Step<Action>> {
    let retention = params.min_retention_days;
    if findings.lose_logs() {
        let rules = findings.early.iter().map(|it| format!("logs expire {it}"));
        let rules = rules.chain(findings.early_noncurrent.iter().map(|it| format!("noncurrent versions expire {it}")));
        let rules = offenders(rules);
        return Some(Step::manual(
            Level::L3,
            format!("keep for {retention} days at least, or not let expire at all: {rules}"),
        ));
    }
    let open = findings.no_noncurrent && params.transition_days.get() == 0;
    open.then(|| {
        let words = format!("move noncurrent versions, or let them expire after {retention} days or more");
        Step::manual(Level::L3, words)
    })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod plan_tests;

#[cfg(test)]
mod laws;
