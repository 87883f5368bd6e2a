//! Exemptions: approved decisions not to enforce a control on a resource until a given date.
//!
//! An exemption affects remediations and never rules: the resource stays NON_COMPLIANT.
//! An exemption that cannot be read prevents remediation, never reporting.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::{Tags, Target, Timestamp};

/// Every control or every account.
pub const ANY: &str = "*";

/// Prefix of the keys of tags that exempt. Every role of Rectify is denied writing such a tag; a remediation could
/// write any other.
pub const TAG_PREFIX: &str = "rectify:exempt";

/// One exemption, as it is stored. An ended one is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// ULID.
    pub id: String,
    /// A control id, or `*`.
    pub control: String,
    /// An account id, or `*`.
    pub account: String,
    /// The resources.
    pub selector: Selector,
    /// The reason.
    pub reason: String,
    /// The approver.
    pub approver: String,
    /// The ticket that documents the decision, e.g. `SEC-123`.
    pub ticket: String,
    /// The time of creation.
    pub created: Timestamp,
    /// The expiry; every exemption has one.
    pub until: Timestamp,
    /// Set if an operator ended it before it expired.
    pub ended: Option<Ended>,
}

/// The early end of an exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The operator who ended it.
    pub by: String,
    /// The time.
    pub at: Timestamp,
}

/// The resources of an exemption: `resource:<glob>` or `tag:rectify:exempt…=<glob>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// A pattern for the whole id, name or ARN, with the wildcards `*` and `?`. `*` alone is every resource of the
    /// control.
    Resource(String),
    /// A tag with this key and a value that matches as a whole.
    Tag {
        /// The exact key; it begins with [`TAG_PREFIX`].
        key: String,
        /// The pattern for the value, with the wildcards `*` and `?`.
        value: String,
    },
}

/// One entry of the registry: an exemption, or the readable parts of one that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// An exemption that can be read.
    Valid(Exemption),
    /// One that cannot. It covers every resource that it may be meant for, until an operator corrects or ends it.
    Malformed {
        /// Its id, or its sort key if the id cannot be read.
        id: String,
        /// The control under which it is stored, or `*`.
        control: String,
        /// Its account, if it can be read.
        account: Option<String>,
        /// Its selector, if it can be read.
        selector: Option<Selector>,
        /// Its early end. An end that cannot be read does not count.
        ended: Option<Ended>,
        /// The error.
        why: String,
    },
}

/// The known attributes of a resource at the time of a lookup in the registry.
#[derive(Debug, Clone, Copy)]
pub enum Known<'a> {
    /// The [`Target`] only: before the live read.
    Place,
    /// Also name, ARN and tags from the live read.
    Live {
        /// Its name, if it differs from the id.
        name: Option<&'a str>,
        /// Its ARN, if it has one.
        arn: Option<&'a str>,
        /// Its tags.
        tags: &'a Tags,
    },
}

impl Exemption {
    /// Whether it is in force at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.until
    }
}

impl Registered {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Valid(exemption) => &exemption.id,
            Self::Malformed { id, .. } => id,
        }
    }

    /// Why it prevents a remediation of `target` at `now`; `None` if it does not, as far as `known` shows.
    pub fn forbids(&self, target: &Target, known: Known<'_>, now: Timestamp) -> Option<String> {
        match self {
            Self::Valid(it) => {
                let covers = is_account(&it.account, target) && it.selector.covers(target, known);
                (covers && it.is_in_force(now)).then(|| {
                    let Exemption { until, reason, approver, ticket, id, .. } = it;
                    format!("exempt until {until}: {reason} (approved by {approver}, {ticket}, exemption {id})")
                })
            }
            Self::Malformed { ended: Some(_), .. } => None,
            Self::Malformed { id, account, selector, why, .. } => {
                let account = account.as_deref().is_none_or(|account| is_account(account, target));
                let covers = selector.as_ref().is_none_or(|selector| selector.covers(target, known));
                (account && covers).then(|| format!("exemption {id} cannot be read: {why}"))
            }
        }
    }
}

/// The reason of the first entry that prevents a remediation.
pub fn forbids(registry: &[Registered], target: &Target, known: Known<'_>, now: Timestamp) -> Option<String> {
    all(registry, target, known, now).next().map(|(_, reason)| reason)
}

