//! Stop switches and holds: operators' decisions against acting.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use rectify_compliance::{Target, Timestamp};

use super::item::{Item, instant, key, read_instant, read_text, text};
use super::key::{HOLDS, STOP, decisions_on, hold, registered_hold};
use super::{AuditEntry, Ledger, ResourcePath};
use crate::Error;

/// A stop switch that is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopSwitch {
    /// `*` or a control's id.
    pub scope: String,
    /// Who turned it on.
    pub by: String,
    /// The reason.
    pub reason: String,
    /// When it was turned on.
    pub since: Timestamp,
}

impl std::fmt::Display for StopSwitch {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "stopped by {} since {}: {}", self.by, self.since, self.reason)
    }
}

/// "Do not enforce this control on this resource before …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The control's id.
    pub control: String,
    /// Who set it.
    pub by: String,
    /// The reason; for a hold by undo, `undo of` the attempt's id.
    pub reason: String,
    /// When it ends.
    pub until: Timestamp,
}

impl Ledger {
    /// The stop switch that is on for `control`: the one for all controls, or its own.
    ///
    /// # Errors
    /// [`Error::Ledger`]: a switch that cannot be read is not off.
    pub async fn stop_switch_for(&self, control: &str) -> Result<Option<StopSwitch>, Error> {
        for scope in ["*", control] {
            if let Some(item) = self.get(STOP, scope).await? {
                return read_stop(&item).map(Some);
            }
        }
        Ok(None)
    }

    /// All stop switches that are on.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn stops(&self) -> Result<Vec<StopSwitch>, Error> {
        self.query(STOP, "").await?.iter().map(read_stop).collect()
    }

    /// Stops remediations: all (`*`) or those of one control.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn stop(&self, stop: &StopSwitch) -> Result<(), Error> {
        let mut item = key(STOP, &stop.scope);
        item.insert("by".to_owned(), text(&stop.by));
        item.insert("reason".to_owned(), text(&stop.reason));
        item.insert("since".to_owned(), instant(stop.since));
        let what = format!("stop {}", stop.scope);
        let entry = AuditEntry { at: stop.since, ..AuditEntry::now(&stop.by, what, &stop.reason) };
        self.record(&entry, vec![self.put_any(item)?]).await
    }

    /// Releases a stop switch, if it is on.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn resume(&self, scope: &str, by: &str) -> Result<(), Error> {
        let entry = AuditEntry::now(by, format!("resume {scope}"), "");
        self.record(&entry, vec![self.delete_any(STOP, scope)?]).await
    }

    /// The hold on a resource for a control, unless it has expired.
    ///
    /// # Errors
    /// [`Error::Ledger`]: a hold that cannot be read has not expired.
    pub async fn hold_on(&self, path: &ResourcePath, control: &str, now: Timestamp) -> Result<Option<Hold>, Error> {
        let Some(item) = self.get(&decisions_on(path), &hold(control)).await? else { return Ok(None) };
        let found = read_hold(control, &item)?;
        Ok((found.until > now).then_some(found))
    }

    /// All holds on a resource that have not expired, by control.
    ///
    /// # Errors
    /// [`Error::Ledger`] as for [`hold_on`](Self::hold_on).
    pub async fn holds(&self, path: &ResourcePath, now: Timestamp) -> Result<Vec<Hold>, Error> {
        let prefix = hold("");
        let mut found = Vec::new();
        for item in self.query(&decisions_on(path), &prefix).await? {
            let control = read_text(&item, "sk")?.trim_start_matches(&prefix).to_owned();
            found.push(read_hold(&control, &item)?);
        }
        found.retain(|it| it.until > now);
        Ok(found)
    }

    /// Sets or replaces a hold.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn set_hold(&self, path: &ResourcePath, set: &Hold) -> Result<(), Error> {
        let what = format!("hold add {} {} until {}", set.control, path.as_str(), set.until);
        self.record(&AuditEntry::now(&set.by, what, &set.reason), hold_writes(self, path, set)?.into()).await
    }

    /// Ends a hold, if there is one.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be written.
    pub async fn end_hold(&self, path: &ResourcePath, control: &str, by: &str) -> Result<(), Error> {
        let entry = AuditEntry::now(by, format!("hold end {control} {}", path.as_str()), "");
        let at_resource = self.delete_any(&decisions_on(path), &hold(control))?;
        self.record(&entry, vec![at_resource, self.delete_any(HOLDS, &registered_hold(control, path))?]).await
    }

    /// The holds on all resources that have not expired, by control and resource; only those of `control` if it is
    /// given.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table or a hold cannot be read.
    pub async fn all_holds(&self, control: Option<&str>, now: Timestamp) -> Result<Vec<(Target, Hold)>, Error> {
        let prefix = control.map_or_else(String::new, |control| format!("{control}#"));
        let mut found = Vec::new();
        for item in self.query(HOLDS, &prefix).await? {
            let sk = read_text(&item, "sk")?;
            let parts = sk.split_once('#').and_then(|(control, path)| Some((control, ResourcePath::target(path)?)));
            let (control, target) = parts.ok_or_else(|| {
                Error::Ledger(format!("sk: expected control, account, region, type and id: received `{sk}`"))
            })?;
            found.push((target, read_hold(control, &item)?));
        }
        found.retain(|(_, it)| it.until > now);
        Ok(found)
    }
}

/// Part of a transaction: sets or replaces a hold, at its resource and in the register of all.
pub(super) fn hold_writes(ledger: &Ledger, path: &ResourcePath, set: &Hold) -> Result<[TransactWriteItem; 2], Error> {
    let write = |mut item: Item| {
        item.insert("by".to_owned(), text(&set.by));
        item.insert("reason".to_owned(), text(&set.reason));
        item.insert("until".to_owned(), instant(set.until));
        ledger.put_any(item)
    };
    let at_resource = write(key(&decisions_on(path), &hold(&set.control)))?;
    Ok([at_resource, write(key(HOLDS, &registered_hold(&set.control, path)))?])
}

fn read_hold(control: &str, item: &Item) -> Result<Hold, Error> {
    Ok(Hold {
        control: control.to_owned(),
        by: read_text(item, "by")?.to_owned(),
        reason: read_text(item, "reason")?.to_owned(),
        until: read_instant(item, "until")?,
    })
}

fn read_stop(item: &Item) -> Result<StopSwitch, Error> {
    // A switch written by hand may lack every attribute but its key; it is still on.
    let or_unknown = |name: &str| match item.get(name) {
        Some(AttributeValue::S(value)) => value.clone(),
        _ => "unknown".to_owned(),
    };
    Ok(StopSwitch {
        scope: read_text(item, "sk")?.to_owned(),
        by: or_unknown("by"),
        reason: or_unknown("reason"),
        since: read_instant(item, "since").unwrap_or(Timestamp::UNIX_EPOCH),
    })
}
