//! The rule a log bucket lacks, and what keeps it from being added by machine.
//!
//! It never expires anything. What a rule of the bucket says already is a person's to change: a rule that came before it
//! would otherwise be overtaken, and objects would move or uploads be aborted sooner than somebody decided.

use rectify_compliance::offenders;

use super::{Findings, Params, PutLifecycle, StorageClasses, Subject};
use crate::resources::lifecycle::{Abort, Configuration, Form, NoncurrentTransition, Rule, StorageClass, Transition};

/// The id of the rule that is added.
const ID: &str = "s3-lifecycle-log-archive";
/// The most rules of a configuration (S3 API reference, `PutBucketLifecycleConfiguration`).
const MAX_RULES: usize = 1000;
/// S3's default for a configuration that is new: objects below 128 KiB are moved to no class.
const NEW_MINIMUM_SIZE: &str = "all_storage_classes_128K";

/// A rule to add, and the configuration with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The rule.
    pub rule: Rule,
    /// Every rule there is, unchanged, and this one behind them.
    configuration: Configuration,
}

impl Addition {
    /// The rule with all that `findings` say is missing and a rule can bring; `None` where that is nothing.
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
        let brings = rule.abort_incomplete_multipart_upload.is_some() || moves(&rule).next().is_some();
        configuration.rules.push(rule.clone());
        brings.then_some(Self { rule, configuration })
    }

    /// The call that adds it.
    pub fn put(&self, subject: &Subject) -> PutLifecycle {
        PutLifecycle::of(&subject.bucket, self.configuration.clone())
    }

    /// Whether it moves objects: to get them back then takes time and money.
    pub fn moves_objects(&self) -> bool {
        moves(&self.rule).next().is_some()
    }

    /// Why it must not be added by machine.
    pub fn blockers(&self, subject: &Subject, params: &Params) -> Vec<String> {
        let mut reasons = Vec::new();
        if !subject.unknown.is_empty() {
            let elements = offenders(subject.unknown.iter().cloned());
            reasons.push(format!("lifecycle: {elements}: not known here, and would be lost"));
        }
        if let Some(existing) = subject.lifecycle.as_ref().filter(|it| !it.rules.is_empty()) {
            if existing.form().is_none() {
                reasons.push("lifecycle: rules have Prefix here and Filter there, or both, or neither".to_owned());
            }
            if existing.transition_default_minimum_object_size.is_none() {
                reasons
                    .push("lifecycle: TransitionDefaultMinimumObjectSize was not told, and would be reset".to_owned());
            }
            if existing.rules.len() >= MAX_RULES {
                reasons.push(format!("lifecycle: {} rules, and S3 takes {MAX_RULES}", existing.rules.len()));
            }
        }
        if subject.rules().iter().any(|rule| rule.id.as_deref() == Some(ID)) {
            reasons.push(format!("rule {ID}: is there, and does not do what is required"));
        }
        let days = i32::try_from(params.transition_days.get()).unwrap_or(i32::MAX);
        let late = params.storage_classes.first().filter(|it| it.min_days() > days);
        if let Some(class) = late.filter(|_| self.moves_objects()) {
            let (class, earliest) = (class.name(), class.min_days());
            reasons.push(format!(
                "transitionDays {days}: S3 moves objects to {class} after {earliest} days at the earliest"
            ));
        }
        let others = subject.rules().iter().filter(|rule| rule.is_enabled() && rule.touches(&params.log_prefix));
        reasons.extend(others.filter_map(|other| self.conflict(other, &params.storage_classes)));
        reasons
    }

    /// What `other` says of the same objects that this rule would overtake, or could never follow.
    fn conflict(&self, other: &Rule, accepted: &StorageClasses) -> Option<String> {
        let ours = &self.rule;
        let abort =
            |rule: &Rule| rule.abort_incomplete_multipart_upload.as_ref().and_then(|it| it.days_after_initiation);
        let aborts = abort(other).zip(abort(ours)).filter(|(days, sooner)| sooner < days);
        if let Some((days, sooner)) = aborts {
            return Some(format!("rule {}: aborts partial uploads after {days} d, not {sooner}", other.name()));
        }
        let (mine, theirs) = (Move::of_objects, Move::of_versions);
        let clash = |(ours, other): &(Move<'_>, Move<'_>)| !ours.agrees_with(other, accepted);
        let objects = pairs(mine(ours), mine(other)).find(clash);
        let versions = || pairs(theirs(ours), theirs(other)).find(clash);
        let (what, (_, found)) = objects.map(|it| ("objects", it)).or_else(|| versions().map(|it| ("versions", it)))?;
        Some(format!("rule {}: moves {what} {}", other.name(), found.text()))
    }
}

/// One transition, of objects or of former versions.
#[derive(Debug, Clone, Copy)]
struct Move<'a> {
    /// After which it comes; `None` where a date, or the number of versions that stay, decides as well.
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
            let by_days_alone = it.newer_noncurrent_versions.is_none();
            Self { days: it.noncurrent_days.filter(|_| by_days_alone), class: it.storage_class.as_ref() }
        };
        rule.noncurrent_version_transitions.iter().map(of).collect()
    }

    /// Whether both may stand: what the other moves before goes on to where this one moves it, or lies well already; what
    /// the other moves later goes on from there. A move not by days alone, or to an unknown class, never agrees.
    fn agrees_with(&self, other: &Self, accepted: &StorageClasses) -> bool {
        let (Some(days), Some(others), Some(class), Some(next)) = (self.days, other.days, self.class, other.class)
        else {
            return false;
        };
        if others > days {
            return class.can_transition_to(next) && others.saturating_sub(days) >= class.min_days();
        }
        let follows = next.can_transition_to(class) && days.saturating_sub(others) >= next.min_days();
        accepted.accept(Some(next)) || (others < days && follows)
    }

    fn text(&self) -> String {
        let class = self.class.map_or("no class", StorageClass::name);
        self.days.map_or_else(|| format!("to {class}, not by days alone"), |days| format!("to {class} after {days} d"))
    }
}

fn pairs<'a>(ours: Vec<Move<'a>>, others: Vec<Move<'a>>) -> impl Iterator<Item = (Move<'a>, Move<'a>)> {
    ours.into_iter().flat_map(move |mine| others.clone().into_iter().map(move |other| (mine, other)))
}

fn moves(rule: &Rule) -> impl Iterator<Item = Move<'_>> {
    Move::of_objects(rule).into_iter().chain(Move::of_versions(rule))
}
