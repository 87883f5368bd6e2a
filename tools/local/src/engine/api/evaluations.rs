//! `PutEvaluations`: the results that a rule's function reports.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request;
use crate::engine::Engine;
use crate::engine::clock::Epoch;
use crate::engine::error::ApiError;
use crate::engine::item::ResourceKey;
use crate::engine::results::{Compliance, Evaluated, Reported};
use crate::engine::shape::{Violations, is_resource_type};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvaluations {
    evaluations: Option<Vec<Evaluation>>,
    result_token: Option<String>,
    test_mode: Option<bool>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Evaluation {
    #[serde(skip_serializing_if = "Option::is_none")]
    compliance_resource_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compliance_resource_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compliance_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ordering_timestamp: Option<Epoch>,
}

/// An evaluation whose members are present and valid.
struct Validated {
    key: ResourceKey,
    compliance: Compliance,
    annotation: Option<String>,
    ordering: Epoch,
}

/// Stores evaluations, except those of the resources in `failing`, which it returns in `FailedEvaluations`.
pub(in crate::engine) fn put_evaluations(engine: &Engine, body: Value, failing: &[String]) -> Result<Value, ApiError> {
    let PutEvaluations { evaluations, result_token, test_mode } = request(body)?;
    let evaluations = evaluations.unwrap_or_default();
    let mut violations = Violations::default();
    let token = violations.required("resultToken", result_token.as_deref());
    violations.count("evaluations", evaluations.len(), 0, 100);
    for (number, evaluation) in (1..).zip(&evaluations) {
        evaluation.check_model(&mut violations, &format!("evaluations.{number}.member"));
    }
    violations.finish()?;

    let (refused, kept): (Vec<Evaluation>, Vec<Evaluation>) =
        evaluations.into_iter().partition(|evaluation| evaluation.is_about(failing));
    let validated = kept.into_iter().map(Evaluation::validated).collect::<Result<Vec<Validated>, ApiError>>()?;
    if test_mode != Some(true) {
        store(engine, token, validated)?;
    }
    Ok(json!({ "FailedEvaluations": refused }))
}

fn store(engine: &Engine, token: &str, evaluations: Vec<Validated>) -> Result<(), ApiError> {
    let claim = engine.shared.tokens.verify(token).ok_or_else(ApiError::invalid_token)?;
    let mut state = engine.lock();
    let rule = state.rules.values().find(|rule| rule.id == claim.rule_id).cloned();
    let rule = rule.ok_or_else(|| ApiError::no_such_rule(&claim.rule_id))?;
    for Validated { key, compliance, annotation, ordering } in evaluations {
        let recorded = engine.now();
        let new = Evaluated { compliance, annotation, ordering: ordering.0, recorded, invoked: claim.invoked };
        match state.results.report(&rule.name, key.clone(), new.clone()) {
            Reported::Changed(old) => engine.shared.announce(&rule, key, new, old)?,
            Reported::Same | Reported::Stale => {}
        }
    }
    Ok(())
}

impl Evaluation {
    fn is_about(&self, ids: &[String]) -> bool {
        self.compliance_resource_id.as_ref().is_some_and(|id| ids.contains(id))
    }

    fn check_model(&self, violations: &mut Violations, at: &str) {
        let member = |name: &str| format!("{at}.{name}");
        let strings = [
            ("complianceResourceType", &self.compliance_resource_type, 256),
            ("complianceResourceId", &self.compliance_resource_id, 768),
        ];
        for (name, value, max) in strings {
            match value {
                Some(value) => violations.length(&member(name), value, 1, max),
                None => violations.present(&member(name), value.as_ref()),
            }
        }
        match &self.compliance_type {
            Some(name) => violations.one_of(&member("complianceType"), name, &Compliance::NAMES),
            None => violations.present(&member("complianceType"), self.compliance_type.as_ref()),
        }
        if let Some(annotation) = &self.annotation {
            violations.length(&member("annotation"), annotation, 1, 256);
        }
        violations.present(&member("orderingTimestamp"), self.ordering_timestamp.as_ref());
    }

    fn validated(self) -> Result<Validated, ApiError> {
        let name = self.compliance_type.unwrap_or_default();
        let Some(compliance) = Compliance::named(&name) else {
            return Err(ApiError::invalid_parameter(format!(
                "The ComplianceType {name} is not accepted from PutEvaluations."
            )));
        };
        let resource_type = self.compliance_resource_type.unwrap_or_default();
        if !is_resource_type(&resource_type) {
            return Err(ApiError::invalid_parameter(format!(
                "The ComplianceResourceType {resource_type} is not a resource type."
            )));
        }
        let Some(ordering) = self.ordering_timestamp else {
            return Err(ApiError::invalid_parameter("An evaluation needs an OrderingTimestamp."));
        };
        let key = ResourceKey::new(resource_type, self.compliance_resource_id.unwrap_or_default());
        Ok(Validated { key, compliance, annotation: self.annotation, ordering })
    }
}
