//! Open findings of the deployed rules, as AWS Config reports them.

use std::fmt;

use aws_sdk_config::Client;
use aws_sdk_config::types::ComplianceType;
use rectify_compliance::exemption::{ANY, Exemption, Known, Selector};
use rectify_compliance::{ResourceKey, Target};
use rectify_runtime::AwsError;

use crate::place::OpenLedger;

/// The open findings that an exemption covers in the account and region of the caller.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Covered {
    /// How many, and where.
    Counted {
        /// The number of findings.
        count: usize,
        /// The account and the region.
        place: String,
    },
    /// They cannot be counted, and why.
    Unknown(String),
}

impl Covered {
    /// The number, if it is known.
    pub(crate) const fn count(&self) -> Option<usize> {
        match self {
            Self::Counted { count, .. } => Some(*count),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Covered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted { count: 1, place } => write!(out, "1 open finding in {place}"),
            Self::Counted { count, place } => write!(out, "{count} open findings in {place}"),
            Self::Unknown(why) => write!(out, "an unknown number of open findings ({why})"),
        }
    }
}

/// Counts the open findings that an exemption covers, of the rules of the stack with this prefix.
pub(crate) async fn covered(exemption: &Exemption, open: &OpenLedger, prefix: &str) -> Covered {
    let account = match open.caller.identity().await {
        Ok(identity) => &identity.account,
        Err(error) => return Covered::Unknown(error.to_string()),
    };
    if matches!(exemption.selector, Selector::Tag { .. }) {
        return Covered::Unknown("AWS Config reports findings without tags".to_owned());
    }
    let place = format!("account {account}, region {}", open.caller.region());
    if exemption.account != ANY && exemption.account != account.as_str() {
        return Covered::Unknown(format!("only those in {place} can be read"));
    }
    let client = Client::new(open.caller.config());
    let mut count = 0;
    for control in rectify_catalogue::controls().map(|it| it.meta.id) {
        if exemption.control != ANY && exemption.control != control {
            continue;
        }
        let found = match noncompliant(&client, &format!("{prefix}{control}")).await {
            Ok(found) => found,
            Err(error) => return Covered::Unknown(error.to_string()),
        };
        let target = |resource| Target {
            account: account.clone(),
            region: open.caller.region().clone(),
            resource,
            name: None,
            arn: None,
        };
        count += found.into_iter().filter(|it| exemption.selector.covers(&target(it.clone()), Known::Place)).count();
    }
    Covered::Counted { count, place }
}

/// The resources that a rule reports as noncompliant, from all pages; none if there is no such rule.
async fn noncompliant(client: &Client, rule: &str) -> Result<Vec<ResourceKey>, AwsError> {
    let call = client.get_compliance_details_by_config_rule().config_rule_name(rule).limit(100);
    let mut pages = call.compliance_types(ComplianceType::NonCompliant).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                let error = AwsError::call("config:GetComplianceDetailsByConfigRule", &error);
                return if error.is("NoSuchConfigRuleException") { Ok(found) } else { Err(error) };
            }
        };
        for result in page.evaluation_results.unwrap_or_default() {
            let qualifier = result.evaluation_result_identifier.and_then(|it| it.evaluation_result_qualifier);
            found.extend(qualifier.and_then(|it| Some(ResourceKey::new(it.resource_type?, it.resource_id?))));
        }
    }
    Ok(found)
}
