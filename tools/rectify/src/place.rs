//! Region, account, resource, table and operator, from the arguments, else from the environment.

use aws_types::SdkConfig;
use jiff::Timestamp;
use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::{AccountId, Entry, Region, ResourceKey, Target};
use rectify_runtime::clients::sdk_config;
use rectify_runtime::ledger::{Attempt, CLOCK_TOLERANCE, Ledger};
use rectify_runtime::settings::Environment;

use crate::arguments::LedgerArguments;
use crate::cli_error::CliError;

/// The ledger, with the SDK configuration to access it.
pub(crate) struct OpenLedger {
    /// For calls to other services.
    pub(crate) config: SdkConfig,
    /// The table.
    pub(crate) ledger: Ledger,
    /// The table's name.
    pub(crate) table: String,
    /// Its region.
    pub(crate) region: Region,
}

impl OpenLedger {
    /// Resolves table, region and credentials; makes no call.
    pub(crate) fn open(arguments: &LedgerArguments, environment: &Environment) -> Result<Self, CliError> {
        let region = region(arguments.region.as_deref(), environment)?;
        let table = arguments.table.as_deref().or_else(|| environment.get("LEDGER_TABLE"));
        let table = table
            .ok_or_else(|| CliError::usage("table: expected --table or LEDGER_TABLE: received nothing"))?
            .to_owned();
        let config = sdk_config(environment, &region)?;
        let ledger = Ledger::new(&config, table.as_str()).tolerating(CLOCK_TOLERANCE);
        Ok(Self { ledger, config, table, region })
    }

    /// The attempt with this id, of any control.
    pub(crate) async fn attempt(&self, id: &str) -> Result<Attempt, CliError> {
        let controls = rectify_catalogue::controls().map(|it| it.meta.id);
        let found = self.ledger.find_attempt(id, controls).await?;
        let (table, region) = (&self.table, &self.region);
        found.ok_or_else(|| CliError::usage(format!("attempt: no `{id}` in table {table}, region {region}")))
    }
}

/// The region calls go to.
pub(crate) fn region(argument: Option<&str>, environment: &Environment) -> Result<Region, CliError> {
    argument
        .or_else(|| environment.get("AWS_REGION"))
        .or_else(|| environment.get("AWS_DEFAULT_REGION"))
        .map(Region::new)
        .ok_or_else(|| CliError::usage("region: expected --region or AWS_REGION: received nothing"))
}

/// The account of the credentials.
pub(crate) fn account<'a>(argument: Option<&'a str>, environment: &'a Environment) -> Result<&'a str, CliError> {
    argument
        .or_else(|| environment.get("AWS_ACCOUNT_ID"))
        .ok_or_else(|| CliError::usage("account: expected --account or AWS_ACCOUNT_ID: received nothing"))
}

/// The operator, for the ledger.
pub(crate) fn operator(argument: Option<&str>, environment: &Environment) -> Result<String, CliError> {
    argument
        .or_else(|| environment.get("USER"))
        .or_else(|| environment.get("LOGNAME"))
        .map(str::to_owned)
        .ok_or_else(|| CliError::usage("by: expected --by or USER: received nothing"))
}

/// `days` after `now`, or the maximum timestamp.
pub(crate) fn in_days(now: Timestamp, days: u16) -> Timestamp {
    now.saturating_add(jiff::SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX)
}

/// A resource as given in the arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typed<'a> {
    /// The AWS Config resource id.
    pub(crate) id: &'a str,
    /// The type, if given.
    pub(crate) kind: Option<&'a str>,
    /// The account, if given.
    pub(crate) account: Option<&'a str>,
}

