//! What must hold between the values of `rectify.yaml`, and inside those that are more than a scalar.

use std::collections::BTreeMap;

use rectify_compliance::Mode;

use super::{Settings, SettingsError, refused};
use crate::declaration::declarations;

const ATTRIBUTION: &str = "attribution";
/// How many roles of 22 characters fit into a function's environment of 4 KB with the other variables and undo's roles.
const MAX_RECOGNIZED: usize = 130;
const TAGS: &str = "tags";
/// How many tags a resource may have is 50; stacks and SAM add some of their own.
const MAX_TAGS: usize = 40;

impl Settings {
    /// Checks values that belong together.
    ///
    /// # Errors
    /// [`SettingsError`] with the path and the received value.
    pub(super) fn check_together(&self) -> Result<(), SettingsError> {
        self.check_attribution()?;
        self.check_network()?;
        self.check_members()?;
        self.check_tags()
    }

    /// Attribution recognizes Rectify's changes by the ids of its roles, and a function's environment has 4 KB.
    fn check_attribution(&self) -> Result<(), SettingsError> {
        let enforced = self.controls.iter().filter(|it| it.mode == Mode::Enforce && it.control.has_calls()).count();
        let is_on = declarations().get(ATTRIBUTION).is_some_and(|it| self.value(it) == "true");
        if enforced > MAX_RECOGNIZED && is_on {
            let why = format!(
                "expected false, since {enforced} controls enforce, and attribution recognizes the roles of at most {MAX_RECOGNIZED}: received `true`"
            );
            return Err(refused(ATTRIBUTION, why));
        }
        Ok(())
    }

    /// The value of this key, its default unless the file sets it.
    fn value_of(&self, key: &str) -> String {
        declarations().get(key).map(|it| self.value(it)).unwrap_or_default()
    }

    /// Subnets and security groups belong together.
    fn check_network(&self) -> Result<(), SettingsError> {
        let [subnets, groups] = ["vpcSubnets", "vpcSecurityGroups"].map(|key| (key, self.value_of(key) != "none"));
        match if subnets.1 == groups.1 {
            None
        } else if subnets.1 {
            Some(groups.0)
        } else {
            Some(subnets.0)
        } {
            None => Ok(()),
            Some(missing) => Err(refused(
                missing,
                "expected ids, since vpcSubnets and vpcSecurityGroups belong together: received none",
            )),
        }
    }

    /// The role of a member is assumed with an external id, and remediations need members.
    fn check_members(&self) -> Result<(), SettingsError> {
        let [accounts, id, fix] = ["memberAccounts", "memberExternalId", "memberFixRole"].map(|key| self.value_of(key));
        if fix != "none" && accounts == "none" {
            let why = "expected accounts, since memberFixRole is set: received none";
            return Err(refused("memberAccounts", why));
        }
        match accounts != "none" && id == "none" {
            false => Ok(()),
            true => {
                Err(refused("memberExternalId", "expected an external id, since memberAccounts is set: received none"))
            }
        }
    }

    /// Keys and values as every service of the templates accepts them.
    fn check_tags(&self) -> Result<(), SettingsError> {
        let text = self.value_of(TAGS);
        let tags: BTreeMap<String, String> = serde_json::from_str(&text)
            .map_err(|_| refused(TAGS, format!("expected texts by their keys: received `{text}`")))?;
        if tags.len() > MAX_TAGS {
            return Err(refused(TAGS, format!("expected at most {MAX_TAGS} tags: received {}", tags.len())));
        }
        let fits = |text: &str, most: usize| {
            text.chars().count() <= most
                && text.chars().all(|it| it.is_alphanumeric() || it == ' ' || "_.:/=+-@".contains(it))
        };
        for (key, value) in &tags {
            let path = format!("{TAGS}.{key}");
            if key.is_empty() || !fits(key, 128) || key.to_lowercase().starts_with("aws:") {
                let why = "expected a key of 1 to 128 letters, digits, spaces and _.:/=+-@, without aws: at its start";
                return Err(refused(&path, format!("{why}: received `{key}`")));
            }
            if !fits(value, 256) {
                let why = "expected a value of at most 256 letters, digits, spaces and _.:/=+-@";
                return Err(refused(&path, format!("{why}: received `{value}`")));
            }
        }
        Ok(())
    }
}
