//! ARNs, parsed.
//!
//! Depends on no service; the caller states the service that an ARN must have.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::shorten;
use crate::{AccountId, Region};

/// `arn:<partition>:<service>:<region>:<account>:<resource>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn(String);

impl Arn {
    /// Parses the ARN of a resource of this service with an account; `None` if the text is not one.
    pub fn of(text: &str, service: &str) -> Option<Self> {
        text.parse().ok().filter(|it: &Self| it.service() == service && it.account().is_some())
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition, e.g. `aws` or `aws-cn`.
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// The service namespace.
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The region; `None` for global services and for buckets.
    pub fn region(&self) -> Option<Region> {
        Some(self.part(3)).filter(|it| !it.is_empty()).map(Region::new)
    }

    /// The account; `None` for ARNs without one, such as a bucket's.
    pub fn account(&self) -> Option<AccountId> {
        Some(self.part(4)).filter(|it| !it.is_empty()).map(AccountId::new)
    }

    /// The rest, which may contain colons.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    fn part(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }
}

impl FromStr for Arn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Arn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let arn = Self(text);
        match [arn.part(1), arn.part(2), arn.resource()].contains(&"") || arn.part(0) != "arn" {
            true => Err(format!("expected an ARN: received `{}`", shorten(&arn.0))),
            false => Ok(arn),
        }
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> Self {
        arn.0
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_and_account_of_an_arn_may_be_absent() {
        for (text, partition, service, region, account, resource) in [
            ("arn:aws:iam::111122223333:role/a/b:x", "aws", "iam", None, Some("111122223333"), "role/a/b:x"),
            ("arn:aws-cn:kms:cn-north-1:1:key/1", "aws-cn", "kms", Some("cn-north-1"), Some("1"), "key/1"),
            ("arn:aws:iam::aws:policy/x", "aws", "iam", None, Some("aws"), "policy/x"),
            ("arn:aws:s3:::pics", "aws", "s3", None, None, "pics"),
        ] {
            let arn: Arn = text.parse().unwrap();
            assert_eq!((arn.partition(), arn.service(), arn.resource()), (partition, service, resource));
            assert_eq!((arn.region(), arn.account()), (region.map(Region::new), account.map(AccountId::new)), "{text}");
            assert_eq!((arn.to_string(), arn.as_str()), (text.to_owned(), text));
            assert_eq!(serde_json::from_value::<Arn>(serde_json::to_value(&arn).unwrap()).unwrap(), arn);
            assert_eq!(serde_json::to_value(&arn).unwrap(), text);
        }
    }

    #[test]
    fn other_text_is_rejected_with_the_received_value() {
        for text in
            ["", "alias/x", "arn:aws:kms", "arn::kms:eu-west-1:111122223333:key/1", "arn:aws:kms:r:a:", "urn:a:b:c:d:e"]
        {
            assert_eq!(text.parse::<Arn>(), Err(format!("expected an ARN: received `{text}`")));
            assert!(serde_json::from_value::<Arn>(text.into()).is_err());
        }
        let long = "x".repeat(500).parse::<Arn>().unwrap_err();
        assert!(long.len() < 200, "{long}");
    }

    #[test]
    fn an_arn_of_a_service_has_this_service_and_an_account() {
        let role = "arn:aws:iam::111122223333:role/x";
        assert_eq!(Arn::of(role, "iam").unwrap().as_str(), role);
        assert_eq!((Arn::of(role, "kms"), Arn::of("arn:aws:s3:::pics", "s3"), Arn::of("x", "iam")), (None, None, None));
    }
}
