//! Requests to handle a finding again. Each is stored before its event is put on the bus: every principal with
//! `events:PutEvents` can put such an event, but only the reconciler and operators can write here.

use jiff::SignedDuration;
use rectify_compliance::{Target, Timestamp};

use super::Ledger;
use super::item::{key, number, read_number, read_text, text};
use super::key::{SINGLETON, request};
use crate::Error;

/// How long a request is valid: longer than the seven hours in which EventBridge and Lambda try to deliver its event.
const LIFETIME: SignedDuration = SignedDuration::from_hours(3 * 24);

/// A request, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRequest {
    /// The control.
    pub control: String,
    /// The resource.
    pub target: Target,
    /// When AWS Config recorded the finding, or the finding of the oldest attempt.
    pub recorded_at: Timestamp,
    /// When it expires.
    pub expires: Timestamp,
}

impl StoredRequest {
    /// A request made now.
    pub fn new(control: &str, target: &Target, recorded_at: Timestamp, now: Timestamp) -> Self {
        let expires = now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
        Self { control: control.to_owned(), target: target.clone(), recorded_at, expires }
    }

    /// Whether this control may accept an event that refers to this request, for this resource and at this time.
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
    /// [`Error::Ledger`] when it is not stored: then its event must not be put.
    pub async fn store_request(&self, id: &str, it: &StoredRequest) -> Result<(), Error> {
        let target = serde_json::to_string(&it.target).map_err(|error| Error::Ledger(format!("target: {error}")))?;
        let mut item = key(&request(id), SINGLETON);
        item.insert("control".to_owned(), text(&it.control));
        item.insert("target".to_owned(), text(target));
        // As text: the finding's key includes the full precision.
        item.insert("recorded_at".to_owned(), text(it.recorded_at.to_string()));
        item.insert("expires".to_owned(), number(it.expires.as_second()));
        self.put(item, "request").await
    }

    /// The request with this id; `None` for an id that is not stored or not a ULID.
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
