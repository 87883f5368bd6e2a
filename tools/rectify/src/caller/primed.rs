//! Credentials that were loaded to see whether they can be, and are not loaded twice for it.

use std::sync::{Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, ProvideCredentials, future};

/// A provider, with its first answer until that is used.
#[derive(Debug)]
pub(super) struct Primed<P> {
    first: Mutex<Option<Credentials>>,
    rest: P,
}

impl<P> Primed<P> {
    /// The credentials `first`, then those of `rest`.
    pub(super) const fn new(first: Credentials, rest: P) -> Self {
        Self { first: Mutex::new(Some(first)), rest }
    }
}

impl<P: ProvideCredentials> Primed<P> {
    async fn next(&self) -> provider::Result {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(credentials) => Ok(credentials),
            None => self.rest.provide_credentials().await,
        }
    }
}

impl<P: ProvideCredentials> ProvideCredentials for Primed<P> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.next())
    }
}
