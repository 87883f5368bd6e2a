//! Exemptions in the table: added once, ended once, never deleted.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use rectify_compliance::Timestamp;
use rectify_compliance::exemption::{ANY, Ended, Exemption, Registered, Selector};

use super::item::{Item, instant, key, number, read_instant, read_number, read_text, text};
use super::key::{EXEMPTION_LIMIT, REVISION, SINGLETON, exemption, exemptions_of};
use super::transact::updating;
use super::{AuditEntry, Ledger};
use crate::Error;

/// The longest duration of an exemption, days, unless operators set another: a year, leap or not.
pub const DEFAULT_LIMIT: u16 = 366;

/// The exemptions that may apply to a control, as of one read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// The control's own entries and those for every control, ended ones included.
    pub entries: Vec<Registered>,
    /// The revision of each scope; `None` if the command line has not added an exemption to it yet.
    pub(super) revisions: Vec<(String, Option<i64>)>,
}

impl Ledger {
    /// The registry of a control.
    ///
    /// # Errors
    /// [`Error::Ledger`]: a registry that cannot be read exempts nothing and allows no action.
    pub async fn registry(&self, control: &str) -> Result<Registry, Error> {
        let mut registry = Registry::default();
        for scope in [ANY, control] {
            let items = self.query(&exemptions_of(scope), "").await?;
            let (revision, entries): (Vec<_>, Vec<_>) = items.iter().partition(|item| is_revision(item));
            let revision = revision.first().map(|item| read_number(item, "n")).transpose()?;
            registry.revisions.push((scope.to_owned(), revision));
            registry.entries.extend(entries.into_iter().map(|item| read(scope, item)));
        }
        Ok(registry)
    }

    /// The entries of [`registry`](Self::registry), for callers that do not act on them.
    ///
    /// # Errors
    /// [`Error::Ledger`] as for [`registry`](Self::registry).
    pub async fn exemptions_for(&self, control: &str) -> Result<Vec<Registered>, Error> {
        self.registry(control).await.map(|it| it.entries)
    }

