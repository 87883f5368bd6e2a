//! What is known about each finding, as the router stores it: one row per control and resource.

use rectify_compliance::finding::{History, Lifecycle};
use rectify_compliance::{Target, Timestamp};

use super::item::{key, number, read_number, read_text, text};
use super::key::routed_of;
use super::{Ledger, ResourcePath, unavailable};
use crate::Error;

/// How long a resolved finding is kept, seconds: 90 days.
const RESOLVED_TTL: i64 = 90 * 24 * 3600;
/// How long a result without a finding is kept, seconds: three days. A violation that was recorded earlier may arrive
/// later; events are retried for one day.
const NO_FINDING_TTL: i64 = 3 * 24 * 3600;

/// The row of one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutedFinding {
    /// The control's id.
    pub control: String,
    /// The resource, by its id in AWS Config.
    pub target: Target,
    /// What is known.
    pub history: History,
    /// The number of changes of the history: 0 for a finding that is not stored.
    pub version: u64,
    /// The last version whose ticket was sent.
    pub sent: u64,
}

impl RoutedFinding {
    /// Whether its ticket is still to be sent.
    pub fn is_due(&self) -> bool {
        self.sent < self.version && self.history.lifecycle().is_some()
    }
}

impl Ledger {
    /// What is known about a finding; an empty history of version 0 if nothing is stored.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table or the row cannot be read.
    pub async fn routed(&self, control: &str, target: &Target) -> Result<RoutedFinding, Error> {
        let path = ResourcePath::of(target);
        match self.get(&routed_of(control), path.as_str()).await? {
            Some(item) => read(control, &item),
            None => Ok(RoutedFinding {
                control: control.to_owned(),
                target: ResourcePath::target(path.as_str()).unwrap_or_else(|| target.clone()),
                history: History::default(),
                version: 0,
                sent: 0,
            }),
        }
    }

    /// All findings of a control, by resource. Results without a finding are left out.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table or a row cannot be read.
    pub async fn routed_findings(&self, control: &str) -> Result<Vec<RoutedFinding>, Error> {
        let items = self.query(&routed_of(control), "").await?;
        let all: Result<Vec<RoutedFinding>, Error> = items.iter().map(|item| read(control, item)).collect();
        Ok(all?.into_iter().filter(|it| it.history.lifecycle().is_some()).collect())
    }

    /// Stores a finding in place of the row with version `previous`; false if another writer was first.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn store_routed(&self, it: &RoutedFinding, previous: u64, now: Timestamp) -> Result<bool, Error> {
        let history = serde_json::to_string(&it.history).map_err(|error| Error::Ledger(error.to_string()))?;
        let mut item = key(&routed_of(&it.control), ResourcePath::of(&it.target).as_str());
        item.insert("history".to_owned(), text(history));
        item.insert("version".to_owned(), number(it.version));
        item.insert("sent".to_owned(), number(it.sent));
        let ttl = match it.history.lifecycle() {
            // An open finding stays.
            Some(Lifecycle::Open | Lifecycle::Updated | Lifecycle::Exempt | Lifecycle::Reopened) => None,
            Some(Lifecycle::Resolved) => Some(RESOLVED_TTL),
            None => Some(NO_FINDING_TTL),
        };
        if let Some(ttl) = ttl {
            item.insert("expires".to_owned(), number(now.as_second() + ttl));
        }
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = if previous == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("#version = :previous")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":previous", number(previous))
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(unavailable("finding", &error)),
            },
        }
    }
}

fn read(control: &str, item: &super::item::Item) -> Result<RoutedFinding, Error> {
    let path = read_text(item, "sk")?;
    let target = ResourcePath::target(path)
        .ok_or_else(|| Error::Ledger(format!("sk: expected account, region, type and id: received `{path}`")))?;
    let count = |name| read_number(item, name).map(|it| u64::try_from(it).unwrap_or_default());
    let history = serde_json::from_str(read_text(item, "history")?);
    Ok(RoutedFinding {
        control: control.to_owned(),
        target,
        history: history.map_err(|error| Error::Ledger(format!("history: {error}")))?,
        version: count("version")?,
        sent: count("sent")?,
    })
}
