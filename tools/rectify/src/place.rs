//! Region, resource, table and operator, from the arguments, else from the environment.

use jiff::{SignedDuration, Timestamp};
use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::{AccountId, Arn, Entry, Region, ResourceKey, Target};
use rectify_runtime::ledger::{Attempt, CLOCK_TOLERANCE, Ledger};
use rectify_runtime::settings::Environment;

use crate::arguments::LedgerArguments;
use crate::caller::Caller;
use crate::cli_error::CliError;

/// The ledger, with the credentials to access it.
pub(crate) struct OpenLedger {
    /// For calls to other services.
    pub(crate) caller: Caller,
    /// The table.
    pub(crate) ledger: Ledger,
    /// The table's name.
    pub(crate) table: String,
}

impl OpenLedger {
    /// Resolves region, credentials and table; calls DynamoDB only if nothing names the table.
    ///
    /// # Errors
    /// [`CliError`] if one of them is missing, or if several tables could be the ledger.
    pub(crate) async fn open(arguments: &LedgerArguments, environment: &Environment) -> Result<Self, CliError> {
        let caller = Caller::new(arguments.region.as_deref(), environment).await?;
        Self::open_as(caller, arguments, environment).await
    }

    /// The same for a caller that is known.
    ///
    /// # Errors
    /// [`CliError`] as for [`open`](Self::open).
    pub(crate) async fn open_as(
        caller: Caller,
        arguments: &LedgerArguments,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        let named = arguments.table.as_deref().or_else(|| environment.get("LEDGER_TABLE"));
        let table = match named {
            Some(table) => table.to_owned(),
            None => {
                let tables = Ledger::tables(caller.config()).await;
                let tables =
                    tables.map_err(|error| CliError::usage(format!("{error}: name the table with --table")))?;
                of_stack(tables, &arguments.prefix, caller.region())?
            }
        };
        let ledger = Ledger::new(caller.config(), table.as_str()).tolerating(CLOCK_TOLERANCE);
        Ok(Self { caller, ledger, table })
    }

    /// The same for a decision: its audit entry names the credentials by their ARN, as STS reports it.
    ///
    /// # Errors
    /// [`CliError`] as for [`open`](Self::open), or if STS does not say whose the credentials are.
    pub(crate) async fn open_to_decide(
        arguments: &LedgerArguments,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        let Self { caller, ledger, table } = Self::open(arguments, environment).await?;
        let arn = caller.identity().await?.arn.clone();
        Ok(Self { ledger: ledger.acting_as(arn), caller, table })
    }

    /// The attempt with this id, of any control.
    pub(crate) async fn attempt(&self, id: &str) -> Result<Attempt, CliError> {
        let controls = rectify_catalogue::controls().map(|it| it.meta.id);
        let found = self.ledger.find_attempt(id, controls).await?;
        let (table, region) = (&self.table, self.caller.region());
        found.ok_or_else(|| CliError::usage(format!("attempt: no `{id}` in table {table}, region {region}")))
    }
}

/// The region calls go to.
pub(crate) fn region(argument: Option<&str>, environment: &Environment) -> Result<Region, CliError> {
    argument
        .or_else(|| environment.get("AWS_REGION"))
        .or_else(|| environment.get("AWS_DEFAULT_REGION"))
        .map(Region::new)
        .ok_or_else(|| {
            CliError::usage("region: expected --region, AWS_REGION or a region in the profile: received nothing")
        })
}

/// The ledger of the stack with this prefix: CloudFormation names it after the stack, with a suffix of its own.
fn of_stack(tables: Vec<String>, prefix: &str, region: &Region) -> Result<String, CliError> {
    let name = format!("{prefix}Ledger");
    let is_ledger = |table: &String| table.strip_prefix(&name).is_some_and(|it| it.is_empty() || it.starts_with('-'));
    let mut found: Vec<String> = tables.into_iter().filter(is_ledger).collect();
    match (found.pop(), found.as_slice()) {
        (Some(only), []) => Ok(only),
        (None, _) => Err(CliError::usage(format!(
            "table: no `{name}` in region {region}: give the stack's output LedgerTable with --table, or its prefix with --prefix"
        ))),
        (Some(last), others) => Err(CliError::usage(format!(
            "table: {}, {last} in region {region}: give the stack's output LedgerTable with --table",
            others.join(", ")
        ))),
    }
}

