//! Pagination: pages of an ordered list, and the token for the next page.
//!
//! A token contains the query and the last key returned, so a list that grows between two pages neither repeats nor
//! skips existing members.

/// The sort order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

/// A page and, if there are more, the token of the next one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// An invalid token, or one of another query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadToken;

/// The page of `items` at `token`; `items` are in `order` by their unique keys.
pub(super) fn cut<T>(
    query: &str,
    order: Order,
    items: impl IntoIterator<Item = (String, T)>,
    limit: usize,
    token: Option<&str>,
) -> Result<Page<T>, BadToken> {
    let after = token.map(|token| decode(query, token).ok_or(BadToken)).transpose()?;
    let is_left = |key: &String| {
        after.as_ref().is_none_or(|last| match order {
            Order::Ascending => key > last,
            Order::Descending => key < last,
        })
    };
    let mut left = items.into_iter().filter(|(key, _)| is_left(key)).peekable();
    let mut page = Page { items: Vec::new(), next: None };
    let mut last = None;
    while page.items.len() < limit {
        let Some((key, item)) = left.next() else { return Ok(page) };
        page.items.push(item);
        last = Some(key);
    }
    if left.peek().is_some() {
        page.next = last.map(|key| encode(query, &key));
    }
    Ok(page)
}

/// Hexadecimal: opaque, and safe in JSON and shells.
fn encode(query: &str, last: &str) -> String {
    format!("{query}\n{last}").bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(query: &str, token: &str) -> Option<String> {
    let digits = token.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let text = String::from_utf8(digits.collect::<Option<Vec<u8>>>()?).ok()?;
    let last = text.strip_prefix(query)?.strip_prefix('\n')?;
    Some(last.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn keyed(keys: &str) -> Vec<(String, char)> {
        keys.chars().map(|key| (key.to_string(), key)).collect()
    }

    #[test]
    fn pages_cover_the_list_in_order() {
        for (order, keys) in [(Order::Ascending, "abcde"), (Order::Descending, "edcba")] {
            let mut seen = String::new();
            let mut token: Option<String> = None;
            loop {
                let page = cut("q", order, keyed(keys), 2, token.as_deref()).unwrap();
                seen.extend(page.items);
                token = page.next;
                if token.is_none() {
                    break;
                }
            }
            assert_eq!(seen, keys);
        }
    }

    #[test]
    fn full_last_page_has_no_token() {
        assert_eq!(cut("q", Order::Ascending, keyed("ab"), 2, None), Ok(Page { items: vec!['a', 'b'], next: None }));
    }

    #[test]
    fn removed_item_does_not_break_the_next_page() {
        let first = cut("q", Order::Ascending, keyed("abcd"), 2, None).unwrap();
        let second = cut("q", Order::Ascending, keyed("acd"), 2, first.next.as_deref()).unwrap();
        assert_eq!(second.items, ['c', 'd']);
    }

    #[test]
    fn invalid_token_is_refused() {
        let token = cut("q", Order::Ascending, keyed("abcd"), 2, None).unwrap().next.unwrap();
        for bad in ["", "zz", "6", "ü", &token[1..]] {
            assert_eq!(cut("q", Order::Ascending, keyed("abcd"), 2, Some(bad)), Err(BadToken), "{bad}");
        }
        assert_eq!(cut("other", Order::Ascending, keyed("abcd"), 2, Some(&token)), Err(BadToken));
    }
}
