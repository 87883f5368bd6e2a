//! Translates Smithy RPC v2 CBOR, which moto does not speak, to AWS JSON and back.
//!
//! CloudWatch's SDK speaks nothing else. The translation knows no operation: values keep their type, and a timestamp,
//! which is a plain number in JSON, is recognized by its field's name. Source: Smithy 2.0, "Smithy RPC v2 CBOR
//! protocol".

use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::decode::DeserializeError;
use aws_smithy_cbor::{Decoder, Encoder};
use aws_smithy_types::DateTime;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, Uri, header};
use serde_json::{Map, Value};

/// Names the protocol of a request and its answer.
const PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");
const RPC: &str = "rpc-v2-cbor";
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// Suffixes of fields whose numbers are timestamps, also inside lists.
const TIMES: [&str; 3] = ["Timestamp", "Timestamps", "Date"];

/// The target header of the same call in AWS JSON: `GraniteServiceVersion20100801.GetMetricData`; `None` for any other
/// path.
pub fn target(path: &str) -> Option<String> {
    let (service, operation) = path.strip_prefix("/service/")?.split_once("/operation/")?;
    (!operation.is_empty() && !operation.contains('/')).then(|| format!("{service}.{operation}"))
}

/// Converts a CBOR body to JSON.
///
/// # Errors
/// Invalid CBOR, with its position.
pub fn to_json(body: &[u8]) -> Result<Value, DeserializeError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    decode(&mut Decoder::new(body))
}

/// Converts a JSON body to CBOR.
#[must_use]
pub fn to_cbor(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encode(&mut encoder, value, false);
    encoder.into_writer()
}

fn decode(decoder: &mut Decoder<'_>) -> Result<Value, DeserializeError> {
    Ok(match decoder.datatype()? {
        Type::Bool => decoder.boolean()?.into(),
        Type::F16 | Type::F32 | Type::F64 => decoder.double()?.into(),
        Type::String | Type::StringIndef => decoder.str()?.into_owned().into(),
        Type::Array | Type::ArrayIndef => {
            let mut left = decoder.list()?;
            let mut members = Vec::new();
            while more(decoder, &mut left)? {
                members.push(decode(decoder)?);
            }
            members.into()
        }
        Type::Map | Type::MapIndef => {
            let mut left = decoder.map()?;
            let mut fields = Map::new();
            while more(decoder, &mut left)? {
                let key = decoder.str()?.into_owned();
                fields.insert(key, decode(decoder)?);
            }
            fields.into()
        }
        Type::Tag => decoder.timestamp()?.as_secs_f64().into(),
        Type::Null | Type::Undefined => {
            decoder.skip()?;
            Value::Null
        }
        _ => decoder.long()?.into(),
    })
}

/// Whether a list or map has another member; consumes the break that ends one of indefinite length.
fn more(decoder: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, DeserializeError> {
    match left {
        Some(0) => Ok(false),
        Some(count) => {
            *count -= 1;
            Ok(true)
        }
        None if decoder.datatype()? == Type::Break => decoder.skip().map(|()| false),
        None => Ok(true),
    }
}

fn encode(encoder: &mut Encoder, value: &Value, is_time: bool) {
    match value {
        Value::Null => encoder.null(),
        Value::Bool(flag) => encoder.boolean(*flag),
        Value::String(text) => encoder.str(text),
        Value::Number(number) if is_time => {
            encoder.timestamp(&DateTime::from_secs_f64(number.as_f64().unwrap_or_default()))
        }
        Value::Number(number) => match number.as_i64() {
            Some(whole) => encoder.long(whole),
            None => encoder.double(number.as_f64().unwrap_or_default()),
        },
        Value::Array(members) => {
            encoder.begin_array();
            members.iter().for_each(|member| encode(encoder, member, is_time));
            encoder.end()
        }
        Value::Object(fields) => {
            encoder.begin_map();
            for (key, field) in fields {
                encoder.str(key);
                encode(encoder, field, TIMES.iter().any(|end| key.ends_with(end)));
            }
            encoder.end()
        }
    };
}

/// The same call in AWS JSON; `None` if it does not use this protocol.
pub(super) fn translated(head: &Parts, body: &[u8]) -> Option<(Parts, Bytes)> {
    if head.headers.get(PROTOCOL)?.as_bytes() != RPC.as_bytes() {
        return None;
    }
    let target = HeaderValue::from_str(&target(head.uri.path())?).ok()?;
    let body = to_json(body).ok()?.to_string();
    let mut head = head.clone();
    head.uri = Uri::from_static("/");
    head.headers.remove(PROTOCOL);
    head.headers.remove(header::ACCEPT);
    head.headers.insert(TARGET, target);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    Some((head, body.into()))
}

/// Translates an AWS JSON answer to this protocol. A broken answer stays broken.
pub(super) async fn translated_back(answer: Response<Body>, limit: usize) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    let body = match to_bytes(body, limit).await {
        Ok(body) => body,
        Err(broken) => {
            return Response::from_parts(
                head,
                Body::from_stream(futures_util::stream::iter([Err::<Bytes, _>(broken)])),
            );
        }
    };
    let value = serde_json::from_slice(&body).unwrap_or_else(|_| Value::Object(Map::new()));
    set(&mut head.headers, PROTOCOL, RPC);
    set(&mut head.headers, header::CONTENT_TYPE, "application/cbor");
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(to_cbor(&value)))
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn target_is_read_from_the_path() {
        let granite = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
        assert_eq!(target(granite).as_deref(), Some("GraniteServiceVersion20100801.GetMetricData"));
        for other in ["/", "/service/a", "/service/a/operation/", "/service/a/operation/b/c"] {
            assert_eq!(target(other), None, "{other}");
        }
    }

    #[test]
    fn values_keep_their_type_in_a_round_trip() {
        let value = json!({
            "Text": "a", "Whole": -3, "Fraction": 0.5, "Round": 3.0, "Flag": true, "None": null, "List": [1, "b", {"c": []}]
        });
        assert_eq!(to_json(&to_cbor(&value)).unwrap(), value);
        assert_eq!(to_json(&[]).unwrap(), json!({}));
        assert!(to_json(&[0xa1]).is_err());
    }

    #[test]
    fn timestamp_is_recognized_by_its_field() {
        let cbor = to_cbor(&json!({"StateUpdatedTimestamp": 1_772_600_767, "Timestamps": [1.5], "Period": 60}));
        let mut decoder = Decoder::new(&cbor);
        decoder.map().unwrap();
        let (mut times, mut others) = (0, 0);
        while decoder.datatype().unwrap() != Type::Break {
            let key = decoder.string().unwrap();
            if key == "Timestamps" {
                decoder.list().unwrap();
            }
            // A number that is not a timestamp must not be read as one: only part of it would be consumed.
            if decoder.datatype().unwrap() == Type::Tag {
                decoder.timestamp().unwrap();
                times += 1;
            } else {
                decoder.skip().unwrap();
                others += 1;
            }
            if key == "Timestamps" {
                decoder.skip().unwrap();
            }
        }
        assert_eq!((times, others), (2, 1));
        assert_eq!(
            to_json(&cbor).unwrap(),
            json!({"StateUpdatedTimestamp": 1_772_600_767.0, "Timestamps": [1.5], "Period": 60})
        );
    }
}