/// All entries that prevent a remediation, each with its reason. Valid entries come first: their reason says more.
pub fn all<'a>(
    registry: &'a [Registered],
    target: &'a Target,
    known: Known<'a>,
    now: Timestamp,
) -> impl Iterator<Item = (&'a Registered, String)> {
    let valid = registry.iter().filter(|it| matches!(it, Registered::Valid(_)));
    let malformed = registry.iter().filter(|it| matches!(it, Registered::Malformed { .. }));
    valid.chain(malformed).filter_map(move |it| it.forbids(target, known, now).map(|reason| (it, reason)))
}

fn is_account(account: &str, target: &Target) -> bool {
    account == ANY || account == target.account.as_str()
}

impl Selector {
    /// Whether it covers this resource, as far as `known` shows.
    pub fn covers(&self, target: &Target, known: Known<'_>) -> bool {
        match self {
            Self::Resource(pattern) => {
                let live = match known {
                    Known::Place => [None, None],
                    Known::Live { name, arn, .. } => [name, arn],
                };
                let given = [Some(target.resource.id.as_str()), target.name.as_deref(), target.arn.as_deref()];
                let names = given.into_iter().chain(live);
                let pattern = WildMatch::new(pattern);
                names.flatten().any(|name| pattern.matches(name))
            }
            Self::Tag { key, value } => match known {
                Known::Place => false,
                Known::Live { tags, .. } => tags.get(key).is_some_and(|it| WildMatch::new(value).matches(it)),
            },
        }
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("expected resource:<glob> or tag:{TAG_PREFIX}…=<glob>: received `{text}`");
        match text.split_once(':') {
            Some(("resource", pattern)) if !pattern.trim().is_empty() => Ok(Self::Resource(pattern.trim().to_owned())),
            Some(("tag", pair)) => match pair.split_once('=') {
                Some((key, value)) if key.trim().starts_with(TAG_PREFIX) => {
                    Ok(Self::Tag { key: key.trim().to_owned(), value: value.trim().to_owned() })
                }
                Some((key, _)) if !key.trim().is_empty() => Err(format!(
                    "expected a tag key that begins with `{TAG_PREFIX}`, which no remediation can write: received `{}`",
                    key.trim()
                )),
                _ => Err(error()),
            },
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(pattern) => write!(out, "resource:{pattern}"),
            Self::Tag { key, value } => write!(out, "tag:{key}={value}"),
        }
    }
}

