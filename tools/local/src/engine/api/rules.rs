//! Operations that put, describe, delete and start rules.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{bad_next_token, check_names, request};
use crate::engine::definition::ConfigRule;
use crate::engine::error::ApiError;
use crate::engine::page::{Order, cut};
use crate::engine::rule::{MAX_RULES, Rule};
use crate::engine::shape::Violations;
use crate::engine::{Engine, State};

/// The page size of `DescribeConfigRules`.
const PAGE: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutConfigRule {
    config_rule: Option<ConfigRule>,
}

pub(in crate::engine) fn put_config_rule(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let PutConfigRule { config_rule } = request(body)?;
    let mut violations = Violations::default();
    violations.present("configRule", config_rule.as_ref());
    violations.finish()?;
    put_rule(engine, config_rule.unwrap_or_default())?;
    // The operation has no output, which SDKs read from an empty object.
    Ok(json!({}))
}

/// Creates or updates a rule and starts its evaluation.
pub(in crate::engine) fn put_rule(engine: &Engine, definition: ConfigRule) -> Result<(), ApiError> {
    let mut state = engine.lock();
    let (name, id) = identity(&mut state, &definition, engine)?;
    let rule = Rule::new(definition, name.clone(), id, engine.settings())?;
    engine.shared.evaluate(&state, &rule)?;
    state.rules.insert(name, rule);
    Ok(())
}

/// The name and id of the rule that a definition creates or updates: its name, ARN or id may identify an existing rule.
fn identity(state: &mut State, definition: &ConfigRule, engine: &Engine) -> Result<(String, String), ApiError> {
    let ConfigRule { config_rule_name: name, config_rule_arn: arn, config_rule_id: id, .. } = definition;
    let agrees = |given: &Option<String>, actual: &str| given.as_deref().is_none_or(|given| given == actual);
    let named = |rule: &&Rule| match (name, arn, id) {
        (Some(name), _, _) => *name == rule.name,
        (None, Some(arn), _) => *arn == rule.arn,
        (None, None, Some(id)) => *id == rule.id,
        (None, None, None) => false,
    };
    if let Some(rule) = state.rules.values().find(named) {
        if agrees(arn, &rule.arn) && agrees(id, &rule.id) {
            return Ok((rule.name.clone(), rule.id.clone()));
        }
        return Err(ApiError::invalid_parameter(format!(
            "ConfigRuleArn or ConfigRuleId is not that of rule {}.",
            rule.name
        )));
    }
    let Some(name) = name.clone().filter(|_| arn.is_none() && id.is_none()) else {
        return Err(ApiError::invalid_parameter(
            "A new rule needs a ConfigRuleName, and no ConfigRuleArn or ConfigRuleId.",
        ));
    };
    if state.rules.len() >= MAX_RULES {
        let message = format!(
            "Failed to put config rule '{name}' because the maximum number of config rules: {MAX_RULES} is reached."
        );
        return Err(ApiError::new("MaxNumberOfConfigRulesExceededException", message));
    }
    loop {
        state.rules_created += 1;
        let id = rule_id(engine, &name, state.rules_created);
        if state.rules.values().all(|rule| rule.id != id) {
            return Ok((name, id));
        }
    }
}

/// `config-rule-` and six characters, the same for the same rules in every run.
fn rule_id(engine: &Engine, name: &str, number: u64) -> String {
    let settings = engine.settings();
    let mut hasher = DefaultHasher::new();
    (&settings.account, &settings.region, name, number).hash(&mut hasher);
    let mut left = hasher.finish();
    let suffix: String = std::iter::repeat_with(|| {
        let digit = u32::try_from(left % 36).unwrap_or_default();
        left /= 36;
        char::from_digit(digit, 36).unwrap_or('0')
    })
    .take(6)
    .collect();
    format!("config-rule-{suffix}")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeConfigRules {
    config_rule_names: Option<Vec<String>>,
    filters: Option<Filters>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filters {
    evaluation_mode: Option<String>,
}

pub(in crate::engine) fn describe_config_rules(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let DescribeConfigRules { config_rule_names, filters, next_token } = request(body)?;
    let names = config_rule_names.unwrap_or_default();
    let mode = filters.and_then(|filters| filters.evaluation_mode);
    let mut violations = Violations::default();
    check_names(&mut violations, &names, 0);
    if let Some(mode) = &mode {
        violations.one_of("filters.evaluationMode", mode, &["DETECTIVE", "PROACTIVE"]);
    }
    violations.finish()?;

    let state = engine.lock();
    if let Some(unknown) = names.iter().find(|name| !state.rules.contains_key(*name)) {
        return Err(ApiError::no_such_rule(unknown));
    }
    let selected = state.rules.values().filter(|rule| names.is_empty() || names.contains(&rule.name));
    let described = selected.map(Rule::describe).filter(|rule| {
        mode.as_ref().is_none_or(|mode| rule.evaluation_modes.iter().any(|candidate| candidate.mode == *mode))
    });
    let keyed = described.map(|rule| (rule.config_rule_name.clone().unwrap_or_default(), rule));
    let page =
        cut("DescribeConfigRules", Order::Ascending, keyed, PAGE, next_token.as_deref()).map_err(bad_next_token)?;
    let mut answer = json!({ "ConfigRules": page.items });
    super::put_token(&mut answer, "NextToken", page.next);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteConfigRule {
    config_rule_name: Option<String>,
}

pub(in crate::engine) fn delete_config_rule(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let DeleteConfigRule { config_rule_name } = request(body)?;
    let mut violations = Violations::default();
    let name = violations.required("configRuleName", config_rule_name.as_deref());
    violations.finish()?;
    delete_rule(engine, name)?;
    Ok(json!({}))
}

/// Deletes a rule and its results; its tokens become invalid.
pub(in crate::engine) fn delete_rule(engine: &Engine, name: &str) -> Result<(), ApiError> {
    let mut state = engine.lock();
    state.rules.remove(name).ok_or_else(|| ApiError::no_such_rule(name))?;
    state.results.forget(name);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StartConfigRulesEvaluation {
    config_rule_names: Option<Vec<String>>,
}

pub(in crate::engine) fn start_config_rules_evaluation(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let StartConfigRulesEvaluation { config_rule_names } = request(body)?;
    let Some(names) = config_rule_names else {
        return Err(ApiError::invalid_parameter("ConfigRuleNames must name the rules to evaluate."));
    };
    let mut violations = Violations::default();
    check_names(&mut violations, &names, 1);
    violations.finish()?;

    let state = engine.lock();
    // All names are looked up before the first rule starts, so that a refused request has no effect.
    let rules: Vec<&Rule> = names.iter().map(|name| state.rule(name)).collect::<Result<_, _>>()?;
    for rule in rules {
        engine.shared.evaluate(&state, rule)?;
    }
    Ok(json!({}))
}
