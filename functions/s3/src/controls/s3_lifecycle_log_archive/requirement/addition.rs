//! The rule to add to a log bucket, and the reasons not to add it automatically.
//!
//! It never has an expiration. Only an operator changes existing rules: the new rule would otherwise preempt one of
//! them, and objects would transition, or uploads be aborted, sooner than intended.

use rectify_compliance::offenders;

use super::{Findings, Params, PutLifecycle, StorageClasses, Subject};
use crate::resources::lifecycle::{Abort, Configuration, Form, NoncurrentTransition, Rule, StorageClass, Transition};

/// The id of the added rule.
const ID: &str = "s3-lifecycle-log-archive";
/// The maximum number of rules in a configuration (S3 API reference, `PutBucketLifecycleConfiguration`).
const MAX_RULES: usize = 1000;
/// S3's default for a new configuration: objects below 128 KiB do not transition to any class.
const NEW_MINIMUM_SIZE: &str = "all_storage_classes_128K";

/// A rule to add, and the configuration with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The rule.
    pub rule: Rule,
    /// All existing rules, unchanged, followed by this one.
    configuration: Configuration,
}

impl Addition {
    /// The rule with the actions that are missing by `findings`; `None` where the rule would have no action.
    pub fn of(subject: &Subject, params: &Params, findings: &Findings) -> Option<Self> {
        let configuration = subject.lifecycle.clone().filter(|it| !it.rules.is_empty());
        let mut configuration = configuration.unwrap_or_else(|| Configuration {
            rules: Vec::new(),
            transition_default_minimum_object_size: Some(NEW_MINIMUM_SIZE.to_owned()),
        });
        let mut rule = Rule::of(ID, configuration.form().unwrap_or(Form::Filter), &params.log_prefix);
        let days = i32::try_from(params.transition_days.get()).ok().filter(|days| *days > 0);
        let storage_class = params.storage_classes.first().cloned();
        if findings.no_transition {
            rule.transitions = vec![Transition { date: None, days, storage_class: storage_class.clone() }];
        }
        if findings.no_noncurrent && days.is_some() {
            let newer_noncurrent_versions = None;
            rule.noncurrent_version_transitions =
                vec![NoncurrentTransition { noncurrent_days: days, newer_noncurrent_versions, storage_class }];
        }
        if findings.no_abort {
            let days_after_initiation = i32::try_from(params.abort_multipart_days.get()).ok();
            rule.abort_incomplete_multipart_upload = Some(Abort { days_after_initiation });
        }
        let has_action = rule.abort_incomplete_multipart_upload.is_some() || moves(&rule).next().is_some();
        configuration.rules.push(rule.clone());
        has_action.then_some(Self { rule, configuration })
    }

    /// The call that adds the rule.
    pub fn put(&self, subject: &Subject) -> PutLifecycle {
        PutLifecycle::of(&subject.bucket, self.configuration.clone())
    }

    /// Whether the rule transitions objects or versions: retrieving them then takes time and money.
    pub fn moves_objects(&self) -> bool {
        moves(&self.rule).next().is_some()
    }

    /// Why the rule must not be added automatically.
    pub fn blockers(&self, subject: &Subject, params: &Params) -> Vec<String> {
        let mut reasons = Vec::new();
        if !subject.unknown.is_empty() {
            let elements = offenders(subject.unknown.iter().cloned());
            reasons.push(format!("lifecycle: {elements}: unknown, and would be lost"));
        }
        if let Some(existing) = subject.lifecycle.as_ref().filter(|it| !it.rules.is_empty()) {
            if existing.form().is_none() {
                reasons.push("lifecycle: rules mix Prefix and Filter, or have both or neither".to_owned());
            }
            if existing.transition_default_minimum_object_size.is_none() {
                reasons.push(
                    "lifecycle: TransitionDefaultMinimumObjectSize was not returned, and would be reset".to_owned(),
                );
            }
            if existing.rules.len() >= MAX_RULES {
                reasons.push(format!("lifecycle: {} rules, and S3 allows {MAX_RULES}", existing.rules.len()));
            }
        }
        if subject.rules().iter().any(|rule| rule.id.as_deref() == Some(ID)) {
            reasons.push(format!("rule {ID}: exists already, and does not meet the requirements"));
        }
        let days = i32::try_from(params.transition_days.get()).unwrap_or(i32::MAX);
        let unreached = params.storage_classes.first().filter(|it| it.min_days() > days);
        if let Some(class) = unreached.filter(|_| self.moves_objects()) {
            let (class, minimum) = (class.name(), class.min_days());
            reasons.push(format!("transitionDays {days}: S3 moves objects to {class} after at least {minimum} days"));
        }
        let others = subject.rules().iter().filter(|rule| rule.is_enabled() && rule.touches(&params.log_prefix));
        reasons.extend(others.filter_map(|other| self.conflict(other, &params.storage_classes)));
        reasons
    }

