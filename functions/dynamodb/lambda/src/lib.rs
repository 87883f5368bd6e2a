//! The calls to DynamoDB for its tables. The only place that names its SDK here; it maps answers and decides nothing.

mod functions;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::describe_continuous_backups::DescribeContinuousBackupsError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::operation::list_tags_of_resource::ListTagsOfResourceError;
use aws_sdk_dynamodb::types::{PointInTimeRecoverySpecification, TableDescription, TableStatus};
use aws_types::SdkConfig;
use futures_util::stream::{self, Stream};
use rectify_compliance::{ResourceKey, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Found, Listed, Page, read_each};
use rectify_runtime::views::{Views, unknown_member, value_of};
use serde_json::Value;

use rectify_dynamodb::resources::table::{PointInTimeRecovery, RecordedTable, TYPE, Table, is_enabled, is_transient};

pub use functions::{FUNCTIONS, OPERATIONS};

/// Tables per page, the API's maximum.
const TABLES_PER_PAGE: i32 = 100;
/// DynamoDB answers at most ten `DescribeContinuousBackups` a second, so tables are read one after the other.
const CONCURRENCY: usize = 1;

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    dynamodb: Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { dynamodb: Client::new(config) }
    }
}

impl Clients {
    /// A table with its recovery, without its tags; `None` when there is no such table. The recovery of a table that is
    /// not evaluated is not read.
    async fn table(&self, name: &str) -> Result<Option<Table>, AwsError> {
        let Some(table) = self.describe(name).await? else { return Ok(None) };
        if is_transient(&table.status) {
            return Ok(Some(table));
        }
        let recovery = self.recovery(name).await?;
        Ok(recovery.map(|point_in_time_recovery| Table { point_in_time_recovery, ..table }))
    }

    /// `DescribeTable`; `None` when there is no such table.
    async fn describe(&self, name: &str) -> Result<Option<Table>, AwsError> {
        match self.dynamodb.describe_table().table_name(name).send().await {
            Ok(answer) => {
                let table = answer.table.ok_or_else(|| ShapeError::missing("Table", "a table"))?;
                Ok(Some(table_of(&table)?))
            }
            Err(error) if error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception) => {
                Ok(None)
            }
            Err(error) => Err(AwsError::call("dynamodb:DescribeTable", &error)),
        }
    }

    /// `DescribeContinuousBackups`: whether point-in-time recovery is on; `None` when there is no such table.
    async fn recovery(&self, name: &str) -> Result<Option<bool>, AwsError> {
        let answer = match self.dynamodb.describe_continuous_backups().table_name(name).send().await {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeContinuousBackupsError::is_table_not_found_exception) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(AwsError::call("dynamodb:DescribeContinuousBackups", &error)),
        };
        let backups = answer.continuous_backups_description();
        let status = backups
            .and_then(|it| it.point_in_time_recovery_description())
            .and_then(|it| it.point_in_time_recovery_status())
            .ok_or_else(|| ShapeError::missing("PointInTimeRecoveryStatus", "ENABLED or DISABLED"))?;
        Ok(Some(is_enabled(status.as_str())?))
    }

    /// `ListTagsOfResource`, all pages; `None` when the table is already gone.
    async fn tags(&self, arn: &str) -> Result<Option<Tags>, AwsError> {
        let (mut tags, mut next) = (Tags::new(), None);
        loop {
            let call = self.dynamodb.list_tags_of_resource().resource_arn(arn).set_next_token(next);
            let page = match call.send().await {
                Ok(page) => page,
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(ListTagsOfResourceError::is_resource_not_found_exception) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(AwsError::call("dynamodb:ListTagsOfResource", &error)),
            };
            tags.extend(page.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
            next = page.next_token.filter(|it| !it.is_empty());
            if next.is_none() {
                return Ok(Some(tags));
            }
        }
    }

    /// The tables of one page, each with its recovery.
    async fn tables(&self, names: &[String]) -> Vec<Listed<Table>> {
        let mut reads = Vec::new();
        for name in names {
            let found = Found { resource: ResourceKey::new(TYPE, name), name: None };
            reads.push((found, self.table(name)));
        }
        read_each(reads, CONCURRENCY).await
    }
}

impl Views<Table> for Clients {
    async fn facts(&self, _target: &Target, recorded: &RecordedTable) -> Result<Option<Option<bool>>, AwsError> {
        if recorded.is_sufficient() {
            return Ok(Some(None));
        }
        Ok(self.recovery(recorded.name()).await?.map(Some))
    }

    async fn read(&self, target: &Target) -> Result<Option<Table>, AwsError> {
        let Some(table) = self.table(&target.resource.id).await? else { return Ok(None) };
        Ok(self.tags(&table.arn).await?.map(|tags| Table { tags, ..table }))
    }

    async fn write(&self, name: &str, member: &str, value: &Value) -> Result<(), AwsError> {
        let call = self.dynamodb.update_continuous_backups().table_name(name);
        let call = match member {
            "PointInTimeRecoverySpecification" => {
                let PointInTimeRecovery { point_in_time_recovery_enabled } = value_of(member, value)?;
                let specification = PointInTimeRecoverySpecification::builder()
                    .point_in_time_recovery_enabled(point_in_time_recovery_enabled)
                    .build()
                    .map_err(|error| ShapeError::new(member, "a complete specification", error))?;
                call.point_in_time_recovery_specification(specification)
            }
            _ => return Err(unknown_member(member)),
        };
        call.send().await.map(drop).map_err(|error| AwsError::call("dynamodb:UpdateContinuousBackups", &error))
    }

    fn pages<'a>(
        &'a self,
        _place: &'a AccountRegion,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<Table>, AwsError>> + Send + 'a {
        let tables = self.dynamodb.list_tables().set_exclusive_start_table_name(from);
        let pages = tables.into_paginator().page_size(TABLES_PER_PAGE).send();
        stream::try_unfold(pages, move |mut pages| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("dynamodb:ListTables", &error))?;
            let resources = self.tables(page.table_names()).await;
            Ok(Some((Page { resources, next: page.last_evaluated_table_name.filter(|it| !it.is_empty()) }, pages)))
        })
    }
}

/// A described table, before its recovery is read.
fn table_of(table: &TableDescription) -> Result<Table, ShapeError> {
    let required = |value: Option<&str>, path: &str| {
        value.map(str::to_owned).ok_or_else(|| ShapeError::missing(path, "a non-empty string"))
    };
    Ok(Table {
        name: required(table.table_name(), "TableName")?,
        arn: required(table.table_arn(), "TableArn")?,
        status: required(table.table_status().map(TableStatus::as_str), "TableStatus")?,
        point_in_time_recovery: false,
        tags: Tags::new(),
    })
}
