//! Result tokens, which link a `PutEvaluations` call to the rule that was invoked.
//!
//! A token contains its rule and time, signed by this engine, so no token is stored. Tokens do not expire, since AWS
//! documents no lifetime.

use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;

/// Issues and verifies result tokens.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    // Keyed randomly per process: a token of another engine, or a made-up one, has another signature.
    key: RandomState,
}

/// The content of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// `config-rule-…`: the id, not the name, since a rule created again under the same name is a different rule.
    pub(super) rule_id: String,
    /// When the rule was invoked.
    pub(super) invoked: Timestamp,
}

impl Tokens {
    /// A token for one invocation of a rule.
    pub(super) fn issue(&self, rule_id: &str, invoked: Timestamp) -> String {
        let claim = format!("{rule_id}.{}", invoked.as_millisecond());
        let signature = self.key.hash_one(&claim);
        format!("{claim}.{signature:016x}")
    }

    /// The content of a token, if this engine issued it.
    pub(super) fn verify(&self, token: &str) -> Option<Claim> {
        let (claim, signature) = token.rsplit_once('.')?;
        if format!("{:016x}", self.key.hash_one(claim)) != signature {
            return None;
        }
        let (rule_id, invoked) = claim.rsplit_once('.')?;
        let invoked = Timestamp::from_millisecond(invoked.parse().ok()?).ok()?;
        Some(Claim { rule_id: rule_id.to_owned(), invoked })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn only_an_issued_token_is_valid() {
        let tokens = Tokens::default();
        let invoked: Timestamp = "2026-03-04T05:06:07.512Z".parse().unwrap();
        let token = tokens.issue("config-rule-abc123", invoked);
        assert_eq!(tokens.verify(&token), Some(Claim { rule_id: "config-rule-abc123".to_owned(), invoked }));
        assert_eq!(tokens.verify(&token.replace("abc123", "abc124")), None);
        assert_eq!(tokens.verify("TESTMODE"), None);
        assert_eq!(tokens.verify(""), None);
        assert_eq!(Tokens::default().verify(&token), None, "a token of another engine");
    }
}
