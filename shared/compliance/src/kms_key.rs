//! A KMS key to encrypt with: the requirements that every service has.

use serde::{Deserialize, Serialize};

use crate::{Arn, Region};

/// The states in which a key encrypts and decrypts. A multi-Region key is `Updating` for a moment while its primary
/// Region changes ([key states](https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html), November 2026).
const USABLE: [&str; 2] = ["Enabled", "Updating"];
/// The spec of a symmetric key, the only one with which AWS services encrypt.
const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";

/// The members of `KeyMetadata` (`kms:DescribeKey`) that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KmsKey {
    /// `Arn`.
    pub arn: String,
    /// `KeyState`, e.g. `Enabled`.
    pub state: String,
    /// `KeySpec`, e.g. `SYMMETRIC_DEFAULT`.
    pub spec: String,
    /// Whether `KeyManager` is `AWS`: the key of an alias `alias/aws/…`.
    pub aws_managed: bool,
}

impl KmsKey {
    /// Why no service in `region` can encrypt with this key.
    pub fn blockers_in(&self, region: &Region) -> Vec<String> {
        let Self { arn, state, spec, .. } = self;
        let mut reasons = blockers(arn, state, spec);
        if arn.parse().ok().and_then(|it: Arn| it.region()).as_ref() != Some(region) {
            reasons.push(format!("key {arn} is not in region {region}"));
        }
        reasons
    }
}

/// Whether a key in this `KeyState` encrypts and decrypts. A key in an unknown state does not.
pub fn is_usable(state: &str) -> bool {
    USABLE.contains(&state)
}

/// Why no service can encrypt with a key of this state and spec.
pub fn blockers(arn: &str, state: &str, spec: &str) -> Vec<String> {
    let mut reasons = Vec::new();
    if !is_usable(state) {
        reasons.push(format!("key {arn} is in state {state}"));
    }
    if spec != SYMMETRIC {
        reasons.push(format!("key {arn} has spec {spec}, which is not symmetric"));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

    #[test]
    fn a_key_is_usable_in_the_states_in_which_kms_encrypts() {
        for state in ["Enabled", "Updating"] {
            assert!(is_usable(state), "{state}");
            assert_eq!(blockers(ARN, state, "SYMMETRIC_DEFAULT"), [""; 0], "{state}");
        }
        for state in [
            "Creating",
            "Disabled",
            "PendingDeletion",
            "PendingImport",
            "PendingReplicaDeletion",
            "Unavailable",
            "enabled",
            "",
        ] {
            assert!(!is_usable(state), "{state}");
            assert_eq!(blockers(ARN, state, "SYMMETRIC_DEFAULT"), [format!("key {ARN} is in state {state}")]);
        }
    }

    #[test]
    fn a_key_must_be_enabled_symmetric_and_in_the_region() {
        let key = |state: &str, spec: &str| KmsKey {
            arn: ARN.to_owned(),
            state: state.to_owned(),
            spec: spec.to_owned(),
            aws_managed: false,
        };
        let here = Region::new("eu-west-1");
        assert_eq!(key("Enabled", "SYMMETRIC_DEFAULT").blockers_in(&here), [""; 0]);
        assert_eq!(
            key("PendingDeletion", "RSA_2048").blockers_in(&Region::new("eu-west-2")),
            [
                format!("key {ARN} is in state PendingDeletion"),
                format!("key {ARN} has spec RSA_2048, which is not symmetric"),
                format!("key {ARN} is not in region eu-west-2"),
            ]
        );
    }
}