    /// The action of `other`, for some of the same objects, that this rule would preempt or could never follow.
    fn conflict(&self, other: &Rule, accepted: &StorageClasses) -> Option<String> {
        let added = &self.rule;
        let abort =
            |rule: &Rule| rule.abort_incomplete_multipart_upload.as_ref().and_then(|it| it.days_after_initiation);
        let aborts = abort(other).zip(abort(added)).filter(|(days, sooner)| sooner < days);
        if let Some((days, sooner)) = aborts {
            return Some(format!("rule {}: aborts incomplete uploads after {days} d, not {sooner}", other.name()));
        }
        let conflicts = |(added, other): &(Move<'_>, Move<'_>)| !added.is_compatible_with(other, accepted);
        let objects = pairs(Move::of_objects(added), Move::of_objects(other)).find(conflicts);
        let versions = || pairs(Move::of_versions(added), Move::of_versions(other)).find(conflicts);
        let (kind, (_, found)) = objects.map(|it| ("objects", it)).or_else(|| versions().map(|it| ("versions", it)))?;
        Some(format!("rule {}: moves {kind} {}", other.name(), found.text()))
    }
}

/// One transition, of objects or of noncurrent versions.
#[derive(Debug, Clone, Copy)]
struct Move<'a> {
    /// The days of the transition; `None` where a date, or a number of retained versions, decides as well.
    days: Option<i32>,
    class: Option<&'a StorageClass>,
}

impl<'a> Move<'a> {
    fn of_objects(rule: &'a Rule) -> Vec<Self> {
        let of = |it: &'a Transition| Self { days: it.days, class: it.storage_class.as_ref() };
        rule.transitions.iter().map(of).collect()
    }

    fn of_versions(rule: &'a Rule) -> Vec<Self> {
        let of = |it: &'a NoncurrentTransition| {
            let by_days_only = it.newer_noncurrent_versions.is_none();
            Self { days: it.noncurrent_days.filter(|_| by_days_only), class: it.storage_class.as_ref() }
        };
        rule.noncurrent_version_transitions.iter().map(of).collect()
    }

    /// Whether both can apply: objects that the other moves earlier can move on to this class or are in an accepted
    /// class already; objects that the other moves later can move on from this class. A move not by days only, or to an
    /// unknown class, is never compatible.
    fn is_compatible_with(&self, other: &Self, accepted: &StorageClasses) -> bool {
        let (Some(days), Some(other_days), Some(class), Some(other_class)) =
            (self.days, other.days, self.class, other.class)
        else {
            return false;
        };
        if other_days > days {
            return class.can_transition_to(other_class) && other_days.saturating_sub(days) >= class.min_days();
        }
        let follows = other_class.can_transition_to(class) && days.saturating_sub(other_days) >= other_class.min_days();
        accepted.accept(Some(other_class)) || (other_days < days && follows)
    }

    fn text(&self) -> String {
        let class = self.class.map_or("no class", StorageClass::name);
        self.days.map_or_else(|| format!("to {class}, not by days only"), |days| format!("to {class} after {days} d"))
    }
}

fn pairs<'a>(added: Vec<Move<'a>>, others: Vec<Move<'a>>) -> impl Iterator<Item = (Move<'a>, Move<'a>)> {
    added.into_iter().flat_map(move |new| others.clone().into_iter().map(move |other| (new, other)))
}

fn moves(rule: &Rule) -> impl Iterator<Item = Move<'_>> {
    Move::of_objects(rule).into_iter().chain(Move::of_versions(rule))
}
