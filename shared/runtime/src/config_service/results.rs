//! The results that AWS Config holds of a rule: what a round needs not report again, and what it retires.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use aws_sdk_config::types as sdk;
use jiff::SignedDuration;
use rectify_compliance::{Annotation, Evaluation, ResourceKey, Timestamp};

use super::{ConfigService, milliseconds};
use crate::{AwsError, Error};

/// How long AWS Config's result of an unchanged verdict stands before a round reports it again. A schedule is at most a
/// day long, so no result gets older than seven days, and a finding is reported each day: the reconciler treats one as
/// new, and requests another fix, only when its result is newer than the last fix.
const STANDS: SignedDuration = SignedDuration::from_hours(6 * 24);
const FINDING_STANDS: SignedDuration = SignedDuration::from_hours(12);

/// The fingerprint of a result that is reported again whatever the verdict is.
const DUE: u64 = 0;

/// COMPLIANT and NON_COMPLIANT results of a rule, 16 bytes per resource: the hash of the resource, and the fingerprint of
/// its result. AWS Config shows no other results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held(HashMap<u64, u64>);

impl Held {
    /// Whether AWS Config already shows what this evaluation says, and for less than six days, a finding for less than
    /// twelve hours. A resource to which a rule does not apply is shown like one without a result.
    pub fn has(&self, evaluation: &Evaluation) -> bool {
        let verdict = &evaluation.verdict;
        match self.0.get(&key_hash(&evaluation.resource)) {
            Some(held) => *held == fingerprint(verdict.compliance_type(), verdict.annotation().map(Annotation::as_str)),
            None => !verdict.is_compliant() && !verdict.is_non_compliant(),
        }
    }

    /// Whether each of its resources is among these.
    pub fn is_within(&self, listed: &HashSet<u64>) -> bool {
        self.0.keys().all(|resource| listed.contains(resource))
    }
}

/// A 64-bit hash of type and id. A collision would keep one stale result for another run, but never hide a resource.
pub fn key_hash(resource: &ResourceKey) -> u64 {
    hash(resource)
}

fn fingerprint(kind: &str, annotation: Option<&str>) -> u64 {
    hash(&(kind, annotation)).max(DUE + 1)
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl ConfigService {
    /// The results of a rule about these types, from all pages; `None` when AWS Config no longer has the rule.
    ///
    /// # Errors
    /// [`Error::Aws`] when a page fails.
    pub async fn held(&self, rule: &str, types: &[&str], now: Timestamp) -> Result<Option<Held>, Error> {
        let mut held = HashMap::new();
        let exists = self
            .results(rule, types, |resource, result| {
                let recorded = result.result_recorded_time.and_then(milliseconds);
                let kind = result.compliance_type.as_ref().map_or("", sdk::ComplianceType::as_str);
                let limit = if kind == sdk::ComplianceType::Compliant.as_str() { STANDS } else { FINDING_STANDS };
                let stands = recorded.is_some_and(|at| now.duration_since(at) < limit);
                let mark = if stands { fingerprint(kind, result.annotation.as_deref()) } else { DUE };
                held.insert(key_hash(&resource), mark);
            })
            .await?;
        Ok(exists.then_some(Held(held)))
    }

    /// The resources of these types that a rule still reports and that are not among `seen`, from all pages. `seen`
    /// contains hashes from [`key_hash`], so that memory grows by eight bytes per resource.
    ///
    /// # Errors
    /// [`Error::Aws`] when a page fails: then nothing may be retired.
    pub async fn vanished(&self, rule: &str, types: &[&str], seen: &HashSet<u64>) -> Result<Vec<ResourceKey>, Error> {
        let mut gone = Vec::new();
        let each = |resource: ResourceKey, _: &sdk::EvaluationResult| {
            if !seen.contains(&key_hash(&resource)) {
                gone.push(resource);
            }
        };
        let exists = self.results(rule, types, each).await?;
        Ok(if exists { gone } else { Vec::new() })
    }

    /// How many resources of each type AWS Config has discovered, from all pages.
    ///
    /// # Errors
    /// [`Error::Aws`] when a page fails.
    pub async fn counts(&self) -> Result<Vec<(String, u64)>, Error> {
        let mut counts = Vec::new();
        let mut next = None;
        loop {
            let call = self.client.get_discovered_resource_counts().set_next_token(next);
            let page = call.send().await;
            let page = page.map_err(|error| AwsError::call("config:GetDiscoveredResourceCounts", &error))?;
            for it in page.resource_counts.unwrap_or_default() {
                if let Some(kind) = it.resource_type {
                    counts.push((kind.as_str().to_owned(), u64::try_from(it.count).unwrap_or_default()));
                }
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(counts);
            }
        }
    }

    /// Visits the results of a rule about these types, from all pages; false when AWS Config no longer has the rule.
    async fn results(
        &self,
        rule: &str,
        types: &[&str],
        mut visit: impl FnMut(ResourceKey, &sdk::EvaluationResult),
    ) -> Result<bool, Error> {
        let mut pages = self
            .client
            .get_compliance_details_by_config_rule()
            .config_rule_name(rule)
            .compliance_types(sdk::ComplianceType::Compliant)
            .compliance_types(sdk::ComplianceType::NonCompliant)
            .limit(100)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let error = AwsError::call("config:GetComplianceDetailsByConfigRule", &error);
                    return if error.is("NoSuchConfigRuleException") { Ok(false) } else { Err(error.into()) };
                }
            };
            for result in page.evaluation_results.unwrap_or_default() {
                let qualifier = result
                    .evaluation_result_identifier
                    .as_ref()
                    .and_then(|it| it.evaluation_result_qualifier.as_ref())
                    .and_then(|it| Some(ResourceKey::new(it.resource_type.clone()?, it.resource_id.clone()?)));
                if let Some(resource) = qualifier.filter(|it| types.contains(&it.kind.as_str())) {
                    visit(resource, &result);
                }
            }
        }
        Ok(true)
    }
}