impl Serialize for Selector {
    fn serialize<S: serde::Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, Region, ResourceKey};

    const ARN: &str = "arn:aws:s3:::team-a-logs";

    fn target() -> Target {
        Target {
            account: AccountId::new("111122223333"),
            region: Region::new("eu-west-1"),
            resource: ResourceKey::new("AWS::IAM::User", "AIDAEXAMPLE"),
            name: None,
            arn: None,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn exemption(account: &str, selector: &str) -> Exemption {
        Exemption {
            id: "01X".to_owned(),
            control: ANY.to_owned(),
            account: account.to_owned(),
            selector: selector.parse().unwrap(),
            reason: "vendor appliance".to_owned(),
            approver: "jane".to_owned(),
            ticket: "SEC-1".to_owned(),
            created: at("2026-03-01T00:00:00Z"),
            until: at("2026-04-01T00:00:00Z"),
            ended: None,
        }
    }

    #[test]
    fn a_selector_matches_the_whole_id_name_arn_or_tag() {
        let tags = Tags::from([("rectify:exempt-team".to_owned(), "web-eu".to_owned())]);
        let live = Known::Live { name: Some("alice"), arn: Some(ARN), tags: &tags };
        for (selector, by_place, by_live) in [
            ("resource:*", true, true),
            ("resource:AIDAEXAMPLE", true, true),
            ("resource:aidaexample", false, false),
            ("resource:AIDA", false, false),
            ("resource:AIDA*", true, true),
            ("resource:alice", false, true),
            ("resource:ali?e", false, true),
            ("resource:alic", false, false),
            ("resource:arn:aws:s3:::team-a-*", false, true),
            ("tag:rectify:exempt-team=web-*", false, true),
            ("tag:rectify:exempt-team=", false, false),
            ("tag:rectify:exempt-Team=web-eu", false, false),
        ] {
            let selector: Selector = selector.parse().unwrap();
            let covers = (selector.covers(&target(), Known::Place), selector.covers(&target(), live));
            assert_eq!(covers, (by_place, by_live), "{selector}");
        }
    }

    #[test]
    fn an_exemption_is_in_force_in_its_account_until_it_expires_or_ends() {
        let before = at("2026-03-31T23:59:59Z");
        let rows = [
            ("*", None, before, true),
            ("111122223333", None, before, true),
            ("444455556666", None, before, false),
            ("*", None, at("2026-04-01T00:00:00Z"), false),
            ("*", Some(Ended { by: "joe".to_owned(), at: at("2026-03-02T00:00:00Z") }), before, false),
        ];
        for (account, ended, now, forbids) in rows {
            let it = Registered::Valid(Exemption { ended, ..exemption(account, "resource:*") });
            assert_eq!(it.forbids(&target(), Known::Place, now).is_some(), forbids, "{it:?} at {now}");
        }
    }

    #[test]
    fn the_reason_names_expiry_approver_and_ticket() {
        let it = Registered::Valid(exemption("*", "resource:*"));
        assert_eq!(
            it.forbids(&target(), Known::Place, at("2026-03-02T00:00:00Z")).unwrap(),
            "exempt until 2026-04-01T00:00:00Z: vendor appliance (approved by jane, SEC-1, exemption 01X)"
        );
    }

    /// `runtime/16`
    #[test]
    fn a_malformed_exemption_forbids_every_resource_it_may_be_meant_for() {
        let now = at("2026-03-02T00:00:00Z");
        let malformed = |account: Option<&str>, selector: Option<&str>| Registered::Malformed {
            id: "01X".to_owned(),
            control: ANY.to_owned(),
            account: account.map(str::to_owned),
            selector: selector.map(|it| it.parse().unwrap()),
            ended: None,
            why: "until: expected an instant: received `soon`".to_owned(),
        };
        let text = "exemption 01X cannot be read: until: expected an instant: received `soon`";
        for (account, selector, forbids) in [
            (None, None, true),
            (Some("111122223333"), Some("resource:AIDA*"), true),
            (Some("*"), None, true),
            (Some("444455556666"), None, false),
            (None, Some("resource:bob"), false),
        ] {
            let reason = malformed(account, selector).forbids(&target(), Known::Place, now);
            assert_eq!(reason.as_deref(), forbids.then_some(text), "{account:?} {selector:?}");
        }
        let mut ended_early = malformed(None, None);
        if let Registered::Malformed { ended, .. } = &mut ended_early {
            *ended = Some(Ended { by: "joe".to_owned(), at: now });
        }
        assert_eq!(ended_early.forbids(&target(), Known::Place, now), None, "an operator ended it");
        let both = [malformed(None, None), Registered::Valid(exemption("*", "resource:*"))];
        assert!(super::forbids(&both, &target(), Known::Place, now).unwrap().starts_with("exempt until"));
    }

    #[test]
    fn a_selector_round_trips_and_other_text_is_rejected() {
        for text in [
            "resource:arn:aws:s3:::a*",
            "tag:rectify:exempt=web",
            "tag:rectify:exempt:b=c=d",
            "tag:rectify:exempt-empty=",
        ] {
            assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
        }
        for text in ["sg-1", "resource:", "tag:rectify:exempt", "tag:=x", "arn:aws:s3:::a"] {
            let error = text.parse::<Selector>().unwrap_err();
            assert_eq!(error, format!("expected resource:<glob> or tag:rectify:exempt…=<glob>: received `{text}`"));
        }
    }

    /// A remediation that writes tags must not be able to exempt its own target.
    #[test]
    fn a_tag_that_a_remediation_could_write_exempts_nothing() {
        for (text, key) in [
            ("tag:team=web", "team"),
            ("tag:rectify:mode=plan", "rectify:mode"),
            ("tag:Rectify:exempt=x", "Rectify:exempt"),
            ("tag: =x=y", ""),
        ] {
            let error = text.parse::<Selector>().unwrap_err();
            let expected = match key {
                "" => format!("expected resource:<glob> or tag:rectify:exempt…=<glob>: received `{text}`"),
                key => format!(
                    "expected a tag key that begins with `rectify:exempt`, which no remediation can write: received `{key}`"
                ),
            };
            assert_eq!(error, expected);
        }
    }
}
