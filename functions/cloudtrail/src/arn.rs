//! ARNs of what a trail uses, taken apart.
//!
//! Knows no service; whoever asks says which it must be of.

use rectify_compliance::{AccountId, PhysicalId, Region};

/// The parts of `arn:<partition>:<service>:<region>:<account>:<resource>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn` and so on.
    pub partition: &'a str,
    /// The service's namespace.
    pub service: &'a str,
    /// Empty for global services.
    pub region: &'a str,
    /// Empty where AWS owns it.
    pub account: &'a str,
    /// The rest, colons and all.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes `text` apart; `None` when it is no ARN.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        match [(); 6].map(|()| parts.next().unwrap_or_default()) {
            ["arn", partition, service, region, account, resource] if ![partition, service, resource].contains(&"") => {
                Some(Self { partition, service, region, account, resource })
            }
            _ => None,
        }
    }

    /// The same, only where it is of this service and has an account.
    pub fn of(text: &'a str, service: &str) -> Option<Self> {
        Self::parse(text).filter(|it| it.service == service && !it.account.is_empty())
    }

    /// The account, as its own type.
    pub fn account(&self) -> AccountId {
        AccountId::new(self.account)
    }

    /// The region, as its own type.
    pub fn region(&self) -> Region {
        Region::new(self.region)
    }
}

/// The trail of this ARN as CloudFormation identifies it: by its name, in its home region.
pub fn stack_resource(trail: &str) -> PhysicalId {
    PhysicalId::at_home(trail, trail.rsplit('/').next().unwrap_or(trail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_taken_apart_and_anything_else_is_none() {
        let role = "arn:aws:iam::111122223333:role/path/trail:x";
        let expected = Arn {
            partition: "aws",
            service: "iam",
            region: "",
            account: "111122223333",
            resource: "role/path/trail:x",
        };
        assert_eq!(Arn::of(role, "iam"), Some(expected));
        assert_eq!(Arn::of(role, "kms"), None);
        assert_eq!(Arn::of("arn:aws:iam::aws:policy/x", "iam").map(|it| it.account()), Some(AccountId::new("aws")));
        for text in ["", "alias/x", "arn:aws:kms", "arn::kms:eu-west-1:111122223333:key/1", "arn:aws:kms:r:a:"] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
        assert_eq!(Arn::of("arn:aws:s3:::bucket", "s3"), None);
    }
}
