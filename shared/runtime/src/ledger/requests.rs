//! Requests for another look at a finding. Each is stored before its event is put on the bus: everybody with
//! `events:PutEvents` can write such an event, and nobody but the reconciler and people can write here.

use jiff::SignedDuration;
use rectify_compliance::{Target, Timestamp};

use super::Ledger;
use super::item::{key, number, read_number, read_text, text};
use super::key::{SINGLETON, request};
use crate::Error;

/// How long a request can be answered: longer than EventBridge and Lambda try to deliver its event, which is seven hours.
const LIFETIME: SignedDuration = SignedDuration::from_hours(3 * 24);

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRequest {
    /// The control.
    pub control: String,
    /// The resource.
    pub target: Target,
    /// When AWS Config recorded the finding, or the oldest attempt at it.
    pub recorded_at: Timestamp,
    /// Until when it may be answered.
    pub expires: Timestamp,
}

impl StoredRequest {
    /// A request that is made now.
    pub fn new(control: &str, target: &Target, recorded_at: Timestamp, now: Timestamp) -> Self {
        let expires = now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
        Self { control: control.to_owned(), target: target.clone(), recorded_at, expires }
    }

    /// Whether a control may take an event that refers to this request, about that resource, at this time.
    pub fn allows(&self, control: &str, target: &Target, now: Timestamp) -> bool {
        let Target { account, region, resource, .. } = &self.target;
        self.control == control
            && (account, region, resource) == (&target.account, &target.region, &target.resource)
            && now < self.expires
    }
}

impl Ledger {
    /// Stores a request under an id of [`new_id`](super::new_id).
    ///
    /// # Errors
    /// [`Error::Ledger`] when it was not stored: then its event must not be put.
    pub async fn store_request(&self, id: &str, it: &StoredRequest) -> Result<(), Error> {
        let target = serde_json::to_string(&it.target).map_err(|error| Error::Ledger(format!("target: {error}")))?;
        let mut item = key(&request(id), SINGLETON);
        item.insert("control".to_owned(), text(&it.control));
        item.insert("target".to_owned(), text(target));
        // As text: a moment loses nothing of its precision, which is part of the finding's name.
        item.insert("recorded_at".to_owned(), text(it.recorded_at.to_string()));
        item.insert("expires".to_owned(), number(it.expires.as_second()));
        self.put(item, "request").await
    }

    /// The request of this id; `None` for an id that nobody stored, or that is none.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be read.
    pub async fn request(&self, id: &str) -> Result<Option<StoredRequest>, Error> {
        if ulid::Ulid::from_string(id).is_err() {
            return Ok(None);
        }
        let Some(item) = self.get(&request(id), SINGLETON).await? else { return Ok(None) };
        let unreadable =
            |what: &str, error: &dyn std::fmt::Display| Error::Ledger(format!("request {id}: {what}: {error}"));
        let recorded_at = read_text(&item, "recorded_at")?;
        Ok(Some(StoredRequest {
            control: read_text(&item, "control")?.to_owned(),
            target: serde_json::from_str(read_text(&item, "target")?).map_err(|error| unreadable("target", &error))?,
            recorded_at: recorded_at.parse().map_err(|error| unreadable("recorded_at", &error))?,
            expires: Timestamp::from_second(read_number(&item, "expires")?)
                .map_err(|error| unreadable("expires", &error))?,
        }))
    }
}
