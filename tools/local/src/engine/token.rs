//! Result tokens: what ties a `PutEvaluations` call to the rule that was invoked.
//!
//! A token carries its rule and its time under a seal only this engine can make, so nothing is stored and nothing expires,
//! as AWS documents no lifetime.

use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;

/// Makes and opens result tokens.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    // Keyed with random numbers of this process: a token of another engine, or a made-up one, has another seal.
    seal: RandomState,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    /// `config-rule-…`: the id, not the name, since a rule put again under the same name is another rule.
    pub(super) rule_id: String,
    /// When the rule was invoked.
    pub(super) invoked: Timestamp,
}

impl Tokens {
    /// A token for one invocation of a rule.
    pub(super) fn issue(&self, rule_id: &str, invoked: Timestamp) -> String {
        let claim = format!("{rule_id}.{}", invoked.as_millisecond());
        let seal = self.seal.hash_one(&claim);
        format!("{claim}.{seal:016x}")
    }

    /// What a token says, if this engine issued it.
    pub(super) fn open(&self, token: &str) -> Option<Opened> {
        let (claim, seal) = token.rsplit_once('.')?;
        if format!("{:016x}", self.seal.hash_one(claim)) != seal {
            return None;
        }
        let (rule_id, invoked) = claim.rsplit_once('.')?;
        let invoked = Timestamp::from_millisecond(invoked.parse().ok()?).ok()?;
        Some(Opened { rule_id: rule_id.to_owned(), invoked })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn only_an_issued_token_opens() {
        let tokens = Tokens::default();
        let invoked: Timestamp = "2026-03-04T05:06:07.512Z".parse().unwrap();
        let token = tokens.issue("config-rule-abc123", invoked);
        assert_eq!(tokens.open(&token), Some(Opened { rule_id: "config-rule-abc123".to_owned(), invoked }));
        assert_eq!(tokens.open(&token.replace("abc123", "abc124")), None);
        assert_eq!(tokens.open("TESTMODE"), None);
        assert_eq!(tokens.open(""), None);
        assert_eq!(Tokens::default().open(&token), None, "a token of another engine");
    }
}
