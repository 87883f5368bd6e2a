//! Exemptions: a person's decision that a control need not be enforced on something until a day that is named.
//!
//! An exemption changes what a remediation does and never what a rule says: the resource stays NON_COMPLIANT.
//! What cannot be read of one stands in the way of acting, and never of reporting.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::{Tags, Target, Timestamp};

/// What stands for every control or every account.
pub const ANY: &str = "*";

/// What the key of a tag that exempts begins with. Every role of Rectify is denied writing such a tag; any other could be
/// written by a remediation.
pub const TAG_PREFIX: &str = "rectify:exempt";

/// One exemption, as it is kept; an ended one stays on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// ULID.
    pub id: String,
    /// A control's id, or `*`.
    pub control: String,
    /// An account's id, or `*`.
    pub account: String,
    /// Which resources.
    pub selector: Selector,
    /// Why.
    pub reason: String,
    /// Who decided it.
    pub approver: String,
    /// Where that is written down, e.g. `SEC-123`.
    pub ticket: String,
    /// Since when.
    pub created: Timestamp,
    /// Until when; there is none without an end.
    pub until: Timestamp,
    /// Who ended it before that, and when.
    pub ended: Option<Ended>,
}

/// The end of an exemption before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Which resources an exemption is for: `resource:<glob>` or `tag:rectify:exempt…=<glob>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The whole id, name or ARN, with `*` and `?` for anything. A `*` alone is everything the control judges.
    Resource(String),
    /// A tag with this key whose whole value matches, with `*` and `?` for anything.
    Tag {
        /// The key, exactly; it begins with [`TAG_PREFIX`].
        key: String,
        /// The value's pattern.
        value: String,
    },
}

/// One entry of the registry: an exemption, or what is left of one that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// One that can be read.
    Valid(Exemption),
    /// One that cannot. It covers what it may have been meant for, until a person puts it right or ends it.
    Malformed {
        /// Its id, or its sort key when not even that can be read.
        id: String,
        /// The control it is kept for, or `*`.
        control: String,
        /// The account it is for, where that can be read.
        account: Option<String>,
        /// Its selector, where that can be read.
        selector: Option<Selector>,
        /// Who ended it, and when; an end that cannot be read is none.
        ended: Option<Ended>,
        /// What is wrong with it.
        why: String,
    },
}

/// How much is known about a resource when the registry is asked.
#[derive(Debug, Clone, Copy)]
pub enum Known<'a> {
    /// Where it is and what its id is: before the live read.
    Place,
    /// Name, ARN and tags besides.
    Live {
        /// Its name, where that is another than its id.
        name: Option<&'a str>,
        /// Its ARN, where it has one.
        arn: Option<&'a str>,
        /// Its tags.
        tags: &'a Tags,
    },
}

impl Exemption {
    /// Whether it holds at `now`.
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

    /// Why it keeps a remediation from acting on `target` at `now`; `None` when it does not, or not by what is known.
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

/// The first entry that keeps a remediation from acting: a valid one says more than a malformed one.
pub fn forbids(registry: &[Registered], target: &Target, known: Known<'_>, now: Timestamp) -> Option<String> {
    let valid = registry.iter().filter(|it| matches!(it, Registered::Valid(_)));
    let malformed = registry.iter().filter(|it| matches!(it, Registered::Malformed { .. }));
    valid.chain(malformed).find_map(|it| it.forbids(target, known, now))
}

fn is_account(account: &str, target: &Target) -> bool {
    account == ANY || account == target.account.as_str()
}

impl Selector {
    /// Whether it is for this resource, by what is known of it.
    pub fn covers(&self, target: &Target, known: Known<'_>) -> bool {
        match self {
            Self::Resource(pattern) => {
                let read = match known {
                    Known::Place => [None, None],
                    Known::Live { name, arn, .. } => [name, arn],
                };
                let told = [Some(target.resource.id.as_str()), target.name.as_deref(), target.arn.as_deref()];
                let names = told.into_iter().chain(read);
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
        let refused = || format!("expected resource:<glob> or tag:{TAG_PREFIX}…=<glob>: received `{text}`");
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
                _ => Err(refused()),
            },
            _ => Err(refused()),
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
#[allow(clippy::unwrap_used)]
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
    fn a_resource_is_covered_by_id_name_arn_or_tag_and_not_by_a_part_of_them() {
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
    fn an_exemption_holds_for_its_account_until_its_day_or_its_end() {
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
    fn what_it_says_names_the_day_the_reason_and_who_decided() {
        let it = Registered::Valid(exemption("*", "resource:*"));
        assert_eq!(
            it.forbids(&target(), Known::Place, at("2026-03-02T00:00:00Z")).unwrap(),
            "exempt until 2026-04-01T00:00:00Z: vendor appliance (approved by jane, SEC-1, exemption 01X)"
        );
    }

    /// `runtime/16`
    #[test]
    fn a_malformed_exemption_forbids_what_it_may_have_been_meant_for() {
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
            let said = malformed(account, selector).forbids(&target(), Known::Place, now);
            assert_eq!(said.as_deref(), forbids.then_some(text), "{account:?} {selector:?}");
        }
        let mut over = malformed(None, None);
        if let Registered::Malformed { ended, .. } = &mut over {
            *ended = Some(Ended { by: "joe".to_owned(), at: now });
        }
        assert_eq!(over.forbids(&target(), Known::Place, now), None, "a person ended it");
        let both = [malformed(None, None), Registered::Valid(exemption("*", "resource:*"))];
        assert!(super::forbids(&both, &target(), Known::Place, now).unwrap().starts_with("exempt until"));
    }

    #[test]
    fn a_selector_is_written_as_it_is_read_and_nothing_else_is_one() {
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

    /// A remediation that writes tags must not be able to exempt what it is to change.
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