impl Typed<'_> {
    /// The target; missing arguments are derived from the control, the id and the environment.
    pub(crate) fn target(
        self,
        control: Option<&Entry>,
        region: &Region,
        environment: &Environment,
    ) -> Result<Target, CliError> {
        let kind = self.kind(control)?;
        let account = self.account(&kind, environment)?;
        let arn = self.id.starts_with("arn:").then(|| self.id.to_owned());
        let resource = ResourceKey::new(kind, self.id);
        Ok(Target { account: AccountId::new(account), region: region.clone(), resource, name: None, arn })
    }

    fn kind(self, control: Option<&Entry>) -> Result<String, CliError> {
        let types = control.map_or(&[][..], |control| control.meta.resource_types);
        match (self.kind, types) {
            (Some(kind), []) => Ok(kind.to_owned()),
            (Some(kind), types) if types.contains(&kind) => Ok(kind.to_owned()),
            (Some(kind), types) => {
                Err(CliError::usage(format!("--type: expected {}: received `{kind}`", types.join(" or "))))
            }
            (None, [only]) => Ok((*only).to_owned()),
            (None, []) => Err(CliError::usage("--type: expected a resource type, or --control: received nothing")),
            (None, types) => Err(CliError::usage(format!("--type: expected {}: received nothing", types.join(" or ")))),
        }
    }

    fn account(self, kind: &str, environment: &Environment) -> Result<String, CliError> {
        let of_arn =
            || self.id.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3)).filter(|it| !it.is_empty());
        let of_id = || (kind == ACCOUNT_TYPE).then_some(self.id);
        let account = self.account.or_else(of_id).or_else(of_arn).or_else(|| environment.get("AWS_ACCOUNT_ID"));
        let account = account.ok_or_else(|| {
            let id = self.id;
            CliError::usage(format!(
                "account: `{id}` does not contain an account: expected --account or AWS_ACCOUNT_ID: received nothing"
            ))
        })?;
        if kind == ACCOUNT_TYPE && account != self.id {
            return Err(CliError::usage(format!(
                "account: expected `{}`, the resource: received `{account}`",
                self.id
            )));
        }
        Ok(account.to_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ACCOUNT: [(&str, &str); 1] = [("AWS_ACCOUNT_ID", "111122223333")];

    fn target(control: Option<&str>, typed: Typed<'_>, environment: &Environment) -> Result<String, String> {
        let control = control.and_then(rectify_catalogue::find);
        typed
            .target(control, &Region::new("eu-west-1"), environment)
            .map(|it| format!("{} {} {}", it.account, it.region, it.resource))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn missing_arguments_are_derived_from_control_id_and_environment() {
        let none = Environment::default();
        let some = Environment::of(ACCOUNT);
        let group = Typed { id: "sg-1", kind: None, account: None };
        let account = Typed { id: "444455556666", kind: None, account: None };
        let ssh = Some("restricted-ssh");
        let root = Some("iam-root-access-key-check");
        let rows = [
            (ssh, group, &some, Ok("111122223333 eu-west-1 AWS::EC2::SecurityGroup sg-1")),
            (
                ssh,
                Typed { account: Some("444455556666"), ..group },
                &some,
                Ok("444455556666 eu-west-1 AWS::EC2::SecurityGroup sg-1"),
            ),
            (root, account, &some, Ok("444455556666 eu-west-1 AWS::::Account 444455556666")),
            (
                None,
                Typed { kind: Some("AWS::S3::Bucket"), ..group },
                &some,
                Ok("111122223333 eu-west-1 AWS::S3::Bucket sg-1"),
            ),
            (
                ssh,
                group,
                &none,
                Err(
                    "account: `sg-1` does not contain an account: expected --account or AWS_ACCOUNT_ID: received nothing",
                ),
            ),
            (
                root,
                Typed { account: Some("111122223333"), ..account },
                &none,
                Err("account: expected `444455556666`, the resource: received `111122223333`"),
            ),
            (None, group, &some, Err("--type: expected a resource type, or --control: received nothing")),
            (
                ssh,
                Typed { kind: Some("AWS::S3::Bucket"), ..group },
                &some,
                Err("--type: expected AWS::EC2::SecurityGroup: received `AWS::S3::Bucket`"),
            ),
        ];
        for (control, typed, environment, expected) in rows {
            assert_eq!(
                target(control, typed, environment),
                expected.map(str::to_owned).map_err(str::to_owned),
                "{typed:?}"
            );
        }
    }

    #[test]
    fn an_arn_gives_the_account() {
        let arn = "arn:aws:cloudtrail:eu-west-1:444455556666:trail/main";
        let typed = Typed { id: arn, kind: Some("AWS::CloudTrail::Trail"), account: None };
        let found = typed.target(None, &Region::new("eu-west-1"), &Environment::of(ACCOUNT)).unwrap();
        assert_eq!((found.account.as_str(), found.arn.as_deref()), ("444455556666", Some(arn)));
    }

    #[test]
    fn the_region_comes_from_the_argument_then_the_environment() {
        let both = Environment::of([("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "sa-east-1")]);
        assert_eq!(region(Some("us-east-1"), &both).unwrap(), Region::new("us-east-1"));
        assert_eq!(region(None, &both).unwrap(), Region::new("eu-west-1"));
        assert_eq!(
            region(None, &Environment::of([("AWS_DEFAULT_REGION", "sa-east-1")])).unwrap(),
            Region::new("sa-east-1")
        );
        let error = region(None, &Environment::default()).unwrap_err();
        assert_eq!(error.to_string(), "region: expected --region or AWS_REGION: received nothing");
    }
}
