//! Users: one by its name, or all page by page, with a few concurrent reads.

use std::future::Future;

use aws_sdk_iam::types;
use futures_util::stream::{self, Stream};
use rectify_compliance::{AccountId, ResourceKey, ResourceState, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Found, Page, read_each};

use super::{Clients, time, unless_missing};
use rectify_iam::resources::user::{TYPE, User};

/// Users per page: the maximum number of evaluations of one `PutEvaluations` call.
const USERS_PER_PAGE: i32 = 100;
/// The maximum page size of `ListUsers`.
const MAX_PAGE_SIZE: i32 = 1000;
/// How many users are read concurrently; each takes one to five calls.
const CONCURRENCY: usize = 8;

/// All users of the account, from `marker` on; `read` returns the subject of a listed user, or `None` when it is
/// already gone.
pub(super) fn pages<'a, S, F>(
    clients: &'a Clients,
    place: &'a AccountRegion,
    marker: Option<String>,
    read: impl Fn(User) -> F + Send + Sync + 'a,
) -> impl Stream<Item = Result<Page<S>, AwsError>> + Send + 'a
where
    S: ResourceState,
    F: Future<Output = Result<Option<S>, AwsError>> + Send + 'a,
{
    let pages = clients.iam.list_users().set_marker(marker).into_paginator().page_size(USERS_PER_PAGE).send();
    stream::try_unfold((pages, read), move |(mut pages, read)| async move {
        let Some(page) = pages.next().await else { return Ok(None) };
        let page = page.map_err(|error| AwsError::call("iam:ListUsers", &error))?;
        let mut reads = Vec::with_capacity(page.users.len());
        for user in &page.users {
            let found = Found { resource: ResourceKey::new(TYPE, &user.user_id), name: Some(user.user_name.clone()) };
            let subject = user_of(user, &place.account).map(&read);
            reads.push((found, async move { subject?.await }));
        }
        let resources = read_each(reads, CONCURRENCY).await;
        Ok(Some((Page { resources, next: page.marker.filter(|it| !it.is_empty()) }, (pages, read))))
    })
}

/// The keys of all users of the account.
pub(super) fn keys(clients: &Clients) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + '_ {
    let pages = clients.iam.list_users().into_paginator().page_size(MAX_PAGE_SIZE).send();
    stream::try_unfold(pages, move |mut pages| async move {
        let Some(page) = pages.next().await else { return Ok(None) };
        let page = page.map_err(|error| AwsError::call("iam:ListUsers", &error))?;
        Ok(Some((page.users.iter().map(|user| ResourceKey::new(TYPE, &user.user_id)).collect(), pages)))
    })
}

impl Clients {
    /// All users of the account, with their names.
    pub(super) async fn all_users(&self) -> Result<Vec<Found>, AwsError> {
        let mut pages = self.iam.list_users().into_paginator().page_size(MAX_PAGE_SIZE).send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("iam:ListUsers", &error))?;
            let users = page.users.into_iter();
            found.extend(
                users.map(|it| Found { resource: ResourceKey::new(TYPE, it.user_id), name: Some(it.user_name) }),
            );
        }
        Ok(found)
    }

    /// `GetUser` by name, the only call that returns tags; `None` when there is no user with this name.
    pub(super) async fn described_user(&self, name: &str) -> Result<Option<types::User>, AwsError> {
        let answer = self.iam.get_user().user_name(name).send().await;
        let answer = unless_missing(answer.map_err(|error| AwsError::call("iam:GetUser", &error)))?;
        let Some(answer) = answer else { return Ok(None) };
        Ok(Some(answer.user.ok_or_else(|| ShapeError::missing("User", "a user"))?))
    }

    /// The user with this name; `None` when there is none, or it has another id.
    pub(super) async fn user(&self, account: &AccountId, id: &str, name: &str) -> Result<Option<User>, AwsError> {
        let Some(user) = self.described_user(name).await? else { return Ok(None) };
        Ok(Some(user_of(&user, account)?).filter(|user| user.id == id))
    }

    /// The current user with the id of `target`; `None` when there is none.
    pub(super) async fn user_at(&self, target: &Target) -> Result<Option<User>, AwsError> {
        let (account, id) = (&target.account, &target.resource.id);
        if let Some(name) = &target.name
            && let Some(user) = self.user(account, id, name).await?
        {
            return Ok(Some(user));
        }
        // AWS Config may not record users, and a user may have been renamed since it was recorded.
        match self.name_of(id).await? {
            Some(name) => self.user(account, id, &name).await,
            None => Ok(None),
        }
    }

    /// `ListUsers`, page by page until the user with this id is found.
    async fn name_of(&self, id: &str) -> Result<Option<String>, AwsError> {
        let mut pages = self.iam.list_users().into_paginator().page_size(MAX_PAGE_SIZE).send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("iam:ListUsers", &error))?;
            if let Some(user) = page.users.into_iter().find(|user| user.user_id == id) {
                return Ok(Some(user.user_name));
            }
        }
        Ok(None)
    }

    /// `GetLoginProfile`: the console password. A user that is gone has none, either.
    pub(super) async fn login_profile(&self, name: &str) -> Result<Option<types::LoginProfile>, AwsError> {
        let answer = self.iam.get_login_profile().user_name(name).send().await;
        let answer = unless_missing(answer.map_err(|error| AwsError::call("iam:GetLoginProfile", &error)))?;
        let Some(answer) = answer else { return Ok(None) };
        Ok(Some(answer.login_profile.ok_or_else(|| ShapeError::missing("LoginProfile", "a login profile"))?))
    }

    /// Whether the user has a console password.
    pub(super) async fn has_password(&self, name: &str) -> Result<bool, AwsError> {
        Ok(self.login_profile(name).await?.is_some())
    }
}

fn user_of(user: &types::User, account: &AccountId) -> Result<User, ShapeError> {
    let tags: Tags = user.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    Ok(User {
        account: account.clone(),
        id: user.user_id.clone(),
        name: user.user_name.clone(),
        arn: user.arn.clone(),
        created: time("User.CreateDate", user.create_date)?,
        tags,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::primitives::DateTime;
    use aws_sdk_iam::types::Tag;

    use super::*;

    #[test]
    fn a_user_is_read_with_its_tags() {
        let answer = types::User::builder()
            .path("/")
            .user_name("alice")
            .user_id("AIDAEXAMPLEALICE00001")
            .arn("arn:aws:iam::111122223333:user/alice")
            .create_date(DateTime::from_secs(1_772_593_200))
            .tags(Tag::builder().key("team").value("blue").build().unwrap())
            .build()
            .unwrap();
        let expected = User {
            account: AccountId::new("111122223333"),
            id: "AIDAEXAMPLEALICE00001".into(),
            name: "alice".into(),
            arn: "arn:aws:iam::111122223333:user/alice".into(),
            created: "2026-03-04T03:00:00Z".parse().unwrap(),
            tags: Tags::from([("team".to_owned(), "blue".to_owned())]),
        };
        assert_eq!(user_of(&answer, &AccountId::new("111122223333")), Ok(expected));
    }
}
