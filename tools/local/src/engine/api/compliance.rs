//! Operations that read results by rule and by resource.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{bad_next_token, check_names, page_size, put_token, request};
use crate::engine::error::ApiError;
use crate::engine::item::ResourceKey;
use crate::engine::page::{Order, cut};
use crate::engine::results::Compliance;
use crate::engine::shape::Violations;
use crate::engine::{Engine, State};

/// The default page size of results.
const PAGE: usize = 10;
/// The page size of `DescribeComplianceByConfigRule`.
const RULES_PAGE: usize = 25;
/// The cap on the count of noncompliant resources.
const MAX_CONTRIBUTORS: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByConfigRule {
    config_rule_name: Option<String>,
    compliance_types: Option<Vec<String>>,
    limit: Option<i64>,
    next_token: Option<String>,
}

pub(in crate::engine) fn get_compliance_details_by_config_rule(
    engine: &Engine,
    body: Value,
) -> Result<Value, ApiError> {
    let ByConfigRule { config_rule_name, compliance_types, limit, next_token } = request(body)?;
    let types = compliance_types.unwrap_or_default();
    let mut violations = Violations::default();
    let name = violations.required("configRuleName", config_rule_name.as_deref());
    violations.range("limit", limit.unwrap_or_default(), 0, 100);
    check_types(&mut violations, &types);
    violations.finish()?;
    let filter = filter(&types)?;

    let state = engine.lock();
    state.rule(name)?;
    let results = state.results.of_rule(name).filter(|(_, result)| filter.matches(result.compliance));
    let keyed = results.map(|(key, result)| (row(key), result.api(name, key)));
    let query = format!("GetComplianceDetailsByConfigRule {name} {types:?}");
    let page =
        cut(&query, Order::Ascending, keyed, page_size(limit, PAGE), next_token.as_deref()).map_err(bad_next_token)?;
    let mut answer = json!({ "EvaluationResults": page.items });
    put_token(&mut answer, "NextToken", page.next);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByResource {
    resource_type: Option<String>,
    resource_id: Option<String>,
    compliance_types: Option<Vec<String>>,
    next_token: Option<String>,
}

pub(in crate::engine) fn get_compliance_details_by_resource(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let ByResource { resource_type, resource_id, compliance_types, next_token } = request(body)?;
    let types = compliance_types.unwrap_or_default();
    let mut violations = Violations::default();
    check_types(&mut violations, &types);
    violations.finish()?;
    let filter = filter(&types)?;
    let (Some(resource_type), Some(resource_id)) = (resource_type, resource_id) else {
        // The model requires neither, since a ResourceEvaluationId may replace them, which this engine does not have.
        return Err(ApiError::invalid_parameter("ResourceType and ResourceId must name the resource."));
    };

    let key = ResourceKey::new(resource_type, resource_id);
    let state = engine.lock();
    let results = state.results.of_resource(&key).filter(|(_, result)| filter.matches(result.compliance));
    let keyed = results.map(|(rule, result)| (rule.clone(), result.api(rule, &key)));
    let query = format!("GetComplianceDetailsByResource {key} {types:?}");
    // This operation has no InvalidNextTokenException in its model.
    let bad_token = |_| ApiError::invalid_parameter("The specified next token is not valid.");
    let page = cut(&query, Order::Ascending, keyed, PAGE, next_token.as_deref()).map_err(bad_token)?;
    let mut answer = json!({ "EvaluationResults": page.items });
    put_token(&mut answer, "NextToken", page.next);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeCompliance {
    config_rule_names: Option<Vec<String>>,
    compliance_types: Option<Vec<String>>,
    next_token: Option<String>,
}

pub(in crate::engine) fn describe_compliance_by_config_rule(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let DescribeCompliance { config_rule_names, compliance_types, next_token } = request(body)?;
    let names = config_rule_names.unwrap_or_default();
    let types = compliance_types.unwrap_or_default();
    let mut violations = Violations::default();
    check_names(&mut violations, &names, 0);
    check_types(&mut violations, &types);
    violations.finish()?;

    let state = engine.lock();
    if let Some(unknown) = names.iter().find(|name| !state.rules.contains_key(*name)) {
        return Err(ApiError::no_such_rule(unknown));
    }
    let selected = state.rules.keys().filter(|name| names.is_empty() || names.contains(name));
    let keyed = selected.filter_map(|name| {
        let compliance = summary(&state, name);
        let kept = types.is_empty()
            || compliance.get("ComplianceType").is_some_and(|kind| types.iter().any(|wanted| kind == wanted));
        kept.then(|| (name.clone(), json!({ "ConfigRuleName": name, "Compliance": compliance })))
    });
    let query = format!("DescribeComplianceByConfigRule {types:?}");
    let page = cut(&query, Order::Ascending, keyed, RULES_PAGE, next_token.as_deref()).map_err(bad_next_token)?;
    let mut answer = json!({ "ComplianceByConfigRules": page.items });
    put_token(&mut answer, "NextToken", page.next);
    Ok(answer)
}

/// NON_COMPLIANT with at least one such resource, else COMPLIANT with at least one such resource, else
/// INSUFFICIENT_DATA.
fn summary(state: &State, rule: &str) -> Value {
    let count = |wanted| state.results.of_rule(rule).filter(|(_, result)| result.compliance == wanted).count();
    let noncompliant = count(Compliance::NonCompliant);
    if noncompliant > 0 {
        let capped = noncompliant.min(MAX_CONTRIBUTORS);
        let counted = json!({ "CappedCount": capped, "CapExceeded": noncompliant > MAX_CONTRIBUTORS });
        json!({ "ComplianceType": "NON_COMPLIANT", "ComplianceContributorCount": counted })
    } else if count(Compliance::Compliant) > 0 {
        json!({ "ComplianceType": "COMPLIANT" })
    } else {
        json!({ "ComplianceType": "INSUFFICIENT_DATA" })
    }
}

/// The compliance types that a request selects; none means all.
struct Filter(Vec<Compliance>);

impl Filter {
    fn matches(&self, compliance: Compliance) -> bool {
        self.0.is_empty() || self.0.contains(&compliance)
    }
}

fn filter(types: &[String]) -> Result<Filter, ApiError> {
    let named = types.iter().map(|name| {
        let why = || ApiError::invalid_parameter(format!("{name} cannot be used to filter results."));
        Compliance::named(name).ok_or_else(why)
    });
    Ok(Filter(named.collect::<Result<_, _>>()?))
}

fn check_types(violations: &mut Violations, types: &[String]) {
    violations.count("complianceTypes", types.len(), 0, 3);
    for (number, name) in (1..).zip(types) {
        violations.one_of(&format!("complianceTypes.{number}.member"), name, &Compliance::NAMES);
    }
}

/// A key with the sort order of [`ResourceKey`], since no type contains a newline.
fn row(key: &ResourceKey) -> String {
    format!("{}\n{}", key.resource_type, key.resource_id)
}