    /// The entries of one control, or those for every control (`*`), ended ones included.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn exemptions_of(&self, scope: &str) -> Result<Vec<Registered>, Error> {
        let items = self.query(&exemptions_of(scope), "").await?;
        Ok(items.iter().filter(|item| !is_revision(item)).map(|item| read(scope, item)).collect())
    }

    /// The longest duration of a new exemption, days.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table or the setting cannot be read.
    pub async fn exemption_limit(&self) -> Result<u16, Error> {
        let Some(item) = self.get(EXEMPTION_LIMIT, SINGLETON).await? else { return Ok(DEFAULT_LIMIT) };
        let days = read_number(&item, "days")?;
        u16::try_from(days).map_err(|_| Error::Ledger(format!("days: expected 0 to 65535: received `{days}`")))
    }

    /// Sets the longest duration of a new exemption, days, and records who did it.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn limit_exemptions(&self, days: u16, entry: &AuditEntry) -> Result<(), Error> {
        let mut item = key(EXEMPTION_LIMIT, SINGLETON);
        item.insert("days".to_owned(), number(days));
        self.record(entry, vec![self.put_any(item)?]).await
    }

    /// Adds an exemption, and records who did it.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn exempt(&self, it: &Exemption, entry: &AuditEntry) -> Result<(), Error> {
        let (pk, sk) = (exemptions_of(&it.control), exemption(&it.account, &it.selector.to_string(), &it.id));
        let mut item = key(&pk, &sk);
        item.insert("id".to_owned(), text(&it.id));
        item.insert("account".to_owned(), text(&it.account));
        item.insert("selector".to_owned(), text(it.selector.to_string()));
        item.insert("reason".to_owned(), text(&it.reason));
        item.insert("approver".to_owned(), text(&it.approver));
        item.insert("ticket".to_owned(), text(&it.ticket));
        item.insert("created".to_owned(), instant(it.created));
        item.insert("until".to_owned(), instant(it.until));
        self.record(entry, vec![self.put_new(item)?, self.revised(&pk)?]).await
    }

    /// Ends an exemption of one of the `scopes` (controls, or `*`) and records who did it; the answer says whether one
    /// was still active. An entry written by hand is found, too, by its sort key if it has no id.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read or written, or the entry changed in the meantime.
    pub async fn end_exemption(
        &self,
        id: &str,
        scopes: &[&str],
        ended: &Ended,
        entry: &AuditEntry,
    ) -> Result<bool, Error> {
        let Some((pk, sk)) = self.exemption_at(id, scopes).await? else { return Ok(false) };
        let Some(item) = self.get(&pk, &sk).await?.filter(|item| read_end(item).is_none()) else { return Ok(false) };
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(&pk, &sk)))
            .update_expression("SET ended_by = :by, ended_at = :at")
            .expression_attribute_values(":by", text(&ended.by))
            .expression_attribute_values(":at", instant(ended.at));
        // If two operators end it at the same time, the second gets an error.
        let update = match item.get("ended_at") {
            None => update.condition_expression("attribute_exists(pk) AND attribute_not_exists(ended_at)"),
            Some(unreadable) => {
                update.condition_expression("ended_at = :was").expression_attribute_values(":was", unreadable.clone())
            }
        };
        self.record(entry, vec![updating(update)?, self.revised(&pk)?]).await?;
        Ok(true)
    }

    /// Increments the revision of this partition: every earlier read of its entries is outdated.
    fn revised(&self, pk: &str) -> Result<TransactWriteItem, Error> {
        let update = Update::builder().table_name(&self.table).set_key(Some(key(pk, REVISION)));
        updating(update.update_expression("ADD n :one").expression_attribute_values(":one", number(1)))
    }

    /// The key of the exemption with this id.
    async fn exemption_at(&self, id: &str, scopes: &[&str]) -> Result<Option<(String, String)>, Error> {
        for scope in scopes {
            let pk = exemptions_of(scope);
            for item in self.query(&pk, "").await?.into_iter().filter(|item| !is_revision(item)) {
                if read(scope, &item).id() == id {
                    return Ok(Some((pk, read_text(&item, "sk")?.to_owned())));
                }
            }
        }
        Ok(None)
    }
}

fn is_revision(item: &Item) -> bool {
    read_text(item, "sk").is_ok_and(|sk| sk == REVISION)
}

/// An entry; a malformed one, such as one written by hand, is kept as malformed and never permits an action.
fn read(control: &str, item: &Item) -> Registered {
    match valid(control, item) {
        Ok(exemption) => Registered::Valid(exemption),
        Err(why) => Registered::Malformed {
            id: read_text(item, "id").or_else(|_| read_text(item, "sk")).unwrap_or("unknown").to_owned(),
            control: control.to_owned(),
            account: read_text(item, "account").ok().map(str::to_owned),
            selector: read_text(item, "selector").ok().and_then(|it| it.parse().ok()),
            ended: read_end(item),
            why,
        },
    }
}

/// The end of an entry, where all of it can be read.
fn read_end(item: &Item) -> Option<Ended> {
    let by = read_text(item, "ended_by").ok()?.to_owned();
    Some(Ended { by, at: read_instant(item, "ended_at").ok()? })
}

fn valid(control: &str, item: &Item) -> Result<Exemption, String> {
    let word = |name| read_text(item, name).map(str::to_owned).map_err(|error| reason(&error));
    let time = |name| read_instant(item, name).map_err(|error| reason(&error));
    let selector: Selector = word("selector")?.parse().map_err(|why| format!("selector: {why}"))?;
    let ended = match item.get("ended_at") {
        None => None,
        Some(_) => Some(Ended { by: word("ended_by")?, at: time("ended_at")? }),
    };
    let created: Timestamp = time("created")?;
    Ok(Exemption {
        id: word("id")?,
        control: control.to_owned(),
        account: word("account")?,
        selector,
        reason: word("reason")?,
        approver: word("approver")?,
        ticket: word("ticket")?,
        created,
        until: time("until")?,
        ended,
    })
}

/// The error's text without its prefix.
fn reason(error: &Error) -> String {
    match error {
        Error::Ledger(text) => text.clone(),
        other => other.to_string(),
    }
}