/// The operator, for the ledger.
pub(crate) fn operator(argument: Option<&str>, environment: &Environment) -> Result<String, CliError> {
    argument
        .or_else(|| environment.get("USER"))
        .or_else(|| environment.get("LOGNAME"))
        .map(|it| it.trim().to_owned())
        .filter(|it| !it.is_empty())
        .ok_or_else(|| CliError::usage("by: expected --by or USER: received nothing"))
}

/// When a decision ends: at the given time, or after the duration.
pub(crate) fn end(now: Timestamp, until: Option<Timestamp>, lasts: SignedDuration) -> Result<Timestamp, CliError> {
    match until {
        Some(until) if until <= now => {
            Err(CliError::usage(format!("--until: expected a future date: received `{until}`")))
        }
        Some(until) => Ok(until),
        None => Ok(now.saturating_add(lasts).unwrap_or(Timestamp::MAX)),
    }
}

/// Types whose ARN has another name than AWS Config's id, beside those of IAM.
const WITHOUT_ID: [&str; 3] = ["AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::SQS::Queue"];

/// Whether resources of this type have names that are unique in their account, and region if they have one, and that
/// are not their ids. Names of security groups are unique in a VPC only, and tags not at all.
pub(crate) fn is_named(kind: &str) -> bool {
    ["AWS::IAM::Policy", "AWS::IAM::User", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance"].contains(&kind)
}

/// The AWS Config id of a resource given as id or as ARN.
fn config_id(kind: &str, text: &str, region: &Region) -> Result<String, CliError> {
    let Ok(arn) = text.parse::<Arn>() else { return Ok(text.to_owned()) };
    expect_region(&arn, text, region)?;
    let resource = arn.resource();
    // Behind the type, such as `security-group/` or `function:`.
    let name = resource.split_once(['/', ':']).map_or(resource, |(_, name)| name);
    match kind {
        "AWS::CloudTrail::Trail" | "AWS::ElasticLoadBalancingV2::LoadBalancer" | "AWS::SNS::Topic" => {
            Ok(text.to_owned())
        }
        "AWS::S3::Bucket" => Ok(resource.to_owned()),
        "AWS::Logs::LogGroup" => Ok(name.trim_end_matches(":*").to_owned()),
        _ if kind.starts_with("AWS::IAM::") || WITHOUT_ID.contains(&kind) => Err(without_id(kind, text)),
        _ => Ok(name.to_owned()),
    }
}

fn expect_region(arn: &Arn, text: &str, region: &Region) -> Result<(), CliError> {
    match arn.region().filter(|it| it != region) {
        None => Ok(()),
        Some(other) => Err(CliError::usage(format!(
            "resource: expected one in region {region}: received `{text}`: give --region {other}"
        ))),
    }
}

/// The refusal of an ARN that does not contain the id.
fn without_id(kind: &str, arn: &str) -> CliError {
    CliError::usage(format!(
        "resource: expected the AWS Config id of the {kind}, which is not in its ARN: received `{arn}`: `aws configservice \
         list-discovered-resources --resource-type {kind}` lists the ids"
    ))
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

impl<'a> Typed<'a> {
    /// The target; missing arguments are derived from the control, the id and the credentials.
    ///
    /// # Errors
    /// [`CliError::Usage`] for a type that the control does not have, and for contradicting accounts.
    pub(crate) async fn target(self, control: Option<&Entry>, caller: &Caller) -> Result<Target, CliError> {
        let kind = self.kind(control)?;
        let account = match self.account(&kind)? {
            Some(account) => AccountId::new(account),
            None => caller.account().await?.clone(),
        };
        let arn = self.id.starts_with("arn:").then(|| self.id.to_owned());
        let id = config_id(&kind, self.id, caller.region())?;
        let resource = ResourceKey::new(kind, id);
        Ok(Target { account, region: caller.region().clone(), resource, name: None, arn })
    }

    /// The same with the name at the end of its ARN, for a type whose name is not its id.
    ///
    /// # Errors
    /// [`CliError::Usage`] for an ARN of another region.
    pub(crate) fn named(self, control: &Entry, region: &Region) -> Result<Self, CliError> {
        let Ok(arn) = self.id.parse::<Arn>() else { return Ok(self) };
        if !is_named(&self.kind(Some(control))?) {
            return Ok(self);
        }
        expect_region(&arn, self.id, region)?;
        let name = self.id.rsplit(['/', ':']).next().unwrap_or(self.id);
        Ok(Self { id: name, account: self.account.or_else(|| self.account_of_arn()), ..self })
    }

    fn account_of_arn(self) -> Option<&'a str> {
        self.id.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3)).filter(|it| !it.is_empty())
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

    /// The account that the arguments state.
    fn account(self, kind: &str) -> Result<Option<&'a str>, CliError> {
        let of_id = || (kind == ACCOUNT_TYPE).then_some(self.id);
        let account = self.account.or_else(of_id).or_else(|| self.account_of_arn());
        match account {
            Some(account) if kind == ACCOUNT_TYPE && account != self.id => {
                Err(CliError::usage(format!("account: expected `{}`, the resource: received `{account}`", self.id)))
            }
            account => Ok(account),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn target(control: Option<&str>, typed: Typed<'_>) -> Result<String, String> {
        let control = control.and_then(rectify_catalogue::find);
        let found = typed.target(control, &Caller::of_account("111122223333", "eu-west-1")).await;
        found.map(|it| format!("{} {} {}", it.account, it.region, it.resource)).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn missing_arguments_are_derived_from_control_id_and_credentials() {
        let group = Typed { id: "sg-1", kind: None, account: None };
        let account = Typed { id: "444455556666", kind: None, account: None };
        let bucket = Typed { kind: Some("AWS::S3::Bucket"), ..group };
        let ssh = Some("restricted-ssh");
        let root = Some("iam-root-access-key-check");
        let rows = [
            (ssh, group, Ok("111122223333 eu-west-1 AWS::EC2::SecurityGroup sg-1")),
            (
                ssh,
                Typed { account: Some("444455556666"), ..group },
                Ok("444455556666 eu-west-1 AWS::EC2::SecurityGroup sg-1"),
            ),
            (root, account, Ok("444455556666 eu-west-1 AWS::::Account 444455556666")),
            (None, bucket, Ok("111122223333 eu-west-1 AWS::S3::Bucket sg-1")),
            (
                root,
                Typed { account: Some("111122223333"), ..account },
                Err("account: expected `444455556666`, the resource: received `111122223333`"),
            ),
            (None, group, Err("--type: expected a resource type, or --control: received nothing")),
            (ssh, bucket, Err("--type: expected AWS::EC2::SecurityGroup: received `AWS::S3::Bucket`")),
        ];
        for (control, typed, expected) in rows {
            assert_eq!(target(control, typed).await, expected.map(str::to_owned).map_err(str::to_owned), "{typed:?}");
        }
    }

    #[test]
    fn an_arn_gives_the_id() {
        let region = Region::new("eu-west-1");
        let id = |kind: &str, text: &str| config_id(kind, text, &region).map_err(|error| error.to_string());
        let arn = |rest: &str| format!("arn:aws:{rest}");
        for (kind, text, expected) in [
            ("AWS::EC2::SecurityGroup", arn("ec2:eu-west-1:111122223333:security-group/sg-1"), "sg-1"),
            ("AWS::S3::Bucket", arn("s3:::pics"), "pics"),
            ("AWS::Lambda::Function", arn("lambda:eu-west-1:111122223333:function:resize"), "resize"),
            ("AWS::Logs::LogGroup", arn("logs:eu-west-1:111122223333:log-group:/aws/x:*"), "/aws/x"),
            ("AWS::KMS::Key", arn("kms:eu-west-1:111122223333:key/mrk-1"), "mrk-1"),
            ("AWS::IAM::User", "AIDAEXAMPLE".to_owned(), "AIDAEXAMPLE"),
        ] {
            assert_eq!(id(kind, &text).as_deref(), Ok(expected), "{text}");
        }
        let topic = arn("sns:eu-west-1:111122223333:alarms");
        assert_eq!(id("AWS::SNS::Topic", &topic), Ok(topic));
        let user = id("AWS::IAM::User", &arn("iam::111122223333:user/alice")).unwrap_err();
        assert!(user.contains("expected the AWS Config id of the AWS::IAM::User, which is not in its ARN"), "{user}");
        let far = id("AWS::KMS::Key", &arn("kms:us-east-1:111122223333:key/1")).unwrap_err();
        assert!(far.ends_with("give --region us-east-1"), "{far}");
    }

    #[test]
    fn an_arn_gives_the_name_where_the_id_is_another() {
        let region = Region::new("eu-west-1");
        let named = |control: &str, rest: &str| {
            let id = format!("arn:aws:{rest}");
            let typed = Typed { id: &id, kind: None, account: None };
            let typed = typed.named(rectify_catalogue::find(control).unwrap(), &region);
            typed.map(|it| format!("{} {}", it.id, it.account.unwrap_or("-"))).map_err(|error| error.to_string())
        };
        let (users, instances) = ("access-keys-rotated", "rds-storage-encrypted");
        assert_eq!(named(users, "iam::111122223333:user/team/alice").as_deref(), Ok("alice 111122223333"));
        assert_eq!(named(instances, "rds:eu-west-1:111122223333:db:orders").as_deref(), Ok("orders 111122223333"));
        let far = named(instances, "rds:us-east-1:111122223333:db:orders").unwrap_err();
        assert!(far.ends_with("give --region us-east-1"), "{far}");
        let bucket = named("s3-bucket-logging-enabled", "s3:::pics");
        assert_eq!(bucket.as_deref(), Ok("arn:aws:s3:::pics -"));
    }

    #[tokio::test]
    async fn an_arn_gives_the_account() {
        let arn = "arn:aws:cloudtrail:eu-west-1:444455556666:trail/main";
        let typed = Typed { id: arn, kind: Some("AWS::CloudTrail::Trail"), account: None };
        let found = typed.target(None, &Caller::of_account("111122223333", "eu-west-1")).await.unwrap();
        assert_eq!((found.account.as_str(), found.arn.as_deref()), ("444455556666", Some(arn)));
    }

    #[test]
    fn the_ledger_is_the_one_table_that_is_named_after_the_stack() {
        let found = |tables: &[&str]| {
            let tables = tables.iter().map(|it| (*it).to_owned()).collect();
            of_stack(tables, "rectify-", &Region::new("eu-west-1")).map_err(|error| error.to_string())
        };
        let none = "table: no `rectify-Ledger` in region eu-west-1: give the stack's output LedgerTable with --table, or \
                    its prefix with --prefix";
        let several = "table: rectify-Ledger-B, rectify-Ledger-A in region eu-west-1: give the stack's output LedgerTable \
                       with --table";
        let rows: [(&[&str], Result<&str, &str>); 5] = [
            (&["orders", "rectify-Ledger-A", "rectify-LedgerOfOrders"], Ok("rectify-Ledger-A")),
            (&["rectify-Ledger"], Ok("rectify-Ledger")),
            (&["orders", "other-rectify-Ledger"], Err(none)),
            (&[], Err(none)),
            (&["rectify-Ledger-B", "rectify-Ledger-A"], Err(several)),
        ];
        for (tables, expected) in rows {
            assert_eq!(found(tables), expected.map(str::to_owned).map_err(str::to_owned), "{tables:?}");
        }
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
        assert_eq!(
            error.to_string(),
            "region: expected --region, AWS_REGION or a region in the profile: received nothing"
        );
    }
}
